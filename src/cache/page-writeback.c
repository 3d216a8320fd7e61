/* SPDX-License-Identifier: MIT */
/*
 * page-writeback.c - dirty folios: counted, limited, written
 *
 * Room: cache. Who decides when is vfs/flusher.c; errors are errseq.c's.
 *
 *   clean ──folio_mark_dirty()──▶ dirty ──folio_clear_dirty_for_io()──▶ locked, about to be written
 *     ▲                                                                    │ folio_start_writeback()
 *     └───────────────folio_end_writeback()────────── under write-back ◀───┘
 *
 * Invariants
 *   W1  PG_dirty of a folio in a tree changes under xa_lock, with NR_FILE_DIRTY and bdi->nr_dirty: they are exact.
 *       The same for PG_writeback, NR_WRITEBACK, bdi->nr_writeback.
 *   W2  A dirty folio has the DIRTY mark. The mark stays until write-back has begun, so that whoever syncs meanwhile
 *       finds the folio, waits for its lock, and then for the write.
 *   W3  A write that failed is in wb_err before its folio is seen without PG_writeback.
 *
 * Limits: above the background limit bdi->start_writeback() is told; above the hard limit a writer waits, or writes its own
 * mapping where nobody else does. Both shrink with max_pages: a cache of 16 pages must not be all dirty.
 */

#include <limits.h>
#include <sys/sysinfo.h>

#include "cache/bug.h"
#include "cache/lru.h"
#include "cache/tree.h"
#include "lib/bitops.h"

#define BATCH 16
/* Of memory, by default: as the kernel's vm.dirty_background_ratio and vm.dirty_ratio. */
#define BACKGROUND_PERCENT 10
#define DIRTY_PERCENT      20
/* Dirty pages of memory that counts nothing: so small that nobody should have to think. */
#define LIMIT_LEAST 4
#define WAIT_NS     10000000u
/* A store that takes nothing for this long does not hold a writer for ever. */
#define WAITS_MOST 500

static struct {
	_Atomic unsigned long max, background, dirty;
	_Atomic unsigned int interval_ms, expire_ms;
} limits = { .max = ~0UL, .interval_ms = 5000, .expire_ms = 30000 };

static wait_queue_head_t written_wq;

/* ---- limits ----------------------------------------------------------------------------------- */

void writeback_init(void)
{
	struct sysinfo info;
	unsigned long pages;

	si_meminfo(&info);
	pages = (unsigned long)info.totalram;
	if (!atomic_load(&limits.background))
		atomic_store(&limits.background, max(pages / 100 * BACKGROUND_PERCENT, 64ul));
	if (!atomic_load(&limits.dirty))
		atomic_store(&limits.dirty, max(pages / 100 * DIRTY_PERCENT, 128ul));
}

unsigned long cache_max_pages(void)
{
	return atomic_load_explicit(&limits.max, memory_order_relaxed);
}

static unsigned long background_limit(void)
{
	return min(atomic_load_explicit(&limits.background, memory_order_relaxed),
		   max(cache_max_pages() / 4, (unsigned long)LIMIT_LEAST / 2));
}

static unsigned long dirty_limit(void)
{
	return min(atomic_load_explicit(&limits.dirty, memory_order_relaxed),
		   max(cache_max_pages() / 2, (unsigned long)LIMIT_LEAST));
}

void sw_cache_set_limits(const struct sw_cache_limits *l)
{
	(void)cache_init();
	if (l->max_pages)
		atomic_store(&limits.max, l->max_pages);
	if (l->background_pages)
		atomic_store(&limits.background, l->background_pages);
	if (l->dirty_pages)
		atomic_store(&limits.dirty, l->dirty_pages);
	if (l->writeback_interval_ms)
		atomic_store(&limits.interval_ms, l->writeback_interval_ms);
	if (l->dirty_expire_ms)
		atomic_store(&limits.expire_ms, l->dirty_expire_ms);
	cache_enforce_limit();
}

