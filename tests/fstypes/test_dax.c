/* SPDX-License-Identifier: MIT */
/*
 * test_dax.c - files on a mapped host file: what survives, what is refused, and bytes against a model.
 * Room under test: fstypes/dax, with vfs/mmap.c. The rows F46 to F49: tests/fs/test_f_rows_dax.c.
 *
 * Two kinds of host file: shmem, where first writes to a mapping can be seen, and one of a disk, where not.
 */

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kunit/test.h>

#include <slabwork/fs/fs.h>
#include <slabwork/fs/vfs.h>

#include "fstypes/dax/dax.h"
#include "lib/prng.h"
#include "vfs/area.h"

#define PAGES(n)     ((size_t)(n)*PAGE_SIZE)
#define DEVICE_BYTES (32UL << 20)
#define RW           (PROT_READ | PROT_WRITE)

struct place {
	const char *dir, *what;
	bool never_lazy;
};
static const struct place places[] = {
	{ "/dev/shm", "shmem, filled when touched", false },
	{ "/dev/shm", "shmem, filled at once", true },
	{ "/tmp", "disk, filled when touched", false },
	{ "/tmp", "disk, filled at once", true },
};

static void place_desc(const struct place *place, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", place->what);
}
KUNIT_ARRAY_PARAM(place, places, place_desc);

static char device[64];

static void remove_device(void *ctx)
{
	(void)ctx;
	unlink(device);
}

static void make_device(struct kunit *test)
{
	const struct place *place = test->param_value ? test->param_value : &places[0];
	int fd;

	if (*device) {
		sw_fs_umount("/", 0);
		unlink(device);
	}
	snprintf(device, sizeof(device), "%s/slabwork-dax-XXXXXX",
		 access(place->dir, W_OK) ? "/tmp" : place->dir);
	fd = mkstemp(device);
	KUNIT_ASSERT_GE(test, fd, 0);
	kunit_add_action(test, remove_device, NULL);
	KUNIT_ASSERT_EQ(test, ftruncate(fd, DEVICE_BYTES), 0);
	close(fd);
	area_never_lazy = place->never_lazy;
}

static int mount_device(void)
{
	return sw_fs_mount("dax", device, "/", 0, NULL);
}

static uint64_t free_blocks(void)
{
	struct statfs s = { 0 };

	sw_fs_statfs("/", &s);
	return s.f_bfree;
}

/* ---- what survives ------------------------------------------------------------------------------- */

static void contents_survive_a_killed_process(struct kunit *test)
{
	int status, fd;
	char buf[64] = "";
	struct stat st;
	pid_t pid;

	make_device(test);
	pid = fork();
	if (!pid) {
		void *p = NULL;

		if (mount_device() || sw_fs_mkdir("/d", 0700) || sw_fs_symlink("d/f", "/link"))
			_exit(1);
		fd = sw_fs_open("/d/f", O_CREAT | O_RDWR, 0640);
		if (sw_fs_pwrite(fd, "by call", 7, 10) != 7)
			_exit(2);
		sw_fs_ftruncate(fd, 5000);
		if (sw_fs_mmap(NULL, PAGES(1), RW, MAP_SHARED, fd, 0, &p))
			_exit(3);
		memcpy((char *)p + 100, "by store", 8);
		/* Open without a name: this one is not to survive. */
		fd = sw_fs_open("/gone", O_CREAT | O_RDWR, 0600);
		sw_fs_write(fd, buf, 64);
		sw_fs_unlink("/gone");
		raise(SIGKILL);
	}
	KUNIT_ASSERT_EQ(test, waitpid(pid, &status, 0), pid);
	KUNIT_ASSERT_TRUE(test, WIFSIGNALED(status));
	KUNIT_ASSERT_EQ(test, mount_device(), 0);
	fd = sw_fs_open("/link", O_RDWR, 0);
	KUNIT_ASSERT_GE(test, fd, 0);
	KUNIT_EXPECT_EQ(test, sw_fs_pread(fd, buf, 7, 10), 7);
	KUNIT_EXPECT_EQ(test, memcmp(buf, "by call", 7), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_pread(fd, buf, 8, 100), 8);
	KUNIT_EXPECT_EQ(test, memcmp(buf, "by store", 8), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_fstat(fd, &st), 0);
	KUNIT_EXPECT_EQ(test, st.st_size, 5000);
	KUNIT_EXPECT_EQ(test, st.st_mode, S_IFREG | 0640);
	KUNIT_EXPECT_EQ(test, sw_fs_stat("/gone", &st), -ENOENT);
	sw_fs_close(fd);
	sw_fs_unlink("/d/f");
	sw_fs_unlink("/link");
	sw_fs_rmdir("/d");
	/* The root directory has one block; all others are free. */
	struct statfs s;

	KUNIT_EXPECT_EQ(test, sw_fs_statfs("/", &s), 0);
	KUNIT_EXPECT_EQ(test, s.f_blocks - s.f_bfree, 1);
	KUNIT_EXPECT_EQ(test, s.f_files - s.f_ffree, 1);
}

