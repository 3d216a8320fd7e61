/* SPDX-License-Identifier: MIT */
/*
 * cpu.c - which CPU am I, as far as our per-CPU data cares
 *
 * Room: kernel. See cpu.h.
 *
 * 1. Two modes, chosen once by cpu_init()
 *
 *   rseq    libc (glibc 2.35 and newer) has registered an rseq area for every thread.
 *           Fast paths run restartable sequences and index with the area's mm_cid
 *           (Linux 6.3: dense, so memory follows concurrency), else with its cpu_id.
 *           Ids are 0 .. n-1, n = possible CPUs.
 *   locked  No rseq: old kernel or libc, valgrind, a seccomp filter, SLABWORK=rseq=off, or
 *           no membarrier to restart another CPU's sequence with. The fast paths'
 *           code is the same; the area it looks at is a dummy that we keep in each
 *           thread and whose ids read 0. Id 0 is then the *null CPU*: it never has data, so
 *           every fast path leaves for the slow one, which asks cpu_cid() and takes
 *           a lock. Ids of real data are 1 .. n.
 *
 * The choice costs the fast path nothing: it loads an offset and an id in both. The
 * dummy needs no set-up in any thread: its initial image in the TLS segment is what it must be.
 *
 * 2. In rseq mode every thread has a registered area: glibc stops the process when it
 * cannot register a new one. Where a thread takes its own away, its cpu_id reads -1 or -2,
 * ids whose slots are null too; its mm_cid reads 0, as another thread's may, so such
 * a thread must not call us. (Nor may a vfork child: POSIX lets it only exec or exit.)
 *
 * Locks: none.
 */

#include <errno.h>
#include <linux/membarrier.h>
#include <stddef.h>
#include <sys/auxv.h>

#include "kernel/cpu.h"
#include "kernel/param.h"
#include "os/os.h"
#include "os/syscall.h"

#ifndef AT_RSEQ_FEATURE_SIZE
#define AT_RSEQ_FEATURE_SIZE 27
#endif
/* Not in the headers of old distributions; the numbers are ABI (Linux 5.10). */
#define MB_PRIVATE_EXPEDITED_RSEQ          (1 << 7)
#define MB_REGISTER_PRIVATE_EXPEDITED_RSEQ (1 << 8)

/* The kernel's struct rseq as far as we read it; its layout is ABI. */
struct rseq_area {
	uint32_t cpu_id_start;
	uint32_t cpu_id;  /* negative: not registered */
	uint64_t rseq_cs; /* fast paths store the address of their descriptor here */
	uint32_t flags;
	uint32_t node_id; /* where AT_RSEQ_FEATURE_SIZE says so */
	uint32_t mm_cid;
	uint32_t cid; /* dummy only: ours, see cpu_cid() */
} __attribute__((aligned(32)));

_Static_assert(offsetof(struct rseq_area, cpu_id) == 4, "ABI");
_Static_assert(offsetof(struct rseq_area, rseq_cs) == 8, "ABI");
_Static_assert(offsetof(struct rseq_area, node_id) == 20, "ABI");
_Static_assert(offsetof(struct rseq_area, mm_cid) == 24, "ABI");

/* glibc 2.35: where it keeps the area. Weak: other C libraries have neither. */
extern const ptrdiff_t __rseq_offset __attribute__((weak));
extern const unsigned int __rseq_size __attribute__((weak));

bool cpu_rseq_ok;
intptr_t cpu_rseq_offset;
intptr_t cpu_id_offset;

static unsigned int nr_cpus = 1;  /* possible CPUs, at least 1 */
static unsigned int nr_nodes = 1; /* nodes, real or fake */
static bool nodes_are_fake;
static bool node_in_area; /* the area's node_id is kept up to date */
static bool rseq_off;     /* the user said so */

/* Says "not registered" and names the null CPU. 32 bytes of TLS a thread. */
static __thread struct rseq_area dummy = { .cpu_id = UINT32_MAX };

static int set_rseq(const char *value)
{
	bool on;
	int ret = param_bool(value, &on);

	if (!ret)
		rseq_off = !on;
	return ret;
}
__param(rseq, "rseq", set_rseq, "on or off", PARAM_NONE);

