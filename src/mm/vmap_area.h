/* SPDX-License-Identifier: MIT */
#ifndef MM_VMAP_AREA_H
#define MM_VMAP_AREA_H

/*
 * vmap_area.h - ranges of the vmalloc window: who has which addresses
 *
 * Room: mm; only vmalloc.c and vmap.c call this, readers from outside know the structures. The essay is in vmap_area.c.
 */

#include <stdatomic.h>
#include <slabwork/types.h>
#include <slabwork/vmalloc.h>

enum vmap_state {
	VA_FREE,  /* unmapped, nobody's */
	VA_LAZY,  /* mapped, nobody's: freed and not yet purged */
	VA_BUSY,  /* mapped, somebody's */
	VA_GUARD, /* unmapped, the hole behind the VA_BUSY in front of it */
	VA_HOLE,  /* somebody who is not us has mapped something here */
};

struct vmap_space;

struct vmap_area {
	uintptr_t start, end;
	struct vmap_area *prev, *next;    /* neighbours by address */
	struct vmap_area *bnext, **bprev; /* size list, VA_FREE and VA_LAZY */
	struct vmap_area *defer_next;
	struct vmap_space *space;
	enum vmap_state state;
	bool dirty;  /* VA_LAZY: may not read as zero */
	bool memmap; /* VA_BUSY: its memmap is mapped */
	bool warm;   /* VA_BUSY: nobody's, kept by vmap_warm.c */
	signed char nid;
	struct vm_struct vm; /* VA_BUSY */
	/*
	 * VA_BUSY, a block of malloc: bytes that are paid for, 0: not one, or its owner gives it up.
	 * What lies between them and the end is room: addresses to grow into. Grows under
	 * vmap_lock only.
	 */
	_Atomic size_t fit;
	/* vmap_warm.c */
	size_t touched; /* bytes from the start that may not read as zero */
	size_t vetted;  /* of them resident, when it looked, and when that was */
	uint64_t vetted_ns;
};

#define VMAP_NR_CLASSES 192 /* size lists: 4 for each of 48 doublings */

struct vmap_size_lists {
	unsigned long bitmap[VMAP_NR_CLASSES / 64];
	struct vmap_area *head[VMAP_NR_CLASSES];
};

typedef _Atomic(struct vmap_area *) vmap_table_entry;

/* va->fit while the room is being cut off. */
#define VMAP_FIT_CUT 1
/* Shrinking a block by less than this is not worth a system call. */
#define VMAP_SHRINK_WORTH (64UL << 10)

/* A tiled window. [0] the vmalloc window, [1] below 4 GiB for vmalloc_32(). */
struct vmap_space {
	uintptr_t start, end;
	struct vmap_area *first; /* the ranges, in address order */
	struct vmap_size_lists free, lazy;
	_Atomic(vmap_table_entry *) *table; /* by (address - start) >> VMAP_TABLE_SHIFT */
	_Atomic bool ready;
};
extern struct vmap_space vmap_spaces[2];

/* First range of the low and of the main window: proc walks these chains, without the lock. */
extern struct vmap_area *const *const vmap_roots[2];

/* What a get may do. */
enum vmap_get_flags {
	VMAP_LOW = 1,   /* below 4 GiB */
	VMAP_SLACK = 2, /* up to a quarter larger is fine */
	VMAP_TRY = 4,   /* do without rather than make room for it */
};

/*
 * A mapped range of at least so many bytes, VA_BUSY and not published yet; *clean: it reads
 * as zero. NULL: no addresses or no memory. May sleep.
 */
struct vmap_area *vmap_get(size_t bytes, size_t align, unsigned int flags, bool *clean);
/* From now on vmap_lookup() finds it. va->vm is filled. */
void vmap_publish(struct vmap_area *va);
/* The area that starts at p, or NULL. Any context; p is not dereferenced. */
struct vmap_area *vmap_lookup(const void *p);
/* The area that p lies in, or NULL. Any context. Slower with the distance from its start. */
struct vmap_area *vmap_lookup_inside(const void *p);
/* Unpublish: of several callers one gets true. Any context. */
bool vmap_unpublish(struct vmap_area *va);
/* Give back an unpublished area. Any context. */
void vmap_put(struct vmap_area *va);
/* The same without any system call. */
void vmap_put_later(struct vmap_area *va);
/* Give back an area whose mapping is not plain memory any more: unmapped at once. May sleep. */
void vmap_put_unmap(struct vmap_area *va);
/* Forget an area whose pages were moved away by mremap: its range is unmapped already. */
void vmap_put_gone(struct vmap_area *va);
/*
 * Make it larger where it is, and fit what is said if it is not 0; *clean: what is new reads
 * as zero. 0 or -ENOMEM. May sleep.
 */
int vmap_grow(struct vmap_area *va, size_t bytes, size_t fit, bool *clean);
/* From now on so much of it is paid for. False: it is not that large any more. */
bool vmap_set_fit(struct vmap_area *va, size_t fit);
/* May the block of malloc that starts at p have n bytes where it lies? */
enum vmap_within {
	VMAP_NOT,    /* it starts none, or must grow, or gives memory back */
	VMAP_WITHIN, /* yes, and that is its size now */
	VMAP_ROOM,   /* yes, if its owner pays for more of its room: *area */
};
enum vmap_within vmap_resize_within(const void *p, size_t n, struct vmap_area **area);
/* Cut its end off. May sleep. */
void vmap_shrink(struct vmap_area *va, size_t bytes);

/* ---- vmap_warm.c: areas for what grows -------------------------------------------- */

/* Like vmap_get(), of @wish bytes if that is easy; one that was freed a moment ago may be larger. */
struct vmap_area *vmap_get_growing(size_t least, size_t wish, bool *clean);
/* Keep an unpublished area for the next vmap_get_growing(); only so many bytes were used. False: no. */
bool vmap_warm_put(struct vmap_area *va, size_t used);
/* All of them go back. Bytes of memory, about. May sleep. */
size_t vmap_warm_drop(void);

/* Under the lock: nobody keeps more addresses than are paid for. */
void __vmap_make_room(void);

/* ---- vmap_check.c looks at what vmap_area.c has -------------------------------------- */

struct vmap_counts {
	unsigned long areas;
	size_t lazy, dirty;
};
void vmap_lock_take(void);
void vmap_lock_drop(void);
void __vmap_counts(struct vmap_counts *counts);
bool __vmap_is_listed(struct vmap_area *va);
bool __vmap_has_place(struct vmap_area *va);

/* OS page or ours, whichever is larger. */
size_t vmap_granule(void);

/* Bytes that its owner paid for, guard and room not included. */
static inline size_t vmap_paid_bytes(const struct vm_struct *vm)
{
	return (size_t)vm->nr_pages << PAGE_SHIFT;
}

static inline size_t vmap_area_bytes(const struct vmap_area *va)
{
	return va->end - va->start;
}

#endif /* MM_VMAP_AREA_H */
