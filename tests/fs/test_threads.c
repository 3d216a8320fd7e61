/* SPDX-License-Identifier: MIT */
/*
 * test_threads.c - several threads in one directory, one file, one table of descriptors
 *
 * Rooms under test: vfs, cache, fstypes. Meant for `./test --tsan`, where the races show; here what must hold
 * at the end is checked. Rounds are few so that they pass there in time: FS_THREAD_ROUNDS.
 */

#include "fs_test.h"

#include <linux/falloc.h>
#include <sys/mman.h>

#define THREADS 4

static int rounds(int usual)
{
	const char *text = getenv("FS_THREAD_ROUNDS");

	return text ? atoi(text) : usual;
}

static void run_threads(struct kunit *test, int nr, void *(*fn)(void *arg))
{
	pthread_t thread[THREADS];

	for (long i = 0; i < nr; i++)
		KUNIT_ASSERT_EQ(test, pthread_create(&thread[i], NULL, fn, (void *)i), 0);
	for (int i = 0; i < nr; i++)
		KUNIT_ASSERT_EQ(test, pthread_join(thread[i], NULL), 0);
}

static _Atomic long wrong; /* results that may not be */
static char first_wrong[200];

static void note_wrong(const char *what, long result)
{
	if (!atomic_fetch_add(&wrong, 1))
		snprintf(first_wrong, sizeof(first_wrong), "%s gave %ld", what, result);
}

static void expect_none_wrong(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, atomic_load(&wrong), 0, "first: %s", first_wrong);
}

