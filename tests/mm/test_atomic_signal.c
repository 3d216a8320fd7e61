/* SPDX-License-Identifier: MIT */
/*
 * test_atomic_signal.c - GFP_ATOMIC, GFP_NOWAIT and kmalloc_nolock in a signal handler
 *
 * Two kinds of proof. By number: a timer signal at a high rate interrupts threads that
 * allocate and free, and the handler does the same. By construction: each lock of the
 * allocator is held on purpose while the handler runs: it must come back all the same.
 * A deadlock ends in SIGALRM.
 */

#include "slab_test.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>

#include "kernel/lock.h"
#include "mm/page_alloc.h"

#define THREADS     4
#define RUN_S       5
#define INTERVAL_NS 70000
#define KEEP        24 /* objects a handler keeps from one signal to another */

static struct kmem_cache *typed;
static _Atomic unsigned long handled, got, failed, broken;
static _Atomic bool stop;

struct mark {
	uintptr_t self;
	size_t size;
};

static void mark(void *p, size_t size)
{
	struct mark *m = p;

	*m = (struct mark){ (uintptr_t)p, size };
	if (size > sizeof(*m))
		((char *)p)[size - 1] = 0x5c;
}

static void check_free(void *p, unsigned int how)
{
	struct mark *m = p;

	if (!p)
		return;
	if (m->self != (uintptr_t)p || (m->size > sizeof(*m) && ((char *)p)[m->size - 1] != 0x5c))
		atomic_fetch_add(&broken, 1);
	m->self = 0;
	if (how % 3 == 0)
		kfree(p);
	else if (how % 3 == 1)
		kfree_nolock(p);
	else
		sw_kfree(p);
}

/* What the handlers of one thread hold: exchanged atomically, as a handler may interrupt one. */
struct keeper {
	_Atomic(void *) slot[KEEP];
	_Atomic unsigned int turn;
};
static __thread struct keeper keeper;

static void *atomic_object(unsigned int turn)
{
	static const size_t sizes[] = { 16, 24, 40, 64, 100, 192, 400, 1024, 3000, 8192, 20000 };
	size_t size = sizes[turn % (sizeof(sizes) / sizeof(sizes[0]))];
	void *p;

	switch (turn / 11 % 4) {
	case 0:
		p = kmalloc(opaque(size), GFP_ATOMIC | __GFP_NOWARN);
		break;
	case 1:
		p = kmalloc(opaque(size), GFP_NOWAIT | __GFP_NOWARN);
		break;
	case 2:
		p = kmalloc_nolock(size, 0, NUMA_NO_NODE);
		break;
	default:
		size = 72;
		p = kmem_cache_alloc(typed, GFP_ATOMIC | __GFP_NOWARN);
		break;
	}
	if (p) {
		mark(p, size);
		atomic_fetch_add_explicit(&got, 1, memory_order_relaxed);
	} else {
		atomic_fetch_add_explicit(&failed, 1, memory_order_relaxed);
	}
	return p;
}

static void on_tick(int sig)
{
	unsigned int turn = atomic_fetch_add(&keeper.turn, 1);
	int saved = errno;

	(void)sig;
	for (unsigned int i = 0; i < 3; i++) {
		void *p = atomic_object(turn * 3 + i);

		p = atomic_exchange(&keeper.slot[(turn * 3 + i) * 7 % KEEP], p);
		check_free(p, turn);
	}
	atomic_fetch_add_explicit(&handled, 1, memory_order_relaxed);
	errno = saved;
}

static void *busy(void *arg)
{
	struct sigevent ev = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1 };
	struct itimerspec every = { { 0, INTERVAL_NS }, { 0, INTERVAL_NS } };
	void *held[64] = { 0 };
	uint64_t x = (uint64_t)(uintptr_t)arg * 0x9e3779b97f4a7c15ull + 1;
	timer_t timer;

	ev._sigev_un._tid = (pid_t)syscall(SYS_gettid);
	if (timer_create(CLOCK_MONOTONIC, &ev, &timer) || timer_settime(timer, 0, &every, NULL)) {
		atomic_fetch_add(&broken, 1000000);
		return NULL;
	}
	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		unsigned int i;
		size_t size;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		i = (unsigned int)(x >> 20) % 64;
		size = sizeof(struct mark) +
		       ((x >> 30) % 100 ? (x >> 40) % 1500 : (x >> 40) % 60000);
		check_free(held[i], (unsigned int)(x >> 8));
		held[i] = (x >> 16) & 1 ? kmem_cache_alloc(typed, GFP_KERNEL) :
					  kmalloc(opaque(size), GFP_KERNEL);
		if (held[i])
			mark(held[i], (x >> 16) & 1 ? 72 : size);
		if ((x >> 50) % 4096 == 0)
			kmem_cache_shrink(typed);
	}
	timer_delete(timer);
	for (int i = 0; i < 64; i++)
		check_free(held[i], 0);
	for (int i = 0; i < KEEP; i++)
		check_free(atomic_exchange(&keeper.slot[i], NULL), 0);
	return NULL;
}

