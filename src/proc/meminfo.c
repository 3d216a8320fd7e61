/* SPDX-License-Identifier: MIT */
/*
 * meminfo.c - /proc/meminfo: one machine in fifty lines
 *
 * Room: proc. MemTotal is what is online (zones grow as needed up to mem=), MemFree
 * what the buddy holds. MemAvailable is the kernel's estimate: free memory above the
 * reserves, and half or more of what reclaim can get. CommitLimit is MemTotal,
 * Committed_AS the pages that may have memory behind them. Lines of things that
 * do not exist in a process (swap, huge pages, page tables) are 0.
 */

#include "mm/vmalloc.h"
#include "proc/files.h"

#define KB(pages) ((unsigned long)(pages) << (PAGE_SHIFT - 10))

struct line {
	const char *name;
	unsigned long value;
	bool plain; /* a number, not kB */
};

static unsigned long less(unsigned long a, unsigned long b)
{
	return a > b ? a - b : 0;
}

static unsigned long min2(unsigned long a, unsigned long b)
{
	return a < b ? a : b;
}

static unsigned long available(const struct vm_row *vm)
{
	unsigned long cache = vm->node_stat[NR_ACTIVE_FILE] + vm->node_stat[NR_INACTIVE_FILE];
	unsigned long slab =
		vm->node_stat[NR_SLAB_RECLAIMABLE_B] + vm->node_stat[NR_KERNEL_MISC_RECLAIMABLE];
	unsigned long n = less(vm->zone_stat[NR_FREE_PAGES] + vm->pcp_pages, vm->reserve);

	n += cache - min2(cache / 2, vm->low_wmark);
	n += slab - min2(slab / 2, vm->low_wmark);
	return n;
}

static void print_line(struct show *sh, const struct line *line, bool *found)
{
	char label[40];
	size_t len = strlen(line->name);

	if (!show_wants(sh, line->name))
		return;
	*found = true;
	if (sh->out->json) {
		json_ulong(sh->out, line->name, line->value);
		return;
	}
	memcpy(label, line->name, len);
	memcpy(label + len, ":", 2);
	/* The value ends in column 24, or as far right as it must. */
	if (line->plain)
		out_printf(sh->out, "%-16s%8lu\n", label, line->value);
	else
		out_printf(sh->out, "%-16s%8lu kB\n", label, line->value);
}

int show_meminfo(struct show *sh)
{
	const struct sw_layout *layout = &sh->reader->layout;
	const unsigned long *ns, *zs;
	struct vm_row vm;
	bool found = false;
	int err = vm_row_get(sh->reader, &vm);

	if (err)
		return err;
	ns = vm.node_stat;
	zs = vm.zone_stat;

	const unsigned long anon = ns[NR_ACTIVE_ANON] + ns[NR_INACTIVE_ANON];
	const unsigned long slab_r = ns[NR_SLAB_RECLAIMABLE_B];
	const unsigned long slab_u = ns[NR_SLAB_UNRECLAIMABLE_B];
	const struct line lines[] = {
		{ "MemTotal", KB(vm.managed), 0 },
		{ "MemFree", KB(zs[NR_FREE_PAGES]), 0 },
		{ "MemAvailable", KB(available(&vm)), 0 },
		{ "Buffers", 0, 0 },
		{ "Cached", KB(ns[NR_FILE_PAGES]), 0 },
		{ "SwapCached", 0, 0 },
		{ "Active", KB(ns[NR_ACTIVE_ANON] + ns[NR_ACTIVE_FILE]), 0 },
		{ "Inactive", KB(ns[NR_INACTIVE_ANON] + ns[NR_INACTIVE_FILE]), 0 },
		{ "Active(anon)", KB(ns[NR_ACTIVE_ANON]), 0 },
		{ "Inactive(anon)", KB(ns[NR_INACTIVE_ANON]), 0 },
		{ "Active(file)", KB(ns[NR_ACTIVE_FILE]), 0 },
		{ "Inactive(file)", KB(ns[NR_INACTIVE_FILE]), 0 },
		{ "Unevictable", 0, 0 },
		{ "Mlocked", KB(zs[NR_MLOCK]), 0 },
		{ "SwapTotal", 0, 0 },
		{ "SwapFree", 0, 0 },
		{ "Zswap", 0, 0 },
		{ "Zswapped", 0, 0 },
		{ "Dirty", KB(ns[NR_FILE_DIRTY]), 0 },
		{ "Writeback", KB(ns[NR_WRITEBACK]), 0 },
		{ "AnonPages", KB(anon), 0 },
		{ "Mapped", KB(ns[NR_FILE_MAPPED]), 0 },
		{ "Shmem", 0, 0 },
		{ "KReclaimable", KB(slab_r + ns[NR_KERNEL_MISC_RECLAIMABLE]), 0 },
		{ "Slab", KB(slab_r + slab_u), 0 },
		{ "SReclaimable", KB(slab_r), 0 },
		{ "SUnreclaim", KB(slab_u), 0 },
		{ "KernelStack", 0, 0 },
		{ "PageTables", 0, 0 },
		{ "SecPageTables", 0, 0 },
		{ "NFS_Unstable", 0, 0 },
		{ "Bounce", 0, 0 },
		{ "WritebackTmp", 0, 0 },
		{ "CommitLimit", KB(vm.managed), 0 },
		{ "Committed_AS", KB(zs[NR_COMMITTED]), 0 },
		{ "VmallocTotal", (layout->vmalloc_end - layout->vmalloc_start) >> 10, 0 },
		{ "VmallocUsed", KB(ns[NR_VMALLOC_PAGES]), 0 },
		{ "VmallocChunk", 0, 0 },
		{ "Percpu", KB(ns[NR_PERCPU_PAGES]), 0 },
		{ "AnonHugePages", 0, 0 },
		{ "ShmemHugePages", 0, 0 },
		{ "ShmemPmdMapped", 0, 0 },
		{ "FileHugePages", 0, 0 },
		{ "FilePmdMapped", 0, 0 },
		{ "Balloon", 0, 0 },
		{ "HugePages_Total", 0, 1 },
		{ "HugePages_Free", 0, 1 },
		{ "HugePages_Rsvd", 0, 1 },
		{ "HugePages_Surp", 0, 1 },
		{ "Hugepagesize", 2048, 0 },
		{ "Hugetlb", 0, 0 },
		{ "DirectMap4k", KB(vm.present), 0 },
		{ "DirectMap2M", 0, 0 },
		{ "DirectMap1G", 0, 0 },
	};

	if (sh->out->json)
		json_open(sh->out, NULL, '{');
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		print_line(sh, &lines[i], &found);
	if (sh->out->json)
		json_close(sh->out, '}');
	return found ? 0 : -ENOENT;
}
