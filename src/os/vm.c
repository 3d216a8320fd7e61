/* SPDX-License-Identifier: MIT */
/*
 * vm.c - mmap and friends, with one meaning each
 *
 * Room: os. Above us: mm (windows and sections), proc and malloc for odds and ends.
 *
 * Everything goes straight to the kernel (os/syscall.h), so errno is kept and
 * an interposed mmap() cannot call us back. Under ThreadSanitizer and
 * AddressSanitizer the libc names are used instead: the sanitizer must hear of
 * every mapping, or it judges a fresh page by what lay there before.
 *
 * Two facts of kernels that the code below leans on:
 *  - MAP_FIXED_NOREPLACE is 4.17 and newer. Older kernels and valgrind take it for
 *    a hint and may put the mapping elsewhere: so the address that comes
 *    back is compared, and a stray mapping is undone and reported as -EEXIST.
 *  - mremap() without MREMAP_FIXED never moves unless MREMAP_MAYMOVE is given.
 */

#include <errno.h>
#include <sys/auxv.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "os/syscall.h"
#include "os/vm.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif
#ifndef PR_SET_VMA
#define PR_SET_VMA           0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif
#ifndef MFD_CLOEXEC
#define MFD_CLOEXEC 1U
#endif

#define MAP_OURS (MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE)

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define VM_THROUGH_LIBC 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define VM_THROUGH_LIBC 1
#endif
#endif

#ifdef VM_THROUGH_LIBC

static long vm_map(void *addr, size_t size, int prot, int flags, int fd, uint64_t offset)
{
	int saved = errno;
	void *got = mmap(addr, size, prot, flags, fd, (off_t)offset);
	long ret = got == MAP_FAILED ? -errno : (long)got;

	errno = saved;
	return ret;
}

static int vm_unmap(void *addr, size_t size)
{
	int saved = errno;
	int ret = munmap(addr, size) ? -errno : 0;

	errno = saved;
	return ret;
}

static long vm_remap(void *old, size_t old_size, size_t new_size, int flags, void *new_addr)
{
	int saved = errno;
	void *got = mremap(old, old_size, new_size, flags, new_addr);
	long ret = got == MAP_FAILED ? -errno : (long)got;

	errno = saved;
	return ret;
}

#else

static long vm_map(void *addr, size_t size, int prot, int flags, int fd, uint64_t offset)
{
	return os_syscall(SYS_mmap, addr, size, prot, flags, fd, offset);
}

static int vm_unmap(void *addr, size_t size)
{
	return (int)os_syscall(SYS_munmap, addr, size);
}

static long vm_remap(void *old, size_t old_size, size_t new_size, int flags, void *new_addr)
{
	return os_syscall(SYS_mremap, old, old_size, new_size, flags, new_addr);
}

#endif

/* The kernel's error returns are the last 4095 addresses. */
static inline bool vm_is_error(long ret)
{
	return (unsigned long)ret >= (unsigned long)-4095L;
}

size_t os_page_size(void)
{
	static size_t size; /* idempotent: racing first callers store the same value */

	if (!__atomic_load_n(&size, __ATOMIC_RELAXED)) {
		size_t aux = getauxval(AT_PAGESZ);

		__atomic_store_n(&size, aux ? aux : 4096, __ATOMIC_RELAXED);
	}
	return __atomic_load_n(&size, __ATOMIC_RELAXED);
}

/* Map at exactly addr without replacing; a mapping that landed elsewhere is undone. */
static int vm_map_exactly(void *addr, size_t size, int prot, int flags, int fd, uint64_t offset)
{
	long got = vm_map(addr, size, prot, flags | MAP_FIXED_NOREPLACE, fd, offset);

	if (vm_is_error(got))
		return (int)got;
	if ((void *)got == addr)
		return 0;
	vm_unmap((void *)got, size);
	return -EEXIST;
}

int os_map_at(void *addr, size_t size)
{
	return vm_map_exactly(addr, size, PROT_READ | PROT_WRITE, MAP_OURS, -1, 0);
}

