/* SPDX-License-Identifier: MIT */
/*
 * malloc.c - malloc, calloc, free, sized frees
 *
 * Room: malloc.  Above us: every program.  Below us: <slabwork/general.h>.
 * Next door: fast.h is the straight path, classes.c the table it reads.
 *
 * 1. Where a request goes
 *
 *   0 … 8192 bytes   the cache of its class (0 counts as 1); per-CPU sheaf, then slow path
 *   … 1 MiB          a block of pages from the cache of its class, warm ones in sheaves too
 *   … 4 MiB          a block of pages, exactly as many as needed
 *   beyond           an area with guard pages
 *   > PTRDIFF_MAX    NULL, ENOMEM
 *
 * 2. Rules that hold everywhere here
 *
 *   M1  A call that succeeds leaves errno alone; so does free, always.
 *   M2  A request that cannot be met is NULL and ENOMEM; the old block is intact.
 *   M3  A pointer that is not exactly the start of something live is never
 *       dereferenced: it is named on stderr and the process stops (misuse.c).
 *   M4  Nothing is kept for a thread, so there is nothing to do when one ends.
 *   M5  Locks are mm's; it holds them across fork. We have none but the boot word.
 *
 * realloc() is in realloc.c.
 */

#include "malloc/fast.h"
#include "malloc/namespace.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

/* Who takes malloc() from libslabwork-malloc.a takes these: libc.a's would bring a second malloc(). */
__asm__(".globl realloc, memalign");

void cfree(void *p);
void free_sized(void *p, size_t n);
void free_aligned_sized(void *p, size_t align, size_t n);

void *malloc_nomem(void)
{
	errno = ENOMEM;
	return NULL;
}

/* Everything that is not a pop: first call, empty sheaf, large request, no such class. */
__attribute__((noinline)) void *malloc_slow(size_t n, gfp_t flags)
{
	struct kmem_cache *cache;
	int saved = errno;
	void *p = NULL;

	if (unlikely(n > MALLOC_MAX) || unlikely(!malloc_boot()))
		return malloc_nomem();
	if (unlikely(sw_fail_malloc && sw_fail_this_malloc()))
		return malloc_nomem();
	cache = NULL;
	if (n <= MALLOC_CACHE_MAX)
		cache = malloc_cache_for(n);
	else if (n <= MALLOC_BLOCK_MAX)
		cache = malloc_block_cache_for(n);
	if (cache && n > MALLOC_CACHE_MAX && flags & __GFP_ZERO) /* new pages are zero already */
		p = sw_block_cache_zalloc(cache, flags);
	else if (cache)
		p = sw_cache_alloc_slow(cache, flags);
	if (!p)
		p = sw_block_alloc(n ? n : 1, MALLOC_ALIGN, flags);
	if (unlikely(!p))
		return malloc_nomem();
	errno = saved;
	return p;
}

/* Classes above its own in which a block is looked for before the slow path is taken. */
#define NEAR_CLASSES 3

/* A warm block of one of the next classes, half as large again at most; NULL: there is none. */
static void *near_block(const struct sw_fast *f, size_t n, size_t tag)
{
	for (size_t last = tag + NEAR_CLASSES; tag < last;) {
		void *block;

		/* 0 - n, a tag of another kind, is far too much as well. */
		if (malloc_tag_size[++tag & 255] - n > n / 2)
			return NULL;
		block = sw_slot_pop(f, tag);
		if (block) {
			malloc_mark_live(block, tag);
			return block;
		}
	}
	return NULL;
}

/* The fast path of page blocks: as that of objects, with its own table. */
__attribute__((noinline)) void *malloc_block(size_t n)
{
	const struct sw_fast *f = &malloc_fast;
	size_t tag = n <= MALLOC_BLOCK_MAX ? malloc_block_tag[(n - 1) >> PAGE_SHIFT] : 0;
	void *block;

	if (unlikely(!tag))
		return malloc_slow(n, MALLOC_GFP);
	block = sw_slot_pop(f, tag);
	if (unlikely(!block)) {
		block = near_block(f, n, tag);
		return block ? block : malloc_slow(n, MALLOC_GFP);
	}
	malloc_mark_live(block, tag);
	return block;
}

/* @tag: the object is checked and unmarked, only its sheaf is full. 0: nothing is known yet. */
__attribute__((noinline)) void free_slow(void *p, unsigned int tag, const char *who)
{
	int saved = errno;

	if (!p)
		return;
	if (tag)
		sw_kfree_slow(p, tag);
	else if (unlikely(!sw_try_free(p)) && (sw_owns(p) || !namespace_free(p)))
		misuse_pointer(who, p);
	errno = saved;
}

MALLOC_ENTRY void *malloc(size_t n)
{
	return malloc_fast_path(n);
}

MALLOC_ENTRY void free(void *p)
{
	free_fast_path(p, "free()");
}

