/* SPDX-License-Identifier: MIT */
/*
 * inode.c - the life of a struct inode
 *
 * Room: vfs. Door: <slabwork/fs/vfs.h>. Next door: attr.c (modes, owners, sizes), flusher.c (dirty ones).
 *
 *	new_inode()                  i_count 1                        ┐
 *	iget_locked()  I_NEW ─unlock_new_inode()─▶ i_count ≥ 1        │ hashed by (sb, ino) or not at all
 *	iput() to 0 ─┬─ linked, hashed, sb active ─▶ s_inode_lru ─▶ igrab(), iget_locked(): in use again
 *	             └─ else ─▶ I_FREEING ─▶ evict(): ->evict_inode, out of the hash ─▶ grace period ─▶ ->free_inode
 *
 * i_count goes from and to 0 only under i_lock; in between it is an atomic. Who finds an inode in the hash
 * that is I_FREEING waits until it is gone and looks again: two inodes of one number never live together.
 *
 * An inode of a type whose ->destroy_inode frees it at once, from a SLAB_TYPESAFE_BY_RCU cache, may be another
 * one's before the grace period ends. RCU readers then see a mixture of two inodes, and find out when
 * they look at d_seq, or for the file, again: so what they read is stored word by word, locks and sequences go
 * on from life to life (inode_init_once()), and such an inode is never hashed.
 *
 * Locks: bucket ⊂ nothing; i_lock; s_inode_list_lock and s_lru_lock inside i_lock. The hash is read under RCU.
 */

#include "vfs/vfs_internal.h"

#include "lib/hash.h"

#define IHASH_BITS  16
#define IHASH_LOCKS 256

static struct hlist_head inode_hashtable[1 << IHASH_BITS];
static spinlock_t inode_hash_locks[IHASH_LOCKS];
static struct kmem_cache *inode_cachep;

/* Sleepers on I_NEW and I_FREEING, few and rare: one queue for each of some addresses. */
#define INODE_WAITS 16
static wait_queue_head_t inode_waits[INODE_WAITS];

static wait_queue_head_t *inode_wait_queue(const struct inode *inode)
{
	return &inode_waits[hash_ptr(inode, 4)];
}

static uint32_t ihash(const struct super_block *sb, uint64_t ino)
{
	return hash_64(ino ^ (uintptr_t)sb, IHASH_BITS);
}

static spinlock_t *ihash_lock(uint32_t bucket)
{
	return &inode_hash_locks[bucket % IHASH_LOCKS];
}

/* ---- making ---------------------------------------------------------------------- */

static const struct inode_operations empty_iops;
static const struct file_operations no_open_fops;

void inode_init_once(struct inode *inode)
{
	memset(inode, 0, sizeof(*inode));
	INIT_LIST_HEAD(&inode->i_sb_list);
	INIT_LIST_HEAD(&inode->i_lru);
	INIT_LIST_HEAD(&inode->i_io_list);
	INIT_LIST_HEAD(&inode->i_data.i_mmap);
}

static void inode_ctor(void *object)
{
	inode_init_once(object);
}

int inode_init(void)
{
	inode_cachep = kmem_cache_create("inode_cache", sizeof(struct inode), 0,
					 SLAB_HWCACHE_ALIGN | SLAB_RECLAIM_ACCOUNT, inode_ctor);
	return inode_cachep ? 0 : -ENOMEM;
}

/*
 * What of a mapping changes from life to life. No pages, no areas, nobody in a lock: so it was left. removals goes
 * on, since a late reader may compare with it.
 */
static void mapping_init_always(struct address_space *mapping, struct inode *inode)
{
	mapping->host = inode;
	mapping->page_tree.gfp_mask = mapping->gfp_mask = GFP_HIGHUSER_MOVABLE & __GFP_BITS_MASK;
	atomic_store_explicit(&mapping->i_size, 0, memory_order_relaxed);
	atomic_store_explicit(&mapping->flags, 0, memory_order_relaxed);
	mapping->a_ops = NULL;
	mapping->host_ops = &vfs_host_ops;
	mapping->bdi = inode->i_sb->s_bdi;
	mapping->wb_err = 0;
	mapping->writeback_index = 0;
	mapping->private_data = NULL;
}