/* One of the results that are right whatever the others do. */
#define ALLOW(call, ...)                                                          \
	do {                                                                      \
		static const long allowed[] = { __VA_ARGS__ };                    \
		long r = (call);                                                  \
		bool ok = r >= 0;                                                 \
		for (size_t k = 0; k < sizeof(allowed) / sizeof(allowed[0]); k++) \
			ok |= r == allowed[k];                                    \
		if (!ok)                                                          \
			note_wrong(#call, r);                                     \
	} while (0)

/* ---- one directory ------------------------------------------------------------------------------ */

static void *in_one_directory(void *arg)
{
	struct rng rng = { 77 + (uint64_t)(uintptr_t)arg };
	char a[32], b[32];
	char entries[512];
	struct stat st;

	for (int i = 0; i < rounds(4000); i++) {
		snprintf(a, sizeof(a), "/d/%c", 'a' + (int)rng_below(&rng, 6));
		snprintf(b, sizeof(b), "/d/%c", 'a' + (int)rng_below(&rng, 6));
		switch (rng_below(&rng, 10)) {
		case 0:
			ALLOW(sw_fs_mkdir(a, 0755), -EEXIST);
			break;
		case 1:
			ALLOW(sw_fs_rmdir(a), -ENOENT, -ENOTDIR, -ENOTEMPTY);
			break;
		case 2:
			ALLOW(sw_fs_unlink(a), -ENOENT, -EISDIR);
			break;
		case 3:
			ALLOW(sw_fs_rename(a, b), -ENOENT, -ENOTDIR, -EISDIR, -EEXIST, -ENOTEMPTY);
			break;
		case 4:
			ALLOW(sw_fs_link(a, b), -ENOENT, -EPERM, -EEXIST);
			break;
		case 5:
			ALLOW(sw_fs_stat(a, &st), -ENOENT);
			break;
		case 6: {
			int fd = sw_fs_open("/d", O_RDONLY | O_DIRECTORY, 0);

			if (fd < 0)
				note_wrong("open of the directory", fd);
			while (sw_fs_getdents(fd, entries, sizeof(entries)) > 0)
				;
			sw_fs_close(fd);
			break;
		}
		case 7:
			ALLOW(sw_fs_symlink("x", a), -EEXIST);
			break;
		default: {
			int fd = sw_fs_open(a, O_CREAT | O_RDWR, 0644);

			if (fd < 0) {
				/* "x" of a link does not exist, or is made through it. */
				if (fd != -EISDIR && fd != -ENOENT)
					note_wrong("open", fd);
				break;
			}
			ALLOW(sw_fs_write(fd, a, 4), 0);
			ALLOW(sw_fs_close(fd), 0);
		}
		}
	}
	return NULL;
}

TEST_ON_BOTH(threads_in_one_directory_leave_it_whole, .timeout_s = 300)
{
	struct stat st;
	unsigned int subdirs = 0;
	char name[32];

	KUNIT_ASSERT_EQ(test, sw_fs_mkdir("/d", 0755), 0);
	run_threads(test, THREADS, in_one_directory);
	expect_none_wrong(test);
	for (int i = 0; i < 6; i++) {
		snprintf(name, sizeof(name), "/d/%c", 'a' + i);
		if (sw_fs_lstat(name, &st))
			continue;
		if (S_ISDIR(st.st_mode)) {
			subdirs++;
			KUNIT_EXPECT_EQ(test, sw_fs_rmdir(name), 0);
		} else {
			KUNIT_EXPECT_EQ(test, sw_fs_unlink(name), 0);
		}
	}
	sw_fs_unlink("/d/x");
	KUNIT_EXPECT_EQ(test, sw_fs_stat("/d", &st), 0);
	KUNIT_EXPECT_EQ(test, st.st_nlink, 2);
	KUNIT_EXPECT_EQ(test, sw_fs_rmdir("/d"), 0);
}

/* Two names change places for ever; a walk over them finds one or the other, never nothing. */
static _Atomic bool stop;

static void *walk_to_it(void *arg)
{
	struct stat st;
	long n = 0;

	(void)arg;
	while (!atomic_load(&stop)) {
		int r = sw_fs_stat("/a/x/f", &st);

		if (r)
			note_wrong("stat of a name that is always there", r);
		n++;
	}
	return (void *)n;
}

TEST_ON_BOTH(a_walk_never_misses_a_name_while_a_directory_moves, .timeout_s = 300)
{
	pthread_t thread;

	KUNIT_ASSERT_EQ(test, sw_fs_mkdir("/a", 0755), 0);
	KUNIT_ASSERT_EQ(test, sw_fs_mkdir("/a/x", 0755), 0);
	put_file(test, "/a/x/f", "x", 1);
	put_file(test, "/new", "x", 1);
	KUNIT_ASSERT_EQ(test, pthread_create(&thread, NULL, walk_to_it, NULL), 0);
	for (int i = 0; i < rounds(5000); i++) {
		KUNIT_ASSERT_EQ(test, sw_fs_link("/new", "/spare"), 0);
		KUNIT_ASSERT_EQ(test, sw_fs_rename("/spare", "/a/x/f"), 0);
		put_file(test, "/other", "", 0);
		KUNIT_ASSERT_EQ(test, sw_fs_rename("/other", "/a/x/f"), 0);
	}
	atomic_store(&stop, true);
	pthread_join(thread, NULL);
	expect_none_wrong(test);
}

/* ---- one file ------------------------------------------------------------------------------------- */

static int shared_fd;
#define RECORD 64

static void *append_records(void *arg)
{
	char record[RECORD];
	int fd = sw_fs_open("/log", O_WRONLY | O_APPEND, 0);

	for (int i = 0; i < rounds(3000); i++) {
		memset(record, ' ', sizeof(record));
		snprintf(record, sizeof(record), "%ld %d", (long)arg, i);
		record[RECORD - 1] = '\n';
		if (sw_fs_write(fd, record, RECORD) != RECORD)
			note_wrong("append", i);
	}
	sw_fs_close(fd);
	return NULL;
}

TEST_ON_BOTH(appends_of_several_threads_are_all_there_and_whole, .timeout_s = 300)
{
	int next[THREADS] = { 0 }, n = rounds(3000);
	char record[RECORD];
	struct stat st;
	int fd;

	put_file(test, "/log", "", 0);
	run_threads(test, THREADS, append_records);
	expect_none_wrong(test);
	KUNIT_ASSERT_EQ(test, sw_fs_stat("/log", &st), 0);
	KUNIT_ASSERT_EQ(test, st.st_size, (long)THREADS * n * RECORD);
	fd = sw_fs_open("/log", O_RDONLY, 0);
	for (int i = 0; i < THREADS * n; i++) {
		int who, which;

		KUNIT_ASSERT_EQ(test, sw_fs_read(fd, record, RECORD), RECORD);
		KUNIT_ASSERT_EQ(test, record[RECORD - 1], '\n');
		KUNIT_ASSERT_EQ(test, sscanf(record, "%d %d", &who, &which), 2);
		KUNIT_ASSERT_EQ(test, which, next[who]++);
	}
}

#define WORDS (PAGE_SIZE / 8)

/* Thread 0 writes pages of one value, cuts and lengthens; the others read what it wrote, or zeros. */
static void *on_one_file(void *arg)
{
	struct rng rng = { 5 + (uint64_t)(uintptr_t)arg };
	static _Atomic uint64_t last = 1;
	uint64_t page[WORDS];

	for (int i = 0; i < rounds(6000); i++) {
		int64_t index = rng_below(&rng, 16);

		if (!arg) {
			uint64_t value = atomic_fetch_add(&last, 1);

			for (size_t k = 0; k < WORDS; k++)
				page[k] = value;
			if (i % 16 == 0)
				ALLOW(sw_fs_ftruncate(shared_fd, index * PAGE_SIZE), 0);
			if (i % 64 == 0)
				sw_cache_reclaim(8);
			ALLOW(sw_fs_pwrite(shared_fd, page, sizeof(page), index * PAGE_SIZE), 0);
		} else {
			ssize_t n = sw_fs_pread(shared_fd, page, sizeof(page), index * PAGE_SIZE);

			if (n < 0 || n % 8)
				note_wrong("pread", n);
			for (ssize_t k = 0; k < n / 8; k++)
				if (page[k] >= atomic_load(&last))
					note_wrong("a word that nobody wrote", (long)page[k]);
		}
	}
	return NULL;
}

TEST_ON_BOTH(readers_of_a_file_that_is_written_and_cut_see_only_what_was_written, .timeout_s = 300)
{
	shared_fd = sw_fs_open("/f", O_CREAT | O_RDWR, 0644);
	KUNIT_ASSERT_GE(test, shared_fd, 0);
	run_threads(test, THREADS, on_one_file);
	expect_none_wrong(test);
}

KUNIT_TEST(readers_are_served_while_pages_are_reclaimed, .timeout_s = 300)
{
	struct sw_cache_limits limits = { .max_pages = 8, .background_pages = 2, .dirty_pages = 4 };

	mount_ramdev(test);
	sw_cache_set_limits(&limits);
	KUNIT_ASSERT_EQ(test, sw_fs_start_writeback(), 0);
	shared_fd = sw_fs_open("/f", O_CREAT | O_RDWR, 0644);
	KUNIT_ASSERT_GE(test, shared_fd, 0);
	run_threads(test, THREADS, on_one_file);
	expect_none_wrong(test);
	sw_fs_stop_writeback();
}

/* Stores through a mapping beside calls: each thread its own word of each page. */
static unsigned char *shared_map;

/* TSan takes the mmap() by which the fault is served for a write that nothing orders before this. */
__attribute__((no_sanitize("thread"), noinline)) static void store_word(size_t at, uint64_t value)
{
	*(volatile uint64_t *)(void *)(shared_map + at) = value;
}

static void *store_own_words(void *arg)
{
	long who = (long)arg;

	for (int i = 0; i < rounds(2000); i++) {
		size_t at = (size_t)(i % 16) * PAGE_SIZE + (size_t)who * 8;
		uint64_t value = (uint64_t)i * THREADS + (uint64_t)who, back = 0;

		if (who & 1)
			ALLOW(sw_fs_pwrite(shared_fd, &value, 8, (int64_t)at), 0);
		else
			store_word(at, value);
		if (sw_fs_pread(shared_fd, &back, 8, (int64_t)at) != 8 || back != value)
			note_wrong("a word that only this thread writes", (long)back);
		if (i % 50 == 0)
			sw_fs_fsync(shared_fd);
	}
	return NULL;
}

KUNIT_TEST(stores_and_calls_of_several_threads_lose_nothing, .timeout_s = 300)
{
	void *addr;

	mount_ramdev(test);
	put_pattern(test, "/f", 16 * PAGE_SIZE, 0);
	shared_fd = sw_fs_open("/f", O_RDWR, 0);
	KUNIT_ASSERT_EQ(test,
			sw_fs_mmap(NULL, 16 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
				   shared_fd, 0, &addr),
			0);
	shared_map = addr;
	run_threads(test, THREADS, store_own_words);
	expect_none_wrong(test);
	KUNIT_EXPECT_EQ(test, sw_fs_munmap(addr, 16 * PAGE_SIZE), 0);
}

/* ---- one table of descriptors ------------------------------------------------------------------------ */

static void *open_and_close(void *arg)
{
	struct rng rng = { 9 + (uint64_t)(uintptr_t)arg };
	struct stat st;
	char c;

	for (int i = 0; i < rounds(10000); i++) {
		int fd = (int)rng_below(&rng, 8);

		switch (rng_below(&rng, 6)) {
		case 0:
			ALLOW(sw_fs_open("/f", O_RDONLY | O_CLOEXEC, 0), 0);
			break;
		case 1:
			ALLOW(sw_fs_dup2(fd, (int)rng_below(&rng, 100)), -EBADF, -EBUSY);
			break;
		case 2:
			ALLOW(sw_fs_fstat(fd, &st), -EBADF);
			break;
		case 3:
			ALLOW(sw_fs_pread(fd, &c, 1, 0), -EBADF);
			break;
		default:
			ALLOW(sw_fs_close((int)rng_below(&rng, 100)), -EBADF);
		}
	}
	return NULL;
}

TEST_ON_BOTH(descriptors_may_be_opened_used_and_closed_by_all, .timeout_s = 300)
{
	struct stat st;

	put_file(test, "/f", "x", 1);
	run_threads(test, THREADS, open_and_close);
	expect_none_wrong(test);
	for (int fd = 0; fd < 4096; fd++)
		sw_fs_close(fd);
	KUNIT_EXPECT_EQ(test, sw_fs_open("/f", O_RDONLY, 0), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_fstat(0, &st), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_close(0), 0);
	/* Nothing keeps it busy. */
	KUNIT_EXPECT_EQ(test, sw_fs_umount("/", 0), 0);
}

KUNIT_TEST(release_runs_once_for_each_file_that_threads_closed, .timeout_s = 300)
{
	mount_ramdev(test);
	put_file(test, "/f", "x", 1);
	ramdev_reset();
	run_threads(test, THREADS, open_and_close);
	for (int fd = 0; fd < 4096; fd++)
		sw_fs_close(fd);
	expect_none_wrong(test);
	KUNIT_EXPECT_EQ(test, ramdev.ops[OP_RELEASE], ramdev.ops[OP_OPEN]);
}

/* ---- a huge folio that is cut while it is read --------------------------------------------------------- */

#define CUT_PAGES 512

static _Atomic bool cut_done;

/* Every third page stays. */
static bool cut_stays(unsigned int page)
{
	return page % 3 == 0;
}

static void *reads_what_stays(void *arg)
{
	struct rng rng = { 9 + (uint64_t)(uintptr_t)arg };
	unsigned char page[PAGE_SIZE];

	while (!atomic_load(&cut_done)) {
		int64_t pos = (int64_t)rng_below(&rng, CUT_PAGES) / 3 * 3 * PAGE_SIZE;
		struct sw_fs_pin pin;

		if (sw_fs_pread(shared_fd, page, sizeof(page), pos) != (ssize_t)sizeof(page) ||
		    !is_pattern(page, sizeof(page), (uint64_t)pos, 3))
			note_wrong("pread of a page that stays", pos);
		if (rng_below(&rng, 16))
			continue;
		ALLOW(sw_fs_page_pin(shared_fd, pos, &pin), 0);
		if (!is_pattern(pin.addr, PAGE_SIZE, (uint64_t)pos, 3))
			note_wrong("a pinned page that stays", pos);
		sw_fs_page_unpin(&pin);
	}
	return NULL;
}

KUNIT_TEST(readers_of_a_folio_that_is_cut_see_its_bytes_all_the_time, .timeout_s = 300)
{
	struct rng rng = { kunit_seed(test) };

	mount_tmpfs(test);
	for (int round = 0; round < rounds(40); round++) {
		pthread_t thread[2];

		put_pattern(test, "/cut", CUT_PAGES * PAGE_SIZE, 3);
		shared_fd = sw_fs_open("/cut", O_RDWR, 0);
		atomic_store(&cut_done, false);
		for (long i = 0; i < 2; i++)
			KUNIT_ASSERT_EQ(
				test, pthread_create(&thread[i], NULL, reads_what_stays, (void *)i),
				0);
		for (int i = 0; i < 400; i++) {
			unsigned int page = rng_below(&rng, CUT_PAGES);

			if (!cut_stays(page))
				KUNIT_EXPECT_EQ(
					test,
					sw_fs_fallocate(shared_fd,
							FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
							page * (int64_t)PAGE_SIZE, PAGE_SIZE),
					0);
		}
		atomic_store(&cut_done, true);
		for (int i = 0; i < 2; i++)
			pthread_join(thread[i], NULL);
		KUNIT_EXPECT_EQ(test, sw_fs_close(shared_fd), 0);
		KUNIT_EXPECT_EQ(test, sw_fs_unlink("/cut"), 0);
	}
	expect_none_wrong(test);
}

/* ---- a write that comes while the file goes ------------------------------------------------------------ */

#define GOING_BYTES (1L << 20)
#define GOING_FD    40

static _Atomic bool going_done;

static void *overwrites_number_40(void *arg)
{
	char *buf = malloc(GOING_BYTES);

	(void)arg;
	memset(buf, 'w', GOING_BYTES);
	while (!atomic_load(&going_done))
		ALLOW(sw_fs_pwrite(GOING_FD, buf, GOING_BYTES, 0), -EBADF);
	free(buf);
	return NULL;
}

static bool all_of(const char *buf, char c)
{
	return buf[0] == c && !memcmp(buf, buf + 1, GOING_BYTES - 1);
}

/* The pages of a file that is closed and removed become another's while somebody writes the old one by its number. */
KUNIT_TEST(an_overwrite_never_lands_in_the_file_that_has_the_pages_now, .timeout_s = 300)
{
	char *bytes = malloc(GOING_BYTES), *back = malloc(GOING_BYTES);
	pthread_t thread;

	mount_tmpfs(test);
	atomic_store(&going_done, false);
	KUNIT_ASSERT_EQ(test, pthread_create(&thread, NULL, overwrites_number_40, NULL), 0);
	memset(bytes, 'b', GOING_BYTES);
	for (int i = 0; i < rounds(300); i++) {
		int old = sw_fs_open("/old", O_CREAT | O_RDWR, 0644), fd;

		KUNIT_ASSERT_EQ(test, sw_fs_write(old, bytes, GOING_BYTES), GOING_BYTES);
		KUNIT_ASSERT_EQ(test, sw_fs_dup2(old, GOING_FD), GOING_FD);
		KUNIT_ASSERT_EQ(test, sw_fs_close(old), 0);
		KUNIT_ASSERT_EQ(test, sw_fs_unlink("/old"), 0);
		for (int wait = 0; wait < i % 7; wait++)
			sched_yield();
		KUNIT_ASSERT_EQ(test, sw_fs_close(GOING_FD), 0);
		fd = sw_fs_open("/new", O_CREAT | O_TRUNC | O_RDWR, 0644);
		KUNIT_ASSERT_EQ(test, sw_fs_write(fd, bytes, GOING_BYTES), GOING_BYTES);
		sched_yield();
		KUNIT_ASSERT_EQ(test, sw_fs_pread(fd, back, GOING_BYTES, 0), GOING_BYTES);
		KUNIT_ASSERT_TRUE(test, all_of(back, 'b'));
		KUNIT_ASSERT_EQ(test, sw_fs_close(fd), 0);
		KUNIT_ASSERT_EQ(test, sw_fs_unlink("/new"), 0);
	}
	atomic_store(&going_done, true);
	pthread_join(thread, NULL);
	expect_none_wrong(test);
	free(bytes);
	free(back);
}
