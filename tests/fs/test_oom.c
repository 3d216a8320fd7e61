/* SPDX-License-Identifier: MIT */
/*
 * test_oom.c - each allocation of the files half in turn fails
 *
 * This program holds its own copy of the rooms ds, cache, vfs and fstypes, compiled without the allocator's inline
 * calls, and the linker leads every call of an allocator through here. A scenario is run to count its allocations, then
 * again with the first failing, the second, and so on. It may work or say -ENOMEM (-ENOSPC, -EIO where that is
 * all it can say); afterwards all must be as if it had not been tried, and the same scenario must work.
 */

#include "fs_test.h"

#include <sys/mman.h>

#include <slabwork/slab.h>

static _Atomic long calls, fail_at = -1; /* fail_at: this one and, if from_there, all later ones */
static _Atomic bool from_there;

/* Whether the allocation that is being made fails. */
static bool fails(gfp_t gfp)
{
	long n, at = atomic_load(&fail_at);

	if (gfp & __GFP_NOFAIL)
		return false;
	n = atomic_fetch_add(&calls, 1);
	return at >= 0 && (n == at || (n > at && atomic_load(&from_there)));
}

/* clang-format off */
#define WRAP(type, fn, params, args, gfp)     \
	type __real_##fn params;              \
	type __wrap_##fn params;              \
	type __wrap_##fn params               \
	{                                     \
		return fails(gfp) ? 0 : __real_##fn args; \
	}
/* clang-format on */
struct page;
WRAP(void *, sw_cache_alloc, (struct kmem_cache * s, gfp_t gfp), (s, gfp), gfp)
WRAP(void *, sw___kmalloc, (size_t n, gfp_t gfp), (n, gfp), gfp)
WRAP(struct page *, sw_alloc_pages, (gfp_t gfp, unsigned int order), (gfp, order), gfp)
WRAP(void *, sw_vmalloc, (unsigned long n), (n), 0)
WRAP(void *, sw_kvmalloc_node, (size_t n, gfp_t gfp, int node), (n, gfp, node), gfp)
WRAP(void *, sw_krealloc, (const void *p, size_t n, gfp_t gfp), (p, n, gfp), gfp)
WRAP(int, sw_kmem_cache_alloc_bulk, (struct kmem_cache * s, gfp_t gfp, size_t nr, void **p),
     (s, gfp, nr, p), gfp)

/* ---- scenarios: each leaves the tree as it found it; the first error, 0: all worked -------------- */

#define TRY(call)                   \
	do {                        \
		long r_ = (call);   \
		if (r_ < 0) {       \
			error = r_; \
			goto out;   \
		}                   \
	} while (0)

static char block[40000];

static long make_files(void)
{
	struct stat st;
	long error = 0;
	int fd = -1;

	TRY(sw_fs_mkdir("/d", 0755));
	TRY(fd = sw_fs_open("/d/f", O_CREAT | O_RDWR, 0644));
	TRY(sw_fs_write(fd, block, sizeof(block)));
	TRY(sw_fs_symlink("a target that is rather long, longer than forty bytes", "/d/l"));
	TRY(sw_fs_link("/d/f", "/d/h"));
	TRY(sw_fs_mknod("/d/p", S_IFIFO | 0600, 0));
	TRY(sw_fs_rename("/d/h", "/d/a-name-that-is-longer-than-an-inline-name-of-a-dentry"));
	TRY(sw_fs_stat("/d/f", &st));
	TRY(sw_fs_fsync(fd));
	TRY(sw_fs_truncate("/d/f", 5000));
out:
	atomic_store(&fail_at, -1);
	sw_fs_close(fd);
	sw_fs_unlink("/d/a-name-that-is-longer-than-an-inline-name-of-a-dentry");
	sw_fs_unlink("/d/h");
	sw_fs_unlink("/d/p");
	sw_fs_unlink("/d/l");
	sw_fs_unlink("/d/f");
	sw_fs_rmdir("/d");
	return error;
}

static long read_files(void)
{
	char entries[400];
	long error = 0, n;
	int fd = -1, copy = -1;

	TRY(fd = sw_fs_open("/keep", O_RDWR, 0));
	TRY(sw_fs_pread(fd, block, 30000, 0));
	if (!is_pattern(block, 30000, 0, 1))
		error = -EBADMSG;
	TRY(copy = sw_fs_fcntl(fd, F_DUPFD, 300));
	TRY(sw_fs_pwrite(fd, block + 10000, 10000, 10000));
	TRY(sw_fs_fsync(fd));
	sw_fs_close(copy);
	TRY(copy = sw_fs_open("/", O_RDONLY | O_DIRECTORY, 0));
	do
		TRY(n = sw_fs_getdents(copy, entries, sizeof(entries)));
	while (n);
out:
	atomic_store(&fail_at, -1);
	sw_fs_close(copy);
	sw_fs_pwrite(fd, block, 0, 0);
	sw_fs_close(fd);
	return error;
}

