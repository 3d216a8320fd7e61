/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_PARAM_H
#define KERNEL_PARAM_H

/*
 * param.h - SLABWORK="a kernel command line"
 *
 * Room: kernel. Whoever owns a parameter declares it at file scope; boot calls
 * params_parse() once, which walks the variable and calls each setter. Unknown
 * words warn once, with the nearest known word; a bad value is named with its
 * range. Under AT_SECURE only parameters declared PARAM_SECURE are taken.
 * Nothing here allocates.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum param_flags {
	PARAM_NONE = 0,
	PARAM_SECURE = 1, /* strengthens: honoured under AT_SECURE too */
	PARAM_PREFIX = 2, /* name is a prefix ending in '.'; setter gets the rest through value */
};

struct param {
	const char *name;
	/* value: text after '=', "" for a bare word; lives for ever. 0 or -EINVAL. */
	int (*set)(const char *value);
	const char *range; /* for the message: "4M..64T" */
	unsigned int flags;
};

#define __param(ident, text, setter, range_text, flag_bits)                                  \
	static const struct param param_##ident                                              \
		__attribute__((used, section("sw_params"), aligned(sizeof(void *)))) = {     \
			.name = text, .set = setter, .range = range_text, .flags = flag_bits \
		}

void params_parse(void); /* reads getenv("SLABWORK"), once */

/* Helpers for setters. 0 or -EINVAL; *out untouched on failure. */
int param_bytes(const char *value, uint64_t *out); /* memparse: 64k 4M 1G 0x1000 */
int param_uint(const char *value, unsigned int min, unsigned int max, unsigned int *out);
int param_bool(const char *value, bool *out); /* "", 1, on, y, yes / 0, off, n, no */

#endif /* KERNEL_PARAM_H */
