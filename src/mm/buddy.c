/* SPDX-License-Identifier: MIT */
/*
 * buddy.c - the free blocks of a zone: split, merge, mobility
 *
 * Room: mm. Above us: pcp.c and page_alloc.c. Below us: nothing; we only touch the
 * memmap and the section table, never the pages themselves.
 *
 * 1. The idea
 *
 * A free block of 2^k pages begins at a multiple of 2^k and has one buddy, pfn ^ 2^k. Both
 * free: they are one block of 2^(k+1). Free blocks of one order and migrate type form a list.
 * The largest block is a section (4 MiB), so buddies never lie in different zones.
 *
 * 2. Mobility
 *
 * Every pageblock (512 pages) has a migrate type, and what is freed goes to the list of its
 * pageblock's type. Blocks of another type are taken only when the own lists are empty: the
 * largest first, because then the whole pageblock can change sides and the two kinds of
 * pages stay apart. New memory is Movable.
 *
 * 3. Committed bits
 *
 * A page that was ever handed out may have memory behind it; its bit (in the section table)
 * is set when the block leaves here, and cleared only by give_back.c. A block with no bit set
 * is known to be zero. So lists prefer: freed blocks go to the head, new and given-back
 * ones to the tail.
 *
 * 4. Invariants (__buddy_validate() walks them; numbers in its report)
 *
 *   B1  The head of each block on a list has PG_buddy, its order and type; count 0.
 *   B2  A block is aligned to its size, and lies in one section, of this zone.
 *   B3  No two free buddies of the same order whose types may merge: they would have.
 *   B4  nr_free_type is the length of the list, nr_free their sum.
 *   B5  NR_FREE_PAGES is the sum of all pages on lists.
 *   B6  NR_FREE_COMMITTED is the number of their committed bits, and NR_COMMITTED that of the
 *       zone's.
 *   B7  A block lies on the list of its pageblock's type (order 10: of both pageblocks).
 *   B8  Behind a head with tails_plain no entry has a flag, a head, an index or an order.
 *
 * 5. Locks: zone->lock for all, except buddy_defer_free(), which pushes on a lock-free stack. Who
 * holds the lock next takes the whole stack (__buddy_drain_deferred).
 *
 * 6. Only the head of a free block has meaningful flags; the other entries hold what they
 * held last, or zero where the memmap was never touched. Whoever takes a block writes all: 64
 * bytes for each 4 KiB, and as much memory that nobody needed so far. So the head remembers
 * (tails_plain) where nothing in them is wrong: then they are all zero but for their place, and
 * he who will not look at them (alloc_plain_pages()) leaves them as they are.
 *
 * Departures from Linux 6.12: no compaction and no CMA; committed bits; sections are as large as
 * the largest block; deferred frees instead of a spinning lock.
 */

#include "kernel/printk.h"
#include "mm/page_alloc.h"

#define BITS_PER_LONG (8 * (unsigned long)sizeof(long))

/* Where to look when the own lists are empty, best first. */
static const enum migratetype fallbacks[MIGRATE_PCPTYPES][MIGRATE_PCPTYPES - 1] = {
	[MIGRATE_UNMOVABLE] = { MIGRATE_RECLAIMABLE, MIGRATE_MOVABLE },
	[MIGRATE_MOVABLE] = { MIGRATE_RECLAIMABLE, MIGRATE_UNMOVABLE },
	[MIGRATE_RECLAIMABLE] = { MIGRATE_UNMOVABLE, MIGRATE_MOVABLE },
};

/* --- counters: written under the lock, read without ------------------------------ */

static void add_ulong(_Atomic unsigned long *counter, long delta)
{
	unsigned long value = atomic_load_explicit(counter, memory_order_relaxed);

	atomic_store_explicit(counter, value + (unsigned long)delta, memory_order_relaxed);
}

