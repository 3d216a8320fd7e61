/* SPDX-License-Identifier: MIT */
/*
 * dir.c - names in tmpfs
 *
 * Room: fstypes/tmpfs. A linked name is a dentry with a reference of ours, and a place in its directory's entries
 * (entries.c); d_fsdata is the offset of that. Offsets only go up (2 is the first), so a
 * reader of a directory that changes under it sees each entry that stays exactly once: who goes
 * on at offset N sees what was there behind N, and what was made since.
 *
 * All changes hold i_rwsem of the directories for writing, ->iterate_shared for reading. Whoever adds
 * stores the entry first: after that nothing can fail.
 *
 * Source: Linux 6.12, fs/libfs.c (stable directory offsets of tmpfs since 6.6): the behaviour, not the text.
 */

#include <limits.h>
#include <string.h>

#include <slabwork/slab.h>

#include "fstypes/tmpfs/tmpfs.h"

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1u
#define RENAME_EXCHANGE  2u
#endif

static unsigned long dentry_offset(const struct dentry *dentry)
{
	return (unsigned long)dentry->d_fsdata;
}

static struct tmpfs_entries *entries_of(struct inode *dir)
{
	return &tmpfs_i(dir)->entries;
}

static void grow_dir(struct inode *dir, int entries, const struct timespec *now)
{
	i_size_write(dir, i_size_read(dir) + entries * TMPFS_DIRENT_SIZE);
	inode_stamp_at(dir, STAMP_CTIME | STAMP_MTIME, now);
}

/* The name exists from @now on. 0 or -ENOMEM; @inode stays the caller's then. */
static int link_name(struct inode *dir, struct dentry *dentry, struct inode *inode,
		     const struct timespec *now)
{
	int err = entries_add(entries_of(dir), dentry);

	if (err)
		return err;
	dget(dentry);
	d_instantiate(dentry, inode);
	grow_dir(dir, 1, now);
	return 0;
}

static struct dentry *tmpfs_lookup(struct inode *dir, struct dentry *dentry, unsigned int flags)
{
	(void)dir;
	(void)flags;
	if (dentry->d_name.len > 255)
		return ERR_PTR(-ENAMETOOLONG);
	d_add(dentry, NULL);
	return NULL;
}

static int tmpfs_mknod(struct inode *dir, struct dentry *dentry, mode_t mode, dev_t dev)
{
	struct inode *inode = tmpfs_new_inode(dir->i_sb, dir, mode, dev);
	int err;

	if (IS_ERR(inode))
		return (int)PTR_ERR(inode);
	err = link_name(dir, dentry, inode, &inode->i_ctime);
	if (err) {
		clear_nlink(inode);
		iput(inode);
	}
	return err;
}

static int tmpfs_create(struct inode *dir, struct dentry *dentry, mode_t mode, bool excl)
{
	(void)excl;
	return tmpfs_mknod(dir, dentry, mode | S_IFREG, 0);
}

static int tmpfs_mkdir(struct inode *dir, struct dentry *dentry, mode_t mode)
{
	int err = tmpfs_mknod(dir, dentry, mode | S_IFDIR, 0);

	if (!err)
		inc_nlink(dir);
	return err;
}

static const struct inode_operations tmpfs_symlink_inode_operations = {
	.get_link = simple_get_link,
	.setattr = tmpfs_setattr,
	.listxattr = tmpfs_listxattr,
	.getxattr = tmpfs_getxattr,
	.setxattr = tmpfs_setxattr,
};

static int tmpfs_symlink(struct inode *dir, struct dentry *dentry, const char *target)
{
	size_t len = strlen(target);
	struct inode *inode;
	char *copy;
	int err = -ENOMEM;

	if (len >= PAGE_SIZE)
		return -ENAMETOOLONG;
	inode = tmpfs_new_inode(dir->i_sb, dir, S_IFLNK | 0777, 0);
	if (IS_ERR(inode))
		return (int)PTR_ERR(inode);
	copy = tmpfs_link_target(target, len);
	if (copy) {
		WRITE_WORD(inode->i_link, copy);
		WRITE_WORD(inode->i_op, &tmpfs_symlink_inode_operations);
		i_size_write(inode, (sw_loff_t)len);
		err = link_name(dir, dentry, inode, &inode->i_ctime);
	}
	if (err) {
		clear_nlink(inode);
		iput(inode);
	}
	return err;
}

