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

#include "vfs/dcache_fast.h"
#include "vfs/namei.h"

/* Links within links; more is for the other walk. */
#define RCU_LINKS 8

struct walker {
	struct rcu_path *at; /* the caller's; its words are written one by one and read so */
	struct path root;    /* mnt NULL: not looked at yet */
	unsigned int links, depth;
	const char *rest[RCU_LINKS];
};

/* ---- where it starts ------------------------------------------------------------------ */

static inline int stand_at(struct walker *w, struct vfsmount *mnt, struct dentry *dentry)
{
	w->at->mnt = mnt;
	w->at->dentry = dentry;
	w->at->seq = raw_seqcount_begin(&dentry->d_seq);
	w->at->inode = d_inode(dentry);
	return w->at->seq & 1 || !w->at->inode ? -ECHILD : 0;
}

static inline int read_fs_path(const struct path *slot, struct path *path)
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
	path.mnt = rcu_dereference(file->f_path.mnt); /* before the dentry: see below */
	path.dentry = rcu_dereference(file->f_path.dentry);
	/* Closed and opened again meanwhile it may be the same number and memory: then one of the two was another. */
	if (!fd_still((unsigned int)dfd, file) || !path.dentry || !path.mnt ||
	    READ_ONCE(file->f_path.mnt) != path.mnt)
		return -ECHILD;
	return stand_at(w, path.mnt, path.dentry);
}

static inline int start(struct walker *w, int dfd, const char *name)
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

/* Not simply everybody. */
static __attribute__((noinline)) int may_exec_ask(struct inode *dir,
						  const struct inode_operations *op)
{
	if (!S_ISDIR(READ_ONCE(dir->i_mode)))
		return -ECHILD;
	if (op->permission)
		return op->permission(dir, MAY_EXEC | MAY_NOT_BLOCK);
	return generic_permission(dir, MAY_EXEC);
}

SW_ALWAYS_INLINE int may_exec_rcu(struct inode *dir)
{
	const struct inode_operations *op = READ_ONCE(dir->i_op);

	if (likely(!op->permission &&
		   (READ_ONCE(dir->i_mode) & (S_IFMT | 0111)) == (S_IFDIR | 0111)))
		return 0;
	return may_exec_ask(dir, op);
}

