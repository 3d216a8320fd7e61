/* SPDX-License-Identifier: MIT */
/*
 * node.c - the numbers by which the kernel calls our inodes, and the files that serve it
 *
 * Room: fuse. Door: fuse_internal.h.
 *
 * 1. The idea
 *
 * A number is a slot of a table and, above it, how often the slot was used before: not an address, so
 * a number that we never gave, or that was forgotten, is found out instead of followed. Slots are never
 * freed, so looking at one needs no lock: take a reference unless there are none, then compare the number.
 * The other way round, inode to slot, is a hash table: a file with two names must be one node.
 *
 * 2. Life of a node
 *
 *   free ─node_enter()─▶ known, refs 1 ─FORGETs take nlookup to 0─▶ out of the hash, refs − 1
 *     ▲                                                                   │
 *     └──────────── last reference: file closed, dentry put ◀─────────────┘
 *
 * 3. Locks
 *
 *   table lock   hash, free list, nlookup of all nodes. May sleep inside: the table grows under it.
 */

#include <string.h>

#include <slabwork/slab.h>

#include "fuse/fuse_internal.h"

#define CHUNK_SHIFT 9 /* 512 nodes: 28 KiB, a block that the allocator cuts without waste */
#define CHUNK_NODES (1u << CHUNK_SHIFT)
#define MAX_CHUNKS  (1u << 17) /* 67 million nodes; untouched it costs nothing */
#define ROOT_SLOT   1u
#define FIRST_LOG   10

static struct {
	struct mutex lock;
	struct node *_Atomic chunks[MAX_CHUNKS];
	_Atomic uint32_t nr_slots; /* slots below this have memory */
	uint32_t free;             /* slot number; 0: none */
	uint32_t *buckets;
	unsigned int log_buckets;
	uint32_t nr_hashed;
} table;

static struct node *slot_node(uint32_t slot)
{
	struct node *chunk =
		atomic_load_explicit(&table.chunks[slot >> CHUNK_SHIFT], memory_order_acquire);

	return &chunk[slot & (CHUNK_NODES - 1)];
}

static uint32_t slot_of(uint64_t id)
{
	return (uint32_t)id;
}

/* ---- inode to slot; table lock held ------------------------------------------------------- */

static uint32_t *bucket_of(const struct inode *inode)
{
	uint64_t hash = (uint64_t)(uintptr_t)inode * 0x9e3779b97f4a7c15ull;

	return &table.buckets[hash >> (64 - table.log_buckets)];
}

static struct node *hash_find(const struct inode *inode)
{
	uint32_t slot = *bucket_of(inode);

	while (slot) {
		struct node *node = slot_node(slot);

		if (node->inode == inode)
			return node;
		slot = node->next;
	}
	return NULL;
}

static void hash_add(struct node *node)
{
	uint32_t *bucket = bucket_of(node->inode);

	node->next = *bucket;
	*bucket = slot_of(atomic_load_explicit(&node->id, memory_order_relaxed));
}

static void hash_del(const struct node *gone)
{
	uint32_t *link = bucket_of(gone->inode);

	while (slot_node(*link) != gone)
		link = &slot_node(*link)->next;
	*link = gone->next;
	table.nr_hashed--;
}

/* Chains of two at most on average; if there is no memory they get longer. */
static void hash_grow(void)
{
	uint32_t *old = table.buckets, nr_old = 1u << table.log_buckets;
	uint32_t *buckets = kvcalloc((size_t)nr_old * 4, sizeof(*buckets), GFP_KERNEL);

	if (!buckets)
		return;
	table.buckets = buckets;
	table.log_buckets += 2;
	for (uint32_t i = 0; i < nr_old; i++) {
		uint32_t slot = old[i];

		while (slot) {
			struct node *node = slot_node(slot);

			slot = node->next;
			hash_add(node);
		}
	}
	kvfree(old);
}

/* ---- slots; table lock held ------------------------------------------------------------------ */

static bool add_chunk(void)
{
	uint32_t first = atomic_load_explicit(&table.nr_slots, memory_order_relaxed);
	struct node *chunk;

	if (first >> CHUNK_SHIFT == MAX_CHUNKS)
		return false;
	chunk = kvcalloc(CHUNK_NODES, sizeof(*chunk), GFP_KERNEL);
	if (!chunk)
		return false;
	for (uint32_t i = CHUNK_NODES; i-- > 0;) {
		uint32_t slot = first + i;

		atomic_init(&chunk[i].id, slot);
		if (slot <= ROOT_SLOT)
			continue;
		chunk[i].next = table.free;
		table.free = slot;
	}
	atomic_store_explicit(&table.chunks[first >> CHUNK_SHIFT], chunk, memory_order_release);
	atomic_store_explicit(&table.nr_slots, first + CHUNK_NODES, memory_order_release);
	return true;
}

/* Known to the kernel once. */
static void node_fill(struct node *node, struct dentry *dentry)
{
	node->dentry = dget(dentry);
	node->inode = d_inode(dentry);
	node->nlookup = 1;
	atomic_store_explicit(&node->file, NULL, memory_order_relaxed);
	hash_add(node);
	table.nr_hashed++;
	/* Pairs with node_get(): whoever gets a reference sees the rest. */
	atomic_store_explicit(&node->refs, 1, memory_order_release);
}

int nodes_init(struct dentry *root)
{
	table.log_buckets = FIRST_LOG;
	table.buckets = kvcalloc(1u << FIRST_LOG, sizeof(*table.buckets), GFP_KERNEL);
	if (!table.buckets || !add_chunk())
		return -ENOMEM;
	node_fill(slot_node(ROOT_SLOT), root);
	return 0;
}

