/* SPDX-License-Identifier: MIT */
/*
 * test_tmpfs.c - limits, options, directories. Room under test: fstypes/tmpfs.
 *
 * What a caller sees of names and bytes is compared with the host's tmpfs in tests/fs/test_model.c; here is
 * what that cannot see: what is counted, and that all of it goes back.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/falloc.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/xattr.h>

#include <kunit/test.h>

#include <slabwork/fs/fs.h>
#include <slabwork/fs/vfs.h>

#include "lib/prng.h"

#define PAGES(n) ((size_t)(n)*PAGE_SIZE)

static void mount_root(struct kunit *test, const char *options)
{
	KUNIT_ASSERT_EQ(test, sw_fs_mount("tmpfs", NULL, "/", 0, options), 0);
}

static long free_blocks(void)
{
	struct statfs s = { 0 };

	sw_fs_statfs("/", &s);
	return (long)s.f_bfree;
}

static long free_inodes(void)
{
	struct statfs s = { 0 };

	sw_fs_statfs("/", &s);
	return (long)s.f_ffree;
}

static int make(const char *path)
{
	int fd = sw_fs_open(path, O_CREAT | O_RDWR, 0644);

	return fd < 0 ? fd : sw_fs_close(fd);
}

KUNIT_TEST(options_are_read_as_linux_reads_them)
{
	static const char *const bad[] = { "size=",        "size=x",    "size=1z",       "mode=8",
					   "mode=0x1",     "uid=-1",    "gid=a",         "nonsense",
					   "nr_inodes=1q", "size=101%", "uid=4294967295" };
	struct statfs s;
	struct stat st;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		KUNIT_EXPECT_EQ_MSG(test, sw_fs_mount("tmpfs", NULL, "/", 0, bad[i]), -EINVAL, "%s",
				    bad[i]);
	mount_root(test, "size=64k,nr_inodes=1k,mode=0751,uid=12,gid=34");
	KUNIT_EXPECT_EQ(test, sw_fs_statfs("/", &s), 0);
	KUNIT_EXPECT_EQ(test, s.f_type, 0x01021994);
	KUNIT_EXPECT_EQ(test, s.f_blocks, 16);
	KUNIT_EXPECT_EQ(test, s.f_bsize, 4096);
	KUNIT_EXPECT_EQ(test, s.f_files, 1024);
	KUNIT_EXPECT_EQ(test, s.f_ffree, 1023);
	KUNIT_EXPECT_EQ(test, s.f_namelen, 255);
	KUNIT_EXPECT_EQ(test, sw_fs_stat("/", &st), 0);
	KUNIT_EXPECT_EQ(test, st.st_mode, S_IFDIR | 0751);
	KUNIT_EXPECT_EQ(test, st.st_uid, 12);
	KUNIT_EXPECT_EQ(test, st.st_gid, 34);
	KUNIT_EXPECT_EQ(test, sw_fs_mkdir("/a", 0755), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_mount("tmpfs", NULL, "/a", 0, "size=10%,,nr_blocks=7"), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_statfs("/a", &s), 0);
	KUNIT_EXPECT_EQ(test, s.f_blocks, 7);
}

KUNIT_TEST(the_last_block_is_given_and_no_more)
{
	static char buf[PAGES(32)];
	int fd, other;

	mount_root(test, "size=64k");
	fd = sw_fs_open("/f", O_CREAT | O_RDWR, 0644);
	/* A short write, then the error; what was written counts. */
	KUNIT_EXPECT_EQ(test, sw_fs_write(fd, buf, sizeof(buf)), PAGES(16));
	KUNIT_EXPECT_EQ(test, free_blocks(), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_write(fd, buf, 1), -ENOSPC);
	other = sw_fs_open("/g", O_CREAT | O_RDWR, 0644);
	KUNIT_EXPECT_GE(test, other, 0);
	KUNIT_EXPECT_EQ(test, sw_fs_write(other, buf, 1), -ENOSPC);
	KUNIT_EXPECT_EQ(test, sw_fs_fallocate(other, 0, 0, 4096), -ENOSPC);
	/* Page by page: a large folio goes as a whole. */
	KUNIT_EXPECT_EQ(test, sw_fs_ftruncate(fd, 0), 0);
	KUNIT_EXPECT_EQ(test, free_blocks(), 16);
	for (int i = 0; i < 16; i++)
		KUNIT_EXPECT_EQ(test, sw_fs_pwrite(fd, buf, PAGE_SIZE, (int64_t)PAGES(i)),
				PAGE_SIZE);
	/* Over what is there: needs nothing. */
	KUNIT_EXPECT_EQ(test, sw_fs_pwrite(fd, buf, PAGES(16), 0), PAGES(16));
	KUNIT_EXPECT_EQ(test, sw_fs_ftruncate(fd, (int64_t)PAGES(15)), 0);
	KUNIT_EXPECT_EQ(test, free_blocks(), 1);
	KUNIT_EXPECT_EQ(test, sw_fs_write(other, buf, 1), 1);
	KUNIT_EXPECT_EQ(test, sw_fs_close(other), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_unlink("/g"), 0);
	/* Open, without a name: still counted. */
	KUNIT_EXPECT_EQ(test, sw_fs_unlink("/f"), 0);
	KUNIT_EXPECT_EQ(test, free_blocks(), 1);
	KUNIT_EXPECT_EQ(test, sw_fs_close(fd), 0);
	KUNIT_EXPECT_EQ(test, free_blocks(), 16);
}

