/* SPDX-License-Identifier: MIT */
#ifndef TESTS_FS_FS_TEST_H
#define TESTS_FS_FS_TEST_H

/*
 * fs_test.h - what the tests of files share: on which file system a case runs, small helpers
 *
 * Each case has a process of its own, so it mounts on "/" what it wants and leaves it there.
 */

#include <kunit/test.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <slabwork/fs/fs.h>

#include "ramdev.h"

#define UNUSED __attribute__((unused))

UNUSED static void mount_tmpfs(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, sw_fs_mount("tmpfs", NULL, "/", 0, NULL), 0);
}

UNUSED static void mount_ramdev(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, ramdev_mount(), 0);
}

/* One text, two cases: on tmpfs, and on a file system with a device. */
#define TEST_ON_BOTH(fn, ...)                       \
	static void fn##__body(struct kunit *test); \
	KUNIT_TEST(fn##_on_tmpfs, __VA_ARGS__)      \
	{                                           \
		mount_tmpfs(test);                  \
		fn##__body(test);                   \
	}                                           \
	KUNIT_TEST(fn##_on_a_device, __VA_ARGS__)   \
	{                                           \
		mount_ramdev(test);                 \
		fn##__body(test);                   \
	}                                           \
	static void fn##__body(struct kunit *test)

/* A file with these bytes. */
UNUSED static void put_file(struct kunit *test, const char *path, const void *bytes, size_t len)
{
	int fd = sw_fs_open(path, O_CREAT | O_TRUNC | O_WRONLY, 0644);

	KUNIT_ASSERT_GE(test, fd, 0);
	KUNIT_ASSERT_EQ(test, sw_fs_write(fd, bytes, len), (ssize_t)len);
	KUNIT_ASSERT_EQ(test, sw_fs_close(fd), 0);
}

/* Byte at a position, so that every page and every offset differ. */
static inline unsigned char pattern(uint64_t pos, unsigned int salt)
{
	uint64_t x = (pos + salt) * 0x9e3779b97f4a7c15ULL;

	return (unsigned char)(x >> 56);
}

UNUSED static void fill_pattern(void *buf, size_t len, uint64_t pos, unsigned int salt)
{
	for (size_t i = 0; i < len; i++)
		((unsigned char *)buf)[i] = pattern(pos + i, salt);
}

UNUSED static bool is_pattern(const void *buf, size_t len, uint64_t pos, unsigned int salt)
{
	for (size_t i = 0; i < len; i++)
		if (((const unsigned char *)buf)[i] != pattern(pos + i, salt))
			return false;
	return true;
}

/* A file of @len bytes of the pattern. */
UNUSED static void put_pattern(struct kunit *test, const char *path, size_t len, unsigned int salt)
{
	char *buf = malloc(len);

	KUNIT_ASSERT_NOT_NULL(test, buf);
	fill_pattern(buf, len, 0, salt);
	put_file(test, path, buf, len);
	free(buf);
}

/* Until the clock that files are stamped with has moved. */
UNUSED static void next_tick(void)
{
	struct timespec start, now;

	clock_gettime(CLOCK_REALTIME_COARSE, &start);
	do
		clock_gettime(CLOCK_REALTIME_COARSE, &now);
	while (now.tv_sec == start.tv_sec && now.tv_nsec == start.tv_nsec);
}

/* xorshift64; the seed is the case's (kunit_seed()), which is printed. */
struct rng {
	uint64_t state;
};

UNUSED static uint64_t rng_next(struct rng *rng)
{
	uint64_t x = rng->state ? rng->state : 1;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return rng->state = x;
}

UNUSED static unsigned int rng_below(struct rng *rng, unsigned int n)
{
	return (unsigned int)((rng_next(rng) >> 32) * n >> 32);
}

#endif /* TESTS_FS_FS_TEST_H */
