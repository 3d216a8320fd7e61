/* SPDX-License-Identifier: MIT */
/*
 * slab_common.c - the life of a cache, and how the first ones come to be
 *
 * Room: mm.  Door: <slabwork/slab.h>.  Next door: slub*.c do the work.
 *
 * 1. Boot (slab_state)
 *
 *   DOWN     kmem_cache_node and kmem_cache are made by hand in static memory; their
 *            slabs come from the page allocator like any other's
 *   PARTIAL  kmem_cache_node works: the second cache takes its node from it
 *            both move into objects of their own; slab_meta-* (sheaves, long bitmaps) follow
 *   UP       kmalloc works (kmalloc.c)
 *   FULL     everything
 *
 * 2. Life of a cache
 *
 *   kmem_cache_create ─▶ on slab_caches, refcount 1 ─▶ kmem_cache_destroy, refcount 0:
 *     unlink, flush sheaves, free empty slabs ─▶ all gone: freed
 *                                             └▶ objects remain: report, leaked for ever
 *
 * 3. Invariants
 *
 *   C1  A cache on slab_caches is complete; it leaves the list before it is taken apart.
 *   C2  fast.tag names a general cache (its slot index too), or is one of the shared tags,
 *       or 0 where objects are smaller than 16 bytes.
 *   C3  The caches that the slab allocator itself needs have SLAB_NO_SHEAVES: they never
 *       ask for a sheaf, so nothing recurses more than one level.
 *
 * 4. Locks
 *
 *   slab_mutex (rank 10): slab_caches, refcount. May sleep.
 *
 * 5. Departures from Linux
 *
 *   Merging is off unless slab_merge is given: names are what our users come for.
 */

#include <slabwork/rcupdate.h>
#include <slabwork/slab.h>

#include "kernel/cpu.h"
#include "kernel/fork.h"
#include "kernel/param.h"
#include "kernel/printk.h"
#include "lib/bitops.h"
#include "lib/hash.h"
#include "lib/list.h"
#include "mm/boot.h"
#include "mm/slub_internal.h"
#include "mm/vmalloc.h"
#include "os/os.h"

_Atomic enum slab_state slab_state;
LIST_HEAD(slab_caches);
static struct hlist_head caches_by_name[256];
struct mutex slab_mutex;
struct kmem_cache *general_caches[SLAB_TAG_GENERAL + 1];

static bool slab_merge;

static int set_merge(const char *value)
{
	return param_bool(value, &slab_merge);
}
__param(slab_merge, "slab_merge", set_merge, "on or off", PARAM_NONE);

static int set_nomerge(const char *value)
{
	bool no = true;
	int err = param_bool(value, &no);

	if (!err)
		slab_merge = !no;
	return err;
}
__param(slab_nomerge, "slab_nomerge", set_nomerge, "on or off", PARAM_NONE);

/* Flags a caller may give; the rest are ours or unknown. */
#define SLAB_FLAGS_PERMITTED                                                                       \
	(SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON | SLAB_HWCACHE_ALIGN |              \
	 SLAB_CACHE_DMA | SLAB_CACHE_DMA32 | SLAB_STORE_USER | SLAB_RECLAIM_ACCOUNT | SLAB_PANIC | \
	 SLAB_TYPESAFE_BY_RCU | SLAB_MEM_SPREAD | SLAB_TRACE | SLAB_DEBUG_OBJECTS |                \
	 SLAB_NOLEAKTRACE | SLAB_NO_MERGE | SLAB_FAILSLAB | SLAB_ACCOUNT | SLAB_KASAN |            \
	 SLAB_NO_USER_FLAGS | SLAB_SKIP_KFENCE)
#define SLAB_NEVER_MERGE                                                                     \
	(SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER | SLAB_TRACE | SLAB_TYPESAFE_BY_RCU | \
	 SLAB_NOLEAKTRACE | SLAB_FAILSLAB | SLAB_NO_MERGE | SLAB_NO_SHEAVES | SLAB_KMALLOC | \
	 SLAB_BLOCKS)
