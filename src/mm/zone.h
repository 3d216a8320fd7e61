/* SPDX-License-Identifier: MIT */
#ifndef MM_ZONE_H
#define MM_ZONE_H

/*
 * zone.h - nodes, zones, free lists, watermarks, and what is counted
 *
 * Room: mm; proc reads it. Names are the kernel's where it has one. Structures
 * outside the ABI promise.
 *
 *   node_data[nid] ─▶ pglist_data ─▶ node_zones[ZONE_DMA … ZONE_MOVABLE]
 *                                      ├─ free_area[order].free_list[migratetype]   (zone->lock)
 *                                      └─ per_cpu_pageset[cid].lists[...]           (pcp->lock)
 *
 * Who may read what without a lock: every field marked (r) is written with
 * relaxed atomic stores and may be read at any time; a sum over several of them
 * is a snapshot of no one moment. Lists are walked under their lock only.
 *
 * A page is in exactly one place: with an owner (refcount > 0), on one buddy list
 * (PG_buddy on the head), on one pcp list (PG_pcp on the head), in the atomic
 * reserve (PG_emergency), in a deferred list (PG_pcp, too), or reserved.
 */

#include <stdatomic.h>
#include <slabwork/gfp.h>
#include <slabwork/types.h>
#include <slabwork/vmstat.h>

#include "kernel/lock.h"
#include "mm/page.h"

/* ---- constants ---------------------------------------------------------- */

enum zone_type {
	ZONE_DMA,   /* locked in memory where the rlimit allows */
	ZONE_DMA32, /* addresses below 4 GiB */
	ZONE_NORMAL,
	ZONE_MOVABLE, /* the owner can migrate or drop the page */
	MAX_NR_ZONES
};

enum migratetype {
	MIGRATE_UNMOVABLE,
	MIGRATE_MOVABLE,
	MIGRATE_RECLAIMABLE,
	MIGRATE_PCPTYPES, /* the first three have pcp lists */
	MIGRATE_HIGHATOMIC = MIGRATE_PCPTYPES,
	MIGRATE_ISOLATE,
	MIGRATE_TYPES
};
/* "Unmovable", "Movable", "Reclaimable", "HighAtomic", "Isolate" (pagetypeinfo's words). */
extern const char *const migratetype_names[MIGRATE_TYPES];
/* "DMA", "DMA32", "Normal", "Movable". */
extern const char *const zone_names[MAX_NR_ZONES];

enum zone_watermarks { WMARK_MIN, WMARK_LOW, WMARK_HIGH, WMARK_PROMO, NR_WMARK };

#define MAX_NUMNODES       8 /* 3 bits of page->flags */
#define PAGEBLOCK_ORDER    9
#define PAGEBLOCK_NR_PAGES (1UL << PAGEBLOCK_ORDER)
#define PAGES_PER_SECTION  (1UL << MAX_PAGE_ORDER)
#define SECTION_PAGEBLOCKS (PAGES_PER_SECTION / PAGEBLOCK_NR_PAGES)

/* pcp lists: orders 0..3 of each pcp type, then one of PAGEBLOCK_ORDER (any type). */
#define NR_LOWORDER_PCP_LISTS (MIGRATE_PCPTYPES * (PAGE_ALLOC_COSTLY_ORDER + 1))
#define NR_PCP_LISTS          (NR_LOWORDER_PCP_LISTS + MIGRATE_PCPTYPES)

/* ---- counters ------------------------------------------------------------- */

enum zone_stat_item {
	NR_FREE_PAGES, /* in the buddy: not on pcp lists, as in the kernel */
	NR_MLOCK,
	NR_FREE_CMA_PAGES,
	/* ours */
	NR_COMMITTED,      /* pages that may have memory behind them */
	NR_FREE_COMMITTED, /* of them, in the buddy */
	NR_VM_ZONE_STAT_ITEMS
};

