/* SPDX-License-Identifier: MIT */
/*
 * test_process.c - threads, forks, signals, limits: what a process does to its malloc
 *
 * The numbers in brackets are the rows of the edge-case table.
 */

#include "edge.h"
#include "../emulator.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>

#define KIB (1UL << 10)
#define MIB (1UL << 20)
#define GIB (1UL << 30)

extern char **environ;

static unsigned int next_random(unsigned int *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

/* ---- threads that are busy while something else happens ---- */

#define BUSY_SLOTS 64
static _Atomic bool busy_stop;

static void *busy_thread(void *arg)
{
	unsigned int state = (unsigned int)(uintptr_t)arg;
	void *slot[BUSY_SLOTS] = { NULL };

	while (!atomic_load(&busy_stop)) {
		unsigned int i = next_random(&state) % BUSY_SLOTS;

		free(slot[i]);
		slot[i] = malloc(next_random(&state) % (i ? 3000 : 200000));
		if (slot[i])
			*(char *)slot[i] = 1;
	}
	for (unsigned int i = 0; i < BUSY_SLOTS; i++)
		free(slot[i]);
	return NULL;
}

static void busy_start(struct kunit *test, pthread_t *threads, int n)
{
	atomic_store(&busy_stop, false);
	for (int i = 0; i < n; i++)
		KUNIT_ASSERT_EQ(test,
				pthread_create(&threads[i], NULL, busy_thread,
					       (void *)(uintptr_t)(i + 1)),
				0);
}

static void busy_end(pthread_t *threads, int n)
{
	atomic_store(&busy_stop, true);
	for (int i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
}

KUNIT_TEST(fork_with_busy_threads_leaves_a_working_child, .timeout_s = 120) /* 45 */
{
	pthread_t threads[6];

	busy_start(test, threads, 6);
	for (int i = 0; i < 400; i++) {
		pid_t pid = fork();

		if (!pid) {
			alarm(20);
			_exit(all_sizes(300000) ? 0 : 1);
		}
		KUNIT_ASSERT_EQ_MSG(test, finish(pid), 0, "fork %d", i);
	}
	busy_end(threads, 6);
}

KUNIT_TEST(the_child_of_a_threaded_fork_starts_threads, .timeout_s = 120) /* 46 */
{
	pthread_t threads[3];

	busy_start(test, threads, 3);
	for (int i = 0; i < 100; i++) {
		pid_t pid = fork();

		if (!pid) {
			pthread_t mine[3];

			alarm(20);
			busy_start(test, mine, 3);
			all_sizes(100000);
			busy_end(mine, 3);
			_exit(0);
		}
		KUNIT_ASSERT_EQ_MSG(test, finish(pid), 0, "fork %d", i);
	}
	busy_end(threads, 3);
}

static void *atfork_kept[3];

static void atfork_prepare(void)
{
	free(atfork_kept[0]);
	atfork_kept[0] = malloc(100);
}

static void atfork_parent(void)
{
	free(atfork_kept[1]);
	atfork_kept[1] = malloc(5000);
}

static void atfork_child(void)
{
	free(atfork_kept[2]);
	atfork_kept[2] = calloc(1, 100000);
}

KUNIT_TEST(atfork_handlers_may_allocate, .timeout_s = 120) /* 47 */
{
	pthread_t threads[2];

	KUNIT_ASSERT_EQ(test, pthread_atfork(atfork_prepare, atfork_parent, atfork_child), 0);
	busy_start(test, threads, 2);
	for (int i = 0; i < 50; i++) {
		pid_t pid = fork();

		if (!pid) {
			alarm(20);
			_exit(atfork_kept[2] && all_sizes(10000) ? 0 : 1);
		}
		KUNIT_ASSERT_EQ_MSG(test, finish(pid), 0, "fork %d", i);
		KUNIT_ASSERT_NOT_NULL(test, atfork_kept[1]);
	}
	busy_end(threads, 2);
}

KUNIT_TEST(a_raw_clone_without_handlers_may_allocate) /* 48 */
{
	for (int i = 0; i < 50; i++) {
		pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

		if (!pid) {
			alarm(20);
			_exit(all_sizes(100000) ? 0 : 1);
		}
		KUNIT_ASSERT_EQ(test, finish(pid), 0);
	}
}

static __attribute__((noinline)) int vfork_once(void)
{
	pid_t pid = vfork();

	if (!pid)
		_exit(0);
	return finish(pid);
}

KUNIT_TEST(vfork_and_posix_spawn_interleave) /* 49 */
{
	char *args[] = { (char *)"true", NULL };

	for (int i = 0; i < 20; i++) {
		void *p = malloc(1000 + (size_t)i);
		pid_t pid;

		KUNIT_ASSERT_EQ(test, posix_spawnp(&pid, "true", NULL, NULL, args, environ), 0);
		KUNIT_ASSERT_EQ(test, finish(pid), 0);
		KUNIT_ASSERT_EQ(test, vfork_once(), 0);
		free(p);
	}
	KUNIT_EXPECT_TRUE(test, all_sizes(100000));
}

/* ---- thread ends ---- */

static pthread_key_t rearm_key;

static void rearm(void *p)
{
	int rounds = *(int *)p;

	free(p);
	if (!rounds)
		return;
	p = malloc(64);
	*(int *)p = rounds - 1;
	pthread_setspecific(rearm_key, p);
}

static void *rearm_thread(void *arg)
{
	int *p = malloc(64);

	(void)arg;
	*p = 3;
	pthread_setspecific(rearm_key, p);
	return NULL;
}

KUNIT_TEST(key_destructors_may_allocate) /* 51 */
{
	KUNIT_ASSERT_EQ(test, pthread_key_create(&rearm_key, rearm), 0);
	for (int i = 0; i < 200; i++) {
		pthread_t t;

		KUNIT_ASSERT_EQ(test, pthread_create(&t, NULL, rearm_thread, NULL), 0);
		pthread_join(t, NULL);
	}
}

#define MANY_KEYS 200
static pthread_key_t many_keys[MANY_KEYS];

static void *many_keys_thread(void *arg)
{
	(void)arg;
	for (int i = 0; i < MANY_KEYS; i++)
		pthread_setspecific(many_keys[i], malloc(32 + (size_t)i));
	return NULL;
}

KUNIT_TEST(destructors_that_are_free_itself_work) /* 52 */
{
	for (int i = 0; i < MANY_KEYS; i++)
		KUNIT_ASSERT_EQ(test, pthread_key_create(&many_keys[i], free), 0);
	for (int i = 0; i < 20; i++) {
		pthread_t t;

		KUNIT_ASSERT_EQ(test, pthread_create(&t, NULL, many_keys_thread, NULL), 0);
		pthread_join(t, NULL);
	}
}

static void *churn_once(void *arg)
{
	for (int i = 0; i < 100; i++)
		free(opaque_ptr(malloc(16 + (size_t)i * 40)));
	return arg;
}

KUNIT_TEST(thread_churn_does_not_leak, .timeout_s = 120) /* 53 */
{
	size_t before = 0;

	skip_if_emulated(test, "counts the emulator's memory");
	for (int i = 0; i < 4000; i++) {
		pthread_t t;

		if (i == 200)
			before = resident();
		KUNIT_ASSERT_EQ(test, pthread_create(&t, NULL, churn_once, NULL), 0);
		pthread_join(t, NULL);
	}
	KUNIT_EXPECT_LT(test, resident(), before + 24 * MIB);
}

#define RING 1024
static _Atomic(void *) ring[RING];

static void *consumer(void *arg)
{
	for (unsigned long n = 0; n < (unsigned long)(uintptr_t)arg; n++) {
		void *p;

		while (!(p = atomic_exchange(&ring[n % RING], NULL)))
			sched_yield();
		free(p);
	}
	return NULL;
}

KUNIT_TEST(what_one_thread_allocates_another_frees, .timeout_s = 120) /* 54 */
{
	unsigned long total = 200000;
	size_t before = resident();
	pthread_t t;

	KUNIT_ASSERT_EQ(test, pthread_create(&t, NULL, consumer, (void *)total), 0);
	for (unsigned long n = 0; n < total; n++) {
		void *p = malloc(64 + n % 1000), *none = NULL;

		KUNIT_ASSERT_NOT_NULL(test, p);
		while (!atomic_compare_exchange_strong(&ring[n % RING], &none, p)) {
			none = NULL;
			sched_yield();
		}
	}
	pthread_join(t, NULL);
	KUNIT_EXPECT_LT(test, resident(), before + 16 * MIB);
}

static void *cancel_me(void *arg)
{
	for (;;) {
		free(opaque_ptr(malloc(100)));
		free(opaque_ptr(malloc(100000)));
		pthread_testcancel();
	}
	return arg;
}

KUNIT_TEST(cancelled_threads_leave_the_heap_whole) /* 55 */
{
	for (int i = 0; i < 200; i++) {
		pthread_t t;

		KUNIT_ASSERT_EQ(test, pthread_create(&t, NULL, cancel_me, NULL), 0);
		poll(NULL, 0, i % 3);
		pthread_cancel(t);
		pthread_join(t, NULL);
	}
	KUNIT_EXPECT_TRUE(test, all_sizes(1000000));
}

static void *small_stack(void *arg)
{
	*(bool *)arg = all_sizes(30000000);
	return NULL;
}

KUNIT_TEST(the_smallest_stacks_are_enough) /* 56 */
{
	pthread_attr_t attr;
	bool fine = false;
	pthread_t t;

	pthread_attr_init(&attr);
	KUNIT_ASSERT_EQ(test,
			pthread_attr_setstacksize(&attr, (size_t)sysconf(_SC_THREAD_STACK_MIN)), 0);
	for (int i = 0; i < 50; i++) {
		fine = false;
		KUNIT_ASSERT_EQ(test, pthread_create(&t, &attr, small_stack, &fine), 0);
		pthread_join(t, NULL);
		KUNIT_ASSERT_TRUE(test, fine);
	}
}

static void *count_up(void *arg)
{
	bool *fine = arg;

	*fine = all_sizes(200000);
	poll(NULL, 0, 50);
	*fine = *fine && all_sizes(200000);
	return NULL;
}

KUNIT_TEST(three_hundred_threads_on_few_cpus, .timeout_s = 120) /* 70 */
{
	static bool fine[300];
	static pthread_t t[300];

	for (int i = 0; i < 300; i++)
		KUNIT_ASSERT_EQ(test, pthread_create(&t[i], NULL, count_up, &fine[i]), 0);
	for (int i = 0; i < 300; i++) {
		pthread_join(t[i], NULL);
		KUNIT_EXPECT_TRUE(test, fine[i]);
	}
	KUNIT_EXPECT_LT(test, resident(), 200 * MIB);
}

/* ---- signals and stacks ---- */

static void on_alarm(int sig)
{
	(void)sig;
}

KUNIT_TEST(a_storm_of_signals_disturbs_nothing) /* 57 */
{
	struct itimerval every = { { 0, 100 }, { 0, 100 } }, never = { { 0, 0 }, { 0, 0 } };
	struct sigaction action = { .sa_handler = on_alarm };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
	for (int i = 0; i < 300; i++)
		KUNIT_ASSERT_TRUE(test, all_sizes(30000000));
	setitimer(ITIMER_REAL, &never, NULL);
}

static ucontext_t back, coroutine;
static void *handed;

static void coroutine_body(void)
{
	for (int i = 0; i < 1000; i++) {
		free(handed);
		handed = malloc(100 + (size_t)i);
		swapcontext(&coroutine, &back);
	}
}

KUNIT_TEST(coroutines_may_switch_between_malloc_and_free) /* 71 */
{
	static char stack[65536];

	getcontext(&coroutine);
	coroutine.uc_stack.ss_sp = stack;
	coroutine.uc_stack.ss_size = sizeof(stack);
	coroutine.uc_link = &back;
	makecontext(&coroutine, coroutine_body, 0);
	for (int i = 0; i < 999; i++) {
		swapcontext(&back, &coroutine);
		KUNIT_ASSERT_NOT_NULL(test, handed);
		free(handed);
		handed = malloc(10);
	}
}

/* ---- limits ---- */

/* Fill to ENOMEM under a limit of address space, free all, go on. Codes 1… say what failed. */
static int live_under_limit(size_t limit)
{
	struct rlimit as = { limit, limit };
	static void *p[100000];
	size_t n = 0;

	if (limit && setrlimit(RLIMIT_AS, &as))
		return 1;
	errno = 0;
	while (n < 100000 && (p[n] = malloc(n % 3 ? 1000 : 60000)))
		memset(p[n++], 1, 1000);
	if (n < 10 || (n < 100000 && errno != ENOMEM))
		return 2;
	for (size_t i = 0; i < n; i++)
		free(p[i]);
	if (!all_sizes(1000000))
		return 3;
	return 0;
}

KUNIT_TEST(a_limit_that_is_hit_is_ENOMEM_and_passes, .timeout_s = 120) /* 32, 35 */
{
	size_t now = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	KUNIT_ASSERT_NOT_NULL(test, f);
	KUNIT_ASSERT_EQ(test, fscanf(f, "%zu", &now), 1);
	fclose(f);
	now *= (size_t)sysconf(_SC_PAGESIZE);
	for (size_t more = 32 * MIB; more <= GIB; more *= 2) {
		pid_t pid = fork();

		if (!pid)
			_exit(live_under_limit(now + more));
		KUNIT_EXPECT_EQ_MSG(test, finish(pid), 0, "%zu MiB more", more / MIB);
	}
}

/* Re-executes this program with EDGE_START set; its constructor then answers with an exit code. */
static int start_again(const char *what, size_t as, bool close_stdio)
{
	pid_t pid = fork();

	if (!pid) {
		struct rlimit limit = { as, as };

		setenv("EDGE_START", what, 1);
		if (as)
			setrlimit(RLIMIT_AS, &limit);
		if (close_stdio)
			for (int fd = 0; fd < 3; fd++)
				close(fd);
		execl("/proc/self/exe", "again", (char *)NULL);
		_exit(99);
	}
	return finish(pid);
}

__attribute__((constructor(101))) static void started_again(void)
{
	const char *what = getenv("EDGE_START");
	void *p = NULL;

	if (!what)
		return;
	/* The first call of all, before any other constructor of the program. */
	if (!strcmp(what, "limit"))
		_exit(all_sizes(5000000) ? 0 : 1);
	else if (!strcmp(what, "malloc"))
		p = malloc(10);
	else if (!strcmp(what, "calloc"))
		p = calloc(1, 10);
	else if (!strcmp(what, "realloc"))
		p = realloc(NULL, 10);
	else if (!strcmp(what, "reallocarray"))
		p = reallocarray(NULL, 1, 10);
	else if (!strcmp(what, "memalign"))
		p = memalign(64, 10);
	else if (!strcmp(what, "aligned_alloc"))
		p = aligned_alloc(64, 10);
	else if (!strcmp(what, "posix_memalign"))
		_exit(posix_memalign(&p, 64, 10));
	else if (!strcmp(what, "valloc"))
		p = valloc(10);
	else if (!strcmp(what, "pvalloc"))
		p = pvalloc(10);
	else if (!strcmp(what, "large"))
		p = malloc(100 * MIB);
	else if (!strcmp(what, "free"))
		free(opaque_ptr(NULL)), p = &p;
	else if (!strcmp(what, "usable"))
		_exit(malloc_usable_size(opaque_ptr(NULL)) != 0);
	else if (!strcmp(what, "trim"))
		_exit(malloc_trim(0) > 1);
	else if (!strcmp(what, "mallinfo2"))
		_exit(mallinfo2().uordblks > GIB);
	else if (!strcmp(what, "fork")) {
		pid_t pid = fork();

		if (!pid)
			_exit(all_sizes(100000) ? 0 : 1);
		_exit(finish(pid));
	} else if (!strcmp(what, "mlock")) {
		if (mlockall(MCL_CURRENT | MCL_FUTURE))
			_exit(77);
		_exit(all_sizes(1000000) && resident() < 256 * MIB ? 0 : 1);
	}
	_exit(p ? 0 : 1);
}

KUNIT_TEST(every_entry_may_be_the_first) /* 17, 18, 50, 61 */
{
	static const char *const entries[] = {
		"malloc",        "calloc",         "realloc", "reallocarray", "memalign",
		"aligned_alloc", "posix_memalign", "valloc",  "pvalloc",      "large",
		"free",          "usable",         "trim",    "mallinfo2",    "fork",
	};

	skip_if_emulated(test, "cannot run its own file under an emulator");
	for (size_t i = 0; i < sizeof(entries) / sizeof(*entries); i++)
		KUNIT_EXPECT_EQ_MSG(test, start_again(entries[i], 0, false), 0, "%s", entries[i]);
}

KUNIT_TEST(it_starts_under_small_address_limits) /* 33, 34, 35 */
{
	static const size_t limits[] = { 64, 128, 256, 512, 4096 };

	skip_if_emulated(test, "cannot run its own file under an emulator");
	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++)
		KUNIT_EXPECT_EQ_MSG(test, start_again("limit", limits[i] * MIB, false), 0,
				    "RLIMIT_AS %zu MiB", limits[i]);
}

KUNIT_TEST(everything_may_be_locked_in_memory) /* 38 */
{
	int code = start_again("mlock", 0, false);

	skip_if_emulated(test, "cannot run its own file under an emulator");
	if (code == 77)
		kunit_skip(test, "mlockall is not allowed here");
	KUNIT_EXPECT_EQ(test, code, 0);
}

KUNIT_TEST(it_starts_with_stdio_closed_and_holds_no_descriptor) /* 40 */
{
	skip_if_emulated(test, "cannot run its own file under an emulator");
	KUNIT_EXPECT_EQ(test, start_again("limit", 0, true), 0);
}

KUNIT_TEST(it_works_without_descriptors) /* 39 */
{
	struct rlimit files = { 3, 3 };
	pid_t pid = fork();

	if (!pid) {
		setrlimit(RLIMIT_NOFILE, &files);
		_exit(all_sizes(5000000) ? 0 : 1);
	}
	KUNIT_EXPECT_EQ(test, finish(pid), 0);
}

/* ---- seccomp ---- */

/* Each system call of the list gets hit, every other one miss (SECCOMP_RET_*). */
static int filter(const int *calls, size_t n_calls, unsigned int hit, unsigned int miss)
{
	struct sock_filter code[40];
	struct sock_fprog program = { .filter = code };
	unsigned short n = 0;

	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						 offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < n_calls; i++) {
		code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							 (unsigned int)calls[i], 0, 1);
		code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, hit);
	}
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, miss);
	program.len = n;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static int filter_all_but_memory(void)
{
	static const int allowed[] = { SYS_mmap,       SYS_munmap, SYS_mprotect, SYS_madvise,
				       SYS_brk,        SYS_mremap, SYS_futex,    SYS_exit,
				       SYS_exit_group, SYS_write };

	return filter(allowed, sizeof(allowed) / sizeof(*allowed), SECCOMP_RET_ALLOW,
		      SECCOMP_RET_KILL_PROCESS);
}

