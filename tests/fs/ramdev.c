/* SPDX-License-Identifier: MIT */
/*
 * ramdev.c - a file system for tests: a store that counts, remembers, and fails when told
 *
 * The shape of a small disk file system, written the way a newcomer would from <slabwork/fs/vfs.h>
 * alone: ->lookup finds a number, iget_locked() gives its inode, data go through the generic calls.
 * The device is a table of struct disk_inode in the C library's memory.
 *
 * Lock: device_lock, a leaf, over the table, entries and blocks. It is never held over a call of ours.
 */

#include "ramdev.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOT_INO   1
#define MAX_INODES 65536
#define MAX_BYTES  ((sw_loff_t)1 << 40)

struct disk_entry {
	struct disk_entry *next;
	uint64_t ino;
	long off; /* for getdents: never used twice in a directory */
	unsigned char type;
	char name[256];
};

struct disk_inode {
	bool used;
	mode_t mode;
	unsigned int nlink;
	uid_t uid;
	gid_t gid;
	dev_t rdev;
	sw_loff_t size;
	struct timespec atime, mtime, ctime;
	char *link;
	struct disk_entry *entries, **entries_end;
	long next_off;
	char **block;
	unsigned long nr_blocks;
};

struct ramdev ramdev;

static struct disk_inode *disk;
static uint64_t blocks_used;
static pthread_mutex_t device_lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- trace ---------------------------------------------------------------------------------- */

static const char *const op_name[NR_RAMDEV_OPS] = {
	"lookup",      "create",    "link",       "unlink",      "symlink",   "mkdir",
	"rmdir",       "mknod",     "rename",     "setattr",     "open",      "flush",
	"release",     "read_iter", "write_iter", "mmap",        "fsync",     "iterate",
	"read_folio",  "readahead", "writepage",  "write_begin", "write_end", "evict_inode",
	"write_inode", "sync_fs",   "put_super",
};

static char trace[1 << 16];
static size_t trace_len;
static bool tracing;

