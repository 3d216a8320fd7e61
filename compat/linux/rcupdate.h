/* SPDX-License-Identifier: MIT */
#ifndef SW_COMPAT_LINUX_RCUPDATE_H
#define SW_COMPAT_LINUX_RCUPDATE_H

/* The kernel's name for this header; opt-in, see compat/README.md. */
#include <slabwork/rcupdate.h>

#endif /* SW_COMPAT_LINUX_RCUPDATE_H */
