/* SPDX-License-Identifier: MIT */
/*
 * show.c - slabwork slabinfo, buddyinfo, ..., slab: a file of another process
 *
 * Room: tool. The text is made by the library (<slabwork/show.h>); here are the
 * arguments, a buffer that is large enough, and words for what can go wrong.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool/tool.h"

#define MAX_WORDS 3

struct request {
	enum sw_format format;
	const char *only;
	const char *word[MAX_WORDS]; /* PROCESS ... */
	int words;
};

/* 0 or an exit status. */
static int parse(const struct command *cmd, int argc, char **argv, int max_words,
		 struct request *req)
{
	bool options = true;

	memset(req, 0, sizeof(*req));
	for (int i = 1; i < argc; i++) {
		const char *arg = argv[i];

		if (options && !strcmp(arg, "--")) {
			options = false;
		} else if (options && !strcmp(arg, "--json")) {
			req->format = SW_JSON;
		} else if (options && !strncmp(arg, "--only=", 7)) {
			req->only = arg + 7;
		} else if (options && !strcmp(arg, "--only")) {
			if (++i == argc)
				return usage_error(cmd, "--only needs a name");
			req->only = argv[i];
		} else if (options && arg[0] == '-') {
			return usage_error(cmd, "%s has no option '%s'", cmd->name, arg);
		} else if (req->words == max_words) {
			return usage_error(cmd, "one word too many: '%s'", arg);
		} else {
			req->word[req->words++] = arg;
		}
	}
	if (!req->words) {
		usage_error(cmd, "which process?");
		process_list_slabwork();
		return EXIT_USAGE;
	}
	return 0;
}

/* The whole text, to be freed; NULL and a negative errno in *len. */
static char *fetch(struct target *target, enum sw_format format, const char *file, const char *only,
		   ssize_t *len)
{
	size_t size = 64 << 10;

	for (;;) {
		char *text = malloc(size);

		*len = -ENOMEM;
		if (!text)
			return NULL;
		*len = sw_show_view(&target->view, format, text, size, file, only);
		if (*len >= 0 && (size_t)*len < size)
			return text;
		free(text);
		if (*len < 0)
			return NULL;
		size = (size_t)*len + (size_t)*len / 2 + 1; /* it may have grown meanwhile */
	}
}

static int show_error(const struct target *target, const char *file, const char *only, int err)
{
	int pid = (int)target->pid;

	switch (err) {
	case -ENOENT:
		if (only)
			return fail("%s of process %d has no '%s'.  All of it: slabwork %s %d",
				    file, pid, only, file, pid);
		return fail("process %d has no %s.  Its caches: slabwork slab %d", pid, file, pid);
	default:
		return target_error(target, err);
	}
}

static int show(const struct request *req, const char *file)
{
	struct target target;
	int status = EXIT_OK;
	ssize_t len;
	char *text;

	if (!target_open(&target, req->word[0]))
		return EXIT_FAIL;
	text = fetch(&target, req->format, file, req->only, &len);
	if (!text)
		status = show_error(&target, file, req->only, (int)len);
	else if (fwrite(text, 1, (size_t)len, stdout) != (size_t)len)
		status = fail("cannot write: %s", strerror(errno));
	free(text);
	target_close(&target);
	return status;
}

int cmd_show(const struct command *cmd, int argc, char **argv)
{
	struct request req;
	int status = parse(cmd, argc, argv, 1, &req);

	return status ? status : show(&req, cmd->name);
}

int cmd_slab(const struct command *cmd, int argc, char **argv)
{
	struct request req;
	char file[512];
	int status = parse(cmd, argc, argv, 3, &req);

	if (status)
		return status;
	if (snprintf(file, sizeof(file), "slab%s%s%s%s", req.words > 1 ? "/" : "",
		     req.words > 1 ? req.word[1] : "", req.words > 2 ? "/" : "",
		     req.words > 2 ? req.word[2] : "") >= (int)sizeof(file))
		return usage_error(cmd, "that name is too long");
	return show(&req, file);
}
