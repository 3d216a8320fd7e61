/* SPDX-License-Identifier: MIT */
#ifndef TOOL_TOOL_H
#define TOOL_TOOL_H

/*
 * tool.h - what the commands share
 *
 * Room: tool. One file a command; main.c has the table. Messages go to stderr, begin
 * with "slabwork: ", and say what to do. Exit codes: 0, EXIT_FAIL, EXIT_USAGE; run
 * has env(1)'s 125, 126 and 127 for what happens before the program runs.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include <slabwork/view.h>

enum { EXIT_OK = 0, EXIT_FAIL = 1, EXIT_USAGE = 2 };

struct command {
	const char *name;
	const char *synopsis; /* after the name */
	const char *line;     /* what it does, for the list */
	const char *help;     /* the rest of --help */
	int (*run)(const struct command *cmd, int argc, char **argv); /* argv[0] is the name */
};

extern const struct command commands[];
extern const unsigned int nr_commands;

const struct command *command_find(const char *name);
void command_help(const struct command *cmd);
/* "slabwork: ..." and how to call it; returns EXIT_USAGE. */
int usage_error(const struct command *cmd, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* "slabwork: ..."; returns EXIT_FAIL. */
int fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

int cmd_run(const struct command *cmd, int argc, char **argv);  /* run.c */
int cmd_show(const struct command *cmd, int argc, char **argv); /* show.c: slabinfo, ... */
int cmd_slab(const struct command *cmd, int argc, char **argv); /* show.c */
int cmd_list(const struct command *cmd, int argc, char **argv); /* list.c */
int cmd_doctor(const struct command *cmd, int argc, char **argv);
int cmd_map(const struct command *cmd, int argc, char **argv);   /* map.c */
int cmd_mount(const struct command *cmd, int argc, char **argv); /* mount.c */
int cmd_umount(const struct command *cmd, int argc, char **argv);
int cmd_top(const struct command *cmd, int argc, char **argv);  /* top.c */
int cmd_trim(const struct command *cmd, int argc, char **argv); /* trim.c */

/* The malloc library of this command's own build or installation. run.c */
bool library_find(char *path, size_t size);
#define MALLOC_CACHES 84 /* for run's banner; tests/tool/test_run.sh holds it against the library */

/* doctor --self-test: exercise this process's malloc. "PASSED CHECKS WHAT-FAILED"; exit status. */
int selftest(void);

/* ---- elf.c: symbols of the files that a process has mapped -------------------------- */

struct elf_file {
	const unsigned char *data; /* mapped; NULL: not opened */
	size_t size;
};

int elf_open(struct elf_file *elf, int fd); /* 0, or -ENOEXEC, -errno; fd stays the caller's */
void elf_close(struct elf_file *elf);
/* Address the file was linked for, where its mapping of this file offset begins. False: no such. */
bool elf_vaddr_of_offset(const struct elf_file *elf, uint64_t offset, uint64_t *vaddr);
/* Link-time address of a defined object or function. */
bool elf_symbol(const struct elf_file *elf, const char *name, uint64_t *vaddr);
/* The function that holds vaddr. */
bool elf_function_at(const struct elf_file *elf, uint64_t vaddr, const char **name, uint64_t *start,
		     uint64_t *size);
bool elf_is_static(const struct elf_file *elf); /* an executable without an interpreter */

/* ---- target.c: another process ------------------------------------------------------- */

struct mapped_file {
	uintptr_t start, end; /* the whole file's mappings, first to last */
	uint64_t offset;      /* of the mapping at start */
	uint64_t vaddr;       /* that this mapping was linked for */
	bool tried;
	struct elf_file elf;
	char range[40];  /* as in map_files */
	char path[4096]; /* as in maps */
};

struct target {
	struct sw_view view; /* first: view callbacks get back here */
	pid_t pid;
	char name[64]; /* comm */
	struct mapped_file *files;
	size_t nr_files;
};

/* By number or by name of the program. Says itself what is wrong. False: EXIT_FAIL. */
bool target_open(struct target *target, const char *who);
void target_close(struct target *target);
/* The same in two steps: which process, and its memory. */
bool target_find(struct target *target, const char *who);
bool target_read_open(struct target *target);
/* Say why reading it failed: -EAGAIN, -ESRCH, ...; returns EXIT_FAIL. */
int target_error(const struct target *target, int err);

/* ---- control.c: ask a process through its control socket ------------------------------ */

/*
 * Send a request; the values of the answer go to reply as text. 0; -ENOENT it has no socket;
 * -EACCES; -EPROTO another protocol; -EINVAL it refused, and reply says why; or what connect(2) said.
 */
int control_ask(pid_t pid, const char *request, char *reply, size_t size);
/* "name value" lines: the value of this name, 0 if it is not there. */
uint64_t control_value(const char *reply, const char *name);
/* Ask to trim, and say in words how it went: true and a line in text, or false and what is wrong. */
bool trim_ask(struct target *target, const char *keep, char *reply, size_t size);
void trim_sentence(const char *reply, char *text, size_t size);
/* Remove the sockets of processes that have ended. */
void control_sweep(void);

/* ---- text.c: numbers for people ---------------------------------------------------------- */

/* "0", "512", "128.0K", "71.3M": powers of 1,024. Returns buf. */
#define HUMAN_SIZE 16
const char *human(char buf[HUMAN_SIZE], uint64_t bytes);
/* Quoted. */
void json_text(FILE *out, const char *text);

/* ---- process.c: what /proc knows ------------------------------------------------------ */

bool process_name(pid_t pid, char name[64]);
/* Does it have our library mapped? (A statically linked program is not seen.) */
bool process_has_library(pid_t pid);
/* Call fn for every process, in order of pid. */
void process_each(void (*fn)(pid_t pid, const char *name, void *arg), void *arg);
/* One line for each process that has our library, to stderr with a heading; their number. */
unsigned int process_list_slabwork(void);

#endif /* TOOL_TOOL_H */
