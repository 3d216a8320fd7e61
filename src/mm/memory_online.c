/* SPDX-License-Identifier: MIT */
/*
 * memory_online.c - the machine: how large it is, and sections coming online
 *
 * Room: mm. Above us: boot.c, the slow path of page_alloc.c. Below us: layout.c maps.
 *
 * 1. Two kinds of machine
 *
 *   exact    mem=SIZE up to 1 GiB. All of it is online after boot and it never grows:
 *            SIZE is the sum of all zones. One node unless numa=fake=N, which deals the
 *            sections to the nodes in turn.
 *   elastic  the default, and mem= above 1 GiB. Starts with one section a node and grows on the
 *            slow path of whoever may sleep, up to mem= or the window. Each step is a quarter of
 *            what is there, 4 … 256 MiB; 4 MiB where address space is rationed. It is
 *            the node that asked which grows.
 *
 * 2. Zones
 *
 *              exact: default                      elastic: default, online when asked for
 *   DMA        mem/16, whole sections, <= 16 MiB   16 MiB
 *   DMA32      mem/16, whole sections, <= 64 MiB   the rest of the low window
 *   MOVABLE    movablecore=, else none             the same
 *   NORMAL     the rest (all, below 64 MiB)        mem=, else the machine window
 *
 * DMA and DMA32 lie in the low window and belong to node 0. What DMA has is locked in memory, as
 * far as the rlimit goes; quietly not otherwise. dma= and dma32= say other sizes; 0: no such zone.
 *
 * 3. A section is of one zone. If the zone ends within it the rest is reserved; if somebody
 * else's mapping is in the way it is a hole, all reserved. Zones may interleave.
 *
 * 4. The OS refuses (RLIMIT_AS, overcommit): the zone is marked ZONE_MEMORY_FULL and asked
 * again after REFUSED_WAIT_NS, since a neighbour may have unmapped something by then.
 *
 * Locks: online_lock (rank 55: no lock of the allocator is held by who takes it; zone->lock is
 * taken inside).
 */

#include <errno.h>
#include <string.h>

#include "kernel/cpu.h"
#include "kernel/fork.h"
#include "kernel/param.h"
#include "kernel/printk.h"
#include "mm/page_alloc.h"
#include "mm/vmalloc.h"
#include "os/os.h"
#include "os/vm.h"

#define MIB                (1UL << 20)
#define EXACT_MOST         (1024 * MIB)
#define MEM_LEAST          MIB
#define STEP_LEAST         SECTION_SIZE
#define STEP_MOST          (256 * MIB)
#define STEP_FRACTION      4 /* of what is online */
#define DMA_DEFAULT        (16 * MIB)
#define EXACT_LOW_FRACTION 16
#define EXACT_DMA32_MOST   (64 * MIB)
#define HOLES_MOST         1024 /* sections to skip in one step: somebody's 4 GiB in our window */
#define REFUSED_WAIT_NS    100000000UL
#define UNSAID             UINT64_MAX
#define HUGE_FROM          (128ULL << 20) /* where memory is large, huge pages cost it little */

static uint64_t mem_bytes = UNSAID;
static uint64_t dma_bytes = UNSAID;
static uint64_t dma32_bytes = UNSAID;
static uint64_t movable_bytes;
static unsigned int fake_nodes;
static uint64_t huge_from = HUGE_FROM;

static spinlock_t online_lock = SPINLOCK_INIT;
static bool exact;
static _Atomic uint64_t refused_ns;         /* when the OS last refused */
static _Atomic unsigned long online_events; /* steps so far */

/* --- parameters ---------------------------------------------------------------------- */

static int set_bytes(const char *value, uint64_t least, uint64_t most, uint64_t *out)
{
	uint64_t bytes;
	int ret = param_bytes(value, &bytes);

	if (ret)
		return ret;
	if (bytes < least || bytes > most)
		return -EINVAL;
	*out = bytes & PAGE_MASK;
	return 0;
}

