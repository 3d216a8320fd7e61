/* SPDX-License-Identifier: MIT */
/*
 * ops_attr.c - requests on attributes, symlink targets and extended attributes
 *
 * Room: fuse.
 *
 * The kernel's side keeps size and times of files that it has written to (write-back cache), and
 * tells us by SETATTR; a ctime in such a request is taken as it is, since it may be older than now.
 */

#include <string.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>

#include <slabwork/slab.h>

#include "fuse/fuse_internal.h"

#define XATTR_VALUE_MAX 65536

void op_forget(fuse_req_t req, fuse_ino_t id, uint64_t nlookup)
{
	node_forget(id, nlookup);
	fuse_reply_none(req);
}

void op_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
	for (size_t i = 0; i < count; i++)
		node_forget(forgets[i].ino, forgets[i].nlookup);
	fuse_reply_none(req);
}

/* The answer is what the attributes are now. */
static void answer_attr(struct call *call)
{
	struct stat st;
	int err = attr_of(call->node->dentry, &st);

	if (err)
		call_error(call, err);
	else
		fuse_reply_attr(call->req, &st, front.timeout_s);
}

void op_getattr(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *fi)
{
	struct call call;

	(void)fi;
	if (!call_begin(&call, req, id))
		return;
	answer_attr(&call);
	call_end(&call);
}

/* libfuse's bits of SETATTR in vfs's words. */
static void iattr_of(struct iattr *ia, const struct stat *attr, int to_set)
{
	static const struct {
		int set;
		unsigned int valid;
	} bits[] = {
		{ FUSE_SET_ATTR_MODE, ATTR_MODE },
		{ FUSE_SET_ATTR_UID, ATTR_UID },
		{ FUSE_SET_ATTR_GID, ATTR_GID },
		{ FUSE_SET_ATTR_SIZE, ATTR_SIZE },
		{ FUSE_SET_ATTR_ATIME, ATTR_ATIME | ATTR_ATIME_SET },
		{ FUSE_SET_ATTR_MTIME, ATTR_MTIME | ATTR_MTIME_SET },
	};

	*ia = (struct iattr){
		.ia_mode = attr->st_mode,
		.ia_uid = attr->st_uid,
		.ia_gid = attr->st_gid,
		.ia_size = attr->st_size,
		.ia_atime = attr->st_atim,
		.ia_mtime = attr->st_mtim,
	};
	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
		if (to_set & bits[i].set)
			ia->ia_valid |= bits[i].valid;
	if (to_set & FUSE_SET_ATTR_ATIME_NOW)
		ia->ia_valid = (ia->ia_valid | ATTR_ATIME) & ~ATTR_ATIME_SET;
	if (to_set & FUSE_SET_ATTR_MTIME_NOW)
		ia->ia_valid = (ia->ia_valid | ATTR_MTIME) & ~ATTR_MTIME_SET;
}

static void set_ctime(struct inode *inode, const struct timespec *ctime)
{
	spin_lock(&inode->i_lock);
	write_seqcount_begin(&inode->i_seq);
	inode->i_ctime = *ctime;
	write_seqcount_end(&inode->i_seq);
	spin_unlock(&inode->i_lock);
	mark_inode_dirty_sync(inode);
}

void op_setattr(fuse_req_t req, fuse_ino_t id, struct stat *attr, int to_set,
		struct fuse_file_info *fi)
{
	struct call call;
	struct iattr ia;
	int err = 0;

	(void)fi;
	if (!call_begin(&call, req, id))
		return;
	iattr_of(&ia, attr, to_set);
	if (ia.ia_valid & ATTR_SIZE && !S_ISREG(call.node->inode->i_mode))
		err = S_ISDIR(call.node->inode->i_mode) ? -EISDIR : -EINVAL;
	else if (ia.ia_valid & ATTR_SIZE && ia.ia_size < 0)
		err = -EINVAL;
	if (!err && ia.ia_valid) {
		inode_lock(call.node->inode);
		err = notify_change(call.node->dentry, &ia);
		inode_unlock(call.node->inode);
	}
	if (!err && to_set & FUSE_SET_ATTR_CTIME)
		set_ctime(call.node->inode, &attr->st_ctim);
	if (err)
		call_error(&call, err);
	else
		answer_attr(&call);
	call_end(&call);
}

