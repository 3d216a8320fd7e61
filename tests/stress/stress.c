/* SPDX-License-Identifier: MIT */
/*
 * stress.c - everything at once, for as long as asked: stress [-s SEED] [SECONDS]
 *
 * Workers allocate and free through one table of entries, so nearly every free is another
 * thread's. Each is interrupted by a timer whose handler does the same in atomic
 * context. Beside them: one thread makes and destroys caches, one shrinks, trims and
 * prints, one forks children that allocate, check what they inherited and walk the
 * structures, one moves the workers from CPU to CPU. A shrinker frees entries
 * when memory is short.
 *
 * Proof: each object is filled with bytes that follow from its entry's key, and all of them
 * (the ends and a few in the middle of a large one) are compared before it is freed.
 * Every ROUND_S seconds the world stands still: all objects are compared, all validators
 * walk. At the end everything is freed and no cache of ours may hold an object. The library
 * may not say a word: every allocation is __GFP_NOWARN. A hang ends in SIGALRM.
 *
 * An entry is locked with its busy flag, which is only ever tried: a handler that
 * interrupted the holder takes another entry.
 */

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <slabwork/kvmalloc.h>
#include <slabwork/mm.h>
#include <slabwork/rcupdate.h>
#include <slabwork/show.h>
#include <slabwork/shrinker.h>
#include <slabwork/slab.h>
#include <slabwork/vmalloc.h>

#include "kernel/printk.h"
#include "lib/list.h"
#include "mm/page_alloc.h"
#include "mm/percpu.h"
#include "mm/slab.h"
#include "mm/vmalloc.h"
#include "mm/vmscan.h"

#define WORKERS     4
#define ENTRIES     3000
#define ROUND_S     5
#define TICK_NS     150000
#define CHILD_S     30 /* a child that takes longer hangs */
#define MAX_BLOCK   3  /* order of page blocks */
#define NR_CACHES   8
#define BULK        48
#define SHORT_BYTES 600 /* objects up to here are compared whole */

/* ThreadSanitizer cannot start threads in the child of a process that has some. */
#if defined(__SANITIZE_THREAD__)
#define CHILD_THREADS false
#else
#define CHILD_THREADS true
#endif

enum kind { KMALLOC, TYPED, BLOCK, AREA, NR_KINDS };

struct entry {
	_Atomic int busy;
	enum kind kind;
	void *p;
	size_t size;
	unsigned int cache; /* TYPED */
	uint64_t key;
};

static struct entry entries[ENTRIES];
static struct kmem_cache *caches[NR_CACHES];
static const struct {
	unsigned int size, align;
	slab_flags_t flags;
} shapes[NR_CACHES] = {
	{ 8, 0, 0 },
	{ 24, 0, SLAB_NO_MERGE },
	{ 72, 64, SLAB_NO_MERGE },
	{ 200, 0, SLAB_RECLAIM_ACCOUNT | SLAB_NO_MERGE },
	{ 320, 0, SLAB_TYPESAFE_BY_RCU | SLAB_NO_MERGE },
	{ 1000, 0, SLAB_HWCACHE_ALIGN | SLAB_NO_MERGE },
	{ 2500, 0, SLAB_NO_MERGE },
	{ 9000, 0, SLAB_NO_MERGE },
};

static _Atomic bool stop, pause_all;
static _Atomic unsigned int paused;
static _Atomic unsigned long allocs, frees, refused, ticks, forks, lives, trims, moves, shrunk;
static _Atomic bool failed;
static _Atomic pid_t tids[WORKERS];
static int nr_cpus;

static __attribute__((format(printf, 1, 2))) void fail(const char *fmt, ...)
{
	char text[256];
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(text, sizeof(text) - 1, fmt, args);
	va_end(args);
	n = n < (int)sizeof(text) - 1 ? n : (int)sizeof(text) - 2;
	text[n++] = '\n';
	if (write(STDERR_FILENO, text, (size_t)n) < 0)
		_exit(3);
	atomic_store(&failed, true);
	abort();
}

