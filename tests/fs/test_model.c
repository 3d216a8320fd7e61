/* SPDX-License-Identifier: MIT */
/*
 * test_model.c - random calls, on our tmpfs and on the host's, compared call by call
 *
 * Both trees begin empty; every call is made on both and must give the same: result, errno, bytes,
 * fields of stat. The host's side runs in a chroot (root, or a user namespace), so that the same paths mean the same on both.
 * Not compared: numbers that nobody promises (st_ino, st_dev, st_blksize, sizes of directories, st_blocks), the values of times
 * that are "now" (but whether they are), atime of links (see CAVEATS.md), the order of entries.
 *
 * Quick: FS_MODEL_CALLS 60,000 by default; the slow suite sets it to millions.
 */

#include "fs_test.h"

#include <dirent.h>
#include <grp.h>
#include <sched.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <stdarg.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#define SLOTS   24
#define BUF     70000
#define HISTORY 24
#define NAMES   6

static struct rng rng;
static int ours_fd[SLOTS], host_fd[SLOTS]; /* -1: closed, on both */
static char ours_buf[BUF], host_buf[BUF], source[BUF];
static char history[HISTORY][256];
static unsigned long calls;
static time_t start;
static bool is_root;   /* may change who we are */
static uid_t me;       /* who the next call is by */
static bool different; /* a call differed */

static char what[256]; /* the call being made */

static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
}

static void remember(long result)
{
	snprintf(history[calls % HISTORY], sizeof(history[0]), "%.200s = %ld", what, result);
	calls++;
}

static void tell(void)
{
	for (unsigned long i = calls > HISTORY ? calls - HISTORY : 0; i < calls; i++)
		kunit_log_line("%6lu  %s", i, history[i % HISTORY]);
}

/* Both sides' results; the host's as -errno. */
static bool same(long ours, long host)
{
	remember(ours);
	if (ours == host)
		return true;
	tell();
	kunit_log_line("ours %ld (%s), the host's %ld (%s)", ours,
		       ours < 0 ? strerror((int)-ours) : "", host,
		       host < 0 ? strerror((int)-host) : "");
	different = true;
	return false;
}

static long host(long result)
{
	return result < 0 ? -errno : result;
}

static unsigned int below(unsigned int n)
{
	return rng_below(&rng, n);
}

/* ---- what to call with ------------------------------------------------------------------------- */

static const char *const name[NAMES] = { "a", "b", "c",
					 "d", "e", "long-name-that-is-longer-than-an-inline-one" };

/* Of two wrong paths, which is complained about first is left open. */
static bool no_long_names;

/* "/a/b", "../c", "d/": nearly all short, some strange. */
static char *random_path(char *path)
{
	size_t len = 0;
	unsigned int parts = 1 + below(3);

	if (!below(200) && !no_long_names) { /* of 255 or 256 bytes */
		len = 255 + below(2);
		memset(path, 'n', len + 1);
		path[0] = '/'; /* of a directory that is gone, ENOENT comes first */
		path[len + 1] = 0;
		return path;
	}
	if (!below(300)) {
		path[0] = 0;
		return path;
	}
	if (!below(3))
		path[len++] = '/';
	for (unsigned int i = 0; i < parts; i++) {
		unsigned int which = below(NAMES + 2 + 4);
		const char *part = which < NAMES      ? name[which] :
				   which == NAMES     ? "." :
				   which == NAMES + 1 ? ".." :
							name[which & 1];

		len += (size_t)snprintf(path + len, 64, "%s%s", i ? "/" : "", part);
		if (!below(40))
			path[len++] = '/';
	}
	if (!below(25))
		path[len++] = '/';
	path[len] = 0;
	return path;
}

static int64_t random_offset(void)
{
	switch (below(24)) {
	case 0:
		return -1 - (int64_t)below(5000);
	case 1:
		return (int64_t)(rng_next(&rng) >> 1);
	case 2:
		return INT64_MAX - below(5000);
	case 3:
		return ((int64_t)1 << 40) + below(10000);
	case 4:
	case 5:
	case 6:
	case 7:
		return (int64_t)below(64) * 4096;
	default:
		return below(200000);
	}
}

