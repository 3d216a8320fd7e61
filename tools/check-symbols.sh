#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check-symbols.sh [--update] - libslabwork.so exports what tools/exported.txt says
#
# Every name starts with sw_: a process that has its own kmalloc never clashes.
set -u
build=${CHECK_BUILD:-build}
lib=$build/libslabwork.so.0
if [ -z "${CHECK_BUILD-}" ]; then
    tools/build.sh "$build" -- libslabwork.so.0 || {
        echo "meson.build:1: libslabwork.so does not build"
        exit 1
    }
fi
t=$(mktemp)
trap 'rm -f "$t"' EXIT
# A sanitizer's or the linker's own names are not ours.
nm -D --defined-only "$lib" | awk '{ print $NF }' |
    grep -v -e '^_init$' -e '^_fini$' -e '^__bss_start$' -e '^_edata$' -e '^_end$' | LC_ALL=C sort -u >"$t"
if [ "${1-}" = --update ]; then
    cp "$t" tools/exported.txt
    chmod 644 tools/exported.txt
    exit 0
fi
bad=0
for s in $(grep -v '^sw_' "$t"); do
    echo "$lib:1: exported without sw_: $s (give its prototype an asm label, or make it hidden)"
    bad=1
done
for s in $(LC_ALL=C comm -23 "$t" tools/exported.txt); do
    echo "tools/exported.txt:1: new symbol $s: if meant, ./check --update-symbols"
    bad=1
done
for s in $(LC_ALL=C comm -13 "$t" tools/exported.txt); do
    echo "tools/exported.txt:1: symbol $s is gone: users of the ABI lose it; if meant, ./check --update-symbols"
    bad=1
done
exit $bad
