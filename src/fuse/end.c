/* SPDX-License-Identifier: MIT */
/*
 * end.c - how the server ends: a signal, an unmount, a crash
 *
 * Room: fuse. Door: fuse_internal.h.
 *
 *   umount DIR           the kernel writes back what it holds, closes the connection, the loop ends
 *   SIGTERM, SIGINT,     a thread waits for them and does the same. If DIR is in use: what the kernel
 *   SIGHUP               holds is written back, DIR is taken out of the tree, and the server ends:
 *                        who still uses it gets ENOTCONN
 *   SIGSEGV and kin      a line that says how DIR can be used again; the kernel keeps a dead mount there
 *   SIGKILL              nothing can be said; `slabwork mount` and `slabwork umount` say it when they meet
 *                        the dead mount, and the line at the start said it
 *
 * The thread may do all that while the loop still answers: unmounting needs it.
 */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuse/fuse_internal.h"

extern char **environ;

static struct {
	struct fuse_session *session;
	pthread_t loop;
	const char *dir;
	char last_words[PATH_MAX + 256];
	int message_fd; /* -1: nobody would read it */
} end = { .message_fd = -1 };

static const int fatal[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };

static void on_fatal(int sig)
{
	ssize_t ignored = 0;

	if (end.message_fd >= 0)
		ignored = write(end.message_fd, end.last_words, strlen(end.last_words));
	(void)ignored;
	raise(sig); /* SA_RESETHAND: this one kills */
}

static void on_wake(int sig)
{
	(void)sig; /* the loop's sem_wait() returns and sees that the session is over */
}

static void wait_set(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGHUP);
}

void end_prepare(const char *dir, int message_fd)
{
	struct sigaction act = { .sa_handler = on_fatal, .sa_flags = SA_RESETHAND | SA_NODEFER };
	sigset_t set;

	end.dir = dir;
	end.message_fd = message_fd;
	snprintf(end.last_words, sizeof(end.last_words),
		 "slabwork: the server of %s has crashed; what it held is lost. To use %s again: "
		 "slabwork umount %s\n",
		 dir, dir, dir);
	for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
		sigaction(fatal[i], &act, NULL);
	act = (struct sigaction){ .sa_handler = on_wake };
	sigaction(SIGUSR1, &act, NULL);
	act.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &act, NULL);
	wait_set(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

/* Exit status of fusermount3, which unmounts for those who are not root. */
static int fusermount(bool lazy)
{
	const char *words[] = { "fusermount3", "-u", "-q", lazy ? "-z" : "--", end.dir, NULL };
	char **argv = (char **)words;
	posix_spawnattr_t attr;
	sigset_t none;
	pid_t pid;
	int status = -1, err;

	sigemptyset(&none);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	err = posix_spawnp(&pid, argv[0], NULL, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	if (err)
		return -1;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool unmount(bool lazy)
{
	if (!umount2(end.dir, UMOUNT_NOFOLLOW | (lazy ? MNT_DETACH : 0)))
		return true;
	return errno == EPERM && !fusermount(lazy);
}

static void *wait_for_signal(void *arg)
{
	sigset_t set;
	int sig, fd;

	(void)arg;
	wait_set(&set);
	sigwait(&set, &sig);
	if (unmount(false))
		return NULL; /* the loop reads ENODEV and ends */
	/* In use. What was written before the signal is kept as umount would have kept it. */
	fd = open(end.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		syncfs(fd);
	unmount(true);
	if (fd >= 0) {
		syncfs(fd);
		close(fd);
	}
	fuse_session_exit(end.session);
	pthread_kill(end.loop, SIGUSR1);
	return NULL;
}

int end_watch(struct fuse_session *session)
{
	pthread_t thread;
	int err;

	end.session = session;
	end.loop = pthread_self();
	err = pthread_create(&thread, NULL, wait_for_signal, NULL);
	if (!err)
		pthread_detach(thread);
	return -err;
}
