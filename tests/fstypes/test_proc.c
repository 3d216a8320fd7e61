/* SPDX-License-Identifier: MIT */
/* test_proc.c - this process's memory as files. Room under test: fstypes/proc. */

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include <kunit/test.h>

#include <slabwork/fs/fs.h>
#include <slabwork/show.h>
#include <slabwork/slab.h>

static char text[1 << 20], other[1 << 20];

static int proc_test_init(struct kunit *test)
{
	(void)test;
	return sw_fs_mount("proc", NULL, "/", 0, NULL);
}

/* All of a file, read @step bytes at a time. */
static ssize_t slurp(const char *path, char *buf, size_t step)
{
	int fd = sw_fs_open(path, O_RDONLY, 0);
	ssize_t n, done = 0;

	if (fd < 0)
		return fd;
	while ((n = sw_fs_read(fd, buf + done, step)) > 0)
		done += n;
	sw_fs_close(fd);
	buf[done] = '\0';
	return n < 0 ? n : done;
}

/* How many entries; *has: is @name one, of @type? */
static int list(const char *path, const char *name, int type, bool *has)
{
	int fd = sw_fs_open(path, O_RDONLY | O_DIRECTORY, 0), count = 0;
	static char buf[600] __attribute__((aligned(8)));
	ssize_t n;

	if (fd < 0)
		return fd;
	*has = false;
	while ((n = sw_fs_getdents(fd, buf, sizeof(buf))) > 0) {
		for (ssize_t at = 0; at < n;) {
			struct sw_fs_dirent *d = (void *)(buf + at);

			if (!strcmp(d->d_name, name) && d->d_type == type)
				*has = true;
			count++;
			at += d->d_reclen;
		}
	}
	sw_fs_close(fd);
	return n < 0 ? (int)n : count;
}

static void each_file_is_what_sw_show_prints(struct kunit *test)
{
	static const char *const files[] = { "slabinfo", "buddyinfo",   "zoneinfo", "pagetypeinfo",
					     "meminfo",  "vmallocinfo", "vmstat" };

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char path[40];
		ssize_t n, m;
		char *first_line, *first_other;

		snprintf(path, sizeof(path), "/%s", files[i]);
		n = slurp(path, text, 100000);
		m = sw_show_buf(other, sizeof(other), files[i], NULL);
		KUNIT_EXPECT_GE(test, n, 0);
		/* Numbers move; the shape does not. */
		first_line = strtok(text, "\n");
		first_other = m > 0 ? strtok(other, "\n") : NULL;
		if (!first_line || !first_other)
			KUNIT_EXPECT_TRUE(test, n == 0 && m == 0);
		else
			KUNIT_EXPECT_EQ(test, strncmp(first_line, first_other, 8), 0);
	}
}

static void what_is_read_is_of_this_process_and_of_now(struct kunit *test)
{
	struct kmem_cache *cache =
		kmem_cache_create("proc_test", 200, 0, SLAB_NO_MERGE, (void (*)(void *))NULL);
	void *objects[57];
	char value[64];

	KUNIT_ASSERT_NOT_NULL(test, cache);
	for (int i = 0; i < 57; i++)
		objects[i] = kmem_cache_alloc(cache, GFP_KERNEL);
	KUNIT_EXPECT_GT(test, slurp("/slabinfo", text, 4096), 0);
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "\nproc_test "));
	KUNIT_EXPECT_GT(test, slurp("/slab/proc_test/object_size", value, 10), 0);
	KUNIT_EXPECT_EQ(test, atoi(value), 200);
	KUNIT_EXPECT_GT(test, slurp("/slab/proc_test/live_objects", value, 10), 0);
	KUNIT_EXPECT_EQ(test, atoi(value), 57);
	for (int i = 0; i < 57; i++)
		kmem_cache_free(cache, objects[i]);
	KUNIT_EXPECT_GT(test, slurp("/slab/proc_test/live_objects", value, 10), 0);
	KUNIT_EXPECT_EQ(test, atoi(value), 0);
	kmem_cache_destroy(cache);
}

