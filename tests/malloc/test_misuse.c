/* SPDX-License-Identifier: MIT */
/*
 * test_misuse.c - what is not a live block is named, and the process stops
 *
 * tests/abuse holds the same as tiny programs of their own with exact first lines.
 */

#include "edge.h"

#include <sys/mman.h>
#include <sys/wait.h>

#define MIB (1UL << 20)

KUNIT_TEST(double_free_is_named, .signal = SIGABRT,
	   .first_line_starts = "slabwork: free(): double free of 0x")
{
	void *p = malloc(60);

	free(opaque_ptr(p));
	free(opaque_ptr(p));
}

KUNIT_TEST(double_free_with_others_between_is_named, .signal = SIGABRT,
	   .first_line_starts = "slabwork: free(): double free of 0x")
{
	static void *p[5000];

	for (int i = 0; i < 5000; i++)
		p[i] = malloc(100);
	for (int i = 0; i < 5000; i++)
		free(p[i]);
	free(opaque_ptr(p[17]));
}

KUNIT_TEST(double_free_of_a_block_is_named, .signal = SIGABRT,
	   .first_line_starts = "slabwork: free(): double free of 0x")
{
	void *p = malloc(100000);

	free(opaque_ptr(p));
	free(opaque_ptr(p));
}

KUNIT_TEST(double_free_of_an_area_is_named, .signal = SIGABRT,
	   .first_line_starts = "slabwork: free(): double free of 0x")
{
	void *p = malloc(30 * MIB);

	free(opaque_ptr(p));
	free(opaque_ptr(p));
}

KUNIT_TEST(double_realloc_is_named, .signal = SIGABRT,
	   .first_line_starts = "slabwork: realloc(): double free of 0x")
{
	void *p = malloc(60);

	free(opaque_ptr(p));
	free(realloc(opaque_ptr(p), 1000));
}

KUNIT_TEST(interior_pointer_is_named, .signal = SIGABRT,
	   .first_line_starts = "slabwork: free(): interior pointer 0x")
{
	free((char *)opaque_ptr(malloc(100)) + opaque(16));
}

KUNIT_TEST(misaligned_pointer_is_named, .signal = SIGABRT,
	   .first_line_starts = "slabwork: free(): interior pointer 0x")
{
	free((char *)opaque_ptr(malloc(100)) + opaque(3));
}

KUNIT_TEST(pointer_into_a_block_is_named, .signal = SIGABRT,
	   .first_line_starts = "slabwork: free(): interior pointer 0x")
{
	free((char *)opaque_ptr(malloc(100000)) + opaque(8192));
}

KUNIT_TEST(pointer_into_an_area_is_named, .signal = SIGABRT,
	   .first_line_starts = "slabwork: free(): interior pointer 0x")
{
	free((char *)opaque_ptr(malloc(30 * MIB)) + opaque(2 * MIB));
}

KUNIT_TEST(stack_pointer_is_foreign, .signal = SIGABRT,
	   .first_line_starts = "slabwork: free(): foreign pointer 0x")
{
	char local[64];

	free(opaque_ptr(local));
}

KUNIT_TEST(static_pointer_is_foreign, .signal = SIGABRT,
	   .first_line_starts = "slabwork: free(): foreign pointer 0x")
{
	static char local[64];

	free(opaque_ptr(local));
}

KUNIT_TEST(mapped_pointer_is_foreign, .signal = SIGABRT,
	   .first_line_starts = "slabwork: realloc(): foreign pointer 0x")
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	free(realloc(opaque_ptr(p), 100));
}

static const uintptr_t wild[] = {
	1, 8, 16, 4096, 0x1234567890, 1UL << 46, 1UL << 63, UINTPTR_MAX, UINTPTR_MAX - 15
};

KUNIT_TEST(wild_pointers_are_foreign_and_never_touched)
{
	for (size_t i = 0; i < sizeof(wild) / sizeof(*wild); i++) {
		char line[128] = "";
		int fds[2], status = 0;
		pid_t pid;

		KUNIT_ASSERT_EQ(test, pipe(fds), 0);
		pid = fork();
		if (!pid) {
			dup2(fds[1], 2);
			free((void *)opaque(wild[i]));
			_exit(0);
		}
		close(fds[1]);
		KUNIT_EXPECT_GT(test, read(fds[0], line, sizeof(line) - 1), 0);
		close(fds[0]);
		KUNIT_ASSERT_EQ(test, waitpid(pid, &status, 0), pid);
		KUNIT_EXPECT_TRUE(test, WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
		KUNIT_EXPECT_EQ_MSG(test, strncmp(line, "slabwork: free(): foreign pointer 0x", 36),
				    0, "free(%#lx): %s", wild[i], line);
	}
}

KUNIT_TEST(usable_size_of_a_dead_block_is_named, .signal = SIGABRT,
	   .first_line_starts = "slabwork: malloc_usable_size(): freed pointer 0x")
{
	void *p = malloc(60);

	free(opaque_ptr(p));
	malloc_usable_size(opaque_ptr(p));
}

KUNIT_TEST(a_wrong_size_is_named, .signal = SIGABRT,
	   .first_line_starts = "slabwork: free_sized(): wrong size 500 for 0x")
{
	free_sized(opaque_ptr(malloc(60)), opaque(500));
}

KUNIT_TEST(a_size_that_is_too_small_is_named, .signal = SIGABRT,
	   .first_line_starts = "slabwork: free_sized(): wrong size 60 for 0x")
{
	free_sized(opaque_ptr(malloc(5000)), opaque(60));
}

KUNIT_TEST(a_wrong_alignment_is_named, .signal = SIGABRT,
	   .first_line_starts = "slabwork: free_aligned_sized(): wrong alignment ")
{
	free_aligned_sized(opaque_ptr(malloc(48)), opaque(1UL << 30), opaque(40));
}
