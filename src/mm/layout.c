/* SPDX-License-Identifier: MIT */
/*
 * layout.c - where the windows of our address space lie
 *
 * Room: mm. Above us: memory_online.c, vmalloc.c, slub.c. Below us: os/vm.h.
 *
 * 1. The plan
 *
 * One unit U is 1/128 of the address space (1 TiB at 47 bits, 4 GiB at 39). From a
 * base of b units:
 *
 *	b+0 … b+4   machine    grows upwards from a random start in the first quarter
 *	b+4 … b+8   vmalloc    starts at random, too
 *	b+8 … b+9   memmap     64 bytes a page, biased; page tags from 7/8 on, the section
 *	                       table from 15/16 on
 *	b+9 … b+9+x objmap     1/16 of everything below b+4, biased: x = (b+4)/16, rounded up
 *
 * b is 4, which ends at 14 U: below 16 TiB, as valgrind wants it. AddressSanitizer has its
 * shadow up to 16 TiB, so b is 20 there; ThreadSanitizer knows few addresses, so U is 4 GiB,
 * all below 64 GiB. If somebody already sits where a window would begin, the next b is tried.
 *
 * "Biased" means that the array would begin at the entry of address 0, so that the entry of
 * an address is a shift away. The low window (below 4 GiB) has its entries in the same arrays.
 *
 * 2. Nothing is mapped here but the pcpu window (NORESERVE: only what is touched costs). The
 * rest is mapped at the online edge by layout_map_sections(); memmap (64 KiB), objmap (256
 * KiB) and memory (4 MiB) of a section are whole OS pages even where those have 64 KiB. The
 * section table and the page tags are mapped 64 KiB at a time: 1 GiB of memory, and 256 MiB.
 *
 * Locks: layout_init() runs in boot; layout_map_sections() under the online lock.
 */

#include <errno.h>

#include <slabwork/slab_fast.h>

#include "kernel/cpu.h"
#include "mm/layout.h"
#include "mm/page.h"
#include "mm/page_alloc.h"
#include "mm/zone.h"
#include "os/os.h"
#include "os/vm.h"

#define GIB       (1UL << 30)
#define MIB       (1UL << 20)
#define LOW_LIMIT (4 * GIB) /* ZONE_DMA32: a pointer fits in 32 bits */

#define TABLE_GRANULE (64UL << 10) /* bytes of a table mapped at a time */
#define NO_GRANULE    (~0UL)

#define FIRST_BASE 4
#define BASE_STEP  16
#define LAST_BASE  100

#if defined(__SANITIZE_ADDRESS__)
#define UNDER_ASAN 1
#elif defined(__SANITIZE_THREAD__)
#define UNDER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_ASAN 1
#elif __has_feature(thread_sanitizer)
#define UNDER_TSAN 1
#endif
#endif

struct sw_layout sw_layout;
/* Every free reads it: beside nothing that is written. */
uintptr_t sw_nr_steps __attribute__((aligned(64)));
struct mem_section *section_table;

/* The last granule mapped: of the section table for the machine, for the low window, of the tags. */
static unsigned long machine_granule = NO_GRANULE;
static unsigned long low_granule = NO_GRANULE;
static unsigned long tags_granule = NO_GRANULE;

static uintptr_t address_unit(void)
{
#ifdef UNDER_TSAN
	return 4 * GIB;
#else
	return os_task_size() / 128;
#endif
}

static unsigned int first_base(void)
{
#ifdef UNDER_ASAN
	return 20;
#else
	return FIRST_BASE;
#endif
}

/* Random in [0, range), a multiple of align; both powers of two times something. */
static uintptr_t random_slide(uintptr_t range, uintptr_t align)
{
	uint64_t r;

	if (range <= align)
		return 0;
	os_random(&r, sizeof(r));
	return r % (range / align) * align;
}

static uintptr_t min_of(uintptr_t a, uintptr_t b)
{
	return a < b ? a : b;
}

/* Can memory be mapped there? (Address space limits do not count: they are said elsewhere.) */
static bool can_map(uintptr_t addr, size_t size)
{
	if (os_map_at((void *)addr, size))
		return false;
	os_unmap((void *)addr, size);
	return true;
}

static uintptr_t memmap_at(uintptr_t addr)
{
	return (uintptr_t)pfn_to_page_raw(addr >> PAGE_SHIFT);
}

static uintptr_t objmap_at(uintptr_t addr)
{
	return (uintptr_t)sw_layout.objmap + (addr >> OBJMAP_SHIFT);
}

static size_t memmap_bytes(size_t size)
{
	return (size >> PAGE_SHIFT) * sizeof(struct page);
}

/* Are the first pages of every window at this base free? */
static bool windows_fit(void)
{
	size_t probe = 64UL << 10;
	uintptr_t start = sw_layout.machine_start;

	return can_map(start, SECTION_SIZE) && can_map(memmap_at(start), probe) &&
	       can_map(objmap_at(start), probe) && can_map(sw_layout.vmalloc_start, probe) &&
	       can_map((uintptr_t)sw_layout.objmap, probe) &&
	       can_map((uintptr_t)sw_layout.page_tags, probe) &&
	       can_map((uintptr_t)&section_table[start >> SECTION_SHIFT] & ~(TABLE_GRANULE - 1),
		       probe);
}

