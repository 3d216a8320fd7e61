/* SPDX-License-Identifier: MIT */
/*
 * xarray.c - an array of pointers that is mostly empty: a tree of 64-way nodes
 *
 * Room: ds. Door: <slabwork/xarray.h>. Below us: the slab cache radix_tree_node, call_rcu().
 *
 * 1. The idea
 *
 * Six bits of the index choose a slot in each node; a node's shift says which six. The tree is no higher
 * than its largest index asks for; an array with nothing but index 0 has no node at all: the
 * entry is xa_head itself. An entry of 2^order indices lies in the node of shift order - order % 6,
 * in its first slot; the further 2^(order % 6) - 1 slots are siblings that name the first.
 *
 *   xa_head ──▶ node, shift 6           entry of order 7 at index 128: slot 2, sibling in slot 3
 *               │0│1│E│2│ │…
 *                ▼
 *               node, shift 0  │a│ │b│…
 *
 * 2. Changing it: first the nodes that are needed are counted and taken (stash), then the tree is
 * changed, which cannot fail. So no half-made path is ever seen, and a failed call changes nothing.
 *
 * 3. Readers take no lock. A node is filled before it is linked in, unlinked before it is freed, and
 * freed after a grace period; an unlinked node keeps its slots. Who meets a sibling reads the
 * first slot and then the sibling again: unchanged, so the pair belonged together.
 *
 * 4. Invariants (sw_xa_validate(), xarray_validate.c)
 *
 *   X1  A node in the tree has count > 0 slots in use, nr_values of them (siblings count as their first) values.
 *   X2  The top node has more than slot 0 in use, or slot 0 is a multi-index entry.
 *   X3  A child's shift is its parent's - 6, its offset and parent say where it hangs.
 *   X4  A mark of a slot that holds a child is set if and only if some slot of the child has it. Siblings have none.
 *   X5  The array's marks (xa_flags) are those of xa_head: any of the node's, or the entry's own.
 *   X6  A sibling names a slot before it in the same node that holds an entry; their number is a power of two
 *       with it, aligned.
 *
 * Locks: xa_lock guards everything but the slots' and marks' being read.
 * Differs from Linux: no struct xa_state; several functions of ours take its place. No idr-like allocation.
 */

#include <slabwork/slab.h>
#include <slabwork/xarray.h>

#include "ds/xarray_internal.h"

#define LEVELS_MOST 11 /* ceil(64 / 6) */

static struct kmem_cache *_Atomic node_cache;

/* ---- nodes: taken and freed ----------------------------------------------------------------- */

struct stash {
	struct xa_node *nodes; /* chained by parent */
	unsigned int nr;
};

static struct kmem_cache *node_cache_get(gfp_t gfp)
{
	struct kmem_cache *cache = atomic_load_explicit(&node_cache, memory_order_acquire);
	struct kmem_cache *have = NULL;

	if (likely(cache) || !gfpflags_allow_blocking(gfp))
		return cache;
	/* Two at once: the second one's is not needed. No lock, so that fork() need not know. */
	cache = kmem_cache_create("radix_tree_node", sizeof(struct xa_node), 64,
				  SLAB_RECLAIM_ACCOUNT, NULL);
	if (cache && !atomic_compare_exchange_strong(&node_cache, &have, cache)) {
		kmem_cache_destroy(cache);
		cache = have;
	}
	return cache;
}

/* Before the first call that may sleep there is no cache: a general one serves, kfree() frees both. */
static struct xa_node *node_alloc(gfp_t gfp)
{
	struct kmem_cache *cache = node_cache_get(gfp);

	gfp = (gfp & __GFP_BITS_MASK & ~(GFP_ZONEMASK | __GFP_ACCOUNT)) | __GFP_ZERO;
	return cache ? kmem_cache_alloc(cache, gfp) : kmalloc(sizeof(struct xa_node), gfp);
}

