/* SPDX-License-Identifier: MIT */
/*
 * test_page_alloc.c - whole pages: blocks, compound pages, references, exact and bulk forms
 *
 * A case chooses its machine before its first call (each case is a process of its own).
 */

#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>

#include <kunit/test.h>
#include <slabwork/general.h>
#include <slabwork/mm.h>

#include "kernel/printk.h"
#include "mm/page_alloc.h"

static char said[16384];
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
}

/* Free pages wherever they are, but for the atomic reserve. */
static unsigned long all_free(void)
{
	mm_boot();
	pcp_drain_all();
	return nr_free_pages();
}

KUNIT_TEST(blocks_are_aligned_to_their_size)
{
	for (unsigned int order = 0; order <= MAX_PAGE_ORDER; order++) {
		struct page *page = alloc_pages(GFP_KERNEL, order);

		KUNIT_ASSERT_NOT_NULL(test, page);
		KUNIT_EXPECT_EQ(test, page_to_pfn(page) & ((1UL << order) - 1), 0UL);
		memset(page_address(page), 0x5a, PAGE_SIZE << order);
		__free_pages(page, order);
	}
	KUNIT_EXPECT_EQ(test, page_alloc_validate(), 0);
}

KUNIT_TEST(what_is_freed_comes_back_to_the_last_page)
{
	unsigned long before;

	machine("mem=8M");
	before = all_free();
	for (unsigned int order = 0; order <= 9; order++) {
		struct page *page = alloc_pages(GFP_KERNEL, order);

		KUNIT_ASSERT_NOT_NULL(test, page);
		KUNIT_EXPECT_EQ(test, all_free(), before - (1UL << order));
		__free_pages(page, order);
		KUNIT_EXPECT_EQ(test, all_free(), before);
	}
	KUNIT_EXPECT_EQ(test, page_alloc_validate(), 0);
}

/* A smaller free block that nobody touched would add to what is resident. */
KUNIT_TEST(memory_that_is_resident_goes_out_before_untouched_memory)
{
	struct page *warm, *buddy, *splits, *page;
	unsigned long first;

	machine("mem=16M page_decay_ms=1000000 page_surplus=1G");
	warm = alloc_pages(GFP_KERNEL, 9);
	buddy = alloc_pages(GFP_KERNEL, 9);
	splits = alloc_pages(GFP_KERNEL, 4); /* leaves untouched halves of 64 KiB and more */
	KUNIT_ASSERT_TRUE(test, warm && buddy && splits);
	first = page_to_pfn(warm);
	__free_pages(warm, 9);
	pcp_drain_all();
	page = alloc_pages(GFP_KERNEL, 4);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_LT(test, page_to_pfn(page) - first, 1UL << 9);
	__free_pages(page, 4);
	__free_pages(splits, 4);
	__free_pages(buddy, 9);
	KUNIT_EXPECT_EQ(test, page_alloc_validate(), 0);
}

KUNIT_TEST(an_order_above_the_largest_is_null_with_a_warning)
{
	machine("mem=8M");
	all_free();
	KUNIT_EXPECT_NULL(test, alloc_pages(GFP_KERNEL | __GFP_NOWARN, MAX_PAGE_ORDER + 1));
	KUNIT_EXPECT_EQ(test, said_len, 0UL);
	KUNIT_EXPECT_NULL(test, alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER + 1));
	KUNIT_EXPECT_NOT_NULL(test, strstr(said, "WARNING: "));
}

KUNIT_TEST(a_zeroed_page_is_zero_after_a_dirty_one)
{
	machine("mem=8M");
	for (int i = 0; i < 64; i++) {
		uintptr_t addr = __get_free_pages(GFP_KERNEL, (unsigned int)i % 4);

		KUNIT_ASSERT_NE(test, addr, 0UL);
		memset((void *)addr, 0xff, PAGE_SIZE << i % 4);
		free_pages(addr, (unsigned int)i % 4);
	}
	for (int i = 0; i < 64; i++) {
		unsigned int order = (unsigned int)i % 4;
		char *addr = (char *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, order);

		KUNIT_ASSERT_NOT_NULL(test, addr);
		for (size_t b = 0; b < PAGE_SIZE << order; b++)
			KUNIT_ASSERT_EQ(test, addr[b], 0);
	}
}

