/* SPDX-License-Identifier: MIT */
/*
 * target.c - another process, read with process_vm_readv(2)
 *
 * Room: tool. Neither ptrace nor a signal: the process does not notice. We find its
 * machine in three steps: the files it has mapped (/proc/PID/maps), the symbol
 * sw_machine_root in one of them (a preloaded or linked library, or a statically
 * linked program), and where the loader put that file.
 *
 * A file is opened through /proc/PID/map_files, which is right even when it was
 * deleted or replaced or the process lives in another mount namespace; where we
 * may not, through /proc/PID/root.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tool/tool.h"

static int target_read(struct sw_view *view, void *dst, uintptr_t addr, size_t size)
{
	struct target *target = (struct target *)view;
	struct iovec here = { dst, size };
	struct iovec there = { (void *)addr, size };
	ssize_t n = process_vm_readv(target->pid, &here, 1, &there, 1, 0);

	if (n < 0) {
		/* A pointer that leads nowhere: the structure changed under our eyes. */
		return errno == EFAULT ? -EAGAIN : -errno;
	}
	return (size_t)n == size ? 0 : -EAGAIN;
}

static int open_mapped(const struct target *target, const struct mapped_file *file)
{
	char path[4200];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/map_files/%s", (int)target->pid, file->range);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	snprintf(path, sizeof(path), "/proc/%d/root%s", (int)target->pid, file->path);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* Opens the file the first time it is asked for. */
static bool file_ready(const struct target *target, struct mapped_file *file)
{
	int fd;

	if (!file->tried) {
		file->tried = true;
		fd = open_mapped(target, file);
		if (fd >= 0) {
			if (!elf_open(&file->elf, fd) &&
			    !elf_vaddr_of_offset(&file->elf, file->offset, &file->vaddr))
				elf_close(&file->elf);
			close(fd);
		}
	}
	return file->elf.data;
}

static int target_symbol(struct sw_view *view, uintptr_t addr, char *text, size_t size)
{
	struct target *target = (struct target *)view;

	for (size_t i = 0; i < target->nr_files; i++) {
		struct mapped_file *file = &target->files[i];
		uint64_t vaddr, start, length;
		const char *name, *base;

		if (addr < file->start || addr >= file->end || !file_ready(target, file))
			continue;
		vaddr = addr - file->start + file->vaddr;
		if (elf_function_at(&file->elf, vaddr, &name, &start, &length))
			return snprintf(text, size, "%s+0x%lx/0x%lx", name,
					(unsigned long)(vaddr - start), (unsigned long)length);
		base = strrchr(file->path, '/');
		return snprintf(text, size, "%s+0x%lx", base ? base + 1 : file->path,
				(unsigned long)vaddr);
	}
	return -ENOENT;
}

/* ---- the files it has mapped ------------------------------------------------------ */

static bool add_mapping(struct target *target, const char *line)
{
	unsigned long start, end, offset;
	struct mapped_file *file = target->nr_files ? &target->files[target->nr_files - 1] : NULL;
	const char *path;
	int at = 0;

	if (sscanf(line, "%lx-%lx %*4s %lx %*s %*u %n", &start, &end, &offset, &at) < 3 || !at)
		return true;
	path = line + at;
	if (*path != '/' || strlen(path) >= sizeof(file->path))
		return true;
	if (file && !strcmp(file->path, path)) {
		file->end = end;
		return true;
	}
	file = realloc(target->files, (target->nr_files + 1) * sizeof(*file));
	if (!file)
		return false;
	target->files = file;
	file += target->nr_files++;
	memset(file, 0, offsetof(struct mapped_file, path));
	file->start = start;
	file->end = end;
	file->offset = offset;
	snprintf(file->range, sizeof(file->range), "%lx-%lx", start, end);
	snprintf(file->path, sizeof(file->path), "%s", path);
	return true;
}

static int read_maps(struct target *target)
{
	char path[64];
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	FILE *f;
	int err = 0;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)target->pid);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (!err && (len = getline(&line, &size, f)) > 0) {
		if (line[len - 1] == '\n')
			line[len - 1] = '\0';
		if (!add_mapping(target, line))
			err = -ENOMEM;
	}
	if (!err && ferror(f))
		err = -errno;
	free(line);
	fclose(f);
	return err;
}

/*
 * A program linked with -lslabwork and run under the preload has two copies, of
 * which the one that symbols resolved to has booted: that is taken, else any.
 */
static int find_root(struct target *target)
{
	uintptr_t any = 0;
	int err = -ENOEXEC;

	for (int ours = 1; ours >= 0; ours--) {
		for (size_t i = 0; i < target->nr_files; i++) {
			struct mapped_file *file = &target->files[i];
			uint64_t vaddr;

			/* Files with our name first: then nothing else need be opened. */
			if ((strstr(file->path, "libslabwork") != NULL) != ours ||
			    !file_ready(target, file) ||
			    !elf_symbol(&file->elf, "sw_machine_root", &vaddr))
				continue;
			target->view.root = vaddr - file->vaddr + file->start;
			err = (int)sw_show_view(&target->view, SW_TEXT, NULL, 0, "slab", NULL);
			if (err >= 0 || err == -EPERM || err == -ESRCH)
				return err < 0 ? err : 0;
			any = target->view.root;
		}
		if (any)
			break;
	}
	target->view.root = any;
	return any ? 0 : -ENOEXEC; /* the caller will see what is wrong with it */
}

