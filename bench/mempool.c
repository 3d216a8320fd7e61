/* SPDX-License-Identifier: MIT */
/*
 * mempool.c - what does DPDK's object pool cost for the work of kernel_api.c's rows?
 *
 * rte_mempool is the other allocator of fixed objects whose fast path is inlined into the
 * program: an array of objects for each of the program's own threads ("lcores"; others take a
 * shared ring), filled once and never grown. Built only where libdpdk is installed.
 *
 *   mempool64      rte_mempool_get() and _put() of one object of 64 bytes
 *   mempool64x32   the same in bulks of 32: an object
 */

#include <rte_config.h>
#include <rte_eal.h>
#include <rte_mempool.h>

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

#define OBJECTS    8191
#define CACHE_SIZE RTE_MEMPOOL_CACHE_MAX_SIZE /* the most: its fast path as often as can be */
#define BULK       32

static struct rte_mempool *pool;
static void *live[BULK];

static inline void touch(void *object)
{
	*(char *)object = 1;
	USED(object);
}

/* No huge pages, no devices, nothing shared: what runs without root on any machine. */
static void create(const struct row *row)
{
	static char program[] = "mempool", no_huge[] = "--no-huge", no_pci[] = "--no-pci",
		    memory[] = "-m", mebibytes[] = "64", no_shared[] = "--no-shconf",
		    no_telemetry[] = "--no-telemetry", quiet[] = "--log-level=error",
		    cores[] = "-l", core[16];
	char *arguments[] = { program,   no_huge,      no_pci, memory, mebibytes,
			      no_shared, no_telemetry, quiet,  cores,  core };

	(void)row;
	if (pool)
		return;
	snprintf(core, sizeof(core), "%d", sched_getcpu());
	if (rte_eal_init(ARRAY_SIZE(arguments), arguments) < 0)
		exit(1);
	pool = rte_mempool_create("bench", OBJECTS, 64, CACHE_SIZE, 0, NULL, NULL, NULL, NULL,
				  SOCKET_ID_ANY, 0);
	if (!pool)
		exit(1);
}

static long one(const struct row *row, long ops)
{
	(void)row;
	for (long i = 0; i < ops; i++) {
		void *object;

		if (__builtin_expect(rte_mempool_get(pool, &object), 0))
			abort();
		touch(object);
		rte_mempool_put(pool, object);
	}
	return ops;
}

static long bulk(const struct row *row, long ops)
{
	long done;

	(void)row;
	for (done = 0; done < ops; done += BULK) {
		if (__builtin_expect(rte_mempool_get_bulk(pool, live, BULK), 0))
			abort();
		for (int i = 0; i < BULK; i++)
			touch(live[i]);
		rte_mempool_put_bulk(pool, live, BULK);
	}
	return done;
}

static const struct row rows[] = {
	{ "mempool64", one, .setup = create },
	{ "mempool64x32", bulk, .setup = create },
};

int main(int argc, char **argv)
{
	return bench_main(rows, ARRAY_SIZE(rows), argc, argv);
}
