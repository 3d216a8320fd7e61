/* SPDX-License-Identifier: MIT */
/*
 * attr.c - modes, owners, times, sizes
 *
 * Room: vfs. Door: notify_change(), sw_fs_chmod() and kin, sw_fs_truncate().
 *
 * notify_change() says what follows from a change (ctime; setuid and setgid bits that fall), ->setattr does it
 * with setattr_prepare() (who may) and setattr_copy(). Attributes are written under i_lock and i_seq, so that
 * a stat without a lock sees all of a change or nothing.
 *
 * Times: relatime. I_ATIME_FRESH is set when a look found nothing to do, and falls with the next mtime or ctime;
 * readers that only look at the bit do not notice that a day has passed (differs from Linux).
 */

#include "vfs/vfs_internal.h"

#define DAY_S 86400

/* ---- times --------------------------------------------------------------------------- */

static void store_time(struct timespec *to, const struct timespec *t)
{
	WRITE_ONCE(to->tv_sec, t->tv_sec);
	WRITE_ONCE(to->tv_nsec, t->tv_nsec);
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return READ_ONCE(a->tv_sec) == b->tv_sec && READ_ONCE(a->tv_nsec) == b->tv_nsec;
}

static bool not_after(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec < b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec <= b->tv_nsec);
}

int generic_update_time(struct inode *inode, const struct timespec *now, int flags)
{
	struct timespec t;

	if (!now) {
		t = current_time(inode);
		now = &t;
	}
	spin_lock(&inode->i_lock);
	write_seqcount_begin(&inode->i_seq);
	if (flags & S_ATIME)
		store_time(&inode->i_atime, now);
	if (flags & S_MTIME)
		store_time(&inode->i_mtime, now);
	if (flags & S_CTIME)
		store_time(&inode->i_ctime, now);
	write_seqcount_end(&inode->i_seq);
	if (flags & (S_MTIME | S_CTIME) &&
	    atomic_load_explicit(&inode->i_state, memory_order_relaxed) & I_ATIME_FRESH)
		atomic_fetch_and_explicit(&inode->i_state, ~I_ATIME_FRESH, memory_order_relaxed);
	if (flags & S_VERSION)
		atomic_fetch_add_explicit(&inode->i_version, 1, memory_order_relaxed);
	spin_unlock(&inode->i_lock);
	mark_inode_dirty_sync(inode);
	return 0;
}

static int update_time(struct inode *inode, const struct timespec *now, int flags)
{
	if (inode->i_op->update_time)
		return inode->i_op->update_time(inode, now, flags);
	return generic_update_time(inode, now, flags);
}

/* i_lock held. */
static bool atime_is_due(struct inode *inode, const struct timespec *now)
{
	return not_after(&inode->i_atime, &inode->i_mtime) ||
	       not_after(&inode->i_atime, &inode->i_ctime) ||
	       now->tv_sec - inode->i_atime.tv_sec >= DAY_S;
}

static void mark_atime_fresh(struct inode *inode)
{
	atomic_fetch_or_explicit(&inode->i_state, I_ATIME_FRESH, memory_order_relaxed);
}

/** touch_atime() - @path was read: its atime moves if relatime says so */
void touch_atime(const struct path *path)
{
	struct inode *inode = d_inode(path->dentry);
	struct timespec now;
	bool due;

	if (atomic_load_explicit(&inode->i_state, memory_order_relaxed) & I_ATIME_FRESH)
		return;
	if (READ_ONCE(inode->i_flags) & S_NOATIME ||
	    path->mnt->mnt_flags & (MNT_NOATIME | MNT_READONLY) ||
	    atomic_load_explicit(&inode->i_sb->s_flags, memory_order_relaxed) &
		    (SB_NOATIME | SB_RDONLY)) {
		mark_atime_fresh(inode);
		return;
	}
	now = current_time(inode);
	spin_lock(&inode->i_lock);
	due = atime_is_due(inode, &now);
	if (!due)
		mark_atime_fresh(inode);
	spin_unlock(&inode->i_lock);
	if (due && !same_time(&inode->i_atime, &now))
		update_time(inode, &now, S_ATIME);
}

