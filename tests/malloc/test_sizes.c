/* SPDX-License-Identifier: MIT */
/*
 * test_sizes.c - sizes and alignments at their edges
 *
 * The numbers in brackets are the rows of the edge-case table: what every drop-in malloc must survive.
 */

#include "edge.h"
#include "../emulator.h"

#include <sys/mman.h>
#include <time.h>

#define KIB (1UL << 10)
#define MIB (1UL << 20)
#define GIB (1UL << 30)

/* ---- malloc and free ---- */

KUNIT_TEST(malloc_zero_is_unique_and_freeable) /* 1 */
{
	void *a = malloc(opaque(0));
	void *b = malloc(opaque(0));

	KUNIT_ASSERT_NOT_NULL(test, a);
	KUNIT_ASSERT_NOT_NULL(test, b);
	KUNIT_EXPECT_PTR_NE(test, a, b);
	free(a);
	free(b);
}

KUNIT_TEST(free_null_is_a_no_op) /* 2 */
{
	void *p;

	free(opaque_ptr(NULL));
	cfree(opaque_ptr(NULL));
	free_sized(NULL, 7);
	free_aligned_sized(NULL, 64, 7);
	p = realloc(NULL, opaque(0));
	KUNIT_EXPECT_NOT_NULL(test, p);
	free(p);
}

KUNIT_TEST(malloc_and_free_keep_errno) /* 3, 4 */
{
	for (size_t i = 0; i < nr_edge_sizes; i++) {
		void *p;

		errno = 4242;
		p = malloc(edge_sizes[i]);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_EQ_MSG(test, errno, 4242, "malloc(%zu)", edge_sizes[i]);
		memset(p, 1, edge_sizes[i]);
		free(p);
		KUNIT_EXPECT_EQ_MSG(test, errno, 4242, "free of %zu", edge_sizes[i]);
		p = calloc(1, edge_sizes[i]);
		KUNIT_ASSERT_NOT_NULL(test, p);
		p = realloc(p, edge_sizes[i] * 2 + 1);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_EQ_MSG(test, errno, 4242, "realloc from %zu", edge_sizes[i]);
		free(p);
		p = memalign(256, edge_sizes[i]);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_EQ_MSG(test, errno, 4242, "memalign(256, %zu)", edge_sizes[i]);
		free(p);
	}
}

KUNIT_TEST(free_of_64_MiB_keeps_errno) /* 3 */
{
	void *p = malloc(64 * MIB);

	KUNIT_ASSERT_NOT_NULL(test, p);
	errno = 4242;
	free(p);
	KUNIT_EXPECT_EQ(test, errno, 4242);
}

KUNIT_TEST(calloc_product_overflow_is_ENOMEM) /* 5 */
{
	static const size_t pairs[][2] = {
		{ SIZE_MAX / 2, 3 }, { 1UL << 32, 1UL << 32 }, { SIZE_MAX, SIZE_MAX },
		{ SIZE_MAX, 2 },     { 2, SIZE_MAX },          { SIZE_MAX / 16 + 2, 16 },
		{ PTRDIFF_MAX, 1 },  { 1, PTRDIFF_MAX },       { 1UL << 63, 1 },
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		errno = 0;
		KUNIT_EXPECT_NULL(test, calloc(opaque(pairs[i][0]), opaque(pairs[i][1])));
		KUNIT_EXPECT_EQ_MSG(test, errno, ENOMEM, "pair %zu", i);
	}
}

KUNIT_TEST(calloc_of_recycled_memory_is_zero) /* 6 */
{
	for (size_t i = 0; i < nr_edge_sizes; i++) {
		size_t n = edge_sizes[i];
		unsigned char *p = malloc(n);

		KUNIT_ASSERT_NOT_NULL(test, p);
		memset(p, 0xaa, malloc_usable_size(p));
		free(opaque_ptr(p));
		p = calloc(1, n);
		KUNIT_ASSERT_NOT_NULL(test, p);
		for (size_t j = 0; j < n; j++) {
			if (p[j]) {
				KUNIT_FAIL(test, "calloc(%zu) byte %zu is %#x", n, j, p[j]);
				break;
			}
		}
		free(p);
	}
}

