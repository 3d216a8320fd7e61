/* SPDX-License-Identifier: MIT */
/*
 * memparse.c - numbers and sizes as users write them
 *
 * Room: lib. Differs from the kernel's memparse(): overflow is an error.
 */

#include <stddef.h>

#include "lib/memparse.h"

/* Value of a digit, or a number no base reaches. */
static unsigned int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned int)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned int)(c - 'A') + 10;
	return 255;
}

const char *parse_u64(const char *text, uint64_t *out)
{
	unsigned int base = 10;
	const char *at = text;
	uint64_t value = 0;

	if (at[0] == '0' && (at[1] | 0x20) == 'x' && digit_value(at[2]) < 16) {
		base = 16;
		at += 2;
	} else if (at[0] == '0') {
		base = 8;
	}
	if (digit_value(*at) >= base)
		return NULL;
	for (; digit_value(*at) < base; at++)
		if (__builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, digit_value(*at), &value))
			return NULL;
	*out = value;
	return at;
}

/* log2 of what a suffix multiplies with; 0: no suffix. */
static unsigned int suffix_shift(char c)
{
	switch (c | 0x20) {
	case 'k':
		return 10;
	case 'm':
		return 20;
	case 'g':
		return 30;
	case 't':
		return 40;
	case 'p':
		return 50;
	case 'e':
		return 60;
	default:
		return 0;
	}
}

const char *memparse_u64(const char *text, uint64_t *out)
{
	uint64_t value;
	const char *end = parse_u64(text, &value);
	unsigned int shift;

	if (!end)
		return NULL;
	shift = suffix_shift(*end);
	if (shift) {
		if (value << shift >> shift != value)
			return NULL;
		value <<= shift;
		end++;
	}
	*out = value;
	return end;
}
