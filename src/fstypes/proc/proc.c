/* SPDX-License-Identifier: MIT */
/*
 * proc.c - slabinfo, meminfo, slab/<cache>/ ... of this process, as files
 *
 * Room: fstypes/proc. Read-only. The text is sw_show()'s; a path below the mount point is the name that it
 * takes (<slabwork/show.h>), so an inode only remembers that name.
 *
 *   /slabinfo /buddyinfo /zoneinfo /pagetypeinfo /meminfo /vmstat /vmallocinfo
 *   /slab/<cache>/<attribute>            a directory for each cache there is when one looks
 *
 * A file's text is made when it is opened and read from there, so that what a reader gets piece by piece is
 * of one moment. Its size is 0 to stat(), as in the kernel's proc: nobody knows it before.
 *
 * Caches come and go: a name that was not there is not remembered (d_delete), one that was is asked again
 * each time it is walked over (d_revalidate). No lock but the dcache's: the inodes never change.
 */

#include <dirent.h>
#include <errno.h>
#include <string.h>

#include <slabwork/show.h>
#include <slabwork/slab.h>

#include "fstypes/common.h"

#define PROC_MAGIC 0x9fa0
/* Names grow between asking for the length and for the text: leave room, and ask again a few times. */
#define TEXT_SLACK 512
#define TEXT_TRIES 5

static const char *const top_files[] = { "buddyinfo", "meminfo",     "pagetypeinfo", "slabinfo",
					 "vmstat",    "vmallocinfo", "zoneinfo" };
static const char slab_dir[] = "slab";

enum proc_kind { PROC_ROOT, PROC_SLAB, PROC_CACHE, PROC_FILE };

/* inode->i_private; freed with the inode. */
struct proc_entry {
	enum proc_kind kind;
	char name[]; /* for sw_show_buf() */
};

/* file->private_data. */
struct proc_text {
	size_t len;
	char text[];
};

static const struct inode_operations proc_dir_inode_operations, proc_file_inode_operations;
static const struct file_operations proc_dir_operations, proc_file_operations;

static struct proc_entry *proc_entry(const struct inode *inode)
{
	return inode->i_private;
}

/* NULL: no memory. ERR_PTR(-ENOENT): there is no such file (any more). kvfree(). */
static struct proc_text *make_text(const char *name)
{
	for (int i = 0; i < TEXT_TRIES; i++) {
		ssize_t len = sw_show_buf(NULL, 0, name, NULL);
		struct proc_text *text;
		size_t room;

		if (len < 0)
			return ERR_PTR(len);
		room = (size_t)len + TEXT_SLACK;
		text = kvmalloc(sizeof(*text) + room, GFP_KERNEL);
		if (!text)
			return NULL;
		len = sw_show_buf(text->text, room, name, NULL);
		if (len >= 0 && (size_t)len < room) {
			text->len = (size_t)len;
			return text;
		}
		kvfree(text);
		if (len < 0)
			return ERR_PTR(len);
	}
	return ERR_PTR(-EAGAIN);
}

/* "slab/NAME", "slab/CACHE/NAME", or "NAME". false: too long. */
static bool full_name(char *out, size_t size, const struct proc_entry *dir, const char *name,
		      size_t len)
{
	size_t prefix = dir->kind == PROC_ROOT ? 0 : strlen(dir->name) + 1;

	if (prefix + len >= size)
		return false;
	if (prefix) {
		memcpy(out, dir->name, prefix - 1);
		out[prefix - 1] = '/';
	}
	memcpy(out + prefix, name, len);
	out[prefix + len] = '\0';
	return true;
}

/* ---- inodes ----------------------------------------------------------------------------- */

static struct inode *proc_inode(struct super_block *sb, enum proc_kind kind, const char *name)
{
	size_t size = strlen(name) + 1;
	struct proc_entry *entry = kmalloc(sizeof(*entry) + size, GFP_KERNEL);
	struct inode *inode = entry ? new_inode(sb) : NULL;

	if (!inode) {
		kfree(entry);
		return NULL;
	}
	entry->kind = kind;
	memcpy(entry->name, name, size);
	inode->i_private = entry;
	inode->i_ino = get_next_ino();
	inode_stamp_new(inode);
	inode->i_mode = kind == PROC_FILE ? S_IFREG | 0444 : S_IFDIR | 0555;
	inode->i_op = kind == PROC_FILE ? &proc_file_inode_operations : &proc_dir_inode_operations;
	inode->i_fop = kind == PROC_FILE ? &proc_file_operations : &proc_dir_operations;
	if (kind != PROC_FILE)
		set_nlink(inode, 2);
	return inode;
}

