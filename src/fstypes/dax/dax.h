/* SPDX-License-Identifier: MIT */
#ifndef DAX_H
#define DAX_H

/*
 * dax.h - what lies on the device, and what the files of dax say to each other
 *
 * Room: fstypes/dax. The idea: super.c. All numbers are of this machine's byte order.
 */

#include <slabwork/fs/vfs.h>
#include <slabwork/slab.h>

#include "fstypes/common.h"

#define DAX_MAGIC       0x73776461 /* statfs */
#define DAX_SUPER_MAGIC "slwkdax"
#define DAX_VERSION     1
#define DAX_ROOT_INO    1
#define DAX_HUGE_BLOCKS 512u
#define DAX_NAME_MAX    255

/* ---- on the device ---------------------------------------------------------------------- */

struct dax_disk_super {
	char magic[8];
	uint32_t version, block_size;
	uint64_t nr_blocks, nr_inodes;
	uint64_t table_start, data_start; /* blocks */
};

/* File blocks [file, file + len) are device blocks [start, start + len). */
struct dax_extent {
	uint32_t file, start, len;
};

#define DAX_INLINE_EXTENTS 14

struct dax_disk_inode {
	uint32_t mode; /* 0: free */
	uint32_t nlink, uid, gid;
	uint64_t size, rdev;
	int64_t atime_s, mtime_s, ctime_s, btime_s;
	uint32_t atime_ns, mtime_ns, ctime_ns, btime_ns;
	uint32_t nr_extents; /* sorted by file block */
	uint32_t more;       /* block of those past the inline ones; 0: none */
	struct dax_extent extents[DAX_INLINE_EXTENTS];
};
_Static_assert(sizeof(struct dax_disk_inode) == 256, "16 a block");
#define DAX_INODES_PER_BLOCK (PAGE_SIZE / sizeof(struct dax_disk_inode))

#define DAX_BLOCK_EXTENTS 340
struct dax_disk_extents {
	uint32_t next, pad;
	struct dax_extent extents[DAX_BLOCK_EXTENTS];
};
_Static_assert(sizeof(struct dax_disk_extents) <= PAGE_SIZE, "one block");

/* An entry of a directory; its slot never changes while it lives. */
struct dax_disk_entry {
	uint32_t ino; /* 0: free */
	uint8_t type, len;
	uint16_t pad;
	char name[256];
};
#define DAX_ENTRIES_PER_BLOCK (PAGE_SIZE / sizeof(struct dax_disk_entry))

/* ---- in memory ------------------------------------------------------------------------------- */

/**
 * struct dax_sb - a mounted device
 * @fd, @base: the host file, and where all of it is mapped
 * @used_blocks, @used_inodes: bitmaps, made at mount from the inode table, which is the truth; @lock
 * @sync_works: the host takes MAP_SYNC
 */
struct dax_sb {
	int fd;
	char *base;
	uint64_t nr_blocks, nr_inodes, table_start, data_start;
	spinlock_t lock;
	unsigned long *used_blocks, *used_inodes;
	uint64_t free_blocks, free_inodes;
	uint64_t next_block, next_inode;
	bool sync_works;
};

/**
 * struct dax_inode - an inode of ours
 * @ext_sem: @ext, @nr_ext. Never held while user memory is copied: that may fault on a mapping of ours
 * @free_slot: directories: no slot below is free; i_rwsem
 */
struct dax_inode {
	struct rw_semaphore ext_sem;
	struct dax_extent *ext;
	uint32_t nr_ext, max_ext;
	uint64_t free_slot;
	struct inode vfs_inode;
};

static inline struct dax_inode *dax_i(struct inode *inode)
{
	return container_of(inode, struct dax_inode, vfs_inode);
}

static inline struct dax_sb *dax_sb(struct super_block *sb)
{
	return sb->s_fs_info;
}

static inline void *dax_block(struct dax_sb *dsb, uint64_t block)
{
	return dsb->base + (block << PAGE_SHIFT);
}

static inline struct dax_disk_inode *dax_disk_inode(struct dax_sb *dsb, uint64_t ino)
{
	return (struct dax_disk_inode *)dax_block(dsb, dsb->table_start) + ino;
}

/* alloc.c: blocks and inode numbers */
/* At most @want in a row, zeroed; huge and in step with @file (a file block) where it fits. Return: how many, -ENOSPC. */
long dax_alloc_blocks(struct dax_sb *dsb, uint32_t file, uint32_t want, uint32_t goal,
		      uint32_t *start);
void dax_free_blocks(struct dax_sb *dsb, uint32_t start, uint32_t len);
/* 0: none left. */
uint64_t dax_alloc_ino(struct dax_sb *dsb);
void dax_free_ino(struct dax_sb *dsb, uint64_t ino);
/* The bitmaps from the table. 0, -ENOMEM, -EUCLEAN: the device is damaged. */
int dax_scan(struct dax_sb *dsb);

/* extent.c: where file blocks are */
/* From the device, checked by dax_scan(). 0, -ENOMEM. */
int dax_load_extents(struct inode *inode);
/*
 * The device block of a file block, *len blocks in a row (of a hole, too); 0: a hole. dax_map_alloc() puts
 * up to *len blocks there first. Return of that: 0, -ENOSPC, -ENOMEM.
 */
uint32_t dax_map(struct inode *inode, uint32_t file, uint32_t *len);
int dax_map_alloc(struct inode *inode, uint32_t file, uint32_t *start, uint32_t *len);
/* [first, end) becomes a hole. 0, -ENOMEM (an extent had to be split). */
int dax_unmap_blocks(struct inode *inode, uint32_t first, uint32_t end);

/* inode.c */
int dax_inode_cache_init(void);
struct inode *dax_alloc_inode(struct super_block *sb);
void dax_free_inode(struct inode *inode);
void dax_evict_inode(struct inode *inode);
void dax_dirty_inode(struct inode *inode, unsigned int flags);
int dax_write_inode(struct inode *inode, struct writeback_control *wbc);
struct inode *dax_iget(struct super_block *sb, uint64_t ino);
struct inode *dax_new_inode(struct super_block *sb, struct inode *dir, mode_t mode, dev_t dev);
/* Attributes to the device. */
void dax_update(struct inode *inode);
int dax_setattr(struct dentry *dentry, struct iattr *attr);

/* file.c */
extern const struct file_operations dax_file_operations;
extern const struct inode_operations dax_file_inode_operations;
int dax_fsync(struct file *file, sw_loff_t start, sw_loff_t end, int datasync);
/* The file ends at @size from now on; i_rwsem held. */
int dax_truncate(struct inode *inode, sw_loff_t size);

/* dir.c */
extern const struct file_operations dax_dir_operations;
extern const struct inode_operations dax_dir_inode_operations;
extern const struct inode_operations dax_symlink_inode_operations;

#endif /* DAX_H */
