/* SPDX-License-Identifier: MIT */
/*
 * init.c - the first call makes the rest of the library ready
 *
 * Room: vfs. fs_init() is called by each door that can be the first; threads that come at the same time wait
 * for the one that does it. A failure (no memory) may be tried again.
 */

#include "cache/cache.h"
#include "vfs/vfs_internal.h"

static _Atomic bool ready;
static struct mutex init_mutex;

static int init_all(void)
{
	static int (*const steps[])(void) = { cache_init,      dcache_init, inode_init,
					      file_table_init, mount_init,  task_init };
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
