/* SPDX-License-Identifier: MIT */
/*
 * file_range.c - ranges of files: allocate, advise, copy; and access()
 *
 * Room: vfs. Door: sw_fs_fallocate(), sw_fs_fadvise(), sw_fs_copy_file_range(), sw_fs_access().
 */

#include <linux/falloc.h>
#include <unistd.h>

#include "vfs/vfs_internal.h"

/* ---- allocate -------------------------------------------------------------------------- */

static int check_fallocate(const struct file *file, int mode, sw_loff_t offset, sw_loff_t len)
{
	const struct inode *inode = file->f_inode;
	sw_loff_t end;

	if (offset < 0 || len <= 0)
		return -EINVAL;
	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
		return -EOPNOTSUPP;
	if ((mode & FALLOC_FL_PUNCH_HOLE && mode & FALLOC_FL_ZERO_RANGE) ||
	    (mode & FALLOC_FL_PUNCH_HOLE && !(mode & FALLOC_FL_KEEP_SIZE)))
		return -EOPNOTSUPP;
	if (!(file->f_mode & FMODE_WRITE))
		return -EBADF;
	if ((mode & ~FALLOC_FL_KEEP_SIZE && inode->i_flags & S_APPEND) ||
	    inode->i_flags & S_IMMUTABLE)
		return -EPERM;
	if (S_ISDIR(inode->i_mode))
		return -EISDIR;
	if (!S_ISREG(inode->i_mode))
		return -ENODEV;
	if (__builtin_add_overflow(offset, len, &end) || end > inode->i_sb->s_maxbytes)
		return -EFBIG;
	return file->f_op->fallocate ? 0 : -EOPNOTSUPP;
}

/** vfs_fallocate() - 0 or -errno; ->fallocate takes the locks it needs */
long vfs_fallocate(struct file *file, int mode, sw_loff_t offset, sw_loff_t len)
{
	long err = check_fallocate(file, mode, offset, len);

	if (!err)
		err = file->f_op->fallocate(file, mode, offset, len);
	if (!err)
		vfs_mapping_changed(file->f_mapping, offset);
	return err;
}

int sw_fs_fallocate(int fd, int mode, int64_t offset, int64_t len)
{
	struct file *file = fget((unsigned int)fd);
	long err;

	if (!file)
		return -EBADF;
	err = vfs_fallocate(file, mode, offset, len);
	__fput_sync(file);
	return (int)err;
}

/* ---- advise ------------------------------------------------------------------------------- */

static int advise(struct file *file, sw_loff_t offset, sw_loff_t len, int advice)
{
	struct address_space *mapping = file->f_mapping;
	sw_loff_t end;
	pgoff_t first, last;

	if (!len || __builtin_add_overflow(offset, len, &end))
		end = INT64_MAX;
	end--;
	first = (pgoff_t)(offset / (sw_loff_t)PAGE_SIZE);
	last = (pgoff_t)(end / (sw_loff_t)PAGE_SIZE);
	switch (advice) {
	case POSIX_FADV_NORMAL:
		file->f_ra.ra_pages = (unsigned int)mapping->bdi->ra_pages;
		return 0;
	case POSIX_FADV_RANDOM:
		file->f_ra.ra_pages = 0;
		return 0;
	case POSIX_FADV_SEQUENTIAL:
		file->f_ra.ra_pages = (unsigned int)mapping->bdi->ra_pages * 2;
		return 0;
	case POSIX_FADV_NOREUSE:
		return 0;
	case POSIX_FADV_WILLNEED:
		if (end >= i_size_read(file->f_inode))
			last = (pgoff_t)(i_size_read(file->f_inode) / (sw_loff_t)PAGE_SIZE);
		if (last >= first)
			force_page_cache_readahead(mapping, file, first, last - first + 1);
		return 0;
	case POSIX_FADV_DONTNEED:
		filemap_fdatawrite_range(mapping, offset, end);
		/* Whole pages only, but the last of the file is whole enough. */
		first = (pgoff_t)((offset + (sw_loff_t)PAGE_SIZE - 1) / (sw_loff_t)PAGE_SIZE);
		if (end != INT64_MAX - 1 && (end + 1) % (sw_loff_t)PAGE_SIZE &&
		    end < i_size_read(file->f_inode) - 1) {
			if (!last)
				return 0;
			last--;
		}
		if (first <= last)
			invalidate_mapping_pages(mapping, first, last);
		return 0;
	}
	return -EINVAL;
}

int sw_fs_fadvise(int fd, int64_t offset, int64_t len, int advice)
{
	struct file *file = fget((unsigned int)fd);
	int err;

	if (!file)
		return -EBADF;
	if (offset < 0 || len < 0)
		err = -EINVAL;
	else if (S_ISFIFO(file->f_inode->i_mode))
		err = -ESPIPE;
	else if (file->f_op->fadvise)
		err = file->f_op->fadvise(file, offset, len, advice);
	else if (!file->f_mapping->a_ops)
		err = advice > POSIX_FADV_NOREUSE || advice < 0 ? -EINVAL : 0;
	else
		err = advise(file, offset, len, advice);
	__fput_sync(file);
	return err;
}

/* ---- copy ------------------------------------------------------------------------------------ */

#define COPY_CHUNK 65536

