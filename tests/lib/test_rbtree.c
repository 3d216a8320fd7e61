/* SPDX-License-Identifier: MIT */
/* test_rbtree.c - order and balance after every step. Room under test: lib. */

#include <kunit/test.h>

#include "lib/prng.h"
#include "lib/rbtree.h"

#define NODES 300

struct thing {
	struct rb_node node;
	int key;
	bool in;
};

static void insert(struct rb_root *root, struct thing *thing)
{
	struct rb_node **link = &root->rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = thing->key < rb_entry(parent, struct thing, node)->key ? &parent->rb_left :
										&parent->rb_right;
	}
	rb_link_node(&thing->node, parent, link);
	rb_insert_color(&thing->node, root);
	thing->in = true;
}

static void expect_order(struct kunit *test, struct rb_root *root, struct thing *things)
{
	struct rb_node *forward = rb_first(root), *backward = rb_last(root);

	for (int i = 0; i < NODES; i++) {
		if (things[i].in) {
			KUNIT_ASSERT_PTR_EQ(test, forward, &things[i].node);
			forward = rb_next(forward);
		}
		if (things[NODES - 1 - i].in) {
			KUNIT_ASSERT_PTR_EQ(test, backward, &things[NODES - 1 - i].node);
			backward = rb_prev(backward);
		}
	}
	KUNIT_ASSERT_NULL(test, forward);
	KUNIT_ASSERT_NULL(test, backward);
}

KUNIT_TEST(tree_stays_ordered_and_balanced_under_random_steps)
{
	static struct thing things[NODES];
	struct rb_root root = RB_ROOT;
	struct prng rng;
	int in = 0;

	prng_seed(&rng, kunit_seed(test));
	for (int i = 0; i < NODES; i++)
		things[i].key = i;
	for (int step = 0; step < 20000; step++) {
		struct thing *thing = &things[prng_below(&rng, NODES)];
		int height;

		if (thing->in) {
			rb_erase(&thing->node, &root);
			thing->in = false;
			in--;
		} else {
			insert(&root, thing);
			in++;
		}
		height = rb_validate(&root);
		KUNIT_ASSERT_GE(test, height, 0);
		/* Black height h means at least 2^h - 1 nodes. */
		KUNIT_ASSERT_LE(test, (1 << height) - 1, in);
		if (step % 100 == 0)
			expect_order(test, &root, things);
	}
}

KUNIT_TEST(ascending_inserts_do_not_degenerate)
{
	static struct thing things[1 << 12];
	struct rb_root root = RB_ROOT;

	for (int i = 0; i < 1 << 12; i++) {
		things[i].key = i;
		insert(&root, &things[i]);
	}
	/* Black height h means at least 2^h - 1 nodes. */
	KUNIT_EXPECT_GT(test, rb_validate(&root), 5);
	KUNIT_EXPECT_LE(test, rb_validate(&root), 13);
	for (int i = 0; i < 1 << 12; i++)
		rb_erase(&things[i].node, &root);
	KUNIT_EXPECT_TRUE(test, RB_EMPTY_ROOT(&root));
}

KUNIT_TEST(replaced_node_stands_in_the_same_place)
{
	static struct thing things[NODES];
	struct rb_root root = RB_ROOT;
	struct thing other = { .key = 100 };

	for (int i = 0; i < NODES; i++) {
		things[i].key = i;
		insert(&root, &things[i]);
	}
	rb_replace_node(&things[100].node, &other.node, &root);
	KUNIT_EXPECT_PTR_EQ(test, rb_next(&things[99].node), &other.node);
	KUNIT_EXPECT_PTR_EQ(test, rb_prev(&things[101].node), &other.node);
	KUNIT_EXPECT_GT(test, rb_validate(&root), 0);
}

KUNIT_TEST(validate_sees_a_broken_tree)
{
	static struct thing things[16];
	struct rb_root root = RB_ROOT;

	for (int i = 0; i < 16; i++) {
		things[i].key = i;
		insert(&root, &things[i]);
	}
	root.rb_node->parent_color &= ~(uintptr_t)1; /* a red root */
	KUNIT_EXPECT_EQ(test, rb_validate(&root), -1);
	root.rb_node->parent_color |= 1;
	KUNIT_EXPECT_GT(test, rb_validate(&root), 0);
	root.rb_node->rb_left = NULL; /* a lost subtree */
	KUNIT_EXPECT_EQ(test, rb_validate(&root), -1);
}
