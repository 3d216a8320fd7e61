/* SPDX-License-Identifier: MIT */
/*
 * vmap_warm.c - areas for what grows, and a few of them kept for the next one
 *
 * Room: mm. Door: mm/vmap_area.h, for vmalloc.c. Below us: vmap_area.c.
 *
 * 1. The idea
 *
 * A buffer that realloc() makes larger again and again gets an area with room: addresses behind
 * it that nobody touched yet, so they cost nothing, and growing is a comparison. Programs
 * that do this do it in a loop. So when such an area is freed it is not taken apart: the last
 * WARM_SLOTS of them stay mapped, and the next one that grows has a large room at once.
 *
 * 2. Memory
 *
 * What stays resident is bounded: WARM_DIRTY for all slots together. An area of which
 * more than a few pages were used is looked at (mincore), at most once in VET_NS; if it holds too
 * much its memory goes back and only the addresses stay. Nobody asked for WARM_NS: all go.
 *
 *   BUSY ──vmap_warm_put()──▶ BUSY, warm ──vmap_get_growing()──▶ BUSY
 *                                 └── pushed out, idle, or memory is short ──▶ vmap_put()
 *
 * For vmap_area.c a warm area is BUSY and unpublished; for readers it is an unpurged one.
 *
 * Locks: warm_lock (rank 29), the slots. A put only tries it.
 */

#include "kernel/fork.h"
#include "kernel/lock.h"
#include "mm/vmalloc.h"
#include "mm/vmap_area.h"
#include "os/os.h"
#include "os/vm.h"

#define WARM_SLOTS 4
#define WARM_BYTES (128UL << 20) /* of addresses: larger areas are not kept */
#define WARM_DIRTY (1UL << 20)   /* resident, in all slots */
#define VET_LEAST  (64UL << 10)  /* bytes used that are not worth a look */
#define VET_NS     10000000ULL   /* a look holds for so long */
#define WARM_NS    250000000ULL  /* idle for so long: give all back */

static spinlock_t warm_lock;
static struct vmap_area *warm[WARM_SLOTS]; /* warm_lock; newest first, no gaps */
static size_t warm_dirty[WARM_SLOTS];      /* resident bytes, about */
static _Atomic uint64_t used_ns;           /* when anything was put or taken; 0: no area is here */

/* Take slot i out. */
static struct vmap_area *__take(unsigned int i)
{
	struct vmap_area *va = warm[i];

	for (; i + 1 < WARM_SLOTS; i++) {
		warm[i] = warm[i + 1];
		warm_dirty[i] = warm_dirty[i + 1];
	}
	warm[WARM_SLOTS - 1] = NULL;
	warm_dirty[WARM_SLOTS - 1] = 0;
	return va;
}

static size_t __dirty(void)
{
	size_t sum = 0;

	for (unsigned int i = 0; i < WARM_SLOTS; i++)
		sum += warm_dirty[i];
	return sum;
}

/* Resident bytes of an area of which no more than the first touched bytes were used. */
static size_t resident(struct vmap_area *va, size_t touched, uint64_t now)
{
	long pages;

	if (touched <= VET_LEAST)
		return touched;
	if (va->vetted_ns && now - va->vetted_ns < VET_NS)
		return va->vetted;
	pages = os_resident_pages((void *)va->start, touched);
	va->vetted = pages < 0 ? touched : (size_t)pages * os_page_size();
	va->vetted_ns = now;
	return va->vetted;
}

