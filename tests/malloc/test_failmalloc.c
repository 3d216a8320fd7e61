/* SPDX-License-Identifier: MIT */
/*
 * test_failmalloc.c - SLABWORK=failmalloc=N fails the Nth request, and every entry is counted
 */

#include "edge.h"
#include "../emulator.h"

#include <sys/wait.h>

/* Runs in a program started anew: which of 100 requests failed? */
static int ask(char *answer)
{
	for (int i = 0; i < 100; i++) {
		void *p;

		errno = 0;
		switch (i % 7) {
		case 0:
			p = malloc(opaque(i % 2 ? 100 : 100000));
			break;
		case 1:
			p = calloc(opaque(3), 50);
			break;
		case 2:
			p = realloc(NULL, opaque(5000));
			break;
		case 3:
			p = memalign(opaque(128), 500);
			break;
		case 4:
			p = aligned_alloc(opaque(64), 64);
			break;
		case 5:
			p = malloc(opaque(10 << 20));
			break;
		default:
			p = valloc(opaque(10));
			break;
		}
		if (!p && errno != ENOMEM)
			return 1;
		answer[i] = p ? '.' : 'F';
		free(opaque_ptr(p));
	}
	return 0;
}

__attribute__((constructor(101))) static void started_to_fail(void)
{
	char answer[101] = "";
	int code;

	if (!getenv("EDGE_FAIL"))
		return;
	code = ask(answer);
	if (write(1, answer, 100) != 100)
		code = 2;
	_exit(code);
}

/* Start anew with these options; what it said on 1 and 2, and its exit code. */
static int start(const char *options, char *out, char *err, size_t room)
{
	char all[256];
	int to[2], errors[2], status = 0;
	size_t len = 0;
	ssize_t n;
	pid_t pid;

	if (pipe(to) || pipe(errors))
		return -1;
	pid = fork();
	if (!pid) {
		/* The mode that this run is about stays. */
		snprintf(all, sizeof(all), "%s %s", getenv("SLABWORK") ? getenv("SLABWORK") : "",
			 options);
		setenv("SLABWORK", all, 1);
		setenv("EDGE_FAIL", "1", 1);
		dup2(to[1], 1);
		dup2(errors[1], 2);
		execl("/proc/self/exe", "again", (char *)NULL);
		_exit(99);
	}
	close(to[1]);
	close(errors[1]);
	while ((n = read(to[0], out + len, room - 1 - len)) > 0)
		len += (size_t)n;
	out[len] = '\0';
	n = read(errors[0], err, room - 1);
	err[n > 0 ? n : 0] = '\0';
	close(to[0]);
	close(errors[0]);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Which of the 100 was the first; -1: none did, -2: the loader or libc had needed it, and gave up. */
static int first_failure(unsigned int n, const char *ever, char *out, char *err)
{
	char options[64];
	const char *at;

	snprintf(options, sizeof(options), "failmalloc=%u%s", n, ever);
	if (start(options, out, err, 1024))
		return -2;
	at = strchr(out, 'F');
	return at ? (int)(at - out) : -1;
}

KUNIT_TEST(the_nth_request_fails_and_no_other)
{
	skip_if_emulated(test, "no execution of our own file under an emulator");
	char out[1024], err[1024], line[64];
	unsigned int n =
		1; /* the loader and libc ask before us: so N is looked for, and then moved */
	int at;

	while (n < 60 && first_failure(n, "", out, err) < 0)
		n++;
	KUNIT_ASSERT_LT(test, n, 60); /* else this is not slabwork's malloc */
	for (unsigned int more = 0; more < 14; more++) {
		at = first_failure(n + more, "", out, err);
		KUNIT_EXPECT_EQ(test, at, (int)more);
		KUNIT_EXPECT_NULL(test, strchr(out + at + 1, 'F'));
		snprintf(line, sizeof(line), "slabwork: failmalloc: request %u fails\n", n + more);
		KUNIT_EXPECT_STREQ(test, err, line);
	}
}

KUNIT_TEST(ever_means_every_later_one_too)
{
	skip_if_emulated(test, "no execution of our own file under an emulator");
	char out[1024], err[1024];
	int at = first_failure(50, ",ever", out, err);

	KUNIT_ASSERT_GE(test, at, 0);
	for (int i = at; i < 100; i++)
		KUNIT_EXPECT_EQ_MSG(test, out[i], 'F', "request %d", i);
	KUNIT_EXPECT_STREQ(test, err,
			   "slabwork: failmalloc: request 50 fails, and so does every later one\n");
}

KUNIT_TEST(a_number_that_is_not_reached_fails_nothing)
{
	skip_if_emulated(test, "no execution of our own file under an emulator");
	char out[1024], err[1024];

	KUNIT_EXPECT_EQ(test, first_failure(100000, "", out, err), -1);
	KUNIT_EXPECT_STREQ(test, err, "");
}

KUNIT_TEST(bad_values_are_named_with_their_range)
{
	skip_if_emulated(test, "no execution of our own file under an emulator");
	static const char *const bad[] = { "", "0", "-1", "5x", "5,", "5,never", "ever" };
	char out[1024], err[1024], options[64], line[128];

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		snprintf(options, sizeof(options), "failmalloc=%s", bad[i]);
		snprintf(
			line, sizeof(line),
			"slabwork: SLABWORK: failmalloc: bad value '%s' ignored, want N or N,ever; N from 1\n",
			bad[i]);
		KUNIT_ASSERT_EQ(test, start(options, out, err, 1024), 0);
		KUNIT_EXPECT_STREQ(test, err, line);
		KUNIT_EXPECT_NULL(test, strchr(out, 'F'));
	}
}
