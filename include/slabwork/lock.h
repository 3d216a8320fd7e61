/* SPDX-License-Identifier: MIT */
#ifndef SW_LOCK_H
#define SW_LOCK_H

/**
 * DOC: <slabwork/lock.h> - locks, sequence counters, and sleeping until things have changed
 *
 *   spinlock_t, struct mutex   4 bytes; spins a little, then sleeps on a futex. The same thing
 *                              here; the two names say whether the holder may sleep.
 *   struct rw_semaphore        16 bytes; many readers or one writer; a waiting writer goes first
 *   seqcount_t, seqlock_t      readers look, and look again if a writer was there
 *   wait_queue_head_t          8 bytes; a waiter reads the ticket, looks at its condition, and
 *                              sleeps only while the ticket is still the same
 *
 * All are ready when zero. Uncontended: one atomic operation each way (none for unlocking a
 * spinlock, for a rw_semaphore's writer that leaves, and for writing under a seqcount), no
 * system call. None is recursive. A signal handler only ever trylocks.
 *
 * Differs from Linux: a spinlock's holder may be pre-empted, so waiters sleep; no exclusive
 * waiters, wake_up() wakes all; timeouts are nanoseconds.
 *
 * Room: kernel (lock.c, rwsem.c, wait.c). For C: <stdatomic.h> is no C++.
 */

#ifdef __cplusplus
#error "kernel-style locks are for C: include <mutex> instead"
#endif

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <slabwork/export.h>

/* ---- spinlock_t, struct mutex ------------------------------------------------- */

typedef struct spinlock {
	_Atomic uint32_t word; /* 0 free, 1 held, 2 held and somebody sleeps */
} spinlock_t;

#define SPINLOCK_INIT \
	{             \
		0     \
	}

/* The contended halves; nobody else calls them. */
SW_API void lock_slow(spinlock_t *lock) SW_NAME(lock_slow);
SW_API void lock_wake(spinlock_t *lock) SW_NAME(lock_wake);

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
	/* A mark that comes between look and store is lost: lock.c says who finds that out. */
	if (__builtin_expect(atomic_load_explicit(&lock->word, memory_order_relaxed) == 1, 1))
		atomic_store_explicit(&lock->word, 0, memory_order_release);
	else if (atomic_exchange_explicit(&lock->word, 0, memory_order_release) == 2)
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

/* ---- wait_queue_head_t --------------------------------------------------------- */

typedef struct wait_queue_head {
	_Atomic uint32_t ticket;
	_Atomic uint32_t waiters;
} wait_queue_head_t;

#define WAIT_QUEUE_INIT \
	{               \
		0, 0    \
	}

/* Announce a waiter and take a ticket; then look at the condition; then wait_sleep(). */
SW_API uint32_t wait_prepare(wait_queue_head_t *wq) SW_NAME(wait_prepare);
/* Sleep until the ticket changes; false: CLOCK_MONOTONIC reached deadline_ns (0: never) before. */
SW_API bool wait_sleep(wait_queue_head_t *wq, uint32_t ticket, uint64_t deadline_ns)
	SW_NAME(wait_sleep);
SW_API void wait_finish(wait_queue_head_t *wq) SW_NAME(wait_finish);
SW_API uint64_t wait_deadline(uint64_t timeout_ns) SW_NAME(wait_deadline); /* 0: never */

/* Wake all who sleep on it; a system call only if somebody does. */
SW_API void wake_up(wait_queue_head_t *wq) SW_NAME(wake_up);

static inline bool wait_active(wait_queue_head_t *wq)
{
	return atomic_load_explicit(&wq->waiters, memory_order_seq_cst) != 0;
}

/* Sleep until condition holds. */
#define wait_event(wq, condition) ((void)wait_event_timeout(wq, condition, 0))

