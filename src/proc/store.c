/* SPDX-License-Identifier: MIT */
/*
 * store.c - the control files: what may be written under slab/CACHE/
 *
 * Room: proc. Door: <slabwork/show.h>. The only place of the room that changes
 * anything. min_partial and cpu_partial are plain words that the allocator reads
 * when it next decides; cpu_partial is reported only.
 */

#include <slabwork/show.h>
#include <slabwork/slab.h>

#include <errno.h>
#include <string.h>

#include "kernel/lock.h"
#include "mm/boot.h"
#include "mm/slab.h"

static struct kmem_cache *find_cache(const char *name, size_t len)
{
	struct kmem_cache *found = NULL;

	mutex_lock(&slab_mutex);
	for (struct list_head *link = slab_caches.next; link != &slab_caches; link = link->next) {
		struct kmem_cache *cache =
			(void *)((char *)link - offsetof(struct kmem_cache, list));

		if (!strncmp(cache->name, name, len) && !cache->name[len]) {
			found = cache;
			break;
		}
	}
	mutex_unlock(&slab_mutex);
	return found;
}

/* A decimal number and at most a newline. */
static int parse_uint(const char *text, unsigned int *value)
{
	unsigned long n = 0;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	for (; *text >= '0' && *text <= '9'; text++) {
		n = n * 10 + (unsigned long)(*text - '0');
		if (n > UINT32_MAX)
			return -EINVAL;
	}
	if (*text == '\n')
		text++;
	if (*text)
		return -EINVAL;
	*value = (unsigned int)n;
	return 0;
}

static int store_shrink(struct kmem_cache *cache, unsigned int value)
{
	if (value != 1)
		return -EINVAL;
	kmem_cache_shrink(cache);
	return 0;
}

static int store_validate(struct kmem_cache *cache, unsigned int value)
{
	if (value != 1)
		return -EINVAL;
	return kmem_cache_validate(cache) ? -EINVAL : 0;
}

static int store_min_partial(struct kmem_cache *cache, unsigned int value)
{
	__atomic_store_n(&cache->min_partial, value, __ATOMIC_RELAXED);
	return 0;
}

static int store_cpu_partial(struct kmem_cache *cache, unsigned int value)
{
	__atomic_store_n(&cache->cpu_partial, value, __ATOMIC_RELAXED);
	return 0;
}

static const struct {
	const char *name;
	int (*store)(struct kmem_cache *cache, unsigned int value);
} controls[] = {
	{ "cpu_partial", store_cpu_partial },
	{ "min_partial", store_min_partial },
	{ "shrink", store_shrink },
	{ "validate", store_validate },
};

int sw_store(const char *file, const char *text)
{
	const char *path = file + strlen("slab/");
	struct kmem_cache *cache;
	const char *slash;
	unsigned int value;
	int err;

	mm_boot();
	if (strncmp(file, "slab/", strlen("slab/")) != 0)
		return sw_show_buf(NULL, 0, file, NULL) < 0 ? -ENOENT : -EACCES;
	slash = strrchr(path, '/');
	if (!slash)
		return -ENOENT;
	cache = find_cache(path, (size_t)(slash - path));
	if (!cache)
		return -ENOENT;
	for (size_t i = 0; i < sizeof(controls) / sizeof(controls[0]); i++) {
		if (strcmp(controls[i].name, slash + 1) != 0)
			continue;
		err = parse_uint(text, &value);
		return err ? err : controls[i].store(cache, value);
	}
	return sw_show_buf(NULL, 0, file, NULL) < 0 ? -ENOENT : -EACCES;
}
