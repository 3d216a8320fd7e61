/* SPDX-License-Identifier: MIT */
#ifndef SW_FS_VFS_H
#define SW_FS_VFS_H

/**
 * DOC: <slabwork/fs/vfs.h> - inodes, dentries, files, super blocks, for authors of file systems
 *
 * The kernel's object model and operations tables (signatures of Linux 5.4: no user namespace or
 * idmap argument; folios where 6.x has them). Who only wants to open files includes
 * <slabwork/fs/fs.h>. Architecture, life cycles, lock order: docs/FILES.md.
 *
 * Errors   0 or -errno; pointer functions ERR_PTR() unless they say NULL.
 * Memory   A file system's inodes come from its own cache through ->alloc_inode; the rest from
 *          vfs's caches (inode_cache, dentry, filp, names_cache, mnt_cache, files_cache).
 *
 * Room: vfs.  Source: Linux 5.4 and 6.12, include/linux/fs.h, dcache.h, Documentation/filesystems/vfs.rst.
 */

#ifdef __cplusplus
#error "file systems are written in C: include <slabwork/fs/fs.h> instead"
#endif

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include <slabwork/err.h>
#include <slabwork/fs/pagemap.h>

typedef unsigned int fmode_t;
typedef unsigned int vm_fault_t;
struct inode;
struct dentry;
struct super_block;
struct vfsmount;
struct nameidata;
struct kstat;
struct kstatfs;
struct vm_area_struct;

/* ---- who asks --------------------------------------------------------------------------- */

#define SW_NGROUPS 32

/**
 * struct cred - on whose behalf; plain data, the caller's
 * @cap_override: 1: CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_CHOWN, CAP_FSETID, CAP_MKNOD, CAP_SYS_ADMIN (root)
 */
struct cred {
	uid_t fsuid;
	gid_t fsgid;
	bool cap_override;
	unsigned int ngroups;
	gid_t groups[SW_NGROUPS];
};
/* Of the calling thread: what override_creds() set, else its task's (the process's at first use). */
SW_API const struct cred *current_cred(void) SW_NAME(current_cred);
/* @cred stays the caller's and unchanged until revert_creds(). Return: for revert_creds(). */
SW_API const struct cred *override_creds(const struct cred *cred) SW_NAME(override_creds);
SW_API void revert_creds(const struct cred *old) SW_NAME(revert_creds);

/* Bits of struct iattr.ia_valid. */
#define ATTR_MODE      (1u << 0)
#define ATTR_UID       (1u << 1)
#define ATTR_GID       (1u << 2)
#define ATTR_SIZE      (1u << 3)
#define ATTR_ATIME     (1u << 4)
#define ATTR_MTIME     (1u << 5)
#define ATTR_CTIME     (1u << 6)
#define ATTR_ATIME_SET (1u << 7) /* a given time, not now */
#define ATTR_MTIME_SET (1u << 8)
#define ATTR_FORCE     (1u << 9)
#define ATTR_KILL_SUID (1u << 11)
#define ATTR_KILL_SGID (1u << 12)
#define ATTR_FILE      (1u << 13) /* ia_file is open for it */
#define ATTR_KILL_PRIV (1u << 14)
#define ATTR_OPEN      (1u << 15) /* O_TRUNC */

struct iattr {
	unsigned int ia_valid;
	mode_t ia_mode;
	uid_t ia_uid;
	gid_t ia_gid;
	sw_loff_t ia_size;
	struct timespec ia_atime, ia_mtime, ia_ctime;
	struct file *ia_file;
};

