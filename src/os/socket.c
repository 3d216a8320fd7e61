/* SPDX-License-Identifier: MIT */
/*
 * socket.c - a local socket that only its owner can reach
 *
 * Room: os. Door: os/socket.h.
 *
 * Three things keep strangers out: the folder (ours, mode 0700, checked through the open
 * descriptor, so that nobody can change it under us), the socket's mode (set before it has a name),
 * and the uid that the system says the peer has.
 *
 * A path of a socket has at most 107 bytes, a folder may have more: we bind through
 * /proc/self/fd/DIR/NAME, or /proc/thread-self, since the descriptor is this thread's alone.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "os/os.h"
#include "os/socket.h"
#include "os/syscall.h"

#define CLOSE_AT_MOST 65536 /* descriptors, where the kernel has no close_range (before 5.9) */
#define BACKLOG       4

static int open_at(int dir, const char *path, int flags)
{
	return (int)os_syscall(SYS_openat, dir, path, flags | O_CLOEXEC, 0);
}

void os_close(int fd)
{
	os_syscall(SYS_close, fd);
}

void os_unlink(const char *path)
{
	os_syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

/* ---- descriptors of our own --------------------------------------------------- */

static void become(int fd, int wanted)
{
	if (fd < 0 || fd == wanted)
		return;
	os_syscall(SYS_dup3, fd, wanted, O_CLOEXEC);
	os_close(fd);
}

int os_own_files(void)
{
	long ret = os_syscall(SYS_close_range, 0, ~0U, CLOSE_RANGE_UNSHARE);

	if (ret) {
		ret = os_syscall(SYS_unshare, CLONE_FILES);
		if (ret)
			return (int)ret;
		for (int fd = 0; fd < CLOSE_AT_MOST; fd++)
			os_close(fd);
	}
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		become(open_at(AT_FDCWD, "/dev/null", O_RDWR), fd);
	return 0;
}

void os_borrow_stderr(bool on)
{
	/* "self" is the process: its first thread's table. A pipe without a reader is no reason to wait. */
	int fd = on ? open_at(AT_FDCWD, "/proc/self/fd/2",
			      O_WRONLY | O_APPEND | O_NOCTTY | O_NONBLOCK) :
		      open_at(AT_FDCWD, "/dev/null", O_RDWR);

	become(fd, STDERR_FILENO);
}

/* ---- the folder -------------------------------------------------------------------- */

int os_private_dir(const char *path)
{
	int saved = errno;
	struct stat st;
	int fd;

	os_syscall(SYS_mkdirat, AT_FDCWD, path, 0700);
	fd = open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) || st.st_uid != geteuid() || (st.st_mode & 077)) {
		os_close(fd);
		fd = -EPERM;
	}
	errno = saved;
	return fd;
}

/* ---- the socket --------------------------------------------------------------------------- */

int os_listen(int dir, const char *name)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = (int)os_syscall(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	long ret;

	if (fd < 0)
		return fd;
	snprintf(addr.sun_path, sizeof(addr.sun_path), "/proc/thread-self/fd/%d/%s", dir, name);
	os_syscall(SYS_unlinkat, dir, name, 0);
	ret = os_syscall(SYS_fchmod, fd, 0600); /* what the name will have: nobody is faster */
	if (!ret)
		ret = os_syscall(SYS_bind, fd, &addr, sizeof(addr));
	if (!ret)
		ret = os_syscall(SYS_listen, fd, BACKLOG);
	if (ret) {
		os_close(fd);
		return (int)ret;
	}
	return fd;
}

int os_accept(int fd, unsigned int timeout_s)
{
	struct timeval timeout = { .tv_sec = timeout_s };
	int conn = (int)os_syscall(SYS_accept4, fd, NULL, NULL, SOCK_CLOEXEC);

	if (conn < 0)
		return conn;
	os_syscall(SYS_setsockopt, conn, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	os_syscall(SYS_setsockopt, conn, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	return conn;
}

bool os_peer_trusted(int fd)
{
	struct ucred peer = { .uid = (uid_t)-1 };
	socklen_t size = sizeof(peer);

	if (os_syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_PEERCRED, &peer, &size))
		return false;
	return peer.uid == 0 || peer.uid == geteuid();
}

ssize_t os_recv_line(int fd, char *line, size_t size)
{
	size_t len = 0;

	for (;;) {
		char c;
		long n = os_syscall(SYS_recvfrom, fd, &c, 1, 0, NULL, NULL);

		if (n == -EINTR)
			continue;
		if (n <= 0)
			return n ? n : -EPIPE;
		if (c == '\n')
			break;
		if (len < size - 1)
			line[len++] = c;
	}
	line[len] = '\0';
	return (ssize_t)len;
}

bool os_send(int fd, const char *text, size_t len)
{
	while (len) {
		long n = os_syscall(SYS_sendto, fd, text, len, MSG_NOSIGNAL, NULL, 0);

		if (n == -EINTR)
			continue;
		if (n <= 0)
			return false;
		text += n;
		len -= (size_t)n;
	}
	return true;
}
