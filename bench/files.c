/* SPDX-License-Identifier: MIT */
/*
 * files.c - what does a call on a file cost in process, and what the kernel's on its tmpfs?
 *
 * Each row is there twice, fs.X and tmpfs.X: the same loop, the same sizes and paths, through a table of calls that
 * holds ours or the C library's. The kernel's files lie in a folder of /dev/shm, which must be a tmpfs.
 *
 *   read64, read4k      pread() of 64 bytes, of 4 KiB, at random in 1 MiB that stays in the CPU's cache
 *   read4k-64M          pread() of 4 KiB at random in 64 MiB
 *   read1M              pread() of 1 MiB at random in 64 MiB
 *   copy4k, copy4k-64M, copy1M  memcpy() of the same from ordinary memory: the floor of reads (only fs.)
 *   copyin4k            memcpy() of 4 KiB to random places of 1 MiB of ordinary memory: the floor of write4k (only fs.)
 *   pin                 sw_fs_page_pin() and _unpin() at random in 1 MiB (only fs.)
 *   write4k             pwrite() of 4 KiB over what is there, at random in 1 MiB
 *   stat, missing       stat() of "d/file", of a name that is not there
 *   open                open() and close() of "d/file"
 *   create              open(O_CREAT | O_EXCL), close(), unlink()
 *   read64x2 …          two threads, each on a file of its own (x2s: on the same file): CPU time a call,
 *                       so the figure of one thread means twice the work in the same time
 *   page-bytes          memory beside the data that a cached page costs; file written in pieces of 1 MiB
 *   page-bytes4k        the same, written page by page in random order (only fs.)
 */

#include <slabwork/fs/fs.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "bench.h"

#define SMALL_BYTES  (1UL << 20)
#define LARGE_BYTES  (64UL << 20)
#define TMPFS_MAGIC  0x01021994
#define MOST_THREADS 2

/* What a row calls. */
struct calls {
	int (*open)(const char *path, int flags, mode_t mode);
	int (*close)(int fd);
	ssize_t (*pread)(int fd, void *buf, size_t n, int64_t pos);
	ssize_t (*pwrite)(int fd, const void *buf, size_t n, int64_t pos);
	int (*stat)(const char *path, struct stat *st);
	int (*unlink)(const char *path);
};

static int host_open(const char *path, int flags, mode_t mode)
{
	return open(path, flags, mode);
}

static const struct calls ours = { sw_fs_open,   sw_fs_close, sw_fs_pread,
				   sw_fs_pwrite, sw_fs_stat,  sw_fs_unlink };
static const struct calls host = { host_open, close, pread, pwrite, stat, unlink };
static const struct calls *call;

static char top[64];
static int fd[MOST_THREADS];
static char *buf[MOST_THREADS];
static struct rng rng = { 88172645463325252ULL };

static void fail(const char *what)
{
	fprintf(stderr, "files: %s: %s\n", what, strerror(errno));
	exit(1);
}

static inline void must(long result, long want, const char *what)
{
	if (__builtin_expect(result != want, 0))
		fail(what);
}

static void remove_top(void)
{
	if (!top[0] || chdir(top))
		return;
	unlink("d/file");
	unlink("d/file1");
	rmdir("d");
	if (!chdir("/"))
		rmdir(top);
}

static void enter_host(void)
{
	struct statfs fs;

	if (statfs("/dev/shm", &fs) || fs.f_type != TMPFS_MAGIC)
		fail("/dev/shm is no tmpfs");
	snprintf(top, sizeof(top), "/dev/shm/slabwork-bench-%d", (int)getpid());
	atexit(remove_top);
	if (mkdir(top, 0755) || chdir(top) || mkdir("d", 0755))
		fail(top);
}

static void enter_ours(void)
{
	must(sw_fs_mount("tmpfs", NULL, "/", 0, NULL), 0, "mount");
	must(sw_fs_mkdir("/w", 0755), 0, "mkdir");
	must(sw_fs_chdir("/w"), 0, "chdir");
	must(sw_fs_mkdir("d", 0755), 0, "mkdir");
}

static void fill(int file, size_t bytes)
{
	memset(buf[0], 1, SMALL_BYTES);
	for (size_t at = 0; at < bytes; at += SMALL_BYTES)
		must(call->pwrite(file, buf[0], SMALL_BYTES, (int64_t)at), SMALL_BYTES, "filling");
}

/* "d/file" and, for the second thread, "d/file1" or the same. row->size: bytes; row->count: threads, 2 + 1: one file. */
static void setup(const struct row *row)
{
	long threads = row->count > 1 ? 2 : 1;

	call = strncmp(row->name, "fs.", 3) ? &host : &ours;
	if (call == &host)
		enter_host();
	else
		enter_ours();
	for (long i = 0; i < threads; i++)
		if (posix_memalign((void **)&buf[i], 4096, SMALL_BYTES))
			fail("memory");
	memset(buf[0], 1, SMALL_BYTES);
	for (long i = 0; i < threads; i++) {
		memset(buf[i], 1, SMALL_BYTES);
		fd[i] = i && row->count == 3 ?
				fd[0] :
				call->open(i ? "d/file1" : "d/file", O_CREAT | O_RDWR, 0644);
		if (fd[i] < 0)
			fail("open");
		fill(fd[i], row->size);
	}
}

