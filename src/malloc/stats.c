/* SPDX-License-Identifier: MIT */
/*
 * stats.c - mallinfo, malloc_info, malloc_stats, malloc_trim, mallopt
 *
 * Room: malloc. glibc's interfaces, answered from this heap. How its words map:
 *
 *   arena     slabs, blocks and free pages that still hold memory
 *   uordblks  live objects and blocks           hblks, hblkhd  areas: count, bytes
 *   fordblks  arena - uordblks                  ordblks        free objects, a count
 *   keepcost  free pages: what malloc_trim() can give back at once
 *   fsmblks   free objects in the CPUs' stock   smblks         0
 *
 * Nothing is counted while the program runs; each call walks the caches.
 */

#include "malloc/malloc_internal.h"

#include <limits.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <errno.h>

#include "os/os.h"

static void heap_stats(struct sw_heap_stats *stats)
{
	memset(stats, 0, sizeof(*stats));
	if (malloc_boot())
		sw_heap_stats(stats);
}

SW_API struct mallinfo2 mallinfo2(void)
{
	struct sw_heap_stats s;
	struct mallinfo2 info = { 0 };

	heap_stats(&s);
	info.arena = s.slab_held + s.block_bytes + s.free_pages;
	info.ordblks = s.slab_free_objects;
	info.hblks = s.area_count;
	info.hblkhd = s.area_bytes;
	info.fsmblks = s.slab_stock;
	info.uordblks = s.slab_live + s.block_bytes;
	info.fordblks = info.arena - info.uordblks;
	info.keepcost = s.free_pages;
	return info;
}

/* The old form has int fields; where glibc wraps, we stop at INT_MAX. */
static int to_int(size_t n)
{
	return n > INT_MAX ? INT_MAX : (int)n;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
SW_API struct mallinfo mallinfo(void)
{
	struct mallinfo2 full = mallinfo2();
	struct mallinfo info = { 0 };

	info.arena = to_int(full.arena);
	info.ordblks = to_int(full.ordblks);
	info.hblks = to_int(full.hblks);
	info.hblkhd = to_int(full.hblkhd);
	info.fsmblks = to_int(full.fsmblks);
	info.uordblks = to_int(full.uordblks);
	info.fordblks = to_int(full.fordblks);
	info.keepcost = to_int(full.keepcost);
	return info;
}
#pragma GCC diagnostic pop

SW_API int malloc_trim(size_t pad)
{
	int saved = errno;
	size_t given = 0;

	if (malloc_boot())
		given = sw_trim(pad);
	errno = saved;
	return given > 0;
}

static __printf(1, 2) void say(const char *fmt, ...)
{
	char line[160];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	if (len > 0)
		os_write_err(line, (size_t)len < sizeof(line) ? (size_t)len : sizeof(line) - 1);
}

SW_API void malloc_stats(void)
{
	int saved = errno;
	struct sw_cache_stats c;
	struct sw_heap_stats s;

	heap_stats(&s);
	say("%-20s %10s %10s %8s %8s %12s\n", "cache", "live", "objects", "size", "slabs", "bytes");
	for (unsigned int i = 0; sw_cache_stats(i, &c); i++) {
		if (c.slabs)
			say("%-20s %10zu %10zu %8zu %8zu %12zu\n", c.name, c.live, c.total,
			    c.object_size, c.slabs, c.slab_bytes);
	}
	say("objects  live %zu of %zu bytes in slabs, %zu in the CPUs' stock\n", s.slab_live,
	    s.slab_held, s.slab_stock);
	say("blocks   live %zu bytes\n", s.block_bytes);
	say("areas    live %zu bytes in %zu\n", s.area_bytes, s.area_count);
	say("pages    free %zu bytes\n", s.free_pages);
	errno = saved;
}

/* glibc's element names where they mean something here; caches are ours. */
SW_API int malloc_info(int options, FILE *out)
{
	struct sw_cache_stats c;
	struct sw_heap_stats s;
	size_t held;

	if (options != 0)
		return EINVAL;
	heap_stats(&s);
	held = s.slab_held + s.block_bytes + s.free_pages;
	fputs("<malloc version=\"1\">\n<heap nr=\"0\">\n<sizes>\n", out);
	for (unsigned int i = 0; sw_cache_stats(i, &c); i++) {
		if (c.slabs)
			fprintf(out,
				"  <cache name=\"%s\" size=\"%zu\" live=\"%zu\" objects=\"%zu\" "
				"slabs=\"%zu\" bytes=\"%zu\"/>\n",
				c.name, c.object_size, c.live, c.total, c.slabs, c.slab_bytes);
	}
	fprintf(out,
		"</sizes>\n<total type=\"fast\" count=\"0\" size=\"%zu\"/>\n"
		"<total type=\"rest\" count=\"%zu\" size=\"%zu\"/>\n"
		"<system type=\"current\" size=\"%zu\"/>\n</heap>\n",
		s.slab_stock, s.slab_free_objects, s.slab_held - s.slab_live, held);
	fprintf(out,
		"<total type=\"used\" count=\"%zu\" size=\"%zu\"/>\n"
		"<total type=\"mmap\" count=\"%zu\" size=\"%zu\"/>\n"
		"<system type=\"current\" size=\"%zu\"/>\n</malloc>\n",
		s.slab_objects, s.slab_live + s.block_bytes, s.area_count, s.area_bytes,
		held + s.area_bytes);
	return 0;
}

#ifndef M_MXFAST
#define M_MXFAST 1
#endif
#ifndef M_ARENA_TEST
#define M_ARENA_TEST -7
#endif
#ifndef M_ARENA_MAX
#define M_ARENA_MAX -8
#endif
#define MXFAST_MAX (80 * (int)sizeof(size_t) / 4) /* as documented in mallopt(3) */

/*
 * Programs insist on 1. We have no arenas and no thresholds, so a known parameter
 * with a legal value is taken and changes nothing.
 */
SW_API int mallopt(int param, int value)
{
	switch (param) {
	case M_MXFAST:
		return value >= 0 && value <= MXFAST_MAX;
	case M_ARENA_TEST:
	case M_ARENA_MAX:
		return value > 0;
	case M_TRIM_THRESHOLD:
	case M_TOP_PAD:
	case M_MMAP_THRESHOLD:
	case M_MMAP_MAX:
	case M_CHECK_ACTION:
	case M_PERTURB:
		return 1;
	default:
		return 0;
	}
}
