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

#include <slabwork/lock.h>

#endif /* KERNEL_WAIT_H */
