/* SPDX-License-Identifier: MIT */
/*
 * test_page_alloc_zones.c - zones, nodes, watermarks, mobility, growing and giving back
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kunit/test.h>
#include <slabwork/mm.h>

#include "kernel/printk.h"
#include "mm/page_alloc.h"
#include "os/os.h"

#define PAGES_MOST 65536

static struct page *pages[PAGES_MOST];
static char said[4096];
static size_t said_len;

static void hear(const char *text, unsigned long len)
{
	if (len > sizeof(said) - 1 - said_len)
		len = sizeof(said) - 1 - said_len;
	memcpy(said + said_len, text, len);
	said_len += len;
}

static void machine(const char *words)
{
	setenv("SLABWORK", words, 1);
	printk_sink = hear;
	mm_boot();
}

static struct zone *zone_of(int nid, enum zone_type idx)
{
	return &NODE_DATA(nid)->node_zones[idx];
}

/* Take pages until there are none; returns how many. */
static unsigned long take_all(gfp_t gfp, unsigned long have)
{
	unsigned long n = have;

	while (n < PAGES_MOST && (pages[n] = alloc_page(gfp | __GFP_NOWARN)))
		n++;
	return n - have;
}

static void free_all(unsigned long n)
{
	while (n-- > 0)
		__free_page(pages[n]);
}

KUNIT_TEST(an_exact_machine_has_exactly_its_size)
{
	machine("mem=8M");
	KUNIT_EXPECT_EQ(test, totalram_pages(), 2048UL);
	KUNIT_EXPECT_EQ(test, zone_managed_pages(zone_of(0, ZONE_NORMAL)), 2048UL);
	KUNIT_EXPECT_FALSE(test, populated_zone(zone_of(0, ZONE_DMA)));
	KUNIT_EXPECT_FALSE(test, memory_growable(0, ZONE_NORMAL));
}

KUNIT_TEST(a_machine_of_64_mib_has_all_zones_and_their_sum_is_its_size)
{
	machine("mem=64M movablecore=8M");
	KUNIT_EXPECT_EQ(test, zone_managed_pages(zone_of(0, ZONE_DMA)), 1024UL);
	KUNIT_EXPECT_EQ(test, zone_managed_pages(zone_of(0, ZONE_DMA32)), 1024UL);
	KUNIT_EXPECT_EQ(test, zone_managed_pages(zone_of(0, ZONE_MOVABLE)), 2048UL);
	KUNIT_EXPECT_EQ(test, totalram_pages(), 16384UL);
}

KUNIT_TEST(a_zone_may_end_within_a_section)
{
	unsigned long n;

	machine("mem=5M dma=256K");
	KUNIT_EXPECT_EQ(test, zone_managed_pages(zone_of(0, ZONE_DMA)), 64UL);
	KUNIT_EXPECT_EQ(test, zone_managed_pages(zone_of(0, ZONE_NORMAL)), 1280UL - 64);
	n = take_all(GFP_KERNEL | __GFP_NORETRY, 0);
	KUNIT_EXPECT_GT(test, n, 900UL);
	KUNIT_EXPECT_EQ(test, page_alloc_validate(), 0);
	free_all(n);
	KUNIT_EXPECT_EQ(test, page_alloc_validate(), 0);
}

KUNIT_TEST(an_exhausted_machine_gives_null_and_recovers)
{
	unsigned long first, second;

	machine("mem=8M");
	first = take_all(GFP_KERNEL, 0);
	KUNIT_EXPECT_GT(test, first, 1700UL);
	KUNIT_EXPECT_LT(test, first, 2048UL);
	KUNIT_EXPECT_EQ(test, page_alloc_validate(), 0);
	for (unsigned long i = 0; i < first; i++)
		*(unsigned long *)page_address(pages[i]) = i;
	for (unsigned long i = 0; i < first; i++)
		KUNIT_ASSERT_EQ(test, *(unsigned long *)page_address(pages[i]), i);
	free_all(first);
	second = take_all(GFP_KERNEL, 0);
	KUNIT_EXPECT_EQ(test, second, first);
	KUNIT_EXPECT_EQ(test, page_alloc_validate(), 0);
}

