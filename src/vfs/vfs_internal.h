/* SPDX-License-Identifier: MIT */
#ifndef VFS_INTERNAL_H
#define VFS_INTERNAL_H

/*
 * vfs_internal.h - what the files of vfs say to each other
 *
 * Room: vfs, private. Public halves: <slabwork/fs/fs.h>, <slabwork/fs/vfs.h>. Life of each object, lock
 * order, rules of the RCU walk: docs/FILES.md.
 */

#include <slabwork/fs/fs.h>
#include <slabwork/fs/vfs.h>
#include <slabwork/local_count.h>
#include <slabwork/slab.h>
#include <slabwork/string.h>

#include "vfs/rcu.h"

/* A line on stderr that begins with "slabwork: ", and abort(). Never allocates. */
void vfs_bug(const char *what) __attribute__((noreturn));

/*
 * Once, from every door that can be the first (sw_fs_mount(), register_filesystem(), vfs_kern_mount(),
 * task_create()): caches, hash tables, shrinkers, fork handlers, built-in types. Others need no call:
 * without it there is no fd and no root. 0 or -ENOMEM.
 */
int fs_init(void);
/* What all calls share is held over fork(): take it, let go of it. init.c has the order. */
void task_fork(bool lock);
void dcache_fork(bool lock);
void inode_fork(bool lock);
void mount_fork(bool lock);
void super_fork(bool lock);
void locks_fork(bool lock);
/* fstypes/register.c: registers tmpfs, dax, proc. Not weak: an archive gives up nothing for a weak name. */
void fstypes_init(void);

/* ---- task.c: who calls ---------------------------------------------------------------- */

struct fs_struct {
	spinlock_t lock; /* all below; the RCU walk reads under seq */
	seqcount_t seq;
	mode_t umask;
	struct path root, pwd; /* dentry NULL: nothing is mounted yet */
};

struct sw_fs_task {
	_Atomic(struct files_struct *) files;
	struct fs_struct *fs;
	struct cred cred;
};

extern struct sw_fs_task init_task;
extern __thread struct sw_fs_task *task_entered __attribute__((tls_model("initial-exec")));

static inline struct sw_fs_task *current_task(void)
{
	struct sw_fs_task *task = task_entered;

	return task ? task : &init_task;
}

extern __thread const struct cred *cred_overridden __attribute__((tls_model("initial-exec")));

/* current_cred(), inline. */
static inline const struct cred *cred_now(void)
{
	const struct cred *cred = cred_overridden;

	return cred ? cred : &current_task()->cred;
}

mode_t current_umask(void);
/* Where all tasks stand at the root of @mnt and nowhere else in it: how many references that are; -1: elsewhere. */
long tasks_at_root(struct vfsmount *mnt);
/* The root of the first mount becomes everybody's root and working directory; NULL: nobody has one any more. */
void tasks_set_root(const struct path *root);
/* With references. -ENOENT: nothing is mounted. */
int get_fs_root(struct path *root);
int get_fs_pwd(struct path *pwd);
int task_init(void);
/* cred.c */
void cred_of_process(struct cred *cred);
bool in_group(const struct cred *cred, gid_t gid);
/* uid 0 or cap_override; @inode may be NULL. */
bool cred_capable(const struct cred *cred);
bool inode_owner_or_capable(const struct inode *inode);

/* ---- fdtable.c: numbers to files ----------------------------------------------------------- */

#define NR_OPEN_DEFAULT 64
#define NR_OPEN_MAX     1048576 /* EMFILE past it; the kernel's nr_open */

/* Replaced by a larger one under file_lock; readers RCU. */
struct fdtable {
	unsigned int max_fds;
	_Atomic(struct file *) *fd;
	unsigned long *close_on_exec;
	unsigned long *open_fds;
	unsigned long *full_fds_bits; /* a bit a word of open_fds that is full */
	struct rcu_head rcu;
};

struct files_struct {
	_Atomic int count;
	_Atomic(struct fdtable *) fdt;
	spinlock_t file_lock; /* bitmaps, next_fd, stores into fd[] */
	unsigned int next_fd; /* no lower number is free */
	struct fdtable fdtab;
	_Atomic(struct file *) fd_array[NR_OPEN_DEFAULT];
	unsigned long bits_init[3];
};

