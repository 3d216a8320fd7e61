/* SPDX-License-Identifier: MIT */
/*
 * test_kmalloc_calls.c - what the calls of the kmalloc family promise
 */

#include "slab_test.h"

#include <errno.h>
#include <signal.h>

#include <slabwork/rcupdate.h>
#include <slabwork/vmalloc.h>

/* ---- kmalloc and kfree ---- */

KUNIT_TEST(kmalloc_of_zero_bytes_is_zero_size_ptr_which_all_calls_accept)
{
	void *p = kmalloc(opaque(0UL), GFP_KERNEL);

	KUNIT_EXPECT_PTR_EQ(test, p, (void *)16);
	KUNIT_EXPECT_PTR_EQ(test, kmalloc(0, GFP_KERNEL), (void *)16);
	KUNIT_EXPECT_PTR_EQ(test, kzalloc(opaque(0UL), GFP_ATOMIC), (void *)16);
	KUNIT_EXPECT_TRUE(test, ZERO_OR_NULL_PTR(p));
	KUNIT_EXPECT_TRUE(test, ZERO_OR_NULL_PTR(NULL));
	KUNIT_EXPECT_FALSE(test, ZERO_OR_NULL_PTR((void *)17));
	KUNIT_EXPECT_EQ(test, ksize(p), 0);
	kfree(p);
	kfree_sensitive(p);
	p = krealloc(p, 10, GFP_KERNEL);
	KUNIT_EXPECT_FALSE(test, ZERO_OR_NULL_PTR(p));
	KUNIT_EXPECT_EQ(test, ksize(p), 16);
	kfree(p);
}

KUNIT_TEST(touching_zero_size_ptr_faults, .signal = SIGSEGV)
{
	*(volatile char *)kmalloc(opaque(0UL), GFP_KERNEL) = 1;
}

TEST_IN_BOTH_MODES(kfree_null_is_a_no_op)
{
	kfree(NULL);
	kfree(kmalloc(100, GFP_KERNEL));
	kfree(NULL);
	KUNIT_EXPECT_EQ(test, ksize(NULL), 0);
}

TEST_IN_BOTH_MODES(the_first_object_of_a_class_makes_one_slab)
{
	struct kmem_cache *s;
	struct slabinfo before, after;
	void *p;

	kfree(kmalloc(64, GFP_KERNEL));
	s = kmem_cache_create("fresh", 200, 0, 0, NULL);
	KUNIT_ASSERT_NOT_NULL(test, s);
	get_slabinfo(s, &before);
	KUNIT_EXPECT_EQ(test, before.num_slabs, 0);
	KUNIT_EXPECT_EQ(test, before.num_objs, 0);
	p = kmem_cache_alloc(s, GFP_KERNEL);
	get_slabinfo(s, &after);
	KUNIT_EXPECT_EQ(test, after.num_slabs, 1);
	KUNIT_EXPECT_EQ(test, after.num_objs, after.objects_per_slab);
	KUNIT_EXPECT_EQ(test, after.active_objs, 1);
	kmem_cache_free(s, p);
	KUNIT_EXPECT_EQ(test, live_objects(s), 0);
	kmem_cache_destroy(s);
}

TEST_IN_BOTH_MODES(kfree_finds_the_owner_of_every_kind_from_the_address_alone)
{
	static void *p[64];
	struct kmem_cache *s;
	unsigned int n = 0;

	kfree(kmalloc(64, GFP_KERNEL));
	s = kmem_cache_create("owned", 72, 0, 0, NULL);
	for (unsigned int i = 0; i < 13; i++) {
		size_t size = i == 1 ? 96 : i == 2 ? 192 : 8UL << i;

		p[n++] = kmalloc(opaque(size), GFP_KERNEL);
		p[n++] = kmalloc(opaque(size), GFP_KERNEL | __GFP_RECLAIMABLE);
		p[n++] = kmalloc(opaque(size), GFP_KERNEL_ACCOUNT);
	}
	p[n++] = kmem_cache_alloc(s, GFP_KERNEL);
	p[n++] = kmalloc(opaque(100000UL), GFP_KERNEL);
	p[n++] = kmalloc(opaque(4UL << 20), GFP_KERNEL);
	for (unsigned int i = 0; i < n; i++)
		KUNIT_ASSERT_NOT_NULL(test, p[i]);
	KUNIT_EXPECT_EQ(test, live_objects(s), 1);
	for (unsigned int i = 0; i < n; i++)
		kfree(p[i]);
	KUNIT_EXPECT_EQ(test, live_objects(s), 0);
	KUNIT_EXPECT_EQ(test, validate_all(), 0);
	kmem_cache_destroy(s);
}