KUNIT_TEST(a_normal_request_falls_back_to_dma32_and_then_to_dma)
{
	unsigned long seen[MAX_NR_ZONES] = { 0 };
	int zone = ZONE_NORMAL;
	unsigned long n;

	machine("mem=24M dma=4M dma32=8M");
	/* One CPU's page list may hold pages of a zone that we have left already: none here. */
	n = take_all(GFP_KERNEL, 0);
	for (unsigned long i = 0; i < n; i++) {
		seen[page_zonenum(pages[i])]++;
		if (page_zonenum(pages[i]) < zone)
			zone = page_zonenum(pages[i]);
	}
	KUNIT_EXPECT_EQ(test, zone, (int)ZONE_DMA);
	KUNIT_EXPECT_EQ(test, page_zonenum(pages[0]), (int)ZONE_NORMAL);
	KUNIT_EXPECT_GT(test, seen[ZONE_NORMAL], 2700UL);
	KUNIT_EXPECT_GT(test, seen[ZONE_DMA32], 1800UL);
	KUNIT_EXPECT_GT(test, seen[ZONE_DMA], 800UL);
	/* lowmem_reserve keeps more of DMA from us than from who must have it. */
	KUNIT_EXPECT_GT(test, take_all(GFP_KERNEL | __GFP_DMA, n), 0UL);
}

KUNIT_TEST(a_dma_request_never_leaves_its_zone)
{
	unsigned long n;

	machine("mem=16M dma=4M");
	n = take_all(GFP_KERNEL | __GFP_DMA, 0);
	KUNIT_EXPECT_GT(test, n, 800UL);
	KUNIT_EXPECT_LE(test, n, 1024UL);
	for (unsigned long i = 0; i < n; i++)
		KUNIT_ASSERT_EQ(test, page_zonenum(pages[i]), (int)ZONE_DMA);
}

KUNIT_TEST(a_dma_request_fails_where_there_is_no_such_zone)
{
	machine("mem=16M dma=0");
	KUNIT_EXPECT_NULL(test, alloc_page(GFP_KERNEL | __GFP_DMA | __GFP_NOWARN));
	KUNIT_EXPECT_NOT_NULL(test, alloc_page(GFP_KERNEL));
}

KUNIT_TEST(a_dma32_page_lies_below_4_gib)
{
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_DMA32, 4);

	if (!page)
		kunit_skip(test, "no room below 4 GiB in this process");
	KUNIT_EXPECT_LT(test, (uintptr_t)page_address(page), 1UL << 32);
	page = alloc_page(GFP_KERNEL | __GFP_DMA);
	KUNIT_EXPECT_EQ(test, page_zonenum(page), (int)ZONE_DMA);
	KUNIT_EXPECT_LT(test, (uintptr_t)page_address(page), 1UL << 32);
}

KUNIT_TEST(only_movable_requests_see_the_movable_zone)
{
	unsigned long n;

	machine("mem=12M movablecore=4M");
	n = take_all(GFP_KERNEL, 0);
	for (unsigned long i = 0; i < n; i++)
		KUNIT_ASSERT_NE(test, page_zonenum(pages[i]), (int)ZONE_MOVABLE);
	n += take_all(GFP_HIGHUSER_MOVABLE, n);
	KUNIT_EXPECT_EQ(test, page_zonenum(pages[n - 1]), (int)ZONE_MOVABLE);
	KUNIT_EXPECT_GT(test, n, 2700UL);
}

KUNIT_TEST(more_than_one_place_is_warned_about)
{
	machine("mem=16M dma=4M");
	KUNIT_EXPECT_NOT_NULL(test, alloc_page(GFP_KERNEL | __GFP_DMA | __GFP_DMA32));
	KUNIT_EXPECT_NOT_NULL(test, strstr(said, "WARNING: "));
}

/* --- watermarks -------------------------------------------------------------------------- */

KUNIT_TEST(watermarks_follow_the_documented_formula)
{
	struct zone *normal;

	machine("mem=64M dma=0 dma32=0");
	normal = zone_of(0, ZONE_NORMAL);
	/* sqrt(65536 KiB * 16) = 1024 KiB = 256 pages; steps of max(64, 16) */
	KUNIT_EXPECT_EQ(test, min_free_kbytes, 1024UL);
	KUNIT_EXPECT_EQ(test, min_wmark_pages(normal), 256UL);
	KUNIT_EXPECT_EQ(test, low_wmark_pages(normal), 320UL);
	KUNIT_EXPECT_EQ(test, high_wmark_pages(normal), 384UL);
	KUNIT_EXPECT_EQ(test, wmark_pages(normal, WMARK_PROMO), 448UL);
}

