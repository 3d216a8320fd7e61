/* SPDX-License-Identifier: MIT */
#ifndef MALLOC_INTERNAL_H
#define MALLOC_INTERNAL_H

/*
 * malloc_internal.h - what the files of this room say to each other
 */

#include "malloc/classes.h"

/* Out of line neighbours of malloc/fast.h. malloc_slow(): NULL and ENOMEM, else errno untouched. */
SW_HIDDEN void *malloc_slow(size_t n, gfp_t flags);
SW_HIDDEN void *malloc_block(size_t n); /* n > MALLOC_CACHE_MAX */
SW_HIDDEN void free_slow(void *p, unsigned int tag, const char *who);
/* @align a power of two, @n any. NULL and ENOMEM; errno untouched on success. */
SW_HIDDEN void *malloc_aligned(size_t align, size_t n);
SW_HIDDEN void *malloc_nomem(void);

/* realloc() gives what grows four times as much as it asks for, and a class rounds that up. */
#define MALLOC_GROWN_SLACK 5

/* Bytes behind a pointer that the caller says is live; stops the process if it is not. */
SW_HIDDEN size_t malloc_usable(const void *p, const char *who);

/* Say what @p is and stop the process. @who: "free()". */
SW_HIDDEN void misuse_pointer(const char *who, const void *p) __attribute__((noreturn, cold));
SW_HIDDEN void misuse_size(const char *who, const void *p, size_t said, size_t is)
	__attribute__((noreturn, cold));
SW_HIDDEN void misuse_align(const char *who, const void *p, size_t said)
	__attribute__((noreturn, cold));
SW_HIDDEN void misuse_text(const char *fmt, ...)
	__attribute__((noreturn, cold, format(printf, 1, 2)));

#endif /* MALLOC_INTERNAL_H */