static void place_windows(uintptr_t unit, unsigned int base)
{
	uintptr_t align = min_of(GIB, unit / 64);
	uintptr_t end = (base + 4) * unit; /* no memory of ours at or above */
	uintptr_t small = 2 * MIB;

	sw_layout.machine_start = base * unit + random_slide(unit, align);
	sw_layout.machine_end = end;
	sw_layout.vmalloc_start = end + random_slide(unit, align);
	sw_layout.vmalloc_end = (base + 8) * unit;
	/* Entries end at memmap + end/64, below 7/8 U; tags are U/1024 long, the table U/16384. */
	sw_layout.memmap = (struct page *)((base + 8) * unit + random_slide(unit / 8, small));
	sw_layout.page_tags = (unsigned char *)((base + 9) * unit - unit / 8);
	section_table = (struct mem_section *)((base + 9) * unit - unit / 16);
	sw_layout.objmap = (unsigned char *)((base + 9) * unit + random_slide(unit / 4, small));
}

static int place_high(void)
{
	uintptr_t unit = address_unit();

	for (unsigned int base = first_base(); base <= LAST_BASE; base += BASE_STEP) {
		/* Larger biases would run out of their window: see place_windows(). */
		if ((base + 4) * unit / 64 + unit / 8 > unit - unit / 8)
			break;
		for (int attempt = 0; attempt < 4; attempt++) {
			place_windows(unit, base);
			if (windows_fit())
				goto found;
		}
	}
	return -ENOMEM;
found:
	atomic_store(&sw_layout.machine_online, sw_layout.machine_start);
	return 0;
}

/*
 * The low window: fixed executables sit at the bottom, their brk follows, MAP_32BIT fills
 * 1 … 2 GiB; so we look at the upper half first. Under AddressSanitizer everything above
 * 2 GiB is shadow. No room at all: the zones stay empty.
 */
static void place_low(void)
{
	static const struct {
		uintptr_t start, end, slide;
	} plans[] = {
		{ 2 * GIB, LOW_LIMIT, GIB / 2 },
		{ 3 * GIB, LOW_LIMIT, GIB / 2 },
		{ GIB, 2 * GIB - 64 * MIB, GIB / 2 },
		{ GIB / 2, 2 * GIB - 64 * MIB, GIB / 4 },
		{ GIB / 4, GIB, 0 },
	};

	for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
		uintptr_t start = plans[i].start + random_slide(plans[i].slide, SECTION_SIZE);

		if (!can_map(start, SECTION_SIZE))
			continue;
		sw_layout.low_start = start;
		sw_layout.low_end = plans[i].end;
		break;
	}
	atomic_store(&sw_layout.low_online, sw_layout.low_start);
}

int layout_init(void)
{
	int ret = place_high();

	if (ret)
		return ret;
	place_low();
	sw_layout.nr_cids = cpu_nr_cids();
	sw_layout.pcpu = os_map((size_t)(sw_layout.nr_cids + CPU_NULL_IDS) << SW_PCPU_SHIFT,
				1UL << SW_PCPU_SHIFT);
	if (!sw_layout.pcpu)
		return -ENOMEM;
	sw_layout.pcpu += (size_t)CPU_NULL_IDS << SW_PCPU_SHIFT;
	return 0;
}

/* Map bytes [start, end) of a table; they may be there already, from the section before. */
static int map_table(unsigned long *granule, void *table, size_t start, size_t end)
{
	unsigned long first = start / TABLE_GRANULE;
	unsigned long last = (end - 1) / TABLE_GRANULE;

	for (unsigned long g = first; g <= last; g++) {
		int ret;

		if (*granule != NO_GRANULE && g <= *granule)
			continue;
		ret = os_map_at((char *)table + g * TABLE_GRANULE, TABLE_GRANULE);
		if (ret)
			return -ENOMEM;
		*granule = g;
	}
	return 0;
}

int layout_map_sections(uintptr_t start, size_t size)
{
	bool low = start == atomic_load(&sw_layout.low_online) && start < LOW_LIMIT;
	_Atomic uintptr_t *edge = low ? &sw_layout.low_online : &sw_layout.machine_online;
	int ret = os_map_at((void *)start, size);
	bool hole = ret == -EEXIST;

	if (ret && !hole)
		return -ENOMEM;
	if (map_table(low ? &low_granule : &machine_granule, section_table,
		      (start >> SECTION_SHIFT) * sizeof(struct mem_section),
		      ((start + size) >> SECTION_SHIFT) * sizeof(struct mem_section)))
		goto unmap_memory;
	if (!low && map_table(&tags_granule, sw_layout.page_tags,
			      (start - sw_layout.machine_start) >> PAGE_SHIFT,
			      (start + size - sw_layout.machine_start) >> PAGE_SHIFT))
		goto unmap_memory;
	if (os_map_at((void *)memmap_at(start), memmap_bytes(size)))
		goto unmap_memory;
	if (os_map_at((void *)objmap_at(start), size >> OBJMAP_SHIFT))
		goto unmap_memmap;
	atomic_store_explicit(edge, start + size, memory_order_release);
	if (!low)
		__atomic_store_n(&sw_nr_steps,
				 (start + size - sw_layout.machine_start) >> OBJMAP_SHIFT,
				 __ATOMIC_RELEASE);
	return hole ? -EEXIST : 0;

unmap_memmap:
	os_unmap((void *)memmap_at(start), memmap_bytes(size));
unmap_memory:
	if (!hole)
		os_unmap((void *)start, size);
	return -ENOMEM;
}
