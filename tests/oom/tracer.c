/* SPDX-License-Identifier: MIT */
/*
 * tracer.c - run a program, make system calls of one of its libraries fail, see where it dies
 *
 *   tracer [-l LIBRARY] [-f CALL:N[:ever]] [-c CALL] [-t SECONDS] -- PROGRAM ARGUMENT...
 *
 *   -l   whose calls and whose faults are meant: a part of a mapped file's name
 *        (libslabwork-malloc.so)
 *   -f   the Nth CALL made by an instruction of that library fails (":ever": and every later one);
 *        CALL is one of the table below
 *   -t   seconds until it is called a hang: every thread's place is printed and all are killed
 *   -c   only count the calls, print "calls N" (CALL may be "any": one line for each)
 *
 * Follows forks, threads and execs. Prints, on its own standard error and each line after "tracer: ",
 * what failed, each fatal signal with the places on the stack as file+offset (innermost first), and how
 * the first process ended. Exit status: 0, or 3 if a fatal signal was raised in a frame of the
 * library, or in a leaf function that such a frame called; 4 for a hang; 77 if nothing can be traced here; 2 usage.
 *
 * So the library under test holds no hook for this: whose a call is, is told by the address of its
 * instruction. x86-64 only.
 */

#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define STATUS_OURS   3
#define STATUS_HANG   4
#define STATUS_CANNOT 77
#define TASKS_MAX     1024
#define RANGES_MAX    8
#define FRAMES_MAX    12
#define PTRACE_OPTIONS                                                                         \
	(PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | \
	 PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)

static const struct call {
	const char *name;
	long nr;
	int error;
} calls[] = {
	{ "mmap", SYS_mmap, ENOMEM },
	{ "munmap", SYS_munmap, ENOMEM },
	{ "madvise", SYS_madvise, ENOMEM },
	{ "mremap", SYS_mremap, ENOMEM },
	{ "mprotect", SYS_mprotect, ENOMEM },
	{ "mlock", SYS_mlock, ENOMEM },
	{ "futex", SYS_futex, EINTR },
	{ "getrandom", SYS_getrandom, ENOSYS },
	{ "membarrier", SYS_membarrier, ENOMEM },
	{ "openat", SYS_openat, EMFILE },
	{ "prctl", SYS_prctl, EINVAL },
};
#define NR_CALLS (sizeof(calls) / sizeof(*calls))

/* The kernel's threads, each with what we must remember between two of its stops. */
static struct task {
	pid_t tid;
	bool in_call;
	bool failing; /* this call's result is to be replaced */
	int error;
} tasks[TASKS_MAX];

/* Executable ranges of the library in the process last looked at. */
static struct {
	pid_t tid;
	int nr;
	struct {
		unsigned long start, end;
	} at[RANGES_MAX];
} ranges;

static const char *library = "libslabwork-malloc.so";
static const struct call *fail_call;
static unsigned long fail_at, counts[NR_CALLS];
static bool fail_ever, counting, ours;

static struct task *task_of(pid_t tid)
{
	struct task *unused = NULL;

	for (int i = 0; i < TASKS_MAX; i++) {
		if (tasks[i].tid == tid)
			return &tasks[i];
		if (!tasks[i].tid && !unused)
			unused = &tasks[i];
	}
	if (!unused) {
		fprintf(stderr, "tracer: too many threads\n");
		exit(2);
	}
	memset(unused, 0, sizeof(*unused));
	unused->tid = tid;
	return unused;
}

static FILE *open_maps(pid_t tid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/maps", tid);
	return fopen(path, "re");
}

static void read_ranges(pid_t tid)
{
	char line[512], perms[8];
	unsigned long start, end;
	FILE *maps = open_maps(tid);

	ranges.tid = tid;
	ranges.nr = 0;
	while (maps && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %7s", &start, &end, perms) != 3 || perms[2] != 'x' ||
		    !strstr(line, library) || ranges.nr == RANGES_MAX)
			continue;
		ranges.at[ranges.nr].start = start;
		ranges.at[ranges.nr++].end = end;
	}
	if (maps)
		fclose(maps);
}

static bool in_ranges(unsigned long pc)
{
	for (int i = 0; i < ranges.nr; i++) {
		if (pc >= ranges.at[i].start && pc < ranges.at[i].end)
			return true;
	}
	return false;
}

/* Threads and forked children have their parent's ranges; an exec'd program has new ones. */
static bool is_ours(pid_t tid, unsigned long pc)
{
	if (!ranges.nr)
		read_ranges(tid);
	return in_ranges(pc);
}

