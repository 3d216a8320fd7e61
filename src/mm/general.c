/* SPDX-License-Identifier: MIT */
/*
 * general.c - objects, blocks and areas by address alone, for a malloc front
 *
 * Room: mm.  Door: <slabwork/general.h>.  Below us: slub.c (objects), page_alloc.c
 * (blocks), vmalloc.c (areas).
 *
 * 1. Blocks
 *
 * A block is a run of pages cut from one buddy block of order k and trimmed: only
 * its n pages are held, the rest went back in the largest aligned pieces it is
 * made of, and the n pages go back in the same way.
 *
 *   order 5:  |<------------ 17 pages ------------>|4p... |8 pages.............|
 *             head: PG_large, index = 17            free   free
 *
 * Only the head is written: PG_large says that a block starts here, page->index how
 * many pages it has. Clearing PG_large is one atomic operation, so of two frees
 * one finds it clear and is a double free. Tail pages carry no mark; for a report
 * the head is looked for downwards.
 *
 * Blocks of the sizes that malloc asks for most belong to caches (SLAB_BLOCKS): sheaves keep the
 * warm ones, objmap holds their tag while they are live, and head->slab_cache names
 * the cache, NULL for all others.
 *
 * 2. Growing
 *
 * A block that realloc() makes larger than GROW_TO_AREA, or again and again, becomes an area
 * with room behind it: from then on growing is a comparison (sw_block_resize_within()), and where
 * the room ends it moves page tables, not bytes. Whoever grows once grows again.
 *
 * 3. Invariants
 *
 *   G1  PG_large is set on a page exactly while a block starts there (live, or in a sheaf of
 *       its cache); kmalloc_large()'s blocks are compound (PG_head) and keep their length in
 *       page->order.
 *   G2  The head's count is 1, the tails' 0, while the block lives.
 *   G3  Nothing here reads memory at an address that is asked about.
 *
 * Locks: none of its own.
 */

#include <slabwork/general.h>

#include "mm/boot.h"
#include "mm/page_alloc.h"
#include "mm/slub_internal.h"
#include "mm/vmalloc.h"

/* Copying 256 KiB costs what two mmap calls and a few faults do. */
#define GROW_TO_AREA    (256UL << 10)
#define BLOCK_MAX_PAGES (1UL << MAX_PAGE_ORDER)

static _Atomic unsigned long nr_block_pages;

bool sw_boot(void)
{
	mm_boot();
	return __atomic_load_n((int *)&mm_boot_state, __ATOMIC_ACQUIRE) == 2;
}

/* ---- blocks ---- */

static unsigned int pages_order(unsigned long nr)
{
	return nr <= 1 ? 0 : 64 - (unsigned int)__builtin_clzl(nr - 1);
}

/* Give [from, to) back in the largest pieces that are aligned as the buddy wants. Counts are 0. */
static void free_page_range(struct page *head, unsigned long from, unsigned long to)
{
	unsigned long pfn = page_to_pfn_raw(head);
	unsigned int place = page_place(head);

	while (from < to) {
		unsigned int order = MAX_PAGE_ORDER;
		unsigned int fits = 63 - (unsigned int)__builtin_clzl(to - from);

		if ((pfn + from) & (BLOCK_MAX_PAGES - 1))
			order = (unsigned int)__builtin_ctzl(pfn + from);
		if (order > fits)
			order = fits;
		free_plain_pages(head + from, order, place);
		from += 1UL << order;
	}
}

/* ---- zeroes ---- */

/*
 * Reading is twice as fast as writing, and a line that is not written need not be written back:
 * what was zeroed for its last owner is often still zero for the most part. A page is looked at
 * up to its first byte that is not; the rest of it is written, and where pages are dirty one
 * after the other twice as many at a time, so that full blocks cost what memset() costs.
 */
#define LOOK_LEAST \
	(64UL << 10) /* smaller blocks lie in the nearest cache, where memset() is as fast */
#define WRITE_MOST (64UL << 10) /* without looking again */
#define LOOK_STEP  128          /* bytes for each branch */

typedef long long look_step __attribute__((vector_size(16), may_alias));

/* The first LOOK_STEP bytes of [p, end) that are not all zero, or end. */
static char *first_dirty(char *p, const char *end)
{
	for (; p < end; p += LOOK_STEP) {
		const look_step *v = __builtin_assume_aligned(p, LOOK_STEP);
		look_step any = v[0] | v[1] | v[2] | v[3] | v[4] | v[5] | v[6] | v[7];

		if (any[0] | any[1])
			break;
	}
	return p;
}

