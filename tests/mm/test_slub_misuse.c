/* SPDX-License-Identifier: MIT */
/*
 * test_slub_misuse.c - what is not the start of a live object is named, and the process stops
 *
 * Each case in both modes. First lines are compared whole: the addresses in them are
 * those of the very objects, since the dying child is a fork of the case.
 */

#include "slab_test.h"

#include <sys/mman.h>

#include <slabwork/general.h>
#include <slabwork/vmalloc.h>

#define MANY 1000

static struct kmem_cache *victim;

static void do_kfree(void *p)
{
	kfree(opaque(p));
}

static void do_cache_free(void *p)
{
	kmem_cache_free(victim, opaque(p));
}

static void do_bulk_free(void *p)
{
	void *one[2] = { kmem_cache_alloc(victim, GFP_KERNEL), p };

	kmem_cache_free_bulk(victim, 2, one);
}

static void do_kfree_outside_the_header(void *p)
{
	sw_kfree(opaque(p));
}

/* Where an object lies, as reports say it. */
static unsigned long slab_of(const void *p)
{
	return (unsigned long)(uintptr_t)page_address(virt_to_head_page(p));
}

static unsigned int index_of(const void *p)
{
	return (unsigned int)(((uintptr_t)p - slab_of(p)) / owner_of(p)->size);
}

static const char *double_free_line(const char *who, const void *p)
{
	static char line[256];

	snprintf(line, sizeof(line),
		 "slabwork: %s: double free of %#lx (%s, object %u of slab %#lx)", who,
		 (unsigned long)p, owner_name(p), index_of(p), slab_of(p));
	return line;
}

static const char *interior_line(const char *who, const char *p, unsigned int in, const char *state)
{
	static char line[256];

	snprintf(line, sizeof(line),
		 "slabwork: %s: %#lx points %u bytes into a %s object (%s, object %u of slab %#lx)",
		 who, (unsigned long)(p + in), in, state, owner_name(p), index_of(p), slab_of(p));
	return line;
}

static const char *line_of(const char *fmt, const char *who, const void *p)
{
	static char line[256];

	snprintf(line, sizeof(line), "slabwork: %s: %#lx %s", who, (unsigned long)p, fmt);
	return line;
}

/* ---- double frees ---- */

TEST_IN_BOTH_MODES(a_double_free_is_named_for_every_size)
{
	for (size_t n = 8; n <= 8192; n *= 2) {
		void *p = kmalloc(opaque(n), GFP_KERNEL);

		kfree(p);
		KUNIT_EXPECT_TRUE(test, dies_saying(do_kfree, p, double_free_line("kfree()", p)),
				  "size %zu", n);
		KUNIT_EXPECT_TRUE(test, dies_saying(do_kfree_outside_the_header, p,
						    double_free_line("kfree()", p)));
	}
}

/* Another thread is in the boot: memory is mapped, the caches are not made yet. */
KUNIT_TEST(nothing_is_looked_up_before_the_caches_stand)
{
	sw_nr_steps = 1UL << 32;
	kfree(opaque((void *)NULL));
	kfree(opaque(ZERO_SIZE_PTR));
	sw_nr_steps = 0;
}

TEST_IN_BOTH_MODES(a_double_free_long_after_is_named)
{
	static void *p[MANY];

	victim = kmem_cache_create("victim", 24, 0, 0, NULL); /* every other object at 8 mod 16 */
	for (int i = 0; i < MANY; i++)
		p[i] = kmem_cache_alloc(victim, GFP_KERNEL);
	for (int i = 0; i < MANY; i++)
		kmem_cache_free(victim, p[i]);
	for (int i = 1; i < MANY; i += 199) {
		if (!owner_of(p[i]))
			continue;
		KUNIT_EXPECT_TRUE(test, dies_saying(do_cache_free, p[i],
						    double_free_line("kmem_cache_free()", p[i])));
		KUNIT_EXPECT_TRUE(test,
				  dies_saying(do_kfree, p[i], double_free_line("kfree()", p[i])));
	}
}

