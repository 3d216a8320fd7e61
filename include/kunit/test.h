/* SPDX-License-Identifier: MIT */
#ifndef SW_KUNIT_TEST_H
#define SW_KUNIT_TEST_H

/**
 * DOC: <kunit/test.h> - the kernel's unit-test words, in a process
 *
 * Suites and cases are written as for the kernel and linked with
 * -lslabwork-kunit, which brings main(). Each case runs in a process of its
 * own, so a case may crash, leak or break the heap. Two forms:
 *
 *	static struct kunit_case cases[] = {
 *		KUNIT_CASE(list_add_puts_first),
 *		KUNIT_CASE_SIGNAL(deref_null_dies, SIGSEGV),
 *		KUNIT_CASE_SIGNAL(bug_says_where, SIGABRT, "kernel BUG at a.c:3!"),
 *		KUNIT_CASE_ABORTS(double_free_is_named, "slabwork: double free"),
 *		KUNIT_CASE_TIMEOUT(long_walk, 300),
 *		{}
 *	};
 *	static struct kunit_suite suite = { .name = "list", .init = ..., .test_cases = cases };
 *	kunit_test_suite(suite);
 *
 * and, ours, without a table to keep (the suite is named after the file):
 *
 *	KUNIT_TEST(kfree_null_is_a_no_op) { kfree(NULL); KUNIT_SUCCEED(test); }
 *	KUNIT_TEST(long_walk, .timeout_s = 300) { ... }
 *	KUNIT_TEST(double_free_is_named, .signal = SIGABRT,
 *		   .first_line_starts = "slabwork: double free") { ... }
 *
 * EXPECT notes a failure and goes on; ASSERT ends the case (its exit() still
 * runs). Each has an _MSG form: a printf text after the arguments. Those are evaluated once, and compared by
 * C's rules, as in the kernel. EXPECT may be used in any thread; ASSERT in
 * another thread than the case's ends the process of the case.
 *
 * Differs: suite_init runs once a case (each has its own process); no
 * kunit_kmalloc() and no static stubs. KUNIT_CASE_SLOW is KUNIT_CASE with 300 s.
 */

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct kunit {
	const char *name;
	void *priv;              /* the case's, from init() */
	const void *param_value; /* KUNIT_CASE_PARAM */
	char status_comment[256];
};

struct kunit_case {
	void (*run_case)(struct kunit *test);
	const char *name;
	const void *(*generate_params)(const void *prev, char *desc);
	int signal;                    /* the case must die of this */
	const char *first_line;        /* ... and this is the first line on its stderr */
	const char *first_line_starts; /* ... or this is how it starts */
	unsigned int timeout_s;        /* 0: KUNIT_TIMEOUT_S */
};

struct kunit_suite {
	const char name[256];
	int (*suite_init)(struct kunit_suite *suite);
	void (*suite_exit)(struct kunit_suite *suite);
	int (*init)(struct kunit *test);
	void (*exit)(struct kunit *test);
	struct kunit_case *test_cases; /* ends with {} */
};

#define KUNIT_TIMEOUT_S       60
#define KUNIT_PARAM_DESC_SIZE 128