KUNIT_TEST(a_page_never_used_is_known_to_be_zero_and_a_used_one_is_not)
{
	bool zero = false;
	struct page *page;

	machine("mem=8M page_surplus=4M");
	page = __alloc_pages_zeroed_hint(GFP_KERNEL, 9, NUMA_NO_NODE, &zero);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_TRUE(test, zero);
	for (size_t b = 0; b < PAGE_SIZE << 9; b++)
		KUNIT_ASSERT_EQ(test, ((char *)page_address(page))[b], 0);
	__free_pages(page, 9);
	page = __alloc_pages_zeroed_hint(GFP_KERNEL, 9, NUMA_NO_NODE, &zero);
	KUNIT_EXPECT_FALSE(test, zero);
	__free_pages(page, 9);
	page_alloc_trim(0);
	page = __alloc_pages_zeroed_hint(GFP_KERNEL, 9, NUMA_NO_NODE, &zero);
	KUNIT_EXPECT_TRUE(test, zero);
	__free_pages(page, 9);
	page = __alloc_pages_zeroed_hint(GFP_KERNEL | __GFP_ZERO, 9, NUMA_NO_NODE, &zero);
	KUNIT_EXPECT_TRUE(test, zero);
}

KUNIT_TEST(tails_of_a_compound_page_point_at_their_head)
{
	for (unsigned int order = 1; order <= MAX_PAGE_ORDER; order++)
		/* Twice: the second comes from a page list where there is one. */
		for (int again = 0; again < 2; again++) {
			struct page *page = alloc_pages(GFP_KERNEL | __GFP_COMP, order);

			KUNIT_ASSERT_NOT_NULL(test, page);
			KUNIT_EXPECT_TRUE(test, PageHead(page) && !PageTail(page));
			KUNIT_EXPECT_EQ(test, compound_order(page), order);
			KUNIT_EXPECT_EQ(test, page_ref_count(page + 1), 1);
			for (size_t i = 1; i < 1UL << order; i++) {
				void *addr = (char *)page_address(page) + i * PAGE_SIZE + 17;

				KUNIT_ASSERT_TRUE(test, PageTail(page + i));
				KUNIT_ASSERT_PTR_EQ(test, virt_to_head_page(addr), page);
			}
			__free_pages(page, order);
		}
}

KUNIT_TEST(a_plain_block_after_a_compound_one_has_no_tails)
{
	machine("mem=8M");
	for (unsigned int order = 1; order <= 9; order++) {
		struct page *page = alloc_pages(GFP_KERNEL | __GFP_COMP, order);
		struct page *plain;

		__free_pages(page, order);
		plain = alloc_pages(GFP_KERNEL, order);
		KUNIT_ASSERT_PTR_EQ(test, plain, page); /* else this case proves nothing */
		for (size_t i = 0; i < 1UL << order; i++)
			KUNIT_ASSERT_FALSE(test, PageCompound(plain + i));
		split_page(plain, order);
		for (size_t i = 0; i < 1UL << order; i++)
			__free_page(plain + i);
	}
	KUNIT_EXPECT_EQ(test, page_alloc_validate(), 0);
}

KUNIT_TEST(who_will_not_look_at_tails_gets_no_wrong_ones)
{
	machine("mem=8M");
	for (unsigned int order = 1; order <= 9; order++) {
		struct page *page = alloc_pages(GFP_KERNEL | __GFP_COMP, order), *plain;
		bool zero;

		__free_pages(page, order);
		plain = alloc_plain_pages(GFP_KERNEL, order, NUMA_NO_NODE, &zero);
		KUNIT_ASSERT_PTR_EQ(test, plain, page); /* else this case proves nothing */
		for (size_t i = 0; i < 1UL << order; i++) {
			KUNIT_ASSERT_FALSE(test, PageCompound(plain + i));
			KUNIT_ASSERT_EQ(test, page_zonenum(plain + i), ZONE_NORMAL);
		}
		atomic_store(&plain->_refcount, 0);
		free_plain_pages(plain, order, page_place(plain));
	}
	KUNIT_EXPECT_EQ(test, page_alloc_validate(), 0);
}