static void node_free_rcu(struct rcu_head *head)
{
	kfree(container_of(head, struct xa_node, rcu_head));
}

static void node_free(struct xa_node *node)
{
	call_rcu(&node->rcu_head, node_free_rcu);
}

static bool stash_fill(struct stash *stash, unsigned int nr, gfp_t gfp)
{
	while (stash->nr < nr) {
		struct xa_node *node = node_alloc(gfp);

		if (!node)
			return false;
		node->parent = stash->nodes;
		stash->nodes = node;
		stash->nr++;
	}
	return true;
}

/* Never seen by a reader: freed at once. */
static void stash_empty(struct stash *stash)
{
	while (stash->nodes) {
		struct xa_node *node = stash->nodes;

		stash->nodes = node->parent;
		kfree(node);
	}
	stash->nr = 0;
}

static struct xa_node *stash_take(struct stash *stash, struct xarray *xa, unsigned int shift)
{
	struct xa_node *node = stash->nodes;

	stash->nodes = node->parent;
	stash->nr--;
	node->parent = NULL;
	node->array = xa;
	node->shift = (unsigned char)shift;
	return node;
}

/*
 * Have @nr nodes. First without sleeping; else, if @gfp allows, with the lock dropped: -EAGAIN, the
 * caller looks at the tree again. 0, -EAGAIN, -ENOMEM.
 */
static int stash_need(struct xarray *xa, struct stash *stash, unsigned int nr, gfp_t gfp)
{
	bool ok;

	if (stash->nr >= nr) /* nothing is missing: or who has no cache yet would ask for ever */
		return 0;
	/* The cache of nodes is made by the first who may sleep, without the lock. */
	if ((likely(atomic_load_explicit(&node_cache, memory_order_relaxed)) ||
	     !gfpflags_allow_blocking(gfp)) &&
	    stash_fill(stash, nr, (gfp & ~__GFP_DIRECT_RECLAIM) | __GFP_NOWARN))
		return 0;
	if (!gfpflags_allow_blocking(gfp))
		return -ENOMEM;
	xa_unlock(xa);
	ok = stash_fill(stash, nr, gfp);
	xa_lock(xa);
	return ok ? -EAGAIN : -ENOMEM;
}

/* ---- looking ---------------------------------------------------------------------------------- */

/*
 * What is in the slot of @index, a sibling as such, and where that is: *@nodep (NULL: xa_head, or past the end of all) and
 * *@slotp. Under xa_lock or RCU.
 */
static inline void *descend(const struct xarray *xa, unsigned long index, struct xa_node **nodep,
			    unsigned int *slotp)
{
	void *entry = head_load(xa);
	struct xa_node *node = NULL;
	unsigned int offset = 0;

	if (!xa_is_node(entry)) {
		entry = index ? NULL : entry;
	} else if (index > node_max(xa_to_node(entry))) {
		entry = NULL;
	} else {
		do {
			node = xa_to_node(entry);
			offset = offset_of(node, index);
			entry = slot_load(node, offset);
		} while (xa_is_node(entry));
	}
	*nodep = node;
	*slotp = offset;
	return entry;
}

/* The same under xa_lock, and the first slot of what covers @index; if there is nothing, the empty slot where it ended. */
static void *walk(struct xarray *xa, unsigned long index, struct xa_node **nodep,
		  unsigned int *slotp)
{
	void *entry = descend(xa, index, nodep, slotp);

	if (xa_is_sibling(entry)) {
		*slotp = xa_to_sibling(entry);
		entry = (*nodep)->slots[*slotp];
	}
	return entry;
}

void *xa_load(struct xarray *xa, unsigned long index)
{
	struct xa_node *node;
	unsigned int offset;
	void *entry, *first;

	rcu_read_lock();
	for (;;) {
		entry = descend(xa, index, &node, &offset);
		if (likely(!xa_is_sibling(entry)))
			break;
		first = slot_load(node, xa_to_sibling(entry));
		if (slot_load(node, offset) == entry && !xa_is_internal(first)) {
			entry = first;
			break;
		}
	}
	rcu_read_unlock();
	return entry;
}

