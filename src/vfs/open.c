/* SPDX-License-Identifier: MIT */
/*
 * open.c - from a name to an open file
 *
 * Room: vfs. Door: sw_fs_open*(), dentry_open(), filp_open().
 *
 * Without O_CREAT: find what the path names, then open that. With it: walk to the directory, and if the name
 * is not there take the directory's i_rwsem, look again, and create it; a link at the end leads to another
 * directory and name. A file that this call made is not checked again: its mode may well forbid what
 * the opening asks for.
 *
 * Flags that Linux ignores are ignored; O_TMPFILE, O_PATH, O_DIRECTORY|O_CREAT as in Linux 6.12.
 */

#include "vfs/namei.h"

#define KNOWN_FLAGS                                                                           \
	(O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_SYNC | \
	 O_DSYNC | O_ASYNC | O_DIRECT | O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW | O_NOATIME |  \
	 O_CLOEXEC | O_PATH | O_TMPFILE)
#define TMPFILE_BIT (O_TMPFILE & ~O_DIRECTORY)
/* What O_PATH leaves. */
#define PATH_FLAGS (O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC)

/* MAY_* for each access mode; 3 asks for both and gives neither. */
static const int acc_modes[4] = { MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE, MAY_READ | MAY_WRITE };

int build_open_flags(int flags, mode_t mode, struct open_flags *op)
{
	flags &= KNOWN_FLAGS;
	if (flags & O_PATH) {
		flags &= PATH_FLAGS;
		op->acc_mode = 0;
	} else {
		op->acc_mode = acc_modes[flags & O_ACCMODE];
	}
	if (flags & TMPFILE_BIT) {
		if ((flags & O_TMPFILE) != O_TMPFILE || flags & O_CREAT ||
		    !(op->acc_mode & MAY_WRITE))
			return -EINVAL;
	} else if ((flags & (O_CREAT | O_DIRECTORY)) == (O_CREAT | O_DIRECTORY)) {
		return -EINVAL;
	}
	op->mode = flags & (O_CREAT | TMPFILE_BIT) ? mode & 07777 : 0;
	if (flags & O_TRUNC)
		op->acc_mode |= MAY_WRITE;
	if (flags & O_APPEND)
		op->acc_mode |= MAY_APPEND;
	op->open_flag = flags;
	op->lookup_flags = flags & O_DIRECTORY ? LOOKUP_DIRECTORY : 0;
	if (!(flags & O_NOFOLLOW) && (flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL))
		op->lookup_flags |= LOOKUP_FOLLOW;
	return 0;
}

/* ---- opening what was found ------------------------------------------------------------ */

static const struct file_operations path_fops;

static fmode_t mode_of_flags(unsigned int flags)
{
	switch (flags & O_ACCMODE) {
	case O_RDONLY:
		return FMODE_READ;
	case O_WRONLY:
		return FMODE_WRITE;
	case O_RDWR:
		return FMODE_READ | FMODE_WRITE;
	}
	return 0;
}

/* file->f_path is set, its references go with the file. On failure the caller drops the file. */
int do_dentry_open(struct file *file, struct inode *inode)
{
	unsigned int flags = atomic_load_explicit(&file->f_flags, memory_order_relaxed);
	const struct cred *cred = cred_now();
	fmode_t mode;
	int err = 0;

	WRITE_ONCE(file->f_inode, inode);
	WRITE_ONCE(file->f_mapping, inode->i_mapping);
	file->f_uid = cred->fsuid;
	file->f_cap_override = cred_capable(cred);
	if (flags & O_PATH) {
		WRITE_ONCE(file->f_mode, FMODE_PATH);
		file->f_op = &path_fops;
		return 0;
	}
	mode = mode_of_flags(flags) | FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE;
	if (S_ISREG(inode->i_mode) || S_ISDIR(inode->i_mode))
		mode |= FMODE_ATOMIC_POS;
	file->f_wb_err = errseq_sample(&inode->i_mapping->wb_err);
	file_ra_state_init(&file->f_ra, inode->i_mapping);
	file->f_op = inode->i_fop;
	WRITE_ONCE(file->f_mode, mode);
	if (flags & O_DIRECT && !(inode->i_mapping->a_ops && inode->i_mapping->a_ops->direct_IO))
		return -EINVAL;
	if (file->f_op->open)
		err = file->f_op->open(inode, file);
	if (err)
		return err;
	WRITE_ONCE(file->f_mode, file->f_mode | FMODE_OPENED);
	/* Nobody else has the file yet. */
	atomic_store_explicit(&file->f_flags,
			      flags & ~(unsigned int)(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC),
			      memory_order_relaxed);
	return 0;
}

