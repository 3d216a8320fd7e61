/* SPDX-License-Identifier: MIT */
/*
 * file.c - contents of tmpfs files: all of it is the page cache's, less the limit
 *
 * Room: fstypes/tmpfs. A page is taken from the limit (tmpfs_reserve()) before it is added; after each
 * addition and removal tmpfs_settle() compares what the file has with what it had:
 *
 *   used_blocks == sum of accounted of all files + what is reserved      (never less than the truth)
 *
 * Folios are dirty from their first byte on, so that nobody takes them for a copy of something.
 * A new folio is zeroed where the write does not reach; it becomes uptodate in ->write_end, and
 * only then do readers without locks believe in it.
 *
 * Differs from Linux: a large folio of a file that is mapped is not split where truncate or a hole cuts it. What is cut off
 * reads as zeros, but is counted until all of the folio goes.
 */

#include <string.h>
#include <unistd.h>

#include <linux/falloc.h>

#include "fstypes/tmpfs/tmpfs.h"

#define MAX_FOLIO_ORDER 9

static bool tmpfs_reserve(struct tmpfs_sb *sbi, unsigned long pages)
{
	unsigned long used = atomic_load_explicit(&sbi->used_blocks, memory_order_relaxed);

	do {
		if (sbi->max_blocks && used + pages > sbi->max_blocks)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(&sbi->used_blocks, &used, used + pages,
							memory_order_relaxed,
							memory_order_relaxed));
	return true;
}

void tmpfs_settle(struct inode *inode, unsigned long reserved)
{
	struct tmpfs_inode *info = tmpfs_i(inode);
	unsigned long now;

	spin_lock(&info->lock);
	now = atomic_load(&inode->i_data.nrpages);
	atomic_fetch_add_explicit(&tmpfs_sb(inode->i_sb)->used_blocks,
				  now - info->accounted - reserved, memory_order_relaxed);
	info->accounted = now;
	info->had_pages = info->had_pages || now || reserved;
	atomic_store_explicit(&inode->i_blocks, (uint64_t)now << (PAGE_SHIFT - 9),
			      memory_order_relaxed);
	spin_unlock(&info->lock);
}

/* A folio for [pos, pos + len) where there is none, as large as helps and the limit allows; locked. */
static struct folio *add_folio(struct inode *inode, sw_loff_t pos, size_t len)
{
	struct tmpfs_sb *sbi = tmpfs_sb(inode->i_sb);
	unsigned int order = mapping_write_order(inode->i_mapping, pos, len);
	struct folio *folio;

	while (!tmpfs_reserve(sbi, 1UL << order))
		if (!order--)
			return ERR_PTR(-ENOSPC);
	folio = __filemap_get_folio(inode->i_mapping, (pgoff_t)(pos >> PAGE_SHIFT),
				    FGP_LOCK | FGP_CREAT | FGP_WRITE |
					    fgf_set_order(PAGE_SIZE << order),
				    mapping_gfp_mask(inode->i_mapping));
	tmpfs_settle(inode, 1UL << order);
	return folio;
}

void tmpfs_zero_tail(struct inode *inode)
{
	sw_loff_t size = i_size_read(inode);
	struct folio *folio;
	size_t offset;

	if (!mapping_test(inode->i_mapping, AS_SHARED_POOL))
		return;
	folio = __filemap_get_folio(inode->i_mapping, (pgoff_t)(size >> PAGE_SHIFT), FGP_LOCK, 0);
	if (IS_ERR(folio))
		return;
	offset = offset_in_folio(folio, size);
	folio_zero_range(folio, offset, folio_bytes(folio) - offset);
	folio_unlock(folio);
	folio_drop(folio);
}

void tmpfs_grown(struct inode *inode, sw_loff_t old_size)
{
	struct address_space *mapping = inode->i_mapping;
	sw_loff_t first = (sw_loff_t)PAGE_ALIGN((uint64_t)old_size);

	if (!mapping_test(mapping, AS_SHARED_POOL) || i_size_read(inode) <= old_size)
		return;
	unmap_mapping_range(mapping, first, 0, 0);
	mapping_refill(mapping);
}

