/* SPDX-License-Identifier: MIT */
#ifndef FUSE_FUSE_INTERNAL_H
#define FUSE_FUSE_INTERNAL_H

/*
 * fuse_internal.h - what the files of slabwork-mount say to each other
 *
 * Room: fuse, private. main.c starts and ends the server, node.c knows which number the kernel has for
 * which inode, the ops_*.c answer requests.
 */

#define FUSE_USE_VERSION 312
#include <limits.h>

#include <fuse_lowlevel.h>

#include <slabwork/fs/vfs.h>

/* ---- the mount ------------------------------------------------------------------------- */

/**
 * struct front - what this process serves
 * @mnt: ours, in no tree
 * @per_open: each opening has its own struct file and its contents are made when it is opened (proc): the kernel
 *            caches nothing. Else one struct file an inode serves them all, and the kernel asks neither
 *            for open nor for close
 * @session: for what the kernel must be told without having asked
 * @xattr: extended attributes are served (each write of the kernel's then asks for security.capability)
 * @writethrough: a write is here when write(2) returns, not when the kernel sends it
 * @timeout_s: how long the kernel may believe names, missing names and attributes. Long: all changes come
 *             through this very mount
 */
struct front {
	struct vfsmount *mnt;
	struct fuse_session *session;
	bool per_open;
	bool xattr;
	bool writethrough;
	bool no_open, no_opendir; /* the kernel takes ENOSYS for "do not ask again" */
	double timeout_s;
};

extern struct front front;
extern const struct fuse_lowlevel_ops front_ops;

/* ---- node.c: numbers of the kernel's -------------------------------------------------------- */

/**
 * struct node - an inode that the kernel knows
 * @id: what the kernel calls it: slot number, and above it how often the slot was used
 * @refs: 1 while the kernel knows it, 1 for each request on it
 * @nlookup: how many answers named it, less the FORGETs; table lock
 * @dentry: some name of it, held (a directory has one; of a file it may be unlinked meanwhile)
 * @file: opened for reading and writing at first use, NULL before; published once
 */
struct node {
	_Atomic uint64_t id;
	_Atomic uint32_t refs;
	uint32_t next; /* in the hash bucket, or in the free list: slot number */
	uint64_t nlookup;
	struct dentry *dentry;
	struct inode *inode;
	_Atomic(struct file *) file;
};

/* @root becomes node 1. 0, -ENOMEM. */
int nodes_init(struct dentry *root);
/* All of them, after the last request. */
void nodes_exit(void);
/* With a reference; NULL: the kernel was never told of it, or has forgotten it. */
struct node *node_get(fuse_ino_t id);
void node_put(struct node *node);
/* The kernel is about to be told of this inode. Its number; 0: no memory. */
uint64_t node_enter(struct dentry *dentry);
void node_forget(fuse_ino_t id, uint64_t nlookup);
/* The file that serves all requests on this node. No reference: lives as long as the node. ERR_PTR. */
struct file *node_file(struct node *node);
/* Openings of per_open types, by a number that a hostile kernel may invent. 0: no memory. */
uint64_t handle_add(struct file *file);
struct file *handle_get(uint64_t handle); /* referenced, or NULL */
void handle_close(uint64_t handle);

/* ---- call.c: one request ------------------------------------------------------------------------ */

/* A request on a node: who asks, and on what. */
struct call {
	fuse_req_t req;
	struct node *node;
	struct cred cred;
	const struct cred *old;
};

/* Takes the node and the caller's identity. False: it has been answered (ESTALE). */
bool call_begin(struct call *call, fuse_req_t req, fuse_ino_t id);
void call_end(struct call *call);
/* The answer is an error, or just "done". */
void call_error(struct call *call, long err);
struct path node_path(const struct node *node);
/* Is this a name that may be asked for? 0, -ENAMETOOLONG, -EINVAL (no name at all, or more than one). */
int check_name(const char *name);
void stat_of(struct stat *st, const struct kstat *kstat);
/* Attributes of a dentry in the form that libfuse packs. */
int attr_of(struct dentry *dentry, struct stat *st);
/* The answer names this dentry (negative: does not exist). Counts the look-up. */
void call_entry(struct call *call, struct dentry *dentry);
/* Fills e for a dentry and counts; for readdirplus. 0 or -errno. */
int entry_of(struct fuse_entry_param *e, struct dentry *dentry);

