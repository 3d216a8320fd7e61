/* SPDX-License-Identifier: MIT */
#ifndef SW_COMPAT_LINUX_MM_H
#define SW_COMPAT_LINUX_MM_H

/* The kernel's name for this header; opt-in, see compat/README.md. */
#include <slabwork/mm.h>
#include <slabwork/kvmalloc.h>

#endif /* SW_COMPAT_LINUX_MM_H */
