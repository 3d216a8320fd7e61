/* SPDX-License-Identifier: MIT */
/*
 * test_slub_geometry.c - how many objects a slab holds: the kernel's table and its own word
 *
 * The oracle: the host's /proc/slabinfo tells size, objects and pages a slab of
 * some two hundred caches. We compute the same from the size and the CPU count. A wrong
 * CPU count must not fit, or the test would prove nothing.
 */

#include "slab_test.h"

#include <errno.h>
#include <stdio.h>

#include "os/os.h"

static const unsigned int sizes[10] = { 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192 };

struct row {
	unsigned int cpus_from, cpus_to;
	struct {
		unsigned int objects, pages;
	} at[10];
};

static const struct row table[] = {
	{ 1,
	  1,
	  { { 64, 1 },
	    { 42, 1 },
	    { 32, 1 },
	    { 21, 1 },
	    { 16, 1 },
	    { 8, 1 },
	    { 8, 2 },
	    { 8, 4 },
	    { 8, 8 },
	    { 4, 8 } } },
	{ 2,
	  4,
	  { { 64, 1 },
	    { 42, 1 },
	    { 32, 1 },
	    { 21, 1 },
	    { 16, 1 },
	    { 16, 2 },
	    { 16, 4 },
	    { 16, 8 },
	    { 8, 8 },
	    { 4, 8 } } },
	{ 8,
	  8,
	  { { 64, 1 },
	    { 42, 1 },
	    { 32, 1 },
	    { 21, 1 },
	    { 32, 2 },
	    { 32, 4 },
	    { 32, 8 },
	    { 16, 8 },
	    { 8, 8 },
	    { 4, 8 } } },
	{ 16,
	  64,
	  { { 64, 1 },
	    { 42, 1 },
	    { 32, 1 },
	    { 42, 2 },
	    { 32, 2 },
	    { 32, 4 },
	    { 32, 8 },
	    { 16, 8 },
	    { 8, 8 },
	    { 4, 8 } } },
	{ 256,
	  256,
	  { { 64, 1 },
	    { 42, 1 },
	    { 64, 2 },
	    { 42, 2 },
	    { 64, 4 },
	    { 64, 8 },
	    { 32, 8 },
	    { 16, 8 },
	    { 8, 8 },
	    { 4, 8 } } },
};

KUNIT_TEST(orders_and_objects_are_the_tables_for_every_cpu_count)
{
	for (unsigned int r = 0; r < sizeof(table) / sizeof(table[0]); r++) {
		for (unsigned int cpus = table[r].cpus_from; cpus <= table[r].cpus_to; cpus++) {
			for (unsigned int i = 0; i < 10; i++) {
				unsigned int order = calculate_order(sizes[i], cpus);

				KUNIT_EXPECT_EQ(test, 1u << order, table[r].at[i].pages,
						"size %u on %u CPUs", sizes[i], cpus);
				KUNIT_EXPECT_EQ(test, order_objects(order, sizes[i]),
						table[r].at[i].objects, "size %u on %u CPUs",
						sizes[i], cpus);
			}
		}
	}
}

KUNIT_TEST(small_objects_fill_one_page_whatever_the_cpu_count)
{
	for (unsigned int cpus = 1; cpus <= 64; cpus++) {
		for (unsigned int size = 8; size <= 32; size *= 2) {
			KUNIT_EXPECT_EQ(test, calculate_order(size, cpus), 0);
			KUNIT_EXPECT_EQ(test, order_objects(0, size), 4096 / size);
		}
	}
}

/* What malloc asks for: sizes that divide 64 KiB, and small ones of the kernel's rule. */
KUNIT_TEST(slabs_of_a_general_cache_leave_a_32nd_over_at_most)
{
	static const unsigned int classes[] = { 16,   48,   80,   208,  320,  640,
						1024, 1040, 1488, 2048, 2112, 4096,
						4368, 4672, 5040, 5952, 7280, 8192 };

	for (unsigned int i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		struct kmem_cache *s = kmem_cache_create_general("packed", classes[i], 16, 0);
		unsigned int order;

		KUNIT_ASSERT_NOT_NULL(test, s);
		order = oo_order(s->oo);
		KUNIT_EXPECT_LE(test, (4096u << order) % classes[i], (4096u << order) / 32,
				"size %u order %u", classes[i], order);
		KUNIT_EXPECT_LE(test, order, 4, "size %u", classes[i]);
		KUNIT_EXPECT_LE(test, s->min_partial << order, 32, "size %u", classes[i]);
		kmem_cache_destroy(s);
	}
}

KUNIT_TEST(no_slab_holds_more_than_32767_objects_or_exceeds_order_3_without_need)
{
	for (unsigned int size = 8; size <= 1 << 22; size += size < 9000 ? 8 : 8 * 517) {
		for (unsigned int cpus = 1; cpus <= 8192; cpus *= 8) {
			unsigned int order = calculate_order(size, cpus);

			KUNIT_EXPECT_GE(test, order_objects(order, size), 1);
			KUNIT_EXPECT_LE(test, order_objects(order, size), 32767);
			if (size <= 4096u << 3)
				KUNIT_EXPECT_LE(test, order, 3, "size %u", size);
			else
				KUNIT_EXPECT_EQ(test, order, get_order(size), "size %u", size);
		}
	}
}

KUNIT_TEST(the_kmalloc_caches_have_this_geometry)
{
	options("slab_nr_cpus=8");
	kfree(kmalloc(64, GFP_KERNEL));
	KUNIT_ASSERT_EQ(test, slab_nr_cpus, 8);
	for (unsigned int i = 0; i < 10; i++) {
		struct kmem_cache *s = kmalloc_caches[KMALLOC_NORMAL][kmalloc_index(sizes[i])];

		KUNIT_EXPECT_EQ(test, oo_objects(s->oo), table[2].at[i].objects, "%s", s->name);
		KUNIT_EXPECT_EQ(test, 1u << oo_order(s->oo), table[2].at[i].pages, "%s", s->name);
	}
}

