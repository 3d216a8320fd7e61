/* SPDX-License-Identifier: MIT */
/*
 * fuzz_malloc.c - bytes become calls of the malloc family; a model says what must hold
 *
 *   tests/fuzz/run MINUTES     with libFuzzer (clang), from the corpus on
 *   ./test fuzz                replays the corpus (replay.c)
 *
 * The model knows each live block's size, alignment and contents. After every call: the pointer is
 * aligned as asked, nobody else's bytes are inside it, all of its usable size is at least what was asked
 * for and writable, what realloc() kept is kept, what calloc() gave is zero, errno is untouched on success
 * and ENOMEM (or EINVAL) on failure, and only what is absurdly large may fail.
 */

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
void free_sized(void *p, size_t n) __attribute__((weak));
void free_aligned_sized(void *p, size_t align, size_t n) __attribute__((weak));

#define KEPT_BYTES 8192
#define SLOTS      48
#define WHOLE      4096 /* blocks up to here are filled and checked whole, larger ones at both ends */
#define LIVE_MAX   (64UL << 20)
#define ABSURD     (1UL << 36) /* may fail, and beyond PTRDIFF_MAX must */
#define FAR        (1UL << 33) /* alignments beyond may find no addresses */

static struct block {
	unsigned char *p;
	size_t n, usable, align;
	unsigned char seed;
} blocks[SLOTS];

static const uint8_t *input, *input_end;
static size_t live;

