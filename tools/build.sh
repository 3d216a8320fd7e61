#!/bin/sh
# SPDX-License-Identifier: MIT
#
# build.sh DIR [MESON-SETUP-OPTION...] [-- TARGET...]
#
# Configure DIR once and build it. Quiet when all is well: the compiler's words
# are in DIR/build.log, and on stderr when something failed. Two callers wait
# for each other.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
dir=$1
shift

setup=
while [ $# -gt 0 ]; do
    [ "$1" = -- ] && { shift; break; }
    setup="$setup $1"
    shift
done

mkdir -p "$dir"
exec 9>"$dir/.lock"
flock 9

if [ ! -e "$dir/build.ninja" ]; then
    echo "configuring $dir" >&2
    # shellcheck disable=SC2086 # a list of options
    if ! meson setup $setup "$dir" "$top" >"$dir/setup.log" 2>&1 9>&-; then
        cat "$dir/setup.log" >&2
        exit 1
    fi
fi
if ! ninja -C "$dir" "$@" >"$dir/build.log" 2>&1 9>&-; then
    grep -v '^\[' "$dir/build.log" | tail -n 60 >&2
    echo "the build in $dir failed; all of it: $dir/build.log" >&2
    exit 1
fi
