/* SPDX-License-Identifier: MIT */
/*
 * test_reuse.c - who looks without a reference never takes one file's memory for another file
 *
 * Rooms under test: vfs, fstypes/tmpfs. An inode of tmpfs, and a struct file, are the next one's memory at once. One thread
 * makes and removes things of different kinds, whose memory goes round; others look at them by name and by number all
 * the while. What they see is what has that name, or nothing. Rounds: FS_THREAD_ROUNDS.
 */

#include "fs_test.h"

#include <sys/mount.h>

static _Atomic bool stop;
static _Atomic long looks, wrong, seen;
static char first_wrong[100];

static long rounds(long usual)
{
	const char *text = getenv("FS_THREAD_ROUNDS");

	return text ? atol(text) : usual;
}

static void note_wrong(const char *what, long value)
{
	if (!atomic_fetch_add(&wrong, 1))
		snprintf(first_wrong, sizeof(first_wrong), "%s: %#lx", what, (unsigned long)value);
}

/* What each name is whenever it is there; their inodes are one another's memory. */
static const struct {
	const char *name;
	mode_t mode;
	unsigned int nlink; /* less while it goes */
} kinds[] = {
	{ "/file", S_IFREG | 0641, 1 },
	{ "/dir", S_IFDIR | 0750, 2 },
	{ "/fifo", S_IFIFO | 0604, 1 },
	{ "/link", S_IFLNK | 0777, 1 },
};
#define NR_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void *look_by_name(void *arg)
{
	while (!atomic_load_explicit(&stop, memory_order_relaxed))
		for (size_t i = 0; i < NR_KINDS; i++) {
			struct stat st;
			int err = sw_fs_lstat(kinds[i].name, &st);

			atomic_fetch_add_explicit(&looks, 1, memory_order_relaxed);
			if (err) {
				if (err != -ENOENT)
					note_wrong("lstat", err);
				continue;
			}
			atomic_fetch_add_explicit(&seen, 1, memory_order_relaxed);
			if (st.st_mode != kinds[i].mode)
				note_wrong(kinds[i].name, (long)st.st_mode);
			else if (st.st_nlink > kinds[i].nlink)
				note_wrong("st_nlink", (long)st.st_nlink);
		}
	return arg;
}

/* What is in /link is there under that name, whatever its memory is. */
static void *follow(void *arg)
{
	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		struct stat st;
		int err = sw_fs_stat("/link", &st);

		if (err && err != -ENOENT)
			note_wrong("stat of a link", err);
		else if (!err && st.st_mode != (S_IFREG | 0444))
			note_wrong("what a link leads to", (long)st.st_mode);
	}
	return arg;
}

static void expect_none_wrong(struct kunit *test)
{
	long n = atomic_load(&wrong);

	KUNIT_EXPECT_EQ(test, n, 0L, "first: %s", first_wrong);
}

KUNIT_TEST(a_name_is_what_it_is_while_inodes_change_hands, .timeout_s = 300)
{
	pthread_t thread[3];
	long left = rounds(60000);

	KUNIT_ASSERT_EQ(test, sw_fs_mount("tmpfs", NULL, "/", 0, NULL), 0);
	sw_fs_umask(0);
	sw_fs_close(sw_fs_open("/a-name-that-the-link-has", O_CREAT | O_WRONLY, 0444));
	for (int i = 0; i < 3; i++)
		KUNIT_ASSERT_EQ(
			test,
			pthread_create(&thread[i], NULL, i == 2 ? follow : look_by_name, NULL), 0);
	while (left-- > 0 || !atomic_load(&seen)) {
		KUNIT_ASSERT_GE(test, sw_fs_close(sw_fs_open("/file", O_CREAT | O_EXCL, 0641)), 0);
		KUNIT_ASSERT_EQ(test, sw_fs_unlink("/file"), 0);
		KUNIT_ASSERT_EQ(test, sw_fs_mkdir("/dir", 0750), 0);
		KUNIT_ASSERT_EQ(test, sw_fs_rmdir("/dir"), 0);
		KUNIT_ASSERT_EQ(test, sw_fs_symlink("a-name-that-the-link-has", "/link"), 0);
		KUNIT_ASSERT_EQ(test, sw_fs_unlink("/link"), 0);
		KUNIT_ASSERT_EQ(test, sw_fs_mkfifo("/fifo", 0604), 0);
		KUNIT_ASSERT_EQ(test, sw_fs_unlink("/fifo"), 0);
	}
	stop = true;
	for (int i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	expect_none_wrong(test);
}

static int number; /* under which only files of 'a' are opened */

static void *read_by_number(void *arg)
{
	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		char buf[64];
		ssize_t n = sw_fs_pread(number, buf, sizeof(buf), 0);

		if (n < 0 && n != -EBADF)
			note_wrong("pread", n);
		if (n > 0)
			atomic_fetch_add_explicit(&seen, 1, memory_order_relaxed);
		for (ssize_t i = 0; i < n; i++)
			if (buf[i] != 'a')
				note_wrong("a byte", buf[i]);
	}
	return arg;
}

