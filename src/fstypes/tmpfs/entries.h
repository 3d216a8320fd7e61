/* SPDX-License-Identifier: MIT */
#ifndef TMPFS_ENTRIES_H
#define TMPFS_ENTRIES_H

/*
 * entries.h - the names of one directory, in the order in which they came
 *
 * Room: fstypes/tmpfs. See entries.c. Changes hold the directory's i_rwsem for writing, looks for reading.
 */

#include <slabwork/fs/vfs.h>

struct tmpfs_entry {
	unsigned long offset;
	struct dentry *dentry; /* NULL: the name was removed */
};

/**
 * struct tmpfs_entries - all zeros: none
 * @slot: by rising offset; @room of them are there, those from @head to @used hold a name or held one, @live hold one
 * @next: the next name's offset less FIRST_OFFSET
 */
struct tmpfs_entries {
	struct tmpfs_entry *slot;
	unsigned int room, head, used, live;
	unsigned long next;
};

/* 0 and dentry->d_fsdata, its offset; -ENOMEM. */
int entries_add(struct tmpfs_entries *entries, struct dentry *dentry);
void entries_remove(struct tmpfs_entries *entries, unsigned long offset);
/* @dentry stands at @offset from now on, instead of the one that does. */
void entries_replace(struct tmpfs_entries *entries, unsigned long offset, struct dentry *dentry);
/* The first name at or behind *offset, which becomes its own. NULL: none. */
struct dentry *entries_find(const struct tmpfs_entries *entries, unsigned long *offset);
/* The last one; NULL: none. */
struct dentry *entries_last(const struct tmpfs_entries *entries);
/* All of them, which nobody counts on any more. */
void entries_destroy(struct tmpfs_entries *entries);

#endif /* TMPFS_ENTRIES_H */
