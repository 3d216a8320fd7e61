/* SPDX-License-Identifier: MIT */
/*
 * test_data.c - random reading, writing, mapping, truncating and punching of files, against plain arrays
 *
 * Every byte that comes back is compared with what the array beside the file holds. The cache is limited to 16, 256 and 65,536
 * pages, so that with the first two nearly all of it goes through the device and comes back. On the device
 * the file system is also unmounted and mounted again at random moments.
 *
 * Quick: FS_DATA_STEPS 4,000 a case by default; the slow suite sets it to a million.
 */

#include "fs_test.h"

#include <stdarg.h>
#include <sys/mman.h>

#define FILES    3
#define MAX_SIZE (600 * 1024)
#define STEP_MAX 70000

struct plain {
	unsigned char *bytes; /* beyond size: zero */
	size_t size;
	int fd;
	unsigned char *map; /* of the first map_len bytes; NULL: none */
	size_t map_len;
	char path[8];
};

static struct plain file[FILES];
static struct rng rng;
static bool device;
static unsigned char buf[STEP_MAX];
static char what[200];
static unsigned long step;

static unsigned int below(unsigned int n)
{
	return rng_below(&rng, n);
}

/* A place in the file: often at a page's edge. */
static size_t place(size_t most)
{
	size_t pos = below((unsigned int)most + 1);

	return below(4) ? pos : pos & ~(size_t)4095;
}

