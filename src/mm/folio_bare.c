/* SPDX-License-Identifier: MIT */
/*
 * folio_bare.c - folios of which only the first entry of the memmap is used
 *
 * Room: mm. Door: <slabwork/folio.h>. A compound page names its head in each of its entries: 64 bytes for each 4 KiB, which
 * is all the memory that a large folio of the page cache costs beside its bytes, and nobody reads them. A bare
 * folio has PG_head, PG_bare and its order in the first entry, and leaves the others as it found them: plain (buddy.c,
 * B8), and most often never touched, so that no memory lies behind them.
 *
 * Who asks for another of its pages (folio_page()) has all of them written then, and the folio is an ordinary compound page
 * from there on. put_page() takes back both. A page of a bare folio that was found by its address alone does not know
 * its head.
 */

#include <slabwork/folio.h>

#include "kernel/printk.h"
#include "mm/page.h"
#include "mm/page_alloc.h"

struct folio *folio_alloc_bare(gfp_t gfp, unsigned int order)
{
	struct page *page;
	bool zero;

	if (!order)
		return (struct folio *)alloc_pages(gfp, 0);
	page = alloc_plain_pages(gfp, order, NUMA_NO_NODE, &zero);
	if (!page)
		return NULL;
	page->order = (unsigned char)order;
	page_flags_set_all(page, page_place(page) | 1u << PG_head | 1u << PG_bare);
	return (struct folio *)page;
}

static void write_tails(struct page *head, unsigned int flags, struct page *compound_head)
{
	for (struct page *tail = head + 1; tail < head + (1UL << head->order); tail++) {
		tail->compound_head = compound_head;
		page_flags_set_all(tail, flags);
	}
}

struct page *folio_page(struct folio *folio, size_t n)
{
	struct page *head = (struct page *)folio;

	/* Two at once write the same. */
	if (n && page_test(head, PG_bare)) {
		write_tails(head, page_place(head) | 1u << PG_tail, head);
		page_clear(head, PG_bare);
	}
	return head + n;
}

struct folio *folio_halve(struct folio *folio)
{
	struct page *head = (struct page *)folio, *upper;
	const unsigned int kind = 1u << PG_head | 1u << PG_bare;
	unsigned int flags = atomic_load_explicit(&head->flags, memory_order_relaxed) & ~kind;

	BUG_ON(!page_test(head, PG_head) || !head->order ||
	       atomic_load_explicit(&head->_refcount, memory_order_relaxed));
	if (!page_test(head, PG_bare))
		write_tails(head, page_place(head), NULL);
	head->order--;
	if (head->order)
		flags |= kind;
	upper = head + (1UL << head->order);
	upper->order = head->order;
	upper->private = 0;
	upper->index = 0;
	atomic_store_explicit(&upper->_refcount, 0, memory_order_relaxed);
	page_flags_set_all(upper, flags);
	atomic_store_explicit(&head->flags, flags, memory_order_release);
	return (struct folio *)upper;
}
