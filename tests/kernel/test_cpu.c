/* SPDX-License-Identifier: MIT */
/* test_cpu.c - CPU ids with and without rseq. Room under test: kernel. */

#include <pthread.h>
#include <stdlib.h>
#include <kunit/test.h>

#include "kernel/cpu.h"
#include "kernel/param.h"
#include "os/os.h"

#define THREADS 16

static char *thread_pointer(void)
{
#if defined(__x86_64__)
	char *tp;

	__asm__("mov %%fs:0, %0" : "=r"(tp));
	return tp;
#else
	return __builtin_thread_pointer();
#endif
}

/* What an inline fast path would index with. */
static uint32_t fast_id(void)
{
	return *(volatile uint32_t *)(thread_pointer() + cpu_id_offset);
}

static int32_t area_cpu_id(void)
{
	return *(volatile int32_t *)(thread_pointer() + cpu_rseq_offset + 4);
}

static void boot(const char *options)
{
	setenv("SLABWORK", options, 1);
	params_parse();
	cpu_init();
}

static void *bad_ids_in_thread(void *arg)
{
	long bad = 0;

	for (int i = 0; i < 20000; i++) {
		unsigned int cid = cpu_cid();

		bad += cid >= cpu_nr_cids();
		if (cpu_rseq_ok)
			bad += fast_id() >= cpu_nr_cids() || area_cpu_id() < 0;
		else
			bad += cid == 0 || fast_id() != 0 || area_cpu_id() >= 0;
	}
	*(long *)arg = bad;
	return NULL;
}

static void expect_good_ids(struct kunit *test)
{
	pthread_t threads[THREADS];
	long bad[THREADS];

	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, bad_ids_in_thread, &bad[i]);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		KUNIT_EXPECT_EQ(test, bad[i], 0L);
	}
}

KUNIT_TEST(with_rseq_ids_are_below_the_number_of_possible_cpus)
{
	boot("");
	if (!cpu_rseq_ok)
		kunit_skip(test, "no rseq here");
	KUNIT_EXPECT_EQ(test, cpu_nr_cids(), os_nr_possible_cpus());
	expect_good_ids(test);
	KUNIT_EXPECT_EQ(test, cpu_rseq_barrier(), 0);
	KUNIT_EXPECT_EQ(test, cpu_rseq_barrier(), 0);
}

KUNIT_TEST(with_rseq_off_fast_paths_see_the_null_cpu_and_real_ids_start_at_one)
{
	boot("rseq=off");
	KUNIT_EXPECT_FALSE(test, cpu_rseq_ok);
	KUNIT_EXPECT_EQ(test, cpu_nr_cids(), os_nr_possible_cpus() + 1);
	KUNIT_EXPECT_EQ(test, fast_id(), 0u);
	expect_good_ids(test);
	KUNIT_EXPECT_EQ(test, cpu_rseq_barrier(), 0);
}

static void *cid_of_thread(void *arg)
{
	unsigned int first = cpu_cid();

	*(unsigned int *)arg = first == cpu_cid() ? first : 0;
	return NULL;
}

KUNIT_TEST(without_rseq_threads_are_dealt_evenly_and_keep_their_id)
{
	unsigned int seen[1024] = { 0 }, nr;

	boot("rseq=off");
	nr = cpu_nr_cids() - 1;
	for (unsigned int i = 0; i < 3 * nr; i++) {
		pthread_t thread;
		unsigned int cid = 0;

		pthread_create(&thread, NULL, cid_of_thread, &cid);
		pthread_join(thread, NULL);
		KUNIT_ASSERT_TRUE(test, cid >= 1 && cid <= nr);
		seen[cid]++;
	}
	for (unsigned int cid = 1; cid <= nr; cid++)
		KUNIT_EXPECT_EQ(test, seen[cid], 3u);
}

KUNIT_TEST(nodes_are_in_range_and_fake_ones_are_all_used)
{
	bool used[3] = { false };

	boot("rseq=off");
	KUNIT_EXPECT_LT(test, (unsigned int)numa_node_id(), os_nr_nodes());
	cpu_fake_nodes(3);
	for (int i = 0; i < 64; i++) {
		pthread_t thread;
		unsigned int cid = 0;

		pthread_create(&thread, NULL, cid_of_thread, &cid);
		pthread_join(thread, NULL);
		used[cid % 3] = true;
	}
	KUNIT_EXPECT_TRUE(test, used[1] && (used[2] || os_nr_possible_cpus() < 2));
	KUNIT_EXPECT_EQ(test, (unsigned int)numa_node_id(), cpu_cid() % 3);
	cpu_fake_nodes(0);
	KUNIT_EXPECT_LT(test, (unsigned int)numa_node_id(), os_nr_nodes());
}
