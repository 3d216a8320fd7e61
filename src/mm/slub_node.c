/* SPDX-License-Identifier: MIT */
/*
 * slub_node.c - slabs: cut, take objects out, put objects back, give pages back
 *
 * Room: mm.  Above us: slub.c and slub_sheaf.c, which come here once for a whole
 * sheaf.  Below us: page_alloc.c.
 *
 * 1. The idea
 *
 * A slab's free objects are the set bits of a bitmap that lies beside it: in the
 * slab's struct page up to SLAB_INLINE_OBJECTS, outside above. Objects are never
 * read nor written here (but for a constructor when the slab is cut), so an
 * overflow cannot steer us, a fresh slab costs no memory until it is used, and
 * taking thirty objects is a few word operations.
 *
 * 2. Life of a slab
 *
 *     pages ──new_slab()──▶ partial ──last object taken──▶ full
 *       ▲                    │  ▲                            │
 *       └──inuse == 0 and ───┘  └──first object put back─────┘
 *          enough partial
 *
 * 3. Invariants (kmem_cache_validate() walks them)
 *
 *   N1  inuse == objects - set bits of the bitmap.
 *   N2  slab_on_list says: on node->partial; then 0 < set bits. Else it is on node->full,
 *       or on no list (made in atomic context while the lock was taken; it joins a list
 *       when an object of it comes back).
 *   N3  node->free_objects is the sum of set bits; nr_partial the length of the list.
 *   N4  slab->slab_cache and objects do not change while PG_slab is set.
 *
 * 4. Locks
 *
 *   node->list_lock guards bitmap, inuse, lists. A caller that must not wait gives
 *   wait = false or a gfp without __GFP_DIRECT_RECLAIM: then the lock is only tried.
 *
 * 5. Departures from Linux
 *
 *   No frozen slabs, no free list inside objects, no double-word compare-exchange.
 */

#include <slabwork/rcupdate.h>
#include <slabwork/slab.h>

#include "kernel/lock.h"
#include "kernel/param.h"
#include "kernel/printk.h"
#include "lib/list.h"
#include "mm/page_alloc.h"
#include "mm/slub_internal.h"
#include "mm/zone.h"
#include "os/os.h"

/* Tries before a free that must not wait gives up: about a microsecond of a holder's work. */
#define TRYLOCK_SPINS 64

static bool lock_node(struct kmem_cache_node *n, bool wait)
{
	if (wait) {
		spin_lock(&n->list_lock);
		return true;
	}
	for (int i = 0; i < TRYLOCK_SPINS; i++) {
		if (spin_trylock(&n->list_lock))
			return true;
	}
	return false;
}

void init_kmem_cache_node(struct kmem_cache_node *n)
{
	memset(n, 0, sizeof(*n));
	INIT_LIST_HEAD(&n->partial);
	INIT_LIST_HEAD(&n->full);
}

struct kmem_cache_node *get_node(struct kmem_cache *s, int nid)
{
	return s->node[(unsigned int)nid < MAX_NUMNODES && s->node[nid] ? nid : 0];
}

static int slab_nid(const struct page *slab)
{
	return (int)(atomic_load_explicit(&((struct page *)slab)->flags, memory_order_relaxed) >>
		     PAGE_NODE_SHIFT);
}

static void account_pages(struct kmem_cache *s, struct page *slab, int sign)
{
	enum node_stat_item item = s->flags & SLAB_RECLAIM_ACCOUNT ? NR_SLAB_RECLAIMABLE_B :
								     NR_SLAB_UNRECLAIMABLE_B;

	mod_node_page_state(NODE_DATA(slab_nid(slab)), item, sign * (1L << slab->order));
}

/* Written under list_lock, read by anybody: no locked instruction. */
static void counter_add(_Atomic unsigned long *counter, long delta)
{
	atomic_store_explicit(
		counter, atomic_load_explicit(counter, memory_order_relaxed) + (unsigned long)delta,
		memory_order_relaxed);
}

/* A slab joins (or leaves) its node's counts, with the objects that are free in it. */
static void count_slab(struct kmem_cache_node *n, struct page *slab, int sign)
{
	counter_add(&n->nr_slabs, sign);
	counter_add(&n->total_objects, sign * (long)slab->objects);
	counter_add(&n->free_objects, sign * (long)(slab->objects - slab->inuse));
}

