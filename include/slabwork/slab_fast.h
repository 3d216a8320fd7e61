/* SPDX-License-Identifier: MIT */
#ifndef SW_SLAB_FAST_H
#define SW_SLAB_FAST_H

/**
 * DOC: <slabwork/slab_fast.h> - the two restartable sequences, inline
 *
 * Internal to <slabwork/slab.h>; the only layout that is part of the ABI
 * (SW_FAST_ABI, checked by sw_fast_abi() in debug builds of a program).
 *
 * A *slot* is eight bytes, one for each CPU id and cache: the top of the CPU's
 * main sheaf. A sheaf is [ NULL | o1 .. oN .. | FULL ]; top points at oN.
 *
 *   pop   object = *top; NULL: empty, leave.           slot = top - 1   (commit)
 *   push  top[1] == FULL: full, leave. top[1] = object; slot = top + 1   (commit)
 *
 * If the thread is preempted, migrated or interrupted by a signal before the
 * commit, the kernel sends it to the abort label and we start again: so no lock
 * and no atomic. Between two sequences of one CPU nothing is shared.
 */

#include <slabwork/types.h>

#define SW_FAST_ABI 3

/* Slots of one CPU id span 1 << SW_PCPU_SHIFT bytes: first half slots, second half spares. */
#define SW_PCPU_SHIFT 18
#define SW_SHEAF_FULL ((void *)1)

/* How to reach this CPU's slots. First member of struct kmem_cache. */
struct sw_fast {
	intptr_t rseq_offset;  /* thread pointer + this: struct rseq, or a dummy */
	intptr_t id_offset;    /* thread pointer + this: 4-byte CPU id, signed */
	char *slots;           /* of id 0; of id n: + (n << SW_PCPU_SHIFT); n from -2 up */
	unsigned char *objmap; /* objmap[address >> 4] = tag of the live object that starts there */
	unsigned char *live;   /* the same from the machine's first step on */
	const unsigned char *page_tags; /* of a general cache that has the page, by step >> 8 */
	uintptr_t first_step;           /* of the machine, see sw_step_of() */
	const uintptr_t *nr_steps;      /* of the machine now: it grows */
	unsigned int object_size;       /* for __GFP_ZERO */
	unsigned char tag; /* 1..255; a shared one is even, + 1 for an object at 8 mod 16 */
	unsigned char pad;
	unsigned short abi;
};

/*
 * Memory in steps of 16 bytes, one byte of the objmap each. The number of the step that starts at
 * @addr, from the machine's first; an address between two steps or outside the machine is no step:
 * what the rotation brings to the top makes the number too large. So one comparison tells
 * whether a pointer may be asked about.
 */
#define SW_PAGE_STEPS (SW_PAGE_SHIFT - 4)
/* The first step while there is no machine: it is farther up than any address reaches. */
#define SW_NO_FIRST_STEP ((uintptr_t)1 << 62)
SW_ALWAYS_INLINE uintptr_t sw_step_of(const struct sw_fast *f, const void *addr)
{
	return ((uintptr_t)addr >> 4 | (uintptr_t)addr << 60) - f->first_step;
}

/* ThreadSanitizer cannot see through the sequences: it gets the locked slow path. */
#if defined(__SANITIZE_THREAD__)
#define SW_NO_RSEQ
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SW_NO_RSEQ
#endif
#endif

/*
 * For a pointer that another thread published with a release: the address dependency orders what
 * it points to, which ThreadSanitizer cannot see.
 */
#if defined(SW_NO_RSEQ)
#define SW_LOAD_PUBLISHED(p) __atomic_load_n(&(p), __ATOMIC_ACQUIRE)
#else
#define SW_LOAD_PUBLISHED(p) __atomic_load_n(&(p), __ATOMIC_RELAXED)
#endif

/*
 * The kernel reads a thread's last descriptor at its next preemption. In code that dlclose()
 * can unmap it must not be found any more by then; programs, and we ourselves, stay.
 */
#if defined(__PIC__) && !defined(__PIE__) && !defined(SW_NEVER_UNLOADED)
#define SW_RSEQ_DISARM 1
#else
#define SW_RSEQ_DISARM 0
#endif

#if defined(__x86_64__) && !defined(SW_NO_RSEQ)
#define SW_HAVE_RSEQ 1

/* The columns of the assembly stay as they are. */
/* clang-format off */

/*
 * The descriptor the kernel reads: version, flags, start, length, abort. "?": in the section
 * group of the code, so that a C++ inline function takes it along when the linker drops it.
 */
#define SW_RSEQ_TABLE                                                                              \
	".pushsection __rseq_cs, \"aw?\"\n\t"                                                      \
	".balign 32\n"                                                                             \
	"9:\t.long 0, 0\n\t"                                                                       \
	".quad 1f, 2f - 1f, 4f\n\t"                                                                \
	".popsection\n\t"

