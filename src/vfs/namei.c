/* SPDX-License-Identifier: MIT */
/*
 * namei.c - from a path to what it names: the walk with references
 *
 * Room: vfs. Next door: namei_rcu.c tries the same without references first; namei_ops.c does things at the end
 * of a walk.
 *
 * A walk stands at nd->path, with a reference. walk_to_last() takes component after component but the last,
 * since what is done with that differs: looked up, made, removed. A link in the middle pushes the rest of the
 * name and goes on with its text; a link at the end is the caller's to follow (walk_link()).
 *
 * Names are read where the caller has them: whoever changes one meanwhile gets something looked up, and no
 * more than 255 bytes of it.
 */

#include "vfs/namei.h"

/* ---- components ---------------------------------------------------------------------- */

enum last_type next_component(const char **at, struct qstr *name, bool *slashes)
{
	const char *p = *at;

	name->name = p;
	while (*p && *p != '/')
		p++;
	name->len = p - *at > SW_PATH_MAX ? SW_PATH_MAX : (uint32_t)(p - *at);
	*slashes = *p == '/';
	while (*p == '/')
		p++;
	*at = p;
	if (likely(name->name[0] != '.') || name->len > 2)
		return LAST_NORM;
	if (name->len == 1)
		return LAST_DOT;
	return name->name[1] == '.' ? LAST_DOTDOT : LAST_NORM;
}

/* ---- one step -------------------------------------------------------------------------- */

int may_look_up(struct inode *dir)
{
	if (!S_ISDIR(READ_ONCE(dir->i_mode)))
		return -ENOTDIR;
	return inode_permission(dir, MAY_EXEC);
}

void follow_mounts(struct path *path)
{
	while (atomic_load_explicit(&path->dentry->d_flags, memory_order_acquire) &
	       DCACHE_MOUNTED) {
		struct mount *m;
		bool held;

		rcu_read_lock();
		m = __lookup_mnt(path->mnt, path->dentry);
		held = m && mnt_get_rcu(&m->mnt);
		rcu_read_unlock();
		if (!m)
			return;
		if (!held)
			continue; /* umount is at it */
		path_put(path);
		path->mnt = &m->mnt;
		path->dentry = dget(m->mnt.mnt_root);
	}
}

/* From the root of a mount to its place. */
static bool follow_up(struct path *path)
{
	struct mount *m = real_mount(path->mnt);
	struct path up;
	bool moved = false;

	write_seqlock(&mount_lock);
	if (m->mnt_parent != m) {
		up.mnt = mntget(&m->mnt_parent->mnt);
		up.dentry = dget(m->mnt_mountpoint);
		moved = true;
	}
	write_sequnlock(&mount_lock);
	if (moved) {
		path_put(path);
		*path = up;
	}
	return moved;
}

static struct dentry *dget_parent(struct dentry *dentry)
{
	struct dentry *parent;
	bool held;

	do {
		rcu_read_lock();
		parent = rcu_dereference(dentry->d_parent);
		held = d_get_rcu(parent);
		rcu_read_unlock();
		if (held && READ_ONCE(dentry->d_parent) != parent) {
			dput(parent);
			held = false;
		}
	} while (!held);
	return parent;
}

/* A walk that began without references has not needed it until now. */
static int need_root(struct nameidata *nd)
{
	return nd->root.dentry ? 0 : get_fs_root(&nd->root);
}

static int follow_dotdot(struct nameidata *nd)
{
	struct dentry *parent;

	if (need_root(nd))
		return -ENOENT;
	while (nd->path.dentry != nd->root.dentry || nd->path.mnt != nd->root.mnt) {
		if (nd->path.dentry != nd->path.mnt->mnt_root) {
			parent = dget_parent(nd->path.dentry);
			dput(nd->path.dentry);
			nd->path.dentry = parent;
			break;
		}
		if (!follow_up(&nd->path))
			break;
	}
	follow_mounts(&nd->path);
	return 0;
}

/* ---- looking up ----------------------------------------------------------------------------- */

static struct dentry *call_lookup(struct inode *dir, struct dentry *dentry)
{
	struct dentry *old;

	old = dir->i_op->lookup ? dir->i_op->lookup(dir, dentry, 0) : ERR_PTR(-ENOTDIR);
	d_lookup_done(dentry);
	if (old) {
		dput(dentry);
		dentry = old;
	}
	return dentry;
}

static struct dentry *revalidated(struct dentry *dentry)
{
	int err;

	if (!dentry || !dentry->d_op || !dentry->d_op->d_revalidate)
		return dentry;
	err = dentry->d_op->d_revalidate(dentry, 0);
	if (err > 0)
		return dentry;
	if (!err)
		d_drop(dentry);
	dput(dentry);
	return err ? ERR_PTR(err) : NULL;
}

struct dentry *lookup_locked(const struct qstr *name, struct dentry *base)
{
	struct dentry *dentry = revalidated(d_lookup(base, name));

