#!/bin/sh
# SPDX-License-Identifier: MIT
# test_link.sh - programs that link with us, statically and not: one malloc in each, and it is ours
# shellcheck source=/dev/null disable=SC2154
. "$SRC/tests/tool/lib.sh"

cc=${CC:-cc}
cat >program.c <<'END'
#define _GNU_SOURCE
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	void *volatile p = malloc(100);
	char *line = NULL;
	int status = 1;

	if (!fork()) {
		free(malloc(5));
		_exit(0);
	}
	wait(&status);
	status |= asprintf(&line, "%zu", malloc_usable_size(p)) != 3;
	puts(line); /* glibc says 104 */
	free(line);
	free(p);
	return status;
}
END

link_and_run() { # name, then what to say to the linker
    name=$1
    shift
    # shellcheck disable=SC2086 # a list of words
    if ! $cc -O1 program.c -o "$name" "$@" 2>err; then
        sed 's/^/# /' err
        verdict "$name" 1
        return
    fi
    prints "$name" 0 "112
" "./$name"
}

link_and_run a_shared_program_has_our_malloc -L"$BUILD" -Wl,-rpath,"$BUILD" -lslabwork-malloc
link_and_run the_archive_serves_a_dynamic_program "$BUILD/libslabwork-malloc.a"
if echo 'int main(void) { return 0; }' | $cc -static -xc - -o static 2>/dev/null; then
    link_and_run a_static_program_has_one_malloc -static -L"$BUILD" -lslabwork-malloc
else
    skip a_static_program_has_one_malloc "no static C library"
fi

done_testing
