/* SPDX-License-Identifier: MIT */
/*
 * rwsem.c - the contended halves of struct rw_semaphore and seqcount_t
 *
 * Room: kernel. Door: <slabwork/lock.h>. A writer that has to wait puts RWSEM_PENDING up, so that
 * readers cannot keep it out; who takes the lock for writing takes the mark down, and whoever
 * still waits is woken by the unlock and puts it up again. A mark that nobody owns any more
 * cannot stay: only a waiting writer puts it up, and it goes on until it has the lock.
 *
 * A writer that leaves wakes nobody if it sees no mark, so readers that wait for one put RWSEM_SLEEPERS up; it keeps
 * nobody out, and the next writer that leaves takes it down. The writer's look and its store are two
 * steps: a mark that comes between them is overwritten. Who marked it spins a little, which is longer than
 * such a store takes, before it sleeps; and since the writer may be pre-empted just there, nobody sleeps for long
 * without another try.
 */

#include "kernel/lock.h"
#include "os/os.h"

#define MARK_SPINS   100 /* about a microsecond at least */
#define SLEEP_MIN_NS 1000000ULL
#define SLEEP_MAX_NS 16000000ULL

/* Try until it is @try's, woken or not. */
static void wait_for(struct rw_semaphore *sem, bool (*try)(struct rw_semaphore *sem))
{
	uint64_t sleep_ns = SLEEP_MIN_NS;

	while (!wait_event_timeout(&sem->wait, try(sem), sleep_ns))
		sleep_ns = sleep_ns < SLEEP_MAX_NS ? 2 * sleep_ns : sleep_ns;
}

/* With @mark up: whoever overwrites it is through within the spins, unless pre-empted. */
static bool mark_and_try(struct rw_semaphore *sem, uint32_t mark,
			 bool (*try)(struct rw_semaphore *sem))
{
	atomic_fetch_or(&sem->state, mark);
	for (int i = 0; i < MARK_SPINS; i++) {
		if (try(sem))
			return true;
		cpu_relax();
	}
	return false;
}

static bool try_read_or_mark(struct rw_semaphore *sem)
{
	return down_read_trylock(sem) || mark_and_try(sem, RWSEM_SLEEPERS, down_read_trylock);
}

__attribute__((noinline, cold)) void rwsem_down_read_slow(struct rw_semaphore *sem)
{
	wait_for(sem, try_read_or_mark);
}

static bool try_or_mark(struct rw_semaphore *sem)
{
	return down_write_trylock(sem) || mark_and_try(sem, RWSEM_PENDING, down_write_trylock);
}

__attribute__((noinline, cold)) void rwsem_down_write_slow(struct rw_semaphore *sem)
{
	wait_for(sem, try_or_mark);
}

__attribute__((noinline, cold)) void rwsem_up_write_slow(struct rw_semaphore *sem)
{
	atomic_fetch_and(&sem->state, ~(RWSEM_WRITER | RWSEM_SLEEPERS));
	if (wait_active(&sem->wait))
		wake_up(&sem->wait);
}

__attribute__((noinline, cold)) uint32_t seqcount_wait(const seqcount_t *s)
{
	uint32_t seq;

	while ((seq = raw_seqcount_begin(s)) & 1)
		os_yield();
	return seq;
}
