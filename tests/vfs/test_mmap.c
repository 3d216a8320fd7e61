/* SPDX-License-Identifier: MIT */
/*
 * test_mmap.c - files as memory. Room under test: vfs (mmap.c, fault.c, uffd.c), with cache/pool.c.
 *
 * Each case runs twice: filled when touched, and filled at once (as where userfaultfd is forbidden). Where
 * it is forbidden here, both are the second.
 */

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kunit/test.h>

#include <slabwork/fs/fs.h>
#include <slabwork/fs/vfs.h>

#include "cache/pool.h"
#include "lib/prng.h"
#include "vfs/area.h"

#define PAGES(n) ((size_t)(n)*PAGE_SIZE)

static const bool modes[] = { false, true };

static void mode_desc(const bool *never_lazy, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s",
		 *never_lazy ? "filled at once" : "when touched");
}
KUNIT_ARRAY_PARAM(mode, modes, mode_desc);

static int mmap_test_init(struct kunit *test)
{
	(void)test;
	return sw_fs_mount("tmpfs", NULL, "/", 0, "size=256m");
}

/* For cases of this suite only. */
static int new_file(struct kunit *test, const char *path, size_t size)
{
	int fd;

	area_never_lazy = *(const bool *)test->param_value;
	fd = sw_fs_open(path, O_CREAT | O_RDWR | O_TRUNC, 0644);
	KUNIT_ASSERT_GE(test, fd, 0);
	KUNIT_ASSERT_EQ(test, sw_fs_ftruncate(fd, (int64_t)size), 0);
	return fd;
}

static char *map(struct kunit *test, int fd, size_t size, int prot, int flags, int64_t offset)
{
	void *addr = NULL;

	KUNIT_ASSERT_EQ(test, sw_fs_mmap(NULL, size, prot, flags, fd, offset, &addr), 0);
	return addr;
}

#define RW (PROT_READ | PROT_WRITE)

static bool all_bytes(const char *p, char c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (((volatile const char *)p)[i] != c)
			return false;
	return true;
}

/* SIGBUS or SIGSEGV of one access. */
static sigjmp_buf on_fault;

static void fault_handler(int sig)
{
	siglongjmp(on_fault, sig);
}

/* The signal that touching *p raises, 0: none. */
static int touch(volatile char *p, bool write)
{
	struct sigaction action = { .sa_handler = fault_handler }, old[2];
	int sig;

	sigaction(SIGBUS, &action, &old[0]);
	sigaction(SIGSEGV, &action, &old[1]);
	sig = sigsetjmp(on_fault, 1);
	if (!sig) {
		if (write)
			*p = 1;
		else
			(void)*p;
	}
	sigaction(SIGBUS, &old[0], NULL);
	sigaction(SIGSEGV, &old[1], NULL);
	return sig;
}

/* ---- the same bytes by every way ------------------------------------------------------------- */

static void stores_are_read_and_writes_are_loaded(struct kunit *test)
{
	int fd = new_file(test, "/f", PAGES(8));
	char buf[100], *p;

	sw_fs_pwrite(fd, "before", 6, (int64_t)PAGES(3) - 3);
	p = map(test, fd, PAGES(8), RW, MAP_SHARED, 0);
	KUNIT_EXPECT_EQ(test, memcmp(p + PAGES(3) - 3, "before", 6), 0);
	KUNIT_EXPECT_TRUE(test, all_bytes(p, 0, PAGES(3) - 3));
	memcpy(p + PAGES(5) + 7, "stored", 6);
	KUNIT_EXPECT_EQ(test, sw_fs_pread(fd, buf, 6, (int64_t)PAGES(5) + 7), 6);
	KUNIT_EXPECT_EQ(test, memcmp(buf, "stored", 6), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_pwrite(fd, "after", 5, (int64_t)PAGES(5) + 7), 5);
	KUNIT_EXPECT_EQ(test, memcmp(p + PAGES(5) + 7, "afterd", 6), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_munmap(p, PAGES(8)), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_pread(fd, buf, 6, (int64_t)PAGES(5) + 7), 6);
	KUNIT_EXPECT_EQ(test, memcmp(buf, "afterd", 6), 0);
}