/* Map size bytes anywhere, aligned: map align bytes too many and cut both ends. */
static void *vm_map_aligned(size_t size, size_t align, int prot)
{
	size_t slack = align > os_page_size() ? align - os_page_size() : 0;
	size_t whole;
	uintptr_t start, aligned;
	long got;

	if (__builtin_add_overflow(size, slack, &whole))
		return NULL;
	got = vm_map(NULL, whole, prot, MAP_OURS, -1, 0);
	if (vm_is_error(got))
		return NULL;
	start = (uintptr_t)got;
	aligned = (start + align - 1) & ~(uintptr_t)(align - 1);
	if (aligned > start)
		vm_unmap((void *)start, aligned - start);
	if (start + whole > aligned + size)
		vm_unmap((void *)(aligned + size), start + whole - aligned - size);
	return (void *)aligned;
}

void *os_map(size_t size, size_t align)
{
	return vm_map_aligned(size, align, PROT_READ | PROT_WRITE);
}

void *os_reserve(size_t size, size_t align)
{
	void *addr = vm_map_aligned(size, align, PROT_NONE);

	if (addr)
		os_dontdump(addr, size);
	return addr;
}

int os_protect_rw(void *addr, size_t size)
{
	return (int)os_syscall(SYS_mprotect, addr, size, PROT_READ | PROT_WRITE);
}

int os_protect_none(void *addr, size_t size)
{
	return (int)os_syscall(SYS_mprotect, addr, size, PROT_NONE);
}

int os_unmap(void *addr, size_t size)
{
	return vm_unmap(addr, size);
}

int os_release(void *addr, size_t size)
{
	return (int)os_syscall(SYS_madvise, addr, size, MADV_DONTNEED);
}

long os_resident_pages(void *addr, size_t size)
{
	unsigned char map[1024];
	size_t page = os_page_size(), step = sizeof(map) * page;
	long n = 0;

	for (char *at = addr, *end = at + size; at < end; at += step) {
		size_t bytes = (size_t)(end - at) < step ? (size_t)(end - at) : step;
		int err = (int)os_syscall(SYS_mincore, at, bytes, map);

		if (err)
			return err;
		for (size_t i = 0; i < (bytes + page - 1) / page; i++)
			n += map[i] & 1;
	}
	return n;
}

int os_remap(void *old, size_t old_size, void *new_addr, size_t new_size)
{
	long got = vm_remap(old, old_size, new_size, MREMAP_MAYMOVE | MREMAP_FIXED, new_addr);

	return vm_is_error(got) ? (int)got : 0;
}

void os_move(char *old, size_t size, char *new_addr)
{
	size_t half = size / 2 & ~(os_page_size() - 1);

	if (!os_remap(old, size, new_addr, size))
		return;
	/* mremap() moves out of one mapping at a time: look for the seam. */
	if (half) {
		os_move(old, half, new_addr);
		os_move(old + half, size - half, new_addr + half);
		return;
	}
	os_map_at(new_addr, size); /* it may have been unmapped for the move that failed */
	memcpy(new_addr, old, size);
	os_unmap(old, size);
}

int os_remap_grow(void *addr, size_t old_size, size_t new_size)
{
	long got = vm_remap(addr, old_size, new_size, 0, NULL);

	return vm_is_error(got) ? (int)got : 0;
}

int os_lock(void *addr, size_t size)
{
	return (int)os_syscall(SYS_mlock, addr, size);
}

int os_hugepage(void *addr, size_t size, bool on)
{
	return (int)os_syscall(SYS_madvise, addr, size, on ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
}

int os_dontdump(void *addr, size_t size)
{
	return (int)os_syscall(SYS_madvise, addr, size, MADV_DONTDUMP);
}

int os_dontfork(void *addr, size_t size)
{
	return (int)os_syscall(SYS_madvise, addr, size, MADV_DONTFORK);
}

int os_memfd_create(const char *name, size_t size)
{
	long fd = os_syscall(SYS_memfd_create, name, MFD_CLOEXEC);
	long ret;

	if (fd < 0)
		return (int)fd;
	ret = os_syscall(SYS_ftruncate, fd, size);
	if (ret < 0) {
		os_syscall(SYS_close, fd);
		return (int)ret;
	}
	return (int)fd;
}

int os_map_fd_at(void *addr, size_t size, int fd, uint64_t offset, int prot)
{
	return vm_map_exactly(addr, size, prot, MAP_SHARED, fd, offset);
}

void os_name(void *addr, size_t size, const char *name)
{
	/* -EINVAL where CONFIG_ANON_VMA_NAME is off (or before 5.17): a name is a nicety. */
	os_syscall(SYS_prctl, PR_SET_VMA, PR_SET_VMA_ANON_NAME, addr, size, name);
}
