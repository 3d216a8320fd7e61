/* SPDX-License-Identifier: MIT */
#ifndef SW_SHOW_H
#define SW_SHOW_H

/**
 * DOC: <slabwork/show.h> - the kernel's memory files, of this process or another
 *
 * A "file" is named as under /proc or /sys/kernel:
 *
 *	slabinfo  buddyinfo  zoneinfo  pagetypeinfo  meminfo  vmstat  vmallocinfo
 *	slab			names of all caches, one a line
 *	slab/CACHE		all attributes of a cache, "name value" lines
 *	slab/CACHE/ATTR		one attribute, as /sys/kernel/slab has it
 *
 * The text is the kernel's (6.18) byte for byte in labels, widths and order, so
 * programs that parse those files read ours. A filter keeps one row: a cache in
 * slabinfo, a zone in buddyinfo, zoneinfo and pagetypeinfo, one name in
 * meminfo, vmstat and a cache's attributes, a caller in vmallocinfo. With a filter
 * the version line of slabinfo is left out.
 *
 * Nothing is counted for these files: they are derived from structures that
 * exist anyway, when somebody looks. Several counts are never of one instant.
 *
 * Threads  All calls are safe together and with allocation.
 * Room: proc (show.c).  Map: docs/kernel-map.md
 */

#include <stdio.h>
#include <sys/types.h>

#include <slabwork/types.h>

SW_BEGIN_DECLS

/**
 * sw_show() - print one of the files
 * @out: stream to write to
 * @file: its name, see above
 * @filter: keep only this row; NULL or "": all
 *
 * Context: May sleep. Calls fwrite() without any lock of ours held.
 * Return: 0; -ENOENT if there is no such file, cache or row; -EIO if @out failed.
 */
SW_API int sw_show(FILE *out, const char *file, const char *filter);

/**
 * sw_show_fd() - the same to a file descriptor, without allocating
 * @fd: open for writing
 * @file: its name
 * @filter: keep only this row; NULL or "": all
 *
 * Context: May sleep.
 * Return: 0, -ENOENT, or the negative errno of write(2).
 */
SW_API int sw_show_fd(int fd, const char *file, const char *filter);

/**
 * sw_show_buf() - the same to memory, without allocating
 * @buf: receives the text and a NUL, cut off where @size ends; may be NULL if @size is 0
 * @size: bytes of @buf
 * @file: its name
 * @filter: keep only this row; NULL or "": all
 *
 * Context: May sleep.
 * Return: length of the whole text, as snprintf() counts, or -ENOENT.
 */
SW_API ssize_t sw_show_buf(char *buf, size_t size, const char *file, const char *filter);

/**
 * sw_store() - write to one of the control files
 * @file: slab/CACHE/shrink, /validate, /min_partial or /cpu_partial
 * @text: a number; a newline may follow. shrink and validate take "1".
 *
 * Context: May sleep. The caller sees to it that nobody destroys CACHE meanwhile.
 * Return: 0; -ENOENT no such file or cache; -EACCES the file is read-only;
 *         -EINVAL @text is not what the file takes, or validate found the cache broken.
 */
SW_API int sw_store(const char *file, const char *text);

/**
 * struct sw_view - the memory of a process, as somebody sees it
 * @read: copy @size bytes at @addr of that process to @dst: 0 or -errno
 * @symbol: write a name for a code address, as "function+0x10/0x80": its length,
 *          or -errno; may be NULL, then the number is printed
 * @root: address of the symbol sw_machine_root in that process
 *
 * The library reads other processes only through this, so a view may just as
 * well be a core file. `slabwork` makes one of process_vm_readv(2).
 */
struct sw_view {
	int (*read)(struct sw_view *view, void *dst, uintptr_t addr, size_t size);
	int (*symbol)(struct sw_view *view, uintptr_t addr, char *text, size_t size);
	uintptr_t root;
};

enum sw_format { SW_TEXT, SW_JSON };

/**
 * sw_show_view() - one of the files of the process behind a view
 * @view: where to read; NULL: this process
 * @format: SW_TEXT or SW_JSON
 * @buf: receives the text and a NUL, cut off where @size ends
 * @size: bytes of @buf
 * @file: its name
 * @filter: keep only this row; NULL or "": all
 *
 * The other process is neither stopped nor locked: a count may be of a moment
 * earlier than its neighbour. What does not make sense is read again a few times.
 *
 * Context: May sleep.
 * Return: length of the whole text; -ENOENT; -EAGAIN the process changed too
 *         fast, or its allocator has not started; -EPROTO its library is of another
 *         version; or what @view->read returned.
 */
SW_API ssize_t sw_show_view(struct sw_view *view, enum sw_format format, char *buf, size_t size,
			    const char *file, const char *filter);

/**
 * sw_view_version() - which slabwork is behind a view
 * @view: where to read
 * @version: 16 bytes; receives its version, also if that is not ours
 *
 * Return: 0; -EPROTO another version than this library's; -ENOEXEC no slabwork
 *         at @view->root; or what @view->read returned.
 */
SW_API int sw_view_version(struct sw_view *view, char version[16]);

SW_END_DECLS

#endif /* SW_SHOW_H */
