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
	object = sw_slot_pop(f, f->slots + 8 * tag);
	if (unlikely(!object))
		return malloc_slow(n, MALLOC_GFP);
	f->objmap[(uintptr_t)object >> 4] = (unsigned char)tag;
	return object;
}

/* The tag of the live object that starts at @p, 0: none (or not on the fast path). */
SW_ALWAYS_INLINE unsigned int malloc_live_tag(const void *p)
{
	const struct sw_fast *f = &malloc_fast;
	uintptr_t addr = (uintptr_t)p;
	unsigned char tag;

	if (unlikely(addr < f->machine_start ||
		     addr >= __atomic_load_n(f->machine_online, __ATOMIC_RELAXED) ||
		     (addr & (MALLOC_ALIGN - 1))))
		return 0;
	tag = f->objmap[addr >> 4];
	return unlikely((unsigned char)(tag - 1) >= f->tag) ? 0 : tag;
}

SW_ALWAYS_INLINE void free_fast_path(void *p, const char *who)
{
	const struct sw_fast *f = &malloc_fast;
	size_t tag = malloc_live_tag(p);

	if (unlikely(!tag)) {
		free_slow(p, 0, who);
		return;
	}
	f->objmap[(uintptr_t)p >> 4] = 0;
	if (unlikely(!sw_slot_push(f, f->slots + 8 * tag, p)))
		free_slow(p, (unsigned int)tag, who);
}

#endif /* MALLOC_FAST_H */
