/* SPDX-License-Identifier: MIT */
/*
 * pcp.c - page lists of a CPU: the common orders without the zone's lock
 *
 * Room: mm. Above us: page_alloc.c. Below us: buddy.c.
 *
 * 1. The idea
 *
 * Each cid has, in each zone, lists of free pages of orders 0 … 3 by migrate type, and of
 * order 9. Single pages come from the buddy and go back in batches, so that the zone's
 * lock is taken once in `batch` pages. Newest first: the page is still in the cache.
 *
 * 2. Numbers
 *
 *   batch     1.5 times the zone's pages / 4096, at most 96, down to a power of two, less one: 63 for
 *             256 MiB and more (the kernel's rule of 7.2). A zone that can grow counts as 32 times
 *             as large: a small process must not hold half of what it uses on lists.
 *   high      2 * batch: 126 pages, half a MiB a CPU. Above it a batch goes to the buddy.
 *   refill    8 pages at first, doubled by each refill up to batch, halved again by flushes:
 *             a process that wants few pages does not hold 63.
 *   order 9   one block a cid, in zones of 256 MiB and more; not counted against high. It goes to the
 *             buddy when nobody took it for page_decay_ms: 2 MiB are a lot to hold.
 *
 * 3. Invariants (pcp_validate())
 *
 *   P1  A page on a list has PG_pcp, its order, and count 0; tails of a block say nothing.
 *   P2  count is the number of pages on the lists of orders 0 … 3, plus those of order 9.
 *   P3  What is taken off a list keeps PG_pcp; prep_new_page() writes the flags anew.
 *   P4  A block that was compound may still have PG_head and its tails: whoever takes
 *       it for the same use need not write them again.
 *
 * 4. Locks: pcp->lock, always tried and never waited for: a taken lock means another thread
 * of the same cid (pre-empted), or that we are a signal handler on top of its holder; both go to the
 * buddy instead. zone->lock is taken inside it: waited for only by who may sleep.
 * pcp_drain_*() wait.
 *
 * Departures from Linux 6.12: high is fixed, not tuned; no remote-free batching scale.
 */

#include <errno.h>

#include "kernel/cpu.h"
#include "kernel/fork.h"
#include "kernel/printk.h"
#include "mm/page_alloc.h"
#include "os/os.h"
#include "os/vm.h"

#define BATCH_MOST        64
#define BATCH_PAGES_SHIFT 12 /* a 4096th of the zone */
#define GROWING_FACTOR    32 /* a zone that can grow counts as so much larger: 63 from 32 MiB on */
#define HIGH_BATCHES      2
#define FIRST_REFILL      8
#define FACTOR_MOST       3            /* 8 << 3 >= 63 */
#define HUGE_ZONE_PAGES   (256UL << 8) /* 256 MiB: smaller zones keep no order 9 block aside */

/* --- the lists --------------------------------------------------------------------- */

static unsigned int list_index(unsigned int order, enum migratetype type)
{
	if (order == PAGEBLOCK_ORDER)
		return NR_LOWORDER_PCP_LISTS + type;
	return MIGRATE_PCPTYPES * order + type;
}

static int get_int(const _Atomic int *field)
{
	return atomic_load_explicit((_Atomic int *)field, memory_order_relaxed);
}

static void set_int(_Atomic int *field, int value)
{
	atomic_store_explicit(field, value, memory_order_relaxed);
}

static void take_over_limits(struct per_cpu_pages *pcp, const struct zone *zone)
{
	set_int(&pcp->batch, get_int(&zone->pageset_batch));
	set_int(&pcp->high, get_int(&zone->pageset_high));
}

static void set_up(struct per_cpu_pages *pcp, const struct zone *zone)
{
	for (unsigned int i = 0; i < NR_PCP_LISTS; i++)
		page_list_init(&pcp->lists[i]);
	take_over_limits(pcp, zone);
	pcp->ready = true;
}

static void add_count(struct per_cpu_pages *pcp, int delta)
{
	set_int(&pcp->count, get_int(&pcp->count) + delta);
}

static void add_flow(_Atomic unsigned long *counter, unsigned long pages)
{
	unsigned long n = atomic_load_explicit(counter, memory_order_relaxed);

	atomic_store_explicit(counter, n + pages, memory_order_relaxed);
}

/* One array for all zones of all nodes that exist; untouched parts cost nothing. */
int pcp_init(void)
{
	size_t per_zone = cpu_nr_cids() * sizeof(struct per_cpu_pages);
	size_t size = per_zone * MAX_NR_ZONES * nr_node_ids;
	size_t os_page = os_page_size();
	char *sets = os_map((size + os_page - 1) & ~(os_page - 1), os_page);

	if (!sets)
		return -ENOMEM;
	for_each_zone(zone) {
		zone->per_cpu_pageset = (struct per_cpu_pages *)sets;
		sets += per_zone;
	}
	return 0;
}

