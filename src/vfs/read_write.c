/* SPDX-License-Identifier: MIT */
/*
 * read_write.c - data through descriptors
 *
 * Room: vfs. Door: sw_fs_read() and kin, vfs_read() and kin, sw_fs_page_pin().
 *
 * A pread() of a file whose open said FMODE_CACHE_HIT and whose atime is fresh is tried within one RCU
 * section: table, file, mapping, pages, and the table once more; nothing is counted. A pwrite() over what a tmpfs
 * file has is tried likewise, with no more than i_rwsem. Everything else takes a reference of the file and goes
 * through ->read_iter, ->write_iter.
 *
 * Limits as in Linux: a call moves MAX_RW_COUNT bytes at most; offsets are not negative and do not pass INT64_MAX.
 */

#include <limits.h>

#include "cache/hit.h"
#include "vfs/vfs_internal.h"

#define MAX_RW_COUNT 0x7ffff000UL
#define FAST_IOV     8
#ifndef IOV_MAX
#define IOV_MAX 1024
#endif

/* ---- one file --------------------------------------------------------------------- */

/* 0, or what is wrong with reading or writing there. */
static int check_area(const struct file *file, fmode_t want, sw_loff_t pos, size_t count)
{
	if (!(file->f_mode & want))
		return -EBADF;
	if ((ssize_t)count < 0 || pos < 0 || pos > INT64_MAX - (sw_loff_t)count)
		return -EINVAL;
	return S_ISDIR(file->f_inode->i_mode) ? -EISDIR : 0;
}

static size_t clamp_count(size_t count, sw_loff_t pos)
{
	if (count > MAX_RW_COUNT)
		count = MAX_RW_COUNT;
	if ((uint64_t)count > (uint64_t)(INT64_MAX - pos))
		count = (size_t)(INT64_MAX - pos);
	return count;
}

static int iocb_flags(const struct file *file)
{
	unsigned int flags =
		atomic_load_explicit(&((struct file *)file)->f_flags, memory_order_relaxed);
	int ki = 0;

	if (likely(!(flags & (O_APPEND | O_DIRECT | O_SYNC))))
		return 0;
	if (flags & O_APPEND)
		ki |= IOCB_APPEND;
	if (flags & O_DIRECT)
		ki |= IOCB_DIRECT;
	if (flags & O_DSYNC)
		ki |= IOCB_DSYNC;
	if ((flags & O_SYNC) == O_SYNC)
		ki |= IOCB_SYNC;
	return ki;
}

/* What ->read_iter and ->write_iter have in common: @iter at *@pos, which moves by what came of it. */
static ssize_t iter_rw(struct file *file, struct iov_iter *iter, sw_loff_t *pos, bool write)
{
	ssize_t (*rw)(struct kiocb * iocb, struct iov_iter * iter) =
		write ? file->f_op->write_iter : file->f_op->read_iter;
	size_t count = iov_iter_count(iter);
	struct kiocb iocb;
	ssize_t n = check_area(file, write ? FMODE_WRITE : FMODE_READ, *pos, count);

	if (n)
		return n;
	if (!rw)
		return -EINVAL;
	if (!count)
		return 0;
	iter->count = clamp_count(count, *pos);
	if (!iter->count)
		return write ? -EFBIG : 0;
	init_sync_kiocb(&iocb, file);
	iocb.ki_pos = *pos;
	iocb.ki_flags = iocb_flags(file) | (write ? IOCB_WRITE : 0);
	n = rw(&iocb, iter);
	if (n >= 0)
		*pos = iocb.ki_pos;
	return n;
}

ssize_t vfs_iter_read(struct file *file, struct iov_iter *iter, sw_loff_t *pos)
{
	return iter_rw(file, iter, pos, false);
}

ssize_t vfs_iter_write(struct file *file, struct iov_iter *iter, sw_loff_t *pos)
{
	return iter_rw(file, iter, pos, true);
}

/**
 * vfs_read() - up to @count bytes at *@pos, which moves
 *
 * Return: bytes, 0 at the end; -EBADF (not open for it), -EISDIR, -EINVAL, and what the file system says.
 */