static void add_state(struct zone *zone, enum zone_stat_item item, long delta)
{
	long value = atomic_load_explicit(&zone->vm_stat[item], memory_order_relaxed);

	atomic_store_explicit(&zone->vm_stat[item], value + delta, memory_order_relaxed);
}

/* --- committed bits ------------------------------------------------------------------ */

/* Bits [pfn, pfn + 2^order) of a section: words, and a mask if they are less than one. */
struct bit_range {
	unsigned long *word;
	unsigned long nr_words;
	unsigned long mask;
};

static struct bit_range committed_range(unsigned long pfn, unsigned int order)
{
	unsigned long bit = pfn % PAGES_PER_SECTION;
	unsigned long nr = 1UL << order;
	struct bit_range r = { &pfn_section(pfn)->committed[bit / BITS_PER_LONG], 1, ~0UL };

	if (nr >= BITS_PER_LONG)
		r.nr_words = nr / BITS_PER_LONG;
	else
		r.mask = ((1UL << nr) - 1) << (bit % BITS_PER_LONG);
	return r;
}

unsigned long __buddy_committed(unsigned long pfn, unsigned int order)
{
	struct bit_range r = committed_range(pfn, order);
	unsigned long n = 0;

	for (unsigned long i = 0; i < r.nr_words; i++)
		n += (unsigned long)__builtin_popcountl(r.word[i] & r.mask);
	return n;
}

/* Set all bits; returns how many were set before. */
static unsigned long committed_set(unsigned long pfn, unsigned int order)
{
	struct bit_range r = committed_range(pfn, order);
	unsigned long n = 0;

	for (unsigned long i = 0; i < r.nr_words; i++) {
		n += (unsigned long)__builtin_popcountl(r.word[i] & r.mask);
		r.word[i] |= r.mask;
	}
	return n;
}

/* The bits of mem_section.given that a block has; 0: it is too small for any. */
#define GIVEN_ORDER (MAX_PAGE_ORDER - 6)
_Static_assert(1UL << (MAX_PAGE_ORDER - GIVEN_ORDER) == BITS_PER_LONG, "one word a section");

static unsigned long given_bits(unsigned long pfn, unsigned int order)
{
	unsigned long nr = order < GIVEN_ORDER ? 1 : 1UL << (order - GIVEN_ORDER);

	return (nr == BITS_PER_LONG ? ~0UL : (1UL << nr) - 1)
	       << (pfn % PAGES_PER_SECTION >> GIVEN_ORDER);
}

/* A block is taken of which some pages have no memory: had they been given back before? */
static void count_regret(struct zone *zone, unsigned long pfn, unsigned int order)
{
	struct mem_section *section = pfn_section(pfn);
	unsigned long bits = section->given & given_bits(pfn, order);

	if (!bits)
		return;
	section->given &= ~bits;
	add_ulong(&zone->regretted, (long)__builtin_popcountl(bits) << GIVEN_ORDER);
}

static void committed_clear(unsigned long pfn, unsigned int order)
{
	struct bit_range r = committed_range(pfn, order);

	for (unsigned long i = 0; i < r.nr_words; i++)
		r.word[i] &= ~r.mask;
}

/* --- lists ------------------------------------------------------------------------------ */

void buddy_init_zone(struct zone *zone)
{
	for (unsigned int order = 0; order < MAX_ORDER; order++)
		for (int type = 0; type < MIGRATE_TYPES; type++)
			page_list_init(&zone->free_area[order].free_list[type]);
}

static void count_block(struct zone *zone, unsigned int order, enum migratetype type, long n)
{
	struct free_area *area = &zone->free_area[order];

	add_ulong(&area->nr_free_type[type], n);
	add_ulong(&area->nr_free, n);
	add_state(zone, NR_FREE_PAGES, n * (1L << order));
}

/* The entry becomes the head of a free block; now_ns: see give_back.c. */
static void list_block(struct zone *zone, struct page *page, unsigned int order,
		       enum migratetype type, bool cold, uint64_t now_ns)
{
	struct list_head *list = &zone->free_area[order].free_list[type];

