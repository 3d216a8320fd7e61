/* SPDX-License-Identifier: MIT */
/* test_param.c - SLABWORK="a kernel command line". Room under test: kernel. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <kunit/test.h>

#include "capture.h"
#include "kernel/param.h"

static char taken[512]; /* "name(value)" of every setter call */

static void note(const char *name, const char *value)
{
	size_t have = strlen(taken);

	snprintf(taken + have, sizeof(taken) - have, "%s(%s)", name, value);
}

static int set_size(const char *value)
{
	uint64_t bytes;

	if (param_bytes(value, &bytes) || bytes < 4096)
		return -EINVAL;
	note("test_size", value);
	return 0;
}
__param(test_size, "test_size", set_size, "4k..64T", PARAM_NONE);

static int set_fail(const char *value)
{
	note("test_fail.", value);
	return 0;
}
__param(test_fail, "test_fail.", set_fail, NULL, PARAM_PREFIX);

static int set_hard(const char *value)
{
	bool on;

	if (param_bool(value, &on))
		return -EINVAL;
	note("test_hard", on ? "yes" : "no");
	return 0;
}
__param(test_hard, "test_hard", set_hard, "on or off", PARAM_SECURE);

static const char *parse(const char *line)
{
	capture();
	taken[0] = '\0';
	setenv("SLABWORK", line, 1);
	params_parse();
	return taken;
}

KUNIT_TEST(words_reach_their_setters_in_order)
{
	KUNIT_EXPECT_STREQ(test, parse("test_size=64k  test_hard\ttest_size=1M"),
			   "test_size(64k)test_hard(yes)test_size(1M)");
	KUNIT_EXPECT_STREQ(test, captured, "");
}

KUNIT_TEST(no_variable_and_an_empty_one_say_nothing)
{
	KUNIT_EXPECT_STREQ(test, parse(""), "");
	KUNIT_EXPECT_STREQ(test, parse("   "), "");
	unsetenv("SLABWORK");
	params_parse();
	KUNIT_EXPECT_STREQ(test, captured, "");
}

KUNIT_TEST(dash_and_underscore_are_the_same_letter)
{
	KUNIT_EXPECT_STREQ(test, parse("test-size=64k"), "test_size(64k)");
}

KUNIT_TEST(a_prefix_gets_the_rest_of_the_word)
{
	KUNIT_EXPECT_STREQ(
		test, parse("test_fail.interval=3 test_fail.times test_fail.a=b=c test_fail.e="),
		"test_fail.(interval=3)test_fail.(times)test_fail.(a=b=c)test_fail.(e=)");
}

KUNIT_TEST(quotes_keep_spaces)
{
	KUNIT_EXPECT_STREQ(test, parse("test_fail.x=\"a b\" \"test_fail.y=c  d\" test_hard"),
			   "test_fail.(x=a b)test_fail.(y=c  d)test_hard(yes)");
}

KUNIT_TEST(two_dashes_end_the_line)
{
	KUNIT_EXPECT_STREQ(test, parse("test_hard -- test_size=1M nonsense"), "test_hard(yes)");
	KUNIT_EXPECT_STREQ(test, captured, "");
}

KUNIT_TEST(an_unknown_word_is_named_with_the_nearest_known_one)
{
	KUNIT_EXPECT_STREQ(test, parse("test_siez=1M test_hard"), "test_hard(yes)");
	KUNIT_EXPECT_STREQ(
		test, captured,
		"slabwork: SLABWORK: unknown option 'test_siez' ignored, did you mean 'test_size'?\n");
	parse("qqqqqqqqqqqq");
	KUNIT_EXPECT_STREQ(test, captured,
			   "slabwork: SLABWORK: unknown option 'qqqqqqqqqqqq' ignored\n");
}

KUNIT_TEST(a_beginning_of_a_known_word_is_not_that_word)
{
	KUNIT_EXPECT_STREQ(test, parse("test_siz=1M test_sizes=1M test_fail"), "");
}

KUNIT_TEST(a_bad_value_is_named_with_its_range)
{
	KUNIT_EXPECT_STREQ(test, parse("test_size=12z test_size=1 test_size"), "");
	KUNIT_EXPECT_STREQ(test, captured,
			   "slabwork: SLABWORK: test_size: bad value '12z' ignored, want 4k..64T\n"
			   "slabwork: SLABWORK: test_size: bad value '1' ignored, want 4k..64T\n"
			   "slabwork: SLABWORK: test_size: bad value '' ignored, want 4k..64T\n");
}

KUNIT_TEST(a_line_too_long_is_refused_whole)
{
	char line[5000];

	memset(line, ' ', sizeof(line));
	memcpy(line, "test_hard", 9);
	line[4095] = '\0';
	KUNIT_EXPECT_STREQ(test, parse(line), "test_hard(yes)");
	line[4095] = ' ';
	line[4096] = '\0';
	KUNIT_EXPECT_STREQ(test, parse(line), "");
	KUNIT_EXPECT_STREQ(test, captured, "slabwork: SLABWORK: longer than 4095 bytes, ignored\n");
}

/* /proc/self/environ is what exec gave us, without SLABWORK: it is walked to its end. */
KUNIT_TEST(without_environ_the_variable_is_looked_for_in_proc)
{
	char **saved = environ;

	capture();
	environ = NULL;
	params_parse();
	environ = saved;
	KUNIT_EXPECT_STREQ(test, captured, "");
}

KUNIT_TEST(helpers_take_what_they_say_and_leave_out_untouched_otherwise)
{
	uint64_t bytes = 5;
	unsigned int number = 5;
	bool on = true;

	KUNIT_EXPECT_EQ(test, param_bytes("64k", &bytes), 0);
	KUNIT_EXPECT_EQ(test, bytes, 65536ULL);
	KUNIT_EXPECT_EQ(test, param_bytes("64kb", &bytes), -EINVAL);
	KUNIT_EXPECT_EQ(test, param_bytes("", &bytes), -EINVAL);
	KUNIT_EXPECT_EQ(test, bytes, 65536ULL);
	KUNIT_EXPECT_EQ(test, param_uint("7", 0, 7, &number), 0);
	KUNIT_EXPECT_EQ(test, number, 7u);
	KUNIT_EXPECT_EQ(test, param_uint("8", 0, 7, &number), -EINVAL);
	KUNIT_EXPECT_EQ(test, param_uint("4294967299", 0, 7, &number), -EINVAL);
	KUNIT_EXPECT_EQ(test, param_uint("1k", 0, UINT32_MAX, &number), -EINVAL);
	KUNIT_EXPECT_EQ(test, number, 7u);
	KUNIT_EXPECT_EQ(test, param_bool("off", &on), 0);
	KUNIT_EXPECT_FALSE(test, on);
	KUNIT_EXPECT_EQ(test, param_bool("", &on), 0);
	KUNIT_EXPECT_TRUE(test, on);
	KUNIT_EXPECT_EQ(test, param_bool("maybe", &on), -EINVAL);
}
