/* SPDX-License-Identifier: MIT */
/*
 * dir.c - names on a DAX device
 *
 * Room: fstypes/dax. A directory is a file of entries of one size. An entry's slot is its offset for getdents
 * and never changes; a free one has inode number 0, which is written first when it goes and last when it
 * comes. Look-ups walk all slots: the dcache is what makes them fast. d_fsdata is the slot.
 *
 * Locks: i_rwsem of the directories, for writing to change.
 */

#include <errno.h>
#include <string.h>

#include "fstypes/dax/dax.h"

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1u
#define RENAME_EXCHANGE  2u
#endif

/* ---- slots ------------------------------------------------------------------------------- */

static uint64_t nr_slots(const struct inode *dir)
{
	return (uint64_t)i_size_read(dir) / PAGE_SIZE * DAX_ENTRIES_PER_BLOCK;
}

/* NULL: the directory's blocks are not where they should be. */
static struct dax_disk_entry *slot_entry(struct inode *dir, uint64_t slot)
{
	uint32_t len, block = dax_map(dir, (uint32_t)(slot / DAX_ENTRIES_PER_BLOCK), &len);
	struct dax_disk_entry *entries;

	if (!block)
		return NULL;
	entries = dax_block(dax_sb(dir->i_sb), block);
	return &entries[slot % DAX_ENTRIES_PER_BLOCK];
}

static struct dax_disk_entry *find_entry(struct inode *dir, const struct qstr *name, uint64_t *slot)
{
	uint64_t end = nr_slots(dir);

	for (*slot = 0; *slot < end; ++*slot) {
		struct dax_disk_entry *entry = slot_entry(dir, *slot);

		if (entry && entry->ino && entry->len == name->len &&
		    !memcmp(entry->name, name->name, name->len))
			return entry;
	}
	return NULL;
}

static bool dir_is_empty(struct inode *dir)
{
	uint64_t end = nr_slots(dir);

	for (uint64_t slot = 0; slot < end; slot++) {
		struct dax_disk_entry *entry = slot_entry(dir, slot);

		if (entry && entry->ino)
			return false;
	}
	return true;
}

/* A free slot; the directory grows if need be. 0, -ENOSPC, -ENOMEM. */
static int find_free_slot(struct inode *dir, uint64_t *slot)
{
	uint64_t end = nr_slots(dir);
	uint32_t start, len = 1;
	int err;

	for (*slot = dax_i(dir)->free_slot; *slot < end; ++*slot) {
		struct dax_disk_entry *entry = slot_entry(dir, *slot);

		if (entry && !entry->ino)
			return 0;
	}
	err = dax_map_alloc(dir, (uint32_t)(end / DAX_ENTRIES_PER_BLOCK), &start, &len);
	if (!err)
		i_size_write(dir, i_size_read(dir) + (sw_loff_t)PAGE_SIZE);
	return err;
}

static void fill_slot(struct inode *dir, uint64_t slot, const struct dentry *dentry,
		      const struct inode *inode)
{
	struct dax_disk_entry *entry = slot_entry(dir, slot);

	entry->len = (uint8_t)dentry->d_name.len;
	entry->type = (uint8_t)(inode->i_mode >> 12 & 15);
	memcpy(entry->name, dentry->d_name.name, dentry->d_name.len);
	atomic_thread_fence(memory_order_release);
	entry->ino = (uint32_t)inode->i_ino;
	dax_i(dir)->free_slot = slot + 1;
}

static void clear_slot(struct inode *dir, uint64_t slot)
{
	struct dax_disk_entry *entry = slot_entry(dir, slot);

	if (entry)
		entry->ino = 0;
	dax_i(dir)->free_slot = min(dax_i(dir)->free_slot, slot);
}

static uint64_t dentry_slot(const struct dentry *dentry)
{
	return (uint64_t)(uintptr_t)dentry->d_fsdata;
}

static void set_dentry_slot(struct dentry *dentry, uint64_t slot)
{
	dentry->d_fsdata = (void *)(uintptr_t)slot;
}

static void touch_dir(struct inode *dir)
{
	inode_stamp(dir, STAMP_CTIME | STAMP_MTIME);
	dax_update(dir);
}

