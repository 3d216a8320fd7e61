/* SPDX-License-Identifier: MIT */
/*
 * selftest.c - does the malloc of this process do what a malloc must?
 *
 * Room: tool. `slabwork doctor` runs this in a child of the command's own program, under the
 * preload: here malloc() is whatever the loader made of it, and that it is ours is the
 * first thing looked at. One line on stdout: passed, checks, and the first that failed.
 */

#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tool/tool.h"

#define PATTERN 0x5a
#define BULK    20000 /* objects of 100 bytes: 2 MB */

static unsigned int passed, checks;
static const char *first_failed;

static void check(bool ok, const char *what)
{
	checks++;
	passed += ok;
	if (!ok && !first_failed)
		first_failed = what;
}

/* The compiler must not see through what we do with memory. */
static void *hide(void *p)
{
	__asm__ volatile("" : "+r"(p) : : "memory");
	return p;
}

static bool holds(const unsigned char *p, size_t n, unsigned char value)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != value)
			return false;
	return true;
}

static bool ours(const void *p)
{
	return mallinfo2().uordblks > 0 && malloc_usable_size((void *)(uintptr_t)p) > 0 &&
	       process_has_library(getpid());
}

static void check_size(size_t size)
{
	unsigned char *p = hide(malloc(size)), *q;

	check(p && (uintptr_t)p % (size < 16 ? 8 : 16) == 0, "malloc aligns");
	check(p && malloc_usable_size(p) >= size, "malloc_usable_size is at least what was asked");
	if (!p)
		return;
	memset(p, PATTERN, size);
	q = hide(realloc(p, size * 2 + 1));
	check(q && holds(q, size, PATTERN), "realloc keeps what was there");
	free(q);
	q = hide(calloc(size, 1));
	check(q && holds(q, size, 0), "calloc gives zeroes");
	free(q);
}

static void check_align(size_t align)
{
	void *p = NULL;

	check(!posix_memalign(&p, align, 100) && (uintptr_t)p % align == 0,
	      "posix_memalign aligns");
	free(p);
	p = hide(aligned_alloc(align, align * 2));
	check(p && (uintptr_t)p % align == 0, "aligned_alloc aligns");
	free(p);
}

static void check_limits(void)
{
	volatile size_t huge = PTRDIFF_MAX;
	void *p;

	errno = 0;
	p = hide(malloc(huge));
	check(!p && errno == ENOMEM, "a request beyond all bounds is NULL and ENOMEM");
	free(p);
	p = hide(calloc(huge, 3));
	check(!p, "calloc sees the overflow");
	free(p);
	p = hide(malloc(0));
	check(p != NULL, "malloc(0) is an address");
	free(p);
	free(NULL);
	errno = 42;
	free(hide(malloc(10)));
	check(errno == 42, "free keeps errno");
}

/* The calls that other drop-ins answer with 0. */
static void check_statistics(void)
{
	static void *p[BULK];
	struct mallinfo2 before = mallinfo2(), full, after;
	char *text = NULL;
	size_t size = 0;
	FILE *out;

	for (int i = 0; i < BULK; i++)
		p[i] = hide(malloc(100));
	full = mallinfo2();
	check(full.uordblks >= before.uordblks + BULK * 100UL, "mallinfo2 counts what is held");
	check(full.arena + full.hblkhd >= full.uordblks, "mallinfo2 adds up");
	for (int i = 0; i < BULK; i++)
		free(p[i]);
	after = mallinfo2();
	check(after.uordblks + BULK * 90UL < full.uordblks, "mallinfo2 counts what was freed");
	malloc_trim(0);
	check(mallinfo2().arena < full.arena, "malloc_trim gives memory back");
	out = open_memstream(&text, &size);
	check(out && !malloc_info(0, out) && !fclose(out) && size > 100 &&
		      strstr(text, "<malloc version") != NULL,
	      "malloc_info writes XML");
	free(text);
}

static void check_fork(void)
{
	pid_t child = fork();
	int status = -1;

	if (!child) {
		void *p = hide(malloc(1000));

		free(p);
		_exit(p ? 0 : 1);
	}
	check(child > 0 && waitpid(child, &status, 0) == child && status == 0,
	      "a forked child allocates");
}

int selftest(void)
{
	static const size_t sizes[] = { 1,     7,     16,    24,       33,     64,       100,
					128,   200,   256,   500,      512,    1000,     1024,
					2000,  2048,  3000,  4096,     5000,   8192,     10000,
					16384, 30000, 65536, 1u << 17, 200000, 1u << 20, 5u << 20 };
	void *p = hide(malloc(100));

	check(ours(p), "malloc is slabwork's");
	free(p);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (int around = -1; around <= 0; around++)
			check_size(sizes[i] + (size_t)around ? sizes[i] + (size_t)around : 1);
	}
	for (size_t align = sizeof(void *); align <= 65536; align *= 2)
		check_align(align);
	check_limits();
	check_statistics();
	check_fork();
	printf("%u %u %s\n", passed, checks, first_failed ? first_failed : "");
	return passed == checks ? EXIT_OK : EXIT_FAIL;
}
