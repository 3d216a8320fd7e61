/* SPDX-License-Identifier: MIT */
/*
 * vmalloc.c - areas of whole pages, for the kernel's callers and for malloc
 *
 * Room: mm. Doors: <slabwork/vmalloc.h>; mm/vmalloc.h for the malloc front and
 * proc. Below us: vmap_area.c, which has the addresses and all locks. Next
 * door: vmap.c.
 *
 * 1. The idea
 *
 * An area is memory that the OS maps for us at addresses of our own: nothing of
 * it is resident before it is touched. The machine's size (mem=) still counts:
 * an area is charged (nr_vmalloc_pages) against the pages that the zones have
 * free or may still grow by, and if that is not enough reclaim runs once and
 * then the allocation fails.
 *
 * Life of an area: charge ─▶ vmap_get ─▶ fill vm_struct ─▶ vmap_publish ─▶ used ─▶
 * vmap_unpublish (one of two frees loses here) ─▶ uncharge ─▶ vmap_put.
 *
 * 2. Growing moves page tables, not bytes: in place where the addresses behind
 * are free, else mremap to a new area. mremap refuses a range of several
 * mappings; then the bytes are copied.
 *
 * 3. struct pages of an area are made when somebody first asks (vmalloc_to_page):
 * the memmap of its sections is mapped then and each page marked PG_vmalloc.
 *
 * Departures from Linux 6.12: pages are not allocated up front, so an area can be
 * larger than what is free at this moment on an elastic machine; node and huge
 * pages are wishes. Everything of a masks that may not sleep fails.
 *
 * Sources: Linux 6.12 mm/vmalloc.c as documented, include/linux/vmalloc.h.
 */

#include <errno.h>
#include <string.h>

#include <slabwork/gfp.h>
#include <slabwork/vmalloc.h>

#include "kernel/printk.h"
#include "mm/boot.h"
#include "mm/page_alloc.h"
#include "mm/vmalloc.h"
#include "mm/vmap_area.h"
#include "mm/vmscan.h"
#include "mm/zone.h"
#include "os/vm.h"

/* From this size on it is cheaper to let the OS hand out zero pages than to write zeroes. */
#define ZERO_BY_RELEASE (128UL << 10)
#define LARGE_ALIGN_MAX (1UL << 40) /* an area costs addresses only; beyond, they run out */
#define HUGE_SIZE       (2UL << 20)
/* Who grows gets room for so many times its size, and pays for as much of it in advance. */
#define ROOM_TIMES 16
#define ROOM_MOST  (32UL << 20)

#define caller_address() __builtin_return_address(0)

_Atomic unsigned long nr_vmalloc_pages;

/* ---- charging ------------------------------------------------------------------- */

/* Pages by which the machine may still grow. The low zones' are for those who must have them. */
static unsigned long growth(struct zone *zone)
{
	unsigned long present = atomic_load_explicit(&zone->present_pages, memory_order_relaxed);

	return zone_idx(zone) >= ZONE_NORMAL && zone->limit_pages > present ?
		       zone->limit_pages - present :
		       0;
}

/* Pages that the machine has or may grow to. */
static unsigned long machine_pages(void)
{
	unsigned long sum = 0;

	for_each_zone(zone)
		sum += zone_managed_pages(zone) + growth(zone);
	return sum;
}

/* Pages that are free now or could still come online. */
static unsigned long available_pages(void)
{
	unsigned long sum = 0;

	for_each_zone(zone)
		sum += zone_page_state(zone, NR_FREE_PAGES) + growth(zone);
	return sum;
}

/* Are so many pages available? The zone that has most of them is asked first. */
static bool available(unsigned long pages)
{
	struct zone *zone = &NODE_DATA(0)->node_zones[ZONE_NORMAL];

	return likely(pages <= zone_page_state(zone, NR_FREE_PAGES) + growth(zone)) ||
	       pages <= available_pages();
}

/* Charge if there would be so many times as much. */
static bool charge_if(unsigned long pages, unsigned int times)
{
	unsigned long now =
		atomic_fetch_add_explicit(&nr_vmalloc_pages, pages, memory_order_relaxed) + pages;

	if (likely(available(times * now)))
		return true;
	atomic_fetch_sub_explicit(&nr_vmalloc_pages, pages, memory_order_relaxed);
	return false;
}

