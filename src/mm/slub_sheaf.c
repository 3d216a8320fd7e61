/* SPDX-License-Identifier: MIT */
/*
 * slub_sheaf.c - where sheaves lie: slots, spares, barns, and on nobody's list
 *
 * Room: mm.  Above us: slub.c.  Below us: slub_node.c (slabs), kernel/cpu.h (ids).
 *
 * 1. The idea
 *
 * A sheaf belongs to exactly one of: a slot (a CPU id's main sheaf), a spare (its
 * second one), a barn list, the cache's deferred list, or whoever just took it from
 * one of these. Every move is one exchange, so a thread that is preempted or
 * interrupted in the middle holds its sheaf privately and nobody waits for it.
 *
 *        fast path            slow path, one CPU            node-wide
 *   object ⇄ slot's sheaf ⇄ spare (atomic exchange) ⇄ barn (lock) ⇄ slabs (list_lock)
 *
 * 2. Invariants
 *
 *   H1  A slot holds the top of a sheaf, or &sheaf_null[0], or &sheaf_drain[0]. It is
 *       never 0 once the cache can be used. Slot 0 of every CPU id is null for ever.
 *   H2  sheaf->size is valid exactly while the sheaf is in no slot.
 *   H3  objects[0 .. size) are objects of the cache, free, and 0 in objmap.
 *   H4  sheaf->bottom is NULL and objects[sheaf->capacity] is SW_SHEAF_FULL, always. Its size in
 *       memory follows from the cache's sheaf_capacity (sheaf->capacity may be less: blocks, and
 *       what drop_stock() cut short).
 *
 * 3. Emptying another CPU's slot
 *
 * The owner's sequences do not lock, so we cannot just take its sheaf. We exchange
 * the slot for the *drain* sheaf, which the owner's slow path leaves alone (it works
 * without a sheaf meanwhile), then membarrier restarts every sequence in flight.
 * Now either the slot still says drain: nobody can store there but us, the sheaf is
 * ours. Or a sequence that was in flight committed over it: the sheaf is the owner's
 * as before, and we try again. Exchange, barrier, look: that order is the proof.
 *
 * 4. Without rseq
 *
 * The header's inline code finds id 0 (the null CPU). The functions here then work
 * on the slots of ids 1.. under slot_locks[id]; a taken lock means: try the next id.
 */

#include <slabwork/slab.h>

#include "kernel/cpu.h"
#include "kernel/fork.h"
#include "kernel/lock.h"
#include "lib/bitops.h"
#include "mm/slub_internal.h"

void *sheaf_null[2] = { NULL, SW_SHEAF_FULL };
void *sheaf_drain[2] = { NULL, SW_SHEAF_FULL };

#define SHEAF_FRAME_WORDS 4
#define SPARE_OFFSET      (1UL << (SW_PCPU_SHIFT - 1)) /* spares: second half of an id's span */
#define SPARE_BUSY        ((struct slab_sheaf *)1)
#define FIRST_OTHER_SLOT  128 /* those of tags come before */
#define MAX_LOCKED_CIDS   64
#define TRYLOCK_SPINS     64

/* One for each id in use without rseq; more ids than locks share them. */
static struct {
	spinlock_t lock;
} __attribute__((aligned(64))) slot_locks[MAX_LOCKED_CIDS];

static spinlock_t slot_index_lock;
static unsigned long slot_index_used[SLAB_NR_SLOTS / 64];
static unsigned int slot_index_high = FIRST_OTHER_SLOT;

/* ---- slots ---- */

static void **slot_of(const struct kmem_cache *s, unsigned int cid)
{
	return (void **)(void *)(s->fast.slots + ((size_t)cid << SW_PCPU_SHIFT));
}

static _Atomic(struct slab_sheaf *) *spare_of(const struct kmem_cache *s, unsigned int cid)
{
	return (_Atomic(struct slab_sheaf *) *)(void *)(s->fast.slots +
							((size_t)cid << SW_PCPU_SHIFT) +
							SPARE_OFFSET);
}

