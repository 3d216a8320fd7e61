/* SPDX-License-Identifier: MIT */
/* Every file of a machine made of literals, compared whole. */

#include <kunit/test.h>
#include <stdio.h>

#include "fake_machine.h"

static char text[64 << 10];

static ssize_t show(struct kunit *test, struct fake *f, enum sw_format format, const char *file,
		    const char *filter)
{
	ssize_t len = sw_show_view(&f->view, format, text, sizeof(text), file, filter);

	if (len >= 0)
		KUNIT_EXPECT_EQ(test, (size_t)len, strlen(text));
	return len;
}

static void expect_starts(struct kunit *test, const char *start)
{
	char head[512];

	snprintf(head, sizeof(head), "%.*s", (int)strlen(start), text);
	KUNIT_EXPECT_STREQ(test, head, start);
}

#define SLABINFO_HEAD                                                                         \
	"# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : " \
	"tunables <limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> " \
	"<sharedavail>\n"

/* 105 objects, of which 2 are free in a slab and 3 in sheaves. */
static void fill_conn(struct fake *f)
{
	f->cache[0].ctor = (void (*)(void *))0x1234;
	f->cache[0].align = 64;
	f->node[0][0].nr_slabs = 5;
	f->node[0][0].total_objects = 105;
	f->node[0][0].free_objects = 2;
	f->node[0][0].nr_partial = 1;
	f->cache[0].sheaf_capacity = FAKE_CAPACITY;
	fake_slot(f, 1, 0, fake_sheaf(f, 0, 1), 1);
	fake_slot(f, 1, 1, fake_sheaf(f, 1, 0), 0);
	fake_spare(f, 1, 1, fake_sheaf(f, 2, 2));
}

KUNIT_TEST(slabinfo_is_the_kernels_text)
{
	struct fake *f = fake_create();

	fill_conn(f);
	KUNIT_ASSERT_GT(test, show(test, f, SW_TEXT, "slabinfo", NULL), 0);
	KUNIT_EXPECT_STREQ(
		test, text,
		"slabinfo - version: 2.1\n" SLABINFO_HEAD
		"conn                 100    105    192   21    1 : tunables    0    0    0 : slabdata      5      5      0\n"
		"kmalloc-64             0      0     64   64    1 : tunables    0    0    0 : slabdata      0      0      0\n");
}

KUNIT_TEST(slabinfo_of_one_cache_has_no_version_line)
{
	struct fake *f = fake_create();

	fill_conn(f);
	KUNIT_ASSERT_GT(test, show(test, f, SW_TEXT, "slabinfo", "conn"), 0);
	KUNIT_EXPECT_STREQ(
		test, text,
		SLABINFO_HEAD
		"conn                 100    105    192   21    1 : tunables    0    0    0 : slabdata      5      5      0\n");
	KUNIT_EXPECT_EQ(test, show(test, f, SW_TEXT, "slabinfo", "con"), -ENOENT);
	KUNIT_EXPECT_STREQ(test, text, "");
}

KUNIT_TEST(objects_in_slots_spares_barns_and_deferred_sheaves_are_not_live)
{
	struct fake *f = fake_create();
	struct slab_sheaf *full = fake_sheaf(f, 3, FAKE_CAPACITY);

	fill_conn(f);
	full->next = fake_sheaf(f, 4, 10);
	f->node[0][0].barn.full = full;
	f->cache[0].deferred = fake_sheaf(f, 5, 4);
	KUNIT_ASSERT_GT(test, show(test, f, SW_TEXT, "slab/conn/live_objects", NULL), 0);
	KUNIT_EXPECT_STREQ(test, text, "58\n"); /* 105 - 2 - (1 + 0 + 2) - (28 + 10) - 4 */
	KUNIT_ASSERT_GT(test, show(test, f, SW_TEXT, "slab/conn/sheaf_objects", NULL), 0);
	KUNIT_EXPECT_STREQ(test, text, "45 C0=1 C1=2 N0=38\n");
}

KUNIT_TEST(the_null_and_the_drain_sheaf_hold_nothing)
{
	struct fake *f = fake_create();

	fill_conn(f);
	for (unsigned int cid = 0; cid < FAKE_CIDS; cid++) {
		*(void **)(f->slots + ((size_t)cid << SW_PCPU_SHIFT) + 8) = cid ? sheaf_drain :
										  sheaf_null;
		fake_spare(f, 1, cid, cid ? (void *)1 : NULL); /* 1: busy */
	}
	KUNIT_ASSERT_GT(test, show(test, f, SW_TEXT, "slab/conn/live_objects", NULL), 0);
	KUNIT_EXPECT_STREQ(test, text, "103\n");
}

