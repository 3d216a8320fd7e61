/* SPDX-License-Identifier: MIT */
#ifndef MM_LAYOUT_H
#define MM_LAYOUT_H

/*
 * layout.h - where the windows of our address space lie
 *
 * Room: mm. See docs/ARCHITECTURE.md §1. Filled once by layout_init(), read by
 * everybody; only *_online grow afterwards (under the online lock).
 */

#include <stdatomic.h>
#include <slabwork/types.h>

#define SECTION_SHIFT (PAGE_SHIFT + MAX_PAGE_ORDER) /* 4 MiB: one largest block */
#define SECTION_SIZE  (1UL << SECTION_SHIFT)
#define OBJMAP_SHIFT  4 /* one objmap byte for 16 bytes of memory */

struct sw_layout {
	/* Biased pointers: memmap[pfn], objmap[addr >> OBJMAP_SHIFT]. */
	struct page *memmap;
	unsigned char *objmap;

	/* ZONE_NORMAL and ZONE_MOVABLE: [machine_start, machine_online) is mapped. */
	uintptr_t machine_start;
	_Atomic uintptr_t machine_online;
	uintptr_t machine_end;

	/* ZONE_DMA and ZONE_DMA32, below 4 GiB: [low_start, low_online) is mapped. */
	uintptr_t low_start;
	_Atomic uintptr_t low_online;
	uintptr_t low_end;

	/* A byte for each page of the machine: the general cache whose objects start in it, or 0. */
	unsigned char *page_tags;

	uintptr_t vmalloc_start;
	uintptr_t vmalloc_end;

	/* Slots: the slot of cache index i for cid c is at pcpu + (c << SW_PCPU_SHIFT) + 8*i. */
	char *pcpu;
	unsigned int nr_cids;
};

extern struct sw_layout sw_layout;

/* (machine_online - machine_start) >> OBJMAP_SHIFT: the bound of the inline free paths. */
extern uintptr_t sw_nr_steps;

/* Choose the windows. 0 or -ENOMEM. Maps nothing but the pcpu window. */
int layout_init(void);

/*
 * Map memory, memmap and objmap of [start, start + size), sections at the online
 * edge of the machine or low window. 0, -ENOMEM (the OS has no more: RLIMIT_AS,
 * overcommit), or -EEXIST (somebody is mapped there: a hole, whose memmap and
 * objmap are mapped all the same). Caller serialises. Makes system calls.
 */
int layout_map_sections(uintptr_t start, size_t size);

/* Is there a memmap entry for this address (machine or low window, online)? Any context. */
static inline bool layout_addr_online(uintptr_t addr)
{
	if (addr - sw_layout.machine_start <
	    atomic_load_explicit(&sw_layout.machine_online, memory_order_acquire) -
		    sw_layout.machine_start)
		return true;
	return addr - sw_layout.low_start <
	       atomic_load_explicit(&sw_layout.low_online, memory_order_acquire) -
		       sw_layout.low_start;
}

#endif /* MM_LAYOUT_H */