static void proc_evict_inode(struct inode *inode)
{
	truncate_inode_pages_final(&inode->i_data);
	kfree(inode->i_private);
	inode->i_private = NULL;
	clear_inode(inode);
}

/* Does the name that dir and name make exist? What it is, in *kind. */
static bool exists(const struct proc_entry *dir, const char *name, size_t len, enum proc_kind *kind,
		   char *full, size_t size)
{
	if (!full_name(full, size, dir, name, len) || memchr(name, '/', len))
		return false;
	*kind = dir->kind == PROC_SLAB ? PROC_CACHE : PROC_FILE;
	if (dir->kind == PROC_ROOT) {
		if (!strcmp(full, slab_dir)) {
			*kind = PROC_SLAB;
			return true;
		}
		for (size_t i = 0; i < ARRAY_SIZE(top_files); i++)
			if (!strcmp(full, top_files[i]))
				return true;
		return false;
	}
	return sw_show_buf(NULL, 0, full, NULL) >= 0;
}

static struct dentry *proc_lookup(struct inode *dir, struct dentry *dentry, unsigned int flags)
{
	struct inode *inode = NULL;
	enum proc_kind kind;
	char full[300];

	(void)flags;
	if (dentry->d_name.len > 255)
		return ERR_PTR(-ENAMETOOLONG);
	if (exists(proc_entry(dir), dentry->d_name.name, dentry->d_name.len, &kind, full,
		   sizeof(full))) {
		inode = proc_inode(dir->i_sb, kind, full);
		if (!inode)
			return ERR_PTR(-ENOMEM);
	}
	return d_splice_alias(inode, dentry);
}

/* Caches go. What is no cache stays what it is. */
static int proc_revalidate(struct dentry *dentry, unsigned int flags)
{
	const struct inode *inode = d_inode(dentry);
	const struct proc_entry *entry;

	if (flags & LOOKUP_RCU)
		return -ECHILD;
	if (!inode)
		return 0;
	entry = proc_entry(inode);
	if (entry->kind == PROC_CACHE)
		return sw_show_buf(NULL, 0, entry->name, NULL) >= 0;
	return 1;
}

static int proc_delete(const struct dentry *dentry)
{
	return d_is_negative(dentry);
}

static const struct dentry_operations proc_dentry_operations = {
	.d_revalidate = proc_revalidate,
	.d_delete = proc_delete,
};

/* ---- directories ---------------------------------------------------------------------------- */

/* false: the caller's buffer is full. A number of its own for each name, the same every time. */
static bool emit(struct dir_context *ctx, const char *name, size_t len, unsigned int type)
{
	if (!dir_emit(ctx, name, (int)len, full_name_hash(NULL, name, (unsigned int)len) | 1u,
		      type))
		return false;
	ctx->pos++;
	return true;
}

static int iterate_root(struct dir_context *ctx)
{
	for (; (size_t)ctx->pos - 2 < ARRAY_SIZE(top_files);) {
		const char *name = top_files[ctx->pos - 2];

		if (!emit(ctx, name, strlen(name), DT_REG))
			return 0;
	}
	if ((size_t)ctx->pos - 2 == ARRAY_SIZE(top_files))
		emit(ctx, slab_dir, sizeof(slab_dir) - 1, DT_DIR);
	return 0;
}

/* The first word of each line is a name; a position is its line. */
static int iterate_lines(struct dir_context *ctx, const char *show, unsigned int type)
{
	struct proc_text *text = make_text(show);
	const char *line, *end;
	sw_loff_t pos = 2;

	if (!text)
		return -ENOMEM;
	if (IS_ERR(text))
		return (int)PTR_ERR(text);
	end = text->text + text->len;
	for (line = text->text; line < end; pos++) {
		const char *next = memchr(line, '\n', (size_t)(end - line));
		size_t len;

		next = next ? next + 1 : end;
		len = strcspn(line, " \t\n");
		if (pos >= ctx->pos && !emit(ctx, line, len, type))
			break;
		line = next;
	}
	kvfree(text);
	return 0;
}

