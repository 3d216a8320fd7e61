/* SPDX-License-Identifier: MIT */
/*
 * inode.c - tmpfs inodes: life, attributes, extended attributes
 *
 * Room: fstypes/tmpfs. From a cache of its own, type-safe under RCU: an inode goes back at once and may be the next
 * file's while a late reader still looks at it (vfs/inode.c says what makes that right). The target of a
 * symlink, which such a reader follows, goes after a grace period.
 *
 * Extended attributes are a list under info->lock, newest last. Values are copied in and out under
 * it; what a value needs is allocated before.
 */

#include <string.h>
#include <sys/xattr.h>

#include <slabwork/slab.h>

#include "fstypes/tmpfs/tmpfs.h"

static struct kmem_cache *inode_cache;
static struct mutex cache_mutex;

static void init_once(void *object)
{
	struct tmpfs_inode *info = object;

	spin_lock_init(&info->lock);
	info->accounted = 0;
	info->had_pages = false;
	INIT_LIST_HEAD(&info->xattrs);
	info->entries = (struct tmpfs_entries){ 0 };
	inode_init_once(&info->vfs_inode);
}

int tmpfs_inode_cache_init(void)
{
	mutex_lock(&cache_mutex);
	if (!inode_cache)
		inode_cache = kmem_cache_create(
			"tmpfs_inode_cache", sizeof(struct tmpfs_inode), 0,
			SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT | SLAB_TYPESAFE_BY_RCU, init_once);
	mutex_unlock(&cache_mutex);
	return inode_cache ? 0 : -ENOMEM;
}

struct inode *tmpfs_alloc_inode(struct super_block *sb)
{
	struct tmpfs_inode *info = kmem_cache_alloc(inode_cache, GFP_KERNEL);

	(void)sb;
	if (!info)
		return NULL;
	return &info->vfs_inode;
}

struct tmpfs_link {
	struct rcu_head rcu;
	char target[];
};

char *tmpfs_link_target(const char *target, size_t len)
{
	struct tmpfs_link *link = kmalloc(sizeof(*link) + len + 1, GFP_KERNEL);

	if (!link)
		return NULL;
	memcpy(link->target, target, len);
	link->target[len] = '\0';
	return link->target;
}

static void free_link(struct rcu_head *head)
{
	kfree(container_of(head, struct tmpfs_link, rcu));
}

void tmpfs_destroy_inode(struct inode *inode)
{
	struct tmpfs_inode *info = tmpfs_i(inode);

	if (unlikely(inode->i_link != NULL))
		call_rcu(&container_of(inode->i_link, struct tmpfs_link, target[0])->rcu,
			 free_link);
	if (unlikely(info->entries.slot != NULL))
		entries_destroy(&info->entries);
	info->entries.next = 0;
	kmem_cache_free(inode_cache, info);
}

void tmpfs_evict_inode(struct inode *inode)
{
	struct tmpfs_inode *info = tmpfs_i(inode);

	if (info->had_pages) {
		truncate_inode_pages_final(&inode->i_data);
		tmpfs_settle(inode, 0);
		info->had_pages = false;
	}
	tmpfs_free_xattrs(info);
	tmpfs_give_inode(tmpfs_sb(inode->i_sb));
	clear_inode(inode);
}

bool tmpfs_take_inode(struct tmpfs_sb *sbi)
{
	if (atomic_fetch_add_explicit(&sbi->used_inodes, 1, memory_order_relaxed) <
		    sbi->max_inodes ||
	    !sbi->max_inodes)
		return true;
	tmpfs_give_inode(sbi);
	return false;
}

void tmpfs_give_inode(struct tmpfs_sb *sbi)
{
	atomic_fetch_sub_explicit(&sbi->used_inodes, 1, memory_order_relaxed);
}

static const struct inode_operations tmpfs_special_inode_operations = {
	.setattr = tmpfs_setattr,
	.listxattr = tmpfs_listxattr,
	.getxattr = tmpfs_getxattr,
	.setxattr = tmpfs_setxattr,
};

static void init_file(struct inode *inode)
{
	struct address_space *mapping = inode->i_mapping;

	WRITE_WORD(inode->i_op, &tmpfs_file_inode_operations);
	inode->i_fop = &tmpfs_file_operations;
	mapping->a_ops = &tmpfs_aops;
	mapping_set_gfp_mask(mapping, GFP_HIGHUSER_MOVABLE);
	/* Nobody else knows the mapping: one store for four mapping_set(). */
	atomic_store_explicit(&mapping->flags,
			      1UL << AS_UNEVICTABLE | 1UL << AS_LARGE_FOLIO |
				      1UL << AS_HOLES_ARE_ZERO | 1UL << AS_OVERWRITE_IN_PLACE,
			      memory_order_relaxed);
}

struct inode *tmpfs_new_inode(struct super_block *sb, struct inode *dir, mode_t mode, dev_t dev)
{
	struct inode *inode;