static void touch_inode(struct inode *inode)
{
	inode_stamp(inode, STAMP_CTIME);
	dax_update(inode);
}

/* ---- operations ------------------------------------------------------------------------------ */

static struct dentry *dax_lookup(struct inode *dir, struct dentry *dentry, unsigned int flags)
{
	struct dax_disk_entry *entry;
	struct inode *inode = NULL;
	uint64_t slot;

	(void)flags;
	if (dentry->d_name.len > DAX_NAME_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	entry = find_entry(dir, &dentry->d_name, &slot);
	if (entry) {
		inode = dax_iget(dir->i_sb, entry->ino);
		if (IS_ERR(inode))
			return ERR_CAST(inode);
		set_dentry_slot(dentry, slot);
	}
	return d_splice_alias(inode, dentry);
}

/* The name exists from now on; consumes a link of @inode and its reference. */
static int link_name(struct inode *dir, struct dentry *dentry, struct inode *inode)
{
	uint64_t slot;
	int err = find_free_slot(dir, &slot);

	if (err)
		return err;
	dax_update(inode);
	fill_slot(dir, slot, dentry, inode);
	set_dentry_slot(dentry, slot);
	d_instantiate(dentry, inode);
	touch_dir(dir);
	return 0;
}

static void drop_new_inode(struct inode *inode)
{
	clear_nlink(inode);
	iput(inode);
}

static int dax_mknod(struct inode *dir, struct dentry *dentry, mode_t mode, dev_t dev)
{
	struct inode *inode = dax_new_inode(dir->i_sb, dir, mode, dev);
	int err;

	if (IS_ERR(inode))
		return (int)PTR_ERR(inode);
	if (S_ISDIR(mode))
		set_nlink(inode, 2);
	err = link_name(dir, dentry, inode);
	if (err)
		drop_new_inode(inode);
	return err;
}

static int dax_create(struct inode *dir, struct dentry *dentry, mode_t mode, bool excl)
{
	(void)excl;
	return dax_mknod(dir, dentry, mode | S_IFREG, 0);
}

static int dax_mkdir(struct inode *dir, struct dentry *dentry, mode_t mode)
{
	int err = dax_mknod(dir, dentry, mode | S_IFDIR, 0);

	if (!err) {
		inc_nlink(dir);
		dax_update(dir);
	}
	return err;
}

static int dax_symlink(struct inode *dir, struct dentry *dentry, const char *target)
{
	struct dax_sb *dsb = dax_sb(dir->i_sb);
	size_t len = strlen(target);
	struct inode *inode;
	uint32_t start, blocks = 1;
	int err;

	if (len >= PAGE_SIZE)
		return -ENAMETOOLONG;
	inode = dax_new_inode(dir->i_sb, dir, S_IFLNK | 0777, 0);
	if (IS_ERR(inode))
		return (int)PTR_ERR(inode);
	err = dax_map_alloc(inode, 0, &start, &blocks);
	if (!err) {
		memcpy(dax_block(dsb, start), target, len + 1);
		i_size_write(inode, (sw_loff_t)len);
		err = link_name(dir, dentry, inode);
	}
	if (err)
		drop_new_inode(inode);
	return err;
}

/* The block holds a NUL: it was zeroed, and a target is shorter than it. */
static const char *dax_get_link(struct dentry *dentry, struct inode *inode, void **to_free)
{
	uint32_t len, start;
	char *text;

	(void)to_free;
	if (!dentry)
		return ERR_PTR(-ECHILD);
	start = dax_map(inode, 0, &len);
	if (!start)
		return ERR_PTR(-EUCLEAN);
	text = dax_block(dax_sb(inode->i_sb), start);
	return memchr(text, '\0', PAGE_SIZE) ? text : ERR_PTR(-EUCLEAN);
}

static int dax_link(struct dentry *old, struct inode *dir, struct dentry *dentry)
{
	struct inode *inode = d_inode(old);
	int err;

	ihold(inode);
	inc_nlink(inode);
	err = link_name(dir, dentry, inode);
	if (err) {
		drop_nlink(inode);
		dax_update(inode);
		iput(inode);
		return err;
	}
	touch_inode(inode);
	return 0;
}

static int dax_unlink(struct inode *dir, struct dentry *dentry)
{
	struct inode *inode = d_inode(dentry);

	clear_slot(dir, dentry_slot(dentry));
	touch_dir(dir);
	drop_nlink(inode);
	touch_inode(inode);
	return 0;
}

static int dax_rmdir(struct inode *dir, struct dentry *dentry)
{
	if (!dir_is_empty(d_inode(dentry)))
		return -ENOTEMPTY;
	drop_nlink(d_inode(dentry));
	drop_nlink(dir);
	return dax_unlink(dir, dentry);
}

static void move_link(struct inode *from, struct inode *to, const struct inode *moved)
{
	if (!S_ISDIR(moved->i_mode) || from == to)
		return;
	drop_nlink(from);
	inc_nlink(to);
}

static void exchange(struct inode *old_dir, struct dentry *old, struct inode *new_dir,
		     struct dentry *new)
{
	uint64_t old_slot = dentry_slot(old), new_slot = dentry_slot(new);

