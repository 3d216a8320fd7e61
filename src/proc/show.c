/* SPDX-License-Identifier: MIT */
/*
 * show.c - the doors: sw_show() and kin; the table of files
 *
 * Room: proc. Door: <slabwork/show.h>. Next door: collect_*.c gather rows through a
 * reader, one file a file of the kernel prints them, store.c takes writes.
 *
 * To a buffer a file is printed again from the start when the reader stumbles
 * over a change (-EAGAIN); a stream cannot be taken back, but it shows this
 * process, whose rows are copied under the locks that keep them whole.
 */

#include <slabwork/show.h>

#include <errno.h>
#include <unistd.h>

#include "mm/boot.h"
#include "proc/files.h"

#define TRIES 8 /* a walk takes microseconds, and a list changes a few thousand times a second */

static const struct {
	const char *name;
	int (*show)(struct show *sh);
} files[] = {
	{ "buddyinfo", show_buddyinfo },
	{ "meminfo", show_meminfo },
	{ "pagetypeinfo", show_pagetypeinfo },
	{ "slab", show_slab },
	{ "slabinfo", show_slabinfo },
	{ "vmallocinfo", show_vmallocinfo },
	{ "vmstat", show_vmstat },
	{ "zoneinfo", show_zoneinfo },
};

/* One attempt. The name may be followed by a path only where it is a folder. */
static int show_file(struct reader *reader, struct out *out, const char *file, const char *filter)
{
	struct show sh = {
		.reader = reader,
		.out = out,
		.filter = filter && *filter ? filter : NULL,
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		size_t len = strlen(files[i].name);

		if (strncmp(file, files[i].name, len) != 0)
			continue;
		if (file[len] && (file[len] != '/' || files[i].show != show_slab))
			continue;
		sh.path = file[len] ? file + len + 1 : "";
		return files[i].show(&sh);
	}
	return -ENOENT;
}

ssize_t sw_show_view(struct sw_view *view, enum sw_format format, char *buf, size_t size,
		     const char *file, const char *filter)
{
	struct reader reader;
	struct out out;
	int err = -EAGAIN;

	if (!view)
		mm_boot();
	for (int i = 0; i < TRIES && err == -EAGAIN; i++) {
		out_init(&out, buf, size);
		out.json = format == SW_JSON;
		err = reader_open(&reader, view);
		if (!err)
			err = show_file(&reader, &out, file, filter);
		out_finish(&out);
	}
	return err ? err : (ssize_t)out.total;
}

ssize_t sw_show_buf(char *buf, size_t size, const char *file, const char *filter)
{
	return sw_show_view(NULL, SW_TEXT, buf, size, file, filter);
}

static int show_sink(int (*sink)(void *arg, const char *text, size_t len), void *arg,
		     const char *file, const char *filter)
{
	struct reader reader;
	struct out out;
	char stage[1024];
	int err, sunk;

	mm_boot();
	out_init_sink(&out, stage, sizeof(stage), sink, arg);
	err = reader_open(&reader, NULL);
	if (!err)
		err = show_file(&reader, &out, file, filter);
	sunk = out_finish(&out);
	return sunk ? sunk : err;
}

static int sink_stream(void *arg, const char *text, size_t len)
{
	return fwrite(text, 1, len, arg) == len ? 0 : -EIO;
}

int sw_show(FILE *out, const char *file, const char *filter)
{
	return show_sink(sink_stream, out, file, filter);
}

static int sink_fd(void *arg, const char *text, size_t len)
{
	int saved = errno;
	int err = 0;

	while (len && !err) {
		ssize_t n = write(*(int *)arg, text, len);

		if (n >= 0) {
			text += n;
			len -= (size_t)n;
		} else if (errno != EINTR) {
			err = -errno;
		}
	}
	errno = saved;
	return err;
}

int sw_show_fd(int fd, const char *file, const char *filter)
{
	return show_sink(sink_fd, &fd, file, filter);
}
