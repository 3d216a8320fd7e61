/* SPDX-License-Identifier: MIT */
/*
 * trim.c - give back everything that lies in stock
 *
 * Room: mm. Door: mm/trim.h. From the top down: empty slabs into pages, sheaves and barns into
 * slabs, of which more are empty then, unpurged vmalloc areas, per-CPU page lists, and at
 * last the free pages to the OS.
 *
 * Where the memory had lain is counted on the way: by how much more is free after each round
 * over the slabs. What the last step gives to the OS is laid on those first, and on pages
 * that were free before for the rest.
 */

#include <slabwork/slab.h>

#include "lib/list.h"
#include "mm/boot.h"
#include "mm/page_alloc.h"
#include "mm/slub_internal.h"
#include "mm/trim.h"
#include "mm/vmalloc.h"

/* As slab_reclaim_all(), but for sheaves, which stay full. */
static void discard_empty_slabs(void)
{
	struct kmem_cache *s;

	if (!mutex_trylock(&slab_mutex))
		return;
	list_for_each_entry_reverse(s, &slab_caches, list)
		slab_discard_empty(s);
	mutex_unlock(&slab_mutex);
}

/* Bytes that nobody has. Others allocate meanwhile: a difference may be too small. */
static size_t bytes_free(void)
{
	size_t pages = global_zone_page_state(NR_FREE_PAGES);

	for_each_zone(zone)
		pages += pcp_pages(zone);
	return pages << PAGE_SHIFT;
}

static size_t less(size_t a, size_t b)
{
	return a > b ? a - b : 0;
}

/* So much of *left as wanted is this part's. */
static size_t take(size_t *left, size_t wanted)
{
	size_t n = wanted < *left ? wanted : *left;

	*left -= n;
	return n;
}

size_t trim_parts(size_t keep_bytes, struct trim_parts *parts)
{
	size_t before, empty, stock, given, left;

	mm_boot();
	before = bytes_free();
	discard_empty_slabs();
	empty = less(bytes_free(), before);
	before = bytes_free();
	slab_reclaim_all();
	stock = less(bytes_free(), before);
	parts->areas = vmap_purge() << PAGE_SHIFT;
	given = left = page_alloc_trim(keep_bytes);
	parts->empty_slabs = take(&left, empty);
	parts->cpu_stock = take(&left, stock);
	parts->free_pages = left;
	return given + parts->areas;
}

size_t sw_trim(size_t keep_bytes)
{
	struct trim_parts parts;

	return trim_parts(keep_bytes, &parts);
}
