/* SPDX-License-Identifier: MIT */
/*
 * reclaim.c - how long can one kmem_cache_alloc() take while memory is being reclaimed?
 *
 * A program's cache of objects fills a machine of fixed size (SLABWORK=mem=128M, set by
 * bench/run); from then on every new object drives out an old one, by a shrinker that drops the
 * oldest. No malloc has such a thing, so the peers' columns stay empty.
 *
 *   reclaim          whoever allocates reclaims
 *   reclaim-kswapd   a thread reclaims early (kswapd=thread)
 */

#include <slabwork/shrinker.h>
#include <slabwork/slab.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "timer.h"

#define OBJECT_BYTES 512
#define CALLS        1000000L
#define MOST_OBJECTS (16L << 20) /* 8 GiB of them: no machine of fixed size holds so many */

struct object {
	struct object *newer;
	char bytes[OBJECT_BYTES - sizeof(struct object *)];
};

static struct kmem_cache *cache;
static struct object *oldest, *newest;
static long nr_objects;
static atomic_long nr_dropped;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* the four above */
static struct timer timer;

static unsigned long count(struct shrinker *shrinker, struct shrink_control *sc)
{
	(void)shrinker, (void)sc;
	return nr_objects ? (unsigned long)nr_objects : SHRINK_EMPTY;
}

static unsigned long scan(struct shrinker *shrinker, struct shrink_control *sc)
{
	unsigned long dropped = 0;

	(void)shrinker;
	if (pthread_mutex_trylock(&lock))
		return SHRINK_STOP;
	while (dropped < sc->nr_to_scan && oldest) {
		struct object *object = oldest;

		oldest = object->newer;
		kmem_cache_free(cache, object);
		nr_objects--;
		dropped++;
	}
	if (!oldest)
		newest = NULL;
	pthread_mutex_unlock(&lock);
	atomic_fetch_add_explicit(&nr_dropped, (long)dropped, memory_order_relaxed);
	return dropped;
}

static struct shrinker shrinker = { .count_objects = count,
				    .scan_objects = scan,
				    .seeks = DEFAULT_SEEKS };

static void add(struct object *object)
{
	object->newer = NULL;
	pthread_mutex_lock(&lock);
	if (newest)
		newest->newer = object;
	else
		oldest = object;
	newest = object;
	nr_objects++;
	pthread_mutex_unlock(&lock);
}

static inline struct object *timed_alloc(void)
{
	uint64_t t = timer_read();
	struct object *object = kmem_cache_alloc(cache, GFP_KERNEL);

	USED(object);
	timer_note(&timer, 0, timer_read() - t);
	if (__builtin_expect(!object, 0))
		abort();
	return object;
}

static void fail(const char *why)
{
	fprintf(stderr, "reclaim: %s\n", why);
	exit(1);
}

static void measure(const struct row *row)
{
	static const char *const series[] = { "alloc" };
	long dropped;

	timer_calibrate();
	cache = kmem_cache_create("bench-reclaim", OBJECT_BYTES, 0, SLAB_NO_MERGE, NULL);
	if (!cache || register_shrinker(&shrinker))
		fail("no cache or no shrinker");
	while (!atomic_load_explicit(&nr_dropped, memory_order_relaxed)) {
		if (nr_objects > MOST_OBJECTS)
			fail("memory does not get tight; run it with SLABWORK=mem=128M");
		add(timed_alloc());
	}
	dropped = atomic_load(&nr_dropped);
	timer = (struct timer){ 0 };
	for (long i = 0; i < CALLS; i++) {
		if (i % ROUND_CALLS == 0)
			timer_round(&timer);
		add(timed_alloc());
	}
	if (atomic_load(&nr_dropped) - dropped < CALLS / 2)
		fail("next to nothing was reclaimed while the clock ran");
	timer_print(&timer, row->name, series, ARRAY_SIZE(series));
}

static const struct row rows[] = {
	{ "reclaim", .after = measure },
	{ "reclaim-kswapd", .after = measure },
};

int main(int argc, char **argv)
{
	return bench_main(rows, ARRAY_SIZE(rows), argc, argv);
}
