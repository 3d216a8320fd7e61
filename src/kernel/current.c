/* SPDX-License-Identifier: MIT */
/*
 * current.c - what the calling thread has said about all its allocations
 *
 * Room: kernel. One word a thread; a signal handler sees the interrupted thread's scopes,
 * as an interrupt does, and leaves them as they were if its pairs match.
 */

#include "kernel/current.h"

static __thread unsigned int thread_flags;

unsigned int current_flags(void)
{
	return thread_flags;
}

unsigned int current_flags_save(unsigned int bits)
{
	unsigned int saved = thread_flags & bits;

	thread_flags |= bits;
	return saved;
}

void current_flags_restore(unsigned int bits, unsigned int saved)
{
	thread_flags = (thread_flags & ~bits) | (saved & bits);
}

gfp_t current_gfp_context(gfp_t gfp)
{
	unsigned int flags = thread_flags;

	if (flags & PF_MEMALLOC_NOIO)
		return gfp & ~(__GFP_IO | __GFP_FS);
	if (flags & PF_MEMALLOC_NOFS)
		return gfp & ~__GFP_FS;
	return gfp;
}

unsigned int memalloc_noio_save(void)
{
	return current_flags_save(PF_MEMALLOC_NOIO);
}

void memalloc_noio_restore(unsigned int flags)
{
	current_flags_restore(PF_MEMALLOC_NOIO, flags);
}

unsigned int memalloc_nofs_save(void)
{
	return current_flags_save(PF_MEMALLOC_NOFS);
}

void memalloc_nofs_restore(unsigned int flags)
{
	current_flags_restore(PF_MEMALLOC_NOFS, flags);
}

unsigned int memalloc_noreclaim_save(void)
{
	return current_flags_save(PF_MEMALLOC);
}

void memalloc_noreclaim_restore(unsigned int flags)
{
	current_flags_restore(PF_MEMALLOC, flags);
}
