/* SPDX-License-Identifier: MIT */
#ifndef MM_BOOT_H
#define MM_BOOT_H

/*
 * boot.h - the first call of all starts the machine
 *
 * Room: mm. Every door of mm that may be somebody's first call says mm_boot()
 * before it touches a zone or a cache; once booted it costs one load.
 */

#include <slabwork/export.h>

extern _Atomic int mm_boot_state; /* 0 down, 1 booting, 2 up, -1 failed */

void mm_boot_slow(void);

static inline void mm_boot(void)
{
	if (unlikely(__atomic_load_n((int *)&mm_boot_state, __ATOMIC_ACQUIRE) != 2))
		mm_boot_slow();
}

#endif /* MM_BOOT_H */
