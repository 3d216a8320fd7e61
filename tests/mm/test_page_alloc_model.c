/* SPDX-License-Identifier: MIT */
/*
 * test_page_alloc_model.c - the allocator against a byte a page
 *
 * Random allocations, frees, splits, references, drains and trims on a small exact machine. The
 * twin is an array with one byte a page: who owns it. Each block must be aligned, inside the machine,
 * owned by nobody, and keep the pattern that was written to it; at the end every page is free.
 */

#include <stdlib.h>
#include <string.h>

#include <kunit/test.h>
#include <slabwork/mm.h>

#include "mm/page_alloc.h"

#define MACHINE_PAGES 2048
#define BLOCKS        512
#define STEPS         60000

struct block {
	struct page *page; /* NULL: none */
	unsigned int order;
	bool compound;
	bool plain; /* goes back in two pieces */
	bool held;  /* one more reference on the first page */
};

static struct block blocks[BLOCKS];
static unsigned char owned[MACHINE_PAGES * 4];
static unsigned long first_pfn, nr_owned;

static uint64_t state;

static unsigned int rnd(unsigned int below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned int)(state >> 33) % below;
}

static unsigned long index_of(struct kunit *test, const struct page *page)
{
	unsigned long i = page_to_pfn(page) - first_pfn;

	KUNIT_ASSERT_LT(test, i, (unsigned long)sizeof(owned));
	return i;
}

static void own(struct kunit *test, const struct page *page, unsigned long nr, unsigned char who)
{
	unsigned long i = index_of(test, page);

	for (unsigned long p = i; p < i + nr; p++) {
		KUNIT_ASSERT_EQ(test, owned[p] != 0, who == 0);
		owned[p] = who;
	}
	nr_owned += who ? nr : -nr;
}

/* Every page carries its frame number at both ends. */
static void write_pattern(struct page *page, unsigned long nr)
{
	for (unsigned long i = 0; i < nr; i++) {
		unsigned long *words = page_address(page + i);

		words[0] = words[PAGE_SIZE / sizeof(long) - 1] = page_to_pfn(page + i);
	}
}

static void check_pattern(struct kunit *test, struct page *page, unsigned long nr)
{
	for (unsigned long i = 0; i < nr; i++) {
		unsigned long *words = page_address(page + i);

		KUNIT_ASSERT_EQ(test, words[0], page_to_pfn(page + i));
		KUNIT_ASSERT_EQ(test, words[PAGE_SIZE / sizeof(long) - 1], page_to_pfn(page + i));
	}
}

static void check_zero(struct kunit *test, struct page *page, unsigned long nr)
{
	const unsigned long *words = page_address(page);

	for (unsigned long i = 0; i < nr * PAGE_SIZE / sizeof(long); i++)
		KUNIT_ASSERT_EQ(test, words[i], 0UL);
}

static void do_alloc(struct kunit *test, struct block *b)
{
	static const gfp_t kinds[] = { GFP_KERNEL, GFP_KERNEL | __GFP_RECLAIMABLE,
				       GFP_HIGHUSER_MOVABLE, GFP_ATOMIC, GFP_NOWAIT };
	gfp_t gfp = kinds[rnd(5)] | __GFP_NOWARN | __GFP_NORETRY;
	bool known_zero = false;

	b->order = rnd(4) ? rnd(4) : rnd(MAX_ORDER);
	b->compound = b->order && rnd(2);
	b->plain = b->order && !b->compound && rnd(2);
	b->held = false;
	if (b->compound)
		gfp |= __GFP_COMP;
	if (rnd(4) == 0)
		gfp |= __GFP_ZERO;
	if (b->plain)
		b->page = alloc_plain_pages(gfp, b->order, NUMA_NO_NODE, &known_zero);
	else
		b->page = __alloc_pages_zeroed_hint(gfp, b->order, NUMA_NO_NODE, &known_zero);
	if (!b->page)
		return;
	for (unsigned long i = 1; i < 1UL << b->order; i++) {
		KUNIT_ASSERT_EQ(test, PageTail(b->page + i), b->compound);
		KUNIT_ASSERT_EQ(test, page_to_nid(b->page + i), page_to_nid(b->page));
		KUNIT_ASSERT_EQ(test, page_zonenum(b->page + i), page_zonenum(b->page));
	}
	KUNIT_ASSERT_EQ(test, page_to_pfn(b->page) & ((1UL << b->order) - 1), 0UL);
	KUNIT_ASSERT_EQ(test, page_ref_count(b->page), 1);
	KUNIT_ASSERT_EQ(test, PageHead(b->page), b->compound);
	KUNIT_ASSERT_TRUE(test, known_zero || !(gfp & __GFP_ZERO));
	if (known_zero)
		check_zero(test, b->page, 1UL << b->order);
	own(test, b->page, 1UL << b->order, 1);
	write_pattern(b->page, 1UL << b->order);
}

