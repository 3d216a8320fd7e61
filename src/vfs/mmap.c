/* SPDX-License-Identifier: MIT */
/*
 * mmap.c - files as memory: sw_fs_mmap(), sw_fs_munmap(), sw_fs_msync()
 *
 * Room: vfs. Door: <slabwork/fs/fs.h>. Next door: fault.c (what a page shows), uffd.c (filled when touched).
 *
 * 1. The idea
 *
 * An area is a range of host addresses that stands for a piece of an open file. Its pages are mappings of
 * the very memory that the page cache holds (cache/pool.h) or, for DAX, of the host file that is the
 * device; so read(), write() and loads and stores are of one memory.
 *
 * 2. Life of an area
 *
 *   sw_fs_mmap ─▶ range reserved ─▶ f_op->mmap says vm_ops ─▶ on i_mmap and in the tree ─▶ filled, lazily or now
 *   sw_fs_munmap ─▶ cut at both ends ─▶ dead, out of both, host pages unmapped ─▶ last area_put(): ->close, fput
 *
 * An area keeps its start for life; a cut makes a new area of what is behind the cut. Who fills one holds
 * a reference, and asks under i_mmap_rwsem whether it is dead or shorter before it maps.
 *
 * 3. Locks
 *
 *   i_rwsem         while a file moves into the pool: no write is half-way in
 *   i_mmap_rwsem    i_mmap, dead, vm_end, pieces: for writing to change; shared and fill: to show pages
 *   area_lock       the tree; inside
 *
 * 4. Fork
 *
 * The child's areas are the parent's files, or nothing where they were not filled. The child forgets them:
 * sw_fs_munmap() and sw_fs_vma() do not know them there, the files stay open.
 */

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <sched.h>
#include <sys/mman.h>

#include <slabwork/fs/fs.h>

#include "cache/pool.h"
#include "lib/list.h"
#include "vfs/area.h"

#define HUGE_SIZE (2UL << 20)

/* Looks at a page that was taken away while it was shown. */
#define POPULATE_TRIES 1000

bool area_never_lazy;
static struct rw_semaphore area_lock;
static struct rb_root areas;
static wait_queue_head_t area_idle; /* somebody let go of a dead area */

/* ---- the tree ---------------------------------------------------------------------------- */

static void tree_insert(struct area *area)
{
	struct rb_node **link = &areas.rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = area->vma.vm_start < rb_entry(parent, struct area, node)->vma.vm_start ?
			       &parent->rb_left :
			       &parent->rb_right;
	}
	rb_link_node(&area->node, parent, link);
	rb_insert_color(&area->node, &areas);
}

/* The first area that ends after @addr; area_lock. */
static struct area *tree_find(unsigned long addr)
{
	struct rb_node *node = areas.rb_node;
	struct area *best = NULL;

