/* SPDX-License-Identifier: MIT */
/*
 * mempool.c - elements put aside, so that work can always go on
 *
 * Room: mm. Door: <slabwork/mempool.h>.
 *
 * 1. The idea
 *
 * elements[0 .. curr_nr) are put aside. Taking asks the allocator first, so that
 * the reserve is still whole when it is really needed; giving fills the reserve
 * first. A freed element thus goes to whoever waits, not to the allocator.
 *
 * 2. Invariants
 *
 *   I1  0 <= curr_nr <= min_nr, and elements has room for max(min_nr, 1).
 *   I2  Nobody sleeps on an element that lies in the pool: a put wakes after it
 *       has counted, and a sleeper looks after it has announced itself.
 *
 * 3. Locks: pool->lock, a leaf. In atomic context it is only tried for a while:
 * a handler may have interrupted its holder. An element that finds it taken then
 * goes to the allocator, and who waits for it looks again after WAIT_NS.
 *
 * 4. Under slab debugging (SLAB_POISON on the cache of a slab pool) elements put
 * aside are poisoned and checked when taken, as the kernel does it.
 *
 * Source: Linux 6.12 include/linux/mempool.h and mm/mempool.c as documented.
 */

#include <errno.h>
#include <string.h>

#include <slabwork/mempool.h>
#include <slabwork/mm.h>
#include <slabwork/slab.h>

#include "kernel/lock.h"
#include "kernel/printk.h"
#include "kernel/wait.h"
#include "mm/slab.h"

/* The kernel's: a free may have been missed, or the allocator may have recovered. */
#define WAIT_NS (5 * 1000000000ULL)
/* A holder is gone after a few stores: longer means that it is the interrupted one. */
#define LOCK_TRIES 1000

#define POISON_FREE 0x6b
#define POISON_END  0xa5

_Static_assert(sizeof(spinlock_t) == sizeof(((mempool_t *)0)->lock), "the lock is one word");
_Static_assert(sizeof(wait_queue_head_t) == sizeof(((mempool_t *)0)->wait), "so is the queue two");

static spinlock_t *pool_lock(mempool_t *pool)
{
	return (spinlock_t *)&pool->lock;
}

static wait_queue_head_t *pool_wait(mempool_t *pool)
{
	return (wait_queue_head_t *)pool->wait;
}

static bool pool_lock_bounded(mempool_t *pool)
{
	for (int i = 0; i < LOCK_TRIES; i++)
		if (spin_trylock(pool_lock(pool)))
			return true;
	return false;
}

/* ---- elements put aside ------------------------------------------------------------ */

/* Bytes of an element that are poisoned while it is put aside; 0: none. */
static size_t poison_size(const mempool_t *pool)
{
	const struct kmem_cache *cache = pool->pool_data;

	if (pool->free != mempool_free_slab || !(cache->flags & SLAB_POISON) || cache->ctor)
		return 0;
	return cache->object_size;
}

static void element_poison(const mempool_t *pool, void *element)
{
	size_t size = poison_size(pool);

	if (!size)
		return;
	memset(element, POISON_FREE, size - 1);
	((unsigned char *)element)[size - 1] = POISON_END;
}

static void element_check(const mempool_t *pool, const void *element)
{
	size_t size = poison_size(pool);
	const unsigned char *byte = element;

	for (size_t i = 0; i < size; i++)
		if (byte[i] != (i == size - 1 ? POISON_END : POISON_FREE)) {
			pr_err("BUG: mempool element poison mismatch\n");
			pr_err("Mempool %p size %zu\n", (const void *)pool, size);
			pr_err(" nr=%d @ %p: byte %zu is 0x%02x\n", pool->curr_nr, element, i,
			       byte[i]);
			return;
		}
}

static void __put_aside(mempool_t *pool, void *element)
{
	element_poison(pool, element);
	pool->elements[pool->curr_nr] = element;
	/* I2: pairs with wait_prepare(): either we see the sleeper or it sees the element. */
	__atomic_store_n(&pool->curr_nr, pool->curr_nr + 1, __ATOMIC_SEQ_CST);
}

