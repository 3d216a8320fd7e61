/* SPDX-License-Identifier: MIT */
/* test_vmap.c - the same pages at a second address */

#include <kunit/test.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <slabwork/mm.h>
#include <slabwork/vmalloc.h>

#include "kernel/printk.h"
#include "mm/page.h"
#include "mm/vmalloc.h"
#include "../emulator.h"

static void expect_sound(struct kunit *test)
{
	KUNIT_EXPECT_NULL(test, vmap_validate());
}

KUNIT_TEST(what_is_written_at_one_address_is_read_at_the_other)
{
	struct page *pages[4];
	char *at;

	skip_if_emulated(test, "mremap() makes no second mapping under an emulator");
	for (int i = 0; i < 4; i++) {
		pages[i] = alloc_page(GFP_KERNEL);
		memset(page_address(pages[i]), 'a' + i, PAGE_SIZE);
	}
	at = vmap(pages, 4, VM_MAP, PAGE_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, at);
	for (int i = 0; i < 4; i++) {
		KUNIT_EXPECT_EQ(test, at[i * PAGE_SIZE], 'a' + i);
		KUNIT_EXPECT_EQ(test, at[i * PAGE_SIZE + PAGE_SIZE - 1], 'a' + i);
		at[i * PAGE_SIZE + 7] = 'X';
		KUNIT_EXPECT_EQ(test, ((char *)page_address(pages[i]))[7], 'X');
		((char *)page_address(pages[i]))[8] = 'Y';
		KUNIT_EXPECT_EQ(test, at[i * PAGE_SIZE + 8], 'Y');
		KUNIT_EXPECT_PTR_EQ(test, vmalloc_to_page(at + i * PAGE_SIZE + 99), pages[i]);
	}
	KUNIT_EXPECT_TRUE(test, is_vmalloc_addr(at));
	KUNIT_EXPECT_EQ(test, find_vm_area(at)->flags & VM_MAP, VM_MAP);
	expect_sound(test);
	vunmap(at);
	expect_sound(test);
	for (int i = 0; i < 4; i++) {
		KUNIT_EXPECT_EQ(test, ((char *)page_address(pages[i]))[7], 'X', "contents survive");
		__free_page(pages[i]);
	}
}

KUNIT_TEST(a_ring_mirrored_behind_itself_reads_on_past_its_end)
{
	struct page *pages[8], *block = alloc_pages(GFP_KERNEL, 2);
	char *ring;

	skip_if_emulated(test, "mremap() makes no second mapping under an emulator");
	for (int i = 0; i < 8; i++)
		pages[i] = block + i % 4;
	ring = vmap(pages, 8, VM_MAP, PAGE_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ring);
	memcpy(ring + 4 * PAGE_SIZE - 6, "over the edge", 14);
	KUNIT_EXPECT_STREQ(test, ring + 4 * PAGE_SIZE - 6, "over the edge");
	KUNIT_EXPECT_STREQ(test, ring, "he edge");
	vunmap(ring);
	KUNIT_EXPECT_STREQ(test, (char *)page_address(block), "he edge");
	__free_pages(block, 2);
}

KUNIT_TEST(a_page_may_be_in_two_areas_and_outlive_the_first)
{
	struct page *page = alloc_page(GFP_KERNEL), *other = alloc_page(GFP_KERNEL);
	struct page *pair[2] = { other, page };
	char *a, *b;

	skip_if_emulated(test, "mremap() makes no second mapping under an emulator");
	memcpy(page_address(page), "first", sizeof("first"));
	a = vmap(&page, 1, VM_MAP, PAGE_KERNEL);
	b = vm_map_ram(pair, 2, NUMA_NO_NODE);
	KUNIT_ASSERT_NOT_NULL(test, a);
	KUNIT_ASSERT_NOT_NULL(test, b);
	memcpy(b + PAGE_SIZE, "second", sizeof("second"));
	KUNIT_EXPECT_STREQ(test, a, "second");
	vunmap(a);
	memcpy(page_address(page), "third", sizeof("third"));
	KUNIT_EXPECT_STREQ(test, b + PAGE_SIZE, "third");
	vm_unmap_ram(b, 2);
	KUNIT_EXPECT_STREQ(test, (char *)page_address(page), "third");
	expect_sound(test);
	__free_page(page);
	__free_page(other);
}

KUNIT_TEST(after_vunmap_a_page_is_private_again)
{
	struct page *page = alloc_page(GFP_KERNEL);
	volatile char *at = page_address(page);
	int status;
	pid_t pid;

	vunmap(vmap(&page, 1, VM_MAP, PAGE_KERNEL));
	at[0] = 'p';
	pid = fork();
	if (!pid) {
		at[0] = 'c';
		_exit(0);
	}
	waitpid(pid, &status, 0);
	KUNIT_EXPECT_EQ(test, at[0], 'p');
}

KUNIT_TEST(pages_of_a_vmalloc_area_can_be_mapped_again)
{
	char *area = vmalloc(3 * PAGE_SIZE), *again;
	struct page *pages[2];

	skip_if_emulated(test, "mremap() makes no second mapping under an emulator");
	memcpy(area + 2 * PAGE_SIZE, "tail", sizeof("tail"));
	pages[0] = vmalloc_to_page(area + 2 * PAGE_SIZE);
	pages[1] = vmalloc_to_page(area);
	again = vmap(pages, 2, VM_MAP, PAGE_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, again);
	KUNIT_EXPECT_STREQ(test, again, "tail");
	vunmap(again);
	vfree(area);
	expect_sound(test);
}

static char said[1000];

static void hear(const char *text, unsigned long len)
{
	size_t at = strlen(said);

	if (at + len < sizeof(said)) {
		memcpy(said + at, text, len);
		said[at + len] = '\0';
	}
}

KUNIT_TEST(vunmap_and_vfree_do_not_take_each_others_areas)
{
	struct page *page = alloc_page(GFP_KERNEL);
	char *area = vmalloc(PAGE_SIZE), *map = vmap(&page, 1, VM_MAP, PAGE_KERNEL);

	skip_if_emulated(test, "mremap() makes no second mapping under an emulator");
	printk_sink = hear;
	vfree(map);
	KUNIT_EXPECT_NOT_NULL(test, strstr(said, "Trying to vfree() nonexistent vm area"));
	said[0] = 0;
	vunmap(area);
	KUNIT_EXPECT_NOT_NULL(test, strstr(said, "Trying to vunmap() nonexistent vm area"));
	said[0] = 0;
	vunmap(map);
	vfree(area);
	KUNIT_EXPECT_STREQ(test, said, "");
	KUNIT_EXPECT_NULL(test, vmap(&page, 0, VM_MAP, PAGE_KERNEL));
}
