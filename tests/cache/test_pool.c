/* SPDX-License-Identifier: MIT */
/*
 * test_pool.c - pages that can be mapped a second time. Room under test: cache (pool.c).
 *
 * The model: what was given out, with a byte of its own in each page, seen through a second mapping.
 */

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kunit/test.h>

#include "cache/cache.h"
#include "cache/pool.h"
#include "lib/prng.h"

static int pool_test_init(struct kunit *test)
{
	(void)test;
	return cache_init();
}

static unsigned long used(void)
{
	unsigned long u, held;

	pool_stats(&u, &held);
	return u;
}

static unsigned long held(void)
{
	unsigned long u, h;

	pool_stats(&u, &h);
	return h;
}

static char *second_view(const struct folio *folio)
{
	char *p = mmap(NULL, folio_bytes(folio), PROT_READ | PROT_WRITE, MAP_SHARED, pool_fd(),
		       (off_t)(uintptr_t)folio_addr(folio));

	return p == MAP_FAILED ? NULL : p;
}

static void a_folio_is_the_same_memory_at_both_addresses(struct kunit *test)
{
	struct folio *folio = pool_alloc(GFP_KERNEL, 2);
	char *first, *second;

	KUNIT_ASSERT_NOT_NULL(test, folio);
	KUNIT_EXPECT_TRUE(test, folio_test(folio, PG_pool));
	KUNIT_EXPECT_EQ(test, folio_nr_pages(folio), 4);
	KUNIT_EXPECT_PTR_EQ(test, fast_page_folio((struct page *)(folio + 3)), folio);
	first = folio_addr(folio);
	KUNIT_EXPECT_EQ(test, (uintptr_t)first % (4 * PAGE_SIZE), 0);
	second = second_view(folio);
	KUNIT_ASSERT_NOT_NULL(test, second);
	first[5000] = 'a';
	KUNIT_EXPECT_EQ(test, second[5000], 'a');
	second[9000] = 'b';
	KUNIT_EXPECT_EQ(test, first[9000], 'b');
	folio_drop(folio);
	KUNIT_EXPECT_EQ(test, used(), 0);
	munmap(second, 4 * PAGE_SIZE);
}

static void what_went_back_is_the_allocators_again(struct kunit *test)
{
	struct folio *folio = pool_alloc(GFP_KERNEL, 9);
	struct page *page;
	char *view, *addr;

	KUNIT_ASSERT_NOT_NULL(test, folio);
	addr = folio_addr(folio);
	view = second_view(folio);
	memset(addr, 'x', 2 << 20);
	folio_drop(folio);
	KUNIT_EXPECT_EQ(test, held(), 0);
	/* The memory behind the old offset is gone, and a new owner's bytes do not show there. */
	KUNIT_EXPECT_EQ(test, view[100], 0);
	for (int i = 0; i < 64; i++) {
		page = alloc_pages(GFP_KERNEL, 9);
		if (!page)
			break;
		if (page_address(page) == addr) {
			memset(addr, 'y', 4096);
			KUNIT_EXPECT_EQ(test, view[100], 0);
		}
		KUNIT_EXPECT_FALSE(test, folio_test((struct folio *)page, PG_pool));
		__free_pages(page, 9);
	}
	munmap(view, 2 << 20);
}

static void zeroed_is_zero_whatever_lay_there(struct kunit *test)
{
	struct folio *keep = pool_alloc(GFP_KERNEL, 0), *folio = pool_alloc(GFP_KERNEL, 3);
	const char *p;

	memset(folio_addr(folio), 'x', folio_bytes(folio));
	folio_drop(folio);
	folio = pool_alloc(GFP_KERNEL | __GFP_ZERO, 3);
	p = folio_addr(folio);
	for (size_t i = 0; i < folio_bytes(folio); i++)
		KUNIT_ASSERT_EQ(test, p[i], 0);
	folio_drop(folio);
	folio_drop(keep);
}

#define MODEL_SLOTS 200
#define MODEL_STEPS 20000

