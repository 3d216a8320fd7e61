/* SPDX-License-Identifier: MIT */
/*
 * super.c - tmpfs: files in memory, gone with the last umount
 *
 * Room: fstypes/tmpfs. Options: size=, nr_blocks=, nr_inodes=, mode=, uid=, gid=.
 *
 * The idea
 *
 *   The caches are the store. A name is its dentry, pinned by one reference for as long as it is linked:
 *   what is not in the dcache does not exist, and ->lookup only makes negative dentries. A byte
 *   is its folio in the page cache, which AS_UNEVICTABLE keeps from reclaim; a hole has none. What a
 *   directory adds is an order: offset to dentry, for getdents (dir.c).
 *
 * Limits
 *
 *   A page is taken from the limit before it goes into the cache and given back by looking how many
 *   are left (tmpfs_settle()), so that whoever removes pages needs not know of us. size=0 and
 *   nr_inodes=0 mean no limit; the default is half of the machine's memory, as many inodes as pages.
 *
 * Source: Linux 6.12, Documentation/filesystems/tmpfs.rst.
 * Differs: no swap, huge=, mpol=, noswap, quota, casefold.
 */

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <slabwork/slab.h>

#include "fstypes/tmpfs/tmpfs.h"

/* Of the machine: si_meminfo() knows only what is online so far. */
static unsigned long total_pages(void)
{
	long pages = sysconf(_SC_PHYS_PAGES);

	return pages > 0 ? (unsigned long)pages : 1ul << (30 - PAGE_SHIFT);
}

/* "50%" of the memory, or bytes. */
static int parse_blocks(char *value, unsigned long *blocks)
{
	size_t len = value ? strlen(value) : 0;
	uint64_t n;

	if (len && value[len - 1] == '%') {
		value[len - 1] = '\0';
		if (option_number(value, 10, &n) || n > 100)
			return -EINVAL;
		*blocks = (unsigned long)(total_pages() * n / 100);
		return 0;
	}
	if (option_size(value, &n))
		return -EINVAL;
	*blocks = (unsigned long)(n >> PAGE_SHIFT) + (n % PAGE_SIZE ? 1 : 0);
	return 0;
}

/* *@arg holds the defaults; unchanged where nothing is said. */
static int parse_option(void *arg, const char *name, char *value)
{
	struct tmpfs_sb *sbi = arg;
	uint64_t n;

	if (!strcmp(name, "size"))
		return parse_blocks(value, &sbi->max_blocks);
	if (!strcmp(name, "nr_blocks") || !strcmp(name, "nr_inodes")) {
		if (option_size(value, &n) || n > LONG_MAX)
			return -EINVAL;
		*(name[3] == 'b' ? &sbi->max_blocks : &sbi->max_inodes) = (unsigned long)n;
		return 0;
	}
	if (!strcmp(name, "mode")) {
		if (option_number(value, 8, &n))
			return -EINVAL;
		sbi->mode = (mode_t)n & 07777;
		return 0;
	}
	if (strcmp(name, "uid") != 0 && strcmp(name, "gid") != 0)
		return -EINVAL;
	if (option_number(value, 10, &n) || n >= UINT32_MAX)
		return -EINVAL;
	if (name[0] == 'u')
		sbi->uid = (uid_t)n;
	else
		sbi->gid = (gid_t)n;
	return 0;
}

/* Limits may change, but not below what is used, nor may they appear where nothing was counted. */
static int tmpfs_remount(struct super_block *sb, unsigned int *flags, const char *data)
{
	struct tmpfs_sb *sbi = tmpfs_sb(sb);
	struct tmpfs_sb new = { .max_blocks = sbi->max_blocks, .max_inodes = sbi->max_inodes };
	int err = parse_options(data, parse_option, &new);

	(void)flags;
	if (err)
		return err;
	if ((new.max_blocks &&new.max_blocks < sbi->used_blocks) ||
	    (new.max_inodes &&new.max_inodes < sbi->used_inodes))
		return -EINVAL;
	sbi->max_blocks = new.max_blocks;
	sbi->max_inodes = new.max_inodes;
	return 0;
}