/* ---- making and unmaking ---- */

static size_t bitmap_bytes(unsigned int objects)
{
	return (objects + 63) / 64 * sizeof(unsigned long);
}

static void bitmap_fill(unsigned long *map, unsigned int objects)
{
	for (unsigned int i = 0; i < objects / 64; i++)
		map[i] = ~0UL;
	if (objects % 64)
		map[objects / 64] = (1UL << (objects % 64)) - 1;
}

/* Pages for a slab: the wanted order lightly, then the least order in earnest. */
static struct page *alloc_slab_pages(struct kmem_cache *s, gfp_t gfp, int nid, bool strict,
				     struct kmem_cache_order_objects *oo)
{
	gfp_t mask = ((gfp & ~(GFP_SLAB_BUG_MASK | __GFP_ZERO | __GFP_MOVABLE)) | s->allocflags);
	struct page *page;
	gfp_t light = (mask | __GFP_NOWARN | __GFP_NORETRY) & ~__GFP_NOFAIL;

	if (strict)
		mask |= __GFP_THISNODE, light |= __GFP_THISNODE;
	*oo = s->oo;
	if (oo_order(s->oo) > oo_order(s->min)) {
		page = alloc_pages_node(nid, light, oo_order(s->oo));
		if (page)
			return page;
		*oo = s->min;
	}
	if (oo_order(*oo))
		mask |= __GFP_COMP;
	else
		mask &= ~__GFP_COMP;
	return alloc_pages_node(nid, mask | __GFP_NOWARN, oo_order(*oo));
}

static struct page *new_slab(struct kmem_cache *s, gfp_t gfp, int nid, bool strict)
{
	struct kmem_cache_order_objects oo;
	struct page *slab = alloc_slab_pages(s, gfp, nid, strict, &oo);
	unsigned long *ext = NULL;
	char *base;

	if (!slab) {
		slab_out_of_memory(s, gfp, nid);
		return NULL;
	}
	if (oo_objects(oo) > SLAB_INLINE_OBJECTS) {
		ext = slab_meta_alloc(bitmap_bytes(oo_objects(oo)), gfp & ~__GFP_ZERO);
		if (!ext) {
			__free_pages(slab, oo_order(oo));
			return NULL;
		}
	}
	INIT_LIST_HEAD(&slab->lru);
	slab->slab_cache = s;
	slab->objects = (unsigned short)oo_objects(oo);
	slab->inuse = 0;
	slab->order = (unsigned char)oo_order(oo);
	slab->slab_on_list = 0;
	slab->slab_cursor = 0;
	slab->slab_free_ext = ext;
	bitmap_fill(slab_bitmap(slab), slab->objects);
	base = (char *)page_addr(slab) + s->red_left_pad;
	if (s->ctor) {
		for (unsigned int i = 0; i < slab->objects; i++)
			s->ctor(base + (size_t)i * s->size);
	}
	page_tag_set(page_addr(slab), 1UL << slab->order, general_tag_of(s));
	/* From here a free may find the slab: everything above is visible first. */
	atomic_thread_fence(memory_order_release);
	page_set(slab, PG_slab);
	account_pages(s, slab, 1);
	return slab;
}

static void free_slab_pages(struct page *slab)
{
	unsigned int order = slab->order;

	page_clear(slab, PG_slab);
	page_tag_set(page_addr(slab), 1UL << order, 0);
	slab->slab_cache = NULL;
	__free_pages(slab, order);
}

static void rcu_free_slab(struct rcu_head *head)
{
	free_slab_pages(container_of((unsigned long *)(void *)head, struct page, words[0]));
}

/* The slab is empty, on no list, and nobody can reach it. No lock is held. */
static void discard_slab(struct kmem_cache *s, struct page *slab)
{
	account_pages(s, slab, -1);
	if (slab->objects > SLAB_INLINE_OBJECTS)
		slab_meta_free(slab->slab_free_ext);
	_Static_assert(sizeof(struct rcu_head) <= sizeof(slab->words),
		       "rcu_head lies in the bitmap");
	if (s->flags & SLAB_TYPESAFE_BY_RCU) {
		/* The rcu_head takes the bitmap's place: no address is an object of it any more. */
		slab->objects = 0;
		call_rcu((struct rcu_head *)(void *)slab->words, rcu_free_slab);
	} else {
		free_slab_pages(slab);
	}
}

