/* SPDX-License-Identifier: MIT */
/*
 * dcache.c - names in directories, and what they stand for
 *
 * Room: vfs. Door: <slabwork/fs/vfs.h>. Next door: namei.c walks; dcache_tree.c moves, prunes, prints paths.
 *
 *	d_alloc() ─▶ unhashed ─d_add()─▶ hashed, positive or negative ─dput() to 0─▶ on s_dentry_lru ─┐
 *	d_alloc_parallel() ─▶ hashed, DCACHE_PAR_LOOKUP (->lookup runs; others wait) ─▶ as above       │
 *	dying: d_count -1, DCACHE_DENTRY_KILLED ◀── unhashed at dput(), ->d_delete, shrinker ──────────┘
 *	  off the LRU, out of the hash, off the parent's list, off the inode's list, iput(), ─grace period─▶ free
 *
 * The parts of dying take their locks one after another and never nested, since nobody can get a reference
 * of a dentry whose count is negative: whoever still meets it in a list passes it by.
 *
 * d_count goes to 0 only under d_lock, and from 0 up without; who wants to kill an unused dentry takes it from 0 to
 * DEAD_COUNT in one step, under d_lock, or finds that it is used again. A dentry's name and parent change only while it is
 * out of the hash: under its bucket's lock they stand still.
 *
 * Names are kept in whole words, filled up with zeros: inline up to 39 bytes, else in memory of their own
 * that lives as long as the dentry and a grace period. Readers under RCU look at d_seq before they follow the
 * pointer (so that it fits the length) and again before they believe.
 *
 * Locks: i_lock, then d_lock (parent before child), then buckets or s_lru_lock. rename_lock outside d_lock.
 */

#include <sched.h>

#include "vfs/dcache_fast.h"

#define DHASH_LOCKS 1024

#define DEAD_COUNT   (-1)
#define FROZEN_COUNT (-2) /* d_delete() is at it: nobody may take a reference now */

struct hlist_head dentry_hashtable[1 << DHASH_BITS];
static spinlock_t dentry_hash_locks[DHASH_LOCKS];
static struct kmem_cache *dentry_cachep;
seqlock_t rename_lock;

#define DENTRY_WAITS 16
static wait_queue_head_t dentry_waits[DENTRY_WAITS];

static wait_queue_head_t *dentry_wait_queue(const struct dentry *dentry)
{
	return &dentry_waits[hash_ptr(dentry, 4)];
}

static spinlock_t *dhash_lock(uint32_t hash)
{
	return &dentry_hash_locks[(hash >> (32 - DHASH_BITS)) % DHASH_LOCKS];
}

int dcache_init(void)
{
	dentry_cachep = kmem_cache_create("dentry", sizeof(struct dentry), 0,
					  SLAB_HWCACHE_ALIGN | SLAB_RECLAIM_ACCOUNT, NULL);
	return dentry_cachep ? 0 : -ENOMEM;
}

/* ---- names ------------------------------------------------------------------------ */

/**
 * full_name_hash() - of @len bytes at @name, different in each parent @salt
 */
uint32_t full_name_hash(const void *salt, const char *name, unsigned int len)
{
	uint64_t h = (uintptr_t)salt, word;
	unsigned int left;

	for (left = len; left >= 8; left -= 8, name += 8) {
		memcpy(&word, name, 8);
		h = hash_step(h, word);
	}
	if (left)
		h = hash_step(h, name_tail(name, left));
	return hash_end(h, len);
}

int name_hash(const struct dentry *parent, struct qstr *name)
{
	name->hash = full_name_hash(parent, name->name, name->len);
	if (parent->d_op && parent->d_op->d_hash)
		return parent->d_op->d_hash(parent, name);
	return 0;
}

static void name_store(char *kept, const char *name, unsigned int len)
{
	uint64_t *w = (uint64_t *)(void *)kept, word;

	for (; len >= 8; len -= 8, name += 8) {
		memcpy(&word, name, 8);
		WRITE_ONCE(*w, word);
		w++;
	}
	/* The NUL has its place: inline names end before the last byte, others have a byte more. */
	WRITE_ONCE(*w, len ? name_tail(name, len) : 0);
}

static bool name_is_inline(const struct dentry *dentry)
{
	return dentry->d_name.name == dentry->d_iname;
}

