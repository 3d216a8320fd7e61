/* SPDX-License-Identifier: MIT */
#ifndef CACHE_CACHE_H
#define CACHE_CACHE_H

/*
 * cache.h - what the files of the page cache say to each other
 *
 * Room: cache. Public half: <slabwork/fs/pagemap.h>. Life of a folio and locks: docs/FILES.md §5, §7.
 */

#include <slabwork/fs/pagemap.h>

/*
 * Once, from address_space_init() and vfs's fs_init(): sw_fs_memmap, the shrinker, default limits.
 * Cheap when done. 0 or -ENOMEM.
 */
int cache_init(void);

/* ---- counters: per CPU id, summed by sw_cache_stats(); a hit counts nothing ---- */

enum cache_event {
	CACHE_MISS,
	CACHE_READ_CALL,
	CACHE_READ_PAGE,
	CACHE_RA_SYNC,
	CACHE_RA_ASYNC,
	CACHE_RA_PAGE,
	CACHE_REFAULT,
	CACHE_ACTIVATE,
	CACHE_RECLAIM,
	CACHE_DIRTIED,
	CACHE_WRITTEN,
	CACHE_THROTTLED,
	NR_CACHE_EVENTS
};
void cache_count(enum cache_event event, unsigned long n);

/* ---- filemap.c ---- */

/* Under i_pages.xa_lock and the folio's lock: leaves @shadow (NULL or a value) in its place. */
void __filemap_remove_folio(struct folio *folio, void *shadow);
/* The folio at index or NULL, no reference: the caller is in rcu_read_lock(). Shadows are NULL. */
struct folio *filemap_peek(struct address_space *mapping, pgoff_t index);
/* Set the count from @expected to 0, so that no look-up can take the folio any more. */
bool folio_freeze(struct folio *folio, int expected);
void folio_unfreeze(struct folio *folio, int count);
/* Fill a locked folio through read_folio or readpage and wait for it. Unlocks. 0, -EIO, AOP's -errno. */
int filemap_read_folio(struct file *file, struct address_space *mapping, struct folio *folio);

/* ---- swap.c: LRU lists (the cache's, not a zone's) ---- */

/* New in the cache; @shadow: what lay in its place (refault?). */
void lru_add(struct folio *folio, void *shadow);
/* Leaves the cache. Any context that may take lru_lock. */
void lru_del(struct folio *folio);
/* What to leave behind. */
void *workingset_eviction(struct folio *folio);

/* ---- reclaim.c ---- */

/* Bring the evictable pages down to max_pages after an insertion. No lock of ours is held. */
void cache_enforce_limit(void);
unsigned long cache_shrink(unsigned long nr_pages, gfp_t gfp);

/* ---- split.c ---- */

/*
 * Locked; the caller has one reference and holds i_rwsem and invalidate_lock for writing. The upper half as a folio of its own, locked
 * and with a reference for the caller as well; NULL: not now (somebody else holds one, no memory for the tree, of the pool,
 * private, under write-back). Off the LRU: the caller puts back on it what stays.
 */
struct folio *split_folio(struct address_space *mapping, struct folio *folio);
/*
 * [start, end) bytes of a locked folio go, which lie in it at least in part: zeroed; whole pages are given back if it can be
 * split. Locks and references as split_folio(). The folio stays locked; it may have left the cache, or be smaller.
 */
void truncate_inode_partial_folio(struct address_space *mapping, struct folio *folio,
				  sw_loff_t start, sw_loff_t end);
/* The pages that lie in [start, end) bytes whole: from … to, without it. MAX_LFS_FILESIZE is the end of all. */
static inline pgoff_t whole_pages_from(sw_loff_t start)
{
	return ((pgoff_t)start + PAGE_SIZE - 1) >> PAGE_SHIFT;
}

static inline pgoff_t whole_pages_to(sw_loff_t end)
{
	return end == MAX_LFS_FILESIZE ? ~0UL : (pgoff_t)end >> PAGE_SHIFT;
}

/* truncate.c: locked, ours, not under write-back: out of the cache. */
void truncate_inode_folio(struct address_space *mapping, struct folio *folio);

/* ---- page-writeback.c ---- */

/* A folio leaves the tree, or its tail is cut off, dirty: takes the mark and the counts back. */
void folio_account_cleaned(struct folio *folio, struct address_space *mapping);

#endif /* CACHE_CACHE_H */