void *sw_block_zero(void *block, size_t size)
{
	char *p = block, *end = p + size;
	size_t run = PAGE_SIZE;

	if (size < LOOK_LEAST)
		return memset(block, 0, size);
	while ((size_t)(end - p) >= run) {
		char *dirty = first_dirty(p, p + PAGE_SIZE);

		if (dirty == p + PAGE_SIZE) {
			p = dirty;
			run = PAGE_SIZE;
			continue;
		}
		memset(dirty, 0, (size_t)(p + run - dirty));
		p += run;
		run = run < WRITE_MOST ? 2 * run : run;
	}
	memset(p, 0, (size_t)(end - p));
	return block;
}

/* A run of nr pages; the head says whose it is. */
static struct page *block_cut(struct kmem_cache *s, unsigned long nr, unsigned int order, int nid,
			      gfp_t gfp)
{
	bool zero = false;
	struct page *head = alloc_plain_pages(gfp & ~__GFP_ZERO, order, nid, &zero);

	if (!head)
		return NULL;
	if (nr < 1UL << order)
		free_page_range(head, nr, 1UL << order);
	if (gfp & __GFP_ZERO && !zero)
		sw_block_zero(page_addr(head), nr << PAGE_SHIFT);
	head->index = (unsigned int)nr;
	head->slab_cache = s;
	if (s)
		page_tag_set(page_addr(head), 1, general_tag_of(s));
	page_set(head, PG_large);
	return head;
}

/* False: somebody else has freed it. */
static bool block_give_up(struct page *head)
{
	unsigned long nr = head->index, first;

	if (!(atomic_fetch_and_explicit(&head->flags, ~(1u << PG_large), memory_order_acq_rel) &
	      (1u << PG_large)))
		return false;
	page_tag_set(page_addr(head), 1, 0);
	head->slab_cache = NULL;
	/* A look-up that took it for a page of a file it once was may hold it: it goes with that. */
	first = atomic_fetch_sub_explicit(&head->_refcount, 1, memory_order_acq_rel) != 1;
	free_page_range(head, first, nr);
	return true;
}

static void *block_alloc(unsigned long nr, unsigned int order, gfp_t gfp)
{
	struct page *head = block_cut(NULL, nr, order, NUMA_NO_NODE, gfp);

	if (!head)
		return NULL;
	atomic_fetch_add_explicit(&nr_block_pages, nr, memory_order_relaxed);
	return page_addr(head);
}

/* ---- blocks of caches ---- */

/* So many more pages in blocks of caches than lately: time to look what lies idle in other sizes. */
#define REAP_PAGES (8L << 20 >> PAGE_SHIFT)

static _Atomic long held_pages; /* in blocks of caches, live and in sheaves */
static _Atomic long held_least; /* since the last look */

static void hold_pages(long pages)
{
	long now = atomic_fetch_add_explicit(&held_pages, pages, memory_order_relaxed) + pages;

	if (now < atomic_load_explicit(&held_least, memory_order_relaxed))
		atomic_store_explicit(&held_least, now, memory_order_relaxed);
}

/* What a program freed in one size must not add up with what it wants in the next. */
static void reap_others(void)
{
	if (atomic_load_explicit(&held_pages, memory_order_relaxed) -
		    atomic_load_explicit(&held_least, memory_order_relaxed) <
	    REAP_PAGES)
		return;
	block_sheaves_reap();
	atomic_store_explicit(&held_least, atomic_load_explicit(&held_pages, memory_order_relaxed),
			      memory_order_relaxed);
}

static void count_blocks(struct kmem_cache *s, const struct page *head, long delta)
{
	struct kmem_cache_node *n = get_node(s, (int)(page_place(head) >> PAGE_NODE_SHIFT));

	atomic_fetch_add_explicit(&n->nr_slabs, (unsigned long)delta, memory_order_relaxed);
	atomic_fetch_add_explicit(&n->total_objects, (unsigned long)delta, memory_order_relaxed);
	hold_pages(delta * (long)s->block_pages);
}

unsigned int block_take(struct kmem_cache *s, gfp_t gfp, int nid, void **p, unsigned int n)
{
	unsigned int got;

	if (gfpflags_allow_blocking(gfp))
		reap_others();

	for (got = 0; got < n; got++) {
		struct page *head =
			block_cut(s, s->block_pages, oo_order(s->oo), nid, gfp & ~__GFP_ZERO);

		if (!head)
			break;
		count_blocks(s, head, 1);
		p[got] = page_addr(head);
	}
	return got;
}

