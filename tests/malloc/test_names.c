/* SPDX-License-Identifier: MIT */
/*
 * test_names.c - the names are all ours, and the statistics calls tell the truth
 *
 * The numbers in brackets are the rows of the edge-case table.
 */

#include "edge.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/auxv.h>

#define MIB (1UL << 20)

static const char *const names[] = {
	"malloc",
	"calloc",
	"realloc",
	"reallocarray",
	"free",
	"cfree",
	"free_sized",
	"free_aligned_sized",
	"aligned_alloc",
	"posix_memalign",
	"memalign",
	"valloc",
	"pvalloc",
	"malloc_usable_size",
	"malloc_trim",
	"malloc_stats",
	"malloc_info",
	"mallinfo",
	"mallinfo2",
	"mallopt",
	"_Znwm",
	"_Znam",
	"_ZnwmRKSt9nothrow_t",
	"_ZnamRKSt9nothrow_t",
	"_ZnwmSt11align_val_t",
	"_ZnamSt11align_val_t",
	"_ZnwmSt11align_val_tRKSt9nothrow_t",
	"_ZnamSt11align_val_tRKSt9nothrow_t",
	"_ZdlPv",
	"_ZdaPv",
	"_ZdlPvRKSt9nothrow_t",
	"_ZdaPvRKSt9nothrow_t",
	"_ZdlPvm",
	"_ZdaPvm",
	"_ZdlPvSt11align_val_t",
	"_ZdaPvSt11align_val_t",
	"_ZdlPvmSt11align_val_t",
	"_ZdaPvmSt11align_val_t",
	"_ZdlPvSt11align_val_tRKSt9nothrow_t",
	"_ZdaPvSt11align_val_tRKSt9nothrow_t",
};

KUNIT_TEST(all_names_come_from_one_library) /* 64 */
{
	Dl_info first = { 0 }, own = { 0 };

	if (!getauxval(AT_BASE))
		kunit_skip(test, "a static program has no table of names");
	if (dladdr(dlsym(RTLD_DEFAULT, "malloc"), &first) && dladdr(names, &own) &&
	    first.dli_fbase == own.dli_fbase)
		kunit_skip(test, "linked in: the program shows only the names that others ask for");
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		void *symbol = dlsym(RTLD_DEFAULT, names[i]);
		Dl_info info = { 0 };

		KUNIT_EXPECT_NOT_NULL_MSG(test, symbol, "%s", names[i]);
		if (!symbol)
			continue;
		KUNIT_ASSERT_NE(test, dladdr(symbol, &info), 0);
		KUNIT_EXPECT_PTR_EQ_MSG(test, info.dli_fbase, first.dli_fbase, "%s is in %s",
					names[i], info.dli_fname);
	}
}

KUNIT_TEST(mallinfo2_knows_what_is_live) /* 66 */
{
	static void *p[50 * 1024];
	struct mallinfo2 before = mallinfo2(), full, after;
	size_t grown;

	for (size_t i = 0; i < 50 * 1024; i++) {
		p[i] = malloc(1024);
		KUNIT_ASSERT_NOT_NULL(test, p[i]);
	}
	full = mallinfo2();
	grown = full.uordblks + full.hblkhd - before.uordblks - before.hblkhd;
	KUNIT_EXPECT_GE(test, grown, 50 * MIB);
	KUNIT_EXPECT_LT(test, grown, 52 * MIB);
	KUNIT_EXPECT_EQ(test, full.arena, full.uordblks + full.fordblks);
	for (size_t i = 0; i < 50 * 1024; i++)
		free(p[i]);
	after = mallinfo2();
	KUNIT_EXPECT_LT(test, after.uordblks, before.uordblks + MIB);
}

KUNIT_TEST(mallinfo2_counts_blocks_and_areas) /* 66 */
{
	struct mallinfo2 before = mallinfo2(), full;
	void *block = malloc(3 * MIB), *area = malloc(30 * MIB);

	full = mallinfo2();
	KUNIT_EXPECT_GE(test, full.uordblks - before.uordblks, 3 * MIB);
	KUNIT_EXPECT_GE(test, full.hblkhd - before.hblkhd, 30 * MIB);
	KUNIT_EXPECT_EQ(test, full.hblks - before.hblks, 1);
	free(block);
	free(area);
}