static void zero_time(struct timespec *t)
{
	WRITE_ONCE(t->tv_sec, 0);
	WRITE_ONCE(t->tv_nsec, 0);
}

static void inode_init_always(struct super_block *sb, struct inode *inode)
{
	WRITE_ONCE(inode->i_sb, sb);
	WRITE_ONCE(inode->i_mode, 0);
	inode->i_opflags = 0;
	WRITE_ONCE(inode->i_flags, 0);
	WRITE_ONCE(inode->i_uid, 0);
	WRITE_ONCE(inode->i_gid, 0);
	WRITE_ONCE(inode->i_op, &empty_iops);
	inode->i_fop = &no_open_fops;
	WRITE_ONCE(inode->i_ino, 0);
	WRITE_ONCE(inode->i_rdev, 0);
	WRITE_ONCE(inode->i_blkbits, sb->s_blocksize_bits);
	WRITE_ONCE(inode->i_link, NULL);
	inode->i_private = NULL;
	inode->i_flock = NULL;
	inode->dirtied_when_ns = 0;
	inode->i_dentry.first = NULL;
	zero_time(&inode->i_atime);
	zero_time(&inode->i_mtime);
	zero_time(&inode->i_ctime);
	zero_time(&inode->i_btime);
	atomic_store_explicit(&inode->i_nlink, 1, memory_order_relaxed);
	atomic_store_explicit(&inode->i_count, 1, memory_order_relaxed);
	atomic_store_explicit(&inode->i_state, 0, memory_order_relaxed);
	atomic_store_explicit(&inode->i_blocks, 0, memory_order_relaxed);
	atomic_store_explicit(&inode->i_version, 0, memory_order_relaxed);
	mapping_init_always(&inode->i_data, inode);
	WRITE_ONCE(inode->i_mapping, &inode->i_data);
}

static struct inode *alloc_inode(struct super_block *sb)
{
	struct inode *inode;

	if (sb->s_op && sb->s_op->alloc_inode)
		inode = sb->s_op->alloc_inode(sb);
	else
		inode = kmem_cache_alloc(inode_cachep, GFP_KERNEL);
	if (inode)
		inode_init_always(sb, inode);
	return inode;
}

static void inode_sb_list_add(struct inode *inode)
{
	spin_lock(&inode->i_sb->s_inode_list_lock);
	list_add(&inode->i_sb_list, &inode->i_sb->s_inodes);
	spin_unlock(&inode->i_sb->s_inode_list_lock);
}

/**
 * new_inode() - an inode of @sb that is in no hash, with one reference
 *
 * Context: May sleep. Return: NULL if there is no memory.
 * Source: Linux 5.4, fs/inode.c
 */
struct inode *new_inode(struct super_block *sb)
{
	struct inode *inode = alloc_inode(sb);

	if (inode)
		inode_sb_list_add(inode);
	return inode;
}

static bool inode_is_hashed(const struct inode *inode)
{
	return READ_ONCE(inode->i_hash.pprev) != NULL;
}

/* ---- freeing ----------------------------------------------------------------------- */

static void inode_free_rcu(struct rcu_head *head)
{
	struct inode *inode = container_of(head, struct inode, i_rcu);
	void (*free_inode)(struct inode *) = inode->i_sb->s_op ? inode->i_sb->s_op->free_inode :
								 NULL;

	if (free_inode)
		free_inode(inode);
	else
		kmem_cache_free(inode_cachep, inode);
}

static void destroy_inode(struct inode *inode)
{
	const struct super_operations *ops = inode->i_sb->s_op;

	if (ops && ops->destroy_inode) {
		ops->destroy_inode(inode);
		if (!ops->free_inode)
			return;
	}
	call_rcu(&inode->i_rcu, inode_free_rcu);
}

/* i_lock held, or nobody else is there. */
static void state_add(struct inode *inode, unsigned int bits)
{
	atomic_store_explicit(&inode->i_state,
			      atomic_load_explicit(&inode->i_state, memory_order_relaxed) | bits,
			      memory_order_relaxed);
}

/**
 * clear_inode() - the last thing that ->evict_inode does: nothing of the mapping is left
 */
