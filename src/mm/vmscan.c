/* SPDX-License-Identifier: MIT */
/*
 * vmscan.c - get memory back before an allocation fails
 *
 * Room: mm. Doors: <slabwork/shrinker.h> for those who can give something back,
 * mm/vmscan.h for the page allocator, who asks. Next door: oom.c.
 *
 * 1. The idea
 *
 * There are no page lists to scan here: what can be had is (a) what our own
 * layers keep in stock (empty slabs, sheaves, freed vmalloc areas) and (b)
 * what the program's shrinkers drop. (a) is free of regret and goes first. For
 * (b) pressure rises from priority 12 to 0; at priority p a cache of n freeable
 * objects is asked for (n >> p) * 4 / seeks of them, in batches. A cache that
 * could not do its share keeps the debt in nr_deferred, at most twice its size.
 *
 * 2. Who reclaims
 *
 *   wakeup_kswapd()  only takes a note (kswapd_wanted). Any context.
 *   kswapd           works the notes off: from below low to above high. It is
 *                    the next may-sleep caller on the slow path; a thread only
 *                    where the user asked for one (kswapd=thread).
 *   direct reclaim   the allocating thread, when the notes did not help.
 *
 * A reclaiming thread carries the memalloc mark: what the callbacks allocate
 * may use reserves and never enters reclaim again, so the depth is one.
 *
 * 3. Life of a shrinker
 *
 *   (user's struct) ──register──▶ listed ⇄ users > 0 (callbacks run) ──unregister──▶ (user's)
 *
 *   The mutex is not held while callbacks run, so that several threads reclaim
 *   at once and a callback may take its time; a count of users keeps the
 *   structure on the list meanwhile, and unregister waits for it to fall to 0.
 *
 * 4. Invariants (shrinker_validate())
 *
 *   I1  A shrinker is on the list iff SHRINKER_REGISTERED is set.
 *   I2  It has both callbacks, and 0 <= nr_deferred[n].
 *   I3  Neighbours on the list agree about each other.
 *
 * 5. Locks
 *
 *   shrinker_mutex   the list, users, ids (rank 20). Callbacks run without it.
 *
 * 6. Where we depart from Linux 6.12
 *
 *   No page reclaim (pages belong to somebody; the page cache comes as a
 *   shrinker), no compaction, no memcg. Progress is counted in pages freed, or,
 *   if only objects were, as 1: the caller should look again.
 *
 * Sources: Linux 5.4, 6.7 and 6.12 include/linux/shrinker.h; mm/shrinker.c and
 * vmscan.c as documented in spec §2.5.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <slabwork/shrinker.h>
#include <slabwork/slab.h>

#include "kernel/current.h"
#include "kernel/fork.h"
#include "kernel/kthread.h"
#include "kernel/lock.h"
#include "kernel/param.h"
#include "kernel/printk.h"
#include "lib/list.h"
#include "mm/boot.h"
#include "mm/page_alloc.h"
#include "mm/slab.h"
#include "mm/vmalloc.h"
#include "mm/vmscan.h"
#include "mm/zone.h"
#include "os/futex.h"
#include "os/os.h"

_Static_assert(SW_SHRINKER_NODES >= MAX_NUMNODES, "one debt a node");

/* The thread looks for notes this often: atomic callers cannot wake it. */
#define KSWAPD_POLL_NS (100 * 1000000ULL)
/* A run that balances a node within this many of its priorities was an easy one. */
#define KSWAPD_QUICK_PRIORITY (DEF_PRIORITY - 2)

static struct mutex shrinker_mutex = MUTEX_INIT;
static LIST_HEAD(shrinker_list);       /* shrinker_mutex */
static int shrinker_next_id;           /* shrinker_mutex */
static _Atomic uint32_t shrinker_idle; /* bumped when a shrinker's last user leaves */

static __thread struct shrinker *running; /* whose callback this thread is in */

/* The memalloc mark is the kernel's PF_MEMALLOC of the thread. */
static bool reclaiming(void)
{
	return current_flags() & PF_MEMALLOC;
}

/* ---- registering ------------------------------------------------------------ */

