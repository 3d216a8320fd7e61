/* SPDX-License-Identifier: MIT */
/*
 * kthread.c - a thread of ours, where the user asked for one
 *
 * Room: kernel. pthread_create() hands one pointer to the new thread: what it has to know lies in
 * a table of slots, since we may not allocate. A slot is free again once the thread
 * has read it.
 */

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>

#include "kernel/kthread.h"
#include "kernel/lock.h"
#include "lib/bitops.h"
#include "os/syscall.h"

/* Reclaim calls shrinkers, which are the program's code: not too small. */
#define KTHREAD_STACK_MIN (128UL << 10)
/* libc puts the program's thread-local variables on the stack: try again larger, up to this. */
#define KTHREAD_STACK_MAX (8UL << 20)

#define KTHREAD_STARTING_MAX 8 /* threads started at the same moment */

struct kthread_start {
	void (*fn)(void *arg);
	void *arg;
	const char *name;
	int used;
};

static spinlock_t start_lock = SPINLOCK_INIT; /* guards starting[].used; a leaf */
static struct kthread_start starting[KTHREAD_STARTING_MAX];

static struct kthread_start *start_get(void)
{
	struct kthread_start *found = NULL;

	spin_lock(&start_lock);
	for (size_t i = 0; i < ARRAY_SIZE(starting) && !found; i++)
		if (!starting[i].used)
			found = &starting[i];
	if (found)
		found->used = 1;
	spin_unlock(&start_lock);
	return found;
}

static void start_put(struct kthread_start *start)
{
	spin_lock(&start_lock);
	start->used = 0;
	spin_unlock(&start_lock);
}

static void *kthread_main(void *arg)
{
	struct kthread_start start = *(struct kthread_start *)arg;

	start_put(arg);
	os_syscall(SYS_prctl, PR_SET_NAME, start.name);
	start.fn(start.arg);
	return NULL;
}

/* pthread_create() with a stack that is just large enough for libc. 0 or a positive errno. */
static int create(struct kthread_start *start)
{
	pthread_attr_t attr;
	pthread_t thread;
	int ret = pthread_attr_init(&attr);

	if (ret)
		return ret;
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	for (size_t stack = KTHREAD_STACK_MIN; stack <= KTHREAD_STACK_MAX; stack *= 4) {
		ret = pthread_attr_setstacksize(&attr, stack);
		if (!ret)
			ret = pthread_create(&thread, &attr, kthread_main, start);
		if (ret != EINVAL)
			break;
	}
	pthread_attr_destroy(&attr);
	return ret;
}

int kthread_run(void (*fn)(void *arg), void *arg, const char *name)
{
	struct kthread_start *start = start_get();
	int saved = errno, ret;
	sigset_t all, old;

	if (!start)
		return -EAGAIN;
	start->fn = fn;
	start->arg = arg;
	start->name = name;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	ret = create(start);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (ret)
		start_put(start);
	errno = saved;
	return -ret;
}
