#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check-headers.sh - each public header compiles alone, as strict C11 and as C++17; each header of src/ as ours
set -u
t=$(mktemp -d)
trap 'rm -rf "$t"' EXIT

# compile HEADER AS COMMAND...: prints "HEADER:1: ..." and the compiler's first words when it fails
cat >"$t/one" <<'END'
f=$1 as=$2
shift 2
out=$("$@" -fsyntax-only -Wall -Wextra -Wundef -Werror -include "$f" "${0%one}unit" 2>&1) && exit 0
echo "$f:1: does not compile alone as $as: include what it uses"
echo "$out" | grep -m 3 -E 'error|warning' | sed 's/^/    /'
exit 1
END
chmod +x "$t/one"
echo 'extern int unit; /* -Wpedantic wants a declaration */' >"$t/unit"

{
    for f in $(find include/slabwork -name '*.h' 2>/dev/null); do
        # The parts of another header say so: #error include <...> instead
        grep -q '^# *error .*instead' "$f" && continue
        echo "$f C11 gcc -std=c11 -Wpedantic -Iinclude -xc"
        echo "$f C++17 g++ -std=c++17 -Iinclude -xc++"
    done
    for f in $(find include/kunit compat -name '*.h' 2>/dev/null); do
        echo "$f C11 gcc -std=gnu11 -Iinclude -Icompat -xc"
    done
    fuse=$(pkg-config --cflags fuse3 2>/dev/null) || fuse=
    for f in $(find src -name '*.h' 2>/dev/null); do
        case $f in src/fuse/*) [ -n "$fuse" ] || continue ;; esac
        echo "$f C11 gcc $fuse -std=gnu11 -D_GNU_SOURCE -DSW_VERSION=\"\" -Iinclude -Isrc -xc"
    done
} | xargs -r -P 2 -L 1 sh "$t/one"
