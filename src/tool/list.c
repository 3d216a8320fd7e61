/* SPDX-License-Identifier: MIT */
/*
 * list.c - slabwork list: processes that run on slabwork
 *
 * Room: tool.
 */

#include <stdio.h>
#include <unistd.h>

#include "tool/tool.h"

static void print_one(pid_t pid, const char *name, void *arg)
{
	if (pid == getpid() || !process_has_library(pid))
		return;
	*(bool *)arg = true;
	printf("%7d  %s\n", (int)pid, name);
}

int cmd_list(const struct command *cmd, int argc, char **argv)
{
	bool any = false;

	if (argc > 1)
		return usage_error(cmd, "list takes no '%s'", argv[1]);
	process_each(print_one, &any);
	if (!any)
		fputs("no process of yours runs on slabwork.  try: slabwork run -- python3\n",
		      stderr);
	return EXIT_OK;
}
