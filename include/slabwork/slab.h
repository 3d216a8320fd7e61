/* SPDX-License-Identifier: MIT */
#ifndef SW_SLAB_H
#define SW_SLAB_H

/**
 * DOC: <slabwork/slab.h> - objects of one size, and memory of any size
 *
 * A cache (struct kmem_cache) hands out objects of one size quickly and keeps
 * freed ones warm for the same CPU. kmalloc() is a row of such caches, one for
 * each size class, and falls through to whole pages above KMALLOC_MAX_CACHE_SIZE.
 *
 * Units    Sizes and alignments are bytes. An order is log2 of pages.
 * Errors   Pointer functions return NULL when memory cannot be had. Misuse
 *          (double free, foreign pointer) is a report and abort, never a return value.
 * Threads  Any thread may free what another allocated:
 *
 *                             kmem_cache_alloc  kmem_cache_free  kmem_cache_destroy
 *            kmem_cache_alloc        -                -                 X
 *            kmem_cache_free         -                -                 X
 *            kmem_cache_destroy      X                X                 X
 *          "-" safe together; "X" the callers must exclude each other.
 * Signals  With GFP_ATOMIC, GFP_NOWAIT or kmalloc_nolock(), and every free: async-signal-safe.
 *
 * Room: mm (slab_common.c, slub*.c, kmalloc.c).  Map: docs/kernel-map.md
 */

#include <string.h>

#include <slabwork/gfp.h>
#include <slabwork/kvmalloc.h>
#include <slabwork/slab_fast.h>
#include <slabwork/types.h>

SW_BEGIN_DECLS

/* Flags of kmem_cache_create(), values of Linux 5.4; the last ones are later names. */
#define SLAB_CONSISTENCY_CHECKS ((slab_flags_t)0x00000100U)
#define SLAB_RED_ZONE           ((slab_flags_t)0x00000400U)
#define SLAB_POISON             ((slab_flags_t)0x00000800U)
#define SLAB_KMALLOC            ((slab_flags_t)0x00001000U) /* internal: a kmalloc cache */
#define SLAB_HWCACHE_ALIGN      ((slab_flags_t)0x00002000U)
#define SLAB_CACHE_DMA          ((slab_flags_t)0x00004000U)
#define SLAB_CACHE_DMA32        ((slab_flags_t)0x00008000U)
#define SLAB_STORE_USER         ((slab_flags_t)0x00010000U)
#define SLAB_RECLAIM_ACCOUNT    ((slab_flags_t)0x00020000U)
#define SLAB_TEMPORARY          SLAB_RECLAIM_ACCOUNT
#define SLAB_PANIC              ((slab_flags_t)0x00040000U)
#define SLAB_TYPESAFE_BY_RCU    ((slab_flags_t)0x00080000U)
#define SLAB_MEM_SPREAD         ((slab_flags_t)0x00100000U)
#define SLAB_TRACE              ((slab_flags_t)0x00200000U)
#define SLAB_DEBUG_OBJECTS      ((slab_flags_t)0x00400000U)
#define SLAB_NOLEAKTRACE        ((slab_flags_t)0x00800000U)
#define SLAB_NO_MERGE           ((slab_flags_t)0x01000000U)
#define SLAB_FAILSLAB           ((slab_flags_t)0x02000000U)
#define SLAB_ACCOUNT            ((slab_flags_t)0x04000000U)
#define SLAB_KASAN              ((slab_flags_t)0x08000000U)
#define SLAB_NO_USER_FLAGS      ((slab_flags_t)0x10000000U)
#define SLAB_SKIP_KFENCE        ((slab_flags_t)0x20000000U)
#define SLAB_NO_SHEAVES         ((slab_flags_t)0x40000000U) /* internal: every call takes the locked path */

/* kmalloc(0): freeable, not NULL, faults when touched. */
#define ZERO_SIZE_PTR       ((void *)16)
#define ZERO_OR_NULL_PTR(x) ((unsigned long)(x) <= (unsigned long)ZERO_SIZE_PTR)

