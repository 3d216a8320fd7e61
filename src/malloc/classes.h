/* SPDX-License-Identifier: MIT */
#ifndef MALLOC_CLASSES_H
#define MALLOC_CLASSES_H

/*
 * classes.h - which cache a size goes to
 *
 * Room: malloc. Eight classes a doubling, sixteen bytes apart up to 256; about a
 * twentieth of an object is rounding on average. Much of what programs ask for is a
 * power of two and a little more (a page and its header, a buffer and its length), which
 * the next power of two, or a quarter above it, would waste. From 1 KiB up the
 * sizes are what 30, 28 … 4 objects leave each other of a largest slab (32 KiB), so that
 * a slab has no tail; between 4 and 8 KiB there are only four such sizes. Measured in
 * docs/decisions (malloc classes). Every size is a multiple of 16 and slabs start on a
 * page, so every object is aligned to 16.
 *
 * The table is one byte for each 16 bytes of size, 513 in all: no branch and no
 * arithmetic beyond a shift, and a program that asks for few sizes touches few
 * of its eight cache lines.
 */

#include <slabwork/general.h>

#define MALLOC_ALIGN       16UL
#define MALLOC_ALIGN_SHIFT 4
#define MALLOC_CACHE_MAX   8192UL
#define MALLOC_NR_STEPS    (MALLOC_CACHE_MAX / MALLOC_ALIGN + 1)
#define MALLOC_NR_CLASSES  58

#define MALLOC_GFP (GFP_KERNEL | __GFP_NOWARN)

/* What a request may be at most: pointer differences must not overflow. */
#define MALLOC_MAX ((size_t)PTRDIFF_MAX)

/* Above the caches of objects: caches of page blocks, four a doubling; one tag for each page count. */
#define MALLOC_BLOCK_MAX        (1UL << 20)
#define MALLOC_NR_BLOCK_STEPS   (MALLOC_BLOCK_MAX >> PAGE_SHIFT)
#define MALLOC_NR_BLOCK_CLASSES 26

#define SW_HIDDEN __attribute__((visibility("hidden")))

/* The tag of the cache for (n + 15) >> 4; 0 until the caches stand. */
extern SW_HIDDEN unsigned char malloc_tag[MALLOC_NR_STEPS];
/* The tag of the block cache for (n - 1) >> PAGE_SHIFT, n above MALLOC_CACHE_MAX; 0: none. */
extern SW_HIDDEN unsigned char malloc_block_tag[MALLOC_NR_BLOCK_STEPS];
/* Object size by tag; 0 for tags of other caches. */
extern SW_HIDDEN unsigned int malloc_tag_size[256];
/* A copy of sw_fast_general that needs no GOT; before boot every check on it fails. */
extern SW_HIDDEN struct sw_fast malloc_fast;

/* Make the caches, once; any number of threads. False: not yet (the boot itself calls us). */
SW_HIDDEN bool malloc_boot(void);

/* The cache for @n <= MALLOC_CACHE_MAX bytes: the exact class, or a larger one if that is missing. */
SW_HIDDEN struct kmem_cache *malloc_cache_for(size_t n);

/* The block cache for MALLOC_CACHE_MAX < @n <= MALLOC_BLOCK_MAX; NULL: none. */
SW_HIDDEN struct kmem_cache *malloc_block_cache_for(size_t n);

extern const SW_HIDDEN unsigned short malloc_class_sizes[MALLOC_NR_CLASSES]; /* ascending */
/* The class for (n + 15) >> 4; filled at boot. */
extern SW_HIDDEN unsigned char malloc_class[MALLOC_NR_STEPS];

/* Bytes of the class for @n <= MALLOC_CACHE_MAX. After malloc_boot(). */
static inline size_t malloc_class_size(size_t n)
{
	return malloc_class_sizes[malloc_class[(n + MALLOC_ALIGN - 1) >> MALLOC_ALIGN_SHIFT]];
}

#endif /* MALLOC_CLASSES_H */
