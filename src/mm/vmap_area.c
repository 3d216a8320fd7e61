/* SPDX-License-Identifier: MIT */
/*
 * vmap_area.c - who has which addresses of the vmalloc window
 *
 * Room: mm. Door: mm/vmap_area.h, for vmalloc.c and vmap.c only. Next door: vmap_warm.c (areas
 * for what grows), vmap_check.c (looking at all of them).
 *
 * 1. The idea
 *
 * The window is tiled: every byte of it belongs to exactly one range, ranges are
 * chained in address order, and a range knows its state. So neighbours are one
 * pointer away and merging needs no search. Ranges that nobody owns are also on
 * lists by size, four lists a doubling, with a bitmap of those not empty: the
 * smallest of the first lists that hold something large enough is close to best
 * fit at a constant price.
 *
 * From an address to its area: a table with one pointer for each page of the
 * window, set at the start of a live area only. Its parts are mapped as areas
 * appear. It is read without a lock, and freeing begins with an atomic exchange
 * of the entry for NULL: of two frees of the same area one loses and is reported.
 *
 * 2. Life of a range
 *
 *          get: mmap                  put                        purge: munmap
 *   FREE ────────────▶ BUSY+GUARD ──────────▶ LAZY + FREE(guard) ───────────▶ FREE
 *                          ▲   put_unmap, put_gone: FREE │
 *                          └──────────── get ────────────┘
 *
 * A freed range stays mapped (LAZY) and is handed out again without a system
 * call. The memory of large ones is given back at once, that of all when
 * LAZY_MAX bytes have gathered; very large ones are unmapped at once.
 *
 * 3. Mappings are scarce (vm.max_map_count, 65,530)
 *
 * Each guard page splits two mappings that the OS would have merged. So once
 * VMAP_GUARD_AREAS areas live no more guards are left, new areas stand side by
 * side in one mapping, and purging gives back memory but no addresses.
 *
 * An area may be larger than what its owner paid for (va->fit): the rest is room to grow into,
 * mapped, but untouched. Where addresses are short it is cut off from all of them.
 *
 * 4. Invariants (vmap_validate())
 *
 *   I1  The ranges of a space tile it, in order, without gap or overlap.
 *   I2  No two neighbours are both FREE or both LAZY.
 *   I3  A GUARD follows a BUSY.
 *   I4  FREE and LAZY ranges are on the list of their size, others on none.
 *   I5  The table points at every published BUSY range.
 *   I6  The counts of areas and of lazy and dirty bytes are right.
 *   I7  fit is no more than the area has; it grows under the lock, where the area may be cut to it.
 *
 * 5. Locks
 *
 *   vmap_lock (rank 30): everything here but the table entries and the deferred
 *   list. A put never waits for it: it leaves the range on the deferred list
 *   (lock-free; its reader takes all of it, so there is no ABA), and whoever
 *   holds or takes the lock next works it off. System calls are made under the
 *   lock, as the OS serialises them anyway, except giving back a lot of memory.
 *
 * 6. Where we depart from Linux 6.12
 *
 *   Boundary tags and size lists instead of two augmented trees per node. The
 *   descriptors come from a pool of our own that only grows: they must be
 *   readable by a racing look-up, and we are below the slab allocator.
 *
 * Sources: J. Bonwick and J. Adams, USENIX 2001 (boundary tags, size lists);
 * Linux 6.12 mm/vmalloc.c's documented behaviour (guard pages, lazy purge).
 */

#include <errno.h>

#include "kernel/fork.h"
#include "kernel/lock.h"
#include "kernel/printk.h"
#include "mm/layout.h"
#include "mm/vmalloc.h"
#include "mm/vmap_area.h"
#include "os/vm.h"

/* Guards cost a mapping each; a third of max_map_count leaves room for the program's own. */
#define VMAP_GUARD_AREAS 20000
/* Freed memory kept for reuse, per process: the kernel keeps 32 MiB * (1 + log2 CPUs). */
#define LAZY_MAX  (32UL << 20)
#define DIRTY_MAX (512UL << 10) /* resident bytes in lazy ranges, while mappings are not scarce */
/* From this size on the memory (not the addresses) goes back when freed: 1 MiB is 256 faults. */
#define RELEASE_AT_ONCE (1UL << 20)
/* Ranges looked at in one size list before a larger list is tried. */
#define SEARCH_MAX 32
/* Candidates lost to mappings of others before a get gives up. */
#define HOLES_MAX 64
#define HOLE_MAX  (1UL << 30)
/* Descriptors that one operation may need: align, rest, guard, and one to spare. */
#define POOL_NEED  4
#define POOL_CHUNK (64UL << 10)

