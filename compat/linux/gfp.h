/* SPDX-License-Identifier: MIT */
#ifndef SW_COMPAT_LINUX_GFP_H
#define SW_COMPAT_LINUX_GFP_H

/* The kernel's name for this header; opt-in, see compat/README.md. */
#include <slabwork/gfp.h>
#include <slabwork/mm.h>

#endif /* SW_COMPAT_LINUX_GFP_H */
