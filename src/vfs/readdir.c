/* SPDX-License-Identifier: MIT */
/*
 * readdir.c - what is in a directory
 *
 * Room: vfs. Door: sw_fs_getdents(), iterate_dir(), dir_emit_dots(), simple_dir_operations.
 *
 * ->iterate_shared hands entry after entry to ctx->actor, with ctx->pos the offset of that entry; a false from
 * the actor ends it, and the entry is handed out first the next time. Directories of simple_dir_operations are their
 * children in the dentry cache: an offset is a number that a child gets when it is first seen (d_time), so
 * that removals and additions meanwhile move nobody else.
 */

#include <dirent.h>

#include "vfs/vfs_internal.h"

bool dir_emit_dots(struct file *file, struct dir_context *ctx)
{
	struct dentry *dentry = file->f_path.dentry;

	if (ctx->pos == 0) {
		if (!dir_emit(ctx, ".", 1, file->f_inode->i_ino, DT_DIR))
			return false;
		ctx->pos = 1;
	}
	if (ctx->pos == 1) {
		struct inode *parent;
		uint64_t ino;

		rcu_read_lock();
		parent = d_inode(rcu_dereference(dentry->d_parent));
		ino = parent ? READ_ONCE(parent->i_ino) : file->f_inode->i_ino;
		rcu_read_unlock();
		if (!dir_emit(ctx, "..", 2, ino, DT_DIR))
			return false;
		ctx->pos = 2;
	}
	return true;
}

/**
 * iterate_dir() - hand the entries from file->f_pos on to @ctx
 *
 * Context: May sleep; takes i_rwsem shared. f_pos is the caller's to guard.
 * Return: 0; -ENOTDIR, -ENOENT (the directory was removed), and what the file system says.
 */
int iterate_dir(struct file *file, struct dir_context *ctx)
{
	struct inode *inode = file->f_inode;
	int err;

	if (!S_ISDIR(inode->i_mode) || !file->f_op->iterate_shared)
		return -ENOTDIR;
	inode_lock_shared(inode);
	err = -ENOENT;
	if (!IS_DEADDIR(inode)) {
		ctx->pos = file->f_pos;
		err = file->f_op->iterate_shared(file, ctx);
		file->f_pos = ctx->pos;
	}
	inode_unlock_shared(inode);
	if (!err && !(atomic_load_explicit(&file->f_flags, memory_order_relaxed) & O_NOATIME))
		touch_atime(&file->f_path);
	return err;
}

/* ---- packing -------------------------------------------------------------------------- */

struct packer {
	struct dir_context ctx;
	char *at;
	size_t left;
	struct sw_fs_dirent *last; /* its d_off is where the next one begins */
	int err;
};

static bool pack(struct dir_context *ctx, const char *name, int len, sw_loff_t offset, uint64_t ino,
		 unsigned int d_type)
{
	struct packer *p = container_of(ctx, struct packer, ctx);
	size_t need = offsetof(struct sw_fs_dirent, d_name) + (size_t)len + 1;
	struct sw_fs_dirent *d = (void *)p->at;

	need = (need + 7) & ~(size_t)7;
	if (need > p->left) {
		p->err = -EINVAL;
		return false;
	}
	if (p->last)
		p->last->d_off = offset;
	d->d_ino = ino;
	d->d_off = offset;
	d->d_reclen = (unsigned short)need;
	d->d_type = (unsigned char)d_type;
	memcpy(d->d_name, name, (size_t)len);
	memset(d->d_name + len, 0, need - offsetof(struct sw_fs_dirent, d_name) - (size_t)len);
	p->last = d;
	p->at += need;
	p->left -= need;
	return true;
}

ssize_t sw_fs_getdents(int fd, void *buf, size_t size)
{
	struct packer p = { .ctx = { .actor = pack }, .at = buf, .left = size };
	struct file *file = fget((unsigned int)fd);
	bool locked;
	ssize_t n;

	if (!file)
		return -EBADF;
	locked = file_pos_lock(file);
	n = iterate_dir(file, &p.ctx);
	if (p.last) {
		p.last->d_off = p.ctx.pos;
		n = (ssize_t)(size - p.left);
	} else if (!n) {
		n = p.err;
	}
	file_pos_unlock(file, locked);
	__fput_sync(file);
	return n;
}

/* ---- directories that are their dentries -------------------------------------------------- */

#define FIRST_COOKIE 3

/* The parent's d_lock is held: the first living child at or after @list whose cookie is >= pos, referenced. */
static struct dentry *next_child(struct dentry *parent, struct list_head *list, sw_loff_t pos)
{
	static _Atomic unsigned long next_cookie = FIRST_COOKIE;

	for (; list != &parent->d_subdirs; list = list->next) {
		struct dentry *child = list_entry(list, struct dentry, d_child);

		if (!child->d_time)
			child->d_time = atomic_fetch_add(&next_cookie, 1);
		if ((sw_loff_t)child->d_time >= pos && d_inode(child) && !d_unhashed(child) &&
		    d_get_rcu(child))
			return child;
	}
	return NULL;
}

static int dcache_readdir(struct file *file, struct dir_context *ctx)
{
	struct dentry *parent = file->f_path.dentry, *child, *before = NULL;
	bool room = true;

	if (!dir_emit_dots(file, ctx))
		return 0;
	while (room) {
		struct inode *inode;

		/* A child that is held stays in its place in the list; its directory cannot change under i_rwsem. */
		spin_lock(&parent->d_lock);
		child = next_child(parent, before ? before->d_child.next : parent->d_subdirs.next,
				   ctx->pos);
		spin_unlock(&parent->d_lock);
		dput(before);
		before = child;
		if (!child)
			break;
		inode = d_inode(child);
		ctx->pos = (sw_loff_t)child->d_time;
		room = !inode || dir_emit(ctx, child->d_name.name, (int)child->d_name.len,
					  inode->i_ino, inode->i_mode >> 12);
		if (room)
			ctx->pos++;
	}
	dput(before);
	return 0;
}

const struct file_operations simple_dir_operations = {
	.llseek = generic_file_llseek,
	.iterate_shared = dcache_readdir,
	.fsync = noop_fsync,
};
