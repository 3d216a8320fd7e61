/* SPDX-License-Identifier: MIT */
/*
 * rwsem.c - the contended halves of struct rw_semaphore and seqcount_t
 *
 * Room: kernel. Door: <slabwork/lock.h>. A writer that has to wait puts RWSEM_PENDING up, so that
 * readers cannot keep it out; who takes the lock for writing takes the mark down, and whoever
 * still waits is woken by the unlock and puts it up again. A mark that nobody owns any more
 * cannot stay: only a waiting writer puts it up, and it goes on until it has the lock.
 */

#include <slabwork/lock.h>

#include "os/os.h"

__attribute__((noinline, cold)) void rwsem_down_read_slow(struct rw_semaphore *sem)
{
	wait_event(&sem->wait, down_read_trylock(sem));
}

static bool try_or_mark(struct rw_semaphore *sem)
{
	if (down_write_trylock(sem))
		return true;
	atomic_fetch_or(&sem->state, RWSEM_PENDING);
	/* It may have been unlocked just before the mark was there to be seen. */
	return down_write_trylock(sem);
}

__attribute__((noinline, cold)) void rwsem_down_write_slow(struct rw_semaphore *sem)
{
	wait_event(&sem->wait, try_or_mark(sem));
}

__attribute__((noinline, cold)) uint32_t seqcount_wait(const seqcount_t *s)
{
	uint32_t seq;

	while ((seq = raw_seqcount_begin(s)) & 1)
		os_yield();
	return seq;
}
