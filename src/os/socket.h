/* SPDX-License-Identifier: MIT */
#ifndef OS_SOCKET_H
#define OS_SOCKET_H

/*
 * socket.h - a local socket that only its owner can reach
 *
 * Room: os. Calls return 0 or a descriptor, or -errno; keep errno, allocate nothing. Descriptors
 * are close-on-exec.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * From here on the calling thread has a table of descriptors of its own, empty but for
 * /dev/null as 0, 1 and 2: the program never sees what this thread opens, a forked child does
 * not inherit it, and nothing of the program's is held open. -errno: nothing was changed.
 */
int os_own_files(void);
/* Make the process's standard error this thread's, or (on false) /dev/null again. */
void os_borrow_stderr(bool on);

/*
 * Open a folder that belongs to us and to nobody else: a directory (no link), our uid, no right for
 * group and others. It is made if it is missing. -EPERM: it is somebody else's, or open to others.
 */
int os_private_dir(const char *path);

/*
 * A listening stream socket at dir/name, mode 0600. What was there is removed. name is
 * short; the length of dir's own path does not matter.
 */
int os_listen(int dir, const char *name);
/* Wait for a caller. Its reads and writes give up after timeout_s seconds. */
int os_accept(int fd, unsigned int timeout_s);
/* Is the peer of a connection our user or root? */
bool os_peer_trusted(int fd);
/* One line, without its end, cut at size - 1. Length, or -errno (-EPIPE: it ended before). */
ssize_t os_recv_line(int fd, char *line, size_t size);
/* All of it; false if the peer is gone. Never a SIGPIPE. */
bool os_send(int fd, const char *text, size_t len);
void os_close(int fd);
void os_unlink(const char *path);

#endif /* OS_SOCKET_H */
