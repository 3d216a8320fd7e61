/* SPDX-License-Identifier: MIT */
/* test_kthread.c - a thread where asked, deaf to signals. Room under test: kernel. */

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <kunit/test.h>

#include "kernel/kthread.h"
#include "kernel/wait.h"

static wait_queue_head_t done = WAIT_QUEUE_INIT;
static _Atomic int ran;
static sigset_t blocked;
static char name[16];

static void body(void *arg)
{
	pthread_sigmask(SIG_BLOCK, NULL, &blocked);
	pthread_getname_np(pthread_self(), name, sizeof(name));
	ran += *(int *)arg;
	wake_up(&done);
}

KUNIT_TEST(the_thread_runs_named_with_signals_blocked_and_ours_are_not)
{
	static int five = 5;
	sigset_t mine;

	errno = 77;
	KUNIT_ASSERT_EQ(test, kthread_run(body, &five, "sw-kswapd0"), 0);
	KUNIT_EXPECT_EQ(test, errno, 77);
	KUNIT_EXPECT_TRUE(test, wait_event_timeout(&done, ran == 5, 10000000000ULL));
	KUNIT_EXPECT_STREQ(test, name, "sw-kswapd0");
	KUNIT_EXPECT_EQ(test, sigismember(&blocked, SIGINT), 1);
	KUNIT_EXPECT_EQ(test, sigismember(&blocked, SIGPROF), 1);
	pthread_sigmask(SIG_BLOCK, NULL, &mine);
	KUNIT_EXPECT_EQ(test, sigismember(&mine, SIGPROF), 0);
}

KUNIT_TEST(many_can_be_started_one_after_the_other)
{
	static int one = 1;

	for (int i = 0; i < 50; i++) {
		KUNIT_ASSERT_EQ(test, kthread_run(body, &one, "sw-test"), 0);
		KUNIT_ASSERT_TRUE(test, wait_event_timeout(&done, ran == i + 1, 10000000000ULL));
	}
}