enum vm_event_item {
	PGALLOC_DMA, /* in zone order: PGALLOC_DMA + zone_idx */
	PGALLOC_DMA32,
	PGALLOC_NORMAL,
	PGALLOC_MOVABLE,
	ALLOCSTALL_DMA, /* the same */
	ALLOCSTALL_DMA32,
	ALLOCSTALL_NORMAL,
	ALLOCSTALL_MOVABLE,
	PGFREE,
	PGACTIVATE,
	PGDEACTIVATE,
	PGREFILL,
	PGSTEAL_KSWAPD,
	PGSTEAL_DIRECT,
	PGSCAN_KSWAPD,
	PGSCAN_DIRECT,
	PGSCAN_DIRECT_THROTTLE,
	PGINODESTEAL,
	SLABS_SCANNED,
	KSWAPD_INODESTEAL,
	KSWAPD_LOW_WMARK_HIT_QUICKLY,
	KSWAPD_HIGH_WMARK_HIT_QUICKLY,
	PAGEOUTRUN,
	DROP_PAGECACHE,
	DROP_SLAB,
	OOM_KILL, /* OOM reports: we never kill */
	COMPACTSTALL,
	COMPACTFAIL,
	COMPACTSUCCESS,
	/* ours */
	SW_SECTIONS_ONLINED,
	SW_PAGES_GIVEN_BACK, /* released to the OS */
	SW_EXTFRAG,          /* blocks taken from another migrate type */
	SW_PAGEBLOCK_STEAL,  /* of them, with the whole pageblock */
	SW_ATOMIC_RESERVE_USED,
	SW_DEFERRED_FREE, /* frees that found a lock taken */
	SW_ALLOC_FAILED,  /* NULL returned */
	NR_VM_EVENT_ITEMS
};

/* ---- structures ----------------------------------------------------------- */

struct free_area {
	struct list_head free_list[MIGRATE_TYPES];
	_Atomic unsigned long nr_free_type[MIGRATE_TYPES]; /* (r) blocks, = list lengths */
	_Atomic unsigned long nr_free;                     /* (r) their sum */
};

/* Page lists of one cid in one zone. lists[] is valid once ready is set. */
struct per_cpu_pages {
	spinlock_t lock;
	bool ready;
	_Atomic int count; /* (r) pages on the lists */
	_Atomic int high; /* (r) flush above; high_min and high_max are the same: it is not tuned */
	_Atomic int batch;              /* (r) */
	unsigned char alloc_factor;     /* refills double up to batch, and shrink with flushes */
	_Atomic unsigned long nr_alloc; /* (r) pages ever taken through this pcp: vmstat */
	_Atomic unsigned long nr_free;  /* (r) pages ever given back through it */
	struct list_head lists[NR_PCP_LISTS];
} __attribute__((aligned(64)));

enum zone_flags {
	ZONE_BOOSTED_WATERMARK, /* a fragmentation event: wake kswapd */
	ZONE_RECLAIM_ACTIVE,    /* kswapd works on it */
	ZONE_BELOW_HIGH,        /* do not grow pcp lists */
	ZONE_MEMORY_FULL,       /* no section can be onlined any more: see memory_online.c */
};

struct zone {
	/* Read mostly. */
	_Atomic unsigned long _watermark[NR_WMARK];         /* (r) pages, without the boost */
	_Atomic unsigned long watermark_boost;              /* (r) pages */
	_Atomic unsigned long nr_reserved_highatomic;       /* (r) pages */
	_Atomic unsigned long lowmem_reserve[MAX_NR_ZONES]; /* (r) "protection" */
	_Atomic unsigned long
		fast_mark; /* (r) above it who may sleep need not look further: page_alloc.c */
	struct pglist_data *zone_pgdat;
	const char *name;
	struct per_cpu_pages *per_cpu_pageset; /* [cid], cpu_nr_cids() of them */
	_Atomic int pageset_batch;             /* (r) what its pcps take over */
	_Atomic int pageset_high;              /* (r) */
	_Atomic unsigned long zone_start_pfn;  /* (r) */
	_Atomic unsigned long spanned_pages; /* (r) zone_start_pfn + spanned = end, holes included */
	_Atomic unsigned long present_pages; /* (r) online, holes not */
	_Atomic unsigned long managed_pages; /* (r) handed to the buddy; 0: zone is empty */
	unsigned long limit_pages;   /* present may grow up to this (elastic machine, lazy DMA) */
	_Atomic unsigned long flags; /* (r) enum zone_flags bits */

