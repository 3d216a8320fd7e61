/* SPDX-License-Identifier: MIT */
/*
 * test_fdtable.c - numbers: lowest first, close-on-exec, growth, copies, threads
 */

#include "testfs.h"

#define NUMBERS 700

/* Random open, dup, dup2, close beside a plain array. */
KUNIT_TEST(numbers_are_what_a_plain_array_says, .timeout_s = 120)
{
	static bool used[NUMBERS * 2], cloexec[NUMBERS * 2];
	uint64_t x = kunit_seed(test) | 1;

	testfs_start(test);
	testfs_file(test, "/f");
	for (int i = 0; i < 100000; i++) {
		unsigned int a, b, lowest = 0;
		bool ce;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		a = (unsigned int)(x >> 20) % NUMBERS;
		b = (unsigned int)(x >> 40) % NUMBERS;
		ce = x >> 60 & 1;
		while (used[lowest])
			lowest++;
		switch (lowest < NUMBERS ? x % 6 : 4) {
		case 0:
		case 1:
			EQ(sw_fs_open("/f", ce ? O_RDONLY | O_CLOEXEC : O_RDONLY, 0), lowest);
			used[lowest] = true;
			cloexec[lowest] = ce;
			break;
		case 2:
			EQ(sw_fs_dup(a), used[a] ? (int)lowest : -EBADF);
			if (used[a]) {
				used[lowest] = true;
				cloexec[lowest] = false;
			}
			break;
		case 3:
			if (a == b)
				break;
			EQ(sw_fs_dup3(a, b, ce ? O_CLOEXEC : 0), used[a] ? (int)b : -EBADF);
			if (used[a]) {
				used[b] = true;
				cloexec[b] = ce;
			}
			break;
		case 4:
			EQ(sw_fs_close(a), used[a] ? 0 : -EBADF);
			used[a] = false;
			break;
		case 5:
			EQ(sw_fs_fcntl(a, F_GETFD, 0), !used[a]   ? -EBADF :
						       cloexec[a] ? FD_CLOEXEC :
								    0);
			break;
		}
	}
	sw_fs_task_exec();
	for (unsigned int i = 0; i < NUMBERS; i++)
		EQ(sw_fs_fcntl(i, F_GETFD, 0), used[i] && !cloexec[i] ? 0 : -EBADF);
	EQ(sw_fs_close_range(0, ~0u, 0), 0);
	EQ(sw_fs_open("/f", O_RDONLY, 0), 0);
	EQ(sw_fs_close(0), 0);
	EQ(atomic_load(&testfs.releases), atomic_load(&testfs.opens));
}

KUNIT_TEST(numbers_end_where_they_end)
{
	testfs_start(test);
	testfs_file(test, "/f");
	EQ(sw_fs_open("/f", O_RDONLY, 0), 0);
	EQ(sw_fs_dup2(0, 1048576), -EBADF);
	EQ(sw_fs_dup2(0, -1), -EBADF);
	EQ(sw_fs_dup2(0, 1048575), 1048575);
	EQ(sw_fs_fcntl(0, F_DUPFD, 1048575), -EMFILE);
	EQ(sw_fs_fcntl(0, F_DUPFD, 1048576), -EINVAL);
	EQ(sw_fs_fcntl(0, F_DUPFD, 100), 100);
	EQ(sw_fs_open("/f", O_RDONLY, 0), 1);
	EQ(sw_fs_dup3(0, 0, 0), -EINVAL);
	EQ(sw_fs_dup2(0, 0), 0);
	EQ(sw_fs_dup2(9, 9), -EBADF);
	EQ(sw_fs_close(1048575), 0);
}

KUNIT_TEST(a_forked_task_has_the_same_files_under_its_own_numbers)
{
	struct sw_fs_task *child;

	testfs_start(test);
	testfs_file(test, "/f");
	for (int i = 0; i < 200; i++)
		EQ(sw_fs_open("/f", O_RDONLY, 0), i);
	child = sw_fs_task_fork();
	sw_fs_task_enter(child);
	EQ(sw_fs_close(3), 0);
	EQ(sw_fs_open("/f", O_RDONLY, 0), 3);
	EQ(sw_fs_close(199), 0);
	sw_fs_task_enter(NULL);
	EQ(sw_fs_fcntl(199, F_GETFD, 0), 0);
	EQ(sw_fs_close_range(0, ~0u, 0), 0);
	/* The child's are open still. */
	KUNIT_EXPECT_LT(test, atomic_load(&testfs.releases), atomic_load(&testfs.opens));
	EQ(sw_fs_umount("/", 0), -EBUSY);
	sw_fs_task_destroy(child);
	EQ(atomic_load(&testfs.releases), atomic_load(&testfs.opens));
	EQ(sw_fs_umount("/", 0), 0);
}

static _Atomic unsigned int owner[256];
static _Atomic unsigned long wrong;

static void *open_and_close(void *arg)
{
	unsigned int me = (unsigned int)(uintptr_t)arg;

	for (int i = 0; i < 20000; i++) {
		int fd = sw_fs_open("/f", O_RDONLY, 0);
		unsigned int free_one = 0;

		if (fd < 0 || fd >= 256 ||
		    !atomic_compare_exchange_strong(&owner[fd], &free_one, me))
			atomic_fetch_add(&wrong, 1);
		else
			atomic_store(&owner[fd], 0);
		if (sw_fs_close(fd))
			atomic_fetch_add(&wrong, 1);
	}
	return NULL;
}

KUNIT_TEST(two_threads_never_get_one_number, .timeout_s = 120)
{
	pthread_t threads[3];

	testfs_start(test);
	testfs_file(test, "/f");
	for (uintptr_t i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, open_and_close, (void *)(i + 1));
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	EQ(atomic_load(&wrong), 0);
	EQ(atomic_load(&testfs.releases), atomic_load(&testfs.opens));
	EQ(sw_fs_umount("/", 0), 0);
}

KUNIT_TEST(a_last_fput_waits_on_the_list_and_is_released_once)
{
	struct file *file;
	unsigned long before;

	testfs_start(test);
	testfs_file(test, "/f");
	file = filp_open("/f", O_RDONLY, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	before = atomic_load(&testfs.releases);
	fput(get_file(file));
	flush_delayed_fput();
	EQ(atomic_load(&testfs.releases), before);
	fput(file);
	EQ(atomic_load(&testfs.releases), before);
	flush_delayed_fput();
	EQ(atomic_load(&testfs.releases), before + 1);
	flush_delayed_fput();
	EQ(atomic_load(&testfs.releases), before + 1);
}
