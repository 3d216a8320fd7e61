/* SPDX-License-Identifier: MIT */
#ifndef LIB_TEXTBUF_H
#define LIB_TEXTBUF_H

/*
 * textbuf.h - text into a buffer that cannot overflow
 *
 * Room: lib. Two kinds:
 *
 *   tb_init()         text that does not fit is dropped but counted: tb->len is what a large
 *                     enough buffer would hold, as with snprintf(); the buffer always ends with NUL
 *   tb_init_stream()  a full buffer is handed to out() and used again; tb_flush() at the end
 *
 * Nothing allocates. One tb_printf() in a stream is at most size - 1 bytes; the rest is dropped.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <slabwork/export.h>

struct textbuf {
	char *buf;
	size_t size; /* of buf, 0 allowed without a stream */
	size_t len;  /* bytes of text so far, dropped and streamed ones too */
	size_t used; /* bytes now in buf, without the NUL */
	void (*out)(void *arg, const char *text, size_t len);
	void *arg;
};

void tb_init(struct textbuf *tb, char *buf, size_t size);
void tb_init_stream(struct textbuf *tb, char *buf, size_t size,
		    void (*out)(void *arg, const char *text, size_t len), void *arg);
void tb_flush(struct textbuf *tb);

void tb_write(struct textbuf *tb, const char *text, size_t len);
void tb_puts(struct textbuf *tb, const char *text);
void tb_putc(struct textbuf *tb, char c);
void tb_printf(struct textbuf *tb, const char *fmt, ...) __printf(2, 3);
void tb_vprintf(struct textbuf *tb, const char *fmt, va_list args) __printf(2, 0);

/* Was text dropped? */
static inline bool tb_overflowed(const struct textbuf *tb)
{
	return !tb->out && tb->len > tb->used;
}

#endif /* LIB_TEXTBUF_H */
