/* SPDX-License-Identifier: MIT */
/* test_classes.c - the size table is what its comment says. White box: only linked. */

#include <kunit/test.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "malloc/classes.h"

KUNIT_TEST(classes_are_close_and_multiples_of_16)
{
	unsigned int count = 0;
	size_t last = 0;

	KUNIT_ASSERT_TRUE(test, malloc_boot());
	for (size_t n = 0; n <= MALLOC_CACHE_MAX; n++) {
		size_t size = malloc_class_size(n);

		KUNIT_ASSERT_GE(test, size, n);
		KUNIT_ASSERT_GE(test, size, last);
		KUNIT_ASSERT_EQ(test, size % MALLOC_ALIGN, 0);
		KUNIT_ASSERT_EQ_MSG(test, malloc_class_size(size), size, "class of %zu", n);
		if (n > 128)
			KUNIT_ASSERT_LE_MSG(test, size - n, n <= 4096 ? n / 7 : n / 4 + 16,
					    "class of %zu", n);
		count += size != last;
		last = size;
	}
	KUNIT_EXPECT_EQ(test, count, MALLOC_NR_CLASSES);
	KUNIT_EXPECT_EQ(test, malloc_class_size(0), 16);
	KUNIT_EXPECT_EQ(test, malloc_class_size(16), 16);
	KUNIT_EXPECT_EQ(test, malloc_class_size(17), 32);
	KUNIT_EXPECT_EQ(test, malloc_class_size(1032), 1040);
	KUNIT_EXPECT_EQ(test, malloc_class_size(4096 + 272), 4368);
	KUNIT_EXPECT_EQ(test, malloc_class_size(8191), 8192);
}

KUNIT_TEST(every_size_has_the_cache_of_its_class)
{
	KUNIT_ASSERT_TRUE(test, malloc_boot());
	for (size_t n = 0; n <= MALLOC_CACHE_MAX; n++) {
		unsigned int tag = malloc_tag[(n + MALLOC_ALIGN - 1) >> MALLOC_ALIGN_SHIFT];
		size_t want = malloc_class_size(n);
		struct kmem_cache *cache = malloc_cache_for(n);

		KUNIT_ASSERT_NE_MSG(test, tag, 0, "size %zu", n);
		KUNIT_ASSERT_EQ_MSG(test, malloc_tag_size[tag], want, "size %zu", n);
		KUNIT_ASSERT_NOT_NULL(test, cache);
		KUNIT_ASSERT_EQ_MSG(test, kmem_cache_size(cache), want, "size %zu", n);
	}
}

/* The straight path: counted in the object code, so that nobody makes it longer unnoticed. */
KUNIT_TEST(fast_paths_need_no_stack_and_few_instructions)
{
#if defined(__x86_64__) && defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__) && \
	!defined(__SANITIZE_THREAD__) && !defined(__clang__)
	static const char *const names[] = { "malloc", "free" };
	char command[256];

	for (size_t i = 0; i < 2; i++) {
		int count = 0, frames = 0;
		FILE *pipe;

		/* Up to the first ret: the path that is taken. */
		snprintf(
			command, sizeof(command),
			"objdump -d --no-show-raw-insn --disassemble=%s /proc/%d/exe 2>/dev/null | awk "
			"'/^ /{if(/nop/)next;n++;if(/push|sub .*rsp|call/)f++} /ret/{exit} END{print n+0,f+0}'",
			names[i], (int)getpid());
		pipe = popen(command, "r");
		KUNIT_ASSERT_NOT_NULL(test, pipe);
		KUNIT_ASSERT_EQ(test, fscanf(pipe, "%d %d", &count, &frames), 2);
		pclose(pipe);
		if (!count)
			kunit_skip(test, "no objdump");
		kunit_info(test, "%s: %d instructions", names[i], count);
		KUNIT_EXPECT_LE_MSG(test, count, 36, "%s", names[i]);
		KUNIT_EXPECT_EQ_MSG(test, frames, 0, "%s has a frame or a call", names[i]);
	}
#else
	kunit_skip(test, "read in optimised x86-64 builds only");
#endif
}
