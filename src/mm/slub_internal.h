/* SPDX-License-Identifier: MIT */
#ifndef MM_SLUB_INTERNAL_H
#define MM_SLUB_INTERNAL_H

/*
 * slub_internal.h - what the slab allocator's files tell each other
 *
 *   slub.c          alloc and free: fast, slow, bulk
 *   slub_sheaf.c    slots, spares, barns: where sheaves lie
 *   slub_node.c     slabs: cutting, taking objects out, putting them back
 *   slub_layout.c   geometry
 *   slub_report.c   misuse and leaks, in words
 *   slab_common.c   the life of a cache; boot
 *   kmalloc.c       the general caches
 */

#include "mm/slab.h"

/* ---- slub_layout.c ---- */

/* Fill size, inuse, offset, oo, min, align … from object_size, align, flags, ctor. False: impossible. */
bool calculate_sizes(struct kmem_cache *s);

/* ---- slub_node.c ---- */

struct kmem_cache_node *get_node(struct kmem_cache *s, int nid);
void init_kmem_cache_node(struct kmem_cache_node *n);

/*
 * Take up to max objects out of slabs into p, lowest address first; a new slab is
 * made only while fewer than min are there. Returns how many; fewer than min: no
 * memory, or atomic context and the lock was taken. nid: preferred node, strict: only it.
 */
unsigned int slab_take(struct kmem_cache *s, gfp_t gfp, int nid, bool strict, void **p,
		       unsigned int min, unsigned int max);

/* Put n objects (all of s, dead in objmap) back. Returns how many are: fewer than n if a lock was taken. */
unsigned int slab_put(struct kmem_cache *s, void **p, unsigned int n, bool wait);

/*
 * Does the program drop what it had in this cache? Most of the local node's objects are free in
 * slabs or in the barn, and no CPU needed any for slab_drop_ms (slab_in_demand()).
 */
extern unsigned int slab_drop_ms;
void slab_in_demand(struct kmem_cache *s);
bool slab_shrinking(struct kmem_cache *s);
/* Then: all empty slabs of the local node go, now and then. */
void slab_drop_empty(struct kmem_cache *s);

/* Free empty slabs of all nodes. Returns pages freed. */
unsigned long slab_discard_empty(struct kmem_cache *s);

/* Index of the object that starts at addr in this slab, or -1. */
static inline int obj_to_index(const struct kmem_cache *s, const struct page *slab,
			       const void *addr)
{
	uintptr_t off = (uintptr_t)addr - (uintptr_t)page_addr(slab) - s->red_left_pad;
	unsigned int idx;

	if (off >= (uintptr_t)s->size * slab->objects)
		return -1;
	idx = reciprocal_divide((uint32_t)off, s->reciprocal_size);
	return (uintptr_t)idx * s->size == off ? (int)idx : -1;
}

static inline unsigned long *slab_bitmap(struct page *slab)
{
	return slab->objects > SLAB_INLINE_OBJECTS ? slab->slab_free_ext : slab->slab_free;
}

/* Is the object's bit set? Without the lock: its neighbours' bits in the word change meanwhile. */
static inline bool slab_bit_guess(struct page *slab, unsigned int index)
{
	const unsigned long *word = &slab_bitmap(slab)[index / 64];

	return __atomic_load_n(word, __ATOMIC_RELAXED) >> (index % 64) & 1;
}

/* ---- slub_sheaf.c ---- */

bool slots_init(void);      /* boot: once the pcpu window stands */
int slot_index_alloc(void); /* -1: none left; general caches use their tag instead */
void slot_index_free(unsigned int index);
void *slot_pop_locked(struct kmem_cache *s); /* without rseq */
bool slot_push_locked(struct kmem_cache *s, void *object);
/* The CPU's sheaf becomes the caller's. NULL: there was none. *usable: attach may work. */
struct slab_sheaf *slot_detach(struct kmem_cache *s, bool *usable);
bool slot_attach(struct kmem_cache *s, struct slab_sheaf *sheaf);

struct slab_sheaf *spare_swap(struct kmem_cache *s, struct slab_sheaf *sheaf);

/* limit: objects it may hold, <= capacity, which gives its size. */
struct slab_sheaf *sheaf_alloc(unsigned int capacity, unsigned int limit, gfp_t gfp);
void sheaf_free(struct slab_sheaf *sheaf);
unsigned int sheaf_round_capacity(unsigned int capacity);