static void two_mappings_and_two_files_do_not_mix(struct kunit *test)
{
	int a = new_file(test, "/a", PAGES(40)), b = new_file(test, "/b", PAGES(40));
	char *pa, *pb, *again;

	pa = map(test, a, PAGES(40), RW, MAP_SHARED, 0);
	pb = map(test, b, PAGES(40), RW, MAP_SHARED, 0);
	again = map(test, a, PAGES(20), RW, MAP_SHARED, (int64_t)PAGES(20));
	for (int i = 0; i < 40; i++) {
		memset(pa + PAGES(i), 'a' + i % 20, PAGE_SIZE);
		memset(pb + PAGES(i), 'A' + i % 20, PAGE_SIZE);
	}
	for (int i = 0; i < 40; i++) {
		KUNIT_EXPECT_TRUE(test, all_bytes(pa + PAGES(i), (char)('a' + i % 20), PAGE_SIZE));
		KUNIT_EXPECT_TRUE(test, all_bytes(pb + PAGES(i), (char)('A' + i % 20), PAGE_SIZE));
	}
	for (int i = 0; i < 20; i++)
		KUNIT_EXPECT_TRUE(test, all_bytes(again + PAGES(i), (char)('a' + i), PAGE_SIZE));
}

static void a_private_mapping_keeps_its_stores_to_itself(struct kunit *test)
{
	int fd = new_file(test, "/f", PAGES(4));
	char buf[2], *mine, *shared;

	sw_fs_pwrite(fd, "xxxx", 4, 0);
	mine = map(test, fd, PAGES(4), RW, MAP_PRIVATE, 0);
	shared = map(test, fd, PAGES(4), RW, MAP_SHARED, 0);
	mine[0] = 'm';
	KUNIT_EXPECT_EQ(test, shared[0], 'x');
	KUNIT_EXPECT_EQ(test, sw_fs_pread(fd, buf, 2, 0), 2);
	KUNIT_EXPECT_EQ(test, buf[0], 'x');
	shared[0] = 's';
	KUNIT_EXPECT_EQ(test, mine[0], 'm');
	/* Cache pressure does not touch it. */
	sw_cache_reclaim(1000);
	KUNIT_EXPECT_EQ(test, mine[0], 'm');
}

/* ---- sizes ------------------------------------------------------------------------------------ */

static void past_the_end_is_sigbus_until_the_file_grows(struct kunit *test)
{
	int fd = new_file(test, "/f", PAGES(1) + 1);
	char *p = map(test, fd, PAGES(4), RW, MAP_SHARED, 0);
	struct sw_fs_vma vma;

	KUNIT_ASSERT_EQ(test, sw_fs_vma(p, &vma), 0);
	KUNIT_EXPECT_EQ(test, touch(p + PAGES(1) + 4095, true), 0);
	if (vma.lazy)
		KUNIT_EXPECT_EQ(test, touch(p + PAGES(2), false), SIGBUS);
	else
		KUNIT_EXPECT_EQ(test, p[PAGES(2)], 0);
	KUNIT_EXPECT_EQ(test, sw_fs_pwrite(fd, "grown", 5, (int64_t)PAGES(2)), 5);
	KUNIT_EXPECT_EQ(test, memcmp(p + PAGES(2), "grown", 5), 0);
	/* What was stored past the old end did not become contents. */
	KUNIT_EXPECT_EQ(test, p[PAGES(1) + 4095], 0);
	p[PAGES(2)] = 'G';
	KUNIT_EXPECT_EQ(test, sw_fs_ftruncate(fd, (int64_t)PAGES(4)), 0);
	p[PAGES(3)] = 'z';
	char back[1];

	KUNIT_EXPECT_EQ(test, sw_fs_pread(fd, back, 1, (int64_t)PAGES(3)), 1);
	KUNIT_EXPECT_EQ(test, back[0], 'z');
	KUNIT_EXPECT_EQ(test, sw_fs_pread(fd, back, 1, (int64_t)PAGES(2)), 1);
	KUNIT_EXPECT_EQ(test, back[0], 'G');
}

