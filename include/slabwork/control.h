/* SPDX-License-Identifier: MIT */
#ifndef SW_CONTROL_H
#define SW_CONTROL_H

/**
 * DOC: <slabwork/control.h> - ask a process to do something to its heap
 *
 * A program that was started by `slabwork run`, or with the word `control` in
 * SLABWORK, answers on a socket of its own, by one thread of ours. Other programs
 * have neither.
 *
 *	$XDG_RUNTIME_DIR/slabwork/PID	or, where that is not set or not the user's,
 *	/tmp/slabwork-UID/PID
 *
 * The folder must belong to the user and be closed to all others; the socket has
 * mode 0600, and peers that are neither the process's user nor root are refused.
 *
 * A request is a line. The answer is a head line and lines of "name value", to
 * the end of the connection:
 *
 *	slabwork-control 1 0.1.0 ok		or, instead of ok:
 *	slabwork-control 1 0.1.0 error TEXT
 *
 * 1 is the protocol, 0.1.0 the library's version. The requests:
 *
 *	version			nothing more
 *	trim [BYTES]		give back what lies in stock, but for BYTES of free pages
 *				(1024, 64K, 4M). Values are bytes:
 *				given_back, of it empty_slabs cpu_stock free_pages areas;
 *				live and held, as <slabwork/view.h> has them, afterwards
 *	store FILE TEXT		sw_store(): slab/conn/shrink 1
 *
 * The thread has a table of descriptors of its own: the program cannot see or
 * close the socket, a forked child does not have it. A child that executes a
 * program under the same environment has a socket of its own; one that only forks
 * has one from the first time that its allocator takes a slow path, some time later.
 *
 * Room: kernel (server.c), proc (control.c).
 */

#define SW_CONTROL_WORD     "slabwork-control"
#define SW_CONTROL_PROTOCOL 1
#define SW_CONTROL_DIR      "slabwork"       /* in $XDG_RUNTIME_DIR */
#define SW_CONTROL_TMP      "/tmp/slabwork-" /* and the uid */

#endif /* SW_CONTROL_H */
