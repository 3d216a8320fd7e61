/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_CPU_H
#define KERNEL_CPU_H

/*
 * cpu.h - which CPU am I, as far as our per-CPU data cares
 *
 * Room: kernel. A cid (CPU id) is the rseq concurrency id (mm_cid) where the
 * kernel has it, else rseq's cpu_id: 0 .. n-1 for n possible CPUs. Where rseq is
 * missing or off, threads are dealt to ids 1 .. n, everything per-CPU is locked, and
 * id 0 is the *null CPU*: what the id at cpu_id_offset then always reads, and
 * whose slots must for ever hold null sheaves. cid < cpu_nr_cids() always holds.
 */

#include <stdbool.h>
#include <stdint.h>

/* A thread that is not registered reads -1 or -2: ids without data, like the null CPU. */
#define CPU_NULL_IDS 2

extern bool cpu_rseq_ok;         /* fast paths may use restartable sequences */
extern intptr_t cpu_rseq_offset; /* thread pointer + this = struct rseq, or our dummy of it */
extern intptr_t cpu_id_offset;   /* thread pointer + this = 4-byte id to index with */

void cpu_init(void);            /* probe; honours SLABWORK=rseq=off: after params_parse() */
unsigned int cpu_nr_cids(void); /* size of the id space, the null CPU included */
/* A valid cid for locked per-CPU data; any context. May be stale at once. */
unsigned int cpu_cid(void);
/* Node of the calling thread, 0 <= n < nr_node_ids. */
int numa_node_id(void);
/* numa=fake=N: N nodes, CPU ids dealt to them in turn; 0: the real ones again. At boot only. */
void cpu_fake_nodes(unsigned int nr);
/* Restart every restartable sequence now running in this process. 0 or -errno. */
int cpu_rseq_barrier(void);

#endif /* KERNEL_CPU_H */
