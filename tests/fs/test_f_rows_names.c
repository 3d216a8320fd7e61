/* SPDX-License-Identifier: MIT */
/*
 * test_f_rows_names.c - the statements F1 to F25 of the source document: descriptors, names, modes
 *
 * Rooms under test: vfs, fstypes/tmpfs. Where a statement holds for every file system the case runs on tmpfs and on a file
 * system with a device (ramdev.h), whose trace shows which operations were called.
 */

#include "fs_test.h"

#include <dirent.h>
#include <sys/sysmacros.h>

/* ---- F1, F2: open ------------------------------------------------------------------------- */

TEST_ON_BOTH(f1_io_goes_through_a_descriptor_and_an_unopened_number_is_ebadf)
{
	struct stat st;
	char c;

	for (int fd = -1; fd < 70; fd++) {
		KUNIT_EXPECT_EQ(test, sw_fs_read(fd, &c, 1), -EBADF);
		KUNIT_EXPECT_EQ(test, sw_fs_write(fd, &c, 1), -EBADF);
		KUNIT_EXPECT_EQ(test, sw_fs_pread(fd, &c, 1, 0), -EBADF);
		KUNIT_EXPECT_EQ(test, sw_fs_fstat(fd, &st), -EBADF);
		KUNIT_EXPECT_EQ(test, sw_fs_close(fd), -EBADF);
	}
	KUNIT_EXPECT_EQ(test, sw_fs_read(1 << 30, &c, 1), -EBADF);
	put_file(test, "/a", "x", 1);
	KUNIT_EXPECT_EQ(test, sw_fs_open("/a", O_RDONLY, 0), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_read(0, &c, 1), 1);
	KUNIT_EXPECT_EQ(test, c, 'x');
	KUNIT_EXPECT_EQ(test, sw_fs_read(1, &c, 1), -EBADF);
}

TEST_ON_BOTH(f2_openat_is_relative_to_a_directory)
{
	int dir, fd;

	KUNIT_ASSERT_EQ(test, sw_fs_mkdir("/d", 0755), 0);
	dir = sw_fs_open("/d", O_RDONLY | O_DIRECTORY, 0);
	KUNIT_ASSERT_GE(test, dir, 0);
	fd = sw_fs_openat(dir, "f", O_CREAT | O_RDWR, 0644);
	KUNIT_ASSERT_GE(test, fd, 0);
	KUNIT_EXPECT_GE(test, sw_fs_open("/d/f", O_RDONLY, 0), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_openat(AT_FDCWD, "f", O_RDONLY, 0), -ENOENT);
	KUNIT_EXPECT_EQ(test, sw_fs_chdir("/d"), 0);
	KUNIT_EXPECT_GE(test, sw_fs_openat(AT_FDCWD, "f", O_RDONLY, 0), 0);
	KUNIT_EXPECT_GE(test, sw_fs_openat(-5, "/d/f", O_RDONLY, 0), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_openat(-5, "f", O_RDONLY, 0), -EBADF);
	KUNIT_EXPECT_EQ(test, sw_fs_openat(fd, "f", O_RDONLY, 0), -ENOTDIR);
}

TEST_ON_BOTH(f2_flags_of_open_do_what_they_say)
{
	put_file(test, "/f", "abc", 3);
	KUNIT_ASSERT_EQ(test, sw_fs_symlink("f", "/l"), 0);
	KUNIT_ASSERT_EQ(test, sw_fs_mkdir("/d", 0755), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_open("/f", O_CREAT | O_EXCL | O_RDWR, 0644), -EEXIST);
	KUNIT_EXPECT_EQ(test, sw_fs_open("/l", O_CREAT | O_EXCL | O_RDWR, 0644), -EEXIST);
	KUNIT_EXPECT_EQ(test, sw_fs_open("/none", O_RDWR, 0), -ENOENT);
	KUNIT_EXPECT_EQ(test, sw_fs_open("/l", O_RDONLY | O_NOFOLLOW, 0), -ELOOP);
	KUNIT_EXPECT_GE(test, sw_fs_open("/l", O_PATH | O_NOFOLLOW, 0), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_open("/f", O_RDONLY | O_DIRECTORY, 0), -ENOTDIR);
	KUNIT_EXPECT_EQ(test, sw_fs_open("/d", O_RDWR, 0), -EISDIR);
	KUNIT_EXPECT_EQ(test, sw_fs_open("/d", O_RDONLY | O_CREAT, 0644), -EISDIR);
	KUNIT_EXPECT_EQ(test, sw_fs_open("/f/x", O_RDONLY, 0), -ENOTDIR);
	KUNIT_EXPECT_GE(test, sw_fs_open("/f", O_WRONLY | O_TRUNC, 0), 0);
	struct stat st;

	KUNIT_EXPECT_EQ(test, sw_fs_stat("/f", &st), 0);
	KUNIT_EXPECT_EQ(test, st.st_size, 0);
}