static int step_up(struct walker *w)
{
	struct dentry *parent, *dentry = w->at->dentry;
	struct rcu_path up = { .mnt = w->at->mnt };

	if (!w->root.mnt && read_fs_path(&current_task()->fs->root, &w->root))
		return -ECHILD;
	if (dentry == w->root.dentry && w->at->mnt == w->root.mnt)
		return 0;
	if (dentry == w->at->mnt->mnt_root)
		return -ECHILD;
	parent = rcu_dereference(dentry->d_parent);
	up.dentry = parent;
	up.seq = raw_seqcount_begin(&parent->d_seq);
	up.inode = d_inode(parent);
	if (up.seq & 1 || !up.inode || !rcu_path_valid(w->at) ||
	    atomic_load_explicit(&parent->d_flags, memory_order_relaxed) & DCACHE_MOUNTED)
		return -ECHILD;
	*w->at = up;
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

/* A link that is to be followed: its text, or NULL: the other walk does it. */
static __attribute__((noinline)) const char *link_rcu(struct walker *w, struct dentry *dentry,
						      struct inode *inode, uint32_t seq)
{
	const char *text = READ_ONCE(inode->i_link);

	/* atime of links is kept by the other walk; one that is fresh needs nothing. */
	if (!text || !*text || w->links++ >= RCU_LINKS ||
	    read_seqcount_retry(&dentry->d_seq, seq) ||
	    !(atomic_load_explicit(&inode->i_state, memory_order_relaxed) & I_ATIME_FRESH))
		return NULL;
	return text;
}

/* The walk goes to @dentry, or to what is mounted there. */
static __attribute__((noinline)) int step_unusual(struct walker *w, struct dentry *dentry,
						  struct inode *inode, uint32_t seq)
{
	struct rcu_path to = { w->at->mnt, dentry, inode, seq };

	if ((dentry->d_op && dentry->d_op->d_revalidate) || !inode || cross_mount(&to))
		return -ECHILD;
	if (S_ISLNK(READ_ONCE(to.inode->i_mode)))
		return -ECHILD;
	*w->at = to;
	return 0;
}

/*
 * One component that is a name. *link: a link to be followed; the walk stays where it is. Single words
 * all along: a structure that is built and copied at once stalls on its own stores.
 */
SW_ALWAYS_INLINE int step(struct walker *w, const struct qstr *name, bool follow, const char **link)
{
	struct rcu_path *at = w->at;
	struct dentry *dentry;
	struct inode *inode;
	uint32_t seq;

	*link = NULL;
	dentry = d_find_rcu(at->dentry, name, &seq);
	if (unlikely(!dentry))
		return -ECHILD;
	inode = d_inode(dentry);
	if (unlikely(!rcu_path_valid(at)))
		return -ECHILD;
	if (unlikely(atomic_load_explicit(&dentry->d_flags, memory_order_relaxed) &
		     (DCACHE_MOUNTED | DCACHE_OP_REVALIDATE)))
		return step_unusual(w, dentry, inode, seq);
	if (unlikely(!inode))
		return read_seqcount_retry(&dentry->d_seq, seq) ? -ECHILD : -ENOENT;
	if (follow && unlikely(S_ISLNK(READ_ONCE(inode->i_mode)))) {
		*link = link_rcu(w, dentry, inode, seq);
		return *link ? 0 : -ECHILD;
	}
	at->dentry = dentry;
	at->inode = inode;
	at->seq = seq;
	return 0;
}

/* Cuts the next component off *at and hashes it. -ECHILD: too long, or the parent hashes in its own way. */
SW_ALWAYS_INLINE int take_name(const struct dentry *parent, const char **at, struct qstr *name,
			       enum last_type *type)
{
	const char *p = *at;

	name->name = p;
	name->len = scan_name(parent, p, &name->hash);
	*type = LAST_NORM;
	if (unlikely(*p == '.') && name->len <= 2 && (name->len == 1 || p[1] == '.'))
		*type = name->len == 1 ? LAST_DOT : LAST_DOTDOT;
	else if (unlikely(name->len > SW_NAME_MAX ||
			  atomic_load_explicit(&((struct dentry *)parent)->d_flags,
					       memory_order_relaxed) &
				  DCACHE_OP_HASH))
		return -ECHILD;
	*at = p + name->len;
	return 0;
}

static int step_dots(struct walker *w, enum last_type type)
{
	return type == LAST_DOTDOT ? step_up(w) : 0;
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

/* All but the last component, which is left in *last, hashed. */
SW_ALWAYS_INLINE int to_last(struct walker *w, const char *name, struct qstr *last,
			     enum last_type *last_type, bool *trailing)
{
	const char *begin = name, *link;
	int err;

	w->depth = 0;
	*last_type = LAST_ROOT;
	*trailing = false;
	while (*name == '/')
		name++;
	if (unlikely(!*name))
		return 0;
	for (;;) {
		enum last_type type;
		struct qstr this;
		bool slashes;

		if (unlikely(may_exec_rcu(w->at->inode)) ||
		    unlikely(take_name(w->at->dentry, &name, &this, &type)))
			return -ECHILD;
		slashes = *name == '/';
		while (*name == '/')
			name++;
		if (!*name) {
			if (likely(!w->depth)) {
				last->name = this.name;
				last->len = this.len;
				last->hash = this.hash;
				*last_type = type;
				*trailing = slashes;
				return name - begin >= SW_PATH_MAX ? -ECHILD : 0;
			}
			name = w->rest[--w->depth];
		}
		if (unlikely(type != LAST_NORM)) {
			err = step_dots(w, type);
			link = NULL;
		} else {
			err = step(w, &this, true, &link);
		}
		if (unlikely(err))
			return err;
		if (unlikely(link != NULL)) {
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

static __attribute__((noinline)) int to_last_of_link(struct walker *w, const char *link,
						     struct qstr *last, enum last_type *type,
						     bool *trailing)
{
	int err = 0;

	link = enter_text(w, link, &err);
	return err ? err : to_last(w, link, last, type, trailing);
}

SW_ALWAYS_INLINE int to_end(struct walker *w, const char *name, unsigned int flags)
{
	bool trailing, again = false;
	enum last_type type;
	const char *link;
	struct qstr last;
	int err;

	err = to_last(w, name, &last, &type, &trailing);
	while (likely(!err)) {
		again |= trailing;
		if (unlikely(type != LAST_NORM)) {
			err = step_dots(w, type);
			break;
		}
		err = step(w, &last, flags & LOOKUP_FOLLOW || again, &link);
		if (err || likely(!link))
			break;
		err = to_last_of_link(w, link, &last, &type, &trailing);
	}
	if (!err && unlikely(again || flags & LOOKUP_DIRECTORY) &&
	    !S_ISDIR(READ_ONCE(w->at->inode->i_mode)))
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
	w.at = at;
	err = start(&w, dfd, name);
	if (err)
		return err;
	if (flags & LOOKUP_PARENT)
		err = to_last(&w, name, &nd->last, &nd->last_type, &nd->trailing);
	else
		err = to_end(&w, name, flags);
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
