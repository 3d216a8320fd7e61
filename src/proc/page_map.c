/* SPDX-License-Identifier: MIT */
/*
 * page_map.c - what holds each page
 *
 * Room: proc. Door: <slabwork/view.h>. The memmap is copied PAGES_A_COPY entries at a
 * time and read from the lowest page up: the head of a block says how long it is, and the pages
 * that follow are its tails. A head that makes no sense (the process goes on meanwhile) is a
 * block of one page, so a wrong step costs one block and not the rest of the map.
 *
 * A block of the buddy may have memory behind some of its pages only: the committed bits
 * of its section decide page by page.
 */

#include <slabwork/view.h>

#include <string.h>

#include "mm/boot.h"
#include "proc/collect.h"

#define PAGES_A_COPY 64 /* 4 KiB of memmap on the stack */

struct walk {
	struct reader reader;
	int (*fn)(const struct sw_page_run *run, void *arg);
	void *arg;
	struct sw_page_run run; /* not yet handed out; bytes 0: none */
	/* The block that the next page is part of. */
	unsigned long left; /* pages of it to come; 0: a head comes next */
	enum sw_page_kind kind;
	uintptr_t cache;
};

static int flush(struct walk *w)
{
	int err = w->run.bytes ? w->fn(&w->run, w->arg) : 0;

	w->run.bytes = 0;
	return err;
}

static int add(struct walk *w, uintptr_t start, size_t bytes, enum sw_page_kind kind,
	       uintptr_t cache)
{
	int err;

	if (w->run.bytes && w->run.kind == kind && w->run.cache == cache &&
	    w->run.start + w->run.bytes == start) {
		w->run.bytes += bytes;
		return 0;
	}
	err = flush(w);
	w->run = (struct sw_page_run){ start, bytes, cache, kind };
	return err;
}

static bool has(const struct page *page, enum pageflags bit)
{
	return page->flags & (1u << bit);
}

static void begin_block(struct walk *w, const struct page *page)
{
	unsigned long pages = 1;

	w->cache = 0;
	w->kind = SW_PAGE_BLOCK;
	if (has(page, PG_buddy) || has(page, PG_pcp) || has(page, PG_head))
		pages = page->order < MAX_ORDER ? 1ul << page->order : 1;
	else if (has(page, PG_large))
		pages = page->index && page->index <= PAGES_PER_SECTION ? page->index : 1;
	if (has(page, PG_reserved)) {
		w->kind = SW_PAGE_HOLE;
		pages = 1;
	} else if (has(page, PG_buddy)) {
		w->kind = SW_PAGE_FREE;
	} else if (has(page, PG_pcp) || has(page, PG_emergency)) {
		w->kind = SW_PAGE_STOCK;
	} else if (has(page, PG_large) ? !has(page, PG_head) && page->slab_cache :
					 has(page, PG_slab)) {
		/* A slab, or a block that is an object of a cache of blocks. */
		w->kind = SW_PAGE_SLAB;
		w->cache = (uintptr_t)page->slab_cache;
	}
	w->left = pages;
}

static int one_page(struct walk *w, uintptr_t addr, const struct page *page, bool committed)
{
	enum sw_page_kind kind;

	if (!w->left)
		begin_block(w, page);
	w->left--;
	kind = w->kind == SW_PAGE_FREE && !committed ? SW_PAGE_UNTOUCHED : w->kind;
	return add(w, addr, PAGE_SIZE, kind, w->cache);
}

static int online_section(struct walk *w, uintptr_t start, const struct mem_section *section)
{
	const struct page *memmap = w->reader.layout.memmap;
	struct page copy[PAGES_A_COPY];
	int err = 0;

	w->left = 0; /* no block is longer than a section */
	for (unsigned long i = 0; !err && i < PAGES_PER_SECTION; i += PAGES_A_COPY) {
		/* An address over there, computed, not followed. */
		uintptr_t entry =
			(uintptr_t)memmap + ((start >> PAGE_SHIFT) + i) * sizeof(struct page);

		err = reader_get(&w->reader, copy, (const void *)entry, sizeof(copy));
		for (unsigned long j = 0; !err && j < PAGES_A_COPY; j++) {
			unsigned long n = i + j;
			bool committed = section->committed[n / 64] >> (n % 64) & 1;

			err = one_page(w, start + (n << PAGE_SHIFT), &copy[j], committed);
		}
	}
	return err;
}

static int window(struct walk *w, uintptr_t start, uintptr_t end)
{
	const struct mem_section *table = NULL;
	struct mem_section section;
	int err = reader_copy(&w->reader, &table,
			      (const struct mem_section *const *)w->reader.root.sections);

	for (; !err && start < end; start += SECTION_SIZE) {
		uintptr_t entry = (uintptr_t)table + (start >> SECTION_SHIFT) * sizeof(section);

		err = reader_copy(&w->reader, &section, (const struct mem_section *)entry);
		if (err)
			break;
		if (section.online && section.zone)
			err = online_section(w, start, &section);
		else
			err = add(w, start, SECTION_SIZE, SW_PAGE_HOLE, 0);
	}
	return err;
}

static int area(const struct vmap_area *va, uintptr_t end, void *arg)
{
	enum sw_page_kind kind = va->state == VA_LAZY ? SW_PAGE_UNPURGED : SW_PAGE_AREA;
	struct walk *w = arg;
	int err = flush(w); /* neighbours are areas of their own */

	(void)end;
	return err ? err : add(w, va->start, va->end - va->start, kind, 0);
}

int sw_view_pages(struct sw_view *view, int (*fn)(const struct sw_page_run *run, void *arg),
		  void *arg)
{
	const struct sw_layout *layout;
	struct walk w;
	int err;

	memset(&w, 0, sizeof(w));
	w.fn = fn;
	w.arg = arg;
	if (!view)
		mm_boot();
	err = reader_open(&w.reader, view);
	if (err)
		return err;
	layout = &w.reader.layout;
	err = window(&w, layout->low_start, layout->low_online);
	if (!err)
		err = window(&w, layout->machine_start, layout->machine_online);
	if (!err)
		err = areas_walk(&w.reader, area, &w);
	return err ? err : flush(&w);
}