KUNIT_TEST(watermark_parameters_are_honoured)
{
	struct zone *normal;

	machine("mem=64M dma=0 dma32=0 min_free_kbytes=4096 watermark_scale_factor=1000");
	normal = zone_of(0, ZONE_NORMAL);
	KUNIT_EXPECT_EQ(test, min_wmark_pages(normal), 1024UL);
	KUNIT_EXPECT_EQ(test, low_wmark_pages(normal), 1024UL + 1638);
}

KUNIT_TEST(lowmem_reserve_is_what_lies_above_by_the_ratio)
{
	machine("mem=64M dma=4M dma32=8M movablecore=16M");
	KUNIT_EXPECT_EQ(test, (unsigned long)zone_of(0, ZONE_DMA)->lowmem_reserve[ZONE_DMA], 0UL);
	KUNIT_EXPECT_EQ(test, (unsigned long)zone_of(0, ZONE_DMA)->lowmem_reserve[ZONE_DMA32],
			2048UL / 256);
	KUNIT_EXPECT_EQ(test, (unsigned long)zone_of(0, ZONE_DMA)->lowmem_reserve[ZONE_NORMAL],
			(2048UL + 9216) / 256);
	KUNIT_EXPECT_EQ(test, (unsigned long)zone_of(0, ZONE_NORMAL)->lowmem_reserve[ZONE_MOVABLE],
			4096UL / 32);
}

KUNIT_TEST(atomic_requests_go_three_eighths_below_min_and_memalloc_to_the_end)
{
	struct zone *normal;
	unsigned long n, min, left;
	unsigned int saved;

	machine("mem=32M dma=0 dma32=0 min_free_kbytes=2048");
	normal = zone_of(0, ZONE_NORMAL);
	min = min_wmark_pages(normal);
	KUNIT_ASSERT_EQ(test, min, 512UL);
	n = take_all(GFP_NOWAIT, 0);
	left = zone_page_state(normal, NR_FREE_PAGES);
	/* At min, but for what the last refill of a page list took. */
	KUNIT_EXPECT_LE(test, left, min);
	KUNIT_EXPECT_GT(test, left, min - 64);
	/* __GFP_HIGH that may sleep: half of min. */
	n += take_all(GFP_KERNEL | __GFP_HIGH | __GFP_NORETRY, n);
	left = zone_page_state(normal, NR_FREE_PAGES);
	KUNIT_EXPECT_LE(test, left, min / 2);
	KUNIT_EXPECT_GT(test, left, min / 2 - 64);
	/* And who cannot: a quarter of the rest more. */
	n += take_all(GFP_ATOMIC, n);
	left = zone_page_state(normal, NR_FREE_PAGES);
	KUNIT_EXPECT_LE(test, left, min * 3 / 8);
	KUNIT_EXPECT_GT(test, left, min * 3 / 8 - 64);
	KUNIT_EXPECT_NULL(test, alloc_page(GFP_KERNEL | __GFP_MEMALLOC | __GFP_NOMEMALLOC |
					   __GFP_NORETRY | __GFP_NOWARN));
	saved = memalloc_noreclaim_save();
	n += take_all(GFP_KERNEL, n);
	memalloc_noreclaim_restore(saved);
	KUNIT_EXPECT_EQ(test, zone_page_state(normal, NR_FREE_PAGES), 0UL);
	KUNIT_EXPECT_EQ(test, page_alloc_validate(), 0);
	free_all(n);
	KUNIT_EXPECT_EQ(test, page_alloc_validate(), 0);
}

KUNIT_TEST(nofail_waits_until_somebody_frees)
{
	unsigned long n;
	pid_t before = getpid();

	machine("mem=4M");
	n = take_all(GFP_KERNEL, 0);
	n += take_all(GFP_ATOMIC | __GFP_MEMALLOC, n);
	for (int i = 0; i < 500; i++)
		__free_page(pages[--n]);
	KUNIT_EXPECT_NOT_NULL(test, alloc_page(GFP_KERNEL | __GFP_NOFAIL));
	KUNIT_EXPECT_EQ(test, before, getpid());
}