static int zone_batch(const struct zone *zone, unsigned long pages)
{
	unsigned long b = pages;

	if (zone->limit_pages > pages)
		b = pages < zone->limit_pages / GROWING_FACTOR ? pages * GROWING_FACTOR :
								 zone->limit_pages;
	b >>= BATCH_PAGES_SHIFT;
	if (b > BATCH_MOST)
		b = BATCH_MOST;
	b += b / 2;
	if (b < 2)
		return 1;
	return (int)(1UL << (8 * sizeof(long) - 1 - (unsigned int)__builtin_clzl(b))) - 1;
}

/* After the zone has grown; pcps that are in use take over the new values when they refill. */
void pcp_set_limits(struct zone *zone)
{
	int batch = zone_batch(zone, zone_managed_pages(zone));

	set_int(&zone->pageset_batch, batch);
	set_int(&zone->pageset_high, HIGH_BATCHES * batch);
}

static struct per_cpu_pages *this_pcp(struct zone *zone)
{
	struct per_cpu_pages *pcp = &zone->per_cpu_pageset[cpu_cid()];

	if (!spin_trylock(&pcp->lock))
		return NULL;
	if (unlikely(!pcp->ready))
		set_up(pcp, zone);
	return pcp;
}

/* --- allocation ------------------------------------------------------------------------- */

static int refill_blocks(struct per_cpu_pages *pcp, unsigned int order)
{
	int batch = get_int(&pcp->batch);
	int blocks;

	if (order == PAGEBLOCK_ORDER)
		return 1;
	blocks = FIRST_REFILL << pcp->alloc_factor;
	if (pcp->alloc_factor < FACTOR_MOST)
		pcp->alloc_factor++;
	if (blocks > batch)
		blocks = batch;
	blocks >>= order;
	if (blocks < 2)
		return order && batch > 1 ? 2 : 1;
	return blocks;
}

/*
 * Get blocks from the buddy. They are marked by index whether they are zero; their bits are
 * set already, so they count as committed.
 */
static void refill(struct zone *zone, struct per_cpu_pages *pcp, unsigned int order,
		   enum migratetype type, unsigned int alloc_flags)
{
	struct list_head *list = &pcp->lists[list_index(order, type)];
	int blocks = refill_blocks(pcp, order);

	if (!spin_lock_gfp(&zone->lock, !(alloc_flags & ALLOC_TRYLOCK)))
		return;
	__buddy_drain_deferred(zone, 0);
	for (int i = 0; i < blocks; i++) {
		bool zero;
		struct page *page = __buddy_alloc(zone, order, type, alloc_flags, &zero);

		if (!page)
			break;
		page->order = (unsigned char)order;
		page->index = zero;
		page_flags_set_all(page, zone_place(zone) | 1u << PG_pcp);
		page_list_add_tail(page, list); /* ascending addresses */
		add_count(pcp, 1 << order);
	}
	if (unlikely(atomic_reserve_low()) && !(alloc_flags & ALLOC_TRYLOCK))
		__atomic_reserve_refill(zone);
	spin_unlock(&zone->lock);
}

/* The newest page of a list. pcp->lock held; the list is not empty. */
static struct page *take_newest(struct per_cpu_pages *pcp, struct list_head *list,
				unsigned int order, bool *known_zero)
{
	struct page *page = lru_to_page(list->next);

	page_list_del(page);
	*known_zero = page->index;
	add_count(pcp, -(1 << order));
	add_flow(&pcp->nr_alloc, 1UL << order);
	return page;
}

struct page *pcp_pop(struct zone *zone, unsigned int order, enum migratetype type, bool *known_zero)
{
	struct per_cpu_pages *pcp = &zone->per_cpu_pageset[cpu_cid()];
	struct list_head *list = &pcp->lists[list_index(order, type)];
	struct page *page = NULL;

	if (unlikely(!spin_trylock(&pcp->lock)))
		return NULL;
	/* Before set_up() the heads are zero. */
	if (likely(pcp->ready) && likely(!page_list_empty(list)))
		page = take_newest(pcp, list, order, known_zero);
	spin_unlock(&pcp->lock);
	return page;
}

struct page *pcp_alloc(struct zone *zone, unsigned int order, enum migratetype type,
		       unsigned int alloc_flags, bool *known_zero)
{
	struct per_cpu_pages *pcp = this_pcp(zone);
	struct page *page = NULL;
	struct list_head *list;

	if (unlikely(!pcp))
		return NULL;
	list = &pcp->lists[list_index(order, type)];
	if (page_list_empty(list))
		refill(zone, pcp, order, type, alloc_flags);
	if (likely(!page_list_empty(list)))
		page = take_newest(pcp, list, order, known_zero);
	spin_unlock(&pcp->lock);
	return page;
}

