/* SPDX-License-Identifier: MIT */
/*
 * map.c - slabwork map: what holds each page, counted into cells
 *
 * Room: tool. Door for the drawing, map_svg.c: tool/map.h.
 *
 * The process is walked twice (<slabwork/view.h>): first to learn how much there is and which
 * caches are the largest, then to fill cells. A cell is a page where that fits on a screen, else as
 * many pages as it takes (a power of two), and keeps how many of them are of each colour; so
 * 24 GiB make the same size of picture as 4 MiB, and half-used cells are drawn half full. The process
 * goes on between the walks: what lies outside of the cells then is left out.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tool/map.h"

#define TRIES       8
#define CELLS_MAX   20480 /* 128 a row, 160 rows */
#define CELLS_LARGE 2560  /* up to so many are drawn larger, 64 a row */

/* ---- the first walk: how much, and whose ------------------------------------------------------ */

static int add_cache(const struct sw_cache_view *cache, void *arg)
{
	struct map *map = arg;
	struct map_cache *caches;

	if (!cache->slabs)
		return 0;
	caches = realloc(map->caches, (map->nr_caches + 1) * sizeof(*caches));
	if (!caches)
		return -ENOMEM;
	map->caches = caches;
	caches += map->nr_caches++;
	*caches = (struct map_cache){ .id = cache->id, .color = MAP_OTHER_CACHES };
	snprintf(caches->name, sizeof(caches->name), "%s", cache->name);
	return 0;
}

static struct map_cache *cache_of(struct map *map, uintptr_t id)
{
	/* Slabs of one cache lie together: the last one is the next one, mostly. */
	if (map->last < map->nr_caches && map->caches[map->last].id == id)
		return &map->caches[map->last];
	for (size_t i = 0; i < map->nr_caches; i++) {
		if (map->caches[i].id == id) {
			map->last = i;
			return &map->caches[i];
		}
	}
	return NULL; /* made since */
}

static enum map_where where(const struct sw_page_run *run)
{
	if (run->kind == SW_PAGE_AREA || run->kind == SW_PAGE_UNPURGED)
		return MAP_AREAS;
	return run->start >> 32 ? MAP_HIGH : MAP_LOW;
}

static int measure(const struct sw_page_run *run, void *arg)
{
	struct map *map = arg;
	enum map_where w = where(run);
	struct map_region *region = &map->region[w];
	struct map_cache *cache = run->kind == SW_PAGE_SLAB ? cache_of(map, run->cache) : NULL;

	if (cache)
		cache->bytes += run->bytes;
	if (!region->bytes)
		region->start = run->start;
	region->nr_runs++;
	/* Areas are drawn one behind the other, without the addresses between them. */
	if (w == MAP_AREAS)
		region->bytes += run->bytes;
	else
		region->bytes = run->start + run->bytes - region->start;
	return 0;
}

static int by_bytes(const void *a, const void *b)
{
	const struct map_cache *x = a, *y = b;

	return x->bytes == y->bytes ? strcmp(x->name, y->name) : x->bytes < y->bytes ? 1 : -1;
}

static int first_walk(struct map *map)
{
	int err;

	map->nr_caches = 0;
	memset(map->region, 0, sizeof(map->region));
	err = sw_view_caches(&map->target.view, add_cache, map);
	if (!err)
		err = sw_view_pages(&map->target.view, measure, map);
	if (!err)
		err = sw_view_heap(&map->target.view, &map->heap);
	if (err)
		return err;
	if (map->nr_caches)
		qsort(map->caches, map->nr_caches, sizeof(map->caches[0]), by_bytes);
	for (size_t i = 0; i < map->nr_caches && i < MAP_CACHE_COLORS; i++)
		if (map->caches[i].bytes)
			map->caches[i].color = (enum map_color)(MAP_FIRST_CACHE + i);
	return 0;
}

/* ---- the second walk: into cells ----------------------------------------------------------------- */

static size_t cells_for(const struct map *map, size_t cell_bytes)
{
	size_t cells = 0;

	for (int w = 0; w < MAP_NR_REGIONS; w++)
		cells += (map->region[w].bytes + cell_bytes - 1) / cell_bytes;
	return cells;
}

static int make_cells(struct map *map)
{
	size_t first = 0;

	map->cell_bytes = MAP_PAGE;
	while (cells_for(map, map->cell_bytes) > CELLS_MAX)
		map->cell_bytes *= 2;
	map->columns = cells_for(map, map->cell_bytes) <= CELLS_LARGE ? 64 : 128;
	for (int w = 0; w < MAP_NR_REGIONS; w++) {
		struct map_region *region = &map->region[w];

		region->first_cell = first;
		region->nr_cells = (region->bytes + map->cell_bytes - 1) / map->cell_bytes;
		region->filled = 0;
		first += region->nr_cells;
	}
	free(map->cells);
	map->cells = calloc(first ? first : 1, sizeof(*map->cells));
	return map->cells ? 0 : -ENOMEM;
}