static int shrinker_add(struct shrinker *shrinker)
{
	if (WARN_ON(!shrinker->count_objects || !shrinker->scan_objects))
		return -EINVAL;
	mm_boot(); /* fork handlers, if nothing else */
	mutex_lock(&shrinker_mutex);
	if (shrinker->flags & SHRINKER_REGISTERED) {
		mutex_unlock(&shrinker_mutex);
		WARN(true, "slabwork: shrinker %s is registered twice\n", shrinker->name);
		return -EINVAL;
	}
	memset(shrinker->nr_deferred, 0, sizeof(shrinker->nr_deferred));
	shrinker->users = 0;
	shrinker->id = shrinker_next_id++;
	if (!shrinker->name[0])
		snprintf(shrinker->name, sizeof(shrinker->name), "shrinker");
	shrinker->flags |= SHRINKER_REGISTERED;
	list_add_tail(&shrinker->list, &shrinker_list);
	mutex_unlock(&shrinker_mutex);
	return 0;
}

int __register_shrinker_(struct shrinker *shrinker)
{
	return shrinker_add(shrinker);
}

int __register_shrinker_named(struct shrinker *shrinker, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(shrinker->name, sizeof(shrinker->name), fmt, args);
	va_end(args);
	return shrinker_add(shrinker);
}

struct shrinker *shrinker_alloc(unsigned int flags, const char *fmt, ...)
{
	struct shrinker *shrinker = kzalloc(sizeof(*shrinker), GFP_KERNEL);
	va_list args;

	if (!shrinker)
		return NULL;
	shrinker->flags = (flags & ~SHRINKER_REGISTERED) | SHRINKER_ALLOCATED;
	shrinker->seeks = DEFAULT_SEEKS;
	va_start(args, fmt);
	vsnprintf(shrinker->name, sizeof(shrinker->name), fmt, args);
	va_end(args);
	return shrinker;
}

void shrinker_register(struct shrinker *shrinker)
{
	if (WARN(!(shrinker->flags & SHRINKER_ALLOCATED),
		 "Must use shrinker_alloc() to dynamically allocate the shrinker\n"))
		return;
	shrinker_add(shrinker);
}

void unregister_shrinker(struct shrinker *shrinker)
{
	if (WARN(shrinker == running,
		 "slabwork: shrinker %s unregisters itself from its callback\n", shrinker->name))
		return;
	mutex_lock(&shrinker_mutex);
	if (!(shrinker->flags & SHRINKER_REGISTERED)) {
		mutex_unlock(&shrinker_mutex);
		return;
	}
	while (shrinker->users) {
		uint32_t seen = atomic_load_explicit(&shrinker_idle, memory_order_relaxed);

		mutex_unlock(&shrinker_mutex);
		os_futex_wait(&shrinker_idle, seen, 0);
		mutex_lock(&shrinker_mutex);
	}
	if (shrinker->flags & SHRINKER_REGISTERED) {
		list_del(&shrinker->list);
		shrinker->flags &= ~SHRINKER_REGISTERED;
	}
	mutex_unlock(&shrinker_mutex);
}

void shrinker_free(struct shrinker *shrinker)
{
	if (!shrinker || shrinker == running)
		return; /* unregistering it from itself: leak rather than pull the rug away */
	unregister_shrinker(shrinker);
	kfree(shrinker);
}

void shrinker_for_each(void (*fn)(const struct shrinker *shrinker, void *arg), void *arg)
{
	struct shrinker *shrinker;

	mutex_lock(&shrinker_mutex);
	list_for_each_entry(shrinker, &shrinker_list, list)
		fn(shrinker, arg);
	mutex_unlock(&shrinker_mutex);
}

/* ---- shrinking -------------------------------------------------------------- */

/* What this pressure asks of a cache of that many freeable objects. */
static unsigned long shrink_share(const struct shrinker *shrinker, unsigned long freeable,
				  int priority)
{
	unsigned long share = freeable >> priority;

	if (!shrinker->seeks)
		return freeable / 2; /* nothing to make again: trim hard, whatever the pressure */
	if (__builtin_mul_overflow(share, 4UL, &share))
		share = ~0UL;
	return share / (unsigned int)shrinker->seeks;
}

