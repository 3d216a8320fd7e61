/* SPDX-License-Identifier: MIT */
/*
 * control.c - what a process may be asked to do through its control socket
 *
 * Room: proc. The socket and its thread: kernel/server.c; the protocol: <slabwork/control.h>.
 *
 * The thread starts from a constructor: libc and the libraries we need are initialised then, and so
 * (preloaded or linked first, we come late in the order of constructors) are nearly all of the
 * program's, while main and its threads are still to come. Boot would be too early: it runs inside
 * the loader's own calls of malloc, when no thread can be made.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <slabwork/view.h>

#include "kernel/server.h"
#include "lib/memparse.h"
#include "mm/boot.h"
#include "mm/trim.h"

__attribute__((constructor)) static void control_begin(void)
{
	const char *words = getenv("SLABWORK");

	if (!words || !strstr(words, "control"))
		return; /* who did not ask does not even boot because of us */
	mm_boot();
	server_start();
}

static const char *trim(char *args, struct textbuf *reply)
{
	struct sw_heap_view heap;
	struct trim_parts parts;
	uint64_t keep = 0;
	size_t given;

	if (*args) {
		const char *end = memparse_u64(args, &keep);

		if (!end || *end)
			return "trim takes a number of bytes: 1024, 64K, 4M";
	}
	given = trim_parts(keep, &parts);
	tb_printf(reply,
		  "given_back %zu\nempty_slabs %zu\ncpu_stock %zu\nfree_pages %zu\nareas %zu\n",
		  given, parts.empty_slabs, parts.cpu_stock, parts.free_pages, parts.areas);
	if (!sw_view_heap(NULL, &heap))
		tb_printf(reply, "live %zu\nheld %zu\n", heap.live, heap.held);
	return NULL;
}
SERVER_COMMAND(trim, "trim", trim);

static const char *store(char *args, struct textbuf *reply)
{
	char *text = args + strcspn(args, " ");

	(void)reply;
	if (!*text)
		return "store takes a file and a text: store slab/conn/shrink 1";
	*text++ = '\0';
	switch (sw_store(args, text)) {
	case 0:
		return NULL;
	case -ENOENT:
		return "no such file or cache";
	case -EACCES:
		return "the file is read-only";
	default:
		return "the file does not take this text, or the cache is broken";
	}
}
SERVER_COMMAND(store, "store", store);
