/* SPDX-License-Identifier: MIT */
/*
 * folio_wait.c - sleeping until a folio is unlocked or written
 *
 * Room: cache. A folio has two bits to wait for, PG_locked and PG_writeback, and no room for a queue: waiters
 * of all folios share a table of queues by hash, look at their bit after taking a ticket, and are woken all.
 * Whoever clears a bit does it before it looks for waiters (both sequentially consistent; partner:
 * wait_prepare()), so nobody sleeps through it.
 */

#include <slabwork/lock.h>

#include "cache/bug.h"
#include "cache/lru.h"
#include "cache/tree.h"
#include "lib/hash.h"

#define WAIT_BITS 8

static struct {
	wait_queue_head_t wq;
} __attribute__((aligned(64))) wait_table[1 << WAIT_BITS];

static inline wait_queue_head_t *folio_queue(const struct folio *folio)
{
	return &wait_table[hash_ptr(folio, WAIT_BITS)].wq;
}

static void wake_folio(struct folio *folio)
{
	wait_queue_head_t *wq = folio_queue(folio);

	if (unlikely(wait_active(wq)))
		wake_up(wq);
}

void folio_lock_slow(struct folio *folio)
{
	wait_event(folio_queue(folio), folio_trylock(folio));
}

void folio_unlock(struct folio *folio)
{
	/* Once the bit is clear the folio may be anybody's: only its address is used. */
	unsigned int old = atomic_fetch_and(&folio->flags, ~(1u << PG_locked));

	CACHE_BUG_ON(!(old & 1u << PG_locked));
	wake_folio(folio);
}

void folio_wait_locked(struct folio *folio)
{
	if (folio_test_locked(folio))
		wait_event(folio_queue(folio), !folio_test_locked(folio));
}

void folio_wait_writeback(struct folio *folio)
{
	if (folio_test_writeback(folio))
		wait_event(folio_queue(folio), !folio_test_writeback(folio));
}

/* For page-writeback.c: the bit goes, who waits wakes. */
void folio_clear_writeback(struct folio *folio)
{
	atomic_fetch_and(&folio->flags, ~(1u << PG_writeback));
	wake_folio(folio);
}
