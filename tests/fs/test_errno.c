/* SPDX-License-Identifier: MIT */
/*
 * test_errno.c - bad input: an error, the one that Linux gives, and nothing changed
 *
 * Rooms under test: vfs, fstypes. What random calls beside the host's tmpfs (test_model.c) cannot reach, or must not miss.
 */

#include "fs_test.h"

#include <sys/mman.h>
#include <sys/mount.h>

#define EQ(call, want) KUNIT_EXPECT_EQ(test, call, want)

static char long_name[5000];

TEST_ON_BOTH(names_are_of_1_to_255_bytes_and_paths_below_4096)
{
	struct stat st;

	memset(long_name, 'n', sizeof(long_name));
	long_name[0] = '/';
	long_name[256] = 0; /* slash and 255 */
	EQ(sw_fs_mkdir(long_name, 0755), 0);
	EQ(sw_fs_stat(long_name, &st), 0);
	EQ(sw_fs_rmdir(long_name), 0);
	long_name[256] = 'n';
	long_name[257] = 0;
	EQ(sw_fs_mkdir(long_name, 0755), -ENAMETOOLONG);
	EQ(sw_fs_open(long_name, O_CREAT | O_RDWR, 0644), -ENAMETOOLONG);
	EQ(sw_fs_stat(long_name, &st), -ENAMETOOLONG);
	EQ(sw_fs_symlink("x", long_name), -ENAMETOOLONG);
	EQ(sw_fs_mknod(long_name, S_IFIFO | 0600, 0), -ENAMETOOLONG);
	put_file(test, "/f", "", 0);
	EQ(sw_fs_rename("/f", long_name), -ENAMETOOLONG);
	EQ(sw_fs_link("/f", long_name), -ENAMETOOLONG);
	EQ(sw_fs_unlink(long_name), -ENAMETOOLONG);
	for (size_t i = 0; i < sizeof(long_name) - 1; i++)
		long_name[i] = i % 2 ? '.' : '/';
	long_name[4094] = 0;
	EQ(sw_fs_stat(long_name, &st), 0); /* "/././." of 4094 bytes */
	long_name[4094] = '/';
	long_name[4096] = 0;
	EQ(sw_fs_stat(long_name, &st), -ENAMETOOLONG);
	EQ(sw_fs_stat("", &st), -ENOENT);
	EQ(sw_fs_symlink("", "/l"), -ENOENT);
	EQ(sw_fs_mkdir("", 0755), -ENOENT);
}

TEST_ON_BOTH(a_name_may_hold_any_byte_but_slash_and_nul)
{
	char name[4] = "/x";
	struct stat st;

	for (int c = 1; c < 256; c++) {
		if (c == '/' || c == '.')
			continue;
		name[1] = (char)c;
		EQ(sw_fs_mkdir(name, 0755), 0);
		EQ(sw_fs_stat(name, &st), 0);
		EQ(sw_fs_mkdir(name, 0755), -EEXIST);
	}
	for (int c = 1; c < 256; c++) {
		if (c == '/' || c == '.')
			continue;
		name[1] = (char)c;
		EQ(sw_fs_rmdir(name), 0);
	}
}

