/* SPDX-License-Identifier: MIT */
/*
 * sample_text.c - the lines that top shows, and the same as JSON
 *
 * Room: tool. Door: tool/sample.h. The screen and `--once` print the same lines.
 */

#include <stdarg.h>
#include <string.h>

#include "tool/sample.h"

#define NAME_MIN    12
#define NAME_MAX    32
#define FIRST_SIZES 4 /* free areas: so many of the small sizes, then the largest there is */

/* ---- the header --------------------------------------------------------------------- */

/* Text that is broken between pieces where a line gets too long. */
struct flow {
	char line[LINE_SIZE];
	size_t len;
	int width, column;
	line_fn fn;
	void *arg;
};

static void flow_end(struct flow *flow)
{
	if (flow->len)
		flow->fn(flow->line, flow->arg);
	flow->len = 0;
	flow->column = 0;
}

/* Columns of UTF-8 text: bytes that begin a letter. */
static int columns(const char *text)
{
	int n = 0;

	for (; *text; text++)
		n += (*text & 0xc0) != 0x80;
	return n;
}

__attribute__((format(printf, 3, 4))) static void flow_add(struct flow *flow, const char *gap,
							   const char *fmt, ...)
{
	char piece[192];
	va_list args;

	va_start(args, fmt);
	vsnprintf(piece, sizeof(piece), fmt, args);
	va_end(args);
	if (flow->width && flow->len &&
	    flow->column + (int)strlen(gap) + columns(piece) > flow->width)
		flow_end(flow);
	if (!flow->len)
		gap = *gap && flow->width ? " " : ""; /* a line that goes on is set in */
	if (flow->len + strlen(gap) + strlen(piece) >= sizeof(flow->line))
		return;
	flow->len += (size_t)snprintf(flow->line + flow->len, sizeof(flow->line) - flow->len,
				      "%s%s", gap, piece);
	flow->column += (int)strlen(gap) + columns(piece);
}

static void up_text(char text[32], double up_s)
{
	unsigned long s = (unsigned long)up_s;

	if (s < 3600)
		snprintf(text, 32, "%02lu:%02lu", s / 60, s % 60);
	else if (s < 86400)
		snprintf(text, 32, "%02lu:%02lu:%02lu", s / 3600, s / 60 % 60, s % 60);
	else
		snprintf(text, 32, "%lud %02lu:%02lu", s / 86400, s / 3600 % 24, s / 60 % 60);
}

