/* SPDX-License-Identifier: MIT */
/*
 * test_flusher.c - the thread that writes back what is dirty: when it does, what it must not do, how it ends
 *
 * Room under test: vfs (flusher.c). The device is ramdev.h's, which counts pages. Whether a file is written in time
 * is waited for; that one is not written too early is only said while the clock shows that it is too early.
 */

#include "../emulator.h"
#include "fs_test.h"

#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define PAGES(n) ((size_t)(n) << PAGE_SHIFT)
#define HOUR_MS  3600000u
#define PASS_MS  2u /* of the thread, in cases that want many */

/* It has threads of its own, when it likes, and lets no forked child start one. */
#if defined(__SANITIZE_THREAD__)
#define UNDER_TSAN true
#else
#define UNDER_TSAN false
#endif

static char buf[PAGES(128)];

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Until the counter is so large; false: ten seconds passed. */
static bool reaches(const _Atomic unsigned long *counter, unsigned long n)
{
	for (uint64_t start = now_ms(); atomic_load(counter) < n; usleep(1000))
		if (now_ms() - start > 10000)
			return false;
	return true;
}

static void start(struct kunit *test, unsigned int interval_ms, unsigned int expire_ms)
{
	struct sw_cache_limits limits = { .writeback_interval_ms = interval_ms,
					  .dirty_expire_ms = expire_ms };

	mount_ramdev(test);
	sw_cache_set_limits(&limits);
	KUNIT_ASSERT_EQ(test, sw_fs_start_writeback(), 0);
}

static int dirty_file(struct kunit *test, const char *path, size_t pages)
{
	int fd = sw_fs_open(path, O_CREAT | O_RDWR, 0644);

	KUNIT_ASSERT_GE(test, fd, 0);
	KUNIT_ASSERT_EQ(test, sw_fs_pwrite(fd, buf, PAGES(pages), 0), (ssize_t)PAGES(pages));
	return fd;
}

/* Threads of this process; the one that is not ours in @other. */
static int threads(pid_t *other)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	int n = 0;

	*other = 0;
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		n++;
		if (atoi(entry->d_name) != getpid())
			*other = atoi(entry->d_name);
	}
	if (dir)
		closedir(dir);
	return n;
}

/* A thread that was joined may be seen for a moment yet. */
static bool threads_become(int n)
{
	pid_t other;

	for (uint64_t start = now_ms(); threads(&other) != n; usleep(1000))
		if (now_ms() - start > 10000)
			return false;
	return true;
}

/* ---- when ------------------------------------------------------------------------------------ */

KUNIT_TEST(a_file_is_written_back_once_it_has_been_dirty_for_long_enough)
{
	const unsigned int expire_ms = 400;
	uint64_t dirtied, now;

	start(test, PASS_MS, expire_ms);
	dirtied = now_ms();
	dirty_file(test, "/f", 10);
	do {
		unsigned long writes = atomic_load(&ramdev.writes);

		now = now_ms();
		/* The clock that files are stamped with may be a tick behind. */
		if (now - dirtied < expire_ms - 20)
			KUNIT_ASSERT_EQ(test, writes, 0, "after %lu ms",
					(unsigned long)(now - dirtied));
		usleep(1000);
	} while (now - dirtied < expire_ms);
	KUNIT_EXPECT_TRUE(test, reaches(&ramdev.writes, 10));
	sw_fs_stop_writeback();
	KUNIT_EXPECT_EQ(test, ramdev.writes, 10);
}

KUNIT_TEST(a_file_that_is_written_again_and_again_does_not_stay_young)
{
	uint64_t began;
	int fd;

	start(test, PASS_MS, 50);
	fd = dirty_file(test, "/f", 1);
	for (began = now_ms(); !atomic_load(&ramdev.writes) && now_ms() - began < 10000;)
		KUNIT_ASSERT_EQ(test, sw_fs_pwrite(fd, buf, 64, 0), 64);
	KUNIT_EXPECT_GE(test, ramdev.writes, 1);
	sw_fs_stop_writeback();
}

