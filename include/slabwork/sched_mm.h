/* SPDX-License-Identifier: MIT */
#ifndef SW_SCHED_MM_H
#define SW_SCHED_MM_H

/**
 * DOC: <slabwork/sched_mm.h> - narrow what this thread's allocations may do
 *
 * Between save and restore every allocation of the calling thread is made as if its
 * flags lacked something (noio: I/O and file systems; nofs: file systems), or had
 * something (noreclaim: access to all reserves, no reclaim). The mark belongs to the
 * thread, so code below need not pass flags down. Pairs nest; restore takes what its
 * save returned.
 *
 * Room: kernel (current.c). Source: Linux 5.4, include/linux/sched/mm.h,
 * Documentation/core-api/gfp_mask-from-fs-io.rst
 */

#include <slabwork/types.h>

SW_BEGIN_DECLS

/**
 * memalloc_noio_save() - allocations of this thread start no I/O from here on
 *
 * Context: Any.
 * Return: what memalloc_noio_restore() wants.
 * Source: Linux 5.4, include/linux/sched/mm.h
 */
SW_API unsigned int memalloc_noio_save(void) SW_NAME(memalloc_noio_save);
/**
 * memalloc_noio_restore() - end a noio scope
 * @flags: from the matching memalloc_noio_save()
 */
SW_API void memalloc_noio_restore(unsigned int flags) SW_NAME(memalloc_noio_restore);

/**
 * memalloc_nofs_save() - allocations of this thread enter no file system from here on
 *
 * Context: Any.
 * Return: what memalloc_nofs_restore() wants.
 * Source: Linux 5.4, include/linux/sched/mm.h
 */
SW_API unsigned int memalloc_nofs_save(void) SW_NAME(memalloc_nofs_save);
/**
 * memalloc_nofs_restore() - end a nofs scope
 * @flags: from the matching memalloc_nofs_save()
 */
SW_API void memalloc_nofs_restore(unsigned int flags) SW_NAME(memalloc_nofs_restore);

/**
 * memalloc_noreclaim_save() - this thread frees memory: reserves for it, no reclaim by it
 *
 * Context: Any. Bounded use only: the reserves are small and everybody's.
 * Return: what memalloc_noreclaim_restore() wants.
 * Source: Linux 5.4, include/linux/sched/mm.h
 */
SW_API unsigned int memalloc_noreclaim_save(void) SW_NAME(memalloc_noreclaim_save);
/**
 * memalloc_noreclaim_restore() - end a noreclaim scope
 * @flags: from the matching memalloc_noreclaim_save()
 */
SW_API void memalloc_noreclaim_restore(unsigned int flags) SW_NAME(memalloc_noreclaim_restore);

SW_END_DECLS

#endif /* SW_SCHED_MM_H */
