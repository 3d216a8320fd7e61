/* SPDX-License-Identifier: MIT */
/*
 * out.c - where the text of a file goes: a buffer, or through one to a sink; and JSON
 *
 * Room: proc. Door: proc/out.h.
 */

#include "proc/out.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void out_init(struct out *out, char *buf, size_t size)
{
	memset(out, 0, sizeof(*out));
	out->buf = buf;
	out->size = size;
}

void out_init_sink(struct out *out, char *buf, size_t size,
		   int (*sink)(void *arg, const char *text, size_t len), void *arg)
{
	out_init(out, buf, size);
	out->sink = sink;
	out->arg = arg;
}

static void out_flush(struct out *out)
{
	if (out->used && !out->error)
		out->error = out->sink(out->arg, out->buf, out->used);
	out->used = 0;
}

int out_finish(struct out *out)
{
	if (out->sink)
		out_flush(out);
	else if (out->size)
		out->buf[out->used < out->size ? out->used : out->size - 1] = '\0';
	return out->error;
}

void out_write(struct out *out, const char *text, size_t len)
{
	out->total += len;
	while (len) {
		size_t room = out->size - out->used;
		size_t n = len < room ? len : room;

		if (n)
			memcpy(out->buf + out->used, text, n);
		out->used += n;
		text += n;
		len -= n;
		if (!len)
			return;
		if (!out->sink)
			return; /* dropped */
		out_flush(out);
	}
}

void out_puts(struct out *out, const char *text)
{
	out_write(out, text, strlen(text));
}

void out_printf(struct out *out, const char *fmt, ...)
{
	char line[256];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	if (len > 0)
		out_write(out, line, len < (int)sizeof(line) ? (size_t)len : sizeof(line) - 1);
}

/* ---- JSON -------------------------------------------------------------------- */

static void json_quote(struct out *out, const char *text)
{
	out_puts(out, "\"");
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			out_printf(out, "\\%c", c);
		else if (c < 0x20 || c >= 0x7f) /* names are bytes: as Latin-1, always valid */
			out_printf(out, "\\u%04x", c);
		else
			out_write(out, text, 1);
	}
	out_puts(out, "\"");
}

/* Members of the two outer levels stand on lines of their own, deeper ones in a row. */
static void json_member(struct out *out, const char *key)
{
	if (out->more & (1ULL << out->depth))
		out_puts(out, ",");
	out->more |= 1ULL << out->depth;
	if (out->depth == 1 || out->depth == 2)
		out_puts(out, out->depth == 1 ? "\n " : "\n  ");
	else if (out->depth)
		out_puts(out, " ");
	if (key) {
		json_quote(out, key);
		out_puts(out, ": ");
	}
}

void json_open(struct out *out, const char *key, char bracket)
{
	json_member(out, key);
	out_write(out, &bracket, 1);
	out->depth++;
	out->more &= ~(1ULL << out->depth);
}

void json_close(struct out *out, char bracket)
{
	out->depth--;
	if (out->depth == 0)
		out_puts(out, "\n");
	else if (out->depth == 1)
		out_puts(out, "\n ");
	else
		out_puts(out, " ");
	out_write(out, &bracket, 1);
	if (out->depth == 0)
		out_puts(out, "\n");
}

void json_ulong(struct out *out, const char *key, unsigned long value)
{
	json_member(out, key);
	out_printf(out, "%lu", value);
}

void json_bool(struct out *out, const char *key, bool value)
{
	json_member(out, key);
	out_puts(out, value ? "true" : "false");
}

void json_string(struct out *out, const char *key, const char *value)
{
	json_member(out, key);
	json_quote(out, value);
}
