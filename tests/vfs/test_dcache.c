/* SPDX-License-Identifier: MIT */
/*
 * test_dcache.c - what the caches of names and inodes remember, forget, and never mix up
 */

#include <sys/mman.h>
#include <sys/mount.h>

#include "testfs.h"

static struct stat st;

KUNIT_TEST(a_missing_name_is_asked_for_once)
{
	testfs_start(test);
	for (int i = 0; i < 5; i++)
		EQ(sw_fs_stat("/none", &st), -ENOENT);
	EQ(atomic_load(&testfs.lookups), 1);
}

KUNIT_TEST(a_negative_entry_becomes_the_file_and_back)
{
	testfs_start(test);
	for (int i = 0; i < 3; i++) {
		EQ(sw_fs_stat("/f", &st), -ENOENT);
		testfs_file(test, "/f");
		EQ(sw_fs_stat("/f", &st), 0);
		EQ(sw_fs_unlink("/f"), 0);
	}
	EQ(atomic_load(&testfs.lookups), 1);
	EQ(atomic_load(&testfs.creates), 3);
}

KUNIT_TEST(what_is_dropped_is_looked_up_again_and_is_the_same)
{
	struct stat again;

	testfs_start(test);
	sw_fs_mkdir("/d", 0755);
	testfs_file(test, "/d/f");
	EQ(sw_fs_stat("/d/f", &st), 0);
	atomic_store(&testfs.lookups, 0);
	shrink_dcache_sb(testfs.sb);
	EQ(sw_fs_stat("/d/f", &again), 0);
	EQ(atomic_load(&testfs.lookups), 2);
	EQ(again.st_ino, st.st_ino);
}

KUNIT_TEST(a_used_name_is_not_dropped)
{
	int fd;

	testfs_start(test);
	testfs_file(test, "/f");
	fd = sw_fs_open("/f", O_RDONLY, 0);
	shrink_dcache_sb(testfs.sb);
	atomic_store(&testfs.lookups, 0);
	EQ(sw_fs_stat("/f", &st), 0);
	EQ(atomic_load(&testfs.lookups), 0);
	EQ(sw_fs_close(fd), 0);
}

KUNIT_TEST(umount_evicts_every_inode_once)
{
	testfs_start(test);
	sw_fs_mkdir("/d", 0755);
	testfs_file(test, "/d/a");
	testfs_file(test, "/d/b");
	sw_fs_link("/d/a", "/c");
	sw_fs_unlink("/d/b");
	sw_fs_stat("/none", &st);
	EQ(sw_fs_umount("/", 0), 0);
	EQ(atomic_load(&testfs.evicted), atomic_load(&testfs.inodes));
	EQ(sw_fs_stat("/", &st), -ENOENT);
}

KUNIT_TEST(an_open_file_keeps_the_mount)
{
	int fd;

	testfs_start(test);
	testfs_file(test, "/f");
	fd = sw_fs_open("/f", O_RDONLY, 0);
	EQ(sw_fs_umount("/", 0), -EBUSY);
	EQ(sw_fs_unlink("/f"), 0);
	EQ(sw_fs_umount("/", 0), -EBUSY);
	EQ(sw_fs_close(fd), 0);
	EQ(sw_fs_umount("/", 0), 0);
}

static void *stat_it(void *err)
{
	struct stat mine;

	*(int *)err = sw_fs_stat("/slow", &mine);
	return NULL;
}

KUNIT_TEST(threads_that_want_one_name_ask_once)
{
	enum { N = 8 };
	pthread_t threads[N];
	int errs[N];

	testfs_start(test);
	testfs_file(test, "/slow");
	shrink_dcache_sb(testfs.sb);
	atomic_store(&testfs.lookups, 0);
	atomic_store(&testfs.hold, 1);
	for (int i = 0; i < N; i++)
		pthread_create(&threads[i], NULL, stat_it, &errs[i]);
	while (!atomic_load(&testfs.lookups))
		sched_yield();
	for (int i = 0; i < 1000; i++) /* the others get as far as they can */
		sched_yield();
	atomic_store(&testfs.hold, 0);
	for (int i = 0; i < N; i++) {
		pthread_join(threads[i], NULL);
		EQ(errs[i], 0);
	}
	EQ(atomic_load(&testfs.lookups), 1);
}

