/* SPDX-License-Identifier: MIT */
/*
 * page_alloc.c - give out a block of pages, take it back
 *
 * Room: mm. Door: <slabwork/mm.h>. Above us: slub.c, vmalloc.c, kmalloc_large. Below us, in
 * this order: pcp.c, buddy.c, memory_online.c, atomic_reserve.c.
 *
 * 1. The way of an allocation
 *
 *   alloc_pages ─▶ walk the zonelist at `low` ─▶ pcp ─▶ buddy ────────────────────▶ page
 *        │ no zone has enough
 *        ▼
 *   alloc_slow: may sleep and the machine can grow: bring memory online, walk again
 *        │ else: wake kswapd, walk at `min` less what the flags allow of it
 *        ▼
 *   may sleep?  no ─▶ atomic reserve ─▶ NULL
 *        │ yes
 *        ▼
 *   direct reclaim, drain the page lists of all CPUs, walk again ─▶ a few rounds
 *        ▼
 *   out_of_memory(): notifiers freed something: again; else NULL and a report
 *
 * 2. Marks. A zone that can still grow is left alone by those who may sleep as soon as it
 * falls to high + ELASTIC_HEADROOM_PAGES: they bring memory online instead, and who cannot
 * sleep finds pages. In an exact machine the marks are the kernel's.
 *
 * 3. A page's life
 *
 *   free (count 0) ─prep_new_page()─▶ count 1 ─get_page()─▶ n ─put_page()─▶ 0 ─free_frozen_pages()
 *
 * The tails of a block hold nothing that matters while it is free; prep_new_page() writes
 * them all. Every free is checked: a page that is not in use, a tail, a wrong order, a
 * pointer that is no page: named, and SIGABRT.
 *
 * 4. Locks: none of our own. With ALLOC_TRYLOCK (no __GFP_DIRECT_RECLAIM) nothing below waits
 * or calls the system. Freeing tries locks only, whoever calls; what it cannot place it
 * defers (buddy.c). A free may madvise, at most once in 250 ms a zone (give_back.c);
 * free_pages_nolock() never does.
 *
 * Departures from Linux 6.12: no compaction, cpusets, memory cgroups; OOM never kills; the growth
 * and reserve steps above. Retries are bounded: a shrinker that claims progress for ever
 * ends in NULL.
 */

#include "kernel/printk.h"
#include "mm/page_alloc.h"
#include "mm/vmscan.h"
#include "os/os.h"

#include <string.h>

#define RECLAIM_ROUNDS_MOST 16 /* the kernel's MAX_RECLAIM_RETRIES */
#define ONLINE_ROUNDS_MOST  16 /* steps grow by a quarter: far more than one allocation needs */
#define NOFAIL_WAIT_NS      1000000

/* Nobody gives these back while they are set; PG_head and PG_private fields are checked apart. */
#define PAGE_FLAGS_CHECK_AT_FREE                                                                \
	(1u << PG_locked | 1u << PG_lru | 1u << PG_active | 1u << PG_slab | 1u << PG_reserved | \
	 1u << PG_writeback | 1u << PG_tail)
#define PAGE_FLAGS_FREE (1u << PG_buddy | 1u << PG_pcp | 1u << PG_emergency)

/* What an allocation wants, worked out once. */
struct alloc_context {
	gfp_t gfp;
	unsigned int order;
	int nid;
	enum zone_type highest;
	enum migratetype type;
	const struct zonelist *zonelist;
	const unsigned long *nodemask;
};

/* --- what gfp means ----------------------------------------------------------------- */

enum zone_type gfp_zone(gfp_t gfp)
{
	if (gfp & __GFP_DMA)
		return ZONE_DMA;
	if (gfp & __GFP_DMA32)
		return ZONE_DMA32;
	if ((gfp & (__GFP_MOVABLE | __GFP_HIGHMEM)) == (__GFP_MOVABLE | __GFP_HIGHMEM))
		return ZONE_MOVABLE;
	return ZONE_NORMAL;
}

