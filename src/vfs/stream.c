/* SPDX-License-Identifier: MIT */
/*
 * stream.c - FILE *: stdio's buffer in front of our calls
 *
 * Room: vfs. Door: <slabwork/fs/fs.h>. F36: a byte at a time costs a call of ours only when the buffer is
 * empty or full.
 *
 * The cookie is the fd plus one. These functions are stdio's, so they speak through errno; what they
 * call does not. The stream's memory is stdio's as well.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <slabwork/fs/fs.h>

static int cookie_fd(void *cookie)
{
	return (int)(intptr_t)cookie - 1;
}

static ssize_t stream_read(void *cookie, char *buf, size_t size)
{
	ssize_t n = sw_fs_read(cookie_fd(cookie), buf, size);

	if (n >= 0)
		return n;
	errno = (int)-n;
	return -1;
}

/* Less than asked is an error to stdio, and then errno must say which: so we go on until there is one. */
static ssize_t stream_write(void *cookie, const char *buf, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = sw_fs_write(cookie_fd(cookie), buf + done, size - done);

		if (n <= 0) {
			errno = n ? (int)-n : EIO;
			break;
		}
		done += (size_t)n;
	}
	return (ssize_t)done;
}

static int stream_seek(void *cookie, off64_t *offset, int whence)
{
	int64_t pos = sw_fs_lseek(cookie_fd(cookie), *offset, whence);

	if (pos < 0) {
		errno = (int)-pos;
		return -1;
	}
	*offset = pos;
	return 0;
}

static int stream_close(void *cookie)
{
	int err = sw_fs_close(cookie_fd(cookie));

	if (!err)
		return 0;
	errno = -err;
	return EOF;
}

/*
 * "r+be" to O_* (*@flags) and to what fopencookie() reads (@plain, 3 bytes): the letter and the plus.
 * What follows a comma (ccs=) is not for us. 0 or -EINVAL.
 */
static int parse_stream_mode(const char *mode, int *flags, char plain[3])
{
	int rw = O_RDONLY, more = 0;

	switch (*mode) {
	case 'r':
		break;
	case 'w':
		rw = O_WRONLY;
		more = O_CREAT | O_TRUNC;
		break;
	case 'a':
		rw = O_WRONLY;
		more = O_CREAT | O_APPEND;
		break;
	default:
		return -EINVAL;
	}
	plain[0] = *mode;
	plain[1] = plain[2] = '\0';
	while (*++mode && *mode != ',') {
		if (*mode == '+') {
			rw = O_RDWR;
			plain[1] = '+';
		} else if (*mode == 'x') {
			more |= O_EXCL;
		} else if (*mode == 'e') {
			more |= O_CLOEXEC;
		}
	}
	*flags = rw | more;
	return 0;
}

static FILE *stream_on(int fd, const char *plain)
{
	cookie_io_functions_t calls = { .read = stream_read,
					.write = stream_write,
					.seek = stream_seek,
					.close = stream_close };

	return fopencookie((void *)(intptr_t)(fd + 1), plain, calls);
}

FILE *sw_fs_fdopen(int fd, const char *mode)
{
	int want, have, access;
	char plain[3];

	if (parse_stream_mode(mode, &want, plain)) {
		errno = EINVAL;
		return NULL;
	}
	have = sw_fs_fcntl(fd, F_GETFL, 0);
	if (have < 0) {
		errno = -have;
		return NULL;
	}
	access = have & O_ACCMODE;
	if (have & O_PATH || (access != O_RDWR && access != (want & O_ACCMODE))) {
		errno = have & O_PATH ? EBADF : EINVAL;
		return NULL;
	}
	if (want & O_APPEND && !(have & O_APPEND))
		sw_fs_fcntl(fd, F_SETFL, (unsigned long)(have | O_APPEND));
	if (want & O_CLOEXEC)
		sw_fs_fcntl(fd, F_SETFD, FD_CLOEXEC);
	return stream_on(fd, plain);
}

FILE *sw_fs_fopen(const char *path, const char *mode)
{
	char plain[3];
	FILE *stream;
	int flags, fd;

	if (parse_stream_mode(mode, &flags, plain)) {
		errno = EINVAL;
		return NULL;
	}
	fd = sw_fs_open(path, flags, 0666);
	if (fd < 0) {
		errno = -fd;
		return NULL;
	}
	stream = stream_on(fd, plain);
	if (!stream)
		sw_fs_close(fd);
	return stream;
}
