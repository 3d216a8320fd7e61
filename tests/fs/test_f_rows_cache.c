/* SPDX-License-Identifier: MIT */
/*
 * test_f_rows_cache.c - the statements F26 to F45 of the source document: page cache, three ways to read and write
 *
 * Rooms under test: cache, vfs. The file system is ramdev.h's, whose device counts what crosses the wire.
 */

#include "fs_test.h"

#include <sys/mman.h>

#define PAGES(n) ((size_t)(n) << PAGE_SHIFT)

static char buf[PAGES(1024)];

/* "/f" of so many pages of the pattern, only on the device: everything in memory is cold. Its fd. */
static int cold_file(struct kunit *test, size_t pages)
{
	int fd;

	put_pattern(test, "/f", PAGES(pages), 0);
	KUNIT_ASSERT_EQ(test, ramdev_remount(), 0);
	fd = sw_fs_open("/f", O_RDWR, 0);
	KUNIT_ASSERT_GE(test, fd, 0);
	ramdev_reset();
	return fd;
}

static struct file *file_of(struct kunit *test, const char *path)
{
	struct file *file = filp_open(path, O_RDWR, 0);

	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	return file;
}

/* ---- F26: what was read once is not read from the device again ------------------------------------- */

KUNIT_TEST(f26_a_second_read_does_not_reach_the_device)
{
	mount_ramdev(test);
	int fd = cold_file(test, 16);

	KUNIT_EXPECT_EQ(test, sw_fs_pread(fd, buf, PAGES(16), 0), PAGES(16));
	KUNIT_EXPECT_TRUE(test, is_pattern(buf, PAGES(16), 0, 0));
	KUNIT_EXPECT_EQ(test, ramdev.reads, 16);
	ramdev_reset();
	memset(buf, 0, PAGES(16));
	for (int i = 0; i < 10; i++)
		KUNIT_EXPECT_EQ(test, sw_fs_pread(fd, buf, PAGES(16), 0), PAGES(16));
	KUNIT_EXPECT_TRUE(test, is_pattern(buf, PAGES(16), 0, 0));
	KUNIT_EXPECT_EQ(test, ramdev.reads, 0);
	sw_fs_close(fd);
	fd = sw_fs_open("/f", O_RDONLY, 0);
	KUNIT_EXPECT_EQ(test, sw_fs_read(fd, buf, PAGES(16)), PAGES(16));
	KUNIT_EXPECT_EQ(test, ramdev.reads, 0);
}

/* ---- F27 to F30: the address space --------------------------------------------------------------------- */

KUNIT_TEST(f27_every_open_of_an_inode_has_its_mapping)
{
	struct file *a, *b, *c;

	mount_ramdev(test);
	put_file(test, "/f", "x", 1);
	put_file(test, "/g", "x", 1);
	a = file_of(test, "/f");
	b = file_of(test, "/f");
	c = file_of(test, "/g");
	KUNIT_EXPECT_PTR_EQ(test, file_inode(a), file_inode(b));
	KUNIT_EXPECT_PTR_EQ(test, a->f_mapping, file_inode(a)->i_mapping);
	KUNIT_EXPECT_PTR_EQ(test, b->f_mapping, a->f_mapping);
	KUNIT_EXPECT_PTR_EQ(test, a->f_mapping, &file_inode(a)->i_data);
	KUNIT_EXPECT_PTR_EQ(test, a->f_mapping->host, file_inode(a));
	KUNIT_EXPECT_PTR_NE(test, c->f_mapping, a->f_mapping);
}

KUNIT_TEST(f28_the_tree_of_a_mapping_has_a_root_node_and_an_allocation_mask)
{
	struct address_space *mapping;
	struct file *file;

	mount_ramdev(test);
	put_pattern(test, "/f", PAGES(100), 0);
	file = file_of(test, "/f");
	mapping = file->f_mapping;
	KUNIT_EXPECT_PTR_EQ(test, (void *)&mapping->page_tree, (void *)&mapping->i_pages);
	KUNIT_EXPECT_NOT_NULL(test, mapping->page_tree.rnode);
	KUNIT_EXPECT_NE(test, mapping_gfp_mask(mapping), 0);
	KUNIT_EXPECT_EQ(test, mapping->nrpages, 100);
	mapping_set_gfp_mask(mapping, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, mapping_gfp_mask(mapping), GFP_KERNEL);
}

KUNIT_TEST(f29_the_tree_maps_an_index_to_the_page_of_that_index)
{
	struct address_space *mapping;
	bool there[512] = { false };
	struct rng rng = { kunit_seed(test) };

	mount_ramdev(test);
	int fd = cold_file(test, 512);

	mapping = file_of(test, "/f")->f_mapping;
	mapping->bdi->ra_pages = 0;
	KUNIT_EXPECT_EQ(test, sw_fs_fadvise(fd, 0, 0, POSIX_FADV_RANDOM), 0);
	for (int i = 0; i < 200; i++) {
		unsigned int index = rng_below(&rng, 512);

		KUNIT_EXPECT_EQ(test, sw_fs_pread(fd, buf, 1, (int64_t)PAGES(index)), 1);
		there[index] = true;
	}
	for (unsigned int i = 0; i < 512; i++) {
		struct page *page = radix_tree_lookup(&mapping->page_tree, i);

		KUNIT_EXPECT_EQ(test, page != NULL, there[i], "page %u", i);
		if (page) {
			KUNIT_EXPECT_EQ(test, fast_page_folio(page)->index, i);
			KUNIT_EXPECT_PTR_EQ(test, fast_page_folio(page)->mapping, mapping);
			KUNIT_EXPECT_TRUE(test, is_pattern(folio_addr(fast_page_folio(page)),
							   PAGE_SIZE, PAGES(i), 0));
		}
	}
}

