/* SPDX-License-Identifier: MIT */
/*
 * heap.c - how does the cost of a call grow with the live heap?
 *
 *   heap.SIZE       replace a random one of so many live objects of 16..1,024 bytes that their
 *                   sizes sum to SIZE: CPU time. The processor's caches and address translation
 *                   grow dearer as well, for all alike: read it beside the others
 *   heap.SIZE.mem   resident bytes of the process for each byte that was asked for
 *
 * A process each, filled from nothing. bench/run leaves out what the machine cannot hold, and
 * fits the slope over the rest.
 */

#include <stdlib.h>
#include <sys/mman.h>

#include "bench.h"

#define MIB       ((size_t)1 << 20)
#define SMALLEST  16
#define LARGEST   1024
#define MEAN_SIZE ((SMALLEST + LARGEST) / 2)

static void **live;  /* mapped, so that the table is no part of the heap */
static size_t asked; /* bytes, of what lives */
static struct rng rng = { 0x9e3779b97f4a7c15ULL };

static void *take(size_t size)
{
	char *object = malloc(size);

	if (__builtin_expect(!object, 0))
		abort();
	*object = 1;
	USED(object);
	return object;
}

static size_t any_size(void)
{
	return SMALLEST + rng_below(&rng, LARGEST - SMALLEST + 1);
}

static void fill(const struct row *row)
{
	live = mmap(NULL, (size_t)row->count * sizeof(*live), PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (live == MAP_FAILED)
		abort();
	for (long i = 0; i < row->count; i++) {
		size_t size = any_size();

		live[i] = take(size);
		asked += size;
	}
}

static long churn(const struct row *row, long ops)
{
	for (long i = 0; i < ops; i++) {
		uint32_t slot = rng_below(&rng, (uint32_t)row->count);

		free(live[slot]);
		live[slot] = take(any_size());
	}
	return ops;
}

/* Replacements have the same mean size as what they replace: the sum stays, near enough. */
static void print_memory(const struct row *row)
{
	size_t table = (size_t)row->count * sizeof(*live);

	print_figure(row->name, "mem", (double)(memory_now() - table) / (double)asked, "B/B");
}

#define HEAP(name, mib)                                                                     \
	{                                                                                   \
		"heap." name, churn, .count = (long)((mib)*MIB / MEAN_SIZE), .setup = fill, \
				     .after = print_memory                                  \
	}

/* The process ends with the heap full: freeing it one by one is no part of the question. */
static const struct row rows[] = {
	HEAP("1M", 1),     HEAP("4M", 4),    HEAP("16M", 16),  HEAP("64M", 64),
	HEAP("256M", 256), HEAP("1G", 1024), HEAP("4G", 4096), HEAP("16G", 16384),
};

int main(int argc, char **argv)
{
	return bench_main(rows, ARRAY_SIZE(rows), argc, argv);
}