enum migratetype gfp_migratetype(gfp_t gfp)
{
	if (gfp & __GFP_RECLAIMABLE)
		return MIGRATE_RECLAIMABLE;
	return gfp & __GFP_MOVABLE ? MIGRATE_MOVABLE : MIGRATE_UNMOVABLE;
}

static bool more_than_one_place(gfp_t gfp)
{
	gfp_t places = gfp & (__GFP_DMA | __GFP_DMA32 | __GFP_HIGHMEM);

	return places & (places - 1);
}

static bool may_block(gfp_t gfp)
{
	return gfp & __GFP_DIRECT_RECLAIM;
}

static unsigned int gfp_to_alloc_flags(gfp_t gfp, unsigned int order)
{
	unsigned int flags = ALLOC_WMARK_MIN;

	if (gfp & __GFP_HIGH)
		flags |= ALLOC_MIN_RESERVE;
	if (gfp & __GFP_KSWAPD_RECLAIM)
		flags |= ALLOC_KSWAPD;
	if (may_block(gfp))
		return flags;
	flags |= ALLOC_TRYLOCK;
	if (!(gfp & __GFP_NOMEMALLOC)) {
		flags |= ALLOC_NON_BLOCK;
		if (order > 0 && gfp & __GFP_HIGH)
			flags |= ALLOC_HIGHATOMIC;
	}
	return flags;
}

/* --- the walk ---------------------------------------------------------------------------- */

static unsigned long mark_pages(struct zone *zone, unsigned int alloc_flags)
{
	enum zone_watermarks mark = alloc_flags & ALLOC_WMARK_MASK;

	/* The boost is there to wake kswapd early, not to make anybody fail. */
	if (mark == WMARK_MIN)
		return atomic_load_explicit(&zone->_watermark[WMARK_MIN], memory_order_relaxed);
	return wmark_pages(zone, mark);
}

static struct page *from_buddy(struct zone *zone, unsigned int order, enum migratetype type,
			       unsigned int alloc_flags, bool *zero)
{
	struct page *page;

	if (!spin_lock_gfp(&zone->lock, !(alloc_flags & ALLOC_TRYLOCK)))
		return NULL;
	__buddy_drain_deferred(zone, 0);
	page = __buddy_alloc(zone, order, type, alloc_flags, zero);
	if (page && alloc_flags & ALLOC_HIGHATOMIC)
		__buddy_reserve_highatomic(zone, page);
	spin_unlock(&zone->lock);
	if (page)
		atomic_fetch_add_explicit(&zone->nr_alloc_direct, 1UL << order,
					  memory_order_relaxed);
	return page;
}

static struct page *from_zone(struct zone *zone, unsigned int order, enum migratetype type,
			      unsigned int alloc_flags, bool *zero)
{
	if (likely(pcp_allowed_order(order) && !(alloc_flags & ALLOC_HIGHATOMIC))) {
		struct page *page = pcp_alloc(zone, order, type, alloc_flags, zero);

		if (likely(page))
			return page;
	}
	return from_buddy(zone, order, type, alloc_flags, zero);
}

static bool zone_allowed(const struct alloc_context *ac, const struct zoneref *ref)
{
	if (ref->zone_idx > ac->highest || !zone_managed_pages(ref->zone))
		return false;
	return !ac->nodemask || *ac->nodemask >> zone_to_nid(ref->zone) & 1;
}

/* The usual case: no reserve is touched, and where memory can grow it grows first. */
static struct page *walk_fast(const struct alloc_context *ac, bool *zero)
{
	unsigned int alloc_flags = ALLOC_WMARK_LOW;
	bool block = may_block(ac->gfp);