void clear_inode(struct inode *inode)
{
	if (atomic_load_explicit(&inode->i_data.nrpages, memory_order_relaxed))
		vfs_bug("clear_inode(): the inode still has pages");
	/* I_FREEING is set, nobody has a reference: nobody else changes it. */
	state_add(inode, I_FREEING | I_CLEAR);
}

/* s_lru_lock held. */
static void __inode_lru_del(struct inode *inode)
{
	list_del_init(&inode->i_lru);
	atomic_fetch_sub_explicit(&inode->i_sb->s_nr_inode_lru, 1, memory_order_relaxed);
	atomic_fetch_and_explicit(&inode->i_state, ~I_ON_LRU, memory_order_relaxed);
}

static void inode_lru_del(struct inode *inode)
{
	struct super_block *sb = inode->i_sb;

	spin_lock(&sb->s_lru_lock);
	if (!list_empty(&inode->i_lru))
		__inode_lru_del(inode);
	spin_unlock(&sb->s_lru_lock);
}

static void inode_lru_add(struct inode *inode)
{
	struct super_block *sb = inode->i_sb;

	spin_lock(&sb->s_lru_lock);
	if (list_empty(&inode->i_lru)) {
		list_add_tail(&inode->i_lru, &sb->s_inode_lru);
		atomic_fetch_add_explicit(&sb->s_nr_inode_lru, 1, memory_order_relaxed);
		atomic_fetch_or_explicit(&inode->i_state, I_ON_LRU, memory_order_relaxed);
	} else {
		atomic_fetch_or_explicit(&inode->i_state, I_REFERENCED, memory_order_relaxed);
	}
	spin_unlock(&sb->s_lru_lock);
}

/* I_FREEING is set, i_count is 0, i_lock is free: nobody can get at it any more but to wait. */
static void evict(struct inode *inode)
{
	struct super_block *sb = inode->i_sb;

	/* Partner: pwrite_hit(), which may still be inside. */
	smp_mb__after_atomic();
	if (unlikely(atomic_load_explicit(&inode->i_rwsem.state, memory_order_acquire))) {
		inode_lock(inode);
		inode_unlock(inode);
	}
	if (sb->s_bdi != &noop_backing_dev_info)
		inode_io_list_del(inode);
	spin_lock(&sb->s_inode_list_lock);
	list_del_init(&inode->i_sb_list);
	spin_unlock(&sb->s_inode_list_lock);
	if (sb->s_op && sb->s_op->evict_inode) {
		sb->s_op->evict_inode(inode);
	} else {
		truncate_inode_pages_final(&inode->i_data);
		clear_inode(inode);
	}
	/* Who waits for it has found it in the hash. */
	if (inode_is_hashed(inode)) {
		remove_inode_hash(inode);
		wake_up(inode_wait_queue(inode));
	}
	destroy_inode(inode);
}

static bool inode_should_go(struct inode *inode)
{
	const struct super_operations *ops = inode->i_sb->s_op;

	if (ops && ops->drop_inode)
		return ops->drop_inode(inode);
	return !atomic_load_explicit(&inode->i_nlink, memory_order_relaxed) ||
	       !inode_is_hashed(inode);
}

/* i_lock held, i_count just became 0; drops the lock. */
static void iput_final(struct inode *inode)
{
	bool go = inode_should_go(inode);

	if (!go && atomic_load_explicit(&inode->i_sb->s_flags, memory_order_relaxed) & SB_ACTIVE) {
		inode_lru_add(inode);
		spin_unlock(&inode->i_lock);
		return;
	}
	if (!go) {
		atomic_fetch_or_explicit(&inode->i_state, I_WILL_FREE, memory_order_relaxed);
		spin_unlock(&inode->i_lock);
		write_inode_now(inode, 1);
		spin_lock(&inode->i_lock);
		atomic_fetch_and_explicit(&inode->i_state, ~I_WILL_FREE, memory_order_relaxed);
	}
	state_add(inode, I_FREEING);
	if (atomic_load_explicit(&inode->i_state, memory_order_relaxed) & I_ON_LRU)
		inode_lru_del(inode);
	spin_unlock(&inode->i_lock);
	evict(inode);
}

