/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_WAIT_H
#define KERNEL_WAIT_H

/*
 * wait.h - sleep until somebody says that things have changed
 *
 * Room: kernel. 8 bytes, zero-initialised is ready. A waiter reads the ticket, looks at its
 * condition, and sleeps only while the ticket is still the same; a waker changes the condition,
 * then the ticket, then wakes. So no wake-up is lost between looking and sleeping.
 *
 * wake_up() makes a system call only if somebody waits; atomic context must not call it then:
 * it uses wait_active() to see, and leaves the waking to the next slow path.
 *
 * Differs from Linux: no exclusive waiters, wake_up() wakes all; timeouts are nanoseconds.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct wait_queue_head {
	_Atomic uint32_t ticket;
	_Atomic uint32_t waiters;
} wait_queue_head_t;

#define WAIT_QUEUE_INIT \
	{               \
		0, 0    \
	}

/* Announce a waiter and take a ticket; then look at the condition; then wait_sleep(). */
uint32_t wait_prepare(wait_queue_head_t *wq);
/* Sleep until the ticket changes; false: os_now_ns() reached deadline_ns (0: never) before. */
bool wait_sleep(wait_queue_head_t *wq, uint32_t ticket, uint64_t deadline_ns);
void wait_finish(wait_queue_head_t *wq);
uint64_t wait_deadline(uint64_t timeout_ns); /* timeout 0: never */

void wake_up(wait_queue_head_t *wq);

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

#endif /* KERNEL_WAIT_H */
