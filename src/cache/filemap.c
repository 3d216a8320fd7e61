/* SPDX-License-Identifier: MIT */
/*
 * filemap.c - which folio is at which page of a file: look up, insert, remove
 *
 * Room: cache. Door: <slabwork/fs/pagemap.h>. Life of a folio, lock order: docs/FILES.md §5, §7.
 *
 * Look-up takes no lock: in an RCU section it finds the folio, takes a reference if there is one to be had, and
 * looks again: still there, so the reference was on the folio of that page (its struct page may have been
 * anything in between). Insertion makes the folio ready (locked, mapping, index) before the tree shows it.
 *
 * Invariants
 *   C1  A folio in the tree has mapping and index of its place and one reference of the cache's.
 *   C2  Only who holds the folio lock and xa_lock takes it out; mapping is NULL from then on.
 *   C3  removals is odd while folios are being taken out and has moved once they are, before the last
 *       reference goes: a reader that copied without a reference sees it (read.c).
 *   C4  nrpages and NR_FILE_PAGES change with the tree, under xa_lock.
 */

#include <string.h>
#include <sys/mman.h>

#include <slabwork/percpu.h>

#include "cache/bug.h"
#include "cache/copy.h"
#include "cache/lru.h"
#include "cache/pool.h"
#include "cache/tree.h"
#include "lib/bitops.h"
#include "lib/list.h"

const struct folio *sw_fs_memmap;
struct backing_dev_info noop_backing_dev_info = { .name = "noop" };

static spinlock_t init_lock;
static _Atomic bool initialised;
static unsigned long __percpu *counters;

#define HUGE_ORDER 9
/* No folio is larger. */
#define FOLIO_ORDER_MOST 9

/* ---- the beginning, counters -------------------------------------------------------------- */

static int init_once(void)
{
	struct page *page = alloc_page(GFP_KERNEL);
	int err;

	if (!page)
		return -ENOMEM;
	sw_fs_memmap = (const struct folio *)page - page_to_pfn(page);
	__free_page(page);
	counters = __alloc_percpu(NR_CACHE_EVENTS * sizeof(long), 64);
	if (!counters)
		return -ENOMEM;
	copy_init();
	err = reclaim_init();
	if (!err)
		writeback_init();
	return err;
}

int cache_init(void)
{
	int err = 0;

	if (likely(atomic_load_explicit(&initialised, memory_order_acquire)))
		return 0;
	spin_lock(&init_lock);
	if (!atomic_load(&initialised)) {
		err = init_once();
		if (!err)
			atomic_store_explicit(&initialised, true, memory_order_release);
	}
	spin_unlock(&init_lock);
	return err;
}

void cache_count(enum cache_event event, unsigned long n)
{
	__atomic_fetch_add(this_cpu_ptr(counters) + event, n, __ATOMIC_RELAXED);
}

unsigned long cache_counted(enum cache_event event)
{
	unsigned long sum = 0;
	unsigned int cpu;

	if (!counters)
		return 0;
	for_each_possible_cpu(cpu)
		sum += __atomic_load_n(per_cpu_ptr(counters, cpu) + event, __ATOMIC_RELAXED);
	return sum;
}

void address_space_init(struct address_space *mapping, struct inode *host,
			const struct address_space_operations *a_ops, gfp_t gfp)
{
	(void)cache_init(); /* without memory now, the first folio fails */
	memset(mapping, 0, sizeof(*mapping));
	mapping->host = host;
	mapping->a_ops = a_ops;
	mapping->gfp_mask = gfp & __GFP_BITS_MASK;
	mapping->page_tree.gfp_mask = gfp & __GFP_BITS_MASK;
	mapping->bdi = &noop_backing_dev_info;
	INIT_LIST_HEAD(&mapping->i_mmap);
}

void mapping_set_error(struct address_space *mapping, int error)
{
	if (error >= 0)
		return;
	errseq_set(&mapping->wb_err, error);
	mapping_set(mapping, error == -ENOSPC ? AS_ENOSPC : AS_EIO);
	if (mapping->host_ops && mapping->host_ops->error)
		mapping->host_ops->error(mapping, error);
}

/* ---- folios: made, given back -------------------------------------------------------------- */

/* A fresh block whose pages the OS has not filled yet: one huge page is what makes long copies fast. */
static void advise_huge(struct folio *folio)
{
	(void)madvise(folio_addr(folio), folio_bytes(folio), MADV_HUGEPAGE);
}

struct folio *filemap_alloc_folio(struct address_space *mapping, gfp_t gfp, unsigned int order)
{
	struct folio *folio;

	if (unlikely(cache_init() || order > FOLIO_ORDER_MOST))
		return NULL;
	if (unlikely(mapping_test(mapping, AS_SHARED_POOL)))
		folio = pool_alloc(gfp, order);
	else
		folio = folio_alloc_bare(gfp, order);
	if (!folio)
		return NULL;
	if (order == HUGE_ORDER && !folio_test(folio, PG_pool))
		advise_huge(folio);
	atomic_store_explicit(&folio->mapping, NULL, memory_order_relaxed);
	folio->index = 0;
	folio->private = NULL;
	atomic_store_explicit(&folio->_mapcount, 0, memory_order_relaxed);
	atomic_store_explicit(&folio->wait_seq, 0, memory_order_relaxed);
	return folio;
}