KUNIT_TEST(f30_a_mapping_ties_pages_to_their_place_on_the_device)
{
	uint64_t ino;

	mount_ramdev(test);
	int fd = cold_file(test, 8);

	ino = ramdev_entry("f");
	KUNIT_EXPECT_EQ(test, sw_fs_pwrite(fd, "changed", 7, (int64_t)PAGES(5)), 7);
	KUNIT_EXPECT_TRUE(test, is_pattern(ramdev_block(ino, 5), PAGE_SIZE, PAGES(5), 0));
	KUNIT_EXPECT_EQ(test, sw_fs_fsync(fd), 0);
	KUNIT_EXPECT_EQ(test, ramdev.writes, 1);
	KUNIT_EXPECT_EQ(test, memcmp(ramdev_block(ino, 5), "changed", 7), 0);
	KUNIT_EXPECT_TRUE(test, is_pattern(ramdev_block(ino, 4), PAGE_SIZE, PAGES(4), 0));
	KUNIT_EXPECT_TRUE(test, is_pattern(ramdev_block(ino, 6), PAGE_SIZE, PAGES(6), 0));
}

/* ---- F31 to F34: the calls by their old names ------------------------------------------------------------- */

KUNIT_TEST(f31_find_get_page_is_null_on_a_miss_and_a_reference_on_a_hit)
{
	struct address_space *mapping;
	struct page *page;
	int count;

	mount_ramdev(test);
	cold_file(test, 4);
	mapping = file_of(test, "/f")->f_mapping;
	KUNIT_EXPECT_NULL(test, find_get_page(mapping, 2));
	page = find_or_create_page(mapping, 2, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, page);
	unlock_page(page);
	count = page_ref_count(page);
	KUNIT_EXPECT_PTR_EQ(test, find_get_page(mapping, 2), page);
	KUNIT_EXPECT_EQ(test, page_ref_count(page), count + 1);
	KUNIT_EXPECT_NULL(test, find_get_page(mapping, 3));
	KUNIT_EXPECT_NULL(test, find_get_page(mapping, 1UL << 40));
}

struct finders {
	struct address_space *mapping;
	_Atomic int ready;
	struct page *page[4];
};

static void *find_one(void *arg)
{
	struct finders *f = arg;
	int who = atomic_fetch_add(&f->ready, 1);

	while (atomic_load(&f->ready) < 4)
		;
	f->page[who] = find_or_create_page(f->mapping, 7, GFP_KERNEL);
	if (f->page[who])
		unlock_page(f->page[who]);
	return NULL;
}

KUNIT_TEST(f32_concurrent_callers_of_find_or_create_page_get_one_page)
{
	mount_ramdev(test);
	put_file(test, "/f", "", 0);
	for (int round = 0; round < 200; round++) {
		struct finders f = { .mapping = file_of(test, "/f")->f_mapping };
		pthread_t thread[4];

		for (int i = 0; i < 4; i++)
			KUNIT_ASSERT_EQ(test, pthread_create(&thread[i], NULL, find_one, &f), 0);
		for (int i = 0; i < 4; i++)
			pthread_join(thread[i], NULL);
		KUNIT_ASSERT_NOT_NULL(test, f.page[0]);
		for (int i = 1; i < 4; i++)
			KUNIT_ASSERT_PTR_EQ(test, f.page[i], f.page[0]);
		KUNIT_ASSERT_EQ(test, page_ref_count(f.page[0]), 5); /* four and the cache */
		for (int i = 1; i < 4; i++)
			folio_drop(fast_page_folio(f.page[i]));
		lock_page(f.page[0]);
		delete_from_page_cache(f.page[0]);
		unlock_page(f.page[0]);
		folio_drop(fast_page_folio(f.page[0]));
	}
}

KUNIT_TEST(f33_add_to_page_cache_lru_puts_a_page_into_tree_and_lru_once)
{
	struct sw_cache_stats before, after;
	struct address_space *mapping;
	struct folio *folio, *second;

	mount_ramdev(test);
	put_file(test, "/f", "", 0);
	mapping = file_of(test, "/f")->f_mapping;
	folio = filemap_alloc_folio(mapping, GFP_KERNEL, 0);
	second = filemap_alloc_folio(mapping, GFP_KERNEL, 0);
	KUNIT_ASSERT_NOT_NULL(test, folio);
	KUNIT_ASSERT_NOT_NULL(test, second);
	sw_cache_stats(&before);
	KUNIT_EXPECT_EQ(test, add_to_page_cache_lru((struct page *)folio, mapping, 3, GFP_KERNEL),
			0);
	KUNIT_EXPECT_EQ(test, add_to_page_cache_lru((struct page *)second, mapping, 3, GFP_KERNEL),
			-EEXIST);
	sw_cache_stats(&after);
	KUNIT_EXPECT_PTR_EQ(test, radix_tree_lookup(&mapping->page_tree, 3), (void *)folio);
	KUNIT_EXPECT_EQ(test, after.nr_pages, before.nr_pages + 1);
	KUNIT_EXPECT_EQ(test, after.nr_active + after.nr_inactive,
			before.nr_active + before.nr_inactive + 1);
	KUNIT_EXPECT_TRUE(test, folio_test_locked(folio));
	KUNIT_EXPECT_FALSE(test, folio_test_uptodate(folio));
	KUNIT_EXPECT_EQ(test, atomic_load(&folio->_refcount), 2);
}