#define SLAB_MERGE_SAME (SLAB_RECLAIM_ACCOUNT | SLAB_CACHE_DMA | SLAB_CACHE_DMA32 | SLAB_ACCOUNT)

#define CACHE_LINE     64U
#define NAME_MAX_BYTES 128

bool slab_is_available(void)
{
	return atomic_load_explicit(&slab_state, memory_order_acquire) >= UP;
}

unsigned int kmem_cache_size(struct kmem_cache *s)
{
	return s->object_size;
}

/* A line of its own where that is asked for, half a line or less while the object is that small. */
static unsigned int calculate_alignment(slab_flags_t flags, unsigned int align, unsigned int size)
{
	if (flags & SLAB_HWCACHE_ALIGN) {
		unsigned int line = CACHE_LINE;

		while (size <= line / 2)
			line /= 2;
		if (align < line)
			align = line;
	}
	if (align < ARCH_SLAB_MINALIGN)
		align = ARCH_SLAB_MINALIGN;
	return ALIGN(align, (unsigned int)sizeof(void *));
}

/* ---- setting up ---- */

static void init_fast(struct kmem_cache *s, unsigned int general_tag)
{
	struct sw_fast *f = &s->fast;

	f->rseq_offset = cpu_rseq_offset;
	f->id_offset = cpu_id_offset;
	f->first_step = sw_layout.machine_start >> OBJMAP_SHIFT;
	f->objmap = sw_layout.objmap;
	f->live = f->objmap + f->first_step;
	f->page_tags = sw_layout.page_tags;
	f->nr_steps = &sw_nr_steps;
	f->object_size = s->ctor ? 0 : s->object_size; /* what a constructor made is not zeroed */
	f->abi = SW_FAST_ABI;
	/* Slot 0 is null for ever: caches without sheaves always take the slow path. */
	s->slot_index = 0;
	if (s->sheaf_capacity) {
		int index = general_tag ? (int)general_tag : slot_index_alloc();

		if (index < 0)
			s->sheaf_capacity = 0;
		else
			s->slot_index = (unsigned int)index;
	}
	f->slots = sw_layout.pcpu + 8UL * s->slot_index;
	if (s->size < 16)
		f->tag = 0;
	else if (general_tag && s->sheaf_capacity)
		f->tag = (unsigned char)general_tag;
	else
		f->tag = (unsigned char)(SLAB_TAG_SHARED + s->slot_index % SLAB_NR_SHARED * 2);
}

/* A hundred caches are made at boot: not each with a system call. slab_mutex held, or boot. */
static unsigned long random_word(void)
{
	static unsigned long pool[64];
	static unsigned int left;
	unsigned long word;

	if (!left) {
		os_random(pool, sizeof(pool));
		left = sizeof(pool) / sizeof(pool[0]);
	}
	word = pool[--left];
	pool[left] = 0;
	return word;
}

/* Everything but the nodes. False: no such geometry. */
static bool init_cache(struct kmem_cache *s, const char *name, unsigned int object_size,
		       unsigned int align, slab_flags_t flags, void (*ctor)(void *),
		       unsigned int sheaf_capacity, unsigned int general_tag)
{
	s->name = name;
	s->object_size = object_size;
	s->flags = flags;
	s->ctor = ctor;
	s->align = calculate_alignment(flags, align, object_size);
	s->sheaf_capacity = sheaf_capacity;
	s->refcount = 1;
	INIT_LIST_HEAD(&s->list);
	s->random = random_word();
	if (!calculate_sizes(s))
		return false;
	init_fast(s, general_tag);
	return true;
}

static struct hlist_head *name_bucket(const char *name)
{
	return &caches_by_name[hash_bytes(name, strlen(name), 0) % 256];
}

/* ---- the two caches that make caches ---- */

