/* SPDX-License-Identifier: MIT */
/*
 * slub.c - give out one object, take one object back
 *
 * Room: mm.  Door: <slabwork/slab.h>, whose inline fast paths come here when a sheaf
 * is empty or full.  Above us: kmalloc.c, the malloc front.  Next door: slub_sheaf.c
 * (sheaves and where they lie), slub_node.c (slabs), slub_report.c (misuse).
 *
 * 1. The idea
 *
 * Each CPU has an array of ready objects, the sheaf. Taking and giving back is one
 * restartable sequence on it (<slabwork/slab_fast.h>). Here is what happens once in
 * thirty calls or so: exchange the sheaf with the CPU's spare, then with the node's
 * barn, and only then go to the slabs, with a whole sheaf's worth of work at once.
 *
 * 2. Life of an object
 *
 *   slab ──slab_take()──▶ sheaf ──pop──▶ live ──push──▶ sheaf ──slab_put()──▶ slab
 *   bit set               bit clear      objmap = tag   objmap = 0            bit set
 *
 * 3. Invariants
 *
 *   S1  objmap holds an object's tag exactly while it is live; 0 otherwise. It is set
 *       after the pop and cleared before the push, by the one who owns the object then.
 *   S2  An object is in one place: live, in one sheaf, or free in its slab.
 *   S3  Only an address that is the start of a live object passes a free: everything
 *       else ends in slab_bad_free(), which never touches memory at that address.
 *   S4  Nothing here waits, and no system call is made, unless gfp says
 *       __GFP_DIRECT_RECLAIM; a free never waits: what it cannot put away at once
 *       it leaves on the cache's deferred list for the next one who may wait.
 *
 * 4. Locks
 *
 *   None of its own. A sheaf that was detached is private: a signal handler that
 *   comes in between finds the null sheaf and works without, or with another.
 *
 * 5. Departures from Linux
 *
 *   No interrupts to disable: restartable sequences instead. A double or invalid free
 *   is found on every free, by objmap, and aborts; in the kernel only debugging finds it.
 */

#include <slabwork/slab.h>

#include "kernel/cpu.h"
#include "kernel/printk.h"
#include "kernel/rcu.h"
#include "kernel/server.h"
#include "mm/boot.h"
#include "mm/page_alloc.h"
#include "mm/slub_internal.h"
#include "mm/vmscan.h"
#include "os/os.h"

/* A refill that would need a new slab stops here: untouched objects cost nothing, but new pages do. */
#define REFILL_MIN_SHARE 4

/* ---- allocation ---- */

static int local_nid(void)
{
	return nr_node_ids > 1 ? numa_node_id() : 0;
}

/* Fill an empty private sheaf from slabs so that the lowest address is taken first. */
static void sheaf_refill(struct kmem_cache *s, struct slab_sheaf *sheaf, gfp_t gfp)
{
	unsigned int min = sheaf->capacity / REFILL_MIN_SHARE, got;

	/* One new slab at most: the first object of a cache makes one, as in the kernel. */
	if (min > oo_objects(s->oo))
		min = oo_objects(s->oo);
	got = slab_take(s, gfp, local_nid(), false, sheaf->objects, min ? min : 1, sheaf->capacity);

	for (unsigned int i = 0, j = got; i + 1 < j; i++) {
		void *object = sheaf->objects[i];

		sheaf->objects[i] = sheaf->objects[--j];
		sheaf->objects[j] = object;
	}
	sheaf->size = (unsigned short)got;
}

/* Put a private sheaf to use: main if the place is free, else spare, else the barn. */
static void sheaf_install(struct kmem_cache *s, struct slab_sheaf *sheaf, bool wait)
{
	if (slot_attach(s, sheaf))
		return;
	sheaf = spare_swap(s, sheaf);
	if (sheaf)
		sheaf_dispose(s, sheaf, wait);
}

/* A private sheaf: how many objects it may hold from now on. */
static void sheaf_set_limit(struct slab_sheaf *sheaf, unsigned int limit)
{
	sheaf->objects[sheaf->capacity] = NULL;
	sheaf->objects[limit] = SW_SHEAF_FULL;
	sheaf->capacity = (unsigned short)limit;
}