/* S_MTIME, S_CTIME: what a write at @now changes. */
static int write_times(const struct inode *inode, const struct timespec *now)
{
	if (inode->i_flags & S_NOCMTIME)
		return 0;
	return (same_time(&inode->i_mtime, now) ? 0 : S_MTIME) |
	       (same_time(&inode->i_ctime, now) ? 0 : S_CTIME);
}

/** file_update_time() - mtime and ctime before a write; nothing if they say now already */
int file_update_time(struct file *file)
{
	struct inode *inode = file->f_inode;
	struct timespec now = current_time(inode);
	int flags = write_times(inode, &now);

	return flags ? update_time(inode, &now, flags) : 0;
}

/* setgid goes where the group may execute, or where the caller has nothing to do with the group. */
static bool sgid_falls(const struct inode *inode, mode_t mode)
{
	return mode & S_ISGID &&
	       (mode & S_IXGRP || (!in_group(current_cred(), READ_ONCE(inode->i_gid)) &&
				   !cred_capable(current_cred())));
}

/* ATTR_KILL_* that a write by somebody who is not root brings with it. */
static unsigned int privs_to_kill(const struct inode *inode)
{
	mode_t mode = READ_ONCE(inode->i_mode);
	unsigned int kill = 0;

	if (likely(!(mode & (S_ISUID | S_ISGID))) || !S_ISREG(mode))
		return 0;
	if (mode & S_ISUID)
		kill |= ATTR_KILL_SUID;
	if (sgid_falls(inode, mode))
		kill |= ATTR_KILL_SGID;
	return kill && !cred_capable(current_cred()) ? kill : 0;
}

/** inode_write_tells() - would a write now change mode or times, not only bytes? i_rwsem held */
bool inode_write_tells(struct inode *inode)
{
	struct timespec now = current_time(inode);

	return privs_to_kill(inode) || write_times(inode, &now);
}

/** file_remove_privs() - setuid and setgid fall before a write; i_rwsem held */
int file_remove_privs(struct file *file)
{
	struct iattr attr = { .ia_valid = privs_to_kill(file->f_inode) };

	if (likely(!attr.ia_valid))
		return 0;
	attr.ia_valid |= ATTR_FORCE;
	return notify_change(file->f_path.dentry, &attr);
}

/* ---- who may, and doing it ------------------------------------------------------------------ */

/** inode_newsize_ok() - 0; -EFBIG, -EINVAL */
int inode_newsize_ok(const struct inode *inode, sw_loff_t size)
{
	if (size < 0)
		return -EINVAL;
	if (size > i_size_read(inode) && size > inode->i_sb->s_maxbytes)
		return -EFBIG;
	return 0;
}

static bool may_chown(const struct inode *inode, const struct iattr *attr)
{
	const struct cred *cred = current_cred();
	bool owner = cred->fsuid == inode->i_uid;

	if (cred_capable(cred))
		return true;
	if (attr->ia_valid & ATTR_UID && !(owner && attr->ia_uid == inode->i_uid))
		return false;
	if (attr->ia_valid & ATTR_GID &&
	    !(owner && (in_group(cred, attr->ia_gid) || attr->ia_gid == inode->i_gid)))
		return false;
	return true;
}

/* A group that one is not in does not get one's setgid bit. */
static mode_t allowed_mode(const struct inode *inode, const struct iattr *attr)
{
	gid_t gid = attr->ia_valid & ATTR_GID ? attr->ia_gid : inode->i_gid;

	if (!in_group(current_cred(), gid) && !cred_capable(current_cred()))
		return attr->ia_mode & ~(mode_t)S_ISGID;
	return attr->ia_mode;
}

/**
 * setattr_prepare() - may the caller change that?
 *
 * Return: 0, -EPERM, -EFBIG, -EINVAL. attr->ia_mode may lose its setgid bit.
 */