TEST_ON_BOTH(sizes_and_positions_are_bounded)
{
	struct iovec iov[2] = { { long_name, 1 }, { long_name, SIZE_MAX } };
	char c = 0;
	int fd = sw_fs_open("/f", O_CREAT | O_RDWR, 0644);

	EQ(sw_fs_pread(fd, &c, 1, -1), -EINVAL);
	EQ(sw_fs_pwrite(fd, &c, 1, -1), -EINVAL);
	EQ(sw_fs_lseek(fd, -1, SEEK_SET), -EINVAL);
	EQ(sw_fs_lseek(fd, 0, 99), -EINVAL);
	EQ(sw_fs_lseek(fd, 0, SEEK_DATA), -ENXIO);
	EQ(sw_fs_lseek(fd, 10, SEEK_HOLE), -ENXIO);
	EQ(sw_fs_ftruncate(fd, -1), -EINVAL);
	EQ(sw_fs_truncate("/f", -5), -EINVAL);
	EQ(sw_fs_ftruncate(fd, INT64_MAX) < 0 ? -EFBIG : 0, sw_fs_ftruncate(fd, INT64_MAX));
	EQ(sw_fs_ftruncate(fd, 0), 0);
	EQ(sw_fs_pwrite(fd, &c, 1, INT64_MAX), -EINVAL);
	EQ(sw_fs_pread(fd, &c, 1, INT64_MAX), -EINVAL);
	EQ(sw_fs_pread(fd, &c, 1, INT64_MAX - 1), 0);
	EQ(sw_fs_pread(fd, &c, 0, 0), 0);
	EQ(sw_fs_pwrite(fd, &c, 0, 5000), 0);
	EQ(sw_fs_readv(fd, iov, 2), -EINVAL); /* one is past SSIZE_MAX */
	EQ(sw_fs_readv(fd, iov, -1), -EINVAL);
	EQ(sw_fs_writev(fd, iov, 1025), -EINVAL);
	EQ(sw_fs_readv(fd, iov, 0), 0);
	EQ(sw_fs_fallocate(fd, 0, -1, 10), -EINVAL);
	EQ(sw_fs_fallocate(fd, 0, 0, 0), -EINVAL);
	EQ(sw_fs_fallocate(fd, 0x4000, 0, 10), -EOPNOTSUPP);
	EQ(sw_fs_fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 10), -EOPNOTSUPP);
	EQ(sw_fs_fallocate(fd, 0, INT64_MAX - 5, 10), -EFBIG);
	EQ(sw_fs_sync_file_range(fd, 0, 0, 0x100), -EINVAL);
	EQ(sw_fs_fadvise(fd, 0, 0, 99), -EINVAL);
	EQ(sw_fs_lseek(fd, 0, SEEK_END), 0);
}

TEST_ON_BOTH(a_file_is_used_as_it_was_opened)
{
	struct sw_fs_dirent entries[20];
	char c = 0;
	void *addr;
	int r, w, d, p;

	put_file(test, "/f", "abc", 3);
	r = sw_fs_open("/f", O_RDONLY, 0);
	w = sw_fs_open("/f", O_WRONLY, 0);
	d = sw_fs_open("/", O_RDONLY, 0);
	p = sw_fs_open("/f", O_PATH, 0);
	EQ(sw_fs_write(r, &c, 1), -EBADF);
	EQ(sw_fs_pwrite(r, &c, 1, 0), -EBADF);
	EQ(sw_fs_read(w, &c, 1), -EBADF);
	EQ(sw_fs_pread(w, &c, 1, 0), -EBADF);
	EQ(sw_fs_ftruncate(r, 0), -EINVAL);
	EQ(sw_fs_fallocate(r, 0, 0, 1), -EBADF);
	EQ(sw_fs_read(d, &c, 1), -EISDIR);
	EQ(sw_fs_pread(d, &c, 1, 0), -EISDIR);
	EQ(sw_fs_write(d, &c, 1), -EBADF);
	EQ(sw_fs_getdents(r, entries, sizeof(entries)), -ENOTDIR);
	EQ(sw_fs_getdents(d, entries, 8), -EINVAL);
	EQ(sw_fs_read(p, &c, 1), -EBADF);
	EQ(sw_fs_fchmod(p, 0600), -EBADF);
	EQ(sw_fs_fsync(p), -EBADF);
	EQ(sw_fs_dup3(r, r, 0), -EINVAL);
	EQ(sw_fs_dup3(r, 50, 0x7), -EINVAL);
	EQ(sw_fs_dup2(r, -1), -EBADF);
	EQ(sw_fs_dup2(99, 5), -EBADF);
	EQ(sw_fs_dup2(r, r), r);
	EQ(sw_fs_fcntl(r, F_DUPFD, (unsigned long)-1), -EINVAL);
	EQ(sw_fs_fcntl(r, 12345, 0), -EINVAL);
	EQ(sw_fs_mmap(NULL, 4096, PROT_READ, MAP_SHARED, w, 0, &addr), -EACCES);
	EQ(sw_fs_mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, r, 0, &addr), -EACCES);
	EQ(sw_fs_mmap(NULL, 0, PROT_READ, MAP_SHARED, r, 0, &addr), -EINVAL);
	EQ(sw_fs_mmap(NULL, 4096, PROT_READ, MAP_SHARED, r, 100, &addr), -EINVAL);
	EQ(sw_fs_mmap(NULL, 4096, PROT_READ, 0, r, 0, &addr), -EINVAL);
	EQ(sw_fs_mmap(NULL, 4096, PROT_READ, MAP_SHARED, 99, 0, &addr), -EBADF);
	EQ(sw_fs_mmap(NULL, 4096, PROT_READ, MAP_SHARED, d, 0, &addr), -ENODEV);
	EQ(sw_fs_munmap((void *)4097, 4096), -EINVAL);
	struct sw_fs_pin pin;

	EQ(sw_fs_page_pin(99, 0, &pin), -EBADF);
	EQ(sw_fs_page_pin(w, 0, &pin), -EBADF);
	EQ(sw_fs_page_pin(d, 0, &pin), -EISDIR);
	EQ(sw_fs_page_pin(r, 3, &pin), -ENXIO);
	EQ(sw_fs_page_pin(r, 1, &pin), 0);
	EQ(pin.len, 2);
	sw_fs_page_unpin(&pin);
}

