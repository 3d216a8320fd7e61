/* SPDX-License-Identifier: MIT */
/* test_stream.c - FILE * on our files. Room under test: vfs (stream.c). */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <kunit/test.h>

#include <slabwork/fs/fs.h>

static int stream_test_init(struct kunit *test)
{
	(void)test;
	return sw_fs_mount("tmpfs", NULL, "/", 0, "size=1m");
}

static void what_is_printed_is_read_back(struct kunit *test)
{
	FILE *f = sw_fs_fopen("/f", "w+");
	char line[64], raw[64];
	int fd;

	KUNIT_ASSERT_NOT_NULL(test, f);
	for (int i = 0; i < 5000; i++)
		fprintf(f, "line %d\n", i);
	KUNIT_EXPECT_EQ(test, fseek(f, 0, SEEK_SET), 0);
	for (int i = 0; i < 5000; i++) {
		char want[64];

		snprintf(want, sizeof(want), "line %d\n", i);
		KUNIT_ASSERT_NOT_NULL(test, fgets(line, sizeof(line), f));
		KUNIT_ASSERT_STREQ(test, line, want);
	}
	KUNIT_EXPECT_NULL(test, fgets(line, sizeof(line), f));
	KUNIT_EXPECT_TRUE(test, feof(f) != 0);
	KUNIT_EXPECT_EQ(test, fclose(f), 0);
	fd = sw_fs_open("/f", O_RDONLY, 0);
	KUNIT_EXPECT_EQ(test, sw_fs_read(fd, raw, 7), 7);
	KUNIT_EXPECT_EQ(test, memcmp(raw, "line 0\n", 7), 0);
}

static void nothing_reaches_the_file_before_the_buffer_is_full_or_flushed(struct kunit *test)
{
	FILE *f = sw_fs_fopen("/f", "w");
	struct stat st;

	fputs("short", f);
	KUNIT_EXPECT_EQ(test, sw_fs_stat("/f", &st), 0);
	KUNIT_EXPECT_EQ(test, st.st_size, 0);
	fflush(f);
	KUNIT_EXPECT_EQ(test, sw_fs_stat("/f", &st), 0);
	KUNIT_EXPECT_EQ(test, st.st_size, 5);
	fclose(f);
}

static void modes_are_fopens(struct kunit *test)
{
	FILE *f;
	char buf[16] = "";

	errno = 0;
	KUNIT_EXPECT_NULL(test, sw_fs_fopen("/none", "r"));
	KUNIT_EXPECT_EQ(test, errno, ENOENT);
	KUNIT_EXPECT_NULL(test, sw_fs_fopen("/none", "q"));
	KUNIT_EXPECT_EQ(test, errno, EINVAL);
	f = sw_fs_fopen("/f", "wx");
	KUNIT_ASSERT_NOT_NULL(test, f);
	fputs("one", f);
	fclose(f);
	KUNIT_EXPECT_NULL(test, sw_fs_fopen("/f", "wx"));
	KUNIT_EXPECT_EQ(test, errno, EEXIST);
	f = sw_fs_fopen("/f", "ae");
	fputs("two", f);
	fclose(f);
	f = sw_fs_fopen("/f", "rb");
	KUNIT_EXPECT_EQ(test, fread(buf, 1, 16, f), 6);
	KUNIT_EXPECT_STREQ(test, buf, "onetwo");
	errno = 0;
	KUNIT_EXPECT_EQ(test, fputc('x', f), EOF);
	fclose(f);
	f = sw_fs_fopen("/f", "r+");
	fputs("ONE", f);
	fclose(f);
	f = sw_fs_fopen("/f", "w");
	KUNIT_EXPECT_EQ(test, fclose(f), 0);
	f = sw_fs_fopen("/f", "r");
	KUNIT_EXPECT_EQ(test, fgetc(f), EOF);
	fclose(f);
}

static void an_fd_becomes_a_stream_if_the_modes_fit(struct kunit *test)
{
	int fd = sw_fs_open("/f", O_CREAT | O_RDONLY, 0644), rw;
	FILE *f;

	errno = 0;
	KUNIT_EXPECT_NULL(test, sw_fs_fdopen(fd, "w"));
	KUNIT_EXPECT_EQ(test, errno, EINVAL);
	KUNIT_EXPECT_NULL(test, sw_fs_fdopen(99, "r"));
	KUNIT_EXPECT_EQ(test, errno, EBADF);
	rw = sw_fs_open("/f", O_RDWR, 0);
	f = sw_fs_fdopen(rw, "a");
	KUNIT_ASSERT_NOT_NULL(test, f);
	KUNIT_EXPECT_TRUE(test, sw_fs_fcntl(rw, F_GETFL, 0) & O_APPEND);
	KUNIT_EXPECT_EQ(test, fclose(f), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_fcntl(rw, F_GETFL, 0), -EBADF);
	KUNIT_EXPECT_EQ(test, sw_fs_close(fd), 0);
}

static void a_full_file_system_is_said_through_errno(struct kunit *test)
{
	FILE *f = sw_fs_fopen("/f", "w");
	static char block[2 << 20];

	errno = 0;
	KUNIT_EXPECT_LT(test, fwrite(block, 1, sizeof(block), f), sizeof(block));
	KUNIT_EXPECT_EQ(test, errno, ENOSPC);
	KUNIT_EXPECT_TRUE(test, ferror(f) != 0);
	fclose(f);
}

static struct kunit_case stream_cases[] = {
	KUNIT_CASE(what_is_printed_is_read_back),
	KUNIT_CASE(nothing_reaches_the_file_before_the_buffer_is_full_or_flushed),
	KUNIT_CASE(modes_are_fopens),
	KUNIT_CASE(an_fd_becomes_a_stream_if_the_modes_fit),
	KUNIT_CASE(a_full_file_system_is_said_through_errno),
	{}
};

static struct kunit_suite stream_suite = {
	.name = "stream",
	.init = stream_test_init,
	.test_cases = stream_cases,
};
kunit_test_suite(stream_suite);
