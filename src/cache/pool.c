/* SPDX-License-Identifier: MIT */
/*
 * pool.c - pages that can be mapped a second time
 *
 * Room: cache. Door: cache/pool.h. Why: docs/FILES.md §6.
 *
 * 1. The idea
 *
 * The memfd is as large as the address space; what lies at offset A of it is what lies at address A. So
 * a folio of the pool is mapped elsewhere by its own address, and a block of the page allocator
 * becomes part of the pool by one mmap() over itself. struct page, zone and limits stay the
 * allocator's: the pool only knows which pages of its blocks are given out.
 *
 * 2. Blocks
 *
 * A block is 2^9 pages, or where such a run is not to be had 2^3 (or what the folio needs). A bit a
 * page says whether it is in use. Free runs are what is aligned and free: a block knows the largest
 * order it can still give and is on the list of that order, so that a search looks into one block.
 * A block whose pages are all free goes back at once. A free run of PUNCH_ORDER and more loses its
 * memory at once, smaller ones keep it until their block goes.
 *
 * 3. Life of a page
 *
 *   allocator ─block_create()─▶ free in block ─pool_alloc()─▶ folio, PG_pool ─pool_free()─▶ free in block
 *                                                                        last one: block_destroy() ─▶ allocator
 *
 * Heads and tails are marked here, not by the allocator (the block is a plain one). A page that is
 * free in its block has a count of 0: whoever still holds a pointer from a look-up under RCU cannot
 * take it.
 *
 * 4. Locks
 *
 * pool_lock: lists, bits, counts; the lock of the xarray of blocks inside. Else a leaf. System calls and the
 * allocator are called without it.
 *
 * 5. Fork
 *
 * Both processes see a shared mapping, so the child gets a memfd of its own, mapped over the same addresses.
 * It is filled in the parent before fork(): what the parent does afterwards is nothing to the child. Where
 * that fails the pool of the child is broken: what lay in it is lost there, not shared. Its blocks become anonymous
 * memory, its folios are neither uptodate nor dirty, so that nobody reads, overwrites or writes them back; reading
 * and writing such a file is -EIO (pool_lost()), and pool_alloc() gives NULL.
 */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <slabwork/slab.h>

#include "cache/cache.h"
#include "cache/pool.h"
#include "lib/list.h"

#define BLOCK_ORDER       9
#define SMALL_BLOCK_ORDER 3
#define BLOCK_WORDS       ((1u << BLOCK_ORDER) / BITS_PER_LONG)
#define PUNCH_ORDER       4
/* Offsets of the memfd are addresses of user space. */
#define POOL_FILE_SIZE (1L << 47)

/* Flags that are the allocator's, whatever we do with the page. */
#define MM_FLAGS                                                                                  \
	(~((1u << __NR_PAGEFLAGS) - 1) | 1u << PG_reserved | 1u << PG_emergency | 1u << PG_slab | \
	 1u << PG_buddy | 1u << PG_pcp | 1u << PG_vmalloc | 1u << PG_large)

/**
 * struct block - a run of pages that the memfd is mapped over
 * @list: blocks_by_order[@max_order], or full_blocks
 * @max_order: the largest folio it can still give; -1: none
 */
struct block {
	struct list_head list;
	struct folio *first;
	unsigned int order;
	int max_order;
	unsigned int nr_used;
	unsigned long used[BLOCK_WORDS];
};

static spinlock_t pool_lock;
static struct list_head blocks_by_order[BLOCK_ORDER + 1];
static struct list_head full_blocks;
static struct xarray blocks; /* by pfn of the first page >> SMALL_BLOCK_ORDER */
static unsigned long pages_used, pages_held;
static struct mutex fd_mutex;
static _Atomic int the_fd = -1;
static _Atomic int broken;

/* ---- the memfd ---------------------------------------------------------------------- */

