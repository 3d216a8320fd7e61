/* SPDX-License-Identifier: MIT */
#ifndef SW_GFP_H
#define SW_GFP_H

/**
 * DOC: <slabwork/gfp.h> - what an allocation may do to succeed
 *
 * GFP is "get free page". Three groups of bits: where the memory may lie (zone
 * and mobility), how hard to try, and what may be done meanwhile (sleep, start
 * I/O, enter file systems). "Sleep" in a process means: run shrinkers, wait,
 * make a system call. An allocation without __GFP_DIRECT_RECLAIM does none of
 * these and is async-signal-safe.
 *
 * Values are Linux 5.4's; source: include/linux/gfp.h, memory-allocation.rst.
 */

#include <slabwork/types.h>

#define __GFP_DMA            ((gfp_t)0x01u)    /* from ZONE_DMA: locked in memory */
#define __GFP_HIGHMEM        ((gfp_t)0x02u)    /* falls through: no such zone on 64 bit */
#define __GFP_DMA32          ((gfp_t)0x04u)    /* below 4 GiB: a pointer fits 32 bits */
#define __GFP_MOVABLE        ((gfp_t)0x08u)    /* the owner can migrate or drop it */
#define __GFP_RECLAIMABLE    ((gfp_t)0x10u)    /* a shrinker can free it */
#define __GFP_HIGH           ((gfp_t)0x20u)    /* may dip below the min watermark */
#define __GFP_IO             ((gfp_t)0x40u)    /* reclaim may start I/O */
#define __GFP_FS             ((gfp_t)0x80u)    /* reclaim may enter file systems */
#define __GFP_ZERO           ((gfp_t)0x100u)   /* zeroed */
#define __GFP_ATOMIC         ((gfp_t)0x200u)   /* 5.4 only; cannot sleep, high priority */
#define __GFP_DIRECT_RECLAIM ((gfp_t)0x400u)   /* the caller may reclaim: may sleep */
#define __GFP_KSWAPD_RECLAIM ((gfp_t)0x800u)   /* wake kswapd when memory is low */
#define __GFP_WRITE          ((gfp_t)0x1000u)  /* the page will be dirtied */
#define __GFP_NOWARN         ((gfp_t)0x2000u)  /* no failure report */
#define __GFP_RETRY_MAYFAIL  ((gfp_t)0x4000u)  /* try hard, but fail rather than OOM */
#define __GFP_NOFAIL         ((gfp_t)0x8000u)  /* never fail; needs DIRECT_RECLAIM */
#define __GFP_NORETRY        ((gfp_t)0x10000u) /* one light reclaim only */
#define __GFP_MEMALLOC       ((gfp_t)0x20000u) /* may use all reserves */
#define __GFP_COMP           ((gfp_t)0x40000u) /* a compound page */
#define __GFP_NOMEMALLOC     ((gfp_t)0x80000u) /* no reserves, whatever else is said */
#define __GFP_HARDWALL       ((gfp_t)0x100000u)
#define __GFP_THISNODE       ((gfp_t)0x200000u) /* no other node */
#define __GFP_ACCOUNT        ((gfp_t)0x400000u) /* charge to the current group */

#define __GFP_BITS_SHIFT 23
#define __GFP_BITS_MASK  ((gfp_t)((1u << __GFP_BITS_SHIFT) - 1))

#define __GFP_RECLAIM (__GFP_DIRECT_RECLAIM | __GFP_KSWAPD_RECLAIM)

#define GFP_ATOMIC           (__GFP_HIGH | __GFP_ATOMIC | __GFP_KSWAPD_RECLAIM)
#define GFP_KERNEL           (__GFP_RECLAIM | __GFP_IO | __GFP_FS)
#define GFP_KERNEL_ACCOUNT   (GFP_KERNEL | __GFP_ACCOUNT)
#define GFP_NOWAIT           (__GFP_KSWAPD_RECLAIM)
#define GFP_NOIO             (__GFP_RECLAIM)
#define GFP_NOFS             (__GFP_RECLAIM | __GFP_IO)
#define GFP_USER             (__GFP_RECLAIM | __GFP_IO | __GFP_FS | __GFP_HARDWALL)
#define GFP_DMA              __GFP_DMA
#define GFP_DMA32            __GFP_DMA32
#define GFP_HIGHUSER         (GFP_USER | __GFP_HIGHMEM)
#define GFP_HIGHUSER_MOVABLE (GFP_HIGHUSER | __GFP_MOVABLE)
#define GFP_TRANSHUGE_LIGHT \
	((GFP_HIGHUSER_MOVABLE | __GFP_COMP | __GFP_NOMEMALLOC | __GFP_NOWARN) & ~__GFP_RECLAIM)
#define GFP_TRANSHUGE (GFP_TRANSHUGE_LIGHT | __GFP_DIRECT_RECLAIM)

/* Bits that name a place; the rest say how. */
#define GFP_ZONEMASK     (__GFP_DMA | __GFP_HIGHMEM | __GFP_DMA32 | __GFP_MOVABLE)
#define GFP_MOVABLE_MASK (__GFP_RECLAIMABLE | __GFP_MOVABLE)
/* What a slab cache may not be asked for: warned about and stripped. */
#define GFP_SLAB_BUG_MASK (__GFP_DMA32 | __GFP_HIGHMEM | ~__GFP_BITS_MASK)

/* May the allocation sleep (reclaim, wait, call the system)? */
static inline bool gfpflags_allow_blocking(const gfp_t flags)
{
	return flags & __GFP_DIRECT_RECLAIM;
}

#endif /* SW_GFP_H */
