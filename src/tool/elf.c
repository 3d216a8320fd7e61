/* SPDX-License-Identifier: MIT */
/*
 * elf.c - symbols of an ELF file, read where it lies
 *
 * Room: tool. The file may be anything that a process has mapped, so nothing in it
 * is believed: each table is checked against the file's size before it is walked.
 */

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool/tool.h"

typedef ElfW(Ehdr) ehdr_t;
typedef ElfW(Phdr) phdr_t;
typedef ElfW(Shdr) shdr_t;
typedef ElfW(Sym) sym_t;

/* A table of n entries at offset, or NULL if it is not all inside the file. */
static const void *table(const struct elf_file *elf, uint64_t offset, uint64_t n, size_t entry)
{
	if (offset > elf->size || n > (elf->size - offset) / entry || offset % sizeof(uint32_t))
		return NULL;
	return elf->data + offset;
}

int elf_open(struct elf_file *elf, int fd)
{
	const ehdr_t *header;
	struct stat st;
	void *data;

	elf->data = NULL;
	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || (size_t)st.st_size < sizeof(*header))
		return -ENOEXEC;
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return -errno;
	header = data;
	if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
	    header->e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32)) {
		munmap(data, (size_t)st.st_size);
		return -ENOEXEC;
	}
	elf->data = data;
	elf->size = (size_t)st.st_size;
	return 0;
}

void elf_close(struct elf_file *elf)
{
	if (elf->data)
		munmap((void *)elf->data, elf->size);
	elf->data = NULL;
}

static const ehdr_t *elf_header(const struct elf_file *elf)
{
	return (const void *)elf->data;
}

static const phdr_t *program_headers(const struct elf_file *elf)
{
	const ehdr_t *header = elf_header(elf);

	if (header->e_phentsize != sizeof(phdr_t))
		return NULL;
	return table(elf, header->e_phoff, header->e_phnum, sizeof(phdr_t));
}

bool elf_vaddr_of_offset(const struct elf_file *elf, uint64_t offset, uint64_t *vaddr)
{
	const phdr_t *ph = program_headers(elf);
	uint64_t mask = (uint64_t)sysconf(_SC_PAGESIZE) - 1;

	for (unsigned int i = 0; ph && i < elf_header(elf)->e_phnum; i++) {
		if (ph[i].p_type == PT_LOAD && (ph[i].p_offset & ~mask) == offset) {
			*vaddr = ph[i].p_vaddr & ~mask;
			return true;
		}
	}
	return false;
}

bool elf_is_static(const struct elf_file *elf)
{
	const phdr_t *ph = program_headers(elf);

	for (unsigned int i = 0; ph && i < elf_header(elf)->e_phnum; i++) {
		if (ph[i].p_type == PT_INTERP)
			return false;
	}
	return ph != NULL;
}

/* A symbol table with its strings. */
struct symbols {
	const sym_t *sym;
	uint64_t count;
	const char *strings;
	uint64_t strings_size;
};

static bool symbols_of(const struct elf_file *elf, uint32_t type, struct symbols *s)
{
	const ehdr_t *header = elf_header(elf);
	const shdr_t *sh = NULL;

	if (header->e_shentsize == sizeof(shdr_t))
		sh = table(elf, header->e_shoff, header->e_shnum, sizeof(shdr_t));
	for (unsigned int i = 0; sh && i < header->e_shnum; i++) {
		const shdr_t *strings;

		if (sh[i].sh_type != type || sh[i].sh_link >= header->e_shnum)
			continue;
		strings = &sh[sh[i].sh_link];
		s->count = sh[i].sh_size / sizeof(sym_t);
		s->sym = table(elf, sh[i].sh_offset, s->count, sizeof(sym_t));
		s->strings = (const char *)elf->data + strings->sh_offset;
		s->strings_size = strings->sh_size;
		return s->sym && strings->sh_size && strings->sh_offset <= elf->size &&
		       strings->sh_size <= elf->size - strings->sh_offset &&
		       !s->strings[strings->sh_size - 1];
	}
	return false;
}

static const char *symbol_name(const struct symbols *s, const sym_t *sym)
{
	return sym->st_name < s->strings_size ? s->strings + sym->st_name : "";
}

static const uint32_t symbol_tables[] = { SHT_DYNSYM, SHT_SYMTAB };

bool elf_symbol(const struct elf_file *elf, const char *name, uint64_t *vaddr)
{
	struct symbols s;

	for (int t = 0; t < 2; t++) {
		if (!symbols_of(elf, symbol_tables[t], &s))
			continue;
		for (uint64_t i = 0; i < s.count; i++) {
			if (s.sym[i].st_shndx == SHN_UNDEF ||
			    strcmp(symbol_name(&s, &s.sym[i]), name) != 0)
				continue;
			*vaddr = s.sym[i].st_value;
			return true;
		}
	}
	return false;
}

bool elf_function_at(const struct elf_file *elf, uint64_t vaddr, const char **name, uint64_t *start,
		     uint64_t *size)
{
	struct symbols s;

	/* The full table first: the dynamic one lacks static functions. */
	for (int t = 1; t >= 0; t--) {
		if (!symbols_of(elf, symbol_tables[t], &s))
			continue;
		for (uint64_t i = 0; i < s.count; i++) {
			const sym_t *sym = &s.sym[i];

			if (ELF64_ST_TYPE(sym->st_info) != STT_FUNC || sym->st_shndx == SHN_UNDEF ||
			    vaddr - sym->st_value >= sym->st_size)
				continue;
			*name = symbol_name(&s, sym);
			*start = sym->st_value;
			*size = sym->st_size;
			return true;
		}
	}
	return false;
}
