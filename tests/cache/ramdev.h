/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CACHE_RAMDEV_H
#define TESTS_CACHE_RAMDEV_H

/*
 * ramdev.h - a device in memory under a page cache: counts what it is asked for, fails when told to
 *
 * For tests of cache, vfs and the rows of tests/fs. A ramdev is one file's store: a_ops find it in
 * mapping->private_data. Reads are done at once or held until ramdev_go(); writes end at once, or when ramdev_finish() is called.
 */

#include <errno.h>
#include <string.h>

#include <slabwork/fs/pagemap.h>

#define RAMDEV_PAGES 65536

struct ramdev {
	unsigned char *bytes; /* RAMDEV_PAGES pages; kvmalloc'ed by ramdev_init() */
	_Atomic unsigned long reads, read_pages, writes, write_pages, dirtied, accessed, wb_errors;
	_Atomic long fail_read_at;  /* page index, -1: none */
	_Atomic long fail_write_at; /* page index, -1: none */
	_Atomic int fail_write_with;
	_Atomic unsigned long leave_from_readahead; /* ->readahead takes only so many pages; 0: all */
	_Atomic bool hold_writes; /* write-back stays under way until ramdev_finish() */
	struct folio *held[1024];
	unsigned int nr_held;
	spinlock_t held_lock;
	struct backing_dev_info bdi;
};

static inline struct ramdev *ramdev_of(struct address_space *mapping)
{
	return mapping->private_data;
}

static inline bool ramdev_hits(long at, const struct folio *folio)
{
	return at >= 0 && (unsigned long)at - folio->index < folio_nr_pages(folio);
}

static inline void ramdev_fill(struct ramdev *dev, struct folio *folio)
{
	atomic_fetch_add(&dev->read_pages, folio_nr_pages(folio));
	if (!ramdev_hits(atomic_load(&dev->fail_read_at), folio) &&
	    folio_next_index(folio) <= RAMDEV_PAGES) {
		memcpy(folio_addr(folio), dev->bytes + folio_pos(folio), folio_bytes(folio));
		folio_mark_uptodate(folio);
	}
	folio_unlock(folio);
}

static inline int ramdev_read_folio(struct file *file, struct folio *folio)
{
	struct ramdev *dev = ramdev_of(atomic_load(&folio->mapping));

	(void)file;
	atomic_fetch_add(&dev->reads, 1);
	ramdev_fill(dev, folio);
	return 0;
}

static inline void ramdev_readahead(struct readahead_control *rac)
{
	struct ramdev *dev = ramdev_of(rac->mapping);
	unsigned long most = atomic_load(&dev->leave_from_readahead), done = 0;
	struct folio *folio;

	atomic_fetch_add(&dev->reads, 1);
	while ((!most || done < most) && (folio = readahead_folio(rac))) {
		done += folio_nr_pages(folio);
		ramdev_fill(dev, folio);
		folio_drop(folio);
	}
}

static inline int ramdev_writepage(struct page *page, struct writeback_control *wbc)
{
	struct folio *folio = page_folio(page);
	struct ramdev *dev = ramdev_of(atomic_load(&folio->mapping));
	struct address_space *mapping = atomic_load(&folio->mapping);
	bool hold = false;

	(void)wbc;
	atomic_fetch_add(&dev->writes, 1);
	folio_start_writeback(folio);
	if (ramdev_hits(atomic_load(&dev->fail_write_at), folio)) {
		mapping_set_error(mapping, atomic_load(&dev->fail_write_with));
	} else {
		atomic_fetch_add(&dev->write_pages, folio_nr_pages(folio));
		memcpy(dev->bytes + folio_pos(folio), folio_addr(folio), folio_bytes(folio));
	}
	folio_unlock(folio);
	if (atomic_load(&dev->hold_writes)) {
		spin_lock(&dev->held_lock);
		if (dev->nr_held < 1024) {
			dev->held[dev->nr_held++] = folio;
			hold = true;
		}
		spin_unlock(&dev->held_lock);
	}
	if (!hold)
		folio_end_writeback(folio);
	return 0;
}

/* End what write-back holds. Return: how many. */
static inline unsigned int ramdev_finish(struct ramdev *dev)
{
	struct folio *held[1024];
	unsigned int nr;

	spin_lock(&dev->held_lock);
	nr = dev->nr_held;
	memcpy(held, dev->held, nr * sizeof(*held));
	dev->nr_held = 0;
	spin_unlock(&dev->held_lock);
	for (unsigned int i = 0; i < nr; i++)
		folio_end_writeback(held[i]);
	return nr;
}

static const struct address_space_operations ramdev_aops = {
	.read_folio = ramdev_read_folio,
	.readahead = ramdev_readahead,
	.writepage = ramdev_writepage,
	.write_begin = simple_write_begin,
	.write_end = simple_write_end,
};

static inline void ramdev_dirtied(struct address_space *mapping)
{
	atomic_fetch_add(&ramdev_of(mapping)->dirtied, 1);
}

static inline void ramdev_error(struct address_space *mapping, int error)
{
	(void)error;
	atomic_fetch_add(&ramdev_of(mapping)->wb_errors, 1);
}

static const struct mapping_host_ops ramdev_host_ops = { .dirtied = ramdev_dirtied,
							 .error = ramdev_error };

/* @bytes: RAMDEV_PAGES pages. */
static inline void ramdev_init(struct ramdev *dev, void *bytes)
{
	memset(dev, 0, sizeof(*dev));
	dev->bytes = bytes;
	dev->fail_read_at = dev->fail_write_at = -1;
	dev->fail_write_with = -EIO;
	dev->bdi.name = "ramdev";
	dev->bdi.ra_pages = 32;
}

/* A file of @size bytes on it. */
static inline void ramdev_mapping(struct ramdev *dev, struct address_space *mapping, sw_loff_t size)
{
	address_space_init(mapping, NULL, &ramdev_aops, GFP_HIGHUSER_MOVABLE);
	mapping->host_ops = &ramdev_host_ops;
	mapping->private_data = dev;
	mapping->bdi = &dev->bdi;
	atomic_store(&mapping->i_size, size);
}

static inline ssize_t ramdev_pread(struct address_space *mapping, struct file_ra_state *ra,
				   void *buf, size_t len, sw_loff_t pos)
{
	struct kiocb iocb = { .ki_mapping = mapping, .ki_ra = ra, .ki_pos = pos };
	struct iov_iter iter;

	iov_iter_ubuf(&iter, ITER_DEST, buf, len);
	return filemap_read(&iocb, &iter, 0);
}

static inline ssize_t ramdev_pwrite(struct address_space *mapping, const void *buf, size_t len,
				    sw_loff_t pos)
{
	struct kiocb iocb = { .ki_mapping = mapping, .ki_pos = pos, .ki_flags = IOCB_WRITE };
	struct iov_iter iter;

	iov_iter_ubuf(&iter, ITER_SOURCE, (void *)buf, len);
	return generic_perform_write(&iocb, &iter);
}

#endif /* TESTS_CACHE_RAMDEV_H */