static void storm(struct kunit *test)
{
	struct sigaction act = { .sa_handler = on_tick, .sa_flags = SA_RESTART };
	pthread_t t[THREADS];

	typed = kmem_cache_create("typed", 72, 0, 0, NULL);
	sigaction(SIGUSR1, &act, NULL);
	alarm(RUN_S + 30);
	for (uintptr_t i = 0; i < THREADS; i++)
		pthread_create(&t[i], NULL, busy, (void *)(i + 1 + (uintptr_t)kunit_seed(test)));
	sleep(RUN_S);
	atomic_store(&stop, true);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	alarm(0);
	kunit_log_line("%lu signals, %lu objects, %lu times none", handled, got, failed);
	KUNIT_EXPECT_EQ(test, broken, 0);
	KUNIT_EXPECT_GT(test, handled, 1000);
	/* Atomic requests may fail, but not as a rule. */
	KUNIT_EXPECT_GT(test, got, failed * 10);
	KUNIT_EXPECT_EQ(test, validate_all(), 0);
	KUNIT_EXPECT_EQ(test, page_alloc_validate(), 0);
	kmem_cache_shrink(typed);
	KUNIT_EXPECT_EQ(test, live_objects(typed), 0);
	for (unsigned int i = 1; i <= KMALLOC_SHIFT_HIGH; i++) {
		struct kmem_cache *s = kmalloc_caches[KMALLOC_NORMAL][i];

		/* What a busy moment parked is drained by the next slow path that may wait. */
		kmem_cache_shrink(s);
		KUNIT_EXPECT_EQ(test, live_objects(s), i == 9 ? live_objects(s) : 0, "%s", s->name);
	}
	listen();
	kmem_cache_destroy(typed);
	listen_no_more();
	KUNIT_EXPECT_STREQ(test, said, "");
}

TEST_IN_BOTH_MODES(a_timer_signal_allocates_and_frees_at_a_high_rate, .timeout_s = 120)
{
	storm(test);
}

/* ---- a holder is interrupted ---- */

/*
 * The main thread holds a lock and raises a signal; the handler allocates and frees enough to need
 * that lock. It must return: with memory or without.
 */
static unsigned int handler_got, handler_null;

static void *handler_kept[3000];

static void greedy(int sig)
{
	unsigned int n = 0;

	(void)sig;
	/* More than sheaves hold, so that slabs and pages are needed, then all back. */
	for (int i = 0; i < 3000; i++) {
		void *p = i % 3 == 0 ? kmalloc(64, GFP_ATOMIC | __GFP_NOWARN) :
			  i % 3 == 1 ? kmalloc_nolock(opaque((size_t)i * 4 + 16), 0, NUMA_NO_NODE) :
				       kmem_cache_alloc(typed, GFP_NOWAIT | __GFP_NOWARN);

		if (p) {
			mark(p, 16);
			handler_kept[n++] = p;
			handler_got++;
		} else {
			handler_null++;
		}
	}
	while (n--)
		check_free(handler_kept[n], n);
}

static void interrupt_holder(struct kunit *test, spinlock_t *lock, const char *what)
{
	handler_got = handler_null = 0;
	spin_lock(lock);
	raise(SIGUSR2);
	KUNIT_EXPECT_TRUE(test, spin_is_locked(lock));
	spin_unlock(lock);
	kunit_log_line("%s held: %u objects, %u times none", what, handler_got, handler_null);
}

static void prepare_holder(void)
{
	struct sigaction act = { .sa_handler = greedy };

	typed = kmem_cache_create("typed", 72, 0, 0, NULL);
	sigaction(SIGUSR2, &act, NULL);
	alarm(40);
}

