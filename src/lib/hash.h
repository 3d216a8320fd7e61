/* SPDX-License-Identifier: MIT */
#ifndef LIB_HASH_H
#define LIB_HASH_H

/*
 * hash.h - spread keys over 2^bits buckets
 *
 * Room: lib. Fibonacci hashing: multiply by 2^64 divided by the golden ratio, keep the high bits.
 * No defence against an adversary who picks keys: mix a secret in where that matters.
 */

#include <stddef.h>
#include <stdint.h>

#define GOLDEN_RATIO_64 0x61c8864680b583ebULL

/* 1 <= bits <= 32. */
static inline uint32_t hash_64(uint64_t key, unsigned int bits)
{
	return (uint32_t)((key * GOLDEN_RATIO_64) >> (64 - bits));
}

static inline uint32_t hash_ptr(const void *ptr, unsigned int bits)
{
	return hash_64((uintptr_t)ptr, bits);
}

/* Every input bit moves every output bit; a bijection. */
static inline uint64_t hash_mix64(uint64_t x)
{
	x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93ULL;
	x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93ULL;
	return x ^ (x >> 32);
}

/* Of short strings and small records. */
static inline uint64_t hash_bytes(const void *data, size_t size, uint64_t seed)
{
	const unsigned char *byte = data;

	while (size--)
		seed = (seed ^ *byte++) * GOLDEN_RATIO_64;
	return hash_mix64(seed);
}

#endif /* LIB_HASH_H */
