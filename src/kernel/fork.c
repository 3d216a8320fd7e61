/* SPDX-License-Identifier: MIT */
/*
 * fork.c - every lock is held across fork
 *
 * Room: kernel. See fork.h.
 *
 * The child has one thread, the one that forked; a lock that another thread held
 * would stay held for ever and what it guards would be half changed. So the
 * forking thread takes all of them first, outermost first, and both sides give
 * them back, innermost first.
 *
 * Order against other libraries: libc runs prepare handlers last registered
 * first. We register at boot, before nearly everybody, so foreign prepare handlers
 * run before ours and may allocate, foreign child handlers run after ours and may too.
 *
 * Who registers: our constructor, while the process has one thread, if boot was not faster.
 * Two threads that start the machine at once may not: the second would not know
 * whether the first has reached pthread_atfork() yet, and waiting for it could wait for a
 * fork that waits for the second (libc holds its list's lock around prepare handlers).
 */

#include <pthread.h>
#include <stddef.h>

#include "kernel/fork.h"
#include "kernel/printk.h"

/* Handlers in the whole library; far more than there are locks in ARCHITECTURE §4. */
#define FORK_HANDLERS_MAX 32

extern const struct fork_handler __start_sw_fork[] __attribute__((weak, visibility("hidden")));
extern const struct fork_handler __stop_sw_fork[] __attribute__((weak, visibility("hidden")));

/* By rank, lowest first; the same rank in link order. Complete when nr_handlers is stored. */
static const struct fork_handler *handlers[FORK_HANDLERS_MAX];
static size_t nr_handlers;

/* Partner: the release in fork_init(). */
static size_t handlers_ready(void)
{
	return __atomic_load_n(&nr_handlers, __ATOMIC_ACQUIRE);
}

static void fork_prepare(void)
{
	size_t n = handlers_ready();

	for (size_t i = 0; i < n; i++)
		if (handlers[i]->prepare)
			handlers[i]->prepare();
}

static void fork_parent(void)
{
	for (size_t i = handlers_ready(); i-- > 0;)
		if (handlers[i]->parent)
			handlers[i]->parent();
}

static void fork_child(void)
{
	for (size_t i = handlers_ready(); i-- > 0;)
		if (handlers[i]->child)
			handlers[i]->child();
}

static void insert_by_rank(const struct fork_handler *handler, size_t at)
{
	for (; at > 0 && handlers[at - 1]->rank > handler->rank; at--)
		handlers[at] = handlers[at - 1];
	handlers[at] = handler;
}

void fork_init(void)
{
	static int done;
	size_t n = 0;

	if (__atomic_exchange_n(&done, 1, __ATOMIC_ACQ_REL))
		return;
	BUG_ON(__stop_sw_fork - __start_sw_fork > FORK_HANDLERS_MAX);
	for (const struct fork_handler *h = __start_sw_fork; h < __stop_sw_fork; h++)
		insert_by_rank(h, n++);
	__atomic_store_n(&nr_handlers, n, __ATOMIC_RELEASE);
	/* May allocate in old C libraries: boot calls us when allocating works. */
	pthread_atfork(fork_prepare, fork_parent, fork_child);
}

__attribute__((constructor(101))) static void fork_init_before_threads(void)
{
	fork_init();
}
