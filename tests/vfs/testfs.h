/* SPDX-License-Identifier: MIT */
#ifndef TESTS_VFS_TESTFS_H
#define TESTS_VFS_TESTFS_H

/*
 * testfs.h - a file system of names alone, which counts how often it is asked
 *
 * Its tree is nodes of malloc's, apart from dentries and inodes: what the caches forget is looked up
 * again, and a test sees that it was. Files have no contents. ->lookup can be held up (testfs.hold).
 */

#include <kunit/test.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <slabwork/fs/fs.h>
#include <slabwork/fs/vfs.h>

#define UNUSED __attribute__((unused))

struct node {
	struct node *parent, *next, *children;
	char *name;
	uint64_t ino;
	mode_t mode;
	unsigned int nlink;
	char *target;
	struct node *same; /* a hard link: whose inode it is */
};

static struct {
	_Atomic unsigned long lookups, creates, opens, releases, evicted, inodes;
	_Atomic int hold; /* ->lookup waits while it is not 0 */
	_Atomic unsigned long next_ino;
	const struct dentry_operations *d_op;
	struct super_block *sb;
} testfs = { .next_ino = 1 };

static const struct inode_operations testfs_iops;
static const struct file_operations testfs_fops;

static struct node *node_of(const struct inode *inode)
{
	struct node *n = inode->i_private;

	return n->same ? n->same : n;
}

static struct node *node_new(struct node *dir, const char *name, size_t len, mode_t mode)
{
	struct node *n = calloc(1, sizeof(*n));

	n->name = strndup(name, len);
	n->mode = mode;
	n->ino = atomic_fetch_add(&testfs.next_ino, 1);
	n->nlink = S_ISDIR(mode) ? 2 : 1;
	n->parent = dir;
	if (dir) {
		n->next = dir->children;
		dir->children = n;
	}
	return n;
}

static void node_unlink(struct node *dir, struct node *n)
{
	struct node **p = &dir->children;

	while (*p != n)
		p = &(*p)->next;
	*p = n->next;
}

static struct node *node_find(struct node *dir, const struct qstr *name)
{
	for (struct node *n = dir->children; n; n = n->next)
		if (strlen(n->name) == name->len && !memcmp(n->name, name->name, name->len))
			return n;
	return NULL;
}

static struct inode *testfs_inode(struct super_block *sb, struct node *n)
{
	struct node *real = n->same ? n->same : n;
	struct inode *inode = iget_locked(sb, real->ino);

	if (!inode)
		return ERR_PTR(-ENOMEM);
	if (!(atomic_load(&inode->i_state) & I_NEW))
		return inode;
	atomic_fetch_add(&testfs.inodes, 1);
	inode->i_mode = real->mode;
	inode->i_private = real;
	inode->i_op = &testfs_iops;
	inode->i_link = real->target;
	set_nlink(inode, real->nlink);
	if (S_ISDIR(real->mode))
		inode->i_fop = &simple_dir_operations;
	else if (S_ISREG(real->mode))
		inode->i_fop = &testfs_fops;
	unlock_new_inode(inode);
	return inode;
}

static struct dentry *testfs_lookup(struct inode *dir, struct dentry *dentry,
				    unsigned int flags UNUSED)
{
	struct node *n;

	atomic_fetch_add(&testfs.lookups, 1);
	while (atomic_load(&testfs.hold))
		sched_yield();
	n = node_find(node_of(dir), &dentry->d_name);
	return d_splice_alias(n ? testfs_inode(dir->i_sb, n) : NULL, dentry);
}

static int testfs_make(struct inode *dir, struct dentry *dentry, mode_t mode, const char *target)
{
	struct node *n = node_new(node_of(dir), dentry->d_name.name, dentry->d_name.len, mode);
	struct inode *inode;

	atomic_fetch_add(&testfs.creates, 1);
	n->target = target ? strdup(target) : NULL;
	inode = testfs_inode(dir->i_sb, n);
	if (IS_ERR(inode))
		return (int)PTR_ERR(inode);
	d_instantiate(dentry, inode);
	return 0;
}

static int testfs_create(struct inode *dir, struct dentry *dentry, mode_t mode, bool excl UNUSED)
{
	return testfs_make(dir, dentry, mode, NULL);
}

static int testfs_mkdir(struct inode *dir, struct dentry *dentry, mode_t mode)
{
	inc_nlink(dir);
	node_of(dir)->nlink++;
	return testfs_make(dir, dentry, mode | S_IFDIR, NULL);
}

static int testfs_symlink(struct inode *dir, struct dentry *dentry, const char *target)
{
	return testfs_make(dir, dentry, S_IFLNK | 0777, target);
}