	if (!block)
		alloc_flags |= ALLOC_TRYLOCK;
	for (const struct zoneref *ref = ac->zonelist->zonerefs; ref->zone; ref++) {
		struct zone *zone = ref->zone;
		bool grow = block && zone_growable(zone) &&
			    zone_may_grow_for(zone, ref->zone_idx, ac->highest);
		unsigned long mark;
		struct page *page;

		if (!zone_allowed(ac, ref)) {
			/* Empty, but it need not be: see memory_growable(). */
			if (grow)
				return NULL;
			continue;
		}
		mark = grow ? high_wmark_pages(zone) + ELASTIC_HEADROOM_PAGES :
			      low_wmark_pages(zone);
		if (zone_watermark_ok(zone, ac->order, mark, (int)ac->highest, alloc_flags)) {
			page = from_zone(zone, ac->order, ac->type, alloc_flags, zero);
			if (likely(page))
				return page;
		}
		if (grow)
			return NULL;
	}
	return NULL;
}

static struct page *walk(const struct alloc_context *ac, unsigned int alloc_flags, bool *zero)
{
	for (const struct zoneref *ref = ac->zonelist->zonerefs; ref->zone; ref++) {
		struct zone *zone = ref->zone;
		struct page *page;

		if (!zone_allowed(ac, ref))
			continue;
		if (!(alloc_flags & ALLOC_NO_WATERMARKS) &&
		    !zone_watermark_ok(zone, ac->order, mark_pages(zone, alloc_flags),
				       (int)ac->highest, alloc_flags))
			continue;
		page = from_zone(zone, ac->order, ac->type, alloc_flags, zero);
		if (page)
			return page;
	}
	return NULL;
}

/* --- the slow path ------------------------------------------------------------------------- */

static struct page *grow_and_walk(const struct alloc_context *ac, bool *zero)
{
	for (int i = 0; i < ONLINE_ROUNDS_MOST; i++) {
		struct page *page;

		if (!memory_growable(ac->nid, ac->highest))
			break;
		if (!memory_online_more(ac->nid, ac->highest, ac->order))
			break;
		page = walk_fast(ac, zero);
		if (page)
			return page;
	}
	return walk(ac, ALLOC_WMARK_LOW, zero);
}

static bool current_memalloc(void)
{
	return current_flags() & PF_MEMALLOC;
}

static struct page *walk_without_marks(const struct alloc_context *ac, unsigned int alloc_flags,
				       bool *zero)
{
	if (ac->gfp & __GFP_NOMEMALLOC)
		return NULL;
	if (!(ac->gfp & __GFP_MEMALLOC) && !current_memalloc())
		return NULL;
	return walk(ac, alloc_flags | ALLOC_NO_WATERMARKS, zero);
}

/* Pages that no watermark sees: on other CPUs' lists, in pageblocks kept for atomic use. */
static struct page *walk_after_drain(const struct alloc_context *ac, unsigned int alloc_flags,
				     bool *zero)
{
	struct page *page = walk(ac, alloc_flags, zero);

	if (page)
		return page;
	for_each_populated_zone(zone) {
		spin_lock(&zone->lock);
		__buddy_unreserve_highatomic(zone);
		spin_unlock(&zone->lock);
	}
	pcp_drain_all();
	return walk(ac, alloc_flags, zero);
}

static void wake_kswapd(const struct alloc_context *ac, unsigned int alloc_flags)
{
	if (!(alloc_flags & ALLOC_KSWAPD) || memory_growable(ac->nid, ac->highest))
		return;
	wakeup_kswapd(ac->nid, ac->gfp, ac->order);
	if (may_block(ac->gfp) && !current_memalloc())
		kswapd_balance(ac->gfp);
}

static bool should_retry(const struct alloc_context *ac, int round, unsigned long progress)
{
	if (ac->gfp & __GFP_NORETRY || round >= RECLAIM_ROUNDS_MOST)
		return false;
	if (ac->order > PAGE_ALLOC_COSTLY_ORDER && !(ac->gfp & __GFP_RETRY_MAYFAIL))
		return false;
	return progress > 0;
}

static bool should_oom(const struct alloc_context *ac)
{
	return ac->gfp & __GFP_FS && !(ac->gfp & (__GFP_NORETRY | __GFP_RETRY_MAYFAIL)) &&
	       ac->order <= PAGE_ALLOC_COSTLY_ORDER && !(ac->gfp & __GFP_THISNODE) &&
	       ac->highest >= ZONE_NORMAL;
}