/* What the library says is a failure; it is told first. */
static void heard(const char *text, unsigned long len)
{
	if (write(STDERR_FILENO, text, len) < 0)
		_exit(3);
	atomic_store(&failed, true);
}

static uint64_t next(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x * 0x2545f4914f6cdd1dull;
}

/* ---- the bytes of an object ---- */

static unsigned char byte_at(uint64_t key, size_t i)
{
	return (unsigned char)((key >> (i % 8 * 8)) + i / 8 * 13);
}

static void fill_range(unsigned char *p, uint64_t key, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		p[i] = byte_at(key, i);
}

static void compare_range(const struct entry *e, size_t from, size_t to)
{
	const unsigned char *p = e->p;

	for (size_t i = from; i < to; i++)
		if (p[i] != byte_at(e->key, i))
			fail("kind %d, %zu bytes at %p: byte %zu is %#x, not %#x", (int)e->kind,
			     e->size, e->p, i, p[i], byte_at(e->key, i));
}

static void fill(struct entry *e)
{
	if (e->size <= SHORT_BYTES) {
		fill_range(e->p, e->key, 0, e->size);
		return;
	}
	fill_range(e->p, e->key, 0, 128);
	fill_range(e->p, e->key, e->size / 2, e->size / 2 + 64);
	fill_range(e->p, e->key, e->size - 128, e->size);
}

static void compare(const struct entry *e)
{
	if (e->size <= SHORT_BYTES) {
		compare_range(e, 0, e->size);
		return;
	}
	compare_range(e, 0, 128);
	compare_range(e, e->size / 2, e->size / 2 + 64);
	compare_range(e, e->size - 128, e->size);
}

/* ---- one entry; its busy flag is ours ---- */

static size_t some_size(uint64_t r)
{
	unsigned int top = 3 + (unsigned int)(r % 100 < 90 ? r % 9 : r % 13);

	return 1 + (r >> 8) % (1UL << top);
}

static void entry_alloc(struct entry *e, uint64_t r, gfp_t gfp)
{
	bool may_sleep = gfpflags_allow_blocking(gfp);
	unsigned int order = (unsigned int)(r >> 20) % (MAX_BLOCK + 1);

	e->key = r | 1;
	e->kind = (r >> 40) % 100 < 60 ? KMALLOC : (r >> 40) % 100 < 92 ? TYPED : BLOCK;
	if (may_sleep && (r >> 40) % 100 > 97)
		e->kind = AREA;
	gfp |= __GFP_NOWARN;
	switch (e->kind) {
	case KMALLOC:
		e->size = some_size(r >> 12);
		e->p = (r >> 30) % 16 ? kmalloc(e->size, gfp) :
					kmalloc_node(e->size, gfp, (int)((r >> 34) % nr_node_ids));
		break;
	case TYPED:
		e->cache = (unsigned int)(r >> 12) % NR_CACHES;
		e->size = shapes[e->cache].size;
		e->p = kmem_cache_alloc(caches[e->cache], gfp);
		break;
	case BLOCK:
		e->size = PAGE_SIZE << order;
		e->p = (void *)__get_free_pages(gfp, order);
		break;
	default:
		e->size = 1 + (r >> 12) % 100000;
		e->p = (r >> 30) & 1 ? kvmalloc(e->size, gfp) : __vmalloc(e->size, gfp);
		break;
	}
	if (e->p) {
		fill(e);
		atomic_fetch_add_explicit(&allocs, 1, memory_order_relaxed);
	} else {
		atomic_fetch_add_explicit(&refused, 1, memory_order_relaxed);
	}
}

