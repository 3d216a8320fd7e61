/* SPDX-License-Identifier: MIT */
/* test_hash.c - hashes spread, random numbers repeat. Room under test: lib. */

#include <kunit/test.h>

#include "lib/hash.h"
#include "lib/prng.h"

KUNIT_TEST(aligned_pointers_spread_over_the_buckets)
{
	static const int shifts[] = { 4, 6, 12, 16, 22 };

	for (size_t s = 0; s < sizeof(shifts) / sizeof(shifts[0]); s++) {
		int used[256] = { 0 }, buckets = 0;

		for (uintptr_t i = 0; i < 256; i++) {
			uint32_t h = hash_ptr((void *)(0x7f0000000000 + (i << shifts[s])), 8);

			KUNIT_ASSERT_LT(test, h, 256u);
			used[h]++;
		}
		for (int i = 0; i < 256; i++)
			buckets += used[i] > 0;
		/* Random keys would hit 63 % of the buckets. */
		KUNIT_EXPECT_GT(test, buckets, 128, "shift %d", shifts[s]);
	}
}

KUNIT_TEST(mix_is_a_bijection_with_avalanche)
{
	KUNIT_EXPECT_EQ(test, hash_mix64(0), 0ULL);
	for (int bit = 0; bit < 64; bit++) {
		int flipped =
			__builtin_popcountll(hash_mix64(12345) ^ hash_mix64(12345 ^ 1ULL << bit));

		KUNIT_EXPECT_TRUE(test, flipped > 12 && flipped < 52);
	}
}

KUNIT_TEST(bytes_hash_by_content_and_seed)
{
	KUNIT_EXPECT_EQ(test, hash_bytes("abc", 3, 1), hash_bytes("abcd", 3, 1));
	KUNIT_EXPECT_NE(test, hash_bytes("abc", 3, 1), hash_bytes("abd", 3, 1));
	KUNIT_EXPECT_NE(test, hash_bytes("abc", 3, 1), hash_bytes("abc", 3, 2));
}

KUNIT_TEST(the_same_seed_gives_the_same_numbers_within_range)
{
	struct prng a, b, c;
	int low = 0;

	prng_seed(&a, 1);
	prng_seed(&b, 1);
	prng_seed(&c, 2);
	KUNIT_EXPECT_NE(test, prng_u64(&a), prng_u64(&c));
	prng_u64(&b);
	for (int i = 0; i < 10000; i++) {
		uint32_t n = prng_below(&a, 10);

		KUNIT_ASSERT_LT(test, n, 10u);
		KUNIT_ASSERT_EQ(test, n, prng_below(&b, 10));
		low += n < 5;
	}
	KUNIT_EXPECT_TRUE(test, low > 4500 && low < 5500);
}
