/* SPDX-License-Identifier: MIT */
/*
 * namei_ops.c - names are made, removed, moved
 *
 * Room: vfs. Door: sw_fs_mkdir() and kin; vfs_*() for who has the dentries and holds the locks.
 *
 * A sw_fs_ call walks to the directory, takes its i_rwsem, gets the dentry of the last component
 * (user_path_create(), user_path_remove()) and calls vfs_x(), which checks who may, and then the file system.
 * What the cache says afterwards (negative entry, move) is done here, so that file systems do not have to.
 *
 * Rename: parents are locked by lock_rename(): one that is above the other first, else by address, after
 * s_vfs_rename_mutex, without which "above" could change; then a victim that is no directory, or both files
 * of an exchange, by address.
 */

#include "vfs/namei.h"

#define AT_REMOVE_FLAGS AT_REMOVEDIR

/* ---- one name, locked ----------------------------------------------------------------- */

/* last.hash is set, or -errno. */
static int last_hash(struct nameidata *nd)
{
	if (nd->last.len > SW_NAME_MAX)
		return -ENAMETOOLONG;
	return nd->hashed ? 0 : name_hash(nd->path.dentry, &nd->last);
}

static struct dentry *last_locked(struct nameidata *nd, struct path *dir)
{
	struct dentry *dentry;
	int err = last_hash(nd);

	if (err)
		return ERR_PTR(err);
	*dir = nd->path;
	nd->path = (struct path){ 0 };
	inode_lock(d_inode(dir->dentry));
	dentry = lookup_locked(&nd->last, dir->dentry);
	if (IS_ERR(dentry))
		done_path(dir, NULL);
	return dentry;
}

void done_path(struct path *dir, struct dentry *dentry)
{
	inode_unlock(d_inode(dir->dentry));
	dput(dentry);
	path_put(dir);
}

/* flags: LOOKUP_DIRECTORY: a directory is to be made, slashes may follow. */
struct dentry *user_path_create(int dfd, const char *name, struct path *dir, unsigned int flags)
{
	struct nameidata nd;
	struct dentry *dentry;
	int err = walk_parent(&nd, dfd, name);

	if (!err && nd.last_type != LAST_NORM)
		err = -EEXIST;
	dentry = err ? ERR_PTR(err) : last_locked(&nd, dir);
	if (!IS_ERR(dentry)) {
		if (d_inode(dentry))
			err = -EEXIST;
		else if (nd.trailing && !(flags & LOOKUP_DIRECTORY))
			err = -ENOENT;
		else
			err = mnt_want_write(dir->mnt);
		if (err) {
			done_path(dir, dentry);
			dentry = ERR_PTR(err);
		}
	}
	walk_end(&nd);
	return dentry;
}

struct dentry *user_path_remove(int dfd, const char *name, struct path *dir,
				unsigned int *last_type)
{
	struct nameidata nd;
	struct dentry *dentry;
	int err = walk_parent(&nd, dfd, name);

	*last_type = LAST_NORM;
	if (!err) {
		*last_type = nd.last_type | (nd.trailing ? LAST_TRAILING : 0);
		if (nd.last_type != LAST_NORM)
			err = -EBUSY; /* the caller says it better */
	}
	if (!err)
		err = mnt_want_write(nd.path.mnt);
	dentry = err ? ERR_PTR(err) : last_locked(&nd, dir);
	walk_end(&nd);
	return dentry;
}

/* ---- making -------------------------------------------------------------------------------- */

int vfs_create(struct inode *dir, struct dentry *dentry, mode_t mode, bool excl)
{
	int err = may_create(dir, dentry);

	if (err)
		return err;
	if (!dir->i_op->create)
		return -EACCES;
	return dir->i_op->create(dir, dentry, (mode & 07777) | S_IFREG, excl);
}

static bool links_full(const struct inode *dir)
{
	unsigned int max = dir->i_sb->s_max_links;

	return max &&
	       atomic_load_explicit(&((struct inode *)dir)->i_nlink, memory_order_relaxed) >= max;
}

