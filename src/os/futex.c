/* SPDX-License-Identifier: MIT */
/*
 * futex.c - sleep on a word, wake who sleeps
 *
 * Room: os. Private futexes only: every word of ours belongs to one process.
 * After fork the child's copy of a word has no sleepers, which is right.
 */

#include <errno.h>
#include <linux/futex.h>
#include <time.h>

#include "os/futex.h"
#include "os/syscall.h"

#define NSEC_PER_SEC 1000000000ULL

int os_futex_wait(_Atomic uint32_t *word, uint32_t value, uint64_t timeout_ns)
{
	struct timespec ts = {
		.tv_sec = (time_t)(timeout_ns / NSEC_PER_SEC),
		.tv_nsec = (long)(timeout_ns % NSEC_PER_SEC),
	};

	return (int)os_syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, timeout_ns ? &ts : NULL);
}

void os_futex_wake(_Atomic uint32_t *word, int count)
{
	os_syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count);
}