static enum map_color color_of(struct map *map, const struct sw_page_run *run)
{
	static const enum map_color colors[SW_NR_PAGE_KINDS] = {
		[SW_PAGE_HOLE] = MAP_HOLE,         [SW_PAGE_UNTOUCHED] = MAP_UNTOUCHED,
		[SW_PAGE_FREE] = MAP_FREE,         [SW_PAGE_STOCK] = MAP_STOCK,
		[SW_PAGE_BLOCK] = MAP_BLOCK,       [SW_PAGE_AREA] = MAP_AREA,
		[SW_PAGE_UNPURGED] = MAP_UNPURGED,
	};
	const struct map_cache *cache;

	if (run->kind != SW_PAGE_SLAB)
		return colors[run->kind];
	cache = cache_of(map, run->cache);
	return cache ? cache->color : MAP_OTHER_CACHES;
}

static int fill(const struct sw_page_run *run, void *arg)
{
	struct map *map = arg;
	enum map_where w = where(run);
	struct map_region *region = &map->region[w];
	enum map_color color = color_of(map, run);
	size_t at = w == MAP_AREAS ? region->filled : run->start - region->start;
	size_t left = run->bytes;

	region->filled += run->bytes;
	map->bytes[color] += run->bytes;
	while (left) {
		size_t cell = at / map->cell_bytes;
		size_t room = map->cell_bytes - at % map->cell_bytes;
		size_t n = left < room ? left : room;

		if (cell >= region->nr_cells)
			return 0; /* it has grown since */
		map->cells[region->first_cell + cell].pages[color] += (uint32_t)(n / MAP_PAGE);
		at += n;
		left -= n;
	}
	return 0;
}

static int second_walk(struct map *map)
{
	int err = make_cells(map);

	memset(map->bytes, 0, sizeof(map->bytes));
	return err ? err : sw_view_pages(&map->target.view, fill, map);
}

/* ---- the command --------------------------------------------------------------------------------- */

static int collect(struct map *map)
{
	int err = -EAGAIN;

	for (int i = 0; i < TRIES && err == -EAGAIN; i++) {
		err = first_walk(map);
		if (!err)
			err = second_walk(map);
	}
	return err;
}

/*
 * Into a file beside, which then takes the name: nobody reads half a picture. What is there
 * already and is no file (a device, a pipe, a link) stays what it is and is written to.
 */
static int write_file(struct map *map, const char *path)
{
	char temporary[4096];
	struct stat st;
	bool beside = lstat(path, &st) || S_ISREG(st.st_mode);
	FILE *out;
	int err = 0;

	if (snprintf(temporary, sizeof(temporary), beside ? "%s.%d" : "%s", path,
		     (int)map->target.pid) >= (int)sizeof(temporary))
		return fail("%s: the name is too long", path);
	out = fopen(temporary, "we");
	if (!out)
		return fail("cannot write %s: %s", path, strerror(errno));
	map_svg(map, out);
	if (ferror(out))
		err = errno;
	if (fclose(out) && !err)
		err = errno;
	if (!err && beside && rename(temporary, path))
		err = errno;
	if (!err)
		return EXIT_OK;
	if (beside)
		remove(temporary);
	return fail("cannot write %s: %s", path, strerror(err));
}

static int write_map(struct map *map, const char *path)
{
	char name[64], n[HUMAN_SIZE];
	int status;

	if (path && !strcmp(path, "-")) {
		map_svg(map, stdout);
		return EXIT_OK;
	}
	if (!path) {
		snprintf(name, sizeof(name), "map-%d.svg", (int)map->target.pid);
		path = name;
	}
	status = write_file(map, path);
	if (status == EXIT_OK)
		printf("%s: %s in cells of %s.  try: xdg-open %s\n", path,
		       human(n, map->region[MAP_LOW].bytes + map->region[MAP_HIGH].bytes +
					map->region[MAP_AREAS].bytes),
		       map_cell_size(map), path);
	return status;
}

int cmd_map(const struct command *cmd, int argc, char **argv)
{
	static struct map map;
	const char *who = NULL, *path = NULL;
	int status, err;

	for (int i = 1; i < argc; i++) {
		if (!strncmp(argv[i], "--output=", 9)) {
			path = argv[i] + 9;
		} else if (!strcmp(argv[i], "-o") || !strcmp(argv[i], "--output")) {
			if (++i == argc)
				return usage_error(cmd, "-o needs a file");
			path = argv[i];
		} else if (argv[i][0] == '-') {
			return usage_error(cmd, "map has no option '%s'", argv[i]);
		} else if (who) {
			return usage_error(cmd, "one word too many: '%s'", argv[i]);
		} else {
			who = argv[i];
		}
	}
	if (!who) {
		usage_error(cmd, "which process?");
		process_list_slabwork();
		return EXIT_USAGE;
	}
	if (!target_open(&map.target, who))
		return EXIT_FAIL;
	err = collect(&map);
	status = err ? target_error(&map.target, err) : write_map(&map, path);
	free(map.cells);
	free(map.caches);
	target_close(&map.target);
	return status;
}
