/* SPDX-License-Identifier: MIT */
#ifndef CACHE_LRU_H
#define CACHE_LRU_H

/*
 * lru.h - what filemap.c, swap.c, reclaim.c and page-writeback.c share beyond cache.h
 *
 * Room: cache, private to it.
 */

#include "cache/cache.h"
#include "lib/list.h"

int reclaim_init(void);
void writeback_init(void);
unsigned long cache_counted(enum cache_event event);

struct folio *filemap_get_entry(struct address_space *mapping, pgoff_t index);
unsigned int filemap_get_folios_filter(struct address_space *mapping, pgoff_t *start, pgoff_t end,
				       xa_mark_t filter, unsigned int nr, struct folio **folios);
unsigned int mapping_fit_order(const struct address_space *mapping, pgoff_t index,
			       unsigned int want);
void folio_clear_writeback(struct folio *folio);

/* ---- swap.c ---- */

struct lru {
	spinlock_t lock;
	struct list_head active, inactive;            /* newest first */
	_Atomic unsigned long nr_active, nr_inactive; /* pages; written under lock */
};
extern struct lru cache_lru;

/* Shadows in all trees: bounded, so that they cost little. */
void shadow_count(long n);
bool shadows_exist(void);

/* Under lru_lock: onto a list, off it; PG_lru with it. */
void lru_put(struct folio *folio, bool active);
void lru_take(struct folio *folio);
/* From one place to the front of a list; PG_lru stays set. */
void lru_move(struct folio *folio, bool active);

static inline unsigned long lru_pages(void)
{
	return atomic_load_explicit(&cache_lru.nr_active, memory_order_relaxed) +
	       atomic_load_explicit(&cache_lru.nr_inactive, memory_order_relaxed);
}

/* ---- truncate.c ---- */

/* Locked, one reference of the caller's besides the cache's: out of the cache if clean and nobody's. */
bool folio_try_remove(struct address_space *mapping, struct folio *folio, bool leave_shadow);

/* ---- page-writeback.c ---- */

/* The limits in force. */
unsigned long cache_max_pages(void);

#endif /* CACHE_LRU_H */
