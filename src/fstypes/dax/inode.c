/* SPDX-License-Identifier: MIT */
/*
 * inode.c - inodes of a DAX device: life and attributes
 *
 * Room: fstypes/dax. The inode table is memory: attributes are stored there when vfs says that they changed
 * (->dirty_inode) and after each operation of ours, so nothing is left to write back. An inode of
 * no name is freed by ->evict_inode, or by the next mount if the process does not live that long.
 */

#include <errno.h>
#include <string.h>

#include "fstypes/dax/dax.h"

static struct kmem_cache *inode_cache;
static struct mutex cache_mutex;

static void init_once(void *object)
{
	struct dax_inode *info = object;

	memset(info, 0, sizeof(*info));
	init_rwsem(&info->ext_sem);
	inode_init_once(&info->vfs_inode);
}

int dax_inode_cache_init(void)
{
	mutex_lock(&cache_mutex);
	if (!inode_cache)
		inode_cache = kmem_cache_create("dax_inode_cache", sizeof(struct dax_inode), 0,
						SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT, init_once);
	mutex_unlock(&cache_mutex);
	return inode_cache ? 0 : -ENOMEM;
}

struct inode *dax_alloc_inode(struct super_block *sb)
{
	struct dax_inode *info = kmem_cache_alloc(inode_cache, GFP_KERNEL);

	(void)sb;
	if (!info)
		return NULL;
	info->ext = NULL;
	info->nr_ext = info->max_ext = 0;
	info->free_slot = 0;
	return &info->vfs_inode;
}

/* A callback of RCU: only frees. */
void dax_free_inode(struct inode *inode)
{
	kmem_cache_free(inode_cache, dax_i(inode));
}

void dax_update(struct inode *inode)
{
	struct dax_disk_inode *disk = dax_disk_inode(dax_sb(inode->i_sb), inode->i_ino);

	spin_lock(&inode->i_lock);
	disk->nlink = atomic_load_explicit(&inode->i_nlink, memory_order_relaxed);
	disk->uid = inode->i_uid;
	disk->gid = inode->i_gid;
	disk->size = (uint64_t)i_size_read(inode);
	disk->rdev = inode->i_rdev;
	disk->atime_s = inode->i_atime.tv_sec;
	disk->mtime_s = inode->i_mtime.tv_sec;
	disk->ctime_s = inode->i_ctime.tv_sec;
	disk->btime_s = inode->i_btime.tv_sec;
	disk->atime_ns = (uint32_t)inode->i_atime.tv_nsec;
	disk->mtime_ns = (uint32_t)inode->i_mtime.tv_nsec;
	disk->ctime_ns = (uint32_t)inode->i_ctime.tv_nsec;
	disk->btime_ns = (uint32_t)inode->i_btime.tv_nsec;
	disk->mode = inode->i_mode;
	spin_unlock(&inode->i_lock);
}

void dax_dirty_inode(struct inode *inode, unsigned int flags)
{
	(void)flags;
	if (!(inode->i_state & (I_FREEING | I_CLEAR | I_NEW)))
		dax_update(inode);
}

int dax_write_inode(struct inode *inode, struct writeback_control *wbc)
{
	(void)wbc;
	dax_update(inode);
	return 0;
}

void dax_evict_inode(struct inode *inode)
{
	struct dax_sb *dsb = dax_sb(inode->i_sb);
	bool gone = !atomic_load_explicit(&inode->i_nlink, memory_order_relaxed);

	truncate_inode_pages_final(&inode->i_data);
	if (gone) {
		dax_unmap_blocks(inode, 0, UINT32_MAX);
		dax_disk_inode(dsb, inode->i_ino)->mode = 0;
	}
	kvfree(dax_i(inode)->ext);
	dax_i(inode)->ext = NULL;
	dax_i(inode)->nr_ext = dax_i(inode)->max_ext = 0;
	clear_inode(inode);
	if (gone)
		dax_free_ino(dsb, inode->i_ino);
}

static const struct inode_operations dax_special_inode_operations = {
	.setattr = dax_setattr,
};

static void set_operations(struct inode *inode, dev_t dev)
{
	inode->i_flags |= S_DAX;
	inode->i_op = &dax_special_inode_operations;
	switch (inode->i_mode & S_IFMT) {
	case S_IFREG:
		inode->i_op = &dax_file_inode_operations;
		inode->i_fop = &dax_file_operations;
		break;
	case S_IFDIR:
		inode->i_op = &dax_dir_inode_operations;
		inode->i_fop = &dax_dir_operations;
		break;
	case S_IFLNK:
		inode->i_op = &dax_symlink_inode_operations;
		break;
	default:
		init_special_inode(inode, inode->i_mode, dev);
	}
}