/* ---- F3: lookup once for each name, open once ------------------------------------------------------- */

KUNIT_TEST(f3_a_cold_open_looks_up_each_component_once_and_opens_once)
{
	mount_ramdev(test);
	KUNIT_ASSERT_EQ(test, sw_fs_mkdir("/a", 0755), 0);
	KUNIT_ASSERT_EQ(test, sw_fs_mkdir("/a/b", 0755), 0);
	put_file(test, "/a/b/c", "x", 1);
	KUNIT_ASSERT_EQ(test, ramdev_remount(), 0);
	ramdev_trace();
	KUNIT_EXPECT_GE(test, sw_fs_open("/a/b/c", O_RDONLY, 0), 0);
	KUNIT_EXPECT_STREQ(test, ramdev_traced(), "lookup(a) lookup(b) lookup(c) open(c)");
	ramdev_trace();
	KUNIT_EXPECT_GE(test, sw_fs_open("/a/b/c", O_RDONLY, 0), 0);
	KUNIT_EXPECT_STREQ(test, ramdev_traced(), "open(c)");
}

KUNIT_TEST(f3_a_missing_name_is_looked_up_once)
{
	mount_ramdev(test);
	ramdev_trace();
	for (int i = 0; i < 5; i++)
		KUNIT_EXPECT_EQ(test, sw_fs_open("/none", O_RDONLY, 0), -ENOENT);
	KUNIT_EXPECT_STREQ(test, ramdev_traced(), "lookup(none)");
	ramdev_trace();
	put_file(test, "/none", "x", 1);
	KUNIT_EXPECT_EQ(test, ramdev.ops[OP_LOOKUP], 0);
	KUNIT_EXPECT_EQ(test, ramdev.ops[OP_CREATE], 1);
}

/* ---- F4, F5: files and numbers ---------------------------------------------------------------------- */

TEST_ON_BOTH(f4_two_opens_are_two_files_of_one_inode)
{
	struct stat sa, sb;
	char c[4] = "";
	int a, b;

	put_file(test, "/f", "0123456789", 10);
	a = sw_fs_open("/f", O_RDONLY, 0);
	b = sw_fs_open("/f", O_RDONLY, 0);
	KUNIT_ASSERT_EQ(test, sw_fs_read(a, c, 3), 3);
	KUNIT_EXPECT_STREQ(test, c, "012");
	KUNIT_ASSERT_EQ(test, sw_fs_read(b, c, 3), 3);
	KUNIT_EXPECT_STREQ(test, c, "012");
	KUNIT_EXPECT_EQ(test, sw_fs_lseek(a, 0, SEEK_CUR), 3);
	KUNIT_EXPECT_EQ(test, sw_fs_lseek(a, 7, SEEK_SET), 7);
	KUNIT_EXPECT_EQ(test, sw_fs_lseek(b, 0, SEEK_CUR), 3);
	KUNIT_ASSERT_EQ(test, sw_fs_fstat(a, &sa), 0);
	KUNIT_ASSERT_EQ(test, sw_fs_fstat(b, &sb), 0);
	KUNIT_EXPECT_EQ(test, sa.st_ino, sb.st_ino);
	KUNIT_EXPECT_EQ(test, sa.st_dev, sb.st_dev);
}

TEST_ON_BOTH(f4_a_duplicate_is_the_same_file)
{
	char c[4] = "";
	int a, b;

	put_file(test, "/f", "0123456789", 10);
	a = sw_fs_open("/f", O_RDONLY, 0);
	b = sw_fs_dup(a);
	KUNIT_ASSERT_EQ(test, sw_fs_read(a, c, 3), 3);
	KUNIT_ASSERT_EQ(test, sw_fs_read(b, c, 3), 3);
	KUNIT_EXPECT_STREQ(test, c, "345");
}

TEST_ON_BOTH(f5_open_gives_the_lowest_free_number)
{
	put_file(test, "/f", "x", 1);
	for (int i = 0; i < 200; i++)
		KUNIT_ASSERT_EQ(test, sw_fs_open("/f", O_RDONLY, 0), i);
	for (int i = 0; i < 200; i += 7)
		KUNIT_ASSERT_EQ(test, sw_fs_close(i), 0);
	for (int i = 0; i < 200; i += 7)
		KUNIT_ASSERT_EQ(test, sw_fs_open("/f", O_RDONLY, 0), i);
	KUNIT_EXPECT_EQ(test, sw_fs_dup(3), 200);
	KUNIT_EXPECT_EQ(test, sw_fs_fcntl(3, F_DUPFD, 100), 201);
	KUNIT_EXPECT_EQ(test, sw_fs_fcntl(3, F_DUPFD, 1000), 1000);
	KUNIT_EXPECT_EQ(test, sw_fs_open("/f", O_RDONLY, 0), 202);
}

