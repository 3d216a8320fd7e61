/* SPDX-License-Identifier: MIT */
/*
 * micro.c - what does one call cost, in one thread?
 *
 * Every figure is nanoseconds of CPU time for one allocation with its free (one call for the
 * realloc rows). The program calls the ordinary symbols, so LD_PRELOAD picks the allocator.
 *
 *   lifoN            malloc(N), touch, free, again
 *   fifo/random/blifo NxC
 *                    allocate C objects, free them in the order of allocation, at random, in
 *                    reverse
 *   churn1024xL      replace a random one of L live objects of 16…1,024 bytes
 *   large64K-1Mx64   the same with 64 live objects of 64 KiB…1 MiB
 *   calloc*          zeroed objects, one at a time; callocb: in batches
 *   realloc*         grow one buffer from 16 bytes, by half or by 64 bytes, and write its end
 *   idle             no figure of time: the memory of a program that allocates once
 */

#include <stdlib.h>

#include "bench.h"

#define KIB            ((size_t)1024)
#define MIB            (1024 * KIB)
#define MAX_LIVE       500000
#define SMALLEST       16
#define SMALLEST_LARGE (64 * KIB)

static void *live[MAX_LIVE];
static unsigned int order[100000];
static struct rng rng = { 0x9e3779b97f4a7c15ULL };

static inline void *take(size_t size)
{
	char *object = malloc(size);

	if (__builtin_expect(!object, 0))
		abort();
	*object = 1;
	USED(object);
	return object;
}

static long lifo(const struct row *row, long ops)
{
	const size_t size = row->size;

	for (long i = 0; i < ops; i++)
		free(take(size));
	return ops;
}

static inline void take_batch(const struct row *row)
{
	const size_t size = row->size;
	const long count = row->count;

	for (long i = 0; i < count; i++)
		live[i] = take(size);
}

static long fifo(const struct row *row, long ops)
{
	long done;

	for (done = 0; done < ops; done += row->count) {
		take_batch(row);
		for (long i = 0; i < row->count; i++)
			free(live[i]);
	}
	return done;
}

static long batch_lifo(const struct row *row, long ops)
{
	long done;

	for (done = 0; done < ops; done += row->count) {
		take_batch(row);
		for (long i = row->count - 1; i >= 0; i--)
			free(live[i]);
	}
	return done;
}

/* One permutation, drawn before the clock starts: the row costs no more than fifo's loop. */
static void draw_order(const struct row *row)
{
	for (unsigned int i = 0; i < row->count; i++)
		order[i] = i;
	for (unsigned int i = (unsigned int)row->count - 1; i > 0; i--) {
		unsigned int j = rng_below(&rng, i + 1), kept = order[i];

		order[i] = order[j];
		order[j] = kept;
	}
}

static long batch_random(const struct row *row, long ops)
{
	long done;

	for (done = 0; done < ops; done += row->count) {
		take_batch(row);
		for (long i = 0; i < row->count; i++)
			free(live[order[i]]);
	}
	return done;
}

static inline void *take_between(size_t smallest, size_t largest)
{
	return take(smallest + rng_below(&rng, (uint32_t)(largest - smallest + 1)));
}

static inline long churn_between(const struct row *row, long ops, size_t smallest)
{
	for (long i = 0; i < ops; i++) {
		uint32_t slot = rng_below(&rng, (uint32_t)row->count);

		free(live[slot]);
		live[slot] = take_between(smallest, row->size);
	}
	return ops;
}

static long churn(const struct row *row, long ops)
{
	return churn_between(row, ops, SMALLEST);
}

static long churn_large(const struct row *row, long ops)
{
	return churn_between(row, ops, SMALLEST_LARGE);
}

static void fill(const struct row *row)
{
	for (long i = 0; i < row->count; i++)
		live[i] = take_between(SMALLEST, row->size);
}

static void fill_large(const struct row *row)
{
	for (long i = 0; i < row->count; i++)
		live[i] = take_between(SMALLEST_LARGE, row->size);
}

static void empty(const struct row *row)
{
	for (long i = 0; i < row->count; i++)
		free(live[i]);
}

static void print_peak(const struct row *row)
{
	print_figure(row->name, "peak", (double)memory_peak() / (double)MIB, "MiB");
}

static inline void *take_zeroed(size_t size)
{
	char *object = calloc(1, size);

	if (__builtin_expect(!object || *object, 0))
		abort();
	*object = 1;
	USED(object);
	return object;
}

static long calloc_lifo(const struct row *row, long ops)
{
	for (long i = 0; i < ops; i++)
		free(take_zeroed(row->size));
	return ops;
}

static long calloc_batch(const struct row *row, long ops)
{
	long done;

	for (done = 0; done < ops; done += row->count) {
		for (long i = 0; i < row->count; i++)
			live[i] = take_zeroed(row->size);
		for (long i = 0; i < row->count; i++)
			free(live[i]);
	}
	return done;
}

/* One operation is one realloc(); the malloc and free of each buffer are in its price. */
static long grow(const struct row *row, long ops)
{
	const size_t step = (size_t)row->count;
	long done = 0;

	while (done < ops) {
		char *buffer = take(SMALLEST);

		for (size_t size = SMALLEST; size < row->size; done++) {
			size += step ? step : size / 2;
			buffer = realloc(buffer, size);
			if (__builtin_expect(!buffer, 0))
				abort();
			buffer[size - 1] = 1;
			USED(buffer);
		}
		free(buffer);
	}
	return done;
}

static void print_idle(const struct row *row)
{
	free(take(64));
	print_figure(row->name, "", (double)memory_now() / (double)MIB, "MiB");
}

static const struct row rows[] = {
	{ "lifo16", lifo, 16 },
	{ "lifo32", lifo, 32 },
	{ "lifo64", lifo, 64 },
	{ "lifo128", lifo, 128 },
	{ "lifo256", lifo, 256 },
	{ "lifo512", lifo, 512 },
	{ "lifo1024", lifo, 1024 },
	{ "lifo4096", lifo, 4096 },
	{ "lifo8192", lifo, 8192 },
	{ "lifo64K", lifo, 64 * KIB },
	{ "lifo1M", lifo, MIB },
	{ "fifo64x1000", fifo, 64, 1000 },
	{ "random64x1000", batch_random, 64, 1000, draw_order },
	{ "blifo64x1000", batch_lifo, 64, 1000 },
	{ "fifo1024x1000", fifo, 1024, 1000 },
	{ "random1024x1000", batch_random, 1024, 1000, draw_order },
	{ "blifo1024x1000", batch_lifo, 1024, 1000 },
	{ "blifo64x32", batch_lifo, 64, 32 },
	{ "random64x100k", batch_random, 64, 100000, draw_order },
	{ "churn1024x10k", churn, 1024, 10000, fill, empty },
	{ "churn1024x500k", churn, 1024, 500000, fill, empty, .after = print_peak },
	{ "large64K-1Mx64", churn_large, MIB, 64, fill_large, empty },
	{ "calloc64", calloc_lifo, 64 },
	{ "calloc4096", calloc_lifo, 4096 },
	{ "calloc256K", calloc_lifo, 256 * KIB },
	{ "callocb256x1000", calloc_batch, 256, 1000 },
	{ "realloc1.5x-1M", grow, MIB },
	{ "realloc+64-64K", grow, 64 * KIB, 64 },
	{ "realloc1.5x-16M", grow, 16 * MIB },
	{ "idle", .after = print_idle },
};

int main(int argc, char **argv)
{
	return bench_main(rows, ARRAY_SIZE(rows), argc, argv);
}