TEST_ON_BOTH(flags_that_nobody_knows_are_einval)
{
	struct stat st;

	put_file(test, "/f", "", 0);
	EQ(sw_fs_fstatat(AT_FDCWD, "/f", &st, 0x10000000), -EINVAL);
	EQ(sw_fs_unlinkat(AT_FDCWD, "/f", 0x1), -EINVAL);
	EQ(sw_fs_linkat(AT_FDCWD, "/f", AT_FDCWD, "/g", 0x1), -EINVAL);
	EQ(sw_fs_renameat2(AT_FDCWD, "/f", AT_FDCWD, "/g", 0x100), -EINVAL);
	EQ(sw_fs_renameat2(AT_FDCWD, "/f", AT_FDCWD, "/g", RENAME_NOREPLACE | RENAME_EXCHANGE),
	   -EINVAL);
	EQ(sw_fs_faccessat(AT_FDCWD, "/f", 8, 0), -EINVAL);
	EQ(sw_fs_faccessat(AT_FDCWD, "/f", 0, 0x10000000), -EINVAL);
	EQ(sw_fs_fchmodat(AT_FDCWD, "/f", 0600, 0x1), -EINVAL);
	EQ(sw_fs_fchownat(AT_FDCWD, "/f", 0, 0, 0x1), -EINVAL);
	EQ(sw_fs_utimensat(AT_FDCWD, "/f", NULL, 0x1), -EINVAL);
	EQ(sw_fs_mknod("/x", S_IFDIR | 0755, 0), -EPERM);
	EQ(sw_fs_mknod("/x", 0170000 | 0600, 0), -EINVAL);
	EQ(sw_fs_open("/f", O_TMPFILE | O_RDONLY, 0600), -EINVAL);
	EQ(sw_fs_close_range(5, 2, 0), -EINVAL);
	EQ(sw_fs_stat("/f", &st), 0);
}