/* An old kernel, gVisor and the like: what is newer than the hills is missing. */
static int filter_as_old_kernel(void)
{
	static const int missing[] = { SYS_rseq,      SYS_membarrier,   SYS_madvise,
				       SYS_getrandom, SYS_memfd_create, SYS_getcpu };

	return filter(missing, sizeof(missing) / sizeof(*missing), SECCOMP_RET_ERRNO | ENOSYS,
		      SECCOMP_RET_ALLOW);
}

KUNIT_TEST(an_old_kernel_is_enough) /* 73 */
{
	skip_if_emulated(test, "no system call filters under an emulator");
	for (int i = 0; i < 2; i++) {
		pid_t pid = fork();

		if (!pid) {
			setenv("EDGE_START", i ? "fork" : "limit", 1);
			if (filter_as_old_kernel())
				_exit(77);
			execl("/proc/self/exe", "again", (char *)NULL);
			_exit(99);
		}
		KUNIT_EXPECT_EQ(test, finish(pid), 0);
	}
}

KUNIT_TEST(proc_and_sys_may_be_absent) /* 41 */
{
	char dir[] = "/tmp/edge-XXXXXX";
	pid_t pid;

	KUNIT_ASSERT_NOT_NULL(test, mkdtemp(dir));
	pid = fork();
	if (!pid) {
		if (chroot(dir) || chdir("/"))
			_exit(77);
		_exit(all_sizes(30000000) && malloc_trim(0) >= 0 ? 0 : 1);
	}
	switch (finish(pid)) {
	case 0:
		break;
	case 77:
		rmdir(dir);
		kunit_skip(test, "chroot is not allowed here");
	default:
		KUNIT_FAIL(test, "the child failed");
	}
	rmdir(dir);
}

