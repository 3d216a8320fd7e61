/* SPDX-License-Identifier: MIT */
/*
 * alloc.c - free blocks and inodes of a DAX device
 *
 * Room: fstypes/dax. Nothing on the device says what is free: an inode that has a mode and a name is in use,
 * and so are the blocks of its extents. Mount reads the table and makes two bitmaps of it; a process
 * that was killed therefore leaves nothing to repair but what it was about to do. A table that
 * makes no sense (extents outside the device, a block of two owners) is -EUCLEAN.
 */

#include <errno.h>
#include <string.h>

#include "fstypes/dax/dax.h"
#include "lib/bitmap.h"

/* How many free blocks lie at @start, up to @want. */
static uint32_t free_run(const struct dax_sb *dsb, uint64_t start, uint32_t want)
{
	uint32_t n = 0;

	while (n < want && start + n < dsb->nr_blocks && !test_bit(start + n, dsb->used_blocks))
		n++;
	return n;
}

/* A free 2 MiB of the device, aligned. 0: none. */
static uint64_t find_huge(const struct dax_sb *dsb)
{
	uint64_t block = (dsb->data_start + DAX_HUGE_BLOCKS - 1) & ~(uint64_t)(DAX_HUGE_BLOCKS - 1);

	for (; block + DAX_HUGE_BLOCKS <= dsb->nr_blocks; block += DAX_HUGE_BLOCKS)
		if (free_run(dsb, block, DAX_HUGE_BLOCKS) == DAX_HUGE_BLOCKS)
			return block;
	return 0;
}

/* From @from on, round once. dsb->free_blocks > 0. */
static uint64_t find_any(const struct dax_sb *dsb, uint64_t from)
{
	uint64_t block = find_next_zero_bit(dsb->used_blocks, dsb->nr_blocks, from);

	if (block >= dsb->nr_blocks)
		block = find_next_zero_bit(dsb->used_blocks, dsb->nr_blocks, dsb->data_start);
	return block;
}

long dax_alloc_blocks(struct dax_sb *dsb, uint32_t file, uint32_t want, uint32_t goal,
		      uint32_t *start)
{
	uint64_t block = 0;
	uint32_t n;

	spin_lock(&dsb->lock);
	if (!dsb->free_blocks) {
		spin_unlock(&dsb->lock);
		return -ENOSPC;
	}
	if (want >= DAX_HUGE_BLOCKS && file % DAX_HUGE_BLOCKS == 0)
		block = find_huge(dsb);
	/* Up to where a huge piece can start. */
	else if (want > DAX_HUGE_BLOCKS - file % DAX_HUGE_BLOCKS)
		want = DAX_HUGE_BLOCKS - file % DAX_HUGE_BLOCKS;
	if (!block && goal >= dsb->data_start && goal < dsb->nr_blocks &&
	    !test_bit(goal, dsb->used_blocks))
		block = goal;
	if (!block)
		block = find_any(dsb, dsb->next_block);
	n = free_run(dsb, block, want);
	for (uint32_t i = 0; i < n; i++)
		__set_bit(block + i, dsb->used_blocks);
	dsb->free_blocks -= n;
	dsb->next_block = block + n < dsb->nr_blocks ? block + n : dsb->data_start;
	spin_unlock(&dsb->lock);
	memset(dax_block(dsb, block), 0, (size_t)n << PAGE_SHIFT);
	*start = (uint32_t)block;
	return n;
}

void dax_free_blocks(struct dax_sb *dsb, uint32_t start, uint32_t len)
{
	spin_lock(&dsb->lock);
	for (uint32_t i = 0; i < len; i++)
		__clear_bit(start + i, dsb->used_blocks);
	dsb->free_blocks += len;
	spin_unlock(&dsb->lock);
}

