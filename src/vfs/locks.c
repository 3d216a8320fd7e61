/* SPDX-License-Identifier: MIT */
/*
 * locks.c - POSIX record locks, locks of open files, flock
 *
 * Room: vfs. Door: sw_fs_fcntl(F_SETLK ...), sw_fs_flock().
 *
 * An inode's locks are a chain on i_flock, under i_lock. Two families that do not see each other: record
 * locks (F_SETLK: the owner is the task's fd table and any close of the file drops them; F_OFD_SETLK: the owner is
 * the open file), and flock (the open file, the whole of it). A new record lock replaces what its owner
 * has in that range: neighbours of the same kind melt together, others are cut, so one split needs one spare.
 *
 * Who waits sleeps on one queue for all inodes (waiting is rare) and tries again; before it does, it
 * enters itself in waiters[] and follows who waits for whom: back to itself is EDEADLK. Open files wait without that, as
 * in Linux.
 */

#include <sys/file.h>
#include <unistd.h>

#include "vfs/vfs_internal.h"

struct file_lock {
	struct file_lock *next;
	const void *owner;
	sw_loff_t start, end; /* inclusive */
	short type;           /* F_RDLCK, F_WRLCK, F_UNLCK */
	bool flock, ofd;
	pid_t pid;
};

static wait_queue_head_t lock_waits;

/* ---- the chain --------------------------------------------------------------------- */

static bool overlap(const struct file_lock *a, const struct file_lock *b)
{
	return a->start <= b->end && b->start <= a->end;
}

static bool conflict(const struct file_lock *a, const struct file_lock *b)
{
	return a->flock == b->flock && a->owner != b->owner && overlap(a, b) &&
	       (a->type == F_WRLCK || b->type == F_WRLCK);
}

static struct file_lock *find_conflict(const struct inode *inode, const struct file_lock *want)
{
	struct file_lock *l;

	for (l = inode->i_flock; l; l = l->next)
		if (conflict(l, want))
			return l;
	return NULL;
}

static bool touches(const struct file_lock *a, const struct file_lock *b)
{
	return a->start <= (b->end == INT64_MAX ? b->end : b->end + 1) &&
	       b->start <= (a->end == INT64_MAX ? a->end : a->end + 1);
}

/*
 * i_lock held, no conflict: @fresh takes its range from the owner's older locks. What is left over goes on
 * *dead; *spare is used where an old lock is cut in two.
 */
static void replace(struct inode *inode, struct file_lock *fresh, struct file_lock **spare,
		    struct file_lock **dead)
{
	struct file_lock **p = &inode->i_flock, *l;

	while ((l = *p)) {
		bool same = l->type == fresh->type;

		if (l->owner != fresh->owner || l->flock != fresh->flock ||
		    !(same ? touches(l, fresh) : overlap(l, fresh))) {
			p = &l->next;
			continue;
		}
		if (same) {
			fresh->start = l->start < fresh->start ? l->start : fresh->start;
			fresh->end = l->end > fresh->end ? l->end : fresh->end;
		} else if (l->start < fresh->start) {
			if (l->end > fresh->end) {
				struct file_lock *right = *spare;

				*spare = NULL;
				*right = *l;
				right->start = fresh->end + 1;
				l->next = right;
			}
			l->end = fresh->start - 1;
			p = &l->next;
			continue;
		} else if (l->end > fresh->end) {
			l->start = fresh->end + 1;
			p = &l->next;
			continue;
		}
		WRITE_ONCE(*p, l->next);
		l->next = *dead;
		*dead = l;
	}
	if (fresh->type != F_UNLCK) {
		fresh->next = inode->i_flock;
		WRITE_ONCE(inode->i_flock, fresh);
	}
}

static void free_locks(struct file_lock *l)
{
	while (l) {
		struct file_lock *next = l->next;

		kfree(l);
		l = next;
	}
}

/* ---- who waits for whom ----------------------------------------------------------------- */

struct waiter {
	struct list_head list;
	const void *owner, *holder;
};
static spinlock_t waiters_lock;
static LIST_HEAD(waiters);

/* Chains of waiters longer than this are taken for none. */
#define CHAIN_MAX 64

static bool enter_waiter(struct waiter *me)
{
	const void *holder = me->holder;
	bool deadlock = false;

	spin_lock(&waiters_lock);
	for (unsigned int i = 0; i < CHAIN_MAX && holder && !deadlock; i++) {
		const void *next = NULL;
		struct waiter *w;

		list_for_each_entry(w, &waiters, list)
			if (w->owner == holder)
				next = w->holder;
		deadlock = next == me->owner;
		holder = next;
	}
	if (!deadlock)
		list_add(&me->list, &waiters);
	spin_unlock(&waiters_lock);
	return !deadlock;
}

