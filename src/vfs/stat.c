/* SPDX-License-Identifier: MIT */
/*
 * stat.c - attributes, as a caller sees them
 *
 * Room: vfs. Door: sw_fs_stat() and kin, vfs_getattr().
 *
 * A file system without ->getattr is asked nothing: the attributes are read from the inode within the RCU walk,
 * whole (i_seq) and of that name (d_seq).
 */

#include <sys/statvfs.h>

#include "vfs/namei.h"

static void fill_stat(struct stat *st, const struct kstat *k)
{
	*st = (struct stat){
		.st_dev = k->dev,
		.st_ino = k->ino,
		.st_mode = k->mode,
		.st_nlink = k->nlink,
		.st_uid = k->uid,
		.st_gid = k->gid,
		.st_rdev = k->rdev,
		.st_size = k->size,
		.st_blksize = (blksize_t)k->blksize,
		.st_blocks = (blkcnt_t)k->blocks,
		.st_atim = k->atime,
		.st_mtim = k->mtime,
		.st_ctim = k->ctime,
	};
}

static struct timespec read_time(const struct timespec *t)
{
	return (struct timespec){ READ_ONCE(t->tv_sec), READ_ONCE(t->tv_nsec) };
}

/** generic_fillattr() - what the inode says. Any context; no lock needed. */
void generic_fillattr(struct inode *inode, struct kstat *stat)
{
	uint32_t seq;

	stat->dev = inode->i_sb->s_dev;
	stat->ino = inode->i_ino;
	stat->rdev = inode->i_rdev;
	stat->blksize = inode->i_blkbits < 31 ? 1u << inode->i_blkbits : 4096;
	do {
		seq = read_seqcount_begin(&inode->i_seq);
		stat->mode = READ_ONCE(inode->i_mode);
		stat->uid = READ_ONCE(inode->i_uid);
		stat->gid = READ_ONCE(inode->i_gid);
		stat->nlink = atomic_load_explicit(&inode->i_nlink, memory_order_relaxed);
		stat->atime = read_time(&inode->i_atime);
		stat->mtime = read_time(&inode->i_mtime);
		stat->ctime = read_time(&inode->i_ctime);
		stat->btime = read_time(&inode->i_btime);
		stat->size = i_size_read(inode);
		stat->blocks = atomic_load_explicit(&inode->i_blocks, memory_order_relaxed);
	} while (read_seqcount_retry(&inode->i_seq, seq));
}

/** vfs_getattr() - by the file system's ->getattr if it has one. 0 or -errno. */
int vfs_getattr(const struct path *path, struct kstat *stat, uint32_t mask, unsigned int flags)
{
	struct inode *inode = d_inode(path->dentry);

	if (inode->i_op->getattr)
		return inode->i_op->getattr(path, stat, mask, flags);
	generic_fillattr(inode, stat);
	return 0;
}

/* Straight into the caller's buffer. */
SW_ALWAYS_INLINE void fill_from_inode(struct stat *st, struct inode *inode)
{
	uint32_t seq;

	unsigned int blkbits = READ_ONCE(inode->i_blkbits);

	st->st_dev = READ_ONCE(inode->i_sb)->s_dev;
	st->st_ino = READ_ONCE(inode->i_ino);
	st->st_rdev = READ_ONCE(inode->i_rdev);
	st->st_blksize = blkbits < 31 ? 1 << blkbits : 4096;
	do {
		seq = read_seqcount_begin(&inode->i_seq);
		st->st_mode = READ_ONCE(inode->i_mode);
		st->st_uid = READ_ONCE(inode->i_uid);
		st->st_gid = READ_ONCE(inode->i_gid);
		st->st_nlink = atomic_load_explicit(&inode->i_nlink, memory_order_relaxed);
		st->st_atim.tv_sec = READ_ONCE(inode->i_atime.tv_sec);
		st->st_atim.tv_nsec = READ_ONCE(inode->i_atime.tv_nsec);
		st->st_mtim.tv_sec = READ_ONCE(inode->i_mtime.tv_sec);
		st->st_mtim.tv_nsec = READ_ONCE(inode->i_mtime.tv_nsec);
		st->st_ctim.tv_sec = READ_ONCE(inode->i_ctime.tv_sec);
		st->st_ctim.tv_nsec = READ_ONCE(inode->i_ctime.tv_nsec);
		st->st_size = i_size_read(inode);
		st->st_blocks =
			(blkcnt_t)atomic_load_explicit(&inode->i_blocks, memory_order_relaxed);
	} while (unlikely(read_seqcount_retry(&inode->i_seq, seq)));
}