TEST_ON_BOTH(a_rename_that_cannot_be_changes_nothing)
{
	struct stat st;

	sw_fs_mkdir("/d", 0755);
	sw_fs_mkdir("/d/e", 0755);
	sw_fs_mkdir("/full", 0755);
	put_file(test, "/full/x", "", 0);
	put_file(test, "/f", "abc", 3);
	EQ(sw_fs_rename("/d", "/d/e/z"), -EINVAL);
	EQ(sw_fs_rename("/d", "/d/e"), -EINVAL);
	EQ(sw_fs_rename("/d/e", "/d"), -ENOTEMPTY);
	EQ(sw_fs_rename("/d", "/full"), -ENOTEMPTY);
	EQ(sw_fs_rename("/d", "/f"), -ENOTDIR);
	EQ(sw_fs_rename("/f", "/d"), -EISDIR);
	EQ(sw_fs_rename("/none", "/g"), -ENOENT);
	EQ(sw_fs_rename("/f", "/none/g"), -ENOENT);
	EQ(sw_fs_rename("/f", "/f"), 0);
	EQ(sw_fs_rename("/", "/d/r"), -EBUSY);
	EQ(sw_fs_rename("/d/.", "/g"), -EBUSY);
	EQ(sw_fs_renameat2(AT_FDCWD, "/f", AT_FDCWD, "/d", RENAME_NOREPLACE), -EEXIST);
	EQ(sw_fs_stat("/f", &st), 0);
	EQ(st.st_size, 3);
	EQ(sw_fs_stat("/d/e", &st), 0);
	EQ(sw_fs_stat("/full/x", &st), 0);
}

KUNIT_TEST(mounts_end_what_names_may_do)
{
	struct stat st;

	mount_tmpfs(test);
	sw_fs_mkdir("/m", 0755);
	put_file(test, "/f", "", 0);
	EQ(sw_fs_mount("nosuchtype", NULL, "/m", 0, NULL), -ENODEV);
	EQ(sw_fs_mount("tmpfs", NULL, "/none", 0, NULL), -ENOENT);
	EQ(sw_fs_mount("tmpfs", NULL, "/f", 0, NULL), -ENOTDIR);
	EQ(sw_fs_mount("tmpfs", NULL, "/m", 0, "nosuchoption=1"), -EINVAL);
	EQ(sw_fs_mount("tmpfs", NULL, "/m", 0, "size=nonsense"), -EINVAL);
	EQ(sw_fs_umount("/f", 0), -EINVAL);
	EQ(sw_fs_umount("/m", 0), -EINVAL);
	EQ(sw_fs_mount("tmpfs", NULL, "/m", 0, NULL), 0);
	EQ(sw_fs_rename("/f", "/m/f"), -EXDEV);
	EQ(sw_fs_link("/f", "/m/f"), -EXDEV);
	EQ(sw_fs_rmdir("/m"), -EBUSY);
	EQ(sw_fs_rename("/m", "/n"), -EBUSY);
	put_file(test, "/m/g", "x", 1);
	int fd = sw_fs_open("/m/g", O_RDONLY, 0);

	EQ(sw_fs_umount("/m", 0), -EBUSY);
	EQ(sw_fs_close(fd), 0);
	EQ(sw_fs_umount("/m", 0), 0);
	EQ(sw_fs_stat("/m/g", &st), -ENOENT);
	EQ(sw_fs_mount("tmpfs", NULL, "/m", MS_RDONLY, NULL), 0);
	EQ(sw_fs_mkdir("/m/x", 0755), -EROFS);
	EQ(sw_fs_open("/m/x", O_CREAT | O_RDWR, 0644), -EROFS);
	EQ(sw_fs_chmod("/m", 0700), -EROFS);
	EQ(sw_fs_access("/m", W_OK), -EROFS);
}

KUNIT_TEST(nothing_is_mounted_at_first)
{
	struct stat st;
	char cwd[10];

	EQ(sw_fs_stat("/", &st), -ENOENT);
	EQ(sw_fs_open("/f", O_CREAT | O_RDWR, 0644), -ENOENT);
	EQ(sw_fs_mkdir("/d", 0755), -ENOENT);
	EQ(sw_fs_getcwd(cwd, sizeof(cwd)), -ENOENT);
	EQ(sw_fs_close(0), -EBADF);
	EQ(sw_fs_umount("/", 0), -ENOENT);
	mount_tmpfs(test);
	EQ(sw_fs_getcwd(cwd, sizeof(cwd)), 2);
	EQ(sw_fs_getcwd(cwd, 1), -ERANGE);
	EQ(sw_fs_umount("/", 0), 0);
	EQ(sw_fs_stat("/", &st), -ENOENT);
}

/* ---- a full file system -------------------------------------------------------------------------------- */