static bool charge(unsigned long pages, int nid)
{
	if (likely(charge_if(pages, 1)))
		return true;
	try_to_free_pages(nid, GFP_KERNEL, 0);
	return charge_if(pages, 1);
}

static void uncharge(unsigned long pages)
{
	atomic_fetch_sub_explicit(&nr_vmalloc_pages, pages, memory_order_relaxed);
}

static void count_node(const struct vmap_area *va, long pages)
{
	mod_node_page_state(NODE_DATA(va->nid), NR_VMALLOC_PAGES, pages);
}

/* ---- areas ----------------------------------------------------------------------- */

struct request {
	size_t size, align;
	size_t room; /* bytes that would be nice to have, 0: none; never touched in advance */
	gfp_t gfp;
	int nid;
	unsigned int get;    /* VMAP_* */
	unsigned long flags; /* vm_struct.flags */
	const void *caller;
};

static size_t guard_bytes(const struct vmap_area *va)
{
	return va->next && va->next->state == VA_GUARD ? PAGE_SIZE : 0;
}

static void fill_vm(struct vmap_area *va, const struct request *rq, size_t paid)
{
	va->nid = (signed char)(rq->nid < 0 || rq->nid >= (int)nr_node_ids ? 0 : rq->nid);
	va->vm = (struct vm_struct){
		.addr = (void *)va->start,
		.size = vmap_area_bytes(va) + guard_bytes(va),
		.flags = rq->flags | (guard_bytes(va) ? 0 : VM_NO_GUARD),
		.nr_pages = (unsigned int)(paid >> PAGE_SHIFT),
		.caller = rq->caller,
		.requested_size = rq->size,
	};
	if (rq->flags & VM_SW_LARGE)
		atomic_store_explicit(&va->fit, paid, memory_order_relaxed);
}

/* Charge the room where memory is plenty, else what is asked for. Bytes; 0: not even that. */
static size_t charge_room(const struct request *rq, size_t asked, size_t room)
{
	if (room > asked && charge_if(room >> PAGE_SHIFT, 2))
		return room;
	return charge(asked >> PAGE_SHIFT, rq->nid < 0 ? 0 : rq->nid) ? asked : 0;
}

/* An area, published. *clean: it reads as zero. NULL: no memory. */
static struct vmap_area *area_alloc(const struct request *rq, bool *clean)
{
	size_t granule = vmap_granule(), charged, paid;
	struct vmap_area *va;

	if (!rq->size || rq->size > (size_t)PTRDIFF_MAX - granule)
		return NULL;
	charged = charge_room(rq, (rq->size + granule - 1) & -granule, rq->room & -granule);
	if (!charged)
		return NULL;
	if (rq->room)
		va = vmap_get_growing(rq->size, rq->room, clean);
	else
		va = vmap_get(rq->size, rq->align, rq->get, clean);
	if (!va) {
		uncharge(charged >> PAGE_SHIFT);
		return NULL;
	}
	/* What we got may be a little larger than what was asked for, or have less room. */
	paid = vmap_area_bytes(va);
	if (rq->room && paid > charged)
		paid = charged;
	if (paid != charged)
		atomic_fetch_add_explicit(&nr_vmalloc_pages,
					  (paid >> PAGE_SHIFT) - (charged >> PAGE_SHIFT),
					  memory_order_relaxed);
	fill_vm(va, rq, paid);
	count_node(va, va->vm.nr_pages);
	vmap_publish(va);
	return va;
}

static void area_zero(struct vmap_area *va)
{
	size_t bytes = vmap_area_bytes(va);

	if (bytes < ZERO_BY_RELEASE || os_release((void *)va->start, bytes))
		memset((void *)va->start, 0, bytes);
}

/* The marks that vmalloc_to_page() made are taken off before the memory is anybody else's. */
static void forget_pages(struct vmap_area *va)
{
	if (!va->memmap)
		return;
	for (uintptr_t at = va->start; at < va->end; at += PAGE_SIZE)
		page_flags_set_all(addr_to_page((void *)at), 0);
	va->memmap = false;
}

/* An unpublished area has no owner any more. */
static void area_uncharge(struct vmap_area *va)
{
	unsigned long pages = va->vm.nr_pages;

	forget_pages(va);
	count_node(va, -(long)pages);
	uncharge(pages);
}

