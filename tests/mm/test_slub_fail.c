/* SPDX-License-Identifier: MIT */
/*
 * test_slub_fail.c - memory that is not there: at every step in turn
 *
 * A small exact machine is eaten up to a chosen number of free pages; then each operation
 * is tried. It works or says no; it never crashes, loses a page or leaves a cache that is half made.
 * The steps go from no free page at all upwards until the operation has worked, so each
 * of its allocations is the first that fails once.
 */

#include "slab_test.h"

#include "mm/page_alloc.h"

#define SMALL_MACHINE "mem=4M dma=0 quiet"
#define MAX_PAGES     1024
#define MAX_STEPS     96

static void *page[MAX_PAGES + 64];
static unsigned int nr_pages;

/* Take all there is, the reserves for those who cannot wait included. */
static void eat_all(void)
{
	static const gfp_t how[] = { GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY,
				     GFP_ATOMIC | __GFP_NOWARN,
				     GFP_ATOMIC | __GFP_MEMALLOC | __GFP_NOWARN };

	for (unsigned int i = 0; i < 3; i++)
		while (nr_pages < MAX_PAGES + 64 &&
		       (page[nr_pages] = (void *)__get_free_page(how[i])))
			nr_pages++;
}

static void spit(unsigned int n)
{
	while (n-- && nr_pages)
		free_page((uintptr_t)page[--nr_pages]);
}

static unsigned long free_now(void)
{
	sw_trim(0);
	return nr_free_pages();
}

#define NORMAL_GFP (GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY)

/* Each returns whether it worked, and leaves nothing behind. */

static bool small_object(gfp_t gfp)
{
	void *p = kmalloc(opaque(40UL), gfp);

	kfree(p);
	return p;
}

static bool every_class(gfp_t gfp)
{
	void *p[14] = { NULL };
	bool all = true;

	for (unsigned int i = 1; i <= 13; i++) {
		p[i] = kmalloc(opaque((size_t)kmalloc_size(i)), gfp);
		if (p[i])
			memset(p[i], 1, kmalloc_size(i));
		all &= p[i] != NULL;
	}
	for (unsigned int i = 1; i <= 13; i++)
		kfree(p[i]);
	return all;
}

static bool large_block(gfp_t gfp)
{
	void *p = kmalloc(opaque(60000UL), gfp);

	kfree(p);
	return p;
}

static bool grown_block(gfp_t gfp)
{
	char *p = NULL, *q;
	bool all = true;

	for (size_t n = 10; n < 30000; n *= 3) {
		q = krealloc(p, n, gfp);
		all &= q != NULL;
		if (q)
			p = q;
	}
	kfree(p);
	return all;
}

static bool whole_bulk(gfp_t gfp)
{
	static void *p[700];
	struct kmem_cache *s = kmem_cache_create("bulk", 56, 0, 0, NULL);
	bool all;

	if (!s)
		return false;
	all = kmem_cache_alloc_bulk(s, gfp, 700, p);
	if (all)
		kmem_cache_free_bulk(s, 700, p);
	if (live_objects(s))
		abort(); /* all or nothing */
	kmem_cache_destroy(s);
	return all;
}

static bool long_bitmap(gfp_t gfp)
{
	struct kmem_cache *s = kmem_cache_create("long", 8, 0, 0, NULL); /* 512 in a slab */
	void *p;

	if (!s)
		return false;
	p = kmem_cache_alloc(s, gfp);
	if (p)
		kmem_cache_free(s, p);
	kmem_cache_destroy(s);
	return p;
}

static bool prefilled(gfp_t gfp)
{
	struct kmem_cache *s = kmem_cache_create("ahead", 500, 0, 0, NULL);
	struct slab_sheaf *sheaf;

	if (!s)
		return false;
	sheaf = kmem_cache_prefill_sheaf(s, gfp, 100);
	if (sheaf) {
		for (int i = 0; i < 100; i++) {
			void *p = kmem_cache_alloc_from_sheaf(s, gfp, sheaf);

			if (!p)
				abort(); /* it was promised */
			kmem_cache_free(s, p);
		}
		kmem_cache_return_sheaf(s, gfp, sheaf);
	}
	kmem_cache_destroy(s);
	return sheaf;
}

static void some_ctor(void *p)
{
	memset(p, 0x11, 600);
}

static bool constructed_typesafe(gfp_t gfp)
{
	struct kmem_cache *s =
		kmem_cache_create("typesafe", 600, 0, SLAB_TYPESAFE_BY_RCU, some_ctor);
	void *p;

	if (!s)
		return false;
	p = kmem_cache_alloc(s, gfp);
	if (p)
		kmem_cache_free(s, p);
	kmem_cache_destroy(s);
	return p;
}

static bool many_caches(gfp_t gfp)
{
	struct kmem_cache *s[40] = { NULL };
	bool all = true;
	char name[16];

	(void)gfp;
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "many-%d", i);
		s[i] = kmem_cache_create(name, 100, 0, 0, NULL);
		all &= s[i] != NULL;
	}
	for (int i = 0; i < 40; i++)
		kmem_cache_destroy(s[i]);
	return all;
}

