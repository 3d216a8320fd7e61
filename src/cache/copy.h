/* SPDX-License-Identifier: MIT */
#ifndef CACHE_COPY_H
#define CACHE_COPY_H

/*
 * copy.h - copying bytes of files
 *
 * Room: cache. A read beside a write of the same bytes may see some of each, here as in the kernel: that race is the
 * callers' and no error of ours. ThreadSanitizer is told so by copying where it does not look.
 */

#include <string.h>

#if defined(__SANITIZE_THREAD__)
#define COPIES_UNSEEN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define COPIES_UNSEEN 1
#endif
#endif

#ifdef COPIES_UNSEEN
/* volatile: else the compiler makes a memcpy() of it, which is looked at. */
__attribute__((no_sanitize("thread"), noinline, unused)) static void
file_copy(void *to, const void *from, size_t n)
{
	volatile char *t = to;
	const volatile char *f = from;

	while (n--)
		*t++ = *f++;
}

__attribute__((no_sanitize("thread"), noinline, unused)) static void file_zero(void *to, size_t n)
{
	volatile char *t = to;

	while (n--)
		*t++ = 0;
}
#else
static inline void file_copy(void *to, const void *from, size_t n)
{
	memcpy(to, from, n);
}

static inline void file_zero(void *to, size_t n)
{
	memset(to, 0, n);
}
#endif

#endif /* CACHE_COPY_H */
