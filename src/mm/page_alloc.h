/* SPDX-License-Identifier: MIT */
#ifndef MM_PAGE_ALLOC_H
#define MM_PAGE_ALLOC_H

/*
 * page_alloc.h - inside the page allocator, and what its neighbours in mm may ask of it
 *
 * Room: mm. The public calls are in <slabwork/mm.h>. Layers, each with one door
 * below it (a leading __ means: the caller holds zone->lock):
 *
 *   page_alloc.c    zonelist walk, watermarks, slow path, free, reference counts
 *   pcp.c           page lists of a cid            pcp_alloc, pcp_free, pcp_drain_all
 *   buddy.c         free areas of a zone           __buddy_alloc, __buddy_free
 *   memory_online.c sections come online           memory_online_more
 *   give_back.c     free memory goes to the OS     give_back_tick, page_alloc_trim
 *   atomic_reserve.c  last help of GFP_ATOMIC      atomic_reserve_get
 *   mmzone.c        nodes, zonelists, watermarks, counters
 *   page_report.c   failure report, dump_page, show_mem
 */

#include <slabwork/mm.h>

#include "kernel/current.h"
#include "mm/boot.h"
#include "mm/layout.h"
#include "mm/page.h"
#include "mm/zone.h"

/* ---- how hard an allocation may try ------------------------------------------- */

#define ALLOC_WMARK_MIN     WMARK_MIN
#define ALLOC_WMARK_LOW     WMARK_LOW
#define ALLOC_WMARK_HIGH    WMARK_HIGH
#define ALLOC_NO_WATERMARKS 0x04
#define ALLOC_WMARK_MASK    (ALLOC_NO_WATERMARKS - 1)
#define ALLOC_NON_BLOCK     0x10   /* with MIN_RESERVE: a quarter of the rest more */
#define ALLOC_MIN_RESERVE   0x20   /* __GFP_HIGH: half of min */
#define ALLOC_OOM           0x40   /* just made an OOM report: half of what is left */
#define ALLOC_HIGHATOMIC    0x200  /* may take HighAtomic pageblocks */
#define ALLOC_KSWAPD        0x800  /* may wake kswapd */
#define ALLOC_TRYLOCK       0x1000 /* atomic context: wait for no lock, make no system call */
#define ALLOC_RESERVES      (ALLOC_NON_BLOCK | ALLOC_MIN_RESERVE | ALLOC_OOM | ALLOC_HIGHATOMIC)

/*
 * Like alloc_pages_node(); *known_zero says that the pages are zero although
 * nobody asked: a caller that must zero can leave it out. With __GFP_ZERO it is
 * always true. Context as the gfp flags say. NULL: *known_zero is untouched.
 */
struct page *__alloc_pages_zeroed_hint(gfp_t gfp, unsigned int order, int nid, bool *known_zero);

/*
 * The same for who will not look at any entry but the first: they may be all zero, place
 * included. Only free_plain_pages() may take them back, in any pieces.
 */
struct page *alloc_plain_pages(gfp_t gfp, unsigned int order, int nid, bool *known_zero);
/* The entry may be any of such a block; @place is that of its first. Any context. */
void free_plain_pages(struct page *page, unsigned int order, unsigned int place);

/* Zone and mobility that gfp asks for. */
enum zone_type gfp_zone(gfp_t gfp);
enum migratetype gfp_migratetype(gfp_t gfp);

/* Give back a page whose count has dropped to 0. Any context. */
void free_frozen_pages(struct page *page, unsigned int order);

/* ---- page bits ------------------------------------------------------------------ */

#define PAGE_PLACE_MASK (~((1u << PAGE_ZONE_SHIFT) - 1)) /* node and zone */
_Static_assert((int)__NR_PAGEFLAGS <= PAGE_ZONE_SHIFT, "flags run into the zone bits");

static inline unsigned int page_place(const struct page *page)
{
	return atomic_load_explicit(&((struct page *)page)->flags, memory_order_relaxed) &
	       PAGE_PLACE_MASK;
}

static inline void page_flags_set_all(struct page *page, unsigned int flags)
{
	atomic_store_explicit(&page->flags, flags, memory_order_relaxed);
}

/* Node and zone of a page that is allocated or the head of a free block. */
static inline struct zone *page_zone(const struct page *page)
{
	unsigned int place = page_place(page);

	return &NODE_DATA(place >> PAGE_NODE_SHIFT)
			->node_zones[(place >> PAGE_ZONE_SHIFT) &
				     ((1u << (PAGE_NODE_SHIFT - PAGE_ZONE_SHIFT)) - 1)];
}

