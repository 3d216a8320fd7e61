/* SPDX-License-Identifier: MIT */
/*
 * test_folio_bare.c - folios whose tails are not written: asked for them, given back, halved
 */

#include <stdlib.h>

#include <kunit/test.h>
#include <slabwork/folio.h>
#include <slabwork/mm.h>

#include "mm/page.h"
#include "mm/page_alloc.h"

static void expect_order(struct kunit *test, struct folio *folio, unsigned int order)
{
	KUNIT_EXPECT_EQ(test, folio_order(folio), order);
	for (size_t i = 0; i < 1UL << order; i++)
		KUNIT_EXPECT_PTR_EQ(test, page_folio(folio_page(folio, i)), folio);
}

KUNIT_TEST(a_bare_folio_has_a_size_and_touches_one_entry)
{
	struct folio *folio = folio_alloc_bare(GFP_KERNEL, 9);
	const struct page *page = (struct page *)folio;

	KUNIT_ASSERT_NOT_NULL(test, folio);
	KUNIT_EXPECT_EQ(test, folio_size(folio), PAGE_SIZE << 9);
	KUNIT_EXPECT_EQ(test, page_ref_count(page), 1);
	for (size_t i = 1; i < 512; i++)
		KUNIT_EXPECT_FALSE(test, page_test(page + i, PG_tail));
	folio_put(folio);
	KUNIT_EXPECT_EQ(test, page_alloc_validate(), 0);
}

KUNIT_TEST(the_tails_of_a_bare_folio_know_it_once_they_are_asked_for)
{
	struct folio *folio = folio_alloc_bare(GFP_KERNEL, 3);

	KUNIT_ASSERT_NOT_NULL(test, folio);
	expect_order(test, folio, 3);
	folio_put(folio);
	KUNIT_EXPECT_EQ(test, page_alloc_validate(), 0);
}

/* A small machine, so that the same pages come again and again, in all the ways there are. */
KUNIT_TEST(pages_that_were_bare_are_right_as_anything_else)
{
	setenv("SLABWORK", "mem=8M", 1);
	for (unsigned int round = 0; round < 200; round++) {
		unsigned int order = 1 + round % 9;
		struct folio *bare = folio_alloc_bare(GFP_KERNEL, order);
		struct folio *whole = folio_alloc(GFP_KERNEL, round % 3);
		struct page *plain = alloc_pages(GFP_KERNEL, order % 4);

		KUNIT_ASSERT_TRUE(test, bare && whole && plain);
		if (round & 1)
			expect_order(test, bare, order);
		expect_order(test, whole, round % 3);
		for (size_t i = 0; i < 1UL << order % 4; i++)
			KUNIT_EXPECT_PTR_EQ(test, page_folio(plain + i),
					    (struct folio *)(plain + i));
		folio_put(bare);
		folio_put(whole);
		__free_pages(plain, order % 4);
		KUNIT_ASSERT_EQ(test, page_alloc_validate(), 0);
	}
}

/* Into single pages, keeping the lower half at each step; @asked: its tails were written before. */
static void halve_down(struct kunit *test, bool asked)
{
	struct folio *folio = folio_alloc_bare(GFP_KERNEL, 9), *upper;

	KUNIT_ASSERT_NOT_NULL(test, folio);
	if (asked)
		expect_order(test, folio, 9);
	atomic_store(&folio->_refcount, 0);
	atomic_fetch_or(&folio->flags, 1u << PG_uptodate);
	for (unsigned int order = 9; order--;) {
		upper = folio_halve(folio);
		KUNIT_EXPECT_PTR_EQ(test, upper, folio + (1UL << order));
		KUNIT_EXPECT_TRUE(test, page_test((struct page *)upper, PG_uptodate));
		KUNIT_EXPECT_EQ(test, page_to_nid((struct page *)upper),
				page_to_nid((struct page *)folio));
		atomic_store(&upper->_refcount, 1);
		expect_order(test, upper, order);
		KUNIT_EXPECT_EQ(test, folio_order(folio), order);
		folio_put(upper);
	}
	KUNIT_EXPECT_FALSE(test, page_test((struct page *)folio, PG_head));
	atomic_store(&folio->_refcount, 1);
	folio_put(folio);
	KUNIT_EXPECT_EQ(test, page_alloc_validate(), 0);
}

KUNIT_TEST(halves_of_a_bare_folio_go_back_one_by_one)
{
	setenv("SLABWORK", "mem=4M", 1);
	for (int i = 0; i < 20; i++)
		halve_down(test, false);
}

KUNIT_TEST(halves_of_a_folio_whose_tails_are_written_go_back_one_by_one)
{
	setenv("SLABWORK", "mem=4M", 1);
	for (int i = 0; i < 20; i++)
		halve_down(test, true);
}
