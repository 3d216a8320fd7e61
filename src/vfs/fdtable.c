/* SPDX-License-Identifier: MIT */
/*
 * fdtable.c - numbers to files
 *
 * Room: vfs. Door: sw_fs_close_range(), sw_fs_dup*(); the rest of the room takes fget() and fd_install().
 *
 * A files_struct begins with room for 64 numbers inside and grows by doubling; readers look at the table under
 * RCU, so an old one is freed after a grace period. Three bitmaps: a bit set in open_fds is a number in use
 * (or promised by alloc_fd()), close_on_exec, and full_fds_bits, in which a bit stands for a full
 * word of open_fds: the lowest free number is found in two steps however many are open.
 *
 * Invariants (file_lock)
 *   1. fd[n] set ⇒ bit n of open_fds is set.
 *   2. No number below next_fd is free.
 *   3. close_on_exec[n] ⇒ open_fds[n].
 *
 * fget(): file from the table, count + 1 unless 0, and look again: files are type-safe under RCU.
 */

#include <linux/close_range.h>

#include "vfs/vfs_internal.h"

#include "lib/bitmap.h"

static struct kmem_cache *files_cachep;

int fdtable_init(void)
{
	files_cachep = kmem_cache_create("files_cache", sizeof(struct files_struct), 0,
					 SLAB_HWCACHE_ALIGN, NULL);
	return files_cachep ? 0 : -ENOMEM;
}

static struct files_struct *current_files(void)
{
	return atomic_load_explicit(&current_task()->files, memory_order_acquire);
}

static struct fdtable *files_fdtable(struct files_struct *files)
{
	return atomic_load_explicit(&files->fdt, memory_order_acquire);
}

/* ---- tables -------------------------------------------------------------------------- */

struct files_struct *files_create(void)
{
	struct files_struct *files = kmem_cache_zalloc(files_cachep, GFP_KERNEL);

	if (!files)
		return NULL;
	atomic_init(&files->count, 1);
	files->fdtab.max_fds = NR_OPEN_DEFAULT;
	files->fdtab.fd = files->fd_array;
	files->fdtab.open_fds = &files->bits_init[0];
	files->fdtab.close_on_exec = &files->bits_init[1];
	files->fdtab.full_fds_bits = &files->bits_init[2];
	atomic_init(&files->fdt, &files->fdtab);
	return files;
}

static struct fdtable *fdtable_create(unsigned int max)
{
	size_t bits = BITS_TO_LONGS(max) * sizeof(long);
	size_t full = BITS_TO_LONGS(max / 64) * sizeof(long);
	struct fdtable *fdt = kzalloc(sizeof(*fdt), GFP_KERNEL);
	char *mem;

	if (!fdt)
		return NULL;
	mem = kvzalloc(max * sizeof(fdt->fd[0]) + 2 * bits + full, GFP_KERNEL);
	if (!mem) {
		kfree(fdt);
		return NULL;
	}
	fdt->max_fds = max;
	fdt->fd = (void *)mem;
	mem += max * sizeof(fdt->fd[0]);
	fdt->open_fds = (void *)mem;
	fdt->close_on_exec = (void *)(mem + bits);
	fdt->full_fds_bits = (void *)(mem + 2 * bits);
	return fdt;
}

static void fdtable_free(struct fdtable *fdt)
{
	kvfree((void *)fdt->fd);
	kfree(fdt);
}

static void fdtable_free_rcu(struct rcu_head *head)
{
	fdtable_free(container_of(head, struct fdtable, rcu));
}

static void fdtable_copy(struct fdtable *to, const struct fdtable *from)
{
	unsigned int words = from->max_fds / 64;

	for (unsigned int i = 0; i < from->max_fds; i++)
		atomic_store_explicit(&to->fd[i],
				      atomic_load_explicit(&from->fd[i], memory_order_relaxed),
				      memory_order_relaxed);
	memcpy(to->open_fds, from->open_fds, words * sizeof(long));
	memcpy(to->close_on_exec, from->close_on_exec, words * sizeof(long));
	memcpy(to->full_fds_bits, from->full_fds_bits, BITS_TO_LONGS(words) * sizeof(long));
}

/* file_lock held, dropped and taken again. 0: there is room for @nr now, or somebody made some. */
static int expand_files(struct files_struct *files, unsigned int nr)
{
	struct fdtable *old, *new;
	unsigned int max = NR_OPEN_DEFAULT;

	if (nr >= NR_OPEN_MAX)
		return -EMFILE;
	while (max <= nr)
		max *= 2;
	spin_unlock(&files->file_lock);
	new = fdtable_create(max);
	spin_lock(&files->file_lock);
	if (!new)
		return -ENOMEM;
	old = files_fdtable(files);
	if (old->max_fds >= max) {
		fdtable_free(new);
		return 0;
	}
	fdtable_copy(new, old);
	atomic_store_explicit(&files->fdt, new, memory_order_release);
	if (old != &files->fdtab)
		call_rcu(&old->rcu, fdtable_free_rcu);
	return 0;
}

