/* SPDX-License-Identifier: MIT */
/* test_local_count.c - what many count on their CPUs is exactly what a stop finds. Room under test: kernel. */

#include <pthread.h>
#include <stdatomic.h>
#include <kunit/test.h>

#include <slabwork/local_count.h>

#include "kernel/cpu.h"
#include "os/os.h"

#define THREADS 4
#define ROUNDS  200000
#define STOPS   20
#define BIAS    (1L << 40)

static unsigned long lines[LOCAL_COUNT_BYTES / sizeof(long)] __attribute__((aligned(64)));
static struct local_count lc = { .lines = lines };
static _Atomic long count = 1; /* the owner's */
static _Atomic long early;
static _Atomic long kept, stops;
static _Atomic int busy;

static void get(void)
{
	if (!local_count_up(&lc))
		atomic_fetch_add(&count, 1);
}

static void put(bool locally)
{
	if (locally && local_count_down(&lc))
		return;
	if (atomic_fetch_sub(&count, 1) == 1)
		early++;
}

/* Each thread keeps one of four that it gets. */
static void *get_and_put(void *arg)
{
	for (int i = 0; i < ROUNDS || stops < STOPS; i++) {
		get();
		if (i % 4)
			put(i % 64); /* now and then as a thread without rseq would */
		else
			kept++;
	}
	busy--;
	return arg;
}

static void start(void)
{
	atomic_fetch_add(&count, BIAS);
	local_count_start(&lc);
}

static void stop(void)
{
	atomic_fetch_add(&count, local_count_stop(&lc) - BIAS);
}

KUNIT_TEST(a_count_that_is_stopped_and_started_meanwhile_loses_none, .timeout_s = 120)
{
	pthread_t threads[THREADS];

	cpu_init();
	busy = THREADS;
	start();
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, get_and_put, NULL);
	while (busy) {
		long now;

		stop();
		now = count; /* before kept is looked at, which grows */
		KUNIT_ASSERT_GE(test, now, 1L);
		KUNIT_ASSERT_LE(test, now, (long)kept + 1 + THREADS);
		start();
		stops++;
		os_yield();
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	stop();
	KUNIT_EXPECT_EQ(test, (long)count, (long)kept + 1);
	KUNIT_EXPECT_EQ(test, (long)early, 0L);
}

KUNIT_TEST(a_count_that_does_not_run_counts_nothing)
{
	cpu_init();
	KUNIT_EXPECT_FALSE(test, local_count_up(&lc));
	KUNIT_EXPECT_FALSE(test, local_count_down(&lc));
	KUNIT_EXPECT_EQ(test, local_count_stop(&lc), 0L);
	local_count_start(&lc);
	if (local_count_up(&lc)) {
		KUNIT_EXPECT_TRUE(test, local_count_up(&lc));
		KUNIT_EXPECT_TRUE(test, local_count_down(&lc));
		KUNIT_EXPECT_EQ(test, local_count_stop(&lc), 1L);
	}
	KUNIT_EXPECT_EQ(test, local_count_stop(&lc), 0L);
	KUNIT_EXPECT_FALSE(test, local_count_up(&lc));
}
