/* SPDX-License-Identifier: MIT */
#ifndef FAKE_MACHINE_H
#define FAKE_MACHINE_H

/*
 * fake_machine.h - a machine made of literals, seen through a view
 *
 * Every number of it is chosen here, so the texts of golden tests are exact. Its
 * addresses are real addresses of the test, but the view refuses to read any
 * that is not part of the fake: a reader that follows a pointer by itself, or
 * reads past a structure, is caught.
 */

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <slabwork/show.h>
#include <slabwork/slab.h>

#include "mm/machine.h"
#include "mm/slab.h"
#include "mm/vmap_area.h"
#include "mm/zone.h"

#define FAKE_CAPACITY    28 /* a sheaf of 256 bytes */
#define FAKE_CIDS        2
#define FAKE_ARENA_PAGES 1024

struct fake {
	struct sw_view view; /* first */
	struct sw_machine root;
	int state;
	struct sw_layout layout;
	unsigned int nr_nodes;
	struct list_head caches;
	struct kmem_cache cache[3];
	struct kmem_cache_node node[3][2];
	struct pglist_data pgdat[2];
	struct per_cpu_pages pcp[2][FAKE_CIDS];
	unsigned long events[NR_VM_EVENT_ITEMS];
	struct mem_section section[2];
	struct mem_section *table;
	struct vmap_area va[4];
	struct vmap_area *first[2];
	struct vmap_area *const *roots[2];
	struct page page[FAKE_ARENA_PAGES];
	/* what follows lies outside */
	char *arena; /* the machine's memory: sheaves */
	char *slots;
	unsigned int fail_reads; /* so many next reads say -EAGAIN */
	unsigned int reads;
};

#define FAKE_ARENA_BYTES (FAKE_ARENA_PAGES * PAGE_SIZE)
#define FAKE_SLOTS_BYTES ((size_t)FAKE_CIDS << SW_PCPU_SHIFT)

static inline bool fake_inside(uintptr_t addr, size_t size, const void *start, size_t bytes)
{
	return addr >= (uintptr_t)start && addr + size <= (uintptr_t)start + bytes;
}

static inline int fake_read(struct sw_view *view, void *dst, uintptr_t addr, size_t size)
{
	struct fake *f = (struct fake *)view;
	static const char *const names[] = { "conn", "kmalloc-64", "rcu_thing" };

	f->reads++;
	if (f->fail_reads) {
		f->fail_reads--;
		return -EAGAIN;
	}
	/* Names are literals: readable up to their page's end. */
	for (int i = 0; i < 3; i++) {
		size_t len = strlen(names[i]) + 1, at = addr - (uintptr_t)f->cache[i].name;

		if (at < len) {                 /* one literal may lie right behind another */
			memset(dst, 'x', size); /* what follows the NUL is anything */
			memcpy(dst, names[i] + at, len - at < size ? len - at : size);
			return 0;
		}
	}
	if (!fake_inside(addr, size, f, sizeof(*f)) &&
	    !fake_inside(addr, size, f->arena, FAKE_ARENA_BYTES) &&
	    !fake_inside(addr, size, f->slots, FAKE_SLOTS_BYTES))
		return -EFAULT;
	memcpy(dst, (const void *)addr, size);
	return 0;
}

static inline int fake_symbol(struct sw_view *view, uintptr_t addr, char *text, size_t size)
{
	(void)view;
	if (addr != 0x1234)
		return -ENOENT;
	return snprintf(text, size, "conn_init+0x0/0x20");
}

/* A sheaf in the arena with so many objects. */
static inline struct slab_sheaf *fake_sheaf(struct fake *f, unsigned int nr, unsigned int size)
{
	struct slab_sheaf *sheaf = (void *)(f->arena + 256 * nr);

	sheaf->capacity = FAKE_CAPACITY;
	sheaf->size = (unsigned short)size;
	for (unsigned int i = 0; i < size; i++)
		sheaf->objects[i] = f->arena + 64 * i;
	sheaf->objects[FAKE_CAPACITY] = SW_SHEAF_FULL;
	return sheaf;
}

static inline void fake_slot(struct fake *f, unsigned int index, unsigned int cid,
			     struct slab_sheaf *sheaf, unsigned int size)
{
	void **slot = (void **)(f->slots + ((size_t)cid << SW_PCPU_SHIFT) + 8 * index);

	*slot = size ? &sheaf->objects[size - 1] : &sheaf->bottom;
}

static inline void fake_spare(struct fake *f, unsigned int index, unsigned int cid,
			      struct slab_sheaf *sheaf)
{
	*(void **)(f->slots + ((size_t)cid << SW_PCPU_SHIFT) + (1ul << (SW_PCPU_SHIFT - 1)) +
		   8 * index) = sheaf;
}

