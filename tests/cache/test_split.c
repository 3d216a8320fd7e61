/* SPDX-License-Identifier: MIT */
/* test_split.c - folios that are cut: what goes is given back, what stays is right. Room under test: cache. */

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <kunit/test.h>
#include <slabwork/err.h>

#include "cache/lru.h"
#include "lib/prng.h"
#include "../tests/cache/ramdev.h"

#define ORDER 9
#define PAGES (1ul << ORDER)
#define BYTES (PAGES * PAGE_SIZE)

static const struct address_space_operations mem_aops = { .dirty_folio = noop_dirty_folio };
static struct ramdev dev;
static struct address_space mapping;

/* Each page's words say which it is. */
static void write_numbers(struct folio *folio)
{
	unsigned long *words = folio_addr(folio);

	for (size_t i = 0; i < folio_bytes(folio) / 8; i++)
		words[i] = folio->index + i / (PAGE_SIZE / 8) + 1;
	folio_mark_uptodate(folio);
	folio_mark_dirty(folio);
	folio_unlock(folio);
}

/* One folio of 512 pages at @index, with one reference of ours. */
static struct folio *add_numbers(struct kunit *test, pgoff_t index)
{
	struct folio *folio = filemap_alloc_folio(&mapping, GFP_KERNEL, ORDER);

	KUNIT_ASSERT_NOT_NULL(test, folio);
	KUNIT_ASSERT_EQ(test, filemap_add_folio(&mapping, folio, index, GFP_KERNEL), 0);
	write_numbers(folio);
	return folio;
}

static void mem_mapping(void)
{
	address_space_init(&mapping, NULL, &mem_aops, GFP_HIGHUSER_MOVABLE);
	mapping_set(&mapping, AS_HOLES_ARE_ZERO);
	mapping_set_unevictable(&mapping);
	mapping_set_large_folios(&mapping);
	mapping.i_size = MAX_LFS_FILESIZE;
}

