/* SPDX-License-Identifier: MIT */
/*
 * atomic_reserve.c - single pages for who can neither wait nor lock
 *
 * Room: mm. Above us: the non-blocking end of page_alloc.c. Filled by whoever refills a page
 * list and may sleep, out of a NORMAL zone, whose lock he holds.
 *
 * An array of slots: a slot holds a page or NULL. Getting is an exchange with NULL, putting a
 * compare and swap from NULL; a page is in one slot or with its taker, so there is no ABA and
 * nothing to retry. atomic_reserve_nr may lag behind by those in between; it only says where looking is worth
 * while. Async-signal-safe.
 *
 * Pages in here have PG_emergency, count 0, and are freed like any other once they are out.
 */

#include "mm/page_alloc.h"

#define RESERVE_SLOTS 64 /* 256 KiB: a handler that allocates in every tick for a while */

static _Atomic(struct page *) slots[RESERVE_SLOTS];
_Atomic long atomic_reserve_nr;
static long target;

void atomic_reserve_set_target(unsigned long pages)
{
	target = pages < RESERVE_SLOTS ? (long)pages : RESERVE_SLOTS;
}

bool atomic_reserve_low(void)
{
	return atomic_load_explicit(&atomic_reserve_nr, memory_order_relaxed) < target;
}

unsigned long nr_atomic_reserve_pages(void)
{
	long n = atomic_load_explicit(&atomic_reserve_nr, memory_order_relaxed);

	return n > 0 ? (unsigned long)n : 0;
}

struct page *atomic_reserve_get(void)
{
	if (atomic_load_explicit(&atomic_reserve_nr, memory_order_relaxed) <= 0)
		return NULL;
	for (int i = 0; i < RESERVE_SLOTS; i++) {
		struct page *page;

		if (!atomic_load_explicit(&slots[i], memory_order_relaxed))
			continue;
		page = atomic_exchange_explicit(&slots[i], NULL, memory_order_acquire);
		if (!page)
			continue;
		atomic_fetch_sub_explicit(&atomic_reserve_nr, 1, memory_order_relaxed);
		page_clear(page, PG_emergency);
		count_vm_event(SW_ATOMIC_RESERVE_USED);
		return page;
	}
	return NULL;
}

static bool put(struct page *page)
{
	for (int i = 0; i < RESERVE_SLOTS; i++) {
		struct page *none = NULL;

		if (atomic_compare_exchange_strong_explicit(
			    &slots[i], &none, page, memory_order_release, memory_order_relaxed)) {
			atomic_fetch_add_explicit(&atomic_reserve_nr, 1, memory_order_relaxed);
			return true;
		}
	}
	return false;
}

void __atomic_reserve_refill(struct zone *zone)
{
	if (zone_idx(zone) != ZONE_NORMAL)
		return;
	while (atomic_reserve_low()) {
		struct page *page;
		bool zero;

		/* Those who wait for watermarks come first: the reserve is filled from plenty. */
		if (!zone_watermark_ok(zone, 0, high_wmark_pages(zone), ZONE_NORMAL, 0))
			return;
		page = __buddy_alloc(zone, 0, MIGRATE_UNMOVABLE, 0, &zero);
		if (!page)
			return;
		page_set(page, PG_emergency);
		if (!put(page)) {
			page_clear(page, PG_emergency);
			__buddy_free(zone, page, 0, 0);
			return;
		}
	}
}
