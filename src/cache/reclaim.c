/* SPDX-License-Identifier: MIT */
/*
 * reclaim.c - which folios go when memory is short or the cache is larger than it may be
 *
 * Room: cache. Comes from two sides:
 *
 *   the allocator's shrinker  in any thread that allocates, whatever it holds: only tries locks, drops only what is clean and
 *                             not mapped, starts no I/O, and does nothing without __GFP_FS
 *   cache_enforce_limit()     after an insertion, no lock of ours held: unmaps as well, and writes what is dirty
 *
 * A batch is taken off the old end of inactive with a reference each, looked at one by one, and what stays is put
 * back in front. What was removed from its tree by somebody else meanwhile must not be put back: it
 * is, and folio_release() takes it off (filemap.c).
 */

#include <pthread.h>

#include <slabwork/shrinker.h>

#include "cache/lru.h"
#include "cache/tree.h"
#include "lib/bitops.h"

#define BATCH 32

enum verdict { KEEP, KEEP_ACTIVE, GONE };

/* ---- one batch ---------------------------------------------------------------------------------- */

/* Active must not outgrow inactive: its oldest go there, and have to be touched again. Under lru_lock. */
static void refill_inactive(void)
{
	for (unsigned int i = 0;
	     i < BATCH && !list_empty(&cache_lru.active) &&
	     atomic_load(&cache_lru.nr_inactive) < atomic_load(&cache_lru.nr_active);
	     i++) {
		struct folio *folio = list_last_entry(&cache_lru.active, struct folio, lru);

		folio_clear(folio, PG_referenced);
		folio_set(folio, PG_workingset);
		lru_move(folio, false);
	}
}

/* Off the list, referenced. 0: none. False from @got: lru_lock was not to be had. */
static unsigned int isolate(struct folio **folios, bool may_wait)
{
	unsigned int nr = 0, looked = 0;

	if (!spin_lock_gfp(&cache_lru.lock, may_wait))
		return 0;
	refill_inactive();
	while (nr < BATCH && looked++ < 2 * BATCH && !list_empty(&cache_lru.inactive)) {
		struct folio *folio = list_last_entry(&cache_lru.inactive, struct folio, lru);

		/* Just being freed: folio_release() looks for PG_lru without the lock, so that must not go even for a moment. */
		if (!folio_try_get(folio)) {
			lru_move(folio, false);
			continue;
		}
		lru_take(folio);
		folios[nr++] = folio;
	}
	spin_unlock(&cache_lru.lock);
	return nr;
}

static void put_back(struct folio *folio, bool active)
{
	spin_lock(&cache_lru.lock);
	lru_put(folio, active);
	spin_unlock(&cache_lru.lock);
}

/* Locked, dirty: write it if the file system can write a single one. Unlocked on return. */
static void write_out(struct address_space *mapping, struct folio *folio)
{
	struct writeback_control wbc = { .sync_mode = WB_SYNC_NONE,
					 .nr_to_write = BATCH,
					 .range_end = MAX_LFS_FILESIZE,
					 .for_reclaim = true };
	int err;

	if (!mapping->a_ops->writepage || folio_test_writeback(folio) ||
	    !folio_clear_dirty_for_io(folio)) {
		folio_unlock(folio);
		return;
	}
	err = mapping->a_ops->writepage(folio_head_page(folio), &wbc);
	if (err)
		mapping_set_error(mapping, err);
}

/* Referenced, on no list. Unlocked on return. */
static enum verdict shrink_folio(struct folio *folio, bool may_wait, bool may_write)
{
	struct address_space *mapping;

