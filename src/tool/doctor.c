/* SPDX-License-Identifier: MIT */
/*
 * doctor.c - slabwork doctor: is this machine fit, is anything missing, what to try first
 *
 * Room: tool. A line for each thing that slabwork stands on. "ok" needs nothing, "warn" says what
 * will not work or work slower and what to do, "FAIL" means that programs will not run on it.
 */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <slabwork/control.h>

#include "tool/tool.h"

#ifndef AT_RSEQ_FEATURE_SIZE
#define AT_RSEQ_FEATURE_SIZE 27
#endif
/* Bytes of struct rseq up to and with mm_cid (Linux 6.3). */
#define RSEQ_WITH_MM_CID 28

#define ADDRESS_SPACE_LEAST (64ul << 20)
#define MAPS_LEAST          65530ul /* the kernel's own default */

enum verdict { GOOD, WARN, BAD };
static const char *const verdicts[] = { "ok", "warn", "FAIL" };

struct finding {
	enum verdict verdict;
	const char *name;
	char text[256];
};

#define MAX_FINDINGS 16
static struct finding findings[MAX_FINDINGS];
static unsigned int nr_findings;

__attribute__((format(printf, 3, 4))) static void found(enum verdict verdict, const char *name,
							const char *fmt, ...)
{
	struct finding *f = &findings[nr_findings];
	va_list args;

	if (nr_findings == MAX_FINDINGS)
		return;
	nr_findings++;
	f->verdict = verdict;
	f->name = name;
	va_start(args, fmt);
	vsnprintf(f->text, sizeof(f->text), fmt, args);
	va_end(args);
}

/* First line of a file without its end. */
static bool read_line(const char *path, char *text, size_t size)
{
	FILE *f = fopen(path, "re");
	bool got;

	if (!f)
		return false;
	got = fgets(text, (int)size, f) != NULL;
	fclose(f);
	if (got)
		text[strcspn(text, "\n")] = '\0';
	return got;
}

/* ---- the library ------------------------------------------------------------------------ */

/* The child: this very program, under the preload. */
static void exec_selftest(const char *library, int out)
{
	dup2(out, STDOUT_FILENO);
	setenv("LD_PRELOAD", library, 1);
	unsetenv("SLABWORK");
	execl("/proc/self/exe", "slabwork", "doctor", "--self-test", (char *)NULL);
	_exit(127);
}

