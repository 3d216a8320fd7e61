/* SPDX-License-Identifier: MIT */
#ifndef VFS_NAMEI_H
#define VFS_NAMEI_H

/*
 * namei.h - the state of a walk
 *
 * Room: vfs, private to namei.c, namei_rcu.c, namei_ops.c, open.c, stat.c.
 */

#include "vfs/vfs_internal.h"

enum last_type { LAST_NORM, LAST_ROOT, LAST_DOT, LAST_DOTDOT };

/* In *last_type of user_path_remove(): slashes after the name. */
#define LAST_TRAILING 0x10u

/**
 * struct nameidata - a walk with references
 * @path: where we are; @root: no further up; both referenced
 * @last: the component that is not walked yet, its bytes are the caller's or a link's in held[]
 * @hashed: last.hash is set already
 * @trailing: slashes came after it: it must be a directory
 * @held: links that were followed: their text is in use until walk_end()
 */
struct nameidata {
	struct path path, root;
	struct qstr last;
	enum last_type last_type;
	bool hashed, trailing;
	unsigned int links, nheld;
	struct {
		struct dentry *dentry;
		void *to_free;
	} held[MAXSYMLINKS];
};

/* Cuts the next component off *at (which is not at a slash nor at the end); *at moves past it and the slashes. */
enum last_type next_component(const char **at, struct qstr *name, bool *slashes);

int walk_start(struct nameidata *nd, int dfd, const char *name, unsigned int flags);
/* All but the last component. 0 or -errno. */
int walk_to_last(struct nameidata *nd, const char *name);
/* The last one: nd->path becomes what it names. *link: it is a link to be followed, and this is its text. */
int walk_last(struct nameidata *nd, bool follow, const char **link);
/* The last component's link is followed: all but the last of it. */
int walk_link(struct nameidata *nd, const char *link);
/* The text of a link that is to be followed: counts it, holds it. ERR_PTR(-ELOOP, -ENOENT, …). */
const char *link_text(struct nameidata *nd, const struct path *path);
void walk_end(struct nameidata *nd);
/* walk_start() and walk_to_last(), the latter under RCU where it can. */
int walk_parent(struct nameidata *nd, int dfd, const char *name);
/* Mounts on top of *path; references move along. */
void follow_mounts(struct path *path);
/* @name in the locked directory @base: with a reference, maybe negative. ERR_PTR. */
struct dentry *lookup_locked(const struct qstr *name, struct dentry *base);
struct dentry *lookup_slow(const struct qstr *name, struct dentry *base);
int may_look_up(struct inode *dir);

/* ---- the walk without references (namei_rcu.c); all in one rcu_read_lock() ---- */

struct rcu_path {
	struct vfsmount *mnt;
	struct dentry *dentry;
	struct inode *inode;
	uint32_t seq; /* of dentry */
};

/*
 * @flags: LOOKUP_FOLLOW, LOOKUP_DIRECTORY; LOOKUP_PARENT: up to the last component, which goes into *nd's
 * last, last_type, trailing. Return: 0; -ENOENT: certainly; -ECHILD: walk with references.
 */
int rcu_walk(int dfd, const char *name, unsigned int flags, struct rcu_path *at,
	     struct nameidata *nd);
/* True: what was read of at->inode since was of this name. */
static inline bool rcu_path_valid(const struct rcu_path *at)
{
	return !read_seqcount_retry(&at->dentry->d_seq, at->seq);
}
/* Leaves the RCU section, with references if it returns true. */
bool rcu_path_get(const struct rcu_path *at, struct path *path);

/* permission.c: of a new file in @dir: the umask is off, and setgid where the caller may not give it. */
mode_t mode_of_new(const struct inode *dir, mode_t mode);

#endif /* VFS_NAMEI_H */
