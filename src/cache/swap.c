/* SPDX-License-Identifier: MIT */
/*
 * swap.c - in what order pages go: the active and inactive lists, and refaults
 *
 * Room: cache. Reclaim (reclaim.c) takes from the old end of inactive.
 *
 *                    second touch (folio_mark_accessed), or refault soon enough
 *   new ──lru_add──▶ inactive ─────────────────────────────────────────▶ active
 *                       │ ▲                                                │
 *                       │ └──────── active outgrew inactive ◀──────────────┘
 *                       ▼
 *                    dropped: a shadow stays in its place and says when
 *
 * A shadow holds the age, a count of pages that left inactive (dropped or activated), and whether the page had
 * been active. If it is read again, the age has moved by the number of further pages that inactive would
 * have needed to keep it. At most as many as active holds: then active holds something less useful, and
 * the page starts there.
 *
 * Lock: lru_lock (cache_lru.lock), a leaf; guards the lists, PG_lru, PG_active and the links.
 * Differs from Linux: one list for the whole cache, no per-CPU batches, no generations; a hit without a reference
 * counts as a touch only where it reads the first byte of the folio, so that reading a file in small
 * pieces does not look like reading it often (read.c).
 */

#include "cache/bug.h"
#include "cache/lru.h"
#include "cache/tree.h"

struct lru cache_lru = {
	.active = LIST_HEAD_INIT(cache_lru.active),
	.inactive = LIST_HEAD_INIT(cache_lru.inactive),
};

static _Atomic unsigned long age; /* in pages */
static _Atomic long nr_shadows;

/* Shadows older than twice what the lists hold cannot count any more. */
#define SHADOWS_LEAST 1024

#define SHADOW_BITS 60
#define SHADOW_AGE  ((1UL << SHADOW_BITS) - 1)

void shadow_count(long n)
{
	atomic_fetch_add_explicit(&nr_shadows, n, memory_order_relaxed);
}

bool shadows_exist(void)
{
	return atomic_load_explicit(&nr_shadows, memory_order_relaxed) > 0;
}

/* ---- lists, under lru_lock ------------------------------------------------------------------- */

static void list_in(struct folio *folio, bool active)
{
	unsigned long nr = folio_nr_pages(folio);

	if (active) {
		folio_set(folio, PG_active);
		list_add(&folio->lru, &cache_lru.active);
		atomic_fetch_add_explicit(&cache_lru.nr_active, nr, memory_order_relaxed);
	} else {
		list_add(&folio->lru, &cache_lru.inactive);
		atomic_fetch_add_explicit(&cache_lru.nr_inactive, nr, memory_order_relaxed);
	}
	mod_node_state(folio_nid(folio), active ? NR_ACTIVE_FILE : NR_INACTIVE_FILE, (long)nr);
}

static void list_out(struct folio *folio)
{
	unsigned long nr = folio_nr_pages(folio);
	bool active = folio_test_clear(folio, PG_active);

	list_del(&folio->lru);
	atomic_fetch_sub_explicit(active ? &cache_lru.nr_active : &cache_lru.nr_inactive, nr,
				  memory_order_relaxed);
	mod_node_state(folio_nid(folio), active ? NR_ACTIVE_FILE : NR_INACTIVE_FILE, -(long)nr);
}

void lru_put(struct folio *folio, bool active)
{
	folio_set(folio, PG_lru);
	list_in(folio, active);
}

void lru_take(struct folio *folio)
{
	list_out(folio);
	folio_clear(folio, PG_lru);
}

void lru_move(struct folio *folio, bool active)
{
	list_out(folio);
	list_in(folio, active);
}

/* ---- in and out --------------------------------------------------------------------------------- */

/* Does @shadow say that the folio should not have been dropped? */
static bool refault_soon(struct folio *folio, void *shadow)
{
	unsigned long v = xa_to_value(shadow);
	unsigned long distance = (atomic_load_explicit(&age, memory_order_relaxed) - (v >> 1)) &
				 SHADOW_AGE;

	cache_count(CACHE_REFAULT, folio_nr_pages(folio));
	if (v & 1)
		folio_set(folio, PG_workingset);
	return distance <= atomic_load_explicit(&cache_lru.nr_active, memory_order_relaxed);
}

void lru_add(struct folio *folio, void *shadow)
{
	bool active = shadow && refault_soon(folio, shadow);

	if (active)
		cache_count(CACHE_ACTIVATE, folio_nr_pages(folio));
	spin_lock(&cache_lru.lock);
	lru_put(folio, active);
	spin_unlock(&cache_lru.lock);
}

void lru_del(struct folio *folio)
{
	if (!folio_test(folio, PG_lru))
		return;
	spin_lock(&cache_lru.lock);
	if (folio_test(folio, PG_lru))
		lru_take(folio);
	spin_unlock(&cache_lru.lock);
}

void *workingset_eviction(struct folio *folio)
{
	unsigned long now =
		atomic_fetch_add_explicit(&age, folio_nr_pages(folio), memory_order_relaxed);
	unsigned long most = 2 * lru_pages();
	long have = atomic_load_explicit(&nr_shadows, memory_order_relaxed);

	if (have >= SHADOWS_LEAST && (unsigned long)have > most)
		return NULL;
	return xa_mk_value((now & SHADOW_AGE) << 1 | !!folio_test(folio, PG_workingset));
}

static void activate(struct folio *folio)
{
	bool moved = false;

	spin_lock(&cache_lru.lock);
	if (folio_test(folio, PG_lru) && !folio_test(folio, PG_active)) {
		lru_move(folio, true);
		folio_clear(folio, PG_referenced);
		moved = true;
	}
	spin_unlock(&cache_lru.lock);
	if (moved) {
		atomic_fetch_add_explicit(&age, folio_nr_pages(folio), memory_order_relaxed);
		cache_count(CACHE_ACTIVATE, folio_nr_pages(folio));
	}
}

/* The caller has a reference. */
void folio_mark_accessed(struct folio *folio)
{
	if (!folio_test(folio, PG_referenced)) {
		folio_set(folio, PG_referenced);
		return;
	}
	if (folio_test(folio, PG_lru) && !folio_test(folio, PG_active))
		activate(folio);
}

void mark_page_accessed(struct page *page)
{
	folio_mark_accessed(fast_page_folio(page));
}
