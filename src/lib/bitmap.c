/* SPDX-License-Identifier: MIT */
/*
 * bitmap.c - arrays of unsigned long as sets of small numbers
 *
 * Room: lib. Bits at and past size in the last word may hold anything; they are never counted
 * or found.
 */

#include "lib/bitmap.h"

/* The bits of word w that belong to [from, end). */
static unsigned long word_mask(unsigned long w, unsigned long from, unsigned long end)
{
	unsigned long first = w * BITS_PER_LONG, mask = ~0UL;

	if (from > first)
		mask &= ~0UL << (from - first);
	if (end < first + BITS_PER_LONG)
		mask &= ~(~0UL << (end - first));
	return mask;
}

/* First bit of [from, size) that is set in map ^ invert. */
static inline unsigned long find_next(const unsigned long *map, unsigned long size,
				      unsigned long from, unsigned long invert)
{
	for (unsigned long w = from / BITS_PER_LONG; w * BITS_PER_LONG < size; w++) {
		unsigned long bits = (map[w] ^ invert) & word_mask(w, from, size);

		if (bits)
			return w * BITS_PER_LONG + __ffs(bits);
	}
	return size;
}

unsigned long find_next_bit(const unsigned long *map, unsigned long size, unsigned long from)
{
	return find_next(map, size, from, 0);
}

unsigned long find_next_zero_bit(const unsigned long *map, unsigned long size, unsigned long from)
{
	return find_next(map, size, from, ~0UL);
}

unsigned long bitmap_find_next_zero_area(const unsigned long *map, unsigned long size,
					 unsigned long from, unsigned long nr,
					 unsigned long align_mask)
{
	for (;;) {
		unsigned long start = find_next_zero_bit(map, size, from), taken;

		start = (start + align_mask) & ~align_mask;
		if (start >= size || nr > size - start)
			return size;
		taken = find_next_bit(map, start + nr, start);
		if (taken >= start + nr)
			return start;
		from = taken + 1;
	}
}

void bitmap_set(unsigned long *map, unsigned long start, unsigned long nr)
{
	unsigned long end = start + nr;

	for (unsigned long w = start / BITS_PER_LONG; w * BITS_PER_LONG < end; w++)
		map[w] |= word_mask(w, start, end);
}

void bitmap_clear(unsigned long *map, unsigned long start, unsigned long nr)
{
	unsigned long end = start + nr;

	for (unsigned long w = start / BITS_PER_LONG; w * BITS_PER_LONG < end; w++)
		map[w] &= ~word_mask(w, start, end);
}

unsigned long bitmap_weight(const unsigned long *map, unsigned long size)
{
	unsigned long weight = 0;

	for (unsigned long w = 0; w * BITS_PER_LONG < size; w++)
		weight += hweight64(map[w] & word_mask(w, 0, size));
	return weight;
}