#define CLASS_WORDS (VMAP_NR_CLASSES / 64)

/* One part of the table covers this much of the window: 1 MiB of pointers. */
#define TABLE_SHIFT   29
#define TABLE_ENTRIES (1UL << (TABLE_SHIFT - PAGE_SHIFT))

struct vmap_space vmap_spaces[2]; /* vmap_lock */
#define main_space vmap_spaces[0]
#define low_space  vmap_spaces[1]

struct vmap_area *const *const vmap_roots[2] = { &low_space.first, &main_space.first };

static spinlock_t vmap_lock;
static struct vmap_area *pool;         /* vmap_lock; linked by next */
static unsigned int pool_count;        /* vmap_lock */
static unsigned long nr_areas;         /* vmap_lock: VA_BUSY */
static size_t lazy_bytes, dirty_bytes; /* vmap_lock: VA_LAZY, and the dirty of them */
static _Atomic(struct vmap_area *) deferred;

size_t vmap_granule(void)
{
	size_t os_page = os_page_size();

	return os_page > PAGE_SIZE ? os_page : PAGE_SIZE;
}

/* ---- descriptors --------------------------------------------------------------- */

/* POOL_NEED descriptors are there afterwards, or false. */
static bool pool_fill(void)
{
	struct vmap_area *chunk;

	if (pool_count >= POOL_NEED)
		return true;
	chunk = os_map(POOL_CHUNK, vmap_granule());
	if (!chunk)
		return false;
	for (size_t i = 0; i < POOL_CHUNK / sizeof(*chunk); i++) {
		chunk[i].next = pool;
		pool = &chunk[i];
		pool_count++;
	}
	return true;
}

static struct vmap_area *pool_get(void)
{
	struct vmap_area *va = pool;

	BUG_ON(!va);
	pool = va->next;
	pool_count--;
	return va;
}

static void pool_put(struct vmap_area *va)
{
	va->start = va->end = 0;
	va->state = VA_FREE;
	va->next = pool;
	pool = va;
	pool_count++;
}

/* ---- lists by size --------------------------------------------------------------- */

/* Four lists a doubling of pages: 1 2 3 4 5 6 7 8-9 10-11 12-13 14-15 16-19 ... */
static unsigned int size_class(size_t bytes)
{
	unsigned long pages = bytes >> PAGE_SHIFT;
	unsigned int msb;

	if (pages < 4)
		return pages ? (unsigned int)pages - 1 : 0;
	msb = 63 - (unsigned int)__builtin_clzl(pages);
	return 3 + (msb - 2) * 4 + (unsigned int)((pages >> (msb - 2)) & 3);
}

static struct vmap_size_lists *lists_of(struct vmap_area *va)
{
	if (va->state == VA_FREE)
		return &va->space->free;
	return va->state == VA_LAZY ? &va->space->lazy : NULL;
}

static void account_lazy(struct vmap_area *va, int sign)
{
	size_t bytes = vmap_area_bytes(va);

	if (va->state != VA_LAZY)
		return;
	lazy_bytes += sign > 0 ? bytes : -bytes;
	if (va->dirty)
		dirty_bytes += sign > 0 ? bytes : -bytes;
}

/* Put a FREE or LAZY range on its list; others are left alone. */
static void list_in(struct vmap_area *va)
{
	struct vmap_size_lists *lists = lists_of(va);
	unsigned int class = size_class(vmap_area_bytes(va));

	if (!lists)
		return;
	va->bnext = lists->head[class];
	va->bprev = &lists->head[class];
	if (va->bnext)
		va->bnext->bprev = &va->bnext;
	lists->head[class] = va;
	lists->bitmap[class / 64] |= 1UL << (class % 64);
	account_lazy(va, 1);
}

