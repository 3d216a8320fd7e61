/* SPDX-License-Identifier: MIT */
#ifndef SW_MM_H
#define SW_MM_H

/**
 * DOC: <slabwork/mm.h> - whole pages
 *
 * The page allocator hands out blocks of 2^order pages, aligned to their size,
 * from the zone and node that the gfp flags name. A struct page stands for one
 * page; page_address() is where its bytes are.
 *
 * Units    An order is log2 of pages, 0 … MAX_PAGE_ORDER. Sizes are bytes.
 * Errors   NULL when memory cannot be had. Freeing what is free, or what never
 *          was a page of ours, is a named report and SIGABRT.
 * Threads  Any thread may free what another allocated. Everything here may be
 *          called from a signal handler if gfp has no __GFP_DIRECT_RECLAIM;
 *          freeing never waits for a lock.
 *
 * Room: mm (page_alloc.c, buddy.c, pcp.c).  Source: Linux 5.4 … 6.18,
 * include/linux/gfp.h, Documentation/core-api/mm-api.rst.
 */

#include <slabwork/export.h>
#include <slabwork/gfp.h>
#include <slabwork/sched_mm.h>
#include <slabwork/types.h>

SW_BEGIN_DECLS

struct sysinfo; /* <sys/sysinfo.h> */

/**
 * alloc_pages() - take a block of 2^order pages
 * @gfp: what the allocator may do to succeed, see <slabwork/gfp.h>
 * @order: log2 of the number of pages; above MAX_PAGE_ORDER: a warning (not with
 *         __GFP_NOWARN) and NULL
 *
 * With __GFP_COMP the pages form a compound page: one count for all, freed as one.
 *
 * Context: May sleep if @gfp holds __GFP_DIRECT_RECLAIM; else async-signal-safe.
 * Return: the first page with a count of 1, or NULL; never NULL with __GFP_NOFAIL.
 * Source: Linux 6.12, mm/page_alloc.c
 */
SW_API struct page *alloc_pages(gfp_t gfp, unsigned int order) SW_NAME(alloc_pages) __must_check;

/**
 * alloc_pages_node() - the same, starting at node @nid (NUMA_NO_NODE: the caller's)
 */
SW_API struct page *alloc_pages_node(int nid, gfp_t gfp, unsigned int order)
	SW_NAME(alloc_pages_node) __must_check;

/**
 * __alloc_pages() - the same; @nodemask is a bit a node, NULL: all
 */
SW_API struct page *__alloc_pages(gfp_t gfp, unsigned int order, int nid,
				  const unsigned long *nodemask)
	SW_NAME(__alloc_pages) __must_check;

/**
 * __free_pages() - drop the reference that alloc_pages() gave
 * @page: first page of the block
 * @order: as allocated
 *
 * If somebody else holds a reference on the first page of a block that is not
 * compound, the other pages are freed now and the first with the last put_page().
 *
 * Context: Any. Waits for no lock; memory that has been free for a while may be
 *          given back to the system from here (one madvise at a time).
 */
SW_API void __free_pages(struct page *page, unsigned int order) SW_NAME(__free_pages);

/** free_pages() - the same by address; @addr 0 is a no-op */
SW_API void free_pages(uintptr_t addr, unsigned int order) SW_NAME(free_pages);

/**
 * __get_free_pages() - alloc_pages() for those who want the address
 * Return: address of the block, 0 if there is none. __GFP_HIGHMEM is dropped.
 */
SW_API uintptr_t __get_free_pages(gfp_t gfp, unsigned int order)
	SW_NAME(__get_free_pages) __must_check;
SW_API uintptr_t get_zeroed_page(gfp_t gfp) SW_NAME(get_zeroed_page) __must_check;

#define alloc_page(gfp)             alloc_pages(gfp, 0)
#define __free_page(page)           __free_pages(page, 0)
#define free_page(addr)             free_pages(addr, 0)
#define __get_free_page(gfp)        __get_free_pages(gfp, 0)
#define __get_dma_pages(gfp, order) __get_free_pages((gfp) | GFP_DMA, order)

/**
 * alloc_pages_exact() - contiguous memory of whole pages, not of a power of two
 * @size: bytes, rounded up to pages; 0 or more than the largest block: NULL
 *
 * The pages past @size are given back at once. __GFP_COMP makes no sense here:
 * warned about and dropped.
 */
SW_API void *alloc_pages_exact(size_t size, gfp_t gfp)
	SW_NAME(alloc_pages_exact) __must_check SW_MALLOC SW_ALLOC_SIZE(1);
SW_API void *alloc_pages_exact_nid(int nid, size_t size, gfp_t gfp)
	SW_NAME(alloc_pages_exact_nid) __must_check SW_MALLOC SW_ALLOC_SIZE(2);
SW_API void free_pages_exact(void *virt, size_t size) SW_NAME(free_pages_exact);

/**
 * alloc_pages_bulk() - fill the empty slots of an array with single pages
 * @nr_pages: slots of @page_array
 *
 * Slots that are not NULL are left alone and counted.
 * Return: how many slots from the start are now filled; may be short.
 */
SW_API unsigned long alloc_pages_bulk(gfp_t gfp, unsigned long nr_pages, struct page **page_array)
	SW_NAME(alloc_pages_bulk);
SW_API unsigned long alloc_pages_bulk_node(gfp_t gfp, int nid, unsigned long nr_pages,
					   struct page **page_array) SW_NAME(alloc_pages_bulk_node);
