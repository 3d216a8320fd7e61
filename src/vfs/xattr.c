/* SPDX-License-Identifier: MIT */
/*
 * xattr.c - extended attributes
 *
 * Room: vfs. Door: sw_fs_getxattr() and kin, vfs_getxattr() and kin.
 *
 * Who may: user.* as the file's contents, on files and directories only (in a sticky directory only its owner
 * sets); trusted.* is root's and nobody else's to see; security.* is everybody's to read and root's to
 * set. What there is, and how it is kept, is the file system's.
 */

#include <sys/xattr.h>

#include "vfs/vfs_internal.h"

#define NAME_MAX_XATTR 255
#define SIZE_MAX_XATTR 65536

static bool has_prefix(const char *name, const char *prefix)
{
	return !strncmp(name, prefix, strlen(prefix));
}

static int check_name(const char *name)
{
	size_t len = strnlen(name, NAME_MAX_XATTR + 1);

	return len && len <= NAME_MAX_XATTR ? 0 : -ERANGE;
}

/* Who may is asked before what it is: as Linux has it. */
static int check_kind(const char *name)
{
	if (!has_prefix(name, "user.") && !has_prefix(name, "trusted.") &&
	    !has_prefix(name, "security.") && !has_prefix(name, "system."))
		return -EOPNOTSUPP;
	if (strchr(name, '.')[1] == 0)
		return -EINVAL;
	return 0;
}

static int xattr_permission(struct inode *inode, const char *name, int mask)
{
	mode_t mode = READ_ONCE(inode->i_mode);
	bool write = mask & MAY_WRITE;

	if (write && IS_RDONLY(inode))
		return -EROFS;
	if (write && inode->i_flags & (S_IMMUTABLE | S_APPEND))
		return -EPERM;
	if (has_prefix(name, "system."))
		return 0;
	if (has_prefix(name, "security."))
		return write && !cred_capable(current_cred()) ? -EPERM : 0;
	if (has_prefix(name, "trusted.")) {
		if (cred_capable(current_cred()))
			return 0;
		return write ? -EPERM : -ENODATA;
	}
	if (has_prefix(name, "user.")) {
		if (!S_ISREG(mode) && !S_ISDIR(mode))
			return write ? -EPERM : -ENODATA;
		if (S_ISDIR(mode) && mode & S_ISVTX && write && !inode_owner_or_capable(inode))
			return -EPERM;
	}
	return inode_permission(inode, mask);
}

/**
 * vfs_getxattr() - the value of @name
 * @size: 0: only its length
 *
 * Return: bytes; -ENODATA, -ERANGE (does not fit), -EOPNOTSUPP, -EACCES.
 */
ssize_t vfs_getxattr(struct dentry *dentry, const char *name, void *value, size_t size)
{
	struct inode *inode = d_inode(dentry);
	int err = check_name(name);

	if (!err)
		err = xattr_permission(inode, name, MAY_READ);
	if (!err)
		err = check_kind(name);
	if (err)
		return err;
	if (!inode->i_op->getxattr)
		return -EOPNOTSUPP;
	return inode->i_op->getxattr(dentry, name, value,
				     size > SIZE_MAX_XATTR ? SIZE_MAX_XATTR : size);
}

/** vfs_setxattr() - @value NULL: remove. Takes i_rwsem of the inode. 0 or -errno */
int vfs_setxattr(struct dentry *dentry, const char *name, const void *value, size_t size, int flags)
{
	struct inode *inode = d_inode(dentry);
	int err = check_name(name);

	if (flags & ~(XATTR_CREATE | XATTR_REPLACE))
		err = -EINVAL;
	if (!err && size > SIZE_MAX_XATTR)
		err = -E2BIG;
	if (!err)
		err = xattr_permission(inode, name, MAY_WRITE);
	if (!err)
		err = check_kind(name);
	if (err)
		return err;
	if (!inode->i_op->setxattr)
		return -EOPNOTSUPP;
	inode_lock(inode);
	err = inode->i_op->setxattr(dentry, name, value, size, flags);
	inode_unlock(inode);
	return err;
}