static void list_out(struct vmap_area *va)
{
	struct vmap_size_lists *lists = lists_of(va);
	unsigned int class = size_class(vmap_area_bytes(va));

	if (!lists)
		return;
	*va->bprev = va->bnext;
	if (va->bnext)
		va->bnext->bprev = va->bprev;
	if (!lists->head[class])
		lists->bitmap[class / 64] &= ~(1UL << (class % 64));
	account_lazy(va, -1);
}

/* First non-empty list from class on, or VMAP_NR_CLASSES. */
static unsigned int next_class(const struct vmap_size_lists *lists, unsigned int class)
{
	for (unsigned int word = class / 64; word < CLASS_WORDS; word++) {
		unsigned long bits = lists->bitmap[word];

		if (word == class / 64)
			bits &= ~0UL << (class % 64);
		if (bits)
			return word * 64 + (unsigned int)__builtin_ctzl(bits);
	}
	return VMAP_NR_CLASSES;
}

/* ---- tiling ------------------------------------------------------------------------ */

/* Cut an unlisted range in two: va keeps [start, at), the new one behind it the rest. */
static struct vmap_area *split(struct vmap_area *va, uintptr_t at)
{
	struct vmap_area *rest = pool_get();

	*rest = (struct vmap_area){
		.start = at,
		.end = va->end,
		.prev = va,
		.next = va->next,
		.space = va->space,
		.state = va->state,
		.dirty = va->dirty,
	};
	va->end = at;
	if (rest->next)
		rest->next->prev = rest;
	va->next = rest;
	return rest;
}

/* Append the next range to this one; both are unlisted. */
static void join_next(struct vmap_area *va)
{
	struct vmap_area *gone = va->next;

	va->end = gone->end;
	va->dirty |= gone->dirty;
	va->next = gone->next;
	if (va->next)
		va->next->prev = va;
	pool_put(gone);
}

/* The range has got a new state, FREE or LAZY: merge it with its like and list it. */
static void settle(struct vmap_area *va)
{
	struct vmap_area *prev = va->prev;

	if (va->next && va->next->state == va->state) {
		list_out(va->next);
		join_next(va);
	}
	if (prev && prev->state == va->state) {
		list_out(prev);
		join_next(prev);
		va = prev;
	}
	list_in(va);
}

static void set_free(struct vmap_area *va)
{
	va->state = VA_FREE;
	va->dirty = false;
	settle(va);
}

/* ---- the table ----------------------------------------------------------------------- */

static inline bool in_space(struct vmap_space *space, uintptr_t addr)
{
	return atomic_load_explicit(&space->ready, memory_order_acquire) &&
	       addr - space->start < space->end - space->start;
}

static inline struct vmap_space *space_of(uintptr_t addr)
{
	if (likely(in_space(&main_space, addr)))
		return &main_space;
	return in_space(&low_space, addr) ? &low_space : NULL;
}

/* The entry of an address of the space; NULL if that part of the table is not there. */
static inline vmap_table_entry *table_at(struct vmap_space *space, uintptr_t addr)
{
	size_t offset = addr - space->start;
	vmap_table_entry *part =
		atomic_load_explicit(&space->table[offset >> TABLE_SHIFT],
				     memory_order_acquire); /* pairs with table_fill() */

	return part ? &part[(offset >> PAGE_SHIFT) % TABLE_ENTRIES] : NULL;
}

/* Make sure that the entry is there. */
static bool table_fill(struct vmap_space *space, uintptr_t addr)
{
	_Atomic(vmap_table_entry *) *slot = &space->table[(addr - space->start) >> TABLE_SHIFT];
	vmap_table_entry *part;

	if (atomic_load_explicit(slot, memory_order_relaxed))
		return true;
	part = os_map(TABLE_ENTRIES * sizeof(*part), vmap_granule());
	if (!part)
		return false;
	atomic_store_explicit(slot, part, memory_order_release);
	return true;
}

void vmap_publish(struct vmap_area *va)
{
	/* Pairs with the acquire in vmap_lookup(): who finds the area sees it filled. */
	atomic_store_explicit(table_at(va->space, va->start), va, memory_order_release);
}