/* --- nodes ------------------------------------------------------------------------------------ */

KUNIT_TEST(fake_nodes_share_the_machine)
{
	unsigned long n;

	machine("mem=16M numa=fake=2");
	KUNIT_ASSERT_EQ(test, nr_node_ids, 2u);
	KUNIT_EXPECT_EQ(test, node_present_pages(0), 2048UL);
	KUNIT_EXPECT_EQ(test, node_present_pages(1), 2048UL);
	for (n = 0; (pages[n] = alloc_pages_node(1, GFP_KERNEL | __GFP_THISNODE | __GFP_NOWARN, 0));
	     n++)
		KUNIT_ASSERT_EQ(test, page_to_nid(pages[n]), 1);
	KUNIT_EXPECT_GT(test, n, 1500UL);
	/* Node 1 is empty: who does not insist gets node 0. */
	pages[n] = alloc_pages_node(1, GFP_KERNEL, 0);
	KUNIT_ASSERT_NOT_NULL(test, pages[n]);
	KUNIT_EXPECT_EQ(test, page_to_nid(pages[n]), 0);
	free_all(n + 1);
	KUNIT_EXPECT_EQ(test, page_alloc_validate(), 0);
}

KUNIT_TEST(no_fake_node_is_without_memory)
{
	machine("mem=8M numa=fake=8");
	KUNIT_EXPECT_EQ(test, nr_node_ids, 2u);
}

/* --- mobility ------------------------------------------------------------------------------------- */

KUNIT_TEST(kinds_of_pages_keep_to_their_own_pageblocks)
{
	struct page *unmovable, *movable, *reclaimable;

	machine("mem=8M");
	unmovable = alloc_page(GFP_KERNEL);
	reclaimable = alloc_page(GFP_KERNEL | __GFP_RECLAIMABLE);
	movable = alloc_page(GFP_HIGHUSER_MOVABLE);
	KUNIT_EXPECT_EQ(test, (int)get_pageblock_type(page_to_pfn(unmovable)), MIGRATE_UNMOVABLE);
	KUNIT_EXPECT_EQ(test, (int)get_pageblock_type(page_to_pfn(reclaimable)),
			MIGRATE_RECLAIMABLE);
	KUNIT_EXPECT_EQ(test, (int)get_pageblock_type(page_to_pfn(movable)), MIGRATE_MOVABLE);
	KUNIT_EXPECT_EQ(test, page_alloc_validate(), 0);
}

KUNIT_TEST(an_unmovable_request_takes_a_movable_pageblock_when_it_must)
{
	unsigned long n, before, unmovable;

	machine("mem=4M");
	n = take_all(GFP_HIGHUSER_MOVABLE, 0);
	for (unsigned long i = 0; i < n; i += 2)
		__free_page(pages[i]);
	pcp_drain_all();
	before = vm_event_read(SW_EXTFRAG);
	unmovable = take_all(GFP_KERNEL, n);
	KUNIT_EXPECT_GT(test, unmovable, n / 2 - 64);
	KUNIT_EXPECT_GT(test, vm_event_read(SW_EXTFRAG), before);
	KUNIT_EXPECT_EQ(test, page_alloc_validate(), 0);
}

KUNIT_TEST(atomic_blocks_reserve_a_pageblock)
{
	struct zone *normal;
	struct page *page;
	unsigned long n;

	machine("mem=256M dma=0 dma32=0");
	normal = zone_of(0, ZONE_NORMAL);
	page = alloc_pages(GFP_ATOMIC, 3);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_EQ(test, (unsigned long)normal->nr_reserved_highatomic, 0UL); /* from plenty */
	__free_pages(page, 3);
	n = take_all(GFP_NOWAIT, 0);
	KUNIT_ASSERT_GT(test, n, 60000UL);
	page = NULL;
	for (unsigned long i = 0; i < 1024; i++) /* room for blocks, at the min watermark */
		__free_page(pages[--n]);
	pcp_drain_all();
	while (alloc_page(GFP_NOWAIT | __GFP_NOWARN))
		if (!zone_watermark_ok(normal, 0, low_wmark_pages(normal), ZONE_NORMAL, 0))
			break;
	page = alloc_pages(GFP_ATOMIC, 2);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_EQ(test, (unsigned long)normal->nr_reserved_highatomic, 512UL);
	KUNIT_EXPECT_EQ(test, page_alloc_validate(), 0);
	__free_pages(page, 2);
	free_all(n);
	KUNIT_EXPECT_EQ(test, page_alloc_validate(), 0);
}

