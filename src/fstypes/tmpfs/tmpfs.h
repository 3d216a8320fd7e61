/* SPDX-License-Identifier: MIT */
#ifndef TMPFS_H
#define TMPFS_H

/*
 * tmpfs.h - what the files of tmpfs say to each other
 *
 * Room: fstypes/tmpfs. The idea: super.c.
 */

#include <slabwork/fs/vfs.h>

#include "fstypes/common.h"
#include "fstypes/tmpfs/entries.h"
#include "lib/list.h"

#define TMPFS_MAGIC 0x01021994
/* Linux counts this much of a directory's size for each entry, "." and ".." included. */
#define TMPFS_DIRENT_SIZE 20

/**
 * struct tmpfs_sb - limits, and what of them is used
 * @max_blocks, @max_inodes: pages and inodes (each further hard link counts as one); 0: no limit
 * @used_blocks: pages of all files, and those that somebody is about to add
 */
struct tmpfs_sb {
	unsigned long max_blocks, max_inodes;
	_Atomic unsigned long used_blocks, used_inodes;
	mode_t mode;
	uid_t uid;
	gid_t gid;
};

/**
 * struct tmpfs_inode - an inode of ours
 * @lock: @accounted, @had_pages, @xattrs; leaf
 * @accounted: pages of this file in used_blocks
 * @had_pages: one at least was there: somebody may still be at the mapping's lock, and at the end it is looked at
 * @xattrs: struct tmpfs_xattr.list
 * @entries: directories: their names (i_rwsem)
 */
struct tmpfs_inode {
	spinlock_t lock;
	unsigned long accounted;
	bool had_pages;
	struct list_head xattrs;
	struct tmpfs_entries entries;
	struct inode vfs_inode;
};

static inline struct tmpfs_inode *tmpfs_i(struct inode *inode)
{
	return container_of(inode, struct tmpfs_inode, vfs_inode);
}

static inline struct tmpfs_sb *tmpfs_sb(struct super_block *sb)
{
	return sb->s_fs_info;
}

/* inode.c */
int tmpfs_inode_cache_init(void);
struct inode *tmpfs_alloc_inode(struct super_block *sb);
void tmpfs_destroy_inode(struct inode *inode);
/* For i_link; goes with the inode. NULL: no memory. */
char *tmpfs_link_target(const char *target, size_t len);
void tmpfs_evict_inode(struct inode *inode);
/* With one inode taken from the limit. ERR_PTR(-ENOSPC), -ENOMEM. @dir NULL: the root. */
struct inode *tmpfs_new_inode(struct super_block *sb, struct inode *dir, mode_t mode, dev_t dev);
bool tmpfs_take_inode(struct tmpfs_sb *sbi);
void tmpfs_give_inode(struct tmpfs_sb *sbi);
int tmpfs_setattr(struct dentry *dentry, struct iattr *attr);
ssize_t tmpfs_listxattr(struct dentry *dentry, char *list, size_t size);
ssize_t tmpfs_getxattr(struct dentry *dentry, const char *name, void *value, size_t size);
int tmpfs_setxattr(struct dentry *dentry, const char *name, const void *value, size_t size,
		   int flags);
void tmpfs_free_xattrs(struct tmpfs_inode *info);

/* file.c */
/* After pages came (@reserved of them had been taken from the limit) or went. */
void tmpfs_settle(struct inode *inode, unsigned long reserved);
/* What a mapping stored past the end of the file is zeros before the file grows over it. */
void tmpfs_zero_tail(struct inode *inode);
/* Mappings that reached past the end see what is there now. */
void tmpfs_grown(struct inode *inode, sw_loff_t old_size);
extern const struct address_space_operations tmpfs_aops;
extern const struct file_operations tmpfs_file_operations;
extern const struct inode_operations tmpfs_file_inode_operations;

/* dir.c */
extern const struct file_operations tmpfs_dir_operations;
extern const struct inode_operations tmpfs_dir_inode_operations;
/* Let go of every name below @root, as umount does. */
void tmpfs_forget_names(struct dentry *root);

#endif /* TMPFS_H */
