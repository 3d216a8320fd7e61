/* SPDX-License-Identifier: MIT */
#ifndef TESTS_MALLOC_EDGE_H
#define TESTS_MALLOC_EDGE_H

/*
 * edge.h - what the edge-case files share
 *
 * Each test file here becomes two programs: one linked with libslabwork-malloc.a
 * and one that knows nothing of us and runs under LD_PRELOAD. Nothing in them may
 * therefore name our own functions (test_classes.c does, and is only linked).
 */

#include <kunit/test.h>

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Not in every libc: weak, so that a program links without us and finds ours at run time. */
void cfree(void *p) __attribute__((weak));
void free_sized(void *p, size_t n) __attribute__((weak));
void free_aligned_sized(void *p, size_t align, size_t n) __attribute__((weak));

/* The compiler must neither know sizes nor drop a call whose result is unused. */
static inline size_t opaque(size_t n)
{
	__asm__ volatile("" : "+r"(n));
	return n;
}

static inline void *opaque_ptr(void *p)
{
	__asm__ volatile("" : "+r"(p) : : "memory");
	return p;
}

/* A size from each class, around each border, and beyond the caches. */
static const size_t edge_sizes[] = {
	0,       1,       2,       7,       8,       15,      16,      17,       24,      31,
	32,      33,      48,      63,      64,      65,      80,      96,       112,     127,
	128,     129,     160,     161,     192,     200,     224,     255,      256,     257,
	320,     384,     448,     511,     512,     513,     640,     768,      896,     1023,
	1024,    1025,    1280,    1536,    1792,    2047,    2048,    2049,     2560,    3072,
	3584,    4095,    4096,    4097,    5120,    6144,    7168,    8191,     8192,    8193,
	10000,   12288,   12289,   16384,   20000,   32768,   65535,   65536,    65537,   69632,
	100000,  131072,  131073,  200000,  262144,  300000,  524288,  1000000,  1048576, 1048577,
	2097152, 3000000, 4194303, 4194304, 4194305, 5000000, 8388608, 20000000,
};
#define nr_edge_sizes (sizeof(edge_sizes) / sizeof(*edge_sizes))

/* Resident bytes of this process, by reading; no allocation. */
static inline size_t resident(void)
{
	unsigned long size = 0, pages = 0;
	char text[128];
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	if (sscanf(text, "%lu %lu", &size, &pages) != 2)
		return 0;
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static inline unsigned char byte_at(size_t i, unsigned char seed)
{
	return (unsigned char)(seed + i + (i >> 8) * 7 + (i >> 16) * 13);
}

/* Fill and check a block with bytes that depend on position and seed. */
static inline void fill(void *p, size_t n, unsigned char seed)
{
	unsigned char *bytes = p;

	for (size_t i = 0; i < n; i++)
		bytes[i] = byte_at(i, seed);
}

/* The first wrong byte, or n. */
static inline size_t mismatch(const void *p, size_t n, unsigned char seed)
{
	const unsigned char *bytes = p;

	for (size_t i = 0; i < n; i++) {
		if (bytes[i] != byte_at(i, seed))
			return i;
	}
	return n;
}

/* Allocate, write and free one block of each size up to limit. False: a block could not be had. */
static inline bool all_sizes(size_t limit)
{
	for (size_t i = 0; i < nr_edge_sizes && edge_sizes[i] <= limit; i++) {
		char *p = malloc(edge_sizes[i]);

		if (!p)
			return false;
		if (edge_sizes[i])
			p[0] = p[edge_sizes[i] - 1] = 1;
		free(opaque_ptr(p));
	}
	return true;
}

/* Waits for a child: its exit code, 128 + signal, or 255 after a minute (then it is killed). */
static inline int finish(pid_t pid)
{
	int status = 0;

	for (int i = 0; i < 6000; i++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
		poll(NULL, 0, 10);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return 255;
}

#endif /* TESTS_MALLOC_EDGE_H */