/* What fork(2) does: the same files under the same numbers. */
struct files_struct *files_dup(struct files_struct *from)
{
	struct files_struct *files = files_create();
	struct fdtable *fdt, *old;

	if (!files)
		return NULL;
	spin_lock(&from->file_lock);
	old = files_fdtable(from);
	while (old->max_fds > files_fdtable(files)->max_fds) {
		unsigned int max = old->max_fds;

		spin_unlock(&from->file_lock);
		spin_lock(&files->file_lock);
		if (expand_files(files, max - 1)) {
			spin_unlock(&files->file_lock);
			files_put(files);
			return NULL;
		}
		spin_unlock(&files->file_lock);
		spin_lock(&from->file_lock);
		old = files_fdtable(from);
	}
	fdt = files_fdtable(files);
	fdtable_copy(fdt, old);
	files->next_fd = from->next_fd;
	for (unsigned int i = 0; i < old->max_fds; i++) {
		struct file *file = atomic_load_explicit(&fdt->fd[i], memory_order_relaxed);

		if (file) {
			get_file(file);
		} else if (test_bit(i,
				    fdt->open_fds)) { /* promised to an open that is still at it */
			__clear_bit(i, fdt->open_fds);
			__clear_bit(i / 64, fdt->full_fds_bits);
			if (i < files->next_fd)
				files->next_fd = i;
		}
	}
	spin_unlock(&from->file_lock);
	return files;
}

static void files_free(struct files_struct *files)
{
	struct fdtable *fdt = files_fdtable(files);

	for (unsigned int i = 0; i < fdt->max_fds; i++) {
		struct file *file = atomic_exchange(&fdt->fd[i], NULL);

		if (file)
			filp_close(file, files);
	}
	if (fdt != &files->fdtab)
		call_rcu(&fdt->rcu, fdtable_free_rcu);
	synchronize_rcu(); /* readers of the table inside */
	kmem_cache_free(files_cachep, files);
}

void files_put(struct files_struct *files)
{
	if (atomic_fetch_sub(&files->count, 1) == 1)
		files_free(files);
}

/* ---- numbers ---------------------------------------------------------------------------- */

static inline unsigned int find_next_fd(const struct fdtable *fdt, unsigned int start)
{
	unsigned int words = fdt->max_fds / 64, word = start / 64;
	unsigned long free = ~fdt->open_fds[word] & (~0ul << (start % 64));

	if (free)
		return word * 64 + (unsigned int)__builtin_ctzl(free);
	for (word++; word < words; word++) {
		unsigned long full = ~fdt->full_fds_bits[word / 64] & (~0ul << (word % 64));

		if (!full) {
			word |= 63;
			continue;
		}
		word = (word & ~63u) + (unsigned int)__builtin_ctzl(full);
		if (word >= words)
			break;
		return word * 64 + (unsigned int)__builtin_ctzl(~fdt->open_fds[word]);
	}
	return fdt->max_fds;
}

/* Words that say it already are not stored to. */
static inline void __set_open_fd(struct fdtable *fdt, unsigned int fd, bool cloexec)
{
	unsigned long bit = 1ul << (fd % 64), open = fdt->open_fds[fd / 64] | bit;

	fdt->open_fds[fd / 64] = open;
	if (unlikely(!~open))
		__set_bit(fd / 64, fdt->full_fds_bits);
	if (unlikely(cloexec))
		fdt->close_on_exec[fd / 64] |= bit;
	else if (unlikely(fdt->close_on_exec[fd / 64] & bit))
		fdt->close_on_exec[fd / 64] &= ~bit;
}

static inline void __put_unused_fd(struct files_struct *files, unsigned int fd)
{
	struct fdtable *fdt = files_fdtable(files);
	unsigned long bit = 1ul << (fd % 64), open = fdt->open_fds[fd / 64];

	if (unlikely(fdt->close_on_exec[fd / 64] & bit))
		fdt->close_on_exec[fd / 64] &= ~bit;
	fdt->open_fds[fd / 64] = open & ~bit;
	if (unlikely(!~open))
		__clear_bit(fd / 64, fdt->full_fds_bits);
	if (fd < files->next_fd)
		files->next_fd = fd;
}