KUNIT_TEST(f34_delete_from_page_cache_takes_the_page_out_and_its_reference)
{
	struct address_space *mapping;
	struct page *page;

	mount_ramdev(test);
	put_file(test, "/f", "", 0);
	mapping = file_of(test, "/f")->f_mapping;
	page = find_or_create_page(mapping, 3, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_EQ(test, mapping->nrpages, 1);
	delete_from_page_cache(page);
	KUNIT_EXPECT_NULL(test, find_get_page(mapping, 3));
	KUNIT_EXPECT_EQ(test, mapping->nrpages, 0);
	KUNIT_EXPECT_EQ(test, page_ref_count(page), 1);
	KUNIT_EXPECT_NULL(test, fast_page_folio(page)->mapping);
	unlock_page(page);
	folio_drop(fast_page_folio(page));
}

/* ---- F35, F36, F39: three ways ------------------------------------------------------------------------------ */

TEST_ON_BOTH(f35_calls_streams_and_mappings_see_the_same_bytes)
{
	unsigned char *map;
	void *addr;
	FILE *stream;
	int fd;

	put_pattern(test, "/f", PAGES(9) + 100, 1);
	fd = sw_fs_open("/f", O_RDWR, 0);
	KUNIT_ASSERT_EQ(test, sw_fs_pread(fd, buf, PAGES(10), 0), PAGES(9) + 100);
	KUNIT_EXPECT_TRUE(test, is_pattern(buf, PAGES(9) + 100, 0, 1));
	memset(buf, 0, PAGES(10));
	stream = sw_fs_fopen("/f", "r");
	KUNIT_ASSERT_NOT_NULL(test, stream);
	KUNIT_EXPECT_EQ(test, fread(buf, 1, PAGES(10), stream), PAGES(9) + 100);
	KUNIT_EXPECT_TRUE(test, is_pattern(buf, PAGES(9) + 100, 0, 1));
	KUNIT_EXPECT_TRUE(test, feof(stream));
	fclose(stream);
	KUNIT_ASSERT_EQ(
		test, sw_fs_mmap(NULL, PAGES(10), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0, &addr),
		0);
	map = addr;
	KUNIT_EXPECT_TRUE(test, is_pattern(map, PAGES(9) + 100, 0, 1));
	/* And each sees what another writes. */
	KUNIT_EXPECT_EQ(test, sw_fs_pwrite(fd, "written", 7, (int64_t)PAGES(4)), 7);
	KUNIT_EXPECT_EQ(test, memcmp(map + PAGES(4), "written", 7), 0);
	memcpy(map + PAGES(7) + 11, "stored", 6);
	KUNIT_EXPECT_EQ(test, sw_fs_pread(fd, buf, 6, (int64_t)PAGES(7) + 11), 6);
	KUNIT_EXPECT_EQ(test, memcmp(buf, "stored", 6), 0);
	stream = sw_fs_fopen("/f", "r+");
	KUNIT_ASSERT_NOT_NULL(test, stream);
	KUNIT_EXPECT_EQ(test, fseek(stream, (long)PAGES(2), SEEK_SET), 0);
	KUNIT_EXPECT_EQ(test, fprintf(stream, "printed"), 7);
	KUNIT_EXPECT_EQ(test, fflush(stream), 0);
	KUNIT_EXPECT_EQ(test, memcmp(map + PAGES(2), "printed", 7), 0);
	KUNIT_EXPECT_EQ(test, fseek(stream, (long)PAGES(7) + 11, SEEK_SET), 0);
	KUNIT_EXPECT_EQ(test, fread(buf, 1, 6, stream), 6);
	KUNIT_EXPECT_EQ(test, memcmp(buf, "stored", 6), 0);
	fclose(stream);
	KUNIT_EXPECT_EQ(test, sw_fs_munmap(addr, PAGES(10)), 0);
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

#define BYTEWISE (1 << 20)

KUNIT_TEST(f36_stdio_saves_calls_and_a_mapping_saves_all_of_them)
{
	double by_call, by_stream, by_mapping;
	unsigned long sum[3] = { 0 };
	FILE *stream;
	void *addr;
	int fd, c;

	mount_ramdev(test);
	put_pattern(test, "/f", BYTEWISE, 2);
	fd = sw_fs_open("/f", O_RDWR, 0);
	ramdev_reset();
	by_call = -seconds();
	for (int i = 0; i < BYTEWISE; i++) {
		unsigned char byte = 0;

		sw_fs_read(fd, &byte, 1);
		sum[0] += byte;
	}
	by_call += seconds();
	stream = sw_fs_fopen("/f", "r");
	KUNIT_ASSERT_NOT_NULL(test, stream);
	ramdev_reset();
	by_stream = -seconds();
	while ((c = getc_unlocked(stream)) != EOF)
		sum[1] += (unsigned char)c;
	by_stream += seconds();
	/* The stream's buffer is of 512 bytes or more. */
	KUNIT_EXPECT_LE(test, ramdev.ops[OP_READ_ITER], BYTEWISE / 512 + 2);
	fclose(stream);
	KUNIT_ASSERT_EQ(test, sw_fs_mmap(NULL, BYTEWISE, PROT_READ, MAP_SHARED, fd, 0, &addr), 0);
	for (size_t i = 0; i < BYTEWISE; i += PAGE_SIZE) /* filling is not what it asks about */
		sum[2] += ((volatile unsigned char *)addr)[i];
	sum[2] = 0;
	ramdev_reset();
	by_mapping = -seconds();
	for (size_t i = 0; i < BYTEWISE; i++)
		sum[2] += ((volatile unsigned char *)addr)[i];
	by_mapping += seconds();
	KUNIT_EXPECT_EQ(test, ramdev.ops[OP_READ_ITER], 0);
	KUNIT_EXPECT_EQ(test, sum[0], sum[1]);
	KUNIT_EXPECT_EQ(test, sum[0], sum[2]);
	kunit_info(test, "a byte: call %.1f ns, stream %.1f ns, mapping %.1f ns",
		   by_call / BYTEWISE * 1e9, by_stream / BYTEWISE * 1e9,
		   by_mapping / BYTEWISE * 1e9);
	KUNIT_EXPECT_TRUE(test, by_mapping <= by_stream);
	KUNIT_EXPECT_TRUE(test, by_stream <= by_call);
}

/* ---- F37, F38: reading ------------------------------------------------------------------------------------- */

KUNIT_TEST(f37_a_miss_goes_read_iter_then_read_folio_and_a_hit_stops_before)
{
	mount_ramdev(test);
	ramdev.ra_pages = 0;
	put_pattern(test, "/f", PAGES(4), 0);
	KUNIT_ASSERT_EQ(test, ramdev_remount(), 0);
	int fd = sw_fs_open("/f", O_RDONLY, 0);

	ramdev_trace();
	KUNIT_EXPECT_EQ(test, sw_fs_read(fd, buf, 10), 10);
	KUNIT_EXPECT_EQ(test, ramdev.ops[OP_READ_ITER], 1);
	KUNIT_EXPECT_EQ(test, ramdev.read_requests, 1);
	KUNIT_EXPECT_EQ(test, ramdev.reads, 1);
	kunit_info(test, "%s", ramdev_traced());
	ramdev_trace();
	KUNIT_EXPECT_EQ(test, sw_fs_read(fd, buf, 10), 10);
	KUNIT_EXPECT_EQ(test, ramdev.read_requests, 0);
	KUNIT_EXPECT_TRUE(test, is_pattern(buf, 10, 10, 0));
}

KUNIT_TEST(f37_readpage_is_asked_where_there_is_no_read_folio)
{
	mount_ramdev(test);
	ramdev.use_readpage = true;
	int fd = cold_file(test, 4);

	KUNIT_EXPECT_EQ(test, sw_fs_read(fd, buf, PAGES(4)), PAGES(4));
	KUNIT_EXPECT_TRUE(test, is_pattern(buf, PAGES(4), 0, 0));
	KUNIT_EXPECT_EQ(test, ramdev.ops[OP_READAHEAD], 0);
	KUNIT_EXPECT_GE(test, ramdev.ops[OP_READ_FOLIO], 1);
	KUNIT_EXPECT_EQ(test, ramdev.reads, 4);
}

KUNIT_TEST(f37_a_failed_read_is_eio_and_the_next_one_tries_again)
{
	mount_ramdev(test);
	ramdev.ra_pages = 0;
	put_pattern(test, "/f", PAGES(4), 0);
	KUNIT_ASSERT_EQ(test, ramdev_remount(), 0);
	int fd = sw_fs_open("/f", O_RDONLY, 0);

	ramdev.fail_reads = 1000;
	KUNIT_EXPECT_EQ(test, sw_fs_pread(fd, buf, 10, 0), -EIO);
	KUNIT_EXPECT_EQ(test, sw_fs_pread(fd, buf, 10, 0), -EIO);
	ramdev.fail_reads = 0;
	KUNIT_EXPECT_EQ(test, sw_fs_pread(fd, buf, 10, 0), 10);
	KUNIT_EXPECT_TRUE(test, is_pattern(buf, 10, 0, 0));
	/* What was read before the failing page is not lost. */
	KUNIT_EXPECT_EQ(test, sw_fs_pread(fd, buf, 10, (int64_t)PAGES(1)), 10);
	ramdev.fail_reads = 1000;
	KUNIT_EXPECT_EQ(test, sw_fs_pread(fd, buf, PAGES(4), 0), PAGES(2));
}

KUNIT_TEST(f38_readahead_serves_sequential_reading_with_few_requests)
{
	unsigned long sequential, sequential_pages, at_random;
	struct rng rng = { kunit_seed(test) };

	mount_ramdev(test);
	int fd = cold_file(test, 1024);

	for (int i = 0; i < 1024; i++)
		KUNIT_ASSERT_EQ(test, sw_fs_pread(fd, buf, PAGE_SIZE, (int64_t)PAGES(i)),
				PAGE_SIZE);
	sequential = ramdev.read_requests;
	sequential_pages = ramdev.reads;
	KUNIT_EXPECT_EQ(test, sequential_pages, 1024);
	KUNIT_EXPECT_LE(test, sequential, 1024 / 8);
	KUNIT_ASSERT_EQ(test, sw_fs_close(fd), 0);
	KUNIT_ASSERT_EQ(test, ramdev_remount(), 0);
	fd = sw_fs_open("/f", O_RDONLY, 0);
	ramdev_reset();
	for (int i = 0; i < 64; i++) {
		/* far from each other */
		int64_t index = (i * 389 + (int)rng_below(&rng, 4)) % 1024;

		KUNIT_ASSERT_EQ(test, sw_fs_pread(fd, buf, 64, (int64_t)PAGES(index)), 64);
	}
	at_random = ramdev.read_requests;
	kunit_info(test, "1024 pages in order: %lu requests; 64 at random: %lu, %lu pages",
		   sequential, at_random, ramdev.reads);
	KUNIT_EXPECT_GE(test, at_random, 32);
	KUNIT_EXPECT_LE(test, ramdev.reads, 64 * 4);
}

/* ---- F39 to F45: writing ------------------------------------------------------------------------------------ */

TEST_ON_BOTH(f39_calls_streams_and_mappings_write_the_same_file)
{
	FILE *stream;
	void *addr;
	int fd = sw_fs_open("/f", O_CREAT | O_RDWR, 0644);

	KUNIT_ASSERT_EQ(test, sw_fs_ftruncate(fd, (int64_t)PAGES(6)), 0);
	fill_pattern(buf, PAGES(6), 0, 3);
	KUNIT_EXPECT_EQ(test, sw_fs_pwrite(fd, buf, PAGES(2), 0), PAGES(2));
	stream = sw_fs_fopen("/f", "r+");
	KUNIT_ASSERT_NOT_NULL(test, stream);
	fseek(stream, (long)PAGES(2), SEEK_SET);
	KUNIT_EXPECT_EQ(test, fwrite(buf + PAGES(2), 1, PAGES(2), stream), PAGES(2));
	fclose(stream);
	KUNIT_ASSERT_EQ(
		test, sw_fs_mmap(NULL, PAGES(6), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0, &addr),
		0);
	memcpy((char *)addr + PAGES(4), buf + PAGES(4), PAGES(2));
	KUNIT_EXPECT_EQ(test, sw_fs_msync(addr, PAGES(6), MS_SYNC), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_munmap(addr, PAGES(6)), 0);
	memset(buf, 0, PAGES(6));
	KUNIT_EXPECT_EQ(test, sw_fs_pread(fd, buf, PAGES(6), 0), PAGES(6));
	KUNIT_EXPECT_TRUE(test, is_pattern(buf, PAGES(6), 0, 3));
}

KUNIT_TEST(f39_what_a_mapping_stored_reaches_the_device)
{
	uint64_t ino;
	void *addr;

	mount_ramdev(test);
	int fd = cold_file(test, 4);

	ino = ramdev_entry("f");
	KUNIT_ASSERT_EQ(
		test, sw_fs_mmap(NULL, PAGES(4), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0, &addr),
		0);
	memcpy((char *)addr + PAGES(2), "stored", 6);
	KUNIT_EXPECT_EQ(test, sw_fs_msync(addr, PAGES(4), MS_SYNC), 0);
	KUNIT_EXPECT_EQ(test, memcmp(ramdev_block(ino, 2), "stored", 6), 0);
	/* A second store after the write-back is seen as well. */
	memcpy((char *)addr + PAGES(2), "STORED", 6);
	KUNIT_EXPECT_EQ(test, sw_fs_fsync(fd), 0);
	KUNIT_EXPECT_EQ(test, memcmp(ramdev_block(ino, 2), "STORED", 6), 0);
	memcpy((char *)addr + PAGES(1), "last", 4);
	KUNIT_EXPECT_EQ(test, sw_fs_munmap(addr, PAGES(4)), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_fsync(fd), 0);
	KUNIT_EXPECT_EQ(test, memcmp(ramdev_block(ino, 1), "last", 4), 0);
}

KUNIT_TEST(f40_a_write_is_write_begin_copy_write_end)
{
	mount_ramdev(test);
	int fd = sw_fs_open("/f", O_CREAT | O_RDWR, 0644);

	ramdev_trace();
	KUNIT_EXPECT_EQ(test, sw_fs_pwrite(fd, "hello", 5, 10), 5);
	KUNIT_EXPECT_STREQ(test, ramdev_traced(),
			   "write_iter(f) write_begin(10+5) write_end(10+5)");
	KUNIT_EXPECT_EQ(test, sw_fs_pread(fd, buf, 100, 0), 15);
	KUNIT_EXPECT_EQ(test, memcmp(buf, "\0\0\0\0\0\0\0\0\0\0hello", 15), 0);
	/* Across a page boundary: one pair a folio. */
	ramdev_reset();
	KUNIT_EXPECT_EQ(test, sw_fs_pwrite(fd, "hello", 5, PAGE_SIZE - 2), 5);
	KUNIT_EXPECT_EQ(test, ramdev.ops[OP_WRITE_BEGIN], ramdev.ops[OP_WRITE_END]);
	KUNIT_EXPECT_EQ(test, sw_fs_pread(fd, buf, 5, PAGE_SIZE - 2), 5);
	KUNIT_EXPECT_EQ(test, memcmp(buf, "hello", 5), 0);
}

KUNIT_TEST(f41_a_write_stays_in_the_cache)
{
	struct sw_cache_stats before, after;

	mount_ramdev(test);
	int fd = sw_fs_open("/f", O_CREAT | O_RDWR, 0644);

	sw_cache_stats(&before);
	KUNIT_EXPECT_EQ(test, sw_fs_write(fd, buf, PAGES(10)), PAGES(10));
	sw_cache_stats(&after);
	KUNIT_EXPECT_EQ(test, ramdev.writes, 0);
	KUNIT_EXPECT_EQ(test, after.nr_dirty, before.nr_dirty + 10);
	KUNIT_EXPECT_EQ(test, sw_fs_fsync(fd), 0);
	sw_cache_stats(&after);
	KUNIT_EXPECT_EQ(test, ramdev.writes, 10);
	KUNIT_EXPECT_EQ(test, after.nr_dirty, before.nr_dirty);
}

/* Waits until so many pages reached the device; false: ten seconds passed. */
static bool written(unsigned long pages)
{
	for (int i = 0; i < 2000 && ramdev.writes < pages; i++)
		usleep(5000);
	return ramdev.writes >= pages;
}

KUNIT_TEST(f42_dirty_pages_are_written_back_after_a_while)
{
	struct sw_cache_limits limits = { .writeback_interval_ms = 20, .dirty_expire_ms = 40 };

	mount_ramdev(test);
	sw_cache_set_limits(&limits);
	KUNIT_ASSERT_EQ(test, sw_fs_start_writeback(), 0);
	int fd = sw_fs_open("/f", O_CREAT | O_RDWR, 0644);

	KUNIT_EXPECT_EQ(test, sw_fs_write(fd, buf, PAGES(10)), PAGES(10));
	KUNIT_EXPECT_TRUE(test, written(10));
	KUNIT_EXPECT_EQ(test, ramdev.writes, 10);
	sw_fs_stop_writeback();
}

static void write_past_the_limit(struct kunit *test)
{
	struct sw_cache_limits limits = { .background_pages = 32, .dirty_pages = 64 };
	struct sw_cache_stats stats;
	unsigned long most = 0;
	int fd;

	sw_cache_set_limits(&limits);
	fd = sw_fs_open("/f", O_CREAT | O_RDWR, 0644);
	for (int i = 0; i < 4096; i++) {
		KUNIT_ASSERT_EQ(test, sw_fs_write(fd, buf, PAGE_SIZE), PAGE_SIZE);
		sw_cache_stats(&stats);
		if (stats.nr_dirty > most)
			most = stats.nr_dirty;
	}
	kunit_info(test, "dirty at most %lu pages, written %lu, throttled %lu", most,
		   (unsigned long)ramdev.writes, stats.throttled);
	/* Batches between two looks are allowed, a growing heap is not. */
	KUNIT_EXPECT_LE(test, most, 64 + 64);
	KUNIT_EXPECT_GE(test, ramdev.writes, 4096 - 128);
}

KUNIT_TEST(f43_a_writer_at_the_limit_writes_back_itself)
{
	mount_ramdev(test);
	write_past_the_limit(test);
}

KUNIT_TEST(f43_a_writer_at_the_limit_waits_for_the_flusher)
{
	mount_ramdev(test);
	KUNIT_ASSERT_EQ(test, sw_fs_start_writeback(), 0);
	write_past_the_limit(test);
	sw_fs_stop_writeback();
}

KUNIT_TEST(f44_sync_writes_all_changed_data_and_metadata)
{
	struct ramdev_stat st;
	char name[16];

	mount_ramdev(test);
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "/f%d", i);
		put_pattern(test, name, PAGES(3) + 5, (unsigned int)i);
	}
	KUNIT_EXPECT_EQ(test, ramdev.writes, 0);
	sw_fs_sync();
	KUNIT_EXPECT_EQ(test, ramdev.writes, 80);
	for (int i = 0; i < 20; i++) {
		uint64_t ino;

		snprintf(name, sizeof(name), "f%d", i);
		ino = ramdev_entry(name);
		KUNIT_ASSERT_TRUE(test, ramdev_inode(ino, &st));
		KUNIT_EXPECT_EQ(test, st.size, PAGES(3) + 5);
		KUNIT_EXPECT_EQ(test, st.mode, S_IFREG | 0644);
		KUNIT_EXPECT_TRUE(test, is_pattern(ramdev_block(ino, 1), PAGE_SIZE, PAGE_SIZE,
						   (unsigned int)i));
	}
	ramdev_reset();
	sw_fs_sync();
	KUNIT_EXPECT_EQ(test, ramdev.writes, 0);
}

