/* SPDX-License-Identifier: MIT */
/*
 * permission.c - who may
 *
 * Room: vfs. Owner, group or other, whichever fits first; then root: everything but executing what
 * nobody may execute. All of it reads single words, so it may run in an RCU walk.
 *
 * Source: POSIX.1-2017, 4.5 File Access Permissions; Linux 5.4, fs/namei.c.
 */

#include "vfs/namei.h"
#include "vfs/vfs_internal.h"

/* setgid is looked at before the umask: who asks for a group's rights is meant, not what is left of it. */
mode_t mode_of_new(const struct inode *dir, mode_t mode)
{
	const struct cred *cred = cred_now();

	if ((mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) && !S_ISDIR(mode) &&
	    READ_ONCE(dir->i_mode) & S_ISGID && !cred_capable(cred) &&
	    !in_group(cred, READ_ONCE(dir->i_gid)))
		mode &= ~(mode_t)S_ISGID;
	return mode & ~current_umask();
}

int generic_permission(struct inode *inode, int mask)
{
	mode_t mode = READ_ONCE(inode->i_mode);
	const struct cred *cred = cred_now();
	mode_t bits = mode;

	mask &= MAY_READ | MAY_WRITE | MAY_EXEC;
	if (cred->fsuid == READ_ONCE(inode->i_uid))
		bits >>= 6;
	else if (in_group(cred, READ_ONCE(inode->i_gid)))
		bits >>= 3;
	if (!((mode_t)mask & ~bits & 7))
		return 0;
	if (cred_capable(cred) && (!(mask & MAY_EXEC) || S_ISDIR(mode) || mode & 0111))
		return 0;
	return -EACCES;
}

/**
 * inode_permission() - may the caller do @mask to @inode?
 * @mask: MAY_*; with MAY_NOT_BLOCK it may answer -ECHILD: ask again without
 *
 * Return: 0, -EACCES, -EPERM (immutable), -EROFS, -ECHILD.
 */
int inode_permission(struct inode *inode, int mask)
{
	mode_t mode = READ_ONCE(inode->i_mode);

	if (mask & MAY_WRITE) {
		if (IS_RDONLY(inode) && (S_ISREG(mode) || S_ISDIR(mode) || S_ISLNK(mode)))
			return -EROFS;
		if (READ_ONCE(inode->i_flags) & S_IMMUTABLE)
			return -EPERM;
	}
	if (inode->i_op->permission)
		return inode->i_op->permission(inode, mask);
	return generic_permission(inode, mask);
}

/* A sticky directory: only the owner of the file, of the directory, and root remove. */
static bool sticky_forbids(struct inode *dir, struct inode *inode)
{
	const struct cred *cred = cred_now();

	return READ_ONCE(dir->i_mode) & S_ISVTX && cred->fsuid != READ_ONCE(inode->i_uid) &&
	       cred->fsuid != READ_ONCE(dir->i_uid) && !cred_capable(cred);
}

/* Names are to be added to @dir, whose i_rwsem is held: @child is negative and it is alive. */
int may_create(struct inode *dir, struct dentry *child)
{
	if (d_inode(child))
		return -EEXIST;
	if (IS_DEADDIR(dir))
		return -ENOENT;
	return inode_permission(dir, MAY_WRITE | MAY_EXEC);
}

/* The name @victim is to be removed from @dir, or replaced. */
int may_delete(struct inode *dir, struct dentry *victim, bool isdir)
{
	struct inode *inode = d_inode(victim);
	int err;

	if (!inode)
		return -ENOENT;
	err = inode_permission(dir, MAY_WRITE | MAY_EXEC);
	if (err)
		return err;
	if (READ_ONCE(dir->i_flags) & S_APPEND)
		return -EPERM;
	if (sticky_forbids(dir, inode) || READ_ONCE(inode->i_flags) & (S_APPEND | S_IMMUTABLE))
		return -EPERM;
	if (isdir) {
		if (!S_ISDIR(inode->i_mode))
			return -ENOTDIR;
		if (victim == victim->d_sb->s_root)
			return -EBUSY;
	} else if (S_ISDIR(inode->i_mode)) {
		return -EISDIR;
	}
	if (IS_DEADDIR(dir))
		return -ENOENT;
	return 0;
}
