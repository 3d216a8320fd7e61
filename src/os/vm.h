/* SPDX-License-Identifier: MIT */
#ifndef OS_VM_H
#define OS_VM_H

/*
 * vm.h - the few things we ask of Linux's mmap and friends
 *
 * Room: os. Addresses and sizes are multiples of the OS page unless said.
 * All return 0 or -errno, keep errno, allocate nothing. "Committed" is the
 * kernel's word: accounted, not resident.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

size_t os_page_size(void); /* of the machine, from auxv */

/* Anonymous private read-write memory at exactly addr; -EEXIST if something is there. */
int os_map_at(void *addr, size_t size);
/* The same anywhere, aligned to align (a power of two, >= OS page). NULL: no memory. */
void *os_map(size_t size, size_t align);
/* Address space only (PROT_NONE, DONTDUMP). */
void *os_reserve(size_t size, size_t align);
int os_protect_rw(void *addr, size_t size);
int os_protect_none(void *addr, size_t size);
int os_unmap(void *addr, size_t size);
/* Give the memory back; it reads as zero afterwards (MADV_DONTNEED). */
int os_release(void *addr, size_t size);
/* Pages that have memory behind them now (mincore); -errno. */
long os_resident_pages(void *addr, size_t size);
/* Move pages of [old, old+old_size) to exactly new_addr (mremap MAYMOVE|FIXED|...). */
int os_remap(void *old, size_t old_size, void *new_addr, size_t new_size);
/*
 * The same for equal sizes, whatever mappings the old range is made of: what cannot be moved is
 * copied. The new range is mapped read-write before; nothing is mapped at the old one after.
 */
void os_move(char *old, size_t size, char *new_addr);
/* Grow in place; -ENOMEM if neighbours are in the way. */
int os_remap_grow(void *addr, size_t old_size, size_t new_size);
int os_lock(void *addr, size_t size); /* mlock */
int os_hugepage(void *addr, size_t size, bool on);
int os_dontdump(void *addr, size_t size);
int os_dontfork(void *addr, size_t size);
/* memfd and shared mappings of it. */
int os_memfd_create(const char *name, size_t size); /* fd or -errno */
int os_map_fd_at(void *addr, size_t size, int fd, uint64_t offset, int prot);
/* Name a range in /proc/PID/maps where the kernel can (PR_SET_VMA_ANON_NAME); no-op otherwise. */
void os_name(void *addr, size_t size, const char *name);

#endif /* OS_VM_H */