static void entry_free(struct entry *e, uint64_t r, bool may_sleep)
{
	compare(e);
	switch (e->kind) {
	case KMALLOC:
		if (may_sleep && e->size >= sizeof(struct rcu_head) && r % 32 == 0)
			kvfree_call_rcu_mightsleep(e->p);
		else if (r % 5 == 0)
			kfree_nolock(e->p);
		else
			kfree(e->p);
		break;
	case TYPED:
		kmem_cache_free(caches[e->cache], e->p);
		break;
	case BLOCK:
		free_pages((unsigned long)e->p, (unsigned int)__builtin_ctzl(e->size / PAGE_SIZE));
		break;
	default:
		if (may_sleep)
			kvfree(e->p);
		else
			kvfree_atomic(e->p);
		break;
	}
	e->p = NULL;
	atomic_fetch_add_explicit(&frees, 1, memory_order_relaxed);
}

static void entry_realloc(struct entry *e, uint64_t r)
{
	size_t size = some_size(r), same = size < e->size ? size : e->size;
	void *p;

	compare(e);
	/* Only the first bytes were ever written of what is larger. */
	same = same < 128 ? same : 128;
	p = krealloc(e->p, size, GFP_KERNEL | __GFP_NOWARN);
	if (!p)
		return;
	e->p = p;
	e->size = size;
	compare_range(e, 0, same);
	fill(e);
}

static struct entry *entry_take(uint64_t *x)
{
	for (int i = 0; i < 16; i++) {
		struct entry *e = &entries[(next(x) >> 33) % ENTRIES];

		if (!atomic_exchange_explicit(&e->busy, 1, memory_order_acquire))
			return e;
	}
	return NULL;
}

static void entry_put(struct entry *e)
{
	atomic_store_explicit(&e->busy, 0, memory_order_release);
}

static void one_step(uint64_t *x, gfp_t gfp)
{
	struct entry *e = entry_take(x);
	uint64_t r = next(x);

	if (!e)
		return;
	if (!e->p)
		entry_alloc(e, r, gfp);
	else if (gfpflags_allow_blocking(gfp) && e->kind == KMALLOC && r % 8 == 0)
		entry_realloc(e, r >> 8);
	else
		entry_free(e, r, gfpflags_allow_blocking(gfp));
	entry_put(e);
}

/* ---- threads ---- */

/* Between two steps: if the world is to stand still, stand still. */
static void rest_if_asked(void)
{
	if (!atomic_load(&pause_all))
		return;
	atomic_fetch_add(&paused, 1);
	while (atomic_load(&pause_all))
		usleep(1000);
	atomic_fetch_sub(&paused, 1);
}

static __thread uint64_t handler_random;

static void on_tick(int sig)
{
	static const gfp_t contexts[] = { GFP_ATOMIC, GFP_NOWAIT, GFP_ATOMIC | __GFP_ZERO };
	int saved = errno;

	(void)sig;
	if (atomic_load(&pause_all) || atomic_load(&stop))
		return;
	for (int i = 0; i < 3; i++)
		one_step(&handler_random, contexts[i]);
	atomic_fetch_add_explicit(&ticks, 1, memory_order_relaxed);
	errno = saved;
}

static timer_t start_timer(void)
{
	struct sigevent ev = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1 };
	struct itimerspec every = { { 0, TICK_NS }, { 0, TICK_NS } };
	timer_t timer;

	ev._sigev_un._tid = (pid_t)syscall(SYS_gettid);
	if (timer_create(CLOCK_MONOTONIC, &ev, &timer) || timer_settime(timer, 0, &every, NULL))
		fail("no timer");
	return timer;
}

