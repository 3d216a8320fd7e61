/* SPDX-License-Identifier: MIT */
#ifndef SW_FS_PAGEMAP_H
#define SW_FS_PAGEMAP_H

/**
 * DOC: <slabwork/fs/pagemap.h> - the page cache, for authors of file systems
 *
 * An address_space holds the cached pages of one file: an xarray from page index to folio. This
 * header says mapping and folio; it never says inode (struct inode and struct file are passed
 * through unseen). Architecture, locks, life of a folio: docs/FILES.md.
 *
 * Units    pos and bytes are loff_t/size_t; index and nr are pages; order is log2 of pages.
 * Errors   0 or -errno; pointer functions NULL or ERR_PTR as said.
 * Threads  Everything may be called by any thread; "locked" means folio_lock() is held.
 *
 * Room: cache.  Source: Linux 5.4 … 6.12, include/linux/pagemap.h, mm/filemap.c; names of both ages.
 */

#ifdef __cplusplus
#error "file systems are written in C: include <slabwork/fs/fs.h> instead"
#endif

#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <slabwork/folio.h>
#include <slabwork/gfp.h>
#include <slabwork/lock.h>
#include <slabwork/mm.h>
#include <slabwork/rcupdate.h>
#include <slabwork/vmstat.h>
#include <slabwork/xarray.h>

struct inode;
struct file;
struct address_space;
struct kiocb;
struct iov_iter;
struct writeback_control;
struct readahead_control;

/* off_t of 64 bits whatever the C library was told. */
#ifndef SW_LOFF_T
#define SW_LOFF_T
typedef int64_t sw_loff_t;
#endif
typedef unsigned long pgoff_t;
#define MAX_LFS_FILESIZE INT64_MAX

/* ---- errors that every open file hears of once ------------------------------------- */

/*
 * errseq_t: an errno and a count. Whoever writes back records; each open file keeps the value it
 * has seen (sampled at open), and fsync reports what is newer. All zero: no error ever.
 * Source: Linux 6.12, lib/errseq.c, Documentation/core-api/errseq.rst.
 */
typedef _Atomic uint32_t errseq_t;

SW_API uint32_t errseq_set(errseq_t *eseq, int err) SW_NAME(errseq_set);
SW_API uint32_t errseq_sample(errseq_t *eseq) SW_NAME(errseq_sample);
SW_API int errseq_check(errseq_t *eseq, uint32_t since) SW_NAME(errseq_check);
/* Lock: the holder of *@since excludes others (file->f_lock). Return: 0 or the -errno that is news. */
SW_API int errseq_check_and_advance(errseq_t *eseq, uint32_t *since)
	SW_NAME(errseq_check_and_advance);

/* ---- struct address_space ------------------------------------------------------------ */

#define PAGECACHE_TAG_DIRTY     XA_MARK_0
#define PAGECACHE_TAG_WRITEBACK XA_MARK_1
#define PAGECACHE_TAG_TOWRITE   XA_MARK_2

/* address_space.flags, bits. */
enum mapping_flags {
	AS_EIO,
	AS_ENOSPC,
	AS_UNEVICTABLE, /* the cache is the store (tmpfs): never reclaimed, never written back */
	AS_EXITING,     /* the last truncate runs: no new pages */
	AS_LARGE_FOLIO, /* the file system takes folios of any order */
	AS_SHARED_POOL, /* somebody mapped it: folios come from the shared pool (cache/pool.h) */
	AS_NO_WRITEBACK_TAGS,
	AS_HOLES_ARE_ZERO, /* a hole reads as zeros without a folio: filemap_read() calls no read_folio */
	/*
	 * With AS_UNEVICTABLE: bytes below i_size of a folio that is uptodate and dirty are written in its place,
	 * with a reference but no lock; write_begin and write_end do not hear of it.
	 */
	AS_OVERWRITE_IN_PLACE
};

/* What vfs does for cache, which does not say inode. Set by vfs in every mapping it makes. */
struct mapping_host_ops {
	/* A folio became dirty: the inode goes on the list of those to write back. */
	void (*dirtied)(struct address_space *mapping);
	/* A read came through (atime). @file may be NULL. */
	void (*accessed)(struct file *file);
	/* Before a write: remove suid, mtime and ctime. 0 or -errno. */
	int (*modify)(struct file *file);
	/* Mappings that show pages [index, index + nr) forget them: truncate, reclaim, migration. */
	void (*unmap)(struct address_space *mapping, pgoff_t index, pgoff_t nr);
	/* Write-back failed (mapping->wb_err has it): the super block's wb_err, too. May be NULL. */
	void (*error)(struct address_space *mapping, int error);
};

