/* SPDX-License-Identifier: MIT */
/*
 * zoneinfo.c - /proc/zoneinfo: watermarks, counters and page lists of each zone
 *
 * Room: proc. The first zone with memory of a node carries the node's counters; a zone
 * without memory ends after its protection line, as in the kernel. numa_hit and
 * numa_local are the pages taken from the zone where there is one node, and 0 with
 * several: who asked from where is not counted.
 */

#include "proc/files.h"

static void value(struct out *out, const char *name, unsigned long n)
{
	if (out->json)
		json_ulong(out, name, n);
	else
		out_printf(out, "\n      %-12s %lu", name, n);
}

static int print_node_stats(struct show *sh, int nid)
{
	long stat[NR_VM_NODE_STAT_ITEMS];
	int err = node_stats_get(sh->reader, nid, stat);

	if (err)
		return err;
	if (sh->out->json)
		json_open(sh->out, "per_node_stats", '{');
	else
		out_puts(sh->out, "\n  per-node stats");
	for (unsigned int i = 0; i < nr_node_stat_names; i++) {
		int item = node_stat_names[i].item;

		value(sh->out, node_stat_names[i].name, item < 0 ? 0 : (unsigned long)stat[item]);
	}
	if (sh->out->json)
		json_close(sh->out, '}');
	return 0;
}

static void print_pages(struct out *out, const struct zone *zone)
{
	unsigned long boost = zone->watermark_boost;
	long free = zone->vm_stat[NR_FREE_PAGES];
	long cma = zone->vm_stat[NR_FREE_CMA_PAGES];
	const struct {
		const char *label, *key;
		unsigned long n;
	} rows[] = {
		{ "\n  pages free     ", "free", free > 0 ? (unsigned long)free : 0 },
		{ "\n        boost    ", "boost", boost },
		{ "\n        min      ", "min", zone->_watermark[WMARK_MIN] + boost },
		{ "\n        low      ", "low", zone->_watermark[WMARK_LOW] + boost },
		{ "\n        high     ", "high", zone->_watermark[WMARK_HIGH] + boost },
		{ "\n        promo    ", "promo", zone->_watermark[WMARK_PROMO] + boost },
		{ "\n        spanned  ", "spanned", zone->spanned_pages },
		{ "\n        present  ", "present", zone->present_pages },
		{ "\n        managed  ", "managed", zone->managed_pages },
		{ "\n        cma      ", "cma", cma > 0 ? (unsigned long)cma : 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (out->json)
			json_ulong(out, rows[i].key, rows[i].n);
		else
			out_printf(out, "%s%lu", rows[i].label, rows[i].n);
	}
	if (out->json)
		json_open(out, "protection", '[');
	else
		out_puts(out, "\n        protection: ");
	for (int i = 0; i < MAX_NR_ZONES; i++) {
		if (out->json)
			json_ulong(out, NULL, zone->lowmem_reserve[i]);
		else
			out_printf(out, "%s%lu", i ? ", " : "(", zone->lowmem_reserve[i]);
	}
	if (out->json)
		json_close(out, ']');
	else
		out_puts(out, ")");
}

static unsigned long zone_stat(const struct show *sh, const struct zone_row *z, int item)
{
	unsigned long n = 0;

	if (item >= 0)
		return z->zone.vm_stat[item] > 0 ? (unsigned long)z->zone.vm_stat[item] : 0;
	if (item == STAT_HIT && sh->reader->nr_nodes == 1)
		return z->nr_alloc;
	for (int order = PAGEBLOCK_ORDER; item == STAT_FREE_BLOCKS && order < MAX_ORDER; order++)
		n += z->zone.free_area[order].nr_free << order;
	return n;
}

static int print_pagesets(struct show *sh, const struct zone_row *z)
{
	struct out *out = sh->out;
	struct per_cpu_pages pcp;
	int err;

	if (out->json)
		json_open(out, "pagesets", '[');
	else
		out_puts(out, "\n  pagesets");
	for (unsigned int cid = 0; cid < sh->reader->nr_cids; cid++) {
		err = pcp_get(sh->reader, z, cid, &pcp);
		if (err)
			return err;
		if (out->json) {
			json_open(out, NULL, '{');
			json_ulong(out, "cpu", cid);
			json_ulong(out, "count", (unsigned long)pcp.count);
			json_ulong(out, "high", (unsigned long)pcp.high);
			json_ulong(out, "batch", (unsigned long)pcp.batch);
			json_close(out, '}');
			continue;
		}
		out_printf(out,
			   "\n    cpu: %u"
			   "\n              count:    %i"
			   "\n              high:     %i"
			   "\n              batch:    %i"
			   "\n              high_min: %i"
			   "\n              high_max: %i",
			   cid, pcp.count, pcp.high, pcp.batch, pcp.high, pcp.high);
		out_puts(out, "\n  vm stats threshold: 0"); /* ours are exact at once */
	}
	if (out->json)
		json_close(out, ']');
	return 0;
}

static int print_zone(struct show *sh, const struct zone_row *z, bool first)
{
	struct out *out = sh->out;
	int err = 0;

	if (out->json) {
		json_open(out, NULL, '{');
		json_ulong(out, "node", (unsigned long)z->nid);
		json_string(out, "zone", zone_names[z->idx]);
	} else {
		out_printf(out, "Node %d, zone %8s", z->nid, zone_names[z->idx]);
	}
	if (first)
		err = print_node_stats(sh, z->nid);
	print_pages(out, &z->zone);
	if (!err && z->zone.present_pages) {
		for (unsigned int i = 0; i < nr_zone_stat_names; i++)
			value(out, zone_stat_names[i].name,
			      zone_stat(sh, z, zone_stat_names[i].item));
		err = print_pagesets(sh, z);
		if (out->json)
			json_ulong(out, "start_pfn", z->zone.zone_start_pfn);
		else
			out_printf(out,
				   "\n  node_unreclaimable:  %u"
				   "\n  start_pfn:           %lu",
				   0u, z->zone.zone_start_pfn);
	}
	if (out->json)
		json_close(out, '}');
	else
		out_puts(out, "\n");
	return err;
}

int show_zoneinfo(struct show *sh)
{
	struct zone_row z;
	bool found = false;
	int err = 0;

	if (sh->out->json) {
		json_open(sh->out, NULL, '{');
		json_open(sh->out, "zones", '[');
	}
	for (int nid = 0; nid < (int)sh->reader->nr_nodes; nid++) {
		bool first = true; /* still to come: the node's counters */

		for (int idx = 0; idx < MAX_NR_ZONES && !err; idx++) {
			err = zone_row_get(sh->reader, nid, (enum zone_type)idx, &z);
			if (err || !show_wants(sh, zone_names[idx]))
				continue;
			found = true;
			err = print_zone(sh, &z, first && z.zone.present_pages);
			if (z.zone.present_pages)
				first = false;
		}
	}
	if (sh->out->json) {
		json_close(sh->out, ']');
		json_close(sh->out, '}');
	}
	return err ? err : found ? 0 : -ENOENT;
}