int vfs_mkdir(struct inode *dir, struct dentry *dentry, mode_t mode)
{
	int err = may_create(dir, dentry);

	if (err)
		return err;
	if (!dir->i_op->mkdir)
		return -EPERM;
	if (links_full(dir))
		return -EMLINK;
	return dir->i_op->mkdir(dir, dentry, mode & (0777 | S_ISVTX));
}

int vfs_mknod(struct inode *dir, struct dentry *dentry, mode_t mode, dev_t dev)
{
	int err = may_create(dir, dentry);

	if (err)
		return err;
	if ((S_ISCHR(mode) || S_ISBLK(mode)) && !cred_capable(current_cred()))
		return -EPERM;
	if (!dir->i_op->mknod)
		return -EPERM;
	return dir->i_op->mknod(dir, dentry, mode, dev);
}

int vfs_symlink(struct inode *dir, struct dentry *dentry, const char *target)
{
	int err = may_create(dir, dentry);

	if (err)
		return err;
	if (!dir->i_op->symlink)
		return -EPERM;
	return dir->i_op->symlink(dir, dentry, target);
}

/* i_rwsem of @dir held; the inode's is taken here. */
int vfs_link(struct dentry *old, struct inode *dir, struct dentry *dentry)
{
	struct inode *inode = d_inode(old);
	unsigned int nlink;
	int err;

	if (!inode)
		return -ENOENT;
	err = may_create(dir, dentry);
	if (err)
		return err;
	if (dir->i_sb != inode->i_sb)
		return -EXDEV;
	if (inode->i_flags & (S_APPEND | S_IMMUTABLE) || !dir->i_op->link || S_ISDIR(inode->i_mode))
		return -EPERM;
	inode_lock(inode);
	nlink = atomic_load_explicit(&inode->i_nlink, memory_order_relaxed);
	if (!nlink && !(atomic_load(&inode->i_state) & I_LINKABLE))
		err = -ENOENT;
	else if (links_full(inode))
		err = -EMLINK;
	else
		err = dir->i_op->link(old, dir, dentry);
	if (!err && !nlink)
		atomic_fetch_and(&inode->i_state, ~I_LINKABLE);
	inode_unlock(inode);
	return err;
}

/* ---- removing ---------------------------------------------------------------------------------- */

static bool is_mountpoint(const struct dentry *dentry)
{
	return atomic_load_explicit(&((struct dentry *)dentry)->d_flags, memory_order_acquire) &
	       DCACHE_MOUNTED;
}

/* As vfs_unlink(); *gone: the inode's reference that went with the name, the caller's. */
static int unlink_keep(struct inode *dir, struct dentry *dentry, struct inode **gone)
{
	struct inode *inode = d_inode(dentry);
	int err = may_delete(dir, dentry, false);

	if (err)
		return err;
	if (!dir->i_op->unlink)
		return -EPERM;
	/* The caller's dentry keeps the inode until d_delete(). */
	inode_lock(inode);
	err = is_mountpoint(dentry) ? -EBUSY : dir->i_op->unlink(dir, dentry);
	inode_unlock(inode);
	if (!err)
		*gone = d_delete_keep(dentry);
	return err;
}

/* i_rwsem of @dir held; the victim's is taken here. */
int vfs_unlink(struct inode *dir, struct dentry *dentry)
{
	struct inode *gone = NULL;
	int err = unlink_keep(dir, dentry, &gone);

	iput(gone);
	return err;
}

int vfs_rmdir(struct inode *dir, struct dentry *dentry)
{
	struct inode *inode = d_inode(dentry);
	int err = may_delete(dir, dentry, true);

	if (err)
		return err;
	if (!dir->i_op->rmdir)
		return -EPERM;
	dget(dentry);
	inode_lock(inode);
	err = is_mountpoint(dentry) ? -EBUSY : dir->i_op->rmdir(dir, dentry);
	if (!err) {
		/* No name in it can be looked up or made from now on; the negative ones go. */
		spin_lock(&inode->i_lock);
		WRITE_ONCE(inode->i_flags, inode->i_flags | S_DEAD);
		spin_unlock(&inode->i_lock);
		shrink_dcache_parent(dentry);
	}
	inode_unlock(inode);
	dput(dentry);
	if (!err)
		d_delete(dentry);
	return err;
}