/**
 * struct backing_dev_info - where dirty pages go, and how fast
 * @ra_pages: largest readahead window, pages
 * @nr_dirty, @nr_writeback: of all mappings on it
 * @start_writeback: make the flusher write at least @nr_pages (may sleep; takes no i_rwsem: the writer
 *                   that calls it may hold one)
 */
struct backing_dev_info {
	const char *name;
	unsigned long ra_pages;
	_Atomic long nr_dirty, nr_writeback;
	_Atomic unsigned long bytes_per_sec; /* of write-back, estimated */
	void (*start_writeback)(struct backing_dev_info *bdi, unsigned long nr_pages);
	void *private;
};
/* Of file systems without a store behind them: no readahead, no write-back. */
extern SW_API struct backing_dev_info noop_backing_dev_info SW_NAME(noop_backing_dev_info);

/**
 * struct address_space - the cached pages of one file and the way to its store
 * @host: whose; cache never looks behind it
 * @page_tree: page index to folio, value entries are shadows of reclaimed folios
 * @i_size: of the file, bytes. It lives here because cache needs it: i_size_read(), i_size_write()
 * @gfp_mask: how its pages are allocated
 * @nrpages: pages (not folios) in the tree
 * @removals: seqcount; a writer each time folios leave the tree: see filemap_read()
 * @invalidate_lock: held shared to add folios, exclusively to truncate and punch
 * @i_mmap: struct vm_area_struct.shared list; @i_mmap_rwsem guards it
 * @wb_err: errors of write-back
 */
struct address_space {
	struct inode *host;
	union {
		struct xarray i_pages;
		struct radix_tree_root page_tree;
	};
	_Atomic sw_loff_t i_size;
	seqcount_t removals;
	gfp_t gfp_mask;
	_Atomic unsigned long flags;
	_Atomic unsigned long nrpages;
	const struct address_space_operations *a_ops;
	const struct mapping_host_ops *host_ops;
	struct backing_dev_info *bdi;
	struct rw_semaphore invalidate_lock;
	errseq_t wb_err;
	_Atomic int i_mmap_writable;
	struct list_head i_mmap;
	struct rw_semaphore i_mmap_rwsem;
	unsigned long writeback_index;
	void *private_data;
};

/**
 * struct address_space_operations - how a file system moves pages to and from its store
 * @read_folio: fill a locked folio and unlock it, set uptodate if all went well
 * @readpage: the seed's name: asked where @read_folio is NULL, with the folio's first page
 * @readahead: fill what readahead_folio() hands out; unlocks each
 * @writepages: write dirty folios; NULL: write_cache_pages() with @writepage
 * @writepage: write a locked dirty folio whose dirty mark was just taken away: folio_start_writeback(),
 *             folio_unlock(), and folio_end_writeback() when done
 * @dirty_folio: NULL: filemap_dirty_folio()
 * @write_begin: the locked folio for [@pos, @pos + @len), ready to be copied into, in *@foliop; may be
 *               shorter than @len. @fsdata is for @write_end
 * @write_end: @copied bytes are there: sets i_size, dirties, unlocks and puts the folio. Returns bytes
 *             accepted (0: try again) or -errno
 * @invalidate_folio: [@offset, @offset + @length) of the folio goes away
 * @release_folio: may @private be dropped?
 * @free_folio: it left the tree
 * @migrate_folio: @dst takes over from @src, both locked; NULL: filemap_migrate_folio()
 * @bmap: block on the device
 * @direct_IO: O_DIRECT; NULL: EINVAL at open
 * @error_remove_folio, @swap_activate: not here
 */
