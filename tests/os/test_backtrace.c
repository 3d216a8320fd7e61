/* SPDX-License-Identifier: MIT */
/* test_backtrace.c - the chain of callers, and no fault on a broken one. Room under test: os. */

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <kunit/test.h>

#include "os/os.h"

#define DEPTH 5

static void *frames[32];
static volatile unsigned int nr; /* also written by a signal handler */
static void *inner_return;

__attribute__((noinline)) static int deeper(int depth)
{
	if (depth)
		return deeper(depth - 1) + 1;
	nr = os_backtrace(frames, 32);
	inner_return = __builtin_return_address(0);
	return 0;
}

KUNIT_TEST(the_callers_are_named_innermost_first)
{
	volatile int depth = DEPTH;

	KUNIT_EXPECT_EQ(test, deeper(depth), DEPTH);
	KUNIT_ASSERT_GT(test, nr, 2u);
	/* frames[0] is in deeper(), frames[1] where the innermost one returns to. */
	KUNIT_EXPECT_PTR_EQ(test, frames[1], inner_return);
}

KUNIT_TEST(no_more_than_max_is_written)
{
	void *one[2] = { NULL, NULL };

	KUNIT_EXPECT_EQ(test, os_backtrace(one, 1), 1u);
	KUNIT_EXPECT_NOT_NULL(test, one[0]);
	KUNIT_EXPECT_NULL(test, one[1]);
	KUNIT_EXPECT_EQ(test, os_backtrace(one, 0), 0u);
}

static void *in_thread(void *arg)
{
	(void)arg;
	deeper(DEPTH);
	return NULL;
}

KUNIT_TEST(a_thread_s_first_frame_ends_the_walk)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 16384);
	pthread_create(&thread, &attr, in_thread, NULL);
	pthread_join(thread, NULL);
	KUNIT_EXPECT_GT(test, nr, 2u);
	KUNIT_EXPECT_LT(test, nr, 32u);
}

static void handler(int sig)
{
	(void)sig;
	deeper(1);
}

KUNIT_TEST(an_alternate_signal_stack_is_walked_safely)
{
	static char stack[65536];
	stack_t ss = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction sa = { .sa_handler = handler, .sa_flags = SA_ONSTACK };

	deeper(1);
	nr = 0;
	sigaltstack(&ss, NULL);
	sigaction(SIGUSR1, &sa, NULL);
	raise(SIGUSR1);
	KUNIT_EXPECT_GT(test, nr, 1u);
}

#if defined(__x86_64__)
/* A caller built without frame pointers leaves anything in the register. */
static unsigned int walk_from(uintptr_t garbage)
{
	static uintptr_t fake[2];
	unsigned int got;

	fake[0] = garbage;
	fake[1] = (uintptr_t)walk_from;
	/* 256: past the red zone of this function, which the compiler takes for a leaf. */
	__asm__ volatile("mov %%rbp, %%r12\n\t"
			 "mov %%rsp, %%rbx\n\t"
			 "sub $256, %%rsp\n\t"
			 "and $-16, %%rsp\n\t"
			 "mov %[fake], %%rbp\n\t"
			 "call os_backtrace\n\t"
			 "mov %%rbx, %%rsp\n\t"
			 "mov %%r12, %%rbp"
			 : "=a"(got)
			 : [fake] "r"(&fake[0]), "D"(frames), "S"(32L)
			 : "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "memory", "cc");
	return got;
}

KUNIT_TEST(garbage_in_the_chain_ends_it)
{
	static const uintptr_t garbage[] = { 0, 1, 8, 0x1000, 0xdead000000000100, UINTPTR_MAX - 7 };

	for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++)
		KUNIT_EXPECT_LE(test, walk_from(garbage[i]), 2u);
}
#endif