static void leave_waiter(struct waiter *me)
{
	spin_lock(&waiters_lock);
	list_del(&me->list);
	spin_unlock(&waiters_lock);
}

/* ---- setting ---------------------------------------------------------------------------------- */

/* One try. -EAGAIN: *holder has it. */
static int try_lock(struct inode *inode, struct file_lock **fresh, struct file_lock **spare,
		    const void **holder)
{
	struct file_lock *other = NULL, *dead = NULL;

	spin_lock(&inode->i_lock);
	if ((*fresh)->type != F_UNLCK)
		other = find_conflict(inode, *fresh);
	if (other) {
		*holder = other->owner;
		spin_unlock(&inode->i_lock);
		return -EAGAIN;
	}
	replace(inode, *fresh, spare, &dead);
	if ((*fresh)->type != F_UNLCK)
		*fresh = NULL;
	spin_unlock(&inode->i_lock);
	free_locks(dead);
	wake_up(&lock_waits);
	return 0;
}

static int wait_lock(struct inode *inode, struct file_lock **fresh, struct file_lock **spare,
		     const void *holder)
{
	bool detect = !(*fresh)->flock && !(*fresh)->ofd;
	struct waiter me = { .owner = (*fresh)->owner, .holder = holder };
	int err;

	for (;;) {
		uint32_t ticket = wait_prepare(&lock_waits);

		err = try_lock(inode, fresh, spare, &me.holder);
		if (err == -EAGAIN && detect && !enter_waiter(&me))
			err = -EDEADLK;
		if (err == -EAGAIN) {
			wait_sleep(&lock_waits, ticket, 0);
			if (detect)
				leave_waiter(&me);
		}
		wait_finish(&lock_waits);
		if (err != -EAGAIN)
			return err;
	}
}

static int set_lock(struct inode *inode, const struct file_lock *want, bool wait)
{
	struct file_lock *fresh = kmalloc(sizeof(*fresh), GFP_KERNEL);
	struct file_lock *spare = kmalloc(sizeof(*spare), GFP_KERNEL);
	const void *holder = NULL;
	int err = -ENOLCK;

	if (fresh && spare) {
		*fresh = *want;
		err = try_lock(inode, &fresh, &spare, &holder);
		if (err == -EAGAIN && wait)
			err = wait_lock(inode, &fresh, &spare, holder);
	}
	kfree(fresh);
	kfree(spare);
	return err;
}

static void drop_all(struct inode *inode, const void *owner, int flock)
{
	struct file_lock **p, *l, *dead = NULL;

	spin_lock(&inode->i_lock);
	p = &inode->i_flock;
	while ((l = *p)) {
		if (l->owner != owner || (flock >= 0 && l->flock != flock)) {
			p = &l->next;
			continue;
		}
		WRITE_ONCE(*p, l->next);
		l->next = dead;
		dead = l;
	}
	spin_unlock(&inode->i_lock);
	if (dead) {
		free_locks(dead);
		wake_up(&lock_waits);
	}
}

void locks_remove_posix(struct file *file, const void *owner)
{
	drop_all(file->f_inode, owner, false);
}

void locks_remove_file(struct file *file)
{
	drop_all(file->f_inode, file, -1);
}

/* ---- fcntl -------------------------------------------------------------------------------------- */

/* struct flock to a range. 0, -EINVAL, -EOVERFLOW. */
static int range_of(struct file *file, const struct flock *f, struct file_lock *lock)
{
	sw_loff_t start, end;
	int err = whence_pos(file, f->l_start, f->l_whence, &start);

	if (err)
		return err;
	if (start < 0)
		return -EINVAL;
	end = INT64_MAX;
	if (f->l_len > 0) {
		if (__builtin_add_overflow(start, (sw_loff_t)f->l_len - 1, &end))
			return -EOVERFLOW;
	} else if (f->l_len < 0) {
		end = start - 1;
		start += f->l_len;
		if (start < 0)
			return -EINVAL;
	}
	lock->start = start;
	lock->end = end;
	return 0;
}

static int make_lock(struct file *file, const struct flock *f, bool ofd, struct file_lock *lock)
{
	if (f->l_type != F_RDLCK && f->l_type != F_WRLCK && f->l_type != F_UNLCK)
		return -EINVAL;
	if (ofd && f->l_pid)
		return -EINVAL;
	*lock = (struct file_lock){
		.type = f->l_type,
		.ofd = ofd,
		.owner = ofd ? (const void *)file :
			       (const void *)atomic_load(&current_task()->files),
		.pid = ofd ? -1 : getpid(),
	};
	return range_of(file, f, lock);
}