int may_open(const struct path *path, int acc_mode, int flag)
{
	struct inode *inode = d_inode(path->dentry);
	mode_t mode = READ_ONCE(inode->i_mode);
	int err;

	if (S_ISLNK(mode))
		return -ELOOP;
	if (S_ISDIR(mode) && acc_mode & MAY_WRITE)
		return -EISDIR;
	if ((S_ISBLK(mode) || S_ISCHR(mode)) && path->mnt->mnt_flags & MNT_NODEV)
		return -EACCES;
	err = acc_mode ? inode_permission(inode, acc_mode & (MAY_READ | MAY_WRITE | MAY_EXEC)) : 0;
	if (err)
		return err;
	if (inode->i_flags & S_APPEND &&
	    (flag & O_TRUNC || ((flag & O_ACCMODE) && !(flag & O_APPEND))))
		return -EPERM;
	if (flag & O_NOATIME && !inode_owner_or_capable(inode))
		return -EPERM;
	return 0;
}

/* Consumes the references of @path. */
static struct file *open_path(struct path *path, const struct open_flags *op, bool created)
{
	struct inode *inode = d_inode(path->dentry);
	bool trunc = op->open_flag & O_TRUNC && !created && S_ISREG(inode->i_mode);
	struct file *file;
	int err = 0;

	if (op->open_flag & O_DIRECTORY && !S_ISDIR(inode->i_mode))
		err = -ENOTDIR;
	if (!err && !(op->open_flag & O_PATH)) {
		if (!created)
			err = may_open(path, op->acc_mode, op->open_flag);
		if (!err && op->acc_mode & MAY_WRITE && S_ISREG(inode->i_mode))
			err = mnt_want_write(path->mnt);
	}
	file = err ? ERR_PTR(err) : alloc_empty_file(op->open_flag);
	if (IS_ERR_OR_NULL(file)) {
		path_put(path);
		return file ? file : ERR_PTR(-ENOMEM);
	}
	WRITE_ONCE(file->f_path.mnt, path->mnt);
	WRITE_ONCE(file->f_path.dentry, path->dentry);
	err = do_dentry_open(file, inode);
	if (!err && trunc)
		err = do_truncate(path, 0, ATTR_MTIME | ATTR_CTIME | ATTR_OPEN, file);
	if (err) {
		__fput_sync(file);
		return ERR_PTR(err);
	}
	return file;
}

struct file *dentry_open(const struct path *path, int flags, const struct cred *cred)
{
	const struct cred *old = override_creds(cred ? cred : current_cred());
	struct file *file = alloc_empty_file(flags);
	int err;

	if (!file) {
		revert_creds(old);
		return ERR_PTR(-ENOMEM);
	}
	path_get(path);
	WRITE_ONCE(file->f_path.mnt, path->mnt);
	WRITE_ONCE(file->f_path.dentry, path->dentry);
	err = do_dentry_open(file, d_inode(path->dentry));
	revert_creds(old);
	if (err) {
		fput(file);
		return ERR_PTR(err);
	}
	return file;
}

/* ---- making a file ---------------------------------------------------------------------- */

/* The directory is locked. */
static int create_locked(const struct path *dir, struct dentry *dentry, const struct open_flags *op)
{
	struct inode *inode = d_inode(dir->dentry);
	int err = mnt_want_write(dir->mnt);

	if (err)
		return err;
	return vfs_create(inode, dentry, mode_of_new(inode, op->mode), op->open_flag & O_EXCL);
}