static ssize_t tmpfs_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	sw_loff_t old_size = i_size_read(inode);
	ssize_t ret = generic_file_write_iter(iocb, from);

	if (ret > 0)
		tmpfs_grown(inode, old_size);
	return ret;
}

static int tmpfs_write_begin(struct file *file, struct address_space *mapping, sw_loff_t pos,
			     unsigned int len, struct folio **foliop, void **fsdata)
{
	struct inode *inode = mapping->host;
	struct folio *folio;

	(void)file;
	(void)fsdata;
	if (pos > i_size_read(inode))
		tmpfs_zero_tail(inode);
	folio = __filemap_get_folio(mapping, (pgoff_t)(pos >> PAGE_SHIFT), FGP_LOCK | FGP_WRITE, 0);
	if (folio == ERR_PTR(-ENOENT))
		folio = add_folio(inode, pos, len);
	if (IS_ERR(folio))
		return (int)PTR_ERR(folio);
	if (!folio_test_uptodate(folio)) {
		size_t from = offset_in_folio(folio, pos);
		size_t to = min(from + len, folio_bytes(folio));

		folio_zero_range(folio, 0, from);
		folio_zero_range(folio, to, folio_bytes(folio) - to);
	}
	*foliop = folio;
	return 0;
}

static int tmpfs_write_end(struct file *file, struct address_space *mapping, sw_loff_t pos,
			   unsigned int len, unsigned int copied, struct folio *folio, void *fsdata)
{
	struct inode *inode = mapping->host;

	(void)file;
	(void)fsdata;
	if (!folio_test_uptodate(folio)) {
		size_t from = offset_in_folio(folio, pos);
		size_t end = min(from + len, folio_bytes(folio));

		if (from + copied < end)
			folio_zero_range(folio, from + copied, end - from - copied);
		folio_mark_uptodate(folio);
	}
	if (!folio_test_dirty(folio))
		folio_mark_dirty(folio);
	if (pos + copied > i_size_read(inode))
		i_size_write(inode, pos + copied);
	folio_unlock(folio);
	folio_drop(folio);
	return (int)copied;
}

/* Faults of mappings come here: a hole is zeros. */
static int tmpfs_read_folio(struct file *file, struct folio *folio)
{
	(void)file;
	folio_zero_range(folio, 0, folio_bytes(folio));
	folio_mark_uptodate(folio);
	folio_mark_dirty(folio);
	folio_unlock(folio);
	return 0;
}

const struct address_space_operations tmpfs_aops = {
	.read_folio = tmpfs_read_folio,
	.write_begin = tmpfs_write_begin,
	.write_end = tmpfs_write_end,
	.dirty_folio = noop_dirty_folio,
};

static int tmpfs_open(struct inode *inode, struct file *file)
{
	(void)inode;
	file_add_mode(file, FMODE_CACHE_HIT);
	return 0;
}

static sw_loff_t tmpfs_llseek(struct file *file, sw_loff_t offset, int whence)
{
	struct inode *inode = file_inode(file);

	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return generic_file_llseek(file, offset, whence);
	if (offset < 0)
		return -ENXIO;
	inode_lock_shared(inode);
	offset = mapping_seek_hole_data(inode->i_mapping, offset, i_size_read(inode), whence);
	inode_unlock_shared(inode);
	if (offset >= 0)
		file->f_pos = offset;
	return offset;
}