static void note(enum ramdev_op op, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void note(enum ramdev_op op, const char *fmt, ...)
{
	va_list args;
	char what[300];

	atomic_fetch_add(&ramdev.ops[op], 1);
	if (!__atomic_load_n(&tracing, __ATOMIC_RELAXED))
		return;
	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	pthread_mutex_lock(&device_lock);
	if (trace_len < sizeof(trace) - 512)
		trace_len += (size_t)snprintf(trace + trace_len, sizeof(trace) - trace_len,
					      "%s%s(%s)", trace_len ? " " : "", op_name[op], what);
	pthread_mutex_unlock(&device_lock);
}

void ramdev_reset(void)
{
	for (int i = 0; i < NR_RAMDEV_OPS; i++)
		atomic_store(&ramdev.ops[i], 0);
	ramdev.reads = ramdev.writes = ramdev.read_requests = 0;
	ramdev.written_first = ~0UL;
	ramdev.written_last = 0;
	trace_len = 0;
	trace[0] = 0;
}

void ramdev_trace(void)
{
	ramdev_reset();
	__atomic_store_n(&tracing, true, __ATOMIC_RELAXED);
}

const char *ramdev_traced(void)
{
	__atomic_store_n(&tracing, false, __ATOMIC_RELAXED);
	return trace;
}

/* One of the next so many: fails. */
static int fails(_Atomic int *left)
{
	int n = atomic_load(left);

	while (n > 0)
		if (atomic_compare_exchange_weak(left, &n, n - 1))
			return ramdev.fail_error ? ramdev.fail_error : -EIO;
	return 0;
}

/* ---- the device -------------------------------------------------------------------------------- */

/* Under device_lock. */
static struct disk_inode *disk_of(uint64_t ino)
{
	return ino < MAX_INODES && disk[ino].used ? &disk[ino] : NULL;
}

static uint64_t disk_alloc(mode_t mode)
{
	uint64_t ino = 0;

	pthread_mutex_lock(&device_lock);
	for (uint64_t i = ROOT_INO; i < MAX_INODES && !ino; i++)
		if (!disk[i].used)
			ino = i;
	if (ino) {
		struct disk_inode *d = &disk[ino];

		*d = (struct disk_inode){ .used = true, .mode = mode, .next_off = 2 };
		d->entries_end = &d->entries;
	}
	pthread_mutex_unlock(&device_lock);
	return ino;
}

/* Blocks from the @first on are free. */
static void disk_truncate(uint64_t ino, sw_loff_t size)
{
	unsigned long first = (unsigned long)((size + (sw_loff_t)PAGE_SIZE - 1) >> PAGE_SHIFT);
	struct disk_inode *d;

	pthread_mutex_lock(&device_lock);
	d = disk_of(ino);
	for (unsigned long i = first; d && i < d->nr_blocks; i++) {
		blocks_used -= d->block[i] != NULL;
		free(d->block[i]);
		d->block[i] = NULL;
	}
	if (d && (size & (sw_loff_t)(PAGE_SIZE - 1)) && first - 1 < d->nr_blocks &&
	    d->block[first - 1]) {
		size_t keep = (size_t)size & (PAGE_SIZE - 1);

		memset(d->block[first - 1] + keep, 0, PAGE_SIZE - keep);
	}
	pthread_mutex_unlock(&device_lock);
}

static void disk_free(uint64_t ino)
{
	disk_truncate(ino, 0);
	pthread_mutex_lock(&device_lock);
	for (struct disk_entry *e = disk[ino].entries, *next; e; e = next) {
		next = e->next;
		free(e);
	}
	free(disk[ino].block);
	free(disk[ino].link);
	disk[ino] = (struct disk_inode){ 0 };
	pthread_mutex_unlock(&device_lock);
}

static int disk_read(uint64_t ino, unsigned long index, void *to)
{
	int error = fails(&ramdev.fail_reads);
	struct disk_inode *d;

	if (error)
		return error;
	atomic_fetch_add(&ramdev.reads, 1);
	pthread_mutex_lock(&device_lock);
	d = disk_of(ino);
	if (d && index < d->nr_blocks && d->block[index])
		memcpy(to, d->block[index], PAGE_SIZE);
	else
		memset(to, 0, PAGE_SIZE);
	pthread_mutex_unlock(&device_lock);
	return 0;
}

/* Under device_lock. */
static char *disk_block_for(struct disk_inode *d, unsigned long index)
{
	if (index >= d->nr_blocks) {
		unsigned long nr = index + index / 2 + 16;
		char **block = realloc(d->block, nr * sizeof(*block));

		if (!block)
			return NULL;
		memset(block + d->nr_blocks, 0, (nr - d->nr_blocks) * sizeof(*block));
		d->block = block;
		d->nr_blocks = nr;
	}
	if (!d->block[index]) {
		if (ramdev.size_limit && blocks_used >= ramdev.size_limit)
			return NULL;
		d->block[index] = malloc(PAGE_SIZE);
		blocks_used += d->block[index] != NULL;
	}
	return d->block[index];
}

static int disk_write(uint64_t ino, unsigned long index, const void *from)
{
	int error = fails(&ramdev.fail_writes);
	struct disk_inode *d;
	char *block;

	if (error)
		return error;
	pthread_mutex_lock(&device_lock);
	d = disk_of(ino);
	block = d ? disk_block_for(d, index) : NULL;
	if (block) {
		memcpy(block, from, PAGE_SIZE);
		if (index < ramdev.written_first)
			ramdev.written_first = index;
		if (index > ramdev.written_last)
			ramdev.written_last = index;
	}
	pthread_mutex_unlock(&device_lock);
	atomic_fetch_add(&ramdev.writes, 1);
	return block ? 0 : d ? -ENOSPC : -EIO;
}

/* ctime, and mtime of a directory, are now: as stat and the readers of atime want it written. */
static void stamp(struct inode *inode, bool mtime)
{
	struct timespec now = current_time(inode);

	spin_lock(&inode->i_lock);
	write_seqcount_begin(&inode->i_seq);
	__atomic_store_n(&inode->i_ctime.tv_sec, now.tv_sec, __ATOMIC_RELAXED);
	__atomic_store_n(&inode->i_ctime.tv_nsec, now.tv_nsec, __ATOMIC_RELAXED);
	if (mtime) {
		__atomic_store_n(&inode->i_mtime.tv_sec, now.tv_sec, __ATOMIC_RELAXED);
		__atomic_store_n(&inode->i_mtime.tv_nsec, now.tv_nsec, __ATOMIC_RELAXED);
	}
	write_seqcount_end(&inode->i_seq);
	atomic_fetch_and(&inode->i_state, ~I_ATIME_FRESH);
	spin_unlock(&inode->i_lock);
}

/* ---- entries: the name and the number ------------------------------------------------------------- */

static uint64_t entry_find(uint64_t dir, const char *name, unsigned int len)
{
	struct disk_inode *d;
	uint64_t ino = 0;

	pthread_mutex_lock(&device_lock);
	d = disk_of(dir);
	for (struct disk_entry *e = d ? d->entries : NULL; e && !ino; e = e->next)
		if (strlen(e->name) == len && !memcmp(e->name, name, len))
			ino = e->ino;
	pthread_mutex_unlock(&device_lock);
	return ino;
}

static int entry_add(struct inode *dir, struct dentry *dentry, struct inode *inode)
{
	struct disk_entry *e = fails(&ramdev.fail_alloc) ? NULL : calloc(1, sizeof(*e));
	struct disk_inode *d;

	if (!e)
		return -ENOSPC;
	memcpy(e->name, dentry->d_name.name, dentry->d_name.len);
	e->ino = inode->i_ino;
	e->type = (unsigned char)((inode->i_mode & S_IFMT) >> 12);
	pthread_mutex_lock(&device_lock);
	d = &disk[dir->i_ino];
	e->off = d->next_off++;
	*d->entries_end = e;
	d->entries_end = &e->next;
	pthread_mutex_unlock(&device_lock);
	stamp(dir, true);
	i_size_write(dir, i_size_read(dir) + 1);
	mark_inode_dirty(dir);
	return 0;
}

static void entry_remove(struct inode *dir, struct dentry *dentry)
{
	struct disk_inode *d;

	pthread_mutex_lock(&device_lock);
	d = &disk[dir->i_ino];
	for (struct disk_entry **p = &d->entries, *e; (e = *p); p = &e->next) {
		if (strlen(e->name) != dentry->d_name.len ||
		    memcmp(e->name, dentry->d_name.name, dentry->d_name.len))
			continue;
		*p = e->next;
		if (d->entries_end == &e->next)
			d->entries_end = p;
		free(e);
		break;
	}
	pthread_mutex_unlock(&device_lock);
	stamp(dir, true);
	i_size_write(dir, i_size_read(dir) - 1);
	mark_inode_dirty(dir);
}

/* ---- inodes ------------------------------------------------------------------------------------------ */

static const struct inode_operations dir_inode_ops, file_inode_ops, link_inode_ops;
static const struct file_operations dir_file_ops, file_file_ops;
static const struct address_space_operations aops, seed_aops;

static void inode_set_ops(struct inode *inode)
{
	switch (inode->i_mode & S_IFMT) {
	case S_IFDIR:
		inode->i_op = &dir_inode_ops;
		inode->i_fop = &dir_file_ops;
		break;
	case S_IFREG:
		inode->i_op = &file_inode_ops;
		inode->i_fop = &file_file_ops;
		inode->i_mapping->a_ops = ramdev.use_readpage ? &seed_aops : &aops;
		break;
	case S_IFLNK:
		inode->i_op = &link_inode_ops;
		break;
	default:
		inode->i_op = &file_inode_ops;
		init_special_inode(inode, inode->i_mode, inode->i_rdev);
	}
}

/* The in-memory inode of a number: F3. */
static struct inode *inode_get(struct super_block *sb, uint64_t ino)
{
	struct inode *inode = iget_locked(sb, ino);
	struct disk_inode *d;

	if (!inode)
		return ERR_PTR(-ENOMEM);
	if (!(atomic_load(&inode->i_state) & I_NEW))
		return inode;
	pthread_mutex_lock(&device_lock);
	d = disk_of(ino);
	if (d) {
		inode->i_mode = d->mode;
		inode->i_uid = d->uid;
		inode->i_gid = d->gid;
		inode->i_rdev = d->rdev;
		inode->i_atime = d->atime;
		inode->i_mtime = d->mtime;
		inode->i_ctime = d->ctime;
		inode->i_link = d->link;
		i_size_write(inode, d->size);
		set_nlink(inode, d->nlink);
	}
	pthread_mutex_unlock(&device_lock);
	if (!d) {
		iget_failed(inode);
		return ERR_PTR(-EIO);
	}
	inode_set_ops(inode);
	unlock_new_inode(inode);
	return inode;
}

/* A new one with a number of its own; in @dir's group if that is setgid. */
static struct inode *inode_make(struct inode *dir, mode_t mode, dev_t rdev)
{
	uint64_t ino = fails(&ramdev.fail_alloc) ? 0 : disk_alloc(mode);
	struct inode *inode;

	if (!ino)
		return ERR_PTR(-ENOSPC);
	inode = new_inode(dir->i_sb);
	if (!inode) {
		disk_free(ino);
		return ERR_PTR(-ENOMEM);
	}
	inode->i_ino = ino;
	inode_init_owner(inode, dir, mode);
	inode->i_rdev = rdev;
	inode->i_atime = inode->i_mtime = inode->i_ctime = current_time(inode);
	inode_set_ops(inode);
	insert_inode_hash(inode);
	mark_inode_dirty(inode);
	return inode;
}

static int inode_save(struct inode *inode, struct writeback_control *wbc)
{
	struct disk_inode *d;

	(void)wbc;
	note(OP_WRITE_INODE, "%lu", (unsigned long)inode->i_ino);
	spin_lock(&inode->i_lock);
	pthread_mutex_lock(&device_lock);
	d = disk_of(inode->i_ino);
	if (d) {
		d->mode = inode->i_mode;
		d->nlink = atomic_load(&inode->i_nlink);
		d->uid = inode->i_uid;
		d->gid = inode->i_gid;
		d->rdev = inode->i_rdev;
		d->size = i_size_read(inode);
		d->atime = inode->i_atime;
		d->mtime = inode->i_mtime;
		d->ctime = inode->i_ctime;
	}
	pthread_mutex_unlock(&device_lock);
	spin_unlock(&inode->i_lock);
	return 0;
}

static void inode_evict(struct inode *inode)
{
	note(OP_EVICT_INODE, "%lu", (unsigned long)inode->i_ino);
	truncate_inode_pages_final(inode->i_mapping);
	clear_inode(inode);
	if (!atomic_load(&inode->i_nlink))
		disk_free(inode->i_ino);
}

/* ---- names --------------------------------------------------------------------------------------------- */

static struct dentry *ramdev_lookup(struct inode *dir, struct dentry *dentry, unsigned int flags)
{
	struct inode *inode = NULL;
	uint64_t ino;

	(void)flags;
	note(OP_LOOKUP, "%s", dentry->d_name.name);
	if (dentry->d_name.len > 255)
		return ERR_PTR(-ENAMETOOLONG);
	ino = entry_find(dir->i_ino, dentry->d_name.name, dentry->d_name.len);
	if (ino) {
		inode = inode_get(dir->i_sb, ino);
		if (IS_ERR(inode))
			return ERR_CAST(inode);
	}
	return d_splice_alias(inode, dentry);
}

static int make(struct inode *dir, struct dentry *dentry, mode_t mode, dev_t rdev)
{
	struct inode *inode = inode_make(dir, mode, rdev);
	int error;

	if (IS_ERR(inode))
		return (int)PTR_ERR(inode);
	error = entry_add(dir, dentry, inode);
	if (error) {
		clear_nlink(inode);
		iput(inode);
		return error;
	}
	d_instantiate(dentry, inode);
	return 0;
}

static int ramdev_create(struct inode *dir, struct dentry *dentry, mode_t mode, bool excl)
{
	(void)excl;
	note(OP_CREATE, "%s", dentry->d_name.name);
	return make(dir, dentry, (mode & ~(mode_t)S_IFMT) | S_IFREG, 0);
}

static int ramdev_mknod(struct inode *dir, struct dentry *dentry, mode_t mode, dev_t rdev)
{
	note(OP_MKNOD, "%s", dentry->d_name.name);
	return make(dir, dentry, mode, rdev);
}

static int ramdev_mkdir(struct inode *dir, struct dentry *dentry, mode_t mode)
{
	int error;

	note(OP_MKDIR, "%s", dentry->d_name.name);
	error = make(dir, dentry, (mode & ~(mode_t)S_IFMT) | S_IFDIR, 0);
	if (!error) {
		inc_nlink(d_inode(dentry));
		inc_nlink(dir);
		mark_inode_dirty(d_inode(dentry));
	}
	return error;
}

static int ramdev_symlink(struct inode *dir, struct dentry *dentry, const char *target)
{
	char *copy = strdup(target);
	struct inode *inode;
	int error;

	note(OP_SYMLINK, "%s", dentry->d_name.name);
	if (!copy)
		return -ENOSPC;
	error = make(dir, dentry, S_IFLNK | 0777, 0);
	if (error) {
		free(copy);
		return error;
	}
	inode = d_inode(dentry);
	i_size_write(inode, (sw_loff_t)strlen(target));
	disk[inode->i_ino].link = inode->i_link = copy;
	mark_inode_dirty(inode);
	return 0;
}

static int ramdev_link(struct dentry *old, struct inode *dir, struct dentry *dentry)
{
	struct inode *inode = d_inode(old);
	int error;

	note(OP_LINK, "%s", dentry->d_name.name);
	error = entry_add(dir, dentry, inode);
	if (error)
		return error;
	stamp(inode, false);
	inc_nlink(inode);
	ihold(inode);
	mark_inode_dirty(inode);
	d_instantiate(dentry, inode);
	return 0;
}

static int ramdev_unlink(struct inode *dir, struct dentry *dentry)
{
	struct inode *inode = d_inode(dentry);

	note(OP_UNLINK, "%s", dentry->d_name.name);
	entry_remove(dir, dentry);
	stamp(inode, false);
	drop_nlink(inode);
	mark_inode_dirty(inode);
	return 0;
}

static bool dir_is_empty(uint64_t ino)
{
	bool empty;

	pthread_mutex_lock(&device_lock);
	empty = !disk[ino].entries;
	pthread_mutex_unlock(&device_lock);
	return empty;
}

static int ramdev_rmdir(struct inode *dir, struct dentry *dentry)
{
	note(OP_RMDIR, "%s", dentry->d_name.name);
	if (!dir_is_empty(d_inode(dentry)->i_ino))
		return -ENOTEMPTY;
	entry_remove(dir, dentry);
	clear_nlink(d_inode(dentry));
	drop_nlink(dir);
	return 0;
}

/* What was at the new place goes. */
static int displace(struct inode *dir, struct dentry *dentry, bool is_dir)
{
	struct inode *victim = d_inode(dentry);

	if (!victim)
		return 0;
	if (is_dir && !dir_is_empty(victim->i_ino))
		return -ENOTEMPTY;
	entry_remove(dir, dentry);
	stamp(victim, false);
	if (is_dir) {
		clear_nlink(victim);
		drop_nlink(dir);
	} else {
		drop_nlink(victim);
	}
	mark_inode_dirty(victim);
	return 0;
}

static int ramdev_rename(struct inode *old_dir, struct dentry *old, struct inode *new_dir,
			 struct dentry *new_dentry, unsigned int flags)
{
	bool is_dir = S_ISDIR(d_inode(old)->i_mode);
	int error;

	note(OP_RENAME, "%s,%s", old->d_name.name, new_dentry->d_name.name);
	if (flags & ~(unsigned int)RENAME_NOREPLACE)
		return -EINVAL;
	error = displace(new_dir, new_dentry, is_dir);
	if (error)
		return error;
	error = entry_add(new_dir, new_dentry, d_inode(old));
	if (error)
		return error;
	entry_remove(old_dir, old);
	if (is_dir && old_dir != new_dir) {
		drop_nlink(old_dir);
		inc_nlink(new_dir);
	}
	stamp(d_inode(old), false);
	mark_inode_dirty(d_inode(old));
	return 0;
}

static int ramdev_setattr(struct dentry *dentry, struct iattr *attr)
{
	struct inode *inode = d_inode(dentry);
	int error;

	note(OP_SETATTR, "%s", dentry->d_name.name);
	error = setattr_prepare(dentry, attr);
	if (error)
		return error;
	if ((attr->ia_valid & ATTR_SIZE) && attr->ia_size != i_size_read(inode)) {
		error = inode_newsize_ok(inode, attr->ia_size);
		if (error)
			return error;
		truncate_setsize(inode, attr->ia_size);
		disk_truncate(inode->i_ino, attr->ia_size);
	}
	setattr_copy(inode, attr);
	mark_inode_dirty(inode);
	return 0;
}

/* ---- files --------------------------------------------------------------------------------------------- */

static const char *name_of(const struct file *file)
{
	/* A rename may give it another meanwhile; traces are of tests with one thread. */
	return file && file->f_path.dentry ?
		       __atomic_load_n(&file->f_path.dentry->d_name.name, __ATOMIC_RELAXED) :
		       "?";
}

static int ramdev_open(struct inode *inode, struct file *file)
{
	note(OP_OPEN, "%s", name_of(file));
	if (S_ISREG(inode->i_mode))
		file_add_mode(file, FMODE_CACHE_HIT);
	return 0;
}

static int ramdev_flush(struct file *file)
{
	note(OP_FLUSH, "%s", name_of(file));
	return 0;
}

static int ramdev_release(struct inode *inode, struct file *file)
{
	(void)inode;
	note(OP_RELEASE, "%s", name_of(file));
	return 0;
}

static ssize_t ramdev_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	note(OP_READ_ITER, "%s", name_of(iocb->ki_filp));
	return generic_file_read_iter(iocb, to);
}