static bool d_same_name(const struct dentry *dentry, const struct dentry *parent,
			const struct qstr *name)
{
	if (READ_ONCE(dentry->d_name.hash) != name->hash || READ_ONCE(dentry->d_parent) != parent)
		return false;
	if (parent->d_op && parent->d_op->d_compare)
		return !parent->d_op->d_compare(dentry, dentry->d_name.len, dentry->d_name.name,
						name);
	return dentry->d_name.len == name->len &&
	       name_is(dentry->d_name.name, name->name, name->len);
}

/* ---- making ----------------------------------------------------------------------- */

static unsigned int d_op_flags(const struct dentry_operations *op)
{
	if (likely(!op))
		return 0;
	return (op->d_hash ? DCACHE_OP_HASH : 0) | (op->d_compare ? DCACHE_OP_COMPARE : 0) |
	       (op->d_revalidate ? DCACHE_OP_REVALIDATE : 0) |
	       (op->d_delete ? DCACHE_OP_DELETE : 0);
}

static struct dentry *__d_alloc(struct super_block *sb, const struct qstr *name)
{
	struct dentry *dentry;
	char *kept;

	dentry = kmem_cache_alloc(dentry_cachep, GFP_KERNEL);
	if (!dentry)
		return NULL;
	kept = dentry->d_iname;
	if (name->len >= DNAME_INLINE_LEN) {
		kept = kmalloc((name->len + 8) & ~7u, GFP_KERNEL);
		if (!kept) {
			kmem_cache_free(dentry_cachep, dentry);
			return NULL;
		}
	}
	name_store(kept, name->name, name->len);
	WRITE_ONCE(dentry->d_name.hash, name->hash);
	WRITE_ONCE(dentry->d_name.len, name->len);
	WRITE_ONCE(dentry->d_name.name, kept);
	atomic_init(&dentry->d_flags, d_op_flags(sb->s_d_op));
	atomic_init(&dentry->d_seq.sequence, 0);
	atomic_init(&dentry->d_inode, NULL);
	atomic_init(&dentry->d_count, 1);
	spin_lock_init(&dentry->d_lock);
	INIT_HLIST_NODE(&dentry->d_hash);
	WRITE_ONCE(dentry->d_parent, dentry);
	dentry->d_op = sb->s_d_op;
	dentry->d_sb = sb;
	dentry->d_time = 0;
	dentry->d_fsdata = NULL;
	INIT_LIST_HEAD(&dentry->d_lru);
	INIT_LIST_HEAD(&dentry->d_child);
	INIT_LIST_HEAD(&dentry->d_subdirs);
	INIT_HLIST_NODE(&dentry->d_alias);
	return dentry;
}

/**
 * d_alloc() - a dentry of @name in @parent, in no hash, without an inode
 * @name: hash set (full_name_hash(parent, ...)); its bytes are copied
 *
 * Context: May sleep. Return: with a reference; NULL if there is no memory.
 * Source: Linux 5.4, fs/dcache.c
 */
struct dentry *d_alloc(struct dentry *parent, const struct qstr *name)
{
	struct dentry *dentry = __d_alloc(parent->d_sb, name);

	if (!dentry)
		return NULL;
	WRITE_ONCE(dentry->d_parent, dget(parent));
	spin_lock(&parent->d_lock);
	list_add_tail(&dentry->d_child, &parent->d_subdirs);
	spin_unlock(&parent->d_lock);
	return dentry;
}

struct dentry *d_make_root(struct inode *inode)
{
	static const struct qstr slash = { .len = 1, .name = "/" };
	struct dentry *root;

	if (!inode)
		return NULL;
	root = __d_alloc(inode->i_sb, &slash);
	if (root)
		d_instantiate(root, inode);
	else
		iput(inode);
	return root;
}

/* ---- dying ------------------------------------------------------------------------ */

static void dentry_free_rcu(struct rcu_head *head)
{
	struct dentry *dentry = container_of(head, struct dentry, d_rcu);

	if (!name_is_inline(dentry))
		kfree(dentry->d_name.name);
	kmem_cache_free(dentry_cachep, dentry);
}