static void a_file_in_a_thousand_pieces_survives(struct kunit *test)
{
	uint64_t before;
	char back[8];
	int fd, other;

	make_device(test);
	KUNIT_ASSERT_EQ(test, mount_device(), 0);
	fd = sw_fs_open("/f", O_CREAT | O_RDWR, 0644);
	other = sw_fs_open("/g", O_CREAT | O_RDWR, 0644);
	before = free_blocks();
	/* Turn about, so that no two blocks of one file are neighbours. */
	for (int i = 0; i < 1000; i++) {
		char text[8];

		snprintf(text, sizeof(text), "%06d", i);
		KUNIT_ASSERT_EQ(test, sw_fs_pwrite(fd, text, 6, (int64_t)PAGES(2 * i)), 6);
		KUNIT_ASSERT_EQ(test, sw_fs_pwrite(other, text, 6, (int64_t)PAGES(3 * i)), 6);
	}
	sw_fs_close(fd);
	sw_fs_close(other);
	KUNIT_ASSERT_EQ(test, sw_fs_umount("/", 0), 0);
	KUNIT_ASSERT_EQ(test, mount_device(), 0);
	fd = sw_fs_open("/f", O_RDWR, 0);
	for (int i = 0; i < 1000; i++) {
		KUNIT_ASSERT_EQ(test, sw_fs_pread(fd, back, 6, (int64_t)PAGES(2 * i)), 6);
		KUNIT_ASSERT_EQ(test, atoi(back), i);
	}
	KUNIT_EXPECT_EQ(test, sw_fs_lseek(fd, 1, SEEK_HOLE), PAGES(1));
	KUNIT_EXPECT_EQ(test, sw_fs_lseek(fd, (int64_t)PAGES(1), SEEK_DATA), PAGES(2));
	KUNIT_EXPECT_EQ(test, sw_fs_ftruncate(fd, (int64_t)PAGES(3)), 0);
	sw_fs_close(fd);
	KUNIT_EXPECT_EQ(test, sw_fs_unlink("/f"), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_unlink("/g"), 0);
	KUNIT_EXPECT_EQ(test, free_blocks(), before);
}

/* ---- mappings --------------------------------------------------------------------------------------- */

static void a_hole_reads_as_zeros_and_gets_a_block_when_stored_to(struct kunit *test)
{
	struct sw_fs_vma vma;
	struct stat st;
	void *addr = NULL;
	char *p, back = 0;
	int fd;

	make_device(test);
	KUNIT_ASSERT_EQ(test, mount_device(), 0);
	fd = sw_fs_open("/f", O_CREAT | O_RDWR, 0644);
	KUNIT_ASSERT_EQ(test, sw_fs_ftruncate(fd, (int64_t)PAGES(8)), 0);
	KUNIT_ASSERT_EQ(test, sw_fs_mmap(NULL, PAGES(8), RW, MAP_SHARED, fd, 0, &addr), 0);
	KUNIT_ASSERT_EQ(test, sw_fs_vma(addr, &vma), 0);
	p = addr;
	for (int i = 0; i < 8; i++)
		KUNIT_EXPECT_EQ(test, ((volatile char *)p)[PAGES(i)], 0);
	if (vma.lazy) {
		KUNIT_EXPECT_EQ(test, sw_fs_fstat(fd, &st), 0);
		KUNIT_EXPECT_EQ(test, st.st_blocks, 0);
	}
	p[PAGES(3) + 5] = 'x';
	if (vma.lazy) {
		KUNIT_EXPECT_EQ(test, sw_fs_fstat(fd, &st), 0);
		KUNIT_EXPECT_EQ(test, st.st_blocks, 8);
		KUNIT_EXPECT_EQ(test, sw_fs_lseek(fd, 0, SEEK_DATA), PAGES(3));
	}
	KUNIT_EXPECT_EQ(test, sw_fs_pread(fd, &back, 1, (int64_t)PAGES(3) + 5), 1);
	KUNIT_EXPECT_EQ(test, back, 'x');
	/* A hole that is shown as zeros gets its block by a call. */
	KUNIT_EXPECT_EQ(test, sw_fs_pwrite(fd, "call", 4, (int64_t)PAGES(6)), 4);
	KUNIT_EXPECT_EQ(test, memcmp(p + PAGES(6), "call", 4), 0);
	p[PAGES(6)] = 'C';
	KUNIT_EXPECT_EQ(test, sw_fs_pread(fd, &back, 1, (int64_t)PAGES(6)), 1);
	KUNIT_EXPECT_EQ(test, back, 'C');
	KUNIT_EXPECT_EQ(test, sw_fs_msync(addr, PAGES(8), MS_SYNC), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_munmap(addr, PAGES(8)), 0);
	sw_fs_close(fd);
}

