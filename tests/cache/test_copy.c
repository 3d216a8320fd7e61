/* SPDX-License-Identifier: MIT */
/* test_copy.c - copies of a page or so, at any alignment. Room under test: cache (copy.c). */

#include <kunit/test.h>

#include <slabwork/types.h>

#include "cache/copy.h"
#include "lib/prng.h"

#define ROOM (COPY_WIDE_MOST + 4 * 64)

KUNIT_TEST(a_wide_copy_copies_all_and_nothing_else)
{
	static unsigned char from[ROOM], to[ROOM], want[ROOM];
	struct prng r;

	copy_init();
	if (!copy_wide_words)
		kunit_skip(test, "this processor has no 64-byte words");
	prng_seed(&r, kunit_seed(test));
	for (size_t i = 0; i < ROOM; i++)
		from[i] = (unsigned char)prng_u64(&r);
	for (int round = 0; round < 20000; round++) {
		size_t n = COPY_WIDE_LEAST + prng_below(&r, COPY_WIDE_MOST - COPY_WIDE_LEAST + 1);
		size_t a = prng_below(&r, 128), b = prng_below(&r, 128);

		memset(to, round, ROOM);
		memset(want, round, ROOM);
		memcpy(want + b, from + a, n);
		copy_wide((char *)to + b, (char *)from + a, n);
		KUNIT_ASSERT_EQ(test, memcmp(to, want, ROOM), 0, "%zu bytes, %zu to %zu", n, a, b);
	}
}
