/* SPDX-License-Identifier: MIT */
/* test_wait.c - no wake-up is lost, timeouts hold. Room under test: kernel. */

#include <pthread.h>
#include <kunit/test.h>

#include "kernel/wait.h"
#include "os/os.h"

static wait_queue_head_t ping = WAIT_QUEUE_INIT, pong = WAIT_QUEUE_INIT;
static _Atomic int ball;

#define ROUNDS 20000

static void *play(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		wait_event(&ping, ball == 2 * i + 1);
		ball++;
		wake_up(&pong);
	}
	return arg;
}

KUNIT_TEST(ping_pong_never_loses_the_ball)
{
	pthread_t thread;

	pthread_create(&thread, NULL, play, NULL);
	for (int i = 0; i < ROUNDS; i++) {
		ball++;
		wake_up(&ping);
		wait_event(&pong, ball == 2 * i + 2);
	}
	pthread_join(thread, NULL);
	KUNIT_EXPECT_EQ(test, ball, 2 * ROUNDS);
	KUNIT_EXPECT_FALSE(test, wait_active(&ping));
}

KUNIT_TEST(timeout_gives_up_in_time_and_says_so)
{
	uint64_t before = os_now_ns();

	KUNIT_EXPECT_FALSE(test, wait_event_timeout(&ping, ball == 1, 5000000));
	KUNIT_EXPECT_GE(test, os_now_ns(), before + 5000000);
	KUNIT_EXPECT_FALSE(test, wait_active(&ping));
	ball = 1;
	KUNIT_EXPECT_TRUE(test, wait_event_timeout(&ping, ball == 1, 5000000));
}

static void *wait_for_three(void *arg)
{
	wait_event(&ping, ball == 3);
	return arg;
}

KUNIT_TEST(wake_up_wakes_all)
{
	pthread_t threads[5];

	for (int i = 0; i < 5; i++)
		pthread_create(&threads[i], NULL, wait_for_three, NULL);
	while (ping.waiters < 5)
		os_yield();
	ball = 3;
	wake_up(&ping);
	for (int i = 0; i < 5; i++)
		pthread_join(threads[i], NULL);
	KUNIT_EXPECT_FALSE(test, wait_active(&ping));
}
