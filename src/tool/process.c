/* SPDX-License-Identifier: MIT */
/*
 * process.c - which processes there are, and which of them run on slabwork
 *
 * Room: tool.
 */

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tool/tool.h"

bool process_name(pid_t pid, char name[64])
{
	char path[64];
	size_t len;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	len = fread(name, 1, 63, f);
	fclose(f);
	while (len && name[len - 1] == '\n')
		len--;
	name[len] = '\0';
	return len > 0;
}

bool process_has_library(pid_t pid)
{
	char path[64];
	char *line = NULL;
	size_t size = 0;
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	while (!found && getline(&line, &size, f) > 0) {
		const char *base = strrchr(line, '/');

		found = base && (!strncmp(base, "/libslabwork.so", 15) ||
				 !strcmp(base, "/slabwork-mount\n") ||
				 !strncmp(base, "/libslabwork-malloc.so", 22));
	}
	free(line);
	fclose(f);
	return found;
}

static int is_pid(const struct dirent *entry)
{
	return entry->d_name[0] >= '1' && entry->d_name[0] <= '9';
}

static int by_pid(const struct dirent **a, const struct dirent **b)
{
	return atoi((*a)->d_name) - atoi((*b)->d_name);
}

void process_each(void (*fn)(pid_t pid, const char *name, void *arg), void *arg)
{
	struct dirent **entries;
	int n = scandir("/proc", &entries, is_pid, by_pid);
	char name[64];

	for (int i = 0; i < n; i++) {
		pid_t pid = (pid_t)atoi(entries[i]->d_name);

		if (process_name(pid, name))
			fn(pid, name, arg);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
}

static void list_one(pid_t pid, const char *name, void *arg)
{
	unsigned int *count = arg;

	if (pid == getpid() || !process_has_library(pid))
		return;
	if (!(*count)++)
		fputs("processes that run on slabwork:\n", stderr);
	fprintf(stderr, "  %7d  %s\n", (int)pid, name);
}

unsigned int process_list_slabwork(void)
{
	unsigned int count = 0;

	process_each(list_one, &count);
	if (!count)
		fputs("no process of yours runs on slabwork.  try: slabwork run -- python3\n",
		      stderr);
	return count;
}
