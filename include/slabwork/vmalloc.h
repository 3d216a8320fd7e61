/* SPDX-License-Identifier: MIT */
#ifndef SW_VMALLOC_H
#define SW_VMALLOC_H

/**
 * DOC: <slabwork/vmalloc.h> - areas of whole pages with a hole behind
 *
 * vmalloc() gives memory that is contiguous for the program and needs not be so
 * for the machine: any size, page aligned, one unmapped guard page behind it (left
 * out once there are very many areas, because each hole costs the process a
 * mapping). vmap() makes pages that one has already appear a second time, side by side.
 *
 * Units    Sizes are bytes; an area is a multiple of the page.
 * Errors   NULL. Freeing what is no area warns and does nothing.
 * Context  Allocation may sleep. Freeing: any context; what cannot be freed at
 *          once (a signal handler in the middle of us) is freed a little later.
 * Caveats  vmap() moves the pages to shared memory, so a child of fork() shares
 *          them with its parent until vunmap(); while vmap() and vunmap() run
 *          nobody else may write to these pages.
 *
 * Room: mm (vmalloc.c, vmap.c, vmap_area.c).
 */

#include <slabwork/gfp.h>
#include <slabwork/types.h>

SW_BEGIN_DECLS

/* vm_struct.flags */
#define VM_IOREMAP         0x00000001UL
#define VM_ALLOC           0x00000002UL /* vmalloc() */
#define VM_MAP             0x00000004UL /* vmap() */
#define VM_USERMAP         0x00000008UL /* vmalloc_user() */
#define VM_NO_GUARD        0x00000040UL /* no hole behind it */
#define VM_MAP_PUT_PAGES   0x00000200UL
#define VM_ALLOW_HUGE_VMAP 0x00000400UL
#define VM_SW_LARGE        0x00010000UL /* ours: a big block of malloc() */
#define VM_SW_MAP_RAM      0x00020000UL /* ours: vm_map_ram() */
#define VM_SW_GROWING      0x00040000UL /* ours: realloc() made it larger, it has room */

/**
 * struct vm_struct - an area
 * @addr: its start
 * @size: bytes, guard page included
 * @flags: VM_ALLOC ...
 * @pages: the pages of a vmap() area (a copy of the caller's array), else NULL
 * @nr_pages: pages, guard page not included
 * @phys_addr: 0
 * @caller: code address that asked for it
 * @requested_size: bytes asked for
 */
struct vm_struct {
	struct vm_struct *next;
	void *addr;
	unsigned long size;
	unsigned long flags;
	struct page **pages;
	unsigned int nr_pages;
	phys_addr_t phys_addr;
	const void *caller;
	unsigned long requested_size;
};

/* The protection is always read and write: kept so that calls read as the kernel's. */
typedef struct {
	unsigned long pgprot;
} pgprot_t;
#define PAGE_KERNEL ((pgprot_t){ 3 })

/**
 * vmalloc() - allocate an area
 * @size: bytes; 0, or more than all memory of the machine, warns and gives NULL
 *
 * Context: May sleep.
 * Return: page-aligned memory, uninitialised, freed by vfree(); NULL if there is none.
 * Source: Linux 6.12, mm/vmalloc.c
 */
SW_API void *vmalloc(unsigned long size) SW_NAME(vmalloc) SW_MALLOC SW_ALLOC_SIZE(1) __must_check;
/* vmalloc(), zeroed. */
SW_API void *vzalloc(unsigned long size) SW_NAME(vzalloc) SW_MALLOC SW_ALLOC_SIZE(1) __must_check;
SW_API void *vmalloc_node(unsigned long size, int node) SW_NAME(vmalloc_node) SW_MALLOC
	SW_ALLOC_SIZE(1) __must_check;
SW_API void *vzalloc_node(unsigned long size, int node) SW_NAME(vzalloc_node) SW_MALLOC
	SW_ALLOC_SIZE(1) __must_check;
/* Zeroed, fit to be shown to others. */
SW_API void *vmalloc_user(unsigned long size) SW_NAME(vmalloc_user) SW_MALLOC
	SW_ALLOC_SIZE(1) __must_check;
/* Below 4 GiB: the addresses fit in 32 bits. */
SW_API void *vmalloc_32(unsigned long size) SW_NAME(vmalloc_32) SW_MALLOC
	SW_ALLOC_SIZE(1) __must_check;
SW_API void *vmalloc_32_user(unsigned long size) SW_NAME(vmalloc_32_user) SW_MALLOC
	SW_ALLOC_SIZE(1) __must_check;
