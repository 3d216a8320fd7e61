/* SPDX-License-Identifier: MIT */
#ifndef SW_PERCPU_COUNTER_H
#define SW_PERCPU_COUNTER_H

/**
 * DOC: <slabwork/percpu_counter.h> - a counter that many threads change cheaply
 *
 * Each CPU id gathers changes of its own and moves them to the common count
 * when they reach a batch. percpu_counter_read() is the common count: off by
 * less than batch * CPUs. percpu_counter_sum() adds what is still gathered:
 * exact when nobody changes it meanwhile.
 *
 * Threads  All calls but init and destroy are safe together. No locks.
 * Room: mm (percpu.c).  Source: Linux 6.12, include/linux/percpu_counter.h
 */

#include <slabwork/percpu.h>

SW_BEGIN_DECLS

#define PERCPU_COUNTER_BATCH 32

struct percpu_counter {
	int64_t count;
	int32_t __percpu *counters;
};

/* 0 or -ENOMEM. Context: as @gfp says. */
SW_API int percpu_counter_init(struct percpu_counter *fbc, int64_t amount, gfp_t gfp)
	SW_NAME(percpu_counter_init) __must_check;
/* Safe on a zeroed counter and twice. */
SW_API void percpu_counter_destroy(struct percpu_counter *fbc) SW_NAME(percpu_counter_destroy);
SW_API void percpu_counter_add_batch(struct percpu_counter *fbc, int64_t amount, int32_t batch)
	SW_NAME(percpu_counter_add_batch);
SW_API int64_t percpu_counter_sum(struct percpu_counter *fbc) SW_NAME(percpu_counter_sum);
SW_API void percpu_counter_set(struct percpu_counter *fbc, int64_t amount)
	SW_NAME(percpu_counter_set);
/* -1, 0 or 1 as the counter is less than, equal to or greater than @rhs; exact if it is close. */
SW_API int percpu_counter_compare(struct percpu_counter *fbc, int64_t rhs)
	SW_NAME(percpu_counter_compare);

static inline void percpu_counter_add(struct percpu_counter *fbc, int64_t amount)
{
	percpu_counter_add_batch(fbc, amount, PERCPU_COUNTER_BATCH);
}

static inline void percpu_counter_sub(struct percpu_counter *fbc, int64_t amount)
{
	percpu_counter_add(fbc, -amount);
}

static inline void percpu_counter_inc(struct percpu_counter *fbc)
{
	percpu_counter_add(fbc, 1);
}

static inline void percpu_counter_dec(struct percpu_counter *fbc)
{
	percpu_counter_add(fbc, -1);
}

static inline int64_t percpu_counter_read(struct percpu_counter *fbc)
{
	return __atomic_load_n(&fbc->count, __ATOMIC_RELAXED);
}

static inline int64_t percpu_counter_read_positive(struct percpu_counter *fbc)
{
	int64_t count = percpu_counter_read(fbc);

	return count < 0 ? 0 : count;
}

static inline int64_t percpu_counter_sum_positive(struct percpu_counter *fbc)
{
	int64_t count = percpu_counter_sum(fbc);

	return count < 0 ? 0 : count;
}

static inline bool percpu_counter_initialized(struct percpu_counter *fbc)
{
	return fbc->counters != NULL;
}

SW_END_DECLS

#endif /* SW_PERCPU_COUNTER_H */
