/* SPDX-License-Identifier: MIT */
/* steps.c - run a child one instruction at a time; the idea is in steps.h */

#include "steps.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define INT3       0xccUL
#define CALL_BYTES 2 /* call *%rax */
#define LEA_BYTES  7
#define MOST_STEPS 100000

/* What the kernel reads of a restartable sequence. */
struct sequence {
	uint32_t version, flags;
	uint64_t start, length, abort;
};

long stepped_call(void *function, long a, long b);

/* The parent wakes up at the first int3 and knows where the second is. */
__asm__(".text\n.type stepped_call, @function\n"
	"stepped_call:\n\t"
	"push %rbp\n\t"
	"mov %rsp, %rbp\n\t"
	"mov %rdi, %rax\n\t"
	"mov %rsi, %rdi\n\t"
	"mov %rdx, %rsi\n\t"
	"int3\n\t"
	"call *%rax\n\t"
	"int3\n\t"
	"pop %rbp\n\t"
	"ret\n"
	".size stepped_call, . - stepped_call\n");

static _Noreturn void fail(const char *path, const char *why)
{
	fprintf(stderr, "steps: %s: %s\n", path, why);
	exit(1);
}

static uint64_t instruction_pointer(pid_t child)
{
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, child, NULL, &regs))
		fail("child", "no registers");
	return regs.rip;
}

static void set_instruction_pointer(pid_t child, uint64_t ip)
{
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, child, NULL, &regs))
		fail("child", "no registers");
	regs.rip = ip;
	ptrace(PTRACE_SETREGS, child, NULL, &regs);
}

/* Continue or step; false once the child has ended. */
static bool resume(pid_t child, int request)
{
	int status;

	if (ptrace((enum __ptrace_request)request, child, NULL, NULL) ||
	    waitpid(child, &status, 0) != child)
		fail("child", "does not go on");
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return false;
	if (!WIFSTOPPED(status) || (WSTOPSIG(status) != SIGTRAP && WSTOPSIG(status) != SIGSTOP))
		fail("child", "crashed");
	return true;
}

static uint64_t peek(pid_t child, uint64_t address)
{
	return (uint64_t)ptrace(PTRACE_PEEKTEXT, child, (void *)address, NULL);
}

/* The end of the sequence whose descriptor the instruction at @ip loads; 0: it is another. */
static uint64_t sequence_end(pid_t child, uint64_t ip)
{
	unsigned char code[8];
	struct sequence sequence;
	uint64_t word = peek(child, ip), target;
	int32_t distance;

	memcpy(code, &word, sizeof(code));
	/* REX.W lea, any register, from a place relative to the next instruction */
	if ((code[0] != 0x48 && code[0] != 0x4c) || code[1] != 0x8d || (code[2] & 0xc7) != 0x05)
		return 0;
	memcpy(&distance, code + 3, sizeof(distance));
	target = ip + LEA_BYTES + (uint64_t)(int64_t)distance;
	for (size_t i = 0; i < sizeof(sequence); i += sizeof(word)) {
		word = peek(child, target + i);
		memcpy((char *)&sequence + i, &word, sizeof(word));
	}
	if (sequence.version || sequence.flags || sequence.start <= ip ||
	    sequence.start > ip + 64 || sequence.length > 256)
		return 0;
	return sequence.start + sequence.length;
}

/* Over a sequence in one go, to @end; printed for bench/hitpath. */
static void run_to(pid_t child, const char *path, uint64_t from, uint64_t end)
{
	uint64_t kept = peek(child, end);
	Dl_info info;

	ptrace(PTRACE_POKETEXT, child, (void *)end, (void *)((kept & ~0xffUL) | INT3));
	resume(child, PTRACE_CONT);
	if (instruction_pointer(child) != end + 1)
		fail(path, "left its fast path");
	ptrace(PTRACE_POKETEXT, child, (void *)end, (void *)kept);
	set_instruction_pointer(child, end);
	/* The child is our copy: what lies where is the same. */
	if (!dladdr((void *)from, &info))
		fail(path, "code of no file");
	printf(" %s %lx %lx", info.dli_fname, from - (uint64_t)info.dli_fbase,
	       end - (uint64_t)info.dli_fbase);
}

/* The child stands behind the first int3. */
static void count(pid_t child, const char *path)
{
	uint64_t back = instruction_pointer(child) + CALL_BYTES, ip, end;
	int steps = 0;

	printf("%s", path);
	resume(child, PTRACE_SINGLESTEP); /* the call, not counted */
	while (ip = instruction_pointer(child), ip != back) {
		end = sequence_end(child, ip);
		if (end) {
			run_to(child, path, ip, end);
			continue;
		}
		if (++steps > MOST_STEPS)
			fail(path, "does not come back");
		resume(child, PTRACE_SINGLESTEP);
	}
	printf(" %d\n", steps);
	set_instruction_pointer(child, back + 1); /* past the second int3 */
}

static _Noreturn void be_stepped(const struct path *paths, int nr_paths)
{
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	for (int i = 0; i < nr_paths; i++) {
		long arguments[2] = { 0, 0 };

		paths[i].prepare(arguments);
		stepped_call(paths[i].function, arguments[0], arguments[1]);
	}
	_exit(0);
}

int steps_main(const struct path *paths, int nr_paths)
{
	pid_t child;
	int status, i = 0;

	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	child = fork();
	if (child == 0)
		be_stepped(paths, nr_paths);
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFSTOPPED(status))
		fail("child", "is not traced");
	ptrace(PTRACE_SETOPTIONS, child, NULL, (void *)PTRACE_O_EXITKILL);
	while (resume(child, PTRACE_CONT))
		count(child, paths[i++].name);
	return i == nr_paths ? 0 : 1;
}
