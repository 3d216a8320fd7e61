/* SPDX-License-Identifier: MIT */
/* test_rcu.c - grace periods wait for readers and for nobody else. Room under test: kernel. */

#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>
#include <kunit/test.h>

#include "kernel/cpu.h"
#include "kernel/fork.h"
#include "kernel/rcu.h"
#include "lib/bitops.h"
#include "os/os.h"

#define READERS 4
#define SLOTS   16
#define ALIVE   0x600d600du
#define DEAD    0xdeaddeadu

struct thing {
	struct rcu_head rcu;
	volatile unsigned int state;
	_Atomic bool busy; /* in use or waiting for its grace period */
};

static struct thing things[SLOTS];
static struct thing *published;
static _Atomic bool stop;
static _Atomic long bad_reads, reads;

static void *read_all_the_time(void *arg)
{
	while (!stop) {
		struct thing *thing;

		rcu_read_lock();
		thing = rcu_dereference(published);
		for (int i = 0; i < 50; i++)
			if (thing->state != ALIVE)
				bad_reads++;
		if (reads++ % 64 == 0)
			os_yield(); /* be preempted, and migrate, inside a section */
		if (thing->state != ALIVE)
			bad_reads++;
		rcu_read_unlock();
	}
	return arg;
}

static void start_readers(pthread_t *threads)
{
	things[0].state = ALIVE;
	things[0].busy = true;
	published = &things[0];
	for (int i = 0; i < READERS; i++)
		pthread_create(&threads[i], NULL, read_all_the_time, NULL);
}

static void stop_readers(struct kunit *test, pthread_t *threads)
{
	stop = true;
	for (int i = 0; i < READERS; i++)
		pthread_join(threads[i], NULL);
	KUNIT_EXPECT_GT(test, reads, 0L);
	KUNIT_EXPECT_EQ(test, bad_reads, 0L);
}

KUNIT_TEST(no_reader_sees_what_is_reused_after_synchronize_rcu)
{
	pthread_t threads[READERS];

	cpu_init();
	start_readers(threads);
	for (int i = 1; i < 3000 || reads < 10000; i++) {
		struct thing *old = published;

		things[i % SLOTS].state = ALIVE;
		rcu_assign_pointer(published, &things[i % SLOTS]);
		synchronize_rcu();
		old->state = DEAD;
	}
	stop_readers(test, threads);
}

static void bury(struct rcu_head *head)
{
	struct thing *thing = container_of(head, struct thing, rcu);

	thing->state = DEAD;
	thing->busy = false;
}

KUNIT_TEST(no_reader_sees_what_a_callback_has_reused)
{
	pthread_t threads[READERS];
	int replaced = 0;

	cpu_init();
	start_readers(threads);
	while (replaced < 20000 || reads < 10000) {
		struct thing *next = NULL, *old = published;

		for (int i = 0; i < SLOTS && !next; i++)
			if (!things[i].busy)
				next = &things[i];
		rcu_poll();
		if (!next) {
			os_yield();
			continue;
		}
		next->busy = true;
		next->state = ALIVE;
		rcu_assign_pointer(published, next);
		call_rcu(&old->rcu, bury);
		replaced++;
	}
	rcu_barrier();
	KUNIT_EXPECT_FALSE(test, rcu_pending());
	stop_readers(test, threads);
}

static _Atomic int reader_state; /* 1: in a section, 2: told to leave */

static void *one_long_reader(void *arg)
{
	rcu_read_lock();
	reader_state = 1;
	while (reader_state != 2)
		os_yield();
	*(uint64_t *)arg = os_now_ns();
	rcu_read_unlock();
	return NULL;
}

static void *let_go_later(void *arg)
{
	os_sleep_ns(20000000);
	reader_state = 2;
	return arg;
}

KUNIT_TEST(synchronize_rcu_returns_only_after_the_reader_has_left)
{
	pthread_t reader, other;
	uint64_t left_ns = 0;

	pthread_create(&reader, NULL, one_long_reader, &left_ns);
	while (reader_state != 1)
		os_yield();
	pthread_create(&other, NULL, let_go_later, NULL);
	synchronize_rcu();
	KUNIT_EXPECT_NE(test, left_ns, 0ULL);
	KUNIT_EXPECT_GE(test, os_now_ns(), left_ns);
	pthread_join(reader, NULL);
	pthread_join(other, NULL);
}