void block_put(struct kmem_cache *s, void **p, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		struct page *head = addr_to_page(p[i]);

		count_blocks(s, head, -1);
		block_give_up(head);
	}
}

void *sw_block_cache_zalloc(struct kmem_cache *s, gfp_t gfp)
{
	struct page *head;

	blocks_hot(s, true);
	reap_others();
	head = block_cut(s, s->block_pages, oo_order(s->oo), NUMA_NO_NODE, gfp | __GFP_ZERO);
	if (!head)
		return NULL;
	count_blocks(s, head, 1);
	object_set_live(s, page_addr(head));
	return page_addr(head);
}

/*
 * A live block of a cache is its owner's, who wants it out of the cache: as a plain block
 * (to be trimmed, or freed past the sheaves). False: it was not live.
 */
static bool block_leave_cache(struct page *head)
{
	struct kmem_cache *s = head->slab_cache;
	void *p = page_addr(head);

	if (!s)
		return true;
	if (*objmap_byte(p) != objmap_tag(s, p))
		return false;
	*objmap_byte(p) = 0;
	count_blocks(s, head, -1);
	page_tag_set(page_addr(head), 1, 0);
	head->slab_cache = NULL;
	atomic_fetch_add_explicit(&nr_block_pages, head->index, memory_order_relaxed);
	return true;
}

static bool block_live(const struct page *head)
{
	const struct kmem_cache *s = page_test(head, PG_head) ? NULL : head->slab_cache;
	const void *p = page_addr(head);

	return !s || *objmap_byte(p) == objmap_tag(s, p);
}

/* The page of the live block that starts at p; NULL: none does. */
static struct page *block_head(const void *p)
{
	struct page *page;

	if (((uintptr_t)p & ~PAGE_MASK) || !layout_addr_online((uintptr_t)p))
		return NULL;
	page = addr_to_page(p);
	return page_test(page, PG_large) && block_live(page) ? page : NULL;
}

static unsigned long block_pages(const struct page *head)
{
	return page_test(head, PG_head) ? 1UL << head->order : head->index;
}

static bool block_free(struct page *head)
{
	unsigned long nr = block_pages(head);

	if (page_test(head, PG_head)) {
		sw_kfree_slow(page_addr(head), 0);
		return true;
	}
	if (!block_leave_cache(head) || !block_give_up(head))
		return false;
	atomic_fetch_sub_explicit(&nr_block_pages, nr, memory_order_relaxed);
	return true;
}

struct kmem_cache *sw_block_cache_create(const char *name, unsigned int pages)
{
	return kmem_cache_create_general(name, pages << PAGE_SHIFT, PAGE_SIZE, SLAB_BLOCKS);
}

/* ---- areas ---- */

static void *area_alloc(size_t size, size_t align, gfp_t gfp)
{
	bool zeroed = false;
	void *p = vm_large_alloc(size, align, &zeroed);

	if (p && (gfp & __GFP_ZERO) && !zeroed)
		memset(p, 0, size);
	return p;
}

void *sw_block_alloc(size_t size, size_t align, gfp_t gfp)
{
	unsigned long nr = PAGE_ALIGN(size) >> PAGE_SHIFT;
	unsigned int order, align_order;
	void *p;

	if (size > KMALLOC_MAX_SIZE || align > KMALLOC_MAX_SIZE)
		return area_alloc(size, align > PAGE_SIZE ? align : 0, gfp);
	order = pages_order(nr ? nr : 1);
	align_order = pages_order(PAGE_ALIGN(align) >> PAGE_SHIFT);
	p = block_alloc(nr ? nr : 1, order > align_order ? order : align_order, gfp);
	/* No run of pages that long: an area needs only addresses. */
	if (!p && order > PAGE_ALLOC_COSTLY_ORDER && gfpflags_allow_blocking(gfp))
		p = area_alloc(size, align > PAGE_SIZE ? align : 0, gfp);
	return p;
}

/* Shrink in place; false: it must be moved. */
static bool block_resize(struct page *head, unsigned long nr)
{
	unsigned long old = block_pages(head);

	if (nr > old || page_test(head, PG_head))
		return nr <= old;
	/* A block of a cache stays one while it is more than half used. */
	if (head->slab_cache && (nr > old / 2 || !block_leave_cache(head)))
		return true;
	if (nr < old) {
		head->index = (unsigned int)nr;
		free_page_range(head, nr, old);
		atomic_fetch_sub_explicit(&nr_block_pages, old - nr, memory_order_relaxed);
	}
	return true;
}

