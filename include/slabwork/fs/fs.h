/* SPDX-License-Identifier: MIT */
#ifndef SW_FS_FS_H
#define SW_FS_FS_H

/**
 * DOC: <slabwork/fs/fs.h> - files in this process: the system calls, without the system
 *
 *	sw_fs_mount("tmpfs", NULL, "/", 0, NULL);
 *	int fd = sw_fs_open("/hello", O_CREAT | O_RDWR, 0644);
 *	sw_fs_write(fd, "hi\n", 3);
 *	sw_fs_close(fd);
 *
 * Each sw_fs_x() is Linux's x(2): same arguments, flags, results, and errors, but for
 *
 *   Errors   -errno is returned; errno is not touched.
 *   fds      Numbers of our own table (sw_fs_open() gives 0 first): never a number of the kernel's.
 *   Paths    Of our own tree. It is empty until something is mounted on "/": -ENOENT. Nothing of the
 *            host's files can be reached through it.
 *   Buffers  A bad address is a fault in the caller, as with memcpy().
 *   Signals  No call is interrupted; none is async-signal-safe.
 *   Types    Pipes, devices and sockets have names and attributes here; opening one gives -ENXIO.
 *
 * Threads  All calls, from any thread. fds, working directory, umask and credentials belong to a task
 *          (struct sw_fs_task): all threads share the first one until they enter another.
 * Fork     The child has a copy of all of it, as of the rest of the memory; see docs/FILES.md §9.
 *
 * Room: vfs.  Link: -lslabwork-fs.  For authors of file systems: <slabwork/fs/vfs.h>.
 */

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>

#include <slabwork/export.h>
#include <slabwork/types.h>

SW_BEGIN_DECLS

/* ---- mounts ----------------------------------------------------------------------------- */

/**
 * sw_fs_mount() - attach a file system to the tree
 * @type: "tmpfs", "dax", "proc", or a type registered by the program
 * @source: what it is on: a host file for dax; NULL for those that need none
 * @target: a directory of our tree; "/" when nothing is mounted yet
 * @flags: MS_RDONLY, MS_NOATIME, MS_NOSUID, MS_NODEV of <sys/mount.h>
 * @options: "size=64m,nr_inodes=1000,mode=0755", NULL: none
 *
 * Return: 0; -ENODEV (no such type), -ENOENT, -ENOTDIR, -EINVAL (an option), -EPERM, -ENOMEM.
 */
SW_API int sw_fs_mount(const char *type, const char *source, const char *target,
		       unsigned long flags, const char *options);
/** sw_fs_umount() - @flags: 0 or MNT_DETACH. -EBUSY: files are open; -EINVAL: not a mount point. */
SW_API int sw_fs_umount(const char *target, int flags);

/* ---- tasks and credentials ------------------------------------------------------------------ */

/* fd table, working directory, root, umask, credentials: what a process has. */
struct sw_fs_task;
/** sw_fs_task_create() - a new one: no fds, "/" , umask 022, the process's credentials. NULL: no memory */
SW_API struct sw_fs_task *sw_fs_task_create(void);
/** sw_fs_task_fork() - a copy of the calling thread's: same open files, as fork(2) leaves them */
SW_API struct sw_fs_task *sw_fs_task_fork(void);
/** sw_fs_task_enter() - from now on this thread is of @task (NULL: the first). Return: the task before */
SW_API struct sw_fs_task *sw_fs_task_enter(struct sw_fs_task *task);
/** sw_fs_task_exec() - closes what is close-on-exec */
SW_API void sw_fs_task_exec(void);
/** sw_fs_task_destroy() - closes its files; no thread is in it. NULL is fine */
SW_API void sw_fs_task_destroy(struct sw_fs_task *task);

/**
 * sw_fs_setcred() - who this task is from now on
 * @ngroups: at most 32, else -EINVAL
 *
 * uid 0 passes all permission checks. At first a task is what the process is (its fsuid, fsgid, groups).
 */