TEST_IN_BOTH_MODES(a_double_free_in_a_bulk_is_named)
{
	void *p;

	victim = kmem_cache_create("victim", 80, 0, 0, NULL);
	p = kmem_cache_alloc(victim, GFP_KERNEL);
	kmem_cache_free(victim, p);
	(void)!kmem_cache_alloc(victim, GFP_KERNEL); /* may be p again: then free that one too */
	p = kmem_cache_alloc(victim, GFP_KERNEL);
	kmem_cache_free(victim, p);
	/* do_bulk_free() takes p again before it frees it: once as its own, once as ours. */
	KUNIT_EXPECT_TRUE(
		test,
		dies_saying(do_bulk_free, p, double_free_line("kmem_cache_free_bulk()", p)) ||
			dies_saying(do_bulk_free, p, double_free_line("kmem_cache_free()", p)));
}

TEST_IN_BOTH_MODES(a_double_free_of_a_large_block_is_named)
{
	void *p = kmalloc(opaque(20000UL), GFP_KERNEL);

	kfree(p);
	KUNIT_EXPECT_TRUE(
		test, dies_saying(do_kfree, p,
				  line_of("is in no live object (its pages are free or hold none)",
					  "kfree()", p)));
}

TEST_IN_BOTH_MODES(an_object_of_a_slab_that_was_given_back_is_named)
{
	void *p;

	victim = kmem_cache_create("victim", 512, 0, 0, NULL);
	p = kmem_cache_alloc(victim, GFP_KERNEL);
	kmem_cache_free(victim, p);
	kmem_cache_shrink(victim);
	KUNIT_ASSERT_NULL(test, owner_of(p));
	KUNIT_EXPECT_TRUE(
		test, dies_saying(do_kfree, p,
				  line_of("is in no live object (its pages are free or hold none)",
					  "kfree()", p)));
	KUNIT_EXPECT_TRUE(
		test,
		dies_saying(
			do_cache_free, p,
			line_of("is in no live object (its pages are free or hold none), freed to victim",
				"kmem_cache_free()", p)));
}

/* ---- interior pointers ---- */

TEST_IN_BOTH_MODES(an_interior_pointer_is_named_wherever_it_points)
{
	static const unsigned int in[] = { 1, 8, 16, 17, 48, 99 };
	char *p = kmalloc(opaque(100UL), GFP_KERNEL), *q;

	victim = kmem_cache_create("victim", 104, 0, 0, NULL);
	q = kmem_cache_alloc(victim, GFP_KERNEL);
	for (unsigned int i = 0; i < sizeof(in) / sizeof(in[0]); i++) {
		KUNIT_EXPECT_TRUE(test, dies_saying(do_kfree, p + in[i],
						    interior_line("kfree()", p, in[i], "live")));
		KUNIT_EXPECT_TRUE(
			test, dies_saying(do_cache_free, q + in[i],
					  interior_line("kmem_cache_free()", q, in[i], "live")));
	}
	kmem_cache_free(victim, q);
	KUNIT_EXPECT_TRUE(test, dies_saying(do_cache_free, q + 40,
					    interior_line("kmem_cache_free()", q, 40, "free")));
}

/* Also where no object of the cache can be at 8 mod 16 (64), and where every other one is (24). */
TEST_IN_BOTH_MODES(an_interior_pointer_in_a_bulk_is_named)
{
	static const unsigned int sizes[] = { 24, 64 }, in[] = { 1, 8, 16 };

	for (unsigned int i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		char *p;

		victim = kmem_cache_create("victim", sizes[i], 0, SLAB_NO_MERGE, NULL);
		p = kmem_cache_alloc(victim, GFP_KERNEL);
		for (unsigned int j = 0; j < sizeof(in) / sizeof(in[0]); j++)
			/* One at a time where the child got another CPU's sheaf, which is full. */
			KUNIT_EXPECT_TRUE(test,
					  dies_saying(do_bulk_free, p + in[j],
						      interior_line("kmem_cache_free_bulk()", p,
								    in[j], "live")) ||
						  dies_saying(do_bulk_free, p + in[j],
							      interior_line("kmem_cache_free()", p,
									    in[j], "live")));
		kmem_cache_free(victim, p);
		kmem_cache_destroy(victim);
	}
}

