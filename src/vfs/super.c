/* SPDX-License-Identifier: MIT */
/*
 * super.c - file systems in use, and the kinds of them
 *
 * Room: vfs. Door: <slabwork/fs/vfs.h>. Next door: mount.c (where they are attached).
 *
 *	->mount ─▶ mount_nodev(): s_active 1, filled, SB_ACTIVE ─▶ more mounts: s_active++
 *	last deactivate_super() ─▶ ->kill_sb ─▶ generic_shutdown_super(): sync, dentries, inodes, ->put_super
 *	                                         └▶ freed after a grace period (walkers look at s_flags)
 *
 * Locks: sb_lock guards the list of super blocks, s_count and the list of types; s_umount keeps the shrinker out of one
 * that goes.
 */

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <slabwork/shrinker.h>

#include "vfs/vfs_internal.h"

struct super_extra {
	struct super_block sb;
	struct rcu_head rcu;
};

static spinlock_t sb_lock;
static LIST_HEAD(super_blocks);
static struct file_system_type *file_systems;

void vfs_bug(const char *what)
{
	char line[160];
	int n = snprintf(line, sizeof(line), "slabwork: fs: %s\n", what);

	if (n > 0 && write(2, line, (size_t)n) < 0)
		abort();
	abort();
}

/* ---- kinds ---------------------------------------------------------------------- */

static struct file_system_type **find_type(const char *name)
{
	struct file_system_type **p;

	for (p = &file_systems; *p; p = &(*p)->next)
		if (!strcmp((*p)->name, name))
			break;
	return p;
}

int register_filesystem(struct file_system_type *type)
{
	struct file_system_type **p;
	int err = fs_init();

	if (err)
		return err;
	spin_lock(&sb_lock);
	p = find_type(type->name);
	if (*p) {
		err = -EBUSY;
	} else {
		type->next = NULL;
		*p = type;
	}
	spin_unlock(&sb_lock);
	return err;
}

int unregister_filesystem(struct file_system_type *type)
{
	struct file_system_type **p;
	int err = -EINVAL;

	spin_lock(&sb_lock);
	for (p = &file_systems; *p; p = &(*p)->next)
		if (*p == type) {
			*p = type->next;
			type->next = NULL;
			err = 0;
			break;
		}
	spin_unlock(&sb_lock);
	return err;
}

/** get_fs_type() - by name; NULL: there is none */
struct file_system_type *get_fs_type(const char *name)
{
	struct file_system_type *type;

	if (fs_init()) /* the built-in types come with it */
		return NULL;
	spin_lock(&sb_lock);
	type = *find_type(name);
	spin_unlock(&sb_lock);
	return type;
}

/* ---- memory pressure ------------------------------------------------------------------ */

static unsigned long super_count(struct shrinker *shrinker, struct shrink_control *sc)
{
	struct super_block *sb = shrinker->private_data;
	unsigned long n = atomic_load_explicit(&sb->s_nr_dentry_lru, memory_order_relaxed) +
			  atomic_load_explicit(&sb->s_nr_inode_lru, memory_order_relaxed);

	(void)sc;
	return n ? n : SHRINK_EMPTY;
}

/* Dentries hold inodes: they go first, and in proportion. */
static unsigned long super_scan(struct shrinker *shrinker, struct shrink_control *sc)
{
	struct super_block *sb = shrinker->private_data;
	unsigned long dentries, inodes, freed, share;

	if (!(sc->gfp_mask & __GFP_FS) || rcu_read_lock_held() || !down_read_trylock(&sb->s_umount))
		return SHRINK_STOP;
	dentries = atomic_load_explicit(&sb->s_nr_dentry_lru, memory_order_relaxed);
	inodes = atomic_load_explicit(&sb->s_nr_inode_lru, memory_order_relaxed);
	share = sc->nr_to_scan * dentries / (dentries + inodes + 1) + 1;
	freed = prune_dcache_sb(sb, share);
	if (sc->nr_to_scan > share)
		freed += prune_icache_sb(sb, sc->nr_to_scan - share);
	up_read(&sb->s_umount);
	return freed;
}

static int super_shrinker(struct super_block *sb)
{
	sb->s_shrink = shrinker_alloc(0, "fs-%s", sb->s_type->name);
	if (!sb->s_shrink)
		return -ENOMEM;
	sb->s_shrink->count_objects = super_count;
	sb->s_shrink->scan_objects = super_scan;
	sb->s_shrink->batch = 1024;
	sb->s_shrink->private_data = sb;
	shrinker_register(sb->s_shrink);
	return 0;
}

/* ---- life ---------------------------------------------------------------------------------- */

static struct super_block *alloc_super(struct file_system_type *type, int flags)
{
	static _Atomic unsigned int next_dev = 1;
	struct super_extra *extra = kzalloc(sizeof(*extra), GFP_KERNEL);
	struct super_block *sb;

