/* SPDX-License-Identifier: MIT */
/*
 * bench.c - the clock, the median, and the command line shared by the bench programs
 *
 * Rules are in bench.h. Output goes through a static buffer, so that printing a figure asks
 * the measured allocator for nothing.
 */

#include "bench.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_REPETITIONS 99
#define FIRST_TRY_OPS   16

struct settings {
	double target_ns;
	int repetitions;
	long fixed_ops; /* 0: measure */
};

double clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

/* One "Name:   123 kB" line of a /proc file in bytes; 0 if it is not there. */
static size_t proc_field(const char *path, const char *name)
{
	static char text[16384];
	const char *line;
	ssize_t len;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (len <= 0)
		return 0;
	text[len] = '\0';
	line = strstr(text, name);
	return line ? strtoul(line + strlen(name), NULL, 10) * 1024 : 0;
}

size_t memory_now(void)
{
	size_t exact = proc_field("/proc/self/smaps_rollup", "\nRss:");

	return exact ? exact : proc_field("/proc/self/status", "\nVmRSS:");
}

size_t memory_peak(void)
{
	return proc_field("/proc/self/status", "\nVmHWM:");
}

void print_figure(const char *row, const char *part, double value, const char *unit)
{
	char text[128];
	int len = snprintf(text, sizeof(text), "%s%s%s %.4f %s\n", row, *part ? "." : "", part,
			   value, unit);

	if (write(STDOUT_FILENO, text, (size_t)len) != len)
		exit(1);
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Nanoseconds an operation, over one repetition; *took gets the whole of it. */
static double time_ops(const struct row *row, long ops, double *took)
{
	clockid_t clock = row->clock ? row->clock : CLOCK_THREAD_CPUTIME_ID;
	double start = clock_ns(clock);
	long done = row->ops(row, ops);

	*took = clock_ns(clock) - start;
	return *took / (double)done;
}

static void row_measure(const struct row *row, const struct settings *set)
{
	double figures[MAX_REPETITIONS], took, per_op;
	long ops = FIRST_TRY_OPS;

	while (per_op = time_ops(row, ops, &took), took < set->target_ns / 2)
		ops *= 2;
	ops = (long)(set->target_ns / per_op) + 1;
	for (int i = 0; i < set->repetitions; i++)
		figures[i] = time_ops(row, ops, &took);
	qsort(figures, (size_t)set->repetitions, sizeof(figures[0]), compare_doubles);
	print_figure(row->name, "", figures[set->repetitions / 2], "ns");
}

static void row_run(const struct row *row, const struct settings *set)
{
	if (row->setup)
		row->setup(row);
	if (row->ops && set->fixed_ops)
		row->ops(row, set->fixed_ops);
	else if (row->ops)
		row_measure(row, set);
	if (row->after && !set->fixed_ops)
		row->after(row);
	if (row->teardown)
		row->teardown(row);
}

/* Which library a call of malloc() reaches: the proof that a preload took effect. */
static int print_owner_of_malloc(void)
{
	void *address = dlsym(RTLD_DEFAULT, "malloc");
	Dl_info info;

	if (!address || !dladdr(address, &info))
		return 1;
	printf("%s\n", info.dli_fname);
	return 0;
}

static int usage(const char *program)
{
	fprintf(stderr, "usage: %s [-m MS] [-r N] [-i OPS] ROW... | --list | --which\n", program);
	return 2;
}

int bench_main(const struct row *rows, size_t nr_rows, int argc, char **argv)
{
	struct settings set = { .target_ns = 30e6, .repetitions = 5 };
	int arg = 1;

	if (argc == 2 && !strcmp(argv[1], "--which"))
		return print_owner_of_malloc();
	if (argc == 2 && !strcmp(argv[1], "--list")) {
		for (size_t i = 0; i < nr_rows; i++)
			printf("%s %s\n", rows[i].name, rows[i].peer_row ? rows[i].peer_row : "");
		return 0;
	}
	for (; arg + 1 < argc && argv[arg][0] == '-'; arg += 2) {
		if (!strcmp(argv[arg], "-m"))
			set.target_ns = strtod(argv[arg + 1], NULL) * 1e6;
		else if (!strcmp(argv[arg], "-r"))
			set.repetitions = atoi(argv[arg + 1]);
		else if (!strcmp(argv[arg], "-i"))
			set.fixed_ops = strtol(argv[arg + 1], NULL, 10);
		else
			return usage(argv[0]);
	}
	if (arg == argc || set.repetitions < 1 || set.repetitions > MAX_REPETITIONS)
		return usage(argv[0]);
	for (; arg < argc; arg++) {
		const struct row *row = NULL;

		for (size_t i = 0; i < nr_rows; i++) {
			if (!strcmp(rows[i].name, argv[arg]))
				row = &rows[i];
		}
		if (!row) {
			fprintf(stderr, "%s: no row %s; --list names them\n", argv[0], argv[arg]);
			return 2;
		}
		row_run(row, &set);
	}
	return 0;
}