static int set_mem(const char *value)
{
	return set_bytes(value, MEM_LEAST, 1ULL << 46, &mem_bytes);
}
__param(mem, "mem", set_mem, "1M..64T", PARAM_NONE);

static int set_dma(const char *value)
{
	return set_bytes(value, 0, 512ULL << 20, &dma_bytes);
}
__param(dma, "dma", set_dma, "0..512M", PARAM_NONE);

static int set_dma32(const char *value)
{
	return set_bytes(value, 0, 2ULL << 30, &dma32_bytes);
}
__param(dma32, "dma32", set_dma32, "0..2G", PARAM_NONE);

static int set_movablecore(const char *value)
{
	return set_bytes(value, 0, 1ULL << 46, &movable_bytes);
}
__param(movablecore, "movablecore", set_movablecore, "0..64T", PARAM_NONE);

static int set_numa(const char *value)
{
	if (strncmp(value, "fake=", 5) != 0)
		return -EINVAL;
	return param_uint(value + 5, 1, MAX_NUMNODES, &fake_nodes);
}
__param(numa, "numa", set_numa, "fake=1..8", PARAM_NONE);

static int set_thp(const char *value)
{
	if (!strcmp(value, "always"))
		huge_from = 0;
	else if (!strcmp(value, "madvise"))
		huge_from = HUGE_FROM;
	else if (!strcmp(value, "never"))
		huge_from = UINT64_MAX;
	else
		return -EINVAL;
	return 0;
}
__param(transparent_hugepage, "transparent_hugepage", set_thp, "always|madvise|never", PARAM_NONE);

/* --- sections come online ------------------------------------------------------------------ */

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uintptr_t section_up(uintptr_t x)
{
	return (x + SECTION_SIZE - 1) & ~(SECTION_SIZE - 1);
}

static void set_ulong(_Atomic unsigned long *field, unsigned long value)
{
	atomic_store_explicit(field, value, memory_order_relaxed);
}

static void reserve_pages(unsigned long pfn, unsigned long nr, unsigned int place)
{
	for (struct page *page = pfn_to_page_raw(pfn); nr; nr--, page++)
		page_flags_set_all(page, place | 1u << PG_reserved);
}

static void describe_section(unsigned long pfn, struct zone *zone, unsigned long present)
{
	struct mem_section *section = pfn_section(pfn);

	section->zone = present ? zone : NULL;
	section->nid = (unsigned char)zone_to_nid(zone);
	section->present = (unsigned short)present;
	for (unsigned int i = 0; i < SECTION_PAGEBLOCKS; i++)
		section->pageblock_type[i] = MIGRATE_MOVABLE;
	section->online = true;
	reserve_pages(pfn + present, PAGES_PER_SECTION - present, zone_place(zone));
}

/* The zone's span takes in [pfn, end). Zone lock held. */
static void __grow_span(struct zone *zone, unsigned long pfn, unsigned long end)
{
	unsigned long start = atomic_load(&zone->zone_start_pfn);
	unsigned long stop = start + atomic_load(&zone->spanned_pages);

	if (!atomic_load(&zone->spanned_pages))
		start = stop = pfn;
	if (pfn < start)
		start = pfn;
	if (end > stop)
		stop = end;
	set_ulong(&zone->zone_start_pfn, start);
	set_ulong(&zone->spanned_pages, stop - start);
}

/* Hand mapped sections to the zone; the last may be partial. */
static void add_sections(struct zone *zone, uintptr_t start, unsigned long nr_pages)
{
	unsigned long pfn = start >> PAGE_SHIFT;
	unsigned long end = pfn + nr_pages;

	for (unsigned long p = pfn; p < end; p += PAGES_PER_SECTION)
		describe_section(p, zone, least(end - p, PAGES_PER_SECTION));
	spin_lock(&zone->lock);
	for (unsigned long p = pfn; p < end; p += PAGES_PER_SECTION)
		__buddy_add_new(zone, p, least(end - p, PAGES_PER_SECTION));
	__grow_span(zone, pfn, end);
	set_ulong(&zone->present_pages, atomic_load(&zone->present_pages) + nr_pages);
	set_ulong(&zone->managed_pages, zone_managed_pages(zone) + nr_pages);
	spin_unlock(&zone->lock);
	count_vm_events(SW_SECTIONS_ONLINED,
			(nr_pages + PAGES_PER_SECTION - 1) / PAGES_PER_SECTION);
}