/*
 * The general caches' bounds. The default profile is SLUB's; SW_KMALLOC_PROFILE
 * picks SLAB's (32 bytes .. 4 MiB) or SLOB's geometry at build time.
 */
#define SW_PROFILE_SLUB 0
#define SW_PROFILE_SLAB 1
#define SW_PROFILE_SLOB 2
#ifndef SW_KMALLOC_PROFILE
#define SW_KMALLOC_PROFILE SW_PROFILE_SLUB
#endif

#define KMALLOC_SHIFT_LIMIT (MAX_ORDER + PAGE_SHIFT - 1)
#if SW_KMALLOC_PROFILE == SW_PROFILE_SLAB
#define KMALLOC_SHIFT_HIGH        (KMALLOC_SHIFT_LIMIT <= 25 ? KMALLOC_SHIFT_LIMIT : 25)
#define KMALLOC_SHIFT_MAX         KMALLOC_SHIFT_HIGH
#define KMALLOC_SHIFT_LOW_DEFAULT 5
#elif SW_KMALLOC_PROFILE == SW_PROFILE_SLOB
#define KMALLOC_SHIFT_HIGH        PAGE_SHIFT
#define KMALLOC_SHIFT_MAX         KMALLOC_SHIFT_LIMIT
#define KMALLOC_SHIFT_LOW_DEFAULT 3
#else
#define KMALLOC_SHIFT_HIGH        (PAGE_SHIFT + 1)
#define KMALLOC_SHIFT_MAX         KMALLOC_SHIFT_LIMIT
#define KMALLOC_SHIFT_LOW_DEFAULT 3
#endif

/* ARCH_DMA_MINALIGN (a power of two <= 256) raises the smallest class. */
#ifdef ARCH_DMA_MINALIGN
#if ARCH_DMA_MINALIGN < 8 || ARCH_DMA_MINALIGN > 256 || ARCH_DMA_MINALIGN & (ARCH_DMA_MINALIGN - 1)
#error ARCH_DMA_MINALIGN is a power of two, 8 to 256
#endif
#define ARCH_KMALLOC_MINALIGN ARCH_DMA_MINALIGN
#define KMALLOC_SHIFT_LOW     (__builtin_ctzl(ARCH_DMA_MINALIGN))
#else
#define ARCH_KMALLOC_MINALIGN 8UL
#define KMALLOC_SHIFT_LOW     KMALLOC_SHIFT_LOW_DEFAULT
#endif
#define KMALLOC_MIN_SIZE   (1UL << KMALLOC_SHIFT_LOW)
#define ARCH_SLAB_MINALIGN 8UL

#define KMALLOC_MAX_SIZE       (1UL << KMALLOC_SHIFT_MAX)
#define KMALLOC_MAX_CACHE_SIZE (1UL << KMALLOC_SHIFT_HIGH)
#define KMALLOC_MAX_ORDER      (KMALLOC_SHIFT_MAX - PAGE_SHIFT)
#define SLAB_OBJ_MIN_SIZE      (KMALLOC_MIN_SIZE < 16 ? KMALLOC_MIN_SIZE : 16UL)

enum kmalloc_cache_type {
	KMALLOC_NORMAL = 0,
	KMALLOC_RECLAIM,
	KMALLOC_DMA,
	KMALLOC_CGROUP, /* since 5.14; __GFP_ACCOUNT */
	NR_KMALLOC_TYPES
};

/* The general caches: [type][index]; NULL until boot and where no such cache exists. */
extern SW_API struct kmem_cache *
	kmalloc_caches[NR_KMALLOC_TYPES][KMALLOC_SHIFT_HIGH + 1] SW_NAME(kmalloc_caches);

/* What the inline kfree() needs; filled at boot. */
extern SW_API struct sw_fast sw_fast_general;