static void bulk_step(uint64_t *x)
{
	struct kmem_cache *s = caches[(next(x) >> 20) % NR_CACHES];
	unsigned int n = 1 + (unsigned int)(next(x) >> 20) % BULK;
	struct slab_sheaf *sheaf;
	void *p[BULK];

	if (next(x) & 256) {
		n = (unsigned int)kmem_cache_alloc_bulk(s, GFP_KERNEL | __GFP_NOWARN, n, p);
		for (unsigned int i = 0; i < n; i++)
			memset(p[i], 0xa5, 8);
		kmem_cache_free_bulk(s, n, p);
		return;
	}
	sheaf = kmem_cache_prefill_sheaf(s, GFP_KERNEL | __GFP_NOWARN, n);
	if (!sheaf)
		return;
	for (unsigned int i = 0; i < n; i++) {
		p[i] = kmem_cache_alloc_from_sheaf(s, GFP_NOWAIT, sheaf);
		memset(p[i], 0x5a, 8);
	}
	kmem_cache_return_sheaf(s, GFP_KERNEL, sheaf);
	for (unsigned int i = 0; i < n; i++)
		kmem_cache_free(s, p[i]);
}

static void *worker(void *arg)
{
	uint64_t x = (uint64_t)(uintptr_t)arg * 0x9e3779b97f4a7c15ull + 1;
	timer_t timer;

	handler_random = ~x;
	atomic_store(&tids[(uintptr_t)arg % WORKERS], (pid_t)syscall(SYS_gettid));
	timer = start_timer();
	while (!atomic_load(&stop)) {
		rest_if_asked();
		for (int i = 0; i < 50; i++)
			one_step(&x, next(&x) & 3 ? GFP_KERNEL : GFP_ATOMIC);
		if (next(&x) % 16 == 0)
			bulk_step(&x);
	}
	timer_delete(timer);
	return NULL;
}

static void construct(void *p)
{
	memset(p, 0x3c, 8);
}

/* A cache's whole life, half of its objects freed one by one. */
static void *churner(void *arg)
{
	uint64_t x = (uint64_t)(uintptr_t)arg | 1;

	while (!atomic_load(&stop)) {
		unsigned int size = 8 + (unsigned int)(next(&x) >> 40) % 3000, n = 0;
		bool ctor = next(&x) & 512;
		struct kmem_cache *s;
		char *p[100];

		rest_if_asked();
		s = kmem_cache_create("brief", size, 0,
				      SLAB_NO_MERGE | (next(&x) & 2048 ? SLAB_TYPESAFE_BY_RCU : 0),
				      ctor ? construct : NULL);
		if (!s)
			continue;
		for (; n < 100 && (p[n] = kmem_cache_alloc(s, GFP_KERNEL | __GFP_NOWARN)); n++)
			if (ctor && (p[n][0] != 0x3c || p[n][7] != 0x3c))
				fail("%p is not constructed", (void *)p[n]);
		for (unsigned int i = 0; i < n / 2; i++)
			kmem_cache_free(s, p[i]);
		if (next(&x) & 1024)
			kmem_cache_shrink(s);
		kmem_cache_free_bulk(s, n - n / 2, (void **)p + n / 2);
		kmem_cache_destroy(s);
		atomic_fetch_add(&lives, 1);
	}
	return NULL;
}

static void *shrinker_thread(void *arg)
{
	static char text[1 << 16];
	uint64_t x = (uint64_t)(uintptr_t)arg | 1;

	while (!atomic_load(&stop)) {
		rest_if_asked();
		switch ((next(&x) >> 30) % 6) {
		case 0:
			sw_trim((next(&x) >> 30) % (1 << 20));
			break;
		case 1:
			sw_shrink((int)(next(&x) >> 30) % 4);
			break;
		case 2:
			if (sw_show_buf(text, sizeof(text), "slabinfo", NULL) < 0)
				fail("no slabinfo");
			break;
		case 3:
			vm_unmap_aliases();
			break;
		default:
			kmem_cache_shrink(caches[(next(&x) >> 30) % NR_CACHES]);
			break;
		}
		atomic_fetch_add(&trims, 1);
		usleep((useconds_t)(next(&x) >> 30) % 3000);
	}
	return NULL;
}

