/* SPDX-License-Identifier: MIT */
/*
 * caches.c - how does the cost of a cache grow with the number of caches?
 *
 *   caches.N           N caches of 64-byte objects, none merged; kmem_cache_alloc() and _free()
 *                      of one object in each in turn: CPU time of a pair
 *   caches.N.create    kmem_cache_create() of each
 *   caches.N.mem       resident memory each one added, after its first object
 *   caches.N.destroy   kmem_cache_destroy() of each
 *
 * A CPU has fast slots for a fixed number of caches (SW_PCPU_SHIFT: 16,384); those beyond take
 * the path with a lock. caches.20000 shows that step and is no part of the slope.
 */

#include <slabwork/slab.h>

#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

#define MAX_CACHES 20000

static struct kmem_cache *caches[MAX_CACHES];
static double created_ns;
static size_t grown; /* bytes, by caches and one object each */

static inline void use(struct kmem_cache *cache)
{
	char *object = kmem_cache_alloc(cache, GFP_KERNEL);

	if (__builtin_expect(!object, 0))
		abort();
	*object = 1;
	USED(object);
	kmem_cache_free(cache, object);
}

static void create(const struct row *row)
{
	double start;
	size_t before;

	kfree(kmalloc(64, GFP_KERNEL)); /* boot */
	before = memory_now();
	start = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	for (long i = 0; i < row->count; i++) {
		char name[32];

		snprintf(name, sizeof(name), "bench-%ld", i);
		caches[i] = kmem_cache_create(name, 64, 0, SLAB_NO_MERGE, NULL);
		if (!caches[i])
			exit(1);
	}
	created_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - start;
	for (long i = 0; i < row->count; i++)
		use(caches[i]);
	grown = memory_now() - before;
}

static long in_turn(const struct row *row, long ops)
{
	long done;

	for (done = 0; done < ops; done += row->count) {
		for (long i = 0; i < row->count; i++)
			use(caches[i]);
	}
	return done;
}

static void destroy(const struct row *row)
{
	double start = clock_ns(CLOCK_THREAD_CPUTIME_ID), count = (double)row->count;

	for (long i = 0; i < row->count; i++)
		kmem_cache_destroy(caches[i]);
	print_figure(row->name, "create", created_ns / count / 1000, "us");
	print_figure(row->name, "destroy",
		     (clock_ns(CLOCK_THREAD_CPUTIME_ID) - start) / count / 1000, "us");
	print_figure(row->name, "mem", (double)grown / count / 1024, "KiB");
}

#define CACHES(nr)                                                                       \
	{                                                                                \
		"caches." #nr, in_turn, .count = (nr), .setup = create, .after = destroy \
	}

static const struct row rows[] = {
	CACHES(30),   CACHES(100),   CACHES(300),   CACHES(1000),
	CACHES(3000), CACHES(10000), CACHES(20000),
};

int main(int argc, char **argv)
{
	return bench_main(rows, ARRAY_SIZE(rows), argc, argv);
}