/* Names of every length, with any byte; the i-th is never a prefix-and-tail twin of another. */
static unsigned int odd_name(char *path, unsigned int i)
{
	unsigned int len = i % 255 + 1;

	path[0] = '/';
	for (unsigned int k = 0; k < len; k++) {
		unsigned char c = (unsigned char)(1 + (i * 7 + k * 13 + i / 255) % 255);

		path[1 + k] = (char)(c == '/' || c == '.' ? 'x' : c);
	}
	path[1 + len] = 0;
	return len;
}

KUNIT_TEST(names_of_every_length_are_found_and_no_others, .timeout_s = 120)
{
	char path[300];
	struct stat s;

	testfs_start(test);
	for (unsigned int i = 0; i < 510; i++) {
		odd_name(path, i);
		testfs_file(test, path);
	}
	for (unsigned int i = 0; i < 510; i++) {
		unsigned int len = odd_name(path, i);

		EQ(sw_fs_stat(path, &s), 0);
		path[len] ^= 1; /* its last byte, any of the 8 in a word */
		if (path[len] && path[len] != '/' && path[len] != '.')
			EQ(sw_fs_stat(path, &s), -ENOENT);
	}
	/* 255 bytes are a name, 256 are not. */
	memset(path, 'n', sizeof(path));
	path[0] = '/';
	path[256] = 0;
	EQ(sw_fs_stat(path, &s), -ENOENT);
	path[256] = 'n';
	path[257] = 0;
	EQ(sw_fs_stat(path, &s), -ENAMETOOLONG);
	EQ(sw_fs_mkdir(path, 0755), -ENAMETOOLONG);
	EQ(sw_fs_open(path, O_CREAT | O_RDWR, 0644), -ENAMETOOLONG);
	EQ(sw_fs_unlink(path), -ENAMETOOLONG);
	EQ(sw_fs_rename(path, "/x"), -ENAMETOOLONG);
}

/* Reading by words must not leave the page that the string ends in: behind it is nothing. */
KUNIT_TEST(a_path_may_end_where_its_page_does)
{
	static const char *const names[] = { "/a",          "/abcdefg", "/abcdefgh",
					     "/abcdefghij", "/a/b",     "/" };
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *map =
		mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	testfs_start(test);
	KUNIT_ASSERT_EQ(test, mprotect(map + page, page, PROT_NONE), 0);
	sw_fs_mkdir("/a", 0755);
	for (unsigned int i = 1; i < 5; i++)
		testfs_file(test, names[i]);
	for (unsigned int i = 0; i < 6; i++) {
		char *path = map + page - strlen(names[i]) - 1;

		memcpy(path, names[i], strlen(names[i]) + 1);
		for (int twice = 0; twice < 2; twice++)
			EQ(sw_fs_stat(path, &st), 0);
	}
}

static int no_case_hash(const struct dentry *parent, struct qstr *name)
{
	char low[256];

	for (uint32_t i = 0; i < name->len; i++)
		low[i] = (char)(name->name[i] | 0x20);
	name->hash = full_name_hash(parent, low, name->len);
	return 0;
}

static int no_case_compare(const struct dentry *dentry UNUSED, unsigned int len, const char *str,
			   const struct qstr *name)
{
	return len != name->len || strncasecmp(str, name->name, len);
}

KUNIT_TEST(a_file_system_may_hash_and_compare_in_its_own_way)
{
	static const struct dentry_operations ops = { .d_hash = no_case_hash,
						      .d_compare = no_case_compare };

	testfs.d_op = &ops;
	testfs_start(test);
	testfs_file(test, "/Readme");
	EQ(sw_fs_stat("/README", &st), 0);
	EQ(sw_fs_stat("/readme", &st), 0);
	EQ(sw_fs_mkdir("/rEADME", 0755), -EEXIST);
	EQ(sw_fs_stat("/readm", &st), -ENOENT);
}

static _Atomic int valid = 1;

static int revalidate(struct dentry *dentry UNUSED, unsigned int flags UNUSED)
{
	return atomic_load(&valid);
}

KUNIT_TEST(an_invalid_entry_is_looked_up_again)
{
	static const struct dentry_operations ops = { .d_revalidate = revalidate };

	testfs.d_op = &ops;
	testfs_start(test);
	testfs_file(test, "/f");
	atomic_store(&testfs.lookups, 0);
	EQ(sw_fs_stat("/f", &st), 0);
	EQ(atomic_load(&testfs.lookups), 0);
	atomic_store(&valid, 0);
	EQ(sw_fs_stat("/f", &st), 0);
	EQ(atomic_load(&testfs.lookups), 1);
}