void folio_release(struct folio *folio)
{
	/* Reclaim put it back on a list after it had left the tree. */
	if (unlikely(folio_test(folio, PG_lru)))
		lru_del(folio);
	if (unlikely(folio_test(folio, PG_pool))) {
		pool_free(folio);
		return;
	}
	atomic_store_explicit(&folio->_refcount, 1, memory_order_relaxed);
	put_page(folio_head_page(folio));
}

bool folio_freeze(struct folio *folio, int expected)
{
	return atomic_compare_exchange_strong(&folio->_refcount, &expected, 0);
}

void folio_unfreeze(struct folio *folio, int count)
{
	atomic_store_explicit(&folio->_refcount, count, memory_order_release);
}

void folio_zero_range(struct folio *folio, size_t start, size_t length)
{
	file_zero((char *)folio_addr(folio) + start, length);
}

/* ---- look up ------------------------------------------------------------------------------------ */

struct folio *filemap_peek(struct address_space *mapping, pgoff_t index)
{
	return tree_folio(mapping, index);
}

/* The folio at @index with a reference, or NULL. */
struct folio *filemap_get_entry(struct address_space *mapping, pgoff_t index)
{
	return tree_get(mapping, index);
}

/* Largest order for a folio at @index of this mapping, @want or less. */
unsigned int mapping_fit_order(const struct address_space *mapping, pgoff_t index,
			       unsigned int want)
{
	if (!mapping_test(mapping, AS_LARGE_FOLIO))
		return 0;
	want = min(want, (unsigned int)FOLIO_ORDER_MOST);
	if (index & ((1UL << want) - 1))
		want = (unsigned int)__builtin_ctzl(index);
	return want;
}

/* A new folio over @index in the cache, locked, referenced. ERR_PTR(-EEXIST): somebody was faster. */
static struct folio *add_new(struct address_space *mapping, pgoff_t index, fgf_t fgp, gfp_t gfp)
{
	unsigned int order = mapping_fit_order(mapping, index, FGF_GET_ORDER(fgp));

	if (fgp & FGP_NOFS)
		gfp &= ~__GFP_FS;
	if (fgp & FGP_NOWAIT)
		gfp = (gfp & ~__GFP_DIRECT_RECLAIM) | __GFP_NOWARN;
	for (;; order--) {
		/* The machine may grow for a large one, but nothing of ours is dropped for it. */
		gfp_t try = order ? (gfp & ~__GFP_FS) | __GFP_NOWARN | __GFP_NORETRY : gfp;
		struct folio *folio = filemap_alloc_folio(mapping, try, order);
		int err = folio ? 0 : -ENOMEM;

		if (folio) {
			if (fgp & FGP_ACCESSED)
				folio_set(folio, PG_referenced);
			err = filemap_add_folio(mapping, folio, index, gfp);
			if (!err)
				return folio;
			folio_drop(folio);
		}
		if (!order)
			return ERR_PTR(err);
	}
}

struct folio *__filemap_get_folio(struct address_space *mapping, pgoff_t index, fgf_t fgp,
				  gfp_t gfp)
{
	struct folio *folio;

repeat:
	folio = tree_get(mapping, index);
	if (!folio) {
		if (!(fgp & FGP_CREAT))
			return ERR_PTR(-ENOENT);
		folio = add_new(mapping, index, fgp, gfp);
		if (IS_ERR(folio)) {
			if (PTR_ERR(folio) == -EEXIST)
				goto repeat;
			return folio;
		}
		if (!(fgp & FGP_LOCK))
			folio_unlock(folio);
		return folio;
	}
	if (fgp & FGP_LOCK) {
		if (fgp & FGP_NOWAIT) {
			if (!folio_trylock(folio)) {
				folio_drop(folio);
				return ERR_PTR(-EAGAIN);
			}
		} else {
			folio_lock(folio);
		}
		if (unlikely(!folio_is_at(folio, mapping, index))) {
			folio_unlock(folio);
			folio_drop(folio);
			goto repeat;
		}
	}
	if (fgp & FGP_ACCESSED)
		folio_mark_accessed(folio);
	if (fgp & FGP_STABLE)
		folio_wait_writeback(folio);
	return folio;
}

static struct page *page_at(struct folio *folio, pgoff_t index)
{
	return IS_ERR(folio) ? NULL : folio_page(folio, index - folio->index);
}

struct page *find_get_page(struct address_space *mapping, pgoff_t index)
{
	return page_at(__filemap_get_folio(mapping, index, 0, 0), index);
}

struct page *find_lock_page(struct address_space *mapping, pgoff_t index)
{
	return page_at(__filemap_get_folio(mapping, index, FGP_LOCK, 0), index);
}

struct page *find_or_create_page(struct address_space *mapping, pgoff_t index, gfp_t gfp)
{
	return page_at(__filemap_get_folio(mapping, index, FGP_LOCK | FGP_ACCESSED | FGP_CREAT,
					   gfp),
		       index);
}

