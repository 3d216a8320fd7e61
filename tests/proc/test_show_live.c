/* SPDX-License-Identifier: MIT */
/* The files of this process and of a busy child, and what may be written. */

#include <kunit/test.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <slabwork/show.h>
#include <slabwork/slab.h>
#include <slabwork/vmalloc.h>

#include "mm/machine.h"
#include "../emulator.h"

static char text[256 << 10], other[256 << 10];

static void conn_init(void *p)
{
	*(int *)p = -1;
}

static struct kmem_cache *conn_cache(void)
{
	return kmem_cache_create("conn", 184, 0, SLAB_HWCACHE_ALIGN, conn_init);
}

/* What transcript 5 does: 1000 taken, every tenth kept. */
static struct kmem_cache *hundred_conns(void *kept[100])
{
	struct kmem_cache *c = conn_cache();
	int n = 0;

	for (int i = 0; i < 1000; i++) {
		void *p = kmem_cache_alloc(c, GFP_KERNEL);

		if (i % 10)
			kmem_cache_free(c, p);
		else
			kept[n++] = p;
	}
	return c;
}

/* A line of slabinfo as procps 4 reads it. */
struct parsed {
	char name[129];
	unsigned int active, total, size, per_slab, pages, active_slabs, slabs;
};

static bool parse(const char *line, struct parsed *p)
{
	return sscanf(line, "%128s%u %u %u %u %u : tunables %*u %*u %*u : slabdata %u %u %*u",
		      p->name, &p->active, &p->total, &p->size, &p->per_slab, &p->pages,
		      &p->active_slabs, &p->slabs) == 8;
}

KUNIT_TEST(live_objects_are_exactly_what_the_program_holds)
{
	void *kept[100];
	struct parsed p = { 0 };

	hundred_conns(kept);
	KUNIT_ASSERT_GT(test, sw_show_buf(text, sizeof(text), "slabinfo", "conn"), 0);
	KUNIT_ASSERT_TRUE(test, parse(strchr(text, '\n') + 1, &p));
	KUNIT_EXPECT_STREQ(test, p.name, "conn");
	KUNIT_EXPECT_EQ(test, p.active, 100u);
	KUNIT_EXPECT_EQ(test, p.size, 192u);
	KUNIT_EXPECT_EQ(test, p.per_slab, 21u);
	KUNIT_EXPECT_EQ(test, p.pages, 1u);
	KUNIT_EXPECT_EQ(test, p.total, p.slabs * 21u);
	KUNIT_EXPECT_GE(test, p.total, 100u);
}

KUNIT_TEST(every_line_of_slabinfo_is_what_procps_parses)
{
	unsigned int lines = 0, major, minor;
	struct parsed p;
	char *save, *line;

	KUNIT_ASSERT_GT(test, sw_show_buf(text, sizeof(text), "slabinfo", NULL), 0);
	line = strtok_r(text, "\n", &save);
	KUNIT_ASSERT_EQ(test, sscanf(line, "slabinfo - version: %u.%u", &major, &minor), 2);
	KUNIT_EXPECT_EQ(test, major * 10 + minor, 21u);
	line = strtok_r(NULL, "\n", &save);
	KUNIT_ASSERT_EQ(test, line[0], '#');
	while ((line = strtok_r(NULL, "\n", &save)) != NULL) {
		KUNIT_EXPECT_TRUE_MSG(test, parse(line, &p), "%s", line);
		KUNIT_EXPECT_LE(test, p.active, p.total);
		lines++;
	}
	KUNIT_EXPECT_GE(test, lines, 40u); /* the general caches alone */
}

/* First words of all lines, behind another, numbers left out. */
static void labels(const char *from, char *to, size_t size)
{
	size_t len = 0;

	while (*from && len + 80 < size) {
		size_t word, skip = strspn(from, " ");

		word = strcspn(from + skip, " :\n");
		memcpy(to + len, from, skip + word);
		len += skip + word;
		to[len++] = '\n';
		from += strcspn(from, "\n");
		from += *from == '\n';
	}
	to[len] = '\0';
}