static void dev_mapping(struct kunit *test)
{
	void *bytes = mmap(NULL, RAMDEV_PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	KUNIT_ASSERT_TRUE(test, bytes != MAP_FAILED);
	ramdev_init(&dev, bytes);
	ramdev_mapping(&dev, &mapping, (sw_loff_t)(RAMDEV_PAGES * PAGE_SIZE));
	mapping_set_large_folios(&mapping);
}

/* Words [@from, @to) bytes of the file: the page's number, or @zero. */
static void expect_words(struct kunit *test, size_t from, size_t to, bool zero)
{
	for (size_t pos = from; pos < to; pos += 8) {
		pgoff_t index = pos >> PAGE_SHIFT;
		struct folio *folio = filemap_get_folio(&mapping, index);
		const char *at;

		if (IS_ERR(folio)) {
			KUNIT_ASSERT_TRUE(test, zero);
			pos |= PAGE_SIZE - 8;
			continue;
		}
		at = (char *)folio_addr(folio) + offset_in_folio(folio, (sw_loff_t)pos);
		KUNIT_ASSERT_EQ(test, *(const unsigned long *)(const void *)at,
				zero ? 0 : index + 1);
		folio_drop(folio);
	}
}

KUNIT_TEST(a_hole_in_a_huge_folio_gives_its_pages_back)
{
	size_t from = 100 * PAGE_SIZE + 40, to = 300 * PAGE_SIZE + 80;

	mem_mapping();
	folio_drop(add_numbers(test, PAGES));
	truncate_inode_pages_range(&mapping, (sw_loff_t)(BYTES + from),
				   (sw_loff_t)(BYTES + to) - 1);
	KUNIT_EXPECT_EQ(test, mapping.nrpages, PAGES - 199);
	KUNIT_EXPECT_EQ(test, global_node_state(NR_FILE_PAGES), PAGES - 199);
	KUNIT_EXPECT_NULL(test, sw_xa_validate(&mapping.i_pages));
	expect_words(test, BYTES, BYTES + from, false);
	expect_words(test, BYTES + from, BYTES + to, true);
	expect_words(test, BYTES + to, 2 * BYTES, false);
	KUNIT_EXPECT_TRUE(test, IS_ERR(filemap_get_folio(&mapping, PAGES + 101)));
	KUNIT_EXPECT_TRUE(test, IS_ERR(filemap_get_folio(&mapping, PAGES + 299)));
	truncate_inode_pages_final(&mapping);
	KUNIT_EXPECT_EQ(test, mapping.nrpages, 0);
	KUNIT_EXPECT_EQ(test, global_node_state(NR_FILE_PAGES), 0);
}

/* 512 = 256 + 128 + ... + 1 + 1: what stays of a folio that is cut after its first page. */
KUNIT_TEST(what_stays_of_a_cut_folio_is_as_large_as_can_be)
{
	struct folio *folio;

	mem_mapping();
	folio_drop(add_numbers(test, 0));
	truncate_inode_pages_range(&mapping, (sw_loff_t)(511 * PAGE_SIZE), -1);
	KUNIT_EXPECT_EQ(test, mapping.nrpages, 511);
	for (pgoff_t index = 0, nr = 256; nr; index += nr, nr /= 2) {
		folio = filemap_get_folio(&mapping, index);
		KUNIT_ASSERT_FALSE(test, IS_ERR(folio));
		KUNIT_EXPECT_EQ(test, folio->index, index);
		KUNIT_EXPECT_EQ(test, folio_nr_pages(folio), nr);
		KUNIT_EXPECT_EQ(test, page_ref_count((struct page *)folio), 2);
		KUNIT_EXPECT_TRUE(test, folio_test_uptodate(folio) && folio_test_dirty(folio));
		KUNIT_EXPECT_FALSE(test, folio_test_locked(folio));
		KUNIT_EXPECT_PTR_EQ(test, page_folio(folio_page(folio, nr - 1)), folio);
		folio_drop(folio);
	}
	truncate_inode_pages_final(&mapping);
}

KUNIT_TEST(a_folio_that_somebody_holds_is_zeroed_and_stays_whole)
{
	struct folio *folio;

	mem_mapping();
	folio = add_numbers(test, 0);
	truncate_inode_pages_range(&mapping, (sw_loff_t)(10 * PAGE_SIZE), -1);
	KUNIT_EXPECT_EQ(test, mapping.nrpages, PAGES);
	KUNIT_EXPECT_EQ(test, folio_nr_pages(folio), PAGES);
	expect_words(test, 0, 10 * PAGE_SIZE, false);
	expect_words(test, 10 * PAGE_SIZE, BYTES, true);
	folio_drop(folio);
	truncate_inode_pages_range(&mapping, (sw_loff_t)(10 * PAGE_SIZE), -1);
	KUNIT_EXPECT_EQ(test, mapping.nrpages, 10);
	truncate_inode_pages_final(&mapping);
}

/* The lists' and the write-back's counts are by page, so pieces must leave as many as they were. */
KUNIT_TEST(pieces_stay_dirty_and_on_the_lists)
{
	struct sw_cache_stats stats;
	struct folio *folio;

	dev_mapping(test);
	folio_drop(add_numbers(test, 0));
	truncate_inode_pages_range(&mapping, (sw_loff_t)(5 * PAGE_SIZE),
				   (sw_loff_t)(507 * PAGE_SIZE) - 1);
	sw_cache_stats(&stats);
	KUNIT_EXPECT_EQ(test, stats.nr_pages, 10);
	KUNIT_EXPECT_EQ(test, stats.nr_dirty, 10);
	KUNIT_EXPECT_EQ(test, stats.nr_active + stats.nr_inactive, 10);
	for (pgoff_t index = 0; index < PAGES; index += index == 4 ? 503 : 1) {
		KUNIT_EXPECT_TRUE(test, xa_get_mark(&mapping.i_pages, index, PAGECACHE_TAG_DIRTY));
		folio = filemap_get_folio(&mapping, index);
		KUNIT_ASSERT_FALSE(test, IS_ERR(folio));
		KUNIT_EXPECT_TRUE(test, folio_test(folio, PG_lru));
		folio_drop(folio);
	}
	KUNIT_EXPECT_EQ(test, filemap_write_and_wait_range(&mapping, 0, MAX_LFS_FILESIZE), 0);
	sw_cache_stats(&stats);
	KUNIT_EXPECT_EQ(test, stats.nr_dirty, 0);
	KUNIT_EXPECT_EQ(test, *(unsigned long *)(void *)(dev.bytes + 4 * PAGE_SIZE), 5);
	KUNIT_EXPECT_EQ(test, *(unsigned long *)(void *)(dev.bytes + 507 * PAGE_SIZE), 508);
	truncate_inode_pages_final(&mapping);
	sw_cache_stats(&stats);
	KUNIT_EXPECT_EQ(test, stats.nr_active + stats.nr_inactive, 0);
}

static void *cut_thread(void *arg)
{
	(void)arg;
	truncate_inode_pages_range(&mapping, (sw_loff_t)(100 * PAGE_SIZE), -1);
	return NULL;
}

/* Until another thread cuts @folio and waits for a lock that we hold. */
static void start_cut(struct kunit *test, struct folio *folio, pthread_t *thread)
{
	KUNIT_ASSERT_EQ(test, pthread_create(thread, NULL, cut_thread, NULL), 0);
	while (!folio_test_locked(folio))
		usleep(100);
	usleep(20000);
}

/* Off the list with a reference, as reclaim takes it. lru_lock held. */
static void take_in_hand(struct folio *folio)
{
	folio_hold(folio);
	lru_take(folio);
}

/* And back, as reclaim does that may not have it. */
static void put_back(struct folio *folio)
{
	spin_lock(&cache_lru.lock);
	lru_put(folio, false);
	spin_unlock(&cache_lru.lock);
	folio_drop(folio);
}

KUNIT_TEST(a_folio_that_reclaim_puts_back_while_it_is_cut_is_on_the_list_in_pieces)
{
	struct sw_cache_stats stats;
	struct folio *folio;
	pthread_t thread;

	dev_mapping(test);
	folio = add_numbers(test, 0);
	folio_drop(folio);
	xa_lock(&mapping.i_pages);
	spin_lock(&cache_lru.lock);
	start_cut(test, folio, &thread);
	take_in_hand(folio);
	spin_unlock(&cache_lru.lock);
	usleep(20000);
	put_back(folio);
	xa_unlock(&mapping.i_pages);
	pthread_join(thread, NULL);
	sw_cache_stats(&stats);
	KUNIT_EXPECT_EQ(test, stats.nr_pages, 100);
	KUNIT_EXPECT_EQ(test, stats.nr_active + stats.nr_inactive, 100);
	truncate_inode_pages_final(&mapping);
	sw_cache_stats(&stats);
	KUNIT_EXPECT_EQ(test, stats.nr_active + stats.nr_inactive, 0);
}

KUNIT_TEST(a_folio_that_reclaim_has_in_hand_is_put_back_by_nobody_else)
{
	struct sw_cache_stats stats;
	struct folio *folio;
	pthread_t thread;

	dev_mapping(test);
	folio = add_numbers(test, 0);
	folio_drop(folio);
	spin_lock(&cache_lru.lock);
	xa_lock(&mapping.i_pages);
	start_cut(test, folio, &thread);
	take_in_hand(folio);
	spin_unlock(&cache_lru.lock);
	xa_unlock(&mapping.i_pages);
	pthread_join(thread, NULL);
	KUNIT_ASSERT_FALSE(test, folio_test(folio, PG_lru));
	put_back(folio);
	sw_cache_stats(&stats);
	KUNIT_EXPECT_EQ(test, stats.nr_active + stats.nr_inactive, PAGES);
	truncate_inode_pages_final(&mapping);
	sw_cache_stats(&stats);
	KUNIT_EXPECT_EQ(test, stats.nr_active + stats.nr_inactive, 0);
}

KUNIT_TEST(any_holes_leave_what_is_beside_them, .timeout_s = 300)
{
	static bool gone[PAGES];
	struct prng r;

	prng_seed(&r, kunit_seed(test));
	mem_mapping();
	for (int round = 0; round < 60; round++) {
		unsigned long left = PAGES;

		memset(gone, 0, sizeof(gone));
		folio_drop(add_numbers(test, 0));
		for (int hole = 0; hole < 12; hole++) {
			size_t first = prng_below(&r, PAGES);
			size_t end = first + 1 + prng_below(&r, 1 + prng_below(&r, PAGES - first));

			truncate_inode_pages_range(&mapping, (sw_loff_t)(first * PAGE_SIZE),
						   (sw_loff_t)(end * PAGE_SIZE) - 1);
			for (size_t i = first; i < end; i++) {
				left -= !gone[i];
				gone[i] = true;
			}
			KUNIT_ASSERT_EQ(test, mapping.nrpages, left);
			KUNIT_ASSERT_NULL(test, sw_xa_validate(&mapping.i_pages));
		}
		for (size_t i = 0; i < PAGES; i++)
			expect_words(test, i * PAGE_SIZE, (i + 1) * PAGE_SIZE, gone[i]);
		truncate_inode_pages_range(&mapping, 0, -1);
		KUNIT_ASSERT_EQ(test, global_node_state(NR_FILE_PAGES), 0);
	}
}

/* The last page that a file can have, and the large folio around it: its end is no offset any more. */
KUNIT_TEST(the_end_of_the_largest_file_is_cut_like_any_other)
{
	const pgoff_t index = ((pgoff_t)MAX_LFS_FILESIZE >> PAGE_SHIFT) + 1 - PAGES;

	mem_mapping();
	folio_drop(add_numbers(test, index));
	truncate_inode_pages_range(&mapping, (sw_loff_t)((index + 3) << PAGE_SHIFT), -1);
	KUNIT_EXPECT_EQ(test, mapping.nrpages, 3);
	truncate_inode_pages_range(&mapping, (sw_loff_t)((index + 1) << PAGE_SHIFT), -1);
	KUNIT_EXPECT_EQ(test, mapping.nrpages, 1);
	truncate_inode_pages_final(&mapping);
	KUNIT_EXPECT_EQ(test, mapping.nrpages, 0);
}
