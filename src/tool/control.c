/* SPDX-License-Identifier: MIT */
/*
 * control.c - ask a process through its control socket
 *
 * Room: tool. Where the socket lies and what is said: <slabwork/control.h>. Nothing is believed
 * because of its name: the folder must belong to the process's user or to us and be closed
 * to others, and the system must say that the listener is the process that we mean.
 */

#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <slabwork/control.h>

#include "tool/tool.h"

#define TIMEOUT_S 30 /* a trim of many gigabytes takes seconds */
#define TRIES     10 /* a program that was started just now */
#define TRY_NS    10000000L

/* ---- where ------------------------------------------------------------------------ */

/* The folder of sockets in the environment that the process was started with; "" if unknown. */
static void folder_of(pid_t pid, char *path, size_t size)
{
	static const char want[] = "XDG_RUNTIME_DIR=";
	char name[32], *variable = NULL;
	size_t room = 0;
	FILE *f;

	*path = '\0';
	snprintf(name, sizeof(name), "/proc/%d/environ", (int)pid);
	f = pid ? fopen(name, "re") : NULL;
	while (f && getdelim(&variable, &room, '\0', f) > 0)
		if (!strncmp(variable, want, sizeof(want) - 1))
			snprintf(path, size, "%s/%s", variable + sizeof(want) - 1, SW_CONTROL_DIR);
	if (f)
		fclose(f);
	free(variable);
}

/* The n-th folder that may hold a socket of this user's process (0: any); false: no more. */
static bool folder(unsigned int n, uid_t uid, pid_t pid, char *path, size_t size)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");

	switch (n) {
	case 0:
		snprintf(path, size, "%s/%s", runtime && *runtime ? runtime : "/run",
			 SW_CONTROL_DIR);
		return true;
	case 1:
		snprintf(path, size, "/run/user/%u/%s", (unsigned int)uid, SW_CONTROL_DIR);
		return true;
	case 2:
		snprintf(path, size, "%s%u", SW_CONTROL_TMP, (unsigned int)uid);
		return true;
	case 3: /* a process that changed its user after it had started */
		snprintf(path, size, "%s%u", SW_CONTROL_TMP, (unsigned int)geteuid());
		return true;
	case 4: /* our environment may differ from its own */
		folder_of(pid, path, size);
		return true;
	default:
		return false;
	}
}

/* A descriptor, or -errno; -ENOENT also for what is not to be trusted. */
static int folder_open(const char *path, uid_t uid)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return errno == ENOTDIR || errno == ELOOP ? -ENOENT : -errno;
	if (!fstat(fd, &st) && (st.st_uid == uid || st.st_uid == geteuid()) && !(st.st_mode & 077))
		return fd;
	close(fd);
	return -ENOENT;
}

/* ---- connecting ------------------------------------------------------------------------- */

static int connect_in(int dir, pid_t pid)
{
	struct timeval timeout = { .tv_sec = TIMEOUT_S };
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct ucred peer = { .pid = 0 };
	socklen_t size = sizeof(peer);
	int err;

	if (fd < 0)
		return -errno;
	snprintf(addr.sun_path, sizeof(addr.sun_path), "/proc/self/fd/%d/%d", dir, (int)pid);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	if (!connect(fd, (struct sockaddr *)&addr, sizeof(addr)) &&
	    !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) && peer.pid == pid)
		return fd;
	err = peer.pid && peer.pid != pid ? -ENOENT : -errno;
	close(fd);
	return err;
}

static int connect_once(pid_t pid, uid_t uid)
{
	char path[4096];
	int result = -ENOENT;

	for (unsigned int n = 0; folder(n, uid, pid, path, sizeof(path)); n++) {
		int dir = folder_open(path, uid), fd = dir;

		if (dir >= 0) {
			fd = connect_in(dir, pid);
			close(dir);
		}
		if (fd >= 0)
			return fd;
		/* Nobody listens any more: as if it were not there. */
		if (fd != -ENOENT && fd != -ECONNREFUSED)
			result = fd;
	}
	return result;
}

static int connect_to(pid_t pid)
{
	const struct timespec pause = { .tv_nsec = TRY_NS };
	char path[32];
	struct stat st;
	int fd = -ENOENT;

	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	if (stat(path, &st))
		return -ESRCH;
	for (int i = 0; i < TRIES && fd == -ENOENT; i++) {
		if (i)
			nanosleep(&pause, NULL);
		fd = connect_once(pid, st.st_uid);
	}
	return fd;
}

/* ---- asking ---------------------------------------------------------------------------------- */

static ssize_t receive(int fd, char *reply, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while (len < size - 1) {
		n = recv(fd, reply + len, size - 1 - len, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		len += (size_t)n;
	}
	reply[len] = '\0';
	return (ssize_t)len;
}

/* Take the head line off. */
static int check_head(char *reply)
{
	char *end = strchr(reply, '\n'), *rest;
	unsigned int protocol = 0;
	int at = 0, err = -EINVAL;

	if (!end || sscanf(reply, SW_CONTROL_WORD " %u %*s %n", &protocol, &at) < 1 || !at)
		return -EPROTO;
	if (protocol != SW_CONTROL_PROTOCOL)
		return -EPROTO;
	*end = '\0';
	rest = reply + at;
	if (!strcmp(rest, "ok")) {
		err = 0;
		rest = end + 1;
	} else if (!strncmp(rest, "error ", 6)) {
		rest += 6;
	}
	memmove(reply, rest, strlen(rest) + 1);
	return err;
}

int control_ask(pid_t pid, const char *request, char *reply, size_t size)
{
	/* At once: who answers after the first part may have closed before the second. */
	struct iovec line[] = { { (void *)request, strlen(request) }, { (char[]){ '\n' }, 1 } };
	struct msghdr message = { .msg_iov = line, .msg_iovlen = 2 };
	int fd = connect_to(pid);
	ssize_t len;

	if (fd < 0)
		return fd;
	if (sendmsg(fd, &message, MSG_NOSIGNAL) < 0)
		len = -errno;
	else
		len = receive(fd, reply, size);
	close(fd);
	if (len < 0)
		return (int)len;
	/* Nothing at all: it refused us, or ended. */
	return len ? check_head(reply) : -EACCES;
}

uint64_t control_value(const char *reply, const char *name)
{
	size_t len = strlen(name);

	for (const char *line = reply; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, name, len) && line[len] == ' ')
			return strtoull(line + len + 1, NULL, 10);
	}
	return 0;
}

/* ---- what dead processes left ------------------------------------------------------------------ */

static void sweep_folder(DIR *dir)
{
	struct dirent *entry;

	while ((entry = readdir(dir))) {
		pid_t pid = (pid_t)atoi(entry->d_name);
		char path[32];
		int fd;

		snprintf(path, sizeof(path), "/proc/%d", (int)pid);
		if (pid <= 0 || !access(path, F_OK))
			continue;
		/* Perhaps it lives in a container with numbers of its own. */
		fd = connect_in(dirfd(dir), pid);
		if (fd >= 0)
			close(fd);
		else if (fd == -ECONNREFUSED)
			unlinkat(dirfd(dir), entry->d_name, 0);
	}
}

void control_sweep(void)
{
	uid_t uid = geteuid();
	char path[4096];

	for (unsigned int n = 0; folder(n, uid, 0, path, sizeof(path)); n++) {
		int fd = folder_open(path, uid);
		DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

		if (dir) {
			sweep_folder(dir);
			closedir(dir);
		} else if (fd >= 0) {
			close(fd);
		}
	}
}
