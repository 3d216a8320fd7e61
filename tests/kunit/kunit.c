/* SPDX-License-Identifier: MIT */
/*
 * kunit.c - run the cases that <kunit/test.h> registered, each in its own process
 *
 * Door: <kunit/test.h>.  Knows nothing of slabwork: it is linked with whatever
 * is tested, and must go on when that is broken. Hence static buffers, write(2)
 * and no malloc.
 *
 * One case: the parent forks; the child is a process group of its own, with
 * stdout and stderr on two pipes and the verdict in a shared page (a case that
 * calls exit(0) has not passed: it never set done). The parent turns every line
 * it reads into a "# " line, keeps the first one of stderr, and kills the group
 * at the deadline.
 *
 * Environment: KUNIT_SEED (as --seed), KUNIT_TIMEOUT_SCALE (a factor, for
 * emulators and valgrind), KUNIT_MESON (closing line as a comment: Meson
 * complains of lines that are not TAP).
 */

#include <kunit/test.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_RECORDS 2048
#define MAX_ACTIONS 64
#define DIAG_FD_MIN 200 /* out of the way of tests that count or close descriptors */

/* The verdict of the running case: shared between the child and its parent. */
struct verdict {
	unsigned int failures;
	int done;
	int skipped;
	char why_skipped[200];
};

struct stream {
	int fd;
	size_t len;
	char line[1024];
	bool has_first;
	char first[1024];
};

struct action {
	void (*call)(void *ctx);
	void *ctx;
};

extern const struct kunit_record *const __start_kunit_records[] __attribute__((weak));
extern const struct kunit_record *const __stop_kunit_records[] __attribute__((weak));

static struct options {
	const char *filters[64];
	int nr_filters;
	bool list;
	bool no_fork;
	uint64_t seed;
	unsigned int timeout_scale;
} opts = { .timeout_scale = 1 };

static struct verdict *verdict;
static int diag_fd = STDOUT_FILENO;
static const char *diag_prefix = "# "; /* "" in a child: its parent adds it */
static struct action actions[MAX_ACTIONS];
static int nr_actions;
static sigjmp_buf case_end;
static pid_t case_tid;
static unsigned int nr_listed, nr_passed, nr_failed, nr_skipped;

/* --- output ------------------------------------------------------------------ */

static void put(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		text += n;
		len -= (size_t)n;
	}
}

/* Whole lines leave in one write, so that threads do not mix theirs. */
static void __attribute__((format(printf, 3, 0)))
vsay(int fd, const char *prefix, const char *fmt, va_list ap)
{
	char buf[2048];
	size_t n = (size_t)snprintf(buf, sizeof(buf), "%s", prefix);
	int more = vsnprintf(buf + n, sizeof(buf) - n - 1, fmt, ap);

	n += more < 0 ? 0 : (size_t)more;
	if (n > sizeof(buf) - 2)
		n = sizeof(buf) - 2;
	buf[n++] = '\n';
	put(fd, buf, n);
}

static void __attribute__((format(printf, 1, 2))) say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsay(STDOUT_FILENO, "", fmt, ap);
	va_end(ap);
}

void kunit_log_line(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsay(diag_fd, diag_prefix, fmt, ap);
	va_end(ap);
}

/* --- what a case calls --------------------------------------------------------- */

static void count_failure(const char *where, const char *what)
{
	__atomic_add_fetch(&verdict->failures, 1, __ATOMIC_RELAXED);
	kunit_log_line("%s: does not hold: %s", where, what);
}

void kunit_fail_text(const char *where, const char *what, const char *fmt, ...)
{
	va_list ap;

	count_failure(where, what);
	if (!strcmp(fmt, " "))
		return;
	va_start(ap, fmt);
	vsay(diag_fd, diag_prefix, fmt, ap);
	va_end(ap);
}

void kunit_fail_compare(const char *where, const char *what, const char *left, long long lval,
			const char *right, long long rval)
{
	count_failure(where, what);
	kunit_log_line("    left  %s = %lld (0x%llx)", left, lval, (unsigned long long)lval);
	kunit_log_line("    right %s = %lld (0x%llx)", right, rval, (unsigned long long)rval);
}

void kunit_fail_str(const char *where, const char *what, const char *lval, const char *rval)
{
	count_failure(where, what);
	kunit_log_line("    left  \"%s\"", lval ? lval : "(NULL)");
	kunit_log_line("    right \"%s\"", rval ? rval : "(NULL)");
}

