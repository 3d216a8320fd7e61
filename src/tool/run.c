/* SPDX-License-Identifier: MIT */
/*
 * run.c - slabwork run: start a program with our malloc preloaded
 *
 * Room: tool. Two variables and an exec: the program takes over this process, so its
 * id, signals, standard streams and exit status are as if it had been started plainly.
 * SLABWORK gets the word "control": the program answers `slabwork trim`.
 * The library is looked for beside this command (the build folder), then in lib*
 * beside its folder (an installation), wherever the command itself was moved to.
 */

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool/tool.h"

enum { EXIT_OURS = 125, EXIT_CANNOT = 126, EXIT_NOT_FOUND = 127 };

#define LIBRARY "libslabwork-malloc.so"

struct options {
	const char *words; /* for SLABWORK */
	bool banner;
	bool control; /* a control socket */
	char **program;
};

static int parse(const struct command *cmd, int argc, char **argv, struct options *opt)
{
	int i;

	opt->banner = isatty(STDERR_FILENO);
	opt->control = true;
	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		const char *arg = argv[i];

		if (!strcmp(arg, "--")) {
			i++;
			break;
		} else if (!strcmp(arg, "-v") || !strcmp(arg, "--verbose")) {
			opt->banner = true;
		} else if (!strcmp(arg, "-q") || !strcmp(arg, "--quiet")) {
			opt->banner = false;
		} else if (!strcmp(arg, "--no-control")) {
			opt->control = false;
		} else if (!strncmp(arg, "--slabwork=", 11)) {
			opt->words = arg + 11;
		} else if (!strcmp(arg, "--slabwork")) {
			if (++i == argc)
				return usage_error(cmd, "--slabwork needs words");
			opt->words = argv[i];
		} else {
			return usage_error(cmd, "run has no option '%s'", arg);
		}
	}
	if (i >= argc)
		return usage_error(cmd, "run what?");
	opt->program = argv + i;
	return 0;
}

/* The first file that fits, in path. */
bool library_find(char *path, size_t size)
{
	static const char *const places[] = {
		"/" LIBRARY,          "/../lib*/" LIBRARY,       "/../lib*/" LIBRARY ".0",
		"/../lib/*/" LIBRARY, "/../lib/*/" LIBRARY ".0",
	};
	char dir[4096], pattern[4200];
	ssize_t len = readlink("/proc/self/exe", dir, sizeof(dir) - 1);
	bool found = false;
	char *slash;

	if (len <= 0)
		return false;
	dir[len] = '\0';
	slash = strrchr(dir, '/');
	*slash = '\0';
	for (size_t i = 0; !found && i < sizeof(places) / sizeof(places[0]); i++) {
		glob_t files;

		snprintf(pattern, sizeof(pattern), "%s%s", dir, places[i]);
		if (glob(pattern, 0, NULL, &files))
			continue;
		/* Clean of ../, since the program may change its folder's parents. */
		found = files.gl_pathc && strlen(files.gl_pathv[0]) < size &&
			realpath(files.gl_pathv[0], pattern) && strlen(pattern) < size;
		if (found)
			snprintf(path, size, "%s", pattern);
		globfree(&files);
	}
	return found;
}

/* variable = first, separator, what it was; either may be missing. */
static bool prepend(const char *variable, const char *first, char separator, bool behind)
{
	const char *old = getenv(variable);
	char *value;
	int err;

	if (!old || !*old)
		return !setenv(variable, first, 1);
	if (asprintf(&value, "%s%c%s", behind ? old : first, separator, behind ? first : old) < 0)
		return false;
	err = setenv(variable, value, 1);
	free(value);
	return !err;
}

static void print_banner(const char *program)
{
	const char *base = strrchr(program, '/');

	fprintf(stderr,
		"slabwork[%d]: %s on slabwork %s (kmalloc 8…8k, %d malloc caches, kfence off). "
		"Watch: slabwork top %d\n",
		(int)getpid(), base ? base + 1 : program, SW_VERSION, MALLOC_CACHES, (int)getpid());
}

/* The file that execvp() would run. */
static bool find_program(const char *program, char *path, size_t size)
{
	const char *dir = getenv("PATH");

	if (strchr(program, '/'))
		return snprintf(path, size, "%s", program) < (int)size;
	for (dir = dir ? dir : "/bin:/usr/bin"; dir; dir = strchr(dir, ':')) {
		int len;

		dir += *dir == ':';
		len = (int)strcspn(dir, ":");
		if (snprintf(path, size, "%.*s%s%s", len, dir, len ? "/" : "", program) <
			    (int)size &&
		    !access(path, X_OK))
			return true;
	}
	return false;
}

/* A program that the preload cannot reach runs all the same, on its own malloc: say so. */
static void warn_if_out_of_reach(const char *program)
{
	struct elf_file elf;
	char path[4096];
	struct stat st;
	int fd;

	if (!find_program(program, path, sizeof(path)))
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (!fstat(fd, &st) && (st.st_mode & (S_ISUID | S_ISGID)) && geteuid() != 0)
		fail("warning: %s changes its user: the system will not let us into it", program);
	if (!elf_open(&elf, fd)) {
		if (elf_is_static(&elf))
			fail("warning: %s is linked statically: it runs, but not on slabwork",
			     program);
		elf_close(&elf);
	}
	close(fd);
}

int cmd_run(const struct command *cmd, int argc, char **argv)
{
	char library[4096];
	struct options opt = { 0 };
	int status = parse(cmd, argc, argv, &opt);

	if (status)
		return status;
	if (!library_find(library, sizeof(library))) {
		fail("cannot find " LIBRARY
		     " beside this command nor in ../lib: build it with ./run --setup");
		return EXIT_OURS;
	}
	if (strpbrk(library, ": ")) {
		fail("%s: the loader takes no path with a space or a colon: move it", library);
		return EXIT_OURS;
	}
	control_sweep();
	/* In front: a later word wins, so the user's own "control=0" does. */
	if (!prepend("LD_PRELOAD", library, ':', false) ||
	    (opt.control && !prepend("SLABWORK", "control", ' ', false)) ||
	    (opt.words && !prepend("SLABWORK", opt.words, ' ', true))) {
		fail("cannot set up the environment: %s", strerror(errno));
		return EXIT_OURS;
	}
	warn_if_out_of_reach(opt.program[0]);
	if (opt.banner)
		print_banner(opt.program[0]);
	execvp(opt.program[0], opt.program);
	status = errno == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT;
	if (status == EXIT_NOT_FOUND)
		fail("%s: not found", opt.program[0]);
	else
		fail("%s: cannot be run: %s", opt.program[0], strerror(errno));
	return status;
}