static void a_truncated_file_is_gone_from_its_mappings(struct kunit *test)
{
	int fd = new_file(test, "/f", PAGES(16));
	char *p = map(test, fd, PAGES(16), RW, MAP_SHARED, 0);
	struct sw_fs_vma vma;

	memset(p, 'x', PAGES(16));
	KUNIT_EXPECT_EQ(test, sw_fs_ftruncate(fd, (int64_t)PAGES(2) + 10), 0);
	KUNIT_EXPECT_TRUE(test, all_bytes(p, 'x', PAGES(2) + 10));
	KUNIT_EXPECT_TRUE(test, all_bytes(p + PAGES(2) + 10, 0, PAGE_SIZE - 10));
	sw_fs_vma(p, &vma);
	if (vma.lazy)
		KUNIT_EXPECT_EQ(test, touch(p + PAGES(3), false), SIGBUS);
	KUNIT_EXPECT_EQ(test, sw_fs_ftruncate(fd, (int64_t)PAGES(16)), 0);
	KUNIT_EXPECT_TRUE(test, all_bytes(p + PAGES(3), 0, PAGES(13)));
	p[PAGES(9)] = 'n';
	char back = 0;

	KUNIT_EXPECT_EQ(test, sw_fs_pread(fd, &back, 1, (int64_t)PAGES(9)), 1);
	KUNIT_EXPECT_EQ(test, back, 'n');
}

static void a_punched_hole_is_zeros_in_a_mapping_and_can_be_stored_to(struct kunit *test)
{
	int fd = new_file(test, "/f", PAGES(16));
	char *p = map(test, fd, PAGES(16), RW, MAP_SHARED, 0), back = 0;
	struct stat st;

	memset(p, 'x', PAGES(16));
	KUNIT_EXPECT_EQ(test,
			sw_fs_fallocate(fd, 3 /* PUNCH_HOLE | KEEP_SIZE */, (int64_t)PAGES(4),
					(int64_t)PAGES(4)),
			0);
	KUNIT_EXPECT_TRUE(test, all_bytes(p + PAGES(4), 0, PAGES(4)));
	KUNIT_EXPECT_TRUE(test, all_bytes(p + PAGES(8), 'x', PAGES(8)));
	p[PAGES(5)] = 'n';
	KUNIT_EXPECT_EQ(test, sw_fs_pread(fd, &back, 1, (int64_t)PAGES(5)), 1);
	KUNIT_EXPECT_EQ(test, back, 'n');
	KUNIT_EXPECT_EQ(test, sw_fs_fstat(fd, &st), 0);
	KUNIT_EXPECT_EQ(test, st.st_size, PAGES(16));
}

static void the_limit_of_the_file_system_is_sigbus(struct kunit *test)
{
	char *p;
	int fd;

	sw_fs_mkdir("/small", 0755);
	KUNIT_ASSERT_EQ(test, sw_fs_mount("tmpfs", NULL, "/small", 0, "size=16k"), 0);
	fd = new_file(test, "/small/f", PAGES(8));
	p = map(test, fd, PAGES(8), RW, MAP_SHARED, 0);
	if (area_never_lazy || !uffd_usable())
		return;
	for (int i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, touch(p + PAGES(i), true), 0);
	KUNIT_EXPECT_EQ(test, touch(p + PAGES(4), true), SIGBUS);
}

/* ---- parts --------------------------------------------------------------------------------------- */

