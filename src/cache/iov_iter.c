/* SPDX-License-Identifier: MIT */
/*
 * iov_iter.c - copying to and from the caller's buffers
 *
 * Room: cache. The buffers are memory of this process: a bad one is a fault in the caller, so nothing
 * here can come back short for any other reason than that the iterator is at its end.
 */

#include "cache/cache.h"
#include "cache/copy.h"
#include "lib/bitops.h"

void iov_iter_advance(struct iov_iter *i, size_t bytes)
{
	bytes = min(bytes, i->count);
	i->count -= bytes;
	while (bytes) {
		size_t room = i->iov->iov_len - i->iov_offset;

		if (bytes <= room) {
			i->iov_offset += bytes;
			return;
		}
		bytes -= room;
		i->iov++;
		i->nr_segs--;
		i->iov_offset = 0;
	}
}

void iov_iter_revert(struct iov_iter *i, size_t bytes)
{
	i->count += bytes;
	while (bytes > i->iov_offset) {
		bytes -= i->iov_offset;
		i->iov--;
		i->nr_segs++;
		i->iov_offset = i->iov->iov_len;
	}
	i->iov_offset -= bytes;
}

/* What the current segment offers, at most @bytes; skips empty ones. 0: the end. */
static size_t segment(struct iov_iter *i, size_t bytes, char **at)
{
	size_t room;

	while (i->count && i->iov_offset >= i->iov->iov_len) {
		i->iov++;
		i->nr_segs--;
		i->iov_offset = 0;
	}
	if (!i->count)
		return 0;
	room = min(i->iov->iov_len - i->iov_offset, i->count);
	*at = (char *)i->iov->iov_base + i->iov_offset;
	return min(room, bytes);
}

static inline void moved(struct iov_iter *i, size_t n)
{
	i->iov_offset += n;
	i->count -= n;
}

size_t copy_to_iter(const void *from, size_t bytes, struct iov_iter *i)
{
	size_t done = 0, n;
	char *at;

	while (done < bytes && (n = segment(i, bytes - done, &at))) {
		file_copy(at, (const char *)from + done, n);
		moved(i, n);
		done += n;
	}
	return done;
}

size_t copy_from_iter(void *to, size_t bytes, struct iov_iter *i)
{
	size_t done = 0, n;
	char *at;

	while (done < bytes && (n = segment(i, bytes - done, &at))) {
		file_copy((char *)to + done, at, n);
		moved(i, n);
		done += n;
	}
	return done;
}

size_t iov_iter_zero(size_t bytes, struct iov_iter *i)
{
	size_t done = 0, n;
	char *at;

	while (done < bytes && (n = segment(i, bytes - done, &at))) {
		memset(at, 0, n);
		moved(i, n);
		done += n;
	}
	return done;
}

void fault_in_iov_iter_readable(const struct iov_iter *iter, size_t bytes)
{
	struct iov_iter i = *iter;
	size_t n;
	char *at;

	/* The copy of a single buffer: iov points into the original still, which is fine to read. */
	while (bytes && (n = segment(&i, bytes, &at))) {
		const volatile char *p = at, *last = at + n - 1;

		for (; p < last; p = (char *)(((uintptr_t)p | (PAGE_SIZE - 1)) + 1))
			(void)*p;
		(void)*last;
		moved(&i, n);
		bytes -= n;
	}
}
