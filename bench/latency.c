/* SPDX-License-Identifier: MIT */
/*
 * latency.c - how long can one call take?
 *
 * Each call is timed by itself (timer.h): half of them, 99 of 100 and all but one of 10,000 are
 * faster than .p50, .p99 and .p9999; .worst is the slowest. malloc and free apart.
 *
 *   lat.churn    replace a random one of 100,000 live objects of 16..1,024 bytes
 *   lat.large    the same with 64 live objects of 64 KiB..1 MiB
 *   lat.burst    allocate 10,000 objects of 16..1,024 bytes, then free all at random, again:
 *                what the stocks of an allocator cannot absorb
 *   lat.evict    allocate 512 bytes again and again; at 200,000 live the program itself first
 *                frees the 128 oldest, inside what is timed: what a program does that has no
 *                shrinker, so read it beside reclaim.c
 */

#include <stdlib.h>

#include "bench.h"
#include "timer.h"

#define KIB      ((size_t)1024)
#define MAX_LIVE 100000

static void *live[MAX_LIVE];
static struct rng rng = { 0x9e3779b97f4a7c15ULL };
static struct timer timer;

enum { MALLOC, FREE };
static const char *const series[] = { "malloc", "free" };

static inline void timed_free(void *object)
{
	uint64_t t = timer_read();

	free(object);
	timer_note(&timer, FREE, timer_read() - t);
}

static inline void *timed_malloc(size_t size)
{
	uint64_t t = timer_read();
	char *object = malloc(size);

	USED(object);
	timer_note(&timer, MALLOC, timer_read() - t);
	if (__builtin_expect(!object, 0))
		abort();
	*object = 1; /* not timed: a fault of a fresh page is the program's own */
	return object;
}

static size_t any_size(const struct row *row)
{
	size_t smallest = row->size > 64 * KIB ? 64 * KIB : 16;

	return smallest + rng_below(&rng, (uint32_t)(row->size - smallest + 1));
}

static void replace(const struct row *row, long calls)
{
	for (long i = 0; i < calls; i++) {
		uint32_t slot = rng_below(&rng, (uint32_t)row->count);

		if (i % (ROUND_CALLS / 2) == 0)
			timer_round(&timer);
		timed_free(live[slot]);
		live[slot] = timed_malloc(any_size(row));
	}
}

#define CHURN_CALLS 1500000
#define LARGE_CALLS 200000

static void churn(const struct row *row)
{
	long calls = row->size > 64 * KIB ? LARGE_CALLS : CHURN_CALLS;

	timer_calibrate();
	for (long i = 0; i < row->count; i++)
		live[i] = timed_malloc(any_size(row));
	replace(row, calls / 10); /* warm-up */
	timer = (struct timer){ 0 };
	replace(row, calls);
	timer_print(&timer, row->name, series, ARRAY_SIZE(series));
}

#define BURSTS 100

/* Live objects are swapped to the end as they go, so each is freed once and in no order. */
static void burst_once(const struct row *row)
{
	for (long i = 0; i < row->count; i++) {
		if (i % ROUND_CALLS == 0)
			timer_round(&timer);
		live[i] = timed_malloc(any_size(row));
	}
	for (long left = row->count; left > 0; left--) {
		uint32_t slot = rng_below(&rng, (uint32_t)left);

		if (left % ROUND_CALLS == 0)
			timer_round(&timer);
		timed_free(live[slot]);
		live[slot] = live[left - 1];
	}
}

static void burst(const struct row *row)
{
	timer_calibrate();
	burst_once(row);
	timer = (struct timer){ 0 };
	for (int i = 0; i < BURSTS; i++)
		burst_once(row);
	timer_print(&timer, row->name, series, ARRAY_SIZE(series));
}

#define EVICT_LIVE  200000
#define EVICT_CALLS 1000000
#define EVICT_BATCH 128 /* as many as a shrinker is asked for at once */

static void *ring[EVICT_LIVE]; /* the oldest at oldest, nr_live of them */
static long oldest, nr_live;

static void *alloc_or_evict(size_t size)
{
	if (nr_live == EVICT_LIVE) {
		for (int i = 0; i < EVICT_BATCH; i++) {
			free(ring[oldest]);
			oldest = (oldest + 1) % EVICT_LIVE;
		}
		nr_live -= EVICT_BATCH;
	}
	return malloc(size);
}

static void evict_calls(const struct row *row, long calls)
{
	for (long i = 0; i < calls; i++) {
		uint64_t t;
		char *object;

		if (i % ROUND_CALLS == 0)
			timer_round(&timer);
		t = timer_read();
		object = alloc_or_evict(row->size);
		USED(object);
		timer_note(&timer, 0, timer_read() - t);
		if (__builtin_expect(!object, 0))
			abort();
		*object = 1;
		ring[(oldest + nr_live++) % EVICT_LIVE] = object;
	}
}

static void evict(const struct row *row)
{
	static const char *const alloc[] = { "alloc" };

	timer_calibrate();
	evict_calls(row, 2L * EVICT_LIVE);
	timer = (struct timer){ 0 };
	evict_calls(row, EVICT_CALLS);
	timer_print(&timer, row->name, alloc, ARRAY_SIZE(alloc));
}

static const struct row rows[] = {
	{ "lat.churn", .size = 1024, .count = MAX_LIVE, .after = churn },
	{ "lat.large", .size = 1024 * KIB, .count = 64, .after = churn },
	{ "lat.burst", .size = 1024, .count = 10000, .after = burst },
	{ "lat.evict", .size = 512, .after = evict },
};

int main(int argc, char **argv)
{
	return bench_main(rows, ARRAY_SIZE(rows), argc, argv);
}
