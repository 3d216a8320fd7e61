/* SPDX-License-Identifier: MIT */
/* test_vmap_room.c - areas that grow: room, what is paid for of it, and the warm ones (vmap_warm.c) */

#include <kunit/test.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <slabwork/mm.h>

#include "mm/boot.h"
#include "mm/vmalloc.h"
#include "mm/vmap_area.h"
#include "os/os.h"

#define KIB 1024UL
#define MIB (1024UL * KIB)

static void expect_sound(struct kunit *test)
{
	const char *broken = vmap_validate();

	KUNIT_EXPECT_NULL(test, broken);
	if (broken)
		kunit_log_line("%s", broken);
}

static size_t resident(void *p, size_t size)
{
	static unsigned char vec[1 << 16];
	size_t n = 0;

	if (mincore(p, size, vec))
		return 0;
	for (size_t i = 0; i < size / PAGE_SIZE; i++)
		n += vec[i] & 1;
	return n * PAGE_SIZE;
}

static size_t room_of(void *p)
{
	return vmap_area_bytes(vmap_lookup(p));
}

/* A get that cannot succeed cuts all rooms. */
static void run_out_of_addresses(void)
{
	bool clean;

	vmap_get(1UL << 46, 1, 0, &clean);
}

KUNIT_TEST(what_grows_has_room_that_costs_nothing)
{
	char *p;

	mm_boot();
	p = vm_large_alloc_growing(20 * KIB, NULL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_GE(test, room_of(p), 100 * KIB);
	KUNIT_EXPECT_EQ(test, vm_large_size(p), 20 * KIB);
	KUNIT_EXPECT_EQ(test, resident(p, room_of(p)), 0);
	memset(p, 1, 20 * KIB);
	KUNIT_EXPECT_EQ(test, resident(p, room_of(p)), 20 * KIB);
	KUNIT_EXPECT_TRUE(test, vm_large_resize_within(p, 100 * KIB));
	KUNIT_EXPECT_EQ(test, vm_large_size(p), 100 * KIB);
	KUNIT_EXPECT_EQ(test, resident(p, room_of(p)), 20 * KIB);
	KUNIT_EXPECT_TRUE(test, vm_large_free(p));
	vmap_purge();
	expect_sound(test);
}

KUNIT_TEST(an_area_that_did_not_grow_has_no_room)
{
	char *p;

	mm_boot();
	p = vm_large_alloc(20 * KIB, 0, NULL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_LE(test, room_of(p), 25 * KIB);
	KUNIT_EXPECT_FALSE(test, vm_large_resize_within(p, 100 * KIB));
	KUNIT_EXPECT_TRUE(test, vm_large_free(p));
	p = vmalloc(20 * KIB);
	KUNIT_EXPECT_FALSE(test, vm_large_resize_within(p, 10 * KIB));
	vfree(p);
	expect_sound(test);
}

KUNIT_TEST(a_resize_within_wants_the_start_of_a_live_block)
{
	char *p;

	mm_boot();
	KUNIT_EXPECT_FALSE(test, vm_large_resize_within(NULL, 1));
	KUNIT_EXPECT_FALSE(test, vm_large_resize_within(&p, 1));
	p = vm_large_alloc_growing(20 * KIB, NULL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_FALSE(test, vm_large_resize_within(p + 16, 30 * KIB));
	KUNIT_EXPECT_FALSE(test, vm_large_resize_within(p + PAGE_SIZE, 30 * KIB));
	vm_large_free(p);
	KUNIT_EXPECT_FALSE(test, vm_large_resize_within(p, 30 * KIB));
	KUNIT_EXPECT_FALSE(test, vm_large_free(p));
}

KUNIT_TEST(pages_are_charged_and_come_back)
{
	unsigned long before;
	char *p;

	mm_boot();
	vmap_purge();
	before = atomic_load(&nr_vmalloc_pages);
	p = vm_large_alloc_growing(MIB, NULL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	for (size_t n = MIB; n < 300 * MIB; n += n / 3) {
		p = vm_large_realloc(p, n);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_ASSERT_GE(test, atomic_load(&nr_vmalloc_pages), before + n / PAGE_SIZE);
		KUNIT_ASSERT_LE(test, (atomic_load(&nr_vmalloc_pages) - before) * PAGE_SIZE,
				16 * n + 33 * MIB);
	}
	p = vm_large_realloc(p, 100 * KIB);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, atomic_load(&nr_vmalloc_pages), before + 25);
	KUNIT_EXPECT_EQ(test, room_of(p), 100 * KIB);
	vm_large_free(p);
	KUNIT_EXPECT_EQ(test, atomic_load(&nr_vmalloc_pages), before);
	expect_sound(test);
}

KUNIT_TEST(a_freed_area_that_grew_is_the_next_ones)
{
	char *p, *q;

	mm_boot();
	vmap_purge();
	p = vm_large_realloc(vm_large_alloc_growing(20 * KIB, NULL), 20 * MIB);
	KUNIT_ASSERT_NOT_NULL(test, p);
	p[0] = p[20 * MIB - 1] = 1;
	vm_large_free(p);
	KUNIT_EXPECT_NULL(test, vmap_lookup(p));
	expect_sound(test);
	q = vm_large_alloc_growing(30 * KIB, NULL);
	KUNIT_EXPECT_PTR_EQ(test, q, p);
	KUNIT_EXPECT_GE(test, room_of(q), 20 * MIB);
	KUNIT_EXPECT_EQ(test, vm_large_size(q), 32 * KIB);
	vm_large_free(q);
	vmap_purge();
	expect_sound(test);
}

KUNIT_TEST(what_stays_warm_is_at_most_a_mebibyte)
{
	char *p[4];
	size_t sum = 0;

	mm_boot();
	for (int i = 0; i < 4; i++) {
		p[i] = vm_large_realloc(vm_large_alloc_growing(20 * KIB, NULL), 2 * MIB);
		KUNIT_ASSERT_NOT_NULL(test, p[i]);
		memset(p[i], 1, (400UL + 300UL * (unsigned long)i) * KIB);
	}
	for (int i = 0; i < 4; i++)
		vm_large_free(p[i]);
	for (int i = 0; i < 4; i++)
		sum += resident(p[i], 2 * MIB);
	KUNIT_EXPECT_LE(test, sum, MIB);
	vmap_purge();
	sum = 0;
	for (int i = 0; i < 4; i++)
		sum += resident(p[i], 2 * MIB);
	KUNIT_EXPECT_EQ(test, sum, 0);
	expect_sound(test);
}

KUNIT_TEST(warm_memory_is_never_taken_for_zero)
{
	mm_boot();
	for (size_t used = 20 * KIB; used < 6 * MIB; used *= 2) {
		bool zero = false;
		char *p = vm_large_realloc(vm_large_alloc_growing(20 * KIB, NULL), 6 * MIB);

		KUNIT_ASSERT_NOT_NULL(test, p);
		memset(p, 0xaa, used);
		vm_large_free(p);
		/* Whoever has it in between uses less. */
		p = vm_large_alloc_growing(20 * KIB, NULL);
		p[0] = 1;
		vm_large_free(p);
		vmap_warm_tick(os_now_coarse_ns() + 1000000000UL);
		p = vm_large_alloc(6 * MIB, 0, &zero);
		KUNIT_ASSERT_NOT_NULL(test, p);
		for (size_t i = 0; zero && i < 6 * MIB; i += 512)
			KUNIT_ASSERT_EQ_MSG(test, p[i], 0, "byte %zu, %zu were used", i, used);
		vm_large_free(p);
	}
}

KUNIT_TEST(idle_warm_areas_go)
{
	char *p;

	mm_boot();
	p = vm_large_realloc(vm_large_alloc_growing(20 * KIB, NULL), 2 * MIB);
	KUNIT_ASSERT_NOT_NULL(test, p);
	vm_large_free(p);
	vmap_warm_tick(os_now_coarse_ns());
	KUNIT_EXPECT_PTR_EQ(test, vm_large_alloc_growing(100 * KIB, NULL), p);
	vm_large_free(p);
	vmap_warm_tick(os_now_coarse_ns() + 1000000000UL);
	p = vm_large_alloc_growing(20 * KIB, NULL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_LT(test, room_of(p), MIB);
	vm_large_free(p);
	vmap_purge();
	expect_sound(test);
}

KUNIT_TEST(where_addresses_are_short_rooms_are_cut)
{
	char *p, *q;

	mm_boot();
	vmap_purge();
	p = vm_large_alloc_growing(MIB, NULL);
	q = vm_large_realloc(vm_large_alloc_growing(20 * KIB, NULL), 5 * MIB);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_ASSERT_NOT_NULL(test, q);
	/* Make what is paid for less than all of the room. */
	p = vm_large_realloc(p, 9 * MIB);
	memset(p, 7, 9 * MIB);
	memset(q, 8, 5 * MIB);
	run_out_of_addresses();
	expect_sound(test);
	KUNIT_EXPECT_EQ(test, room_of(p), atomic_load(&vmap_lookup(p)->fit));
	p = vm_large_realloc(p, 60 * MIB);
	KUNIT_ASSERT_NOT_NULL(test, p);
	p[60 * MIB - 1] = 1;
	q = vm_large_realloc(q, 50 * MIB);
	KUNIT_ASSERT_NOT_NULL(test, q);
	KUNIT_EXPECT_EQ(test, p[9 * MIB - 1], 7);
	KUNIT_EXPECT_EQ(test, q[5 * MIB - 1], 8);
	vm_large_free(p);
	vm_large_free(q);
	vmap_purge();
	expect_sound(test);
}

#define NR_BLOCKS 24

/* Every word says where it is and whose. */
static void fill(char *p, size_t from, size_t to, unsigned long who)
{
	for (size_t i = from & ~(PAGE_SIZE - 1); i + 8 <= to; i += PAGE_SIZE / 2)
		if (i >= from)
			*(unsigned long *)(void *)(p + i) = who + i;
}

static bool is_whole(const char *p, size_t to, unsigned long who)
{
	for (size_t i = 0; i + 8 <= to; i += PAGE_SIZE / 2)
		if (*(const unsigned long *)(const void *)(p + i) != who + i)
			return false;
	return true;
}

KUNIT_TEST(random_traces_of_growing_lose_no_byte)
{
	struct {
		char *p;
		size_t n;
		unsigned long who;
	} b[NR_BLOCKS] = { { NULL, 0, 0 } };
	unsigned long who = 0;
	unsigned int seed = (unsigned int)os_now_coarse_ns();

	mm_boot();
	kunit_log_line("seed %u", seed);
	srand(seed);
	for (int step = 0; step < 6000; step++) {
		unsigned int i = (unsigned int)rand() % NR_BLOCKS,
			     what = (unsigned int)rand() % 100;
		size_t n;

		if (!b[i].p) {
			b[i].n = 16 * KIB + (size_t)rand() % (64 * KIB);
			b[i].who = ++who << 32;
			b[i].p = what % 4 ? vm_large_alloc_growing(b[i].n, NULL) :
					    vm_large_alloc(b[i].n, 0, NULL);
			KUNIT_ASSERT_NOT_NULL(test, b[i].p);
			fill(b[i].p, 0, b[i].n, b[i].who);
			continue;
		}
		KUNIT_ASSERT_TRUE_MSG(test, is_whole(b[i].p, b[i].n, b[i].who), "step %d", step);
		KUNIT_ASSERT_GE(test, vm_large_size(b[i].p), b[i].n);
		if (what < 12 || b[i].n > 6 * MIB) {
			KUNIT_ASSERT_TRUE(test, vm_large_free(b[i].p));
			b[i].p = NULL;
		} else if (what < 80) {
			n = b[i].n + b[i].n / (1 + (size_t)rand() % 8);
			if (!vm_large_resize_within(b[i].p, n))
				b[i].p = vm_large_realloc(b[i].p, n);
			KUNIT_ASSERT_NOT_NULL(test, b[i].p);
			KUNIT_ASSERT_GE(test, vm_large_size(b[i].p), n);
			fill(b[i].p, b[i].n, n, b[i].who);
			/* Between the last word and the old end nothing was written. */
			fill(b[i].p, 0, n, b[i].who);
			b[i].n = n;
		} else if (what < 92) {
			n = b[i].n / 2 + 16 * KIB;
			if (n < b[i].n) {
				if (!vm_large_resize_within(b[i].p, n))
					b[i].p = vm_large_realloc(b[i].p, n);
				KUNIT_ASSERT_NOT_NULL(test, b[i].p);
				b[i].n = n;
			}
		} else if (what < 95) {
			vmap_purge();
		} else if (what < 98) {
			run_out_of_addresses();
		} else {
			expect_sound(test);
		}
	}
	for (unsigned int i = 0; i < NR_BLOCKS; i++)
		if (b[i].p)
			vm_large_free(b[i].p);
	vmap_purge();
	expect_sound(test);
}