static struct kmem_cache boot_kmem_cache, boot_kmem_cache_node;
static struct kmem_cache *kmem_cache = &boot_kmem_cache;
static struct kmem_cache *kmem_cache_node = &boot_kmem_cache_node;
static struct kmem_cache_node boot_nodes[2][MAX_NUMNODES];

/* The static copy moves into an object; its slabs must follow. */
static struct kmem_cache *move_boot_cache(struct kmem_cache *boot)
{
	struct kmem_cache *s = kmem_cache_zalloc(kmem_cache, GFP_NOWAIT);

	BUG_ON(!s);
	memcpy(s, boot, sizeof(*s));
	for (unsigned int nid = 0; nid < nr_node_ids; nid++) {
		struct kmem_cache_node *n = s->node[nid];
		struct page *slab;

		list_for_each_entry(slab, &n->partial, lru)
			slab->slab_cache = s;
		list_for_each_entry(slab, &n->full, lru)
			slab->slab_cache = s;
	}
	list_add(&s->list, &slab_caches);
	hlist_add_head(&s->by_name, name_bucket(s->name));
	return s;
}

/* Sheaves and long bitmaps: powers of two, aligned to themselves. */
#define META_SHIFT_LOW  6
#define META_SHIFT_HIGH 12
static struct kmem_cache *meta_caches[META_SHIFT_HIGH + 1];

static void create_meta_caches(void)
{
	static const char *const names[] = { "slab_meta-64",  "slab_meta-128", "slab_meta-256",
					     "slab_meta-512", "slab_meta-1k",  "slab_meta-2k",
					     "slab_meta-4k" };

	for (unsigned int i = META_SHIFT_LOW; i <= META_SHIFT_HIGH; i++) {
		meta_caches[i] = create_cache(names[i - META_SHIFT_LOW], 1U << i, 1U << i,
					      SLAB_NO_SHEAVES, 0, 0, NULL, 0, 0);
		BUG_ON(!meta_caches[i]);
	}
}

void *slab_meta_alloc(size_t bytes, gfp_t gfp)
{
	unsigned int shift = bytes > 1UL << META_SHIFT_LOW ? (unsigned int)fls64(bytes - 1) :
							     META_SHIFT_LOW;

	if (shift > META_SHIFT_HIGH)
		return NULL;
	/* Where and of what kind the objects shall be says nothing about what describes them. */
	gfp &= ~(GFP_ZONEMASK | __GFP_RECLAIMABLE | __GFP_THISNODE | __GFP_ZERO);
	return slab_alloc_node(meta_caches[shift], gfp, NUMA_NO_NODE);
}

void slab_meta_free(void *p)
{
	slab_free_slow(NULL, p, false, "slab_meta_free()");
}

void kmem_cache_init(void)
{
	if (!slab_nr_cpus)
		slab_nr_cpus = os_nr_possible_cpus();
	BUG_ON(!slots_init());
	/* Room for the nodes of the machine only, as the kernel sizes it. */
	BUG_ON(!init_cache(&boot_kmem_cache_node, "kmem_cache_node", sizeof(struct kmem_cache_node),
			   0, SLAB_HWCACHE_ALIGN | SLAB_NO_SHEAVES, NULL, 0, 0));
	BUG_ON(!init_cache(&boot_kmem_cache, "kmem_cache", sizeof(struct kmem_cache), 0,
			   SLAB_HWCACHE_ALIGN | SLAB_NO_SHEAVES, NULL, 0, 0));
	for (unsigned int nid = 0; nid < nr_node_ids; nid++) {
		init_kmem_cache_node(&boot_nodes[0][nid]);
		init_kmem_cache_node(&boot_nodes[1][nid]);
		boot_kmem_cache_node.node[nid] = &boot_nodes[0][nid];
		boot_kmem_cache.node[nid] = &boot_nodes[1][nid];
	}
	atomic_store(&slab_state, PARTIAL);
	kmem_cache = move_boot_cache(&boot_kmem_cache);
	kmem_cache_node = move_boot_cache(&boot_kmem_cache_node);
	create_meta_caches();

	sw_fast_general = kmem_cache->fast;
	sw_fast_general.slots = sw_layout.pcpu;
	setup_kmalloc_cache_index_table();
	create_kmalloc_caches(0);
	pr_info("SLUB: HWalign=%u, Order=%u-%u, MinObjects=%u, CPUs=%u, Nodes=%u\n", CACHE_LINE, 0,
		PAGE_ALLOC_COSTLY_ORDER, 0, slab_nr_cpus, nr_node_ids);
}

