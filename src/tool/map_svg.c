/* SPDX-License-Identifier: MIT */
/*
 * map_svg.c - the cells of map.c as a picture
 *
 * Room: tool. Rows of cells in the order of addresses, a region under the other; the legend to
 * the right. Neighbours of one colour are one rectangle, which says what it is when a browser's
 * pointer rests on it. A cell of several colours is a stack of them, from what is held at the bottom to
 * what is free at the top: a half-empty cell looks half empty.
 */

#include <string.h>

#include "tool/map.h"

#define MARGIN       24
#define LABEL_WIDTH  118
#define GRID_WIDTH   768 /* 64 cells of 12, 128 of 6 */
#define LEGEND_WIDTH 300
#define TITLE_HEIGHT 64
#define REGION_TITLE 26
#define REGION_GAP   14
#define LEGEND_ROW   19
#define BLOCK_BYTES  (MAP_PAGE << 9) /* a pageblock */
#define LABEL_EVERY  72              /* pixels between addresses, about */

static const char *const fill[MAP_NR_COLORS] = {
	"#3b6fb6",
	"#f28e2b",
	"#4f9d4b",
	"#d94f4f",
	"#9467bd",
	"#2fa8a8",
	"#e377b0",
	"#8c6d46",
	"#7f9c2c",
	"#5dade2",
	"#c9a227",
	[MAP_OTHER_CACHES] = "#8e9aaf",
	[MAP_BLOCK] = "#2f3b52",
	[MAP_AREA] = "#5b4a7d",
	[MAP_STOCK] = "#c9d8b6",
	[MAP_UNPURGED] = "#d8cbe8",
	[MAP_FREE] = "#f4e6b8",
	[MAP_UNTOUCHED] = "#eef1f5",
	[MAP_HOLE] = "#ffffff",
};

static const char *const words[MAP_NR_COLORS] = {
	[MAP_OTHER_CACHES] = "other caches",
	[MAP_BLOCK] = "blocks of pages",
	[MAP_AREA] = "areas",
	[MAP_STOCK] = "free, per-CPU stock",
	[MAP_UNPURGED] = "freed areas, unpurged",
	[MAP_FREE] = "free pages, still held",
	[MAP_UNTOUCHED] = "given back or untouched",
	[MAP_HOLE] = "not ours",
};

static const char *color_name(const struct map *map, enum map_color color)
{
	if (color < MAP_OTHER_CACHES)
		return (size_t)color < map->nr_caches ? map->caches[color].name : "";
	return words[color];
}

const char *map_cell_size(const struct map *map)
{
	static char text[HUMAN_SIZE];

	if (map->cell_bytes < 1 << 20)
		snprintf(text, sizeof(text), "%zuK", map->cell_bytes >> 10);
	else
		snprintf(text, sizeof(text), "%zuM", map->cell_bytes >> 20);
	return text;
}

/* Text from elsewhere. */
static void put_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '<')
			fputs("&lt;", out);
		else if (c == '>')
			fputs("&gt;", out);
		else if (c == '&')
			fputs("&amp;", out);
		else if (c < 0x20 || c >= 0x7f)
			fputc('?', out);
		else
			fputc(c, out);
	}
}

static int cell_px(const struct map *map)
{
	return GRID_WIDTH / map->columns;
}

static int region_height(const struct map *map, const struct map_region *region)
{
	size_t columns = (size_t)map->columns;

	return (int)((region->nr_cells + columns - 1) / columns) * cell_px(map);
}

/* ---- cells ----------------------------------------------------------------------------- */

/* The colour of all of it, or -1. */
static int only_color(const struct map_cell *cell)
{
	int only = -1;

	for (int c = 0; c < MAP_NR_COLORS; c++) {
		if (!cell->pages[c])
			continue;
		if (only >= 0)
			return -1;
		only = c;
	}
	return only;
}

static void draw_mixed(const struct map *map, const struct map_cell *cell, double x, double y,
		       FILE *out)
{
	double px = cell_px(map), top = y + px, per_page;
	uint32_t pages = 0;

	for (int c = 0; c < MAP_NR_COLORS; c++)
		pages += cell->pages[c];
	per_page = px / (pages ? pages : 1);
	for (int c = 0; c < MAP_NR_COLORS; c++) {
		double height = cell->pages[c] * per_page;

		if (!cell->pages[c])
			continue;
		top -= height;
		fprintf(out,
			"<rect class=\"c%d\" x=\"%g\" y=\"%.2f\" width=\"%g\" height=\"%.2f\"/>", c,
			x, top, px, height);
	}
	fputc('\n', out);
}

