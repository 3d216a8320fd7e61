/* SPDX-License-Identifier: MIT */
/*
 * file.c - contents of DAX files: the device is memory, and nothing is copied twice
 *
 * Room: fstypes/dax. F46: read and write copy between the caller and the mapped device; the page cache is
 * never asked. F47, F48: mmap maps pieces of the device's host file; the area is VM_MIXEDMAP | VM_HUGEPAGE.
 * F49, who is called when:
 *
 *   fault         a page is touched: the rest of its extent is shown along with it, up to 64 pages
 *   huge_fault    ... and its 2 MiB lie in the area whole, and on the device in one aligned piece
 *   page_mkwrite  a hole, shown as zeros so far, is written to: it gets a block
 *   pfn_mkwrite   a page of the device is written to for the first time: times
 *
 * Locks: i_rwsem for read, write and size; invalidate_lock, shared by faults until what they found is mapped,
 * for writing where blocks are given back. User memory is copied under i_rwsem only.
 */

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/falloc.h>

#include "fstypes/dax/dax.h"

#define AROUND_BLOCKS 64u
#define MAX_SIZE      ((sw_loff_t)UINT32_MAX << PAGE_SHIFT)

static uint32_t block_of(sw_loff_t pos)
{
	return (uint32_t)(pos >> PAGE_SHIFT);
}

/* Bytes of [pos, pos + count) that lie in @len blocks from pos's on. */
static size_t bytes_in(sw_loff_t pos, size_t count, uint32_t len)
{
	return min(count, ((size_t)len << PAGE_SHIFT) - ((size_t)pos & ~PAGE_MASK));
}

static ssize_t dax_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	struct dax_sb *dsb = dax_sb(inode->i_sb);
	sw_loff_t pos = iocb->ki_pos;
	ssize_t done = 0;

	inode_lock_shared(inode);
	while (iov_iter_count(to) && pos < i_size_read(inode)) {
		size_t left = (size_t)min_t(uint64_t, iov_iter_count(to),
					    (uint64_t)(i_size_read(inode) - pos));
		uint32_t len, start = dax_map(inode, block_of(pos), &len);
		size_t n = bytes_in(pos, left, len);

		if (start)
			n = copy_to_iter((char *)dax_block(dsb, start) + ((size_t)pos & ~PAGE_MASK),
					 n, to);
		else
			n = iov_iter_zero(n, to);
		if (!n)
			break;
		pos += (sw_loff_t)n;
		done += (ssize_t)n;
	}
	inode_unlock_shared(inode);
	iocb->ki_pos = pos;
	touch_atime(&iocb->ki_filp->f_path);
	return done;
}

/* What a mapping stored past the end is zeros before the file grows over it. */
static void zero_tail(struct inode *inode)
{
	sw_loff_t size = i_size_read(inode);
	size_t offset = (size_t)size & ~PAGE_MASK;
	uint32_t len, start;

	if (!offset)
		return;
	start = dax_map(inode, block_of(size), &len);
	if (start)
		memset((char *)dax_block(dax_sb(inode->i_sb), start) + offset, 0,
		       PAGE_SIZE - offset);
}

/* Mappings that went past the end, or showed a hole as zeros, look again. */
static void show_again(struct inode *inode, sw_loff_t start, sw_loff_t len)
{
	unmap_mapping_range(inode->i_mapping, start, len, 0);
}

static ssize_t copy_in(struct inode *inode, sw_loff_t pos, struct iov_iter *from)
{
	struct dax_sb *dsb = dax_sb(inode->i_sb);
	size_t n;
	uint32_t len = 0, start = dax_map(inode, block_of(pos), &len);
	uint64_t want = (((uint64_t)pos & ~PAGE_MASK) + iov_iter_count(from) + PAGE_SIZE - 1) >>
			PAGE_SHIFT;

	if (!start) {
		int err;

		len = (uint32_t)min_t(uint64_t, want, UINT32_MAX - block_of(pos));
		err = dax_map_alloc(inode, block_of(pos), &start, &len);
		if (err)
			return err;
		show_again(inode, pos & (sw_loff_t)PAGE_MASK, (sw_loff_t)len << PAGE_SHIFT);
	}
	n = bytes_in(pos, iov_iter_count(from), len);
	return (ssize_t)copy_from_iter((char *)dax_block(dsb, start) + ((size_t)pos & ~PAGE_MASK),
				       n, from);
}

static int prepare_write(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	int err;

	if (iocb->ki_flags & IOCB_APPEND)
		iocb->ki_pos = i_size_read(inode);
	if (iocb->ki_pos >= MAX_SIZE)
		return -EFBIG;
	if ((uint64_t)iov_iter_count(from) > (uint64_t)(MAX_SIZE - iocb->ki_pos))
		from->count = (size_t)(MAX_SIZE - iocb->ki_pos);
	err = file_remove_privs(iocb->ki_filp);
	return err ? err : file_update_time(iocb->ki_filp);
}

