/* SPDX-License-Identifier: MIT */
#ifndef LIB_PRNG_H
#define LIB_PRNG_H

/*
 * prng.h - repeatable random numbers: for tests, sampling and shuffles, never for secrets
 *
 * Room: lib. Seeding by splitmix64, numbers by xorshift64*: eight bytes of state, period 2^64 - 1.
 */

#include <stdint.h>

struct prng {
	uint64_t state; /* never 0 */
};

static inline void prng_seed(struct prng *rng, uint64_t seed)
{
	uint64_t x = seed + 0x9e3779b97f4a7c15ULL;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	x ^= x >> 31;
	rng->state = x ? x : 1;
}

static inline uint64_t prng_u64(struct prng *rng)
{
	uint64_t x = rng->state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	rng->state = x;
	return x * 0x2545f4914f6cdd1dULL;
}

/* 0 .. limit - 1; limit > 0. The bias is below limit / 2^32. */
static inline uint32_t prng_below(struct prng *rng, uint32_t limit)
{
	return (uint32_t)(((prng_u64(rng) >> 32) * limit) >> 32);
}

#endif /* LIB_PRNG_H */
