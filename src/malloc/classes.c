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
#include <string.h>

#include "os/futex.h"
#include "os/os.h"

enum { DOWN, MAKING, READY };

/* clang-format off */
const unsigned short malloc_class_sizes[MALLOC_NR_CLASSES] = {
	16, 32, 48, 64, 80, 96, 112, 128,
	144, 160, 176, 192, 208, 224, 240, 256,
	288, 320, 352, 384, 416, 448, 480, 512,
	576, 640, 704, 768, 832, 896, 960, 1024,
	/* 64 KiB / 63, 60, 56 … 36, 32, down to a multiple of 16: the even ones are 32 KiB's, too */
	1040, 1088, 1168, 1248, 1360, 1488, 1632, 1808, 2048,
	/* / 31, 30, 28 … 18, 16 */
	2112, 2176, 2336, 2512, 2720, 2976, 3264, 3632, 4096,
	/* / 15, 14 … 8 */
	4368, 4672, 5040, 5456, 5952, 6544, 7280, 8192,
};
/* clang-format on */

unsigned char malloc_tag[MALLOC_NR_STEPS];
unsigned char malloc_class[MALLOC_NR_STEPS];
unsigned int malloc_tag_size[256];
unsigned char malloc_block_tag[MALLOC_NR_BLOCK_STEPS];
struct sw_fast malloc_fast = { .first_step = SW_NO_FIRST_STEP };

/* Pages of a block. */
static const unsigned short malloc_block_pages[MALLOC_NR_BLOCK_CLASSES] = {
	3,  4,  5,  6,  7,  8,  10, 12,  14,  16,  20,  24,  28,
	32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256,
};

static struct kmem_cache *malloc_caches[MALLOC_NR_CLASSES]; /* ascending */
static struct kmem_cache *malloc_block_caches[256];         /* by tag */
static _Atomic uint32_t state;
static _Atomic int maker; /* tid */

static const struct sw_fast *fast_of(const struct kmem_cache *cache)
{
	return (const struct sw_fast *)cache; /* its first member */
}

#define NAME_SIZE 24

/* "malloc-" n unit. snprintf() would bring 200 KiB of libc into a program that never calls it. */
static void name_class(char name[NAME_SIZE], unsigned int n, const char *unit)
{
	static const char prefix[] = "malloc-";
	char *end = name + sizeof(prefix) - 1;

	memcpy(name, prefix, sizeof(prefix) - 1);
	for (unsigned int rest = n; rest >= 10; rest /= 10)
		end++;
	memcpy(end + 1, unit, strlen(unit) + 1);
	for (; n >= 10; n /= 10)
		*end-- = (char)('0' + n % 10);
	*end = (char)('0' + n);
}

/* Blocks of every page count up to the largest go to the next class; "malloc-12k" … "malloc-1M". */
static void make_block_caches(void)
{
	size_t step = MALLOC_CACHE_MAX >> PAGE_SHIFT;
	char name[NAME_SIZE];

	for (unsigned int class = 0; class < MALLOC_NR_BLOCK_CLASSES; class ++) {
		unsigned int pages = malloc_block_pages[class], kib = pages << (PAGE_SHIFT - 10);
		struct kmem_cache *cache;
		unsigned char tag = 0;

		name_class(name, kib < 1024 ? kib : kib >> 10, kib < 1024 ? "k" : "M");
		cache = sw_block_cache_create(name, pages);
		if (cache) {
			tag = fast_of(cache)->tag;
			malloc_tag_size[tag] = pages << PAGE_SHIFT;
			malloc_block_caches[tag] = cache;
		}
		for (; step < pages; step++)
			malloc_block_tag[step] = tag;
	}
}

struct kmem_cache *malloc_block_cache_for(size_t n)
{
	return malloc_block_caches[malloc_block_tag[(n - 1) >> PAGE_SHIFT]];
}

static void make_caches(void)
{
	unsigned char tag_of[MALLOC_NR_CLASSES] = { 0 };
	unsigned int class = 0;
	char name[NAME_SIZE];

	for (class = 0; class < MALLOC_NR_CLASSES; class ++) {
		unsigned short size = malloc_class_sizes[class];
		struct kmem_cache *cache;

		name_class(name, size, "");
		cache = kmem_cache_create_general(name, size, MALLOC_ALIGN, 0);
		if (cache) {
			malloc_tag_size[fast_of(cache)->tag] = size;
			tag_of[class] = fast_of(cache)->tag;
		}
		malloc_caches[class] = cache;
	}
	class = 0;
	for (size_t step = 0; step < MALLOC_NR_STEPS; step++) {
		if (step * MALLOC_ALIGN > malloc_class_sizes[class])
			class ++;
		malloc_class[step] = (unsigned char)class;
	}

	malloc_fast = sw_fast_general;
	if (sw_fail_malloc) /* every request takes the slow path and is counted there */
		return;
	atomic_thread_fence(memory_order_release); /* C1, for both tables */
	make_block_caches();
	for (size_t step = 0; step < MALLOC_NR_STEPS; step++)
		malloc_tag[step] = tag_of[malloc_class[step]];
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
	unsigned int class = malloc_class[(n + MALLOC_ALIGN - 1) >> MALLOC_ALIGN_SHIFT];

	while (class < MALLOC_NR_CLASSES && !malloc_caches[class])
		class ++;
	return class < MALLOC_NR_CLASSES ? malloc_caches[class] : NULL;
}

/* Before any thread of the program and, where order is ours to say, any other constructor. */
__attribute__((constructor(101))) static void malloc_early(void)
{
	malloc_boot();
}