/* Direct reclaim, until it gives a page or gives up. */
static struct page *reclaim_and_walk(const struct alloc_context *ac, unsigned int alloc_flags,
				     bool *zero)
{
	for (int round = 0;; round++) {
		unsigned long progress;
		struct page *page;

		count_vm_event(ALLOCSTALL_DMA + ac->highest);
		progress = try_to_free_pages(ac->nid, ac->gfp, ac->order);
		page = walk_after_drain(ac, alloc_flags, zero);
		if (page)
			return page;
		if (should_retry(ac, round, progress))
			continue;
		if (!should_oom(ac) || round >= RECLAIM_ROUNDS_MOST ||
		    !out_of_memory(ac->nid, ac->gfp, ac->order))
			return NULL;
		page = walk(ac, alloc_flags | ALLOC_OOM, zero);
		if (page)
			return page;
	}
}

/*
 * A page kept aside for order 0. GFP_ATOMIC may have it in any case, others who cannot wait
 * only if it was a lock that was short, not memory.
 */
static struct page *from_reserve(const struct alloc_context *ac)
{
	struct zone *zone = &NODE_DATA(ac->nid)->node_zones[ZONE_NORMAL];

	if (ac->order || ac->highest < ZONE_NORMAL || ac->gfp & __GFP_NOMEMALLOC)
		return NULL;
	if (!(ac->gfp & __GFP_HIGH) &&
	    !zone_watermark_ok(zone, 0, mark_pages(zone, ALLOC_WMARK_MIN), ZONE_NORMAL, 0))
		return NULL;
	return atomic_reserve_get();
}

static __attribute__((noinline)) struct page *alloc_slow(struct alloc_context *ac, bool *zero)
{
	unsigned int alloc_flags = gfp_to_alloc_flags(ac->gfp, ac->order);
	bool block = may_block(ac->gfp);
	struct page *page;

	ac->gfp = current_gfp_context(ac->gfp);
	if (block) {
		page = grow_and_walk(ac, zero);
		if (page)
			return page;
	}
	for (;;) {
		wake_kswapd(ac, alloc_flags);
		page = walk(ac, alloc_flags, zero);
		if (!page)
			page = walk_without_marks(ac, alloc_flags, zero);
		if (!page && block && !current_memalloc())
			page = reclaim_and_walk(ac, alloc_flags, zero);
		if (page)
			return page;
		if (!block || !(ac->gfp & __GFP_NOFAIL))
			break;
		/* Never fail: half of the reserve, then wait until somebody frees. */
		page = walk(ac, alloc_flags | ALLOC_MIN_RESERVE, zero);
		if (page)
			return page;
		os_sleep_ns(NOFAIL_WAIT_NS);
	}
	if (!block) {
		*zero = false;
		page = from_reserve(ac);
		if (page)
			return page;
	}
	count_vm_event(SW_ALLOC_FAILED);
	warn_alloc(ac->gfp, ac->order);
	return NULL;
}

/* --- out of the free state --------------------------------------------------------------------- */

static void prep_tails(struct page *page, unsigned int order, unsigned int flags, struct page *head)
{
	for (struct page *tail = page + 1; tail < page + (1UL << order); tail++) {
		page_flags_set_all(tail, flags);
		tail->compound_head = head;
		tail->index = 0;
		tail->order = 0;
	}
}

/* @plain: its owner does not look at the tails, unless they would mislead others. */
static void prep_new_page(struct page *page, unsigned int order, gfp_t gfp, bool plain)
{
	unsigned int place = page_place(page);
	bool compound = order && gfp & __GFP_COMP;
	/* From a page list, and it was a compound page of the same order: tails are right. */
	bool still_compound = page_test(page, PG_head);

	page_flags_set_all(page, compound ? place | 1u << PG_head : place);
	page->private = 0;
	page->index = 0;
	page->order = compound ? (unsigned char)order : 0;
	if (order && !(compound && still_compound) && !(plain && page->tails_plain))
		prep_tails(page, order, compound ? place | 1u << PG_tail : place,
			   compound ? page : NULL);
	atomic_store_explicit(&page->_refcount, 1, memory_order_relaxed);
}