/* --- free ---------------------------------------------------------------------------------- */

/* The oldest block of a list goes to the buddy. zone->lock held. Returns its pages. */
static long __flush_one(struct zone *zone, struct per_cpu_pages *pcp, struct list_head *list,
			uint64_t now_ns)
{
	struct page *page = lru_to_page(list->prev);

	page_list_del(page);
	page_clear(page, PG_pcp);
	add_count(pcp, -(1 << page->order));
	__buddy_free(zone, page, page->order, now_ns);
	return 1L << page->order;
}

static void __flush_all(struct zone *zone, struct per_cpu_pages *pcp, uint64_t now_ns)
{
	for (unsigned int i = 0; i < NR_PCP_LISTS; i++)
		while (!page_list_empty(&pcp->lists[i]))
			__flush_one(zone, pcp, &pcp->lists[i], now_ns);
}

/* At least nr pages, a few of each list of orders 0 … 3 in turn. */
static void __flush_some(struct zone *zone, struct per_cpu_pages *pcp, long nr, uint64_t now_ns)
{
	unsigned int empty = 0;

	for (unsigned int i = 0; nr > 0 && empty < NR_LOWORDER_PCP_LISTS;
	     i = (i + 1) % NR_LOWORDER_PCP_LISTS) {
		struct list_head *list = &pcp->lists[i];

		empty = page_list_empty(list) ? empty + 1 : 0;
		for (int n = 0; n < FIRST_REFILL && nr > 0 && !page_list_empty(list); n++)
			nr -= __flush_one(zone, pcp, list, now_ns);
	}
}

/* Pages on the lists of order 9. */
static int huge_pages(const struct per_cpu_pages *pcp)
{
	for (int t = 0; t < MIGRATE_PCPTYPES; t++)
		if (!page_list_empty(&pcp->lists[NR_LOWORDER_PCP_LISTS + t]))
			return (int)PAGEBLOCK_NR_PAGES; /* never more than one block in all */
	return 0;
}

static int small_pages(struct per_cpu_pages *pcp)
{
	int count = get_int(&pcp->count);

	return count > get_int(&pcp->high) ? count - huge_pages(pcp) : count;
}

/* Both locks held. Also the moment to take over what pcp_set_limits() says. */
static void flush_batch(struct zone *zone, struct per_cpu_pages *pcp)
{
	uint64_t now = os_now_coarse_ns();

	take_over_limits(pcp, zone);
	if (pcp->alloc_factor)
		pcp->alloc_factor--;
	__buddy_drain_deferred(zone, now);
	__flush_some(zone, pcp, get_int(&pcp->batch), now);
}

enum pcp_free_result pcp_free(struct zone *zone, struct page *page, unsigned int order)
{
	enum migratetype type = get_pageblock_type(page_to_pfn_raw(page));
	/* It is ours alone: no need to be atomic. PG_head stays (P4), the owner's flags go. */
	unsigned int flags = page_place(page) | (page_test(page, PG_head) ? 1u << PG_head : 0);
	enum pcp_free_result result = PCP_KEPT;
	struct per_cpu_pages *pcp;

	if (type >= MIGRATE_PCPTYPES) /* HighAtomic and isolated pages go straight back */
		return PCP_REFUSED;
	if (order == PAGEBLOCK_ORDER && zone_managed_pages(zone) < HUGE_ZONE_PAGES)
		return PCP_REFUSED;
	pcp = this_pcp(zone);
	if (unlikely(!pcp))
		return PCP_REFUSED;
	if (order == PAGEBLOCK_ORDER && huge_pages(pcp)) {
		spin_unlock(&pcp->lock);
		return PCP_REFUSED;
	}
	page->order = (unsigned char)order;
	page->index = 0;
	if (order == PAGEBLOCK_ORDER)
		page->private = os_now_coarse_ns(); /* pcp_age_huge() */
	page_flags_set_all(page, flags | 1u << PG_pcp);
	page_list_add(page, &pcp->lists[list_index(order, type)]);
	add_count(pcp, 1 << order);
	add_flow(&pcp->nr_free, 1UL << order);
	if (unlikely(small_pages(pcp) > get_int(&pcp->high)) && spin_trylock(&zone->lock)) {
		flush_batch(zone, pcp);
		spin_unlock(&zone->lock);
		result = PCP_FLUSHED;
	}
	spin_unlock(&pcp->lock);
	return result;
}

