/* SPDX-License-Identifier: MIT */
/*
 * test_kmalloc.c - the tables behind kmalloc(): classes, names, indexes, boundaries
 *
 * Expected values are written out, not computed by the code under test. Behaviour of the
 * calls is in test_kmalloc_calls.c.
 */

#include "slab_test.h"

#include <slabwork/show.h>

#include "lib/bitops.h"

KUNIT_TEST(kmalloc_info_has_27_entries_with_these_names_and_sizes)
{
	static const struct {
		const char *name;
		unsigned int size;
	} want[27] = {
		{ NULL, 0 },
		{ "kmalloc-96", 96 },
		{ "kmalloc-192", 192 },
		{ "kmalloc-8", 8 },
		{ "kmalloc-16", 16 },
		{ "kmalloc-32", 32 },
		{ "kmalloc-64", 64 },
		{ "kmalloc-128", 128 },
		{ "kmalloc-256", 256 },
		{ "kmalloc-512", 512 },
		{ "kmalloc-1k", 1024 },
		{ "kmalloc-2k", 2048 },
		{ "kmalloc-4k", 4096 },
		{ "kmalloc-8k", 8192 },
		{ "kmalloc-16k", 16384 },
		{ "kmalloc-32k", 32768 },
		{ "kmalloc-64k", 65536 },
		{ "kmalloc-128k", 131072 },
		{ "kmalloc-256k", 262144 },
		{ "kmalloc-512k", 524288 },
		{ "kmalloc-1M", 1048576 },
		{ "kmalloc-2M", 2097152 },
		{ "kmalloc-4M", 4194304 },
		{ "kmalloc-8M", 8388608 },
		{ "kmalloc-16M", 16777216 },
		{ "kmalloc-32M", 33554432 },
		{ "kmalloc-64M", 67108864 },
	};

	KUNIT_ASSERT_EQ(test, sizeof(kmalloc_info) / sizeof(kmalloc_info[0]), 27);
	KUNIT_EXPECT_NULL(test, kmalloc_info[0].name);
	KUNIT_EXPECT_EQ(test, kmalloc_info[0].size, 0);
	for (int i = 1; i < 27; i++) {
		KUNIT_EXPECT_STREQ(test, kmalloc_info[i].name, want[i].name);
		KUNIT_EXPECT_EQ(test, kmalloc_info[i].size, want[i].size);
	}
}

KUNIT_TEST(class_bounds_are_those_of_slub_with_4k_pages)
{
	KUNIT_EXPECT_EQ(test, KMALLOC_SHIFT_LOW, 3);
	KUNIT_EXPECT_EQ(test, KMALLOC_SHIFT_HIGH, PAGE_SHIFT + 1);
	KUNIT_EXPECT_EQ(test, KMALLOC_SHIFT_HIGH, 13);
	KUNIT_EXPECT_EQ(test, KMALLOC_SHIFT_MAX, 22);
	KUNIT_EXPECT_EQ(test, KMALLOC_MAX_CACHE_SIZE, 8192);
	KUNIT_EXPECT_EQ(test, KMALLOC_MAX_SIZE, 4UL << 20);
	KUNIT_EXPECT_EQ(test, KMALLOC_MAX_ORDER, 10);
	KUNIT_EXPECT_EQ(test, KMALLOC_MIN_SIZE, 8);
	KUNIT_EXPECT_EQ(test, SLAB_OBJ_MIN_SIZE, 8);
	KUNIT_EXPECT_EQ(test, ARCH_KMALLOC_MINALIGN, 8);
	KUNIT_EXPECT_EQ(test, sizeof(kmalloc_caches[0]) / sizeof(kmalloc_caches[0][0]), 14);
}

KUNIT_TEST(size_index_is_the_kernels_table)
{
	static const uint8_t want[24] = { 3, 4, 5, 5, 6, 6, 6, 6, 1, 1, 1, 1,
					  7, 7, 7, 7, 2, 2, 2, 2, 2, 2, 2, 2 };

	KUNIT_EXPECT_MEMEQ(test, size_index, want, 24);
	kfree(kmalloc(opaque(1UL), GFP_KERNEL)); /* boot sets it up again, to the same */
	KUNIT_EXPECT_MEMEQ(test, size_index, want, 24);
	for (size_t n = 1; n <= 192; n++)
		KUNIT_EXPECT_EQ(test, size_index_elem(n), (n - 1) / 8);
}