/* DMA: as much as the rlimit allows. */
static void lock_in_memory(struct zone *zone, uintptr_t start, size_t size)
{
	if (zone_idx(zone) == ZONE_DMA && !os_lock((void *)start, size))
		mod_zone_page_state(zone, NR_MLOCK, (long)(size >> PAGE_SHIFT));
}

static uintptr_t window_edge(const struct zone *zone, uintptr_t *end)
{
	if (zone_idx(zone) <= ZONE_DMA32) {
		*end = sw_layout.low_end;
		return atomic_load(&sw_layout.low_online);
	}
	*end = sw_layout.machine_end;
	return atomic_load(&sw_layout.machine_online);
}

/*
 * Bring up to nr_pages online for the zone, a section at least. Returns pages, 0 if there
 * are none. online_lock held, or boot.
 */
static unsigned long online_pages(struct zone *zone, unsigned long nr_pages)
{
	for (int holes = 0; holes < HOLES_MOST; holes++) {
		uintptr_t end, edge = window_edge(zone, &end);
		size_t size = section_up(nr_pages << PAGE_SHIFT);
		int ret;

		if (size > end - edge)
			size = end - edge;
		if (!size || edge >= end)
			return 0;
		ret = layout_map_sections(edge, size);
		if (ret && size > SECTION_SIZE) {
			/* -EEXIST has mapped the tables of a hole: not to be done for a large one. */
			if (ret == -EEXIST) {
				for (uintptr_t a = edge; a < edge + size; a += SECTION_SIZE)
					describe_section(a >> PAGE_SHIFT, zone, 0);
				continue;
			}
			nr_pages = PAGES_PER_SECTION;
			continue;
		}
		if (ret == -EEXIST) {
			describe_section(edge >> PAGE_SHIFT, zone, 0);
			continue;
		}
		if (ret)
			return 0;
		nr_pages = least(nr_pages, size >> PAGE_SHIFT);
		lock_in_memory(zone, edge, size);
		if (zone_idx(zone) > ZONE_DMA32 && edge - sw_layout.machine_start >= huge_from)
			os_hugepage((void *)edge, size,
				    true); /* advice: what it says is no matter */
		add_sections(zone, edge, nr_pages);
		return nr_pages;
	}
	return 0;
}

/* --- growing ----------------------------------------------------------------------------------- */

static bool zone_full(struct zone *zone)
{
	unsigned long full = 1UL << ZONE_MEMORY_FULL;

	if (!(atomic_load_explicit(&zone->flags, memory_order_relaxed) & full))
		return false;
	if (os_now_coarse_ns() - atomic_load(&refused_ns) < REFUSED_WAIT_NS)
		return true;
	atomic_fetch_and(&zone->flags, ~full);
	return false;
}

static unsigned long zone_room(struct zone *zone)
{
	unsigned long present = atomic_load_explicit(&zone->present_pages, memory_order_relaxed);

	return zone->limit_pages > present ? zone->limit_pages - present : 0;
}

/* The zone that should grow for such a request: the first of its zonelist that can. */
static struct zone *zone_to_grow(int nid, enum zone_type highest)
{
	struct zoneref *ref = NODE_DATA(nid)->node_zonelists[ZONELIST_FALLBACK].zonerefs;

	for (; ref->zone; ref++)
		if (zone_may_grow_for(ref->zone, ref->zone_idx, highest) && zone_room(ref->zone) &&
		    !zone_full(ref->zone))
			return ref->zone;
	return NULL;
}