static size_t sheaf_bytes(unsigned int capacity)
{
	return (capacity + SHEAF_FRAME_WORDS) * sizeof(void *);
}

unsigned int sheaf_round_capacity(unsigned int capacity)
{
	unsigned long words = roundup_pow_of_two((unsigned long)capacity + SHEAF_FRAME_WORDS);

	if (words > PAGE_SIZE / sizeof(void *))
		words = PAGE_SIZE / sizeof(void *);
	return (unsigned int)words - SHEAF_FRAME_WORDS;
}

static void *sheaf_top(struct slab_sheaf *sheaf)
{
	return &sheaf->objects[(int)sheaf->size - 1];
}

/* The sheaf a slot's top points into; its size is set (H2). NULL for null and drain. */
static struct slab_sheaf *sheaf_of_top(const struct kmem_cache *s, void *top)
{
	struct slab_sheaf *sheaf;

	if (!top || top == sheaf_null || top == sheaf_drain)
		return NULL;
	sheaf = (struct slab_sheaf *)((uintptr_t)top & ~(sheaf_bytes(s->sheaf_capacity) - 1));
	sheaf->size = (unsigned short)((void **)top - &sheaf->objects[0] + 1);
	return sheaf;
}

bool slots_init(void)
{
	if (!sw_layout.pcpu)
		return false;
	for (long cid = -CPU_NULL_IDS; cid < (long)cpu_nr_cids(); cid++) {
		void **slots = (void **)(void *)(sw_layout.pcpu + cid * (1L << SW_PCPU_SHIFT));

		for (unsigned int i = 0; i < FIRST_OTHER_SLOT; i++)
			slots[i] = sheaf_null;
	}
	return true;
}

/* An index whose slots are null on every id. */
int slot_index_alloc(void)
{
	unsigned int index;

	spin_lock(&slot_index_lock);
	for (index = FIRST_OTHER_SLOT; index < slot_index_high; index++) {
		if (!(slot_index_used[index / 64] >> (index % 64) & 1))
			break;
	}
	if (index == SLAB_NR_SLOTS) {
		spin_unlock(&slot_index_lock);
		return -1;
	}
	slot_index_used[index / 64] |= 1UL << (index % 64);
	if (index == slot_index_high)
		slot_index_high++;
	spin_unlock(&slot_index_lock);
	for (long cid = -CPU_NULL_IDS; cid < (long)cpu_nr_cids(); cid++) {
		char *slot = sw_layout.pcpu + cid * (1L << SW_PCPU_SHIFT) + 8UL * index;

		__atomic_store_n((void **)(void *)slot, (void *)sheaf_null, __ATOMIC_RELEASE);
	}
	return (int)index;
}

void slot_index_free(unsigned int index)
{
	if (index < FIRST_OTHER_SLOT)
		return;
	spin_lock(&slot_index_lock);
	slot_index_used[index / 64] &= ~(1UL << (index % 64));
	spin_unlock(&slot_index_lock);
}

/* ---- slots without rseq ---- */

/* Written under the slot's lock, counted (slab_sheaf_objects()) and looked at from outside without. */
static void slot_store(void **slot, void *top)
{
	__atomic_store_n(slot, top, __ATOMIC_RELEASE);
}

/* Ids 1..n-1 in turn from the thread's own; the lock of *cid is held. False: all are busy. */
static bool lock_some_cid(unsigned int *cid)
{
	unsigned int n = cpu_nr_cids(), id = cpu_cid();

	for (unsigned int i = 1; i < n; i++) {
		if (spin_trylock(&slot_locks[id % MAX_LOCKED_CIDS].lock)) {
			*cid = id;
			return true;
		}
		id = id + 1 < n ? id + 1 : 1;
	}
	return false;
}

