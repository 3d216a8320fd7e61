/* SPDX-License-Identifier: MIT */
/*
 * vmstat.c - /proc/vmstat: every counter by name
 *
 * Room: proc. The kernel's names in its order: zone counters, node counters, events.
 * What is ours (prefix sw_) follows the kernel's, so that who counts lines is right
 * until there. oom_kill counts reports: we kill nobody.
 */

#include "proc/files.h"

enum { STAT_MEMMAP = -10 }; /* pages of memmap */

static const struct stat_name event_names[] = {
	{ "nr_dirty_threshold", STAT_NONE },
	{ "nr_dirty_background_threshold", STAT_NONE },
	{ "nr_memmap_pages", STAT_MEMMAP },
	{ "nr_memmap_boot_pages", STAT_NONE },
	{ "pgpgin", STAT_NONE },
	{ "pgpgout", STAT_NONE },
	{ "pswpin", STAT_NONE },
	{ "pswpout", STAT_NONE },
	{ "pgalloc_dma", PGALLOC_DMA },
	{ "pgalloc_dma32", PGALLOC_DMA32 },
	{ "pgalloc_normal", PGALLOC_NORMAL },
	{ "pgalloc_movable", PGALLOC_MOVABLE },
	{ "pgalloc_device", STAT_NONE },
	{ "allocstall_dma", ALLOCSTALL_DMA },
	{ "allocstall_dma32", ALLOCSTALL_DMA32 },
	{ "allocstall_normal", ALLOCSTALL_NORMAL },
	{ "allocstall_movable", ALLOCSTALL_MOVABLE },
	{ "allocstall_device", STAT_NONE },
	{ "pgskip_dma", STAT_NONE },
	{ "pgskip_dma32", STAT_NONE },
	{ "pgskip_normal", STAT_NONE },
	{ "pgskip_movable", STAT_NONE },
	{ "pgskip_device", STAT_NONE },
	{ "pgfree", PGFREE },
	{ "pgactivate", PGACTIVATE },
	{ "pgdeactivate", PGDEACTIVATE },
	{ "pglazyfree", STAT_NONE },
	{ "pgfault", STAT_NONE },
	{ "pgmajfault", STAT_NONE },
	{ "pglazyfreed", STAT_NONE },
	{ "pgrefill", PGREFILL },
	{ "pgreuse", STAT_NONE },
	{ "pgsteal_kswapd", PGSTEAL_KSWAPD },
	{ "pgsteal_direct", PGSTEAL_DIRECT },
	{ "pgsteal_khugepaged", STAT_NONE },
	{ "pgsteal_proactive", STAT_NONE },
	{ "pgscan_kswapd", PGSCAN_KSWAPD },
	{ "pgscan_direct", PGSCAN_DIRECT },
	{ "pgscan_khugepaged", STAT_NONE },
	{ "pgscan_proactive", STAT_NONE },
	{ "pgscan_direct_throttle", PGSCAN_DIRECT_THROTTLE },
	{ "pgscan_anon", STAT_NONE },
	{ "pgscan_file", STAT_NONE },
	{ "pgsteal_anon", STAT_NONE },
	{ "pgsteal_file", STAT_NONE },
	{ "zone_reclaim_success", STAT_NONE },
	{ "zone_reclaim_failed", STAT_NONE },
	{ "pginodesteal", PGINODESTEAL },
	{ "slabs_scanned", SLABS_SCANNED },
	{ "kswapd_inodesteal", KSWAPD_INODESTEAL },
	{ "kswapd_low_wmark_hit_quickly", KSWAPD_LOW_WMARK_HIT_QUICKLY },
	{ "kswapd_high_wmark_hit_quickly", KSWAPD_HIGH_WMARK_HIT_QUICKLY },
	{ "pageoutrun", PAGEOUTRUN },
	{ "pgrotated", STAT_NONE },
	{ "drop_pagecache", DROP_PAGECACHE },
	{ "drop_slab", DROP_SLAB },
	{ "oom_kill", OOM_KILL },
	{ "numa_pte_updates", STAT_NONE },
	{ "numa_huge_pte_updates", STAT_NONE },
	{ "numa_hint_faults", STAT_NONE },
	{ "numa_hint_faults_local", STAT_NONE },
	{ "numa_pages_migrated", STAT_NONE },
	{ "pgmigrate_success", STAT_NONE },
	{ "pgmigrate_fail", STAT_NONE },
	{ "thp_migration_success", STAT_NONE },
	{ "thp_migration_fail", STAT_NONE },
	{ "thp_migration_split", STAT_NONE },
	{ "compact_migrate_scanned", STAT_NONE },
	{ "compact_free_scanned", STAT_NONE },
	{ "compact_isolated", STAT_NONE },
	{ "compact_stall", COMPACTSTALL },
	{ "compact_fail", COMPACTFAIL },
	{ "compact_success", COMPACTSUCCESS },
	{ "compact_daemon_wake", STAT_NONE },
	{ "compact_daemon_migrate_scanned", STAT_NONE },
	{ "compact_daemon_free_scanned", STAT_NONE },
	{ "htlb_buddy_alloc_success", STAT_NONE },
	{ "htlb_buddy_alloc_fail", STAT_NONE },
	{ "unevictable_pgs_culled", STAT_NONE },
	{ "unevictable_pgs_scanned", STAT_NONE },
	{ "unevictable_pgs_rescued", STAT_NONE },
	{ "unevictable_pgs_mlocked", STAT_NONE },
	{ "unevictable_pgs_munlocked", STAT_NONE },
	{ "unevictable_pgs_cleared", STAT_NONE },
	{ "unevictable_pgs_stranded", STAT_NONE },
	{ "thp_fault_alloc", STAT_NONE },
	{ "thp_fault_fallback", STAT_NONE },
	{ "thp_fault_fallback_charge", STAT_NONE },
	{ "thp_collapse_alloc", STAT_NONE },
	{ "thp_collapse_alloc_failed", STAT_NONE },
	{ "thp_file_alloc", STAT_NONE },
	{ "thp_file_fallback", STAT_NONE },
	{ "thp_file_fallback_charge", STAT_NONE },
	{ "thp_file_mapped", STAT_NONE },
	{ "thp_split_page", STAT_NONE },
	{ "thp_split_page_failed", STAT_NONE },
	{ "thp_deferred_split_page", STAT_NONE },
	{ "thp_underused_split_page", STAT_NONE },
	{ "thp_split_pmd", STAT_NONE },
	{ "thp_scan_exceed_none_pte", STAT_NONE },
	{ "thp_scan_exceed_swap_pte", STAT_NONE },
	{ "thp_scan_exceed_share_pte", STAT_NONE },
	{ "thp_split_pud", STAT_NONE },
	{ "thp_zero_page_alloc", STAT_NONE },
	{ "thp_zero_page_alloc_failed", STAT_NONE },
	{ "thp_swpout", STAT_NONE },
	{ "thp_swpout_fallback", STAT_NONE },
	{ "balloon_inflate", STAT_NONE },
	{ "balloon_deflate", STAT_NONE },
	{ "balloon_migrate", STAT_NONE },
	{ "swap_ra", STAT_NONE },
	{ "swap_ra_hit", STAT_NONE },
	{ "swpin_zero", STAT_NONE },
	{ "swpout_zero", STAT_NONE },
	{ "ksm_swpin_copy", STAT_NONE },
	{ "cow_ksm", STAT_NONE },
	{ "zswpin", STAT_NONE },
	{ "zswpout", STAT_NONE },
	{ "zswpwb", STAT_NONE },
	{ "direct_map_level2_splits", STAT_NONE },
	{ "direct_map_level3_splits", STAT_NONE },
	{ "direct_map_level2_collapses", STAT_NONE },
	{ "direct_map_level3_collapses", STAT_NONE },
	{ "nr_unstable", STAT_NONE },
	/* ours */
	{ "sw_sections_onlined", SW_SECTIONS_ONLINED },
	{ "sw_pages_given_back", SW_PAGES_GIVEN_BACK },
	{ "sw_extfrag", SW_EXTFRAG },
	{ "sw_pageblock_steal", SW_PAGEBLOCK_STEAL },
	{ "sw_atomic_reserve_used", SW_ATOMIC_RESERVE_USED },
	{ "sw_deferred_free", SW_DEFERRED_FREE },
	{ "sw_alloc_failed", SW_ALLOC_FAILED },
};

