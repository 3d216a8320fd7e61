/* SPDX-License-Identifier: MIT */
/*
 * trim.c - give back everything that lies in stock
 *
 * Room: mm. From the top down: sheaves and barns into slabs, empty slabs into pages,
 * unpurged vmalloc areas, per-CPU page lists, and at last the free pages to the OS.
 */

#include <slabwork/slab.h>
#include <slabwork/vmalloc.h>

#include "mm/boot.h"
#include "mm/page_alloc.h"
#include "mm/slab.h"

size_t sw_trim(size_t keep_bytes)
{
	mm_boot();
	slab_reclaim_all();
	vm_unmap_aliases();
	return page_alloc_trim(keep_bytes);
}
