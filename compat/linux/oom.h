/* SPDX-License-Identifier: MIT */
#ifndef SW_COMPAT_LINUX_OOM_H
#define SW_COMPAT_LINUX_OOM_H

/* The kernel's name for this header; opt-in, see compat/README.md. */
#include <slabwork/oom.h>

#endif /* SW_COMPAT_LINUX_OOM_H */
