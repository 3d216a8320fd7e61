/* SPDX-License-Identifier: MIT */
/* test_filemap.c - look up, insert, remove, read, write, truncate. Room under test: cache. */

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <kunit/test.h>

#include "lib/prng.h"
#include "../tests/cache/ramdev.h"

static const struct address_space_operations mem_aops = {
	.dirty_folio = noop_dirty_folio,
	.write_begin = simple_write_begin,
	.write_end = simple_write_end,
};

static bool in_place;

/* As tmpfs makes them. */
static void mem_mapping(struct address_space *mapping, bool large)
{
	address_space_init(mapping, NULL, &mem_aops, GFP_HIGHUSER_MOVABLE);
	mapping_set(mapping, AS_HOLES_ARE_ZERO);
	mapping_set_unevictable(mapping);
	if (in_place)
		mapping_set(mapping, AS_OVERWRITE_IN_PLACE);
	if (large)
		mapping_set_large_folios(mapping);
}

static struct ramdev dev;
static struct address_space mapping;

static void dev_setup(struct kunit *test, sw_loff_t size)
{
	void *bytes = mmap(NULL, RAMDEV_PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	KUNIT_ASSERT_TRUE(test, bytes != MAP_FAILED);
	ramdev_init(&dev, bytes);
	ramdev_mapping(&dev, &mapping, size);
	for (unsigned long i = 0; i < (unsigned long)size; i += 512)
		*(unsigned long *)(dev.bytes + i) = i;
}

/* ---- look up, insert, remove: F31 … F34 ------------------------------------------------------------ */

KUNIT_TEST(a_look_up_takes_a_reference_and_a_miss_is_null)
{
	struct page *page, *again;

	mem_mapping(&mapping, false);
	KUNIT_EXPECT_NULL(test, find_get_page(&mapping, 7));
	page = find_or_create_page(&mapping, 7, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_TRUE(test, PageLocked(page));
	KUNIT_EXPECT_EQ(test, page_ref_count(page), 2);
	unlock_page(page);
	again = find_get_page(&mapping, 7);
	KUNIT_EXPECT_PTR_EQ(test, again, page);
	KUNIT_EXPECT_EQ(test, page_ref_count(page), 3);
	folio_drop(page_folio(page));
	KUNIT_EXPECT_EQ(test, mapping.nrpages, 1);
	KUNIT_EXPECT_EQ(test, global_node_state(NR_FILE_PAGES), 1);
	lock_page(page);
	delete_from_page_cache(page);
	unlock_page(page);
	KUNIT_EXPECT_EQ(test, page_ref_count(page), 1);
	KUNIT_EXPECT_NULL(test, find_get_page(&mapping, 7));
	KUNIT_EXPECT_EQ(test, mapping.nrpages, 0);
	KUNIT_EXPECT_EQ(test, global_node_state(NR_FILE_PAGES), 0);
	folio_drop(page_folio(page));
}

KUNIT_TEST(a_second_page_at_the_same_index_is_refused)
{
	struct folio *a, *b;

	mem_mapping(&mapping, true);
	a = filemap_alloc_folio(&mapping, GFP_KERNEL, 0);
	b = filemap_alloc_folio(&mapping, GFP_KERNEL, 2);
	KUNIT_EXPECT_EQ(test, add_to_page_cache_lru((struct page *)a, &mapping, 5, GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, filemap_add_folio(&mapping, b, 4, GFP_KERNEL), -EEXIST);
	KUNIT_EXPECT_FALSE(test, folio_test_locked(b));
	KUNIT_EXPECT_EQ(test, filemap_add_folio(&mapping, b, 8, GFP_KERNEL), 0);
	for (pgoff_t i = 8; i < 12; i++) {
		struct page *page = find_get_page(&mapping, i);

		KUNIT_EXPECT_PTR_EQ(test, page, folio_page(b, i - 8));
		folio_drop(b);
	}
	KUNIT_EXPECT_EQ(test, mapping.nrpages, 5);
	KUNIT_EXPECT_EQ(test, page_ref_count((struct page *)b), 2);
	folio_unlock(a);
	folio_unlock(b);
	folio_drop(a);
	folio_drop(b);
	truncate_inode_pages_final(&mapping);
	KUNIT_EXPECT_EQ(test, mapping.nrpages, 0);
	KUNIT_EXPECT_TRUE(test, xa_empty(&mapping.i_pages));
}

static _Atomic int created;
static void *creator(void *arg)
{
	struct prng r;

	prng_seed(&r, (uintptr_t)arg);
	for (int i = 0; i < 40000; i++) {
		pgoff_t index = prng_below(&r, 64);
		struct page *page = find_or_create_page(&mapping, index, GFP_KERNEL);

		if (!page || page_folio(page)->index != index) {
			atomic_fetch_add(&created, 1000);
			break;
		}
		if (prng_below(&r, 4) == 0)
			delete_from_page_cache(page);
		unlock_page(page);
		folio_drop(page_folio(page));
	}
	return NULL;
}

KUNIT_TEST(two_threads_that_create_the_same_pages_get_the_same_ones, .timeout_s = 120)
{
	pthread_t t[2];

	mem_mapping(&mapping, false);
	for (uintptr_t i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, creator, (void *)(i + kunit_seed(test)));
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	KUNIT_EXPECT_EQ(test, created, 0);
	KUNIT_EXPECT_TRUE(test, !sw_xa_validate(&mapping.i_pages));
	KUNIT_EXPECT_EQ(test, mapping.nrpages, global_node_state(NR_FILE_PAGES));
	truncate_inode_pages_final(&mapping);
	KUNIT_EXPECT_EQ(test, global_node_state(NR_FILE_PAGES), 0);
}

/* ---- data against a plain buffer ---------------------------------------------------------------------- */

#define MODEL (3ul << 20)

static unsigned char *shadow_of_file, *scratch;
static sw_loff_t shadow_size;

static void model_op(struct kunit *test, struct prng *r, bool on_device, struct file_ra_state *ra)
{
	sw_loff_t pos = prng_below(r, MODEL), end;
	size_t len = prng_below(r, prng_below(r, 8) ? 20000 : 1 << 20);
	ssize_t want, got;

	if (prng_below(r, 3) == 0)
		pos &= ~(sw_loff_t)4095;
	if (pos + len > MODEL)
		len = MODEL - pos;
	end = pos + (sw_loff_t)len;
	switch (prng_below(r, 10)) {
	case 0:
	case 1:
	case 2:
		for (size_t i = 0; i < len; i++)
			scratch[i] = (unsigned char)prng_u64(r);
		KUNIT_ASSERT_EQ(test, ramdev_pwrite(&mapping, scratch, len, pos), len);
		memcpy(shadow_of_file + pos, scratch, len);
		if (len && end > shadow_size)
			shadow_size = end;
		break;
	case 3:
		if (on_device || prng_below(r, 2))
			break;
		down_write(&mapping.invalidate_lock); /* punch */
		if (len)
			truncate_inode_pages_range(&mapping, pos, end - 1);
		up_write(&mapping.invalidate_lock);
		memset(shadow_of_file + pos, 0, len);
		break;
	case 4:
		if (on_device && pos > shadow_size)
			break;
		down_write(&mapping.invalidate_lock);
		atomic_store(&mapping.i_size, pos);
		truncate_inode_pages(&mapping, pos);
		up_write(&mapping.invalidate_lock);
		memset(shadow_of_file + pos, 0, MODEL - (size_t)pos);
		if (on_device) /* what a file system frees, it zeroes when it is given out again */
			memset(dev.bytes + pos, 0, MODEL - (size_t)pos);
		shadow_size = pos;
		break;
	case 5:
		if (on_device) {
			sw_cache_reclaim(prng_below(r, 600));
			break;
		}
		__attribute__((fallthrough));
	default:
		want = pos >= shadow_size ? 0 :
		       end > shadow_size  ? shadow_size - pos :
					    (ssize_t)len;
		got = ramdev_pread(&mapping, ra, scratch, len, pos);
		KUNIT_ASSERT_EQ(test, got, want);
		KUNIT_ASSERT_MEMEQ(test, scratch, shadow_of_file + pos, want);
	}
	KUNIT_ASSERT_EQ(test, mapping.i_size, shadow_size);
}

static void run_model(struct kunit *test, bool on_device, int ops, bool large)
{
	struct file_ra_state ra;
	struct prng r;

	prng_seed(&r, kunit_seed(test));
	shadow_of_file = calloc(1, MODEL);
	scratch = malloc(MODEL);
	shadow_size = 0;
	if (on_device)
		dev_setup(test, 0);
	else
		mem_mapping(&mapping, large);
	if (large)
		mapping_set_large_folios(&mapping);
	file_ra_state_init(&ra, &mapping);
	for (int i = 0; i < ops; i++) {
		model_op(test, &r, on_device, on_device && prng_below(&r, 2) ? &ra : NULL);
		if (i % 64 == 0)
			KUNIT_ASSERT_TRUE(test, !sw_xa_validate(&mapping.i_pages), "%s",
					  sw_xa_validate(&mapping.i_pages));
	}
	if (on_device) {
		KUNIT_EXPECT_EQ(test, filemap_write_and_wait_range(&mapping, 0, MAX_LFS_FILESIZE),
				0);
		KUNIT_EXPECT_MEMEQ(test, dev.bytes, shadow_of_file, (size_t)shadow_size);
		KUNIT_EXPECT_EQ(test, dev.bdi.nr_dirty, 0);
		KUNIT_EXPECT_EQ(test, dev.bdi.nr_writeback, 0);
	}
	truncate_inode_pages_final(&mapping);
	KUNIT_EXPECT_TRUE(test, xa_empty(&mapping.i_pages));
	KUNIT_EXPECT_EQ(test, global_node_state(NR_FILE_PAGES), 0);
	KUNIT_EXPECT_EQ(test, global_node_state(NR_FILE_DIRTY), 0);
	KUNIT_EXPECT_EQ(test, global_node_state(NR_ACTIVE_FILE), 0);
	KUNIT_EXPECT_EQ(test, global_node_state(NR_INACTIVE_FILE), 0);
}

KUNIT_TEST(memory_holds_what_was_written, .timeout_s = 120)
{
	run_model(test, false, 1500, false);
}

KUNIT_TEST(memory_holds_what_was_written_with_large_folios, .timeout_s = 120)
{
	run_model(test, false, 1500, true);
}

KUNIT_TEST(memory_holds_what_was_written_in_place, .timeout_s = 120)
{
	in_place = true;
	run_model(test, false, 1500, true);
}

KUNIT_TEST(a_device_holds_what_was_written, .timeout_s = 120)
{
	run_model(test, true, 1500, false);
}

KUNIT_TEST(a_device_holds_what_was_written_with_large_folios, .timeout_s = 120)
{
	run_model(test, true, 1500, true);
}

static void run_small_cache(struct kunit *test, unsigned long pages)
{
	struct sw_cache_limits l = { .max_pages = pages };
	struct sw_cache_stats stats;

	sw_cache_set_limits(&l);
	run_model(test, true, 700, pages > 100);
	sw_cache_stats(&stats);
	KUNIT_EXPECT_GT(test, stats.reclaimed, 0);
}

KUNIT_TEST(a_cache_of_sixteen_pages_is_enough, .timeout_s = 120)
{
	run_small_cache(test, 16);
}

KUNIT_TEST(a_cache_of_256_pages_is_enough, .timeout_s = 120)
{
	run_small_cache(test, 256);
}

/* ---- a folio that goes while it is being copied --------------------------------------------------------- */

/*
 * The reader's buffer faults in the middle of the copy, and the handler takes the page out of the file, and gives its memory to
 * somebody else who writes there. What the read returns must not have a byte of that, nor be half of each.
 */
static char *landing; /* two pages; the second faults until the handler was there */

static void page_goes(int sig)
{
	struct page *page = find_lock_page(&mapping, 0), *others[64];

	(void)sig;
	if (page) {
		delete_from_page_cache(page);
		unlock_page(page);
		folio_drop(page_folio(page));
	}
	for (int i = 0; i < 64; i++) {
		others[i] = alloc_page(GFP_HIGHUSER_MOVABLE);
		if (others[i])
			memset(page_address(others[i]), 'X', PAGE_SIZE);
	}
	mprotect(landing + PAGE_SIZE, PAGE_SIZE, PROT_READ | PROT_WRITE);
}

static void prepare_landing(struct kunit *test)
{
	char bytes[PAGE_SIZE];

	memset(bytes, 'A', sizeof(bytes));
	mem_mapping(&mapping, false);
	KUNIT_ASSERT_EQ(test, ramdev_pwrite(&mapping, bytes, sizeof(bytes), 0), sizeof(bytes));
	landing = mmap(NULL, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		       0);
	KUNIT_ASSERT_TRUE(test, landing != MAP_FAILED);
	memset(landing, 'l', PAGE_SIZE);
	mprotect(landing + PAGE_SIZE, PAGE_SIZE, PROT_NONE);
	signal(SIGSEGV, page_goes);
}

KUNIT_TEST(a_page_that_is_freed_while_it_is_copied_is_read_again)
{
	char *to;

	prepare_landing(test);
	to = landing + PAGE_SIZE - 64;
	KUNIT_ASSERT_EQ(test, ramdev_pread(&mapping, NULL, to, PAGE_SIZE, 0), PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, mapping.nrpages, 0);
	/* The page as it was, or the hole that it is now. */
	KUNIT_EXPECT_TRUE(test, to[0] == 'A' || !to[0]);
	for (unsigned long i = 0; i < PAGE_SIZE; i++)
		KUNIT_ASSERT_EQ(test, to[i], to[0], "byte %lu", i);
}

KUNIT_TEST(a_hit_says_that_its_page_was_freed_meanwhile)
{
	ssize_t n;

	prepare_landing(test);
	rcu_read_lock();
	n = filemap_read_hit(&mapping, 0, landing + PAGE_SIZE - 64, PAGE_SIZE);
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, n, -EAGAIN);
}
