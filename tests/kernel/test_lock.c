/* SPDX-License-Identifier: MIT */
/* test_lock.c - one holder at a time, nobody sleeps for ever. Room under test: kernel. */

#include <pthread.h>
#include <kunit/test.h>

#include "kernel/lock.h"
#include "os/os.h"

#define THREADS 8
#define ROUNDS  40000

static spinlock_t lock = SPINLOCK_INIT;
static long counter, twin; /* plain: a lost update shows, and TSan would say so */
static _Atomic int inside;

static void *add_under_lock(void *arg)
{
	int bad = 0;

	for (int i = 0; i < ROUNDS; i++) {
		spin_lock(&lock);
		bad += atomic_fetch_add(&inside, 1) != 0;
		counter++;
		if (i % 512 == 0)
			os_yield(); /* hold it while others come to wait */
		twin++;
		atomic_fetch_sub(&inside, 1);
		spin_unlock(&lock);
	}
	*(int *)arg += bad;
	return NULL;
}

KUNIT_TEST(many_threads_add_without_losing_one)
{
	pthread_t threads[THREADS];
	int bad[THREADS] = { 0 };

	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, add_under_lock, &bad[i]);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		KUNIT_EXPECT_EQ(test, bad[i], 0);
	}
	KUNIT_EXPECT_EQ(test, counter, (long)THREADS * ROUNDS);
	KUNIT_EXPECT_EQ(test, twin, counter);
	KUNIT_EXPECT_FALSE(test, spin_is_locked(&lock));
}

KUNIT_TEST(trylock_fails_while_held_and_says_nothing)
{
	KUNIT_EXPECT_TRUE(test, spin_trylock(&lock));
	KUNIT_EXPECT_FALSE(test, spin_trylock(&lock));
	KUNIT_EXPECT_FALSE(test, spin_lock_gfp(&lock, false));
	KUNIT_EXPECT_TRUE(test, spin_is_locked(&lock));
	spin_unlock(&lock);
	KUNIT_EXPECT_TRUE(test, spin_lock_gfp(&lock, true));
	spin_unlock(&lock);
	KUNIT_EXPECT_TRUE(test, spin_trylock(&lock));
}

static void *wait_for_lock(void *arg)
{
	spin_lock(&lock);
	*(_Atomic int *)arg = 1;
	spin_unlock(&lock);
	return NULL;
}

KUNIT_TEST(a_sleeper_is_woken_by_the_unlock)
{
	static _Atomic int done;
	pthread_t threads[3];

	spin_lock(&lock);
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, wait_for_lock, &done);
	while (atomic_load(&lock.word) != 2) /* until one of them has gone to sleep, or nearly */
		os_yield();
	KUNIT_EXPECT_EQ(test, done, 0);
	spin_unlock(&lock);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	KUNIT_EXPECT_EQ(test, done, 1);
}

KUNIT_TEST(a_mutex_is_the_same_thing)
{
	struct mutex mutex = MUTEX_INIT;

	mutex_lock(&mutex);
	KUNIT_EXPECT_FALSE(test, mutex_trylock(&mutex));
	mutex_unlock(&mutex);
	KUNIT_EXPECT_TRUE(test, mutex_trylock(&mutex));
}
