/* SPDX-License-Identifier: MIT */
#ifndef SW_VMSTAT_H
#define SW_VMSTAT_H

/**
 * DOC: <slabwork/vmstat.h> - what the owner of pages tells the counters of meminfo and vmstat
 *
 * The allocator counts pages; only their owner knows that they are the cache of a file, dirty or
 * being written. It says so here, and Cached, Dirty, Writeback, Mapped and nr_* show it.
 * The numbers of the items are no ABI: they may change with the version.
 *
 * Room: mm (mmzone.c).
 */

#include <slabwork/types.h>

SW_BEGIN_DECLS

/* Pages each. */
enum node_stat_item {
	NR_SLAB_RECLAIMABLE_B,
	NR_SLAB_UNRECLAIMABLE_B,
	NR_INACTIVE_ANON,
	NR_ACTIVE_ANON,
	NR_INACTIVE_FILE,
	NR_ACTIVE_FILE,
	NR_FILE_PAGES,
	NR_FILE_MAPPED,
	NR_FILE_DIRTY,
	NR_WRITEBACK,
	NR_DIRTIED,
	NR_WRITTEN,
	NR_KERNEL_MISC_RECLAIMABLE,
	NR_VMALLOC_PAGES, /* ours: pages behind vmalloc areas */
	NR_PERCPU_PAGES,  /* ours */
	NR_VM_NODE_STAT_ITEMS
};

/**
 * mod_node_state() - count pages of a node up or down
 * @nid: node, as page_to_nid() says
 * @item: NR_FILE_PAGES and kin; a slab or area item is the allocator's own
 * @delta: pages
 *
 * Context: Any. One atomic addition.
 * Source: Linux 5.4, mod_node_page_state(). Differs: struct pglist_data is not public.
 */
SW_API void mod_node_state(int nid, enum node_stat_item item, long delta) SW_NAME(mod_node_state);

/** global_node_state() - pages of this kind on all nodes */
SW_API unsigned long global_node_state(enum node_stat_item item) SW_NAME(global_node_state);

SW_END_DECLS

#endif /* SW_VMSTAT_H */
