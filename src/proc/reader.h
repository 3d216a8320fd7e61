/* SPDX-License-Identifier: MIT */
#ifndef PROC_READER_H
#define PROC_READER_H

/*
 * reader.h - a machine (this process's or another's) as plain copies of its structures
 *
 * Room: proc. All collection goes through a struct reader, so it is written once.
 * A pointer found in a copy is an address over there: never followed, only
 * handed to reader_get().
 */

#include <errno.h>

#include <slabwork/show.h>

#include "mm/layout.h"
#include "mm/machine.h"
#include "mm/zone.h"

/* Nothing that is counted in these steps may end us in a loop of somebody's garbage. */
#define READER_MAX_CACHES 65536
#define READER_MAX_CIDS   8192

struct reader {
	struct sw_view *view;
	bool local;
	struct sw_machine root;
	struct sw_layout layout;
	unsigned int nr_nodes;
	unsigned int nr_cids;
};

/* view NULL: this process. 0, -EAGAIN before boot, -ENOEXEC, -EPROTO, or the view's error. */
int reader_open(struct reader *reader, struct sw_view *view);

/* Copy size bytes at addr. 0 or -errno. */
int reader_get(struct reader *reader, void *dst, const void *addr, size_t size);
#define reader_copy(reader, dst, addr) reader_get(reader, dst, addr, sizeof(*(dst)))

/* Copy a NUL-terminated text, cut off at size. */
int reader_string(struct reader *reader, char *dst, size_t size, const char *addr);

/* Is this an address the machine hands out, so that reading it cannot fault? */
bool reader_online(const struct reader *reader, uintptr_t addr);

/* Name of a code address: "function+0x10/0x80" or "0x1234". */
void reader_symbol(struct reader *reader, uintptr_t addr, char *text, size_t size);

#endif /* PROC_READER_H */