uint64_t dax_alloc_ino(struct dax_sb *dsb)
{
	uint64_t ino = 0;

	spin_lock(&dsb->lock);
	for (uint64_t i = 0; dsb->free_inodes && !ino; i++) {
		uint64_t at = dsb->next_inode + i;

		if (at >= dsb->nr_inodes)
			at -= dsb->nr_inodes - DAX_ROOT_INO;
		if (!test_bit(at, dsb->used_inodes))
			ino = at;
	}
	if (ino) {
		__set_bit(ino, dsb->used_inodes);
		dsb->free_inodes--;
		dsb->next_inode = ino + 1 < dsb->nr_inodes ? ino + 1 : DAX_ROOT_INO;
	}
	spin_unlock(&dsb->lock);
	return ino;
}

void dax_free_ino(struct dax_sb *dsb, uint64_t ino)
{
	spin_lock(&dsb->lock);
	__clear_bit(ino, dsb->used_inodes);
	dsb->free_inodes++;
	spin_unlock(&dsb->lock);
}

/* ---- mount ------------------------------------------------------------------------------------ */

/* false: not on the device, or somebody else's. */
static bool claim(struct dax_sb *dsb, uint32_t start, uint32_t len)
{
	if (!len || start < dsb->data_start || start >= dsb->nr_blocks ||
	    len > dsb->nr_blocks - start)
		return false;
	for (uint32_t i = 0; i < len; i++) {
		if (test_bit(start + i, dsb->used_blocks))
			return false;
		__set_bit(start + i, dsb->used_blocks);
	}
	dsb->free_blocks -= len;
	return true;
}

/* Sorted, of no overlap, below the largest file. */
static bool claim_extents(struct dax_sb *dsb, const struct dax_extent *ext, uint32_t n,
			  uint64_t *next_file)
{
	for (uint32_t i = 0; i < n; i++) {
		if (ext[i].file < *next_file || (uint64_t)ext[i].file + ext[i].len > UINT32_MAX ||
		    !claim(dsb, ext[i].start, ext[i].len))
			return false;
		*next_file = (uint64_t)ext[i].file + ext[i].len;
	}
	return true;
}

/* What hangs on behind the last extent was about to be used: it is let go. */
static bool scan_inode(struct dax_sb *dsb, struct dax_disk_inode *disk)
{
	uint32_t left = disk->nr_extents, n = min(left, (uint32_t)DAX_INLINE_EXTENTS);
	uint32_t *link = &disk->more;
	uint64_t next_file = 0;

	if (disk->size > (uint64_t)UINT32_MAX << PAGE_SHIFT ||
	    !claim_extents(dsb, disk->extents, n, &next_file))
		return false;
	for (left -= n; left; left -= n) {
		struct dax_disk_extents *block;

		if (!claim(dsb, *link, 1))
			return false;
		block = dax_block(dsb, *link);
		n = min(left, (uint32_t)DAX_BLOCK_EXTENTS);
		if (!claim_extents(dsb, block->extents, n, &next_file))
			return false;
		link = &block->next;
	}
	*link = 0;
	return true;
}

int dax_scan(struct dax_sb *dsb)
{
	dsb->used_blocks =
		kvzalloc((dsb->nr_blocks / BITS_PER_LONG + 1) * sizeof(long), GFP_KERNEL);
	dsb->used_inodes =
		kvzalloc((dsb->nr_inodes / BITS_PER_LONG + 1) * sizeof(long), GFP_KERNEL);
	if (!dsb->used_blocks || !dsb->used_inodes)
		return -ENOMEM;
	dsb->free_blocks = dsb->nr_blocks - dsb->data_start;
	dsb->free_inodes = dsb->nr_inodes - DAX_ROOT_INO;
	dsb->next_block = dsb->data_start;
	dsb->next_inode = DAX_ROOT_INO;
	for (uint64_t ino = DAX_ROOT_INO; ino < dsb->nr_inodes; ino++) {
		struct dax_disk_inode *disk = dax_disk_inode(dsb, ino);

		if (!disk->mode)
			continue;
		if (!disk->nlink) { /* removed, but open when its process ended */
			disk->mode = 0;
			continue;
		}
		if (!scan_inode(dsb, disk))
			return -EUCLEAN;
		__set_bit(ino, dsb->used_inodes);
		dsb->free_inodes--;
	}
	return 0;
}
