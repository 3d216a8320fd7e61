/* SPDX-License-Identifier: MIT */
/*
 * boot.c - what starts, in which order
 *
 * Room: mm. Runs lazily, on the first call of any door (mm_boot() in boot.h), in whatever
 * thread that is: before main, before constructors, in the loader's own malloc. Nothing in it may call
 * malloc, except fork_init() at the end.
 *
 *   fork ─▶ parameters ─▶ CPU ids ─▶ windows ─▶ zones, first memory ─▶ slabs: DOWN → PARTIAL → UP
 *   fork_init  params_parse  cpu_init  layout_init  memory_init         kmem_cache_init
 *
 * State: 0 down, 1 booting, 2 up, -1 failed (every allocation is NULL from then on). Other
 * threads wait for the one that boots; what that one calls meanwhile finds each layer
 * below it working.
 */

#include <errno.h>

#include "mm/boot.h"

#include "kernel/cpu.h"
#include "kernel/fork.h"
#include "kernel/lock.h"
#include "kernel/param.h"
#include "kernel/printk.h"
#include "kernel/server.h"
#include "mm/machine.h"
#include "mm/page_alloc.h"
#include "mm/slab.h"
#include "os/os.h"

enum { BOOT_FAILED = -1, BOOT_DOWN, BOOT_RUNNING, BOOT_UP };

_Atomic int mm_boot_state;
static _Atomic int boot_tid;
static spinlock_t boot_lock = SPINLOCK_INIT;

/* An archive's program carries it although nothing calls into it: see machine.c. */
static const struct sw_machine *const volatile boot_machine_root
	__attribute__((used)) = &sw_machine_root;
/* The same for the word `control`, so that it is known everywhere. */
static const bool *const volatile boot_control __attribute__((used)) = &server_asked;

static bool start(void)
{
	params_parse();
	cpu_init();
	if (layout_init()) {
		pr_err("slabwork: no room for the windows of our address space\n");
		return false;
	}
	if (memory_init()) {
		pr_err("slabwork: the system gives no memory to start with\n");
		return false;
	}
	kmem_cache_init();
	kmem_cache_init_late();
	return true;
}

/* Rank 0: whoever forks holds the boot off, and no child is made in the middle of one. */
static void fork_lock_boot(void)
{
	spin_lock(&boot_lock);
}

static void fork_unlock_boot(void)
{
	spin_unlock(&boot_lock);
}
FORK_HANDLER(boot, 0, fork_lock_boot, fork_unlock_boot, fork_unlock_boot);

void mm_boot_slow(void)
{
	if (atomic_load(&mm_boot_state) == BOOT_RUNNING && atomic_load(&boot_tid) == os_tid())
		return;
	/* First: from here a fork waits for the boot, and its child finds it done. */
	fork_init();
	spin_lock(&boot_lock);
	if (atomic_load(&mm_boot_state) == BOOT_DOWN) {
		int saved = errno; /* getauxval() is libc's */
		bool up;

		atomic_store(&boot_tid, os_tid());
		atomic_store(&mm_boot_state, BOOT_RUNNING);
		up = start();
		atomic_store(&mm_boot_state, up ? BOOT_UP : BOOT_FAILED);
		errno = saved;
	}
	spin_unlock(&boot_lock);
}