/* A file that was written in one piece lies in huge folios. */
KUNIT_TEST(a_byte_in_a_hole_takes_a_block_wherever_the_hole_is)
{
	const int64_t far = (int64_t)1 << 40, huge = 2 << 20;
	long before;
	int fd;

	mount_root(test, "size=64m");
	fd = sw_fs_open("/sparse", O_CREAT | O_RDWR, 0644);
	KUNIT_ASSERT_GE(test, fd, 0);
	KUNIT_ASSERT_EQ(test, sw_fs_pwrite(fd, "!", 1, far), 1);
	before = free_blocks();
	for (int i = 0; i < 20; i++)
		KUNIT_ASSERT_EQ(test, sw_fs_pwrite(fd, "!", 1, i * huge), 1);
	KUNIT_EXPECT_EQ(test, before - free_blocks(), 20);
	KUNIT_EXPECT_EQ(test, sw_fs_lseek(fd, 4096, SEEK_DATA), huge);
}

KUNIT_TEST(a_hole_anywhere_gives_back_its_blocks)
{
	const int64_t huge = 2 << 20;
	char *bytes = calloc(1, (size_t)(2 * huge));
	struct stat st;
	int fd;

	KUNIT_ASSERT_EQ(test, sw_fs_mount("tmpfs", NULL, "/", 0, NULL), 0);
	fd = sw_fs_open("/f", O_CREAT | O_RDWR, 0644);
	memset(bytes, 'x', (size_t)(2 * huge));
	KUNIT_ASSERT_EQ(test, sw_fs_write(fd, bytes, (size_t)(2 * huge)), 2 * huge);
	KUNIT_ASSERT_EQ(test,
			sw_fs_fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 5000, huge),
			0);
	KUNIT_ASSERT_EQ(test, sw_fs_fstat(fd, &st), 0);
	/* From 8192 to 2 MiB + 4096. */
	KUNIT_EXPECT_EQ(test, st.st_blocks, (2 * huge - (huge - 4096)) / 512);
	KUNIT_EXPECT_EQ(test, sw_fs_lseek(fd, 0, SEEK_HOLE), 8192);
	KUNIT_EXPECT_EQ(test, sw_fs_lseek(fd, 8192, SEEK_DATA), huge + 4096);
	KUNIT_ASSERT_EQ(test, sw_fs_ftruncate(fd, 100), 0);
	KUNIT_ASSERT_EQ(test, sw_fs_fstat(fd, &st), 0);
	KUNIT_EXPECT_EQ(test, st.st_blocks, 8);
	KUNIT_EXPECT_EQ(test, sw_fs_close(fd), 0);
	free(bytes);
}