/*
 * A sheaf with objects in it, private to us, in exchange for an empty main one (or NULL):
 * the spare, a full one of the barn, or an empty one that is filled. NULL: no memory.
 */
static struct slab_sheaf *sheaf_get_filled(struct kmem_cache *s, struct slab_sheaf *main, gfp_t gfp)
{
	bool wait = gfpflags_allow_blocking(gfp);
	struct slab_sheaf *sheaf, *full;

	if (main && main->size)
		return main;
	slab_in_demand(s);
	/* The empty one waits as spare: frees that follow find room there. */
	sheaf = spare_swap(s, main);
	if (main && !sheaf)
		sheaf = spare_swap(s, NULL);
	if (sheaf && sheaf->size)
		return sheaf;
	full = barn_get_full(s, &sheaf, wait);
	if (full) {
		if (sheaf)
			sheaf_free(sheaf);
		return full;
	}
	if (!sheaf)
		sheaf = sheaf_alloc(s->sheaf_capacity, s->sheaf_limit,
				    gfp & ~(__GFP_ZERO | __GFP_NOFAIL));
	if (!sheaf)
		return NULL;
	if (sheaf->capacity < s->sheaf_limit) /* drop_stock() */
		sheaf_set_limit(sheaf, s->sheaf_limit);
	barn_regret(s);
	sheaf_refill(s, sheaf, gfp);
	if (sheaf->size)
		return sheaf;
	sheaf_install(s, sheaf, wait);
	return NULL;
}

/* From the sheaves, by the slow way. NULL: no memory, or no way to a sheaf. */
static void *alloc_from_sheaf(struct kmem_cache *s, gfp_t gfp)
{
	struct slab_sheaf *sheaf;
	void *object;
	bool usable;

	sheaf = slot_detach(s, &usable);
	if (!usable)
		return NULL;
	sheaf = sheaf_get_filled(s, sheaf, gfp);
	if (!sheaf)
		return NULL;
	object = sheaf->objects[--sheaf->size];
	sheaf_install(s, sheaf, gfpflags_allow_blocking(gfp));
	return object;
}

/*
 * Housekeeping that may sleep or run others' code. Callbacks only where no lock of ours can be
 * held: not in reclaim or OOM notifiers (PF_MEMALLOC), not for those who hold one (NORETRY),
 * nor for the caches that make caches (no sheaves).
 */
static void tick(struct kmem_cache *s, gfp_t gfp)
{
	slab_tick();
	if (s->sheaf_capacity && !(gfp & __GFP_NORETRY) && !(current_flags() & PF_MEMALLOC)) {
		rcu_poll();
		server_tick();
	}
}

/*
 * Blocks lie in sheaves only where they come and go: a buffer that grows leaves one block of each
 * size behind, which nobody asks for again, and the peak would count them all. So a cache of
 * blocks is cold until HOT_BLOCKS slow allocations came within HOT_WITHIN_NS, and hot for
 * HOT_FOR_NS from then. Counts that race lose one now and then.
 */
#define HOT_BLOCKS    8
#define HOT_WITHIN_NS 20000000UL
#define HOT_FOR_NS    250000000UL

bool blocks_hot(struct kmem_cache *s, bool count)
{
	unsigned int heat = atomic_load_explicit(&s->block_heat, memory_order_relaxed);
	uint64_t now, since;

	if (!s->block_pages)
		return true;
	if (heat < HOT_BLOCKS && !count)
		return false;
	now = os_now_coarse_ns();
	since = now - atomic_load_explicit(&s->block_heat_ns, memory_order_relaxed);
	if (since > (heat < HOT_BLOCKS ? HOT_WITHIN_NS : HOT_FOR_NS)) {
		atomic_store_explicit(&s->block_heat_ns, now, memory_order_relaxed);
		atomic_store_explicit(&s->block_heat, count, memory_order_relaxed);
		return false;
	}
	if (heat < HOT_BLOCKS)
		atomic_store_explicit(&s->block_heat, ++heat, memory_order_relaxed);
	return heat >= HOT_BLOCKS;
}