static int proc_iterate(struct file *file, struct dir_context *ctx)
{
	const struct proc_entry *dir = proc_entry(file_inode(file));

	if (!dir_emit_dots(file, ctx))
		return 0;
	if (dir->kind == PROC_ROOT)
		return iterate_root(ctx);
	return iterate_lines(ctx, dir->name, dir->kind == PROC_SLAB ? DT_DIR : DT_REG);
}

/* ---- files -------------------------------------------------------------------------------------- */

static int proc_open(struct inode *inode, struct file *file)
{
	struct proc_text *text = make_text(proc_entry(inode)->name);

	if (!text)
		return -ENOMEM;
	if (IS_ERR(text))
		return (int)PTR_ERR(text);
	file->private_data = text;
	return 0;
}

static int proc_release(struct inode *inode, struct file *file)
{
	(void)inode;
	kvfree(file->private_data);
	file->private_data = NULL;
	return 0;
}

static ssize_t proc_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	const struct proc_text *text = iocb->ki_filp->private_data;
	size_t n;

	if (iocb->ki_pos < 0)
		return -EINVAL;
	if ((uint64_t)iocb->ki_pos >= text->len)
		return 0;
	n = copy_to_iter(text->text + iocb->ki_pos,
			 min(iov_iter_count(to), text->len - (size_t)iocb->ki_pos), to);
	iocb->ki_pos += (sw_loff_t)n;
	return (ssize_t)n;
}

/* From the end of the text that was opened. */
static sw_loff_t proc_llseek(struct file *file, sw_loff_t offset, int whence)
{
	const struct proc_text *text = file->private_data;

	if (whence == SEEK_END)
		offset += (sw_loff_t)text->len;
	else if (whence == SEEK_CUR)
		offset += file->f_pos;
	else if (whence != SEEK_SET)
		return -EINVAL;
	if (offset < 0)
		return -EINVAL;
	file->f_pos = offset;
	return offset;
}

static int proc_setattr(struct dentry *dentry, struct iattr *attr)
{
	(void)dentry;
	(void)attr;
	return -EPERM;
}

static const struct inode_operations proc_dir_inode_operations = {
	.lookup = proc_lookup,
	.setattr = proc_setattr,
};

static const struct inode_operations proc_file_inode_operations = {
	.setattr = proc_setattr,
};

static const struct file_operations proc_dir_operations = {
	.llseek = generic_file_llseek,
	.iterate_shared = proc_iterate,
	.fsync = noop_fsync,
};

static const struct file_operations proc_file_operations = {
	.llseek = proc_llseek,
	.read_iter = proc_read_iter,
	.open = proc_open,
	.release = proc_release,
	.fsync = noop_fsync,
};

/* ---- super block ----------------------------------------------------------------------------------- */

static int proc_statfs(struct dentry *dentry, struct kstatfs *buf)
{
	(void)dentry;
	*buf = (struct kstatfs){
		.f_type = PROC_MAGIC, .f_bsize = PAGE_SIZE, .f_frsize = PAGE_SIZE, .f_namelen = 255
	};
	return 0;
}

static const struct super_operations proc_ops = {
	.evict_inode = proc_evict_inode,
	.statfs = proc_statfs,
};

static int proc_fill_super(struct super_block *sb, const char *data, int silent)
{
	struct inode *root;

	(void)silent;
	if (data && *data)
		return -EINVAL;
	sb->s_op = &proc_ops;
	sb->s_d_op = &proc_dentry_operations;
	sb->s_magic = PROC_MAGIC;
	sb->s_blocksize = PAGE_SIZE;
	sb->s_blocksize_bits = PAGE_SHIFT;
	sb->s_maxbytes = MAX_LFS_FILESIZE;
	sb->s_time_gran_ns = 1;
	sb->s_bdi = &noop_backing_dev_info;
	atomic_fetch_or(&sb->s_flags, SB_RDONLY | SB_NOATIME);
	root = proc_inode(sb, PROC_ROOT, "");
	if (!root)
		return -ENOMEM;
	sb->s_root = d_make_root(root);
	return sb->s_root ? 0 : -ENOMEM;
}

static struct dentry *proc_mount(struct file_system_type *type, int flags, const char *dev_name,
				 const char *data)
{
	(void)dev_name;
	return mount_nodev(type, flags, data, proc_fill_super);
}

struct file_system_type proc_type = {
	.name = "proc",
	.mount = proc_mount,
	.kill_sb = kill_anon_super,
};
