/* SPDX-License-Identifier: MIT */
/*
 * textbuf.c - text into a buffer that cannot overflow
 *
 * Room: lib. Invariant: size == 0, or used < size and buf[used] == '\0'.
 */

#include <stdio.h>
#include <string.h>

#include "lib/textbuf.h"

void tb_init(struct textbuf *tb, char *buf, size_t size)
{
	tb_init_stream(tb, buf, size, NULL, NULL);
}

void tb_init_stream(struct textbuf *tb, char *buf, size_t size,
		    void (*out)(void *arg, const char *text, size_t len), void *arg)
{
	*tb = (struct textbuf){ .buf = buf, .size = size, .out = out, .arg = arg };
	if (size)
		buf[0] = '\0';
}

void tb_flush(struct textbuf *tb)
{
	if (!tb->out || !tb->used)
		return;
	tb->out(tb->arg, tb->buf, tb->used);
	tb->used = 0;
	tb->buf[0] = '\0';
}

static size_t room(const struct textbuf *tb)
{
	return tb->size ? tb->size - 1 - tb->used : 0;
}

void tb_write(struct textbuf *tb, const char *text, size_t len)
{
	tb->len += len;
	while (len) {
		size_t part = len < room(tb) ? len : room(tb);

		if (part) {
			memcpy(tb->buf + tb->used, text, part);
			tb->used += part;
			tb->buf[tb->used] = '\0';
		}
		text += part;
		len -= part;
		if (len && (!tb->out || !tb->used))
			return; /* no stream, or a buffer of one byte */
		if (len)
			tb_flush(tb);
	}
}

void tb_puts(struct textbuf *tb, const char *text)
{
	tb_write(tb, text, strlen(text));
}

void tb_putc(struct textbuf *tb, char c)
{
	tb_write(tb, &c, 1);
}

/* Format at the end of the buffer. Length of the whole text, or 0 on a format error. */
static size_t format_here(struct textbuf *tb, const char *fmt, va_list args) __printf(2, 0);
static size_t format_here(struct textbuf *tb, const char *fmt, va_list args)
{
	va_list again;
	int len;

	va_copy(again, args);
	len = vsnprintf(tb->size ? tb->buf + tb->used : NULL, tb->size - tb->used, fmt, again);
	va_end(again);
	return len < 0 ? 0 : (size_t)len;
}

void tb_vprintf(struct textbuf *tb, const char *fmt, va_list args)
{
	size_t len = format_here(tb, fmt, args);

	if (len > room(tb) && tb->out && tb->used) {
		tb->buf[tb->used] = '\0'; /* take back the part that fitted */
		tb_flush(tb);
		len = format_here(tb, fmt, args);
	}
	tb->len += len;
	tb->used += len < room(tb) ? len : room(tb);
}

void tb_printf(struct textbuf *tb, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	tb_vprintf(tb, fmt, args);
	va_end(args);
}