static void *alloc_slow(struct kmem_cache *s, gfp_t gfp, int nid)
{
	bool strict = nid != NUMA_NO_NODE && nr_node_ids > 1;
	void *object = NULL;

	drain_deferred(s, gfpflags_allow_blocking(gfp));
	if (gfpflags_allow_blocking(gfp))
		tick(s, gfp);
	if (s->sheaf_capacity && !strict) {
		if (!cpu_rseq_ok)
			object = slot_pop_locked(s);
		if (!object && blocks_hot(s, true))
			object = alloc_from_sheaf(s, gfp);
	}
	if (object)
		return object;
	/* A node that was asked for: its own slabs, then a new one there, before anybody else's. */
	if (strict) {
		gfp_t light = (gfp | __GFP_NOWARN | __GFP_NORETRY) & ~__GFP_NOFAIL;

		if (slab_take(s, gfp & __GFP_THISNODE ? gfp : light, nid, true, &object, 1, 1))
			return object;
		if (gfp & __GFP_THISNODE)
			return NULL;
	}
	return slab_take(s, gfp, strict ? nid : local_nid(), false, &object, 1, 1) ? object : NULL;
}

static gfp_t check_gfp(struct kmem_cache *s, gfp_t gfp)
{
	gfp_t bad = gfp & GFP_SLAB_BUG_MASK & ~(s->flags & SLAB_CACHE_DMA32 ? __GFP_DMA32 : 0);

	if (likely(!bad))
		return gfp;
	pr_warn("Unexpected gfp: %#x. Fixing up to gfp: %#x. Fix your code!\n", bad, gfp & ~bad);
	return gfp & ~bad;
}

void *slab_alloc_node(struct kmem_cache *s, gfp_t gfp, int nid)
{
	void *object;

	gfp = check_gfp(s, gfp);
	if (unlikely((gfp & __GFP_ZERO) && s->ctor)) {
		WARN_ONCE(true, "WARNING: __GFP_ZERO asked of %s, whose objects are constructed\n",
			  s->name);
		gfp &= ~__GFP_ZERO;
	}
	do {
		object = alloc_slow(s, gfp, nid);
	} while (unlikely(!object && (gfp & __GFP_NOFAIL) && gfpflags_allow_blocking(gfp)));
	if (unlikely(!object))
		return NULL;
	object_set_live(s, object);
	if (gfp & __GFP_ZERO)
		memset(object, 0, s->object_size);
	return object;
}

void *sw_cache_alloc_slow(struct kmem_cache *s, gfp_t gfp)
{
	return slab_alloc_node(s, gfp, NUMA_NO_NODE);
}

void *sw_cache_alloc(struct kmem_cache *s, gfp_t gfp)
{
	return kmem_cache_alloc(s, gfp);
}

void *kmem_cache_alloc_node(struct kmem_cache *s, gfp_t gfp, int nid)
{
	if (nid == NUMA_NO_NODE || nr_node_ids == 1)
		return kmem_cache_alloc(s, gfp);
	return slab_alloc_node(s, gfp, nid);
}

/* ---- free ---- */

/* Objects that stay in a CPU's sheaf at most, when everything else has been dropped. */
#define DROP_CAPACITY 60

/*
 * The program drops its data. Objects in stock are a random choice of those it freed, so each may
 * keep a slab of empty places alive, and when it is done nobody will come to reap: all
 * stock goes, main last. False: a lock was taken.
 */
static bool drop_stock(struct kmem_cache *s, struct slab_sheaf *main)
{
	struct slab_sheaf *spare = spare_swap(s, NULL);

	if (spare) {
		sheaf_unload(s, spare, false);
		sheaf_dispose(s, spare, false);
	}
	/* The first one says that nobody needs them, the second believes it. */
	barn_reap(s);
	barn_reap(s);
	slab_drop_empty(s);
	if (!sheaf_unload(s, main, false))
		return false;
	if (!main->size && main->capacity > DROP_CAPACITY)
		sheaf_set_limit(main, DROP_CAPACITY);
	return true;
}

/* A sheaf with room, private to us, in exchange for a full main one (or NULL). NULL: none to be had. */
static struct slab_sheaf *sheaf_get_room(struct kmem_cache *s, struct slab_sheaf *main)
{
	struct slab_sheaf *other, *empty = NULL;

