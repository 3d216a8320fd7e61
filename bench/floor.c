/* SPDX-License-Identifier: MIT */
/*
 * floor.c - what does a malloc cost that does nothing?
 *
 * The column "other" of the rows lifo*, fifo* and blifo*: two calls through the dynamic linker's
 * table, two returns, and a count. Blocks lie on a stack: malloc takes the next one, free
 * steps back, whatever it was given, which is right for those rows and for nothing else.
 * What an allocator costs above this row is its own; the rest is the price of the two calls.
 */

#include <stddef.h>
#include <string.h>

#define STRIDE 1088 /* 1,024 and a line, so that blocks do not all meet in one cache set */
#define BLOCKS 1024

static char blocks[BLOCKS * STRIDE] __attribute__((aligned(64)));
static char *next = blocks;
static char other[8 << 20] __attribute__((aligned(64)));
static size_t used;

/* What the C library wants at its start, in sizes that no row has: never given back. */
static void *once(size_t n)
{
	char *p = other + used;

	used += (n + 63) & ~(size_t)63;
	return used <= sizeof(other) ? p : NULL;
}

void *malloc(size_t n)
{
	char *p = next;

	if (__builtin_expect(n > 1024 || (n & (n - 1)) || p == blocks + sizeof(blocks), 0))
		return once(n);
	next = p + STRIDE;
	return p;
}

void free(void *p)
{
	if (__builtin_expect((size_t)((char *)p - blocks) < sizeof(blocks), 1))
		next -= STRIDE;
}

void *calloc(size_t count, size_t each)
{
	return once(count * each);
}

void *realloc(void *p, size_t n)
{
	void *moved = once(n + 4096);

	return p && moved ? memcpy(moved, p, n) : moved;
}
