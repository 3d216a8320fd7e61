/* SPDX-License-Identifier: MIT */
/*
 * reader.c - read /proc and /sys a character at a time, from a small stack
 *
 * Room: os. See reader.h. No descriptor outlives the function that asked for it.
 */

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>

#include "os/reader.h"
#include "os/syscall.h"

void os_reader_open(struct os_reader *r, const char *path)
{
	r->fd = (int)os_syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
	r->pos = r->len = 0;
}

void os_reader_close(struct os_reader *r)
{
	if (r->fd >= 0)
		os_syscall(SYS_close, r->fd);
	r->fd = -EBADF;
}

int os_getc(struct os_reader *r)
{
	if (r->pos == r->len) {
		long got;

		if (r->fd < 0)
			return OS_EOF;
		do {
			got = os_syscall(SYS_read, r->fd, r->buf, sizeof(r->buf));
		} while (got == -EINTR);
		if (got <= 0)
			return OS_EOF;
		r->pos = 0;
		r->len = (unsigned int)got;
	}
	return (unsigned char)r->buf[r->pos++];
}

int os_getline(struct os_reader *r, char *line, unsigned int size)
{
	unsigned int len = 0;
	int c = os_getc(r);

	if (c == OS_EOF)
		return OS_EOF;
	for (; c != OS_EOF && c != '\n'; c = os_getc(r))
		if (len + 1 < size)
			line[len++] = (char)c;
	line[len] = '\0';
	return (int)len;
}

static bool is_digit(int c)
{
	return c >= '0' && c <= '9';
}

/* Read digits, *c being the first; leaves *c at what follows them. */
static uint64_t read_number(struct os_reader *r, int *c)
{
	uint64_t value = 0;

	for (; is_digit(*c); *c = os_getc(r))
		value = value * 10 + (uint64_t)(*c - '0');
	return value;
}

bool os_read_u64(const char *path, uint64_t *out)
{
	struct os_reader r;
	bool found;
	int c;

	os_reader_open(&r, path);
	c = os_getc(&r);
	found = is_digit(c);
	if (found)
		*out = read_number(&r, &c);
	os_reader_close(&r);
	return found;
}

bool os_read_list(const char *path, void (*visit)(unsigned int first, unsigned int last, void *arg),
		  void *arg)
{
	struct os_reader r;
	bool found = false;
	int c;

	os_reader_open(&r, path);
	c = os_getc(&r);
	while (is_digit(c)) {
		unsigned int first = (unsigned int)read_number(&r, &c);
		unsigned int last = first;

		if (c == '-') {
			c = os_getc(&r);
			last = (unsigned int)read_number(&r, &c);
		}
		visit(first, last, arg);
		found = true;
		if (c == ',')
			c = os_getc(&r);
	}
	os_reader_close(&r);
	return found;
}