static bool read_host(struct kunit *test, const char *file)
{
	struct utsname uts;
	size_t len;
	FILE *f;

	uname(&uts);
	f = strncmp(uts.release, "6.18.", 5) ? NULL : fopen(file, "r");
	if (!f) {
		kunit_mark_skipped(test, "this is no Linux 6.18 with a readable %s", file);
		return false;
	}
	len = fread(other, 1, sizeof(other) - 1, f);
	other[len] = '\0';
	fclose(f);
	return true;
}

/* Our labels are the host's, in its order, as far as the host goes. */
static void labels_match(struct kunit *test, const char *file)
{
	static char ours[32 << 10], theirs[32 << 10];

	KUNIT_ASSERT_GT(test, sw_show_buf(text, sizeof(text), strrchr(file, '/') + 1, NULL), 0);
	labels(text, ours, sizeof(ours));
	labels(other, theirs, sizeof(theirs));
	ours[strlen(theirs) < sizeof(ours) ? strlen(theirs) : 0] = '\0';
	KUNIT_EXPECT_STREQ(test, ours, theirs);
}

KUNIT_TEST(vmstat_has_the_hosts_names_in_its_order)
{
	if (read_host(test, "/proc/vmstat"))
		labels_match(test, "/proc/vmstat");
}

KUNIT_TEST(meminfo_has_the_hosts_names_in_its_order)
{
	if (read_host(test, "/proc/meminfo"))
		labels_match(test, "/proc/meminfo");
}

/* The part between two marks, marks included. */
static void cut(const char *from, const char *start, const char *end, char *to, size_t size)
{
	const char *a = strstr(from, start);
	const char *b = a ? strstr(a, end) : NULL;

	snprintf(to, size, "%.*s", b ? (int)(b - a + (long)strlen(end)) : 0, b ? a : "");
}

KUNIT_TEST(zoneinfo_has_the_hosts_keys_in_its_order)
{
	static char a[16 << 10], b[16 << 10], ours[16 << 10], theirs[16 << 10];

	if (!read_host(test, "/proc/zoneinfo"))
		return;
	kfree(kmalloc(64, GFP_KERNEL));
	KUNIT_ASSERT_GT(test, sw_show_buf(text, sizeof(text), "zoneinfo", NULL), 0);
	cut(text, "  per-node stats", "high_max:", a, sizeof(a));
	cut(other, "  per-node stats", "high_max:", b, sizeof(b));
	labels(a, ours, sizeof(ours));
	labels(b, theirs, sizeof(theirs));
	KUNIT_EXPECT_GT(test, strlen(ours), 500);
	KUNIT_EXPECT_STREQ(test, ours, theirs);
}

KUNIT_TEST(pagetypeinfo_has_the_hosts_headings)
{
	static char ours[256], theirs[256];
	char *end;

	if (!read_host(test, "/proc/pagetypeinfo"))
		return;
	KUNIT_ASSERT_GT(test, sw_show_buf(text, sizeof(text), "pagetypeinfo", NULL), 0);
	end = strstr(other, "\nNode");
	KUNIT_ASSERT_TRUE(test, end != NULL);
	KUNIT_EXPECT_TRUE(test, !strncmp(text, other, (size_t)(end - other)));
	cut(text, "Number of blocks", "\n", ours, sizeof(ours));
	cut(other, "Number of blocks", "\n", theirs, sizeof(theirs));
	KUNIT_EXPECT_GT(test, strlen(ours), 60);
	KUNIT_EXPECT_STREQ(test, ours, theirs);
}

KUNIT_TEST(vmallocinfo_shows_an_area_its_pages_and_who_asked)
{
	void *p = vmalloc(10000);
	char want[64], *line;
	unsigned long from, to;
	long size;
	unsigned int pages;

	KUNIT_ASSERT_TRUE(test, p != NULL);
	KUNIT_ASSERT_GT(test, sw_show_buf(text, sizeof(text), "vmallocinfo", NULL), 0);
	snprintf(want, sizeof(want), "0x%016lx-", (unsigned long)p);
	line = strstr(text, want);
	KUNIT_ASSERT_TRUE(test, line != NULL);
	KUNIT_ASSERT_EQ(
		test,
		sscanf(line, "0x%lx-0x%lx %ld %*s pages=%u vmalloc", &from, &to, &size, &pages), 4);
	KUNIT_EXPECT_EQ(test, to - from, (unsigned long)size);
	KUNIT_EXPECT_EQ(test, size, 4 * 4096);
	KUNIT_EXPECT_EQ(test, pages, 3u);
	vfree(p);
}

