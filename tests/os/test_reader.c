/* SPDX-License-Identifier: MIT */
/* test_reader.c - files longer than the buffer, lists, numbers. Room under test: os. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <kunit/test.h>

#include "os/reader.h"

static char path[64];

static const char *file_with(const char *text)
{
	int fd;

	snprintf(path, sizeof(path), "/tmp/slabwork-reader-XXXXXX");
	fd = mkstemp(path);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		abort();
	close(fd);
	return path;
}

KUNIT_TEST(lines_come_whole_across_the_buffer_s_edge)
{
	char text[2000], line[600];
	struct os_reader r;

	memset(text, 'a', sizeof(text));
	text[500] = text[501] = text[1200] =
		'\n'; /* 500, an empty one, 698 (cut), 798 without newline */
	text[1999] = '\0';
	os_reader_open(&r, file_with(text));
	KUNIT_EXPECT_EQ(test, os_getline(&r, line, sizeof(line)), 500);
	KUNIT_EXPECT_EQ(test, strlen(line), 500UL);
	KUNIT_EXPECT_EQ(test, os_getline(&r, line, sizeof(line)), 0);
	KUNIT_EXPECT_EQ(test, os_getline(&r, line, sizeof(line)), 599);
	KUNIT_EXPECT_EQ(test, os_getline(&r, line, sizeof(line)), 599);
	KUNIT_EXPECT_EQ(test, os_getline(&r, line, sizeof(line)), OS_EOF);
	os_reader_close(&r);
	unlink(path);
}

KUNIT_TEST(a_missing_file_is_an_empty_one)
{
	struct os_reader r;
	uint64_t value = 5;

	errno = 77;
	os_reader_open(&r, "/nonexistent/file");
	KUNIT_EXPECT_EQ(test, os_getc(&r), OS_EOF);
	os_reader_close(&r);
	KUNIT_EXPECT_FALSE(test, os_read_u64("/nonexistent/file", &value));
	KUNIT_EXPECT_EQ(test, value, 5ULL);
	KUNIT_EXPECT_EQ(test, errno, 77);
}

KUNIT_TEST(no_descriptor_stays_open)
{
	int next = open("/dev/null", O_RDONLY);
	uint64_t value;

	close(next);
	os_read_u64("/proc/self/statm", &value);
	KUNIT_EXPECT_EQ(test, open("/dev/null", O_RDONLY), next);
}

KUNIT_TEST(numbers_are_read_and_words_are_not)
{
	uint64_t value = 5;

	KUNIT_EXPECT_FALSE(test, os_read_u64(file_with("max\n"), &value));
	unlink(path);
	KUNIT_EXPECT_EQ(test, value, 5ULL);
	KUNIT_EXPECT_TRUE(test, os_read_u64(file_with("1073741824\n"), &value));
	unlink(path);
	KUNIT_EXPECT_EQ(test, value, 1ULL << 30);
}

static void note(unsigned int first, unsigned int last, void *arg)
{
	char *text = arg;

	snprintf(text + strlen(text), 100 - strlen(text), "[%u %u]", first, last);
}

KUNIT_TEST(lists_are_ranges_and_single_numbers)
{
	char text[100] = "";

	KUNIT_EXPECT_TRUE(test, os_read_list(file_with("0-3,7,12-15\n"), note, text));
	unlink(path);
	KUNIT_EXPECT_STREQ(test, text, "[0 3][7 7][12 15]");
	text[0] = '\0';
	KUNIT_EXPECT_FALSE(test, os_read_list(file_with("\n"), note, text));
	unlink(path);
	KUNIT_EXPECT_STREQ(test, text, "");
}