static bool bad(const struct plain *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static bool bad(const struct plain *f, const char *fmt, ...)
{
	char text[200];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	kunit_log_line("step %lu, %s (%zu bytes, %s): %s: %s", step, f->path, f->size,
		       f->map ? "mapped" : "not mapped", what, text);
	return false;
}

static bool bytes_are(const struct plain *f, const unsigned char *got, size_t pos, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (got[i] != f->bytes[pos + i])
			return bad(f, "byte %zu (page %zu): %02x, not %02x", pos + i,
				   (pos + i) / 4096, got[i], f->bytes[pos + i]);
	return true;
}

static bool do_read(struct plain *f)
{
	size_t pos = place(f->size + 5000), n = below(STEP_MAX), want;
	ssize_t got;

	want = pos >= f->size ? 0 : n < f->size - pos ? n : f->size - pos;
	snprintf(what, sizeof(what), "pread(%zu, %zu)", n, pos);
	got = sw_fs_pread(f->fd, buf, n, (int64_t)pos);
	if (got != (ssize_t)want)
		return bad(f, "gave %zd, not %zu", got, want);
	return bytes_are(f, buf, pos, want);
}

static bool do_write(struct plain *f)
{
	size_t pos = place(below(8) ? f->size : MAX_SIZE - STEP_MAX),
	       n = 1 + below(below(3) ? 6000 : STEP_MAX - 1);
	unsigned char salt = (unsigned char)rng_next(&rng);
	ssize_t got;

	if (pos + n > MAX_SIZE)
		n = MAX_SIZE - pos;
	if (!n)
		return true;
	for (size_t i = 0; i < n; i++)
		buf[i] = (unsigned char)(i * 7 + salt);
	snprintf(what, sizeof(what), "pwrite(%zu, %zu)", n, pos);
	got = sw_fs_pwrite(f->fd, buf, n, (int64_t)pos);
	if (got != (ssize_t)n)
		return bad(f, "gave %zd", got);
	memcpy(f->bytes + pos, buf, n);
	if (pos + n > f->size)
		f->size = pos + n;
	return true;
}

static bool do_truncate(struct plain *f)
{
	size_t size = place(below(2) ? f->size : MAX_SIZE);
	int error;

	snprintf(what, sizeof(what), "ftruncate(%zu)", size);
	error = sw_fs_ftruncate(f->fd, (int64_t)size);
	if (error)
		return bad(f, "gave %d", error);
	if (size < f->size)
		memset(f->bytes + size, 0, f->size - size);
	f->size = size;
	return true;
}

static bool do_punch(struct plain *f)
{
	size_t pos = place(f->size), n = 1 + below(50000);
	int error;

	snprintf(what, sizeof(what), "punch(%zu, %zu)", pos, n);
	error = sw_fs_fallocate(f->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (int64_t)pos,
				(int64_t)n);
	if (error)
		return bad(f, "gave %d", error);
	if (pos < f->size)
		memset(f->bytes + pos, 0, n < f->size - pos ? n : f->size - pos);
	return true;
}

static bool unmap(struct plain *f)
{
	int error = f->map ? sw_fs_munmap(f->map, f->map_len) : 0;

	f->map = NULL;
	return error ? bad(f, "munmap gave %d", error) : true;
}

static bool do_map(struct plain *f)
{
	void *addr;
	int error;

	snprintf(what, sizeof(what), "mmap");
	if (f->map)
		return unmap(f);
	if (!f->size)
		return true;
	f->map_len = (f->size + 4095) & ~(size_t)4095;
	error = sw_fs_mmap(NULL, f->map_len, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, 0, &addr);
	if (error)
		return bad(f, "of %zu gave %d", f->map_len, error);
	f->map = addr;
	return true;
}

/* Stores and loads through the mapping, below the end of the file. */
static bool do_touch(struct plain *f)
{
	size_t len = f->map_len < f->size ? f->map_len : f->size, pos, n;

	if (!f->map || !len)
		return true;
	pos = place(len - 1);
	n = 1 + below(10000);
	if (n > len - pos)
		n = len - pos;
	if (below(2)) {
		snprintf(what, sizeof(what), "load(%zu, %zu)", n, pos);
		return bytes_are(f, f->map + pos, pos, n);
	}
	snprintf(what, sizeof(what), "store(%zu, %zu)", n, pos);
	for (size_t i = 0; i < n; i++)
		f->map[pos + i] = f->bytes[pos + i] = (unsigned char)(i * 3 + step);
	return true;
}

static bool do_sync(struct plain *f)
{
	int error = below(3) ? sw_fs_fsync(f->fd) : 0;

	snprintf(what, sizeof(what), "fsync");
	if (f->map && !below(3))
		error = sw_fs_msync(f->map, f->map_len, MS_SYNC);
	return error ? bad(f, "gave %d", error) : true;
}

static bool do_reclaim(struct plain *f)
{
	(void)f;
	sw_cache_reclaim(1 + below(200));
	return true;
}

static bool do_reopen(struct plain *f)
{
	struct stat st;
	int error;

	snprintf(what, sizeof(what), "open");
	if (device && !below(8)) {
		for (int i = 0; i < FILES; i++) {
			if (!unmap(&file[i]))
				return false;
			sw_fs_close(file[i].fd);
		}
		error = ramdev_remount();
		if (error)
			return bad(f, "the remount gave %d", error);
		for (int i = 0; i < FILES; i++)
			file[i].fd = sw_fs_open(file[i].path, O_RDWR, 0);
	} else {
		sw_fs_close(f->fd);
		f->fd = sw_fs_open(f->path, O_RDWR, 0);
	}
	if (f->fd < 0 || sw_fs_fstat(f->fd, &st))
		return bad(f, "it cannot be opened: %d", f->fd);
	return (size_t)st.st_size == f->size ? true : bad(f, "its size is %ld", (long)st.st_size);
}

static bool random_step(void)
{
	static bool (*const run[])(struct plain * f) = {
		do_read,  do_read,  do_read,     do_read,  do_write,   do_write,
		do_write, do_write, do_touch,    do_touch, do_touch,   do_touch,
		do_map,   do_sync,  do_truncate, do_punch, do_reclaim, do_reopen,
	};

	step++;
	return run[below(sizeof(run) / sizeof(run[0]))](&file[below(FILES)]);
}

static void run(struct kunit *test, unsigned long max_pages)
{
	struct sw_cache_limits limits = { .max_pages = max_pages,
					  .background_pages = max_pages / 4,
					  .dirty_pages = max_pages / 2 };
	const char *text = getenv("FS_DATA_STEPS");
	long steps = text ? atol(text) : 4000;
	struct sw_cache_stats stats;
	bool good = true;

	rng.state = kunit_seed(test);
	sw_cache_set_limits(&limits);
	for (int i = 0; i < FILES; i++) {
		snprintf(file[i].path, sizeof(file[i].path), "/f%d", i);
		file[i].bytes = calloc(1, MAX_SIZE + 8192);
		KUNIT_ASSERT_NOT_NULL(test, file[i].bytes);
		file[i].fd = sw_fs_open(file[i].path, O_CREAT | O_RDWR, 0644);
		KUNIT_ASSERT_GE(test, file[i].fd, 0);
	}
	for (long i = 0; i < steps && good; i++)
		good = random_step();
	for (int i = 0; i < FILES && good; i++)
		for (size_t pos = 0; pos < file[i].size && good; pos += STEP_MAX) {
			size_t n = file[i].size - pos < STEP_MAX ? file[i].size - pos : STEP_MAX;

			good = sw_fs_pread(file[i].fd, buf, n, (int64_t)pos) == (ssize_t)n &&
			       bytes_are(&file[i], buf, pos, n);
		}
	KUNIT_EXPECT_TRUE(test, good);
	sw_cache_stats(&stats);
	kunit_info(test, "%lu steps; pages read %lu, written %lu, reclaimed %lu, in the pool %lu",
		   step, (unsigned long)stats.read_pages, stats.written, stats.reclaimed,
		   stats.pool_pages);
}

#define TEST_DATA(pages)                                                               \
	KUNIT_TEST(a_device_file_is_its_bytes_with_##pages##_pages, .timeout_s = 3000) \
	{                                                                              \
		mount_ramdev(test);                                                    \
		device = true;                                                         \
		run(test, pages);                                                      \
	}
TEST_DATA(16)
TEST_DATA(256)
TEST_DATA(65536)

KUNIT_TEST(a_tmpfs_file_is_its_bytes_with_16_pages, .timeout_s = 3000)
{
	mount_tmpfs(test);
	run(test, 16);
}

KUNIT_TEST(a_tmpfs_file_is_its_bytes_with_65536_pages, .timeout_s = 3000)
{
	mount_tmpfs(test);
	run(test, 65536);
}
