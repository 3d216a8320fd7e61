/* SPDX-License-Identifier: MIT */
/*
 * misuse.c - what is said before the process is stopped
 *
 * Room: malloc. One line on stderr, stable to the byte but for the numbers, then
 * SIGABRT. Written with write(2) from the stack; nothing here allocates, takes a
 * lock that it must get, or touches memory at the bad address.
 */

#include "malloc/malloc_internal.h"

#include <stdarg.h>
#include <stdio.h>

#include "os/os.h"

#define LINE_BYTES 320

void misuse_text(const char *fmt, ...)
{
	char line[LINE_BYTES];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(line, sizeof(line) - 1, fmt, args);
	va_end(args);
	if (len > (int)sizeof(line) - 2)
		len = (int)sizeof(line) - 2;
	if (len > 0) {
		line[len++] = '\n';
		os_write_err(line, (size_t)len);
	}
	os_abort();
}

/* "malloc-64, object 12 of slab 0x…" or "[malloc-80k, ]block of 81920 bytes at 0x…" */
static void place(char *text, size_t room, const struct sw_what *what)
{
	if (what->is_object)
		snprintf(text, room, "%s, object %u of slab 0x%lx", what->cache, what->index,
			 (unsigned long)what->slab);
	else
		snprintf(text, room, "%s%sblock of %zu bytes at 0x%lx",
			 what->cache ? what->cache : "", what->cache ? ", " : "", what->size,
			 (unsigned long)what->start);
}

void misuse_pointer(const char *who, const void *p)
{
	/* Who only asks has freed nothing twice. */
	const char *dead = strcmp(who, "malloc_usable_size()") ? "double free of" : "freed pointer";
	unsigned long addr = (unsigned long)p;
	struct sw_what what = { 0 };
	char where[128];

	sw_what_is(p, &what);
	place(where, sizeof(where), &what);
	switch (what.kind) {
	case SW_WHAT_FREE:
		misuse_text("slabwork: %s: %s 0x%lx (%s)", who, dead, addr, where);
	case SW_WHAT_INTERIOR:
		misuse_text("slabwork: %s: interior pointer 0x%lx, %lu bytes into 0x%lx (%s)", who,
			    addr, addr - what.start, (unsigned long)what.start, where);
	case SW_WHAT_FREE_INSIDE:
		misuse_text("slabwork: %s: interior pointer 0x%lx into free memory (%s)", who, addr,
			    where);
	case SW_WHAT_FREE_PAGE:
		misuse_text("slabwork: %s: %s 0x%lx (free pages)", who, dead, addr);
	case SW_WHAT_LIVE: /* another thread freed and got it between the check and now */
		misuse_text("slabwork: %s: double free of 0x%lx in a race (%s)", who, addr, where);
	case SW_WHAT_FOREIGN:
		break;
	}
	misuse_text("slabwork: %s: foreign pointer 0x%lx (not memory of this heap)", who, addr);
}

void misuse_size(const char *who, const void *p, size_t said, size_t is)
{
	struct sw_what what = { 0 };
	char where[128];

	sw_what_is(p, &what);
	place(where, sizeof(where), &what);
	misuse_text("slabwork: %s: wrong size %zu for 0x%lx of %zu bytes (%s)", who, said,
		    (unsigned long)p, is, where);
}

void misuse_align(const char *who, const void *p, size_t said)
{
	misuse_text("slabwork: %s: wrong alignment %zu for 0x%lx", who, said, (unsigned long)p);
}
