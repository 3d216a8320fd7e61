/* SPDX-License-Identifier: MIT */
/* test_nearest.c - "did you mean". Room under test: lib. */

#include <kunit/test.h>

#include "lib/nearest.h"

KUNIT_TEST(edit_distance_counts_single_edits)
{
	KUNIT_EXPECT_EQ(test, edit_distance("", ""), 0u);
	KUNIT_EXPECT_EQ(test, edit_distance("", "abc"), 3u);
	KUNIT_EXPECT_EQ(test, edit_distance("abc", "abc"), 0u);
	KUNIT_EXPECT_EQ(test, edit_distance("abc", "abd"), 1u);
	KUNIT_EXPECT_EQ(test, edit_distance("abc", "abbc"), 1u);
	KUNIT_EXPECT_EQ(test, edit_distance("abc", "ac"), 1u);
	KUNIT_EXPECT_EQ(test, edit_distance("abcd", "abdc"), 1u); /* a swap */
	KUNIT_EXPECT_EQ(test, edit_distance("kitten", "sitting"), 3u);
	KUNIT_EXPECT_EQ(test, edit_distance("slub_debug", "slab_debug"), 1u);
}

static const char *nearest_of(const char *word)
{
	static const char *const known[] = { "mem",        "max",          "high",
					     "slab_debug", "slab_nomerge", "numa" };
	struct nearest near;

	nearest_init(&near, word);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		nearest_offer(&near, known[i]);
	return near.best;
}

KUNIT_TEST(a_slip_finds_its_word_and_another_word_finds_none)
{
	KUNIT_EXPECT_STREQ(test, nearest_of("slab_debgu"), "slab_debug");
	KUNIT_EXPECT_STREQ(test, nearest_of("slab_merge"), "slab_nomerge");
	KUNIT_EXPECT_STREQ(test, nearest_of("nmua"), "numa");
	KUNIT_EXPECT_NULL(test, nearest_of("zzzzzzz"));
	KUNIT_EXPECT_NULL(test, nearest_of("transparent_hugepage"));
}

KUNIT_TEST(words_longer_than_the_table_are_compared_by_their_beginnings)
{
	char a[500], b[500];

	memset(a, 'a', sizeof(a) - 1);
	a[sizeof(a) - 1] = '\0';
	memcpy(b, a, sizeof(b));
	KUNIT_EXPECT_EQ(test, edit_distance(a, b), 0u);
	b[10] = 'b';
	KUNIT_EXPECT_EQ(test, edit_distance(a, b), 1u);
}
