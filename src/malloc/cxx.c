/* SPDX-License-Identifier: MIT */
/*
 * cxx.c - operator new and delete, without the C++ runtime
 *
 * Room: malloc. The twenty names of C++17, by their mangled linker names, so that
 * new costs what malloc costs and no C program has to load libstdc++ for us.
 *
 * What only the runtime can do (the new-handler, throwing std::bad_alloc) is asked
 * of whichever runtime the process has: by weak reference if it was there at
 * start, else by looking into the libraries that are loaded by now, libstdc++
 * or libc++. A program that calls the throwing new has one. If none is found there
 * is nobody to throw: the report says so and the process stops.
 *
 * Exceptions pass through new_throwing() by its unwind table; nothing here has to
 * be cleaned up. delete of a size ignores the size: deleting through a base class
 * without a virtual destructor passes a wrong one in too many programs that work.
 */

#include "malloc/fast.h"

#include <dlfcn.h>
#include <errno.h>

typedef void (*new_handler)(void);

struct nothrow;

/* clang-format off */
new_handler cxx_get_new_handler(void) __asm__("_ZSt15get_new_handlerv") __attribute__((weak));
void cxx_throw_bad_alloc(void) __asm__("_ZSt17__throw_bad_allocv") __attribute__((weak));
void libcxx_throw_bad_alloc(void) __asm__("_ZNSt3__117__throw_bad_allocEv") __attribute__((weak));
/* clang-format on */

/* A static program has no loaded libraries to look into, and no need of these. */
#pragma weak dlopen
#pragma weak dlsym
#pragma weak dlclose

static void *runtime_symbol(const char *name)
{
	static const char *const runtimes[] = { "libstdc++.so.6", "libc++.so.1", "libc++abi.so.1" };

	if (!dlopen || !dlsym || !dlclose)
		return NULL;
	for (size_t i = 0; i < sizeof(runtimes) / sizeof(*runtimes); i++) {
		void *lib = dlopen(runtimes[i], RTLD_LAZY | RTLD_NOLOAD);
		void *symbol = lib ? dlsym(lib, name) : NULL;

		if (lib)
			dlclose(lib); /* it was loaded before us and stays */
		if (symbol)
			return symbol;
	}
	return NULL;
}

static new_handler current_handler(void)
{
	new_handler (*get)(void) = cxx_get_new_handler;

	if (!get)
		get = (new_handler(*)(void))runtime_symbol("_ZSt15get_new_handlerv");
	return get ? get() : NULL;
}

static __attribute__((noreturn, noinline)) void throw_bad_alloc(size_t n)
{
	void (*throw)(void) = cxx_throw_bad_alloc ? cxx_throw_bad_alloc : libcxx_throw_bad_alloc;

	if (!throw)
		throw = (void (*)(void))runtime_symbol("_ZSt17__throw_bad_allocv");
	if (!throw)
		throw = (void (*)(void))runtime_symbol("_ZNSt3__117__throw_bad_allocEv");
	if (throw)
		throw();
	misuse_text(
		"slabwork: operator new(): no memory for %zu bytes, and no C++ runtime to throw "
		"std::bad_alloc",
		n);
}

/* The standard's loop: try, else let the new-handler make room, until there is none. */
static __attribute__((noinline)) void *new_throwing(size_t align, size_t n)
{
	if (align & (align - 1))
		throw_bad_alloc(n);
	for (;;) {
		void *p = malloc_aligned(align, n);
		new_handler handler;

		if (likely(p))
			return p;
		handler = current_handler();
		if (!handler)
			throw_bad_alloc(n);
		handler();
	}
}

/*
 * The nothrow forms: a handler may throw, which C cannot catch; so they try once
 * and give NULL. Differs from the standard only for programs that have a
 * new-handler and use the nothrow form.
 */
static void *new_nothrow(size_t align, size_t n)
{
	return align & (align - 1) ? NULL : malloc_aligned(align, n);
}

SW_ALWAYS_INLINE void *new_fast(size_t n)
{
	void *p;

	if (unlikely(n > MALLOC_CACHE_MAX))
		return new_throwing(0, n);
	p = malloc_fast_path(n);
	return likely(p) ? p : new_throwing(0, n);
}

#define CXX(mangled) __asm__(mangled) MALLOC_ENTRY

