/* SPDX-License-Identifier: MIT */
/*
 * give_back.c - free memory goes back to the system
 *
 * Room: mm. Above us: the free path of page_alloc.c (ticks), malloc_trim and shrinkers
 * (page_alloc_trim).
 *
 * 1. A free block whose committed bits are not all clear may have memory behind it. It is
 * given back (MADV_DONTNEED: zero when touched again) when it has been free for decay_ms and
 * the zone has more such pages than the slack: 1 MiB, or 1/16 of what is allocated.
 *
 * Far above that (page_surplus, or 1/8 of what is allocated) it does not wait for its age: a program that grows a
 * buffer by copying leaves a trail of free blocks, and its peak is what people look at. Nor for the
 * next tick, where most of the zone has become free since the last one: a program that drops its
 * data and goes to sleep makes no call that would.
 *
 * What describes the memory goes with it: the objmap of a free block is all zero, and of its
 * memmap only the head means anything, so both may read as zero again.
 *
 * 2. There is no thread: a tick is a free that reached the buddy, the first in each
 * decay_ms and zone. Its work is bounded: BATCHES_A_TICK of BLOCKS_A_BATCH blocks. Blocks
 * of 2 MiB and more first, then down to 64 KiB; smaller ones only in a trim. A tick may run
 * in a signal handler (free never waits): it takes no lock that the interrupted thread could
 * hold. The second time in a batch it waits for zone->lock, but then only another thread has it.
 *
 * 3. A block that is being given back is on no list: nobody else can take it or merge with it,
 * and zone->lock is not held across madvise().
 *
 * ZONE_DMA is locked in memory: its pages stay.
 *
 * Locks: giveback_lock (rank 58), tried by ticks, waited for by trim and fork; zone->lock inside.
 */

#include "kernel/fork.h"
#include "kernel/param.h"
#include "mm/page_alloc.h"
#include "os/os.h"
#include "os/vm.h"

#define BLOCKS_A_BATCH   16
#define BATCHES_A_TICK   8
#define BATCHES_A_RUSH   32
#define LOOK_AT_MOST     256     /* blocks of one list in a tick */
#define SLACK_LEAST      (256UL) /* pages: 1 MiB */
#define SLACK_FRACTION   16      /* of the zone's allocated pages */
#define URGENT_FRACTION  8       /* of the zone's allocated pages */
#define URGENT_MS        8
#define BACKOFF_MOST     3       /* 64 ms */
#define RUSH_FRACTION    4       /* of the zone's allocated pages: so many more are free now */
#define RUSH_LEAST       (128UL) /* pages: 512 KiB */
#define RUSH_SLACK_LEAST (64UL)
#define RUSHES_MOST      24 /* in decay_ms: what comes and goes is not given back each time */
#define TICK_LEAST_ORDER 4  /* 64 KiB: below, the call costs more than the memory is worth */
#define NS_PER_MS        1000000UL

static unsigned int decay_ms = 250;
static spinlock_t giveback_lock = SPINLOCK_INIT;

static int set_decay(const char *value)
{
	return param_uint(value, 0, 1u << 30, &decay_ms);
}
__param(page_decay_ms, "page_decay_ms", set_decay, "0..1073741824", PARAM_NONE);

/* Free memory above this, and above URGENT_FRACTION of what is allocated, does not wait. */
static uint64_t surplus_bytes = 1UL << 20;

static int set_surplus(const char *value)
{
	return param_bytes(value, &surplus_bytes);
}
__param(page_surplus, "page_surplus", set_surplus, "bytes", PARAM_NONE);

struct batch {
	struct page *page[BLOCKS_A_BATCH];
	unsigned char order[BLOCKS_A_BATCH];
	unsigned int nr;
	unsigned long pages; /* committed pages in them */
};

/* Which blocks to take. */
struct wish {
	uint64_t freed_before_ns; /* UINT64_MAX: any */
	unsigned int least_order;
	unsigned int look_at_most; /* 0: all */
	unsigned long pages;       /* stop after so many committed pages */
};

static unsigned int os_page_order(void)
{
	unsigned int order = 0;

	while (PAGE_SIZE << order < os_page_size())
		order++;
	return order;
}

/* Take blocks of one list. zone->lock held. False: the batch is full. */
static bool __take_list(struct zone *zone, unsigned int order, int type, const struct wish *wish,
			struct batch *batch)
{
	struct list_head *list = &zone->free_area[order].free_list[type];
	unsigned int looked = 0;

	for (struct list_head *l = list->next, *next; l != list; l = next) {
		struct page *page = lru_to_page(l);
		unsigned long committed;

		next = l->next;
		if (batch->nr == BLOCKS_A_BATCH || batch->pages >= wish->pages)
			return false;
		if (wish->look_at_most && looked++ >= wish->look_at_most)
			break;
		if (page->private > wish->freed_before_ns)
			continue;
		committed = __buddy_committed(page_to_pfn_raw(page), order);
		if (!committed)
			continue;
		__buddy_isolate(zone, page);
		batch->page[batch->nr] = page;
		batch->order[batch->nr++] = (unsigned char)order;
		batch->pages += committed;
	}
	return true;
}

