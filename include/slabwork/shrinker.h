/* SPDX-License-Identifier: MIT */
#ifndef SW_SHRINKER_H
#define SW_SHRINKER_H

/**
 * DOC: <slabwork/shrinker.h> - give memory back when it gets tight
 *
 * A shrinker belongs to a cache of the program (of parsed files, of idle
 * connections, ...) that can drop objects and make them again. When memory is
 * low each shrinker is first asked how many objects it could drop, and then,
 * in batches, to drop some. How many follows from the pressure (priority 12,
 * mild, down to 0, everything) and from what an object costs to make again
 * (@seeks). Work that was due and could not be done is remembered.
 *
 * Both generations of the interface are here. Linux 5.4, and 6.0 with a name:
 *
 *	static struct shrinker s = { .count_objects = ..., .scan_objects = ...,
 *				     .seeks = DEFAULT_SEEKS };
 *	register_shrinker(&s);	or	register_shrinker(&s, "conn-%d", id);
 *	unregister_shrinker(&s);
 *
 * and Linux 6.7:
 *
 *	struct shrinker *s = shrinker_alloc(0, "conn-%d", id);
 *	s->count_objects = ...; s->scan_objects = ...;
 *	shrinker_register(s);
 *	shrinker_free(s);
 *
 * The callbacks run in whichever thread allocates while memory is low: the
 * locks they take must not be held by that thread, so they trylock and return
 * SHRINK_STOP. What they allocate themselves never reclaims again.
 *
 * Threads  All calls are safe together; a callback may run in several threads
 *          at once. Unregistering waits until no callback runs.
 * Room: mm (vmscan.c).
 */

#include <slabwork/gfp.h>
#include <slabwork/types.h>

SW_BEGIN_DECLS

/* Answers of scan_objects and count_objects that are no numbers. */
#define SHRINK_STOP  (~0UL)     /* scan: no progress is possible now, go elsewhere */
#define SHRINK_EMPTY (~0UL - 1) /* count: there is nothing at all (0: nothing freeable now) */

/* An object costs about this many disk seeks to make again. */
#define DEFAULT_SEEKS 2
/* Objects asked for in one scan_objects() call when @batch is 0. */
#define SHRINK_BATCH 128

/* shrinker->flags. The first two are ours to set. */
#define SHRINKER_REGISTERED  (1u << 0)
#define SHRINKER_ALLOCATED   (1u << 1)
#define SHRINKER_NUMA_AWARE  (1u << 2) /* the callbacks heed shrink_control.nid */
#define SHRINKER_MEMCG_AWARE (1u << 3) /* accepted; there are no groups here */
#define SHRINKER_NONSLAB     (1u << 4) /* the objects are not slab objects */

#define SW_SHRINKER_NODES 8 /* a page's node is 3 bits wide */
#define SW_SHRINKER_NAME  40

struct mem_cgroup;

/**
 * struct shrink_control - what one call of a callback is about
 * @gfp_mask: what the allocation that ran short may do; without __GFP_FS a
 *            shrinker of file objects returns SHRINK_STOP
 * @nid: node that is short
 * @nr_to_scan: scan_objects: look at this many objects
 * @nr_scanned: scan_objects: set to how many it really looked at (preset to @nr_to_scan)
 * @memcg: always NULL
 */
struct shrink_control {
	gfp_t gfp_mask;
	int nid;
	unsigned long nr_to_scan;
	unsigned long nr_scanned;
	struct mem_cgroup *memcg;
};

/**
 * struct shrinker - a cache that can be made smaller
 * @count_objects: how many objects could be freed: a number, 0, or SHRINK_EMPTY.
 *                 Must not block nor take time: no deadlock detection.
 * @scan_objects: free up to sc->nr_to_scan objects; returns how many were freed
 *                or SHRINK_STOP
 * @batch: objects a scan_objects() call; 0 is SHRINK_BATCH
 * @seeks: cost of an object, DEFAULT_SEEKS where in doubt; 0: half of them at once
 * @flags: SHRINKER_NUMA_AWARE ...
 * @private_data: the owner's
 *
 * The other fields are the library's. A structure of the old interface is
 * zeroed before its fields are set, and stays in place while registered.
 */
struct shrinker {
	unsigned long (*count_objects)(struct shrinker *shrinker, struct shrink_control *sc);
	unsigned long (*scan_objects)(struct shrinker *shrinker, struct shrink_control *sc);
	long batch;
	int seeks;
	unsigned int flags;
	void *private_data;

	struct list_head list;
	unsigned int users; /* running callbacks */
	int id;
	char name[SW_SHRINKER_NAME];
	long nr_deferred[SW_SHRINKER_NODES]; /* work that was due and not done */
};

/**
 * shrinker_alloc() - make a shrinker, not yet active
 * @flags: SHRINKER_NUMA_AWARE and kin, or 0
 * @fmt: printf format of its name, shown in listings
 *
 * Context: May sleep.
 * Return: a zeroed shrinker with seeks = DEFAULT_SEEKS; NULL if there is no memory.
 * Source: Linux 6.7, include/linux/shrinker.h
 */
SW_API struct shrinker *shrinker_alloc(unsigned int flags, const char *fmt, ...)
	SW_NAME(shrinker_alloc) __printf(2, 3) __must_check;

/**
 * shrinker_register() - from now on the callbacks may be called
 * @shrinker: from shrinker_alloc(), with its callbacks set
 *
 * Context: May sleep.
 */
SW_API void shrinker_register(struct shrinker *shrinker) SW_NAME(shrinker_register);

/**
 * shrinker_free() - unregister if registered, wait for running callbacks, free
 * @shrinker: from shrinker_alloc(); NULL is a no-op
 *
 * Context: May sleep; not from a callback of @shrinker.
 */
SW_API void shrinker_free(struct shrinker *shrinker) SW_NAME(shrinker_free);

/**
 * register_shrinker() - activate a shrinker of one's own
 * @shrinker: stays where it is until unregister_shrinker()
 * ...: Linux 6.0's form: printf format of its name, and up to nine arguments
 *
 * Context: May sleep.
 * Return: 0, or -EINVAL if a callback is missing or @shrinker is registered already.
 * Source: Linux 5.4 and 6.0, include/linux/shrinker.h
 */
#define register_shrinker(...)                                                                  \
	__SW_SHRINKER_FORM(__VA_ARGS__, named, named, named, named, named, named, named, named, \
			   named, named, , )                                                    \
	(__VA_ARGS__)
#define __SW_SHRINKER_FORM(_1, _2, _3, _4, _5, _6, _7, _8, _9, _10, _11, form, ...) \
	__register_shrinker_##form

/* What register_shrinker() comes to: 5.4's form, 6.0's. */
SW_API int __register_shrinker_(struct shrinker *shrinker) SW_NAME(register_shrinker);
SW_API int __register_shrinker_named(struct shrinker *shrinker, const char *fmt, ...)
	SW_NAME(register_shrinker_named) __printf(2, 3);

/**
 * unregister_shrinker() - no callback runs once this returns
 * @shrinker: registered, or not (then nothing happens)
 *
 * Context: May sleep; not from a callback of @shrinker.
 */
SW_API void unregister_shrinker(struct shrinker *shrinker) SW_NAME(unregister_shrinker);

/**
 * sw_shrink() - run the shrinkers now, whether memory is low or not
 * @priority: 12 (a 4096th of what is freeable) ... 0 (all of it)
 *
 * Context: May sleep.
 * Return: objects freed by the shrinkers' own count.
 */
SW_API unsigned long sw_shrink(int priority);

SW_END_DECLS

#endif /* SW_SHRINKER_H */
