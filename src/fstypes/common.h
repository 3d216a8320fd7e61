/* SPDX-License-Identifier: MIT */
#ifndef FSTYPES_COMMON_H
#define FSTYPES_COMMON_H

/*
 * common.h - what every file system here says the same way
 *
 * Room: fstypes. Readers of attributes look under i_seq without a lock, so all of them change
 * between write_seqcount_begin() and _end(), under i_lock.
 */

#include <slabwork/fs/vfs.h>

#include "lib/bitops.h"

/* Called by vfs when it starts. */
void fstypes_init(void);
extern struct file_system_type tmpfs_type, dax_type, proc_type;

#define STAMP_CTIME 1u
#define STAMP_MTIME 2u

/* Somebody may read it meanwhile, and looks again, but must not see half of it. */
#define WRITE_WORD(x, v) __atomic_store_n(&(x), (v), __ATOMIC_RELAXED)

static inline void stamp_store(struct timespec *to, const struct timespec *now)
{
	WRITE_WORD(to->tv_sec, now->tv_sec);
	WRITE_WORD(to->tv_nsec, now->tv_nsec);
}

static inline bool stamp_is(const struct timespec *t, const struct timespec *now)
{
	return __atomic_load_n(&t->tv_sec, __ATOMIC_RELAXED) == now->tv_sec &&
	       __atomic_load_n(&t->tv_nsec, __ATOMIC_RELAXED) == now->tv_nsec;
}

/*
 * ctime, and perhaps mtime, are @now. atime is no longer known to be newer than they are. Often they say so already, since the
 * clock is a coarse one: then atime is as new beside them as it was.
 */
static inline void inode_stamp_at(struct inode *inode, unsigned int which,
				  const struct timespec *now)
{
	if (stamp_is(&inode->i_ctime, now) &&
	    (!(which & STAMP_MTIME) || stamp_is(&inode->i_mtime, now)))
		return;
	spin_lock(&inode->i_lock);
	write_seqcount_begin(&inode->i_seq);
	stamp_store(&inode->i_ctime, now);
	if (which & STAMP_MTIME)
		stamp_store(&inode->i_mtime, now);
	write_seqcount_end(&inode->i_seq);
	if (atomic_load_explicit(&inode->i_state, memory_order_relaxed) & I_ATIME_FRESH)
		atomic_fetch_and_explicit(&inode->i_state, ~I_ATIME_FRESH, memory_order_relaxed);
	spin_unlock(&inode->i_lock);
}

static inline void inode_stamp(struct inode *inode, unsigned int which)
{
	struct timespec now = current_time(inode);

	inode_stamp_at(inode, which, &now);
}

/* A new inode: all four times are now. Nobody else sees it yet. */
static inline void inode_stamp_new(struct inode *inode)
{
	struct timespec now = current_time(inode);

	stamp_store(&inode->i_atime, &now);
	stamp_store(&inode->i_mtime, &now);
	stamp_store(&inode->i_ctime, &now);
	stamp_store(&inode->i_btime, &now);
}

/*
 * Call @one(@arg, name, value) for each option of "a=1,b,c=x" until one is not 0; value, of a copy, is NULL where
 * there is no "=". What the last call gave, or -ENOMEM. @data NULL or "": 0.
 */
int parse_options(const char *data, int (*one)(void *arg, const char *name, char *value),
		  void *arg);
/* A number of the given base with nothing behind it. 0, -EINVAL. */
int option_number(const char *value, unsigned int base, uint64_t *out);
/* "64m", "0x1000". 0, -EINVAL. */
int option_size(const char *value, uint64_t *out);

#endif /* FSTYPES_COMMON_H */