KUNIT_TEST(cache_attributes_have_the_kernels_values_and_forms)
{
	struct fake *f = fake_create();

	fill_conn(f);
	KUNIT_ASSERT_GT(test, show(test, f, SW_TEXT, "slab/conn", NULL), 0);
	KUNIT_EXPECT_STREQ(test, text,
			   "aliases                  0\n"
			   "align                    64\n"
			   "cache_dma                0\n"
			   "cpu_partial              120\n"
			   "cpu_slabs                0\n"
			   "ctor                     conn_init+0x0/0x20\n"
			   "destroy_by_rcu           0\n"
			   "hwcache_align            1\n"
			   "live_objects             100\n"
			   "min_partial              5\n"
			   "object_size              184\n"
			   "objects                  103 N0=103\n"
			   "objects_partial          19 N0=19\n"
			   "objs_per_slab            21\n"
			   "order                    0\n"
			   "partial                  1 N0=1\n"
			   "poison                   0\n"
			   "reclaim_account          0\n"
			   "red_zone                 0\n"
			   "remote_node_defrag_ratio 100\n"
			   "sanity_checks            0\n"
			   "sheaf_capacity           28\n"
			   "sheaf_objects            3 C0=1 C1=2\n"
			   "slab_size                192\n"
			   "slabs                    5 N0=5\n"
			   "slabs_cpu_partial        0(0)\n"
			   "store_user               0\n"
			   "total_objects            105 N0=105\n"
			   "trace                    0\n"
			   "usersize                 0\n");
}

KUNIT_TEST(partial_slabs_are_walked_when_the_list_holds_together)
{
	struct fake *f = fake_create();
	struct page *page = &f->page[9];
	struct list_head *head = &f->node[0][0].partial;

	fill_conn(f);
	page->flags = 1u << PG_slab;
	page->slab_cache = &f->cache[0];
	page->inuse = 11; /* a slab of the smaller order: the guess would be 19 */
	page->lru.next = page->lru.prev = head;
	head->next = head->prev = &page->lru;
	KUNIT_ASSERT_GT(test, show(test, f, SW_TEXT, "slab/conn/objects_partial", NULL), 0);
	KUNIT_EXPECT_STREQ(test, text, "11 N0=11\n");
	page->lru.next = &page->lru; /* a loop */
	KUNIT_ASSERT_GT(test, show(test, f, SW_TEXT, "slab/conn/objects_partial", NULL), 0);
	KUNIT_EXPECT_STREQ(test, text, "19 N0=19\n");
}

KUNIT_TEST(control_files_read_as_nothing_and_unknown_ones_are_not_there)
{
	struct fake *f = fake_create();

	KUNIT_EXPECT_EQ(test, show(test, f, SW_TEXT, "slab/conn/shrink", NULL), 0);
	KUNIT_EXPECT_EQ(test, show(test, f, SW_TEXT, "slab/conn/validate", NULL), 0);
	KUNIT_EXPECT_EQ(test, show(test, f, SW_TEXT, "slab/conn/ctor", NULL), 0);
	KUNIT_EXPECT_EQ(test, show(test, f, SW_TEXT, "slab/conn/colour", NULL), -ENOENT);
	KUNIT_EXPECT_EQ(test, show(test, f, SW_TEXT, "slab/nobody", NULL), -ENOENT);
	KUNIT_EXPECT_EQ(test, show(test, f, SW_TEXT, "slabinfo/conn", NULL), -ENOENT);
	KUNIT_EXPECT_EQ(test, show(test, f, SW_TEXT, "slabs", NULL), -ENOENT);
	KUNIT_EXPECT_EQ(test, show(test, f, SW_TEXT, "", NULL), -ENOENT);
}

KUNIT_TEST(slab_lists_the_caches)
{
	struct fake *f = fake_create();

	KUNIT_ASSERT_GT(test, show(test, f, SW_TEXT, "slab", NULL), 0);
	KUNIT_EXPECT_STREQ(test, text, "conn\nkmalloc-64\n");
}

