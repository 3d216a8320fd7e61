/* SPDX-License-Identifier: MIT */
/* test_util.c - kvmalloc() and the copies */

#include <kunit/test.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <slabwork/mm.h>
#include <slabwork/slab.h>
#include <slabwork/string.h>
#include <slabwork/vmalloc.h>

#include "kernel/printk.h"
#include "mm/vmalloc.h"

static char said[4096];

static void hear(const char *text, unsigned long len)
{
	size_t at = strlen(said);

	if (at + len < sizeof(said)) {
		memcpy(said + at, text, len);
		said[at + len] = '\0';
	}
}

KUNIT_TEST(kvmalloc_prefers_kmalloc_and_falls_back_to_an_area)
{
	char *small = kvmalloc(100, GFP_KERNEL), *big = kvmalloc(6 << 20, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, small);
	KUNIT_ASSERT_NOT_NULL(test, big);
	KUNIT_EXPECT_FALSE(test, is_vmalloc_addr(small));
	KUNIT_EXPECT_TRUE(test, is_vmalloc_addr(big));
	memset(big, 1, 6 << 20);
	kvfree(small);
	kvfree(big);
	kvfree(NULL);
	kvfree(ZERO_SIZE_PTR);
	KUNIT_EXPECT_EQ(test, nr_vmalloc_pages, 0);
	KUNIT_EXPECT_PTR_EQ(test, kvmalloc(0, GFP_KERNEL), ZERO_SIZE_PTR);
}

KUNIT_TEST(kvmalloc_of_a_fragmented_machine_is_an_area)
{
	static struct page *page[4096];
	int n = 0;
	char *p;

	setenv("SLABWORK", "mem=8M", 1);
	while (n < 4096 && (page[n] = alloc_page(GFP_NOWAIT | __GFP_MEMALLOC | __GFP_NOWARN)))
		n++;
	for (int i = 0; i < n; i++)
		if (page_to_pfn(page[i]) % 2)
			__free_page(page[i]); /* half is free, and no two pages together */
	printk_sink = hear;
	p = kvmalloc(64 << 10, GFP_KERNEL);
	KUNIT_EXPECT_TRUE(test, is_vmalloc_addr(p));
	KUNIT_EXPECT_STREQ(test, said, "", "the failing kmalloc() is silent");
	KUNIT_EXPECT_NULL(test, kvmalloc(64 << 10, GFP_ATOMIC), "no area for who cannot sleep");
	kvfree(p);
}

KUNIT_TEST(kvmalloc_beyond_int_max_warns_and_is_null)
{
	volatile size_t size = (size_t)INT_MAX + 1, half = 1UL << 33;

	printk_sink = hear;
	KUNIT_EXPECT_NULL(test, kvmalloc(size, GFP_KERNEL | __GFP_NOWARN));
	KUNIT_EXPECT_STREQ(test, said, "");
	KUNIT_EXPECT_NULL(test, kvmalloc(size, GFP_KERNEL));
	KUNIT_EXPECT_NOT_NULL(test, strstr(said, "WARNING"));
	said[0] = 0;
	KUNIT_EXPECT_NULL(test, kvmalloc_array(half, half, GFP_KERNEL));
	KUNIT_EXPECT_STREQ(test, said, "", "an overflowing product is silent");
}

KUNIT_TEST(kvcalloc_is_zero_even_where_memory_was_dirty)
{
	for (size_t size = 64; size <= 16 << 20; size *= 4) {
		unsigned char *p = kvmalloc(size, GFP_KERNEL), *q;

		memset(p, 0xff, size);
		kvfree(p);
		q = kvcalloc(size / 8, 8, GFP_KERNEL);
		for (size_t i = 0; i < size; i++)
			KUNIT_ASSERT_EQ(test, q[i], 0);
		kvfree(q);
	}
}