KUNIT_TEST(a_full_tmpfs_is_enospc_and_keeps_what_it_had)
{
	static char block[65536], back[65536];
	struct statfs st;
	ssize_t n;
	int fd;

	KUNIT_ASSERT_EQ(test, sw_fs_mount("tmpfs", NULL, "/", 0, "size=1m,nr_inodes=10"), 0);
	fd = sw_fs_open("/f", O_CREAT | O_RDWR, 0644);
	fill_pattern(block, sizeof(block), 0, 1);
	for (int i = 0; i < 16; i++)
		EQ(sw_fs_write(fd, block, sizeof(block)), (ssize_t)sizeof(block));
	n = sw_fs_write(fd, block, sizeof(block));
	EQ(n, -ENOSPC);
	EQ(sw_fs_statfs("/", &st), 0);
	EQ(st.f_bfree, 0);
	/* What is there may be written again, and read. */
	EQ(sw_fs_pwrite(fd, block, sizeof(block), 65536), (ssize_t)sizeof(block));
	EQ(sw_fs_pread(fd, back, sizeof(back), 15 * 65536), (ssize_t)sizeof(back));
	EQ(memcmp(back, block, sizeof(back)), 0);
	EQ(sw_fs_fallocate(fd, 0, 1 << 20, 4096), -ENOSPC);
	EQ(sw_fs_ftruncate(fd, 0), 0);
	EQ(sw_fs_statfs("/", &st), 0);
	EQ(st.f_bfree, 256);
	for (int i = 0; i < 20; i++) {
		char name[16];
		int r;

		snprintf(name, sizeof(name), "/d%d", i);
		r = sw_fs_mkdir(name, 0755);
		EQ(r, i < 8 ? 0 : -ENOSPC); /* ten inodes; the root and the file have two */
	}
}

/* ---- who may what ------------------------------------------------------------------------------------------ */

TEST_ON_BOTH(permissions_are_by_owner_group_and_others)
{
	const gid_t group = 50;
	struct stat st;
	int fd;

	EQ(sw_fs_setcred(0, 0, 0, NULL), 0);
	sw_fs_chmod("/", 0755);
	sw_fs_mkdir("/d", 0755);
	sw_fs_chmod("/d", 01777);
	put_file(test, "/d/root", "x", 1);
	sw_fs_chmod("/d/root", 0640);
	sw_fs_chown("/d/root", 0, 50);
	EQ(sw_fs_setcred(1000, 1000, 0, NULL), 0);
	EQ(sw_fs_open("/d/root", O_RDONLY, 0), -EACCES);
	EQ(sw_fs_access("/d/root", F_OK), 0);
	EQ(sw_fs_access("/d/root", R_OK), -EACCES);
	EQ(sw_fs_chmod("/d/root", 0666), -EPERM);
	EQ(sw_fs_chown("/d/root", 1000, -1), -EPERM);
	EQ(sw_fs_unlink("/d/root"), -EPERM); /* sticky */
	EQ(sw_fs_rename("/d/root", "/d/mine"), -EPERM);
	EQ(sw_fs_mkdir("/x", 0755), -EACCES);
	EQ(sw_fs_utimensat(AT_FDCWD, "/d/root", NULL, 0), -EACCES);
	EQ(sw_fs_mknod("/d/node", S_IFCHR | 0600, 0x501), -EPERM);
	EQ(sw_fs_chroot("/d"), -EPERM);
	EQ(sw_fs_setcred(1000, 1000, 1, &group), 0);
	fd = sw_fs_open("/d/root", O_RDONLY, 0);
	KUNIT_EXPECT_GE(test, fd, 0);
	EQ(sw_fs_open("/d/root", O_RDWR, 0), -EACCES);
	put_file(test, "/d/mine", "abc", 3);
	EQ(sw_fs_chmod("/d/mine", 04755), 0);
	fd = sw_fs_open("/d/mine", O_WRONLY, 0);
	EQ(sw_fs_write(fd, "x", 1), 1); /* suid goes */
	EQ(sw_fs_stat("/d/mine", &st), 0);
	EQ(st.st_mode & 07777, 0755);
	EQ(sw_fs_chmod("/d/mine", 0), 0);
	EQ(sw_fs_open("/d/mine", O_RDONLY, 0), -EACCES);
	EQ(sw_fs_setcred(0, 0, 0, NULL), 0);
	KUNIT_EXPECT_GE(test, sw_fs_open("/d/mine", O_RDWR, 0), 0);
	EQ(sw_fs_setcred(0, 0, 33, &group), -EINVAL);
	/* In a setgid directory of a group that is not ours setgid falls, even where the umask takes the x. */
	sw_fs_chown("/d", 0, 77);
	sw_fs_chmod("/d", 03777);
	EQ(sw_fs_setcred(1000, 1000, 0, NULL), 0);
	sw_fs_umask(0777);
	EQ(sw_fs_close(sw_fs_open("/d/s", O_CREAT | O_RDWR, 02777)), 0);
	EQ(sw_fs_stat("/d/s", &st), 0);
	EQ(st.st_mode & 07777, 0);
	EQ(st.st_gid, 77);
}