static void parts_are_unmapped_and_the_rest_stays(struct kunit *test)
{
	int fd = new_file(test, "/f", PAGES(600));
	struct sw_fs_vma vma;
	char *p, back = 0;

	/* One large folio under it, cut in its middle. */
	KUNIT_ASSERT_EQ(test, sw_fs_fallocate(fd, 0, 0, (int64_t)PAGES(600)), 0);
	p = map(test, fd, PAGES(600), RW, MAP_SHARED, 0);
	for (int i = 0; i < 600; i++)
		p[PAGES(i)] = (char)i;
	KUNIT_EXPECT_EQ(test, sw_fs_munmap(p + PAGES(100), PAGES(50)), 0);
	KUNIT_EXPECT_EQ(test, touch(p + PAGES(100), false), SIGSEGV);
	KUNIT_EXPECT_EQ(test, touch(p + PAGES(149), false), SIGSEGV);
	for (int i = 0; i < 600; i++)
		if (i < 100 || i >= 150)
			KUNIT_EXPECT_EQ(test, p[PAGES(i)], (char)i);
	KUNIT_EXPECT_EQ(test, sw_fs_vma(p + PAGES(120), &vma), -ENOENT);
	KUNIT_ASSERT_EQ(test, sw_fs_vma(p + PAGES(150), &vma), 0);
	KUNIT_EXPECT_EQ(test, vma.start, (uintptr_t)p + PAGES(150));
	KUNIT_EXPECT_EQ(test, vma.end, (uintptr_t)p + PAGES(600));
	p[PAGES(200)] = 'q';
	KUNIT_EXPECT_EQ(test, sw_fs_pread(fd, &back, 1, (int64_t)PAGES(200)), 1);
	KUNIT_EXPECT_EQ(test, back, 'q');
	/* The rest, over the hole, in one go. */
	KUNIT_EXPECT_EQ(test, sw_fs_munmap(p, PAGES(600)), 0);
	KUNIT_EXPECT_EQ(test, touch(p, false), SIGSEGV);
	KUNIT_EXPECT_EQ(test, touch(p + PAGES(599), false), SIGSEGV);
}

static void map_fixed_replaces_what_is_there(struct kunit *test)
{
	int a = new_file(test, "/a", PAGES(8)), b = new_file(test, "/b", PAGES(8));
	char *p = map(test, a, PAGES(8), RW, MAP_SHARED, 0);
	void *got = NULL;

	memset(p, 'a', PAGES(8));
	sw_fs_pwrite(b, "bbbb", 4, (int64_t)PAGES(1));
	KUNIT_ASSERT_EQ(test,
			sw_fs_mmap(p + PAGES(3), PAGES(2), PROT_READ, MAP_SHARED | MAP_FIXED, b,
				   (int64_t)PAGES(1), &got),
			0);
	KUNIT_EXPECT_PTR_EQ(test, got, (void *)(p + PAGES(3)));
	KUNIT_EXPECT_EQ(test, memcmp(p + PAGES(3), "bbbb", 4), 0);
	KUNIT_EXPECT_TRUE(test, all_bytes(p, 'a', PAGES(3)));
	KUNIT_EXPECT_TRUE(test, all_bytes(p + PAGES(5), 'a', PAGES(3)));
	KUNIT_EXPECT_EQ(test, touch(p + PAGES(3), true), SIGSEGV);
}

static void a_mapping_outlives_fd_and_name(struct kunit *test)
{
	int fd = new_file(test, "/f", PAGES(4));
	char *p = map(test, fd, PAGES(4), RW, MAP_SHARED, 0);
	struct statfs before, after;

	memset(p, 'x', PAGES(2));
	KUNIT_EXPECT_EQ(test, sw_fs_close(fd), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_unlink("/f"), 0);
	KUNIT_EXPECT_TRUE(test, all_bytes(p, 'x', PAGES(2)));
	KUNIT_EXPECT_EQ(test, p[PAGES(3)], 0);
	sw_fs_statfs("/", &before);
	KUNIT_EXPECT_EQ(test, sw_fs_umount("/", 0), -EBUSY);
	KUNIT_EXPECT_EQ(test, sw_fs_munmap(p, PAGES(4)), 0);
	sw_fs_statfs("/", &after);
	KUNIT_EXPECT_GT(test, after.f_bfree, before.f_bfree);
	KUNIT_EXPECT_EQ(test, sw_fs_umount("/", 0), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_mount("tmpfs", NULL, "/", 0, "size=256m"), 0);
}

