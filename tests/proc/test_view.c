/* SPDX-License-Identifier: MIT */
/* test_view.c - <slabwork/view.h>: the numbers add up, and are those of what the test holds */

#include <kunit/test.h>

#include <string.h>

#include <slabwork/slab.h>
#include <slabwork/view.h>
#include <slabwork/vmalloc.h>

#include "fake_machine.h"

static void the_parts_of_the_waste_add_up(struct kunit *test)
{
	struct sw_heap_view heap;

	KUNIT_ASSERT_EQ(test, sw_view_heap(NULL, &heap), 0);
	KUNIT_EXPECT_EQ(test, heap.held,
			heap.live + heap.rounding + heap.partial_slabs + heap.cpu_stock +
				heap.free_pages);
	KUNIT_EXPECT_GT(test, heap.held, 0UL);
}

static void live_is_what_the_program_holds(struct kunit *test)
{
	struct kmem_cache *cache = kmem_cache_create("held", 200, 8, 0, NULL);
	struct sw_heap_view before, after;
	void *area;

	KUNIT_ASSERT_NOT_NULL(test, cache);
	KUNIT_ASSERT_EQ(test, sw_view_heap(NULL, &before), 0);
	for (int i = 0; i < 5000; i++)
		KUNIT_ASSERT_NOT_NULL(test, kmem_cache_alloc(cache, GFP_KERNEL));
	area = vmalloc(10000);
	KUNIT_ASSERT_NOT_NULL(test, area);
	KUNIT_ASSERT_EQ(test, sw_view_heap(NULL, &after), 0);
	KUNIT_EXPECT_EQ(test, after.nr_areas, before.nr_areas + 1);
	KUNIT_EXPECT_EQ(test, after.areas, before.areas + 10000);
	/* Sheaves and long bitmaps are objects, too: not much. */
	KUNIT_EXPECT_GE(test, after.live, before.live + 5000 * 200 + 10000);
	KUNIT_EXPECT_LT(test, after.live, before.live + 5000 * 200 + 10000 + 100000);
	vfree(area);
}

struct found {
	const char *name;
	struct sw_cache_view cache;
	unsigned int times;
};

static int find(const struct sw_cache_view *cache, void *arg)
{
	struct found *found = arg;

	if (!strcmp(cache->name, found->name)) {
		found->cache = *cache;
		found->times++;
	}
	return 0;
}

static void a_cache_is_seen_once_with_its_objects(struct kunit *test)
{
	struct kmem_cache *cache = kmem_cache_create("seen", 100, 8, 0, NULL);
	struct found found = { .name = "seen" };

	for (int i = 0; i < 77; i++)
		KUNIT_ASSERT_NOT_NULL(test, kmem_cache_alloc(cache, GFP_KERNEL));
	KUNIT_ASSERT_EQ(test, sw_view_caches(NULL, find, &found), 0);
	KUNIT_EXPECT_EQ(test, found.times, 1U);
	KUNIT_EXPECT_EQ(test, found.cache.live, 77UL);
	KUNIT_EXPECT_EQ(test, found.cache.object_size, 100UL);
	KUNIT_EXPECT_GE(test, found.cache.objects, 77UL + found.cache.stock);
	KUNIT_EXPECT_GE(test, found.cache.bytes, found.cache.objects * 100);
}

static int stop(const struct sw_cache_view *cache, void *arg)
{
	(void)cache;
	++*(int *)arg;
	return 42;
}

static void a_walk_ends_where_it_is_told_to(struct kunit *test)
{
	int calls = 0;

	KUNIT_EXPECT_EQ(test, sw_view_caches(NULL, stop, &calls), 42);
	KUNIT_EXPECT_EQ(test, calls, 1);
}

struct pages {
	size_t bytes[SW_NR_PAGE_KINDS];
	size_t of_cache;
	uintptr_t cache, end, look_for;
	enum sw_page_kind kind;
	bool overlap;
};

