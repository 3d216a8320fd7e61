#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check-gcc.sh - no warning from gcc in any source file (check-clang.sh: from clang)
set -u
cc=gcc
case $0 in *clang.sh) cc=clang ;; esac
# Without libfuse3 what needs it is not built either.
left_out=NOTHING
fuse=$(pkg-config --cflags fuse3 2>/dev/null) || left_out=src/fuse/
# shellcheck disable=SC2086 # flags
find src tests -name '*.c' 2>/dev/null | grep -v "$left_out" | sort | xargs -r -P 2 -n 4 "$cc" $fuse \
    -fsyntax-only -std=gnu11 -O2 -D_GNU_SOURCE -DSW_VERSION='"0"' -Iinclude -Isrc -ftls-model=initial-exec \
    -Wall -Wextra -Wshadow -Wundef -Wvla -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings \
    -Wpointer-arith -Wimplicit-fallthrough -Wformat=2 -Werror
