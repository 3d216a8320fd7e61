/* SPDX-License-Identifier: MIT */
/*
 * test_kmem_cache.c - the life of a cache: wishes, names, constructors, bulk, shrink, death
 */

#include "slab_test.h"

#include <signal.h>

#include <slabwork/rcupdate.h>

static unsigned int ctor_calls;

static void count_ctor(void *object)
{
	ctor_calls++;
	memset(object, 0xc7, 48);
}

/* ---- creation ---- */

KUNIT_TEST(both_forms_of_create_make_the_same_cache)
{
	struct kmem_cache_args args = { .align = 32, .useroffset = 8, .usersize = 16 };
	struct kmem_cache *old = kmem_cache_create("old", 100, 32, SLAB_ACCOUNT, NULL);
	struct kmem_cache *new = kmem_cache_create("new", 100, &args, SLAB_ACCOUNT);
	struct kmem_cache *plain = kmem_cache_create("plain", 100, NULL, 0);

	KUNIT_ASSERT_NOT_NULL(test, old);
	KUNIT_ASSERT_NOT_NULL(test, new);
	KUNIT_ASSERT_NOT_NULL(test, plain);
	KUNIT_EXPECT_EQ(test, old->size, 128);
	KUNIT_EXPECT_EQ(test, new->size, old->size);
	KUNIT_EXPECT_EQ(test, new->align, old->align);
	KUNIT_EXPECT_EQ(test, new->flags, old->flags);
	KUNIT_EXPECT_EQ(test, new->oo.x, old->oo.x);
	KUNIT_EXPECT_EQ(test, old->usersize, 0);
	KUNIT_EXPECT_EQ(test, new->useroffset, 8);
	KUNIT_EXPECT_EQ(test, new->usersize, 16);
	KUNIT_EXPECT_EQ(test, plain->size, 104);
	KUNIT_EXPECT_EQ(test, kmem_cache_size(plain), 100);
	kmem_cache_destroy(old);
	kmem_cache_destroy(new);
	kmem_cache_destroy(plain);
}

struct foo {
	long a;
	char window[24];
	char rest[33];
};

KUNIT_TEST(KMEM_CACHE_takes_name_size_and_alignment_from_the_type)
{
	struct kmem_cache *s = KMEM_CACHE(foo, 0);

	KUNIT_EXPECT_STREQ(test, s->name, "foo");
	KUNIT_EXPECT_EQ(test, kmem_cache_size(s), sizeof(struct foo));
	KUNIT_EXPECT_EQ(test, s->align, __alignof__(struct foo));
	kmem_cache_destroy(s);
	s = KMEM_CACHE_USERCOPY(foo, 0, window);
	KUNIT_EXPECT_EQ(test, s->useroffset, 8);
	KUNIT_EXPECT_EQ(test, s->usersize, 24);
	kmem_cache_destroy(s);
}

KUNIT_TEST(a_usercopy_window_outside_the_object_warns_and_is_dropped)
{
	struct kmem_cache *s;

	kfree(kmalloc(8, GFP_KERNEL));
	for (int i = 0; i < 3; i++) {
		listen();
		s = kmem_cache_create_usercopy("window", 64, 0, 0, i ? 60 : 4, i ? 8 : 0, NULL);
		if (i == 2) {
			kmem_cache_destroy(s);
			s = kmem_cache_create_usercopy("window", 64, 0, 0, 0, 65, NULL);
		}
		listen_no_more();
		KUNIT_ASSERT_NOT_NULL(test, s);
		KUNIT_EXPECT_NOT_NULL(test, strstr(said, "WARNING"));
		KUNIT_EXPECT_EQ(test, s->usersize, 0);
		KUNIT_EXPECT_EQ(test, s->useroffset, 0);
		kmem_cache_destroy(s);
	}
	listen();
	s = kmem_cache_create_usercopy("window", 64, 0, 0, 60, 4, NULL);
	KUNIT_EXPECT_EQ(test, s->usersize, 4);
	KUNIT_EXPECT_STREQ(test, said, "");
	listen_no_more();
	kmem_cache_destroy(s);
}

