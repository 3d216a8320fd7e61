/* SPDX-License-Identifier: MIT */
/* test_bitmap.c - against an array of bools. Room under test: lib. */

#include <kunit/test.h>

#include "lib/bitmap.h"
#include "lib/prng.h"

#define BITS 200

static unsigned long slow_find(const bool *model, unsigned long size, unsigned long from, bool want)
{
	for (; from < size; from++)
		if (model[from] == want)
			return from;
	return size;
}

KUNIT_TEST(bitmap_agrees_with_an_array_of_bools)
{
	DECLARE_BITMAP(map, BITS) = { 0 };
	bool model[BITS] = { false };
	struct prng rng;

	prng_seed(&rng, kunit_seed(test));
	for (int step = 0; step < 20000; step++) {
		unsigned long start = prng_below(&rng, BITS), size = prng_below(&rng, BITS + 1);
		unsigned long nr = prng_below(&rng, (uint32_t)(BITS - start + 1)), weight = 0;
		bool set = prng_below(&rng, 2);

		if (nr > 1) {
			(set ? bitmap_set : bitmap_clear)(map, start, nr);
			for (unsigned long i = start; i < start + nr; i++)
				model[i] = set;
		} else {
			(set ? __set_bit : __clear_bit)(start, map);
			model[start] = set;
		}
		start = prng_below(&rng, BITS);
		for (unsigned long i = 0; i < size; i++)
			weight += model[i];
		KUNIT_ASSERT_EQ(test, test_bit(start, map), model[start]);
		KUNIT_ASSERT_EQ(test, bitmap_weight(map, size), weight);
		KUNIT_ASSERT_EQ(test, bitmap_empty(map, size), weight == 0);
		KUNIT_ASSERT_EQ(test, bitmap_full(map, size), weight == size);
		KUNIT_ASSERT_EQ(test, find_next_bit(map, size, start),
				slow_find(model, size, start, true));
		KUNIT_ASSERT_EQ(test, find_next_zero_bit(map, size, start),
				slow_find(model, size, start, false));
	}
}

KUNIT_TEST(for_each_set_bit_visits_each_once)
{
	DECLARE_BITMAP(map, BITS) = { 0 };
	unsigned long bit, sum = 0;

	__set_bit(0, map);
	__set_bit(63, map);
	__set_bit(64, map);
	__set_bit(199, map);
	for_each_set_bit(bit, map, BITS)
		sum = sum * 1000 + bit;
	KUNIT_EXPECT_EQ(test, sum, 63064199UL);
}

KUNIT_TEST(zero_area_is_the_first_that_fits_and_is_aligned)
{
	DECLARE_BITMAP(map, BITS) = { 0 };

	bitmap_set(map, 0, 5);
	bitmap_set(map, 9, 60); /* free: 5..8, 69.. */
	KUNIT_EXPECT_EQ(test, bitmap_find_next_zero_area(map, BITS, 0, 4, 0), 5UL);
	KUNIT_EXPECT_EQ(test, bitmap_find_next_zero_area(map, BITS, 0, 5, 0), 69UL);
	KUNIT_EXPECT_EQ(test, bitmap_find_next_zero_area(map, BITS, 0, 4, 3), 72UL);
	KUNIT_EXPECT_EQ(test, bitmap_find_next_zero_area(map, BITS, 0, 1, 7), 8UL);
	KUNIT_EXPECT_EQ(test, bitmap_find_next_zero_area(map, BITS, 0, BITS - 69, 0), 69UL);
	KUNIT_EXPECT_GE(test, bitmap_find_next_zero_area(map, BITS, 0, BITS - 68, 0),
			(unsigned long)BITS);
}
