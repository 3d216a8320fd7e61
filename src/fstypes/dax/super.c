/* SPDX-License-Identifier: MIT */
/*
 * super.c - dax: files whose bytes are pieces of a host file that is mapped
 *
 * Room: fstypes/dax. Source: a host file, which stands for a memory-like device; its contents survive the
 * process. One that holds nothing but zeros is made into an empty file system; size= makes the host file
 * that large first. One mount at a time (a lock on the file; -EBUSY).
 *
 * Layout, in blocks of a page (dax.h):
 *
 *   0            superblock
 *   1 …          inode table: extents and all
 *   data_start … directories, files, targets of symlinks, further extents
 *
 * There are no bitmaps: alloc.c makes them of the table. There is no journal either: what a process that was
 * killed had stored is there, since the host keeps the pages, and a name refers to an inode that is whole.
 * A machine that loses power loses what was not synced, in any order. fsync() is fdatasync() of the host file.
 *
 * Source of the idea: Linux 6.12, Documentation/filesystems/dax.rst. The layout is ours.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fstypes/dax/dax.h"

#define MIN_BLOCKS       16u
#define BLOCKS_PER_INODE 4

static int parse_option(void *size, const char *name, char *value)
{
	return strcmp(name, "size") ? -EINVAL : option_size(value, size);
}

/* Open, lock, size and map the host file. */
static int open_device(struct dax_sb *dsb, const char *source, uint64_t size)
{
	off_t bytes;
	void *probe;

	dsb->fd = open(source, O_RDWR | O_CLOEXEC | (size ? O_CREAT : 0), 0600);
	if (dsb->fd < 0)
		return -errno;
	if (flock(dsb->fd, LOCK_EX | LOCK_NB))
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	bytes = lseek(dsb->fd, 0, SEEK_END);
	if (bytes >= 0 && (uint64_t)bytes < size) {
		if (size > LONG_MAX || ftruncate(dsb->fd, (off_t)size))
			return size > LONG_MAX ? -EFBIG : -errno;
		bytes = (off_t)size;
	}
	if (bytes < (off_t)(MIN_BLOCKS * PAGE_SIZE))
		return -EINVAL;
	dsb->nr_blocks = min_t(uint64_t, (uint64_t)bytes >> PAGE_SHIFT, UINT32_MAX);
	dsb->base = mmap(NULL, dsb->nr_blocks << PAGE_SHIFT, PROT_READ | PROT_WRITE, MAP_SHARED,
			 dsb->fd, 0);
	if (dsb->base == MAP_FAILED) {
		dsb->base = NULL;
		return -errno;
	}
	probe = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED_VALIDATE | MAP_SYNC,
		     dsb->fd, 0);
	dsb->sync_works = probe != MAP_FAILED;
	if (dsb->sync_works)
		munmap(probe, PAGE_SIZE);
	return 0;
}

static void free_dax_sb(struct dax_sb *dsb)
{
	int saved = errno;

	if (dsb->base)
		munmap(dsb->base, dsb->nr_blocks << PAGE_SHIFT);
	if (dsb->fd >= 0)
		close(dsb->fd);
	kvfree(dsb->used_blocks);
	kvfree(dsb->used_inodes);
	kfree(dsb);
	errno = saved;
}

/* An empty file system. The magic is written last. */
static void format(struct dax_sb *dsb)
{
	const struct cred *cred = current_cred();
	struct dax_disk_super *super = dax_block(dsb, 0);
	struct dax_disk_inode *root;
	struct timespec now;

	dsb->table_start = 1;
	dsb->nr_inodes = max_t(uint64_t, dsb->nr_blocks / BLOCKS_PER_INODE, 32);
	dsb->data_start = 1 + (dsb->nr_inodes + DAX_INODES_PER_BLOCK - 1) / DAX_INODES_PER_BLOCK;
	super->version = DAX_VERSION;
	super->block_size = PAGE_SIZE;
	super->nr_blocks = dsb->nr_blocks;
	super->nr_inodes = dsb->nr_inodes;
	super->table_start = dsb->table_start;
	super->data_start = dsb->data_start;
	clock_gettime(CLOCK_REALTIME, &now);
	root = dax_disk_inode(dsb, DAX_ROOT_INO);
	*root = (struct dax_disk_inode){
		.mode = S_IFDIR | 0755, .nlink = 2, .uid = cred->fsuid, .gid = cred->fsgid
	};
	root->atime_s = root->mtime_s = root->ctime_s = root->btime_s = now.tv_sec;
	atomic_thread_fence(memory_order_release);
	memcpy(super->magic, DAX_SUPER_MAGIC, sizeof(super->magic));
}

