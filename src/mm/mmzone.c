/* SPDX-License-Identifier: MIT */
/*
 * mmzone.c - nodes and zones as tables: zonelists, watermarks, reserves, counters
 *
 * Room: mm. Door: mm/zone.h.
 *
 * 1. Zonelists: from the local node's highest zone down, then the next node's (node order:
 * n, n+1, … round). A request for zone i may use zones <= i only.
 *
 * 2. Watermarks, in pages: min_free_kbytes is the integer square root of 16 times the memory
 * in KiB, between 128 KiB and 256 MiB, unless min_free_kbytes= says otherwise; each zone has its
 * share as min. low, high and promo follow at equal steps of max(min/4, managed *
 * watermark_scale_factor/10000).
 *
 * 3. lowmem_reserve[j] of a zone: what a request that could have had zone j must leave here:
 * the managed pages of the zones above, up to j, divided by this zone's ratio.
 *
 * All is recomputed whenever memory comes online. Readers need no lock: each value is right for
 * before or after.
 */

#include <errno.h>
#include <stddef.h>

#include "kernel/cpu.h"
#include "kernel/param.h"
#include "mm/page_alloc.h"
#include "mm/zone.h"

#define MIN_FREE_KBYTES_LEAST 128UL
#define MIN_FREE_KBYTES_MOST  262144UL
#define PAGE_KBYTES           (PAGE_SIZE / 1024)

const char *const migratetype_names[MIGRATE_TYPES] = { "Unmovable", "Movable", "Reclaimable",
						       "HighAtomic", "Isolate" };
const char *const zone_names[MAX_NR_ZONES] = { "DMA", "DMA32", "Normal", "Movable" };

struct pglist_data node_data_array[MAX_NUMNODES];
unsigned int nr_node_ids = 1;
bool numa_fake;
_Atomic unsigned long vm_event_states[NR_VM_EVENT_ITEMS];

unsigned long min_free_kbytes;
static unsigned long user_min_free_kbytes; /* min_free_kbytes=; 0: computed */
unsigned int watermark_scale_factor = 10;
unsigned int watermark_boost_factor = 15000;
unsigned int lowmem_reserve_ratio[MAX_NR_ZONES] = { 256, 256, 32, 0 };

static int set_min_free(const char *value)
{
	unsigned int kbytes;
	int ret = param_uint(value, 1, 1u << 30, &kbytes);

	if (!ret)
		user_min_free_kbytes = kbytes;
	return ret;
}
__param(min_free_kbytes, "min_free_kbytes", set_min_free, "1..1073741824 (KiB)", PARAM_NONE);

static int set_scale_factor(const char *value)
{
	return param_uint(value, 1, 3000, &watermark_scale_factor);
}
__param(watermark_scale_factor, "watermark_scale_factor", set_scale_factor, "1..3000", PARAM_NONE);

static int set_boost_factor(const char *value)
{
	return param_uint(value, 0, 1u << 20, &watermark_boost_factor);
}
__param(watermark_boost_factor, "watermark_boost_factor", set_boost_factor, "0..1048576",
	PARAM_NONE);

/* --- tables -------------------------------------------------------------------- */

struct zone *first_zone(void)
{
	struct zone *zone = NODE_DATA(0)->node_zones;

	return zone->zone_pgdat ? zone : NULL; /* before boot there is none */
}

struct zone *next_zone(struct zone *zone)
{
	int nid = zone_to_nid(zone);

	if (zone_idx(zone) + 1 < MAX_NR_ZONES)
		return zone + 1;
	if ((unsigned int)nid + 1 < nr_node_ids)
		return NODE_DATA(nid + 1)->node_zones;
	return NULL;
}

void zone_init(struct zone *zone, int nid, enum zone_type idx)
{
	zone->zone_pgdat = NODE_DATA(nid);
	NODE_DATA(nid)->node_id = nid;
	zone->name = zone_names[idx];
	spin_lock_init(&zone->lock);
	buddy_init_zone(zone);
}

static struct zoneref *add_node(struct zoneref *ref, int nid)
{
	for (int idx = MAX_NR_ZONES - 1; idx >= 0; idx--) {
		ref->zone = &NODE_DATA(nid)->node_zones[idx];
		ref->zone_idx = (enum zone_type)idx;
		ref++;
	}
	return ref;
}

