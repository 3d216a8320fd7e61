/* SPDX-License-Identifier: MIT */
#ifndef MM_PERCPU_H
#define MM_PERCPU_H

/* percpu.h - what others in mm and proc may ask of percpu.c. Room: mm. */

/* Pages behind per-CPU copies, over all CPU ids: meminfo's Percpu. Any context. */
unsigned long pcpu_nr_pages(void);
/* Checks the invariants of percpu.c. NULL if sound, else the broken one. */
const char *percpu_validate(void);

#endif /* MM_PERCPU_H */
