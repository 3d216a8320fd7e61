/* SPDX-License-Identifier: MIT */
/*
 * percpu.c - one copy of a variable for each CPU id
 *
 * Room: mm. Doors: <slabwork/percpu.h>, <slabwork/percpu_counter.h>.
 *
 * 1. The idea
 *
 * A chunk is nr_cids units of 32 KiB side by side, and an allocation is the same
 * bytes of each unit:
 *
 *      unit of cid 0         unit of cid 1         unit of cid 2
 *   [ . . . A A . B . ]   [ . . . A A . B . ]   [ . . . A A . B . ]
 *           ▲ the per-CPU pointer                ▲ + 2 * 32 KiB: per_cpu_ptr(p, 2)
 *
 * So the copy of a cid is an addition away, and copies of different cids never
 * share a cache line. Only what is touched is resident. Inside the unit a bitmap with a
 * bit for 8 bytes says what is taken (first fit), a second one where each
 * allocation ends, a third one which bytes have ever been handed out: those
 * are zeroed when they are given again, fresh ones are zero already.
 *
 * 2. Invariants (percpu_validate())
 *
 *   I1  A bit set in last[] is set in taken[]; each run of taken bits ends with one.
 *   I2  taken[] is a subset of used[].
 *   I3  nr_free + weight(taken) == PCPU_BITS.
 *
 * 3. Locks: pcpu_lock (rank 35), a leaf but for the OS. Chunks are never given back; the list
 * grows at its end and may be read without the lock.
 *
 * 4. Where we depart from Linux 6.12
 *
 *   Units are never populated by hand: the OS does it on the first touch. No
 *   reserved or dynamic first chunk: static variables are one ordinary
 *   allocation for each shared object. No memcg, no async refill; one lock.
 */

#include <string.h>

#include <slabwork/percpu.h>
#include <slabwork/percpu_counter.h>

#include "kernel/cpu.h"
#include "kernel/fork.h"
#include "kernel/lock.h"
#include "kernel/printk.h"
#include "lib/bitmap.h"
#include "mm/boot.h"
#include "mm/percpu.h"
#include "mm/zone.h"
#include "os/vm.h"

#include <errno.h>

#define PCPU_GRANULE    8UL
#define PCPU_BITS       (PCPU_MIN_UNIT_SIZE / PCPU_GRANULE)
#define PCPU_UNIT_PAGES (PCPU_MIN_UNIT_SIZE / PAGE_SIZE ? PCPU_MIN_UNIT_SIZE / PAGE_SIZE : 1)

struct pcpu_chunk {
	struct pcpu_chunk *next;
	char *base; /* unit of cid 0 */
	unsigned long nr_free;
	DECLARE_BITMAP(taken, PCPU_BITS);
	DECLARE_BITMAP(last, PCPU_BITS);
	DECLARE_BITMAP(used, PCPU_BITS);
	DECLARE_BITMAP(pages, PCPU_UNIT_PAGES); /* handed out at least once: counted */
};

static spinlock_t pcpu_lock;
static struct pcpu_chunk *chunks; /* pcpu_lock to change */
static _Atomic unsigned long nr_pages;

unsigned int sw_nr_cpu_ids(void)
{
	mm_boot();
	return cpu_nr_cids();
}

unsigned int raw_smp_processor_id(void)
{
	return cpu_cid();
}

unsigned long pcpu_nr_pages(void)
{
	return atomic_load_explicit(&nr_pages, memory_order_relaxed);
}

static size_t round_to_os_page(size_t size)
{
	return (size + os_page_size() - 1) & -os_page_size();
}

static struct pcpu_chunk *chunk_create(void)
{
	struct pcpu_chunk **link, *chunk = os_map(round_to_os_page(sizeof(*chunk)), os_page_size());
	size_t size = round_to_os_page(cpu_nr_cids() * PCPU_MIN_UNIT_SIZE);

	if (!chunk)
		return NULL;
	chunk->base = os_map(size, os_page_size());
	if (!chunk->base) {
		os_unmap(chunk, round_to_os_page(sizeof(*chunk)));
		return NULL;
	}
	chunk->nr_free = PCPU_BITS;
	for (link = &chunks; *link; link = &(*link)->next)
		;
	*link = chunk;
	return chunk;
}

/* Count the pages of [bit, bit + nr) that were not handed out before. */
static void count_pages(struct pcpu_chunk *chunk, unsigned long bit, unsigned long nr)
{
	unsigned long first = bit * PCPU_GRANULE / PAGE_SIZE;
	unsigned long end = ((bit + nr) * PCPU_GRANULE - 1) / PAGE_SIZE;

	for (unsigned long page = first; page <= end; page++) {
		if (test_bit(page, chunk->pages))
			continue;
		__set_bit(page, chunk->pages);
		atomic_fetch_add_explicit(&nr_pages, cpu_nr_cids(), memory_order_relaxed);
		mod_node_page_state(NODE_DATA(0), NR_PERCPU_PAGES, (long)cpu_nr_cids());
	}
}