/* "libc.so.6+0x1234" */
static void place(pid_t tid, unsigned long pc, char *text, size_t room)
{
	char line[512], perms[8], path[256];
	unsigned long start, end, offset;
	FILE *maps = open_maps(tid);

	snprintf(text, room, "%#lx", pc);
	while (maps && fgets(line, sizeof(line), maps)) {
		const char *base;

		path[0] = '\0';
		if (sscanf(line, "%lx-%lx %7s %lx %*s %*s %255s", &start, &end, perms, &offset,
			   path) < 4 ||
		    pc < start || pc >= end)
			continue;
		base = strrchr(path, '/');
		snprintf(text, room, "%s+%#lx", base ? base + 1 : path, pc - start + offset);
		break;
	}
	if (maps)
		fclose(maps);
}

static bool peek(pid_t tid, unsigned long addr, unsigned long *word)
{
	errno = 0;
	*word = (unsigned long)ptrace(PTRACE_PEEKDATA, tid, addr, NULL);
	return !errno;
}

/* Is the stack used up (endless recursion)? Then the frame that happened to be last says nothing. */
static bool out_of_stack(pid_t tid, unsigned long sp)
{
	unsigned long start, end;
	char line[512];
	FILE *maps = open_maps(tid);
	bool out = false;

	while (maps && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx", &start, &end) == 2 && strstr(line, "[stack]") &&
		    sp < start + 65536 && sp + 65536 > start && end - start > 4UL << 20)
			out = true;
	}
	if (maps)
		fclose(maps);
	return out;
}

/* A fatal signal: say where, by the chain of frame pointers, and judge whose it is. */
static void report_fault(pid_t tid, int sig)
{
	struct user_regs_struct regs;
	unsigned long frame, pc, word;
	char text[320];

	if (ptrace(PTRACE_GETREGS, tid, NULL, &regs))
		return;
	ranges.nr = 0;
	place(tid, regs.rip, text, sizeof(text));
	fprintf(stderr, "tracer: %s in %d at %s\n", sig ? strsignal(sig) : "hang", tid, text);
	if (sig == SIGSEGV && out_of_stack(tid, regs.rsp)) {
		fprintf(stderr, "tracer:   the stack is used up\n");
		return;
	}
	if (sig && is_ours(tid, regs.rip))
		ours = true;
	/* memcpy() and the like have no frame: their caller is on top of the stack. */
	if (sig && sig != SIGABRT && peek(tid, regs.rsp, &word) && is_ours(tid, word)) {
		place(tid, word, text, sizeof(text));
		fprintf(stderr, "tracer:   called at %s\n", text);
		ours = true;
	}
	frame = regs.rbp;
	for (int i = 0; i < FRAMES_MAX; i++) {
		unsigned long up;

		if ((frame & 7) || !peek(tid, frame, &up) || !peek(tid, frame + 8, &pc) || !pc)
			break;
		place(tid, pc, text, sizeof(text));
		fprintf(stderr, "tracer:   from %s\n", text);
		if (up <= frame)
			break;
		frame = up;
	}
}

/* Does the call that is about to be made fail? */
static bool call_fails(pid_t tid, const struct user_regs_struct *regs, int *error)
{
	for (size_t i = 0; i < NR_CALLS; i++) {
		if ((long)regs->orig_rax != calls[i].nr)
			continue;
		/* A wake cannot fail, and without it somebody sleeps for ever. */
		if (calls[i].nr == SYS_futex && (regs->rsi & FUTEX_CMD_MASK) != FUTEX_WAIT)
			return false;
		if (!is_ours(tid, regs->rip))
			return false;
		counts[i]++;
		if (fail_call != &calls[i] ||
		    !(counts[i] == fail_at || (fail_ever && counts[i] > fail_at)))
			return false;
		if (counts[i] == fail_at)
			fprintf(stderr, "tracer: %s %lu fails\n", calls[i].name, fail_at);
		*error = calls[i].error;
		return true;
	}
	return false;
}

static void on_call(struct task *task)
{
	struct user_regs_struct regs;

	task->in_call = !task->in_call;
	if (ptrace(PTRACE_GETREGS, task->tid, NULL, &regs))
		return;
	if (task->in_call) {
		task->failing = call_fails(task->tid, &regs, &task->error);
		if (task->failing) {
			regs.orig_rax = (unsigned long)-1;
			ptrace(PTRACE_SETREGS, task->tid, NULL, &regs);
		}
	} else if (task->failing) {
		task->failing = false;
		regs.rax = (unsigned long)-(long)task->error;
		ptrace(PTRACE_SETREGS, task->tid, NULL, &regs);
	}
}

static bool fatal(int sig)
{
	return sig == SIGSEGV || sig == SIGBUS || sig == SIGILL || sig == SIGFPE || sig == SIGABRT;
}