KUNIT_TEST(a_cache_that_cannot_be_is_refused_with_its_error)
{
	static const struct {
		const char *name;
		unsigned int size, align;
		slab_flags_t flags;
	} bad[] = {
		{ "zero", 0, 0, 0 },
		{ "huge", (4 << 20) + 1, 0, 0 },
		{ "flag", 64, 0, 0x80000000u },
		{ "flag", 64, 0, 0x1u },
		{ "internal", 64, 0, SLAB_KMALLOC },
		{ "internal", 64, 0, SLAB_NO_SHEAVES },
		{ "align", 64, 48, 0 },
	};
	char want[128];

	kfree(kmalloc(8, GFP_KERNEL));
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		listen();
		KUNIT_EXPECT_NULL(test, kmem_cache_create(bad[i].name, bad[i].size, bad[i].align,
							  bad[i].flags, NULL));
		listen_no_more();
		snprintf(want, sizeof(want), "kmem_cache_create(%s) failed with error -22\n",
			 bad[i].name);
		KUNIT_EXPECT_NOT_NULL(test, strstr(said, want), "%s: %s", bad[i].name, said);
		KUNIT_EXPECT_NULL(test, cache_named(bad[i].name));
	}
	listen();
	KUNIT_EXPECT_NULL(test, kmem_cache_create(NULL, 64, 0, 0, NULL));
	listen_no_more();
	KUNIT_EXPECT_NOT_NULL(test,
			      strstr(said, "kmem_cache_create((null)) integrity check failed\n"));
	listen();
	KUNIT_EXPECT_NULL(test, kmem_cache_create("zero", 0, 0, 0, NULL));
	listen_no_more();
	KUNIT_EXPECT_EQ(test, strncmp(said, "kmem_cache_create(zero) integrity check failed\n", 47),
			0);
}

KUNIT_TEST(a_cache_that_must_be_and_cannot_aborts, .signal = SIGABRT,
	   .first_line = "slabwork: kmem_cache_create: Failed to create slab 'must'. Error -22")
{
	kmem_cache_create("must", 64, 0, SLAB_PANIC | 0x80000000u, NULL);
}

