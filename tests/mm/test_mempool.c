/* SPDX-License-Identifier: MIT */
/* test_mempool.c - elements put aside */

#include <kunit/test.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include <slabwork/mempool.h>
#include <slabwork/mm.h>
#include <slabwork/slab.h>

#include "kernel/printk.h"
#include "kernel/wait.h"
#include "os/os.h"

/* An allocator that can be told to fail, and counts. */
static _Atomic int fail, live, calls;
static _Atomic gfp_t first_gfp, last_gfp;

static void *counted_alloc(gfp_t gfp, void *data)
{
	void *element;

	if (!calls++)
		first_gfp = gfp;
	last_gfp = gfp;
	element = fail ? NULL : kmalloc((size_t)data, gfp & ~(gfp_t)__GFP_NOMEMALLOC);
	live += element != NULL;
	return element;
}

static void counted_free(void *element, void *data)
{
	(void)data;
	live--;
	kfree(element);
}

static mempool_t *counted_pool(int min_nr)
{
	return mempool_create(min_nr, counted_alloc, counted_free, (void *)64);
}

KUNIT_TEST(a_pool_is_full_when_made_and_empty_when_gone)
{
	mempool_t *pool = counted_pool(5);

	KUNIT_ASSERT_NOT_NULL(test, pool);
	KUNIT_EXPECT_EQ(test, live, 5);
	KUNIT_EXPECT_TRUE(test, mempool_is_saturated(pool));
	mempool_destroy(pool);
	KUNIT_EXPECT_EQ(test, live, 0);
	mempool_destroy(NULL);
}

KUNIT_TEST(a_pool_that_cannot_be_filled_is_not_made)
{
	fail = 1;
	KUNIT_EXPECT_NULL(test, counted_pool(5));
	KUNIT_EXPECT_EQ(test, live, 0);
}

KUNIT_TEST(the_reserve_is_used_only_when_the_allocator_fails)
{
	mempool_t *pool = counted_pool(2);
	void *a = mempool_alloc(pool, GFP_KERNEL), *b, *c;

	KUNIT_EXPECT_EQ(test, pool->curr_nr, 2);
	fail = 1;
	b = mempool_alloc(pool, GFP_ATOMIC);
	c = mempool_alloc(pool, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, b);
	KUNIT_EXPECT_NOT_NULL(test, c);
	KUNIT_EXPECT_EQ(test, pool->curr_nr, 0);
	KUNIT_EXPECT_NULL(test, mempool_alloc(pool, GFP_ATOMIC), "atomic does not wait");
	KUNIT_EXPECT_NULL(test, mempool_alloc_preallocated(pool));
	mempool_free(a, pool);
	KUNIT_EXPECT_EQ(test, pool->curr_nr, 1, "what is freed fills the reserve first");
	KUNIT_EXPECT_PTR_EQ(test, mempool_alloc_preallocated(pool), a);
	mempool_free(a, pool);
	mempool_free(b, pool);
	mempool_free(c, pool);
	mempool_free(NULL, pool);
	KUNIT_EXPECT_EQ(test, pool->curr_nr, 2);
	KUNIT_EXPECT_EQ(test, live, 2, "what is more goes to the allocator");
	mempool_destroy(pool);
}

KUNIT_TEST(the_first_try_neither_sleeps_nor_does_io)
{
	mempool_t *pool = counted_pool(1);

	calls = 0;
	fail = 1;
	mempool_free(mempool_alloc(pool, GFP_KERNEL), pool);
	KUNIT_EXPECT_EQ(test, first_gfp & (__GFP_DIRECT_RECLAIM | __GFP_IO), 0);
	KUNIT_EXPECT_EQ(test, first_gfp & (__GFP_NOMEMALLOC | __GFP_NORETRY | __GFP_NOWARN),
			__GFP_NOMEMALLOC | __GFP_NORETRY | __GFP_NOWARN);
	KUNIT_EXPECT_EQ(test, calls, 1, "then the reserve, before anybody sleeps");
	mempool_destroy(pool);
}

static mempool_t *shared;

static void *wait_for_element(void *arg)
{
	(void)arg;
	return mempool_alloc(shared, GFP_KERNEL);
}

KUNIT_TEST(who_may_sleep_waits_for_a_free)
{
	void *element, *got;
	pthread_t thread;
	uint64_t freed_ns;

	shared = counted_pool(1);
	element = mempool_alloc_preallocated(shared);
	fail = 1;
	calls = 0;
	pthread_create(&thread, NULL, wait_for_element, NULL);
	while (!wait_active((wait_queue_head_t *)shared->wait))
		sched_yield();
	KUNIT_EXPECT_EQ(test, calls, 2);
	KUNIT_EXPECT_TRUE(test, last_gfp & __GFP_DIRECT_RECLAIM);
	freed_ns = os_now_ns();
	mempool_free(element, shared);
	pthread_join(thread, &got);
	KUNIT_EXPECT_PTR_EQ(test, got, element);
	/* Without a wake-up it would look again after 5 s only. */
	KUNIT_EXPECT_LT(test, os_now_ns() - freed_ns, 3000000000ULL);
}

