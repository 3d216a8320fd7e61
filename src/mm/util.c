/* SPDX-License-Identifier: MIT */
/*
 * util.c - kvmalloc(), and copies of memory and strings
 *
 * Room: mm. Doors: <slabwork/kvmalloc.h>, <slabwork/string.h>. Below us: kmalloc
 * and vmalloc. No state, no locks: every function may be called where its
 * allocation may be.
 *
 * kvmalloc() prefers kmalloc(), whose pages are warm and need no mapping, but not
 * at any price: above a page one light attempt, silent, without the
 * out-of-memory machinery, since vmalloc() is there to fall back on.
 *
 * Sources: Linux 6.12 mm/util.c and lib/kasprintf.c as documented; 5.15 for the
 * four-argument kvrealloc().
 */

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <slabwork/kvmalloc.h>
#include <slabwork/slab.h>
#include <slabwork/string.h>
#include <slabwork/vmalloc.h>

#include "kernel/printk.h"
#include "mm/layout.h"

#undef kstrdup_const

/* ---- kvmalloc ----------------------------------------------------------------- */

/* How hard kmalloc() is to try before vmalloc() gets its turn. */
static gfp_t kmalloc_attempt(gfp_t flags, size_t size)
{
	if (size <= PAGE_SIZE)
		return flags;
	flags |= __GFP_NOWARN;
	if (!(flags & __GFP_RETRY_MAYFAIL))
		flags |= __GFP_NORETRY;
	return flags & ~__GFP_NOFAIL;
}

void *kvmalloc_node(size_t size, gfp_t flags, int node)
{
	void *p = NULL;

	if (size <= KMALLOC_MAX_SIZE)
		p = kmalloc_node(size, kmalloc_attempt(flags, size), node);
	if (p || size <= PAGE_SIZE || !gfpflags_allow_blocking(flags))
		return p;
	if (size > INT_MAX) {
		WARN_ON_ONCE(!(flags & __GFP_NOWARN));
		return NULL;
	}
	return __vmalloc_node(size, 1, flags, node, __builtin_return_address(0));
}

void kvfree(const void *addr)
{
	if (is_vmalloc_addr(addr))
		vfree(addr);
	else
		kfree(addr);
}

void kvfree_atomic(const void *addr)
{
	if (is_vmalloc_addr(addr))
		vfree_atomic(addr);
	else
		kfree(addr);
}

/* memset() that the compiler may not drop although nobody reads what it wrote. */
static void wipe(void *p, size_t len)
{
	memset(p, 0, len);
	__asm__ volatile("" : : "r"(p) : "memory");
}

void kvfree_sensitive(const void *addr, size_t len)
{
	if (ZERO_OR_NULL_PTR(addr))
		return;
	wipe((void *)addr, len);
	kvfree(addr);
}

/* A kmalloc() block that krealloc() could not make larger moves to a vmalloc() area. */
static void *kvrealloc_move(const void *p, size_t size, gfp_t flags)
{
	size_t used = ksize(p);
	char *fresh = kvmalloc_node(size, flags & ~__GFP_ZERO, NUMA_NO_NODE);

	if (!fresh)
		return NULL;
	if (used > size)
		used = size;
	if (used)
		memcpy(fresh, p, used);
	if (flags & __GFP_ZERO)
		memset(fresh + used, 0, size - used);
	kfree(p);
	return fresh;
}

void *(kvrealloc)(const void *p, size_t size, gfp_t flags)
{
	void *fresh = NULL;

	if (!size) {
		kvfree(p);
		return ZERO_SIZE_PTR;
	}
	if (is_vmalloc_addr(p))
		return vrealloc(p, size, flags);
	if (size <= KMALLOC_MAX_SIZE)
		fresh = krealloc(p, size, kmalloc_attempt(flags, size));
	return fresh ? fresh : kvrealloc_move(p, size, flags);
}

void *kvrealloc_515(const void *p, size_t oldsize, size_t newsize, gfp_t flags)
{
	void *fresh;

	if (oldsize >= newsize)
		return (void *)p;
	fresh = kvmalloc_node(newsize, flags, NUMA_NO_NODE);
	if (!fresh)
		return NULL;
	if (oldsize)
		memcpy(fresh, p, oldsize);
	kvfree(p);
	return fresh;
}

/* ---- copies ---------------------------------------------------------------------- */

void *kmemdup(const void *src, size_t len, gfp_t gfp)
{
	void *p = kmalloc(len, gfp);

	if (p && len)
		memcpy(p, src, len);
	return p;
}

void *kmemdup_array(const void *src, size_t count, size_t element_size, gfp_t gfp)
{
	size_t bytes;

	return __builtin_mul_overflow(count, element_size, &bytes) ? NULL :
								     kmemdup(src, bytes, gfp);
}

char *kmemdup_nul(const char *s, size_t len, gfp_t gfp)
{
	char *p;

	if (!s || len == SIZE_MAX)
		return NULL;
	p = kmalloc(len + 1, gfp);
	if (!p)
		return NULL;
	memcpy(p, s, len);
	p[len] = '\0';
	return p;
}

void *kvmemdup(const void *src, size_t len, gfp_t gfp)
{
	void *p = kvmalloc(len, gfp);

	if (p && len)
		memcpy(p, src, len);
	return p;
}

char *kstrdup(const char *s, gfp_t gfp)
{
	return s ? kmemdup_nul(s, strlen(s), gfp) : NULL;
}

char *kstrndup(const char *s, size_t max, gfp_t gfp)
{
	return s ? kmemdup_nul(s, strnlen(s, max), gfp) : NULL;
}

/* For callers whose compiler did not see a literal. */
const char *kstrdup_const(const char *s, gfp_t gfp)
{
	return kstrdup(s, gfp);
}

void kfree_const(const void *x)
{
	if (layout_addr_online((uintptr_t)x))
		kfree(x);
}

char *kvasprintf(gfp_t gfp, const char *fmt, va_list args)
{
	va_list again;
	char *p;
	int len;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (len < 0)
		return NULL;
	p = kmalloc((size_t)len + 1, gfp);
	if (!p)
		return NULL;
	WARN(vsnprintf(p, (size_t)len + 1, fmt, args) != len,
	     "slabwork: kvasprintf(\"%s\"): an argument changed meanwhile\n", fmt);
	return p;
}

char *kasprintf(gfp_t gfp, const char *fmt, ...)
{
	va_list args;
	char *p;

	va_start(args, fmt);
	p = kvasprintf(gfp, fmt, args);
	va_end(args);
	return p;
}
