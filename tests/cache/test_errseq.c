/* SPDX-License-Identifier: MIT */
/* test_errseq.c - an error is reported once to each who was there. Room under test: cache. */

#include <errno.h>
#include <kunit/test.h>

#include <slabwork/fs/pagemap.h>

KUNIT_TEST(each_open_file_hears_of_an_error_once)
{
	errseq_t e = 0;
	uint32_t a = errseq_sample(&e), b = errseq_sample(&e);

	KUNIT_EXPECT_EQ(test, errseq_check_and_advance(&e, &a), 0);
	errseq_set(&e, -EIO);
	KUNIT_EXPECT_EQ(test, errseq_check_and_advance(&e, &a), -EIO);
	KUNIT_EXPECT_EQ(test, errseq_check_and_advance(&e, &a), 0);
	KUNIT_EXPECT_EQ(test, errseq_check(&e, b), -EIO);
	KUNIT_EXPECT_EQ(test, errseq_check_and_advance(&e, &b), -EIO);
	KUNIT_EXPECT_EQ(test, errseq_check_and_advance(&e, &b), 0);
}

KUNIT_TEST(the_same_error_again_is_news_after_it_was_seen)
{
	errseq_t e = 0;
	uint32_t a = errseq_sample(&e);

	errseq_set(&e, -EIO);
	KUNIT_EXPECT_EQ(test, errseq_check_and_advance(&e, &a), -EIO);
	errseq_set(&e, -EIO);
	KUNIT_EXPECT_EQ(test, errseq_check_and_advance(&e, &a), -EIO);
	errseq_set(&e, -EIO);
	errseq_set(&e, -ENOSPC);
	KUNIT_EXPECT_EQ(test, errseq_check_and_advance(&e, &a), -ENOSPC);
	KUNIT_EXPECT_EQ(test, errseq_check_and_advance(&e, &a), 0);
}

KUNIT_TEST(an_error_that_nobody_has_seen_is_reported_to_the_next_who_opens)
{
	errseq_t e = 0;
	uint32_t late;

	errseq_set(&e, -EIO);
	late = errseq_sample(&e);
	KUNIT_EXPECT_EQ(test, errseq_check_and_advance(&e, &late), -EIO);
	late = errseq_sample(&e);
	KUNIT_EXPECT_EQ(test, errseq_check_and_advance(&e, &late), 0);
}

KUNIT_TEST(what_is_no_error_is_not_recorded)
{
	errseq_t e = 0;

	errseq_set(&e, 0);
	errseq_set(&e, 5);
	KUNIT_EXPECT_EQ(test, errseq_check(&e, 0), 0);
}
