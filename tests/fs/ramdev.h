/* SPDX-License-Identifier: MIT */
#ifndef TESTS_FS_RAMDEV_H
#define TESTS_FS_RAMDEV_H

/*
 * ramdev.h - a file system for tests: a store that counts, remembers, and fails when told
 *
 * Type "ramdev". Its device is memory of the C library that outlives a mount, so what a test finds
 * there is what was really written: inodes (the table), entries of directories, blocks of a page. Each operation that
 * vfs or the cache calls is counted, and named in a trace while ramdev_trace() is on:
 *
 *	lookup(a) lookup(b) open(b) read_iter(b) readahead(b,0+4)
 *
 * Threads  All of it has one lock; what tests read (counts) is atomic.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <slabwork/fs/fs.h>
#include <slabwork/fs/vfs.h>

enum ramdev_op {
	OP_LOOKUP,
	OP_CREATE,
	OP_LINK,
	OP_UNLINK,
	OP_SYMLINK,
	OP_MKDIR,
	OP_RMDIR,
	OP_MKNOD,
	OP_RENAME,
	OP_SETATTR,
	OP_OPEN,
	OP_FLUSH,
	OP_RELEASE,
	OP_READ_ITER,
	OP_WRITE_ITER,
	OP_MMAP,
	OP_FSYNC,
	OP_ITERATE,
	OP_READ_FOLIO,
	OP_READAHEAD,
	OP_WRITEPAGE,
	OP_WRITE_BEGIN,
	OP_WRITE_END,
	OP_EVICT_INODE,
	OP_WRITE_INODE,
	OP_SYNC_FS,
	OP_PUT_SUPER,
	NR_RAMDEV_OPS
};

struct ramdev {
	_Atomic unsigned long ops[NR_RAMDEV_OPS];
	_Atomic unsigned long reads, writes;             /* pages that went over the wire */
	_Atomic unsigned long read_requests;             /* calls that asked for them */
	_Atomic int fail_reads, fail_writes, fail_alloc; /* so many of the next ones fail */
	int fail_error;                                  /* with this -errno; 0: -EIO */
	_Atomic unsigned long written_first,
		written_last; /* page indices of the writes since reset */
	bool use_readpage; /* before the mount: the seed's name instead of read_folio and readahead */
	unsigned long ra_pages;
	uint64_t size_limit; /* blocks; -ENOSPC past it; 0: none */
};
extern struct ramdev ramdev;

/* Registers the type; an empty device. Then mounts it on "/". 0 or -errno. */
int ramdev_mount(void);
/* Unmounts "/" and mounts it again: all caches are cold, the device is as it was. */
int ramdev_remount(void);
/* Counters and trace to zero. */
void ramdev_reset(void);
/* From now on name what is called. What has been called since ramdev_trace(): "lookup(a) open(a)". */
void ramdev_trace(void);
const char *ramdev_traced(void);

/* What the device holds: the number behind a name of the root directory (0: none), and its inode. */
uint64_t ramdev_entry(const char *name);
struct ramdev_stat {
	mode_t mode;
	unsigned int nlink;
	sw_loff_t size;
	dev_t rdev;
};
bool ramdev_inode(uint64_t ino, struct ramdev_stat *out);
/* Bytes of the page of an inode on the device; NULL: never written. */
const char *ramdev_block(uint64_t ino, unsigned long index);
unsigned long ramdev_nr_inodes(void);

#endif /* TESTS_FS_RAMDEV_H */
