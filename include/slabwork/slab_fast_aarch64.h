/* SPDX-License-Identifier: MIT */
#ifndef SW_SLAB_FAST_H
#error include <slabwork/slab_fast.h> instead
#endif
#ifndef SW_SLAB_FAST_AARCH64_H
#define SW_SLAB_FAST_AARCH64_H

/**
 * DOC: <slabwork/slab_fast_aarch64.h> - the restartable sequences for aarch64
 *
 * Included by <slabwork/slab_fast.h>, which says what each one does. The thread
 * pointer is TPIDR_EL0; the abort path follows the signature glibc registered.
 */

/* The columns of the assembly stay as they are. */
/* clang-format off */

#define SW_RSEQ_TABLE                                                                              \
	".pushsection __rseq_cs, \"aw?\"\n\t"                                                      \
	".balign 32\n"                                                                             \
	"9:\t.long 0, 0\n\t"                                                                       \
	".quad 1f, 2f - 1f, 4f\n\t"                                                                \
	".popsection\n\t"

/* "3:" is how the sequence leaves: tbnz reaches 32 KiB, less than a large function is long. */
#define SW_RSEQ_ABORT(label)                                                                       \
	"b 5f\n\t"                                                                                 \
	".inst 0xd428bc00\n"                                                                       \
	"4:\tb %l[" label "]\n"                                                                    \
	"3:\tb %l[fail]\n"                                                                         \
	"5:\n\t"

/* Arm, and compute the slot's address in %[slot]; a negative id's slots are null. */
#define SW_RSEQ_ENTER                                                                              \
	"adrp %[slot], 9b\n\t"                                                                     \
	"add %[slot], %[slot], :lo12:9b\n\t"                                                       \
	"str %[slot], [%[rs], #8]\n"                                                               \
	"1:\tldrsw %[slot], [%[id]]\n\t"                                                           \
	"add %[slot], %[slots], %[slot], lsl %[shift]\n\t"

/* lsl in "add (shifted register)" goes to 63, so any SW_PCPU_SHIFT will do. */
#define SW_RSEQ_AREA(f) ((char *)__builtin_thread_pointer() + (f)->rseq_offset)
#define SW_RSEQ_ID(f)   ((char *)__builtin_thread_pointer() + (f)->id_offset)

#if SW_RSEQ_DISARM
#define SW_RSEQ_LEAVE "str xzr, [%[rs], #8]\n\t"
#else
#define SW_RSEQ_LEAVE ""
#endif

SW_ALWAYS_INLINE void sw_rseq_disarm(const struct sw_fast *f)
{
	if (SW_RSEQ_DISARM)
		__asm__ __volatile__("str xzr, [%0, #8]" : : "r"(SW_RSEQ_AREA(f)) : "memory");
}

SW_ALWAYS_INLINE void *sw_slot_pop(const struct sw_fast *f, size_t index)
{
	char *slots = f->slots + 8 * index;
	void *object, *slot, *top;

again:
	__asm__ __volatile__ goto(
		SW_RSEQ_TABLE SW_RSEQ_ENTER
		"ldr %[top], [%[slot]]\n\t"
		"ldr %[object], [%[top]]\n\t"
		"cbz %[object], 3f\n\t"
		"sub %[top], %[top], #8\n\t"
		"str %[top], [%[slot]]\n"
		"2:\n\t" SW_RSEQ_LEAVE SW_RSEQ_ABORT("again")
		: [object] "=&r"(object), [slot] "=&r"(slot), [top] "=&r"(top)
		: [rs] "r"(SW_RSEQ_AREA(f)), [id] "r"(SW_RSEQ_ID(f)), [slots] "r"(slots),
		  [shift] "i"(SW_PCPU_SHIFT)
		: "memory", "cc"
		: again, fail);
	return object;
fail:
	sw_rseq_disarm(f);
	return NULL;
}

SW_ALWAYS_INLINE bool sw_slot_push(const struct sw_fast *f, size_t index, void *object)
{
	char *slots = f->slots + 8 * index;
	void *slot, *top, *mark;

again:
	__asm__ __volatile__ goto(
		SW_RSEQ_TABLE SW_RSEQ_ENTER
		"ldr %[top], [%[slot]]\n\t"
		"ldr %[mark], [%[top], #8]!\n\t"
		"cmp %[mark], #1\n\t"
		"b.eq 3f\n\t"
		"str %[object], [%[top]]\n\t"
		"str %[top], [%[slot]]\n"
		"2:\n\t" SW_RSEQ_LEAVE SW_RSEQ_ABORT("again")
		: [slot] "=&r"(slot), [top] "=&r"(top), [mark] "=&r"(mark)
		: [rs] "r"(SW_RSEQ_AREA(f)), [id] "r"(SW_RSEQ_ID(f)), [slots] "r"(slots),
		  [shift] "i"(SW_PCPU_SHIFT), [object] "r"(object)
		: "memory", "cc"
		: again, fail);
	return true;
fail:
	sw_rseq_disarm(f);
	return false;
}

SW_ALWAYS_INLINE void *sw_slot_detach(const struct sw_fast *f, void *null_top, void *drain_top)
{
	char *slots = f->slots;
	void *slot, *top;

again:
	__asm__ __volatile__ goto(
		SW_RSEQ_TABLE SW_RSEQ_ENTER
		"ldr %[top], [%[slot]]\n\t"
		"cmp %[top], %[drain]\n\t"
		"b.eq 3f\n\t"
		"str %[null], [%[slot]]\n"
		"2:\n\t" SW_RSEQ_LEAVE SW_RSEQ_ABORT("again")
		: [slot] "=&r"(slot), [top] "=&r"(top)
		: [rs] "r"(SW_RSEQ_AREA(f)), [id] "r"(SW_RSEQ_ID(f)), [slots] "r"(slots),
		  [shift] "i"(SW_PCPU_SHIFT), [null] "r"(null_top), [drain] "r"(drain_top)
		: "memory", "cc"
		: again, fail);
	return top;
fail:
	sw_rseq_disarm(f);
	return NULL;
}

SW_ALWAYS_INLINE bool sw_slot_attach(const struct sw_fast *f, void *null_top, void *new_top)
{
	char *slots = f->slots;
	void *slot, *top;

again:
	__asm__ __volatile__ goto(
		SW_RSEQ_TABLE SW_RSEQ_ENTER
		"ldr %[top], [%[slot]]\n\t"
		"cmp %[top], %[null]\n\t"
		"b.ne 3f\n\t"
		"str %[fresh], [%[slot]]\n"
		"2:\n\t" SW_RSEQ_LEAVE SW_RSEQ_ABORT("again")
		: [slot] "=&r"(slot), [top] "=&r"(top)
		: [rs] "r"(SW_RSEQ_AREA(f)), [id] "r"(SW_RSEQ_ID(f)), [slots] "r"(slots),
		  [shift] "i"(SW_PCPU_SHIFT), [null] "r"(null_top), [fresh] "r"(new_top)
		: "memory", "cc"
		: again, fail);
	return true;
fail:
	sw_rseq_disarm(f);
	return false;
}

/* clang-format on */

#endif /* SW_SLAB_FAST_AARCH64_H */
