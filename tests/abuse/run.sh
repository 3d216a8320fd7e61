#!/bin/sh
# SPDX-License-Identifier: MIT
#
# run.sh - each misuse dies of SIGABRT, and its first line on stderr is the one its source names
set -u

lib=$BUILD/libslabwork-malloc.so.0
programs=$BUILD/tests/abuse
out=$(mktemp)
trap 'rm -f "$out"' EXIT

n=0
plan=0
for source in "$SRC"/tests/abuse/*.c; do
    plan=$((plan + 1))
done
echo "TAP version 13"
echo "1..$plan"
for source in "$SRC"/tests/abuse/*.c; do
    n=$((n + 1))
    name=$(basename "$source" .c)
    want=$(sed -n '2s/^\/\* expect: \(.*\) \*\/$/\1/p' "$source")
    # A shell of its own, so that its word about the signal goes nowhere.
    status=$(sh -c 'ulimit -c 0; LD_PRELOAD=$1 "$2" 2>"$3" >/dev/null; echo $?' - "$lib" \
        "$programs/abuse-$name" "$out" 2>/dev/null)
    first=$(head -n 1 "$out")
    verdict="not ok"
    # The pattern is meant to be one.
    # shellcheck disable=SC2254
    case $first in
    $want) [ "$status" != 134 ] || verdict=ok ;;
    esac
    if [ "$verdict" != ok ]; then
        echo "# expected: $want, exit status 134"
        echo "# found:    $first, exit status $status"
    fi
    echo "$verdict $n - abuse.$name"
done