void kmem_cache_init_late(void)
{
	atomic_store_explicit(&slab_state, FULL, memory_order_release);
}

/* ---- creation ---- */

static void free_nodes(struct kmem_cache *s)
{
	for (unsigned int nid = 0; nid < nr_node_ids; nid++) {
		if (s->node[nid])
			kmem_cache_free(kmem_cache_node, s->node[nid]);
		s->node[nid] = NULL;
	}
}

static void release_cache(struct kmem_cache *s)
{
	if (s->slot_index <= SLAB_TAG_GENERAL && general_caches[s->slot_index] == s)
		__atomic_store_n(&general_caches[s->slot_index], NULL, __ATOMIC_RELEASE);
	free_nodes(s);
	slot_index_free(s->slot_index);
	if (!(s->flags & SLAB_NO_SHEAVES))
		kfree(s->name);
	kmem_cache_free(kmem_cache, s);
}

/* With slab_mutex held: no OOM notifiers, whose lock is outside ours and who may want it, too. */
#define GFP_CREATE (GFP_KERNEL | __GFP_RETRY_MAYFAIL)

static char *copy_name(const char *name)
{
	size_t bytes = strnlen(name, NAME_MAX_BYTES - 1) + 1;
	char *copy = bytes <= 64 ? slab_meta_alloc(64, GFP_CREATE) :
				   slab_meta_alloc(NAME_MAX_BYTES, GFP_CREATE);

	if (copy) {
		memcpy(copy, name, bytes - 1);
		copy[bytes - 1] = 0;
	}
	return copy;
}

/* Makes a cache and puts it on the list; at boot, or with slab_mutex held. */
struct kmem_cache *create_cache(const char *name, unsigned int object_size, unsigned int align,
				slab_flags_t flags, unsigned int useroffset, unsigned int usersize,
				void (*ctor)(void *), unsigned int sheaf_capacity,
				unsigned int general_tag)
{
	struct kmem_cache *s = kmem_cache_zalloc(kmem_cache, GFP_CREATE);
	const char *own_name = name;

	if (!s)
		return NULL;
	/* The caches for sheaves come before anything that could hold a copy: their names are static. */
	if (!(flags & SLAB_NO_SHEAVES) && !(own_name = copy_name(name)))
		goto free_cache;
	s->useroffset = useroffset;
	s->usersize = usersize;
	if (!init_cache(s, own_name, object_size, align, flags, ctor, sheaf_capacity, general_tag))
		goto free_name;
	for (unsigned int nid = 0; nid < nr_node_ids; nid++) {
		s->node[nid] = kmem_cache_zalloc(kmem_cache_node, GFP_CREATE);
		if (!s->node[nid])
			goto free_nodes;
		init_kmem_cache_node(s->node[nid]);
	}
	list_add_tail(&s->list, &slab_caches);
	hlist_add_head(&s->by_name, name_bucket(own_name));
	/* The last step: from here a free may find the cache by its tag. */
	if (general_tag)
		__atomic_store_n(&general_caches[general_tag], s, __ATOMIC_RELEASE);
	return s;

free_nodes:
	free_nodes(s);
	slot_index_free(s->slot_index);
free_name:
	if (own_name != name)
		kfree(own_name);
free_cache:
	kmem_cache_free(kmem_cache, s);
	return NULL;
}