/* file_lock held. The number is marked used. */
static inline int __alloc_fd(struct files_struct *files, unsigned int start, unsigned int end,
			     int flags)
{
	for (;;) {
		struct fdtable *fdt = files_fdtable(files);
		unsigned int fd = start > files->next_fd ? start : files->next_fd;
		int err;

		if (fd < fdt->max_fds)
			fd = find_next_fd(fdt, fd);
		if (fd >= end)
			return -EMFILE;
		if (likely(fd < fdt->max_fds)) {
			__set_open_fd(fdt, fd, flags & O_CLOEXEC);
			if (start <= files->next_fd)
				files->next_fd = fd + 1;
			return (int)fd;
		}
		err = expand_files(files, fd);
		if (err)
			return err;
	}
}

int alloc_fd(unsigned int start, unsigned int end, int flags)
{
	struct files_struct *files = current_files();
	int fd;

	if (!files)
		return -EMFILE;
	spin_lock(&files->file_lock);
	fd = __alloc_fd(files, start, end, flags);
	spin_unlock(&files->file_lock);
	return fd;
}

/* alloc_fd() and fd_install() under one lock: the lowest number >= @start. Consumes the reference unless it fails. */
int fd_alloc_install(unsigned int start, struct file *file, int flags)
{
	struct files_struct *files = current_files();
	int fd;

	if (!files)
		return -EMFILE;
	spin_lock(&files->file_lock);
	fd = __alloc_fd(files, start, NR_OPEN_MAX, flags);
	if (likely(fd >= 0))
		atomic_store_explicit(&files_fdtable(files)->fd[fd], file, memory_order_release);
	spin_unlock(&files->file_lock);
	return fd;
}

void put_unused_fd(unsigned int fd)
{
	struct files_struct *files = current_files();

	spin_lock(&files->file_lock);
	__put_unused_fd(files, fd);
	spin_unlock(&files->file_lock);
}

void fd_install(unsigned int fd, struct file *file)
{
	struct files_struct *files = current_files();

	/* The lock keeps the table from being replaced between look and store. */
	spin_lock(&files->file_lock);
	atomic_store_explicit(&files_fdtable(files)->fd[fd], file, memory_order_release);
	spin_unlock(&files->file_lock);
}

static inline struct file *__file_close_fd(struct files_struct *files, unsigned int fd)
{
	struct fdtable *fdt = files_fdtable(files);
	struct file *file;

	if (fd >= fdt->max_fds)
		return NULL;
	file = atomic_load_explicit(&fdt->fd[fd], memory_order_relaxed);
	if (!file)
		return NULL;
	atomic_store_explicit(&fdt->fd[fd], NULL, memory_order_release);
	__put_unused_fd(files, fd);
	return file;
}

struct file *file_close_fd(unsigned int fd)
{
	struct files_struct *files = current_files();
	struct file *file;

	if (!files)
		return NULL;
	spin_lock(&files->file_lock);
	file = __file_close_fd(files, fd);
	spin_unlock(&files->file_lock);
	return file;
}

/* ---- looking up ------------------------------------------------------------------------------ */

static struct file *__fget(unsigned int fd, fmode_t refused)
{
	struct file *file;

	rcu_read_lock();
	for (;;) {
		long n;

		file = fd_peek(fd);
		if (!file)
			break;
		n = atomic_load_explicit(&file->f_count, memory_order_relaxed);
		while (n > 0 && !atomic_compare_exchange_weak_explicit(&file->f_count, &n, n + 1,
								       memory_order_acquire,
								       memory_order_relaxed))
			;
		if (n <= 0)
			continue; /* closed meanwhile: the table says something else now */
		if (fd_peek(fd) == file)
			break;
		fput(file);
	}
	rcu_read_unlock();
	if (file && READ_ONCE(file->f_mode) & refused) {
		fput(file);
		file = NULL;
	}
	return file;
}

struct file *fget(unsigned int fd)
{
	return __fget(fd, FMODE_PATH);
}

struct file *fget_raw(unsigned int fd)
{
	return __fget(fd, 0);
}

/* ---- calls --------------------------------------------------------------------------------------- */

static int close_file(struct file *file)
{
	int err = filp_flush(file, current_files());

	__fput_sync(file);
	return err;
}

int sw_fs_close(int fd)
{
	struct file *file = file_close_fd((unsigned int)fd);

	return likely(file != NULL) ? close_file(file) : -EBADF;
}