static void on_stop(pid_t tid, int status)
{
	int resume = fail_call || counting ? PTRACE_SYSCALL : PTRACE_CONT;
	struct task *task = task_of(tid);
	int sig = WSTOPSIG(status), event = status >> 16;

	if (event == PTRACE_EVENT_EXEC) {
		ranges.nr = 0;
		sig = 0;
	} else if (event == PTRACE_EVENT_STOP) {
		if (sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU) {
			ptrace(PTRACE_LISTEN, tid, NULL, NULL);
			return;
		}
		sig = 0;
	} else if (event) {
		sig = 0;
	} else if (sig == (SIGTRAP | 0x80)) {
		on_call(task);
		sig = 0;
	} else if (fatal(sig)) {
		report_fault(tid, sig);
	}
	ptrace(resume, tid, NULL, (long)sig);
}

/* It takes too long: say where everybody is, and end it. */
static void on_hang(int sig)
{
	int status;

	(void)sig;
	for (int i = 0; i < TASKS_MAX; i++) {
		if (!tasks[i].tid || ptrace(PTRACE_INTERRUPT, tasks[i].tid, NULL, NULL) ||
		    waitpid(tasks[i].tid, &status, __WALL) != tasks[i].tid)
			continue;
		report_fault(tasks[i].tid, 0);
	}
	fprintf(stderr, "tracer: hang\n");
	exit(STATUS_HANG); /* PTRACE_O_EXITKILL ends them */
}

/* Until nobody is left. The status of the first process. */
static int follow(pid_t first)
{
	int last = 0, status;

	for (;;) {
		pid_t tid = waitpid(-1, &status, __WALL);

		if (tid < 0 && errno == EINTR)
			continue;
		if (tid < 0)
			return last;
		if (WIFSTOPPED(status)) {
			on_stop(tid, status);
			continue;
		}
		task_of(tid)->tid = 0;
		if (tid == first)
			last = status;
	}
}

static void parse_call(char *text, bool count)
{
	char *nth = strchr(text, ':');

	if (nth)
		*nth++ = '\0';
	if (count && !strcmp(text, "any"))
		return;
	for (size_t i = 0; i < NR_CALLS; i++) {
		if (!strcmp(text, calls[i].name))
			fail_call = &calls[i];
	}
	if (!fail_call || (!count && !nth)) {
		fprintf(stderr, "tracer: what is '%s'? CALL:N or CALL:N:ever\n", text);
		exit(2);
	}
	if (nth) {
		fail_at = strtoul(nth, &nth, 10);
		fail_ever = !strcmp(nth, ":ever");
	}
}

static pid_t start(char **command)
{
	int gate[2];
	pid_t pid;
	char byte;

	if (pipe(gate))
		exit(2);
	pid = fork();
	if (!pid) {
		close(gate[1]);
		if (read(gate[0], &byte, 1) != 1)
			_exit(127);
		close(gate[0]);
		/* The library is for the program, not for us. */
		if (getenv("TRACER_PRELOAD"))
			setenv("LD_PRELOAD", getenv("TRACER_PRELOAD"), 1);
		execvp(command[0], command);
		perror(command[0]);
		_exit(127);
	}
	close(gate[0]);
	if (pid < 0 || ptrace(PTRACE_SEIZE, pid, NULL, (long)PTRACE_OPTIONS)) {
		perror("tracer: ptrace");
		exit(STATUS_CANNOT);
	}
	if (write(gate[1], "", 1) != 1)
		exit(STATUS_CANNOT);
	close(gate[1]);
	return pid;
}

int main(int argc, char **argv)
{
	int opt, status;

	while ((opt = getopt(argc, argv, "+l:f:c:t:")) != -1) {
		if (opt == 'l')
			library = optarg;
		else if (opt == 't')
			signal(SIGALRM, on_hang), alarm((unsigned int)atoi(optarg));
		else if (opt == 'f' || opt == 'c')
			counting = opt == 'c', parse_call(optarg, counting);
		else
			return 2;
	}
	if (optind >= argc) {
		fprintf(stderr,
			"usage: tracer [-l LIBRARY] [-f CALL:N[:ever]] [-t SECONDS] [-c CALL] -- PROGRAM…\n");
		return 2;
	}
	status = follow(start(argv + optind));
	for (size_t i = 0; counting && i < NR_CALLS; i++)
		fprintf(stderr, "tracer: calls %s %lu\n", calls[i].name, counts[i]);
	if (WIFSIGNALED(status))
		fprintf(stderr, "tracer: ended by %s\n", strsignal(WTERMSIG(status)));
	else
		fprintf(stderr, "tracer: ended with %d\n", WEXITSTATUS(status));
	return ours ? STATUS_OURS : 0;
}
