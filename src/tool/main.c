/* SPDX-License-Identifier: MIT */
/*
 * main.c - slabwork: the table of commands, and help
 *
 * Room: tool. A command is a row here and a file beside this one.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tool/tool.h"

#define WHO                                                                            \
	"PROCESS is a process id or the name of a program that runs on slabwork\n"     \
	"(`slabwork list` shows them). It is read from outside and not disturbed.\n\n" \
	"  --json          the same as JSON\n"                                         \
	"  --only NAME     only this row\n"

const struct command commands[] = {
	{ "run", "[OPTION]... [--] PROGRAM [ARGUMENT]...", "run a program on slabwork",
	  "PROGRAM becomes this process: same process id, same exit status.\n\n"
	  "  --slabwork WORDS  add WORDS to the SLABWORK variable, as \"mem=512M slab_nomerge\"\n"
	  "  --no-control      without the control socket that `slabwork trim` asks\n"
	  "  -v, --verbose     say on stderr that it starts (the default on a terminal)\n"
	  "  -q, --quiet       say nothing\n\n"
	  "Exit status: PROGRAM's; 125 slabwork failed, 126 PROGRAM cannot be run, 127 not found.\n",
	  cmd_run },
	{ "list", "", "processes that run on slabwork", "", cmd_list },
	{ "top", "[-d SECONDS] [--sort COLUMN] [--once] [--json] [PROCESS]", "its caches, live",
	  "PROCESS is a process id or the name of a program that runs on slabwork; it may be left\n"
	  "out if there is only one. It is read from outside and not disturbed.\n\n"
	  "  -d SECONDS      look so often, 0.1 to 3600; 1 unless said\n"
	  "  --sort COLUMN   bytes, growth, objects or name\n"
	  "  --once          print one screen as text, for scripts\n"
	  "  --json          the same as JSON, in bytes\n\n"
	  "Keys: s sort, t trim, arrows and page keys scroll, q quit.\n",
	  cmd_top },
	{ "trim", "[--json] [--keep BYTES] PROCESS", "give its spare memory back to the system",
	  "PROCESS is a process id or the name of a program that was started by `slabwork run`.\n\n"
	  "  --keep BYTES    leave so much free memory in stock: 0, 64K, 16M\n"
	  "  --json          the same as JSON, in bytes\n",
	  cmd_trim },
	{ "map", "[-o FILE.svg] PROCESS", "a picture of its memory",
	  "Draws every page of the process in the order of addresses, coloured by what holds it: a\n"
	  "cache, a large block or area, nothing. PROCESS is a process id or a program's name.\n\n"
	  "  -o FILE.svg     write to this file; map-PID.svg unless said; - is standard output\n",
	  cmd_map },
	{ "mount", "[-f] [-q] [-v] [-o OPTION[,OPTION]...] TYPE [SOURCE] DIR",
	  "a file system of ours as a directory",
	  "TYPE is tmpfs (in memory), dax (SOURCE is a host file that keeps the contents) or proc (the\n"
	  "server's own slabinfo, meminfo and so on). DIR is a directory.\n\n"
	  "  -f              stay in the foreground; Ctrl-C unmounts\n"
	  "  -q              say nothing\n"
	  "  -v              say on stderr that it is mounted (the default on a terminal)\n"
	  "  -o OPTION       tmpfs: size=64m,nr_inodes=1000,mode=0755,uid=0,gid=0\n"
	  "                  ours: xattr, writethrough, threads=8, cache_mb=64\n"
	  "                  of the mount: ro, nosuid, nodev, noexec, noatime, allow_other,\n"
	  "                  auto_unmount, fsname=NAME\n\n"
	  "It ends with `slabwork umount DIR`, or when the server gets SIGTERM or SIGINT.\n",
	  cmd_mount },
	{ "umount", "[-l] DIR", "end such a mount",
	  "Waits until the server has ended: what was written is then where it belongs.\n"
	  "Also for a DIR whose server was killed (\"Transport endpoint is not connected\").\n\n"
	  "  -l              also if DIR is in use; do not wait\n",
	  cmd_umount },
	{ "doctor", "[--json]", "is this machine fit, is anything missing",
	  "Each line is ok, warn (something will not work, and what to do) or FAIL.\n\n"
	  "  --json          the same as JSON\n\n"
	  "Exit status: 0; 1 if a line says FAIL.\n",
	  cmd_doctor },
	{ "slabinfo", "[--json] [--only CACHE] PROCESS", "its caches", WHO, cmd_show },
	{ "buddyinfo", "[--json] [--only ZONE] PROCESS", "its free blocks of pages", WHO,
	  cmd_show },
	{ "pagetypeinfo", "[--json] [--only ZONE] PROCESS", "the same by mobility", WHO, cmd_show },
	{ "zoneinfo", "[--json] [--only ZONE] PROCESS", "its zones: watermarks, counts, page lists",
	  WHO, cmd_show },
	{ "meminfo", "[--json] [--only NAME] PROCESS", "its memory in fifty lines", WHO, cmd_show },
	{ "vmstat", "[--json] [--only NAME] PROCESS", "its counters", WHO, cmd_show },
	{ "vmallocinfo", "[--json] [--only CALLER] PROCESS", "its large areas", WHO, cmd_show },
	{ "slab", "[--json] PROCESS [CACHE [ATTRIBUTE]]", "one cache, as in /sys/kernel/slab",
	  "Without CACHE: the names of all caches. Without ATTRIBUTE: all of them.\n\n" WHO,
	  cmd_slab },
};
const unsigned int nr_commands = sizeof(commands) / sizeof(commands[0]);

const struct command *command_find(const char *name)
{
	for (unsigned int i = 0; i < nr_commands; i++) {
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	}
	return NULL;
}

void command_help(const struct command *cmd)
{
	printf("usage: slabwork %s%s%s\n\n%s.\n", cmd->name, *cmd->synopsis ? " " : "",
	       cmd->synopsis, cmd->line);
	if (*cmd->help)
		printf("\n%s", cmd->help);
	printf("\nMore: man slabwork-%s\n", cmd->name);
}

int usage_error(const struct command *cmd, const char *fmt, ...)
{
	va_list args;

	fputs("slabwork: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	if (cmd)
		fprintf(stderr, "\nusage: slabwork %s%s%s\ntry: slabwork %s --help\n", cmd->name,
			*cmd->synopsis ? " " : "", cmd->synopsis, cmd->name);
	else
		fputs("\ntry: slabwork help\n", stderr);
	return EXIT_USAGE;
}

int fail(const char *fmt, ...)
{
	va_list args;

	fputs("slabwork: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	return EXIT_FAIL;
}

static int help(const char *name)
{
	const struct command *cmd = name ? command_find(name) : NULL;

	if (name && !cmd)
		return usage_error(NULL, "there is no command '%s'", name);
	if (cmd) {
		command_help(cmd);
		return EXIT_OK;
	}
	printf("slabwork runs any program on the Linux memory manager, rebuilt in user space,\n"
	       "and shows what it holds.\n\nusage: slabwork COMMAND ...\n\n");
	for (unsigned int i = 0; i < nr_commands; i++)
		printf("  %-14s %s\n", commands[i].name, commands[i].line);
	printf("\ntry: slabwork run -- python3     then, elsewhere: slabwork top python3\n"
	       "     slabwork help COMMAND\n");
	return EXIT_OK;
}

static int command_run(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : NULL;
	const struct command *cmd;

	if (!name) {
		help(NULL);
		return EXIT_USAGE;
	}
	if (!strcmp(name, "--version") || !strcmp(name, "version")) {
		printf("slabwork %s\n", SW_VERSION);
		return EXIT_OK;
	}
	if (!strcmp(name, "help") || !strcmp(name, "--help") || !strcmp(name, "-h"))
		return help(argc > 2 ? argv[2] : NULL);
	cmd = command_find(name);
	if (!cmd)
		return usage_error(NULL, "there is no command '%s'", name);
	if (argc > 2 && (!strcmp(argv[2], "--help") || !strcmp(argv[2], "-h"))) {
		command_help(cmd);
		return EXIT_OK;
	}
	return cmd->run(cmd, argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
	int status = command_run(argc, argv);
	bool lost = ferror(stdout); /* of an earlier write; why is not known any more */

	if (fflush(stdout) && status == EXIT_OK)
		return fail("cannot write: %s", strerror(errno));
	if (lost && status == EXIT_OK)
		return fail("cannot write all of it");
	return status;
}