struct address_space_operations {
	int (*read_folio)(struct file *file, struct folio *folio);
	int (*readpage)(struct file *file, struct page *page);
	void (*readahead)(struct readahead_control *rac);
	int (*writepages)(struct address_space *mapping, struct writeback_control *wbc);
	int (*writepage)(struct page *page, struct writeback_control *wbc);
	bool (*dirty_folio)(struct address_space *mapping, struct folio *folio);
	int (*write_begin)(struct file *file, struct address_space *mapping, sw_loff_t pos,
			   unsigned int len, struct folio **foliop, void **fsdata);
	int (*write_end)(struct file *file, struct address_space *mapping, sw_loff_t pos,
			 unsigned int len, unsigned int copied, struct folio *folio, void *fsdata);
	void (*invalidate_folio)(struct folio *folio, size_t offset, size_t length);
	bool (*release_folio)(struct folio *folio, gfp_t gfp);
	void (*free_folio)(struct folio *folio);
	int (*migrate_folio)(struct address_space *mapping, struct folio *dst, struct folio *src);
	sw_loff_t (*bmap)(struct address_space *mapping, sw_loff_t block);
	ssize_t (*direct_IO)(struct kiocb *iocb, struct iov_iter *iter);
};

/* Empty, ready; @gfp: GFP_HIGHUSER_MOVABLE where in doubt. */
SW_API void address_space_init(struct address_space *mapping, struct inode *host,
			       const struct address_space_operations *a_ops, gfp_t gfp)
	SW_NAME(address_space_init);

static inline bool mapping_test(const struct address_space *mapping, enum mapping_flags bit)
{
	return atomic_load_explicit(&((struct address_space *)mapping)->flags,
				    memory_order_relaxed) &
	       (1UL << bit);
}

static inline void mapping_set(struct address_space *mapping, enum mapping_flags bit)
{
	atomic_fetch_or_explicit(&mapping->flags, 1UL << bit, memory_order_relaxed);
}

static inline gfp_t mapping_gfp_mask(const struct address_space *mapping)
{
	return mapping->gfp_mask;
}

static inline void mapping_set_gfp_mask(struct address_space *mapping, gfp_t mask)
{
	mapping->gfp_mask = mask;
}

static inline void mapping_set_large_folios(struct address_space *mapping)
{
	mapping_set(mapping, AS_LARGE_FOLIO);
}

static inline void mapping_set_unevictable(struct address_space *mapping)
{
	mapping_set(mapping, AS_UNEVICTABLE);
}

/* Note an error of write-back, for every open file to hear of. */
SW_API void mapping_set_error(struct address_space *mapping, int error) SW_NAME(mapping_set_error);

/* ---- folios: bits, counts, locks -------------------------------------------------------- */

static inline bool folio_test(const struct folio *folio, enum pageflags bit)
{
	return atomic_load_explicit(&((struct folio *)folio)->flags, memory_order_acquire) &
	       (1u << bit);
}

static inline void folio_set(struct folio *folio, enum pageflags bit)
{
	atomic_fetch_or_explicit(&folio->flags, 1u << bit, memory_order_release);
}

static inline void folio_clear(struct folio *folio, enum pageflags bit)
{
	atomic_fetch_and_explicit(&folio->flags, ~(1u << bit), memory_order_release);
}

static inline bool folio_test_set(struct folio *folio, enum pageflags bit)
{
	return atomic_fetch_or_explicit(&folio->flags, 1u << bit, memory_order_acq_rel) &
	       (1u << bit);
}

static inline bool folio_test_clear(struct folio *folio, enum pageflags bit)
{
	return atomic_fetch_and_explicit(&folio->flags, ~(1u << bit), memory_order_acq_rel) &
	       (1u << bit);
}

#define folio_test_uptodate(f)  folio_test(f, PG_uptodate)
#define folio_mark_uptodate(f)  folio_set(f, PG_uptodate)
#define folio_test_dirty(f)     folio_test(f, PG_dirty)
#define folio_test_writeback(f) folio_test(f, PG_writeback)
#define folio_test_locked(f)    folio_test(f, PG_locked)
#define folio_test_private(f)   folio_test(f, PG_private)
#define folio_test_large(f)     folio_test(f, PG_head)

/* The seed's words for the same; any page of the folio will do. */
#define PageUptodate(p)    folio_test_uptodate(page_folio(p))
#define SetPageUptodate(p) folio_mark_uptodate(page_folio(p))
#define PageDirty(p)       folio_test_dirty(page_folio(p))
#define PageWriteback(p)   folio_test_writeback(page_folio(p))
#define PageLocked(p)      folio_test_locked(page_folio(p))

