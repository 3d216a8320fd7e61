/* SPDX-License-Identifier: MIT */
/*
 * measure.c - run one program under one allocator: what did it cost?
 *
 *   measure [-p LIBRARY] [-c CPU] [-i FILE] [-o FILE] [-r FILE] PROGRAM [ARGUMENT]...
 *
 * Preloads LIBRARY into PROGRAM and its children only, pins them to CPU, and writes one line
 * to the -r file (standard error without it): CPU seconds of user and system, wall seconds,
 * and the peak memory in KiB of the largest process among them. Ends with PROGRAM's status.
 *
 * A program of its own, and small: the kernel counts into a child's peak what the process
 * held before exec, so a child forked by a large interpreter would show the interpreter.
 */

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EXIT_USAGE   2
#define EXIT_NO_EXEC 127

struct request {
	const char *preload, *input, *output, *report;
	int cpu; /* -1: any */
	char **command;
};

static int parse(struct request *request, int argc, char **argv)
{
	int option;

	*request = (struct request){ .cpu = -1 };
	while ((option = getopt(argc, argv, "+p:c:i:o:r:")) != -1) {
		switch (option) {
		case 'p':
			request->preload = optarg;
			break;
		case 'c':
			request->cpu = atoi(optarg);
			break;
		case 'i':
			request->input = optarg;
			break;
		case 'o':
			request->output = optarg;
			break;
		case 'r':
			request->report = optarg;
			break;
		default:
			return -1;
		}
	}
	request->command = argv + optind;
	return optind < argc ? 0 : -1;
}

static int redirect(const char *path, int flags, int fd)
{
	int opened;

	if (!path)
		return 0;
	opened = open(path, flags, 0644);
	if (opened < 0 || dup2(opened, fd) < 0)
		return -1;
	return close(opened);
}

static _Noreturn void become(const struct request *request)
{
	cpu_set_t set;

	if (request->cpu >= 0) {
		CPU_ZERO(&set);
		CPU_SET((size_t)request->cpu, &set);
		if (sched_setaffinity(0, sizeof(set), &set))
			perror("measure: sched_setaffinity");
	}
	if (redirect(request->input, O_RDONLY, STDIN_FILENO) ||
	    redirect(request->output, O_WRONLY | O_CREAT | O_TRUNC, STDOUT_FILENO)) {
		perror("measure: open");
		_exit(EXIT_NO_EXEC);
	}
	if (request->preload)
		setenv("LD_PRELOAD", request->preload, 1);
	execvp(request->command[0], request->command);
	perror(request->command[0]);
	_exit(EXIT_NO_EXEC);
}

static double seconds(struct timeval tv)
{
	return (double)tv.tv_sec + (double)tv.tv_usec / 1e6;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int report(const char *path, const struct rusage *usage, double wall)
{
	FILE *file = path ? fopen(path, "w") : stderr;

	if (!file) {
		perror(path);
		return 1;
	}
	fprintf(file, "cpu %.6f user %.6f system %.6f wall %.6f peak_kib %ld\n",
		seconds(usage->ru_utime) + seconds(usage->ru_stime), seconds(usage->ru_utime),
		seconds(usage->ru_stime), wall, usage->ru_maxrss);
	return path ? fclose(file) : 0;
}

int main(int argc, char **argv)
{
	struct request request;
	struct rusage usage;
	double start;
	int status;
	pid_t pid;

	if (parse(&request, argc, argv)) {
		fprintf(stderr, "usage: measure [-p LIBRARY] [-c CPU] [-i FILE] [-o FILE] "
				"[-r FILE] PROGRAM [ARGUMENT]...\n");
		return EXIT_USAGE;
	}
	start = now();
	pid = fork();
	if (pid == 0)
		become(&request);
	if (pid < 0 || wait4(pid, &status, 0, &usage) < 0) {
		perror("measure");
		return 1;
	}
	if (report(request.report, &usage, now() - start))
		return 1;
	if (WIFSIGNALED(status)) {
		fprintf(stderr, "measure: %s: killed by signal %d (%s)\n", request.command[0],
			WTERMSIG(status), strsignal(WTERMSIG(status)));
		return 128 + WTERMSIG(status);
	}
	return WEXITSTATUS(status);
}