static void unlock_cid(unsigned int cid)
{
	spin_unlock(&slot_locks[cid % MAX_LOCKED_CIDS].lock);
}

void *slot_pop_locked(struct kmem_cache *s)
{
	void **slot, **top, *object;
	unsigned int cid;

	if (cpu_rseq_ok || !s->sheaf_capacity || !lock_some_cid(&cid))
		return NULL;
	slot = slot_of(s, cid);
	top = *slot;
	object = *top;
	if (object)
		slot_store(slot, top - 1);
	unlock_cid(cid);
	return object;
}

bool slot_push_locked(struct kmem_cache *s, void *object)
{
	unsigned int cid;
	void **slot, **top;
	bool room;

	if (cpu_rseq_ok || !s->sheaf_capacity || !lock_some_cid(&cid))
		return false;
	slot = slot_of(s, cid);
	top = *slot;
	room = top[1] != SW_SHEAF_FULL;
	if (room) {
		top[1] = object;
		slot_store(slot, top + 1);
	}
	unlock_cid(cid);
	return room;
}

struct slab_sheaf *slot_detach(struct kmem_cache *s, bool *usable)
{
	void *top = NULL;
	unsigned int cid;

	if (cpu_rseq_ok) {
		top = sw_slot_detach(&s->fast, sheaf_null, sheaf_drain);
	} else if (lock_some_cid(&cid)) {
		top = *slot_of(s, cid);
		if (top == sheaf_drain)
			top = NULL;
		else
			slot_store(slot_of(s, cid), sheaf_null);
		unlock_cid(cid);
	}
	*usable = top != NULL;
	return sheaf_of_top(s, top);
}

bool slot_attach(struct kmem_cache *s, struct slab_sheaf *sheaf)
{
	void *top = sheaf_top(sheaf);
	unsigned int cid;
	bool done = false;

	if (cpu_rseq_ok)
		return sw_slot_attach(&s->fast, sheaf_null, top);
	if (!lock_some_cid(&cid))
		return false;
	if (*slot_of(s, cid) == sheaf_null) {
		slot_store(slot_of(s, cid), top);
		done = true;
	}
	unlock_cid(cid);
	return done;
}

/* Exchange this id's spare; which id does not matter for correctness, so a migration is harmless. */
struct slab_sheaf *spare_swap(struct kmem_cache *s, struct slab_sheaf *sheaf)
{
	return atomic_exchange_explicit(spare_of(s, cpu_cid()), sheaf, memory_order_acq_rel);
}

/* ---- sheaves ---- */

struct slab_sheaf *sheaf_alloc(unsigned int capacity, unsigned int limit, gfp_t gfp)
{
	struct slab_sheaf *sheaf = slab_meta_alloc(sheaf_bytes(capacity), gfp);

	if (!sheaf)
		return NULL;
	sheaf->next = NULL;
	sheaf->capacity = (unsigned short)limit;
	sheaf->size = 0;
	sheaf->seen = 0;
	sheaf->bottom = NULL;
	/*
	 * What lies below the limit is whatever was there: a stale FULL costs one slow path, which
	 * goes by size and stores over it. So a frame costs the memory that is used of it.
	 */
	sheaf->objects[limit] = SW_SHEAF_FULL;
	return sheaf;
}

void sheaf_free(struct slab_sheaf *sheaf)
{
	slab_meta_free(sheaf);
}

/* ---- barns ---- */

static bool lock_barn(struct node_barn *barn, bool wait)
{
	if (wait) {
		spin_lock(&barn->lock);
		return true;
	}
	for (int i = 0; i < TRYLOCK_SPINS; i++) {
		if (spin_trylock(&barn->lock))
			return true;
	}
	return false;
}

static struct node_barn *local_barn(struct kmem_cache *s)
{
	return &get_node(s, nr_node_ids > 1 ? numa_node_id() : 0)->barn;
}

