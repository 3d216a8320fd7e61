/* SPDX-License-Identifier: MIT */
#ifndef LIB_RECIPROCAL_H
#define LIB_RECIPROCAL_H

/*
 * reciprocal.h - divide by a number fixed at run time, with one multiplication
 *
 * Room: lib.
 *
 * m = ceil(2^63 / d). Then a / d == floor(a * m / 2^63) for every a < 2^32 and
 * 1 <= d <= 2^31: m*d = 2^63 + e with 0 <= e < d, so a*m/2^63 = a/d + a*e/(d*2^63), and
 * the second term is below 2^32 * d / (d * 2^63) = 2^-31 <= 1/d; a/d lies at least
 * 1/d under the next integer, so the floor is not disturbed. (2^63 rather
 * than 2^64 lets d = 1 fit; doubling a makes the shift the high half of a product.)
 */

#include <stdint.h>

struct reciprocal_value {
	uint64_t m;
};

/* 1 <= d <= 2^31. */
static inline struct reciprocal_value reciprocal_value(uint32_t d)
{
	const uint64_t two63 = 1ULL << 63;

	return (struct reciprocal_value){ .m = two63 / d + (two63 % d != 0) };
}

static inline uint32_t reciprocal_divide(uint32_t a, struct reciprocal_value r)
{
	return (uint32_t)(((unsigned __int128)((uint64_t)a << 1) * r.m) >> 64);
}

#endif /* LIB_RECIPROCAL_H */
