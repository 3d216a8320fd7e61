/* SPDX-License-Identifier: MIT */
#ifndef SW_RCUPDATE_H
#define SW_RCUPDATE_H

/**
 * DOC: <slabwork/rcupdate.h> - readers that never wait, memory freed when they are gone
 *
 *	reader					writer
 *	rcu_read_lock();			rcu_assign_pointer(gp, new);
 *	p = rcu_dereference(gp);		synchronize_rcu();
 *	... use p ...				kfree(old);
 *	rcu_read_unlock();
 *
 *                    in a reader   in a signal handler   holding a lock of yours
 *   rcu_read_lock        yes              yes                     yes
 *   call_rcu             yes              yes                     yes
 *   synchronize_rcu      never            never       if no reader waits for that lock
 *   rcu_barrier          never            never       if no callback waits for that lock
 *
 * Callbacks run in threads that allocate or free on a slow path, or that call
 * synchronize_rcu() or rcu_barrier(): slabwork has no thread of its own. In a forked
 * child only the forking thread's readers go on.
 *
 * Room: kernel (rcu.c; why an own one: docs/decisions/0003-rcu.md).
 * Source: Linux 5.4, Documentation/RCU/whatisRCU.txt
 */

#include <slabwork/types.h>

SW_BEGIN_DECLS

/* Lives in the object that is to be freed; its owner's again when func is called. */
struct rcu_head {
	struct rcu_head *next;
	void (*func)(struct rcu_head *head);
};
typedef void (*rcu_callback_t)(struct rcu_head *head);

/**
 * rcu_read_lock() - begin a read-side critical section
 *
 * Sections nest. One may block, but then grace periods wait for it.
 * Context: Any; async-signal-safe.
 */
SW_API void rcu_read_lock(void) SW_NAME(rcu_read_lock);

/**
 * rcu_read_unlock() - end the innermost read-side critical section
 *
 * Context: Any; in the thread that began it. A BUG without a section.
 */
SW_API void rcu_read_unlock(void) SW_NAME(rcu_read_unlock);

/**
 * rcu_read_lock_held() - is the calling thread in a read-side critical section?
 *
 * Return: 1 or 0.
 */
SW_API int rcu_read_lock_held(void) SW_NAME(rcu_read_lock_held);

/**
 * call_rcu() - call @func(@head) after a grace period
 * @head: in the object; not to be touched until @func gets it
 * @func: must not sleep, nor take a lock that somebody holds while he may sleep (an
 *        allocation with __GFP_DIRECT_RECLAIM may run callbacks); may free memory and
 *        call call_rcu()
 *
 * Never blocks and cannot fail: what waits is bounded only by the caller and by how often some
 * thread takes a slow path. A program that only defers should rcu_barrier() now and then.
 * Context: Any; async-signal-safe.
 */
SW_API void call_rcu(struct rcu_head *head, rcu_callback_t func) SW_NAME(call_rcu);

/**
 * synchronize_rcu() - wait until every reader that is in a section now has left it
 *
 * Context: May sleep; see the table above. A BUG inside a section.
 */
SW_API void synchronize_rcu(void) SW_NAME(synchronize_rcu);

/**
 * rcu_barrier() - wait until every callback queued before has run
 *
 * Runs them itself. Context: May sleep; see the table above. A BUG in a section or callback.
 */
SW_API void rcu_barrier(void) SW_NAME(rcu_barrier);

/* Acquire rather than consume: compilers make the same of it, and it is what C defines. */
#define rcu_dereference(p)           __atomic_load_n(&(p), __ATOMIC_ACQUIRE)
#define rcu_access_pointer(p)        __atomic_load_n(&(p), __ATOMIC_RELAXED)
#define rcu_assign_pointer(p, value) __atomic_store_n(&(p), (value), __ATOMIC_RELEASE)
#define RCU_INIT_POINTER(p, value)   __atomic_store_n(&(p), (value), __ATOMIC_RELAXED)

SW_END_DECLS

#endif /* SW_RCUPDATE_H */