KUNIT_TEST(kvrealloc_moves_between_both_kinds_and_keeps_contents)
{
	static const size_t sizes[] = { 10, 100, 5000, 100000, 5 << 20, 9 << 20, 1 << 20, 50 };
	size_t have = 0;
	unsigned char *p = NULL;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		unsigned char *q = kvrealloc(p, sizes[i], GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, q);
		for (size_t at = 0; at < have && at < sizes[i]; at++)
			KUNIT_ASSERT_EQ(test, q[at], (unsigned char)(at * 7));
		have = sizes[i];
		for (size_t at = 0; at < have; at++)
			q[at] = (unsigned char)(at * 7);
		p = q;
	}
	KUNIT_EXPECT_PTR_EQ(test, kvrealloc(p, 0, GFP_KERNEL), ZERO_SIZE_PTR);
	p = kvrealloc(NULL, 4096, GFP_KERNEL);
	p = kvrealloc_515(p, 4096, 100, GFP_KERNEL);
	p[0] = 'x';
	p = kvrealloc_515(p, 4096, 1 << 20, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, p[0], 'x');
	kvfree_sensitive(p, 1 << 20);
	KUNIT_EXPECT_EQ(test, nr_vmalloc_pages, 0);
}

KUNIT_TEST(copies_are_equal_and_their_own)
{
	static const int numbers[3] = { 1, 2, 3 };
	volatile size_t huge = 1UL << 62;
	int *a = kmemdup(numbers, sizeof(numbers), GFP_KERNEL);
	int *b = kmemdup_array(numbers, 3, sizeof(int), GFP_KERNEL);
	int *c = kvmemdup(numbers, sizeof(numbers), GFP_KERNEL);

	KUNIT_EXPECT_MEMEQ(test, a, numbers, sizeof(numbers));
	KUNIT_EXPECT_MEMEQ(test, b, numbers, sizeof(numbers));
	KUNIT_EXPECT_MEMEQ(test, c, numbers, sizeof(numbers));
	KUNIT_EXPECT_PTR_NE(test, a, b);
	KUNIT_EXPECT_NULL(test, kmemdup_array(numbers, huge, 8, GFP_KERNEL));
	kfree(a);
	kfree(b);
	kvfree(c);
}

KUNIT_TEST(strings_are_copied_up_to_their_bound_and_terminated)
{
	char *a = kstrdup("hello", GFP_KERNEL), *b = kstrndup("hello", 2, GFP_KERNEL);
	char *c = kstrndup("hello", 99, GFP_KERNEL), *d = kmemdup_nul("a\0b", 3, GFP_KERNEL);

	KUNIT_EXPECT_STREQ(test, a, "hello");
	KUNIT_EXPECT_STREQ(test, b, "he");
	KUNIT_EXPECT_STREQ(test, c, "hello");
	KUNIT_EXPECT_MEMEQ(test, d, "a\0b\0", 4);
	KUNIT_EXPECT_NULL(test, kstrdup(NULL, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, kstrndup(NULL, 3, GFP_KERNEL));
	kfree(a);
	kfree(b);
	kfree(c);
	kfree(d);
}

KUNIT_TEST(kstrdup_const_copies_all_but_literals)
{
	char local[8] = "local";
	const char *literal = kstrdup_const("literal", GFP_KERNEL);
	const char *copy = kstrdup_const(local, GFP_KERNEL);

	KUNIT_EXPECT_FALSE(test, virt_addr_valid(literal));
	KUNIT_EXPECT_PTR_NE(test, copy, local);
	KUNIT_EXPECT_STREQ(test, copy, "local");
	kfree_const(literal);
	kfree_const(copy);
	kfree_const(NULL);
}

KUNIT_TEST(kasprintf_fits_whatever_comes_out)
{
	char *small = kasprintf(GFP_KERNEL, "%s-%d", "node", 7);
	char *big = kasprintf(GFP_KERNEL, "%5000d|", 1);

	KUNIT_EXPECT_STREQ(test, small, "node-7");
	KUNIT_EXPECT_EQ(test, strlen(big), 5001);
	KUNIT_EXPECT_EQ(test, big[5000], '|');
	kfree(small);
	kfree(big);
}
