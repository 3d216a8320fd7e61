/* SPDX-License-Identifier: MIT */
/*
 * test_page_alloc_threads.c - many threads, signal handlers, forks
 */

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kunit/test.h>
#include <slabwork/mm.h>

#include "kernel/cpu.h"
#include "mm/page_alloc.h"

#define THREADS 6
#define HELD    64
#define ROUNDS  30000

static struct zone *normal_zone(void)
{
	mm_boot();
	return &NODE_DATA(0)->node_zones[ZONE_NORMAL];
}

struct worker {
	pthread_t thread;
	uint64_t state;
	unsigned long failed;
	unsigned long wrong;
};

static unsigned int rnd(struct worker *w, unsigned int below)
{
	w->state ^= w->state << 13;
	w->state ^= w->state >> 7;
	w->state ^= w->state << 17;
	return (unsigned int)(w->state >> 33) % below;
}

/* Pages handed from thread to thread: freed by another than who allocated. */
static _Atomic(struct page *) exchange[16];
static _Atomic bool stop;

static void *work(void *arg)
{
	struct worker *w = arg;
	struct page *held[HELD] = { NULL };
	unsigned int order[HELD] = { 0 };

	for (int i = 0; i < ROUNDS; i++) {
		unsigned int at = rnd(w, HELD);

		if (held[at]) {
			unsigned long *word = page_address(held[at]);

			w->wrong += *word != (unsigned long)(uintptr_t)held[at];
			if (order[at] == 0)
				held[at] = atomic_exchange(&exchange[rnd(w, 16)], held[at]);
			if (held[at])
				__free_pages(held[at], order[at]);
			held[at] = NULL;
			continue;
		}
		order[at] = rnd(w, 8) ? rnd(w, 4) : rnd(w, 10);
		held[at] = alloc_pages((rnd(w, 4) ? GFP_KERNEL : GFP_ATOMIC) | __GFP_NOWARN,
				       order[at]);
		if (held[at])
			*(unsigned long *)page_address(held[at]) =
				(unsigned long)(uintptr_t)held[at];
		else
			w->failed++;
	}
	for (int i = 0; i < HELD; i++)
		if (held[i])
			__free_pages(held[i], order[i]);
	return NULL;
}

