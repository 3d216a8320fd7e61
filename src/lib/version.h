/* SPDX-License-Identifier: MIT */
/* version.h - what `slabwork --version` and the report headers print. Room: lib. */
#ifndef LIB_VERSION_H
#define LIB_VERSION_H

extern const char sw_version_string[];

#endif /* LIB_VERSION_H */