	page_flags_set_all(page, zone_place(zone) | 1u << PG_buddy);
	page->order = (unsigned char)order;
	page->migratetype = (unsigned char)type;
	page->private = (unsigned long)now_ns;
	if (cold)
		page_list_add_tail(page, list);
	else
		page_list_add(page, list);
	count_block(zone, order, type, 1);
}

static void unlist_block(struct zone *zone, struct page *page)
{
	page_list_del(page);
	page_clear(page, PG_buddy);
	count_block(zone, page->order, (enum migratetype)page->migratetype, -1);
}

static struct page *first_block(struct zone *zone, unsigned int order, enum migratetype type)
{
	struct list_head *list = &zone->free_area[order].free_list[type];

	return page_list_empty(list) ? NULL : lru_to_page(list->next);
}

/* --- allocation --------------------------------------------------------------------------- */

/* An unlisted block of order `have`: keep its lowest 2^want pages, list the rest. */
static void split_rest(struct zone *zone, struct page *page, unsigned int want, unsigned int have,
		       enum migratetype type, uint64_t age_ns)
{
	while (have > want) {
		have--;
		page[1UL << have].tails_plain = page->tails_plain;
		list_block(zone, page + (1UL << have), have, type, false, age_ns);
	}
}

static struct page *take_from(struct zone *zone, struct page *page, unsigned int order,
			      enum migratetype rest_type)
{
	unsigned int have = page->order;
	uint64_t age = page->private;

	unlist_block(zone, page);
	split_rest(zone, page, order, have, rest_type, age);
	return page;
}

/* Has at least half of the block memory behind it? */
static bool mostly_committed(const struct page *page)
{
	return __buddy_committed(page_to_pfn_raw(page), page->order) * 2 >= 1UL << page->order;
}

/*
 * The smallest block of this type that is large enough; of those, one that has memory behind it
 * before a smaller one that has not: what lies warm in a large block is resident anyway, and
 * a page that is touched for the first time adds to it. (Lists have their warm blocks in front.)
 */
static struct page *take_smallest(struct zone *zone, unsigned int order, enum migratetype type)
{
	struct page *cold = NULL;

	for (unsigned int o = order; o < MAX_ORDER; o++) {
		struct page *page = first_block(zone, o, type);

		if (!page)
			continue;
		if (order >= PAGEBLOCK_ORDER || mostly_committed(page))
			return take_from(zone, page, order, type);
		if (!cold)
			cold = page;
	}
	return cold ? take_from(zone, cold, order, type) : NULL;
}

/* --- taking from another migrate type -------------------------------------------------------- */

/*
 * Would it be good to take the pageblock with the block? Large blocks: most of it is free
 * anyway. Kernel-like pages (they stay) rather fill one pageblock than be strewn over many.
 */
static bool may_take_pageblock(unsigned int order, enum migratetype wanted)
{
	return order >= PAGEBLOCK_ORDER / 2 || wanted != MIGRATE_MOVABLE;
}

static unsigned long pageblock_start(unsigned long pfn)
{
	return pfn & ~(PAGEBLOCK_NR_PAGES - 1);
}

static unsigned long free_in_pageblock(unsigned long pfn)
{
	unsigned long end = pageblock_start(pfn) + PAGEBLOCK_NR_PAGES;
	unsigned long nr = 0;

	for (unsigned long p = end - PAGEBLOCK_NR_PAGES; p < end;) {
		struct page *page = pfn_to_page_raw(p);
		unsigned long pages = 1;

		if (page_test(page, PG_buddy)) {
			pages = 1UL << page->order;
			nr += pages;
		}
		p += pages;
	}
	return nr;
}