unsigned int xa_get_order(struct xarray *xa, unsigned long index)
{
	struct xa_node *node;
	unsigned int offset, order = 0;

	xa_lock(xa);
	if (walk(xa, index, &node, &offset) && node)
		order = node->shift + (unsigned int)__builtin_ctz(span_of(node, offset));
	xa_unlock(xa);
	return order;
}

/* ---- marks --------------------------------------------------------------------------------------- */

bool xa_marked(const struct xarray *xa, xa_mark_t mark)
{
	return root_marked(xa, mark);
}

static void mark_set(struct xarray *xa, struct xa_node *node, unsigned int offset, xa_mark_t mark)
{
	for (; node; offset = node->offset, node = node->parent) {
		unsigned long bits = node->marks[mark];

		if (bits & BIT(offset))
			return;
		marks_store(node, mark, bits | BIT(offset));
	}
	root_mark(xa, mark, true);
}

static void mark_clear(struct xarray *xa, struct xa_node *node, unsigned int offset, xa_mark_t mark)
{
	for (; node; offset = node->offset, node = node->parent) {
		unsigned long bits = node->marks[mark];

		if (!(bits & BIT(offset)))
			return;
		bits &= ~BIT(offset);
		marks_store(node, mark, bits);
		if (bits)
			return;
	}
	root_mark(xa, mark, false);
}

void __xa_set_mark(struct xarray *xa, unsigned long index, xa_mark_t mark)
{
	struct xa_node *node;
	unsigned int offset;

	if (walk(xa, index, &node, &offset))
		mark_set(xa, node, offset, mark);
}

void __xa_clear_mark(struct xarray *xa, unsigned long index, xa_mark_t mark)
{
	struct xa_node *node;
	unsigned int offset;

	if (walk(xa, index, &node, &offset))
		mark_clear(xa, node, offset, mark);
}

void xa_set_mark(struct xarray *xa, unsigned long index, xa_mark_t mark)
{
	xa_lock(xa);
	__xa_set_mark(xa, index, mark);
	xa_unlock(xa);
}

void xa_clear_mark(struct xarray *xa, unsigned long index, xa_mark_t mark)
{
	xa_lock(xa);
	__xa_clear_mark(xa, index, mark);
	xa_unlock(xa);
}

bool xa_get_mark(struct xarray *xa, unsigned long index, xa_mark_t mark)
{
	struct xa_node *node;
	unsigned int offset;
	bool marked = false;
	void *entry;

	rcu_read_lock();
	entry = descend(xa, index, &node, &offset);
	if (xa_is_sibling(entry))
		offset = xa_to_sibling(entry);
	if (entry)
		marked = node ? marks_load(node, mark) & BIT(offset) : root_marked(xa, mark);
	rcu_read_unlock();
	return marked;
}

/* ---- taking out -------------------------------------------------------------------------------------- */

/* Keep X2: a top node that has only slot 0 is no use, unless it holds an entry of more indices. */
static void shrink(struct xarray *xa)
{
	while (xa_is_node(xa->xa_head)) {
		struct xa_node *node = xa_to_node(xa->xa_head);
		void *entry = node->slots[0];

		if (node->count != 1 || !entry || (!xa_is_node(entry) && node->shift))
			return;
		if (xa_is_node(entry))
			xa_to_node(entry)->parent = NULL;
		head_store(xa, entry);
		node_free(node);
	}
}

/* The slot is empty now; nodes that became empty go. */
static void node_trim(struct xarray *xa, struct xa_node *node)
{
	while (node && !node->count) {
		struct xa_node *parent = node->parent;

		if (parent) {
			slot_store(parent, node->offset, NULL);
			parent->count--;
		} else {
			head_store(xa, NULL);
		}
		node_free(node);
		node = parent;
	}
	shrink(xa);
}

