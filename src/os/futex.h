/* SPDX-License-Identifier: MIT */
#ifndef OS_FUTEX_H
#define OS_FUTEX_H

/* futex.h - sleep on a word, wake who sleeps. Room: os. errno is kept. */

#include <stdatomic.h>
#include <stdint.h>

/* Sleep while *word == value; timeout_ns 0 = for ever. Returns 0, -EAGAIN, -EINTR or -ETIMEDOUT. */
int os_futex_wait(_Atomic uint32_t *word, uint32_t value, uint64_t timeout_ns);
void os_futex_wake(_Atomic uint32_t *word, int count);

#endif /* OS_FUTEX_H */