static void node_release(struct node *node)
{
	struct file *file = atomic_load_explicit(&node->file, memory_order_acquire);

	if (file) {
		fput(file);
		flush_delayed_fput();
	}
	dput(node->dentry);
	node->dentry = NULL;
}

void nodes_exit(void)
{
	uint32_t nr = atomic_load(&table.nr_slots);

	for (uint32_t slot = ROOT_SLOT; slot < nr; slot++)
		if (atomic_load(&slot_node(slot)->refs))
			node_release(slot_node(slot));
	for (uint32_t i = 0; i < nr >> CHUNK_SHIFT; i++)
		kvfree(atomic_load(&table.chunks[i]));
	kvfree(table.buckets);
}

/* ---- from the number ---------------------------------------------------------------------------- */

struct node *node_get(fuse_ino_t id)
{
	uint32_t slot = slot_of(id), refs;
	struct node *node;

	if (!slot || slot >= atomic_load_explicit(&table.nr_slots, memory_order_acquire))
		return NULL;
	node = slot_node(slot);
	refs = atomic_load_explicit(&node->refs, memory_order_relaxed);
	do {
		if (!refs)
			return NULL;
	} while (!atomic_compare_exchange_weak_explicit(
		&node->refs, &refs, refs + 1, memory_order_acquire, memory_order_relaxed));
	if (atomic_load_explicit(&node->id, memory_order_relaxed) == id)
		return node;
	node_put(node); /* the slot has a new tenant */
	return NULL;
}

void node_put(struct node *node)
{
	uint64_t id = atomic_load_explicit(&node->id, memory_order_relaxed);

	if (atomic_fetch_sub_explicit(&node->refs, 1, memory_order_acq_rel) != 1)
		return;
	node_release(node);
	mutex_lock(&table.lock);
	atomic_store_explicit(&node->id, id + (1ull << 32), memory_order_relaxed);
	node->next = table.free;
	table.free = slot_of(id);
	mutex_unlock(&table.lock);
}

/* ---- from the inode --------------------------------------------------------------------------------- */

uint64_t node_enter(struct dentry *dentry)
{
	uint64_t id = 0;
	struct node *node;

	mutex_lock(&table.lock);
	node = hash_find(d_inode(dentry));
	if (node) {
		node->nlookup++;
	} else if (table.free || add_chunk()) {
		node = slot_node(table.free);
		table.free = node->next;
		node_fill(node, dentry);
		if (table.nr_hashed > 2u << table.log_buckets)
			hash_grow();
	}
	if (node)
		id = atomic_load_explicit(&node->id, memory_order_relaxed);
	mutex_unlock(&table.lock);
	return id;
}

void node_forget(fuse_ino_t id, uint64_t nlookup)
{
	struct node *node = node_get(id);
	bool gone = false;

	if (!node)
		return;
	mutex_lock(&table.lock);
	/* The root stays, whatever is said of it. */
	if (node->nlookup && slot_of(id) != ROOT_SLOT) {
		node->nlookup -= nlookup < node->nlookup ? nlookup : node->nlookup;
		gone = !node->nlookup;
		if (gone)
			hash_del(node);
	}
	mutex_unlock(&table.lock);
	if (gone)
		node_put(node);
	node_put(node);
}

/* ---- files --------------------------------------------------------------------------------------------- */

struct file *node_file(struct node *node)
{
	struct file *file = atomic_load_explicit(&node->file, memory_order_acquire), *first = NULL;
	struct path path = node_path(node);

	if (file)
		return file;
	if (S_ISDIR(node->inode->i_mode))
		return ERR_PTR(-EISDIR);
	if (!S_ISREG(node->inode->i_mode))
		return ERR_PTR(-EINVAL);
	file = dentry_open(&path, O_RDWR | O_LARGEFILE, current_cred());
	if (IS_ERR(file)) /* a read-only file system */
		file = dentry_open(&path, O_RDONLY | O_LARGEFILE, current_cred());
	if (IS_ERR(file))
		return file;
	if (atomic_compare_exchange_strong_explicit(&node->file, &first, file, memory_order_acq_rel,
						    memory_order_acquire))
		return file;
	fput(file);
	flush_delayed_fput();
	return first;
}

/*
 * Openings by number, for types whose contents are made when they are opened. Few, and none is a
 * fast path: one lock and an array.
 */
static struct {
	struct mutex lock;
	struct file **files; /* NULL: free */
	size_t nr;
} handles;

uint64_t handle_add(struct file *file)
{
	struct file **files;
	size_t i = 0;

	mutex_lock(&handles.lock);
	while (i < handles.nr && handles.files[i])
		i++;
	if (i == handles.nr) {
		size_t nr = handles.nr ? handles.nr * 2 : 64;

		files = kvcalloc(nr, sizeof(struct file *), GFP_KERNEL);
		if (!files) {
			mutex_unlock(&handles.lock);
			return 0;
		}
		if (handles.nr)
			memcpy(files, handles.files, handles.nr * sizeof(struct file *));
		kvfree(handles.files);
		handles.files = files;
		handles.nr = nr;
	}
	handles.files[i] = file;
	mutex_unlock(&handles.lock);
	return i + 1;
}

struct file *handle_get(uint64_t handle)
{
	struct file *file = NULL;

	mutex_lock(&handles.lock);
	if (handle - 1 < handles.nr && handles.files[handle - 1])
		file = get_file(handles.files[handle - 1]);
	mutex_unlock(&handles.lock);
	return file;
}

void handle_close(uint64_t handle)
{
	struct file *file = NULL;

	mutex_lock(&handles.lock);
	if (handle - 1 < handles.nr) {
		file = handles.files[handle - 1];
		handles.files[handle - 1] = NULL;
	}
	mutex_unlock(&handles.lock);
	if (!file)
		return;
	fput(file);
	flush_delayed_fput();
}
