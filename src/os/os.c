/* SPDX-License-Identifier: MIT */
/*
 * os.c - time, identity, randomness, output, death
 *
 * Room: os.
 */

#include <errno.h>
#include <linux/random.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <time.h>

#include "os/os.h"
#include "os/syscall.h"

#ifndef GRND_INSECURE
#define GRND_INSECURE 4 /* 5.6: never blocks, even before the pool is ready */
#endif
#ifndef CLOCK_MONOTONIC_COARSE
#define CLOCK_MONOTONIC_COARSE 6
#endif

#define NSEC_PER_SEC 1000000000ULL

static uint64_t read_clock(clockid_t clock)
{
	struct timespec ts = { 0, 0 };

	clock_gettime(clock, &ts); /* vDSO; cannot fail for these two */
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

uint64_t os_now_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

uint64_t os_now_coarse_ns(void)
{
	return read_clock(CLOCK_MONOTONIC_COARSE);
}

int os_tid(void)
{
	return (int)os_syscall(SYS_gettid);
}

int os_pid(void)
{
	return (int)os_syscall(SYS_getpid);
}

/* One step of a 64-bit mixer (splitmix64's constants): spreads the few bits we have. */
static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15ULL;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

void os_random(void *buf, size_t size)
{
	unsigned char *to = buf;
	const void *aux;
	uint64_t state;

	while (size) {
		long got = os_syscall(SYS_getrandom, to, size, GRND_INSECURE);

		if (got == -EINVAL)
			got = os_syscall(SYS_getrandom, to, size, GRND_NONBLOCK);
		if (got == -EINTR)
			continue;
		if (got <= 0)
			break;
		to += got;
		size -= (size_t)got;
	}
	if (!size)
		return;

	/* No getrandom (a filter, an old kernel): 16 bytes from exec, the clock, our address. */
	state = os_now_ns() ^ (uintptr_t)buf;
	aux = (const void *)getauxval(AT_RANDOM);
	if (aux) {
		uint64_t words[2];

		memcpy(words, aux, sizeof(words));
		state ^= words[0] ^ mix(words[1]);
	}
	while (size--) {
		state = mix(state);
		*to++ = (unsigned char)(state >> 56);
	}
}

void os_write_err(const char *text, size_t len)
{
	while (len) {
		long done = os_syscall(SYS_write, 2, text, len);

		if (done == -EINTR)
			continue;
		if (done <= 0)
			return;
		text += done;
		len -= (size_t)done;
	}
}

void os_abort(void)
{
	struct sigaction dfl;
	sigset_t set;

	/* Not abort(): it takes a lock and runs handlers, and those may allocate. */
	memset(&dfl, 0, sizeof(dfl));
	dfl.sa_handler = SIG_DFL;
	sigaction(SIGABRT, &dfl, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGABRT);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	os_syscall(SYS_tgkill, os_pid(), os_tid(), SIGABRT);
	/* Only init of a PID namespace, which ignores default-fatal signals, comes here. */
	for (;;)
		os_syscall(SYS_exit_group, 127);
}

void os_yield(void)
{
	os_syscall(SYS_sched_yield);
}

void os_sleep_ns(uint64_t ns)
{
	struct timespec ts = {
		.tv_sec = (time_t)(ns / NSEC_PER_SEC),
		.tv_nsec = (long)(ns % NSEC_PER_SEC),
	};

	while (os_syscall(SYS_nanosleep, &ts, &ts) == -EINTR)
		;
}
