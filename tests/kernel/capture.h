/* SPDX-License-Identifier: MIT */
#ifndef TESTS_KERNEL_CAPTURE_H
#define TESTS_KERNEL_CAPTURE_H

/* capture.h - what printk says, into a string. Each case runs in its own process: no clean-up. */

#include <string.h>

#include "kernel/printk.h"

static char captured[8192];

static void capture_sink(const char *text, unsigned long len)
{
	size_t have = strlen(captured);

	if (len > sizeof(captured) - 1 - have)
		len = sizeof(captured) - 1 - have;
	memcpy(captured + have, text, len);
	captured[have + len] = '\0';
}

static inline void capture(void)
{
	captured[0] = '\0';
	printk_sink = capture_sink;
}

#endif /* TESTS_KERNEL_CAPTURE_H */
