/* SPDX-License-Identifier: MIT */
/*
 * page_report.c - say what went wrong with a page, or that there was none
 *
 * Room: mm. Texts follow Linux 6.12 (mm/debug.c, mm/page_alloc.c, mm/show_mem.c): parsers look for
 * them. Nothing here allocates or takes a lock; any context.
 */

#include <errno.h>
#include <string.h>

#include "kernel/printk.h"
#include "lib/textbuf.h"
#include "mm/gfp_text.h"
#include "mm/page_alloc.h"
#include "os/os.h"

#define REPORT_EVERY_NS 10000000000UL /* a failure report in 10 s */
#define KB(pages)       ((pages) << (PAGE_SHIFT - 10))

static const char *const page_flag_names[__NR_PAGEFLAGS] = {
	[PG_locked] = "locked",
	[PG_referenced] = "referenced",
	[PG_uptodate] = "uptodate",
	[PG_dirty] = "dirty",
	[PG_lru] = "lru",
	[PG_active] = "active",
	[PG_slab] = "slab",
	[PG_reserved] = "reserved",
	[PG_head] = "head",
	[PG_tail] = "tail",
	[PG_bare] = "bare",
	[PG_buddy] = "buddy",
	[PG_pcp] = "pcp",
	[PG_writeback] = "writeback",
	[PG_reclaim] = "reclaim",
	[PG_private] = "private",
	[PG_vmalloc] = "vmalloc",
	[PG_emergency] = "emergency",
	[PG_large] = "large",
	[PG_workingset] = "workingset",
	[PG_readahead] = "readahead",
	[PG_error] = "error",
	[PG_pool] = "pool",
};

const char *page_flags_text(unsigned int flags, char buf[PAGE_FLAGS_TEXT_SIZE])
{
	char *out = buf;

	for (unsigned int bit = 0; bit < __NR_PAGEFLAGS; bit++) {
		if (!(flags & 1u << bit))
			continue;
		if (out != buf)
			*out++ = '|';
		for (const char *c = page_flag_names[bit]; *c; c++)
			*out++ = *c;
	}
	*out = '\0';
	return buf;
}

static unsigned int flags_of(const struct page *page)
{
	return atomic_load_explicit(&((struct page *)page)->flags, memory_order_relaxed);
}

void dump_page(const struct page *page, const char *reason)
{
	unsigned long pfn = page_to_pfn_raw(page);
	const unsigned long *raw = (const unsigned long *)page;
	char text[PAGE_FLAGS_TEXT_SIZE];

	if (!layout_addr_online(pfn << PAGE_SHIFT)) {
		pr_warn("page:%p is no page\n", (const void *)page);
		return;
	}
	pr_warn("page: refcount:%d mapcount:%d mapping:%p index:%#x pfn:%#lx\n",
		atomic_load_explicit(&((struct page *)page)->_refcount, memory_order_relaxed), 0,
		NULL, page->index, pfn);
	if (page_test(page, PG_head) || page_test(page, PG_tail)) {
		const struct page *head = page_head((struct page *)page);

		pr_warn("head: order:%u mapcount:%d pfn:%#lx\n", head->order, 0,
			page_to_pfn_raw(head));
	}
	pr_warn("flags: %#x(%s|node=%d|zone=%d)\n", flags_of(page),
		page_flags_text(flags_of(page), text), page_to_nid(page), page_zonenum(page));
	for (int i = 0; i < 8; i += 4)
		pr_warn("raw: %016lx %016lx %016lx %016lx\n", raw[i], raw[i + 1], raw[i + 2],
			raw[i + 3]);
	if (reason)
		pr_warn("page dumped because: %s\n", reason);
}

void bad_page(const struct page *page, unsigned int order, const char *what)
{
	unsigned long pfn = page_to_pfn_raw(page);
	char text[PAGE_FLAGS_TEXT_SIZE];

	if ((uintptr_t)page % sizeof(struct page) !=
		    (uintptr_t)sw_layout.memmap % sizeof(struct page) ||
	    !layout_addr_online(pfn << PAGE_SHIFT))
		bug("page_alloc: %s: %p order:%u\n", what, (const void *)page, order);
	bug("page_alloc: %s: pfn:%#lx order:%u refcount:%d flags:%#x(%s)\n", what, pfn, order,
	    atomic_load_explicit(&((struct page *)page)->_refcount, memory_order_relaxed),
	    flags_of(page), page_flags_text(flags_of(page), text));
}

