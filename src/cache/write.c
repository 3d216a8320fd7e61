/* SPDX-License-Identifier: MIT */
/*
 * write.c - from the user into the cache
 *
 * Room: cache. F40: for each folio write_begin (find or make it, ready to be copied into), copy, write_end (size, dirty,
 * unlock). The source is touched before the folio is locked. What is copied is what write_end() is told,
 * so a short copy never shows bytes that nobody wrote.
 *
 * Locks: the caller holds i_rwsem for writing; one folio lock at a time, from write_begin to write_end.
 */

#include "cache/hit.h"
#include "cache/lru.h"
#include "cache/pool.h"

/* The most that one write_begin is asked for: a folio of the largest order. */
#define WRITE_CHUNK (PAGE_SIZE << 9)

static size_t chunk_at(const struct address_space *mapping, sw_loff_t pos, size_t count)
{
	size_t chunk = mapping_test(mapping, AS_LARGE_FOLIO) ? WRITE_CHUNK : PAGE_SIZE;

	return min(count, chunk - ((size_t)pos & (chunk - 1)));
}

/* One folio's worth. Bytes, or -errno. */
static ssize_t write_one(struct kiocb *iocb, struct iov_iter *iter)
{
	struct address_space *mapping = iocb->ki_mapping;
	const struct address_space_operations *ops = mapping->a_ops;
	size_t bytes = chunk_at(mapping, iocb->ki_pos, iter->count), offset, copied;
	struct folio *folio;
	void *fsdata = NULL;
	int err, accepted;

	if (pool_lost(mapping))
		return -EIO;
	fault_in_iov_iter_readable(iter, bytes);
	err = ops->write_begin(iocb->ki_filp, mapping, iocb->ki_pos, (unsigned int)bytes, &folio,
			       &fsdata);
	if (err)
		return err;
	offset = offset_in_folio(folio, iocb->ki_pos);
	bytes = min(bytes, folio_bytes(folio) - offset);
	copied = copy_from_iter((char *)folio_addr(folio) + offset, bytes, iter);
	accepted = ops->write_end(iocb->ki_filp, mapping, iocb->ki_pos, (unsigned int)bytes,
				  (unsigned int)copied, folio, fsdata);
	if (accepted < 0)
		iov_iter_revert(iter, copied);
	else if ((size_t)accepted < copied)
		iov_iter_revert(iter, copied - (size_t)accepted);
	return accepted;
}

/* The bytes are there already, and nothing but the bytes will change: no lock, no reference (hit.h). Bytes; 0: the long way. */
static inline size_t overwrite(struct kiocb *iocb, struct iov_iter *iter)
{
	struct address_space *mapping = iocb->ki_mapping;
	sw_loff_t left =
		atomic_load_explicit(&mapping->i_size, memory_order_relaxed) - iocb->ki_pos;
	size_t n;
	char *to;

	if (left <= 0)
		return 0;
	n = min(iter->count, (size_t)left);
	to = hit_overwrite(mapping, iocb->ki_pos, &n);
	return to ? copy_from_iter(to, n, iter) : 0;
}

ssize_t generic_perform_write(struct kiocb *iocb, struct iov_iter *iter)
{
	struct address_space *mapping = iocb->ki_mapping;
	bool in_place = mapping_test(mapping, AS_OVERWRITE_IN_PLACE);
	ssize_t written = 0, n = 0;

	if (unlikely(!mapping->a_ops || !mapping->a_ops->write_begin))
		return -EINVAL;
	while (iter->count) {
		if (in_place) {
			n = (ssize_t)overwrite(iocb, iter);
			if (likely(n)) {
				iocb->ki_pos += n;
				written += n;
				continue;
			}
		}
		n = write_one(iocb, iter);
		if (unlikely(n <= 0)) {
			if (n < 0)
				break;
			continue;
		}
		iocb->ki_pos += n;
		written += n;
		if (mapping_test(mapping, AS_UNEVICTABLE))
			continue;
		cache_enforce_limit();
		balance_dirty_pages_ratelimited(mapping);
	}
	return written ? written : n;
}

/* ---- for file systems whose folios need no more than to be read ---------------------------------- */

/* Zero what of the folio is neither uptodate nor about to be written. */
static void zero_around(struct folio *folio, size_t from, size_t to)
{
	size_t size = folio_bytes(folio);

	if (from)
		folio_zero_range(folio, 0, from);
	if (to < size)
		folio_zero_range(folio, to, size - to);
}

static bool has_read(const struct address_space *mapping)
{
	return mapping->a_ops->read_folio || mapping->a_ops->readpage;
}

#define HUGE_ORDER 9

unsigned int mapping_write_order(const struct address_space *mapping, sw_loff_t pos, size_t len)
{
	const sw_loff_t huge = (sw_loff_t)PAGE_SIZE << HUGE_ORDER;
	sw_loff_t size = atomic_load_explicit(&((struct address_space *)mapping)->i_size,
					      memory_order_relaxed);

	if (!len || !mapping_test(mapping, AS_LARGE_FOLIO))
		return 0;
	/* A few bytes in a hole get no huge page: a sparse file may have many such holes. */
	if (!(pos & (huge - 1)) && size >= 4 * huge &&
	    (pos == size || (pos < size && (sw_loff_t)len >= huge / 4)))
		return HUGE_ORDER;
	return min(get_order(((size_t)pos & ~PAGE_MASK) + len), (unsigned int)HUGE_ORDER);
}

int simple_write_begin(struct file *file, struct address_space *mapping, sw_loff_t pos,
		       unsigned int len, struct folio **foliop, void **fsdata)
{
	unsigned int order = mapping_write_order(mapping, pos, len);
	pgoff_t index = (pgoff_t)pos >> PAGE_SHIFT;
	struct folio *folio;
	size_t from, to;
	int err;

	(void)fsdata;
	for (;;) {
		folio = __filemap_get_folio(mapping, index,
					    FGP_LOCK | FGP_CREAT | FGP_WRITE |
						    fgf_set_order(PAGE_SIZE << order),
					    mapping->gfp_mask);
		if (IS_ERR(folio))
			return (int)PTR_ERR(folio);
		*foliop = folio;
		if (folio_test_uptodate(folio))
			return 0;
		from = offset_in_folio(folio, pos);
		to = min(folio_bytes(folio), from + len);
		if (to - from == folio_bytes(folio))
			return 0;
		if (!has_read(mapping) ||
		    folio_pos(folio) >=
			    atomic_load_explicit(&mapping->i_size, memory_order_acquire)) {
			zero_around(folio, from, to);
			return 0;
		}
		err = filemap_read_folio(file, mapping, folio);
		folio_drop(folio);
		if (err)
			return err;
	}
}

int simple_write_end(struct file *file, struct address_space *mapping, sw_loff_t pos,
		     unsigned int len, unsigned int copied, struct folio *folio, void *fsdata)
{
	sw_loff_t end = pos + copied;

	(void)file;
	(void)fsdata;
	if (!folio_test_uptodate(folio)) {
		if (copied < len)
			folio_zero_range(folio, offset_in_folio(folio, pos) + copied, len - copied);
		folio_mark_uptodate(folio);
	}
	/* i_rwsem is held: nobody else changes it. */
	if (end > atomic_load_explicit(&mapping->i_size, memory_order_relaxed))
		atomic_store_explicit(&mapping->i_size, end, memory_order_release);
	folio_mark_dirty(folio);
	folio_unlock(folio);
	folio_drop(folio);
	return (int)copied;
}
