/* SPDX-License-Identifier: MIT */
#ifndef BENCH_H
#define BENCH_H

/*
 * bench.h - how every program here turns a loop into one figure
 *
 * A program is a table of rows. A row runs `ops` operations and returns how many it really
 * did (it may round up to whole batches). row_measure() finds by doubling how many fit the
 * time wanted (that is the warm-up), repeats the row that often, and takes the median. The
 * clock is the CPU time of the calling thread unless the row asks for another, so that a
 * neighbour on the machine costs the caches and nothing else.
 *
 * One process measures the rows named on its command line, in order; bench/run names one,
 * so that no row inherits the heap that another left behind.
 *
 *   -m MS     CPU milliseconds a repetition (30)
 *   -r N      repetitions (5)
 *   -i OPS    set up, do OPS operations once without a clock, print nothing: for callgrind
 *   --list    the names, one a line; a second word is the row that a peer runs instead, or -
 *             where a peer has nothing of the kind
 *
 * Output: "row value unit" lines. Nothing in the measured part prints or reads a file, and
 * the program's own tables are static, so that only the row itself calls the allocator.
 */

#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* The compiler must assume that the object was used and that its bytes may have changed. */
#define USED(pointer) __asm__ volatile("" : : "r"(pointer) : "memory")
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

struct row {
	const char *name;
	long (*ops)(const struct row *row, long ops);
	size_t size; /* bytes of an object, or the largest */
	long count;  /* objects alive at once, or in a batch */
	void (*setup)(const struct row *row);
	void (*teardown)(const struct row *row);
	const char *peer_row; /* what a malloc runs beside this row; NULL: the same name */
	clockid_t clock;      /* 0 (CLOCK_REALTIME) means: CPU time of the thread */
	void (*after)(const struct row *row); /* prints further lines, e.g. memory held */
};

/* A row that measures and prints by itself fills only name and after. */

int bench_main(const struct row *rows, size_t nr_rows, int argc, char **argv);

double clock_ns(clockid_t clock);

/* Memory of this process in bytes: resident now (exact, from smaps_rollup), and the peak. */
size_t memory_now(void);
size_t memory_peak(void);

void print_figure(const char *row, const char *part, double value, const char *unit);

/* xorshift64: a few cycles, no multiplication; the seed is fixed so that runs are equal. */
struct rng {
	uint64_t state;
};

static inline uint64_t rng_next(struct rng *rng)
{
	uint64_t x = rng->state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return rng->state = x;
}

/* 0 … below-1; the high half is scaled down, which needs no division. */
static inline uint32_t rng_below(struct rng *rng, uint32_t below)
{
	return (uint32_t)(((rng_next(rng) >> 32) * below) >> 32);
}

#endif /* BENCH_H */