TEST_IN_BOTH_MODES(a_pointer_into_a_large_block_is_named)
{
	char *p = kmalloc(opaque(20000UL), GFP_KERNEL), line[200];
	static const unsigned int in[] = { 8, 4096, 16384 };

	for (int i = 0; i < 3; i++) {
		snprintf(
			line, sizeof(line),
			"slabwork: kfree(): %#lx points %u bytes into a live block (32768 bytes at %#lx)",
			(unsigned long)(p + in[i]), in[i], (unsigned long)p);
		KUNIT_EXPECT_TRUE(test, dies_saying(do_kfree, p + in[i], line));
	}
}

TEST_IN_BOTH_MODES(the_waste_behind_the_last_object_is_named)
{
	char *p = kmalloc(opaque(192UL), GFP_KERNEL), line[200]; /* 21 in a page: 64 bytes left */
	char *tail = (char *)slab_of(p) + 4032;

	snprintf(line, sizeof(line),
		 "slabwork: kfree(): %#lx lies outside of every object (kmalloc-192, slab %#lx)",
		 (unsigned long)tail, slab_of(p));
	KUNIT_EXPECT_TRUE(test, dies_saying(do_kfree, tail, line));
}

/* ---- foreign pointers ---- */

TEST_IN_BOTH_MODES(a_foreign_pointer_is_named_and_never_followed)
{
	static char data[64];
	char stack[64];
	void *unmapped = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *foreign[] = { stack + 16,
			    data + 16,
			    (void *)17,
			    (void *)8192,
			    unmapped,
			    (void *)0xffff800000000000,
			    (void *)0xfffffffffffffff0,
			    (void *)0x0000800000000000,
			    (void *)0x5555555555555550,
			    (void *)(sw_layout.machine_start - 16),
			    (void *)(uintptr_t)do_kfree,
			    malloc(100) };

	munmap(unmapped, 4096);
	kfree(kmalloc(64, GFP_KERNEL));
	foreign[9] = (void *)(sw_layout.machine_start - 16);
	victim = kmem_cache_create("victim", 64, 0, 0, NULL);
	for (unsigned int i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		KUNIT_EXPECT_TRUE(
			test,
			dies_saying(do_kfree, foreign[i],
				    line_of("is not from this allocator", "kfree()", foreign[i])),
			"%u", i);
		KUNIT_EXPECT_TRUE(test,
				  dies_saying(do_cache_free, foreign[i],
					      line_of("is not from this allocator",
						      "kmem_cache_free()", foreign[i])),
				  "%u", i);
	}
}

TEST_IN_BOTH_MODES(the_first_byte_past_the_machine_is_named)
{
	void *end;

	kfree(kmalloc(64, GFP_KERNEL));
	end = (void *)atomic_load(&sw_layout.machine_online);
	KUNIT_EXPECT_TRUE(test, dies_saying(do_kfree, end,
					    line_of("is not from this allocator", "kfree()", end)));
}

TEST_IN_BOTH_MODES(pages_and_areas_are_not_objects)
{
	void *page = (void *)__get_free_page(GFP_KERNEL), *v = vmalloc(10000);

	KUNIT_EXPECT_TRUE(
		test, dies_saying(do_kfree, page,
				  line_of("is in no live object (its pages are free or hold none)",
					  "kfree()", page)));
	KUNIT_EXPECT_TRUE(
		test,
		dies_saying(do_kfree, v,
			    line_of("is a vmalloc address that is not the start of a live area",
				    "kfree()", v)));
}

/* ---- the wrong cache ---- */

