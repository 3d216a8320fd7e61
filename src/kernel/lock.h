/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_LOCK_H
#define KERNEL_LOCK_H

/*
 * lock.h - one lock: spins a little, then sleeps on a futex
 *
 * Room: kernel. 4 bytes, zero-initialised is unlocked. spinlock_t and struct
 * mutex are the same thing here; the two names say whether the holder may
 * sleep. Uncontended: one atomic exchange each way, no system call. Not
 * recursive. Annotated for TSan (plain C11 atomics: nothing to annotate).
 *
 * Atomic context (a signal handler) only ever trylocks: see ARCHITECTURE §4.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct spinlock {
	_Atomic uint32_t word; /* 0 free, 1 held, 2 held and somebody sleeps */
} spinlock_t;

#define SPINLOCK_INIT \
	{             \
		0     \
	}

void lock_slow(spinlock_t *lock); /* lock.c */
void lock_wake(spinlock_t *lock);

static inline void spin_lock_init(spinlock_t *lock)
{
	atomic_init(&lock->word, 0);
}

static inline bool spin_trylock(spinlock_t *lock)
{
	uint32_t free = 0;

	return atomic_compare_exchange_strong_explicit(&lock->word, &free, 1, memory_order_acquire,
						       memory_order_relaxed);
}

static inline void spin_lock(spinlock_t *lock)
{
	if (__builtin_expect(!spin_trylock(lock), 0))
		lock_slow(lock);
}

static inline void spin_unlock(spinlock_t *lock)
{
	if (__builtin_expect(atomic_exchange_explicit(&lock->word, 0, memory_order_release) == 2,
			     0))
		lock_wake(lock);
}

static inline bool spin_is_locked(spinlock_t *lock)
{
	return atomic_load_explicit(&lock->word, memory_order_relaxed) != 0;
}

/* Lock if we may block, else try. True: held. */
static inline bool spin_lock_gfp(spinlock_t *lock, bool may_block)
{
	if (may_block) {
		spin_lock(lock);
		return true;
	}
	return spin_trylock(lock);
}

/* A lock that is held while sleeping is fine. */
struct mutex {
	spinlock_t lock;
};
#define MUTEX_INIT            \
	{                     \
		SPINLOCK_INIT \
	}

static inline void mutex_lock(struct mutex *mutex)
{
	spin_lock(&mutex->lock);
}

static inline bool mutex_trylock(struct mutex *mutex)
{
	return spin_trylock(&mutex->lock);
}

static inline void mutex_unlock(struct mutex *mutex)
{
	spin_unlock(&mutex->lock);
}

#endif /* KERNEL_LOCK_H */