KUNIT_TEST(buddyinfo_is_the_kernels_text)
{
	struct fake *f = fake_create();

	KUNIT_ASSERT_GT(test, show(test, f, SW_TEXT, "buddyinfo", NULL), 0);
	KUNIT_EXPECT_STREQ(
		test, text,
		"Node 0, zone   Normal     11     10      9      8      7      6      5      4      3      2      1 \n");
	KUNIT_EXPECT_EQ(test, show(test, f, SW_TEXT, "buddyinfo", "DMA32"), -ENOENT);
}

KUNIT_TEST(pagetypeinfo_is_the_kernels_text)
{
	struct fake *f = fake_create();

	f->pgdat[0].node_zones[ZONE_NORMAL].spanned_pages = 1; /* one section */
	KUNIT_ASSERT_GT(test, show(test, f, SW_TEXT, "pagetypeinfo", NULL), 0);
	KUNIT_EXPECT_STREQ(
		test, text,
		"Page block order: 9\n"
		"Pages per block:  512\n"
		"\n"
		"Free pages count per migrate type at order       0      1      2      3      4      5      6      7      8      9     10 \n"
		"Node    0, zone   Normal, type    Unmovable      1      1      1      1      1      1      1      1      1      1      1 \n"
		"Node    0, zone   Normal, type      Movable     10      9      8      7      6      5      4      3      2      1      0 \n"
		"Node    0, zone   Normal, type  Reclaimable      0      0      0      0      0      0      0      0      0      0      0 \n"
		"Node    0, zone   Normal, type   HighAtomic      0      0      0      0      0      0      0      0      0      0      0 \n"
		"Node    0, zone   Normal, type      Isolate      0      0      0      0      0      0      0      0      0      0      0 \n"
		"\n"
		"Number of blocks type     Unmovable      Movable  Reclaimable   HighAtomic      Isolate \n"
		"Node 0, zone   Normal            1            1            0            0            0 \n");
}

KUNIT_TEST(zoneinfo_of_a_zone_is_the_kernels_text)
{
	struct fake *f = fake_create();
	struct zone *z = &f->pgdat[0].node_zones[ZONE_NORMAL];
	char *rest;

	z->zone_start_pfn = 4096;
	f->pgdat[0].vm_stat[NR_SLAB_UNRECLAIMABLE_B] = 77;
	KUNIT_ASSERT_GT(test, show(test, f, SW_TEXT, "zoneinfo", "Normal"), 0);
	expect_starts(test, "Node 0, zone   Normal\n"
			    "  per-node stats\n"
			    "      nr_inactive_anon 0\n");
	KUNIT_EXPECT_TRUE(test, strstr(text, "\n      nr_slab_unreclaimable 77\n") != NULL);
	rest = strstr(text, "  pages free");
	KUNIT_ASSERT_TRUE(test, rest != NULL);
	KUNIT_EXPECT_STREQ(test, rest,
			   "  pages free     700\n"
			   "        boost    0\n"
			   "        min      32\n"
			   "        low      40\n"
			   "        high     48\n"
			   "        promo    56\n"
			   "        spanned  1024\n"
			   "        present  1024\n"
			   "        managed  1000\n"
			   "        cma      0\n"
			   "        protection: (0, 0, 0, 0)\n"
			   "      nr_free_pages 700\n"
			   "      nr_free_pages_blocks 2048\n"
			   "      nr_zone_inactive_anon 0\n"
			   "      nr_zone_active_anon 0\n"
			   "      nr_zone_inactive_file 0\n"
			   "      nr_zone_active_file 0\n"
			   "      nr_zone_unevictable 0\n"
			   "      nr_zone_write_pending 0\n"
			   "      nr_mlock     0\n"
			   "      nr_zspages   0\n"
			   "      nr_free_cma  0\n"
			   "      numa_hit     2005\n"
			   "      numa_miss    0\n"
			   "      numa_foreign 0\n"
			   "      numa_interleave 0\n"
			   "      numa_local   2005\n"
			   "      numa_other   0\n"
			   "  pagesets\n"
			   "    cpu: 0\n"
			   "              count:    0\n"
			   "              high:     30\n"
			   "              batch:    15\n"
			   "              high_min: 30\n"
			   "              high_max: 30\n"
			   "  vm stats threshold: 0\n"
			   "    cpu: 1\n"
			   "              count:    7\n"
			   "              high:     30\n"
			   "              batch:    15\n"
			   "              high_min: 30\n"
			   "              high_max: 30\n"
			   "  vm stats threshold: 0\n"
			   "  node_unreclaimable:  0\n"
			   "  start_pfn:           4096\n");
}

