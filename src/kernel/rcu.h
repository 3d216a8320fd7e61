/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_RCU_H
#define KERNEL_RCU_H

/*
 * rcu.h - what the library's slow paths owe RCU
 *
 * Room: kernel. The public half is <slabwork/rcupdate.h>. Lock order: rank 5, outside
 * every lock of ARCHITECTURE §4: call synchronize_rcu() and rcu_barrier() with none held.
 */

#include <stdatomic.h>
#include <stdbool.h>

#include <slabwork/rcupdate.h>

/* Callbacks queued and not run yet. */
extern _Atomic unsigned long rcu_pending;

void rcu_poll_slow(void);

/*
 * Run the callbacks that are due; start or advance a grace period; never waits. For slow
 * paths that may sleep, with no lock of ours held. One load when nothing is queued.
 */
static inline void rcu_poll(void)
{
	if (__builtin_expect(atomic_load_explicit(&rcu_pending, memory_order_relaxed) != 0, 0))
		rcu_poll_slow();
}

#endif /* KERNEL_RCU_H */
