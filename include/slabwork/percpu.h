/* SPDX-License-Identifier: MIT */
#ifndef SW_PERCPU_H
#define SW_PERCPU_H

/**
 * DOC: <slabwork/percpu.h> - one copy of a variable for each CPU
 *
 * A per-CPU pointer names as many copies as there are CPU ids; per_cpu_ptr()
 * picks one. "CPU" is the id under which the calling thread runs at this moment
 * (rseq's concurrency id): two threads never run under the same id at the same
 * time, but a thread may change its id between any two instructions, and unlike
 * in the kernel nothing can forbid that. So this_cpu_add() and kin are relaxed
 * atomics on the copy of whatever id was read, which is right for counters: the sum
 * over all copies is exact. get_cpu_ptr() cannot pin the thread; data that is
 * more than one word needs a lock or an atomic of its own.
 *
 *	int __percpu *hits = alloc_percpu(int);
 *	this_cpu_inc(*hits);
 *	for_each_possible_cpu(cpu)
 *		sum += *per_cpu_ptr(hits, cpu);
 *	free_percpu(hits);
 *
 * DEFINE_PER_CPU(type, name) does the same for a variable of the program; its
 * initialiser is what every copy starts from. Each shared object may define up to
 * 32 KiB of them. Its copies are made on first use, which may sleep.
 *
 * Room: mm (percpu.c).  Source: Linux 6.12, include/linux/percpu.h, percpu-defs.h
 */

#include <slabwork/gfp.h>
#include <slabwork/types.h>

SW_BEGIN_DECLS

#ifndef __percpu
#define __percpu
#endif

/* From one copy to the next; also the largest allocation. */
#define PCPU_MIN_UNIT_SIZE 32768UL

/**
 * __alloc_percpu_gfp() - zeroed copies for every CPU id
 * @size: bytes of one copy, 1 ... PCPU_MIN_UNIT_SIZE
 * @align: a power of two up to PAGE_SIZE
 * @gfp: if it may not sleep only what is mapped already is searched
 *
 * Context: May sleep if @gfp holds __GFP_DIRECT_RECLAIM; otherwise any.
 * Return: per-CPU pointer for free_percpu(); NULL if there is no memory, or, with
 *         a warning, if @size or @align is out of range.
 */
SW_API void __percpu *__alloc_percpu_gfp(size_t size, size_t align, gfp_t gfp)
	SW_NAME(__alloc_percpu_gfp) __must_check;
SW_API void __percpu *__alloc_percpu(size_t size, size_t align)
	SW_NAME(__alloc_percpu) __must_check;
#define alloc_percpu_gfp(type, gfp) \
	((__typeof__(type) __percpu *)__alloc_percpu_gfp(sizeof(type), __alignof__(type), gfp))
#define alloc_percpu(type) \
	((__typeof__(type) __percpu *)__alloc_percpu(sizeof(type), __alignof__(type)))

/* Free the copies. NULL is a no-op; another pointer is reported and aborts. Context: Any but a handler. */
SW_API void free_percpu(void __percpu *ptr) SW_NAME(free_percpu);

/* Number of CPU ids: every id is below it, for the life of the process. */
SW_API unsigned int sw_nr_cpu_ids(void);
#define nr_cpu_ids                 sw_nr_cpu_ids()
#define num_possible_cpus()        sw_nr_cpu_ids()
#define for_each_possible_cpu(cpu) for ((cpu) = 0; (unsigned int)(cpu) < nr_cpu_ids; (cpu)++)
/* The caller's id; it may be another one at once. */
SW_API unsigned int raw_smp_processor_id(void) SW_NAME(raw_smp_processor_id);
#define smp_processor_id() raw_smp_processor_id()

/* ---- variables of the program --------------------------------------------------- */

/* This shared object's own DEFINE_PER_CPU()s and where their copies are. */
extern char __start_sw_percpu[] __attribute__((weak, visibility("hidden")));
extern char __stop_sw_percpu[] __attribute__((weak, visibility("hidden")));
__attribute__((weak, visibility("hidden"))) void *sw_percpu_copies;

/* Make the copies of [start, stop) once; the address of CPU 0's. Aborts without memory. */
SW_API void *sw_percpu_static(void **copies, const char *start, const char *stop);

static inline void *sw_per_cpu_ptr(const volatile void *ptr, unsigned int cpu)
{
	const char *at = (const char *)ptr;

	if (at >= __start_sw_percpu && at < __stop_sw_percpu) {
		char *copies = (char *)__atomic_load_n(&sw_percpu_copies, __ATOMIC_ACQUIRE);

		if (unlikely(!copies))
			copies = (char *)sw_percpu_static(&sw_percpu_copies, __start_sw_percpu,
							  __stop_sw_percpu);
		at = copies + (at - __start_sw_percpu);
	}
	return (void *)(at + cpu * PCPU_MIN_UNIT_SIZE);
}

#define DECLARE_PER_CPU(type, name)        extern __typeof__(type) name
#define DEFINE_PER_CPU(type, name)         __attribute__((section("sw_percpu"), used)) __typeof__(type) name
#define DEFINE_PER_CPU_ALIGNED(type, name) DEFINE_PER_CPU(type, name) __attribute__((aligned(64)))

/* ---- access ------------------------------------------------------------------------ */

#define per_cpu_ptr(ptr, cpu) ((__typeof__(ptr))sw_per_cpu_ptr(ptr, cpu))
#define per_cpu(var, cpu)     (*per_cpu_ptr(&(var), cpu))
#define this_cpu_ptr(ptr)     per_cpu_ptr(ptr, raw_smp_processor_id())
#define raw_cpu_ptr(ptr)      this_cpu_ptr(ptr)
#define get_cpu_ptr(ptr)      this_cpu_ptr(ptr)
#define put_cpu_ptr(ptr)      ((void)(ptr))
#define get_cpu_var(var)      (*get_cpu_ptr(&(var)))
#define put_cpu_var(var)      ((void)&(var))

#define this_cpu_read(var)         __atomic_load_n(this_cpu_ptr(&(var)), __ATOMIC_RELAXED)
#define this_cpu_write(var, value) __atomic_store_n(this_cpu_ptr(&(var)), value, __ATOMIC_RELAXED)
#define this_cpu_add(var, value) \
	((void)__atomic_fetch_add(this_cpu_ptr(&(var)), value, __ATOMIC_RELAXED))
#define this_cpu_sub(var, value) \
	((void)__atomic_fetch_sub(this_cpu_ptr(&(var)), value, __ATOMIC_RELAXED))
#define this_cpu_inc(var) this_cpu_add(var, 1)
#define this_cpu_dec(var) this_cpu_sub(var, 1)
#define this_cpu_add_return(var, value) \
	__atomic_add_fetch(this_cpu_ptr(&(var)), value, __ATOMIC_RELAXED)
#define this_cpu_xchg(var, value)    __atomic_exchange_n(this_cpu_ptr(&(var)), value, __ATOMIC_RELAXED)
#define raw_cpu_read(var)            this_cpu_read(var)
#define raw_cpu_add(var, value)      this_cpu_add(var, value)
#define __this_cpu_read(var)         this_cpu_read(var)
#define __this_cpu_write(var, value) this_cpu_write(var, value)
#define __this_cpu_add(var, value)   this_cpu_add(var, value)
#define __this_cpu_inc(var)          this_cpu_inc(var)

SW_END_DECLS

#endif /* SW_PERCPU_H */
