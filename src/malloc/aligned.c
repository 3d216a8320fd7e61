/* SPDX-License-Identifier: MIT */
/*
 * aligned.c - posix_memalign and its relations
 *
 * Room: malloc.
 *
 * Slabs start on a page, so an object of a class whose size is a multiple of the
 * alignment is aligned, and costs nothing beyond its class. Everything else is
 * a block or an area that starts where it must.
 *
 * The checks of these entries are where allocators have had their CVEs: sizes and
 * alignments are bounded before anything is added to them.
 *
 *                       alignment not a power of two      0
 *   posix_memalign      EINVAL                            EINVAL   also less than a pointer
 *   aligned_alloc       EINVAL (C23; glibc 2.38)          EINVAL
 *   memalign            rounded up (glibc)                as malloc
 */

#include "malloc/fast.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

#include "os/vm.h"

/* Beyond this no aligned address can be had in any user address space worth trying. */
#define ALIGN_MAX (1UL << 40)

static bool is_power_of_two(size_t n)
{
	return n && !(n & (n - 1));
}

/* Smallest class for @n whose size is a multiple of @align; 0: no class serves. */
static size_t aligned_class(size_t align, size_t n)
{
	unsigned int class;

	if (align > PAGE_SIZE || n > MALLOC_CACHE_MAX)
		return 0;
	class = malloc_class[(n + MALLOC_ALIGN - 1) >> MALLOC_ALIGN_SHIFT];
	for (; class < MALLOC_NR_CLASSES; class ++) {
		if (!(malloc_class_sizes[class] & (align - 1)))
			return malloc_class_sizes[class];
	}
	return 0;
}

void *malloc_aligned(size_t align, size_t n)
{
	int saved = errno;
	size_t size;
	void *p;

	if (align <= MALLOC_ALIGN)
		return malloc_fast_path(n);
	if (unlikely(n > MALLOC_MAX || align > ALIGN_MAX || n + align > MALLOC_MAX))
		return malloc_nomem();
	if (unlikely(!malloc_boot()))
		return malloc_nomem();
	if (unlikely(sw_fail_malloc && sw_fail_this_malloc()))
		return malloc_nomem();
	size = sw_fail_malloc ? 0 : aligned_class(align, n); /* the class would count again */
	if (size) {
		p = malloc_fast_path(size);
		if (likely(!((uintptr_t)p & (align - 1)))) /* or NULL */
			return p;
		/* A cache that is being debugged shifts its objects. */
		free_fast_path(p, "memalign()");
	}
	p = sw_block_alloc(n ? n : 1, align, MALLOC_GFP);
	if (unlikely(!p))
		return malloc_nomem();
	errno = saved;
	return p;
}

SW_API int posix_memalign(void **out, size_t align, size_t n)
{
	int saved = errno;
	void *p;

	if (align < sizeof(void *) || !is_power_of_two(align))
		return EINVAL;
	p = malloc_aligned(align, n);
	errno = saved;
	if (!p)
		return ENOMEM;
	*out = p;
	return 0;
}

SW_API void *aligned_alloc(size_t align, size_t n)
{
	if (!is_power_of_two(align)) {
		errno = EINVAL;
		return NULL;
	}
	return malloc_aligned(align, n);
}

SW_API void *memalign(size_t align, size_t n)
{
	if (align > SIZE_MAX / 2 + 1) {
		errno = EINVAL;
		return NULL;
	}
	if (align <= MALLOC_ALIGN)
		return malloc_fast_path(n);
	if (!is_power_of_two(align))
		align = 1UL << (64 - __builtin_clzl(align));
	return malloc_aligned(align, n);
}

SW_API void *valloc(size_t n)
{
	return malloc_aligned(os_page_size(), n);
}

SW_API void *pvalloc(size_t n)
{
	size_t page = os_page_size();

	if (n > MALLOC_MAX - page)
		return malloc_nomem();
	n = n ? (n + page - 1) & -page : page;
	return malloc_aligned(page, n);
}