bool vmap_warm_put(struct vmap_area *va, size_t used)
{
	size_t granule = vmap_granule(), dirty, touched;
	struct vmap_area *out[WARM_SLOTS];
	uint64_t now = os_now_coarse_ns();
	unsigned int nr_out = 0;

	/* Its last owner may have used less than the one before. */
	touched = (used + granule - 1) & -granule;
	if (touched < va->touched)
		touched = va->touched;
	if (touched > vmap_area_bytes(va))
		touched = vmap_area_bytes(va); /* it was cut since */
	va->touched = touched;
	if (vmap_area_bytes(va) > WARM_BYTES)
		return false;
	dirty = resident(va, touched, now);
	if (dirty > WARM_DIRTY / 2) {
		if (os_release((void *)va->start, touched))
			return false;
		va->touched = va->vetted_ns = dirty = 0;
	}
	if (!spin_trylock(&warm_lock))
		return false;
	va->dirty = va->touched != 0;
	for (unsigned int i = WARM_SLOTS; i-- > 0;)
		if (warm[i] && (i == WARM_SLOTS - 1 || __dirty() + dirty > WARM_DIRTY))
			out[nr_out++] = __take(i);
	for (unsigned int i = WARM_SLOTS - 1; i > 0; i--) {
		warm[i] = warm[i - 1];
		warm_dirty[i] = warm_dirty[i - 1];
	}
	va->warm = true;
	warm[0] = va;
	warm_dirty[0] = dirty;
	atomic_store_explicit(&used_ns, now, memory_order_relaxed);
	spin_unlock(&warm_lock);
	while (nr_out) {
		out[--nr_out]->warm = false;
		vmap_put(out[nr_out]);
	}
	return true;
}

/* The newest that is large enough, or NULL. */
static struct vmap_area *warm_get(size_t least)
{
	struct vmap_area *va = NULL;

	if (!atomic_load_explicit(&used_ns, memory_order_relaxed))
		return NULL;
	spin_lock(&warm_lock);
	for (unsigned int i = 0; i < WARM_SLOTS && !va; i++)
		if (warm[i] && vmap_area_bytes(warm[i]) >= least)
			va = __take(i);
	if (!warm[0])
		atomic_store_explicit(&used_ns, 0, memory_order_relaxed);
	spin_unlock(&warm_lock);
	return va;
}

struct vmap_area *vmap_get_growing(size_t least, size_t wish, bool *clean)
{
	struct vmap_area *va = warm_get(least);

	if (va) {
		va->warm = va->memmap = false;
		va->nid = 0;
		*clean = !va->dirty;
		return va;
	}
	if (wish > least)
		va = vmap_get(wish, 1, VMAP_TRY, clean);
	return va ? va : vmap_get(least, 1, VMAP_SLACK, clean);
}

/* Room for locals of the caller, the lock is held. */
static size_t __take_all(struct vmap_area *out[WARM_SLOTS])
{
	size_t dirty = __dirty();

	for (unsigned int i = 0; i < WARM_SLOTS; i++) {
		out[i] = warm[i];
		warm[i] = NULL;
		warm_dirty[i] = 0;
	}
	atomic_store_explicit(&used_ns, 0, memory_order_relaxed);
	return dirty;
}

static void put_all(struct vmap_area *out[WARM_SLOTS])
{
	for (unsigned int i = 0; i < WARM_SLOTS && out[i]; i++) {
		out[i]->warm = false;
		vmap_put(out[i]);
	}
}

size_t vmap_warm_drop(void)
{
	struct vmap_area *out[WARM_SLOTS];
	size_t dirty;

	spin_lock(&warm_lock);
	dirty = __take_all(out);
	spin_unlock(&warm_lock);
	put_all(out);
	return dirty;
}

void vmap_warm_tick(uint64_t now_ns)
{
	uint64_t used = atomic_load_explicit(&used_ns, memory_order_relaxed);
	struct vmap_area *out[WARM_SLOTS];

	if (!used || now_ns - used < WARM_NS || !spin_trylock(&warm_lock))
		return;
	__take_all(out);
	spin_unlock(&warm_lock);
	put_all(out);
}

void vmap_make_room(void)
{
	vmap_warm_drop();
	vmap_lock_take();
	__vmap_make_room();
	vmap_lock_drop();
}

bool vmap_set_fit(struct vmap_area *va, size_t fit)
{
	bool ok;

	vmap_lock_take();
	ok = fit <= vmap_area_bytes(va);
	if (ok)
		atomic_store_explicit(&va->fit, fit, memory_order_relaxed);
	vmap_lock_drop();
	return ok;
}

static void warm_fork_prepare(void)
{
	spin_lock(&warm_lock);
}

static void warm_fork_done(void)
{
	spin_unlock(&warm_lock);
}
FORK_HANDLER(vmap_warm, 29, warm_fork_prepare, warm_fork_done, warm_fork_done);
