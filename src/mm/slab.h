/* SPDX-License-Identifier: MIT */
#ifndef MM_SLAB_H
#define MM_SLAB_H

/*
 * slab.h - the structures of the slab allocator, and its door for the rest of mm
 *
 * Room: mm; proc reads, white-box tests may look. Field names are the kernel's
 * where it has them. The vocabulary:
 *
 *   slab    2^order pages cut into equal objects; its head is a struct page with PG_slab
 *   sheaf   an array of free objects between two sentinels, owned by a CPU, a barn or a caller
 *   barn    a node's stock of full and empty sheaves of one cache
 *   slot    8 bytes a CPU id and cache: top of the main sheaf (see <slabwork/slab_fast.h>)
 *   spare   8 bytes a CPU id and cache: a second sheaf, exchanged atomically, or NULL
 *   tag     1..255, what objmap holds for a live object; up to SLAB_TAG_GENERAL it is also
 *           the index of the slot and names one general cache
 */

#include <stdatomic.h>
#include <slabwork/slab.h>

#include "kernel/lock.h"
#include "lib/reciprocal.h"
#include "mm/page.h"
#include "mm/zone.h"

enum slab_state {
	DOWN,    /* nothing works */
	PARTIAL, /* kmem_cache_node works */
	UP,      /* kmalloc works */
	FULL     /* everything works */
};
extern _Atomic enum slab_state slab_state;

#define SLAB_TAG_GENERAL 111 /* tags 1..111: general caches, slot index == tag */
#define SLAB_TAG_SHARED  112 /* 112, 114 … 254: every other cache; odd: an object at 8 mod 16 */
#define SLAB_NR_SHARED   72
#define SLAB_NR_SLOTS    (1u << (SW_PCPU_SHIFT - 1 - 3))

#define MAX_OBJS_PER_PAGE 32767
#define MIN_PARTIAL       5
#define MAX_PARTIAL       10

struct kmem_cache_order_objects {
	unsigned int x; /* order << 16 | objects */
};

static inline unsigned int oo_order(struct kmem_cache_order_objects oo)
{
	return oo.x >> 16;
}

static inline unsigned int oo_objects(struct kmem_cache_order_objects oo)
{
	return oo.x & 0xffff;
}

/* A sheaf: 4 words of frame and capacity objects; 8 * (capacity + 4) bytes, aligned to that. */
struct slab_sheaf {
	struct slab_sheaf *next; /* in a barn or on the defer list */
	unsigned short capacity;
	unsigned short size; /* valid while no slot points here */
	unsigned int seen;   /* blocks: what lay there when barn_reap() looked last */
	void *bottom;        /* NULL: the lower sentinel */
	void *objects[];     /* objects[capacity] is SW_SHEAF_FULL, the upper one */
};

struct node_barn {
	spinlock_t lock;
	_Atomic unsigned int nr_full; /* written under lock, peeked at without; spilled, too */
	unsigned int nr_empty;
	unsigned int min_full;  /* least nr_full since the last barn_reap(): nobody needed these */
	unsigned int most_full; /* and the most */
	unsigned int extra;     /* full sheaves beyond the cache's barn_max_full that it may keep */
	_Atomic unsigned int spilled;      /* that had no room, since the last barn_reap() */
	_Atomic(struct slab_sheaf *) full; /* written under lock, peeked at without */
	_Atomic(struct slab_sheaf *) empty;
};
#define BARN_MAX_EMPTY 10  /* and as many as extra */
#define BARN_MOST_FULL 512 /* of any cache, extra included */

struct kmem_cache_node {
	spinlock_t list_lock; /* partial, nr_partial, and every slab's bitmap, inuse, slab_on_list */
	_Atomic unsigned int nr_partial;
	struct list_head partial;
	struct list_head full; /* slabs with no free object, walked by destroy and debugging */
	_Atomic unsigned long nr_slabs;
	_Atomic unsigned long total_objects;
	_Atomic unsigned long
		free_objects; /* free in slabs (not in sheaves); changed under list_lock */
	_Atomic unsigned long nr_unlisted; /* slabs on no list yet, in none of these counts */
	_Atomic uint64_t taken_ns;         /* when a CPU last needed a sheaf with objects */
	_Atomic uint64_t dropped_ns;       /* when all empty slabs were last looked for */
	struct node_barn barn;
};

struct kmem_cache {
	struct sw_fast fast; /* first: the header's inline code reads it */