#define MODEL_PAGES 600
#define MODEL_STEPS 3000

/* Every page of the mapping, and of the file, is what the model says. */
static void compare(struct kunit *test, int fd, const char *map, const char *model, size_t size)
{
	static char back[PAGES(MODEL_PAGES)];

	KUNIT_ASSERT_EQ(test, sw_fs_pread(fd, back, sizeof(back), 0), (ssize_t)size);
	KUNIT_ASSERT_EQ(test, memcmp(back, model, size), 0);
	KUNIT_ASSERT_EQ(test, memcmp(map, model, size), 0);
}

static void random_stores_calls_holes_and_sizes_give_the_models_bytes(struct kunit *test)
{
	static char model[PAGES(MODEL_PAGES)], noise[PAGES(40)];
	size_t size = PAGES(MODEL_PAGES / 2);
	void *addr = NULL;
	struct prng rng;
	char *map;
	int fd;

	make_device(test);
	KUNIT_ASSERT_EQ(test, mount_device(), 0);
	prng_seed(&rng, kunit_seed(test));
	memset(model, 0, sizeof(model));
	fd = sw_fs_open("/f", O_CREAT | O_RDWR, 0644);
	KUNIT_ASSERT_EQ(test, sw_fs_ftruncate(fd, (int64_t)size), 0);
	KUNIT_ASSERT_EQ(test, sw_fs_mmap(NULL, PAGES(MODEL_PAGES), RW, MAP_SHARED, fd, 0, &addr),
			0);
	map = addr;
	for (int step = 0; step < MODEL_STEPS; step++) {
		size_t pos = prng_below(&rng, (uint32_t)sizeof(model));
		size_t len = 1 + prng_below(&rng, prng_below(&rng, 2) ? 100 : (uint32_t)PAGES(40));

		memset(noise, (int)prng_u64(&rng), sizeof(noise));
		len = len > sizeof(model) - pos ? sizeof(model) - pos : len;
		switch (prng_below(&rng, 8)) {
		case 0:
		case 1: /* a store, inside the file */
			if (pos >= size)
				break;
			len = len > size - pos ? size - pos : len;
			memcpy(map + pos, noise, len);
			memcpy(model + pos, noise, len);
			break;
		case 2:
		case 3:
			KUNIT_ASSERT_EQ(test, sw_fs_pwrite(fd, noise, len, (int64_t)pos),
					(ssize_t)len);
			memcpy(model + pos, noise, len);
			size = pos + len > size ? pos + len : size;
			break;
		case 4:
			KUNIT_ASSERT_EQ(test, sw_fs_fallocate(fd, 3, (int64_t)pos, (int64_t)len),
					0);
			memset(model + pos, 0, len);
			break;
		case 5:
			KUNIT_ASSERT_EQ(test, sw_fs_fallocate(fd, 1, (int64_t)pos, (int64_t)len),
					0);
			break;
		case 6:
			if (prng_below(&rng, 4))
				break;
			KUNIT_ASSERT_EQ(test, sw_fs_ftruncate(fd, (int64_t)pos), 0);
			if (pos < size)
				memset(model + pos, 0, sizeof(model) - pos);
			size = pos;
			break;
		default:
			if (pos < size)
				KUNIT_ASSERT_EQ(test, map[pos], model[pos]);
		}
		if (step % 50 == 0)
			compare(test, fd, map, model, size);
	}
	compare(test, fd, map, model, size);
	KUNIT_EXPECT_EQ(test, sw_fs_munmap(addr, PAGES(MODEL_PAGES)), 0);
	sw_fs_close(fd);
}

