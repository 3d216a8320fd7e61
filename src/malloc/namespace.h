/* SPDX-License-Identifier: MIT */
#ifndef MALLOC_NAMESPACE_H
#define MALLOC_NAMESPACE_H

/*
 * namespace.h - blocks of a C library in another dlmopen() namespace
 *
 * Room: malloc. @p is no memory of ours; slow, only for what would otherwise be misuse.
 */

#include "malloc/classes.h"

/* Give a block to the malloc that it came from; false: it is no such block, nothing was done. */
SW_HIDDEN bool namespace_free(void *p);
/* Its usable size; 0: it is no such block. */
SW_HIDDEN size_t namespace_usable(void *p);

#endif /* MALLOC_NAMESPACE_H */