static void pages_of_the_pool_go_back(struct kunit *test)
{
	unsigned long mapped = global_node_state(NR_FILE_MAPPED), used, held;

	for (int round = 0; round < 20; round++) {
		int fd = new_file(test, "/f", PAGES(300));
		char *p = map(test, fd, PAGES(300), RW, MAP_SHARED, 0);

		memset(p, round, PAGES(300));
		pool_stats(&used, &held);
		KUNIT_EXPECT_GE(test, used, 300);
		KUNIT_EXPECT_GE(test, global_node_state(NR_FILE_MAPPED), mapped + 300);
		KUNIT_EXPECT_EQ(test, sw_fs_munmap(p, PAGES(300)), 0);
		KUNIT_EXPECT_EQ(test, global_node_state(NR_FILE_MAPPED), mapped);
		KUNIT_EXPECT_EQ(test, sw_fs_close(fd), 0);
		KUNIT_EXPECT_EQ(test, sw_fs_unlink("/f"), 0);
	}
	pool_stats(&used, &held);
	KUNIT_EXPECT_EQ(test, used, 0);
	KUNIT_EXPECT_EQ(test, held, 0);
}

/* ---- refusals ---------------------------------------------------------------------------------------- */

static void bad_wishes_are_refused(struct kunit *test)
{
	int fd = new_file(test, "/f", PAGES(4)), ro, wo, dir;
	void *p = NULL;

	ro = sw_fs_open("/f", O_RDONLY, 0);
	wo = sw_fs_open("/f", O_WRONLY, 0);
	dir = sw_fs_open("/", O_RDONLY | O_DIRECTORY, 0);
	KUNIT_EXPECT_EQ(test, sw_fs_mmap(NULL, 0, RW, MAP_SHARED, fd, 0, &p), -EINVAL);
	KUNIT_EXPECT_EQ(test, sw_fs_mmap(NULL, 1, RW, MAP_SHARED, fd, 1, &p), -EINVAL);
	KUNIT_EXPECT_EQ(test, sw_fs_mmap(NULL, 1, RW, 0, fd, 0, &p), -EINVAL);
	KUNIT_EXPECT_EQ(test, sw_fs_mmap(NULL, 1, RW, MAP_SHARED, 99, 0, &p), -EBADF);
	KUNIT_EXPECT_EQ(test, sw_fs_mmap(NULL, 1, RW, MAP_SHARED, -1, 0, &p), -EBADF);
	KUNIT_EXPECT_EQ(test, sw_fs_mmap(NULL, 1, RW, MAP_SHARED, ro, 0, &p), -EACCES);
	KUNIT_EXPECT_EQ(test, sw_fs_mmap(NULL, 1, PROT_READ, MAP_SHARED, wo, 0, &p), -EACCES);
	KUNIT_EXPECT_EQ(test, sw_fs_mmap(NULL, 1, PROT_READ, MAP_SHARED, dir, 0, &p), -ENODEV);
	KUNIT_EXPECT_EQ(test, sw_fs_mmap(NULL, SIZE_MAX, RW, MAP_SHARED, fd, 0, &p), -ENOMEM);
	KUNIT_EXPECT_EQ(test,
			sw_fs_mmap(NULL, PAGES(2), RW, MAP_SHARED, fd, INT64_MAX & ~4095L, &p),
			-EOVERFLOW);
	KUNIT_EXPECT_EQ(test, sw_fs_mmap(NULL, 1, RW, MAP_SHARED_VALIDATE | MAP_SYNC, fd, 0, &p),
			-EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, sw_fs_mmap((void *)1, 1, RW, MAP_SHARED | MAP_FIXED, fd, 0, &p),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, sw_fs_mmap(NULL, 1, RW, MAP_PRIVATE, ro, 0, &p), 0);
	KUNIT_EXPECT_EQ(test, touch(p, true), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_munmap((char *)p + 1, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, sw_fs_munmap(p, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, sw_fs_munmap(&p, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, sw_fs_msync(p, PAGE_SIZE, MS_SYNC), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_msync(p, PAGES(2), MS_SYNC), -ENOMEM);
	KUNIT_EXPECT_EQ(test, sw_fs_msync(p, PAGE_SIZE, MS_SYNC | MS_ASYNC), -EINVAL);
	KUNIT_EXPECT_EQ(test, sw_fs_munmap(p, 1), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_msync(p, PAGE_SIZE, MS_ASYNC), -ENOMEM);
}

/* ---- many at once ---------------------------------------------------------------------------------- */

#define CROWD_PAGES 512
#define CROWD_STEPS 3000

struct crowd {
	char *p;
	int fd;
	uint64_t seed;
	_Atomic int wrong;
};

/* Each page holds one byte value all over, in its first 64 bytes, or is being changed by its one owner. */
static void *crowd_member(void *arg)
{
	struct crowd *crowd = arg;
	struct prng rng;
	static _Atomic int number;
	int me = number++ % 2;

	prng_seed(&rng, crowd->seed + (uint64_t)me);
	for (int i = 0; i < CROWD_STEPS; i++) {
		size_t page = (prng_u64(&rng) % (CROWD_PAGES / 2)) * 2 + (size_t)me;
		char buf[64], value = (char)prng_u64(&rng);

		if (prng_u64(&rng) % 2)
			memset(crowd->p + PAGES(page), value, 64);
		else
			sw_fs_pwrite(crowd->fd, memset(buf, value, 64), 64, (int64_t)PAGES(page));
		if (prng_u64(&rng) % 2)
			crowd->wrong += !all_bytes(crowd->p + PAGES(page), value, 64);
		else
			crowd->wrong += sw_fs_pread(crowd->fd, buf, 64, (int64_t)PAGES(page)) !=
						64 ||
					!all_bytes(buf, value, 64);
		if (prng_u64(&rng) % 64 == 0) {
			sw_fs_fallocate(crowd->fd, 3, (int64_t)PAGES(page), (int64_t)PAGE_SIZE);
			crowd->wrong += !all_bytes(crowd->p + PAGES(page), 0, 64);
		}
	}
	return NULL;
}

static void two_threads_store_write_and_punch_their_own_pages(struct kunit *test)
{
	struct crowd crowd = { .seed = kunit_seed(test) };
	pthread_t thread[2];

	crowd.fd = new_file(test, "/f", PAGES(CROWD_PAGES));
	crowd.p = map(test, crowd.fd, PAGES(CROWD_PAGES), RW, MAP_SHARED, 0);
	for (int i = 0; i < 2; i++)
		pthread_create(&thread[i], NULL, crowd_member, &crowd);
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	KUNIT_EXPECT_EQ(test, crowd.wrong, 0);
}

/* A system call, and our own write(), that are given an address of a mapping. */
static void a_mapping_may_be_the_buffer_of_a_call(struct kunit *test)
{
	int fd = new_file(test, "/f", PAGES(8)), other = new_file(test, "/g", PAGES(8)), pipefd[2];
	char *p = map(test, fd, PAGES(8), RW, MAP_SHARED, 0), buf[8] = "";

	KUNIT_ASSERT_EQ(test, pipe(pipefd), 0);
	KUNIT_EXPECT_EQ(test, write(pipefd[1], "by pipe", 8), 8);
	KUNIT_EXPECT_EQ(test, read(pipefd[0], p + PAGES(2), 8), 8);
	KUNIT_EXPECT_EQ(test, sw_fs_pread(fd, buf, 8, (int64_t)PAGES(2)), 8);
	KUNIT_EXPECT_STREQ(test, buf, "by pipe");
	KUNIT_EXPECT_EQ(test, write(pipefd[1], p + PAGES(3), 8), 8);
	/* From a page of the file into the same file, and into another. */
	KUNIT_EXPECT_EQ(test, sw_fs_pwrite(fd, p + PAGES(2), 8, (int64_t)PAGES(5)), 8);
	KUNIT_EXPECT_STREQ(test, p + PAGES(5), "by pipe");
	KUNIT_EXPECT_EQ(test, sw_fs_pwrite(other, p + PAGES(2), 8, 0), 8);
	KUNIT_EXPECT_EQ(test, sw_fs_pread(other, p + PAGES(7), 8, 0), 8);
	KUNIT_EXPECT_STREQ(test, p + PAGES(7), "by pipe");
	close(pipefd[0]);
	close(pipefd[1]);
}

static void a_child_of_fork_has_its_own_copy_of_what_was_mapped(struct kunit *test)
{
	int fd = new_file(test, "/f", PAGES(40)), status;
	char *p = map(test, fd, PAGES(40), RW, MAP_SHARED, 0), buf[7] = "";
	pid_t pid;

	memcpy(p + PAGES(3), "parent", 6);
	pid = fork();
	if (!pid) {
		void *again = NULL;

		/* What the parent does now is nothing to us. */
		usleep(50000);
		if (sw_fs_pread(fd, buf, 6, (int64_t)PAGES(3)) != 6 || memcmp(buf, "parent", 6))
			_exit(1);
		if (sw_fs_pwrite(fd, "CHILD!", 6, (int64_t)PAGES(3)) != 6)
			_exit(2);
		if (sw_fs_mmap(NULL, PAGES(40), RW, MAP_SHARED, fd, 0, &again))
			_exit(3);
		if (memcmp((char *)again + PAGES(3), "CHILD!", 6))
			_exit(4);
		((char *)again)[PAGES(20)] = 1;
		_exit(0);
	}
	memcpy(p + PAGES(3), "father", 6);
	KUNIT_ASSERT_EQ(test, waitpid(pid, &status, 0), pid);
	KUNIT_EXPECT_EQ(test, status, 0);
	KUNIT_EXPECT_EQ(test, memcmp(p + PAGES(3), "father", 6), 0);
	KUNIT_EXPECT_EQ(test, p[PAGES(20)], 0);
	KUNIT_EXPECT_EQ(test, sw_fs_pread(fd, buf, 6, (int64_t)PAGES(3)), 6);
	KUNIT_EXPECT_STREQ(test, buf, "father");
}

/* A limit on the size of files: the child's copy of the pool cannot be made. */
static pid_t fork_without_a_copy(void)
{
	struct rlimit old, low;
	pid_t pid;

	getrlimit(RLIMIT_FSIZE, &old);
	low = old;
	low.rlim_cur = 1 << 20;
	setrlimit(RLIMIT_FSIZE, &low);
	pid = fork();
	setrlimit(RLIMIT_FSIZE, &old);
	return pid;
}

/* Which of the things that must be so is not; 0: all are. */
static int child_of_a_lost_file(int fd, int other)
{
	char buf[6] = "";
	void *again = NULL;

	if (sw_fs_pread(fd, buf, 6, (int64_t)PAGES(3)) != -EIO)
		return 1;
	if (sw_fs_pwrite(fd, "CHILD!", 6, (int64_t)PAGES(3)) != -EIO)
		return 2;
	/* Past what there was, too: half a file is none. */
	if (sw_fs_pwrite(fd, "CHILD!", 6, (int64_t)PAGES(70)) != -EIO)
		return 3;
	if (sw_fs_mmap(NULL, PAGES(40), RW, MAP_SHARED, fd, 0, &again) != -EIO)
		return 4;
	/* What nobody mapped was copied as all memory is. */
	if (sw_fs_pread(other, buf, 6, 0) != 6 || memcmp(buf, "other!", 6) ||
	    sw_fs_pwrite(other, "mine!!", 6, 0) != 6)
		return 5;
	if (sw_fs_mmap(NULL, PAGES(1), RW, MAP_SHARED, other, 0, &again) != -ENOMEM)
		return 6;
	if (sw_fs_ftruncate(fd, 0) || sw_fs_close(fd) || sw_fs_unlink("/f"))
		return 7;
	return 0;
}

static void a_child_that_could_not_copy_what_was_mapped_gets_EIO(struct kunit *test)
{
	int fd = new_file(test, "/f", PAGES(40)), other = new_file(test, "/other", PAGES(2)),
	    status;
	char *p = map(test, fd, PAGES(40), RW, MAP_SHARED, 0), buf[7] = "";
	pid_t pid;

	KUNIT_ASSERT_EQ(test, sw_fs_pwrite(other, "other!", 6, 0), 6);
	memcpy(p + PAGES(3), "parent", 6);
	pid = fork_without_a_copy();
	if (!pid)
		_exit(child_of_a_lost_file(fd, other));
	KUNIT_ASSERT_EQ(test, waitpid(pid, &status, 0), pid);
	KUNIT_EXPECT_EQ(test, status, 0);
	KUNIT_EXPECT_EQ(test, memcmp(p + PAGES(3), "parent", 6), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_pread(fd, buf, 6, (int64_t)PAGES(3)), 6);
	KUNIT_EXPECT_STREQ(test, buf, "parent");
}

static int child_maps_anew(int fd)
{
	void *p = NULL;

	if (sw_fs_mmap(NULL, PAGES(2), RW, MAP_SHARED, fd, 0, &p))
		return 1;
	memcpy(p, "child!", 6);
	return 0;
}

static void a_child_without_a_copy_loses_nothing_if_nothing_was_mapped(struct kunit *test)
{
	int gone = new_file(test, "/gone", PAGES(2)), fd = new_file(test, "/f", PAGES(2)), status;
	char *p = map(test, gone, PAGES(2), RW, MAP_SHARED, 0);
	pid_t pid;

	/* There is a pool, and it is empty. */
	KUNIT_ASSERT_EQ(test, sw_fs_munmap(p, PAGES(2)), 0);
	KUNIT_ASSERT_EQ(test, sw_fs_ftruncate(gone, 0), 0);
	pid = fork_without_a_copy();
	if (!pid) {
		struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };

		setrlimit(RLIMIT_FSIZE, &unlimited);
		_exit(child_maps_anew(fd));
	}
	KUNIT_ASSERT_EQ(test, waitpid(pid, &status, 0), pid);
	KUNIT_EXPECT_EQ(test, status, 0);
}

/* clang-format off */
static struct kunit_case mmap_cases[] = {
	KUNIT_CASE_PARAM(stores_are_read_and_writes_are_loaded, mode_gen_params),
	KUNIT_CASE_PARAM(two_mappings_and_two_files_do_not_mix, mode_gen_params),
	KUNIT_CASE_PARAM(a_private_mapping_keeps_its_stores_to_itself, mode_gen_params),
	KUNIT_CASE_PARAM(past_the_end_is_sigbus_until_the_file_grows, mode_gen_params),
	KUNIT_CASE_PARAM(a_truncated_file_is_gone_from_its_mappings, mode_gen_params),
	KUNIT_CASE_PARAM(a_punched_hole_is_zeros_in_a_mapping_and_can_be_stored_to, mode_gen_params),
	KUNIT_CASE_PARAM(the_limit_of_the_file_system_is_sigbus, mode_gen_params),
	KUNIT_CASE_PARAM(parts_are_unmapped_and_the_rest_stays, mode_gen_params),
	KUNIT_CASE_PARAM(map_fixed_replaces_what_is_there, mode_gen_params),
	KUNIT_CASE_PARAM(a_mapping_outlives_fd_and_name, mode_gen_params),
	KUNIT_CASE_PARAM(pages_of_the_pool_go_back, mode_gen_params),
	KUNIT_CASE_PARAM(bad_wishes_are_refused, mode_gen_params),
	KUNIT_CASE_PARAM(two_threads_store_write_and_punch_their_own_pages, mode_gen_params),
	KUNIT_CASE_PARAM(a_mapping_may_be_the_buffer_of_a_call, mode_gen_params),
	KUNIT_CASE_PARAM(a_child_of_fork_has_its_own_copy_of_what_was_mapped, mode_gen_params),
	KUNIT_CASE_PARAM(a_child_that_could_not_copy_what_was_mapped_gets_EIO, mode_gen_params),
	KUNIT_CASE_PARAM(a_child_without_a_copy_loses_nothing_if_nothing_was_mapped, mode_gen_params),
	{}
};
/* clang-format on */

static struct kunit_suite mmap_suite = {
	.name = "mmap",
	.init = mmap_test_init,
	.test_cases = mmap_cases,
};
kunit_test_suite(mmap_suite);