static int order[8], ordered;

struct numbered {
	struct rcu_head rcu;
	int number;
};

static void note_number(struct rcu_head *head)
{
	order[ordered++] = container_of(head, struct numbered, rcu)->number;
}

KUNIT_TEST(poll_runs_nothing_while_a_reader_stays_and_all_in_order_afterwards)
{
	struct numbered n[3] = { { .number = 1 }, { .number = 2 }, { .number = 3 } };
	pthread_t reader;
	uint64_t left_ns;

	pthread_create(&reader, NULL, one_long_reader, &left_ns);
	while (reader_state != 1)
		os_yield();
	for (int i = 0; i < 3; i++)
		call_rcu(&n[i].rcu, note_number);
	for (int i = 0; i < 100; i++)
		rcu_poll();
	KUNIT_EXPECT_EQ(test, ordered, 0);
	KUNIT_EXPECT_TRUE(test, rcu_pending());
	reader_state = 2;
	pthread_join(reader, NULL);
	rcu_poll();
	rcu_poll();
	KUNIT_EXPECT_EQ(test, ordered, 3);
	KUNIT_EXPECT_EQ(test, order[0] * 100 + order[1] * 10 + order[2], 123);
}

static struct numbered again = { .number = 2 };

static void queue_again(struct rcu_head *head)
{
	note_number(head);
	rcu_poll(); /* nothing: we are inside */
	call_rcu(&again.rcu, note_number);
}

KUNIT_TEST(a_callback_may_queue_another)
{
	struct numbered first = { .number = 1 };

	call_rcu(&first.rcu, queue_again);
	rcu_barrier();
	rcu_barrier();
	KUNIT_EXPECT_EQ(test, ordered, 2);
	KUNIT_EXPECT_EQ(test, order[0] * 10 + order[1], 12);
}

static void *queue_and_barrier(void *arg)
{
	for (int i = 0; i < 300; i++) {
		struct thing thing = { .busy = true };

		call_rcu(&thing.rcu, bury);
		rcu_barrier();
		if (thing.busy) {
			bad_reads++;
			return arg; /* and the thing is gone: the test has failed already */
		}
	}
	return arg;
}

KUNIT_TEST(barriers_of_many_threads_each_wait_for_their_own)
{
	pthread_t threads[READERS];

	for (int i = 0; i < READERS; i++)
		pthread_create(&threads[i], NULL, queue_and_barrier, NULL);
	for (int i = 0; i < 3000; i++)
		rcu_poll();
	for (int i = 0; i < READERS; i++)
		pthread_join(threads[i], NULL);
	KUNIT_EXPECT_EQ(test, bad_reads, 0L);
}

static _Atomic long in_handler;

static void read_in_handler(int sig)
{
	(void)sig;
	rcu_read_lock();
	if (rcu_dereference(published)->state != ALIVE)
		bad_reads++;
	rcu_read_unlock();
	in_handler++;
}

KUNIT_TEST(signal_handlers_read_in_the_middle_of_readers)
{
	struct itimerval often = { { 0, 200 }, { 0, 200 } };
	pthread_t threads[READERS];
	uint64_t until;

	cpu_init();
	start_readers(threads);
	signal(SIGALRM, read_in_handler);
	setitimer(ITIMER_REAL, &often, NULL);
	until = os_now_ns() + 300000000;
	for (int i = 1; os_now_ns() < until; i++) {
		struct thing *old = published;

		rcu_read_lock();
		rcu_read_unlock();
		things[i % SLOTS].state = ALIVE;
		rcu_assign_pointer(published, &things[i % SLOTS]);
		synchronize_rcu();
		old->state = DEAD;
	}
	signal(SIGALRM, SIG_IGN);
	stop_readers(test, threads);
	KUNIT_EXPECT_GT(test, in_handler, 10L);
	synchronize_rcu(); /* all counts balance: this does not hang */
}

#if defined(__x86_64__)
/*
 * A reader is interrupted after each single instruction of rcu_read_lock() in turn, for a
 * whole grace period: also between its look at the phase and its counting itself in.
 * Wherever that was, what it reads afterwards must be waited for.
 */