KUNIT_TEST(the_last_page_of_the_largest_file_is_given_and_taken_back)
{
	const int64_t at = INT64_MAX - 100;
	struct stat st;
	int fd;

	KUNIT_ASSERT_EQ(test, sw_fs_mount("tmpfs", NULL, "/", 0, NULL), 0);
	fd = sw_fs_open("/f", O_CREAT | O_RDWR, 0644);
	KUNIT_ASSERT_EQ(test, sw_fs_fallocate(fd, 0, at, 100), 0);
	KUNIT_ASSERT_EQ(test, sw_fs_fstat(fd, &st), 0);
	KUNIT_EXPECT_EQ(test, st.st_size, INT64_MAX);
	KUNIT_EXPECT_EQ(test, st.st_blocks, 8);
	KUNIT_EXPECT_EQ(test,
			sw_fs_fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at - 5000,
					5100),
			0);
	KUNIT_ASSERT_EQ(test, sw_fs_fstat(fd, &st), 0);
	KUNIT_EXPECT_EQ(test, st.st_blocks, 0);
	KUNIT_EXPECT_EQ(test, sw_fs_close(fd), 0);
}

KUNIT_TEST(the_last_inode_is_given_and_no_more)
{
	char path[16];
	int n = 0, err;

	mount_root(test, "nr_inodes=10");
	do {
		snprintf(path, sizeof(path), "/%d", n++);
		err = make(path);
	} while (!err && n < 100);
	KUNIT_EXPECT_EQ(test, err, -ENOSPC);
	KUNIT_EXPECT_EQ(test, n, 10);
	KUNIT_EXPECT_EQ(test, free_inodes(), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_mkdir("/d", 0755), -ENOSPC);
	KUNIT_EXPECT_EQ(test, sw_fs_symlink("x", "/s"), -ENOSPC);
	KUNIT_EXPECT_EQ(test, sw_fs_link("/1", "/l"), -ENOSPC);
	KUNIT_EXPECT_EQ(test, sw_fs_unlink("/2"), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_link("/1", "/l"), 0);
	KUNIT_EXPECT_EQ(test, free_inodes(), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_unlink("/1"), 0);
	KUNIT_EXPECT_EQ(test, free_inodes(), 1);
	/* A rename over a name frees what it was. */
	KUNIT_EXPECT_EQ(test, sw_fs_rename("/3", "/4"), 0);
	KUNIT_EXPECT_EQ(test, free_inodes(), 2);
}

#define RANDOM_STEPS 20000
#define RANDOM_FILES 12

KUNIT_TEST(blocks_are_counted_right_through_random_work, .timeout_s = 300)
{
	static char buf[PAGES(40)];
	char path[8];
	struct prng rng;
	long total;

	mount_root(test, "size=2m,nr_inodes=200");
	total = free_blocks();
	prng_seed(&rng, kunit_seed(test));
	for (int step = 0; step < RANDOM_STEPS; step++) {
		int64_t pos = prng_below(&rng, (uint32_t)PAGES(100));
		size_t len = 1 + prng_below(&rng, (uint32_t)PAGES(20));
		int fd;

		snprintf(path, sizeof(path), "/%u", prng_below(&rng, RANDOM_FILES));
		fd = sw_fs_open(path, O_CREAT | O_RDWR, 0644);
		KUNIT_ASSERT_GE(test, fd, 0);
		switch (prng_below(&rng, 6)) {
		case 0:
		case 1:
			sw_fs_pwrite(fd, buf, len, pos);
			break;
		case 2:
			sw_fs_ftruncate(fd, pos);
			break;
		case 3:
			sw_fs_fallocate(fd, 3, pos, (int64_t)len);
			break;
		case 4:
			sw_fs_fallocate(fd, (int)prng_below(&rng, 2), pos, (int64_t)len);
			break;
		default:
			sw_fs_unlink(path);
		}
		sw_fs_close(fd);
		if (step % 16 == 0) {
			long blocks = 0;
			struct stat st;

			for (int i = 0; i < RANDOM_FILES; i++) {
				snprintf(path, sizeof(path), "/%d", i);
				if (!sw_fs_stat(path, &st))
					blocks += st.st_blocks / 8;
			}
			KUNIT_ASSERT_EQ(test, total - free_blocks(), blocks);
		}
	}
	for (int i = 0; i < RANDOM_FILES; i++) {
		snprintf(path, sizeof(path), "/%d", i);
		sw_fs_unlink(path);
	}
	KUNIT_EXPECT_EQ(test, free_blocks(), total);
	KUNIT_EXPECT_EQ(test, free_inodes(), 199);
}