/* ---- refusals -------------------------------------------------------------------------------------- */

static void poke(off_t offset, const void *bytes, size_t len)
{
	FILE *f = fopen(device, "r+");

	fseeko(f, offset, SEEK_SET);
	fwrite(bytes, 1, len, f);
	fclose(f);
}

/* Where on the device inode @ino's @field is; the table starts at block 1. */
#define DISK_FIELD(ino, field)                                       \
	((off_t)(PAGE_SIZE + (ino) * sizeof(struct dax_disk_inode) + \
		 offsetof(struct dax_disk_inode, field)))

static void a_device_that_makes_no_sense_is_not_mounted(struct kunit *test)
{
	uint32_t big = 1000000, one = 1;
	struct dax_extent root_block = { 0, 0, 1 };
	FILE *f;
	int fd;

	make_device(test);
	KUNIT_ASSERT_EQ(test, mount_device(), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_mount("dax", NULL, "/", 0, NULL), -EINVAL);
	KUNIT_EXPECT_EQ(test, sw_fs_mount("dax", device, "/", 0, "nonsense"), -EINVAL);
	KUNIT_EXPECT_EQ(test, mount_device(), -EBUSY);
	fd = sw_fs_open("/f", O_CREAT | O_RDWR, 0644); /* inode 2 */
	KUNIT_ASSERT_EQ(test, sw_fs_write(fd, "x", 1), 1);
	sw_fs_close(fd);
	KUNIT_ASSERT_EQ(test, sw_fs_umount("/", 0), 0);
	/* An extent outside of the device. */
	poke(DISK_FIELD(2, extents[0].len), &big, 4);
	KUNIT_EXPECT_EQ(test, mount_device(), -EUCLEAN);
	poke(DISK_FIELD(2, extents[0].len), &one, 4);
	KUNIT_EXPECT_EQ(test, mount_device(), 0);
	KUNIT_ASSERT_EQ(test, sw_fs_umount("/", 0), 0);
	/* The block of the root directory, a second time. */
	f = fopen(device, "r");
	fseeko(f, DISK_FIELD(1, extents[0]), SEEK_SET);
	KUNIT_ASSERT_EQ(test, fread(&root_block, sizeof(root_block), 1, f), 1);
	fclose(f);
	poke(DISK_FIELD(2, extents[0]), &root_block, sizeof(root_block));
	KUNIT_EXPECT_EQ(test, mount_device(), -EUCLEAN);
	/* More extents than there is room for. */
	poke(DISK_FIELD(2, nr_extents), &big, 4);
	KUNIT_EXPECT_EQ(test, mount_device(), -EUCLEAN);
	poke(0, "something else", 14);
	KUNIT_EXPECT_EQ(test, mount_device(), -EINVAL);
	KUNIT_ASSERT_EQ(test, truncate(device, 8192), 0);
	KUNIT_EXPECT_EQ(test, mount_device(), -EINVAL);
}

/* Walks what can be walked; only that it comes back matters. */
static void walk(const char *path, int depth)
{
	static char buf[8][4096] __attribute__((aligned(8)));
	static char bytes[20000];
	int fd = sw_fs_open(path, O_RDONLY | O_NONBLOCK, 0);
	ssize_t n;

	if (fd < 0)
		return;
	sw_fs_read(fd, bytes, sizeof(bytes));
	while (depth < 4 && (n = sw_fs_getdents(fd, buf[depth], 4096)) > 0) {
		for (ssize_t at = 0; at < n;) {
			const struct sw_fs_dirent *d = (const void *)(buf[depth] + at);
			char child[4000];

			if (strcmp(d->d_name, ".") && strcmp(d->d_name, "..") &&
			    (size_t)snprintf(child, sizeof(child), "%s/%s", path, d->d_name) <
				    sizeof(child)) {
				walk(child, depth + 1);
				sw_fs_readlink(child, bytes, 100);
			}
			at += d->d_reclen;
		}
	}
	sw_fs_close(fd);
}

#define MUTANTS 150