void kunit_fail_mem(const char *where, const char *what, const void *lval, const void *rval,
		    size_t size)
{
	const unsigned char *l = lval, *r = rval;

	count_failure(where, what);
	for (size_t i = 0; l && r && i < size; i++) {
		if (l[i] == r[i])
			continue;
		kunit_log_line("    first difference at byte %zu of %zu: 0x%02x, 0x%02x", i, size,
			       l[i], r[i]);
		return;
	}
}

void kunit_mark_skipped(struct kunit *test, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(verdict->why_skipped, sizeof(verdict->why_skipped), fmt, ap);
	va_end(ap);
	memcpy(test->status_comment, verdict->why_skipped, sizeof(verdict->why_skipped));
	verdict->skipped = 1;
}

void kunit_abort(struct kunit *test)
{
	(void)test;
	if ((pid_t)syscall(SYS_gettid) != case_tid) {
		verdict->done = 1;
		_exit(1);
	}
	siglongjmp(case_end, 1);
}

int kunit_add_action(struct kunit *test, void (*call)(void *ctx), void *ctx)
{
	(void)test;
	if (nr_actions == MAX_ACTIONS)
		return -ENOMEM;
	actions[nr_actions++] = (struct action){ call, ctx };
	return 0;
}

/* FNV-1a of the name over the run's seed: a case alone sees what it saw among all. */
uint64_t kunit_seed(const struct kunit *test)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ opts.seed;

	for (const char *c = test->name; *c; c++)
		hash = (hash ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
	return hash;
}

/* --- one case, in its process ---------------------------------------------------- */

static void call_params(const struct kunit_case *kc, struct kunit *test)
{
	char desc[KUNIT_PARAM_DESC_SIZE];

	if (!kc->generate_params) {
		kc->run_case(test);
		return;
	}
	for (;;) {
		desc[0] = '\0';
		test->param_value = kc->generate_params(test->param_value, desc);
		if (!test->param_value)
			return;
		kunit_log_line("parameter %s", desc);
		kc->run_case(test);
	}
}

static void case_body(struct kunit_suite *suite, const struct kunit_case *kc)
{
	static struct kunit test;
	volatile bool suite_ready = false, ready = false;

	test = (struct kunit){ .name = kc->name };
	nr_actions = 0;
	case_tid = (pid_t)syscall(SYS_gettid);
	if (!sigsetjmp(case_end, 1)) {
		if (suite && suite->suite_init && suite->suite_init(suite))
			KUNIT_FAIL_AND_ABORT(&test, "suite_init of %s failed", suite->name);
		suite_ready = true;
		if (suite && suite->init && suite->init(&test))
			KUNIT_FAIL_AND_ABORT(&test, "init of %s failed", suite->name);
		ready = true;
		call_params(kc, &test);
	}
	/* The leaving half may ASSERT too; what is left of it is then not run. */
	if (!sigsetjmp(case_end, 1)) {
		while (nr_actions) {
			nr_actions--;
			actions[nr_actions].call(actions[nr_actions].ctx);
		}
		if (ready && suite && suite->exit)
			suite->exit(&test);
		if (suite_ready && suite && suite->suite_exit)
			suite->suite_exit(suite);
	}
}

static void __attribute__((noreturn))
child(struct kunit_suite *suite, const struct kunit_case *kc, int out, int err)
{
	static char stdout_buf[BUFSIZ];
	const struct rlimit no_core = { 0, 0 };

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	diag_fd = fcntl(out, F_DUPFD_CLOEXEC, DIAG_FD_MIN);
	close(out);
	close(err);
	diag_prefix = "";
	setvbuf(stdout, stdout_buf, _IOLBF, sizeof(stdout_buf));
	if (kc->signal) {
		setrlimit(RLIMIT_CORE, &no_core);
		signal(kc->signal, SIG_DFL); /* a sanitizer may have taken it */
	}
	case_body(suite, kc);
	fflush(stdout);
	verdict->done = 1;
	_exit(verdict->failures ? 1 : 0);
}

/* --- one case, from outside -------------------------------------------------------- */

static void stream_end_line(struct stream *s)
{
	s->line[s->len] = '\0';
	if (!s->has_first) {
		memcpy(s->first, s->line, s->len + 1);
		s->has_first = true;
	}
	say("# %s", s->line);
	s->len = 0;
}