static void after_holder(struct kunit *test)
{
	alarm(0);
	KUNIT_EXPECT_EQ(test, broken, 0);
	KUNIT_EXPECT_EQ(test, validate_all(), 0);
	/* What could not be put away waits for somebody who may: then nothing is missing. */
	kmem_cache_shrink(typed);
	KUNIT_EXPECT_EQ(test, live_objects(typed), 0);
	KUNIT_EXPECT_EQ(test, slabs_of(typed), 0);
	kmem_cache_shrink(kmalloc_caches[KMALLOC_NORMAL][6]);
	KUNIT_EXPECT_EQ(test, live_objects(kmalloc_caches[KMALLOC_NORMAL][6]), 0);
	KUNIT_EXPECT_EQ(test, validate_all(), 0);
	KUNIT_EXPECT_EQ(test, page_alloc_validate(), 0);
	kmem_cache_destroy(typed);
	KUNIT_EXPECT_NULL(test, cache_named("typed"));
}

TEST_IN_BOTH_MODES(a_handler_returns_while_the_list_lock_is_held)
{
	prepare_holder();
	interrupt_holder(test, &typed->node[0]->list_lock, "list_lock of typed");
	interrupt_holder(test, &kmalloc_caches[0][6]->node[0]->list_lock,
			 "list_lock of kmalloc-64");
	after_holder(test);
}

TEST_IN_BOTH_MODES(a_handler_returns_while_the_barn_lock_is_held)
{
	prepare_holder();
	interrupt_holder(test, &typed->node[0]->barn.lock, "barn.lock of typed");
	after_holder(test);
}

TEST_IN_BOTH_MODES(a_handler_returns_while_the_list_lock_of_the_sheaves_own_cache_is_held)
{
	prepare_holder();
	for (unsigned int i = 0; i < 7; i++) {
		static const char *const names[] = { "slab_meta-64",  "slab_meta-128",
						     "slab_meta-256", "slab_meta-512",
						     "slab_meta-1k",  "slab_meta-2k",
						     "slab_meta-4k" };
		struct kmem_cache *s = cache_named(names[i]);

		KUNIT_ASSERT_NOT_NULL(test, s);
		interrupt_holder(test, &s->node[0]->list_lock, names[i]);
	}
	after_holder(test);
}

TEST_IN_BOTH_MODES(a_handler_returns_while_a_zone_lock_is_held)
{
	prepare_holder();
	for (int z = 0; z < MAX_NR_ZONES; z++)
		interrupt_holder(test, &NODE_DATA(0)->node_zones[z].lock, zone_names[z]);
	after_holder(test);
}

TEST_IN_BOTH_MODES(a_handler_returns_while_all_page_lists_are_locked)
{
	struct zone *zone = &NODE_DATA(0)->node_zones[ZONE_NORMAL];
	unsigned int n;

	prepare_holder();
	n = sw_layout.nr_cids;
	for (unsigned int cid = 0; cid < n; cid++)
		spin_lock(&zone->per_cpu_pageset[cid].lock);
	handler_got = handler_null = 0;
	raise(SIGUSR2);
	for (unsigned int cid = 0; cid < n; cid++)
		spin_unlock(&zone->per_cpu_pageset[cid].lock);
	kunit_log_line("all pcp locks held: %u objects, %u times none", handler_got, handler_null);
	after_holder(test);
}

TEST_IN_BOTH_MODES(a_handler_returns_while_every_lock_is_held_at_once)
{
	struct zone *zone = &NODE_DATA(0)->node_zones[ZONE_NORMAL];
	struct kmem_cache *s;

	prepare_holder();
	mutex_lock(&slab_mutex);
	list_for_each_entry(s, &slab_caches, list) {
		spin_lock(&s->node[0]->list_lock);
		spin_lock(&s->node[0]->barn.lock);
	}
	for (int z = 0; z < MAX_NR_ZONES; z++)
		spin_lock(&NODE_DATA(0)->node_zones[z].lock);
	for (unsigned int cid = 0; cid < sw_layout.nr_cids; cid++)
		spin_lock(&zone->per_cpu_pageset[cid].lock);
	raise(SIGUSR2);
	for (unsigned int cid = 0; cid < sw_layout.nr_cids; cid++)
		spin_unlock(&zone->per_cpu_pageset[cid].lock);
	for (int z = 0; z < MAX_NR_ZONES; z++)
		spin_unlock(&NODE_DATA(0)->node_zones[z].lock);
	list_for_each_entry(s, &slab_caches, list) {
		spin_unlock(&s->node[0]->list_lock);
		spin_unlock(&s->node[0]->barn.lock);
	}
	mutex_unlock(&slab_mutex);
	kunit_log_line("all held: %u objects, %u times none", handler_got, handler_null);
	/* The reserve is there for this. */
	KUNIT_EXPECT_GT(test, handler_got, 0);
	after_holder(test);
}
