/* SPDX-License-Identifier: MIT */
/*
 * rbtree.c - red-black trees
 *
 * Room: lib. The invariants, as rb_validate() checks them:
 *
 *   R1  The root is black.
 *   R2  A red node has no red child.
 *   R3  Every path from a node down to a missing child has the same number of black nodes.
 *   R4  A child's parent pointer is its parent.
 *
 * Left and right are child[0] and child[1], so each case is written once, for a side and its
 * mirror. Insertion can break only R1 or R2 at the new node, erasure only R3 (one black too few)
 * below a known parent; both are repaired on the way up, in at most log n steps with three
 * rotations at most.
 */

#include "lib/rbtree.h"

#define RB_BLACK ((uintptr_t)1)

/* A missing child counts as black. */
static bool is_red(const struct rb_node *node)
{
	return node && !(node->parent_color & RB_BLACK);
}

static void set_black(struct rb_node *node)
{
	node->parent_color |= RB_BLACK;
}

static void set_red(struct rb_node *node)
{
	node->parent_color &= ~RB_BLACK;
}

static void set_parent(struct rb_node *node, struct rb_node *parent)
{
	node->parent_color = (uintptr_t)parent | (node->parent_color & RB_BLACK);
}

static int side_of(const struct rb_node *node, const struct rb_node *parent)
{
	return parent->child[1] == node;
}

/* Let new stand where old stood below parent (NULL: old was the root). */
static void relink(struct rb_root *root, struct rb_node *parent, struct rb_node *old,
		   struct rb_node *new)
{
	if (parent)
		parent->child[side_of(old, parent)] = new;
	else
		root->rb_node = new;
	if (new)
		set_parent(new, parent);
}

/* node goes down to the given side, its child on the other side comes up. Returns that child. */
static struct rb_node *rotate(struct rb_root *root, struct rb_node *node, int side)
{
	struct rb_node *up = node->child[!side];
	struct rb_node *moved = up->child[side];

	relink(root, rb_parent(node), node, up);
	node->child[!side] = moved;
	if (moved)
		set_parent(moved, node);
	up->child[side] = node;
	set_parent(node, up);
	return up;
}

void rb_insert_color(struct rb_node *node, struct rb_root *root)
{
	struct rb_node *parent, *grand, *uncle;

	while (is_red(parent = rb_parent(node))) {
		int side;

		grand = rb_parent(parent); /* exists: a red node is not the root (R1) */
		side = side_of(parent, grand);
		uncle = grand->child[!side];
		if (is_red(uncle)) {
			/* Push the grandparent's black down; it may now clash further up. */
			set_black(parent);
			set_black(uncle);
			set_red(grand);
			node = grand;
			continue;
		}
		if (side_of(node, parent) != side)
			parent = rotate(root, parent, side);
		set_black(parent);
		set_red(grand);
		rotate(root, grand, !side);
		break;
	}
	set_black(root->rb_node);
}

/* Below parent, on the given side, every path is one black node short. */
static void repair_short_side(struct rb_root *root, struct rb_node *parent, int side)
{
	for (;;) {
		struct rb_node *sibling = parent->child[!side];

		if (is_red(sibling)) {
			set_black(sibling);
			set_red(parent);
			rotate(root, parent, side);
			sibling = parent->child[!side];
		}
		if (is_red(sibling->child[side]) && !is_red(sibling->child[!side])) {
			set_black(sibling->child[side]);
			set_red(sibling);
			sibling = rotate(root, sibling, !side);
		}
		if (is_red(sibling->child[!side])) {
			/* The sibling takes the parent's place and colour, above two blacks. */
			if (is_red(parent))
				set_red(sibling);
			else
				set_black(sibling);
			set_black(parent);
			set_black(sibling->child[!side]);
			rotate(root, parent, side);
			return;
		}
		/* No red to spare here: shorten the sibling's side too and go up, if need be. */
		set_red(sibling);
		if (is_red(parent) || !rb_parent(parent)) {
			set_black(parent);
			return;
		}
		side = side_of(parent, rb_parent(parent));
		parent = rb_parent(parent);
	}
}

void rb_replace_node(struct rb_node *victim, struct rb_node *new, struct rb_root *root)
{
	*new = *victim;
	relink(root, rb_parent(victim), victim, new);
	for (int side = 0; side < 2; side++)
		if (new->child[side])
			set_parent(new->child[side], new);
}

void rb_erase(struct rb_node *node, struct rb_root *root)
{
	struct rb_node *parent, *only;
	bool was_red;
	int side = 0;

	if (node->rb_left && node->rb_right) {
		/*
		 * Its successor has no left child: unlink that one, then let it stand for
		 * node. (When they are neighbours the first step changes node's child.)
		 */
		struct rb_node *next = rb_next(node);

		rb_erase(next, root);
		rb_replace_node(node, next, root);
		return;
	}
	only = node->rb_left ? node->rb_left : node->rb_right;
	parent = rb_parent(node);
	was_red = is_red(node);
	if (parent)
		side = side_of(node, parent);
	relink(root, parent, node, only);
	if (was_red)
		return;
	if (is_red(only))
		set_black(only);
	else if (parent)
		repair_short_side(root, parent, side);
}

/* --- walking ---------------------------------------------------------------- */

static struct rb_node *outermost(struct rb_node *node, int side)
{
	while (node && node->child[side])
		node = node->child[side];
	return node;
}

static struct rb_node *neighbour(const struct rb_node *node, int side)
{
	struct rb_node *parent;

	if (node->child[side])
		return outermost(node->child[side], !side);
	while ((parent = rb_parent(node)) && side_of(node, parent) == side)
		node = parent;
	return parent;
}

struct rb_node *rb_first(const struct rb_root *root)
{
	return outermost(root->rb_node, 0);
}

struct rb_node *rb_last(const struct rb_root *root)
{
	return outermost(root->rb_node, 1);
}

struct rb_node *rb_next(const struct rb_node *node)
{
	return neighbour(node, 1);
}

struct rb_node *rb_prev(const struct rb_node *node)
{
	return neighbour(node, 0);
}

/* --- checking --------------------------------------------------------------- */

static int black_height(const struct rb_node *node)
{
	int heights[2] = { 0, 0 };

	for (int side = 0; side < 2; side++) {
		const struct rb_node *child = node->child[side];

		if (!child)
			continue;
		if (rb_parent(child) != node || (is_red(node) && is_red(child)))
			return -1;
		heights[side] = black_height(child);
		if (heights[side] < 0)
			return -1;
	}
	if (heights[0] != heights[1])
		return -1;
	return heights[0] + !is_red(node);
}

int rb_validate(const struct rb_root *root)
{
	if (!root->rb_node)
		return 0;
	if (is_red(root->rb_node) || rb_parent(root->rb_node))
		return -1;
	return black_height(root->rb_node);
}