static inline struct vmap_area *lookup(const void *p)
{
	uintptr_t addr = (uintptr_t)p;
	struct vmap_space *space;
	vmap_table_entry *entry;

	if (addr & (PAGE_SIZE - 1))
		return NULL;
	space = space_of(addr);
	entry = space ? table_at(space, addr) : NULL;
	return entry ? atomic_load_explicit(entry, memory_order_acquire) : NULL;
}

struct vmap_area *vmap_lookup(const void *p)
{
	return lookup(p);
}

struct vmap_area *vmap_lookup_inside(const void *p)
{
	uintptr_t addr = (uintptr_t)p & PAGE_MASK;
	struct vmap_space *space = space_of(addr);

	while (space) {
		vmap_table_entry *entry = table_at(space, addr);
		struct vmap_area *va = entry ? atomic_load_explicit(entry, memory_order_acquire) :
					       NULL;

		if (va)
			return (uintptr_t)p < va->end ? va : NULL;
		/* A missing part holds no start: go on at the end of the one before it. */
		if (!entry)
			addr = space->start + ((addr - space->start) >> TABLE_SHIFT << TABLE_SHIFT);
		if (addr == space->start)
			break;
		addr -= PAGE_SIZE;
	}
	return NULL;
}

enum vmap_within vmap_resize_within(const void *p, size_t n, struct vmap_area **area)
{
	struct vmap_area *va = lookup(p);
	size_t asked;

	*area = va;
	if (!va)
		return VMAP_NOT;
	if (unlikely(n > atomic_load_explicit(&va->fit, memory_order_relaxed)))
		return n <= vmap_area_bytes(va) ? VMAP_ROOM : VMAP_NOT;
	/* The most that was asked for since it was last cut: written by its owner only. */
	asked = __atomic_load_n(&va->vm.requested_size, __ATOMIC_RELAXED);
	if (n > asked)
		__atomic_store_n(&va->vm.requested_size, n, __ATOMIC_RELAXED);
	return likely(n > asked || asked - n < VMAP_SHRINK_WORTH) ? VMAP_WITHIN : VMAP_NOT;
}

bool vmap_unpublish(struct vmap_area *va)
{
	return atomic_compare_exchange_strong_explicit(table_at(va->space, va->start), &va, NULL,
						       memory_order_acq_rel, memory_order_relaxed);
}

/* ---- spaces ----------------------------------------------------------------------------- */

static bool space_open(struct vmap_space *space, uintptr_t start, uintptr_t end)
{
	size_t granule = vmap_granule(), parts;
	void *table;

	if (atomic_load_explicit(&space->ready, memory_order_relaxed))
		return true;
	start = (start + granule - 1) & -granule;
	end &= -granule;
	if (start >= end || !pool_fill())
		return false;
	parts = ((end - start - 1) >> TABLE_SHIFT) + 1;
	table = os_map((parts * sizeof(*space->table) + granule - 1) & -granule, granule);
	if (!table)
		return false;
	space->table = table;
	space->start = start;
	space->end = end;
	space->first = pool_get();
	*space->first = (struct vmap_area){ .start = start, .end = end, .space = space };
	list_in(space->first);
	atomic_store_explicit(&space->ready, true, memory_order_release);
	return true;
}

/*
 * The end of ZONE_DMA32's window, which grows from its start: whoever comes second finds the
 * addresses taken and walks around them. No window: the last part below 4 GiB, as good as any.
 */
#define LOW_SPACE_SIZE (256UL << 20)
#define LOW_SPACE_END  0xfff00000UL

static struct vmap_space *space_get(bool low)
{
	struct vmap_space *space = low ? &low_space : &main_space;
	uintptr_t low_end = sw_layout.low_end ? sw_layout.low_end : LOW_SPACE_END;
	bool open;

	/* The last byte below 4 GiB stays nobody's: one past an area still fits in 32 bits. */
	if (low_end > LOW_SPACE_END)
		low_end = LOW_SPACE_END;
	open = low ? space_open(space, low_end - LOW_SPACE_SIZE, low_end) :
		     space_open(space, sw_layout.vmalloc_start, sw_layout.vmalloc_end);
	return open ? space : NULL;
}

/* ---- purge ------------------------------------------------------------------------------- */