/* --- an elastic machine ------------------------------------------------------------------------------ */

KUNIT_TEST(the_default_machine_grows_before_anybody_waits)
{
	unsigned long before;

	machine("");
	before = totalram_pages();
	KUNIT_EXPECT_EQ(test, before % 1024, 0UL);
	KUNIT_EXPECT_LE(test, before, 2048UL * nr_node_ids);
	for (int i = 0; i < 16384; i++) {
		pages[i] = alloc_page(GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, pages[i]);
	}
	KUNIT_EXPECT_GT(test, totalram_pages(), 16384UL);
	KUNIT_EXPECT_GT(test, vm_event_read(SW_SECTIONS_ONLINED), 16UL);
	KUNIT_EXPECT_EQ(test, vm_event_read(ALLOCSTALL_NORMAL), 0UL);
	/* And there is something left for who cannot wait. */
	for (int i = 0; i < 256; i++)
		KUNIT_ASSERT_NOT_NULL(test, alloc_page(GFP_ATOMIC));
	free_all(16384);
	KUNIT_EXPECT_EQ(test, page_alloc_validate(), 0);
}

KUNIT_TEST(an_elastic_machine_stops_at_mem)
{
	unsigned long n = 0;

	machine("mem=1100M dma=0 dma32=0");
	while (n < PAGES_MOST && (pages[n] = alloc_pages(GFP_KERNEL | __GFP_NOWARN, 10)))
		n++;
	KUNIT_EXPECT_EQ(test, totalram_pages(), 1100UL * 256);
	KUNIT_EXPECT_GT(test, n, 265UL);
	while (n-- > 0)
		__free_pages(pages[n], 10);
	KUNIT_EXPECT_EQ(test, page_alloc_validate(), 0);
}

/* --- giving back ---------------------------------------------------------------------------------------- */

static unsigned long resident_pages(void)
{
	char buf[128] = "";
	unsigned long size = 0, resident = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (f && fgets(buf, sizeof(buf), f) && sscanf(buf, "%lu %lu", &size, &resident) != 2)
		resident = 0;
	if (f)
		fclose(f);
	return resident;
}

KUNIT_TEST(trim_gives_free_memory_back_to_the_system)
{
	unsigned long touched, trimmed;

	machine("page_surplus=1G");
	for (int i = 0; i < 8; i++) {
		pages[i] = alloc_pages(GFP_KERNEL, 10);
		memset(page_address(pages[i]), 1, PAGE_SIZE << 10);
	}
	for (int i = 0; i < 8; i++)
		__free_pages(pages[i], 10);
	touched = resident_pages();
	KUNIT_EXPECT_GE(test, page_alloc_trim(0), 32UL << 20);
	trimmed = resident_pages();
	KUNIT_EXPECT_GT(test, touched, trimmed + 8000);
	KUNIT_EXPECT_EQ(test, global_zone_page_state(NR_FREE_COMMITTED), 0UL);
	KUNIT_EXPECT_EQ(test, page_alloc_trim(0), 0UL);
	KUNIT_EXPECT_EQ(test, page_alloc_validate(), 0);
}

KUNIT_TEST(memory_that_is_free_for_a_while_goes_back_by_itself)
{
	machine("page_decay_ms=0");
	for (int i = 0; i < 8; i++) {
		pages[i] = alloc_pages(GFP_KERNEL, 10);
		memset(page_address(pages[i]), 1, PAGE_SIZE << 10);
	}
	for (int i = 0; i < 8; i++)
		__free_pages(pages[i], 10);
	KUNIT_EXPECT_GT(test, vm_event_read(SW_PAGES_GIVEN_BACK), 7000UL);
	/* But for the slack. */
	KUNIT_EXPECT_LE(test, global_zone_page_state(NR_FREE_COMMITTED), 2048UL);
	KUNIT_EXPECT_EQ(test, page_alloc_validate(), 0);
}