static ssize_t copy_by_hand(struct file *in, sw_loff_t pos_in, struct file *out, sw_loff_t pos_out,
			    size_t len)
{
	size_t done = 0;
	char *buf = kvmalloc(COPY_CHUNK, GFP_KERNEL);
	ssize_t n = -ENOMEM;

	while (buf && done < len) {
		size_t part = len - done < COPY_CHUNK ? len - done : COPY_CHUNK, sent = 0;
		ssize_t got = vfs_read(in, buf, part, &pos_in);

		n = got;
		while (n > 0 && sent < (size_t)got) {
			n = vfs_write(out, buf + sent, (size_t)got - sent, &pos_out);
			if (n > 0)
				sent += (size_t)n;
		}
		done += sent;
		if (n <= 0 || got < (ssize_t)part)
			break;
	}
	kvfree(buf);
	return done ? (ssize_t)done : n;
}

static int check_copy(const struct file *in, sw_loff_t pos_in, const struct file *out,
		      sw_loff_t pos_out, size_t *len)
{
	const struct inode *from = in->f_inode, *to = out->f_inode;
	sw_loff_t size = i_size_read(from), end_in, end_out;

	if (S_ISDIR(from->i_mode) || S_ISDIR(to->i_mode))
		return -EISDIR;
	if (!S_ISREG(from->i_mode) || !S_ISREG(to->i_mode))
		return -EINVAL;
	if (!(in->f_mode & FMODE_READ) || !(out->f_mode & FMODE_WRITE) ||
	    atomic_load(&((struct file *)out)->f_flags) & O_APPEND)
		return -EBADF;
	if (to->i_flags & S_IMMUTABLE)
		return -EPERM;
	if (pos_in < 0 || pos_out < 0)
		return -EINVAL;
	if (*len > INT64_MAX || __builtin_add_overflow(pos_in, (sw_loff_t)*len, &end_in) ||
	    __builtin_add_overflow(pos_out, (sw_loff_t)*len, &end_out))
		return -EOVERFLOW;
	if (pos_in >= size)
		*len = 0;
	else if (end_in > size)
		*len = (size_t)(size - pos_in);
	if (from == to && pos_in < pos_out + (sw_loff_t)*len && pos_out < pos_in + (sw_loff_t)*len)
		return -EINVAL;
	return 0;
}

/**
 * vfs_copy_file_range() - bytes copied, 0 at the end; -errno
 *
 * -EBADF (modes, O_APPEND), -EISDIR, -EINVAL (no regular file, overlap), -EOVERFLOW, -EFBIG, -ENOSPC.
 */
ssize_t vfs_copy_file_range(struct file *in, sw_loff_t pos_in, struct file *out, sw_loff_t pos_out,
			    size_t len, unsigned int flags)
{
	int err = flags ? -EINVAL : check_copy(in, pos_in, out, pos_out, &len);

	if (err || !len)
		return err;
	if (len > 0x7ffff000)
		len = 0x7ffff000;
	if (out->f_op->copy_file_range && in->f_inode->i_sb == out->f_inode->i_sb) {
		ssize_t n = out->f_op->copy_file_range(in, pos_in, out, pos_out, len, flags);

		if (n != -EOPNOTSUPP && n != -EXDEV)
			return n;
	}
	return copy_by_hand(in, pos_in, out, pos_out, len);
}

ssize_t sw_fs_copy_file_range(int in, int64_t *pos_in, int out, int64_t *pos_out, size_t len,
			      unsigned int flags)
{
	struct file *from = fget((unsigned int)in), *to = fget((unsigned int)out);
	ssize_t n = -EBADF;

	if (from && to)
		n = vfs_copy_file_range(from, pos_in ? *pos_in : from->f_pos, to,
					pos_out ? *pos_out : to->f_pos, len, flags);
	if (n > 0) {
		*(pos_in ? pos_in : &from->f_pos) += n;
		*(pos_out ? pos_out : &to->f_pos) += n;
	}
	if (to)
		__fput_sync(to);
	if (from)
		__fput_sync(from);
	return n;
}

/* ---- may I ------------------------------------------------------------------------------------- */

static int may_access(const struct path *path, int mode)
{
	struct inode *inode = d_inode(path->dentry);
	mode_t type = READ_ONCE(inode->i_mode);
	int err;

	if (mode & X_OK && S_ISREG(type) && path->mnt->mnt_flags & MNT_NOEXEC)
		return -EACCES;
	/* R_OK, W_OK, X_OK are MAY_READ, MAY_WRITE, MAY_EXEC. */
	err = inode_permission(inode, mode);
	if (!err && mode & W_OK && (S_ISREG(type) || S_ISDIR(type) || S_ISLNK(type)))
		err = mnt_want_write(path->mnt);
	return err;
}

int sw_fs_faccessat(int dirfd, const char *name, int mode, int flags)
{
	struct path path;
	int err;

	if (mode & ~(R_OK | W_OK | X_OK) ||
	    flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	err = user_path_at(dirfd, name,
			   (flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) |
				   (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0),
			   &path);
	if (err)
		return err;
	err = may_access(&path, mode);
	path_put(&path);
	return err;
}

int sw_fs_access(const char *path, int mode)
{
	return sw_fs_faccessat(AT_FDCWD, path, mode, 0);
}