KUNIT_TEST(fls_counts_from_one)
{
	KUNIT_EXPECT_EQ(test, fls(0), 0);
	KUNIT_EXPECT_EQ(test, fls(1), 1);
	KUNIT_EXPECT_EQ(test, fls(4), 3);
	KUNIT_EXPECT_EQ(test, fls(191), 8);
	KUNIT_EXPECT_EQ(test, fls64(8191), 13);
	KUNIT_EXPECT_EQ(test, fls64(8192), 14);
}

KUNIT_TEST(kmalloc_size_is_two_to_the_index_but_for_1_and_2)
{
	kfree(kmalloc(opaque(1UL), GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, kmalloc_size(0), 0);
	KUNIT_EXPECT_EQ(test, kmalloc_size(1), 96);
	KUNIT_EXPECT_EQ(test, kmalloc_size(2), 192);
	for (unsigned int i = 3; i <= 13; i++)
		KUNIT_EXPECT_EQ(test, kmalloc_size(i), 1u << i);
	for (unsigned int i = 14; i < 40; i++)
		KUNIT_EXPECT_EQ(test, kmalloc_size(i), 0);
}

/* Class for a request, the table of the memory facts by smallest class, row by row. */
static size_t class_for(size_t size, size_t min)
{
	static const size_t bound[] = { 8,   16,  32,   64,   96,   128, 192,
					256, 512, 1024, 2048, 4096, 8192 };

	for (unsigned int i = 0; i < sizeof(bound) / sizeof(bound[0]); i++) {
		if (bound[i] < min || (bound[i] == 96 && min > 32) || (bound[i] == 192 && min > 64))
			continue;
		if (size <= bound[i])
			return bound[i];
	}
	return 0;
}

KUNIT_TEST(every_smallest_class_maps_every_size_to_the_right_class)
{
	static const struct {
		size_t min, c1_8, c33_64, c65_96, c97_128, c129_192, c193_256;
	} rows[] = {
		{ 8, 8, 64, 96, 128, 192, 256 },       { 16, 16, 64, 96, 128, 192, 256 },
		{ 32, 32, 64, 96, 128, 192, 256 },     { 64, 64, 64, 128, 128, 192, 256 },
		{ 128, 128, 128, 128, 128, 256, 256 }, { 256, 256, 256, 256, 256, 256, 256 },
	};

	for (unsigned int r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
		size_t min = rows[r].min;

		for (size_t n = 1; n <= 256; n++) {
			size_t got = kmalloc_info[kmalloc_index_for(n, min)].size;
			size_t want = n <= 8   ? rows[r].c1_8 :
				      n <= 32  ? class_for(n, min) :
				      n <= 64  ? rows[r].c33_64 :
				      n <= 96  ? rows[r].c65_96 :
				      n <= 128 ? rows[r].c97_128 :
				      n <= 192 ? rows[r].c129_192 :
						 rows[r].c193_256;

			KUNIT_EXPECT_EQ(test, got, want, "size %zu, smallest class %zu", n, min);
		}
		for (size_t n = 257; n <= 8192; n++)
			KUNIT_EXPECT_EQ(test, kmalloc_info[kmalloc_index_for(n, min)].size,
					class_for(n, min));
		KUNIT_EXPECT_EQ(test, kmalloc_index_for(0, min), 0);
	}
}

KUNIT_TEST(compiled_index_and_run_time_table_agree_for_every_size)
{
	kfree(kmalloc(opaque(1UL), GFP_KERNEL));
	for (size_t n = 1; n <= 8192; n++) {
		void *p = kmalloc(opaque(n), GFP_KERNEL);
		unsigned int index = kmalloc_index(n);

		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_PTR_EQ(test, owner_of(p), kmalloc_caches[KMALLOC_NORMAL][index],
				    "size %zu", n);
		KUNIT_EXPECT_EQ(test, kmalloc_info[index].size, class_for(n, 8), "size %zu", n);
		kfree(p);
	}
}

KUNIT_TEST(boundary_sizes_get_the_classes_of_the_table)
{
	static const struct {
		size_t size;
		const char *cache;
	} v[] = {
		{ 1, "kmalloc-8" },     { 8, "kmalloc-8" },     { 9, "kmalloc-16" },
		{ 16, "kmalloc-16" },   { 17, "kmalloc-32" },   { 24, "kmalloc-32" },
		{ 25, "kmalloc-32" },   { 32, "kmalloc-32" },   { 33, "kmalloc-64" },
		{ 64, "kmalloc-64" },   { 65, "kmalloc-96" },   { 72, "kmalloc-96" },
		{ 96, "kmalloc-96" },   { 97, "kmalloc-128" },  { 128, "kmalloc-128" },
		{ 129, "kmalloc-192" }, { 136, "kmalloc-192" }, { 192, "kmalloc-192" },
		{ 193, "kmalloc-256" }, { 256, "kmalloc-256" }, { 257, "kmalloc-512" },
		{ 512, "kmalloc-512" }, { 513, "kmalloc-1k" },  { 1024, "kmalloc-1k" },
		{ 1025, "kmalloc-2k" }, { 2048, "kmalloc-2k" }, { 2049, "kmalloc-4k" },
		{ 4096, "kmalloc-4k" }, { 4097, "kmalloc-8k" }, { 8192, "kmalloc-8k" },
	};

	for (unsigned int i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		void *p = kmalloc(opaque(v[i].size), GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_STREQ(test, owner_name(p), v[i].cache, "size %zu", v[i].size);
		KUNIT_EXPECT_EQ(test, ksize(p), class_for(v[i].size, 8));
		kfree(p);
	}
	KUNIT_EXPECT_PTR_EQ(test, kmalloc(opaque(0UL), GFP_KERNEL), ZERO_SIZE_PTR);
}

KUNIT_TEST(beyond_8k_a_request_is_a_compound_block_of_pages)
{
	static const struct {
		size_t size;
		unsigned int order;
	} v[] = { { 8193, 2 },  { 16384, 2 },   { 16385, 3 },
		  { 65537, 5 }, { 1 << 20, 8 }, { 4194304, 10 } };

	for (unsigned int i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		char *p = kmalloc(opaque(v[i].size), GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_NULL(test, owner_of(p));
		KUNIT_EXPECT_FALSE(test, PageSlab(virt_to_page(p)));
		KUNIT_EXPECT_TRUE(test, PageHead(virt_to_page(p)));
		KUNIT_EXPECT_EQ(test, compound_order(virt_to_page(p)), v[i].order);
		KUNIT_EXPECT_PTR_EQ(test, virt_to_head_page(p + v[i].size - 1), virt_to_page(p));
		KUNIT_EXPECT_EQ(test, (uintptr_t)p % PAGE_SIZE, 0);
		KUNIT_EXPECT_EQ(test, ksize(p), PAGE_SIZE << v[i].order);
		memset(p, 0x5a, v[i].size);
		kfree(p);
	}
}

KUNIT_TEST(a_constant_beyond_8k_gets_the_same_block)
{
	char *p = kmalloc(8193, GFP_KERNEL), *q = kmalloc(4194304, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_ASSERT_NOT_NULL(test, q);
	KUNIT_EXPECT_EQ(test, compound_order(virt_to_page(p)), 2);
	KUNIT_EXPECT_EQ(test, compound_order(virt_to_page(q)), 10);
	kfree(p);
	kfree(q);
}

static long unreclaimable(void)
{
	long n = 0;

	for (unsigned int nid = 0; nid < nr_node_ids; nid++)
		n += atomic_load(&NODE_DATA(nid)->vm_stat[NR_SLAB_UNRECLAIMABLE_B]);
	return n;
}

KUNIT_TEST(a_large_block_counts_as_unreclaimable_slab_pages_and_in_no_cache)
{
	long before, during;
	void *p;

	kfree(kmalloc(opaque(9000UL), GFP_KERNEL));
	before = unreclaimable();
	p = kmalloc(opaque(9000UL), GFP_KERNEL);
	during = unreclaimable();
	KUNIT_EXPECT_EQ(test, during - before, 4);
	KUNIT_EXPECT_NULL(test, owner_of(p));
	kfree(p);
	KUNIT_EXPECT_EQ(test, unreclaimable(), before);
}

KUNIT_TEST(a_request_beyond_4m_is_null_with_one_warning_that_nowarn_spares)
{
	listen();
	KUNIT_EXPECT_NULL(test, kmalloc(opaque(4194305UL), GFP_KERNEL | __GFP_NOWARN));
	KUNIT_EXPECT_NULL(test, kmalloc(opaque(SIZE_MAX), GFP_KERNEL | __GFP_NOWARN));
	KUNIT_EXPECT_STREQ(test, said, "");
	KUNIT_EXPECT_NULL(test, kmalloc(opaque(4194305UL), GFP_KERNEL));
	KUNIT_EXPECT_NOT_NULL(test, strstr(said, "WARNING"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(said, "4194305"));
	listen_no_more();
}

KUNIT_TEST(kmalloc_size_roundup_tells_what_a_request_gets)
{
	for (size_t n = 1; n <= 8192; n++)
		KUNIT_EXPECT_EQ(test, kmalloc_size_roundup(n), class_for(n, 8), "size %zu", n);
	KUNIT_EXPECT_EQ(test, kmalloc_size_roundup(0), 0);
	KUNIT_EXPECT_EQ(test, kmalloc_size_roundup(8193), 16384);
	KUNIT_EXPECT_EQ(test, kmalloc_size_roundup(16385), 32768);
	KUNIT_EXPECT_EQ(test, kmalloc_size_roundup(4194304), 4194304);
	KUNIT_EXPECT_EQ(test, kmalloc_size_roundup(4194305), 4194305);
	KUNIT_EXPECT_EQ(test, kmalloc_size_roundup(SIZE_MAX), SIZE_MAX);
}

/* ---- alignment ---- */

KUNIT_TEST(kmalloc_aligns_every_size_to_its_largest_power_of_two_divisor)
{
	void *held[8];

	/* Several of each, so that not only the first object of a slab is looked at. */
	for (size_t n = 1; n <= 8192; n++) {
		size_t size = class_for(n, 8), align = size & -size;

		if (n & (n - 1))
			align = size & -size;
		for (int i = 0; i < 8; i++) {
			held[i] = kmalloc(opaque(n), GFP_KERNEL);
			KUNIT_ASSERT_NOT_NULL(test, held[i]);
			KUNIT_EXPECT_EQ(test, (uintptr_t)held[i] % align, 0, "size %zu", n);
			if (!(n & (n - 1)))
				KUNIT_EXPECT_EQ(test, (uintptr_t)held[i] % n, 0, "size %zu", n);
		}
		for (int i = 0; i < 8; i++)
			kfree(held[i]);
	}
	for (size_t n = 8193; n <= KMALLOC_MAX_SIZE; n = n * 3 / 2) {
		void *p = kmalloc(opaque(n), GFP_KERNEL);

		KUNIT_EXPECT_EQ(test, (uintptr_t)p % PAGE_SIZE, 0);
		kfree(p);
	}
}

KUNIT_TEST(kmalloc_align_gives_what_it_is_asked_for)
{
	for (size_t align = 1; align <= 1 << 16; align *= 2) {
		for (size_t n = 1; n <= 20000; n = n * 2 + 3) {
			char *p = kmalloc_align(n, align, GFP_KERNEL);

			KUNIT_ASSERT_NOT_NULL(test, p);
			KUNIT_EXPECT_EQ(test, (uintptr_t)p % align, 0, "%zu at %zu", n, align);
			KUNIT_EXPECT_GE(test, ksize(p), n);
			memset(p, 1, n);
			kfree(p);
		}
	}
	KUNIT_EXPECT_NULL(test, kmalloc_align(16, 3, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, kmalloc_align(16, 0, GFP_KERNEL));
	KUNIT_EXPECT_PTR_EQ(test, kmalloc_align(0, 64, GFP_KERNEL), ZERO_SIZE_PTR);
}

/* ---- types ---- */

KUNIT_TEST(the_flags_choose_the_type_and_dma_wins)
{
	static const struct {
		gfp_t gfp;
		enum kmalloc_cache_type type;
		const char *cache;
	} v[] = {
		{ GFP_KERNEL, KMALLOC_NORMAL, "kmalloc-64" },
		{ GFP_ATOMIC, KMALLOC_NORMAL, "kmalloc-64" },
		{ GFP_KERNEL | __GFP_RECLAIMABLE, KMALLOC_RECLAIM, "kmalloc-rcl-64" },
		{ GFP_KERNEL | GFP_DMA, KMALLOC_DMA, "dma-kmalloc-64" },
		{ GFP_KERNEL | GFP_DMA | __GFP_RECLAIMABLE, KMALLOC_DMA, "dma-kmalloc-64" },
		{ GFP_KERNEL_ACCOUNT, KMALLOC_CGROUP, "kmalloc-cg-64" },
		{ GFP_KERNEL_ACCOUNT | __GFP_RECLAIMABLE, KMALLOC_RECLAIM, "kmalloc-rcl-64" },
		{ GFP_KERNEL_ACCOUNT | GFP_DMA, KMALLOC_DMA, "dma-kmalloc-64" },
	};

	for (unsigned int i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		void *p = kmalloc(opaque(64UL), v[i].gfp), *q = kmalloc(64, v[i].gfp);

		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_EQ(test, kmalloc_type(v[i].gfp), v[i].type);
		KUNIT_EXPECT_STREQ(test, owner_name(p), v[i].cache);
		KUNIT_EXPECT_PTR_EQ(test, owner_of(p), kmalloc_caches[v[i].type][6]);
		KUNIT_EXPECT_PTR_EQ(test, owner_of(q), owner_of(p));
		kfree(p);
		kfree(q);
	}
}

static const char *const class_names[13] = { "8",   "16",  "32", "64", "96", "128", "192",
					     "256", "512", "1k", "2k", "4k", "8k" };

KUNIT_TEST(the_kmalloc_caches_are_made_in_the_kernels_order)
{
	static const char *const prefix[] = { "kmalloc-", "kmalloc-rcl-", "kmalloc-cg-",
					      "dma-kmalloc-" };
	struct kmem_cache *s;
	unsigned int at = 0;
	char want[32];

	kfree(kmalloc(opaque(1UL), GFP_KERNEL));
	list_for_each_entry(s, &slab_caches, list) {
		if (!strstr(s->name, "kmalloc-"))
			continue;
		KUNIT_ASSERT_LT(test, at, 4 * 13);
		snprintf(want, sizeof(want), "%s%s", prefix[at / 13], class_names[at % 13]);
		KUNIT_EXPECT_STREQ(test, s->name, want);
		at++;
	}
	KUNIT_EXPECT_EQ(test, at, 4 * 13);
	for (unsigned int type = 0; type < NR_KMALLOC_TYPES; type++)
		KUNIT_EXPECT_NULL(test, kmalloc_caches[type][0]);
}

KUNIT_TEST(each_type_has_its_flags_and_a_whole_usercopy_window)
{
	static const struct {
		const char *prefix;
		slab_flags_t flag;
	} types[] = { { "kmalloc-", 0 },
		      { "kmalloc-rcl-", SLAB_RECLAIM_ACCOUNT },
		      { "dma-kmalloc-", SLAB_CACHE_DMA },
		      { "kmalloc-cg-", SLAB_ACCOUNT } };
	const slab_flags_t all = SLAB_RECLAIM_ACCOUNT | SLAB_CACHE_DMA | SLAB_ACCOUNT;

	kfree(kmalloc(opaque(1UL), GFP_KERNEL));
	for (int t = 0; t < 4; t++) {
		for (int i = 0; i < 13; i++) {
			struct kmem_cache *s;
			char name[32];

			snprintf(name, sizeof(name), "%s%s", types[t].prefix, class_names[i]);
			s = cache_named(name);
			KUNIT_ASSERT_NOT_NULL(test, s, "%s", name);
			KUNIT_EXPECT_EQ(test, s->flags & all, types[t].flag);
			KUNIT_EXPECT_EQ(test, s->useroffset, 0);
			KUNIT_EXPECT_EQ(test, s->usersize, s->object_size);
			KUNIT_EXPECT_EQ(test, s->size, s->object_size, "%s", name);
		}
	}
}

KUNIT_TEST(slabinfo_lists_every_kmalloc_cache)
{
	static char text[1 << 17];
	char line[64];

	kfree(kmalloc(opaque(1UL), GFP_KERNEL));
	KUNIT_ASSERT_GT(test, sw_show_buf(text, sizeof(text), "slabinfo", NULL), 0);
	for (int i = 0; i < 13; i++) {
		snprintf(line, sizeof(line), "\nkmalloc-%s ", class_names[i]);
		KUNIT_EXPECT_NOT_NULL(test, strstr(text, line), "%s", line);
		snprintf(line, sizeof(line), "\nkmalloc-rcl-%s ", class_names[i]);
		KUNIT_EXPECT_NOT_NULL(test, strstr(text, line), "%s", line);
		snprintf(line, sizeof(line), "\ndma-kmalloc-%s ", class_names[i]);
		KUNIT_EXPECT_NOT_NULL(test, strstr(text, line), "%s", line);
	}
}

/* ---- boot ---- */

KUNIT_TEST(nothing_is_up_before_the_first_call_and_all_after_it)
{
	KUNIT_EXPECT_FALSE(test, slab_is_available());
	KUNIT_EXPECT_EQ(test, atomic_load(&slab_state), DOWN);
	KUNIT_EXPECT_NULL(test, kmalloc_caches[KMALLOC_NORMAL][6]);
	kfree(kmalloc(64, GFP_KERNEL)); /* a constant: the inline path boots as well */
	KUNIT_EXPECT_TRUE(test, slab_is_available());
	KUNIT_EXPECT_EQ(test, atomic_load(&slab_state), FULL);
	KUNIT_EXPECT_NOT_NULL(test, kmalloc_caches[KMALLOC_NORMAL][6]);
}

KUNIT_TEST(the_states_come_in_the_kernels_order)
{
	KUNIT_EXPECT_EQ(test, DOWN, 0);
	KUNIT_EXPECT_LT(test, DOWN, PARTIAL);
	KUNIT_EXPECT_LT(test, PARTIAL, UP);
	KUNIT_EXPECT_LT(test, UP, FULL);
}

KUNIT_TEST(the_first_call_may_be_any_of_these)
{
	static void *(*const first[])(size_t, gfp_t) = { __kmalloc, kmalloc_large };

	for (int i = 0; i < 6; i++) {
		int status;
		pid_t pid = fork(); /* each in a process where nothing has booted */

		if (!pid) {
			struct kmem_cache *s;
			bool ok = false;

			alarm(20);
			if (i < 2)
				ok = first[i](i ? 9000 : 90, GFP_KERNEL) != NULL;
			else if (i == 2)
				ok = (s = kmem_cache_create("first", 40, 0, 0, NULL)) &&
				     kmem_cache_alloc(s, GFP_KERNEL);
			else if (i == 3)
				ok = kmalloc_size_roundup(9) == 16;
			else if (i == 4)
				ok = (kfree(NULL), ksize(NULL)) == 0;
			else
				ok = kmalloc_node(opaque(100UL), GFP_KERNEL, 0) != NULL;
			_exit(!ok);
		}
		waitpid(pid, &status, 0);
		KUNIT_EXPECT_EQ(test, status, 0, "first call number %d", i);
	}
}

KUNIT_TEST(boot_says_its_geometry_in_one_line)
{
	char want[160];
	const char *line;

	options("loglevel=7 slab_nr_cpus=6");
	listen();
	kfree(kmalloc(64, GFP_KERNEL));
	listen_no_more();
	snprintf(want, sizeof(want),
		 "SLUB: HWalign=64, Order=0-3, MinObjects=0, CPUs=6, Nodes=%u\n", nr_node_ids);
	line = strstr(said, "SLUB: ");
	KUNIT_ASSERT_NOT_NULL(test, line);
	KUNIT_EXPECT_EQ(test, strncmp(line, want, strlen(want)), 0);
	KUNIT_EXPECT_NULL(test, strstr(line + 1, "SLUB: "));
}