static void *mover(void *arg)
{
	uint64_t x = (uint64_t)(uintptr_t)arg | 1;

	while (!atomic_load(&stop)) {
		cpu_set_t one;

		rest_if_asked();
		CPU_ZERO(&one);
		CPU_SET((next(&x) >> 30) % (unsigned int)nr_cpus, &one);
		sched_setaffinity(atomic_load(&tids[(next(&x) >> 30) % WORKERS]), sizeof(one),
				  &one);
		atomic_fetch_add(&moves, 1);
		usleep(500);
	}
	return NULL;
}

/* ---- looking at everything ---- */

static void validate(const char *when)
{
	struct kmem_cache *s;
	const char *what;
	int err;

	list_for_each_entry(s, &slab_caches, list) {
		err = kmem_cache_validate(s);
		if (err)
			fail("%s: %s: invariant %d is broken", when, s->name, err);
	}
	err = page_alloc_validate();
	if (err)
		fail("%s: pages: invariant %d is broken", when, err);
	if ((what = vmap_validate()))
		fail("%s: areas: %s", when, what);
	if ((what = percpu_validate()))
		fail("%s: per-CPU memory: %s", when, what);
	if ((what = shrinker_validate()))
		fail("%s: shrinkers: %s", when, what);
}

static void compare_all(void)
{
	for (int i = 0; i < ENTRIES; i++)
		if (entries[i].p)
			compare(&entries[i]);
}

/* ---- fork ---- */

static void *child_thread(void *arg)
{
	uint64_t x = (uint64_t)(uintptr_t)arg | 1;

	for (int i = 0; i < 500; i++)
		one_step(&x, GFP_KERNEL);
	return NULL;
}

/* What others held busy at the fork stays so; the rest is whole. */
static void child(uint64_t x)
{
	pthread_t thread;

	alarm(CHILD_S);
	for (int i = 0; i < 300; i++)
		one_step(&x, GFP_KERNEL);
	if (CHILD_THREADS && pthread_create(&thread, NULL, child_thread, (void *)(uintptr_t)x))
		fail("no thread in a child");
	child_thread((void *)(uintptr_t)~x);
	if (CHILD_THREADS)
		pthread_join(thread, NULL);
	for (int i = 0; i < ENTRIES; i++)
		if (!entries[i].busy && entries[i].p)
			compare(&entries[i]);
	for (int i = 0; i < NR_CACHES; i++)
		kmem_cache_shrink(caches[i]);
	_exit(0);
}

static void *forker(void *arg)
{
	uint64_t x = (uint64_t)(uintptr_t)arg | 1;

	while (!atomic_load(&stop)) {
		int status = 0;
		pid_t pid;

		rest_if_asked();
		pid = fork();
		if (!pid)
			child(next(&x));
		if (pid < 0 || waitpid(pid, &status, 0) != pid)
			fail("no child: %s", strerror(errno));
		if (status)
			fail("a child ended with status %#x%s", status,
			     WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? ": it hangs" :
										  "");
		atomic_fetch_add(&forks, 1);
		usleep(5000);
	}
	return NULL;
}

/* ---- the shrinker ---- */

static unsigned long count(struct shrinker *shrinker, struct shrink_control *sc)
{
	(void)shrinker, (void)sc;
	return ENTRIES / 4;
}

static unsigned long scan(struct shrinker *shrinker, struct shrink_control *sc)
{
	static _Atomic uint64_t seed = 7;
	uint64_t x = atomic_fetch_add(&seed, 0x9e3779b97f4a7c15ull) | 1;
	unsigned long n = 0;

	(void)shrinker;
	for (unsigned long i = 0; i < sc->nr_to_scan; i++) {
		struct entry *e = entry_take(&x);

		if (!e)
			break;
		/* Not what waits for a grace period or frees other pages than these. */
		if (e->p) {
			entry_free(e, 1, false);
			n++;
		}
		entry_put(e);
	}
	atomic_fetch_add(&shrunk, n);
	return n;
}

/* ---- the whole ---- */