/* Two dirty files of eight pages; fds in 0 and 1. */
static void two_dirty_files(struct kunit *test)
{
	mount_ramdev(test);
	KUNIT_ASSERT_EQ(test, sw_fs_open("/a", O_CREAT | O_RDWR, 0644), 0);
	KUNIT_ASSERT_EQ(test, sw_fs_open("/b", O_CREAT | O_RDWR, 0644), 1);
	for (int fd = 0; fd < 2; fd++)
		KUNIT_ASSERT_EQ(test, sw_fs_pwrite(fd, buf, PAGES(8), 0), PAGES(8));
	ramdev_reset();
}

KUNIT_TEST(f45_fsync_writes_one_file_and_its_inode)
{
	struct ramdev_stat st;

	two_dirty_files(test);
	KUNIT_EXPECT_EQ(test, sw_fs_fsync(0), 0);
	KUNIT_EXPECT_EQ(test, ramdev.writes, 8);
	KUNIT_EXPECT_GE(test, ramdev.ops[OP_WRITE_INODE], 1);
	KUNIT_ASSERT_TRUE(test, ramdev_inode(ramdev_entry("a"), &st));
	KUNIT_EXPECT_EQ(test, st.size, PAGES(8));
	KUNIT_ASSERT_TRUE(test, ramdev_inode(ramdev_entry("b"), &st));
	KUNIT_EXPECT_EQ(test, st.size, 0);
	ramdev_reset();
	KUNIT_EXPECT_EQ(test, sw_fs_fsync(0), 0);
	KUNIT_EXPECT_EQ(test, ramdev.writes, 0);
}

