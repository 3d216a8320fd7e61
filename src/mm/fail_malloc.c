/* SPDX-License-Identifier: MIT */
/*
 * fail_malloc.c - the Nth request of the malloc front fails: SLABWORK="failmalloc=N[,ever]"
 *
 * Room: mm.  Door: <slabwork/general.h>.
 *
 * For whoever wants to know what his program does without memory: run it with N = 1, 2, 3 …
 * until no request fails any more, once with each alone and once with ",ever", where every
 * request after the Nth fails too. The kernel's fail-nth counts in the same way, by task; here
 * a process is the task: a forked child goes on counting, a new program begins anew.
 *
 * The front asks before each request that it counts, but only where the word was given: the tables
 * of its fast path then stay empty, so that it always comes to ask, and the fast path
 * itself knows nothing of this.
 *
 * The first failure is told on stderr, which is how a driver knows that there was one.
 *
 * Locks: none; one atomic counter.
 */

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include <slabwork/general.h>

#include "kernel/param.h"
#include "kernel/printk.h"
#include "lib/memparse.h"

bool sw_fail_malloc;

static uint64_t fail_at;
static bool fail_ever;
static _Atomic uint64_t requests;

static int set_fail_malloc(const char *value)
{
	uint64_t nth = 0;
	const char *end = parse_u64(value, &nth);
	bool ever = end && !strcmp(end, ",ever");

	if (!end || (*end && !ever) || !nth)
		return -EINVAL;
	fail_at = nth;
	fail_ever = ever;
	sw_fail_malloc = true;
	return 0;
}
__param(fail_malloc, "failmalloc", set_fail_malloc, "N or N,ever; N from 1", PARAM_NONE);

bool sw_fail_this_malloc(void)
{
	uint64_t nth = atomic_fetch_add_explicit(&requests, 1, memory_order_relaxed) + 1;

	if (nth == fail_at)
		pr_warn("slabwork: failmalloc: request %llu fails%s\n", (unsigned long long)nth,
			fail_ever ? ", and so does every later one" : "");
	return nth == fail_at || (fail_ever && nth > fail_at);
}
