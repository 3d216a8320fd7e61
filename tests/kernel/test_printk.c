/* SPDX-License-Identifier: MIT */
/* test_printk.c - messages, levels, WARN, bug(). Room under test: kernel. */

#include <errno.h>
#include <stdlib.h>
#include <kunit/test.h>

#include "capture.h"
#include "kernel/param.h"

static void with_options(const char *line)
{
	setenv("SLABWORK", line, 1);
	params_parse();
	capture();
}

KUNIT_TEST(info_is_hidden_unless_asked_for)
{
	capture();
	pr_info("info\n");
	pr_notice("notice\n");
	pr_warn("warn %d\n", 1);
	pr_err("err");
	KUNIT_EXPECT_STREQ(test, captured, "notice\nwarn 1\nerr\n");
	with_options("loglevel=6");
	pr_info("info\n");
	KUNIT_EXPECT_STREQ(test, captured, "info\n");
}

KUNIT_TEST(quiet_drops_what_is_below_warnings)
{
	with_options("quiet");
	pr_notice("notice\n");
	pr_warn("warn\n");
	KUNIT_EXPECT_STREQ(test, captured, "warn\n");
	with_options("loglevel=3");
	pr_warn("warn\n");
	KUNIT_EXPECT_FALSE(test, !WARN(1, "warned\n"));
	pr_err("err\n");
	KUNIT_EXPECT_STREQ(test, captured, "err\n");
	with_options("loglevel=8");
	KUNIT_EXPECT_STREQ(test, captured, "");
}

KUNIT_TEST(long_text_is_cut_and_still_ends_its_line)
{
	char text[2000];

	memset(text, 'a', sizeof(text));
	text[1999] = '\0';
	capture();
	errno = 77;
	pr_warn("%s\n", text);
	KUNIT_EXPECT_EQ(test, errno, 77);
	KUNIT_EXPECT_GT(test, strlen(captured), 400UL);
	KUNIT_EXPECT_LT(test, strlen(captured), 600UL);
	KUNIT_EXPECT_PTR_EQ(test, strchr(captured, '\n'), captured + strlen(captured) - 1);
}

KUNIT_TEST(once_is_once_a_place)
{
	capture();
	for (int i = 0; i < 3; i++) {
		pr_warn_once("first\n");
		pr_warn_once("second\n");
	}
	KUNIT_EXPECT_STREQ(test, captured, "first\nsecond\n");
	captured[0] = '\0';
	for (int i = 0; i < 3; i++)
		KUNIT_EXPECT_TRUE(test, WARN_ONCE(1, "third\n"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(captured, "third\n"));
	KUNIT_EXPECT_NULL(test, strstr(strstr(captured, "third\n") + 1, "third\n"));
}

KUNIT_TEST(warn_is_cut_text_place_stack_and_goes_on)
{
	capture();
	KUNIT_EXPECT_TRUE(test, WARN(1, "kmem_cache_destroy(%s) called\n", "foo"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(captured, "------------[ cut here ]------------\n"
						     "kmem_cache_destroy(foo) called\n"
						     "WARNING: PID: "));
	KUNIT_EXPECT_NOT_NULL(test, strstr(captured, "test_printk.c:"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(captured, "Call Trace:\n [<0000"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(captured, "---[ end trace ]---\n"));
	captured[0] = '\0';
	KUNIT_EXPECT_FALSE(test, WARN_ON(captured[0]));
	KUNIT_EXPECT_STREQ(test, captured, "");
}

KUNIT_TEST(bug_says_who_and_what_first, .signal = SIGABRT,
	   .first_line = "slabwork: double free of 42")
{
	bug("double free of %d", 42);
}

KUNIT_TEST(bug_does_not_say_who_twice, .signal = SIGABRT, .first_line = "slabwork: bad")
{
	bug("slabwork: bad\n");
}

KUNIT_TEST(bug_on_names_the_condition_and_the_place, .signal = SIGABRT,
	   .first_line_starts = "slabwork: BUG: 1 + 1 == 2 at ")
{
	BUG_ON(1 + 1 == 3);
	BUG_ON(1 + 1 == 2);
}
