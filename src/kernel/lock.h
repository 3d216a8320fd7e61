/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_LOCK_H
#define KERNEL_LOCK_H

/*
 * lock.h - one lock: spins a little, then sleeps on a futex
 *
 * Room: kernel. 4 bytes, zero-initialised is unlocked. spinlock_t and struct
 * mutex are the same thing here; the two names say whether the holder may
 * sleep. Uncontended: one atomic exchange to lock, no system call. Not
 * recursive. Annotated for TSan (plain C11 atomics: nothing to annotate).
 *
 * Atomic context (a signal handler) only ever trylocks: see ARCHITECTURE §4.
 */

#include <slabwork/lock.h>

/* Between looks of who spins. */
static inline void cpu_relax(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("isb" ::: "memory");
#endif
}

#endif /* KERNEL_LOCK_H */
