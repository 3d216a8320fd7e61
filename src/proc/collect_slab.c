/* SPDX-License-Identifier: MIT */
/*
 * collect_slab.c - one row a cache: slabs, objects, and where the free ones are
 *
 * Room: proc. Door: proc/collect.h.
 *
 * The idea: nobody counts live objects. They are what is left,
 *
 *	live = objects in slabs - free in slabs - in sheaves
 *
 * and a sheaf tells its number by address arithmetic: it is aligned to its size,
 * so the low bits of a slot's top say how many objects lie below it.
 *
 * In this process each row is copied under slab_mutex (a cache could be destroyed
 * meanwhile), which is let go before the row is printed: printing may allocate.
 * In another process nothing is locked; a link that leads nowhere ends the walk
 * with -EAGAIN, and show.c starts again.
 */

#include "proc/collect.h"

#include <string.h>

#include "kernel/lock.h"

static const struct kmem_cache *cache_of(const struct list_head *link)
{
	return (const void *)((const char *)link - offsetof(struct kmem_cache, list));
}

/* Objects below top in a sheaf of this capacity; 0 for the null and the drain sheaf. */
static unsigned long top_objects(struct reader *reader, uintptr_t top, unsigned int capacity)
{
	uintptr_t size = sizeof(void *) * (capacity + 4ul);
	uintptr_t below;

	if (!reader_online(reader, top) || (size & (size - 1)))
		return 0;
	below = (top & (size - 1)) / sizeof(void *);
	/* Words 0 and 1 are the frame, 2 the lower sentinel. */
	return below >= 3 && below < capacity + 3ul ? below - 2 : 0;
}

/* Objects of a sheaf that no slot points to. */
static unsigned long sheaf_objects(struct reader *reader, uintptr_t addr, unsigned int capacity,
				   struct slab_sheaf *copy)
{
	if (!reader_online(reader, addr) || reader_copy(reader, copy, (void *)addr) ||
	    copy->size > capacity)
		return 0;
	return copy->size;
}

unsigned long cache_cid_objects(struct reader *reader, const struct cache_row *row,
				unsigned int cid)
{
	const char *slot = row->cache.fast.slots + ((size_t)cid << SW_PCPU_SHIFT);
	unsigned int capacity = row->cache.sheaf_capacity;
	unsigned long objects = 0;
	struct slab_sheaf sheaf;
	uintptr_t top = 0;

	if (!capacity || cid >= reader->nr_cids || !row->cache.fast.slots)
		return 0;
	if (!reader_copy(reader, &top, (const uintptr_t *)slot))
		objects = top_objects(reader, top, capacity);
	slot += 1ul << (SW_PCPU_SHIFT - 1);
	top = 0;
	if (!reader_copy(reader, &top, (const uintptr_t *)slot))
		objects += sheaf_objects(reader, top, capacity, &sheaf);
	return objects;
}

static unsigned long sheaf_list_objects(struct reader *reader, uintptr_t addr,
					unsigned int capacity, unsigned int max)
{
	unsigned long objects = 0;
	struct slab_sheaf sheaf;

	for (unsigned int i = 0; addr && i < max; i++) {
		objects += sheaf_objects(reader, addr, capacity, &sheaf);
		if (!reader_online(reader, addr))
			break;
		addr = (uintptr_t)sheaf.next;
	}
	return objects;
}

static int node_row_get(struct reader *reader, const struct kmem_cache *cache, int nid,
			struct node_row *row)
{
	struct kmem_cache_node node;
	int err;

	memset(row, 0, sizeof(*row));
	if (!cache->node[nid])
		return 0;
	err = reader_copy(reader, &node, cache->node[nid]);
	if (err)
		return err;
	row->slabs = node.nr_slabs;
	row->objects = node.total_objects;
	row->free_objects = node.free_objects;
	row->partial = node.nr_partial;
	row->barn_objects = sheaf_list_objects(reader, (uintptr_t)node.barn.full,
					       cache->sheaf_capacity, BARN_MOST_FULL + 1);
	return 0;
}

#define MAX_DEFERRED 1024 /* sheaves looked at; a longer list is not counted to its end */

static int cache_row_get(struct reader *reader, const struct kmem_cache *addr,
			 struct cache_row *row)
{
	struct kmem_cache *cache = &row->cache;
	int err;

	memset(row, 0, sizeof(*row));
	row->addr = (uintptr_t)addr;
	err = reader_copy(reader, cache, addr);
	if (!err)
		err = reader_string(reader, row->name, sizeof(row->name), cache->name);
	if (err)
		return err;
	if (!cache->size || cache->object_size > cache->size || !oo_objects(cache->oo))
		return -EAGAIN;

