/* SPDX-License-Identifier: MIT */
/*
 * limits.c - how much memory there is, and how much of it is ours
 *
 * Room: os.
 *
 * The cgroup's limit is the least memory.max between our group and the root
 * that we can see: a parent's limit binds as well. Both hierarchies are read:
 * v2 ("0::/path" in /proc/self/cgroup), v1 ("N:memory:/path"). In a container the
 * path may name a group outside our mount; then only the mount's root is there.
 */

#include <linux/sysinfo.h>
#include <stddef.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>

#include "os/os.h"
#include "os/reader.h"
#include "os/syscall.h"
#include "os/vm.h"

/* Longest cgroup path looked at; deeper ones count as having no limit of their own. */
#define CGROUP_PATH_MAX 320

/* v1 says "no limit" with a number near 2^63. */
#define CGROUP_V1_UNLIMITED (1ULL << 60)

/*
 * The least limit in path, its parents and root: at each step append file to
 * path, read it, cut it off again and go one component up, never above root_len.
 */
static uint64_t cgroup_least(char *path, size_t root_len, const char *file)
{
	uint64_t least = UINT64_MAX;
	size_t len = strlen(path);

	while (len > root_len && path[len - 1] == '/')
		len--;
	for (;;) {
		uint64_t limit;

		memcpy(path + len, file, strlen(file) + 1);
		if (os_read_u64(path, &limit) && limit < CGROUP_V1_UNLIMITED && limit < least)
			least = limit;
		if (len <= root_len)
			return least;
		while (len > root_len && path[len - 1] != '/')
			len--;
		if (len > root_len)
			len--; /* the slash too */
	}
}

/* One line of /proc/self/cgroup; line is the whole "N:controllers:/path". */
static uint64_t cgroup_line_limit(const char *line)
{
	static const char v2_root[] = "/sys/fs/cgroup", v2_file[] = "/memory.max";
	static const char v1_root[] = "/sys/fs/cgroup/memory", v1_file[] = "/memory.limit_in_bytes";
	char path[CGROUP_PATH_MAX + sizeof(v1_root) + sizeof(v1_file)];
	const char *root;
	size_t root_len;
	const char *controllers = strchr(line, ':');
	const char *group = controllers ? strchr(controllers + 1, ':') : NULL;
	bool v2;

	if (!group || strlen(group + 1) > CGROUP_PATH_MAX)
		return UINT64_MAX;
	v2 = group == controllers + 1;
	if (!v2 && strncmp(controllers, ":memory:", 8) != 0)
		return UINT64_MAX;
	root = v2 ? v2_root : v1_root;
	root_len = strlen(root);
	memcpy(path, root, root_len);
	memcpy(path + root_len, group + 1, strlen(group + 1) + 1);
	return cgroup_least(path, root_len, v2 ? v2_file : v1_file);
}

static uint64_t cgroup_limit(void)
{
	uint64_t least = UINT64_MAX;
	struct os_reader r;
	char line[CGROUP_PATH_MAX];

	os_reader_open(&r, "/proc/self/cgroup");
	while (os_getline(&r, line, sizeof(line)) != OS_EOF) {
		uint64_t limit = cgroup_line_limit(line);

		if (limit < least)
			least = limit;
	}
	os_reader_close(&r);
	return least;
}

uint64_t os_total_ram(void)
{
	struct sysinfo info;
	uint64_t ram = 1ULL << 30; /* sysinfo never fails, but a filter may forbid it */
	uint64_t limit;

	if (!os_syscall(SYS_sysinfo, &info))
		ram = (uint64_t)info.totalram * (info.mem_unit ? info.mem_unit : 1);
	limit = cgroup_limit();
	return limit < ram ? limit : ram;
}

uint64_t os_rlimit_as(void)
{
	struct {
		uint64_t cur, max;
	} lim;

	if (os_syscall(SYS_prlimit64, 0, RLIMIT_AS, NULL, &lim))
		return UINT64_MAX;
	return lim.cur; /* the kernel's RLIM_INFINITY is UINT64_MAX already */
}

uint64_t os_vm_size(void)
{
	uint64_t pages;

	if (!os_read_u64("/proc/self/statm", &pages))
		return 0;
	return pages * os_page_size();
}

uintptr_t os_task_size(void)
{
	/* The kernel puts the program's name last, just below the end of the stack's mapping. */
	uintptr_t top = getauxval(AT_EXECFN);

	if (!top)
		top = getauxval(AT_RANDOM);
	if (!top)
		return (uintptr_t)1 << 39; /* the smallest that any 64-bit Linux has */
	return (uintptr_t)1 << (64 - __builtin_clzl(top));
}

bool os_secure_exec(void)
{
	return getauxval(AT_SECURE) != 0;
}
