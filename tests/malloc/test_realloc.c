/* SPDX-License-Identifier: MIT */
/*
 * test_realloc.c - buffers that grow: in place, without a byte lost, and without memory that nobody asked for
 */

#include "edge.h"
#include "../emulator.h"

#include <pthread.h>
#include <sys/resource.h>

#define KIB (1UL << 10)
#define MIB (1UL << 20)

/* Grow by half up to most bytes; every byte is looked at. *moves: how often it moved. */
static char *grow_by_half(struct kunit *test, size_t most, int *moves)
{
	char *p = malloc(16);
	size_t n = 16, old;

	fill(p, n, 5);
	while (n < most) {
		char *was = p;

		old = n;
		n += n / 2;
		p = realloc(p, n);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_ASSERT_GE(test, malloc_usable_size(p), n);
		KUNIT_ASSERT_EQ_MSG(test, mismatch(p, old, 5), old, "grown to %zu", n);
		fill(p, n, 5);
		*moves += p != was;
	}
	return p;
}

KUNIT_TEST(a_growing_buffer_seldom_moves)
{
	int moves = 0;

	free(grow_by_half(test, 16 * MIB, &moves)); /* 35 steps */
	KUNIT_EXPECT_LE(test, moves, 14);
	moves = 0;
	free(grow_by_half(test, 16 * MIB, &moves));
	KUNIT_EXPECT_LE(test, moves, 10); /* into what the first one left */
}

KUNIT_TEST(small_steps_seldom_copy)
{
	char *p = malloc(16);
	int moves = 0;

	KUNIT_ASSERT_NOT_NULL(test, p);
	for (size_t n = 16; n < 64 * KIB; n += 64) {
		char *was = p;

		p = realloc(p, n + 64);
		KUNIT_ASSERT_NOT_NULL(test, p);
		p[n + 63] = 1;
		moves += p != was;
	}
	KUNIT_EXPECT_LE(test, moves, 12);
	free(p);
}

KUNIT_TEST(one_growth_gets_what_it_asks_for)
{
	for (size_t n = 100; n < 6000; n += n / 3) {
		char *p = malloc(16);

		p = realloc(p, n);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_LE_MSG(test, malloc_usable_size(p), n + n / 4 + 16, "size %zu", n);
		free(p);
	}
}

KUNIT_TEST(room_costs_no_memory)
{
	enum { NR = 300 };
	static char *p[NR];
	size_t before = resident();

	skip_if_emulated(test, "what is resident is the emulator's");
	for (int i = 0; i < NR; i++) {
		p[i] = malloc(16);
		for (size_t n = 16; n < 20 * KIB; n += 500) {
			p[i] = realloc(p[i], n + 500);
			KUNIT_ASSERT_NOT_NULL(test, p[i]);
		}
		memset(p[i], 1, 20 * KIB);
		KUNIT_EXPECT_LE(test, malloc_usable_size(p[i]), 28 * KIB);
	}
	KUNIT_EXPECT_LE(test, resident() - before, NR * 24 * KIB + 2 * MIB);
	for (int i = 0; i < NR; i++)
		free(p[i]);
	malloc_trim(0);
	KUNIT_EXPECT_LE(test, resident(), before + 2 * MIB);
}

KUNIT_TEST(a_freed_buffer_leaves_little_behind)
{
	size_t before;
	int moves = 0;

	skip_if_emulated(test, "what is resident is the emulator's");
	free(grow_by_half(test, MIB, &moves));
	before = resident();
	free(grow_by_half(test, 48 * MIB, &moves));
	KUNIT_EXPECT_LE(test, resident(), before + 5 * MIB);
}

KUNIT_TEST(what_grew_and_shrinks_gives_memory_back)
{
	size_t full;
	int moves = 0;
	char *p = grow_by_half(test, 40 * MIB, &moves);

	skip_if_emulated(test, "what is resident is the emulator's");
	full = resident();
	p = realloc(p, 100 * KIB);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, mismatch(p, 100 * KIB, 5), 100 * KIB);
	KUNIT_EXPECT_LE(test, malloc_usable_size(p), 104 * KIB);
	KUNIT_EXPECT_LT(test, resident(), full - 35 * MIB);
	p = realloc(p, 3000);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, mismatch(p, 3000, 5), 3000);
	KUNIT_EXPECT_LE(test, malloc_usable_size(p), 4096);
	p = realloc(p, 100);
	KUNIT_EXPECT_EQ(test, mismatch(p, 100, 5), 100);
	KUNIT_EXPECT_LE(test, malloc_usable_size(p), 128);
	free(p);
}

KUNIT_TEST(another_object_where_one_grew_is_trimmed)
{
	char *p = malloc(16), *q;
	size_t is;

	for (size_t n = 100; n <= 4000; n *= 2)
		p = realloc(p, n);
	KUNIT_ASSERT_NOT_NULL(test, p);
	is = malloc_usable_size(p);
	free(p);
	q = malloc(is);
	KUNIT_ASSERT_NOT_NULL(test, q);
	q = realloc(q, 200);
	KUNIT_ASSERT_NOT_NULL(test, q);
	KUNIT_EXPECT_LE(test, malloc_usable_size(q), 512);
	free(q);
}