static void __d_drop(struct dentry *dentry)
{
	spinlock_t *lock = dhash_lock(dentry->d_name.hash);

	spin_lock(lock);
	if (!d_unhashed(dentry))
		hlist_del_init_rcu(&dentry->d_hash);
	spin_unlock(lock);
}

static void __d_rehash(struct dentry *dentry)
{
	spinlock_t *lock = dhash_lock(dentry->d_name.hash);

	spin_lock(lock);
	hlist_add_head_rcu(&dentry->d_hash, dhash_head(dentry->d_name.hash));
	spin_unlock(lock);
}

/* d_lock held. */
static void d_lru_add(struct dentry *dentry)
{
	struct super_block *sb = dentry->d_sb;

	spin_lock(&sb->s_lru_lock);
	list_add_tail(&dentry->d_lru, &sb->s_dentry_lru);
	spin_unlock(&sb->s_lru_lock);
	atomic_fetch_add_explicit(&sb->s_nr_dentry_lru, 1, memory_order_relaxed);
	atomic_fetch_or_explicit(&dentry->d_flags, DCACHE_LRU_LIST, memory_order_relaxed);
}

static void d_lru_del(struct dentry *dentry)
{
	struct super_block *sb = dentry->d_sb;

	spin_lock(&sb->s_lru_lock);
	list_del_init(&dentry->d_lru);
	spin_unlock(&sb->s_lru_lock);
	atomic_fetch_sub_explicit(&sb->s_nr_dentry_lru, 1, memory_order_relaxed);
	atomic_fetch_and_explicit(&dentry->d_flags, ~DCACHE_LRU_LIST, memory_order_relaxed);
}

/* d_lock held, d_count is DEAD_COUNT. */
static void mark_dead(struct dentry *dentry)
{
	unsigned int flags = atomic_fetch_or_explicit(&dentry->d_flags, DCACHE_DENTRY_KILLED,
						      memory_order_relaxed);

	if (flags & DCACHE_LRU_LIST)
		d_lru_del(dentry);
	write_seqcount_invalidate(&dentry->d_seq);
}

bool dentry_mark_dead(struct dentry *dentry)
{
	int none = 0;

	if (!atomic_compare_exchange_strong_explicit(&dentry->d_count, &none, DEAD_COUNT,
						     memory_order_acquire, memory_order_relaxed))
		return false;
	mark_dead(dentry);
	return true;
}

static void dentry_iput(struct dentry *dentry)
{
	struct inode *inode = d_inode(dentry);

	if (!inode)
		return;
	spin_lock(&inode->i_lock);
	hlist_del_init(&dentry->d_alias);
	atomic_store_explicit(&dentry->d_inode, NULL, memory_order_release);
	spin_unlock(&inode->i_lock);
	if (dentry->d_op && dentry->d_op->d_iput)
		dentry->d_op->d_iput(dentry, inode);
	else
		iput(inode);
}

struct dentry *dentry_bury(struct dentry *dentry)
{
	struct dentry *parent = dentry->d_parent;

	__d_drop(dentry);
	if (parent != dentry) {
		spin_lock(&parent->d_lock);
		list_del_init(&dentry->d_child);
		spin_unlock(&parent->d_lock);
	}
	dentry_iput(dentry);
	if (dentry->d_op && dentry->d_op->d_release)
		dentry->d_op->d_release(dentry);
	call_rcu(&dentry->d_rcu, dentry_free_rcu);
	return parent == dentry ? NULL : parent;
}

/* d_lock held, d_count is about to be 0: may it stay? */
static bool retain_dentry(struct dentry *dentry)
{
	unsigned int flags = atomic_load_explicit(&dentry->d_flags, memory_order_relaxed);

	if (d_unhashed(dentry) || flags & (DCACHE_DISCONNECTED | DCACHE_DONTCACHE))
		return false;
	if (dentry->d_op && dentry->d_op->d_delete && dentry->d_op->d_delete(dentry))
		return false;
	if (!(flags & DCACHE_LRU_LIST))
		d_lru_add(dentry);
	else if (!(flags & DCACHE_REFERENCED))
		atomic_fetch_or_explicit(&dentry->d_flags, DCACHE_REFERENCED, memory_order_relaxed);
	return true;
}

/* The step to 0. Returns the parent, whose reference is to be dropped next, or NULL. */
static struct dentry *dput_last(struct dentry *dentry)
{
	bool stays;
	int n;

