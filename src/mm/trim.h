/* SPDX-License-Identifier: MIT */
#ifndef MM_TRIM_H
#define MM_TRIM_H

/*
 * trim.h - what a trim gave back, and where it had lain
 *
 * Room: mm. Public door: sw_trim() of <slabwork/slab.h>, which is the sum.
 */

#include <stddef.h>

/* Bytes. */
struct trim_parts {
	size_t empty_slabs; /* slabs of which no object was in use */
	size_t cpu_stock;   /* slabs that held nothing but what lay in sheaves and barns */
	size_t free_pages;  /* pages that were free already, the CPUs' lists included */
	size_t areas;       /* freed and not purged */
};

/* Give back all that lies in stock, but for keep_bytes of free pages. The sum. May sleep. */
size_t trim_parts(size_t keep_bytes, struct trim_parts *parts);

#endif /* MM_TRIM_H */
