/* SPDX-License-Identifier: MIT */
/*
 * entries.c - the names of one directory, in the order in which they came
 *
 * Room: fstypes/tmpfs. Look-up by name is the dentry cache's; what a directory adds is an order for getdents, and
 * offsets that stay what they are. So its names are an array, by rising offset: a new one goes to the end, the
 * place of one that went stays empty, and an offset is found by halving.
 *
 * Empty places at the end are used again at once, those at the start are not looked at; others when the array is full (a quarter of them is worth
 * more than an array twice as large) or when seven of eight are empty.
 *
 * 1. Offsets rise from slot to slot, empty ones included, and are never used again.
 * 2. slot[head] and slot[used - 1], if there are any, hold a name.
 */

#include <slabwork/slab.h>

#include "fstypes/tmpfs/entries.h"
#include "lib/bitops.h"

#define FIRST_OFFSET 2 /* "." and ".." are 0 and 1 */
#define ROOM_MIN     8

/* The first slot whose offset is not below @offset. */
static unsigned int slot_at(const struct tmpfs_entries *entries, unsigned long offset)
{
	unsigned int low = entries->head, high = entries->used;

	/* What comes and goes most is what came last. */
	if (high > low && entries->slot[high - 1].offset <= offset)
		return entries->slot[high - 1].offset == offset ? high - 1 : high;
	while (low < high) {
		unsigned int middle = low + (high - low) / 2;

		if (entries->slot[middle].offset < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The names move together at @to, which may be where they are. */
static void pack(struct tmpfs_entries *entries, struct tmpfs_entry *to)
{
	unsigned int n = 0;

	for (unsigned int i = entries->head; i < entries->used; i++)
		if (entries->slot[i].dentry)
			to[n++] = entries->slot[i];
	entries->head = 0;
	entries->used = n;
}

static int resize(struct tmpfs_entries *entries, unsigned int room)
{
	struct tmpfs_entry *slot = kvmalloc(room * sizeof(*slot), GFP_KERNEL);

	if (!slot)
		return -ENOMEM;
	pack(entries, slot);
	kvfree(entries->slot);
	entries->slot = slot;
	entries->room = room;
	return 0;
}

static int make_room(struct tmpfs_entries *entries)
{
	if (entries->live < entries->room - entries->room / 4) {
		pack(entries, entries->slot);
		return 0;
	}
	if (entries->room > UINT32_MAX / 2)
		return -ENOMEM;
	return resize(entries, entries->room ? 2 * entries->room : ROOM_MIN);
}

int entries_add(struct tmpfs_entries *entries, struct dentry *dentry)
{
	unsigned long offset = FIRST_OFFSET + entries->next;

	if (unlikely(entries->used == entries->room)) {
		int err = make_room(entries);

		if (err)
			return err;
	}
	entries->slot[entries->used++] = (struct tmpfs_entry){ offset, dentry };
	entries->live++;
	entries->next++;
	dentry->d_fsdata = (void *)offset;
	return 0;
}

void entries_remove(struct tmpfs_entries *entries, unsigned long offset)
{
	entries->slot[slot_at(entries, offset)].dentry = NULL;
	entries->live--;
	if (!entries->live)
		entries->head = entries->used = 0;
	while (entries->live && !entries->slot[entries->used - 1].dentry)
		entries->used--;
	while (entries->live && !entries->slot[entries->head].dentry)
		entries->head++;
	/* If there is no memory for a smaller one, the large one stays. */
	if (unlikely(entries->room > ROOM_MIN && entries->live < entries->room / 8))
		(void)resize(entries, max(entries->room / 4, (unsigned int)ROOM_MIN));
}

void entries_replace(struct tmpfs_entries *entries, unsigned long offset, struct dentry *dentry)
{
	entries->slot[slot_at(entries, offset)].dentry = dentry;
}

struct dentry *entries_find(const struct tmpfs_entries *entries, unsigned long *offset)
{
	for (unsigned int i = slot_at(entries, *offset); i < entries->used; i++)
		if (entries->slot[i].dentry) {
			*offset = entries->slot[i].offset;
			return entries->slot[i].dentry;
		}
	return NULL;
}

struct dentry *entries_last(const struct tmpfs_entries *entries)
{
	return entries->live ? entries->slot[entries->used - 1].dentry : NULL;
}

void entries_destroy(struct tmpfs_entries *entries)
{
	kvfree(entries->slot);
	*entries = (struct tmpfs_entries){ 0 };
}
