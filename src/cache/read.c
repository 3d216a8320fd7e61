/* SPDX-License-Identifier: MIT */
/*
 * read.c - from the cache to the user
 *
 * Room: cache. Door: filemap_read(), filemap_read_hit().
 *
 * A hit takes no lock and no reference: hit.h. The slow path looks up with a reference, starts readahead on a miss,
 * fills and waits.
 *
 * i_size is read after the folio is known to be uptodate, so that a page that a truncation is just
 * zeroing is not returned as bytes of the file.
 */

#include "cache/hit.h"
#include "cache/lru.h"
#include "cache/pool.h"

/* ---- hits --------------------------------------------------------------------------------------- */

/* It takes a reference and a lock. Still there? Else it is not ours to touch. */
void hit_touch(struct address_space *mapping, pgoff_t index, struct folio *folio)
{
	if (!folio_try_get(folio))
		return;
	if (tree_folio(mapping, index) == folio)
		folio_mark_accessed(folio);
	folio_drop(folio);
}

size_t hit_rest(struct address_space *mapping, sw_loff_t pos, char *to, size_t len, size_t done)
{
	while (done < len) {
		size_t n = hit_copy(mapping, pos + (sw_loff_t)done, to + done, len - done);

		if (unlikely(!n))
			break;
		done += n;
	}
	return done;
}

ssize_t filemap_read_hit(struct address_space *mapping, sw_loff_t pos, void *buf, size_t len)
{
	return hit_read(mapping, pos, buf, len);
}

static inline sw_loff_t size_of(struct address_space *mapping)
{
	return atomic_load_explicit(&mapping->i_size, memory_order_acquire);
}

/* ---- filling -------------------------------------------------------------------------------------- */

/* Ask the file system; it unlocks. */
static int call_read(struct file *file, struct address_space *mapping, struct folio *folio)
{
	const struct address_space_operations *ops = mapping->a_ops;

	cache_count(CACHE_READ_CALL, 1);
	cache_count(CACHE_READ_PAGE, folio_nr_pages(folio));
	folio_clear(folio, PG_error);
	if (pool_lost(mapping))
		ops = NULL;
	if (ops && ops->read_folio)
		return ops->read_folio(file, folio);
	if (ops && ops->readpage)
		return ops->readpage(file, folio_head_page(folio));
	folio_unlock(folio);
	return -EIO;
}

int filemap_read_folio(struct file *file, struct address_space *mapping, struct folio *folio)
{
	int err = call_read(file, mapping, folio);

	if (err)
		return err;
	folio_wait_locked(folio);
	return folio_test_uptodate(folio) ? 0 : -EIO;
}

/*
 * A missing page that readahead did not bring: one folio. With a reference. NULL: @below_size, and the page is not: looked
 * at under invalidate_lock, which is held until the folio is filled, so no truncation comes in between.
 */
static struct folio *create_and_read(struct file *file, struct address_space *mapping,
				     pgoff_t index, bool below_size)
{
	struct folio *folio = filemap_alloc_folio(mapping, mapping->gfp_mask, 0);
	int err;

	if (!folio)
		return ERR_PTR(-ENOMEM);
	down_read(&mapping->invalidate_lock);
	if (below_size && (sw_loff_t)index << PAGE_SHIFT >= size_of(mapping)) {
		up_read(&mapping->invalidate_lock);
		folio_drop(folio);
		return NULL;
	}
	err = filemap_add_folio(mapping, folio, index, mapping->gfp_mask & ~__GFP_FS);
	if (!err)
		err = filemap_read_folio(file, mapping, folio);
	up_read(&mapping->invalidate_lock);
	if (!err)
		return folio;
	folio_drop(folio);
	return ERR_PTR(err);
}

/* The folio left its place while we waited for it. */
#define LOOK_AGAIN 1

