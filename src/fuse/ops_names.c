/* SPDX-License-Identifier: MIT */
/*
 * ops_names.c - requests that look up, make and remove names
 *
 * Room: fuse. Each is a vfs_* call on the parent's dentry, with its i_rwsem held where vfs asks for it.
 */

#include <stdio.h> /* RENAME_* */
#include <string.h>

#include "fuse/fuse_internal.h"

void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct dentry *dentry;
	struct call call;
	int err;

	if (!call_begin(&call, req, parent))
		return;
	err = check_name(name);
	dentry = err ? ERR_PTR(err) :
		       lookup_one_unlocked(name, call.node->dentry, (int)strlen(name));
	if (IS_ERR(dentry)) {
		call_error(&call, PTR_ERR(dentry));
	} else {
		call_entry(&call, dentry);
		dput(dentry);
	}
	call_end(&call);
}

/* The directory is locked and this is its child, maybe negative. ERR_PTR: it is not locked. */
static struct dentry *child_lock(const struct node *dir, const char *name)
{
	struct dentry *dentry;
	int err = check_name(name);

	if (err)
		return ERR_PTR(err);
	if (!S_ISDIR(dir->inode->i_mode))
		return ERR_PTR(-ENOTDIR);
	inode_lock(dir->inode);
	dentry = lookup_one_len(name, dir->dentry, (int)strlen(name));
	if (IS_ERR(dentry))
		inode_unlock(dir->inode);
	return dentry;
}

static void child_unlock(const struct node *dir, struct dentry *dentry)
{
	inode_unlock(dir->inode);
	dput(dentry);
}

/* What is to be made; which of the fields count depends on mode and target. */
struct making {
	mode_t mode;
	dev_t rdev;
	const char *target;  /* a symlink */
	struct node *linked; /* one more name of this */
};

static int make(struct inode *dir, struct dentry *dentry, const struct making *m)
{
	if (m->linked)
		return vfs_link(m->linked->dentry, dir, dentry);
	if (m->target)
		return vfs_symlink(dir, dentry, m->target);
	if (S_ISDIR(m->mode))
		return vfs_mkdir(dir, dentry, m->mode & ~S_IFMT);
	if (S_ISREG(m->mode))
		return vfs_create(dir, dentry, m->mode, true);
	return vfs_mknod(dir, dentry, m->mode, m->rdev);
}

static void make_and_answer(fuse_req_t req, fuse_ino_t parent, const char *name,
			    const struct making *m)
{
	struct dentry *dentry, *made;
	struct call call;
	int err;

	if (!call_begin(&call, req, parent))
		return;
	dentry = child_lock(call.node, name);
	if (IS_ERR(dentry)) {
		call_error(&call, PTR_ERR(dentry));
		call_end(&call);
		return;
	}
	err = make(call.node->inode, dentry, m);
	inode_unlock(call.node->inode);
	made = dentry;
	if (!err && d_is_negative(dentry)) /* the file system hashed another dentry, or none */
		made = lookup_one_unlocked(name, call.node->dentry, (int)strlen(name));
	if (err)
		call_error(&call, err);
	else if (IS_ERR(made))
		call_error(&call, PTR_ERR(made));
	else
		call_entry(&call, made);
	if (made != dentry && !IS_ERR(made))
		dput(made);
	dput(dentry);
	call_end(&call);
}

void op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)
{
	struct making m = { .mode = mode & S_IFMT ? mode : mode | S_IFREG, .rdev = rdev };

	/* A directory is not made so, and a symlink has a target. */
	if (S_ISDIR(m.mode) || S_ISLNK(m.mode))
		fuse_reply_err(req, EINVAL);
	else
		make_and_answer(req, parent, name, &m);
}

void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	struct making m = { .mode = S_IFDIR | (mode & 07777) };

	make_and_answer(req, parent, name, &m);
}

void op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
	struct making m = { .target = target };
	size_t len = strlen(target);

	if (!len || len >= PATH_MAX)
		fuse_reply_err(req, len ? ENAMETOOLONG : ENOENT);
	else
		make_and_answer(req, parent, name, &m);
}

void op_link(fuse_req_t req, fuse_ino_t id, fuse_ino_t parent, const char *name)
{
	struct making m = { .linked = node_get(id) };

	if (!m.linked) {
		fuse_reply_err(req, ESTALE);
		return;
	}
	make_and_answer(req, parent, name, &m);
	node_put(m.linked);
}

static void remove_and_answer(fuse_req_t req, fuse_ino_t parent, const char *name,
			      int (*remove)(struct inode *dir, struct dentry *dentry))
{
	struct dentry *dentry;
	struct call call;
	int err;

	if (!call_begin(&call, req, parent))
		return;
	dentry = child_lock(call.node, name);
	if (IS_ERR(dentry)) {
		call_error(&call, PTR_ERR(dentry));
	} else {
		err = d_is_negative(dentry) ? -ENOENT : remove(call.node->inode, dentry);
		child_unlock(call.node, dentry);
		call_error(&call, err);
	}
	call_end(&call);
}

void op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	remove_and_answer(req, parent, name, vfs_unlink);
}

void op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	remove_and_answer(req, parent, name, vfs_rmdir);
}

/* Both directories are locked; @trap is the one that holds the other, if any. */
static int rename_locked(const struct node *from, const char *name, const struct node *to,
			 const char *new_name, const struct dentry *trap, unsigned int flags)
{
	struct dentry *old, *new;
	int err;

	old = lookup_one_len(name, from->dentry, (int)strlen(name));
	if (IS_ERR(old))
		return (int)PTR_ERR(old);
	new = lookup_one_len(new_name, to->dentry, (int)strlen(new_name));
	if (IS_ERR(new)) {
		dput(old);
		return (int)PTR_ERR(new);
	}
	if (d_is_negative(old) || (flags & RENAME_EXCHANGE && d_is_negative(new)))
		err = -ENOENT;
	else if (flags & RENAME_NOREPLACE && !d_is_negative(new))
		err = -EEXIST;
	else if (old == trap)
		err = -EINVAL;
	else if (new == trap)
		err = flags & RENAME_EXCHANGE ? -EINVAL : -ENOTEMPTY;
	else
		err = vfs_rename(from->inode, old, to->inode, new, flags);
	dput(new);
	dput(old);
	return err;
}

void op_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
	       const char *new_name, unsigned int flags)
{
	struct node *to = node_get(new_parent);
	struct dentry *trap;
	struct call call;
	int err;

	if (!to) {
		fuse_reply_err(req, ESTALE);
		return;
	}
	if (!call_begin(&call, req, parent)) {
		node_put(to);
		return;
	}
	err = check_name(name);
	if (!err)
		err = check_name(new_name);
	if (!err && (!S_ISDIR(call.node->inode->i_mode) || !S_ISDIR(to->inode->i_mode)))
		err = -ENOTDIR;
	if (!err && (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE) ||
		     flags == (RENAME_NOREPLACE | RENAME_EXCHANGE)))
		err = -EINVAL;
	if (!err) {
		trap = lock_rename(call.node->dentry, to->dentry);
		err = rename_locked(call.node, name, to, new_name, trap, flags);
		unlock_rename(call.node->dentry, to->dentry);
	}
	call_error(&call, err);
	call_end(&call);
	node_put(to);
}