	if (main && main->size < main->capacity)
		return main;
	if (main && slab_shrinking(s) && drop_stock(s, main))
		return main;
	if (main && main->capacity < s->sheaf_limit) {
		sheaf_set_limit(main, s->sheaf_limit);
		return main;
	}
	/* The older sheaf goes away, the one just filled stays as spare: its objects are warm. */
	other = spare_swap(s, main);
	if (other && other->size < other->capacity)
		return other;
	if (other && !barn_put_full(s, other, &empty)) {
		if (sheaf_unload(s, other, false))
			return other;
		sheaf_dispose(s, other, false);
	}
	if (!empty)
		empty = barn_get_empty(s, false);
	if (!empty)
		empty = sheaf_alloc(s->sheaf_capacity, s->sheaf_limit, GFP_NOWAIT | __GFP_NOWARN);
	return empty;
}

static bool free_to_sheaf(struct kmem_cache *s, void *object)
{
	struct slab_sheaf *sheaf;
	bool usable;

	sheaf = slot_detach(s, &usable);
	if (!usable)
		return false;
	sheaf = sheaf_get_room(s, sheaf);
	if (!sheaf)
		return false;
	sheaf->objects[sheaf->size++] = object;
	sheaf_install(s, sheaf, false);
	slab_tick();
	return true;
}

/* The object is dead in objmap and ours to put away. */
static void free_object(struct kmem_cache *s, void *object)
{
	if (s->sheaf_capacity && !s->dying) {
		if (cpu_rseq_ok ? sw_slot_push(&s->fast, 0, object) : slot_push_locked(s, object))
			return;
		if (blocks_hot(s, false) && free_to_sheaf(s, object))
			return;
	}
	if (!slab_put(s, &object, 1, false))
		defer_object(s, object);
}

struct kmem_cache *slab_cache_of(const void *addr, struct page **head)
{
	struct page *page;

	if (!layout_addr_online((uintptr_t)addr))
		return NULL;
	page = page_head(addr_to_page(addr));
	if (!page_test(page, PG_slab))
		return NULL;
	atomic_thread_fence(memory_order_acquire);
	if (head)
		*head = page;
	return page->slab_cache;
}

/* The check the header does inline: an object of the machine window, alive, with this cache's tag. */
static bool kill_by_tag(struct kmem_cache *s, void *object)
{
	unsigned char tag;
	uintptr_t step;

	if (!s || !s->fast.tag)
		return false;
	step = sw_step_to_free(&s->fast, object, &tag);
	if (step >= __atomic_load_n(s->fast.nr_steps, __ATOMIC_RELAXED) ||
	    s->fast.live[step] != tag)
		return false;
	s->fast.live[step] = 0;
	return true;
}

/* Make a live object of s dead, or report and abort (S3). Returns its true cache. */
static struct kmem_cache *object_kill(struct kmem_cache *named, void *object, const char *who)
{
	struct kmem_cache *s;
	struct page *slab;
	int index;

	/* Shared tags do not prove the cache: slab_put() looks again, a sheaf later. */
	if (kill_by_tag(named, object))
		return named;
	s = slab_cache_of(object, &slab);
	if (!s || (index = obj_to_index(s, slab, object)) < 0)
		slab_bad_free(who, named, object);
	if (unlikely(named && named != s))
		WARN(true, "cache_from_obj: Wrong slab cache. %s but object is from %s\n",
		     named->name, s->name);
	if (s->fast.tag) {
		if (*objmap_byte(object) != objmap_tag(s, object))
			slab_bad_free(who, named, object);
		*objmap_byte(object) = 0;
	} else if (slab_bit_guess(slab, (unsigned int)index)) {
		slab_bad_free(who, named, object); /* slab_put() asks again, under the lock */
	}
	return s;
}

void slab_free_slow(struct kmem_cache *s, void *object, bool checked, const char *who)
{
	if (!checked)
		s = object_kill(s, object, who);
	free_object(s, object);
}

void sw_cache_free_slow(struct kmem_cache *s, void *object, bool checked)
{
	/* Without a tag the inline check compared 0 with 0: it proved nothing. */
	slab_free_slow(s, object, checked && s->fast.tag, "kmem_cache_free()");
}

void sw_cache_free(struct kmem_cache *s, void *object)
{
	kmem_cache_free(s, object);
}