	for (unsigned int nid = 0; nid < reader->nr_nodes; nid++) {
		struct node_row *node = &row->node[nid];

		err = node_row_get(reader, cache, (int)nid, node);
		if (err)
			return err;
		row->sum.slabs += node->slabs;
		row->sum.objects += node->objects;
		row->sum.free_objects += node->free_objects;
		row->sum.partial += node->partial;
		row->sum.barn_objects += node->barn_objects;
	}
	row->sheaf_objects = row->sum.barn_objects;
	for (unsigned int cid = 0; cid < reader->nr_cids; cid++)
		row->sheaf_objects += cache_cid_objects(reader, row, cid);
	if (cache->sheaf_capacity)
		row->sheaf_objects += sheaf_list_objects(reader, (uintptr_t)cache->deferred,
							 cache->sheaf_capacity, MAX_DEFERRED);
	/* The summands are of different moments: never below nothing. */
	if (row->sum.objects > row->sum.free_objects + row->sheaf_objects)
		row->live_objects = row->sum.objects - row->sum.free_objects - row->sheaf_objects;
	return 0;
}

void cache_iter_init(struct cache_iter *iter, struct reader *reader)
{
	memset(iter, 0, sizeof(*iter));
	iter->reader = reader;
}

/* This process: the seen'th cache of the list as it is now. */
static int next_local(struct cache_iter *iter, struct cache_row *row)
{
	const struct list_head *link;
	unsigned int skip = iter->seen;
	int err = 0;

	mutex_lock(&slab_mutex);
	for (link = slab_caches.next; link != &slab_caches && skip; link = link->next)
		skip--;
	if (link != &slab_caches)
		err = cache_row_get(iter->reader, cache_of(link), row);
	mutex_unlock(&slab_mutex);
	if (err)
		return err;
	iter->seen++;
	return link != &slab_caches;
}

static int next_remote(struct cache_iter *iter, struct cache_row *row)
{
	const struct list_head *head = iter->reader->root.slab_caches;
	struct list_head link;
	int err;

	if (!iter->at) {
		err = reader_copy(iter->reader, &link, head);
		if (err)
			return err;
		iter->at = link.next;
	}
	if (iter->at == head)
		return 0;
	if (iter->seen++ >= READER_MAX_CACHES)
		return -EAGAIN;
	err = cache_row_get(iter->reader, cache_of(iter->at), row);
	if (err)
		return err;
	iter->at = row->cache.list.next;
	return 1;
}

int cache_iter_next(struct cache_iter *iter, struct cache_row *row)
{
	return iter->reader->local ? next_local(iter, row) : next_remote(iter, row);
}

int cache_find(struct reader *reader, const char *name, size_t name_len, struct cache_row *row)
{
	struct cache_iter iter;
	int more;

	cache_iter_init(&iter, reader);
	while ((more = cache_iter_next(&iter, row)) > 0) {
		if (strlen(row->name) == name_len && !memcmp(row->name, name, name_len))
			return 0;
	}
	return more < 0 ? more : -ENOENT;
}

/*
 * Walks the partial slabs, whose number of objects may differ. Where the walk
 * is overtaken by changes, all slabs are taken for full-sized ones.
 */
unsigned long cache_partial_objects(struct reader *reader, const struct cache_row *row, int nid)
{
	const struct node_row *node = &row->node[nid];
	struct kmem_cache_node *addr = row->cache.node[nid];
	unsigned long guess = node->partial * oo_objects(row->cache.oo);
	const struct list_head *head, *link;
	struct kmem_cache_node copy;
	unsigned long inuse = 0, seen = 0;
	struct page page;

	guess = guess > node->free_objects ? guess - node->free_objects : 0;
	if (!addr)
		return 0;
	if (reader->local)
		spin_lock(&addr->list_lock);
	head = (const void *)((const char *)addr + offsetof(struct kmem_cache_node, partial));
	if (reader_copy(reader, &copy, addr))
		goto out;
	link = copy.partial.next;
	for (; link != head; seen++) {
		uintptr_t at = (uintptr_t)link - offsetof(struct page, lru);

		if (seen >= copy.nr_partial ||
		    !reader_online(reader,
				   (at - (uintptr_t)reader->layout.memmap) / sizeof(struct page)
					   << PAGE_SHIFT) ||
		    reader_copy(reader, &page, (const struct page *)at) ||
		    !(page.flags & (1u << PG_slab)) || (uintptr_t)page.slab_cache != row->addr)
			goto out;
		inuse += page.inuse;
		link = page.lru.next;
	}
	if (seen == copy.nr_partial)
		guess = inuse;
out:
	if (reader->local)
		spin_unlock(&addr->list_lock);
	return guess;
}
