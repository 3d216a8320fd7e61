/* SPDX-License-Identifier: MIT */
/*
 * page_alloc_bulk.c - many single pages in one call
 *
 * Room: mm. Door: <slabwork/mm.h>. The pages come one by one from the page list of this CPU,
 * whose refills are batched already; the saving over the kernel's own loop is small and not
 * worth a second path through the lists.
 *
 * Only the first page may reclaim or make memory come online in earnest: the rest is taken as far as
 * it goes, since a short answer is allowed.
 */

#include "kernel/printk.h"
#include "mm/page_alloc.h"

static struct page *next_page(gfp_t gfp, int nid, unsigned long got)
{
	if (got)
		gfp = (gfp | __GFP_NORETRY | __GFP_NOWARN) & ~__GFP_NOFAIL;
	return alloc_pages_node(nid, gfp, 0);
}

unsigned long alloc_pages_bulk_node(gfp_t gfp, int nid, unsigned long nr_pages,
				    struct page **page_array)
{
	unsigned long filled = 0, got = 0;

	for (; filled < nr_pages; filled++) {
		struct page *page;

		if (page_array[filled])
			continue;
		page = next_page(gfp, nid, got);
		if (!page)
			break;
		page_array[filled] = page;
		got++;
	}
	return filled;
}

unsigned long alloc_pages_bulk(gfp_t gfp, unsigned long nr_pages, struct page **page_array)
{
	return alloc_pages_bulk_node(gfp, NUMA_NO_NODE, nr_pages, page_array);
}

unsigned long alloc_pages_bulk_list(gfp_t gfp, unsigned long nr_pages, struct list_head *list)
{
	unsigned long got = 0;

	for (; got < nr_pages; got++) {
		struct page *page = next_page(gfp, NUMA_NO_NODE, got);

		if (!page)
			break;
		page_list_add(page, list);
	}
	return got;
}
