/* SPDX-License-Identifier: MIT */
/* test_reciprocal.c - every quotient is exact. Room under test: lib. */

#include <kunit/test.h>

#include "lib/prng.h"
#include "lib/reciprocal.h"

/* The numerators where rounding would show: around multiples of d, and the largest. */
static void expect_exact(struct kunit *test, uint32_t d, uint32_t a)
{
	struct reciprocal_value r = reciprocal_value(d);

	for (uint32_t near = 0; near < 3; near++) {
		uint32_t x = a - 1 + near;

		KUNIT_ASSERT_EQ(test, reciprocal_divide(x, r), x / d);
		KUNIT_ASSERT_EQ(test, reciprocal_divide(UINT32_MAX - near, r),
				(UINT32_MAX - near) / d);
	}
}

KUNIT_TEST(small_divisors_are_exact)
{
	for (uint32_t d = 1; d <= 20000; d++)
		for (uint32_t k = 1; k <= 40; k++)
			expect_exact(test, d, d * k);
}

KUNIT_TEST(random_and_extreme_divisors_are_exact)
{
	struct prng rng;

	prng_seed(&rng, kunit_seed(test));
	expect_exact(test, 1u << 31, 1u << 31);
	expect_exact(test, (1u << 31) - 1, (1u << 31) - 1);
	for (int i = 0; i < 300000; i++) {
		uint32_t d = 1 + prng_below(&rng, 1u << (1 + prng_below(&rng, 31)));
		uint32_t a = (uint32_t)prng_u64(&rng);

		expect_exact(test, d, a / d * d);
	}
}