void build_all_zonelists(void)
{
	for_each_online_node(nid) {
		struct zonelist *lists = NODE_DATA(nid)->node_zonelists;
		struct zoneref *ref = lists[ZONELIST_FALLBACK].zonerefs;

		for (unsigned int i = 0; i < nr_node_ids; i++)
			ref = add_node(ref, (int)(((unsigned int)nid + i) % nr_node_ids));
		ref->zone = NULL;
		ref = add_node(lists[ZONELIST_NOFALLBACK].zonerefs, nid);
		ref->zone = NULL;
	}
}

int local_node(void)
{
	int nid;

	if (likely(nr_node_ids == 1))
		return 0;
	nid = numa_node_id();
	return (unsigned int)nid < nr_node_ids ? nid : 0;
}

/* --- watermarks -------------------------------------------------------------------- */

static unsigned long int_sqrt(unsigned long x)
{
	unsigned long root = 0;

	for (unsigned long bit = 1UL << (4 * sizeof(long) - 1); bit; bit >>= 1)
		if ((root | bit) * (root | bit) <= x)
			root |= bit;
	return root;
}

static unsigned long max_of(unsigned long a, unsigned long b)
{
	return a > b ? a : b;
}

static void set_long(_Atomic unsigned long *field, unsigned long value)
{
	atomic_store_explicit(field, value, memory_order_relaxed);
}

/* Pages of all zones but MOVABLE, which nobody who cannot wait may use. */
static unsigned long lowmem_pages(void)
{
	unsigned long pages = 0;

	for_each_zone(zone)
		if (zone_idx(zone) != ZONE_MOVABLE)
			pages += zone_managed_pages(zone);
	return pages;
}

static unsigned long compute_min_free(unsigned long lowmem)
{
	unsigned long kbytes = int_sqrt(lowmem * PAGE_KBYTES * 16);

	if (user_min_free_kbytes)
		return user_min_free_kbytes;
	if (kbytes < MIN_FREE_KBYTES_LEAST)
		return MIN_FREE_KBYTES_LEAST;
	return kbytes > MIN_FREE_KBYTES_MOST ? MIN_FREE_KBYTES_MOST : kbytes;
}

static void set_zone_wmarks(struct zone *zone, unsigned long lowmem)
{
	unsigned long managed = zone_managed_pages(zone);
	unsigned long min = min_free_kbytes / PAGE_KBYTES;
	unsigned long step;

	if (zone_idx(zone) == ZONE_MOVABLE) /* as for highmem: a token */
		min = managed / 1024 < 32 ? 32 : managed / 1024 > 128 ? 128 : managed / 1024;
	else
		min = lowmem ? (unsigned long)((unsigned __int128)min * managed / lowmem) : 0;
	if (min > managed / 4) /* min_free_kbytes= may be more than there is, or is yet */
		min = managed / 4;
	if (!managed)
		min = 0;
	step = max_of(min / 4,
		      (unsigned long)((unsigned __int128)managed * watermark_scale_factor / 10000));
	set_long(&zone->_watermark[WMARK_MIN], min);
	set_long(&zone->_watermark[WMARK_LOW], min + step);
	set_long(&zone->_watermark[WMARK_HIGH], min + 2 * step);
	set_long(&zone->_watermark[WMARK_PROMO], min + 3 * step);
}

/* The mark of walk_fast(), so that alloc_hot() has one number to look at. */
static void set_fast_mark(struct zone *zone)
{
	unsigned long mark = low_wmark_pages(zone);

	if (zone_growable(zone))
		mark = high_wmark_pages(zone) + ELASTIC_HEADROOM_PAGES;
	set_long(&zone->fast_mark,
		 mark + atomic_load_explicit(&zone->nr_reserved_highatomic, memory_order_relaxed));
}

static void set_lowmem_reserve(struct pglist_data *pgdat)
{
	for (int i = 0; i < MAX_NR_ZONES; i++) {
		struct zone *zone = &pgdat->node_zones[i];
		unsigned long above = 0;
		unsigned int ratio = lowmem_reserve_ratio[i];
		bool clear = !ratio || !zone_managed_pages(zone);

		for (int j = i + 1; j < MAX_NR_ZONES; j++) {
			above += zone_managed_pages(&pgdat->node_zones[j]);
			set_long(&zone->lowmem_reserve[j], clear ? 0 : above / ratio);
		}
	}
}