static int tmpfs_statfs(struct dentry *dentry, struct kstatfs *buf)
{
	struct tmpfs_sb *sbi = tmpfs_sb(dentry->d_sb);

	*buf = (struct kstatfs){
		.f_type = TMPFS_MAGIC, .f_bsize = PAGE_SIZE, .f_frsize = PAGE_SIZE, .f_namelen = 255
	};
	if (sbi->max_blocks) {
		unsigned long used = sbi->used_blocks;

		buf->f_blocks = sbi->max_blocks;
		buf->f_bfree = used < sbi->max_blocks ? sbi->max_blocks - used : 0;
		buf->f_bavail = buf->f_bfree;
	}
	if (sbi->max_inodes) {
		unsigned long used = sbi->used_inodes;

		buf->f_files = sbi->max_inodes;
		buf->f_ffree = used < sbi->max_inodes ? sbi->max_inodes - used : 0;
	}
	return 0;
}

static int tmpfs_show_options(char *buf, size_t size, struct dentry *root)
{
	struct tmpfs_sb *sbi = tmpfs_sb(root->d_sb);

	return snprintf(buf, size, "size=%luk,nr_inodes=%lu,mode=%o,uid=%u,gid=%u",
			sbi->max_blocks << (PAGE_SHIFT - 10), sbi->max_inodes, sbi->mode, sbi->uid,
			sbi->gid);
}

static void tmpfs_put_super(struct super_block *sb)
{
	kfree(sb->s_fs_info);
	sb->s_fs_info = NULL;
}

static const struct super_operations tmpfs_ops = {
	.alloc_inode = tmpfs_alloc_inode,
	.destroy_inode = tmpfs_destroy_inode,
	.evict_inode = tmpfs_evict_inode,
	.put_super = tmpfs_put_super,
	.statfs = tmpfs_statfs,
	.remount_fs = tmpfs_remount,
	.show_options = tmpfs_show_options,
};

static int tmpfs_fill_super(struct super_block *sb, const char *data, int silent)
{
	const struct cred *cred = current_cred();
	struct tmpfs_sb *sbi;
	struct inode *root;
	int err = tmpfs_inode_cache_init();

	(void)silent;
	if (err)
		return err;
	sbi = kzalloc(sizeof(*sbi), GFP_KERNEL);
	if (!sbi)
		return -ENOMEM;
	sbi->max_blocks = sbi->max_inodes = total_pages() / 2;
	sbi->mode = 01777;
	sbi->uid = cred->fsuid;
	sbi->gid = cred->fsgid;
	err = parse_options(data, parse_option, sbi);
	if (err) {
		kfree(sbi);
		return err;
	}
	sb->s_fs_info = sbi; /* ->put_super frees it from here on */
	sb->s_maxbytes = MAX_LFS_FILESIZE;
	sb->s_blocksize = PAGE_SIZE;
	sb->s_blocksize_bits = PAGE_SHIFT;
	sb->s_magic = TMPFS_MAGIC;
	sb->s_op = &tmpfs_ops;
	sb->s_time_gran_ns = 1;
	sb->s_bdi = &noop_backing_dev_info;
	root = tmpfs_new_inode(sb, NULL, S_IFDIR | sbi->mode, 0);
	if (IS_ERR(root))
		return (int)PTR_ERR(root);
	root->i_uid = sbi->uid;
	root->i_gid = sbi->gid;
	sb->s_root = d_make_root(root);
	return sb->s_root ? 0 : -ENOMEM;
}

static struct dentry *tmpfs_mount(struct file_system_type *type, int flags, const char *dev_name,
				  const char *data)
{
	(void)dev_name;
	return mount_nodev(type, flags, data, tmpfs_fill_super);
}

static void tmpfs_kill_sb(struct super_block *sb)
{
	if (sb->s_root)
		tmpfs_forget_names(sb->s_root);
	kill_anon_super(sb);
}

struct file_system_type tmpfs_type = {
	.name = "tmpfs",
	.mount = tmpfs_mount,
	.kill_sb = tmpfs_kill_sb,
};
