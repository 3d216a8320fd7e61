/* SPDX-License-Identifier: MIT */
/* test_writeback.c - dirty accounting, limits, errors, writing against truncation. Room under test: cache. */

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <kunit/test.h>

#include "lib/prng.h"
#include "../tests/cache/ramdev.h"

static struct ramdev dev;
static struct address_space mapping;
static unsigned char page_bytes[PAGE_SIZE];

static void setup(struct kunit *test, sw_loff_t size)
{
	void *bytes = mmap(NULL, RAMDEV_PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	KUNIT_ASSERT_TRUE(test, bytes != MAP_FAILED);
	ramdev_init(&dev, bytes);
	ramdev_mapping(&dev, &mapping, size);
}

static void write_pages(struct kunit *test, pgoff_t from, pgoff_t nr)
{
	for (pgoff_t i = from; i < from + nr; i++) {
		memset(page_bytes, (int)i, PAGE_SIZE);
		KUNIT_ASSERT_EQ(test,
				ramdev_pwrite(&mapping, page_bytes, PAGE_SIZE,
					      (sw_loff_t)(i << PAGE_SHIFT)),
				PAGE_SIZE);
	}
}

KUNIT_TEST(a_write_lands_in_the_cache_and_not_on_the_device)
{
	setup(test, 0);
	write_pages(test, 0, 20);
	KUNIT_EXPECT_EQ(test, dev.writes, 0);
	KUNIT_EXPECT_EQ(test, dev.reads, 0);
	KUNIT_EXPECT_EQ(test, dev.bdi.nr_dirty, 20);
	KUNIT_EXPECT_EQ(test, global_node_state(NR_FILE_DIRTY), 20);
	KUNIT_EXPECT_EQ(test, dev.dirtied, 20);
	write_pages(test, 0, 20);
	KUNIT_EXPECT_EQ(test, dev.dirtied, 20);
	KUNIT_EXPECT_EQ(test, filemap_write_and_wait_range(&mapping, 0, MAX_LFS_FILESIZE), 0);
	KUNIT_EXPECT_EQ(test, dev.write_pages, 20);
	KUNIT_EXPECT_EQ(test, global_node_state(NR_FILE_DIRTY), 0);
	KUNIT_EXPECT_EQ(test, global_node_state(NR_WRITEBACK), 0);
	KUNIT_EXPECT_FALSE(test, xa_marked(&mapping.i_pages, PAGECACHE_TAG_DIRTY));
	KUNIT_EXPECT_FALSE(test, xa_marked(&mapping.i_pages, PAGECACHE_TAG_WRITEBACK));
	KUNIT_EXPECT_FALSE(test, xa_marked(&mapping.i_pages, PAGECACHE_TAG_TOWRITE));
	truncate_inode_pages_final(&mapping);
}

KUNIT_TEST(a_range_is_written_and_no_more)
{
	setup(test, 0);
	write_pages(test, 0, 32);
	KUNIT_EXPECT_EQ(test, filemap_fdatawrite_range(&mapping, 8 << 12, (12 << 12) - 1), 0);
	KUNIT_EXPECT_EQ(test, filemap_fdatawait_range(&mapping, 8 << 12, (12 << 12) - 1), 0);
	KUNIT_EXPECT_EQ(test, dev.write_pages, 4);
	KUNIT_EXPECT_EQ(test, dev.bdi.nr_dirty, 28);
	KUNIT_EXPECT_EQ(test, dev.bytes[8 << 12], 8);
	KUNIT_EXPECT_EQ(test, dev.bytes[12 << 12], 0);
	truncate_inode_pages_final(&mapping);
	KUNIT_EXPECT_EQ(test, dev.bdi.nr_dirty, 0);
	KUNIT_EXPECT_EQ(test, dev.write_pages, 4);
}

KUNIT_TEST(some_pages_are_written_and_the_next_call_goes_on_from_there)
{
	struct writeback_control wbc = { .nr_to_write = 10, .range_cyclic = true };

	setup(test, 0);
	write_pages(test, 0, 30);
	KUNIT_EXPECT_EQ(test, do_writepages(&mapping, &wbc), 0);
	KUNIT_EXPECT_EQ(test, dev.write_pages, 10);
	write_pages(test, 0, 5);
	wbc.nr_to_write = 10;
	KUNIT_EXPECT_EQ(test, do_writepages(&mapping, &wbc), 0);
	KUNIT_EXPECT_EQ(test, dev.write_pages, 20);
	KUNIT_EXPECT_EQ(test, dev.bytes[19 << 12], 19);
	wbc.nr_to_write = 100;
	KUNIT_EXPECT_EQ(test, do_writepages(&mapping, &wbc), 0);
	KUNIT_EXPECT_EQ(test, dev.write_pages, 35);
	KUNIT_EXPECT_EQ(test, dev.bdi.nr_dirty, 0);
	truncate_inode_pages_final(&mapping);
}

/* ---- errors --------------------------------------------------------------------------------------- */

KUNIT_TEST(an_error_of_write_back_is_told_once_to_each_who_had_the_file_open)
{
	uint32_t a, b;

	setup(test, 0);
	a = errseq_sample(&mapping.wb_err);
	b = errseq_sample(&mapping.wb_err);
	write_pages(test, 0, 8);
	dev.fail_write_at = 3;
	KUNIT_EXPECT_EQ(test, filemap_write_and_wait_range(&mapping, 0, MAX_LFS_FILESIZE), -EIO);
	KUNIT_EXPECT_EQ(test, filemap_write_and_wait_range(&mapping, 0, MAX_LFS_FILESIZE), 0);
	KUNIT_EXPECT_EQ(test, errseq_check_and_advance(&mapping.wb_err, &a), -EIO);
	KUNIT_EXPECT_EQ(test, errseq_check_and_advance(&mapping.wb_err, &a), 0);
	KUNIT_EXPECT_EQ(test, errseq_check_and_advance(&mapping.wb_err, &b), -EIO);
	KUNIT_EXPECT_EQ(test, dev.wb_errors, 1);
	/* The others were written; the one that failed is clean and what was written is still to be read. */
	KUNIT_EXPECT_EQ(test, dev.write_pages, 7);
	KUNIT_EXPECT_EQ(test, dev.bdi.nr_dirty, 0);
	KUNIT_EXPECT_EQ(test, dev.bdi.nr_writeback, 0);
	KUNIT_EXPECT_EQ(test, ramdev_pread(&mapping, NULL, page_bytes, PAGE_SIZE, 3 << 12),
			PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, page_bytes[77], 3);
	dev.fail_write_at = 5;
	dev.fail_write_with = -ENOSPC;
	write_pages(test, 5, 1);
	KUNIT_EXPECT_EQ(test, filemap_write_and_wait_range(&mapping, 0, MAX_LFS_FILESIZE), -ENOSPC);
	KUNIT_EXPECT_EQ(test, errseq_check_and_advance(&mapping.wb_err, &a), -ENOSPC);
	truncate_inode_pages_final(&mapping);
}

KUNIT_TEST(a_page_that_cannot_be_read_is_eio_and_can_be_read_later)
{
	struct file_ra_state ra;

	setup(test, 64 << 12);
	file_ra_state_init(&ra, &mapping);
	memset(dev.bytes + (5 << 12), 0x55, PAGE_SIZE);
	dev.fail_read_at = 5;
	KUNIT_EXPECT_EQ(test, ramdev_pread(&mapping, &ra, page_bytes, PAGE_SIZE, 4 << 12),
			PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, ramdev_pread(&mapping, &ra, page_bytes, PAGE_SIZE, 5 << 12), -EIO);
	KUNIT_EXPECT_EQ(test, ramdev_pread(&mapping, NULL, page_bytes, PAGE_SIZE, 5 << 12), -EIO);
	/* What comes before it is read, and counted. */
	KUNIT_EXPECT_EQ(test, ramdev_pread(&mapping, &ra, page_bytes, PAGE_SIZE, (4 << 12) + 100),
			PAGE_SIZE - 100);
	KUNIT_EXPECT_EQ(test, ramdev_pwrite(&mapping, "x", 1, 5 << 12), -EIO);
	dev.fail_read_at = -1;
	KUNIT_EXPECT_EQ(test, ramdev_pread(&mapping, &ra, page_bytes, PAGE_SIZE, 5 << 12),
			PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, page_bytes[9], 0x55);
	truncate_inode_pages_final(&mapping);
}

KUNIT_TEST(pages_that_readahead_left_are_read_one_by_one)
{
	struct file_ra_state ra;

	setup(test, 64 << 12);
	file_ra_state_init(&ra, &mapping);
	dev.leave_from_readahead = 1;
	for (int i = 0; i < 64; i++) {
		dev.bytes[i << 12] = (unsigned char)i;
		KUNIT_ASSERT_EQ(test, ramdev_pread(&mapping, &ra, page_bytes, 1, i << 12), 1);
		KUNIT_ASSERT_EQ(test, page_bytes[0], i);
	}
	truncate_inode_pages_final(&mapping);
	KUNIT_EXPECT_EQ(test, global_node_state(NR_FILE_PAGES), 0);
}

/* ---- limits --------------------------------------------------------------------------------------- */

static _Atomic unsigned long told;

static void tell(struct backing_dev_info *bdi, unsigned long nr_pages)
{
	(void)bdi;
	(void)nr_pages;
	atomic_fetch_add(&told, 1);
}

KUNIT_TEST(without_a_flusher_a_writer_writes_back_when_too_much_is_dirty)
{
	struct sw_cache_limits l = { .background_pages = 8, .dirty_pages = 16 };
	struct sw_cache_stats stats;

	sw_cache_set_limits(&l);
	setup(test, 0);
	for (pgoff_t i = 0; i < 200; i++) {
		write_pages(test, i, 1);
		KUNIT_ASSERT_LE(test, global_node_state(NR_FILE_DIRTY), 17);
	}
	KUNIT_EXPECT_GT(test, dev.write_pages, 150);
	sw_cache_stats(&stats);
	KUNIT_EXPECT_GT(test, stats.throttled, 0);
	truncate_inode_pages_final(&mapping);
}

KUNIT_TEST(above_the_background_limit_the_flusher_is_told)
{
	struct sw_cache_limits l = { .background_pages = 8, .dirty_pages = 1000 };

	sw_cache_set_limits(&l);
	setup(test, 0);
	dev.bdi.start_writeback = tell;
	write_pages(test, 0, 8);
	KUNIT_EXPECT_EQ(test, told, 0);
	write_pages(test, 8, 1);
	KUNIT_EXPECT_EQ(test, told, 1);
	KUNIT_EXPECT_EQ(test, dev.writes, 0);
	truncate_inode_pages_final(&mapping);
}

static void *finisher(void *arg)
{
	while (!atomic_load((_Atomic bool *)arg))
		if (!ramdev_finish(&dev)) {
			struct timespec t = { .tv_nsec = 200000 };

			nanosleep(&t, NULL);
		}
	return NULL;
}

KUNIT_TEST(a_writer_waits_for_a_slow_device, .timeout_s = 60)
{
	struct sw_cache_limits l = { .background_pages = 8, .dirty_pages = 16 };
	static _Atomic bool stop;
	pthread_t t;

	sw_cache_set_limits(&l);
	setup(test, 0);
	dev.hold_writes = true;
	pthread_create(&t, NULL, finisher, &stop);
	for (pgoff_t i = 0; i < 300; i++) {
		write_pages(test, i, 1);
		KUNIT_ASSERT_LE(test,
				global_node_state(NR_FILE_DIRTY) + global_node_state(NR_WRITEBACK),
				17);
	}
	KUNIT_EXPECT_EQ(test, filemap_write_and_wait_range(&mapping, 0, MAX_LFS_FILESIZE), 0);
	KUNIT_EXPECT_EQ(test, dev.write_pages, 300);
	atomic_store(&stop, true);
	pthread_join(t, NULL);
	truncate_inode_pages_final(&mapping);
	KUNIT_EXPECT_EQ(test, global_node_state(NR_WRITEBACK), 0);
}

/* ---- all at once ------------------------------------------------------------------------------------ */

/*
 * One file, pages of one value each, written whole by a writer that holds the "i_rwsem"; a truncater that takes turns with
 * it; readers, write-back and reclaim beside them. A reader must see zeros or whole values of that page.
 */
static struct rw_semaphore i_rwsem;
static _Atomic bool done;
static _Atomic unsigned long wrong;

#define RACE_PAGES 48u

static void *race_reader(void *arg)
{
	struct file_ra_state ra;
	unsigned char buf[256];
	struct prng r;

	prng_seed(&r, (uintptr_t)arg);
	file_ra_state_init(&ra, &mapping);
	while (!atomic_load(&done)) {
		unsigned int page = prng_below(&r, RACE_PAGES);
		sw_loff_t pos = ((sw_loff_t)page << PAGE_SHIFT) + prng_below(&r, 4096 - 256);
		ssize_t n = ramdev_pread(&mapping, &ra, buf, sizeof(buf), pos);

		for (ssize_t i = 0; i < n; i++)
			if (buf[i] != page + 1 && buf[i])
				atomic_fetch_add(&wrong, 1);
		if (n < 0)
			atomic_fetch_add(&wrong, 1);
	}
	return NULL;
}

static void *race_syncer(void *arg)
{
	struct prng r;

	prng_seed(&r, (uintptr_t)arg + 9);
	while (!atomic_load(&done)) {
		if (prng_below(&r, 2))
			sw_cache_reclaim(1 + prng_below(&r, RACE_PAGES));
		else if (filemap_write_and_wait_range(&mapping, 0, MAX_LFS_FILESIZE))
			atomic_fetch_add(&wrong, 1);
	}
	return NULL;
}

static void race_truncate(struct prng *r)
{
	sw_loff_t size = (sw_loff_t)prng_below(r, RACE_PAGES) << PAGE_SHIFT;

	if (size > mapping.i_size)
		return;
	atomic_store(&mapping.i_size, size);
	down_write(&mapping.invalidate_lock);
	truncate_inode_pages(&mapping, size);
	up_write(&mapping.invalidate_lock);
	/* The blocks are free now, and zeros when they are used again. */
	memset(dev.bytes + size, 0, (RACE_PAGES << PAGE_SHIFT) - (size_t)size);
}

KUNIT_TEST(readers_writers_truncation_and_write_back_agree, .timeout_s = 120)
{
	pthread_t t[3];
	struct prng r;

	prng_seed(&r, kunit_seed(test));
	setup(test, 0);
	if (kunit_seed(test) & 1)
		mapping_set_large_folios(&mapping);
	pthread_create(&t[0], NULL, race_reader, (void *)1);
	pthread_create(&t[1], NULL, race_reader, (void *)2);
	pthread_create(&t[2], NULL, race_syncer, (void *)3);
	for (int i = 0; i < 6000; i++) {
		down_write(&i_rwsem);
		if (prng_below(&r, 8)) {
			unsigned int page = prng_below(&r, RACE_PAGES);
			sw_loff_t size = mapping.i_size;

			/* No holes: they would be read from the device, whose bytes are the truncater's. */
			if ((sw_loff_t)page << PAGE_SHIFT > size)
				page = (unsigned int)(size >> PAGE_SHIFT);
			memset(page_bytes, (int)page + 1, PAGE_SIZE);
			KUNIT_ASSERT_EQ(test,
					ramdev_pwrite(&mapping, page_bytes, PAGE_SIZE,
						      (sw_loff_t)page << PAGE_SHIFT),
					PAGE_SIZE);
		} else {
			race_truncate(&r);
		}
		up_write(&i_rwsem);
	}
	atomic_store(&done, true);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_TRUE(test, !sw_xa_validate(&mapping.i_pages));
	truncate_inode_pages_final(&mapping);
	KUNIT_EXPECT_TRUE(test, xa_empty(&mapping.i_pages));
	KUNIT_EXPECT_EQ(test, global_node_state(NR_FILE_PAGES), 0);
	KUNIT_EXPECT_EQ(test, global_node_state(NR_FILE_DIRTY), 0);
	KUNIT_EXPECT_EQ(test, global_node_state(NR_WRITEBACK), 0);
	KUNIT_EXPECT_EQ(test, global_node_state(NR_ACTIVE_FILE), 0);
	KUNIT_EXPECT_EQ(test, global_node_state(NR_INACTIVE_FILE), 0);
}

/* The reader knew the old size when the truncation began, and waits for it to end. */
static void *late_reader(void *arg)
{
	unsigned char buf[64];

	*(ssize_t *)arg = ramdev_pread(&mapping, NULL, buf, sizeof(buf), 5 << PAGE_SHIFT);
	return NULL;
}

static void *late_reader_ahead(void *arg)
{
	struct file_ra_state ra;
	unsigned char buf[64];

	file_ra_state_init(&ra, &mapping);
	*(ssize_t *)arg = ramdev_pread(&mapping, &ra, buf, sizeof(buf), 5 << PAGE_SHIFT);
	return NULL;
}

static void truncate_under(struct kunit *test, void *(*read)(void *))
{
	ssize_t got = -1;
	pthread_t t;

	setup(test, 64 << PAGE_SHIFT);
	down_write(&mapping.invalidate_lock);
	pthread_create(&t, NULL, read, &got);
	while (!wait_active(&mapping.invalidate_lock.wait))
		sched_yield();
	atomic_store(&mapping.i_size, 0);
	truncate_inode_pages(&mapping, 0);
	up_write(&mapping.invalidate_lock);
	pthread_join(t, NULL);
	KUNIT_EXPECT_EQ(test, got, 0);
	KUNIT_EXPECT_EQ(test, mapping.nrpages, 0);
	KUNIT_EXPECT_EQ(test, dev.read_pages, 0);
}

KUNIT_TEST(a_read_that_waited_for_a_truncation_brings_no_page_back)
{
	truncate_under(test, late_reader);
	truncate_under(test, late_reader_ahead);
}