static struct kmem_cache *find_mergeable(unsigned int object_size, unsigned int align,
					 slab_flags_t flags, void (*ctor)(void *),
					 unsigned int usersize)
{
	unsigned int size = ALIGN(object_size, (unsigned int)sizeof(void *));
	struct kmem_cache *s;

	if (!slab_merge || ctor || usersize || (flags & SLAB_NEVER_MERGE))
		return NULL;
	align = calculate_alignment(flags, align, size);
	size = ALIGN(size, align);
	list_for_each_entry_reverse(s, &slab_caches, list) {
		if (s->ctor || s->usersize || (s->flags & SLAB_NEVER_MERGE) || s->refcount < 0)
			continue;
		if (size > s->size || (flags ^ s->flags) & SLAB_MERGE_SAME)
			continue;
		/* Compatible alignment, and less than a word of waste. */
		if ((s->size & ~(align - 1)) != s->size || s->size - size >= sizeof(void *))
			continue;
		return s;
	}
	return NULL;
}

static bool name_is_sane(const char *name, unsigned int size)
{
	struct kmem_cache *s;

	if (!name || !*name || !size || size > KMALLOC_MAX_SIZE) {
		pr_err("kmem_cache_create(%s) integrity check failed\n", name ? name : "(null)");
		return false;
	}
	WARN(strchr(name, ' ') != NULL,
	     "WARNING: kmem_cache_create(%s): a space in the name breaks slabinfo parsers\n", name);
	hlist_for_each_entry(s, name_bucket(name), by_name) {
		if (!strcmp(s->name, name)) {
			WARN(true, "kmem_cache of name '%s' already exists\n", name);
			break;
		}
	}
	return true;
}

static struct kmem_cache *create_checked(const char *name, unsigned int size, unsigned int align,
					 slab_flags_t flags, unsigned int useroffset,
					 unsigned int usersize, void (*ctor)(void *),
					 unsigned int sheaf_capacity, int *err)
{
	struct kmem_cache *s;

	*err = -22; /* -EINVAL */
	if (!name_is_sane(name, size) || (flags & ~SLAB_FLAGS_PERMITTED) || (align & (align - 1)) ||
	    align > PAGE_SIZE)
		return NULL;
	if (WARN_ON(usersize > size || useroffset > size - usersize || (!usersize && useroffset)))
		usersize = useroffset = 0;
	s = find_mergeable(size, align, flags, ctor, usersize);
	if (s) {
		s->refcount++;
		if (s->object_size < size)
			s->object_size = s->fast.object_size = size;
		return s;
	}
	*err = -12; /* -ENOMEM */
	return create_cache(name, size, align, flags, useroffset, usersize, ctor, sheaf_capacity,
			    0);
}

static struct kmem_cache *create_or_complain(const char *name, unsigned int size,
					     unsigned int align, slab_flags_t flags,
					     unsigned int useroffset, unsigned int usersize,
					     void (*ctor)(void *), unsigned int sheaf_capacity)
{
	struct kmem_cache *s;
	int err;

	mm_boot();
	mutex_lock(&slab_mutex);
	s = create_checked(name, size, align, flags, useroffset, usersize, ctor, sheaf_capacity,
			   &err);
	mutex_unlock(&slab_mutex);
	if (s)
		return s;
	if (flags & SLAB_PANIC)
		bug("%s: Failed to create slab '%s'. Error %d\n", "kmem_cache_create",
		    name ? name : "(null)", err);
	WARN(true, "kmem_cache_create(%s) failed with error %d\n", name ? name : "(null)", err);
	return NULL;
}

struct kmem_cache *__kmem_cache_create(const char *name, unsigned int size, unsigned int align,
				       slab_flags_t flags, void (*ctor)(void *))
{
	return create_or_complain(name, size, align, flags, 0, 0, ctor, 0);
}

