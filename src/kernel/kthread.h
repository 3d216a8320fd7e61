/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_KTHREAD_H
#define KERNEL_KTHREAD_H

/*
 * kthread.h - a thread of ours, where the user asked for one
 *
 * Room: kernel. Detached, all signals blocked (the program's handlers must not run on our
 * small stack), named for /proc/PID/task/TID/comm (15 letters). It is gone in a forked
 * child: who started it notes that in a child handler, and starts it again on the next
 * slow path.
 *
 * Creating one allocates (libc's thread descriptor): not from boot, not under a lock, not from
 * atomic context.
 */

/* 0, -EAGAIN (the OS gives no thread) or -ENOMEM. name and arg must live as long as the thread. */
int kthread_run(void (*fn)(void *arg), void *arg, const char *name);

#endif /* KERNEL_KTHREAD_H */
