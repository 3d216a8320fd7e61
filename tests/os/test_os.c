/* SPDX-License-Identifier: MIT */
/* test_os.c - time, identity, randomness, output, death. Room under test: os. */

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <kunit/test.h>

#include "os/os.h"
#include "os/syscall.h"

KUNIT_TEST(clocks_go_forward_and_agree)
{
	uint64_t before = os_now_ns(), coarse = os_now_coarse_ns(), after;

	os_sleep_ns(2000000);
	after = os_now_ns();
	KUNIT_EXPECT_GE(test, after, before + 2000000);
	/* A tick is 10 ms at most (CONFIG_HZ 100). */
	KUNIT_EXPECT_TRUE(test, coarse <= before && coarse + 20000000 > before);
}

static void *tid_of_thread(void *arg)
{
	*(int *)arg = os_tid();
	return NULL;
}

KUNIT_TEST(a_thread_has_its_own_tid_and_the_same_pid)
{
	pthread_t thread;
	int tid = 0;

	KUNIT_EXPECT_EQ(test, os_pid(), getpid());
	KUNIT_EXPECT_EQ(test, os_tid(), os_pid());
	pthread_create(&thread, NULL, tid_of_thread, &tid);
	pthread_join(thread, NULL);
	KUNIT_EXPECT_NE(test, tid, 0);
	KUNIT_EXPECT_NE(test, tid, os_pid());
}

KUNIT_TEST(random_fills_all_of_the_buffer_and_never_twice_alike)
{
	unsigned char a[300] = { 0 }, b[300] = { 0 };
	int zeros = 0;

	os_random(a, sizeof(a));
	os_random(b, sizeof(b));
	KUNIT_EXPECT_MEMNEQ(test, a, b, sizeof(a));
	for (size_t i = 0; i < sizeof(a); i++)
		zeros += !a[i];
	KUNIT_EXPECT_LT(test, zeros, 20); /* about one is expected */
}

KUNIT_TEST(write_err_writes_all_of_it_to_fd_2)
{
	char got[8] = "";
	int fds[2];

	KUNIT_ASSERT_EQ(test, pipe(fds), 0);
	dup2(fds[1], 2);
	os_write_err("hello\n", 6);
	KUNIT_EXPECT_EQ(test, read(fds[0], got, sizeof(got)), 6L);
	KUNIT_EXPECT_MEMEQ(test, got, "hello\n", 6);
}

KUNIT_TEST(write_err_without_fd_2_gives_up_quietly)
{
	close(2);
	errno = 77;
	os_write_err("hello\n", 6);
	KUNIT_EXPECT_EQ(test, errno, 77);
}

static void never(int sig)
{
	(void)sig;
	_exit(3);
}

KUNIT_TEST(abort_dies_even_if_sigabrt_is_blocked_and_handled, .signal = SIGABRT)
{
	sigset_t set;

	signal(SIGABRT, never);
	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	os_abort();
}

KUNIT_TEST(system_calls_pass_six_arguments_and_return_minus_errno)
{
	errno = 77;
	KUNIT_EXPECT_EQ(test, os_syscall(SYS_getpid), (long)getpid());
	KUNIT_EXPECT_EQ(test, os_syscall(SYS_close, 12345), (long)-EBADF);
	/* The offset, the sixth, must be a multiple of the page: 1 is refused. */
	KUNIT_EXPECT_EQ(test, os_syscall(SYS_mmap, 0, 4096, 3, 0x22, -1, 1), (long)-EINVAL);
	KUNIT_EXPECT_EQ(test, errno, 77);
}