/* ---- F6 to F10: close ------------------------------------------------------------------------------- */

TEST_ON_BOTH(f6_a_closed_number_is_ebadf)
{
	char c;
	int fd;

	put_file(test, "/f", "x", 1);
	fd = sw_fs_open("/f", O_RDONLY, 0);
	KUNIT_EXPECT_EQ(test, sw_fs_close(fd), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_read(fd, &c, 1), -EBADF);
	KUNIT_EXPECT_EQ(test, sw_fs_pread(fd, &c, 1, 0), -EBADF);
	KUNIT_EXPECT_EQ(test, sw_fs_close(fd), -EBADF);
}

TEST_ON_BOTH(f7_close_clears_the_close_on_exec_bit)
{
	int fd;

	put_file(test, "/f", "x", 1);
	fd = sw_fs_open("/f", O_RDONLY | O_CLOEXEC, 0);
	KUNIT_EXPECT_EQ(test, sw_fs_fcntl(fd, F_GETFD, 0), FD_CLOEXEC);
	sw_fs_close(fd);
	KUNIT_EXPECT_EQ(test, sw_fs_open("/f", O_RDONLY, 0), fd);
	KUNIT_EXPECT_EQ(test, sw_fs_fcntl(fd, F_GETFD, 0), 0);
}

TEST_ON_BOTH(f7_exec_closes_what_is_close_on_exec_and_nothing_else)
{
	int stays, goes;

	put_file(test, "/f", "x", 1);
	stays = sw_fs_open("/f", O_RDONLY, 0);
	goes = sw_fs_open("/f", O_RDONLY | O_CLOEXEC, 0);
	sw_fs_task_exec();
	KUNIT_EXPECT_EQ(test, sw_fs_fcntl(stays, F_GETFD, 0), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_fcntl(goes, F_GETFD, 0), -EBADF);
}

TEST_ON_BOTH(f8_a_closed_number_is_used_again)
{
	put_file(test, "/f", "x", 1);
	for (int i = 0; i < 10000; i++) {
		KUNIT_ASSERT_EQ(test, sw_fs_open("/f", O_RDONLY, 0), 0);
		KUNIT_ASSERT_EQ(test, sw_fs_close(0), 0);
	}
}

KUNIT_TEST(f9_a_duplicate_keeps_the_file_alive_and_release_runs_once)
{
	mount_ramdev(test);
	put_file(test, "/f", "x", 1);
	int a = sw_fs_open("/f", O_RDONLY, 0), b = sw_fs_dup(a);
	char c = 0;

	ramdev_trace();
	sw_fs_close(a);
	KUNIT_EXPECT_EQ(test, ramdev.ops[OP_FLUSH], 1);
	KUNIT_EXPECT_EQ(test, ramdev.ops[OP_RELEASE], 0);
	KUNIT_EXPECT_EQ(test, sw_fs_read(b, &c, 1), 1);
	KUNIT_EXPECT_EQ(test, c, 'x');
	sw_fs_close(b);
	KUNIT_EXPECT_EQ(test, ramdev.ops[OP_FLUSH], 2);
	KUNIT_EXPECT_EQ(test, ramdev.ops[OP_RELEASE], 1);
}

KUNIT_TEST(f10_fput_leaves_the_release_to_flush_delayed_fput)
{
	struct file *file[3];

	mount_ramdev(test);
	put_file(test, "/f", "x", 1);
	for (int i = 0; i < 3; i++) {
		file[i] = filp_open("/f", O_RDONLY, 0);
		KUNIT_ASSERT_FALSE(test, IS_ERR(file[i]));
	}
	ramdev_reset();
	get_file(file[0]);
	for (int i = 0; i < 3; i++)
		fput(file[i]);
	KUNIT_EXPECT_EQ(test, ramdev.ops[OP_RELEASE], 0);
	flush_delayed_fput();
	KUNIT_EXPECT_EQ(test, ramdev.ops[OP_RELEASE], 2);
	flush_delayed_fput();
	KUNIT_EXPECT_EQ(test, ramdev.ops[OP_RELEASE], 2);
	fput(file[0]);
	flush_delayed_fput();
	KUNIT_EXPECT_EQ(test, ramdev.ops[OP_RELEASE], 3);
}

/* ---- F11 to F16: kinds of files --------------------------------------------------------------------- */