static void late_handler(void)
{
	free(opaque_ptr(malloc(1000)));
}

static void *never_ends(void *arg)
{
	for (;;)
		free(opaque_ptr(malloc(700)));
	return arg;
}

KUNIT_TEST(exit_handlers_may_allocate_beside_a_live_thread) /* 62 */
{
	for (int i = 0; i < 10; i++) {
		pid_t pid = fork();

		if (!pid) {
			pthread_t t;

			alarm(20);
			for (int n = 0; n < 200; n++)
				atexit(late_handler);
			pthread_create(&t, NULL, never_ends, NULL);
			pthread_detach(t);
			exit(0);
		}
		KUNIT_EXPECT_EQ(test, finish(pid), 0);
	}
}

KUNIT_TEST(memory_system_calls_are_enough) /* 42 */
{
	pid_t pid = fork();

	skip_if_emulated(test, "no system call filters under an emulator");
	if (!pid) {
		if (filter_all_but_memory())
			_exit(77);
		_exit(all_sizes(30000000) ? 0 : 1);
	}
	KUNIT_EXPECT_EQ(test, finish(pid), 0);
}

KUNIT_TEST(warm_small_blocks_need_no_system_call) /* 43 */
{
	pid_t pid = fork();

	skip_if_emulated(test, "no system call filters under an emulator");
	if (!pid) {
		free(opaque_ptr(malloc(64)));
		if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT))
			_exit(77);
		for (int i = 0; i < 1000; i++)
			free(opaque_ptr(malloc(64)));
		syscall(SYS_exit, 0); /* strict mode knows no exit_group */
	}
	KUNIT_EXPECT_EQ(test, finish(pid), 0);
}

