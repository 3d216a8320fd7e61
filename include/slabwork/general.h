/* SPDX-License-Identifier: MIT */
#ifndef SW_GENERAL_H
#define SW_GENERAL_H

/**
 * DOC: <slabwork/general.h> - what a malloc front needs of the memory manager
 *
 * Not for programs and no part of the ABI: nothing here is exported. It is the
 * door through which the malloc room reaches mm, so that a front sees no
 * struct page. Everything below mm/general.c, slub*.c and boot.c provide.
 *
 * An address of ours is one of
 *
 *   object   a slab object of a general cache (found from its tag in the objmap) or of any other
 *   block    pages of its own: sw_block_alloc(), kmalloc_large(), kmalloc() past the caches
 *   area     mapped by itself, with guard pages: blocks beyond KMALLOC_MAX_SIZE, vmalloc()
 *
 * and none of the calls below ever touches the memory at an address that is not.
 */

#include <slabwork/slab.h>

/* *sw_fast_general.nr_steps, for who is linked into the same library: one load less. */
extern __attribute__((visibility("hidden"))) uintptr_t sw_nr_steps;

SW_BEGIN_DECLS

/*
 * Boot, once; every other caller waits. A call from inside the boot (or from a
 * signal handler that interrupted it) returns at once. True: the caches work.
 */
bool sw_boot(void);

/* Like kmem_cache_create(), with a tag of its own. NULL: no memory, or no tag left. */
struct kmem_cache *kmem_cache_create_general(const char *name, unsigned int size,
					     unsigned int align, slab_flags_t flags);

/*
 * A block of at least @size bytes, at @align (a power of two; PAGE_SIZE at least
 * is given anyway). Up to KMALLOC_MAX_SIZE it is pages of the buddy of which
 * exactly PAGE_ALIGN(size) bytes are held: what the power of two leaves over
 * goes back at once. Beyond, or with a larger alignment, it is an area.
 * Fresh pages known to be zero are not cleared for __GFP_ZERO, so a zeroed
 * area costs no memory until it is written. NULL: no memory.
 */
void *sw_block_alloc(size_t size, size_t align, gfp_t flags);

/* A general cache whose objects are blocks of @pages pages each; its sheaves keep warm ones. */
struct kmem_cache *sw_block_cache_create(const char *name, unsigned int pages);

/* A zeroed block of such a cache from new pages, known zeroes untouched. NULL: no memory. May sleep. */
void *sw_block_cache_zalloc(struct kmem_cache *cache, gfp_t flags);

/*
 * Resize what sw_block_alloc() gave: in place where the pages behind it allow, by
 * moving page tables for areas, else by copying. The new tail is not zeroed.
 * NULL: no memory, @block stays as it was. @size > PAGE_SIZE. Alignment beyond a
 * page is not kept. @again: it was made larger before and will be again.
 */
void *sw_block_realloc(void *block, size_t size, bool again, gfp_t flags);

/* memset(@block, 0, @size) for the start of a page: large blocks are written only where they are not zero. */
void *sw_block_zero(void *block, size_t size);

/* A block of @size bytes that will grow: an area with several times as many addresses. NULL: no memory. May sleep. */
void *sw_block_alloc_growing(size_t size);

/*
 * Does the area that starts at @block, if one does, hold @size bytes where it lies, and is it
 * not so much less than before that memory must go back? Then that is its size now.
 */
bool sw_block_resize_within(const void *block, size_t size);

/* Free @p if it is exactly the start of a live object, block or area; else change nothing. */
bool sw_try_free(const void *p);

/* Bytes behind @p, of a live object, block or area that starts there; 0 if there is none. */
size_t sw_usable_size(const void *p);

/* Does @p point into memory that we hand out (live or free)? */
bool sw_owns(const void *p);

/*
 * SLABWORK=failmalloc=N: is it on, and does the request that is made now fail? The second counts;
 * it is asked once for each request, and only where the first is true. After sw_boot().
 */
extern __attribute__((visibility("hidden"))) bool sw_fail_malloc;
bool sw_fail_this_malloc(void);

/* What a pointer is, for a report. Any value may be asked. */
enum sw_what_kind {
	SW_WHAT_FOREIGN,     /* no memory of ours */
	SW_WHAT_LIVE,        /* the start of something live */
	SW_WHAT_INTERIOR,    /* inside something live */
	SW_WHAT_FREE,        /* the start of an object that is free */
	SW_WHAT_FREE_INSIDE, /* inside a free object, or between objects */
	SW_WHAT_FREE_PAGE,   /* in pages that hold nothing: freed long ago, or never given */
};

struct sw_what {
	enum sw_what_kind kind;
	bool is_object;     /* the next three: of a slab; else a block or area */
	const char *cache;  /* "malloc-64" */
	uintptr_t slab;     /* its first byte */
	unsigned int index; /* which object */
	uintptr_t start;    /* of the object, block or area */
	size_t size;        /* of the object, block or area, bytes */
};
void sw_what_is(const void *p, struct sw_what *what);

/* The heap in bytes, for the statistics calls. Racy unless the world stands still. */
struct sw_heap_stats {
	size_t slab_live;         /* in live slab objects, at their cache's object size */
	size_t slab_held;         /* in slabs: live, free and in the CPUs' stock */
	size_t slab_stock;        /* of that: free objects in sheaves */
	size_t slab_objects;      /* live objects, a count */
	size_t slab_free_objects; /* free objects, stock included, a count */
	size_t block_bytes;       /* in blocks */
	size_t area_bytes;        /* in areas */
	size_t area_count;
	size_t free_pages; /* free in the buddy and the CPUs' lists, bytes still backed by memory */
};
void sw_heap_stats(struct sw_heap_stats *stats);

/* The same for one general cache, in the order of creation; false: @nth is past the last. */
struct sw_cache_stats {
	const char *name;
	size_t object_size, live, total, slabs, slab_bytes;
};
bool sw_cache_stats(unsigned int nth, struct sw_cache_stats *stats);

SW_END_DECLS

#endif /* SW_GENERAL_H */
