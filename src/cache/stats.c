/* SPDX-License-Identifier: MIT */
/*
 * stats.c - the cache's counters as the user sees them
 *
 * Room: cache. Events are per CPU id (filemap.c), pages are the node counters that meminfo shows.
 */

#include "cache/lru.h"
#include "cache/pool.h"

void sw_cache_stats(struct sw_cache_stats *stats)
{
	unsigned long held;

	*stats = (struct sw_cache_stats){ 0 };
	if (cache_init())
		return;
	stats->misses = cache_counted(CACHE_MISS);
	stats->read_calls = cache_counted(CACHE_READ_CALL);
	stats->read_pages = cache_counted(CACHE_READ_PAGE);
	stats->ra_sync = cache_counted(CACHE_RA_SYNC);
	stats->ra_async = cache_counted(CACHE_RA_ASYNC);
	stats->ra_pages = cache_counted(CACHE_RA_PAGE);
	stats->refaults = cache_counted(CACHE_REFAULT);
	stats->activated = cache_counted(CACHE_ACTIVATE);
	stats->reclaimed = cache_counted(CACHE_RECLAIM);
	stats->dirtied = cache_counted(CACHE_DIRTIED);
	stats->written = cache_counted(CACHE_WRITTEN);
	stats->throttled = cache_counted(CACHE_THROTTLED);
	stats->nr_pages = global_node_state(NR_FILE_PAGES);
	stats->nr_dirty = global_node_state(NR_FILE_DIRTY);
	stats->nr_writeback = global_node_state(NR_WRITEBACK);
	stats->nr_active = atomic_load(&cache_lru.nr_active);
	stats->nr_inactive = atomic_load(&cache_lru.nr_inactive);
	stats->nr_mapped = global_node_state(NR_FILE_MAPPED);
	pool_stats(&stats->pool_pages, &held);
}