/* ---- many at once ---- */

/*
 * What the loops below read of the cache, copied: a store to objmap could change anything in
 * the compiler's eyes.
 */
struct bulk {
	struct sw_fast fast;
	uintptr_t nr_steps;
	bool eights; /* objects may lie at 8 mod 16: every other tag is odd */
};

static inline struct bulk bulk_of(const struct kmem_cache *s)
{
	struct bulk b = { .fast = s->fast };

	b.nr_steps = __atomic_load_n(b.fast.nr_steps, __ATOMIC_RELAXED);
	b.eights = (s->size | s->red_left_pad) & 8;
	return b;
}

/* Mark and hand out; from and to may be the same. */
SW_ALWAYS_INLINE void bulk_mark(const struct bulk b, void **from, void **to, size_t n, bool eights)
{
	for (size_t i = 0; i < n; i++) {
		void *object = from[i];

		to[i] = object;
		if (eights)
			sw_mark_live(&b.fast, object);
		else
			b.fast.objmap[(uintptr_t)object >> OBJMAP_SHIFT] = b.fast.tag;
	}
}

static void bulk_set_live(const struct kmem_cache *s, void **from, void **to, size_t n)
{
	const struct bulk b = bulk_of(s);

	if (unlikely(!b.fast.tag))
		memmove(to, from, n * sizeof(void *));
	else if (b.eights)
		bulk_mark(b, from, to, n, true);
	else
		bulk_mark(b, from, to, n, false);
}

SW_ALWAYS_INLINE size_t bulk_unmark(const struct bulk b, void **from, void **to, size_t n,
				    bool eights)
{
	unsigned char tag = b.fast.tag;
	size_t i;

	for (i = 0; i < n; i++) {
		void *object = from[i];
		uintptr_t step = eights ? sw_step_to_free(&b.fast, object, &tag) :
					  sw_step_of(&b.fast, object);

		if (unlikely(step >= b.nr_steps || b.fast.live[step] != tag))
			break;
		b.fast.live[step] = 0;
		to[i] = object;
	}
	return i;
}

/*
 * kill_by_tag() for as many as pass, into a private sheaf with room. Returns how many did: the
 * next one is for object_kill() to judge, or the sheaf is full.
 */
static size_t bulk_kill(const struct kmem_cache *s, struct slab_sheaf *sheaf, void **p, size_t n)
{
	const struct bulk b = bulk_of(s);
	void **to = sheaf->objects + sheaf->size;

	if (n > (size_t)(sheaf->capacity - sheaf->size))
		n = (size_t)(sheaf->capacity - sheaf->size);
	if (unlikely(!b.fast.tag))
		return 0;
	n = b.eights ? bulk_unmark(b, p, to, n, true) : bulk_unmark(b, p, to, n, false);
	sheaf->size = (unsigned short)(sheaf->size + n);
	return n;
}

/* Objects straight out of the CPU's sheaf, live: one exchange for all of them. */
static unsigned int bulk_from_sheaf(struct kmem_cache *s, void **p, unsigned int n)
{
	struct slab_sheaf *sheaf;
	unsigned int got = 0;
	bool usable;

	if (!s->sheaf_capacity)
		return 0;
	sheaf = slot_detach(s, &usable);
	if (!sheaf)
		return 0;
	got = n < sheaf->size ? n : sheaf->size;
	sheaf->size = (unsigned short)(sheaf->size - got);
	bulk_set_live(s, sheaf->objects + sheaf->size, p, got);
	sheaf_install(s, sheaf, false);
	return got;
}

int kmem_cache_alloc_bulk(struct kmem_cache *s, gfp_t gfp, size_t nr, void **p)
{
	size_t got = 0;

	gfp = check_gfp(s, gfp);
	while (got < nr) {
		unsigned int want = nr - got > 1024 ? 1024 : (unsigned int)(nr - got);
		unsigned int warm = bulk_from_sheaf(s, p + got, want), n = warm;

		if (n < want && want - n > s->sheaf_capacity) {
			n += slab_take(s, gfp, local_nid(), false, p + got + n, want - n, want - n);
		} else if (n < want) {
			p[got + n] = alloc_slow(s, gfp, NUMA_NO_NODE);
			n += p[got + n] != NULL;
		}
		if (!n)
			break;
		bulk_set_live(s, p + got + warm, p + got + warm, n - warm);
		got += n;
	}
	if (got < nr) {
		kmem_cache_free_bulk(s, got, p);
		return 0;
	}
	if (gfp & __GFP_ZERO && !s->ctor) {
		for (size_t i = 0; i < nr; i++)
			memset(p[i], 0, s->object_size);
	}
	return (int)nr;
}

