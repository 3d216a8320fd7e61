/* SPDX-License-Identifier: MIT */
#ifndef CACHE_BUG_H
#define CACHE_BUG_H

/*
 * bug.h - a broken invariant ends the process, with one line and without allocating
 *
 * Room: cache. The kernel room's BUG() is not exported.
 */

#include <stdlib.h>
#include <unistd.h>

#define CACHE_STR2(x) #x
#define CACHE_STR(x)  CACHE_STR2(x)

#define CACHE_BUG_ON(condition)                                                                  \
	do {                                                                                     \
		if (__builtin_expect(!!(condition), 0)) {                                        \
			static const char text[] = "slabwork: page cache: " #condition           \
						   " at " __FILE__ ":" CACHE_STR(__LINE__) "\n"; \
			(void)!write(2, text, sizeof(text) - 1);                                 \
			abort();                                                                 \
		}                                                                                \
	} while (0)

#endif /* CACHE_BUG_H */