static size_t random_length(void)
{
	switch (below(8)) {
	case 0:
		return 0;
	case 1:
		return below(BUF - 100);
	case 2:
		return 4096;
	default:
		return below(9000);
	}
}

static mode_t random_mode(void)
{
	static const mode_t usual[] = { 0644, 0755, 0600, 0777, 0700, 0444, 01777, 02755, 04755, 0 };

	return below(4) ? usual[below(10)] : below(010000);
}

static unsigned int slot(void)
{
	return below(SLOTS);
}

/* A slot that is open if there is one near. */
static unsigned int open_slot(void)
{
	unsigned int i = slot();

	for (unsigned int k = 0; k < SLOTS && below(50); k++, i = (i + 1) % SLOTS)
		if (ours_fd[i] >= 0)
			break;
	return i;
}

/* ---- who calls ------------------------------------------------------------------------------------ */

static void become(uid_t uid)
{
	gid_t group = uid ? 100 : 0;

	if (!is_root || uid == me)
		return;
	setfsuid(0);
	if (syscall(SYS_setgroups, 1, &group) < 0)
		abort();
	setfsgid(uid);
	setfsuid(uid);
	sw_fs_setcred(uid, uid, 1, &group);
	me = uid;
}

/* ---- comparing stat ---------------------------------------------------------------------------------- */

static bool time_same(const struct timespec *ours, const struct timespec *theirs)
{
	if (theirs->tv_sec < start - 10)
		return ours->tv_sec == theirs->tv_sec && ours->tv_nsec == theirs->tv_nsec;
	return ours->tv_sec >= start - 10;
}

static bool stat_same(const struct stat *ours, const struct stat *theirs)
{
	const char *field =
		ours->st_mode != theirs->st_mode                                        ? "mode" :
		ours->st_nlink != theirs->st_nlink                                      ? "nlink" :
		ours->st_uid != theirs->st_uid                                          ? "uid" :
		ours->st_gid != theirs->st_gid                                          ? "gid" :
		ours->st_rdev != theirs->st_rdev                                        ? "rdev" :
		!S_ISDIR(ours->st_mode) && ours->st_size != theirs->st_size             ? "size" :
		!S_ISLNK(ours->st_mode) && !time_same(&ours->st_atim, &theirs->st_atim) ? "atime" :
		!time_same(&ours->st_mtim, &theirs->st_mtim)                            ? "mtime" :
		!time_same(&ours->st_ctim, &theirs->st_ctim)                            ? "ctime" :
											  NULL;

	if (!field)
		return true;
	tell();
	kunit_log_line(
		"stat: %s differs: mode %o %o nlink %lu %lu uid %u %u gid %u %u size %ld %ld "
		"atime %ld %ld mtime %ld %ld",
		field, ours->st_mode, theirs->st_mode, (unsigned long)ours->st_nlink,
		(unsigned long)theirs->st_nlink, ours->st_uid, theirs->st_uid, ours->st_gid,
		theirs->st_gid, (long)ours->st_size, (long)theirs->st_size,
		(long)ours->st_atim.tv_sec, (long)theirs->st_atim.tv_sec,
		(long)ours->st_mtim.tv_sec, (long)theirs->st_mtim.tv_sec);
	different = true;
	return false;
}

static bool bytes_same(long n)
{
	if (n <= 0 || !memcmp(ours_buf, host_buf, (size_t)n))
		return true;
	tell();
	for (long i = 0; i < n; i++) {
		if (ours_buf[i] != host_buf[i]) {
			kunit_log_line("byte %ld of %ld: ours %02x, the host's %02x", i, n,
				       (unsigned char)ours_buf[i], (unsigned char)host_buf[i]);
			break;
		}
	}
	different = true;
	return false;
}

/* ---- the calls -------------------------------------------------------------------------------------------- */

static char p[600], q[600];