/* struct page and struct folio without a call: see <slabwork/folio.h>. */
static inline struct folio *fast_page_folio(struct page *page)
{
	struct folio *f = (struct folio *)page;

	return folio_test(f, PG_tail) ? f->compound_head : f;
}

static inline unsigned long folio_nr_pages(const struct folio *folio)
{
	return folio_test_large(folio) ? 1UL << folio->order : 1;
}

static inline size_t folio_bytes(const struct folio *folio)
{
	return folio_nr_pages(folio) << PAGE_SHIFT;
}

static inline pgoff_t folio_next_index(const struct folio *folio)
{
	return folio->index + folio_nr_pages(folio);
}

static inline sw_loff_t folio_pos(const struct folio *folio)
{
	return (sw_loff_t)folio->index << PAGE_SHIFT;
}

static inline size_t offset_in_folio(const struct folio *folio, sw_loff_t pos)
{
	return (size_t)pos & (folio_bytes(folio) - 1);
}

/* memmap[0]: pfn_to_page(0), read once when the library starts (filemap.c). */
extern SW_API const struct folio *sw_fs_memmap;

/* Where its bytes are. Arithmetic. */
static inline void *folio_addr(const struct folio *folio)
{
	return (void *)((uintptr_t)(folio - sw_fs_memmap) << PAGE_SHIFT);
}

/* One more reference if there is any: for look-ups under RCU. */
static inline bool folio_try_get(struct folio *folio)
{
	int n = atomic_load_explicit(&folio->_refcount, memory_order_relaxed);

	do {
		if (n <= 0)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(
		&folio->_refcount, &n, n + 1, memory_order_acquire, memory_order_relaxed));
	return true;
}

static inline void folio_hold(struct folio *folio)
{
	atomic_fetch_add_explicit(&folio->_refcount, 1, memory_order_relaxed);
}

/* The last reference is gone: to the allocator or the shared pool. */
SW_API void folio_release(struct folio *folio) SW_NAME(folio_release);

/*
 * Drop a reference of a page-cache folio. Not folio_put()/put_page() of <slabwork/mm.h>: those do
 * not know the shared pool. (put_page() on an ordinary folio is the same.)
 */
static inline void folio_drop(struct folio *folio)
{
	if (atomic_fetch_sub_explicit(&folio->_refcount, 1, memory_order_acq_rel) == 1)
		folio_release(folio);
}

/*
 * folio_lock(): sleeps; guards the folio's place in its tree, its uptodate and its contents against
 * other writers. A lock bit in flags and a hashed wait queue.
 */
SW_API void folio_lock_slow(struct folio *folio) SW_NAME(folio_lock_slow);
SW_API void folio_unlock(struct folio *folio) SW_NAME(folio_unlock);
SW_API void folio_wait_locked(struct folio *folio) SW_NAME(folio_wait_locked);
SW_API void folio_wait_writeback(struct folio *folio) SW_NAME(folio_wait_writeback);
SW_API void folio_start_writeback(struct folio *folio) SW_NAME(folio_start_writeback);
SW_API void folio_end_writeback(struct folio *folio) SW_NAME(folio_end_writeback);

static inline bool folio_trylock(struct folio *folio)
{
	return !folio_test_set(folio, PG_locked);
}

static inline void folio_lock(struct folio *folio)
{
	if (__builtin_expect(!folio_trylock(folio), 0))
		folio_lock_slow(folio);
}

#define lock_page(p)          folio_lock(fast_page_folio(p))
#define trylock_page(p)       folio_trylock(fast_page_folio(p))
#define unlock_page(p)        folio_unlock(fast_page_folio(p))
#define set_page_writeback(p) folio_start_writeback(fast_page_folio(p))
#define end_page_writeback(p) folio_end_writeback(fast_page_folio(p))
#define set_page_dirty(p)     folio_mark_dirty(fast_page_folio(p))

/* ---- look up, insert, remove ------------------------------------------------------------- */

