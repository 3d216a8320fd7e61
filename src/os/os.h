/* SPDX-License-Identifier: MIT */
#ifndef OS_OS_H
#define OS_OS_H

/*
 * os.h - facts about the machine and the process, and raw output
 *
 * Room: os. Nothing here allocates, opens what it does not close, or changes errno.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Highest possible CPU id + 1, or more: reads /sys, else asks how long the kernel's masks are. */
unsigned int os_nr_possible_cpus(void);
unsigned int os_nr_online_cpus(void);
unsigned int os_nr_nodes(void); /* NUMA nodes with memory, at least 1 */
unsigned int os_cpu_node(unsigned int cpu);
unsigned int os_current_node(void); /* getcpu */
uint64_t os_total_ram(void);  /* bytes: the least of the host's RAM and the cgroup's memory.max */
uint64_t os_rlimit_as(void);  /* bytes, UINT64_MAX if unlimited */
uint64_t os_vm_size(void);    /* bytes of address space in use, 0 if unknown (/proc absent) */
uintptr_t os_task_size(void); /* end of user address space, a power of two (2^47, 2^48, 2^39) */
bool os_secure_exec(void);    /* AT_SECURE */
void os_random(void *buf, size_t size); /* getrandom; falls back to AT_RANDOM and the clock */
uint64_t os_now_ns(void);               /* CLOCK_MONOTONIC through the vDSO */
uint64_t os_now_coarse_ns(void); /* CLOCK_MONOTONIC_COARSE: a few ns to read, ms granularity */
int os_tid(void);
int os_pid(void);
void os_write_err(const char *text,
		  size_t len); /* fd 2, all of it, EINTR handled, errors ignored */
void os_abort(void)
	__attribute__((noreturn)); /* SIGABRT with default action, no stdio, no handlers of ours */
void os_yield(void);
void os_sleep_ns(uint64_t ns);
/* Return addresses, innermost first, from frame pointers; how many. No malloc, no fault. */
unsigned int os_backtrace(void **frames, unsigned int max);

#endif /* OS_OS_H */
