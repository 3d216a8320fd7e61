/* SPDX-License-Identifier: MIT */
/*
 * ops_dir.c - requests that list a directory
 *
 * Room: fuse.
 *
 * Each request opens the directory, reads on from the offset in it, and closes it: no state between
 * requests (opening one takes less than a tenth of a request's round trip).
 *
 * Names are collected first and looked up afterwards: the directory's lock is held while they are collected.
 */

#include <string.h>

#include <slabwork/slab.h>

#include "fuse/fuse_internal.h"

#define MAX_LISTING (1u << 20)

void op_opendir(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *fi)
{
	struct call call;

	if (!front.per_open && front.no_opendir) {
		fuse_reply_err(req, ENOSYS);
		return;
	}
	if (!call_begin(&call, req, id))
		return;
	fi->fh = 0;
	if (!S_ISDIR(call.node->inode->i_mode)) {
		call_error(&call, -ENOTDIR);
	} else {
		fi->keep_cache = fi->cache_readdir = !front.per_open;
		fuse_reply_open(req, fi);
	}
	call_end(&call);
}

void op_releasedir(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *fi)
{
	(void)id;
	(void)fi;
	fuse_reply_err(req, 0);
}

/* A name, until it is looked up. */
struct noted {
	uint64_t ino;
	sw_loff_t pos; /* where it is: what the entry before it says as "go on here" */
	uint32_t d_type;
	uint32_t size; /* of this and the name that follows, with its NUL, a multiple of 8 */
	char name[];
};

struct listing {
	struct dir_context ctx; /* first: the actor gets back here */
	fuse_req_t req;
	bool plus;
	char *notes;
	size_t notes_size, notes_len;
	size_t room; /* bytes of the answer that are not spoken for */
	int err;
};

/* What the answer takes for this name. */
static size_t entry_size(const struct listing *l, const char *name)
{
	return l->plus ? fuse_add_direntry_plus(l->req, NULL, 0, name, NULL, 0) :
			 fuse_add_direntry(l->req, NULL, 0, name, NULL, 0);
}

static bool notes_grow(struct listing *l)
{
	size_t size = l->notes_size ? l->notes_size * 2 : 8192;
	char *notes = kvmalloc(size, GFP_KERNEL);

	if (!notes)
		return false;
	if (l->notes_len)
		memcpy(notes, l->notes, l->notes_len);
	kvfree(l->notes);
	l->notes = notes;
	l->notes_size = size;
	return true;
}

static bool note(struct dir_context *ctx, const char *name, int len, sw_loff_t offset, uint64_t ino,
		 unsigned int d_type)
{
	struct listing *l = (struct listing *)ctx;
	size_t size = (sizeof(struct noted) + (size_t)len + 1 + 7) & ~(size_t)7, takes;
	struct noted *n;

	if (l->notes_len + size > l->notes_size && !notes_grow(l)) {
		l->err = -ENOMEM;
		return false;
	}
	n = (struct noted *)(l->notes + l->notes_len);
	memcpy(n->name, name, (size_t)len);
	n->name[len] = '\0';
	takes = entry_size(l, n->name);
	if (takes > l->room)
		return false;
	n->ino = ino;
	n->pos = offset;
	n->d_type = d_type;
	n->size = (uint32_t)size;
	l->room -= takes;
	l->notes_len += size;
	return true;
}

