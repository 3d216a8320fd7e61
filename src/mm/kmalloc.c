/* SPDX-License-Identifier: MIT */
/*
 * kmalloc.c - memory of any size from a row of caches
 *
 * Room: mm.  Door: <slabwork/slab.h>.  Below us: slub.c for the caches, page_alloc.c for
 * what is larger.
 *
 * kmalloc_caches[type][index]: index i is 2^i bytes, but 1 is 96 and 2 is 192, which halve the
 * waste of requests of 65-96 and 129-192 bytes. A constant size finds its index in the
 * compiler (kmalloc_index()), a variable one of up to 192 bytes in size_index[], one byte
 * for each 8; above that the index is fls(size - 1). Both ways agree for every size (a test).
 *
 * What is larger than KMALLOC_MAX_CACHE_SIZE is a compound page of its own, its head
 * marked PG_large: counted as unreclaimable slab pages, in no cache.
 *
 * Departures from Linux: KMALLOC_MIN_SIZE 256 maps 65..128 to 256 (the kernel's table
 * names a cache that does not exist there).
 */

#include <slabwork/general.h>
#include <slabwork/mm.h>
#include <slabwork/rcupdate.h>
#include <slabwork/slab.h>
#include <slabwork/vmalloc.h>

#include <stdio.h>

#include "kernel/printk.h"
#include "lib/bitops.h"
#include "mm/boot.h"
#include "mm/kmalloc.h"
#include "mm/page_alloc.h"
#include "mm/slub_internal.h"
#include "mm/vmscan.h"

_Static_assert(KMALLOC_MIN_SIZE <= 256 && !(KMALLOC_MIN_SIZE & (KMALLOC_MIN_SIZE - 1)),
	       "KMALLOC_MIN_SIZE is a power of two up to 256");

struct kmem_cache *kmalloc_caches[NR_KMALLOC_TYPES][KMALLOC_SHIFT_HIGH + 1];
struct sw_fast sw_fast_general = { .first_step = SW_NO_FIRST_STEP, .nr_steps = &sw_nr_steps };

/* Sizes and short names by index; the table ends where KMALLOC_SHIFT could ever go (64 MiB). */
const struct kmalloc_info_struct kmalloc_info[KMALLOC_INFO_ENTRIES] = {
	{ NULL, 0 },
	{ "kmalloc-96", 96 },
	{ "kmalloc-192", 192 },
	{ "kmalloc-8", 8 },
	{ "kmalloc-16", 16 },
	{ "kmalloc-32", 32 },
	{ "kmalloc-64", 64 },
	{ "kmalloc-128", 128 },
	{ "kmalloc-256", 256 },
	{ "kmalloc-512", 512 },
	{ "kmalloc-1k", 1024 },
	{ "kmalloc-2k", 2048 },
	{ "kmalloc-4k", 4096 },
	{ "kmalloc-8k", 8192 },
	{ "kmalloc-16k", 16384 },
	{ "kmalloc-32k", 32768 },
	{ "kmalloc-64k", 65536 },
	{ "kmalloc-128k", 131072 },
	{ "kmalloc-256k", 262144 },
	{ "kmalloc-512k", 524288 },
	{ "kmalloc-1M", 1048576 },
	{ "kmalloc-2M", 2097152 },
	{ "kmalloc-4M", 4194304 },
	{ "kmalloc-8M", 8388608 },
	{ "kmalloc-16M", 16777216 },
	{ "kmalloc-32M", 33554432 },
	{ "kmalloc-64M", 67108864 },
};

/* Index for (size - 1) / 8, sizes up to 192, when the smallest class is 8. */
uint8_t size_index[24] = {
	3, 4, 5, 5, 6, 6, 6, 6, 1, 1, 1, 1, 7, 7, 7, 7, 2, 2, 2, 2, 2, 2, 2, 2,
};

void setup_kmalloc_cache_index_table(void)
{
	for (size_t bytes = 8; bytes <= 192; bytes += 8) {
		uint8_t index = (uint8_t)kmalloc_index_for(bytes, KMALLOC_MIN_SIZE);

		/* Other threads' kmalloc() reads along: no store where nothing changes. */
		if (size_index[size_index_elem(bytes)] != index)
			size_index[size_index_elem(bytes)] = index;
	}
}

