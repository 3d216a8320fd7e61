/* SPDX-License-Identifier: MIT */
/* test_percpu.c - one copy for each CPU id, and counters on them */

#include <kunit/test.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <slabwork/percpu.h>
#include <slabwork/percpu_counter.h>

#include "kernel/printk.h"
#include "mm/percpu.h"

static DEFINE_PER_CPU(int, answer) = 42;
static DEFINE_PER_CPU(long, hits);
struct pair {
	long a, b;
};
static DEFINE_PER_CPU_ALIGNED(struct pair, pairs);

static void expect_sound(struct kunit *test)
{
	KUNIT_EXPECT_NULL(test, percpu_validate());
}

KUNIT_TEST(copies_are_zero_distinct_and_aligned)
{
	struct pair *p = alloc_percpu(struct pair);
	char *wide = __alloc_percpu(100, 256);
	unsigned int cpu;

	KUNIT_ASSERT_NOT_NULL(test, p);
	for_each_possible_cpu(cpu) {
		KUNIT_EXPECT_EQ(test, per_cpu_ptr(p, cpu)->a, 0);
		KUNIT_EXPECT_EQ(test, (uintptr_t)per_cpu_ptr(wide, cpu) % 256, 0);
		per_cpu_ptr(p, cpu)->a = cpu + 1;
		memset(per_cpu_ptr(wide, cpu), 0xff, 100);
	}
	for_each_possible_cpu(cpu)
		KUNIT_EXPECT_EQ(test, per_cpu_ptr(p, cpu)->a, cpu + 1);
	KUNIT_EXPECT_LT(test, raw_smp_processor_id(), num_possible_cpus());
	free_percpu(p);
	free_percpu(wide);
	free_percpu(NULL);
	expect_sound(test);
}

KUNIT_TEST(reused_copies_are_zero_on_every_cpu)
{
	unsigned int cpu;

	for (int round = 0; round < 3; round++) {
		char *p = __alloc_percpu(1000, 8);

		for_each_possible_cpu(cpu) {
			char *copy = per_cpu_ptr(p, cpu);

			for (int i = 0; i < 1000; i++)
				KUNIT_ASSERT_EQ(test, copy[i], 0);
			memset(copy, 0xaa, 1000);
		}
		free_percpu(p);
	}
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

KUNIT_TEST(sizes_and_alignments_out_of_range_warn_and_are_null)
{
	printk_sink = hear;
	KUNIT_EXPECT_NULL(test, __alloc_percpu(PCPU_MIN_UNIT_SIZE + 1, 8));
	KUNIT_EXPECT_NOT_NULL(test, strstr(said, "illegal size (32769) or align (8) for percpu"));
	KUNIT_EXPECT_NULL(test, __alloc_percpu(8, 2 * PAGE_SIZE));
	KUNIT_EXPECT_NULL(test, __alloc_percpu(0, 8));
	KUNIT_EXPECT_NULL(test, __alloc_percpu(8, 24));
	KUNIT_EXPECT_NOT_NULL(test, __alloc_percpu(PCPU_MIN_UNIT_SIZE, PAGE_SIZE));
	expect_sound(test);
}

KUNIT_TEST(who_may_not_sleep_gets_what_is_mapped)
{
	KUNIT_EXPECT_NULL(test, __alloc_percpu_gfp(8, 8, GFP_ATOMIC | __GFP_NOWARN));
	free_percpu(__alloc_percpu(8, 8));
	KUNIT_EXPECT_NOT_NULL(test, __alloc_percpu_gfp(8, 8, GFP_ATOMIC));
}

KUNIT_TEST(double_free_is_named, .signal = SIGABRT, .first_line_starts = "slabwork: free_percpu(")
{
	int *p = alloc_percpu(int);

	free_percpu(p);
	free_percpu(p);
}

KUNIT_TEST(interior_pointers_are_named, .signal = SIGABRT,
	   .first_line_starts = "slabwork: free_percpu(")
{
	free_percpu((char *)__alloc_percpu(64, 8) + 8);
}

KUNIT_TEST(random_sizes_keep_every_invariant)
{
	void *p[300] = { 0 };

	srandom((unsigned int)kunit_seed(test));
	for (int i = 0; i < 20000; i++) {
		int n = (int)(random() % 300);

		if (p[n]) {
			KUNIT_ASSERT_EQ(test, *(int *)p[n], n);
			free_percpu(p[n]);
			p[n] = NULL;
		} else {
			p[n] = __alloc_percpu(4 + (size_t)random() % 2000, 1UL << random() % 8);
			KUNIT_ASSERT_NOT_NULL(test, p[n]);
			KUNIT_ASSERT_EQ(test, *(int *)p[n], 0);
			*(int *)p[n] = n;
		}
		if (i % 1000 == 0)
			expect_sound(test);
	}
	KUNIT_EXPECT_GT(test, pcpu_nr_pages(), 0);
}

KUNIT_TEST(static_variables_start_from_their_initialiser)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		KUNIT_EXPECT_EQ(test, per_cpu(answer, cpu), 42);
		KUNIT_EXPECT_EQ(test, (uintptr_t)per_cpu_ptr(&pairs, cpu) % 64, 0);
	}
	per_cpu(answer, 0) = 1;
	if (num_possible_cpus() > 1)
		KUNIT_EXPECT_EQ(test, per_cpu(answer, 1), 42);
	KUNIT_EXPECT_EQ(test, per_cpu(answer, 0), 1);
}