static unsigned long twice(unsigned long freeable)
{
	return freeable > ~0UL / 2 ? ~0UL : freeable * 2;
}

/* One shrinker at one pressure. Returns objects freed. */
static unsigned long do_shrink_slab(struct shrinker *shrinker, struct shrink_control *sc,
				    int priority)
{
	long *debt_of_node =
		&shrinker->nr_deferred[shrinker->flags & SHRINKER_NUMA_AWARE ? sc->nid : 0];
	unsigned long batch = shrinker->batch > 0 ? (unsigned long)shrinker->batch : SHRINK_BATCH;
	unsigned long freeable, debt, share, todo, left, scanned = 0, freed = 0;

	freeable = shrinker->count_objects(shrinker, sc);
	if (!freeable || freeable == SHRINK_EMPTY)
		return 0;

	/* Whoever comes at the same time finds no debt, so that it is paid once. */
	debt = (unsigned long)__atomic_exchange_n(debt_of_node, 0, __ATOMIC_RELAXED);
	share = shrink_share(shrinker, freeable, priority);
	todo = (debt >> priority) + share;
	if (todo < share || todo > twice(freeable))
		todo = twice(freeable);

	/* Less than a batch waits for the next time, unless it is all that there is. */
	while (todo >= batch || todo >= freeable) {
		unsigned long ask = todo < batch ? todo : batch, got;

		if (!ask)
			break;
		sc->nr_to_scan = ask;
		sc->nr_scanned = ask;
		got = shrinker->scan_objects(shrinker, sc);
		if (got == SHRINK_STOP)
			break;
		freed += got;
		count_vm_events(SLABS_SCANNED, sc->nr_scanned);
		scanned += sc->nr_scanned;
		if (sc->nr_scanned >= todo || !sc->nr_scanned)
			break; /* done; or it looked at nothing, and would for ever */
		todo -= sc->nr_scanned;
	}

	left = debt + share > scanned ? debt + share - scanned : 0;
	if (left > twice(freeable))
		left = twice(freeable);
	if (left > (unsigned long)INT64_MAX)
		left = (unsigned long)INT64_MAX;
	__atomic_fetch_add(debt_of_node, (long)left, __ATOMIC_RELAXED);
	return freed;
}

static void shrinker_leave(struct shrinker *shrinker)
{
	if (--shrinker->users)
		return;
	atomic_fetch_add_explicit(&shrinker_idle, 1, memory_order_relaxed);
	os_futex_wake(&shrinker_idle, INT32_MAX);
}

/* Every shrinker once; the caller has set the memalloc mark. */
static unsigned long shrink_all(gfp_t gfp, int nid, int priority)
{
	struct shrinker *shrinker;
	unsigned long freed = 0;

	mutex_lock(&shrinker_mutex);
	list_for_each_entry(shrinker, &shrinker_list, list) {
		struct shrink_control sc = { .gfp_mask = gfp, .nid = nid };

		shrinker->users++; /* stays on the list, so the walk can go on from it */
		running = shrinker;
		mutex_unlock(&shrinker_mutex);
		freed += do_shrink_slab(shrinker, &sc, priority);
		mutex_lock(&shrinker_mutex);
		running = NULL;
		shrinker_leave(shrinker);
		/* Only now may it be taken off; the mutex is held until we have its next. */
	}
	mutex_unlock(&shrinker_mutex);
	return freed;
}

unsigned long shrink_slab(gfp_t gfp, int nid, int priority)
{
	unsigned long freed;
	unsigned int saved;

	if (reclaiming())
		return 0;
	saved = current_flags_save(PF_MEMALLOC);
	freed = shrink_all(gfp, nid, priority);
	current_flags_restore(PF_MEMALLOC, saved);
	return freed;
}

unsigned long sw_shrink(int priority)
{
	unsigned long freed = 0;

	mm_boot();
	if (priority < 0)
		priority = 0;
	if (priority > DEF_PRIORITY)
		priority = DEF_PRIORITY;
	count_vm_event(DROP_SLAB);
	for_each_online_node(nid)
		freed += shrink_slab(GFP_KERNEL, nid, priority);
	return freed;
}