bool memory_growable(int nid, enum zone_type highest)
{
	return !exact && zone_to_grow(nid, highest);
}

static unsigned long step_pages(struct zone *zone)
{
	uint64_t step = ((uint64_t)zone_managed_pages(zone) << PAGE_SHIFT) / STEP_FRACTION;

	if (zone_idx(zone) <= ZONE_DMA32 || step < STEP_LEAST || os_rlimit_as() != UINT64_MAX)
		step = STEP_LEAST;
	step = least(section_up(step), STEP_MOST);
	return least(step >> PAGE_SHIFT, zone_room(zone));
}

/* Refused: where RLIMIT_AS says so, areas may have the addresses. online_lock is dropped meanwhile. */
static bool online_in_room_made(struct zone *zone)
{
	spin_unlock(&online_lock);
	vmap_make_room();
	spin_lock(&online_lock);
	return online_pages(zone, step_pages(zone)) > 0;
}

bool memory_online_more(int nid, enum zone_type highest, unsigned int order)
{
	unsigned long before = atomic_load(&online_events);
	struct zone *zone;
	bool grown = false;

	(void)order; /* every step has a block of the largest order */
	spin_lock(&online_lock);
	zone = zone_to_grow(nid, highest);
	if (before != atomic_load(&online_events)) {
		grown = true; /* somebody else did while we waited */
	} else if (zone) {
		grown = online_pages(zone, step_pages(zone)) > 0 || online_in_room_made(zone);
		if (grown) {
			setup_per_zone_wmarks();
			atomic_fetch_add(&online_events, 1);
		} else {
			atomic_store(&refused_ns, os_now_coarse_ns());
			atomic_fetch_or(&zone->flags, 1UL << ZONE_MEMORY_FULL);
			setup_per_zone_wmarks(); /* the marks of a zone that cannot grow */
		}
	}
	spin_unlock(&online_lock);
	return grown;
}

/* --- boot ------------------------------------------------------------------------------------------ */

static struct zone *node_zone(unsigned int nid, enum zone_type idx)
{
	return &NODE_DATA(nid)->node_zones[idx];
}

/* Deal a zone's pages to the nodes, a section at a time in turn. */
static int online_dealt(enum zone_type idx, unsigned long pages)
{
	unsigned int nid = 0;

	while (pages) {
		unsigned long part = nr_node_ids > 1 ? least(pages, PAGES_PER_SECTION) : pages;
		struct zone *zone = node_zone(nid, idx);
		unsigned long got = online_pages(zone, part);

		if (!got)
			return -ENOMEM;
		zone->limit_pages = zone_managed_pages(zone);
		pages -= got;
		nid = (nid + 1) % nr_node_ids;
	}
	return 0;
}

static uint64_t whole_sections(uint64_t bytes)
{
	return bytes & ~(uint64_t)(SECTION_SIZE - 1);
}

static uint64_t low_window_bytes(void)
{
	return sw_layout.low_end - sw_layout.low_start;
}

static int online_exact(void)
{
	uint64_t dma = dma_bytes, dma32 = dma32_bytes, movable = movable_bytes;
	int ret;

	if (dma == UNSAID)
		dma = least(whole_sections(mem_bytes / EXACT_LOW_FRACTION), DMA_DEFAULT);
	if (dma32 == UNSAID)
		dma32 = least(whole_sections(mem_bytes / EXACT_LOW_FRACTION), EXACT_DMA32_MOST);
	if (section_up(dma) + section_up(dma32) > low_window_bytes())
		dma = dma32 = 0;
	if (dma + dma32 + movable >= mem_bytes) {
		pr_warn("slabwork: dma=, dma32= and movablecore= leave nothing of mem= for Normal: "
			"ignored\n");
		dma = dma32 = movable = 0;
	}
	ret = online_dealt(ZONE_NORMAL, (mem_bytes - dma - dma32 - movable) >> PAGE_SHIFT);
	if (!ret)
		ret = online_dealt(ZONE_MOVABLE, movable >> PAGE_SHIFT);
	if (ret)
		return ret;
	/* No room below 4 GiB is no reason to fail. */
	for (int idx = ZONE_DMA; idx <= ZONE_DMA32; idx++) {
		struct zone *zone = node_zone(0, (enum zone_type)idx);
		unsigned long pages = (idx == ZONE_DMA ? dma : dma32) >> PAGE_SHIFT;

		if (pages)
			online_pages(zone, pages);
		zone->limit_pages = zone_managed_pages(zone);
	}
	return 0;
}