void sw_cache_get_limits(struct sw_cache_limits *l)
{
	(void)cache_init();
	*l = (struct sw_cache_limits){
		.max_pages = atomic_load(&limits.max),
		.background_pages = atomic_load(&limits.background),
		.dirty_pages = atomic_load(&limits.dirty),
		.writeback_interval_ms = atomic_load(&limits.interval_ms),
		.dirty_expire_ms = atomic_load(&limits.expire_ms),
	};
}

/* ---- dirty ----------------------------------------------------------------------------------------- */

static void count_dirty(struct address_space *mapping, struct folio *folio, long nr)
{
	mod_node_state(folio_nid(folio), NR_FILE_DIRTY, nr);
	atomic_fetch_add_explicit(&mapping->bdi->nr_dirty, nr, memory_order_relaxed);
}

bool noop_dirty_folio(struct address_space *mapping, struct folio *folio)
{
	(void)mapping;
	return !folio_test(folio, PG_dirty) && !folio_test_set(folio, PG_dirty);
}

bool filemap_dirty_folio(struct address_space *mapping, struct folio *folio)
{
	long nr = (long)folio_nr_pages(folio);
	bool fresh = false;

	if (folio_test(folio, PG_dirty))
		return false;
	xa_lock(&mapping->i_pages);
	/* Not locked, perhaps: it may just have left the tree. */
	if (folio_mapping(folio) == mapping && !folio_test_set(folio, PG_dirty)) {
		__xa_set_mark(&mapping->i_pages, folio->index, PAGECACHE_TAG_DIRTY);
		count_dirty(mapping, folio, nr);
		fresh = true;
	}
	xa_unlock(&mapping->i_pages);
	if (!fresh)
		return false;
	mod_node_state(folio_nid(folio), NR_DIRTIED, nr);
	cache_count(CACHE_DIRTIED, (unsigned long)nr);
	if (mapping->host_ops && mapping->host_ops->dirtied)
		mapping->host_ops->dirtied(mapping);
	return true;
}

bool folio_mark_dirty(struct folio *folio)
{
	struct address_space *mapping = folio_mapping(folio);

	if (unlikely(!mapping))
		return !folio_test_set(folio, PG_dirty);
	if (mapping->a_ops && mapping->a_ops->dirty_folio)
		return mapping->a_ops->dirty_folio(mapping, folio);
	return filemap_dirty_folio(mapping, folio);
}

bool folio_clear_dirty_for_io(struct folio *folio)
{
	struct address_space *mapping = folio_mapping(folio);
	bool was;

	CACHE_BUG_ON(!folio_test_locked(folio));
	if (!mapping || !mapping_counts_dirty(mapping))
		return folio_test_clear(folio, PG_dirty);
	/* The next store through a mapping is to be noticed again. */
	if (atomic_load(&folio->_mapcount) && mapping->host_ops && mapping->host_ops->unmap)
		mapping->host_ops->unmap(mapping, folio->index, folio_nr_pages(folio));
	xa_lock(&mapping->i_pages);
	was = folio_test_clear(folio, PG_dirty);
	if (was)
		count_dirty(mapping, folio, -(long)folio_nr_pages(folio));
	xa_unlock(&mapping->i_pages);
	return was;
}

/* Under xa_lock and the folio's. */
void folio_account_cleaned(struct folio *folio, struct address_space *mapping)
{
	if (!folio_test_clear(folio, PG_dirty) || !mapping_counts_dirty(mapping))
		return;
	count_dirty(mapping, folio, -(long)folio_nr_pages(folio));
	__xa_clear_mark(&mapping->i_pages, folio->index, PAGECACHE_TAG_DIRTY);
}

/* ---- under write-back --------------------------------------------------------------------------------- */

static void count_writeback(struct address_space *mapping, struct folio *folio, long nr)
{
	mod_node_state(folio_nid(folio), NR_WRITEBACK, nr);
	atomic_fetch_add_explicit(&mapping->bdi->nr_writeback, nr, memory_order_relaxed);
}