ssize_t vfs_read(struct file *file, char *buf, size_t count, sw_loff_t *pos)
{
	struct iov_iter iter;
	ssize_t n;

	if (likely(!file->f_op->read)) {
		iov_iter_ubuf(&iter, ITER_DEST, buf, count);
		return vfs_iter_read(file, &iter, pos);
	}
	n = check_area(file, FMODE_READ, *pos, count);
	return n ? n : file->f_op->read(file, buf, clamp_count(count, *pos), pos);
}

/** vfs_write() - the same for writing; O_APPEND is the file system's (generic_file_write_iter()) */
ssize_t vfs_write(struct file *file, const char *buf, size_t count, sw_loff_t *pos)
{
	struct iov_iter iter;
	ssize_t n;

	if (likely(!file->f_op->write)) {
		iov_iter_ubuf(&iter, ITER_SOURCE, (char *)buf, count);
		return vfs_iter_write(file, &iter, pos);
	}
	n = check_area(file, FMODE_WRITE, *pos, count);
	return n ? n : file->f_op->write(file, buf, clamp_count(count, *pos), pos);
}

/* ---- writing through the cache ---------------------------------------------------------- */

/* i_rwsem held: where it goes, and how much may go there. */
static ssize_t write_checks(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	sw_loff_t max = inode->i_sb->s_maxbytes;

	if (!iov_iter_count(from))
		return 0;
	if (iocb->ki_flags & IOCB_APPEND)
		iocb->ki_pos = i_size_read(inode);
	if (iocb->ki_pos >= max)
		return -EFBIG;
	if ((sw_loff_t)from->count > max - iocb->ki_pos)
		from->count = (size_t)(max - iocb->ki_pos);
	return (ssize_t)from->count;
}

static ssize_t write_sync(struct kiocb *iocb, ssize_t written)
{
	int err;

	if (!(iocb->ki_flags & (IOCB_DSYNC | IOCB_SYNC)) || written <= 0)
		return written;
	err = vfs_fsync_range(iocb->ki_filp, iocb->ki_pos - written, iocb->ki_pos - 1,
			      !(iocb->ki_flags & IOCB_SYNC));
	return err ? err : written;
}

ssize_t generic_file_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	sw_loff_t old_size;
	ssize_t n;

	inode_lock(inode);
	old_size = i_size_read(inode);
	n = write_checks(iocb, from);
	if (n > 0) {
		int err = file_remove_privs(iocb->ki_filp);

		if (!err)
			err = file_update_time(iocb->ki_filp);
		if (err)
			n = err;
		else if (iocb->ki_flags & IOCB_DIRECT)
			n = inode->i_mapping->a_ops->direct_IO(iocb, from);
		else
			n = generic_perform_write(iocb, from);
	}
	if (n > 0 && iocb->ki_pos > old_size)
		vfs_mapping_changed(inode->i_mapping, old_size);
	inode_unlock(inode);
	if (n > 0) {
		balance_dirty_pages_ratelimited(inode->i_mapping);
		n = write_sync(iocb, n);
	}
	return n;
}

/* ---- calls ----------------------------------------------------------------------------------- */

/* -EAGAIN: go the long way. */
static ssize_t pread_hit(unsigned int fd, void *buf, size_t count, sw_loff_t pos)
{
	ssize_t n = -EAGAIN;
	struct file *file;

	rcu_read_lock();
	file = fd_peek(fd);
	if (likely(file && READ_ONCE(file->f_mode) & FMODE_CACHE_HIT)) {
		struct address_space *mapping = READ_ONCE(file->f_mapping);
		struct inode *inode = READ_ONCE(file->f_inode);

		if (likely(mapping && inode &&
			   atomic_load_explicit(&inode->i_state, memory_order_relaxed) &
				   I_ATIME_FRESH))
			n = hit_read(mapping, pos, buf, count);
		/* Closed and opened again it may be the same memory, and the inode's another inode: whose bytes? */
		if (unlikely(!fd_still(fd, file) || !(READ_ONCE(file->f_mode) & FMODE_READ) ||
			     READ_ONCE(file->f_mapping) != mapping))
			n = -EAGAIN;
	}
	rcu_read_unlock();
	return n;
}

