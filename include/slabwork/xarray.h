/* SPDX-License-Identifier: MIT */
#ifndef SW_XARRAY_H
#define SW_XARRAY_H

/**
 * DOC: <slabwork/xarray.h> - an array of pointers that is mostly empty, with marks
 *
 * Index (unsigned long) to pointer. A tree of nodes of 64 slots that is only as high as its
 * largest index needs; readers walk it under RCU without a lock. An entry may cover 2^order
 * indices, aligned: every index of it loads the same pointer. Three marks for each entry are
 * summed up the tree, so that "the next dirty one" skips what is clean.
 *
 * Entries  Pointers aligned to 4, NULL (nothing there), or xa_mk_value(0 … LONG_MAX).
 * Errors   Functions that return an entry may return xa_mk_err(-ENOMEM), -EINVAL, -EBUSY: xa_is_err(), xa_err().
 * Threads  xa_load(), xa_find*(), xa_get_mark(): any time, no lock; what they return may be gone
 *          unless the caller is in rcu_read_lock() and its entries are freed by RCU, or holds
 *          xa_lock. The others take xa_lock; their twins with __ want it held (those with a gfp
 *          drop it to allocate and take it again, if gfp may sleep).
 *
 * The seed's radix tree is the same thing: struct radix_tree_root has the fields gfp_mask and rnode,
 * radix_tree_lookup() and kin are below.
 *
 * Room: ds (xarray.c).  Source: Linux 5.4 and 6.12, Documentation/core-api/xarray.rst.
 */

#ifdef __cplusplus
#error "the xarray is for C: include <unordered_map> instead"
#endif

#include <errno.h>

#include <slabwork/gfp.h>
#include <slabwork/lock.h>
#include <slabwork/rcupdate.h>
#include <slabwork/types.h>

#define XA_CHUNK_SHIFT 6
#define XA_CHUNK_SIZE  (1UL << XA_CHUNK_SHIFT)
#define XA_CHUNK_MASK  (XA_CHUNK_SIZE - 1)
#define XA_MAX_MARKS   3

typedef unsigned int xa_mark_t;
#define XA_MARK_0  0u
#define XA_MARK_1  1u
#define XA_MARK_2  2u
#define XA_PRESENT 8u /* xa_find(): any entry */

struct xarray {
	spinlock_t xa_lock;
	union {
		gfp_t xa_flags; /* marks of the whole array in the high bits */
		gfp_t gfp_mask;
	};
	union {
		void *xa_head; /* NULL, the entry of index 0, or a tagged struct xa_node */
		struct xa_node *rnode;
	};
};
#define radix_tree_root xarray

/* 576 bytes, seven a page. Its fields are written under xa_lock, slots read under RCU. */
struct xa_node {
	unsigned char shift;     /* of an index to get the slot; 0: a leaf */
	unsigned char offset;    /* our slot in the parent */
	unsigned char count;     /* slots in use */
	unsigned char nr_values; /* of them value entries */
	struct xa_node *parent;
	struct xarray *array;
	union {
		struct list_head private_list;
		struct rcu_head rcu_head;
	};
	void *slots[XA_CHUNK_SIZE];
	unsigned long marks[XA_MAX_MARKS];
};

#define XARRAY_INIT(gfp)           \
	{                          \
		.xa_flags = (gfp), \
	}
#define DEFINE_XARRAY(name) struct xarray name = XARRAY_INIT(0)

#define xa_lock(xa)    spin_lock(&(xa)->xa_lock)
#define xa_trylock(xa) spin_trylock(&(xa)->xa_lock)
#define xa_unlock(xa)  spin_unlock(&(xa)->xa_lock)

static inline void xa_init(struct xarray *xa)
{
	*xa = (struct xarray){ 0 };
}

static inline bool xa_empty(const struct xarray *xa)
{
	return !__atomic_load_n(&xa->xa_head, __ATOMIC_RELAXED);
}

/* Small integers among the pointers. */
static inline void *xa_mk_value(unsigned long v)
{
	return (void *)((v << 1) | 1);
}

