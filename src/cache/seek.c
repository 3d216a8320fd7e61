/* SPDX-License-Identifier: MIT */
/*
 * seek.c - SEEK_DATA and SEEK_HOLE by what is cached: for stores whose cache is all there is
 *
 * Room: cache. A page that is cached and uptodate is data, every other a hole; the end of the file is one.
 */

#include <errno.h>
#include <unistd.h>

#include "cache/lru.h"
#include "cache/tree.h"
#include "lib/bitops.h"

/* The first page from @index to @last that is data (@want) or is not; @last + 1: none. RCU held. */
static pgoff_t next_such(struct address_space *mapping, pgoff_t index, pgoff_t last, bool want)
{
	while (index <= last) {
		pgoff_t found = index;
		struct folio *folio = xa_find(&mapping->i_pages, &found, last, XA_PRESENT);
		bool data = folio && !xa_is_value(folio) && folio_test_uptodate(folio);

		if (!folio)
			return want ? last + 1 : index;
		if (found > index && !want)
			return index;
		if (data == want)
			return found;
		index = found + 1;
	}
	return last + 1;
}

sw_loff_t mapping_seek_hole_data(struct address_space *mapping, sw_loff_t start, sw_loff_t end,
				 int whence)
{
	pgoff_t index = (pgoff_t)start >> PAGE_SHIFT, last = (pgoff_t)(end - 1) >> PAGE_SHIFT, next;

	if (start < 0 || start >= end)
		return -ENXIO;
	rcu_read_lock();
	next = next_such(mapping, index, last, whence == SEEK_DATA);
	rcu_read_unlock();
	if (next > last)
		return whence == SEEK_DATA ? -ENXIO : end;
	return next == index ? start : (sw_loff_t)next << PAGE_SHIFT;
}