/* ---- renaming -------------------------------------------------------------------------------------- */

static struct dentry *ancestor_below(struct dentry *top, struct dentry *dentry)
{
	struct dentry *parent;

	for (; (parent = READ_ONCE(dentry->d_parent)) != dentry; dentry = parent)
		if (parent == top)
			return dentry;
	return NULL;
}

/**
 * lock_rename() - lock two directories of one file system for a rename
 *
 * Return: the child of one that the other lies at or below; NULL: neither is above the other.
 */
struct dentry *lock_rename(struct dentry *a, struct dentry *b)
{
	struct dentry *between;

	if (a == b) {
		inode_lock(d_inode(a));
		return NULL;
	}
	mutex_lock(&a->d_sb->s_vfs_rename_mutex);
	/* Directories only move under that mutex, so the way up stands still; it is referenced all along. */
	between = ancestor_below(b, a);
	if (between) {
		inode_lock(d_inode(b));
		inode_lock(d_inode(a));
		return between;
	}
	between = ancestor_below(a, b);
	if (!between && d_inode(b) < d_inode(a)) {
		struct dentry *t = a;

		a = b;
		b = t;
	}
	inode_lock(d_inode(a));
	inode_lock(d_inode(b));
	return between;
}

void unlock_rename(struct dentry *a, struct dentry *b)
{
	inode_unlock(d_inode(a));
	if (a != b) {
		inode_unlock(d_inode(b));
		mutex_unlock(&a->d_sb->s_vfs_rename_mutex);
	}
}

static int may_rename(struct inode *old_dir, struct dentry *old, struct inode *new_dir,
		      struct dentry *new, unsigned int flags)
{
	struct inode *source = d_inode(old), *target = d_inode(new);
	bool is_dir = S_ISDIR(source->i_mode);
	int err = may_delete(old_dir, old, is_dir);

	if (err)
		return err;
	if (!target)
		err = may_create(new_dir, new);
	else if (flags & RENAME_EXCHANGE)
		err = may_delete(new_dir, new, S_ISDIR(target->i_mode));
	else
		err = may_delete(new_dir, new, is_dir);
	if (err)
		return err;
	if (!old_dir->i_op->rename)
		return -EPERM;
	/* A directory that moves gets another "..": it is written to. */
	if (new_dir != old_dir) {
		if (is_dir)
			err = inode_permission(source, MAY_WRITE);
		if (!err && flags & RENAME_EXCHANGE && S_ISDIR(target->i_mode))
			err = inode_permission(target, MAY_WRITE);
	}
	return err;
}

/* Files that take part, each once, by address. Directories are guarded by their parents. */
static void lock_two_files(struct inode *a, struct inode *b, bool lock)
{
	if (a && S_ISDIR(a->i_mode))
		a = NULL;
	if (b && (S_ISDIR(b->i_mode) || b == a))
		b = NULL;
	if (a && b && b < a) {
		struct inode *t = a;

		a = b;
		b = t;
	}
	if (a)
		lock ? inode_lock(a) : inode_unlock(a);
	if (b)
		lock ? inode_lock(b) : inode_unlock(b);
}

static int links_after_rename(struct inode *old_dir, struct inode *source, struct inode *new_dir,
			      struct inode *target, unsigned int flags)
{
	bool source_dir = S_ISDIR(source->i_mode), target_dir = target && S_ISDIR(target->i_mode);

	if (old_dir == new_dir)
		return 0;
	if (source_dir && !target_dir && links_full(new_dir))
		return -EMLINK;
	if (flags & RENAME_EXCHANGE && target_dir && !source_dir && links_full(old_dir))
		return -EMLINK;
	return 0;
}

/**
 * vfs_rename() - @old becomes @new_dentry
 * @flags: RENAME_NOREPLACE, RENAME_EXCHANGE
 *
 * Context: May sleep. Both directories are locked by lock_rename(), and no one of the two names is above the
 * other directory.
 * Return: 0, also when both are names of one inode, and nothing happens; -errno.
 */