static struct kmem_cache *kmalloc_slab(size_t size, gfp_t gfp)
{
	unsigned int index = size <= 192 ? size_index[size_index_elem(size)] :
					   (unsigned int)fls64(size - 1);

	return SW_LOAD_PUBLISHED(kmalloc_caches[kmalloc_type(gfp)][index]);
}

unsigned int kmalloc_size(unsigned int index)
{
	mm_boot();
	if (index > KMALLOC_SHIFT_HIGH || !kmalloc_caches[KMALLOC_NORMAL][index])
		return 0;
	return kmalloc_info[index].size;
}

size_t kmalloc_size_roundup(size_t size)
{
	mm_boot();
	if (!size || size > KMALLOC_MAX_SIZE)
		return size;
	if (size <= KMALLOC_MAX_CACHE_SIZE)
		return kmalloc_slab(size, 0)->object_size;
	return PAGE_SIZE << get_order(size);
}

/* ---- the caches ---- */

static const char *const type_prefix[NR_KMALLOC_TYPES] = { "kmalloc-", "kmalloc-rcl-",
							   "dma-kmalloc-", "kmalloc-cg-" };

static void new_kmalloc_cache(unsigned int index, enum kmalloc_cache_type type, slab_flags_t flags)
{
	static unsigned int next_tag = 1;
	unsigned int size = kmalloc_info[index].size;
	/* Tags are few: the rows that are rarely used find their cache through the page. */
	bool own_tag = type == KMALLOC_NORMAL && size >= 16 && size < PAGE_SIZE * 4;
	struct kmem_cache *s;
	char name[32];
	unsigned int i = 0;

	for (const char *c = type_prefix[type]; *c; c++)
		name[i++] = *c;
	for (const char *c = kmalloc_info[index].name + sizeof("kmalloc-") - 1; *c; c++)
		name[i++] = *c;
	name[i] = 0;
	if (type == KMALLOC_RECLAIM)
		flags |= SLAB_RECLAIM_ACCOUNT;
	else if (type == KMALLOC_DMA)
		flags |= SLAB_CACHE_DMA;
	else if (type == KMALLOC_CGROUP)
		flags |= SLAB_ACCOUNT;
	/* Aligned to the largest power of two that divides the size: 96 to 32, 192 to 64. */
	s = create_cache(name, size, size & -size, flags | SLAB_KMALLOC, 0, size, NULL, 0,
			 own_tag ? next_tag : 0);
	BUG_ON(!s);
	/* Release: the inline kmalloc() of another thread does not wait for the end of boot. */
	__atomic_store_n(&kmalloc_caches[type][index], s, __ATOMIC_RELEASE);
	if (own_tag)
		next_tag++;
}

static void new_kmalloc_row(enum kmalloc_cache_type type, slab_flags_t flags)
{
	for (unsigned int i = KMALLOC_SHIFT_LOW; i <= KMALLOC_SHIFT_HIGH; i++) {
		new_kmalloc_cache(i, type, flags);
		/* 96 and 192 come right after the power of two below them. */
		if (KMALLOC_MIN_SIZE <= 32 && i == 6)
			new_kmalloc_cache(1, type, flags);
		if (KMALLOC_MIN_SIZE <= 64 && i == 7)
			new_kmalloc_cache(2, type, flags);
	}
}

void create_kmalloc_caches(slab_flags_t flags)
{
	new_kmalloc_row(KMALLOC_NORMAL, flags);
	new_kmalloc_row(KMALLOC_RECLAIM, flags);
	new_kmalloc_row(KMALLOC_CGROUP, flags);
	atomic_store_explicit(&slab_state, UP, memory_order_release);
	new_kmalloc_row(KMALLOC_DMA, flags);
}

/* ---- allocation ---- */

static void account_large(struct page *page, int sign)
{
	mod_node_page_state(page_pgdat(page), NR_SLAB_UNRECLAIMABLE_B, sign * (1L << page->order));
}