	if (!tmpfs_take_inode(tmpfs_sb(sb)))
		return ERR_PTR(-ENOSPC);
	inode = new_inode(sb);
	if (!inode) {
		tmpfs_give_inode(tmpfs_sb(sb));
		return ERR_PTR(-ENOMEM);
	}
	WRITE_WORD(inode->i_ino, get_next_ino());
	inode_init_owner(inode, dir, mode);
	inode_stamp_new(inode);
	switch (mode & S_IFMT) {
	case S_IFREG:
		init_file(inode);
		break;
	case S_IFDIR:
		WRITE_WORD(inode->i_op, &tmpfs_dir_inode_operations);
		inode->i_fop = &tmpfs_dir_operations;
		i_size_write(inode, 2 * TMPFS_DIRENT_SIZE);
		set_nlink(inode, 2);
		break;
	case S_IFLNK:
		break; /* dir.c */
	default:
		WRITE_WORD(inode->i_op, &tmpfs_special_inode_operations);
		init_special_inode(inode, mode, dev);
	}
	return inode;
}

int tmpfs_setattr(struct dentry *dentry, struct iattr *attr)
{
	struct inode *inode = d_inode(dentry);
	int err = setattr_prepare(dentry, attr);

	if (err)
		return err;
	if (attr->ia_valid & ATTR_SIZE && S_ISREG(inode->i_mode)) {
		sw_loff_t old = i_size_read(inode);

		if (attr->ia_size > old)
			tmpfs_zero_tail(inode);
		if (attr->ia_size != old) {
			truncate_setsize(inode, attr->ia_size);
			tmpfs_settle(inode, 0);
			tmpfs_grown(inode, old);
			inode_stamp(inode, STAMP_CTIME | STAMP_MTIME);
		}
	}
	setattr_copy(inode, attr);
	return 0;
}

/* ---- extended attributes -------------------------------------------------------------- */

struct tmpfs_xattr {
	struct list_head list;
	size_t size;
	char *value; /* behind name */
	char name[];
};

static struct tmpfs_xattr *find_xattr(struct tmpfs_inode *info, const char *name)
{
	struct list_head *pos;

	for (pos = info->xattrs.next; pos != &info->xattrs; pos = pos->next) {
		struct tmpfs_xattr *x = list_entry(pos, struct tmpfs_xattr, list);

		if (!strcmp(x->name, name))
			return x;
	}
	return NULL;
}

ssize_t tmpfs_getxattr(struct dentry *dentry, const char *name, void *value, size_t size)
{
	struct tmpfs_inode *info = tmpfs_i(d_inode(dentry));
	struct tmpfs_xattr *x;
	ssize_t ret = -ENODATA;

	spin_lock(&info->lock);
	x = find_xattr(info, name);
	if (x) {
		ret = (ssize_t)x->size;
		if (size && size < x->size)
			ret = -ERANGE;
		else if (size)
			memcpy(value, x->value, x->size);
	}
	spin_unlock(&info->lock);
	return ret;
}

static struct tmpfs_xattr *make_xattr(const char *name, const void *value, size_t size)
{
	size_t name_size = strlen(name) + 1;
	struct tmpfs_xattr *x = kvmalloc(sizeof(*x) + name_size + size, GFP_KERNEL);

	if (!x)
		return NULL;
	memcpy(x->name, name, name_size);
	x->value = x->name + name_size;
	x->size = size;
	memcpy(x->value, value, size);
	return x;
}

int tmpfs_setxattr(struct dentry *dentry, const char *name, const void *value, size_t size,
		   int flags)
{
	struct inode *inode = d_inode(dentry);
	struct tmpfs_inode *info = tmpfs_i(inode);
	struct tmpfs_xattr *old, *new = NULL;
	int err = 0;

	if (value) {
		new = make_xattr(name, value, size);
		if (!new)
			return -ENOMEM;
	}
	spin_lock(&info->lock);
	old = find_xattr(info, name);
	if (old ? flags & XATTR_CREATE : flags & XATTR_REPLACE || !new) {
		err = old ? -EEXIST : -ENODATA;
		old = new;
	} else {
		if (old)
			list_del(&old->list);
		if (new)
			list_add_tail(&new->list, &info->xattrs);
	}
	spin_unlock(&info->lock);
	kvfree(old);
	if (!err)
		inode_stamp(inode, STAMP_CTIME);
	return err;
}

ssize_t tmpfs_listxattr(struct dentry *dentry, char *list, size_t size)
{
	struct tmpfs_inode *info = tmpfs_i(d_inode(dentry));
	struct list_head *pos;
	ssize_t used = 0;

	spin_lock(&info->lock);
	for (pos = info->xattrs.next; pos != &info->xattrs; pos = pos->next) {
		const char *name = list_entry(pos, struct tmpfs_xattr, list)->name;
		size_t len = strlen(name) + 1;

		if (size && (size_t)used + len > size) {
			used = -ERANGE;
			break;
		}
		if (size)
			memcpy(list + used, name, len);
		used += (ssize_t)len;
	}
	spin_unlock(&info->lock);
	return used;
}

void tmpfs_free_xattrs(struct tmpfs_inode *info)
{
	while (!list_empty(&info->xattrs)) {
		struct tmpfs_xattr *x = list_first_entry(&info->xattrs, struct tmpfs_xattr, list);

		list_del(&x->list);
		kvfree(x);
	}
}
