/* SPDX-License-Identifier: MIT */
/*
 * mount_calls.c - what does one system call on a mounted file system cost?
 *
 * mount_calls DIR [ROW]...    "ROW nanoseconds" a line: the median of BATCHES batches
 *
 * bench/mount compiles and runs it, once a round and file system. Every call is warm: made before.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BATCHES  15
#define BATCH_NS 3000000 /* long against a timer tick's work, short against a minute for all rows */
#define HOT      (64u << 10)
#define BIG      (1u << 20)

static int fd;
static char *buf;
static uint64_t turn;

static void must(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "mount_calls: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void do_stat(void)
{
	struct stat st;

	must(!stat("dir/file", &st), "stat");
}

static void do_missing(void)
{
	struct stat st;

	must(stat("dir/missing", &st) && errno == ENOENT, "stat of a missing name");
}

static void do_open_close(void)
{
	int f = open("dir/file", O_RDONLY);

	must(f >= 0 && !close(f), "open");
}

static void do_pread_64(void)
{
	must(pread(fd, buf, 64, (off_t)(turn++ * 64 % HOT)) == 64, "pread");
}

static void do_pread_4k(void)
{
	must(pread(fd, buf, 4096, (off_t)(turn++ * 4096 % HOT)) == 4096, "pread");
}

static void do_pread_1m(void)
{
	must(pread(fd, buf, BIG, 0) == BIG, "pread");
}

static void do_pwrite_4k(void)
{
	must(pwrite(fd, buf, 4096, (off_t)(turn++ * 4096 % HOT)) == 4096, "pwrite");
}

static void do_create_unlink(void)
{
	int f = open("dir/new", O_RDWR | O_CREAT | O_EXCL, 0644);

	must(f >= 0 && !close(f) && !unlink("dir/new"), "create");
}

static void do_pwrite_fsync(void)
{
	do_pwrite_4k();
	must(!fsync(fd), "fsync");
}

static const struct {
	const char *name;
	void (*fn)(void);
} rows[] = {
	{ "stat", do_stat },
	{ "missing-name", do_missing },
	{ "open+close", do_open_close },
	{ "pread-64", do_pread_64 },
	{ "pread-4k", do_pread_4k },
	{ "pread-1m", do_pread_1m },
	{ "pwrite-4k", do_pwrite_4k },
	{ "pwrite-4k+fsync", do_pwrite_fsync },
	{ "create+unlink", do_create_unlink },
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static uint64_t time_of(void (*fn)(void), uint64_t n)
{
	uint64_t start = now_ns();

	for (uint64_t i = 0; i < n; i++)
		fn();
	return now_ns() - start;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double measure(void (*fn)(void))
{
	double ns[BATCHES];
	uint64_t n = 1;

	while (time_of(fn, n) < BATCH_NS)
		n *= 2;
	for (int i = 0; i < BATCHES; i++)
		ns[i] = (double)time_of(fn, n) / (double)n;
	qsort(ns, BATCHES, sizeof(ns[0]), by_value);
	return ns[BATCHES / 2];
}

int main(int argc, char **argv)
{
	must(argc > 1 && !chdir(argv[1]), "the directory");
	buf = malloc(BIG);
	memset(buf, 'b', BIG);
	must(!mkdir("dir", 0755) || errno == EEXIST, "mkdir");
	fd = open("dir/file", O_RDWR | O_CREAT | O_TRUNC, 0644);
	must(fd >= 0 && write(fd, buf, BIG) == BIG && !fsync(fd), "the file");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int wanted = argc == 2;

		for (int j = 2; j < argc; j++)
			wanted |= !strcmp(argv[j], rows[i].name);
		if (wanted)
			printf("%s %.0f\n", rows[i].name, measure(rows[i].fn));
	}
	return 0;
}