typedef unsigned int fgf_t;
#define FGP_ACCESSED 0x01u /* count as a use for the LRU */
#define FGP_LOCK     0x02u /* returned locked */
#define FGP_CREAT    0x04u /* allocate and insert if missing */
#define FGP_WRITE    0x08u /* will be written */
#define FGP_NOFS     0x10u
#define FGP_NOWAIT   0x20u /* -EAGAIN rather than wait for the lock */
#define FGP_STABLE   0x80u /* wait for write-back */
/* With FGP_CREAT: as large a folio as helps for this many bytes. */
#define fgf_set_order(size) ((fgf_t)(get_order(size) << 26))
#define FGF_GET_ORDER(fgf)  ((fgf) >> 26)

/**
 * __filemap_get_folio() - the folio that holds page @index, with a reference
 * @fgp: FGP_*
 * @gfp: with FGP_CREAT
 *
 * Concurrent callers with FGP_CREAT get the same one.
 * Return: the folio; ERR_PTR(-ENOENT) if it is not there, -ENOMEM, -EAGAIN.
 */
SW_API struct folio *__filemap_get_folio(struct address_space *mapping, pgoff_t index, fgf_t fgp,
					 gfp_t gfp) SW_NAME(__filemap_get_folio);
#define filemap_get_folio(mapping, index)  __filemap_get_folio(mapping, index, 0, 0)
#define filemap_lock_folio(mapping, index) __filemap_get_folio(mapping, index, FGP_LOCK, 0)

/** find_get_page() - F31: the page at @index with one more reference, or NULL */
SW_API struct page *find_get_page(struct address_space *mapping, pgoff_t index)
	SW_NAME(find_get_page);
/** find_lock_page() - the same, locked */
SW_API struct page *find_lock_page(struct address_space *mapping, pgoff_t index)
	SW_NAME(find_lock_page);
/** find_or_create_page() - F32: locked, referenced, allocated with @gfp if missing; NULL: no memory */
SW_API struct page *find_or_create_page(struct address_space *mapping, pgoff_t index, gfp_t gfp)
	SW_NAME(find_or_create_page);
/** find_get_pages_range_tag() - up to @nr pages from *@start to @end with @tag; *@start moves past them */
SW_API unsigned int find_get_pages_range_tag(struct address_space *mapping, pgoff_t *start,
					     pgoff_t end, xa_mark_t tag, unsigned int nr,
					     struct page **pages) SW_NAME(find_get_pages_range_tag);

/**
 * filemap_add_folio() - F33: into the cache and on the LRU
 * @folio: new, with a reference of the caller's; locked by this call
 * @index: multiple of its pages
 *
 * The cache takes one reference (of the folio, not one a page: differs from Linux).
 * Return: 0; -EEXIST if any page of it is there; -ENOMEM.
 */
SW_API int filemap_add_folio(struct address_space *mapping, struct folio *folio, pgoff_t index,
			     gfp_t gfp) SW_NAME(filemap_add_folio);
SW_API int add_to_page_cache_lru(struct page *page, struct address_space *mapping, pgoff_t index,
				 gfp_t gfp) SW_NAME(add_to_page_cache_lru);
/** filemap_remove_folio() - F34: out of the tree; locked; drops the cache's reference */
SW_API void filemap_remove_folio(struct folio *folio) SW_NAME(filemap_remove_folio);
SW_API void delete_from_page_cache(struct page *page) SW_NAME(delete_from_page_cache);

/** filemap_alloc_folio() - a page-cache folio for @mapping: allocator or shared pool. Count 1. */
SW_API struct folio *filemap_alloc_folio(struct address_space *mapping, gfp_t gfp,
					 unsigned int order) SW_NAME(filemap_alloc_folio);
/** read_cache_folio() - the folio at @index, uptodate, referenced; reads it if need be; or ERR_PTR */
SW_API struct folio *read_cache_folio(struct address_space *mapping, pgoff_t index,
				      struct file *file) SW_NAME(read_cache_folio);
SW_API void mark_page_accessed(struct page *page) SW_NAME(mark_page_accessed);
SW_API void folio_mark_accessed(struct folio *folio) SW_NAME(folio_mark_accessed);

/* Zero bytes [start, end) of the folio. */
SW_API void folio_zero_range(struct folio *folio, size_t start, size_t length)
	SW_NAME(folio_zero_range);

/* ---- user data: iov_iter, kiocb -------------------------------------------------------------- */

