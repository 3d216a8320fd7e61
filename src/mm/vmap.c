/* SPDX-License-Identifier: MIT */
/*
 * vmap.c - show pages that one has a second time, side by side
 *
 * Room: mm. Door: <slabwork/vmalloc.h>. Below us: vmap_area.c for addresses.
 *
 * 1. The idea
 *
 * A process has no page tables of its own to write to, so a page that is to be
 * seen at two addresses must be a page of a file. vmap() makes it one, in
 * place: the bytes are copied to a memfd, and the memfd's page replaces the
 * anonymous one at the page's own address (one mremap: nobody sees a hole). Then it
 * can be mapped again anywhere; the descriptor is closed at once, since
 * mremap() with an old size of 0 duplicates a shared mapping.
 *
 * When its last vmap() ends a page becomes anonymous memory again in the same way:
 * the page allocator relies on MADV_DONTNEED giving zeroes.
 *
 * 2. Invariants
 *
 *   I1  shares[] holds a record for exactly the pages that are memfd pages now.
 *   I2  share->refs is how often the page occurs in live vmap areas.
 *
 * 3. Locks: share_mutex guards the records and every conversion (rank 8: outside
 * slab_mutex and the locks of reclaim, which the allocations below may take; they
 * are __GFP_NORETRY so that no out-of-memory notifier runs under it).
 *
 * 4. Where we depart from Linux 6.12
 *
 *   While a page is converted, here and back, a write to it by another thread may be
 *   lost. A forked child shares the pages with its parent meanwhile. Protections
 *   other than read and write are not offered.
 */

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <slabwork/slab.h>
#include <slabwork/vmalloc.h>

#include "kernel/fork.h"
#include "kernel/lock.h"
#include "kernel/printk.h"
#include "mm/boot.h"
#include "mm/page_alloc.h"
#include "mm/vmalloc.h"
#include "mm/vmap_area.h"
#include "os/vm.h"

#define SHARE_BUCKETS 1024

struct share {
	struct share *next;
	unsigned long pfn;
	unsigned int refs;
	bool fresh; /* not converted yet */
};

static struct mutex share_mutex = MUTEX_INIT;
static struct share *shares[SHARE_BUCKETS]; /* share_mutex */

static struct share **share_slot(unsigned long pfn)
{
	struct share **slot = &shares[pfn % SHARE_BUCKETS];

	while (*slot && (*slot)->pfn != pfn)
		slot = &(*slot)->next;
	return slot;
}

static struct share *share_get(unsigned long pfn)
{
	struct share **slot = share_slot(pfn), *share = *slot;

	if (!share) {
		share = kzalloc(sizeof(*share), GFP_KERNEL | __GFP_NORETRY);
		if (!share)
			return NULL;
		share->pfn = pfn;
		share->fresh = true;
		*slot = share;
	}
	share->refs++;
	return share;
}

static void share_drop(struct share **slot)
{
	struct share *share = *slot;

	*slot = share->next;
	kfree(share);
}

/* No area shows the page any more, and it still is a memfd page. */
static bool is_unused(struct page *page)
{
	struct share *share = *share_slot(page_to_pfn_raw(page));

	return share && !share->refs;
}

/* Make pages, which are all different, pages of a memfd, mapped at scratch. 0 or -errno. */
static int convert(struct page **pages, unsigned int count, char *scratch)
{
	size_t size = (size_t)count << PAGE_SHIFT;
	int fd = os_memfd_create("slabwork-vmap", size), err;
	unsigned int n;

	if (fd < 0)
		return fd;
	err = os_map_fd_at(scratch, size, fd, 0, PROT_READ | PROT_WRITE);
	close(fd);
	for (unsigned int i = 0; i < count && !err; i += n) {
		/* Neighbours in memory go together: one mapping. */
		for (n = 1; i + n < count && pages[i + n] == pages[i] + n;)
			n++;
		memcpy(scratch, page_addr(pages[i]), (size_t)n << PAGE_SHIFT);
		err = os_remap(scratch, 0, page_addr(pages[i]), (size_t)n << PAGE_SHIFT);
		for (unsigned int k = 0; k < n && !err; k++)
			(*share_slot(page_to_pfn_raw(pages[i + k])))->fresh = false;
		scratch += (size_t)n << PAGE_SHIFT;
	}
	return err;
}

/* A run of pages that nobody maps: anonymous memory again. 0 or -errno. */
static int convert_back(struct page *first, unsigned int n)
{
	size_t size = (size_t)n << PAGE_SHIFT;
	char *scratch = os_map(size, vmap_granule());
	int err;

	if (!scratch)
		return -ENOMEM;
	memcpy(scratch, page_addr(first), size);
	err = os_remap(scratch, size, page_addr(first), size);
	if (err)
		os_unmap(scratch, size);
	return err;
}

