/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_RSEQ_COUNT_H
#define KERNEL_RSEQ_COUNT_H

/*
 * rseq_count.h - count one more on the CPU id the thread runs on, without an atomic
 *
 * Room: kernel. The counter of id n lies 64 * n bytes behind that of id 0. Adding one to it is the
 * commit of a restartable sequence, and nobody else ever writes it: so a plain addition cannot
 * be lost. It orders nothing that a compiler barrier does not; who sums the counters up
 * makes every CPU pass a barrier first (cpu_rseq_barrier()).
 */

#include <slabwork/slab_fast.h>

#include "kernel/cpu.h"

#define RSEQ_COUNT_IDS 64 /* ids from here on are not counted this way */

#if !SW_HAVE_RSEQ
static inline bool rseq_count(unsigned long *of_id_0)
{
	(void)of_id_0;
	return false;
}

static inline bool rseq_count_if(const int *allowed, unsigned long *of_id_0)
{
	(void)allowed;
	(void)of_id_0;
	return false;
}
#else

/* clang-format off */
#if defined(__x86_64__)
/* @check: what may leave the sequence for "fail" before it counts. */
#define RSEQ_COUNT(check)                             \
	SW_RSEQ_TABLE                                 \
	"leaq 9b(%%rip), %[slot]\n\t"                 \
	"movq %[slot], %%fs:8(%[rs])\n"               \
	"1:\tmovl %%fs:(%[id]), %k[slot]\n\t"         \
	"cmpl %[ids], %k[slot]\n\t"                   \
	"jae %l[fail]\n\t" check                      \
	"shlq $6, %[slot]\n\t"                        \
	"addq %[counters], %[slot]\n\t"               \
	"incq (%[slot])\n"                            \
	"2:\n\t" SW_RSEQ_LEAVE SW_RSEQ_ABORT("again")
#define RSEQ_COUNT_CHECK  "cmpl $0, (%[allowed])\n\tje %l[fail]\n\t"
#define RSEQ_COUNT_OUT    [slot] "=&r"(slot)
#define RSEQ_COUNT_AREA   [rs] "r"(cpu_rseq_offset), [id] "r"(cpu_id_offset)
#define RSEQ_COUNT_LOCALS void *slot
#else
/* The store is a release: what was read in a section is read before it is left. */
#define RSEQ_COUNT(check)                                     \
	SW_RSEQ_TABLE                                         \
	"adrp %[slot], 9b\n\t"                                \
	"add %[slot], %[slot], :lo12:9b\n\t"                  \
	"str %[slot], [%[rs], #8]\n"                          \
	"1:\tldr %w[slot], [%[id]]\n\t"                       \
	"cmp %w[slot], %[ids]\n\t"                            \
	"b.hs 3f\n\t" check                                   \
	"add %[slot], %[counters], %[slot], lsl #6\n\t"       \
	"ldr %[count], [%[slot]]\n\t"                         \
	"add %[count], %[count], #1\n\t"                      \
	"stlr %[count], [%[slot]]\n"                          \
	"2:\n\t" SW_RSEQ_LEAVE SW_RSEQ_ABORT("again")
/* An acquire: the counter is read after it, or local_count_stop() could have zeroed it meanwhile. */
#define RSEQ_COUNT_CHECK "ldar %w[count], [%[allowed]]\n\tcbz %w[count], 3f\n\t"
#define RSEQ_COUNT_OUT   [slot] "=&r"(slot), [count] "=&r"(count)
#define RSEQ_COUNT_AREA                                                     \
	[rs] "r"((char *)__builtin_thread_pointer() + cpu_rseq_offset),     \
		[id] "r"((char *)__builtin_thread_pointer() + cpu_id_offset)
#define RSEQ_COUNT_LOCALS unsigned long slot, count
#endif
#define RSEQ_COUNT_IN RSEQ_COUNT_AREA, [counters] "r"(of_id_0), [ids] "i"(RSEQ_COUNT_IDS)
/* clang-format on */

/* False: no rseq here, or too large an id; nothing was counted. */
static inline bool rseq_count(unsigned long *of_id_0)
{
	RSEQ_COUNT_LOCALS;

	if (!cpu_rseq_ok)
		return false;
again:
	__asm__ __volatile__ goto(RSEQ_COUNT("")
				  : RSEQ_COUNT_OUT
				  : RSEQ_COUNT_IN
				  : "memory", "cc"
				  : again, fail);
	return true;
fail:
	return false;
}

/* The same, and false if *@allowed is 0, which is looked at within the sequence. */
static inline bool rseq_count_if(const int *allowed, unsigned long *of_id_0)
{
	RSEQ_COUNT_LOCALS;

	if (!cpu_rseq_ok)
		return false;
again:
	__asm__ __volatile__ goto(RSEQ_COUNT(RSEQ_COUNT_CHECK)
				  : RSEQ_COUNT_OUT
				  : RSEQ_COUNT_IN, [allowed] "r"(allowed)
				  : "memory", "cc"
				  : again, fail);
	return true;
fail:
	return false;
}
#endif

#endif /* KERNEL_RSEQ_COUNT_H */