#define ITER_DEST   0 /* we copy to it: a read */
#define ITER_SOURCE 1

/**
 * struct iov_iter - the caller's buffers, and how far we are
 * @one: room for the single buffer of a read() or write(): iov points here then
 */
struct iov_iter {
	const struct iovec *iov;
	size_t count;      /* bytes left */
	size_t iov_offset; /* in *iov */
	unsigned int nr_segs;
	bool data_source;
	struct iovec one;
};

static inline void iov_iter_ubuf(struct iov_iter *i, unsigned int direction, void *buf, size_t n)
{
	*i = (struct iov_iter){
		.count = n, .nr_segs = 1, .data_source = direction, .one = { buf, n }
	};
	i->iov = &i->one;
}

static inline void iov_iter_init(struct iov_iter *i, unsigned int direction,
				 const struct iovec *iov, unsigned long nr_segs, size_t count)
{
	*i = (struct iov_iter){ .iov = iov,
				.count = count,
				.nr_segs = (unsigned int)nr_segs,
				.data_source = direction };
}

static inline size_t iov_iter_count(const struct iov_iter *i)
{
	return i->count;
}

SW_API size_t copy_to_iter(const void *from, size_t bytes, struct iov_iter *i)
	SW_NAME(copy_to_iter);
SW_API size_t copy_from_iter(void *to, size_t bytes, struct iov_iter *i) SW_NAME(copy_from_iter);
SW_API size_t iov_iter_zero(size_t bytes, struct iov_iter *i) SW_NAME(iov_iter_zero);
SW_API void iov_iter_advance(struct iov_iter *i, size_t bytes) SW_NAME(iov_iter_advance);
SW_API void iov_iter_revert(struct iov_iter *i, size_t bytes) SW_NAME(iov_iter_revert);
/* Touch the source, so that copying under a folio lock does not fault. */
SW_API void fault_in_iov_iter_readable(const struct iov_iter *i, size_t bytes)
	SW_NAME(fault_in_iov_iter_readable);

#define IOCB_APPEND 0x02
#define IOCB_DIRECT 0x04
#define IOCB_DSYNC  0x08
#define IOCB_SYNC   0x10
#define IOCB_NOWAIT 0x20
#define IOCB_WRITE  0x40

/* Readahead state of an open file. */
struct file_ra_state {
	pgoff_t start;           /* where the current window starts */
	unsigned int size;       /* its pages */
	unsigned int async_size; /* reaching the last this many starts the next */
	unsigned int ra_pages;   /* largest window; 0: none */
	unsigned int mmap_miss;
	sw_loff_t prev_pos; /* where the last read ended; -1: none */
};

/* One read or write: of which file, where. Filled by vfs (init_sync_kiocb()). */
struct kiocb {
	struct file *ki_filp;
	struct address_space *ki_mapping;
	struct file_ra_state *ki_ra;
	sw_loff_t ki_pos;
	int ki_flags;
};

/* ---- reading and writing through the cache ------------------------------------------------------- */

/**
 * filemap_read() - copy [iocb->ki_pos, …) of the cache to the user, filling it where need be
 * @already_read: added to the result
 *
 * Moves ki_pos. A hit takes no lock and no reference: it copies within an RCU section and looks at
 * mapping->removals before and after. Holes of mappings with AS_HOLES_ARE_ZERO give zeros.
 * Return: bytes (short at end of file), or -errno if none.
 */
SW_API ssize_t filemap_read(struct kiocb *iocb, struct iov_iter *iter, ssize_t already_read)
	SW_NAME(filemap_read);
/** filemap_read_hit() - the fast path alone: @len bytes at @pos into @buf if all of them are in the
 * cache, uptodate and below i_size; -EAGAIN: call filemap_read(). Caller is in rcu_read_lock(). */
SW_API ssize_t filemap_read_hit(struct address_space *mapping, sw_loff_t pos, void *buf, size_t len)
	SW_NAME(filemap_read_hit);
SW_API ssize_t generic_file_read_iter(struct kiocb *iocb, struct iov_iter *iter)
	SW_NAME(generic_file_read_iter);
/** generic_perform_write() - F40: write_begin, copy, write_end, folio by folio. The caller holds i_rwsem.
 * Moves ki_pos and, between folios, balances dirty pages. Return: bytes, or -errno if none. */