/**
 * iput() - one reference less; the last one keeps or evicts the inode
 * @inode: NULL is fine
 *
 * Context: May sleep. No spinlock, no folio lock, not i_rwsem of @inode.
 */
void iput(struct inode *inode)
{
	int n;

	if (!inode)
		return;
	n = atomic_load_explicit(&inode->i_count, memory_order_relaxed);
	while (n > 1)
		if (atomic_compare_exchange_weak_explicit(
			    &inode->i_count, &n, n - 1, memory_order_release, memory_order_relaxed))
			return;
	spin_lock(&inode->i_lock);
	n = atomic_load_explicit(&inode->i_count, memory_order_acquire);
	if (likely(n == 1))
		/* Ours: only igrab() could take another, under the lock. */
		atomic_store_explicit(&inode->i_count, 0, memory_order_relaxed);
	else
		n = atomic_fetch_sub_explicit(&inode->i_count, 1, memory_order_acq_rel);
	if (n > 1) {
		spin_unlock(&inode->i_lock);
		return;
	}
	if (n < 1)
		vfs_bug("iput(): more references dropped than taken");
	iput_final(inode);
}

/** ihold() - one reference more; the caller has one */
void ihold(struct inode *inode)
{
	atomic_fetch_add_explicit(&inode->i_count, 1, memory_order_relaxed);
}

/* i_lock held. */
static bool __igrab(struct inode *inode)
{
	if (atomic_load_explicit(&inode->i_state, memory_order_relaxed) & (I_FREEING | I_WILL_FREE))
		return false;
	atomic_fetch_add_explicit(&inode->i_count, 1, memory_order_relaxed);
	return true;
}

/** igrab() - one reference more of an inode that may be unused; NULL if it is being freed */
struct inode *igrab(struct inode *inode)
{
	bool held;

	spin_lock(&inode->i_lock);
	held = __igrab(inode);
	spin_unlock(&inode->i_lock);
	return held ? inode : NULL;
}

/* ---- the hash ------------------------------------------------------------------------ */

static void wait_inode(struct inode *inode, unsigned int bits)
{
	wait_event(inode_wait_queue(inode),
		   !(atomic_load_explicit(&inode->i_state, memory_order_acquire) & bits) ||
			   (bits & I_FREEING && !inode_is_hashed(inode)));
}

/*
 * The inode with one more reference, or NULL. One that is being freed is waited for: under RCU, since
 * it is freed after a grace period at the earliest.
 */
static struct inode *find_inode(struct super_block *sb, uint64_t ino)
{
	struct hlist_head *head = &inode_hashtable[ihash(sb, ino)];
	struct inode *inode;

again:
	rcu_read_lock();
	hlist_for_each_entry_rcu(inode, head, i_hash)
	{
		bool held;

		if (READ_ONCE(inode->i_ino) != ino || READ_ONCE(inode->i_sb) != sb)
			continue;
		spin_lock(&inode->i_lock);
		if (!inode_is_hashed(inode)) {
			spin_unlock(&inode->i_lock);
			rcu_read_unlock();
			goto again;
		}
		held = __igrab(inode);
		spin_unlock(&inode->i_lock);
		if (!held) {
			wait_inode(inode, I_FREEING | I_WILL_FREE);
			rcu_read_unlock();
			goto again;
		}
		rcu_read_unlock();
		return inode;
	}
	rcu_read_unlock();
	return NULL;
}

/** ilookup() - the inode @ino of @sb if it is in memory, ready, with a reference; else NULL */
struct inode *ilookup(struct super_block *sb, uint64_t ino)
{
	struct inode *inode = find_inode(sb, ino);

	if (inode)
		wait_inode(inode, I_NEW);
	if (inode && !inode_is_hashed(inode)) { /* iget_failed() */
		iput(inode);
		return NULL;
	}
	return inode;
}

static bool ihash_has(struct hlist_head *head, struct super_block *sb, uint64_t ino)
{
	struct inode *inode;

	hlist_for_each_entry(inode, head, i_hash)
		if (inode->i_ino == ino && inode->i_sb == sb)
			return true;
	return false;
}

struct inode *iget_locked(struct super_block *sb, uint64_t ino)
{
	uint32_t bucket = ihash(sb, ino);
	struct inode *inode, *fresh = NULL;
	bool lost;

