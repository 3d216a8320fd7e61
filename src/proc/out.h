/* SPDX-License-Identifier: MIT */
#ifndef PROC_OUT_H
#define PROC_OUT_H

/*
 * out.h - where the text of a file goes: a buffer, or through one to a sink; and JSON
 *
 * Room: proc. Allocates nothing. Without a sink the buffer is the user's: text
 * past its end is counted and dropped. With one, the buffer is a stage that is
 * emptied whenever it is full, so a sink may be called from any out_* call: the
 * caller holds no lock.
 */

#include <stdbool.h>
#include <stddef.h>

#include <slabwork/export.h>

struct out {
	char *buf;
	size_t size;  /* bytes of buf */
	size_t used;  /* text bytes in buf */
	size_t total; /* text bytes written in all, dropped ones included */
	int (*sink)(void *arg, const char *text, size_t len); /* NULL, or 0 / -errno */
	void *arg;
	int error; /* the sink's first */

	bool json;
	unsigned int depth;
	unsigned long long more; /* bit depth: the container has a member already */
};

void out_init(struct out *out, char *buf, size_t size);
void out_init_sink(struct out *out, char *buf, size_t size,
		   int (*sink)(void *arg, const char *text, size_t len), void *arg);
/* Empty the stage, or end the user's buffer with a NUL. The sink's error or 0. */
int out_finish(struct out *out);

void out_write(struct out *out, const char *text, size_t len);
void out_puts(struct out *out, const char *text);
void out_printf(struct out *out, const char *fmt, ...) __printf(2, 3); /* up to 255 bytes */

/* JSON. key is NULL in arrays and at the top. Commas and newlines are put by us. */
void json_open(struct out *out, const char *key, char bracket); /* '{' or '[' */
void json_close(struct out *out, char bracket);                 /* '}' or ']' */
void json_ulong(struct out *out, const char *key, unsigned long value);
void json_bool(struct out *out, const char *key, bool value);
void json_string(struct out *out, const char *key, const char *value);

#endif /* PROC_OUT_H */
