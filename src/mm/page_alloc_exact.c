/* SPDX-License-Identifier: MIT */
/*
 * page_alloc_exact.c - contiguous pages whose number is no power of two
 *
 * Room: mm. Door: <slabwork/mm.h>. A block of the next power of two is split into single
 * pages and those past the end are freed again; free_pages_exact() frees page by page.
 */

#include "kernel/printk.h"
#include "mm/page_alloc.h"

void *alloc_pages_exact_nid(int nid, size_t size, gfp_t gfp)
{
	unsigned int order;
	struct page *page;

	if (!size || size > PAGE_SIZE << MAX_PAGE_ORDER)
		return NULL;
	/* Single pages cannot be one compound page. */
	if (WARN_ON_ONCE(gfp & __GFP_COMP))
		gfp &= ~__GFP_COMP;
	order = get_order(size);
	page = alloc_pages_node(nid, gfp & ~__GFP_HIGHMEM, order);
	if (!page)
		return NULL;
	split_page(page, order);
	for (size_t i = PAGE_ALIGN(size) >> PAGE_SHIFT; i < 1UL << order; i++)
		__free_page(page + i);
	return page_addr(page);
}

void *alloc_pages_exact(size_t size, gfp_t gfp)
{
	return alloc_pages_exact_nid(NUMA_NO_NODE, size, gfp);
}

void free_pages_exact(void *virt, size_t size)
{
	uintptr_t addr = (uintptr_t)virt;
	uintptr_t end = addr + size;

	for (; addr < end; addr += PAGE_SIZE)
		free_page(addr);
}