/* Move all free blocks of a pageblock to another type's lists, and the pageblock with them. */
static void move_pageblock(struct zone *zone, unsigned long pfn, enum migratetype type)
{
	unsigned long end = pageblock_start(pfn) + PAGEBLOCK_NR_PAGES;

	set_pageblock_type(pfn, type);
	for (unsigned long p = end - PAGEBLOCK_NR_PAGES; p < end;) {
		struct page *page = pfn_to_page_raw(p);
		uint64_t age;

		if (!page_test(page, PG_buddy)) {
			p++;
			continue;
		}
		age = page->private;
		unlist_block(zone, page);
		list_block(zone, page, page->order, type, false, age);
		p += 1UL << page->order;
	}
}

/* A fragmentation event: let kswapd free more than usual for a while, so that whole blocks appear. */
static void boost_watermark(struct zone *zone)
{
	unsigned long high =
		atomic_load_explicit(&zone->_watermark[WMARK_HIGH], memory_order_relaxed);
	unsigned long most = high * watermark_boost_factor / 10000;
	unsigned long boost = atomic_load_explicit(&zone->watermark_boost, memory_order_relaxed);

	/* A zone of a few pageblocks would be nothing but boost. */
	if (!most || PAGEBLOCK_NR_PAGES * 4 > zone_managed_pages(zone) ||
	    zone_managed_pages(zone) < zone->limit_pages)
		return;
	if (most < PAGEBLOCK_NR_PAGES)
		most = PAGEBLOCK_NR_PAGES;
	boost += PAGEBLOCK_NR_PAGES;
	atomic_store_explicit(&zone->watermark_boost, boost < most ? boost : most,
			      memory_order_relaxed);
	atomic_fetch_or_explicit(&zone->flags, 1UL << ZONE_BOOSTED_WATERMARK, memory_order_relaxed);
}

/* A free block of at least a pageblock changes sides whole. */
static struct page *steal_large(struct zone *zone, struct page *page, unsigned int order,
				enum migratetype type)
{
	unsigned long pfn = page_to_pfn_raw(page);

	for (unsigned long p = 0; p < 1UL << page->order; p += PAGEBLOCK_NR_PAGES)
		set_pageblock_type(pfn + p, type);
	count_vm_event(SW_PAGEBLOCK_STEAL);
	return take_from(zone, page, order, type);
}

static struct page *steal(struct zone *zone, struct page *page, unsigned int order,
			  enum migratetype type)
{
	unsigned long pfn = page_to_pfn_raw(page);

	count_vm_event(SW_EXTFRAG);
	if (page->order >= PAGEBLOCK_ORDER)
		return steal_large(zone, page, order, type);
	boost_watermark(zone);
	/* At least half of it free: the pageblock is ours from now on. */
	if (may_take_pageblock(page->order, type) &&
	    free_in_pageblock(pfn) >= PAGEBLOCK_NR_PAGES / 2) {
		move_pageblock(zone, pfn, type);
		count_vm_event(SW_PAGEBLOCK_STEAL);
		return take_smallest(zone, order, type);
	}
	/* Only the block; what is left of it stays with its pageblock. */
	return take_from(zone, page, order, (enum migratetype)page->migratetype);
}

static struct page *fallback_block(struct zone *zone, unsigned int order, enum migratetype type)
{
	for (int i = 0; i < MIGRATE_PCPTYPES - 1; i++) {
		struct page *page = first_block(zone, order, fallbacks[type][i]);

		if (page)
			return page;
	}
	return NULL;
}

static struct page *take_fallback(struct zone *zone, unsigned int order, enum migratetype type)
{
	/* Largest first: the one that takes its pageblock along. */
	for (unsigned int o = MAX_ORDER; o-- > order;) {
		struct page *page = fallback_block(zone, o, type);

		if (!page)
			continue;
		if (!may_take_pageblock(o, type) && o > order)
			break;
		return steal(zone, page, order, type);
	}
	/* Movable pages spoil nobody's pageblock for long: the smallest that fits. */
	for (unsigned int o = order; o < MAX_ORDER; o++) {
		struct page *page = fallback_block(zone, o, type);

		if (page)
			return steal(zone, page, order, type);
	}
	return NULL;
}