static void age_huge(struct zone *zone, struct per_cpu_pages *pcp, uint64_t freed_before_ns)
{
	for (int t = 0; t < MIGRATE_PCPTYPES; t++) {
		struct list_head *list = &pcp->lists[NR_LOWORDER_PCP_LISTS + t];

		if (!page_list_empty(list) && lru_to_page(list->next)->private < freed_before_ns)
			__flush_one(zone, pcp, list, os_now_coarse_ns());
	}
}

/* Blocks of order 9 that nobody took since then go to the buddy. Waits for no lock. */
void pcp_age_huge(struct zone *zone, uint64_t freed_before_ns)
{
	for (unsigned int cid = 0; zone->per_cpu_pageset && cid < cpu_nr_cids(); cid++) {
		struct per_cpu_pages *pcp = &zone->per_cpu_pageset[cid];

		if (get_int(&pcp->count) < (int)PAGEBLOCK_NR_PAGES || !spin_trylock(&pcp->lock))
			continue;
		if (pcp->ready && spin_trylock(&zone->lock)) {
			age_huge(zone, pcp, freed_before_ns);
			spin_unlock(&zone->lock);
		}
		spin_unlock(&pcp->lock);
	}
}

void pcp_drain_zone(struct zone *zone)
{
	if (!zone->per_cpu_pageset || !populated_zone(zone))
		return;
	for (unsigned int cid = 0; cid < cpu_nr_cids(); cid++) {
		struct per_cpu_pages *pcp = &zone->per_cpu_pageset[cid];

		if (!atomic_load_explicit(&pcp->count, memory_order_relaxed))
			continue;
		spin_lock(&pcp->lock);
		spin_lock(&zone->lock);
		if (pcp->ready)
			__flush_all(zone, pcp, os_now_coarse_ns());
		spin_unlock(&zone->lock);
		spin_unlock(&pcp->lock);
	}
	spin_lock(&zone->lock);
	__buddy_drain_deferred(zone, os_now_coarse_ns());
	spin_unlock(&zone->lock);
}

void pcp_drain_all(void)
{
	for_each_zone(zone)
		pcp_drain_zone(zone);
}

unsigned long pcp_pages(struct zone *zone)
{
	unsigned long sum = 0;

	for (unsigned int cid = 0; zone->per_cpu_pageset && cid < cpu_nr_cids(); cid++)
		sum += (unsigned long)atomic_load_explicit(&zone->per_cpu_pageset[cid].count,
							   memory_order_relaxed);
	return sum;
}

/* --- validation -------------------------------------------------------------------------------- */

static int validate_list(struct zone *zone, struct list_head *list, unsigned int order, int *count)
{
	int bad = 0;

	for (struct list_head *l = list->next; l != list; l = l->next) {
		struct page *page = lru_to_page(l);

		if (!page_test(page, PG_pcp) || page_test(page, PG_buddy) || page->order != order ||
		    atomic_load(&page->_refcount) || page_zone(page) != zone) {
			pr_err("pcp: zone %s pfn %#lx breaks P1\n", zone->name,
			       page_to_pfn_raw(page));
			bad++;
		}
		*count += 1 << order;
	}
	return bad;
}

int pcp_validate(struct zone *zone)
{
	int bad = 0;

	for (unsigned int cid = 0; zone->per_cpu_pageset && cid < cpu_nr_cids(); cid++) {
		struct per_cpu_pages *pcp = &zone->per_cpu_pageset[cid];
		int count = 0;

		if (!populated_zone(zone))
			break;
		spin_lock(&pcp->lock);
		for (unsigned int i = 0; pcp->ready && i < NR_PCP_LISTS; i++)
			bad += validate_list(zone, &pcp->lists[i],
					     i < NR_LOWORDER_PCP_LISTS ? i / MIGRATE_PCPTYPES :
									 PAGEBLOCK_ORDER,
					     &count);
		if (count != atomic_load(&pcp->count)) {
			pr_err("pcp: zone %s cid %u breaks P2\n", zone->name, cid);
			bad++;
		}
		spin_unlock(&pcp->lock);
	}
	return bad;
}

/* --- fork: nobody is inside when the child is made -------------------------------------------------- */

static void for_each_pcp_lock(void (*fn)(spinlock_t *lock))
{
	for_each_zone(zone)
		for (unsigned int cid = 0; zone->per_cpu_pageset && cid < cpu_nr_cids(); cid++)
			fn(&zone->per_cpu_pageset[cid].lock);
}

static void fork_lock_pcps(void)
{
	for_each_pcp_lock(spin_lock);
}

static void fork_unlock_pcps(void)
{
	for_each_pcp_lock(spin_unlock);
}
FORK_HANDLER(pcp, 60, fork_lock_pcps, fork_unlock_pcps, fork_unlock_pcps);