static void entry_erase(struct xarray *xa, struct xa_node *node, unsigned int offset)
{
	unsigned int span;

	for (xa_mark_t mark = 0; mark < XA_MAX_MARKS; mark++)
		mark_clear(xa, node, offset, mark);
	if (!node) {
		head_store(xa, NULL);
		return;
	}
	span = span_of(node, offset);
	if (xa_is_value(node->slots[offset]))
		node->nr_values = (unsigned char)(node->nr_values - span);
	node->count = (unsigned char)(node->count - span);
	for (unsigned int i = 0; i < span; i++)
		slot_store(node, offset + i, NULL);
	node_trim(xa, node);
}

/* Same place, same order, marks kept unless the new one is a value. */
static void entry_replace(struct xarray *xa, struct xa_node *node, unsigned int offset, void *entry)
{
	unsigned int span;

	if (!node) {
		head_store(xa, entry);
		return;
	}
	span = span_of(node, offset);
	if (xa_is_value(node->slots[offset]))
		node->nr_values = (unsigned char)(node->nr_values - span);
	if (xa_is_value(entry))
		node->nr_values = (unsigned char)(node->nr_values + span);
	slot_store(node, offset, entry);
}

static void clear_all_marks(struct xarray *xa, struct xa_node *node, unsigned int offset)
{
	for (xa_mark_t mark = 0; mark < XA_MAX_MARKS; mark++)
		mark_clear(xa, node, offset, mark);
}

void *__xa_erase(struct xarray *xa, unsigned long index)
{
	struct xa_node *node;
	unsigned int offset;
	void *entry = walk(xa, index, &node, &offset);

	if (entry)
		entry_erase(xa, node, offset);
	return entry;
}

void *xa_erase(struct xarray *xa, unsigned long index)
{
	void *entry;

	xa_lock(xa);
	entry = __xa_erase(xa, index);
	xa_unlock(xa);
	return entry;
}

int __xa_replace(struct xarray *xa, unsigned long index, void *old, void *entry)
{
	struct xa_node *node;
	unsigned int offset;

	if (!old || walk(xa, index, &node, &offset) != old)
		return -ENOENT;
	if (!entry) {
		entry_erase(xa, node, offset);
		return 0;
	}
	if (xa_is_value(entry))
		clear_all_marks(xa, node, offset);
	entry_replace(xa, node, offset, entry);
	return 0;
}

/* ---- putting in ------------------------------------------------------------------------------------------ */

/* Where an entry of @order lies: the shift of its node. */
static inline unsigned int order_shift(unsigned int order)
{
	return order - order % XA_CHUNK_SHIFT;
}

/* The shift that the top node must have at least for an entry at @index. */
static unsigned int top_shift(unsigned long index, unsigned int order)
{
	unsigned int shift = order_shift(order);

	while (shift + XA_CHUNK_SHIFT < BITS_PER_LONG && index >> (shift + XA_CHUNK_SHIFT))
		shift += XA_CHUNK_SHIFT;
	return shift;
}

/* Nodes that plant() will want, if no entry is in the range. */
static unsigned int nodes_wanted(struct xarray *xa, unsigned long index, unsigned int order)
{
	unsigned int low = order_shift(order), top = top_shift(index, order), nr = 0;
	void *entry = xa->xa_head;

	if (!xa_is_node(entry)) {
		if (!index && !order)
			return 0;
		if (entry)
			nr = top / XA_CHUNK_SHIFT + 1;
		else
			nr = 1;
		return nr + (top - low) / XA_CHUNK_SHIFT;
	}
	if (xa_to_node(entry)->shift < top) {
		nr = (top - xa_to_node(entry)->shift) / XA_CHUNK_SHIFT;
		return nr + (top - low) / XA_CHUNK_SHIFT;
	}
	for (;;) {
		struct xa_node *node = xa_to_node(entry);

		if (node->shift == low)
			return 0;
		entry = node->slots[offset_of(node, index)];
		if (!xa_is_node(entry))
			return (node->shift - low) / XA_CHUNK_SHIFT;
	}
}