	/* Written a lot. */
	spinlock_t lock __attribute__((
		aligned(64)));           /* guards free_area, pageblock types, committed bits */
	_Atomic(struct page *) deferred; /* blocks freed while the lock was taken (lock-free stack) */
	struct free_area free_area[MAX_ORDER];
	_Atomic long vm_stat[NR_VM_ZONE_STAT_ITEMS]; /* (r) */
	_Atomic unsigned long nr_alloc_direct; /* (r) pages taken past the pcp lists: vmstat */
	_Atomic unsigned long nr_free_direct;
	_Atomic uint64_t giveback_last_ns; /* (r) last tick of give_back.c */
	_Atomic unsigned long regretted;   /* (r) pages given back and asked for again */
} __attribute__((aligned(64)));

struct zoneref {
	struct zone *zone; /* NULL ends the list */
	enum zone_type zone_idx;
};

/* [0] falls back to other nodes, [1] is this node only (__GFP_THISNODE). Highest zone first. */
enum { ZONELIST_FALLBACK, ZONELIST_NOFALLBACK, MAX_ZONELISTS };
struct zonelist {
	struct zoneref zonerefs[MAX_NUMNODES * MAX_NR_ZONES + 1];
};

typedef struct pglist_data {
	struct zone node_zones[MAX_NR_ZONES];
	struct zonelist node_zonelists[MAX_ZONELISTS];
	int node_id;
	/* Sums over its zones: see node_present_pages(). */
	_Atomic long vm_stat[NR_VM_NODE_STAT_ITEMS]; /* (r) */
	/* kswapd (vmscan.c): */
	_Atomic int kswapd_order;             /* (r) highest order asked for since it last ran */
	_Atomic int kswapd_highest_zoneidx;   /* (r) */
	_Atomic unsigned int kswapd_failures; /* (r) runs without progress */
} pg_data_t;

/* 256 bytes for each 4 MiB: biased by section number (pfn >> MAX_PAGE_ORDER), mapped where online. */
struct mem_section {
	unsigned long committed[PAGES_PER_SECTION / (8 * sizeof(unsigned long))]; /* zone->lock */
	struct zone *zone;                                                        /* NULL: a hole */
	unsigned char pageblock_type[SECTION_PAGEBLOCKS]; /* enum migratetype; zone->lock */
	unsigned char nid;
	bool online;
	unsigned short present; /* pages; the rest (at the end) is reserved */
	unsigned long given; /* zone->lock; bit i: pages 16i … were given back and not taken since */
	unsigned long pad[13];
};
_Static_assert(sizeof(struct mem_section) == 256, "64 KiB describe 1 GiB");

extern struct pglist_data node_data_array[MAX_NUMNODES];
extern unsigned int nr_node_ids; /* nodes 0 … nr_node_ids-1 are online */
extern unsigned long min_free_kbytes;
extern unsigned int watermark_scale_factor; /* 1/10000 of managed pages */
extern unsigned int watermark_boost_factor;
extern unsigned int lowmem_reserve_ratio[MAX_NR_ZONES];

/* ---- reading ---------------------------------------------------------------- */

#define NODE_DATA(nid) (&node_data_array[nid])

static inline enum zone_type zone_idx(const struct zone *zone)
{
	return (enum zone_type)(zone - zone->zone_pgdat->node_zones);
}

static inline int zone_to_nid(const struct zone *zone)
{
	return zone->zone_pgdat->node_id;
}

