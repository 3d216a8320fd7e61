/* SPDX-License-Identifier: MIT */
/*
 * slub_layout.c - where the bytes of an object lie, and how many fit a slab
 *
 * Room: mm. The rule is the kernel's, byte for byte: an oracle test recomputes
 * every cache of the host's /proc/slabinfo. What we do *not* need is the free
 * pointer (free objects are known by a bitmap beside the slab), but its room is
 * kept: sizes agree with the kernel's, and a free that must not wait links the
 * object through that very place (slub_sheaf.c), which is never inside a
 * constructed or RCU-visible object.
 *
 *   | red_left_pad | object_size | pad to a word | (free pointer) | metadata | pad to align |
 *                  ^ what the user gets          ^ inuse                    size ^
 */

#include <slabwork/mm.h>
#include <slabwork/slab.h>

#include "kernel/param.h"
#include "lib/bitops.h"
#include "mm/slub_internal.h"

unsigned int slab_nr_cpus;
static unsigned int slab_min_order;
static unsigned int slab_max_order = PAGE_ALLOC_COSTLY_ORDER;
static unsigned int slab_min_objects;

static int set_nr_cpus(const char *value)
{
	return param_uint(value, 1, 8192, &slab_nr_cpus);
}
__param(slab_nr_cpus, "slab_nr_cpus", set_nr_cpus, "1..8192", PARAM_NONE);

static int set_min_order(const char *value)
{
	int err = param_uint(value, 0, MAX_PAGE_ORDER, &slab_min_order);

	if (!err && slab_max_order < slab_min_order)
		slab_max_order = slab_min_order;
	return err;
}
__param(slab_min_order, "slab_min_order", set_min_order, "0..10", PARAM_NONE);

static int set_max_order(const char *value)
{
	int err = param_uint(value, 0, MAX_PAGE_ORDER, &slab_max_order);

	if (!err && slab_min_order > slab_max_order)
		slab_min_order = slab_max_order;
	return err;
}
__param(slab_max_order, "slab_max_order", set_max_order, "0..10", PARAM_NONE);

static int set_min_objects(const char *value)
{
	return param_uint(value, 0, MAX_OBJS_PER_PAGE, &slab_min_objects);
}
__param(slab_min_objects, "slab_min_objects", set_min_objects, "0..32767", PARAM_NONE);

unsigned int order_objects(unsigned int order, unsigned int size)
{
	return (unsigned int)((PAGE_SIZE << order) / size);
}

/* The first order that wastes no more than 1/fract of the slab; max_order + 1 if none does. */
static unsigned int calc_slab_order(unsigned int size, unsigned int min_order,
				    unsigned int max_order, unsigned int fract)
{
	unsigned int order;

	for (order = min_order; order <= max_order; order++) {
		unsigned int slab_bytes = (unsigned int)PAGE_SIZE << order;

		if (slab_bytes % size <= slab_bytes / fract)
			break;
	}
	return order;
}

unsigned int calculate_order(unsigned int size, unsigned int nr_cpus)
{
	unsigned int min_objects = slab_min_objects;
	unsigned int max_objects, min_order, order, fract;

	/* More CPUs share a slab's lock: let a slab last longer. */
	if (!min_objects)
		min_objects = 4 * (unsigned int)(fls(nr_cpus) + 1);
	max_objects = order_objects(slab_max_order, size);
	if (!max_objects)
		max_objects = 1;
	if (min_objects > max_objects)
		min_objects = max_objects;

	min_order = get_order((size_t)min_objects * size);
	if (min_order < slab_min_order)
		min_order = slab_min_order;
	if (order_objects(min_order, size) > MAX_OBJS_PER_PAGE)
		return get_order((size_t)size * MAX_OBJS_PER_PAGE) - 1;

	/* Little waste first, then more: 1/16, 1/8, 1/4, 1/2. */
	for (fract = 16; fract > 1; fract /= 2) {
		order = calc_slab_order(size, min_order, slab_max_order, fract);
		if (order <= slab_max_order)
			return order;
	}
	/* One object a slab, however much it wastes. */
	return get_order(size);
}

