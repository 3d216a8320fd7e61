/* SPDX-License-Identifier: MIT */
/*
 * test_f_rows_dax.c - the statements F46 to F49 of the source document: files without a page cache
 *
 * Room under test: fstypes/dax (and vfs/mmap.c, which calls its vm operations). The device is a file of the
 * host; what is on it is looked at with the host's calls. The operations are counted by standing in
 * front of the file system's own: ->mmap is wrapped, and gives the mapping counting vm operations.
 */

#include "fs_test.h"

#include <sys/mman.h>
#include <sys/statfs.h>

#define DEVICE_BYTES (64UL << 20)
#define HUGE         (2UL << 20)

static char device_path[64];
static const unsigned char *device; /* the host's bytes, mapped */

static void remove_device(void *ctx)
{
	(void)ctx;
	unlink(device_path);
}

static void mount_dax(struct kunit *test)
{
	int fd;

	snprintf(device_path, sizeof(device_path), "%s/slabwork-dax-XXXXXX",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	fd = mkstemp(device_path);
	KUNIT_ASSERT_GE(test, fd, 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action(test, remove_device, NULL), 0);
	KUNIT_ASSERT_EQ(test, ftruncate(fd, DEVICE_BYTES), 0);
	device = mmap(NULL, DEVICE_BYTES, PROT_READ, MAP_SHARED, fd, 0);
	KUNIT_ASSERT_TRUE(test, device != MAP_FAILED);
	close(fd);
	KUNIT_ASSERT_EQ(test, sw_fs_mount("dax", device_path, "/", 0, NULL), 0);
}

/* Where on the device these bytes are; NULL: nowhere. */
static const unsigned char *on_device(const void *bytes, size_t len)
{
	return memmem(device, DEVICE_BYTES, bytes, len);
}

/* ---- counting vm operations ---------------------------------------------------------------------- */

static const struct file_operations *real_fops;
static const struct vm_operations_struct *real_vm_ops;
static struct file_operations counting_fops;
static _Atomic int faults, huge_faults, page_mkwrites, pfn_mkwrites;

static vm_fault_t count_fault(struct vm_fault *vmf)
{
	faults++;
	return real_vm_ops->fault(vmf);
}

static vm_fault_t count_huge_fault(struct vm_fault *vmf, enum page_entry_size size)
{
	huge_faults++;
	return real_vm_ops->huge_fault(vmf, size);
}

static vm_fault_t count_page_mkwrite(struct vm_fault *vmf)
{
	page_mkwrites++;
	return real_vm_ops->page_mkwrite(vmf);
}

static vm_fault_t count_pfn_mkwrite(struct vm_fault *vmf)
{
	pfn_mkwrites++;
	return real_vm_ops->pfn_mkwrite(vmf);
}

static int mmap_calls;

static int counting_mmap(struct file *file, struct vm_area_struct *vma)
{
	static struct vm_operations_struct ops;
	int error = real_fops->mmap(file, vma);

	mmap_calls++;
	if (error || !vma->vm_ops)
		return error;
	real_vm_ops = vma->vm_ops;
	ops = *real_vm_ops;
	if (ops.fault)
		ops.fault = count_fault;
	if (ops.huge_fault)
		ops.huge_fault = count_huge_fault;
	if (ops.page_mkwrite)
		ops.page_mkwrite = count_page_mkwrite;
	if (ops.pfn_mkwrite)
		ops.pfn_mkwrite = count_pfn_mkwrite;
	vma->vm_ops = &ops;
	return 0;
}

/* Files opened on @path from now on are counted. */
static void count_on(struct kunit *test, const char *path)
{
	struct file *file = filp_open(path, O_RDWR, 0);

	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	real_fops = file_inode(file)->i_fop;
	counting_fops = *real_fops;
	counting_fops.mmap = counting_mmap;
	file_inode(file)->i_fop = &counting_fops;
	/* The reference stays, so the inode does, too. */
}

/* ---- F46 ------------------------------------------------------------------------------------------- */

KUNIT_TEST(f46_reads_and_writes_leave_no_page_in_the_cache)
{
	struct sw_cache_stats before, after;
	static char bytes[100000], back[100000];
	struct file *file;

	mount_dax(test);
	sw_cache_stats(&before);
	fill_pattern(bytes, sizeof(bytes), 0, 5);
	put_file(test, "/f", bytes, sizeof(bytes));
	int fd = sw_fs_open("/f", O_RDONLY, 0);

	KUNIT_EXPECT_EQ(test, sw_fs_read(fd, back, sizeof(back)), sizeof(back));
	KUNIT_EXPECT_EQ(test, memcmp(back, bytes, sizeof(bytes)), 0);
	sw_cache_stats(&after);
	KUNIT_EXPECT_EQ(test, after.nr_pages, before.nr_pages);
	KUNIT_EXPECT_EQ(test, after.nr_dirty, before.nr_dirty);
	file = filp_open("/f", O_RDONLY, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	KUNIT_EXPECT_EQ(test, file->f_mapping->nrpages, 0);
	KUNIT_EXPECT_TRUE(test, IS_DAX(file_inode(file)) != 0);
}

KUNIT_TEST(f46_a_write_is_on_the_device_at_once)
{
	char bytes[2000];

	mount_dax(test);
	fill_pattern(bytes, sizeof(bytes), 0, 6);
	KUNIT_EXPECT_NULL(test, on_device(bytes, sizeof(bytes)));
	put_file(test, "/f", bytes, sizeof(bytes));
	KUNIT_EXPECT_NOT_NULL(test, on_device(bytes, sizeof(bytes)));
}

KUNIT_TEST(f46_contents_and_attributes_survive_a_remount)
{
	static char bytes[5000000], back[5000000];
	struct stat before, after;

	mount_dax(test);
	fill_pattern(bytes, sizeof(bytes), 0, 7);
	KUNIT_ASSERT_EQ(test, sw_fs_mkdir("/d", 0751), 0);
	put_file(test, "/d/f", bytes, sizeof(bytes));
	KUNIT_ASSERT_EQ(test, sw_fs_symlink("d/f", "/l"), 0);
	KUNIT_ASSERT_EQ(test, sw_fs_link("/d/f", "/h"), 0);
	KUNIT_ASSERT_EQ(test, sw_fs_stat("/d/f", &before), 0);
	KUNIT_ASSERT_EQ(test, sw_fs_umount("/", 0), 0);
	KUNIT_ASSERT_EQ(test, sw_fs_mount("dax", device_path, "/", 0, NULL), 0);
	KUNIT_ASSERT_EQ(test, sw_fs_stat("/l", &after), 0);
	KUNIT_EXPECT_EQ(test, after.st_size, before.st_size);
	KUNIT_EXPECT_EQ(test, after.st_mode, before.st_mode);
	KUNIT_EXPECT_EQ(test, after.st_nlink, 2);
	KUNIT_EXPECT_EQ(test, after.st_mtim.tv_sec, before.st_mtim.tv_sec);
	int fd = sw_fs_open("/h", O_RDONLY, 0);

	KUNIT_EXPECT_EQ(test, sw_fs_read(fd, back, sizeof(back)), sizeof(back));
	KUNIT_EXPECT_EQ(test, memcmp(back, bytes, sizeof(bytes)), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_stat("/d", &after), 0);
	KUNIT_EXPECT_EQ(test, after.st_mode & 07777, 0751);
}

/* ---- F47: the mapping is the device ------------------------------------------------------------------ */

/* Whether /proc says that the device's file is mapped at @addr. */
static bool device_mapped_at(const void *addr)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	unsigned long start, end;
	bool found = false;
	char line[512];

	while (maps && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx", &start, &end) == 2 && start <= (uintptr_t)addr &&
		    (uintptr_t)addr < end && strstr(line, device_path))
			found = true;
	if (maps)
		fclose(maps);
	return found;
}

KUNIT_TEST(f47_a_mapping_is_the_device_itself)
{
	void *addr;

	mount_dax(test);
	put_pattern(test, "/f", 3 * PAGE_SIZE, 8);
	count_on(test, "/f");
	int fd = sw_fs_open("/f", O_RDWR, 0);

	KUNIT_ASSERT_EQ(test,
			sw_fs_mmap(NULL, 3 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0,
				   &addr),
			0);
	KUNIT_EXPECT_EQ(test, mmap_calls, 1);
	KUNIT_EXPECT_TRUE(test, is_pattern(addr, 3 * PAGE_SIZE, 0, 8));
	KUNIT_EXPECT_TRUE(test, device_mapped_at(addr));
	memcpy((char *)addr + PAGE_SIZE + 100, "stored through the mapping", 26);
	KUNIT_EXPECT_TRUE(test, device_mapped_at((char *)addr + PAGE_SIZE));
	KUNIT_EXPECT_NOT_NULL(test, on_device("stored through the mapping", 26));
	KUNIT_EXPECT_EQ(test, sw_fs_pwrite(fd, "written by a call", 17, 10), 17);
	KUNIT_EXPECT_EQ(test, memcmp((char *)addr + 10, "written by a call", 17), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_munmap(addr, 3 * PAGE_SIZE), 0);
}

KUNIT_TEST(f48_a_mapping_of_a_dax_inode_is_mixedmap_and_hugepage)
{
	struct sw_fs_vma vma;
	void *addr;

	mount_dax(test);
	put_pattern(test, "/f", 3 * PAGE_SIZE, 8);
	int fd = sw_fs_open("/f", O_RDWR, 0);

	KUNIT_ASSERT_EQ(test, sw_fs_mmap(NULL, 3 * PAGE_SIZE, PROT_READ, MAP_SHARED, fd, 0, &addr),
			0);
	KUNIT_ASSERT_EQ(test, sw_fs_vma(addr, &vma), 0);
	KUNIT_EXPECT_TRUE(test, vma.vm_flags & VM_MIXEDMAP);
	KUNIT_EXPECT_TRUE(test, vma.vm_flags & VM_HUGEPAGE);
	KUNIT_EXPECT_TRUE(test, vma.vm_flags & VM_SHARED);
	KUNIT_EXPECT_EQ(test, vma.start, (uintptr_t)addr);
	KUNIT_EXPECT_EQ(test, vma.end, (uintptr_t)addr + 3 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, sw_fs_vma(&vma, &vma), -ENOENT);
}

/* ---- F49: the four vm operations ----------------------------------------------------------------------- */

KUNIT_TEST(f49_a_small_mapping_faults_page_by_page)
{
	void *addr;

	mount_dax(test);
	put_pattern(test, "/f", 3 * PAGE_SIZE, 9);
	count_on(test, "/f");
	int fd = sw_fs_open("/f", O_RDWR, 0);

	KUNIT_ASSERT_EQ(test, sw_fs_mmap(NULL, 3 * PAGE_SIZE, PROT_READ, MAP_SHARED, fd, 0, &addr),
			0);
	KUNIT_EXPECT_TRUE(test, is_pattern(addr, 3 * PAGE_SIZE, 0, 9));
	KUNIT_EXPECT_GE(test, faults, 1);
}

KUNIT_TEST(f49_a_whole_aligned_two_megabytes_is_one_huge_fault)
{
	void *addr;

	mount_dax(test);
	put_pattern(test, "/f", 3 * HUGE, 9);
	count_on(test, "/f");
	int fd = sw_fs_open("/f", O_RDWR, 0);

	KUNIT_ASSERT_EQ(test, sw_fs_mmap(NULL, 3 * HUGE, PROT_READ, MAP_SHARED, fd, 0, &addr), 0);
	KUNIT_EXPECT_TRUE(test, is_pattern((char *)addr + HUGE, 100, HUGE, 9));
	KUNIT_EXPECT_TRUE(test, is_pattern(addr, 3 * HUGE, 0, 9));
	KUNIT_EXPECT_GE(test, huge_faults, 1);
	kunit_info(test, "%d huge faults, %d small ones", huge_faults, faults);
}

KUNIT_TEST(f49_a_first_write_to_a_page_of_the_device_is_pfn_mkwrite)
{
	void *addr;

	mount_dax(test);
	put_pattern(test, "/f", 3 * PAGE_SIZE, 9);
	count_on(test, "/f");
	int fd = sw_fs_open("/f", O_RDWR, 0);

	KUNIT_ASSERT_EQ(test,
			sw_fs_mmap(NULL, 3 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0,
				   &addr),
			0);
	((volatile char *)addr)[PAGE_SIZE] = 1;
	KUNIT_EXPECT_GE(test, pfn_mkwrites, 1);
	kunit_info(test, "%d pfn_mkwrite", pfn_mkwrites);
}

KUNIT_TEST(f49_a_first_write_to_a_clean_page_of_memory_is_page_mkwrite)
{
	void *addr;

	mount_ramdev(test);
	put_pattern(test, "/f", 3 * PAGE_SIZE, 9);
	KUNIT_ASSERT_EQ(test, ramdev_remount(), 0);
	count_on(test, "/f");
	int fd = sw_fs_open("/f", O_RDWR, 0);

	KUNIT_ASSERT_EQ(test,
			sw_fs_mmap(NULL, 3 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0,
				   &addr),
			0);
	KUNIT_EXPECT_TRUE(test, is_pattern(addr, 3 * PAGE_SIZE, 0, 9));
	((volatile char *)addr)[PAGE_SIZE] = 1;
	KUNIT_EXPECT_GE(test, faults + huge_faults, 1);
	KUNIT_EXPECT_GE(test, page_mkwrites, 1);
}

/* ---- its own limits ----------------------------------------------------------------------------------------- */

KUNIT_TEST(a_full_device_is_enospc_and_loses_nothing)
{
	static char block[1 << 20];
	ssize_t n;
	long mib = 0;

	mount_dax(test);
	put_pattern(test, "/keep", 10000, 3);
	int fd = sw_fs_open("/f", O_CREAT | O_RDWR, 0644);

	while ((n = sw_fs_write(fd, block, sizeof(block))) > 0)
		mib++;
	KUNIT_EXPECT_EQ(test, n, -ENOSPC);
	KUNIT_EXPECT_GE(test, mib, (long)(DEVICE_BYTES >> 20) / 2);
	KUNIT_EXPECT_LE(test, mib, (long)(DEVICE_BYTES >> 20));
	KUNIT_ASSERT_EQ(test, sw_fs_close(fd), 0);
	KUNIT_ASSERT_EQ(test, sw_fs_unlink("/f"), 0);
	fd = sw_fs_open("/keep", O_RDONLY, 0);
	KUNIT_EXPECT_EQ(test, sw_fs_read(fd, block, sizeof(block)), 10000);
	KUNIT_EXPECT_TRUE(test, is_pattern(block, 10000, 0, 3));
	put_pattern(test, "/again", 1 << 20, 4);
}

KUNIT_TEST(a_device_is_mounted_by_one_at_a_time)
{
	mount_dax(test);
	KUNIT_ASSERT_EQ(test, sw_fs_mkdir("/m", 0755), 0);
	KUNIT_EXPECT_LT(test, sw_fs_mount("dax", device_path, "/m", 0, NULL), 0);
	KUNIT_EXPECT_LT(test, sw_fs_mount("dax", "/nonexistent/file", "/m", 0, NULL), 0);
}