KUNIT_TEST(resize_fills_and_drains)
{
	mempool_t *pool = counted_pool(3);

	KUNIT_EXPECT_EQ(test, mempool_resize(pool, 10), 0);
	KUNIT_EXPECT_EQ(test, pool->curr_nr, 10);
	KUNIT_EXPECT_EQ(test, live, 10);
	KUNIT_EXPECT_EQ(test, mempool_resize(pool, 1), 0);
	KUNIT_EXPECT_EQ(test, live, 1);
	fail = 1;
	KUNIT_EXPECT_EQ(test, mempool_resize(pool, 4), 0, "it fills up later");
	KUNIT_EXPECT_FALSE(test, mempool_is_saturated(pool));
	fail = 0;
	for (int i = 0; i < 3; i++)
		mempool_free(counted_alloc(GFP_KERNEL, (void *)64), pool);
	KUNIT_EXPECT_TRUE(test, mempool_is_saturated(pool));
	mempool_destroy(pool);
	KUNIT_EXPECT_EQ(test, live, 0);
}

static char said[2000];

static void hear(const char *text, unsigned long len)
{
	size_t at = strlen(said);

	if (at + len < sizeof(said)) {
		memcpy(said + at, text, len);
		said[at + len] = '\0';
	}
}

KUNIT_TEST(zeroed_elements_cannot_be_asked_for)
{
	mempool_t *pool = counted_pool(1);

	printk_sink = hear;
	mempool_free(mempool_alloc(pool, GFP_KERNEL | __GFP_ZERO), pool);
	KUNIT_EXPECT_NOT_NULL(test, strstr(said, "WARNING"));
	KUNIT_EXPECT_EQ(test, last_gfp & __GFP_ZERO, 0);
}

KUNIT_TEST(ready_made_pools_give_what_they_say)
{
	struct kmem_cache *cache = kmem_cache_create("pooled", 48, 0, 0, NULL);
	mempool_t slab, small, large, pages;
	void *p;

	KUNIT_ASSERT_EQ(test, mempool_init_slab_pool(&slab, 4, cache), 0);
	KUNIT_ASSERT_EQ(test, mempool_init_kmalloc_pool(&small, 4, 100), 0);
	KUNIT_ASSERT_EQ(test, mempool_init_kvmalloc_pool(&large, 1, 5 << 20), 0);
	KUNIT_ASSERT_EQ(test, mempool_init_page_pool(&pages, 2, 1), 0);
	p = mempool_alloc(&slab, GFP_KERNEL);
	memset(p, 1, 48);
	mempool_free(p, &slab);
	p = mempool_alloc(&small, GFP_KERNEL);
	KUNIT_EXPECT_GE(test, ksize(p), 100);
	mempool_free(p, &small);
	p = mempool_alloc(&large, GFP_KERNEL);
	memset(p, 1, 5 << 20);
	mempool_free(p, &large);
	p = mempool_alloc(&pages, GFP_KERNEL);
	memset(page_address(p), 1, 2 * PAGE_SIZE);
	mempool_free(p, &pages);
	mempool_exit(&slab);
	mempool_exit(&small);
	mempool_exit(&large);
	mempool_exit(&pages);
	mempool_exit(&pages);
	KUNIT_EXPECT_FALSE(test, mempool_initialized(&slab));
	kmem_cache_destroy(cache);
}

KUNIT_TEST(a_write_to_an_element_put_aside_is_reported)
{
	struct kmem_cache *cache = kmem_cache_create("poisoned", 64, 0, SLAB_POISON, NULL);
	mempool_t *pool = mempool_create_slab_pool(1, cache);
	char *element = mempool_alloc_preallocated(pool);

	mempool_free(element, pool);
	element[20] = 1;
	printk_sink = hear;
	KUNIT_EXPECT_PTR_EQ(test, mempool_alloc_preallocated(pool), element);
	KUNIT_EXPECT_NOT_NULL(test, strstr(said, "BUG: mempool element poison mismatch"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(said, "byte 20 is 0x01"));
}

static void *pool_churn(void *arg)
{
	void *held[8] = { 0 };
	unsigned int seed = (unsigned int)(uintptr_t)arg;

	for (int i = 0; i < 50000; i++) {
		int n = i % 8;

		if (held[n]) {
			if (*(void **)held[n] != arg)
				return (void *)1;
			mempool_free(held[n], shared);
		}
		fail = i % 3 == 0;
		held[n] = mempool_alloc(shared, GFP_ATOMIC);
		if (held[n])
			*(void **)held[n] = arg;
		if (!(seed = seed * 1103515245u + 12345u))
			sched_yield();
	}
	for (int n = 0; n < 8; n++)
		mempool_free(held[n], shared);
	return NULL;
}

KUNIT_TEST(threads_share_a_pool)
{
	pthread_t thread[4];
	void *result;

	shared = counted_pool(16);
	for (uintptr_t i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, pool_churn, (void *)(i + 1));
	for (int i = 0; i < 4; i++) {
		pthread_join(thread[i], &result);
		KUNIT_EXPECT_NULL(test, result);
	}
	KUNIT_EXPECT_EQ(test, shared->curr_nr, 16);
	KUNIT_EXPECT_EQ(test, live, 16);
	mempool_destroy(shared);
	KUNIT_EXPECT_EQ(test, live, 0);
}