static ssize_t ramdev_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	note(OP_WRITE_ITER, "%s", name_of(iocb->ki_filp));
	return generic_file_write_iter(iocb, from);
}

static int ramdev_mmap(struct file *file, struct vm_area_struct *vma)
{
	note(OP_MMAP, "%s", name_of(file));
	return generic_file_mmap(file, vma);
}

static int ramdev_fsync(struct file *file, sw_loff_t start, sw_loff_t end, int datasync)
{
	note(OP_FSYNC, "%s,%d", name_of(file), datasync);
	return generic_file_fsync(file, start, end, datasync);
}

/* Position: the offset of the next entry; they only grow. */
static int ramdev_iterate(struct file *file, struct dir_context *ctx)
{
	struct inode *dir = file_inode(file);

	note(OP_ITERATE, "%s", name_of(file));
	if (!dir_emit_dots(file, ctx))
		return 0;
	for (;;) {
		struct disk_entry found = { 0 };

		pthread_mutex_lock(&device_lock);
		for (struct disk_entry *e = disk[dir->i_ino].entries; e; e = e->next) {
			if (e->off >= ctx->pos) {
				found = *e;
				break;
			}
		}
		pthread_mutex_unlock(&device_lock);
		if (!found.ino)
			return 0;
		ctx->pos = found.off;
		if (!dir_emit(ctx, found.name, (int)strlen(found.name), found.ino, found.type))
			return 0;
		ctx->pos = found.off + 1;
	}
}