KUNIT_TEST(the_largest_and_the_smallest_object_work)
{
	struct kmem_cache *big = kmem_cache_create("big", 4 << 20, 0, 0, NULL);
	struct kmem_cache *small = kmem_cache_create("small", 1, 0, 0, NULL);
	char *p = kmem_cache_alloc(big, GFP_KERNEL), *q = kmem_cache_alloc(small, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	memset(p, 1, 4 << 20);
	*q = 1;
	KUNIT_EXPECT_EQ(test, small->size, 8);
	kmem_cache_free(big, p);
	kmem_cache_free(small, q);
	kmem_cache_destroy(big);
	kmem_cache_destroy(small);
	KUNIT_EXPECT_NULL(test, cache_named("big"));
	KUNIT_EXPECT_NULL(test, cache_named("small"));
}

KUNIT_TEST(names_are_copied_and_odd_ones_warned_about)
{
	char name[200] = "copied";
	struct kmem_cache *s = kmem_cache_create(name, 64, 0, 0, NULL), *again, *space, *lng;

	memset(name, 'x', 6);
	KUNIT_EXPECT_STREQ(test, s->name, "copied");
	listen();
	again = kmem_cache_create("copied", 64, 0, 0, NULL);
	KUNIT_EXPECT_NOT_NULL(test, strstr(said, "kmem_cache of name 'copied' already exists\n"));
	KUNIT_EXPECT_PTR_NE(test, again, s);
	KUNIT_EXPECT_NOT_NULL(test, again);
	listen();
	space = kmem_cache_create("a b", 64, 0, 0, NULL);
	KUNIT_EXPECT_NOT_NULL(test, strstr(said, "a b"));
	KUNIT_EXPECT_NOT_NULL(test, space);
	listen();
	memset(name, 'l', 199);
	lng = kmem_cache_create(name, 64, 0, 0, NULL);
	KUNIT_EXPECT_STREQ(test, said, "");
	listen_no_more();
	KUNIT_EXPECT_EQ(test, strncmp(lng->name, name, strlen(lng->name)), 0);
	KUNIT_EXPECT_GE(test, strlen(lng->name), 63);
	kmem_cache_destroy(s), kmem_cache_destroy(again), kmem_cache_destroy(space);
	kmem_cache_destroy(lng);
	KUNIT_EXPECT_EQ(test, validate_all(), 0);
}

KUNIT_TEST(alignments_hold_for_every_object)
{
	void *p[300];

	for (unsigned int align = 1; align <= 4096; align *= 2) {
		for (unsigned int size = 1; size < 3000; size = size * 3 + 1) {
			struct kmem_cache *s = kmem_cache_create("aligned", size, align, 0, NULL);
			unsigned int want = align < 8 ? 8 : align;

			KUNIT_ASSERT_NOT_NULL(test, s);
			KUNIT_EXPECT_EQ(test, s->size % want, 0);
			KUNIT_ASSERT_EQ(test, kmem_cache_alloc_bulk(s, GFP_KERNEL, 300, p), 300);
			for (int i = 0; i < 300; i++)
				KUNIT_EXPECT_EQ(test, (uintptr_t)p[i] % want, 0);
			kmem_cache_free_bulk(s, 300, p);
			kmem_cache_destroy(s);
		}
	}
}

KUNIT_TEST(hwcache_align_is_a_line_or_a_half_while_the_object_is_that_small)
{
	static const struct {
		unsigned int size, align;
	} v[] = { { 8, 8 },   { 16, 16 }, { 17, 32 }, { 32, 32 },
		  { 33, 64 }, { 64, 64 }, { 65, 64 }, { 200, 64 } };

	for (unsigned int i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct kmem_cache *s =
			kmem_cache_create("line", v[i].size, 0, SLAB_HWCACHE_ALIGN, NULL);

		KUNIT_EXPECT_EQ(test, s->align, v[i].align, "size %u", v[i].size);
		KUNIT_EXPECT_EQ(test, s->size,
				(v[i].size + v[i].align - 1) / v[i].align * v[i].align);
		kmem_cache_destroy(s);
	}
	KUNIT_EXPECT_EQ(test, kmem_cache_create("more", 200, 256, SLAB_HWCACHE_ALIGN, NULL)->size,
			256);
}

/* ---- constructors, zeroing ---- */

TEST_IN_BOTH_MODES(a_constructor_runs_once_an_object_and_not_at_each_allocation)
{
	struct kmem_cache *s = kmem_cache_create("built", 48, 0, 0, count_ctor);
	unsigned int per = oo_objects(s->oo);
	void *p;

	KUNIT_EXPECT_EQ(test, s->size, 56); /* room for the free pointer outside the object */
	KUNIT_EXPECT_EQ(test, ctor_calls, 0);
	for (int i = 0; i < 10000; i++) {
		p = kmem_cache_alloc(s, GFP_KERNEL);
		KUNIT_EXPECT_TRUE(test, all_bytes(p, 0xc7, 48));
		kmem_cache_free(s, p);
	}
	/* A thread that moves between CPUs may take a second slab. */
	KUNIT_EXPECT_EQ(test, ctor_calls, slabs_of(s) * per);
	KUNIT_EXPECT_LE(test, slabs_of(s), 8);
	kmem_cache_shrink(s);
	KUNIT_EXPECT_EQ(test, slabs_of(s), 0);
	kmem_cache_destroy(s);
}

KUNIT_TEST(zeroing_what_a_constructor_made_warns_and_does_not_zero)
{
	struct kmem_cache *s = kmem_cache_create("built", 48, 0, 0, count_ctor);
	void *p;

	listen();
	p = kmem_cache_alloc(s, GFP_KERNEL | __GFP_ZERO);
	listen_no_more();
	KUNIT_EXPECT_NOT_NULL(test, strstr(said, "WARNING"));
	KUNIT_EXPECT_TRUE(test, all_bytes(p, 0xc7, 48));
	kmem_cache_free(s, p);
	p = kmem_cache_zalloc(s, GFP_KERNEL);
	KUNIT_EXPECT_TRUE(test, all_bytes(p, 0xc7, 48), "from a sheaf as well");
	kmem_cache_free(s, p);
	kmem_cache_destroy(s);
}

TEST_IN_BOTH_MODES(zalloc_is_zero_to_the_last_byte_for_odd_sizes)
{
	for (unsigned int size = 1; size < 600; size += 7) {
		struct kmem_cache *s = kmem_cache_create("zeroed", size, 0, 0, NULL);
		void *p[20];

		for (int round = 0; round < 3; round++) {
			for (int i = 0; i < 20; i++) {
				p[i] = kmem_cache_zalloc(s, GFP_KERNEL);
				KUNIT_EXPECT_TRUE(test, all_bytes(p[i], 0, size));
				memset(p[i], 0xff, size);
			}
			for (int i = 0; i < 20; i++)
				kmem_cache_free(s, p[i]);
		}
		kmem_cache_destroy(s);
	}
}

/* ---- many at once ---- */

TEST_IN_BOTH_MODES(bulk_gives_distinct_objects_all_or_nothing)
{
	static void *p[5000];
	static const size_t counts[] = { 0, 1, 2, 27, 28, 29, 60, 61, 1000, 1024, 1025, 5000 };

	for (unsigned int size = 8; size <= 1000; size = size * 3) {
		struct kmem_cache *s = kmem_cache_create("bulk", size, 0, 0, NULL);

		for (unsigned int c = 0; c < sizeof(counts) / sizeof(counts[0]); c++) {
			size_t n = counts[c];

			KUNIT_ASSERT_EQ(test,
					kmem_cache_alloc_bulk(s, GFP_KERNEL | __GFP_ZERO, n, p), n);
			for (size_t i = 0; i < n; i++) {
				KUNIT_EXPECT_TRUE(test, all_bytes(p[i], 0, size));
				memset(p[i], (int)i & 0xff, size);
				*(uint32_t *)p[i] = (uint32_t)i;
			}
			for (size_t i = 0; i < n; i++)
				KUNIT_EXPECT_EQ(test, *(uint32_t *)p[i], i);
			KUNIT_EXPECT_EQ(test, live_objects(s), n);
			kmem_cache_free_bulk(s, n, p);
			KUNIT_EXPECT_EQ(test, live_objects(s), 0);
		}
		KUNIT_EXPECT_EQ(test, kmem_cache_validate(s), 0);
		kmem_cache_destroy(s);
	}
}

TEST_IN_BOTH_MODES(single_and_bulk_calls_mix)
{
	struct kmem_cache *s = kmem_cache_create("mixed", 40, 0, 0, NULL);
	static void *p[200];

	KUNIT_ASSERT_EQ(test, kmem_cache_alloc_bulk(s, GFP_KERNEL, 100, p), 100);
	for (int i = 100; i < 200; i++)
		p[i] = kmem_cache_alloc(s, GFP_KERNEL);
	for (int i = 0; i < 50; i++)
		kfree(p[i]);
	kmem_cache_free_bulk(s, 100, p + 50);
	kmem_cache_free_bulk(NULL, 50, p + 150);
	KUNIT_EXPECT_EQ(test, live_objects(s), 0);
	KUNIT_EXPECT_EQ(test, kmem_cache_validate(s), 0);
	kmem_cache_destroy(s);
}

/* ---- prefilled sheaves ---- */

TEST_IN_BOTH_MODES(a_prefilled_sheaf_gives_what_it_promised_and_takes_the_rest_back)
{
	static const unsigned int sizes[] = { 1, 7, 28, 60, 61, 200, 508 };
	static void *p[508];
	struct kmem_cache *s = kmem_cache_create("ahead", 72, 0, 0, NULL);

	for (unsigned int c = 0; c < sizeof(sizes) / sizeof(sizes[0]); c++) {
		struct slab_sheaf *sheaf = kmem_cache_prefill_sheaf(s, GFP_KERNEL, sizes[c]);
		unsigned int half = (sizes[c] + 1) / 2;

		KUNIT_ASSERT_NOT_NULL(test, sheaf, "%u", sizes[c]);
		KUNIT_EXPECT_GE(test, kmem_cache_sheaf_size(sheaf), sizes[c]);
		for (unsigned int i = 0; i < half; i++) {
			p[i] = kmem_cache_alloc_from_sheaf(s, GFP_NOWAIT | __GFP_ZERO, sheaf);
			KUNIT_ASSERT_NOT_NULL(test, p[i]);
			KUNIT_EXPECT_TRUE(test, all_bytes(p[i], 0, 72));
			memset(p[i], 0xdd, 72);
		}
		for (unsigned int i = 0; i < half; i++)
			kmem_cache_free(s, p[i]);
		KUNIT_EXPECT_EQ(test, kmem_cache_refill_sheaf(s, GFP_KERNEL, &sheaf, sizes[c]), 0);
		KUNIT_EXPECT_GE(test, kmem_cache_sheaf_size(sheaf), sizes[c]);
		kmem_cache_return_sheaf(s, GFP_KERNEL, sheaf);
	}
	KUNIT_EXPECT_NULL(test, kmem_cache_prefill_sheaf(s, GFP_KERNEL, 100000));
	kmem_cache_shrink(s);
	KUNIT_EXPECT_EQ(test, slabs_of(s), 0);
	kmem_cache_destroy(s);
}

KUNIT_TEST(a_sheaf_that_is_too_small_grows_at_refill)
{
	struct kmem_cache *s = kmem_cache_create("grow", 72, 0, 0, NULL);
	struct slab_sheaf *sheaf = kmem_cache_prefill_sheaf(s, GFP_KERNEL, 10);

	KUNIT_EXPECT_EQ(test, kmem_cache_refill_sheaf(s, GFP_KERNEL, &sheaf, 300), 0);
	KUNIT_EXPECT_GE(test, kmem_cache_sheaf_size(sheaf), 300);
	kmem_cache_return_sheaf(s, GFP_KERNEL, sheaf);
	kmem_cache_shrink(s);
	KUNIT_EXPECT_EQ(test, slabs_of(s), 0);
	kmem_cache_destroy(s);
}

KUNIT_TEST(an_empty_sheaf_warns_and_gives_null)
{
	struct kmem_cache *s = kmem_cache_create("empty", 72, 0, 0, NULL);
	struct slab_sheaf *sheaf = kmem_cache_prefill_sheaf(s, GFP_KERNEL, 3);

	while (kmem_cache_sheaf_size(sheaf))
		kmem_cache_free(s, kmem_cache_alloc_from_sheaf(s, GFP_NOWAIT, sheaf));
	listen();
	KUNIT_EXPECT_NULL(test, kmem_cache_alloc_from_sheaf(s, GFP_NOWAIT, sheaf));
	listen_no_more();
	KUNIT_EXPECT_NOT_NULL(test, strstr(said, "WARNING"));
	kmem_cache_return_sheaf(s, GFP_KERNEL, sheaf);
	kmem_cache_destroy(s);
}

KUNIT_TEST(sheaf_capacity_can_be_chosen)
{
	struct kmem_cache_args args = { .sheaf_capacity = 100 };
	struct kmem_cache *s = kmem_cache_create("capacity", 72, &args, 0);
	void *p[300];

	KUNIT_EXPECT_GE(test, s->sheaf_capacity, 100);
	for (int i = 0; i < 300; i++)
		p[i] = kmem_cache_alloc(s, GFP_KERNEL);
	for (int i = 0; i < 300; i++)
		kmem_cache_free(s, p[i]);
	KUNIT_EXPECT_EQ(test, live_objects(s), 0);
	kmem_cache_destroy(s);
}

/* ---- shrink ---- */

TEST_IN_BOTH_MODES(shrink_gives_back_all_but_slabs_with_live_objects)
{
	struct kmem_cache *s = kmem_cache_create("shrink", 128, 0, 0, NULL);
	static void *p[2000];

	KUNIT_EXPECT_EQ(test, kmem_cache_shrink(s), 0);
	for (int i = 0; i < 2000; i++)
		p[i] = kmem_cache_alloc(s, GFP_KERNEL);
	for (int i = 0; i < 2000; i++)
		if (i != 1000)
			kmem_cache_free(s, p[i]);
	KUNIT_EXPECT_GT(test, slabs_of(s), 1);
	KUNIT_EXPECT_EQ(test, kmem_cache_shrink(s), 1);
	KUNIT_EXPECT_EQ(test, slabs_of(s), 1);
	KUNIT_EXPECT_EQ(test, kmem_cache_validate(s), 0);
	kmem_cache_free(s, p[1000]);
	KUNIT_EXPECT_EQ(test, kmem_cache_shrink(s), 0);
	KUNIT_EXPECT_EQ(test, slabs_of(s), 0);
	kmem_cache_destroy(s);
}

KUNIT_TEST(empty_slabs_beyond_min_partial_go_back_by_themselves)
{
	struct kmem_cache *s = kmem_cache_create("goes", 1000, 0, 0, NULL);
	static void *p[5000];

	for (int i = 0; i < 5000; i++)
		p[i] = kmem_cache_alloc(s, GFP_KERNEL);
	for (int i = 0; i < 5000; i++)
		kmem_cache_free(s, p[i]);
	/* Sheaves and the barn hold some: far fewer than the 312 slabs there were. */
	KUNIT_EXPECT_LT(test, slabs_of(s), 120);
	kmem_cache_destroy(s);
}

/* ---- destruction ---- */

KUNIT_TEST(destroy_null_is_a_no_op)
{
	kmem_cache_destroy(NULL);
	KUNIT_SUCCEED(test);
}

TEST_IN_BOTH_MODES(a_destroyed_cache_is_gone_and_its_pages_are_back)
{
	struct kmem_cache *s;
	static void *p[500];
	unsigned long slots = 0;

	/* Ten thousand times: nothing may run out. */
	for (int i = 0; i < 10000; i++) {
		s = kmem_cache_create("again", 300, 0, 0, NULL);
		KUNIT_ASSERT_NOT_NULL(test, s);
		if (!i)
			slots = s->slot_index;
		KUNIT_ASSERT_EQ(test, s->slot_index, slots);
		KUNIT_ASSERT_EQ(test, kmem_cache_alloc_bulk(s, GFP_KERNEL, i % 64, p), i % 64);
		kmem_cache_free_bulk(s, (size_t)i % 64, p);
		kmem_cache_destroy(s);
	}
	KUNIT_EXPECT_NULL(test, cache_named("again"));
	KUNIT_EXPECT_EQ(test, validate_all(), 0);
}

/* The report has addresses: the wanted text is written with those of the very objects. */
TEST_IN_BOTH_MODES(destroy_with_live_objects_reports_each_and_the_process_goes_on)
{
	static const char d[] =
		"=============================================================================\n";
	static const char s79[] =
		"-----------------------------------------------------------------------------\n\n";
	struct kmem_cache *s = kmem_cache_create("leaky", 256, 0, 0, NULL);
	static char want[8192];
	void *p[16], *slab;
	struct page *head;
	int len;

	for (int i = 0; i < 16; i++)
		p[i] = kmem_cache_alloc(s, GFP_KERNEL);
	for (int i = 0; i < 16; i++)
		if (i != 3 && i != 9)
			kmem_cache_free(s, p[i]);
	head = virt_to_head_page(p[3]);
	slab = page_address(head);
	if (virt_to_head_page(p[9]) != head)
		kunit_skip(test, "the thread moved to another CPU");
	listen();
	kmem_cache_destroy(s);
	listen_no_more();
	if (p[3] > p[9]) {
		slab = p[3];
		p[3] = p[9];
		p[9] = slab;
		slab = page_address(head);
	}
	len = snprintf(want, sizeof(want),
		       "%sBUG leaky (Not tainted): Objects remaining on __kmem_cache_shutdown()\n%s"
		       "Slab 0x%016lx objects=%u used=2 fp=0x0000000000000000 flags=%#x\n"
		       "Object 0x%016lx @offset=%lu\n"
		       "Object 0x%016lx @offset=%lu\n"
		       "slabwork: kmem_cache_destroy leaky: 2 objects remain; first %p\n"
		       "------------[ cut here ]------------\n"
		       "kmem_cache_destroy leaky: Slab cache still has objects when called from 0x",
		       d, s79, (unsigned long)(uintptr_t)head, oo_objects(s->oo),
		       atomic_load(&head->flags), (unsigned long)(uintptr_t)p[3],
		       (unsigned long)((char *)p[3] - (char *)slab), (unsigned long)(uintptr_t)p[9],
		       (unsigned long)((char *)p[9] - (char *)slab), p[3]);
	said[len < (int)sizeof(said) ? len : 0] = 0;
	KUNIT_EXPECT_STREQ(test, said, want);

	/* Leaked, not freed: its memory stays as it is and its objects may still come home. */
	KUNIT_EXPECT_NULL(test, cache_named("leaky"));
	memset(p[3], 1, 256);
	kfree(p[3]);
	KUNIT_EXPECT_PTR_EQ(test, owner_of(p[9]), s);
	s = kmem_cache_create("leaky", 256, 0, 0, NULL);
	KUNIT_ASSERT_NOT_NULL(test, s);
	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
	kmem_cache_destroy(s);
	KUNIT_EXPECT_EQ(test, validate_all(), 0);
}

KUNIT_TEST(destroying_twice_warns_and_goes_on)
{
	struct kmem_cache *s = kmem_cache_create("twice", 64, 0, 0, NULL);

	kmem_cache_destroy(s);
	listen();
	kmem_cache_destroy(s);
	listen_no_more();
	KUNIT_EXPECT_NOT_NULL(test, strstr(said, "WARNING: kmem_cache_destroy("));
	listen();
	kmem_cache_destroy((struct kmem_cache *)&s); /* never was one, and is not followed */
	kmem_cache_destroy((struct kmem_cache *)0x123456789000);
	listen_no_more();
	KUNIT_EXPECT_NOT_NULL(test, strstr(said, "WARNING: kmem_cache_destroy("));
	KUNIT_EXPECT_EQ(test, validate_all(), 0);
}

/* ---- merging ---- */

KUNIT_TEST(caches_are_not_merged_by_default)
{
	struct kmem_cache *a = kmem_cache_create("one", 104, 0, 0, NULL);
	struct kmem_cache *b = kmem_cache_create("two", 104, 0, 0, NULL);

	KUNIT_EXPECT_PTR_NE(test, a, b);
}

KUNIT_TEST(slab_merge_merges_by_the_kernels_rule)
{
	struct kmem_cache *a, *b, *same;
	static const slab_flags_t never[] = { SLAB_RED_ZONE, SLAB_POISON,          SLAB_STORE_USER,
					      SLAB_TRACE,    SLAB_TYPESAFE_BY_RCU, SLAB_NOLEAKTRACE,
					      SLAB_FAILSLAB, SLAB_NO_MERGE };
	static const slab_flags_t apart[] = { SLAB_RECLAIM_ACCOUNT, SLAB_CACHE_DMA,
					      SLAB_CACHE_DMA32, SLAB_ACCOUNT };

	char name[32];

	options("slab_merge");
	a = kmem_cache_create("one", 104, 0, 0, NULL);
	b = kmem_cache_create("two", 100, 0, 0, NULL); /* rounds to the same 104 */
	KUNIT_EXPECT_PTR_EQ(test, b, a);
	KUNIT_EXPECT_EQ(test, a->refcount, 2);
	same = kmem_cache_create("three", 96, 0, 0, NULL); /* 8 bytes of waste: not less than 8 */
	KUNIT_EXPECT_PTR_NE(test, same, a);
	same = kmem_cache_create("ctor", 104, 0, 0, count_ctor);
	KUNIT_EXPECT_PTR_NE(test, same, a);
	same = kmem_cache_create_usercopy("use", 104, 0, 0, 0, 8, NULL);
	KUNIT_EXPECT_PTR_NE(test, same, a);
	same = kmem_cache_create("align", 104, 16, 0, NULL);
	KUNIT_EXPECT_PTR_NE(test, same, a);
	for (unsigned int i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		snprintf(name, sizeof(name), "never-%u", i);
		KUNIT_EXPECT_PTR_NE(test, kmem_cache_create(name, 104, 0, never[i], NULL), a);
	}
	for (unsigned int i = 0; i < sizeof(apart) / sizeof(apart[0]); i++) {
		snprintf(name, sizeof(name), "apart-%u", i);
		same = kmem_cache_create(name, 104, 0, apart[i], NULL);
		KUNIT_EXPECT_PTR_NE(test, same, a);
		name[0] = 'A';
		KUNIT_EXPECT_PTR_EQ(test, kmem_cache_create(name, 104, 0, apart[i], NULL), same);
	}
	/* An alias that goes leaves the cache to the other. */
	kmem_cache_destroy(b);
	KUNIT_EXPECT_EQ(test, a->refcount, 1);
	kmem_cache_free(a, kmem_cache_alloc(a, GFP_KERNEL));
	kmem_cache_destroy(a);
	KUNIT_EXPECT_NULL(test, cache_named("one"));
}

KUNIT_TEST(zalloc_of_a_merged_cache_zeroes_the_larger_size)
{
	struct kmem_cache *a, *b;
	unsigned char *p;

	options("slab_merge");
	a = kmem_cache_create("one", 98, 0, 0, NULL);
	b = kmem_cache_create("two", 103, 0, 0, NULL);
	KUNIT_ASSERT_PTR_EQ(test, a, b);
	p = kmem_cache_alloc(b, GFP_KERNEL);
	memset(p, 0xff, 103);
	kmem_cache_free(b, p);
	p = kmem_cache_zalloc(b, GFP_KERNEL);
	KUNIT_EXPECT_TRUE(test, all_bytes(p, 0, 103));
}

/* ---- type-safe memory ---- */

KUNIT_TEST(typesafe_pages_stay_until_the_readers_have_gone)
{
	struct kmem_cache *s = kmem_cache_create("typesafe", 200, 0, SLAB_TYPESAFE_BY_RCU, NULL);
	void *p = kmem_cache_alloc(s, GFP_KERNEL);
	struct page *head = virt_to_head_page(p);

	KUNIT_EXPECT_EQ(test, s->size, 208); /* the free pointer lies outside */
	memset(p, 0x3c, 200);
	rcu_read_lock();
	kmem_cache_free(s, p);
	kmem_cache_shrink(s);
	for (int i = 0; i < 1000; i++)
		kfree(kmalloc(opaque(300UL), GFP_KERNEL));
	KUNIT_EXPECT_TRUE(test, page_test(head, PG_slab)); /* still ours, still of this cache */
	KUNIT_EXPECT_PTR_EQ(test, owner_of(p), s);
	KUNIT_EXPECT_TRUE(test, all_bytes(p, 0x3c, 200)); /* and nobody wrote into it */
	rcu_read_unlock();
	rcu_barrier();
	KUNIT_EXPECT_FALSE(test, page_test(head, PG_slab));
	kmem_cache_destroy(s);
	KUNIT_EXPECT_NULL(test, cache_named("typesafe"));
}

KUNIT_TEST(a_typesafe_object_may_be_reused_at_once)
{
	struct kmem_cache *s = kmem_cache_create("typesafe", 200, 0, SLAB_TYPESAFE_BY_RCU, NULL);
	void *p = kmem_cache_alloc(s, GFP_KERNEL), *q;

	rcu_read_lock();
	kmem_cache_free(s, p);
	q = kmem_cache_alloc(s, GFP_KERNEL);
	if (q != p)
		kunit_skip(test, "the thread moved to another CPU");
	rcu_read_unlock();
	kmem_cache_free(s, q);
	kmem_cache_destroy(s);
}

KUNIT_TEST(destroying_a_typesafe_cache_leaves_no_page_behind)
{
	static void *p[3000];

	for (int round = 0; round < 20; round++) {
		struct kmem_cache *s =
			kmem_cache_create("typesafe", 64, 0, SLAB_TYPESAFE_BY_RCU, count_ctor);

		KUNIT_ASSERT_EQ(test, kmem_cache_alloc_bulk(s, GFP_KERNEL, 3000, p), 3000);
		kmem_cache_free_bulk(s, 3000, p);
		kmem_cache_destroy(s);
		for (int i = 0; i < 3000; i += 37)
			KUNIT_EXPECT_NULL(test, owner_of(p[i]));
	}
	KUNIT_EXPECT_EQ(test, validate_all(), 0);
}

/* ---- slub_kunit's cases that need no slab_debug ---- */

KUNIT_TEST(after_a_leak_at_destroy_the_name_may_be_used_again_without_a_warning)
{
	struct kmem_cache *s = kmem_cache_create("TestSlub_leak", 64, 0, SLAB_NO_USER_FLAGS, NULL);
	void *p = kmem_cache_alloc(s, GFP_KERNEL);

	listen();
	kmem_cache_destroy(s);
	KUNIT_EXPECT_NOT_NULL(test, strstr(said, "BUG TestSlub_leak"));
	listen();
	s = kmem_cache_create("TestSlub_leak", 64, 0, SLAB_NO_USER_FLAGS, NULL);
	KUNIT_EXPECT_STREQ(test, said, "");
	listen_no_more();
	kmem_cache_destroy(s);
	kfree(p);
}

KUNIT_TEST(kfree_rcu_then_destroy_is_clean_even_without_a_barrier)
{
	struct local {
		struct rcu_head rcu;
		char rest[60];
	} * p;
	struct kmem_cache *s = kmem_cache_create("TestSlub_kfree_rcu", sizeof(struct local), 0,
						 SLAB_NO_MERGE, NULL);

	p = kmem_cache_alloc(s, GFP_KERNEL);
	kfree_rcu(p, rcu);
	listen();
	kmem_cache_destroy(s);
	KUNIT_EXPECT_STREQ(test, said, "");
	listen_no_more();
	KUNIT_EXPECT_NULL(test, cache_named("TestSlub_kfree_rcu"));
}
