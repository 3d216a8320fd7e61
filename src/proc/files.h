/* SPDX-License-Identifier: MIT */
#ifndef PROC_FILES_H
#define PROC_FILES_H

/*
 * files.h - one function a file; show.c has the table
 *
 * Room: proc. Each prints through sh->out what sh->reader sees, as text or JSON,
 * only rows that sh->filter names. 0, -ENOENT (a filter that fits nothing), or the
 * reader's error.
 */

#include <string.h>

#include "proc/collect.h"
#include "proc/out.h"

struct show {
	struct reader *reader;
	struct out *out;
	const char *filter; /* NULL: everything */
	const char *path;   /* what follows the file's name and a '/', "" if nothing */
};

static inline bool show_wants(const struct show *sh, const char *name)
{
	return !sh->filter || !strcmp(sh->filter, name);
}

int show_slabinfo(struct show *sh);     /* slabinfo.c */
int show_slab(struct show *sh);         /* slab_attr.c: slab, slab/CACHE, slab/CACHE/ATTR */
int show_buddyinfo(struct show *sh);    /* buddyinfo.c */
int show_pagetypeinfo(struct show *sh); /* buddyinfo.c */
int show_zoneinfo(struct show *sh);     /* zoneinfo.c */
int show_meminfo(struct show *sh);      /* meminfo.c */
int show_vmstat(struct show *sh);       /* vmstat.c */
int show_vmallocinfo(struct show *sh);  /* vmallocinfo.c */

/* stat_names.c: the kernel's names in its order, with the counter of ours that stands for each. */
struct stat_name {
	const char *name;
	short item; /* enum node_stat_item or zone_stat_item, or one of: */
};
enum { STAT_NONE = -1, STAT_FREE_BLOCKS = -2, STAT_HIT = -3 };
extern const struct stat_name node_stat_names[], zone_stat_names[];
extern const unsigned int nr_node_stat_names, nr_zone_stat_names;

#endif /* PROC_FILES_H */