void op_readlink(fuse_req_t req, fuse_ino_t id)
{
	char target[PATH_MAX];
	struct call call;
	int len;

	if (!call_begin(&call, req, id))
		return;
	len = S_ISLNK(call.node->inode->i_mode) ?
		      vfs_readlink(call.node->dentry, target, sizeof(target) - 1) :
		      -EINVAL;
	if (len < 0) {
		call_error(&call, len);
	} else {
		target[len] = '\0';
		fuse_reply_readlink(req, target);
	}
	call_end(&call);
}

void op_statfs(fuse_req_t req, fuse_ino_t id)
{
	struct kstatfs k = { 0 };
	struct statvfs st;
	struct call call;
	struct path path;
	int err;

	if (!call_begin(&call, req, id))
		return;
	path = node_path(call.node);
	err = vfs_statfs(&path, &k);
	if (err) {
		call_error(&call, err);
	} else {
		memset(&st, 0, sizeof(st));
		st.f_bsize = (unsigned long)k.f_bsize;
		st.f_frsize = (unsigned long)(k.f_frsize ? k.f_frsize : k.f_bsize);
		st.f_blocks = k.f_blocks;
		st.f_bfree = k.f_bfree;
		st.f_bavail = k.f_bavail;
		st.f_files = k.f_files;
		st.f_ffree = k.f_ffree;
		st.f_favail = k.f_ffree;
		st.f_namemax = (unsigned long)(k.f_namelen ? k.f_namelen : NAME_MAX);
		fuse_reply_statfs(req, &st);
	}
	call_end(&call);
}

/* ---- extended attributes ---------------------------------------------------------------- */

/* False: it has been answered. ENOSYS makes the kernel ask no more. */
static bool xattr_begin(struct call *call, fuse_req_t req, fuse_ino_t id)
{
	if (!front.xattr) {
		fuse_reply_err(req, ENOSYS);
		return false;
	}
	return call_begin(call, req, id);
}

/* get and list: size 0 asks how much room it takes. */
static void answer_value(struct call *call, const char *name, size_t size)
{
	char *value = NULL;
	ssize_t n;

	if (size > XATTR_VALUE_MAX)
		size = XATTR_VALUE_MAX;
	if (size) {
		value = kvmalloc(size, GFP_KERNEL);
		if (!value) {
			call_error(call, -ENOMEM);
			return;
		}
	}
	n = name ? vfs_getxattr(call->node->dentry, name, value, size) :
		   vfs_listxattr(call->node->dentry, value, size);
	if (n < 0)
		call_error(call, n);
	else if (size)
		fuse_reply_buf(call->req, value, (size_t)n);
	else
		fuse_reply_xattr(call->req, (size_t)n);
	kvfree(value);
}

void op_getxattr(fuse_req_t req, fuse_ino_t id, const char *name, size_t size)
{
	struct call call;

	if (!xattr_begin(&call, req, id))
		return;
	answer_value(&call, name, size);
	call_end(&call);
}

void op_listxattr(fuse_req_t req, fuse_ino_t id, size_t size)
{
	struct call call;

	if (!xattr_begin(&call, req, id))
		return;
	answer_value(&call, NULL, size);
	call_end(&call);
}

void op_setxattr(fuse_req_t req, fuse_ino_t id, const char *name, const char *value, size_t size,
		 int flags)
{
	struct call call;

	if (!xattr_begin(&call, req, id))
		return;
	call_error(&call, size > XATTR_VALUE_MAX ?
				  -E2BIG :
				  vfs_setxattr(call.node->dentry, name, value, size, flags));
	call_end(&call);
}

void op_removexattr(fuse_req_t req, fuse_ino_t id, const char *name)
{
	struct call call;

	if (!xattr_begin(&call, req, id))
		return;
	call_error(&call, vfs_setxattr(call.node->dentry, name, NULL, 0, XATTR_REPLACE));
	call_end(&call);
}
