/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_FORK_H
#define KERNEL_FORK_H

/*
 * fork.h - every lock is held across fork
 *
 * Room: kernel. Handlers are declared at file scope with a rank; prepare runs
 * from rank 0 upwards (outermost lock first), parent and child downwards.
 * fork_init() registers one pthread_atfork() trio.
 */

struct fork_handler {
	/*
	 * The lock order of ARCHITECTURE §4: 5 rcu, 10 slab_mutex, 20 shrinker, 30 vmap,
	 * 40 list_lock, 50 barn, 60 pcp, 70 zone.
	 */
	int rank;
	void (*prepare)(void);
	void (*parent)(void);
	void (*child)(void);
};

#define FORK_HANDLER(ident, rank_, prepare_, parent_, child_)                                  \
	static const struct fork_handler fork_##ident                                          \
		__attribute__((used, section("sw_fork"), aligned(sizeof(void *)))) = {         \
			.rank = rank_, .prepare = prepare_, .parent = parent_, .child = child_ \
		}

void fork_init(void);

#endif /* KERNEL_FORK_H */
