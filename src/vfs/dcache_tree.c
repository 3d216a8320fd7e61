/* SPDX-License-Identifier: MIT */
/*
 * dcache_tree.c - many dentries at once: paths, ancestors, pruning
 *
 * Room: vfs. Next door: dcache.c (life of one dentry, lock order).
 *
 * Pruning isolates victims under their d_lock (count 0 becomes dead), gathers them on a list of its own by
 * d_lru, and buries them when no lock is held. A parent whose last child went is put, and may follow.
 */

#include "vfs/vfs_internal.h"

/* ---- upwards ------------------------------------------------------------------------ */

/**
 * is_subdir() - is @dentry @of, or below it?
 *
 * Context: Any; a rename meanwhile is waited for.
 */
bool is_subdir(struct dentry *dentry, struct dentry *of)
{
	bool below;
	uint32_t seq;

	do {
		struct dentry *d = dentry, *parent;

		rcu_read_lock();
		seq = read_seqbegin(&rename_lock);
		while (d != of && (parent = rcu_dereference(d->d_parent)) != d)
			d = parent;
		below = d == of;
		rcu_read_unlock();
	} while (read_seqretry(&rename_lock, seq));
	return below;
}

/* Put the words of a name before *at. */
static bool prepend(char *buf, char **at, const struct dentry *dentry)
{
	uint32_t len = READ_ONCE(dentry->d_name.len);
	const uint64_t *words = (const void *)READ_ONCE(dentry->d_name.name);
	uint32_t seq_safe = len <= SW_NAME_MAX ? len : 0;

	if (*at - buf < (long)seq_safe + 1)
		return false;
	*at -= seq_safe;
	for (uint32_t i = 0; i < seq_safe; i += 8) {
		uint64_t word = READ_ONCE(words[i / 8]);

		memcpy(*at + i, &word, seq_safe - i < 8 ? seq_safe - i : 8);
	}
	*--*at = '/';
	return true;
}

/* One try, under RCU. NULL: does not fit. */
static char *path_try(const struct path *path, const struct path *root, char *buf, char *end)
{
	struct dentry *dentry = path->dentry, *parent;
	struct mount *mnt = real_mount(path->mnt);
	char *at = end;

	*--at = 0;
	while (dentry != root->dentry || &mnt->mnt != root->mnt) {
		uint32_t seq;

		if (dentry == mnt->mnt.mnt_root ||
		    (parent = rcu_dereference(dentry->d_parent)) == dentry) {
			struct mount *up = rcu_dereference(mnt->mnt_parent);

			if (up == mnt || !up)
				break;
			dentry = rcu_dereference(mnt->mnt_mountpoint);
			mnt = up;
			continue;
		}
		do {
			char *before = at;

			seq = read_seqcount_begin(&dentry->d_seq);
			parent = rcu_dereference(dentry->d_parent);
			if (!prepend(buf, &at, dentry))
				return NULL;
			if (!read_seqcount_retry(&dentry->d_seq, seq))
				break;
			at = before;
		} while (1);
		dentry = parent;
	}
	if (!*at) {
		if (at == buf)
			return NULL;
		*--at = '/';
	}
	return at;
}

/**
 * d_path() - the path of @path from the task's root
 * @buf, @size: where to; it lies at the end of it
 *
 * A removed name has " (deleted)" after it.
 * Return: where it begins; ERR_PTR(-ENAMETOOLONG), ERR_PTR(-ENOENT) (nothing is mounted).
 */
char *d_path(const struct path *path, char *buf, int size)
{
	static const char deleted[] = " (deleted)";
	char *at, *end = buf + size;
	uint32_t seq, mseq;
	struct path root;
	int err = get_fs_root(&root);

	if (err)
		return ERR_PTR(err);
	if (d_unhashed(path->dentry) && READ_ONCE(path->dentry->d_parent) != path->dentry)
		end -= sizeof(deleted) - 1;
	do {
		at = NULL;
		rcu_read_lock();
		seq = read_seqbegin(&rename_lock);
		mseq = read_seqbegin(&mount_lock);
		if (end - buf >= 2)
			at = path_try(path, &root, buf, end);
		rcu_read_unlock();
	} while (read_seqretry(&rename_lock, seq) || read_seqretry(&mount_lock, mseq));
	path_put(&root);
	if (!at)
		return ERR_PTR(-ENAMETOOLONG);
	if (end != buf + size)
		memcpy(end - 1, deleted, sizeof(deleted));
	return at;
}

/* ---- pruning ---------------------------------------------------------------------------- */

/* Bury what was gathered; parents go on by dput(). */
static unsigned long bury_all(struct list_head *dead)
{
	unsigned long n = 0;

	while (!list_empty(dead)) {
		struct dentry *dentry = list_first_entry(dead, struct dentry, d_lru);

		list_del_init(&dentry->d_lru);
		dput(dentry_bury(dentry));
		n++;
	}
	return n;
}