	for (;;) {
		inode = ilookup(sb, ino);
		if (inode) {
			if (fresh)
				destroy_inode(fresh);
			return inode;
		}
		if (!fresh)
			fresh = alloc_inode(sb);
		if (!fresh)
			return NULL;
		spin_lock(ihash_lock(bucket));
		lost = ihash_has(&inode_hashtable[bucket], sb, ino);
		if (!lost) {
			fresh->i_ino = ino;
			atomic_store_explicit(&fresh->i_state, I_NEW, memory_order_relaxed);
			hlist_add_head_rcu(&fresh->i_hash, &inode_hashtable[bucket]);
		}
		spin_unlock(ihash_lock(bucket));
		if (!lost) {
			inode_sb_list_add(fresh);
			return fresh;
		}
	}
}

void unlock_new_inode(struct inode *inode)
{
	atomic_fetch_and_explicit(&inode->i_state, ~(I_NEW | I_CREATING), memory_order_release);
	wake_up(inode_wait_queue(inode));
}

/** iget_failed() - the inode of iget_locked() could not be read: nobody shall find it again */
void iget_failed(struct inode *inode)
{
	remove_inode_hash(inode);
	clear_nlink(inode);
	unlock_new_inode(inode);
	iput(inode);
}

void insert_inode_hash(struct inode *inode)
{
	uint32_t bucket = ihash(inode->i_sb, inode->i_ino);

	spin_lock(ihash_lock(bucket));
	if (!inode_is_hashed(inode))
		hlist_add_head_rcu(&inode->i_hash, &inode_hashtable[bucket]);
	spin_unlock(ihash_lock(bucket));
}

void remove_inode_hash(struct inode *inode)
{
	uint32_t bucket;

	if (!inode_is_hashed(inode))
		return;
	bucket = ihash(inode->i_sb, inode->i_ino);
	spin_lock(ihash_lock(bucket));
	if (inode_is_hashed(inode))
		hlist_del_init_rcu(&inode->i_hash);
	spin_unlock(ihash_lock(bucket));
}

/* ---- many at once ----------------------------------------------------------------------- */

/* Free up to @nr unused inodes, oldest first; only tries locks. */
unsigned long prune_icache_sb(struct super_block *sb, unsigned long nr)
{
	unsigned long freed = 0;

	while (nr--) {
		struct inode *inode;

		spin_lock(&sb->s_lru_lock);
		if (list_empty(&sb->s_inode_lru)) {
			spin_unlock(&sb->s_lru_lock);
			break;
		}
		inode = list_first_entry(&sb->s_inode_lru, struct inode, i_lru);
		if (!spin_trylock(&inode->i_lock)) {
			list_move_tail(&inode->i_lru, &sb->s_inode_lru);
			spin_unlock(&sb->s_lru_lock);
			continue;
		}
		if (atomic_load(&inode->i_count)) { /* in use: iput() puts it here again */
			__inode_lru_del(inode);
			spin_unlock(&inode->i_lock);
			spin_unlock(&sb->s_lru_lock);
			continue;
		}
		/* Dirty: its turn comes after write-back. */
		if (atomic_load(&inode->i_state) & (I_DIRTY | I_SYNC)) {
			list_move_tail(&inode->i_lru, &sb->s_inode_lru);
			spin_unlock(&inode->i_lock);
			spin_unlock(&sb->s_lru_lock);
			continue;
		}
		if (atomic_fetch_and(&inode->i_state, ~I_REFERENCED) & I_REFERENCED) {
			list_move_tail(&inode->i_lru, &sb->s_inode_lru);
			spin_unlock(&inode->i_lock);
			spin_unlock(&sb->s_lru_lock);
			continue;
		}
		__inode_lru_del(inode);
		atomic_fetch_or(&inode->i_state, I_FREEING);
		spin_unlock(&inode->i_lock);
		spin_unlock(&sb->s_lru_lock);
		evict(inode);
		freed++;
	}
	return freed;
}

