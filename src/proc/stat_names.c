/* SPDX-License-Identifier: MIT */
/*
 * stat_names.c - the kernel's counter names, in the order it prints them
 *
 * Room: proc; zoneinfo.c and vmstat.c walk these. A name without a counter of
 * ours prints 0, so that a parser that counts lines or looks for a name is content.
 */

#include "proc/files.h"

const struct stat_name node_stat_names[] = {
	{ "nr_inactive_anon", NR_INACTIVE_ANON },
	{ "nr_active_anon", NR_ACTIVE_ANON },
	{ "nr_inactive_file", NR_INACTIVE_FILE },
	{ "nr_active_file", NR_ACTIVE_FILE },
	{ "nr_unevictable", STAT_NONE },
	{ "nr_slab_reclaimable", NR_SLAB_RECLAIMABLE_B },
	{ "nr_slab_unreclaimable", NR_SLAB_UNRECLAIMABLE_B },
	{ "nr_isolated_anon", STAT_NONE },
	{ "nr_isolated_file", STAT_NONE },
	{ "workingset_nodes", STAT_NONE },
	{ "workingset_refault_anon", STAT_NONE },
	{ "workingset_refault_file", STAT_NONE },
	{ "workingset_activate_anon", STAT_NONE },
	{ "workingset_activate_file", STAT_NONE },
	{ "workingset_restore_anon", STAT_NONE },
	{ "workingset_restore_file", STAT_NONE },
	{ "workingset_nodereclaim", STAT_NONE },
	{ "nr_anon_pages", STAT_NONE },
	{ "nr_mapped", NR_FILE_MAPPED },
	{ "nr_file_pages", NR_FILE_PAGES },
	{ "nr_dirty", NR_FILE_DIRTY },
	{ "nr_writeback", NR_WRITEBACK },
	{ "nr_shmem", STAT_NONE },
	{ "nr_shmem_hugepages", STAT_NONE },
	{ "nr_shmem_pmdmapped", STAT_NONE },
	{ "nr_file_hugepages", STAT_NONE },
	{ "nr_file_pmdmapped", STAT_NONE },
	{ "nr_anon_transparent_hugepages", STAT_NONE },
	{ "nr_vmscan_write", STAT_NONE },
	{ "nr_vmscan_immediate_reclaim", STAT_NONE },
	{ "nr_dirtied", NR_DIRTIED },
	{ "nr_written", NR_WRITTEN },
	{ "nr_throttled_written", STAT_NONE },
	{ "nr_kernel_misc_reclaimable", NR_KERNEL_MISC_RECLAIMABLE },
	{ "nr_foll_pin_acquired", STAT_NONE },
	{ "nr_foll_pin_released", STAT_NONE },
	{ "nr_kernel_stack", STAT_NONE },
	{ "nr_page_table_pages", STAT_NONE },
	{ "nr_sec_page_table_pages", STAT_NONE },
	{ "nr_iommu_pages", STAT_NONE },
	{ "nr_swapcached", STAT_NONE },
	{ "pgpromote_success", STAT_NONE },
	{ "pgpromote_candidate", STAT_NONE },
	{ "pgpromote_candidate_nrl", STAT_NONE },
	{ "pgdemote_kswapd", STAT_NONE },
	{ "pgdemote_direct", STAT_NONE },
	{ "pgdemote_khugepaged", STAT_NONE },
	{ "pgdemote_proactive", STAT_NONE },
	{ "nr_hugetlb", STAT_NONE },
	{ "nr_balloon_pages", STAT_NONE },
	{ "nr_kernel_file_pages", STAT_NONE },
};
const unsigned int nr_node_stat_names = sizeof(node_stat_names) / sizeof(node_stat_names[0]);

const struct stat_name zone_stat_names[] = {
	{ "nr_free_pages", NR_FREE_PAGES },
	{ "nr_free_pages_blocks", STAT_FREE_BLOCKS },
	{ "nr_zone_inactive_anon", STAT_NONE },
	{ "nr_zone_active_anon", STAT_NONE },
	{ "nr_zone_inactive_file", STAT_NONE },
	{ "nr_zone_active_file", STAT_NONE },
	{ "nr_zone_unevictable", STAT_NONE },
	{ "nr_zone_write_pending", STAT_NONE },
	{ "nr_mlock", NR_MLOCK },
	{ "nr_zspages", STAT_NONE },
	{ "nr_free_cma", NR_FREE_CMA_PAGES },
	{ "numa_hit", STAT_HIT },
	{ "numa_miss", STAT_NONE },
	{ "numa_foreign", STAT_NONE },
	{ "numa_interleave", STAT_NONE },
	{ "numa_local", STAT_HIT },
	{ "numa_other", STAT_NONE },
};
const unsigned int nr_zone_stat_names = sizeof(zone_stat_names) / sizeof(zone_stat_names[0]);