static int tmpfs_link(struct dentry *old, struct inode *dir, struct dentry *dentry)
{
	struct inode *inode = d_inode(old);
	struct tmpfs_sb *sbi = tmpfs_sb(dir->i_sb);
	/* The first name of an O_TMPFILE is paid for. */
	bool pays = atomic_load_explicit(&inode->i_nlink, memory_order_relaxed) > 0;
	struct timespec now = current_time(inode);
	int err;

	if (pays && !tmpfs_take_inode(sbi))
		return -ENOSPC;
	ihold(inode);
	err = link_name(dir, dentry, inode, &now);
	if (err) {
		iput(inode);
		if (pays)
			tmpfs_give_inode(sbi);
		return err;
	}
	inc_nlink(inode);
	inode_stamp_at(inode, STAMP_CTIME, &now);
	return 0;
}

static int tmpfs_unlink(struct inode *dir, struct dentry *dentry)
{
	struct inode *inode = d_inode(dentry);
	struct timespec now = current_time(inode);

	if (!S_ISDIR(inode->i_mode) &&
	    atomic_load_explicit(&inode->i_nlink, memory_order_relaxed) > 1)
		tmpfs_give_inode(tmpfs_sb(inode->i_sb));
	entries_remove(entries_of(dir), dentry_offset(dentry));
	grow_dir(dir, -1, &now);
	inode_stamp_at(inode, STAMP_CTIME, &now);
	drop_nlink(inode);
	dput(dentry);
	return 0;
}

static int tmpfs_rmdir(struct inode *dir, struct dentry *dentry)
{
	if (entries_of(d_inode(dentry))->live)
		return -ENOTEMPTY;
	drop_nlink(d_inode(dentry));
	drop_nlink(dir);
	return tmpfs_unlink(dir, dentry);
}

/* The entries change places; each dentry keeps the offset of the other. */
static void exchange(struct inode *old_dir, struct dentry *old, struct inode *new_dir,
		     struct dentry *new)
{
	void *old_offset = old->d_fsdata;

	entries_replace(entries_of(old_dir), dentry_offset(old), new);
	entries_replace(entries_of(new_dir), dentry_offset(new), old);
	old->d_fsdata = new->d_fsdata;
	new->d_fsdata = old_offset;
	if (old_dir != new_dir) {
		bool old_is_dir = S_ISDIR(d_inode(old)->i_mode);
		bool new_is_dir = S_ISDIR(d_inode(new)->i_mode);

		if (old_is_dir && !new_is_dir) {
			drop_nlink(old_dir);
			inc_nlink(new_dir);
		} else if (new_is_dir && !old_is_dir) {
			drop_nlink(new_dir);
			inc_nlink(old_dir);
		}
	}
	inode_stamp(d_inode(new), STAMP_CTIME);
}

/* @new goes: unlinked, and its place is @old's. */
static void replace(struct inode *new_dir, struct dentry *old, struct dentry *new)
{
	struct inode *victim = d_inode(new);

	entries_replace(entries_of(new_dir), dentry_offset(new), old);
	old->d_fsdata = new->d_fsdata;
	if (S_ISDIR(victim->i_mode)) {
		drop_nlink(victim);
		drop_nlink(new_dir);
	} else if (atomic_load_explicit(&victim->i_nlink, memory_order_relaxed) > 1) {
		tmpfs_give_inode(tmpfs_sb(victim->i_sb));
	}
	drop_nlink(victim);
	inode_stamp(victim, STAMP_CTIME);
	dput(new);
}

/* vfs moves the dentries when we have said yes. */
static int tmpfs_rename(struct inode *old_dir, struct dentry *old, struct inode *new_dir,
			struct dentry *new, unsigned int flags)
{
	unsigned long old_offset = dentry_offset(old);
	bool is_dir = S_ISDIR(d_inode(old)->i_mode);
	struct timespec now = current_time(old_dir);
	int err;