KUNIT_TEST(a_new_block_of_malloc_leaves_its_memmap_untouched)
{
	const unsigned long nr = 100;
	struct page *page;
	void *block;

	machine("mem=64M");
	block = sw_block_alloc(nr << PAGE_SHIFT, PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, block);
	page = virt_to_page(block);
	for (unsigned long i = 1; i < nr; i++) {
		KUNIT_ASSERT_EQ(test, atomic_load(&page[i].flags), 0u);
		KUNIT_ASSERT_EQ(test, page_zonenum(page + i), ZONE_NORMAL);
	}
	KUNIT_EXPECT_TRUE(test, sw_try_free(block));
	KUNIT_EXPECT_EQ(test, page_alloc_validate(), 0);
}

/* As the page cache's look-up does, which may find a page that was a file's a moment ago. */
KUNIT_TEST(a_block_that_somebody_looks_at_while_it_is_freed_goes_with_his_reference)
{
	unsigned long before;
	struct page *page;
	void *block;

	machine("mem=64M");
	before = all_free();
	block = sw_block_alloc(40 << PAGE_SHIFT, PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, block);
	page = virt_to_page(block);
	get_page(page);
	KUNIT_EXPECT_TRUE(test, sw_try_free(block));
	KUNIT_EXPECT_FALSE(test, sw_try_free(block));
	KUNIT_EXPECT_EQ(test, page_ref_count(page), 1);
	KUNIT_EXPECT_EQ(test, before - all_free(), 1UL);
	put_page(page);
	KUNIT_EXPECT_EQ(test, all_free(), before);
	KUNIT_EXPECT_EQ(test, page_alloc_validate(), 0);
}

KUNIT_TEST(the_last_put_page_frees_a_compound_page_even_through_a_tail)
{
	unsigned long before;
	struct page *page;

	machine("mem=8M");
	before = all_free();
	page = alloc_pages(GFP_KERNEL | __GFP_COMP, 3);
	get_page(page + 5);
	KUNIT_EXPECT_EQ(test, page_ref_count(page), 2);
	__free_pages(page, 3);
	KUNIT_EXPECT_EQ(test, all_free(), before - 8);
	put_page(page + 7);
	KUNIT_EXPECT_EQ(test, all_free(), before);
}

KUNIT_TEST(a_block_that_somebody_holds_frees_its_other_pages_at_once)
{
	unsigned long before;
	struct page *page;

	machine("mem=8M");
	before = all_free();
	page = alloc_pages(GFP_KERNEL, 3);
	get_page(page);
	__free_pages(page, 3);
	KUNIT_EXPECT_EQ(test, all_free(), before - 1);
	KUNIT_EXPECT_EQ(test, page_ref_count(page), 1);
	put_page(page);
	KUNIT_EXPECT_EQ(test, all_free(), before);
	KUNIT_EXPECT_EQ(test, page_alloc_validate(), 0);
}