static void a_cache_that_is_gone_is_no_directory_any_more(struct kunit *test)
{
	struct kmem_cache *cache;
	struct stat st;
	bool has = false;

	KUNIT_EXPECT_EQ(test, sw_fs_stat("/slab/proc_late", &st), -ENOENT);
	cache = kmem_cache_create("proc_late", 200, 0, SLAB_NO_MERGE, (void (*)(void *))NULL);
	KUNIT_ASSERT_EQ(test, sw_fs_stat("/slab/proc_late", &st), 0);
	KUNIT_EXPECT_TRUE(test, S_ISDIR(st.st_mode));
	KUNIT_EXPECT_GT(test, list("/slab", "proc_late", DT_DIR, &has), 10);
	KUNIT_EXPECT_TRUE(test, has);
	KUNIT_EXPECT_GT(test, list("/slab/proc_late", "object_size", DT_REG, &has), 10);
	KUNIT_EXPECT_TRUE(test, has);
	kmem_cache_destroy(cache);
	KUNIT_EXPECT_EQ(test, sw_fs_stat("/slab/proc_late", &st), -ENOENT);
	KUNIT_EXPECT_EQ(test, sw_fs_stat("/slab/proc_late/object_size", &st), -ENOENT);
	KUNIT_EXPECT_GT(test, list("/slab", "proc_late", DT_DIR, &has), 10);
	KUNIT_EXPECT_FALSE(test, has);
}

static void the_root_lists_what_can_be_opened(struct kunit *test)
{
	static const char *const names[] = { "slabinfo", "buddyinfo",   "zoneinfo", "pagetypeinfo",
					     "meminfo",  "vmallocinfo", "vmstat" };
	bool has = false;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		KUNIT_EXPECT_EQ(test, list("/", names[i], DT_REG, &has), 2 + 7 + 1);
		KUNIT_EXPECT_TRUE(test, has);
	}
	KUNIT_EXPECT_EQ(test, list("/", "slab", DT_DIR, &has), 10);
	KUNIT_EXPECT_TRUE(test, has);
}

static void an_open_file_keeps_its_moment(struct kunit *test)
{
	int fd = sw_fs_open("/slabinfo", O_RDONLY, 0);
	struct kmem_cache *cache;
	ssize_t n;

	KUNIT_ASSERT_GE(test, fd, 0);
	cache = kmem_cache_create("proc_after", 200, 0, SLAB_NO_MERGE, (void (*)(void *))NULL);
	n = sw_fs_pread(fd, text, sizeof(text) - 1, 0);
	KUNIT_ASSERT_GT(test, n, 100);
	text[n] = '\0';
	KUNIT_EXPECT_NULL(test, strstr(text, "proc_after"));
	KUNIT_EXPECT_EQ(test, sw_fs_pread(fd, other, 50, 50), 50);
	KUNIT_EXPECT_EQ(test, memcmp(other, text + 50, 50), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_lseek(fd, 0, SEEK_END), n);
	KUNIT_EXPECT_EQ(test, sw_fs_read(fd, other, 1), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_lseek(fd, -1, SEEK_SET), -EINVAL);
	sw_fs_close(fd);
	kmem_cache_destroy(cache);
}

static void nothing_can_be_written_made_or_removed(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, sw_fs_open("/meminfo", O_RDWR, 0), -EROFS);
	KUNIT_EXPECT_EQ(test, sw_fs_open("/new", O_CREAT | O_WRONLY, 0644), -EROFS);
	KUNIT_EXPECT_EQ(test, sw_fs_unlink("/meminfo"), -EROFS);
	KUNIT_EXPECT_EQ(test, sw_fs_mkdir("/slab/x", 0755), -EROFS);
	KUNIT_EXPECT_EQ(test, sw_fs_chmod("/meminfo", 0777), -EROFS);
	KUNIT_EXPECT_EQ(test, sw_fs_truncate("/meminfo", 0), -EROFS);
	KUNIT_EXPECT_EQ(test, sw_fs_open("/meminfo/x", O_RDONLY, 0), -ENOTDIR);
	KUNIT_EXPECT_EQ(test, sw_fs_open("/slab/kmalloc-64/no", O_RDONLY, 0), -ENOENT);
	KUNIT_EXPECT_EQ(test, sw_fs_mount("proc", NULL, "/slab", 0, "size=1"), -EINVAL);
}

static struct kunit_case proc_cases[] = { KUNIT_CASE(each_file_is_what_sw_show_prints),
					  KUNIT_CASE(what_is_read_is_of_this_process_and_of_now),
					  KUNIT_CASE(a_cache_that_is_gone_is_no_directory_any_more),
					  KUNIT_CASE(the_root_lists_what_can_be_opened),
					  KUNIT_CASE(an_open_file_keeps_its_moment),
					  KUNIT_CASE(nothing_can_be_written_made_or_removed),
					  {} };

static struct kunit_suite proc_suite = {
	.name = "proc",
	.init = proc_test_init,
	.test_cases = proc_cases,
};
kunit_test_suite(proc_suite);