int sw_fs_close_range(unsigned int first, unsigned int last, unsigned int flags)
{
	struct files_struct *files = current_files();

	if (flags & ~(unsigned int)CLOSE_RANGE_CLOEXEC || first > last)
		return -EINVAL;
	if (!files)
		return 0;
	for (unsigned int fd = first; fd <= last && fd < files_fdtable(files)->max_fds; fd++) {
		struct file *file = NULL;

		spin_lock(&files->file_lock);
		if (!(flags & CLOSE_RANGE_CLOEXEC))
			file = __file_close_fd(files, fd);
		else if (test_bit(fd, files_fdtable(files)->open_fds))
			__set_bit(fd, files_fdtable(files)->close_on_exec);
		spin_unlock(&files->file_lock);
		if (file)
			close_file(file);
		if (fd == ~0u)
			break;
	}
	return 0;
}

void sw_fs_task_exec(void)
{
	struct files_struct *files = current_files();

	if (!files)
		return;
	for (unsigned int fd = 0; fd < files_fdtable(files)->max_fds; fd++) {
		struct file *file = NULL;

		spin_lock(&files->file_lock);
		if (test_bit(fd, files_fdtable(files)->close_on_exec))
			file = __file_close_fd(files, fd);
		spin_unlock(&files->file_lock);
		if (file)
			close_file(file);
	}
}

static int dup_from(unsigned int fd, unsigned int start, int flags)
{
	struct file *file = fget_raw(fd);
	int new;

	if (!file)
		return -EBADF;
	new = fd_alloc_install(start, file, flags);
	if (new < 0)
		__fput_sync(file);
	return new;
}

int sw_fs_dup(int fd)
{
	return dup_from((unsigned int)fd, 0, 0);
}

/* fcntl(F_DUPFD), F_DUPFD_CLOEXEC. */
int fd_dupfd(int fd, unsigned long from, int flags)
{
	if (from >= NR_OPEN_MAX)
		return -EINVAL;
	return dup_from((unsigned int)fd, (unsigned int)from, flags);
}

/* The reference of @file goes into the table; what was there comes out. -EBUSY: promised to an open. */
static int replace_fd(unsigned int fd, struct file *file, int flags, struct file **old)
{
	struct files_struct *files = current_files();
	struct fdtable *fdt;
	int err = 0;

	spin_lock(&files->file_lock);
	while (!err && fd >= files_fdtable(files)->max_fds)
		err = expand_files(files, fd);
	fdt = files_fdtable(files);
	if (!err) {
		*old = atomic_load_explicit(&fdt->fd[fd], memory_order_relaxed);
		if (!*old && test_bit(fd, fdt->open_fds))
			err = -EBUSY;
	}
	if (!err) {
		atomic_store_explicit(&fdt->fd[fd], file, memory_order_release);
		__set_open_fd(fdt, fd, flags & O_CLOEXEC);
		if (fd == files->next_fd)
			files->next_fd++;
	}
	spin_unlock(&files->file_lock);
	return err == -EMFILE ? -EBADF : err;
}

static int dup_to(int fd, int newfd, int flags)
{
	struct file *file, *old = NULL;
	int err;

	if (newfd < 0 || newfd >= NR_OPEN_MAX)
		return -EBADF;
	file = fget_raw((unsigned int)fd);
	if (!file)
		return -EBADF;
	err = replace_fd((unsigned int)newfd, file, flags, &old);
	if (err) {
		__fput_sync(file);
		return err;
	}
	if (old)
		close_file(old);
	return newfd;
}

int sw_fs_dup2(int fd, int newfd)
{
	if (fd == newfd) {
		struct file *file = fget_raw((unsigned int)fd);

		if (!file)
			return -EBADF;
		__fput_sync(file);
		return newfd;
	}
	return dup_to(fd, newfd, 0);
}

int sw_fs_dup3(int fd, int newfd, int flags)
{
	if (flags & ~O_CLOEXEC || fd == newfd)
		return -EINVAL;
	return dup_to(fd, newfd, flags);
}

/* fcntl(F_GETFD), F_SETFD. */
int fd_get_cloexec(unsigned int fd)
{
	struct files_struct *files = current_files();
	int set = -EBADF;

	if (!files)
		return -EBADF;
	spin_lock(&files->file_lock);
	if (fd_peek(fd))
		set = test_bit(fd, files_fdtable(files)->close_on_exec) ? FD_CLOEXEC : 0;
	spin_unlock(&files->file_lock);
	return set;
}

int fd_set_cloexec(unsigned int fd, bool set)
{
	struct files_struct *files = current_files();
	int err = -EBADF;

	if (!files)
		return -EBADF;
	spin_lock(&files->file_lock);
	if (fd_peek(fd)) {
		__set_open_fd(files_fdtable(files), fd, set);
		err = 0;
	}
	spin_unlock(&files->file_lock);
	return err;
}