static struct percpu_counter counter;

static void *count_up(void *arg)
{
	for (int i = 0; i < 100000; i++) {
		this_cpu_inc(hits);
		percpu_counter_add(&counter, 3);
		percpu_counter_dec(&counter);
	}
	return arg;
}

KUNIT_TEST(sums_over_threads_are_exact)
{
	pthread_t thread[4];
	long sum = 0;
	unsigned int cpu;

	KUNIT_ASSERT_EQ(test, percpu_counter_init(&counter, 5, GFP_KERNEL), 0);
	for (int i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, count_up, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	for_each_possible_cpu(cpu)
		sum += per_cpu(hits, cpu);
	KUNIT_EXPECT_EQ(test, sum, 400000);
	KUNIT_EXPECT_EQ(test, percpu_counter_sum(&counter), 800005);
	KUNIT_EXPECT_LT(test, llabs(percpu_counter_read(&counter) - 800005),
			32LL * num_possible_cpus());
	KUNIT_EXPECT_EQ(test, percpu_counter_compare(&counter, 800005), 0);
	KUNIT_EXPECT_EQ(test, percpu_counter_compare(&counter, 800006), -1);
	KUNIT_EXPECT_EQ(test, percpu_counter_compare(&counter, 1), 1);
	percpu_counter_set(&counter, -7);
	KUNIT_EXPECT_EQ(test, percpu_counter_sum(&counter), -7);
	KUNIT_EXPECT_EQ(test, percpu_counter_read_positive(&counter), 0);
	percpu_counter_destroy(&counter);
	percpu_counter_destroy(&counter);
	KUNIT_EXPECT_FALSE(test, percpu_counter_initialized(&counter));
}

KUNIT_TEST(this_cpu_operations_do_what_they_say)
{
	long *p = alloc_percpu(long);

	this_cpu_write(*p, 5);
	/* The thread may move in between: only the sum is certain. */
	this_cpu_add(*p, 10);
	this_cpu_sub(*p, 3);
	this_cpu_dec(*p);
	{
		long sum = 0;
		unsigned int cpu;

		for_each_possible_cpu(cpu)
			sum += *per_cpu_ptr(p, cpu);
		KUNIT_EXPECT_EQ(test, sum, 11);
	}
	get_cpu_var(answer)++;
	put_cpu_var(answer);
	*get_cpu_ptr(p) = 0;
	put_cpu_ptr(p);
	free_percpu(p);
}