/* Drop one reference of each page; those that have none left become anonymous again. */
static void unshare(struct page **pages, unsigned int count)
{
	unsigned int n;

	for (unsigned int i = 0; i < count; i++) {
		struct share **slot = share_slot(page_to_pfn_raw(pages[i]));

		if (!--(*slot)->refs && (*slot)->fresh)
			share_drop(slot); /* was never converted */
	}
	for (unsigned int i = 0; i < count; i += n ? n : 1) {
		for (n = 0;
		     i + n < count && pages[i + n] == pages[i] + n && is_unused(pages[i + n]);)
			n++;
		/* Where that fails the records stay, and the next vmap() finds the pages converted. */
		if (n && !WARN(convert_back(pages[i], n),
			       "slabwork: vunmap() leaves %u pages shared: no memory\n", n))
			for (unsigned int k = 0; k < n; k++)
				share_drop(share_slot(page_to_pfn_raw(pages[i + k])));
	}
}

/* Take a reference of each page; those not converted yet go to fresh[]. -ENOMEM: nothing changed. */
static int share_all(struct page **pages, unsigned int count, struct page **fresh,
		     unsigned int *nr_fresh)
{
	*nr_fresh = 0;
	for (unsigned int i = 0; i < count; i++) {
		struct share *share = share_get(page_to_pfn_raw(pages[i]));

		if (!share) {
			unshare(pages, i);
			return -ENOMEM;
		}
		if (share->fresh && share->refs == 1)
			fresh[(*nr_fresh)++] = pages[i];
	}
	return 0;
}

/* Fill the unmapped range at start with the pages. 0, or -errno with nothing shared. */
static int map_pages(char *start, struct page **pages, unsigned int count)
{
	struct page **fresh = kvmalloc_array(count, sizeof(*fresh), GFP_KERNEL | __GFP_NORETRY);
	unsigned int nr_fresh;
	int err;

	if (!fresh)
		return -ENOMEM;
	err = share_all(pages, count, fresh, &nr_fresh);
	if (err)
		goto free_fresh;
	if (nr_fresh)
		err = convert(fresh, nr_fresh, start);
	/* All of them new and different: the mapping that convert() made is what is wanted. */
	if (nr_fresh < count)
		for (unsigned int i = 0; i < count && !err; i++)
			err = os_remap(page_addr(pages[i]), 0, start + ((size_t)i << PAGE_SHIFT),
				       PAGE_SIZE);
	if (err)
		unshare(pages, count);
free_fresh:
	kvfree(fresh);
	return err;
}

static void *vmap_pages(struct page **pages, unsigned int count, unsigned long flags, int nid,
			const void *caller)
{
	size_t size = (size_t)count << PAGE_SHIFT;
	struct vmap_area *va;
	struct page **copy;
	bool clean;
	int err;

	mm_boot();
	if (!count || vmap_granule() > PAGE_SIZE)
		return NULL;
	copy = kvmalloc_array(count, sizeof(*copy), GFP_KERNEL);
	if (!copy)
		return NULL;
	memcpy(copy, pages, count * sizeof(*copy));
	va = vmap_get(size, 1, 0, &clean);
	if (!va)
		goto free_copy;
	va->nid = (signed char)(nid < 0 || nid >= (int)nr_node_ids ? 0 : nid);
	va->vm = (struct vm_struct){ .addr = (void *)va->start,
				     .size = size + PAGE_SIZE,
				     .flags = flags,
				     .pages = copy,
				     .nr_pages = count,
				     .caller = caller,
				     .requested_size = size };
	mutex_lock(&share_mutex);
	err = os_unmap((void *)va->start, size);
	if (!err)
		err = map_pages((char *)va->start, copy, count);
	mutex_unlock(&share_mutex);
	if (err)
		goto put_area;
	vmap_publish(va);
	return (void *)va->start;

put_area:
	vmap_put_unmap(va);
free_copy:
	kvfree(copy);
	return NULL;
}

void *vmap(struct page **pages, unsigned int count, unsigned long flags, pgprot_t prot)
{
	(void)prot;
	return vmap_pages(pages, count, flags | VM_MAP, NUMA_NO_NODE, __builtin_return_address(0));
}

void *vm_map_ram(struct page **pages, unsigned int count, int node)
{
	return vmap_pages(pages, count, VM_MAP | VM_SW_MAP_RAM, node, __builtin_return_address(0));
}

void vunmap(const void *addr)
{
	struct vmap_area *va;

	if (!addr)
		return;
	va = vmap_lookup(addr);
	if (WARN(!va || !(va->vm.flags & VM_MAP) || !vmap_unpublish(va),
		 "Trying to vunmap() nonexistent vm area (%p)\n", addr))
		return;
	mutex_lock(&share_mutex);
	unshare(va->vm.pages, va->vm.nr_pages);
	mutex_unlock(&share_mutex);
	kvfree(va->vm.pages);
	vmap_put_unmap(va);
}

void vm_unmap_ram(const void *mem, unsigned int count)
{
	struct vmap_area *va = vmap_lookup(mem);

	WARN(va && va->vm.nr_pages != count, "vm_unmap_ram() of %u pages of an area of %u\n", count,
	     va->vm.nr_pages);
	vunmap(mem);
}

static void share_fork_prepare(void)
{
	mutex_lock(&share_mutex);
}

static void share_fork_done(void)
{
	mutex_unlock(&share_mutex);
}
FORK_HANDLER(vmap_share, 8, share_fork_prepare, share_fork_done, share_fork_done);