/* Too many areas for the OS to forget addresses one by one. */
static bool crowded(void)
{
	return nr_areas >= VMAP_GUARD_AREAS;
}

static void __release(struct vmap_area *va)
{
	if (!va->dirty || os_release((void *)va->start, vmap_area_bytes(va)))
		return;
	list_out(va);
	va->dirty = false;
	list_in(va);
}

/* Give every lazy range back: its memory always, its addresses if mappings are plenty. */
static size_t __purge(struct vmap_space *space)
{
	size_t before = dirty_bytes;
	struct vmap_area *va, *next;

	for (va = space->first; va; va = next) {
		next = va->next;
		if (va->state != VA_LAZY)
			continue;
		if (crowded() || os_unmap((void *)va->start, vmap_area_bytes(va))) {
			__release(va);
			continue;
		}
		if (next && next->state == VA_FREE)
			next = next->next; /* is about to be merged */
		list_out(va);
		set_free(va);
	}
	return before - dirty_bytes;
}

/* ---- putting back -------------------------------------------------------------------------- */

/* The area is nobody's; its guard, if any, becomes free addresses. */
static void put_guard(struct vmap_area *va)
{
	nr_areas--;
	if (va->next && va->next->state == VA_GUARD)
		set_free(va->next);
}

static void __put(struct vmap_area *va)
{
	size_t bytes = vmap_area_bytes(va);

	put_guard(va);
	if (bytes >= LAZY_MAX && !crowded() && !os_unmap((void *)va->start, bytes)) {
		set_free(va);
		return;
	}
	/* Some memory stays behind for the next area; what comes on top would only be in the way. */
	if (va->dirty && !crowded() && dirty_bytes + bytes > DIRTY_MAX)
		va->dirty = os_release((void *)va->start, bytes) != 0;
	va->state = VA_LAZY;
	settle(va);
	if (crowded() ? dirty_bytes > LAZY_MAX : lazy_bytes > LAZY_MAX) {
		__purge(&main_space);
		__purge(&low_space);
	}
}

static void __drain_deferred(void)
{
	struct vmap_area *va, *next;

	va = atomic_exchange_explicit(&deferred, NULL, memory_order_acquire); /* pairs with push */
	for (; va; va = next) {
		next = va->defer_next;
		__put(va);
	}
}

void vmap_lock_take(void)
{
	spin_lock(&vmap_lock);
	if (unlikely(atomic_load_explicit(&deferred, memory_order_relaxed)))
		__drain_deferred();
}

void vmap_lock_drop(void)
{
	spin_unlock(&vmap_lock);
	/* Somebody may have found the lock taken in the meantime. */
	while (unlikely(atomic_load_explicit(&deferred, memory_order_relaxed)) &&
	       spin_trylock(&vmap_lock)) {
		__drain_deferred();
		spin_unlock(&vmap_lock);
	}
}

void vmap_put_later(struct vmap_area *va)
{
	struct vmap_area *head = atomic_load_explicit(&deferred, memory_order_relaxed);

	va->dirty = true;
	do
		va->defer_next = head;
	while (!atomic_compare_exchange_weak_explicit(&deferred, &head, va, memory_order_release,
						      memory_order_relaxed));
}

void vmap_put(struct vmap_area *va)
{
	size_t bytes = vmap_area_bytes(va);

	va->dirty = bytes < RELEASE_AT_ONCE || os_release((void *)va->start, bytes) != 0;
	if (spin_trylock(&vmap_lock)) {
		__put(va);
	} else {
		vmap_put_later(va);
		if (!spin_trylock(&vmap_lock))
			return; /* its holder looks again when it drops the lock */
		__drain_deferred();
	}
	vmap_lock_drop();
}

void vmap_put_unmap(struct vmap_area *va)
{
	vmap_lock_take();
	put_guard(va);
	if (os_unmap((void *)va->start, vmap_area_bytes(va))) {
		/* No mapping to spare for the hole: what lies there must not be shared any more. */
		va->state = VA_HOLE;
	} else {
		set_free(va);
	}
	vmap_lock_drop();
}

void vmap_put_gone(struct vmap_area *va)
{
	vmap_lock_take();
	put_guard(va);
	set_free(va);
	vmap_lock_drop();
}