struct kmem_cache *kmem_cache_create_usercopy(const char *name, unsigned int size,
					      unsigned int align, slab_flags_t flags,
					      unsigned int useroffset, unsigned int usersize,
					      void (*ctor)(void *))
{
	return create_or_complain(name, size, align, flags, useroffset, usersize, ctor, 0);
}

struct kmem_cache *__kmem_cache_create_args(const char *name, unsigned int object_size,
					    struct kmem_cache_args *args, slab_flags_t flags)
{
	static struct kmem_cache_args plain;

	if (!args)
		args = &plain;
	return create_or_complain(name, object_size, args->align, flags, args->useroffset,
				  args->usersize, args->ctor, args->sheaf_capacity);
}

struct kmem_cache *kmem_cache_create_general(const char *name, unsigned int size,
					     unsigned int align, slab_flags_t flags)
{
	struct kmem_cache *s = NULL;
	unsigned int tag = 1;

	mm_boot();
	mutex_lock(&slab_mutex);
	while (tag <= SLAB_TAG_GENERAL && general_caches[tag])
		tag++;
	if (tag <= SLAB_TAG_GENERAL)
		s = create_cache(name, size, align,
				 flags & SLAB_BLOCKS ? flags : flags | SLAB_PACKED, 0, size, NULL,
				 0, tag);
	mutex_unlock(&slab_mutex);
	return s;
}

/* ---- shrinking and destruction ---- */

int kmem_cache_shrink(struct kmem_cache *s)
{
	unsigned long slabs = 0;

	flush_all(s);
	slab_discard_empty(s);
	for (unsigned int nid = 0; nid < nr_node_ids; nid++)
		slabs += s->node[nid] ? atomic_load(&s->node[nid]->nr_slabs) : 0;
	return slabs != 0;
}

unsigned long slab_reclaim_all(void)
{
	unsigned long pages = 0;
	struct kmem_cache *s;

	if (!mutex_trylock(&slab_mutex))
		return 0;
	/* Sheaves first: their frame and bitmaps are objects of the meta caches. */
	list_for_each_entry(s, &slab_caches, list)
		flush_all(s);
	/* The oldest last: they hold the long bitmaps that the others' slabs give back here. */
	list_for_each_entry_reverse(s, &slab_caches, list)
		pages += slab_discard_empty(s);
	mutex_unlock(&slab_mutex);
	return pages;
}

/* How long stock may lie before it goes back, and how many slow paths pass between looks at the clock. */
#define TICK_NS    250000000ULL
#define TICK_EVERY 16

void slab_tick(void)
{
	static _Atomic unsigned long calls;
	static _Atomic uint64_t last;
	unsigned long call;
	struct kmem_cache *s;
	uint64_t now;

	/* A count that may lose one now and then: no locked instruction for that. */
	call = atomic_load_explicit(&calls, memory_order_relaxed) + 1;
	atomic_store_explicit(&calls, call, memory_order_relaxed);
	if (call % TICK_EVERY)
		return;
	now = os_now_coarse_ns();
	if (now - atomic_load_explicit(&last, memory_order_relaxed) < TICK_NS ||
	    !mutex_trylock(&slab_mutex))
		return;
	/* Twice in a row would take what is in use: look again, now that others cannot. */
	if (now - atomic_load_explicit(&last, memory_order_relaxed) >= TICK_NS) {
		atomic_store_explicit(&last, now, memory_order_relaxed);
		list_for_each_entry(s, &slab_caches, list)
			barn_reap(s);
		vmap_warm_tick(now);
	}
	mutex_unlock(&slab_mutex);
}

static bool cache_empty(struct kmem_cache *s)
{
	for (unsigned int nid = 0; nid < nr_node_ids; nid++) {
		if (s->node[nid] && (atomic_load(&s->node[nid]->nr_slabs) ||
				     atomic_load(&s->node[nid]->nr_unlisted)))
			return false;
	}
	return true;
}

