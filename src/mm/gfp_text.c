/* SPDX-License-Identifier: MIT */
/*
 * gfp_text.c - the words behind the bits of a gfp mask
 *
 * Room: mm. Groups come before their parts and the larger group before the
 * smaller, so that taking the first row that fits gives the shortest text; the
 * order is that of the kernel's trace table, which log parsers know.
 */

#include <stdio.h>

#include <slabwork/gfp.h>

#include "mm/gfp_text.h"

static const struct {
	gfp_t mask;
	const char *name;
} gfp_names[] = {
#define ROW(flag)           \
	{                   \
		flag, #flag \
	}
	ROW(GFP_TRANSHUGE),
	ROW(GFP_TRANSHUGE_LIGHT),
	ROW(GFP_HIGHUSER_MOVABLE),
	ROW(GFP_HIGHUSER),
	ROW(GFP_USER),
	ROW(GFP_KERNEL_ACCOUNT),
	ROW(GFP_KERNEL),
	ROW(GFP_NOFS),
	ROW(GFP_ATOMIC),
	ROW(GFP_NOIO),
	ROW(GFP_NOWAIT),
	ROW(GFP_DMA),
	ROW(__GFP_HIGHMEM),
	ROW(GFP_DMA32),
	ROW(__GFP_HIGH),
	ROW(__GFP_ATOMIC),
	ROW(__GFP_IO),
	ROW(__GFP_FS),
	ROW(__GFP_NOWARN),
	ROW(__GFP_RETRY_MAYFAIL),
	ROW(__GFP_NOFAIL),
	ROW(__GFP_NORETRY),
	ROW(__GFP_COMP),
	ROW(__GFP_ZERO),
	ROW(__GFP_NOMEMALLOC),
	ROW(__GFP_MEMALLOC),
	ROW(__GFP_HARDWALL),
	ROW(__GFP_THISNODE),
	ROW(__GFP_RECLAIMABLE),
	ROW(__GFP_MOVABLE),
	ROW(__GFP_ACCOUNT),
	ROW(__GFP_WRITE),
	ROW(__GFP_RECLAIM),
	ROW(__GFP_DIRECT_RECLAIM),
	ROW(__GFP_KSWAPD_RECLAIM),
#undef ROW
};

/* Append to buf, never past size; pos may run past it, as snprintf's result does. */
static size_t append(char *buf, size_t size, size_t pos, const char *text)
{
	const char *bar = pos ? "|" : "";

	return pos + (size_t)snprintf(pos < size ? buf + pos : NULL, pos < size ? size - pos : 0,
				      "%s%s", bar, text);
}

const char *gfp_flags_text(char *buf, size_t size, gfp_t gfp)
{
	char hex[16];
	size_t pos = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < sizeof(gfp_names) / sizeof(gfp_names[0]) && gfp; i++) {
		if ((gfp & gfp_names[i].mask) != gfp_names[i].mask)
			continue;
		gfp &= ~gfp_names[i].mask;
		pos = append(buf, size, pos, gfp_names[i].name);
	}
	if (gfp) {
		snprintf(hex, sizeof(hex), "%#x", gfp);
		append(buf, size, pos, hex);
	}
	return buf;
}