static inline void fake_add_cache(struct fake *f, int i, const char *name, unsigned int object_size,
				  unsigned int size, unsigned int order, slab_flags_t flags)
{
	struct kmem_cache *c = &f->cache[i];

	c->name = name;
	c->flags = flags;
	c->object_size = object_size;
	c->size = size;
	c->oo.x = order << 16 | (unsigned int)((PAGE_SIZE << order) / size);
	c->refcount = 1;
	c->align = 8;
	c->min_partial = 5;
	c->cpu_partial = 120;
	c->slot_index = (unsigned int)i + 1;
	c->fast.slots = f->slots + 8 * (i + 1);
	c->node[0] = &f->node[i][0];
	c->list.next = &f->caches;
	c->list.prev = f->caches.prev;
	f->caches.prev->next = &c->list;
	f->caches.prev = &c->list;
	for (int n = 0; n < 2; n++)
		f->node[i][n].partial.next = f->node[i][n].partial.prev = &f->node[i][n].partial;
}

static inline void fake_add_zone(struct fake *f, int nid, enum zone_type idx, unsigned long pages)
{
	struct zone *z = &f->pgdat[nid].node_zones[idx];

	z->zone_start_pfn = (uintptr_t)f->arena >> PAGE_SHIFT;
	z->spanned_pages = pages;
	z->present_pages = pages;
	z->managed_pages = pages - 24;
	z->_watermark[WMARK_MIN] = 32;
	z->_watermark[WMARK_LOW] = 40;
	z->_watermark[WMARK_HIGH] = 48;
	z->_watermark[WMARK_PROMO] = 56;
	z->per_cpu_pageset = f->pcp[nid];
	for (int cid = 0; cid < FAKE_CIDS; cid++) {
		f->pcp[nid][cid].count = 7 * cid;
		f->pcp[nid][cid].high = 30;
		f->pcp[nid][cid].batch = 15;
		f->pcp[nid][cid].nr_alloc = 1000;
		f->pcp[nid][cid].nr_free = 900;
	}
	z->nr_alloc_direct = 5;
	z->nr_free_direct = 3;
	z->vm_stat[NR_FREE_PAGES] = (long)pages - 324;
	z->vm_stat[NR_COMMITTED] = 300;
	for (int order = 0; order < MAX_ORDER; order++) {
		z->free_area[order].nr_free = (unsigned long)(11 - order);
		z->free_area[order].nr_free_type[MIGRATE_UNMOVABLE] = 1;
		z->free_area[order].nr_free_type[MIGRATE_MOVABLE] = (unsigned long)(10 - order);
	}
}

/* A machine of one node, one zone of 4 MiB, two caches and two areas. */
static inline struct fake *fake_create(void)
{
	struct fake *f =
		mmap(NULL, sizeof(*f), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	f->arena = mmap(NULL, FAKE_ARENA_BYTES, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	f->slots = mmap(NULL, FAKE_SLOTS_BYTES, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	f->view.read = fake_read;
	f->view.symbol = fake_symbol;
	f->view.root = (uintptr_t)&f->root;
	f->root = sw_machine_root;
	f->root.slab_state = &f->state;
	f->root.slab_caches = &f->caches;
	f->root.sw_layout = &f->layout;
	f->root.node_data = f->pgdat;
	f->root.nr_node_ids = &f->nr_nodes;
	f->root.vm_events = f->events;
	f->root.sections = &f->table;
	f->root.vmap_roots = f->roots;
	f->state = FULL;
	f->nr_nodes = 1;
	f->layout.nr_cids = FAKE_CIDS;
	f->layout.memmap = f->page - ((uintptr_t)f->arena >> PAGE_SHIFT);
	f->layout.machine_start = (uintptr_t)f->arena;
	f->layout.machine_online = f->layout.machine_end = (uintptr_t)f->arena + FAKE_ARENA_BYTES;
	f->layout.vmalloc_start = 0x7e0000000000;
	f->layout.vmalloc_end = 0x7e0100000000;
	f->caches.next = f->caches.prev = &f->caches;

	fake_add_cache(f, 0, "conn", 184, 192, 0, SLAB_HWCACHE_ALIGN);
	fake_add_cache(f, 1, "kmalloc-64", 64, 64, 0, SLAB_KMALLOC);
	fake_add_zone(f, 0, ZONE_NORMAL, FAKE_ARENA_PAGES);

	f->table = f->section - ((uintptr_t)f->arena >> SECTION_SHIFT);
	for (int i = 0; i < 2; i++) { /* the arena may lie across two sections */
		f->section[i].online = i == 0;
		f->section[i].present = PAGES_PER_SECTION;
		f->section[i].zone = &f->pgdat[0].node_zones[ZONE_NORMAL];
		f->section[i].pageblock_type[1] = MIGRATE_MOVABLE;
	}

	f->roots[0] = &f->first[0];
	f->roots[1] = &f->first[1];
	return f;
}

#endif /* FAKE_MACHINE_H */