int setattr_prepare(struct dentry *dentry, struct iattr *attr)
{
	struct inode *inode = d_inode(dentry);

	if (attr->ia_valid & ATTR_SIZE) {
		int err = inode_newsize_ok(inode, attr->ia_size);

		if (err)
			return err;
	}
	if (attr->ia_valid & ATTR_FORCE)
		return 0;
	if (!may_chown(inode, attr))
		return -EPERM;
	if (attr->ia_valid & ATTR_MODE) {
		if (!inode_owner_or_capable(inode))
			return -EPERM;
		attr->ia_mode = allowed_mode(inode, attr);
	}
	if (attr->ia_valid & (ATTR_ATIME_SET | ATTR_MTIME_SET) && !inode_owner_or_capable(inode))
		return -EPERM;
	return 0;
}

static struct timespec cut_time(const struct inode *inode, struct timespec t)
{
	unsigned long gran = inode->i_sb->s_time_gran_ns;

	if (gran >= 1000000000)
		t.tv_nsec = 0;
	else if (gran > 1)
		t.tv_nsec -= t.tv_nsec % (long)gran;
	return t;
}

/** setattr_copy() - all of @attr but the size goes into @inode */
void setattr_copy(struct inode *inode, const struct iattr *attr)
{
	unsigned int valid = attr->ia_valid;
	struct timespec t;

	spin_lock(&inode->i_lock);
	write_seqcount_begin(&inode->i_seq);
	if (valid & ATTR_UID)
		WRITE_ONCE(inode->i_uid, attr->ia_uid);
	if (valid & ATTR_GID)
		WRITE_ONCE(inode->i_gid, attr->ia_gid);
	if (valid & ATTR_MODE)
		WRITE_ONCE(inode->i_mode, (inode->i_mode & S_IFMT) | (attr->ia_mode & 07777));
	if (valid & ATTR_ATIME) {
		t = cut_time(inode, attr->ia_atime);
		store_time(&inode->i_atime, &t);
	}
	if (valid & ATTR_MTIME) {
		t = cut_time(inode, attr->ia_mtime);
		store_time(&inode->i_mtime, &t);
	}
	if (valid & ATTR_CTIME) {
		t = cut_time(inode, attr->ia_ctime);
		store_time(&inode->i_ctime, &t);
	}
	write_seqcount_end(&inode->i_seq);
	atomic_fetch_and_explicit(&inode->i_state, ~I_ATIME_FRESH, memory_order_relaxed);
	spin_unlock(&inode->i_lock);
}

void truncate_setsize(struct inode *inode, sw_loff_t newsize)
{
	struct address_space *mapping = inode->i_mapping;
	sw_loff_t old = i_size_read(inode);

	down_write(&mapping->invalidate_lock);
	i_size_write(inode, newsize);
	if (newsize < old) {
		sw_loff_t hole = (newsize + (sw_loff_t)PAGE_SIZE - 1) & (sw_loff_t)PAGE_MASK;
		bool mapped = !list_empty(&mapping->i_mmap);

		if (mapped)
			unmap_mapping_range(mapping, hole, 0, 1);
		truncate_inode_pages(mapping, newsize);
		if (mapped)
			unmap_mapping_range(mapping, hole, 0, 1);
	}
	up_write(&mapping->invalidate_lock);
}

/** simple_setattr() - ->setattr of file systems that keep nothing beside the inode */
int simple_setattr(struct dentry *dentry, struct iattr *attr)
{
	struct inode *inode = d_inode(dentry);
	int err = setattr_prepare(dentry, attr);

	if (err)
		return err;
	if (attr->ia_valid & ATTR_SIZE && attr->ia_size != i_size_read(inode)) {
		truncate_setsize(inode, attr->ia_size);
		attr->ia_valid |= ATTR_MTIME | ATTR_CTIME;
	}
	setattr_copy(inode, attr);
	mark_inode_dirty(inode);
	return 0;
}