/* clang-format would take the braces of an initialiser for a block. */
/* clang-format off */
#define KUNIT_CASE(fn)            { .run_case = fn, .name = #fn }
#define KUNIT_CASE_SLOW(fn)       { .run_case = fn, .name = #fn, .timeout_s = 300 }
#define KUNIT_CASE_TIMEOUT(fn, s) { .run_case = fn, .name = #fn, .timeout_s = (s) }
#define KUNIT_CASE_PARAM(fn, gen) { .run_case = fn, .name = #fn, .generate_params = gen }
/* The case must die of @sig; a third argument is the exact first line on stderr. */
#define KUNIT_CASE_SIGNAL(fn, sig, ...) \
	{ .run_case = fn, .name = #fn, .signal = (sig), .first_line = "" __VA_ARGS__ }
#define KUNIT_CASE_ABORTS(fn, prefix) \
	{ .run_case = fn, .name = #fn, .signal = SIGABRT, .first_line_starts = prefix }
/* clang-format on */

#define KUNIT_ARRAY_PARAM(id, array, get_desc)                                                \
	static const void *id##_gen_params(const void *prev, char *desc)                      \
	{                                                                                     \
		typeof((array)[0]) const *next = prev ? (typeof(next))prev + 1 : &(array)[0]; \
		void (*describe)(typeof((array)[0]) const *, char *) = get_desc;              \
		if (next >= (array) + sizeof(array) / sizeof((array)[0]))                     \
			return NULL;                                                          \
		if (describe)                                                                 \
			describe(next, desc);                                                 \
		return next;                                                                  \
	}

/* --- registration: a record in a linker section, found by the runner ------- */

struct kunit_record {
	const char *file;
	int line;
	struct kunit_suite *const *suites; /* either these, */
	size_t nr_suites;
	const struct kunit_case *single; /* or this case */
};

#define __KUNIT_JOIN2(a, b) a##b
#define __KUNIT_JOIN(a, b)  __KUNIT_JOIN2(a, b)
#define __KUNIT_REGISTER(id, ...)                                                           \
	static const struct kunit_record __KUNIT_JOIN(id, __record) = { __FILE__, __LINE__, \
									__VA_ARGS__ };      \
	static const struct kunit_record *const __KUNIT_JOIN(id, __entry)                   \
		__attribute__((section("kunit_records"), used)) = &__KUNIT_JOIN(id, __record)

#define kunit_test_suites(...)                                                       \
	static struct kunit_suite *const __KUNIT_JOIN(kunit_suites_,                 \
						      __LINE__)[] = { __VA_ARGS__ }; \
	__KUNIT_REGISTER(__KUNIT_JOIN(kunit_reg_, __LINE__),                         \
			 __KUNIT_JOIN(kunit_suites_, __LINE__),                      \
			 sizeof(__KUNIT_JOIN(kunit_suites_, __LINE__)) / sizeof(void *), NULL)
#define kunit_test_suite(suite) kunit_test_suites(&suite)

#define KUNIT_TEST(fn, ...)                                                                       \
	static void fn(struct kunit *test);                                                       \
	static const struct kunit_case fn##__case = { .run_case = fn, .name = #fn, __VA_ARGS__ }; \
	__KUNIT_REGISTER(fn, NULL, 0, &fn##__case);                                               \
	static void fn(struct kunit *test __attribute__((unused)))

/* --- calls ----------------------------------------------------------------- */

/* The case's random seed: printed at the start, set by --seed, its own for each case. */
uint64_t kunit_seed(const struct kunit *test);
/* Run @action(@ctx) when the case ends, last added first. 0, or -ENOMEM past 64. */
int kunit_add_action(struct kunit *test, void (*action)(void *ctx), void *ctx);
/* A "# " line in the output; a newline is added. Never allocates. */
void kunit_log_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void kunit_mark_skipped(struct kunit *test, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void kunit_abort(struct kunit *test) __attribute__((noreturn));
int kunit_main(int argc, char **argv);

/* What the macros below call when an expectation does not hold. */
void kunit_fail_text(const char *where, const char *what, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void kunit_fail_compare(const char *where, const char *what, const char *left, long long lval,
			const char *right, long long rval);
void kunit_fail_str(const char *where, const char *what, const char *lval, const char *rval);
void kunit_fail_mem(const char *where, const char *what, const void *lval, const void *rval,
		    size_t size);

#define kunit_log(level, test, ...) ((void)(test), kunit_log_line(__VA_ARGS__))
#define kunit_info(test, ...)       kunit_log(6, test, __VA_ARGS__)
#define kunit_warn(test, ...)       kunit_log(4, test, __VA_ARGS__)
#define kunit_err(test, ...)        kunit_log(3, test, __VA_ARGS__)
#define kunit_skip(test, ...)                          \
	do {                                           \
		kunit_mark_skipped(test, __VA_ARGS__); \
		kunit_abort(test);                     \
	} while (0)

#define __KUNIT_STR2(x)       #x
#define __KUNIT_STR(x)        __KUNIT_STR2(x)
#define __KUNIT_WHERE         __FILE__ ":" __KUNIT_STR(__LINE__)
#define __kunit_goes_on(test) ((void)(test))

/*
 * Mixed signs compare as C compares them; users of -Wsign-compare need not hear
 * of it. clang-format does not know _Pragma.
 */
/* clang-format off */
#define __KUNIT_COMPARE(test, then, l, op, r, ...)                                      \
	do {                                                                            \
		_Pragma("GCC diagnostic push")                                          \
		_Pragma("GCC diagnostic ignored \"-Wsign-compare\"")                    \
		__auto_type kunit_l = (l);                                              \
		__auto_type kunit_r = (r);                                              \
		if (__builtin_expect(!(kunit_l op kunit_r), 0)) {                       \
			kunit_fail_compare(__KUNIT_WHERE, #l " " #op " " #r, #l,        \
					   (long long)kunit_l, #r, (long long)kunit_r); \
			__VA_OPT__(kunit_log_line(__VA_ARGS__);)                        \
			then(test);                                                     \
		}                                                                       \
		_Pragma("GCC diagnostic pop")                                           \
	} while (0)
/* clang-format on */

#define __KUNIT_HOLDS(test, then, cond, what, ...)                 \
	do {                                                       \
		if (__builtin_expect(!(cond), 0)) {                \
			kunit_fail_text(__KUNIT_WHERE, what, " "); \
			__VA_OPT__(kunit_log_line(__VA_ARGS__);)   \
			then(test);                                \
		}                                                  \
	} while (0)

#define __KUNIT_STRINGS(test, then, l, want_equal, r, ...)                         \
	do {                                                                       \
		const char *kunit_l = (l);                                         \
		const char *kunit_r = (r);                                         \
		bool kunit_eq = kunit_l && kunit_r && !strcmp(kunit_l, kunit_r);   \
		if (__builtin_expect(kunit_eq != (want_equal), 0)) {               \
			kunit_fail_str(__KUNIT_WHERE,                              \
				       (want_equal) ? #l " is the string " #r :    \
						      #l " is not the string " #r, \
				       kunit_l, kunit_r);                          \
			__VA_OPT__(kunit_log_line(__VA_ARGS__);)                   \
			then(test);                                                \
		}                                                                  \
	} while (0)

#define __KUNIT_BYTES(test, then, l, want_equal, r, size, ...)                            \
	do {                                                                              \
		const void *kunit_l = (l);                                                \
		const void *kunit_r = (r);                                                \
		size_t kunit_n = (size);                                                  \
		bool kunit_eq = kunit_l && kunit_r && !memcmp(kunit_l, kunit_r, kunit_n); \
		if (__builtin_expect(kunit_eq != (want_equal), 0)) {                      \
			kunit_fail_mem(__KUNIT_WHERE,                                     \
				       (want_equal) ? #l " has the bytes of " #r :        \
						      #l " differs from " #r,             \
				       kunit_l, kunit_r, kunit_n);                        \
			__VA_OPT__(kunit_log_line(__VA_ARGS__);)                          \
			then(test);                                                       \
		}                                                                         \
	} while (0)

static inline bool kunit_is_err_or_null(const void *ptr)
{
	return !ptr || (uintptr_t)ptr >= (uintptr_t)-4095; /* MAX_ERRNO */
}

#define KUNIT_SUCCEED(test) ((void)(test))
#define KUNIT_FAIL(test, ...)                                                            \
	do {                                                                             \
		__kunit_goes_on(test);                                                   \
		kunit_fail_text(__KUNIT_WHERE, "this line is not reached", __VA_ARGS__); \
	} while (0)
#define KUNIT_FAIL_AND_ABORT(test, ...)                                                  \
	do {                                                                             \
		kunit_fail_text(__KUNIT_WHERE, "this line is not reached", __VA_ARGS__); \
		kunit_abort(test);                                                       \
	} while (0)

/*
 * Each takes an optional printf text after its arguments, which is the kernel's _MSG form.
 */
#define KUNIT_EXPECT_EQ(test, l, r, ...) \
	__KUNIT_COMPARE(test, __kunit_goes_on, l, ==, r, __VA_ARGS__)
#define KUNIT_EXPECT_NE(test, l, r, ...) \
	__KUNIT_COMPARE(test, __kunit_goes_on, l, !=, r, __VA_ARGS__)
#define KUNIT_EXPECT_LT(test, l, r, ...) \
	__KUNIT_COMPARE(test, __kunit_goes_on, l, <, r, __VA_ARGS__)
#define KUNIT_EXPECT_LE(test, l, r, ...) \
	__KUNIT_COMPARE(test, __kunit_goes_on, l, <=, r, __VA_ARGS__)
#define KUNIT_EXPECT_GT(test, l, r, ...) \
	__KUNIT_COMPARE(test, __kunit_goes_on, l, >, r, __VA_ARGS__)
#define KUNIT_EXPECT_GE(test, l, r, ...) \
	__KUNIT_COMPARE(test, __kunit_goes_on, l, >=, r, __VA_ARGS__)
#define KUNIT_EXPECT_PTR_EQ(test, l, r, ...)                                             \
	__KUNIT_COMPARE(test, __kunit_goes_on, (const void *)(l), ==, (const void *)(r), \
			__VA_ARGS__)
#define KUNIT_EXPECT_PTR_NE(test, l, r, ...)                                             \
	__KUNIT_COMPARE(test, __kunit_goes_on, (const void *)(l), !=, (const void *)(r), \
			__VA_ARGS__)
#define KUNIT_EXPECT_NULL(test, ptr, ...) \
	__KUNIT_COMPARE(test, __kunit_goes_on, (const void *)(ptr), ==, NULL, __VA_ARGS__)
#define KUNIT_EXPECT_TRUE(test, cond, ...) \
	__KUNIT_HOLDS(test, __kunit_goes_on, cond, #cond " is true", __VA_ARGS__)
#define KUNIT_EXPECT_FALSE(test, cond, ...) \
	__KUNIT_HOLDS(test, __kunit_goes_on, !(cond), #cond " is false", __VA_ARGS__)
#define KUNIT_EXPECT_NOT_NULL(test, ptr, ...) \
	__KUNIT_HOLDS(test, __kunit_goes_on, (ptr) != NULL, #ptr " is not NULL", __VA_ARGS__)
#define KUNIT_EXPECT_NOT_ERR_OR_NULL(test, ptr, ...)                                           \
	__KUNIT_HOLDS(test, __kunit_goes_on, !kunit_is_err_or_null(ptr), #ptr " is a pointer", \
		      __VA_ARGS__)
#define KUNIT_EXPECT_STREQ(test, l, r, ...) \
	__KUNIT_STRINGS(test, __kunit_goes_on, l, true, r, __VA_ARGS__)
#define KUNIT_EXPECT_STRNEQ(test, l, r, ...) \
	__KUNIT_STRINGS(test, __kunit_goes_on, l, false, r, __VA_ARGS__)
#define KUNIT_EXPECT_MEMEQ(test, l, r, size, ...) \
	__KUNIT_BYTES(test, __kunit_goes_on, l, true, r, size, __VA_ARGS__)
#define KUNIT_EXPECT_MEMNEQ(test, l, r, size, ...) \
	__KUNIT_BYTES(test, __kunit_goes_on, l, false, r, size, __VA_ARGS__)

#define KUNIT_ASSERT_EQ(test, l, r, ...) __KUNIT_COMPARE(test, kunit_abort, l, ==, r, __VA_ARGS__)
#define KUNIT_ASSERT_NE(test, l, r, ...) __KUNIT_COMPARE(test, kunit_abort, l, !=, r, __VA_ARGS__)
#define KUNIT_ASSERT_LT(test, l, r, ...) __KUNIT_COMPARE(test, kunit_abort, l, <, r, __VA_ARGS__)
#define KUNIT_ASSERT_LE(test, l, r, ...) __KUNIT_COMPARE(test, kunit_abort, l, <=, r, __VA_ARGS__)
#define KUNIT_ASSERT_GT(test, l, r, ...) __KUNIT_COMPARE(test, kunit_abort, l, >, r, __VA_ARGS__)
#define KUNIT_ASSERT_GE(test, l, r, ...) __KUNIT_COMPARE(test, kunit_abort, l, >=, r, __VA_ARGS__)
#define KUNIT_ASSERT_PTR_EQ(test, l, r, ...) \
	__KUNIT_COMPARE(test, kunit_abort, (const void *)(l), ==, (const void *)(r), __VA_ARGS__)
#define KUNIT_ASSERT_PTR_NE(test, l, r, ...) \
	__KUNIT_COMPARE(test, kunit_abort, (const void *)(l), !=, (const void *)(r), __VA_ARGS__)
#define KUNIT_ASSERT_NULL(test, ptr, ...) \
	__KUNIT_COMPARE(test, kunit_abort, (const void *)(ptr), ==, NULL, __VA_ARGS__)
#define KUNIT_ASSERT_TRUE(test, cond, ...) \
	__KUNIT_HOLDS(test, kunit_abort, cond, #cond " is true", __VA_ARGS__)
#define KUNIT_ASSERT_FALSE(test, cond, ...) \
	__KUNIT_HOLDS(test, kunit_abort, !(cond), #cond " is false", __VA_ARGS__)
#define KUNIT_ASSERT_NOT_NULL(test, ptr, ...) \
	__KUNIT_HOLDS(test, kunit_abort, (ptr) != NULL, #ptr " is not NULL", __VA_ARGS__)
#define KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ptr, ...)                                       \
	__KUNIT_HOLDS(test, kunit_abort, !kunit_is_err_or_null(ptr), #ptr " is a pointer", \
		      __VA_ARGS__)
#define KUNIT_ASSERT_STREQ(test, l, r, ...) \
	__KUNIT_STRINGS(test, kunit_abort, l, true, r, __VA_ARGS__)
#define KUNIT_ASSERT_STRNEQ(test, l, r, ...) \
	__KUNIT_STRINGS(test, kunit_abort, l, false, r, __VA_ARGS__)
#define KUNIT_ASSERT_MEMEQ(test, l, r, size, ...) \
	__KUNIT_BYTES(test, kunit_abort, l, true, r, size, __VA_ARGS__)
#define KUNIT_ASSERT_MEMNEQ(test, l, r, size, ...) \
	__KUNIT_BYTES(test, kunit_abort, l, false, r, size, __VA_ARGS__)

#define KUNIT_EXPECT_EQ_MSG              KUNIT_EXPECT_EQ
#define KUNIT_EXPECT_NE_MSG              KUNIT_EXPECT_NE
#define KUNIT_EXPECT_LT_MSG              KUNIT_EXPECT_LT
#define KUNIT_EXPECT_LE_MSG              KUNIT_EXPECT_LE
#define KUNIT_EXPECT_GT_MSG              KUNIT_EXPECT_GT
#define KUNIT_EXPECT_GE_MSG              KUNIT_EXPECT_GE
#define KUNIT_EXPECT_PTR_EQ_MSG          KUNIT_EXPECT_PTR_EQ
#define KUNIT_EXPECT_PTR_NE_MSG          KUNIT_EXPECT_PTR_NE
#define KUNIT_EXPECT_NULL_MSG            KUNIT_EXPECT_NULL
#define KUNIT_EXPECT_TRUE_MSG            KUNIT_EXPECT_TRUE
#define KUNIT_EXPECT_FALSE_MSG           KUNIT_EXPECT_FALSE
#define KUNIT_EXPECT_NOT_NULL_MSG        KUNIT_EXPECT_NOT_NULL
#define KUNIT_EXPECT_NOT_ERR_OR_NULL_MSG KUNIT_EXPECT_NOT_ERR_OR_NULL
#define KUNIT_EXPECT_STREQ_MSG           KUNIT_EXPECT_STREQ
#define KUNIT_EXPECT_STRNEQ_MSG          KUNIT_EXPECT_STRNEQ
#define KUNIT_EXPECT_MEMEQ_MSG           KUNIT_EXPECT_MEMEQ
#define KUNIT_EXPECT_MEMNEQ_MSG          KUNIT_EXPECT_MEMNEQ

#define KUNIT_ASSERT_EQ_MSG              KUNIT_ASSERT_EQ
#define KUNIT_ASSERT_NE_MSG              KUNIT_ASSERT_NE
#define KUNIT_ASSERT_LT_MSG              KUNIT_ASSERT_LT
#define KUNIT_ASSERT_LE_MSG              KUNIT_ASSERT_LE
#define KUNIT_ASSERT_GT_MSG              KUNIT_ASSERT_GT
#define KUNIT_ASSERT_GE_MSG              KUNIT_ASSERT_GE
#define KUNIT_ASSERT_PTR_EQ_MSG          KUNIT_ASSERT_PTR_EQ
#define KUNIT_ASSERT_PTR_NE_MSG          KUNIT_ASSERT_PTR_NE
#define KUNIT_ASSERT_NULL_MSG            KUNIT_ASSERT_NULL
#define KUNIT_ASSERT_TRUE_MSG            KUNIT_ASSERT_TRUE
#define KUNIT_ASSERT_FALSE_MSG           KUNIT_ASSERT_FALSE
#define KUNIT_ASSERT_NOT_NULL_MSG        KUNIT_ASSERT_NOT_NULL
#define KUNIT_ASSERT_NOT_ERR_OR_NULL_MSG KUNIT_ASSERT_NOT_ERR_OR_NULL
#define KUNIT_ASSERT_STREQ_MSG           KUNIT_ASSERT_STREQ
#define KUNIT_ASSERT_STRNEQ_MSG          KUNIT_ASSERT_STRNEQ
#define KUNIT_ASSERT_MEMEQ_MSG           KUNIT_ASSERT_MEMEQ
#define KUNIT_ASSERT_MEMNEQ_MSG          KUNIT_ASSERT_MEMNEQ

#endif /* SW_KUNIT_TEST_H */
