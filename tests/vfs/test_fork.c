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

static _Atomic int misses, stay, held, release;

/*
 * Once told so, the name is missed by both looks without a lock (the walk's, d_lookup()'s first), so that it is
 * looked for under the lock of its bucket; and there we stay.
 */
static int slow_compare(const struct dentry *dentry UNUSED, unsigned int len, const char *str,
			const struct qstr *name)
{
	if (atomic_load(&misses) > 0)
		return atomic_fetch_sub(&misses, 1) > 0;
	if (atomic_exchange(&stay, 0)) {
		atomic_store(&held, 1);
		while (!atomic_load(&release))
			sched_yield();
	}
	return len != name->len || memcmp(str, name->name, len) != 0;
}

static void *hold_the_bucket(void *arg UNUSED)
{
	struct stat st;

	atomic_store(&stay, 1);
	atomic_store(&misses, 2);
	sw_fs_stat("/f", &st);
	return NULL;
}

static void *let_go_later(void *arg UNUSED)
{
	struct timespec t = { .tv_nsec = 200000000 };

	nanosleep(&t, NULL);
	atomic_store(&release, 1);
	return NULL;
}

KUNIT_TEST(fork_waits_for_the_lock_of_a_bucket)
{
	static const struct dentry_operations ops = { .d_compare = slow_compare };
	pthread_t holder, helper;
	int status = 0;
	pid_t pid;

	testfs.d_op = &ops;
	testfs_start(test);
	testfs_file(test, "/f");
	pthread_create(&holder, NULL, hold_the_bucket, NULL);
	while (!atomic_load(&held))
		sched_yield();
	pthread_create(&helper, NULL, let_go_later, NULL);
	pid = fork();
	if (!pid) {
		alarm(10);
		_exit(sw_fs_rename("/f", "/g") != 0);
	}
	KUNIT_ASSERT_EQ(test, waitpid(pid, &status, 0), pid);
	EQ(status, 0);
	pthread_join(holder, NULL);
	pthread_join(helper, NULL);
}
