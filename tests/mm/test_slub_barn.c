/* SPDX-License-Identifier: MIT */
/*
 * test_slub_barn.c - what a barn keeps, and for how long
 */

#include "mm/slub_internal.h"
#include "slab_test.h"

#define MANY 60000 /* of 64 bytes: three times what a barn keeps without being asked */

static void *many[MANY];

static void come_and_go(struct kunit *test, struct kmem_cache *s)
{
	for (int i = 0; i < MANY; i++) {
		many[i] = kmem_cache_alloc(s, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, many[i]);
	}
	/* From both ends inwards, so that what comes back is not in the order of addresses. */
	for (int i = 0; i < MANY / 2; i++) {
		kmem_cache_free(s, many[i]);
		kmem_cache_free(s, many[MANY - 1 - i]);
	}
}

TEST_IN_BOTH_MODES(a_barn_that_misses_what_it_spilled_keeps_more)
{
	struct kmem_cache *s = kmem_cache_create("missed", 64, 0, SLAB_NO_MERGE, NULL);
	struct node_barn *barn = &s->node[0]->barn;

	come_and_go(test, s);
	KUNIT_EXPECT_LE(test, barn->nr_full, s->barn_max_full);
	/* The clock may come in between and forget what was spilled: then once more. */
	for (int i = 0; i < 20 && barn->nr_full <= s->barn_max_full; i++)
		come_and_go(test, s);
	KUNIT_EXPECT_GT(test, barn->nr_full, s->barn_max_full);
	KUNIT_EXPECT_LE(test, barn->nr_full, s->barn_max_full + s->barn_max_extra);
	KUNIT_EXPECT_EQ(test, kmem_cache_validate(s), 0);
	kmem_cache_destroy(s);
}

TEST_IN_BOTH_MODES(a_barn_that_nobody_uses_forgets_what_it_missed)
{
	struct kmem_cache *s = kmem_cache_create("idle", 64, 0, SLAB_NO_MERGE, NULL);
	struct node_barn *barn = &s->node[0]->barn;

	for (int i = 0; i < 20 && barn->nr_full <= s->barn_max_full; i++)
		come_and_go(test, s);
	KUNIT_ASSERT_GT(test, barn->extra, 0);
	/* The first look begins an interval, the second ends it. */
	barn_reap(s);
	barn_reap(s);
	KUNIT_EXPECT_EQ(test, barn->nr_full, 0);
	KUNIT_EXPECT_EQ(test, barn->extra, 0);
	KUNIT_EXPECT_LE(test, barn->nr_empty, BARN_MAX_EMPTY);
	KUNIT_EXPECT_LT(test, slabs_of(s), MANY / oo_objects(s->oo) / 2);
	KUNIT_EXPECT_EQ(test, kmem_cache_validate(s), 0);
	kmem_cache_destroy(s);
}

TEST_IN_BOTH_MODES(a_barn_that_spills_once_and_misses_nothing_keeps_no_more)
{
	struct kmem_cache *s = kmem_cache_create("once", 64, 0, SLAB_NO_MERGE, NULL);

	come_and_go(test, s);
	KUNIT_EXPECT_EQ(test, s->node[0]->barn.extra, 0);
	kmem_cache_destroy(s);
}

TEST_IN_BOTH_MODES(objects_in_sheaves_spares_and_barns_are_all_counted)
{
	struct kmem_cache *s = kmem_cache_create("counted", 64, 0, SLAB_NO_MERGE, NULL);
	struct kmem_cache_node *n = s->node[0];

	for (int i = 0; i < 3; i++) {
		come_and_go(test, s);
		KUNIT_EXPECT_EQ(test, slab_sheaf_objects(s) + n->free_objects, n->total_objects);
	}
	kmem_cache_destroy(s);
}