void *sw_block_alloc_growing(size_t size)
{
	return vm_large_alloc_growing(size, NULL);
}

bool sw_block_resize_within(const void *block, size_t size)
{
	return vm_large_resize_within((void *)block, size);
}

void *sw_block_realloc(void *block, size_t size, bool again, gfp_t gfp)
{
	size_t old_size = sw_usable_size(block);
	struct page *head = block_head(block);
	void *new = NULL;

	if (head && block_resize(head, PAGE_ALIGN(size) >> PAGE_SHIFT))
		return block;
	if (!head) {
		new = vm_large_realloc(block, size);
		if (new)
			return new;
	}
	if (head && size > old_size && (again || size >= GROW_TO_AREA) &&
	    gfpflags_allow_blocking(gfp))
		new = vm_large_alloc_growing(size, NULL);
	if (!new)
		new = sw_block_alloc(size, PAGE_SIZE, gfp);
	if (!new)
		return NULL;
	memcpy(new, block, old_size < size ? old_size : size);
	/* What grows once grows again: the old block is of no use to a sheaf. */
	if (!head || !block_free(head))
		sw_try_free(block);
	return new;
}

/* ---- by address ---- */

/* Is the object of s that starts at p live? Caches without tags are trusted. */
static bool object_live(const struct kmem_cache *s, const void *p)
{
	return !s->fast.tag || *objmap_byte(p) == objmap_tag(s, p);
}

/* The cache of the live object that starts at p; NULL: none does. */
static struct kmem_cache *object_cache(const void *p)
{
	struct page *slab;
	struct kmem_cache *s = slab_cache_of(p, &slab);

	return s && obj_to_index(s, slab, p) >= 0 && object_live(s, p) ? s : NULL;
}

bool sw_try_free(const void *p)
{
	struct kmem_cache *s = object_cache(p);
	struct page *head;

	if (s) {
		slab_free_slow(s, (void *)p, false, "free()");
		return true;
	}
	head = block_head(p);
	if (head && !page_test(head, PG_head) && head->slab_cache) {
		s = head->slab_cache;
		*objmap_byte(p) = 0;
		slab_free_slow(s, (void *)p, true, "free()");
		return true;
	}
	if (head)
		return block_free(head);
	return vm_large_free((void *)p);
}

size_t sw_usable_size(const void *p)
{
	struct kmem_cache *s = object_cache(p);
	struct page *head;

	if (s)
		return s->object_size;
	head = block_head(p);
	if (head)
		return block_pages(head) << PAGE_SHIFT;
	return vm_large_size(p);
}

static bool in_vmalloc_window(uintptr_t addr)
{
	return addr >= sw_layout.vmalloc_start && addr < sw_layout.vmalloc_end;
}

bool sw_owns(const void *p)
{
	uintptr_t addr = (uintptr_t)p;

	return layout_addr_online(addr) || in_vmalloc_window(addr);
}

/* ---- for reports ---- */

static void what_in_slab(struct kmem_cache *s, struct page *slab, uintptr_t addr,
			 struct sw_what *what)
{
	uintptr_t base = (uintptr_t)page_addr(slab);
	uintptr_t first = base + s->red_left_pad;
	unsigned int index = addr < first ? 0 : (unsigned int)((addr - first) / s->size);
	bool live;

	if (index >= slab->objects)
		index = slab->objects ? slab->objects - 1u : 0;
	what->is_object = true;
	what->cache = s->name;
	what->slab = base;
	what->index = index;
	what->start = first + (uintptr_t)index * s->size;
	what->size = s->object_size;
	live = object_live(s, (void *)what->start);
	if (addr == what->start)
		what->kind = live ? SW_WHAT_LIVE : SW_WHAT_FREE;
	else
		what->kind = live ? SW_WHAT_INTERIOR : SW_WHAT_FREE_INSIDE;
}

/* The block that this page is part of, looked for downwards in its section. */
static struct page *block_around(struct page *page)
{
	for (unsigned long back = 0; back < BLOCK_MAX_PAGES; back++) {
		struct page *head = page - back;

		if (page_test(head, PG_large))
			return block_pages(head) > back ? head : NULL;
		if (!(page_to_pfn_raw(head) & (BLOCK_MAX_PAGES - 1)))
			return NULL;
	}
	return NULL;
}

struct area_query {
	uintptr_t addr;
	struct sw_what *what;
};

