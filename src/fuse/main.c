/* SPDX-License-Identifier: MIT */
/*
 * main.c - slabwork-mount: a file system of ours as a mount
 *
 * Room: fuse. `slabwork mount` (tool/mount.c) executes this; apart, so that the command needs no libfuse3.
 *
 * Order of things: options; fork, unless -f (before anything that a child would have to copy); the file
 * system; the session; the mount; the parent is told and ends with 0; the loop; and all of it backwards.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <slabwork/fs/fs.h>

#include "fuse/fuse_internal.h"

#define EXIT_FAIL   1
#define MAX_REQUEST (1u << 20)
/* Nothing changes but through the mount, so what the kernel knows stays true. */
#define LONG_S 86400.0
/*
 * Of a file system that has a store, what is cached here is cached in the kernel as well:
 * enough for read-ahead and to gather writes.
 */
#define CACHE_PAGES (64ul << (20 - PAGE_SHIFT))
#define THREADS     8

struct front front;

const struct fuse_lowlevel_ops front_ops;

static int fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static int fail(const char *fmt, ...)
{
	va_list args;

	fputs("slabwork: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	return EXIT_FAIL;
}

/* ---- what we want of the kernel ------------------------------------------------------------ */

static void op_init(void *userdata, struct fuse_conn_info *conn)
{
	unsigned int can = conn->capable;

	(void)userdata;
	conn->max_write = MAX_REQUEST;
	conn->max_background = 64;
	conn->congestion_threshold = 48;
	/*
	 * Not O_TRUNC in open: there is no open. No splice: answers point at our pages as it is. The kernel
	 * removes suid itself, by SETATTR.
	 */
	conn->want &= ~(unsigned int)(FUSE_CAP_ATOMIC_O_TRUNC | FUSE_CAP_SPLICE_READ |
				      FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE |
				      FUSE_CAP_HANDLE_KILLPRIV | FUSE_CAP_AUTO_INVAL_DATA);
	conn->want |= can & (FUSE_CAP_ASYNC_READ | FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_ASYNC_DIO |
			     FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO);
	if (front.per_open)
		return;
	conn->want |= can & (FUSE_CAP_CACHE_SYMLINKS | FUSE_CAP_NO_OPEN_SUPPORT |
			     FUSE_CAP_NO_OPENDIR_SUPPORT | FUSE_CAP_EXPLICIT_INVAL_DATA);
	if (!front.writethrough)
		conn->want |= can & FUSE_CAP_WRITEBACK_CACHE;
	front.no_open = can & FUSE_CAP_NO_OPEN_SUPPORT;
	front.no_opendir = can & FUSE_CAP_NO_OPENDIR_SUPPORT;
}

/* No create: the kernel then makes a node and needs no open, one request for two. No access, flush, locks: its own. */
const struct fuse_lowlevel_ops front_ops = {
	.init = op_init,
	.lookup = op_lookup,
	.forget = op_forget,
	.forget_multi = op_forget_multi,
	.getattr = op_getattr,
	.setattr = op_setattr,
	.readlink = op_readlink,
	.mknod = op_mknod,
	.mkdir = op_mkdir,
	.unlink = op_unlink,
	.rmdir = op_rmdir,
	.symlink = op_symlink,
	.rename = op_rename,
	.link = op_link,
	.open = op_open,
	.read = op_read,
	.write = op_write,
	.release = op_release,
	.fsync = op_fsync,
	.opendir = op_opendir,
	.readdir = op_readdir,
	.readdirplus = op_readdirplus,
	.releasedir = op_releasedir,
	.fsyncdir = op_fsyncdir,
	.statfs = op_statfs,
	.getxattr = op_getxattr,
	.setxattr = op_setxattr,
	.listxattr = op_listxattr,
	.removexattr = op_removexattr,
	.fallocate = op_fallocate,
	.copy_file_range = op_copy_file_range,
	.lseek = op_lseek,
};

/* ---- the place -------------------------------------------------------------------------------- */

/* A descriptor of /dev/fuse that somebody else has mounted, or of a test that plays the kernel. */
static bool is_fd(const char *dir)
{
	return !strncmp(dir, "/dev/fd/", 8);
}

static int find_dir(const char *dir, char place[PATH_MAX])
{
	struct stat st;

	if (is_fd(dir)) {
		snprintf(place, PATH_MAX, "%s", dir);
		return 0;
	}
	if (stat(dir, &st)) {
		if (errno == ENOTCONN)
			return fail("%s is a mount whose server is gone. First: slabwork umount %s",
				    dir, dir);
		return fail("%s: %s", dir, strerror(errno));
	}
	if (!S_ISDIR(st.st_mode))
		return fail("%s is not a directory", dir);
	if (!realpath(dir, place))
		return fail("%s: %s", dir, strerror(errno));
	return 0;
}

/* ---- background ------------------------------------------------------------------------------------ */

#define FIRST_FD 3 /* after the standard three */

/*
 * The parent waits for a byte and ends with 0; with 1 if the child ended without it (which has said why).
 * In the child: the pipe to write it to. -1: it could not be.
 */
static int go_to_background(void)
{
	int ends[2];
	char byte;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return -1;
	pid = fork();
	if (pid < 0)
		return -1;
	if (pid) {
		close(ends[1]);
		_exit(read(ends[0], &byte, 1) == 1 ? 0 : EXIT_FAIL);
	}
	setsid();
	/* Of the caller's descriptors none: he may wait for the end of a pipe. */
	if (ends[1] != FIRST_FD)
		dup3(ends[1], FIRST_FD, O_CLOEXEC);
	close_range(FIRST_FD + 1, ~0u, 0);
	return FIRST_FD;
}

static void leave_terminal(int pipe_fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	ssize_t ignored;

	ignored = chdir("/");
	for (int fd = 0; null >= 0 && fd <= 2; fd++)
		dup2(null, fd);
	close(null);
	ignored = write(pipe_fd, "", 1);
	(void)ignored;
	close(pipe_fd);
}

/* ---- the file system, the session ---------------------------------------------------------------------- */

/* The first of the words that the file system does not take on its own, or all of them. Cuts @words. */
static const char *wrong_word(struct file_system_type *type, char *words)
{
	char copy[sizeof(((struct mount_options *)0)->fs)], *rest = copy, *word;

	snprintf(copy, sizeof(copy), "%s", words);
	while ((word = strsep(&rest, ","))) {
		struct vfsmount *mnt = vfs_kern_mount(type, 0, NULL, word);

		if (!IS_ERR(mnt)) {
			kern_unmount(mnt);
			continue;
		}
		snprintf(words, sizeof(copy), "%s", word);
		break;
	}
	return words;
}

static int say_why_not(struct mount_options *opt, struct file_system_type *type, int err)
{
	bool has_source = !strcmp(opt->type, "dax");

	if (err == EINVAL && has_source && !opt->source)
		return fail(
			"%s wants a source, the file that it lies in: slabwork mount %s FILE %s",
			opt->type, opt->type, opt->dir);
	if (err == EINVAL && has_source)
		return fail("%s is no image of %s's%s%s", opt->source, opt->type,
			    *opt->fs ? ", or the options are not: " : "", opt->fs);
	if (err == EINVAL && *opt->fs)
		return fail("%s does not take '%s'", opt->type, wrong_word(type, opt->fs));
	return fail("cannot make a %s%s%s: %s%s", opt->type, opt->source ? " of " : "",
		    opt->source ? opt->source : "", strerror(err),
		    err == ENOENT ? " (-o size=1g makes it)" : "");
}

static int make_file_system(struct mount_options *opt)
{
	struct sw_cache_limits limits = { .max_pages = opt->cache_pages ? opt->cache_pages :
									  CACHE_PAGES };
	struct file_system_type *type = get_fs_type(opt->type);
	struct vfsmount *mnt;

	if (!type)
		return fail("there is no file system type '%s': tmpfs, dax, proc", opt->type);
	mnt = vfs_kern_mount(type, (int)opt->flags, opt->source, *opt->fs ? opt->fs : NULL);
	if (IS_ERR(mnt))
		return say_why_not(opt, type, (int)-PTR_ERR(mnt));
	front.mnt = mnt;
	front.per_open = !strcmp(opt->type, "proc");
	front.timeout_s = front.per_open ? 0 : LONG_S;
	front.xattr = opt->xattr;
	front.writethrough = opt->writethrough;
	sw_cache_set_limits(&limits);
	if (nodes_init(mnt->mnt_root))
		return fail("no memory");
	return 0;
}

static void add(char *list, size_t size, const char *word)
{
	size_t len = strlen(list);

	snprintf(list + len, size - len, ",%s", word);
}

/* Commas and backslashes of a name would end an option. */
static void add_fsname(char *list, size_t size, const char *name)
{
	size_t len;

	add(list, size, "fsname=");
	for (len = strlen(list); *name && len + 3 < size; name++) {
		if (*name == ',' || *name == '\\')
			list[len++] = '\\';
		list[len++] = *name;
	}
	list[len] = '\0';
}

static struct fuse_session *make_session(const struct mount_options *opt)
{
	char list[2 * PATH_MAX + 2048] = "default_permissions,subtype=slabwork";
	const char *words[] = { "slabwork", "-o", list, NULL };
	struct fuse_args args = FUSE_ARGS_INIT(3, (char **)words);
	struct fuse_session *session;

	if (*opt->kernel)
		add(list, sizeof(list), opt->kernel);
	/* What root mounts is for all, as any mount of root's. */
	if (!geteuid() && !strstr(list, "allow_"))
		add(list, sizeof(list), "allow_other");
	if (!strstr(list, "fsname="))
		add_fsname(list, sizeof(list), opt->source ? opt->source : opt->type);
	session = fuse_session_new(&args, &front_ops, sizeof(front_ops), NULL);
	fuse_opt_free_args(&args);
	return session;
}

static int run_loop(struct fuse_session *session, unsigned int threads)
{
	struct fuse_loop_config *config = fuse_loop_cfg_create();
	int err;

	if (threads == 1)
		return fuse_session_loop(session);
	fuse_loop_cfg_set_max_threads(config, threads);
	fuse_loop_cfg_set_idle_threads(config, threads);
	fuse_loop_cfg_set_clone_fd(config, 0);
	err = fuse_session_loop_mt(session, config);
	fuse_loop_cfg_destroy(config);
	return err;
}

static void say_mounted(const struct mount_options *opt, const char *place)
{
	if (!opt->verbose)
		return;
	fprintf(stderr,
		"slabwork[%d]: %s is mounted on %s. Watch: slabwork top %d  Unmount: slabwork umount %s\n"
		"  (If process %d is killed, %s says \"Transport endpoint is not connected\" until it is "
		"unmounted.)\n",
		(int)getpid(), opt->type, place, (int)getpid(), place, (int)getpid(), place);
}

/*
 * auto_unmount: fusermount3 waits for the end of a socket that libfuse keeps open, then unmounts if the mount is
 * dead. A process that is killed closes its last descriptors first, and a mount whose /dev/fuse is not closed
 * yet is taken for alive: so the socket goes to a number that was kept free below.
 */
#define FDS_LOOKED_AT 64

static int mount_session(struct fuse_session *session, const char *place)
{
	bool was_open[FDS_LOOKED_AT];
	int low = open("/dev/null", O_RDONLY | O_CLOEXEC), err;
	struct stat st;

	for (int fd = 0; fd < FDS_LOOKED_AT; fd++)
		was_open[fd] = fcntl(fd, F_GETFD) >= 0;
	err = fuse_session_mount(session, place);
	for (int fd = low + 1; !err && low >= 0 && fd < FDS_LOOKED_AT; fd++) {
		if (was_open[fd] || fstat(fd, &st) || !S_ISSOCK(st.st_mode))
			continue;
		dup3(fd, low, O_CLOEXEC);
		close(fd);
		return 0;
	}
	if (low >= 0)
		close(low);
	return err;
}

/* Everything is made but the mount. Exit status. */
static int serve(struct fuse_session *session, const struct mount_options *opt, const char *place,
		 int pipe_fd)
{
	int status = 0,
	    message_fd = opt->foreground || isatty(2) ? fcntl(2, F_DUPFD_CLOEXEC, 3) : -1;

	if (mount_session(session, place))
		return EXIT_FAIL; /* libfuse has said why */
	end_prepare(place, message_fd);
	/* When we need memory, the kernel must not write to this very mount to get it. Only root may say so. */
	prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0);
	say_mounted(opt, place);
	if (pipe_fd >= 0)
		leave_terminal(pipe_fd);
	if (end_watch(session) || (!front.per_open && sw_fs_start_writeback()))
		status = fail("cannot start a thread");
	else if (run_loop(session, opt->threads ? opt->threads : THREADS) < 0)
		status = EXIT_FAIL;
	fuse_session_unmount(session);
	return status;
}

int main(int argc, char **argv)
{
	struct fuse_session *session;
	struct mount_options opt;
	char place[PATH_MAX];
	int status, pipe_fd = -1;

	status = options_parse(&opt, argc, argv);
	if (!status)
		status = find_dir(opt.dir, place);
	if (status)
		return status;
	if (!opt.foreground && !is_fd(place)) {
		pipe_fd = go_to_background();
		if (pipe_fd < 0)
			return fail("cannot go to the background: %s", strerror(errno));
	}
	status = make_file_system(&opt);
	if (status)
		return status;
	session = make_session(&opt);
	if (!session)
		return EXIT_FAIL; /* libfuse has said why */
	front.session = session;
	status = serve(session, &opt, place, pipe_fd);
	fuse_session_destroy(session);
	sw_fs_stop_writeback();
	nodes_exit();
	sync_filesystem(front.mnt->mnt_sb);
	kern_unmount(front.mnt);
	return status;
}
