/* SPDX-License-Identifier: MIT */
#ifndef MM_VMALLOC_H
#define MM_VMALLOC_H

/*
 * vmalloc.h - areas: the layer for blocks of many pages
 *
 * Room: mm; the malloc front and proc read it. Public door: <slabwork/vmalloc.h>.
 */

#include <stdatomic.h>
#include <slabwork/types.h>
#include <slabwork/vmalloc.h>

/* Pages behind live areas of vmalloc() and vm_large_alloc(). The page allocator counts them. */
extern _Atomic unsigned long nr_vmalloc_pages;

/* ---- big blocks of the malloc front ---------------------------------------------- */

/*
 * A block of size bytes aligned to align (0, or a power of two up to 1 GiB). *zeroed (if not NULL)
 * says whether it is known to read as zero. Untouched memory costs nothing. NULL: no memory,
 * or size is beyond the machine. May sleep.
 */
void *vm_large_alloc(size_t size, size_t align, bool *zeroed);
/* The same for a block that will grow on: addresses for several times its size. */
void *vm_large_alloc_growing(size_t size, bool *zeroed);
/*
 * May a block have new_size bytes where it lies, with no system call? Then it has. False: ask
 * vm_large_realloc(). May sleep.
 */
bool vm_large_resize_within(void *p, size_t new_size);
/* Grow or shrink in place, or move by remapping. NULL leaves the block as it was. May sleep. */
void *vm_large_realloc(void *p, size_t new_size);
/* Usable bytes, a multiple of the page, room not included; 0 if p is not the start of a live area. Never reads *p. Any context. */
size_t vm_large_size(const void *p);
/* Free the block. false: p is not the start of a live area, nothing was done. Any context. */
bool vm_large_free(void *p);

/* ---- for reclaim, proc and tests -------------------------------------------------- */

/* Give freed areas back to the OS now. Pages whose memory came back. May sleep. */
unsigned long vmap_purge(void);

/*
 * Addresses that nobody needs go back: freed areas, and rooms to grow into. For who has been refused
 * a mapping. May sleep.
 */
void vmap_make_room(void);
/* Freed areas that were kept for the next one that grows go if none came for a while. Waits for nothing. */
void vmap_warm_tick(uint64_t now_ns);

struct vmap_view {
	uintptr_t start, end;       /* end includes room to grow into and the guard page */
	const struct vm_struct *vm; /* NULL: an unpurged area */
	int nid;
};
/* Every live or unpurged area in address order, under vmap_lock: fn must not call us or sleep. */
void vmap_for_each(void (*fn)(const struct vmap_view *view, void *arg), void *arg);

/* Checks every numbered invariant of vmap_area.h. NULL if sound, else the broken one. */
const char *vmap_validate(void);

#endif /* MM_VMALLOC_H */