/* Free an area of vmalloc() or malloc. False: somebody else has freed it. */
static bool area_free(struct vmap_area *va, bool later)
{
	if (!vmap_unpublish(va))
		return false;
	area_uncharge(va);
	/* The mark: its room is being cut off at this moment. */
	if (atomic_exchange(&va->fit, 0) == VMAP_FIT_CUT || later)
		vmap_put_later(va);
	else if (!(va->vm.flags & VM_SW_GROWING) || !vmap_warm_put(va, va->vm.requested_size))
		vmap_put(va);
	return true;
}

/* Addresses for what will be size bytes and grow. */
static size_t room_for(size_t size)
{
	size_t more = size < ROOM_MOST / ROOM_TIMES ? (ROOM_TIMES - 1) * size : ROOM_MOST;

	return size < (size_t)PTRDIFF_MAX - ROOM_MOST ? size + more : size;
}

/* ---- resizing ---------------------------------------------------------------------- */

/* Move the pages of an area to a larger new one. The new area, or NULL: nothing has changed. */
static struct vmap_area *area_move(struct vmap_area *va, const struct request *rq, bool *clean)
{
	struct vmap_area *fresh = area_alloc(rq, clean);
	size_t paid = vmap_paid_bytes(&va->vm), old, fit;

	if (!fresh)
		return NULL;
	fit = rq->flags & VM_SW_LARGE ? vmap_paid_bytes(&fresh->vm) : 0;
	if (vmap_paid_bytes(&fresh->vm) < paid || !vmap_unpublish(va)) {
		area_free(fresh, false);
		return NULL;
	}
	area_uncharge(va);
	/* Nobody cuts either of them while their pages move. */
	vmap_set_fit(fresh, 0);
	vmap_set_fit(va, 0);
	if (vmap_area_bytes(va) > vmap_area_bytes(fresh))
		vmap_shrink(va, paid);
	old = vmap_area_bytes(va);
	if (!os_remap((void *)va->start, old, (void *)fresh->start, vmap_area_bytes(fresh))) {
		*clean = true; /* what lay there has been replaced */
	} else {
		/* The old area lies in several mappings. Older kernels find out too late. */
		os_map_at((void *)fresh->start, vmap_area_bytes(fresh));
		os_move((char *)va->start, old, (char *)fresh->start);
	}
	vmap_put_gone(va);
	vmap_set_fit(fresh, fit);
	return fresh;
}

static void set_size(struct vmap_area *va, size_t requested, unsigned long pages)
{
	__atomic_store_n(&va->vm.requested_size, requested, __ATOMIC_RELAXED);
	va->vm.nr_pages = (unsigned int)pages;
	va->vm.size = vmap_area_bytes(va) + guard_bytes(va);
}

/* Grow in place. 0 or -ENOMEM. */
static int area_grow(struct vmap_area *va, const struct request *rq, bool *clean)
{
	size_t granule = vmap_granule(), bytes;
	unsigned long more;
	int err = -ENOMEM;

	if (rq->size > (size_t)PTRDIFF_MAX - granule)
		return -ENOMEM;
	bytes = (rq->size + granule - 1) & -granule;
	more = (bytes >> PAGE_SHIFT) - va->vm.nr_pages;
	if (!charge(more, va->nid))
		return -ENOMEM;
	forget_pages(va);
	if (rq->room > bytes)
		err = vmap_grow(va, rq->room, bytes, clean);
	if (err)
		err = vmap_grow(va, bytes, rq->flags & VM_SW_LARGE ? bytes : 0, clean);
	if (err) {
		uncharge(more);
		return err;
	}
	count_node(va, (long)more);
	set_size(va, rq->size, bytes >> PAGE_SHIFT);
	return 0;
}

/*
 * Pay for a part of the room that size lies in, and for what comes next, too, where memory is
 * plenty. False: it is not there any more, or too much.
 */
static bool area_use_room(struct vmap_area *va, size_t size, bool reclaim)
{
	size_t granule = vmap_granule(), most = vmap_area_bytes(va);
	size_t bytes = (size + granule - 1) & -granule, ahead = room_for(bytes);
	unsigned long more;

	if (bytes > most)
		return false;
	if (ahead > most)
		ahead = most;
	more = (ahead >> PAGE_SHIFT) - va->vm.nr_pages;
	if (!charge_if(more, 2)) {
		ahead = bytes;
		more = (ahead >> PAGE_SHIFT) - va->vm.nr_pages;
		if (!charge_if(more, 1) && (!reclaim || !charge(more, va->nid)))
			return false;
	}
	if (!vmap_set_fit(va, ahead)) {
		uncharge(more);
		return false;
	}
	count_node(va, (long)more);
	set_size(va, size, ahead >> PAGE_SHIFT);
	return true;
}