static int stat_rcu(int dfd, const char *name, unsigned int flags, struct stat *st)
{
	struct rcu_path at;
	int err;

	rcu_read_lock();
	err = rcu_walk(dfd, name, flags, &at, NULL);
	if (likely(!err)) {
		if (unlikely(READ_ONCE(at.inode->i_op)->getattr != NULL))
			err = -ECHILD;
		else
			fill_from_inode(st, at.inode);
		if (unlikely(!rcu_path_valid(&at)))
			err = -ECHILD;
	}
	rcu_read_unlock();
	return err;
}

static int stat_refs(int dfd, const char *name, unsigned int flags, struct stat *st)
{
	struct path path;
	struct kstat k;
	int err = user_path_at(dfd, name, flags, &path);

	if (err)
		return err;
	err = vfs_getattr(&path, &k, ~0u, 0);
	if (!err)
		fill_stat(st, &k);
	path_put(&path);
	return err;
}

static int do_stat(int dfd, const char *name, unsigned int flags, struct stat *st)
{
	int err = stat_rcu(dfd, name, flags, st);

	return unlikely(err == -ECHILD) ? stat_refs(dfd, name, flags, st) : err;
}

int sw_fs_stat(const char *path, struct stat *st)
{
	return do_stat(AT_FDCWD, path, LOOKUP_FOLLOW, st);
}

int sw_fs_lstat(const char *path, struct stat *st)
{
	return do_stat(AT_FDCWD, path, 0, st);
}

int sw_fs_fstat(int fd, struct stat *st)
{
	struct file *file = fget_raw((unsigned int)fd);
	struct kstat k;
	int err;

	if (!file)
		return -EBADF;
	err = vfs_getattr(&file->f_path, &k, ~0u, 0);
	if (!err)
		fill_stat(st, &k);
	__fput_sync(file);
	return err;
}

int sw_fs_fstatat(int dirfd, const char *path, struct stat *st, int flags)
{
	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT))
		return -EINVAL;
	if (flags & AT_EMPTY_PATH && !*path && dirfd != AT_FDCWD)
		return sw_fs_fstat(dirfd, st);
	return do_stat(dirfd, path,
		       (flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) |
			       (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0),
		       st);
}

/* ---- file systems ----------------------------------------------------------------------- */

/** vfs_statfs() - of the file system @path is on. -ENOSYS where it cannot say. */
int vfs_statfs(const struct path *path, struct kstatfs *buf)
{
	struct super_block *sb = path->dentry->d_sb;
	int err;

	if (!sb->s_op || !sb->s_op->statfs)
		return -ENOSYS;
	memset(buf, 0, sizeof(*buf));
	err = sb->s_op->statfs(path->dentry, buf);
	if (err)
		return err;
	if (!buf->f_frsize)
		buf->f_frsize = buf->f_bsize;
	if (IS_RDONLY(d_inode(path->dentry)) || path->mnt->mnt_flags & MNT_READONLY)
		buf->f_flags |= ST_RDONLY;
	if (path->mnt->mnt_flags & MNT_NOSUID)
		buf->f_flags |= ST_NOSUID;
	return 0;
}

static int do_statfs(const struct path *path, struct statfs *buf)
{
	struct kstatfs k;
	int err = vfs_statfs(path, &k);

	if (err)
		return err;
	memset(buf, 0, sizeof(*buf));
	buf->f_type = k.f_type;
	buf->f_bsize = k.f_bsize;
	buf->f_blocks = k.f_blocks;
	buf->f_bfree = k.f_bfree;
	buf->f_bavail = k.f_bavail;
	buf->f_files = k.f_files;
	buf->f_ffree = k.f_ffree;
	memcpy(&buf->f_fsid, &k.f_fsid, sizeof(buf->f_fsid));
	buf->f_namelen = k.f_namelen;
	buf->f_frsize = k.f_frsize;
	buf->f_flags = k.f_flags;
	return 0;
}

int sw_fs_statfs(const char *name, struct statfs *buf)
{
	struct path path;
	int err = user_path_at(AT_FDCWD, name, LOOKUP_FOLLOW, &path);

	if (err)
		return err;
	err = do_statfs(&path, buf);
	path_put(&path);
	return err;
}

int sw_fs_fstatfs(int fd, struct statfs *buf)
{
	struct file *file = fget_raw((unsigned int)fd);
	int err;

	if (!file)
		return -EBADF;
	err = do_statfs(&file->f_path, buf);
	__fput_sync(file);
	return err;
}
