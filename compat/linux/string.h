/* SPDX-License-Identifier: MIT */
#ifndef SW_COMPAT_LINUX_STRING_H
#define SW_COMPAT_LINUX_STRING_H

/* The kernel's name for this header; opt-in, see compat/README.md. */
#include <string.h>
#include <slabwork/string.h>

#endif /* SW_COMPAT_LINUX_STRING_H */
