/* SPDX-License-Identifier: MIT */
/*
 * extent.c - which blocks of the device a file has
 *
 * Room: fstypes/dax. A sorted array in memory, written to the device after each change: the first
 * fourteen into the inode, the others into a chain of blocks. The count in the inode is written last
 * when it grows and first when it shrinks, so a process that is killed in between leaves a list that
 * is right as far as it is counted.
 */

#include <errno.h>
#include <string.h>

#include "fstypes/dax/dax.h"

#define FEW_EXTENTS 16

/* The first extent that ends after @file; nr_ext: none. */
static uint32_t find_extent(const struct dax_inode *info, uint32_t file)
{
	uint32_t low = 0, high = info->nr_ext;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (info->ext[mid].file + info->ext[mid].len > file)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

static uint32_t __dax_map(const struct dax_inode *info, uint32_t file, uint32_t *len)
{
	uint32_t i = find_extent(info, file);
	const struct dax_extent *ext = &info->ext[i];

	if (i == info->nr_ext) {
		*len = UINT32_MAX - file;
		return 0;
	}
	if (ext->file > file) {
		*len = ext->file - file;
		return 0;
	}
	*len = ext->len - (file - ext->file);
	return ext->start + (file - ext->file);
}

uint32_t dax_map(struct inode *inode, uint32_t file, uint32_t *len)
{
	struct dax_inode *info = dax_i(inode);
	uint32_t start;

	down_read(&info->ext_sem);
	start = __dax_map(info, file, len);
	up_read(&info->ext_sem);
	return start;
}

/* Room for @n extents. 0, -ENOMEM. */
static int make_room(struct dax_inode *info, uint32_t n)
{
	struct dax_extent *ext;
	uint32_t max_ext = max(n, info->max_ext * 2);

	if (n <= info->max_ext)
		return 0;
	ext = kvmalloc(max_ext * sizeof(*ext), GFP_NOFS);
	if (!ext)
		return -ENOMEM;
	if (info->nr_ext) /* else there may be no array */
		memcpy(ext, info->ext, info->nr_ext * sizeof(*ext));
	kvfree(info->ext);
	info->ext = ext;
	info->max_ext = max_ext;
	return 0;
}

int dax_load_extents(struct inode *inode)
{
	struct dax_sb *dsb = dax_sb(inode->i_sb);
	const struct dax_disk_inode *disk = dax_disk_inode(dsb, inode->i_ino);
	struct dax_inode *info = dax_i(inode);
	uint32_t n = min(disk->nr_extents, (uint32_t)DAX_INLINE_EXTENTS), more = disk->more;
	uint64_t blocks = 0;
	int err = make_room(info, disk->nr_extents);

	if (err)
		return err;
	if (n) /* else there may be no array */
		memcpy(info->ext, disk->extents, n * sizeof(*info->ext));
	for (info->nr_ext = n; info->nr_ext < disk->nr_extents; info->nr_ext += n) {
		const struct dax_disk_extents *block = dax_block(dsb, more);

		n = min(disk->nr_extents - info->nr_ext, (uint32_t)DAX_BLOCK_EXTENTS);
		memcpy(info->ext + info->nr_ext, block->extents, n * sizeof(*info->ext));
		more = block->next;
	}
	for (uint32_t i = 0; i < info->nr_ext; i++)
		blocks += info->ext[i].len;
	atomic_store_explicit(&inode->i_blocks, blocks << (PAGE_SHIFT - 9), memory_order_relaxed);
	return 0;
}

/* The chain has room for @n extents past the inline ones, and no more blocks than that. 0, -ENOSPC. */
static int fit_chain(struct dax_sb *dsb, struct dax_disk_inode *disk, uint32_t n)
{
	uint32_t need = n > DAX_INLINE_EXTENTS ? (n - DAX_INLINE_EXTENTS + DAX_BLOCK_EXTENTS - 1) /
							 DAX_BLOCK_EXTENTS :
						 0;
	uint32_t *link = &disk->more;

	for (; need; need--) {
		uint32_t block;

		if (!*link) {
			if (dax_alloc_blocks(dsb, 1, 1, 0, &block) < 0)
				return -ENOSPC;
			*link = block;
		}
		link = &((struct dax_disk_extents *)dax_block(dsb, *link))->next;
	}
	while (*link) {
		uint32_t block = *link;

		*link = ((struct dax_disk_extents *)dax_block(dsb, block))->next;
		dax_free_blocks(dsb, block, 1);
	}
	return 0;
}

/* Under ext_sem for writing. 0, -ENOSPC: nothing was written. */
static int save_extents(struct inode *inode)
{
	struct dax_sb *dsb = dax_sb(inode->i_sb);
	struct dax_disk_inode *disk = dax_disk_inode(dsb, inode->i_ino);
	struct dax_inode *info = dax_i(inode);
	uint32_t n = min(info->nr_ext, (uint32_t)DAX_INLINE_EXTENTS), done = n, more;
	int err = info->nr_ext > disk->nr_extents ? fit_chain(dsb, disk, info->nr_ext) : 0;

	if (err)
		return err;
	if (info->nr_ext < disk->nr_extents)
		disk->nr_extents = info->nr_ext;
	if (n) /* else there may be no array */
		memcpy(disk->extents, info->ext, n * sizeof(*info->ext));
	for (more = disk->more; done < info->nr_ext; done += n) {
		struct dax_disk_extents *block = dax_block(dsb, more);

		n = min(info->nr_ext - done, (uint32_t)DAX_BLOCK_EXTENTS);
		memcpy(block->extents, info->ext + done, n * sizeof(*info->ext));
		more = block->next;
	}
	atomic_thread_fence(memory_order_release);
	disk->nr_extents = info->nr_ext;
	fit_chain(dsb, disk, info->nr_ext);
	return 0;
}

static void count_blocks(struct inode *inode, int64_t blocks)
{
	atomic_fetch_add_explicit(&inode->i_blocks, (uint64_t)blocks << (PAGE_SHIFT - 9),
				  memory_order_relaxed);
}

/* Enter an extent into its hole, joined with its neighbours where they touch. There is room. */
static void insert_extent(struct dax_inode *info, uint32_t file, uint32_t start, uint32_t len)
{
	uint32_t i = find_extent(info, file);
	struct dax_extent *prev = i ? &info->ext[i - 1] : NULL;
	struct dax_extent *next = i < info->nr_ext ? &info->ext[i] : NULL;

	if (prev && prev->file + prev->len == file && prev->start + prev->len == start) {
		prev->len += len;
		if (next && prev->file + prev->len == next->file &&
		    prev->start + prev->len == next->start) {
			prev->len += next->len;
			memmove(next, next + 1, (info->nr_ext - i - 1) * sizeof(*next));
			info->nr_ext--;
		}
		return;
	}
	if (next && file + len == next->file && start + len == next->start) {
		*next = (struct dax_extent){ file, start, len + next->len };
		return;
	}
	memmove(info->ext + i + 1, info->ext + i, (info->nr_ext - i) * sizeof(*next));
	info->ext[i] = (struct dax_extent){ file, start, len };
	info->nr_ext++;
}

/* How many extents have a part in [first, end). */
static uint32_t count_extents(const struct dax_inode *info, uint32_t first, uint32_t end)
{
	uint32_t i = find_extent(info, first), n = 0;

	while (i + n < info->nr_ext && info->ext[i + n].file < end)
		n++;
	return n;
}

/* Take [first, end) out of the array, and into @gone. There is room for one more. */
static void remove_extents(struct inode *inode, uint32_t first, uint32_t end,
			   struct dax_extent *gone)
{
	struct dax_inode *info = dax_i(inode);
	uint32_t i = find_extent(info, first);

	while (i < info->nr_ext && info->ext[i].file < end) {
		struct dax_extent ext = info->ext[i];
		uint32_t from = max(first, ext.file), to = min(end, ext.file + ext.len);
		struct dax_extent left = { ext.file, ext.start, from - ext.file };
		struct dax_extent right = { to, ext.start + (to - ext.file),
					    ext.file + ext.len - to };

		*gone++ = (struct dax_extent){ from, ext.start + (from - ext.file), to - from };
		count_blocks(inode, -(int64_t)(to - from));
		memmove(info->ext + i, info->ext + i + 1, (info->nr_ext - i - 1) * sizeof(ext));
		info->nr_ext--;
		for (int side = 0; side < 2; side++) {
			const struct dax_extent *rest = side ? &right : &left;

			if (!rest->len)
				continue;
			memmove(info->ext + i + 1, info->ext + i, (info->nr_ext - i) * sizeof(ext));
			info->ext[i++] = *rest;
			info->nr_ext++;
		}
	}
}

int dax_map_alloc(struct inode *inode, uint32_t file, uint32_t *start, uint32_t *len)
{
	struct dax_inode *info = dax_i(inode);
	uint32_t want = *len, hole, before = 0, goal = 0;
	long n;
	int err = 0;

	down_write(&info->ext_sem);
	*start = __dax_map(info, file, &hole);
	*len = min(want, hole);
	if (*start)
		goto out;
	err = make_room(info, info->nr_ext + 1);
	if (err)
		goto out;
	if (file)
		before = __dax_map(info, file - 1, &hole);
	if (before)
		goal = before + 1;
	n = dax_alloc_blocks(dax_sb(inode->i_sb), file, *len, goal, start);
	if (n < 0) {
		err = (int)n;
		goto out;
	}
	*len = (uint32_t)n;
	insert_extent(info, file, *start, *len);
	count_blocks(inode, n);
	err = save_extents(inode);
	if (err) {
		struct dax_extent gone;

		remove_extents(inode, file, file + *len, &gone);
		dax_free_blocks(dax_sb(inode->i_sb), gone.start, gone.len);
	}
out:
	up_write(&info->ext_sem);
	return err;
}

/* Blocks are free, and may be somebody's, only when the device no longer says that they are ours. */
int dax_unmap_blocks(struct inode *inode, uint32_t first, uint32_t end)
{
	struct dax_inode *info = dax_i(inode);
	struct dax_extent few[FEW_EXTENTS], *gone = few;
	uint32_t n;
	int err;

	if (first >= end)
		return 0;
	down_write(&info->ext_sem);
	n = count_extents(info, first, end);
	if (n > FEW_EXTENTS)
		gone = kvmalloc(n * sizeof(*gone), GFP_NOFS);
	err = gone ? make_room(info, info->nr_ext + 1) : -ENOMEM;
	if (!err) {
		remove_extents(inode, first, end, gone);
		/* A split may need a block for the list, and there may be none: then all stays as it was. */
		err = save_extents(inode);
		for (uint32_t i = 0; i < n; i++) {
			if (!err) {
				dax_free_blocks(dax_sb(inode->i_sb), gone[i].start, gone[i].len);
				continue;
			}
			insert_extent(info, gone[i].file, gone[i].start, gone[i].len);
			count_blocks(inode, gone[i].len);
		}
	}
	up_write(&info->ext_sem);
	if (gone != few)
		kvfree(gone);
	return err;
}
