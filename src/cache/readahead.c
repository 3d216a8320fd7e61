/* SPDX-License-Identifier: MIT */
/*
 * readahead.c - fetch the pages that will be asked for next
 *
 * Room: cache. A window is [start, start + size) pages; its last async_size are asked for before they are needed: the
 * folio where they begin has PG_readahead, and reading it starts the next window.
 *
 *   |<------------ size ------------>|
 *   |            |<-- async_size --->|
 *   start        ▲ PG_readahead
 *
 *   begin of file, or page after the last read     a window of twice what was asked for, rounded up
 *   marker reached, or the page after the window   the next one, twice as large, up to ra_pages
 *   anywhere else                                  just what was asked for; the window is forgotten
 *
 * Folios grow with the window where the file system takes large ones. Nothing is read past the end of
 * the file, nothing is waited for, and no cached page is dropped for it.
 *
 * Locks: invalidate_lock shared, while folios are added and handed to the file system.
 */

#include "cache/lru.h"
#include "cache/tree.h"
#include "lib/bitops.h"

/* A window's folios are an eighth of it: the marker's folio must not be most of the window. */
#define ORDER_LESS 3

void file_ra_state_init(struct file_ra_state *ra, struct address_space *mapping)
{
	*ra = (struct file_ra_state){ .ra_pages = (unsigned int)mapping->bdi->ra_pages,
				      .prev_pos = -1 };
}

/* ---- handing out ------------------------------------------------------------------------------------ */

struct folio *readahead_folio(struct readahead_control *rac)
{
	struct folio *folio;

	rac->index += rac->batch_count;
	rac->nr_pages -= rac->batch_count;
	rac->batch_count = 0;
	if (!rac->nr_pages)
		return NULL;
	/* Locked by us, so it is there; the reference that added it is the callee's now. */
	folio = xa_load(&rac->mapping->i_pages, rac->index);
	rac->batch_count = (unsigned int)folio_nr_pages(folio);
	return folio;
}

/* What the file system did not take: not in the cache, so that a read asks again. */
static void drop_rest(struct readahead_control *rac)
{
	struct folio *folio;

	while ((folio = readahead_folio(rac))) {
		filemap_remove_folio(folio);
		folio_unlock(folio);
		folio_drop(folio);
	}
}

/* Pages [rac->index, + rac->nr_pages) are in the cache, locked: to the file system with them. */
static void submit(struct readahead_control *rac)
{
	const struct address_space_operations *ops = rac->mapping->a_ops;
	struct folio *folio;

	if (!rac->nr_pages)
		return;
	cache_count(CACHE_READ_PAGE, rac->nr_pages);
	cache_count(CACHE_RA_PAGE, rac->nr_pages);
	if (ops->readahead) {
		cache_count(CACHE_READ_CALL, 1);
		ops->readahead(rac);
		drop_rest(rac);
	} else {
		while ((folio = readahead_folio(rac))) {
			cache_count(CACHE_READ_CALL, 1);
			if (ops->read_folio)
				(void)ops->read_folio(rac->file, folio);
			else
				(void)ops->readpage(rac->file, folio_head_page(folio));
			folio_drop(folio);
		}
	}
	rac->index += rac->batch_count;
	rac->nr_pages = 0;
	rac->batch_count = 0;
}

/* A folio of up to @order at @index, in the cache. Its pages, 0: one is there, -ENOMEM. */
static long add_folio(struct readahead_control *rac, pgoff_t index, pgoff_t end, unsigned int order,
		      pgoff_t mark)
{
	struct address_space *mapping = rac->mapping;
	gfp_t gfp = (mapping->gfp_mask & ~__GFP_FS) | __GFP_NOWARN | __GFP_NORETRY;
	struct folio *folio = NULL;
	int err;

	order = mapping_fit_order(mapping, index, order);
	while (order && index + (1UL << order) > end)
		order--;
	for (;; order--) {
		folio = filemap_alloc_folio(mapping, gfp, order);
		if (!folio) {
			if (!order)
				return -ENOMEM;
			continue;
		}
		err = filemap_add_folio(mapping, folio, index, gfp);
		if (!err)
			break;
		folio_drop(folio);
		if (!order)
			return err == -EEXIST ? 0 : -ENOMEM;
	}
	if (mark - index < 1UL << order)
		folio_set(folio, PG_readahead);
	return 1L << order;
}

/*
 * Read what of [@index, @end) is not there, runs of pages at a time; @mark: page whose folio gets PG_readahead.
 * The file's end cuts it short.
 */
static void read_range(struct readahead_control *rac, pgoff_t index, pgoff_t end,
		       unsigned int order, pgoff_t mark)
{
	unsigned int nofs = memalloc_nofs_save();
	sw_loff_t size;

	down_read(&rac->mapping->invalidate_lock);
	/* Under the lock: a truncation that is done has said so in i_size. */
	size = atomic_load_explicit(&rac->mapping->i_size, memory_order_acquire);
	end = min(end, ((pgoff_t)size + PAGE_SIZE - 1) >> PAGE_SHIFT);
	rac->index = index;
	rac->nr_pages = 0;
	rac->batch_count = 0;
	while (index < end) {
		long nr = add_folio(rac, index, end, order, mark);

		if (nr < 0)
			break;
		if (nr) {
			index += (pgoff_t)nr;
			rac->nr_pages += (unsigned int)nr;
			continue;
		}
		/* Something is there: what came before it goes off, then past it. */
		submit(rac);
		index++;
		rac->index = index;
	}
	submit(rac);
	up_read(&rac->mapping->invalidate_lock);
	memalloc_nofs_restore(nofs);
}

