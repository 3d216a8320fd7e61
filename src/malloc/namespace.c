/* SPDX-License-Identifier: MIT */
/*
 * namespace.c - free() of what another dlmopen() namespace's C library allocated
 *
 * Room: malloc.
 *
 * 1. The case
 *
 * dlmopen() loads a second C library with a malloc of its own; LD_PRELOAD and the program's symbols
 * do not reach into that namespace. With one glibc everywhere a block that crosses over may be
 * freed on the other side (all copies lay out blocks alike), and programs with plug-ins do that. So a
 * pointer that is no memory of ours is not misuse yet: if there is another namespace with a C
 * library, and the pointer looks exactly like a block of glibc's, it goes to that library's free().
 *
 * 2. What "looks like" asks
 *
 * The page is private, readable, writable, anonymous and neither stack nor brk heap, by
 * /proc/self/maps: before that nothing is read at the address. Then the word before the block is a size
 * of glibc's: a multiple of 16, at least 32, ending within the mapping; a block that was mapped alone starts
 * and ends on a page; any other has its "in use" bit in the header that follows it. Whatever
 * does not fit is misuse as ever. What fits by accident is checked by that library's free() itself.
 *
 * A process without a second namespace stops at the first question, and its reports are the same as ever.
 *
 * Differs from one glibc for all: with several other namespaces the first one's free() is called.
 * The other direction, our blocks freed by the other library, is out of our hands.
 *
 * Locks: none. The list of namespaces is read without the loader's lock: only libraries that are
 * being closed at this very moment could disturb, and the process is in the middle of using one.
 */

#include "malloc/namespace.h"

#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>

#include "os/os.h"
#include "os/reader.h"
#include "os/vm.h"

/* A static program has neither namespaces nor these. */
#pragma weak dlclose
#pragma weak dlinfo
#pragma weak dlmopen
#pragma weak dlsym

/* glibc's block header, as its ABI between copies of itself fixes it. */
#define HEADER_BYTES 16UL
#define SIZE_MIN     32UL
#define SIZE_MASK    (~7UL)
#define IN_USE       1UL /* in the header that follows: the block before it is live */
#define MAPPED_ALONE 2UL

/* glibc 2.35 and newer: the same as its struct r_debug_extended. */
struct namespaces {
	struct r_debug base;
	struct namespaces *next;
};
#define VERSION_WITH_NEXT 2

/* Named so by the linker; the type that headers give it ends before the list begins. */
extern struct namespaces loader_state __asm__("_r_debug") __attribute__((weak));

struct mapping {
	uintptr_t start, end;
};

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The C library of another namespace; NULL: there is none. */
static struct link_map *other_libc(void)
{
	const struct namespaces *ns = &loader_state;

	if (!ns || ns->base.r_version < VERSION_WITH_NEXT)
		return NULL;
	for (ns = ns->next; ns; ns = ns->next) {
		for (struct link_map *map = ns->base.r_map; map; map = map->l_next) {
			if (!strcmp(base_name(map->l_name), "libc.so.6"))
				return map;
		}
	}
	return NULL;
}

static uintptr_t parse_hex(const char **text)
{
	uintptr_t value = 0;

	for (;; (*text)++) {
		char c = **text;

		if (c >= '0' && c <= '9')
			value = value * 16 + (uintptr_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value * 16 + (uintptr_t)(c - 'a' + 10);
		else
			return value;
	}
}

/* A line of /proc/self/maps: "start-end rw-p offset dev inode   name". */
static bool line_holds(const char *line, uintptr_t addr, struct mapping *m)
{
	m->start = parse_hex(&line);
	if (*line++ != '-')
		return false;
	m->end = parse_hex(&line);
	/* "[anon: ...]" is a named mapping; "[heap]", "[stack]" and paths are not malloc's. */
	return addr >= m->start && addr < m->end && !strncmp(line, " rw-p ", 6) &&
	       !strchr(line, '/') && (!strchr(line, '[') || strstr(line, "[anon:"));
}

static bool find_mapping(uintptr_t addr, struct mapping *m)
{
	struct os_reader maps;
	bool found = false;
	char line[128];

	os_reader_open(&maps, "/proc/self/maps");
	while (!found && os_getline(&maps, line, sizeof(line)) != OS_EOF)
		found = line_holds(line, addr, m);
	os_reader_close(&maps);
	return found;
}

static size_t word_at(uintptr_t addr)
{
	return __atomic_load_n((const size_t *)addr, __ATOMIC_RELAXED);
}

static bool looks_like_block(uintptr_t addr)
{
	size_t header, size, page = os_page_size();
	uintptr_t start = addr - HEADER_BYTES;
	struct mapping m;

	if ((addr & (HEADER_BYTES - 1)) || !find_mapping(addr, &m) || start < m.start)
		return false;
	header = word_at(addr - sizeof(size_t));
	size = header & SIZE_MASK;
	if (size < SIZE_MIN || size > m.end - start)
		return false;
	if (header & MAPPED_ALONE) {
		size_t before = word_at(start);

		return !((start - before) & (page - 1)) && !((size + before) & (page - 1)) &&
		       before <= start - m.start;
	}
	return !(size & (HEADER_BYTES - 1)) && start + size + HEADER_BYTES <= m.end &&
	       (word_at(start + size + sizeof(size_t)) & IN_USE);
}

/* A function of the library that the block belongs to; NULL: it belongs to none. */
static void *owner_call(void *p, const char *name)
{
	struct link_map *libc = other_libc();
	void *handle, *call;
	Lmid_t id;

	if (!libc || !dlmopen || !dlinfo || !looks_like_block((uintptr_t)p) ||
	    dlinfo(libc, RTLD_DI_LMID, &id))
		return NULL;
	/* What was loaded only because others need it is no handle: ask for one. */
	handle = dlmopen(id, "libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
	if (!handle)
		return NULL;
	call = dlsym(handle, name);
	dlclose(handle); /* it was there before us and stays */
	return call;
}

bool namespace_free(void *p)
{
	void (*give)(void *) = (void (*)(void *))owner_call(p, "free");

	if (give)
		give(p);
	return give;
}

size_t namespace_usable(void *p)
{
	size_t (*ask)(void *) = (size_t(*)(void *))owner_call(p, "malloc_usable_size");

	return ask ? ask(p) : 0;
}