/* Huge pages wanted, for 2 MiB and more. */
SW_API void *vmalloc_huge(unsigned long size, gfp_t gfp) SW_NAME(vmalloc_huge) SW_MALLOC
	SW_ALLOC_SIZE(1) __must_check;

/**
 * __vmalloc() - allocate an area, with flags
 * @size: bytes
 * @gfp: must allow sleeping, else NULL; __GFP_ZERO zeroes, __GFP_NOWARN is silent
 *
 * Context: May sleep. Return: as vmalloc().
 */
SW_API void *__vmalloc(unsigned long size, gfp_t gfp) SW_NAME(__vmalloc) SW_MALLOC
	SW_ALLOC_SIZE(1) __must_check;
SW_API void *__vmalloc_node(unsigned long size, unsigned long align, gfp_t gfp, int node,
			    const void *caller) SW_NAME(__vmalloc_node) SW_MALLOC
	SW_ALLOC_SIZE(1) __must_check;

/* Overflow-checked products; vcalloc() zeroes. NULL on overflow, without a warning. */
SW_API void *vmalloc_array(size_t n, size_t size) SW_NAME(vmalloc_array) SW_MALLOC
	SW_ALLOC_SIZE(1, 2) __must_check;
SW_API void *vcalloc(size_t n, size_t size) SW_NAME(vcalloc) SW_MALLOC
	SW_ALLOC_SIZE(1, 2) __must_check;

/**
 * vrealloc() - change the size of an area
 * @p: from vmalloc() and kin; NULL allocates
 * @size: bytes; 0 frees @p and gives NULL
 * @gfp: __GFP_ZERO zeroes what is new
 *
 * Stays in place if it fits or the addresses behind are free, else its pages
 * are moved to another address without copying.
 *
 * Context: May sleep.
 * Return: the area; NULL leaves the old one as it was (if @size is not 0).
 * Source: Linux 6.12, mm/vmalloc.c
 */
SW_API void *vrealloc(const void *p, size_t size, gfp_t gfp) SW_NAME(vrealloc)
	SW_ALLOC_SIZE(2) __must_check;

/**
 * vfree() - free an area
 * @addr: from vmalloc() and kin; NULL is a no-op
 *
 * A pointer that is not page aligned, or at which no area starts, is warned
 * about and left alone.
 *
 * Context: Any.
 */
SW_API void vfree(const void *addr) SW_NAME(vfree);
/* vfree() that makes no system call: the next who may sleep frees the area. Context: Any. */
SW_API void vfree_atomic(const void *addr) SW_NAME(vfree_atomic);

/**
 * vmap() - show pages side by side
 * @pages: @count pages, each of order 0 or a part of somebody's block; one may come twice
 * @count: pages
 * @flags: VM_MAP
 * @prot: PAGE_KERNEL
 *
 * Nobody may write to the pages while this runs. The pages stay the caller's
 * and may be freed after vunmap() only.
 *
 * Context: May sleep.
 * Return: the address of the first; NULL if it cannot be done.
 * Differs: see Caveats above.
 */
SW_API void *vmap(struct page **pages, unsigned int count, unsigned long flags, pgprot_t prot)
	SW_NAME(vmap) __must_check;
/* Undo vmap(); NULL is a no-op. Context: May sleep. */
SW_API void vunmap(const void *addr) SW_NAME(vunmap);
/* vmap() and vunmap() for short times; @node is only noted. */
SW_API void *vm_map_ram(struct page **pages, unsigned int count, int node)
	SW_NAME(vm_map_ram) __must_check;
SW_API void vm_unmap_ram(const void *mem, unsigned int count) SW_NAME(vm_unmap_ram);
/* Give every freed area back to the OS now. Context: May sleep. */
SW_API void vm_unmap_aliases(void) SW_NAME(vm_unmap_aliases);

/**
 * vmalloc_to_page() - the page behind an address of an area
 * @addr: in a live area
 *
 * Context: May sleep the first time for an area.
 * Return: the page (of a vmap() area: the caller's page); NULL if there is none.
 */
SW_API struct page *vmalloc_to_page(const void *addr) SW_NAME(vmalloc_to_page);
SW_API unsigned long vmalloc_to_pfn(const void *addr) SW_NAME(vmalloc_to_pfn);
/* Does the address lie in the window of areas? Arithmetic. Context: Any. */
SW_API bool is_vmalloc_addr(const void *addr) SW_NAME(is_vmalloc_addr);
/* The area that holds the address, or NULL. Valid until the area is freed. */
SW_API struct vm_struct *find_vm_area(const void *addr) SW_NAME(find_vm_area);

SW_END_DECLS

#endif /* SW_VMALLOC_H */