/* Put another top over the head, which goes into its slot 0. */
static void raise_top(struct xarray *xa, struct stash *stash, unsigned int shift)
{
	struct xa_node *node = stash_take(stash, xa, shift);
	void *head = xa->xa_head;

	if (head) {
		node->slots[0] = head;
		node->count = 1;
		node->nr_values = xa_is_value(head);
		for (xa_mark_t mark = 0; mark < XA_MAX_MARKS; mark++)
			node->marks[mark] = root_marked(xa, mark);
		if (xa_is_node(head)) {
			xa_to_node(head)->parent = node;
			xa_to_node(head)->offset = 0;
		}
	}
	head_store(xa, node_entry(node));
}

/* The top node, high enough. */
static struct xa_node *top_for(struct xarray *xa, struct stash *stash, unsigned long index,
			       unsigned int order)
{
	unsigned int top = top_shift(index, order);

	if (!xa_is_node(xa->xa_head))
		raise_top(xa, stash, xa->xa_head ? 0 : top);
	while (xa_to_node(xa->xa_head)->shift < top)
		raise_top(xa, stash, xa_to_node(xa->xa_head)->shift + XA_CHUNK_SHIFT);
	return xa_to_node(xa->xa_head);
}

/* @span slots from @first on: the first holds @entry, and then the others name it. */
static void slots_fill(struct xa_node *node, unsigned int first, unsigned int span, void *entry)
{
	slot_store(node, first, entry);
	for (unsigned int i = 1; i < span; i++)
		slot_store(node, first + i, sibling_entry(first));
}

/* An entry where nothing is. Cannot fail. */
static void plant(struct xarray *xa, struct stash *stash, unsigned long index, unsigned int order,
		  void *entry)
{
	unsigned int low = order_shift(order), span = 1u << (order - low), offset;
	struct xa_node *node;

	if (!index && !order && !xa_is_node(xa->xa_head)) {
		head_store(xa, entry);
		return;
	}
	node = top_for(xa, stash, index, order);
	while (node->shift > low) {
		void *child;

		offset = offset_of(node, index);
		child = node->slots[offset];
		if (!child) {
			struct xa_node *fresh = stash_take(stash, xa, node->shift - XA_CHUNK_SHIFT);

			fresh->parent = node;
			fresh->offset = (unsigned char)offset;
			node->count++;
			child = node_entry(fresh);
			slot_store(node, offset, child);
		}
		node = xa_to_node(child);
	}
	offset = offset_of(node, index);
	node->count = (unsigned char)(node->count + span);
	if (xa_is_value(entry))
		node->nr_values = (unsigned char)(node->nr_values + span);
	slots_fill(node, offset, span, entry);
}

/* What an ordinary store may be asked for. */
static inline bool entry_ok(const void *entry)
{
	return !xa_is_internal(entry);
}

/* Store if @any, or if @old is there. */
static void *store(struct xarray *xa, unsigned long index, void *old, bool any, void *entry,
		   gfp_t gfp)
{
	struct stash stash = { 0 };
	struct xa_node *node;
	unsigned int offset;
	void *there;
	int err;

	if (!entry_ok(entry))
		return xa_mk_err(-EINVAL);
	do {
		err = 0;
		there = walk(xa, index, &node, &offset);
		if (!any && there != old)
			break;
		if (!entry) {
			if (there)
				entry_erase(xa, node, offset);
		} else if (there) {
			entry_replace(xa, node, offset, entry);
		} else {
			err = stash_need(xa, &stash, nodes_wanted(xa, index, 0), gfp);
			if (!err)
				plant(xa, &stash, index, 0, entry);
		}
	} while (err == -EAGAIN);
	stash_empty(&stash);
	return err ? xa_mk_err(err) : there;
}

