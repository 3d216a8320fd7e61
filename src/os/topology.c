/* SPDX-License-Identifier: MIT */
/*
 * topology.c - CPUs and NUMA nodes
 *
 * Room: os. Read from /sys each time: callers (kernel/cpu.c, mm) keep what they
 * need. Ids may have holes; what is counted here is the highest id plus one,
 * because callers make arrays of it.
 */

#include <stddef.h>

#include "os/os.h"
#include "os/reader.h"
#include "os/syscall.h"

/* 8,192 CPUs: the kernel's own limit (CONFIG_MAXSMP). 1 KiB of stack, once. */
#define CPUMASK_WORDS (8192 / 64)

static void note_highest(unsigned int first, unsigned int last, void *arg)
{
	unsigned int *nr = arg;

	(void)first;
	if (last + 1 > *nr)
		*nr = last + 1;
}

static void note_count(unsigned int first, unsigned int last, void *arg)
{
	unsigned int *nr = arg;

	*nr += last - first + 1;
}

/* The CPUs we may run on: their number, and the highest id + 1. At least 1 each. */
static void affinity(unsigned int *count, unsigned int *end)
{
	uint64_t mask[CPUMASK_WORDS];
	long bytes = os_syscall(SYS_sched_getaffinity, 0, sizeof(mask), mask);

	*count = *end = 0;
	for (long i = 0; i * 8 < bytes; i++) {
		if (!mask[i])
			continue;
		*count += (unsigned int)__builtin_popcountll(mask[i]);
		*end = (unsigned int)(i * 64 + 64 - __builtin_clzll(mask[i]));
	}
	if (!*count)
		*count = *end = 1;
}

unsigned int os_nr_possible_cpus(void)
{
	uint64_t mask[CPUMASK_WORDS];
	unsigned int nr = 0;
	long bytes;

	if (os_read_list("/sys/devices/system/cpu/possible", note_highest, &nr))
		return nr;
	/* Which CPUs we may run on can change; how long the kernel's mask is cannot. */
	bytes = os_syscall(SYS_sched_getaffinity, 0, sizeof(mask), mask);
	return bytes > 0 ? (unsigned int)bytes * 8 : CPUMASK_WORDS * 64;
}

unsigned int os_nr_online_cpus(void)
{
	unsigned int nr = 0, end;

	if (!os_read_list("/sys/devices/system/cpu/online", note_count, &nr))
		affinity(&nr, &end);
	return nr;
}

unsigned int os_nr_nodes(void)
{
	unsigned int nr = 0;

	if (!os_read_list("/sys/devices/system/node/has_memory", note_highest, &nr))
		nr = 1;
	return nr;
}

struct cpu_in_list {
	unsigned int cpu;
	bool found;
};

static void note_cpu(unsigned int first, unsigned int last, void *arg)
{
	struct cpu_in_list *want = arg;

	if (want->cpu >= first && want->cpu <= last)
		want->found = true;
}

unsigned int os_cpu_node(unsigned int cpu)
{
	unsigned int nr = os_nr_nodes();

	for (unsigned int node = 0; nr > 1 && node < nr; node++) {
		struct cpu_in_list want = { .cpu = cpu };
		char path[] = "/sys/devices/system/node/node\0\0\0\0\0\0\0\0\0\0/cpulist";
		size_t at = sizeof("/sys/devices/system/node/node") - 1;

		/* Node ids are below 1,024 (CONFIG_NODES_SHIFT 10): four digits at most. */
		for (unsigned int div = 1000; div; div /= 10)
			if (node >= div || div == 1)
				path[at++] = (char)('0' + node / div % 10);
		for (const char *tail = "/cpulist"; *tail; tail++)
			path[at++] = *tail;
		path[at] = '\0';
		os_read_list(path, note_cpu, &want);
		if (want.found)
			return node;
	}
	return 0;
}

unsigned int os_current_node(void)
{
	unsigned int cpu, node = 0;

	/* The system call, not the vDSO: libc has no name for it that every libc has. */
	os_syscall(SYS_getcpu, &cpu, &node, NULL);
	return node;
}