/* Returns whether there may be more. */
static bool stream_read(struct stream *s)
{
	char buf[4096];
	ssize_t n = read(s->fd, buf, sizeof(buf));

	if (n < 0)
		return errno == EINTR;
	for (ssize_t i = 0; i < n; i++) {
		if (buf[i] == '\n') {
			stream_end_line(s);
			continue;
		}
		if (s->len == sizeof(s->line) - 1)
			stream_end_line(s);
		s->line[s->len++] = buf[i] ? buf[i] : '?';
	}
	return n > 0;
}

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* Follow the child until it is gone. Returns its wait status, or -1 past the deadline. */
static int follow(pid_t pid, struct stream s[2], long long deadline_ms)
{
	struct pollfd fds[2] = { { s[0].fd, POLLIN, 0 }, { s[1].fd, POLLIN, 0 } };
	bool in_time = true;
	int status = 0;

	for (;;) {
		bool deaf = fds[0].fd < 0 && fds[1].fd < 0;
		/* Both ends closed: it is about to exit. Else wake for the deadline. */
		poll(fds, 2, deaf ? 1 : 50);
		for (int i = 0; i < 2; i++)
			if (fds[i].fd >= 0 && fds[i].revents && !stream_read(&s[i]))
				fds[i].fd = -1;
		if (waitpid(pid, &status, WNOHANG) == pid)
			break;
		if (now_ms() < deadline_ms)
			continue;
		in_time = false;
		kill(-pid, SIGKILL);
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		break;
	}
	kill(-pid, SIGKILL); /* whatever it left behind holds the pipes open */
	for (int i = 0; i < 2; i++) {
		fcntl(s[i].fd, F_SETFL, O_NONBLOCK);
		while (stream_read(&s[i]))
			;
		if (s[i].len)
			stream_end_line(&s[i]);
	}
	return in_time ? status : -1;
}

static bool died_as_told(const struct kunit_case *kc, int status, const struct stream *err)
{
	if (!WIFSIGNALED(status) || WTERMSIG(status) != kc->signal) {
		say("# expected to die of signal %d (%s)", kc->signal, strsignal(kc->signal));
		return false;
	}
	if (kc->first_line && kc->first_line[0] && strcmp(err->first, kc->first_line) != 0) {
		say("# expected as the first line on stderr: %s", kc->first_line);
		return false;
	}
	if (kc->first_line_starts &&
	    strncmp(err->first, kc->first_line_starts, strlen(kc->first_line_starts)) != 0) {
		say("# expected the first line on stderr to start: %s", kc->first_line_starts);
		return false;
	}
	return true;
}

static bool judge(const struct kunit_case *kc, int status, const struct stream *err)
{
	if (status == -1) {
		say("# killed: it ran past its time");
		return false;
	}
	if (kc->signal && !verdict->skipped)
		return died_as_told(kc, status, err) && !verdict->failures;
	if (WIFSIGNALED(status))
		say("# died of signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
	else if (!verdict->done)
		say("# left through exit(%d) before its end", WEXITSTATUS(status));
	return WIFEXITED(status) && verdict->done && !verdict->failures;
}

static bool run_forked(struct kunit_suite *suite, const struct kunit_case *kc)
{
	static struct stream s[2];
	unsigned int timeout_s = kc->timeout_s ? kc->timeout_s : KUNIT_TIMEOUT_S;
	int out[2], err[2];
	bool passed;
	pid_t pid;

	if (pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC)) {
		say("Bail out! no pipe: %s", strerror(errno));
		exit(1);
	}
	pid = fork();
	if (pid < 0) {
		say("Bail out! no process: %s", strerror(errno));
		exit(1);
	}
	if (!pid) {
		close(out[0]);
		close(err[0]);
		child(suite, kc, out[1], err[1]);
	}
	setpgid(pid, pid);
	close(out[1]);
	close(err[1]);
	memset(s, 0, sizeof(s));
	s[0].fd = out[0];
	s[1].fd = err[0];
	passed = judge(kc, follow(pid, s, now_ms() + 1000LL * timeout_s * opts.timeout_scale),
		       &s[1]);
	close(out[0]);
	close(err[0]);
	return passed;
}

static void run_case(struct kunit_suite *suite, const char *suite_name, const struct kunit_case *kc)
{
	bool passed;

	memset(verdict, 0, sizeof(*verdict));
	if (!opts.no_fork) {
		passed = run_forked(suite, kc);
	} else if (kc->signal) {
		verdict->skipped = 1;
		snprintf(verdict->why_skipped, sizeof(verdict->why_skipped),
			 "dies of a signal: needs a process of its own");
		passed = true;
	} else {
		case_body(suite, kc);
		passed = !verdict->failures;
	}
	nr_listed++;
	if (!passed)
		nr_failed++;
	else if (verdict->skipped)
		nr_skipped++;
	else
		nr_passed++;
	say("%s %u - %s.%s%s%s", passed ? "ok" : "not ok", nr_listed, suite_name, kc->name,
	    passed && verdict->skipped ? " # SKIP " : "",
	    passed && verdict->skipped ? verdict->why_skipped : "");
}