	spin_lock(&dentry->d_lock);
	n = atomic_load_explicit(&dentry->d_count, memory_order_relaxed);
	do {
		if (n < 1)
			vfs_bug("dput(): more references dropped than taken");
		stays = n > 1 || retain_dentry(dentry);
	} while (!atomic_compare_exchange_weak_explicit(
		&dentry->d_count, &n, stays ? n - 1 : DEAD_COUNT, memory_order_acq_rel,
		memory_order_relaxed));
	if (!stays)
		mark_dead(dentry);
	spin_unlock(&dentry->d_lock);
	return stays ? NULL : dentry_bury(dentry);
}

/**
 * dput() - one reference less
 * @dentry: NULL is fine
 *
 * Context: May sleep (the last reference of an inode may go with it). No spinlock held.
 */
void dput(struct dentry *dentry)
{
	while (dentry) {
		int n = atomic_load_explicit(&dentry->d_count, memory_order_relaxed);

		while (n > 1)
			if (atomic_compare_exchange_weak_explicit(&dentry->d_count, &n, n - 1,
								  memory_order_release,
								  memory_order_relaxed))
				return;
		dentry = dput_last(dentry);
	}
}

/** dget() - one reference more; the caller has one. NULL is fine */
struct dentry *dget(struct dentry *dentry)
{
	if (dentry)
		atomic_fetch_add_explicit(&dentry->d_count, 1, memory_order_relaxed);
	return dentry;
}

/* ---- names and inodes meet ------------------------------------------------------------ */

/* i_lock of @inode (if any) and d_lock held. */
static void __d_set_inode(struct dentry *dentry, struct inode *inode)
{
	write_seqcount_begin(&dentry->d_seq);
	if (inode)
		hlist_add_head(&dentry->d_alias, &inode->i_dentry);
	atomic_store_explicit(&dentry->d_inode, inode, memory_order_release);
	write_seqcount_end(&dentry->d_seq);
}

/** d_instantiate() - a negative dentry gets its inode; the reference of @inode goes with it */
void d_instantiate(struct dentry *dentry, struct inode *inode)
{
	bool alone;

	if (!inode)
		return;
	/* A new inode that only the caller knows: nobody else can be at its names. */
	alone = atomic_load_explicit(&inode->i_count, memory_order_relaxed) == 1 &&
		!READ_ONCE(inode->i_hash.pprev) && !inode->i_dentry.first;
	if (!alone)
		spin_lock(&inode->i_lock);
	spin_lock(&dentry->d_lock);
	__d_set_inode(dentry, inode);
	spin_unlock(&dentry->d_lock);
	if (!alone)
		spin_unlock(&inode->i_lock);
}

void d_instantiate_new(struct dentry *dentry, struct inode *inode)
{
	d_instantiate(dentry, inode);
	unlock_new_inode(inode);
}

void wake_dentry(const struct dentry *dentry)
{
	wake_up(dentry_wait_queue(dentry));
}

void d_add(struct dentry *dentry, struct inode *inode)
{
	d_instantiate(dentry, inode);
	if (d_unhashed(dentry))
		__d_rehash(dentry);
	if (atomic_fetch_and_explicit(&dentry->d_flags, ~DCACHE_PAR_LOOKUP, memory_order_release) &
	    DCACHE_PAR_LOOKUP)
		wake_dentry(dentry);
}

/* ->lookup is over: what it did not hash shall not be found. */
void d_lookup_done(struct dentry *dentry)
{
	if (!(atomic_load_explicit(&dentry->d_flags, memory_order_relaxed) & DCACHE_PAR_LOOKUP))
		return;
	__d_drop(dentry);
	atomic_fetch_and_explicit(&dentry->d_flags, ~DCACHE_PAR_LOOKUP, memory_order_release);
	wake_dentry(dentry);
}

/** d_drop() - out of the hash: nobody finds it any more; users keep it */
void d_drop(struct dentry *dentry)
{
	spin_lock(&dentry->d_lock);
	__d_drop(dentry);
	write_seqcount_invalidate(&dentry->d_seq);
	spin_unlock(&dentry->d_lock);
}

/*
 * Whoever else has a reference keeps it positive: it is unhashed, and the last user drops it. Else nobody may take one
 * while it becomes negative, and nobody but us is at d_seq.
 */