static ssize_t dax_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	sw_loff_t old_size;
	ssize_t done = 0, n = 0;
	int err;

	if (!iov_iter_count(from))
		return 0;
	inode_lock(inode);
	err = prepare_write(iocb, from);
	old_size = i_size_read(inode);
	if (!err && iocb->ki_pos > old_size)
		zero_tail(inode);
	while (!err && iov_iter_count(from)) {
		n = copy_in(inode, iocb->ki_pos, from);
		if (n <= 0)
			break;
		iocb->ki_pos += n;
		done += n;
		if (iocb->ki_pos > i_size_read(inode))
			i_size_write(inode, iocb->ki_pos);
	}
	if (i_size_read(inode) > old_size)
		show_again(inode, (sw_loff_t)PAGE_ALIGN((uint64_t)old_size), 0);
	dax_update(inode);
	inode_unlock(inode);
	if (done && iocb->ki_flags & (IOCB_DSYNC | IOCB_SYNC))
		err = dax_fsync(iocb->ki_filp, 0, MAX_SIZE, 1);
	if (done > 0)
		mapping_refill(inode->i_mapping);
	return err ? err : done ? done : n;
}

/* The whole device: what its mappings stored is in the host's page cache like what we store. */
int dax_fsync(struct file *file, sw_loff_t start, sw_loff_t end, int datasync)
{
	int saved = errno, ret = 0;

	(void)start;
	(void)end;
	(void)datasync;
	if (fdatasync(dax_sb(file_inode(file)->i_sb)->fd))
		ret = -errno;
	errno = saved;
	return ret;
}

/* Blocks wholly in [start, end) go; the rest of it becomes zeros. */
static int give_back(struct inode *inode, sw_loff_t start, sw_loff_t end)
{
	struct dax_sb *dsb = dax_sb(inode->i_sb);
	sw_loff_t first = (sw_loff_t)PAGE_ALIGN((uint64_t)start), last = end & (sw_loff_t)PAGE_MASK;
	sw_loff_t edges[2][2] = { { start, min(first, end) }, { max(last, first), end } };
	int err = 0;

	down_write(&inode->i_mapping->invalidate_lock);
	if (last > first) {
		unmap_mapping_range(inode->i_mapping, first, last - first, 1);
		err = dax_unmap_blocks(inode, block_of(first), block_of(last));
	}
	for (int i = 0; i < 2 && !err; i++) {
		sw_loff_t from = edges[i][0], to = edges[i][1];
		uint32_t len, block = from < to ? dax_map(inode, block_of(from), &len) : 0;

		if (block)
			memset((char *)dax_block(dsb, block) + ((size_t)from & ~PAGE_MASK), 0,
			       (size_t)(to - from));
	}
	up_write(&inode->i_mapping->invalidate_lock);
	return err;
}

int dax_truncate(struct inode *inode, sw_loff_t size)
{
	sw_loff_t old = i_size_read(inode);
	int err = 0;

	if (size > MAX_SIZE)
		return -EFBIG;
	if (size > old)
		zero_tail(inode);
	i_size_write(inode, size);
	if (size < old)
		err = give_back(inode, size, MAX_SIZE);
	else
		show_again(inode, (sw_loff_t)PAGE_ALIGN((uint64_t)old), 0);
	dax_update(inode);
	mapping_refill(inode->i_mapping);
	return err;
}

static int fill(struct inode *inode, uint32_t first, uint32_t end)
{
	while (first < end) {
		uint32_t len, start = dax_map(inode, first, &len);
		int err;

		len = min(len, end - first);
		if (!start) {
			err = dax_map_alloc(inode, first, &start, &len);
			if (err)
				return err;
			show_again(inode, (sw_loff_t)first << PAGE_SHIFT,
				   (sw_loff_t)len << PAGE_SHIFT);
		}
		first += len;
	}
	return 0;
}

static long dax_fallocate(struct file *file, int mode, sw_loff_t offset, sw_loff_t len)
{
	struct inode *inode = file_inode(file);
	sw_loff_t end = offset + len, old_size;
	int err;

	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE))
		return -EOPNOTSUPP;
	if (end > MAX_SIZE)
		return -EFBIG;
	inode_lock(inode);
	old_size = i_size_read(inode);
	if (mode & FALLOC_FL_PUNCH_HOLE) {
		err = give_back(inode, offset, end);
	} else {
		err = fill(inode, block_of(offset), block_of(end + (sw_loff_t)PAGE_SIZE - 1));
		if (!err && !(mode & FALLOC_FL_KEEP_SIZE) && end > old_size) {
			zero_tail(inode);
			i_size_write(inode, end);
			show_again(inode, (sw_loff_t)PAGE_ALIGN((uint64_t)old_size), 0);
		}
	}
	if (!err) {
		file_remove_privs(file);
		inode_stamp(inode, STAMP_CTIME | STAMP_MTIME);
	}
	dax_update(inode);
	inode_unlock(inode);
	mapping_refill(inode->i_mapping);
	return err;
}

