#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check-symbols.sh [--update] - the libraries export what tools/exported*.txt say
#
# Every name starts with sw_: a process that has its own kmalloc never clashes.
set -u
build=${CHECK_BUILD:-build}
if [ -z "${CHECK_BUILD-}" ]; then
    tools/build.sh "$build" -- libslabwork.so.0 libslabwork-fs.so.0 || {
        echo "meson.build:1: libslabwork.so or libslabwork-fs.so does not build"
        exit 1
    }
fi
t=$(mktemp)
trap 'rm -f "$t"' EXIT
bad=0

# one LIBRARY LIST
one() {
    lib=$build/$1 list=$2
    # A sanitizer's or the linker's own names are not ours.
    nm -D --defined-only "$lib" | awk '{ print $NF }' |
        grep -v -e '^_init$' -e '^_fini$' -e '^__bss_start$' -e '^_edata$' -e '^_end$' |
        LC_ALL=C sort -u >"$t"
    if [ "$update" ]; then
        cp "$t" "$list"
        chmod 644 "$list"
        return
    fi
    for s in $(grep -v '^sw_' "$t"); do
        echo "$lib:1: exported without sw_: $s (give its prototype an asm label, or make it hidden)"
        bad=1
    done
    for s in $(LC_ALL=C comm -23 "$t" "$list"); do
        echo "$list:1: new symbol $s: if meant, ./check --update-symbols"
        bad=1
    done
    for s in $(LC_ALL=C comm -13 "$t" "$list"); do
        echo "$list:1: symbol $s is gone: users of the ABI lose it; if meant, ./check --update-symbols"
        bad=1
    done
}

update=
[ "${1-}" = --update ] && update=yes
one libslabwork.so.0 tools/exported.txt
# A build folder that a test made for its own purpose may hold only the first.
[ ! -e "$build/libslabwork-fs.so.0" ] || one libslabwork-fs.so.0 tools/exported-fs.txt
exit $bad