/**
 * struct kmem_cache_args - the less usual wishes for a new cache (since 6.12)
 * @align: of the objects, bytes, a power of two; 0 for the natural one
 * @useroffset: start of the window that may be copied to users
 * @usersize: length of that window
 * @freeptr_offset: where a free pointer may lie in a constructed object
 * @use_freeptr_offset: @freeptr_offset is valid
 * @ctor: runs once for each object when its slab is made
 * @sheaf_capacity: objects in a per-CPU sheaf, 0 for the default
 */
struct kmem_cache_args {
	unsigned int align;
	unsigned int useroffset;
	unsigned int usersize;
	unsigned int freeptr_offset;
	bool use_freeptr_offset;
	void (*ctor)(void *object);
	unsigned int sheaf_capacity;
};

/**
 * __kmem_cache_create_args() - make a cache of equal objects (6.12's form)
 * @name: shown in slabinfo; copied; not NULL, no spaces
 * @object_size: bytes of an object, 1..KMALLOC_MAX_SIZE
 * @args: further wishes; NULL: none
 * @flags: SLAB_*; an unknown bit fails
 *
 * Context: May sleep.
 * Return: the cache; NULL with a warning if it cannot be made (-EINVAL, -ENOMEM);
 *         SLAB_PANIC aborts instead.
 * Source: Linux 6.12, mm/slab_common.c
 */
SW_API struct kmem_cache *__kmem_cache_create_args(const char *name, unsigned int object_size,
						   struct kmem_cache_args *args, slab_flags_t flags)
	SW_NAME(__kmem_cache_create_args);

/* The five-argument form of 5.4; same contract. */
SW_API struct kmem_cache *__kmem_cache_create(const char *name, unsigned int size,
					      unsigned int align, slab_flags_t flags,
					      void (*ctor)(void *)) SW_NAME(__kmem_cache_create);

/**
 * kmem_cache_create_usercopy() - a cache with a window that may be copied to users
 * @useroffset, @usersize: the window; usersize 0 whitelists nothing
 *
 * A window that does not lie inside the object warns and is dropped.
 */
SW_API struct kmem_cache *kmem_cache_create_usercopy(const char *name, unsigned int size,
						     unsigned int align, slab_flags_t flags,
						     unsigned int useroffset, unsigned int usersize,
						     void (*ctor)(void *))
	SW_NAME(kmem_cache_create_usercopy);

#ifndef __cplusplus
/*
 * kmem_cache_create(name, size, align, flags, ctor)   5.4
 * kmem_cache_create(name, size, &args, flags)         6.12; args may be NULL
 */
#define SW_CREATE_4(name, size, args, flags) __kmem_cache_create_args(name, size, args, flags)
#define SW_CREATE_5(name, size, align, flags, ctor) \
	__kmem_cache_create(name, size, align, flags, ctor)
#define SW_CREATE_PICK(_1, _2, _3, _4, _5, which, ...) which
#define kmem_cache_create(...) \
	SW_CREATE_PICK(__VA_ARGS__, SW_CREATE_5, SW_CREATE_4, , , )(__VA_ARGS__)