void *__xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)
{
	return store(xa, index, NULL, true, entry, gfp);
}

void *xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)
{
	void *old;

	xa_lock(xa);
	old = store(xa, index, NULL, true, entry, gfp);
	xa_unlock(xa);
	return old;
}

void *__xa_cmpxchg(struct xarray *xa, unsigned long index, void *old, void *entry, gfp_t gfp)
{
	return store(xa, index, old, false, entry, gfp);
}

void *xa_cmpxchg(struct xarray *xa, unsigned long index, void *old, void *entry, gfp_t gfp)
{
	void *there;

	xa_lock(xa);
	there = store(xa, index, old, false, entry, gfp);
	xa_unlock(xa);
	return there;
}

int __xa_insert(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)
{
	void *there;

	if (!entry)
		return -EINVAL;
	there = store(xa, index, NULL, false, entry, gfp);
	if (xa_is_err(there))
		return xa_err(there);
	return there ? -EBUSY : 0;
}

int xa_insert(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)
{
	int ret;

	xa_lock(xa);
	ret = __xa_insert(xa, index, entry, gfp);
	xa_unlock(xa);
	return ret;
}

/* ---- walking along ---------------------------------------------------------------------------------------- */

/* The next slot from @offset on that has @filter, or XA_CHUNK_SIZE. Siblings do not count. */
static unsigned int next_slot(struct xa_node *node, unsigned int offset, xa_mark_t filter)
{
	if (filter != XA_PRESENT) {
		unsigned long bits = offset < XA_CHUNK_SIZE ? marks_load(node, filter) >> offset :
							      0;

		return bits ? offset + (unsigned int)__builtin_ctzl(bits) : XA_CHUNK_SIZE;
	}
	while (offset < XA_CHUNK_SIZE) {
		void *entry = slot_load(node, offset);

		if (entry && !xa_is_sibling(entry))
			break;
		offset++;
	}
	return offset;
}

/*
 * One node on the way down: *@index moves to the first slot from there on that has @filter, *@entry is what
 * is in it. False: none in this node; *@index is the first past it (0: that was the end of all).
 */
static bool step(struct xa_node *node, unsigned long *index, xa_mark_t filter, void **entry)
{
	unsigned int offset = offset_of(node, *index), next;
	bool whole = node->shift + XA_CHUNK_SHIFT >= BITS_PER_LONG;
	unsigned long base = whole ? 0 : *index & ~((XA_CHUNK_SIZE << node->shift) - 1);

	*entry = slot_load(node, offset);
	next = next_slot(node, xa_is_sibling(*entry) ? xa_to_sibling(*entry) : offset, filter);
	if (next >= XA_CHUNK_SIZE) {
		*index = whole ? 0 : base + (XA_CHUNK_SIZE << node->shift);
		return false;
	}
	if (next > offset)
		*index = base + ((unsigned long)next << node->shift);
	*entry = slot_load(node, next);
	return true;
}

void *xa_find(struct xarray *xa, unsigned long *indexp, unsigned long max, xa_mark_t filter)
{
	unsigned long index = *indexp;
	void *entry;

	rcu_read_lock();
again:
	entry = index <= max ? head_load(xa) : NULL;
	if (!xa_is_node(entry)) {
		if (index || (filter != XA_PRESENT && !root_marked(xa, filter)))
			entry = NULL;
		goto out;
	}
	if (index > node_max(xa_to_node(entry))) {
		entry = NULL;
		goto out;
	}
	while (xa_is_node(entry)) {
		bool found = step(xa_to_node(entry), &index, filter, &entry);

		if (index > max || (!found && !index)) {
			entry = NULL;
			goto out;
		}
		if (!found)
			goto again;
	}
	/* Emptied, or made a sibling, since it was looked for. */
	if (!entry || xa_is_internal(entry))
		goto again;
out:
	rcu_read_unlock();
	if (entry)
		*indexp = index;
	return entry;
}

