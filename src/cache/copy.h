/* SPDX-License-Identifier: MIT */
#ifndef CACHE_COPY_H
#define CACHE_COPY_H

/*
 * copy.h - copying bytes of files
 *
 * Room: cache. A read beside a write of the same bytes may see some of each, here as in the kernel: that race is the
 * callers' and no error of ours. ThreadSanitizer is told so by copying where it does not look.
 */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if defined(__SANITIZE_THREAD__)
#define COPIES_UNSEEN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define COPIES_UNSEEN 1
#endif
#endif

#ifdef COPIES_UNSEEN
/*
 * volatile: else the compiler makes a memcpy() of it, which is looked at. By words where both ends are aligned, as
 * memcpy() does: else a reader could see an aligned word that is half of one write and half of the next.
 */
__attribute__((no_sanitize("thread"), noinline, unused)) static void
file_copy(void *to, const void *from, size_t n)
{
	volatile char *t = to;
	const volatile char *f = from;
	bool by_words = !(((uintptr_t)t ^ (uintptr_t)f) % sizeof(uint64_t));

	while (n) {
		if (by_words && n >= sizeof(uint64_t) && !((uintptr_t)t % sizeof(uint64_t))) {
			*(volatile uint64_t *)(volatile void *)t =
				*(const volatile uint64_t *)(const volatile void *)f;
			t += sizeof(uint64_t);
			f += sizeof(uint64_t);
			n -= sizeof(uint64_t);
			continue;
		}
		*t++ = *f++;
		n--;
	}
}

__attribute__((no_sanitize("thread"), noinline, unused)) static void file_zero(void *to, size_t n)
{
	volatile char *t = to;

	while (n) {
		if (n >= sizeof(uint64_t) && !((uintptr_t)t % sizeof(uint64_t))) {
			*(volatile uint64_t *)(volatile void *)t = 0;
			t += sizeof(uint64_t);
			n -= sizeof(uint64_t);
			continue;
		}
		*t++ = 0;
		n--;
	}
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

/* ---- copy.c: pages that are read, or written over ---- */

#define COPY_WIDE_LEAST 1024
#define COPY_WIDE_MOST  8192

/* Once, before the first copy_wide(). */
void copy_init(void);
extern bool copy_wide_words;
/* COPY_WIDE_LEAST to COPY_WIDE_MOST bytes, if copy_wide_words. */
void copy_wide(char *to, const char *from, size_t n);

#endif /* CACHE_COPY_H */
