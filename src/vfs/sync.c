/* SPDX-License-Identifier: MIT */
/*
 * sync.c - what was written is to last
 *
 * Room: vfs. Door: sw_fs_sync() and kin, vfs_fsync_range(), sync_filesystem(), generic_file_fsync().
 *
 * Scope: sync() everything; syncfs() one file system; fsync() a file's data and inode; fdatasync() without times;
 * sync_file_range() pages only. An error of write-back is told once to each open file that was open
 * then (errseq), by fsync and fdatasync; syncfs tells those of its file system.
 */

#include "vfs/vfs_internal.h"

int noop_fsync(struct file *file, sw_loff_t start, sw_loff_t end, int datasync)
{
	(void)file;
	(void)start;
	(void)end;
	(void)datasync;
	return 0;
}

/** file_check_and_advance_wb_err() - an error of write-back that this file has not heard of yet, or 0 */
int file_check_and_advance_wb_err(struct file *file)
{
	errseq_t *now = &file->f_mapping->wb_err;
	int err;

	if (!errseq_check(now, READ_ONCE(file->f_wb_err)))
		return 0;
	spin_lock(&file->f_lock);
	err = errseq_check_and_advance(now, &file->f_wb_err);
	spin_unlock(&file->f_lock);
	return err;
}

/** generic_file_fsync() - data, then the inode if it must be written. The file system has no journal. */
int generic_file_fsync(struct file *file, sw_loff_t start, sw_loff_t end, int datasync)
{
	struct inode *inode = file->f_inode;
	unsigned int need = datasync ? I_DIRTY_DATASYNC : I_DIRTY_INODE;
	int err = filemap_write_and_wait_range(file->f_mapping, start, end), err2 = 0;

	if (atomic_load(&inode->i_state) & need)
		err2 = write_inode_now(inode, 1);
	return err ? err : err2;
}

int vfs_fsync_range(struct file *file, sw_loff_t start, sw_loff_t end, int datasync)
{
	int err, news;

	if (!file->f_op->fsync)
		return -EINVAL;
	vfs_dirty_mapped(file->f_mapping);
	err = file->f_op->fsync(file, start, end, datasync);
	/* ->fsync may have heard of it first, from the mapping; once is enough. */
	news = file_check_and_advance_wb_err(file);
	return err ? err : news;
}

static int do_fsync(int fd, int datasync)
{
	struct file *file = fget((unsigned int)fd);
	int err;

	if (!file)
		return -EBADF;
	err = vfs_fsync_range(file, 0, INT64_MAX, datasync);
	__fput_sync(file);
	return err;
}

int sw_fs_fsync(int fd)
{
	return do_fsync(fd, 0);
}

int sw_fs_fdatasync(int fd)
{
	return do_fsync(fd, 1);
}

/* ---- a file system, all of them ------------------------------------------------------------ */

/** sync_filesystem() - all of @sb is durable on return; s_umount held or the caller is its last user */
int sync_filesystem(struct super_block *sb)
{
	int err, err2;

	if (atomic_load(&sb->s_flags) & SB_RDONLY)
		return 0;
	writeback_sb(sb, false);
	if (sb->s_op && sb->s_op->sync_fs)
		sb->s_op->sync_fs(sb, 0);
	err = writeback_sb(sb, true);
	err2 = sb->s_op && sb->s_op->sync_fs ? sb->s_op->sync_fs(sb, 1) : 0;
	return err ? err : err2;
}

static void sync_one(struct super_block *sb, void *arg)
{
	(void)arg;
	down_read(&sb->s_umount);
	if (atomic_load(&sb->s_flags) & SB_ACTIVE)
		sync_filesystem(sb);
	up_read(&sb->s_umount);
}

void sw_fs_sync(void)
{
	super_for_each(sync_one, NULL);
}

int sw_fs_syncfs(int fd)
{
	struct file *file = fget((unsigned int)fd);
	struct super_block *sb;
	int err;

	if (!file)
		return -EBADF;
	sb = file->f_inode->i_sb;
	down_read(&sb->s_umount);
	err = sync_filesystem(sb);
	up_read(&sb->s_umount);
	__fput_sync(file);
	return err;
}

#define SYNC_RANGE_FLAGS \
	(SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER)

static int sync_range(struct file *file, sw_loff_t start, sw_loff_t end, unsigned int flags)
{
	int err = 0;

	if (flags & SYNC_FILE_RANGE_WAIT_BEFORE)
		err = filemap_fdatawait_range(file->f_mapping, start, end);
	if (!err && flags & SYNC_FILE_RANGE_WRITE)
		err = filemap_fdatawrite_range(file->f_mapping, start, end);
	if (!err && flags & SYNC_FILE_RANGE_WAIT_AFTER)
		err = filemap_fdatawait_range(file->f_mapping, start, end);
	if (!err && flags & (SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WAIT_AFTER))
		err = file_check_and_advance_wb_err(file);
	return err;
}

int sw_fs_sync_file_range(int fd, int64_t offset, int64_t nbytes, unsigned int flags)
{
	struct file *file;
	sw_loff_t end;
	int err;

	if (flags & ~(unsigned int)SYNC_RANGE_FLAGS || offset < 0 || nbytes < 0 ||
	    __builtin_add_overflow(offset, nbytes, &end))
		return -EINVAL;
	file = fget((unsigned int)fd);
	if (!file)
		return -EBADF;
	if (!S_ISREG(file->f_inode->i_mode) && !S_ISDIR(file->f_inode->i_mode) &&
	    !S_ISBLK(file->f_inode->i_mode))
		err = -ESPIPE;
	else
		err = sync_range(file, offset, nbytes ? end - 1 : INT64_MAX, flags);
	__fput_sync(file);
	return err;
}