static volatile int steps_left;
static struct rcu_head interrupter;

static void do_nothing(struct rcu_head *head)
{
	(void)head;
}

static void at_step(int sig, siginfo_t *info, void *context)
{
	ucontext_t *interrupted = context;

	(void)sig;
	(void)info;
	if (steps_left-- > 0)
		return;
	interrupted->uc_mcontext.gregs[REG_EFL] &= ~0x100L;
	/* Not synchronize_rcu(): it might wait for the reader that we interrupted. */
	call_rcu(&interrupter, do_nothing);
	for (int i = 0; i < 4; i++)
		rcu_poll();
}

static inline void set_trap_flag(void)
{
	/* Past the red zone; the flag takes effect after the instruction that follows popf. */
	__asm__ volatile("lea -128(%%rsp), %%rsp\n\t"
			 "pushf\n\t"
			 "orl $0x100, (%%rsp)\n\t"
			 "popf\n\t"
			 "lea 128(%%rsp), %%rsp" ::
				 : "memory", "cc");
}

KUNIT_TEST(a_reader_interrupted_anywhere_on_its_way_in_is_waited_for)
{
	struct sigaction sa = { .sa_sigaction = at_step, .sa_flags = SA_SIGINFO };
	struct numbered n = { .number = 1 };

	cpu_init();
	sigaction(SIGTRAP, &sa, NULL);
	for (int step = 0; step < 150; step++) {
		rcu_barrier();
		ordered = 0;
		steps_left = step;
		set_trap_flag();
		rcu_read_lock();
		while (steps_left >= 0)
			; /* the trap is off from here on */
		call_rcu(&n.rcu, note_number);
		for (int i = 0; i < 4; i++)
			rcu_poll();
		KUNIT_ASSERT_EQ(test, ordered, 0, "interrupted after %d instructions", step);
		rcu_read_unlock();
		rcu_barrier();
		KUNIT_ASSERT_EQ(test, ordered, 1);
	}
}
#endif

KUNIT_TEST(sections_nest)
{
	KUNIT_EXPECT_FALSE(test, rcu_read_lock_held());
	rcu_read_lock();
	rcu_read_lock();
	rcu_read_unlock();
	KUNIT_EXPECT_TRUE(test, rcu_read_lock_held());
	rcu_read_unlock();
	KUNIT_EXPECT_FALSE(test, rcu_read_lock_held());
	synchronize_rcu();
}

static int child_synchronizes(void)
{
	alarm(10);
	if (rcu_read_lock_held())
		rcu_read_unlock();
	synchronize_rcu();
	rcu_barrier();
	return 7;
}

static int status_of_child(int (*in_child)(void))
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(in_child());
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

KUNIT_TEST(a_forked_child_does_not_wait_for_readers_it_does_not_have)
{
	pthread_t threads[READERS];

	cpu_init();
	fork_init();
	start_readers(threads);
	for (int i = 0; i < 50; i++)
		KUNIT_ASSERT_EQ(test, status_of_child(child_synchronizes), 7);
	rcu_read_lock();
	KUNIT_EXPECT_EQ(test, status_of_child(child_synchronizes), 7);
	rcu_read_unlock();
	stop_readers(test, threads);
}

static void *synchronize_until_stopped(void *arg)
{
	while (!stop)
		rcu_barrier();
	return arg;
}

KUNIT_TEST(a_reader_may_fork_while_another_thread_waits_for_it)
{
	pthread_t thread;

	fork_init();
	pthread_create(&thread, NULL, synchronize_until_stopped, NULL);
	for (int i = 0; i < 50; i++) {
		rcu_read_lock();
		os_yield();
		KUNIT_ASSERT_EQ(test, status_of_child(child_synchronizes), 7);
		rcu_read_unlock();
	}
	stop = true;
	pthread_join(thread, NULL);
}

KUNIT_TEST(synchronize_in_a_section_is_a_bug, .signal = SIGABRT,
	   .first_line_starts = "slabwork: BUG: nesting at ")
{
	rcu_read_lock();
	synchronize_rcu();
}

KUNIT_TEST(unlock_without_lock_is_a_bug, .signal = SIGABRT, .first_line_starts = "slabwork: BUG: ")
{
	rcu_read_unlock();
}
