/* SPDX-License-Identifier: MIT */
/*
 * lock.c - the contended half of lock.h
 *
 * Room: kernel.
 *
 * A word has three values: free, held, held with sleepers. A thread that has to wait
 * spins a little (the holders of our locks are quick), then marks the word
 * "with sleepers" and sleeps. It takes the lock with that same mark, since it
 * cannot know whether it was the last sleeper: at worst one wake too many.
 *
 * The unlock is no atomic operation: it looks whether the word says "held", and stores "free". A
 * mark put up between the two is overwritten. The sleeper usually sees that before it sleeps,
 * since the futex looks at the word itself; not if the holder was pre-empted just there. So
 * nobody sleeps for long without looking again: such a wake-up comes SLEEP_MIN_NS late.
 *
 * On a single CPU the holder cannot run while we spin: then we do not.
 */

#include <slabwork/export.h>

#include "kernel/lock.h"
#include "os/futex.h"
#include "os/os.h"

enum { LOCK_FREE, LOCK_HELD, LOCK_SLEEPERS };

/*
 * Some hundred pauses: 2 to 10 us, the order of what a futex round trip
 * costs, which bounds the loss against the better choice by two.
 */
#define LOCK_SPINS 200

#define SLEEP_MIN_NS 1000000ULL
#define SLEEP_MAX_NS 16000000ULL

static int lock_spins(void)
{
	static int spins; /* 0: not asked yet; racing first callers store the same */
	int value = __atomic_load_n(&spins, __ATOMIC_RELAXED);

	if (!value) {
		value = os_nr_online_cpus() > 1 ? LOCK_SPINS : 1;
		__atomic_store_n(&spins, value, __ATOMIC_RELAXED);
	}
	return value;
}

__attribute__((noinline, cold)) void lock_slow(spinlock_t *lock)
{
	uint64_t sleep_ns = SLEEP_MIN_NS;

	for (int i = lock_spins(); i > 0; i--) {
		if (!spin_is_locked(lock) && spin_trylock(lock))
			return;
		cpu_relax();
	}
	/* Partner: the exchange in spin_unlock(), which sees the mark and wakes one of us. */
	while (atomic_exchange_explicit(&lock->word, LOCK_SLEEPERS, memory_order_acquire) !=
	       LOCK_FREE) {
		os_futex_wait(&lock->word, LOCK_SLEEPERS, sleep_ns);
		sleep_ns = sleep_ns < SLEEP_MAX_NS ? 2 * sleep_ns : sleep_ns;
	}
}

__attribute__((noinline, cold)) void lock_wake(spinlock_t *lock)
{
	os_futex_wake(&lock->word, 1);
}
