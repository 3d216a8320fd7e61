/* SPDX-License-Identifier: MIT */
/* test_current.c - allocation scopes belong to a thread and nest. Room under test: kernel. */

#include <pthread.h>
#include <kunit/test.h>

#include "kernel/current.h"

KUNIT_TEST(noio_takes_io_and_fs_nofs_takes_fs_only)
{
	unsigned int noio, nofs;

	KUNIT_EXPECT_EQ(test, current_gfp_context(GFP_KERNEL), GFP_KERNEL);
	nofs = memalloc_nofs_save();
	KUNIT_EXPECT_EQ(test, current_gfp_context(GFP_KERNEL), GFP_NOFS);
	noio = memalloc_noio_save();
	KUNIT_EXPECT_EQ(test, current_gfp_context(GFP_KERNEL), GFP_NOIO);
	KUNIT_EXPECT_EQ(test, current_gfp_context(GFP_ATOMIC), GFP_ATOMIC);
	memalloc_noio_restore(noio);
	KUNIT_EXPECT_EQ(test, current_gfp_context(GFP_KERNEL), GFP_NOFS);
	memalloc_nofs_restore(nofs);
	KUNIT_EXPECT_EQ(test, current_flags(), 0u);
}

KUNIT_TEST(an_inner_restore_does_not_end_the_outer_scope)
{
	unsigned int outer = memalloc_noreclaim_save(), inner = memalloc_noreclaim_save();

	memalloc_noreclaim_restore(inner);
	KUNIT_EXPECT_EQ(test, current_flags(), PF_MEMALLOC);
	memalloc_noreclaim_restore(outer);
	KUNIT_EXPECT_EQ(test, current_flags(), 0u);
}

static void *flags_of_thread(void *arg)
{
	*(unsigned int *)arg = current_flags();
	return NULL;
}

KUNIT_TEST(another_thread_is_not_concerned)
{
	unsigned int flags = 1;
	pthread_t thread;

	memalloc_noio_save();
	pthread_create(&thread, NULL, flags_of_thread, &flags);
	pthread_join(thread, NULL);
	KUNIT_EXPECT_EQ(test, flags, 0u);
}
