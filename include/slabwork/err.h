/* SPDX-License-Identifier: MIT */
#ifndef SW_ERR_H
#define SW_ERR_H

/**
 * DOC: <slabwork/err.h> - an error in place of a pointer: -errno, the last page of addresses
 */

#include <slabwork/types.h>

#define MAX_ERRNO 4095
#ifndef IS_ERR_VALUE
#define IS_ERR_VALUE(x) ((unsigned long)(x) >= (unsigned long)-MAX_ERRNO)

static inline void *ERR_PTR(long error)
{
	return (void *)error;
}

static inline long PTR_ERR(const void *ptr)
{
	return (long)ptr;
}

static inline bool IS_ERR(const void *ptr)
{
	return IS_ERR_VALUE(ptr);
}

static inline bool IS_ERR_OR_NULL(const void *ptr)
{
	return !ptr || IS_ERR_VALUE(ptr);
}

static inline void *ERR_CAST(const void *ptr)
{
	return (void *)ptr;
}
#endif

#endif /* SW_ERR_H */
