/* SPDX-License-Identifier: MIT */
/*
 * local_count.c - references counted on the CPU one is on, until somebody must know how many there are
 *
 * Room: kernel. Door: <slabwork/local_count.h>. A CPU id's line is two counters, up and down, each only ever
 * added to (rseq_count.h). The same restartable sequence that adds looks first whether the count runs;
 * so when local_count_stop() has said that it does not, and has restarted all sequences, whoever adds has been
 * seen, or will find it stopped.
 */

#include <slabwork/local_count.h>

#include "kernel/cpu.h"
#include "kernel/rseq_count.h"
#include "os/os.h"

#define LINE_WORDS       8
#define REFUSED_SLEEP_NS 10000000ULL

bool local_count_up(struct local_count *lc)
{
	return rseq_count_if(&lc->runs, lc->lines);
}

bool local_count_down(struct local_count *lc)
{
	return rseq_count_if(&lc->runs, lc->lines + 1);
}

void local_count_start(struct local_count *lc)
{
	__atomic_store_n(&lc->runs, 1, __ATOMIC_RELEASE);
}

long local_count_stop(struct local_count *lc)
{
	long balance = 0;

	if (!lc->runs)
		return 0;
	__atomic_store_n(&lc->runs, 0, __ATOMIC_SEQ_CST);
	/* Refused, by a filter that came later: no sequence is interrupted for as long as this. */
	if (cpu_rseq_barrier())
		os_sleep_ns(REFUSED_SLEEP_NS);
	for (unsigned int i = 0; i < RSEQ_COUNT_IDS; i++) {
		unsigned long *line = lc->lines + i * LINE_WORDS;

		balance += (long)(__atomic_load_n(&line[0], __ATOMIC_ACQUIRE) -
				  __atomic_load_n(&line[1], __ATOMIC_ACQUIRE));
		line[0] = line[1] = 0;
	}
	return balance;
}