static void what_area(const struct vmap_view *view, void *arg)
{
	struct area_query *query = arg;

	if (!view->vm || query->addr < view->start || query->addr >= view->end)
		return;
	query->what->kind = query->addr == view->start ? SW_WHAT_LIVE : SW_WHAT_INTERIOR;
	query->what->start = view->start;
	query->what->size = PAGE_ALIGN(view->vm->requested_size);
}

void sw_what_is(const void *p, struct sw_what *what)
{
	struct area_query query = { (uintptr_t)p, what };
	struct kmem_cache *s;
	struct page *head;

	memset(what, 0, sizeof(*what));
	what->kind = SW_WHAT_FOREIGN;
	if (in_vmalloc_window(query.addr)) {
		what->kind = SW_WHAT_FREE_PAGE;
		vmap_for_each(what_area, &query);
		return;
	}
	if (!layout_addr_online(query.addr))
		return;
	s = slab_cache_of(p, &head);
	if (s) {
		what_in_slab(s, head, query.addr, what);
		return;
	}
	what->kind = SW_WHAT_FREE_PAGE;
	head = block_around(addr_to_page(p));
	if (!head)
		return;
	what->start = (uintptr_t)page_addr(head);
	what->size = block_pages(head) << PAGE_SHIFT;
	if (query.addr == what->start)
		what->kind = block_live(head) ? SW_WHAT_LIVE : SW_WHAT_FREE;
	else
		what->kind = block_live(head) ? SW_WHAT_INTERIOR : SW_WHAT_FREE_INSIDE;
	if (!page_test(head, PG_head) && head->slab_cache)
		what->cache = head->slab_cache->name;
}

/* ---- statistics ---- */

struct cache_sums {
	size_t slabs, total, free, stock;
};

static void cache_sums(struct kmem_cache *s, struct cache_sums *sums)
{
	memset(sums, 0, sizeof(*sums));
	for (unsigned int nid = 0; nid < nr_node_ids; nid++) {
		struct kmem_cache_node *n = s->node[nid];

		if (!n)
			continue;
		sums->slabs += atomic_load_explicit(&n->nr_slabs, memory_order_relaxed);
		sums->total += atomic_load_explicit(&n->total_objects, memory_order_relaxed);
		sums->free += atomic_load_explicit(&n->free_objects, memory_order_relaxed);
	}
	sums->stock = slab_sheaf_objects(s);
	if (sums->free + sums->stock > sums->total) /* racing with frees */
		sums->stock = sums->total > sums->free ? sums->total - sums->free : 0;
}

static size_t cache_live(const struct cache_sums *sums)
{
	size_t idle = sums->free + sums->stock;

	return sums->total > idle ? sums->total - idle : 0;
}

static size_t slab_bytes(const struct kmem_cache *s)
{
	return (size_t)slab_pages(s) << PAGE_SHIFT;
}

static void count_area(const struct vmap_view *view, void *arg)
{
	struct sw_heap_stats *stats = arg;

	if (!view->vm)
		return;
	stats->area_count++;
	stats->area_bytes += PAGE_ALIGN(view->vm->requested_size); /* room is nobody's memory */
}

void sw_heap_stats(struct sw_heap_stats *stats)
{
	memset(stats, 0, sizeof(*stats));
	for (unsigned int tag = 1; tag <= SLAB_TAG_GENERAL; tag++) {
		struct kmem_cache *s = general_caches[tag];
		struct cache_sums sums;

		if (!s)
			continue;
		cache_sums(s, &sums);
		stats->slab_live += cache_live(&sums) * s->object_size;
		stats->slab_held += sums.slabs * slab_bytes(s);
		stats->slab_stock += sums.stock * s->object_size;
		stats->slab_objects += cache_live(&sums);
		stats->slab_free_objects += sums.free + sums.stock;
	}
	stats->block_bytes = atomic_load_explicit(&nr_block_pages, memory_order_relaxed)
			     << PAGE_SHIFT;
	vmap_for_each(count_area, stats);
	stats->free_pages = global_zone_page_state(NR_FREE_COMMITTED) << PAGE_SHIFT;
}

bool sw_cache_stats(unsigned int nth, struct sw_cache_stats *stats)
{
	for (unsigned int tag = 1; tag <= SLAB_TAG_GENERAL; tag++) {
		struct kmem_cache *s = general_caches[tag];
		struct cache_sums sums;

		if (!s || nth--)
			continue;
		cache_sums(s, &sums);
		stats->name = s->name;
		stats->object_size = s->object_size;
		stats->live = cache_live(&sums);
		stats->total = sums.total;
		stats->slabs = sums.slabs;
		stats->slab_bytes = sums.slabs * slab_bytes(s);
		return true;
	}
	return false;
}