static void discard_list(struct kmem_cache *s, struct list_head *list)
{
	struct page *slab, *next;

	list_for_each_entry_safe(slab, next, list, lru) {
		list_del_init(&slab->lru);
		discard_slab(s, slab);
	}
}

/* ---- lists ---- */

static void add_partial(struct kmem_cache_node *n, struct page *slab, bool tail)
{
	list_del_init(&slab->lru);
	if (tail)
		list_add_tail(&slab->lru, &n->partial);
	else
		list_add(&slab->lru, &n->partial);
	slab->slab_on_list = 1;
	n->nr_partial++;
}

static void remove_partial(struct kmem_cache_node *n, struct page *slab)
{
	list_del_init(&slab->lru);
	slab->slab_on_list = 0;
	n->nr_partial--;
}

/* ---- taking ---- */

/* Lowest addresses first, from the word where the last search ended. */
static unsigned int take_from_slab(struct kmem_cache *s, struct page *slab, void **p,
				   unsigned int max)
{
	unsigned long *map = slab_bitmap(slab);
	unsigned int words = (slab->objects + 63u) / 64, got = 0;
	char *base = (char *)page_addr(slab) + s->red_left_pad;

	/* Below the cursor all bits are clear. */
	for (unsigned int w = slab->slab_cursor; w < words && got < max; w++) {
		unsigned long word = map[w];

		while (word && got < max) {
			unsigned int bit = (unsigned int)__builtin_ctzl(word);

			word &= word - 1;
			p[got++] = base + (size_t)(w * 64 + bit) * s->size;
		}
		__atomic_store_n(&map[w], word, __ATOMIC_RELAXED); /* slab_bit_guess() */
		slab->slab_cursor = (unsigned char)(w < 255 ? w : 255);
	}
	slab->inuse = (unsigned short)(slab->inuse + got);
	return got;
}

static unsigned int take_partial(struct kmem_cache *s, struct kmem_cache_node *n, void **p,
				 unsigned int max)
{
	unsigned int got = 0;

	while (got < max && n->nr_partial) {
		struct page *slab = list_first_entry(&n->partial, struct page, lru);

		got += take_from_slab(s, slab, p + got, max - got);
		if (slab->inuse == slab->objects) {
			remove_partial(n, slab);
			list_add(&slab->lru, &n->full);
		}
	}
	counter_add(&n->free_objects, -(long)got);
	return got;
}

/* A fresh slab's first objects go to the caller before anybody else sees the slab. */
static unsigned int take_fresh(struct kmem_cache *s, gfp_t gfp, int nid, bool strict, void **p,
			       unsigned int max)
{
	struct page *slab = new_slab(s, gfp, nid, strict);
	struct kmem_cache_node *n;
	unsigned int got;

	if (!slab)
		return 0;
	n = get_node(s, slab_nid(slab));
	got = take_from_slab(s, slab, p, max);
	/* If not: N2, on no list and uncounted until one of its objects returns. */
	if (!lock_node(n, gfpflags_allow_blocking(gfp))) {
		atomic_fetch_add_explicit(&n->nr_unlisted, 1, memory_order_relaxed);
		return got;
	}
	count_slab(n, slab, 1);
	if (got < slab->objects)
		add_partial(n, slab, false);
	else
		list_add(&slab->lru, &n->full);
	spin_unlock(&n->list_lock);
	return got;
}

unsigned int slab_take(struct kmem_cache *s, gfp_t gfp, int nid, bool strict, void **p,
		       unsigned int min, unsigned int max)
{
	bool wait = gfpflags_allow_blocking(gfp);
	unsigned int got = 0, fresh;

	if (s->block_pages)
		return block_take(s, gfp, nid, p, min);
	for (unsigned int i = 0; i < nr_node_ids && got < min; i++) {
		unsigned int id = ((unsigned int)nid + i) % nr_node_ids;
		struct kmem_cache_node *n = s->node[id];

		if (n && n->nr_partial && lock_node(n, wait)) {
			got += take_partial(s, n, p + got, max - got);
			spin_unlock(&n->list_lock);
		}
		if (strict)
			break;
	}
	while (got < min) {
		fresh = take_fresh(s, gfp, nid, strict, p + got, max - got);
		if (!fresh)
			break;
		got += fresh;
	}
	return got;
}