static int add(const struct sw_page_run *run, void *arg)
{
	struct pages *pages = arg;

	pages->bytes[run->kind] += run->bytes;
	if (run->kind == SW_PAGE_SLAB && run->cache == pages->cache)
		pages->of_cache += run->bytes;
	if (run->start < pages->end && run->kind != SW_PAGE_AREA && run->kind != SW_PAGE_UNPURGED)
		pages->overlap = true;
	pages->end = run->start + run->bytes;
	if (pages->look_for - run->start < run->bytes)
		pages->kind = run->kind;
	return 0;
}

static void the_map_has_the_pages_of_a_cache(struct kunit *test)
{
	struct kmem_cache *cache = kmem_cache_create("drawn", 1000, 8, 0, NULL);
	struct found found = { .name = "drawn" };
	struct pages pages = { .kind = SW_NR_PAGE_KINDS };

	for (int i = 0; i < 3000; i++)
		KUNIT_ASSERT_NOT_NULL(test, kmem_cache_alloc(cache, GFP_KERNEL));
	KUNIT_ASSERT_EQ(test, sw_view_caches(NULL, find, &found), 0);
	pages.cache = found.cache.id;
	KUNIT_ASSERT_EQ(test, sw_view_pages(NULL, add, &pages), 0);
	KUNIT_EXPECT_EQ(test, pages.of_cache, found.cache.bytes);
	KUNIT_EXPECT_FALSE(test, pages.overlap);
}

static void the_map_knows_blocks_and_areas(struct kunit *test)
{
	void *block = kmalloc(100000, GFP_KERNEL), *area = vmalloc(10000);
	struct pages pages = { .look_for = (uintptr_t)block + 50000 };

	KUNIT_ASSERT_EQ(test, sw_view_pages(NULL, add, &pages), 0);
	KUNIT_EXPECT_EQ(test, (int)pages.kind, (int)SW_PAGE_BLOCK);
	pages = (struct pages){ .look_for = (uintptr_t)area };
	KUNIT_ASSERT_EQ(test, sw_view_pages(NULL, add, &pages), 0);
	KUNIT_EXPECT_EQ(test, (int)pages.kind, (int)SW_PAGE_AREA);
	kfree(block);
	vfree(area);
}

static void the_map_adds_up_to_what_is_held(struct kunit *test)
{
	struct sw_heap_view heap;
	struct pages pages = { .kind = SW_NR_PAGE_KINDS };
	size_t held = 0;

	vfree(vmalloc(1 << 20));
	for (int i = 0; i < 2000; i++)
		kfree(kmalloc(8000, GFP_KERNEL));
	KUNIT_ASSERT_EQ(test, sw_view_heap(NULL, &heap), 0);
	KUNIT_ASSERT_EQ(test, sw_view_pages(NULL, add, &pages), 0);
	for (int kind = SW_PAGE_FREE; kind < SW_NR_PAGE_KINDS; kind++)
		held += pages.bytes[kind];
	KUNIT_EXPECT_EQ(test, held, heap.held);
}

static void a_view_that_always_changes_is_given_up(struct kunit *test)
{
	struct fake *f = fake_create();
	struct sw_heap_view heap;

	f->fail_reads = 1000000;
	KUNIT_EXPECT_EQ(test, sw_view_heap(&f->view, &heap), -EAGAIN);
}

static struct kunit_case view_cases[] = {
	KUNIT_CASE(the_parts_of_the_waste_add_up),
	KUNIT_CASE(live_is_what_the_program_holds),
	KUNIT_CASE(a_cache_is_seen_once_with_its_objects),
	KUNIT_CASE(a_walk_ends_where_it_is_told_to),
	KUNIT_CASE(the_map_has_the_pages_of_a_cache),
	KUNIT_CASE(the_map_knows_blocks_and_areas),
	KUNIT_CASE(the_map_adds_up_to_what_is_held),
	KUNIT_CASE(a_view_that_always_changes_is_given_up),
	{},
};
static struct kunit_suite view_suite = { .name = "view", .test_cases = view_cases };
kunit_test_suite(view_suite);
