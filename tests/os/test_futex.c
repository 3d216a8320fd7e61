/* SPDX-License-Identifier: MIT */
/* test_futex.c - sleep on a word, wake who sleeps. Room under test: os. */

#include <errno.h>
#include <pthread.h>
#include <kunit/test.h>

#include "os/futex.h"
#include "os/os.h"

static _Atomic uint32_t word;

KUNIT_TEST(another_value_is_not_waited_for)
{
	errno = 77;
	KUNIT_EXPECT_EQ(test, os_futex_wait(&word, 1, 0), -EAGAIN);
	KUNIT_EXPECT_EQ(test, errno, 77);
}

KUNIT_TEST(a_wait_ends_at_its_time_and_not_before)
{
	uint64_t before = os_now_ns();

	KUNIT_EXPECT_EQ(test, os_futex_wait(&word, 0, 3000000), -ETIMEDOUT);
	KUNIT_EXPECT_GE(test, os_now_ns(), before + 3000000);
}

static void *sleeper(void *arg)
{
	while (word == 0)
		os_futex_wait(&word, 0, 0);
	*(int *)arg = 1;
	return NULL;
}

KUNIT_TEST(a_change_and_a_wake_end_the_wait)
{
	pthread_t thread;
	int woken = 0;

	pthread_create(&thread, NULL, sleeper, &woken);
	word = 1;
	os_futex_wake(&word, 1);
	pthread_join(thread, NULL);
	KUNIT_EXPECT_EQ(test, woken, 1);
}