/* ---- putting back ---- */

/* A loop that frees all it has takes it again sooner. */
unsigned int slab_drop_ms = 8;

static int set_drop(const char *value)
{
	return param_uint(value, 0, 1u << 30, &slab_drop_ms);
}
__param(slab_drop_ms, "slab_drop_ms", set_drop, "0..1073741824", PARAM_NONE);

#define NS_PER_MS       1000000UL
#define SHRINKING_LEAST (64UL << 10) /* bytes: less is not worth it */
#define DROP_LOOK       256          /* slabs on a list that is walked each time */

void slab_in_demand(struct kmem_cache *s)
{
	atomic_store_explicit(&get_node(s, local_node())->taken_ns, os_now_coarse_ns(),
			      memory_order_relaxed);
}

bool slab_shrinking(struct kmem_cache *s)
{
	struct kmem_cache_node *n = get_node(s, local_node());
	unsigned long full = atomic_load_explicit(&n->barn.nr_full, memory_order_relaxed);
	unsigned long idle = atomic_load_explicit(&n->free_objects, memory_order_relaxed) +
			     full * s->sheaf_capacity;

	return idle * s->size >= SHRINKING_LEAST &&
	       idle > atomic_load_explicit(&n->total_objects, memory_order_relaxed) / 2 &&
	       os_now_coarse_ns() - atomic_load_explicit(&n->taken_ns, memory_order_relaxed) >=
		       slab_drop_ms * NS_PER_MS;
}

/* Empty slabs that may stay: the kernel's min_partial, or an eighth of what the cache has. */
#define KEEP_EMPTY_SHARE 8
/* So many of the partial list's last are asked whether they are empty. */
#define LOOK_FOR_EMPTY 4

static bool keep_empty(struct kmem_cache *s, struct kmem_cache_node *n)
{
	return n->nr_partial <= s->min_partial || n->nr_partial <= n->nr_slabs / KEEP_EMPTY_SHARE;
}

static void take_off_empty(struct kmem_cache_node *n, struct page *slab, struct list_head *empty)
{
	remove_partial(n, slab);
	count_slab(n, slab, -1);
	list_add(&slab->lru, empty);
}

/*
 * The share that may stay shrinks with the cache: without this an eighth of the largest
 * size that it ever had would stay for good.
 */
static void take_off_one_more(struct kmem_cache *s, struct kmem_cache_node *n,
			      struct list_head *empty)
{
	struct list_head *at = n->partial.prev;

	for (int i = 0; i < LOOK_FOR_EMPTY && at != &n->partial && !keep_empty(s, n); i++) {
		struct page *slab = list_entry(at, struct page, lru);

		at = at->prev;
		if (slab->inuse)
			continue;
		take_off_empty(n, slab, empty);
		return;
	}
}

/* N3 holds when the lock is free, and readers without it never see less than none. */
static void count_put(struct kmem_cache_node *n, unsigned int *put)
{
	counter_add(&n->free_objects, *put);
	*put = 0;
}