/* The block in at least size bytes, or NULL with nothing changed. */
static struct vmap_area *area_resize(struct vmap_area *va, const struct request *rq)
{
	size_t old = vmap_area_bytes(va), used = va->vm.requested_size;
	struct vmap_area *fresh = va;
	bool clean = true;

	if (rq->size > old && area_grow(va, rq, &clean)) {
		fresh = area_move(va, rq, &clean);
		if (!fresh)
			return NULL;
	}
	if (rq->gfp & __GFP_ZERO) {
		char *start = (char *)fresh->start;

		if (rq->size > used)
			memset(start + used, 0, (rq->size < old ? rq->size : old) - used);
		if (rq->size > old && !clean)
			memset(start + old, 0, vmap_area_bytes(fresh) - old);
	}
	fresh->vm.requested_size = rq->size;
	return fresh;
}

/* ---- the kernel's calls --------------------------------------------------------------- */

static void *vmalloc_fail(const struct request *rq, bool beyond)
{
	if (rq->gfp & __GFP_NOWARN)
		return NULL;
	if (beyond)
		pr_warn("vmalloc error: size %lu, exceeds total pages\n", rq->size);
	else
		pr_warn("vmalloc error: size %lu, vm_struct allocation failed\n", rq->size);
	warn_alloc(rq->gfp, 0);
	return NULL;
}

static void *vmalloc_request(const struct request *rq)
{
	struct vmap_area *va;
	bool clean;

	mm_boot();
	if (WARN_ON_ONCE(!rq->size))
		return NULL;
	if (rq->size >> PAGE_SHIFT > machine_pages())
		return vmalloc_fail(rq, true);
	if (!gfpflags_allow_blocking(rq->gfp))
		return NULL;
	va = area_alloc(rq, &clean);
	if (!va)
		return vmalloc_fail(rq, false);
	if (rq->flags & VM_ALLOW_HUGE_VMAP && rq->size >= HUGE_SIZE)
		os_hugepage((void *)va->start, vmap_area_bytes(va), true);
	if (rq->gfp & __GFP_ZERO && !clean)
		area_zero(va);
	return (void *)va->start;
}

void *__vmalloc_node(unsigned long size, unsigned long align, gfp_t gfp, int node,
		     const void *caller)
{
	return vmalloc_request(&(struct request){ .size = size,
						  .align = align,
						  .gfp = gfp,
						  .nid = node,
						  .flags = VM_ALLOC,
						  .caller = caller });
}

void *__vmalloc(unsigned long size, gfp_t gfp)
{
	return __vmalloc_node(size, 1, gfp, NUMA_NO_NODE, caller_address());
}

void *vmalloc(unsigned long size)
{
	return __vmalloc_node(size, 1, GFP_KERNEL, NUMA_NO_NODE, caller_address());
}

void *vzalloc(unsigned long size)
{
	return __vmalloc_node(size, 1, GFP_KERNEL | __GFP_ZERO, NUMA_NO_NODE, caller_address());
}

void *vmalloc_node(unsigned long size, int node)
{
	return __vmalloc_node(size, 1, GFP_KERNEL, node, caller_address());
}

void *vzalloc_node(unsigned long size, int node)
{
	return __vmalloc_node(size, 1, GFP_KERNEL | __GFP_ZERO, node, caller_address());
}

void *vmalloc_user(unsigned long size)
{
	return vmalloc_request(&(struct request){ .size = size,
						  .gfp = GFP_KERNEL | __GFP_ZERO,
						  .nid = NUMA_NO_NODE,
						  .flags = VM_ALLOC | VM_USERMAP,
						  .caller = caller_address() });
}

void *vmalloc_32(unsigned long size)
{
	return vmalloc_request(&(struct request){ .size = size,
						  .gfp = GFP_KERNEL,
						  .nid = NUMA_NO_NODE,
						  .get = VMAP_LOW,
						  .flags = VM_ALLOC,
						  .caller = caller_address() });
}

void *vmalloc_32_user(unsigned long size)
{
	return vmalloc_request(&(struct request){ .size = size,
						  .gfp = GFP_KERNEL | __GFP_ZERO,
						  .nid = NUMA_NO_NODE,
						  .get = VMAP_LOW,
						  .flags = VM_ALLOC | VM_USERMAP,
						  .caller = caller_address() });
}

