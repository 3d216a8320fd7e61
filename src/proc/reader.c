/* SPDX-License-Identifier: MIT */
/*
 * reader.c - a machine (this process's or another's) as plain copies of its structures
 *
 * Room: proc. Door: proc/reader.h. Of this process we copy memory word by word;
 * of another whatever its view reads (process_vm_readv(2), a core file). Neither
 * takes a lock here: slab_mutex, which keeps caches alive locally, is taken by
 * the iterator in collect_slab.c.
 */

#include "proc/reader.h"

#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <string.h>

#include "lib/version.h"

/*
 * Others write while we copy: that is meant, so no memcpy(), which TSan watches,
 * and aligned words in one load each, so that no pointer is torn.
 */
__attribute__((no_sanitize("thread"))) static int local_read(struct sw_view *view, void *dst,
							     uintptr_t addr, size_t size)
{
	unsigned char *to = dst;

	(void)view;
	while (size) {
		if (!(addr % sizeof(long)) && size >= sizeof(long)) {
			long word = *(const volatile long *)addr;

			__builtin_memcpy(to, &word, sizeof(word));
			to += sizeof(long);
			addr += sizeof(long);
			size -= sizeof(long);
		} else {
			*to++ = *(const volatile unsigned char *)addr++;
			size--;
		}
	}
	return 0;
}

static int local_symbol(struct sw_view *view, uintptr_t addr, char *text, size_t size)
{
	const ElfW(Sym) *sym = NULL;
	const char *base;
	Dl_info info;

	(void)view;
	if (!dladdr1((void *)addr, &info, (void **)&sym, RTLD_DL_SYMENT) || !info.dli_fname)
		return -ENOENT;
	if (!info.dli_sname) { /* static, or not exported by a program: its file says something */
		base = strrchr(info.dli_fname, '/');
		return snprintf(text, size, "%s+0x%lx", base ? base + 1 : info.dli_fname,
				(unsigned long)(addr - (uintptr_t)info.dli_fbase));
	}
	return snprintf(text, size, "%s+0x%lx/0x%lx", info.dli_sname,
			(unsigned long)(addr - (uintptr_t)info.dli_saddr),
			sym ? (unsigned long)sym->st_size : 0);
}

static struct sw_view local_view = {
	.read = local_read,
	.symbol = local_symbol,
	.root = (uintptr_t)&sw_machine_root,
};

int reader_get(struct reader *reader, void *dst, const void *addr, size_t size)
{
	return reader->view->read(reader->view, dst, (uintptr_t)addr, size);
}

int reader_string(struct reader *reader, char *dst, size_t size, const char *addr)
{
	size_t len = 0;
	int err;

	/* The text may end just before a page that is not there: never read across. */
	while (len < size - 1) {
		size_t chunk = PAGE_SIZE - ((uintptr_t)(addr + len) & ~PAGE_MASK);
		char *end;

		if (chunk > size - 1 - len)
			chunk = size - 1 - len;
		if (reader->local) { /* a literal of somebody's: not a byte past its end */
			chunk = 1;
		}
		err = reader_get(reader, dst + len, addr + len, chunk);
		if (err)
			return err;
		end = memchr(dst + len, '\0', chunk);
		if (end)
			return 0;
		len += chunk;
	}
	dst[len] = '\0';
	return 0;
}

bool reader_online(const struct reader *reader, uintptr_t addr)
{
	const struct sw_layout *l = &reader->layout;

	return addr - l->machine_start < l->machine_online - l->machine_start ||
	       addr - l->low_start < l->low_online - l->low_start;
}

void reader_symbol(struct reader *reader, uintptr_t addr, char *text, size_t size)
{
	struct sw_view *view = reader->view;

	if (!view->symbol || view->symbol(view, addr, text, size) < 0)
		snprintf(text, size, "0x%lx", (unsigned long)addr);
}

static int read_root(struct sw_view *view, struct sw_machine *root)
{
	int err = view->read(view, root, view->root, sizeof(*root));

	if (err)
		return err;
	if (memcmp(root->magic, SW_MACHINE_MAGIC, sizeof(root->magic)) != 0)
		return -ENOEXEC;
	root->version[sizeof(root->version) - 1] = '\0';
	if (root->abi != SW_MACHINE_ABI || root->size != sizeof(*root) ||
	    root->layout != sw_machine_root.layout ||
	    memcmp(root->version, sw_machine_root.version, sizeof(root->version)) != 0)
		return -EPROTO;
	return 0;
}

int sw_view_version(struct sw_view *view, char version[16])
{
	struct sw_machine root;
	int err;

	memset(&root, 0, sizeof(root));
	err = read_root(view, &root);
	if (!err || err == -EPROTO)
		memcpy(version, root.version, sizeof(root.version));
	return err;
}

int reader_open(struct reader *reader, struct sw_view *view)
{
	unsigned int nodes = 0;
	int state = 0;
	int err;

	memset(reader, 0, sizeof(*reader));
	reader->local = !view;
	reader->view = view ? view : &local_view;
	err = read_root(reader->view, &reader->root);
	if (!err)
		err = reader_copy(reader, &state, (const int *)reader->root.slab_state);
	if (!err)
		err = reader_copy(reader, &reader->layout, reader->root.sw_layout);
	if (!err)
		err = reader_copy(reader, &nodes, reader->root.nr_node_ids);
	if (err)
		return err;
	reader->nr_nodes = nodes;
	reader->nr_cids = reader->layout.nr_cids;
	if (state < 2 || !nodes || nodes > MAX_NUMNODES || reader->nr_cids > READER_MAX_CIDS ||
	    !reader->layout.memmap)
		return -EAGAIN; /* before boot, or in the middle of it */
	return 0;
}