/* ---- tasks ---------------------------------------------------------------------------------------------------- */

KUNIT_TEST(a_task_has_its_own_numbers_directory_and_umask)
{
	struct sw_fs_task *task, *first;
	char cwd[64];
	struct stat st;

	mount_tmpfs(test);
	sw_fs_mkdir("/d", 0755);
	put_file(test, "/f", "abc", 3);
	KUNIT_ASSERT_EQ(test, sw_fs_open("/f", O_RDONLY, 0), 0);
	task = sw_fs_task_create();
	KUNIT_ASSERT_NOT_NULL(test, task);
	first = sw_fs_task_enter(task);
	EQ(sw_fs_fstat(0, &st), -EBADF);
	EQ(sw_fs_chdir("/d"), 0);
	EQ(sw_fs_umask(077), 022);
	EQ(sw_fs_open("f", O_CREAT | O_RDWR, 0666), 0);
	KUNIT_EXPECT_PTR_EQ(test, sw_fs_task_enter(first), task);
	EQ(sw_fs_fstat(0, &st), 0);
	EQ(st.st_size, 3);
	EQ(sw_fs_getcwd(cwd, sizeof(cwd)), 2);
	EQ(sw_fs_umask(022), 022);
	EQ(sw_fs_stat("/d/f", &st), 0);
	EQ(st.st_mode & 07777, 0600);
	sw_fs_task_destroy(task);
	task = sw_fs_task_fork();
	KUNIT_ASSERT_NOT_NULL(test, task);
	sw_fs_task_enter(task);
	EQ(sw_fs_lseek(0, 2, SEEK_SET), 2);
	sw_fs_task_enter(NULL);
	EQ(sw_fs_lseek(0, 0, SEEK_CUR), 2); /* one file, as fork(2) leaves it */
	sw_fs_task_destroy(task);
	sw_fs_task_destroy(NULL);
	EQ(sw_fs_chroot("/d"), 0);
	EQ(sw_fs_stat("/f", &st), 0);
	EQ(sw_fs_stat("/../../f", &st), 0);
	EQ(st.st_mode & 07777, 0600);
}

TEST_ON_BOTH(the_parent_of_a_directory_that_was_renamed_over_is_where_it_was)
{
	struct stat st, parent;

	sw_fs_mkdir("/p", 0755);
	sw_fs_mkdir("/p/x", 0755);
	sw_fs_mkdir("/q", 0755);
	sw_fs_mkdir("/q/y", 0755);
	EQ(sw_fs_stat("/p", &parent), 0);
	EQ(sw_fs_chdir("/p/x"), 0);
	EQ(sw_fs_rename("/q/y", "/p/x"), 0);
	EQ(sw_fs_stat("..", &st), 0);
	EQ(st.st_ino, parent.st_ino);
	EQ(sw_fs_chdir("/"), 0);
	EQ(sw_fs_rmdir("/p/x"), 0);
	EQ(sw_fs_rmdir("/q"), 0);
	EQ(sw_fs_rmdir("/p"), 0);
	EQ(sw_fs_umount("/", 0), 0);
}