static void random_orders_never_overlap_and_all_goes_back(struct kunit *test)
{
	struct folio *slot[MODEL_SLOTS] = { NULL };
	unsigned char mark[MODEL_SLOTS];
	unsigned long pages = 0;
	struct prng rng;

	prng_seed(&rng, kunit_seed(test));
	for (int step = 0; step < MODEL_STEPS; step++) {
		unsigned int i = prng_below(&rng, MODEL_SLOTS);

		if (slot[i]) {
			for (unsigned long p = 0; p < folio_nr_pages(slot[i]); p++)
				KUNIT_ASSERT_EQ(
					test, ((unsigned char *)folio_addr(slot[i]))[p * PAGE_SIZE],
					mark[i]);
			pages -= folio_nr_pages(slot[i]);
			folio_drop(slot[i]);
			slot[i] = NULL;
		} else {
			unsigned int order = prng_below(&rng, 40) ? prng_below(&rng, 5) :
								    prng_below(&rng, 10);

			slot[i] = pool_alloc(GFP_KERNEL, order);
			KUNIT_ASSERT_NOT_NULL(test, slot[i]);
			KUNIT_ASSERT_EQ(test, folio_nr_pages(slot[i]), 1UL << order);
			mark[i] = (unsigned char)prng_u64(&rng);
			for (unsigned long p = 0; p < 1UL << order; p++)
				((unsigned char *)folio_addr(slot[i]))[p * PAGE_SIZE] = mark[i];
			pages += 1UL << order;
		}
		KUNIT_ASSERT_EQ(test, used(), pages);
		KUNIT_ASSERT_GE(test, held(), pages);
	}
	for (int i = 0; i < MODEL_SLOTS; i++)
		if (slot[i])
			folio_drop(slot[i]);
	KUNIT_EXPECT_EQ(test, used(), 0);
	KUNIT_EXPECT_EQ(test, held(), 0);
}

static void too_large_a_folio_is_refused(struct kunit *test)
{
	KUNIT_EXPECT_NULL(test, pool_alloc(GFP_KERNEL, 10));
	KUNIT_EXPECT_EQ(test, used(), 0);
}

static void a_forked_child_has_a_pool_of_its_own(struct kunit *test)
{
	struct folio *folio = pool_alloc(GFP_KERNEL, 1);
	char *p = folio_addr(folio);
	int status;
	pid_t pid;

	memcpy(p, "parent", 7);
	pid = fork();
	if (!pid) {
		struct folio *mine;
		char *view = second_view(folio);

		usleep(30000);
		if (strcmp(p, "parent") || !view || strcmp(view, "parent"))
			_exit(1);
		memcpy(p, "child", 6);
		if (strcmp(view, "child"))
			_exit(2);
		mine = pool_alloc(GFP_KERNEL, 0);
		if (!mine)
			_exit(3);
		folio_drop(mine);
		folio_drop(folio);
		_exit(held() ? 4 : 0);
	}
	memcpy(p, "changed", 8);
	KUNIT_ASSERT_EQ(test, waitpid(pid, &status, 0), pid);
	KUNIT_EXPECT_EQ(test, status, 0);
	KUNIT_EXPECT_STREQ(test, p, "changed");
	folio_drop(folio);
	KUNIT_EXPECT_EQ(test, held(), 0);
}

static struct kunit_case pool_cases[] = { KUNIT_CASE(a_folio_is_the_same_memory_at_both_addresses),
					  KUNIT_CASE(what_went_back_is_the_allocators_again),
					  KUNIT_CASE(zeroed_is_zero_whatever_lay_there),
					  KUNIT_CASE(random_orders_never_overlap_and_all_goes_back),
					  KUNIT_CASE(too_large_a_folio_is_refused),
					  KUNIT_CASE(a_forked_child_has_a_pool_of_its_own),
					  {} };

static struct kunit_suite pool_suite = {
	.name = "pool",
	.init = pool_test_init,
	.test_cases = pool_cases,
};
kunit_test_suite(pool_suite);