KUNIT_TEST(calloc_of_nothing_is_freeable) /* 7 */
{
	void *a = calloc(opaque(0), 5);
	void *b = calloc(5, opaque(0));

	KUNIT_EXPECT_NOT_NULL(test, a);
	KUNIT_EXPECT_NOT_NULL(test, b);
	KUNIT_EXPECT_PTR_NE(test, a, b);
	free(a);
	free(b);
}

static const size_t too_large[] = {
	SIZE_MAX,    SIZE_MAX - 1,       SIZE_MAX - 4096, (size_t)PTRDIFF_MAX + 1,
	PTRDIFF_MAX, PTRDIFF_MAX - 4096, (size_t)1 << 62, (size_t)1 << 48,
};

/* clang takes valloc() for a call that leaves errno alone, and no option tells it otherwise. */
static void *(*volatile opaque_valloc)(size_t) = valloc;

KUNIT_TEST(requests_that_cannot_be_met_are_ENOMEM) /* 8, 77 */
{
	for (size_t i = 0; i < sizeof(too_large) / sizeof(*too_large); i++) {
		size_t n = opaque(too_large[i]);

		errno = 0;
		KUNIT_EXPECT_NULL(test, malloc(n));
		KUNIT_EXPECT_EQ_MSG(test, errno, ENOMEM, "malloc(%zx)", n);
		errno = 0;
		KUNIT_EXPECT_NULL(test, calloc(n, 1));
		KUNIT_EXPECT_EQ_MSG(test, errno, ENOMEM, "calloc(%zx)", n);
		errno = 0;
		KUNIT_EXPECT_NULL(test, realloc(NULL, n));
		KUNIT_EXPECT_EQ_MSG(test, errno, ENOMEM, "realloc(%zx)", n);
		errno = 0;
		KUNIT_EXPECT_NULL(test, opaque_valloc(n));
		KUNIT_EXPECT_EQ_MSG(test, errno, ENOMEM, "valloc(%zx)", n);
	}
}

/* ---- alignment ---- */

KUNIT_TEST(size_plus_alignment_never_wraps) /* 9, 10, 22 */
{
	static const size_t aligns[] = { 32,        4096,      MIB,       GIB,
					 1UL << 40, 1UL << 47, 1UL << 62, 1UL << 63 };
	static const size_t sizes[] = { PTRDIFF_MAX,     SIZE_MAX,  SIZE_MAX - 100,
					SIZE_MAX - 4095, 1UL << 63, SIZE_MAX / 2 - 31,
					(1UL << 62) + 1 };
	void *mark = &mark, *p = mark;

	for (size_t a = 0; a < sizeof(aligns) / sizeof(*aligns); a++) {
		for (size_t s = 0; s < sizeof(sizes) / sizeof(*sizes); s++) {
			size_t align = opaque(aligns[a]), n = opaque(sizes[s]);

			KUNIT_EXPECT_EQ(test, posix_memalign(&p, align, n), ENOMEM);
			KUNIT_EXPECT_PTR_EQ(test, p, mark);
			errno = 0;
			KUNIT_EXPECT_NULL(test, aligned_alloc(align, n));
			KUNIT_EXPECT_EQ(test, errno, ENOMEM);
			errno = 0;
			KUNIT_EXPECT_NULL(test, memalign(align, n));
			KUNIT_EXPECT_EQ(test, errno, ENOMEM);
		}
	}
	KUNIT_EXPECT_EQ(test, posix_memalign(&p, opaque(1UL << 62), 1), ENOMEM);
	KUNIT_EXPECT_EQ(test, posix_memalign(&p, opaque(1UL << 63), 1), ENOMEM);
	KUNIT_EXPECT_NULL(test, memalign(opaque((1UL << 62) + 1), PTRDIFF_MAX));
	KUNIT_EXPECT_NULL(test, memalign(opaque((1UL << 63) + 1), 1));
	KUNIT_EXPECT_NULL(test, memalign(opaque(SIZE_MAX), 1));
}

