/* SPDX-License-Identifier: MIT */
/*
 * truncate.c - pages leave because the file does not have them any more
 *
 * Room: cache. The caller has set i_size and holds i_rwsem and invalidate_lock for writing, so nobody adds
 * folios to read past the end meanwhile; writers are kept out by i_rwsem. Who already holds a
 * reference of a folio that goes keeps bytes that were the file's.
 *
 * A folio that lies in the range whole is taken out; one at an edge is zeroed where it is cut, and split if whole pages
 * of it go (split.c).
 */

#include "cache/lru.h"
#include "cache/tree.h"
#include "lib/bitops.h"

#define BATCH 32

/* Locked, ours, not under write-back: out of the tree. */
void truncate_inode_folio(struct address_space *mapping, struct folio *folio)
{
	if (atomic_load(&folio->_mapcount) && mapping->host_ops && mapping->host_ops->unmap)
		mapping->host_ops->unmap(mapping, folio->index, folio_nr_pages(folio));
	if (folio_test_private(folio) && mapping->a_ops->invalidate_folio)
		mapping->a_ops->invalidate_folio(folio, 0, folio_bytes(folio));
	filemap_remove_folio(folio);
}

/* [start, end) bytes: the folio goes, or part of it. Locked here. */
static void truncate_one(struct address_space *mapping, struct folio *folio, sw_loff_t start,
			 sw_loff_t end)
{
	folio_lock(folio);
	if (folio_mapping(folio) == mapping) {
		folio_wait_writeback(folio);
		if (folio->index >= whole_pages_from(start) &&
		    folio_next_index(folio) <= whole_pages_to(end))
			truncate_inode_folio(mapping, folio);
		else
			truncate_inode_partial_folio(mapping, folio, start, end);
	}
	folio_unlock(folio);
}

/* Shadows say nothing about a page that is gone. */
static void drop_shadows(struct address_space *mapping, pgoff_t index, pgoff_t last)
{
	if (xa_empty(&mapping->i_pages) || mapping_test(mapping, AS_UNEVICTABLE))
		return;
	xa_lock(&mapping->i_pages);
	for (void *entry = xa_find(&mapping->i_pages, &index, last, XA_PRESENT); entry;
	     entry = xa_find(&mapping->i_pages, &index, last, XA_PRESENT)) {
		if (xa_is_value(entry)) {
			__xa_erase(&mapping->i_pages, index);
			shadow_count(-1);
		}
		if (index++ >= last)
			break;
	}
	xa_unlock(&mapping->i_pages);
}

void truncate_inode_pages_range(struct address_space *mapping, sw_loff_t lstart, sw_loff_t lend)
{
	sw_loff_t end = lend < 0 || lend == MAX_LFS_FILESIZE ? MAX_LFS_FILESIZE : lend + 1;
	pgoff_t index = (pgoff_t)lstart >> PAGE_SHIFT;
	pgoff_t last = end == MAX_LFS_FILESIZE ? ~0UL : (pgoff_t)(end - 1) >> PAGE_SHIFT;
	pgoff_t whole = whole_pages_from(lstart);
	struct folio *folios[BATCH];
	unsigned int nr;

	if (lstart >= end || xa_empty(&mapping->i_pages))
		return;
	do {
		nr = filemap_get_folios_filter(mapping, &index, last, XA_PRESENT, BATCH, folios);
		for (unsigned int i = 0; i < nr; i++) {
			truncate_one(mapping, folios[i], lstart, end);
			folio_drop(folios[i]);
		}
	} while (nr == BATCH && index && index <= last);
	if (last == ~0UL || whole <= last)
		drop_shadows(mapping, whole, last);
}

void truncate_inode_pages(struct address_space *mapping, sw_loff_t lstart)
{
	truncate_inode_pages_range(mapping, lstart, -1);
}