static sw_loff_t dax_llseek(struct file *file, sw_loff_t offset, int whence)
{
	struct inode *inode = file_inode(file);
	sw_loff_t size, pos = offset;

	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return generic_file_llseek(file, offset, whence);
	inode_lock_shared(inode);
	size = i_size_read(inode);
	while (pos >= 0 && pos < size) {
		uint32_t len, start = dax_map(inode, block_of(pos), &len);

		if (!start == (whence == SEEK_HOLE))
			break;
		pos = (sw_loff_t)((uint64_t)block_of(pos) + len) << PAGE_SHIFT;
	}
	if (offset < 0 || offset >= size || (whence == SEEK_DATA && pos >= size))
		pos = -ENXIO;
	else
		pos = min(pos, size);
	inode_unlock_shared(inode);
	if (pos >= 0)
		file->f_pos = pos;
	return pos;
}

/* ---- faults ------------------------------------------------------------------------------------- */

/* Blocks of the file that a mapping may show. */
static uint64_t blocks_of(const struct inode *inode)
{
	return ((uint64_t)i_size_read(inode) + PAGE_SIZE - 1) >> PAGE_SHIFT;
}

static vm_fault_t show_device(struct vm_fault *vmf, uint32_t start, uint32_t len)
{
	struct dax_sb *dsb = dax_sb(file_inode(vmf->vma->vm_file)->i_sb);

	vmf->backing_fd = dsb->fd;
	vmf->backing_offset = (sw_loff_t)start << PAGE_SHIFT;
	vmf->backing_len = (size_t)len << PAGE_SHIFT;
	return VM_FAULT_NOPAGE;
}

/* Is a hole to be given a block now? Where nobody would be told of the first write, yes. */
static bool fill_hole(const struct vm_fault *vmf)
{
	return vmf->flags & FAULT_FLAG_WRITE || !(vmf->vma->vm_flags & VM_SHARED) ||
	       !vmf->vma->lazy;
}

static vm_fault_t dax_fault(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	uint64_t end = blocks_of(inode);
	uint32_t file = (uint32_t)vmf->pgoff, len, start;

	if (vmf->pgoff >= end)
		return VM_FAULT_SIGBUS;
	start = dax_map(inode, file, &len);
	if (!start && fill_hole(vmf)) {
		len = 1;
		if (dax_map_alloc(inode, file, &start, &len))
			return VM_FAULT_SIGBUS;
	}
	if (!start) {
		vmf->backing_fd = -1;
		return VM_FAULT_NOPAGE;
	}
	len = min(len, AROUND_BLOCKS);
	return show_device(vmf, start, (uint32_t)min_t(uint64_t, len, end - file));
}

static vm_fault_t dax_huge_fault(struct vm_fault *vmf, enum page_entry_size size)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	uint32_t file = (uint32_t)vmf->pgoff, len, start;

	if (size != PE_SIZE_PMD || file % DAX_HUGE_BLOCKS ||
	    vmf->pgoff + DAX_HUGE_BLOCKS > blocks_of(inode))
		return VM_FAULT_FALLBACK;
	start = dax_map(inode, file, &len);
	if (!start && len >= DAX_HUGE_BLOCKS && vmf->flags & FAULT_FLAG_WRITE) {
		len = DAX_HUGE_BLOCKS;
		if (dax_map_alloc(inode, file, &start, &len))
			return VM_FAULT_FALLBACK;
	}
	if (!start || len < DAX_HUGE_BLOCKS || start % DAX_HUGE_BLOCKS)
		return VM_FAULT_FALLBACK;
	return show_device(vmf, start, DAX_HUGE_BLOCKS);
}

static vm_fault_t dax_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	uint32_t start, len = 1;

	if (vmf->pgoff >= blocks_of(inode) ||
	    dax_map_alloc(inode, (uint32_t)vmf->pgoff, &start, &len))
		return VM_FAULT_SIGBUS;
	file_update_time(vmf->vma->vm_file);
	dax_update(inode);
	return show_device(vmf, start, 1);
}

static vm_fault_t dax_pfn_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);

	if (vmf->pgoff >= blocks_of(inode))
		return VM_FAULT_SIGBUS;
	file_update_time(vmf->vma->vm_file);
	dax_update(inode);
	return 0;
}

static const struct vm_operations_struct dax_vm_ops = {
	.fault = dax_fault,
	.huge_fault = dax_huge_fault,
	.page_mkwrite = dax_page_mkwrite,
	.pfn_mkwrite = dax_pfn_mkwrite,
};

static int dax_mmap(struct file *file, struct vm_area_struct *vma)
{
	if (vma->vm_flags & VM_SYNC && !dax_sb(file_inode(file)->i_sb)->sync_works)
		return -EOPNOTSUPP;
	touch_atime(&file->f_path);
	vma->vm_ops = &dax_vm_ops;
	vma->vm_flags |= VM_MIXEDMAP | VM_HUGEPAGE;
	return 0;
}

const struct file_operations dax_file_operations = {
	.llseek = dax_llseek,
	.read_iter = dax_read_iter,
	.write_iter = dax_write_iter,
	.mmap = dax_mmap,
	.fsync = dax_fsync,
	.fallocate = dax_fallocate,
};

const struct inode_operations dax_file_inode_operations = {
	.setattr = dax_setattr,
};