KUNIT_TEST(stream_descriptor_and_buffer_get_the_same_text)
{
	void *kept[100];
	char *streamed = NULL;
	size_t streamed_len = 0;
	ssize_t len, n;
	FILE *f;
	int fd;

	hundred_conns(kept);
	len = sw_show_buf(text, sizeof(text), "slabinfo", NULL);
	KUNIT_ASSERT_GT(test, len, 4096); /* more than any stage */

	fd = memfd_create("show", 0);
	KUNIT_EXPECT_EQ(test, sw_show_fd(fd, "slabinfo", NULL), 0);
	n = pread(fd, other, sizeof(other), 0);
	KUNIT_EXPECT_EQ(test, n, len);
	KUNIT_EXPECT_MEMEQ(test, text, other, (size_t)len);

	f = open_memstream(&streamed, &streamed_len);
	KUNIT_EXPECT_EQ(test, sw_show(f, "slabinfo", NULL), 0);
	fclose(f);
	KUNIT_EXPECT_STREQ(test, streamed, text);
	KUNIT_EXPECT_EQ(test, sw_show_fd(-1, "slabinfo", NULL), -EBADF);
	KUNIT_EXPECT_EQ(test, sw_show_fd(fd, "slabinfos", NULL), -ENOENT);
}

KUNIT_TEST(looking_changes_nothing)
{
	void *kept[100];

	hundred_conns(kept);
	KUNIT_ASSERT_GT(test, sw_show_buf(text, sizeof(text), "slabinfo", NULL), 0);
	for (int i = 0; i < 100; i++)
		sw_show_buf(other, sizeof(other), i & 1 ? "zoneinfo" : "slab/conn", NULL);
	KUNIT_ASSERT_GT(test, sw_show_buf(other, sizeof(other), "slabinfo", NULL), 0);
	KUNIT_EXPECT_STREQ(test, text, other);
}

/* ---- control files -------------------------------------------------------------- */

static unsigned long attr(const char *file)
{
	char value[64] = "";

	sw_show_buf(value, sizeof(value), file, NULL);
	return strtoul(value, NULL, 10);
}

KUNIT_TEST(shrink_gives_empty_slabs_back)
{
	void *kept[100];
	struct kmem_cache *c = hundred_conns(kept);

	for (int i = 0; i < 100; i++)
		kmem_cache_free(c, kept[i]);
	KUNIT_EXPECT_GT(test, attr("slab/conn/slabs"), 0ul);
	KUNIT_EXPECT_EQ(test, sw_store("slab/conn/shrink", "1\n"), 0);
	KUNIT_EXPECT_EQ(test, attr("slab/conn/slabs"), 0ul);
	KUNIT_EXPECT_EQ(test, attr("slab/conn/sheaf_objects"), 0ul);
}

KUNIT_TEST(control_files_take_what_the_kernels_take)
{
	conn_cache();
	KUNIT_EXPECT_EQ(test, sw_store("slab/conn/validate", "1"), 0);
	KUNIT_EXPECT_EQ(test, sw_store("slab/conn/min_partial", "7"), 0);
	KUNIT_EXPECT_EQ(test, attr("slab/conn/min_partial"), 7ul);
	KUNIT_EXPECT_EQ(test, sw_store("slab/conn/cpu_partial", "9\n"), 0);
	KUNIT_EXPECT_EQ(test, attr("slab/conn/cpu_partial"), 9ul);
	KUNIT_EXPECT_EQ(test, sw_store("slab/conn/shrink", "2"), -EINVAL);
	KUNIT_EXPECT_EQ(test, sw_store("slab/conn/shrink", ""), -EINVAL);
	KUNIT_EXPECT_EQ(test, sw_store("slab/conn/min_partial", "7x"), -EINVAL);
	KUNIT_EXPECT_EQ(test, sw_store("slab/conn/min_partial", "99999999999"), -EINVAL);
	KUNIT_EXPECT_EQ(test, attr("slab/conn/min_partial"), 7ul);
	KUNIT_EXPECT_EQ(test, sw_store("slab/conn/order", "1"), -EACCES);
	KUNIT_EXPECT_EQ(test, sw_store("slab/conn/colour", "1"), -ENOENT);
	KUNIT_EXPECT_EQ(test, sw_store("slab/nobody/shrink", "1"), -ENOENT);
	KUNIT_EXPECT_EQ(test, sw_store("meminfo", "1"), -EACCES);
	KUNIT_EXPECT_EQ(test, sw_store("nothing", "1"), -ENOENT);
}

