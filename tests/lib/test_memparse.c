/* SPDX-License-Identifier: MIT */
/* test_memparse.c - numbers and sizes as users write them. Room under test: lib. */

#include <kunit/test.h>

#include "lib/memparse.h"

#define UNTOUCHED 0x5555555555555555ULL

/* The number if all of text is one, else UNTOUCHED. */
static uint64_t bytes(const char *text)
{
	uint64_t value = UNTOUCHED;
	const char *end = memparse_u64(text, &value);

	return end && !*end ? value : UNTOUCHED;
}

KUNIT_TEST(bases_are_c_s)
{
	KUNIT_EXPECT_EQ(test, bytes("0"), 0ULL);
	KUNIT_EXPECT_EQ(test, bytes("123"), 123ULL);
	KUNIT_EXPECT_EQ(test, bytes("0x7b"), 123ULL);
	KUNIT_EXPECT_EQ(test, bytes("0X7B"), 123ULL);
	KUNIT_EXPECT_EQ(test, bytes("0173"), 123ULL);
}

KUNIT_TEST(suffixes_are_powers_of_1024_in_either_case)
{
	KUNIT_EXPECT_EQ(test, bytes("4k"), 4096ULL);
	KUNIT_EXPECT_EQ(test, bytes("4K"), 4096ULL);
	KUNIT_EXPECT_EQ(test, bytes("3M"), 3ULL << 20);
	KUNIT_EXPECT_EQ(test, bytes("0x10G"), 16ULL << 30);
	KUNIT_EXPECT_EQ(test, bytes("2t"), 2ULL << 40);
	KUNIT_EXPECT_EQ(test, bytes("2P"), 2ULL << 50);
	KUNIT_EXPECT_EQ(test, bytes("15E"), 15ULL << 60);
}

KUNIT_TEST(what_is_no_number_or_does_not_fit_is_refused)
{
	static const char *const bad[] = { "",
					   "k",
					   "x",
					   "-1",
					   "+1",
					   " 1",
					   "0x",
					   "08",
					   "1kk",
					   "12z",
					   "16E",
					   "18446744073709551616",
					   "0x10000000000000000" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		KUNIT_EXPECT_EQ(test, bytes(bad[i]), UNTOUCHED, "text '%s'", bad[i]);
	KUNIT_EXPECT_EQ(test, bytes("18446744073709551615"), UINT64_MAX);
}

KUNIT_TEST(the_end_of_the_number_is_returned)
{
	static const char text[] = "64k,rest";
	uint64_t value;

	KUNIT_EXPECT_PTR_EQ(test, memparse_u64(text, &value), text + 3);
	KUNIT_EXPECT_PTR_EQ(test, parse_u64(text, &value), text + 2);
}