/* ---- pages ----------------------------------------------------------------------------------------------- */

/* All pages of a locked folio; 0 or the first error. */
static int folio_fill(struct folio *folio)
{
	struct inode *inode = atomic_load(&folio->mapping)->host;
	int error = 0;

	for (unsigned long i = 0; i < folio_nr_pages(folio) && !error; i++)
		error = disk_read(inode->i_ino, folio->index + i,
				  (char *)folio_addr(folio) + i * PAGE_SIZE);
	if (!error)
		folio_mark_uptodate(folio);
	return error;
}

static int ramdev_read_folio(struct file *file, struct folio *folio)
{
	int error;

	note(OP_READ_FOLIO, "%s,%lu", name_of(file), folio->index);
	atomic_fetch_add(&ramdev.read_requests, 1);
	error = folio_fill(folio);
	folio_unlock(folio);
	return error;
}

static int ramdev_readpage(struct file *file, struct page *page)
{
	return ramdev_read_folio(file, fast_page_folio(page));
}

static void ramdev_readahead(struct readahead_control *rac)
{
	struct folio *folio;

	note(OP_READAHEAD, "%s,%lu+%u", name_of(rac->file), rac->index, rac->nr_pages);
	atomic_fetch_add(&ramdev.read_requests, 1);
	while ((folio = readahead_folio(rac))) {
		folio_fill(folio);
		folio_unlock(folio);
		folio_drop(folio);
	}
}