KUNIT_TEST(a_zone_without_memory_ends_after_its_protection)
{
	struct fake *f = fake_create();

	f->pgdat[0].node_zones[ZONE_DMA].lowmem_reserve[ZONE_NORMAL] = 9;
	KUNIT_ASSERT_GT(test, show(test, f, SW_TEXT, "zoneinfo", "DMA"), 0);
	KUNIT_EXPECT_STREQ(test, text,
			   "Node 0, zone      DMA\n"
			   "  pages free     0\n"
			   "        boost    0\n"
			   "        min      0\n"
			   "        low      0\n"
			   "        high     0\n"
			   "        promo    0\n"
			   "        spanned  0\n"
			   "        present  0\n"
			   "        managed  0\n"
			   "        cma      0\n"
			   "        protection: (0, 0, 9, 0)\n");
}

KUNIT_TEST(meminfo_lines_add_up)
{
	struct fake *f = fake_create();

	f->pgdat[0].vm_stat[NR_SLAB_RECLAIMABLE_B] = 10;
	f->pgdat[0].vm_stat[NR_SLAB_UNRECLAIMABLE_B] = 20;
	KUNIT_ASSERT_GT(test, show(test, f, SW_TEXT, "meminfo", NULL), 0);
	expect_starts(test, "MemTotal:           4000 kB\n"
			    "MemFree:            2800 kB\n"
			    /* 700 free + 7 on page lists - 48 reserve + 10 - 5 */
			    "MemAvailable:       2656 kB\n"
			    "Buffers:               0 kB\n");
	KUNIT_EXPECT_TRUE(test, strstr(text, "KReclaimable:         40 kB\n"
					     "Slab:                120 kB\n"
					     "SReclaimable:         40 kB\n"
					     "SUnreclaim:           80 kB\n") != NULL);
	KUNIT_EXPECT_TRUE(test, strstr(text, "VmallocTotal:    4194304 kB\n") != NULL);
	KUNIT_EXPECT_TRUE(test, strstr(text, "HugePages_Total:       0\n") != NULL);
	KUNIT_ASSERT_GT(test, show(test, f, SW_TEXT, "meminfo", "Slab"), 0);
	KUNIT_EXPECT_STREQ(test, text, "Slab:                120 kB\n");
}

KUNIT_TEST(vmstat_sums_page_lists_and_zones)
{
	struct fake *f = fake_create();

	f->nr_nodes = 2;
	fake_add_zone(f, 1, ZONE_NORMAL, 512);
	f->events[SLABS_SCANNED] = 3;
	KUNIT_ASSERT_GT(test, show(test, f, SW_TEXT, "vmstat", "pgalloc_normal"), 0);
	KUNIT_EXPECT_STREQ(test, text, "pgalloc_normal 4010\n");
	KUNIT_ASSERT_GT(test, show(test, f, SW_TEXT, "vmstat", "pgfree"), 0);
	KUNIT_EXPECT_STREQ(test, text, "pgfree 3606\n");
	KUNIT_ASSERT_GT(test, show(test, f, SW_TEXT, "vmstat", "nr_free_pages"), 0);
	KUNIT_EXPECT_STREQ(test, text, "nr_free_pages 888\n");
	KUNIT_ASSERT_GT(test, show(test, f, SW_TEXT, "vmstat", "slabs_scanned"), 0);
	KUNIT_EXPECT_STREQ(test, text, "slabs_scanned 3\n");
}

static void fill_areas(struct fake *f)
{
	uintptr_t at = 0x7e0000000000;
	const enum vmap_state state[] = { VA_BUSY, VA_GUARD, VA_LAZY, VA_FREE };
	const size_t pages[] = { 4, 1, 2, 100 };

	for (int i = 0; i < 4; i++) {
		f->va[i].start = at;
		f->va[i].end = at += pages[i] * PAGE_SIZE;
		f->va[i].state = state[i];
		f->va[i].next = i < 3 ? &f->va[i + 1] : NULL;
	}
	f->va[0].vm.flags = VM_ALLOC;
	f->va[0].vm.nr_pages = 4;
	f->va[0].vm.caller = (void *)0x1234;
	f->first[1] = &f->va[0];
}