struct kstat {
	mode_t mode;
	unsigned int nlink;
	uint32_t blksize;
	uid_t uid;
	gid_t gid;
	dev_t dev, rdev;
	uint64_t ino;
	sw_loff_t size;
	uint64_t blocks; /* of 512 bytes */
	struct timespec atime, mtime, ctime, btime;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct vfsmount {
	struct dentry *mnt_root;
	struct super_block *mnt_sb;
	int mnt_flags;
};
#define MNT_NOSUID   0x01
#define MNT_NODEV    0x02
#define MNT_NOEXEC   0x04
#define MNT_NOATIME  0x08
#define MNT_READONLY 0x40

/* ---- struct inode -------------------------------------------------------------------------- */

#define S_SYNC      (1u << 0)
#define S_NOATIME   (1u << 1)
#define S_APPEND    (1u << 2)
#define S_IMMUTABLE (1u << 3)
#define S_DEAD      (1u << 4) /* a removed directory: nothing may be made in it */
#define S_PRIVATE   (1u << 9)
#define S_NOCMTIME  (1u << 7)
#ifdef S_DAX
#undef S_DAX
#endif
#define S_DAX (1u << 13)

/* inode->i_state; i_lock. */
#define I_DIRTY_SYNC     (1u << 0)
#define I_DIRTY_DATASYNC (1u << 1)
#define I_DIRTY_PAGES    (1u << 2)
#define I_NEW            (1u << 3)
#define I_WILL_FREE      (1u << 4)
#define I_FREEING        (1u << 5)
#define I_CLEAR          (1u << 6)
#define I_SYNC           (1u << 7)
#define I_REFERENCED     (1u << 8)
#define I_LINKABLE       (1u << 10)
#define I_CREATING       (1u << 15)
/* Ours: atime needs no update for a while; cleared with every change of mtime, ctime, or by hand. */
#define I_ATIME_FRESH (1u << 20)
/* Ours: it is on s_inode_lru; s_lru_lock. */
#define I_ON_LRU      (1u << 21)
#define I_DIRTY_INODE (I_DIRTY_SYNC | I_DIRTY_DATASYNC)
#define I_DIRTY       (I_DIRTY_INODE | I_DIRTY_PAGES)

/**
 * struct inode - a file, whatever its names
 * @i_count: references; 0: on the super block's LRU, or going
 * @i_seq: readers of attributes (stat) look again if it moved; written under i_lock
 * @i_rwsem: contents and, of a directory, its names; taken through inode_lock()
 * @i_data: its page cache; i_size is in there
 * @i_private: the file system's, unless it embeds the inode
 *
 * Freed after a grace period (->free_inode): whoever finds one under RCU may look at it.
 */
struct inode {
	mode_t i_mode;
	unsigned short i_opflags; /* IOP_* of vfs */
	unsigned int i_flags;     /* S_* */
	uid_t i_uid;
	gid_t i_gid;
	const struct inode_operations *i_op;
	struct super_block *i_sb;
	struct address_space *i_mapping;
	uint64_t i_ino;
	_Atomic unsigned int i_nlink;
	_Atomic int i_count;
	_Atomic unsigned int i_state;
	spinlock_t i_lock;
	seqcount_t i_seq;
	dev_t i_rdev;
	const struct file_operations *i_fop; /* default of files opened on it */
	_Atomic uint64_t i_blocks;           /* of 512 bytes */
	unsigned char i_blkbits;
	_Atomic uint64_t i_version;
	struct timespec i_atime, i_mtime, i_ctime, i_btime;
	struct rw_semaphore i_rwsem;
	struct hlist_node i_hash;   /* inode_hashtable: (sb, ino) */
	struct list_head i_sb_list; /* s_inodes */
	struct list_head i_lru;     /* s_inode_lru */
	struct list_head i_io_list; /* flusher: b_dirty, b_io */
	uint64_t dirtied_when_ns;
	struct hlist_head i_dentry; /* aliases; i_lock */
	struct file_lock *i_flock;  /* POSIX and flock locks; i_lock */
	char *i_link;               /* target of a symlink that is in memory */
	void *i_private;
	struct address_space i_data;
	struct rcu_head i_rcu;
};

static inline sw_loff_t i_size_read(const struct inode *inode)
{
	return atomic_load_explicit(&((struct inode *)inode)->i_data.i_size, memory_order_acquire);
}

/* i_rwsem held for writing. */
static inline void i_size_write(struct inode *inode, sw_loff_t size)
{
	atomic_store_explicit(&inode->i_data.i_size, size, memory_order_release);
}

static inline void inode_lock(struct inode *inode)
{
	down_write(&inode->i_rwsem);
}

static inline void inode_unlock(struct inode *inode)
{
	up_write(&inode->i_rwsem);
}

static inline void inode_lock_shared(struct inode *inode)
{
	down_read(&inode->i_rwsem);
}

static inline void inode_unlock_shared(struct inode *inode)
{
	up_read(&inode->i_rwsem);
}

#define IS_DAX(inode)     ((inode)->i_flags & S_DAX)
#define IS_DEADDIR(inode) ((inode)->i_flags & S_DEAD)
#define IS_RDONLY(inode)  ((inode)->i_sb->s_flags & SB_RDONLY)

/**
 * struct inode_operations - what a file system does with names and attributes
 *
 * Locks held by vfs: i_rwsem of @dir for writing in all that change it (both directories for
 * rename, plus the victims), shared in ->lookup (several at once, never twice for one name);
 * i_rwsem of the inode in ->setattr. ->permission, ->get_link may get no dentry: then they run
 * in an RCU walk, must not sleep, and answer -ECHILD to be called again outside of it.
 */
struct inode_operations {
	struct dentry *(*lookup)(struct inode *dir, struct dentry *dentry, unsigned int flags);
	const char *(*get_link)(struct dentry *dentry, struct inode *inode, void **to_free);
	int (*permission)(struct inode *inode, int mask);
	int (*readlink)(struct dentry *dentry, char *buf, int size);
	int (*create)(struct inode *dir, struct dentry *dentry, mode_t mode, bool excl);
	int (*link)(struct dentry *old, struct inode *dir, struct dentry *dentry);
	int (*unlink)(struct inode *dir, struct dentry *dentry);
	int (*symlink)(struct inode *dir, struct dentry *dentry, const char *target);
	int (*mkdir)(struct inode *dir, struct dentry *dentry, mode_t mode);
	int (*rmdir)(struct inode *dir, struct dentry *dentry);
	int (*mknod)(struct inode *dir, struct dentry *dentry, mode_t mode, dev_t dev);
	int (*rename)(struct inode *old_dir, struct dentry *old, struct inode *new_dir,
		      struct dentry *new_dentry, unsigned int flags);
	int (*setattr)(struct dentry *dentry, struct iattr *attr);
	int (*getattr)(const struct path *path, struct kstat *stat, uint32_t mask,
		       unsigned int flags);
	ssize_t (*listxattr)(struct dentry *dentry, char *list, size_t size);
	ssize_t (*getxattr)(struct dentry *dentry, const char *name, void *value, size_t size);
	int (*setxattr)(struct dentry *dentry, const char *name, const void *value, size_t size,
			int flags); /* value NULL: remove */
	int (*update_time)(struct inode *inode, const struct timespec *now, int flags);
	int (*tmpfile)(struct inode *dir, struct file *file, mode_t mode);
};

/* ---- struct dentry ------------------------------------------------------------------------------ */

struct qstr {
	uint32_t hash; /* full_name_hash(parent, name, len) */
	uint32_t len;
	const char *name;
};

#define DNAME_INLINE_LEN 40

/* dentry->d_flags; d_lock. */
#define DCACHE_OP_HASH       (1u << 0)
#define DCACHE_OP_COMPARE    (1u << 1)
#define DCACHE_OP_REVALIDATE (1u << 2)
#define DCACHE_OP_DELETE     (1u << 3)
#define DCACHE_DISCONNECTED  (1u << 5)
#define DCACHE_REFERENCED    (1u << 6)
#define DCACHE_DONTCACHE     (1u << 7)
#define DCACHE_MOUNTED       (1u << 16)
#define DCACHE_LRU_LIST      (1u << 19)
#define DCACHE_DENTRY_KILLED (1u << 22)
#define DCACHE_PAR_LOOKUP    (1u << 28) /* ->lookup runs for it */

/**
 * struct dentry - a name in a directory, and what it stands for
 * @d_seq: moved by every change of name, parent or inode: RCU walk looks again
 * @d_inode: NULL: a negative entry, the name is known not to exist
 * @d_count: references; 0: may be on the LRU
 * @d_lock: d_flags, d_lru, d_child, d_subdirs, the step from and to d_count 0
 *
 * Freed after a grace period.
 */
struct dentry {
	_Atomic unsigned int d_flags;
	seqcount_t d_seq;
	struct hlist_node d_hash; /* dentry_hashtable bucket lock; readers RCU */
	struct dentry *d_parent;  /* itself: a root */
	struct qstr d_name;
	_Atomic(struct inode *) d_inode;
	char d_iname[DNAME_INLINE_LEN];
	_Atomic int d_count;
	spinlock_t d_lock;
	const struct dentry_operations *d_op;
	struct super_block *d_sb;
	unsigned long d_time;
	void *d_fsdata;
	struct list_head d_lru;
	struct list_head d_child; /* in the parent's d_subdirs */
	struct list_head d_subdirs;
	union {
		struct hlist_node d_alias; /* in inode->i_dentry */
		struct rcu_head d_rcu;
	};
};

struct dentry_operations {
	int (*d_revalidate)(struct dentry *dentry, unsigned int flags); /* 0: invalid, 1, -ECHILD */
	int (*d_hash)(const struct dentry *parent, struct qstr *name);
	int (*d_compare)(const struct dentry *dentry, unsigned int len, const char *str,
			 const struct qstr *name);
	int (*d_delete)(const struct dentry *dentry); /* 1: do not keep it when unused */
	void (*d_release)(struct dentry *dentry);
	void (*d_iput)(struct dentry *dentry, struct inode *inode);
};

SW_API struct dentry *d_alloc(struct dentry *parent, const struct qstr *name) SW_NAME(d_alloc);
/* Root of a new super block; consumes @inode even on failure (NULL). */
SW_API struct dentry *d_make_root(struct inode *inode) SW_NAME(d_make_root);
SW_API void d_instantiate(struct dentry *dentry, struct inode *inode) SW_NAME(d_instantiate);
/* The same, and I_NEW ends. */
SW_API void d_instantiate_new(struct dentry *dentry, struct inode *inode)
	SW_NAME(d_instantiate_new);
/* For ->lookup: into the hash, with an inode or negative. */
SW_API void d_add(struct dentry *dentry, struct inode *inode) SW_NAME(d_add);
/* For ->lookup: the same, but a disconnected alias of a directory is used instead and returned. */
SW_API struct dentry *d_splice_alias(struct inode *inode, struct dentry *dentry)
	SW_NAME(d_splice_alias);
/* A dentry of the inode, made disconnected if it has none. Consumes @inode. */
SW_API struct dentry *d_obtain_alias(struct inode *inode) SW_NAME(d_obtain_alias);
SW_API struct dentry *d_find_alias(struct inode *inode) SW_NAME(d_find_alias);
/* With a reference, or NULL. */
SW_API struct dentry *d_lookup(struct dentry *parent, const struct qstr *name) SW_NAME(d_lookup);
/* For ->tmpfile: @inode, with no link, is what @file opens. Consumes @inode's reference; ->open is called by vfs. */
SW_API void d_tmpfile(struct file *file, struct inode *inode) SW_NAME(d_tmpfile);
SW_API void d_drop(struct dentry *dentry) SW_NAME(d_drop);
SW_API void d_delete(struct dentry *dentry) SW_NAME(d_delete);
SW_API void d_move(struct dentry *dentry, struct dentry *target) SW_NAME(d_move);
SW_API void d_exchange(struct dentry *a, struct dentry *b) SW_NAME(d_exchange);
SW_API struct dentry *dget(struct dentry *dentry) SW_NAME(dget);
SW_API void dput(struct dentry *dentry) SW_NAME(dput);
SW_API bool is_subdir(struct dentry *dentry, struct dentry *of) SW_NAME(is_subdir);
SW_API uint32_t full_name_hash(const void *salt, const char *name, unsigned int len)
	SW_NAME(full_name_hash);
/* Path of @path from the task's root, right-aligned in buf. ERR_PTR(-ENAMETOOLONG). */
SW_API char *d_path(const struct path *path, char *buf, int size) SW_NAME(d_path);
SW_API void shrink_dcache_sb(struct super_block *sb) SW_NAME(shrink_dcache_sb);
SW_API void shrink_dcache_parent(struct dentry *parent) SW_NAME(shrink_dcache_parent);

static inline struct inode *d_inode(const struct dentry *dentry)
{
	return atomic_load_explicit(&((struct dentry *)dentry)->d_inode, memory_order_acquire);
}

static inline bool d_is_negative(const struct dentry *dentry)
{
	return !d_inode(dentry);
}

static inline bool d_unhashed(const struct dentry *dentry)
{
	return !__atomic_load_n(&dentry->d_hash.pprev, __ATOMIC_RELAXED);
}

/* ---- inodes: life ------------------------------------------------------------------------------------ */

SW_API struct inode *new_inode(struct super_block *sb) SW_NAME(new_inode);
/* The inode @ino of @sb, in use or read in before; else a new one with I_NEW: fill it, unlock_new_inode(). NULL: no memory. */
SW_API struct inode *iget_locked(struct super_block *sb, uint64_t ino) SW_NAME(iget_locked);
SW_API void unlock_new_inode(struct inode *inode) SW_NAME(unlock_new_inode);
SW_API void iget_failed(struct inode *inode) SW_NAME(iget_failed);
SW_API struct inode *ilookup(struct super_block *sb, uint64_t ino) SW_NAME(ilookup);
SW_API struct inode *igrab(struct inode *inode) SW_NAME(igrab);
SW_API void ihold(struct inode *inode) SW_NAME(ihold);
SW_API void iput(struct inode *inode) SW_NAME(iput);
SW_API void clear_inode(struct inode *inode) SW_NAME(clear_inode);
SW_API void insert_inode_hash(struct inode *inode) SW_NAME(insert_inode_hash);
SW_API void remove_inode_hash(struct inode *inode) SW_NAME(remove_inode_hash);
/* For constructors of a file system's own inode cache: what survives from object to object. */
SW_API void inode_init_once(struct inode *inode) SW_NAME(inode_init_once);
SW_API void inode_init_owner(struct inode *inode, const struct inode *dir, mode_t mode)
	SW_NAME(inode_init_owner);
/* Device nodes, pipes, sockets: default file operations (open gives ENXIO; see FILES.md). */
SW_API void init_special_inode(struct inode *inode, mode_t mode, dev_t rdev)
	SW_NAME(init_special_inode);
SW_API void inc_nlink(struct inode *inode) SW_NAME(inc_nlink);
SW_API void drop_nlink(struct inode *inode) SW_NAME(drop_nlink);
SW_API void clear_nlink(struct inode *inode) SW_NAME(clear_nlink);
SW_API void set_nlink(struct inode *inode, unsigned int nlink) SW_NAME(set_nlink);
SW_API void __mark_inode_dirty(struct inode *inode, unsigned int flags) SW_NAME(__mark_inode_dirty);
SW_API struct timespec current_time(struct inode *inode) SW_NAME(current_time);
SW_API void touch_atime(const struct path *path) SW_NAME(touch_atime);
SW_API int file_update_time(struct file *file) SW_NAME(file_update_time);
/* Set those of atime, mtime, ctime that @flags (S_ATIME ...) names to *@now, or to current_time() if NULL, so
 * that readers without a lock never see half of one: file systems use it instead of stores. Marks it dirty. */
#define S_ATIME   1
#define S_MTIME   2
#define S_CTIME   4
#define S_VERSION 8
SW_API int generic_update_time(struct inode *inode, const struct timespec *now, int flags)
	SW_NAME(generic_update_time);
SW_API int file_remove_privs(struct file *file) SW_NAME(file_remove_privs);
SW_API uint64_t get_next_ino(void) SW_NAME(get_next_ino);
SW_API int generic_permission(struct inode *inode, int mask) SW_NAME(generic_permission);
SW_API int inode_permission(struct inode *inode, int mask) SW_NAME(inode_permission);
SW_API void generic_fillattr(struct inode *inode, struct kstat *stat) SW_NAME(generic_fillattr);
SW_API int setattr_prepare(struct dentry *dentry, struct iattr *attr) SW_NAME(setattr_prepare);
SW_API void setattr_copy(struct inode *inode, const struct iattr *attr) SW_NAME(setattr_copy);
SW_API int inode_newsize_ok(const struct inode *inode, sw_loff_t size) SW_NAME(inode_newsize_ok);
/* i_size, then truncate_inode_pages() and mappings. i_rwsem held. */
SW_API void truncate_setsize(struct inode *inode, sw_loff_t newsize) SW_NAME(truncate_setsize);
SW_API int simple_setattr(struct dentry *dentry, struct iattr *attr) SW_NAME(simple_setattr);
SW_API const char *simple_get_link(struct dentry *dentry, struct inode *inode, void **to_free)
	SW_NAME(simple_get_link);
#define mark_inode_dirty(inode)      __mark_inode_dirty(inode, I_DIRTY)
#define mark_inode_dirty_sync(inode) __mark_inode_dirty(inode, I_DIRTY_SYNC)

#define MAY_EXEC      1
#define MAY_WRITE     2
#define MAY_READ      4
#define MAY_APPEND    8
#define MAY_NOT_BLOCK 0x80

/* ---- struct file ------------------------------------------------------------------------------------------ */

#define FMODE_READ       0x01u
#define FMODE_WRITE      0x02u
#define FMODE_LSEEK      0x04u
#define FMODE_PREAD      0x08u
#define FMODE_PWRITE     0x10u
#define FMODE_PATH       0x4000u
#define FMODE_ATOMIC_POS 0x8000u
/* Ours: pread() may call filemap_read_hit() without going through ->read_iter. */
#define FMODE_CACHE_HIT 0x100000u
#define FMODE_OPENED    0x80000u

/**
 * struct file - one opening of an inode
 * @f_mapping: the inode's i_mapping: F27
 * @f_wb_err: errors of write-back already reported here; f_lock
 * @f_pos: f_pos_lock, where FMODE_ATOMIC_POS
 *
 * From a SLAB_TYPESAFE_BY_RCU cache: who finds one in an fdtable under RCU looks at the table again
 * after taking the reference (or after copying, where none is taken).
 */
struct file {
	_Atomic long f_count;
	fmode_t f_mode;
	_Atomic unsigned int f_flags; /* O_*; f_lock */
	const struct file_operations *f_op;
	struct address_space *f_mapping;
	struct inode *f_inode;
	struct path f_path;
	void *private_data;
	sw_loff_t f_pos;
	struct mutex f_pos_lock;
	spinlock_t f_lock;
	uint32_t f_wb_err;
	struct file_ra_state f_ra;
	uid_t f_uid; /* who opened it */
	bool f_cap_override;
	struct file *f_delayed_next; /* delayed_fput_list */
};

struct dir_context {
	/* false: full, stop. */
	bool (*actor)(struct dir_context *ctx, const char *name, int len, sw_loff_t offset,
		      uint64_t ino, unsigned int d_type);
	sw_loff_t pos;
};

struct file_lock;

struct file_operations {
	sw_loff_t (*llseek)(struct file *file, sw_loff_t offset, int whence);
	ssize_t (*read)(struct file *file, char *buf, size_t count, sw_loff_t *pos);
	ssize_t (*write)(struct file *file, const char *buf, size_t count, sw_loff_t *pos);
	ssize_t (*read_iter)(struct kiocb *iocb, struct iov_iter *to);
	ssize_t (*write_iter)(struct kiocb *iocb, struct iov_iter *from);
	int (*iterate_shared)(struct file *file, struct dir_context *ctx);
	long (*unlocked_ioctl)(struct file *file, unsigned int cmd, unsigned long arg);
	int (*mmap)(struct file *file, struct vm_area_struct *vma);
	int (*open)(struct inode *inode, struct file *file);
	int (*flush)(struct file *file);
	int (*release)(struct inode *inode, struct file *file);
	int (*fsync)(struct file *file, sw_loff_t start, sw_loff_t end, int datasync);
	long (*fallocate)(struct file *file, int mode, sw_loff_t offset, sw_loff_t len);
	ssize_t (*copy_file_range)(struct file *in, sw_loff_t pos_in, struct file *out,
				   sw_loff_t pos_out, size_t len, unsigned int flags);
	int (*fadvise)(struct file *file, sw_loff_t offset, sw_loff_t len, int advice);
};

SW_API struct file *dentry_open(const struct path *path, int flags, const struct cred *cred)
	SW_NAME(dentry_open);
SW_API struct file *filp_open(const char *name, int flags, mode_t mode) SW_NAME(filp_open);
SW_API struct file *get_file(struct file *file) SW_NAME(get_file);
/** fput() - F9: one reference less; the last puts the file on delayed_fput_list */
SW_API void fput(struct file *file) SW_NAME(fput);
/** flush_delayed_fput() - F10: __fput() for each file on the list. Runs by itself: FILES.md §3. */
SW_API void flush_delayed_fput(void) SW_NAME(flush_delayed_fput);
SW_API void __fput_sync(struct file *file) SW_NAME(__fput_sync);
SW_API ssize_t vfs_read(struct file *file, char *buf, size_t count, sw_loff_t *pos)
	SW_NAME(vfs_read);
SW_API ssize_t vfs_write(struct file *file, const char *buf, size_t count, sw_loff_t *pos)
	SW_NAME(vfs_write);
SW_API ssize_t vfs_iter_read(struct file *file, struct iov_iter *iter, sw_loff_t *pos)
	SW_NAME(vfs_iter_read);
SW_API ssize_t vfs_iter_write(struct file *file, struct iov_iter *iter, sw_loff_t *pos)
	SW_NAME(vfs_iter_write);
SW_API int vfs_fsync_range(struct file *file, sw_loff_t start, sw_loff_t end, int datasync)
	SW_NAME(vfs_fsync_range);
SW_API long vfs_fallocate(struct file *file, int mode, sw_loff_t offset, sw_loff_t len)
	SW_NAME(vfs_fallocate);
SW_API sw_loff_t vfs_llseek(struct file *file, sw_loff_t offset, int whence) SW_NAME(vfs_llseek);
SW_API int iterate_dir(struct file *file, struct dir_context *ctx) SW_NAME(iterate_dir);
SW_API ssize_t vfs_copy_file_range(struct file *in, sw_loff_t pos_in, struct file *out,
				   sw_loff_t pos_out, size_t len, unsigned int flags)
	SW_NAME(vfs_copy_file_range);
/* Lock i_rwsem, checks, file_update_time(), generic_perform_write(), generic_write_sync(). */
SW_API ssize_t generic_file_write_iter(struct kiocb *iocb, struct iov_iter *from)
	SW_NAME(generic_file_write_iter);
SW_API int generic_file_mmap(struct file *file, struct vm_area_struct *vma)
	SW_NAME(generic_file_mmap);
SW_API int generic_file_fsync(struct file *file, sw_loff_t start, sw_loff_t end, int datasync)
	SW_NAME(generic_file_fsync);
SW_API int noop_fsync(struct file *file, sw_loff_t start, sw_loff_t end, int datasync)
	SW_NAME(noop_fsync);
SW_API sw_loff_t generic_file_llseek(struct file *file, sw_loff_t offset, int whence)
	SW_NAME(generic_file_llseek);
SW_API int file_check_and_advance_wb_err(struct file *file) SW_NAME(file_check_and_advance_wb_err);
/* "." and ".." for ->iterate_shared, pos 0 and 1. false: full. */
SW_API bool dir_emit_dots(struct file *file, struct dir_context *ctx) SW_NAME(dir_emit_dots);
/* A directory whose entries are its cached dentries (proc, tests). */
extern SW_API const struct file_operations simple_dir_operations SW_NAME(simple_dir_operations);

/* For ->open: FMODE_CACHE_HIT. Who looks at a closed file's memory may read f_mode meanwhile. */
static inline void file_add_mode(struct file *file, fmode_t bits)
{
	__atomic_store_n(&file->f_mode, file->f_mode | bits, __ATOMIC_RELAXED);
}

static inline struct inode *file_inode(const struct file *file)
{
	return file->f_inode;
}

static inline void init_sync_kiocb(struct kiocb *iocb, struct file *file)
{
	*iocb = (struct kiocb){ .ki_filp = file,
				.ki_mapping = file->f_mapping,
				.ki_ra = &file->f_ra };
}

static inline bool dir_emit(struct dir_context *ctx, const char *name, int len, uint64_t ino,
			    unsigned int type)
{
	return ctx->actor(ctx, name, len, ctx->pos, ino, type);
}

/* ---- names, by dentry: vfs_* of namei.c; i_rwsem of the directories is the caller's unless said ------------ */

/* Looks up or makes the dentry (maybe negative) of @name in @base; takes i_rwsem itself. */
SW_API struct dentry *lookup_one_unlocked(const char *name, struct dentry *base, int len)
	SW_NAME(lookup_one_unlocked);
SW_API struct dentry *lookup_one_len(const char *name, struct dentry *base, int len)
	SW_NAME(lookup_one_len);
SW_API struct dentry *lock_rename(struct dentry *a, struct dentry *b) SW_NAME(lock_rename);
SW_API void unlock_rename(struct dentry *a, struct dentry *b) SW_NAME(unlock_rename);
SW_API int vfs_create(struct inode *dir, struct dentry *dentry, mode_t mode, bool excl)
	SW_NAME(vfs_create);
SW_API int vfs_mkdir(struct inode *dir, struct dentry *dentry, mode_t mode) SW_NAME(vfs_mkdir);
SW_API int vfs_mknod(struct inode *dir, struct dentry *dentry, mode_t mode, dev_t dev)
	SW_NAME(vfs_mknod);
SW_API int vfs_symlink(struct inode *dir, struct dentry *dentry, const char *target)
	SW_NAME(vfs_symlink);
SW_API int vfs_link(struct dentry *old, struct inode *dir, struct dentry *dentry) SW_NAME(vfs_link);
SW_API int vfs_unlink(struct inode *dir, struct dentry *dentry) SW_NAME(vfs_unlink);
SW_API int vfs_rmdir(struct inode *dir, struct dentry *dentry) SW_NAME(vfs_rmdir);
SW_API int vfs_rename(struct inode *old_dir, struct dentry *old, struct inode *new_dir,
		      struct dentry *new_dentry, unsigned int flags) SW_NAME(vfs_rename);
SW_API int vfs_readlink(struct dentry *dentry, char *buf, int size) SW_NAME(vfs_readlink);
SW_API int vfs_getattr(const struct path *path, struct kstat *stat, uint32_t mask,
		       unsigned int flags) SW_NAME(vfs_getattr);
/* chmod, chown, utimes, truncate; i_rwsem of the inode held. */
SW_API int notify_change(struct dentry *dentry, struct iattr *attr) SW_NAME(notify_change);
SW_API int vfs_truncate(const struct path *path, sw_loff_t length) SW_NAME(vfs_truncate);
SW_API int vfs_statfs(const struct path *path, struct kstatfs *buf) SW_NAME(vfs_statfs);
SW_API ssize_t vfs_getxattr(struct dentry *dentry, const char *name, void *value, size_t size)
	SW_NAME(vfs_getxattr);
SW_API int vfs_setxattr(struct dentry *dentry, const char *name, const void *value, size_t size,
			int flags) SW_NAME(vfs_setxattr);
SW_API ssize_t vfs_listxattr(struct dentry *dentry, char *list, size_t size) SW_NAME(vfs_listxattr);
SW_API int kern_path(const char *name, unsigned int lookup_flags, struct path *path)
	SW_NAME(kern_path);
SW_API void path_get(const struct path *path) SW_NAME(path_get);
SW_API void path_put(const struct path *path) SW_NAME(path_put);
#define LOOKUP_FOLLOW    0x01u
#define LOOKUP_DIRECTORY 0x02u
#define LOOKUP_PARENT    0x10u
#define LOOKUP_RCU       0x40u
#define LOOKUP_EMPTY     0x4000u

/* ---- super blocks, types, mounts --------------------------------------------------------------------------------- */

#define SB_RDONLY      (1u << 0)
#define SB_NOSUID      (1u << 1)
#define SB_NODEV       (1u << 2)
#define SB_SYNCHRONOUS (1u << 4)
#define SB_NOATIME     (1u << 10)
#define SB_ACTIVE      (1u << 30)

struct kstatfs {
	long f_type;
	long f_bsize;
	uint64_t f_blocks, f_bfree, f_bavail, f_files, f_ffree;
	uint64_t f_fsid;
	long f_namelen;
	long f_frsize;
	long f_flags;
};

/**
 * struct super_operations - what a file system does with its inodes and itself
 * @alloc_inode: from its own cache; NULL: inode_cache
 * @free_inode: called after a grace period; @destroy_inode: at once
 * @dirty_inode, @write_inode: journal, write back the inode itself
 * @drop_inode: 1: do not keep it when unused; NULL: i_nlink == 0 or unhashed
 * @evict_inode: truncate_inode_pages_final(), clear_inode(), and if i_nlink is 0 free it on disk
 * @sync_fs: @wait: everything is durable on return
 */
struct super_operations {
	struct inode *(*alloc_inode)(struct super_block *sb);
	void (*destroy_inode)(struct inode *inode);
	void (*free_inode)(struct inode *inode);
	void (*dirty_inode)(struct inode *inode, unsigned int flags);
	int (*write_inode)(struct inode *inode, struct writeback_control *wbc);
	int (*drop_inode)(struct inode *inode);
	void (*evict_inode)(struct inode *inode);
	void (*put_super)(struct super_block *sb);
	int (*sync_fs)(struct super_block *sb, int wait);
	int (*statfs)(struct dentry *dentry, struct kstatfs *buf);
	int (*remount_fs)(struct super_block *sb, unsigned int *flags, const char *data);
	int (*show_options)(char *buf, size_t size, struct dentry *root);
};

struct super_block {
	struct list_head s_list;
	dev_t s_dev;
	unsigned char s_blocksize_bits;
	unsigned long s_blocksize;
	sw_loff_t s_maxbytes;
	struct file_system_type *s_type;
	const struct super_operations *s_op;
	const struct dentry_operations *s_d_op;
	_Atomic unsigned int s_flags; /* SB_* */
	unsigned long s_magic;
	struct dentry *s_root;
	struct rw_semaphore s_umount;
	int s_count;
	_Atomic int s_active;
	struct backing_dev_info *s_bdi;
	unsigned long s_time_gran_ns;
	unsigned int s_max_links;
	errseq_t s_wb_err;
	void *s_fs_info;
	struct mutex s_vfs_rename_mutex;
	char s_id[32];
	/* vfs's own lists: all inodes (s_inode_list_lock), LRUs, dirty ones. */
	spinlock_t s_inode_list_lock;
	struct list_head s_inodes;
	spinlock_t s_lru_lock;
	struct list_head s_dentry_lru, s_inode_lru;
	_Atomic unsigned long s_nr_dentry_lru, s_nr_inode_lru;
	struct shrinker *s_shrink;
	spinlock_t s_wb_lock;
	struct list_head s_b_dirty, s_b_io;
};

/**
 * struct file_system_type - a kind of file system
 * @mount: make (or find) a super block, return its root with a reference, or ERR_PTR. @dev_name: what
 *         the caller said; @data: options "a,b=1", NULL: none
 * @kill_sb: the last user is gone; ends in generic_shutdown_super()
 */
struct file_system_type {
	const char *name;
	int fs_flags;
	struct dentry *(*mount)(struct file_system_type *type, int flags, const char *dev_name,
				const char *data);
	void (*kill_sb)(struct super_block *sb);
	struct file_system_type *next;
};
#define FS_REQUIRES_DEV       1
#define FS_RENAME_DOES_D_MOVE 0x8000

/** register_filesystem() - 0, -EBUSY if the name is taken */
SW_API int register_filesystem(struct file_system_type *type) SW_NAME(register_filesystem);
/** unregister_filesystem() - 0, -EINVAL. Nothing of it may be mounted. */
SW_API int unregister_filesystem(struct file_system_type *type) SW_NAME(unregister_filesystem);
SW_API struct file_system_type *get_fs_type(const char *name) SW_NAME(get_fs_type);

/* For ->mount: a fresh super block filled by @fill (0 or -errno), s_root set by it. */
SW_API struct dentry *mount_nodev(struct file_system_type *type, int flags, const char *data,
				  int (*fill)(struct super_block *sb, const char *data, int silent))
	SW_NAME(mount_nodev);
/* For ->kill_sb: evict everything, ->put_super. */
SW_API void generic_shutdown_super(struct super_block *sb) SW_NAME(generic_shutdown_super);
SW_API void kill_anon_super(struct super_block *sb) SW_NAME(kill_anon_super);
/* The same for types whose dentries stay pinned (one dget() more) while they are linked, as tmpfs. */
SW_API void kill_litter_super(struct super_block *sb) SW_NAME(kill_litter_super);
/* A mount of @type that is not in any tree: FUSE, tests. */
SW_API struct vfsmount *vfs_kern_mount(struct file_system_type *type, int flags, const char *name,
				       const char *data) SW_NAME(vfs_kern_mount);
SW_API void kern_unmount(struct vfsmount *mnt) SW_NAME(kern_unmount);
SW_API struct vfsmount *mntget(struct vfsmount *mnt) SW_NAME(mntget);
SW_API void mntput(struct vfsmount *mnt) SW_NAME(mntput);
SW_API int sync_filesystem(struct super_block *sb) SW_NAME(sync_filesystem);
SW_API int write_inode_now(struct inode *inode, int sync) SW_NAME(write_inode_now);

/* ---- mappings ------------------------------------------------------------------------------------------------------ */

#define VM_READ     0x00000001ul
#define VM_WRITE    0x00000002ul
#define VM_SHARED   0x00000008ul
#define VM_MAYWRITE 0x00000020ul
#define VM_PFNMAP   0x00000400ul
#define VM_SYNC     0x00800000ul
#define VM_MIXEDMAP 0x10000000ul
#define VM_HUGEPAGE 0x20000000ul

/**
 * struct vm_area_struct - one mapping of a file
 * @vm_start, @vm_end: addresses; @vm_pgoff: page of the file at vm_start
 * @shared: in the mapping's i_mmap
 */
struct vm_area_struct {
	unsigned long vm_start, vm_end;
	unsigned long vm_pgoff;
	unsigned long vm_flags;
	struct file *vm_file;
	const struct vm_operations_struct *vm_ops;
	void *vm_private_data;
	struct list_head shared;
	void *vm_tree; /* mmap.c's */
	bool lazy;     /* filled by userfaultfd */
	bool wp;       /* write-protected until page_mkwrite */
};

#define FAULT_FLAG_WRITE   0x01u
#define FAULT_FLAG_MKWRITE 0x02u

enum page_entry_size { PE_SIZE_PTE, PE_SIZE_PMD };

#define VM_FAULT_OOM      0x0001u
#define VM_FAULT_SIGBUS   0x0002u
#define VM_FAULT_NOPAGE   0x0100u /* the handler says in backing_* what is to be mapped */
#define VM_FAULT_LOCKED   0x0200u /* vmf->folio is locked */
#define VM_FAULT_FALLBACK 0x0800u /* huge_fault: do it page by page */

/**
 * struct vm_fault - a page of a mapping is wanted
 * @folio: out: with a reference, uptodate; mapped whole where it fits
 * @backing_fd, @backing_offset, @backing_len: out, with VM_FAULT_NOPAGE: map this piece of a host file
 *         at @address (DAX). The fd stays the file system's. -1: a hole; without FAULT_FLAG_WRITE only:
 *         zeros are shown until page_mkwrite is asked for a block
 */
struct vm_fault {
	struct vm_area_struct *vma;
	unsigned int flags;
	unsigned long address;
	pgoff_t pgoff;
	struct folio *folio;
	int backing_fd;
	sw_loff_t backing_offset;
	size_t backing_len;
};

/**
 * struct vm_operations_struct - F49
 * @huge_fault: tried first for a whole aligned 2 MiB when VM_HUGEPAGE is set
 * @page_mkwrite: first write to a clean page of ordinary memory; @pfn_mkwrite: to one of the device (VM_PFNMAP, VM_MIXEDMAP)
 */
struct vm_operations_struct {
	void (*open)(struct vm_area_struct *vma);
	void (*close)(struct vm_area_struct *vma);
	vm_fault_t (*fault)(struct vm_fault *vmf);
	vm_fault_t (*huge_fault)(struct vm_fault *vmf, enum page_entry_size size);
	vm_fault_t (*page_mkwrite)(struct vm_fault *vmf);
	vm_fault_t (*pfn_mkwrite)(struct vm_fault *vmf);
};
/* ->fault of ordinary files: vmf->folio, uptodate and referenced. Waits for no folio lock on a hit. */
SW_API vm_fault_t filemap_fault(struct vm_fault *vmf) SW_NAME(filemap_fault);
/* ->page_mkwrite of ordinary files: host_ops->modify, wait for write-back, dirty; VM_FAULT_LOCKED. */
SW_API vm_fault_t filemap_page_mkwrite(struct vm_fault *vmf) SW_NAME(filemap_page_mkwrite);
/* Mappings of [start, start + len) forget their pages and fault again; even_cows is for the kernel. */
SW_API void unmap_mapping_range(struct address_space *mapping, sw_loff_t start, sw_loff_t len,
				int even_cows) SW_NAME(unmap_mapping_range);
extern SW_API const struct vm_operations_struct generic_file_vm_ops SW_NAME(generic_file_vm_ops);
/* Mappings that are not filled when touched show what the file has now: after it grew, or a hole was made and
 * filled. Locks of the file outside of invalidate_lock may be held. Ours. */
SW_API void mapping_refill(struct address_space *mapping) SW_NAME(mapping_refill);

#endif /* SW_FS_VFS_H */