/* Up to @nr of the LRU's oldest; those used since they got there get another round unless @all. */
static unsigned long prune_lru(struct super_block *sb, unsigned long nr, bool all)
{
	LIST_HEAD(dead);

	while (nr--) {
		struct dentry *dentry;
		unsigned int flags;

		spin_lock(&sb->s_lru_lock);
		if (list_empty(&sb->s_dentry_lru)) {
			spin_unlock(&sb->s_lru_lock);
			break;
		}
		dentry = list_first_entry(&sb->s_dentry_lru, struct dentry, d_lru);
		if (!spin_trylock(&dentry->d_lock)) {
			list_move_tail(&dentry->d_lru, &sb->s_dentry_lru);
			spin_unlock(&sb->s_lru_lock);
			continue;
		}
		flags = atomic_fetch_and_explicit(&dentry->d_flags, ~DCACHE_REFERENCED,
						  memory_order_relaxed);
		if (atomic_load_explicit(&dentry->d_count, memory_order_relaxed) == 0 &&
		    flags & DCACHE_REFERENCED && !all) {
			list_move_tail(&dentry->d_lru, &sb->s_dentry_lru);
			spin_unlock(&sb->s_lru_lock);
			spin_unlock(&dentry->d_lock);
			continue;
		}
		list_del_init(&dentry->d_lru);
		spin_unlock(&sb->s_lru_lock);
		atomic_fetch_sub_explicit(&sb->s_nr_dentry_lru, 1, memory_order_relaxed);
		atomic_fetch_and_explicit(&dentry->d_flags, ~DCACHE_LRU_LIST, memory_order_relaxed);
		if (dentry_mark_dead(dentry))
			list_add_tail(&dentry->d_lru, &dead);
		spin_unlock(&dentry->d_lock);
	}
	return bury_all(&dead);
}

unsigned long prune_dcache_sb(struct super_block *sb, unsigned long nr)
{
	return prune_lru(sb, nr, false);
}

/** shrink_dcache_sb() - drop every unused dentry of @sb */
void shrink_dcache_sb(struct super_block *sb)
{
	while (prune_lru(sb, 1024, true))
		;
}

/* How deep shrink_dcache_parent() looks, and how many directories it keeps in hand at each level. */
#define SHRINK_DEPTH 24
#define SHRINK_HELD  16

/* Unused children go on @dead; some of the used ones that have children go into held[]. */
static unsigned int gather_children(struct dentry *parent, struct list_head *dead,
				    struct dentry **held)
{
	struct dentry *child, *next;
	unsigned int n = 0;

	spin_lock(&parent->d_lock);
	list_for_each_entry_safe(child, next, &parent->d_subdirs, d_child) {
		spin_lock(&child->d_lock);
		if (dentry_mark_dead(child))
			list_add_tail(&child->d_lru, dead);
		else if (!list_empty(&child->d_subdirs) && n < SHRINK_HELD && d_get_rcu(child))
			held[n++] = child;
		spin_unlock(&child->d_lock);
	}
	spin_unlock(&parent->d_lock);
	return n;
}

static void shrink_children(struct dentry *parent, unsigned int depth)
{
	struct dentry *held[SHRINK_HELD];
	LIST_HEAD(dead);
	unsigned int n = gather_children(parent, &dead, held);

	bury_all(&dead);
	while (n--) {
		if (depth)
			shrink_children(held[n], depth - 1);
		dput(held[n]);
	}
	/* Directories that were held and are unused now wait on the LRU for the shrinker. */
}

/** shrink_dcache_parent() - drop unused dentries below @parent; best effort in deep or wide trees */
void shrink_dcache_parent(struct dentry *parent)
{
	shrink_children(parent, SHRINK_DEPTH);
}

/* ---- the end of a super block ---------------------------------------------------------------- */

static struct dentry *first_child(struct dentry *parent)
{
	struct dentry *child;

	spin_lock(&parent->d_lock);
	child = list_first_entry_or_null(&parent->d_subdirs, struct dentry, d_child);
	spin_unlock(&parent->d_lock);
	return child;
}

/* Leaves first. One reference of a leaf is its pin, if the type pins; more are somebody's leak. */
void shrink_dcache_for_umount(struct super_block *sb, bool pinned)
{
	struct dentry *root = sb->s_root, *dentry = root, *child;

	if (!root)
		return;
	sb->s_root = NULL;
	for (;;) {
		int count;

		while ((child = first_child(dentry)))
			dentry = child;
		if (dentry == root)
			break;
		spin_lock(&dentry->d_lock);
		count = atomic_load_explicit(&dentry->d_count, memory_order_relaxed);
		if (count > (pinned ? 1 : 0))
			vfs_bug("umount: a dentry is still in use");
		atomic_store_explicit(&dentry->d_count, 0, memory_order_relaxed);
		(void)dentry_mark_dead(dentry);
		spin_unlock(&dentry->d_lock);
		dentry = dentry_bury(dentry);
		/* The child's reference; never the last step to 0 for a directory with a pin. */
		atomic_fetch_sub_explicit(&dentry->d_count, 1, memory_order_relaxed);
	}
	if (atomic_load_explicit(&root->d_count, memory_order_relaxed) != 1)
		vfs_bug("umount: the root is still in use");
	dput(root);
}
