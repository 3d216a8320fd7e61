/* SPDX-License-Identifier: MIT */
/*
 * wait.c - sleep until somebody says that things have changed
 *
 * Room: kernel. The order that loses no wake-up (all seq_cst, pairs in both directions):
 *
 *   waiter   waiters += 1   read ticket     look at condition    sleep if ticket unchanged
 *   waker    change condition   ticket += 1   read waiters   wake if any
 *
 * If the waker reads no waiters, the waiter's ticket is read after the waker's step, and so is
 * its look at the condition.
 */

#include <errno.h>
#include <limits.h>

#include "kernel/wait.h"
#include "os/futex.h"
#include "os/os.h"

uint32_t wait_prepare(wait_queue_head_t *wq)
{
	atomic_fetch_add(&wq->waiters, 1);
	return atomic_load(&wq->ticket);
}

bool wait_sleep(wait_queue_head_t *wq, uint32_t ticket, uint64_t deadline_ns)
{
	uint64_t now, left = 0;

	if (deadline_ns) {
		now = os_now_ns();
		if (now >= deadline_ns)
			return false;
		left = deadline_ns - now;
	}
	return os_futex_wait(&wq->ticket, ticket, left) != -ETIMEDOUT;
}

void wait_finish(wait_queue_head_t *wq)
{
	atomic_fetch_sub(&wq->waiters, 1);
}

uint64_t wait_deadline(uint64_t timeout_ns)
{
	uint64_t now;

	if (!timeout_ns)
		return 0;
	now = os_now_ns();
	return timeout_ns < UINT64_MAX - now ? now + timeout_ns : 0;
}

void wake_up(wait_queue_head_t *wq)
{
	atomic_fetch_add(&wq->ticket, 1);
	if (wait_active(wq))
		os_futex_wake(&wq->ticket, INT_MAX);
}
