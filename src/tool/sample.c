/* SPDX-License-Identifier: MIT */
/*
 * sample.c - a process looked at again and again: what top shows
 *
 * Room: tool. The numbers are the library's (<slabwork/view.h>), read from outside; growth is the
 * difference of two of our own looks, the older about GROWTH_S ago. It is of what live objects
 * take, not of slabs: a leak shows at once, though it still fits into half-empty slabs.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <slabwork/show.h>

#include "tool/sample.h"

#define TRIES 8

const char *const sort_names[NR_SORTS] = { "bytes", "growth", "objects", "name" };

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* ---- what /proc knows ------------------------------------------------------------------ */

/* A small file of the process. False: it has ended. */
static bool read_proc(pid_t pid, const char *name, char *text, size_t size)
{
	char path[64];
	size_t len;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	f = fopen(path, "re");
	if (!f)
		return false;
	len = fread(text, 1, size - 1, f);
	text[len] = '\0';
	fclose(f);
	return len > 0;
}

/* Clock ticks after the machine's start; 0: it has ended. */
static unsigned long long start_of(pid_t pid)
{
	unsigned long long ticks = 0;
	char text[1024], state = 'Z';
	const char *p;

	if (!read_proc(pid, "stat", text, sizeof(text)))
		return 0;
	p = strrchr(text, ')'); /* the name before it may hold anything */
	if (!p || sscanf(p + 1,
			 " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d "
			 "%*d %llu",
			 &state, &ticks) != 2)
		return 0;
	return state == 'Z' || state == 'X' ? 0 : ticks;
}

