/* SPDX-License-Identifier: MIT */
/*
 * split.c - a large folio that is cut gives back what is cut off
 *
 * Room: cache. A folio is halved until each piece lies in the hole whole, and goes, or beside it, and stays: at most two
 * pieces of each order are left of it, so the rest of a huge page stays as large as can be.
 *
 *   order 3, hole ▒:  [        ▒▒▒▒▒▒      ]
 *                     [        ][▒▒▒▒▒▒    ]           halve
 *                               [▒▒▒▒][▒▒  ]           the left one goes, halve the right one
 *                                     [▒▒][  ]
 *
 * One halving, under xa_lock: the count is frozen, so nobody has a reference or gets one; removals is odd, so who reads
 * without one looks again; the tree shows the upper half in its place (no index is ever seen empty); then the
 * memmap is told (folio_halve()), and both get a reference of the cache's and one of the caller's. Frozen it also leaves the LRU,
 * for both to go back as they are: before that reclaim may just have it in hand, and would put it back while it is cut.
 *
 * It may fail at any step: somebody holds the folio, or the tree has no memory for a node. What was halved so far is as
 * good as any folios; the pages that could not be given back read as zeros.
 *
 * Differs from Linux: folios of the shared pool are not split (their pieces may be mapped), nor those with private data.
 */

#include "cache/bug.h"
#include "cache/lru.h"
#include "cache/tree.h"
#include "lib/bitops.h"

/* What the upper half does not inherit. */
#define FLAGS_NOT_KEPT (1u << PG_readahead | 1u << PG_error)

/* Before anybody can see it; its count is 0 until it is whole. */
static void upper_init(struct folio *upper, struct address_space *mapping, pgoff_t index)
{
	atomic_store_explicit(&upper->_refcount, 0, memory_order_relaxed);
	atomic_store_explicit(&upper->_mapcount, 0, memory_order_relaxed);
	atomic_store_explicit(&upper->wait_seq, 0, memory_order_relaxed);
	upper->index = index;
	atomic_store_explicit(&upper->mapping, mapping, memory_order_release);
}

static bool may_split(const struct folio *folio)
{
	return folio_test_large(folio) &&
	       !(folio_test(folio, PG_pool) || folio_test_private(folio) ||
		 folio_test_writeback(folio) || atomic_load(&((struct folio *)folio)->_mapcount));
}

struct folio *split_folio(struct address_space *mapping, struct folio *folio)
{
	unsigned long half = folio_nr_pages(folio) / 2;
	struct folio *upper = folio + half;
	int err;

	CACHE_BUG_ON(!folio_test_locked(folio) || folio_mapping(folio) != mapping);
	if (!may_split(folio))
		return NULL;
	xa_lock(&mapping->i_pages);
	if (!folio_freeze(folio, 2)) {
		xa_unlock(&mapping->i_pages);
		return NULL;
	}
	upper_init(upper, mapping, folio->index + half);
	write_seqcount_begin(&mapping->removals);
	err = __xa_halve(&mapping->i_pages, folio->index, upper, GFP_ATOMIC | __GFP_NOWARN);
	if (!err) {
		lru_del(folio);
		CACHE_BUG_ON(folio_halve(folio) != upper);
		atomic_fetch_and(&upper->flags, ~FLAGS_NOT_KEPT);
	}
	write_seqcount_end(&mapping->removals);
	if (!err)
		folio_unfreeze(upper, 2);
	folio_unfreeze(folio, 2);
	xa_unlock(&mapping->i_pages);
	return err ? NULL : upper;
}

/* Zero what of the folio lies in [start, end) bytes. */
static void zero_part(struct address_space *mapping, struct folio *folio, sw_loff_t start,
		      sw_loff_t end)
{
	sw_loff_t pos = folio_pos(folio), size = (sw_loff_t)folio_bytes(folio);
	sw_loff_t from = max(start - pos, (sw_loff_t)0), to = min(end - pos, size);

	if (from >= to)
		return;
	if (folio_test_uptodate(folio))
		folio_zero_range(folio, (size_t)from, (size_t)(to - from));
	if (folio_test_private(folio) && mapping->a_ops->invalidate_folio)
		mapping->a_ops->invalidate_folio(folio, (size_t)from, (size_t)(to - from));
}

/*
 * [start, end) bytes go as far as they are of the folio, which is locked and stays so; @off: what stays of it goes back on the LRU.
 * Calls itself at most once for each order.
 */
static void carve(struct address_space *mapping, struct folio *folio, sw_loff_t start,
		  sw_loff_t end, bool off)
{
	pgoff_t first = whole_pages_from(start), last = whole_pages_to(end);

	while (folio->index < last && folio_next_index(folio) > first) {
		struct folio *upper;

		if (folio->index >= first && folio_next_index(folio) <= last) {
			truncate_inode_folio(mapping, folio);
			return;
		}
		upper = split_folio(mapping, folio);
		if (!upper)
			break;
		off = !mapping_test(mapping, AS_UNEVICTABLE);
		carve(mapping, upper, start, end, off);
		folio_unlock(upper);
		folio_drop(upper);
	}
	zero_part(mapping, folio, start, end);
	if (off)
		lru_add(folio, NULL);
}

void truncate_inode_partial_folio(struct address_space *mapping, struct folio *folio,
				  sw_loff_t start, sw_loff_t end)
{
	carve(mapping, folio, start, end, false);
}
