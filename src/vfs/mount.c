/* SPDX-License-Identifier: MIT */
/*
 * mount.c - where file systems are attached
 *
 * Room: vfs. Door: <slabwork/fs/vfs.h>, sw_fs_mount(), sw_fs_umount().
 *
 * A mount has a place (parent mount, dentry there) or none (vfs_kern_mount(), the root). Its count: one for being
 * attached, one each path, file, child. While it is attached these are counted on the CPU that takes or drops one
 * (<slabwork/local_count.h>); umount brings them together first (count_exactly()). It sets a count of exactly one to 0 in one step, so whoever
 * finds it under RCU and takes a reference with mnt_get_rcu() either comes first (-EBUSY) or not at all.
 *
 * The first mount on "/" has no parent: its root becomes root and working directory of all tasks, and their
 * references do not make it busy while they stand there.
 *
 * Locks: mount_lock: hash, lists, parents. Readers: RCU and its sequence.
 */

#include <limits.h>
#include <sys/mount.h>

#include "vfs/vfs_internal.h"

#include "lib/hash.h"

#define MHASH_BITS 8

static struct hlist_head mount_hashtable[1 << MHASH_BITS];
static struct kmem_cache *mnt_cachep;
seqlock_t mount_lock;
static struct mutex namespace_mutex; /* mount and umount, one at a time */
static struct mount *root_mount;     /* on "/"; namespace_mutex */

int mount_init(void)
{
	mnt_cachep =
		kmem_cache_create("mnt_cache", sizeof(struct mount), 0, SLAB_HWCACHE_ALIGN, NULL);
	return mnt_cachep ? 0 : -ENOMEM;
}

static struct hlist_head *mhash_head(const struct vfsmount *mnt, const struct dentry *dentry)
{
	return &mount_hashtable[hash_64((uintptr_t)mnt ^ ((uintptr_t)dentry >> 3), MHASH_BITS)];
}

/* ---- references ---------------------------------------------------------------------- */

struct vfsmount *mntget(struct vfsmount *mnt)
{
	if (mnt && unlikely(!local_count_up(&real_mount(mnt)->mnt_local)))
		atomic_fetch_add_explicit(&real_mount(mnt)->mnt_count, 1, memory_order_relaxed);
	return mnt;
}

/*
 * In mnt_count while mnt_local runs: a put that could not be counted there shall not see 0. Large, since where ids are beyond
 * the lines, files may for years be opened here and closed there.
 */
#define LOCAL_BIAS (LONG_MAX / 2)

/* From here on mnt_count is all. namespace_mutex held, and the tree's reference. */
static void count_exactly(struct mount *m)
{
	if (m->mnt_local.runs)
		atomic_fetch_add(&m->mnt_count, local_count_stop(&m->mnt_local) - LOCAL_BIAS);
}

/* It is in the tree; without lines every reference is an atomic operation. namespace_mutex held. */
static void count_locally(struct mount *m)
{
	if (!m->mnt_local.lines)
		return;
	atomic_fetch_add(&m->mnt_count, LOCAL_BIAS);
	local_count_start(&m->mnt_local);
}

static void mount_free_rcu(struct rcu_head *head)
{
	struct mount *m = container_of(head, struct mount, mnt_rcu);

	kfree(m->mnt_local.lines);
	kfree(m->mnt_devname);
	kmem_cache_free(mnt_cachep, m);
}

/* The count is 0. */
static void mount_destroy(struct mount *m)
{
	struct super_block *sb = m->mnt.mnt_sb;

	dput(m->mnt.mnt_root);
	deactivate_super(sb);
	call_rcu(&m->mnt_rcu, mount_free_rcu);
}

void mntput(struct vfsmount *mnt)
{
	if (mnt && unlikely(!local_count_down(&real_mount(mnt)->mnt_local)) &&
	    atomic_fetch_sub_explicit(&real_mount(mnt)->mnt_count, 1, memory_order_acq_rel) == 1)
		mount_destroy(real_mount(mnt));
}

void path_get(const struct path *path)
{
	mntget(path->mnt);
	dget(path->dentry);
}

void path_put(const struct path *path)
{
	dput(path->dentry);
	mntput(path->mnt);
}

int mnt_want_write(struct vfsmount *mnt)
{
	if (READ_ONCE(mnt->mnt_flags) & MNT_READONLY ||
	    atomic_load_explicit(&mnt->mnt_sb->s_flags, memory_order_relaxed) & SB_RDONLY)
		return -EROFS;
	return 0;
}

void mnt_drop_write(struct vfsmount *mnt)
{
	(void)mnt;
}

/* ---- mounts in no tree -------------------------------------------------------------------- */

