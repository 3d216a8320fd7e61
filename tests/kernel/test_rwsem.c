/* SPDX-License-Identifier: MIT */
/* test_rwsem.c - readers together, writers alone, nobody for ever. Room under test: kernel. */

#include <pthread.h>
#include <kunit/test.h>

#include <slabwork/lock.h>

#define THREADS 6
#define ROUNDS  20000

static struct rw_semaphore sem;
static seqlock_t seq;
static long a, b;           /* plain: TSan sees what the lock does not order */
static _Atomic long sa, sb; /* under seq */

KUNIT_TEST(readers_share_and_a_writer_does_not)
{
	KUNIT_EXPECT_TRUE(test, down_read_trylock(&sem));
	KUNIT_EXPECT_TRUE(test, down_read_trylock(&sem));
	KUNIT_EXPECT_FALSE(test, down_write_trylock(&sem));
	up_read(&sem);
	KUNIT_EXPECT_FALSE(test, down_write_trylock(&sem));
	up_read(&sem);
	KUNIT_EXPECT_TRUE(test, down_write_trylock(&sem));
	KUNIT_EXPECT_FALSE(test, down_read_trylock(&sem));
	downgrade_write(&sem);
	KUNIT_EXPECT_TRUE(test, down_read_trylock(&sem));
	up_read(&sem);
	up_read(&sem);
	KUNIT_EXPECT_FALSE(test, rwsem_is_locked(&sem));
}

static void *mix(void *arg)
{
	long bad = 0;

	for (int i = 0; i < ROUNDS; i++) {
		if (i % 4) {
			down_read(&sem);
			bad += a != b;
			up_read(&sem);
		} else {
			down_write(&sem);
			a++;
			b++;
			up_write(&sem);
		}
	}
	*(long *)arg = bad;
	return NULL;
}

KUNIT_TEST(no_reader_sees_half_of_what_a_writer_does)
{
	pthread_t threads[THREADS];
	long bad[THREADS];

	for (int i = 0; i < THREADS; i++)
		KUNIT_ASSERT_EQ(test, pthread_create(&threads[i], NULL, mix, &bad[i]), 0);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		KUNIT_EXPECT_EQ(test, bad[i], 0L);
	}
	KUNIT_EXPECT_EQ(test, a, (long)THREADS * ROUNDS / 4);
	KUNIT_EXPECT_FALSE(test, rwsem_is_locked(&sem));
}

static void *mix_seq(void *arg)
{
	long bad = 0;

	for (int i = 0; i < ROUNDS; i++) {
		uint32_t start;
		long x, y;

		if (i % 4 == 0) {
			write_seqlock(&seq);
			sa++;
			sb++;
			write_sequnlock(&seq);
		}
		do {
			start = read_seqbegin(&seq);
			x = atomic_load_explicit(&sa, memory_order_relaxed);
			y = atomic_load_explicit(&sb, memory_order_relaxed);
		} while (read_seqretry(&seq, start));
		bad += x != y;
	}
	*(long *)arg = bad;
	return NULL;
}

KUNIT_TEST(a_seqlock_reader_never_accepts_a_torn_pair)
{
	pthread_t threads[THREADS];
	long bad[THREADS];

	for (int i = 0; i < THREADS; i++)
		KUNIT_ASSERT_EQ(test, pthread_create(&threads[i], NULL, mix_seq, &bad[i]), 0);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		KUNIT_EXPECT_EQ(test, bad[i], 0L);
	}
	KUNIT_EXPECT_EQ(test, (long)sa, (long)THREADS * ROUNDS / 4);
}