#define KMEM_CACHE(type, flags) \
	__kmem_cache_create(#type, sizeof(struct type), __alignof__(struct type), flags, NULL)
#define KMEM_CACHE_USERCOPY(type, flags, field)                                                 \
	kmem_cache_create_usercopy(#type, sizeof(struct type), __alignof__(struct type), flags, \
				   offsetof(struct type, field),                                \
				   sizeof(((struct type *)0)->field), NULL)
#else
#define kmem_cache_create(name, size, align, flags, ctor) \
	__kmem_cache_create(name, size, align, flags, ctor)
#endif

/**
 * kmem_cache_destroy() - take a cache out of service
 * @cache: from kmem_cache_create(); NULL is fine
 *
 * Waits for RCU readers of a SLAB_TYPESAFE_BY_RCU cache and for kfree_rcu(). If objects
 * are still alive the kernel's report names them, the cache is leaked and the
 * process goes on. A merged cache only loses one reference.
 *
 * Context: May sleep. The caller excludes every other use of the cache.
 */
SW_API void kmem_cache_destroy(struct kmem_cache *cache) SW_NAME(kmem_cache_destroy);

/**
 * kmem_cache_shrink() - give back what the cache holds in stock
 *
 * Empties the CPUs' sheaves and the barns, frees empty slabs, sorts partial ones by use.
 *
 * Context: May sleep. Return: 0 if no slab is left, else 1.
 */
SW_API int kmem_cache_shrink(struct kmem_cache *cache) SW_NAME(kmem_cache_shrink);

/* Bytes of an object as the caller sees it; true once slab_state is UP. */
SW_API unsigned int kmem_cache_size(struct kmem_cache *cache) SW_NAME(kmem_cache_size);
SW_API bool slab_is_available(void) SW_NAME(slab_is_available);

/* Out-of-line twins and slow paths of the inline calls below. */
SW_API void *sw_cache_alloc(struct kmem_cache *cache, gfp_t flags);
SW_API void sw_cache_free(struct kmem_cache *cache, void *object);
SW_API void *sw_cache_alloc_slow(struct kmem_cache *cache, gfp_t flags);
SW_API void sw_cache_free_slow(struct kmem_cache *cache, void *object, bool checked);
SW_API void sw_kfree(const void *object);
SW_API void sw_kfree_slow(const void *object, unsigned int tag);

/**
 * kmem_cache_alloc() - take one object from a cache
 * @cache: the cache, from kmem_cache_create(); not NULL
 * @flags: what the allocator may do to succeed, see <slabwork/gfp.h>
 *
 * The object is at least the cache's object size, aligned as the cache was
 * created, and uninitialised unless the cache has a constructor or @flags holds
 * __GFP_ZERO. Usual cost: one restartable sequence, no lock, no atomic.
 *
 * Context: May sleep if @flags holds __GFP_DIRECT_RECLAIM; otherwise any, signal handlers included.
 * Return: the object, owned by the caller until kmem_cache_free(); NULL if
 *         no page could be had within what @flags allows; never NULL with __GFP_NOFAIL.
 * Source: Linux 6.12, memory-allocation.rst; mm/slub.c
 * Differs: "CPU" is the rseq CPU id of the calling thread.
 */
SW_ALWAYS_INLINE __must_check void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t flags)
{
#if defined(SW_NO_INLINE)
	return sw_cache_alloc(cache, flags);
#else
	const struct sw_fast *f = (const struct sw_fast *)cache;
	void *object = sw_slot_pop(f, 0);

	if (unlikely(!object))
		return sw_cache_alloc_slow(cache, flags);
	sw_mark_live(f, object);
	if (flags & __GFP_ZERO)
		memset(object, 0, f->object_size);
	return object;
#endif
}

/* kmem_cache_alloc() of a zeroed object. */
SW_ALWAYS_INLINE __must_check void *kmem_cache_zalloc(struct kmem_cache *cache, gfp_t flags)
{
	return kmem_cache_alloc(cache, flags | __GFP_ZERO);
}

/**
 * kmem_cache_free() - give an object back
 * @cache: the cache it came from
 * @object: from kmem_cache_alloc() and kin, of this cache; not NULL
 *
 * A double free, an interior or a foreign pointer is reported by name and aborts;
 * an object of another cache is reported ("Wrong slab cache") and freed to its own.
 *
 * Context: Any, signal handlers included.
 */
SW_ALWAYS_INLINE void kmem_cache_free(struct kmem_cache *cache, void *object)
{
#if defined(SW_NO_INLINE)
	sw_cache_free(cache, object);
#else
	const struct sw_fast *f = (const struct sw_fast *)cache;
	unsigned char tag;
	uintptr_t step = sw_step_to_free(f, object, &tag);

	if (unlikely(step >= __atomic_load_n(f->nr_steps, __ATOMIC_RELAXED) ||
		     __atomic_load_n(&f->live[step], __ATOMIC_RELAXED) != tag)) {
		sw_cache_free_slow(cache, object, false);
		return;
	}
	/* Atomic: two objects of 8 bytes, which have no tag, share a byte that stays 0. */
	__atomic_store_n(&f->live[step], 0, __ATOMIC_RELAXED);
	if (unlikely(!sw_slot_push(f, 0, object)))
		sw_cache_free_slow(cache, object, true);
#endif
}