KUNIT_TEST(exact_pages_give_back_what_is_past_the_size)
{
	unsigned long before;
	char *p;

	machine("mem=8M");
	before = all_free();
	p = alloc_pages_exact(5 * PAGE_SIZE - 100, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	memset(p, 1, 5 * PAGE_SIZE - 100);
	KUNIT_EXPECT_EQ(test, all_free(), before - 5);
	free_pages_exact(p, 5 * PAGE_SIZE - 100);
	KUNIT_EXPECT_EQ(test, all_free(), before);
	p = alloc_pages_exact(4 * PAGE_SIZE, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, all_free(), before - 4);
	free_pages_exact(p, 4 * PAGE_SIZE);
	KUNIT_EXPECT_NULL(test, alloc_pages_exact((PAGE_SIZE << MAX_PAGE_ORDER) + 1, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, said_len, 0UL);
	p = alloc_pages_exact(3 * PAGE_SIZE, GFP_KERNEL | __GFP_COMP);
	KUNIT_EXPECT_NOT_NULL(test, strstr(said, "WARNING: "));
	KUNIT_EXPECT_FALSE(test, PageCompound(virt_to_page(p)));
	free_pages_exact(p, 3 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, all_free(), before);
}

KUNIT_TEST(bulk_fills_the_empty_slots_only)
{
	struct page *slots[8] = { NULL };
	struct page *mine = alloc_page(GFP_KERNEL);

	slots[2] = mine;
	KUNIT_EXPECT_EQ(test, alloc_pages_bulk(GFP_KERNEL, 8, slots), 8UL);
	KUNIT_EXPECT_PTR_EQ(test, slots[2], mine);
	for (int i = 0; i < 8; i++) {
		KUNIT_ASSERT_NOT_NULL(test, slots[i]);
		for (int j = 0; j < i; j++)
			KUNIT_EXPECT_PTR_NE(test, slots[i], slots[j]);
	}
	KUNIT_EXPECT_EQ(test, alloc_pages_bulk(GFP_KERNEL, 8, slots), 8UL); /* nothing to do */
	for (int i = 0; i < 8; i++)
		__free_page(slots[i]);
	KUNIT_EXPECT_EQ(test, alloc_pages_bulk(GFP_KERNEL, 0, slots), 0UL);
}

KUNIT_TEST(bulk_may_be_short_and_the_list_form_links_pages)
{
	static struct page *slots[4096];
	struct list_head list;
	unsigned long got, n = 0;

	machine("mem=4M");
	got = alloc_pages_bulk(GFP_KERNEL, 4096, slots);
	KUNIT_EXPECT_GT(test, got, 700UL);
	KUNIT_EXPECT_LT(test, got, 1024UL);
	KUNIT_EXPECT_NULL(test, slots[got]);
	KUNIT_EXPECT_EQ(test, said_len, 0UL); /* short is no failure */
	for (unsigned long i = 0; i < got; i++)
		__free_page(slots[i]);
	page_list_init(&list);
	KUNIT_EXPECT_EQ(test, alloc_pages_bulk_list(GFP_KERNEL, 10, &list), 10UL);
	for (struct list_head *l = list.next; l != &list; l = l->next)
		n++;
	KUNIT_EXPECT_EQ(test, n, 10UL);
}

KUNIT_TEST(addresses_frames_and_pages_lead_to_each_other)
{
	struct page *page = alloc_page(GFP_KERNEL);
	char *addr = page_address(page);
	int on_stack;

	KUNIT_EXPECT_PTR_EQ(test, virt_to_page(addr), page);
	KUNIT_EXPECT_PTR_EQ(test, virt_to_page(addr + PAGE_SIZE - 1), page);
	KUNIT_EXPECT_PTR_EQ(test, pfn_to_page(page_to_pfn(page)), page);
	KUNIT_EXPECT_EQ(test, page_to_pfn(page), (uintptr_t)addr >> PAGE_SHIFT);
	KUNIT_EXPECT_PTR_EQ(test, phys_to_virt(virt_to_phys(addr)), addr);
	KUNIT_EXPECT_TRUE(test, pfn_valid(page_to_pfn(page)) && virt_addr_valid(addr));
	KUNIT_EXPECT_FALSE(test, virt_addr_valid(&on_stack));
	KUNIT_EXPECT_FALSE(test, virt_addr_valid(NULL));
	KUNIT_EXPECT_FALSE(test, virt_addr_valid((void *)-1));
	KUNIT_EXPECT_FALSE(test, pfn_valid(0));
	KUNIT_EXPECT_FALSE(test, pfn_valid(~0UL));
	KUNIT_EXPECT_FALSE(test, pfn_valid(1UL << 52 | page_to_pfn(page)));
}

KUNIT_TEST(get_order_is_the_smallest_that_holds_the_size)
{
	KUNIT_EXPECT_EQ(test, get_order(1), 0u);
	KUNIT_EXPECT_EQ(test, get_order(PAGE_SIZE), 0u);
	KUNIT_EXPECT_EQ(test, get_order(PAGE_SIZE + 1), 1u);
	KUNIT_EXPECT_EQ(test, get_order(2 * PAGE_SIZE), 1u);
	KUNIT_EXPECT_EQ(test, get_order(2 * PAGE_SIZE + 1), 2u);
	KUNIT_EXPECT_EQ(test, get_order(PAGE_SIZE << 10), 10u);
}

KUNIT_TEST(a_folio_is_a_compound_page_with_a_size)
{
	struct folio *folio = folio_alloc(GFP_KERNEL, 2);

	KUNIT_ASSERT_NOT_NULL(test, folio);
	KUNIT_EXPECT_EQ(test, folio_size(folio), 4 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, folio_order(folio), 2u);
	KUNIT_EXPECT_PTR_EQ(test, page_folio(folio_page(folio, 3)), folio);
	folio_get(folio);
	folio_put(folio);
	KUNIT_EXPECT_EQ(test, page_ref_count((struct page *)folio), 1);
	folio_put(folio);
	folio = folio_alloc(GFP_KERNEL, 0);
	KUNIT_EXPECT_EQ(test, folio_size(folio), PAGE_SIZE);
	folio_put(folio);
}

KUNIT_TEST(gfp_flags_name_zone_and_mobility)
{
	static const struct {
		gfp_t gfp;
		int zone;
	} rows[] = {
		{ GFP_KERNEL, ZONE_NORMAL },
		{ GFP_KERNEL | __GFP_DMA, ZONE_DMA },
		{ GFP_KERNEL | __GFP_DMA32, ZONE_DMA32 },
		{ GFP_HIGHUSER, ZONE_NORMAL },
		{ GFP_HIGHUSER_MOVABLE, ZONE_MOVABLE },
		{ GFP_KERNEL | __GFP_MOVABLE, ZONE_NORMAL },
		{ GFP_KERNEL | __GFP_MOVABLE | __GFP_DMA32, ZONE_DMA32 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		KUNIT_EXPECT_EQ(test, (int)gfp_zone(rows[i].gfp), rows[i].zone);
	KUNIT_EXPECT_EQ(test, (int)gfp_migratetype(GFP_KERNEL), MIGRATE_UNMOVABLE);
	KUNIT_EXPECT_EQ(test, (int)gfp_migratetype(__GFP_MOVABLE), MIGRATE_MOVABLE);
	KUNIT_EXPECT_EQ(test, (int)gfp_migratetype(__GFP_RECLAIMABLE), MIGRATE_RECLAIMABLE);
}

KUNIT_TEST(si_meminfo_counts_the_machine)
{
	struct sysinfo info;

	machine("mem=8M");
	si_meminfo(&info);
	KUNIT_EXPECT_EQ(test, info.totalram, 2048UL);
	KUNIT_EXPECT_EQ(test, info.freeram, nr_free_pages());
	KUNIT_EXPECT_EQ(test, info.mem_unit, 4096u);
	KUNIT_EXPECT_GT(test, nr_free_buffer_pages(), 1500UL);
	KUNIT_EXPECT_LT(test, nr_free_buffer_pages(), 2048UL);
}

KUNIT_TEST(nolock_allocates_and_frees)
{
	struct page *page;

	machine("mem=8M");
	page = alloc_pages_nolock(__GFP_ZERO, NUMA_NO_NODE, 0);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_EQ(test, page_ref_count(page), 1);
	free_pages_nolock(page, 0);
	KUNIT_EXPECT_EQ(test, page_alloc_validate(), 0);
}

KUNIT_TEST(a_failure_is_reported_once_in_the_kernels_words)
{
	unsigned long pages = 0;
	const char *line;

	machine("mem=4M");
	while (alloc_page(GFP_NOWAIT | __GFP_NOWARN))
		pages++;
	KUNIT_EXPECT_GT(test, pages, 700UL);
	KUNIT_EXPECT_EQ(test, said_len, 0UL);
	KUNIT_EXPECT_NULL(test, alloc_pages(GFP_NOWAIT, 3));
	line = strstr(said, ": page allocation failure: order:3, mode:0x800(GFP_NOWAIT), "
			    "nodemask=(null)\n");
	KUNIT_EXPECT_NOT_NULL(test, line);
	KUNIT_EXPECT_NOT_NULL(test, strstr(said, "Mem-Info:\n"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(said, "Node 0 Normal free:"));
	said_len = 0;
	KUNIT_EXPECT_NULL(test, alloc_pages(GFP_NOWAIT, 3));
	KUNIT_EXPECT_EQ(test, said_len, 0UL); /* one in 10 s */
}

KUNIT_TEST(dump_page_says_why)
{
	struct page *page;

	machine("mem=4M");
	page = alloc_pages(GFP_KERNEL | __GFP_COMP, 1);
	dump_page(page + 1, "the test asks");
	KUNIT_EXPECT_EQ(test, strncmp(said, "page: refcount:0 mapcount:0 mapping:", 36), 0);
	KUNIT_EXPECT_NOT_NULL(test, strstr(said, "head: order:1 "));
	KUNIT_EXPECT_NOT_NULL(test, strstr(said, "(tail|node=0|zone=2)\n"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(said, "page dumped because: the test asks\n"));
}

/* --- misuse ends in a named report and SIGABRT ---------------------------------------- */

#define DIES(name, starts) \
	KUNIT_TEST(name, .signal = SIGABRT, .first_line_starts = "slabwork: page_alloc: " starts)

DIES(a_double_free_is_named, "double free: pfn:")
{
	struct page *page = alloc_page(GFP_KERNEL);

	__free_page(page);
	__free_page(page);
	KUNIT_SUCCEED(test);
}

DIES(a_double_free_of_a_large_block_is_named, "double free: pfn:")
{
	struct page *page = alloc_pages(GFP_KERNEL, 6);

	__free_pages(page, 6);
	__free_pages(page, 6);
	KUNIT_SUCCEED(test);
}

DIES(a_free_of_a_foreign_address_is_named, "free of what is no page, address ")
{
	static char mine[2 * PAGE_SIZE];

	mm_boot();
	free_pages(((uintptr_t)mine + PAGE_SIZE) & PAGE_MASK, 0);
	KUNIT_SUCCEED(test);
}

DIES(a_free_of_an_unaligned_address_is_named, "free of what is no page, address ")
{
	free_pages(__get_free_page(GFP_KERNEL) + 8, 0);
	KUNIT_SUCCEED(test);
}

DIES(a_free_of_what_is_no_struct_page_is_named, "free of what is no page: ")
{
	long not_a_page[8] = { 0 };

	mm_boot();
	__free_page((struct page *)not_a_page);
	KUNIT_SUCCEED(test);
}

DIES(a_free_through_a_tail_is_named, "free of a tail page: pfn:")
{
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_COMP, 2);

	__free_page(page + 1);
	KUNIT_SUCCEED(test);
}

DIES(a_compound_free_with_another_order_is_named, "free with a wrong order: pfn:")
{
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_COMP, 2);

	__free_pages(page, 1);
	KUNIT_SUCCEED(test);
}

DIES(a_reference_to_a_free_page_is_named, "reference to a free page: pfn:")
{
	struct page *page = alloc_page(GFP_KERNEL);

	__free_page(page);
	get_page(page);
	KUNIT_SUCCEED(test);
}

DIES(a_split_of_a_compound_page_is_named, "split of what is no plain block in use: pfn:")
{
	split_page(alloc_pages(GFP_KERNEL | __GFP_COMP, 2), 2);
	KUNIT_SUCCEED(test);
}