static void *large_node(size_t size, gfp_t gfp, int nid)
{
	unsigned int order = get_order(size);
	struct page *page;

	mm_boot();
	if (unlikely(size > KMALLOC_MAX_SIZE)) {
		WARN_ONCE(!(gfp & __GFP_NOWARN),
			  "WARNING: kmalloc(%zu): larger than KMALLOC_MAX_SIZE\n", size);
		return NULL;
	}
	if (unlikely(gfp & GFP_SLAB_BUG_MASK)) {
		pr_warn("Unexpected gfp: %#x. Fixing up to gfp: %#x. Fix your code!\n",
			gfp & GFP_SLAB_BUG_MASK, gfp & ~GFP_SLAB_BUG_MASK);
		gfp &= ~GFP_SLAB_BUG_MASK;
	}
	page = alloc_pages_node(nid, gfp | __GFP_COMP, order);
	if (!page)
		return NULL;
	page->order = (unsigned char)order;
	page_set(page, PG_large);
	account_large(page, 1);
	return page_addr(page);
}

void *kmalloc_large(size_t size, gfp_t gfp)
{
	return large_node(size, gfp, NUMA_NO_NODE);
}

void *__kmalloc_node(size_t size, gfp_t gfp, int nid)
{
	if (unlikely(size > KMALLOC_MAX_CACHE_SIZE))
		return large_node(size, gfp, nid);
	if (unlikely(!size))
		return ZERO_SIZE_PTR;
	mm_boot();
	return kmem_cache_alloc_node(kmalloc_slab(size, gfp), gfp, nid);
}

void *__kmalloc(size_t size, gfp_t gfp)
{
	struct kmem_cache *s;

	if (unlikely(size > KMALLOC_MAX_CACHE_SIZE))
		return kmalloc_large(size, gfp);
	if (unlikely(!size))
		return ZERO_SIZE_PTR;
	s = kmalloc_slab(size, gfp);
	if (unlikely(!s || (gfp & GFP_SLAB_BUG_MASK))) {
		mm_boot();
		return slab_alloc_node(kmalloc_slab(size, gfp), gfp, NUMA_NO_NODE);
	}
	return kmem_cache_alloc(s, gfp);
}

void *kmalloc_nolock(size_t size, gfp_t gfp, int nid)
{
	WARN_ON_ONCE(gfp & ~(__GFP_ZERO | __GFP_ACCOUNT | __GFP_NOWARN | __GFP_NOMEMALLOC));
	return __kmalloc_node(size, (gfp & (__GFP_ZERO | __GFP_ACCOUNT)) | __GFP_NOWARN, nid);
}

void *kmalloc_align(size_t size, size_t align, gfp_t gfp)
{
	size_t rounded = size < align ? align : size;

	if (!align || (align & (align - 1)) || align > KMALLOC_MAX_SIZE)
		return NULL;
	/* A power of two is aligned to itself, and so is every block of pages. */
	if (rounded <= KMALLOC_MAX_CACHE_SIZE && align > 8)
		rounded = roundup_pow_of_two(rounded);
	else if (rounded > KMALLOC_MAX_CACHE_SIZE && align > PAGE_SIZE)
		rounded = roundup_pow_of_two(rounded);
	return size ? __kmalloc(rounded, gfp) : ZERO_SIZE_PTR;
}

/* ---- free ---- */

/* A live block starts exactly here: its head. */
static struct page *large_page(const void *addr)
{
	struct page *page;

	if (!layout_addr_online((uintptr_t)addr) || ((uintptr_t)addr & ~PAGE_MASK))
		return NULL;
	page = addr_to_page(addr);
	return page_test(page, PG_large) ? page : NULL;
}

static void free_large(struct page *page)
{
	unsigned int order = page->order;

	account_large(page, -1);
	page_clear(page, PG_large);
	__free_pages(page, order);
}

void slab_kfree(const void *object, unsigned int tag, const char *who)
{
	struct page *page;

	if (tag) {
		slab_free_slow(general_caches[tag], (void *)object, true, who);
		return;
	}
	if (ZERO_OR_NULL_PTR(object))
		return;
	page = large_page(object);
	if (page && page_test(page, PG_head))
		free_large(page);
	else if (page && sw_try_free(object))
		return; /* a block of general.c: its length is not a power of two */
	else
		slab_free_slow(NULL, (void *)object, false, who);
}

void sw_kfree_slow(const void *object, unsigned int tag)
{
	slab_kfree(object, tag, "kfree()");
}

void sw_kfree(const void *object)
{
	kfree(object);
}

void kfree_nolock(const void *object)
{
	kfree(object);
}

