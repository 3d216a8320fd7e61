/* SPDX-License-Identifier: MIT */
/*
 * test_fork.c - a child of a process whose other threads are in the middle of calls can use files
 *
 * Each thread works in a directory of its own; the child works in one that nobody else uses, where no lock
 * of a single file or directory can be in another thread's hands.
 */

#include <sys/wait.h>
#include <time.h>

#include "testfs.h"

static _Atomic bool stop;

static void *work(void *arg)
{
	char dir[32], file[48], other[48];
	struct stat st;

	snprintf(dir, sizeof(dir), "/t%d", (int)(uintptr_t)arg);
	snprintf(file, sizeof(file), "%s/f", dir);
	snprintf(other, sizeof(other), "%s/g", dir);
	while (!atomic_load(&stop)) {
		int fd = sw_fs_open(file, O_CREAT | O_RDWR, 0644);

		sw_fs_close(fd);
		sw_fs_rename(file, other);
		sw_fs_stat(other, &st);
		sw_fs_unlink(other);
	}
	return NULL;
}

static int child_works(void)
{
	struct stat st;
	int fd;

	alarm(20);
	if (sw_fs_stat("/c/kept", &st))
		return 1;
	for (int i = 0; i < 50; i++) {
		fd = sw_fs_open("/c/f", O_CREAT | O_RDWR, 0644);
		if (fd < 0 || sw_fs_close(fd) || sw_fs_rename("/c/f", "/c/g") ||
		    sw_fs_stat("/c/g", &st) || sw_fs_unlink("/c/g") ||
		    sw_fs_stat("/c/g", &st) != -ENOENT)
			return 2;
	}
	return 0;
}

KUNIT_TEST(a_child_forked_amid_calls_can_use_files_that_nobody_was_using, .timeout_s = 200)
{
	pthread_t threads[3];

	testfs_start(test);
	sw_fs_mkdir("/c", 0755);
	testfs_file(test, "/c/kept");
	for (uintptr_t i = 0; i < 3; i++) {
		char dir[32];

		snprintf(dir, sizeof(dir), "/t%d", (int)i);
		sw_fs_mkdir(dir, 0755);
		pthread_create(&threads[i], NULL, work, (void *)i);
	}
	for (int i = 0; i < 30; i++) {
		int status = 0;
		pid_t pid = fork();

		if (!pid)
			_exit(child_works());
		KUNIT_ASSERT_EQ(test, waitpid(pid, &status, 0), pid);
		KUNIT_ASSERT_EQ(test, status, 0);
	}
	atomic_store(&stop, true);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	EQ(sw_fs_umount("/", 0), 0);
}

/* ---- a lock that is held for certain -------------------------------------------------------- */

static _Atomic int held, release;

/* Mounting holds the lock of all mounts, and stays in here. */
static struct dentry *slow_mount(struct file_system_type *type, int flags, const char *dev_name,
				 const char *data)
{
	atomic_store(&held, 1);
	while (!atomic_load(&release))
		sched_yield();
	return testfs_mount(type, flags, dev_name, data);
}

static struct file_system_type slow_type = { .name = "slow",
					     .mount = slow_mount,
					     .kill_sb = kill_anon_super };

static void *mount_slowly(void *err)
{
	*(int *)err = sw_fs_mount("slow", NULL, "/d", 0, NULL);
	return NULL;
}

static void *let_go_later(void *arg UNUSED)
{
	struct timespec t = { .tv_nsec = 200000000 };

	nanosleep(&t, NULL);
	atomic_store(&release, 1);
	return NULL;
}

KUNIT_TEST(fork_waits_for_a_mount_that_is_being_made)
{
	pthread_t mounter, helper;
	int status = 0, err = 1;
	pid_t pid;

	testfs_start(test);
	KUNIT_ASSERT_EQ(test, register_filesystem(&slow_type), 0);
	sw_fs_mkdir("/d", 0755);
	pthread_create(&mounter, NULL, mount_slowly, &err);
	while (!atomic_load(&held))
		sched_yield();
	pthread_create(&helper, NULL, let_go_later, NULL);
	pid = fork();
	if (!pid) {
		alarm(10);
		_exit(sw_fs_umount("/d", 0) != 0);
	}
	KUNIT_ASSERT_EQ(test, waitpid(pid, &status, 0), pid);
	EQ(status, 0);
	pthread_join(mounter, NULL);
	pthread_join(helper, NULL);
	EQ(err, 0);
	EQ(sw_fs_umount("/d", 0), 0);
}
