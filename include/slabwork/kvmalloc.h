/* SPDX-License-Identifier: MIT */
#ifndef SW_KVMALLOC_H
#define SW_KVMALLOC_H

/**
 * DOC: <slabwork/kvmalloc.h> - memory that need not be contiguous pages
 *
 * The kvmalloc() family tries kmalloc() and, for more than a page, falls back to
 * vmalloc(). kvfree() takes either kind (and only kvfree() should).
 * Included by <slabwork/slab.h>.
 *
 * Room: mm (util.c).
 */

#include <slabwork/gfp.h>
#include <slabwork/types.h>

SW_BEGIN_DECLS

/**
 * kvmalloc_node() - memory of any size, near a node
 * @size: bytes; 0 gives ZERO_SIZE_PTR; above INT_MAX gives NULL and, without
 *        __GFP_NOWARN, a warning: overflow has happened upstream
 * @flags: GFP_KERNEL or kin; with a mask that may not sleep there is no vmalloc fallback
 * @node: preferred node, or NUMA_NO_NODE
 *
 * Context: May sleep if @flags holds __GFP_DIRECT_RECLAIM; otherwise any.
 * Return: the memory, freed by kvfree(); NULL if there is none.
 * Source: Linux 6.12, mm/util.c
 */
SW_API void *kvmalloc_node(size_t size, gfp_t flags, int node) SW_NAME(kvmalloc_node) SW_MALLOC
	SW_ALLOC_SIZE(1) __must_check;

/**
 * kvfree() - free what kvmalloc(), kmalloc() or vmalloc() gave
 * @addr: the pointer; NULL and ZERO_SIZE_PTR are fine
 *
 * Context: Any, signal handlers included (a vmalloc area is then freed later).
 */
SW_API void kvfree(const void *addr) SW_NAME(kvfree);

/* kvfree() that wipes @len bytes first. Context: Any. */
SW_API void kvfree_sensitive(const void *addr, size_t len) SW_NAME(kvfree_sensitive);

/* kvfree() by the name that newest kernels want in atomic context. */
SW_API void kvfree_atomic(const void *addr) SW_NAME(kvfree_atomic);

/**
 * kvrealloc() - change the size of a kvmalloc() block
 * @p: the block; NULL allocates
 * @size: bytes; 0 frees @p and gives ZERO_SIZE_PTR
 * @flags: see kvmalloc_node()
 *
 * A block that vmalloc() gave is grown in place or moved by remapping its pages.
 * With SW_API_515 defined before this header is included, kvrealloc() has
 * Linux 5.15's four arguments (p, oldsize, newsize, flags).
 *
 * Context: as kvmalloc_node().
 * Return: the block, maybe moved; NULL leaves the old one as it was.
 * Source: Linux 6.12, mm/util.c
 */
SW_API void *kvrealloc(const void *p, size_t size, gfp_t flags) SW_NAME(kvrealloc)
	SW_ALLOC_SIZE(2) __must_check;
SW_API void *kvrealloc_515(const void *p, size_t oldsize, size_t newsize, gfp_t flags)
	SW_NAME(kvrealloc_515) SW_ALLOC_SIZE(3) __must_check;
#ifdef SW_API_515
#define kvrealloc(p, oldsize, newsize, flags) kvrealloc_515(p, oldsize, newsize, flags)
#endif

SW_ALWAYS_INLINE SW_ALLOC_SIZE(1) __must_check void *kvmalloc(size_t size, gfp_t flags)
{
	return kvmalloc_node(size, flags, NUMA_NO_NODE);
}

SW_ALWAYS_INLINE SW_ALLOC_SIZE(1) __must_check void *kvzalloc(size_t size, gfp_t flags)
{
	return kvmalloc_node(size, flags | __GFP_ZERO, NUMA_NO_NODE);
}

SW_ALWAYS_INLINE SW_ALLOC_SIZE(1) __must_check
	void *kvzalloc_node(size_t size, gfp_t flags, int node)
{
	return kvmalloc_node(size, flags | __GFP_ZERO, node);
}

/* n * size bytes; NULL, without a warning, if that overflows. */
SW_ALWAYS_INLINE SW_ALLOC_SIZE(1, 2) __must_check
	void *kvmalloc_array_node(size_t n, size_t size, gfp_t flags, int node)
{
	size_t bytes;

	if (unlikely(__builtin_mul_overflow(n, size, &bytes)))
		return NULL;
	return kvmalloc_node(bytes, flags, node);
}

SW_ALWAYS_INLINE SW_ALLOC_SIZE(1, 2) __must_check
	void *kvmalloc_array(size_t n, size_t size, gfp_t flags)
{
	return kvmalloc_array_node(n, size, flags, NUMA_NO_NODE);
}

SW_ALWAYS_INLINE SW_ALLOC_SIZE(1, 2) __must_check
	void *kvcalloc_node(size_t n, size_t size, gfp_t flags, int node)
{
	return kvmalloc_array_node(n, size, flags | __GFP_ZERO, node);
}

SW_ALWAYS_INLINE SW_ALLOC_SIZE(1, 2) __must_check void *kvcalloc(size_t n, size_t size, gfp_t flags)
{
	return kvmalloc_array_node(n, size, flags | __GFP_ZERO, NUMA_NO_NODE);
}

/* Typed forms (since 7.0); the helpers are <slabwork/slab.h>'s. */
#define kvmalloc_obj(...)  SW_OBJ(kvmalloc, __VA_ARGS__, GFP_KERNEL, 0)
#define kvzalloc_obj(...)  SW_OBJ(kvzalloc, __VA_ARGS__, GFP_KERNEL, 0)
#define kvmalloc_objs(...) SW_OBJS(kvmalloc_array, __VA_ARGS__, GFP_KERNEL, 0)
#define kvzalloc_objs(...) SW_OBJS(kvcalloc, __VA_ARGS__, GFP_KERNEL, 0)

SW_END_DECLS

#endif /* SW_KVMALLOC_H */
