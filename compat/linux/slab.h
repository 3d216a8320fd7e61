/* SPDX-License-Identifier: MIT */
#ifndef SW_COMPAT_LINUX_SLAB_H
#define SW_COMPAT_LINUX_SLAB_H

/* The kernel's name for this header; opt-in, see compat/README.md. */
#ifndef SW_KERNEL_NAMES
#define SW_KERNEL_NAMES /* no <stdio.h> from us */
#endif
#include <slabwork/slab.h>
#include <slabwork/mempool.h>

#endif /* SW_COMPAT_LINUX_SLAB_H */
