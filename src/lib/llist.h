/* SPDX-License-Identifier: MIT */
#ifndef LIB_LLIST_H
#define LIB_LLIST_H

/*
 * llist.h - a stack that anybody may push on, without a lock, and one takes whole
 *
 * Room: lib. llist_add() and llist_del_all() may run at once, from any thread and from signal
 * handlers. Nothing is ever popped alone, so there is no ABA.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/bitops.h"

struct llist_node {
	struct llist_node *next;
};

struct llist_head {
	_Atomic(struct llist_node *) first;
};

#define LLIST_HEAD_INIT \
	{               \
		NULL    \
	}

static inline bool llist_empty(const struct llist_head *head)
{
	return !atomic_load_explicit(&((struct llist_head *)head)->first, memory_order_relaxed);
}

/* Push first..last, chained already. True: the stack was empty. Partner: llist_del_all(). */
static inline bool llist_add_batch(struct llist_node *first, struct llist_node *last,
				   struct llist_head *head)
{
	struct llist_node *old = atomic_load_explicit(&head->first, memory_order_relaxed);

	do {
		last->next = old;
	} while (!atomic_compare_exchange_weak_explicit(
		&head->first, &old, first, memory_order_release, memory_order_relaxed));
	return !old;
}

static inline bool llist_add(struct llist_node *node, struct llist_head *head)
{
	return llist_add_batch(node, node, head);
}

/* The whole stack, last pushed first; NULL: it was empty. */
static inline struct llist_node *llist_del_all(struct llist_head *head)
{
	return atomic_exchange_explicit(&head->first, NULL, memory_order_acquire);
}

static inline struct llist_node *llist_reverse_order(struct llist_node *node)
{
	struct llist_node *reversed = NULL;

	while (node) {
		struct llist_node *next = node->next;

		node->next = reversed;
		reversed = node;
		node = next;
	}
	return reversed;
}

#define llist_entry(ptr, type, member) container_of(ptr, type, member)

#endif /* LIB_LLIST_H */
