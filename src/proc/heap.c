/* SPDX-License-Identifier: MIT */
/*
 * heap.c - live, held, and where the difference is
 *
 * Room: proc. Door: <slabwork/view.h>. Derived, like every count here:
 *
 *   pages out of the buddy = committed - free committed
 *                          = slabs + page lists + reserve + blocks
 *   so blocks are what is left over, and
 *
 *   held  = committed pages + areas (mapped, guard pages not) + unpurged areas
 *   live  = live objects + blocks + areas as asked for
 *   waste = rounding + partial slabs + stock + free pages, each of them summed up here
 *
 * The last two are of different moments, so held is defined as their sum: what is
 * shown always adds up.
 */

#include <slabwork/view.h>

#include <string.h>

#include "mm/boot.h"
#include "proc/collect.h"

#define TRIES 8 /* as show.c */

static size_t slab_bytes(const struct cache_row *row)
{
	return (size_t)slab_pages(&row->cache) << PAGE_SHIFT;
}

static void cache_view(const struct cache_row *row, struct sw_cache_view *view)
{
	memset(view, 0, sizeof(*view));
	view->id = row->addr;
	memcpy(view->name, row->name, sizeof(view->name));
	view->object_size = row->cache.object_size;
	view->objects = row->sum.objects;
	view->live = row->live_objects;
	view->stock = row->sheaf_objects;
	view->slabs = row->sum.slabs;
	view->partial = row->sum.partial;
	view->bytes = row->sum.slabs * slab_bytes(row);
}

static int open_view(struct reader *reader, struct sw_view *view)
{
	if (!view)
		mm_boot();
	return reader_open(reader, view);
}

int sw_view_caches(struct sw_view *view, int (*fn)(const struct sw_cache_view *cache, void *arg),
		   void *arg)
{
	struct sw_cache_view cache;
	struct cache_iter iter;
	struct reader reader;
	struct cache_row row;
	int err = open_view(&reader, view);

	if (err)
		return err;
	cache_iter_init(&iter, &reader);
	while ((err = cache_iter_next(&iter, &row)) > 0) {
		cache_view(&row, &cache);
		err = fn(&cache, arg);
		if (err)
			return err;
	}
	return err;
}

static void add_cache(struct sw_heap_view *heap, const struct cache_row *row, size_t *slabs)
{
	size_t size = row->cache.object_size;
	size_t bytes = row->sum.slabs * slab_bytes(row);
	size_t objects = row->sum.objects * size;

	*slabs += bytes;
	heap->live += row->live_objects * size;
	heap->partial_slabs += row->sum.free_objects * size;
	heap->cpu_stock += row->sheaf_objects * size;
	heap->rounding += bytes > objects ? bytes - objects : 0;
}

static int add_caches(struct reader *reader, struct sw_heap_view *heap, size_t *slabs)
{
	struct cache_iter iter;
	struct cache_row row;
	int err;

	cache_iter_init(&iter, reader);
	while ((err = cache_iter_next(&iter, &row)) > 0)
		add_cache(heap, &row, slabs);
	return err;
}

static int add_area(const struct vmap_area *va, uintptr_t end, void *arg)
{
	/* Room to grow into is no memory: it was never touched. */
	size_t bytes = PAGE_ALIGN(va->vm.requested_size), asked = va->vm.requested_size;
	struct sw_heap_view *heap = arg;

	(void)end;
	if (va->state == VA_LAZY) {
		heap->unpurged += va->end - va->start;
		return 0;
	}
	heap->areas += asked;
	heap->rounding += bytes - asked;
	heap->nr_areas++;
	return 0;
}

static int add_free_blocks(struct reader *reader, struct sw_heap_view *heap)
{
	struct zone_row z;
	int err = 0;

	for (unsigned int nid = 0; !err && nid < reader->nr_nodes; nid++) {
		for (int idx = 0; !err && idx < MAX_NR_ZONES; idx++) {
			err = zone_row_get(reader, (int)nid, (enum zone_type)idx, &z);
			for (int order = 0; !err && order < MAX_ORDER; order++)
				heap->free_blocks[order] += z.zone.free_area[order].nr_free;
		}
	}
	return err;
}

static size_t less(size_t a, size_t b)
{
	return a > b ? a - b : 0;
}

static void add_pages(struct sw_heap_view *heap, const struct vm_row *vm, unsigned long reserve,
		      size_t slabs)
{
	size_t free = vm->zone_stat[NR_FREE_COMMITTED] << PAGE_SHIFT;
	size_t out = less(vm->zone_stat[NR_COMMITTED] << PAGE_SHIFT, free);
	size_t stock = (vm->pcp_pages + reserve) << PAGE_SHIFT;

	heap->blocks = less(out, slabs + stock);
	heap->cpu_stock += stock;
	heap->free_pages = free + heap->unpurged;
	heap->live += heap->blocks + heap->areas;
	heap->held = heap->live + heap->rounding + heap->partial_slabs + heap->cpu_stock +
		     heap->free_pages;
	heap->failed = vm->event[SW_ALLOC_FAILED];
}

static int collect(struct reader *reader, struct sw_heap_view *heap)
{
	unsigned long reserve = 0;
	struct vm_row vm;
	size_t slabs = 0;
	int err;

	memset(heap, 0, sizeof(*heap));
	err = add_caches(reader, heap, &slabs);
	if (!err)
		err = areas_walk(reader, add_area, heap);
	if (!err)
		err = vm_row_get(reader, &vm);
	if (!err)
		err = reserve_pages_get(reader, &reserve);
	if (!err)
		err = add_free_blocks(reader, heap);
	if (!err)
		add_pages(heap, &vm, reserve, slabs);
	return err;
}

int sw_view_heap(struct sw_view *view, struct sw_heap_view *heap)
{
	struct reader reader;
	int err = -EAGAIN;

	for (int i = 0; i < TRIES && err == -EAGAIN; i++) {
		err = open_view(&reader, view);
		if (!err)
			err = collect(&reader, heap);
	}
	return err;
}