/* The same, for timeout_ns at most (0: for ever). Evaluates to whether the condition holds. */
#define wait_event_timeout(wq, condition, timeout_ns)                                         \
	({                                                                                    \
		wait_queue_head_t *__wq = (wq);                                               \
		bool __held = (condition);                                                    \
		if (!__held) {                                                                \
			uint64_t __deadline = wait_deadline(timeout_ns);                      \
			bool __time_left = true;                                              \
			for (;;) {                                                            \
				uint32_t __ticket = wait_prepare(__wq);                       \
				__held = (condition);                                         \
				if (!__held && __time_left)                                   \
					__time_left = wait_sleep(__wq, __ticket, __deadline); \
				else                                                          \
					__time_left = false;                                  \
				wait_finish(__wq);                                            \
				if (__held)                                                   \
					break;                                                \
				if (!__time_left) {                                           \
					__held = (condition);                                 \
					break;                                                \
				}                                                             \
			}                                                                     \
		}                                                                             \
		__held;                                                                       \
	})

/* ---- struct rw_semaphore ------------------------------------------------------- */

#define RWSEM_WRITER   0x80000000u /* a writer holds it */
#define RWSEM_PENDING  0x40000000u /* a writer waits: no new readers */
#define RWSEM_SLEEPERS 0x20000000u /* readers wait for a writer to go; or did */

struct rw_semaphore {
	_Atomic uint32_t state; /* readers, or RWSEM_WRITER; marks of who waits */
	uint32_t pad;
	wait_queue_head_t wait;
};

/* The contended halves; nobody else calls them. */
SW_API void rwsem_down_read_slow(struct rw_semaphore *sem) SW_NAME(rwsem_down_read_slow);
SW_API void rwsem_down_write_slow(struct rw_semaphore *sem) SW_NAME(rwsem_down_write_slow);
SW_API void rwsem_up_write_slow(struct rw_semaphore *sem) SW_NAME(rwsem_up_write_slow);

static inline void init_rwsem(struct rw_semaphore *sem)
{
	*sem = (struct rw_semaphore){ 0 };
}

static inline bool down_read_trylock(struct rw_semaphore *sem)
{
	uint32_t s = atomic_load_explicit(&sem->state, memory_order_relaxed);

	while (!(s & (RWSEM_WRITER | RWSEM_PENDING)))
		if (atomic_compare_exchange_weak_explicit(
			    &sem->state, &s, s + 1, memory_order_acquire, memory_order_relaxed))
			return true;
	return false;
}

static inline bool down_write_trylock(struct rw_semaphore *sem)
{
	uint32_t s = atomic_load_explicit(&sem->state, memory_order_relaxed);

	/* Taking it also takes the mark away: who else waits puts it up again when woken. */
	return !(s & ~(RWSEM_PENDING | RWSEM_SLEEPERS)) &&
	       atomic_compare_exchange_strong_explicit(&sem->state, &s,
						       RWSEM_WRITER | (s & RWSEM_SLEEPERS),
						       memory_order_acquire, memory_order_relaxed);
}

static inline void down_read(struct rw_semaphore *sem)
{
	if (__builtin_expect(!down_read_trylock(sem), 0))
		rwsem_down_read_slow(sem);
}

static inline void down_write(struct rw_semaphore *sem)
{
	if (__builtin_expect(!down_write_trylock(sem), 0))
		rwsem_down_write_slow(sem);
}

static inline void up_read(struct rw_semaphore *sem)
{
	/* Partner: the waiter's look at state after wait_prepare(). */
	atomic_fetch_sub(&sem->state, 1);
	if (__builtin_expect(wait_active(&sem->wait), 0))
		wake_up(&sem->wait);
}

static inline void up_write(struct rw_semaphore *sem)
{
	/* A mark that comes between look and store is lost: rwsem.c says who finds that out. */
	if (__builtin_expect(
		    atomic_load_explicit(&sem->state, memory_order_relaxed) == RWSEM_WRITER, 1))
		atomic_store_explicit(&sem->state, 0, memory_order_release);
	else
		rwsem_up_write_slow(sem);
}