/* Is this the address of a cache that was created and not destroyed? Never follows a wild pointer. */
static bool cache_alive(struct kmem_cache *s)
{
	struct page *slab;

	return slab_cache_of(s, &slab) == kmem_cache && obj_to_index(kmem_cache, slab, s) >= 0 &&
	       *objmap_byte(s) == objmap_tag(kmem_cache, s) && s->refcount > 0 && !s->dying;
}

void kmem_cache_destroy(struct kmem_cache *s)
{
	if (!s)
		return;
	mutex_lock(&slab_mutex);
	if (WARN(!cache_alive(s),
		 "WARNING: kmem_cache_destroy(%p): no such cache (destroyed twice?)\n",
		 (void *)s) ||
	    --s->refcount) {
		mutex_unlock(&slab_mutex);
		return;
	}
	list_del_init(&s->list);
	hlist_del_init(&s->by_name);
	s->dying = true;
	mutex_unlock(&slab_mutex);

	/* Objects that kfree_rcu() holds come back first; then our own slabs may be in flight. */
	rcu_barrier();
	flush_all(s);
	slab_discard_empty(s);
	if (!cache_empty(s)) {
		slab_list_remaining(s);
		WARN(true,
		     "kmem_cache_destroy %s: Slab cache still has objects when called from %p\n",
		     s->name, __builtin_return_address(0));
		return;
	}
	if (s->flags & SLAB_TYPESAFE_BY_RCU)
		rcu_barrier();
	release_cache(s);
}

/* ---- numbers ---- */

void get_slabinfo(struct kmem_cache *s, struct slabinfo *info)
{
	unsigned long free = slab_sheaf_objects(s);

	memset(info, 0, sizeof(*info));
	for (unsigned int nid = 0; nid < nr_node_ids; nid++) {
		struct kmem_cache_node *n = s->node[nid];

		if (!n)
			continue;
		info->num_slabs += atomic_load(&n->nr_slabs);
		info->num_objs += atomic_load(&n->total_objects);
		free += atomic_load(&n->free_objects);
	}
	info->active_objs = info->num_objs > free ? info->num_objs - free : 0;
	info->active_slabs = info->num_slabs;
	info->objects_per_slab = oo_objects(s->oo);
	info->cache_order = oo_order(s->oo);
}

/* ---- fork: every lock of every cache, in rank order ---- */

static void fork_mutex_lock(void)
{
	mutex_lock(&slab_mutex);
}

static void fork_mutex_unlock(void)
{
	mutex_unlock(&slab_mutex);
}
FORK_HANDLER(slab_mutex, 10, fork_mutex_lock, fork_mutex_unlock, fork_mutex_unlock);

#define for_each_cache_node(s, n)                                          \
	list_for_each_entry(s, &slab_caches, list)                         \
		for (unsigned int __nid = 0; __nid < nr_node_ids; __nid++) \
			if ((n = s->node[__nid]))

static void fork_lists_lock(void)
{
	struct kmem_cache_node *n;
	struct kmem_cache *s;

	for_each_cache_node(s, n) spin_lock(&n->list_lock);
}

static void fork_lists_unlock(void)
{
	struct kmem_cache_node *n;
	struct kmem_cache *s;

	for_each_cache_node(s, n) spin_unlock(&n->list_lock);
}
FORK_HANDLER(slab_lists, 40, fork_lists_lock, fork_lists_unlock, fork_lists_unlock);

static void fork_barns_lock(void)
{
	struct kmem_cache_node *n;
	struct kmem_cache *s;

	for_each_cache_node(s, n) spin_lock(&n->barn.lock);
}

static void fork_barns_unlock(void)
{
	struct kmem_cache_node *n;
	struct kmem_cache *s;

	for_each_cache_node(s, n) spin_unlock(&n->barn.lock);
}
FORK_HANDLER(slab_barns, 50, fork_barns_lock, fork_barns_unlock, fork_barns_unlock);