struct inode *d_delete_keep(struct dentry *dentry)
{
	struct inode *inode = d_inode(dentry);
	int one = 1;

	if (!inode)
		return NULL;
	spin_lock(&inode->i_lock);
	if (!atomic_compare_exchange_strong_explicit(&dentry->d_count, &one, FROZEN_COUNT,
						     memory_order_acquire, memory_order_relaxed)) {
		spin_unlock(&inode->i_lock);
		d_drop(dentry);
		return NULL;
	}
	write_seqcount_begin(&dentry->d_seq);
	hlist_del_init(&dentry->d_alias);
	atomic_store_explicit(&dentry->d_inode, NULL, memory_order_release);
	write_seqcount_end(&dentry->d_seq);
	atomic_store_explicit(&dentry->d_count, 1, memory_order_release);
	spin_unlock(&inode->i_lock);
	if (likely(!dentry->d_op || !dentry->d_op->d_iput))
		return inode;
	dentry->d_op->d_iput(dentry, inode);
	return NULL;
}

/**
 * d_delete() - the name was removed
 *
 * If nobody else uses @dentry it stays as a negative entry, and the inode's reference is dropped; else it
 * is unhashed and the last user drops it.
 * Context: May sleep. The caller has a reference, and i_rwsem of the directory.
 */
void d_delete(struct dentry *dentry)
{
	iput(d_delete_keep(dentry));
}

/* ---- looking up --------------------------------------------------------------------------- */

struct dentry *__d_lookup_rcu(const struct dentry *parent, const struct qstr *name, uint32_t *seqp)
{
	return d_find_rcu(parent, name, seqp);
}

/* The chain under its lock: the one dentry of that name, or NULL. */
static struct dentry *find_in_bucket(const struct dentry *parent, const struct qstr *name)
{
	struct dentry *dentry;

	hlist_for_each_entry(dentry, dhash_head(name->hash), d_hash)
		if (d_same_name(dentry, parent, name) &&
		    atomic_load_explicit(&dentry->d_count, memory_order_relaxed) >= 0)
			return dentry;
	return NULL;
}

/* Under the bucket's lock: certain, also that there is none. */
static struct dentry *d_lookup_locked(struct dentry *parent, const struct qstr *name)
{
	spinlock_t *lock = dhash_lock(name->hash);
	struct dentry *dentry;

	for (;;) {
		bool held;

		rcu_read_lock();
		spin_lock(lock);
		dentry = find_in_bucket(parent, name);
		spin_unlock(lock);
		if (!dentry || atomic_load_explicit(&dentry->d_flags, memory_order_relaxed) &
				       DCACHE_PAR_LOOKUP) {
			rcu_read_unlock();
			return NULL;
		}
		held = d_get_rcu(dentry);
		rcu_read_unlock();
		if (!held) {
			sched_yield();
			continue;
		}
		spin_lock(lock);
		held = !d_unhashed(dentry) && d_same_name(dentry, parent, name);
		spin_unlock(lock);
		if (held)
			return dentry;
		dput(dentry); /* renamed or dropped meanwhile */
	}
}

/*
 * d_lookup(), and *seq: while d_seq is that, the dentry has this name, parent and inode. A find without
 * the lock is believed if the sequence stood still; a miss is not.
 */
struct dentry *d_lookup_seq(struct dentry *parent, const struct qstr *name, uint32_t *seq)
{
	struct dentry *dentry;
	bool held = false;

	rcu_read_lock();
	dentry = d_find_rcu(parent, name, seq);
	if (dentry)
		held = d_get_rcu(dentry);
	rcu_read_unlock();
	if (likely(held && !read_seqcount_retry(&dentry->d_seq, *seq)))
		return dentry;
	if (held)
		dput(dentry);
	dentry = d_lookup_locked(parent, name);
	if (dentry)
		*seq = read_seqcount_begin(&dentry->d_seq) - 2; /* not to be compared with */
	return dentry;
}

struct dentry *d_lookup(struct dentry *parent, const struct qstr *name)
{
	uint32_t seq;

	return d_lookup_seq(parent, name, &seq);
}

