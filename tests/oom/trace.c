/* SPDX-License-Identifier: MIT */
/*
 * trace.c - 100,000 operations that check themselves, for runs in which system calls fail
 *
 *   trace [SEED [OPERATIONS]]
 *
 * Two threads allocate, fill, resize, hand each other and free blocks of all sizes. A request may
 * fail at any time: then it must be NULL with ENOMEM and the old block must be whole. Knows nothing of
 * us; runs under LD_PRELOAD. Exit status: 0 all held, 10 contents, 11 errno, 12 alignment, 13 calloc
 * not zero, 14 what was freed still counts as live.
 */

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SLOTS  400
#define MARKED 64 /* bytes at each end of a block that are filled and checked */

struct block {
	unsigned char *p;
	size_t n;
	unsigned char seed;
};

struct worker {
	struct block slot[SLOTS];
	uint64_t state;
	unsigned long operations;
};

static _Atomic(struct block *) mailbox;

static void die(int code)
{
	_exit(code);
}

static uint64_t next(struct worker *w)
{
	w->state ^= w->state << 13;
	w->state ^= w->state >> 7;
	w->state ^= w->state << 17;
	return w->state;
}

static size_t random_size(struct worker *w)
{
	uint64_t r = next(w), kind = r % 1000;

	r >>= 16;
	if (kind < 700)
		return r % 512;
	if (kind < 900)
		return r % 8192;
	if (kind < 980)
		return r % 100000;
	if (kind < 998)
		return r % 1500000;
	return r % 12000000;
}

static size_t marked(size_t n)
{
	return n < MARKED ? n : MARKED;
}

static void mark(struct block *b, unsigned char seed)
{
	b->seed = seed;
	memset(b->p, seed, marked(b->n));
	memset(b->p + b->n - marked(b->n), seed, marked(b->n));
}

static void check(const unsigned char *p, size_t n, unsigned char seed)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] != seed)
			die(10);
	}
}

static void check_block(const struct block *b)
{
	if (!b->p)
		return;
	check(b->p, marked(b->n), b->seed);
	check(b->p + b->n - marked(b->n), marked(b->n), b->seed);
}

static void take(struct worker *w, struct block *b)
{
	size_t n = random_size(w), align = 16;
	uint64_t kind = next(w) % 10;

	errno = 0;
	if (kind < 6) {
		b->p = malloc(n);
	} else if (kind < 9) {
		b->p = calloc(1, n);
		for (size_t i = 0; b->p && i<n; i += n> 4096 ? 997 : 1) {
			if (b->p[i])
				die(13);
		}
	} else {
		align = (size_t)16 << next(w) % 12;
		b->p = memalign(align, n);
	}
	if (!b->p) {
		if (errno != ENOMEM)
			die(11);
		b->n = 0;
		return;
	}
	if ((uintptr_t)b->p % align)
		die(12);
	b->n = n;
	mark(b, (unsigned char)next(w));
}

static void drop(struct block *b)
{
	check_block(b);
	free(b->p);
	b->p = NULL;
	b->n = 0;
}

static void resize(struct worker *w, struct block *b)
{
	size_t n = random_size(w) + 1;
	unsigned char *p;

	/* What is large grows on, so that areas are moved. */
	if (b->n > 400000 && b->n < 30000000 && next(w) % 2)
		n = b->n + b->n / 2;
	check_block(b);
	errno = 0;
	p = realloc(b->p, n);
	if (!p) {
		if (errno != ENOMEM)
			die(11);
		check_block(b);
		return;
	}
	check(p, n < marked(b->n) ? n : marked(b->n), b->seed);
	b->p = p;
	b->n = n;
	mark(b, b->seed);
}

/* Leave a block for the other thread, take what it left. */
static void exchange(struct block *b)
{
	struct block *mine = malloc(sizeof(*mine)), *other;

	if (!mine)
		return;
	*mine = *b;
	b->p = NULL;
	b->n = 0;
	other = atomic_exchange(&mailbox, mine);
	if (other) {
		*b = *other;
		free(other);
	}
}

static void *work(void *arg)
{
	struct worker *w = arg;

	for (unsigned long i = 0; i < w->operations; i++) {
		struct block *b = &w->slot[next(w) % SLOTS];
		uint64_t kind = next(w) % 16;

		if (!b->p)
			take(w, b);
		else if (kind < 10)
			drop(b);
		else if (kind < 14)
			resize(w, b);
		else
			exchange(b);
		if (i % 30000 == 29999)
			malloc_trim(0);
	}
	for (size_t i = 0; i < SLOTS; i++)
		drop(&w->slot[i]);
	return NULL;
}

int main(int argc, char **argv)
{
	static struct worker workers[2];
	struct mallinfo2 before = mallinfo2(), after;
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	unsigned long operations = argc > 2 ? strtoul(argv[2], NULL, 0) : 100000;
	struct block *left;
	pthread_t thread;
	int err;

	for (int i = 0; i < 2; i++) {
		workers[i].state = seed * 0x9e3779b97f4a7c15ULL + (uint64_t)i + 1;
		workers[i].operations = operations / 2;
	}
	err = pthread_create(&thread, NULL, work, &workers[1]);
	work(&workers[0]);
	if (err)
		work(&workers[1]);
	else
		pthread_join(thread, NULL);
	left = atomic_exchange(&mailbox, NULL);
	if (left)
		drop(left);
	free(left);
	malloc_trim(0);
	after = mallinfo2();
	if (after.uordblks + after.hblkhd > before.uordblks + before.hblkhd + (64UL << 10))
		die(14);
	return 0;
}