SW_API int sw_fs_setcred(uid_t uid, gid_t gid, unsigned int ngroups, const gid_t *groups);
SW_API mode_t sw_fs_umask(mode_t mask);
SW_API int sw_fs_chdir(const char *path);
SW_API int sw_fs_fchdir(int fd);
SW_API int sw_fs_chroot(const char *path);
/* Length with the NUL, -ERANGE. */
SW_API int sw_fs_getcwd(char *buf, size_t size);

/* ---- descriptors ---------------------------------------------------------------------------- */

/**
 * sw_fs_open() - open a name; the lowest free number
 * @flags: O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_DIRECTORY, O_NOFOLLOW, O_PATH,
 *         O_CLOEXEC, O_TMPFILE, O_SYNC, O_DSYNC, O_NOATIME, O_NONBLOCK, O_DIRECT (where the file
 *         system has it); bits that Linux ignores are ignored
 * @mode: with O_CREAT and O_TMPFILE; the umask is taken off
 */
SW_API int sw_fs_open(const char *path, int flags, mode_t mode);
SW_API int sw_fs_openat(int dirfd, const char *path, int flags, mode_t mode);
SW_API int sw_fs_creat(const char *path, mode_t mode);
SW_API int sw_fs_close(int fd);
SW_API int sw_fs_close_range(unsigned int first, unsigned int last, unsigned int flags);
SW_API int sw_fs_dup(int fd);
SW_API int sw_fs_dup2(int fd, int newfd);
SW_API int sw_fs_dup3(int fd, int newfd, int flags);
/* F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL; F_GETLK, F_SETLK, F_SETLKW (arg: struct flock *), F_OFD_*. */
SW_API int sw_fs_fcntl(int fd, int cmd, unsigned long arg);
SW_API int sw_fs_flock(int fd, int operation);

/* ---- data ------------------------------------------------------------------------------------- */

SW_API ssize_t sw_fs_read(int fd, void *buf, size_t count);
SW_API ssize_t sw_fs_write(int fd, const void *buf, size_t count);
SW_API ssize_t sw_fs_pread(int fd, void *buf, size_t count, int64_t pos);
SW_API ssize_t sw_fs_pwrite(int fd, const void *buf, size_t count, int64_t pos);
SW_API ssize_t sw_fs_readv(int fd, const struct iovec *iov, int iovcnt);
SW_API ssize_t sw_fs_writev(int fd, const struct iovec *iov, int iovcnt);
SW_API ssize_t sw_fs_preadv(int fd, const struct iovec *iov, int iovcnt, int64_t pos);
SW_API ssize_t sw_fs_pwritev(int fd, const struct iovec *iov, int iovcnt, int64_t pos);
SW_API int64_t sw_fs_lseek(int fd, int64_t offset, int whence);
SW_API ssize_t sw_fs_copy_file_range(int in, int64_t *pos_in, int out, int64_t *pos_out, size_t len,
				     unsigned int flags);
SW_API int sw_fs_truncate(const char *path, int64_t length);
SW_API int sw_fs_ftruncate(int fd, int64_t length);
/* FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, FALLOC_FL_ZERO_RANGE where the file system can; else -EOPNOTSUPP. */
SW_API int sw_fs_fallocate(int fd, int mode, int64_t offset, int64_t len);
SW_API int sw_fs_fadvise(int fd, int64_t offset, int64_t len, int advice);

/**
 * struct sw_fs_pin - a piece of a file in the cache, to be read in place
 * @addr, @len: the bytes; up to the end of its folio or of the file
 */
struct sw_fs_pin {
	const void *addr;
	size_t len;
	void *folio;
};

/**
 * sw_fs_page_pin() - the bytes at @pos of an open file, without copying
 *
 * The bytes stay where they are until sw_fs_page_unpin(), even if the file is truncated or removed
 * (what is written meanwhile shows). No system call and no lock on a hit.
 *
 * Return: 0; -EBADF, -EISDIR, -EINVAL (a file that has no page cache), -EIO, -ENOMEM;
 *         -ENXIO at or past the end.
 */
SW_API int sw_fs_page_pin(int fd, int64_t pos, struct sw_fs_pin *pin);
SW_API void sw_fs_page_unpin(struct sw_fs_pin *pin);