/* The abort path must follow the signature glibc registered. */
#define SW_RSEQ_ABORT(label)                                                                       \
	".pushsection __rseq_failure, \"ax?\"\n\t"                                                 \
	".byte 0x0f, 0xb9, 0x3d\n\t"                                                               \
	".long 0x53053053\n"                                                                       \
	"4:\tjmp %l[" label "]\n\t"                                                                \
	".popsection\n\t"

/*
 * Arm, and compute the slot's address in %[slot]. An unregistered thread's cpu_id is negative: the slots
 * of ids -2 and -1 are null for ever. Only plain (%[slot]) is used then: a processor
 * forwards a store to the next load of it for nothing where both say the same register.
 */
#define SW_RSEQ_ENTER                                                                              \
	"leaq 9b(%%rip), %[slot]\n\t"                                                              \
	"movq %[slot], %%fs:8(%[rs])\n"                                                            \
	"1:\tmovslq %%fs:(%[id]), %[slot]\n\t"                                                    \
	"shlq %[shift], %[slot]\n\t"                                                               \
	"addq %[slots], %[slot]\n\t"
/* The same for the cache whose slot has number %[index]. */
#define SW_RSEQ_ENTER_AT SW_RSEQ_ENTER "leaq (%[slot], %[index], 8), %[slot]\n\t"

#if SW_RSEQ_DISARM
#define SW_RSEQ_LEAVE "movq $0, %%fs:8(%[rs])\n\t"
#else
#define SW_RSEQ_LEAVE ""
#endif

SW_ALWAYS_INLINE void sw_rseq_disarm(const struct sw_fast *f)
{
	if (SW_RSEQ_DISARM)
		__asm__ __volatile__("movq $0, %%fs:8(%0)" : : "r"(f->rseq_offset) : "memory");
}

#define SW_POP(enter)                                                                              \
	SW_RSEQ_TABLE enter                                                                        \
	"movq (%[slot]), %[top]\n\t"                                                               \
	"movq (%[top]), %[object]\n\t"                                                             \
	"testq %[object], %[object]\n\t"                                                           \
	"jz %l[fail]\n\t"                                                                          \
	"subq $8, %[top]\n\t"                                                                      \
	"movq %[top], (%[slot])\n"                                                                 \
	"2:\n\t" SW_RSEQ_LEAVE SW_RSEQ_ABORT("again")

#define SW_PUSH(enter)                                                                             \
	SW_RSEQ_TABLE enter                                                                        \
	"movq (%[slot]), %[top]\n\t"                                                               \
	"cmpq $1, 8(%[top])\n\t"                                                                   \
	"je %l[fail]\n\t"                                                                          \
	"movq %[object], 8(%[top])\n\t"                                                            \
	"addq $8, %[top]\n\t"                                                                      \
	"movq %[top], (%[slot])\n"                                                                 \
	"2:\n\t" SW_RSEQ_LEAVE SW_RSEQ_ABORT("again")

#define SW_RSEQ_ASM(f)                                                                             \
	[rs] "r"((f)->rseq_offset), [id] "r"((f)->id_offset), [slots] "rm"((f)->slots),            \
		[shift] "i"(SW_PCPU_SHIFT)

/*
 * Take the top object of this CPU's sheaf; NULL: empty (or no rseq). @index: f's own slot (0), or,
 * where f's slots are everybody's, that of the cache with this tag.
 */
SW_ALWAYS_INLINE void *sw_slot_pop(const struct sw_fast *f, size_t index)
{
	void *object, *slot, *top;

again:
	if (__builtin_constant_p(index) && !index)
		__asm__ __volatile__ goto(SW_POP(SW_RSEQ_ENTER)
					  : [object] "=&r"(object), [slot] "=&r"(slot),
					    [top] "=&r"(top)
					  : SW_RSEQ_ASM(f)
					  : "memory", "cc"
					  : again, fail);
	else
		__asm__ __volatile__ goto(SW_POP(SW_RSEQ_ENTER_AT)
					  : [object] "=&r"(object), [slot] "=&r"(slot),
					    [top] "=&r"(top)
					  : SW_RSEQ_ASM(f), [index] "r"(index)
					  : "memory", "cc"
					  : again, fail);
	if (!object) /* went to fail: spares the caller's test */
		__builtin_unreachable();
	return object;
fail:
	sw_rseq_disarm(f);
	return NULL;
}

/* Put an object on top of this CPU's sheaf; false: full (or no rseq). */
SW_ALWAYS_INLINE bool sw_slot_push(const struct sw_fast *f, size_t index, void *object)
{
	void *slot, *top;

again:
	if (__builtin_constant_p(index) && !index)
		__asm__ __volatile__ goto(SW_PUSH(SW_RSEQ_ENTER)
					  : [slot] "=&r"(slot), [top] "=&r"(top)
					  : SW_RSEQ_ASM(f), [object] "r"(object)
					  : "memory", "cc"
					  : again, fail);
	else
		__asm__ __volatile__ goto(SW_PUSH(SW_RSEQ_ENTER_AT)
					  : [slot] "=&r"(slot), [top] "=&r"(top)
					  : SW_RSEQ_ASM(f), [index] "r"(index), [object] "r"(object)
					  : "memory", "cc"
					  : again, fail);
	return true;
fail:
	sw_rseq_disarm(f);
	return false;
}