/* Bits bit .. bit + nr of the chunk become an allocation. */
static char *chunk_take(struct pcpu_chunk *chunk, unsigned long bit, unsigned long nr)
{
	char *at = chunk->base + bit * PCPU_GRANULE;
	bool fresh = find_next_bit(chunk->used, bit + nr, bit) >= bit + nr;

	bitmap_set(chunk->taken, bit, nr);
	bitmap_set(chunk->used, bit, nr);
	__set_bit(bit + nr - 1, chunk->last);
	chunk->nr_free -= nr;
	count_pages(chunk, bit, nr);
	for (unsigned int cid = 0; cid < cpu_nr_cids() && !fresh; cid++)
		memset(at + cid * PCPU_MIN_UNIT_SIZE, 0, nr * PCPU_GRANULE);
	return at;
}

/* First fit over the chunks there are; may_grow: then a new one. */
static char *find_room(unsigned long nr, unsigned long align_mask, bool may_grow)
{
	struct pcpu_chunk *chunk;
	unsigned long bit;

	for (chunk = chunks; chunk; chunk = chunk->next) {
		if (chunk->nr_free < nr)
			continue;
		bit = bitmap_find_next_zero_area(chunk->taken, PCPU_BITS, 0, nr, align_mask);
		if (bit + nr <= PCPU_BITS)
			return chunk_take(chunk, bit, nr);
	}
	chunk = may_grow ? chunk_create() : NULL;
	return chunk ? chunk_take(chunk, 0, nr) : NULL;
}

void *__alloc_percpu_gfp(size_t size, size_t align, gfp_t gfp)
{
	bool may_block = gfpflags_allow_blocking(gfp);
	unsigned long align_mask;
	char *at;

	mm_boot();
	if (align < PCPU_GRANULE)
		align = PCPU_GRANULE;
	if (WARN(!size || size > PCPU_MIN_UNIT_SIZE || align > PAGE_SIZE || (align & (align - 1)),
		 "illegal size (%zu) or align (%zu) for percpu allocation\n", size, align))
		return NULL;
	align_mask = align / PCPU_GRANULE - 1;
	if (!spin_lock_gfp(&pcpu_lock, may_block))
		return NULL;
	at = find_room((size + PCPU_GRANULE - 1) / PCPU_GRANULE, align_mask, may_block);
	spin_unlock(&pcpu_lock);
	if (!at && !(gfp & __GFP_NOWARN))
		pr_warn("allocation failed, size=%zu align=%zu atomic=%d\n", size, align,
			!may_block);
	return at;
}

void *__alloc_percpu(size_t size, size_t align)
{
	return __alloc_percpu_gfp(size, align, GFP_KERNEL);
}

/* The chunk whose first unit holds ptr, and the bit; NULL: none does. */
static struct pcpu_chunk *chunk_of(const void *ptr, unsigned long *bit)
{
	for (struct pcpu_chunk *chunk = chunks; chunk; chunk = chunk->next) {
		size_t offset = (size_t)((uintptr_t)ptr - (uintptr_t)chunk->base);

		if (offset >= PCPU_MIN_UNIT_SIZE)
			continue;
		*bit = offset / PCPU_GRANULE;
		return offset % PCPU_GRANULE ? NULL : chunk;
	}
	return NULL;
}

/* Does an allocation start at the bit? Its predecessor must be free or the last of another one. */
static bool starts_at(const struct pcpu_chunk *chunk, unsigned long bit)
{
	return test_bit(bit, chunk->taken) &&
	       (!bit || !test_bit(bit - 1, chunk->taken) || test_bit(bit - 1, chunk->last));
}

void free_percpu(void *ptr)
{
	struct pcpu_chunk *chunk;
	unsigned long bit, last;

	if (!ptr)
		return;
	spin_lock(&pcpu_lock);
	chunk = chunk_of(ptr, &bit);
	if (!chunk || !starts_at(chunk, bit)) {
		spin_unlock(&pcpu_lock);
		bug("free_percpu(%p): not a live per-CPU allocation\n", ptr);
	}
	last = find_next_bit(chunk->last, PCPU_BITS, bit);
	__clear_bit(last, chunk->last);
	bitmap_clear(chunk->taken, bit, last + 1 - bit);
	chunk->nr_free += last + 1 - bit;
	spin_unlock(&pcpu_lock);
}