/* The kernel's cpu_partial for this size: reported in sysfs, not used by sheaves. */
static unsigned int kernel_cpu_partial(unsigned int size)
{
	if (size >= PAGE_SIZE)
		return 6;
	if (size >= 1024)
		return 24;
	return size >= 256 ? 52 : 120;
}

/*
 * Objects in a sheaf, each filling a power of two with its 4-word frame: three to
 * ten times the kernel's 60, 28, 12, 4. A slow path costs what ten calls cost, and
 * objects of ours that nobody touched cost no memory (bench rows fifo*, random*).
 */
static unsigned int default_sheaf_capacity(unsigned int size)
{
	if (size >= PAGE_SIZE)
		return sheaf_round_capacity(12);
	if (size >= 2048)
		return sheaf_round_capacity(28);
	if (size > 1024)
		return sheaf_round_capacity(60);
	if (size >= 512)
		return sheaf_round_capacity(124);
	return sheaf_round_capacity(508);
}

/*
 * Full sheaves of a barn: what 1 MiB of objects make (a burst of a thousand 1 KiB objects stays
 * out of the slabs), an eighth of it for larger ones, at least as many as keep two CPUs
 * fed. What is not used for a while goes back: barn_reap().
 */
#define BARN_BYTES(size) ((size) > 1024 ? 128U << 10 : 1U << 20)
#define BARN_MIN_FULL    2
/* A barn whose sheaves went to the slabs and were missed keeps up to this much more for a while. */
#define BARN_EXTRA_BYTES (8U << 20)

/* A CPU keeps at most this much of one size of block ready, in each of its two sheaves. */
#define BLOCK_SHEAF_BYTES (4UL << 20)
#define BLOCK_SHEAF_LEAST (512UL << 10)
#define BLOCK_CPUS_BYTES  (16UL << 20) /* all of them together, unless that is less than LEAST */
#define BLOCK_SHEAF_MOST  12

static void calculate_block_sizes(struct kmem_cache *s)
{
	unsigned long bytes = BLOCK_CPUS_BYTES / slab_nr_cpus;
	unsigned int keep;

	if (bytes > BLOCK_SHEAF_BYTES)
		bytes = BLOCK_SHEAF_BYTES;
	if (bytes < BLOCK_SHEAF_LEAST)
		bytes = BLOCK_SHEAF_LEAST;
	keep = (unsigned int)(bytes / s->object_size);
	s->size = s->inuse = s->object_size;
	s->block_pages = s->size >> PAGE_SHIFT;
	s->reciprocal_size = reciprocal_value(s->size);
	s->oo.x = get_order(s->size) << 16 | 1;
	s->min = s->oo;
	s->sheaf_capacity = sheaf_round_capacity(BLOCK_SHEAF_MOST);
	s->sheaf_limit = keep < 1 ? 1 : keep > s->sheaf_capacity ? s->sheaf_capacity : keep;
}

static void calculate_barn(struct kmem_cache *s)
{
	unsigned int sheaf_size = s->size * s->sheaf_capacity;
	unsigned int most = BARN_MOST_FULL / 2;

	s->barn_max_full = s->barn_max_extra = 0;
	if (sheaf_size) {
		s->barn_max_full = BARN_BYTES(s->size) / sheaf_size;
		s->barn_max_extra = BARN_EXTRA_BYTES / sheaf_size;
	}
	if (s->barn_max_full < BARN_MIN_FULL)
		s->barn_max_full = BARN_MIN_FULL;
	if (s->barn_max_full > most)
		s->barn_max_full = most;
	if (s->barn_max_extra > most)
		s->barn_max_extra = most;
}

/* The least order that leaves a 32nd over at most, or a larger one that leaves a lot less. */
#define PACKED_FRACTION  32
#define PACKED_ENOUGH    64
#define PACKED_MAX_ORDER 4
#define PACKED_EMPTY     (32 * PAGE_SIZE) /* bytes of empty slabs that may stay */