struct files_struct *files_create(void);
struct files_struct *files_dup(struct files_struct *old);
void files_put(struct files_struct *files);
/* Lowest free number >= start, marked used; fd[] still NULL. -EMFILE, -ENOMEM. */
int alloc_fd(unsigned int start, unsigned int end, int flags);
#define get_unused_fd_flags(flags) alloc_fd(0, NR_OPEN_MAX, flags)
int fd_alloc_install(unsigned int start, struct file *file, int flags);
void put_unused_fd(unsigned int fd);
/* Publishes; consumes the caller's reference. */
void fd_install(unsigned int fd, struct file *file);
/* F6–F8: out of the table, both bits cleared. The caller's to filp_close(); NULL: was not open. */
struct file *file_close_fd(unsigned int fd);
/* @owner: whose table: its POSIX locks on the file go. */
int filp_close(struct file *file, const void *owner);
/* With a reference; NULL if not open, or O_PATH (fget_raw() takes those, too). */
struct file *fget(unsigned int fd);
struct file *fget_raw(unsigned int fd);
/* No reference: the caller is in rcu_read_lock() and must call fd_still() before it believes what it read. */
static inline struct file *fd_peek(unsigned int fd)
{
	struct files_struct *files =
		atomic_load_explicit(&current_task()->files, memory_order_acquire);
	struct fdtable *fdt;

	if (unlikely(!files))
		return NULL;
	fdt = atomic_load_explicit(&files->fdt, memory_order_acquire);
	if (unlikely(fd >= fdt->max_fds))
		return NULL;
	return atomic_load_explicit(&fdt->fd[fd], memory_order_acquire);
}

static inline bool fd_still(unsigned int fd, const struct file *file)
{
	/* What was read of *file is read before the table is looked at again. */
	atomic_thread_fence(memory_order_acquire);
	return fd_peek(fd) == file;
}

int fdtable_init(void);
/* The fd half of fcntl(). */
int fd_dupfd(int fd, unsigned long from, int flags);
int fd_get_cloexec(unsigned int fd);
int fd_set_cloexec(unsigned int fd, bool set);
/* locks.c: at close of any fd of the file; at its last. */
void locks_remove_posix(struct file *file, const void *owner);
void locks_remove_file(struct file *file);

/* ---- file_table.c --------------------------------------------------------------------------- */

struct file *alloc_empty_file(int flags);
void __fput(struct file *file);
/* ->flush and POSIX locks of a file that leaves a table: the first half of filp_close(). */
int filp_flush(struct file *file, const void *owner);
/* Takes f_pos_lock where it must be taken; false: nothing was locked. */
bool file_pos_lock(struct file *file);
/* Where @offset is that is meant from @whence (SEEK_SET, _CUR, _END). 0; -EINVAL (another whence), -EOVERFLOW. */
int whence_pos(const struct file *file, sw_loff_t offset, int whence, sw_loff_t *pos);
void file_pos_unlock(struct file *file, bool locked);

/* ---- namei.c ----------------------------------------------------------------------------------- */

#define MAXSYMLINKS 40
#define SW_PATH_MAX 4096

/* A path from the caller, with a reference on what it names. dfd: AT_FDCWD or an fd. 0 or -errno. */
int user_path_at(int dfd, const char *name, unsigned int lookup_flags, struct path *path);
/* The directory of the last component, locked for writing, and its dentry (maybe negative). For create, unlink … */
struct dentry *user_path_create(int dfd, const char *name, struct path *dir, unsigned int flags);
struct dentry *user_path_remove(int dfd, const char *name, struct path *dir,
				unsigned int *last_type);
void done_path(struct path *dir, struct dentry *dentry);
struct open_flags {
	int open_flag;
	mode_t mode;
	int acc_mode;
	unsigned int lookup_flags;
};
/* 0, -EINVAL. */
int build_open_flags(int flags, mode_t mode, struct open_flags *op);
struct file *do_filp_open(int dfd, const char *name, const struct open_flags *op);
/* open.c: fills f_op, f_mapping (F27), calls ->open. */
int do_dentry_open(struct file *file, struct inode *inode);
int may_open(const struct path *path, int acc_mode, int flag);
/* d_delete(), and what the dentry held of its inode is the caller's to iput(); NULL: it holds it still, or ->d_iput has it. */
struct inode *d_delete_keep(struct dentry *dentry);
int may_delete(struct inode *dir, struct dentry *victim, bool isdir);
int may_create(struct inode *dir, struct dentry *child);
/* Names: 1 … 255 bytes. */
#define SW_NAME_MAX 255

/* ---- dcache.c, inode.c, super.c, mount.c ----------------------------------------------------------- */

int dcache_init(void);
int inode_init(void);
int file_table_init(void);
int mount_init(void);
/*
 * Death in two halves, the first under d_lock: nobody uses it, and from here on nobody can (false: somebody does); the second
 * without, and gives the parent to dput().
 */
