/* SPDX-License-Identifier: MIT */
#ifndef TOOL_SAMPLE_H
#define TOOL_SAMPLE_H

/*
 * sample.h - a process looked at again and again: what top shows
 *
 * Room: tool.
 */

#include <stdio.h>

#include "tool/tool.h"

#define GROWTH_S     10.0
#define SAMPLES_KEPT 128 /* more than GROWTH_S at the shortest delay */

struct row {
	struct sw_cache_view cache; /* or, with objects == 0, blocks, areas or the page cache */
	bool is_cache;
	bool growth_known;
	long long growth; /* bytes of live objects, against GROWTH_S ago or the first look */
};

struct past {
	double when_s;
	size_t nr;
	struct {
		uintptr_t id;
		size_t live_bytes;
	} * cache;
};

enum sort { SORT_BYTES, SORT_GROWTH, SORT_OBJECTS, SORT_NAME, NR_SORTS };
extern const char *const sort_names[NR_SORTS];

struct watch {
	struct target target;
	unsigned long long started; /* clock ticks since the machine's start: who it is */

	struct sw_heap_view heap;
	struct {
		size_t cached, dirty, writeback, mapped; /* bytes, as meminfo has them */
	} files;
	size_t rss;
	uint64_t limit; /* bytes; UINT64_MAX: none */
	const char *limit_is;
	double up_s;

	struct row *rows;
	size_t nr_rows, max_rows;
	struct past past[SAMPLES_KEPT]; /* oldest first */
	size_t nr_past;
};

/* target is open. */
void watch_init(struct watch *watch);
void watch_end(struct watch *watch);
/* Look now. 0, -ESRCH it has ended, -EAGAIN it changes too fast, ... */
int watch_look(struct watch *watch);
void watch_sort(struct watch *watch, enum sort sort);

/*
 * Lines of text without their ends, in the order of the screen. ascii: no letter beyond. Width
 * 0: as long as it takes; else the header is broken into lines that fit.
 */
#define LINE_SIZE 512
typedef void (*line_fn)(const char *line, void *arg);
void watch_header(const struct watch *watch, int width, bool ascii, line_fn fn, void *arg);
void watch_titles(const struct watch *watch, char line[LINE_SIZE]);
void watch_row(const struct watch *watch, size_t n, char line[LINE_SIZE]);
void watch_json(const struct watch *watch, FILE *out);

/* top_screen.c, or top_noscreen.c where there is no ncurses. Exit status. */
int top_screen(struct watch *watch, double delay_s, enum sort sort);

#endif /* TOOL_SAMPLE_H */
