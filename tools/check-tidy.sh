#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check-tidy.sh [FILE...] - clang-tidy's quick set, see .clang-tidy
set -u
files=${*:-$(find src -name '*.c')}
out=$(echo "$files" | tr ' ' '\n' | xargs -P 2 -n 2 sh -c 'clang-tidy --quiet "$@" -- -std=gnu11 -D_GNU_SOURCE \
    -DSW_VERSION=\"0\" -Iinclude -Isrc '"$(pkg-config --cflags fuse3 2>/dev/null)"' 2>/dev/null' sh | sed "s|^$PWD/||" | grep -E '^[^ ]+:[0-9]+:[0-9]+: (warning|error)')
[ -z "$out" ] && exit 0
echo "$out"
exit 1
