/* SPDX-License-Identifier: MIT */
/* test_bitops.c - bits, powers of two, rounding. Room under test: lib. */

#include <kunit/test.h>

#include "lib/bitops.h"

/* The kernel's own definition, one bit at a time. */
static int slow_fls(uint64_t x)
{
	int n = 0;

	for (; x; x >>= 1)
		n++;
	return n;
}

KUNIT_TEST(fls_counts_from_one_and_of_zero_is_zero)
{
	KUNIT_EXPECT_EQ(test, fls(0), 0);
	KUNIT_EXPECT_EQ(test, fls(1), 1);
	KUNIT_EXPECT_EQ(test, fls(4), 3);
	KUNIT_EXPECT_EQ(test, fls(0x80000000u), 32);
	KUNIT_EXPECT_EQ(test, fls64(0), 0);
	KUNIT_EXPECT_EQ(test, fls64(1ULL << 63), 64);
	for (uint64_t x = 1; x < 70000; x++)
		KUNIT_ASSERT_EQ(test, fls64(x), slow_fls(x));
}

KUNIT_TEST(ffs_and_ffz_count_from_zero)
{
	for (unsigned int bit = 0; bit < 64; bit++) {
		KUNIT_ASSERT_EQ(test, __ffs(BIT(bit) | 1UL << 63), bit);
		KUNIT_ASSERT_EQ(test, __fls(BIT(bit) | 1), bit);
		KUNIT_ASSERT_EQ(test, ffz(BIT(bit) - 1), bit);
	}
}

KUNIT_TEST(powers_of_two_are_known_and_rounded_to)
{
	KUNIT_EXPECT_FALSE(test, is_power_of_2(0));
	for (unsigned long x = 1; x < 5000; x++) {
		unsigned long up = roundup_pow_of_two(x), down = rounddown_pow_of_two(x);

		KUNIT_ASSERT_TRUE(test, is_power_of_2(up) && is_power_of_2(down));
		KUNIT_ASSERT_TRUE(test, down <= x && x <= up && (up == down || up == 2 * down));
		KUNIT_ASSERT_EQ(test, is_power_of_2(x), up == down);
		KUNIT_ASSERT_EQ(test, 1UL << ilog2(x), down);
		KUNIT_ASSERT_EQ(test, 1UL << order_base_2(x), up);
	}
	KUNIT_EXPECT_EQ(test, roundup_pow_of_two(1UL << 63), 1UL << 63);
}

KUNIT_TEST(rounding_keeps_multiples)
{
	for (unsigned long x = 0; x < 1000; x++) {
		KUNIT_ASSERT_EQ(test, ALIGN(x, 16), (x + 15) / 16 * 16);
		KUNIT_ASSERT_EQ(test, ALIGN_DOWN(x, 16), x / 16 * 16);
		KUNIT_ASSERT_EQ(test, IS_ALIGNED(x, 16), x % 16 == 0);
		KUNIT_ASSERT_EQ(test, DIV_ROUND_UP(x, 7), x / 7 + (x % 7 != 0));
		KUNIT_ASSERT_EQ(test, roundup(x, 7), DIV_ROUND_UP(x, 7) * 7);
		KUNIT_ASSERT_EQ(test, rounddown(x, 7), x / 7 * 7);
	}
	/* The mask has the type of x: an int alignment must not cut a 64-bit address. */
	KUNIT_EXPECT_EQ(test, ALIGN(0x123456789abcUL, 4096u), 0x12345678a000UL);
}

KUNIT_TEST(min_and_max_evaluate_once)
{
	int calls = 0;

	KUNIT_EXPECT_EQ(test, min((calls++, 3), 5), 3);
	KUNIT_EXPECT_EQ(test, max((calls++, 3), 5), 5);
	KUNIT_EXPECT_EQ(test, calls, 2);
	KUNIT_EXPECT_EQ(test, clamp(7, 1, 5), 5);
	KUNIT_EXPECT_EQ(test, clamp(-7, 1, 5), 1);
	KUNIT_EXPECT_EQ(test, min_t(unsigned int, -1, 5), 5u);
}
