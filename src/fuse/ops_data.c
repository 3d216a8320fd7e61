/* SPDX-License-Identifier: MIT */
/*
 * ops_data.c - requests on the contents of files
 *
 * Room: fuse.
 *
 * 1. Which file
 *
 * The kernel asks neither for open nor for close (ENOSYS, once): one struct file an inode, opened at
 * the first read or write, serves everybody (node_file()). Types whose contents are made when they are opened have
 * one an opening, by number in fi->fh, and the kernel passes each read on (direct_io).
 *
 * 2. Reading without copying
 *
 * The answer to a READ is a vector that points into the page cache: folios are held while the kernel copies
 * from them. A hole of a file that has holes (tmpfs) is a page of zeros. What is not cached, or is a device
 * itself (DAX), goes through vfs_read() and a buffer.
 */

#include <slabwork/slab.h>

#include "fuse/fuse_internal.h"

#define MAX_READ (1u << 20)
#define MAX_SEGS (MAX_READ / PAGE_SIZE + 1)

static const char zeros[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));

/* With a reference, so that it is the same for both kinds. ERR_PTR. */
static struct file *file_for(struct call *call, const struct fuse_file_info *fi)
{
	struct file *file;

	if (!front.per_open) {
		file = node_file(call->node);
		return IS_ERR(file) ? file : get_file(file);
	}
	file = fi ? handle_get(fi->fh) : NULL;
	if (!file)
		return ERR_PTR(-EBADF);
	if (file_inode(file) == call->node->inode)
		return file;
	fput(file);
	return ERR_PTR(-EBADF);
}

void op_open(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *fi)
{
	struct file *file;
	struct call call;
	struct path path;

	if (!front.per_open && front.no_open) {
		fuse_reply_err(req, ENOSYS);
		return;
	}
	if (!call_begin(&call, req, id))
		return;
	fi->fh = 0;
	if (!front.per_open) {
		fi->keep_cache = 1;
		fuse_reply_open(req, fi);
		call_end(&call);
		return;
	}
	path = node_path(call.node);
	file = dentry_open(&path, fi->flags & (O_ACCMODE | O_APPEND), &call.cred);
	if (IS_ERR(file)) {
		call_error(&call, PTR_ERR(file));
	} else {
		fi->fh = handle_add(file);
		fi->direct_io = 1;
		if (!fi->fh)
			fput(file);
		if (!fi->fh)
			call_error(&call, -ENOMEM);
		else if (fuse_reply_open(req, fi))
			handle_close(fi->fh);
	}
	call_end(&call);
}

void op_release(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *fi)
{
	(void)id;
	if (front.per_open)
		handle_close(fi->fh);
	fuse_reply_err(req, 0);
}

/* ---- read ------------------------------------------------------------------------------- */

/* An answer that points at what it answers. */
struct gather {
	struct iovec iov[MAX_SEGS];
	struct folio *folios[MAX_SEGS];
	int nr, nr_folios;
};

static void gather_add(struct gather *g, const char *addr, size_t len)
{
	struct iovec *last = g->nr ? &g->iov[g->nr - 1] : NULL;

	if (last && (const char *)last->iov_base + last->iov_len == addr) {
		last->iov_len += len;
		return;
	}
	g->iov[g->nr++] = (struct iovec){ (char *)addr, len };
}

static void gather_drop(struct gather *g)
{
	while (g->nr_folios)
		folio_drop(g->folios[--g->nr_folios]);
}

/* Bytes from @pos on, at most @len and within one folio. 0: not to be had this way. */
static size_t gather_piece(struct gather *g, struct address_space *mapping, sw_loff_t pos,
			   size_t len)
{
	struct folio *folio = filemap_get_folio(mapping, (pgoff_t)(pos >> PAGE_SHIFT));
	size_t offset, n;

	if (IS_ERR(folio)) {
		if (PTR_ERR(folio) != -ENOENT || !mapping_test(mapping, AS_HOLES_ARE_ZERO))
			return 0;
		offset = (size_t)pos & (PAGE_SIZE - 1);
		n = PAGE_SIZE - offset < len ? PAGE_SIZE - offset : len;
		gather_add(g, zeros + offset, n);
		return n;
	}
	g->folios[g->nr_folios++] = folio;
	if (!folio_test_uptodate(folio))
		return 0;
	offset = (size_t)(pos - folio_pos(folio));
	n = folio_bytes(folio) - offset < len ? folio_bytes(folio) - offset : len;
	gather_add(g, (const char *)folio_addr(folio) + offset, n);
	return n;
}

/* False: it must be read the other way, and nothing has been answered. */
static bool read_in_place(struct call *call, struct file *file, size_t size, sw_loff_t pos)
{
	struct address_space *mapping = file->f_mapping;
	sw_loff_t end = i_size_read(file_inode(file));
	struct gather g;
	size_t n;

	if (IS_DAX(file_inode(file)) || !(file->f_mode & FMODE_CACHE_HIT) || size > MAX_READ)
		return false;
	g.nr = g.nr_folios = 0;
	if (pos >= end)
		size = 0;
	else if ((sw_loff_t)size > end - pos)
		size = (size_t)(end - pos);
	for (size_t done = 0; done < size; done += n) {
		n = gather_piece(&g, mapping, pos + (sw_loff_t)done, size - done);
		if (!n) {
			gather_drop(&g);
			return false;
		}
	}
	fuse_reply_iov(call->req, g.iov, g.nr);
	gather_drop(&g);
	touch_atime(&file->f_path);
	return true;
}