static int run_selftest(const char *library, char *text, size_t size)
{
	int status = -1, pipes[2];
	size_t len = 0;
	ssize_t n;
	pid_t child;

	if (pipe2(pipes, O_CLOEXEC))
		return -1;
	child = fork();
	if (!child)
		exec_selftest(library, pipes[1]);
	close(pipes[1]);
	while ((n = read(pipes[0], text + len, size - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	close(pipes[0]);
	if (child < 0 || waitpid(child, &status, 0) != child)
		return -1;
	return status;
}

static void check_preload(void)
{
	char library[4096], text[512];
	unsigned int passed = 0, checks = 0;
	int status, at = 0;

	if (!library_find(library, sizeof(library))) {
		found(BAD, "preload",
		      "libslabwork-malloc.so is neither beside this command nor in ../lib: build it "
		      "with ./run --setup");
		return;
	}
	status = run_selftest(library, text, sizeof(text));
	text[strcspn(text, "\n")] = '\0';
	if (sscanf(text, "%u %u %n", &passed, &checks, &at) < 2)
		found(BAD, "preload", "a program under %.150s %s", library,
		      WIFSIGNALED(status) ? "was killed: run the self-test in a debugger" :
					    "does not run");
	else if (passed != checks)
		found(BAD, "preload", "self-test %u/%u: first to fail: %s", passed, checks,
		      text + at);
	else
		found(GOOD, "preload",
		      "libslabwork-malloc.so answers malloc, mallinfo2, malloc_info, malloc_trim "
		      "(self-test %u/%u)",
		      passed, checks);
}

/* ---- the kernel ------------------------------------------------------------------------- */

static void check_page_size(void)
{
	long size = sysconf(_SC_PAGESIZE);

	found(size == 4096 || size == 16384 || size == 65536 ? GOOD : WARN, "page size",
	      "%ld (%s supported by this build)", size,
	      size == 4096 ? "16K and 64K" : "4K, 16K and 64K");
}

static void check_rseq(void)
{
	unsigned long features = getauxval(AT_RSEQ_FEATURE_SIZE);
	const unsigned int *size = dlsym(RTLD_DEFAULT, "__rseq_size");
	bool kernel = syscall(SYS_rseq, NULL, 0, 0, 0) == 0 || errno != ENOSYS;
	long barriers;

	if (!kernel)
		found(WARN, "rseq",
		      "the kernel has none (Linux 4.18, or seccomp): every call takes a lock");
	else if (!size || !*size)
		found(WARN, "rseq",
		      "libc does not use it (glibc 2.35, glibc.pthread.rseq): every call takes a "
		      "lock");
	else
		found(GOOD, "rseq", "per-CPU stock without locks, by %s",
		      features >= RSEQ_WITH_MM_CID ? "concurrency id" : "CPU");
	barriers = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
	if (barriers < 0 || !(barriers & MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ))
		found(WARN, "membarrier",
		      "no rseq barrier (Linux 5.10, or seccomp): other CPUs' stock cannot be "
		      "trimmed");
	else
		found(GOOD, "membarrier", "other CPUs' stock can be trimmed");
}

static void limit_text(char text[24], const char *raw)
{
	char n[HUMAN_SIZE];

	if (raw[0] >= '0' && raw[0] <= '9')
		snprintf(text, 24, "%s", human(n, strtoull(raw, NULL, 10)));
	else
		snprintf(text, 24, "%.20s", raw);
}

/* The folder of our cgroup in the unified hierarchy. */
static bool cgroup_folder(char *path, size_t size)
{
	static const char *const roots[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	char line[4096];
	FILE *f = fopen("/proc/self/cgroup", "re");
	bool got = false;

	while (f && !got && fgets(line, sizeof(line), f)) {
		if (strncmp(line, "0::", 3) != 0)
			continue;
		line[strcspn(line, "\n")] = '\0';
		for (int i = 0; i < 2 && !got; i++) {
			snprintf(path, size, "%s%s/cgroup.controllers", roots[i], line + 3);
			got = !access(path, R_OK);
			snprintf(path, size, "%s%s", roots[i], line + 3);
		}
	}
	if (f)
		fclose(f);
	return got;
}

static void check_psi(const char *folder)
{
	char path[8300], line[128];

	snprintf(path, sizeof(path), "%s/memory.pressure", folder);
	if (*folder && read_line(path, line, sizeof(line)))
		found(GOOD, "PSI", "memory.pressure readable");
	else if (read_line("/proc/pressure/memory", line, sizeof(line)))
		found(GOOD, "PSI", "/proc/pressure/memory readable");
	else
		found(WARN, "PSI",
		      "no memory.pressure: the kernel was built or booted without PSI");
}

static void check_cgroup(void)
{
	char folder[4200], path[8300], raw[64] = "max", max[24], high[24];

	if (!cgroup_folder(folder, sizeof(folder))) {
		found(WARN, "cgroup v2", "not mounted: limits of a container are not seen");
		check_psi("");
		return;
	}
	snprintf(path, sizeof(path), "%s/memory.max", folder);
	if (!read_line(path, raw, sizeof(raw)) && strcmp(strrchr(folder, '/'), "/") != 0) {
		found(WARN, "cgroup v2",
		      "its memory controller is not in use here: a limit set through v1 is not seen");
		check_psi(folder);
		return;
	}
	limit_text(max, raw);
	snprintf(path, sizeof(path), "%s/memory.high", folder);
	snprintf(raw, sizeof(raw), "max");
	read_line(path, raw, sizeof(raw));
	limit_text(high, raw);
	found(GOOD, "cgroup v2", "memory.max %s, memory.high %s", max, high);
	check_psi(folder);
}

static void check_fuse(void)
{
	if (!access("/dev/fuse", R_OK | W_OK))
		found(GOOD, "fuse", "/dev/fuse accessible");
	else
		found(WARN, "fuse",
		      "/dev/fuse not accessible: `mount` disabled, `slabwork fs` works without it "
		      "(both in a later version)");
}

/* ---- watching ------------------------------------------------------------------------------ */

/* Can a process of ours be read? */
static bool read_child(void)
{
	static volatile int word = 42;
	int copy = 0;
	struct iovec here = { &copy, sizeof(copy) }, there = { (void *)&word, sizeof(word) };
	pid_t child = fork();
	bool got;

	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	if (child < 0)
		return false;
	got = process_vm_readv(child, &here, 1, &there, 1, 0) == sizeof(copy) && copy == 42;
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return got;
}

static void check_ptrace(void)
{
	char scope[16] = "0";

	read_line("/proc/sys/kernel/yama/ptrace_scope", scope, sizeof(scope));
	if (!read_child())
		found(WARN, "ptrace",
		      "process_vm_readv is refused (seccomp?): top, map and slabinfo cannot read "
		      "processes; trim can");
	else if (scope[0] != '0' && geteuid() != 0)
		found(WARN, "ptrace",
		      "kernel.yama.ptrace_scope is %s: run top, map and slabinfo as root; trim works",
		      scope);
	else
		found(GOOD, "ptrace", "%s processes can be read",
		      geteuid() == 0 ? "all" : "your own");
}

static void check_runtime_dir(void)
{
	const char *dir = getenv("XDG_RUNTIME_DIR");
	char path[64];
	struct stat st;

	if (dir && *dir && !stat(dir, &st) && st.st_uid == geteuid()) {
		found(GOOD, "control", "sockets in %.180s/" SW_CONTROL_DIR, dir);
		return;
	}
	snprintf(path, sizeof(path), SW_CONTROL_TMP "%u", (unsigned int)geteuid());
	if (!lstat(path, &st) &&
	    (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077)))
		found(WARN, "control",
		      "%s is somebody else's or open to others: set XDG_RUNTIME_DIR, or `slabwork "
		      "trim` reaches no process",
		      path);
	else
		found(GOOD, "control", "sockets in %s (XDG_RUNTIME_DIR is %s)", path,
		      dir && *dir ? "not yours" : "not set");
}

/* ---- limits -------------------------------------------------------------------------------------- */

static void check_limits(void)
{
	char text[32], n[HUMAN_SIZE];
	struct rlimit as;

	if (getrlimit(RLIMIT_AS, &as) || as.rlim_cur == RLIM_INFINITY)
		found(GOOD, "RLIMIT_AS", "unlimited");
	else
		found(as.rlim_cur < ADDRESS_SPACE_LEAST ? WARN : GOOD, "RLIMIT_AS", "%s%s",
		      human(n, as.rlim_cur),
		      as.rlim_cur < ADDRESS_SPACE_LEAST ?
			      ": below 64M programs may not start. try: ulimit -v unlimited" :
			      "");
	if (read_line("/proc/sys/vm/overcommit_memory", text, sizeof(text)))
		found(GOOD, "overcommit", "vm.overcommit_memory %s%s", text,
		      text[0] == '2' ? " (strict: nothing is reserved ahead, so it runs)" : "");
	if (read_line("/proc/sys/vm/max_map_count", text, sizeof(text)) &&
	    strtoul(text, NULL, 10) < MAPS_LEAST)
		found(WARN, "mappings",
		      "vm.max_map_count %s: programs with many large blocks may run out. try: sysctl "
		      "vm.max_map_count=65530",
		      text);
	else
		found(GOOD, "mappings", "vm.max_map_count %s", text);
}

/* ---- saying it ------------------------------------------------------------------------------------- */

static void print_text(void)
{
	for (unsigned int i = 0; i < nr_findings; i++) {
		const struct finding *f = &findings[i];

		/* Two words about the same thing: one line. */
		if (i + 1 < nr_findings && !strcmp(findings[i + 1].name, "PSI") &&
		    f->verdict == GOOD) {
			printf("%-4s %-12s %s      %s  PSI  %s\n", verdicts[f->verdict], f->name,
			       f->text, verdicts[findings[i + 1].verdict], findings[i + 1].text);
			i++;
		} else {
			printf("%-4s %-12s %s\n", verdicts[f->verdict], f->name, f->text);
		}
	}
}

static void print_json(bool fit)
{
	printf("{\n \"fit\": %s,\n \"version\": \"%s\",\n \"checks\": [", fit ? "true" : "false",
	       SW_VERSION);
	for (unsigned int i = 0; i < nr_findings; i++) {
		printf("%s\n  { \"verdict\": \"%s\", \"name\": ", i ? "," : "",
		       verdicts[findings[i].verdict]);
		json_text(stdout, findings[i].name);
		fputs(", \"text\": ", stdout);
		json_text(stdout, findings[i].text);
		fputs(" }", stdout);
	}
	fputs("\n ]\n}\n", stdout);
}

int cmd_doctor(const struct command *cmd, int argc, char **argv)
{
	bool json = false, fit = true;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--self-test"))
			return selftest();
		if (strcmp(argv[i], "--json") != 0)
			return usage_error(cmd, "doctor takes no '%s'", argv[i]);
		json = true;
	}
	check_preload();
	check_page_size();
	check_cgroup();
	check_fuse();
	check_rseq();
	check_ptrace();
	check_runtime_dir();
	check_limits();
	for (unsigned int i = 0; i < nr_findings; i++)
		fit = fit && findings[i].verdict != BAD;
	if (json)
		print_json(fit);
	else
		print_text();
	if (!json)
		puts(fit ? "try: slabwork run -- python3" : "try: ./run --setup");
	return fit ? EXIT_OK : EXIT_FAIL;
}