TEST_ON_BOTH(f11_touch_creates_a_file_and_renews_the_times_of_one_that_is_there)
{
	const struct timespec old[2] = { { 1000, 0 }, { 2000, 0 } };
	struct stat st;
	int fd = sw_fs_open("/f", O_CREAT | O_WRONLY, 0666);

	KUNIT_ASSERT_GE(test, fd, 0);
	KUNIT_ASSERT_EQ(test, sw_fs_stat("/f", &st), 0);
	KUNIT_EXPECT_TRUE(test, S_ISREG(st.st_mode));
	KUNIT_EXPECT_EQ(test, st.st_mode & 07777, 0644);
	KUNIT_EXPECT_EQ(test, st.st_size, 0);
	KUNIT_ASSERT_EQ(test, sw_fs_utimensat(AT_FDCWD, "/f", old, 0), 0);
	KUNIT_ASSERT_EQ(test, sw_fs_stat("/f", &st), 0);
	KUNIT_EXPECT_EQ(test, st.st_atim.tv_sec, 1000);
	KUNIT_EXPECT_EQ(test, st.st_mtim.tv_sec, 2000);
	KUNIT_ASSERT_EQ(test, sw_fs_utimensat(AT_FDCWD, "/f", NULL, 0), 0);
	KUNIT_ASSERT_EQ(test, sw_fs_stat("/f", &st), 0);
	KUNIT_EXPECT_GT(test, st.st_atim.tv_sec, 1000000000);
	KUNIT_EXPECT_GT(test, st.st_mtim.tv_sec, 1000000000);
}

TEST_ON_BOTH(f12_a_directory_has_a_link_from_each_subdirectory)
{
	struct stat st;

	KUNIT_ASSERT_EQ(test, sw_fs_mkdir("/d", 0777), 0);
	KUNIT_ASSERT_EQ(test, sw_fs_stat("/d", &st), 0);
	KUNIT_EXPECT_TRUE(test, S_ISDIR(st.st_mode));
	KUNIT_EXPECT_EQ(test, st.st_mode & 07777, 0755);
	KUNIT_EXPECT_EQ(test, st.st_nlink, 2);
	KUNIT_ASSERT_EQ(test, sw_fs_mkdir("/d/a", 0755), 0);
	KUNIT_ASSERT_EQ(test, sw_fs_mkdir("/d/b", 0755), 0);
	put_file(test, "/d/c", "", 0);
	sw_fs_stat("/d", &st);
	KUNIT_EXPECT_EQ(test, st.st_nlink, 4);
	KUNIT_EXPECT_EQ(test, sw_fs_rmdir("/d/a"), 0);
	sw_fs_stat("/d", &st);
	KUNIT_EXPECT_EQ(test, st.st_nlink, 3);
	KUNIT_EXPECT_EQ(test, sw_fs_rename("/d/b", "/b"), 0);
	sw_fs_stat("/d", &st);
	KUNIT_EXPECT_EQ(test, st.st_nlink, 2);
	KUNIT_EXPECT_EQ(test, sw_fs_mkdir("/d", 0755), -EEXIST);
	KUNIT_EXPECT_EQ(test, sw_fs_mkdir("/x/y", 0755), -ENOENT);
	KUNIT_EXPECT_EQ(test, sw_fs_link("/d", "/e"), -EPERM);
}

TEST_ON_BOTH(f13_a_symbolic_link_stands_for_its_target_and_a_loop_is_eloop)
{
	char target[64] = "";
	struct stat st;

	put_file(test, "/f", "abc", 3);
	KUNIT_ASSERT_EQ(test, sw_fs_symlink("/f", "/l"), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_readlink("/l", target, sizeof(target)), 2);
	KUNIT_EXPECT_STREQ(test, target, "/f");
	KUNIT_EXPECT_EQ(test, sw_fs_readlink("/l", target, 1), 1);
	KUNIT_EXPECT_EQ(test, sw_fs_readlink("/f", target, sizeof(target)), -EINVAL);
	KUNIT_EXPECT_EQ(test, sw_fs_lstat("/l", &st), 0);
	KUNIT_EXPECT_TRUE(test, S_ISLNK(st.st_mode));
	KUNIT_EXPECT_EQ(test, st.st_size, 2);
	KUNIT_EXPECT_EQ(test, sw_fs_stat("/l", &st), 0);
	KUNIT_EXPECT_TRUE(test, S_ISREG(st.st_mode));
	KUNIT_ASSERT_EQ(test, sw_fs_symlink("y", "/x"), 0);
	KUNIT_ASSERT_EQ(test, sw_fs_symlink("x", "/y"), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_stat("/x", &st), -ELOOP);
	KUNIT_EXPECT_EQ(test, sw_fs_lstat("/x", &st), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_symlink("x", "/f"), -EEXIST);
	KUNIT_EXPECT_EQ(test, sw_fs_symlink("", "/z"), -ENOENT);
}