int vfs_rename(struct inode *old_dir, struct dentry *old, struct inode *new_dir, struct dentry *new,
	       unsigned int flags)
{
	struct inode *source = d_inode(old), *target = d_inode(new);
	bool exchange = flags & RENAME_EXCHANGE, target_dir;
	int err;

	if (source == target)
		return 0;
	err = may_rename(old_dir, old, new_dir, new, flags);
	if (err)
		return err;
	dget(new);
	if (target)
		ihold(target);
	target_dir = target && S_ISDIR(target->i_mode);
	lock_two_files(source, target, true);
	if (target_dir && !exchange)
		inode_lock(target);
	err = is_mountpoint(old) || is_mountpoint(new) ? -EBUSY : 0;
	if (!err)
		err = links_after_rename(old_dir, source, new_dir, target, flags);
	if (!err)
		err = old_dir->i_op->rename(old_dir, old, new_dir, new, flags);
	if (!err && target_dir && !exchange) {
		spin_lock(&target->i_lock);
		WRITE_ONCE(target->i_flags, target->i_flags | S_DEAD);
		spin_unlock(&target->i_lock);
		shrink_dcache_parent(new);
	}
	if (!err && !(old_dir->i_sb->s_type->fs_flags & FS_RENAME_DOES_D_MOVE)) {
		if (exchange)
			d_exchange(old, new);
		else
			d_move(old, new);
	}
	if (target_dir && !exchange)
		inode_unlock(target);
	lock_two_files(source, target, false);
	dput(new);
	iput(target);
	return err;
}

/* ---- calls ------------------------------------------------------------------------------------------ */

int sw_fs_mkdirat(int dirfd, const char *path, mode_t mode)
{
	struct path dir;
	struct dentry *dentry = user_path_create(dirfd, path, &dir, LOOKUP_DIRECTORY);
	int err;

	if (IS_ERR(dentry))
		return (int)PTR_ERR(dentry);
	err = vfs_mkdir(d_inode(dir.dentry), dentry, mode & ~current_umask());
	done_path(&dir, dentry);
	return err;
}

int sw_fs_mkdir(const char *path, mode_t mode)
{
	return sw_fs_mkdirat(AT_FDCWD, path, mode);
}

static int mknod_type(mode_t mode)
{
	switch (mode & S_IFMT) {
	case 0:
	case S_IFREG:
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		return 0;
	case S_IFDIR:
		return -EPERM;
	}
	return -EINVAL;
}

int sw_fs_mknodat(int dirfd, const char *path, mode_t mode, dev_t dev)
{
	struct path dir;
	struct dentry *dentry;
	int err = mknod_type(mode);

	if (err)
		return err;
	dentry = user_path_create(dirfd, path, &dir, 0);
	if (IS_ERR(dentry))
		return (int)PTR_ERR(dentry);
	mode = mode_of_new(d_inode(dir.dentry), mode);
	if (!(mode & S_IFMT) || S_ISREG(mode))
		err = vfs_create(d_inode(dir.dentry), dentry, mode, true);
	else
		err = vfs_mknod(d_inode(dir.dentry), dentry, mode,
				S_ISCHR(mode) || S_ISBLK(mode) ? dev : 0);
	done_path(&dir, dentry);
	return err;
}

int sw_fs_mknod(const char *path, mode_t mode, dev_t dev)
{
	return sw_fs_mknodat(AT_FDCWD, path, mode, dev);
}

int sw_fs_mkfifo(const char *path, mode_t mode)
{
	return sw_fs_mknodat(AT_FDCWD, path, (mode & 07777) | S_IFIFO, 0);
}

int sw_fs_symlinkat(const char *target, int dirfd, const char *path)
{
	struct path dir;
	struct dentry *dentry;
	int err;

	if (!*target)
		return -ENOENT;
	if (strnlen(target, SW_PATH_MAX) == SW_PATH_MAX)
		return -ENAMETOOLONG;
	dentry = user_path_create(dirfd, path, &dir, 0);
	if (IS_ERR(dentry))
		return (int)PTR_ERR(dentry);
	err = vfs_symlink(d_inode(dir.dentry), dentry, target);
	done_path(&dir, dentry);
	return err;
}