KUNIT_TEST(malloc_trim_gives_memory_back)
{
	static void *p[100 * 1024];
	size_t full;

	for (size_t i = 0; i < 100 * 1024; i++) {
		p[i] = malloc(500);
		KUNIT_ASSERT_NOT_NULL(test, p[i]);
		memset(p[i], 1, 500);
	}
	full = resident();
	for (size_t i = 0; i < 100 * 1024; i++)
		free(p[i]);
	KUNIT_EXPECT_EQ(test, malloc_trim(0), 1);
	KUNIT_EXPECT_LT(test, resident(), full - 40 * MIB);
	KUNIT_EXPECT_EQ(test, malloc_trim(0), 0);
}

KUNIT_TEST(malloc_info_is_xml_about_this_heap)
{
	static char text[65536];
	FILE *f = fmemopen(text, sizeof(text), "w");
	void *p = malloc(700);

	KUNIT_ASSERT_NOT_NULL(test, f);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, malloc_info(0, f), 0);
	KUNIT_EXPECT_NE(test, malloc_info(1, f), 0);
	fclose(f);
	KUNIT_EXPECT_EQ(test, strncmp(text, "<malloc version=\"1\">\n", 21), 0);
	KUNIT_EXPECT_NOT_NULL(test,
			      strstr(text, "<cache name=\"malloc-704\" size=\"704\" live=\""));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "</malloc>\n"));
	free(p);
}

KUNIT_TEST(malloc_stats_writes_to_stderr_only)
{
	void *p = opaque_ptr(malloc(100));
	int fds[2], saved = dup(2);
	char text[8192];
	size_t len = 0;
	ssize_t n;

	KUNIT_ASSERT_EQ(test, pipe(fds), 0);
	dup2(fds[1], 2);
	malloc_stats();
	dup2(saved, 2);
	close(fds[1]);
	while ((n = read(fds[0], text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	KUNIT_EXPECT_EQ(test, strncmp(text, "cache ", 6), 0);
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "\nmalloc-112  "));
	free(p);
}

KUNIT_TEST(mallopt_takes_the_known_parameters) /* 76 */
{
	KUNIT_EXPECT_EQ(test, mallopt(M_ARENA_MAX, 1), 1);
	KUNIT_EXPECT_EQ(test, mallopt(M_ARENA_TEST, 1), 1);
	KUNIT_EXPECT_EQ(test, mallopt(M_MMAP_THRESHOLD, 65536), 1);
	KUNIT_EXPECT_EQ(test, mallopt(M_MMAP_MAX, 0), 1);
	KUNIT_EXPECT_EQ(test, mallopt(M_TRIM_THRESHOLD, 1 << 20), 1);
	KUNIT_EXPECT_EQ(test, mallopt(M_TOP_PAD, 0), 1);
	KUNIT_EXPECT_EQ(test, mallopt(M_PERTURB, 0), 1);
	KUNIT_EXPECT_EQ(test, mallopt(M_CHECK_ACTION, 3), 1);
	KUNIT_EXPECT_EQ(test, mallopt(M_MXFAST, 64), 1);
	KUNIT_EXPECT_EQ(test, mallopt(M_MXFAST, 100000), 0);
	KUNIT_EXPECT_EQ(test, mallopt(-4711, 1), 0);
}

KUNIT_TEST(what_libc_allocates_we_free) /* 63 */
{
	char *line = NULL, *text = NULL, *path, *cwd, *copy, *stream_text = NULL;
	size_t room = 0, len = 0;
	FILE *f = fopen("/proc/self/status", "r"), *stream;

	KUNIT_ASSERT_NOT_NULL(test, f);
	KUNIT_EXPECT_GT(test, getline(&line, &room, f), 0);
	fclose(f);
	KUNIT_EXPECT_GT(test, asprintf(&text, "%01000d", 7), 0);
	path = realpath("/proc/self/../self/exe", NULL);
	cwd = getcwd(NULL, 0);
	copy = strdup("a copy");
	stream = open_memstream(&stream_text, &len);
	KUNIT_ASSERT_NOT_NULL(test, stream);
	fprintf(stream, "%05000d", 1);
	fclose(stream);
	KUNIT_EXPECT_EQ(test, len, 5000);
	KUNIT_EXPECT_GE(test, malloc_usable_size(stream_text), 5001);
	free(line);
	free(text);
	free(path);
	free(cwd);
	free(copy);
	free(stream_text);
}