	slab_flags_t flags;
	unsigned int size;        /* bytes from one object to the next, metadata included */
	unsigned int object_size; /* what the user asked for */
	struct reciprocal_value reciprocal_size;
	unsigned int offset; /* of the deferred-free link: where the kernel's free pointer is */
	struct kmem_cache_order_objects oo;  /* wanted */
	struct kmem_cache_order_objects min; /* what one object needs at least */
	gfp_t allocflags;
	int refcount;
	void (*ctor)(void *object);
	unsigned int inuse; /* offset to metadata */
	unsigned int align;
	unsigned int red_left_pad;
	const char *name;
	struct list_head list; /* slab_caches */
	struct hlist_node by_name;
	unsigned int useroffset;
	unsigned int usersize;
	unsigned int sheaf_capacity; /* 0: no sheaves */
	unsigned int barn_max_full;  /* full sheaves a node's barn keeps */
	unsigned int barn_max_extra; /* and so many more when they were missed */
	unsigned int sheaf_limit;    /* objects in a sheaf: sheaf_capacity, fewer for blocks */
	unsigned int block_pages;    /* objects are blocks of so many pages; 0: parts of slabs */
	_Atomic unsigned int block_heat; /* blocks: slow allocations lately, see blocks_hot() */
	_Atomic uint64_t block_heat_ns;  /* when the count began */
	unsigned int slot_index;
	unsigned long min_partial;
	unsigned int cpu_partial; /* reported only: the kernel's value for this geometry */
	bool dying;
	_Atomic(struct slab_sheaf *)
		deferred; /* sheaves that a free could not put away without waiting */
	_Atomic(void *) deferred_objects; /* single ones, linked (encoded) through s->offset */
	unsigned long random;             /* encodes that link */
	struct kmem_cache_node *node[MAX_NUMNODES];
};

/* Pages of a slab, or of a block. */
static inline unsigned int slab_pages(const struct kmem_cache *s)
{
	return s->block_pages ? s->block_pages : 1u << oo_order(s->oo);
}

extern struct list_head slab_caches; /* of kmem_cache.list; creation order */
extern struct mutex slab_mutex;      /* guards it */

/* The null and the drain sheaf: empty and full at once. A slot holds &x[0]. */
extern void *sheaf_null[2], *sheaf_drain[2];

/* Boot, in this order, from mm/boot.c. */
void kmem_cache_init(void);      /* DOWN .. UP, general caches included */
void kmem_cache_init_late(void); /* FULL */

/* What slabinfo prints. Same meaning as the kernel's struct slabinfo. */
struct slabinfo {
	unsigned long active_objs;
	unsigned long num_objs;
	unsigned long active_slabs;
	unsigned long num_slabs;
	unsigned long shared_avail;
	unsigned int limit;
	unsigned int batchcount;
	unsigned int shared;
	unsigned int objects_per_slab;
	unsigned int cache_order;
};
void get_slabinfo(struct kmem_cache *cache, struct slabinfo *info);

/* Objects in sheaves (slots, spares, barns) of a cache; racy unless the world stands still. */
unsigned long slab_sheaf_objects(struct kmem_cache *cache);

/*
 * Now and then, from slow paths: stock that nobody touched since the last tick goes back to the
 * slabs. Waits for no lock. Cheap when it is not due.
 */
void slab_tick(void);

/* Drop every empty slab of every cache, sheaves included: pages freed. May sleep. */
unsigned long slab_reclaim_all(void);

/* The cache and head page of a slab object; NULL if addr is in no slab. Any context. */
struct kmem_cache *slab_cache_of(const void *addr, struct page **head);

/*
 * General caches for other fronts (the drop-in malloc): like kmem_cache_create(), but the
 * cache gets a tag of its own, so that free finds it from the address. NULL: no tag left.
 */
struct kmem_cache *kmem_cache_create_general(const char *name, unsigned int size,
					     unsigned int align, slab_flags_t flags);
extern struct kmem_cache *general_caches[SLAB_TAG_GENERAL + 1]; /* by tag */

/*
 * SLAB_BLOCKS: the objects of the cache are runs of pages of their own, cut to length (general.c);
 * sheaves keep the warm ones. objmap holds their tag while they are live, PG_large marks
 * the head while they are in the cache's hands at all, page->slab_cache names the cache.
 */
#define SLAB_BLOCKS ((slab_flags_t)0x80000000U)

/*
 * SLAB_PACKED: slabs of the cache leave little over, in orders up to PACKED_MAX_ORDER, and few empty ones
 * stay: a program's heap counts every byte. The kernel's rule accepts a sixteenth.
 */
#define SLAB_PACKED ((slab_flags_t)0x00000001U)

/* Geometry, also for the oracle test: order and objects for a size on so many CPUs. */
unsigned int calculate_order(unsigned int size, unsigned int nr_cpus);
unsigned int order_objects(unsigned int order, unsigned int size);
extern unsigned int slab_nr_cpus; /* the count the rule used; SLABWORK=slab_nr_cpus=N */

/* Walk a cache and check every numbered invariant of slub.c. 0, or the number of the broken one. */
int kmem_cache_validate(struct kmem_cache *cache);

#endif /* MM_SLAB_H */
