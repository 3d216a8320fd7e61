/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_CURRENT_H
#define KERNEL_CURRENT_H

/*
 * current.h - what the calling thread has said about all its allocations
 *
 * Room: kernel. Set through <slabwork/sched_mm.h> and by reclaim, asked by mm. Values are Linux
 * 5.4's PF_*.
 */

#include <slabwork/gfp.h>
#include <slabwork/sched_mm.h>

#define PF_MEMALLOC      0x00000800u /* frees memory: all reserves, no reclaim */
#define PF_MEMALLOC_NOFS 0x00040000u /* allocations enter no file system */
#define PF_MEMALLOC_NOIO 0x00080000u /* allocations start no I/O, enter no file system */

extern __thread unsigned int sw_current_flags __attribute__((tls_model("initial-exec")));

static inline unsigned int current_flags(void)
{
	return sw_current_flags;
}

/* Set bits in the calling thread's flags; returns those of them that were set before. */
unsigned int current_flags_save(unsigned int bits);
/* Put bits back to what current_flags_save() returned. */
void current_flags_restore(unsigned int bits, unsigned int saved);

/* What gfp means for this thread: the scopes' restrictions taken off. */
gfp_t current_gfp_context(gfp_t gfp);

#endif /* KERNEL_CURRENT_H */