TEST_ON_BOTH(f13_forty_links_are_followed_and_forty_one_are_not)
{
	char from[16], to[16];
	struct stat st;

	put_file(test, "/l0", "", 0);
	for (int i = 1; i <= 41; i++) {
		snprintf(to, sizeof(to), "l%d", i - 1);
		snprintf(from, sizeof(from), "/l%d", i);
		KUNIT_ASSERT_EQ(test, sw_fs_symlink(to, from), 0);
	}
	KUNIT_EXPECT_EQ(test, sw_fs_stat("/l40", &st), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_stat("/l41", &st), -ELOOP);
}

static void expect_node(struct kunit *test, const char *path, mode_t type, dev_t rdev)
{
	struct stat st;

	KUNIT_ASSERT_EQ(test, sw_fs_lstat(path, &st), 0);
	KUNIT_EXPECT_EQ(test, st.st_mode & S_IFMT, type);
	KUNIT_EXPECT_EQ(test, st.st_rdev, rdev);
}

KUNIT_TEST(f14_a_device_node_keeps_type_and_number_over_a_remount)
{
	mount_ramdev(test);
	KUNIT_ASSERT_EQ(test, sw_fs_mknod("/c", S_IFCHR | 0600, makedev(5, 1)), 0);
	KUNIT_ASSERT_EQ(test, sw_fs_mknod("/b", S_IFBLK | 0600, makedev(259, 70000)), 0);
	expect_node(test, "/c", S_IFCHR, makedev(5, 1));
	KUNIT_ASSERT_EQ(test, ramdev_remount(), 0);
	expect_node(test, "/c", S_IFCHR, makedev(5, 1));
	expect_node(test, "/b", S_IFBLK, makedev(259, 70000));
	KUNIT_EXPECT_EQ(test, sw_fs_open("/c", O_RDONLY, 0), -ENXIO);
}

KUNIT_TEST(f15_a_named_pipe_keeps_its_type_over_a_remount)
{
	mount_ramdev(test);
	KUNIT_ASSERT_EQ(test, sw_fs_mkfifo("/p", 0600), 0);
	KUNIT_ASSERT_EQ(test, sw_fs_mknod("/s", S_IFSOCK | 0600, 0), 0);
	KUNIT_ASSERT_EQ(test, ramdev_remount(), 0);
	expect_node(test, "/p", S_IFIFO, 0);
	expect_node(test, "/s", S_IFSOCK, 0);
	KUNIT_EXPECT_EQ(test, sw_fs_open("/p", O_RDONLY | O_NONBLOCK, 0), -ENXIO);
}

TEST_ON_BOTH(f16_n_names_are_a_link_count_of_n)
{
	struct stat a, b;
	char name[16];

	put_file(test, "/f0", "abc", 3);
	for (int i = 1; i < 20; i++) {
		snprintf(name, sizeof(name), "/f%d", i);
		KUNIT_ASSERT_EQ(test, sw_fs_link("/f0", name), 0);
		sw_fs_stat("/f0", &a);
		sw_fs_stat(name, &b);
		KUNIT_EXPECT_EQ(test, a.st_nlink, i + 1);
		KUNIT_EXPECT_EQ(test, a.st_ino, b.st_ino);
	}
	KUNIT_EXPECT_EQ(test, sw_fs_link("/f0", "/f1"), -EEXIST);
	for (int i = 0; i < 19; i++) {
		snprintf(name, sizeof(name), "/f%d", i);
		KUNIT_ASSERT_EQ(test, sw_fs_unlink(name), 0);
		sw_fs_stat("/f19", &a);
		KUNIT_EXPECT_EQ(test, a.st_nlink, 19 - i);
	}
}

/* ---- F17 to F22: create, unlink, rmdir ------------------------------------------------------------ */

KUNIT_TEST(f17_creating_makes_an_inode_and_an_entry_of_name_and_number)
{
	struct ramdev_stat on_device;
	struct stat st;

	mount_ramdev(test);
	KUNIT_EXPECT_EQ(test, ramdev_nr_inodes(), 1);
	put_file(test, "/f", "abc", 3);
	KUNIT_ASSERT_EQ(test, sw_fs_stat("/f", &st), 0);
	KUNIT_EXPECT_EQ(test, ramdev_nr_inodes(), 2);
	KUNIT_EXPECT_EQ(test, ramdev_entry("f"), st.st_ino);
	sw_fs_sync();
	KUNIT_ASSERT_TRUE(test, ramdev_inode(st.st_ino, &on_device));
	KUNIT_EXPECT_EQ(test, on_device.mode, S_IFREG | 0644);
	KUNIT_EXPECT_EQ(test, on_device.nlink, 1);
	KUNIT_EXPECT_EQ(test, on_device.size, 3);
}