SW_API ssize_t generic_perform_write(struct kiocb *iocb, struct iov_iter *iter)
	SW_NAME(generic_perform_write);

/* write_begin/write_end for file systems whose folios need no preparation but reading. */
SW_API int simple_write_begin(struct file *file, struct address_space *mapping, sw_loff_t pos,
			      unsigned int len, struct folio **foliop, void **fsdata)
	SW_NAME(simple_write_begin);
SW_API int simple_write_end(struct file *file, struct address_space *mapping, sw_loff_t pos,
			    unsigned int len, unsigned int copied, struct folio *folio,
			    void *fsdata) SW_NAME(simple_write_end);

/**
 * mapping_write_order() - how large a folio a write of @len bytes at @pos should make, if there is none
 *
 * What holds the write; at the end of a file, or for a write of a quarter of one, a huge page once that is at most
 * a quarter of what the file has.
 * Return: log2 of pages. filemap_alloc_folio() and the index may make it less.
 */
SW_API unsigned int mapping_write_order(const struct address_space *mapping, sw_loff_t pos,
					size_t len) SW_NAME(mapping_write_order);

/* SEEK_DATA, SEEK_HOLE by what is cached. -ENXIO past the end. */
SW_API sw_loff_t mapping_seek_hole_data(struct address_space *mapping, sw_loff_t start,
					sw_loff_t end, int whence) SW_NAME(mapping_seek_hole_data);

/* ---- readahead ------------------------------------------------------------------------------------ */

struct readahead_control {
	struct file *file;
	struct address_space *mapping;
	struct file_ra_state *ra;
	pgoff_t index;         /* of the next folio */
	unsigned int nr_pages; /* left */
	unsigned int batch_count;
};

SW_API void page_cache_sync_ra(struct readahead_control *rac, unsigned long req_count)
	SW_NAME(page_cache_sync_ra);
SW_API void page_cache_async_ra(struct readahead_control *rac, struct folio *folio,
				unsigned long req_count) SW_NAME(page_cache_async_ra);
/* For ->readahead: the next locked folio, its reference the callee's to drop; NULL: done. */
SW_API struct folio *readahead_folio(struct readahead_control *rac) SW_NAME(readahead_folio);
SW_API void file_ra_state_init(struct file_ra_state *ra, struct address_space *mapping)
	SW_NAME(file_ra_state_init);
/* POSIX_FADV_WILLNEED. */
SW_API int force_page_cache_readahead(struct address_space *mapping, struct file *file,
				      pgoff_t index, unsigned long nr)
	SW_NAME(force_page_cache_readahead);

/* ---- dirty, write-back -------------------------------------------------------------------------------- */

enum writeback_sync_modes {
	WB_SYNC_NONE, /* as much as is easy */
	WB_SYNC_ALL   /* wait for all of it */
};

struct writeback_control {
	long nr_to_write; /* pages; goes down */
	long pages_skipped;
	sw_loff_t range_start, range_end; /* bytes, end inclusive */
	enum writeback_sync_modes sync_mode;
	bool for_background, for_reclaim, for_sync, tagged_writepages, range_cyclic;
};

/* True: it was clean before. Counts NR_FILE_DIRTY, marks the tree, calls host_ops->dirtied. */
SW_API bool folio_mark_dirty(struct folio *folio) SW_NAME(folio_mark_dirty);
SW_API bool filemap_dirty_folio(struct address_space *mapping, struct folio *folio)
	SW_NAME(filemap_dirty_folio);
/* For stores that need no write-back (tmpfs, DAX): only the flag. */
SW_API bool noop_dirty_folio(struct address_space *mapping, struct folio *folio)
	SW_NAME(noop_dirty_folio);
/* Locked; true: it was dirty and is the caller's to write. */
SW_API bool folio_clear_dirty_for_io(struct folio *folio) SW_NAME(folio_clear_dirty_for_io);

typedef int (*writepage_t)(struct folio *folio, struct writeback_control *wbc, void *data);
SW_API int write_cache_pages(struct address_space *mapping, struct writeback_control *wbc,
			     writepage_t writepage, void *data) SW_NAME(write_cache_pages);
SW_API int do_writepages(struct address_space *mapping, struct writeback_control *wbc)
	SW_NAME(do_writepages);