SW_API void *kmem_cache_alloc_node(struct kmem_cache *cache, gfp_t flags, int node)
	SW_NAME(kmem_cache_alloc_node);
/* All or nothing: @nr, or 0. Objects fill p[0..nr). */
SW_API int kmem_cache_alloc_bulk(struct kmem_cache *cache, gfp_t flags, size_t nr, void **p)
	SW_NAME(kmem_cache_alloc_bulk) __must_check;
/* cache NULL: kfree_bulk(); the objects may be of different caches. */
SW_API void kmem_cache_free_bulk(struct kmem_cache *cache, size_t nr, void **p)
	SW_NAME(kmem_cache_free_bulk);
SW_ALWAYS_INLINE void kfree_bulk(size_t nr, void **p)
{
	kmem_cache_free_bulk(NULL, nr, p);
}

/* Reserve objects up front, then allocate without failing (since 6.18). */
struct slab_sheaf;
SW_API struct slab_sheaf *kmem_cache_prefill_sheaf(struct kmem_cache *cache, gfp_t flags,
						   unsigned int size)
	SW_NAME(kmem_cache_prefill_sheaf);
SW_API int kmem_cache_refill_sheaf(struct kmem_cache *cache, gfp_t flags, struct slab_sheaf **sheaf,
				   unsigned int size) SW_NAME(kmem_cache_refill_sheaf);
SW_API void kmem_cache_return_sheaf(struct kmem_cache *cache, gfp_t flags, struct slab_sheaf *sheaf)
	SW_NAME(kmem_cache_return_sheaf);
SW_API void *kmem_cache_alloc_from_sheaf(struct kmem_cache *cache, gfp_t flags,
					 struct slab_sheaf *sheaf)
	SW_NAME(kmem_cache_alloc_from_sheaf);
SW_API unsigned int kmem_cache_sheaf_size(struct slab_sheaf *sheaf) SW_NAME(kmem_cache_sheaf_size);

/* ---- kmalloc ---- */

/*
 * What the inline calls below come to when the size is not a constant, has a node, or is above
 * KMALLOC_MAX_CACHE_SIZE; kmalloc_large() takes pages for any size.
 */
SW_API void *__kmalloc(size_t size, gfp_t flags) SW_NAME(__kmalloc) SW_MALLOC SW_ALLOC_SIZE(1);
SW_API void *__kmalloc_node(size_t size, gfp_t flags, int node) SW_NAME(__kmalloc_node) SW_MALLOC
	SW_ALLOC_SIZE(1);
SW_API void *kmalloc_large(size_t size, gfp_t flags) SW_NAME(kmalloc_large) SW_MALLOC
	SW_ALLOC_SIZE(1);

/* Which kind of general cache the flags ask for: DMA > RECLAIMABLE > ACCOUNT. */
SW_ALWAYS_INLINE enum kmalloc_cache_type kmalloc_type(gfp_t flags)
{
	if (likely(!(flags & (__GFP_DMA | __GFP_RECLAIMABLE | __GFP_ACCOUNT))))
		return KMALLOC_NORMAL;
	if (flags & __GFP_DMA)
		return KMALLOC_DMA;
	return flags & __GFP_RECLAIMABLE ? KMALLOC_RECLAIM : KMALLOC_CGROUP;
}

/* Index of the smallest general cache that holds size; 0 for size 0. Folds for constants. */
SW_ALWAYS_INLINE unsigned int kmalloc_index(size_t size)
{
	if (!size)
		return 0;
	if (size <= KMALLOC_MIN_SIZE)
		return KMALLOC_SHIFT_LOW;
	if (KMALLOC_MIN_SIZE <= 32 && size > 64 && size <= 96)
		return 1;
	if (KMALLOC_MIN_SIZE <= 64 && size > 128 && size <= 192)
		return 2;
	return 64 - (unsigned int)__builtin_clzl(size - 1);
}