TEST_ON_BOTH(f18_unlink_removes_a_name_of_anything_but_a_directory)
{
	static const char *const name[] = { "/f", "/l", "/p", "/s", "/h" };
	struct stat st;

	put_file(test, "/f", "x", 1);
	sw_fs_symlink("f", "/l");
	sw_fs_mkfifo("/p", 0600);
	sw_fs_mknod("/s", S_IFSOCK | 0600, 0);
	sw_fs_link("/f", "/h");
	for (int i = 0; i < 5; i++) {
		KUNIT_EXPECT_EQ(test, sw_fs_unlink(name[i]), 0);
		KUNIT_EXPECT_EQ(test, sw_fs_lstat(name[i], &st), -ENOENT);
		KUNIT_EXPECT_EQ(test, sw_fs_unlink(name[i]), -ENOENT);
	}
	KUNIT_ASSERT_EQ(test, sw_fs_mkdir("/d", 0755), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_unlink("/d"), -EISDIR);
}

/* As rm -r does it, by our calls. */
static int remove_tree(const char *path)
{
	union {
		char bytes[4096];
		struct sw_fs_dirent first;
	} buf;
	char child[600];
	ssize_t n;
	int fd = sw_fs_open(path, O_RDONLY | O_DIRECTORY, 0), error = 0;

	if (fd < 0)
		return fd;
	while ((n = sw_fs_getdents(fd, &buf, sizeof(buf))) > 0) {
		for (ssize_t at = 0; at < n && !error;) {
			struct sw_fs_dirent *e = (struct sw_fs_dirent *)(buf.bytes + at);

			at += e->d_reclen;
			if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
				continue;
			snprintf(child, sizeof(child), "%s/%s", path, e->d_name);
			error = e->d_type == DT_DIR ? remove_tree(child) : sw_fs_unlink(child);
		}
		if (!error)
			error = (int)sw_fs_lseek(fd, 0, SEEK_SET);
		if (error)
			break;
		/* From the start, until nothing but the two dots is left. */
		n = sw_fs_getdents(fd, &buf, sizeof(buf));
		if (n == 2 * buf.first.d_reclen)
			break;
		sw_fs_lseek(fd, 0, SEEK_SET);
	}
	sw_fs_close(fd);
	return error ? error : n < 0 ? (int)n : sw_fs_rmdir(path);
}

TEST_ON_BOTH(f19_a_tree_goes_name_by_name_from_its_leaves)
{
	char name[64];
	struct stat st;

	KUNIT_ASSERT_EQ(test, sw_fs_mkdir("/t", 0755), 0);
	for (int i = 0; i < 6; i++) {
		snprintf(name, sizeof(name), "/t/d%d", i);
		KUNIT_ASSERT_EQ(test, sw_fs_mkdir(name, 0755), 0);
		for (int k = 0; k < 60; k++) {
			snprintf(name, sizeof(name), "/t/d%d/file-%d", i, k);
			put_file(test, name, "x", 1);
		}
	}
	KUNIT_EXPECT_EQ(test, sw_fs_rmdir("/t"), -ENOTEMPTY);
	KUNIT_EXPECT_EQ(test, remove_tree("/t"), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_stat("/t", &st), -ENOENT);
}

TEST_ON_BOTH(f20_rmdir_removes_an_empty_directory_only)
{
	KUNIT_ASSERT_EQ(test, sw_fs_mkdir("/d", 0755), 0);
	put_file(test, "/d/f", "", 0);
	KUNIT_EXPECT_EQ(test, sw_fs_rmdir("/d"), -ENOTEMPTY);
	KUNIT_EXPECT_EQ(test, sw_fs_rmdir("/d/f"), -ENOTDIR);
	KUNIT_EXPECT_EQ(test, sw_fs_unlink("/d/f"), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_rmdir("/d"), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_rmdir("/d"), -ENOENT);
	KUNIT_EXPECT_EQ(test, sw_fs_rmdir("/"), -EBUSY);
	KUNIT_ASSERT_EQ(test, sw_fs_mkdir("/d", 0755), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_rmdir("/d/."), -EINVAL);
	KUNIT_EXPECT_EQ(test, sw_fs_rmdir("/d/.."), -ENOTEMPTY);
}