static uint64_t less_of(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* The least of what the process and its cgroup are allowed. */
static void read_limit(struct watch *watch)
{
	char text[4096], path[4200];
	const char *p;
	uint64_t n;
	FILE *f;

	watch->limit = UINT64_MAX;
	watch->limit_is = "none";
	if (read_proc(watch->target.pid, "limits", text, sizeof(text)) &&
	    (p = strstr(text, "Max address space")) &&
	    sscanf(p, "Max address space %lu", &n) == 1) {
		watch->limit = n;
		watch->limit_is = "RLIMIT_AS";
	}
	if (!read_proc(watch->target.pid, "cgroup", text, sizeof(text)) ||
	    !(p = strstr(text, "0::/")))
		return;
	snprintf(path, sizeof(path), "/sys/fs/cgroup%.*s/memory.max", (int)strcspn(p + 3, "\n"),
		 p + 3);
	f = fopen(path, "re");
	if (!f)
		return;
	if (fscanf(f, "%lu", &n) == 1 && n < watch->limit) {
		watch->limit = less_of(n, watch->limit);
		watch->limit_is = "memory.max";
	}
	fclose(f);
}

static bool read_process(struct watch *watch)
{
	unsigned long long start = start_of(watch->target.pid);
	unsigned long rss = 0;
	struct timespec ts;
	char text[256];

	if (!start || (watch->started && start != watch->started) ||
	    !read_proc(watch->target.pid, "statm", text, sizeof(text)))
		return false;
	watch->started = start;
	sscanf(text, "%*u %lu", &rss);
	watch->rss = rss * (size_t)sysconf(_SC_PAGESIZE);
	clock_gettime(CLOCK_BOOTTIME, &ts);
	watch->up_s = (double)ts.tv_sec + (double)ts.tv_nsec / 1e9 -
		      (double)start / (double)sysconf(_SC_CLK_TCK);
	if (watch->up_s < 0)
		watch->up_s = 0;
	read_limit(watch);
	return true;
}

/* ---- rows ---------------------------------------------------------------------------------- */

static struct row *new_row(struct watch *watch)
{
	if (watch->nr_rows == watch->max_rows) {
		size_t max = watch->max_rows ? watch->max_rows * 2 : 256;
		struct row *rows = realloc(watch->rows, max * sizeof(*rows));

		if (!rows)
			return NULL;
		watch->rows = rows;
		watch->max_rows = max;
	}
	memset(&watch->rows[watch->nr_rows], 0, sizeof(struct row));
	return &watch->rows[watch->nr_rows++];
}

static int add_cache(const struct sw_cache_view *cache, void *arg)
{
	struct row *row;

	if (!cache->slabs)
		return 0;
	row = new_row(arg);
	if (!row)
		return -ENOMEM;
	row->cache = *cache;
	row->is_cache = true;
	return 0;
}

/* What is in no cache: id is a number that no address is. */
static int add_other(struct watch *watch, uintptr_t id, const char *name, unsigned long count,
		     size_t bytes)
{
	struct row *row;

	if (!bytes)
		return 0;
	row = new_row(watch);
	if (!row)
		return -ENOMEM;
	row->cache.id = id;
	snprintf(row->cache.name, sizeof(row->cache.name), "%s", name);
	row->cache.live = count;
	row->cache.bytes = bytes;
	return 0;
}

/* "Cached:  12 kB" of meminfo, in bytes. */
static size_t meminfo_bytes(const char *text, const char *name)
{
	size_t len = strlen(name);
	unsigned long kb = 0;

	for (; text; text = strchr(text, '\n')) {
		text += *text == '\n';
		if (!strncmp(text, name, len) && text[len] == ':' &&
		    sscanf(text + len + 1, "%lu", &kb) == 1)
			break;
	}
	return (size_t)kb << 10;
}

/* The page cache of a process that has files of ours. */
static int look_files(struct watch *watch)
{
	char text[8192];
	ssize_t n = sw_show_view(&watch->target.view, SW_TEXT, text, sizeof(text), "meminfo", NULL);

	if (n < 0)
		return (int)n;
	watch->files.cached = meminfo_bytes(text, "Cached");
	watch->files.dirty = meminfo_bytes(text, "Dirty");
	watch->files.writeback = meminfo_bytes(text, "Writeback");
	watch->files.mapped = meminfo_bytes(text, "Mapped");
	return 0;
}

static int look(struct watch *watch)
{
	size_t cached;
	int err;

	watch->nr_rows = 0;
	err = sw_view_caches(&watch->target.view, add_cache, watch);
	if (!err)
		err = sw_view_heap(&watch->target.view, &watch->heap);
	if (!err)
		err = look_files(watch);
	/* Its pages are blocks, too; looked at a moment later, they may be more. */
	cached = less_of(watch->files.cached, watch->heap.blocks);
	if (!err)
		err = add_other(watch, 1, "(blocks)", 0, watch->heap.blocks - cached);
	if (!err)
		err = add_other(watch, 3, "(page cache)", cached / (size_t)sysconf(_SC_PAGESIZE),
				cached);
	if (!err)
		err = add_other(watch, 2, "(areas)", watch->heap.nr_areas, watch->heap.areas);
	return err;
}

static size_t live_bytes(const struct row *row)
{
	return row->is_cache ? row->cache.live * row->cache.object_size : row->cache.bytes;
}

/* ---- growth ------------------------------------------------------------------------------------ */

static void set_growth(struct watch *watch)
{
	const struct past *past = watch->past;

	for (size_t i = 0; i < watch->nr_rows; i++) {
		struct row *row = &watch->rows[i];
		size_t before = 0; /* it was not there */

		row->growth_known = watch->nr_past > 0;
		for (size_t j = 0; row->growth_known && j < past->nr; j++)
			if (past->cache[j].id == row->cache.id)
				before = past->cache[j].live_bytes;
		row->growth = (long long)live_bytes(row) - (long long)before;
	}
}

static void forget_oldest(struct watch *watch)
{
	free(watch->past[0].cache);
	memmove(watch->past, watch->past + 1, --watch->nr_past * sizeof(watch->past[0]));
}

static void remember(struct watch *watch, double when_s)
{
	struct past *past;

	/* The oldest stays until the next one is old enough. */
	while (watch->nr_past > 1 && when_s - watch->past[1].when_s >= GROWTH_S)
		forget_oldest(watch);
	set_growth(watch);
	if (watch->nr_past == SAMPLES_KEPT)
		return;
	past = &watch->past[watch->nr_past];
	past->cache = malloc((watch->nr_rows ? watch->nr_rows : 1) * sizeof(past->cache[0]));
	if (!past->cache)
		return;
	past->when_s = when_s;
	past->nr = watch->nr_rows;
	for (size_t i = 0; i < watch->nr_rows; i++) {
		past->cache[i].id = watch->rows[i].cache.id;
		past->cache[i].live_bytes = live_bytes(&watch->rows[i]);
	}
	watch->nr_past++;
}

int watch_look(struct watch *watch)
{
	int err = -EAGAIN;

	if (!read_process(watch))
		return -ESRCH;
	for (int i = 0; i < TRIES && err == -EAGAIN; i++)
		err = look(watch);
	if (err)
		return start_of(watch->target.pid) == watch->started ? err : -ESRCH;
	remember(watch, now_s());
	return 0;
}

void watch_init(struct watch *watch)
{
	watch->started = 0;
	watch->rows = NULL;
	watch->nr_rows = watch->max_rows = watch->nr_past = 0;
}

void watch_end(struct watch *watch)
{
	while (watch->nr_past)
		forget_oldest(watch);
	free(watch->rows);
	target_close(&watch->target);
}

/* ---- order ---------------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return strcmp(x->cache.name, y->cache.name);
}

static int by_bytes(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return x->cache.bytes != y->cache.bytes ? (x->cache.bytes < y->cache.bytes ? 1 : -1) :
						  by_name(a, b);
}

static int by_growth(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return x->growth != y->growth ? (x->growth < y->growth ? 1 : -1) : by_bytes(a, b);
}

static int by_objects(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return x->cache.objects != y->cache.objects ?
		       (x->cache.objects < y->cache.objects ? 1 : -1) :
		       by_bytes(a, b);
}

void watch_sort(struct watch *watch, enum sort sort)
{
	static int (*const orders[NR_SORTS])(const void *, const void *) = { by_bytes, by_growth,
									     by_objects, by_name };

	if (watch->nr_rows)
		qsort(watch->rows, watch->nr_rows, sizeof(watch->rows[0]), orders[sort]);
}
