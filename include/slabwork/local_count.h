/* SPDX-License-Identifier: MIT */
#ifndef SW_LOCAL_COUNT_H
#define SW_LOCAL_COUNT_H

/**
 * DOC: <slabwork/local_count.h> - a reference count that costs no atomic operation while nobody asks for its value
 *
 * Beside an ordinary count: while a local_count runs, references are taken and dropped on counters of the CPU id
 * the thread is on; to know how many there are it is stopped, and its balance added to the ordinary one, which
 * all use from then on. Some calls cannot be counted so and go to the ordinary count at any time, which therefore
 * holds BIAS, more than any balance, while it runs; and the owner holds a reference, or the last put goes unnoticed.
 *
 *	get:	if (!local_count_up(&lc)) count++;		(atomically)
 *	put:	if (!local_count_down(&lc) && !--count) it was the last one
 *	start:	count += BIAS; local_count_start(&lc);
 *	stop:	count += local_count_stop(&lc) - BIAS;
 *
 * Threads  Everything may be called by many at once, but start and stop, which the caller serialises.
 * Differs  Linux has struct percpu_ref, whose switch to one atomic count waits for a grace period.
 *
 * Room: kernel (local_count.c).
 */

#include <slabwork/export.h>
#include <slabwork/types.h>

#define LOCAL_COUNT_BYTES (64 * 64) /* a line for each CPU id; ids beyond have none and say so */

/**
 * struct local_count - all zeros: stopped
 * @runs: 0 or 1
 * @lines: LOCAL_COUNT_BYTES of zeros, aligned to 64; the owner's
 */
struct local_count {
	int runs;
	unsigned long *lines;
};

/* One more, one less. false: not counted; it is stopped, or there is no rseq. Context: any. */
SW_API bool local_count_up(struct local_count *lc) SW_NAME(local_count_up);
SW_API bool local_count_down(struct local_count *lc) SW_NAME(local_count_down);
/* @lc->lines is set. Context: any. */
SW_API void local_count_start(struct local_count *lc) SW_NAME(local_count_start);
/* Return: ups less downs since the start; 0 if it did not run. Context: may sleep; a system call. */
SW_API long local_count_stop(struct local_count *lc) SW_NAME(local_count_stop);

#endif /* SW_LOCAL_COUNT_H */