TEST_ON_BOTH(f21_an_unlinked_open_file_lives_until_its_last_close)
{
	char bytes[4] = "";
	struct stat st;
	int fd;

	put_file(test, "/f", "abc", 3);
	fd = sw_fs_open("/f", O_RDWR, 0);
	KUNIT_ASSERT_EQ(test, sw_fs_unlink("/f"), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_stat("/f", &st), -ENOENT);
	KUNIT_ASSERT_EQ(test, sw_fs_fstat(fd, &st), 0);
	KUNIT_EXPECT_EQ(test, st.st_nlink, 0);
	KUNIT_EXPECT_EQ(test, sw_fs_pwrite(fd, "X", 1, 1), 1);
	KUNIT_EXPECT_EQ(test, sw_fs_read(fd, bytes, 3), 3);
	KUNIT_EXPECT_STREQ(test, bytes, "aXc");
	put_file(test, "/f", "new", 3);
	KUNIT_EXPECT_EQ(test, sw_fs_pread(fd, bytes, 3, 0), 3);
	KUNIT_EXPECT_STREQ(test, bytes, "aXc");
	KUNIT_EXPECT_EQ(test, sw_fs_close(fd), 0);
}

KUNIT_TEST(f21_the_room_of_an_unlinked_file_is_free_after_the_last_close)
{
	static char block[1 << 20];
	struct statfs before, open, after;
	int fd;

	mount_tmpfs(test);
	put_file(test, "/f", block, sizeof(block));
	fd = sw_fs_open("/f", O_RDONLY, 0);
	KUNIT_ASSERT_EQ(test, sw_fs_statfs("/", &before), 0);
	KUNIT_ASSERT_EQ(test, sw_fs_unlink("/f"), 0);
	KUNIT_ASSERT_EQ(test, sw_fs_statfs("/", &open), 0);
	KUNIT_EXPECT_EQ(test, open.f_bfree, before.f_bfree);
	sw_fs_close(fd);
	KUNIT_ASSERT_EQ(test, sw_fs_statfs("/", &after), 0);
	KUNIT_EXPECT_EQ(test, after.f_bfree, before.f_bfree + sizeof(block) / PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, after.f_ffree, before.f_ffree + 1);
}

KUNIT_TEST(f21_the_device_frees_an_inode_with_its_last_name_and_file)
{
	uint64_t ino;
	struct ramdev_stat st;
	int fd;

	mount_ramdev(test);
	put_file(test, "/f", "abc", 3);
	ino = ramdev_entry("f");
	fd = sw_fs_open("/f", O_RDONLY, 0);
	KUNIT_ASSERT_EQ(test, sw_fs_unlink("/f"), 0);
	KUNIT_EXPECT_TRUE(test, ramdev_inode(ino, &st));
	sw_fs_close(fd);
	KUNIT_EXPECT_FALSE(test, ramdev_inode(ino, &st));
	KUNIT_EXPECT_EQ(test, ramdev_nr_inodes(), 1);
}

KUNIT_TEST(f22_unlink_is_one_inode_operation_and_the_inode_goes_at_zero)
{
	mount_ramdev(test);
	put_file(test, "/f", "abc", 3);
	KUNIT_ASSERT_EQ(test, sw_fs_link("/f", "/g"), 0);
	ramdev_trace();
	KUNIT_EXPECT_EQ(test, sw_fs_unlink("/f"), 0);
	KUNIT_EXPECT_EQ(test, ramdev.ops[OP_UNLINK], 1);
	KUNIT_EXPECT_EQ(test, ramdev.ops[OP_EVICT_INODE], 0);
	KUNIT_EXPECT_EQ(test, ramdev_entry("f"), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_unlink("/g"), 0);
	KUNIT_EXPECT_EQ(test, ramdev.ops[OP_UNLINK], 2);
	KUNIT_EXPECT_EQ(test, ramdev.ops[OP_EVICT_INODE], 1);
	KUNIT_EXPECT_EQ(test, ramdev_nr_inodes(), 1);
}

/* ---- F23 to F25: modes ---------------------------------------------------------------------------- */

struct mode_row {
	const char *text;
	mode_t mode, want; /* of the file; ~0: refused */
};

static void check_modes(struct kunit *test, const struct mode_row *row, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		mode_t out = 012345;
		int error = sw_fs_parse_mode(row[i].text, row[i].mode, 022, &out);

		if (row[i].want == (mode_t)~0) {
			KUNIT_EXPECT_EQ(test, error, -EINVAL, "mode '%s'", row[i].text);
			KUNIT_EXPECT_EQ(test, out, 012345, "mode '%s'", row[i].text);
		} else {
			KUNIT_EXPECT_EQ(test, error, 0, "mode '%s'", row[i].text);
			KUNIT_EXPECT_EQ(test, out, row[i].want, "mode '%s' of %o gave %o",
					row[i].text, row[i].mode, out);
		}
	}
}

#define REG  S_IFREG
#define DIR_ S_IFDIR
#define BAD  (mode_t) ~0