/* What only holders of the lock write and others peek at: no locked instruction. */
static unsigned int barn_count(const _Atomic unsigned int *n)
{
	return atomic_load_explicit((_Atomic unsigned int *)n, memory_order_relaxed);
}

static unsigned int barn_count_add(_Atomic unsigned int *n, int by)
{
	unsigned int now = barn_count(n) + (unsigned int)by;

	atomic_store_explicit(n, now, memory_order_relaxed);
	return now;
}

/* The head of a list that only holders of the lock change. */
static struct slab_sheaf *barn_pop(_Atomic(struct slab_sheaf *) *list)
{
	struct slab_sheaf *sheaf = atomic_load_explicit(list, memory_order_relaxed);

	atomic_store_explicit(list, sheaf->next, memory_order_relaxed);
	return sheaf;
}

static void barn_push(_Atomic(struct slab_sheaf *) *list, struct slab_sheaf *sheaf)
{
	sheaf->next = atomic_load_explicit(list, memory_order_relaxed);
	atomic_store_explicit(list, sheaf, memory_order_relaxed);
}

static bool barn_has(_Atomic(struct slab_sheaf *) *list)
{
	return atomic_load_explicit(list, memory_order_relaxed) != NULL;
}

static bool full_fits(const struct kmem_cache *s, const struct node_barn *barn)
{
	return barn_count(&barn->nr_full) < s->barn_max_full + barn->extra;
}

static void barn_push_full(struct node_barn *barn, struct slab_sheaf *sheaf)
{
	unsigned int now = barn_count_add(&barn->nr_full, 1);

	barn_push(&barn->full, sheaf);
	if (barn->most_full < now)
		barn->most_full = now;
}

static bool empty_fits(const struct node_barn *barn)
{
	return barn->nr_empty < BARN_MAX_EMPTY + barn->extra;
}

/*
 * Objects of a stock larger than a CPU's cache, in no order: they and their objmap bytes are
 * asked for all at once, since the stores to come would wait for one another.
 */
static void sheaf_warm(const struct slab_sheaf *sheaf)
{
	for (unsigned int i = sheaf->size; i-- > 0;) {
		__builtin_prefetch(objmap_byte(sheaf->objects[i]), 1, 2);
		__builtin_prefetch(sheaf->objects[i], 1, 2);
		__asm__ volatile(""); /* gcc drops the calls of a function that only prefetches */
	}
}

struct slab_sheaf *barn_get_full(struct kmem_cache *s, struct slab_sheaf **empty, bool wait)
{
	struct node_barn *barn = local_barn(s);
	struct slab_sheaf *sheaf = NULL;
	unsigned int left;
	bool deep;

	if (!barn_has(&barn->full) || !lock_barn(barn, wait))
		return NULL;
	if (barn_has(&barn->full)) {
		sheaf = barn_pop(&barn->full);
		left = barn_count_add(&barn->nr_full, -1);
		if (barn->min_full > left)
			barn->min_full = left;
	}
	if (sheaf && *empty && empty_fits(barn)) {
		barn_push(&barn->empty, *empty);
		barn->nr_empty++;
		*empty = NULL;
	}
	deep = barn_count(&barn->nr_full) >= s->barn_max_full;
	spin_unlock(&barn->lock);
	if (sheaf && deep)
		sheaf_warm(sheaf);
	return sheaf;
}

bool barn_put_full(struct kmem_cache *s, struct slab_sheaf *sheaf, struct slab_sheaf **empty)
{
	struct node_barn *barn = local_barn(s);
	bool room;

	*empty = NULL;
	if (s->dying || !s->barn_max_full || !lock_barn(barn, false))
		return false;
	room = full_fits(s, barn);
	if (room) {
		barn_push_full(barn, sheaf);
		if (barn_has(&barn->empty)) {
			*empty = barn_pop(&barn->empty);
			barn->nr_empty--;
		}
	} else {
		barn_count_add(&barn->spilled, 1);
	}
	spin_unlock(&barn->lock);
	return room;
}

