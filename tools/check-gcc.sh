#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check-gcc.sh - no warning from gcc in any source file (check-clang.sh: from clang)
set -u
cc=gcc
case $0 in *clang.sh) cc=clang ;; esac
# Without libfuse3 what needs it is not built either.
fuse=$(pkg-config --cflags fuse3 2>/dev/null) || fuse=-DNO_FUSE
find src tests -name '*.c' 2>/dev/null | if [ "$fuse" = -DNO_FUSE ]; then grep -v /fuse/; else cat; fi |
    sort | # shellcheck disable=SC2086 # none, or a flag
    xargs -r -P 2 -n 4 "$cc" -fsyntax-only -std=gnu11 -O2 $fuse \
    -D_GNU_SOURCE -DSW_VERSION='"0"' -Iinclude -Isrc -ftls-model=initial-exec \
    -Wall -Wextra -Wshadow -Wundef -Wvla -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings \
    -Wpointer-arith -Wimplicit-fallthrough -Wformat=2 -Werror