KUNIT_TEST(f23_symbolic_modes_are_read_as_chmod_reads_them)
{
	static const struct mode_row row[] = {
		{ "u+x", REG | 0644, REG | 0744 },
		{ "g-r", REG | 0644, REG | 0604 },
		{ "o=w", REG | 0644, REG | 0642 },
		{ "a+x", REG | 0644, REG | 0755 },
		{ "ugo=rw", REG | 0755, REG | 0666 },
		{ "u+rwx,g=rx,o-rwx", REG | 0007, REG | 0750 },
		{ "u=", REG | 0777, REG | 0077 },
		{ "+x", REG | 0644, REG | 0755 },
		{ "+w", REG | 0444, REG | 0644 }, /* the umask, 022, keeps g and o */
		{ "=rw", REG | 0777, REG | 0644 },
		{ "-w", REG | 0666, REG | 0466 },
		{ "a+X", REG | 0644, REG | 0644 }, /* nobody may execute it */
		{ "a+X", REG | 0744, REG | 0755 },
		{ "a+X", DIR_ | 0644, DIR_ | 0755 },
		{ "g+X", DIR_ | 0700, DIR_ | 0710 },
		{ "u+x-w", REG | 0644, REG | 0544 },
		{ "g=u", REG | 0750, REG | 0770 },
		{ "o=g", REG | 0750, REG | 0755 },
		{ "u+s", REG | 0755, REG | 04755 },
		{ "g+s", REG | 0755, REG | 02755 },
		{ "+t", DIR_ | 0777, DIR_ | 01777 },
		{ "ug-s", REG | 06755, REG | 0755 },
		{ "", REG | 0644, BAD },
		{ "u", REG | 0644, BAD },
		{ "z+x", REG | 0644, BAD },
		{ "u+x,", REG | 0644, BAD },
		{ ",u+x", REG | 0644, BAD },
		{ "u+q", REG | 0644, BAD },
		{ "u+x g+x", REG | 0644, BAD },
	};

	check_modes(test, row, sizeof(row) / sizeof(row[0]));
}

KUNIT_TEST(f24_octal_modes_are_read_as_chmod_reads_them)
{
	static const struct mode_row row[] = {
		{ "644", REG | 0777, REG | 0644 },
		{ "0644", REG | 0, REG | 0644 },
		{ "0", REG | 0777, REG },
		{ "7", REG | 0777, REG | 07 },
		{ "4755", REG | 0644, REG | 04755 },
		{ "1777", DIR_ | 0755, DIR_ | 01777 },
		{ "07777", REG | 0, REG | 07777 },
		{ "8", REG | 0644, BAD },
		{ "649", REG | 0644, BAD },
		{ "10000", REG | 0644, BAD },
		{ "-1", REG | 0644, BAD },
		{ "644x", REG | 0644, BAD },
	};

	check_modes(test, row, sizeof(row) / sizeof(row[0]));
}

TEST_ON_BOTH(f25_chmod_changes_the_bits_and_never_the_type)
{
	struct timespec past[2] = { { 1000, 0 }, { 1000, 0 } };
	struct stat st, before;
	int fd;

	put_file(test, "/f", "", 0);
	KUNIT_ASSERT_EQ(test, sw_fs_utimensat(AT_FDCWD, "/f", past, 0), 0);
	KUNIT_ASSERT_EQ(test, sw_fs_stat("/f", &before), 0);
	next_tick();
	KUNIT_EXPECT_EQ(test, sw_fs_chmod("/f", S_IFDIR | 04711), 0);
	KUNIT_ASSERT_EQ(test, sw_fs_stat("/f", &st), 0);
	KUNIT_EXPECT_EQ(test, st.st_mode, S_IFREG | 04711);
	KUNIT_EXPECT_EQ(test, st.st_mtim.tv_sec, 1000);
	KUNIT_EXPECT_TRUE(test, st.st_ctim.tv_sec > before.st_ctim.tv_sec ||
					st.st_ctim.tv_nsec != before.st_ctim.tv_nsec);
	fd = sw_fs_open("/f", O_RDONLY, 0);
	KUNIT_EXPECT_EQ(test, sw_fs_fchmod(fd, 0600), 0);
	KUNIT_ASSERT_EQ(test, sw_fs_stat("/f", &st), 0);
	KUNIT_EXPECT_EQ(test, st.st_mode, S_IFREG | 0600);
	KUNIT_EXPECT_EQ(test, sw_fs_chmod("/none", 0600), -ENOENT);
}

KUNIT_TEST(f25_chmod_is_one_setattr)
{
	mount_ramdev(test);
	put_file(test, "/f", "", 0);
	ramdev_trace();
	KUNIT_EXPECT_EQ(test, sw_fs_chmod("/f", 0600), 0);
	KUNIT_EXPECT_STREQ(test, ramdev_traced(), "setattr(f)");
}