/* KILL_* become a mode. False: there is nothing to be done. */
static bool apply_kills(const struct inode *inode, struct iattr *attr)
{
	unsigned int kill = attr->ia_valid & (ATTR_KILL_SUID | ATTR_KILL_SGID);
	mode_t mode = inode->i_mode;

	if (!kill)
		return true;
	attr->ia_valid &= ~(ATTR_KILL_SUID | ATTR_KILL_SGID | ATTR_KILL_PRIV);
	if (kill & ATTR_KILL_SUID)
		mode &= ~(mode_t)S_ISUID;
	if (kill & ATTR_KILL_SGID)
		mode &= ~(mode_t)S_ISGID;
	if (mode != inode->i_mode) {
		attr->ia_valid |= ATTR_MODE | ATTR_CTIME;
		attr->ia_mode = mode;
	}
	return attr->ia_valid & ~ATTR_FORCE;
}

/**
 * notify_change() - change attributes of what @dentry names
 * @attr: ia_valid says which; filled up with what follows from it
 *
 * Context: May sleep; i_rwsem of the inode is held for writing.
 * Return: 0; -EPERM, -EROFS and what ->setattr says.
 */
int notify_change(struct dentry *dentry, struct iattr *attr)
{
	struct inode *inode = d_inode(dentry);
	struct timespec now = current_time(inode);

	if (attr->ia_valid & (ATTR_MODE | ATTR_UID | ATTR_GID | ATTR_ATIME_SET | ATTR_MTIME_SET) &&
	    inode->i_flags & (S_IMMUTABLE | S_APPEND))
		return -EPERM;
	if (!apply_kills(inode, attr))
		return 0;
	attr->ia_ctime = now;
	if (!(attr->ia_valid & ATTR_ATIME_SET))
		attr->ia_atime = now;
	if (!(attr->ia_valid & ATTR_MTIME_SET))
		attr->ia_mtime = now;
	if (inode->i_op->setattr)
		return inode->i_op->setattr(dentry, attr);
	return simple_setattr(dentry, attr);
}

/* ---- sizes --------------------------------------------------------------------------------------- */

int do_truncate(const struct path *path, sw_loff_t length, unsigned int how, struct file *file)
{
	struct inode *inode = d_inode(path->dentry);
	unsigned int kill = privs_to_kill(inode);
	struct iattr attr = {
		.ia_valid = ATTR_SIZE | how | kill | (kill ? ATTR_FORCE : 0),
		.ia_size = length,
		.ia_file = file,
	};
	sw_loff_t old_size;
	int err;

	if (file)
		attr.ia_valid |= ATTR_FILE;
	inode_lock(inode);
	old_size = i_size_read(inode);
	err = notify_change(path->dentry, &attr);
	if (!err && length > old_size)
		vfs_mapping_changed(inode->i_mapping, old_size);
	inode_unlock(inode);
	return err;
}

/** vfs_truncate() - 0; -EINVAL, -EISDIR, -EACCES, -EROFS, -EPERM, -EFBIG */
int vfs_truncate(const struct path *path, sw_loff_t length)
{
	struct inode *inode = d_inode(path->dentry);
	int err;

	if (length < 0)
		return -EINVAL;
	if (S_ISDIR(inode->i_mode))
		return -EISDIR;
	if (!S_ISREG(inode->i_mode))
		return -EINVAL;
	err = mnt_want_write(path->mnt);
	if (!err)
		err = inode_permission(inode, MAY_WRITE);
	if (!err && inode->i_flags & S_APPEND)
		err = -EPERM;
	return err ? err : do_truncate(path, length, 0, NULL);
}

int sw_fs_truncate(const char *name, int64_t length)
{
	struct path path;
	int err;

	if (length < 0)
		return -EINVAL;
	err = user_path_at(AT_FDCWD, name, LOOKUP_FOLLOW, &path);
	if (err)
		return err;
	err = vfs_truncate(&path, length);
	path_put(&path);
	return err;
}

