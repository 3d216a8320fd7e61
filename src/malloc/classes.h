/* SPDX-License-Identifier: MIT */
#ifndef MALLOC_CLASSES_H
#define MALLOC_CLASSES_H

/*
 * classes.h - which cache a size goes to
 *
 * Room: malloc. Multiples of 16 up to 128, then four a doubling up to 8 KiB:
 * at most a fifth of an object is rounding (a ninth on average), where
 * kmalloc's powers of two waste up to a half. Every size is a multiple of 16,
 * and slabs start on a page, so every object is aligned to 16.
 *
 * The table is one byte for each 16 bytes of size, 513 in all: no branch and no
 * arithmetic beyond a shift, and a program that asks for few sizes touches few
 * of its eight cache lines.
 */

#include <slabwork/general.h>

#define MALLOC_ALIGN	 16UL
#define MALLOC_ALIGN_SHIFT 4
#define MALLOC_CACHE_MAX 8192UL
#define MALLOC_NR_STEPS	 (MALLOC_CACHE_MAX / MALLOC_ALIGN + 1)
#define MALLOC_LINEAR	 128UL /* multiples of 16 up to here, */
#define MALLOC_PER_DOUBLING 4	/* ... then so many a doubling */
#define MALLOC_NR_CLASSES 32   /* 8 + 6 * 4 */

#define MALLOC_GFP (GFP_KERNEL | __GFP_NOWARN)

/* What a request may be at most: pointer differences must not overflow. */
#define MALLOC_MAX ((size_t)PTRDIFF_MAX)

#define SW_HIDDEN __attribute__((visibility("hidden")))

/* The tag of the cache for (n + 15) >> 4; 0 until the caches stand. */
extern SW_HIDDEN unsigned char malloc_tag[MALLOC_NR_STEPS];
/* Object size by tag; 0 for tags of other caches. */
extern SW_HIDDEN unsigned short malloc_tag_size[256];
/* A copy of sw_fast_general that needs no GOT; before boot every check on it fails. */
extern SW_HIDDEN struct sw_fast malloc_fast;

/* Make the caches, once; any number of threads. False: not yet (the boot itself calls us). */
SW_HIDDEN bool malloc_boot(void);

/* The cache for @n <= MALLOC_CACHE_MAX bytes: the exact class, or a larger one if that is missing. */
SW_HIDDEN struct kmem_cache *malloc_cache_for(size_t n);

/* Bytes of the class for @n, 1 <= n <= MALLOC_CACHE_MAX; independent of boot. */
static inline size_t malloc_class_size(size_t n)
{
	size_t step;

	if (n <= MALLOC_LINEAR)
		return (n + MALLOC_ALIGN - 1) & -MALLOC_ALIGN;
	/* 2^k < n <= 2^(k+1): a quarter of 2^k is the step. */
	step = 1UL << (63 - __builtin_clzl(n - 1) - 2);
	return (n + step - 1) & -step;
}

#endif /* MALLOC_CLASSES_H */