struct slab_sheaf *barn_get_empty(struct kmem_cache *s, bool wait)
{
	struct node_barn *barn = local_barn(s);
	struct slab_sheaf *sheaf = NULL;

	if (!barn_has(&barn->empty) || !lock_barn(barn, wait))
		return NULL;
	if (barn_has(&barn->empty)) {
		sheaf = barn_pop(&barn->empty);
		barn->nr_empty--;
	}
	spin_unlock(&barn->lock);
	return sheaf;
}

static bool barn_put(struct kmem_cache *s, struct slab_sheaf *sheaf, bool wait)
{
	struct node_barn *barn = local_barn(s);
	bool full = sheaf->size != 0, room;

	if (s->dying || (full && !s->barn_max_full) || !lock_barn(barn, wait))
		return false;
	room = full ? full_fits(s, barn) : empty_fits(barn);
	if (room && full) {
		barn_push_full(barn, sheaf);
	} else if (room) {
		barn_push(&barn->empty, sheaf);
		barn->nr_empty++;
	}
	spin_unlock(&barn->lock);
	return room;
}

/* A sheaf is filled from slabs: had one that was spilled stayed here, it would not have to be. */
void barn_regret(struct kmem_cache *s)
{
	struct node_barn *barn = local_barn(s);

	if (!barn_count(&barn->spilled) || !spin_trylock(&barn->lock))
		return;
	if (barn_count(&barn->spilled)) {
		barn_count_add(&barn->spilled, -1);
		if (barn->extra < s->barn_max_extra)
			barn->extra++;
	}
	spin_unlock(&barn->lock);
}

/* ---- getting rid of one ---- */

static void defer_sheaf(struct kmem_cache *s, struct slab_sheaf *sheaf)
{
	struct slab_sheaf *head = atomic_load_explicit(&s->deferred, memory_order_relaxed);

	do {
		sheaf->next = head;
	} while (!atomic_compare_exchange_weak_explicit(
		&s->deferred, &head, sheaf, memory_order_release, memory_order_relaxed));
}

unsigned int sheaf_unload(struct kmem_cache *s, struct slab_sheaf *sheaf, bool wait)
{
	unsigned int put = slab_put(s, sheaf->objects, sheaf->size, wait);

	memmove(sheaf->objects, sheaf->objects + put, (sheaf->size - put) * sizeof(void *));
	sheaf->size = (unsigned short)(sheaf->size - put);
	return put;
}

/* Into the slabs, and the frame is freed; what a taken lock keeps out is deferred. */
static void sheaf_flush(struct kmem_cache *s, struct slab_sheaf *sheaf, bool wait)
{
	sheaf_unload(s, sheaf, wait);
	if (sheaf->size)
		defer_sheaf(s, sheaf);
	else
		sheaf_free(sheaf);
}

void sheaf_dispose(struct kmem_cache *s, struct slab_sheaf *sheaf, bool wait)
{
	if (barn_put(s, sheaf, wait))
		return;
	sheaf_flush(s, sheaf, wait);
}

/* Does it hold what it held the last time? Then nobody needed it. */
static bool sheaf_idle(struct slab_sheaf *sheaf)
{
	uintptr_t top = sheaf->size ? (uintptr_t)sheaf->objects[sheaf->size - 1] : 0;
	unsigned int seen = (unsigned int)(top >> PAGE_SHIFT) + sheaf->size;
	bool idle = sheaf->size && seen == sheaf->seen;

	sheaf->seen = seen;
	return idle;
}