KUNIT_TEST(pvalloc_rounding_never_wraps) /* 11 */
{
	void *p;

	errno = 0;
	KUNIT_EXPECT_NULL(test, pvalloc(opaque(SIZE_MAX)));
	KUNIT_EXPECT_EQ(test, errno, ENOMEM);
	errno = 0;
	KUNIT_EXPECT_NULL(test, pvalloc(opaque(SIZE_MAX - 4095)));
	KUNIT_EXPECT_EQ(test, errno, ENOMEM);
	p = pvalloc(opaque(1));
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, (uintptr_t)p % 4096, 0);
	KUNIT_EXPECT_GE(test, malloc_usable_size(p), 4096);
	free(p);
	p = pvalloc(opaque(0));
	KUNIT_EXPECT_NOT_NULL(test, p);
	free(p);
	p = valloc(opaque(100));
	KUNIT_EXPECT_EQ(test, (uintptr_t)p % 4096, 0);
	free(p);
}

KUNIT_TEST(every_block_is_aligned_to_16) /* 19, 20 */
{
	for (size_t n = 0; n <= 5000; n++) {
		void *p = malloc(n), *q = calloc(n, 1);

		KUNIT_ASSERT_EQ_MSG(test, (uintptr_t)p % 16, 0, "malloc(%zu)", n);
		KUNIT_ASSERT_EQ_MSG(test, (uintptr_t)q % 16, 0, "calloc(%zu)", n);
		q = realloc(q, n + 100);
		KUNIT_ASSERT_EQ_MSG(test, (uintptr_t)q % 16, 0, "realloc(%zu)", n + 100);
		free(p);
		free(q);
	}
}

KUNIT_TEST(posix_memalign_refuses_bad_alignments) /* 21 */
{
	static const size_t bad[] = { 0, 1, 2, 3, 4, 12, 24, 100, SIZE_MAX, (1UL << 63) + 1 };
	void *mark = &mark, *p = mark;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		errno = 4242;
		KUNIT_EXPECT_EQ_MSG(test, posix_memalign(&p, opaque(bad[i]), 10), EINVAL, "%zu",
				    bad[i]);
		KUNIT_EXPECT_PTR_EQ(test, p, mark);
		KUNIT_EXPECT_EQ(test, errno, 4242);
	}
	KUNIT_EXPECT_EQ(test, posix_memalign(&p, 64, opaque(PTRDIFF_MAX)), ENOMEM);
	KUNIT_EXPECT_EQ(test, errno, 4242);
}

KUNIT_TEST(alignments_up_to_1_GiB_hold) /* 23 */
{
	size_t before = resident();

	for (size_t align = 8; align <= GIB; align *= 2) {
		static const size_t sizes[] = { 0, 1, 100, 5000, 70000 };

		for (size_t s = 0; s < sizeof(sizes) / sizeof(*sizes); s++) {
			void *p = NULL;

			KUNIT_ASSERT_EQ_MSG(test, posix_memalign(&p, align, sizes[s]), 0,
					    "align %zu size %zu", align, sizes[s]);
			KUNIT_EXPECT_EQ_MSG(test, (uintptr_t)p % align, 0, "align %zu size %zu",
					    align, sizes[s]);
			KUNIT_EXPECT_GE(test, malloc_usable_size(p), sizes[s]);
			memset(p, 1, sizes[s]);
			free(p);
		}
	}
	KUNIT_EXPECT_LT(test, resident(), before + 16 * MIB);
}

KUNIT_TEST(alignments_beyond_1_GiB_cost_addresses_only) /* 23 */
{
	skip_if_emulated(test, "what is resident is the emulator's memory, too");
	size_t before = resident();

	for (size_t align = GIB; align <= 32 * GIB; align *= 2) {
		void *p = aligned_alloc(align, opaque(1));

		KUNIT_ASSERT_NOT_NULL_MSG(test, p, "align %zu", align);
		KUNIT_EXPECT_EQ(test, (uintptr_t)p % align, 0);
		free(p);
	}
	KUNIT_EXPECT_LT(test, resident(), before + 16 * MIB);
}

KUNIT_TEST(aligned_alloc_takes_any_size) /* 24 */
{
	void *p = aligned_alloc(64, opaque(65));

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, (uintptr_t)p % 64, 0);
	free(p);
}