/* The last component of nd, made if it is not there. With a reference. */
static struct dentry *lookup_create(struct nameidata *nd, const struct open_flags *op,
				    bool *created)
{
	struct inode *dir = d_inode(nd->path.dentry);
	struct dentry *dentry;
	uint32_t seq;
	int err = 0;

	if (nd->last.len > SW_NAME_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	err = nd->hashed ? 0 : name_hash(nd->path.dentry, &nd->last);
	if (err)
		return ERR_PTR(err);
	dentry = d_lookup_seq(nd->path.dentry, &nd->last, &seq);
	if (dentry && dentry->d_op && dentry->d_op->d_revalidate) {
		dput(dentry);
		dentry = NULL;
	}
	if (dentry && d_inode(dentry) && !(op->open_flag & O_EXCL))
		return dentry;
	inode_lock(dir);
	/* What was found is still there if nothing was done to it; only the lock makes that stay so. */
	if (!dentry || read_seqcount_retry(&dentry->d_seq, seq)) {
		dput(dentry);
		dentry = lookup_locked(&nd->last, nd->path.dentry);
	}
	if (!IS_ERR(dentry) && !d_inode(dentry)) {
		err = create_locked(&nd->path, dentry, op);
		*created = !err;
		if (err) {
			dput(dentry);
			dentry = ERR_PTR(err);
		}
	}
	inode_unlock(dir);
	return dentry;
}

/* One directory's worth of it: 0 and *path, or *link to go on with. */
static int create_last(struct nameidata *nd, const struct open_flags *op, struct path *path,
		       bool *created, const char **link)
{
	struct inode *inode;

	*link = NULL;
	if (nd->last_type != LAST_NORM)
		return op->open_flag & O_EXCL ? -EEXIST : -EISDIR;
	if (nd->trailing)
		return -EISDIR;
	path->dentry = lookup_create(nd, op, created);
	if (IS_ERR(path->dentry))
		return (int)PTR_ERR(path->dentry);
	if (likely(*created)) {
		/* The walk is over: its reference of the mount goes on. */
		path->mnt = nd->path.mnt;
		nd->path.mnt = NULL;
		return 0;
	}
	path->mnt = mntget(nd->path.mnt);
	follow_mounts(path);
	inode = d_inode(path->dentry);
	if (op->open_flag & O_EXCL || S_ISDIR(inode->i_mode)) {
		path_put(path);
		return op->open_flag & O_EXCL ? -EEXIST : -EISDIR;
	}
	if (S_ISLNK(inode->i_mode) && op->lookup_flags & LOOKUP_FOLLOW) {
		*link = link_text(nd, path);
		path_put(path);
		return IS_ERR(*link) ? (int)PTR_ERR(*link) : 0;
	}
	return 0;
}

static struct file *open_create(int dfd, const char *name, const struct open_flags *op)
{
	struct nameidata nd;
	bool created = false;
	struct path path;
	const char *link;
	int err = walk_parent(&nd, dfd, name);

	while (!err) {
		err = create_last(&nd, op, &path, &created, &link);
		if (err || !link)
			break;
		err = walk_link(&nd, link);
	}
	walk_end(&nd);
	return err ? ERR_PTR(err) : open_path(&path, op, created);
}

/* ---- O_TMPFILE ----------------------------------------------------------------------------- */

void d_tmpfile(struct file *file, struct inode *inode)
{
	clear_nlink(inode);
	d_instantiate(file->f_path.dentry, inode);
}

static int make_tmpfile(const struct path *dir, struct file *file, const struct open_flags *op)
{
	static const struct qstr name = { .len = 1, .name = "/" };
	struct inode *inode = d_inode(dir->dentry);
	int err;

	err = mnt_want_write(dir->mnt);
	if (!err)
		err = inode_permission(inode, MAY_WRITE | MAY_EXEC);
	if (!err && !inode->i_op->tmpfile)
		err = -EOPNOTSUPP;
	if (err)
		return err;
	WRITE_ONCE(file->f_path.mnt, mntget(dir->mnt));
	WRITE_ONCE(file->f_path.dentry, d_alloc(dir->dentry, &name));
	if (!file->f_path.dentry)
		return -ENOMEM;
	err = inode->i_op->tmpfile(inode, file, S_IFREG | mode_of_new(inode, op->mode));
	if (!err && !(op->open_flag & O_EXCL))
		atomic_fetch_or(&d_inode(file->f_path.dentry)->i_state, I_LINKABLE);
	if (!err)
		err = do_dentry_open(file, d_inode(file->f_path.dentry));
	return err;
}

static struct file *open_tmpfile(int dfd, const char *name, const struct open_flags *op)
{
	struct file *file;
	struct path dir;
	int err;

	err = user_path_at(dfd, name, op->lookup_flags | LOOKUP_DIRECTORY, &dir);
	if (err)
		return ERR_PTR(err);
	file = alloc_empty_file(op->open_flag);
	err = file ? make_tmpfile(&dir, file, op) : -ENOMEM;
	path_put(&dir);
	if (err && file)
		__fput_sync(file);
	return err ? ERR_PTR(err) : file;
}

/* ---- doors --------------------------------------------------------------------------------- */

struct file *do_filp_open(int dfd, const char *name, const struct open_flags *op)
{
	struct path path;
	int err;

	if (op->open_flag & O_CREAT)
		return open_create(dfd, name, op);
	if (op->open_flag & TMPFILE_BIT)
		return open_tmpfile(dfd, name, op);
	err = user_path_at(dfd, name, op->lookup_flags & ~LOOKUP_DIRECTORY, &path);
	return err ? ERR_PTR(err) : open_path(&path, op, false);
}

/** filp_open() - an open file without a number; ERR_PTR */
struct file *filp_open(const char *name, int flags, mode_t mode)
{
	struct open_flags op;
	int err = build_open_flags(flags, mode, &op);

	return err ? ERR_PTR(err) : do_filp_open(AT_FDCWD, name, &op);
}

int sw_fs_openat(int dirfd, const char *name, int flags, mode_t mode)
{
	struct open_flags op;
	struct file *file;
	int fd = build_open_flags(flags, mode, &op);

	if (fd)
		return fd;
	file = do_filp_open(dirfd, name, &op);
	if (IS_ERR(file))
		return (int)PTR_ERR(file);
	fd = fd_alloc_install(0, file, flags);
	if (fd < 0)
		__fput_sync(file);
	return fd;
}

int sw_fs_open(const char *path, int flags, mode_t mode)
{
	return sw_fs_openat(AT_FDCWD, path, flags, mode);
}

int sw_fs_creat(const char *path, mode_t mode)
{
	return sw_fs_openat(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}