static void __take_blocks(struct zone *zone, const struct wish *wish, struct batch *batch)
{
	for (unsigned int order = MAX_ORDER; order-- > wish->least_order;)
		for (int type = 0; type < MIGRATE_TYPES; type++)
			if (!__take_list(zone, order, type, wish, batch))
				return;
}

/* [start, start + size) without the parts that are not whole OS pages. */
static void release_inside(uintptr_t start, size_t size)
{
	size_t mask = os_page_size() - 1;
	uintptr_t first = (start + mask) & ~mask, end = (start + size) & ~mask;

	if (first < end)
		os_release((void *)first, end - first);
}

static bool release(struct page *page, unsigned int order)
{
	size_t size = PAGE_SIZE << order;

	if (os_release(page_addr(page), size))
		return false;
	release_inside((uintptr_t)sw_layout.objmap + ((uintptr_t)page_addr(page) >> OBJMAP_SHIFT),
		       size >> OBJMAP_SHIFT);
	release_inside((uintptr_t)(page + 1), ((1UL << order) - 1) * sizeof(*page));
	return true;
}

/* One batch. Returns committed pages given back; *more: the batch was full. giveback_lock held. */
static unsigned long give_back_batch(struct zone *zone, const struct wish *wish, bool wait,
				     bool *more)
{
	struct batch batch = { .nr = 0 };
	bool released[BLOCKS_A_BATCH];
	unsigned long pages = 0;

	*more = false;
	if (!spin_lock_gfp(&zone->lock, wait))
		return 0;
	__buddy_drain_deferred(zone, 0);
	__take_blocks(zone, wish, &batch);
	spin_unlock(&zone->lock);
	*more = batch.nr == BLOCKS_A_BATCH;
	if (!batch.nr)
		return 0;
	for (unsigned int i = 0; i < batch.nr; i++) {
		released[i] = release(batch.page[i], batch.order[i]);
		*more = *more && released[i]; /* a kernel that refuses will refuse again */
	}
	spin_lock(&zone->lock);
	for (unsigned int i = 0; i < batch.nr; i++) {
		if (released[i])
			pages += __buddy_committed(page_to_pfn_raw(batch.page[i]), batch.order[i]);
		__buddy_putback(zone, batch.page[i], batch.order[i], released[i]);
	}
	spin_unlock(&zone->lock);
	count_vm_events(SW_PAGES_GIVEN_BACK, pages);
	return pages;
}

static unsigned long share_of_allocated(struct zone *zone, unsigned int fraction,
					unsigned long least)
{
	unsigned long allocated =
		zone_page_state(zone, NR_COMMITTED) - zone_page_state(zone, NR_FREE_COMMITTED);
	unsigned long share = (long)allocated > 0 ? allocated / fraction : 0;

	return share > least ? share : least;
}

/* Returns pages given back. */
static unsigned long give_back_some(struct zone *zone, uint64_t freed_before_ns,
				    unsigned long surplus, bool all)
{
	unsigned int least = os_page_order();
	struct wish wish = {
		.freed_before_ns = freed_before_ns,
		.least_order = all || least > TICK_LEAST_ORDER ? least : TICK_LEAST_ORDER,
		.look_at_most = all ? 0 : LOOK_AT_MOST,
		.pages = surplus,
	};
	unsigned long done = 0;
	bool more = true;

	for (int i = 0; i < (all ? BATCHES_A_RUSH : BATCHES_A_TICK) && more && wish.pages; i++) {
		unsigned long pages = give_back_batch(zone, &wish, false, &more);

		wish.pages -= pages < wish.pages ? pages : wish.pages;
		done += pages;
	}
	return done;
}

/* What a zone had when it was looked at last; changed under giveback_lock, but for free. */
struct past {
	_Atomic unsigned long free; /* committed free pages, or fewer */
	_Atomic uint64_t aged_ns;   /* when page lists were last looked at */
	uint64_t rush_since_ns;
	unsigned int rushes;
	unsigned long given;     /* since we looked whether it was a mistake */
	unsigned long regretted; /* zone->regretted then */
	_Atomic unsigned int backoff;
};
static struct past zone_past[MAX_NUMNODES][MAX_NR_ZONES];

static struct past *past_of(struct zone *zone)
{
	return &zone_past[zone_to_nid(zone)][zone_idx(zone)];
}

/* Has so much become free since the last tick that the next one may never come? */
static bool in_a_rush(struct zone *zone, struct past *past, unsigned long free_committed)
{
	unsigned long before = atomic_load_explicit(&past->free, memory_order_relaxed);

	if (free_committed < before) {
		atomic_store_explicit(&past->free, free_committed, memory_order_relaxed);
		return false;
	}
	return free_committed - before >= share_of_allocated(zone, RUSH_FRACTION, RUSH_LEAST);
}

/* giveback_lock held. */
static bool may_rush(struct past *past, uint64_t now_ns)
{
	if (now_ns - past->rush_since_ns >= decay_ms * NS_PER_MS) {
		past->rush_since_ns = now_ns;
		past->rushes = 0;
	}
	return past->rushes++ < RUSHES_MOST;
}