KUNIT_TEST(aligned_alloc_refuses_bad_alignments) /* 25 */
{
	static const size_t bad[] = { 0, 3, 24, SIZE_MAX, (1UL << 63) + 1 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		errno = 0;
		KUNIT_EXPECT_NULL(test, aligned_alloc(opaque(bad[i]), 10));
		KUNIT_EXPECT_EQ(test, errno, EINVAL);
	}
}

KUNIT_TEST(memalign_rounds_the_alignment_up)
{
	void *p = memalign(opaque(48), 10);

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, (uintptr_t)p % 64, 0);
	free(p);
	p = memalign(opaque(0), 10);
	KUNIT_EXPECT_NOT_NULL(test, p);
	free(p);
}

KUNIT_TEST(aligned_blocks_do_not_overlap)
{
	static void *p[64];

	for (size_t i = 0; i < 64; i++) {
		p[i] = aligned_alloc(64UL << (i % 8), 100 + 37 * i);
		KUNIT_ASSERT_NOT_NULL(test, p[i]);
		fill(p[i], malloc_usable_size(p[i]), (unsigned char)i);
	}
	for (size_t i = 0; i < 64; i++) {
		size_t n = malloc_usable_size(p[i]);

		KUNIT_EXPECT_EQ_MSG(test, mismatch(p[i], n, (unsigned char)i), n, "block %zu", i);
		free(p[i]);
	}
}

/* ---- realloc ---- */

KUNIT_TEST(reallocarray_overflow_is_ENOMEM_and_keeps_the_block) /* 12, 13 */
{
	char *p = malloc(100);

	KUNIT_ASSERT_NOT_NULL(test, p);
	fill(p, 100, 3);
	errno = 0;
	KUNIT_EXPECT_NULL(test, reallocarray(opaque_ptr(p), opaque(SIZE_MAX / 2), 3));
	KUNIT_EXPECT_EQ(test, errno, ENOMEM);
	errno = 0;
	KUNIT_EXPECT_NULL(test, realloc(opaque_ptr(p), opaque(PTRDIFF_MAX)));
	KUNIT_EXPECT_EQ(test, errno, ENOMEM);
	errno = 0;
	KUNIT_EXPECT_NULL(test, realloc(opaque_ptr(p), opaque(SIZE_MAX)));
	KUNIT_EXPECT_EQ(test, errno, ENOMEM);
	KUNIT_EXPECT_EQ(test, mismatch(p, 100, 3), 100);
	free(p);
}

KUNIT_TEST(realloc_failure_keeps_large_blocks) /* 13 */
{
	static const size_t sizes[] = { 10000, 100000, 3000000, 20000000 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		char *p = malloc(sizes[i]);

		KUNIT_ASSERT_NOT_NULL(test, p);
		fill(p, sizes[i], 5);
		errno = 0;
		KUNIT_EXPECT_NULL(test, realloc(opaque_ptr(p), opaque(PTRDIFF_MAX)));
		KUNIT_EXPECT_EQ(test, errno, ENOMEM);
		KUNIT_EXPECT_EQ(test, mismatch(p, sizes[i], 5), sizes[i]);
		free(p);
	}
}

KUNIT_TEST(realloc_keeps_contents_up_and_down) /* 14 */
{
	size_t n = 1, old;
	char *p = malloc(1);

	KUNIT_ASSERT_NOT_NULL(test, p);
	fill(p, 1, 9);
	while (n < 40 * MIB) {
		old = n;
		n = n + n / 4 + 1;
		p = realloc(p, n);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_ASSERT_EQ_MSG(test, mismatch(p, old, 9), old, "grown to %zu", n);
		fill(p, n, 9);
	}
	while (n > 1) {
		n = n - n / 5 - 1;
		p = realloc(p, n ? n : 1);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_ASSERT_EQ_MSG(test, mismatch(p, n, 9), n, "shrunk to %zu", n);
	}
	free(p);
}

KUNIT_TEST(shrinking_gives_memory_back)
{
	char *p = malloc(3 * MIB);

	KUNIT_ASSERT_NOT_NULL(test, p);
	p = realloc(p, 20000);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_LT(test, malloc_usable_size(p), 40000);
	p = realloc(p, 20);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_LT(test, malloc_usable_size(p), 100);
	free(p);
}

