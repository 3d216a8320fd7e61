/* SPDX-License-Identifier: MIT */
#ifndef MALLOC_FAST_H
#define MALLOC_FAST_H

/*
 * fast.h - the few instructions that nearly every call is
 *
 * Room: malloc. malloc: size → tag → this CPU's slot of that cache → pop → note
 * the tag in the objmap. free: address in the machine? → tag from the objmap →
 * clear it → push. No lock, no atomic, no stack frame, nothing of the object is
 * touched. Whatever does not fit leaves for malloc_slow()/free_slow().
 *
 * Between the pop and the note the object belongs to nobody; a signal handler
 * that allocates there gets another one.
 */

#include "malloc/malloc_internal.h"

/* Two entries and two returns are half of what a pair costs: each starts a line of its own. */
#define MALLOC_ENTRY SW_API __attribute__((aligned(64)))

SW_ALWAYS_INLINE void malloc_mark_live(const void *object, size_t tag)
{
	malloc_fast.objmap[(uintptr_t)object >> MALLOC_ALIGN_SHIFT] = (unsigned char)tag;
}

SW_ALWAYS_INLINE void *malloc_fast_path(size_t n)
{
	const struct sw_fast *f = &malloc_fast;
	size_t tag;
	void *object;

	if (unlikely(n > MALLOC_CACHE_MAX))
		return malloc_block(n);
	tag = malloc_tag[(n + MALLOC_ALIGN - 1) >> MALLOC_ALIGN_SHIFT];
	if (unlikely(!tag))
		return malloc_slow(n, MALLOC_GFP);
	object = sw_slot_pop(f, tag);
	if (unlikely(!object))
		return malloc_slow(n, MALLOC_GFP);
	malloc_mark_live(object, tag);
	return object;
}

/* The tag of the live object that starts at @p, 0: none (or not on the fast path). */
SW_ALWAYS_INLINE unsigned int malloc_live_tag(const void *p)
{
	uintptr_t step = sw_step_of(&malloc_fast, p);

	return likely(step < sw_nr_steps) ? malloc_fast.live[step] : 0;
}

SW_ALWAYS_INLINE void free_fast_path(void *p, const char *who)
{
	const struct sw_fast *f = &malloc_fast;
	uintptr_t step = sw_step_of(f, p);
	size_t tag;

	/*
	 * The page's tag says whose it is, the object's byte proves that it is live. The byte may be
	 * far from the caches, and was just stored if it is near: nothing waits for it.
	 */
	if (unlikely(step >= sw_nr_steps ||
		     (tag = f->page_tags[step >> SW_PAGE_STEPS]) != f->live[step])) {
		free_slow(p, 0, who);
		return;
	}
	f->live[step] = 0; /* if it was 0, so is the tag, whose slot takes nothing */
	if (unlikely(!sw_slot_push(f, tag, p)))
		free_slow(p, (unsigned int)tag, who);
}

#endif /* MALLOC_FAST_H */
