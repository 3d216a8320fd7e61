/* SPDX-License-Identifier: MIT */
/*
 * classes.c - the caches malloc-16 … malloc-8192
 *
 * Room: malloc.  Door: malloc/classes.h.  Below us: <slabwork/general.h>.
 *
 * Made once: by the library's constructor, or by the first call if that comes
 * earlier (an IFUNC resolver, another library's constructor, the dynamic linker).
 *
 *   DOWN ──first call──▶ MAKING ──all caches made──▶ READY
 *
 * Whoever moves DOWN to MAKING makes them; other threads wait on the word. The
 * maker itself may come back here (a libc function that boot uses allocates): it
 * is told "not yet" and its call fails with ENOMEM, which no boot step minds.
 *
 * Invariants
 *   C1  malloc_tag[i] != 0 only after malloc_fast is complete: it is the gate of
 *       the fast path. Threads that were started later see both; the constructor
 *       runs before there are any.
 *   C2  A class whose cache could not be made has tag 0 for ever, and its sizes go
 *       to the next larger class through the slow path.
 */

#include "malloc/classes.h"

#include <stdatomic.h>
#include <stdio.h>

#include "os/futex.h"
#include "os/os.h"

enum { DOWN, MAKING, READY };

static const uintptr_t nothing_online;

unsigned char malloc_tag[MALLOC_NR_STEPS];
unsigned short malloc_tag_size[256];
struct sw_fast malloc_fast = { .machine_online = &nothing_online };

static struct kmem_cache *malloc_caches[MALLOC_NR_CLASSES]; /* ascending */
static _Atomic uint32_t state;
static _Atomic int maker; /* tid */

static const struct sw_fast *fast_of(const struct kmem_cache *cache)
{
	return (const struct sw_fast *)cache; /* its first member */
}

static void make_caches(void)
{
	unsigned char tag_of[MALLOC_NR_CLASSES] = { 0 };
	unsigned int class = 0;
	char name[24];
	size_t size;

	for (size = MALLOC_ALIGN; size <= MALLOC_CACHE_MAX; size = malloc_class_size(size + 1)) {
		struct kmem_cache *cache;

		snprintf(name, sizeof(name), "malloc-%zu", size);
		cache = kmem_cache_create_general(name, (unsigned int)size, MALLOC_ALIGN, 0);
		if (cache) {
			malloc_tag_size[fast_of(cache)->tag] = (unsigned short)size;
			tag_of[class] = fast_of(cache)->tag;
		}
		malloc_caches[class++] = cache;
		if (size == MALLOC_CACHE_MAX)
			break;
	}

	malloc_fast = sw_fast_general;
	atomic_thread_fence(memory_order_release); /* C1 */
	class = 0;
	for (size = MALLOC_ALIGN; size <= MALLOC_CACHE_MAX; size += MALLOC_ALIGN) {
		malloc_tag[size >> MALLOC_ALIGN_SHIFT] = tag_of[class];
		if (size == malloc_class_size(size))
			class++;
	}
	malloc_tag[0] = tag_of[0];
}

bool malloc_boot(void)
{
	uint32_t seen = atomic_load_explicit(&state, memory_order_acquire);

	if (seen == READY)
		return true;
	if (atomic_load_explicit(&maker, memory_order_relaxed) == os_tid())
		return false;
	if (!sw_boot())
		return false;
	seen = DOWN;
	if (atomic_compare_exchange_strong(&state, &seen, MAKING)) {
		atomic_store(&maker, os_tid());
		make_caches();
		atomic_store_explicit(&state, READY, memory_order_release);
		atomic_store(&maker, 0);
		os_futex_wake(&state, INT32_MAX);
		return true;
	}
	while (atomic_load_explicit(&state, memory_order_acquire) != READY)
		os_futex_wait(&state, MAKING, 0);
	return true;
}

struct kmem_cache *malloc_cache_for(size_t n)
{
	size_t size = malloc_class_size(n ? n : 1);
	unsigned int class;

	if (size <= MALLOC_LINEAR) {
		class = (unsigned int)(size / MALLOC_ALIGN) - 1;
	} else {
		unsigned int doubling = 63 - (unsigned int)__builtin_clzl(size - 1); /* 7: 129..256 */

		class = 8 + (doubling - 7) * MALLOC_PER_DOUBLING +
			(unsigned int)((size - 1 - (1UL << doubling)) >> (doubling - 2));
	}
	while (class < MALLOC_NR_CLASSES && !malloc_caches[class])
		class++;
	return class < MALLOC_NR_CLASSES ? malloc_caches[class] : NULL;
}

/* Before any thread of the program and, where order is ours to say, any other constructor. */
__attribute__((constructor(101))) static void malloc_early(void)
{
	malloc_boot();
}