/* ---- by name ---------------------------------------------------------------------------- */

struct by_name {
	const char *name;
	pid_t found, other, plain;
	unsigned int count;
};

static bool is_called(pid_t pid, const char *comm, const char *name)
{
	char path[64], exe[4096];
	const char *base;
	ssize_t len;

	if (!strcmp(comm, name))
		return true;
	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	len = readlink(path, exe, sizeof(exe) - 1);
	if (len <= 0)
		return false;
	exe[len] = '\0';
	base = strrchr(exe, '/');
	return !strcmp(base ? base + 1 : exe, name);
}

static void match_name(pid_t pid, const char *comm, void *arg)
{
	struct by_name *by = arg;

	if (pid == getpid() || !is_called(pid, comm, by->name))
		return;
	if (!process_has_library(pid)) {
		by->plain = pid;
	} else {
		by->count++;
		if (!by->found)
			by->found = pid;
	}
}

static pid_t find_by_name(const char *name)
{
	struct by_name by = { .name = name };

	process_each(match_name, &by);
	if (by.count == 1)
		return by.found;
	if (by.count > 1) {
		fail("%u processes called %s run on slabwork: say which by its number", by.count,
		     name);
		process_list_slabwork();
	} else if (by.plain) {
		return by.plain; /* perhaps linked statically; else target_open() says so */
	} else {
		fail("no process is called %s", name);
		process_list_slabwork();
	}
	return 0;
}

/* ---- opening ---------------------------------------------------------------------------- */

/* A process that nobody has waited for yet, or a thread of the kernel: there is no memory to read. */
static bool has_no_program(pid_t pid)
{
	char path[64], exe[8];

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	return readlink(path, exe, sizeof(exe)) < 0 && errno == ENOENT;
}

static void explain(const struct target *target, int err)
{
	switch (err) {
	case -ENOENT:
	case -ESRCH:
		fail("there is no process %d", (int)target->pid);
		process_list_slabwork();
		return;
	case -EACCES:
	case -EPERM:
		fail("not allowed to read process %d (%s): run this as its user or as root\n"
		     "          (with kernel.yama.ptrace_scope 1 or more: as root)",
		     (int)target->pid, target->name);
		return;
	case -ENOEXEC:
		if (has_no_program(target->pid)) {
			fail("process %d (%s) has ended, or is a thread of the kernel",
			     (int)target->pid, target->name);
			return;
		}
		fail("process %d (%s) does not run on slabwork. Start it so: slabwork run -- %s",
		     (int)target->pid, target->name, target->name);
		return;
	default:
		fail("cannot read process %d (%s): %s", (int)target->pid, target->name,
		     strerror(-err));
	}
}

static bool check_version(struct target *target)
{
	char version[16] = "";
	int err = sw_view_version(&target->view, version);

	if (!err)
		return true;
	if (err == -EPROTO)
		fail("process %d (%s) runs on another build of slabwork (%s, this is %s):\n"
		     "          use the slabwork command that was built with its library",
		     (int)target->pid, target->name, version, SW_VERSION);
	else
		explain(target, err == -EAGAIN ? -ENOEXEC : err);
	return false;
}

bool target_find(struct target *target, const char *who)
{
	char *end;
	long pid = strtol(who, &end, 10);

	memset(target, 0, sizeof(*target));
	if (*end || pid <= 0 || pid > INT32_MAX)
		pid = find_by_name(who);
	if (!pid)
		return false;
	target->pid = (pid_t)pid;
	if (process_name(target->pid, target->name))
		return true;
	explain(target, -ESRCH);
	return false;
}

bool target_read_open(struct target *target)
{
	int err;

	target->view.read = target_read;
	target->view.symbol = target_symbol;
	err = read_maps(target);
	if (!err)
		err = find_root(target);
	if (err)
		explain(target, err);
	else if (check_version(target))
		return true;
	target_close(target);
	return false;
}

bool target_open(struct target *target, const char *who)
{
	return target_find(target, who) && target_read_open(target);
}

int target_error(const struct target *target, int err)
{
	int pid = (int)target->pid;

	switch (err) {
	case -EAGAIN:
		return fail("process %d (%s) has not allocated yet, or changes too fast: try again",
			    pid, target->name);
	case -ESRCH:
		return fail("process %d (%s) has ended", pid, target->name);
	case -EACCES:
	case -EPERM:
		return fail("not allowed to read process %d (%s): run this as its user or as root",
			    pid, target->name);
	case -EPROTO:
		return fail("process %d (%s) runs another build of slabwork now: start again", pid,
			    target->name);
	default:
		return fail("cannot read process %d (%s): %s", pid, target->name, strerror(-err));
	}
}

void target_close(struct target *target)
{
	for (size_t i = 0; i < target->nr_files; i++)
		elf_close(&target->files[i].elf);
	free(target->files);
	target->files = NULL;
	target->nr_files = 0;
}