/* A new file of 64 bytes that has been read once: its atime needs no look, so reads take no reference. */
static int make_file(struct kunit *test, const char *name, char byte)
{
	char buf[64];
	int fd = sw_fs_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);

	memset(buf, byte, sizeof(buf));
	KUNIT_ASSERT_GE(test, fd, 0);
	KUNIT_ASSERT_EQ(test, sw_fs_pwrite(fd, buf, sizeof(buf), 0), (ssize_t)sizeof(buf));
	KUNIT_ASSERT_EQ(test, sw_fs_pread(fd, buf, sizeof(buf), 0), (ssize_t)sizeof(buf));
	return fd;
}

KUNIT_TEST(a_number_reads_its_own_file_while_inodes_and_files_change_hands, .timeout_s = 300)
{
	pthread_t thread[2];
	long left = rounds(60000);

	KUNIT_ASSERT_EQ(test, sw_fs_mount("tmpfs", NULL, "/", MS_NOATIME, NULL), 0);
	for (int i = 0; i < 2; i++)
		KUNIT_ASSERT_EQ(test, pthread_create(&thread[i], NULL, read_by_number, NULL), 0);
	while (left-- > 0 || !atomic_load(&seen)) {
		int a = make_file(test, "/a", 'a'), b = make_file(test, "/b", 'b');

		KUNIT_ASSERT_EQ(test, a, number);
		/* Files and inodes by turns of their own, so that each file's memory meets each inode's. */
		sw_fs_close(left & 1 ? a : b);
		sw_fs_close(left & 1 ? b : a);
		sw_fs_unlink(left & 2 ? "/a" : "/b");
		sw_fs_unlink(left & 2 ? "/b" : "/a");
	}
	stop = true;
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	expect_none_wrong(test);
}

static void *open_on_the_mount(void *arg)
{
	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		int fd = sw_fs_open("/m/file", O_RDONLY, 0);

		if (fd < 0 && fd != -ENOENT)
			note_wrong("open", fd);
		if (fd < 0)
			continue;
		atomic_fetch_add_explicit(&seen, 1, memory_order_relaxed);
		sw_fs_close(fd);
	}
	return arg;
}

/* An open file that the count of its mount misses is a dentry in use when the super block goes: that aborts. */
KUNIT_TEST(umount_is_busy_or_done_while_files_are_opened_and_closed, .timeout_s = 300)
{
	pthread_t thread[2];
	long left = rounds(2000), busy = 0;

	KUNIT_ASSERT_EQ(test, sw_fs_mount("tmpfs", NULL, "/", 0, NULL), 0);
	KUNIT_ASSERT_EQ(test, sw_fs_mkdir("/m", 0755), 0);
	for (int i = 0; i < 2; i++)
		KUNIT_ASSERT_EQ(test, pthread_create(&thread[i], NULL, open_on_the_mount, NULL), 0);
	while (left-- > 0 || !atomic_load(&seen) || !busy) {
		int fd, err;

		KUNIT_ASSERT_EQ(test, sw_fs_mount("tmpfs", NULL, "/m", 0, NULL), 0);
		fd = sw_fs_open("/m/file", O_CREAT | O_RDWR, 0644);
		KUNIT_ASSERT_GE(test, fd, 0);
		KUNIT_ASSERT_EQ(test, sw_fs_umount("/m", 0), -EBUSY);
		sw_fs_close(fd);
		while ((err = sw_fs_umount("/m", left % 8 ? 0 : MNT_DETACH)) == -EBUSY)
			busy++;
		KUNIT_ASSERT_EQ(test, err, 0);
	}
	stop = true;
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	expect_none_wrong(test);
}

static void *unlink_on_the_mount(void *arg)
{
	static const char bytes[64 << 10];

	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		int fd = sw_fs_open("/m/file", O_CREAT | O_RDWR, 0644);
		ssize_t n;
		int err;

		if (fd < 0) {
			note_wrong("open", fd);
			continue;
		}
		n = sw_fs_pwrite(fd, bytes, sizeof(bytes), 0);
		if (n != sizeof(bytes))
			note_wrong("write", (int)n);
		sw_fs_close(fd);
		/* Made here or below; the one of the other world stays. */
		err = sw_fs_unlink("/m/file");
		if (err && err != -ENOENT)
			note_wrong("unlink", err);
		atomic_fetch_add_explicit(&seen, 1, memory_order_relaxed);
	}
	return arg;
}

/* An inode that goes when the mount was let go of asks a super block that is gone: that crashes. */
KUNIT_TEST(an_unlinked_file_is_gone_before_its_mount_may_be, .timeout_s = 300)
{
	long left = rounds(2000);
	pthread_t thread;

	KUNIT_ASSERT_EQ(test, sw_fs_mount("tmpfs", NULL, "/", 0, NULL), 0);
	KUNIT_ASSERT_EQ(test, sw_fs_mkdir("/m", 0755), 0);
	KUNIT_ASSERT_EQ(test, pthread_create(&thread, NULL, unlink_on_the_mount, NULL), 0);
	while (left-- > 0 || atomic_load(&seen) < 100) {
		int err;

		KUNIT_ASSERT_EQ(test, sw_fs_mount("tmpfs", NULL, "/m", 0, NULL), 0);
		while ((err = sw_fs_umount("/m", 0)) == -EBUSY)
			;
		KUNIT_ASSERT_EQ(test, err, 0);
	}
	stop = true;
	pthread_join(thread, NULL);
	expect_none_wrong(test);
}