static bool is_dot(const char *name)
{
	return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

/* Attributes of an entry, and the kernel knows it from now on. Where that fails, only what is noted. */
static void fill_entry(struct fuse_entry_param *e, struct dentry *dir, const struct noted *n)
{
	struct dentry *dentry;
	bool known = false;

	if (!is_dot(n->name)) {
		dentry = lookup_one_unlocked(n->name, dir, (int)strlen(n->name));
		if (!IS_ERR(dentry)) {
			/* Gone since it was listed: as if it had been listed just before. */
			known = !d_is_negative(dentry) && !entry_of(e, dentry);
			dput(dentry);
		}
	}
	if (known)
		return;
	memset(e, 0, sizeof(*e));
	e->attr.st_ino = n->ino;
	e->attr.st_mode = n->d_type << 12;
}

/* The answer out of the notes. @ids: what the kernel was told of, to take back if it does not listen. */
static size_t write_entries(struct listing *l, struct dentry *dir, char *buf, size_t size,
			    uint64_t *ids, size_t *nr_ids)
{
	size_t len = 0;

	for (size_t at = 0; at < l->notes_len;) {
		const struct noted *n = (const struct noted *)(l->notes + at), *next;
		struct fuse_entry_param e;
		off_t off;

		at += n->size;
		next = (const struct noted *)(l->notes + at);
		off = at < l->notes_len ? next->pos : l->ctx.pos;
		if (l->plus) {
			fill_entry(&e, dir, n);
			if (e.ino)
				ids[(*nr_ids)++] = e.ino;
			len += fuse_add_direntry_plus(l->req, buf + len, size - len, n->name, &e,
						      off);
		} else {
			struct stat st = { .st_ino = n->ino, .st_mode = n->d_type << 12 };

			len += fuse_add_direntry(l->req, buf + len, size - len, n->name, &st, off);
		}
	}
	return len;
}

static void answer(struct call *call, struct listing *l, size_t size)
{
	/* An entry of the answer takes more than a number of a node. */
	size_t nr_ids = 0, room = size + size;
	char *buf = kvmalloc(room, GFP_KERNEL);
	uint64_t *ids;
	size_t len;

	if (!buf) {
		call_error(call, -ENOMEM);
		return;
	}
	ids = (uint64_t *)(buf + size);
	len = write_entries(l, call->node->dentry, buf, size, ids, &nr_ids);
	if (fuse_reply_buf(call->req, buf, len))
		while (nr_ids)
			node_forget(ids[--nr_ids], 1);
	kvfree(buf);
}

/* The names from @off on that an answer of @size has room for. 0 or -errno. */
static int collect(struct call *call, struct listing *l, off_t off)
{
	struct path path = node_path(call->node);
	struct file *file;
	int err;

	if (!S_ISDIR(call->node->inode->i_mode))
		return -ENOTDIR;
	if (off < 0)
		return -EINVAL;
	file = dentry_open(&path, O_RDONLY | O_DIRECTORY, &call->cred);
	if (IS_ERR(file))
		return (int)PTR_ERR(file);
	file->f_pos = off; /* nobody else has it */
	l->ctx.pos = off;
	err = iterate_dir(file, &l->ctx);
	fput(file);
	flush_delayed_fput();
	return err ? err : l->err;
}

static void list_and_answer(fuse_req_t req, fuse_ino_t id, size_t size, off_t off, bool plus)
{
	struct listing l = { .ctx.actor = note, .req = req, .plus = plus };
	struct call call;
	int err;

	if (size > MAX_LISTING)
		size = MAX_LISTING;
	size &= ~(size_t)7;
	l.room = size;
	if (!call_begin(&call, req, id))
		return;
	err = collect(&call, &l, off);
	if (err && !l.notes_len)
		call_error(&call, err);
	else
		answer(&call, &l, size);
	kvfree(l.notes);
	call_end(&call);
}

void op_readdir(fuse_req_t req, fuse_ino_t id, size_t size, off_t off, struct fuse_file_info *fi)
{
	(void)fi;
	list_and_answer(req, id, size, off, false);
}

void op_readdirplus(fuse_req_t req, fuse_ino_t id, size_t size, off_t off,
		    struct fuse_file_info *fi)
{
	(void)fi;
	list_and_answer(req, id, size, off, true);
}

void op_fsyncdir(fuse_req_t req, fuse_ino_t id, int datasync, struct fuse_file_info *fi)
{
	struct file *file;
	struct call call;
	struct path path;

	(void)fi;
	if (!call_begin(&call, req, id))
		return;
	path = node_path(call.node);
	file = S_ISDIR(call.node->inode->i_mode) ?
		       dentry_open(&path, O_RDONLY | O_DIRECTORY, &call.cred) :
		       ERR_PTR(-ENOTDIR);
	if (IS_ERR(file)) {
		call_error(&call, PTR_ERR(file));
	} else {
		call_error(&call, vfs_fsync_range(file, 0, MAX_LFS_FILESIZE, datasync));
		fput(file);
		flush_delayed_fput();
	}
	call_end(&call);
}