/* put: how many came under this hold of the lock and are not counted as free yet. */
static void put_object(struct kmem_cache *s, struct kmem_cache_node *n, struct page *slab,
		       void *object, struct list_head *empty, unsigned int *put)
{
	int idx = obj_to_index(s, slab, object);
	unsigned long *word, bit;

	if (idx < 0)
		slab_bad_free("kmem_cache_free()", s, object);
	word = slab_bitmap(slab) + idx / 64;
	bit = 1UL << (idx % 64);
	if (*word & bit)
		slab_bad_free("kmem_cache_free()", s, object);
	__atomic_store_n(word, *word | bit, __ATOMIC_RELAXED);
	if (idx / 64 < slab->slab_cursor)
		slab->slab_cursor = (unsigned char)(idx / 64);
	if (!slab->slab_on_list) {
		if (list_empty(&slab->lru)) { /* N2: it was on no list */
			atomic_fetch_sub_explicit(&n->nr_unlisted, 1, memory_order_relaxed);
			count_slab(n, slab, 1);
		}
		add_partial(n, slab, true);
	}
	slab->inuse--;
	++*put;
	if (!slab->inuse && keep_empty(s, n)) {
		/* Where the search below finds it, and where it is taken last. */
		list_del_init(&slab->lru);
		list_add_tail(&slab->lru, &n->partial);
	} else if (!slab->inuse) {
		count_put(n, put);
		take_off_empty(n, slab, empty);
		take_off_one_more(s, n, empty);
	}
}

/* An object with a shared tag that was freed to the wrong cache: found out a sheaf later. */
static void put_stray(struct kmem_cache *s, struct page *slab, void *object, bool wait)
{
	struct kmem_cache *own = slab->slab_cache;

	if (!page_test(slab, PG_slab))
		slab_bad_free("kmem_cache_free()", s, object);
	WARN(true, "cache_from_obj: Wrong slab cache. %s but object is from %s\n", s->name,
	     own->name);
	if (!slab_put(own, &object, 1, wait))
		defer_object(own, object);
}

static void unlock_put(struct kmem_cache_node *n, unsigned int *put)
{
	if (!n)
		return;
	count_put(n, put);
	spin_unlock(&n->list_lock);
}

/* Objects of one sheaf lie in as many slabs: their heads come to the cache meanwhile. */
#define PUT_AHEAD 12

unsigned int slab_put(struct kmem_cache *s, void **p, unsigned int n_objects, bool wait)
{
	struct kmem_cache_node *held = NULL;
	unsigned int done = 0, put = 0;
	LIST_HEAD(empty);

	if (s->block_pages) {
		block_put(s, p, n_objects);
		return n_objects;
	}
	for (; done < n_objects; done++) {
		struct page *slab = page_head(addr_to_page(p[done]));
		struct kmem_cache_node *n = get_node(s, slab_nid(slab));

		if (done + PUT_AHEAD < n_objects)
			__builtin_prefetch(addr_to_page(p[done + PUT_AHEAD]), 1);
		if (unlikely(slab->slab_cache != s)) {
			unlock_put(held, &put);
			held = NULL;
			put_stray(s, slab, p[done], wait);
			continue;
		}
		if (n != held) {
			unlock_put(held, &put);
			held = lock_node(n, wait) ? n : NULL;
			if (!held)
				break;
		}
		put_object(s, n, slab, p[done], &empty, &put);
	}
	unlock_put(held, &put);
	discard_list(s, &empty);
	return done;
}

static unsigned long discard_empty_of(struct kmem_cache *s, struct kmem_cache_node *n, bool wait)
{
	struct page *slab, *next;
	unsigned long pages = 0;
	LIST_HEAD(empty);

	if (!lock_node(n, wait))
		return 0;
	list_for_each_entry_safe(slab, next, &n->partial, lru) {
		if (slab->inuse)
			continue;
		take_off_empty(n, slab, &empty);
		pages += 1UL << slab->order;
	}
	spin_unlock(&n->list_lock);
	discard_list(s, &empty);
	return pages;
}

unsigned long slab_discard_empty(struct kmem_cache *s)
{
	unsigned long pages = 0;

	for (unsigned int nid = 0; nid < nr_node_ids; nid++)
		if (s->node[nid])
			pages += discard_empty_of(s, s->node[nid], true);
	return pages;
}

/* Where slabs went empty one by one, those that could stay lie anywhere on the list. */
void slab_drop_empty(struct kmem_cache *s)
{
	struct kmem_cache_node *n = get_node(s, local_node());
	uint64_t now = os_now_coarse_ns();

	if (n->nr_partial > DROP_LOOK &&
	    now - atomic_load_explicit(&n->dropped_ns, memory_order_relaxed) <
		    slab_drop_ms * NS_PER_MS)
		return;
	atomic_store_explicit(&n->dropped_ns, now, memory_order_relaxed);
	discard_empty_of(s, n, false);
}
