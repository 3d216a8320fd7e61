/* SPDX-License-Identifier: MIT */
/* test_entries.c - a directory's names against a plain list of them. Room under test: fstypes/tmpfs. */

#include <inttypes.h>
#include <stdlib.h>

#include <kunit/test.h>

#include "fstypes/tmpfs/entries.h"
#include "lib/prng.h"

#define MANY  3000
#define STEPS 200000

static struct tmpfs_entries entries;
static struct dentry dentries[MANY];
/* The model: [i] stands at at[i]; 0: it is not there. */
static unsigned long at[MANY];
static unsigned int there;

/* The name that stands first at or behind @offset; -1: none. */
static int model_find(unsigned long offset)
{
	int found = -1;

	for (int i = 0; i < MANY; i++)
		if (at[i] && at[i] >= offset && (found < 0 || at[i] < at[found]))
			found = i;
	return found;
}

static void check_find(struct kunit *test, unsigned long offset)
{
	int want = model_find(offset);
	struct dentry *got = entries_find(&entries, &offset);

	KUNIT_ASSERT_PTR_EQ(test, got, want < 0 ? NULL : &dentries[want]);
	if (want >= 0)
		KUNIT_ASSERT_EQ(test, offset, at[want]);
}

static void toggle(struct kunit *test, int i)
{
	if (at[i]) {
		entries_remove(&entries, at[i]);
		at[i] = 0;
		there--;
		return;
	}
	KUNIT_ASSERT_EQ(test, entries_add(&entries, &dentries[i]), 0);
	at[i] = (unsigned long)dentries[i].d_fsdata;
	there++;
}

/* @i takes the place of @victim, as a rename over it does. */
static void replace(int i, int victim)
{
	entries_replace(&entries, at[victim], &dentries[i]);
	at[i] = at[victim];
	at[victim] = 0;
}

KUNIT_TEST(names_that_come_and_go_at_random_are_found_in_their_order, .timeout_s = 120)
{
	struct prng rng;
	unsigned long highest = 1;

	prng_seed(&rng, 20261122);
	for (int step = 0; step < STEPS; step++) {
		/* Waves: mostly comings, then mostly goings, so that it grows, is packed and shrinks. */
		bool grows = step / 20000 % 2 == 0;
		int i = (int)prng_below(&rng, MANY), victim = (int)prng_below(&rng, MANY);

		if (!at[i] != grows && prng_below(&rng, 4))
			continue;
		if (!at[i] && at[victim] && prng_below(&rng, 8) == 0) {
			replace(i, victim);
			continue;
		}
		toggle(test, i);
		if (at[i]) {
			KUNIT_ASSERT_GT(test, at[i], highest); /* never used before */
			highest = at[i];
		}
		KUNIT_ASSERT_EQ(test, entries.live, there);
		if (step % 64 == 0)
			check_find(test, prng_below(&rng, (uint32_t)highest + 2));
	}
	for (unsigned long offset = 0; offset <= highest + 1; offset += 97)
		check_find(test, offset);
	for (int i = 0; i < MANY; i++)
		if (at[i])
			toggle(test, i);
	KUNIT_EXPECT_PTR_EQ(test, entries_last(&entries), NULL);
	KUNIT_EXPECT_LE(test, entries.room, 8u);
	entries_destroy(&entries);
}

KUNIT_TEST(a_directory_that_is_emptied_from_either_end_costs_a_look_each)
{
	/* A look that began at the first slot ever used would make this some ten billion steps. */
	const int nr = 200000;
	struct dentry *names = calloc((size_t)nr, sizeof(*names));

	KUNIT_ASSERT_PTR_NE(test, names, NULL);
	for (int round = 0; round < 2; round++) {
		struct dentry *name;
		unsigned long offset;

		for (int i = 0; i < nr; i++)
			KUNIT_ASSERT_EQ(test, entries_add(&entries, &names[i]), 0);
		while (entries.live) {
			offset = 0;
			name = round ? entries_last(&entries) : entries_find(&entries, &offset);
			entries_remove(&entries, (unsigned long)name->d_fsdata);
		}
	}
	entries_destroy(&entries);
	free(names);
}