/* The idle sheaves of a cache of blocks: all spares, and this CPU's main one. */
static void reap_blocks(struct kmem_cache *s)
{
	struct slab_sheaf *sheaf;
	bool usable;

	for (unsigned int cid = 0; cid < cpu_nr_cids(); cid++) {
		sheaf = NULL;
		if (atomic_load_explicit(spare_of(s, cid), memory_order_relaxed))
			sheaf = atomic_exchange_explicit(spare_of(s, cid), NULL,
							 memory_order_acq_rel);
		if (sheaf && !sheaf_idle(sheaf))
			sheaf = atomic_exchange_explicit(spare_of(s, cid), sheaf,
							 memory_order_acq_rel);
		if (sheaf)
			sheaf_flush(s, sheaf, false);
	}
	sheaf = slot_detach(s, &usable);
	if (sheaf && (sheaf_idle(sheaf) || !slot_attach(s, sheaf)))
		sheaf_flush(s, sheaf, false);
}

void block_sheaves_reap(void)
{
	if (!mutex_trylock(&slab_mutex))
		return;
	for (unsigned int tag = 1; tag <= SLAB_TAG_GENERAL; tag++) {
		struct kmem_cache *s = general_caches[tag];

		if (s && s->block_pages)
			reap_blocks(s);
	}
	mutex_unlock(&slab_mutex);
}

/*
 * What the barn keeps follows what was taken from it lately: min_full sheaves were not, and room
 * beyond most_full was not used. All that goes, with as many empty ones. The caller owns the list.
 */
static struct slab_sheaf *barn_cut(struct kmem_cache *s, struct node_barn *barn)
{
	unsigned int idle = barn->min_full, used = barn->most_full - idle;
	struct slab_sheaf *cut = NULL, *sheaf;

	for (; idle && barn_has(&barn->full); idle--) {
		sheaf = barn_pop(&barn->full);
		barn_count_add(&barn->nr_full, -1);
		sheaf->next = cut;
		cut = sheaf;
	}
	barn->min_full = barn->most_full = barn_count(&barn->nr_full);
	atomic_store_explicit(&barn->spilled, 0, memory_order_relaxed);
	barn->extra = used > s->barn_max_full ? used - s->barn_max_full : 0;
	while (barn_has(&barn->empty) && barn->nr_empty > BARN_MAX_EMPTY + barn->extra) {
		sheaf = barn_pop(&barn->empty);
		barn->nr_empty--;
		sheaf->next = cut;
		cut = sheaf;
	}
	return cut;
}

void barn_reap(struct kmem_cache *s)
{
	if (s->block_pages)
		reap_blocks(s);
	for (unsigned int nid = 0; nid < nr_node_ids; nid++) {
		struct node_barn *barn = s->node[nid] ? &s->node[nid]->barn : NULL;
		struct slab_sheaf *cut, *sheaf;

		if (!barn || (!barn_has(&barn->full) && !barn_has(&barn->empty)) ||
		    !spin_trylock(&barn->lock))
			continue;
		cut = barn_cut(s, barn);
		spin_unlock(&barn->lock);
		while ((sheaf = cut)) {
			cut = sheaf->next;
			sheaf_flush(s, sheaf, false);
		}
	}
}

/* ---- one object ---- */

/* The link lies where the kernel's free pointer would; it is encoded with the slot's address. */
static void **link_of(struct kmem_cache *s, void *object)
{
	return (void **)(void *)((char *)object + s->offset);
}

void defer_object(struct kmem_cache *s, void *object)
{
	void *head = atomic_load_explicit(&s->deferred_objects, memory_order_relaxed);
	void **link = link_of(s, object);

	do {
		*link = (void *)((uintptr_t)head ^ s->random ^ __builtin_bswap64((uintptr_t)link));
	} while (!atomic_compare_exchange_weak_explicit(
		&s->deferred_objects, &head, object, memory_order_release, memory_order_relaxed));
}

