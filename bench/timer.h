/* SPDX-License-Identifier: MIT */
#ifndef BENCH_TIMER_H
#define BENCH_TIMER_H

/*
 * timer.h - the time of single calls: what did the slow ones cost?
 *
 * A call is timed by two readings of the processor's counter, and put into a histogram: every
 * nanosecond up to 1,024, then 1/64 of the value, so that memory is constant and a percentile
 * is right to 1.6 %. The price of two readings with nothing between them is measured before each
 * round of calls (a virtual machine changes its speed) and taken off each of its calls. Where
 * the counter is not x86's, the system's clock is read, which is coarser.
 *
 * A thread that is preempted between two readings has timed its neighbours. So calls are taken
 * in rounds of ROUND_CALLS, and a round in which the system counted an involuntary switch is
 * dropped whole; .dropped says how many of a hundred were. A call that gives up the processor by
 * itself (a lock) is kept. Interrupts and what the machine's host takes stay in the figures:
 * read the worst of several rounds, and beside the other allocators.
 *
 *	timer_calibrate();
 *	timer_round(&timer);		before each round
 *	t = timer_read(); call(); timer_note(&timer, SERIES, timer_read() - t);
 *	timer_print(&timer, row, (const char *const[]){ "malloc", "free" });
 */

#include <stdbool.h>
#include <stdint.h>

#include "bench.h"

#define ROUND_CALLS    256 /* timed calls of a round, all series together */
#define TIMER_SERIES   2
#define TIMER_EXACT    1024 /* ns, one bucket each */
#define TIMER_FRACTION 64   /* buckets of each doubling beyond */
#define TIMER_BUCKETS  (TIMER_EXACT + 32 * TIMER_FRACTION)

struct timer {
	uint64_t bucket[TIMER_SERIES][TIMER_BUCKETS];
	double worst_ns[TIMER_SERIES];
	uint32_t pending[TIMER_SERIES][ROUND_CALLS]; /* ticks of this round */
	unsigned int nr_pending[TIMER_SERIES];
	uint32_t empty; /* ticks of two readings with nothing between, this round */
	long switches;  /* involuntary ones when the round began */
	long rounds, dropped;
};

static inline uint64_t timer_read(void)
{
#if defined(__x86_64__)
	unsigned int cpu;
	uint64_t ticks = __builtin_ia32_rdtscp(&cpu);

	/* rdtscp waits for what stands before it; the fence keeps back what stands after. */
	__builtin_ia32_lfence();
	return ticks;
#else
	return (uint64_t)clock_ns(CLOCK_MONOTONIC);
#endif
}

static inline void timer_note(struct timer *timer, int series, uint64_t ticks)
{
	unsigned int *nr = &timer->nr_pending[series];

	if (*nr < ROUND_CALLS)
		timer->pending[series][(*nr)++] = ticks < UINT32_MAX ? (uint32_t)ticks : UINT32_MAX;
}

void timer_calibrate(void);

/* End the round before, if any, and begin one. */
void timer_round(struct timer *timer);

/* row.series.p50, .p99, .p9999 and .worst, then row.dropped. */
void timer_print(struct timer *timer, const char *row, const char *const *series, int nr_series);

#endif /* BENCH_TIMER_H */