static void set_context(struct alloc_context *ac, gfp_t gfp, unsigned int order, int nid,
			const unsigned long *nodemask)
{
	if (WARN_ON_ONCE(more_than_one_place(gfp)))
		gfp &= gfp & __GFP_DMA ? ~(__GFP_DMA32 | __GFP_HIGHMEM) : ~__GFP_HIGHMEM;
	if (nid < 0 || (unsigned int)nid >= nr_node_ids) {
		WARN_ON_ONCE(nid != NUMA_NO_NODE);
		nid = local_node();
	}
	ac->gfp = gfp;
	ac->order = order;
	ac->nid = nid;
	ac->highest = gfp_zone(gfp);
	ac->type = gfp_migratetype(gfp);
	ac->nodemask = nodemask;
	ac->zonelist = &NODE_DATA(nid)->node_zonelists[gfp & __GFP_THISNODE ? ZONELIST_NOFALLBACK :
									      ZONELIST_FALLBACK];
}

/*
 * Nine requests in ten: an ordinary page that lies on this CPU's list, in a zone that is nowhere
 * near its marks. NULL: it is not so simple, walk.
 */
static struct page *alloc_hot(gfp_t gfp, unsigned int order, bool *zero)
{
	struct zone *zone = &NODE_DATA(local_node())->node_zones[ZONE_NORMAL];
	unsigned long free = zone_page_state(zone, NR_FREE_PAGES);

	if (order > PAGE_ALLOC_COSTLY_ORDER || gfp & (__GFP_DMA | __GFP_DMA32 | __GFP_HIGHMEM))
		return NULL;
	if (free <= atomic_load_explicit(&zone->fast_mark, memory_order_relaxed) + 8)
		return NULL;
	return pcp_pop(zone, order, gfp_migratetype(gfp), zero);
}

static inline struct page *finish(struct page *page, unsigned int order, gfp_t gfp, bool plain,
				  bool *zero)
{
	prep_new_page(page, order, gfp, plain);
	if (unlikely(gfp & __GFP_ZERO) && !*zero) {
		memset(page_addr(page), 0, PAGE_SIZE << order);
		*zero = true;
	}
	return page;
}

static __attribute__((noinline)) struct page *alloc_core(gfp_t gfp, unsigned int order, int nid,
							 const unsigned long *nodemask, bool plain,
							 bool *zero)
{
	struct alloc_context ac;
	struct page *page;
	bool known = false;

	if (unlikely(order > MAX_PAGE_ORDER)) {
		if (!(gfp & __GFP_NOWARN))
			WARN_ON_ONCE(order > MAX_PAGE_ORDER);
		return NULL;
	}
	set_context(&ac, gfp, order, nid, nodemask);
	page = walk_fast(&ac, &known);
	if (unlikely(!page)) {
		page = alloc_slow(&ac, &known);
		if (!page)
			return NULL;
	}
	*zero = known;
	return finish(page, order, gfp, plain, zero);
}

static inline struct page *alloc_any(gfp_t gfp, unsigned int order, int nid,
				     const unsigned long *nodemask, bool plain, bool *zero)
{
	mm_boot();
	if (likely(nid == NUMA_NO_NODE && !nodemask)) {
		bool known = false;
		struct page *page = alloc_hot(gfp, order, &known);

		if (likely(page)) {
			*zero = known;
			return finish(page, order, gfp, plain, zero);
		}
	}
	return alloc_core(gfp, order, nid, nodemask, plain, zero);
}

/* --- the public calls: allocate --------------------------------------------------------------- */

