/* SPDX-License-Identifier: MIT */
/* test_vmalloc.c - areas: vmalloc.c, vmap_area.c and the big blocks of malloc */

#include <kunit/test.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <slabwork/mm.h>
#include <slabwork/slab.h>
#include <slabwork/vmalloc.h>

#include "kernel/printk.h"
#include "mm/boot.h"
#include "mm/page.h"
#include "mm/vmalloc.h"
#include "mm/vmap_area.h"
#include "os/vm.h"

#define KIB 1024UL
#define MIB (1024UL * KIB)
#define GIB (1024UL * MIB)

static char said[4096];

static void hear(const char *text, unsigned long len)
{
	size_t have = strlen(said);

	if (have + len >= sizeof(said))
		len = sizeof(said) - have - 1;
	memcpy(said + have, text, len);
	said[have + len] = '\0';
}

static void expect_sound(struct kunit *test)
{
	const char *broken = vmap_validate();

	KUNIT_EXPECT_NULL(test, broken);
	if (broken)
		kunit_log_line("%s", broken);
}

/* Resident pages of the range. */
static size_t resident(void *p, size_t size)
{
	static unsigned char vec[1 << 20];
	size_t count = 0, pages = size / 4096;

	if (mincore(p, size, vec))
		return SIZE_MAX;
	for (size_t i = 0; i < pages; i++)
		count += vec[i] & 1;
	return count;
}

static int mappings(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	int lines = 0, c;

	while ((c = getc(maps)) != EOF)
		lines += c == '\n';
	fclose(maps);
	return lines;
}

static bool faults(volatile char *p)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		signal(SIGSEGV, SIG_DFL);
		*p = 1;
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status);
}

KUNIT_TEST(vmalloc_is_page_aligned_and_writable)
{
	char *p = vmalloc(10000);

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, (uintptr_t)p % PAGE_SIZE, 0);
	memset(p, 1, 10000);
	KUNIT_EXPECT_TRUE(test, is_vmalloc_addr(p));
	KUNIT_EXPECT_FALSE(test, is_vmalloc_addr(&p));
	expect_sound(test);
	vfree(p);
	expect_sound(test);
}