int sw_fs_symlink(const char *target, const char *path)
{
	return sw_fs_symlinkat(target, AT_FDCWD, path);
}

int sw_fs_linkat(int old_dirfd, const char *old_path, int new_dirfd, const char *new_path,
		 int flags)
{
	struct path old, dir;
	struct dentry *dentry;
	int err;

	if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	/* To link what only an fd names is for root. */
	if (flags & AT_EMPTY_PATH && !*old_path && !cred_capable(current_cred()))
		return -ENOENT;
	err = user_path_at(old_dirfd, old_path,
			   (flags & AT_SYMLINK_FOLLOW ? LOOKUP_FOLLOW : 0) |
				   (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0),
			   &old);
	if (err)
		return err;
	dentry = user_path_create(new_dirfd, new_path, &dir, 0);
	if (IS_ERR(dentry)) {
		path_put(&old);
		return (int)PTR_ERR(dentry);
	}
	err = old.mnt == dir.mnt ? vfs_link(old.dentry, d_inode(dir.dentry), dentry) : -EXDEV;
	done_path(&dir, dentry);
	path_put(&old);
	return err;
}

int sw_fs_link(const char *old_path, const char *new_path)
{
	return sw_fs_linkat(AT_FDCWD, old_path, AT_FDCWD, new_path, 0);
}

static int do_unlink(int dirfd, const char *path)
{
	struct path dir;
	unsigned int type;
	struct dentry *dentry = user_path_remove(dirfd, path, &dir, &type);
	struct inode *inode, *gone = NULL;
	int err;

	if (IS_ERR(dentry))
		return type & ~LAST_TRAILING ? -EISDIR : (int)PTR_ERR(dentry);
	inode = d_inode(dentry);
	if (!inode)
		err = -ENOENT;
	else if (type & LAST_TRAILING)
		err = S_ISDIR(inode->i_mode) ? -EISDIR : -ENOTDIR;
	else
		err = unlink_keep(d_inode(dir.dentry), dentry, &gone);
	/* The inode goes, if it goes, when the directory is free again, but before the mount may. */
	inode_unlock(d_inode(dir.dentry));
	dput(dentry);
	iput(gone);
	path_put(&dir);
	return err;
}

static int do_rmdir(int dirfd, const char *path)
{
	struct path dir;
	unsigned int type;
	struct dentry *dentry = user_path_remove(dirfd, path, &dir, &type);
	int err;

	if (IS_ERR(dentry)) {
		switch (type & ~LAST_TRAILING) {
		case LAST_DOTDOT:
			return -ENOTEMPTY;
		case LAST_DOT:
			return -EINVAL;
		case LAST_ROOT:
			return -EBUSY;
		}
		return (int)PTR_ERR(dentry);
	}
	err = d_inode(dentry) ? vfs_rmdir(d_inode(dir.dentry), dentry) : -ENOENT;
	done_path(&dir, dentry);
	return err;
}

int sw_fs_unlinkat(int dirfd, const char *path, int flags)
{
	if (flags & ~AT_REMOVE_FLAGS)
		return -EINVAL;
	return flags & AT_REMOVEDIR ? do_rmdir(dirfd, path) : do_unlink(dirfd, path);
}

int sw_fs_unlink(const char *path)
{
	return do_unlink(AT_FDCWD, path);
}

int sw_fs_rmdir(const char *path)
{
	return do_rmdir(AT_FDCWD, path);
}