	/* Names stay, what they stand for changes places; so do slots and dentries. */
	fill_slot(old_dir, old_slot, old, d_inode(new));
	fill_slot(new_dir, new_slot, new, d_inode(old));
	set_dentry_slot(old, new_slot);
	set_dentry_slot(new, old_slot);
	move_link(old_dir, new_dir, d_inode(old));
	move_link(new_dir, old_dir, d_inode(new));
	touch_inode(d_inode(new));
}

static int dax_rename(struct inode *old_dir, struct dentry *old, struct inode *new_dir,
		      struct dentry *new, unsigned int flags)
{
	uint64_t old_slot = dentry_slot(old), slot;
	struct inode *victim = d_inode(new);
	int err;

	if (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	if (flags & RENAME_EXCHANGE) {
		exchange(old_dir, old, new_dir, new);
	} else {
		if (victim && S_ISDIR(victim->i_mode) && !dir_is_empty(victim))
			return -ENOTEMPTY;
		slot = dentry_slot(new);
		err = victim ? 0 : find_free_slot(new_dir, &slot);
		if (err)
			return err;
		fill_slot(new_dir, slot, new, d_inode(old));
		clear_slot(old_dir, old_slot);
		set_dentry_slot(old, slot);
		move_link(old_dir, new_dir, d_inode(old));
		if (victim) {
			if (S_ISDIR(victim->i_mode)) {
				drop_nlink(victim);
				drop_nlink(new_dir);
			}
			drop_nlink(victim);
			touch_inode(victim);
		}
	}
	touch_dir(old_dir);
	touch_dir(new_dir);
	touch_inode(d_inode(old));
	return 0;
}

/* No link: should the process end, the next mount frees it. */
static int dax_tmpfile(struct inode *dir, struct file *file, mode_t mode)
{
	struct inode *inode = dax_new_inode(dir->i_sb, dir, mode, 0);

	if (IS_ERR(inode))
		return (int)PTR_ERR(inode);
	d_tmpfile(file, inode);
	dax_update(inode);
	return 0;
}

static int dax_iterate(struct file *file, struct dir_context *ctx)
{
	struct inode *dir = file_inode(file);
	uint64_t end = nr_slots(dir);

	if (!dir_emit_dots(file, ctx))
		return 0;
	for (; (uint64_t)ctx->pos - 2 < end; ctx->pos++) {
		struct dax_disk_entry *entry = slot_entry(dir, (uint64_t)ctx->pos - 2);

		if (entry && entry->ino &&
		    !dir_emit(ctx, entry->name, entry->len, entry->ino, entry->type))
			return 0;
	}
	return 0;
}

const struct file_operations dax_dir_operations = {
	.llseek = generic_file_llseek,
	.iterate_shared = dax_iterate,
	.fsync = dax_fsync,
};

const struct inode_operations dax_dir_inode_operations = {
	.lookup = dax_lookup,
	.create = dax_create,
	.link = dax_link,
	.unlink = dax_unlink,
	.symlink = dax_symlink,
	.mkdir = dax_mkdir,
	.rmdir = dax_rmdir,
	.mknod = dax_mknod,
	.rename = dax_rename,
	.tmpfile = dax_tmpfile,
	.setattr = dax_setattr,
};

const struct inode_operations dax_symlink_inode_operations = {
	.get_link = dax_get_link,
	.setattr = dax_setattr,
};
