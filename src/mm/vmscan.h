/* SPDX-License-Identifier: MIT */
#ifndef MM_VMSCAN_H
#define MM_VMSCAN_H

/*
 * vmscan.h - what the page allocator calls when a zone runs short
 *
 * Room: mm. The order of a may-sleep slow path:
 *
 *	wakeup_kswapd()          a zone is below low: note it (any context)
 *	kswapd_balance()         where no thread does it, the caller brings the
 *	                         node from below low up to high
 *	try_to_free_pages()      direct reclaim: still nothing
 *	out_of_memory()          notifiers, report
 *
 * All but wakeup_kswapd() may sleep and call back into the allocators. None
 * may be called with a lock of ours held. What is counted: the vm events
 * SLABS_SCANNED, PGSTEAL_*, PAGEOUTRUN, KSWAPD_*, OOM_KILL and DROP_SLAB of zone.h
 * (ALLOCSTALL_* is the caller's, who knows the zone).
 */

#include <slabwork/shrinker.h>
#include <slabwork/types.h>

#define DEF_PRIORITY     12 /* the mildest pressure: freeable >> 12 */
#define SWAP_CLUSTER_MAX 32 /* pages that one direct reclaim is content with */

/*
 * Run every shrinker once at this pressure. Returns objects freed, by their own
 * count. Callbacks see gfp as shrink_control.gfp_mask. 0 if this thread reclaims already.
 */
unsigned long shrink_slab(gfp_t gfp, int nid, int priority);

/*
 * Direct reclaim: empty slabs and sheaves, unpurged vmalloc areas, then shrinkers at
 * rising pressure until max(32, 2^order) pages came back. Returns progress (about
 * pages); 0: nothing could be freed, or gfp may not reclaim, or the thread reclaims already.
 */
unsigned long try_to_free_pages(int nid, gfp_t gfp, unsigned int order);

/* Note that nid is below its low watermark. Any context; makes no system call if gfp may not. */
void wakeup_kswapd(int nid, gfp_t gfp, unsigned int order);
/* Do kswapd's work for every node it was asked for, unless a thread does. May sleep. */
void kswapd_balance(gfp_t gfp);

/*
 * Nothing helped. Calls the notifiers; true: they freed something, try again.
 * false: the report is written (rate limited, not with __GFP_NOWARN), give up.
 */
bool out_of_memory(int nid, gfp_t gfp, unsigned int order);

/* Walk the registered shrinkers under their mutex, for listings. fn must not sleep nor allocate. */
void shrinker_for_each(void (*fn)(const struct shrinker *shrinker, void *arg), void *arg);

/* Checks the list of shrinkers; NULL if sound, else the broken invariant. */
const char *shrinker_validate(void);

#endif /* MM_VMSCAN_H */
