/* SPDX-License-Identifier: MIT */
/*
 * slub_report.c - misuse and leaks, in words
 *
 * Room: mm. Two kinds of text. What must not go on (a double free, an interior or
 * foreign pointer) is one line with a stable beginning, then SIGABRT:
 *
 *   slabwork: <call>: double free of 0x… (malloc-64, object 12 of slab 0x…)
 *   slabwork: <call>: 0x… points 8 bytes into a live object (malloc-64, object 12 of slab 0x…)
 *   slabwork: <call>: 0x… is not from this allocator
 *
 * What the kernel reports and survives (live objects at destroy, a cache that cannot
 * grow) has the kernel's text. Nothing here allocates or follows a pointer that
 * the caller passed in: a page entry is read only where memory is online.
 */

#include <slabwork/slab.h>
#include <slabwork/vmalloc.h>

#include "kernel/cpu.h"
#include "kernel/printk.h"
#include "lib/list.h"
#include "mm/slub_internal.h"
#include "os/os.h"

#define RULE_DOUBLE "============================================================================="
#define RULE_SINGLE "-----------------------------------------------------------------------------"

/* Addresses as the kernel prints them: sixteen digits. There is no free list, so fp is 0. */
#define SLAB_LINE   "Slab 0x%016lx objects=%u used=%u fp=0x%016lx flags=%#x\n"
#define OBJECT_LINE "Object 0x%016lx @offset=%lu\n"

static uintptr_t slab_base(const struct kmem_cache *s, const struct page *slab)
{
	return (uintptr_t)page_addr(slab) + s->red_left_pad;
}

static bool object_free_in_slab(struct page *slab, unsigned int idx)
{
	return slab_bitmap(slab)[idx / 64] >> (idx % 64) & 1;
}

static bool object_live(struct kmem_cache *s, struct page *slab, unsigned int idx)
{
	const void *object = (void *)(slab_base(s, slab) + (uintptr_t)idx * s->size);

	if (object_free_in_slab(slab, idx))
		return false;
	return s->fast.tag ? *objmap_byte(object) == objmap_tag(s, object) : true;
}

static void bad_slab_address(const char *who, struct kmem_cache *s, struct page *slab,
			     uintptr_t addr)
{
	uintptr_t off = addr - slab_base(s, slab), in;
	unsigned int idx;
	const char *state;

	if (off >= (uintptr_t)s->size * slab->objects)
		bug("%s: %#lx lies outside of every object (%s, slab %#lx)\n", who,
		    (unsigned long)addr, s->name, (unsigned long)slab_base(s, slab));
	idx = reciprocal_divide((uint32_t)off, s->reciprocal_size);
	in = off - (uintptr_t)idx * s->size;
	if (!in)
		bug("%s: double free of %#lx (%s, object %u of slab %#lx)\n", who,
		    (unsigned long)addr, s->name, idx, (unsigned long)slab_base(s, slab));
	state = object_live(s, slab, idx) ? "live" : "free";
	bug("%s: %#lx points %lu bytes into a %s object (%s, object %u of slab %#lx)\n", who,
	    (unsigned long)addr, (unsigned long)in, state, s->name, idx,
	    (unsigned long)slab_base(s, slab));
}

void slab_bad_free(const char *who, struct kmem_cache *named, const void *object)
{
	uintptr_t addr = (uintptr_t)object;
	struct page *page;

	if (slab_cache_of(object, &page))
		bad_slab_address(who, page->slab_cache, page, addr);
	if (layout_addr_online(addr)) {
		page = page_head(addr_to_page(object));
		if (page_test(page, PG_large) && addr != (uintptr_t)page_addr(page))
			bug("%s: %#lx points %lu bytes into a live block (%lu bytes at %#lx)\n",
			    who, (unsigned long)addr,
			    (unsigned long)(addr - (uintptr_t)page_addr(page)),
			    PAGE_SIZE << page->order, (unsigned long)(uintptr_t)page_addr(page));
		bug("%s: %#lx is in no live object (its pages are free or hold none)%s%s\n", who,
		    (unsigned long)addr, named ? ", freed to " : "", named ? named->name : "");
	}
	if (is_vmalloc_addr(object))
		bug("%s: %#lx is a vmalloc address that is not the start of a live area\n", who,
		    (unsigned long)addr);
	bug("%s: %#lx is not from this allocator\n", who, (unsigned long)addr);
}

void slab_report(struct kmem_cache *s, const void *object, const char *reason)
{
	struct page *slab;

	pr_err("%s\nBUG %s (Not tainted): %s\n%s\n\n", RULE_DOUBLE, s->name, reason, RULE_SINGLE);
	if (object && slab_cache_of(object, &slab) == s)
		pr_err(SLAB_LINE OBJECT_LINE, (unsigned long)(uintptr_t)slab, slab->objects,
		       slab->inuse, 0UL, atomic_load(&slab->flags),
		       (unsigned long)(uintptr_t)object,
		       (unsigned long)((uintptr_t)object - (uintptr_t)page_addr(slab)));
}

struct remaining {
	unsigned long objects;
	void *first;
};

static void list_slab(struct kmem_cache *s, struct page *slab, struct remaining *remaining)
{
	pr_err("%s\nBUG %s (Not tainted): Objects remaining on __kmem_cache_shutdown()\n%s\n\n",
	       RULE_DOUBLE, s->name, RULE_SINGLE);
	pr_err(SLAB_LINE, (unsigned long)(uintptr_t)slab, slab->objects, slab->inuse, 0UL,
	       atomic_load(&slab->flags));
	for (unsigned int i = 0; i < slab->objects; i++) {
		void *object = (void *)(slab_base(s, slab) + (uintptr_t)i * s->size);

		if (!object_live(s, slab, i))
			continue;
		if (!remaining->objects++)
			remaining->first = object;
		pr_err(OBJECT_LINE, (unsigned long)(uintptr_t)object,
		       (unsigned long)((uintptr_t)object - (uintptr_t)page_addr(slab)));
	}
}