SW_API int filemap_fdatawrite_range(struct address_space *mapping, sw_loff_t start, sw_loff_t end)
	SW_NAME(filemap_fdatawrite_range);
SW_API int filemap_fdatawait_range(struct address_space *mapping, sw_loff_t start, sw_loff_t end)
	SW_NAME(filemap_fdatawait_range);
SW_API int filemap_write_and_wait_range(struct address_space *mapping, sw_loff_t start,
					sw_loff_t end) SW_NAME(filemap_write_and_wait_range);

/**
 * balance_dirty_pages_ratelimited() - a writer pays for what it dirtied
 *
 * Above the background limit the flusher is told; above the hard limit the caller sleeps, or writes
 * back itself where no flusher runs, until it is not. Called without locks but, perhaps, i_rwsem.
 */
SW_API void balance_dirty_pages_ratelimited(struct address_space *mapping)
	SW_NAME(balance_dirty_pages_ratelimited);

/* ---- truncate ------------------------------------------------------------------------------------------ */

/* Pages of [lstart, lend] (bytes, lend inclusive, -1: to the end) go; partial ones are zeroed. The caller
 * has set i_size and holds i_rwsem and invalidate_lock for writing. */
SW_API void truncate_inode_pages_range(struct address_space *mapping, sw_loff_t lstart,
				       sw_loff_t lend) SW_NAME(truncate_inode_pages_range);
SW_API void truncate_inode_pages(struct address_space *mapping, sw_loff_t lstart)
	SW_NAME(truncate_inode_pages);
/* The mapping dies: AS_EXITING, all pages and shadows go. */
SW_API void truncate_inode_pages_final(struct address_space *mapping)
	SW_NAME(truncate_inode_pages_final);
/* Clean, unlocked, unmapped pages only. Return: how many went. */
SW_API unsigned long invalidate_mapping_pages(struct address_space *mapping, pgoff_t start,
					      pgoff_t end) SW_NAME(invalidate_mapping_pages);
/* All of them, after writing and unmapping. 0 or -EBUSY. */
SW_API int invalidate_inode_pages2_range(struct address_space *mapping, pgoff_t start, pgoff_t end)
	SW_NAME(invalidate_inode_pages2_range);

/* ---- limits and counters --------------------------------------------------------------------------------- */

/**
 * struct sw_cache_limits - how much the page cache may be; 0 leaves a field as it is
 * @max_pages: reclaim keeps the evictable pages at or below this
 * @background_pages, @dirty_pages: write-back starts; writers wait
 * @writeback_interval_ms, @dirty_expire_ms: periodic write-back; age at which a dirty inode is due
 */
struct sw_cache_limits {
	unsigned long max_pages;
	unsigned long background_pages, dirty_pages;
	unsigned int writeback_interval_ms, dirty_expire_ms;
};
SW_API void sw_cache_set_limits(const struct sw_cache_limits *limits);
SW_API void sw_cache_get_limits(struct sw_cache_limits *limits);

/* Since start; relaxed counters. */
struct sw_cache_stats {
	unsigned long
		misses; /* pages that a read had to wait for; hits are not counted: they would be slower */
	unsigned long read_calls, read_pages; /* to read_folio and readahead */
	unsigned long ra_sync, ra_async, ra_pages;
	unsigned long refaults, activated, reclaimed;
	unsigned long dirtied, written, throttled; /* pages, pages, waits */
	unsigned long nr_pages, nr_dirty, nr_writeback, nr_active, nr_inactive, nr_mapped;
	unsigned long pool_pages; /* of nr_pages, in the shared pool */
};
/* (libslabwork has a sw_cache_stats of its own inside: hence the linker name.) */
SW_API void sw_cache_stats(struct sw_cache_stats *stats) SW_NAME(page_cache_stats);
/* Reclaim up to @nr_pages clean pages now. Return: how many. */
SW_API unsigned long sw_cache_reclaim(unsigned long nr_pages);

/* Contents, flags and place in the tree go from @src to @dst; both locked, @src unmapped. 0, -EAGAIN. */
SW_API int filemap_migrate_folio(struct address_space *mapping, struct folio *dst,
				 struct folio *src) SW_NAME(filemap_migrate_folio);

#endif /* SW_FS_PAGEMAP_H */