KUNIT_TEST(an_area_is_followed_by_a_hole)
{
	char *p = vmalloc(3 * PAGE_SIZE);

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_FALSE(test, faults(p + 3 * PAGE_SIZE - 1));
	KUNIT_EXPECT_TRUE(test, faults(p + 3 * PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, find_vm_area(p)->size, 4 * PAGE_SIZE);
	vfree(p);
}

KUNIT_TEST(vm_struct_tells_what_was_asked)
{
	char *p = vmalloc(5000);
	struct vm_struct *vm = find_vm_area(p);

	KUNIT_ASSERT_NOT_NULL(test, vm);
	KUNIT_EXPECT_PTR_EQ(test, vm->addr, p);
	KUNIT_EXPECT_EQ(test, vm->requested_size, 5000);
	KUNIT_EXPECT_EQ(test, vm->nr_pages, 2);
	KUNIT_EXPECT_NOT_NULL(test, vm->caller);
	KUNIT_EXPECT_PTR_EQ(test, find_vm_area(p + 8191), vm);
	KUNIT_EXPECT_NULL(test, find_vm_area(p + 8192));
	vfree(p);
	KUNIT_EXPECT_NULL(test, find_vm_area(p));
}

KUNIT_TEST(vzalloc_of_reused_dirty_memory_is_zero)
{
	for (size_t size = PAGE_SIZE; size <= 4 * MIB; size *= 4) {
		char *p = vmalloc(size), *q;

		memset(p, 0xaa, size);
		vfree(p);
		q = vzalloc(size);
		KUNIT_EXPECT_PTR_EQ(test, q, p, "the freed area is reused");
		for (size_t i = 0; i < size; i++)
			if (q[i]) {
				KUNIT_FAIL(test, "byte %zu of %zu is not zero", i, size);
				break;
			}
		vfree(q);
		vm_unmap_aliases(); /* or what is freed next is merged with it */
	}
	expect_sound(test);
}

KUNIT_TEST(size_zero_warns_and_is_null)
{
	printk_sink = hear;
	KUNIT_EXPECT_NULL(test, vmalloc(0));
	KUNIT_EXPECT_NOT_NULL(test, strstr(said, "WARNING"));
}

KUNIT_TEST(more_than_the_machine_is_null_with_the_kernels_words)
{
	printk_sink = hear;
	KUNIT_EXPECT_NULL(test, vmalloc(1UL << 62));
	KUNIT_EXPECT_NOT_NULL(
		test, strstr(said, "vmalloc error: size 4611686018427387904, exceeds total pages"));
	said[0] = 0;
	KUNIT_EXPECT_NULL(test, __vmalloc(1UL << 62, GFP_KERNEL | __GFP_NOWARN));
	KUNIT_EXPECT_STREQ(test, said, "");
	volatile size_t half = 1UL << 33;

	KUNIT_EXPECT_NULL(test, vmalloc_array(half, half));
	KUNIT_EXPECT_STREQ(test, said, "", "an overflow is silent");
}

KUNIT_TEST(who_may_not_sleep_gets_no_area)
{
	KUNIT_EXPECT_NULL(test, __vmalloc(PAGE_SIZE, GFP_ATOMIC | __GFP_NOWARN));
}

KUNIT_TEST(vfree_null_is_a_no_op)
{
	printk_sink = hear;
	vfree(NULL);
	vunmap(NULL);
	KUNIT_EXPECT_STREQ(test, said, "");
}

KUNIT_TEST(vfree_of_bad_pointers_warns_and_goes_on)
{
	char *p = vmalloc(2 * PAGE_SIZE), local;
	char want[100];

	printk_sink = hear;
	vfree(p + 1);
	snprintf(want, sizeof(want), "Trying to vfree() bad address (%p)", (void *)(p + 1));
	KUNIT_EXPECT_NOT_NULL(test, strstr(said, want));
	said[0] = 0;
	vfree(p + PAGE_SIZE);
	snprintf(want, sizeof(want), "Trying to vfree() nonexistent vm area (%p)",
		 (void *)(p + PAGE_SIZE));
	KUNIT_EXPECT_NOT_NULL(test, strstr(said, want));
	said[0] = 0;
	vfree((void *)((uintptr_t)&local & PAGE_MASK));
	KUNIT_EXPECT_NOT_NULL(test, strstr(said, "nonexistent vm area"));
	said[0] = 0;
	vfree(p);
	KUNIT_EXPECT_STREQ(test, said, "");
	vfree(p);
	KUNIT_EXPECT_NOT_NULL(test, strstr(said, "nonexistent vm area"));
	expect_sound(test);
}

KUNIT_TEST(vfree_atomic_frees_later_and_makes_no_call)
{
	unsigned long before;
	char *p = vmalloc(MIB), *q;

	memset(p, 1, MIB);
	before = nr_vmalloc_pages;
	vfree_atomic(p);
	KUNIT_EXPECT_EQ(test, nr_vmalloc_pages, before - 256);
	KUNIT_EXPECT_EQ(test, resident(p, MIB), 256, "nothing was given back yet");
	KUNIT_EXPECT_NULL(test, find_vm_area(p));
	expect_sound(test);
	q = vmalloc(MIB);
	KUNIT_EXPECT_PTR_EQ(test, q, p);
	vfree(q);
}

KUNIT_TEST(large_freed_areas_give_their_memory_back_at_once)
{
	char *p = vmalloc(4 * MIB);

	memset(p, 1, 4 * MIB);
	KUNIT_EXPECT_EQ(test, resident(p, 4 * MIB), 1024);
	vfree(p);
	KUNIT_EXPECT_EQ(test, resident(p, 4 * MIB), 0);
}

static void count_lazy(const struct vmap_view *view, void *arg)
{
	if (!view->vm)
		*(size_t *)arg += view->end - view->start;
}

KUNIT_TEST(freed_areas_are_purged_in_batches)
{
	size_t lazy = 0;
	char *p = vmalloc(64 * KIB);

	memset(p, 1, 64 * KIB);
	vfree(p);
	vmap_for_each(count_lazy, &lazy);
	KUNIT_EXPECT_EQ(test, lazy, 64 * KIB);
	KUNIT_EXPECT_EQ(test, vmap_purge(), 16);
	lazy = 0;
	vmap_for_each(count_lazy, &lazy);
	KUNIT_EXPECT_EQ(test, lazy, 0);
	KUNIT_EXPECT_TRUE(test, faults(p));
	for (int i = 0; i < 2000; i++) {
		p = vmalloc((1 + (size_t)i % 50) * 64 * KIB);
		KUNIT_ASSERT_NOT_NULL(test, p);
		vfree(p);
	}
	lazy = 0;
	vmap_for_each(count_lazy, &lazy);
	KUNIT_EXPECT_LE(test, lazy, 32 * MIB);
	expect_sound(test);
}

KUNIT_TEST(vrealloc_keeps_contents_and_zeroes_what_is_new)
{
	volatile size_t size = 5000;
	char *p = vmalloc(size), *q;

	for (int i = 0; i < 5000; i++)
		p[i] = (char)i;
	memset(p + 5000, 0x55, 8192 - 5000);
	q = vrealloc(p, 8000, GFP_KERNEL | __GFP_ZERO);
	KUNIT_EXPECT_PTR_EQ(test, q, p, "it fits");
	for (int i = 5000; i < 8000; i++)
		KUNIT_ASSERT_EQ(test, q[i], 0);
	q = vrealloc(q, 3 * MIB, GFP_KERNEL | __GFP_ZERO);
	KUNIT_ASSERT_NOT_NULL(test, q);
	for (int i = 0; i < 5000; i++)
		KUNIT_ASSERT_EQ(test, q[i], (char)i);
	for (size_t i = 8000; i < 3 * MIB; i++)
		KUNIT_ASSERT_EQ(test, q[i], 0);
	KUNIT_EXPECT_EQ(test, find_vm_area(q)->requested_size, 3 * MIB);
	KUNIT_EXPECT_NULL(test, vrealloc(q, 0, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, find_vm_area(q));
	q = vrealloc(NULL, 100, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, q);
	vfree(q);
	expect_sound(test);
}

KUNIT_TEST(vmalloc_32_addresses_fit_in_32_bits)
{
	char *p = vmalloc_32(MIB), *q = vmalloc_32_user(PAGE_SIZE);

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_LT(test, (uintptr_t)p + MIB, 1UL << 32);
	KUNIT_EXPECT_TRUE(test, is_vmalloc_addr(p));
	memset(p, 1, MIB);
	KUNIT_EXPECT_LT(test, (uintptr_t)q, 1UL << 32);
	vfree(p);
	vfree(q);
	expect_sound(test);
}

KUNIT_TEST(vmalloc_huge_is_aligned_to_huge_pages)
{
	char *p = vmalloc_huge(5 * MIB, GFP_KERNEL);

	KUNIT_EXPECT_EQ(test, (uintptr_t)p % (2 * MIB), 0);
	vfree(p);
}

KUNIT_TEST(vmalloc_to_page_has_a_page_for_every_address)
{
	char *p = vmalloc(9 * MIB); /* spans sections */

	for (size_t at = 0; at < 9 * MIB; at += 777777) {
		struct page *page = vmalloc_to_page(p + at);

		KUNIT_ASSERT_NOT_NULL(test, page);
		KUNIT_EXPECT_TRUE(test, page_test(page, PG_vmalloc));
		KUNIT_EXPECT_EQ(test, vmalloc_to_pfn(p + at), (uintptr_t)(p + at) >> PAGE_SHIFT);
	}
	vfree(p);
	KUNIT_EXPECT_NULL(test, vmalloc_to_page(p));
	expect_sound(test);
}

KUNIT_TEST(a_child_of_fork_can_go_on)
{
	char *p = vmalloc(MIB);
	pid_t pid;
	int status;

	memcpy(p, "parent", sizeof("parent"));
	pid = fork();
	if (!pid) {
		char *q = vmalloc(MIB);

		memcpy(p, "child", sizeof("child"));
		vfree(p);
		vfree(q);
		_exit(vmap_validate() ? 1 : 0);
	}
	waitpid(pid, &status, 0);
	KUNIT_EXPECT_EQ(test, status, 0);
	KUNIT_EXPECT_STREQ(test, p, "parent");
	vfree(p);
}

/* ---- big blocks ---- */

KUNIT_TEST(untouched_big_blocks_cost_no_memory)
{
	bool zeroed = false;
	char *p;

	mm_boot();
	p = vm_large_alloc(2 * GIB, 0, &zeroed);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_TRUE(test, zeroed);
	KUNIT_EXPECT_EQ(test, resident(p, 2 * GIB), 0);
	KUNIT_EXPECT_EQ(test, vm_large_size(p), 2 * GIB);
	KUNIT_EXPECT_TRUE(test, vm_large_free(p));
	KUNIT_EXPECT_EQ(test, vm_large_size(p), 0);
	KUNIT_EXPECT_FALSE(test, vm_large_free(p), "a double free is noticed");
}

KUNIT_TEST(impossible_sizes_are_null)
{
	mm_boot();
	KUNIT_EXPECT_NULL(test, vm_large_alloc(PTRDIFF_MAX, 0, NULL));
	KUNIT_EXPECT_NULL(test, vm_large_alloc(SIZE_MAX, 0, NULL));
	KUNIT_EXPECT_NULL(test, vm_large_alloc((size_t)PTRDIFF_MAX - 5000, 4096, NULL));
	KUNIT_EXPECT_NULL(test, vm_large_alloc(0, 0, NULL));
	KUNIT_EXPECT_NULL(test, vm_large_alloc(MIB, 2048 * GIB, NULL));
	expect_sound(test);
}

KUNIT_TEST(big_blocks_are_aligned_up_to_a_gibibyte)
{
	mm_boot();
	for (size_t align = PAGE_SIZE; align <= GIB; align *= 2) {
		char *p = vm_large_alloc(5 * MIB, align, NULL);

		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_EQ(test, (uintptr_t)p % align, 0);
		p[5 * MIB - 1] = 1;
		if (align % 3)
			vm_large_free(p);
	}
	expect_sound(test);
}

KUNIT_TEST(foreign_and_interior_pointers_are_no_blocks)
{
	char *p, local;

	mm_boot();
	p = vm_large_alloc(MIB, 0, NULL);
	KUNIT_EXPECT_EQ(test, vm_large_size(p + 4096), 0);
	KUNIT_EXPECT_EQ(test, vm_large_size(p + 1), 0);
	KUNIT_EXPECT_EQ(test, vm_large_size(&local), 0);
	KUNIT_EXPECT_EQ(test, vm_large_size(NULL), 0);
	KUNIT_EXPECT_EQ(test, vm_large_size((void *)0x1000), 0);
	KUNIT_EXPECT_EQ(test, vm_large_size((void *)~0xfffUL), 0);
	KUNIT_EXPECT_FALSE(test, vm_large_free(p + 4096));
	KUNIT_EXPECT_FALSE(test, vm_large_free(&local));
	KUNIT_EXPECT_TRUE(test, vm_large_free(p));
}

KUNIT_TEST(realloc_grows_and_shrinks_without_losing_a_byte)
{
	size_t size = MIB;
	unsigned char *p;

	mm_boot();
	srandom((unsigned int)kunit_seed(test));
	p = vm_large_alloc(size, 0, NULL);
	for (size_t at = 0; at < size; at += 4096)
		p[at] = (unsigned char)(at >> 12);
	for (int i = 0; i < 300; i++) {
		size_t want = 64 * KIB + (size_t)random() % (16 * MIB), kept;
		unsigned char *q = vm_large_realloc(p, want);

		KUNIT_ASSERT_NOT_NULL(test, q);
		KUNIT_ASSERT_GE(test, vm_large_size(q), want);
		kept = want < size ? want : size;
		for (size_t at = 0; at < kept; at += 4096)
			KUNIT_ASSERT_EQ(test, q[at], (unsigned char)(at >> 12));
		for (size_t at = kept & ~4095UL; at < want; at += 4096)
			q[at] = (unsigned char)(at >> 12);
		p = q;
		size = want;
		/* Something in the way now and then, so that blocks move. */
		if (i % 7 == 0)
			vm_large_alloc(256 * KIB, 0, NULL);
	}
	expect_sound(test);
	KUNIT_EXPECT_NULL(test, vm_large_realloc(p, PTRDIFF_MAX));
	KUNIT_EXPECT_GE(test, vm_large_size(p), size, "a failed realloc leaves the block");
	vm_large_free(p);
}

KUNIT_TEST(a_moved_block_keeps_its_pages)
{
	char *p, *wall, *q;

	mm_boot();
	p = vm_large_alloc(64 * MIB, 0, NULL);
	wall = vm_large_alloc(MIB, 0, NULL);
	memset(p, 7, 64 * MIB);
	q = vm_large_realloc(p, 128 * MIB);
	KUNIT_ASSERT_NOT_NULL(test, q);
	KUNIT_EXPECT_EQ(test, resident(q, 128 * MIB), 64 * MIB / 4096);
	KUNIT_EXPECT_EQ(test, q[64 * MIB - 1], 7);
	KUNIT_EXPECT_EQ(test, q[64 * MIB], 0);
	vm_large_free(q);
	vm_large_free(wall);
	expect_sound(test);
}

/* mremap() takes one mapping at a time; where an older kernel refuses, it has unmapped the target. */
KUNIT_TEST(a_block_of_several_mappings_moves_and_all_of_it_is_writable)
{
	char *p, *wall, *q;

	mm_boot();
	p = vm_large_alloc(8 * MIB, 0, NULL);
	wall = vm_large_alloc(MIB, 0, NULL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	memset(p, 7, 8 * MIB);
	for (size_t at = 64 * KIB; at < 8 * MIB; at += at + 4096)
		KUNIT_ASSERT_EQ(test, madvise(p + at, 4096, MADV_DONTDUMP), 0);
	q = vm_large_realloc(p, 64 * MIB);
	KUNIT_ASSERT_NOT_NULL(test, q);
	KUNIT_EXPECT_EQ(test, resident(q, 64 * MIB), 8 * MIB / 4096);
	for (size_t i = 0; i < 8 * MIB; i++)
		KUNIT_ASSERT_EQ(test, q[i], 7);
	memset(q, 9, 64 * MIB);
	vm_large_free(q);
	vm_large_free(wall);
	expect_sound(test);
}

KUNIT_TEST(seventy_thousand_blocks_fit_in_max_map_count, .timeout_s = 300)
{
	enum { N = 70000 };
	static char *p[N];
	int most = 0;

	mm_boot();
	if (sw_layout.vmalloc_end - sw_layout.vmalloc_start < 32 * GIB)
		kunit_skip(test, "the window is smaller than 70,000 blocks (ThreadSanitizer)");
	for (int i = 0; i < N; i++) {
		p[i] = vm_large_alloc(140 * KIB, 0, NULL);
		KUNIT_ASSERT_NOT_NULL(test, p[i]);
		p[i][0] = p[i][140 * KIB - 1] = (char)i;
	}
	most = mappings();
	KUNIT_EXPECT_LT(test, most, 30000);
	expect_sound(test);
	/* Free them in an order that leaves holes everywhere. */
	for (int step = 0; step < 7; step++)
		for (int i = step; i < N; i += 7) {
			KUNIT_ASSERT_EQ(test, p[i][0], (char)i);
			KUNIT_ASSERT_TRUE(test, vm_large_free(p[i]));
		}
	KUNIT_EXPECT_LT(test, mappings(), 60000);
	expect_sound(test);
	kunit_log_line("%d mappings while all live", most);
}

KUNIT_TEST(random_traces_keep_every_invariant)
{
	enum { SLOTS = 200 };
	struct {
		unsigned char *p;
		size_t size;
		unsigned char mark;
	} slot[SLOTS] = { 0 };

	mm_boot();
	srandom((unsigned int)kunit_seed(test));
	for (int i = 0; i < 20000; i++) {
		int n = (int)(random() % SLOTS);

		if (slot[n].p) {
			KUNIT_ASSERT_EQ(test, slot[n].p[0], slot[n].mark);
			KUNIT_ASSERT_EQ(test, slot[n].p[slot[n].size - 1], slot[n].mark);
			KUNIT_ASSERT_TRUE(test, vm_large_free(slot[n].p));
			slot[n].p = NULL;
		} else {
			size_t align = random() % 10 ? 0 : PAGE_SIZE << random() % 10;
			bool zeroed = false;

			slot[n].size = 1 + (size_t)random() % (1UL << (10 + random() % 14));
			slot[n].mark = (unsigned char)(1 + random() % 255);
			slot[n].p = vm_large_alloc(slot[n].size, align, &zeroed);
			KUNIT_ASSERT_NOT_NULL(test, slot[n].p);
			if (zeroed) {
				KUNIT_ASSERT_EQ(test, slot[n].p[0], 0);
				KUNIT_ASSERT_EQ(test, slot[n].p[slot[n].size - 1], 0);
			}
			slot[n].p[0] = slot[n].p[slot[n].size - 1] = slot[n].mark;
		}
		if (i % 500 == 0)
			expect_sound(test);
	}
	for (int n = 0; n < SLOTS; n++)
		if (slot[n].p)
			vm_large_free(slot[n].p);
	KUNIT_EXPECT_EQ(test, nr_vmalloc_pages, 0);
	expect_sound(test);
}

static void *churn(void *arg)
{
	unsigned int seed = (unsigned int)(uintptr_t)arg;
	unsigned char *p[16] = { 0 };

	for (int i = 0; i < 20000; i++) {
		int n = (int)(rand_r(&seed) % 16);

		if (p[n]) {
			if (p[n][0] != (unsigned char)(uintptr_t)arg || !vm_large_free(p[n]))
				return (void *)1;
			p[n] = NULL;
		} else {
			p[n] = vm_large_alloc(4096 + rand_r(&seed) % (400 * 1024), 0, NULL);
			if (!p[n])
				return (void *)2;
			p[n][0] = (unsigned char)(uintptr_t)arg;
		}
	}
	for (int n = 0; n < 16; n++)
		if (p[n])
			vm_large_free(p[n]);
	return NULL;
}

KUNIT_TEST(threads_do_not_get_each_others_blocks)
{
	pthread_t thread[4];
	void *result;

	mm_boot();
	for (uintptr_t i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, churn, (void *)(i + kunit_seed(test) % 1000));
	for (int i = 0; i < 4; i++) {
		pthread_join(thread[i], &result);
		KUNIT_EXPECT_NULL(test, result);
	}
	KUNIT_EXPECT_EQ(test, nr_vmalloc_pages, 0);
	expect_sound(test);
}

KUNIT_TEST(a_foreign_mapping_in_the_window_is_walked_around)
{
	char *p, *q;

	mm_boot();
	p = vm_large_alloc(MIB, 0, NULL);
	/* Somebody maps 1 GiB just behind us. */
	KUNIT_ASSERT_EQ(test, os_map_at(p + 2 * MIB, GIB), 0);
	p[0] = 1;
	for (int i = 0; i < 100; i++) {
		q = vm_large_alloc(140 * KIB, 0, NULL);
		KUNIT_ASSERT_NOT_NULL(test, q);
		KUNIT_EXPECT_TRUE(test, q + 140 * KIB <= p + 2 * MIB || q >= p + 2 * MIB + GIB);
		q[0] = 1;
	}
	expect_sound(test);
}
