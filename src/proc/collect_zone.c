/* SPDX-License-Identifier: MIT */
/*
 * collect_zone.c - nodes, zones, page lists and event counts as plain rows
 *
 * Room: proc. Door: proc/collect.h. Everything read here is marked (r) in
 * mm/zone.h: it may be read at any time, without a lock.
 */

#include "proc/collect.h"

#include <string.h>

static const struct pglist_data *node_addr(struct reader *reader, int nid)
{
	return (const struct pglist_data *)reader->root.node_data + nid;
}

int pcp_get(struct reader *reader, const struct zone_row *row, unsigned int cid,
	    struct per_cpu_pages *pcp)
{
	memset(pcp, 0, sizeof(*pcp));
	if (!row->zone.per_cpu_pageset)
		return 0;
	return reader_copy(reader, pcp, row->zone.per_cpu_pageset + cid);
}

int zone_row_get(struct reader *reader, int nid, enum zone_type idx, struct zone_row *row)
{
	const struct zone *addr = (const void *)((const char *)node_addr(reader, nid) +
						 offsetof(struct pglist_data, node_zones) +
						 idx * sizeof(struct zone));
	int err = reader_copy(reader, &row->zone, addr);

	if (err)
		return err;
	row->addr = (uintptr_t)addr;
	row->nid = nid;
	row->idx = idx;
	row->nr_alloc = row->zone.nr_alloc_direct;
	row->nr_free = row->zone.nr_free_direct;
	row->pcp_pages = 0;
	if (!row->zone.present_pages)
		return 0;
	for (unsigned int cid = 0; cid < reader->nr_cids; cid++) {
		struct per_cpu_pages pcp;

		err = pcp_get(reader, row, cid, &pcp);
		if (err)
			return err;
		row->nr_alloc += pcp.nr_alloc;
		row->nr_free += pcp.nr_free;
		row->pcp_pages += pcp.count > 0 ? (unsigned long)pcp.count : 0;
	}
	return 0;
}

int zone_pageblocks(struct reader *reader, const struct zone_row *row,
		    unsigned long blocks[MIGRATE_TYPES])
{
	unsigned long start = row->zone.zone_start_pfn >> MAX_PAGE_ORDER;
	unsigned long end =
		(row->zone.zone_start_pfn + row->zone.spanned_pages + PAGES_PER_SECTION - 1) >>
		MAX_PAGE_ORDER;
	const struct mem_section *table = NULL;
	struct mem_section section;
	int err = reader_copy(reader, &table,
			      (const struct mem_section *const *)reader->root.sections);

	memset(blocks, 0, MIGRATE_TYPES * sizeof(*blocks));
	for (unsigned long nr = start; !err && nr < end; nr++) {
		err = reader_copy(reader, &section, table + nr);
		if (err || !section.online || (uintptr_t)section.zone != row->addr)
			continue;
		for (unsigned int i = 0; i < SECTION_PAGEBLOCKS; i++) {
			if (i * PAGEBLOCK_NR_PAGES < section.present &&
			    section.pageblock_type[i] < MIGRATE_TYPES)
				blocks[section.pageblock_type[i]]++;
		}
	}
	return err;
}

int node_stats_get(struct reader *reader, int nid, long stat[NR_VM_NODE_STAT_ITEMS])
{
	int err = reader_get(reader, stat,
			     (const char *)node_addr(reader, nid) +
				     offsetof(struct pglist_data, vm_stat),
			     NR_VM_NODE_STAT_ITEMS * sizeof(*stat));

	for (int i = 0; !err && i < NR_VM_NODE_STAT_ITEMS; i++) {
		if (stat[i] < 0) /* summands of different moments */
			stat[i] = 0;
	}
	return err;
}

static void add_zone(struct vm_row *row, const struct zone_row *z)
{
	unsigned long reserve = 0;

	for (int i = 0; i < NR_VM_ZONE_STAT_ITEMS; i++)
		row->zone_stat[i] += z->zone.vm_stat[i] > 0 ? (unsigned long)z->zone.vm_stat[i] : 0;
	row->alloc[z->idx] += z->nr_alloc;
	row->freed += z->nr_free;
	row->managed += z->zone.managed_pages;
	row->present += z->zone.present_pages;
	row->spanned += z->zone.spanned_pages;
	row->pcp_pages += z->pcp_pages;
	for (unsigned int order = PAGEBLOCK_ORDER; order < MAX_ORDER; order++)
		row->free_block_pages += z->zone.free_area[order].nr_free << order;
	row->low_wmark += z->zone._watermark[WMARK_LOW] + z->zone.watermark_boost;
	for (int i = 0; i < MAX_NR_ZONES; i++) {
		if (reserve < z->zone.lowmem_reserve[i])
			reserve = z->zone.lowmem_reserve[i];
	}
	reserve += z->zone._watermark[WMARK_HIGH] + z->zone.watermark_boost;
	row->reserve += reserve < z->zone.managed_pages ? reserve : z->zone.managed_pages;
}

int vm_row_get(struct reader *reader, struct vm_row *row)
{
	long stat[NR_VM_NODE_STAT_ITEMS];
	struct zone_row z;
	int err;

	memset(row, 0, sizeof(*row));
	err = reader_get(reader, row->event, reader->root.vm_events, sizeof(row->event));
	for (int nid = 0; !err && nid < (int)reader->nr_nodes; nid++) {
		for (int idx = 0; !err && idx < MAX_NR_ZONES; idx++) {
			err = zone_row_get(reader, nid, (enum zone_type)idx, &z);
			if (!err)
				add_zone(row, &z);
		}
		if (!err)
			err = node_stats_get(reader, nid, stat);
		for (int i = 0; !err && i < NR_VM_NODE_STAT_ITEMS; i++)
			row->node_stat[i] += (unsigned long)stat[i];
	}
	/* mm counts these where it happens, not in the event table. */
	for (int idx = 0; idx < MAX_NR_ZONES; idx++)
		row->event[PGALLOC_DMA + idx] = row->alloc[idx];
	row->event[PGFREE] = row->freed;
	return err;
}

int reserve_pages_get(struct reader *reader, unsigned long *pages)
{
	long nr = 0;
	int err = reader_copy(reader, &nr, (const long *)reader->root.atomic_reserve);

	*pages = nr > 0 ? (unsigned long)nr : 0;
	return err;
}