static void *__take(mempool_t *pool)
{
	void *element;

	if (!pool->curr_nr)
		return NULL;
	__atomic_store_n(&pool->curr_nr, pool->curr_nr - 1, __ATOMIC_RELAXED);
	element = pool->elements[pool->curr_nr];
	element_check(pool, element);
	return element;
}

static int slots(int min_nr)
{
	return min_nr > 1 ? min_nr : 1;
}

/* ---- making and ending ----------------------------------------------------------------- */

void mempool_exit(mempool_t *pool)
{
	if (!pool->elements)
		return;
	while (pool->curr_nr)
		pool->free(__take(pool), pool->pool_data);
	kfree(pool->elements);
	pool->elements = NULL;
}

int mempool_init_node(mempool_t *pool, int min_nr, mempool_alloc_t *alloc_fn,
		      mempool_free_t *free_fn, void *pool_data, gfp_t gfp_mask, int node_id)
{
	*pool = (mempool_t){
		.min_nr = min_nr, .pool_data = pool_data, .alloc = alloc_fn, .free = free_fn
	};
	pool->elements =
		kmalloc_array_node((size_t)slots(min_nr), sizeof(void *), gfp_mask, node_id);
	if (!pool->elements)
		return -ENOMEM;
	while (pool->curr_nr < slots(min_nr)) {
		void *element = alloc_fn(gfp_mask, pool_data);

		if (!element) {
			mempool_exit(pool);
			return -ENOMEM;
		}
		__put_aside(pool, element);
	}
	return 0;
}

int mempool_init(mempool_t *pool, int min_nr, mempool_alloc_t *alloc_fn, mempool_free_t *free_fn,
		 void *pool_data)
{
	return mempool_init_node(pool, min_nr, alloc_fn, free_fn, pool_data, GFP_KERNEL,
				 NUMA_NO_NODE);
}

mempool_t *mempool_create_node(int min_nr, mempool_alloc_t *alloc_fn, mempool_free_t *free_fn,
			       void *pool_data, gfp_t gfp_mask, int node_id)
{
	mempool_t *pool = kmalloc_node(sizeof(*pool), gfp_mask, node_id);

	if (!pool)
		return NULL;
	if (mempool_init_node(pool, min_nr, alloc_fn, free_fn, pool_data, gfp_mask, node_id)) {
		kfree(pool);
		return NULL;
	}
	return pool;
}

mempool_t *mempool_create(int min_nr, mempool_alloc_t *alloc_fn, mempool_free_t *free_fn,
			  void *pool_data)
{
	return mempool_create_node(min_nr, alloc_fn, free_fn, pool_data, GFP_KERNEL, NUMA_NO_NODE);
}

void mempool_destroy(mempool_t *pool)
{
	if (!pool)
		return;
	mempool_exit(pool);
	kfree(pool);
}

/* Free what is more than new_min_nr. */
static void pool_drain_to(mempool_t *pool, int new_min_nr)
{
	spin_lock(pool_lock(pool));
	pool->min_nr = new_min_nr;
	while (pool->curr_nr > slots(new_min_nr)) {
		void *element = __take(pool);

		spin_unlock(pool_lock(pool));
		pool->free(element, pool->pool_data);
		spin_lock(pool_lock(pool));
	}
	spin_unlock(pool_lock(pool));
}

