/* SPDX-License-Identifier: MIT */
#ifndef LIB_RBTREE_H
#define LIB_RBTREE_H

/*
 * rbtree.h - red-black trees of nodes that live inside the things they order
 *
 * Room: lib. The kernel's names: the caller walks down to where a node belongs, links it
 * with rb_link_node(), and rb_insert_color() restores the balance. Nothing locks.
 *
 *	struct rb_node **link = &root->rb_node, *parent = NULL;
 *	while (*link) {
 *		parent = *link;
 *		link = key < rb_entry(parent, struct thing, node)->key ? &parent->rb_left
 *								       : &parent->rb_right;
 *	}
 *	rb_link_node(&thing->node, parent, link);
 *	rb_insert_color(&thing->node, root);
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/bitops.h"

struct rb_node {
	uintptr_t parent_color; /* parent's address | 1 if black; own address: on no tree */
	union {
		struct rb_node *child[2];
		struct {
			struct rb_node *rb_left, *rb_right;
		};
	};
};

struct rb_root {
	struct rb_node *rb_node;
};

#define RB_ROOT                     ((struct rb_root){ NULL })
#define rb_entry(ptr, type, member) container_of(ptr, type, member)
#define rb_entry_safe(ptr, type, member)                    \
	({                                                  \
		struct rb_node *__rb = (ptr);               \
		__rb ? rb_entry(__rb, type, member) : NULL; \
	})

static inline struct rb_node *rb_parent(const struct rb_node *node)
{
	return (struct rb_node *)(node->parent_color & ~(uintptr_t)1);
}

static inline bool RB_EMPTY_ROOT(const struct rb_root *root)
{
	return !root->rb_node;
}

static inline bool RB_EMPTY_NODE(const struct rb_node *node)
{
	return node->parent_color == (uintptr_t)node;
}

static inline void RB_CLEAR_NODE(struct rb_node *node)
{
	node->parent_color = (uintptr_t)node;
}

static inline void rb_link_node(struct rb_node *node, struct rb_node *parent, struct rb_node **link)
{
	node->parent_color = (uintptr_t)parent; /* red */
	node->rb_left = node->rb_right = NULL;
	*link = node;
}

void rb_insert_color(struct rb_node *node, struct rb_root *root);
void rb_erase(struct rb_node *node, struct rb_root *root);
/* Put new exactly where victim is; the order must not change by it. */
void rb_replace_node(struct rb_node *victim, struct rb_node *new, struct rb_root *root);

struct rb_node *rb_first(const struct rb_root *root); /* NULL: empty */
struct rb_node *rb_last(const struct rb_root *root);
struct rb_node *rb_next(const struct rb_node *node); /* NULL: that was the last */
struct rb_node *rb_prev(const struct rb_node *node);

/* Black height of the tree, -1 if a rule of rbtree.c is broken. Walks all of it. */
int rb_validate(const struct rb_root *root);

#endif /* LIB_RBTREE_H */