void folio_start_writeback(struct folio *folio)
{
	struct address_space *mapping = folio_mapping(folio);

	CACHE_BUG_ON(!folio_test_locked(folio) || !mapping);
	xa_lock(&mapping->i_pages);
	if (!folio_test_set(folio, PG_writeback)) {
		count_writeback(mapping, folio, (long)folio_nr_pages(folio));
		if (!mapping_test(mapping, AS_NO_WRITEBACK_TAGS))
			__xa_set_mark(&mapping->i_pages, folio->index, PAGECACHE_TAG_WRITEBACK);
	}
	if (!folio_test(folio, PG_dirty))
		__xa_clear_mark(&mapping->i_pages, folio->index, PAGECACHE_TAG_DIRTY);
	__xa_clear_mark(&mapping->i_pages, folio->index, PAGECACHE_TAG_TOWRITE);
	xa_unlock(&mapping->i_pages);
	/* The cache's reference could go the moment the write is done: hold one until then. */
	folio_hold(folio);
}

void folio_end_writeback(struct folio *folio)
{
	struct address_space *mapping = folio_mapping(folio);
	long nr = (long)folio_nr_pages(folio);

	CACHE_BUG_ON(!folio_test_writeback(folio) || !mapping);
	/* Truncation and reclaim wait for, or pass by, what is under write-back: it is in the tree. */
	xa_lock(&mapping->i_pages);
	count_writeback(mapping, folio, -nr);
	__xa_clear_mark(&mapping->i_pages, folio->index, PAGECACHE_TAG_WRITEBACK);
	/* Inside: else a truncation could free the mapping under our feet. */
	mod_node_state(folio_nid(folio), NR_WRITTEN, nr);
	folio_clear_writeback(folio);
	xa_unlock(&mapping->i_pages);
	cache_count(CACHE_WRITTEN, (unsigned long)nr);
	if (unlikely(wait_active(&written_wq)))
		wake_up(&written_wq);
	folio_drop(folio);
}

/* ---- writing a range ------------------------------------------------------------------------------------- */

/* Tag what is dirty now, so that who dirties while we write does not keep us for ever. */
static void tag_for_writeback(struct address_space *mapping, pgoff_t index, pgoff_t end)
{
	xa_lock(&mapping->i_pages);
	for (void *entry = xa_find(&mapping->i_pages, &index, end, PAGECACHE_TAG_DIRTY); entry;
	     entry = xa_find_after(&mapping->i_pages, &index, end, PAGECACHE_TAG_DIRTY))
		__xa_set_mark(&mapping->i_pages, index, PAGECACHE_TAG_TOWRITE);
	xa_unlock(&mapping->i_pages);
}

/* A mark without its reason (a file system that never began write-back). Locked. */
static void settle_marks(struct address_space *mapping, struct folio *folio)
{
	xa_lock(&mapping->i_pages);
	if (!folio_test(folio, PG_dirty))
		__xa_clear_mark(&mapping->i_pages, folio->index, PAGECACHE_TAG_DIRTY);
	__xa_clear_mark(&mapping->i_pages, folio->index, PAGECACHE_TAG_TOWRITE);
	xa_unlock(&mapping->i_pages);
}

/* Locked: is it (still) ours to write? With WB_SYNC_ALL an older write of it is waited for. */
static bool ready_to_write(struct address_space *mapping, struct folio *folio,
			   struct writeback_control *wbc)
{
	if (folio_mapping(folio) != mapping)
		return false;
	if (!folio_test(folio, PG_dirty)) {
		settle_marks(mapping, folio);
		return false;
	}
	if (folio_test_writeback(folio)) {
		if (wbc->sync_mode == WB_SYNC_NONE)
			return false;
		folio_wait_writeback(folio);
	}
	return folio_clear_dirty_for_io(folio);
}