struct vfsmount *vfs_kern_mount(struct file_system_type *type, int flags, const char *name,
				const char *data)
{
	static _Atomic int next_id = 1;
	struct dentry *root;
	struct mount *m;
	int err = fs_init();

	if (err)
		return ERR_PTR(err);
	m = kmem_cache_zalloc(mnt_cachep, GFP_KERNEL);
	if (!m)
		return ERR_PTR(-ENOMEM);
	if (name) {
		m->mnt_devname = kstrdup(name, GFP_KERNEL);
		if (!m->mnt_devname) {
			kmem_cache_free(mnt_cachep, m);
			return ERR_PTR(-ENOMEM);
		}
	}
	root = type->mount(type, flags, name, data);
	if (IS_ERR(root)) {
		kfree(m->mnt_devname);
		kmem_cache_free(mnt_cachep, m);
		return ERR_CAST(root);
	}
	m->mnt.mnt_root = root;
	m->mnt.mnt_sb = root->d_sb;
	m->mnt_parent = m;
	m->mnt_mountpoint = root;
	m->mnt_id = atomic_fetch_add(&next_id, 1);
	INIT_LIST_HEAD(&m->mnt_list);
	INIT_LIST_HEAD(&m->mnt_mounts);
	INIT_LIST_HEAD(&m->mnt_child);
	atomic_init(&m->mnt_count, 1);
	return &m->mnt;
}

void kern_unmount(struct vfsmount *mnt)
{
	mntput(mnt);
}

/* ---- the tree --------------------------------------------------------------------------------- */

struct mount *__lookup_mnt(struct vfsmount *mnt, struct dentry *dentry)
{
	struct mount *m;

	hlist_for_each_entry_rcu(m, mhash_head(mnt, dentry),
				 mnt_hash) if (&READ_ONCE(m->mnt_parent)->mnt == mnt &&
					       READ_ONCE(m->mnt_mountpoint) == dentry) return m;
	return NULL;
}

/* Consumes the reference of @path; the count of @m becomes the tree's. */
static void attach(struct mount *m, struct path *path)
{
	struct mount *parent = real_mount(path->mnt);

	write_seqlock(&mount_lock);
	WRITE_ONCE(m->mnt_parent, parent);
	WRITE_ONCE(m->mnt_mountpoint, path->dentry);
	list_add_tail(&m->mnt_child, &parent->mnt_mounts);
	hlist_add_head_rcu(&m->mnt_hash, mhash_head(path->mnt, path->dentry));
	atomic_fetch_or_explicit(&path->dentry->d_flags, DCACHE_MOUNTED, memory_order_release);
	write_sequnlock(&mount_lock);
	count_locally(m);
}

/* mount_lock held: out of hash and list; what was held of the place is handed back. */
static void __detach(struct mount *m, struct path *place)
{
	place->mnt = NULL;
	place->dentry = NULL;
	if (m->mnt_parent == m)
		return;
	place->mnt = &m->mnt_parent->mnt;
	place->dentry = m->mnt_mountpoint;
	hlist_del_init_rcu(&m->mnt_hash);
	list_del_init(&m->mnt_child);
	WRITE_ONCE(m->mnt_parent, m);
	WRITE_ONCE(m->mnt_mountpoint, m->mnt.mnt_root);
}

/* Another mount may sit on the same dentry through another mount of that file system. */
static void clear_mounted(struct dentry *dentry)
{
	bool other = false;

	for (unsigned int i = 0; i < 1u << MHASH_BITS && !other; i++) {
		struct mount *m;

		hlist_for_each_entry(m, &mount_hashtable[i], mnt_hash)
			if (m->mnt_mountpoint == dentry)
				other = true;
	}
	if (!other)
		atomic_fetch_and_explicit(&dentry->d_flags, ~DCACHE_MOUNTED, memory_order_relaxed);
}

static int mount_flags(unsigned long flags, int *sb_flags, int *mnt_flags)
{
	if (flags & ~(unsigned long)(MS_RDONLY | MS_NOATIME | MS_NOSUID | MS_NODEV | MS_NOEXEC |
				     MS_RELATIME | MS_SYNCHRONOUS | MS_SILENT))
		return -EINVAL;
	*sb_flags = (flags & MS_RDONLY ? SB_RDONLY : 0) |
		    (flags & MS_SYNCHRONOUS ? SB_SYNCHRONOUS : 0);
	*mnt_flags = (flags & MS_RDONLY ? MNT_READONLY : 0) |
		     (flags & MS_NOATIME ? MNT_NOATIME : 0) | (flags & MS_NOSUID ? MNT_NOSUID : 0) |
		     (flags & MS_NODEV ? MNT_NODEV : 0) | (flags & MS_NOEXEC ? MNT_NOEXEC : 0);
	return 0;
}

static bool names_root(const char *target)
{
	return target[0] == '/' && target[strspn(target, "/")] == 0;
}

