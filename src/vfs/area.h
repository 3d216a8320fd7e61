/* SPDX-License-Identifier: MIT */
#ifndef VFS_AREA_H
#define VFS_AREA_H

/*
 * area.h - what mmap.c (areas), fault.c (their pages) and uffd.c (who is woken) say to each other
 *
 * Room: vfs, private. The idea: mmap.c. docs/FILES.md §6.
 */

#include "lib/rbtree.h"
#include "vfs/vfs_internal.h"

/**
 * struct area - a mapping: the vm_area_struct that file systems see, and what we know besides
 * @node: in the tree of areas, by vm_start; area_lock
 * @refs: the tree's and one for each who works on it
 * @dead: unmapped; i_mmap_rwsem
 * @fill: one at a time shows pages; inside i_mmap_rwsem
 * @pieces: what is shown, by the first page of the file shown: see fault.c
 * @max_piece: pages of the longest so far
 */
struct area {
	struct rb_node node;
	struct vm_area_struct vma;
	_Atomic int refs;
	bool dead;
	struct mutex fill;
	struct xarray pieces;
	_Atomic unsigned long max_piece;
};

/* mmap.c. For tests: as if userfaultfd were forbidden. */
extern bool area_never_lazy;
struct area *area_find(unsigned long addr); /* with a reference, or NULL */
void area_put(struct area *area);

static inline pgoff_t area_first(const struct area *area)
{
	return area->vma.vm_pgoff;
}

static inline pgoff_t area_end(const struct area *area)
{
	/* Without a lock it is a hint: who shows pages asks again under i_mmap_rwsem. */
	unsigned long end = __atomic_load_n(&area->vma.vm_end, __ATOMIC_RELAXED);

	return area->vma.vm_pgoff + ((end - area->vma.vm_start) >> PAGE_SHIFT);
}

static inline unsigned long area_addr(const struct area *area, pgoff_t index)
{
	return area->vma.vm_start + ((index - area->vma.vm_pgoff) << PAGE_SHIFT);
}

/*
 * fault.c. Show the page at addr, and some that follow. FAULT_FLAG_WRITE: it is about to be written to.
 * Return: bytes shown from addr on, > 0; -EFAULT (SIGBUS is what a toucher gets), -EAGAIN (unmapped meanwhile).
 */
long area_fill(struct area *area, unsigned long addr, unsigned int flags);
/* The first page from @index on, which is no middle of a piece, that shows nothing. */
pgoff_t area_next_gap(struct area *area, pgoff_t index);
/* A write to a protected page. Whoever waits is woken. */
void area_write_fault(struct area *area, unsigned long addr);
/* Touching what is shown of [first, end) faults again. i_mmap_rwsem for writing. */
void area_hide(struct area *area, pgoff_t first, pgoff_t end, bool private_too);
/* The pages of [split, …) are those of a new area. Same lock, for writing. */
void area_split_pieces(struct area *left, struct area *right, pgoff_t split);
/* All of them, for the area goes; nothing is mapped any more. Same lock. */
void area_forget_pieces(struct area *area, pgoff_t first, pgoff_t end);
/* Where writes cannot be seen: all that is shown may have been written to. */
void area_dirty_pages(struct area *area, pgoff_t first, pgoff_t end);

/* uffd.c. Is lazy filling to be had? Starts the fault server. */
bool uffd_usable(void);
/* Fresh anonymous memory at [addr, addr + size); touching it wakes the fault server. 0, -errno. */
int uffd_arm(unsigned long addr, size_t size, int prot);
/* What is mapped there is seen no more: the next touch wakes the server. 0, -errno. */
int uffd_hide(unsigned long addr, size_t size, int prot);
void uffd_hide_zero_page(unsigned long addr);
/* Writes to what is mapped there wake the server. *touched: somebody was there before. 0, -errno. */
int uffd_protect(unsigned long addr, size_t size, bool *touched);
void uffd_unprotect(unsigned long addr, size_t size);
/* A page of zeros, protected. 0, -errno. */
int uffd_zero_page(unsigned long addr);
void uffd_wake(unsigned long addr, size_t size);

/* libc's, with errno kept. 0 or -errno. */
int map_at(unsigned long addr, size_t size, int prot, int flags, int fd, uint64_t offset);
/* The page table entries of what is mapped there, all at once. */
void map_populate(unsigned long addr, size_t size);

#endif /* VFS_AREA_H */
