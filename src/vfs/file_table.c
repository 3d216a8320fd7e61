/* SPDX-License-Identifier: MIT */
/*
 * file_table.c - the life of a struct file
 *
 * Room: vfs. Door: get_file(), fput(), flush_delayed_fput().
 *
 *	alloc_empty_file() count 1 ─▶ do_dentry_open() ─▶ fd_install() ─▶ fget()/fput() ... 
 *	last fput() ─▶ delayed_fput_list ─flush_delayed_fput()─▶ __fput(): ->release, dput, mntput ─▶ free
 *
 * Files are type-safe under RCU (freed at once and used again as a file): the constructor's locks stay as they
 * are from life to life, and f_count is what fget() believes.
 *
 * fput() may be called anywhere, so all it does is a push. The sw_fs_* calls hold no lock at their end and
 * run __fput() themselves (__fput_sync()), as the kernel does on return to user mode.
 */

#include "vfs/vfs_internal.h"

static struct kmem_cache *filp_cachep;
static _Atomic(struct file *) delayed_fput_list;

static void file_ctor(void *object)
{
	memset(object, 0, sizeof(struct file));
}

int file_table_init(void)
{
	filp_cachep = kmem_cache_create("filp", sizeof(struct file), 0,
					SLAB_HWCACHE_ALIGN | SLAB_TYPESAFE_BY_RCU, file_ctor);
	return filp_cachep ? fdtable_init() : -ENOMEM;
}

struct file *alloc_empty_file(int flags)
{
	struct file *file = kmem_cache_alloc(filp_cachep, GFP_KERNEL);

	if (!file)
		return NULL;
	WRITE_ONCE(file->f_mode, 0);
	WRITE_ONCE(file->f_mapping, NULL);
	WRITE_ONCE(file->f_inode, NULL);
	WRITE_ONCE(file->f_path.mnt, NULL);
	WRITE_ONCE(file->f_path.dentry, NULL);
	atomic_store_explicit(&file->f_flags, (unsigned int)flags, memory_order_relaxed);
	file->f_op = NULL;
	file->private_data = NULL;
	file->f_pos = 0;
	file->f_wb_err = 0;
	file->f_delayed_next = NULL;
	atomic_store_explicit(&file->f_count, 1, memory_order_release);
	return file;
}

/** get_file() - one reference more; the caller has one */
struct file *get_file(struct file *file)
{
	atomic_fetch_add_explicit(&file->f_count, 1, memory_order_relaxed);
	return file;
}

static void file_free(struct file *file)
{
	kmem_cache_free(filp_cachep, file);
}

/* The last reference is gone. Context: may sleep, no lock held. */
void __fput(struct file *file)
{
	struct inode *inode = file->f_inode;
	struct path path = file->f_path;
	fmode_t mode = file->f_mode;

	if (mode & FMODE_OPENED) {
		if (READ_ONCE(inode->i_flock))
			locks_remove_file(file);
		if (file->f_op && file->f_op->release)
			file->f_op->release(inode, file);
	}
	file_free(file);
	dput(path.dentry);
	mntput(path.mnt);
}

static bool drop_ref(struct file *file)
{
	return atomic_fetch_sub_explicit(&file->f_count, 1, memory_order_acq_rel) == 1;
}

void fput(struct file *file)
{
	struct file *head;

	if (!drop_ref(file))
		return;
	head = atomic_load_explicit(&delayed_fput_list, memory_order_relaxed);
	do {
		file->f_delayed_next = head;
	} while (!atomic_compare_exchange_weak_explicit(
		&delayed_fput_list, &head, file, memory_order_release, memory_order_relaxed));
}

/** __fput_sync() - fput() for who holds no lock: the last reference is worked off at once, with others that wait */
void __fput_sync(struct file *file)
{
	if (drop_ref(file))
		__fput(file);
	if (atomic_load_explicit(&delayed_fput_list, memory_order_relaxed))
		flush_delayed_fput();
}

void flush_delayed_fput(void)
{
	struct file *file =
		atomic_exchange_explicit(&delayed_fput_list, NULL, memory_order_acquire);

	while (file) {
		struct file *next = file->f_delayed_next;

		__fput(file);
		file = next;
	}
}

int filp_flush(struct file *file, const void *owner)
{
	int err = 0;

	if (file->f_mode & FMODE_PATH)
		return 0;
	if (file->f_op && file->f_op->flush)
		err = file->f_op->flush(file);
	if (READ_ONCE(file->f_inode->i_flock))
		locks_remove_posix(file, owner);
	return err;
}

int filp_close(struct file *file, const void *owner)
{
	int err = filp_flush(file, owner);

	fput(file);
	return err;
}

bool file_pos_lock(struct file *file)
{
	if (!(file->f_mode & FMODE_ATOMIC_POS))
		return false;
	mutex_lock(&file->f_pos_lock);
	return true;
}

void file_pos_unlock(struct file *file, bool locked)
{
	if (locked)
		mutex_unlock(&file->f_pos_lock);
}