struct page *__buddy_alloc(struct zone *zone, unsigned int order, enum migratetype type,
			   unsigned int alloc_flags, bool *known_zero)
{
	struct page *page = NULL;
	unsigned long had;

	if (alloc_flags & ALLOC_HIGHATOMIC)
		page = take_smallest(zone, order, MIGRATE_HIGHATOMIC);
	if (!page)
		page = take_smallest(zone, order, type);
	if (!page)
		page = take_fallback(zone, order, type);
	/* The last resort of those who cannot wait, and after an OOM report. */
	if (!page && alloc_flags & (ALLOC_OOM | ALLOC_NON_BLOCK) && alloc_flags & ALLOC_RESERVES)
		page = take_smallest(zone, order, MIGRATE_HIGHATOMIC);
	if (!page)
		return NULL;

	had = committed_set(page_to_pfn_raw(page), order);
	add_state(zone, NR_FREE_COMMITTED, -(long)had);
	add_state(zone, NR_COMMITTED, (1L << order) - (long)had);
	if (had < 1UL << order)
		count_regret(zone, page_to_pfn_raw(page), order);
	*known_zero = had == 0;
	return page;
}

/* --- free -------------------------------------------------------------------------------------- */

/* Pageblocks that are isolated or reserved stay apart from others: they are counted. */
static bool may_merge(const struct page *buddy, enum migratetype type)
{
	return buddy->migratetype == type ||
	       (buddy->migratetype < MIGRATE_PCPTYPES && type < MIGRATE_PCPTYPES);
}

/* The buddy of this block, if it is free and as large; else NULL. */
static struct page *free_buddy(unsigned long pfn, unsigned int order, enum migratetype type)
{
	struct page *buddy = pfn_to_page_raw(pfn ^ (1UL << order));

	if (!page_test(buddy, PG_buddy) || buddy->order != order || !may_merge(buddy, type))
		return NULL;
	return buddy;
}

/* The head of the right half of a larger block becomes a tail as good as the others. */
static void make_plain_tail(struct page *page)
{
	page_flags_set_all(page, page_place(page));
	page->compound_head = NULL;
	page->index = 0;
	page->order = 0;
}

static void insert_merged(struct zone *zone, struct page *page, unsigned int order, bool cold,
			  uint64_t now_ns)
{
	unsigned long pfn = page_to_pfn_raw(page);
	enum migratetype type = get_pageblock_type(pfn);
	bool plain = !order || page->tails_plain;

	while (order < MAX_PAGE_ORDER) {
		struct page *buddy = free_buddy(pfn, order, type);

		if (!buddy)
			break;
		unlist_block(zone, buddy);
		/* Two pageblocks become one block: they must be of one type (B7). */
		if (order == PAGEBLOCK_ORDER)
			set_pageblock_type(page_to_pfn_raw(buddy), type);
		plain = plain && (!order || buddy->tails_plain);
		if (plain)
			make_plain_tail(pfn_to_page_raw(pfn | 1UL << order));
		pfn &= ~(1UL << order);
		order++;
	}
	page = pfn_to_page_raw(pfn);
	page->tails_plain = plain;
	list_block(zone, page, order, type, cold, now_ns);
}

void __buddy_free(struct zone *zone, struct page *page, unsigned int order, uint64_t now_ns)
{
	unsigned long pfn = page_to_pfn_raw(page);
	bool cold = false;

	add_state(zone, NR_FREE_COMMITTED, 1L << order);
	/*
	 * If the next larger buddy is free, this one's buddy will likely follow and they merge:
	 * keep it from being handed out.
	 */
	if (order < PAGEBLOCK_ORDER) {
		struct page *larger = pfn_to_page_raw((pfn & ~(1UL << order)) ^ (2UL << order));

		cold = page_test(larger, PG_buddy) && larger->order == order + 1;
	}
	insert_merged(zone, page, order, cold, now_ns);
}

