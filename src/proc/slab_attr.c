/* SPDX-License-Identifier: MIT */
/*
 * slab_attr.c - /sys/kernel/slab: the caches, and each one's attributes
 *
 * Room: proc. One table, in the order ls(1) shows them; a row has the name and the
 * function that prints it. Values are the kernel's in form; what differs in meaning:
 *
 *   cpu_slabs, slabs_cpu_partial   0: a CPU holds sheaves of objects, never slabs
 *   objects                        out of their slabs: live, or in a sheaf
 *   sheaf_objects                  ours: in sheaves, by CPU id ("C0=") and node barn ("N0=")
 *   live_objects                   ours: what the program holds
 */

#include <stdio.h>

#include "proc/files.h"

typedef void attr_fn(struct show *sh, const struct cache_row *row);

/* "total N0=a N1=b", nodes without any left out. */
static void print_nodes(struct out *out, const unsigned long count[MAX_NUMNODES])
{
	unsigned long total = 0;

	for (int nid = 0; nid < MAX_NUMNODES; nid++)
		total += count[nid];
	out_printf(out, "%lu", total);
	for (int nid = 0; nid < MAX_NUMNODES; nid++) {
		if (count[nid])
			out_printf(out, " N%d=%lu", nid, count[nid]);
	}
	out_puts(out, "\n");
}

#define NODE_ATTR(name, value)                                                  \
	static void name(struct show *sh, const struct cache_row *row)          \
	{                                                                       \
		unsigned long count[MAX_NUMNODES] = { 0 };                      \
                                                                                \
		for (unsigned int nid = 0; nid < sh->reader->nr_nodes; nid++) { \
			const struct node_row *node = &row->node[nid];          \
                                                                                \
			(void)node;                                             \
			count[nid] = (value);                                   \
		}                                                               \
		print_nodes(sh->out, count);                                    \
	}

NODE_ATTR(attr_objects, node->objects > node->free_objects ? node->objects - node->free_objects : 0)
NODE_ATTR(attr_total_objects, node->objects)
NODE_ATTR(attr_slabs, node->slabs)
NODE_ATTR(attr_partial, node->partial)
NODE_ATTR(attr_objects_partial, cache_partial_objects(sh->reader, row, (int)nid))
NODE_ATTR(attr_cpu_slabs, 0)

#define VALUE_ATTR(name, fmt, value)                                   \
	static void name(struct show *sh, const struct cache_row *row) \
	{                                                              \
		const struct kmem_cache *cache = &row->cache;          \
                                                                       \
		(void)cache;                                           \
		out_printf(sh->out, fmt "\n", value);                  \
	}
#define FLAG_ATTR(name, flag) VALUE_ATTR(name, "%d", !!(cache->flags & (flag)))

VALUE_ATTR(attr_aliases, "%d", cache->refcount > 1 ? cache->refcount - 1 : 0)
VALUE_ATTR(attr_align, "%u", cache->align)
VALUE_ATTR(attr_cpu_partial, "%u", cache->cpu_partial)
VALUE_ATTR(attr_min_partial, "%lu", cache->min_partial)
VALUE_ATTR(attr_object_size, "%u", cache->object_size)
VALUE_ATTR(attr_objs_per_slab, "%u", oo_objects(cache->oo))
VALUE_ATTR(attr_order, "%u", oo_order(cache->oo))
VALUE_ATTR(attr_remote_node_defrag_ratio, "%u", 100u)
VALUE_ATTR(attr_sheaf_capacity, "%u", cache->sheaf_capacity)
VALUE_ATTR(attr_slab_size, "%u", cache->size)
VALUE_ATTR(attr_slabs_cpu_partial, "%d(0)", 0)
VALUE_ATTR(attr_usersize, "%u", cache->usersize)
VALUE_ATTR(attr_live_objects, "%lu", row->live_objects)
FLAG_ATTR(attr_cache_dma, SLAB_CACHE_DMA)
FLAG_ATTR(attr_destroy_by_rcu, SLAB_TYPESAFE_BY_RCU)
FLAG_ATTR(attr_hwcache_align, SLAB_HWCACHE_ALIGN)
FLAG_ATTR(attr_poison, SLAB_POISON)
FLAG_ATTR(attr_reclaim_account, SLAB_RECLAIM_ACCOUNT)
FLAG_ATTR(attr_red_zone, SLAB_RED_ZONE)
FLAG_ATTR(attr_sanity_checks, SLAB_CONSISTENCY_CHECKS)
FLAG_ATTR(attr_store_user, SLAB_STORE_USER)
FLAG_ATTR(attr_trace, SLAB_TRACE)

static void attr_ctor(struct show *sh, const struct cache_row *row)
{
	char text[160];

	if (!row->cache.ctor)
		return;
	reader_symbol(sh->reader, (uintptr_t)row->cache.ctor, text, sizeof(text));
	out_printf(sh->out, "%s\n", text);
}

/* Written to, by sw_store(); reading gives nothing. */
static void attr_nothing(struct show *sh, const struct cache_row *row)
{
	(void)sh;
	(void)row;
}

