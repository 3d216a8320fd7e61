/* SPDX-License-Identifier: MIT */
#ifndef SW_COMPAT_LINUX_PERCPU_H
#define SW_COMPAT_LINUX_PERCPU_H

/* The kernel's name for this header; opt-in, see compat/README.md. */
#include <slabwork/percpu.h>

#endif /* SW_COMPAT_LINUX_PERCPU_H */