static void a_damaged_device_gives_errors_and_no_crash(struct kunit *test)
{
	static char whole[1 << 20];
	int mounted = 0, fd;
	struct prng rng;
	int err;
	FILE *f;

	make_device(test);
	KUNIT_ASSERT_EQ(test, truncate(device, sizeof(whole)), 0);
	KUNIT_ASSERT_EQ(test, mount_device(), 0);
	sw_fs_mkdir("/d", 0755);
	sw_fs_mkdir("/d/e", 0755);
	sw_fs_symlink("d/e", "/l");
	for (int i = 0; i < 20; i++) {
		char path[20];

		snprintf(path, sizeof(path), "/d/%d", i);
		fd = sw_fs_open(path, O_CREAT | O_RDWR, 0644);
		sw_fs_pwrite(fd, whole, 100, i * 3000);
		sw_fs_close(fd);
	}
	KUNIT_ASSERT_EQ(test, sw_fs_umount("/", 0), 0);
	f = fopen(device, "r");
	KUNIT_ASSERT_EQ(test, fread(whole, 1, sizeof(whole), f), sizeof(whole));
	fclose(f);
	prng_seed(&rng, kunit_seed(test));
	for (int i = 0; i < MUTANTS; i++) {
		poke(0, whole, sizeof(whole));
		for (uint32_t n = 1 + prng_below(&rng, 4); n; n--) {
			unsigned char byte = (unsigned char)prng_u64(&rng);
			/* The superblock, the inodes in use, the directories. */
			uint32_t where = prng_below(&rng, 3);
			off_t at = where == 0 ? prng_below(&rng, 64) :
				   where == 1 ? (off_t)PAGE_SIZE + prng_below(&rng, 26 * 256) :
						(off_t)PAGES(5) + prng_below(&rng, PAGES(4));

			poke(at, &byte, 1);
		}
		err = mount_device();
		KUNIT_ASSERT_NE(test, err,
				-EBUSY); /* what one refused mount held, the next one misses */
		if (err)
			continue;
		mounted++;
		walk("", 0);
		walk("/d", 0);
		sw_fs_unlink("/d/3");
		sw_fs_rename("/d/4", "/d/e/x");
		fd = sw_fs_open("/new", O_CREAT | O_RDWR, 0644);
		if (fd >= 0) {
			sw_fs_write(fd, whole, 10000);
			sw_fs_close(fd);
		}
		KUNIT_ASSERT_EQ(test, sw_fs_umount("/", 0), 0);
	}
	kunit_info(test, "%d of %d mounted", mounted, MUTANTS);
	KUNIT_EXPECT_GT(test, mounted, MUTANTS / 10);
}

static void map_sync_is_refused_where_the_host_has_it_not(struct kunit *test)
{
	void *addr = NULL;
	int fd, err;

	make_device(test);
	KUNIT_ASSERT_EQ(test, mount_device(), 0);
	fd = sw_fs_open("/f", O_CREAT | O_RDWR, 0644);
	KUNIT_ASSERT_EQ(test, sw_fs_ftruncate(fd, (int64_t)PAGES(1)), 0);
	err = sw_fs_mmap(NULL, PAGES(1), RW, MAP_SHARED_VALIDATE | MAP_SYNC, fd, 0, &addr);
	if (!err)
		kunit_mark_skipped(test, "this host has MAP_SYNC");
	else
		KUNIT_EXPECT_EQ(test, err, -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, sw_fs_mmap(NULL, PAGES(1), RW, MAP_SHARED | MAP_SYNC, fd, 0, &addr),
			-EINVAL);
}

/* clang-format off */
static struct kunit_case dax_cases[] = {
	KUNIT_CASE(contents_survive_a_killed_process),
	KUNIT_CASE(a_file_in_a_thousand_pieces_survives),
	KUNIT_CASE_PARAM(a_hole_reads_as_zeros_and_gets_a_block_when_stored_to, place_gen_params),
	KUNIT_CASE_PARAM(random_stores_calls_holes_and_sizes_give_the_models_bytes, place_gen_params),
	KUNIT_CASE(a_device_that_makes_no_sense_is_not_mounted),
	KUNIT_CASE(a_damaged_device_gives_errors_and_no_crash),
	KUNIT_CASE(map_sync_is_refused_where_the_host_has_it_not),
	{}
};
/* clang-format on */

static struct kunit_suite dax_suite = {
	.name = "dax",
	.test_cases = dax_cases,
};
kunit_test_suite(dax_suite);