/* The write "completes" at once; its error is told to the mapping, as a device's end of I/O would. */
static int ramdev_writepage(struct page *page, struct writeback_control *wbc)
{
	struct folio *folio = fast_page_folio(page);
	struct address_space *mapping = atomic_load(&folio->mapping);
	struct inode *inode = mapping->host;
	sw_loff_t size = i_size_read(inode), pos = folio_pos(folio);
	size_t bytes = folio_bytes(folio);
	int error = 0;

	(void)wbc;
	note(OP_WRITEPAGE, "%lu", folio->index);
	if (pos < size && size < pos + (sw_loff_t)bytes)
		folio_zero_range(folio, (size_t)(size - pos), bytes - (size_t)(size - pos));
	folio_start_writeback(folio);
	for (unsigned long i = 0; i < folio_nr_pages(folio) && !error; i++)
		if (pos + (sw_loff_t)(i * PAGE_SIZE) < size)
			error = disk_write(inode->i_ino, folio->index + i,
					   (char *)folio_addr(folio) + i * PAGE_SIZE);
	if (error)
		mapping_set_error(mapping, error);
	folio_unlock(folio);
	folio_end_writeback(folio);
	return 0;
}

static int ramdev_write_begin(struct file *file, struct address_space *mapping, sw_loff_t pos,
			      unsigned int len, struct folio **foliop, void **fsdata)
{
	note(OP_WRITE_BEGIN, "%ld+%u", (long)pos, len);
	return simple_write_begin(file, mapping, pos, len, foliop, fsdata);
}