static void drain_deferred_objects(struct kmem_cache *s, bool wait)
{
	void *object = atomic_exchange_explicit(&s->deferred_objects, NULL, memory_order_acquire);

	while (object) {
		void **link = link_of(s, object);
		void *next =
			(void *)((uintptr_t)*link ^ s->random ^ __builtin_bswap64((uintptr_t)link));

		/* A write after free could have changed the link: it must name an object of ours. */
		if (next &&
		    (!layout_addr_online((uintptr_t)next) || slab_cache_of(next, NULL) != s)) {
			slab_report(s, object, "Freepointer corrupt");
			next = NULL;
		}
		if (!slab_put(s, &object, 1, wait))
			defer_object(s, object);
		object = next;
	}
}

void drain_deferred_slow(struct kmem_cache *s, bool wait)
{
	struct slab_sheaf *sheaf, *next;

	sheaf = atomic_exchange_explicit(&s->deferred, NULL, memory_order_acquire);
	for (; sheaf; sheaf = next) {
		next = sheaf->next;
		sheaf_dispose(s, sheaf, wait);
	}
	drain_deferred_objects(s, wait);
}

/* ---- emptying everything ---- */

static void empty_sheaf(struct kmem_cache *s, struct slab_sheaf *sheaf)
{
	if (!sheaf)
		return;
	slab_put(s, sheaf->objects, sheaf->size, true);
	sheaf_free(sheaf);
}

#define DRAIN_BATCH 32
#define DRAIN_TRIES 4

/* Head comment §3, for ids [first, first + n). */
static void drain_slots_rseq(struct kmem_cache *s, unsigned int first, unsigned int n)
{
	void *top[DRAIN_BATCH];

	for (int tries = 0; tries < DRAIN_TRIES; tries++) {
		bool lost = false, any = false;

		for (unsigned int i = 0; i < n; i++) {
			top[i] = NULL;
			if (__atomic_load_n(slot_of(s, first + i), __ATOMIC_RELAXED) == sheaf_null)
				continue;
			top[i] = __atomic_exchange_n(slot_of(s, first + i), (void *)sheaf_drain,
						     __ATOMIC_ACQ_REL);
			any = true;
		}
		if (!any)
			return;
		cpu_rseq_barrier();
		for (unsigned int i = 0; i < n; i++) {
			if (!top[i])
				continue;
			if (__atomic_load_n(slot_of(s, first + i), __ATOMIC_ACQUIRE) !=
			    sheaf_drain) {
				lost = true;
				continue;
			}
			__atomic_store_n(slot_of(s, first + i), (void *)sheaf_null,
					 __ATOMIC_RELEASE);
			empty_sheaf(s, sheaf_of_top(s, top[i]));
		}
		if (!lost)
			return;
	}
}

static void drain_slots_locked(struct kmem_cache *s)
{
	for (unsigned int cid = 1; cid < cpu_nr_cids(); cid++) {
		void *top;

		spin_lock(&slot_locks[cid % MAX_LOCKED_CIDS].lock);
		top = *slot_of(s, cid);
		slot_store(slot_of(s, cid), sheaf_null);
		unlock_cid(cid);
		empty_sheaf(s, sheaf_of_top(s, top));
	}
}

/* Two drainers at once would take each other's drain sheaf for an owner's. */
static struct mutex drain_mutex;

/*
 * All of this file's other locks: in the child no slot holds the drain sheaf, and nobody waits
 * for a thread that is not there. Outside list_lock, as a drainer takes them.
 */
static void fork_slots_lock(void)
{
	mutex_lock(&drain_mutex);
	spin_lock(&slot_index_lock);
	for (unsigned int i = 0; i < MAX_LOCKED_CIDS; i++)
		spin_lock(&slot_locks[i].lock);
}

static void fork_slots_unlock(void)
{
	for (unsigned int i = 0; i < MAX_LOCKED_CIDS; i++)
		spin_unlock(&slot_locks[i].lock);
	spin_unlock(&slot_index_lock);
	mutex_unlock(&drain_mutex);
}
FORK_HANDLER(slab_slots, 38, fork_slots_lock, fork_slots_unlock, fork_slots_unlock);

