/* SPDX-License-Identifier: MIT */
/*
 * namei_rcu.c - from a path to what it names, without touching a counter
 *
 * Room: vfs. Next door: namei.c, the same with references: whatever is unusual here answers -ECHILD, and the
 * walk begins again there.
 *
 * The walk stands at (mnt, dentry, seq, inode): the inode was the dentry's while d_seq was seq. A step
 * finds the child with its own sequence and then looks at the parent's again: unmoved, so at that moment the
 * child was in it, under that name. "No such name" is certain if a negative dentry passes the same test.
 *
 * Everything walked over may be dying; it is freed after a grace period, and its sequence has moved.
 */

#include "vfs/namei.h"

/* Links within links; more is for the other walk. */
#define RCU_LINKS 8

struct walker {
	struct rcu_path at;
	struct path root; /* mnt NULL: not looked at yet */
	unsigned int links, depth;
	const char *rest[RCU_LINKS];
};

/* ---- where it starts ------------------------------------------------------------------ */

static int stand_at(struct walker *w, struct vfsmount *mnt, struct dentry *dentry)
{
	w->at.mnt = mnt;
	w->at.dentry = dentry;
	w->at.seq = raw_seqcount_begin(&dentry->d_seq);
	w->at.inode = d_inode(dentry);
	return w->at.seq & 1 || !w->at.inode ? -ECHILD : 0;
}

static int read_fs_path(const struct path *slot, struct path *path)
{
	struct fs_struct *fs = current_task()->fs;
	uint32_t seq;

	do {
		seq = read_seqcount_begin(&fs->seq);
		path->mnt = READ_ONCE(slot->mnt);
		path->dentry = READ_ONCE(slot->dentry);
	} while (read_seqcount_retry(&fs->seq, seq));
	return path->dentry ? 0 : -ECHILD;
}

static int start_at_root(struct walker *w)
{
	if (!w->root.mnt && read_fs_path(&current_task()->fs->root, &w->root))
		return -ECHILD;
	return stand_at(w, w->root.mnt, w->root.dentry);
}

static int start_at_fd(struct walker *w, int dfd)
{
	struct file *file = fd_peek((unsigned int)dfd);
	struct path path;

	if (!file)
		return -ECHILD;
	path.mnt = READ_ONCE(file->f_path.mnt);
	path.dentry = READ_ONCE(file->f_path.dentry);
	if (!fd_still((unsigned int)dfd, file) || !path.dentry || !path.mnt)
		return -ECHILD;
	return stand_at(w, path.mnt, path.dentry);
}

static int start(struct walker *w, int dfd, const char *name)
{
	struct path pwd;

	w->root.mnt = NULL;
	w->links = w->depth = 0;
	if (*name == '/')
		return start_at_root(w);
	if (dfd != AT_FDCWD)
		return start_at_fd(w, dfd);
	if (read_fs_path(&current_task()->fs->pwd, &pwd))
		return -ECHILD;
	return stand_at(w, pwd.mnt, pwd.dentry);
}

/* ---- a step --------------------------------------------------------------------------------- */

static int may_exec_rcu(struct inode *dir)
{
	mode_t mode = READ_ONCE(dir->i_mode);

	if (!S_ISDIR(mode))
		return -ECHILD;
	if (dir->i_op->permission)
		return dir->i_op->permission(dir, MAY_EXEC | MAY_NOT_BLOCK);
	if ((mode & 0111) == 0111)
		return 0;
	return generic_permission(dir, MAY_EXEC);
}

static int step_up(struct walker *w)
{
	struct dentry *parent, *dentry = w->at.dentry;
	struct rcu_path up = { .mnt = w->at.mnt };

	if (!w->root.mnt && read_fs_path(&current_task()->fs->root, &w->root))
		return -ECHILD;
	if (dentry == w->root.dentry && w->at.mnt == w->root.mnt)
		return 0;
	if (dentry == w->at.mnt->mnt_root)
		return -ECHILD;
	parent = rcu_dereference(dentry->d_parent);
	up.dentry = parent;
	up.seq = raw_seqcount_begin(&parent->d_seq);
	up.inode = d_inode(parent);
	if (up.seq & 1 || !up.inode || !rcu_path_valid(&w->at) ||
	    atomic_load_explicit(&parent->d_flags, memory_order_relaxed) & DCACHE_MOUNTED)
		return -ECHILD;
	w->at = up;
	return 0;
}

static int cross_mount(struct rcu_path *to)
{
	while (atomic_load_explicit(&to->dentry->d_flags, memory_order_acquire) & DCACHE_MOUNTED) {
		uint32_t seq = raw_seqcount_begin(&mount_lock.seqcount);
		struct mount *m = __lookup_mnt(to->mnt, to->dentry);

		if (read_seqcount_retry(&mount_lock.seqcount, seq) || seq & 1)
			return -ECHILD;
		if (!m)
			break;
		to->mnt = &m->mnt;
		to->dentry = m->mnt.mnt_root;
		to->seq = raw_seqcount_begin(&to->dentry->d_seq);
		to->inode = d_inode(to->dentry);
		if (to->seq & 1 || !to->inode)
			return -ECHILD;
	}
	return 0;
}