void buddy_defer_free(struct zone *zone, struct page *page, unsigned int order)
{
	struct page *first = atomic_load_explicit(&zone->deferred, memory_order_relaxed);

	page->order = (unsigned char)order;
	page_flags_set_all(page, page_place(page) | 1u << PG_pcp);
	do
		page->private = (unsigned long)first;
	while (!atomic_compare_exchange_weak_explicit(&zone->deferred, &first, page,
						      memory_order_release, memory_order_relaxed));
	count_vm_event(SW_DEFERRED_FREE);
}

void __buddy_drain_deferred(struct zone *zone, uint64_t now_ns)
{
	struct page *page;

	if (likely(!atomic_load_explicit(&zone->deferred, memory_order_relaxed)))
		return;
	/* Taken whole: no entry can come back while we look at it. Pairs with the release above. */
	page = atomic_exchange_explicit(&zone->deferred, NULL, memory_order_acquire);
	while (page) {
		struct page *next = (struct page *)page->private;

		page_clear(page, PG_pcp);
		__buddy_free(zone, page, page->order, now_ns);
		page = next;
	}
}

void __buddy_isolate(struct zone *zone, struct page *page)
{
	unlist_block(zone, page);
}

void __buddy_putback(struct zone *zone, struct page *page, unsigned int order, bool released)
{
	if (released) {
		unsigned long pfn = page_to_pfn_raw(page);
		long had = (long)__buddy_committed(pfn, order);

		committed_clear(pfn, order);
		if (order >= GIVEN_ORDER)
			pfn_section(pfn)->given |= given_bits(pfn, order);
		add_state(zone, NR_FREE_COMMITTED, -had);
		add_state(zone, NR_COMMITTED, -had);
	}
	insert_merged(zone, page, order, true, 0);
}

/* Whole sections at once; the last may be partial, then the largest aligned blocks that fit. */
void __buddy_add_new(struct zone *zone, unsigned long pfn, unsigned long nr_pages)
{
	unsigned long end = pfn + nr_pages;

	while (pfn < end) {
		unsigned int order = MAX_PAGE_ORDER;

		while (pfn & ((1UL << order) - 1) || pfn + (1UL << order) > end)
			order--;
		pfn_to_page_raw(pfn)->tails_plain = true; /* its memmap is as new */
		list_block(zone, pfn_to_page_raw(pfn), order, get_pageblock_type(pfn), true, 0);
		pfn += 1UL << order;
	}
}

/* --- pageblocks kept for atomic allocations of several pages --------------------------------------- */

void __buddy_reserve_highatomic(struct zone *zone, struct page *page)
{
	unsigned long reserved =
		atomic_load_explicit(&zone->nr_reserved_highatomic, memory_order_relaxed);
	unsigned long pfn = page_to_pfn_raw(page);
	/* About 1 % of the zone; a zone of less than 100 pageblocks has none to spare. */
	unsigned long most = zone_managed_pages(zone) / 100;

	if (most < PAGEBLOCK_NR_PAGES || reserved + PAGEBLOCK_NR_PAGES > most)
		return;
	if (get_pageblock_type(pfn) >= MIGRATE_HIGHATOMIC)
		return;
	move_pageblock(zone, pfn, MIGRATE_HIGHATOMIC);
	add_ulong(&zone->nr_reserved_highatomic, (long)PAGEBLOCK_NR_PAGES);
}

bool __buddy_unreserve_highatomic(struct zone *zone)
{
	for (unsigned int order = 0; order < MAX_ORDER; order++) {
		struct page *page = first_block(zone, order, MIGRATE_HIGHATOMIC);
		unsigned long pages = PAGEBLOCK_NR_PAGES;

		if (!page)
			continue;
		if (order > PAGEBLOCK_ORDER) { /* two pageblocks: listed below by the first */
			pages *= 2;
			set_pageblock_type(page_to_pfn_raw(page) + PAGEBLOCK_NR_PAGES,
					   MIGRATE_UNMOVABLE);
		}
		move_pageblock(zone, page_to_pfn_raw(page), MIGRATE_UNMOVABLE);
		add_ulong(&zone->nr_reserved_highatomic, -(long)pages);
		return true;
	}
	return false;
}

