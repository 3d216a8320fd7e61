/* SPDX-License-Identifier: MIT */
/*
 * errseq.c - an error that everybody who was there hears of, once
 *
 * Room: cache. Door: <slabwork/fs/pagemap.h>.
 *
 * One word: an errno in the low bits, a bit that says "somebody has looked at this value", and a
 * count above. Recording an error puts the errno in and, only if the value was looked at, counts
 * up: so a value that nobody has looked at cannot run through all counts while nobody looks, and
 * whoever holds an older value sees that there is news. A sampler of a value that nobody has
 * looked at gets 0, "before everything": an error that was never reported is reported to the
 * first who opens the file after it.
 *
 * No lock: compare and exchange. Source: Linux 6.12, Documentation/core-api/errseq.rst.
 */

#include <errno.h>

#include <slabwork/fs/pagemap.h>

#define ERRNO_MASK 0xfffu
#define SEEN       0x1000u
#define COUNT_ONE  0x2000u

uint32_t errseq_set(errseq_t *eseq, int err)
{
	uint32_t old = atomic_load(eseq), new;

	if (err >= 0 || err < -(int)ERRNO_MASK)
		return old;
	do {
		new = (old & ~(ERRNO_MASK | SEEN)) | (uint32_t)-err;
		if (old & SEEN)
			new += COUNT_ONE;
		if (new == old)
			return new;
	} while (!atomic_compare_exchange_weak(eseq, &old, new));
	return new;
}

uint32_t errseq_sample(errseq_t *eseq)
{
	uint32_t now = atomic_load(eseq);

	return now & SEEN ? now : 0;
}

int errseq_check(errseq_t *eseq, uint32_t since)
{
	uint32_t now = atomic_load(eseq);

	return now == since ? 0 : -(int)(now & ERRNO_MASK);
}

int errseq_check_and_advance(errseq_t *eseq, uint32_t *since)
{
	uint32_t now = atomic_load(eseq);

	if (now == *since)
		return 0;
	/* If it moves under us the mark is not set, and the newer error is for next time. */
	if (atomic_compare_exchange_strong(eseq, &now, now | SEEN))
		now |= SEEN;
	else
		return errseq_check_and_advance(eseq, since);
	*since = now;
	return -(int)(now & ERRNO_MASK);
}