/*
 * Every live object of a cache that is being destroyed, as the kernel lists them, and all of it
 * in a line. Nobody else uses the cache.
 */
void slab_list_remaining(struct kmem_cache *s)
{
	struct remaining remaining = { 0 };

	for (unsigned int nid = 0; nid < nr_node_ids; nid++) {
		struct kmem_cache_node *n = s->node[nid];
		struct page *slab;

		if (!n)
			continue;
		list_for_each_entry(slab, &n->partial, lru)
			if (slab->inuse)
				list_slab(s, slab, &remaining);
		list_for_each_entry(slab, &n->full, lru)
			list_slab(s, slab, &remaining);
	}
	pr_err("slabwork: kmem_cache_destroy %s: %lu objects remain; first %p\n", s->name,
	       remaining.objects, remaining.first);
}

/* At most one in ten seconds, as the kernel's default rate limit has it for a burst of these. */
#define OOM_REPORT_INTERVAL_NS 10000000000ULL

void slab_out_of_memory(struct kmem_cache *s, gfp_t gfp, int nid)
{
	static _Atomic uint64_t last;
	uint64_t now, before;

	if ((gfp & __GFP_NOWARN) || !gfpflags_allow_blocking(gfp))
		return;
	now = os_now_coarse_ns();
	before = atomic_load(&last);
	if ((before && now - before < OOM_REPORT_INTERVAL_NS) ||
	    !atomic_compare_exchange_strong(&last, &before, now))
		return;
	pr_warn("SLUB: Unable to allocate memory on CPU %u (of node %d) on node %d, gfp=%#x\n",
		cpu_cid(), numa_node_id(), nid, gfp);
	pr_warn("  cache: %s, object size: %u, buffer size: %u, default order: %u, min order: %u\n",
		s->name, s->object_size, s->size, oo_order(s->oo), oo_order(s->min));
	for (unsigned int i = 0; i < nr_node_ids; i++) {
		struct kmem_cache_node *n = s->node[i];

		if (n)
			pr_warn("  node %u: slabs: %ld, objs: %ld, free: %ld\n", i,
				(long)atomic_load(&n->nr_slabs),
				(long)atomic_load(&n->total_objects),
				(long)atomic_load(&n->free_objects));
	}
}

bool kmem_dump_obj(void *object)
{
	struct page *slab;
	struct kmem_cache *s = slab_cache_of(object, &slab);
	uintptr_t off;
	unsigned int idx;

	if (!s)
		return false;
	off = (uintptr_t)object - slab_base(s, slab);
	idx = reciprocal_divide((uint32_t)off, s->reciprocal_size);
	pr_err(" slab %s start %#lx pointer offset %lu size %u%s\n", s->name,
	       (unsigned long)(slab_base(s, slab) + (uintptr_t)idx * s->size),
	       (unsigned long)(off - (uintptr_t)idx * s->size), s->object_size,
	       idx < slab->objects && !object_live(s, slab, idx) ? " (free)" : "");
	return true;
}

void mem_dump_obj(void *object)
{
	struct vm_struct *area;

	if (kmem_dump_obj(object))
		return;
	if ((area = find_vm_area(object)))
		pr_err(" %lu-page vmalloc region starting at %p\n",
		       (unsigned long)(area->size >> PAGE_SHIFT), area->addr);
	else if (!object)
		pr_err(" NULL pointer.\n");
	else if (object == ZERO_SIZE_PTR)
		pr_err(" zero-size pointer.\n");
	else if (layout_addr_online((uintptr_t)object))
		pr_err(" non-slab/vmalloc memory.\n");
	else
		pr_err(" non-paged memory.\n");
}

/* The invariants of slub_node.c and slub.c, by number; 0: sound. Takes list_lock. */
static int validate_slab(struct kmem_cache *s, struct page *slab, bool on_list, unsigned long *free)
{
	unsigned int set = 0;

	if (!page_test(slab, PG_slab) || slab->slab_cache != s)
		return 4;
	for (unsigned int i = 0; i < slab->objects; i++) {
		const void *object = (void *)(slab_base(s, slab) + (uintptr_t)i * s->size);
		bool free_bit = object_free_in_slab(slab, i);

		set += free_bit;
		if (free_bit && s->fast.tag && *objmap_byte(object) != 0)
			return 11; /* S1 */
	}
	if (slab->inuse + set != slab->objects)
		return 1;
	if (slab->slab_on_list != on_list || (on_list ? !set : set != 0))
		return 2;
	*free += set;
	return 0;
}

static int validate_node(struct kmem_cache *s, struct kmem_cache_node *n)
{
	unsigned long free = 0, partial = 0;
	struct page *slab;
	int err = 0;

	list_for_each_entry(slab, &n->partial, lru) {
		partial++;
		if ((err = validate_slab(s, slab, true, &free)))
			return err;
	}
	list_for_each_entry(slab, &n->full, lru)
		if ((err = validate_slab(s, slab, false, &free)))
			return err;
	return free == n->free_objects && partial == n->nr_partial ? 0 : 3;
}

int kmem_cache_validate(struct kmem_cache *s)
{
	for (unsigned int nid = 0; nid < nr_node_ids; nid++) {
		struct kmem_cache_node *n = s->node[nid];
		int err;

		if (!n)
			continue;
		spin_lock(&n->list_lock);
		err = validate_node(s, n);
		spin_unlock(&n->list_lock);
		if (err)
			return err;
	}
	return 0;
}