unsigned long vmap_purge(void)
{
	size_t bytes = vmap_warm_drop();

	vmap_lock_take();
	bytes += __purge(&main_space) + __purge(&low_space);
	vmap_lock_drop();
	return bytes >> PAGE_SHIFT;
}

/* ---- shrinking ---------------------------------------------------------------------------------- */

static void __shrink(struct vmap_area *va, size_t bytes)
{
	size_t granule = vmap_granule();
	struct vmap_area *tail, *guard;
	uintptr_t at;

	bytes = (bytes + granule - 1) & -granule;
	if (bytes >= vmap_area_bytes(va) || !pool_fill())
		return;
	at = va->start + bytes;
	guard = va->next && va->next->state == VA_GUARD ? va->next : NULL;
	if (guard && os_unmap((void *)at, va->end - at)) {
		/* No mapping to spare for the hole: the area keeps its size, not its memory. */
		os_release((void *)at, va->end - at);
		return;
	}
	tail = split(va, at);
	if (guard) {
		/* [va][tail][guard] becomes [va][guard][free]. */
		struct vmap_area *first = tail, *rest;

		first->state = VA_FREE;
		guard->state = VA_FREE;
		join_next(first);
		rest = split(first, at + granule);
		first->state = VA_GUARD;
		set_free(rest);
	} else {
		tail->dirty = os_release((void *)tail->start, vmap_area_bytes(tail)) != 0;
		tail->state = VA_LAZY;
		settle(tail);
	}
}

void vmap_shrink(struct vmap_area *va, size_t bytes)
{
	vmap_lock_take();
	__shrink(va, bytes);
	if (atomic_load_explicit(&va->fit, memory_order_relaxed) > vmap_area_bytes(va))
		atomic_store_explicit(&va->fit, vmap_area_bytes(va), memory_order_relaxed);
	vmap_lock_drop();
}

/* Addresses are short: nobody keeps more than is paid for. */
static void __cut_rooms(struct vmap_space *space)
{
	for (struct vmap_area *va = space->first; va; va = va->next) {
		size_t fit = atomic_load_explicit(&va->fit, memory_order_relaxed);
		size_t cut = VMAP_FIT_CUT;

		if (va->state != VA_BUSY || fit <= VMAP_FIT_CUT || fit >= vmap_area_bytes(va))
			continue;
		/* Who frees it meanwhile finds the mark and leaves the area to the lock's holder. */
		if (!atomic_compare_exchange_strong(&va->fit, &fit, cut))
			continue;
		__shrink(va, fit);
		atomic_compare_exchange_strong(&va->fit, &cut, fit);
	}
}

void __vmap_make_room(void)
{
	__purge(&main_space);
	__purge(&low_space);
	__cut_rooms(&main_space);
}

/* ---- getting ----------------------------------------------------------------------------------- */

struct want {
	size_t bytes, align, guard; /* guard: 0 or a granule */
	bool slack;
};

static uintptr_t align_up(uintptr_t addr, size_t align)
{
	return (addr + align - 1) & -align;
}

/* Is the range behind va free to give us a guard? */
static bool guard_behind(const struct vmap_area *va, size_t guard)
{
	return va->next && va->next->state == VA_FREE && vmap_area_bytes(va->next) >= guard;
}

/* May the area end exactly where the range ends? */
static bool fits_whole(const struct vmap_area *va, uintptr_t at, const struct want *want)
{
	size_t room = va->end - at;

	if (want->guard && (va->state != VA_LAZY || !guard_behind(va, want->guard)))
		return false;
	return room == want->bytes ||
	       (want->slack && room - want->bytes <= want->bytes / 4 && va->state == VA_LAZY);
}

static bool fits(const struct vmap_area *va, const struct want *want)
{
	uintptr_t at = align_up(va->start, want->align);

	if (at < va->start || at >= va->end || va->end - at < want->bytes)
		return false;
	return va->end - at >= want->bytes + want->guard || fits_whole(va, at, want);
}

/* The smallest of the first ranges of the first list that has one which fits. */
static struct vmap_area *find_fit(struct vmap_size_lists *lists, const struct want *want)
{
	unsigned int class = size_class(want->bytes);