KUNIT_TEST(an_inode_without_dirty_pages_is_written_back_too)
{
	struct ramdev_stat st;
	int fd;

	start(test, PASS_MS, 1);
	fd = dirty_file(test, "/f", 1);
	KUNIT_ASSERT_EQ(test, sw_fs_fsync(fd), 0);
	ramdev_reset();
	KUNIT_ASSERT_EQ(test, sw_fs_chmod("/f", 0600), 0);
	KUNIT_EXPECT_TRUE(test, reaches(&ramdev.ops[OP_WRITE_INODE], 1));
	sw_fs_stop_writeback();
	KUNIT_ASSERT_TRUE(test, ramdev_inode(ramdev_entry("f"), &st));
	KUNIT_EXPECT_EQ(test, st.mode & 07777, 0600);
	KUNIT_EXPECT_EQ(test, ramdev.writes, 0);
}

KUNIT_TEST(a_writer_past_the_background_limit_wakes_it)
{
	struct sw_cache_limits limits = { .writeback_interval_ms = HOUR_MS,
					  .dirty_expire_ms = HOUR_MS,
					  .background_pages = 16,
					  .dirty_pages = 100000 };

	mount_ramdev(test);
	sw_cache_set_limits(&limits);
	KUNIT_ASSERT_EQ(test, sw_fs_start_writeback(), 0);
	dirty_file(test, "/f", 128);
	KUNIT_EXPECT_TRUE(test, reaches(&ramdev.writes, 1));
	sw_fs_stop_writeback();
}

/* ---- what does not stop it ----------------------------------------------------------------------- */

KUNIT_TEST(a_device_that_refuses_one_file_still_gets_the_next)
{
	int fd, other;

	start(test, PASS_MS, 1);
	atomic_store(&ramdev.fail_writes, 4);
	fd = dirty_file(test, "/f", 4);
	for (uint64_t began = now_ms(); atomic_load(&ramdev.fail_writes) > 0; usleep(1000))
		KUNIT_ASSERT_LT(test, now_ms() - began, 10000);
	ramdev_reset();
	other = dirty_file(test, "/g", 5);
	KUNIT_EXPECT_TRUE(test, reaches(&ramdev.writes, 5));
	sw_fs_stop_writeback();
	KUNIT_EXPECT_EQ(test, sw_fs_fsync(fd), -EIO);
	KUNIT_EXPECT_EQ(test, sw_fs_fsync(fd), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_fsync(other), 0);
}

/* The umount that says it is done is: the thread has no part of it in hand. */
KUNIT_TEST(file_systems_come_and_go_while_it_runs, .timeout_s = 120)
{
	start(test, 1, 1);
	for (int i = 0; i < 200; i++) {
		struct ramdev_stat st;
		int fd = dirty_file(test, "/f", 3);

		KUNIT_ASSERT_EQ(test, sw_fs_ftruncate(fd, (sw_loff_t)PAGES(2) + i), 0);
		KUNIT_ASSERT_EQ(test, sw_fs_close(fd), 0);
		KUNIT_ASSERT_EQ(test, ramdev_remount(), 0);
		KUNIT_ASSERT_TRUE(test, ramdev_inode(ramdev_entry("f"), &st));
		KUNIT_ASSERT_EQ(test, st.size, (sw_loff_t)PAGES(2) + i);
		if (i % 2)
			KUNIT_ASSERT_EQ(test, sw_fs_unlink("/f"), 0);
	}
	sw_fs_stop_writeback();
}

/* ---- the thread itself ------------------------------------------------------------------------------ */

KUNIT_TEST(however_often_it_is_started_there_is_one_thread)
{
	pid_t other;
	int before;

	if (UNDER_TSAN)
		kunit_skip(test, "threads are not only ours");
	mount_ramdev(test);
	before = threads(&other);
	for (int i = 0; i < 3; i++)
		KUNIT_ASSERT_EQ(test, sw_fs_start_writeback(), 0);
	KUNIT_EXPECT_EQ(test, threads(&other), before + 1);
	sw_fs_stop_writeback();
	KUNIT_EXPECT_TRUE(test, threads_become(before));
	sw_fs_stop_writeback();
	KUNIT_EXPECT_EQ(test, sw_fs_start_writeback(), 0);
	KUNIT_EXPECT_EQ(test, threads(&other), before + 1);
	sw_fs_stop_writeback();
}

