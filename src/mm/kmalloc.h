/* SPDX-License-Identifier: MIT */
#ifndef MM_KMALLOC_H
#define MM_KMALLOC_H

/*
 * kmalloc.h - the tables behind kmalloc(), for mm and for tests
 *
 * Room: mm.
 */

#include <slabwork/mm.h>
#include <slabwork/slab.h>

struct kmalloc_info_struct {
	const char *name;
	unsigned int size;
};

#define KMALLOC_INFO_ENTRIES 27
extern const struct kmalloc_info_struct kmalloc_info[KMALLOC_INFO_ENTRIES];
extern uint8_t size_index[24];

static inline unsigned int size_index_elem(size_t bytes)
{
	return (unsigned int)((bytes - 1) / 8);
}

/* kmalloc_index() for any smallest class (a power of two up to 256), so that tests see them all. */
static inline unsigned int kmalloc_index_for(size_t size, size_t min_size)
{
	if (!size)
		return 0;
	if (size <= min_size)
		return (unsigned int)__builtin_ctzl(min_size);
	if (min_size <= 32 && size > 64 && size <= 96)
		return 1;
	if (min_size <= 64 && size > 128 && size <= 192)
		return 2;
	return 64 - (unsigned int)__builtin_clzl(size - 1);
}

/* kfree() with a name for the report; tag: the objmap byte was this tag and is cleared already. */
void slab_kfree(const void *object, unsigned int tag, const char *who);

#endif /* MM_KMALLOC_H */