static void at_every_step(struct kunit *test, bool (*op)(gfp_t), gfp_t gfp)
{
	unsigned int step, worked = 0, refused = 0;
	unsigned long at_start, nr_caches = 0, after;
	struct kmem_cache *s;

	options(SMALL_MACHINE);
	printk_sink = said_add; /* reports of failure are expected */
	op(NORMAL_GFP);
	list_for_each_entry(s, &slab_caches, list)
		nr_caches++;
	/* Once in vain: the emergency reserve fills up again in larger steps than we count. */
	eat_all();
	spit(MAX_PAGES + 64);
	at_start = free_now();
	eat_all();
	KUNIT_ASSERT_GT(test, nr_pages, 300);
	for (step = 0; step < MAX_STEPS && worked < 3; step++) {
		if (op(gfp))
			worked++;
		else
			refused++;
		KUNIT_ASSERT_EQ(test, validate_all(), 0, "step %u", step);
		spit(1);
	}
	KUNIT_EXPECT_GT(test, worked, 0);
	KUNIT_EXPECT_GT(test, refused, 0); /* else nothing was tested */
	spit(MAX_PAGES + 64);
	after = free_now();
	KUNIT_EXPECT_EQ(test, after, at_start, "pages were lost");
	list_for_each_entry(s, &slab_caches, list)
		nr_caches--;
	KUNIT_EXPECT_EQ(test, nr_caches, 0);
	KUNIT_EXPECT_TRUE(test, op(NORMAL_GFP));
	KUNIT_EXPECT_EQ(test, validate_all(), 0);
	KUNIT_EXPECT_EQ(test, page_alloc_validate(), 0);
	printk_sink = NULL;
	kunit_log_line("refused %u times, then worked", refused);
}

#define FAILS_AT_EVERY_STEP(op)                                     \
	KUNIT_TEST(op##_fails_cleanly_at_every_step)                \
	{                                                           \
		at_every_step(test, op, NORMAL_GFP);                \
	}                                                           \
	KUNIT_TEST(op##_fails_cleanly_in_atomic_context)            \
	{                                                           \
		at_every_step(test, op, GFP_NOWAIT | __GFP_NOWARN); \
	}

FAILS_AT_EVERY_STEP(small_object)
FAILS_AT_EVERY_STEP(every_class)
FAILS_AT_EVERY_STEP(large_block)
FAILS_AT_EVERY_STEP(grown_block)
FAILS_AT_EVERY_STEP(whole_bulk)
FAILS_AT_EVERY_STEP(long_bitmap)
FAILS_AT_EVERY_STEP(prefilled)
FAILS_AT_EVERY_STEP(constructed_typesafe)
FAILS_AT_EVERY_STEP(many_caches)

KUNIT_TEST(kmalloc_eats_a_small_machine_and_gives_all_of_it_back)
{
	static void *p[1 << 19];
	unsigned long before;

	options(SMALL_MACHINE);
	printk_sink = said_add;
	kfree(kmalloc(64, GFP_KERNEL));
	before = free_now();
	for (size_t size = 8; size <= 65536; size *= 2) {
		size_t n = 0;

		for (; n < 1 << 19 && (p[n] = kmalloc(opaque(size), NORMAL_GFP)); n++)
			memset(p[n], (int)n & 0xff, size);
		/* At least half of the machine is objects. */
		KUNIT_EXPECT_GT(test, n * size, 2UL << 20, "size %zu", size);
		KUNIT_EXPECT_EQ(test, validate_all(), 0);
		while (n--)
			kfree(p[n]);
		KUNIT_EXPECT_EQ(test, free_now(), before, "size %zu", size);
	}
	printk_sink = NULL;
	KUNIT_EXPECT_EQ(test, page_alloc_validate(), 0);
}

KUNIT_TEST(a_failed_slab_says_which_cache_and_how_it_stands)
{
	struct kmem_cache *s;

	options(SMALL_MACHINE);
	s = kmem_cache_create("starved", 2000, 0, 0, NULL);
	listen();
	while (kmem_cache_alloc(s, GFP_KERNEL | __GFP_NORETRY))
		;
	listen_no_more();
	KUNIT_EXPECT_NOT_NULL(test, strstr(said, "SLUB: Unable to allocate memory on CPU "));
	KUNIT_EXPECT_NOT_NULL(
		test,
		strstr(said,
		       "  cache: starved, object size: 2000, buffer size: 2000, default order: "));
	KUNIT_EXPECT_NOT_NULL(test, strstr(said, "  node 0: slabs: "));
	listen();
	KUNIT_EXPECT_NULL(test, kmem_cache_alloc(s, GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN));
	while (kmem_cache_alloc(s, GFP_ATOMIC | __GFP_NOWARN)) /* the reserve, to its end */
		;
	KUNIT_EXPECT_STREQ(test, said, "");
	listen_no_more();
}