	while (node) {
		struct area *area = rb_entry(node, struct area, node);

		if (area->vma.vm_end > addr) {
			best = area;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return best;
}

/* The first that overlaps [start, end), referenced; NULL: none. */
static struct area *area_overlap(unsigned long start, unsigned long end)
{
	struct area *area;

	down_read(&area_lock);
	area = tree_find(start);
	if (area && area->vma.vm_start >= end)
		area = NULL;
	if (area)
		atomic_fetch_add_explicit(&area->refs, 1, memory_order_relaxed);
	up_read(&area_lock);
	return area;
}

struct area *area_find(unsigned long addr)
{
	return area_overlap(addr, addr + 1);
}

void area_put(struct area *area)
{
	/* Not ours any more behind this, not even to ask whether it is dead. Partner: wait_prepare(). */
	if (atomic_fetch_sub(&area->refs, 1) != 1) {
		if (unlikely(wait_active(&area_idle)))
			wake_up(&area_idle);
		return;
	}
	if (area->vma.vm_ops && area->vma.vm_ops->close)
		area->vma.vm_ops->close(&area->vma);
	fput(area->vma.vm_file);
	xa_destroy(&area->pieces);
	kfree(area);
}

static struct address_space *mapping_of(const struct area *area)
{
	return area->vma.vm_file->f_mapping;
}

/* On i_mmap, and found by address. */
static void area_publish(struct area *area)
{
	struct address_space *mapping = mapping_of(area);

	down_write(&mapping->i_mmap_rwsem);
	list_add_tail(&area->vma.shared, &mapping->i_mmap);
	down_write(&area_lock);
	tree_insert(area);
	up_write(&area_lock);
	up_write(&mapping->i_mmap_rwsem);
	if ((area->vma.vm_flags & (VM_SHARED | VM_WRITE)) == (VM_SHARED | VM_WRITE))
		atomic_fetch_add(&mapping->i_mmap_writable, 1);
}

/* ---- cutting and unmapping -------------------------------------------------------------------- */

/* What lies at and after @addr becomes an area of its own. 0, -ENOMEM. */
static int area_cut(struct area *left, unsigned long addr)
{
	struct address_space *mapping = mapping_of(left);
	struct area *right = kzalloc(sizeof(*right), GFP_KERNEL);
	pgoff_t split;

	if (!right)
		return -ENOMEM;
	down_write(&mapping->i_mmap_rwsem);
	if (left->dead || addr <= left->vma.vm_start || addr >= left->vma.vm_end) {
		up_write(&mapping->i_mmap_rwsem);
		kfree(right);
		return 0;
	}
	split = area_first(left) + ((addr - left->vma.vm_start) >> PAGE_SHIFT);
	right->vma = left->vma;
	right->vma.vm_start = addr;
	right->vma.vm_pgoff = split;
	right->refs = 1;
	right->max_piece = left->max_piece;
	xa_init(&right->pieces);
	get_file(right->vma.vm_file);
	area_split_pieces(left, right, split);
	down_write(&area_lock);
	__atomic_store_n(&left->vma.vm_end, addr, __ATOMIC_RELAXED);
	tree_insert(right);
	up_write(&area_lock);
	list_add(&right->vma.shared, &left->vma.shared);
	if ((right->vma.vm_flags & (VM_SHARED | VM_WRITE)) == (VM_SHARED | VM_WRITE))
		atomic_fetch_add(&mapping->i_mmap_writable, 1);
	up_write(&mapping->i_mmap_rwsem);
	if (right->vma.vm_ops->open)
		right->vma.vm_ops->open(&right->vma);
	return 0;
}

/* The whole area goes; the caller has a reference of its own. */
static void area_kill(struct area *area)
{
	struct address_space *mapping = mapping_of(area);
	unsigned long size;
	int saved = errno;

	area_dirty_pages(area, area_first(area), area_end(area));
	down_write(&mapping->i_mmap_rwsem);
	if (area->dead) {
		up_write(&mapping->i_mmap_rwsem);
		return;
	}
	area->dead = true;
	list_del(&area->vma.shared);
	down_write(&area_lock);
	rb_erase(&area->node, &areas);
	up_write(&area_lock);
	size = area->vma.vm_end - area->vma.vm_start;
	munmap((void *)area->vma.vm_start, size);
	area_forget_pieces(area, area_first(area), area_end(area));
	up_write(&mapping->i_mmap_rwsem);
	/* Who sleeps on a page that is no more faults again, and finds nothing. */
	if (area->vma.lazy)
		uffd_wake(area->vma.vm_start, size);
	if ((area->vma.vm_flags & (VM_SHARED | VM_WRITE)) == (VM_SHARED | VM_WRITE))
		atomic_fetch_sub(&mapping->i_mmap_writable, 1);
	errno = saved;
	/* The file is closed when munmap() returns: wait for who fills it just now. Of the refs, two are ours. */
	wait_event(&area_idle, atomic_load(&area->refs) <= 2);
	area_put(area);
}

/* 0, -ENOMEM (an area could not be cut: what lies before it is gone). */
static int unmap_range(unsigned long start, unsigned long end)
{
	struct area *area;
	int err = 0;

	while (!err && (area = area_overlap(start, end))) {
		if (area->vma.vm_start < start) {
			err = area_cut(area, start);
		} else {
			if (area->vma.vm_end > end)
				err = area_cut(area, end);
			if (!err)
				area_kill(area);
		}
		area_put(area);
	}
	return err;
}

int sw_fs_munmap(void *addr, size_t length)
{
	unsigned long start = (unsigned long)addr;
	int err;

	if (start & ~PAGE_MASK || !length || length > LONG_MAX - PAGE_SIZE ||
	    start + PAGE_ALIGN(length) < start)
		return -EINVAL;
	err = unmap_range(start, start + PAGE_ALIGN(length));
	flush_delayed_fput();
	return err;
}

/* ---- mapping --------------------------------------------------------------------------------------- */

static int check_flags(const struct file *file, int prot, int flags)
{
	int type = flags & MAP_TYPE;

	if (type != MAP_SHARED && type != MAP_PRIVATE && type != MAP_SHARED_VALIDATE)
		return -EINVAL;
	if (prot & ~(PROT_READ | PROT_WRITE) || flags & MAP_ANONYMOUS)
		return -EINVAL;
	if (type == MAP_SHARED_VALIDATE &&
	    flags & ~(MAP_TYPE | MAP_FIXED | MAP_POPULATE | MAP_SYNC | MAP_NORESERVE))
		return -EOPNOTSUPP;
	if (flags & MAP_SYNC && (type != MAP_SHARED_VALIDATE || !IS_DAX(file->f_inode)))
		return type == MAP_SHARED_VALIDATE ? -EOPNOTSUPP : -EINVAL;
	if (file->f_mode & FMODE_PATH)
		return -EBADF;
	if (!(file->f_mode & FMODE_READ))
		return -EACCES;
	if (type != MAP_PRIVATE && prot & PROT_WRITE && !(file->f_mode & FMODE_WRITE))
		return -EACCES;
	if (!file->f_op || !file->f_op->mmap)
		return -ENODEV;
	return 0;
}

static unsigned long vm_flags_of(const struct file *file, int prot, int flags)
{
	bool shared = (flags & MAP_TYPE) != MAP_PRIVATE;

	return (prot & PROT_READ ? VM_READ : 0) | (prot & PROT_WRITE ? VM_WRITE : 0) |
	       (shared ? VM_SHARED : 0) | (flags & MAP_SYNC ? VM_SYNC : 0) |
	       (!shared || file->f_mode & FMODE_WRITE ? VM_MAYWRITE : 0);
}

/*
 * Host addresses for @size bytes, nothing there yet. Large ranges lie in their 2 MiB as the file does, so that
 * large folios and huge_fault fit. 0, -ENOMEM, -EINVAL.
 */
static int reserve_range(void *hint, size_t size, int flags, pgoff_t pgoff, unsigned long *out)
{
	size_t slack = size >= HUGE_SIZE ? HUGE_SIZE : 0;
	unsigned long start, skew = (pgoff << PAGE_SHIFT) & (HUGE_SIZE - 1);
	int saved = errno;
	char *got;

	if (flags & MAP_FIXED) {
		*out = (unsigned long)hint;
		if (*out & ~PAGE_MASK || !*out)
			return -EINVAL;
		return unmap_range(*out, *out + size);
	}
	got = mmap(hint, size + slack, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
		   0);
	errno = saved;
	if (got == MAP_FAILED)
		return -ENOMEM;
	start = (unsigned long)got;
	if (slack) {
		start = ((start - skew + HUGE_SIZE - 1) & ~(HUGE_SIZE - 1)) + skew;
		if (start > (unsigned long)got)
			munmap(got, start - (unsigned long)got);
		munmap((void *)(start + size), (unsigned long)got + slack - start);
	}
	*out = start;
	return 0;
}

/* Every page, now. What lies past the end of the file is left. */
static void area_populate(struct area *area)
{
	struct vm_area_struct *vma = &area->vma;
	bool write = !vma->lazy && (vma->vm_flags & VM_SHARED) && (vma->vm_flags & VM_WRITE);
	pgoff_t index = area_first(area);
	unsigned int tries = 0;

	while (!area->dead) {
		sw_loff_t size = atomic_load(&mapping_of(area)->i_size);
		long shown;

		index = area_next_gap(area, index);
		if (index >= area_end(area) || (sw_loff_t)(index << PAGE_SHIFT) >= size)
			break;
		shown = area_fill(area, area_addr(area, index), write ? FAULT_FLAG_WRITE : 0);
		/* Unmapped while it was shown: nobody will touch it again to have it filled. */
		if (shown == -EAGAIN && ++tries < POPULATE_TRIES) {
			sched_yield();
			continue;
		}
		tries = 0;
		index += shown > 0 ? (unsigned long)shown >> PAGE_SHIFT : 1;
	}
}

void mapping_refill(struct address_space *mapping)
{
	struct area *area = NULL;
	struct list_head *pos;

	if (list_empty(&mapping->i_mmap))
		return;
	/* One after the other: filling takes locks that are outside of i_mmap_rwsem. */
	for (unsigned long n = 0;; n++) {
		unsigned long i = 0;

		area = NULL;
		down_read(&mapping->i_mmap_rwsem);
		for (pos = mapping->i_mmap.next; pos != &mapping->i_mmap; pos = pos->next) {
			if (i++ < n)
				continue;
			area = container_of(list_entry(pos, struct vm_area_struct, shared),
					    struct area, vma);
			atomic_fetch_add_explicit(&area->refs, 1, memory_order_relaxed);
			break;
		}
		up_read(&mapping->i_mmap_rwsem);
		if (!area)
			return;
		if (!area->vma.lazy)
			area_populate(area);
		area_put(area);
	}
}

void vfs_mapping_changed(struct address_space *mapping, sw_loff_t from)
{
	if (list_empty(&mapping->i_mmap) || !mapping_test(mapping, AS_SHARED_POOL))
		return;
	unmap_mapping_range(mapping, from, 0, 0);
	mapping_refill(mapping);
}

/* The range is memory that waits to be filled. */
static int area_arm(struct area *area, int prot)
{
	unsigned long size = area->vma.vm_end - area->vma.vm_start;
	int err;

	area->vma.lazy = !area_never_lazy && uffd_usable();
	if (area->vma.lazy && !uffd_arm(area->vma.vm_start, size, prot)) {
		area->vma.wp = true;
		return 0;
	}
	area->vma.lazy = false;
	err = map_at(area->vma.vm_start, size, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		     -1, 0);
	return err;
}

/* Files with a page cache move into the pool before they are first mapped. */
static int make_mappable(struct file *file)
{
	struct inode *inode = file->f_inode;
	int err;

	if (pool_lost(file->f_mapping))
		return -EIO;
	if (IS_DAX(inode) || mapping_test(file->f_mapping, AS_SHARED_POOL))
		return 0;
	inode_lock(inode);
	err = mapping_make_shared(file->f_mapping);
	inode_unlock(inode);
	return err == -EAGAIN ? -EBUSY : err;
}

/* @file's reference goes into the area, or is the caller's on failure. */
static int map_file(struct file *file, void *hint, size_t size, int prot, int flags, pgoff_t pgoff,
		    void **addr_out)
{
	struct area *area = kzalloc(sizeof(*area), GFP_KERNEL);
	int saved = errno, err;

	if (!area)
		return -ENOMEM;
	xa_init(&area->pieces);
	atomic_store(&area->refs, 2); /* the tree's and ours */
	/* Pieces are noted where nobody may sleep: what that needs is made here. */
	err = xa_err(xa_store(&area->pieces, 1, xa_mk_value(0), GFP_KERNEL));
	if (!err) {
		xa_erase(&area->pieces, 1);
		err = make_mappable(file);
	}
	if (!err)
		err = reserve_range(hint, size, flags, pgoff, &area->vma.vm_start);
	if (err)
		goto free_area;
	area->vma.vm_end = area->vma.vm_start + size;
	area->vma.vm_pgoff = pgoff;
	area->vma.vm_flags = vm_flags_of(file, prot, flags);
	area->vma.vm_file = file;
	err = area_arm(area, prot);
	if (!err)
		err = file->f_op->mmap(file, &area->vma);
	if (!err && !area->vma.vm_ops)
		err = -ENODEV;
	if (err)
		goto unmap;
	area_publish(area);
	if (area->vma.vm_ops->open)
		area->vma.vm_ops->open(&area->vma);
	if (!area->vma.lazy || flags & MAP_POPULATE)
		area_populate(area);
	*addr_out = (void *)area->vma.vm_start;
	area_put(area);
	return 0;
unmap:
	munmap((void *)area->vma.vm_start, size);
	errno = saved;
free_area:
	kfree(area);
	return err;
}

static void forget_in_child(void);

int sw_fs_mmap(void *addr, size_t length, int prot, int flags, int fd, int64_t offset,
	       void **addr_out)
{
	static _Atomic int fork_handler;
	struct file *file;
	size_t size;
	int err;

	if (!length || offset < 0 || offset & (int64_t)~PAGE_MASK)
		return -EINVAL;
	size = PAGE_ALIGN(length);
	if (!size || size > LONG_MAX)
		return -ENOMEM;
	if (offset > INT64_MAX - (int64_t)size)
		return -EOVERFLOW;
	file = fget(fd < 0 ? ~0u : (unsigned int)fd);
	if (!file)
		return -EBADF;
	if (!atomic_exchange(&fork_handler, 1))
		pthread_atfork(NULL, NULL, forget_in_child);
	err = check_flags(file, prot, flags);
	if (!err)
		err = map_file(file, addr, size, prot, flags, (pgoff_t)offset >> PAGE_SHIFT,
			       addr_out);
	if (err)
		fput(file);
	flush_delayed_fput();
	return err;
}

/* ---- msync, and what is mapped where --------------------------------------------------------------- */

static int sync_area(struct area *area, unsigned long start, unsigned long end)
{
	pgoff_t first, last;

	start = max(start, area->vma.vm_start);
	end = min(end, area->vma.vm_end);
	if (!(area->vma.vm_flags & VM_SHARED) || start >= end)
		return 0;
	first = area_first(area) + ((start - area->vma.vm_start) >> PAGE_SHIFT);
	last = first + ((end - start) >> PAGE_SHIFT);
	area_dirty_pages(area, first, last);
	return vfs_fsync_range(area->vma.vm_file, (sw_loff_t)(first << PAGE_SHIFT),
			       (sw_loff_t)(last << PAGE_SHIFT) - 1, 1);
}

int sw_fs_msync(void *addr, size_t length, int flags)
{
	unsigned long start = (unsigned long)addr, end = start + PAGE_ALIGN(length);
	bool hole = false;
	int err = 0;

	if (flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC) || start & ~PAGE_MASK ||
	    (flags & MS_ASYNC && flags & MS_SYNC))
		return -EINVAL;
	if (end < start)
		return -ENOMEM;
	while (start < end && !err) {
		struct area *area = area_overlap(start, end);

		if (!area || area->vma.vm_start > start)
			hole = true;
		if (!area)
			break;
		if (flags & MS_SYNC)
			err = sync_area(area, start, end);
		start = area->vma.vm_end;
		area_put(area);
	}
	flush_delayed_fput();
	return err ? err : hole ? -ENOMEM : 0;
}

int sw_fs_vma(const void *addr, struct sw_fs_vma *out)
{
	struct area *area = area_find((unsigned long)addr);

	if (!area)
		return -ENOENT;
	*out = (struct sw_fs_vma){ .start = area->vma.vm_start,
				   .end = area->vma.vm_end,
				   .vm_flags = area->vma.vm_flags,
				   .lazy = area->vma.lazy };
	area_put(area);
	flush_delayed_fput();
	return 0;
}

/* See 4. The only thread; what others held in the parent is held for ever. */
static void forget_in_child(void)
{
	init_rwsem(&area_lock);
	while (areas.rb_node) {
		struct area *area = rb_entry(areas.rb_node, struct area, node);

		rb_erase(&area->node, &areas);
		area->dead = true;
		list_del(&area->vma.shared);
		init_rwsem(&mapping_of(area)->i_mmap_rwsem);
	}
}