KUNIT_TEST(a_directory_that_is_its_dentries_lists_each_once)
{
	char buf[256], path[32];
	unsigned int seen[100] = { 0 }, all = 0;
	ssize_t n;
	int fd;

	testfs_start(test);
	for (int i = 0; i < 100; i++) {
		snprintf(path, sizeof(path), "/f%d", i);
		testfs_file(test, path);
	}
	fd = sw_fs_open("/", O_RDONLY | O_DIRECTORY, 0);
	while ((n = sw_fs_getdents(fd, buf, sizeof(buf))) > 0) {
		struct sw_fs_dirent *d;

		for (char *p = buf; p < buf + n; p += d->d_reclen) {
			d = (void *)p;
			all++;
			if (d->d_name[0] == 'f') {
				seen[atoi(d->d_name + 1)]++;
				/* What is removed behind the reader moves nothing before him. */
				snprintf(path, sizeof(path), "/%s", d->d_name);
				EQ(sw_fs_unlink(path), 0);
			}
		}
	}
	EQ(n, 0);
	EQ(all, 102);
	for (int i = 0; i < 100; i++)
		EQ(seen[i], 1);
	EQ(sw_fs_getdents(fd, buf, 20), 0);
	EQ(sw_fs_lseek(fd, 0, SEEK_SET), 0);
	EQ(sw_fs_getdents(fd, buf, 20), -EINVAL);
	EQ(sw_fs_close(fd), 0);
}

/* ---- against time ------------------------------------------------------------------------- */

static _Atomic bool stop;
static _Atomic unsigned long wrong, done;

static void *stat_both(void *arg UNUSED)
{
	struct stat mine;

	while (!atomic_load(&stop)) {
		if (sw_fs_stat("/d/target", &mine) || sw_fs_stat("/d/../d/./target", &mine))
			atomic_fetch_add(&wrong, 1);
		atomic_fetch_add(&done, 1);
	}
	return NULL;
}

KUNIT_TEST(a_name_that_is_replaced_is_never_missing, .timeout_s = 120)
{
	pthread_t threads[2];

	testfs_start(test);
	sw_fs_mkdir("/d", 0755);
	sw_fs_mkdir("/e", 0755);
	testfs_file(test, "/d/target");
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, stat_both, NULL);
	for (int i = 0; i < 20000; i++) {
		const char *from = i % 2 ? "/e/new" : "/d/a-name-that-is-too-long-to-lie-inside-it";

		testfs_file(test, from);
		EQ(sw_fs_rename(from, "/d/target"), 0);
		if (i % 64 == 0)
			shrink_dcache_sb(testfs.sb);
	}
	while (!atomic_load(&done))
		sched_yield();
	atomic_store(&stop, true);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	EQ(atomic_load(&wrong), 0);
	EQ(sw_fs_umount("/", 0), 0);
	EQ(atomic_load(&testfs.evicted), atomic_load(&testfs.inodes));
}

static void *up_and_down(void *arg UNUSED)
{
	struct stat mine;

	while (!atomic_load(&stop)) {
		int err = sw_fs_stat("/a/x/deep/../../../a/here", &mine);

		/* /a/x moves to /b/x: from there three steps up are above "/", which is "/". */
		if (err && err != -ENOENT)
			atomic_fetch_add(&wrong, 1);
		if (sw_fs_stat("/a/here", &mine))
			atomic_fetch_add(&wrong, 1);
		atomic_fetch_add(&done, 1);
	}
	return NULL;
}

KUNIT_TEST(dotdot_goes_up_while_directories_move, .timeout_s = 120)
{
	pthread_t threads[2];

	testfs_start(test);
	sw_fs_mkdir("/a", 0755);
	sw_fs_mkdir("/b", 0755);
	sw_fs_mkdir("/a/x", 0755);
	sw_fs_mkdir("/a/x/deep", 0755);
	testfs_file(test, "/a/here");
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, up_and_down, NULL);
	for (int i = 0; i < 20000; i++) {
		EQ(sw_fs_rename("/a/x", "/b/x"), 0);
		EQ(sw_fs_rename("/b/x", "/a/x"), 0);
	}
	while (!atomic_load(&done))
		sched_yield();
	atomic_store(&stop, true);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	EQ(atomic_load(&wrong), 0);
	EQ(sw_fs_rename("/a", "/a/x/deep/in-itself"), -EINVAL);
	EQ(sw_fs_rename("/a/x/deep", "/a"), -ENOTEMPTY);
	EQ(sw_fs_umount("/", 0), 0);
}

