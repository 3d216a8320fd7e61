/* SPDX-License-Identifier: MIT */
/*
 * threads.c - what do threads cost: calls, frees of another thread's objects, memory kept?
 *
 *   mtlifo64     two threads, each the lifo64 loop: CPU time a pair
 *   prodconsN    one thread allocates N bytes, the other frees: batches of 100 objects through
 *                a ring of 64; wall time an object, since waiting is the point
 *   thrcreate    create a thread that allocates and frees once, join it: CPU time a thread
 *   threads256   256 threads, 200 live objects of 16…1,024 bytes each, 5,000 replacements,
 *                all freed; then every thread sleeps. CPU time an operation; .held is the
 *                memory of the process while they sleep, .peak the most it ever was
 *   threads.N    the same with N threads and a million replacements in all or more: how cost
 *                and memory grow with threads (their stacks, some 8 KiB each, are in .held)
 *   xmixed       four threads of a server: each request allocates four short-lived objects
 *                and one that takes the place of a random session, whose old one (most often
 *                another thread's) is freed: CPU time a request
 *
 * CPU time is that of the process: it does not grow when a neighbour takes the machine, and
 * it does count the spinning and the system calls of every thread.
 */

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define MIB         (1024.0 * 1024.0)
#define STACK_BYTES (128 * 1024) /* small and equal, so that stacks do not hide heaps */

static void *take(size_t size)
{
	char *object = malloc(size);

	if (!object)
		abort();
	*object = 1;
	USED(object);
	return object;
}

static void start_thread(pthread_t *thread, void *(*body)(void *), void *arg)
{
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	if (pthread_create(thread, &attr, body, arg))
		abort();
	pthread_attr_destroy(&attr);
}

static void print_peak(const struct row *row)
{
	print_figure(row->name, "peak", (double)memory_peak() / MIB, "MiB");
}

/* mtlifo64 */

struct lifo_job {
	size_t size;
	long ops;
};

static void *lifo_body(void *arg)
{
	const struct lifo_job *job = arg;

	for (long i = 0; i < job->ops; i++)
		free(take(job->size));
	return NULL;
}

static long two_lifos(const struct row *row, long ops)
{
	struct lifo_job job = { row->size, ops / 2 + 1 };
	pthread_t thread[2];

	for (size_t i = 0; i < ARRAY_SIZE(thread); i++)
		start_thread(&thread[i], lifo_body, &job);
	for (size_t i = 0; i < ARRAY_SIZE(thread); i++)
		pthread_join(thread[i], NULL);
	return 2 * job.ops;
}

/* prodcons: one ring, one producer, one consumer; each index is written by one side only */

#define BATCH      100
#define RING_SLOTS 64
#define SPINS      100 /* some microseconds; then the CPU is offered to the other */

static void *ring[RING_SLOTS][BATCH];
static _Alignas(128) atomic_ulong ring_put; /* batches put in; read by the consumer */
static _Alignas(128) atomic_ulong ring_got; /* batches taken out; read by the producer */

