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

/* A full sheaf, made by hand: no clock has a say in what follows. */
static struct slab_sheaf *full_sheaf(struct kunit *test, struct kmem_cache *s)
{
	struct slab_sheaf *sheaf = sheaf_alloc(s->sheaf_capacity, s->sheaf_limit, GFP_NOWAIT);

	KUNIT_ASSERT_NOT_NULL(test, sheaf);
	sheaf->size = (unsigned short)slab_take(s, GFP_KERNEL, 0, false, sheaf->objects,
						s->sheaf_limit, s->sheaf_limit);
	KUNIT_ASSERT_EQ(test, sheaf->size, s->sheaf_limit);
	return sheaf;
}

/* So many full sheaves go to the barn. Returns how many found room. */
static unsigned int fill_barn(struct kunit *test, struct kmem_cache *s, unsigned int sheaves)
{
	struct slab_sheaf *empty;
	unsigned int kept = 0;

	for (unsigned int i = 0; i < sheaves; i++) {
		struct slab_sheaf *sheaf = full_sheaf(test, s);

		if (barn_put_full(s, sheaf, &empty)) {
			kept++;
		} else {
			sheaf_unload(s, sheaf, true);
			sheaf_free(sheaf);
		}
		if (empty)
			sheaf_free(empty);
	}
	return kept;
}

TEST_IN_BOTH_MODES(a_barn_keeps_one_more_for_each_sheaf_it_spilled_and_missed)
{
	struct kmem_cache *s = kmem_cache_create("missed", 64, 0, SLAB_NO_MERGE, NULL);
	struct node_barn *barn = &s->node[0]->barn;

	KUNIT_EXPECT_EQ(test, fill_barn(test, s, s->barn_max_full + 3), s->barn_max_full);
	for (int i = 0; i < 2; i++)
		barn_regret(s);
	KUNIT_EXPECT_EQ(test, barn->extra, 2);
	KUNIT_EXPECT_EQ(test, fill_barn(test, s, 4), 2);
	/* One of the first three and two of these four were spilled: more cannot be missed. */
	for (int i = 0; i < 10; i++)
		barn_regret(s);
	KUNIT_EXPECT_EQ(test, barn->extra, 5);
	KUNIT_EXPECT_EQ(test, kmem_cache_validate(s), 0);
	kmem_cache_destroy(s);
}

TEST_IN_BOTH_MODES(no_barn_keeps_more_than_its_cache_allows)
{
	struct kmem_cache *s = kmem_cache_create("most", 1024, 0, SLAB_NO_MERGE, NULL);
	unsigned int most = s->barn_max_full + s->barn_max_extra;

	for (unsigned int i = 0; i < 2 * most + 20; i++) {
		fill_barn(test, s, 1);
		barn_regret(s);
	}
	KUNIT_EXPECT_EQ(test, s->node[0]->barn.nr_full, most);
	KUNIT_EXPECT_EQ(test, s->node[0]->barn.extra, s->barn_max_extra);
	kmem_cache_destroy(s);
}

TEST_IN_BOTH_MODES(a_barn_that_nobody_uses_forgets_what_it_missed)
{
	struct kmem_cache *s = kmem_cache_create("idle", 64, 0, SLAB_NO_MERGE, NULL);
	struct node_barn *barn = &s->node[0]->barn;

	fill_barn(test, s, s->barn_max_full + 20);
	for (int i = 0; i < 20; i++)
		barn_regret(s);
	fill_barn(test, s, 20);
	KUNIT_EXPECT_EQ(test, barn->nr_full, s->barn_max_full + 20);
	/* The first look begins an interval, the second ends it. */
	barn_reap(s);
	KUNIT_EXPECT_EQ(test, barn->nr_full, s->barn_max_full + 20);
	barn_reap(s);
	KUNIT_EXPECT_EQ(test, barn->nr_full, 0);
	KUNIT_EXPECT_EQ(test, barn->extra, 0);
	KUNIT_EXPECT_EQ(test, live_objects(s), 0);
	KUNIT_EXPECT_EQ(test, kmem_cache_validate(s), 0);
	kmem_cache_destroy(s);
}

TEST_IN_BOTH_MODES(a_barn_in_use_keeps_what_it_uses)
{
	struct kmem_cache *s = kmem_cache_create("busy", 64, 0, SLAB_NO_MERGE, NULL);
	struct node_barn *barn = &s->node[0]->barn;
	struct slab_sheaf *empty = NULL, *taken[8];

	fill_barn(test, s, 20);
	barn_reap(s);
	for (int i = 0; i < 8; i++)
		taken[i] = barn_get_full(s, &empty, true);
	for (int i = 0; i < 8; i++) {
		KUNIT_ASSERT_NOT_NULL(test, taken[i]);
		KUNIT_EXPECT_TRUE(test, barn_put_full(s, taken[i], &empty));
	}
	barn_reap(s);
	KUNIT_EXPECT_EQ(test, barn->nr_full, 8);
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
