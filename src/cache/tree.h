/* SPDX-License-Identifier: MIT */
#ifndef CACHE_TREE_H
#define CACHE_TREE_H

/*
 * tree.h - the walk down i_pages, inline, for the paths that must not pay for a call
 *
 * Room: cache. The same walk as xa_load(); see xarray.c for what slots hold.
 */

#include <slabwork/err.h>

#include "cache/cache.h"

/*
 * A node hangs there, not an entry, nor the name of one. (No slot of ours ever holds an error.) One bit, of which the compiler
 * is not to know how it came about: else it jumps over siblings.
 */
static inline bool tree_is_child(const void *entry)
{
	unsigned int child = xa_is_internal(entry) & ((unsigned long)entry >= XA_CHUNK_SIZE << 2);

	__asm__("" : "+r"(child));
	return child;
}

/*
 * The entry at @index, a shadow too, or NULL. Caller is in rcu_read_lock(), or keeps everybody from taking entries out.
 * A sibling is followed without a branch: whether a random page is its folio's first, nobody can predict.
 */
static inline void *tree_entry(struct address_space *mapping, pgoff_t index)
{
	struct xa_node *node;
	unsigned int offset, at;
	void *entry, *first;

again:
	entry = rcu_dereference(mapping->i_pages.xa_head);
	if (unlikely(!tree_is_child(entry)))
		return index ? NULL : entry;
	node = xa_to_node(entry);
	/* In two steps: the top may have all 64 bits below it. */
	if (unlikely(index >> node->shift >> XA_CHUNK_SHIFT))
		return NULL;
	for (;;) {
		offset = (unsigned int)(index >> node->shift) & XA_CHUNK_MASK;
		entry = rcu_dereference(node->slots[offset]);
		if (!tree_is_child(entry))
			break;
		node = xa_to_node(entry);
	}
	at = offset ^ ((offset ^ xa_to_sibling(entry)) & -(unsigned int)xa_is_internal(entry));
	first = rcu_dereference(node->slots[at]);
	if (unlikely(rcu_dereference(node->slots[offset]) != entry || xa_is_internal(first)))
		goto again;
	return first;
}

/* The folio there, no reference, or NULL. Caller is in rcu_read_lock(). */
static inline struct folio *tree_folio(struct address_space *mapping, pgoff_t index)
{
	void *entry = tree_entry(mapping, index);

	return likely(!xa_is_value(entry)) ? entry : NULL;
}

static inline bool folio_contains(const struct folio *folio, pgoff_t index)
{
	return index - folio->index < folio_nr_pages(folio);
}

static inline struct page *folio_head_page(struct folio *folio)
{
	return (struct page *)folio;
}

static inline int folio_nid(const struct folio *folio)
{
	return page_to_nid((const struct page *)folio);
}

static inline struct address_space *folio_mapping(const struct folio *folio)
{
	return atomic_load_explicit(&((struct folio *)folio)->mapping, memory_order_acquire);
}

/* Of this mapping still, and covering @index? Locked. */
static inline bool folio_is_at(const struct folio *folio, const struct address_space *mapping,
			       pgoff_t index)
{
	return folio_mapping(folio) == mapping && folio_contains(folio, index);
}

/* Pages whose dirtiness is counted and marked: not those of stores that need no write-back. */
static inline bool mapping_counts_dirty(const struct address_space *mapping)
{
	return mapping->a_ops && mapping->a_ops->dirty_folio != noop_dirty_folio;
}

/* The folio at @index with a reference, or NULL. */
static inline struct folio *tree_get(struct address_space *mapping, pgoff_t index)
{
	struct folio *folio;

	rcu_read_lock();
	for (;;) {
		folio = tree_folio(mapping, index);
		if (!folio)
			break;
		if (unlikely(!folio_try_get(folio)))
			continue;
		if (likely(tree_folio(mapping, index) == folio && folio_contains(folio, index)))
			break;
		folio_drop(folio);
	}
	rcu_read_unlock();
	return folio;
}

#endif /* CACHE_TREE_H */