KUNIT_TEST(memory_stays_while_it_is_young)
{
	machine("page_decay_ms=1000000 page_surplus=1G");
	pages[0] = alloc_pages(GFP_KERNEL, 10);
	pages[1] = alloc_pages(GFP_KERNEL, 10);
	__free_pages(pages[0], 10);
	__free_pages(pages[1], 10);
	KUNIT_EXPECT_EQ(test, vm_event_read(SW_PAGES_GIVEN_BACK), 0UL);
	KUNIT_EXPECT_GE(test, global_zone_page_state(NR_FREE_COMMITTED), 2048UL);
}

KUNIT_TEST(a_surplus_does_not_wait_until_it_is_old)
{
	machine("page_decay_ms=1000000 page_surplus=4M");
	for (int i = 0; i < 8; i++) {
		pages[i] = alloc_pages(GFP_KERNEL, 10);
		memset(page_address(pages[i]), 1, PAGE_SIZE << 10);
	}
	/* Ticks are a few milliseconds apart. */
	for (int i = 0; i < 8; i++) {
		__free_pages(pages[i], 10);
		os_sleep_ns(20000000);
	}
	KUNIT_EXPECT_GT(test, vm_event_read(SW_PAGES_GIVEN_BACK), 5000UL);
	KUNIT_EXPECT_LE(test, global_zone_page_state(NR_FREE_COMMITTED), 2048UL);
	KUNIT_EXPECT_EQ(test, page_alloc_validate(), 0);
}

/* 12 MiB beside 64 that stay come and go: a surplus, and not a rush. */
static void come_and_go(unsigned int before_ms)
{
	for (int i = 0; i < 3; i++)
		pages[i] = alloc_pages(GFP_KERNEL, 10);
	__free_pages(pages[0], 10);
	__free_pages(pages[1], 10);
	os_sleep_ns(before_ms * 1000000UL);
	__free_pages(pages[2], 10); /* this one makes it a surplus */
}

KUNIT_TEST(what_comes_and_goes_is_given_back_less_often)
{
	struct zone *zone = &NODE_DATA(0)->node_zones[ZONE_NORMAL];
	unsigned long given, before;
	uint64_t start = 0;

	machine("page_decay_ms=1000000");
	for (int i = 3; i < 19; i++)
		pages[i] = alloc_pages(GFP_KERNEL, 10);
	come_and_go(20);
	KUNIT_EXPECT_GE(test, vm_event_read(SW_PAGES_GIVEN_BACK), 1024UL);
	KUNIT_EXPECT_EQ(test, atomic_load(&zone->regretted), 0UL);
	for (int i = 0; i < 6; i++)
		come_and_go(80);
	given = vm_event_read(SW_PAGES_GIVEN_BACK);
	KUNIT_EXPECT_GE(test, given, 7 * 1024UL); /* such memory is old enough, each time */
	KUNIT_EXPECT_GE(test, atomic_load(&zone->regretted), given - 2048 - 1024);
	do {
		come_and_go(80);
		before = vm_event_read(SW_PAGES_GIVEN_BACK);
		start = os_now_ns();
		come_and_go(20);
	} while (os_now_ns() - start > 40000000); /* this machine is too busy to say */
	KUNIT_EXPECT_EQ(test, vm_event_read(SW_PAGES_GIVEN_BACK), before);
	KUNIT_EXPECT_EQ(test, page_alloc_validate(), 0);
}

KUNIT_TEST(events_count_pages)
{
	unsigned long allocated, freed;

	machine("mem=8M");
	allocated = vm_event_read(PGALLOC_NORMAL);
	freed = vm_event_read(PGFREE);
	pages[0] = alloc_pages(GFP_KERNEL, 0);
	pages[1] = alloc_pages(GFP_KERNEL, 3);
	pages[2] = alloc_pages(GFP_KERNEL, 6);
	KUNIT_EXPECT_EQ(test, vm_event_read(PGALLOC_NORMAL), allocated + 1 + 8 + 64);
	__free_pages(pages[0], 0);
	__free_pages(pages[1], 3);
	__free_pages(pages[2], 6);
	KUNIT_EXPECT_EQ(test, vm_event_read(PGFREE), freed + 1 + 8 + 64);
}