static void free_plain(struct block *b)
{
	unsigned int place = page_place(b->page);
	unsigned long half = 1UL << (b->order - 1), first = rnd(2) ? half : 0;

	atomic_store(&b->page->_refcount, 0);
	free_plain_pages(b->page + first, b->order - 1, place);
	free_plain_pages(b->page + (half - first), b->order - 1, place);
}

static void do_free(struct kunit *test, struct block *b)
{
	unsigned long nr = 1UL << b->order;

	check_pattern(test, b->page, nr);
	if (b->plain) {
		free_plain(b);
	} else if (b->held) { /* the others go now, the first (compound: all) with the put */
		__free_pages(b->page, b->order);
		put_page(b->page);
	} else {
		__free_pages(b->page, b->order);
	}
	own(test, b->page, nr, 0);
	b->page = NULL;
}

static void do_split(struct kunit *test, struct block *b)
{
	if (b->compound || b->plain || b->held)
		return;
	check_pattern(test, b->page, 1UL << b->order);
	split_page(b->page, b->order);
	own(test, b->page, 1UL << b->order, 0);
	for (unsigned long i = 0; i < 1UL << b->order; i++)
		__free_page(b->page + i);
	b->page = NULL;
}

static void step(struct kunit *test)
{
	struct block *b = &blocks[rnd(BLOCKS)];
	unsigned int what = rnd(100);

	if (!b->page)
		do_alloc(test, b);
	else if (what < 10)
		do_split(test, b);
	else if (what < 20 && !b->held && !b->plain)
		get_page(b->page), b->held = true;
	else
		do_free(test, b);
	if (rnd(2000) == 0)
		pcp_drain_all();
	if (rnd(2000) == 0)
		page_alloc_trim(rnd(2) ? 0 : 1u << 20);
	if (rnd(1000) == 0)
		KUNIT_ASSERT_EQ(test, page_alloc_validate(), 0);
}

static void run(struct kunit *test, const char *words)
{
	unsigned long before;

	setenv("SLABWORK", words, 1);
	state = kunit_seed(test) | 1;
	mm_boot();
	pcp_drain_all();
	before = nr_free_pages();
	first_pfn = NODE_DATA(0)->node_zones[ZONE_NORMAL].zone_start_pfn;
	for (int i = 0; i < STEPS; i++)
		step(test);
	for (int i = 0; i < BLOCKS; i++)
		if (blocks[i].page)
			do_free(test, &blocks[i]);
	KUNIT_EXPECT_EQ(test, nr_owned, 0UL);
	pcp_drain_all();
	/* GFP_ATOMIC may have emptied the reserve, which was filled again or not. */
	KUNIT_EXPECT_LE(test, nr_free_pages(), before + 64);
	KUNIT_EXPECT_GE(test, nr_free_pages(), before - 64);
	KUNIT_EXPECT_EQ(test, page_alloc_validate(), 0);
}

KUNIT_TEST(random_work_on_8_mib_agrees_with_a_bitmap, .timeout_s = 300)
{
	run(test, "mem=8M");
}

KUNIT_TEST(random_work_on_two_nodes_agrees_with_a_bitmap, .timeout_s = 300)
{
	run(test, "mem=16M numa=fake=2 page_decay_ms=0");
}
