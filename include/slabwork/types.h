/* SPDX-License-Identifier: MIT */
#ifndef SW_TYPES_H
#define SW_TYPES_H

/**
 * DOC: <slabwork/types.h> - words that every other header uses
 *
 * A "page" is ours (PAGE_SIZE bytes); the machine's is called "OS page" and is
 * read at run time. A pfn is a page frame number: address >> PAGE_SHIFT.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <slabwork/export.h>

typedef unsigned int gfp_t;
typedef unsigned int slab_flags_t;
typedef uint64_t phys_addr_t;

#ifndef SW_PAGE_SHIFT
#define SW_PAGE_SHIFT 12
#endif
#ifndef PAGE_SHIFT
#define PAGE_SHIFT SW_PAGE_SHIFT
#define PAGE_SIZE  (1UL << PAGE_SHIFT)
#define PAGE_MASK  (~(PAGE_SIZE - 1))
#endif
#ifndef PAGE_ALIGN
#define PAGE_ALIGN(x) (((x) + PAGE_SIZE - 1) & PAGE_MASK)
#endif

/* Orders 0..MAX_PAGE_ORDER; MAX_ORDER is Linux 5.4's exclusive bound. */
#define MAX_PAGE_ORDER          10
#define MAX_ORDER               (MAX_PAGE_ORDER + 1)
#define PAGE_ALLOC_COSTLY_ORDER 3

#define NUMA_NO_NODE (-1)

struct page;
struct zone;
struct kmem_cache;
struct list_head {
	struct list_head *next, *prev;
};
struct hlist_node {
	struct hlist_node *next, **pprev; /* pprev: whatever points at us; NULL: on no chain */
};
struct hlist_head {
	struct hlist_node *first;
};

#endif /* SW_TYPES_H */
