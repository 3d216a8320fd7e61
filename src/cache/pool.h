/* SPDX-License-Identifier: MIT */
#ifndef CACHE_POOL_H
#define CACHE_POOL_H

/*
 * pool.h - page-cache pages that can be mapped a second time
 *
 * Room: cache; vfs/mmap.c uses it. Idea, and why it is coherent: docs/FILES.md §6.
 *
 * The pool is one memfd. Its file offset of a byte is the byte's address, so nothing needs to be looked
 * up. A block of 2^order pages (9 where there is memory, less on small machines) is taken from
 * the page allocator and the memfd is mapped over it, shared and fixed; folios are cut from blocks by
 * a small buddy, and a block that is whole again becomes anonymous memory and goes back.
 *
 *   page allocator ──pool_grow()──▶ block ──pool_alloc()──▶ folio (PG_pool) ──pool_free()──▶ block ──▶ back
 */

#include <slabwork/fs/pagemap.h>

/* The memfd; made at first use. -errno if the system has none: then there are no shared mappings. */
int pool_fd(void);

/* A folio with a count of 1, PG_pool, contents undefined. NULL: no memory. */
struct folio *pool_alloc(gfp_t gfp, unsigned int order);
/* Count 0. */
void pool_free(struct folio *folio);

/*
 * From now on folios of @mapping come from the pool, and those that are there are moved into it
 * (filemap_migrate_folio()). invalidate_lock is taken for writing. 0, -ENOMEM, -EAGAIN (a folio is pinned).
 */
int mapping_make_shared(struct address_space *mapping);

/* In a forked child for which what was mapped could not be copied. */
bool pool_broken(void);

/* There, reading and writing this file is -EIO: its bytes are the parent's. */
static inline bool pool_lost(const struct address_space *mapping)
{
	return unlikely(mapping_test(mapping, AS_SHARED_POOL)) && pool_broken();
}

/* The same for one folio that came too late; the caller's reference is the only one beside the cache's. */
int pool_adopt(struct address_space *mapping, struct folio *folio);

/* For sw_cache_stats(): pages of folios, and of blocks. */
void pool_stats(unsigned long *used, unsigned long *held);

#endif /* CACHE_POOL_H */