/**
 * kmalloc() - memory of any size
 * @size: bytes; 0 gives ZERO_SIZE_PTR; above KMALLOC_MAX_SIZE gives NULL and a warning
 * @flags: see <slabwork/gfp.h>; __GFP_DMA32 and __GFP_HIGHMEM are warned about and dropped
 *
 * Aligned to 8 bytes; a power of two to itself; other sizes to their largest power-of-two
 * divisor; above KMALLOC_MAX_CACHE_SIZE to a page. Uninitialised without __GFP_ZERO.
 *
 * Context: May sleep if @flags holds __GFP_DIRECT_RECLAIM; otherwise any.
 * Return: the memory, freed by kfree(); NULL if there is none.
 * Source: Linux 5.4 and 6.12, include/linux/slab.h
 */
SW_ALWAYS_INLINE SW_ALLOC_SIZE(1) __must_check void *kmalloc(size_t size, gfp_t flags)
{
#if !defined(SW_NO_INLINE)
	if (__builtin_constant_p(size) && size) {
		struct kmem_cache *const *row = kmalloc_caches[kmalloc_type(flags)], *cache;

		if (size > KMALLOC_MAX_CACHE_SIZE)
			return kmalloc_large(size, flags);
		cache = SW_LOAD_PUBLISHED(row[kmalloc_index(size)]);
		if (likely(cache && !(flags & GFP_SLAB_BUG_MASK)))
			return kmem_cache_alloc(cache, flags);
	}
#endif
	return __kmalloc(size, flags);
}

SW_ALWAYS_INLINE SW_ALLOC_SIZE(1) __must_check void *kzalloc(size_t size, gfp_t flags)
{
	return kmalloc(size, flags | __GFP_ZERO);
}

/**
 * kfree() - free what kmalloc() and kin, or kmem_cache_alloc(), gave
 * @object: the pointer; NULL and ZERO_SIZE_PTR are fine
 *
 * Context: Any, signal handlers included. A pointer that is not the start of a live
 * object is reported by name and aborts; a foreign one is never dereferenced.
 */
SW_ALWAYS_INLINE void kfree(const void *object)
{
#if defined(SW_NO_INLINE)
	sw_kfree(object);
#else
	const struct sw_fast *f = &sw_fast_general;
	uintptr_t step = sw_step_of(f, object);
	size_t tag;

	if (unlikely(step >= __atomic_load_n(f->nr_steps, __ATOMIC_RELAXED) ||
		     (tag = f->page_tags[step >> SW_PAGE_STEPS]) != f->live[step])) {
		sw_kfree_slow(object, 0);
		return;
	}
	f->live[step] = 0; /* if it was 0, so is the tag, whose slot takes nothing */
	if (unlikely(!sw_slot_push(f, tag, (void *)object)))
		sw_kfree_slow(object, (unsigned int)tag);
#endif
}

/**
 * krealloc() - another size for a kmalloc() block
 * @p: pointer from kmalloc() and kin; NULL: as kmalloc()
 * @new_size: bytes; 0 frees @p and gives ZERO_SIZE_PTR
 * @flags: as for kmalloc(); __GFP_ZERO zeroes what a new block has more
 *
 * __krealloc() is the same but never frees @p. kfree_sensitive() wipes before it frees.
 *
 * Context: As for kmalloc(). Return: the block, moved or not; NULL: @p is as it was.
 * Source: Linux 5.4, mm/slab_common.c
 */
SW_API void *krealloc(const void *p, size_t new_size, gfp_t flags) SW_NAME(krealloc) __must_check
	SW_ALLOC_SIZE(2);
SW_API void *__krealloc(const void *p, size_t new_size, gfp_t flags)
	SW_NAME(__krealloc) __must_check;
SW_API void kfree_sensitive(const void *p) SW_NAME(kfree_sensitive);
#define kzfree(p) kfree_sensitive(p)

