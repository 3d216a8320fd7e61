/* SPDX-License-Identifier: MIT */
/*
 * selftest.c - a test that must fail does fail
 *
 * Runs planted.c ($PLANTED) and reads its output: every case whose name starts
 * with bad_ must be "not ok", every other one "ok", and the sums must be right.
 */

#include <kunit/test.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#define PLANTED_CASES   20
#define PLANTED_BAD     13
#define PLANTED_SKIPPED 1

static char output[1 << 16];

/* Runs planted with @args into output[]; returns its exit code. */
static int run_planted(struct kunit *test, const char *args)
{
	const char *planted = getenv("PLANTED");
	const char *emulator = getenv("EMULATOR");
	char command[4096];
	size_t len;
	FILE *pipe;

	KUNIT_ASSERT_NOT_NULL_MSG(test, planted, "PLANTED must name the planted program");
	snprintf(command, sizeof(command), "KUNIT_MESON= %s '%s' %s 2>&1", emulator ? emulator : "",
		 planted, args);
	pipe = popen(command, "r");
	KUNIT_ASSERT_NOT_NULL(test, pipe);
	len = fread(output, 1, sizeof(output) - 1, pipe);
	output[len] = '\0';
	return WEXITSTATUS(pclose(pipe));
}

KUNIT_TEST(every_planted_fault_is_caught, .timeout_s = 120)
{
	unsigned int ok = 0, not_ok = 0;

	KUNIT_EXPECT_EQ(test, run_planted(test, "--seed 1"), 1);
	for (char *line = strtok(output, "\n"); line; line = strtok(NULL, "\n")) {
		bool bad = strstr(line, ".bad_") != NULL;

		if (!strncmp(line, "not ok ", 7)) {
			not_ok++;
			KUNIT_EXPECT_TRUE_MSG(test, bad, "failed, but should pass: %s", line);
		} else if (!strncmp(line, "ok ", 3)) {
			ok++;
			KUNIT_EXPECT_FALSE_MSG(test, bad, "passed, but should fail: %s", line);
		}
	}
	KUNIT_EXPECT_EQ(test, not_ok, PLANTED_BAD);
	KUNIT_EXPECT_EQ(test, ok, PLANTED_CASES - PLANTED_BAD);
}

KUNIT_TEST(output_has_plan_seed_skips_and_sums, .timeout_s = 120)
{
	char sums[64];

	run_planted(test, "--seed 77");
	snprintf(sums, sizeof(sums), "\n# skipped %d\n%d passed, %d failed\n", PLANTED_SKIPPED,
		 PLANTED_CASES - PLANTED_BAD - PLANTED_SKIPPED, PLANTED_BAD);
	KUNIT_EXPECT_EQ(test, strncmp(output, "TAP version 13\n1..20\n# seed 77 ", 31), 0);
	KUNIT_EXPECT_NOT_NULL(test, strstr(output, sums));
	KUNIT_EXPECT_NOT_NULL(test, strstr(output, "- table.skips # SKIP no such machine\n"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(output, "# planted: it broke at 0x1234\n"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(output, "# killed: it ran past its time\n"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(output, "# parameter number 6\n"));
}

KUNIT_TEST(a_failed_assert_ends_the_case_and_runs_its_exit)
{
	KUNIT_EXPECT_EQ(test, run_planted(test, "bad_assert"), 1);
	KUNIT_EXPECT_NULL(test, strstr(output, "must not be seen"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(output, "\n# said with the failure\n# exit ran\n"));
}

KUNIT_TEST(a_failed_expectation_shows_both_sides)
{
	KUNIT_EXPECT_EQ(test, run_planted(test, "bad_eq"), 1);
	KUNIT_EXPECT_NOT_NULL(test, strstr(output, ": does not hold: 1 + 1 == 3\n"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(output, "left  1 + 1 = 2 (0x2)\n"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(output, "right 3 = 3 (0x3)\n"));
}

KUNIT_TEST(filter_takes_parts_of_names)
{
	KUNIT_EXPECT_EQ(test, run_planted(test, "table.holds registers_itself --list"), 0);
	KUNIT_EXPECT_STREQ(test, output,
			   "table.holds\nplanted.registers_itself\nplanted.bad_registers_itself\n");
	KUNIT_EXPECT_EQ(test, run_planted(test, "no-such-case"), 0);
	KUNIT_EXPECT_NOT_NULL(test, strstr(output, "\n0 passed, 0 failed\n"));
}

KUNIT_TEST(no_fork_runs_in_place)
{
	KUNIT_EXPECT_EQ(test, run_planted(test, "--no-fork table.holds dying.aborts bad_eq"), 1);
	KUNIT_EXPECT_NOT_NULL(test, strstr(output, "\n1 passed, 1 failed\n"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(output, "# SKIP dies of a signal"));
}

KUNIT_TEST(unknown_option_is_a_usage_error)
{
	KUNIT_EXPECT_EQ(test, run_planted(test, "--frobnicate"), 2);
	KUNIT_EXPECT_EQ(test, strncmp(output, "usage: ", 7), 0);
}