/* One folio. 0, or an error; unlocked in any case. */
static int write_folio(struct address_space *mapping, struct folio *folio,
		       struct writeback_control *wbc, writepage_t writepage, void *data)
{
	int err;

	folio_lock(folio);
	if (!ready_to_write(mapping, folio, wbc)) {
		folio_unlock(folio);
		return 0;
	}
	wbc->nr_to_write -= (long)folio_nr_pages(folio);
	err = writepage(folio, wbc, data);
	if (unlikely(err))
		mapping_set_error(mapping, err);
	return err;
}

int write_cache_pages(struct address_space *mapping, struct writeback_control *wbc,
		      writepage_t writepage, void *data)
{
	bool all = wbc->sync_mode == WB_SYNC_ALL || wbc->tagged_writepages;
	xa_mark_t tag = all ? PAGECACHE_TAG_TOWRITE : PAGECACHE_TAG_DIRTY;
	/* Two who write at once start at the same place: no harm. */
	pgoff_t start = wbc->range_cyclic ?
				__atomic_load_n(&mapping->writeback_index, __ATOMIC_RELAXED) :
				(pgoff_t)wbc->range_start >> PAGE_SHIFT;
	pgoff_t index = start;
	pgoff_t end = wbc->range_cyclic || wbc->range_end == MAX_LFS_FILESIZE ?
			      ~0UL :
			      (pgoff_t)wbc->range_end >> PAGE_SHIFT;
	bool again = wbc->range_cyclic && index;
	struct folio *folios[BATCH];
	int ret = 0;

	for (;;) {
		unsigned int nr, i;

		if (all)
			tag_for_writeback(mapping, index, end);
		do {
			nr = filemap_get_folios_filter(mapping, &index, end, tag, BATCH, folios);
			for (i = 0; i < nr; i++) {
				int err = 0;

				/* Enough, or (not syncing) an error: the rest is only put down. */
				if (all || (wbc->nr_to_write > 0 && !ret))
					err = write_folio(mapping, folios[i], wbc, writepage, data);
				else
					index = min(index, folios[i]->index);
				if (err && !ret)
					ret = err;
				folio_drop(folios[i]);
			}
		} while (nr == BATCH && index && index <= end &&
			 (all || (wbc->nr_to_write > 0 && !ret)));
		if (!again || wbc->nr_to_write <= 0 || ret)
			break;
		/* Cyclic: from the start to where we began. */
		again = false;
		end = start - 1;
		index = 0;
	}
	if (wbc->range_cyclic)
		__atomic_store_n(&mapping->writeback_index, wbc->nr_to_write > 0 ? 0 : index,
				 __ATOMIC_RELAXED);
	return ret;
}

static int call_writepage(struct folio *folio, struct writeback_control *wbc, void *data)
{
	struct address_space *mapping = data;

	return mapping->a_ops->writepage(folio_head_page(folio), wbc);
}

int do_writepages(struct address_space *mapping, struct writeback_control *wbc)
{
	if (wbc->nr_to_write <= 0 || !mapping->a_ops)
		return 0;
	if (mapping->a_ops->writepages)
		return mapping->a_ops->writepages(mapping, wbc);
	if (mapping->a_ops->writepage)
		return write_cache_pages(mapping, wbc, call_writepage, mapping);
	return 0;
}

/* ---- and waiting for it -------------------------------------------------------------------------------------- */

/* 0, or what happened since somebody last asked here. The open files' own account is wb_err. */
static int mapping_errors(struct address_space *mapping)
{
	unsigned long old = 0;

	if (mapping_test(mapping, AS_EIO) || mapping_test(mapping, AS_ENOSPC))
		old = atomic_fetch_and(&mapping->flags, ~(1UL << AS_EIO | 1UL << AS_ENOSPC));
	if (old & 1UL << AS_ENOSPC)
		return -ENOSPC;
	return old & 1UL << AS_EIO ? -EIO : 0;
}