/**
 * ksize() - bytes usable behind a kmalloc() pointer
 * @object: pointer from kmalloc() and kin; NULL and ZERO_SIZE_PTR give 0
 *
 * Context: Any. Return: bytes, at least what was asked for.
 */
SW_API size_t ksize(const void *object) SW_NAME(ksize);
/* The size a kmalloc(size) really gets; 0 gives 0; too large comes back unchanged. */
SW_API size_t kmalloc_size_roundup(size_t size) SW_NAME(kmalloc_size_roundup);
/* Size of the general cache with that index; 0 if there is none. */
SW_API unsigned int kmalloc_size(unsigned int index) SW_NAME(kmalloc_size);

/* Any context, never waits, may fail early; flags: only __GFP_ZERO and __GFP_ACCOUNT. */
SW_API void *kmalloc_nolock(size_t size, gfp_t flags, int node) SW_NAME(kmalloc_nolock);
SW_API void kfree_nolock(const void *object) SW_NAME(kfree_nolock);
/* Extension: a block of @size bytes aligned to @align (a power of two, up to KMALLOC_MAX_SIZE). */
SW_API void *kmalloc_align(size_t size, size_t align, gfp_t flags) SW_NAME(kmalloc_align);

SW_ALWAYS_INLINE void *kmalloc_node(size_t size, gfp_t flags, int node)
{
	return node == NUMA_NO_NODE ? kmalloc(size, flags) : __kmalloc_node(size, flags, node);
}

SW_ALWAYS_INLINE void *kzalloc_node(size_t size, gfp_t flags, int node)
{
	return kmalloc_node(size, flags | __GFP_ZERO, node);
}

SW_ALWAYS_INLINE __must_check void *kmalloc_array_node(size_t n, size_t size, gfp_t flags, int node)
{
	size_t bytes;

	if (unlikely(__builtin_mul_overflow(n, size, &bytes)))
		return NULL;
	return kmalloc_node(bytes, flags, node);
}

SW_ALWAYS_INLINE __must_check void *kmalloc_array(size_t n, size_t size, gfp_t flags)
{
	size_t bytes;

	if (unlikely(__builtin_mul_overflow(n, size, &bytes)))
		return NULL;
	return kmalloc(bytes, flags);
}

SW_ALWAYS_INLINE __must_check void *kcalloc(size_t n, size_t size, gfp_t flags)
{
	return kmalloc_array(n, size, flags | __GFP_ZERO);
}

SW_ALWAYS_INLINE __must_check void *kcalloc_node(size_t n, size_t size, gfp_t flags, int node)
{
	return kmalloc_array_node(n, size, flags | __GFP_ZERO, node);
}

SW_ALWAYS_INLINE __must_check void *krealloc_array(void *p, size_t n, size_t size, gfp_t flags)
{
	size_t bytes;

	if (unlikely(__builtin_mul_overflow(n, size, &bytes)))
		return NULL;
	return krealloc(p, bytes, flags);
}

#define kmalloc_track_caller(size, flags)            __kmalloc(size, flags)
#define kmalloc_node_track_caller(size, flags, node) kmalloc_node(size, flags, node)

/* Typed allocation (since 7.0): by variable or type; flags default to GFP_KERNEL. */
#define kmalloc_obj(...)  SW_OBJ(kmalloc, __VA_ARGS__, GFP_KERNEL, 0)
#define kzalloc_obj(...)  SW_OBJ(kzalloc, __VA_ARGS__, GFP_KERNEL, 0)
#define kmalloc_objs(...) SW_OBJS(kmalloc_array, __VA_ARGS__, GFP_KERNEL, 0)
#define kzalloc_objs(...) SW_OBJS(kcalloc, __VA_ARGS__, GFP_KERNEL, 0)
#define kmalloc_flex(...) SW_FLEX(kmalloc, __VA_ARGS__, GFP_KERNEL, 0)
#define kzalloc_flex(...) SW_FLEX(kzalloc, __VA_ARGS__, GFP_KERNEL, 0)
/* What stands behind the caller's flags, GFP_KERNEL included, is for the form without them. */
#define SW_OBJ(call, var_or_type, flags, ...) \
	((__typeof__(var_or_type) *)call(sizeof(__typeof__(var_or_type)), flags))