/* Sizes that the code relies on, times that can be told. */
static bool attributes_ok(const struct inode *inode, const struct dax_disk_inode *disk)
{
	if ((disk->atime_ns | disk->mtime_ns | disk->ctime_ns | disk->btime_ns) >= 1u << 30)
		return false;
	if (S_ISDIR(inode->i_mode)) /* no holes, nothing past the end */
		return disk->size == atomic_load(&inode->i_blocks) << 9;
	return !S_ISLNK(inode->i_mode) || disk->size < PAGE_SIZE;
}

static bool known_type(mode_t mode)
{
	return S_ISREG(mode) || S_ISDIR(mode) || S_ISLNK(mode) || S_ISCHR(mode) || S_ISBLK(mode) ||
	       S_ISFIFO(mode) || S_ISSOCK(mode);
}

struct inode *dax_iget(struct super_block *sb, uint64_t ino)
{
	struct dax_sb *dsb = dax_sb(sb);
	const struct dax_disk_inode *disk;
	struct inode *inode;
	int err = -EUCLEAN;

	if (ino < DAX_ROOT_INO || ino >= dsb->nr_inodes)
		return ERR_PTR(-EUCLEAN);
	inode = iget_locked(sb, ino);
	if (!inode)
		return ERR_PTR(-ENOMEM);
	if (!(inode->i_state & I_NEW))
		return inode;
	disk = dax_disk_inode(dsb, ino);
	if (!known_type(disk->mode) || !disk->nlink)
		goto bad;
	inode->i_mode = disk->mode;
	set_nlink(inode, disk->nlink);
	inode->i_uid = disk->uid;
	inode->i_gid = disk->gid;
	inode->i_rdev = disk->rdev;
	i_size_write(inode, (sw_loff_t)disk->size);
	inode->i_atime = (struct timespec){ disk->atime_s, disk->atime_ns };
	inode->i_mtime = (struct timespec){ disk->mtime_s, disk->mtime_ns };
	inode->i_ctime = (struct timespec){ disk->ctime_s, disk->ctime_ns };
	inode->i_btime = (struct timespec){ disk->btime_s, disk->btime_ns };
	err = dax_load_extents(inode);
	if (!err && !attributes_ok(inode, disk))
		err = -EUCLEAN;
	if (err)
		goto bad;
	set_operations(inode, disk->rdev);
	unlock_new_inode(inode);
	return inode;
bad:
	/* Nothing of it is freed on the device. */
	set_nlink(inode, 1);
	iget_failed(inode);
	return ERR_PTR(err);
}

struct inode *dax_new_inode(struct super_block *sb, struct inode *dir, mode_t mode, dev_t dev)
{
	struct dax_sb *dsb = dax_sb(sb);
	uint64_t ino = dax_alloc_ino(dsb);
	struct inode *inode;

	if (!ino)
		return ERR_PTR(-ENOSPC);
	inode = new_inode(sb);
	if (!inode) {
		dax_free_ino(dsb, ino);
		return ERR_PTR(-ENOMEM);
	}
	inode->i_ino = ino;
	inode_init_owner(inode, dir, mode);
	inode->i_rdev = dev;
	atomic_store_explicit(&inode->i_blocks, 0, memory_order_relaxed);
	inode_stamp_new(inode);
	memset(dax_disk_inode(dsb, ino), 0, sizeof(struct dax_disk_inode));
	set_operations(inode, dev);
	insert_inode_hash(inode);
	return inode;
}

int dax_setattr(struct dentry *dentry, struct iattr *attr)
{
	struct inode *inode = d_inode(dentry);
	int err = setattr_prepare(dentry, attr);

	if (err)
		return err;
	if (attr->ia_valid & ATTR_SIZE && S_ISREG(inode->i_mode) &&
	    attr->ia_size != i_size_read(inode)) {
		err = dax_truncate(inode, attr->ia_size);
		if (err)
			return err;
		inode_stamp(inode, STAMP_CTIME | STAMP_MTIME);
	}
	setattr_copy(inode, attr);
	dax_update(inode);
	return 0;
}