void *vmalloc_huge(unsigned long size, gfp_t gfp)
{
	return vmalloc_request(&(struct request){ .size = size,
						  .align = size >= HUGE_SIZE ? HUGE_SIZE : 1,
						  .gfp = gfp,
						  .nid = NUMA_NO_NODE,
						  .flags = VM_ALLOC | VM_ALLOW_HUGE_VMAP,
						  .caller = caller_address() });
}

void *vmalloc_array(size_t n, size_t size)
{
	size_t bytes;

	if (unlikely(__builtin_mul_overflow(n, size, &bytes)))
		return NULL;
	return __vmalloc_node(bytes, 1, GFP_KERNEL, NUMA_NO_NODE, caller_address());
}

void *vcalloc(size_t n, size_t size)
{
	size_t bytes;

	if (unlikely(__builtin_mul_overflow(n, size, &bytes)))
		return NULL;
	return __vmalloc_node(bytes, 1, GFP_KERNEL | __GFP_ZERO, NUMA_NO_NODE, caller_address());
}

/* The area at addr if vfree() may free it; warns and returns NULL else. */
static struct vmap_area *vfree_area(const void *addr)
{
	struct vmap_area *va;

	if (!addr)
		return NULL;
	if (WARN((uintptr_t)addr & (PAGE_SIZE - 1), "Trying to vfree() bad address (%p)\n", addr))
		return NULL;
	va = vmap_lookup(addr);
	if (WARN(!va || !(va->vm.flags & VM_ALLOC), "Trying to vfree() nonexistent vm area (%p)\n",
		 addr))
		return NULL;
	return va;
}

void vfree(const void *addr)
{
	struct vmap_area *va = vfree_area(addr);

	if (va)
		WARN(!area_free(va, false), "Trying to vfree() nonexistent vm area (%p)\n", addr);
}

void vfree_atomic(const void *addr)
{
	struct vmap_area *va = vfree_area(addr);

	if (va)
		WARN(!area_free(va, true), "Trying to vfree() nonexistent vm area (%p)\n", addr);
}

void *vrealloc(const void *p, size_t size, gfp_t gfp)
{
	struct request rq = { .size = size,
			      .gfp = gfp,
			      .nid = NUMA_NO_NODE,
			      .flags = VM_ALLOC,
			      .caller = caller_address() };
	struct vmap_area *va;

	if (!size) {
		vfree(p);
		return NULL;
	}
	if (!p)
		return vmalloc_request(&rq);
	va = vmap_lookup(p);
	if (WARN(!va || !(va->vm.flags & VM_ALLOC),
		 "Trying to vrealloc() nonexistent vm area (%p)\n", p))
		return NULL;
	if (size > vmap_area_bytes(va) && !gfpflags_allow_blocking(gfp))
		return NULL;
	rq.nid = va->nid;
	rq.flags = va->vm.flags & ~VM_NO_GUARD;
	if (va->space == &vmap_spaces[1])
		rq.get = VMAP_LOW;
	va = area_resize(va, &rq);
	return va ? (void *)va->start : vmalloc_fail(&rq, false);
}

/* ---- asking --------------------------------------------------------------------------------- */

bool is_vmalloc_addr(const void *addr)
{
	uintptr_t at = (uintptr_t)addr;

	if (at - sw_layout.vmalloc_start < sw_layout.vmalloc_end - sw_layout.vmalloc_start)
		return true;
	return at - vmap_spaces[1].start < vmap_spaces[1].end - vmap_spaces[1].start;
}

struct vm_struct *find_vm_area(const void *addr)
{
	struct vmap_area *va = vmap_lookup_inside(addr);

	return va ? &va->vm : NULL;
}

/* Map the memmap of every section that the area touches, and mark its pages. */
static bool memmap_fill(struct vmap_area *va)
{
	if (va->memmap)
		return true;
	for (uintptr_t at = va->start & ~(SECTION_SIZE - 1); at < va->end; at += SECTION_SIZE) {
		int err = os_map_at(addr_to_page((void *)at),
				    (SECTION_SIZE >> PAGE_SHIFT) * sizeof(struct page));

		if (err && err != -EEXIST) /* the section of another area, too */
			return false;
	}
	for (uintptr_t at = va->start; at < va->end; at += PAGE_SIZE) {
		struct page *page = addr_to_page((void *)at);

		atomic_store_explicit(&page->_refcount, 1, memory_order_relaxed);
		page_flags_set_all(page, 1u << PG_vmalloc |
						 (unsigned int)va->nid << PAGE_NODE_SHIFT |
						 (unsigned int)ZONE_NORMAL << PAGE_ZONE_SHIFT);
	}
	va->memmap = true;
	return true;
}

