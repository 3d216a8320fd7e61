/* SPDX-License-Identifier: MIT */
#ifndef SW_COMPAT_LINUX_GFP_TYPES_H
#define SW_COMPAT_LINUX_GFP_TYPES_H

/* The kernel's name for this header; opt-in, see compat/README.md. */
#include <slabwork/gfp.h>

#endif /* SW_COMPAT_LINUX_GFP_TYPES_H */