KUNIT_TEST(f45_fdatasync_writes_data_and_size_but_not_times_alone)
{
	struct ramdev_stat st;

	two_dirty_files(test);
	KUNIT_EXPECT_EQ(test, sw_fs_fdatasync(0), 0);
	KUNIT_EXPECT_EQ(test, ramdev.writes, 8);
	KUNIT_ASSERT_TRUE(test, ramdev_inode(ramdev_entry("a"), &st));
	KUNIT_EXPECT_EQ(test, st.size, PAGES(8));
	KUNIT_EXPECT_EQ(test, sw_fs_fsync(0), 0);
	next_tick();
	KUNIT_EXPECT_EQ(test, sw_fs_pwrite(0, "x", 1, 0), 1);
	ramdev_reset();
	KUNIT_EXPECT_EQ(test, sw_fs_fdatasync(0), 0);
	KUNIT_EXPECT_EQ(test, ramdev.writes, 1);
	KUNIT_EXPECT_EQ(test, ramdev.ops[OP_WRITE_INODE], 0);
}

KUNIT_TEST(f45_sync_file_range_writes_a_range_of_data)
{
	struct ramdev_stat st;

	two_dirty_files(test);
	KUNIT_EXPECT_EQ(test,
			sw_fs_sync_file_range(0, (int64_t)PAGES(2), PAGES(3),
					      SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
						      SYNC_FILE_RANGE_WAIT_AFTER),
			0);
	KUNIT_EXPECT_EQ(test, ramdev.writes, 3);
	KUNIT_EXPECT_EQ(test, ramdev.written_first, 2);
	KUNIT_EXPECT_EQ(test, ramdev.written_last, 4);
	KUNIT_ASSERT_TRUE(test, ramdev_inode(ramdev_entry("a"), &st));
	KUNIT_EXPECT_EQ(test, st.size, 0);
	KUNIT_EXPECT_EQ(test, sw_fs_sync_file_range(0, 0, 0, 0x80), -EINVAL);
	KUNIT_EXPECT_EQ(test, sw_fs_sync_file_range(0, -1, 5, 2), -EINVAL);
}