SW_API void cfree(void *p)
{
	free_fast_path(p, "cfree()");
}

/*
 * Objects are whole steps of 16 bytes, so zeroes are written in such steps: what a call of
 * memset() costs before its first store is half of what a small calloc() is.
 */
#define ZERO_INLINE 128

typedef long long zero_step __attribute__((vector_size(16), may_alias));

SW_ALWAYS_INLINE void *zero_object(void *object, size_t n)
{
	zero_step *step = __builtin_assume_aligned(object, MALLOC_ALIGN), none = { 0 };
	char *end = (char *)object + ((n + MALLOC_ALIGN - 1) & -MALLOC_ALIGN);

	if (unlikely(n > ZERO_INLINE))
		return memset(object, 0, n);
	/* Four at a time, of which the last may lie over those before. */
	if (n > 4 * MALLOC_ALIGN) {
		zero_step *last = (zero_step *)(void *)end - 4;

		for (; step < last; step += 4)
			step[0] = step[1] = step[2] = step[3] = none;
		last[0] = last[1] = last[2] = last[3] = none;
		return object;
	}
	step[0] = none;
	if (n > MALLOC_ALIGN) {
		zero_step *last = (zero_step *)(void *)end - 1;

		last[0] = none;
		if (n > 2 * MALLOC_ALIGN)
			step[1] = last[-1] = none;
	}
	return object;
}

/* A warm block is written faster than new pages are had; the slow path looks for known zeroes. */
static __attribute__((noinline)) void *calloc_block(size_t n)
{
	const struct sw_fast *f = &malloc_fast;
	size_t tag = n <= MALLOC_BLOCK_MAX ? malloc_block_tag[(n - 1) >> PAGE_SHIFT] : 0;
	void *block = tag ? sw_slot_pop(f, tag) : NULL;

	if (!block)
		return malloc_slow(n, MALLOC_GFP | __GFP_ZERO);
	malloc_mark_live(block, tag);
	return sw_block_zero(block, n);
}

MALLOC_ENTRY void *calloc(size_t count, size_t each)
{
	const struct sw_fast *f = &malloc_fast;
	size_t n, tag;
	void *p;

	if (unlikely(__builtin_mul_overflow(count, each, &n)))
		return malloc_nomem();
	if (unlikely(n > MALLOC_CACHE_MAX))
		return calloc_block(n);
	tag = malloc_tag[(n + MALLOC_ALIGN - 1) >> MALLOC_ALIGN_SHIFT];
	p = likely(tag) ? sw_slot_pop(f, tag) : NULL;
	if (unlikely(!p))
		return malloc_slow(n, MALLOC_GFP | __GFP_ZERO);
	malloc_mark_live(p, tag);
	return zero_object(p, n);
}

size_t malloc_usable(const void *p, const char *who)
{
	size_t size = malloc_tag_size[malloc_live_tag(p)];

	if (unlikely(!size))
		size = sw_usable_size(p);
	if (unlikely(!size) && !sw_owns(p))
		size = namespace_usable((void *)p);
	if (unlikely(!size))
		misuse_pointer(who, p);
	return size;
}

SW_API size_t malloc_usable_size(void *p)
{
	return p ? malloc_usable(p, "malloc_usable_size()") : 0;
}

/*
 * C23's sized frees. A size that malloc() would not have answered with this very
 * object is a bug of the caller: sized frees exist to be checked. What realloc()
 * left in a larger object than its class (more than half used, or a fifth of one that grows) is
 * fine too, and so is an area that it shrank by less than is worth a system call.
 */
#define AREA_SLACK (64UL << 10)

static bool may_be_size(size_t n, size_t is)
{
	if (n > is)
		return false;
	if (is > MALLOC_CACHE_MAX)
		return n > is / 2 || is - n < AREA_SLACK;
	return n > is / MALLOC_GROWN_SLACK || malloc_class_size(n) == is;
}

static void check_size(void *p, size_t n, const char *who)
{
	size_t is = malloc_usable(p, who);

	if (likely(may_be_size(n, is)) || !sw_owns(p))
		return;
	misuse_size(who, p, n, is);
}

SW_API void free_sized(void *p, size_t n)
{
	if (p)
		check_size(p, n, "free_sized()");
	free_fast_path(p, "free_sized()");
}

SW_API void free_aligned_sized(void *p, size_t align, size_t n)
{
	if (p) {
		if (unlikely(!align || (align & (align - 1)) || ((uintptr_t)p & (align - 1))))
			misuse_align("free_aligned_sized()", p, align);
		/* A small object may have been given a larger class to be aligned. */
		if (unlikely(n > malloc_usable(p, "free_aligned_sized()")))
			misuse_size("free_aligned_sized()", p, n,
				    malloc_usable(p, "free_aligned_sized()"));
	}
	free_fast_path(p, "free_aligned_sized()");
}