/* ---- variables of a shared object ---------------------------------------------------- */

void *sw_percpu_static(void **copies, const char *start, const char *stop)
{
	size_t size = (size_t)(stop - start);
	char *fresh =
		__alloc_percpu(size, 64 /* as sections with cache-line aligned variables need */);
	void *raced = NULL;

	if (!fresh)
		bug("no memory for %zu bytes of DEFINE_PER_CPU()\n", size);
	for (unsigned int cid = 0; cid < cpu_nr_cids(); cid++)
		memcpy(fresh + cid * PCPU_MIN_UNIT_SIZE, start, size);
	/* Pairs with the acquire in sw_per_cpu_ptr(). */
	if (__atomic_compare_exchange_n(copies, &raced, fresh, false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE))
		return fresh;
	free_percpu(fresh);
	return raced;
}

/* ---- counters --------------------------------------------------------------------------- */

int percpu_counter_init(struct percpu_counter *fbc, int64_t amount, gfp_t gfp)
{
	fbc->count = amount;
	fbc->counters = alloc_percpu_gfp(int32_t, gfp);
	return fbc->counters ? 0 : -ENOMEM;
}

void percpu_counter_destroy(struct percpu_counter *fbc)
{
	free_percpu(fbc->counters);
	fbc->counters = NULL;
}

void percpu_counter_add_batch(struct percpu_counter *fbc, int64_t amount, int32_t batch)
{
	int32_t *local = this_cpu_ptr(fbc->counters);
	int32_t now;

	if (amount >= batch || amount <= -(int64_t)batch) {
		__atomic_fetch_add(&fbc->count, amount, __ATOMIC_RELAXED);
		return;
	}
	now = __atomic_add_fetch(local, (int32_t)amount, __ATOMIC_RELAXED);
	if (now >= batch || now <= -batch)
		__atomic_fetch_add(&fbc->count, __atomic_exchange_n(local, 0, __ATOMIC_RELAXED),
				   __ATOMIC_RELAXED);
}

int64_t percpu_counter_sum(struct percpu_counter *fbc)
{
	int64_t sum = percpu_counter_read(fbc);

	for (unsigned int cid = 0; cid < cpu_nr_cids(); cid++)
		sum += __atomic_load_n(per_cpu_ptr(fbc->counters, cid), __ATOMIC_RELAXED);
	return sum;
}

void percpu_counter_set(struct percpu_counter *fbc, int64_t amount)
{
	for (unsigned int cid = 0; cid < cpu_nr_cids(); cid++)
		__atomic_store_n(per_cpu_ptr(fbc->counters, cid), 0, __ATOMIC_RELAXED);
	__atomic_store_n(&fbc->count, amount, __ATOMIC_RELAXED);
}

int percpu_counter_compare(struct percpu_counter *fbc, int64_t rhs)
{
	int64_t slack = (int64_t)PERCPU_COUNTER_BATCH * cpu_nr_cids();
	int64_t count = percpu_counter_read(fbc);

	if (count - rhs <= slack && rhs - count <= slack)
		count = percpu_counter_sum(fbc);
	return count > rhs ? 1 : count < rhs ? -1 : 0;
}

/* ---- checks and fork ------------------------------------------------------------------------ */

static const char *chunk_validate(const struct pcpu_chunk *chunk)
{
	for (unsigned long bit = 0; bit < PCPU_BITS; bit++) {
		bool taken = test_bit(bit, chunk->taken);
		bool run_ends = bit == PCPU_BITS - 1 || !test_bit(bit + 1, chunk->taken);

		if (!taken && test_bit(bit, chunk->last))
			return "I1: an allocation ends where none is";
		if (taken && run_ends && !test_bit(bit, chunk->last))
			return "I1: an allocation has no end";
		if (taken && !test_bit(bit, chunk->used))
			return "I2: what is taken was never handed out";
	}
	if (chunk->nr_free + bitmap_weight(chunk->taken, PCPU_BITS) != PCPU_BITS)
		return "I3: the count of free bytes is wrong";
	return NULL;
}

const char *percpu_validate(void)
{
	const char *broken = NULL;

	spin_lock(&pcpu_lock);
	for (struct pcpu_chunk *chunk = chunks; chunk && !broken; chunk = chunk->next)
		broken = chunk_validate(chunk);
	spin_unlock(&pcpu_lock);
	return broken;
}

static void pcpu_fork_prepare(void)
{
	spin_lock(&pcpu_lock);
}

static void pcpu_fork_done(void)
{
	spin_unlock(&pcpu_lock);
}
FORK_HANDLER(pcpu, 35, pcpu_fork_prepare, pcpu_fork_done, pcpu_fork_done);