static long map_files(void)
{
	struct sw_fs_vma vma;
	long error = 0;
	void *addr = NULL;
	int fd = -1;

	TRY(fd = sw_fs_open("/keep", O_RDWR, 0));
	TRY(sw_fs_mmap(NULL, 32768, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0, &addr));
	/* A touch tries again for a while, and then it is SIGBUS: one failure is nothing, all are that. */
	if (atomic_load(&from_there))
		atomic_store(&fail_at, -1);
	/* Filled when it was made, a page that could not be is SIGBUS for good: see CAVEATS.md. */
	TRY(sw_fs_vma(addr, &vma));
	if (vma.lazy && !is_pattern(addr, 30000, 0, 1))
		error = -EBADMSG;
	TRY(sw_fs_msync(addr, 32768, MS_SYNC));
out:
	atomic_store(&fail_at, -1);
	if (addr)
		sw_fs_munmap(addr, 32768);
	sw_fs_close(fd);
	return error;
}

static long mount_and_unmount(void)
{
	long error = 0;
	bool mounted = false;

	TRY(sw_fs_mount("tmpfs", NULL, "/m", 0, "size=1m"));
	mounted = true;
	TRY(sw_fs_mkdir("/m/x", 0755));
out:
	atomic_store(&fail_at, -1);
	if (mounted) {
		long r = sw_fs_umount("/m", 0);

		error = error ? error : r;
	}
	return error;
}

static long tasks(void)
{
	struct sw_fs_task *task = sw_fs_task_fork(), *fresh = sw_fs_task_create();

	atomic_store(&fail_at, -1);
	sw_fs_task_destroy(task);
	sw_fs_task_destroy(fresh);
	return task && fresh ? 0 : -ENOMEM;
}

/* ---- each in turn ---------------------------------------------------------------------------------- */

static void every_allocation(struct kunit *test, long (*scenario)(void), bool on_device)
{
	unsigned long inodes;
	long most;

	put_pattern(test, "/keep", 30000, 1);
	KUNIT_ASSERT_EQ(test, sw_fs_mkdir("/m", 0755), 0);
	KUNIT_ASSERT_EQ(test, scenario(), 0);
	if (on_device)
		KUNIT_ASSERT_EQ(test, ramdev_remount(), 0);
	inodes = on_device ? ramdev_nr_inodes() : 0;
	calls = 0;
	KUNIT_ASSERT_EQ(test, scenario(), 0);
	most = calls;
	for (int all_later = 0; all_later < 2; all_later++) {
		atomic_store(&from_there, all_later);
		for (long at = 0; at <= most + 8; at++) {
			long error;

			if (on_device && at % 3 == 0)
				KUNIT_ASSERT_EQ(test, ramdev_remount(), 0);
			calls = 0;
			atomic_store(&fail_at, at);
			error = scenario();
			atomic_store(&fail_at, -1);
			KUNIT_EXPECT_TRUE(test,
					  !error || error == -ENOMEM || error == -ENOSPC ||
						  error == -EIO,
					  "allocation %ld failed: error %ld", at, error);
			error = scenario();
			KUNIT_ASSERT_EQ(test, error, 0, "after allocation %ld failed", at);
			if (on_device)
				KUNIT_ASSERT_EQ(test, ramdev_nr_inodes(), inodes,
						"after allocation %ld failed", at);
		}
	}
	kunit_info(test, "%ld allocations", most);
}

#define TEST_OOM(scenario)                                                                 \
	KUNIT_TEST(each_allocation_may_fail_in_##scenario##_on_tmpfs, .timeout_s = 300)    \
	{                                                                                  \
		mount_tmpfs(test);                                                         \
		every_allocation(test, scenario, false);                                   \
	}                                                                                  \
	KUNIT_TEST(each_allocation_may_fail_in_##scenario##_on_a_device, .timeout_s = 300) \
	{                                                                                  \
		mount_ramdev(test);                                                        \
		every_allocation(test, scenario, true);                                    \
	}
TEST_OOM(make_files)
TEST_OOM(read_files)
TEST_OOM(map_files)
TEST_OOM(mount_and_unmount)
TEST_OOM(tasks)