/* Last index of the entry that covers @index, or @index. */
static unsigned long last_index(struct xarray *xa, unsigned long index)
{
	struct xa_node *node;
	unsigned int offset, span = 1;
	void *entry = descend(xa, index, &node, &offset);

	if (!entry || !node)
		return index;
	if (xa_is_sibling(entry))
		offset = xa_to_sibling(entry);
	while (offset + span < XA_CHUNK_SIZE &&
	       slot_load(node, offset + span) == sibling_entry(offset))
		span++;
	index &= ~((XA_CHUNK_SIZE << node->shift) - 1);
	return index + ((unsigned long)(offset + span) << node->shift) - 1;
}

void *xa_find_after(struct xarray *xa, unsigned long *indexp, unsigned long max, xa_mark_t filter)
{
	unsigned long index;
	void *entry = NULL;

	rcu_read_lock();
	index = last_index(xa, *indexp) + 1;
	if (index > *indexp)
		entry = xa_find(xa, &index, max, filter);
	rcu_read_unlock();
	if (entry)
		*indexp = index;
	return entry;
}

unsigned int xa_extract(struct xarray *xa, void **dst, unsigned long *indices, unsigned long start,
			unsigned long max, unsigned int n, xa_mark_t filter)
{
	unsigned int nr = 0;
	void *entry;

	rcu_read_lock();
	for (entry = n ? xa_find(xa, &start, max, filter) : NULL; entry;
	     entry = xa_find_after(xa, &start, max, filter)) {
		if (indices)
			indices[nr] = start;
		dst[nr++] = entry;
		if (nr == n)
			break;
	}
	rcu_read_unlock();
	return nr;
}

/* ---- entries of many indices ------------------------------------------------------------------------------ */

/* Nodes that any one insertion may want. */
#define NODES_MOST (2 * LEVELS_MOST)

/* 0 and the number of values in the range (1: more may be), -EEXIST if a pointer is there. */
static int range_look(struct xarray *xa, unsigned long index, unsigned long last)
{
	int values = 0;

	for (void *entry = xa_find(xa, &index, last, XA_PRESENT); entry;
	     entry = xa_find_after(xa, &index, last, XA_PRESENT)) {
		if (!xa_is_value(entry))
			return -EEXIST;
		values = 1;
	}
	return values;
}

static void *range_erase(struct xarray *xa, unsigned long index, unsigned long last)
{
	void *entry, *shadow = NULL;

	while ((entry = xa_find(xa, &index, last, XA_PRESENT))) {
		shadow = entry;
		__xa_erase(xa, index);
	}
	return shadow;
}

/* The common cases, without a search: nothing is there, or a value in just this place. */
static int insert_one(struct xarray *xa, struct stash *stash, unsigned long index, void *entry,
		      void **shadow, gfp_t gfp)
{
	struct xa_node *node;
	unsigned int offset;
	void *there = walk(xa, index, &node, &offset);
	int err;

	if (there && !xa_is_value(there))
		return -EEXIST;
	if (there && (!node || (!node->shift && span_of(node, offset) == 1))) {
		clear_all_marks(xa, node, offset);
		entry_replace(xa, node, offset, entry);
		*shadow = there;
		return 0;
	}
	err = stash_need(xa, stash, there ? NODES_MOST : nodes_wanted(xa, index, 0), gfp);
	if (err)
		return err;
	if (there) {
		*shadow = there;
		entry_erase(xa, node, offset);
	}
	plant(xa, stash, index, 0, entry);
	return 0;
}