struct page *__alloc_pages_zeroed_hint(gfp_t gfp, unsigned int order, int nid, bool *known_zero)
{
	return alloc_any(gfp, order, nid, NULL, false, known_zero);
}

struct page *alloc_plain_pages(gfp_t gfp, unsigned int order, int nid, bool *known_zero)
{
	return alloc_any(gfp & ~__GFP_COMP, order, nid, NULL, true, known_zero);
}

struct page *__alloc_pages(gfp_t gfp, unsigned int order, int nid, const unsigned long *nodemask)
{
	bool zero;

	return alloc_any(gfp, order, nid, nodemask, false, &zero);
}

struct page *alloc_pages(gfp_t gfp, unsigned int order)
{
	return __alloc_pages(gfp, order, NUMA_NO_NODE, NULL);
}

struct page *alloc_pages_node(int nid, gfp_t gfp, unsigned int order)
{
	return __alloc_pages(gfp, order, nid, NULL);
}

uintptr_t __get_free_pages(gfp_t gfp, unsigned int order)
{
	struct page *page = alloc_pages(gfp & ~__GFP_HIGHMEM, order);

	return page ? (uintptr_t)page_addr(page) : 0;
}

uintptr_t get_zeroed_page(gfp_t gfp)
{
	return __get_free_pages(gfp | __GFP_ZERO, 0);
}

struct page *alloc_pages_nolock(gfp_t gfp, int nid, unsigned int order)
{
	gfp &= __GFP_ACCOUNT | __GFP_ZERO | __GFP_COMP | __GFP_THISNODE | GFP_ZONEMASK |
	       __GFP_RECLAIMABLE;
	return __alloc_pages(gfp | __GFP_NOWARN | __GFP_NOMEMALLOC, order, nid, NULL);
}

/* --- free ----------------------------------------------------------------------------------------- */

/* Is this a struct page at all? Nothing is read through the pointer. */
static bool page_pointer_ok(const struct page *page)
{
	uintptr_t offset = (uintptr_t)page - (uintptr_t)sw_layout.memmap;

	return offset % sizeof(struct page) == 0 &&
	       layout_addr_online(offset / sizeof(struct page) << PAGE_SHIFT);
}

/* Flags that need a second look: PG_head is fine if the order is right. */
#define PAGE_FLAGS_LOOK (PAGE_FLAGS_CHECK_AT_FREE | PAGE_FLAGS_FREE | 1u << PG_head)

static __attribute__((noinline, cold)) void check_flags_slow(const struct page *page,
							     unsigned int order, unsigned int flags)
{
	if (flags & PAGE_FLAGS_FREE)
		bad_page(page, order, "double free");
	if (flags & 1u << PG_slab)
		bad_page(page, order, "free of a slab page");
	if (flags & 1u << PG_tail)
		bad_page(page, order, "free of a tail page");
	if (flags & PAGE_FLAGS_CHECK_AT_FREE)
		bad_page(page, order, "flags set at free");
	if (page->order != order) /* PG_head */
		bad_page(page, order, "free with a wrong order");
}

static inline void check_flags(const struct page *page, unsigned int order)
{
	unsigned int flags =
		atomic_load_explicit(&((struct page *)page)->flags, memory_order_relaxed);

	if (unlikely(flags & PAGE_FLAGS_LOOK))
		check_flags_slow(page, order, flags);
}

static void to_buddy(struct zone *zone, struct page *page, unsigned int order, bool may_call_os)
{
	uint64_t now = os_now_coarse_ns();

	atomic_fetch_add_explicit(&zone->nr_free_direct, 1UL << order, memory_order_relaxed);
	if (!spin_trylock(&zone->lock)) {
		buddy_defer_free(zone, page, order);
		return;
	}
	__buddy_drain_deferred(zone, now);
	__buddy_free(zone, page, order, now);
	spin_unlock(&zone->lock);
	if (may_call_os)
		give_back_tick(zone, now);
}