	if (!folio_trylock(folio))
		return KEEP;
	mapping = folio_mapping(folio);
	if (!mapping) {
		folio_unlock(folio);
		return GONE;
	}
	if (atomic_load(&folio->_mapcount) && may_wait && mapping->host_ops &&
	    mapping->host_ops->unmap)
		mapping->host_ops->unmap(mapping, folio->index, folio_nr_pages(folio));
	if (folio_test_dirty(folio) && may_write) {
		write_out(mapping, folio);
		if (!folio_trylock(folio))
			return KEEP;
		if (folio_mapping(folio) != mapping) {
			folio_unlock(folio);
			return GONE;
		}
	}
	if (folio_try_remove(mapping, folio, true)) {
		folio_unlock(folio);
		return GONE;
	}
	folio_unlock(folio);
	return KEEP;
}

/* Pages that went. */
static unsigned long shrink_batch(bool may_wait, bool may_write, unsigned long *scanned)
{
	struct folio *folios[BATCH];
	unsigned int nr = isolate(folios, may_wait);
	unsigned long gone = 0;

	*scanned = 0;
	for (unsigned int i = 0; i < nr; i++) {
		unsigned long pages = folio_nr_pages(folios[i]);

		*scanned += pages;
		switch (shrink_folio(folios[i], may_wait, may_write)) {
		case GONE:
			gone += pages;
			break;
		case KEEP:
		case KEEP_ACTIVE:
			put_back(folios[i], false);
			break;
		}
		folio_drop(folios[i]);
	}
	if (gone)
		cache_count(CACHE_RECLAIM, gone);
	return gone;
}

unsigned long cache_shrink(unsigned long nr_pages, gfp_t gfp)
{
	bool may_write = (gfp & (__GFP_IO | __GFP_FS)) == (__GFP_IO | __GFP_FS);
	unsigned long gone = 0, scanned, total = 0, most = lru_pages();

	/* Once round clean pages, once more writing. */
	while (gone < nr_pages && total < 2 * most) {
		gone += shrink_batch(true, may_write && total >= most / 2, &scanned);
		if (!scanned)
			break;
		total += scanned;
	}
	return gone;
}

unsigned long sw_cache_reclaim(unsigned long nr_pages)
{
	return cache_shrink(nr_pages, GFP_KERNEL);
}

static __attribute__((noinline)) void enforce(unsigned long over)
{
	cache_shrink(over + min(cache_max_pages() / 16, (unsigned long)BATCH), GFP_KERNEL);
}

void cache_enforce_limit(void)
{
	unsigned long pages = lru_pages(), most = cache_max_pages();

	if (unlikely(pages > most))
		enforce(pages - most);
}

/* ---- the allocator's shrinker ----------------------------------------------------------------------- */

static unsigned long count(struct shrinker *s, struct shrink_control *sc)
{
	unsigned long nr = lru_pages();

	(void)s;
	(void)sc;
	return nr ? nr : SHRINK_EMPTY;
}

static unsigned long scan(struct shrinker *s, struct shrink_control *sc)
{
	unsigned long gone = 0, scanned, total = 0;

	(void)s;
	if (!(sc->gfp_mask & __GFP_FS))
		return SHRINK_STOP;
	while (total < sc->nr_to_scan) {
		gone += shrink_batch(false, false, &scanned);
		if (!scanned)
			break;
		total += scanned;
	}
	sc->nr_scanned = total;
	return total ? gone : SHRINK_STOP;
}

static struct shrinker shrinker = {
	.count_objects = count,
	.scan_objects = scan,
	.seeks = DEFAULT_SEEKS,
	.flags = SHRINKER_NONSLAB,
};

/*
 * lru_lock is held over fork(), so that the lists are whole in the child. What another thread had locked of one file
 * (a folio, i_pages) stays locked there: only the file it was at.
 */
static void fork_prepare(void)
{
	spin_lock(&cache_lru.lock);
}

static void fork_parent(void)
{
	spin_unlock(&cache_lru.lock);
}

static void fork_child(void)
{
	spin_lock_init(&cache_lru.lock);
}

int reclaim_init(void)
{
	int err = pthread_atfork(fork_prepare, fork_parent, fork_child);

	if (err)
		return -err;
	return register_shrinker(&shrinker, "page-cache");
}
