/* SPDX-License-Identifier: MIT */
/* test_fork.c - handlers run by rank, locks are usable in the child. Room under test: kernel. */

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>
#include <kunit/test.h>

#include "kernel/fork.h"
#include "kernel/lock.h"

static char order[64];
static size_t steps;

#define STEP(name, letter)               \
	static void name(void)           \
	{                                \
		order[steps++] = letter; \
	}

STEP(prepare_inner, 'i')
STEP(parent_inner, 'I')
STEP(child_inner, 'x')
STEP(prepare_middle, 'm')
STEP(prepare_outer, 'o')
STEP(parent_outer, 'O')
STEP(child_outer, 'X')

/* Declared in no particular order; the middle one wants only one of the three calls. */
FORK_HANDLER(test_inner, 103, prepare_inner, parent_inner, child_inner);
FORK_HANDLER(test_outer, 101, prepare_outer, parent_outer, child_outer);
FORK_HANDLER(test_middle, 102, prepare_middle, NULL, NULL);

/* Fork; the child's exit status is what in_child() returns. */
static int in_forked_child(int (*in_child)(void))
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(in_child());
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static int child_order_is_right(void)
{
	return memcmp(order, "omixX", 5) == 0 && steps == 5;
}

KUNIT_TEST(prepare_goes_inwards_and_release_outwards)
{
	fork_init();
	fork_init(); /* a second time changes nothing */
	/* The harness forked this case, with our handlers registered since before main. */
	steps = 0;
	memset(order, 0, sizeof(order));
	KUNIT_EXPECT_EQ(test, in_forked_child(child_order_is_right), 1);
	KUNIT_EXPECT_STREQ(test, order, "omiIO");
}

static spinlock_t lock = SPINLOCK_INIT;

static void take(void)
{
	spin_lock(&lock);
}

static void give(void)
{
	spin_unlock(&lock);
}
FORK_HANDLER(test_lock, 100, take, give, give);

static _Atomic bool stop;

static void *hammer(void *arg)
{
	while (!stop) {
		spin_lock(&lock);
		spin_unlock(&lock);
	}
	return arg;
}

static int take_and_give(void)
{
	take();
	give();
	return 7;
}

KUNIT_TEST(the_child_can_take_a_lock_that_others_were_fighting_for)
{
	pthread_t threads[3];

	fork_init();
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, hammer, NULL);
	for (int i = 0; i < 100; i++) {
		steps = 0;
		KUNIT_ASSERT_EQ(test, in_forked_child(take_and_give), 7);
	}
	stop = true;
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
}
