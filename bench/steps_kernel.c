/* SPDX-License-Identifier: MIT */
/*
 * steps_kernel.c - the hit paths that <slabwork/slab.h> inlines into a program
 *
 * Each is a function here, so one ret is in every count.
 */

#include <slabwork/slab.h>

#include "steps.h"

#define SIZE 64
#define WARM 10

static struct kmem_cache *cache;

static __attribute__((noinline)) void *probe_kmalloc(void)
{
	return kmalloc(SIZE, GFP_KERNEL);
}

static __attribute__((noinline)) void probe_kfree(const void *object)
{
	kfree(object);
}

static __attribute__((noinline)) void *probe_cache_alloc(struct kmem_cache *s)
{
	return kmem_cache_alloc(s, GFP_KERNEL);
}

static __attribute__((noinline)) void probe_cache_free(struct kmem_cache *s, void *object)
{
	kmem_cache_free(s, object);
}

static void warm(void)
{
	void *object[WARM], *cached[WARM];

	if (!cache)
		cache = kmem_cache_create("steps", SIZE, 0, 0, NULL);
	for (int round = 0; round < 100; round++) {
		for (int i = 0; i < WARM; i++) {
			object[i] = kmalloc(SIZE, GFP_KERNEL);
			cached[i] = kmem_cache_alloc(cache, GFP_KERNEL);
		}
		for (int i = 0; i < WARM; i++) {
			kfree(object[i]);
			kmem_cache_free(cache, cached[i]);
		}
	}
}

static void prepare_kmalloc(long arguments[2])
{
	warm();
	arguments[0] = 0;
}

static void prepare_kfree(long arguments[2])
{
	warm();
	arguments[0] = (long)kmalloc(SIZE, GFP_KERNEL);
}

static void prepare_cache_alloc(long arguments[2])
{
	warm();
	arguments[0] = (long)cache;
}

static void prepare_cache_free(long arguments[2])
{
	warm();
	arguments[0] = (long)cache;
	arguments[1] = (long)kmem_cache_alloc(cache, GFP_KERNEL);
}

int main(void)
{
	const struct path paths[] = {
		{ "kmem_cache_alloc", (void *)probe_cache_alloc, prepare_cache_alloc },
		{ "kmem_cache_free", (void *)probe_cache_free, prepare_cache_free },
		{ "kmalloc", (void *)probe_kmalloc, prepare_kmalloc },
		{ "kfree", (void *)probe_kfree, prepare_kfree },
	};

	return steps_main(paths, sizeof(paths) / sizeof(paths[0]));
}