#define SW_OBJS(call, var_or_type, count, flags, ...) \
	((__typeof__(var_or_type) *)call(count, sizeof(__typeof__(var_or_type)), flags))
/* sizeof(*p) plus count elements of the flexible array member; SIZE_MAX on overflow. */
static inline size_t sw_flex_size(size_t head, size_t each, size_t count)
{
	size_t bytes;

	if (__builtin_mul_overflow(each, count, &bytes) ||
	    __builtin_add_overflow(bytes, head, &bytes))
		return SIZE_MAX;
	return bytes;
}
#define SW_FLEX_BYTES(type, member, count) \
	sw_flex_size(sizeof(type), sizeof(((__typeof__(type) *)0)->member[0]), count)
#define SW_FLEX(call, type, member, count, flags, ...)                                   \
	({                                                                               \
		size_t __bytes = SW_FLEX_BYTES(type, member, count);                     \
		(__typeof__(type) *)(__bytes == SIZE_MAX ? NULL : call(__bytes, flags)); \
	})

/* ---- your own private row of size buckets (since 6.11) ---- */
struct kmem_buckets;
SW_API struct kmem_buckets *kmem_buckets_create(const char *name, slab_flags_t flags,
						unsigned int useroffset, unsigned int usersize,
						void (*ctor)(void *)) SW_NAME(kmem_buckets_create);
SW_API void *kmem_buckets_alloc(struct kmem_buckets *b, size_t size, gfp_t flags)
	SW_NAME(kmem_buckets_alloc);

/* ---- after a grace period ---- */
struct rcu_head;
/* Free object when readers are gone; the rcu_head lies inside it at offset. */
SW_API void sw_kfree_rcu(struct rcu_head *head, size_t offset);
SW_API void kvfree_call_rcu_mightsleep(const void *p) SW_NAME(kvfree_call_rcu_mightsleep);
#define kfree_rcu(ptr, field)                                                         \
	do {                                                                          \
		__typeof__(ptr) __p = (ptr);                                          \
		if (__p)                                                              \
			sw_kfree_rcu(&__p->field, offsetof(__typeof__(*__p), field)); \
	} while (0)
#define kvfree_rcu(ptr, field)     kfree_rcu(ptr, field)
#define kfree_rcu_mightsleep(ptr)  kvfree_call_rcu_mightsleep(ptr)
#define kvfree_rcu_mightsleep(ptr) kvfree_call_rcu_mightsleep(ptr)
SW_API void kvfree_rcu_barrier(void) SW_NAME(kvfree_rcu_barrier);

/* Say what a pointer is: cache, start, offset, size. Prints to stderr; false: not a slab object. */
SW_API bool kmem_dump_obj(void *object) SW_NAME(kmem_dump_obj);
SW_API void mem_dump_obj(void *object) SW_NAME(mem_dump_obj);

/* Free everything that lies in stock (sheaves, barns, empty slabs, free pages). Bytes given back. */
SW_API size_t sw_trim(size_t keep_bytes);

#if defined(__has_attribute) && __has_attribute(cleanup) && !defined(__cplusplus)
/* Scope-based free (since 6.5): void *p __free(kfree) = kmalloc(...); return no_free_ptr(p); */
static inline void __sw_free_kfree(void *slot)
{
	kfree(*(void **)slot);
}
#define __free(how) __attribute__((cleanup(__sw_free_##how)))
#define no_free_ptr(p)                      \
	({                                  \
		__typeof__(p) __kept = (p); \
		(p) = NULL;                 \
		__kept;                     \
	})
#define return_ptr(p) return no_free_ptr(p)
#endif

SW_END_DECLS

/* A program that has caches wants to see them; kernel sources have their own <stdio.h> names. */
#ifndef SW_KERNEL_NAMES
#include <slabwork/show.h>
#endif

#endif /* SW_SLAB_H */
