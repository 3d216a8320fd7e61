/* SPDX-License-Identifier: MIT */
#ifndef SW_COMPAT_LINUX_VMALLOC_H
#define SW_COMPAT_LINUX_VMALLOC_H

/* The kernel's name for this header; opt-in, see compat/README.md. */
#include <slabwork/vmalloc.h>

#endif /* SW_COMPAT_LINUX_VMALLOC_H */
