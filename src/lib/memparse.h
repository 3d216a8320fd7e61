/* SPDX-License-Identifier: MIT */
#ifndef LIB_MEMPARSE_H
#define LIB_MEMPARSE_H

/*
 * memparse.h - numbers and sizes as users write them
 *
 * Room: lib. Both return where the number ends, or NULL (and *out untouched) if
 * there is none or it does not fit 64 bits. No sign, no white space, no locale.
 */

#include <stdint.h>

/* 123, 0x7b, 0173. */
const char *parse_u64(const char *text, uint64_t *out);
/* The same, then perhaps k m g t p e (either case; powers of 1,024): the kernel's memparse(). */
const char *memparse_u64(const char *text, uint64_t *out);

#endif /* LIB_MEMPARSE_H */