static int ramdev_write_end(struct file *file, struct address_space *mapping, sw_loff_t pos,
			    unsigned int len, unsigned int copied, struct folio *folio,
			    void *fsdata)
{
	struct inode *inode = mapping->host;
	sw_loff_t size = i_size_read(inode);
	int n;

	note(OP_WRITE_END, "%ld+%u", (long)pos, copied);
	n = simple_write_end(file, mapping, pos, len, copied, folio, fsdata);
	/* The device is to hear of the new size, even of fdatasync() alone. */
	if (i_size_read(inode) != size)
		__mark_inode_dirty(inode, I_DIRTY_DATASYNC);
	return n;
}

static long ramdev_fallocate(struct file *file, int mode, sw_loff_t offset, sw_loff_t len)
{
	struct inode *inode = file_inode(file);
	sw_loff_t end = offset + len;

	if (mode != (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE))
		return -EOPNOTSUPP;
	inode_lock(inode);
	/* What is partly hit stays cached and is written later, so the device's copy may be old. */
	filemap_write_and_wait_range(inode->i_mapping, offset, end - 1);
	down_write(&inode->i_mapping->invalidate_lock);
	unmap_mapping_range(inode->i_mapping, offset, len, 0);
	truncate_inode_pages_range(inode->i_mapping, offset, end - 1);
	pthread_mutex_lock(&device_lock);
	for (sw_loff_t pos = offset; pos < end;) {
		struct disk_inode *d = &disk[inode->i_ino];
		unsigned long i = (unsigned long)(pos >> PAGE_SHIFT);
		size_t from = (size_t)pos & (PAGE_SIZE - 1), n = PAGE_SIZE - from;

		if ((sw_loff_t)n > end - pos)
			n = (size_t)(end - pos);
		if (i >= d->nr_blocks)
			break;
		if (d->block[i])
			memset(d->block[i] + from, 0, n);
		pos += (sw_loff_t)n;
	}
	pthread_mutex_unlock(&device_lock);
	up_write(&inode->i_mapping->invalidate_lock);
	inode_unlock(inode);
	return 0;
}