/* ---- directories ------------------------------------------------------------------------------ */

#define MANY 3000

/* Reads on from where @fd is; counts each number that is seen. */
static int read_some(int fd, unsigned char *seen, size_t size, bool all)
{
	static char buf[8192] __attribute__((aligned(8)));
	ssize_t n;

	while ((n = sw_fs_getdents(fd, buf, size)) > 0) {
		for (ssize_t at = 0; at < n;) {
			const struct sw_fs_dirent *d = (const void *)(buf + at);

			if (d->d_name[0] != '.')
				seen[atoi(d->d_name)]++;
			at += d->d_reclen;
		}
		if (!all)
			return 1;
	}
	return (int)n;
}

KUNIT_TEST(what_stays_in_a_directory_is_listed_once_whatever_comes_and_goes)
{
	static unsigned char seen[2 * MANY];
	char path[16];
	int fd;

	mount_root(test, NULL);
	for (int i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), "/%d", i);
		KUNIT_ASSERT_EQ(test, make(path), 0);
	}
	fd = sw_fs_open("/", O_RDONLY | O_DIRECTORY, 0);
	for (int i = 0; read_some(fd, seen, 200, false) > 0; i++) {
		/* One that has been read goes, one that has not goes, new ones come. */
		snprintf(path, sizeof(path), "/%d", i * 3 + 1);
		sw_fs_unlink(path);
		snprintf(path, sizeof(path), "/%d", MANY - 1 - i * 3);
		sw_fs_unlink(path);
		if (i < MANY / 2) {
			snprintf(path, sizeof(path), "/%d", MANY + i);
			KUNIT_ASSERT_EQ(test, make(path), 0);
		}
	}
	for (int i = 0; i < 2 * MANY; i++)
		KUNIT_ASSERT_LE(test, seen[i], 1);
	for (int i = 0; i < MANY; i++) {
		struct stat st;

		snprintf(path, sizeof(path), "/%d", i);
		if (!sw_fs_stat(path, &st))
			KUNIT_ASSERT_EQ(test, seen[i], 1);
	}
	/* From the start again: exactly what is there. */
	memset(seen, 0, sizeof(seen));
	KUNIT_EXPECT_EQ(test, sw_fs_lseek(fd, 0, SEEK_SET), 0);
	KUNIT_EXPECT_EQ(test, read_some(fd, seen, 8192, true), 0);
	for (int i = 0; i < 2 * MANY; i++) {
		struct stat st;

		snprintf(path, sizeof(path), "/%d", i);
		KUNIT_ASSERT_EQ(test, seen[i], sw_fs_stat(path, &st) ? 0 : 1);
	}
}

KUNIT_TEST(d_off_is_where_reading_goes_on)
{
	static char buf[65536] __attribute__((aligned(8))), one[300] __attribute__((aligned(8)));
	ssize_t n;
	int fd;

	mount_root(test, NULL);
	for (int i = 0; i < 50; i++) {
		char path[16];

		snprintf(path, sizeof(path), "/n%d", i);
		KUNIT_ASSERT_EQ(test, make(path), 0);
	}
	fd = sw_fs_open("/", O_RDONLY | O_DIRECTORY, 0);
	n = sw_fs_getdents(fd, buf, sizeof(buf));
	for (ssize_t at = 0; at < n;) {
		const struct sw_fs_dirent *d = (const void *)(buf + at);
		const struct sw_fs_dirent *next = (const void *)(buf + at + d->d_reclen);

		KUNIT_ASSERT_EQ(test, sw_fs_lseek(fd, d->d_off, SEEK_SET), d->d_off);
		if (at + d->d_reclen < n) {
			KUNIT_ASSERT_GT(test, sw_fs_getdents(fd, one, sizeof(one)), 0);
			KUNIT_ASSERT_STREQ(test, ((struct sw_fs_dirent *)one)->d_name,
					   next->d_name);
		} else {
			KUNIT_ASSERT_EQ(test, sw_fs_getdents(fd, one, sizeof(one)), 0);
		}
		at += d->d_reclen;
	}
	KUNIT_EXPECT_EQ(test, sw_fs_lseek(fd, 0, SEEK_SET), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_getdents(fd, one, 8), -EINVAL);
}

