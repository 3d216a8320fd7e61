/* SPDX-License-Identifier: MIT */
/*
 * realloc.c - realloc, reallocarray
 *
 * Room: malloc.  Above us: every program.  Below us: <slabwork/general.h>. The rules M1 to
 * M5 are those of malloc.c.
 *
 * 1. In place, nearly always
 *
 *   An object or block of a cache stays where it is while the new size fits and is more
 *   than half of it. An area stays while its new size fits what is paid for. Both are a
 *   look-up and a comparison.
 *
 * 2. What grows again and again
 *
 *   A buffer that grows is read to its end and written on; its program does not know how long it
 *   will be. The last few pointers that realloc() gave for a larger size are remembered, with
 *   that size (growers[]). Who comes back with one of them and wants more still gets
 *
 *     up to the largest object    an object of four times the size
 *     beyond                      an area with room behind it: addresses, not memory
 *
 *   so that copying costs little in all. Who grows once gets what he asks for.
 *
 *   The table is a guess that may be wrong: another pointer took the entry, or the object was
 *   freed and is somebody else's. Then something is copied once more, or is a little
 *   larger than it need be. Threads share it; entries are torn harmlessly.
 *
 * 3. realloc(p, 0) frees and gives NULL, as glibc does.
 */

#include "malloc/fast.h"
#include "malloc/namespace.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#define NR_GROWERS 16
#define GROW_TIMES 4 /* MALLOC_GROWN_SLACK follows from it */

static struct grower {
	_Atomic(const void *) p;
	_Atomic size_t n;
} growers[NR_GROWERS];

static struct grower *grower_of(const void *p)
{
	return &growers[((uintptr_t)p >> MALLOC_ALIGN_SHIFT) * 0x9e3779b97f4a7c15UL >> 60];
}

/* Was p given for no more than n bytes by a realloc() that made it larger? */
static bool grows_again(const void *p, size_t n)
{
	const struct grower *g = grower_of(p);

	return atomic_load_explicit(&g->p, memory_order_relaxed) == p &&
	       atomic_load_explicit(&g->n, memory_order_relaxed) <= n;
}

static void note_grower(const void *p, size_t n)
{
	struct grower *g = grower_of(p);

	atomic_store_explicit(&g->p, p, memory_order_relaxed);
	atomic_store_explicit(&g->n, n, memory_order_relaxed);
}

static void *move(void *old, size_t old_size, void *new, size_t n)
{
	if (unlikely(!new))
		return n <= old_size ? old : NULL; /* M2; a shrink that cannot move stays */
	memcpy(new, old, old_size < n ? old_size : n);
	free_fast_path(old, "realloc()");
	return new;
}

static void *move_to_new(void *old, size_t old_size, size_t n)
{
	return move(old, old_size, malloc_fast_path(n), n);
}

/* Blocks and areas keep to sw_block_realloc() while they remain one. */
static void *realloc_block(void *old, size_t old_size, size_t n)
{
	int saved = errno;
	void *new;

	if (n > MALLOC_MAX)
		return malloc_nomem();
	if (n <= MALLOC_CACHE_MAX || unlikely(!sw_owns(old)))
		return move_to_new(old, old_size, n);
	if (unlikely(sw_fail_malloc && sw_fail_this_malloc()))
		return malloc_nomem();
	new = sw_block_realloc(old, n, grows_again(old, n), MALLOC_GFP);
	if (unlikely(!new))
		return malloc_nomem();
	if (n > old_size)
		note_grower(new, n);
	errno = saved;
	return new;
}

/* Room for what grows, more than n where that is to be had. NULL: no memory, or no room. */
static void *alloc_growing(size_t n)
{
	size_t want = n < MALLOC_CACHE_MAX / GROW_TIMES ? GROW_TIMES * n : MALLOC_CACHE_MAX;
	int saved = errno;
	void *new;

	new = n > MALLOC_CACHE_MAX ? sw_block_alloc_growing(n) : malloc_fast_path(want);
	errno = saved;
	return new;
}

/* A larger size than the object has. */
static void *grow_object(void *old, size_t old_size, size_t n)
{
	void *new = NULL;

	if (n <= MALLOC_MAX && !sw_fail_malloc && grows_again(old, n))
		new = alloc_growing(n);
	if (!new)
		new = malloc_fast_path(n);
	if (unlikely(!new))
		return NULL;
	memcpy(new, old, old_size);
	free_fast_path(old, "realloc()");
	note_grower(new, n);
	return new;
}

/* An object of old_size bytes that does not fit n, or is twice as large. */
static __attribute__((noinline)) void *realloc_object(void *old, size_t old_size, size_t n)
{
	if (n > old_size)
		return grow_object(old, old_size, n);
	if (!n) {
		free_fast_path(old, "realloc()");
		return NULL;
	}
	if (n > old_size / 2 || old_size == MALLOC_ALIGN)
		return old;
	/* Is it one that was given more than it asked for, and grows? Not another that lies there now. */
	if (n > old_size / MALLOC_GROWN_SLACK && grows_again(old, n)) {
		note_grower(old, n);
		return old;
	}
	return move_to_new(old, old_size, n);
}

/* Everything else. */
static __attribute__((noinline)) void *realloc_slow(void *old, size_t n, const char *who)
{
	size_t old_size;

	if (!old)
		return malloc_fast_path(n);
	if (!n) {
		free_fast_path(old, who);
		return NULL;
	}
	old_size = malloc_usable(old, who);
	/* An object of any cache, ours or kmalloc's, is no larger than the largest of those. */
	if (old_size > MALLOC_CACHE_MAX)
		return realloc_block(old, old_size, n);
	return realloc_object(old, old_size, n);
}

SW_ALWAYS_INLINE void *realloc_for(void *old, size_t n, const char *who)
{
	size_t size = malloc_tag_size[malloc_live_tag(old)];

	/* An area is left for an object: a sized free wants to see one that is not far too large. */
	if (unlikely(!size))
		return n > MALLOC_CACHE_MAX && sw_block_resize_within(old, n) ?
			       old :
			       realloc_slow(old, n, who);
	/* Wraps for n == 0. */
	if (likely(n - 1 - size / 2 < size - size / 2))
		return old;
	if (size <= MALLOC_CACHE_MAX)
		return realloc_object(old, size, n);
	return realloc_slow(old, n, who);
}

MALLOC_ENTRY void *realloc(void *old, size_t n)
{
	return realloc_for(old, n, "realloc()");
}

SW_API void *reallocarray(void *old, size_t count, size_t each)
{
	size_t n;

	if (unlikely(__builtin_mul_overflow(count, each, &n)))
		return malloc_nomem();
	return realloc_for(old, n, "reallocarray()");
}