/* Durability: all; the file system of fd; file and metadata; data and size; a byte range of data (no metadata). */
SW_API void sw_fs_sync(void);
SW_API int sw_fs_syncfs(int fd);
SW_API int sw_fs_fsync(int fd);
SW_API int sw_fs_fdatasync(int fd);
SW_API int sw_fs_sync_file_range(int fd, int64_t offset, int64_t nbytes, unsigned int flags);

/* ---- attributes ---------------------------------------------------------------------------------- */

SW_API int sw_fs_stat(const char *path, struct stat *st);
SW_API int sw_fs_lstat(const char *path, struct stat *st);
SW_API int sw_fs_fstat(int fd, struct stat *st);
SW_API int sw_fs_fstatat(int dirfd, const char *path, struct stat *st, int flags);
SW_API int sw_fs_statfs(const char *path, struct statfs *buf);
SW_API int sw_fs_fstatfs(int fd, struct statfs *buf);
SW_API int sw_fs_access(const char *path, int mode);
SW_API int sw_fs_faccessat(int dirfd, const char *path, int mode, int flags);
SW_API int sw_fs_chmod(const char *path, mode_t mode);
SW_API int sw_fs_fchmod(int fd, mode_t mode);
SW_API int sw_fs_fchmodat(int dirfd, const char *path, mode_t mode, int flags);
SW_API int sw_fs_chown(const char *path, uid_t uid, gid_t gid);
SW_API int sw_fs_lchown(const char *path, uid_t uid, gid_t gid);
SW_API int sw_fs_fchown(int fd, uid_t uid, gid_t gid);
SW_API int sw_fs_fchownat(int dirfd, const char *path, uid_t uid, gid_t gid, int flags);
SW_API int sw_fs_utimensat(int dirfd, const char *path, const struct timespec times[2], int flags);
SW_API int sw_fs_futimens(int fd, const struct timespec times[2]);

/* Values up to 64 KiB, names up to 255 bytes; user., trusted., security. */
SW_API ssize_t sw_fs_getxattr(const char *path, const char *name, void *value, size_t size);
SW_API ssize_t sw_fs_lgetxattr(const char *path, const char *name, void *value, size_t size);
SW_API ssize_t sw_fs_fgetxattr(int fd, const char *name, void *value, size_t size);
SW_API int sw_fs_setxattr(const char *path, const char *name, const void *value, size_t size,
			  int flags);
SW_API int sw_fs_lsetxattr(const char *path, const char *name, const void *value, size_t size,
			   int flags);
SW_API int sw_fs_fsetxattr(int fd, const char *name, const void *value, size_t size, int flags);
SW_API ssize_t sw_fs_listxattr(const char *path, char *list, size_t size);
SW_API ssize_t sw_fs_llistxattr(const char *path, char *list, size_t size);
SW_API ssize_t sw_fs_flistxattr(int fd, char *list, size_t size);
SW_API int sw_fs_removexattr(const char *path, const char *name);
SW_API int sw_fs_lremovexattr(const char *path, const char *name);
SW_API int sw_fs_fremovexattr(int fd, const char *name);

/**
 * sw_fs_parse_mode() - chmod's MODE as a person types it: "u+x,go=rX", "0644"
 * @text: symbolic `[ugoa...][[+-=][rwxXst...]][,...]` or octal
 * @mode: of the file now, type bits included (X and = look at them)
 * @umask: where no [ugoa] is said
 * @out: the new mode; untouched on failure
 *
 * Return: 0, -EINVAL.
 */
SW_API int sw_fs_parse_mode(const char *text, mode_t mode, mode_t umask, mode_t *out);

/* ---- names -------------------------------------------------------------------------------------------- */

SW_API int sw_fs_mkdir(const char *path, mode_t mode);
SW_API int sw_fs_mkdirat(int dirfd, const char *path, mode_t mode);
SW_API int sw_fs_mknod(const char *path, mode_t mode, dev_t dev);
SW_API int sw_fs_mknodat(int dirfd, const char *path, mode_t mode, dev_t dev);
SW_API int sw_fs_mkfifo(const char *path, mode_t mode);
SW_API int sw_fs_symlink(const char *target, const char *path);
SW_API int sw_fs_symlinkat(const char *target, int dirfd, const char *path);
SW_API ssize_t sw_fs_readlink(const char *path, char *buf, size_t size);
SW_API ssize_t sw_fs_readlinkat(int dirfd, const char *path, char *buf, size_t size);
SW_API int sw_fs_link(const char *old_path, const char *new_path);
SW_API int sw_fs_linkat(int old_dirfd, const char *old_path, int new_dirfd, const char *new_path,
			int flags);
