/* SPDX-License-Identifier: MIT */
/*
 * call.c - one request: on what, on whose behalf, and the answer
 *
 * Room: fuse. Door: fuse_internal.h.
 *
 * The kernel has checked permissions before it asks (default_permissions), from the same modes and owners
 * that we gave it; so requests run with the caller's ids, which new files get, and with all rights. Checking
 * again here would need the caller's groups, which a request does not carry.
 */

#include <string.h>
#include <sys/sysmacros.h>

#include "fuse/fuse_internal.h"

bool call_begin(struct call *call, fuse_req_t req, fuse_ino_t id)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(req);

	call->req = req;
	call->node = node_get(id);
	if (!call->node) {
		fuse_reply_err(req, ESTALE);
		return false;
	}
	call->cred.fsuid = ctx->uid;
	call->cred.fsgid = ctx->gid;
	call->cred.cap_override = true;
	call->cred.ngroups = 0;
	call->old = override_creds(&call->cred);
	return true;
}

void call_end(struct call *call)
{
	revert_creds(call->old);
	node_put(call->node);
}

void call_error(struct call *call, long err)
{
	fuse_reply_err(call->req, err < 0 ? (int)-err : 0);
}

struct path node_path(const struct node *node)
{
	return (struct path){ .mnt = front.mnt, .dentry = node->dentry };
}

int check_name(const char *name)
{
	size_t len = strlen(name);

	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	if (!len || memchr(name, '/', len) || !strcmp(name, ".") || !strcmp(name, ".."))
		return -EINVAL;
	return 0;
}

void stat_of(struct stat *st, const struct kstat *kstat)
{
	memset(st, 0, sizeof(*st));
	st->st_dev = kstat->dev;
	st->st_ino = kstat->ino;
	st->st_mode = kstat->mode;
	st->st_nlink = kstat->nlink;
	st->st_uid = kstat->uid;
	st->st_gid = kstat->gid;
	st->st_rdev = kstat->rdev;
	st->st_size = kstat->size;
	st->st_blksize = kstat->blksize;
	st->st_blocks = (blkcnt_t)kstat->blocks;
	st->st_atim = kstat->atime;
	st->st_mtim = kstat->mtime;
	st->st_ctim = kstat->ctime;
}

int attr_of(struct dentry *dentry, struct stat *st)
{
	struct path path = { .mnt = front.mnt, .dentry = dentry };
	struct kstat kstat;
	int err = vfs_getattr(&path, &kstat, STATX_BASIC_STATS, 0);

	if (!err)
		stat_of(st, &kstat);
	return err;
}

int entry_of(struct fuse_entry_param *e, struct dentry *dentry)
{
	int err;

	memset(e, 0, sizeof(*e));
	e->attr_timeout = e->entry_timeout = front.timeout_s;
	if (d_is_negative(dentry))
		return 0; /* node 0: the name does not exist, and that may be kept as long */
	err = attr_of(dentry, &e->attr);
	if (err)
		return err;
	e->ino = node_enter(dentry);
	e->generation = e->ino >> 32;
	return e->ino ? 0 : -ENOMEM;
}

void call_entry(struct call *call, struct dentry *dentry)
{
	struct fuse_entry_param e;
	int err = entry_of(&e, dentry);

	if (err)
		call_error(call, err);
	else if (fuse_reply_entry(call->req, &e) && e.ino)
		node_forget(e.ino, 1); /* whoever asked is gone: the kernel did not take it */
}
