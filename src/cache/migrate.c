/* SPDX-License-Identifier: MIT */
/*
 * migrate.c - one folio takes over from another: contents, flags, place
 *
 * Room: cache. For the shared pool (a file becomes mappable). Both are locked, @src is mapped nowhere.
 * @src's count is frozen while the tree changes, so nobody can have got it by a look-up; who looked it up before
 * and holds a reference makes it EAGAIN. Readers without a reference see removals move and look again.
 */

#include <errno.h>
#include <string.h>

#include "cache/bug.h"
#include "cache/lru.h"
#include "cache/tree.h"

/* What @dst inherits. */
#define FLAGS_KEPT                                                                        \
	(1u << PG_referenced | 1u << PG_uptodate | 1u << PG_dirty | 1u << PG_workingset | \
	 1u << PG_private | 1u << PG_error)

/* Under xa_lock, @src frozen. */
static void take_place(struct address_space *mapping, struct folio *dst, struct folio *src)
{
	unsigned long nr = folio_nr_pages(src);
	int err;

	dst->index = src->index;
	dst->private = src->private;
	atomic_fetch_or(&dst->flags, atomic_load(&src->flags) & FLAGS_KEPT);
	atomic_store_explicit(&dst->mapping, mapping, memory_order_release);
	folio_hold(dst);
	write_seqcount_begin(&mapping->removals);
	err = __xa_replace(&mapping->i_pages, src->index, src, dst);
	write_seqcount_end(&mapping->removals);
	CACHE_BUG_ON(err);
	if (folio_nid(src) != folio_nid(dst)) {
		mod_node_state(folio_nid(src), NR_FILE_PAGES, -(long)nr);
		mod_node_state(folio_nid(dst), NR_FILE_PAGES, (long)nr);
	}
	/* Dirtiness went over uncounted: the mark stayed, the counts are by page. */
	folio_clear(src, PG_dirty);
	folio_clear(src, PG_private);
	src->private = NULL;
	atomic_store_explicit(&src->mapping, NULL, memory_order_release);
}

int filemap_migrate_folio(struct address_space *mapping, struct folio *dst, struct folio *src)
{
	bool on_lru, active;

	CACHE_BUG_ON(!folio_test_locked(dst) || !folio_test_locked(src));
	if (folio_mapping(src) != mapping || folio_nr_pages(dst) != folio_nr_pages(src) ||
	    folio_test_writeback(src) || atomic_load(&src->_mapcount))
		return -EAGAIN;
	xa_lock(&mapping->i_pages);
	/* The cache's and the caller's. Frozen first: whoever pins it writes to it, and we copy. */
	if (!folio_freeze(src, 2)) {
		xa_unlock(&mapping->i_pages);
		return -EAGAIN;
	}
	/* Not before: reclaim may have had it in hand. */
	on_lru = folio_test(src, PG_lru);
	active = folio_test(src, PG_active);
	memcpy(folio_addr(dst), folio_addr(src), folio_bytes(src));
	take_place(mapping, dst, src);
	xa_unlock(&mapping->i_pages);
	lru_del(src);
	if (on_lru) {
		lru_add(dst, NULL);
		if (active)
			folio_set(dst, PG_referenced);
	}
	folio_unfreeze(src, 1);
	return 0;
}