KUNIT_TEST(dropping_privileges_changes_nothing) /* 44 */
{
	pid_t pid = fork();

	if (!pid) {
		if (!geteuid() && setresuid(65534, 65534, 65534))
			_exit(77);
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		_exit(all_sizes(30000000) ? 0 : 1);
	}
	KUNIT_EXPECT_EQ(test, finish(pid), 0);
}

/* ---- the address space ---- */

KUNIT_TEST(memory_goes_back, .timeout_s = 120) /* 67 */
{
	size_t n = 300 * MIB / 256, full, before = resident();
	void **p = malloc(n * sizeof(*p));

	KUNIT_ASSERT_NOT_NULL(test, p);
	for (size_t i = 0; i < n; i++) {
		p[i] = malloc(256);
		KUNIT_ASSERT_NOT_NULL(test, p[i]);
		memset(p[i], 1, 256);
	}
	full = resident();
	for (size_t i = 0; i < n; i++)
		free(p[i]);
	free(p);
	for (int i = 0; i < 200 && resident() - before > (full - before) / 2; i++) {
		poll(NULL, 0, 10);
		all_sizes(20000); /* ordinary life goes on */
	}
	KUNIT_EXPECT_LT(test, resident() - before, (full - before) / 2);
	malloc_trim(0);
	KUNIT_EXPECT_LT(test, resident() - before, (full - before) / 10);
}