static int memfd_make(void)
{
	struct rlimit limit;
	int fd, high;

	/* Past the limit ftruncate() would send a signal. */
	if (getrlimit(RLIMIT_FSIZE, &limit) || limit.rlim_cur != RLIM_INFINITY)
		return -EFBIG;
	fd = memfd_create("slabwork-pool", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* Out of the way of programs that count on low numbers. */
	high = fcntl(fd, F_DUPFD_CLOEXEC, 700);
	if (high >= 0) {
		close(fd);
		fd = high;
	}
	if (ftruncate(fd, POOL_FILE_SIZE)) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

static void pool_init(void);

int pool_fd(void)
{
	int fd = atomic_load_explicit(&the_fd, memory_order_acquire), saved = errno;

	if (fd >= 0)
		return fd;
	mutex_lock(&fd_mutex);
	fd = atomic_load_explicit(&the_fd, memory_order_relaxed);
	if (fd < 0)
		fd = memfd_make();
	if (fd >= 0 && !blocks_by_order[0].next)
		pool_init();
	if (fd >= 0)
		atomic_store_explicit(&the_fd, fd, memory_order_release);
	mutex_unlock(&fd_mutex);
	errno = saved;
	return fd;
}

static int map_shared(void *addr, size_t size, int fd)
{
	int saved = errno, ret = 0;

	if (mmap(addr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
		 (off_t)(uintptr_t)addr) == MAP_FAILED)
		ret = -errno;
	errno = saved;
	return ret;
}

/* As the allocator mapped it. */
static int map_anonymous(void *addr, size_t size)
{
	int saved = errno, ret = 0;

	if (mmap(addr, size, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED)
		ret = -errno;
	errno = saved;
	return ret;
}

/* Not MADV_REMOVE, which emulators of user space take for mere advice. */
static void punch(void *addr, size_t size)
{
	int saved = errno, fd = atomic_load_explicit(&the_fd, memory_order_relaxed);

	fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)(uintptr_t)addr,
		  (off_t)size);
	errno = saved;
}

/* ---- bits of a block -------------------------------------------------------------------- */

static unsigned int block_pages(const struct block *block)
{
	return 1u << block->order;
}

static void set_used(struct block *block, unsigned int first, unsigned int order, bool used)
{
	for (unsigned int i = first; i < first + (1u << order); i++) {
		if (used)
			block->used[i / BITS_PER_LONG] |= BIT(i % BITS_PER_LONG);
		else
			block->used[i / BITS_PER_LONG] &= ~BIT(i % BITS_PER_LONG);
	}
}

static bool run_free(const struct block *block, unsigned int first, unsigned int order)
{
	unsigned int n = 1u << order, i;

	if (n < BITS_PER_LONG)
		return !(block->used[first / BITS_PER_LONG] >> (first % BITS_PER_LONG) &
			 (BIT(n) - 1));
	for (i = first / BITS_PER_LONG; i < (first + n) / BITS_PER_LONG; i++)
		if (block->used[i])
			return false;
	return true;
}

/* The first free aligned run, or -1. */
static int find_run(const struct block *block, unsigned int order)
{
	for (unsigned int first = 0; first < block_pages(block); first += 1u << order)
		if (run_free(block, first, order))
			return (int)first;
	return -1;
}

/* Under pool_lock, after its bits changed, or when it is new. */
static void block_sort(struct block *block, bool is_new)
{
	int order = (int)block->order;

	while (order >= 0 && find_run(block, (unsigned int)order) < 0)
		order--;
	block->max_order = order;
	if (!is_new)
		list_del(&block->list);
	list_add(&block->list, order < 0 ? &full_blocks : &blocks_by_order[order]);
}

/* ---- blocks ---------------------------------------------------------------------------------- */

static unsigned long block_key(const struct folio *first)
{
	return (uintptr_t)folio_addr(first) >> (PAGE_SHIFT + SMALL_BLOCK_ORDER);
}

/* Of a folio of the pool; under pool_lock. */
static struct block *block_of(const struct folio *folio)
{
	unsigned long key = block_key(folio);
	struct block *block;

	/* Small blocks are aligned to their own order, which may be more than the smallest. */
	for (unsigned int order = SMALL_BLOCK_ORDER; order <= BLOCK_ORDER; order++) {
		block = xa_load(&blocks, key & ~(BIT(order - SMALL_BLOCK_ORDER) - 1));
		if (block && block->order >= order && folio < block->first + block_pages(block))
			return block;
	}
	__builtin_trap(); /* PG_pool on a page that is not ours */
}

static struct block *block_create(gfp_t gfp, unsigned int order)
{
	struct block *block;
	struct page *page;
	int fd = pool_fd();
	bool frozen;

	if (fd < 0)
		return NULL;
	block = kzalloc(sizeof(*block), gfp & ~GFP_ZONEMASK & ~__GFP_COMP);
	if (!block)
		return NULL;
	/* A look-up that comes too late may hold the first page for a moment: then it is freed by that, and we take others. */
	do {
		page = alloc_pages(gfp & ~(__GFP_COMP | __GFP_ZERO), order);
		if (!page)
			goto free_block;
		frozen = folio_freeze((struct folio *)page, 1);
		if (unlikely(!frozen))
			__free_pages(page, order);
	} while (unlikely(!frozen));
	block->first = (struct folio *)page;
	block->order = order;
	if (map_shared(folio_addr(block->first), PAGE_SIZE << order, fd))
		goto free_pages;
	if (xa_err(xa_store(&blocks, block_key(block->first), block, gfp & ~GFP_ZONEMASK)))
		goto unmap;
	return block;
unmap:
	/* The one thing that cannot be undone if it fails: then the block is lost, not wrong. */
	if (map_anonymous(folio_addr(block->first), PAGE_SIZE << order))
		goto free_block;
free_pages:
	folio_unfreeze(block->first, 1);
	__free_pages(page, order);
free_block:
	kfree(block);
	return NULL;
}

/* Neither listed nor found any more, all of its pages free. */
static void block_destroy(struct block *block)
{
	size_t size = PAGE_SIZE << block->order;
	void *addr = folio_addr(block->first);

	punch(addr, size);
	if (!map_anonymous(addr, size)) {
		atomic_store_explicit(&block->first->_refcount, 1, memory_order_relaxed);
		__free_pages((struct page *)block->first, block->order);
	}
	kfree(block);
}

/* ---- folios ----------------------------------------------------------------------------------- */

static void reset_flags(struct folio *page, unsigned int set)
{
	unsigned int old = atomic_load_explicit(&page->flags, memory_order_relaxed);

	atomic_store_explicit(&page->flags, (old & MM_FLAGS) | set, memory_order_relaxed);
}

static void prepare_folio(struct folio *head, unsigned int order)
{
	reset_flags(head, 1u << PG_pool | (order ? 1u << PG_head : 0));
	head->order = (unsigned char)order;
	head->private = NULL;
	head->index = 0;
	atomic_store_explicit(&head->mapping, NULL, memory_order_relaxed);
	atomic_store_explicit(&head->_mapcount, 0, memory_order_relaxed);
	for (unsigned long i = 1; i < 1UL << order; i++) {
		reset_flags(head + i, 1u << PG_tail | 1u << PG_pool);
		head[i].compound_head = head;
	}
	atomic_store_explicit(&head->_refcount, 1, memory_order_release);
}

/* Under pool_lock: a folio of a block that has room for it, or NULL. */
static struct folio *take_run(unsigned int order)
{
	for (unsigned int i = order; i <= BLOCK_ORDER; i++) {
		struct block *block;
		int first;

		if (list_empty(&blocks_by_order[i]))
			continue;
		block = list_first_entry(&blocks_by_order[i], struct block, list);
		first = find_run(block, order);
		set_used(block, (unsigned int)first, order, true);
		block->nr_used += 1u << order;
		block_sort(block, false);
		pages_used += 1UL << order;
		return block->first + first;
	}
	return NULL;
}

struct folio *pool_alloc(gfp_t gfp, unsigned int order)
{
	struct folio *folio;

	if (order > BLOCK_ORDER || atomic_load_explicit(&broken, memory_order_relaxed) ||
	    pool_fd() < 0)
		return NULL;
	for (;;) {
		struct block *block;

		spin_lock(&pool_lock);
		folio = take_run(order);
		spin_unlock(&pool_lock);
		if (folio)
			break;
		/* A large block if it costs no effort, else just enough. */
		block = block_create((gfp & ~__GFP_DIRECT_RECLAIM) | __GFP_NOWARN, BLOCK_ORDER);
		if (!block)
			block = block_create(gfp, max(order, (unsigned int)SMALL_BLOCK_ORDER));
		if (!block)
			return NULL;
		spin_lock(&pool_lock);
		pages_held += block_pages(block);
		block_sort(block, true);
		spin_unlock(&pool_lock);
	}
	prepare_folio(folio, order);
	if (gfp & __GFP_ZERO)
		memset(folio_addr(folio), 0, PAGE_SIZE << order);
	return folio;
}

void pool_free(struct folio *folio)
{
	unsigned int order = folio_test_large(folio) ? folio->order : 0;
	struct block *block;
	bool empty;

	for (unsigned long i = 0; i < 1UL << order; i++)
		reset_flags(folio + i, 0);
	/* Before the bits: nobody else has the run yet. */
	if (order >= PUNCH_ORDER)
		punch(folio_addr(folio), PAGE_SIZE << order);
	spin_lock(&pool_lock);
	block = block_of(folio);
	set_used(block, (unsigned int)(folio - block->first), order, false);
	block->nr_used -= 1u << order;
	pages_used -= 1UL << order;
	empty = !block->nr_used;
	if (empty) {
		list_del(&block->list);
		xa_erase(&blocks, block_key(block->first));
		pages_held -= block_pages(block);
	} else {
		block_sort(block, false);
	}
	spin_unlock(&pool_lock);
	if (empty)
		block_destroy(block);
}

void pool_stats(unsigned long *used, unsigned long *held)
{
	spin_lock(&pool_lock);
	*used = pages_used;
	*held = pages_held;
	spin_unlock(&pool_lock);
}

/* ---- moving a file into the pool -------------------------------------------------------------- */

/* How often, and how long, a pinned folio is waited for: a second in all. */
#define MIGRATE_TRIES   50
#define MIGRATE_WAIT_NS 20000000

/* 0 also if it left the mapping meanwhile. -ENOMEM, -EAGAIN. */
int pool_adopt(struct address_space *mapping, struct folio *folio)
{
	struct folio *dst;
	int err = 0;

	dst = pool_alloc(GFP_NOFS | __GFP_MOVABLE, folio_test_large(folio) ? folio->order : 0);
	if (!dst)
		return -ENOMEM;
	folio_lock(folio);
	folio_wait_writeback(folio);
	if (atomic_load(&folio->mapping) == mapping) {
		folio_lock(dst);
		err = filemap_migrate_folio(mapping, dst, folio);
		folio_unlock(dst);
	}
	folio_unlock(folio);
	folio_drop(dst);
	return err;
}

static int move_all(struct address_space *mapping)
{
	unsigned long index = 0;
	int err = 0;

	while (!err) {
		struct folio *folio = NULL;
		void *entry;

		/* The next one that is not of the pool. */
		rcu_read_lock();
		for (entry = xa_find(&mapping->i_pages, &index, ~0UL, XA_PRESENT); entry;
		     entry = xa_find_after(&mapping->i_pages, &index, ~0UL, XA_PRESENT)) {
			if (xa_is_value(entry) || folio_test((struct folio *)entry, PG_pool))
				continue;
			folio = entry;
			break;
		}
		if (folio && !folio_try_get(folio)) {
			rcu_read_unlock();
			continue; /* on its way out: look again */
		}
		rcu_read_unlock();
		if (!folio)
			return 0;
		if (xa_load(&mapping->i_pages, index) == folio)
			err = pool_adopt(mapping, folio);
		folio_drop(folio);
	}
	return err;
}

int mapping_make_shared(struct address_space *mapping)
{
	int err = 0, fd, tries = 0;

	if (mapping_test(mapping, AS_SHARED_POOL))
		return 0;
	fd = pool_fd();
	if (fd < 0)
		return fd;
	for (;;) {
		static const struct timespec wait = { 0, MIGRATE_WAIT_NS };

		down_write(&mapping->invalidate_lock);
		mapping_set(mapping, AS_SHARED_POOL);
		err = move_all(mapping);
		/* What has moved may stay where it is. */
		if (err)
			atomic_fetch_and(&mapping->flags, ~(1UL << AS_SHARED_POOL));
		up_write(&mapping->invalidate_lock);
		if (err != -EAGAIN || ++tries == MIGRATE_TRIES)
			return err;
		nanosleep(&wait, NULL);
	}
}

/* ---- fork ---------------------------------------------------------------------------------------- */

bool pool_broken(void)
{
	return unlikely(atomic_load_explicit(&broken, memory_order_relaxed));
}

/* From prepare to parent or child. */
static int child_fd = -1;

/* What is in use goes to the child's file. 0 or -errno. */
static int copy_block(const struct block *block, int fd)
{
	char *addr = folio_addr(block->first);

	for (unsigned int i = 0; i < block_pages(block); i++) {
		char *page = addr + i * PAGE_SIZE;
		ssize_t n;

		if (!(block->used[i / BITS_PER_LONG] >> (i % BITS_PER_LONG) & 1))
			continue;
		n = pwrite(fd, page, PAGE_SIZE, (off_t)(uintptr_t)page);
		if (n != (ssize_t)PAGE_SIZE)
			return n < 0 ? -errno : -ENOSPC;
	}
	return 0;
}

/* Under pool_lock: @fn for each block, until one fails. */
static int for_each_block(int (*fn)(const struct block *block, int fd), int fd)
{
	int err = 0;

	for (int i = 0; i <= BLOCK_ORDER + 1; i++) {
		struct list_head *head = i > BLOCK_ORDER ? &full_blocks : &blocks_by_order[i];

		for (struct list_head *pos = head->next; !err && pos != head; pos = pos->next)
			err = fn(list_entry(pos, struct block, list), fd);
	}
	return err;
}

static int map_block(const struct block *block, int fd)
{
	return map_shared(folio_addr(block->first), PAGE_SIZE << block->order, fd);
}

/* The parent's memory is not ours to change, and there is no copy of it. No lock is taken: its holder may not exist here. */
static int lose_block(const struct block *block, int fd)
{
	const unsigned int alive = 1u << PG_uptodate | 1u << PG_dirty;

	(void)fd;
	(void)map_anonymous(folio_addr(block->first), PAGE_SIZE << block->order);
	for (unsigned int i = 0; i < block_pages(block); i++) {
		struct folio *folio = block->first + i;
		struct address_space *mapping;

		if (!(block->used[i / BITS_PER_LONG] >> (i % BITS_PER_LONG) & 1) ||
		    folio_test(folio, PG_tail))
			continue;
		atomic_fetch_and_explicit(&folio->flags, ~alive, memory_order_relaxed);
		mapping = atomic_load_explicit(&folio->mapping, memory_order_relaxed);
		if (mapping)
			mapping_set_error(mapping, -EIO);
	}
	return 0;
}

static void fork_prepare(void)
{
	int saved = errno;

	mutex_lock(&fd_mutex);
	spin_lock(&pool_lock);
	child_fd = pages_held ? memfd_make() : -1;
	if (child_fd >= 0 && for_each_block(copy_block, child_fd)) {
		close(child_fd);
		child_fd = -1;
	}
	errno = saved;
}

static void fork_parent(void)
{
	int saved = errno;

	if (child_fd >= 0)
		close(child_fd);
	child_fd = -1;
	spin_unlock(&pool_lock);
	mutex_unlock(&fd_mutex);
	errno = saved;
}

static void fork_child(void)
{
	bool lost = pages_held && (child_fd < 0 || for_each_block(map_block, child_fd));
	int saved = errno;

	if (lost) {
		atomic_store(&broken, 1);
		for_each_block(lose_block, -1);
	}
	/* The same number, so that what knows it goes on. Without blocks the next who wants one makes one. */
	if (child_fd < 0 || dup3(child_fd, the_fd, O_CLOEXEC) < 0) {
		close(the_fd);
		atomic_store(&the_fd, child_fd);
	} else {
		close(child_fd);
	}
	child_fd = -1;
	spin_unlock(&pool_lock);
	mutex_unlock(&fd_mutex);
	errno = saved;
}

static void pool_init(void)
{
	for (unsigned int i = 0; i <= BLOCK_ORDER; i++)
		INIT_LIST_HEAD(&blocks_by_order[i]);
	INIT_LIST_HEAD(&full_blocks);
	pthread_atfork(fork_prepare, fork_parent, fork_child);
}
