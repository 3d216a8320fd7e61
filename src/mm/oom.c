/* SPDX-License-Identifier: MIT */
/*
 * oom.c - a last word before an allocation fails
 *
 * Room: mm. Door: <slabwork/oom.h>. Called by the page allocator's slow path
 * after reclaim found nothing.
 *
 * The kernel picks a process and kills it. There is one process here and it is
 * the user's: whoever asked gets NULL, and the log gets the kernel's report, so
 * that what held the memory can be read off: zones, then the caches that cannot be
 * reclaimed. Reports come at most once in OOM_REPORT_NS; the number of those
 * left out is said in the next one.
 *
 * Locks: oom_mutex guards the notifiers and is held while they run (rank 6:
 * outside slab_mutex, which a notifier that shrinks a cache takes).
 *
 * Departures from Linux 6.12: no task list, no score, no kill.
 */

#include <errno.h>
#include <inttypes.h>

#include <slabwork/oom.h>

#include "kernel/current.h"
#include "kernel/fork.h"
#include "kernel/lock.h"
#include "kernel/printk.h"
#include "lib/list.h"
#include "mm/gfp_text.h"
#include "mm/page_alloc.h"
#include "mm/slab.h"
#include "mm/vmscan.h"
#include "mm/zone.h"
#include "os/os.h"

/* The kernel's interval for "page allocation failure": one report in 10 s. */
#define OOM_REPORT_NS (10 * 1000000000ULL)

static struct mutex oom_mutex = MUTEX_INIT;
static struct notifier_block *notifiers; /* oom_mutex; highest priority first */
static __thread bool in_notifier;

int register_oom_notifier(struct notifier_block *nb)
{
	struct notifier_block **link;

	mutex_lock(&oom_mutex);
	for (link = &notifiers; *link; link = &(*link)->next)
		if (*link == nb) {
			mutex_unlock(&oom_mutex);
			return -EEXIST;
		}
	link = &notifiers;
	while (*link && (*link)->priority >= nb->priority)
		link = &(*link)->next;
	nb->next = *link;
	*link = nb;
	mutex_unlock(&oom_mutex);
	return 0;
}

int unregister_oom_notifier(struct notifier_block *nb)
{
	struct notifier_block **link;
	int err = -ENOENT;

	mutex_lock(&oom_mutex);
	for (link = &notifiers; *link; link = &(*link)->next)
		if (*link == nb) {
			*link = nb->next;
			err = 0;
			break;
		}
	mutex_unlock(&oom_mutex);
	return err;
}

/* Pages that the notifiers say they freed. */
static unsigned long call_notifiers(void)
{
	unsigned int saved;
	unsigned long freed = 0;
	struct notifier_block *nb;

	if (in_notifier)
		return 0;
	in_notifier = true;
	mutex_lock(&oom_mutex);
	saved = current_flags_save(PF_MEMALLOC);
	for (nb = notifiers; nb; nb = nb->next)
		if (nb->notifier_call(nb, 0, &freed) & NOTIFY_STOP_MASK)
			break;
	current_flags_restore(PF_MEMALLOC, saved);
	mutex_unlock(&oom_mutex);
	in_notifier = false;
	return freed;
}

static void dump_unreclaimable_slab(void)
{
	struct kmem_cache *cache;
	struct slabinfo info;

	if (!mutex_trylock(&slab_mutex)) {
		pr_warn("excessive unreclaimable slab but cannot dump stats\n");
		return;
	}
	pr_warn("Unreclaimable slab info:\n");
	pr_warn("Name                      Used          Total\n");
	list_for_each_entry(cache, &slab_caches, list) {
		if (cache->flags & SLAB_RECLAIM_ACCOUNT)
			continue;
		get_slabinfo(cache, &info);
		if (info.num_objs)
			pr_warn("%-17s %10luKB %10luKB\n", cache->name,
				info.active_objs * cache->size / 1024,
				info.num_objs * cache->size / 1024);
	}
	mutex_unlock(&slab_mutex);
}

/* May this report be written? Counts those that may not. */
static bool report_due(void)
{
	static _Atomic uint64_t last_ns;
	static _Atomic unsigned int suppressed;
	uint64_t now = os_now_coarse_ns(),
		 last = atomic_load_explicit(&last_ns, memory_order_relaxed);
	unsigned int missed;

	if ((last && now - last < OOM_REPORT_NS) ||
	    !atomic_compare_exchange_strong_explicit(&last_ns, &last, now, memory_order_relaxed,
						     memory_order_relaxed)) {
		atomic_fetch_add_explicit(&suppressed, 1, memory_order_relaxed);
		return false;
	}
	missed = atomic_exchange_explicit(&suppressed, 0, memory_order_relaxed);
	if (missed)
		pr_warn("out_of_memory: %u callbacks suppressed\n", missed);
	return true;
}

bool out_of_memory(int nid, gfp_t gfp, unsigned int order)
{
	char flags[GFP_TEXT_MAX];

	(void)nid;
	if (call_notifiers())
		return true;
	count_vm_event(OOM_KILL);
	if ((gfp & __GFP_NOWARN) || !report_due())
		return false;
	pr_warn("%s invoked oom-killer: gfp_mask=%#x(%s), order=%u, oom_score_adj=0\n",
		program_invocation_short_name, gfp, gfp_flags_text(flags, sizeof(flags), gfp),
		order);
	show_mem();
	dump_unreclaimable_slab();
	return false;
}

static void oom_fork_prepare(void)
{
	if (!in_notifier)
		mutex_lock(&oom_mutex);
}

static void oom_fork_done(void)
{
	if (!in_notifier)
		mutex_unlock(&oom_mutex);
}
FORK_HANDLER(oom, 6, oom_fork_prepare, oom_fork_done, oom_fork_done);
