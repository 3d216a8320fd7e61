/* SPDX-License-Identifier: MIT */
/*
 * top.c - slabwork top: the arguments, and one screen as text
 *
 * Room: tool. The numbers: sample.c; the lines: sample_text.c; the screen: top_screen.c.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tool/sample.h"

#define DELAY_MIN_S 0.1
#define DELAY_MAX_S 3600.0

struct options {
	double delay_s;
	bool once, json;
	enum sort sort;
	const char *who;
};

static int parse_delay(const struct command *cmd, const char *text, struct options *opt)
{
	char *end;

	opt->delay_s = strtod(text, &end);
	if (end == text || *end || !(opt->delay_s >= DELAY_MIN_S && opt->delay_s <= DELAY_MAX_S))
		return usage_error(cmd, "-d takes seconds, 0.1 to 3600, not '%s'", text);
	return 0;
}

static int parse_sort(const struct command *cmd, const char *text, struct options *opt)
{
	for (int i = 0; i < NR_SORTS; i++) {
		if (strcmp(text, sort_names[i]) != 0)
			continue;
		opt->sort = (enum sort)i;
		return 0;
	}
	return usage_error(cmd, "--sort takes bytes, growth, objects or name, not '%s'", text);
}

/* The value of an option that needs one: behind '=', or the next word. NULL: it is missing. */
static const char *value_of(char **argv, int argc, int *i, size_t name_len)
{
	if (argv[*i][name_len] == '=')
		return argv[*i] + name_len + 1;
	return ++*i < argc ? argv[*i] : NULL;
}

static bool is_option(const char *arg, const char *name)
{
	size_t len = strlen(name);

	return !strncmp(arg, name, len) && (!arg[len] || arg[len] == '=');
}

static int parse(const struct command *cmd, int argc, char **argv, struct options *opt)
{
	int status = 0;

	*opt = (struct options){ .delay_s = 1 };
	for (int i = 1; i < argc && !status; i++) {
		const char *arg = argv[i], *value;

		if (!strcmp(arg, "--once")) {
			opt->once = true;
		} else if (!strcmp(arg, "--json")) {
			opt->json = opt->once = true;
		} else if (!strcmp(arg, "-d") || is_option(arg, "--delay")) {
			value = value_of(argv, argc, &i, strlen(arg[1] == '-' ? "--delay" : "-d"));
			status = value ? parse_delay(cmd, value, opt) :
					 usage_error(cmd, "%s needs seconds", arg);
		} else if (is_option(arg, "--sort")) {
			value = value_of(argv, argc, &i, strlen("--sort"));
			status = value ? parse_sort(cmd, value, opt) :
					 usage_error(cmd, "--sort needs a column");
		} else if (arg[0] == '-') {
			status = usage_error(cmd, "top has no option '%s'", arg);
		} else if (opt->who) {
			status = usage_error(cmd, "one word too many: '%s'", arg);
		} else {
			opt->who = arg;
		}
	}
	return status;
}

struct only {
	pid_t pid;
	unsigned int count;
};

static void count_one(pid_t pid, const char *name, void *arg)
{
	struct only *only = arg;

	(void)name;
	if (pid == getpid() || !process_has_library(pid))
		return;
	only->pid = pid;
	only->count++;
}

/* Nobody was named: the only one there is. */
static int choose(const struct command *cmd, char text[16], const char **who)
{
	struct only only = { 0 };

	process_each(count_one, &only);
	if (only.count != 1) {
		usage_error(cmd, "which process?");
		process_list_slabwork();
		return EXIT_USAGE;
	}
	snprintf(text, 16, "%d", (int)only.pid);
	*who = text;
	return 0;
}

static void print_line(const char *line, void *arg)
{
	(void)arg;
	puts(line);
}

static int once(struct watch *watch, const struct options *opt)
{
	char line[LINE_SIZE];
	int err = watch_look(watch);

	if (err)
		return target_error(&watch->target, err);
	watch_sort(watch, opt->sort);
	if (opt->json) {
		watch_json(watch, stdout);
		return EXIT_OK;
	}
	watch_header(watch, 0, false, print_line, NULL);
	watch_titles(watch, line);
	puts(line);
	for (size_t i = 0; i < watch->nr_rows; i++) {
		watch_row(watch, i, line);
		puts(line);
	}
	printf("try: slabwork trim %d\n", (int)watch->target.pid);
	return EXIT_OK;
}

int cmd_top(const struct command *cmd, int argc, char **argv)
{
	static struct watch watch;
	struct options opt;
	char only[16];
	int status = parse(cmd, argc, argv, &opt);

	if (!status && !opt.who)
		status = choose(cmd, only, &opt.who);
	if (status)
		return status;
	if (!target_open(&watch.target, opt.who))
		return EXIT_FAIL;
	watch_init(&watch);
	if (opt.once || !isatty(STDOUT_FILENO))
		status = once(&watch, &opt);
	else
		status = top_screen(&watch, opt.delay_s, opt.sort);
	watch_end(&watch);
	return status;
}