KUNIT_TEST(mallinfo2_does_not_count_room)
{
	struct mallinfo2 before = mallinfo2(), during, after;
	int moves = 0;
	char *p = grow_by_half(test, 30 * MIB, &moves);
	size_t n = malloc_usable_size(p);

	during = mallinfo2();
	KUNIT_EXPECT_GE(test, during.hblkhd, before.hblkhd + n);
	KUNIT_EXPECT_LE(test, during.hblkhd, before.hblkhd + n + MIB);
	KUNIT_EXPECT_EQ(test, during.hblks, before.hblks + 1);
	free(p);
	after = mallinfo2();
	KUNIT_EXPECT_EQ(test, after.hblkhd, before.hblkhd);
	KUNIT_EXPECT_EQ(test, after.hblks, before.hblks);
}

KUNIT_TEST(a_child_of_fork_grows_its_own)
{
	int moves = 0;
	char *p = grow_by_half(test, 2 * MIB, &moves);
	size_t n = malloc_usable_size(p);
	pid_t pid;

	fill(p, n, 5);
	pid = fork();
	KUNIT_ASSERT_GE(test, pid, 0);
	if (!pid) {
		char *q = realloc(p, 9 * MIB);

		if (!q || mismatch(q, n, 5) != n)
			_exit(1);
		memset(q, 1, 9 * MIB);
		q = realloc(q, 40 * MIB);
		free(q);
		_exit(q ? 0 : 2);
	}
	p = realloc(p, 3 * MIB);
	KUNIT_ASSERT_NOT_NULL(test, p);
	memset(p + n, 2, 3 * MIB - n);
	KUNIT_EXPECT_EQ(test, finish(pid), 0);
	KUNIT_EXPECT_EQ(test, mismatch(p, n, 5), n);
	free(p);
}

/* In a child: so much address space more than now. */
static void limit_addresses(size_t more)
{
	unsigned long pages = 0;
	struct rlimit limit;
	FILE *f = fopen("/proc/self/statm", "r");

	if (!f || fscanf(f, "%lu", &pages) != 1)
		_exit(10);
	fclose(f);
	limit.rlim_cur = limit.rlim_max = pages * 4096 + more;
	if (setrlimit(RLIMIT_AS, &limit))
		_exit(11);
}

static int grow_in_little_space(void)
{
	size_t n = 16 * KIB, old;
	char *p, *q, *other;

	limit_addresses(160 * MIB);
	p = malloc(16);
	for (size_t i = 16; i < n; i += 512)
		p = realloc(p, i + 512);
	fill(p, n, 3);
	/* As far as half of it: the room that comes with it must not be in its way. */
	for (; n < 60 * MIB; fill(p, n, 3)) {
		old = n;
		n += n / 4;
		q = realloc(p, n);
		if (!q)
			return 1;
		p = q;
		if (mismatch(p, old, 3) != old)
			return 2;
	}
	/* Nor in that of others. */
	other = malloc(40 * MIB);
	if (!other)
		return 3;
	other[0] = other[40 * MIB - 1] = 1;
	/* And in the end there is no more: all is as it was. */
	for (old = n; (q = realloc(p, n)); n += n / 4) {
		p = q;
		old = n;
	}
	if (errno != ENOMEM || mismatch(p, 60 * MIB, 3) != 60 * MIB || malloc_usable_size(p) < old)
		return 4;
	free(other);
	free(p);
	p = malloc(80 * MIB);
	return p ? 0 : 5;
}

KUNIT_TEST(room_is_given_up_where_addresses_are_short)
{
	pid_t pid;

	skip_if_emulated(test, "no limits there");
	pid = fork();
	KUNIT_ASSERT_GE(test, pid, 0);
	if (!pid)
		_exit(grow_in_little_space());
	KUNIT_EXPECT_EQ(test, finish(pid), 0);
}

/* MiB of small objects in 96 MiB of addresses, after three buffers have grown to 2 MiB, and two to 3 that are freed. */
static int small_in_little_space(void)
{
	size_t bytes = 0;
	char *p;

	limit_addresses(96 * MIB);
	for (int i = 0; i < 5; i++) {
		p = malloc(16);
		for (size_t n = 16; p && n < (i < 3 ? 2 : 3) * MIB; n += n / 2)
			p = realloc(p, n);
		if (!p)
			return 0;
		p[0] = 1;
		if (i > 2)
			free(p);
	}
	while ((p = malloc(1000))) {
		p[0] = 1;
		bytes += 1000;
	}
	return (int)(bytes / MIB);
}