/* --- validation -------------------------------------------------------------------------------------- */

#define BROKEN(cond, number, pfn)                                                    \
	((cond) ? (pr_err("buddy: zone %s pfn %#lx breaks " number "\n", zone->name, \
			  (unsigned long)(pfn)),                                     \
		   1) :                                                              \
		  0)

static bool tail_plain(const struct page *page)
{
	unsigned int flags =
		atomic_load_explicit(&((struct page *)page)->flags, memory_order_relaxed);

	return !(flags & ~PAGE_PLACE_MASK) && !page->compound_head && !page->index && !page->order;
}

static int validate_block(struct zone *zone, struct page *page, unsigned int order, int type)
{
	unsigned long pfn = page_to_pfn_raw(page);
	struct page *buddy = pfn_to_page_raw(pfn ^ (1UL << order));
	int bad = 0;

	bad += BROKEN(!page_test(page, PG_buddy) || page->order != order ||
			      page->migratetype != type || atomic_load(&page->_refcount),
		      "B1", pfn);
	bad += BROKEN(pfn & ((1UL << order) - 1) || pfn_section(pfn)->zone != zone ||
			      page_zone(page) != zone,
		      "B2", pfn);
	bad += BROKEN(order < MAX_PAGE_ORDER && page_test(buddy, PG_buddy) &&
			      buddy->order == order && may_merge(buddy, (enum migratetype)type),
		      "B3", pfn);
	bad += BROKEN((int)get_pageblock_type(pfn) != type ||
			      (int)get_pageblock_type(pfn + (1UL << order) - 1) != type,
		      "B7", pfn);
	for (unsigned long i = 1; page->tails_plain && i < 1UL << order; i++)
		bad += BROKEN(!tail_plain(&page[i]), "B8", pfn + i);
	return bad;
}

static unsigned long zone_committed_bits(struct zone *zone)
{
	unsigned long pfn = atomic_load(&zone->zone_start_pfn);
	unsigned long end = pfn + atomic_load(&zone->spanned_pages);
	unsigned long n = 0;

	for (; pfn < end; pfn += PAGES_PER_SECTION)
		if (pfn_section(pfn)->zone == zone)
			n += __buddy_committed(pfn, MAX_PAGE_ORDER);
	return n;
}

int __buddy_validate(struct zone *zone)
{
	unsigned long pages = 0, committed = 0;
	int bad = 0;

	for (unsigned int order = 0; order < MAX_ORDER; order++) {
		struct free_area *area = &zone->free_area[order];
		unsigned long sum = 0;

		for (int type = 0; type < MIGRATE_TYPES; type++) {
			struct list_head *list = &area->free_list[type];
			unsigned long length = 0;

			for (struct list_head *l = list->next; l != list; l = l->next, length++) {
				struct page *page = lru_to_page(l);

				bad += validate_block(zone, page, order, type);
				committed += __buddy_committed(page_to_pfn_raw(page), order);
			}
			bad += BROKEN(length != atomic_load(&area->nr_free_type[type]), "B4", 0);
			sum += length;
		}
		bad += BROKEN(sum != atomic_load(&area->nr_free), "B4", 0);
		pages += sum << order;
	}
	bad += BROKEN(pages != zone_page_state(zone, NR_FREE_PAGES), "B5", 0);
	bad += BROKEN(committed != zone_page_state(zone, NR_FREE_COMMITTED), "B6", 0);
	bad += BROKEN(zone_committed_bits(zone) != zone_page_state(zone, NR_COMMITTED), "B6", 0);
	return bad;
}