static int mount_at(struct mount *m, const char *target)
{
	struct path path;
	int err;

	if (!root_mount) {
		if (!names_root(target))
			return -ENOENT;
		root_mount = m;
		path = (struct path){ &m->mnt, m->mnt.mnt_root };
		tasks_set_root(&path);
		count_locally(m);
		return 0;
	}
	err = kern_path(target, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &path);
	if (err)
		return err;
	/* The kernel hides the old root, too, but nobody can get at the new one there either. */
	if (path.dentry == path.mnt->mnt_root && path.mnt == &root_mount->mnt)
		err = -EBUSY;
	else if (IS_DEADDIR(d_inode(path.dentry)))
		err = -ENOENT;
	if (err)
		path_put(&path);
	else
		attach(m, &path);
	return err;
}

int sw_fs_mount(const char *type, const char *source, const char *target, unsigned long flags,
		const char *options)
{
	struct file_system_type *fstype;
	int err, sb_flags, mnt_flags;
	struct vfsmount *mnt;

	err = fs_init();
	if (!err && (!type || !target))
		err = -EINVAL;
	if (!err)
		err = mount_flags(flags, &sb_flags, &mnt_flags);
	if (err)
		return err;
	if (!cred_capable(current_cred()))
		return -EPERM;
	fstype = get_fs_type(type);
	if (!fstype)
		return -ENODEV;
	mutex_lock(&namespace_mutex);
	mnt = vfs_kern_mount(fstype, sb_flags, source, options);
	err = IS_ERR(mnt) ? (int)PTR_ERR(mnt) : 0;
	if (!err) {
		mnt->mnt_flags = mnt_flags;
		/* Now, not when it runs: whoever finds the mount reads where the lines are before it asks whether it does. */
		real_mount(mnt)->mnt_local.lines =
			kzalloc(LOCAL_COUNT_BYTES, GFP_KERNEL | __GFP_NOWARN);
		err = mount_at(real_mount(mnt), target);
		if (err)
			mntput(mnt);
	}
	mutex_unlock(&namespace_mutex);
	return err;
}

/* Under a lazy umount the mounts below go along. */
static void detach_all(struct mount *m)
{
	struct path place;

	while (!list_empty(&m->mnt_mounts))
		detach_all(list_first_entry(&m->mnt_mounts, struct mount, mnt_child));
	count_exactly(m);
	write_seqlock(&mount_lock);
	__detach(m, &place);
	if (place.dentry)
		clear_mounted(place.dentry);
	write_sequnlock(&mount_lock);
	path_put(&place);
	mntput(&m->mnt);
}

/* Everybody out: the mount is what "/" is. */
static int umount_root(struct mount *m, bool detach)
{
	long standing = tasks_at_root(&m->mnt);
	bool lazy = detach || standing < 0;

	if (!detach && (standing < 0 || !list_empty(&m->mnt_mounts)))
		return -EBUSY;
	count_exactly(m);
	if (!lazy && atomic_load(&m->mnt_count) != standing + 1) {
		count_locally(m);
		return -EBUSY;
	}
	while (!list_empty(&m->mnt_mounts))
		detach_all(list_first_entry(&m->mnt_mounts, struct mount, mnt_child));
	root_mount = NULL;
	tasks_set_root(NULL);
	mntput(&m->mnt);
	return 0;
}

static int umount_child(struct mount *m)
{
	struct path place;
	long one = 1;

	count_exactly(m);
	write_seqlock(&mount_lock);
	if (!list_empty(&m->mnt_mounts) ||
	    !atomic_compare_exchange_strong(&m->mnt_count, &one, 0)) {
		write_sequnlock(&mount_lock);
		count_locally(m);
		return -EBUSY;
	}
	__detach(m, &place);
	clear_mounted(place.dentry);
	write_sequnlock(&mount_lock);
	path_put(&place);
	mount_destroy(m);
	return 0;
}

static int umount_path(struct path *path, int flags)
{
	struct mount *m = real_mount(path->mnt);
	bool at_root = path->dentry == path->mnt->mnt_root;

	path_put(path);
	if (!at_root)
		return -EINVAL;
	flush_delayed_fput();
	if (m == root_mount)
		return umount_root(m, flags & MNT_DETACH);
	if (!(flags & MNT_DETACH))
		return umount_child(m);
	detach_all(m);
	return 0;
}

int sw_fs_umount(const char *target, int flags)
{
	struct path path;
	int err;

	if (flags & ~MNT_DETACH || !target)
		return -EINVAL;
	if (!cred_capable(current_cred()))
		return -EPERM;
	mutex_lock(&namespace_mutex);
	err = kern_path(target, LOOKUP_FOLLOW, &path);
	if (!err)
		err = umount_path(&path, flags);
	mutex_unlock(&namespace_mutex);
	return err;
}

void mount_fork(bool lock)
{
	if (lock) {
		mutex_lock(&namespace_mutex);
		write_seqlock(&mount_lock);
	} else {
		write_sequnlock(&mount_lock);
		mutex_unlock(&namespace_mutex);
	}
}
