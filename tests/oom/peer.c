/* SPDX-License-Identifier: MIT */
/*
 * peer.c - the same failures on glibc's malloc, with a witness: FAIL_NTH=N or N,ever
 *
 * A preload. When a run on slabwork ends in a named misuse (a double free, say), the question is whose
 * it is. every.py then runs the program again on glibc with this, which remembers every block, gives none
 * back, and ends the process with a message when a dead one is freed: it shares no line with slabwork.
 * Counts what slabwork counts, but for a realloc that stays where it is.
 */

#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t count, size_t each);
void *__libc_memalign(size_t align, size_t n);

/* Every block there was: its address, 1 in the lowest bit once it is dead. */
#define BLOCKS (1UL << 20)
static _Atomic uintptr_t blocks[BLOCKS];

static bool fails(void)
{
	static _Atomic unsigned long requests, at;
	static bool ever;
	unsigned long nth = atomic_fetch_add(&requests, 1) + 1;

	if (!at) {
		const char *text = getenv("FAIL_NTH");
		char *end = NULL;

		at = text ? strtoul(text, &end, 10) : ~0UL;
		ever = end && !strcmp(end, ",ever");
	}
	if (nth != at && !(ever && nth > at))
		return false;
	errno = ENOMEM;
	return true;
}

/* The entry of p, or the free one where it belongs. */
static _Atomic uintptr_t *entry_of(const void *p)
{
	uintptr_t addr = (uintptr_t)p;
	size_t i = (addr >> 4) * 0x9e3779b97f4a7c15UL >> 44;

	for (;; i = (i + 1) % BLOCKS) {
		uintptr_t seen = blocks[i];

		if (!seen || (seen & ~1UL) == addr)
			return &blocks[i];
	}
}

static void *live(void *p)
{
	if (p)
		*entry_of(p) = (uintptr_t)p;
	return p;
}

static void die(const void *p)
{
	static const char text[] = "peer: free() of a block that is dead\n";
	_Atomic uintptr_t *entry = entry_of(p);

	if (*entry & 1) {
		if (write(2, text, sizeof(text) - 1) < 0)
			_exit(1);
		abort();
	}
	if (*entry)
		*entry |= 1;
}

void *malloc(size_t n)
{
	return fails() ? NULL : live(__libc_malloc(n));
}

void *calloc(size_t count, size_t each)
{
	return fails() ? NULL : live(__libc_calloc(count, each));
}

void *memalign(size_t align, size_t n)
{
	return fails() ? NULL : live(__libc_memalign(align, n));
}

void free(void *p)
{
	if (p)
		die(p);
}

void *realloc(void *old, size_t n)
{
	size_t size = old ? malloc_usable_size(old) : 0;
	void *p;

	if (old && !n) {
		free(old);
		return NULL;
	}
	if (old && n <= size)
		return old;
	p = malloc(n);
	if (p && old) {
		memcpy(p, old, size < n ? size : n);
		die(old);
	}
	return p;
}