int sw_fs_ftruncate(int fd, int64_t length)
{
	struct file *file;
	int err = 0;

	if (length < 0)
		return -EINVAL;
	file = fget((unsigned int)fd);
	if (!file)
		return -EBADF;
	if (!S_ISREG(file->f_inode->i_mode) || !(file->f_mode & FMODE_WRITE))
		err = -EINVAL;
	else if (file->f_inode->i_flags & S_APPEND)
		err = -EPERM;
	if (!err)
		err = do_truncate(&file->f_path, length, ATTR_MTIME | ATTR_CTIME, file);
	__fput_sync(file);
	return err;
}

/* ---- modes, owners ------------------------------------------------------------------------------------ */

static int change(const struct path *path, struct iattr *attr)
{
	struct inode *inode = d_inode(path->dentry);
	int err = mnt_want_write(path->mnt);

	if (err)
		return err;
	inode_lock(inode);
	err = notify_change(path->dentry, attr);
	inode_unlock(inode);
	return err;
}

static int do_chmod(const struct path *path, mode_t mode)
{
	struct iattr attr = { .ia_valid = ATTR_MODE | ATTR_CTIME };
	mode_t type = READ_ONCE(d_inode(path->dentry)->i_mode) & S_IFMT;

	if (S_ISLNK(type))
		return -EOPNOTSUPP;
	attr.ia_mode = type | (mode & 07777);
	return change(path, &attr);
}

static int do_chown(const struct path *path, uid_t uid, gid_t gid)
{
	struct inode *inode = d_inode(path->dentry);
	struct iattr attr = { .ia_valid = ATTR_CTIME, .ia_uid = uid, .ia_gid = gid };
	mode_t mode;
	int err = mnt_want_write(path->mnt);

	if (err)
		return err;
	if (uid != (uid_t)-1)
		attr.ia_valid |= ATTR_UID;
	if (gid != (gid_t)-1)
		attr.ia_valid |= ATTR_GID;
	inode_lock(inode);
	mode = inode->i_mode;
	if (!S_ISDIR(mode)) {
		/* Also where root does it: a new owner has not agreed to lend his rights. */
		if (mode & S_ISUID)
			attr.ia_valid |= ATTR_KILL_SUID;
		if (sgid_falls(inode, mode))
			attr.ia_valid |= ATTR_KILL_SGID;
	}
	err = notify_change(path->dentry, &attr);
	inode_unlock(inode);
	return err;
}

/* The file of an fd, O_PATH or not. */
static int fd_path(int fd, bool raw, struct path *path)
{
	struct file *file = raw ? fget_raw((unsigned int)fd) : fget((unsigned int)fd);

	if (!file)
		return -EBADF;
	*path = file->f_path;
	path_get(path);
	__fput_sync(file);
	return 0;
}

static int at_flags(int flags, int known, unsigned int *lookup)
{
	if (flags & ~known)
		return -EINVAL;
	*lookup = (flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) |
		  (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0);
	return 0;
}

int sw_fs_fchmodat(int dirfd, const char *name, mode_t mode, int flags)
{
	unsigned int lookup;
	struct path path;
	int err = at_flags(flags, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, &lookup);

	if (!err)
		err = user_path_at(dirfd, name, lookup, &path);
	if (err)
		return err;
	err = do_chmod(&path, mode);
	path_put(&path);
	return err;
}

int sw_fs_chmod(const char *path, mode_t mode)
{
	return sw_fs_fchmodat(AT_FDCWD, path, mode, 0);
}

int sw_fs_fchmod(int fd, mode_t mode)
{
	struct path path;
	int err = fd_path(fd, false, &path);

	if (err)
		return err;
	err = do_chmod(&path, mode);
	path_put(&path);
	return err;
}

int sw_fs_fchownat(int dirfd, const char *name, uid_t uid, gid_t gid, int flags)
{
	unsigned int lookup;
	struct path path;
	int err = at_flags(flags, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, &lookup);

	if (!err)
		err = user_path_at(dirfd, name, lookup, &path);
	if (err)
		return err;
	err = do_chown(&path, uid, gid);
	path_put(&path);
	return err;
}