static void stand_still(unsigned int nr_threads, const char *when)
{
	atomic_store(&pause_all, true);
	for (int i = 0; atomic_load(&paused) < nr_threads; i++) {
		if (i > 30000)
			fail("%u of %u threads do not come to rest", nr_threads - paused,
			     nr_threads);
		usleep(1000);
	}
	usleep(2000); /* a handler that began before */
	compare_all();
	validate(when);
	if (nr_threads)
		atomic_store(&pause_all, false);
	while (nr_threads && atomic_load(&paused))
		usleep(1000);
}

static unsigned long live(struct kmem_cache *s)
{
	struct slabinfo info;

	get_slabinfo(s, &info);
	return info.active_objs;
}

static void free_all(void)
{
	for (int i = 0; i < ENTRIES; i++) {
		if (entries[i].busy)
			fail("entry %d is still held", i);
		if (entries[i].p)
			entry_free(&entries[i], 1, true);
	}
	kvfree_rcu_barrier();
	rcu_barrier();
	for (int i = 0; i < NR_CACHES; i++) {
		/* The first is merged: others' objects are in it. */
		if (i && live(caches[i]))
			fail("%lu objects of %u bytes are left", live(caches[i]), shapes[i].size);
		kmem_cache_destroy(caches[i]);
	}
	sw_trim(0);
	validate("at the end");
}

int main(int argc, char **argv)
{
	void *(*const threads[])(void *) = { worker,  worker,          worker, worker,
					     churner, shrinker_thread, mover,  forker };
	enum { NR_THREADS = sizeof(threads) / sizeof(threads[0]) };
	struct sigaction act = { .sa_handler = on_tick, .sa_flags = SA_RESTART };
	uint64_t seed = (uint64_t)time(NULL);
	struct shrinker *shrinker;
	pthread_t t[NR_THREADS];
	int seconds, opt;

	while ((opt = getopt(argc, argv, "s:")) != -1) {
		if (opt != 's')
			return 2;
		seed = strtoull(optarg, NULL, 0);
	}
	seconds = optind < argc ? atoi(argv[optind]) : 10;
	printf("# seed %llu, %d s, SLABWORK=\"%s\": ", (unsigned long long)seed, seconds,
	       getenv("SLABWORK") ? getenv("SLABWORK") : "");
	fflush(stdout);
	alarm((unsigned int)seconds * 2 + 60);
	nr_cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);
	sigaction(SIGUSR1, &act, NULL);

	for (int i = 0; i < NR_CACHES; i++) {
		char name[32];

		snprintf(name, sizeof(name), "stress-%u", shapes[i].size);
		caches[i] = kmem_cache_create(name, shapes[i].size, shapes[i].align,
					      shapes[i].flags, NULL);
		if (!caches[i])
			fail("no cache of %u bytes", shapes[i].size);
	}
	shrinker = shrinker_alloc(0, "stress");
	if (!shrinker)
		fail("no shrinker");
	shrinker->count_objects = count;
	shrinker->scan_objects = scan;
	shrinker_register(shrinker);
	printk_sink = heard;
	for (int i = 0; i < NR_THREADS; i++)
		if (pthread_create(&t[i], NULL, threads[i],
				   (void *)(uintptr_t)(seed * WORKERS + (uint64_t)i)))
			fail("no thread");
	for (int done = 0; done < seconds; done += ROUND_S) {
		sleep(seconds - done < ROUND_S ? (unsigned int)(seconds - done) : ROUND_S);
		stand_still(NR_THREADS, "standing still");
	}
	atomic_store(&stop, true);
	for (int i = 0; i < NR_THREADS; i++)
		pthread_join(t[i], NULL);
	shrinker_free(shrinker);
	free_all();
	printf("%lu allocated, %lu refused, %lu signals, %lu caches, %lu trims, %lu moves, %lu forks, "
	       "%lu shrunk: %s\n",
	       allocs, refused, ticks, lives, trims, moves, forks, shrunk,
	       failed ? "FAILED" : "ok");
	return failed;
}