KUNIT_TEST(it_is_stopped_at_once_though_its_interval_is_long)
{
	uint64_t began;

	start(test, HOUR_MS, HOUR_MS);
	dirty_file(test, "/f", 4);
	began = now_ms();
	sw_fs_stop_writeback();
	KUNIT_EXPECT_LT(test, now_ms() - began, 5000);
	KUNIT_EXPECT_EQ(test, ramdev.writes, 0);
}

KUNIT_TEST(what_is_dirty_when_it_is_stopped_stays_for_fsync)
{
	int fd;

	start(test, HOUR_MS, HOUR_MS);
	fd = dirty_file(test, "/f", 4);
	sw_fs_stop_writeback();
	KUNIT_EXPECT_EQ(test, sw_fs_fsync(fd), 0);
	KUNIT_EXPECT_EQ(test, ramdev.writes, 4);
}

KUNIT_TEST(it_takes_no_signal_of_the_programs)
{
	char path[64], line[256];
	unsigned long long blocked = 0;
	pid_t other;
	FILE *f;

	if (UNDER_TSAN)
		kunit_skip(test, "threads are not only ours");
	skip_if_emulated(test, "an emulator has threads of its own");
	start(test, PASS_MS, 1);
	KUNIT_ASSERT_EQ(test, threads(&other), 2);
	/* libc starts a thread with all signals blocked: until it has worked, it shows nothing. */
	dirty_file(test, "/f", 1);
	KUNIT_ASSERT_TRUE(test, reaches(&ramdev.writes, 1));
	snprintf(path, sizeof(path), "/proc/self/task/%d/status", (int)other);
	f = fopen(path, "re");
	KUNIT_ASSERT_NOT_NULL(test, f);
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, "SigBlk:", 7))
			blocked = strtoull(line + 7, NULL, 16);
	fclose(f);
	sw_fs_stop_writeback();
	for (int sig = 1; sig < 32; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			KUNIT_EXPECT_TRUE(test, blocked >> (sig - 1) & 1, "signal %d", sig);
}

/* The parent's thread is not here; a limit that is passed must not wait for it. */
static int child_without(void)
{
	struct sw_cache_limits limits = { .background_pages = 8, .dirty_pages = 16 };
	unsigned long before = atomic_load(&ramdev.writes);
	int fd = sw_fs_open("/child", O_CREAT | O_RDWR, 0644);

	alarm(20);
	sw_cache_set_limits(&limits);
	for (int i = 0; i < 256; i++)
		if (sw_fs_write(fd, buf, PAGE_SIZE) != PAGE_SIZE)
			return 1;
	return atomic_load(&ramdev.writes) == before ? 2 : 0;
}

static int child_with_its_own(void)
{
	unsigned long before = atomic_load(&ramdev.writes);
	pid_t other;
	int fd, had = threads(&other);

	alarm(20);
	if (sw_fs_start_writeback() || threads(&other) != had + 1)
		return 1;
	fd = sw_fs_open("/child", O_CREAT | O_RDWR, 0644);
	if (sw_fs_write(fd, buf, PAGES(7)) != PAGES(7))
		return 2;
	if (!reaches(&ramdev.writes, before + 7))
		return 3;
	sw_fs_stop_writeback();
	return threads_become(had) ? 0 : 4;
}

static void in_a_child(struct kunit *test, int (*fn)(void))
{
	int status = -1;
	pid_t pid;

	start(test, PASS_MS, 1);
	pid = fork();
	if (!pid)
		_exit(fn());
	KUNIT_ASSERT_EQ(test, waitpid(pid, &status, 0), pid);
	KUNIT_EXPECT_EQ(test, status, 0);
	/* And here it goes on. */
	ramdev_reset();
	dirty_file(test, "/parent", 3);
	KUNIT_EXPECT_TRUE(test, reaches(&ramdev.writes, 3));
	sw_fs_stop_writeback();
}

KUNIT_TEST(a_forked_child_writes_back_itself, .timeout_s = 60)
{
	in_a_child(test, child_without);
}

KUNIT_TEST(a_forked_child_can_start_one_of_its_own, .timeout_s = 60)
{
	if (UNDER_TSAN)
		kunit_skip(test, "a child may start no thread");
	in_a_child(test, child_with_its_own);
}
