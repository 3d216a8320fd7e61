/* SPDX-License-Identifier: MIT */
#ifndef SW_VIEW_H
#define SW_VIEW_H

/**
 * DOC: <slabwork/view.h> - the heap of this process or another, in numbers
 *
 * What <slabwork/show.h> prints in the kernel's formats, here as structures, for
 * programs that draw. Three numbers answer "leak, retention or fragmentation?":
 *
 *	live	what the program holds: objects, blocks of pages, areas
 *	held	what we hold for it: memory that may have something behind it
 *	rss	what the system has given (from /proc, not from us)
 *
 *	held = live + waste,  waste = rounding + partial_slabs + cpu_stock + free_pages
 *
 * An object counts with its cache's object size: nobody records what was asked
 * for, so the part of an object that the program did not ask for is in live.
 * Rounding is what is known exactly: bytes of slabs that are part of no object,
 * and the rest of an area's last page.
 *
 * Nothing is counted for these calls, see <slabwork/show.h>. The other process is
 * neither stopped nor locked, so a sum is of no one moment.
 *
 * Threads  All calls are safe together and with allocation.
 * Room: proc (heap.c, page_map.c).  Map: docs/kernel-map.md
 */

#include <slabwork/show.h>

SW_BEGIN_DECLS

#define SW_VIEW_ORDERS 11 /* orders of free blocks: 0 .. MAX_PAGE_ORDER */

/**
 * struct sw_cache_view - one cache
 * @id: its address there: the same cache in the next look
 * @name: "malloc-64"
 * @object_size: bytes of an object that the user may use
 * @objects: in all its slabs
 * @live: of them, the program's
 * @stock: of them, free, in the CPUs' stock
 * @slabs: how many
 * @partial: slabs with objects free in them
 * @bytes: of all its slabs
 */
struct sw_cache_view {
	uintptr_t id;
	char name[64];
	size_t object_size;
	unsigned long objects, live, stock, slabs, partial;
	size_t bytes;
};

/**
 * struct sw_heap_view - all of it, in bytes
 * @live: what the program holds
 * @held: what we hold
 * @rounding: slabs' bytes in no object, areas' bytes past what was asked for
 * @partial_slabs: objects that are free in their slabs
 * @cpu_stock: free objects in sheaves and barns, free pages on page lists
 * @free_pages: free blocks that may have memory behind them, @unpurged included
 * @unpurged: areas that were freed and are not given back yet
 * @blocks: part of @live: blocks of pages, and pages of our own
 * @areas: part of @live: areas
 * @nr_areas: how many
 * @free_blocks: free blocks by order
 * @failed: requests that were answered with NULL
 */
struct sw_heap_view {
	size_t live, held;
	size_t rounding, partial_slabs, cpu_stock, free_pages;
	size_t unpurged, blocks, areas;
	unsigned long nr_areas;
	unsigned long free_blocks[SW_VIEW_ORDERS];
	unsigned long failed;
};

/**
 * sw_view_heap() - sums over the whole heap
 * @view: where to read; NULL: this process
 * @heap: receives them
 *
 * Context: May sleep.
 * Return: 0; -EAGAIN the process changed too fast, or its allocator has not
 *         started; -EPROTO its library is of another version; or what
 *         @view->read returned.
 */
SW_API int sw_view_heap(struct sw_view *view, struct sw_heap_view *heap);

/**
 * sw_view_caches() - every cache, in order of creation
 * @view: where to read; NULL: this process
 * @fn: called for each; not 0 ends the walk
 * @arg: passed to @fn
 *
 * Context: May sleep. Holds no lock of ours while @fn runs.
 * Return: as sw_view_heap(), or what @fn returned. After -EAGAIN begin anew: @fn
 *         may have seen a part.
 */
SW_API int sw_view_caches(struct sw_view *view,
			  int (*fn)(const struct sw_cache_view *cache, void *arg), void *arg);

/** enum sw_page_kind - what holds a page */
enum sw_page_kind {
	SW_PAGE_HOLE,      /* somebody else's memory in our window */
	SW_PAGE_UNTOUCHED, /* free, nothing behind it: given back, or never touched */
	SW_PAGE_FREE,      /* free, may have memory behind it */
	SW_PAGE_STOCK,     /* free, on a CPU's page list or in the reserve */
	SW_PAGE_SLAB,
	SW_PAGE_BLOCK, /* the program's, or our own, in blocks of pages */
	SW_PAGE_AREA,
	SW_PAGE_UNPURGED, /* an area that was freed and is not given back yet */
	SW_NR_PAGE_KINDS
};

/**
 * struct sw_page_run - neighbours of one kind
 * @start: address of the first byte
 * @bytes: a multiple of the page
 * @cache: SW_PAGE_SLAB: whose, as sw_cache_view.id
 * @kind: what holds them
 */
struct sw_page_run {
	uintptr_t start;
	size_t bytes;
	uintptr_t cache;
	enum sw_page_kind kind;
};

/**
 * sw_view_pages() - every page there is, in order of addresses
 * @view: where to read; NULL: this process
 * @fn: called for each run of pages; not 0 ends the walk
 * @arg: passed to @fn
 *
 * First the memory of the zones, then areas. Pages come and go meanwhile: what
 * cannot be made sense of is SW_PAGE_BLOCK.
 *
 * Context: May sleep. Holds no lock of ours while @fn runs.
 * Return: as sw_view_caches().
 */
SW_API int sw_view_pages(struct sw_view *view, int (*fn)(const struct sw_page_run *run, void *arg),
			 void *arg);

SW_END_DECLS

#endif /* SW_VIEW_H */
