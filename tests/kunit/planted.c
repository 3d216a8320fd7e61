/* SPDX-License-Identifier: MIT */
/*
 * planted.c - faults that the harness must catch
 *
 * Not a suite of the project: selftest.c runs it and demands the right verdict
 * for every case. Names starting with bad_ must be "not ok", all others "ok".
 */

#include <kunit/test.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int fixtures;

static int planted_init(struct kunit *test)
{
	test->priv = &fixtures;
	fixtures++;
	return 0;
}

static void planted_exit(struct kunit *test)
{
	(void)test;
	kunit_log_line("exit ran");
}

static void holds(struct kunit *test)
{
	int seven = 7;

	KUNIT_EXPECT_EQ(test, fixtures, 1); /* no other case ran in this process */
	KUNIT_EXPECT_PTR_EQ(test, test->priv, &fixtures);
	KUNIT_EXPECT_EQ(test, sizeof(int), 4);
	KUNIT_EXPECT_NE(test, seven, 8);
	KUNIT_EXPECT_LT(test, seven, 8);
	KUNIT_EXPECT_LE(test, seven, 7);
	KUNIT_EXPECT_GT(test, seven, 6);
	KUNIT_EXPECT_GE_MSG(test, seven, 7, "seven is %d", seven);
	KUNIT_EXPECT_TRUE(test, seven);
	KUNIT_EXPECT_FALSE(test, !seven);
	KUNIT_EXPECT_NULL(test, NULL);
	KUNIT_EXPECT_NOT_NULL(test, &seven);
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, &seven);
	KUNIT_EXPECT_STREQ(test, "a", "a");
	KUNIT_EXPECT_STRNEQ(test, "a", "b");
	KUNIT_EXPECT_MEMEQ(test, "abc", "abd", 2);
	KUNIT_EXPECT_MEMNEQ(test, "abc", "abd", 3);
	KUNIT_ASSERT_EQ(test, seven, 7);
	KUNIT_SUCCEED(test);
}

static void bad_eq(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, 1 + 1, 3);
}

static void bad_assert_ends_the_case(struct kunit *test)
{
	KUNIT_ASSERT_STREQ_MSG(test, "left", "right", "said with the failure");
	kunit_log_line("must not be seen");
}

static void bad_memeq(struct kunit *test)
{
	KUNIT_EXPECT_MEMEQ(test, "abcd", "abxd", 4);
}

static void bad_crash(struct kunit *test)
{
	(void)test;
	raise(SIGSEGV);
}

static void bad_early_exit(struct kunit *test)
{
	(void)test;
	exit(0);
}

static void bad_hang(struct kunit *test)
{
	(void)test;
	if (!fork()) /* a grandchild that holds the pipes must not hold the run */
		for (;;)
			pause();
	for (;;)
		pause();
}

static void orphan_holds_the_pipes(struct kunit *test)
{
	(void)test;
	if (!fork())
		for (;;)
			pause();
}

static void *expect_elsewhere(void *arg)
{
	KUNIT_EXPECT_TRUE((struct kunit *)arg, false);
	return NULL;
}

static void bad_in_another_thread(struct kunit *test)
{
	pthread_t thread;

	KUNIT_ASSERT_EQ(test, pthread_create(&thread, NULL, expect_elsewhere, test), 0);
	pthread_join(thread, NULL);
}

static void aborts(struct kunit *test)
{
	(void)test;
	fputs("planted: it broke at 0x1234\nsecond line\n", stderr);
	abort();
}

static void survives(struct kunit *test)
{
	(void)test;
}

static void skips(struct kunit *test)
{
	kunit_skip(test, "no such machine");
	KUNIT_FAIL(test, "not reached");
}

static void bad_fail(struct kunit *test)
{
	KUNIT_FAIL(test, "reached, number %d", 5);
}

static const int numbers[] = { 2, 4, 6 };

static void describe_number(const int *n, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "number %d", *n);
}

KUNIT_ARRAY_PARAM(numbers, numbers, describe_number)

static void each_is_even(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, *(const int *)test->param_value % 2, 0);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(holds),
	KUNIT_CASE(bad_eq),
	KUNIT_CASE(bad_assert_ends_the_case),
	KUNIT_CASE(bad_memeq),
	KUNIT_CASE(bad_crash),
	KUNIT_CASE(bad_early_exit),
	KUNIT_CASE_TIMEOUT(bad_hang, 1),
	KUNIT_CASE(orphan_holds_the_pipes),
	KUNIT_CASE(bad_in_another_thread),
	KUNIT_CASE_ABORTS(aborts, "planted: it broke"),
	KUNIT_CASE(skips),
	KUNIT_CASE(bad_fail),
	KUNIT_CASE_PARAM(each_is_even, numbers_gen_params),
	{},
};

static struct kunit_suite suite = {
	.name = "table",
	.init = planted_init,
	.exit = planted_exit,
	.test_cases = cases,
};
kunit_test_suite(suite);

static struct kunit_case dying[] = {
	KUNIT_CASE_SIGNAL(aborts, SIGABRT, "planted: it broke at 0x1234"),
	{ .run_case = aborts, .name = "bad_first_line", .signal = SIGABRT, .first_line = "planted" },
	{ .run_case = aborts, .name = "bad_signal", .signal = SIGSEGV },
	{ .run_case = aborts, .name = "bad_start", .signal = SIGABRT, .first_line_starts = "it" },
	{ .run_case = survives, .name = "bad_survivor", .signal = SIGABRT },
	{},
};

static struct kunit_suite dying_suite = { .name = "dying", .test_cases = dying };
kunit_test_suite(dying_suite);

KUNIT_TEST(registers_itself)
{
	KUNIT_EXPECT_NE(test, kunit_seed(test), 0);
}

KUNIT_TEST(bad_registers_itself, .timeout_s = 5)
{
	KUNIT_EXPECT_GT(test, 1, 2);
}