	if (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	if (flags & RENAME_EXCHANGE) {
		exchange(old_dir, old, new_dir, new);
		inode_stamp(new_dir, STAMP_CTIME | STAMP_MTIME);
		inode_stamp(old_dir, STAMP_CTIME | STAMP_MTIME);
		inode_stamp(d_inode(old), STAMP_CTIME);
		return 0;
	}
	if (d_is_negative(new)) {
		err = entries_add(entries_of(new_dir), old);
		if (err)
			return err;
		grow_dir(new_dir, 1, &now);
	} else {
		if (S_ISDIR(d_inode(new)->i_mode) && entries_of(d_inode(new))->live)
			return -ENOTEMPTY;
		replace(new_dir, old, new);
		inode_stamp(new_dir, STAMP_CTIME | STAMP_MTIME);
	}
	entries_remove(entries_of(old_dir), old_offset);
	grow_dir(old_dir, -1, &now);
	if (is_dir && old_dir != new_dir) {
		drop_nlink(old_dir);
		inc_nlink(new_dir);
	}
	inode_stamp(d_inode(old), STAMP_CTIME);
	return 0;
}

/* Without a name until it is linked. */
static int tmpfs_tmpfile(struct inode *dir, struct file *file, mode_t mode)
{
	struct inode *inode = tmpfs_new_inode(dir->i_sb, dir, mode, 0);

	if (IS_ERR(inode))
		return (int)PTR_ERR(inode);
	d_tmpfile(file, inode);
	return 0;
}

static int tmpfs_iterate(struct file *file, struct dir_context *ctx)
{
	const struct tmpfs_entries *entries = entries_of(file_inode(file));
	unsigned long offset;
	struct dentry *dentry;

	if (!dir_emit_dots(file, ctx))
		return 0;
	offset = (unsigned long)ctx->pos;
	for (; (dentry = entries_find(entries, &offset)); offset++) {
		const struct inode *inode = d_inode(dentry);

		ctx->pos = (sw_loff_t)offset;
		if (!dir_emit(ctx, dentry->d_name.name, (int)dentry->d_name.len, inode->i_ino,
			      inode->i_mode >> 12 & 15))
			return 0;
		ctx->pos = (sw_loff_t)offset + 1;
	}
	return 0;
}

static sw_loff_t tmpfs_dir_llseek(struct file *file, sw_loff_t offset, int whence)
{
	if (whence == SEEK_CUR)
		offset += file->f_pos;
	else if (whence != SEEK_SET)
		return -EINVAL;
	if (offset < 0)
		return -EINVAL;
	file->f_pos = offset;
	return offset;
}

void tmpfs_forget_names(struct dentry *root)
{
	struct dentry *dir = root;

	/* Down to a directory without subdirectories, up when it is empty: no recursion. */
	for (;;) {
		struct tmpfs_entries *entries = entries_of(d_inode(dir));
		struct dentry *child = entries_last(entries);

		if (!child) {
			if (dir == root)
				return;
			dir = dir->d_parent;
			continue;
		}
		if (S_ISDIR(d_inode(child)->i_mode) && entries_of(d_inode(child))->live) {
			dir = child;
			continue;
		}
		entries_remove(entries, dentry_offset(child));
		dput(child);
	}
}

const struct file_operations tmpfs_dir_operations = {
	.llseek = tmpfs_dir_llseek,
	.iterate_shared = tmpfs_iterate,
	.fsync = noop_fsync,
};

const struct inode_operations tmpfs_dir_inode_operations = {
	.lookup = tmpfs_lookup,
	.create = tmpfs_create,
	.link = tmpfs_link,
	.unlink = tmpfs_unlink,
	.symlink = tmpfs_symlink,
	.mkdir = tmpfs_mkdir,
	.rmdir = tmpfs_rmdir,
	.mknod = tmpfs_mknod,
	.rename = tmpfs_rename,
	.tmpfile = tmpfs_tmpfile,
	.setattr = tmpfs_setattr,
	.listxattr = tmpfs_listxattr,
	.getxattr = tmpfs_getxattr,
	.setxattr = tmpfs_setxattr,
};