	while ((class = next_class(lists, class)) < VMAP_NR_CLASSES) {
		struct vmap_area *best = NULL;
		int looked = 0;

		for (struct vmap_area *va = lists->head[class]; va && looked < SEARCH_MAX;
		     va = va->bnext, looked++)
			if (fits(va, want) &&
			    (!best || vmap_area_bytes(va) < vmap_area_bytes(best) ||
			     (vmap_area_bytes(va) == vmap_area_bytes(best) &&
			      va->start < best->start)))
				best = va;
		if (best)
			return best;
		class ++;
	}
	return NULL;
}

/* Take the first guard bytes of the free range behind va as its guard. */
static void take_guard_behind(struct vmap_area *va, size_t guard)
{
	struct vmap_area *behind = va->next;

	list_out(behind);
	if (vmap_area_bytes(behind) > guard)
		list_in(split(behind, behind->start + guard));
	behind->state = VA_GUARD;
}

/* Cut a BUSY range of what is wanted out of one that fits; the pieces go back to their lists. */
static struct vmap_area *carve(struct vmap_area *va, const struct want *want)
{
	uintptr_t at = align_up(va->start, want->align);
	bool lazy = va->state == VA_LAZY;

	list_out(va);
	if (at > va->start) {
		struct vmap_area *front = va;

		va = split(front, at);
		list_in(front);
	}
	if (fits_whole(va, at, want)) {
		if (want->guard)
			take_guard_behind(va, want->guard);
	} else {
		struct vmap_area *rest = split(va, at + want->bytes);

		if (want->guard) {
			struct vmap_area *guard = rest;

			rest = vmap_area_bytes(guard) > want->guard ?
				       split(guard, guard->start + want->guard) :
				       NULL;
			/* Without a mapping to spare the guard stays mapped: no guard then. */
			if (!lazy || !os_unmap((void *)guard->start, want->guard)) {
				guard->state = VA_GUARD;
			} else {
				if (rest)
					join_next(guard);
				rest = guard;
			}
		}
		if (rest)
			list_in(rest);
	}
	va->state = VA_BUSY;
	nr_areas++;
	return va;
}

/* A get whose mmap() failed: give the addresses back as they were. */
static void uncarve(struct vmap_area *va)
{
	put_guard(va);
	set_free(va);
}

/*
 * Somebody else has mapped something in the range: never ask for these addresses
 * again. Its mapping may be much larger than the request, so each failure of a get in a row
 * takes twice as much out, up to HOLE_MAX.
 */
static void make_hole(struct vmap_area *va, unsigned int failures)
{
	size_t more = failures < 32 ? vmap_area_bytes(va) << failures : HOLE_MAX;
	struct vmap_area *behind;

	put_guard(va);
	va->state = VA_HOLE;
	behind = va->next;
	if (more > HOLE_MAX)
		more = HOLE_MAX;
	if (!failures || !behind || behind->state != VA_FREE)
		return;
	list_out(behind);
	if (vmap_area_bytes(behind) > more)
		list_in(split(behind, behind->start + more));
	behind->state = VA_HOLE;
	join_next(va);
}

/* One attempt, under the lock. 0, -EEXIST (try elsewhere) or -ENOMEM. */
static int __get(struct vmap_space *space, const struct want *want, unsigned int failures,
		 struct vmap_area **out)
{
	struct vmap_area *va;
	int err = 0;

	if (!pool_fill())
		return -ENOMEM;
	va = find_fit(&space->lazy, want);
	if (va) {
		va = carve(va, want);
	} else {
		va = find_fit(&space->free, want);
		if (!va)
			return -ENOMEM;
		va = carve(va, want);
		err = os_map_at((void *)va->start, vmap_area_bytes(va));
		va->dirty = false;
	}
	if (err == -EEXIST) {
		make_hole(va, failures);
		return err;
	}
	if (err) {
		uncarve(va);
		return err;
	}
	if (!table_fill(space, va->start)) {
		put_guard(va);
		va->state = VA_LAZY;
		settle(va);
		return -ENOMEM;
	}
	*out = va;
	return 0;
}

