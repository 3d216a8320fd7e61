/* SPDX-License-Identifier: MIT */
/*
 * test_locks.c - record locks beside an array of bytes; who waits; what a close drops
 */

#include <sys/file.h>

#include "testfs.h"

#define BYTES 24

static int set(int fd, int cmd, short type, off_t start, off_t len)
{
	struct flock f = { .l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len };

	return sw_fs_fcntl(fd, cmd, (unsigned long)&f);
}

/* What byte @at is locked with by others than the open file @fd: F_UNLCK, F_RDLCK, F_WRLCK. */
static short seen_by(int fd, off_t at)
{
	struct flock f = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = at, .l_len = 1 };

	return sw_fs_fcntl(fd, F_OFD_GETLK, (unsigned long)&f) ? -1 : f.l_type;
}

KUNIT_TEST(record_locks_are_what_an_array_of_bytes_says, .timeout_s = 120)
{
	short model[2][BYTES];
	uint64_t x = kunit_seed(test) | 1;
	int fd[3];

	testfs_start(test);
	testfs_file(test, "/f");
	for (int i = 0; i < 3; i++)
		fd[i] = sw_fs_open("/f", O_RDWR, 0);
	for (int i = 0; i < BYTES; i++)
		model[0][i] = model[1][i] = F_UNLCK;
	for (int i = 0; i < 20000; i++) {
		static const short types[] = { F_RDLCK, F_WRLCK, F_UNLCK };
		unsigned int who, start, len;
		bool refused = false;
		short type;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		who = x >> 10 & 1;
		type = types[(x >> 20) % 3];
		start = (unsigned int)(x >> 30) % BYTES;
		len = 1 + (unsigned int)(x >> 40) % (BYTES - start);
		for (unsigned int b = start; b < start + len; b++)
			if (type != F_UNLCK && model[!who][b] != F_UNLCK &&
			    (type == F_WRLCK || model[!who][b] == F_WRLCK))
				refused = true;
		EQ(set(fd[who], F_OFD_SETLK, type, start, len), refused ? -EAGAIN : 0);
		for (unsigned int b = start; b < start + len && !refused; b++)
			model[who][b] = type;
		for (int w = 0; w < 2; w++) {
			unsigned int b = (unsigned int)(x >> 50) % BYTES;

			EQ(seen_by(fd[!w], b), model[w][b]);
		}
	}
}

KUNIT_TEST(closing_any_number_of_a_file_drops_the_tasks_record_locks)
{
	int a, b;

	testfs_start(test);
	testfs_file(test, "/f");
	a = sw_fs_open("/f", O_RDWR, 0);
	b = sw_fs_open("/f", O_RDWR, 0);
	EQ(set(a, F_SETLK, F_WRLCK, 0, 10), 0);
	EQ(seen_by(a, 5), F_WRLCK);
	EQ(sw_fs_close(b), 0);
	EQ(seen_by(a, 5), F_UNLCK);
	/* Those of the open file stay until its last number goes. */
	b = sw_fs_open("/f", O_RDWR, 0);
	EQ(set(b, F_OFD_SETLK, F_WRLCK, 0, 10), 0);
	EQ(sw_fs_dup(b), 2);
	EQ(sw_fs_close(b), 0);
	EQ(seen_by(a, 5), F_WRLCK);
	EQ(sw_fs_close(2), 0);
	EQ(seen_by(a, 5), F_UNLCK);
}

KUNIT_TEST(a_lock_wants_the_mode_it_is_for)
{
	struct flock f = { .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = -1, .l_len = 1 };
	int r, w;

	testfs_start(test);
	testfs_file(test, "/f");
	r = sw_fs_open("/f", O_RDONLY, 0);
	w = sw_fs_open("/f", O_WRONLY, 0);
	EQ(set(r, F_SETLK, F_WRLCK, 0, 1), -EBADF);
	EQ(set(w, F_SETLK, F_RDLCK, 0, 1), -EBADF);
	EQ(set(r, F_SETLK, 77, 0, 1), -EINVAL);
	EQ(sw_fs_fcntl(r, F_SETLK, (unsigned long)&f), -EINVAL);
	f.l_start = INT64_MAX;
	f.l_len = 2;
	EQ(sw_fs_fcntl(r, F_SETLK, (unsigned long)&f), -EOVERFLOW);
	f.l_len = 1;
	f.l_pid = 1;
	EQ(sw_fs_fcntl(r, F_OFD_SETLK, (unsigned long)&f), -EINVAL);
}

static struct sw_fs_task *second;
static _Atomic int second_err = 1;

/* Has byte 1, wants byte 0. */
static void *second_waits(void *arg UNUSED)
{
	int fd, err;

	sw_fs_task_enter(second);
	fd = sw_fs_open("/f", O_RDWR, 0);
	err = set(fd, F_SETLK, F_WRLCK, 1, 1);
	atomic_store(&second_err, err);
	if (!err)
		err = set(fd, F_SETLKW, F_WRLCK, 0, 1);
	atomic_store(&second_err, err);
	sw_fs_close(fd);
	sw_fs_task_enter(NULL);
	return NULL;
}

KUNIT_TEST(two_tasks_that_wait_for_each_other_are_edeadlk)
{
	pthread_t thread;
	int fd, err;

	testfs_start(test);
	testfs_file(test, "/f");
	second = sw_fs_task_create();
	fd = sw_fs_open("/f", O_RDWR, 0);
	EQ(set(fd, F_SETLK, F_WRLCK, 0, 1), 0);
	pthread_create(&thread, NULL, second_waits, NULL);
	while (atomic_load(&second_err) == 1)
		sched_yield();
	/* Whoever comes second into the circle is told; the other one gets it when we let go. */
	err = set(fd, F_SETLKW, F_WRLCK, 1, 1);
	KUNIT_EXPECT_TRUE(test, err == -EDEADLK || err == 0);
	EQ(sw_fs_close(fd), 0);
	pthread_join(thread, NULL);
	KUNIT_EXPECT_TRUE(test, (atomic_load(&second_err) == -EDEADLK) != (err == -EDEADLK));
	sw_fs_task_destroy(second);
}

KUNIT_TEST(flock_is_of_the_open_file)
{
	int a, b, c;

	testfs_start(test);
	testfs_file(test, "/f");
	a = sw_fs_open("/f", O_RDONLY, 0);
	b = sw_fs_open("/f", O_RDONLY, 0);
	c = sw_fs_dup(a);
	EQ(sw_fs_flock(a, LOCK_EX), 0);
	EQ(sw_fs_flock(b, LOCK_SH | LOCK_NB), -EWOULDBLOCK);
	EQ(sw_fs_flock(c, LOCK_SH), 0);
	EQ(sw_fs_flock(b, LOCK_SH | LOCK_NB), 0);
	EQ(sw_fs_flock(a, LOCK_EX | LOCK_NB), -EWOULDBLOCK);
	EQ(sw_fs_close(b), 0);
	EQ(sw_fs_flock(a, LOCK_EX | LOCK_NB), 0);
	EQ(sw_fs_flock(a, 99), -EINVAL);
	EQ(sw_fs_close(a), 0);
	b = sw_fs_open("/f", O_RDONLY, 0);
	EQ(sw_fs_flock(b, LOCK_SH | LOCK_NB), -EWOULDBLOCK);
	EQ(sw_fs_close(c), 0);
	EQ(sw_fs_flock(b, LOCK_SH | LOCK_NB), 0);
}