KUNIT_TEST(f45_syncfs_writes_one_file_system)
{
	two_dirty_files(test);
	KUNIT_ASSERT_EQ(test, sw_fs_mkdir("/t", 0755), 0);
	KUNIT_ASSERT_EQ(test, sw_fs_mount("tmpfs", NULL, "/t", 0, NULL), 0);
	int fd = sw_fs_open("/t/f", O_CREAT | O_RDWR, 0644);

	ramdev_reset();
	KUNIT_EXPECT_EQ(test, sw_fs_syncfs(fd), 0);
	KUNIT_EXPECT_EQ(test, ramdev.writes, 0);
	KUNIT_EXPECT_EQ(test, sw_fs_syncfs(0), 0);
	KUNIT_EXPECT_EQ(test, ramdev.writes, 16);
	KUNIT_EXPECT_GE(test, ramdev.ops[OP_SYNC_FS], 1);
}

/* ---- errors of write-back: told once to each open file -------------------------------------------------------- */

KUNIT_TEST(a_failed_write_back_is_told_once_to_each_open_file)
{
	two_dirty_files(test);
	int other = sw_fs_open("/a", O_RDWR, 0);

	ramdev.fail_writes = 1;
	KUNIT_EXPECT_EQ(test, sw_fs_fsync(0), -EIO);
	KUNIT_EXPECT_EQ(test, sw_fs_fsync(0), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_fsync(other), -EIO);
	KUNIT_EXPECT_EQ(test, sw_fs_fsync(other), 0);
	KUNIT_EXPECT_EQ(test, sw_fs_fsync(1), 0);
	ramdev.fail_error = -ENOSPC;
	sw_fs_pwrite(0, "x", 1, 0);
	ramdev.fail_writes = 1;
	KUNIT_EXPECT_EQ(test, sw_fs_fdatasync(other), -ENOSPC);
	KUNIT_EXPECT_EQ(test, sw_fs_fsync(0), -ENOSPC);
	KUNIT_EXPECT_EQ(test, sw_fs_fsync(0), 0);
}