struct page *vmalloc_to_page(const void *addr)
{
	struct vmap_area *va = vmap_lookup_inside(addr);

	if (!va)
		return NULL;
	if (va->vm.pages)
		return va->vm.pages[((uintptr_t)addr - va->start) >> PAGE_SHIFT];
	if (!(va->vm.flags & VM_ALLOC) || !memmap_fill(va))
		return NULL;
	return addr_to_page(addr);
}

unsigned long vmalloc_to_pfn(const void *addr)
{
	struct page *page = vmalloc_to_page(addr);

	return page ? page_to_pfn_raw(page) : 0;
}

void vm_unmap_aliases(void)
{
	vmap_purge();
}

/* ---- big blocks ---------------------------------------------------------------------------------- */

static void *large_alloc(const struct request *rq, bool *zeroed)
{
	bool clean;
	struct vmap_area *va = area_alloc(rq, &clean);

	if (!va)
		return NULL;
	if (zeroed)
		*zeroed = clean;
	return (void *)va->start;
}

void *vm_large_alloc(size_t size, size_t align, bool *zeroed)
{
	if (align > LARGE_ALIGN_MAX || (align & (align - 1)))
		return NULL;
	return large_alloc(&(struct request){ .size = size,
					      .align = align,
					      .nid = NUMA_NO_NODE,
					      .get = VMAP_SLACK,
					      .flags = VM_ALLOC | VM_SW_LARGE,
					      .caller = caller_address() },
			   zeroed);
}

void *vm_large_alloc_growing(size_t size, bool *zeroed)
{
	return large_alloc(&(struct request){ .size = size,
					      .room = room_for(size),
					      .nid = NUMA_NO_NODE,
					      .flags = VM_ALLOC | VM_SW_LARGE | VM_SW_GROWING,
					      .caller = caller_address() },
			   zeroed);
}

bool vm_large_resize_within(void *p, size_t new_size)
{
	struct vmap_area *va;
	enum vmap_within within = vmap_resize_within(p, new_size, &va);

	return likely(within == VMAP_WITHIN) ||
	       (within == VMAP_ROOM && va->vm.flags & VM_SW_LARGE &&
		area_use_room(va, new_size, false));
}

void *vm_large_realloc(void *p, size_t new_size)
{
	struct vmap_area *va = vmap_lookup(p);
	struct request rq = { .size = new_size,
			      .room = room_for(new_size),
			      .nid = NUMA_NO_NODE,
			      .flags = VM_ALLOC | VM_SW_LARGE | VM_SW_GROWING,
			      .caller = caller_address() };
	unsigned long paid, pages;

	if (!va || !(va->vm.flags & VM_ALLOC) || !new_size)
		return NULL;
	paid = va->vm.nr_pages;
	if (new_size > paid << PAGE_SHIFT) {
		if (va->vm.flags & VM_SW_LARGE && area_use_room(va, new_size, true))
			return p;
		if (new_size <= vmap_area_bytes(va))
			return NULL; /* the addresses are there, but not the memory */
		va->vm.flags |= rq.flags & VM_SW_GROWING;
		va = area_resize(va, &rq);
	} else if (va->vm.requested_size - new_size >= VMAP_SHRINK_WORTH) {
		forget_pages(va);
		vmap_shrink(va, new_size);
		pages = vmap_area_bytes(va) >> PAGE_SHIFT;
		if (pages > paid)
			pages = paid;
		uncharge(paid - pages);
		count_node(va, -(long)(paid - pages));
		set_size(va, new_size, pages);
	}
	return va ? (void *)va->start : NULL;
}

size_t vm_large_size(const void *p)
{
	struct vmap_area *va = vmap_lookup(p);

	return va && va->vm.flags & VM_ALLOC ?
		       PAGE_ALIGN(__atomic_load_n(&va->vm.requested_size, __ATOMIC_RELAXED)) :
		       0;
}

bool vm_large_free(void *p)
{
	struct vmap_area *va = vmap_lookup(p);

	return va && va->vm.flags & VM_ALLOC && area_free(va, false);
}
