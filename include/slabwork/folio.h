/* SPDX-License-Identifier: MIT */
#ifndef SW_FOLIO_H
#define SW_FOLIO_H

/**
 * DOC: <slabwork/folio.h> - struct page as the owner of a page sees it; opt-in, no ABI promise
 *
 * <slabwork/mm.h> keeps struct page opaque. Who owns pages by the thousand (the page cache) needs
 * its bits without a call: struct folio is a view of the same 64 bytes, checked by
 * mm/page.h. Fields marked (mm) are the allocator's: look, do not touch.
 *
 * A page that its owner gives back has a count of 0 and PG_locked, PG_lru, PG_active,
 * PG_writeback clear; the other flags and the owner's fields may hold anything.
 *
 * Room: mm. For C: a field is called private.
 */

#ifdef __cplusplus
#error "struct folio is for C: include <slabwork/mm.h> instead"
#endif

#include <stdatomic.h>

#include <slabwork/gfp.h>
#include <slabwork/types.h>

/* Low bits of page->flags. The allocator's own are marked (mm). */
enum pageflags {
	PG_locked,
	PG_referenced,
	PG_uptodate,
	PG_dirty,
	PG_lru,
	PG_active,
	PG_slab,     /* (mm) head (and only the head) of a slab */
	PG_reserved, /* (mm) a hole: never given out */
	PG_head,     /* (mm) head of a compound page */
	PG_tail,     /* (mm) compound_head says whose */
	PG_buddy,    /* (mm) head of a free block in the buddy; order in page->order */
	PG_pcp,      /* (mm) free, on a per-CPU page list */
	PG_writeback,
	PG_reclaim,
	PG_private,
	PG_vmalloc,    /* (mm) backs a vmalloc area */
	PG_emergency,  /* (mm) in the atomic reserve */
	PG_large,      /* (mm) head of a block cut to length */
	PG_workingset, /* was active when it was last dropped */
	PG_readahead,  /* reading this one starts the next window */
	PG_error,      /* the last read failed */
	PG_pool,       /* of the shared pool: cache/pool.h frees it */
	PG_bare,       /* (mm) head, of folio_alloc_bare(), whose tails are not written */
	__NR_PAGEFLAGS,
};

struct address_space;

/**
 * struct folio - a page or a compound page, by its first struct page
 * @flags: PG_* in the low bits, zone and node in the high ones: only change by atomic and/or
 * @_refcount: one for each user and one for the cache
 * @lru: on an LRU list, or the owner's
 * @private: the file system's (PG_private)
 * @compound_head: tails only: the head
 * @order: (mm) log2 of its pages, if PG_head
 * @mapping: whose cache it is in; NULL once removed
 * @index: where, in pages
 * @_mapcount: mappings that show it (0: none)
 * @wait_seq: bumped by folio_unlock() and folio_end_writeback() when somebody waits
 */
struct folio {
	_Atomic unsigned int flags;
	_Atomic int _refcount;
	struct list_head lru;
	union {
		void *private;
		struct folio *compound_head;
	};
	unsigned int mm_index; /* (mm) */
	unsigned char order;
	unsigned char migratetype; /* (mm) */
	unsigned char mm_a, mm_b;  /* (mm) */
	_Atomic(struct address_space *) mapping;
	unsigned long index;
	_Atomic int _mapcount;
	_Atomic uint32_t wait_seq;
};

/**
 * folio_alloc_bare() - 2^order pages as one folio, of whose entries only the first is written
 *
 * What alloc_pages() with __GFP_COMP gives, without the 64 bytes for each page that tell whose tail it is. Ask for its other
 * pages with folio_page(), which writes them first: page_folio() and put_page() of one that was found by its address
 * know nothing of it. put_page() of the first gives it back.
 * Context: as @gfp says. Return: the folio, count 1; NULL.
 */
SW_API struct folio *folio_alloc_bare(gfp_t gfp, unsigned int order) SW_NAME(folio_alloc_bare);

/**
 * folio_halve() - make two folios of one
 * @folio: of order 1 or more, its count 0 (taken away by who owns it), so that nobody else looks
 *
 * Both have the flags that it had and a count of 0, and are bare if there is more than a page left. The upper one's private is
 * NULL; its other fields are whatever they were.
 * Context: Any. Return: the upper half.
 */
SW_API struct folio *folio_halve(struct folio *folio) SW_NAME(folio_halve);

#endif /* SW_FOLIO_H */