KUNIT_TEST(an_error_that_sync_met_waits_for_the_next_fsync)
{
	two_dirty_files(test);
	ramdev.fail_writes = 1000;
	sw_fs_sync();
	ramdev.fail_writes = 0;
	KUNIT_EXPECT_EQ(test, sw_fs_fsync(0), -EIO);
	KUNIT_EXPECT_EQ(test, sw_fs_fsync(1), -EIO);
	KUNIT_EXPECT_EQ(test, sw_fs_fsync(0), 0);
}

/* ---- reclaim ------------------------------------------------------------------------------------------------------ */

KUNIT_TEST(the_cache_stays_at_its_limit_and_what_was_dropped_is_read_again)
{
	struct sw_cache_limits limits = { .max_pages = 64 };
	struct sw_cache_stats stats;

	mount_ramdev(test);
	int fd = cold_file(test, 1024);

	sw_cache_set_limits(&limits);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 1024; i++) {
			KUNIT_ASSERT_EQ(test, sw_fs_pread(fd, buf, PAGE_SIZE, (int64_t)PAGES(i)),
					PAGE_SIZE);
			KUNIT_ASSERT_TRUE(test, is_pattern(buf, PAGE_SIZE, PAGES(i), 0));
			sw_cache_stats(&stats);
			KUNIT_ASSERT_LE(test, stats.nr_pages, 64 + 64);
		}
	}
	KUNIT_EXPECT_GE(test, stats.reclaimed, 1024);
	KUNIT_EXPECT_GE(test, ramdev.reads, 1024);
}