/* ---- ops_*.c --------------------------------------------------------------------------------------- */

void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name);
void op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev);
void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode);
void op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name);
void op_link(fuse_req_t req, fuse_ino_t id, fuse_ino_t parent, const char *name);
void op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name);
void op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name);
void op_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
	       const char *new_name, unsigned int flags);

void op_forget(fuse_req_t req, fuse_ino_t id, uint64_t nlookup);
void op_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets);
void op_getattr(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *fi);
void op_setattr(fuse_req_t req, fuse_ino_t id, struct stat *attr, int to_set,
		struct fuse_file_info *fi);
void op_readlink(fuse_req_t req, fuse_ino_t id);
void op_statfs(fuse_req_t req, fuse_ino_t id);
void op_getxattr(fuse_req_t req, fuse_ino_t id, const char *name, size_t size);
void op_setxattr(fuse_req_t req, fuse_ino_t id, const char *name, const char *value, size_t size,
		 int flags);
void op_listxattr(fuse_req_t req, fuse_ino_t id, size_t size);
void op_removexattr(fuse_req_t req, fuse_ino_t id, const char *name);

void op_open(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *fi);
void op_release(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *fi);
void op_read(fuse_req_t req, fuse_ino_t id, size_t size, off_t off, struct fuse_file_info *fi);
void op_write(fuse_req_t req, fuse_ino_t id, const char *buf, size_t size, off_t off,
	      struct fuse_file_info *fi);
void op_fsync(fuse_req_t req, fuse_ino_t id, int datasync, struct fuse_file_info *fi);
void op_fallocate(fuse_req_t req, fuse_ino_t id, int mode, off_t off, off_t len,
		  struct fuse_file_info *fi);
void op_copy_file_range(fuse_req_t req, fuse_ino_t id_in, off_t off_in,
			struct fuse_file_info *fi_in, fuse_ino_t id_out, off_t off_out,
			struct fuse_file_info *fi_out, size_t len, int flags);
void op_lseek(fuse_req_t req, fuse_ino_t id, off_t off, int whence, struct fuse_file_info *fi);

void op_opendir(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *fi);
void op_releasedir(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *fi);
void op_readdir(fuse_req_t req, fuse_ino_t id, size_t size, off_t off, struct fuse_file_info *fi);
void op_readdirplus(fuse_req_t req, fuse_ino_t id, size_t size, off_t off,
		    struct fuse_file_info *fi);
void op_fsyncdir(fuse_req_t req, fuse_ino_t id, int datasync, struct fuse_file_info *fi);

/* ---- options.c --------------------------------------------------------------------------------------- */

/**
 * struct mount_options - the command line, taken apart
 * @fs: what the file system gets, "size=64m,mode=0755"
 * @kernel: what the kernel's side gets, "ro,nosuid"
 */
struct mount_options {
	const char *type, *source, *dir;
	char fs[1024], kernel[1024];
	unsigned long flags; /* SB_* */
	unsigned long cache_pages;
	unsigned int threads;
	bool foreground, verbose, quiet, xattr, writethrough;
};

/* Exit status: 0, or 2 after it has said what is wrong. */
int options_parse(struct mount_options *opt, int argc, char **argv);

/* ---- end.c: how it ends ---------------------------------------------------------------------------------- */

/* Before any thread: the signals that end us are this file's, and fatal ones say how to unmount. */
void end_prepare(const char *dir, int message_fd);
/* A thread waits for SIGTERM, SIGINT, SIGHUP and unmounts. 0 or -errno. */
int end_watch(struct fuse_session *session);

#endif /* FUSE_FUSE_INTERNAL_H */