/* Wait until the folio is uptodate, or make it so. 0, LOOK_AGAIN, -errno. The reference stays. */
static int make_uptodate(struct file *file, struct address_space *mapping, struct folio *folio,
			 pgoff_t index, bool nowait)
{
	int err;

	if (folio_test_uptodate(folio))
		return 0;
	if (nowait)
		return -EAGAIN;
	down_read(&mapping->invalidate_lock);
	cache_count(CACHE_MISS, 1);
	folio_lock(folio);
	if (!folio_is_at(folio, mapping, index)) {
		folio_unlock(folio);
		err = LOOK_AGAIN;
	} else if (folio_test_uptodate(folio)) {
		folio_unlock(folio);
		err = 0;
	} else {
		err = filemap_read_folio(file, mapping, folio);
	}
	up_read(&mapping->invalidate_lock);
	return err;
}

static void start_readahead(struct kiocb *iocb, struct address_space *mapping, pgoff_t index,
			    struct folio *folio, size_t count)
{
	struct readahead_control rac = {
		.file = iocb->ki_filp, .mapping = mapping, .ra = iocb->ki_ra, .index = index
	};
	unsigned long pages = (((size_t)iocb->ki_pos & (PAGE_SIZE - 1)) + count + PAGE_SIZE - 1) >>
			      PAGE_SHIFT;

	if (!iocb->ki_ra)
		return;
	if (folio)
		page_cache_async_ra(&rac, folio, pages);
	else
		page_cache_sync_ra(&rac, pages);
}

/* The uptodate folio at the iocb's position, referenced; NULL: there is none, a hole. 0, PAST_END, -errno. */
#define PAST_END 1

static int get_uptodate(struct kiocb *iocb, struct address_space *mapping, size_t count,
			struct folio **foliop)
{
	pgoff_t index = (pgoff_t)iocb->ki_pos >> PAGE_SHIFT;
	bool nowait = iocb->ki_flags & IOCB_NOWAIT;
	struct folio *folio;
	int err;

	for (;;) {
		folio = tree_get(mapping, index);
		if (!folio) {
			*foliop = NULL;
			if (mapping_test(mapping, AS_HOLES_ARE_ZERO))
				return 0;
			if (nowait)
				return -EAGAIN;
			start_readahead(iocb, mapping, index, NULL, count);
			folio = tree_get(mapping, index);
		}
		if (!folio) {
			cache_count(CACHE_MISS, 1);
			folio = create_and_read(iocb->ki_filp, mapping, index, true);
			if (!folio)
				return PAST_END;
			if (folio == ERR_PTR(-EEXIST))
				continue;
			if (IS_ERR(folio))
				return (int)PTR_ERR(folio);
			*foliop = folio;
			return 0;
		}
		if (folio_test(folio, PG_readahead) && !nowait)
			start_readahead(iocb, mapping, index, folio, count);
		err = make_uptodate(iocb->ki_filp, mapping, folio, index, nowait);
		if (!err) {
			*foliop = folio;
			return 0;
		}
		folio_drop(folio);
		if (err != LOOK_AGAIN)
			return err;
	}
}

/* ---- filemap_read() --------------------------------------------------------------------------------- */

/* As much of the current buffer as is cached. */
static size_t read_hits(struct address_space *mapping, sw_loff_t pos, struct iov_iter *iter,
			sw_loff_t size)
{
	size_t done = 0;

	if (!HITS_WITHOUT_REFERENCE)
		return 0;
	rcu_read_lock();
	while (iter->count && pos + (sw_loff_t)done < size) {
		size_t n = min(iter->iov->iov_len - iter->iov_offset, iter->count);

		if (!n) { /* an empty buffer, or a used one */
			iter->iov++;
			iter->nr_segs--;
			iter->iov_offset = 0;
			continue;
		}
		n = (size_t)min((sw_loff_t)n, size - pos - (sw_loff_t)done);
		n = hit_copy(mapping, pos + (sw_loff_t)done,
			     (char *)iter->iov->iov_base + iter->iov_offset, n);
		if (!n)
			break;
		iter->iov_offset += n;
		iter->count -= n;
		done += n;
	}
	rcu_read_unlock();
	return done;
}

