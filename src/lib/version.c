/* SPDX-License-Identifier: MIT */
/*
 * version.c - the version, as a string that `strings` finds in every copy of the library
 *
 * Room: lib.
 */

#include "lib/version.h"

const char sw_version_string[] = "slabwork " SW_VERSION;