/** alloc_pages_bulk_list() - the list form of 5.13 … 6.13: pages linked by page->lru */
SW_API unsigned long alloc_pages_bulk_list(gfp_t gfp, unsigned long nr_pages,
					   struct list_head *list) SW_NAME(alloc_pages_bulk_list);
#define alloc_pages_bulk_array(gfp, nr, array)           alloc_pages_bulk(gfp, nr, array)
#define alloc_pages_bulk_array_node(gfp, nid, nr, array) alloc_pages_bulk_node(gfp, nid, nr, array)

/**
 * alloc_pages_nolock() - from any context whatever: tries locks, makes no system call
 * free_pages_nolock() - its counterpart; gives nothing back to the system
 */
SW_API struct page *alloc_pages_nolock(gfp_t gfp, int nid, unsigned int order)
	SW_NAME(alloc_pages_nolock) __must_check;
SW_API void free_pages_nolock(struct page *page, unsigned int order) SW_NAME(free_pages_nolock);

/** split_page() - make 2^order single pages, each with its own count, of a block (not compound) */
SW_API void split_page(struct page *page, unsigned int order) SW_NAME(split_page);
/** get_page() / put_page() - one more, one less reference; the last put frees. Tails stand for their head. */
SW_API void get_page(struct page *page) SW_NAME(get_page);
SW_API void put_page(struct page *page) SW_NAME(put_page);
SW_API int page_ref_count(const struct page *page) SW_NAME(page_ref_count);

/* Arithmetic. @addr and @pfn must be ours where a struct page is returned: see pfn_valid(). */
SW_API struct page *virt_to_page(const void *addr) SW_NAME(virt_to_page);
SW_API struct page *virt_to_head_page(const void *addr) SW_NAME(virt_to_head_page);
SW_API struct page *compound_head(const struct page *page) SW_NAME(compound_head);
SW_API void *page_address(const struct page *page) SW_NAME(page_address);
SW_API unsigned long page_to_pfn(const struct page *page) SW_NAME(page_to_pfn);
SW_API struct page *pfn_to_page(unsigned long pfn) SW_NAME(pfn_to_page);
/** pfn_valid() - is there a struct page for this frame? Any value may be asked. */
SW_API bool pfn_valid(unsigned long pfn) SW_NAME(pfn_valid);
/** virt_addr_valid() - is this an address of the page allocator? Any value may be asked. */
SW_API bool virt_addr_valid(const void *addr) SW_NAME(virt_addr_valid);

/* The "physical" address of a byte is its virtual address. */
static inline phys_addr_t virt_to_phys(const volatile void *addr)
{
	return (phys_addr_t)(uintptr_t)addr;
}

static inline void *phys_to_virt(phys_addr_t addr)
{
	return (void *)(uintptr_t)addr;
}

SW_API unsigned int compound_order(const struct page *page) SW_NAME(compound_order);
SW_API bool PageCompound(const struct page *page) SW_NAME(PageCompound);
SW_API bool PageHead(const struct page *page) SW_NAME(PageHead);
SW_API bool PageTail(const struct page *page) SW_NAME(PageTail);
SW_API bool PageSlab(const struct page *page) SW_NAME(PageSlab);
SW_API bool PageReserved(const struct page *page) SW_NAME(PageReserved);
/** page_zonenum() - 0 DMA, 1 DMA32, 2 Normal, 3 Movable */
SW_API int page_zonenum(const struct page *page) SW_NAME(page_zonenum);
SW_API int page_to_nid(const struct page *page) SW_NAME(page_to_nid);

/** get_order() - the smallest order whose block holds @size bytes; size 0 is not allowed */
static inline unsigned int get_order(size_t size)
{
	size_t pages = (size - 1) >> PAGE_SHIFT;

	return pages ? (unsigned int)(8 * sizeof(long)) - (unsigned int)__builtin_clzl(pages) : 0;
}

/* A folio is a page that is no tail: the same thing under another type. */
struct folio;
SW_API struct folio *folio_alloc(gfp_t gfp, unsigned int order) SW_NAME(folio_alloc) __must_check;
SW_API void folio_get(struct folio *folio) SW_NAME(folio_get);
SW_API void folio_put(struct folio *folio) SW_NAME(folio_put);
SW_API size_t folio_size(const struct folio *folio) SW_NAME(folio_size);
SW_API unsigned int folio_order(const struct folio *folio) SW_NAME(folio_order);
SW_API void *folio_address(const struct folio *folio) SW_NAME(folio_address);
SW_API struct folio *page_folio(struct page *page) SW_NAME(page_folio);
SW_API struct page *folio_page(struct folio *folio, size_t n) SW_NAME(folio_page);

/* How much there is. Pages, except where struct sysinfo says mem_unit bytes. */
SW_API void si_meminfo(struct sysinfo *info) SW_NAME(si_meminfo);
SW_API unsigned long nr_free_pages(void) SW_NAME(nr_free_pages);
/** nr_free_buffer_pages() - pages above `high` in the zones that GFP_USER can have */
SW_API unsigned long nr_free_buffer_pages(void) SW_NAME(nr_free_buffer_pages);

/** show_mem() - Mem-Info, the kernel's way, on stderr */
SW_API void show_mem(void) SW_NAME(show_mem);
/** dump_page() - what is known of one page, on stderr */
SW_API void dump_page(const struct page *page, const char *reason) SW_NAME(dump_page);

SW_END_DECLS

#endif /* SW_MM_H */