void truncate_inode_pages_final(struct address_space *mapping)
{
	mapping_set(mapping, AS_EXITING);
	/* Reclaim may hold a folio's lock and be about to leave a shadow: one round more sees it. */
	while (!xa_empty(&mapping->i_pages)) {
		truncate_inode_pages_range(mapping, 0, -1);
		drop_shadows(mapping, 0, ~0UL);
	}
	/* Who took a folio out may still be inside xa_lock. */
	xa_lock(&mapping->i_pages);
	xa_unlock(&mapping->i_pages);
}

/* ---- invalidate: what can go, goes; what is dirty stays --------------------------------------------- */

/* Locked. Clean, unmapped, nobody's but the cache's and ours: out. */
bool folio_try_remove(struct address_space *mapping, struct folio *folio, bool leave_shadow)
{
	void *shadow = NULL;

	if (folio_test_dirty(folio) || folio_test_writeback(folio) ||
	    atomic_load(&folio->_mapcount))
		return false;
	if (folio_test_private(folio) &&
	    !(mapping->a_ops->release_folio && mapping->a_ops->release_folio(folio, GFP_NOWAIT)))
		return false;
	xa_lock(&mapping->i_pages);
	if (!folio_freeze(folio, 2)) {
		xa_unlock(&mapping->i_pages);
		return false;
	}
	if (folio_test_dirty(folio)) { /* by somebody who has dropped his reference since */
		folio_unfreeze(folio, 2);
		xa_unlock(&mapping->i_pages);
		return false;
	}
	if (leave_shadow && !mapping_test(mapping, AS_EXITING))
		shadow = workingset_eviction(folio);
	__filemap_remove_folio(folio, shadow);
	xa_unlock(&mapping->i_pages);
	lru_del(folio);
	if (mapping->a_ops->free_folio)
		mapping->a_ops->free_folio(folio);
	/* Ours now, with the cache's reference gone. */
	folio_unfreeze(folio, 1);
	return true;
}

unsigned long invalidate_mapping_pages(struct address_space *mapping, pgoff_t start, pgoff_t end)
{
	struct folio *folios[BATCH];
	unsigned long gone = 0;
	unsigned int nr;

	if (mapping_test(mapping, AS_UNEVICTABLE))
		return 0;
	do {
		nr = filemap_get_folios_filter(mapping, &start, end, XA_PRESENT, BATCH, folios);
		for (unsigned int i = 0; i < nr; i++) {
			struct folio *folio = folios[i];
			unsigned long pages = folio_nr_pages(folio);

			if (folio_trylock(folio)) {
				if (folio_mapping(folio) == mapping &&
				    folio_try_remove(mapping, folio, false))
					gone += pages;
				folio_unlock(folio);
			}
			folio_drop(folio);
		}
	} while (nr == BATCH && start && start <= end);
	return gone;
}

int invalidate_inode_pages2_range(struct address_space *mapping, pgoff_t start, pgoff_t end)
{
	struct folio *folios[BATCH];
	unsigned int nr;
	int err = 0;

	if (mapping_test(mapping, AS_UNEVICTABLE))
		return mapping->nrpages ? -EBUSY : 0;
	do {
		nr = filemap_get_folios_filter(mapping, &start, end, XA_PRESENT, BATCH, folios);
		for (unsigned int i = 0; i < nr; i++) {
			struct folio *folio = folios[i];

			if (folio_test_dirty(folio))
				(void)filemap_write_and_wait_range(
					mapping, folio_pos(folio),
					folio_pos(folio) + (sw_loff_t)(folio_bytes(folio) - 1));
			folio_lock(folio);
			folio_wait_writeback(folio);
			if (folio_mapping(folio) == mapping) {
				if (atomic_load(&folio->_mapcount) && mapping->host_ops &&
				    mapping->host_ops->unmap)
					mapping->host_ops->unmap(mapping, folio->index,
								 folio_nr_pages(folio));
				if (!folio_try_remove(mapping, folio, false))
					err = -EBUSY;
			}
			folio_unlock(folio);
			folio_drop(folio);
		}
	} while (nr == BATCH && start && start <= end);
	return err;
}
