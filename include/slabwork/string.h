/* SPDX-License-Identifier: MIT */
#ifndef SW_STRING_H
#define SW_STRING_H

/**
 * DOC: <slabwork/string.h> - copies of memory and strings in fresh memory
 *
 * Everything comes from kmalloc() and is freed by kfree(), unless said.
 *
 * Room: mm (util.c).
 */

#include <stdarg.h>

#include <slabwork/gfp.h>
#include <slabwork/types.h>

SW_BEGIN_DECLS

/**
 * kmemdup() - copy bytes into fresh memory
 * @src: @len readable bytes; not NULL
 * @len: bytes; 0 gives ZERO_SIZE_PTR
 * @gfp: see <slabwork/gfp.h>
 *
 * Context: May sleep if @gfp holds __GFP_DIRECT_RECLAIM; otherwise any.
 * Return: the copy; NULL if there is no memory.
 */
SW_API void *kmemdup(const void *src, size_t len, gfp_t gfp) SW_NAME(kmemdup) __must_check;

/* kmemdup() of @count elements of @element_size bytes; NULL if the product overflows. */
SW_API void *kmemdup_array(const void *src, size_t count, size_t element_size, gfp_t gfp)
	SW_NAME(kmemdup_array) __must_check;

/* kmemdup() and a NUL behind it. NULL in gives NULL. */
SW_API char *kmemdup_nul(const char *s, size_t len, gfp_t gfp) SW_NAME(kmemdup_nul) __must_check;

/* kmemdup() from kvmalloc(): free with kvfree(). */
SW_API void *kvmemdup(const void *src, size_t len, gfp_t gfp) SW_NAME(kvmemdup) __must_check;

/* Copy of a string. NULL in gives NULL. */
SW_API char *kstrdup(const char *s, gfp_t gfp) SW_NAME(kstrdup) __must_check;

/* Copy of at most @max characters of a string, NUL-terminated. NULL in gives NULL. */
SW_API char *kstrndup(const char *s, size_t max, gfp_t gfp) SW_NAME(kstrndup) __must_check;

/**
 * kstrdup_const() - a string that lives on: itself if it is a literal, else a copy
 * @s: the string; NULL gives NULL
 * @gfp: see <slabwork/gfp.h>
 *
 * Differs: the kernel looks whether @s lies in its read-only data; here the compiler
 * says whether it is a literal. Any other read-only string is copied, which is always right.
 * Return: a string for kfree_const(), not to be written to; NULL: no memory.
 */
SW_API const char *kstrdup_const(const char *s, gfp_t gfp) SW_NAME(kstrdup_const) __must_check;
#ifndef SW_NO_INLINE
#define kstrdup_const(s, gfp) (__builtin_constant_p(s) ? (s) : kstrdup_const(s, gfp))
#endif

/* Free what kstrdup_const() gave, if it lies in memory of ours. */
SW_API void kfree_const(const void *x) SW_NAME(kfree_const);

/**
 * kasprintf() - printf into fresh memory
 * @gfp: see <slabwork/gfp.h>
 * @fmt: printf's format (the C library's: no %pS and kin)
 *
 * Context: as kmalloc(); async-signal-safe only as far as vsnprintf() is.
 * Return: the text; NULL if there is no memory.
 */
SW_API char *kasprintf(gfp_t gfp, const char *fmt, ...) SW_NAME(kasprintf)
	__printf(2, 3) __must_check;
SW_API char *kvasprintf(gfp_t gfp, const char *fmt, va_list args) SW_NAME(kvasprintf)
	__printf(2, 0) __must_check;

SW_END_DECLS

#endif /* SW_STRING_H */