/* ---- reclaim ------------------------------------------------------------------ */

/* What our own layers keep in stock. Pages. */
static unsigned long reclaim_stock(void)
{
	return slab_reclaim_all() + vmap_purge();
}

/*
 * Free pages of a node until done() says so or everything was tried. Returns pages
 * freed, or 1 if only objects were; *easy: the pressure needed was low.
 */
static unsigned long reclaim_node(int nid, gfp_t gfp,
				  bool (*done)(int nid, unsigned long freed, unsigned long want),
				  unsigned long want, int *priority_out)
{
	unsigned int saved = current_flags_save(PF_MEMALLOC);
	unsigned long pages, objects = 0;
	int priority = DEF_PRIORITY;

	pages = reclaim_stock();
	while (!done(nid, pages, want) && priority >= 0) {
		unsigned long freed = shrink_all(gfp, nid, priority);

		if (freed) {
			objects += freed;
			pages += reclaim_stock();
		}
		priority--;
	}
	current_flags_restore(PF_MEMALLOC, saved);
	*priority_out = priority;
	return pages ? pages : objects != 0;
}

static bool enough_pages(int nid, unsigned long freed, unsigned long want)
{
	(void)nid;
	return freed >= want;
}

unsigned long try_to_free_pages(int nid, gfp_t gfp, unsigned int order)
{
	unsigned long want = 1UL << order, freed;
	int priority;

	if (!gfpflags_allow_blocking(gfp) || reclaiming())
		return 0;
	if (want < SWAP_CLUSTER_MAX)
		want = SWAP_CLUSTER_MAX;
	freed = reclaim_node(nid, gfp, enough_pages, want, &priority);
	count_vm_events(PGSTEAL_DIRECT, freed);
	return freed;
}

/* ---- kswapd --------------------------------------------------------------------- */

static _Atomic uint32_t kswapd_wanted; /* one bit a node; the thread sleeps on it */
static bool kswapd_thread_asked;       /* kswapd=thread */
static _Atomic int kswapd_thread_up;

static int set_kswapd(const char *value)
{
	if (!strcmp(value, "thread"))
		kswapd_thread_asked = true;
	else if (!strcmp(value, "inline"))
		kswapd_thread_asked = false;
	else
		return -EINVAL;
	return 0;
}
__param(kswapd, "kswapd", set_kswapd, "inline|thread", PARAM_NONE);

/* Every zone of the node has what kswapd wants to leave behind. */
static bool pgdat_balanced(int nid)
{
	struct zone *zones = NODE_DATA(nid)->node_zones;

	for (int i = 0; i < MAX_NR_ZONES; i++) {
		struct zone *zone = &zones[i];

		if (!zone_managed_pages(zone))
			continue;
		/* A zone that can still grow is never short: growing is cheaper than reclaim. */
		if (atomic_load_explicit(&zone->present_pages, memory_order_relaxed) <
			    zone->limit_pages &&
		    !(atomic_load_explicit(&zone->flags, memory_order_relaxed) &
		      (1UL << ZONE_MEMORY_FULL)))
			continue;
		if (zone_page_state(zone, NR_FREE_PAGES) < high_wmark_pages(zone))
			return false;
	}
	return true;
}

static bool balanced(int nid, unsigned long freed, unsigned long want)
{
	(void)freed;
	(void)want;
	return pgdat_balanced(nid);
}

static void balance_node(int nid, gfp_t gfp)
{
	pg_data_t *pgdat = NODE_DATA(nid);
	unsigned long freed;
	int priority;

	atomic_store_explicit(&pgdat->kswapd_order, 0, memory_order_relaxed);
	count_vm_event(PAGEOUTRUN);
	if (pgdat_balanced(nid)) {
		count_vm_event(KSWAPD_HIGH_WMARK_HIT_QUICKLY);
		return;
	}
	freed = reclaim_node(nid, gfp, balanced, 0, &priority);
	count_vm_events(PGSTEAL_KSWAPD, freed);
	if (freed)
		atomic_store_explicit(&pgdat->kswapd_failures, 0, memory_order_relaxed);
	else
		atomic_fetch_add_explicit(&pgdat->kswapd_failures, 1, memory_order_relaxed);
	if (priority >= KSWAPD_QUICK_PRIORITY)
		count_vm_event(KSWAPD_LOW_WMARK_HIT_QUICKLY);
}