KUNIT_TEST(many_large_blocks_do_not_exhaust_mappings, .timeout_s = 120) /* 68 */
{
	size_t n = 70000;
	char **p = malloc(n * sizeof(*p));

	KUNIT_ASSERT_NOT_NULL(test, p);
	for (size_t i = 0; i < n; i++) {
		p[i] = malloc(140 * KIB);
		KUNIT_ASSERT_NOT_NULL_MSG(test, p[i], "block %zu", i);
	}
	for (size_t i = 0; i < n; i++)
		free(p[i]);
	free(p);
}

KUNIT_TEST(foreign_brk_memory_stays_intact) /* 69 */
{
	char *mine = sbrk(65536);

	KUNIT_ASSERT_PTR_NE(test, mine, (void *)-1);
	fill(mine, 65536, 7);
	KUNIT_EXPECT_TRUE(test, all_sizes(30000000));
	for (int i = 0; i < 100; i++) {
		void *map = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				 -1, 0);

		KUNIT_ASSERT_PTR_NE(test, map, MAP_FAILED);
		all_sizes(100000);
		munmap(map, 65536);
	}
	KUNIT_EXPECT_EQ(test, mismatch(mine, 65536, 7), 65536);
}

KUNIT_TEST(the_heap_is_not_executable) /* 72 */
{
	char line[512], perms[8];
	unsigned long start, end;
	void *p[] = { malloc(10), malloc(10000), malloc(10000000) };
	FILE *f = fopen("/proc/self/maps", "r");

	KUNIT_ASSERT_NOT_NULL(test, f);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx %7s", &start, &end, perms) != 3)
			continue;
		for (size_t i = 0; i < 3; i++) {
			if ((unsigned long)p[i] >= start && (unsigned long)p[i] < end)
				KUNIT_EXPECT_NULL_MSG(test, strchr(perms, 'x'), "%s", line);
		}
	}
	fclose(f);
	for (size_t i = 0; i < 3; i++)
		free(p[i]);
}

KUNIT_TEST(changing_cpus_disturbs_nothing) /* 74 */
{
	pthread_t threads[2];
	cpu_set_t all;

	KUNIT_ASSERT_EQ(test, sched_getaffinity(0, sizeof(all), &all), 0);
	busy_start(test, threads, 2);
	for (int i = 0; i < 2000; i++) {
		cpu_set_t one;

		CPU_ZERO(&one);
		for (int cpu = i % CPU_SETSIZE, seen = 0; seen < CPU_SETSIZE; seen++) {
			cpu = (i + seen) % CPU_COUNT(&all);
			if (CPU_ISSET(cpu, &all)) {
				CPU_SET(cpu, &one);
				break;
			}
		}
		if (CPU_COUNT(&one))
			sched_setaffinity(0, sizeof(one), &one);
		KUNIT_ASSERT_TRUE(test, all_sizes(10000));
	}
	sched_setaffinity(0, sizeof(all), &all);
	busy_end(threads, 2);
}