KUNIT_TEST(vmallocinfo_is_the_kernels_text)
{
	struct fake *f = fake_create();

	fill_areas(f);
	KUNIT_ASSERT_GT(test, show(test, f, SW_TEXT, "vmallocinfo", NULL), 0);
	KUNIT_EXPECT_STREQ(
		test, text,
		"0x00007e0000000000-0x00007e0000005000   20480 conn_init+0x0/0x20 pages=4 vmalloc N0=4\n"
		"0x00007e0000005000-0x00007e0000007000    8192 unpurged vm_area\n");
	KUNIT_ASSERT_GT(test, show(test, f, SW_TEXT, "vmallocinfo", "conn_init"), 0);
	KUNIT_EXPECT_STREQ(
		test, text,
		"0x00007e0000000000-0x00007e0000005000   20480 conn_init+0x0/0x20 pages=4 vmalloc N0=4\n");
}

KUNIT_TEST(json_of_slabinfo_is_whole)
{
	struct fake *f = fake_create();

	fill_conn(f);
	KUNIT_ASSERT_GT(test, show(test, f, SW_JSON, "slabinfo", "conn"), 0);
	KUNIT_EXPECT_STREQ(
		test, text,
		"{\n \"version\": \"2.1\",\n \"caches\": [\n"
		"  { \"name\": \"conn\", \"active_objs\": 100, \"num_objs\": 105, \"objsize\": 192, "
		"\"objperslab\": 21, \"pagesperslab\": 1, \"active_slabs\": 5, \"num_slabs\": 5, "
		"\"object_size\": 184, \"sheaf_objs\": 3 }\n ]\n}\n");
}

/* ---- what is torn, wrong or too long ----------------------------------------------- */

KUNIT_TEST(a_torn_read_is_tried_again)
{
	struct fake *f = fake_create();

	f->fail_reads = 3;
	KUNIT_EXPECT_GT(test, show(test, f, SW_TEXT, "slab", NULL), 0);
	KUNIT_EXPECT_STREQ(test, text, "conn\nkmalloc-64\n");
	f->fail_reads = 1000;
	KUNIT_EXPECT_EQ(test, show(test, f, SW_TEXT, "slab", NULL), -EAGAIN);
}

KUNIT_TEST(a_loop_in_the_list_of_caches_ends)
{
	struct fake *f = fake_create();

	f->cache[1].list.next = &f->cache[0].list;
	KUNIT_EXPECT_EQ(test, show(test, f, SW_TEXT, "slab", NULL), -EAGAIN);
}

KUNIT_TEST(a_loop_in_the_chain_of_areas_ends)
{
	struct fake *f = fake_create();

	fill_areas(f);
	f->va[3].next = &f->va[0];
	KUNIT_EXPECT_EQ(test, show(test, f, SW_TEXT, "vmallocinfo", NULL), -EAGAIN);
}

KUNIT_TEST(a_wild_pointer_is_the_views_error)
{
	struct fake *f = fake_create();

	f->caches.next = (void *)0x5000;
	KUNIT_EXPECT_EQ(test, show(test, f, SW_TEXT, "slab", NULL), -EFAULT);
}

KUNIT_TEST(a_machine_that_has_not_booted_says_try_again)
{
	struct fake *f = fake_create();

	f->state = DOWN;
	KUNIT_EXPECT_EQ(test, show(test, f, SW_TEXT, "slab", NULL), -EAGAIN);
}

KUNIT_TEST(another_build_is_refused_and_named)
{
	struct fake *f = fake_create();
	char version[16];

	KUNIT_EXPECT_EQ(test, sw_view_version(&f->view, version), 0);
	KUNIT_EXPECT_STREQ(test, version, sw_machine_root.version);
	f->root.layout++;
	KUNIT_EXPECT_EQ(test, show(test, f, SW_TEXT, "slab", NULL), -EPROTO);
	memcpy(f->root.version, "9.9", 4);
	KUNIT_EXPECT_EQ(test, sw_view_version(&f->view, version), -EPROTO);
	KUNIT_EXPECT_STREQ(test, version, "9.9");
	f->root.magic[0] = 'S';
	KUNIT_EXPECT_EQ(test, sw_view_version(&f->view, version), -ENOEXEC);
}

KUNIT_TEST(a_short_buffer_is_cut_off_and_the_length_told)
{
	struct fake *f = fake_create();
	char small[8];

	KUNIT_EXPECT_EQ(test, sw_show_view(&f->view, SW_TEXT, small, sizeof(small), "slab", NULL),
			16);
	KUNIT_EXPECT_STREQ(test, small, "conn\nkm");
	KUNIT_EXPECT_EQ(test, sw_show_view(&f->view, SW_TEXT, NULL, 0, "slab", NULL), 16);
}