void setup_per_zone_wmarks(void)
{
	unsigned long lowmem = lowmem_pages();

	min_free_kbytes = compute_min_free(lowmem);
	for_each_zone(zone) {
		set_zone_wmarks(zone, lowmem);
		set_fast_mark(zone);
		pcp_set_limits(zone);
	}
	for_each_online_node(nid)
		set_lowmem_reserve(NODE_DATA(nid));
}

/* Is there a free block of at least this order that such an allocation may take? */
static bool has_block(struct zone *zone, unsigned int order, unsigned int alloc_flags)
{
	for (; order < MAX_ORDER; order++) {
		struct free_area *area = &zone->free_area[order];
		int last = alloc_flags & (ALLOC_HIGHATOMIC | ALLOC_OOM) ? MIGRATE_HIGHATOMIC :
									  MIGRATE_PCPTYPES - 1;

		for (int type = 0; type <= last; type++)
			if (atomic_load_explicit(&area->nr_free_type[type], memory_order_relaxed))
				return true;
	}
	return false;
}

bool zone_watermark_ok(struct zone *zone, unsigned int order, unsigned long mark,
		       int highest_zoneidx, unsigned int alloc_flags)
{
	long free = (long)zone_page_state(zone, NR_FREE_PAGES) - (long)((1UL << order) - 1);
	long min = (long)mark;

	if (!(alloc_flags & ALLOC_RESERVES))
		free -= (long)atomic_load_explicit(&zone->nr_reserved_highatomic,
						   memory_order_relaxed);
	if (alloc_flags & ALLOC_MIN_RESERVE) {
		min -= min / 2;
		if (alloc_flags & ALLOC_NON_BLOCK)
			min -= min / 4;
	}
	if (alloc_flags & ALLOC_OOM)
		min -= min / 2;
	min += (long)atomic_load_explicit(&zone->lowmem_reserve[highest_zoneidx],
					  memory_order_relaxed);
	if (free <= min)
		return false;
	return order == 0 || has_block(zone, order, alloc_flags);
}

/* --- reading counters ------------------------------------------------------------------ */

unsigned long global_zone_page_state(enum zone_stat_item item)
{
	unsigned long sum = 0;

	for_each_zone(zone)
		sum += zone_page_state(zone, item);
	return sum;
}

unsigned long global_node_page_state(enum node_stat_item item)
{
	unsigned long sum = 0;

	for_each_online_node(nid)
		sum += node_page_state(NODE_DATA(nid), item);
	return sum;
}

unsigned long node_present_pages(int nid)
{
	unsigned long sum = 0;

	for (int i = 0; i < MAX_NR_ZONES; i++)
		sum += atomic_load_explicit(&NODE_DATA(nid)->node_zones[i].present_pages,
					    memory_order_relaxed);
	return sum;
}

unsigned long node_spanned_pages(int nid)
{
	unsigned long sum = 0;

	for (int i = 0; i < MAX_NR_ZONES; i++)
		sum += atomic_load_explicit(&NODE_DATA(nid)->node_zones[i].spanned_pages,
					    memory_order_relaxed);
	return sum;
}

unsigned long totalram_pages(void)
{
	unsigned long sum = 0;

	for_each_zone(zone)
		sum += zone_managed_pages(zone);
	return sum;
}

/* Pages that went in or out through this zone's page lists, all cids. */
static unsigned long zone_flow(struct zone *zone, bool allocated)
{
	unsigned long sum = atomic_load_explicit(
		allocated ? &zone->nr_alloc_direct : &zone->nr_free_direct, memory_order_relaxed);

	if (!zone->per_cpu_pageset)
		return sum;
	for (unsigned int cid = 0; cid < cpu_nr_cids(); cid++) {
		struct per_cpu_pages *pcp = &zone->per_cpu_pageset[cid];

		sum += atomic_load_explicit(allocated ? &pcp->nr_alloc : &pcp->nr_free,
					    memory_order_relaxed);
	}
	return sum;
}

unsigned long vm_event_read(enum vm_event_item item)
{
	unsigned long sum = atomic_load_explicit(&vm_event_states[item], memory_order_relaxed);

	if (item > PGALLOC_MOVABLE && item != PGFREE)
		return sum;
	for_each_zone(zone)
		if (item == PGFREE || (int)item == PGALLOC_DMA + (int)zone_idx(zone))
			sum += zone_flow(zone, item != PGFREE);
	return sum;
}