static void do_open(void)
{
	static const int flag[] = { O_CREAT,    O_EXCL,    O_TRUNC,   O_APPEND, O_DIRECTORY,
				    O_NOFOLLOW, O_CLOEXEC, O_NOATIME, O_PATH };
	unsigned int i = slot();
	int flags = (int)below(3), ours, theirs;
	mode_t mode = random_mode();
	struct stat st;

	for (unsigned int k = 0; k < 9; k++)
		if (!below(k == 0 ? 2 : k < 4 ? 6 : 14))
			flags |= flag[k];
	/* Linux 6.18 may say EACCES of a link in a sticky directory before it says ELOOP. */
	if ((flags & (O_CREAT | O_EXCL)) == O_CREAT)
		flags &= ~O_NOFOLLOW;
	random_path(p);
	/* The host would wait for a pipe's other end, or open a device. */
	if (!stat(p, &st) && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return;
	say("%u: open(\"%s\", %#o, %#o) -> slot %u", me, p, flags, mode, i);
	if (ours_fd[i] >= 0) {
		sw_fs_close(ours_fd[i]);
		close(host_fd[i]);
		ours_fd[i] = host_fd[i] = -1;
	}
	ours = sw_fs_open(p, flags, mode);
	theirs = (int)host(open(p, flags, mode));
	if (same(ours < 0 ? ours : 0, theirs < 0 ? theirs : 0) && ours >= 0) {
		ours_fd[i] = ours;
		host_fd[i] = theirs;
	}
}

static void do_openat(void)
{
	unsigned int i = slot(), d = open_slot();
	int flags = (below(2) ? O_CREAT : 0) | (int)below(3), ours, theirs;
	struct stat st;

	random_path(p);
	if (!fstatat(host_fd[d], p, &st, 0) && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return;
	if (ours_fd[i] >= 0 || i == d)
		return;
	say("%u: openat(slot %u, \"%s\", %#o) -> slot %u", me, d, p, flags, i);
	ours = sw_fs_openat(ours_fd[d], p, flags, 0666);
	theirs = (int)host(openat(host_fd[d], p, flags, 0666));
	if (same(ours < 0 ? ours : 0, theirs < 0 ? theirs : 0) && ours >= 0) {
		ours_fd[i] = ours;
		host_fd[i] = theirs;
	}
}

static void do_close(void)
{
	unsigned int i = slot();

	say("close(slot %u)", i);
	same(sw_fs_close(ours_fd[i]), host(close(host_fd[i])));
	ours_fd[i] = host_fd[i] = -1;
}

static void do_dup(void)
{
	unsigned int i = slot(), from = open_slot();
	int ours, theirs;

	if (ours_fd[i] >= 0)
		return;
	say("dup(slot %u) -> slot %u", from, i);
	ours = sw_fs_dup(ours_fd[from]);
	theirs = (int)host(dup(host_fd[from]));
	if (same(ours < 0 ? ours : 0, theirs < 0 ? theirs : 0) && ours >= 0) {
		ours_fd[i] = ours;
		host_fd[i] = theirs;
	}
}

static void do_read(void)
{
	unsigned int i = open_slot();
	size_t n = 1 + random_length(); /* of no bytes: tmpfs moves the atime, others do not */
	int64_t pos = random_offset();
	long ours, theirs;

	memset(ours_buf, 1, n);
	memset(host_buf, 1, n);
	if (below(2)) {
		say("%u: pread(slot %u, %zu, %ld)", me, i, n, (long)pos);
		ours = sw_fs_pread(ours_fd[i], ours_buf, n, pos);
		theirs = host(pread(host_fd[i], host_buf, n, pos));
	} else {
		say("%u: read(slot %u, %zu)", me, i, n);
		ours = sw_fs_read(ours_fd[i], ours_buf, n);
		theirs = host(read(host_fd[i], host_buf, n));
	}
	if (same(ours, theirs))
		bytes_same(ours);
}

static void do_readv(void)
{
	unsigned int i = open_slot();
	struct iovec ours_iov[3], host_iov[3];
	size_t at = 0;

	for (int k = 0; k < 3; k++) {
		size_t n = below(6000);

		ours_iov[k] = (struct iovec){ ours_buf + at, n };
		host_iov[k] = (struct iovec){ host_buf + at, n };
		at += n;
	}
	memset(ours_buf, 1, at);
	memset(host_buf, 1, at);
	if (below(2)) {
		say("readv(slot %u, %zu in 3)", i, at);
		if (same(sw_fs_readv(ours_fd[i], ours_iov, 3),
			 host(readv(host_fd[i], host_iov, 3))))
			bytes_same((long)at);
	} else {
		int64_t pos = below(150000);

		memcpy(ours_buf, source, at);
		memcpy(host_buf, source, at);
		say("pwritev(slot %u, %zu in 3, %ld)", i, at, (long)pos);
		same(sw_fs_pwritev(ours_fd[i], ours_iov, 3, pos),
		     host(pwritev(host_fd[i], host_iov, 3, pos)));
	}
}

static void do_write(void)
{
	unsigned int i = open_slot(), from = below(BUF / 2);
	size_t n = random_length() / 2;
	int64_t pos = random_offset();

	if (below(2)) {
		say("%u: pwrite(slot %u, %zu, %ld)", me, i, n, (long)pos);
		same(sw_fs_pwrite(ours_fd[i], source + from, n, pos),
		     host(pwrite(host_fd[i], source + from, n, pos)));
	} else {
		say("%u: write(slot %u, %zu)", me, i, n);
		same(sw_fs_write(ours_fd[i], source + from, n),
		     host(write(host_fd[i], source + from, n)));
	}
}

static void do_lseek(void)
{
	static const int whence[] = { SEEK_SET, SEEK_CUR, SEEK_END, SEEK_DATA, SEEK_HOLE, 17 };
	unsigned int i = open_slot(), w = below(below(20) ? 3 : 6);
	int64_t pos = random_offset();
	struct stat st;

	/* Positions of a directory are its own business. Where data lie depends on the size of folios. */
	if (fstat(host_fd[i], &st) || S_ISDIR(st.st_mode))
		return;
	if (w == 1 || w == 2)
		pos -= 100000;
	say("lseek(slot %u, %ld, %d) of %ld bytes", i, (long)pos, whence[w], (long)st.st_size);
	if (w == 3 || w == 4) {
		long ours = sw_fs_lseek(ours_fd[i], pos, whence[w]),
		     theirs = host(lseek(host_fd[i], pos, whence[w]));

		if (theirs >= 0 || ours < 0)
			same(ours < 0 ? ours : 0, theirs < 0 ? theirs : 0);
		sw_fs_lseek(ours_fd[i], 0, SEEK_SET);
		lseek(host_fd[i], 0, SEEK_SET);
		return;
	}
	same(sw_fs_lseek(ours_fd[i], pos, whence[w]), host(lseek(host_fd[i], pos, whence[w])));
}

static void do_truncate(void)
{
	unsigned int i = open_slot();
	int64_t len = random_offset();

	if (below(3)) {
		say("%u: ftruncate(slot %u, %ld)", me, i, (long)len);
		same(sw_fs_ftruncate(ours_fd[i], len), host(ftruncate(host_fd[i], len)));
	} else {
		say("%u: truncate(\"%s\", %ld)", me, random_path(p), (long)len);
		same(sw_fs_truncate(p, len), host(truncate(p, len)));
	}
}

static void do_fallocate(void)
{
	static const int mode[] = { 0, FALLOC_FL_KEEP_SIZE,
				    FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				    FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				    FALLOC_FL_PUNCH_HOLE };
	unsigned int i = open_slot();
	int m = mode[below(5)];
	int64_t pos = (int64_t)below(200000) - 100, len = (int64_t)below(100000) - 10;

	say("%u: fallocate(slot %u, %d, %ld, %ld)", me, i, m, (long)pos, (long)len);
	same(sw_fs_fallocate(ours_fd[i], m, pos, len), host(fallocate(host_fd[i], m, pos, len)));
}

static void do_stat(void)
{
	struct stat ours, theirs;
	unsigned int i = open_slot();
	long a, b;

	switch (below(4)) {
	case 0:
		say("%u: lstat(\"%s\")", me, random_path(p));
		a = sw_fs_lstat(p, &ours);
		b = host(lstat(p, &theirs));
		break;
	case 1:
		say("%u: fstat(slot %u)", me, i);
		a = sw_fs_fstat(ours_fd[i], &ours);
		b = host(fstat(host_fd[i], &theirs));
		break;
	case 2:
		say("%u: fstatat(slot %u, \"%s\")", me, i, random_path(p));
		a = sw_fs_fstatat(ours_fd[i], p, &ours, AT_SYMLINK_NOFOLLOW);
		b = host(fstatat(host_fd[i], p, &theirs, AT_SYMLINK_NOFOLLOW));
		break;
	default:
		say("%u: stat(\"%s\")", me, random_path(p));
		a = sw_fs_stat(p, &ours);
		b = host(stat(p, &theirs));
	}
	if (same(a, b) && !a)
		stat_same(&ours, &theirs);
}

static void do_make(void)
{
	mode_t mode = random_mode();

	random_path(p);
	switch (below(6)) {
	case 0:
		say("%u: mknod(\"%s\", pipe)", me, p);
		same(sw_fs_mknod(p, S_IFIFO | mode, 0), host(mknod(p, S_IFIFO | mode, 0)));
		break;
	case 1:
		say("%u: symlink(\"%s\", \"%s\")", me, random_path(q), p);
		same(sw_fs_symlink(q, p), host(symlink(q, p)));
		break;
	default:
		say("%u: mkdir(\"%s\", %#o)", me, p, mode);
		same(sw_fs_mkdir(p, mode), host(mkdir(p, mode)));
	}
}

static void do_remove(void)
{
	random_path(p);
	switch (below(4)) {
	case 0:
		say("%u: rmdir(\"%s\")", me, p);
		same(sw_fs_rmdir(p), host(rmdir(p)));
		break;
	case 1:
		say("%u: unlinkat(\"%s\", AT_REMOVEDIR)", me, p);
		same(sw_fs_unlinkat(AT_FDCWD, p, AT_REMOVEDIR),
		     host(unlinkat(AT_FDCWD, p, AT_REMOVEDIR)));
		break;
	default:
		say("%u: unlink(\"%s\")", me, p);
		same(sw_fs_unlink(p), host(unlink(p)));
	}
}

static void do_rename(void)
{
	static const unsigned int flag[] = { 0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE, 3 };
	unsigned int f = flag[below(5)];

	no_long_names = true;
	random_path(p);
	random_path(q);
	say("%u: renameat2(\"%s\", \"%s\", %u)", me, p, q, f);
	same(sw_fs_renameat2(AT_FDCWD, p, AT_FDCWD, q, f),
	     host(syscall(SYS_renameat2, AT_FDCWD, p, AT_FDCWD, q, f)));
}

static bool protected_links; /* a setting of the host that we do not have: who may link to what */

static void do_link(void)
{
	if (protected_links && me)
		return;
	no_long_names = true;
	random_path(p);
	random_path(q);
	if (below(4)) {
		say("%u: link(\"%s\", \"%s\")", me, p, q);
		same(sw_fs_link(p, q), host(link(p, q)));
	} else {
		say("%u: linkat(\"%s\", \"%s\", FOLLOW)", me, p, q);
		same(sw_fs_linkat(AT_FDCWD, p, AT_FDCWD, q, AT_SYMLINK_FOLLOW),
		     host(linkat(AT_FDCWD, p, AT_FDCWD, q, AT_SYMLINK_FOLLOW)));
	}
}

static void do_readlink(void)
{
	size_t n = below(4) ? 500 : below(20);
	long ours, theirs;

	say("%u: readlink(\"%s\", %zu)", me, random_path(p), n);
	ours = sw_fs_readlink(p, ours_buf, n);
	theirs = host(readlink(p, host_buf, n));
	if (same(ours, theirs))
		bytes_same(ours);
}

static void do_chmod(void)
{
	unsigned int i = open_slot();
	mode_t mode = random_mode();

	if (below(2)) {
		say("%u: chmod(\"%s\", %#o)", me, random_path(p), mode);
		same(sw_fs_chmod(p, mode), host(chmod(p, mode)));
	} else {
		say("%u: fchmod(slot %u, %#o)", me, i, mode);
		same(sw_fs_fchmod(ours_fd[i], mode), host(fchmod(host_fd[i], mode)));
	}
}

static void do_chown(void)
{
	static const uid_t id[] = { 0, 1000, 1001, 100, (uid_t)-1 };
	uid_t u = id[below(5)];
	gid_t g = id[below(5)];

	random_path(p);
	if (below(2)) {
		say("%u: lchown(\"%s\", %d, %d)", me, p, (int)u, (int)g);
		same(sw_fs_lchown(p, u, g), host(lchown(p, u, g)));
	} else {
		say("%u: chown(\"%s\", %d, %d)", me, p, (int)u, (int)g);
		same(sw_fs_chown(p, u, g), host(chown(p, u, g)));
	}
}

static void do_times(void)
{
	struct timespec times[2];
	int flags = below(3) ? 0 : AT_SYMLINK_NOFOLLOW;

	for (int i = 0; i < 2; i++) {
		times[i] = (struct timespec){ below(1 << 30), below(1000000000) };
		if (!below(5))
			times[i].tv_nsec = UTIME_NOW;
		else if (!below(5))
			times[i].tv_nsec = UTIME_OMIT;
		else if (!below(40))
			times[i].tv_nsec = 1000000000;
	}
	say("%u: utimensat(\"%s\", %ld.%ld, %ld.%ld, %#x)", me, random_path(p), times[0].tv_sec,
	    times[0].tv_nsec, times[1].tv_sec, times[1].tv_nsec, flags);
	same(sw_fs_utimensat(AT_FDCWD, p, times, flags),
	     host(utimensat(AT_FDCWD, p, times, flags)));
}

static void do_access(void)
{
	int mode = (int)below(9);

	/* access(2) asks by the real uid, which stays; the effective one is what ours knows. */
	say("%u: faccessat(\"%s\", %d, AT_EACCESS)", me, random_path(p), mode);
	if (me)
		return;
	same(sw_fs_faccessat(AT_FDCWD, p, mode, AT_EACCESS),
	     host(faccessat(AT_FDCWD, p, mode, AT_EACCESS)));
}

static void do_cwd(void)
{
	unsigned int i = open_slot();
	long ours, theirs;

	switch (below(3)) {
	case 0:
		say("%u: chdir(\"%s\")", me, random_path(p));
		same(sw_fs_chdir(p), host(chdir(p)));
		break;
	case 1:
		say("%u: fchdir(slot %u)", me, i);
		same(sw_fs_fchdir(ours_fd[i]), host(fchdir(host_fd[i])));
		break;
	default:
		say("getcwd()");
		ours = sw_fs_getcwd(ours_buf, 2000);
		theirs = host(syscall(SYS_getcwd, host_buf, 2000UL));
		if (same(ours, theirs))
			bytes_same(ours);
		if (ours == -ENOENT || !below(4)) {
			say("chdir(\"/\")");
			same(sw_fs_chdir("/"), host(chdir("/")));
		}
	}
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* All entries from the start, "type name" sorted, into out. */
static long list(ssize_t (*getdents)(int fd, void *buf, size_t size), int fd, size_t header,
		 char *out)
{
	static char entry[4000][300];
	static const char *sorted[4000];
	union {
		char bytes[700];
		uint64_t align;
	} buf;
	size_t nr = 0, len = 0;
	ssize_t n;

	while ((n = getdents(fd, &buf, sizeof(buf))) > 0) {
		for (ssize_t at = 0; at < n && nr < 4000; nr++) {
			unsigned short reclen;

			memcpy(&reclen, buf.bytes + at + 16, sizeof(reclen));
			snprintf(entry[nr], sizeof(entry[nr]), "%d %s", buf.bytes[at + 18],
				 buf.bytes + at + (ssize_t)header);
			sorted[nr] = entry[nr];
			at += reclen;
		}
	}
	if (n < 0)
		return n;
	qsort(sorted, nr, sizeof(sorted[0]), by_name);
	for (size_t i = 0; i < nr && len < BUF - 300; i++)
		len += (size_t)snprintf(out + len, 300, "%s\n", sorted[i]);
	return (long)len;
}

static ssize_t host_getdents(int fd, void *buf, size_t size)
{
	return host(syscall(SYS_getdents64, fd, buf, size));
}

static void do_list(void)
{
	unsigned int i = open_slot();
	struct stat st;
	long ours, theirs;

	if (!fstat(host_fd[i], &st) && S_ISDIR(st.st_mode)) {
		sw_fs_lseek(ours_fd[i], 0, SEEK_SET);
		lseek(host_fd[i], 0, SEEK_SET);
	}
	say("%u: getdents(slot %u)", me, i);
	ours = list(sw_fs_getdents, ours_fd[i], offsetof(struct sw_fs_dirent, d_name), ours_buf);
	theirs = list(host_getdents, host_fd[i], offsetof(struct dirent64, d_name), host_buf);
	if (!same(ours, theirs) && ours > 0)
		kunit_log_line("ours:\n%.*s\nthe host's:\n%.*s", (int)ours, ours_buf,
			       (int)(theirs > 0 ? theirs : 0), host_buf);
	else
		bytes_same(ours);
}

static void do_fcntl(void)
{
	unsigned int i = open_slot();

	switch (below(4)) {
	case 0: {
		long ours = sw_fs_fcntl(ours_fd[i], F_GETFL, 0),
		     theirs = host(fcntl(host_fd[i], F_GETFL));

		say("fcntl(slot %u, F_GETFL)", i);
		same(ours & ~0100000L, theirs & ~0100000L); /* O_LARGEFILE */
		break;
	}
	case 1:
		say("fcntl(slot %u, F_SETFL, O_APPEND)", i);
		same(sw_fs_fcntl(ours_fd[i], F_SETFL, O_APPEND),
		     host(fcntl(host_fd[i], F_SETFL, O_APPEND)));
		break;
	case 2:
		say("fcntl(slot %u, F_SETFL, 0)", i);
		same(sw_fs_fcntl(ours_fd[i], F_SETFL, 0), host(fcntl(host_fd[i], F_SETFL, 0)));
		break;
	default:
		say("fcntl(slot %u, F_GETFD)", i);
		same(sw_fs_fcntl(ours_fd[i], F_GETFD, 0), host(fcntl(host_fd[i], F_GETFD)));
	}
}

static void do_umask(void)
{
	mode_t mask = below(3) ? 022 : below(01000);

	say("umask(%#o)", mask);
	same(sw_fs_umask(mask), umask(mask));
}

static void do_sync(void)
{
	unsigned int i = open_slot();

	say("fsync(slot %u)", i);
	if (below(2))
		same(sw_fs_fsync(ours_fd[i]), host(fsync(host_fd[i])));
	else
		same(sw_fs_fdatasync(ours_fd[i]), host(fdatasync(host_fd[i])));
}

static bool host_has_xattrs;

static void do_xattr(void)
{
	static const char *const attr[] = { "user.a", "user.b", "user.c", "user.", "nonsense" };
	const char *which = attr[below(below(10) ? 3 : 5)];
	size_t n = below(300);
	long ours, theirs;

	if (!host_has_xattrs)
		return;
	random_path(p);
	switch (below(3)) {
	case 0: {
		int flags = below(3) ? 0 : (int)below(3);

		say("%u: setxattr(\"%s\", %s, %zu, %d)", me, p, which, n, flags);
		same(sw_fs_setxattr(p, which, source + n, n, flags),
		     host(setxattr(p, which, source + n, n, flags)));
		break;
	}
	case 1:
		say("%u: removexattr(\"%s\", %s)", me, p, which);
		same(sw_fs_removexattr(p, which), host(removexattr(p, which)));
		break;
	default:
		say("%u: getxattr(\"%s\", %s, %zu)", me, p, which, n);
		ours = sw_fs_getxattr(p, which, ours_buf, n);
		theirs = host(getxattr(p, which, host_buf, n));
		if (same(ours, theirs))
			bytes_same(n ? ours : 0);
	}
}

static void do_become(void)
{
	static const uid_t id[] = { 0, 0, 1000, 1001 };

	become(id[below(4)]);
}

struct action {
	void (*run)(void);
	unsigned int weight;
};

static const struct action action[] = {
	{ do_open, 16 },    { do_openat, 3 },    { do_close, 4 },  { do_dup, 1 },
	{ do_read, 12 },    { do_readv, 2 },     { do_write, 12 }, { do_lseek, 4 },
	{ do_truncate, 4 }, { do_fallocate, 2 }, { do_stat, 14 },  { do_make, 8 },
	{ do_remove, 6 },   { do_rename, 6 },    { do_link, 4 },   { do_readlink, 2 },
	{ do_chmod, 3 },    { do_chown, 2 },     { do_times, 3 },  { do_access, 2 },
	{ do_cwd, 3 },      { do_list, 3 },      { do_fcntl, 2 },  { do_umask, 1 },
	{ do_sync, 1 },     { do_xattr, 3 },     { do_become, 1 },
};

static void random_call(void)
{
	unsigned int sum = 0, pick;

	no_long_names = false;
	for (size_t i = 0; i < sizeof(action) / sizeof(action[0]); i++)
		sum += action[i].weight;
	pick = below(sum);
	for (size_t i = 0;; i++) {
		if (pick < action[i].weight) {
			action[i].run();
			return;
		}
		pick -= action[i].weight;
	}
}

/* ---- both trees ------------------------------------------------------------------------------------------- */

/* An empty tmpfs, mounted where only this process sees it, and the process inside of it. */
static void enter_tree(struct kunit *test, bool as_root)
{
	if (unshare(CLONE_NEWNS | (geteuid() ? CLONE_NEWUSER : 0)) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", "/tmp", "tmpfs", 0, "mode=0755,size=90%"))
		kunit_skip(test, "no tmpfs of one's own may be mounted here");
	KUNIT_ASSERT_EQ(test, chroot("/tmp"), 0);
	KUNIT_ASSERT_EQ(test, chdir("/"), 0);
	is_root = as_root && !geteuid();
}

static void clear_slots(void)
{
	for (int i = 0; i < SLOTS; i++)
		ours_fd[i] = host_fd[i] = -1;
}

static long nr_calls(void)
{
	const char *text = getenv("FS_MODEL_CALLS");

	return text ? atol(text) : 60000;
}

static bool is_set(const char *path)
{
	FILE *f = fopen(path, "r");
	int value = 0;

	if (f && fscanf(f, "%d", &value) != 1)
		value = 0;
	if (f)
		fclose(f);
	return value;
}

static void compare_calls(struct kunit *test, bool as_root)
{
	rng.state = kunit_seed(test);
	start = time(NULL);
	clear_slots();
	KUNIT_ASSERT_EQ(test, sw_fs_mount("tmpfs", NULL, "/", 0, "mode=0755"), 0);
	protected_links = is_set("/proc/sys/fs/protected_hardlinks");
	if (as_root &&
	    (is_set("/proc/sys/fs/protected_symlinks") || is_set("/proc/sys/fs/protected_regular")))
		kunit_skip(test, "the host's fs.protected_symlinks or _regular is on");
	enter_tree(test, as_root);
	umask(022);
	for (size_t i = 0; i < sizeof(source); i++)
		source[i] = (char)rng_next(&rng);
	host_has_xattrs = !setxattr("/", "user.t", "", 0, 0) && !removexattr("/", "user.t");
	for (long i = 0; i < nr_calls() && !different; i++)
		random_call();
	KUNIT_EXPECT_FALSE(test, different);
	kunit_info(test, "%lu calls compared", calls);
}

KUNIT_TEST(random_calls_give_what_the_hosts_tmpfs_gives, .timeout_s = 3000)
{
	compare_calls(test, false);
}

KUNIT_TEST(random_calls_of_several_users_give_what_the_hosts_tmpfs_gives, .timeout_s = 3000)
{
	compare_calls(test, true);
}