static ssize_t pread_slow(int fd, void *buf, size_t count, int64_t pos)
{
	struct file *file;
	ssize_t n;

	if (pos < 0)
		return -EINVAL;
	file = fget((unsigned int)fd);
	if (!file)
		return -EBADF;
	n = file->f_mode & FMODE_PREAD ? vfs_read(file, buf, count, &pos) : -ESPIPE;
	__fput_sync(file);
	return n;
}

ssize_t sw_fs_pread(int fd, void *buf, size_t count, int64_t pos)
{
	/* count - 1: no bytes is for the long way, too; so is what does not fit below the largest offset. */
	if (likely((uint64_t)pos <= INT64_MAX - MAX_RW_COUNT && count - 1 < MAX_RW_COUNT)) {
		ssize_t n = pread_hit((unsigned int)fd, buf, count, pos);

		if (likely(n != -EAGAIN))
			return n;
	}
	return pread_slow(fd, buf, count, pos);
}

/*
 * -EAGAIN: go the long way. The file is not counted, only its inode is locked, which may have become another's before that:
 * the file, found open again on this inode once that is done, was open while we held the lock, and the last iput() waits
 * for the lock (evict()).
 */
static ssize_t pwrite_hit(unsigned int fd, const void *buf, size_t count, sw_loff_t pos)
{
	const fmode_t mode = FMODE_CACHE_HIT | FMODE_WRITE | FMODE_PWRITE;
	ssize_t n = -EAGAIN;
	struct inode *inode;
	struct file *file;

	rcu_read_lock();
	file = fd_peek(fd);
	if (unlikely(!file))
		goto unlock;
	inode = READ_ONCE(file->f_inode);
	if (unlikely(!inode || !mapping_test(READ_ONCE(inode->i_mapping), AS_OVERWRITE_IN_PLACE) ||
		     !down_write_trylock(&inode->i_rwsem)))
		goto unlock;
	smp_mb__after_atomic(); /* Partner: evict(). */
	/* Before the number is asked for again and after it: it may have been closed and opened meanwhile. */
	if (likely((READ_ONCE(file->f_mode) & mode) == mode && !iocb_flags(file) &&
		   READ_ONCE(file->f_inode) == inode && fd_still(fd, file) &&
		   (READ_ONCE(file->f_mode) & mode) == mode && !inode_write_tells(inode)))
		n = hit_write(inode->i_mapping, pos, buf, count);
	inode_unlock(inode);
unlock:
	rcu_read_unlock();
	return n;
}

static ssize_t pwrite_slow(int fd, const void *buf, size_t count, int64_t pos)
{
	struct file *file;
	ssize_t n;

	if (pos < 0)
		return -EINVAL;
	file = fget((unsigned int)fd);
	if (!file)
		return -EBADF;
	n = file->f_mode & FMODE_PWRITE ? vfs_write(file, buf, count, &pos) : -ESPIPE;
	__fput_sync(file);
	return n;
}

ssize_t sw_fs_pwrite(int fd, const void *buf, size_t count, int64_t pos)
{
	if (likely((uint64_t)pos <= INT64_MAX - MAX_RW_COUNT && count - 1 < MAX_RW_COUNT)) {
		ssize_t n = pwrite_hit((unsigned int)fd, buf, count, pos);

		if (likely(n != -EAGAIN))
			return n;
	}
	return pwrite_slow(fd, buf, count, pos);
}

ssize_t sw_fs_read(int fd, void *buf, size_t count)
{
	struct file *file = fget((unsigned int)fd);
	bool locked;
	ssize_t n;

	if (!file)
		return -EBADF;
	locked = file_pos_lock(file);
	n = vfs_read(file, buf, count, &file->f_pos);
	file_pos_unlock(file, locked);
	__fput_sync(file);
	return n;
}

ssize_t sw_fs_write(int fd, const void *buf, size_t count)
{
	struct file *file = fget((unsigned int)fd);
	bool locked;
	ssize_t n;

	if (!file)
		return -EBADF;
	locked = file_pos_lock(file);
	n = vfs_write(file, buf, count, &file->f_pos);
	file_pos_unlock(file, locked);
	__fput_sync(file);
	return n;
}

