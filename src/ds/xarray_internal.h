/* SPDX-License-Identifier: MIT */
#ifndef DS_XARRAY_INTERNAL_H
#define DS_XARRAY_INTERNAL_H

/*
 * xarray_internal.h - slots and marks of a node, as xarray.c and xarray_validate.c see them
 *
 * Room: ds, private. What readers without the lock may meet is loaded and stored whole; what only its holder looks at is not.
 */

#include <slabwork/xarray.h>

#include "lib/bitops.h"

/* The marks of the array as a whole, above the gfp bits. */
#define ROOT_MARK(mark) (1u << (__GFP_BITS_SHIFT + (mark)))
_Static_assert(__GFP_BITS_SHIFT + XA_MAX_MARKS <= 32, "marks fit above the gfp bits");

static inline void *slot_load(struct xa_node *node, unsigned int offset)
{
	return __atomic_load_n(&node->slots[offset], __ATOMIC_ACQUIRE);
}

static inline void slot_store(struct xa_node *node, unsigned int offset, void *entry)
{
	__atomic_store_n(&node->slots[offset], entry, __ATOMIC_RELEASE);
}

static inline void *head_load(const struct xarray *xa)
{
	return __atomic_load_n(&xa->xa_head, __ATOMIC_ACQUIRE);
}

static inline void head_store(struct xarray *xa, void *entry)
{
	__atomic_store_n(&xa->xa_head, entry, __ATOMIC_RELEASE);
}

static inline void *node_entry(struct xa_node *node)
{
	return (void *)((unsigned long)node | 2);
}

static inline void *sibling_entry(unsigned int of)
{
	return (void *)((unsigned long)of << 2 | 2);
}

static inline unsigned long marks_load(const struct xa_node *node, xa_mark_t mark)
{
	return __atomic_load_n(&((struct xa_node *)node)->marks[mark], __ATOMIC_RELAXED);
}

static inline void marks_store(struct xa_node *node, xa_mark_t mark, unsigned long bits)
{
	__atomic_store_n(&node->marks[mark], bits, __ATOMIC_RELAXED);
}

static inline bool root_marked(const struct xarray *xa, xa_mark_t mark)
{
	return __atomic_load_n(&((struct xarray *)xa)->xa_flags, __ATOMIC_RELAXED) &
	       ROOT_MARK(mark);
}

static inline void root_mark(struct xarray *xa, xa_mark_t mark, bool on)
{
	gfp_t flags = xa->xa_flags;

	__atomic_store_n(&xa->xa_flags, on ? flags | ROOT_MARK(mark) : flags & ~ROOT_MARK(mark),
			 __ATOMIC_RELAXED);
}

/* Largest index below this top node. */
static inline unsigned long node_max(const struct xa_node *node)
{
	unsigned int bits = node->shift + XA_CHUNK_SHIFT;

	return bits >= BITS_PER_LONG ? ~0UL : (1UL << bits) - 1;
}

static inline unsigned int offset_of(const struct xa_node *node, unsigned long index)
{
	return (unsigned int)(index >> node->shift) & XA_CHUNK_MASK;
}

/* Slots that the entry at @offset has, itself and its siblings. */
static inline unsigned int span_of(struct xa_node *node, unsigned int offset)
{
	unsigned int span = 1;

	while (offset + span < XA_CHUNK_SIZE && node->slots[offset + span] == sibling_entry(offset))
		span++;
	return span;
}

#endif /* DS_XARRAY_INTERNAL_H */