/*
 * Between urgent ticks: blocks too small to give back must not make every free look for others,
 * and what comes and goes is left here, where half of what was given back is soon taken again.
 */
static unsigned int urgent_ms(const struct past *past)
{
	unsigned int ms = URGENT_MS << atomic_load_explicit(&past->backoff, memory_order_relaxed);

	return decay_ms < ms ? decay_ms : ms;
}

/* giveback_lock held. */
static void learn(struct zone *zone, struct past *past)
{
	unsigned long regretted = atomic_load_explicit(&zone->regretted, memory_order_relaxed);
	unsigned int backoff = atomic_load_explicit(&past->backoff, memory_order_relaxed);

	if (past->given && (regretted - past->regretted) * 2 > past->given)
		backoff += backoff < BACKOFF_MOST;
	else
		backoff -= backoff > 0;
	atomic_store_explicit(&past->backoff, backoff, memory_order_relaxed);
	past->regretted = regretted;
	past->given = 0;
}

/* A block of 2 MiB on a page list is no free memory yet. */
static void age_lists(struct zone *zone, struct past *past, uint64_t now_ns)
{
	uint64_t decay_ns = decay_ms * NS_PER_MS;

	if (now_ns - atomic_load_explicit(&past->aged_ns, memory_order_relaxed) < decay_ns)
		return;
	atomic_store_explicit(&past->aged_ns, now_ns, memory_order_relaxed);
	pcp_age_huge(zone, now_ns - decay_ns);
}

void give_back_tick(struct zone *zone, uint64_t now_ns)
{
	uint64_t last = atomic_load_explicit(&zone->giveback_last_ns, memory_order_relaxed);
	unsigned long free_committed = zone_page_state(zone, NR_FREE_COMMITTED), slack;
	unsigned long surplus = surplus_bytes >> PAGE_SHIFT;
	bool urgent = free_committed > surplus &&
		      free_committed > share_of_allocated(zone, URGENT_FRACTION, surplus);
	struct past *past = past_of(zone);
	bool rush = in_a_rush(zone, past, free_committed) && urgent &&
		    free_committed > surplus + surplus / 2;
	uint64_t interval_ns = (urgent ? urgent_ms(past) : decay_ms) * NS_PER_MS;

	age_lists(zone, past, now_ns);
	if ((!rush && now_ns - last < interval_ns) || zone_idx(zone) == ZONE_DMA)
		return;
	slack = share_of_allocated(zone, SLACK_FRACTION, rush ? RUSH_SLACK_LEAST : SLACK_LEAST);
	if (free_committed <= slack || !spin_trylock(&giveback_lock))
		return;
	if (now_ns - last >= interval_ns || may_rush(past, now_ns)) {
		atomic_store_explicit(&zone->giveback_last_ns, now_ns, memory_order_relaxed);
		if (now_ns - last >= interval_ns)
			learn(zone, past);
		past->given += give_back_some(zone,
					      urgent ? UINT64_MAX : now_ns - decay_ms * NS_PER_MS,
					      free_committed - slack, rush);
	}
	atomic_store_explicit(&past->free, zone_page_state(zone, NR_FREE_COMMITTED),
			      memory_order_relaxed);
	spin_unlock(&giveback_lock);
}

/**
 * page_alloc_trim() - give back all memory behind free pages, at once
 * @keep_bytes: leave so much of it
 *
 * Context: May sleep.
 * Return: bytes given back.
 */
size_t page_alloc_trim(size_t keep_bytes)
{
	unsigned long free_pages_all, done = 0;
	struct wish wish = { .freed_before_ns = UINT64_MAX, .least_order = os_page_order() };

	pcp_drain_all();
	spin_lock(&giveback_lock);
	free_pages_all = global_zone_page_state(NR_FREE_COMMITTED);
	for_each_populated_zone(zone) {
		bool more = zone_idx(zone) != ZONE_DMA;

		while (more && free_pages_all - done > keep_bytes >> PAGE_SHIFT &&
		       free_pages_all > done) {
			wish.pages = free_pages_all - done - (keep_bytes >> PAGE_SHIFT);
			done += give_back_batch(zone, &wish, true, &more);
		}
	}
	spin_unlock(&giveback_lock);
	return done << PAGE_SHIFT;
}

/* --- fork: no block is between the lists when the child is made -------------------------- */

static void fork_lock_giveback(void)
{
	spin_lock(&giveback_lock);
}

static void fork_unlock_giveback(void)
{
	spin_unlock(&giveback_lock);
}
FORK_HANDLER(giveback, 58, fork_lock_giveback, fork_unlock_giveback, fork_unlock_giveback);

static void fork_lock_zones(void)
{
	for_each_zone(zone)
		spin_lock(&zone->lock);
}

static void fork_unlock_zones(void)
{
	for_each_zone(zone)
		spin_unlock(&zone->lock);
}
FORK_HANDLER(zone, 70, fork_lock_zones, fork_unlock_zones, fork_unlock_zones);