static inline struct pglist_data *page_pgdat(const struct page *page)
{
	return NODE_DATA(page_place(page) >> PAGE_NODE_SHIFT);
}

static inline unsigned int zone_place(const struct zone *zone)
{
	return (unsigned int)zone_to_nid(zone) << PAGE_NODE_SHIFT | (unsigned int)zone_idx(zone)
									    << PAGE_ZONE_SHIFT;
}

/* ---- sections --------------------------------------------------------------------- */

/* Biased: section_table[pfn >> MAX_PAGE_ORDER]. Mapped where online (layout.c). */
extern struct mem_section *section_table;

static inline struct mem_section *pfn_section(unsigned long pfn)
{
	return &section_table[pfn >> MAX_PAGE_ORDER];
}

static inline enum migratetype get_pageblock_type(unsigned long pfn)
{
	/* Read without the lock where a page is freed: old or new, both will do. */
	return (enum migratetype)__atomic_load_n(
		&pfn_section(pfn)->pageblock_type[(pfn >> PAGEBLOCK_ORDER) % SECTION_PAGEBLOCKS],
		__ATOMIC_RELAXED);
}

static inline void set_pageblock_type(unsigned long pfn, enum migratetype type)
{
	__atomic_store_n(
		&pfn_section(pfn)->pageblock_type[(pfn >> PAGEBLOCK_ORDER) % SECTION_PAGEBLOCKS],
		(unsigned char)type, __ATOMIC_RELAXED);
}

/* ---- lists of pages ----------------------------------------------------------------- */

static inline void page_list_init(struct list_head *list)
{
	list->next = list->prev = list;
}

static inline bool page_list_empty(const struct list_head *list)
{
	return list->next == list;
}

static inline struct page *lru_to_page(struct list_head *lru)
{
	return (struct page *)((char *)lru - offsetof(struct page, lru));
}

static inline void page_list_insert(struct page *page, struct list_head *prev,
				    struct list_head *next)
{
	page->lru.prev = prev;
	page->lru.next = next;
	prev->next = &page->lru;
	next->prev = &page->lru;
}

static inline void page_list_add(struct page *page, struct list_head *list)
{
	page_list_insert(page, list, list->next);
}

static inline void page_list_add_tail(struct page *page, struct list_head *list)
{
	page_list_insert(page, list->prev, list);
}

static inline void page_list_del(struct page *page)
{
	page->lru.prev->next = page->lru.next;
	page->lru.next->prev = page->lru.prev;
}

/* ---- buddy.c: the caller holds zone->lock ---------------------------------------------- */

void buddy_init_zone(struct zone *zone);
/*
 * Take a block; no watermark is looked at. *known_zero: no page of it was ever
 * committed. The page is on no list, its count is 0, PG_* are clear.
 */
struct page *__buddy_alloc(struct zone *zone, unsigned int order, enum migratetype type,
			   unsigned int alloc_flags, bool *known_zero);
/* Give a block back and merge it. now_ns: since when it is free, for give_back.c; 0: for long. */
void __buddy_free(struct zone *zone, struct page *page, unsigned int order, uint64_t now_ns);
/* Put what frees left behind while the lock was taken. */
void __buddy_drain_deferred(struct zone *zone, uint64_t now_ns);
/* Any context: leave a block for whoever has the lock next. */
void buddy_defer_free(struct zone *zone, struct page *page, unsigned int order);
/* Take one free block off its list, and put it back at the cold end, its bits clear. For give_back.c. */
void __buddy_isolate(struct zone *zone, struct page *page);
void __buddy_putback(struct zone *zone, struct page *page, unsigned int order, bool released);
/* A section's pages come for the first time. */
void __buddy_add_new(struct zone *zone, unsigned long pfn, unsigned long nr_pages);
/* Pages of a free or owned block that may have memory behind them. */
unsigned long __buddy_committed(unsigned long pfn, unsigned int order);
/* Return HighAtomic pageblocks to their former use. True: something was freed. */
bool __buddy_unreserve_highatomic(struct zone *zone);
void __buddy_reserve_highatomic(struct zone *zone, struct page *page);
int __buddy_validate(struct zone *zone);

/* ---- pcp.c ----------------------------------------------------------------------------- */