/* Everything that is unused; the super block is going. */
void evict_inodes(struct super_block *sb)
{
	struct inode *inode;

again:
	spin_lock(&sb->s_inode_list_lock);
	list_for_each_entry(inode, &sb->s_inodes, i_sb_list) {
		/* s_inode_list_lock is inside i_lock: try. Nobody else is here but the last of reclaim. */
		if (!spin_trylock(&inode->i_lock)) {
			spin_unlock(&sb->s_inode_list_lock);
			goto again;
		}
		if (atomic_load(&inode->i_count) ||
		    atomic_load(&inode->i_state) & (I_FREEING | I_WILL_FREE)) {
			spin_unlock(&inode->i_lock);
			continue;
		}
		atomic_fetch_or(&inode->i_state, I_FREEING);
		spin_unlock(&sb->s_inode_list_lock);
		inode_lru_del(inode);
		spin_unlock(&inode->i_lock);
		evict(inode);
		goto again;
	}
	spin_unlock(&sb->s_inode_list_lock);
}

/* ---- small things ------------------------------------------------------------------------- */

/* i_nlink: i_rwsem of the inode or, for what a directory counts, its own is held for writing; anybody reads. */
void inc_nlink(struct inode *inode)
{
	set_nlink(inode, atomic_load_explicit(&inode->i_nlink, memory_order_relaxed) + 1);
}

void drop_nlink(struct inode *inode)
{
	unsigned int n = atomic_load_explicit(&inode->i_nlink, memory_order_relaxed);

	if (!n)
		vfs_bug("drop_nlink(): the link count was 0");
	set_nlink(inode, n - 1);
}

void clear_nlink(struct inode *inode)
{
	atomic_store_explicit(&inode->i_nlink, 0, memory_order_relaxed);
}

void set_nlink(struct inode *inode, unsigned int nlink)
{
	atomic_store_explicit(&inode->i_nlink, nlink, memory_order_relaxed);
}

#define INO_BATCH 64

/** get_next_ino() - a number above 1 that no call gave before; a thread takes some at a time */
uint64_t get_next_ino(void)
{
	static _Atomic uint64_t next = INO_BATCH;
	static __thread uint64_t mine; /* the next one; at the end of a batch another one's */

	if (unlikely(mine % INO_BATCH == 0))
		mine = atomic_fetch_add_explicit(&next, INO_BATCH, memory_order_relaxed);
	return mine++;
}

/**
 * inode_init_owner() - mode, owner, and group of a new inode in @dir
 * @dir: NULL: none. Its setgid bit hands on the group, and itself to directories
 */
void inode_init_owner(struct inode *inode, const struct inode *dir, mode_t mode)
{
	const struct cred *cred = cred_now();

	gid_t gid = cred->fsgid;

	if (dir && READ_ONCE(dir->i_mode) & S_ISGID) {
		gid = READ_ONCE(dir->i_gid);
		if (S_ISDIR(mode))
			mode |= S_ISGID;
		else if ((mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) &&
			 !cred_capable(cred) && !in_group(cred, gid))
			mode &= ~(mode_t)S_ISGID;
	}
	WRITE_ONCE(inode->i_uid, cred->fsuid);
	WRITE_ONCE(inode->i_gid, gid);
	WRITE_ONCE(inode->i_mode, mode);
}

static int no_open(struct inode *inode, struct file *file)
{
	(void)inode;
	(void)file;
	return -ENXIO;
}

static const struct file_operations no_open_fops = { .open = no_open };

void init_special_inode(struct inode *inode, mode_t mode, dev_t rdev)
{
	WRITE_ONCE(inode->i_mode, mode);
	inode->i_fop = &no_open_fops;
	if (S_ISCHR(mode) || S_ISBLK(mode))
		WRITE_ONCE(inode->i_rdev, rdev);
}

/** current_time() - now, as coarse as @inode's file system keeps time */
struct timespec current_time(struct inode *inode)
{
	unsigned long gran = inode->i_sb->s_time_gran_ns;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	if (gran >= 1000000000)
		now.tv_nsec = 0;
	else if (gran > 1)
		now.tv_nsec -= now.tv_nsec % (long)gran;
	return now;
}

void inode_fork(bool lock)
{
	for (unsigned int i = 0; i < IHASH_LOCKS; i++)
		lock ? spin_lock(&inode_hash_locks[i]) : spin_unlock(&inode_hash_locks[i]);
}