#define MUST(cond)                                                                            \
	do {                                                                                  \
		if (!(cond)) {                                                                \
			fprintf(stderr, "%s:%d: must hold: %s\n", __FILE__, __LINE__, #cond); \
			abort();                                                              \
		}                                                                             \
	} while (0)

static unsigned int byte(void)
{
	return input < input_end ? *input++ : 0;
}

/* Sizes around what matters: classes, pages, blocks, areas, the end of the number line. */
static size_t pick_size(void)
{
	unsigned int kind = byte(), low = byte();

	switch (kind & 15) {
	case 0 ... 5:
		return low;
	case 6 ... 8:
		return (size_t)(kind >> 4) << 8 | low;
	case 9 ... 10:
		return ((size_t)low << 4) + (kind >> 4) - 8; /* around multiples of 16; may wrap */
	case 11 ... 12:
		return ((size_t)low << 12) + (kind >> 4) - 8; /* around pages, up to 1 MiB */
	case 13:
		return ((size_t)(low & 15) << 20) + (kind >> 4) - 8; /* around MiB */
	case 14:
		return (size_t)1 << (low & 63);
	default:
		return SIZE_MAX - ((size_t)low << (kind >> 4));
	}
}

static size_t marked(size_t n)
{
	return n <= WHOLE ? n : 64;
}

static unsigned char byte_of(const struct block *b, size_t i)
{
	return (unsigned char)(b->seed + i * 7);
}

static void fill(struct block *b)
{
	size_t m = marked(b->usable);

	b->seed = (unsigned char)(b->seed + 31);
	for (size_t i = 0; i < m; i++) {
		b->p[i] = byte_of(b, i);
		b->p[b->usable - 1 - i] = byte_of(b, b->usable - 1 - i);
	}
}

static void check(const struct block *b)
{
	size_t m = marked(b->usable);

	for (size_t i = 0; i < m; i++) {
		MUST(b->p[i] == byte_of(b, i));
		MUST(b->p[b->usable - 1 - i] == byte_of(b, b->usable - 1 - i));
	}
}

static void check_overlap(const struct block *b)
{
	for (const struct block *o = blocks; o < blocks + SLOTS; o++)
		MUST(o == b || !o->p || o->p + o->usable <= b->p || b->p + b->usable <= o->p);
}

/* Take over what an allocation gave. */
static void adopt(struct block *b, void *p, size_t n, size_t align)
{
	size_t at_least = align < 16 ? 16 : align;

	if (!p) {
		MUST(errno == ENOMEM);
		MUST(n > ABSURD || align > FAR || live + n > LIVE_MAX);
		b->p = NULL;
		return;
	}
	MUST(n <= PTRDIFF_MAX);
	MUST(errno == 4242);
	MUST((uintptr_t)p % at_least == 0);
	b->p = p;
	b->n = n;
	b->align = align;
	b->usable = malloc_usable_size(p);
	MUST(b->usable >= n);
	MUST(b->usable > 0);
	check_overlap(b);
	if (n >= ABSURD) { /* addresses only, and too many to keep */
		free(p);
		b->p = NULL;
		return;
	}
	live += b->usable;
	fill(b);
}

static void drop(struct block *b, unsigned int how)
{
	if (!b->p)
		return;
	check(b);
	live -= b->usable;
	errno = 4242;
	if (how == 1 && free_sized && b->align <= 16)
		free_sized(b->p, b->n);
	else if (how == 2 && free_aligned_sized && b->align > 16)
		free_aligned_sized(b->p, b->align, b->n);
	else
		free(b->p);
	MUST(errno == 4242);
	b->p = NULL;
}

static void take(struct block *b, unsigned int how)
{
	size_t n = pick_size(), align = 0, count;
	void *p = NULL;
	int err;

	if (n < ABSURD && live + n > LIVE_MAX)
		n &= 0xffff; /* also what calloc() must scan */
	errno = 4242;
	switch (how) {
	case 0:
		p = malloc(n);
		break;
	case 1:
		count = byte() + 1;
		if (n / count * count != n)
			count = 1;
		p = calloc(count, n / count);
		for (size_t i = 0; p && i < n && n<ABSURD; i += n> 1 << 16 ? 509 : 1)
			MUST(!((unsigned char *)p)[i]);
		break;
	case 2:
		align = (size_t)1 << byte() % 24;
		p = memalign(align, n);
		break;
	case 3:
		align = (size_t)8 << byte() % 20;
		err = posix_memalign(&p, align, n);
		MUST(err == (p ? 0 : ENOMEM));
		errno = p ? errno : err;
		break;
	case 4:
		align = (size_t)1 << byte() % 64;
		p = aligned_alloc(align, n);
		break;
	case 5:
		p = valloc(n);
		align = 4096;
		break;
	case 6:
		p = pvalloc(n);
		align = 4096;
		break;
	default:
		p = realloc(NULL, n);
		break;
	}
	adopt(b, p, n, align);
}

static void resize(struct block *b, bool array)
{
	size_t n = pick_size(), kept, old = b->usable;
	struct block before = *b;
	unsigned char *p;

	if (n < ABSURD && live + n > LIVE_MAX)
		n &= 0xffff;
	if (!n)
		n = 1;
	check(b);
	errno = 4242;
	p = array ? reallocarray(b->p, 1, n) : realloc(b->p, n);
	if (!p) {
		MUST(errno == ENOMEM);
		MUST(n > ABSURD);
		check(b);
		return;
	}
	kept = n < old ? n : old;
	for (size_t i = 0; i < kept && i < marked(old); i++)
		MUST(p[i] == byte_of(&before, i));
	live -= old;
	b->p = NULL;
	adopt(b, p, n, 0);
}

/* Calls that must refuse, and leave everything as it was. */
static void refuse(void)
{
	void *mark = &mark, *p = mark;
	size_t n = (size_t)byte() + 2;

	errno = 4242;
	MUST(posix_memalign(&p, n * 2 - 1, 10) == EINVAL && p == mark && errno == 4242);
	MUST(!aligned_alloc(n * 8 - 1, 10) && errno == EINVAL);
	errno = 0;
	MUST(!calloc(SIZE_MAX / n + 1, n) && errno == ENOMEM);
	errno = 0;
	MUST(!reallocarray(NULL, SIZE_MAX / n + 1, n) && errno == ENOMEM);
	MUST(!malloc_usable_size(NULL));
	free(NULL);
}

/* A named misuse ends the process past libFuzzer's handlers: so the input lies in a file beforehand. */
static void keep_input(const uint8_t *data, size_t size)
{
	static uint8_t *kept;
	const char *path = getenv("FUZZ_CURRENT");

	if (!kept && path) {
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

		MUST(fd >= 0 && !ftruncate(fd, KEPT_BYTES));
		kept = mmap(NULL, KEPT_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		close(fd);
	}
	if (kept && size + sizeof(size) <= KEPT_BYTES) {
		memcpy(kept, &size, sizeof(size));
		memcpy(kept + sizeof(size), data, size);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	keep_input(data, size);
	input = data;
	input_end = data + size;
	while (input < input_end) {
		unsigned int op = byte();
		struct block *b = &blocks[byte() % SLOTS];

		if (op == 255)
			malloc_trim(0);
		else if (op == 254)
			refuse();
		else if (op == 253)
			MUST(mallinfo2().uordblks + mallinfo2().hblkhd >= live);
		else if (!b->p)
			take(b, op % 8);
		else if (op % 8 < 4)
			drop(b, op % 4);
		else
			resize(b, op & 16);
	}
	for (size_t i = 0; i < SLOTS; i++)
		drop(&blocks[i], 0);
	return 0;
}