static void draw_run(const struct map *map, const struct map_region *region, size_t cell, size_t n,
		     int color, double x, double y, FILE *out)
{
	int px = cell_px(map);
	char size[HUMAN_SIZE];

	if (color == MAP_UNTOUCHED || color == MAP_HOLE) {
		fprintf(out,
			"<rect class=\"c%d\" x=\"%g\" y=\"%g\" width=\"%zu\" height=\"%d\"/>\n",
			color, x, y, n * (size_t)px, px);
		return;
	}
	fprintf(out, "<rect class=\"c%d\" x=\"%g\" y=\"%g\" width=\"%zu\" height=\"%d\"><title>%s ",
		color, x, y, n * (size_t)px, px, human(size, n * map->cell_bytes));
	put_text(out, color_name(map, (enum map_color)color));
	if (region != &map->region[MAP_AREAS])
		fprintf(out, " at 0x%lx", (unsigned long)(region->start + cell * map->cell_bytes));
	fputs("</title></rect>\n", out);
}

static void draw_cells(const struct map *map, const struct map_region *region, double y0, FILE *out)
{
	size_t columns = (size_t)map->columns;
	int px = cell_px(map);

	for (size_t cell = 0; cell < region->nr_cells;) {
		const struct map_cell *first = &map->cells[region->first_cell + cell];
		size_t column = cell % columns, row = cell / columns;
		double x = MARGIN + LABEL_WIDTH + (double)column * px;
		double y = y0 + (double)row * px;
		int color = only_color(first);
		size_t n = 1;

		if (color < 0) {
			draw_mixed(map, first, x, y, out);
			cell++;
			continue;
		}
		while ((cell + n) % columns && cell + n < region->nr_cells &&
		       only_color(first + n) == color)
			n++;
		draw_run(map, region, cell, n, color, x, y, out);
		cell += n;
	}
}

/* Lines between cells where they are pages, and where pageblocks begin. */
static void draw_lines(const struct map *map, const struct map_region *region, double y0, FILE *out)
{
	int px = cell_px(map), height = region_height(map, region);
	size_t rows = (size_t)(height / px);
	size_t row_bytes = map->cell_bytes * (size_t)map->columns;
	int x = MARGIN + LABEL_WIDTH;

	fputs("<path class=\"grid\" d=\"", out);
	for (int i = 1; i < map->columns; i++)
		fprintf(out, "M%d %gv%d", x + i * px, y0, height);
	for (size_t row = 1; row < rows; row++)
		fprintf(out, "M%d %gh%d", x, y0 + (double)row * px, GRID_WIDTH);
	fputs("\"/>\n", out);
	if (region == &map->region[MAP_AREAS] || row_bytes >= BLOCK_BYTES)
		return;
	fputs("<path class=\"block\" d=\"", out);
	for (size_t row = 0; row < rows; row++)
		if (!((region->start + row * row_bytes) % BLOCK_BYTES))
			fprintf(out, "M%d %gh%d", x - 6, y0 + (double)row * px, GRID_WIDTH + 6);
	fputs("\"/>\n", out);
}

static void draw_addresses(const struct map *map, const struct map_region *region, double y0,
			   FILE *out)
{
	int px = cell_px(map), height = region_height(map, region);
	int step = LABEL_EVERY / px * px;

	for (int y = 0; y < height; y += step) {
		size_t row = (size_t)(y / px);

		/* The last one would run into the next region. */
		if (y && height - y < 12)
			break;
		fprintf(out, "<text class=\"addr\" x=\"%d\" y=\"%g\">%lx</text>\n",
			MARGIN + LABEL_WIDTH - 10, y0 + y + 9,
			(unsigned long)(region->start +
					row * map->cell_bytes * (size_t)map->columns));
	}
}

static const char *const region_words[MAP_NR_REGIONS] = { "below 4 GiB", "pages",
							  "areas, one behind the other" };

static int draw_region(const struct map *map, int w, int y, FILE *out)
{
	const struct map_region *region = &map->region[w];
	int height = region_height(map, region);
	char size[HUMAN_SIZE];

	if (!region->nr_cells)
		return y;
	fprintf(out, "<text class=\"region\" x=\"%d\" y=\"%d\">%s: %s", MARGIN + LABEL_WIDTH,
		y + REGION_TITLE - 9, region_words[w], human(size, region->bytes));
	if (w == MAP_AREAS)
		fprintf(out, " in %zu", region->nr_runs);
	fputs("</text>\n", out);
	y += REGION_TITLE;
	fprintf(out, "<g shape-rendering=\"crispEdges\">\n");
	draw_cells(map, region, y, out);
	fputs("</g>\n", out);
	draw_lines(map, region, y, out);
	if (w != MAP_AREAS)
		draw_addresses(map, region, y, out);
	return y + height + REGION_GAP;
}