static unsigned int slab_waste(unsigned int order, unsigned int size)
{
	return (unsigned int)(PAGE_SIZE << order) % size;
}

static unsigned int packed_order(unsigned int size, unsigned int order)
{
	unsigned int max = slab_max_order > PACKED_MAX_ORDER ? slab_max_order : PACKED_MAX_ORDER;

	if (slab_max_order < PAGE_ALLOC_COSTLY_ORDER) /* slab_max_order= */
		return order;
	while (order < slab_max_order &&
	       slab_waste(order, size) > (PAGE_SIZE << order) / PACKED_FRACTION)
		order++;
	if (order == slab_max_order &&
	    slab_waste(order, size) > (PAGE_SIZE << order) / PACKED_ENOUGH &&
	    slab_waste(max, size) < (PAGE_SIZE << max) / PACKED_ENOUGH)
		order = max;
	return order;
}

bool calculate_sizes(struct kmem_cache *s)
{
	unsigned int size = ALIGN(s->object_size, (unsigned int)sizeof(void *));
	unsigned int order, min_partial;

	if (s->flags & SLAB_BLOCKS) {
		calculate_block_sizes(s);
		return true;
	}
	s->inuse = size;
	/* The kernel's free pointer: outside where the object must not change while free. */
	if (s->ctor || (s->flags & (SLAB_TYPESAFE_BY_RCU | SLAB_POISON)) ||
	    ((s->flags & SLAB_RED_ZONE) && s->object_size < sizeof(void *))) {
		s->offset = size;
		size += (unsigned int)sizeof(void *);
	} else {
		s->offset = (s->object_size / 2) & ~(unsigned int)(sizeof(void *) - 1);
	}
	size = ALIGN(size, s->align);
	s->size = size;
	s->reciprocal_size = reciprocal_value(size);

	order = calculate_order(size, slab_nr_cpus);
	if (order > MAX_PAGE_ORDER)
		return false;
	if (s->flags & SLAB_PACKED)
		order = packed_order(size, order);
	/* The allocator's own caches: a bitmap outside would be an object of a slab of theirs. */
	while ((s->flags & SLAB_NO_SHEAVES) && order > get_order(size) &&
	       order_objects(order, size) > SLAB_INLINE_OBJECTS)
		order--;
	s->oo.x = order << 16 | order_objects(order, size);
	order = get_order(size);
	s->min.x = order << 16 | order_objects(order, size);
	if (!oo_objects(s->oo))
		return false;

	min_partial = (unsigned int)ilog2(size) / 2;
	s->min_partial = min_partial < MIN_PARTIAL ? MIN_PARTIAL :
			 min_partial > MAX_PARTIAL ? MAX_PARTIAL :
						     min_partial;
	if (s->flags & SLAB_PACKED &&
	    s->min_partial > PACKED_EMPTY / (PAGE_SIZE << oo_order(s->oo)))
		s->min_partial = PACKED_EMPTY / (PAGE_SIZE << oo_order(s->oo));
	s->cpu_partial = kernel_cpu_partial(size);

	s->allocflags = oo_order(s->oo) ? __GFP_COMP : 0;
	if (s->flags & SLAB_CACHE_DMA)
		s->allocflags |= GFP_DMA;
	if (s->flags & SLAB_CACHE_DMA32)
		s->allocflags |= GFP_DMA32;
	if (s->flags & SLAB_RECLAIM_ACCOUNT)
		s->allocflags |= __GFP_RECLAIMABLE;

	/* objmap tells objects apart by 16-byte steps: smaller ones stay on the locked path. */
	if ((s->flags & SLAB_NO_SHEAVES) || size < 16)
		s->sheaf_capacity = 0;
	else if (!s->sheaf_capacity)
		s->sheaf_capacity = default_sheaf_capacity(size);
	else
		s->sheaf_capacity = sheaf_round_capacity(s->sheaf_capacity);
	s->sheaf_limit = s->sheaf_capacity;
	calculate_barn(s);
	return true;
}
