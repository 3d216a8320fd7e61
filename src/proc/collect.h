/* SPDX-License-Identifier: MIT */
#ifndef PROC_COLLECT_H
#define PROC_COLLECT_H

/*
 * collect.h - rows: what one line of a file is made of, gathered through a reader
 *
 * Room: proc. collect_slab.c, collect_zone.c, collect_area.c.
 */

#include "mm/slab.h"
#include "mm/vmap_area.h"
#include "mm/zone.h"
#include "proc/reader.h"

/* ---- caches -------------------------------------------------------------------- */

struct node_row {
	unsigned long slabs;
	unsigned long objects;      /* in all slabs */
	unsigned long free_objects; /* in slabs, ready: not in sheaves */
	unsigned long partial;      /* slabs with some objects free */
	unsigned long barn_objects; /* in the node's stock of sheaves */
};

struct cache_row {
	char name[64];
	uintptr_t addr;
	struct kmem_cache cache; /* the copy; its pointers are addresses over there */
	struct node_row node[MAX_NUMNODES];
	struct node_row sum;
	unsigned long sheaf_objects; /* in slots, spares, barns, deferred sheaves */
	unsigned long live_objects;  /* what the program holds */
};

struct cache_iter {
	struct reader *reader;
	const struct list_head *at;
	unsigned int seen;
};

void cache_iter_init(struct cache_iter *iter, struct reader *reader);
/* 1: row filled. 0: no more. -errno: the list makes no sense (-EAGAIN) or cannot be read. */
int cache_iter_next(struct cache_iter *iter, struct cache_row *row);
/* 0, -ENOENT, or as above. */
int cache_find(struct reader *reader, const char *name, size_t name_len, struct cache_row *row);

/* Objects in the slot and the spare of one CPU id. */
unsigned long cache_cid_objects(struct reader *reader, const struct cache_row *row,
				unsigned int cid);
/* Objects that are out of the partial slabs of a node. */
unsigned long cache_partial_objects(struct reader *reader, const struct cache_row *row, int nid);

/* ---- nodes and zones -------------------------------------------------------------- */

/* A copy of a zone; its address over there in addr. 0 or -errno. */
struct zone_row {
	struct zone zone;
	uintptr_t addr;
	int nid;
	enum zone_type idx;
	unsigned long nr_alloc; /* pages ever taken, pcp lists included */
	unsigned long nr_free;  /* pages ever given back */
	unsigned long pcp_pages;
};
int zone_row_get(struct reader *reader, int nid, enum zone_type idx, struct zone_row *row);
int pcp_get(struct reader *reader, const struct zone_row *row, unsigned int cid,
	    struct per_cpu_pages *pcp);

/* Pageblocks of each type. */
int zone_pageblocks(struct reader *reader, const struct zone_row *row,
		    unsigned long blocks[MIGRATE_TYPES]);

int node_stats_get(struct reader *reader, int nid, long stat[NR_VM_NODE_STAT_ITEMS]);

/* Everything summed up, for meminfo and vmstat. */
struct vm_row {
	unsigned long zone_stat[NR_VM_ZONE_STAT_ITEMS];
	unsigned long node_stat[NR_VM_NODE_STAT_ITEMS];
	unsigned long event[NR_VM_EVENT_ITEMS];
	unsigned long alloc[MAX_NR_ZONES]; /* pages, by zone index */
	unsigned long freed;
	unsigned long managed, present, spanned;
	unsigned long pcp_pages;
	unsigned long free_block_pages; /* free pages in blocks of at least a pageblock */
	unsigned long low_wmark;        /* sums */
	unsigned long reserve;          /* high watermark and the greatest lowmem_reserve */
};
int vm_row_get(struct reader *reader, struct vm_row *row);

/* Pages in the atomic reserve: neither free in the buddy nor anybody's. */
int reserve_pages_get(struct reader *reader, unsigned long *pages);

/* ---- areas ------------------------------------------------------------------------ */

/*
 * Call fn for every live and every unpurged area, in address order; end includes the guard
 * page. 0, what fn returned if that is not 0, -EAGAIN, or the reader's error.
 */
int areas_walk(struct reader *reader,
	       int (*fn)(const struct vmap_area *va, uintptr_t end, void *arg), void *arg);

#endif /* PROC_COLLECT_H */