static inline unsigned long xa_to_value(const void *entry)
{
	return (unsigned long)entry >> 1;
}

static inline bool xa_is_value(const void *entry)
{
	return (unsigned long)entry & 1;
}

/* Errors: low bits 10, top of the address space. */
static inline void *xa_mk_err(int err)
{
	return (void *)(((unsigned long)(long)err << 2) | 2);
}

static inline bool xa_is_err(const void *entry)
{
	return ((unsigned long)entry & 3) == 2 && (unsigned long)entry >= -(4096UL << 2);
}

static inline int xa_err(const void *entry)
{
	return xa_is_err(entry) ? (int)((long)entry >> 2) : 0;
}

/*
 * What else a slot holds, low bits 10 too: a child node, or "see slot n of this node" in the slots
 * of a multi-index entry past its first. Never returned; here so that hot paths walk inline.
 */
static inline bool xa_is_internal(const void *entry)
{
	return ((unsigned long)entry & 3) == 2;
}

static inline bool xa_is_sibling(const void *entry)
{
	return xa_is_internal(entry) && (unsigned long)entry < XA_CHUNK_SIZE << 2;
}

static inline bool xa_is_node(const void *entry)
{
	return xa_is_internal(entry) && (unsigned long)entry > 4096 && !xa_is_err(entry);
}

static inline struct xa_node *xa_to_node(const void *entry)
{
	return (struct xa_node *)((unsigned long)entry - 2);
}

static inline unsigned int xa_to_sibling(const void *entry)
{
	return (unsigned int)((unsigned long)entry >> 2);
}

/** xa_load() - the entry at @index, NULL if there is none. Context: any; see Threads. */
SW_API void *xa_load(struct xarray *xa, unsigned long index) SW_NAME(xa_load);

/**
 * xa_store() - put @entry at @index
 * @entry: NULL: as xa_erase()
 * @gfp: for nodes
 * Return: what was there, or xa_mk_err(-ENOMEM).
 */
SW_API void *xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)
	SW_NAME(xa_store);
SW_API void *__xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)
	SW_NAME(__xa_store);
/** xa_erase() - take out the whole entry that covers @index, with its marks. Return: it. */
SW_API void *xa_erase(struct xarray *xa, unsigned long index) SW_NAME(xa_erase);
SW_API void *__xa_erase(struct xarray *xa, unsigned long index) SW_NAME(__xa_erase);
/** xa_insert() - 0, -EBUSY if something is there, -ENOMEM */
SW_API int xa_insert(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)
	SW_NAME(xa_insert);
SW_API int __xa_insert(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)
	SW_NAME(__xa_insert);
/** xa_cmpxchg() - store @entry if @old is there. Return: what was there, or an error entry. */
SW_API void *xa_cmpxchg(struct xarray *xa, unsigned long index, void *old, void *entry, gfp_t gfp)
	SW_NAME(xa_cmpxchg);
SW_API void *__xa_cmpxchg(struct xarray *xa, unsigned long index, void *old, void *entry, gfp_t gfp)
	SW_NAME(__xa_cmpxchg);

/**
 * __xa_halve() - an entry of 2^n indices, n > 0, becomes two of 2^(n-1)
 * @index: any index of it; the lower half keeps it
 * @upper: the pointer for the upper half, which inherits the marks
 *
 * No index is ever seen empty; one of the upper half may be seen with either pointer. xa_lock is held (dropped and taken again
 * if @gfp may sleep). Return: 0; -ENOMEM; -EINVAL: no pointer of several indices there.
 */
SW_API int __xa_halve(struct xarray *xa, unsigned long index, void *upper, gfp_t gfp)
	SW_NAME(__xa_halve);

/**
 * __xa_insert_order() - an entry for 2^@order indices
 * @index: a multiple of 2^@order
 * @shadow: NULL, or where the last value entry that was in the range goes (value entries give way)
 *
 * Return: 0; -EEXIST if a pointer is anywhere in the range; -ENOMEM; -EINVAL.
 * Differs: ours; the kernel's XA_STATE_ORDER() and xas_store().
 */
