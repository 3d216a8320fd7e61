/* SPDX-License-Identifier: MIT */
#ifndef SW_MEMPOOL_H
#define SW_MEMPOOL_H

/**
 * DOC: <slabwork/mempool.h> - elements put aside, so that work can always go on
 *
 * A pool sits on top of another allocator and keeps min_nr of its elements back. When
 * the allocator fails the pool gives from these; when they are used up and the caller
 * may sleep, it waits until somebody frees one. So mempool_alloc() with a mask
 * that may sleep never fails, provided that elements do come back.
 *
 * Threads  mempool_alloc() and mempool_free() are safe together, from any thread;
 *          resize, destroy and exit exclude every other call on the pool.
 * Room: mm (mempool.c).  Source: Linux 6.12, include/linux/mempool.h
 */

#include <slabwork/gfp.h>
#include <slabwork/types.h>

SW_BEGIN_DECLS

typedef void *(mempool_alloc_t)(gfp_t gfp_mask, void *pool_data);
typedef void(mempool_free_t)(void *element, void *pool_data);

/* A pool; every field is the library's, to be read at most. */
typedef struct mempool_s {
	unsigned int lock; /* curr_nr and elements[] */
	int min_nr;        /* elements to keep back */
	int curr_nr;       /* elements kept back now */
	void **elements;
	void *pool_data;
	mempool_alloc_t *alloc;
	mempool_free_t *free;
	unsigned int wait[2];
} mempool_t;

/**
 * mempool_create() - make a pool and fill it
 * @min_nr: elements to keep back, at least 1 is kept
 * @alloc_fn: allocates an element, may fail
 * @free_fn: frees one
 * @pool_data: handed to both
 *
 * Context: May sleep.
 * Return: the pool; NULL if there is no memory for it or its elements.
 */
SW_API mempool_t *mempool_create(int min_nr, mempool_alloc_t *alloc_fn, mempool_free_t *free_fn,
				 void *pool_data) SW_NAME(mempool_create) __must_check;
SW_API mempool_t *mempool_create_node(int min_nr, mempool_alloc_t *alloc_fn,
				      mempool_free_t *free_fn, void *pool_data, gfp_t gfp_mask,
				      int node_id) SW_NAME(mempool_create_node) __must_check;
/* Free what is kept back, and the pool. NULL is a no-op. */
SW_API void mempool_destroy(mempool_t *pool) SW_NAME(mempool_destroy);

/* The same for a pool that is part of a larger structure. 0 or -ENOMEM. */
SW_API int mempool_init(mempool_t *pool, int min_nr, mempool_alloc_t *alloc_fn,
			mempool_free_t *free_fn, void *pool_data)
	SW_NAME(mempool_init) __must_check;
SW_API int mempool_init_node(mempool_t *pool, int min_nr, mempool_alloc_t *alloc_fn,
			     mempool_free_t *free_fn, void *pool_data, gfp_t gfp_mask, int node_id)
	SW_NAME(mempool_init_node) __must_check;
SW_API void mempool_exit(mempool_t *pool) SW_NAME(mempool_exit);

/**
 * mempool_resize() - keep back more or fewer elements
 * @new_min_nr: 1 or more
 *
 * Context: May sleep.
 * Return: 0; -ENOMEM: no room for the list, nothing has changed. Elements that
 *         cannot be had now are put aside as others are freed.
 */
SW_API int mempool_resize(mempool_t *pool, int new_min_nr) SW_NAME(mempool_resize);

/**
 * mempool_alloc() - an element from the allocator, or from what was put aside
 * @gfp_mask: __GFP_ZERO is a bug (elements that were put aside are not zeroed): warned about, dropped
 *
 * Tries without sleeping first, then the pool, then with all that @gfp_mask
 * allows, then waits for a mempool_free() (and looks again every 5 s).
 *
 * Context: May sleep if @gfp_mask holds __GFP_DIRECT_RECLAIM; otherwise any.
 * Return: an element; NULL only if @gfp_mask may not sleep.
 */
SW_API void *mempool_alloc(mempool_t *pool, gfp_t gfp_mask) SW_NAME(mempool_alloc) __must_check;
/* From what was put aside only (since 6.7): for those who have seen the allocator fail. NULL: none. */
SW_API void *mempool_alloc_preallocated(mempool_t *pool)
	SW_NAME(mempool_alloc_preallocated) __must_check;

/**
 * mempool_free() - give an element back: to the pool if it is short, else to the allocator
 * @element: NULL is a no-op
 *
 * Context: Any that @pool's free function can stand.
 */
SW_API void mempool_free(void *element, mempool_t *pool) SW_NAME(mempool_free);

static inline bool mempool_initialized(mempool_t *pool)
{
	return pool->elements != NULL;
}

/* Does the pool hold all that it should? A snapshot. */
static inline bool mempool_is_saturated(mempool_t *pool)
{
	return __atomic_load_n(&pool->curr_nr, __ATOMIC_RELAXED) >= pool->min_nr;
}

/* Ready-made pairs of functions. pool_data: the cache; the size; the size; the order. */
SW_API void *mempool_alloc_slab(gfp_t gfp_mask, void *pool_data) SW_NAME(mempool_alloc_slab);
SW_API void mempool_free_slab(void *element, void *pool_data) SW_NAME(mempool_free_slab);
SW_API void *mempool_kmalloc(gfp_t gfp_mask, void *pool_data) SW_NAME(mempool_kmalloc);
SW_API void mempool_kfree(void *element, void *pool_data) SW_NAME(mempool_kfree);
SW_API void *mempool_kvmalloc(gfp_t gfp_mask, void *pool_data) SW_NAME(mempool_kvmalloc);
SW_API void mempool_kvfree(void *element, void *pool_data) SW_NAME(mempool_kvfree);
SW_API void *mempool_alloc_pages(gfp_t gfp_mask, void *pool_data) SW_NAME(mempool_alloc_pages);
SW_API void mempool_free_pages(void *element, void *pool_data) SW_NAME(mempool_free_pages);

#define mempool_init_slab_pool(pool, min_nr, cache) \
	mempool_init(pool, min_nr, mempool_alloc_slab, mempool_free_slab, (void *)(cache))
#define mempool_create_slab_pool(min_nr, cache) \
	mempool_create(min_nr, mempool_alloc_slab, mempool_free_slab, (void *)(cache))
#define mempool_init_kmalloc_pool(pool, min_nr, size) \
	mempool_init(pool, min_nr, mempool_kmalloc, mempool_kfree, (void *)(uintptr_t)(size))
#define mempool_create_kmalloc_pool(min_nr, size) \
	mempool_create(min_nr, mempool_kmalloc, mempool_kfree, (void *)(uintptr_t)(size))
#define mempool_init_kvmalloc_pool(pool, min_nr, size) \
	mempool_init(pool, min_nr, mempool_kvmalloc, mempool_kvfree, (void *)(uintptr_t)(size))
#define mempool_create_kvmalloc_pool(min_nr, size) \
	mempool_create(min_nr, mempool_kvmalloc, mempool_kvfree, (void *)(uintptr_t)(size))
#define mempool_init_page_pool(pool, min_nr, order)                         \
	mempool_init(pool, min_nr, mempool_alloc_pages, mempool_free_pages, \
		     (void *)(uintptr_t)(order))
#define mempool_create_page_pool(min_nr, order) \
	mempool_create(min_nr, mempool_alloc_pages, mempool_free_pages, (void *)(uintptr_t)(order))

SW_END_DECLS

#endif /* SW_MEMPOOL_H */