/* *link: a link to be followed; the walk stays where it is. */
static int step(struct walker *w, struct qstr *name, enum last_type type, bool follow,
		const char **link)
{
	struct rcu_path to = { .mnt = w->at.mnt };

	*link = NULL;
	if (unlikely(type != LAST_NORM))
		return type == LAST_DOTDOT ? step_up(w) : 0;
	if (name->len > SW_NAME_MAX || name_hash(w->at.dentry, name))
		return -ECHILD;
	to.dentry = __d_lookup_rcu(w->at.dentry, name, &to.seq);
	if (!to.dentry)
		return -ECHILD;
	to.inode = d_inode(to.dentry);
	if (!rcu_path_valid(&w->at) || (to.dentry->d_op && to.dentry->d_op->d_revalidate))
		return -ECHILD;
	if (!to.inode)
		return rcu_path_valid(&to) ? -ENOENT : -ECHILD;
	if (cross_mount(&to))
		return -ECHILD;
	if (follow && unlikely(S_ISLNK(READ_ONCE(to.inode->i_mode)))) {
		/* atime of links is kept by the other walk; one that is fresh needs nothing. */
		*link = READ_ONCE(to.inode->i_link);
		if (!*link || !**link || w->links++ >= RCU_LINKS || !rcu_path_valid(&to) ||
		    !(atomic_load_explicit(&to.inode->i_state, memory_order_relaxed) &
		      I_ATIME_FRESH))
			return -ECHILD;
		return 0;
	}
	w->at = to;
	return 0;
}

static const char *enter_text(struct walker *w, const char *text, int *err)
{
	if (*text == '/') {
		*err = start_at_root(w);
		while (*text == '/')
			text++;
	}
	return text;
}

/* All but the last component, which is left in *last. */
static int to_last(struct walker *w, const char *name, struct qstr *last, enum last_type *last_type,
		   bool *trailing)
{
	const char *begin = name, *link;
	int err;

	w->depth = 0;
	*last_type = LAST_ROOT;
	*trailing = false;
	while (*name == '/')
		name++;
	if (!*name)
		return 0;
	for (;;) {
		enum last_type type;
		struct qstr this;
		bool slashes;

		if (may_exec_rcu(w->at.inode))
			return -ECHILD;
		type = next_component(&name, &this, &slashes);
		if (!*name) {
			if (!w->depth) {
				*last = this;
				*last_type = type;
				*trailing = slashes;
				return name - begin >= SW_PATH_MAX ? -ECHILD : 0;
			}
			name = w->rest[--w->depth];
		}
		err = step(w, &this, type, true, &link);
		if (err)
			return err;
		if (link) {
			link = enter_text(w, link, &err);
			if (err)
				return err;
			if (*link) {
				w->rest[w->depth++] = name;
				name = begin = link;
			}
		}
	}
}

static int to_end(struct walker *w, const char *name, unsigned int flags)
{
	bool trailing, again = false;
	enum last_type type;
	const char *link;
	struct qstr last;
	int err;

	err = to_last(w, name, &last, &type, &trailing);
	while (!err) {
		again |= trailing;
		err = step(w, &last, type, flags & LOOKUP_FOLLOW || again, &link);
		if (err || !link)
			break;
		link = enter_text(w, link, &err);
		if (!err)
			err = to_last(w, link, &last, &type, &trailing);
	}
	if (!err && (again || flags & LOOKUP_DIRECTORY) && !S_ISDIR(READ_ONCE(w->at.inode->i_mode)))
		err = -ECHILD;
	return err;
}

int rcu_walk(int dfd, const char *name, unsigned int flags, struct rcu_path *at,
	     struct nameidata *nd)
{
	struct walker w;
	int err;

	if (unlikely(!*name))
		return -ECHILD;
	err = start(&w, dfd, name);
	if (err)
		return err;
	if (flags & LOOKUP_PARENT)
		err = to_last(&w, name, &nd->last, &nd->last_type, &nd->trailing);
	else
		err = to_end(&w, name, flags);
	*at = w.at;
	return err;
}

bool rcu_path_get(const struct rcu_path *at, struct path *path)
{
	bool mnt = mnt_get_rcu(at->mnt), dentry = mnt && d_get_rcu(at->dentry);
	bool valid = dentry && rcu_path_valid(at);

	rcu_read_unlock();
	if (valid) {
		*path = (struct path){ at->mnt, at->dentry };
		return true;
	}
	if (dentry)
		dput(at->dentry);
	if (mnt)
		mntput(at->mnt);
	return false;
}