/* Bytes of the vector, cut to what one call moves. -EINVAL. */
static ssize_t check_iov(const struct iovec *iov, int n)
{
	size_t total = 0;

	if (n < 0 || n > IOV_MAX)
		return -EINVAL;
	for (int i = 0; i < n; i++) {
		if ((ssize_t)iov[i].iov_len < 0)
			return -EINVAL;
		if (iov[i].iov_len > MAX_RW_COUNT - total)
			total = MAX_RW_COUNT;
		else
			total += iov[i].iov_len;
	}
	return (ssize_t)total;
}

/* pos NULL: at the file's own. */
static ssize_t do_rwv(int fd, const struct iovec *iov, int iovcnt, sw_loff_t *at, bool write)
{
	ssize_t n = check_iov(iov, iovcnt);
	struct iov_iter iter;
	struct file *file;
	bool locked = false;

	file = fget((unsigned int)fd);
	if (!file)
		return -EBADF;
	if (n >= 0 && at && !(file->f_mode & (write ? FMODE_PWRITE : FMODE_PREAD)))
		n = -ESPIPE;
	if (n >= 0) {
		iov_iter_init(&iter, write ? ITER_SOURCE : ITER_DEST, iov, (unsigned long)iovcnt,
			      (size_t)n);
		if (!at)
			locked = file_pos_lock(file);
		n = write ? vfs_iter_write(file, &iter, at ? at : &file->f_pos) :
			    vfs_iter_read(file, &iter, at ? at : &file->f_pos);
		file_pos_unlock(file, locked);
	}
	__fput_sync(file);
	return n;
}

ssize_t sw_fs_readv(int fd, const struct iovec *iov, int iovcnt)
{
	return do_rwv(fd, iov, iovcnt, NULL, false);
}

ssize_t sw_fs_writev(int fd, const struct iovec *iov, int iovcnt)
{
	return do_rwv(fd, iov, iovcnt, NULL, true);
}

ssize_t sw_fs_preadv(int fd, const struct iovec *iov, int iovcnt, int64_t pos)
{
	return pos < 0 ? -EINVAL : do_rwv(fd, iov, iovcnt, &pos, false);
}

ssize_t sw_fs_pwritev(int fd, const struct iovec *iov, int iovcnt, int64_t pos)
{
	return pos < 0 ? -EINVAL : do_rwv(fd, iov, iovcnt, &pos, true);
}

/* ---- where we are ------------------------------------------------------------------------------ */

static sw_loff_t set_pos(struct file *file, sw_loff_t pos, sw_loff_t max)
{
	if (pos < 0 || pos > max)
		return -EINVAL;
	file->f_pos = pos;
	return pos;
}

int whence_pos(const struct file *file, sw_loff_t offset, int whence, sw_loff_t *pos)
{
	sw_loff_t base = 0;

	switch (whence) {
	case SEEK_SET:
		break;
	case SEEK_CUR:
		base = file->f_pos;
		break;
	case SEEK_END:
		base = i_size_read(file->f_inode);
		break;
	default:
		return -EINVAL;
	}
	return __builtin_add_overflow(base, offset, pos) ? -EOVERFLOW : 0;
}

/**
 * generic_file_llseek() - SEEK_SET, SEEK_CUR, SEEK_END, and SEEK_DATA, SEEK_HOLE by what is cached
 *
 * Return: the new offset; -EINVAL, -ENXIO (no data after it, or past the end).
 */
sw_loff_t generic_file_llseek(struct file *file, sw_loff_t offset, int whence)
{
	struct inode *inode = file->f_inode;
	sw_loff_t size = i_size_read(inode), pos;

	if (whence == SEEK_DATA || whence == SEEK_HOLE) {
		if (offset < 0 || offset >= size)
			return -ENXIO;
		if (mapping_test(file->f_mapping, AS_HOLES_ARE_ZERO))
			pos = mapping_seek_hole_data(file->f_mapping, offset, size, whence);
		else
			pos = whence == SEEK_DATA ? offset : size;
		if (pos < 0)
			return pos;
	} else if (whence_pos(file, offset, whence, &pos)) {
		return -EINVAL;
	}
	return set_pos(file, pos, inode->i_sb->s_maxbytes);
}

