/* SPDX-License-Identifier: MIT */
/*
 * options.c - the command line of slabwork-mount
 *
 * Room: fuse. A word after -o is for the kernel's side (ro, nosuid, allow_other ...), for this server
 * (xattr, threads= ...), for who reads /etc/fstab, or for the file system, which says itself what it does not know.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuse/fuse_internal.h"

#define EXIT_USAGE 2

__attribute__((format(printf, 1, 2))) static int usage(const char *fmt, ...)
{
	va_list args;

	fputs("slabwork: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputs("\nusage: slabwork mount [-f] [-q] [-v] [-o OPTION[,OPTION]...] TYPE [SOURCE] DIR\n"
	      "try: slabwork mount --help\n",
	      stderr);
	return EXIT_USAGE;
}

static bool append(char *list, size_t size, const char *word)
{
	size_t len = strlen(list);

	return (size_t)snprintf(list + len, size - len, "%s%s", len ? "," : "", word) < size - len;
}

/* Words that the kernel's side takes as they are. */
static bool is_kernels(const char *word)
{
	static const char *const words[] = { "rw",      "ro",    "suid",        "nosuid",
					     "dev",     "nodev", "exec",        "noexec",
					     "sync",    "async", "allow_other", "allow_root",
					     "dirsync", "atime", "noatime",     "auto_unmount",
					     NULL };

	for (size_t i = 0; words[i]; i++)
		if (!strcmp(word, words[i]))
			return true;
	return !strncmp(word, "fsname=", 7);
}

/* Words of /etc/fstab that say what is so anyway, or are for who reads that file. */
static bool is_fstabs(const char *word)
{
	static const char *const words[] = { "defaults", "relatime", "auto",   "noauto",  "user",
					     "nouser",   "users",    "nofail", "_netdev", NULL };

	for (size_t i = 0; words[i]; i++)
		if (!strcmp(word, words[i]))
			return true;
	return !strncmp(word, "x-", 2);
}

static bool parse_number(const char *text, unsigned long max, unsigned long *out)
{
	char *end;

	*out = strtoul(text, &end, 10);
	return end != text && !*end && *out >= 1 && *out <= max;
}

static int parse_word(struct mount_options *opt, char *word)
{
	unsigned long n;

	if (!strcmp(word, "xattr")) {
		opt->xattr = true;
	} else if (!strcmp(word, "writethrough")) {
		opt->writethrough = true;
	} else if (!strncmp(word, "source=", 7)) {
		opt->source = word + 7;
	} else if (!strncmp(word, "threads=", 8)) {
		if (!parse_number(word + 8, 64, &n))
			return usage("threads= takes 1 to 64, not '%s'", word + 8);
		opt->threads = (unsigned int)n;
	} else if (!strncmp(word, "cache_mb=", 9)) {
		if (!parse_number(word + 9, 1ul << 20, &n))
			return usage("cache_mb= takes MiB, 1 to 1048576, not '%s'", word + 9);
		opt->cache_pages = n << (20 - PAGE_SHIFT);
	} else if (is_fstabs(word)) {
		return 0;
	} else if (is_kernels(word)) {
		if (!strcmp(word, "ro"))
			opt->flags |= SB_RDONLY;
		else if (!strcmp(word, "rw"))
			opt->flags &= ~(unsigned long)SB_RDONLY;
		if (!append(opt->kernel, sizeof(opt->kernel), word))
			return usage("the options are too long");
	} else if (*word && !append(opt->fs, sizeof(opt->fs), word)) {
		return usage("the options are too long");
	}
	return 0;
}

/* @list is taken apart in place. */
static int parse_list(struct mount_options *opt, char *list)
{
	char *rest = list, *word;
	int status = 0;

	while (!status && (word = strsep(&rest, ",")))
		status = parse_word(opt, word);
	return status;
}

int options_parse(struct mount_options *opt, int argc, char **argv)
{
	int c, status = 0;

	*opt = (struct mount_options){ .verbose = isatty(STDERR_FILENO) };
	opterr = 0;
	while (!status && (c = getopt(argc, argv, "fo:qv")) != -1) {
		if (c == 'f')
			opt->foreground = true;
		else if (c == 'q')
			opt->quiet = true;
		else if (c == 'v')
			opt->verbose = true;
		else if (c == 'o')
			status = parse_list(opt, optarg);
		else
			status = usage(optopt == 'o' ? "-o needs options" :
						       "mount has no option '-%c'",
				       optopt);
	}
	if (status)
		return status;
	argc -= optind;
	argv += optind;
	if (argc < 2 || argc > 3)
		return usage(argc > 3 ? "one word too many: '%s'" : "mount what, and where?",
			     argc > 3 ? argv[3] : "");
	opt->type = argv[0];
	if (argc == 3)
		opt->source = argv[1];
	opt->dir = argv[argc - 1];
	opt->verbose = opt->verbose && !opt->quiet;
	return 0;
}