static void wait_lookup(struct dentry *dentry)
{
	wait_event(dentry_wait_queue(dentry),
		   !(atomic_load_explicit(&dentry->d_flags, memory_order_acquire) &
		     DCACHE_PAR_LOOKUP));
}

/*
 * i_rwsem of the directory is held, shared at least. The new dentry is in the hash at once, so that a second
 * look-up of the name finds it and waits.
 */
struct dentry *d_alloc_parallel(struct dentry *parent, const struct qstr *name, bool *is_new)
{
	spinlock_t *lock = dhash_lock(name->hash);
	struct dentry *fresh = d_alloc(parent, name), *found;

	if (!fresh)
		return ERR_PTR(-ENOMEM);
	atomic_fetch_or_explicit(&fresh->d_flags, DCACHE_PAR_LOOKUP, memory_order_relaxed);
	for (;;) {
		bool held;

		rcu_read_lock();
		spin_lock(lock);
		found = find_in_bucket(parent, name);
		if (!found)
			hlist_add_head_rcu(&fresh->d_hash, dhash_head(name->hash));
		spin_unlock(lock);
		held = found && d_get_rcu(found);
		rcu_read_unlock();
		if (!found) {
			*is_new = true;
			return fresh;
		}
		if (!held) {
			sched_yield();
			continue;
		}
		wait_lookup(found);
		spin_lock(lock);
		held = !d_unhashed(found) && d_same_name(found, parent, name);
		spin_unlock(lock);
		if (held)
			break;
		dput(found);
	}
	atomic_fetch_and_explicit(&fresh->d_flags, ~DCACHE_PAR_LOOKUP, memory_order_relaxed);
	dput(fresh);
	*is_new = false;
	return found;
}

/* ---- aliases ------------------------------------------------------------------------------ */

/** d_find_alias() - a dentry of @inode that is in the tree (a directory: any), with a reference, or NULL */
struct dentry *d_find_alias(struct inode *inode)
{
	struct dentry *dentry, *found = NULL;

	spin_lock(&inode->i_lock);
	hlist_for_each_entry(dentry, &inode->i_dentry, d_alias) {
		if (!S_ISDIR(inode->i_mode) && d_unhashed(dentry))
			continue;
		if (d_get_rcu(dentry)) {
			found = dentry;
			break;
		}
	}
	spin_unlock(&inode->i_lock);
	return found;
}

static struct dentry *d_find_any_alias(struct inode *inode)
{
	struct dentry *dentry, *found = NULL;

	spin_lock(&inode->i_lock);
	hlist_for_each_entry(dentry, &inode->i_dentry, d_alias)
		if (d_get_rcu(dentry)) {
			found = dentry;
			break;
		}
	spin_unlock(&inode->i_lock);
	return found;
}

struct dentry *d_obtain_alias(struct inode *inode)
{
	static const struct qstr slash = { .len = 1, .name = "/" };
	struct dentry *dentry;

	if (!inode)
		return ERR_PTR(-ESTALE);
	if (IS_ERR(inode))
		return ERR_CAST(inode);
	dentry = d_find_any_alias(inode);
	if (dentry) {
		iput(inode);
		return dentry;
	}
	dentry = __d_alloc(inode->i_sb, &slash);
	if (!dentry) {
		iput(inode);
		return ERR_PTR(-ENOMEM);
	}
	/* Two at once make two: both are right, and both go when unused. */
	atomic_fetch_or_explicit(&dentry->d_flags, DCACHE_DISCONNECTED, memory_order_relaxed);
	d_instantiate(dentry, inode);
	return dentry;
}

struct dentry *d_splice_alias(struct inode *inode, struct dentry *dentry)
{
	struct dentry *alias;

	if (IS_ERR(inode))
		return ERR_CAST(inode);
	if (inode && S_ISDIR(inode->i_mode)) {
		alias = d_find_alias(inode);
		if (alias && alias != alias->d_sb->s_root) {
			d_move(alias, dentry);
			atomic_fetch_and_explicit(&alias->d_flags, ~DCACHE_DISCONNECTED,
						  memory_order_relaxed);
			iput(inode);
			return alias;
		}
		if (alias) { /* the root in itself: a damaged directory */
			dput(alias);
			iput(inode);
			return ERR_PTR(-ELOOP);
		}
	}
	d_add(dentry, inode);
	return NULL;
}