static double percent(size_t part, size_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

static void first_line(const struct watch *watch, struct flow *flow)
{
	const struct sw_heap_view *heap = &watch->heap;
	char up[32], n[HUMAN_SIZE];

	up_text(up, watch->up_s);
	flow_add(flow, "", "%s (%d)", watch->target.name, (int)watch->target.pid);
	flow_add(flow, "  ", "up %s", up);
	flow_add(flow, "   ", "live %s", human(n, heap->live));
	flow_add(flow, "  ", "held %s", human(n, heap->held));
	flow_add(flow, "  ", "rss %s", human(n, watch->rss));
	flow_add(flow, "   ",
		 "waste %.1f%% (rounding %.1f, partial slabs %.1f, per-CPU stock %.1f, free pages "
		 "%.1f)",
		 percent(heap->held - heap->live, heap->held), percent(heap->rounding, heap->held),
		 percent(heap->partial_slabs, heap->held), percent(heap->cpu_stock, heap->held),
		 percent(heap->free_pages, heap->held));
	if (watch->limit == UINT64_MAX)
		flow_add(flow, "  ", "limit none");
	else
		flow_add(flow, "  ", "limit %s (%s)", human(n, watch->limit), watch->limit_is);
	flow_end(flow);
}

/* 4K, 8K, ... 4M */
static void order_name(char text[HUMAN_SIZE], int order)
{
	unsigned long kib = 4ul << order;

	if (kib < 1024)
		snprintf(text, HUMAN_SIZE, "%luK", kib);
	else
		snprintf(text, HUMAN_SIZE, "%luM", kib >> 10);
}

static void second_line(const struct watch *watch, struct flow *flow, bool ascii)
{
	const unsigned long *blocks = watch->heap.free_blocks;
	char text[160], size[HUMAN_SIZE];
	size_t len = 0;
	int last = SW_VIEW_ORDERS - 1;

	while (last >= FIRST_SIZES && !blocks[last])
		last--;
	for (int order = 0; order < SW_VIEW_ORDERS; order++) {
		if (order >= FIRST_SIZES && order != last)
			continue;
		if (order > FIRST_SIZES)
			len += (size_t)snprintf(text + len, sizeof(text) - len, " %s",
						ascii ? "..." : "…");
		order_name(size, order);
		len += (size_t)snprintf(text + len, sizeof(text) - len, " %s:%lu", size,
					blocks[order]);
	}
	flow_add(flow, "", " free areas%s", text);
	flow_add(flow, "    ", "reclaimable %s",
		 human(size, watch->heap.cpu_stock + watch->heap.free_pages));
	flow_add(flow, "    ", "faults %lu", watch->heap.failed);
	flow_add(flow, "    ", "guarded 0 (0 bugs)");
	flow_end(flow);
}

/* Only of a process that has files of ours. */
static void files_line(const struct watch *watch, struct flow *flow)
{
	char n[HUMAN_SIZE];

	if (!watch->files.cached)
		return;
	flow_add(flow, "", " files cached %s", human(n, watch->files.cached));
	flow_add(flow, "  ", "dirty %s", human(n, watch->files.dirty));
	flow_add(flow, "  ", "writeback %s", human(n, watch->files.writeback));
	flow_add(flow, "  ", "mapped %s", human(n, watch->files.mapped));
	flow_end(flow);
}

void watch_header(const struct watch *watch, int width, bool ascii, line_fn fn, void *arg)
{
	struct flow flow = { .width = width, .fn = fn, .arg = arg };

	first_line(watch, &flow);
	second_line(watch, &flow, ascii);
	files_line(watch, &flow);
}

/* ---- the table ----------------------------------------------------------------------------- */

static int name_width(const struct watch *watch)
{
	size_t width = NAME_MIN;

	for (size_t i = 0; i < watch->nr_rows; i++) {
		size_t len = strlen(watch->rows[i].cache.name);

		if (len > width)
			width = len;
	}
	return width < NAME_MAX ? (int)width : NAME_MAX;
}

void watch_titles(const struct watch *watch, char line[LINE_SIZE])
{
	snprintf(line, LINE_SIZE, " %-*s %7s %8s %4s %6s %6s %8s %8s", name_width(watch), "CACHE",
		 "OBJS", "ACTIVE", "USE", "SIZE", "SLABS", "BYTES", "+/10s");
}

static void growth_text(char text[HUMAN_SIZE + 1], const struct row *row)
{
	char n[HUMAN_SIZE];

	if (!row->growth_known)
		snprintf(text, HUMAN_SIZE + 1, "-");
	else if (!row->growth)
		snprintf(text, HUMAN_SIZE + 1, "0");
	else
		snprintf(text, HUMAN_SIZE + 1, "%c%.15s", row->growth < 0 ? '-' : '+',
			 human(n, (uint64_t)(row->growth < 0 ? -row->growth : row->growth)));
}

void watch_row(const struct watch *watch, size_t n, char line[LINE_SIZE])
{
	const struct row *row = &watch->rows[n];
	const struct sw_cache_view *c = &row->cache;
	char bytes[HUMAN_SIZE], growth[HUMAN_SIZE + 1], count[24] = "-";
	int width = name_width(watch);

	growth_text(growth, row);
	if (!row->is_cache) {
		if (c->live)
			snprintf(count, sizeof(count), "%lu", c->live);
		snprintf(line, LINE_SIZE, " %-*.*s %7s %8s %4s %6s %6s %8s %8s", width, width,
			 c->name, count, count, "-", "-", "-", human(bytes, c->bytes), growth);
		return;
	}
	snprintf(line, LINE_SIZE, " %-*.*s %7lu %8lu %3lu%% %6zu %6lu %8s %8s", width, width,
		 c->name, c->objects, c->live, c->objects ? c->live * 100 / c->objects : 0,
		 c->object_size, c->slabs, human(bytes, c->bytes), growth);
}

/* ---- JSON --------------------------------------------------------------------------------------- */

static void json_rows(const struct watch *watch, FILE *out)
{
	for (size_t i = 0; i < watch->nr_rows; i++) {
		const struct row *row = &watch->rows[i];
		const struct sw_cache_view *c = &row->cache;

		fprintf(out, "%s\n  { \"name\": ", i ? "," : "");
		json_text(out, c->name);
		if (row->is_cache)
			fprintf(out,
				", \"objs\": %lu, \"active\": %lu, \"stock\": %lu, \"size\": %zu, "
				"\"slabs\": %lu, \"partial\": %lu",
				c->objects, c->live, c->stock, c->object_size, c->slabs,
				c->partial);
		fprintf(out, ", \"bytes\": %zu, \"growth\": ", c->bytes);
		if (row->growth_known)
			fprintf(out, "%lld }", row->growth);
		else
			fputs("null }", out);
	}
}

void watch_json(const struct watch *watch, FILE *out)
{
	const struct sw_heap_view *heap = &watch->heap;

	fprintf(out, "{\n \"pid\": %d,\n \"name\": ", (int)watch->target.pid);
	json_text(out, watch->target.name);
	fprintf(out,
		",\n \"up_s\": %.1f,\n \"live\": %zu,\n \"held\": %zu,\n \"rss\": %zu,\n \"waste\": { "
		"\"rounding\": %zu, \"partial_slabs\": %zu, \"cpu_stock\": %zu, \"free_pages\": %zu },\n"
		" \"unpurged\": %zu,\n \"reclaimable\": %zu,\n \"faults\": %lu,\n \"limit\": ",
		watch->up_s, heap->live, heap->held, watch->rss, heap->rounding,
		heap->partial_slabs, heap->cpu_stock, heap->free_pages, heap->unpurged,
		heap->cpu_stock + heap->free_pages, heap->failed);
	if (watch->limit == UINT64_MAX)
		fputs("null", out);
	else
		fprintf(out, "%llu", (unsigned long long)watch->limit);
	fprintf(out,
		",\n \"files\": { \"cached\": %zu, \"dirty\": %zu, \"writeback\": %zu, \"mapped\": %zu }",
		watch->files.cached, watch->files.dirty, watch->files.writeback,
		watch->files.mapped);
	fputs(",\n \"free_areas\": [", out);
	for (int order = 0; order < SW_VIEW_ORDERS; order++)
		fprintf(out, "%s %lu", order ? "," : "", heap->free_blocks[order]);
	fputs(" ],\n \"caches\": [", out);
	json_rows(watch, out);
	fputs("\n ]\n}\n", out);
}
