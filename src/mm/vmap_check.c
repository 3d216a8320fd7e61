/* SPDX-License-Identifier: MIT */
/*
 * vmap_check.c - all areas in turn: for readers, and to see whether they are sound
 *
 * Room: mm. Door: mm/vmalloc.h. Next door: vmap_area.c, whose invariants these are and whose lock
 * is held.
 */

#include "mm/vmalloc.h"
#include "mm/vmap_area.h"

static void space_for_each(struct vmap_space *space,
			   void (*fn)(const struct vmap_view *view, void *arg), void *arg)
{
	for (struct vmap_area *va = space->first; va; va = va->next) {
		struct vmap_view view = { va->start, va->end, NULL, va->nid };

		if (va->state == VA_BUSY) {
			bool published = vmap_lookup((void *)va->start) == va;

			if (!published && !va->warm)
				continue; /* being made or freed */
			view.vm = published ? &va->vm : NULL;
			if (va->next && va->next->state == VA_GUARD)
				view.end = va->next->end;
		} else if (va->state != VA_LAZY) {
			continue;
		}
		fn(&view, arg);
	}
}

void vmap_for_each(void (*fn)(const struct vmap_view *view, void *arg), void *arg)
{
	vmap_lock_take();
	space_for_each(&vmap_spaces[1], fn, arg);
	space_for_each(&vmap_spaces[0], fn, arg);
	vmap_lock_drop();
}

static const char *space_validate(struct vmap_space *space, struct vmap_counts *tally)
{
	uintptr_t at = space->start;

	for (struct vmap_area *va = space->first; va; va = va->next) {
		struct vmap_area *prev = va->prev;

		if (va->start != at || va->end <= va->start || va->space != space ||
		    (prev ? prev->next != va : va != space->first))
			return "I1: the ranges do not tile the window";
		at = va->end;
		if (prev && prev->state == va->state &&
		    (va->state == VA_FREE || va->state == VA_LAZY))
			return "I2: two like neighbours are not merged";
		if (va->state == VA_GUARD && (!prev || prev->state != VA_BUSY))
			return "I3: a guard guards nothing";
		if (!__vmap_is_listed(va))
			return "I4: a range is not on the list of its size";
		if (va->state == VA_LAZY) {
			tally->lazy += vmap_area_bytes(va);
			tally->dirty += va->dirty ? vmap_area_bytes(va) : 0;
		}
		if (va->state != VA_BUSY)
			continue;
		tally->areas++;
		if (atomic_load(&va->fit) > vmap_area_bytes(va))
			return "I7: an area is smaller than what its owner paid for";
		if (!__vmap_has_place(va))
			return "I5: an area has no place in the table";
	}
	return at == space->end ? NULL : "I1: the ranges do not tile the window";
}

const char *vmap_validate(void)
{
	struct vmap_counts tally = { 0 }, counts;
	const char *broken;

	vmap_lock_take();
	__vmap_counts(&counts);
	broken = space_validate(&vmap_spaces[0], &tally);
	if (!broken)
		broken = space_validate(&vmap_spaces[1], &tally);
	if (!broken && (tally.areas != counts.areas || tally.lazy != counts.lazy ||
			tally.dirty != counts.dirty))
		broken = "I6: a count is wrong";
	vmap_lock_drop();
	return broken;
}
