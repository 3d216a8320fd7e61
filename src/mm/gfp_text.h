/* SPDX-License-Identifier: MIT */
#ifndef MM_GFP_TEXT_H
#define MM_GFP_TEXT_H

/*
 * gfp_text.h - what the kernel's %pGg prints for a gfp mask
 *
 * Room: mm. Any context.
 */

#include <slabwork/types.h>

#define GFP_TEXT_MAX 256 /* every flag by its own name fits */

/* "GFP_KERNEL|__GFP_ZERO": whole groups first, unknown bits in hex. Returns buf, always terminated. */
const char *gfp_flags_text(char *buf, size_t size, gfp_t gfp);

#endif /* MM_GFP_TEXT_H */