int sw_fs_chown(const char *path, uid_t uid, gid_t gid)
{
	return sw_fs_fchownat(AT_FDCWD, path, uid, gid, 0);
}

int sw_fs_lchown(const char *path, uid_t uid, gid_t gid)
{
	return sw_fs_fchownat(AT_FDCWD, path, uid, gid, AT_SYMLINK_NOFOLLOW);
}

int sw_fs_fchown(int fd, uid_t uid, gid_t gid)
{
	struct path path;
	int err = fd_path(fd, false, &path);

	if (err)
		return err;
	err = do_chown(&path, uid, gid);
	path_put(&path);
	return err;
}

/* ---- times that are given --------------------------------------------------------------------------------- */

static int time_attr(const struct timespec *t, unsigned int bit, unsigned int set_bit,
		     struct timespec *to, struct iattr *attr)
{
	if (t->tv_nsec == UTIME_OMIT)
		return 0;
	attr->ia_valid |= bit;
	if (t->tv_nsec == UTIME_NOW)
		return 0;
	if (t->tv_nsec < 0 || t->tv_nsec >= 1000000000)
		return -EINVAL;
	attr->ia_valid |= set_bit;
	*to = *t;
	return 0;
}

static int check_times(const struct timespec times[2], struct iattr *attr)
{
	static const struct timespec now[2] = { { 0, UTIME_NOW }, { 0, UTIME_NOW } };
	int err;

	*attr = (struct iattr){ 0 };
	if (!times)
		times = now;
	err = time_attr(&times[0], ATTR_ATIME, ATTR_ATIME_SET, &attr->ia_atime, attr);
	if (!err)
		err = time_attr(&times[1], ATTR_MTIME, ATTR_MTIME_SET, &attr->ia_mtime, attr);
	return err;
}

static int do_utimes(const struct path *path, struct iattr *attr)
{
	struct inode *inode = d_inode(path->dentry);
	unsigned int both = ATTR_ATIME | ATTR_MTIME;
	int err = mnt_want_write(path->mnt);

	if (err)
		return err;
	/* Both to now: who may write may touch. One of two, or a given time: the owner. */
	if ((attr->ia_valid & both) == both &&
	    !(attr->ia_valid & (ATTR_ATIME_SET | ATTR_MTIME_SET))) {
		if (inode->i_flags & S_IMMUTABLE)
			return -EPERM;
		if (!inode_owner_or_capable(inode)) {
			err = inode_permission(inode, MAY_WRITE);
			if (err)
				return err;
		}
	} else if (!inode_owner_or_capable(inode)) {
		return -EPERM;
	}
	attr->ia_valid |= ATTR_CTIME;
	return change(path, attr);
}

/* Both UTIME_OMIT: nothing to do, and nothing is looked at. */
static bool times_say_nothing(const struct timespec times[2])
{
	return times && times[0].tv_nsec == UTIME_OMIT && times[1].tv_nsec == UTIME_OMIT;
}

/* Consumes @path. */
static int utimes_of(struct path *path, const struct timespec times[2])
{
	struct iattr attr;
	int err = check_times(times, &attr);

	if (!err)
		err = do_utimes(path, &attr);
	path_put(path);
	return err;
}

int sw_fs_futimens(int fd, const struct timespec times[2])
{
	struct path path;
	int err;

	if (times_say_nothing(times))
		return 0;
	err = fd_path(fd, false, &path);
	return err ? err : utimes_of(&path, times);
}

int sw_fs_utimensat(int dirfd, const char *name, const struct timespec times[2], int flags)
{
	unsigned int lookup;
	struct path path;
	int err;

	if (times_say_nothing(times))
		return 0;
	err = at_flags(flags, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, &lookup);
	if (err)
		return err;
	if (!name)
		return dirfd == AT_FDCWD ? -EFAULT : sw_fs_futimens(dirfd, times);
	err = user_path_at(dirfd, name, lookup, &path);
	return err ? err : utimes_of(&path, times);
}