static void attr_sheaf_objects(struct show *sh, const struct cache_row *row)
{
	out_printf(sh->out, "%lu", row->sheaf_objects);
	for (unsigned int cid = 0; cid < sh->reader->nr_cids; cid++) {
		unsigned long objects = cache_cid_objects(sh->reader, row, cid);

		if (objects)
			out_printf(sh->out, " C%u=%lu", cid, objects);
	}
	for (unsigned int nid = 0; nid < sh->reader->nr_nodes; nid++) {
		if (row->node[nid].barn_objects)
			out_printf(sh->out, " N%u=%lu", nid, row->node[nid].barn_objects);
	}
	out_puts(sh->out, "\n");
}

#define ATTR(name)                 \
	{                          \
#name, attr_##name \
	}
static const struct {
	const char *name;
	attr_fn *print;
} attrs[] = {
	ATTR(aliases),
	ATTR(align),
	ATTR(cache_dma),
	ATTR(cpu_partial),
	ATTR(cpu_slabs),
	ATTR(ctor),
	ATTR(destroy_by_rcu),
	ATTR(hwcache_align),
	ATTR(live_objects),
	ATTR(min_partial),
	ATTR(object_size),
	ATTR(objects),
	ATTR(objects_partial),
	ATTR(objs_per_slab),
	ATTR(order),
	ATTR(partial),
	ATTR(poison),
	ATTR(reclaim_account),
	ATTR(red_zone),
	ATTR(remote_node_defrag_ratio),
	ATTR(sanity_checks),
	ATTR(sheaf_capacity),
	ATTR(sheaf_objects),
	{ "shrink", attr_nothing },
	ATTR(slab_size),
	ATTR(slabs),
	ATTR(slabs_cpu_partial),
	ATTR(store_user),
	ATTR(total_objects),
	ATTR(trace),
	ATTR(usersize),
	{ "validate", attr_nothing },
};
#define NR_ATTRS (sizeof(attrs) / sizeof(attrs[0]))

/* An attribute's text without its newline. */
static void attr_text(struct show *sh, const struct cache_row *row, size_t i, char *buf,
		      size_t size)
{
	struct out *real = sh->out;
	struct out text;

	out_init(&text, buf, size);
	sh->out = &text;
	attrs[i].print(sh, row);
	out_finish(&text);
	sh->out = real;
	buf[strcspn(buf, "\n")] = '\0';
}

/* slab/CACHE: every attribute that can be read. */
static int show_attrs(struct show *sh, const struct cache_row *row)
{
	bool found = false;
	char text[1024];

	if (sh->out->json) {
		json_open(sh->out, NULL, '{');
		json_string(sh->out, "name", row->name);
	}
	for (size_t i = 0; i < NR_ATTRS; i++) {
		if (attrs[i].print == attr_nothing || !show_wants(sh, attrs[i].name))
			continue;
		found = true;
		attr_text(sh, row, i, text, sizeof(text));
		if (sh->out->json) {
			json_string(sh->out, attrs[i].name, text);
		} else {
			out_printf(sh->out, "%-24s ", attrs[i].name);
			out_puts(sh->out, text);
			out_puts(sh->out, "\n");
		}
	}
	if (sh->out->json)
		json_close(sh->out, '}');
	return found ? 0 : -ENOENT;
}

static int show_attr(struct show *sh, const struct cache_row *row, const char *name)
{
	char text[1024];

	for (size_t i = 0; i < NR_ATTRS; i++) {
		if (strcmp(attrs[i].name, name) != 0)
			continue;
		if (!sh->out->json) {
			attrs[i].print(sh, row);
			return 0;
		}
		attr_text(sh, row, i, text, sizeof(text));
		json_open(sh->out, NULL, '{');
		json_string(sh->out, "name", row->name);
		json_string(sh->out, name, text);
		json_close(sh->out, '}');
		return 0;
	}
	return -ENOENT;
}

static int show_names(struct show *sh)
{
	struct cache_iter iter;
	struct cache_row row;
	int more;

	if (sh->out->json) {
		json_open(sh->out, NULL, '{');
		json_open(sh->out, "caches", '[');
	}
	cache_iter_init(&iter, sh->reader);
	while ((more = cache_iter_next(&iter, &row)) > 0) {
		if (!show_wants(sh, row.name))
			continue;
		if (sh->out->json)
			json_string(sh->out, NULL, row.name);
		else
			out_printf(sh->out, "%s\n", row.name);
	}
	if (sh->out->json) {
		json_close(sh->out, ']');
		json_close(sh->out, '}');
	}
	return more;
}

int show_slab(struct show *sh)
{
	const char *slash;
	struct cache_row row;
	int err;

	if (!*sh->path)
		return show_names(sh);
	/* A cache may have a slash in its name: the whole first, then up to the last one. */
	err = cache_find(sh->reader, sh->path, strlen(sh->path), &row);
	if (!err)
		return show_attrs(sh, &row);
	slash = strrchr(sh->path, '/');
	if (err != -ENOENT || !slash)
		return err;
	err = cache_find(sh->reader, sh->path, (size_t)(slash - sh->path), &row);
	return err ? err : show_attr(sh, &row, slash + 1);
}
