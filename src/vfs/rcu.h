/* SPDX-License-Identifier: MIT */
#ifndef VFS_RCU_H
#define VFS_RCU_H

/*
 * rcu.h - plain words and chains that are read while somebody changes them
 *
 * Room: vfs, private. READ_ONCE() and WRITE_ONCE() say "raced for on purpose": a sequence counter or a
 * second look decides whether the value counts. Chains: one writer at a time by the bucket's lock, readers
 * under RCU; a node that was taken out still leads its readers on to the rest of the chain.
 */

#include <stdatomic.h>

#include <slabwork/rcupdate.h>

#include "lib/list.h"

#define READ_ONCE(x)     __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v) __atomic_store_n(&(x), (v), __ATOMIC_RELAXED)

/* A read-modify-write is a full barrier on x86-64 already; elsewhere this makes it one. */
static inline void smp_mb__after_atomic(void)
{
#if defined(__x86_64__)
	atomic_signal_fence(memory_order_seq_cst);
#else
	atomic_thread_fence(memory_order_seq_cst);
#endif
}

static inline void hlist_add_head_rcu(struct hlist_node *node, struct hlist_head *head)
{
	struct hlist_node *first = head->first;

	WRITE_ONCE(node->next, first);
	WRITE_ONCE(node->pprev, &head->first);
	if (first)
		WRITE_ONCE(first->pprev, &node->next);
	rcu_assign_pointer(head->first, node);
}

static inline void hlist_del_init_rcu(struct hlist_node *node)
{
	struct hlist_node *next = node->next;

	rcu_assign_pointer(*node->pprev, next);
	if (next)
		WRITE_ONCE(next->pprev, node->pprev);
	WRITE_ONCE(node->pprev, NULL);
}

#define hlist_for_each_entry_rcu(pos, head, member)                                            \
	for (pos = hlist_entry_safe(rcu_dereference((head)->first), __typeof__(*pos), member); \
	     pos;                                                                              \
	     pos = hlist_entry_safe(rcu_dereference(pos->member.next), __typeof__(*pos), member))

#endif /* VFS_RCU_H */
