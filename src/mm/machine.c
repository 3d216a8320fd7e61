/* SPDX-License-Identifier: MIT */
/*
 * machine.c - where everything starts, for whoever reads us from outside
 *
 * Room: mm. Door: mm/machine.h. Lives in mm, not in proc, because a program that
 * links the archive must carry it although nothing calls into it: boot.c names it.
 */

#include "mm/machine.h"

#include <stdatomic.h>
#include <stddef.h>

#include "lib/version.h"
#include "mm/page_alloc.h"
#include "mm/slab.h"
#include "mm/vmap_area.h"
#include "mm/zone.h"

/* FNV-1a, a step a number, as a constant expression: a moved field changes the sum. */
#define M(sum, n)           (((sum) ^ (uint64_t)(n)) * 0x100000001b3u)
#define M2(sum, a, b)       M(M(sum, a), b)
#define M4(sum, a, b, c, d) M2(M2(sum, a, b), c, d)

#define LAYOUT_SLAB(sum)                                                                          \
	M4(M4(M4(sum, sizeof(struct kmem_cache), offsetof(struct kmem_cache, list),               \
		 offsetof(struct kmem_cache, node), offsetof(struct kmem_cache, sheaf_capacity)), \
	      sizeof(struct kmem_cache_node), offsetof(struct kmem_cache_node, barn),             \
	      offsetof(struct kmem_cache_node, free_objects), sizeof(struct node_barn)),          \
	   sizeof(struct slab_sheaf), offsetof(struct slab_sheaf, objects), SW_PCPU_SHIFT,        \
	   sizeof(struct page))

#define LAYOUT_ZONE(sum)                                                            \
	M4(M4(M4(sum, sizeof(struct pglist_data), sizeof(struct zone),              \
		 offsetof(struct zone, free_area), offsetof(struct zone, vm_stat)), \
	      offsetof(struct pglist_data, vm_stat), sizeof(struct per_cpu_pages),  \
	      NR_VM_NODE_STAT_ITEMS, NR_VM_ZONE_STAT_ITEMS),                        \
	   NR_VM_EVENT_ITEMS * 256 + PAGE_SHIFT, sizeof(struct mem_section),        \
	   sizeof(struct sw_layout), sizeof(struct vmap_area))

const struct sw_machine sw_machine_root = {
	.magic = { 's', 'l', 'a', 'b', 'w', 'o', 'r', 'k' },
	.abi = SW_MACHINE_ABI,
	.size = sizeof(struct sw_machine),
	.version = SW_VERSION,
	.layout = LAYOUT_ZONE(LAYOUT_SLAB(0xcbf29ce484222325u)),

	.slab_state = &slab_state,
	.slab_caches = &slab_caches,
	.sheaf_null = sheaf_null,
	.sheaf_drain = sheaf_drain,
	.sw_layout = &sw_layout,
	.node_data = node_data_array,
	.nr_node_ids = &nr_node_ids,
	.vm_events = vm_event_states,
	.sections = &section_table,
	.vmap_roots = vmap_roots,
	.atomic_reserve = &atomic_reserve_nr,
};