/* ---- tables ------------------------------------------------------------------------------------------------ */

static const struct inode_operations dir_inode_ops = {
	.lookup = ramdev_lookup,
	.create = ramdev_create,
	.link = ramdev_link,
	.unlink = ramdev_unlink,
	.symlink = ramdev_symlink,
	.mkdir = ramdev_mkdir,
	.rmdir = ramdev_rmdir,
	.mknod = ramdev_mknod,
	.rename = ramdev_rename,
	.setattr = ramdev_setattr,
};
static const struct inode_operations file_inode_ops = { .setattr = ramdev_setattr };
static const struct inode_operations link_inode_ops = { .get_link = simple_get_link,
							.setattr = ramdev_setattr };

static const struct file_operations dir_file_ops = {
	.llseek = generic_file_llseek,
	.iterate_shared = ramdev_iterate,
	.open = ramdev_open,
	.release = ramdev_release,
	.fsync = ramdev_fsync,
};
static const struct file_operations file_file_ops = {
	.llseek = generic_file_llseek,
	.read_iter = ramdev_read_iter,
	.write_iter = ramdev_write_iter,
	.mmap = ramdev_mmap,
	.open = ramdev_open,
	.flush = ramdev_flush,
	.release = ramdev_release,
	.fsync = ramdev_fsync,
	.fallocate = ramdev_fallocate,
};

static const struct address_space_operations aops = {
	.read_folio = ramdev_read_folio,
	.readahead = ramdev_readahead,
	.writepage = ramdev_writepage,
	.write_begin = ramdev_write_begin,
	.write_end = ramdev_write_end,
};
static const struct address_space_operations seed_aops = {
	.readpage = ramdev_readpage,
	.writepage = ramdev_writepage,
	.write_begin = ramdev_write_begin,
	.write_end = ramdev_write_end,
};