struct vmap_area *vmap_get(size_t bytes, size_t align, unsigned int flags, bool *clean)
{
	size_t granule = vmap_granule();
	struct want want = { .align = align > granule ? align : granule,
			     .slack = flags & VMAP_SLACK };
	struct vmap_area *va = NULL;
	struct vmap_space *space;
	int err = -ENOMEM;

	if (!bytes || bytes > PTRDIFF_MAX || (want.align & (want.align - 1)))
		return NULL;
	want.bytes = (bytes + granule - 1) & -granule;
	vmap_lock_take();
	space = space_get(flags & VMAP_LOW);
	want.guard = crowded() ? 0 : granule;
	if (space && !(flags & VMAP_TRY && crowded())) {
		for (unsigned int i = 0; i < HOLES_MAX; i++) {
			err = __get(space, &want, i, &va);
			if (err != -EEXIST)
				break;
		}
		if (err && !(flags & VMAP_TRY)) {
			/* Address space, memory or mappings are short: make room, ask for less. */
			vmap_lock_drop();
			vmap_warm_drop();
			vmap_lock_take();
			__vmap_make_room();
			want.guard = 0;
			err = __get(space, &want, HOLES_MAX, &va);
		}
	}
	vmap_lock_drop();
	if (err)
		return NULL;
	*clean = !va->dirty;
	va->memmap = va->warm = false;
	va->nid = 0;
	va->touched = va->vetted_ns = 0;
	atomic_store_explicit(&va->fit, 0, memory_order_relaxed);
	return va;
}

/* ---- growing --------------------------------------------------------------------------------------- */

int vmap_grow(struct vmap_area *va, size_t bytes, size_t fit, bool *clean)
{
	size_t granule = vmap_granule(), old, more, room;
	struct vmap_area *guard, *behind;
	int err = -ENOMEM;

	bytes = (bytes + granule - 1) & -granule;
	*clean = true;
	vmap_lock_take();
	old = vmap_area_bytes(va); /* its room may just have been cut off */
	more = bytes - old;
	guard = va->next && va->next->state == VA_GUARD ? va->next : NULL;
	behind = guard ? guard->next : va->next;
	room = behind && behind->state == VA_FREE ? vmap_area_bytes(behind) : 0;
	/* The guard moves behind the new end: what is added comes out of the free range. */
	if (room >= more && pool_fill())
		err = os_remap_grow((void *)va->start, old, bytes);
	if (!err) {
		list_out(behind);
		if (guard)
			guard->start += more, guard->end += more;
		va->end += more;
		behind->start += more;
		if (behind->start < behind->end) {
			list_in(behind);
		} else {
			behind->prev->next = behind->next;
			if (behind->next)
				behind->next->prev = behind->prev;
			pool_put(behind);
		}
	} else if (!guard && behind && behind->state == VA_LAZY &&
		   vmap_area_bytes(behind) >= more && pool_fill()) {
		list_out(behind);
		*clean = !behind->dirty;
		if (vmap_area_bytes(behind) > more)
			list_in(split(behind, behind->start + more));
		join_next(va);
		err = 0;
	}
	if (!err)
		atomic_store_explicit(&va->fit, fit, memory_order_relaxed);
	vmap_lock_drop();
	return err;
}

/* ---- for vmap_check.c ------------------------------------------------------------------------------ */

void __vmap_counts(struct vmap_counts *counts)
{
	*counts = (struct vmap_counts){ nr_areas, lazy_bytes, dirty_bytes };
}

bool __vmap_is_listed(struct vmap_area *va)
{
	struct vmap_size_lists *lists = lists_of(va);
	struct vmap_area *at;

	if (!lists)
		return true;
	for (at = lists->head[size_class(vmap_area_bytes(va))]; at && at != va; at = at->bnext)
		;
	return at == va;
}

bool __vmap_has_place(struct vmap_area *va)
{
	return table_at(va->space, va->start) != NULL;
}

/* ---- fork -------------------------------------------------------------------------------------------- */

static void vmap_fork_prepare(void)
{
	spin_lock(&vmap_lock);
}

static void vmap_fork_done(void)
{
	spin_unlock(&vmap_lock);
}
FORK_HANDLER(vmap, 30, vmap_fork_prepare, vmap_fork_done, vmap_fork_done);
