/* SPDX-License-Identifier: MIT */
/*
 * starts.c - a fork races the first allocation of a process: starts N [LIBRARY]
 *
 * Starts itself N times. Each start has a constructor that makes a thread which forks at
 * once, or some microseconds later, while main() allocates; the child allocates too. Whoever
 * needs more than 5 s gets SIGALRM, which is what a hang looks like.
 *
 * Two programs: one that knows nothing of us and is started with LD_PRELOAD=LIBRARY, and one
 * (-DLINKED) that uses kmalloc() of the archive, whose machine starts in the middle of the race.
 */

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifdef LINKED
#include <slabwork/slab.h>
#define take(n) kmalloc(n, GFP_KERNEL)
#define give(p) kfree(p)
#else
#define take(n) malloc(n)
#define give(p) free(p)
#endif

#define HANG_S      5
#define MAX_WAIT_NS 400000

static pthread_t thread;
static _Atomic bool done;
static int child_status;

static int allocate(void)
{
	static const size_t sizes[] = { 24, 100, 700, 5000, 60000, 300000 };
	void *p[6];

	for (int i = 0; i < 6; i++) {
		p[i] = take(sizes[i]);
		if (!p[i])
			return 1;
		memset(p[i], i, sizes[i]);
	}
	for (int i = 0; i < 6; i++)
		give(p[i]);
	return 0;
}

static void *fork_at_once(void *arg)
{
	struct timespec now;
	pid_t pid;

	/* One in three does not wait at all. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_nsec / 100 % 3) {
		struct timespec wait = { 0, now.tv_nsec / 10 % MAX_WAIT_NS };

		nanosleep(&wait, NULL);
	}
	pid = fork();
	if (!pid) {
		alarm(HANG_S);
		_exit(allocate());
	}
	if (pid < 0 || waitpid(pid, &child_status, 0) != pid)
		child_status = 1;
	atomic_store(&done, true);
	return arg;
}

__attribute__((constructor)) static void start_thread(void)
{
	if (getenv("STARTS_ONCE") && pthread_create(&thread, NULL, fork_at_once, NULL))
		_exit(9);
}

static int once(void)
{
	do {
		if (allocate())
			return 8;
	} while (!atomic_load(&done));
	pthread_join(thread, NULL);
	if (WIFSIGNALED(child_status))
		return WTERMSIG(child_status) == SIGALRM ? 7 : 6;
	return child_status ? 5 : 0;
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 200, hangs = 0, failures = 0;

	if (getenv("STARTS_ONCE"))
		return once();
	for (int i = 0; i < n; i++) {
		pid_t pid = fork();
		int status;

		if (!pid) {
			setenv("STARTS_ONCE", "1", 1);
			if (argc > 2)
				setenv("LD_PRELOAD", argv[2], 1);
			alarm(HANG_S * 2);
			execl("/proc/self/exe", "once", (char *)NULL);
			_exit(99);
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid)
			return 2;
		if ((WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) ||
		    (WIFEXITED(status) && WEXITSTATUS(status) == 7))
			hangs++;
		else if (status && ++failures)
			printf("# start %d: status %#x\n", i, (unsigned int)status);
	}
	printf("# %d starts, %d hangs, %d other failures\n", n, hangs, failures);
	return hangs || failures;
}
