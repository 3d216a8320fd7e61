/* SPDX-License-Identifier: MIT */
/*
 * collect_area.c - areas of the vmalloc windows, in address order
 *
 * Room: proc. Door: proc/collect.h. The chain of ranges is walked without its lock,
 * here as in another process: descriptors are never unmapped, and a range that does
 * not begin where the one before ended ends the walk with -EAGAIN (invariant I1
 * of mm/vmap_area.c).
 */

#include "proc/collect.h"

#define MAX_RANGES (1u << 24)

static int walk(struct reader *reader, const struct vmap_area *first,
		int (*fn)(const struct vmap_area *va, uintptr_t end, void *arg), void *arg)
{
	struct vmap_area va, next;
	int err;

	if (!first)
		return 0; /* a window not opened yet */
	err = reader_copy(reader, &va, first);
	for (unsigned int i = 0; !err && i < MAX_RANGES; i++) {
		bool more = va.next != NULL;
		uintptr_t end = va.end;

		if (more) {
			err = reader_copy(reader, &next, va.next);
			if (err)
				break;
			if (next.start != va.end)
				return -EAGAIN;
			if (va.state == VA_BUSY && next.state == VA_GUARD)
				end = next.end;
		}
		if (va.state == VA_BUSY && va.warm)
			va.state = VA_LAZY; /* freed, and kept for the next one that grows */
		if (va.state == VA_BUSY || va.state == VA_LAZY)
			err = fn(&va, end, arg);
		if (err || !more)
			return err;
		va = next;
	}
	return err ? err : -EAGAIN;
}

int areas_walk(struct reader *reader,
	       int (*fn)(const struct vmap_area *va, uintptr_t end, void *arg), void *arg)
{
	const struct vmap_area *const *roots[2];
	int err = reader_get(reader, roots, reader->root.vmap_roots, sizeof(roots));

	for (int i = 0; !err && i < 2; i++) {
		const struct vmap_area *first = NULL;

		err = reader_get(reader, &first, roots[i], sizeof(first));
		if (!err)
			err = walk(reader, first, fn, arg);
	}
	return err;
}