static void wait_range(struct address_space *mapping, sw_loff_t start, sw_loff_t end)
{
	pgoff_t index = (pgoff_t)start >> PAGE_SHIFT;
	pgoff_t last = end == MAX_LFS_FILESIZE ? ~0UL : (pgoff_t)end >> PAGE_SHIFT;
	struct folio *folios[BATCH];
	unsigned int nr;

	if (end < start)
		return;
	do {
		nr = filemap_get_folios_filter(mapping, &index, last, PAGECACHE_TAG_WRITEBACK,
					       BATCH, folios);
		for (unsigned int i = 0; i < nr; i++) {
			folio_wait_writeback(folios[i]);
			folio_drop(folios[i]);
		}
	} while (nr == BATCH && index && index <= last);
}

int filemap_fdatawait_range(struct address_space *mapping, sw_loff_t start, sw_loff_t end)
{
	wait_range(mapping, start, end);
	return mapping_errors(mapping);
}

int filemap_fdatawrite_range(struct address_space *mapping, sw_loff_t start, sw_loff_t end)
{
	struct writeback_control wbc = { .sync_mode = WB_SYNC_ALL,
					 .nr_to_write = LONG_MAX,
					 .range_start = start,
					 .range_end = end };

	if (!xa_marked(&mapping->i_pages, PAGECACHE_TAG_DIRTY))
		return 0;
	return do_writepages(mapping, &wbc);
}

int filemap_write_and_wait_range(struct address_space *mapping, sw_loff_t start, sw_loff_t end)
{
	int err = 0, err2;

	if (end < start)
		return 0;
	if (atomic_load_explicit(&mapping->nrpages, memory_order_relaxed)) {
		err = filemap_fdatawrite_range(mapping, start, end);
		wait_range(mapping, start, end);
	}
	err2 = mapping_errors(mapping);
	return err ? err : err2;
}

/* ---- writers pay --------------------------------------------------------------------------------------------------- */

static unsigned long dirty_now(void)
{
	return global_node_state(NR_FILE_DIRTY) + global_node_state(NR_WRITEBACK);
}

/* Write some of this mapping, here and now: nobody else did. */
static void write_own(struct address_space *mapping, unsigned long nr)
{
	struct writeback_control wbc = { .sync_mode = WB_SYNC_NONE,
					 .nr_to_write = (long)nr,
					 .range_cyclic = true,
					 .range_end = MAX_LFS_FILESIZE };

	(void)do_writepages(mapping, &wbc);
}

static __attribute__((noinline)) void wait_below(struct address_space *mapping)
{
	struct backing_dev_info *bdi = mapping->bdi;

	for (int waits = 0; waits < WAITS_MOST; waits++) {
		unsigned long now = dirty_now(), limit = dirty_limit(), over;

		if (now <= limit)
			return;
		over = now - limit + limit / 4 + 1;
		if (!waits)
			cache_count(CACHE_THROTTLED, 1);
		if (bdi->start_writeback)
			bdi->start_writeback(bdi, over);
		if (dirty_now() <= limit)
			return;
		/* Nothing under way: the flusher is slow to start, or there is none. */
		if (!global_node_state(NR_WRITEBACK))
			write_own(mapping, over);
		wait_event_timeout(&written_wq, dirty_now() <= limit, WAIT_NS);
	}
}

void balance_dirty_pages_ratelimited(struct address_space *mapping)
{
	struct backing_dev_info *bdi = mapping->bdi;
	unsigned long now;

	if (!atomic_load_explicit(&bdi->nr_dirty, memory_order_relaxed))
		return;
	now = dirty_now();
	if (likely(now <= background_limit()))
		return;
	if (now > dirty_limit()) {
		wait_below(mapping);
		return;
	}
	if (bdi->start_writeback && !atomic_load_explicit(&bdi->nr_writeback, memory_order_relaxed))
		bdi->start_writeback(bdi, now - background_limit());
}
