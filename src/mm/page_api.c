/* SPDX-License-Identifier: MIT */
/*
 * page_api.c - what a page is, where it is, how many there are
 *
 * Room: mm. Door: <slabwork/mm.h>. Arithmetic and flag tests for callers to whom struct page is
 * opaque; folios, which are pages that are no tails; sums over the zones.
 */

#include <sys/sysinfo.h>

#include <slabwork/vmstat.h>

#include "mm/page_alloc.h"

/* --- pages, frames, addresses -------------------------------------------------------- */

struct page *virt_to_page(const void *addr)
{
	return addr_to_page(addr);
}

struct page *compound_head(const struct page *page)
{
	return page_head((struct page *)page);
}

struct page *virt_to_head_page(const void *addr)
{
	return page_head(addr_to_page(addr));
}

void *page_address(const struct page *page)
{
	return page_addr(page);
}

unsigned long page_to_pfn(const struct page *page)
{
	return page_to_pfn_raw(page);
}

struct page *pfn_to_page(unsigned long pfn)
{
	return pfn_to_page_raw(pfn);
}

bool pfn_valid(unsigned long pfn)
{
	return pfn <= UINTPTR_MAX >> PAGE_SHIFT && layout_addr_online(pfn << PAGE_SHIFT);
}

bool virt_addr_valid(const void *addr)
{
	return layout_addr_online((uintptr_t)addr);
}

unsigned int compound_order(const struct page *page)
{
	return page_test(page, PG_head) ? page->order : 0;
}

bool PageHead(const struct page *page)
{
	return page_test(page, PG_head);
}

bool PageTail(const struct page *page)
{
	return page_test(page, PG_tail);
}

bool PageCompound(const struct page *page)
{
	return PageHead(page) || PageTail(page);
}

bool PageSlab(const struct page *page)
{
	return page_test(page_head((struct page *)page), PG_slab);
}

bool PageReserved(const struct page *page)
{
	return page_test(page, PG_reserved);
}

/* What lies inside a block of malloc()'s may not know its place: its section does. */
static struct zone *zone_of(const struct page *page)
{
	if (!page_place(page) && layout_addr_online((uintptr_t)page_addr(page)))
		return pfn_section(page_to_pfn_raw(page))->zone;
	return page_zone(page);
}

int page_zonenum(const struct page *page)
{
	return (int)zone_idx(zone_of(page));
}

int page_to_nid(const struct page *page)
{
	return zone_to_nid(zone_of(page));
}

/* --- folios ----------------------------------------------------------------------------- */

struct folio *page_folio(struct page *page)
{
	return (struct folio *)page_head(page);
}

struct folio *folio_alloc(gfp_t gfp, unsigned int order)
{
	return (struct folio *)alloc_pages(gfp | __GFP_COMP, order);
}

void folio_get(struct folio *folio)
{
	get_page((struct page *)folio);
}

void folio_put(struct folio *folio)
{
	put_page((struct page *)folio);
}

unsigned int folio_order(const struct folio *folio)
{
	return compound_order((const struct page *)folio);
}

size_t folio_size(const struct folio *folio)
{
	return PAGE_SIZE << folio_order(folio);
}

void *folio_address(const struct folio *folio)
{
	return page_addr((const struct page *)folio);
}

/* --- what owners count ------------------------------------------------------------------- */

void mod_node_state(int nid, enum node_stat_item item, long delta)
{
	mm_boot();
	mod_node_page_state(NODE_DATA(nid), item, delta);
}

unsigned long global_node_state(enum node_stat_item item)
{
	mm_boot();
	return global_node_page_state(item);
}

/* --- sums ----------------------------------------------------------------------------------- */

unsigned long nr_free_pages(void)
{
	mm_boot();
	return global_zone_page_state(NR_FREE_PAGES);
}

unsigned long nr_free_buffer_pages(void)
{
	unsigned long sum = 0;

	mm_boot();
	for_each_zone(zone) {
		unsigned long managed = zone_managed_pages(zone);
		unsigned long high = high_wmark_pages(zone);

		if (zone_idx(zone) <= ZONE_NORMAL && managed > high)
			sum += managed - high;
	}
	return sum;
}

void si_meminfo(struct sysinfo *info)
{
	mm_boot();
	info->totalram = totalram_pages();
	info->freeram = global_zone_page_state(NR_FREE_PAGES);
	info->sharedram = 0;
	info->bufferram = 0;
	info->totalhigh = 0;
	info->freehigh = 0;
	info->mem_unit = PAGE_SIZE;
}

int page_alloc_validate(void)
{
	int bad = 0;

	for_each_zone(zone) {
		bad += pcp_validate(zone);
		spin_lock(&zone->lock);
		__buddy_drain_deferred(zone, 0);
		bad += __buddy_validate(zone);
		spin_unlock(&zone->lock);
	}
	return bad;
}
