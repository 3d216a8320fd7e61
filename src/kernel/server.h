/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_SERVER_H
#define KERNEL_SERVER_H

/*
 * server.h - a thread that answers requests, one line each
 *
 * Room: kernel. Only where the user asked for it: SLABWORK's word `control`, which `slabwork run`
 * sets. What may be asked is declared at file scope by whoever can do it; the protocol
 * is in <slabwork/control.h>.
 */

#include <stdbool.h>

#include "lib/textbuf.h"

struct server_command {
	const char *name;
	/*
	 * args: what follows the name, may be cut up. Lines "name value" to reply. NULL, or
	 * what is wrong (a literal). Runs on our thread: all signals blocked, 128 KiB of stack.
	 */
	const char *(*run)(char *args, struct textbuf *reply);
};

#define SERVER_COMMAND(ident, text, fn)                                                          \
	static const struct server_command server_##ident                                        \
		__attribute__((used, section("sw_commands"), aligned(sizeof(void *)))) = { text, \
											   fn }

/* The word was said. */
extern bool server_asked;
/* Start it, if it was asked for and does not run. Creates a thread, so it allocates. */
void server_start(void);

/*
 * In a forked child there is no thread. From slow paths that may allocate and hold no lock:
 * starts it again, once the child has lived for a while (most children execute at once).
 */
extern bool server_lost;
void server_tick_slow(void);
static inline void server_tick(void)
{
	if (__builtin_expect(server_lost, 0))
		server_tick_slow();
}

#endif /* KERNEL_SERVER_H */