/* ---- rows of one thread; @r and @file: the thread's ------------------------------------------------ */

static long read_random(const struct row *row, long ops, int who, size_t bytes)
{
	struct rng r = rng;
	uint32_t places = (uint32_t)(row->size / bytes);

	r.state += (uint64_t)who;
	for (long i = 0; i < ops; i++)
		must(call->pread(fd[who], buf[who], bytes,
				 (int64_t)(rng_below(&r, places) * bytes)),
		     (long)bytes, "pread");
	if (!who)
		rng = r;
	return ops;
}

static long read64(const struct row *row, long ops)
{
	return read_random(row, ops, 0, 64);
}

static long read4k(const struct row *row, long ops)
{
	return read_random(row, ops, 0, 4096);
}

static long read1m(const struct row *row, long ops)
{
	return read_random(row, ops, 0, SMALL_BYTES);
}

static char *plain;

static void setup_plain(const struct row *row)
{
	call = &ours;
	if (posix_memalign((void **)&plain, 2UL << 20, row->size) ||
	    posix_memalign((void **)&buf[0], 4096, SMALL_BYTES))
		fail("memory");
	memset(plain, 1, row->size);
	memset(buf[0], 1, SMALL_BYTES);
}

static long copy_random(const struct row *row, long ops, size_t bytes)
{
	uint32_t places = (uint32_t)(row->size / bytes);

	for (long i = 0; i < ops; i++) {
		memcpy(buf[0], plain + rng_below(&rng, places) * bytes, bytes);
		USED(buf[0]);
	}
	return ops;
}

static long copy4k(const struct row *row, long ops)
{
	return copy_random(row, ops, 4096);
}

static long copyin4k(const struct row *row, long ops)
{
	uint32_t places = (uint32_t)(row->size / 4096);

	for (long i = 0; i < ops; i++) {
		memcpy(plain + rng_below(&rng, places) * 4096UL, buf[0], 4096);
		USED(plain);
	}
	return ops;
}

static long copy1m(const struct row *row, long ops)
{
	return copy_random(row, ops, SMALL_BYTES);
}

static long pin(const struct row *row, long ops)
{
	uint32_t places = (uint32_t)(row->size / 4096);
	struct sw_fs_pin p;

	for (long i = 0; i < ops; i++) {
		must(sw_fs_page_pin(fd[0], (int64_t)rng_below(&rng, places) * 4096, &p), 0, "pin");
		USED(p.addr);
		sw_fs_page_unpin(&p);
	}
	return ops;
}

static long write_random(const struct row *row, long ops, int who)
{
	struct rng r = rng;
	uint32_t places = (uint32_t)(row->size / 4096);

	r.state += (uint64_t)who;
	for (long i = 0; i < ops; i++)
		must(call->pwrite(fd[who], buf[who], 4096, (int64_t)rng_below(&r, places) * 4096),
		     4096, "pwrite");
	return ops;
}

static long write4k(const struct row *row, long ops)
{
	return write_random(row, ops, 0);
}

static long stat_file(const struct row *row, long ops)
{
	struct stat st;

	(void)row;
	for (long i = 0; i < ops; i++)
		must(call->stat("d/file", &st), 0, "stat");
	return ops;
}

static long stat_missing(const struct row *row, long ops)
{
	struct stat st;

	(void)row;
	for (long i = 0; i < ops; i++)
		if (!call->stat("d/none", &st))
			fail("stat of nothing");
	return ops;
}

static long open_close(const struct row *row, long ops)
{
	(void)row;
	for (long i = 0; i < ops; i++) {
		int f = call->open("d/file", O_RDONLY, 0);

		if (f < 0)
			fail("open");
		must(call->close(f), 0, "close");
	}
	return ops;
}

static long create_unlink(const struct row *row, long ops)
{
	(void)row;
	for (long i = 0; i < ops; i++) {
		int f = call->open("d/new", O_CREAT | O_EXCL | O_RDWR, 0644);

		if (f < 0)
			fail("create");
		must(call->close(f), 0, "close");
		must(call->unlink("d/new"), 0, "unlink");
	}
	return ops;
}

/* ---- rows of two threads ----------------------------------------------------------------------------- */

struct worker {
	const struct row *row;
	long ops;
	int who;
	long (*work)(const struct row *row, long ops, int who);
};

static void *work(void *arg)
{
	struct worker *w = arg;

	w->work(w->row, w->ops, w->who);
	return NULL;
}

