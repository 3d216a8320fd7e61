/* SPDX-License-Identifier: MIT */
#ifndef TESTS_ABUSE_ABUSE_H
#define TESTS_ABUSE_ABUSE_H

/*
 * abuse.h - for the tiny programs here, one a misuse
 *
 * The second line of each says what must be the first line on its stderr (a shell
 * pattern) before it dies of SIGABRT; run.sh holds them to it, under the preload.
 */

#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

void free_sized(void *p, size_t n) __attribute__((weak));
void free_aligned_sized(void *p, size_t align, size_t n) __attribute__((weak));

/* The compiler must not see through what we do. */
static inline void *opaque(void *p)
{
	__asm__ volatile("" : "+r"(p) : : "memory");
	return p;
}

#endif /* TESTS_ABUSE_ABUSE_H */
