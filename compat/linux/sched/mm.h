/* SPDX-License-Identifier: MIT */
#ifndef SW_COMPAT_LINUX_SCHED_MM_H
#define SW_COMPAT_LINUX_SCHED_MM_H

/* The kernel's name for this header; opt-in, see compat/README.md. */
#include <slabwork/sched_mm.h>

#endif /* SW_COMPAT_LINUX_SCHED_MM_H */