static inline void cpu_relax(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

static inline void wait_a_little(unsigned int *spins)
{
	if (++*spins % SPINS == 0)
		sched_yield();
	else
		cpu_relax();
}

static void *consume(void *arg)
{
	const unsigned long batches = *(const unsigned long *)arg;

	for (unsigned long got = 0; got < batches; got++) {
		unsigned int spins = 0;

		/* acquire: pairs with the release of ring_put in produce() */
		while (atomic_load_explicit(&ring_put, memory_order_acquire) == got)
			wait_a_little(&spins);
		for (int i = 0; i < BATCH; i++)
			free(ring[got % RING_SLOTS][i]);
		/* release: the slot is free; pairs with the acquire of ring_got in produce() */
		atomic_store_explicit(&ring_got, got + 1, memory_order_release);
	}
	return NULL;
}

static void produce(size_t size, unsigned long batches)
{
	for (unsigned long put = 0; put < batches; put++) {
		unsigned int spins = 0;

		/* acquire: pairs with the release of ring_got in consume() */
		while (put - atomic_load_explicit(&ring_got, memory_order_acquire) == RING_SLOTS)
			wait_a_little(&spins);
		for (int i = 0; i < BATCH; i++)
			ring[put % RING_SLOTS][i] = take(size);
		/* release: the batch is whole; pairs with the acquire of ring_put in consume() */
		atomic_store_explicit(&ring_put, put + 1, memory_order_release);
	}
}

static long prodcons(const struct row *row, long ops)
{
	unsigned long batches = (unsigned long)(ops + BATCH - 1) / BATCH;
	pthread_t consumer;

	atomic_store(&ring_put, 0);
	atomic_store(&ring_got, 0);
	start_thread(&consumer, consume, &batches);
	produce(row->size, batches);
	pthread_join(consumer, NULL);
	return (long)batches * BATCH;
}

/* thrcreate */

static void *allocate_once(void *arg)
{
	free(take(*(const size_t *)arg));
	return NULL;
}

static long create_threads(const struct row *row, long ops)
{
	size_t size = row->size;

	for (long i = 0; i < ops; i++) {
		pthread_t thread;

		start_thread(&thread, allocate_once, &size);
		pthread_join(thread, NULL);
	}
	return ops;
}

/* threads256 */

#define MOST_THREADS 1000
#define LIVE_EACH    200
#define SMALLEST     16
#define LARGEST      1024

static void *many_live[MOST_THREADS][LIVE_EACH];
static long replacements; /* of each thread */
static pthread_barrier_t many_start, many_idle, many_end;

static void *take_any(struct rng *rng)
{
	return take(SMALLEST + rng_below(rng, LARGEST - SMALLEST + 1));
}

static void *many_body(void *arg)
{
	void **live = arg;
	struct rng rng = { 0x9e3779b97f4a7c15ULL ^ (uintptr_t)arg };

	pthread_barrier_wait(&many_start);
	for (int i = 0; i < LIVE_EACH; i++)
		live[i] = take_any(&rng);
	for (long i = 0; i < replacements; i++) {
		uint32_t slot = rng_below(&rng, LIVE_EACH);

		free(live[slot]);
		live[slot] = take_any(&rng);
	}
	for (int i = 0; i < LIVE_EACH; i++)
		free(live[i]);
	pthread_barrier_wait(&many_idle);
	pthread_barrier_wait(&many_end);
	return NULL;
}

/* row->count threads, row->size replacements each */
static void many_threads(const struct row *row)
{
	static pthread_t thread[MOST_THREADS];
	const unsigned int everyone = (unsigned int)row->count + 1;
	double start, took;
	size_t held;

	replacements = (long)row->size;
	pthread_barrier_init(&many_start, NULL, everyone);
	pthread_barrier_init(&many_idle, NULL, everyone);
	pthread_barrier_init(&many_end, NULL, everyone);
	for (long i = 0; i < row->count; i++)
		start_thread(&thread[i], many_body, many_live[i]);
	start = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	pthread_barrier_wait(&many_start);
	pthread_barrier_wait(&many_idle);
	took = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - start;
	held = memory_now();
	pthread_barrier_wait(&many_end);
	for (long i = 0; i < row->count; i++)
		pthread_join(thread[i], NULL);
	print_figure(row->name, "cpu", took / (double)(row->count * (LIVE_EACH + replacements)),
		     "ns");
	print_figure(row->name, "held", (double)held / MIB, "MiB");
	if (!strchr(row->name, '.'))
		print_peak(row);
}

/* xmixed */

#define SERVERS     4
#define SESSIONS    4096
#define SHORT_LIVED 4

static _Atomic(void *) session[SESSIONS];

struct server_job {
	long requests;
	uint64_t seed;
};

static void serve_one(struct rng *rng)
{
	void *scratch[SHORT_LIVED], *old;
	uint32_t slot;

	for (int i = 0; i < SHORT_LIVED; i++)
		scratch[i] = take_any(rng);
	slot = rng_below(rng, SESSIONS);
	/* acq_rel: the new object is whole before it is seen, the old one before it is freed */
	old = atomic_exchange_explicit(&session[slot], take_any(rng), memory_order_acq_rel);
	free(old);
	for (int i = 0; i < SHORT_LIVED; i++)
		free(scratch[i]);
}

static void *serve(void *arg)
{
	const struct server_job *job = arg;
	struct rng rng = { job->seed };

	for (long i = 0; i < job->requests; i++)
		serve_one(&rng);
	return NULL;
}

static long run_servers(const struct row *row, long ops)
{
	struct server_job job[SERVERS];
	pthread_t thread[SERVERS];

	(void)row;
	for (int i = 0; i < SERVERS; i++) {
		job[i] = (struct server_job){ ops / SERVERS + 1,
					      0x2545f4914f6cdd1dULL + (uint64_t)i };
		start_thread(&thread[i], serve, &job[i]);
	}
	for (int i = 0; i < SERVERS; i++)
		pthread_join(thread[i], NULL);
	return SERVERS * job[0].requests;
}

static void end_sessions(const struct row *row)
{
	(void)row;
	for (int i = 0; i < SESSIONS; i++)
		free(atomic_exchange(&session[i], NULL));
}

static const struct row rows[] = {
	{ "mtlifo64", two_lifos, 64, .clock = CLOCK_PROCESS_CPUTIME_ID },
	{ "prodcons64", prodcons, 64, .clock = CLOCK_MONOTONIC, .after = print_peak },
	{ "prodcons1024", prodcons, 1024, .clock = CLOCK_MONOTONIC, .after = print_peak },
	{ "thrcreate", create_threads, 64, .clock = CLOCK_PROCESS_CPUTIME_ID },
	{ "threads256", .size = 5000, .count = 256, .after = many_threads },
	{ "xmixed", run_servers, .teardown = end_sessions, .clock = CLOCK_PROCESS_CPUTIME_ID,
	  .after = print_peak },
	{ "threads.1", .size = 1000000, .count = 1, .after = many_threads },
	{ "threads.4", .size = 250000, .count = 4, .after = many_threads },
	{ "threads.16", .size = 62500, .count = 16, .after = many_threads },
	{ "threads.64", .size = 15625, .count = 64, .after = many_threads },
	{ "threads.250", .size = 5000, .count = 250, .after = many_threads },
	{ "threads.1000", .size = 5000, .count = 1000, .after = many_threads },
};

int main(int argc, char **argv)
{
	return bench_main(rows, ARRAY_SIZE(rows), argc, argv);
}
