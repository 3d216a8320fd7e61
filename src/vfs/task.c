/* SPDX-License-Identifier: MIT */
/*
 * task.c - what a process has: fd table, root, working directory, umask, credentials
 *
 * Room: vfs. Door: sw_fs_task_*(), sw_fs_chdir(), sw_fs_umask(), sw_fs_getcwd().
 *
 * All threads are of init_task until one enters another. init_task's table is made by fs_init(); before it
 * there are no fds (files is NULL) and no root. fs_structs are on a list so that umount of "/" can see who
 * still stands somewhere.
 *
 * Locks: fs_list_lock outside fs->lock; nothing inside but reference counts. Paths are put without a lock.
 */

#include "vfs/vfs_internal.h"

/* ns: fs_struct and its link in all_fs. */
struct fs_holder {
	struct fs_struct fs;
	struct sw_fs_task *task;
	struct list_head list;
};

static struct fs_holder init_fs = { .fs = { .umask = 022 } };
struct sw_fs_task init_task = { .fs = &init_fs.fs };
__thread struct sw_fs_task *task_entered __attribute__((tls_model("initial-exec")));

static spinlock_t fs_list_lock;
static LIST_HEAD(all_fs);
/* The first mount's root, for tasks made later; fs_list_lock. */
static struct path first_root;

int task_init(void)
{
	struct files_struct *files = files_create();

	if (!files)
		return -ENOMEM;
	init_fs.fs.umask = 022;
	init_fs.task = &init_task;
	cred_of_process(&init_task.cred);
	atomic_store(&init_task.files, files);
	list_add(&init_fs.list, &all_fs);
	return 0;
}

/* ---- root and working directory ---------------------------------------------------- */

static void fs_set(struct fs_struct *fs, struct path *slot, const struct path *path,
		   struct path *old)
{
	spin_lock(&fs->lock);
	write_seqcount_begin(&fs->seq);
	*old = *slot;
	WRITE_ONCE(slot->mnt, path->mnt);
	WRITE_ONCE(slot->dentry, path->dentry);
	write_seqcount_end(&fs->seq);
	spin_unlock(&fs->lock);
}

static int fs_get(struct fs_struct *fs, const struct path *slot, struct path *path)
{
	spin_lock(&fs->lock);
	*path = *slot;
	if (path->dentry)
		path_get(path);
	spin_unlock(&fs->lock);
	return path->dentry ? 0 : -ENOENT;
}

int get_fs_root(struct path *root)
{
	struct fs_struct *fs = current_task()->fs;

	return fs_get(fs, &fs->root, root);
}

int get_fs_pwd(struct path *pwd)
{
	struct fs_struct *fs = current_task()->fs;

	return fs_get(fs, &fs->pwd, pwd);
}

static bool stands_at(const struct path *path, const struct vfsmount *mnt)
{
	return path->mnt == mnt && path->dentry == mnt->mnt_root;
}

long tasks_at_root(struct vfsmount *mnt)
{
	struct fs_holder *h;
	long n = 0;

	spin_lock(&fs_list_lock);
	list_for_each_entry(h, &all_fs, list) {
		spin_lock(&h->fs.lock);
		if (h->fs.root.mnt && !(stands_at(&h->fs.root, mnt) && stands_at(&h->fs.pwd, mnt)))
			n = -1;
		else if (h->fs.root.mnt && n >= 0)
			n += 2;
		spin_unlock(&h->fs.lock);
		if (n < 0)
			break;
	}
	spin_unlock(&fs_list_lock);
	return n;
}

void tasks_set_root(const struct path *root)
{
	static const struct path none;
	struct path old_root, old_pwd;
	struct fs_holder *h;

	if (!root)
		root = &none;
again:
	spin_lock(&fs_list_lock);
	first_root = *root;
	list_for_each_entry(h, &all_fs, list) {
		if (h->fs.root.mnt == root->mnt)
			continue;
		if (root->mnt) {
			path_get(root);
			path_get(root);
		}
		fs_set(&h->fs, &h->fs.root, root, &old_root);
		fs_set(&h->fs, &h->fs.pwd, root, &old_pwd);
		spin_unlock(&fs_list_lock);
		path_put(&old_root);
		path_put(&old_pwd);
		goto again;
	}
	spin_unlock(&fs_list_lock);
}

/* ---- tasks ----------------------------------------------------------------------------- */

static struct sw_fs_task *task_alloc(struct files_struct *files)
{
	struct sw_fs_task *task = kzalloc(sizeof(*task), GFP_KERNEL);
	struct fs_holder *h = kzalloc(sizeof(*h), GFP_KERNEL);

	if (!task || !h || !files) {
		kfree(task);
		kfree(h);
		if (files)
			files_put(files);
		return NULL;
	}
	atomic_init(&task->files, files);
	task->fs = &h->fs;
	h->task = task;
	h->fs.umask = 022;
	return task;
}