static long two_threads(const struct row *row, long ops,
			long (*what)(const struct row *row, long ops, int who))
{
	struct worker w[2] = { { row, ops / 2 + 1, 0, what }, { row, ops / 2 + 1, 1, what } };
	pthread_t thread;

	if (pthread_create(&thread, NULL, work, &w[1]))
		fail("thread");
	work(&w[0]);
	pthread_join(thread, NULL);
	return 2 * w[0].ops;
}

static long read64_by(const struct row *row, long ops, int who)
{
	return read_random(row, ops, who, 64);
}

static long read64x2(const struct row *row, long ops)
{
	return two_threads(row, ops, read64_by);
}

static long read4k_by(const struct row *row, long ops, int who)
{
	return read_random(row, ops, who, 4096);
}

static long read4kx2(const struct row *row, long ops)
{
	return two_threads(row, ops, read4k_by);
}

static long write4kx2(const struct row *row, long ops)
{
	return two_threads(row, ops, write_random);
}

static long stat_by(const struct row *row, long ops, int who)
{
	(void)who;
	return stat_file(row, ops);
}

static long statx2(const struct row *row, long ops)
{
	return two_threads(row, ops, stat_by);
}

/* ---- memory --------------------------------------------------------------------------------------------- */

/* @file gets @pages pages, in random order or in pieces of SMALL_BYTES. */
static void write_pages(int file, uint32_t pages, bool by_page)
{
	static uint32_t order[LARGE_BYTES / 4096];

	if (!by_page) {
		fill(file, pages * 4096UL);
		return;
	}
	for (uint32_t i = 0; i < ARRAY_SIZE(order); i++)
		order[i] = i < pages ? i : 0;
	for (uint32_t i = pages - 1; i; i--) {
		uint32_t k = rng_below(&rng, i + 1), was = order[i];

		order[i] = order[k];
		order[k] = was;
	}
	for (uint32_t i = 0; i < pages; i++)
		must(call->pwrite(file, buf[0], 4096, (int64_t)order[i] * 4096), 4096, "pwrite");
}

/*
 * What the process has more after a file of LARGE_BYTES was written, without the bytes themselves. A small file is
 * written first in the same way: pages of code and of the program's own tables are no cost of a cached page.
 */
static void page_bytes(const struct row *row, bool by_page)
{
	uint32_t pages = LARGE_BYTES / 4096;
	size_t before;
	int file;

	setup(row);
	write_pages(fd[0], SMALL_BYTES / 4096, by_page);
	file = call->open("d/file1", O_CREAT | O_RDWR, 0644);
	(void)memory_now();
	before = memory_now();
	write_pages(file, pages, by_page);
	print_figure(row->name, "", ((double)memory_now() - (double)before - LARGE_BYTES) / pages,
		     "B");
}

static void page_bytes1m(const struct row *row)
{
	page_bytes(row, false);
}

static void page_bytes4k(const struct row *row)
{
	page_bytes(row, true);
}

#define CPU CLOCK_PROCESS_CPUTIME_ID
/* clang-format off */
#define BOTH(name, fn, bytes, threads, clk) \
	{ "fs." name, fn, bytes, threads, setup, .clock = clk }, \
	{ "tmpfs." name, fn, bytes, threads, setup, .clock = clk }
#define OURS(name, fn, bytes, set) { "fs." name, fn, bytes, 1, set, .clock = 0 }

static const struct row rows[] = {
	BOTH("read64", read64, SMALL_BYTES, 1, 0),
	BOTH("read4k", read4k, SMALL_BYTES, 1, 0),
	OURS("copy4k", copy4k, SMALL_BYTES, setup_plain),
	BOTH("read4k-64M", read4k, LARGE_BYTES, 1, 0),
	OURS("copy4k-64M", copy4k, LARGE_BYTES, setup_plain),
	BOTH("read1M", read1m, LARGE_BYTES, 1, 0),
	OURS("copy1M", copy1m, LARGE_BYTES, setup_plain),
	OURS("pin", pin, SMALL_BYTES, setup),
	BOTH("write4k", write4k, SMALL_BYTES, 1, 0),
	OURS("copyin4k", copyin4k, SMALL_BYTES, setup_plain),
	BOTH("stat", stat_file, 4096, 1, 0),
	BOTH("missing", stat_missing, 4096, 1, 0),
	BOTH("open", open_close, 4096, 1, 0),
	BOTH("create", create_unlink, 4096, 1, 0),
	BOTH("read64x2", read64x2, SMALL_BYTES, 2, CPU),
	BOTH("read64x2s", read64x2, SMALL_BYTES, 3, CPU),
	BOTH("read4kx2", read4kx2, SMALL_BYTES, 2, CPU),
	BOTH("write4kx2", write4kx2, SMALL_BYTES, 2, CPU),
	BOTH("statx2", statx2, 4096, 1, CPU),
	{ "fs.page-bytes", .after = page_bytes1m },
	{ "fs.page-bytes4k", .after = page_bytes4k },
};
/* clang-format on */

int main(int argc, char **argv)
{
	return bench_main(rows, ARRAY_SIZE(rows), argc, argv);
}
