/* SPDX-License-Identifier: MIT */
/* test_lru.c - readahead windows, active and inactive, refaults, reclaim, invalidation. Room under test: cache. */

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <kunit/test.h>

#include <slabwork/shrinker.h>

#include "cache/lru.h"
#include "lib/prng.h"
#include "../tests/cache/ramdev.h"

static struct ramdev dev;
static struct address_space mapping;
static unsigned char buf[1 << 20];

static void setup(struct kunit *test, unsigned long pages)
{
	void *bytes = mmap(NULL, RAMDEV_PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	KUNIT_ASSERT_TRUE(test, bytes != MAP_FAILED);
	ramdev_init(&dev, bytes);
	ramdev_mapping(&dev, &mapping, (sw_loff_t)(pages << PAGE_SHIFT));
}

static void read_page(struct kunit *test, struct file_ra_state *ra, pgoff_t index)
{
	KUNIT_ASSERT_EQ(test, ramdev_pread(&mapping, ra, buf, PAGE_SIZE, (sw_loff_t)index << 12),
			PAGE_SIZE);
}

/* ---- readahead: F38 ------------------------------------------------------------------------------------ */

KUNIT_TEST(reading_on_fetches_ever_larger_windows)
{
	struct sw_cache_stats s;
	struct file_ra_state ra;
	unsigned int largest = 0;

	setup(test, 1024);
	file_ra_state_init(&ra, &mapping);
	for (pgoff_t i = 0; i < 1024; i++) {
		read_page(test, &ra, i);
		largest = ra.size > largest ? ra.size : largest;
	}
	sw_cache_stats(&s);
	KUNIT_EXPECT_EQ(test, dev.read_pages, 1024);
	KUNIT_EXPECT_EQ(test, largest, 32);
	/* 32 pages a request, but for the first few. */
	KUNIT_EXPECT_LE(test, dev.reads, 1024 / 32 + 4);
	KUNIT_EXPECT_EQ(test, s.ra_sync, 1);
	KUNIT_EXPECT_GE(test, s.ra_async, 30);
	KUNIT_EXPECT_EQ(test, s.ra_pages, 1024);
	for (pgoff_t i = 0; i < 1024; i++)
		read_page(test, &ra, i);
	KUNIT_EXPECT_EQ(test, dev.read_pages, 1024); /* F26 */
	truncate_inode_pages_final(&mapping);
}

KUNIT_TEST(reading_here_and_there_fetches_what_was_asked_for)
{
	struct file_ra_state ra;
	struct prng r;

	prng_seed(&r, kunit_seed(test));
	setup(test, 60000);
	file_ra_state_init(&ra, &mapping);
	for (int i = 0; i < 500; i++)
		read_page(test, &ra, 16 + prng_below(&r, 3000) * 20);
	KUNIT_EXPECT_LE(test, dev.read_pages, 500);
	KUNIT_EXPECT_EQ(test, ra.size, 0);
	truncate_inode_pages_final(&mapping);
}

KUNIT_TEST(a_window_collapses_when_the_reader_jumps_and_grows_again)
{
	struct file_ra_state ra;

	setup(test, 4096);
	file_ra_state_init(&ra, &mapping);
	for (pgoff_t i = 0; i < 100; i++)
		read_page(test, &ra, i);
	KUNIT_EXPECT_EQ(test, ra.size, 32);
	read_page(test, &ra, 2000);
	KUNIT_EXPECT_EQ(test, ra.size, 0);
	for (pgoff_t i = 2001; i < 2100; i++)
		read_page(test, &ra, i);
	KUNIT_EXPECT_EQ(test, ra.size, 32);
	truncate_inode_pages_final(&mapping);
}

KUNIT_TEST(large_folios_come_with_large_windows_and_end_with_the_file)
{
	struct file_ra_state ra;
	struct folio *folio;
	unsigned int largest = 0;

	setup(test, 1021);
	mapping_set_large_folios(&mapping);
	dev.bdi.ra_pages = 256;
	file_ra_state_init(&ra, &mapping);
	for (pgoff_t i = 0; i < 1021; i++)
		read_page(test, &ra, i);
	for (pgoff_t i = 0; i < 1021; i = folio_next_index(folio)) {
		folio = filemap_get_folio(&mapping, i);
		KUNIT_ASSERT_TRUE(test, (uintptr_t)folio < (uintptr_t)-4096);
		largest = folio->order > largest ? folio->order : largest;
		folio_drop(folio);
		KUNIT_EXPECT_LE(test, folio_next_index(folio), 1021);
	}
	KUNIT_EXPECT_GE(test, largest, 4);
	KUNIT_EXPECT_EQ(test, dev.read_pages, 1021);
	truncate_inode_pages_final(&mapping);
}

KUNIT_TEST(readahead_when_asked_brings_the_range)
{
	setup(test, 1000);
	KUNIT_EXPECT_EQ(test, force_page_cache_readahead(&mapping, NULL, 100, 200), 0);
	KUNIT_EXPECT_EQ(test, mapping.nrpages, 200);
	KUNIT_EXPECT_EQ(test, force_page_cache_readahead(&mapping, NULL, 50, 300), 0);
	KUNIT_EXPECT_EQ(test, mapping.nrpages, 300);
	KUNIT_EXPECT_EQ(test, dev.read_pages, 300);
	KUNIT_EXPECT_EQ(test, force_page_cache_readahead(&mapping, NULL, 990, 100), 0);
	KUNIT_EXPECT_EQ(test, mapping.nrpages, 310);
	truncate_inode_pages_final(&mapping);
}

/* ---- LRU ---------------------------------------------------------------------------------------------- */

KUNIT_TEST(the_second_touch_activates)
{
	struct sw_cache_stats s;

	setup(test, 64);
	read_page(test, NULL, 3);
	sw_cache_stats(&s);
	KUNIT_EXPECT_EQ(test, s.nr_inactive, 1);
	KUNIT_EXPECT_EQ(test, s.nr_active, 0);
	read_page(test, NULL, 3);
	sw_cache_stats(&s);
	KUNIT_EXPECT_EQ(test, s.nr_inactive, 0);
	KUNIT_EXPECT_EQ(test, s.nr_active, 1);
	KUNIT_EXPECT_EQ(test, global_node_state(NR_ACTIVE_FILE), 1);
	truncate_inode_pages_final(&mapping);
	KUNIT_EXPECT_EQ(test, global_node_state(NR_ACTIVE_FILE), 0);
}

KUNIT_TEST(reading_a_file_once_in_small_pieces_activates_nothing)
{
	struct file_ra_state ra;
	struct sw_cache_stats s;

	setup(test, 64);
	file_ra_state_init(&ra, &mapping);
	for (int i = 0; i < 64 * 64; i++)
		KUNIT_ASSERT_EQ(test, ramdev_pread(&mapping, &ra, buf, 64, i * 64), 64);
	sw_cache_stats(&s);
	KUNIT_EXPECT_EQ(test, s.nr_active, 0);
	KUNIT_EXPECT_EQ(test, s.nr_inactive, 64);
	truncate_inode_pages_final(&mapping);
}

KUNIT_TEST(what_is_used_again_survives_a_scan)
{
	struct sw_cache_limits l = { .max_pages = 64 };
	unsigned long reads;

	sw_cache_set_limits(&l);
	setup(test, 2000);
	for (int round = 0; round < 2; round++)
		for (pgoff_t i = 0; i < 20; i++)
			read_page(test, NULL, i);
	for (pgoff_t i = 100; i < 1000; i++) {
		read_page(test, NULL, i);
		KUNIT_ASSERT_LE(test, mapping.nrpages, 66);
	}
	reads = dev.read_pages;
	for (pgoff_t i = 0; i < 20; i++)
		read_page(test, NULL, i);
	KUNIT_EXPECT_EQ(test, dev.read_pages, reads);
	truncate_inode_pages_final(&mapping);
}

KUNIT_TEST(a_page_that_comes_back_soon_starts_active)
{
	struct sw_cache_limits l = { .max_pages = 64 };
	struct sw_cache_stats s;

	sw_cache_set_limits(&l);
	setup(test, 2000);
	for (int round = 0; round < 2; round++)
		for (pgoff_t i = 0; i < 30; i++)
			read_page(test, NULL, i);
	/* A loop over a few pages more than inactive holds: each is dropped shortly before it is wanted. */
	for (int round = 0; round < 3; round++)
		for (pgoff_t i = 100; i < 150; i++)
			read_page(test, NULL, i);
	sw_cache_stats(&s);
	KUNIT_EXPECT_GT(test, s.refaults, 0);
	KUNIT_EXPECT_GT(test, s.activated, 30);
	truncate_inode_pages_final(&mapping);
	KUNIT_EXPECT_TRUE(test, xa_empty(&mapping.i_pages));
}

KUNIT_TEST(shadows_do_not_pile_up)
{
	struct sw_cache_limits l = { .max_pages = 64 };
	unsigned long shadows = 0, index;
	void *entry;

	sw_cache_set_limits(&l);
	setup(test, 60000);
	for (pgoff_t i = 0; i < 60000; i += 3)
		read_page(test, NULL, i);
	xa_for_each(&mapping.i_pages, index, entry) shadows += xa_is_value(entry);
	KUNIT_EXPECT_LE(test, shadows, 1100);
	truncate_inode_pages_final(&mapping);
}

KUNIT_TEST(memory_pressure_takes_clean_pages_and_leaves_dirty_ones)
{
	setup(test, 2000);
	for (pgoff_t i = 0; i < 1000; i++)
		read_page(test, NULL, i);
	KUNIT_ASSERT_EQ(test, ramdev_pwrite(&mapping, "x", 1, 1500 << 12), 1);
	KUNIT_EXPECT_GE(test, sw_shrink(0), 900);
	KUNIT_EXPECT_LE(test, mapping.nrpages, 101);
	KUNIT_EXPECT_EQ(test, dev.writes, 0);
	KUNIT_EXPECT_EQ(test, dev.bdi.nr_dirty, 1);
	truncate_inode_pages_final(&mapping);
}

KUNIT_TEST(reclaim_writes_what_is_dirty_when_nothing_else_is_left)
{
	setup(test, 0);
	for (int i = 0; i < 100; i++)
		KUNIT_ASSERT_EQ(test, ramdev_pwrite(&mapping, buf, PAGE_SIZE, (sw_loff_t)i << 12),
				PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, sw_cache_reclaim(100), 100);
	KUNIT_EXPECT_EQ(test, dev.write_pages, 100);
	KUNIT_EXPECT_EQ(test, mapping.nrpages, 0);
	truncate_inode_pages_final(&mapping);
}

KUNIT_TEST(a_page_that_somebody_holds_is_not_reclaimed)
{
	struct folio *folio;

	setup(test, 10);
	read_page(test, NULL, 4);
	folio = filemap_get_folio(&mapping, 4);
	KUNIT_EXPECT_EQ(test, sw_cache_reclaim(10), 0);
	KUNIT_EXPECT_EQ(test, invalidate_mapping_pages(&mapping, 0, ~0ul), 0);
	KUNIT_EXPECT_EQ(test, invalidate_inode_pages2_range(&mapping, 0, ~0ul), -EBUSY);
	KUNIT_EXPECT_PTR_EQ(test, atomic_load(&folio->mapping), &mapping);
	folio_drop(folio);
	KUNIT_EXPECT_EQ(test, sw_cache_reclaim(10), 1);
	KUNIT_EXPECT_EQ(test, mapping.nrpages, 0);
	truncate_inode_pages_final(&mapping);
}

KUNIT_TEST(invalidation_takes_what_is_clean_and_writes_the_rest_if_it_must)
{
	setup(test, 64);
	for (pgoff_t i = 0; i < 32; i++)
		read_page(test, NULL, i);
	KUNIT_ASSERT_EQ(test, ramdev_pwrite(&mapping, buf, PAGE_SIZE, 10 << 12), PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, invalidate_mapping_pages(&mapping, 8, 15), 7);
	KUNIT_EXPECT_EQ(test, mapping.nrpages, 25);
	KUNIT_EXPECT_EQ(test, invalidate_inode_pages2_range(&mapping, 0, ~0ul), 0);
	KUNIT_EXPECT_EQ(test, mapping.nrpages, 0);
	KUNIT_EXPECT_EQ(test, dev.write_pages, 1);
	truncate_inode_pages_final(&mapping);
}

/* ---- seek, migrate --------------------------------------------------------------------------------------- */

static const struct address_space_operations mem_aops = {
	.dirty_folio = noop_dirty_folio,
	.write_begin = simple_write_begin,
	.write_end = simple_write_end,
};

static void mem_setup(void)
{
	address_space_init(&mapping, NULL, &mem_aops, GFP_HIGHUSER_MOVABLE);
	mapping_set(&mapping, AS_HOLES_ARE_ZERO);
	mapping_set_unevictable(&mapping);
	mapping_set_large_folios(&mapping);
}

KUNIT_TEST(data_and_holes_are_found)
{
	const sw_loff_t end = (40 << 12) + 100;

	mem_setup();
	ramdev_pwrite(&mapping, buf, 8192, 8 << 12);
	ramdev_pwrite(&mapping, buf, 1, 11 << 12);
	ramdev_pwrite(&mapping, buf, 100, 40 << 12);
	KUNIT_EXPECT_EQ(test, mapping.i_size, end);
	KUNIT_EXPECT_EQ(test, mapping_seek_hole_data(&mapping, 5, end, SEEK_HOLE), 5);
	KUNIT_EXPECT_EQ(test, mapping_seek_hole_data(&mapping, 5, end, SEEK_DATA), 8 << 12);
	KUNIT_EXPECT_EQ(test, mapping_seek_hole_data(&mapping, (8 << 12) + 7, end, SEEK_DATA),
			(8 << 12) + 7);
	KUNIT_EXPECT_EQ(test, mapping_seek_hole_data(&mapping, (8 << 12) + 7, end, SEEK_HOLE),
			10 << 12);
	KUNIT_EXPECT_EQ(test, mapping_seek_hole_data(&mapping, 11 << 12, end, SEEK_HOLE), 12 << 12);
	KUNIT_EXPECT_EQ(test, mapping_seek_hole_data(&mapping, 12 << 12, end, SEEK_DATA), 40 << 12);
	KUNIT_EXPECT_EQ(test, mapping_seek_hole_data(&mapping, 40 << 12, end, SEEK_HOLE), end);
	KUNIT_EXPECT_EQ(test, mapping_seek_hole_data(&mapping, end, end, SEEK_HOLE), -ENXIO);
	truncate_inode_pages_range(&mapping, 40 << 12, -1);
	KUNIT_EXPECT_EQ(test, mapping_seek_hole_data(&mapping, 13 << 12, end, SEEK_DATA), -ENXIO);
	truncate_inode_pages_final(&mapping);
}

KUNIT_TEST(a_folio_takes_over_from_another)
{
	struct folio *src, *dst;

	mem_setup();
	memset(buf, 0x5a, 16384);
	ramdev_pwrite(&mapping, buf, 16384, 0);
	src = filemap_lock_folio(&mapping, 0);
	KUNIT_EXPECT_EQ(test, folio_nr_pages(src), 4);
	dst = filemap_alloc_folio(&mapping, GFP_KERNEL, 2);
	KUNIT_ASSERT_TRUE(test, folio_trylock(dst));
	folio_hold(src);
	KUNIT_EXPECT_EQ(test, filemap_migrate_folio(&mapping, dst, src), -EAGAIN);
	folio_drop(src);
	KUNIT_EXPECT_EQ(test, filemap_migrate_folio(&mapping, dst, src), 0);
	folio_unlock(src);
	folio_unlock(dst);
	KUNIT_EXPECT_EQ(test, page_ref_count((struct page *)src), 1);
	KUNIT_EXPECT_EQ(test, page_ref_count((struct page *)dst), 2);
	folio_drop(src);
	memset(buf, 0, sizeof(buf));
	KUNIT_EXPECT_EQ(test, ramdev_pread(&mapping, NULL, buf, 16384, 0), 16384);
	for (int i = 0; i < 16384; i++)
		KUNIT_ASSERT_EQ(test, buf[i], 0x5a);
	KUNIT_EXPECT_TRUE(test, folio_test_dirty(dst));
	KUNIT_EXPECT_EQ(test, mapping.nrpages, 4);
	folio_drop(dst);
	truncate_inode_pages_final(&mapping);
	KUNIT_EXPECT_EQ(test, global_node_state(NR_FILE_PAGES), 0);
}

static void *migrate_thread(void *dst)
{
	struct folio *src = filemap_lock_folio(&mapping, 0);
	long err;

	folio_lock(dst);
	err = filemap_migrate_folio(&mapping, dst, src);
	folio_unlock(dst);
	folio_unlock(src);
	folio_drop(src);
	return (void *)err;
}

/* Nobody else would put it on the list, and then it stays for ever. */
KUNIT_TEST(who_takes_over_from_a_folio_that_reclaim_had_in_hand_is_on_the_list)
{
	struct folio *src, *dst;
	pthread_t thread;
	void *err;

	setup(test, 4);
	read_page(test, NULL, 0);
	src = filemap_get_folio(&mapping, 0);
	dst = filemap_alloc_folio(&mapping, GFP_KERNEL, 0);
	KUNIT_ASSERT_NOT_NULL(test, dst);
	spin_lock(&cache_lru.lock);
	lru_take(src);
	spin_unlock(&cache_lru.lock);
	xa_lock(&mapping.i_pages);
	KUNIT_ASSERT_EQ(test, pthread_create(&thread, NULL, migrate_thread, dst), 0);
	while (!folio_test_locked(dst))
		usleep(100);
	usleep(20000); /* until it waits for our lock */
	spin_lock(&cache_lru.lock);
	lru_put(src, false);
	spin_unlock(&cache_lru.lock);
	folio_drop(src);
	xa_unlock(&mapping.i_pages);
	pthread_join(thread, &err);
	KUNIT_ASSERT_NULL(test, err);
	KUNIT_EXPECT_TRUE(test, folio_test(dst, PG_lru));
	folio_drop(dst);
	KUNIT_EXPECT_EQ(test, lru_pages(), 1);
	truncate_inode_pages_final(&mapping);
	KUNIT_EXPECT_EQ(test, lru_pages(), 0);
}

/* ---- the last reference goes while others reclaim ------------------------------------------------------- */

static _Atomic bool watched_enough;
static _Atomic long seen_off_the_lists;

static void *watch_mark(void *folio)
{
	while (!atomic_load(&watched_enough))
		if (!folio_test(folio, PG_lru))
			atomic_fetch_add(&seen_off_the_lists, 1);
	return NULL;
}

/* folio_release() looks for PG_lru without a lock: not seen, the page would be freed and stay on the list. */
KUNIT_TEST(reclaim_never_hides_that_a_folio_without_references_is_on_a_list)
{
	struct folio *folio;
	pthread_t thread;

	setup(test, 4);
	read_page(test, NULL, 0);
	folio = filemap_lock_folio(&mapping, 0);
	KUNIT_ASSERT_TRUE(test, folio_test(folio, PG_lru));
	KUNIT_ASSERT_TRUE(test, folio_freeze(folio, 2));
	KUNIT_ASSERT_EQ(test, pthread_create(&thread, NULL, watch_mark, folio), 0);
	for (int i = 0; i < 20000; i++) {
		if (i % 2) { /* from active, too */
			spin_lock(&cache_lru.lock);
			lru_move(folio, true);
			spin_unlock(&cache_lru.lock);
		}
		KUNIT_ASSERT_EQ(test, sw_cache_reclaim(1), 0);
	}
	atomic_store(&watched_enough, true);
	pthread_join(thread, NULL);
	KUNIT_EXPECT_EQ(test, atomic_load(&seen_off_the_lists), 0);
	folio_unfreeze(folio, 2);
	folio_unlock(folio);
	folio_drop(folio);
	truncate_inode_pages_final(&mapping);
	KUNIT_EXPECT_EQ(test, lru_pages(), 0);
}