/* ---- another process -------------------------------------------------------------- */

static pid_t child;

static int child_read(struct sw_view *view, void *dst, uintptr_t addr, size_t size)
{
	struct iovec here = { dst, size }, there = { (void *)addr, size };
	ssize_t n = process_vm_readv(child, &here, 1, &there, 1, 0);

	(void)view;
	return n == (ssize_t)size ? 0 : n < 0 && errno != EFAULT ? -errno : -EAGAIN;
}

static void busy(struct kmem_cache *c)
{
	static void *held[2000];

	for (unsigned int n = 0;; n++) {
		void *area = n % 64 ? NULL : vmalloc(20000);

		for (int i = 0; i < 2000; i++)
			held[i] = kmem_cache_alloc(c, GFP_KERNEL);
		for (int i = 0; i < 2000; i++)
			kmem_cache_free(c, held[i]);
		if (!(n % 16)) {
			struct kmem_cache *passing = kmem_cache_create("passing", 64, 0, 0, NULL);

			kmem_cache_destroy(passing);
			kmem_cache_shrink(c);
		}
		vfree(area);
	}
}

KUNIT_TEST(a_busy_process_is_read_from_outside_without_stopping_it)
{
	static const char *const files[] = {
		"slabinfo",     "slab/conn", "buddyinfo", "zoneinfo",
		"pagetypeinfo", "meminfo",   "vmstat",    "vmallocinfo"
	};
	struct sw_view view = { .read = child_read, .root = (uintptr_t)&sw_machine_root };
	struct kmem_cache *c = conn_cache();
	unsigned int good = 0, rounds = 0;
	int status;

	skip_if_emulated(test, "no process_vm_readv() under an emulator");
	child = fork();
	if (!child)
		busy(c);
	if (sw_show_view(&view, SW_TEXT, text, sizeof(text), "slab", NULL) == -EPERM) {
		kill(child, SIGKILL);
		kunit_mark_skipped(test, "process_vm_readv is not allowed here");
		return;
	}
	for (; rounds < 4000; rounds++) {
		const char *file = files[rounds % 8];
		ssize_t len = sw_show_view(&view, rounds & 8 ? SW_JSON : SW_TEXT, text,
					   sizeof(text), file, NULL);

		KUNIT_EXPECT_TRUE_MSG(test,
				      len > 0 || len == -EAGAIN || (len == 0 && rounds % 8 == 7),
				      "%s: %zd", file, len);
		good += len >= 0; /* 0: no area at this moment */
		if (len > 0 && rounds % 16 == 0) {
			struct parsed p;
			char *line = strstr(text, "\nconn ");

			KUNIT_ASSERT_TRUE(test, line && parse(line + 1, &p));
			KUNIT_EXPECT_LE(test, p.active, p.total);
			/* Between two moments, so not exact; but never out of thin air. */
			KUNIT_EXPECT_LE(test, p.active, 4000u);
		}
	}
	kunit_log_line("%u of %u readings were whole", good, rounds);
	KUNIT_EXPECT_GE(test, good, rounds / 10 * 9);
	KUNIT_EXPECT_EQ(test, waitpid(child, &status, WNOHANG), 0); /* it runs on */
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	KUNIT_EXPECT_EQ(test, sw_show_view(&view, SW_TEXT, text, sizeof(text), "slab", NULL),
			-ESRCH);
}
