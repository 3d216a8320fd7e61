/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SLAB_TEST_H
#define TESTS_SLAB_TEST_H

/*
 * slab_test.h - what the slab suites share: modes, captured reports, looking inside
 *
 * The machine starts with the first call, so an option set at the top of a case is
 * in force for that case: each has a process of its own.
 */

#include <kunit/test.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <slabwork/mm.h>
#include <slabwork/slab.h>

#include "kernel/printk.h"
#include "lib/list.h"
#include "mm/kmalloc.h"
#include "mm/slab.h"

/* The compiler must not know where a pointer comes from, or how large a number is. */
#define opaque(x)                                      \
	({                                             \
		__auto_type __opaque = (x);            \
		__asm__ volatile("" : "+r"(__opaque)); \
		__opaque;                              \
	})

static inline void options(const char *text)
{
	setenv("SLABWORK", text, 1);
}

/* One text, two cases: with restartable sequences where the machine has them, and without. */
#define TEST_IN_BOTH_MODES(fn, ...)                 \
	static void fn##__body(struct kunit *test); \
	KUNIT_TEST(fn, __VA_ARGS__)                 \
	{                                           \
		unsetenv("SLABWORK");               \
		fn##__body(test);                   \
	}                                           \
	KUNIT_TEST(fn##_without_rseq, __VA_ARGS__)  \
	{                                           \
		options("rseq=off");                \
		fn##__body(test);                   \
	}                                           \
	static void fn##__body(struct kunit *test __attribute__((unused)))

/* ---- text that the library prints ---- */

static char said[1 << 16] __attribute__((unused));
static size_t said_len __attribute__((unused));

static inline void said_add(const char *text, unsigned long len)
{
	if (len > sizeof(said) - 1 - said_len)
		len = sizeof(said) - 1 - said_len;
	memcpy(said + said_len, text, len);
	said_len += len;
	said[said_len] = 0;
}

static inline void listen(void)
{
	said_len = 0;
	said[0] = 0;
	printk_sink = said_add;
}

static inline void listen_no_more(void)
{
	printk_sink = NULL;
}

/* ---- a child that must die ---- */

/*
 * Run @act(@arg) in a forked child. True if it died of SIGABRT and the first line on its
 * stderr is exactly @line (without the newline). What differs is told.
 */
static inline bool dies_saying(void (*act)(void *arg), void *arg, const char *line)
{
	char got[4096];
	int pipe_fd[2], status;
	ssize_t n, len = 0;
	pid_t pid;

	if (pipe(pipe_fd))
		return false;
	pid = fork();
	if (!pid) {
		const struct rlimit no_core = { 0, 0 };

		setrlimit(RLIMIT_CORE, &no_core);
		dup2(pipe_fd[1], STDERR_FILENO);
		alarm(20);
		act(arg);
		_exit(99);
	}
	close(pipe_fd[1]);
	while ((n = read(pipe_fd[0], got + len, sizeof(got) - 1 - (size_t)len)) > 0)
		len += n;
	close(pipe_fd[0]);
	got[len] = 0;
	waitpid(pid, &status, 0);
	got[strcspn(got, "\n")] = 0;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && !strcmp(got, line))
		return true;
	kunit_log_line("status %#x, wanted SIGABRT", status);
	kunit_log_line("said:   %s", got);
	kunit_log_line("wanted: %s", line);
	return false;
}

/* ---- looking inside ---- */

static inline struct kmem_cache *cache_named(const char *name)
{
	struct kmem_cache *s;

	list_for_each_entry(s, &slab_caches, list)
		if (!strcmp(s->name, name))
			return s;
	return NULL;
}

static inline struct kmem_cache *owner_of(const void *p)
{
	struct page *head;

	return slab_cache_of(p, &head);
}

static inline const char *owner_name(const void *p)
{
	struct kmem_cache *s = owner_of(p);

	return s ? s->name : "(none)";
}

/* 0, or the first broken invariant of any cache; says which. */
static inline int validate_all(void)
{
	struct kmem_cache *s;

	list_for_each_entry(s, &slab_caches, list) {
		int err = kmem_cache_validate(s);

		if (err) {
			kunit_log_line("%s: invariant %d is broken", s->name, err);
			return err;
		}
	}
	return 0;
}

static inline unsigned long slabs_of(struct kmem_cache *s)
{
	unsigned long n = 0;

	for (unsigned int nid = 0; nid < nr_node_ids; nid++)
		n += s->node[nid] ? atomic_load(&s->node[nid]->nr_slabs) : 0;
	return n;
}

/* Objects out of slabs and in no sheaf: what the program holds. */
static inline unsigned long live_objects(struct kmem_cache *s)
{
	struct slabinfo info;

	get_slabinfo(s, &info);
	return info.active_objs;
}

static inline bool all_bytes(const void *p, unsigned char value, size_t n)
{
	const unsigned char *b = p;

	for (size_t i = 0; i < n; i++)
		if (b[i] != value)
			return false;
	return true;
}

#endif /* TESTS_SLAB_TEST_H */