KUNIT_TEST(realloc_takes_over_aligned_pointers) /* 15 */
{
	for (size_t align = 16; align <= 64 * KIB; align *= 2) {
		void *p = NULL;

		KUNIT_ASSERT_EQ(test, posix_memalign(&p, align, 100), 0);
		fill(p, 100, 1);
		p = realloc(p, 100000);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_EQ(test, mismatch(p, 100, 1), 100);
		free(p);
	}
}

KUNIT_TEST(realloc_to_zero_frees) /* 16 */
{
	struct mallinfo2 before, after;

	before = mallinfo2();
	for (int i = 0; i < 10000; i++) {
		void *p = malloc(1000);

		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_NULL(test, realloc(p, opaque(0)));
	}
	after = mallinfo2();
	KUNIT_EXPECT_LT(test, after.uordblks, before.uordblks + MIB);
}

/* ---- how much there is ---- */

KUNIT_TEST(usable_size_of_null_is_zero) /* 26 */
{
	KUNIT_EXPECT_EQ(test, malloc_usable_size(opaque_ptr(NULL)), 0);
}

KUNIT_TEST(all_of_the_usable_size_is_writable) /* 27 */
{
	void *p[nr_edge_sizes];

	for (size_t i = 0; i < nr_edge_sizes; i++) {
		p[i] = malloc(edge_sizes[i]);
		KUNIT_ASSERT_NOT_NULL(test, p[i]);
		KUNIT_ASSERT_GE(test, malloc_usable_size(p[i]), edge_sizes[i]);
		fill(p[i], malloc_usable_size(p[i]), (unsigned char)i);
	}
	for (size_t i = 0; i < nr_edge_sizes; i++) {
		size_t n = malloc_usable_size(p[i]);

		KUNIT_EXPECT_EQ_MSG(test, mismatch(p[i], n, (unsigned char)i), n, "size %zu",
				    edge_sizes[i]);
		free(p[i]);
	}
}

KUNIT_TEST(rounding_is_at_most_a_fourth)
{
	for (size_t n = 16; n <= 4 * MIB; n += n / 13 + 1) {
		void *p = malloc(n);
		size_t is = malloc_usable_size(p);

		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_LE_MSG(test, is, n > MIB ? n + 4096 : n + n / 4 + 4096,
				    "malloc(%zu) holds %zu", n, is);
		if (n <= 8192)
			KUNIT_EXPECT_LE_MSG(test, is, n + n / 4 + 16, "malloc(%zu) holds %zu", n,
					    is);
		free(p);
	}
}

KUNIT_TEST(blocks_beyond_4_GiB_work) /* 28 */
{
	char *p = malloc(5 * GIB), *q;

	KUNIT_ASSERT_NOT_NULL(test, p);
	p[0] = 1;
	p[5 * GIB - 1] = 2;
	q = realloc(p, 6 * GIB);
	KUNIT_ASSERT_NOT_NULL(test, q);
	KUNIT_EXPECT_EQ(test, q[0], 1);
	KUNIT_EXPECT_EQ(test, q[5 * GIB - 1], 2);
	q[6 * GIB - 1] = 3;
	KUNIT_EXPECT_GE(test, malloc_usable_size(q), 6 * GIB);
	free(q);
	p = calloc(5, 1000000000);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, p[4999999999], 0);
	free(p);
}

KUNIT_TEST(sizes_around_2_and_4_GiB_are_not_cut) /* 29 */
{
	static const size_t sizes[] = { 2 * GIB - 1, 2 * GIB, 2 * GIB + 1,
					4 * GIB - 1, 4 * GIB, 4 * GIB + 1 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		char *p = malloc(sizes[i]);

		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_GE(test, malloc_usable_size(p), sizes[i]);
		p[0] = 1;
		p[sizes[i] - 1] = 1;
		free(p);
	}
}

