#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check-format.sh [--fix [FILE...]] - C is formatted as .clang-format says
set -u
files=$(find src include compat tests bench examples -name '*.[ch]' 2>/dev/null | sort)
[ -n "$files" ] || exit 0
if [ "${1-}" = --fix ]; then
    shift
    [ $# = 0 ] || files=$*
    # shellcheck disable=SC2086 # a list of files without blanks
    clang-format -i $files
    exit
fi
# One line a file: its first place.
echo "$files" | xargs clang-format --dry-run 2>&1 |
    awk -F: '/^[^ ].*:[0-9]+:[0-9]+: .*code should be clang-formatted/ && !seen[$1]++ {
        print $1 ":" $2 ": run ./check --fix (clang-format)"; bad = 1 }
        END { exit bad }'
