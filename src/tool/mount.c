/* SPDX-License-Identifier: MIT */
/*
 * mount.c - slabwork mount and slabwork umount
 *
 * Room: tool. The server is a program of its own, slabwork-mount, since it needs libfuse3 and this
 * command does not: beside this command in a build folder, in libexec/slabwork where it is installed.
 *
 * umount waits until the server has ended: then all that was written is where it belongs. The server
 * is the process slabwork-mount whose last argument is the directory, which mount makes canonical.
 */

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tool/tool.h"

#define SERVER     "slabwork-mount"
#define END_MAX_MS 30000 /* a server that writes to a slow store */

static bool server_find(char *path, size_t size)
{
	static const char *const places[] = { "", "/../libexec/slabwork", "/../lib/slabwork" };
	char dir[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", dir, sizeof(dir) - 1);
	char *slash;

	if (len <= 0)
		return false;
	dir[len] = '\0';
	slash = strrchr(dir, '/');
	*slash = '\0';
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (snprintf(path, size, "%s%s/" SERVER, dir, places[i]) < (int)size &&
		    !access(path, X_OK))
			return true;
	}
	return false;
}

/* Where the directory is among the words: the last that is no option. 0: there is none. */
static int dir_word(int argc, char **argv)
{
	int dir = 0;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-o"))
			i++;
		else if (argv[i][0] != '-')
			dir = i;
	}
	return dir;
}

int cmd_mount(const struct command *cmd, int argc, char **argv)
{
	char server[PATH_MAX + 64], path[PATH_MAX];
	int nr = 0, dir = dir_word(argc, argv);
	char **args;

	if (!dir)
		return usage_error(cmd, "mount what, and where?");
	if (!server_find(server, sizeof(server)))
		return fail("this slabwork was built without " SERVER
			    ": install libfuse3-dev and fuse3, and build again");
	if (access("/dev/fuse", F_OK))
		return fail(
			"there is no /dev/fuse: as root: modprobe fuse (in a container: --device "
			"/dev/fuse --cap-add SYS_ADMIN)");
	args = calloc((size_t)argc + 1, sizeof(*args));
	if (!args)
		return fail("no memory");
	args[nr++] = server;
	for (int i = 1; i < argc; i++)
		if (i != dir)
			args[nr++] = argv[i];
	/* Last and canonical: umount finds the server by it. What is wrong with it, the server says. */
	args[nr] = realpath(argv[dir], path) ? path : argv[dir];
	execv(server, args);
	return fail("%s: %s", server, strerror(errno));
}

/* ---- umount --------------------------------------------------------------------------------- */

/*
 * The directory as the server was given it: canonical. A dead mount cannot be looked at, so its
 * parent is resolved and the last name is appended.
 */
static bool canonical(const char *dir, char out[PATH_MAX])
{
	char copy[PATH_MAX], parent[PATH_MAX];
	size_t len = strlen(dir);
	const char *name;
	char *slash;

	while (len > 1 && dir[len - 1] == '/')
		len--;
	if (!len || len >= sizeof(copy))
		return false;
	memcpy(copy, dir, len);
	copy[len] = '\0';
	if (realpath(copy, out))
		return true;
	if (errno != ENOTCONN && errno != EACCES && errno != EIO)
		return false;
	slash = strrchr(copy, '/');
	name = slash ? slash + 1 : copy;
	if (slash)
		*slash = '\0';
	if (!realpath(!slash ? "." : *copy ? copy : "/", parent))
		return false;
	return snprintf(out, PATH_MAX, "%s/%s", parent[1] ? parent : "", name) < PATH_MAX;
}

