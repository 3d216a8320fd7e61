/* SPDX-License-Identifier: MIT */
#ifndef SW_EXPORT_H
#define SW_EXPORT_H

/**
 * DOC: <slabwork/export.h> - how a public name leaves the library
 *
 * Sources say kmalloc(); the linker sees sw_kmalloc. The prefix is put on by an
 * asm label in the prototype, so no process ever gets a clash with another
 * library that also has a kmalloc. Names that are ours begin with sw_ already.
 */

#ifdef __cplusplus
#define SW_BEGIN_DECLS extern "C" {
#define SW_END_DECLS   }
#else
#define SW_BEGIN_DECLS
#define SW_END_DECLS
#endif

/* A function or object of the public interface. */
#define SW_API __attribute__((visibility("default")))

/* The linker name of a kernel-named symbol: SW_API int f(void) SW_NAME(f); */
#define SW_NAME(name) __asm__("sw_" #name)

#ifndef __must_check
#define __must_check __attribute__((warn_unused_result))
#endif
#ifndef __printf
#define __printf(fmt, first) __attribute__((format(printf, fmt, first)))
#endif
#define SW_MALLOC          __attribute__((malloc))
#define SW_ALLOC_SIZE(...) __attribute__((alloc_size(__VA_ARGS__)))
#define SW_ALWAYS_INLINE   static inline __attribute__((always_inline))

#ifndef likely
#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#endif

#endif /* SW_EXPORT_H */