static inline void free_checked_as(struct page *page, unsigned int order, bool plain,
				   bool may_call_os)
{
	struct zone *zone = page_zone(page);
	enum pcp_free_result result = PCP_REFUSED;

	page->tails_plain = plain;
	if (likely(pcp_allowed_order(order)))
		result = pcp_free(zone, page, order);
	if (unlikely(result == PCP_REFUSED))
		to_buddy(zone, page, order, may_call_os);
	else if (result == PCP_FLUSHED && may_call_os)
		give_back_tick(zone, os_now_coarse_ns());
}

static void free_checked(struct page *page, unsigned int order, bool may_call_os)
{
	bool bare = order && page_test(page, PG_bare);

	if (unlikely(bare))
		page_flags_set_all(page, page_place(page));
	free_checked_as(page, order, bare, may_call_os);
}

void free_plain_pages(struct page *page, unsigned int order, unsigned int place)
{
	page_flags_set_all(page, place);
	free_checked_as(page, order, true, true);
}

void free_frozen_pages(struct page *page, unsigned int order)
{
	check_flags(page, order);
	free_checked(page, order, true);
}

/* Drop one reference. True: it was the last. */
static bool put_last(struct page *page, unsigned int order)
{
	int old = atomic_fetch_sub_explicit(&page->_refcount, 1, memory_order_acq_rel);

	if (unlikely(old <= 0)) {
		atomic_fetch_add_explicit(&page->_refcount, 1, memory_order_relaxed);
		bad_page(page, order, "double free");
	}
	return old == 1;
}

static inline void check_block(const struct page *page, unsigned int order)
{
	if (unlikely(!page_pointer_ok(page)))
		bad_page(page, order, "free of what is no page");
	if (unlikely(order > MAX_PAGE_ORDER || page_to_pfn_raw(page) & ((1UL << order) - 1)))
		bad_page(page, order, "free with a wrong order");
	check_flags(page, order);
}

static inline void free_block(struct page *page, unsigned int order, bool may_call_os)
{
	bool compound;

	check_block(page, order);
	compound = page_test(page, PG_head);
	if (likely(put_last(page, order))) {
		free_checked(page, order, may_call_os);
		return;
	}
	/* Somebody holds the first page: the halves behind it go now, it goes with the last put. */
	while (!compound && order > 0) {
		order--;
		free_checked(page + (1UL << order), order, may_call_os);
	}
}

void __free_pages(struct page *page, unsigned int order)
{
	free_block(page, order, true);
}

void free_pages_nolock(struct page *page, unsigned int order)
{
	free_block(page, order, false);
}

void free_pages(uintptr_t addr, unsigned int order)
{
	if (!addr)
		return;
	if (unlikely(addr & ~PAGE_MASK || !layout_addr_online(addr)))
		bug("page_alloc: free of what is no page, address %#lx order %u\n",
		    (unsigned long)addr, order);
	free_block(addr_to_page((void *)addr), order, true);
}

/* --- reference counts ----------------------------------------------------------------------------- */

void get_page(struct page *page)
{
	struct page *head = page_head(page);

	if (unlikely(atomic_fetch_add_explicit(&head->_refcount, 1, memory_order_relaxed) <= 0))
		bad_page(head, 0, "reference to a free page");
}

void put_page(struct page *page)
{
	struct page *head = page_head(page);
	unsigned int order = page_test(head, PG_head) ? head->order : 0;

	if (put_last(head, order)) {
		check_flags(head, order);
		free_checked(head, order, true);
	}
}

int page_ref_count(const struct page *page)
{
	return atomic_load_explicit(&page_head((struct page *)page)->_refcount,
				    memory_order_relaxed);
}

void split_page(struct page *page, unsigned int order)
{
	if (unlikely(page_test(page, PG_head) || page_test(page, PG_tail) ||
		     !atomic_load_explicit(&page->_refcount, memory_order_relaxed)))
		bad_page(page, order, "split of what is no plain block in use");
	for (unsigned long i = 1; i < 1UL << order; i++)
		atomic_store_explicit(&page[i]._refcount, 1, memory_order_relaxed);
}