/* ---- windows -------------------------------------------------------------------------------------------- */

static unsigned int round_up_pow2(unsigned long n)
{
	return n <= 1 ? 1 : 1u << (64 - __builtin_clzl(n - 1));
}

static unsigned int first_window(unsigned long req, unsigned int most)
{
	unsigned long size = round_up_pow2(req);

	size *= size <= most / 32 ? 4 : size <= most / 4 ? 2 : 1;
	return (unsigned int)min(size, (unsigned long)most);
}

static unsigned int next_window(unsigned int size, unsigned int most)
{
	return min(size < most / 16 ? size * 4 : size * 2, most);
}

/*
 * Threads that read through one open file share its window and take no lock for it: each decides on a copy,
 * and the last to write it back wins.
 */
static struct file_ra_state window_load(const struct file_ra_state *ra)
{
	return (struct file_ra_state){
		.start = __atomic_load_n(&ra->start, __ATOMIC_RELAXED),
		.size = __atomic_load_n(&ra->size, __ATOMIC_RELAXED),
		.async_size = __atomic_load_n(&ra->async_size, __ATOMIC_RELAXED),
		.ra_pages = __atomic_load_n(&ra->ra_pages, __ATOMIC_RELAXED),
		.prev_pos = __atomic_load_n(&ra->prev_pos, __ATOMIC_RELAXED),
	};
}

static void window_store(struct file_ra_state *ra, const struct file_ra_state *window)
{
	__atomic_store_n(&ra->start, window->start, __ATOMIC_RELAXED);
	__atomic_store_n(&ra->size, window->size, __ATOMIC_RELAXED);
	__atomic_store_n(&ra->async_size, window->async_size, __ATOMIC_RELAXED);
}

static void read_window(struct readahead_control *rac, const struct file_ra_state *ra)
{
	unsigned int order = ra->size >= 1u << (ORDER_LESS + 1) ?
				     (unsigned int)fls(ra->size) - 1 - ORDER_LESS :
				     0;
	pgoff_t mark = ra->async_size ? ra->start + ra->size - ra->async_size : ~0UL;

	read_range(rac, ra->start, ra->start + ra->size, order, mark);
}

void page_cache_sync_ra(struct readahead_control *rac, unsigned long req)
{
	struct file_ra_state window = window_load(rac->ra), *ra = &window;
	pgoff_t index = rac->index, prev;
	unsigned int most = ra->ra_pages;

	if (!most)
		return;
	cache_count(CACHE_RA_SYNC, 1);
	req = max(req, 1ul);
	prev = ra->prev_pos < 0 ? ~0UL : (pgoff_t)ra->prev_pos >> PAGE_SHIFT;
	if (ra->size && index == ra->start + ra->size) {
		ra->start += ra->size;
		ra->size = next_window(ra->size, most);
		ra->async_size = ra->size;
	} else if (!index || index == prev || index == prev + 1 || req > most) {
		ra->start = index;
		ra->size = first_window(req, most);
		ra->async_size = ra->size > req ? ra->size - (unsigned int)req : ra->size;
	} else {
		ra->start = index;
		ra->size = 0;
		ra->async_size = 0;
		window_store(rac->ra, ra);
		read_range(rac, index, index + req, 0, ~0UL);
		return;
	}
	/* All of it is still to be read: the marker would be where the reader stands. */
	if (ra->async_size == ra->size)
		ra->async_size = ra->size - min((unsigned int)req, ra->size - 1);
	window_store(rac->ra, ra);
	read_window(rac, ra);
}

void page_cache_async_ra(struct readahead_control *rac, struct folio *folio, unsigned long req)
{
	struct file_ra_state window = window_load(rac->ra), *ra = &window;
	unsigned int most = ra->ra_pages;
	pgoff_t mark = ra->start + ra->size - ra->async_size;

	if (!most || folio_test_writeback(folio))
		return;
	if (!folio_test_clear(folio, PG_readahead))
		return;
	cache_count(CACHE_RA_ASYNC, 1);
	if (ra->size && folio_contains(folio, mark)) {
		ra->start += ra->size;
		ra->size = next_window(ra->size, most);
	} else {
		/* Another reader's marker: from the first page that is missing. */
		pgoff_t next = rac->index + 1;

		rcu_read_lock();
		while (next - rac->index <= most && tree_folio(rac->mapping, next))
			next++;
		rcu_read_unlock();
		if (next - rac->index > most)
			return;
		ra->start = next;
		ra->size = next_window(
			(unsigned int)min(next - rac->index + req, (unsigned long)most), most);
	}
	ra->async_size = ra->size;
	window_store(rac->ra, ra);
	read_window(rac, ra);
}

int force_page_cache_readahead(struct address_space *mapping, struct file *file, pgoff_t index,
			       unsigned long nr)
{
	struct file_ra_state ra = { .ra_pages = 0 };
	struct readahead_control rac = { .file = file, .mapping = mapping, .ra = &ra };
	/* In pieces, so that invalidate_lock is not held for long. */
	unsigned long piece = max(mapping->bdi->ra_pages, 32ul);

	if (!mapping->a_ops || (!mapping->a_ops->readahead && !mapping->a_ops->read_folio &&
				!mapping->a_ops->readpage))
		return -EINVAL;
	while (nr) {
		unsigned long n = min(nr, piece);

		read_range(&rac, index, index + n, 0, ~0UL);
		index += n;
		nr -= n;
	}
	return 0;
}
