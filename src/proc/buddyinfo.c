/* SPDX-License-Identifier: MIT */
/*
 * buddyinfo.c - /proc/buddyinfo and /proc/pagetypeinfo: free blocks by order
 *
 * Room: proc. Zones without memory are left out, as in the kernel. The free counts
 * of pagetypeinfo are exact: ours are kept, the kernel's are counted and capped.
 */

#include "proc/files.h"

/* Call fn for each zone with memory that the filter wants. */
static int each_zone(struct show *sh, void (*fn)(struct show *sh, const struct zone_row *z))
{
	struct zone_row z;
	bool found = false;
	int err;

	for (int nid = 0; nid < (int)sh->reader->nr_nodes; nid++) {
		for (int idx = 0; idx < MAX_NR_ZONES; idx++) {
			err = zone_row_get(sh->reader, nid, (enum zone_type)idx, &z);
			if (err)
				return err;
			if (!z.zone.present_pages || !show_wants(sh, zone_names[idx]))
				continue;
			found = true;
			fn(sh, &z);
		}
	}
	return found ? 0 : -ENOENT;
}

static void json_zone(struct out *out, const struct zone_row *z)
{
	json_open(out, NULL, '{');
	json_ulong(out, "node", (unsigned long)z->nid);
	json_string(out, "zone", zone_names[z->idx]);
}

static void buddy_row(struct show *sh, const struct zone_row *z)
{
	if (sh->out->json) {
		json_zone(sh->out, z);
		json_open(sh->out, "free", '[');
		for (int order = 0; order < MAX_ORDER; order++)
			json_ulong(sh->out, NULL, z->zone.free_area[order].nr_free);
		json_close(sh->out, ']');
		json_close(sh->out, '}');
		return;
	}
	out_printf(sh->out, "Node %d, zone %8s ", z->nid, zone_names[z->idx]);
	for (int order = 0; order < MAX_ORDER; order++)
		out_printf(sh->out, "%6lu ", z->zone.free_area[order].nr_free);
	out_puts(sh->out, "\n");
}

int show_buddyinfo(struct show *sh)
{
	int err;

	if (!sh->out->json)
		return each_zone(sh, buddy_row);
	json_open(sh->out, NULL, '{');
	json_open(sh->out, "zones", '[');
	err = each_zone(sh, buddy_row);
	json_close(sh->out, ']');
	json_close(sh->out, '}');
	return err;
}

/* ---- pagetypeinfo ------------------------------------------------------------- */

static void type_rows(struct show *sh, const struct zone_row *z)
{
	for (int type = 0; type < MIGRATE_TYPES; type++) {
		out_printf(sh->out, "Node %4d, zone %8s, type %12s ", z->nid, zone_names[z->idx],
			   migratetype_names[type]);
		for (int order = 0; order < MAX_ORDER; order++)
			out_printf(sh->out, "%6lu ", z->zone.free_area[order].nr_free_type[type]);
		out_puts(sh->out, "\n");
	}
}

static void block_row(struct show *sh, const struct zone_row *z)
{
	unsigned long blocks[MIGRATE_TYPES];

	if (zone_pageblocks(sh->reader, z, blocks))
		return;
	out_printf(sh->out, "Node %d, zone %8s ", z->nid, zone_names[z->idx]);
	for (int type = 0; type < MIGRATE_TYPES; type++)
		out_printf(sh->out, "%12lu ", blocks[type]);
	out_puts(sh->out, "\n");
}

static void type_json(struct show *sh, const struct zone_row *z)
{
	unsigned long blocks[MIGRATE_TYPES] = { 0 };
	struct out *out = sh->out;

	zone_pageblocks(sh->reader, z, blocks);
	json_zone(out, z);
	json_open(out, "types", '{');
	for (int type = 0; type < MIGRATE_TYPES; type++) {
		json_open(out, migratetype_names[type], '{');
		json_ulong(out, "blocks", blocks[type]);
		json_open(out, "free", '[');
		for (int order = 0; order < MAX_ORDER; order++)
			json_ulong(out, NULL, z->zone.free_area[order].nr_free_type[type]);
		json_close(out, ']');
		json_close(out, '}');
	}
	json_close(out, '}');
	json_close(out, '}');
}

int show_pagetypeinfo(struct show *sh)
{
	struct out *out = sh->out;
	int err;

	if (out->json) {
		json_open(out, NULL, '{');
		json_ulong(out, "page_block_order", PAGEBLOCK_ORDER);
		json_open(out, "zones", '[');
		err = each_zone(sh, type_json);
		json_close(out, ']');
		json_close(out, '}');
		return err;
	}
	out_printf(out, "Page block order: %d\n", PAGEBLOCK_ORDER);
	out_printf(out, "Pages per block:  %lu\n\n", PAGEBLOCK_NR_PAGES);
	out_printf(out, "%-43s ", "Free pages count per migrate type at order");
	for (int order = 0; order < MAX_ORDER; order++)
		out_printf(out, "%6d ", order);
	out_puts(out, "\n");
	err = each_zone(sh, type_rows);
	if (err)
		return err;
	out_printf(out, "\n%-23s", "Number of blocks type ");
	for (int type = 0; type < MIGRATE_TYPES; type++)
		out_printf(out, "%12s ", migratetype_names[type]);
	out_puts(out, "\n");
	return each_zone(sh, block_row);
}