/* ---- the rest -------------------------------------------------------------------------------- */

static void legend_row(const struct map *map, enum map_color color, int x, int y, FILE *out)
{
	char size[HUMAN_SIZE];

	fprintf(out,
		"<rect class=\"c%d key\" x=\"%d\" y=\"%d\" width=\"12\" height=\"12\"/><text "
		"class=\"key\" x=\"%d\" y=\"%d\">",
		(int)color, x, y, x + 20, y + 11);
	put_text(out, color_name(map, color));
	fprintf(out, "</text><text class=\"size\" x=\"%d\" y=\"%d\">%s</text>\n",
		x + LEGEND_WIDTH - 40, y + 11, human(size, map->bytes[color]));
}

static int draw_legend(const struct map *map, int y, FILE *out)
{
	int x = MARGIN + LABEL_WIDTH + GRID_WIDTH + 28;

	y += REGION_TITLE;
	for (int c = 0; c < MAP_NR_COLORS; c++) {
		if (!map->bytes[c])
			continue;
		if (c == MAP_BLOCK || c == MAP_STOCK)
			y += LEGEND_ROW / 2; /* caches, other holders, free */
		legend_row(map, (enum map_color)c, x, y, out);
		y += LEGEND_ROW;
	}
	return y;
}

static void draw_title(const struct map *map, FILE *out)
{
	const struct sw_heap_view *heap = &map->heap;
	char live[HUMAN_SIZE], held[HUMAN_SIZE];

	fprintf(out, "<text class=\"title\" x=\"%d\" y=\"%d\">", MARGIN, MARGIN + 14);
	put_text(out, map->target.name);
	fprintf(out, " (%d)</text>\n<text class=\"sub\" x=\"%d\" y=\"%d\">", (int)map->target.pid,
		MARGIN, MARGIN + 36);
	fprintf(out,
		"live %s, held %s, waste %.1f%%. A cell is %s%s; a line of cells is read from left to "
		"right, lines from top to bottom.</text>\n",
		human(live, heap->live), human(held, heap->held),
		heap->held ? 100.0 * (double)(heap->held - heap->live) / (double)heap->held : 0.0,
		map_cell_size(map), map->cell_bytes == MAP_PAGE ? ", a page" : "");
}

static void draw_style(FILE *out)
{
	fputs("<style>\ntext{font-family:'DejaVu Sans',Verdana,sans-serif;fill:#222}\n"
	      ".title{font-size:18px;font-weight:bold}.sub{font-size:12px;fill:#555}\n"
	      ".region{font-size:12px;font-weight:bold}.key{font-size:12px}\n"
	      ".size{font-size:12px;text-anchor:end}\n"
	      ".addr{font-family:'DejaVu Sans Mono',monospace;font-size:10px;fill:#777;"
	      "text-anchor:end}\n"
	      ".grid{stroke:#fff;stroke-width:1;stroke-opacity:.4;fill:none}\n"
	      ".block{stroke:#555;stroke-width:1;fill:none}\n"
	      "rect.key{stroke:#888;stroke-width:.5}\n",
	      out);
	for (int c = 0; c < MAP_NR_COLORS; c++)
		fprintf(out, ".c%d{fill:%s}", c, fill[c]);
	fputs("\n</style>\n", out);
}

void map_svg(const struct map *map, FILE *out)
{
	int width = MARGIN + LABEL_WIDTH + GRID_WIDTH + 28 + LEGEND_WIDTH;
	int height = TITLE_HEIGHT + MARGIN, legend = MARGIN + TITLE_HEIGHT + REGION_TITLE, y;

	for (int w = 0; w < MAP_NR_REGIONS; w++)
		if (map->region[w].nr_cells)
			height += REGION_TITLE + region_height(map, &map->region[w]) + REGION_GAP;
	for (int c = 0; c < MAP_NR_COLORS; c++)
		legend += map->bytes[c] ? LEGEND_ROW : 0;
	legend += LEGEND_ROW;
	height = (height > legend ? height : legend) + MARGIN;
	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
		"viewBox=\"0 0 %d %d\">\n<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
		width, height, width, height);
	draw_style(out);
	draw_title(map, out);
	y = TITLE_HEIGHT + MARGIN / 2;
	draw_legend(map, y, out);
	for (int w = 0; w < MAP_NR_REGIONS; w++)
		y = draw_region(map, w, y, out);
	fputs("</svg>\n", out);
}
