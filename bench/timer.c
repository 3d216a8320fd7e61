/* SPDX-License-Identifier: MIT */
/* timer.c - calibration, histogram, percentiles; the rules are in timer.h */

#include "timer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define CALIBRATE_NS 50e6
#define EMPTY_TRIES  15

static double ns_per_tick = 1;

static int compare_ticks(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

void timer_calibrate(void)
{
	double start = clock_ns(CLOCK_MONOTONIC), end;
	uint64_t first = timer_read();

	while (end = clock_ns(CLOCK_MONOTONIC), end - start < CALIBRATE_NS)
		;
	ns_per_tick = (end - start) / (double)(timer_read() - first);
}

static uint32_t empty_ticks(void)
{
	uint32_t tries[EMPTY_TRIES];

	for (int i = 0; i < EMPTY_TRIES; i++) {
		uint64_t t = timer_read();

		tries[i] = (uint32_t)(timer_read() - t);
	}
	qsort(tries, EMPTY_TRIES, sizeof(tries[0]), compare_ticks);
	return tries[EMPTY_TRIES / 2];
}

static long involuntary_switches(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_nivcsw;
}

static int bucket_of(double ns)
{
	uint64_t value = (uint64_t)ns;
	int doubling = 0;

	if (value < TIMER_EXACT)
		return (int)value;
	while (value >> doubling >= 2 * TIMER_EXACT)
		doubling++;
	/* value >> doubling lies in TIMER_EXACT .. 2 * TIMER_EXACT - 1 */
	doubling = TIMER_EXACT + doubling * TIMER_FRACTION +
		   (int)((value >> doubling) - TIMER_EXACT) * TIMER_FRACTION / TIMER_EXACT;
	return doubling < TIMER_BUCKETS ? doubling : TIMER_BUCKETS - 1;
}

/* The middle of a bucket. */
static double bucket_ns(int bucket)
{
	int beyond = bucket - TIMER_EXACT;

	if (beyond < 0)
		return bucket;
	return (double)((uint64_t)TIMER_EXACT << beyond / TIMER_FRACTION) *
	       (1 + (beyond % TIMER_FRACTION + 0.5) / TIMER_FRACTION);
}

static void keep_round(struct timer *timer)
{
	for (int s = 0; s < TIMER_SERIES; s++) {
		for (unsigned int i = 0; i < timer->nr_pending[s]; i++) {
			uint32_t ticks = timer->pending[s][i], empty = timer->empty;
			double ns = ticks > empty ? (double)(ticks - empty) * ns_per_tick : 0;

			timer->bucket[s][bucket_of(ns)]++;
			if (ns > timer->worst_ns[s])
				timer->worst_ns[s] = ns;
		}
	}
}

void timer_round(struct timer *timer)
{
	bool any = false;

	for (int s = 0; s < TIMER_SERIES; s++)
		any |= timer->nr_pending[s] != 0;
	if (any) {
		timer->rounds++;
		if (involuntary_switches() == timer->switches)
			keep_round(timer);
		else
			timer->dropped++;
	}
	memset(timer->nr_pending, 0, sizeof(timer->nr_pending));
	timer->switches = involuntary_switches();
	timer->empty = empty_ticks();
}

static double percentile(const uint64_t *bucket, double share)
{
	uint64_t total = 0, seen = 0;
	int i;

	for (i = 0; i < TIMER_BUCKETS; i++)
		total += bucket[i];
	for (i = 0; i < TIMER_BUCKETS - 1; i++) {
		seen += bucket[i];
		if ((double)seen >= share * (double)total)
			break;
	}
	return bucket_ns(i);
}

void timer_print(struct timer *timer, const char *row, const char *const *series, int nr_series)
{
	static const struct {
		const char *name;
		double share;
	} parts[] = { { "p50", 0.5 }, { "p99", 0.99 }, { "p9999", 0.9999 } };
	char name[64];

	timer_round(timer);
	for (int s = 0; s < nr_series; s++) {
		for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
			snprintf(name, sizeof(name), "%s.%s", series[s], parts[i].name);
			print_figure(row, name, percentile(timer->bucket[s], parts[i].share), "ns");
		}
		snprintf(name, sizeof(name), "%s.worst", series[s]);
		print_figure(row, name, timer->worst_ns[s], "ns");
	}
	if (timer->rounds)
		print_figure(row, "dropped", 100.0 * (double)timer->dropped / (double)timer->rounds,
			     "%");
}