/* 0; -EINVAL: something else; -EUCLEAN: one of ours, damaged. */
static int check_super(struct dax_sb *dsb)
{
	const struct dax_disk_super *super = dax_block(dsb, 0);
	static const struct dax_disk_super nothing;

	if (!memcmp(super, &nothing, sizeof(nothing)))
		format(dsb);
	if (memcmp(super->magic, DAX_SUPER_MAGIC, sizeof(super->magic)) != 0 ||
	    super->version != DAX_VERSION || super->block_size != PAGE_SIZE)
		return -EINVAL;
	if (super->nr_blocks > dsb->nr_blocks || super->nr_inodes < 2 ||
	    super->nr_inodes > super->nr_blocks * DAX_INODES_PER_BLOCK || super->table_start != 1 ||
	    super->data_start >= super->nr_blocks ||
	    super->data_start <
		    1 + (super->nr_inodes + DAX_INODES_PER_BLOCK - 1) / DAX_INODES_PER_BLOCK)
		return -EUCLEAN;
	dsb->nr_inodes = super->nr_inodes;
	dsb->table_start = super->table_start;
	dsb->data_start = super->data_start;
	return 0;
}

static int dax_statfs(struct dentry *dentry, struct kstatfs *buf)
{
	const struct dax_sb *dsb = dax_sb(dentry->d_sb);

	*buf = (struct kstatfs){ .f_type = DAX_MAGIC,
				 .f_bsize = PAGE_SIZE,
				 .f_frsize = PAGE_SIZE,
				 .f_namelen = DAX_NAME_MAX,
				 .f_blocks = dsb->nr_blocks - dsb->data_start,
				 .f_bfree = dsb->free_blocks,
				 .f_bavail = dsb->free_blocks,
				 .f_files = dsb->nr_inodes - DAX_ROOT_INO,
				 .f_ffree = dsb->free_inodes };
	return 0;
}

static int dax_sync_fs(struct super_block *sb, int wait)
{
	int saved = errno, ret = 0;

	if (wait && fdatasync(dax_sb(sb)->fd))
		ret = -errno;
	errno = saved;
	return ret;
}

static void dax_put_super(struct super_block *sb)
{
	dax_sync_fs(sb, 1);
	free_dax_sb(dax_sb(sb));
	sb->s_fs_info = NULL;
}

static const struct super_operations dax_ops = {
	.alloc_inode = dax_alloc_inode,
	.free_inode = dax_free_inode,
	.dirty_inode = dax_dirty_inode,
	.write_inode = dax_write_inode,
	.evict_inode = dax_evict_inode,
	.put_super = dax_put_super,
	.sync_fs = dax_sync_fs,
	.statfs = dax_statfs,
};

struct dax_mount_data {
	const char *source, *options;
};

static int dax_fill_super(struct super_block *sb, const char *data, int silent)
{
	const struct dax_mount_data *what = (const void *)data;
	int saved = errno, err = dax_inode_cache_init();
	struct dax_sb *dsb;
	struct inode *root;
	uint64_t size = 0;

	(void)silent;
	if (!err)
		err = parse_options(what->options, parse_option, &size);
	if (err)
		return err;
	dsb = kzalloc(sizeof(*dsb), GFP_KERNEL);
	if (!dsb)
		return -ENOMEM;
	dsb->fd = -1;
	err = open_device(dsb, what->source, size);
	errno = saved;
	if (!err)
		err = check_super(dsb);
	if (!err)
		err = dax_scan(dsb);
	if (err) {
		free_dax_sb(dsb);
		return err;
	}
	sb->s_fs_info = dsb; /* ->put_super frees it, once there is a root */
	sb->s_op = &dax_ops;
	sb->s_magic = DAX_MAGIC;
	sb->s_blocksize = PAGE_SIZE;
	sb->s_blocksize_bits = PAGE_SHIFT;
	sb->s_maxbytes = (sw_loff_t)UINT32_MAX << PAGE_SHIFT;
	sb->s_time_gran_ns = 1;
	sb->s_bdi = &noop_backing_dev_info;
	root = dax_iget(sb, DAX_ROOT_INO);
	if (IS_ERR(root)) {
		err = (int)PTR_ERR(root);
	} else if (!S_ISDIR(root->i_mode)) {
		iput(root);
		err = -EUCLEAN;
	} else {
		sb->s_root = d_make_root(root);
		err = sb->s_root ? 0 : -ENOMEM;
	}
	if (err) {
		sb->s_fs_info = NULL;
		free_dax_sb(dsb);
	}
	return err;
}

static struct dentry *dax_mount(struct file_system_type *type, int flags, const char *dev_name,
				const char *data)
{
	struct dax_mount_data what = { dev_name, data };

	if (!dev_name)
		return ERR_PTR(-EINVAL);
	return mount_nodev(type, flags, (const char *)&what, dax_fill_super);
}

struct file_system_type dax_type = {
	.name = "dax",
	.fs_flags = FS_REQUIRES_DEV,
	.mount = dax_mount,
	.kill_sb = kill_anon_super,
};
