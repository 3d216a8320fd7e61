/* SPDX-License-Identifier: MIT */
#ifndef TOOL_MAP_H
#define TOOL_MAP_H

/*
 * map.h - the memory of a process as cells of colours
 *
 * Room: tool. map.c counts, map_svg.c draws.
 */

#include <stdio.h>

#include "tool/tool.h"

#define MAP_PAGE         ((size_t)4096)
#define MAP_CACHE_COLORS 11

/* In the order in which a cell is filled, from the bottom: what is held, then what is not. */
enum map_color {
	MAP_FIRST_CACHE,
	MAP_OTHER_CACHES = MAP_FIRST_CACHE + MAP_CACHE_COLORS,
	MAP_BLOCK,
	MAP_AREA,
	MAP_STOCK,
	MAP_UNPURGED,
	MAP_FREE,
	MAP_UNTOUCHED,
	MAP_HOLE,
	MAP_NR_COLORS
};

struct map_cell {
	uint32_t pages[MAP_NR_COLORS];
};

struct map_cache {
	uintptr_t id;
	char name[64];
	size_t bytes;
	enum map_color color;
};

enum map_where { MAP_LOW, MAP_HIGH, MAP_AREAS, MAP_NR_REGIONS };

struct map_region {
	uintptr_t start;
	size_t bytes; /* 0: there is none */
	size_t nr_runs;
	size_t first_cell, nr_cells;
	size_t filled;
};

struct map {
	struct target target;
	struct sw_heap_view heap;
	struct map_cache *caches; /* largest first */
	size_t nr_caches, last;
	struct map_region region[MAP_NR_REGIONS];
	size_t cell_bytes;
	int columns;
	struct map_cell *cells;
	size_t bytes[MAP_NR_COLORS];
};

void map_svg(const struct map *map, FILE *out);
/* "4K", in a static buffer. */
const char *map_cell_size(const struct map *map);

#endif /* TOOL_MAP_H */