/* ---- where one stands ------------------------------------------------------------------------ */

KUNIT_TEST(a_removed_working_directory_is_a_place_without_names)
{
	char buf[64];

	testfs_start(test);
	sw_fs_mkdir("/d", 0755);
	EQ(sw_fs_chdir("/d"), 0);
	EQ(sw_fs_getcwd(buf, sizeof(buf)), 3);
	EQ(sw_fs_getcwd(buf, 2), -ERANGE);
	EQ(sw_fs_rmdir("/d"), 0);
	EQ(sw_fs_getcwd(buf, sizeof(buf)), -ENOENT);
	EQ(sw_fs_mkdir("x", 0755), -ENOENT);
	EQ(sw_fs_open("x", O_CREAT | O_RDWR, 0644), -ENOENT);
	EQ(sw_fs_stat(".", &st), 0);
	EQ(sw_fs_chdir(".."), 0);
	EQ(sw_fs_getcwd(buf, sizeof(buf)), 2);
}

KUNIT_TEST(forty_links_are_followed_and_no_more)
{
	char from[16], to[16];

	testfs_start(test);
	testfs_file(test, "/l0");
	for (int i = 1; i <= 41; i++) {
		snprintf(to, sizeof(to), "l%d", i - 1);
		snprintf(from, sizeof(from), "/l%d", i);
		EQ(sw_fs_symlink(to, from), 0);
	}
	EQ(sw_fs_stat("/l40", &st), 0);
	EQ(sw_fs_stat("/l41", &st), -ELOOP);
	EQ(sw_fs_lstat("/l41", &st), 0);
	EQ(sw_fs_open("/l41", O_RDONLY | O_CREAT, 0644), -ELOOP);
}

KUNIT_TEST(links_lead_through_mounts_and_roots)
{
	char buf[64];

	testfs_start(test);
	sw_fs_mkdir("/m", 0755);
	sw_fs_mkdir("/m/under", 0755);
	EQ(sw_fs_mount("testfs", NULL, "/m", 0, NULL), 0);
	EQ(sw_fs_stat("/m/under", &st), -ENOENT);
	sw_fs_mkdir("/m/in", 0755);
	EQ(sw_fs_symlink("/m/in/../..", "/m/in/up"), 0);
	EQ(sw_fs_chdir("/m/in/up/m/in"), 0);
	EQ(sw_fs_getcwd(buf, sizeof(buf)), 6);
	KUNIT_EXPECT_STREQ(test, buf, "/m/in");
	EQ(sw_fs_rename("/m/in", "/out"), -EXDEV);
	EQ(sw_fs_rmdir("/m"), -EBUSY);
	EQ(sw_fs_umount("/m", 0), -EBUSY);
	EQ(sw_fs_chroot("/m"), 0);
	EQ(sw_fs_stat("/in", &st), 0);
	EQ(sw_fs_stat("/../../in", &st), 0);
	EQ(sw_fs_stat("/m", &st), -ENOENT);
}

KUNIT_TEST(a_lazy_umount_takes_what_is_mounted_below_along)
{
	int fd;

	testfs_start(test);
	sw_fs_mkdir("/m", 0755);
	EQ(sw_fs_mount("testfs", NULL, "/m", 0, NULL), 0);
	testfs_file(test, "/m/f");
	fd = sw_fs_open("/m/f", O_RDONLY, 0);
	EQ(sw_fs_umount("/", 0), -EBUSY);
	EQ(sw_fs_umount("/", MNT_DETACH), 0);
	EQ(sw_fs_stat("/m", &st), -ENOENT);
	/* The open file keeps its file system; the other one is gone. */
	EQ(sw_fs_fstat(fd, &st), 0);
	EQ(atomic_load(&testfs.inodes) - atomic_load(&testfs.evicted), 2);
	EQ(sw_fs_close(fd), 0);
	EQ(atomic_load(&testfs.evicted), atomic_load(&testfs.inodes));
}
