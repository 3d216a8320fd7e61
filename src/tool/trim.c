/* SPDX-License-Identifier: MIT */
/*
 * trim.c - slabwork trim: a process gives its spare memory back, and says where it had lain
 *
 * Room: tool. The process does it itself, asked through its control socket; top's key t comes
 * here, too.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tool/tool.h"

#define REPLY_SIZE 2048

static const struct {
	const char *name; /* in the answer and in JSON */
	const char *words;
} parts[] = {
	{ "empty_slabs", "empty slabs" },
	{ "cpu_stock", "per-CPU slabs" },
	{ "free_pages", "free pages" },
	{ "areas", "unpurged areas" },
};

static void explain(struct target *target, int err, const char *reply)
{
	int pid = (int)target->pid;

	switch (err) {
	case -ENOENT:
		/* Who does not run on slabwork at all, or may not be looked at, is told so. */
		if (!target_read_open(target))
			return;
		fail("process %d (%s) has no control socket: it was not started by `slabwork run`.\n"
		     "          Start it so: slabwork run -- %s    (or with SLABWORK=control)",
		     pid, target->name, target->name);
		return;
	case -EACCES:
	case -EPERM:
		fail("process %d (%s) does not take requests from us: run this as its user or as root",
		     pid, target->name);
		return;
	case -EPROTO:
		fail("process %d (%s) runs on another version of slabwork (this is %s):\n"
		     "          use the slabwork command that was built with its library",
		     pid, target->name, SW_VERSION);
		return;
	case -EINVAL:
		fail("process %d (%s) refuses: %s", pid, target->name, reply);
		return;
	case -EAGAIN:
		fail("process %d (%s) does not answer: is it stopped?", pid, target->name);
		return;
	default:
		fail("cannot ask process %d (%s): %s", pid, target->name, strerror(-err));
	}
}

bool trim_ask(struct target *target, const char *keep, char *reply, size_t size)
{
	char request[64];
	int err;

	snprintf(request, sizeof(request), keep ? "trim %s" : "trim", keep);
	err = control_ask(target->pid, request, reply, size);
	if (err)
		explain(target, err, reply);
	return !err;
}

void trim_sentence(const char *reply, char *text, size_t size)
{
	uint64_t given = control_value(reply, "given_back");
	char n[HUMAN_SIZE], m[HUMAN_SIZE];
	size_t len = 0;

	if (!given)
		len += (size_t)snprintf(text, size, "gave back nothing: no memory was spare");
	else
		len += (size_t)snprintf(text, size, "gave back %s", human(n, given));
	for (size_t i = 0, shown = 0; i < sizeof(parts) / sizeof(parts[0]) && len < size; i++) {
		uint64_t bytes = control_value(reply, parts[i].name);

		if (bytes)
			len += (size_t)snprintf(text + len, size - len, "%s %s %s",
						shown++ ? "," : ":", human(n, bytes),
						parts[i].words);
	}
	if (len < size)
		snprintf(text + len, size - len, ". live %s, held %s.",
			 human(n, control_value(reply, "live")),
			 human(m, control_value(reply, "held")));
}

static void print_json(const struct target *target, const char *reply)
{
	printf("{\n \"pid\": %d,\n \"given_back\": %llu,\n", (int)target->pid,
	       (unsigned long long)control_value(reply, "given_back"));
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		printf(" \"%s\": %llu,\n", parts[i].name,
		       (unsigned long long)control_value(reply, parts[i].name));
	printf(" \"live\": %llu,\n \"held\": %llu\n}\n",
	       (unsigned long long)control_value(reply, "live"),
	       (unsigned long long)control_value(reply, "held"));
}

int cmd_trim(const struct command *cmd, int argc, char **argv)
{
	const char *who = NULL, *keep = NULL;
	char reply[REPLY_SIZE], text[256];
	struct target target;
	bool json = false;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--json")) {
			json = true;
		} else if (!strncmp(argv[i], "--keep=", 7)) {
			keep = argv[i] + 7;
		} else if (!strcmp(argv[i], "--keep")) {
			if (++i == argc)
				return usage_error(cmd, "--keep needs a number of bytes");
			keep = argv[i];
		} else if (argv[i][0] == '-') {
			return usage_error(cmd, "trim has no option '%s'", argv[i]);
		} else if (who) {
			return usage_error(cmd, "one word too many: '%s'", argv[i]);
		} else {
			who = argv[i];
		}
	}
	if (keep && (keep[0] < '0' || keep[0] > '9' ||
		     keep[strspn(keep, "0123456789abcdefxABCDEFkKmMgGtT")] || strlen(keep) > 32))
		return usage_error(cmd, "--keep takes a number of bytes, not '%s'", keep);
	if (!who) {
		usage_error(cmd, "which process?");
		process_list_slabwork();
		return EXIT_USAGE;
	}
	if (!target_find(&target, who))
		return EXIT_FAIL;
	if (!trim_ask(&target, keep, reply, sizeof(reply))) {
		target_close(&target);
		return EXIT_FAIL;
	}
	trim_sentence(reply, text, sizeof(text));
	if (json)
		print_json(&target, reply);
	else
		puts(text);
	return EXIT_OK;
}