TEST_IN_BOTH_MODES(an_object_freed_to_the_wrong_cache_goes_home_with_a_report)
{
	struct kmem_cache *right = kmem_cache_create("right", 96, 0, 0, NULL);
	struct kmem_cache *wrong = kmem_cache_create("wrong", 96, 0, 0, NULL);
	void *p = kmem_cache_alloc(right, GFP_KERNEL);

	listen();
	kmem_cache_free(wrong, opaque(p));
	listen_no_more();
	KUNIT_EXPECT_NOT_NULL(
		test,
		strstr(said, "cache_from_obj: Wrong slab cache. wrong but object is from right\n"));
	KUNIT_EXPECT_EQ(test, live_objects(right), 0);
	KUNIT_EXPECT_EQ(test, live_objects(wrong), 0);
	KUNIT_EXPECT_EQ(test, validate_all(), 0);
	kmem_cache_destroy(right);
	kmem_cache_destroy(wrong);
}

TEST_IN_BOTH_MODES(an_object_of_a_dma_cache_freed_to_another_goes_home_with_a_report)
{
	void *p = kmalloc(opaque(64UL), GFP_KERNEL | GFP_DMA);

	victim = kmem_cache_create("victim", 64, 0, 0, NULL);
	listen();
	do_cache_free(p);
	listen_no_more();
	KUNIT_EXPECT_NOT_NULL(
		test,
		strstr(said,
		       "cache_from_obj: Wrong slab cache. victim but object is from dma-kmalloc-64\n"));
	KUNIT_EXPECT_EQ(test, live_objects(cache_named("dma-kmalloc-64")), 0);
	KUNIT_EXPECT_EQ(test, validate_all(), 0);
}

/*
 * Many caches share seventy-two tags, so the header's check cannot tell some pairs apart.
 * Whatever is mixed up is found before it steers anything: when the object comes to a slab.
 */
TEST_IN_BOTH_MODES(a_cache_with_the_same_tag_is_told_apart_when_the_object_comes_to_a_slab)
{
	struct kmem_cache *first = kmem_cache_create("first", 64, 0, 0, NULL), *s = NULL;
	char name[32], line[256];
	void *p;

	for (int i = 0; i < 128; i++) {
		snprintf(name, sizeof(name), "twin-%d", i);
		s = kmem_cache_create(name, 64, 0, 0, NULL);
		if (s->fast.tag == first->fast.tag)
			break;
	}
	KUNIT_ASSERT_EQ(test, s->fast.tag, first->fast.tag);
	p = kmem_cache_alloc(first, GFP_KERNEL);
	listen();
	kmem_cache_free(s, p);
	kmem_cache_shrink(s);
	listen_no_more();
	snprintf(line, sizeof(line),
		 "cache_from_obj: Wrong slab cache. %s but object is from first\n", s->name);
	KUNIT_EXPECT_NOT_NULL(test, strstr(said, line), "%s", said);
	KUNIT_EXPECT_EQ(test, live_objects(first), 0);
	KUNIT_EXPECT_EQ(test, live_objects(s), 0);
	KUNIT_EXPECT_EQ(test, validate_all(), 0);
}

/* ---- after the fact ---- */

TEST_IN_BOTH_MODES(a_write_after_free_cannot_steer_the_allocator)
{
	static void *p[MANY];
	struct kmem_cache *s = kmem_cache_create("written", 64, 0, 0, NULL);

	for (int round = 0; round < 10; round++) {
		for (int i = 0; i < MANY; i++) {
			p[i] = kmem_cache_alloc(s, GFP_KERNEL);
			KUNIT_ASSERT_PTR_EQ(test, owner_of(p[i]), s);
		}
		for (int i = 0; i < MANY; i++)
			kmem_cache_free(s, p[i]);
		for (int i = 0; i < MANY; i++)
			if (owner_of(p[i]) == s)
				memset(p[i], 0x41, 64);
	}
	KUNIT_EXPECT_EQ(test, kmem_cache_validate(s), 0);
	kmem_cache_destroy(s);
	KUNIT_EXPECT_NULL(test, cache_named("written"));
}