/** vfs_listxattr() - names, each with its NUL; @size 0: only how long. Bytes, -ERANGE. */
ssize_t vfs_listxattr(struct dentry *dentry, char *list, size_t size)
{
	struct inode *inode = d_inode(dentry);

	if (!inode->i_op->listxattr)
		return 0;
	return inode->i_op->listxattr(dentry, list, size > SIZE_MAX_XATTR ? SIZE_MAX_XATTR : size);
}

/* ---- calls: by path, by the link itself, by fd -------------------------------------------------- */

static int fd_path(int fd, struct path *path)
{
	struct file *file = fget((unsigned int)fd);

	if (!file)
		return -EBADF;
	*path = file->f_path;
	path_get(path);
	__fput_sync(file);
	return 0;
}

static int find(const char *name, int fd, unsigned int lookup, struct path *path)
{
	return name ? user_path_at(AT_FDCWD, name, lookup, path) : fd_path(fd, path);
}

static ssize_t get(const char *path_name, int fd, unsigned int lookup, const char *name,
		   void *value, size_t size)
{
	struct path path;
	ssize_t n = find(path_name, fd, lookup, &path);

	if (n)
		return n;
	n = vfs_getxattr(path.dentry, name, value, size);
	path_put(&path);
	return n;
}

static int set(const char *path_name, int fd, unsigned int lookup, const char *name,
	       const void *value, size_t size, int flags)
{
	static const char nothing;
	struct path path;
	int err = find(path_name, fd, lookup, &path);

	if (err)
		return err;
	err = mnt_want_write(path.mnt);
	/* An empty value is no removal. */
	if (!err)
		err = vfs_setxattr(path.dentry, name, value || size ? value : &nothing, size,
				   flags);
	path_put(&path);
	return err;
}

static ssize_t list_names(const char *path_name, int fd, unsigned int lookup, char *list,
			  size_t size)
{
	struct path path;
	ssize_t n = find(path_name, fd, lookup, &path);

	if (n)
		return n;
	n = vfs_listxattr(path.dentry, list, size);
	path_put(&path);
	return n;
}

static int unset(const char *path_name, int fd, unsigned int lookup, const char *name)
{
	struct path path;
	int err = find(path_name, fd, lookup, &path);

	if (err)
		return err;
	err = mnt_want_write(path.mnt);
	if (!err)
		err = vfs_setxattr(path.dentry, name, NULL, 0, XATTR_REPLACE);
	path_put(&path);
	return err;
}

ssize_t sw_fs_getxattr(const char *path, const char *name, void *value, size_t size)
{
	return get(path, 0, LOOKUP_FOLLOW, name, value, size);
}

ssize_t sw_fs_lgetxattr(const char *path, const char *name, void *value, size_t size)
{
	return get(path, 0, 0, name, value, size);
}

ssize_t sw_fs_fgetxattr(int fd, const char *name, void *value, size_t size)
{
	return get(NULL, fd, 0, name, value, size);
}

int sw_fs_setxattr(const char *path, const char *name, const void *value, size_t size, int flags)
{
	return set(path, 0, LOOKUP_FOLLOW, name, value, size, flags);
}

int sw_fs_lsetxattr(const char *path, const char *name, const void *value, size_t size, int flags)
{
	return set(path, 0, 0, name, value, size, flags);
}

int sw_fs_fsetxattr(int fd, const char *name, const void *value, size_t size, int flags)
{
	return set(NULL, fd, 0, name, value, size, flags);
}

ssize_t sw_fs_listxattr(const char *path, char *list, size_t size)
{
	return list_names(path, 0, LOOKUP_FOLLOW, list, size);
}

ssize_t sw_fs_llistxattr(const char *path, char *list, size_t size)
{
	return list_names(path, 0, 0, list, size);
}

ssize_t sw_fs_flistxattr(int fd, char *list, size_t size)
{
	return list_names(NULL, fd, 0, list, size);
}

int sw_fs_removexattr(const char *path, const char *name)
{
	return unset(path, 0, LOOKUP_FOLLOW, name);
}

int sw_fs_lremovexattr(const char *path, const char *name)
{
	return unset(path, 0, 0, name);
}

int sw_fs_fremovexattr(int fd, const char *name)
{
	return unset(NULL, fd, 0, name);
}