KUNIT_TEST(a_dropped_page_that_comes_back_soon_is_a_refault)
{
	struct sw_cache_limits limits = { .max_pages = 256 };
	struct sw_cache_stats before, after;

	mount_ramdev(test);
	int fd = cold_file(test, 1024);

	sw_cache_set_limits(&limits);
	sw_fs_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
	for (int i = 0; i < 300; i++)
		sw_fs_pread(fd, buf, 10, (int64_t)PAGES(i));
	sw_cache_stats(&before);
	for (int i = 0; i < 44; i++)
		sw_fs_pread(fd, buf, 10, (int64_t)PAGES(i));
	sw_cache_stats(&after);
	KUNIT_EXPECT_GT(test, after.refaults, before.refaults);
}

KUNIT_TEST(sw_cache_reclaim_drops_clean_pages_and_keeps_dirty_ones_safe)
{
	struct sw_cache_stats stats;

	mount_ramdev(test);
	int fd = cold_file(test, 256);

	KUNIT_ASSERT_EQ(test, sw_fs_pread(fd, buf, PAGES(256), 0), PAGES(256));
	KUNIT_ASSERT_EQ(test, sw_fs_pwrite(fd, "dirty", 5, 0), 5);
	for (int i = 0; i < 20; i++)
		sw_cache_reclaim(1000);
	sw_cache_stats(&stats);
	KUNIT_EXPECT_LE(test, stats.nr_pages, 32);
	KUNIT_EXPECT_EQ(test, sw_fs_pread(fd, buf, 5, 0), 5);
	KUNIT_EXPECT_EQ(test, memcmp(buf, "dirty", 5), 0);
}

KUNIT_TEST(a_pinned_page_stays_where_it_is)
{
	struct sw_fs_pin pin;

	mount_ramdev(test);
	int fd = cold_file(test, 16);

	KUNIT_ASSERT_EQ(test, sw_fs_page_pin(fd, (int64_t)PAGES(3) + 10, &pin), 0);
	KUNIT_EXPECT_GE(test, pin.len, PAGE_SIZE - 10);
	KUNIT_EXPECT_TRUE(test, is_pattern(pin.addr, PAGE_SIZE - 10, PAGES(3) + 10, 0));
	for (int i = 0; i < 10; i++)
		sw_cache_reclaim(1000);
	KUNIT_ASSERT_EQ(test, sw_fs_ftruncate(fd, 0), 0);
	KUNIT_ASSERT_EQ(test, sw_fs_unlink("/f"), 0);
	KUNIT_ASSERT_EQ(test, sw_fs_close(fd), 0);
	KUNIT_EXPECT_TRUE(test, is_pattern(pin.addr, PAGE_SIZE - 10, PAGES(3) + 10, 0));
	sw_fs_page_unpin(&pin);
}