KUNIT_TEST(umount_frees_a_tree_of_any_depth)
{
	unsigned long before;
	int fd;

	for (int round = 0; round < 2; round++) {
		mount_root(test, NULL);
		before = global_node_state(NR_FILE_PAGES);
		for (int depth = 0; depth < 3000; depth++) {
			KUNIT_ASSERT_EQ(test, sw_fs_mkdir("d", 0755), 0);
			KUNIT_ASSERT_EQ(test, make("file"), 0);
			fd = sw_fs_open("data", O_CREAT | O_WRONLY, 0644);
			KUNIT_ASSERT_EQ(test, sw_fs_write(fd, "x", 1), 1);
			sw_fs_close(fd);
			KUNIT_ASSERT_EQ(test, sw_fs_chdir("d"), 0);
		}
		KUNIT_EXPECT_GE(test, global_node_state(NR_FILE_PAGES), before + 3000);
		KUNIT_EXPECT_EQ(test, sw_fs_chdir("/"), 0);
		KUNIT_ASSERT_EQ(test, sw_fs_umount("/", 0), 0);
		KUNIT_EXPECT_EQ(test, global_node_state(NR_FILE_PAGES), before);
	}
}

KUNIT_TEST(a_renamed_name_is_listed_at_its_new_place_only)
{
	static unsigned char seen[100];
	int a, b;

	mount_root(test, NULL);
	sw_fs_mkdir("/a", 0755);
	sw_fs_mkdir("/b", 0755);
	make("/a/1");
	make("/a/2");
	make("/b/3");
	KUNIT_EXPECT_EQ(test, sw_fs_rename("/a/1", "/b/4"), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_rename("/a/2", "/b/3"), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_rename("/b/4", "/b/5"), 0);
	a = sw_fs_open("/a", O_RDONLY | O_DIRECTORY, 0);
	b = sw_fs_open("/b", O_RDONLY | O_DIRECTORY, 0);
	KUNIT_EXPECT_EQ(test, read_some(a, seen, 4096, true), 0);
	for (int i = 0; i < 100; i++)
		KUNIT_EXPECT_EQ(test, seen[i], 0);
	KUNIT_EXPECT_EQ(test, read_some(b, seen, 4096, true), 0);
	for (int i = 0; i < 100; i++)
		KUNIT_EXPECT_EQ(test, seen[i], i == 3 || i == 5);
	KUNIT_EXPECT_EQ(test, sw_fs_renameat2(AT_FDCWD, "/a", AT_FDCWD, "/b/3", 2), 0);
	memset(seen, 0, sizeof(seen));
	KUNIT_EXPECT_EQ(test, sw_fs_lseek(b, 0, SEEK_SET), 0);
	KUNIT_EXPECT_EQ(test, read_some(b, seen, 4096, true), 0);
	KUNIT_EXPECT_EQ(test, seen[3], 1);
	struct stat st;

	KUNIT_EXPECT_EQ(test, sw_fs_stat("/b/3", &st), 0);
	KUNIT_EXPECT_TRUE(test, S_ISDIR(st.st_mode));
	KUNIT_EXPECT_EQ(test, sw_fs_stat("/b", &st), 0);
	KUNIT_EXPECT_EQ(test, st.st_nlink, 3);
	KUNIT_EXPECT_EQ(test, sw_fs_stat("/", &st), 0);
	KUNIT_EXPECT_EQ(test, st.st_nlink, 3);
	KUNIT_EXPECT_EQ(test, sw_fs_stat("/a", &st), 0);
	KUNIT_EXPECT_TRUE(test, S_ISREG(st.st_mode));
}