/* A full sheaf, or NULL. It leaves *empty (if not NULL) in exchange where there is room: NULL then. */
struct slab_sheaf *barn_get_full(struct kmem_cache *s, struct slab_sheaf **empty, bool wait);
/* Takes the sheaf and hands out an empty one if there is any. False: no room or the lock was taken. */
bool barn_put_full(struct kmem_cache *s, struct slab_sheaf *sheaf, struct slab_sheaf **empty);
struct slab_sheaf *barn_get_empty(struct kmem_cache *s, bool wait);
/* A sheaf had to be filled from slabs: if one was spilled to them lately, keep one more from now. */
void barn_regret(struct kmem_cache *s);
/* Give back the sheaves that lay in the barns untouched since the last call. Waits for nothing. */
void barn_reap(struct kmem_cache *s);
/* The same for all caches of blocks, whose stock is looked at more often. May free pages. */
void block_sheaves_reap(void);
/* Its objects go to their slabs, as many as a taken lock lets. Returns how many went. */
unsigned int sheaf_unload(struct kmem_cache *s, struct slab_sheaf *sheaf, bool wait);
/* Get rid of a sheaf: barn, else slabs, else the defer list. Never waits unless told. */
void sheaf_dispose(struct kmem_cache *s, struct slab_sheaf *sheaf, bool wait);
/* Park one object where a later slow path finds it; for a free that could get no lock and no sheaf. */
void defer_object(struct kmem_cache *s, void *object);
void drain_deferred_slow(struct kmem_cache *s, bool wait);

static inline void drain_deferred(struct kmem_cache *s, bool wait)
{
	if (unlikely(atomic_load_explicit(&s->deferred, memory_order_relaxed) ||
		     atomic_load_explicit(&s->deferred_objects, memory_order_relaxed)))
		drain_deferred_slow(s, wait);
}

/* Empty every slot, spare, barn and deferred sheaf of s into its slabs. May sleep. */
void flush_all(struct kmem_cache *s);

/* ---- general.c: caches of blocks ---- */

unsigned int block_take(struct kmem_cache *s, gfp_t gfp, int nid, void **p, unsigned int n);
void block_put(struct kmem_cache *s, void **p, unsigned int n);

/* ---- page tags ---- */

/* What the inline frees look up for pages whose objects they may take: below 4 GiB, none. */
static inline void page_tag_set(const void *addr, size_t nr_pages, unsigned int tag)
{
	if ((uintptr_t)addr >= sw_layout.machine_start)
		memset(sw_layout.page_tags +
			       (((uintptr_t)addr - sw_layout.machine_start) >> PAGE_SHIFT),
		       (int)tag, nr_pages);
}

static inline unsigned int general_tag_of(const struct kmem_cache *s)
{
	return s->fast.tag <= SLAB_TAG_GENERAL ? s->fast.tag : 0;
}

/* ---- objmap ---- */

static inline unsigned char *objmap_byte(const void *object)
{
	return &sw_layout.objmap[(uintptr_t)object >> OBJMAP_SHIFT];
}

static inline unsigned char objmap_tag(const struct kmem_cache *s, const void *object)
{
	return (unsigned char)(s->fast.tag + ((uintptr_t)object >> 3 & 1));
}

static inline void object_set_live(const struct kmem_cache *s, void *object)
{
	if (s->fast.tag)
		*objmap_byte(object) = objmap_tag(s, object);
}

/* ---- internal caches for sheaves and long bitmaps: slab_common.c ---- */

void *slab_meta_alloc(size_t bytes,
		      gfp_t gfp); /* aligned to bytes rounded to a power of two, 64..4096 */
void slab_meta_free(void *p);

/* ---- slub_report.c ---- */

/* Say what is wrong with freeing addr and abort. s: the cache the caller named, or NULL. */
void slab_bad_free(const char *who, struct kmem_cache *s, const void *addr)
	__attribute__((noreturn, cold));
/* The kernel's report block about one object (goes on); reason e.g. "Freepointer corrupt". */
void slab_report(struct kmem_cache *s, const void *object, const char *reason)
	__attribute__((cold));
void slab_list_remaining(struct kmem_cache *s);
void slab_out_of_memory(struct kmem_cache *s, gfp_t gfp, int nid);

/* ---- slub.c ---- */

void *slab_alloc_node(struct kmem_cache *s, gfp_t gfp, int nid);
/* May a block of s lie in a sheaf? count: one is being allocated past the sheaves. */
bool blocks_hot(struct kmem_cache *s, bool count);
/* who: for the report. checked: the objmap byte was right and is cleared already. */
void slab_free_slow(struct kmem_cache *s, void *object, bool checked, const char *who);

/* ---- kmalloc.c ---- */

void setup_kmalloc_cache_index_table(void);
void create_kmalloc_caches(slab_flags_t flags);

/* ---- slab_common.c ---- */

struct kmem_cache *create_cache(const char *name, unsigned int object_size, unsigned int align,
				slab_flags_t flags, unsigned int useroffset, unsigned int usersize,
				void (*ctor)(void *), unsigned int sheaf_capacity,
				unsigned int general_tag);

#endif /* MM_SLUB_INTERNAL_H */