	if (!extra)
		return NULL;
	sb = &extra->sb;
	INIT_LIST_HEAD(&sb->s_list);
	INIT_LIST_HEAD(&sb->s_inodes);
	INIT_LIST_HEAD(&sb->s_dentry_lru);
	INIT_LIST_HEAD(&sb->s_inode_lru);
	INIT_LIST_HEAD(&sb->s_b_dirty);
	INIT_LIST_HEAD(&sb->s_b_io);
	sb->s_type = type;
	sb->s_blocksize_bits = PAGE_SHIFT;
	sb->s_blocksize = PAGE_SIZE;
	sb->s_maxbytes = MAX_LFS_FILESIZE;
	sb->s_bdi = &noop_backing_dev_info;
	sb->s_time_gran_ns = 1;
	sb->s_count = 1;
	/* Major 0: devices of no driver, as the kernel numbers them. */
	sb->s_dev = atomic_fetch_add_explicit(&next_dev, 1, memory_order_relaxed);
	atomic_init(&sb->s_active, 1);
	atomic_init(&sb->s_flags, (unsigned int)flags);
	snprintf(sb->s_id, sizeof(sb->s_id), "%s", type->name);
	return sb;
}

static void free_super_rcu(struct rcu_head *head)
{
	kfree(container_of(head, struct super_extra, rcu));
}

/* One less who knows it: the last one takes it off the list and frees it. Its inodes are gone. */
static void put_super(struct super_block *sb)
{
	struct super_extra *extra = container_of(sb, struct super_extra, sb);

	spin_lock(&sb_lock);
	if (--sb->s_count) {
		spin_unlock(&sb_lock);
		return;
	}
	list_del_init(&sb->s_list);
	spin_unlock(&sb_lock);
	shrinker_free(sb->s_shrink);
	/* Its inodes are freed after a grace period, too, and say i_sb then: they were queued before. */
	call_rcu(&extra->rcu, free_super_rcu);
}

static void kill_super(struct super_block *sb, bool pinned)
{
	down_write(&sb->s_umount);
	if (sb->s_root) {
		if (!(atomic_load(&sb->s_flags) & SB_RDONLY))
			sync_filesystem(sb);
		atomic_fetch_and(&sb->s_flags, ~SB_ACTIVE);
		shrink_dcache_for_umount(sb, pinned);
		evict_inodes(sb);
		if (!list_empty(&sb->s_inodes))
			vfs_bug("umount: an inode is still in use");
		if (sb->s_op && sb->s_op->put_super)
			sb->s_op->put_super(sb);
	}
	up_write(&sb->s_umount);
	rcu_barrier(); /* ->free_inode of the type has run when its ->kill_sb returns */
}

void generic_shutdown_super(struct super_block *sb)
{
	kill_super(sb, false);
}

void kill_anon_super(struct super_block *sb)
{
	kill_super(sb, false);
}

void kill_litter_super(struct super_block *sb)
{
	kill_super(sb, true);
}

/** deactivate_super() - one user less; the last one shuts it down. May sleep. */
void deactivate_super(struct super_block *sb)
{
	if (atomic_fetch_sub(&sb->s_active, 1) != 1)
		return;
	sb->s_type->kill_sb(sb);
	put_super(sb);
}

struct dentry *mount_nodev(struct file_system_type *type, int flags, const char *data,
			   int (*fill)(struct super_block *sb, const char *data, int silent))
{
	struct super_block *sb = alloc_super(type, flags);
	int err;

	if (!sb)
		return ERR_PTR(-ENOMEM);
	err = super_shrinker(sb);
	if (!err)
		err = fill(sb, data, 0);
	if (!err && !sb->s_root)
		err = -EINVAL;
	if (err) {
		deactivate_super(sb);
		return ERR_PTR(err);
	}
	if (sb->s_bdi != &noop_backing_dev_info && !sb->s_bdi->start_writeback)
		sb->s_bdi->start_writeback = vfs_start_writeback;
	atomic_fetch_or(&sb->s_flags, SB_ACTIVE);
	spin_lock(&sb_lock);
	list_add_tail(&sb->s_list, &super_blocks);
	spin_unlock(&sb_lock);
	return dget(sb->s_root);
}

/*
 * Calls fn for each super block. It stays memory meanwhile, but may be shut down: fn takes s_umount and asks for
 * SB_ACTIVE. No s_active is taken, or the umount of another thread would return before all is written.
 */
void super_for_each(void (*fn)(struct super_block *sb, void *arg), void *arg)
{
	struct super_block *sb, *before = NULL;

	spin_lock(&sb_lock);
	list_for_each_entry(sb, &super_blocks, s_list) {
		sb->s_count++;
		spin_unlock(&sb_lock);
		/* The one before is kept until here, so that the list leads on from it. */
		if (before)
			put_super(before);
		fn(sb, arg);
		before = sb;
		spin_lock(&sb_lock);
	}
	spin_unlock(&sb_lock);
	if (before)
		put_super(before);
}

void super_fork(bool lock)
{
	struct super_block *sb;

	if (lock)
		spin_lock(&sb_lock);
	list_for_each_entry(sb, &super_blocks, s_list) {
		if (lock) {
			spin_lock(&sb->s_inode_list_lock);
			spin_lock(&sb->s_wb_lock);
			spin_lock(&sb->s_lru_lock);
		} else {
			spin_unlock(&sb->s_lru_lock);
			spin_unlock(&sb->s_wb_lock);
			spin_unlock(&sb->s_inode_list_lock);
		}
	}
	if (!lock)
		spin_unlock(&sb_lock);
}