/* Both directories are locked. @between: what lock_rename() said. */
static int rename_locked(struct nameidata *from, struct nameidata *to, struct dentry *between,
			 unsigned int flags)
{
	struct inode *old_dir = d_inode(from->path.dentry), *new_dir = d_inode(to->path.dentry);
	struct dentry *old, *new;
	int err = 0;

	old = lookup_locked(&from->last, from->path.dentry);
	if (IS_ERR(old))
		return (int)PTR_ERR(old);
	new = lookup_locked(&to->last, to->path.dentry);
	if (IS_ERR(new)) {
		dput(old);
		return (int)PTR_ERR(new);
	}
	if (!d_inode(old))
		err = -ENOENT;
	else if (flags & RENAME_NOREPLACE && d_inode(new))
		err = -EEXIST;
	else if (flags & RENAME_EXCHANGE && !d_inode(new))
		err = -ENOENT;
	else if (flags & RENAME_EXCHANGE && !S_ISDIR(d_inode(new)->i_mode) && to->trailing)
		err = -ENOTDIR;
	else if (!S_ISDIR(d_inode(old)->i_mode) &&
		 (from->trailing || (to->trailing && !(flags & RENAME_EXCHANGE))))
		err = -ENOTDIR;
	else if (old == between) /* into itself */
		err = -EINVAL;
	else if (new == between)
		err = flags & RENAME_EXCHANGE ? -EINVAL : -ENOTEMPTY;
	else
		err = vfs_rename(old_dir, old, new_dir, new, flags);
	dput(new);
	dput(old);
	return err;
}

static int rename_last(struct nameidata *nd)
{
	if (nd->last_type != LAST_NORM)
		return -EBUSY;
	return last_hash(nd);
}

int sw_fs_renameat2(int old_dirfd, const char *old_path, int new_dirfd, const char *new_path,
		    unsigned int flags)
{
	struct nameidata from, to;
	int err;

	if (flags & ~(unsigned int)(RENAME_NOREPLACE | RENAME_EXCHANGE) ||
	    flags == (RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	err = walk_parent(&from, old_dirfd, old_path);
	if (err) {
		walk_end(&from);
		return err;
	}
	err = walk_parent(&to, new_dirfd, new_path);
	if (!err && from.path.mnt != to.path.mnt)
		err = -EXDEV;
	if (!err)
		err = rename_last(&from);
	if (!err) {
		err = rename_last(&to);
		if (err == -EBUSY && flags & RENAME_NOREPLACE)
			err = -EEXIST;
	}
	if (!err)
		err = mnt_want_write(from.path.mnt);
	if (!err) {
		struct dentry *between = lock_rename(from.path.dentry, to.path.dentry);

		err = rename_locked(&from, &to, between, flags);
		unlock_rename(from.path.dentry, to.path.dentry);
	}
	walk_end(&to);
	walk_end(&from);
	return err;
}

int sw_fs_rename(const char *old_path, const char *new_path)
{
	return sw_fs_renameat2(AT_FDCWD, old_path, AT_FDCWD, new_path, 0);
}

/* ---- links that are read ------------------------------------------------------------------------------ */

/** vfs_readlink() - up to @size bytes of a link's text, no NUL. Return: bytes, -EINVAL (no link). */
int vfs_readlink(struct dentry *dentry, char *buf, int size)
{
	struct inode *inode = d_inode(dentry);
	void *to_free = NULL;
	const char *text;
	size_t len;

	if (inode->i_op->readlink)
		return inode->i_op->readlink(dentry, buf, size);
	if (!S_ISLNK(inode->i_mode))
		return -EINVAL;
	text = inode->i_link;
	if (!text)
		text = inode->i_op->get_link ? inode->i_op->get_link(dentry, inode, &to_free) :
					       ERR_PTR(-EINVAL);
	if (IS_ERR(text))
		return (int)PTR_ERR(text);
	len = strlen(text);
	if (len > (size_t)size)
		len = (size_t)size;
	memcpy(buf, text, len);
	kfree(to_free);
	return (int)len;
}

ssize_t sw_fs_readlinkat(int dirfd, const char *name, char *buf, size_t size)
{
	struct path path;
	ssize_t n;
	int err;

	if (!size || size > INT32_MAX)
		return -EINVAL;
	err = user_path_at(dirfd, name, LOOKUP_EMPTY, &path);
	if (err)
		return err;
	if (!S_ISLNK(d_inode(path.dentry)->i_mode)) {
		n = *name ? -EINVAL : -ENOENT;
	} else {
		touch_atime(&path);
		n = vfs_readlink(path.dentry, buf, (int)size);
	}
	path_put(&path);
	return n;
}

ssize_t sw_fs_readlink(const char *path, char *buf, size_t size)
{
	return sw_fs_readlinkat(AT_FDCWD, path, buf, size);
}