/* ---- moving --------------------------------------------------------------------------------- */

/* The words of both names change places; both are out of the hash and under their d_seq. */
static void swap_names(struct dentry *a, struct dentry *b)
{
	uint64_t *wa = (uint64_t *)(void *)a->d_iname, *wb = (uint64_t *)(void *)b->d_iname;
	bool ia = name_is_inline(a), ib = name_is_inline(b);
	struct qstr qa = a->d_name, qb = b->d_name;

	for (unsigned int i = 0; i < DNAME_INLINE_LEN / 8; i++) {
		uint64_t t = READ_ONCE(wa[i]);

		WRITE_ONCE(wa[i], READ_ONCE(wb[i]));
		WRITE_ONCE(wb[i], t);
	}
	WRITE_ONCE(a->d_name.name, ib ? a->d_iname : qb.name);
	WRITE_ONCE(b->d_name.name, ia ? b->d_iname : qa.name);
	WRITE_ONCE(a->d_name.len, qb.len);
	WRITE_ONCE(b->d_name.len, qa.len);
	WRITE_ONCE(a->d_name.hash, qb.hash);
	WRITE_ONCE(b->d_name.hash, qa.hash);
}

/* Children lists and parents change places. The references of the parents go along, but for what stays. rename_lock held. */
static void move_child(struct dentry *dentry, struct dentry *from, struct dentry *to)
{
	if (from != dentry) {
		spin_lock(&from->d_lock);
		list_del_init(&dentry->d_child);
		spin_unlock(&from->d_lock);
	}
	if (to) {
		spin_lock(&to->d_lock);
		dentry->d_time = 0; /* simple_dir_operations number it anew */
		list_add_tail(&dentry->d_child, &to->d_subdirs);
		spin_unlock(&to->d_lock);
	}
}

static void __d_move(struct dentry *dentry, struct dentry *target, bool exchange)
{
	struct dentry *from = dentry->d_parent, *to = target->d_parent;
	struct dentry *first = dentry < target ? dentry : target;
	struct dentry *second = dentry < target ? target : dentry;
	bool was_root = from == dentry;
	/* What is overwritten stays where it was: ".." of a directory in use does not change with its end. */
	bool stays = !exchange && !was_root;

	write_seqlock(&rename_lock);
	if (from != to) {
		move_child(dentry, from, to);
		if (stays)
			dget(to);
		else
			move_child(target, to, was_root ? NULL : from);
	}
	spin_lock(&first->d_lock);
	spin_lock(&second->d_lock);
	write_seqcount_begin(&first->d_seq);
	write_seqcount_begin(&second->d_seq);
	__d_drop(dentry);
	__d_drop(target);
	swap_names(dentry, target);
	WRITE_ONCE(dentry->d_parent, to);
	if (!stays)
		WRITE_ONCE(target->d_parent, was_root ? target : from);
	__d_rehash(dentry);
	if (exchange)
		__d_rehash(target);
	write_seqcount_end(&second->d_seq);
	write_seqcount_end(&first->d_seq);
	spin_unlock(&second->d_lock);
	spin_unlock(&first->d_lock);
	write_sequnlock(&rename_lock);
	/* Its place in the hash is another's now: who waited for the old one looks again. */
	if (atomic_fetch_and_explicit(&target->d_flags, ~DCACHE_PAR_LOOKUP, memory_order_release) &
	    DCACHE_PAR_LOOKUP)
		wake_dentry(target);
	if (stays && from != to)
		dput(from);
}

/** d_move() - @dentry takes name and place of @target, which is unhashed. Both referenced, parents locked. */
void d_move(struct dentry *dentry, struct dentry *target)
{
	if (dentry != target)
		__d_move(dentry, target, false);
}

/** d_exchange() - both change places */
void d_exchange(struct dentry *a, struct dentry *b)
{
	if (a != b)
		__d_move(a, b, true);
}

void dcache_fork(bool lock)
{
	if (lock)
		write_seqlock(&rename_lock);
	for (unsigned int i = 0; i < DHASH_LOCKS; i++)
		lock ? spin_lock(&dentry_hash_locks[i]) : spin_unlock(&dentry_hash_locks[i]);
	if (!lock)
		write_sequnlock(&rename_lock);
}