static inline bool pcp_allowed_order(unsigned int order)
{
	return order <= PAGE_ALLOC_COSTLY_ORDER || order == PAGEBLOCK_ORDER;
}

int pcp_init(void); /* 0 or -ENOMEM */
void pcp_set_limits(struct zone *zone);
/* Take what is on the list of this CPU, no more. NULL: nothing is, or the lock was taken. */
struct page *pcp_pop(struct zone *zone, unsigned int order, enum migratetype type,
		     bool *known_zero);
/* NULL: the lists are empty and could not be refilled, or the lock was taken. */
struct page *pcp_alloc(struct zone *zone, unsigned int order, enum migratetype type,
		       unsigned int alloc_flags, bool *known_zero);
enum pcp_free_result {
	PCP_REFUSED, /* the lock is taken, or no list wants it: still the caller's */
	PCP_KEPT,
	PCP_FLUSHED, /* kept, and others went to the buddy: time for give_back_tick() */
};
enum pcp_free_result pcp_free(struct zone *zone, struct page *page, unsigned int order);
void pcp_drain_zone(struct zone *zone); /* may sleep */
void pcp_age_huge(struct zone *zone, uint64_t freed_before_ns);
void pcp_drain_all(void); /* may sleep */
unsigned long pcp_pages(struct zone *zone);
int pcp_validate(struct zone *zone);

/* ---- memory_online.c ---------------------------------------------------------------------- */

int memory_init(void); /* zones and the first sections; 0 or -ENOMEM */
/* Bring a step of memory online for such an allocation. May sleep. False: there is no more. */
bool memory_online_more(int nid, enum zone_type highest, unsigned int order);
/* Could memory_online_more() help? Any context. */
bool memory_growable(int nid, enum zone_type highest);
/* May this zone, at idx, be grown for such a request? The low zones only for who must have them. */
static inline bool zone_may_grow_for(const struct zone *zone, enum zone_type idx,
				     enum zone_type highest)
{
	return zone->limit_pages && idx <= highest && (idx >= ZONE_NORMAL || highest <= ZONE_DMA32);
}
/* Has it not yet all that it may have, and did the OS not refuse lately? */
static inline bool zone_growable(struct zone *zone)
{
	return atomic_load_explicit(&zone->present_pages, memory_order_relaxed) <
		       zone->limit_pages &&
	       !(atomic_load_explicit(&zone->flags, memory_order_relaxed) &
		 1UL << ZONE_MEMORY_FULL);
}
/* Keep this much more than `high` free in a zone that can grow, for those who cannot wait. */
#define ELASTIC_HEADROOM_PAGES 256UL

/* ---- mmzone.c --------------------------------------------------------------------------------- */

void zone_init(struct zone *zone, int nid, enum zone_type idx);
void build_all_zonelists(void);
int local_node(void); /* of the calling thread, < nr_node_ids */
extern bool numa_fake;

/* ---- atomic_reserve.c -------------------------------------------------------------------------- */

/* One page, refcount 0, on no list; NULL: empty. Async-signal-safe, lock-free. */
extern _Atomic long atomic_reserve_nr; /* pages in it, about: machine.c shows it */
struct page *atomic_reserve_get(void);
/* Fill up from a NORMAL zone, whose lock the caller holds. Any other zone: nothing happens. */
void __atomic_reserve_refill(struct zone *zone);
void atomic_reserve_set_target(unsigned long pages);
bool atomic_reserve_low(void);

/* ---- give_back.c ----------------------------------------------------------------------------------- */

/* Release what has been free for a while. Makes system calls; cheap when not due. */
void give_back_tick(struct zone *zone, uint64_t now_ns);
size_t page_alloc_trim(size_t keep_bytes);

/* ---- page_report.c ------------------------------------------------------------------------------------ */

#define PAGE_FLAGS_TEXT_SIZE 200
const char *page_flags_text(unsigned int flags, char buf[PAGE_FLAGS_TEXT_SIZE]);
void warn_alloc(gfp_t gfp, unsigned int order);
/* Misuse: name it, the page and where, and abort. */
void bad_page(const struct page *page, unsigned int order, const char *what)
	__attribute__((noreturn, cold));

/* Walk every list of every zone, check the invariants of buddy.c and pcp.c. Broken ones, each with a line. */
int page_alloc_validate(void);

#endif /* MM_PAGE_ALLOC_H */
