/* SPDX-License-Identifier: MIT */
#ifndef TESTS_EMULATOR_H
#define TESTS_EMULATOR_H

/*
 * emulator.h - does this program run under the build's emulator (qemu-user)?
 *
 * It cannot do all that a kernel can: no execution of our own file, no filters, no limits,
 * no second mapping by mremap(), no reading of another process; and what is resident is its
 * own memory as well. tests/meson.build sets EMULATOR in cross builds.
 */

#include <kunit/test.h>
#include <stdlib.h>

static inline bool emulated(void)
{
	const char *emulator = getenv("EMULATOR");

	return emulator && *emulator;
}

#define skip_if_emulated(test, why)            \
	do {                                   \
		if (emulated())                \
			kunit_skip(test, why); \
	} while (0)

#endif /* TESTS_EMULATOR_H */
