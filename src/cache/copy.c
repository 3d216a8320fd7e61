/* SPDX-License-Identifier: MIT */
/*
 * copy.c - a copy of a page or so, in the processor's widest words
 *
 * Room: cache. memcpy() of processors with fast string moves is one such move from 2 KiB on, and what comes after it waits
 * for it. A loop does not hold anything up: with 64-byte words pread() of 4 KiB takes 59 ns where it took 67, pwrite() 98
 * where it took 112; with 32-byte ones reads gain nothing, so other processors keep memcpy(). Measured with bench/run --files,
 * read4k and write4k; reading pages that are not in the second-level cache costs 3 in a hundred more
 * (read4k-64M).
 */

#include "cache/copy.h"

bool copy_wide_words;

#if defined(__x86_64__)

typedef char word __attribute__((vector_size(64), aligned(1), may_alias));
typedef char aligned_word __attribute__((vector_size(64), may_alias));

void copy_init(void)
{
	__builtin_cpu_init();
	copy_wide_words = __builtin_cpu_supports("avx512f");
}

/* First and last word lie as they lie, the others on lines of @to. */
__attribute__((target("avx512f"))) void copy_wide(char *to, const char *from, size_t n)
{
	word last = *(const word *)(from + n - sizeof(word));
	char *end = to + n - sizeof(word);
	size_t head = sizeof(word) - (uintptr_t)to % sizeof(word);

	*(word *)to = *(const word *)from;
	to += head;
	from += head;
	for (; to + 4 * sizeof(word) <= end; to += 4 * sizeof(word), from += 4 * sizeof(word)) {
		const word *f = (const word *)from;
		aligned_word *t = (aligned_word *)(void *)to;
		word a = f[0], b = f[1], c = f[2], d = f[3];

		t[0] = a;
		t[1] = b;
		t[2] = c;
		t[3] = d;
	}
	for (; to < end; to += sizeof(word), from += sizeof(word))
		*(word *)to = *(const word *)from;
	*(word *)end = last;
}

#else

void copy_init(void)
{
}

void copy_wide(char *to, const char *from, size_t n)
{
	memcpy(to, from, n);
}

#endif
