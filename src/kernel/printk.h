/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_PRINTK_H
#define KERNEL_PRINTK_H

/*
 * printk.h - say something without allocating, and die in order
 *
 * Room: kernel. Lines go to fd 2 with one write(2) each, from a stack or
 * static buffer. "SLABWORK=quiet" drops everything below warnings; "loglevel=N".
 * Boot lines (pr_info) are hidden unless loglevel >= 6: a program that preloads
 * us prints nothing of ours.
 */

#include <stdarg.h>
#include <stdbool.h>

#include <slabwork/export.h>

enum { LOGLEVEL_ERR = 3, LOGLEVEL_WARNING = 4, LOGLEVEL_NOTICE = 5, LOGLEVEL_INFO = 6 };

void __printk(int level, const char *fmt, ...) __printf(2, 3);
void vprintk(int level, const char *fmt, va_list args) __printf(2, 0);

#define pr_err(...)    __printk(LOGLEVEL_ERR, __VA_ARGS__)
#define pr_warn(...)   __printk(LOGLEVEL_WARNING, __VA_ARGS__)
#define pr_notice(...) __printk(LOGLEVEL_NOTICE, __VA_ARGS__)
#define pr_info(...)   __printk(LOGLEVEL_INFO, __VA_ARGS__)

#define pr_warn_once(...)                                                    \
	do {                                                                 \
		static _Atomic int said;                                     \
		if (!__atomic_exchange_n((int *)&said, 1, __ATOMIC_RELAXED)) \
			pr_warn(__VA_ARGS__);                                \
	} while (0)

/* Text of a report is captured by tests through this hook (NULL: fd 2). */
extern void (*printk_sink)(const char *text, unsigned long len);

/* A broken invariant or misuse that must not go on: "slabwork: <text>", stack, SIGABRT. */
void bug(const char *fmt, ...) __printf(1, 2) __attribute__((noreturn, cold));
#define BUG_ON(cond)                                                          \
	do {                                                                  \
		if (__builtin_expect(!!(cond), 0))                            \
			bug("BUG: %s at %s:%d\n", #cond, __FILE__, __LINE__); \
	} while (0)

/* The kernel's WARN: text, a cut line, the stack; goes on. Evaluates to the condition. */
void warn_slowpath(const char *file, int line, const char *fmt, ...) __printf(3, 4)
	__attribute__((cold));
#define WARN(cond, ...)                                                 \
	({                                                              \
		bool __w = (cond);                                      \
		if (__builtin_expect(__w, 0))                           \
			warn_slowpath(__FILE__, __LINE__, __VA_ARGS__); \
		__w;                                                    \
	})
#define WARN_ON(cond) WARN(cond, "WARNING: %s\n", #cond)
#define WARN_ONCE(cond, ...)                                                   \
	({                                                                     \
		static _Atomic int __said;                                     \
		bool __w = (cond);                                             \
		if (__builtin_expect(__w, 0) &&                                \
		    !__atomic_exchange_n((int *)&__said, 1, __ATOMIC_RELAXED)) \
			warn_slowpath(__FILE__, __LINE__, __VA_ARGS__);        \
		__w;                                                           \
	})
#define WARN_ON_ONCE(cond) WARN_ONCE(cond, "WARNING: %s\n", #cond)

#endif /* KERNEL_PRINTK_H */
