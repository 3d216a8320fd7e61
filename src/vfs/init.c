/* SPDX-License-Identifier: MIT */
/*
 * init.c - the first call makes the rest of the library ready
 *
 * Room: vfs. fs_init() is called by each door that can be the first; threads that come at the same time wait
 * for the one that does it. A failure (no memory) may be tried again.
 *
 * Fork: the locks that every call may want (mounts, tables, hashes, lists of each super block) are held by the
 * forking thread, so that none of them stays locked in the child for ever. Locks of a single inode, dentry or
 * file are not: what another thread was working on at that moment may stay locked in the child.
 */

#include <pthread.h>

#include "cache/cache.h"
#include "vfs/vfs_internal.h"

static _Atomic bool ready;
static struct mutex init_mutex;

/* Outer ones first: docs/FILES.md, section 7. */
static void (*const fork_steps[])(bool lock) = { mount_fork, super_fork, dcache_fork,
						 inode_fork, locks_fork, task_fork };
#define NR_FORK_STEPS (sizeof(fork_steps) / sizeof(fork_steps[0]))

static void before_fork(void)
{
	for (unsigned int i = 0; i < NR_FORK_STEPS; i++)
		fork_steps[i](true);
}

static void after_fork(void)
{
	for (unsigned int i = NR_FORK_STEPS; i-- > 0;)
		fork_steps[i](false);
}

static int fork_init(void)
{
	return pthread_atfork(before_fork, after_fork, after_fork) ? -ENOMEM : 0;
}

static int init_all(void)
{
	static int (*const steps[])(void) = { cache_init, dcache_init, inode_init, file_table_init,
					      mount_init, task_init,   fork_init };
	static unsigned int done;

	for (; done < sizeof(steps) / sizeof(steps[0]); done++) {
		int err = steps[done]();

		if (err)
			return err;
	}
	return 0;
}

static int fs_init_slow(void)
{
	int err = 0;

	mutex_lock(&init_mutex);
	if (!atomic_load(&ready)) {
		err = init_all();
		/* Types register themselves, which asks whether we are ready. */
		atomic_store(&ready, !err);
		if (!err)
			fstypes_init();
	}
	mutex_unlock(&init_mutex);
	return err;
}

int fs_init(void)
{
	return likely(atomic_load_explicit(&ready, memory_order_acquire)) ? 0 : fs_init_slow();
}