KUNIT_TEST(min_partial_is_half_the_log_of_the_size_between_5_and_10)
{
	kfree(kmalloc(64, GFP_KERNEL));
	for (unsigned int i = 3; i <= 11; i++)
		KUNIT_EXPECT_EQ(test, kmalloc_caches[KMALLOC_NORMAL][i]->min_partial, 5);
	KUNIT_EXPECT_EQ(test, kmalloc_caches[KMALLOC_NORMAL][12]->min_partial, 6);
	KUNIT_EXPECT_EQ(test, kmalloc_caches[KMALLOC_NORMAL][13]->min_partial, 6);
	KUNIT_EXPECT_EQ(test, kmem_cache_create("1M", 1 << 20, 0, 0, NULL)->min_partial, 10);
	KUNIT_EXPECT_EQ(test, kmem_cache_create("4M", 1 << 22, 0, 0, NULL)->min_partial, 10);
}

KUNIT_TEST(cpu_partial_falls_with_the_size)
{
	static const struct {
		unsigned int size, cpu_partial;
	} v[] = { { 8, 120 },   { 192, 120 }, { 248, 120 }, { 256, 52 }, { 1016, 52 },
		  { 1024, 24 }, { 4088, 24 }, { 4096, 6 },  { 8192, 6 } };

	for (unsigned int i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		char name[32];

		snprintf(name, sizeof(name), "partial-%u", v[i].size);
		KUNIT_EXPECT_EQ(test, kmem_cache_create(name, v[i].size, 0, 0, NULL)->cpu_partial,
				v[i].cpu_partial, "%s", name);
	}
}

KUNIT_TEST(objects_of_a_slab_lie_one_size_apart_and_inside_it)
{
	for (unsigned int size = 1; size < 20000; size = size * 2 + 5) {
		struct kmem_cache *s;
		static void *p[1000];
		char name[32];

		snprintf(name, sizeof(name), "apart-%u", size);
		s = kmem_cache_create(name, size, 0, 0, NULL);
		KUNIT_ASSERT_NOT_NULL(test, s);
		KUNIT_ASSERT_LE(test, oo_objects(s->oo) * s->size, PAGE_SIZE << oo_order(s->oo));
		KUNIT_ASSERT_EQ(test, kmem_cache_alloc_bulk(s, GFP_KERNEL, 1000, p), 1000);
		for (int i = 0; i < 1000; i++) {
			uintptr_t slab = (uintptr_t)page_address(virt_to_head_page(p[i]));
			uintptr_t off = (uintptr_t)p[i] - slab;

			KUNIT_EXPECT_EQ(test, off % s->size, 0);
			KUNIT_EXPECT_LE(test, off + s->size, PAGE_SIZE << oo_order(s->oo));
			KUNIT_EXPECT_TRUE(test, PageSlab(virt_to_head_page(p[i])));
		}
		kmem_cache_free_bulk(s, 1000, p);
		KUNIT_EXPECT_EQ(test, kmem_cache_validate(s), 0);
		kmem_cache_destroy(s);
	}
}

/* ---- the oracle ---- */

struct host_cache {
	char name[64];
	unsigned int size, objects, pages;
};
static struct host_cache host[1000];
static unsigned int nr_host;

/* 0, or why not. */
static const char *read_host(void)
{
	FILE *f = fopen("/proc/slabinfo", "r");
	static char line[512];

	if (!f)
		return errno == ENOENT ? "the host has no /proc/slabinfo" :
					 "/proc/slabinfo is for root only";
	while (nr_host < 1000 && fgets(line, sizeof(line), f)) {
		struct host_cache *h = &host[nr_host];

		if (sscanf(line, "%63s %*u %*u %u %u %u", h->name, &h->size, &h->objects,
			   &h->pages) == 4)
			nr_host++;
	}
	fclose(f);
	return nr_host ? NULL : "/proc/slabinfo is empty";
}

static unsigned int host_mismatches(unsigned int cpus, bool tell)
{
	unsigned int bad = 0;

	for (unsigned int i = 0; i < nr_host; i++) {
		unsigned int order = calculate_order(host[i].size, cpus);

		if (1u << order == host[i].pages &&
		    order_objects(order, host[i].size) == host[i].objects)
			continue;
		bad++;
		if (tell)
			kunit_log_line("%s: size %u is %u/%u on the host, %u/%u here", host[i].name,
				       host[i].size, host[i].objects, host[i].pages,
				       order_objects(order, host[i].size), 1u << order);
	}
	return bad;
}

KUNIT_TEST(the_geometry_of_every_cache_of_this_host_is_recomputed)
{
	const char *why = read_host();

	if (why)
		kunit_skip(test, "%s", why);
	kunit_log_line("%u caches", nr_host);
	/* The kernel's rule asks for present CPUs: they are as many as online ones where none is parked. */
	KUNIT_EXPECT_EQ(test, host_mismatches(os_nr_online_cpus(), true), 0);
}

KUNIT_TEST(a_wrong_cpu_count_does_not_fit_this_host)
{
	const char *why = read_host();
	unsigned int cpus = os_nr_online_cpus();

	if (why)
		kunit_skip(test, "%s", why);
	KUNIT_EXPECT_GT(test, host_mismatches(cpus * 16, false), 0);
	if (cpus > 1)
		KUNIT_EXPECT_GT(test, host_mismatches(1, false), 0);
}
