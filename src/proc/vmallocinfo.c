/* SPDX-License-Identifier: MIT */
/*
 * vmallocinfo.c - /proc/vmallocinfo: areas of the vmalloc window, in address order
 *
 * Room: proc. Addresses are printed in full, as the kernel does for root: who may
 * read this may read the memory. The chain of ranges is walked without its lock,
 * here as in another process: descriptors are never unmapped, and a range that does
 * not begin where the one before ended ends the walk with -EAGAIN (invariant I1
 * of mm/vmap_area.c). Big blocks of malloc are areas, too, and say "large".
 */

#include <stdio.h>

#include "proc/files.h"

struct area_row {
	uintptr_t start, end; /* guard page included */
	bool lazy;            /* freed, not purged: nobody's */
	int nid;
	struct vm_struct vm;
	char caller[160];
};

static const struct {
	unsigned long flag;
	const char *word;
} kinds[] = {
	{ VM_IOREMAP, "ioremap" }, { VM_ALLOC, "vmalloc" },         { VM_MAP, "vmap" },
	{ VM_USERMAP, "user" },    { VM_SW_MAP_RAM, "vm_map_ram" }, { VM_SW_LARGE, "large" },
};

static void print_text(struct out *out, const struct area_row *row)
{
	const struct vm_struct *vm = &row->vm;

	out_printf(out, "0x%016lx-0x%016lx %7ld", (unsigned long)row->start,
		   (unsigned long)row->end, (long)(row->end - row->start));
	if (row->lazy) {
		out_puts(out, " unpurged vm_area\n");
		return;
	}
	if (row->caller[0])
		out_printf(out, " %s", row->caller);
	if (vm->nr_pages)
		out_printf(out, " pages=%u", vm->nr_pages);
	if (vm->phys_addr)
		out_printf(out, " phys=0x%016lx", (unsigned long)vm->phys_addr);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (vm->flags & kinds[i].flag)
			out_printf(out, " %s", kinds[i].word);
	}
	if (vm->nr_pages && row->nid >= 0)
		out_printf(out, " N%d=%u", row->nid, vm->nr_pages);
	out_puts(out, "\n");
}

static void print_json(struct out *out, const struct area_row *row)
{
	char text[24];

	json_open(out, NULL, '{');
	snprintf(text, sizeof(text), "0x%lx", (unsigned long)row->start);
	json_string(out, "start", text);
	json_ulong(out, "size", row->end - row->start);
	json_bool(out, "unpurged", row->lazy);
	if (!row->lazy) {
		json_string(out, "caller", row->caller);
		json_ulong(out, "pages", row->vm.nr_pages);
		json_ulong(out, "requested_size", row->vm.requested_size);
		json_open(out, "kinds", '[');
		for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
			if (row->vm.flags & kinds[i].flag)
				json_string(out, NULL, kinds[i].word);
		}
		json_close(out, ']');
	}
	json_close(out, '}');
}

static bool wanted(const struct show *sh, const struct area_row *row)
{
	size_t len = sh->filter ? strlen(sh->filter) : 0;

	/* "function" as well as "function+0x10/0x80" */
	return !sh->filter || (!strncmp(row->caller, sh->filter, len) &&
			       (!row->caller[len] || row->caller[len] == '+'));
}

struct listing {
	struct show *sh;
	bool found;
};

static int print_area(const struct vmap_area *va, uintptr_t end, void *arg)
{
	struct listing *listing = arg;
	struct show *sh = listing->sh;
	struct area_row row = {
		.start = va->start,
		.end = end,
		.lazy = va->state == VA_LAZY,
		.nid = va->nid,
		.vm = va->vm,
	};

	if (!row.lazy && row.vm.caller)
		reader_symbol(sh->reader, (uintptr_t)row.vm.caller, row.caller, sizeof(row.caller));
	if (!wanted(sh, &row))
		return 0;
	listing->found = true;
	if (sh->out->json)
		print_json(sh->out, &row);
	else
		print_text(sh->out, &row);
	return 0;
}

int show_vmallocinfo(struct show *sh)
{
	struct listing listing = { .sh = sh };
	int err;

	if (sh->out->json) {
		json_open(sh->out, NULL, '{');
		json_open(sh->out, "areas", '[');
	}
	err = areas_walk(sh->reader, print_area, &listing);
	if (sh->out->json) {
		json_close(sh->out, ']');
		json_close(sh->out, '}');
	}
	return err ? err : sh->filter && !listing.found ? -ENOENT : 0;
}
