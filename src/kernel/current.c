/* SPDX-License-Identifier: MIT */
/*
 * current.c - what the calling thread has said about all its allocations
 *
 * Room: kernel. One word a thread; a signal handler sees the interrupted thread's scopes,
 * as an interrupt does, and leaves them as they were if its pairs match.
 */

#include "kernel/current.h"

__thread unsigned int sw_current_flags __attribute__((tls_model("initial-exec")));

unsigned int current_flags_save(unsigned int bits)
{
	unsigned int saved = sw_current_flags & bits;

	sw_current_flags |= bits;
	return saved;
}

void current_flags_restore(unsigned int bits, unsigned int saved)
{
	sw_current_flags = (sw_current_flags & ~bits) | (saved & bits);
}

gfp_t current_gfp_context(gfp_t gfp)
{
	unsigned int flags = sw_current_flags;

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