	if (dentry)
		return dentry;
	if (IS_DEADDIR(d_inode(base)))
		return ERR_PTR(-ENOENT);
	dentry = d_alloc(base, name);
	return dentry ? call_lookup(d_inode(base), dentry) : ERR_PTR(-ENOMEM);
}

struct dentry *lookup_slow(const struct qstr *name, struct dentry *base)
{
	struct inode *dir = d_inode(base);
	struct dentry *dentry;
	bool is_new;

	inode_lock_shared(dir);
	do {
		dentry = IS_DEADDIR(dir) ? ERR_PTR(-ENOENT) : d_alloc_parallel(base, name, &is_new);
		if (IS_ERR(dentry))
			break;
		dentry = is_new ? call_lookup(dir, dentry) : revalidated(dentry);
	} while (!dentry);
	inode_unlock_shared(dir);
	return dentry;
}

/* The dentry of a component, from the cache or the file system; maybe negative. */
static struct dentry *lookup_component(struct nameidata *nd, struct qstr *name)
{
	struct dentry *base = nd->path.dentry, *dentry;
	int err;

	if (name->len > SW_NAME_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	err = name_hash(base, name);
	if (err)
		return ERR_PTR(err);
	dentry = revalidated(d_lookup(base, name));
	return dentry ? dentry : lookup_slow(name, base);
}

const char *link_text(struct nameidata *nd, const struct path *path)
{
	struct inode *inode = d_inode(path->dentry);
	const char *text;
	void *to_free = NULL;

	if (nd->links++ >= MAXSYMLINKS)
		return ERR_PTR(-ELOOP);
	touch_atime(path);
	text = inode->i_link;
	if (!text)
		text = inode->i_op->get_link ?
			       inode->i_op->get_link(path->dentry, inode, &to_free) :
			       ERR_PTR(-EINVAL);
	if (IS_ERR(text))
		return text;
	if (!text || !*text) {
		kfree(to_free);
		return ERR_PTR(-ENOENT);
	}
	nd->held[nd->nheld].dentry = dget(path->dentry);
	nd->held[nd->nheld++].to_free = to_free;
	return text;
}

/* One component. *link set: it was a link to be followed, and nd->path is still its directory. */
static int walk_component(struct nameidata *nd, struct qstr *name, enum last_type type, bool follow,
			  const char **link)
{
	struct path path;
	struct inode *inode;
	int err = 0;

	*link = NULL;
	if (type != LAST_NORM)
		return type == LAST_DOTDOT ? follow_dotdot(nd) : 0;
	path.dentry = lookup_component(nd, name);
	if (IS_ERR(path.dentry))
		return (int)PTR_ERR(path.dentry);
	path.mnt = mntget(nd->path.mnt);
	follow_mounts(&path);
	inode = d_inode(path.dentry);
	if (!inode) {
		err = -ENOENT;
	} else if (follow && S_ISLNK(inode->i_mode)) {
		*link = link_text(nd, &path);
		if (IS_ERR(*link)) {
			err = (int)PTR_ERR(*link);
			*link = NULL;
		}
	}
	if (err || *link) {
		path_put(&path);
		return err;
	}
	path_put(&nd->path);
	nd->path = path;
	return 0;
}

/* An absolute link starts at the root. */
static const char *enter_text(struct nameidata *nd, const char *text)
{
	if (*text == '/' && !need_root(nd)) {
		path_get(&nd->root);
		path_put(&nd->path);
		nd->path = nd->root;
		while (*text == '/')
			text++;
	}
	return text;
}

/* ---- the walk --------------------------------------------------------------------------------- */

int walk_to_last(struct nameidata *nd, const char *name)
{
	const char *rest[MAXSYMLINKS + 1], *link;
	unsigned int depth = 0;

	nd->last_type = LAST_ROOT;
	nd->hashed = nd->trailing = false;
	while (*name == '/')
		name++;
	if (!*name)
		return 0;
	for (;;) {
		enum last_type type;
		struct qstr this;
		bool slashes;
		int err = may_look_up(d_inode(nd->path.dentry));

		if (err)
			return err;
		type = next_component(&name, &this, &slashes);
		if (!*name) {
			if (!depth) {
				nd->last = this;
				nd->last_type = type;
				nd->trailing = slashes;
				return 0;
			}
			name = rest[--depth];
		}
		err = walk_component(nd, &this, type, true, &link);
		if (err)
			return err;
		if (link) {
			link = enter_text(nd, link);
			if (*link) {
				rest[depth++] = name;
				name = link;
			}
		}
	}
}

int walk_last(struct nameidata *nd, bool follow, const char **link)
{
	struct qstr last = nd->last;

	return walk_component(nd, &last, nd->last_type, follow || nd->trailing, link);
}

int walk_link(struct nameidata *nd, const char *link)
{
	bool trailing = nd->trailing;
	int err;

	err = walk_to_last(nd, enter_text(nd, link));
	nd->trailing |= trailing;
	return err;
}

static int start_at_fd(struct nameidata *nd, int dfd, bool must_be_dir)
{
	struct file *file = fget_raw((unsigned int)dfd);
	int err = 0;

	if (!file)
		return -EBADF;
	if (must_be_dir && !S_ISDIR(file->f_inode->i_mode)) {
		err = -ENOTDIR;
	} else {
		nd->path = file->f_path;
		path_get(&nd->path);
	}
	fput(file);
	return err;
}

int walk_start(struct nameidata *nd, int dfd, const char *name, unsigned int flags)
{
	int err;

	nd->links = nd->nheld = 0;
	nd->path = nd->root = (struct path){ 0 };
	if (!*name && !(flags & LOOKUP_EMPTY))
		return -ENOENT;
	if (strnlen(name, SW_PATH_MAX) == SW_PATH_MAX)
		return -ENAMETOOLONG;
	err = get_fs_root(&nd->root);
	if (err)
		return err;
	if (*name == '/') {
		nd->path = nd->root;
		path_get(&nd->path);
		return 0;
	}
	return dfd == AT_FDCWD ? get_fs_pwd(&nd->path) : start_at_fd(nd, dfd, *name);
}

void walk_end(struct nameidata *nd)
{
	while (nd->nheld) {
		nd->nheld--;
		kfree(nd->held[nd->nheld].to_free);
		dput(nd->held[nd->nheld].dentry);
	}
	path_put(&nd->path);
	path_put(&nd->root);
	nd->path = nd->root = (struct path){ 0 };
}

static int walk_all(struct nameidata *nd, const char *name, unsigned int flags)
{
	const char *link;
	int err = walk_to_last(nd, name);

	while (!err) {
		err = walk_last(nd, flags & LOOKUP_FOLLOW, &link);
		if (err || !link)
			break;
		err = walk_link(nd, link);
	}
	if (!err && (nd->trailing || flags & LOOKUP_DIRECTORY) &&
	    !S_ISDIR(d_inode(nd->path.dentry)->i_mode))
		err = -ENOTDIR;
	return err;
}

static int path_at_refs(int dfd, const char *name, unsigned int flags, struct path *path)
{
	struct nameidata nd;
	int err = walk_start(&nd, dfd, name, flags);

	if (!err)
		err = walk_all(&nd, name, flags);
	if (!err) {
		*path = nd.path;
		nd.path = (struct path){ 0 };
	}
	walk_end(&nd);
	return err;
}

int user_path_at(int dfd, const char *name, unsigned int flags, struct path *path)
{
	struct rcu_path at;
	int err;

	rcu_read_lock();
	err = rcu_walk(dfd, name, flags, &at, NULL);
	if (!err) {
		if (rcu_path_get(&at, path))
			return 0;
		err = -ECHILD;
	} else {
		rcu_read_unlock();
	}
	return err == -ECHILD ? path_at_refs(dfd, name, flags, path) : err;
}

/** kern_path() - what @name is, from the task's root or working directory; with a reference in *@path */
int kern_path(const char *name, unsigned int lookup_flags, struct path *path)
{
	return user_path_at(AT_FDCWD, name, lookup_flags, path);
}

int walk_parent(struct nameidata *nd, int dfd, const char *name)
{
	struct rcu_path at;
	int err;

	rcu_read_lock();
	err = rcu_walk(dfd, name, LOOKUP_PARENT, &at, nd);
	if (!err) {
		nd->links = nd->nheld = 0;
		nd->hashed = true;
		nd->root = (struct path){ 0 };
		if (rcu_path_get(&at, &nd->path))
			return 0;
	} else {
		rcu_read_unlock();
	}
	err = walk_start(nd, dfd, name, 0);
	return err ? err : walk_to_last(nd, name);
}

/* ---- for who has a dentry ------------------------------------------------------------------------- */

static int one_name(const char *name, int len, struct dentry *base, struct qstr *this)
{
	if (len <= 0)
		return -EACCES;
	if (len > SW_NAME_MAX)
		return -ENAMETOOLONG;
	if ((name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.'))) ||
	    memchr(name, '/', (size_t)len) || memchr(name, 0, (size_t)len))
		return -EACCES;
	*this = (struct qstr){ .name = name, .len = (uint32_t)len };
	return name_hash(base, this);
}

/**
 * lookup_one_len() - the dentry of @name in @base, whose i_rwsem the caller holds
 * @len: 1 … 255 bytes; no slash, not "." nor ".."
 *
 * Return: with a reference, maybe negative; ERR_PTR(-EACCES, -ENAMETOOLONG, -ENOTDIR, …).
 */
struct dentry *lookup_one_len(const char *name, struct dentry *base, int len)
{
	struct qstr this;
	int err = one_name(name, len, base, &this);

	if (!err)
		err = may_look_up(d_inode(base));
	return err ? ERR_PTR(err) : lookup_locked(&this, base);
}

struct dentry *lookup_one_unlocked(const char *name, struct dentry *base, int len)
{
	struct dentry *dentry;
	struct qstr this;
	int err = one_name(name, len, base, &this);

	if (!err)
		err = may_look_up(d_inode(base));
	if (err)
		return ERR_PTR(err);
	dentry = revalidated(d_lookup(base, &this));
	return dentry ? dentry : lookup_slow(&this, base);
}