KUNIT_TEST(a_file_without_a_name_can_get_one)
{
	char back[6] = "";
	struct stat st;
	int fd;

	mount_root(test, "nr_inodes=10");
	fd = sw_fs_open("/", O_TMPFILE | O_RDWR, 0600);
	KUNIT_ASSERT_GE(test, fd, 0);
	KUNIT_EXPECT_EQ(test, sw_fs_write(fd, "hello", 5), 5);
	KUNIT_EXPECT_EQ(test, sw_fs_fstat(fd, &st), 0);
	KUNIT_EXPECT_EQ(test, st.st_nlink, 0);
	KUNIT_EXPECT_EQ(test, free_inodes(), 8);
	KUNIT_EXPECT_EQ(test, sw_fs_linkat(fd, "", AT_FDCWD, "/named", AT_EMPTY_PATH), 0);
	KUNIT_EXPECT_EQ(test, free_inodes(), 8);
	KUNIT_EXPECT_EQ(test, sw_fs_close(fd), 0);
	fd = sw_fs_open("/named", O_RDONLY, 0);
	KUNIT_EXPECT_EQ(test, sw_fs_read(fd, back, 5), 5);
	KUNIT_EXPECT_STREQ(test, back, "hello");
	KUNIT_EXPECT_EQ(test, sw_fs_close(fd), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_unlink("/named"), 0);
	KUNIT_EXPECT_EQ(test, free_inodes(), 9);
	fd = sw_fs_open("/", O_TMPFILE | O_RDWR, 0600);
	KUNIT_EXPECT_EQ(test, sw_fs_close(fd), 0);
	KUNIT_EXPECT_EQ(test, free_inodes(), 9);
}

/* ---- extended attributes --------------------------------------------------------------------------- */

KUNIT_TEST(extended_attributes_are_set_listed_and_removed)
{
	static char big[65536];
	char list[100], value[8];

	mount_root(test, NULL);
	make("/f");
	KUNIT_EXPECT_EQ(test, sw_fs_setxattr("/f", "user.a", "one", 3, 0), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_setxattr("/f", "user.b", "", 0, 0), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_setxattr("/f", "user.a", "x", 1, XATTR_CREATE), -EEXIST);
	KUNIT_EXPECT_EQ(test, sw_fs_setxattr("/f", "user.c", "x", 1, XATTR_REPLACE), -ENODATA);
	KUNIT_EXPECT_EQ(test, sw_fs_getxattr("/f", "user.a", value, 8), 3);
	KUNIT_EXPECT_EQ(test, memcmp(value, "one", 3), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_getxattr("/f", "user.a", NULL, 0), 3);
	KUNIT_EXPECT_EQ(test, sw_fs_getxattr("/f", "user.a", value, 2), -ERANGE);
	KUNIT_EXPECT_EQ(test, sw_fs_getxattr("/f", "user.b", value, 8), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_getxattr("/f", "user.c", value, 8), -ENODATA);
	KUNIT_EXPECT_EQ(test, sw_fs_listxattr("/f", list, sizeof(list)), 14);
	KUNIT_EXPECT_EQ(test, memcmp(list, "user.a\0user.b", 14), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_listxattr("/f", list, 13), -ERANGE);
	KUNIT_EXPECT_EQ(test, sw_fs_setxattr("/f", "user.a", "longer", 6, XATTR_REPLACE), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_getxattr("/f", "user.a", value, 8), 6);
	KUNIT_EXPECT_EQ(test, sw_fs_setxattr("/f", "user.big", big, sizeof(big), 0), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_getxattr("/f", "user.big", NULL, 0), sizeof(big));
	KUNIT_EXPECT_EQ(test, sw_fs_removexattr("/f", "user.a"), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_removexattr("/f", "user.a"), -ENODATA);
	KUNIT_EXPECT_EQ(test, sw_fs_getxattr("/f", "user.a", value, 8), -ENODATA);
}