/* ---- the super block ----------------------------------------------------------------------------------------- */

static int ramdev_sync_fs(struct super_block *sb, int wait)
{
	(void)sb;
	note(OP_SYNC_FS, "%d", wait);
	return 0;
}

static void ramdev_put_super(struct super_block *sb)
{
	(void)sb;
	note(OP_PUT_SUPER, " ");
}

static int ramdev_statfs(struct dentry *dentry, struct kstatfs *buf)
{
	(void)dentry;
	*buf = (struct kstatfs){ .f_type = 0x52414d44,
				 .f_bsize = PAGE_SIZE,
				 .f_frsize = PAGE_SIZE,
				 .f_blocks = ramdev.size_limit,
				 .f_bfree = ramdev.size_limit - blocks_used,
				 .f_namelen = 255 };
	return 0;
}

static const struct super_operations super_ops = {
	.write_inode = inode_save,
	.evict_inode = inode_evict,
	.put_super = ramdev_put_super,
	.sync_fs = ramdev_sync_fs,
	.statfs = ramdev_statfs,
};

static struct backing_dev_info bdi = { .name = "ramdev" };

static int ramdev_fill(struct super_block *sb, const char *data, int silent)
{
	struct inode *root;

	(void)data, (void)silent;
	bdi.ra_pages = ramdev.ra_pages;
	sb->s_blocksize = PAGE_SIZE;
	sb->s_blocksize_bits = PAGE_SHIFT;
	sb->s_maxbytes = MAX_BYTES;
	sb->s_magic = 0x52414d44;
	sb->s_op = &super_ops;
	sb->s_bdi = &bdi;
	sb->s_time_gran_ns = 1;
	root = inode_get(sb, ROOT_INO);
	if (IS_ERR(root))
		return (int)PTR_ERR(root);
	sb->s_root = d_make_root(root);
	return sb->s_root ? 0 : -ENOMEM;
}

static struct dentry *ramdev_mount_type(struct file_system_type *type, int flags, const char *name,
					const char *data)
{
	(void)name;
	return mount_nodev(type, flags, data, ramdev_fill);
}

static struct file_system_type ramdev_type = {
	.name = "ramdev",
	.mount = ramdev_mount_type,
	.kill_sb = kill_anon_super,
};

/* ---- for tests ------------------------------------------------------------------------------------------------- */

int ramdev_mount(void)
{
	int error;

	if (!disk) {
		disk = calloc(MAX_INODES, sizeof(*disk));
		if (!disk)
			return -ENOMEM;
		disk_alloc(S_IFDIR | 0755);
		disk[ROOT_INO].nlink = 2;
		if (!ramdev.ra_pages)
			ramdev.ra_pages = 32;
		error = register_filesystem(&ramdev_type);
		if (error)
			return error;
	}
	error = sw_fs_mount("ramdev", NULL, "/", 0, NULL);
	ramdev_reset();
	return error;
}

int ramdev_remount(void)
{
	int error = sw_fs_umount("/", 0);

	return error ? error : ramdev_mount();
}

uint64_t ramdev_entry(const char *name)
{
	return entry_find(ROOT_INO, name, (unsigned int)strlen(name));
}

bool ramdev_inode(uint64_t ino, struct ramdev_stat *out)
{
	struct disk_inode *d;

	pthread_mutex_lock(&device_lock);
	d = disk_of(ino);
	if (d)
		*out = (struct ramdev_stat){ d->mode, d->nlink, d->size, d->rdev };
	pthread_mutex_unlock(&device_lock);
	return d;
}

const char *ramdev_block(uint64_t ino, unsigned long index)
{
	struct disk_inode *d;
	const char *block;

	pthread_mutex_lock(&device_lock);
	d = disk_of(ino);
	block = d && index < d->nr_blocks ? d->block[index] : NULL;
	pthread_mutex_unlock(&device_lock);
	return block;
}

unsigned long ramdev_nr_inodes(void)
{
	unsigned long nr = 0;

	pthread_mutex_lock(&device_lock);
	for (int i = 0; i < MAX_INODES; i++)
		nr += disk[i].used;
	pthread_mutex_unlock(&device_lock);
	return nr;
}