TEST_IN_BOTH_MODES(zeroed_memory_is_zero_wherever_it_comes_from)
{
	for (size_t n = 1; n <= 40000; n = n * 3 / 2 + 1) {
		void *p = kmalloc(opaque(n), GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, p);
		memset(p, 0xa5, ksize(p));
		kfree(p);
		p = kzalloc(opaque(n), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_TRUE(test, all_bytes(p, 0, n), "kzalloc of %zu", n);
		memset(p, 0xa5, n);
		kfree(p);
		p = kcalloc(opaque(n), 1, GFP_ATOMIC);
		KUNIT_EXPECT_TRUE(test, p && all_bytes(p, 0, n), "kcalloc of %zu", n);
		kfree(p);
	}
	for (int i = 0; i < 200; i++) {
		void *p = kmalloc(64, GFP_KERNEL);

		memset(p, 0xff, 64);
		kfree(p);
		p = kzalloc(64, GFP_KERNEL);
		KUNIT_EXPECT_TRUE(test, all_bytes(p, 0, 64));
		kfree(p);
	}
}

KUNIT_TEST(array_forms_are_null_without_a_word_when_the_product_overflows)
{
	void *keep = kmalloc(32, GFP_KERNEL);

	listen();
	KUNIT_EXPECT_NULL(test, kmalloc_array(opaque(SIZE_MAX / 2), 3, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, kcalloc(opaque(SIZE_MAX), opaque(SIZE_MAX), GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, kmalloc_array_node(opaque(SIZE_MAX / 2), 3, GFP_KERNEL, 0));
	KUNIT_EXPECT_NULL(test, kcalloc_node(opaque(SIZE_MAX / 2), 3, GFP_KERNEL, 0));
	KUNIT_EXPECT_NULL(test, krealloc_array(keep, opaque(SIZE_MAX / 2), 3, GFP_KERNEL));
	KUNIT_EXPECT_STREQ(test, said, "");
	listen_no_more();
	KUNIT_EXPECT_EQ(test, ksize(keep), 32); /* still there */
	KUNIT_EXPECT_PTR_EQ(test, kmalloc_array(opaque(0UL), 8, GFP_KERNEL), ZERO_SIZE_PTR);
	kfree(keep);
}

KUNIT_TEST(highmem_and_dma32_are_warned_about_and_dropped)
{
	static const gfp_t bad[] = { __GFP_HIGHMEM, __GFP_DMA32, 1u << 30 };

	for (int i = 0; i < 3; i++) {
		void *p, *q;

		kfree(kmalloc(64, GFP_KERNEL));
		listen();
		p = kmalloc(opaque(64UL), GFP_KERNEL | bad[i]);
		listen_no_more();
		KUNIT_EXPECT_STREQ(test, owner_name(p), "kmalloc-64");
		KUNIT_EXPECT_EQ(test, strncmp(said, "Unexpected gfp: 0x", 18), 0, "%s", said);
		KUNIT_EXPECT_NOT_NULL(test, strstr(said, "Fixing up to gfp: 0xcc0"));
		KUNIT_EXPECT_NOT_NULL(test, strstr(said, "Fix your code!\n"));
		listen();
		q = kmalloc(64, GFP_KERNEL | bad[i]);
		listen_no_more();
		KUNIT_EXPECT_EQ(test, strncmp(said, "Unexpected gfp: 0x", 18), 0);
		KUNIT_EXPECT_STREQ(test, owner_name(q), "kmalloc-64");
		kfree(p);
		kfree(q);
	}
}

KUNIT_TEST(slabs_are_physically_contiguous_and_areas_need_not_be)
{
	char *p = kmalloc(opaque(3UL << 20), GFP_KERNEL), *v = vmalloc(64 * PAGE_SIZE);

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_ASSERT_NOT_NULL(test, v);
	for (size_t off = 0; off < 3UL << 20; off += 1000)
		KUNIT_EXPECT_EQ(test, virt_to_phys(p + off), virt_to_phys(p) + off);
	KUNIT_EXPECT_FALSE(test, is_vmalloc_addr(p));
	KUNIT_EXPECT_TRUE(test, is_vmalloc_addr(v));
	KUNIT_EXPECT_TRUE(test, is_vmalloc_addr(v + 64 * PAGE_SIZE - 1));
	KUNIT_EXPECT_TRUE(test, virt_addr_valid(p));
	KUNIT_EXPECT_FALSE(test, virt_addr_valid(v));
	kfree(p);
	vfree(v);
}

KUNIT_TEST(dma_memory_comes_from_zone_dma_and_from_nowhere_else)
{
	static void *p[1 << 16];
	unsigned int n = 0;

	/* 8 KiB at a time until the zone is empty: nothing may come from above it. */
	options("mem=64M");
	for (; n < 1 << 16; n++) {
		p[n] = kmalloc(opaque(8192UL), GFP_DMA | __GFP_NOWARN);
		if (!p[n])
			break;
		KUNIT_EXPECT_EQ(test, page_zonenum(virt_to_page(p[n])), ZONE_DMA);
		KUNIT_EXPECT_EQ(test, (uint64_t)virt_to_phys(p[n]) >> 32, 0);
	}
	KUNIT_EXPECT_GT(test, n, 0);
	KUNIT_EXPECT_LT(test, n, 1 << 16);
	p[n] = kmalloc(opaque(8192UL), GFP_KERNEL); /* while others still get theirs */
	KUNIT_EXPECT_NOT_NULL(test, p[n]);
	for (unsigned int i = 0; i <= n; i++)
		kfree(p[i]);
	KUNIT_EXPECT_EQ(test, validate_all(), 0);
}

/* ---- resizing ---- */

TEST_IN_BOTH_MODES(krealloc_keeps_contents_and_moves_only_when_it_must)
{
	char *p = krealloc(NULL, 10, GFP_KERNEL), *q;

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_STREQ(test, owner_name(p), "kmalloc-16");
	memset(p, 'x', 10);
	q = krealloc(p, 16, GFP_KERNEL);
	KUNIT_EXPECT_PTR_EQ(test, q, p);
	q = krealloc(q, 1, GFP_KERNEL);
	KUNIT_EXPECT_PTR_EQ(test, q, p);
	for (size_t n = 17; n <= 1 << 20; n = n * 2 + 1) {
		size_t had = ksize(q);

		memset(q, (int)(n & 0x7f), had);
		q = krealloc(q, n, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, q);
		KUNIT_EXPECT_TRUE(test, all_bytes(q, (unsigned char)(n & 0x7f), had));
		KUNIT_EXPECT_GE(test, ksize(q), n);
	}
	q = krealloc(q, 0, GFP_KERNEL);
	KUNIT_EXPECT_PTR_EQ(test, q, ZERO_SIZE_PTR);
	KUNIT_EXPECT_EQ(test, validate_all(), 0);
}

KUNIT_TEST(krealloc_that_cannot_grow_keeps_the_old_block)
{
	char *p = kmalloc(100, GFP_KERNEL);

	memset(p, 7, 100);
	KUNIT_EXPECT_NULL(test, krealloc(p, opaque(5UL << 20), GFP_KERNEL | __GFP_NOWARN));
	KUNIT_EXPECT_TRUE(test, all_bytes(p, 7, 100));
	KUNIT_EXPECT_EQ(test, ksize(p), 128);
	kfree(p);
}

KUNIT_TEST(krealloc_with_zero_zeroes_what_a_new_block_adds)
{
	unsigned char *p = kmalloc(opaque(64UL), GFP_KERNEL);

	memset(p, 0xee, 64);
	p = krealloc(p, 1000, GFP_KERNEL | __GFP_ZERO);
	KUNIT_EXPECT_TRUE(test, all_bytes(p, 0xee, 64));
	KUNIT_EXPECT_TRUE(test, all_bytes(p + 64, 0, 1000 - 64));
	kfree(p);
}

KUNIT_TEST(__krealloc_never_frees_the_old_block)
{
	char *p = kmalloc(opaque(32UL), GFP_KERNEL), *q;

	memset(p, 3, 32);
	q = __krealloc(p, 100, GFP_KERNEL);
	KUNIT_EXPECT_PTR_NE(test, q, p);
	KUNIT_EXPECT_EQ(test, ksize(p), 32);
	KUNIT_EXPECT_TRUE(test, all_bytes(q, 3, 32));
	kfree(p);
	kfree(q);
}

KUNIT_TEST(ksize_is_the_class_and_roundup_says_it_before)
{
	for (size_t n = 1; n <= 100000; n = n + 1 + n / 7) {
		void *p = kmalloc(opaque(n), GFP_KERNEL);

		KUNIT_EXPECT_EQ(test, ksize(p), kmalloc_size_roundup(n));
		memset(p, 1, ksize(p));
		kfree(p);
	}
	KUNIT_EXPECT_EQ(test, validate_all(), 0);
}

KUNIT_TEST(kfree_sensitive_wipes_the_whole_class)
{
	struct kmem_cache *s;
	unsigned char *p = kmalloc(opaque(100UL), GFP_KERNEL), *same;

	memset(p, 0x77, 128);
	s = owner_of(p);
	kfree_sensitive(p);
	same = kmem_cache_alloc(s, GFP_KERNEL); /* the CPU's stock is last in, first out */
	if (same != p)
		kunit_skip(test, "the thread moved to another CPU");
	KUNIT_EXPECT_TRUE(test, all_bytes(same, 0, 128));
	kmem_cache_free(s, same);
	kfree_sensitive(NULL);
	p = kmalloc(opaque(20000UL), GFP_KERNEL);
	kfree_sensitive(p);
}

/* ---- typed allocation ---- */

struct thing {
	long a, b;
	char name[20];
};
struct with_tail {
	int n;
	long tail[];
};

KUNIT_TEST(typed_forms_give_the_type_its_size_and_zero)
{
	struct thing *one = kmalloc_obj(*one), *zero = kzalloc_obj(struct thing, GFP_ATOMIC);
	struct thing *many = kmalloc_objs(*many, 10), *zeros = kzalloc_objs(*zeros, 10, GFP_KERNEL);
	struct with_tail *flex = kmalloc_flex(*flex, tail, 5);
	struct with_tail *zflex = kzalloc_flex(*zflex, tail, 100, GFP_NOWAIT);

	KUNIT_EXPECT_EQ(test, ksize(one), kmalloc_size_roundup(sizeof(struct thing)));
	KUNIT_EXPECT_EQ(test, ksize(many), kmalloc_size_roundup(10 * sizeof(struct thing)));
	KUNIT_EXPECT_TRUE(test, all_bytes(zero, 0, sizeof(*zero)));
	KUNIT_EXPECT_TRUE(test, all_bytes(zeros, 0, 10 * sizeof(*zeros)));
	KUNIT_EXPECT_EQ(test, ksize(flex),
			kmalloc_size_roundup(sizeof(struct with_tail) + 5 * sizeof(long)));
	KUNIT_EXPECT_TRUE(test, all_bytes(zflex, 0, sizeof(struct with_tail) + 100 * sizeof(long)));
	kfree(one), kfree(zero), kfree(many), kfree(zeros), kfree(flex), kfree(zflex);
	listen();
	many = kmalloc_objs(*many, opaque(SIZE_MAX / 16));
	KUNIT_EXPECT_NULL(test, many);
	flex = kmalloc_flex(*flex, tail, opaque(SIZE_MAX / 8));
	KUNIT_EXPECT_NULL(test, flex);
	flex = kzalloc_flex(*flex, tail, opaque(SIZE_MAX));
	KUNIT_EXPECT_NULL(test, flex);
	KUNIT_EXPECT_STREQ(test, said, "");
	listen_no_more();
}

/* ---- any context ---- */

TEST_IN_BOTH_MODES(kmalloc_nolock_gives_and_takes_back_and_zeroes)
{
	for (size_t n = 1; n <= 8192; n = n * 2 + 1) {
		unsigned char *p = kmalloc_nolock(n, __GFP_ZERO, NUMA_NO_NODE);

		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_TRUE(test, all_bytes(p, 0, n));
		memset(p, 0xff, n);
		kfree_nolock(p);
	}
	kfree_nolock(NULL);
	kfree(kmalloc_nolock(100, 0, NUMA_NO_NODE));
	KUNIT_EXPECT_PTR_EQ(test, kmalloc_nolock(opaque(0UL), 0, NUMA_NO_NODE), ZERO_SIZE_PTR);
	KUNIT_EXPECT_EQ(test, validate_all(), 0);
}

KUNIT_TEST(kmalloc_nolock_with_another_flag_warns_once)
{
	kfree(kmalloc(64, GFP_KERNEL));
	listen();
	kfree(kmalloc_nolock(64, GFP_KERNEL, NUMA_NO_NODE));
	KUNIT_EXPECT_NOT_NULL(test, strstr(said, "WARNING"));
	listen();
	kfree(kmalloc_nolock(64, GFP_KERNEL, NUMA_NO_NODE));
	KUNIT_EXPECT_STREQ(test, said, "");
	listen_no_more();
}

KUNIT_TEST(node_forms_take_no_node_and_the_only_node)
{
	void *p[] = { kmalloc_node(opaque(100UL), GFP_KERNEL, NUMA_NO_NODE),
		      kmalloc_node(opaque(100UL), GFP_KERNEL, 0),
		      kzalloc_node(opaque(100UL), GFP_KERNEL, 0),
		      kcalloc_node(opaque(10UL), 10, GFP_KERNEL, 0),
		      kmalloc_node(opaque(100000UL), GFP_KERNEL, 0),
		      kmalloc_track_caller(opaque(100UL), GFP_KERNEL),
		      kmalloc_node_track_caller(opaque(100UL), GFP_KERNEL, 0) };

	for (unsigned int i = 0; i < sizeof(p) / sizeof(p[0]); i++) {
		KUNIT_EXPECT_NOT_NULL(test, p[i], "%u", i);
		if (p[i])
			KUNIT_EXPECT_EQ(test, page_to_nid(virt_to_page(p[i])), 0);
		kfree(p[i]);
	}
}

KUNIT_TEST(a_node_that_is_asked_for_is_the_node_that_is_got)
{
	options("numa=fake=2");
	for (int node = 0; node < 2; node++) {
		for (size_t n = 8; n <= 16384; n *= 2) {
			void *p = kmalloc_node(opaque(n), GFP_KERNEL, node);

			KUNIT_ASSERT_NOT_NULL(test, p);
			KUNIT_EXPECT_EQ(test, page_to_nid(virt_to_page(p)), node, "size %zu", n);
			kfree(p);
		}
	}
	KUNIT_EXPECT_EQ(test, validate_all(), 0);
}

/* ---- buckets, bulk, rcu, scope ---- */

KUNIT_TEST(kmem_buckets_are_caches_of_ones_own_for_each_class)
{
	struct kmem_buckets *b;
	struct kmem_cache *s;
	void *p;

	b = kmem_buckets_create("mine", SLAB_ACCOUNT, 0, 100, NULL);
	KUNIT_ASSERT_NOT_NULL(test, b);
	KUNIT_ASSERT_NOT_NULL(test, s = cache_named("mine-64"));
	KUNIT_EXPECT_EQ(test, s->usersize, 64);
	KUNIT_ASSERT_NOT_NULL(test, s = cache_named("mine-8k"));
	KUNIT_EXPECT_EQ(test, s->usersize, 100);
	for (size_t n = 1; n <= 8192; n++) {
		p = kmem_buckets_alloc(b, n, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_EQ(test, strncmp(owner_name(p), "mine-", 5), 0);
		KUNIT_EXPECT_EQ(test, ksize(p), kmalloc_size_roundup(n));
		kfree(p);
	}
	p = kmem_buckets_alloc(b, 10000, GFP_KERNEL);
	KUNIT_EXPECT_NULL(test, owner_of(p));
	kfree(p);
	KUNIT_EXPECT_PTR_EQ(test, kmem_buckets_alloc(b, 0, GFP_KERNEL), ZERO_SIZE_PTR);
}

TEST_IN_BOTH_MODES(kfree_bulk_takes_objects_of_different_kinds)
{
	void *p[40];

	for (int round = 0; round < 20; round++) {
		for (unsigned int i = 0; i < 40; i++) {
			p[i] = kmalloc(opaque((size_t)i * i * 11 + 1), GFP_KERNEL);
			KUNIT_ASSERT_NOT_NULL(test, p[i]);
		}
		kfree_bulk(40, p);
	}
	for (int i = 0; i < 13; i++)
		if (kmalloc_caches[KMALLOC_NORMAL][i + 1])
			KUNIT_EXPECT_EQ(test, live_objects(kmalloc_caches[KMALLOC_NORMAL][8]), 0);
	KUNIT_EXPECT_EQ(test, validate_all(), 0);
}

struct rcu_thing {
	char before[40];
	struct rcu_head rcu;
	char after[40];
};

KUNIT_TEST(kfree_rcu_frees_after_the_readers_and_not_before)
{
	struct kmem_cache *s = kmem_cache_create("rcu_thing", sizeof(struct rcu_thing), 0, 0, NULL);
	struct rcu_thing *p = kmem_cache_alloc(s, GFP_KERNEL), *q, *null = NULL;

	q = kmalloc(opaque(sizeof(*q) + 20000), GFP_KERNEL);
	rcu_read_lock();
	kfree_rcu(p, rcu);
	kfree_rcu(q, rcu);
	kfree_rcu(null, rcu);
	for (int i = 0; i < 2000; i++)
		kfree(kmalloc(opaque(100UL), GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, live_objects(s), 1);
	rcu_read_unlock();
	kvfree_rcu_barrier();
	KUNIT_EXPECT_EQ(test, live_objects(s), 0);
	kfree_rcu_mightsleep(kmem_cache_alloc(s, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, live_objects(s), 0);
	p = kmem_cache_alloc(s, GFP_KERNEL);
	kfree_rcu(p, rcu);
	kmem_cache_destroy(s); /* waits for it, and finds nothing alive */
	KUNIT_EXPECT_NULL(test, cache_named("rcu_thing"));
}

static void *kept_or_not(struct kmem_cache *s, bool keep)
{
	void *p __free(kfree) = kmem_cache_alloc(s, GFP_KERNEL);

	if (keep)
		return_ptr(p);
	return NULL;
}

KUNIT_TEST(free_at_the_end_of_a_scope_unless_the_pointer_is_taken)
{
	struct kmem_cache *s = kmem_cache_create("scope", 100, 0, 0, NULL);
	void *p;

	KUNIT_EXPECT_NULL(test, kept_or_not(s, false));
	KUNIT_EXPECT_EQ(test, live_objects(s), 0);
	p = kept_or_not(s, true);
	KUNIT_EXPECT_EQ(test, live_objects(s), 1);
	kfree(p);
	KUNIT_EXPECT_EQ(test, live_objects(s), 0);
	kmem_cache_destroy(s);
}

KUNIT_TEST(kmem_dump_obj_says_what_a_pointer_is)
{
	struct kmem_cache *s = kmem_cache_create("dumped", 120, 0, 0, NULL);
	char *p = kmem_cache_alloc(s, GFP_KERNEL), want[200];

	listen();
	KUNIT_EXPECT_TRUE(test, kmem_dump_obj(p + 24));
	snprintf(want, sizeof(want), " slab dumped start %#lx pointer offset 24 size 120\n",
		 (unsigned long)p);
	KUNIT_EXPECT_STREQ(test, said, want);
	KUNIT_EXPECT_FALSE(test, kmem_dump_obj(&s));
	listen();
	mem_dump_obj(NULL);
	KUNIT_EXPECT_STREQ(test, said, " NULL pointer.\n");
	listen();
	mem_dump_obj(ZERO_SIZE_PTR);
	KUNIT_EXPECT_STREQ(test, said, " zero-size pointer.\n");
	listen();
	mem_dump_obj(&p);
	KUNIT_EXPECT_STREQ(test, said, " non-paged memory.\n");
	listen_no_more();
	kmem_cache_free(s, p);
	kmem_cache_destroy(s);
}

KUNIT_TEST(errno_is_never_touched)
{
	void *p[64];

	errno = 77;
	for (int i = 0; i < 64; i++)
		p[i] = kmalloc(opaque(1UL << (i % 22)), GFP_KERNEL | __GFP_NOWARN);
	for (int i = 0; i < 64; i++)
		kfree(p[i]);
	(void)!kmalloc(opaque(1UL << 40), GFP_KERNEL | __GFP_NOWARN);
	sw_trim(0);
	KUNIT_EXPECT_EQ(test, errno, 77);
}