/* One folio's worth, or a hole's page. Bytes, 0: end of file, -errno. */
static ssize_t read_slowly(struct kiocb *iocb, struct address_space *mapping, struct iov_iter *iter)
{
	struct folio *folio;
	size_t offset, n;
	sw_loff_t size;
	int err;

	err = get_uptodate(iocb, mapping, iter->count, &folio);
	if (err)
		return err == PAST_END ? 0 : err;
	size = size_of(mapping);
	offset = folio ? offset_in_folio(folio, iocb->ki_pos) :
			 (size_t)iocb->ki_pos & (PAGE_SIZE - 1);
	n = min(iter->count, (folio ? folio_bytes(folio) : PAGE_SIZE) - offset);
	if (iocb->ki_pos >= size)
		n = 0;
	else
		n = (size_t)min((sw_loff_t)n, size - iocb->ki_pos);
	if (!folio)
		return (ssize_t)iov_iter_zero(n, iter);
	n = copy_to_iter((const char *)folio_addr(folio) + offset, n, iter);
	/* Reading on in the same page is no second touch. */
	if (!mapping_test(mapping, AS_UNEVICTABLE) &&
	    (!offset || !iocb->ki_ra ||
	     __atomic_load_n(&iocb->ki_ra->prev_pos, __ATOMIC_RELAXED) != iocb->ki_pos))
		folio_mark_accessed(folio);
	folio_drop(folio);
	return (ssize_t)n;
}

ssize_t filemap_read(struct kiocb *iocb, struct iov_iter *iter, ssize_t already_read)
{
	struct address_space *mapping = iocb->ki_mapping;
	ssize_t ret = 0;

	if (unlikely(iocb->ki_pos < 0))
		return -EINVAL;
	while (iter->count) {
		sw_loff_t size = size_of(mapping);
		size_t n;

		if (iocb->ki_pos >= size)
			break;
		n = read_hits(mapping, iocb->ki_pos, iter, size);
		if (!n) {
			ret = read_slowly(iocb, mapping, iter);
			cache_enforce_limit();
			if (ret <= 0)
				break;
			n = (size_t)ret;
		}
		iocb->ki_pos += (sw_loff_t)n;
		already_read += (ssize_t)n;
		if (iocb->ki_ra)
			__atomic_store_n(&iocb->ki_ra->prev_pos, iocb->ki_pos, __ATOMIC_RELAXED);
	}
	if (mapping->host_ops && mapping->host_ops->accessed)
		mapping->host_ops->accessed(iocb->ki_filp);
	return already_read ? already_read : ret;
}

ssize_t generic_file_read_iter(struct kiocb *iocb, struct iov_iter *iter)
{
	struct address_space *mapping = iocb->ki_mapping;
	ssize_t done = 0;

	if (!iter->count)
		return 0;
	if (iocb->ki_flags & IOCB_DIRECT && mapping->a_ops->direct_IO) {
		int err = filemap_write_and_wait_range(mapping, iocb->ki_pos,
						       iocb->ki_pos + (sw_loff_t)iter->count - 1);

		if (err)
			return err;
		done = mapping->a_ops->direct_IO(iocb, iter);
		if (done < 0 || !iter->count)
			return done;
	}
	return filemap_read(iocb, iter, done);
}

struct folio *read_cache_folio(struct address_space *mapping, pgoff_t index, struct file *file)
{
	struct folio *folio;
	int err;

	for (;;) {
		folio = tree_get(mapping, index);
		if (!folio)
			folio = create_and_read(file, mapping, index, false);
		if (IS_ERR(folio)) {
			if (PTR_ERR(folio) == -EEXIST)
				continue;
			return folio;
		}
		err = make_uptodate(file, mapping, folio, index, false);
		if (!err) {
			folio_mark_accessed(folio);
			return folio;
		}
		folio_drop(folio);
		if (err != LOOK_AGAIN)
			return ERR_PTR(err);
	}
}
