/* SPDX-License-Identifier: MIT */
/*
 * slabinfo.c - /proc/slabinfo, version 2.1
 *
 * Room: proc. Read by slabtop, vmstat -m and countless scripts. objsize is what an
 * object takes in its slab, metadata included. active_objs is what the program
 * holds: docs/decisions/0005-slabinfo-active.md.
 */

#include "proc/files.h"

static void print_row(struct out *out, const struct cache_row *row)
{
	const struct kmem_cache *cache = &row->cache;

	if (out->json) {
		json_open(out, NULL, '{');
		json_string(out, "name", row->name);
		json_ulong(out, "active_objs", row->live_objects);
		json_ulong(out, "num_objs", row->sum.objects);
		json_ulong(out, "objsize", cache->size);
		json_ulong(out, "objperslab", oo_objects(cache->oo));
		json_ulong(out, "pagesperslab", slab_pages(cache));
		json_ulong(out, "active_slabs", row->sum.slabs);
		json_ulong(out, "num_slabs", row->sum.slabs);
		json_ulong(out, "object_size", cache->object_size);
		json_ulong(out, "sheaf_objs", row->sheaf_objects);
		json_close(out, '}');
		return;
	}
	out_printf(out, "%-17s %6lu %6lu %6u %4u %4d", row->name, row->live_objects,
		   row->sum.objects, cache->size, oo_objects(cache->oo), (int)slab_pages(cache));
	out_printf(out, " : tunables %4u %4u %4u", 0u, 0u, 0u);
	out_printf(out, " : slabdata %6lu %6lu %6lu\n", row->sum.slabs, row->sum.slabs, 0ul);
}

static void print_header(struct show *sh)
{
	struct out *out = sh->out;

	if (out->json) {
		json_open(out, NULL, '{');
		json_string(out, "version", "2.1");
		json_open(out, "caches", '[');
		return;
	}
	if (!sh->filter)
		out_puts(out, "slabinfo - version: 2.1\n");
	out_puts(out, "# name            <active_objs> <num_objs> <objsize> <objperslab> "
		      "<pagesperslab> : tunables <limit> <batchcount> <sharedfactor> : slabdata "
		      "<active_slabs> <num_slabs> <sharedavail>\n");
}

int show_slabinfo(struct show *sh)
{
	struct cache_iter iter;
	struct cache_row row;
	bool found = false;
	int more;

	/* Nothing is printed for a name that is not there. */
	if (sh->filter && (more = cache_find(sh->reader, sh->filter, strlen(sh->filter), &row)))
		return more;
	print_header(sh);
	cache_iter_init(&iter, sh->reader);
	while ((more = cache_iter_next(&iter, &row)) > 0) {
		if (show_wants(sh, row.name)) {
			print_row(sh->out, &row);
			found = true;
		}
	}
	if (sh->out->json) {
		json_close(sh->out, ']');
		json_close(sh->out, '}');
	}
	return more < 0 ? more : sh->filter && !found ? -ENOENT : 0;
}
