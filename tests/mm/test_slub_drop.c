/* SPDX-License-Identifier: MIT */
/*
 * test_slub_drop.c - what a program gave up does not stay: stock, empty slabs, blocks, their maps
 *
 * Each case frees as a program does that goes to sleep afterwards: nothing is called that
 * would have the time to tidy up.
 */

#include "slab_test.h"

#include <sys/mman.h>
#include <time.h>

#include <slabwork/general.h>

#include "mm/page_alloc.h"

#define OBJECTS 40000

/* ThreadSanitizer's build has no restartable sequences: no sheaves, unless told so. */
static void need_sheaves(void)
{
	if (!SW_HAVE_RSEQ)
		options("rseq=off");
}

static void sleep_ms(long ms)
{
	struct timespec t = { 0, ms * 1000000L };

	nanosleep(&t, NULL);
}

/* In an order that has nothing to do with that of the addresses: 7919 is prime to OBJECTS. */
static void free_scattered(struct kmem_cache *s, void **p, unsigned int from, unsigned int to)
{
	for (unsigned int i = from; i < to; i++)
		kmem_cache_free(s, p[(size_t)i * 7919 % OBJECTS]);
}

TEST_IN_BOTH_MODES(a_cache_whose_objects_are_all_freed_keeps_no_stock_of_them)
{
	static void *p[OBJECTS];
	struct slabinfo info;
	struct kmem_cache *s;

	need_sheaves();
	s = kmem_cache_create("dropped", 64, 0, 0, NULL);
	KUNIT_ASSERT_NOT_NULL(test, s);
	for (int i = 0; i < OBJECTS; i++)
		KUNIT_ASSERT_NOT_NULL(test, p[i] = kmem_cache_alloc(s, GFP_KERNEL));
	sleep_ms(30);
	free_scattered(s, p, 0, OBJECTS);
	get_slabinfo(s, &info);
	/* One short sheaf, each of its objects in a slab of its own, and the few slabs that may stay. */
	KUNIT_EXPECT_LE(test, slab_sheaf_objects(s), 2 * 64);
	KUNIT_EXPECT_LE(test, info.num_slabs, 2 * 64 + 2 * MAX_PARTIAL);
	KUNIT_EXPECT_EQ(test, kmem_cache_validate(s), 0);
	/* There is demand again: sheaves are as long as ever. */
	for (int i = 0; i < OBJECTS; i++)
		KUNIT_ASSERT_NOT_NULL(test, p[i] = kmem_cache_alloc(s, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, kmem_cache_validate(s), 0);
	free_scattered(s, p, 0, 400);
	KUNIT_EXPECT_GE(test, slab_sheaf_objects(s), 300);
	free_scattered(s, p, 400, OBJECTS);
	kmem_cache_destroy(s);
}

KUNIT_TEST(blocks_of_a_size_that_is_asked_for_once_are_not_kept_aside)
{
	struct kmem_cache *s;
	void *p;

	need_sheaves();
	s = sw_block_cache_create("blocks", 16);
	KUNIT_ASSERT_NOT_NULL(test, s);
	for (int i = 0; i < 3; i++) {
		p = kmem_cache_alloc(s, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		kmem_cache_free(s, p);
		KUNIT_EXPECT_EQ(test, slab_sheaf_objects(s), 0);
	}
	for (int i = 0; i < 30; i++) {
		p = kmem_cache_alloc(s, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		kmem_cache_free(s, p);
	}
	KUNIT_EXPECT_EQ(test, slab_sheaf_objects(s), 1);
	kmem_cache_destroy(s);
}

static unsigned long pages_present(uintptr_t start, size_t size)
{
	static unsigned char present[4096];
	unsigned long n = 0;

	start &= ~(4096UL - 1);
	if (mincore((void *)start, size, present))
		return ~0UL;
	for (size_t i = 0; i < size / 4096; i++)
		n += present[i] & 1;
	return n;
}

KUNIT_TEST(the_maps_of_memory_that_was_given_back_are_given_back_too)
{
	struct page *page;
	uintptr_t objmap;
	char *p;

	if (sysconf(_SC_PAGESIZE) != 4096)
		kunit_skip(test, "pages of 4 KiB only");
	options("mem=16M");
	page = alloc_pages(GFP_KERNEL, 10);
	KUNIT_ASSERT_NOT_NULL(test, page);
	p = page_address(page);
	memset(p, 1, 4 << 20);
	objmap = (uintptr_t)sw_layout.objmap + ((uintptr_t)p >> OBJMAP_SHIFT);
	for (size_t i = 0; i < 4 << 20; i += 4096) {
		*(volatile unsigned char *)&sw_layout.objmap[((uintptr_t)p + i) >> OBJMAP_SHIFT] =
			0;
		atomic_store(&addr_to_page(p + i)->flags, atomic_load(&addr_to_page(p + i)->flags));
	}
	KUNIT_EXPECT_EQ(test, pages_present(objmap, 256 << 10), 64);
	KUNIT_EXPECT_EQ(test, pages_present((uintptr_t)page, 64 << 10), 16);
	__free_pages(page, 10);
	page_alloc_trim(0);
	KUNIT_EXPECT_EQ(test, pages_present(objmap, 256 << 10), 0);
	KUNIT_EXPECT_EQ(test, pages_present((uintptr_t)page, 64 << 10), 1);
	KUNIT_EXPECT_EQ(test, page_alloc_validate(), 0);
	page = alloc_pages(GFP_KERNEL, 10);
	KUNIT_ASSERT_NOT_NULL(test, page);
	__free_pages(page, 10);
	KUNIT_EXPECT_EQ(test, page_alloc_validate(), 0);
}
