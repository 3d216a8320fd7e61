/* SPDX-License-Identifier: MIT */
#ifndef SW_COMPAT_LINUX_MM_TYPES_H
#define SW_COMPAT_LINUX_MM_TYPES_H

/* The kernel's name for this header; opt-in, see compat/README.md. */
#include <slabwork/types.h>

#endif /* SW_COMPAT_LINUX_MM_TYPES_H */