static void punch(struct inode *inode, sw_loff_t start, sw_loff_t end)
{
	struct address_space *mapping = inode->i_mapping;
	sw_loff_t first = PAGE_ALIGN((uint64_t)start), last = end & (sw_loff_t)PAGE_MASK;
	bool pages = start <= last && last > first;

	down_write(&mapping->invalidate_lock);
	if (pages)
		unmap_mapping_range(mapping, first, last - first, 0);
	truncate_inode_pages_range(mapping, start, end - 1);
	if (pages)
		unmap_mapping_range(mapping, first, last - first, 0);
	up_write(&mapping->invalidate_lock);
	tmpfs_settle(inode, 0);
	mapping_refill(mapping);
}

/* Every page of [start, end) is there. 0, -ENOSPC, -ENOMEM; then what was added stays, as zeros. */
static int fill(struct inode *inode, sw_loff_t start, sw_loff_t end)
{
	pgoff_t index = (pgoff_t)start >> PAGE_SHIFT, last = (pgoff_t)(end - 1) >> PAGE_SHIFT;

	/* By pages: behind the last byte that a file can have there is no offset. */
	while (index <= last) {
		struct folio *folio = __filemap_get_folio(inode->i_mapping, index, FGP_LOCK, 0);
		sw_loff_t pos = (sw_loff_t)(index << PAGE_SHIFT);

		if (folio == ERR_PTR(-ENOENT))
			folio = add_folio(inode, pos,
					  (size_t)min_t(uint64_t, (uint64_t)(end - pos),
							PAGE_SIZE << MAX_FOLIO_ORDER));
		if (IS_ERR(folio))
			return (int)PTR_ERR(folio);
		index = folio_next_index(folio);
		if (!folio_test_uptodate(folio))
			tmpfs_read_folio(NULL, folio);
		else
			folio_unlock(folio);
		folio_drop(folio);
	}
	return 0;
}

static long tmpfs_fallocate(struct file *file, int mode, sw_loff_t offset, sw_loff_t len)
{
	struct inode *inode = file_inode(file);
	sw_loff_t end = offset + len;
	int err = 0;

	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE))
		return -EOPNOTSUPP;
	inode_lock(inode);
	if (mode & FALLOC_FL_PUNCH_HOLE) {
		punch(inode, offset, end);
	} else {
		if (!(mode & FALLOC_FL_KEEP_SIZE) && end > i_size_read(inode))
			tmpfs_zero_tail(inode);
		err = fill(inode, offset, end);
		if (!err && !(mode & FALLOC_FL_KEEP_SIZE) && end > i_size_read(inode)) {
			sw_loff_t old_size = i_size_read(inode);

			i_size_write(inode, end);
			tmpfs_grown(inode, old_size);
		}
	}
	if (!err) {
		file_remove_privs(file);
		inode_stamp(inode, STAMP_CTIME | STAMP_MTIME);
	}
	inode_unlock(inode);
	return err;
}

static vm_fault_t tmpfs_fault(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	vm_fault_t ret;

	if (!tmpfs_reserve(tmpfs_sb(inode->i_sb), 1))
		return VM_FAULT_SIGBUS;
	ret = filemap_fault(vmf);
	tmpfs_settle(inode, 1);
	return ret;
}

/* No page_mkwrite: nobody writes anything back. */
static const struct vm_operations_struct tmpfs_vm_ops = {
	.fault = tmpfs_fault,
};

static int tmpfs_mmap(struct file *file, struct vm_area_struct *vma)
{
	touch_atime(&file->f_path);
	vma->vm_ops = &tmpfs_vm_ops;
	return 0;
}

const struct file_operations tmpfs_file_operations = {
	.llseek = tmpfs_llseek,
	.read_iter = generic_file_read_iter,
	.write_iter = tmpfs_write_iter,
	.mmap = tmpfs_mmap,
	.open = tmpfs_open,
	.fsync = noop_fsync,
	.fallocate = tmpfs_fallocate,
};

const struct inode_operations tmpfs_file_inode_operations = {
	.setattr = tmpfs_setattr,
	.listxattr = tmpfs_listxattr,
	.getxattr = tmpfs_getxattr,
	.setxattr = tmpfs_setxattr,
};