static inline unsigned long zone_managed_pages(struct zone *zone)
{
	return atomic_load_explicit(&zone->managed_pages, memory_order_relaxed);
}

static inline bool populated_zone(struct zone *zone)
{
	return atomic_load_explicit(&zone->present_pages, memory_order_relaxed) != 0;
}

#define for_each_online_node(nid) for (int nid = 0; nid < (int)nr_node_ids; nid++)

/* Every zone of every node, empty ones included; z is a struct zone *. */
struct zone *first_zone(void);
struct zone *next_zone(struct zone *zone); /* NULL after the last */
#define for_each_zone(z) for (struct zone *z = first_zone(); z; z = next_zone(z))
#define for_each_populated_zone(z)        \
	for_each_zone(z)                  \
		if (!populated_zone(z)) { \
		} else

static inline unsigned long wmark_pages(struct zone *zone, enum zone_watermarks mark)
{
	return atomic_load_explicit(&zone->_watermark[mark], memory_order_relaxed) +
	       atomic_load_explicit(&zone->watermark_boost, memory_order_relaxed);
}
#define min_wmark_pages(z)  wmark_pages(z, WMARK_MIN)
#define low_wmark_pages(z)  wmark_pages(z, WMARK_LOW)
#define high_wmark_pages(z) wmark_pages(z, WMARK_HIGH)

/* Zone counters: never negative for the reader. */
static inline unsigned long zone_page_state(struct zone *zone, enum zone_stat_item item)
{
	long n = atomic_load_explicit(&zone->vm_stat[item], memory_order_relaxed);

	return n < 0 ? 0 : (unsigned long)n;
}

static inline unsigned long node_page_state(struct pglist_data *pgdat, enum node_stat_item item)
{
	long n = atomic_load_explicit(&pgdat->vm_stat[item], memory_order_relaxed);

	return n < 0 ? 0 : (unsigned long)n;
}

unsigned long global_zone_page_state(enum zone_stat_item item);
unsigned long global_node_page_state(enum node_stat_item item);
unsigned long node_present_pages(int nid);
unsigned long node_spanned_pages(int nid);
unsigned long totalram_pages(void); /* managed pages of all zones */
unsigned long nr_atomic_reserve_pages(void);

/* ---- counting ----------------------------------------------------------------- */

/* Any context. A page's node: page_pgdat(page) in page_alloc.h. */
static inline void mod_node_page_state(struct pglist_data *pgdat, enum node_stat_item item,
				       long delta)
{
	atomic_fetch_add_explicit(&pgdat->vm_stat[item], delta, memory_order_relaxed);
}

static inline void mod_zone_page_state(struct zone *zone, enum zone_stat_item item, long delta)
{
	atomic_fetch_add_explicit(&zone->vm_stat[item], delta, memory_order_relaxed);
}

extern _Atomic unsigned long vm_event_states[NR_VM_EVENT_ITEMS];

static inline void count_vm_events(enum vm_event_item item, unsigned long delta)
{
	atomic_fetch_add_explicit(&vm_event_states[item], delta, memory_order_relaxed);
}

static inline void count_vm_event(enum vm_event_item item)
{
	count_vm_events(item, 1);
}

/* The value to print; PGALLOC_* and PGFREE are summed from pcps and zones here. */
unsigned long vm_event_read(enum vm_event_item item);

/* ---- watermarks ------------------------------------------------------------------ */

/*
 * Would an allocation of this order from zones <= highest_zoneidx leave at least mark pages
 * (plus lowmem_reserve) in the zone, with a block large enough? alloc_flags: page_alloc.h's ALLOC_*.
 */
bool zone_watermark_ok(struct zone *zone, unsigned int order, unsigned long mark,
		       int highest_zoneidx, unsigned int alloc_flags);

/* Recompute watermarks and lowmem_reserve of all zones (after onlining, or a changed parameter). */
void setup_per_zone_wmarks(void);

#endif /* MM_ZONE_H */
