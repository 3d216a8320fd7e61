/* SPDX-License-Identifier: MIT */
/*
 * kmalloc_profile.c - the classes of kmalloc() in a library built with any SW_KMALLOC_PROFILE
 * and ARCH_DMA_MINALIGN: kmalloc_profile MIN_SIZE MAX_CACHE_SIZE
 *
 * Started by test_profiles.sh, which builds it together with the library. What a class must be
 * is worked out here from the two numbers, not from the headers' constants.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <slabwork/mm.h>
#include <slabwork/show.h>
#include <slabwork/slab.h>

#define LARGEST (4UL << 20)

static size_t min_size, max_cache;
static int bad;

static void __printf(2, 3) expect(bool holds, const char *fmt, ...)
{
	va_list args;

	if (holds)
		return;
	bad++;
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
}

static size_t class_of(size_t size)
{
	size_t power = min_size;

	if (min_size <= 32 && size > 64 && size <= 96)
		return 96;
	if (min_size <= 64 && size > 128 && size <= 192)
		return 192;
	while (power < size)
		power *= 2;
	return size > max_cache && power < PAGE_SIZE ? PAGE_SIZE : power;
}

static void expect_class(size_t size, gfp_t gfp)
{
	void *p = kmalloc(size, gfp);
	size_t want = class_of(size);

	expect(p, "kmalloc(%zu) is NULL", size);
	if (!p)
		return;
	expect(ksize(p) == want, "kmalloc(%zu) has %zu bytes, not %zu", size, ksize(p), want);
	expect((unsigned long)p % (want & -want) == 0, "kmalloc(%zu) is not aligned", size);
	expect(PageSlab(virt_to_head_page(p)) == (size <= max_cache),
	       "kmalloc(%zu) comes from the wrong allocator", size);
	expect(kmalloc_size_roundup(size) == want, "kmalloc_size_roundup(%zu) is %zu", size,
	       kmalloc_size_roundup(size));
	memset(p, 0x5a, size);
	kfree(p);
}

static void expect_constants(void)
{
	/* Sizes that the compiler knows: the class is chosen in this file. */
	void *p[] = { kmalloc(1, GFP_KERNEL),    kmalloc(33, GFP_KERNEL),
		      kmalloc(65, GFP_KERNEL),   kmalloc(136, GFP_KERNEL),
		      kmalloc(4096, GFP_KERNEL), kmalloc(4097, GFP_KERNEL),
		      kmalloc(8193, GFP_KERNEL) };
	static const size_t size[] = { 1, 33, 65, 136, 4096, 4097, 8193 };

	for (unsigned int i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
		expect(p[i] && ksize(p[i]) == class_of(size[i]), "constant %zu has %zu bytes",
		       size[i], p[i] ? ksize(p[i]) : 0);
		kfree(p[i]);
	}
}

/* Is there a cache of kmalloc for objects of this size? */
static bool listed(const char *text, const char *prefix, size_t size)
{
	char name[64];

	if (size >= 1UL << 20)
		snprintf(name, sizeof(name), "\n%s%zuM ", prefix, size >> 20);
	else if (size >= 1024)
		snprintf(name, sizeof(name), "\n%s%zuk ", prefix, size >> 10);
	else
		snprintf(name, sizeof(name), "\n%s%zu ", prefix, size);
	return strstr(text, name);
}

static void expect_names(void)
{
	static const char *const prefix[] = { "kmalloc-", "kmalloc-rcl-", "dma-kmalloc-",
					      "kmalloc-cg-" };
	static char text[64 << 10];

	expect(sw_show_buf(text, sizeof(text), "slabinfo", NULL) > 0, "no slabinfo");
	for (int i = 0; i < 4; i++) {
		for (size_t size = 8; size <= 2 * LARGEST; size *= 2)
			expect(listed(text, prefix[i], size) ==
				       (size >= min_size && size <= max_cache),
			       "slabinfo is wrong about %s%zu", prefix[i], size);
		expect(listed(text, prefix[i], 96) == (min_size <= 32), "%s96", prefix[i]);
		expect(listed(text, prefix[i], 192) == (min_size <= 64), "%s192", prefix[i]);
	}
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	min_size = strtoul(argv[1], NULL, 10);
	max_cache = strtoul(argv[2], NULL, 10);
	expect(KMALLOC_MIN_SIZE == min_size, "KMALLOC_MIN_SIZE is %lu", KMALLOC_MIN_SIZE);
	expect(KMALLOC_MAX_CACHE_SIZE == max_cache, "KMALLOC_MAX_CACHE_SIZE is %lu",
	       KMALLOC_MAX_CACHE_SIZE);
	expect(KMALLOC_MAX_SIZE == LARGEST, "KMALLOC_MAX_SIZE is %lu", KMALLOC_MAX_SIZE);

	for (size_t size = 1; size <= 8200; size++)
		expect_class(size, GFP_KERNEL);
	for (size_t size = 1; size <= LARGEST; size *= 2) {
		for (size_t at = size > 1 ? size - 1 : 1; at <= size + 1 && at <= LARGEST; at++) {
			expect_class(at, GFP_KERNEL);
			expect_class(at, GFP_KERNEL | __GFP_RECLAIMABLE);
			expect_class(at, GFP_KERNEL | __GFP_ACCOUNT);
		}
	}
	expect_constants();
	expect_names();
	expect(kmalloc(strtoul("0", NULL, 10), GFP_KERNEL) == ZERO_SIZE_PTR, "kmalloc(0)");
	expect(!kmalloc(LARGEST + (size_t)argc - 2, GFP_KERNEL | __GFP_NOWARN), "above the most");
	return bad != 0;
}