/* --- show_mem ------------------------------------------------------------------------------ */

static unsigned long read_ulong(_Atomic unsigned long *field)
{
	return atomic_load_explicit(field, memory_order_relaxed);
}

static void show_zone(struct zone *zone)
{
	pr_warn("Node %d %s free:%lukB boost:%lukB min:%lukB low:%lukB high:%lukB "
		"reserved_highatomic:%luKB present:%lukB managed:%lukB mlocked:%lukB "
		"local_pcp:%lukB\n",
		zone_to_nid(zone), zone->name, KB(zone_page_state(zone, NR_FREE_PAGES)),
		KB(read_ulong(&zone->watermark_boost)),
		KB(read_ulong(&zone->_watermark[WMARK_MIN])),
		KB(read_ulong(&zone->_watermark[WMARK_LOW])),
		KB(read_ulong(&zone->_watermark[WMARK_HIGH])),
		KB(read_ulong(&zone->nr_reserved_highatomic)), KB(read_ulong(&zone->present_pages)),
		KB(zone_managed_pages(zone)), KB(zone_page_state(zone, NR_MLOCK)),
		KB(pcp_pages(zone)));
	pr_warn("lowmem_reserve[]: %lu %lu %lu %lu\n", read_ulong(&zone->lowmem_reserve[0]),
		read_ulong(&zone->lowmem_reserve[1]), read_ulong(&zone->lowmem_reserve[2]),
		read_ulong(&zone->lowmem_reserve[3]));
}

static void show_free_area(struct zone *zone)
{
	char line[320];
	struct textbuf t;
	unsigned long total = 0;

	tb_init(&t, line, sizeof(line));
	tb_printf(&t, "Node %d %s: ", zone_to_nid(zone), zone->name);
	for (unsigned int order = 0; order < MAX_ORDER; order++) {
		struct free_area *area = &zone->free_area[order];
		unsigned long nr = read_ulong(&area->nr_free);
		char types[MIGRATE_TYPES + 1];
		int n = 0;

		total += nr << order;
		for (int type = 0; type < MIGRATE_TYPES; type++)
			if (read_ulong(&area->nr_free_type[type]))
				types[n++] = "UMEHI"[type];
		types[n] = '\0';
		tb_printf(&t, "%lu*%lukB ", nr, KB(1UL << order));
		if (nr)
			tb_printf(&t, "(%s) ", types);
	}
	tb_printf(&t, "= %lukB\n", KB(total));
	pr_warn("%s", line);
}

void show_mem(void)
{
	unsigned long pcp = 0;

	for_each_zone(zone)
		pcp += pcp_pages(zone);
	pr_warn("Mem-Info:\n");
	pr_warn("slab_reclaimable:%lu slab_unreclaimable:%lu free:%lu free_pcp:%lu "
		"free_cma:0 committed:%lu free_committed:%lu atomic_reserve:%lu\n",
		global_node_page_state(NR_SLAB_RECLAIMABLE_B),
		global_node_page_state(NR_SLAB_UNRECLAIMABLE_B),
		global_zone_page_state(NR_FREE_PAGES), pcp, global_zone_page_state(NR_COMMITTED),
		global_zone_page_state(NR_FREE_COMMITTED), nr_atomic_reserve_pages());
	for_each_populated_zone(zone)
		show_zone(zone);
	for_each_populated_zone(zone)
		show_free_area(zone);
	pr_warn("%lu pages RAM\n", totalram_pages());
}

/* --- failure ---------------------------------------------------------------------------------- */

static bool report_allowed(void)
{
	static _Atomic uint64_t last_ns;
	uint64_t now = os_now_coarse_ns();
	uint64_t last = atomic_load(&last_ns);

	if (last && now - last < REPORT_EVERY_NS)
		return false;
	return atomic_compare_exchange_strong(&last_ns, &last, now);
}

void warn_alloc(gfp_t gfp, unsigned int order)
{
	char text[GFP_TEXT_MAX];

	if (gfp & __GFP_NOWARN || !report_allowed())
		return;
	pr_warn("%s: page allocation failure: order:%u, mode:%#x(%s), nodemask=(null)\n",
		program_invocation_short_name, order, gfp, gfp_flags_text(text, sizeof(text), gfp));
	show_mem();
}