static bool print_value(struct show *sh, const char *name, unsigned long value)
{
	if (!show_wants(sh, name))
		return false;
	if (sh->out->json)
		json_ulong(sh->out, name, value);
	else
		out_printf(sh->out, "%s %lu\n", name, value);
	return true;
}

static unsigned long zone_value(const struct reader *reader, const struct vm_row *vm, int item)
{
	unsigned long taken = 0;

	if (item >= 0)
		return vm->zone_stat[item];
	if (item == STAT_FREE_BLOCKS)
		return vm->free_block_pages;
	if (item != STAT_HIT || reader->nr_nodes != 1)
		return 0;
	for (int idx = 0; idx < MAX_NR_ZONES; idx++)
		taken += vm->alloc[idx];
	return taken;
}

static unsigned long event_value(const struct vm_row *vm, int item)
{
	if (item >= 0)
		return vm->event[item];
	if (item == STAT_MEMMAP)
		return vm->present * sizeof(struct page) >> PAGE_SHIFT;
	return 0;
}

int show_vmstat(struct show *sh)
{
	struct vm_row vm;
	bool found = false;
	int err = vm_row_get(sh->reader, &vm);

	if (err)
		return err;
	if (sh->out->json)
		json_open(sh->out, NULL, '{');
	for (unsigned int i = 0; i < nr_zone_stat_names; i++)
		found |= print_value(sh, zone_stat_names[i].name,
				     zone_value(sh->reader, &vm, zone_stat_names[i].item));
	for (unsigned int i = 0; i < nr_node_stat_names; i++) {
		int item = node_stat_names[i].item;

		found |=
			print_value(sh, node_stat_names[i].name, item < 0 ? 0 : vm.node_stat[item]);
	}
	for (size_t i = 0; i < sizeof(event_names) / sizeof(event_names[0]); i++)
		found |=
			print_value(sh, event_names[i].name, event_value(&vm, event_names[i].item));
	if (sh->out->json)
		json_close(sh->out, '}');
	return found ? 0 : -ENOENT;
}