size_t ksize(const void *object)
{
	struct kmem_cache *s;
	struct page *page;

	if (ZERO_OR_NULL_PTR(object))
		return 0;
	page = large_page(object);
	if (page)
		return page_test(page, PG_head) ? PAGE_SIZE << page->order : sw_usable_size(object);
	s = slab_cache_of(object, &page);
	return s ? s->object_size : 0;
}

void kfree_sensitive(const void *p)
{
	size_t bytes = ksize(p);

	if (bytes)
		explicit_bzero((void *)p, bytes);
	kfree(p);
}

/* ---- resizing ---- */

void *__krealloc(const void *p, size_t new_size, gfp_t gfp)
{
	size_t have;
	void *fresh;

	if (unlikely(!new_size))
		return ZERO_SIZE_PTR;
	have = ksize(p);
	if (have >= new_size) {
		/* What lay behind the old request is not known: only the slack beyond it could be. */
		return (void *)p;
	}
	fresh = __kmalloc(new_size, gfp);
	if (fresh && have)
		memcpy(fresh, p, have);
	return fresh;
}

void *krealloc(const void *p, size_t new_size, gfp_t gfp)
{
	void *fresh;

	if (unlikely(!new_size)) {
		kfree(p);
		return ZERO_SIZE_PTR;
	}
	fresh = __krealloc(p, new_size, gfp);
	if (fresh && fresh != p)
		kfree(p);
	return fresh;
}

/* ---- after a grace period ---- */

/* Which object the rcu_head lies in needs no note: an address finds its object. */
static void kfree_rcu_done(struct rcu_head *head)
{
	struct page *slab;
	struct kmem_cache *s = slab_cache_of(head, &slab);
	struct vm_struct *area;
	uintptr_t off;

	if (s) {
		off = (uintptr_t)head - (uintptr_t)page_addr(slab) - s->red_left_pad;
		kfree((char *)head - off % s->size);
	} else if (layout_addr_online((uintptr_t)head)) {
		kfree(page_addr(page_head(addr_to_page(head))));
	} else if ((area = find_vm_area(head))) {
		vfree(area->addr);
	}
}

void sw_kfree_rcu(struct rcu_head *head, size_t offset)
{
	(void)offset; /* part of the interface: the kernel needs it */
	call_rcu(head, kfree_rcu_done);
}

void kvfree_call_rcu_mightsleep(const void *p)
{
	synchronize_rcu();
	kvfree(p);
}

void kvfree_rcu_barrier(void)
{
	rcu_barrier();
}

/* ---- buckets of one's own ---- */

struct kmem_buckets {
	struct kmem_cache *caches[KMALLOC_SHIFT_HIGH + 1];
};

struct kmem_buckets *kmem_buckets_create(const char *name, slab_flags_t flags,
					 unsigned int useroffset, unsigned int usersize,
					 void (*ctor)(void *))
{
	struct kmem_buckets *b = kzalloc(sizeof(*b), GFP_KERNEL);
	char text[64];

	if (!b)
		return NULL;
	for (unsigned int i = 1; i <= KMALLOC_SHIFT_HIGH; i++) {
		unsigned int size = kmalloc_size(i), use = usersize, align = size & -size;

		if (!size)
			continue;
		/* More than a page cannot be asked for; a class above it has it by position. */
		if (align > PAGE_SIZE)
			align = PAGE_SIZE;
		snprintf(text, sizeof(text), "%s-%s", name,
			 kmalloc_info[i].name + sizeof("kmalloc-") - 1);
		if (useroffset >= size)
			use = 0;
		else if (use > size - useroffset)
			use = size - useroffset;
		b->caches[i] = kmem_cache_create_usercopy(text, size, align, flags | SLAB_NO_MERGE,
							  use ? useroffset : 0, use, ctor);
		if (!b->caches[i])
			goto undo;
	}
	return b;
undo:
	for (unsigned int i = 1; i <= KMALLOC_SHIFT_HIGH; i++)
		kmem_cache_destroy(b->caches[i]);
	kfree(b);
	return NULL;
}

void *kmem_buckets_alloc(struct kmem_buckets *b, size_t size, gfp_t gfp)
{
	if (!size)
		return ZERO_SIZE_PTR;
	if (!b || size > KMALLOC_MAX_CACHE_SIZE)
		return __kmalloc(size, gfp);
	return kmem_cache_alloc(b->caches[kmalloc_index(size)], gfp);
}
