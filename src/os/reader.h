/* SPDX-License-Identifier: MIT */
#ifndef OS_READER_H
#define OS_READER_H

/*
 * reader.h - read /proc and /sys a character at a time, from a small stack
 *
 * Room: os. Threads may have 16 KiB of stack, some files of /proc are longer
 * than that: so a file is never read whole. 256 bytes live on the caller's
 * stack. Always close.
 */

#include <stdbool.h>
#include <stdint.h>

struct os_reader {
	int fd; /* -errno: every read gives the end of file */
	unsigned int pos, len;
	char buf[256];
};

#define OS_EOF (-1)

void os_reader_open(struct os_reader *r, const char *path);
void os_reader_close(struct os_reader *r);
int os_getc(struct os_reader *r); /* 0..255 or OS_EOF */
/* Rest of the line into line (NUL-terminated, cut at size - 1). Length, OS_EOF at the end. */
int os_getline(struct os_reader *r, char *line, unsigned int size);

/* First number of a one-line file; false (and *out untouched) if there is none ("max"). */
bool os_read_u64(const char *path, uint64_t *out);

/*
 * A kernel list file ("0-3,7"): call visit(first, last) for each range.
 * False if the file cannot be read or holds no range.
 */
bool os_read_list(const char *path, void (*visit)(unsigned int first, unsigned int last, void *arg),
		  void *arg);

#endif /* OS_READER_H */