static void balance_wanted(gfp_t gfp)
{
	uint32_t wanted = atomic_exchange_explicit(&kswapd_wanted, 0, memory_order_relaxed);

	for_each_online_node(nid)
		if (wanted & (1u << nid))
			balance_node(nid, gfp);
}

static void kswapd(void *arg)
{
	(void)arg;
	for (;;) {
		os_futex_wait(&kswapd_wanted, 0, KSWAPD_POLL_NS);
		if (atomic_load_explicit(&kswapd_wanted, memory_order_relaxed))
			balance_wanted(GFP_KERNEL);
	}
}

/* Thread creation allocates, so this may come back to us: the flag is set first. */
static void kswapd_start(void)
{
	if (atomic_exchange_explicit(&kswapd_thread_up, 1, memory_order_relaxed))
		return;
	if (kthread_run(kswapd, NULL, "kswapd0"))
		kswapd_thread_asked = false; /* no thread to be had: callers do it */
}

void wakeup_kswapd(int nid, gfp_t gfp, unsigned int order)
{
	pg_data_t *pgdat = NODE_DATA(nid);

	if ((int)order > atomic_load_explicit(&pgdat->kswapd_order, memory_order_relaxed))
		atomic_store_explicit(&pgdat->kswapd_order, (int)order, memory_order_relaxed);
	atomic_fetch_or_explicit(&kswapd_wanted, 1u << nid, memory_order_relaxed);
	if (!kswapd_thread_asked || !gfpflags_allow_blocking(gfp) || reclaiming())
		return;
	/* Even if the note was there already: who left it may not have been able to wake anybody. */
	kswapd_start();
	os_futex_wake(&kswapd_wanted, 1);
}

void kswapd_balance(gfp_t gfp)
{
	if (!gfpflags_allow_blocking(gfp) || reclaiming() || kswapd_thread_asked)
		return;
	if (atomic_load_explicit(&kswapd_wanted, memory_order_relaxed))
		balance_wanted(gfp);
}

/* ---- checks and fork -------------------------------------------------------------- */

const char *shrinker_validate(void)
{
	const char *broken = NULL;
	struct list_head *pos;

	mutex_lock(&shrinker_mutex);
	for (pos = shrinker_list.next; pos != &shrinker_list && !broken; pos = pos->next) {
		struct shrinker *s = list_entry(pos, struct shrinker, list);

		if (pos->next->prev != pos || pos->prev->next != pos)
			broken = "I3: the list of shrinkers is broken";
		else if (!(s->flags & SHRINKER_REGISTERED))
			broken = "I1: a listed shrinker is not registered";
		else if (!s->count_objects || !s->scan_objects)
			broken = "I2: a shrinker has no callback";
		for (int i = 0; i < SW_SHRINKER_NODES && !broken; i++)
			if (s->nr_deferred[i] < 0)
				broken = "I2: a shrinker's debt is negative";
	}
	mutex_unlock(&shrinker_mutex);
	return broken;
}

static void shrinker_fork_prepare(void)
{
	mutex_lock(&shrinker_mutex);
}

static void shrinker_fork_parent(void)
{
	mutex_unlock(&shrinker_mutex);
}

/* Only the forking thread goes on: callbacks that others ran will never return. */
static void shrinker_fork_child(void)
{
	struct shrinker *shrinker;

	list_for_each_entry(shrinker, &shrinker_list, list)
		shrinker->users = shrinker == running;
	atomic_store_explicit(&kswapd_thread_up, 0, memory_order_relaxed);
	mutex_unlock(&shrinker_mutex);
}
FORK_HANDLER(shrinker, 20, shrinker_fork_prepare, shrinker_fork_parent, shrinker_fork_child);