/* Is it mounted, and a mount of ours? mountinfo writes blanks and such as \040. */
static bool is_ours(const char *dir)
{
	char line[2 * PATH_MAX], place[PATH_MAX];
	FILE *f = fopen("/proc/self/mountinfo", "re");
	bool ours = false;

	while (f && fgets(line, sizeof(line), f)) {
		const char *p = line;
		size_t len = 0;

		for (int i = 0; p && i < 4; i++)
			p = strchr(p, ' ') ? strchr(p, ' ') + 1 : NULL;
		while (p && *p && *p != ' ' && len < sizeof(place) - 1) {
			if (*p == '\\' && isdigit((unsigned char)p[1])) {
				place[len++] =
					(char)strtol((char[]){ p[1], p[2], p[3], 0 }, NULL, 8);
				p += 4;
			} else {
				place[len++] = *p++;
			}
		}
		place[len] = '\0';
		if (!strcmp(place, dir)) /* the last line of a place is the mount on top */
			ours = strstr(line, " - fuse.slabwork ") != NULL;
	}
	if (f)
		fclose(f);
	return ours;
}

struct search {
	const char *dir;
	pid_t pid;
	unsigned long long start; /* the youngest: the mount on top is the last that was made */
};

/* Clock ticks after the machine's start. 0: it has ended. */
static unsigned long long start_of(pid_t pid)
{
	unsigned long long ticks = 0;
	char path[64], text[1024];
	const char *p;
	size_t len;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	len = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[len] = '\0';
	p = strrchr(
		text,
		')'); /* the name before it may hold anything; starttime is the 20th word after */
	for (int i = 0; p && i < 20; i++)
		p = strchr(p + 1, ' ');
	if (p)
		ticks = strtoull(p, NULL, 10);
	return ticks;
}

static bool serves(pid_t pid, const char *dir)
{
	char path[64], text[4 * PATH_MAX];
	const char *last;
	size_t len;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	len = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	if (len < 2)
		return false;
	text[len] = '\0';
	last = text + len - 1; /* the NUL that ends the last argument */
	while (last > text && last[-1])
		last--;
	return !strcmp(last, dir);
}

static void find_server(pid_t pid, const char *name, void *arg)
{
	struct search *search = arg;

	unsigned long long start;

	if (strcmp(name, SERVER) != 0 || !serves(pid, search->dir))
		return;
	start = start_of(pid);
	if (start >= search->start) {
		search->start = start;
		search->pid = pid;
	}
}

static bool fusermount(const char *dir, bool lazy)
{
	const char *words[] = { "fusermount3", "-u", lazy ? "-z" : "--", dir, NULL };
	int status = -1;
	pid_t pid = fork();

	if (!pid) {
		execvp(words[0], (char **)words);
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return pid > 0 && WIFEXITED(status) && !WEXITSTATUS(status);
}

int cmd_umount(const struct command *cmd, int argc, char **argv)
{
	struct search search = { 0 };
	bool lazy = argc > 1 && !strcmp(argv[1], "-l");
	char dir[PATH_MAX];
	int status = EXIT_OK, pidfd = -1;

	if (argc > 1 + lazy && argv[1 + lazy][0] == '-')
		return usage_error(cmd, "umount has no option '%s'", argv[1 + lazy]);
	if (argc != 2 + lazy)
		return usage_error(cmd, argc < 2 + lazy ? "umount what?" : "one word too many");
	if (!canonical(argv[1 + lazy], dir))
		return fail("%s: %s", argv[1 + lazy], strerror(errno));
	if (!is_ours(dir))
		return fail("%s is no mount of slabwork's", dir);
	search.dir = dir;
	process_each(find_server, &search);
	if (search.pid)
		pidfd = (int)syscall(SYS_pidfd_open, search.pid, 0);
	if (umount2(dir, UMOUNT_NOFOLLOW | (lazy ? MNT_DETACH : 0))) {
		if (errno == EBUSY)
			status = fail(
				"%s is in use (fuser -vm %s shows by whom); -l unmounts all the "
				"same",
				dir, dir);
		else if (errno != EPERM)
			status = fail("%s: %s", dir, strerror(errno));
		else if (!fusermount(dir, lazy)) /* has said why */
			status = EXIT_FAIL;
	}
	if (pidfd >= 0) {
		struct pollfd pfd = { .fd = pidfd, .events = POLLIN };

		if (status == EXIT_OK && !lazy && !poll(&pfd, 1, END_MAX_MS))
			status = fail("%s is unmounted, but its server has not ended yet", dir);
		close(pidfd);
	}
	return status;
}
