/* SPDX-License-Identifier: MIT */
#ifndef OS_SYSCALL_H
#define OS_SYSCALL_H

/*
 * syscall.h - ask the kernel directly: no errno, no cancellation point, no interposer
 *
 * Room: os, and rooms above that need a call os/ has no name for.
 *
 * libc's wrappers write errno, may be interposed by a library that allocates
 * (and so would come back to us), and some take locks. These return the value
 * or -errno and touch nothing else; each is async-signal-safe.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#if defined(__x86_64__)

static inline long os_syscall6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

#elif defined(__aarch64__)

static inline long os_syscall6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc #0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
}

#else

#include <errno.h>
#include <unistd.h>

static inline long os_syscall6(long nr, long a, long b, long c, long d, long e, long f)
{
	int saved = errno;
	long ret = syscall(nr, a, b, c, d, e, f);

	if (ret == -1)
		ret = -errno;
	errno = saved;
	return ret;
}

#endif

/* Missing arguments are 0: the kernel ignores what a call does not take. */
#define __os_syscall(nr, a, b, c, d, e, f, ...) \
	os_syscall6(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define os_syscall(...) __os_syscall(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)

#endif /* OS_SYSCALL_H */