/* The parameter types are C++'s: size_t, align_val_t (a size_t), nothrow_t const &. */
/* clang-format off */
void *new_one(size_t n)						CXX("_Znwm");
void *new_array(size_t n)					CXX("_Znam");
void *new_one_nt(size_t n, const struct nothrow *t)		CXX("_ZnwmRKSt9nothrow_t");
void *new_array_nt(size_t n, const struct nothrow *t)		CXX("_ZnamRKSt9nothrow_t");
void *new_one_al(size_t n, size_t al)				CXX("_ZnwmSt11align_val_t");
void *new_array_al(size_t n, size_t al)				CXX("_ZnamSt11align_val_t");
void *new_one_al_nt(size_t n, size_t al, const struct nothrow *t)
								CXX("_ZnwmSt11align_val_tRKSt9nothrow_t");
void *new_array_al_nt(size_t n, size_t al, const struct nothrow *t)
								CXX("_ZnamSt11align_val_tRKSt9nothrow_t");
void del_one(void *p)						CXX("_ZdlPv");
void del_array(void *p)						CXX("_ZdaPv");
void del_one_nt(void *p, const struct nothrow *t)		CXX("_ZdlPvRKSt9nothrow_t");
void del_array_nt(void *p, const struct nothrow *t)		CXX("_ZdaPvRKSt9nothrow_t");
void del_one_sz(void *p, size_t n)				CXX("_ZdlPvm");
void del_array_sz(void *p, size_t n)				CXX("_ZdaPvm");
void del_one_al(void *p, size_t al)				CXX("_ZdlPvSt11align_val_t");
void del_array_al(void *p, size_t al)				CXX("_ZdaPvSt11align_val_t");
void del_one_sz_al(void *p, size_t n, size_t al)		CXX("_ZdlPvmSt11align_val_t");
void del_array_sz_al(void *p, size_t n, size_t al)		CXX("_ZdaPvmSt11align_val_t");
void del_one_al_nt(void *p, size_t al, const struct nothrow *t)	CXX("_ZdlPvSt11align_val_tRKSt9nothrow_t");
void del_array_al_nt(void *p, size_t al, const struct nothrow *t) CXX("_ZdaPvSt11align_val_tRKSt9nothrow_t");
/* clang-format on */

#define UNUSED __attribute__((unused))

void *new_one(size_t n)
{
	return new_fast(n);
}

void *new_array(size_t n)
{
	return new_fast(n);
}

void *new_one_nt(size_t n, const struct nothrow *t UNUSED)
{
	return malloc_fast_path(n);
}

void *new_array_nt(size_t n, const struct nothrow *t UNUSED)
{
	return malloc_fast_path(n);
}

void *new_one_al(size_t n, size_t al)
{
	return new_throwing(al, n);
}

void *new_array_al(size_t n, size_t al)
{
	return new_throwing(al, n);
}

void *new_one_al_nt(size_t n, size_t al, const struct nothrow *t UNUSED)
{
	return new_nothrow(al, n);
}

void *new_array_al_nt(size_t n, size_t al, const struct nothrow *t UNUSED)
{
	return new_nothrow(al, n);
}

void del_one(void *p)
{
	free_fast_path(p, "operator delete()");
}

void del_array(void *p)
{
	free_fast_path(p, "operator delete[]()");
}

void del_one_nt(void *p, const struct nothrow *t UNUSED)
{
	free_fast_path(p, "operator delete()");
}

void del_array_nt(void *p, const struct nothrow *t UNUSED)
{
	free_fast_path(p, "operator delete[]()");
}

void del_one_sz(void *p, size_t n UNUSED)
{
	free_fast_path(p, "operator delete()");
}

void del_array_sz(void *p, size_t n UNUSED)
{
	free_fast_path(p, "operator delete[]()");
}

void del_one_al(void *p, size_t al UNUSED)
{
	free_fast_path(p, "operator delete()");
}

void del_array_al(void *p, size_t al UNUSED)
{
	free_fast_path(p, "operator delete[]()");
}

void del_one_sz_al(void *p, size_t n UNUSED, size_t al UNUSED)
{
	free_fast_path(p, "operator delete()");
}

void del_array_sz_al(void *p, size_t n UNUSED, size_t al UNUSED)
{
	free_fast_path(p, "operator delete[]()");
}

void del_one_al_nt(void *p, size_t al UNUSED, const struct nothrow *t UNUSED)
{
	free_fast_path(p, "operator delete()");
}

void del_array_al_nt(void *p, size_t al UNUSED, const struct nothrow *t UNUSED)
{
	free_fast_path(p, "operator delete[]()");
}
