/* SPDX-License-Identifier: MIT */
#ifndef LIB_BITOPS_H
#define LIB_BITOPS_H

/*
 * bitops.h - bits, powers of two, rounding, and the few macros everybody needs
 *
 * Room: lib. The kernel's names and meanings. Constant arguments give constant results.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BITS_PER_LONG 64
#define BIT(nr)       (1UL << (nr))
_Static_assert(sizeof(long) == 8, "64-bit machines only");

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#endif
#ifndef container_of
#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))
#endif

/* Both sides once, and of one type: a comparison of mixed signs does not compile quietly. */
#ifndef min
#define min(a, b)                                      \
	({                                             \
		__auto_type __min_a = (a);             \
		__auto_type __min_b = (b);             \
		(void)(&__min_a == &__min_b);          \
		__min_a < __min_b ? __min_a : __min_b; \
	})
#define max(a, b)                                      \
	({                                             \
		__auto_type __max_a = (a);             \
		__auto_type __max_b = (b);             \
		(void)(&__max_a == &__max_b);          \
		__max_a > __max_b ? __max_a : __max_b; \
	})
#define min_t(type, a, b)               min((type)(a), (type)(b))
#define max_t(type, a, b)               max((type)(a), (type)(b))
#define clamp(value, low, high)         min(max(value, low), high)
#define clamp_t(type, value, low, high) min_t(type, max_t(type, value, low), high)
#endif

/* --- finding bits ---------------------------------------------------------- */

/* Position of the highest set bit, counted from 1; fls(0) is 0. */
static inline __attribute__((always_inline)) int fls(unsigned int x)
{
	return x ? 32 - __builtin_clz(x) : 0;
}

static inline __attribute__((always_inline)) int fls64(uint64_t x)
{
	return x ? 64 - __builtin_clzll(x) : 0;
}

static inline __attribute__((always_inline)) int fls_long(unsigned long x)
{
	return fls64(x);
}

/* Position of the lowest set bit, counted from 0; x is not 0. */
static inline __attribute__((always_inline)) unsigned long __ffs(unsigned long x)
{
	return (unsigned long)__builtin_ctzl(x);
}

/* Position of the highest set bit, counted from 0; x is not 0. */
static inline __attribute__((always_inline)) unsigned long __fls(unsigned long x)
{
	return 63 - (unsigned long)__builtin_clzl(x);
}

/* Position of the lowest clear bit; x is not all ones. */
static inline __attribute__((always_inline)) unsigned long ffz(unsigned long x)
{
	return __ffs(~x);
}

static inline unsigned int hweight64(uint64_t x)
{
	return (unsigned int)__builtin_popcountll(x);
}

/* --- powers of two --------------------------------------------------------- */

static inline __attribute__((always_inline)) bool is_power_of_2(unsigned long x)
{
	return x && !(x & (x - 1));
}

/* Floor of log2; x is not 0. */
static inline __attribute__((always_inline)) int ilog2(uint64_t x)
{
	return 63 - __builtin_clzll(x);
}

/* Ceiling of log2; order_base_2(0) and (1) are 0. */
static inline __attribute__((always_inline)) int order_base_2(uint64_t x)
{
	return x > 1 ? fls64(x - 1) : 0;
}

/* 1 <= x <= 2^63. */
static inline __attribute__((always_inline)) unsigned long roundup_pow_of_two(unsigned long x)
{
	return 1UL << order_base_2(x);
}

static inline __attribute__((always_inline)) unsigned long rounddown_pow_of_two(unsigned long x)
{
	return 1UL << ilog2(x);
}

/* --- rounding -------------------------------------------------------------- */

#define __ALIGN_BITS(x, align) ((__typeof__(x))(align)-1)

/* align is a power of two. */
#ifndef ALIGN
#define ALIGN(x, align)       (((x) + __ALIGN_BITS(x, align)) & ~__ALIGN_BITS(x, align))
#define ALIGN_DOWN(x, align)  ((x) & ~__ALIGN_BITS(x, align))
#define IS_ALIGNED(x, align)  (((x)&__ALIGN_BITS(x, align)) == 0)
#define PTR_ALIGN(ptr, align) ((__typeof__(ptr))ALIGN((uintptr_t)(ptr), align))
#endif
#define round_up(x, align)   ALIGN(x, align)
#define round_down(x, align) ALIGN_DOWN(x, align)

/* Any divisor but 0. */
#ifndef DIV_ROUND_UP
#define DIV_ROUND_UP(n, d) (((n) + (d)-1) / (d))
#define roundup(x, y)      (DIV_ROUND_UP(x, y) * (y))
#define rounddown(x, y)    ((x) - (x) % (y))
#endif

#endif /* LIB_BITOPS_H */
