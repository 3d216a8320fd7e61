/* SPDX-License-Identifier: MIT */
/*
 * server.c - a thread that answers requests, one line each
 *
 * Room: kernel. Door: kernel/server.h; protocol and places: <slabwork/control.h>.
 *
 * 1. Who starts it: the constructor of proc/control.c, after libc and before main. A program without
 * the word `control` in SLABWORK gets no thread, no descriptor and no file.
 *
 * 2. The thread leaves the process's table of descriptors before it opens anything
 * (os_own_files()), so a program that closes all it did not open, or that hands its
 * descriptors on, meets none of ours; and fork copies the forking thread's table.
 *
 *   asked ──server_start()──▶ thread ──▶ own files ──▶ folder ──▶ listen ──▶ answer for ever
 *                               ▲                         └─ not ours alone: a warning, no thread
 *   fork: child has no thread ──┘ server_tick(), LINGER_NS after the fork, from a slow path
 *   exec: the new program's constructor removes the old name and begins anew
 *   exit: the destructor removes the name; after a kill it stays, and callers are refused
 *
 * 3. Nothing here allocates but the thread's start. Requests are served one after the other;
 * who says nothing for TIMEOUT_S seconds is dropped.
 *
 * Locks: none. started is exchanged by whoever wants to start.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <slabwork/control.h>

#include "kernel/fork.h"
#include "kernel/kthread.h"
#include "kernel/param.h"
#include "kernel/printk.h"
#include "kernel/server.h"
#include "os/os.h"
#include "os/socket.h"

#define REQUEST_MAX 512
#define REPLY_MAX   1024
#define TIMEOUT_S   2
#define LINGER_NS   250000000ULL /* a child that lives that long does not just execute */
#define PATH_SIZE   512

/* What the linker gathered; weak: an archive's program may have none. */
extern const struct server_command __start_sw_commands[]
	__attribute__((weak, visibility("hidden")));
extern const struct server_command __stop_sw_commands[] __attribute__((weak, visibility("hidden")));

bool server_asked;
bool server_lost;
static _Atomic int started;
static uint64_t forked_ns;
static char socket_path[PATH_SIZE]; /* "": none made */
static int socket_pid;              /* whose it is: not a forked child's */

static int set_control(const char *value)
{
	return param_bool(value, &server_asked);
}
__param(control, "control", set_control, "0 or 1", PARAM_NONE);

/* ---- answering ------------------------------------------------------------------------ */

static const struct server_command *find_command(const char *name)
{
	for (const struct server_command *c = __start_sw_commands; c < __stop_sw_commands; c++)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}

static const char *run_command(char *line, struct textbuf *reply)
{
	char *args = line + strcspn(line, " ");
	const struct server_command *command;

	if (*args)
		*args++ = '\0';
	command = find_command(line);
	return command ? command->run(args, reply) : "unknown request";
}

static void answer(int conn)
{
	char line[REQUEST_MAX], body[REPLY_MAX], head[128];
	const char *wrong;
	struct textbuf reply;
	int len;

	if (!os_peer_trusted(conn) || os_recv_line(conn, line, sizeof(line)) < 0)
		return;
	tb_init(&reply, body, sizeof(body));
	os_borrow_stderr(true); /* should the heap be found broken */
	wrong = run_command(line, &reply);
	os_borrow_stderr(false);
	len = snprintf(head, sizeof(head), "%s %d %s %s%s\n", SW_CONTROL_WORD, SW_CONTROL_PROTOCOL,
		       SW_VERSION, wrong ? "error " : "ok", wrong ? wrong : "");
	if (os_send(conn, head, (size_t)len) && !wrong)
		os_send(conn, body, reply.used);
}

static const char *version(char *args, struct textbuf *reply)
{
	(void)reply;
	return *args ? "version takes nothing" : NULL;
}
SERVER_COMMAND(version, "version", version);

/* ---- the thread ------------------------------------------------------------------------------- */

/* The first folder that is ours alone; its path in path. */
static int open_dir(char *path, size_t size)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	int fd;

	if (runtime && *runtime == '/' &&
	    snprintf(path, size, "%s/%s", runtime, SW_CONTROL_DIR) < (int)size) {
		fd = os_private_dir(path);
		if (fd >= 0)
			return fd;
	}
	snprintf(path, size, "%s%u", SW_CONTROL_TMP, (unsigned int)geteuid());
	fd = os_private_dir(path);
	if (fd == -EPERM) {
		os_borrow_stderr(true);
		pr_warn("slabwork: %s is not ours alone: no control socket, `slabwork trim` will not "
			"reach this process. Set XDG_RUNTIME_DIR.\n",
			path);
		os_borrow_stderr(false);
	}
	return fd;
}

static int open_socket(void)
{
	char path[PATH_SIZE - 16], name[16];
	int dir = open_dir(path, sizeof(path));
	int fd;

	if (dir < 0)
		return dir;
	snprintf(name, sizeof(name), "%d", os_pid());
	snprintf(socket_path, sizeof(socket_path), "%s/%s", path, name);
	fd = os_listen(dir, name);
	os_close(dir);
	if (fd >= 0)
		__atomic_store_n(&socket_pid, os_pid(), __ATOMIC_RELEASE);
	return fd;
}

static void serve(void *arg)
{
	int fd = os_own_files(), conn;

	(void)arg;
	if (fd < 0)
		return;
	fd = open_socket();
	if (fd < 0)
		return;
	for (;;) {
		conn = os_accept(fd, TIMEOUT_S);
		if (conn >= 0) {
			answer(conn);
			os_close(conn);
		} else if (conn != -EINTR && conn != -ECONNABORTED) {
			os_sleep_ns(LINGER_NS); /* no descriptors, no memory: it may pass */
		}
	}
}

void server_start(void)
{
	if (!server_asked || __atomic_exchange_n((int *)&started, 1, __ATOMIC_ACQ_REL))
		return;
	server_lost = false;
	kthread_run(serve, NULL, "slabwork");
}

void server_tick_slow(void)
{
	if (os_now_coarse_ns() - forked_ns >= LINGER_NS)
		server_start();
}

static void fork_child_server(void)
{
	if (!server_asked || !__atomic_exchange_n((int *)&started, 0, __ATOMIC_ACQ_REL))
		return;
	socket_pid = 0;
	forked_ns = os_now_coarse_ns();
	server_lost = true;
}
FORK_HANDLER(server, 1, NULL, NULL, fork_child_server);

__attribute__((destructor)) static void server_end(void)
{
	if (__atomic_load_n(&socket_pid, __ATOMIC_ACQUIRE) == os_pid())
		os_unlink(socket_path);
}