void kmem_cache_free_bulk(struct kmem_cache *s, size_t nr, void **p)
{
	struct slab_sheaf *sheaf;
	bool usable;
	size_t i = 0;

	if (s && s->sheaf_capacity && nr > 1) {
		sheaf = slot_detach(s, &usable);
		while (sheaf && i < nr && sheaf->size < sheaf->capacity) {
			struct kmem_cache *own;

			i += bulk_kill(s, sheaf, p + i, nr - i);
			if (i == nr || sheaf->size == sheaf->capacity)
				break;
			own = object_kill(s, p[i], "kmem_cache_free_bulk()");
			if (likely(own == s))
				sheaf->objects[sheaf->size++] = p[i];
			else
				free_object(own, p[i]);
			i++;
		}
		if (sheaf)
			sheaf_install(s, sheaf, false);
	}
	for (; i < nr; i++) {
		if (s)
			kmem_cache_free(s, p[i]);
		else
			kfree(p[i]);
	}
}

/* ---- prefilled sheaves ---- */

int kmem_cache_refill_sheaf(struct kmem_cache *s, gfp_t gfp, struct slab_sheaf **sheafp,
			    unsigned int size)
{
	struct slab_sheaf *sheaf = *sheafp;
	unsigned int need;

	if (sheaf->capacity < size) {
		struct slab_sheaf *bigger = kmem_cache_prefill_sheaf(s, gfp, size);

		if (!bigger)
			return -12; /* -ENOMEM */
		kmem_cache_return_sheaf(s, gfp, sheaf);
		*sheafp = bigger;
		return 0;
	}
	if (sheaf->size >= size)
		return 0;
	need = size - sheaf->size;
	sheaf->size = (unsigned short)(sheaf->size + slab_take(s, gfp, local_nid(), false,
							       sheaf->objects + sheaf->size, need,
							       sheaf->capacity - sheaf->size));
	return sheaf->size >= size ? 0 : -12;
}

struct slab_sheaf *kmem_cache_prefill_sheaf(struct kmem_cache *s, gfp_t gfp, unsigned int size)
{
	unsigned int capacity = size > s->sheaf_capacity ? size : s->sheaf_capacity;
	struct slab_sheaf *sheaf;

	if (size > PAGE_SIZE / sizeof(void *) - 4)
		return NULL;
	capacity = sheaf_round_capacity(capacity);
	sheaf = sheaf_alloc(capacity, capacity, gfp & ~__GFP_ZERO);
	if (sheaf && kmem_cache_refill_sheaf(s, gfp, &sheaf, size)) {
		kmem_cache_return_sheaf(s, gfp, sheaf);
		return NULL;
	}
	return sheaf;
}

void kmem_cache_return_sheaf(struct kmem_cache *s, gfp_t gfp, struct slab_sheaf *sheaf)
{
	bool wait = gfpflags_allow_blocking(gfp);

	if (sheaf->capacity == s->sheaf_capacity) {
		sheaf_dispose(s, sheaf, wait);
		return;
	}
	for (unsigned int i = 0; i < sheaf->size; i++)
		free_object(s, sheaf->objects[i]);
	sheaf_free(sheaf);
}

void *kmem_cache_alloc_from_sheaf(struct kmem_cache *s, gfp_t gfp, struct slab_sheaf *sheaf)
{
	void *object;

	if (WARN_ON_ONCE(!sheaf->size))
		return NULL;
	object = sheaf->objects[--sheaf->size];
	object_set_live(s, object);
	if (gfp & __GFP_ZERO)
		memset(object, 0, s->object_size);
	return object;
}

unsigned int kmem_cache_sheaf_size(struct slab_sheaf *sheaf)
{
	return sheaf->size;
}
