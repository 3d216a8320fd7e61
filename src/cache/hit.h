/* SPDX-License-Identifier: MIT */
#ifndef CACHE_HIT_H
#define CACHE_HIT_H

/*
 * hit.h - reads and writes that find all they need in one folio, inline
 *
 * Room: cache. Door for vfs, whose calls are a few nanoseconds long: filemap_read_hit() and filemap_write_hit() are
 * these with a call around them. Nothing here takes a lock or a reference, or counts anything.
 *
 * A read runs in an RCU section:
 *
 *   removals even? ──▶ tree walk ──▶ uptodate? ──▶ copy ──▶ removals unchanged? yes: these were the file's bytes
 *
 * The folio may be dropped, freed and somebody else's while we copy; then removals has moved before its last
 * reference went (C3 of filemap.c), and the copy is done again by the slow path, with a reference. The
 * memory itself stays mapped, whoever owns it. ThreadSanitizer cannot know that: its builds go slow.
 *
 * A write (AS_OVERWRITE_IN_PLACE) holds i_rwsem for writing: so does whoever takes folios out of such a mapping or moves
 * them elsewhere, and the last iput() waits for it. The folio is dirty and stays so; nothing is written back.
 */

#include <errno.h>
#include <string.h>

#include "cache/copy.h"
#include "cache/tree.h"
#include "lib/bitops.h"

#ifdef COPIES_UNSEEN
#define HITS_WITHOUT_REFERENCE 0
#else
#define HITS_WITHOUT_REFERENCE 1
#endif

/* read.c: a second touch, which is rare. */
void hit_touch(struct address_space *mapping, pgoff_t index, struct folio *folio);
/* read.c: what lies in several folios, @done bytes of which are copied. All of them, or fewer: not a hit. */
size_t hit_rest(struct address_space *mapping, sw_loff_t pos, char *to, size_t len, size_t done);

/* Does a read that begins at @offset say something new to the LRU? See swap.c. */
static inline bool hit_wants_touch(const struct address_space *mapping, unsigned int flags,
				   size_t offset)
{
	if (likely(mapping_test(mapping, AS_UNEVICTABLE)))
		return false;
	return !(flags & 1u << PG_referenced) || !(flags & 1u << PG_active || offset);
}

#define HIT_SMALL 64

/* Pages: copy.c. A few bytes without a call: from both ends towards the middle, 16 at a time. */
static inline void hit_copy_bytes(char *to, const char *from, size_t n)
{
	if (n > HIT_SMALL || n < 16) {
		if (n >= COPY_WIDE_LEAST && n <= COPY_WIDE_MOST && copy_wide_words)
			copy_wide(to, from, n);
		else
			memcpy(to, from, n);
		return;
	}
	if (n > 32) {
		memcpy(to + 16, from + 16, 16);
		memcpy(to + n - 32, from + n - 32, 16);
	}
	memcpy(to, from, 16);
	memcpy(to + n - 16, from + n - 16, 16);
}

/* Where @pos lies in its folio, whose flags are @flags; *@len is cut to what the folio has. */
static inline size_t hit_offset(const struct folio *folio, unsigned int flags, sw_loff_t pos,
				size_t *len)
{
	size_t size = flags & 1u << PG_head ? PAGE_SIZE << folio->order : PAGE_SIZE;
	size_t offset = (size_t)pos & (size - 1);

	if (unlikely(*len > size - offset))
		*len = size - offset;
	return offset;
}

/* Copy what the folio at @pos has of [@pos, @pos + @len). 0: not a hit. Below i_size; RCU held. */
static inline __attribute__((always_inline)) size_t hit_copy(struct address_space *mapping,
							     sw_loff_t pos, char *to, size_t len)
{
	pgoff_t index = (pgoff_t)pos >> PAGE_SHIFT;
	uint32_t seq = raw_seqcount_begin(&mapping->removals);
	struct folio *folio = tree_folio(mapping, index);
	unsigned int flags;
	size_t offset;

	if (unlikely(!folio || seq & 1))
		return 0;
	flags = atomic_load_explicit(&folio->flags, memory_order_acquire);
	if (unlikely((flags & (1u << PG_uptodate | 1u << PG_readahead)) != 1u << PG_uptodate))
		return 0;
	offset = hit_offset(folio, flags, pos, &len);
	hit_copy_bytes(to, (const char *)folio_addr(folio) + offset, len);
	if (unlikely(read_seqcount_retry(&mapping->removals, seq)))
		return 0;
	if (unlikely(hit_wants_touch(mapping, flags, offset)))
		hit_touch(mapping, index, folio);
	return len;
}

/* Are there @len bytes at @pos below @size? No sum that could overflow; a negative @pos is a large one. */
static inline bool hit_within(sw_loff_t pos, size_t len, sw_loff_t size)
{
	return (uint64_t)pos <= (uint64_t)size && len <= (uint64_t)size - (uint64_t)pos;
}

/* filemap_read_hit(). */
static inline ssize_t hit_read(struct address_space *mapping, sw_loff_t pos, void *buf, size_t len)
{
	size_t done;

	if (!HITS_WITHOUT_REFERENCE ||
	    unlikely(!hit_within(pos, len,
				 atomic_load_explicit(&mapping->i_size, memory_order_acquire))))
		return -EAGAIN;
	done = hit_copy(mapping, pos, buf, len);
	if (unlikely(done < len) && (!done || hit_rest(mapping, pos, buf, len, done) < len))
		return -EAGAIN;
	/* A truncation that zeroes the tail of a folio sets the size first. */
	if (unlikely(!hit_within(pos, len,
				 atomic_load_explicit(&mapping->i_size, memory_order_acquire))))
		return -EAGAIN;
	return (ssize_t)len;
}

/*
 * Where to write over what is there at @pos, below i_size; *@len is cut to what the folio has. NULL: the long way.
 * i_rwsem held for writing.
 */
static inline char *hit_overwrite(struct address_space *mapping, sw_loff_t pos, size_t *len)
{
	const unsigned int ready = 1u << PG_uptodate | 1u << PG_dirty;
	pgoff_t index = (pgoff_t)pos >> PAGE_SHIFT;
	struct folio *folio = tree_folio(mapping, index);
	unsigned int flags;

	if (unlikely(!folio))
		return NULL;
	flags = atomic_load_explicit(&folio->flags, memory_order_acquire);
	if (unlikely((flags & ready) != ready))
		return NULL;
	/*
	 * A fault may move it into the pool, where only a reference holds it off; and what has the flags of
	 * a folio in the pool may be another's by now: ours stays where it is.
	 */
	if (unlikely(mapping_test(mapping, AS_SHARED_POOL)) &&
	    (!(flags & 1u << PG_pool) || tree_folio(mapping, index) != folio))
		return NULL;
	return (char *)folio_addr(folio) + hit_offset(folio, flags, pos, len);
}

/* filemap_write_hit(). */
static inline ssize_t hit_write(struct address_space *mapping, sw_loff_t pos, const void *buf,
				size_t len)
{
	size_t n = len;
	char *to;

	if (unlikely(!hit_within(pos, len,
				 atomic_load_explicit(&mapping->i_size, memory_order_relaxed))))
		return -EAGAIN;
	to = hit_overwrite(mapping, pos, &n);
	if (unlikely(!to || n < len))
		return -EAGAIN;
	if (HITS_WITHOUT_REFERENCE)
		hit_copy_bytes(to, buf, len);
	else
		file_copy(to, buf, len);
	return (ssize_t)len;
}

#endif /* CACHE_HIT_H */