SW_API int __xa_insert_order(struct xarray *xa, unsigned long index, unsigned int order,
			     void *entry, void **shadow, gfp_t gfp) SW_NAME(__xa_insert_order);
/**
 * __xa_replace() - another entry where @old is, same order, marks kept (@entry a value: marks go)
 * Return: 0, -ENOENT if @old is not there. Allocates nothing; NULL for @entry erases.
 */
SW_API int __xa_replace(struct xarray *xa, unsigned long index, void *old, void *entry)
	SW_NAME(__xa_replace);
/** xa_get_order() - log2 of how many indices the entry at @index covers */
SW_API unsigned int xa_get_order(struct xarray *xa, unsigned long index) SW_NAME(xa_get_order);

/* Marks: of any entry; of the entry that covers @index; put up (nothing there: no-op), taken down. */
SW_API bool xa_marked(const struct xarray *xa, xa_mark_t mark) SW_NAME(xa_marked);
SW_API bool xa_get_mark(struct xarray *xa, unsigned long index, xa_mark_t mark)
	SW_NAME(xa_get_mark);
SW_API void xa_set_mark(struct xarray *xa, unsigned long index, xa_mark_t mark)
	SW_NAME(xa_set_mark);
SW_API void xa_clear_mark(struct xarray *xa, unsigned long index, xa_mark_t mark)
	SW_NAME(xa_clear_mark);
SW_API void __xa_set_mark(struct xarray *xa, unsigned long index, xa_mark_t mark)
	SW_NAME(__xa_set_mark);
SW_API void __xa_clear_mark(struct xarray *xa, unsigned long index, xa_mark_t mark)
	SW_NAME(__xa_clear_mark);

/**
 * xa_find() - the first entry at or after *@index, up to @max, that has @filter
 * @filter: a mark or XA_PRESENT
 * Return: it, *@index set to its first index (at least the old *@index); NULL: none, *@index as it was.
 */
SW_API void *xa_find(struct xarray *xa, unsigned long *index, unsigned long max, xa_mark_t filter)
	SW_NAME(xa_find);
/** xa_find_after() - the same, past the entry that covers *@index */
SW_API void *xa_find_after(struct xarray *xa, unsigned long *index, unsigned long max,
			   xa_mark_t filter) SW_NAME(xa_find_after);
/**
 * xa_extract() - up to @n entries from @start to @max that have @filter, in order
 * @indices: their first indices, or NULL
 * Return: how many. A multi-index entry counts once.
 */
SW_API unsigned int xa_extract(struct xarray *xa, void **dst, unsigned long *indices,
			       unsigned long start, unsigned long max, unsigned int n,
			       xa_mark_t filter) SW_NAME(xa_extract);
/** xa_destroy() - frees all nodes; the entries are the caller's */
SW_API void xa_destroy(struct xarray *xa) SW_NAME(xa_destroy);
/** sw_xa_validate() - NULL if every invariant of xarray.c holds, else the broken one */
SW_API const char *sw_xa_validate(struct xarray *xa);

#define xa_for_each_marked(xa, index, entry, filter)                      \
	for (index = 0, entry = xa_find(xa, &index, ~0UL, filter); entry; \
	     entry = xa_find_after(xa, &index, ~0UL, filter))
#define xa_for_each(xa, index, entry) xa_for_each_marked(xa, index, entry, XA_PRESENT)

/* The radix tree's words. */
#define INIT_RADIX_TREE(root, mask)      \
	do {                             \
		xa_init(root);           \
		(root)->gfp_mask = mask; \
	} while (0)

static inline void *radix_tree_lookup(struct xarray *root, unsigned long index)
{
	return xa_load(root, index);
}

/* 0, -EEXIST, -ENOMEM. */
static inline int radix_tree_insert(struct xarray *root, unsigned long index, void *entry)
{
	int ret = xa_insert(root, index, entry, root->gfp_mask & __GFP_BITS_MASK);

	return ret == -EBUSY ? -EEXIST : ret;
}

static inline void *radix_tree_delete(struct xarray *root, unsigned long index)
{
	return xa_erase(root, index);
}

#endif /* SW_XARRAY_H */