static int fcntl_getlk(struct file *file, struct flock *f, bool ofd)
{
	struct file_lock want, *other;
	int err = f->l_type == F_UNLCK ? -EINVAL : make_lock(file, f, ofd, &want);

	if (err)
		return err;
	spin_lock(&file->f_inode->i_lock);
	other = find_conflict(file->f_inode, &want);
	if (other) {
		f->l_type = other->type;
		f->l_whence = SEEK_SET;
		f->l_start = other->start;
		f->l_len = other->end == INT64_MAX ? 0 : other->end - other->start + 1;
		f->l_pid = other->pid;
	} else {
		f->l_type = F_UNLCK;
	}
	spin_unlock(&file->f_inode->i_lock);
	return 0;
}

static int fcntl_setlk(unsigned int fd, struct file *file, const struct flock *f, bool ofd,
		       bool wait)
{
	struct file_lock want;
	int err = make_lock(file, f, ofd, &want);

	if (err)
		return err;
	if ((want.type == F_RDLCK && !(file->f_mode & FMODE_READ)) ||
	    (want.type == F_WRLCK && !(file->f_mode & FMODE_WRITE)))
		return -EBADF;
	err = set_lock(file->f_inode, &want, wait);
	/* A close of the number meanwhile has dropped our task's locks before this one was there. */
	if (!err && want.type != F_UNLCK && !ofd) {
		bool closed;

		rcu_read_lock();
		closed = fd_peek(fd) != file;
		rcu_read_unlock();
		if (closed) {
			locks_remove_posix(file, want.owner);
			err = -EBADF;
		}
	}
	return err;
}

#define SETFL_BITS (O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME)

static int fcntl_setfl(struct file *file, unsigned int arg)
{
	unsigned int old = atomic_load(&file->f_flags), new;
	const struct address_space_operations *a_ops = file->f_mapping->a_ops;

	if (old & ~arg & O_APPEND && file->f_inode->i_flags & S_APPEND)
		return -EPERM;
	if (arg & ~old & O_NOATIME && !inode_owner_or_capable(file->f_inode))
		return -EPERM;
	if (arg & O_DIRECT && !(a_ops && a_ops->direct_IO))
		return -EINVAL;
	do {
		new = (old & ~(unsigned int)SETFL_BITS) | (arg & SETFL_BITS);
	} while (!atomic_compare_exchange_weak(&file->f_flags, &old, new));
	return 0;
}

static int fcntl_file(int fd, struct file *file, int cmd, unsigned long arg)
{
	void *p = (void *)arg;

	if (cmd == F_GETFL)
		return (int)atomic_load(&file->f_flags) & ~O_CLOEXEC;
	if (file->f_mode & FMODE_PATH)
		return -EBADF;
	switch (cmd) {
	case F_SETFL:
		return fcntl_setfl(file, (unsigned int)arg);
	case F_GETLK:
		return fcntl_getlk(file, p, false);
	case F_SETLK:
	case F_SETLKW:
		return fcntl_setlk((unsigned int)fd, file, p, false, cmd == F_SETLKW);
	case F_OFD_GETLK:
		return fcntl_getlk(file, p, true);
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		return fcntl_setlk((unsigned int)fd, file, p, true, cmd == F_OFD_SETLKW);
	}
	return -EINVAL;
}

int sw_fs_fcntl(int fd, int cmd, unsigned long arg)
{
	struct file *file;
	int err;

	switch (cmd) {
	case F_DUPFD:
		return fd_dupfd(fd, arg, 0);
	case F_DUPFD_CLOEXEC:
		return fd_dupfd(fd, arg, O_CLOEXEC);
	case F_GETFD:
		return fd_get_cloexec((unsigned int)fd);
	case F_SETFD:
		return fd_set_cloexec((unsigned int)fd, arg & FD_CLOEXEC);
	}
	file = fget_raw((unsigned int)fd);
	if (!file)
		return -EBADF;
	err = fcntl_file(fd, file, cmd, arg);
	__fput_sync(file);
	return err;
}

/* ---- flock ----------------------------------------------------------------------------------------- */

int sw_fs_flock(int fd, int operation)
{
	struct file_lock want = { .flock = true, .end = INT64_MAX };
	struct file *file;
	int err;

	switch (operation & ~LOCK_NB) {
	case LOCK_SH:
		want.type = F_RDLCK;
		break;
	case LOCK_EX:
		want.type = F_WRLCK;
		break;
	case LOCK_UN:
		want.type = F_UNLCK;
		break;
	default:
		return -EINVAL;
	}
	file = fget((unsigned int)fd);
	if (!file)
		return -EBADF;
	want.owner = file;
	err = set_lock(file->f_inode, &want, !(operation & LOCK_NB));
	__fput_sync(file);
	return err;
}

void locks_fork(bool lock)
{
	lock ? spin_lock(&waiters_lock) : spin_unlock(&waiters_lock);
}