/* A writer goes on as a reader, with no writer in between. */
static inline void downgrade_write(struct rw_semaphore *sem)
{
	atomic_fetch_sub(&sem->state, RWSEM_WRITER - 1);
	if (__builtin_expect(wait_active(&sem->wait), 0))
		wake_up(&sem->wait);
}

static inline bool rwsem_is_locked(struct rw_semaphore *sem)
{
	return atomic_load_explicit(&sem->state, memory_order_relaxed) &
	       ~(RWSEM_PENDING | RWSEM_SLEEPERS);
}

/* ---- seqcount_t, seqlock_t -------------------------------------------------------- */

/* Odd while a writer is at it. Writers exclude each other by some other lock. */
typedef struct seqcount {
	_Atomic uint32_t sequence;
} seqcount_t;

/* ThreadSanitizer knows no fences: there the counter itself orders. */
#ifdef __SANITIZE_THREAD__
#define seqcount_fence(s, order)                                                \
	((void)atomic_fetch_add_explicit((_Atomic uint32_t *)&(s)->sequence, 0, \
					 memory_order_acq_rel))
#else
#define seqcount_fence(s, order) atomic_thread_fence(order)
#endif

/* Wait until no writer is at it. */
SW_API uint32_t seqcount_wait(const seqcount_t *s) SW_NAME(seqcount_wait);

static inline uint32_t raw_seqcount_begin(const seqcount_t *s)
{
	return atomic_load_explicit((_Atomic uint32_t *)&s->sequence, memory_order_acquire);
}

/* An even number, to be compared later by read_seqcount_retry(). */
static inline uint32_t read_seqcount_begin(const seqcount_t *s)
{
	uint32_t seq = raw_seqcount_begin(s);

	return __builtin_expect(seq & 1, 0) ? seqcount_wait(s) : seq;
}

/* True: what was read since may be torn. */
static inline bool read_seqcount_retry(const seqcount_t *s, uint32_t seq)
{
	seqcount_fence(s, memory_order_acquire);
	return atomic_load_explicit((_Atomic uint32_t *)&s->sequence, memory_order_relaxed) != seq;
}

/* Nobody else writes: an addition need not be atomic. */
static inline void seqcount_advance(seqcount_t *s, uint32_t by, memory_order order)
{
	uint32_t now = atomic_load_explicit(&s->sequence, memory_order_relaxed);

	atomic_store_explicit(&s->sequence, now + by, order);
}

static inline void write_seqcount_begin(seqcount_t *s)
{
	seqcount_advance(s, 1, memory_order_relaxed);
	/* Partner: the fence in read_seqcount_retry(). */
	seqcount_fence(s, memory_order_release);
}

static inline void write_seqcount_end(seqcount_t *s)
{
	seqcount_advance(s, 1, memory_order_release);
}

/* Readers that began before will retry; nobody waits. */
static inline void write_seqcount_invalidate(seqcount_t *s)
{
	seqcount_advance(s, 2, memory_order_release);
	seqcount_fence(s, memory_order_release);
}

typedef struct seqlock {
	seqcount_t seqcount;
	spinlock_t lock;
} seqlock_t;

static inline uint32_t read_seqbegin(const seqlock_t *sl)
{
	return read_seqcount_begin(&sl->seqcount);
}

static inline bool read_seqretry(const seqlock_t *sl, uint32_t seq)
{
	return read_seqcount_retry(&sl->seqcount, seq);
}

static inline void write_seqlock(seqlock_t *sl)
{
	spin_lock(&sl->lock);
	write_seqcount_begin(&sl->seqcount);
}

static inline void write_sequnlock(seqlock_t *sl)
{
	write_seqcount_end(&sl->seqcount);
	spin_unlock(&sl->lock);
}

#endif /* SW_LOCK_H */