KUNIT_TEST(room_is_given_up_for_small_objects)
{
	pid_t pid;

	skip_if_emulated(test, "no limits there");
	pid = fork();
	KUNIT_ASSERT_GE(test, pid, 0);
	if (!pid)
		_exit(small_in_little_space());
	KUNIT_EXPECT_GE(test, finish(pid), 70);
}

/* There is no object of four times the size any more, but one of the size. */
static int grow_when_large_ones_are_gone(void)
{
	char *p = realloc(malloc(16), 100);
	void *kept[8];

	limit_addresses(16 * MIB);
	for (int i = 0; i < 8; i++)
		kept[i] = malloc(2100);
	while (malloc(opaque(8192)))
		;
	for (int i = 0; i < 8; i += 2)
		free(kept[i]);
	errno = 0;
	p = realloc(p, 2100);
	return !p ? 1 : errno ? 2 : 0;
}

KUNIT_TEST(growth_that_gets_no_room_leaves_errno_alone)
{
	pid_t pid;

	skip_if_emulated(test, "no limits there");
	pid = fork();
	KUNIT_ASSERT_GE(test, pid, 0);
	if (!pid)
		_exit(grow_when_large_ones_are_gone());
	KUNIT_EXPECT_EQ(test, finish(pid), 0);
}

static void *grow_and_free(void *arg)
{
	unsigned char seed = (unsigned char)(uintptr_t)arg;

	for (int round = 0; round < 60; round++) {
		size_t n = 16, old, most = 10 * KIB << round % 9;
		char *p = malloc(16);

		fill(p, n, seed);
		while (n < most) {
			old = n;
			n += n / 3 + 8;
			p = realloc(p, n);
			if (!p || mismatch(p, old, seed) != old)
				return (void *)1;
			fill(p, n, seed);
		}
		if (round % 3 == 1) {
			n /= 2;
			p = realloc(p, n);
			if (!p || mismatch(p, n, seed) != n)
				return (void *)1;
		}
		if (seed == 3 && round % 5 == 0)
			malloc_trim(0);
		free(p);
	}
	return NULL;
}

KUNIT_TEST(threads_grow_each_their_own)
{
	pthread_t thread[4];
	void *wrong;

	for (uintptr_t i = 0; i < 4; i++)
		KUNIT_ASSERT_EQ(test, pthread_create(&thread[i], NULL, grow_and_free, (void *)i),
				0);
	for (int i = 0; i < 4; i++) {
		pthread_join(thread[i], &wrong);
		KUNIT_EXPECT_NULL(test, wrong);
	}
}

KUNIT_TEST(sized_frees_accept_what_grew)
{
	for (size_t most = 20; most < 3 * MIB; most += most / 3) {
		char *p = malloc(16);
		size_t n = 16;

		while (n < most) {
			n += n / 4 + 1;
			p = realloc(p, n);
			KUNIT_ASSERT_NOT_NULL(test, p);
		}
		free_sized(p, n);
	}
}

KUNIT_TEST(a_small_buffer_with_room_is_freed_by_size_0)
{
	void *aligned = NULL;
	char *p = malloc(100);

	p = realloc(p, 5000);
	p = realloc(p, 9000);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_NULL(test, realloc(p, opaque(0)));
	KUNIT_ASSERT_EQ(test, posix_memalign(&aligned, 8 * MIB, 100), 0);
	KUNIT_EXPECT_NULL(test, realloc(aligned, opaque(0)));
}

KUNIT_TEST(sized_frees_accept_what_shrank_in_an_area)
{
	for (size_t n = 4; n < 60000; n *= 3) {
		void *p = NULL;

		KUNIT_ASSERT_EQ(test, posix_memalign(&p, 8 * MIB, n + n / 8 + 100), 0);
		p = realloc(p, n);
		KUNIT_ASSERT_NOT_NULL(test, p);
		free_sized(p, n);
	}
}

/* An object of 32 bytes that has grown, then one of 4096 at the same place. */
KUNIT_TEST(a_larger_object_where_a_small_one_grew_is_trimmed)
{
	enum { NR = 40000 };
	static char *small[NR], *large[NR / 4];
	char *place = NULL;
	int nr, found = -1;

	for (nr = 0; nr < NR && !place; nr++) {
		small[nr] = realloc(malloc(16), 20);
		KUNIT_ASSERT_NOT_NULL(test, small[nr]);
		if (nr > NR / 2 && !((uintptr_t)small[nr] & 4095))
			place = small[nr];
	}
	while (nr)
		free(small[--nr]);
	malloc_trim(0);
	for (; nr < NR / 4 && found < 0; nr++) {
		large[nr] = malloc(4096);
		if (large[nr] == place)
			found = nr;
	}
	if (found >= 0) {
		large[found] = realloc(large[found], 30);
		KUNIT_EXPECT_LE(test, malloc_usable_size(large[found]), 64);
		free_sized(large[found], 30);
		large[found] = NULL;
	}
	while (nr)
		free(large[--nr]);
	KUNIT_EXPECT_GE(test, found, 0);
}
