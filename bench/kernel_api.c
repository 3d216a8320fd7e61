/* SPDX-License-Identifier: MIT */
/*
 * kernel_api.c - what does a C program pay that calls the kernel's names from our header?
 *
 * Linked with libslabwork, so the fast paths are inlined into the loops. Each row does the
 * work of a row of micro.c, which the peers run beside it in the same minute: a malloc can
 * not be inlined, and the distance is the price of its two calls.
 *
 *   kmem64, kmem64x1000      kmem_cache_alloc() and kmem_cache_free(), one and a thousand
 *   kmalloc64, kmalloc1024, kmalloc64x1000
 *                            kmalloc(constant, GFP_KERNEL) and kfree()
 *   bulk64x32                kmem_cache_alloc_bulk() and _free_bulk() of 32: an object
 *   kmem64.dbg               kmem64 on a cache that is poisoned, red-zoned and checked
 *   kmem64.dbgother          kmem64 while another cache is, and has objects alive
 *   freelist64               a hand-written free list of one thread: the floor, no allocator
 */

#include <slabwork/slab.h>

#include <stdlib.h>

#include "bench.h"

#define BATCH 1000
#define BULK  32

static struct kmem_cache *cache;
static void *live[BATCH];

static inline void *touch(void *object)
{
	if (__builtin_expect(!object, 0))
		abort();
	*(char *)object = 1;
	USED(object);
	return object;
}

static void create_cache(const struct row *row)
{
	cache = kmem_cache_create("bench", (unsigned int)row->size, 0, 0, NULL);
	if (!cache)
		abort();
}

static void destroy_cache(const struct row *row)
{
	(void)row;
	kmem_cache_destroy(cache);
}

#define DEBUG_FLAGS (SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON)

static struct kmem_cache *debug_cache;

static struct kmem_cache *create_debug(const struct row *row)
{
	struct kmem_cache *s =
		kmem_cache_create("bench-debug", (unsigned int)row->size, 0, DEBUG_FLAGS, NULL);

	if (!s)
		abort();
	return s;
}

static void create_debug_cache(const struct row *row)
{
	cache = create_debug(row);
}

static void create_both(const struct row *row)
{
	debug_cache = create_debug(row);
	for (int i = 0; i < BATCH; i++)
		live[i] = touch(kmem_cache_alloc(debug_cache, GFP_KERNEL));
	create_cache(row);
}

static void destroy_both(const struct row *row)
{
	for (int i = 0; i < BATCH; i++)
		kmem_cache_free(debug_cache, live[i]);
	kmem_cache_destroy(debug_cache);
	destroy_cache(row);
}

static long kmem(const struct row *row, long ops)
{
	struct kmem_cache *s = cache;

	(void)row;
	for (long i = 0; i < ops; i++)
		kmem_cache_free(s, touch(kmem_cache_alloc(s, GFP_KERNEL)));
	return ops;
}

static long kmem_batch(const struct row *row, long ops)
{
	struct kmem_cache *s = cache;
	long done;

	(void)row;
	for (done = 0; done < ops; done += BATCH) {
		for (long i = 0; i < BATCH; i++)
			live[i] = touch(kmem_cache_alloc(s, GFP_KERNEL));
		for (long i = 0; i < BATCH; i++)
			kmem_cache_free(s, live[i]);
	}
	return done;
}

static long kmalloc_64(const struct row *row, long ops)
{
	(void)row;
	for (long i = 0; i < ops; i++)
		kfree(touch(kmalloc(64, GFP_KERNEL)));
	return ops;
}

static long kmalloc_1024(const struct row *row, long ops)
{
	(void)row;
	for (long i = 0; i < ops; i++)
		kfree(touch(kmalloc(1024, GFP_KERNEL)));
	return ops;
}

static long kmalloc_batch(const struct row *row, long ops)
{
	long done;

	(void)row;
	for (done = 0; done < ops; done += BATCH) {
		for (long i = 0; i < BATCH; i++)
			live[i] = touch(kmalloc(64, GFP_KERNEL));
		for (long i = 0; i < BATCH; i++)
			kfree(live[i]);
	}
	return done;
}

static long bulk(const struct row *row, long ops)
{
	long done;

	(void)row;
	for (done = 0; done < ops; done += BULK) {
		if (!kmem_cache_alloc_bulk(cache, GFP_KERNEL, BULK, live))
			abort();
		for (long i = 0; i < BULK; i++)
			touch(live[i]);
		kmem_cache_free_bulk(cache, BULK, live);
	}
	return done;
}

/* What a programmer writes who needs no allocator: objects of one array, linked when free. */

struct cell {
	struct cell *next;
	char bytes[56];
};

static struct cell cells[BATCH], *first_free;

static void link_cells(const struct row *row)
{
	(void)row;
	for (size_t i = 0; i < ARRAY_SIZE(cells); i++) {
		cells[i].next = first_free;
		first_free = &cells[i];
	}
}

static long free_list(const struct row *row, long ops)
{
	(void)row;
	for (long i = 0; i < ops; i++) {
		struct cell *cell = first_free;

		first_free = cell->next;
		touch(cell->bytes);
		cell->next = first_free;
		first_free = cell;
		USED(&first_free);
	}
	return ops;
}

static const struct row rows[] = {
	{ "kmem64", kmem, 64, 1, create_cache, destroy_cache, "lifo64" },
	{ "kmem64x1000", kmem_batch, 64, BATCH, create_cache, destroy_cache, "fifo64x1000" },
	{ "kmalloc64", kmalloc_64, .peer_row = "lifo64" },
	{ "kmalloc1024", kmalloc_1024, .peer_row = "lifo1024" },
	{ "kmalloc64x1000", kmalloc_batch, .peer_row = "fifo64x1000" },
	{ "bulk64x32", bulk, 64, BULK, create_cache, destroy_cache, "blifo64x32" },
	{ "kmem64.dbgother", kmem, 64, 1, create_both, destroy_both, "-" },
	{ "kmem64.dbg", kmem, 64, 1, create_debug_cache, destroy_cache, "-" },
	{ "freelist64", free_list, 64, 1, link_cells, .peer_row = "-" },
};

int main(int argc, char **argv)
{
	return bench_main(rows, ARRAY_SIZE(rows), argc, argv);
}