sw_loff_t vfs_llseek(struct file *file, sw_loff_t offset, int whence)
{
	if (!(file->f_mode & FMODE_LSEEK))
		return -ESPIPE;
	if (file->f_op->llseek)
		return file->f_op->llseek(file, offset, whence);
	return generic_file_llseek(file, offset, whence);
}

int64_t sw_fs_lseek(int fd, int64_t offset, int whence)
{
	struct file *file = fget((unsigned int)fd);
	bool locked;

	if (!file)
		return -EBADF;
	locked = file_pos_lock(file);
	offset = vfs_llseek(file, offset, whence);
	file_pos_unlock(file, locked);
	__fput_sync(file);
	return offset;
}

/* ---- a page in place ------------------------------------------------------------------------------ */

/* The folio at @pos if it is there and uptodate, with a reference. */
static struct folio *pin_hit(struct address_space *mapping, pgoff_t index)
{
	struct folio *folio = filemap_peek(mapping, index);

	if (!folio || !folio_test_uptodate(folio) || !folio_try_get(folio))
		return NULL;
	/* It may have left the cache, and become another's, before we had it. */
	if (filemap_peek(mapping, index) == folio && folio_test_uptodate(folio))
		return folio;
	folio_drop(folio);
	return NULL;
}

static void fill_pin(struct sw_fs_pin *pin, struct folio *folio, sw_loff_t pos, sw_loff_t size)
{
	size_t offset = offset_in_folio(folio, pos), len = folio_bytes(folio) - offset;

	if ((sw_loff_t)len > size - pos)
		len = (size_t)(size - pos);
	*pin = (struct sw_fs_pin){ .addr = (char *)folio_addr(folio) + offset,
				   .len = len,
				   .folio = folio };
}

static int pin_slow(int fd, sw_loff_t pos, struct sw_fs_pin *pin)
{
	struct file *file = fget((unsigned int)fd);
	struct folio *folio;
	int err = 0;

	if (!file)
		return -EBADF;
	if (!(file->f_mode & FMODE_READ))
		err = -EBADF;
	else if (S_ISDIR(file->f_inode->i_mode))
		err = -EISDIR;
	else if (pos < 0 || !file->f_mapping->a_ops || IS_DAX(file->f_inode))
		err = -EINVAL;
	else if (pos >= i_size_read(file->f_inode))
		err = -ENXIO;
	if (!err) {
		folio = read_cache_folio(file->f_mapping, (pgoff_t)pos >> PAGE_SHIFT, file);
		err = IS_ERR(folio) ? (int)PTR_ERR(folio) : 0;
	}
	if (!err) {
		sw_loff_t size = i_size_read(file->f_inode);

		if (pos < size) {
			fill_pin(pin, folio, pos, size);
		} else {
			folio_drop(folio);
			err = -ENXIO;
		}
	}
	__fput_sync(file);
	return err;
}

int sw_fs_page_pin(int fd, int64_t pos, struct sw_fs_pin *pin)
{
	struct folio *folio = NULL;
	struct file *file;
	sw_loff_t size = 0;

	rcu_read_lock();
	file = fd_peek((unsigned int)fd);
	if (likely(file && pos >= 0 &&
		   (READ_ONCE(file->f_mode) & (FMODE_CACHE_HIT | FMODE_READ)) ==
			   (FMODE_CACHE_HIT | FMODE_READ))) {
		struct address_space *mapping = READ_ONCE(file->f_mapping);

		if (mapping) {
			size = atomic_load_explicit(&mapping->i_size, memory_order_acquire);
			folio = pos < size ? pin_hit(mapping, (pgoff_t)pos >> PAGE_SHIFT) : NULL;
		}
		if (folio &&
		    (!fd_still((unsigned int)fd, file) || READ_ONCE(file->f_mapping) != mapping)) {
			folio_drop(folio);
			folio = NULL;
		}
	}
	rcu_read_unlock();
	if (unlikely(!folio))
		return pin_slow(fd, pos, pin);
	fill_pin(pin, folio, pos, size);
	return 0;
}

void sw_fs_page_unpin(struct sw_fs_pin *pin)
{
	if (pin->folio)
		folio_drop(pin->folio);
	*pin = (struct sw_fs_pin){ 0 };
}