int mempool_resize(mempool_t *pool, int new_min_nr)
{
	void **elements, **old;

	if (WARN_ON(new_min_nr <= 0))
		return -EINVAL;
	if (new_min_nr <= pool->min_nr) {
		pool_drain_to(pool, new_min_nr);
		return 0;
	}
	elements = kmalloc_array((size_t)new_min_nr, sizeof(void *), GFP_KERNEL);
	if (!elements)
		return -ENOMEM;
	spin_lock(pool_lock(pool));
	old = pool->elements;
	memcpy(elements, old, (size_t)pool->curr_nr * sizeof(void *));
	pool->elements = elements;
	pool->min_nr = new_min_nr;
	spin_unlock(pool_lock(pool));
	kfree(old);

	while (!mempool_is_saturated(pool)) {
		void *element = pool->alloc(GFP_KERNEL, pool->pool_data);

		if (!element)
			break; /* frees will fill it up */
		mempool_free(element, pool);
	}
	return 0;
}

/* ---- taking and giving ----------------------------------------------------------------------- */

static void *take(mempool_t *pool, bool may_block)
{
	void *element;

	if (!__atomic_load_n(&pool->curr_nr, __ATOMIC_RELAXED))
		return NULL;
	if (may_block)
		spin_lock(pool_lock(pool));
	else if (!pool_lock_bounded(pool))
		return NULL;
	element = __take(pool);
	spin_unlock(pool_lock(pool));
	return element;
}

void *mempool_alloc_preallocated(mempool_t *pool)
{
	return take(pool, false);
}

void *mempool_alloc(mempool_t *pool, gfp_t gfp_mask)
{
	gfp_t light, attempt;
	void *element;

	if (WARN_ON_ONCE(gfp_mask & __GFP_ZERO))
		gfp_mask &= ~__GFP_ZERO;
	gfp_mask |= __GFP_NOMEMALLOC | __GFP_NORETRY | __GFP_NOWARN;
	light = gfp_mask & ~(__GFP_DIRECT_RECLAIM | __GFP_IO);
	for (attempt = light;; attempt = gfp_mask) {
		element = pool->alloc(attempt, pool->pool_data);
		if (!element)
			element = take(pool, gfpflags_allow_blocking(gfp_mask));
		if (element)
			return element;
		if (attempt != gfp_mask)
			continue;
		if (!gfpflags_allow_blocking(gfp_mask))
			return NULL;
		wait_event_timeout(pool_wait(pool),
				   __atomic_load_n(&pool->curr_nr, __ATOMIC_SEQ_CST) > 0, WAIT_NS);
	}
}

void mempool_free(void *element, mempool_t *pool)
{
	if (!element)
		return;
	if (__atomic_load_n(&pool->curr_nr, __ATOMIC_RELAXED) < slots(pool->min_nr) &&
	    pool_lock_bounded(pool)) {
		bool kept = pool->curr_nr < slots(pool->min_nr);

		if (kept)
			__put_aside(pool, element);
		spin_unlock(pool_lock(pool));
		if (kept) {
			wake_up(pool_wait(pool));
			return;
		}
	}
	pool->free(element, pool->pool_data);
}

/* ---- ready-made pairs --------------------------------------------------------------------------- */

void *mempool_alloc_slab(gfp_t gfp_mask, void *pool_data)
{
	return kmem_cache_alloc(pool_data, gfp_mask);
}

void mempool_free_slab(void *element, void *pool_data)
{
	kmem_cache_free(pool_data, element);
}

void *mempool_kmalloc(gfp_t gfp_mask, void *pool_data)
{
	return kmalloc((size_t)(uintptr_t)pool_data, gfp_mask);
}

void mempool_kfree(void *element, void *pool_data)
{
	(void)pool_data;
	kfree(element);
}

void *mempool_kvmalloc(gfp_t gfp_mask, void *pool_data)
{
	return kvmalloc((size_t)(uintptr_t)pool_data, gfp_mask);
}

void mempool_kvfree(void *element, void *pool_data)
{
	(void)pool_data;
	kvfree(element);
}

void *mempool_alloc_pages(gfp_t gfp_mask, void *pool_data)
{
	return alloc_pages(gfp_mask, (unsigned int)(uintptr_t)pool_data);
}

void mempool_free_pages(void *element, void *pool_data)
{
	__free_pages(element, (unsigned int)(uintptr_t)pool_data);
}
