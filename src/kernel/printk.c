/* SPDX-License-Identifier: MIT */
/*
 * printk.c - say something without allocating, and die in order
 *
 * Room: kernel.
 *
 * A message is formatted on the stack and leaves in one write(2), so lines of two
 * threads do not mix. Longer text is cut at PRINTK_MAX: who has a report to make
 * prints it line by line. Addresses of a stack trace are raw: names would need
 * dladdr(), which takes the loader's lock; addr2line turns them into names later.
 *
 * bug() may come from a signal handler, on a small stack, with any lock held:
 * nothing below it takes one.
 */

#include <stdio.h>
#include <string.h>

#include "kernel/param.h"
#include "kernel/printk.h"
#include "os/os.h"

#define PRINTK_MAX   512 /* the kernel's own line limit is 1,024; threads here have small stacks */
#define STACK_FRAMES 16  /* of a report */

#define OWN_FRAMES 2 /* os_backtrace() and show_stack() were called by us: of no interest */

#define CUT_HERE "------------[ cut here ]------------\n"
#define TAG      "slabwork: "

void (*printk_sink)(const char *text, unsigned long len);

/* Messages of this level and below (more urgent) are shown. */
static int console_loglevel = LOGLEVEL_NOTICE;

static int set_quiet(const char *value)
{
	bool quiet;
	int ret = param_bool(value, &quiet);

	if (!ret)
		console_loglevel = quiet ? LOGLEVEL_WARNING : LOGLEVEL_NOTICE;
	return ret;
}
__param(quiet, "quiet", set_quiet, "on or off", PARAM_NONE);

static int set_loglevel(const char *value)
{
	unsigned int level;
	int ret = param_uint(value, 0, 7, &level);

	if (!ret)
		console_loglevel = (int)level;
	return ret;
}
__param(loglevel, "loglevel", set_loglevel, "0..7", PARAM_NONE);

static void emit(const char *text, size_t len)
{
	void (*sink)(const char *, unsigned long) = __atomic_load_n(&printk_sink, __ATOMIC_ACQUIRE);

	if (sink)
		sink(text, len);
	else
		os_write_err(text, len);
}

/* Format behind prefix, end with exactly one newline at least, emit. */
static void emit_fmt(const char *prefix, const char *fmt, va_list args) __printf(2, 0);
static void emit_fmt(const char *prefix, const char *fmt, va_list args)
{
	char buf[PRINTK_MAX];
	size_t len = strlen(prefix);
	int more;

	memcpy(buf, prefix, len + 1);
	more = vsnprintf(buf + len, sizeof(buf) - len - 1, fmt, args);
	if (more < 0)
		return;
	len += (size_t)more;
	if (len > sizeof(buf) - 2)
		len = sizeof(buf) - 2;
	if (!len || buf[len - 1] != '\n')
		buf[len++] = '\n';
	emit(buf, len);
}

void vprintk(int level, const char *fmt, va_list args)
{
	if (level <= console_loglevel)
		emit_fmt("", fmt, args);
}

void __printk(int level, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vprintk(level, fmt, args);
	va_end(args);
}

static void __attribute__((noinline)) show_stack(void)
{
	void *frames[STACK_FRAMES];
	unsigned int nr = os_backtrace(frames, STACK_FRAMES);

	if (nr > OWN_FRAMES)
		__printk(LOGLEVEL_ERR, "Call Trace:\n");
	for (unsigned int i = OWN_FRAMES; i < nr; i++)
		__printk(LOGLEVEL_ERR, " [<%016lx>]\n", (unsigned long)frames[i]);
}

void bug(const char *fmt, ...)
{
	/* Second and later entries: another thread's report, or one caused by ours. */
	static int dying;
	va_list args;

	va_start(args, fmt);
	emit_fmt(strncmp(fmt, TAG, strlen(TAG)) ? TAG : "", fmt, args);
	va_end(args);
	if (!__atomic_exchange_n(&dying, 1, __ATOMIC_ACQ_REL))
		show_stack();
	os_abort();
}

void warn_slowpath(const char *file, int line, const char *fmt, ...)
{
	va_list args;

	if (console_loglevel < LOGLEVEL_WARNING)
		return;
	emit(CUT_HERE, strlen(CUT_HERE));
	va_start(args, fmt);
	emit_fmt("", fmt, args);
	va_end(args);
	__printk(LOGLEVEL_WARNING, "WARNING: PID: %d at %s:%d\n", os_tid(), file, line);
	show_stack();
	__printk(LOGLEVEL_WARNING, "---[ end trace ]---\n");
}