static int testfs_link(struct dentry *old, struct inode *dir, struct dentry *dentry)
{
	struct inode *inode = d_inode(old);
	struct node *n =
		node_new(node_of(dir), dentry->d_name.name, dentry->d_name.len, inode->i_mode);

	n->same = node_of(inode);
	n->same->nlink++;
	inc_nlink(inode);
	ihold(inode);
	d_instantiate(dentry, inode);
	return 0;
}

static int testfs_unlink(struct inode *dir, struct dentry *dentry)
{
	struct node *n = node_find(node_of(dir), &dentry->d_name);

	node_unlink(node_of(dir), n);
	node_of(d_inode(dentry))->nlink--;
	drop_nlink(d_inode(dentry));
	return 0;
}

static int testfs_rmdir(struct inode *dir, struct dentry *dentry)
{
	if (node_of(d_inode(dentry))->children)
		return -ENOTEMPTY;
	drop_nlink(d_inode(dentry));
	drop_nlink(dir);
	node_of(dir)->nlink--;
	return testfs_unlink(dir, dentry);
}

static int testfs_rename(struct inode *old_dir, struct dentry *old, struct inode *new_dir,
			 struct dentry *new, unsigned int flags)
{
	struct node *n = node_find(node_of(old_dir), &old->d_name);

	if (flags & RENAME_EXCHANGE)
		return -EINVAL;
	if (d_inode(new)) {
		int err = S_ISDIR(d_inode(new)->i_mode) ? testfs_rmdir(new_dir, new) :
							  testfs_unlink(new_dir, new);

		if (err)
			return err;
	}
	node_unlink(node_of(old_dir), n);
	free(n->name);
	n->name = strndup(new->d_name.name, new->d_name.len);
	n->next = node_of(new_dir)->children;
	node_of(new_dir)->children = n;
	return 0;
}

static int testfs_open(struct inode *inode UNUSED, struct file *file UNUSED)
{
	atomic_fetch_add(&testfs.opens, 1);
	return 0;
}

static int testfs_release(struct inode *inode UNUSED, struct file *file UNUSED)
{
	atomic_fetch_add(&testfs.releases, 1);
	return 0;
}

static const struct file_operations testfs_fops = { .open = testfs_open,
						    .release = testfs_release };
static const struct inode_operations testfs_iops = {
	.lookup = testfs_lookup,
	.create = testfs_create,
	.mkdir = testfs_mkdir,
	.symlink = testfs_symlink,
	.link = testfs_link,
	.unlink = testfs_unlink,
	.rmdir = testfs_rmdir,
	.rename = testfs_rename,
};

static void testfs_evict(struct inode *inode)
{
	truncate_inode_pages_final(&inode->i_data);
	clear_inode(inode);
	atomic_fetch_add(&testfs.evicted, 1);
}

static const struct super_operations testfs_sops = { .evict_inode = testfs_evict };

static int testfs_fill(struct super_block *sb, const char *data UNUSED, int silent UNUSED)
{
	struct inode *root;

	sb->s_op = &testfs_sops;
	sb->s_d_op = testfs.d_op;
	root = testfs_inode(sb, node_new(NULL, "", 0, S_IFDIR | 0755));
	sb->s_root = d_make_root(root);
	testfs.sb = sb;
	return sb->s_root ? 0 : -ENOMEM;
}

static struct dentry *testfs_mount(struct file_system_type *type, int flags,
				   const char *dev_name UNUSED, const char *data)
{
	return mount_nodev(type, flags, data, testfs_fill);
}

static struct file_system_type testfs_type = { .name = "testfs",
					       .mount = testfs_mount,
					       .kill_sb = kill_anon_super };

#define EQ(a, b) KUNIT_EXPECT_EQ(test, (long)(a), (long)(b))

/* On "/", as root. */
UNUSED static void testfs_start(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, register_filesystem(&testfs_type), 0);
	KUNIT_ASSERT_EQ(test, sw_fs_setcred(0, 0, 0, NULL), 0);
	KUNIT_ASSERT_EQ(test, sw_fs_mount("testfs", NULL, "/", 0, NULL), 0);
	atomic_store(&testfs.lookups, 0);
}

UNUSED static void testfs_file(struct kunit *test, const char *path)
{
	int fd = sw_fs_open(path, O_CREAT | O_EXCL | O_WRONLY, 0644);

	KUNIT_ASSERT_GE(test, fd, 0);
	EQ(sw_fs_close(fd), 0);
}

#endif /* TESTS_VFS_TESTFS_H */
