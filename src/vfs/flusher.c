/* SPDX-License-Identifier: MIT */
/*
 * flusher.c - dirty inodes, and who writes them back
 *
 * Room: vfs. Door: __mark_inode_dirty(), write_inode_now(), sw_fs_start_writeback(); sync.c calls writeback_sb().
 *
 * An inode that becomes dirty goes on its super block's s_b_dirty with the time; write-back takes it from there,
 * oldest first. One thread at a time writes an inode (I_SYNC); what becomes dirty meanwhile puts it on
 * the list again. Inodes of super blocks without a store (noop_backing_dev_info) are never listed.
 *
 * The thread exists only after sw_fs_start_writeback(). Where it does not run, start_writeback() of a device
 * writes in the caller.
 *
 * Locks: i_lock, then s_wb_lock; the other way round only by trying. I_SYNC is waited for on sync_waits.
 */

#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include "vfs/vfs_internal.h"

#include "lib/hash.h"

#define SYNC_WAITS 16
static wait_queue_head_t sync_waits[SYNC_WAITS];

static wait_queue_head_t *sync_queue(const struct inode *inode)
{
	return &sync_waits[hash_ptr(inode, 4)];
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static bool has_store(const struct super_block *sb)
{
	return sb->s_bdi && sb->s_bdi != &noop_backing_dev_info;
}

/* ---- the list ------------------------------------------------------------------------- */

/* i_lock held. */
static void list_dirty(struct inode *inode)
{
	struct super_block *sb = inode->i_sb;

	spin_lock(&sb->s_wb_lock);
	if (list_empty(&inode->i_io_list)) {
		WRITE_ONCE(inode->dirtied_when_ns, now_ns());
		list_add_tail(&inode->i_io_list, &sb->s_b_dirty);
	}
	spin_unlock(&sb->s_wb_lock);
}

void inode_io_list_del(struct inode *inode)
{
	struct super_block *sb = inode->i_sb;

	spin_lock(&sb->s_wb_lock);
	list_del_init(&inode->i_io_list);
	spin_unlock(&sb->s_wb_lock);
}

/**
 * __mark_inode_dirty() - the inode is to be written back
 * @flags: I_DIRTY_SYNC, I_DIRTY_DATASYNC (fsync must write it), I_DIRTY_PAGES
 *
 * Context: May sleep in ->dirty_inode. i_lock is not held.
 */
void __mark_inode_dirty(struct inode *inode, unsigned int flags)
{
	struct super_block *sb = inode->i_sb;

	if (flags & I_DIRTY_INODE && sb->s_op && sb->s_op->dirty_inode)
		sb->s_op->dirty_inode(inode, flags);
	if (!has_store(sb))
		return;
	/* What was changed before what is read here. Partner: take_dirty(). */
	atomic_thread_fence(memory_order_seq_cst);
	if ((atomic_load(&inode->i_state) & flags) == flags)
		return;
	spin_lock(&inode->i_lock);
	if (!(atomic_fetch_or(&inode->i_state, flags) & (I_DIRTY | I_SYNC | I_FREEING | I_CLEAR)))
		list_dirty(inode);
	spin_unlock(&inode->i_lock);
}

/* ---- one inode ------------------------------------------------------------------------------ */

static void wait_sync(struct inode *inode)
{
	wait_event(sync_queue(inode), !(atomic_load(&inode->i_state) & I_SYNC));
}

/* I_SYNC is ours. Which of I_DIRTY were set, now cleared. */
static unsigned int take_dirty(struct inode *inode)
{
	unsigned int dirty;

	spin_lock(&inode->i_lock);
	dirty = atomic_fetch_and(&inode->i_state, ~I_DIRTY) & I_DIRTY;
	spin_unlock(&inode->i_lock);
	/* Whoever saw the flag and said nothing has its change seen. Partner: __mark_inode_dirty(). */
	atomic_thread_fence(memory_order_seq_cst);
	return dirty;
}

static bool mapping_has_dirty(struct address_space *mapping)
{
	return mapping->nrpages && xa_marked(&mapping->i_pages, PAGECACHE_TAG_DIRTY);
}

/* Data, and the inode itself where it must be. The caller holds a reference or I_WILL_FREE. */
static int writeback_single(struct inode *inode, struct writeback_control *wbc)
{
	const struct super_operations *ops = inode->i_sb->s_op;
	unsigned int dirty;
	int err, err2 = 0;

	for (;;) {
		spin_lock(&inode->i_lock);
		if (!(atomic_load(&inode->i_state) & I_SYNC))
			break;
		spin_unlock(&inode->i_lock);
		if (wbc->sync_mode != WB_SYNC_ALL)
			return 0;
		wait_sync(inode);
	}
	atomic_fetch_or(&inode->i_state, I_SYNC);
	inode_io_list_del(inode);
	spin_unlock(&inode->i_lock);

	/* Taken before the work, so that what becomes dirty during it counts again. */
	dirty = take_dirty(inode);
	err = inode->i_mapping->nrpages ? do_writepages(inode->i_mapping, wbc) : 0;
	if (wbc->sync_mode == WB_SYNC_ALL && inode->i_mapping->nrpages) {
		err2 = filemap_fdatawait_range(inode->i_mapping, 0, INT64_MAX);
		err = err ? err : err2;
	}
	/* ->writepages may have dirtied the inode (size, blocks): one write says it all. */
	dirty |= take_dirty(inode);
	if (dirty & I_DIRTY_INODE && ops && ops->write_inode) {
		err2 = ops->write_inode(inode, wbc);
		err = err ? err : err2;
	}

	spin_lock(&inode->i_lock);
	atomic_fetch_and(&inode->i_state, ~I_SYNC);
	if (mapping_has_dirty(inode->i_mapping))
		atomic_fetch_or(&inode->i_state, I_DIRTY_PAGES);
	if (atomic_load(&inode->i_state) & I_DIRTY &&
	    !(atomic_load(&inode->i_state) & (I_FREEING | I_WILL_FREE)))
		list_dirty(inode);
	spin_unlock(&inode->i_lock);
	wake_up(sync_queue(inode));
	return err;
}

/** write_inode_now() - write @inode back, data and itself; @sync: and wait. 0 or the first error. */
int write_inode_now(struct inode *inode, int sync)
{
	struct writeback_control wbc = {
		.nr_to_write = LONG_MAX,
		.range_end = INT64_MAX,
		.sync_mode = sync ? WB_SYNC_ALL : WB_SYNC_NONE,
	};

	if (!has_store(inode->i_sb))
		return 0;
	return writeback_single(inode, &wbc);
}

/* ---- many ------------------------------------------------------------------------------------- */

/* The oldest of @list with a reference, if it became dirty before @before_ns. */
static struct inode *next_dirty(struct super_block *sb, struct list_head *list, uint64_t before_ns)
{
	struct inode *inode;

	for (;;) {
		spin_lock(&sb->s_wb_lock);
		inode = list_first_entry_or_null(list, struct inode, i_io_list);
		if (!inode || inode->dirtied_when_ns > before_ns) {
			spin_unlock(&sb->s_wb_lock);
			return NULL;
		}
		if (!spin_trylock(&inode->i_lock)) {
			spin_unlock(&sb->s_wb_lock);
			sched_yield();
			continue;
		}
		if (atomic_load(&inode->i_state) & (I_FREEING | I_WILL_FREE)) {
			list_del_init(&inode->i_io_list); /* iput() writes it itself */
			spin_unlock(&inode->i_lock);
			spin_unlock(&sb->s_wb_lock);
			continue;
		}
		ihold(inode);
		spin_unlock(&inode->i_lock);
		spin_unlock(&sb->s_wb_lock);
		return inode;
	}
}

/* Inodes that are dirty now; what becomes dirty later is for the next call. */
static int write_list(struct super_block *sb, struct writeback_control *wbc, uint64_t before_ns)
{
	LIST_HEAD(later);
	struct inode *inode;
	int err = 0;

	while (wbc->nr_to_write > 0 && (inode = next_dirty(sb, &sb->s_b_dirty, before_ns))) {
		uint64_t when = READ_ONCE(inode->dirtied_when_ns);
		int one = writeback_single(inode, wbc);

		err = err ? err : one;
		spin_lock(&sb->s_wb_lock);
		/* Not done with it (locked folios, I_SYNC of another): out of the way, or we come back for ever. */
		if (!list_empty(&inode->i_io_list) && inode->dirtied_when_ns == when)
			list_move_tail(&inode->i_io_list, &later);
		spin_unlock(&sb->s_wb_lock);
		iput(inode);
	}
	spin_lock(&sb->s_wb_lock);
	list_splice(&later, &sb->s_b_dirty);
	spin_unlock(&sb->s_wb_lock);
	return err;
}

/* Every inode of sb that has pages under write-back, or was written meanwhile by others, is waited for. */
int writeback_sb(struct super_block *sb, bool wait)
{
	struct writeback_control wbc = {
		.nr_to_write = LONG_MAX,
		.range_end = INT64_MAX,
		.sync_mode = wait ? WB_SYNC_ALL : WB_SYNC_NONE,
		.for_sync = true,
	};

	if (!has_store(sb))
		return 0;
	return write_list(sb, &wbc, now_ns());
}

struct some {
	struct backing_dev_info *bdi;
	struct writeback_control wbc;
	uint64_t before_ns;
};

static void write_some_of(struct super_block *sb, void *arg)
{
	struct some *some = arg;

	if (sb->s_bdi != some->bdi && (some->bdi || !has_store(sb)))
		return;
	if (!down_read_trylock(&sb->s_umount))
		return;
	if (atomic_load(&sb->s_flags) & SB_ACTIVE)
		write_list(sb, &some->wbc, some->before_ns);
	up_read(&sb->s_umount);
}

/* @bdi NULL: all. Return: pages written, about. */
unsigned long writeback_some(struct backing_dev_info *bdi, unsigned long nr_pages,
			     bool only_expired)
{
	struct some some = {
		.bdi = bdi,
		.wbc = { .nr_to_write = nr_pages > LONG_MAX ? LONG_MAX : (long)nr_pages,
			 .range_end = INT64_MAX,
			 .sync_mode = WB_SYNC_NONE,
			 .for_background = true,
			 .range_cyclic = true },
		.before_ns = now_ns(),
	};
	long before = some.wbc.nr_to_write;

	if (only_expired) {
		struct sw_cache_limits limits = { 0 };
		uint64_t age;

		sw_cache_get_limits(&limits);
		age = (uint64_t)limits.dirty_expire_ms * 1000000;
		some.before_ns = some.before_ns > age ? some.before_ns - age : 0;
	}
	super_for_each(write_some_of, &some);
	return (unsigned long)(before - some.wbc.nr_to_write);
}

/* ---- the thread ------------------------------------------------------------------------------------ */

static struct {
	struct mutex start; /* one start or stop at a time */
	pthread_t thread;
	_Atomic pid_t
		pid; /* whose thread it is; 0: none. A forked child has the number of its parent here */
	_Atomic bool stop;
	wait_queue_head_t wake;
	_Atomic unsigned long wanted; /* pages, of all devices */
} flusher;

static bool flusher_runs(void)
{
	return atomic_load(&flusher.pid) == getpid();
}

static uint64_t interval_ns(void)
{
	struct sw_cache_limits limits = { 0 };

	sw_cache_get_limits(&limits);
	return (uint64_t)(limits.writeback_interval_ms ? limits.writeback_interval_ms : 5000) *
	       1000000;
}

static void *flusher_main(void *arg)
{
	(void)arg;
	while (!atomic_load(&flusher.stop)) {
		unsigned long wanted = atomic_exchange(&flusher.wanted, 0);

		if (wanted)
			writeback_some(NULL, wanted, false);
		else
			writeback_some(NULL, ULONG_MAX, true);
		wait_event_timeout(&flusher.wake,
				   atomic_load(&flusher.stop) || atomic_load(&flusher.wanted),
				   interval_ns());
	}
	return NULL;
}

int sw_fs_start_writeback(void)
{
	sigset_t all, old;
	int err = fs_init();

	if (err)
		return -EAGAIN;
	mutex_lock(&flusher.start);
	if (!flusher_runs()) {
		atomic_store(&flusher.stop, false);
		sigfillset(&all);
		pthread_sigmask(SIG_SETMASK, &all, &old);
		err = pthread_create(&flusher.thread, NULL, flusher_main, NULL) ? -EAGAIN : 0;
		pthread_sigmask(SIG_SETMASK, &old, NULL);
		if (!err)
			atomic_store(&flusher.pid, getpid());
	}
	mutex_unlock(&flusher.start);
	return err;
}

void sw_fs_stop_writeback(void)
{
	mutex_lock(&flusher.start);
	if (flusher_runs()) {
		atomic_store(&flusher.stop, true);
		wake_up(&flusher.wake);
		pthread_join(flusher.thread, NULL);
		atomic_store(&flusher.pid, 0);
	}
	mutex_unlock(&flusher.start);
}

/* backing_dev_info.start_writeback where the file system has no own. */
void vfs_start_writeback(struct backing_dev_info *bdi, unsigned long nr_pages)
{
	if (!flusher_runs()) {
		writeback_some(bdi, nr_pages, false);
		return;
	}
	atomic_fetch_add(&flusher.wanted, nr_pages);
	wake_up(&flusher.wake);
}

/* ---- what the cache calls ---------------------------------------------------------------------------- */

static void host_dirtied(struct address_space *mapping)
{
	__mark_inode_dirty(mapping->host, I_DIRTY_PAGES);
}

static void host_accessed(struct file *file)
{
	if (file && !(atomic_load_explicit(&file->f_flags, memory_order_relaxed) & O_NOATIME))
		touch_atime(&file->f_path);
}

static int host_modify(struct file *file)
{
	int err = file_remove_privs(file);

	return err ? err : file_update_time(file);
}

static void host_unmap(struct address_space *mapping, pgoff_t index, pgoff_t nr)
{
	if (!list_empty(&mapping->i_mmap))
		vfs_unmap(mapping, index, nr);
}

const struct mapping_host_ops vfs_host_ops = {
	.dirtied = host_dirtied,
	.accessed = host_accessed,
	.modify = host_modify,
	.unmap = host_unmap,
};
