/* SPDX-License-Identifier: MIT */
/* test_calloc.c - zeroes, all of them and no more */

#include "edge.h"
#include "../emulator.h"

#define KIB (1UL << 10)
#define MIB (1UL << 20)

static bool is_zero(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

KUNIT_TEST(every_small_size_is_zeroed_and_nothing_beside_it)
{
	enum { NR = 64 };
	char *p[NR];

	for (size_t n = 1; n <= 700; n++) {
		for (int i = 0; i < NR; i++) {
			p[i] = malloc(n);
			KUNIT_ASSERT_NOT_NULL(test, p[i]);
			memset(p[i], 1 + i, malloc_usable_size(p[i]));
		}
		for (int i = 0; i < NR; i += 2) {
			free(p[i]);
			p[i] = calloc(1, n);
			KUNIT_ASSERT_NOT_NULL(test, p[i]);
			KUNIT_ASSERT_TRUE_MSG(test, is_zero(p[i], n), "calloc(1, %zu)", n);
		}
		for (int i = 1; i < NR; i += 2)
			for (size_t k = 0; k < malloc_usable_size(p[i]); k++)
				KUNIT_ASSERT_EQ_MSG(test, p[i][k], 1 + i, "beside %zu", n);
		for (int i = 0; i < NR; i++)
			free(p[i]);
	}
}

/* What is zero already is not written: a byte here and there must not be missed. */
KUNIT_TEST(a_few_dirty_bytes_of_a_large_block_are_zeroed)
{
	uint64_t state = kunit_seed(test) | 1;

	for (int i = 0; i < 400; i++) {
		size_t n = 60 * KIB + (state >> 33) % (200 * KIB), dirty = state >> 60;
		char *p = calloc(1, n);

		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_ASSERT_TRUE_MSG(test, is_zero(p, n), "calloc(1, %zu)", n);
		for (size_t d = 0; d < dirty; d++) {
			state = state * 6364136223846793005ULL + 1442695040888963407ULL;
			p[(state >> 33) % n] = 1;
		}
		p[n - 1] = (char)(i & 1);
		free(p);
		state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	}
}

KUNIT_TEST(warm_blocks_are_zeroed)
{
	for (size_t n = 9 * KIB; n <= 5 * MIB; n += n / 3) {
		for (int i = 0; i < 20; i++) {
			char *p = calloc(n, 1);

			KUNIT_ASSERT_NOT_NULL(test, p);
			KUNIT_ASSERT_TRUE_MSG(test, is_zero(p, n), "calloc(%zu, 1)", n);
			memset(p, 0xaa, malloc_usable_size(p));
			free(p);
			p = malloc(n);
			KUNIT_ASSERT_NOT_NULL(test, p);
			memset(p, 0xbb, n);
			free(p);
		}
	}
}

KUNIT_TEST(new_blocks_are_not_touched)
{
	enum { NR = 60 };
	char *p[NR];
	size_t before;

	skip_if_emulated(test, "what is resident is the emulator's");
	malloc_trim(0);
	before = resident();
	for (int i = 0; i < NR; i++) {
		p[i] = calloc(1, 500 * KIB);
		KUNIT_ASSERT_NOT_NULL(test, p[i]);
		p[i][0] = 1;
	}
	KUNIT_EXPECT_LE(test, resident(), before + 8 * MIB);
	for (int i = 0; i < NR; i++)
		free(p[i]);
}