static void stress(struct kunit *test, const char *words)
{
	static struct worker workers[THREADS];

	setenv("SLABWORK", words, 1);
	for (int i = 0; i < THREADS; i++) {
		workers[i].state = (kunit_seed(test) + (unsigned int)i) * 2654435761u + 1;
		KUNIT_ASSERT_EQ(test, pthread_create(&workers[i].thread, NULL, work, &workers[i]),
				0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(workers[i].thread, NULL);
		KUNIT_EXPECT_EQ(test, workers[i].wrong, 0UL);
	}
	for (int i = 0; i < 16; i++)
		if (exchange[i])
			__free_page(atomic_load(&exchange[i]));
	pcp_drain_all();
	KUNIT_EXPECT_EQ(test, page_alloc_validate(), 0);
}

KUNIT_TEST(threads_share_the_machine, .timeout_s = 300)
{
	stress(test, "");
}

KUNIT_TEST(threads_share_a_small_machine, .timeout_s = 300)
{
	stress(test, "mem=16M page_decay_ms=1");
}

KUNIT_TEST(threads_share_the_machine_without_rseq, .timeout_s = 300)
{
	stress(test, "rseq=off");
}

/* --- atomic context ---------------------------------------------------------------------- */

KUNIT_TEST(atomic_allocations_succeed_while_the_zone_is_locked)
{
	struct zone *zone = normal_zone();
	struct page *pages[128];
	int n = 0;

	spin_lock(&zone->lock);
	while (n < 128 && (pages[n] = alloc_page(GFP_ATOMIC | __GFP_NOWARN)))
		n++;
	KUNIT_EXPECT_GE(test, n, 64); /* the reserve, and what the page list had */
	for (int i = 0; i < n; i++)
		for (int j = 0; j < i; j++)
			KUNIT_ASSERT_PTR_NE(test, pages[i], pages[j]);
	/* Freeing waits for nothing either. */
	for (int i = 0; i < n; i++)
		__free_page(pages[i]);
	spin_unlock(&zone->lock);
	pcp_drain_all();
	KUNIT_EXPECT_EQ(test, page_alloc_validate(), 0);
	KUNIT_EXPECT_GT(test, vm_event_read(SW_ATOMIC_RESERVE_USED), 32UL);
}

KUNIT_TEST(frees_that_find_the_zone_locked_are_not_lost)
{
	struct zone *zone = normal_zone();
	struct page *page = alloc_pages(GFP_KERNEL, 6);
	unsigned long before;

	before = zone_page_state(zone, NR_FREE_PAGES);
	spin_lock(&zone->lock);
	__free_pages(page, 6);
	KUNIT_EXPECT_EQ(test, zone_page_state(zone, NR_FREE_PAGES), before);
	spin_unlock(&zone->lock);
	KUNIT_EXPECT_EQ(test, vm_event_read(SW_DEFERRED_FREE), 1UL);
	__free_pages(alloc_pages(GFP_KERNEL, 5), 5);
	KUNIT_EXPECT_EQ(test, zone_page_state(zone, NR_FREE_PAGES), before + 64);
	KUNIT_EXPECT_EQ(test, page_alloc_validate(), 0);
}

KUNIT_TEST(atomic_allocations_succeed_while_the_page_list_is_locked)
{
	struct zone *zone = normal_zone();
	struct page *page;

	__free_page(alloc_page(GFP_KERNEL));
	for (unsigned int cid = 0; cid < cpu_nr_cids(); cid++)
		spin_lock(&zone->per_cpu_pageset[cid].lock);
	page = alloc_page(GFP_ATOMIC);
	KUNIT_EXPECT_NOT_NULL(test, page);
	__free_page(page);
	for (unsigned int cid = 0; cid < cpu_nr_cids(); cid++)
		spin_unlock(&zone->per_cpu_pageset[cid].lock);
	KUNIT_EXPECT_EQ(test, page_alloc_validate(), 0);
}

static _Atomic unsigned long ticks, tick_failures;
static struct page *tick_pages[8];

static void on_tick(int sig)
{
	unsigned long n = atomic_fetch_add(&ticks, 1);
	struct page **slot = &tick_pages[n % 8];

	(void)sig;
	if (*slot)
		__free_pages(*slot, n % 2 ? 0 : 2);
	*slot = alloc_pages(GFP_ATOMIC | __GFP_NOWARN, n % 2 ? 0 : 2);
	/* A block of several pages may fail while the interrupted thread has the lock. */
	if (!*slot && n % 2)
		atomic_fetch_add(&tick_failures, 1);
}

KUNIT_TEST(a_signal_handler_allocates_while_its_thread_does, .timeout_s = 120)
{
	struct itimerval often = { { 0, 200 }, { 0, 200 } };
	struct itimerval never = { { 0, 0 }, { 0, 0 } };
	struct sigaction act = { .sa_handler = on_tick, .sa_flags = SA_RESTART };
	static struct worker w;

	normal_zone();
	w.state = kunit_seed(test) | 1;
	sigaction(SIGALRM, &act, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (int i = 0; i < 200 && atomic_load(&ticks) < 2000; i++)
		work(&w);
	setitimer(ITIMER_REAL, &never, NULL);
	KUNIT_EXPECT_GT(test, atomic_load(&ticks), 100UL);
	KUNIT_EXPECT_EQ(test, atomic_load(&tick_failures), 0UL);
	KUNIT_EXPECT_EQ(test, w.wrong, 0UL);
	pcp_drain_all();
	KUNIT_EXPECT_EQ(test, page_alloc_validate(), 0);
}

/* --- fork ------------------------------------------------------------------------------------- */

static void *churn(void *arg)
{
	struct worker *w = arg;

	while (!atomic_load(&stop)) {
		unsigned int order = rnd(w, 8);
		struct page *page = alloc_pages(GFP_KERNEL, order);

		__free_pages(page, order);
	}
	return NULL;
}

KUNIT_TEST(a_child_of_a_busy_process_allocates, .timeout_s = 120)
{
	static struct worker w[2];

	for (int i = 0; i < 2; i++) {
		w[i].state = kunit_seed(test) + 2u * (unsigned int)i + 1;
		pthread_create(&w[i].thread, NULL, churn, &w[i]);
	}
	normal_zone();
	for (int i = 0; i < 50; i++) {
		pid_t pid = fork();
		int status = -1;

		if (!pid) {
			alarm(20); /* a lock that stayed held */
			for (unsigned int order = 0; order < 10; order++)
				__free_pages(alloc_pages(GFP_KERNEL, order), order);
			pcp_drain_all();
			_exit(page_alloc_validate() ? 1 : 0);
		}
		KUNIT_ASSERT_EQ(test, waitpid(pid, &status, 0), pid);
		KUNIT_ASSERT_EQ(test, status, 0);
	}
	atomic_store(&stop, true);
	for (int i = 0; i < 2; i++)
		pthread_join(w[i].thread, NULL);
}