static inline char *thread_pointer(void)
{
#if defined(__x86_64__)
	/* Not the builtin: gcc 10 and clang 14 lack it. The ABI keeps the pointer at %fs:0. */
	char *tp;

	__asm__("mov %%fs:0, %0" : "=r"(tp));
	return tp;
#else
	return __builtin_thread_pointer();
#endif
}

static inline struct rseq_area *this_area(void)
{
	return (struct rseq_area *)(thread_pointer() + cpu_rseq_offset);
}

/* Is the calling thread's area registered, and can sequences on other CPUs be restarted? */
static bool rseq_usable(void)
{
	const struct rseq_area *area;
	long commands;

	if (rseq_off || !&__rseq_size || !&__rseq_offset || !__rseq_size)
		return false;
	area = (const struct rseq_area *)(thread_pointer() + __rseq_offset);
	if ((int32_t)__atomic_load_n(&area->cpu_id, __ATOMIC_RELAXED) < 0)
		return false;
	commands = os_syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
	return commands > 0 && (commands & MB_PRIVATE_EXPEDITED_RSEQ);
}

void cpu_init(void)
{
	unsigned long features = getauxval(AT_RSEQ_FEATURE_SIZE);

	nr_cpus = os_nr_possible_cpus();
	if (!nodes_are_fake)
		nr_nodes = os_nr_nodes();
	cpu_rseq_ok = rseq_usable();
	if (!cpu_rseq_ok) {
		cpu_rseq_offset = (char *)&dummy - thread_pointer();
		cpu_id_offset = cpu_rseq_offset + (intptr_t)offsetof(struct rseq_area, mm_cid);
		return;
	}
	/*
	 * glibc registers 32 bytes at least, so what the kernel says it fills in
	 * up to mm_cid is in the area.
	 */
	cpu_rseq_offset = __rseq_offset;
	node_in_area = features >= offsetof(struct rseq_area, mm_cid);
	cpu_id_offset = cpu_rseq_offset + (intptr_t)offsetof(struct rseq_area, cpu_id);
	if (features >= offsetof(struct rseq_area, cid))
		cpu_id_offset = cpu_rseq_offset + (intptr_t)offsetof(struct rseq_area, mm_cid);
}

unsigned int cpu_nr_cids(void)
{
	return nr_cpus + !cpu_rseq_ok; /* the null CPU's id is one more */
}

/*
 * Locked mode: threads are dealt to the CPUs in turn when they first ask. A signal
 * between the load and the store deals twice, which is as good.
 */
static unsigned int dealt_cid(void)
{
	static unsigned int next;

	if (!dummy.cid)
		dummy.cid = 1 + __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED) % nr_cpus;
	return dummy.cid;
}

unsigned int cpu_cid(void)
{
	unsigned int cid;

	if (!cpu_rseq_ok)
		return dealt_cid();
	cid = __atomic_load_n((uint32_t *)(thread_pointer() + cpu_id_offset), __ATOMIC_RELAXED);
	return cid < nr_cpus ? cid : 0;
}

void cpu_fake_nodes(unsigned int nr)
{
	nodes_are_fake = nr > 0;
	nr_nodes = nr > 0 ? nr : os_nr_nodes();
}

int numa_node_id(void)
{
	unsigned int node;

	if (nr_nodes == 1)
		return 0;
	if (nodes_are_fake)
		return (int)(cpu_cid() % nr_nodes);
	if (cpu_rseq_ok && node_in_area)
		node = __atomic_load_n(&this_area()->node_id, __ATOMIC_RELAXED);
	else
		node = os_current_node();
	return node < nr_nodes ? (int)node : 0; /* a node without memory: any other will do */
}

int cpu_rseq_barrier(void)
{
	long ret;

	if (!cpu_rseq_ok)
		return 0; /* nobody runs a sequence that could hurt: slots are locked */
	ret = os_syscall(SYS_membarrier, MB_PRIVATE_EXPEDITED_RSEQ, 0, 0);
	if (ret != -EPERM)
		return (int)ret;
	/* First use in this process: register, once. It is inherited by a forked child. */
	ret = os_syscall(SYS_membarrier, MB_REGISTER_PRIVATE_EXPEDITED_RSEQ, 0, 0);
	if (!ret)
		ret = os_syscall(SYS_membarrier, MB_PRIVATE_EXPEDITED_RSEQ, 0, 0);
	return (int)ret;
}