static void fs_list_add(struct sw_fs_task *task, struct fs_struct *from)
{
	struct fs_holder *h = container_of(task->fs, struct fs_holder, fs);

	spin_lock(&fs_list_lock);
	if (from) {
		fs_get(from, &from->root, &h->fs.root);
		fs_get(from, &from->pwd, &h->fs.pwd);
	} else if (first_root.mnt) {
		h->fs.root = h->fs.pwd = first_root;
		path_get(&h->fs.root);
		path_get(&h->fs.pwd);
	}
	list_add(&h->list, &all_fs);
	spin_unlock(&fs_list_lock);
}

struct sw_fs_task *sw_fs_task_create(void)
{
	struct sw_fs_task *task;

	if (fs_init())
		return NULL;
	task = task_alloc(files_create());
	if (!task)
		return NULL;
	cred_of_process(&task->cred);
	fs_list_add(task, NULL);
	return task;
}

struct sw_fs_task *sw_fs_task_fork(void)
{
	struct sw_fs_task *from = current_task(), *task;

	if (fs_init())
		return NULL;
	task = task_alloc(files_dup(atomic_load(&from->files)));
	if (!task)
		return NULL;
	task->cred = from->cred;
	task->fs->umask = READ_ONCE(from->fs->umask);
	fs_list_add(task, from->fs);
	return task;
}

struct sw_fs_task *sw_fs_task_enter(struct sw_fs_task *task)
{
	struct sw_fs_task *old = current_task();

	task_entered = task == &init_task ? NULL : task;
	return old;
}

void sw_fs_task_destroy(struct sw_fs_task *task)
{
	struct fs_holder *h;

	if (!task || task == &init_task)
		return;
	h = container_of(task->fs, struct fs_holder, fs);
	spin_lock(&fs_list_lock);
	list_del(&h->list);
	spin_unlock(&fs_list_lock);
	files_put(atomic_load(&task->files));
	path_put(&h->fs.root);
	path_put(&h->fs.pwd);
	flush_delayed_fput();
	/* A thread that looked at it under RCU, in a walk, may still be there. */
	synchronize_rcu();
	kfree(h);
	kfree(task);
}

/* ---- calls ----------------------------------------------------------------------------------- */

mode_t current_umask(void)
{
	return READ_ONCE(current_task()->fs->umask);
}

mode_t sw_fs_umask(mode_t mask)
{
	return __atomic_exchange_n(&current_task()->fs->umask, mask & 0777, __ATOMIC_RELAXED);
}

static int set_pwd(const struct path *path)
{
	struct fs_struct *fs = current_task()->fs;
	struct path old;
	int err;

	err = S_ISDIR(d_inode(path->dentry)->i_mode) ?
		      inode_permission(d_inode(path->dentry), MAY_EXEC) :
		      -ENOTDIR;
	if (err) {
		path_put(path);
		return err;
	}
	fs_set(fs, &fs->pwd, path, &old);
	path_put(&old);
	return 0;
}

int sw_fs_chdir(const char *name)
{
	struct path path;
	int err = user_path_at(AT_FDCWD, name, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &path);

	return err ? err : set_pwd(&path);
}

int sw_fs_fchdir(int fd)
{
	struct file *file = fget_raw((unsigned int)fd);
	struct path path;

	if (!file)
		return -EBADF;
	path = file->f_path;
	path_get(&path);
	__fput_sync(file);
	return set_pwd(&path);
}

int sw_fs_chroot(const char *name)
{
	struct fs_struct *fs = current_task()->fs;
	struct path path, old;
	int err = user_path_at(AT_FDCWD, name, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &path);

	if (err)
		return err;
	err = inode_permission(d_inode(path.dentry), MAY_EXEC);
	if (!err && !cred_capable(current_cred()))
		err = -EPERM;
	if (err) {
		path_put(&path);
		return err;
	}
	fs_set(fs, &fs->root, &path, &old);
	path_put(&old);
	return 0;
}

int sw_fs_getcwd(char *buf, size_t size)
{
	char *page, *at;
	struct path pwd;
	int err = get_fs_pwd(&pwd);
	size_t len;

	if (err)
		return err;
	page = kmalloc(SW_PATH_MAX, GFP_KERNEL);
	err = page ? 0 : -ENOMEM;
	if (!err && d_unhashed(pwd.dentry) && pwd.dentry != pwd.mnt->mnt_root)
		err = -ENOENT; /* removed */
	if (!err) {
		at = d_path(&pwd, page, SW_PATH_MAX);
		err = IS_ERR(at) ? (int)PTR_ERR(at) : 0;
	}
	if (!err) {
		len = strlen(at) + 1;
		err = len > size ? -ERANGE : (int)len;
	}
	if (err > 0)
		memcpy(buf, at, (size_t)err);
	kfree(page);
	path_put(&pwd);
	return err;
}

void task_fork(bool lock)
{
	struct fs_holder *h;

	if (lock)
		spin_lock(&fs_list_lock);
	list_for_each_entry(h, &all_fs, list) {
		struct files_struct *files = atomic_load(&h->task->files);

		if (lock) {
			spin_lock(&h->fs.lock);
			spin_lock(&files->file_lock);
		} else {
			spin_unlock(&files->file_lock);
			spin_unlock(&h->fs.lock);
		}
	}
	if (!lock)
		spin_unlock(&fs_list_lock);
}