static void drain_slots(struct kmem_cache *s)
{
	bool usable;

	if (!cpu_rseq_ok) {
		drain_slots_locked(s);
	} else if (cpu_rseq_barrier() == 0) {
		mutex_lock(&drain_mutex);
		for (unsigned int cid = 0; cid < cpu_nr_cids(); cid += DRAIN_BATCH) {
			unsigned int n = cpu_nr_cids() - cid;

			drain_slots_rseq(s, cid, n < DRAIN_BATCH ? n : DRAIN_BATCH);
		}
		mutex_unlock(&drain_mutex);
	} else {
		/* No membarrier: only the CPU we run on can be emptied. */
		empty_sheaf(s, slot_detach(s, &usable));
	}
}

void flush_all(struct kmem_cache *s)
{
	if (s->sheaf_capacity) {
		drain_slots(s);
		for (unsigned int cid = 0; cid < cpu_nr_cids(); cid++)
			empty_sheaf(s, atomic_exchange(spare_of(s, cid), NULL));
	}
	/* Before the barns: that is where deferred sheaves go. */
	drain_deferred(s, true);
	for (unsigned int nid = 0; nid < nr_node_ids; nid++) {
		struct node_barn *barn = s->node[nid] ? &s->node[nid]->barn : NULL;
		struct slab_sheaf *full, *empty, *next;

		if (!barn)
			continue;
		spin_lock(&barn->lock);
		full = barn->full;
		empty = barn->empty;
		barn->full = barn->empty = NULL;
		atomic_store_explicit(&barn->nr_full, 0, memory_order_relaxed);
		atomic_store_explicit(&barn->spilled, 0, memory_order_relaxed);
		barn->nr_empty = barn->min_full = barn->most_full = barn->extra = 0;
		spin_unlock(&barn->lock);
		for (; full; full = next) {
			next = full->next;
			empty_sheaf(s, full);
		}
		for (; empty; empty = next) {
			next = empty->next;
			empty_sheaf(s, empty);
		}
	}
}

/* ---- counting ---- */

static unsigned long top_objects(const struct kmem_cache *s, void *top)
{
	uintptr_t in;

	if (!top || top == sheaf_null || top == sheaf_drain)
		return 0;
	in = (uintptr_t)top & (sheaf_bytes(s->sheaf_capacity) - 1);
	return in / sizeof(void *) + 1 - offsetof(struct slab_sheaf, objects) / sizeof(void *);
}

/*
 * A spare may be taken and filled while it is looked at: the count is a guess then, as all of
 * slab_sheaf_objects() is. The frame itself stays mapped, whoever owns it now.
 */
__attribute__((no_sanitize("thread"))) static unsigned int
spare_size_guess(const struct slab_sheaf *spare)
{
	return __atomic_load_n(&spare->size, __ATOMIC_RELAXED);
}

unsigned long slab_sheaf_objects(struct kmem_cache *s)
{
	unsigned long n = 0;

	if (s->sheaf_capacity) {
		for (unsigned int cid = 0; cid < cpu_nr_cids(); cid++) {
			struct slab_sheaf *spare = atomic_load(spare_of(s, cid));

			n += top_objects(s, __atomic_load_n(slot_of(s, cid), __ATOMIC_ACQUIRE));
			if (spare)
				n += spare_size_guess(spare);
		}
	}
	for (unsigned int nid = 0; nid < nr_node_ids; nid++) {
		struct node_barn *barn = s->node[nid] ? &s->node[nid]->barn : NULL;

		if (!barn)
			continue;
		spin_lock(&barn->lock);
		for (struct slab_sheaf *sheaf = barn->full; sheaf; sheaf = sheaf->next)
			n += sheaf->size;
		spin_unlock(&barn->lock);
	}
	return n;
}