static int online_elastic(void)
{
	uint64_t window = sw_layout.machine_end - sw_layout.machine_start;
	uint64_t mem = mem_bytes == UNSAID ? window : least(mem_bytes, window);
	uint64_t dma = least(dma_bytes == UNSAID ? DMA_DEFAULT : dma_bytes, low_window_bytes());
	uint64_t rest = whole_sections(low_window_bytes() - dma);
	uint64_t movable = least(movable_bytes, mem / 2);

	node_zone(0, ZONE_DMA)->limit_pages = dma >> PAGE_SHIFT;
	node_zone(0, ZONE_DMA32)->limit_pages =
		(dma32_bytes == UNSAID ? rest : least(rest, dma32_bytes)) >> PAGE_SHIFT;
	for (unsigned int nid = 0; nid < nr_node_ids; nid++) {
		node_zone(nid, ZONE_MOVABLE)->limit_pages = whole_sections(movable / nr_node_ids) >>
							    PAGE_SHIFT;
		node_zone(nid, ZONE_NORMAL)->limit_pages =
			whole_sections((mem - movable) / nr_node_ids) >> PAGE_SHIFT;
		if (!online_pages(node_zone(nid, ZONE_NORMAL), PAGES_PER_SECTION))
			return -ENOMEM;
	}
	return 0;
}

static void choose_nodes(void)
{
	unsigned int nodes = exact ? 1 : os_nr_nodes();

	if (fake_nodes) {
		nodes = fake_nodes;
		numa_fake = true;
		/* No node without memory. */
		if (exact && nodes > mem_bytes / SECTION_SIZE)
			nodes = (unsigned int)(mem_bytes / SECTION_SIZE);
	}
	if (!nodes)
		nodes = 1;
	nr_node_ids = nodes > MAX_NUMNODES ? MAX_NUMNODES : nodes;
	if (fake_nodes)
		cpu_fake_nodes(nr_node_ids);
}

int memory_init(void)
{
	int ret;

	exact = mem_bytes <= EXACT_MOST;
	choose_nodes();
	for_each_online_node(nid)
		for (int idx = 0; idx < MAX_NR_ZONES; idx++)
			zone_init(node_zone((unsigned int)nid, (enum zone_type)idx), nid,
				  (enum zone_type)idx);
	build_all_zonelists();
	ret = pcp_init();
	if (!ret)
		ret = exact ? online_exact() : online_elastic();
	if (ret)
		return ret;
	setup_per_zone_wmarks();
	/* A machine of 64 MiB has 16 pages aside, one that can grow 64. */
	atomic_reserve_set_target(exact ? totalram_pages() / 1024 : ~0UL);
	for_each_online_node(nid) {
		struct zone *zone = node_zone((unsigned int)nid, ZONE_NORMAL);

		spin_lock(&zone->lock);
		__atomic_reserve_refill(zone);
		spin_unlock(&zone->lock);
	}
	return 0;
}

/* --- fork ---------------------------------------------------------------------------------------------- */

static void fork_lock_online(void)
{
	spin_lock(&online_lock);
}

static void fork_unlock_online(void)
{
	spin_unlock(&online_lock);
}
FORK_HANDLER(online, 55, fork_lock_online, fork_unlock_online, fork_unlock_online);
