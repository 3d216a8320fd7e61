#!/bin/sh
# SPDX-License-Identifier: MIT
#
# edge-report.sh - rows passed of 78, in each way to get our malloc
#
# The rows of the edge-case table are the numbers beside the cases of tests/malloc/test_*.c. A row passes if
# each of its cases passes and at least one was not skipped. Wants a build: ./test malloc makes one.
# EDGE_OVERCOMMIT=1 and EDGE_JUMP=1 ask for the cases that are left out otherwise (test_system.c).
set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
build=${BUILD:-$top/build}
rows=78
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# "case row" pairs
awk '
    /^KUNIT_TEST\(/ { name = $0; sub(/^KUNIT_TEST\(/, "", name); sub(/[,)].*/, "", name); text = "" }
    name != "" { text = text $0 }
    /^\{/ && name != "" {
        if (match(text, /\/\*[ 0-9,]+\*\//)) {
            numbers = substr(text, RSTART + 2, RLENGTH - 4)
            count = split(numbers, number, ",")
            for (i = 1; i <= count; i++) print name, number[i] + 0
        }
        name = ""
    }' "$top"/tests/malloc/test_*.c >"$work/pairs"

# run MODE PROGRAM-PREFIX PRELOAD OPTIONS: verdict of each case in $work/cases
run() {
    : >"$work/cases"
    for name in misuse names process sizes system; do
        program=$build/tests/malloc$2$name
        [ -x "$program" ] || { echo "no $program: run ./test malloc first" >&2; exit 1; }
        LD_PRELOAD=$3 SLABWORK=$4 MALLOC_PERTURB_=0 KUNIT_MESON=1 "$program" 2>/dev/null |
            awk '/^(not )?ok / {
                verdict = /^not/ ? "failed" : / # SKIP/ ? "skipped" : "passed"
                name = $0; sub(/^(not )?ok [0-9]+ - [a-z_]+\./, "", name); sub(/ .*/, "", name)
                print name, verdict }' >>"$work/cases"
    done
    awk -v rows="$rows" -v mode="$1" '
        NR == FNR { verdict[$1] = $2; next }
        { v = ($1 in verdict) ? verdict[$1] : "failed"
          if (v == "failed") { bad[$2] = 1; why[$2] = why[$2] " " $1 }
          if (v == "passed") good[$2] = 1
          seen[$2] = 1 }
        END {
            for (row = 1; row <= rows; row++) {
                if (bad[row]) { failed++; list = list sprintf("    row %d failed:%s\n", row, why[row]) }
                else if (good[row]) passed++
                else if (seen[row]) { skipped++; list = list sprintf("    row %d skipped\n", row) }
                else { missing++; list = list sprintf("    row %d has no test\n", row) }
            }
            printf "%-20s %6d %8d %7d\n%s", mode, passed, skipped, failed + missing, list
            exit failed + missing > 0
        }' "$work/cases" "$work/pairs" || status=1
}

status=0
lib=$build/libslabwork-malloc.so.0
echo "mode                 passed  skipped  failed   (of $rows rows)"
run 'preload' /preload- "$lib" ''
run 'preload rseq=off' /preload- "$lib" 'rseq=off'
run 'linked' -test_ '' ''
run 'static' /static- '' ''
exit $status