bool dentry_mark_dead(struct dentry *dentry);
struct dentry *dentry_bury(struct dentry *dentry);
/* One more reference of a dentry found under RCU; false: it is dying, or becomes negative just now. */
static inline bool d_get_rcu(struct dentry *dentry)
{
	int n = atomic_load_explicit(&dentry->d_count, memory_order_relaxed);

	while (likely(n >= 0))
		if (atomic_compare_exchange_weak_explicit(&dentry->d_count, &n, n + 1,
							  memory_order_acquire,
							  memory_order_relaxed))
			return true;
	return false;
}
struct dentry *d_lookup_seq(struct dentry *parent, const struct qstr *name, uint32_t *seq);
/* Kill the whole tree: nobody else uses the super block. @pinned: as kill_litter_super() says. */
void shrink_dcache_for_umount(struct super_block *sb, bool pinned);
void wake_dentry(const struct dentry *dentry);
/* The hash of a component of a path, with the parent's ->d_hash if it has one. 0 or -errno. */
int name_hash(const struct dentry *parent, struct qstr *name);
/* RCU walk: the child, no reference, *seq of it. NULL: not cached (or look again outside RCU). */
struct dentry *__d_lookup_rcu(const struct dentry *parent, const struct qstr *name, uint32_t *seq);
/* A new dentry that ->lookup is to fill, or the one that somebody else fills or has filled. */
struct dentry *d_alloc_parallel(struct dentry *parent, const struct qstr *name, bool *is_new);
void d_lookup_done(struct dentry *dentry);
extern seqlock_t rename_lock; /* held over every d_move(): d_path, is_subdir and ".." look again */

unsigned long prune_dcache_sb(struct super_block *sb, unsigned long nr);
unsigned long prune_icache_sb(struct super_block *sb, unsigned long nr);
void evict_inodes(struct super_block *sb);

struct mount {
	struct hlist_node mnt_hash; /* (parent mount, mountpoint); readers RCU and mount_lock's seq */
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
	_Atomic long mnt_count;       /* with what mnt_local has counted, if that runs */
	struct local_count mnt_local; /* runs while it is in the tree and nobody asks */
	struct list_head mnt_list, mnt_mounts, mnt_child;
	char *mnt_devname;
	int mnt_id;
	struct rcu_head mnt_rcu;
};
extern seqlock_t mount_lock;

static inline struct mount *real_mount(struct vfsmount *mnt)
{
	return (struct mount *)((char *)mnt - offsetof(struct mount, mnt));
}

/* One more reference of a mount found under RCU; false: it is going. */
static inline bool mnt_get_rcu(struct vfsmount *mnt)
{
	_Atomic long *count = &real_mount(mnt)->mnt_count;
	long n;

	if (likely(local_count_up(&real_mount(mnt)->mnt_local)))
		return true;
	n = atomic_load_explicit(count, memory_order_relaxed);
	while (likely(n > 0))
		if (atomic_compare_exchange_weak_explicit(count, &n, n + 1, memory_order_acquire,
							  memory_order_relaxed))
			return true;
	return false;
}

/* What is mounted on it, no reference (RCU); NULL: nothing. */
struct mount *__lookup_mnt(struct vfsmount *mnt, struct dentry *dentry);
/* 0 or -EROFS. */
int mnt_want_write(struct vfsmount *mnt);
void mnt_drop_write(struct vfsmount *mnt);
void deactivate_super(struct super_block *sb);
void super_for_each(void (*fn)(struct super_block *sb, void *arg), void *arg);

/* attr.c: would a write now change mode or times, not only bytes? i_rwsem held. */
bool inode_write_tells(struct inode *inode);
/* attr.c: i_rwsem, notify_change(). @how: ATTR_* beside the size; @file may be NULL. */
int do_truncate(const struct path *path, sw_loff_t length, unsigned int how, struct file *file);

/* ---- attr.c, sync.c, flusher.c, mmap.c ----------------------------------------------------------------- */

extern const struct mapping_host_ops vfs_host_ops; /* flusher.c: what every mapping gets */
/* Write the dirty inodes of sb (data and, with wait, itself). 0 or the first error. */
int writeback_sb(struct super_block *sb, bool wait);
/* Write about nr_pages, oldest first; what balance_dirty_pages and the thread call. */
unsigned long writeback_some(struct backing_dev_info *bdi, unsigned long nr_pages,
			     bool only_expired);
/* bdi->start_writeback of file systems that have none. */
void vfs_start_writeback(struct backing_dev_info *bdi, unsigned long nr_pages);
void inode_io_list_del(struct inode *inode);
/* Mappings of this inode, for host_ops->unmap. */
void vfs_unmap(struct address_space *mapping, pgoff_t index, pgoff_t nr);
/* The file grew from about @from, or lost pages behind it: mappings look again. No folio lock, no invalidate_lock. */
void vfs_mapping_changed(struct address_space *mapping, sw_loff_t from);
/* Before fsync: where stores of a mapping cannot be noticed, all that it shows is dirty. */
void vfs_dirty_mapped(struct address_space *mapping);

#endif /* VFS_INTERNAL_H */