/* Up to @nr folios from *@start to @end that have @filter, referenced; *@start moves past them (0: past all). */
unsigned int filemap_get_folios_filter(struct address_space *mapping, pgoff_t *start, pgoff_t end,
				       xa_mark_t filter, unsigned int nr, struct folio **folios)
{
	unsigned int got = 0;
	pgoff_t index = *start;
	void *entry;

	rcu_read_lock();
	while (got < nr && (entry = xa_find(&mapping->i_pages, &index, end, filter))) {
		struct folio *folio = entry;

		if (xa_is_value(entry)) {
			index++;
		} else {
			if (!folio_try_get(folio))
				continue;
			if (tree_folio(mapping, index) != folio || !folio_contains(folio, index)) {
				folio_drop(folio);
				continue;
			}
			folios[got++] = folio;
			index = folio_next_index(folio);
		}
		if (!index || index > end)
			break;
	}
	rcu_read_unlock();
	*start = got < nr ? end + 1 : index;
	return got;
}

unsigned int find_get_pages_range_tag(struct address_space *mapping, pgoff_t *start, pgoff_t end,
				      xa_mark_t tag, unsigned int nr, struct page **pages)
{
	/* A folio's pointer is its first page's. */
	return filemap_get_folios_filter(mapping, start, end, tag, nr, (struct folio **)pages);
}

/* ---- insert, remove -------------------------------------------------------------------------------- */

/* Shadows that a folio of several pages is about to cover. */
static long shadows_in(struct address_space *mapping, pgoff_t index, unsigned long nr)
{
	pgoff_t last = index + nr - 1;
	long shadows = 0;

	for (void *entry = xa_find(&mapping->i_pages, &index, last, XA_PRESENT); entry;
	     entry = xa_find_after(&mapping->i_pages, &index, last, XA_PRESENT))
		shadows += xa_is_value(entry);
	return shadows;
}

int filemap_add_folio(struct address_space *mapping, struct folio *folio, pgoff_t index, gfp_t gfp)
{
	unsigned int order = folio_test_large(folio) ? folio->order : 0;
	unsigned long nr = 1UL << order;
	void *shadow = NULL;
	long shadows = 1;
	int err;

	CACHE_BUG_ON(folio_test_set(folio, PG_locked));
	folio_hold(folio);
	folio->index = index;
	atomic_store_explicit(&folio->mapping, mapping, memory_order_release);
	xa_lock(&mapping->i_pages);
	if (order && shadows_exist())
		shadows = shadows_in(mapping, index, nr);
	err = __xa_insert_order(&mapping->i_pages, index, order, folio, &shadow,
				gfp & (__GFP_RECLAIM | __GFP_IO | __GFP_FS | __GFP_HIGH |
				       __GFP_NOWARN | __GFP_NORETRY | __GFP_NOFAIL));
	if (!err)
		atomic_fetch_add_explicit(&mapping->nrpages, nr, memory_order_relaxed);
	xa_unlock(&mapping->i_pages);
	if (err) {
		atomic_store_explicit(&folio->mapping, NULL, memory_order_release);
		folio_unlock(folio);
		folio_drop(folio);
		return err;
	}
	mod_node_state(folio_nid(folio), NR_FILE_PAGES, (long)nr);
	if (shadow)
		shadow_count(-shadows);
	if (!mapping_test(mapping, AS_UNEVICTABLE))
		lru_add(folio, shadow);
	return 0;
}

int add_to_page_cache_lru(struct page *page, struct address_space *mapping, pgoff_t index,
			  gfp_t gfp)
{
	return filemap_add_folio(mapping, fast_page_folio(page), index, gfp);
}

void __filemap_remove_folio(struct folio *folio, void *shadow)
{
	struct address_space *mapping = folio_mapping(folio);
	unsigned long nr = folio_nr_pages(folio);
	int err;

	CACHE_BUG_ON(!folio_test_locked(folio) || !mapping);
	folio_account_cleaned(folio, mapping);
	write_seqcount_begin(&mapping->removals);
	err = __xa_replace(&mapping->i_pages, folio->index, folio, shadow);
	write_seqcount_end(&mapping->removals);
	CACHE_BUG_ON(err);
	atomic_fetch_sub_explicit(&mapping->nrpages, nr, memory_order_relaxed);
	mod_node_state(folio_nid(folio), NR_FILE_PAGES, -(long)nr);
	if (shadow)
		shadow_count(1);
	atomic_store_explicit(&folio->mapping, NULL, memory_order_release);
}

void filemap_remove_folio(struct folio *folio)
{
	struct address_space *mapping = folio_mapping(folio);

	xa_lock(&mapping->i_pages);
	__filemap_remove_folio(folio, NULL);
	xa_unlock(&mapping->i_pages);
	lru_del(folio);
	if (mapping->a_ops && mapping->a_ops->free_folio)
		mapping->a_ops->free_folio(folio);
	folio_drop(folio);
}

void delete_from_page_cache(struct page *page)
{
	filemap_remove_folio(fast_page_folio(page));
}