KUNIT_TEST(untouched_memory_costs_nothing) /* 30, 31 */
{
	size_t before = resident();
	char *p = malloc(2 * GIB), *q = calloc(1, GIB), *r = calloc(3 * KIB, KIB);

	skip_if_emulated(test, "counts the emulator's memory");
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_ASSERT_NOT_NULL(test, q);
	KUNIT_ASSERT_NOT_NULL(test, r);
	KUNIT_EXPECT_EQ(test, q[opaque(GIB - 1)], 0);
	KUNIT_EXPECT_LT(test, resident(), before + 16 * MIB);
	free(p);
	free(q);
	free(r);
}

KUNIT_TEST(an_odd_block_holds_no_power_of_two)
{
	struct mallinfo2 before = mallinfo2(), after;
	void *p[50];

	for (int i = 0; i < 50; i++) {
		p[i] = malloc(68 * KIB);
		KUNIT_ASSERT_NOT_NULL(test, p[i]);
		memset(p[i], 1, 68 * KIB);
	}
	after = mallinfo2();
	KUNIT_EXPECT_LE(test, after.uordblks + after.hblkhd - before.uordblks - before.hblkhd,
			50 * 80 * KIB);
	for (int i = 0; i < 50; i++)
		free(p[i]);
}

KUNIT_TEST(a_block_is_never_half_as_large_again)
{
	void *p[64] = { NULL };
	uint32_t seed = 20261122;

	for (int i = 0; i < 4000; i++) {
		size_t n, slot;

		seed = seed * 1664525 + 1013904223;
		n = 64 * KIB + (seed >> 8) % (960 * KIB);
		slot = (seed >> 3) % 64;
		free(p[slot]);
		p[slot] = malloc(n);
		KUNIT_ASSERT_NOT_NULL(test, p[slot]);
		KUNIT_ASSERT_LE_MSG(test, malloc_usable_size(p[slot]), n + n / 2, "malloc(%zu)", n);
		*(char *)p[slot] = 1;
	}
	for (int i = 0; i < 64; i++)
		free(p[i]);
}

KUNIT_TEST(warm_blocks_go_back_when_nobody_asks)
{
	struct timespec wait = { 0, 150 * 1000 * 1000 };
	void *p[64];
	size_t full;

	skip_if_emulated(test, "counts the emulator's memory");
	for (int i = 0; i < 64; i++)
		p[i] = memset(malloc(512 * KIB), 1, 512 * KIB);
	for (int i = 0; i < 64; i++)
		free(p[i]);
	full = resident();
	for (int round = 0; round < 8; round++) {
		/* Slow paths look at the clock, and frees of pages at what is free. */
		for (int i = 0; i < 64; i++)
			p[i] = malloc(7000);
		for (int i = 0; i < 64; i++)
			free(p[i]);
		free(opaque_ptr(malloc(3 * MIB)));
		nanosleep(&wait, NULL);
	}
	KUNIT_EXPECT_LT_MSG(test, resident(), 6 * MIB, "of %zu", full);
}

/* ---- sized frees ---- */

KUNIT_TEST(sized_frees_accept_what_realloc_shrank) /* 65 */
{
	/* In steps, so that areas stay areas while they get small. */
	for (size_t n = 5 * MIB; n > 100; n -= n / 5 + 1) {
		void *p = malloc(6 * MIB);

		for (size_t to = 5 * MIB; to >= n; to -= to / 5 + 1)
			p = realloc(p, to);
		KUNIT_ASSERT_NOT_NULL(test, p);
		p = realloc(p, n);
		free_sized(p, n);
	}
}

KUNIT_TEST(sized_frees_accept_what_was_asked_for) /* 65 */
{
	for (size_t i = 0; i < nr_edge_sizes; i++) {
		size_t n = edge_sizes[i];
		void *p = malloc(n);

		KUNIT_ASSERT_NOT_NULL(test, p);
		free_sized(p, n);
		p = calloc(n, 1);
		free_sized(p, n);
		p = realloc(malloc(n), n + n / 3 + 1);
		free_sized(p, n + n / 3 + 1);
		p = realloc(malloc(n), n - n / 3 + 1);
		free_sized(p, n - n / 3 + 1);
		for (size_t align = 8; align <= 8192; align *= 4) {
			p = aligned_alloc(align, n);
			KUNIT_ASSERT_NOT_NULL(test, p);
			free_aligned_sized(p, align, n);
		}
	}
}
