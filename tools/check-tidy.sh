#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check-tidy.sh [FILE...] - clang-tidy's quick set on the files that changed
#
# Changed: not committed, or of the last commit. The set stands in .clang-tidy.
set -u
if [ $# -gt 0 ]; then
    files=$*
else
    files=$({
        git diff --name-only --diff-filter=d HEAD -- src
        git ls-files --others --exclude-standard -- src
        git diff --name-only --diff-filter=d HEAD~1 HEAD -- src 2>/dev/null
    } 2>/dev/null | grep '\.c$' | sort -u)
fi
[ -n "$files" ] || exit 0
out=$(echo "$files" | tr ' ' '\n' | xargs -P 2 -n 2 sh -c 'clang-tidy --quiet "$@" -- -std=gnu11 -D_GNU_SOURCE \
    -DSW_VERSION=\"0\" -Iinclude -Isrc '"$(pkg-config --cflags fuse3 2>/dev/null)"' 2>/dev/null' sh | sed "s|^$PWD/||" | grep -E '^[^ ]+:[0-9]+:[0-9]+: (warning|error)')
[ -z "$out" ] && exit 0
echo "$out"
exit 1
