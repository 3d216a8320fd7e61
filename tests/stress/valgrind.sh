#!/bin/sh
# SPDX-License-Identifier: MIT
#
# valgrind.sh   one start of starts.c under valgrind, which has no rseq and its own idea of
#               which addresses are free: preloaded and linked, nulgrind and memcheck
set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
build=${BUILD:-$top/build}
count=0

echo "TAP version 13"
if ! command -v valgrind >/dev/null; then
    echo "1..0 # SKIP no valgrind"
    exit 0
fi

case_of() {
    name=$1
    shift
    count=$((count + 1))
    if STARTS_ONCE=1 timeout 120 "$@" >/dev/null 2>"$build/valgrind.err"; then
        echo "ok $count - valgrind.$name"
    else
        sed 's/^/# /' "$build/valgrind.err"
        echo "not ok $count - valgrind.$name"
    fi
    rm -f "$build/valgrind.err"
}

for tool in none memcheck; do
    # memcheck puts its own malloc in the place of anybody's unless told otherwise.
    option=
    [ $tool = none ] || option='--soname-synonyms=somalloc=nouserintercepts --error-exitcode=9'
    # shellcheck disable=SC2086 # none, or two options
    case_of "a_preloaded_program_runs_under_$tool" env LD_PRELOAD="$build/libslabwork-malloc.so.0" \
        valgrind -q --tool=$tool $option "$build/tests/stress/starts"
    case_of "a_linked_program_runs_under_$tool" valgrind -q --tool=$tool \
        "$build/tests/stress/starts-linked"
done
echo "1..$count"