/* --- all cases ---------------------------------------------------------------------- */

static const char *file_suite_name(const char *file)
{
	static char name[64];
	const char *base = strrchr(file, '/');

	base = base ? base + 1 : file;
	if (!strncmp(base, "test_", 5))
		base += 5;
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(base, "."), base);
	return name;
}

static bool wanted(const char *suite_name, const char *case_name)
{
	char full[512];

	snprintf(full, sizeof(full), "%s.%s", suite_name, case_name);
	for (int i = 0; i < opts.nr_filters; i++)
		if (strstr(full, opts.filters[i]))
			return true;
	return !opts.nr_filters;
}

static void count_case(struct kunit_suite *suite, const char *name, const struct kunit_case *kc)
{
	(void)suite;
	nr_listed++;
	if (opts.list)
		say("%s.%s", name, kc->name);
}

typedef void (*visit_fn)(struct kunit_suite *suite, const char *name, const struct kunit_case *kc);

static void visit_record(const struct kunit_record *rec, visit_fn visit)
{
	if (rec->single) {
		const char *name = file_suite_name(rec->file);

		if (wanted(name, rec->single->name))
			visit(NULL, name, rec->single);
		return;
	}
	for (size_t i = 0; i < rec->nr_suites; i++) {
		struct kunit_suite *suite = rec->suites[i];

		for (const struct kunit_case *kc = suite->test_cases; kc->run_case; kc++)
			if (wanted(suite->name, kc->name))
				visit(suite, suite->name, kc);
	}
}

/* The compiler may reorder what it puts in a section: by file as linked, then by line. */
static void visit_all(visit_fn visit)
{
	static const struct kunit_record *sorted[MAX_RECORDS];
	size_t nr = 0;

	for (const struct kunit_record *const *p = __start_kunit_records;
	     p < __stop_kunit_records && nr < MAX_RECORDS; p++) {
		size_t at = nr++;

		for (; at > 0 && sorted[at - 1]->file == (*p)->file &&
		       sorted[at - 1]->line > (*p)->line;
		     at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = *p;
	}
	for (size_t i = 0; i < nr; i++)
		visit_record(sorted[i], visit);
	nr_listed = visit == count_case ? nr_listed : nr_passed + nr_failed + nr_skipped;
}

static void parse(int argc, char **argv)
{
	const char *seed = getenv("KUNIT_SEED");
	const char *scale = getenv("KUNIT_TIMEOUT_SCALE");

	opts.seed = seed ? strtoull(seed, NULL, 0) : (uint64_t)time(NULL);
	if (scale && atoi(scale) > 0)
		opts.timeout_scale = (unsigned int)atoi(scale);
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--list")) {
			opts.list = true;
		} else if (!strcmp(argv[i], "--no-fork")) {
			opts.no_fork = true;
		} else if (!strcmp(argv[i], "--seed") && i + 1 < argc) {
			opts.seed = strtoull(argv[++i], NULL, 0);
		} else if (argv[i][0] != '-' && opts.nr_filters < 64) {
			opts.filters[opts.nr_filters++] = argv[i];
		} else {
			fprintf(stderr,
				"usage: %s [--list] [--no-fork] [--seed N] [PART-OF-A-NAME...]\n",
				argv[0]);
			exit(2);
		}
	}
}

int kunit_main(int argc, char **argv)
{
	const char *meson = getenv("KUNIT_MESON");

	parse(argc, argv);
	verdict = mmap(NULL, sizeof(*verdict), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	if (verdict == MAP_FAILED) {
		say("Bail out! no shared page: %s", strerror(errno));
		return 1;
	}
	if (!opts.list)
		say("TAP version 13");
	visit_all(count_case);
	if (opts.list)
		return 0;
	say("1..%u%s", nr_listed, nr_listed ? "" : " # SKIP no case of that name");
	say("# seed %llu (--seed repeats it)", (unsigned long long)opts.seed);
	nr_listed = 0;
	visit_all(run_case);
	if (nr_skipped)
		say("# skipped %u", nr_skipped);
	say("%s%u passed, %u failed", meson && *meson ? "# " : "", nr_passed, nr_failed);
	return nr_failed != 0;
}

int __attribute__((weak)) main(int argc, char **argv)
{
	return kunit_main(argc, argv);
}