SW_API int sw_fs_unlink(const char *path);
SW_API int sw_fs_unlinkat(int dirfd, const char *path, int flags);
SW_API int sw_fs_rmdir(const char *path);
SW_API int sw_fs_rename(const char *old_path, const char *new_path);
/* RENAME_NOREPLACE, RENAME_EXCHANGE. */
SW_API int sw_fs_renameat2(int old_dirfd, const char *old_path, int new_dirfd, const char *new_path,
			   unsigned int flags);

/**
 * struct sw_fs_dirent - what sw_fs_getdents() packs into a buffer, d_reclen bytes each (a multiple of 8)
 */
struct sw_fs_dirent {
	uint64_t d_ino;
	int64_t d_off; /* sw_fs_lseek() to here continues after this entry */
	unsigned short d_reclen;
	unsigned char d_type;        /* DT_* */
	__extension__ char d_name[]; /* C++ has no such member */
};
/* Return: bytes; 0: the end; -EINVAL: the buffer is too small for one entry; -ENOTDIR. */
SW_API ssize_t sw_fs_getdents(int fd, void *buf, size_t size);

/* ---- the other two ways in ------------------------------------------------------------------------------ */

/**
 * sw_fs_fdopen() - a stream on an fd: stdio's buffer in front of our calls (fopencookie)
 * @mode: as for fopen(3); must fit how the fd was opened
 *
 * fclose() closes the fd. Return: NULL with errno set (this one call: it is stdio's).
 */
SW_API FILE *sw_fs_fdopen(int fd, const char *mode);
SW_API FILE *sw_fs_fopen(const char *path, const char *mode);

/**
 * sw_fs_mmap() - the file's cached pages (DAX: the device itself) as memory
 * @prot: PROT_READ, PROT_WRITE
 * @flags: MAP_SHARED, MAP_SHARED_VALIDATE, MAP_PRIVATE; MAP_FIXED, MAP_POPULATE, MAP_SYNC (DAX)
 * @addr_out: the address
 *
 * Stores are seen by sw_fs_read() at once, and the other way round. Filled when touched where
 * userfaultfd is allowed, else at once. Pages past the end of the file: SIGBUS where filled when
 * touched, zeros that go nowhere otherwise.
 *
 * Return: 0; -EBADF, -EACCES, -EINVAL, -ENODEV (not a file that can), -ENOMEM, -EOPNOTSUPP (MAP_SYNC).
 */
SW_API int sw_fs_mmap(void *addr, size_t length, int prot, int flags, int fd, int64_t offset,
		      void **addr_out);
/* Whole mappings or parts. */
SW_API int sw_fs_munmap(void *addr, size_t length);
SW_API int sw_fs_msync(void *addr, size_t length, int flags);

struct sw_fs_vma {
	uintptr_t start, end;
	unsigned long vm_flags; /* VM_* of <slabwork/fs/vfs.h> */
	bool lazy;              /* filled when touched */
};
/* What is mapped at @addr. 0, -ENOENT. */
SW_API int sw_fs_vma(const void *addr, struct sw_fs_vma *out);

/* ---- write-back ------------------------------------------------------------------------------------------ */

/**
 * sw_fs_start_writeback() - a thread writes dirty data back periodically and when there is too much
 *
 * Without it (the default: no thread that nobody asked for) whoever dirties past the limit writes back
 * itself, and sync, fsync, close of the last file and umount do. Limits: sw_cache_set_limits().
 * Return: 0 (also if it runs already), -EAGAIN.
 */
SW_API int sw_fs_start_writeback(void);
SW_API void sw_fs_stop_writeback(void);

SW_END_DECLS

#endif /* SW_FS_FS_H */