/*
 * Slow path: exchange the slot's top for null_top, unless it is drain_top (somebody
 * empties this CPU's slots from afar). The old top; NULL: drained, or no rseq.
 */
SW_ALWAYS_INLINE void *sw_slot_detach(const struct sw_fast *f, void *null_top, void *drain_top)
{
	void *slot, *top;

again:
	__asm__ __volatile__ goto(
		SW_RSEQ_TABLE SW_RSEQ_ENTER
		"movq (%[slot]), %[top]\n\t"
		"cmpq %[drain], %[top]\n\t"
		"je %l[fail]\n\t"
		"movq %[null], (%[slot])\n"
		"2:\n\t" SW_RSEQ_LEAVE SW_RSEQ_ABORT("again")
		: [slot] "=&r"(slot), [top] "=&r"(top)
		: SW_RSEQ_ASM(f), [null] "r"(null_top), [drain] "r"(drain_top)
		: "memory", "cc"
		: again, fail);
	return top;
fail:
	sw_rseq_disarm(f);
	return NULL;
}

/* Slow path: store new_top if the slot still holds null_top. */
SW_ALWAYS_INLINE bool sw_slot_attach(const struct sw_fast *f, void *null_top, void *new_top)
{
	void *slot;

again:
	__asm__ __volatile__ goto(
		SW_RSEQ_TABLE SW_RSEQ_ENTER
		"cmpq %[null], (%[slot])\n\t"
		"jne %l[fail]\n\t"
		"movq %[fresh], (%[slot])\n"
		"2:\n\t" SW_RSEQ_LEAVE SW_RSEQ_ABORT("again")
		: [slot] "=&r"(slot)
		: SW_RSEQ_ASM(f), [null] "r"(null_top), [fresh] "r"(new_top)
		: "memory", "cc"
		: again, fail);
	return true;
fail:
	sw_rseq_disarm(f);
	return false;
}

/* clang-format on */

#elif defined(__aarch64__) && !defined(SW_NO_RSEQ)
#define SW_HAVE_RSEQ 1
#include <slabwork/slab_fast_aarch64.h>
#else
#define SW_HAVE_RSEQ 0
SW_ALWAYS_INLINE void *sw_slot_pop(const struct sw_fast *f, size_t index)
{
	(void)f, (void)index;
	return NULL;
}

SW_ALWAYS_INLINE bool sw_slot_push(const struct sw_fast *f, size_t index, void *object)
{
	(void)f, (void)index, (void)object;
	return false;
}

SW_ALWAYS_INLINE void *sw_slot_detach(const struct sw_fast *f, void *null_top, void *drain_top)
{
	(void)f, (void)null_top, (void)drain_top;
	return NULL;
}

SW_ALWAYS_INLINE bool sw_slot_attach(const struct sw_fast *f, void *null_top, void *new_top)
{
	(void)f, (void)null_top, (void)new_top;
	return false;
}
#endif

/*
 * What the objmap holds for a live object of f's cache: its tag, and one more where it lies at 8 mod
 * 16. The shift that finds the step leaves that bit in the carry.
 */
SW_ALWAYS_INLINE void sw_mark_live(const struct sw_fast *f, const void *object)
{
	uintptr_t step = (uintptr_t)object;
	unsigned int tag = f->tag;

#if defined(__x86_64__)
	__asm__("shrq $4, %0\n\tadcl $0, %1" : "+r"(step), "+r"(tag) : : "cc");
#else
	tag += step >> 3 & 1;
	step >>= 4;
#endif
	f->objmap[step] = (unsigned char)tag;
}

/*
 * The step of an object of f's cache that is to be freed, and in @tag what must stand there. A
 * pointer that cannot be one has a step too large, as above; 8 mod 16 is no offence here.
 */
SW_ALWAYS_INLINE uintptr_t sw_step_to_free(const struct sw_fast *f, const void *object,
					   unsigned char *tag)
{
	uintptr_t step = (uintptr_t)object;
	unsigned int expected = f->tag;

#if defined(__x86_64__)
	__asm__("rorq $4, %0\n\tadcl $0, %1\n\tbtrq $63, %0" : "+r"(step), "+r"(expected) : : "cc");
#else
	expected += step >> 3 & 1;
	step = step >> 4 | (step & 7) << 60;
#endif
	*tag = (unsigned char)expected;
	return step - f->first_step;
}

#endif /* SW_SLAB_FAST_H */
