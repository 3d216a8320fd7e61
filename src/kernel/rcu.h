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

/* Pushed by call_rcu(), newest first; what was taken from there and has not all been run. rcu.c's. */
extern _Atomic(struct rcu_head *) rcu_incoming;
extern _Atomic bool rcu_batched;

/* Are callbacks queued that have not been run? */
static inline bool rcu_pending(void)
{
	return atomic_load_explicit(&rcu_incoming, memory_order_relaxed) ||
	       atomic_load_explicit(&rcu_batched, memory_order_relaxed);
}

void rcu_poll_slow(void);

/*
 * Run the callbacks that are due; start or advance a grace period; never waits. For slow
 * paths that may sleep, with no lock of ours held. Two loads when nothing is queued.
 */
static inline void rcu_poll(void)
{
	if (__builtin_expect(rcu_pending(), 0))
		rcu_poll_slow();
}

#endif /* KERNEL_RCU_H */