static void read_by_copy(struct call *call, struct file *file, size_t size, sw_loff_t pos)
{
	char *buf = kvmalloc(size, GFP_KERNEL);
	size_t done = 0;
	ssize_t n = 0;

	if (!buf) {
		call_error(call, -ENOMEM);
		return;
	}
	/* A short answer means the end of the file: a short read in the middle goes on. */
	while (done < size) {
		n = vfs_read(file, buf + done, size - done, &pos);
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	if (n < 0 && !done)
		call_error(call, n);
	else
		fuse_reply_buf(call->req, buf, done);
	kvfree(buf);
}

void op_read(fuse_req_t req, fuse_ino_t id, size_t size, off_t off, struct fuse_file_info *fi)
{
	struct file *file;
	struct call call;

	if (!call_begin(&call, req, id))
		return;
	file = file_for(&call, fi);
	if (IS_ERR(file)) {
		call_error(&call, PTR_ERR(file));
		call_end(&call);
		return;
	}
	if (off < 0)
		call_error(&call, -EINVAL);
	else if (!read_in_place(&call, file, size, off))
		read_by_copy(&call, file, size ? size : 1, off);
	fput(file);
	flush_delayed_fput();
	call_end(&call);
}

/* ---- write ---------------------------------------------------------------------------------- */

void op_write(fuse_req_t req, fuse_ino_t id, const char *buf, size_t size, off_t off,
	      struct fuse_file_info *fi)
{
	sw_loff_t pos = off;
	struct file *file;
	struct call call;
	uint64_t blocks;
	size_t done = 0;
	ssize_t n = 0;

	if (!call_begin(&call, req, id))
		return;
	file = file_for(&call, fi);
	if (IS_ERR(file)) {
		call_error(&call, PTR_ERR(file));
		call_end(&call);
		return;
	}
	blocks = atomic_load(&call.node->inode->i_blocks);
	if (off < 0)
		n = -EINVAL;
	while (n >= 0 && done < size) {
		n = vfs_write(file, buf + done, size - done, &pos);
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	/*
	 * A kernel that gathers writes keeps its own size and times but believes the blocks that it was
	 * told of last. Before the answer: who then asks for them must not be told from memory.
	 */
	if (atomic_load(&call.node->inode->i_blocks) != blocks)
		fuse_lowlevel_notify_inval_inode(front.session, id, -1, 0);
	if (n < 0 && !done)
		call_error(&call, n);
	else
		fuse_reply_write(req, done);
	fput(file);
	flush_delayed_fput();
	call_end(&call);
}

/* ---- the rest ----------------------------------------------------------------------------------- */

/* @file's and its answer's end. */
static void finish(struct call *call, struct file *file, long err)
{
	call_error(call, err);
	fput(file);
	flush_delayed_fput();
	call_end(call);
}

/* False: it has been answered. */
static bool file_begin(struct call *call, fuse_req_t req, fuse_ino_t id,
		       const struct fuse_file_info *fi, struct file **file)
{
	if (!call_begin(call, req, id))
		return false;
	*file = file_for(call, fi);
	if (!IS_ERR(*file))
		return true;
	call_error(call, PTR_ERR(*file));
	call_end(call);
	return false;
}

void op_fsync(fuse_req_t req, fuse_ino_t id, int datasync, struct fuse_file_info *fi)
{
	struct file *file;
	struct call call;

	if (!file_begin(&call, req, id, fi, &file))
		return;
	/* Nowhere to write to: the kernel need not ask again. */
	finish(&call, file,
	       file->f_op->fsync == noop_fsync ?
		       -ENOSYS :
		       vfs_fsync_range(file, 0, MAX_LFS_FILESIZE, datasync));
}

void op_fallocate(fuse_req_t req, fuse_ino_t id, int mode, off_t off, off_t len,
		  struct fuse_file_info *fi)
{
	struct file *file;
	struct call call;

	if (file_begin(&call, req, id, fi, &file))
		finish(&call, file, vfs_fallocate(file, mode, off, len));
}

void op_copy_file_range(fuse_req_t req, fuse_ino_t id_in, off_t off_in,
			struct fuse_file_info *fi_in, fuse_ino_t id_out, off_t off_out,
			struct fuse_file_info *fi_out, size_t len, int flags)
{
	struct node *node_out = node_get(id_out);
	struct file *in, *out;
	struct call call;
	ssize_t n;

	(void)fi_out;
	if (!node_out || front.per_open) {
		fuse_reply_err(req, node_out ? EOPNOTSUPP : ESTALE);
		if (node_out)
			node_put(node_out);
		return;
	}
	if (file_begin(&call, req, id_in, fi_in, &in)) {
		out = node_file(node_out);
		n = IS_ERR(out) ?
			    PTR_ERR(out) :
			    vfs_copy_file_range(in, off_in, out, off_out, len, (unsigned int)flags);
		if (n >= 0)
			fuse_reply_write(req, (size_t)n);
		else
			call_error(&call, n);
		fput(in);
		flush_delayed_fput();
		call_end(&call);
	}
	node_put(node_out);
}

/* SEEK_HOLE and SEEK_DATA; the rest is the kernel's own. */
void op_lseek(fuse_req_t req, fuse_ino_t id, off_t off, int whence, struct fuse_file_info *fi)
{
	struct file *file;
	struct call call;
	sw_loff_t pos;

	if (!file_begin(&call, req, id, fi, &file))
		return;
	pos = whence == SEEK_HOLE || whence == SEEK_DATA ? vfs_llseek(file, off, whence) : -EINVAL;
	if (pos >= 0)
		fuse_reply_lseek(req, pos);
	else
		call_error(&call, pos);
	fput(file);
	flush_delayed_fput();
	call_end(&call);
}
