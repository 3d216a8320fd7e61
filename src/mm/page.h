/* SPDX-License-Identifier: MIT */
#ifndef MM_PAGE_H
#define MM_PAGE_H

/*
 * page.h - one entry a page: what the allocators know about it
 *
 * Room: mm; white-box tests may look. Outside the ABI promise.
 *
 * The same 64 bytes are a free block of the buddy, a page of somebody's, or the
 * head of a slab. Tail pages of a compound page point at their head.
 */

#include <stdatomic.h>
#include <slabwork/folio.h>
#include <slabwork/types.h>

#include "mm/layout.h"

/* page->flags, low bits: enum pageflags of <slabwork/folio.h>. */

/* Node and zone sit in the high bits of flags. */
#define PAGE_ZONE_SHIFT 26 /* 3 bits */
#define PAGE_NODE_SHIFT 29 /* 3 bits */

#define SLAB_INLINE_WORDS   3 /* derived: what is left of 64 bytes */
#define SLAB_INLINE_OBJECTS (SLAB_INLINE_WORDS * 64)

struct page {
	_Atomic unsigned int flags;
	_Atomic int _refcount;
	struct list_head lru; /* buddy free list, pcp list, or slab list of a node */
	union {
		struct kmem_cache *slab_cache; /* PG_slab head */
		unsigned long private;         /* the owner's, other pages */
		struct page *compound_head;    /* PG_tail */
	};
	union {
		struct {
			unsigned short inuse;   /* PG_slab: objects live or in a sheaf */
			unsigned short objects; /* PG_slab: objects in all */
		};
		unsigned int index;
	};
	unsigned char order;       /* of the block whose head this is */
	unsigned char migratetype; /* of a free page: the list it is on */
	union {
		unsigned char slab_on_list; /* PG_slab: on its node's partial list */
		unsigned char tails_plain;  /* a free block: buddy.c, §6 */
	};
	unsigned char slab_cursor; /* PG_slab: bitmap word to look at first */
	union {
		/* PG_slab: bit i set = object i is free in the slab (not in a sheaf). */
		unsigned long slab_free[SLAB_INLINE_WORDS];
		unsigned long *slab_free_ext; /* more than SLAB_INLINE_OBJECTS objects */
		unsigned long words[SLAB_INLINE_WORDS];
	};
};
_Static_assert(sizeof(struct page) == 64, "memmap arithmetic shifts by 6");
/* The owner's view of the same bytes. */
_Static_assert(sizeof(struct folio) == sizeof(struct page) &&
		       offsetof(struct folio, flags) == offsetof(struct page, flags) &&
		       offsetof(struct folio, _refcount) == offsetof(struct page, _refcount) &&
		       offsetof(struct folio, lru) == offsetof(struct page, lru) &&
		       offsetof(struct folio, private) == offsetof(struct page, private) &&
		       offsetof(struct folio, compound_head) ==
			       offsetof(struct page, compound_head) &&
		       offsetof(struct folio, order) == offsetof(struct page, order) &&
		       offsetof(struct folio, mapping) == offsetof(struct page, words),
	       "<slabwork/folio.h> is a view of struct page");

/* memmap is biased: memmap[pfn] is the entry of pfn. Mapped where memory is online only. */
static inline struct page *pfn_to_page_raw(unsigned long pfn)
{
	return sw_layout.memmap + pfn;
}

static inline unsigned long page_to_pfn_raw(const struct page *page)
{
	return (unsigned long)(page - sw_layout.memmap);
}

static inline bool page_test(const struct page *page, enum pageflags bit)
{
	return atomic_load_explicit(&((struct page *)page)->flags, memory_order_relaxed) &
	       (1u << bit);
}

static inline void page_set(struct page *page, enum pageflags bit)
{
	atomic_fetch_or_explicit(&page->flags, 1u << bit, memory_order_relaxed);
}

static inline void page_clear(struct page *page, enum pageflags bit)
{
	atomic_fetch_and_explicit(&page->flags, ~(1u << bit), memory_order_relaxed);
}

static inline struct page *page_head(struct page *page)
{
	return page_test(page, PG_tail) ? page->compound_head : page;
}

static inline void *page_addr(const struct page *page)
{
	return (void *)(page_to_pfn_raw(page) << PAGE_SHIFT);
}

static inline struct page *addr_to_page(const void *addr)
{
	return pfn_to_page_raw((uintptr_t)addr >> PAGE_SHIFT);
}

#endif /* MM_PAGE_H */
