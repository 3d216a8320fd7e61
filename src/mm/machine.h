/* SPDX-License-Identifier: MIT */
#ifndef MM_MACHINE_H
#define MM_MACHINE_H

/*
 * machine.h - where everything starts, for whoever reads us from outside
 *
 * Room: mm. One exported constant, sw_machine_root, holds the address of each
 * root that a reader needs (slabwork PID, a debugger, a core file) and enough
 * about sizes and offsets to refuse a library that was built differently. All
 * else is found by following pointers. Nothing is maintained for such readers.
 */

#include <stdint.h>

#include <slabwork/export.h>

#define SW_MACHINE_MAGIC "slabwork" /* 8 bytes, no NUL */
#define SW_MACHINE_ABI   2          /* layout of struct sw_machine itself */

struct sw_machine {
	char magic[8];
	uint32_t abi;
	uint32_t size; /* of this struct */
	char version[16];
	uint64_t layout; /* sizes and offsets of the structures below, mixed */

	const void *slab_state;     /* enum slab_state */
	const void *slab_caches;    /* struct list_head of kmem_cache.list */
	const void *sheaf_null;     /* void *[2] */
	const void *sheaf_drain;    /* void *[2] */
	const void *sw_layout;      /* struct sw_layout */
	const void *node_data;      /* struct pglist_data [MAX_NUMNODES] */
	const void *nr_node_ids;    /* unsigned int */
	const void *vm_events;      /* unsigned long [NR_VM_EVENT_ITEMS] */
	const void *sections;       /* struct mem_section *, biased: [pfn >> MAX_PAGE_ORDER] */
	const void *vmap_roots;     /* struct vmap_area **[2]: first of the chains of ranges */
	const void *atomic_reserve; /* long: pages in the atomic reserve */
};

extern SW_API const struct sw_machine sw_machine_root;

#endif /* MM_MACHINE_H */
