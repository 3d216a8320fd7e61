/* SPDX-License-Identifier: MIT */
#ifndef SW_COMPAT_LINUX_MEMPOOL_H
#define SW_COMPAT_LINUX_MEMPOOL_H

/* The kernel's name for this header; opt-in, see compat/README.md. */
#include <slabwork/mempool.h>

#endif /* SW_COMPAT_LINUX_MEMPOOL_H */