static int insert_many(struct xarray *xa, struct stash *stash, unsigned long index,
		       unsigned int order, void *entry, void **shadow, gfp_t gfp)
{
	unsigned long last = index + (1UL << order) - 1;
	int values = range_look(xa, index, last), err;

	if (values < 0)
		return values;
	err = stash_need(xa, stash, values ? NODES_MOST : nodes_wanted(xa, index, order), gfp);
	if (err)
		return err;
	if (values)
		*shadow = range_erase(xa, index, last);
	plant(xa, stash, index, order, entry);
	return 0;
}

int __xa_insert_order(struct xarray *xa, unsigned long index, unsigned int order, void *entry,
		      void **shadow, gfp_t gfp)
{
	struct stash stash = { 0 };
	void *was = NULL;
	int err;

	if (!entry || !entry_ok(entry) || order >= BITS_PER_LONG || index & ((1UL << order) - 1))
		return -EINVAL;
	do {
		err = order ? insert_many(xa, &stash, index, order, entry, &was, gfp) :
			      insert_one(xa, &stash, index, entry, &was, gfp);
	} while (err == -EAGAIN);
	stash_empty(&stash);
	if (shadow)
		*shadow = err ? NULL : was;
	return err;
}

/* The entry has a slot for itself: a node below it has room for two. */
static void halve_slot(struct xarray *xa, struct stash *stash, struct xa_node *node,
		       unsigned int offset, void *upper)
{
	struct xa_node *fresh = stash_take(stash, xa, node->shift - XA_CHUNK_SHIFT);
	const unsigned int half = XA_CHUNK_SIZE / 2;

	fresh->parent = node;
	fresh->offset = (unsigned char)offset;
	fresh->count = XA_CHUNK_SIZE;
	slots_fill(fresh, 0, half, node->slots[offset]);
	slots_fill(fresh, half, half, upper);
	for (xa_mark_t mark = 0; mark < XA_MAX_MARKS; mark++)
		if (node->marks[mark] & BIT(offset))
			fresh->marks[mark] = BIT(0) | BIT(half);
	slot_store(node, offset, node_entry(fresh));
	shrink(xa);
}

int __xa_halve(struct xarray *xa, unsigned long index, void *upper, gfp_t gfp)
{
	struct stash stash = { 0 };
	struct xa_node *node;
	unsigned int offset, span;
	void *entry;
	int err;

	if (!upper || !entry_ok(upper) || xa_is_value(upper))
		return -EINVAL;
	do {
		entry = walk(xa, index, &node, &offset);
		span = node ? span_of(node, offset) : 1;
		err = -EINVAL; /* no entry of more than one index */
		if (!entry || xa_is_value(entry) || !node || (!node->shift && span == 1))
			break;
		err = span > 1 ? 0 : stash_need(xa, &stash, 1, gfp);
		if (err)
			continue;
		if (span == 1) {
			halve_slot(xa, &stash, node, offset, upper);
			continue;
		}
		span /= 2;
		for (xa_mark_t mark = 0; mark < XA_MAX_MARKS; mark++)
			if (node->marks[mark] & BIT(offset))
				mark_set(xa, node, offset + span, mark);
		slots_fill(node, offset + span, span, upper);
	} while (err == -EAGAIN);
	stash_empty(&stash);
	return err;
}

/* ---- the end --------------------------------------------------------------------------------------------- */

static void free_below(struct xa_node *node)
{
	for (unsigned int i = 0; i < XA_CHUNK_SIZE; i++)
		if (xa_is_node(node->slots[i]))
			free_below(xa_to_node(node->slots[i]));
	node_free(node);
}

void xa_destroy(struct xarray *xa)
{
	void *head;

	xa_lock(xa);
	head = xa->xa_head;
	head_store(xa, NULL);
	for (xa_mark_t mark = 0; mark < XA_MAX_MARKS; mark++)
		root_mark(xa, mark, false);
	xa_unlock(xa);
	if (xa_is_node(head))
		free_below(xa_to_node(head));
}
