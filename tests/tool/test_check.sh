#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test_check.sh - every check of ./check fails on its planted fault, and on nothing else
set -u

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
case_nr=0

# result NAME STATUS: one TAP line
result() {
    case_nr=$((case_nr + 1))
    if [ "$2" = 0 ]; then
        echo "ok $case_nr - $1"
    else
        sed 's/^/# /' "$tree/../${tree##*/}.out"
        echo "not ok $case_nr - $1"
    fi
}

lay_tree() {
    rm -rf "$tree"
    mkdir -p "$tree/tools" "$tree/src/lib" "$tree/src/mm" "$tree/include/slabwork"
    cp "$SRC/tools/rooms.txt" "$SRC/tools/codespell-ignore.txt" "$tree/tools/"
    cp "$SRC/.clang-format" "$SRC/.clang-tidy" "$tree/"
    cat >"$tree/src/lib/a.h" <<'END'
/* SPDX-License-Identifier: MIT */
#ifndef LIB_A_H
#define LIB_A_H

int twice(int n);

#endif /* LIB_A_H */
END
    cat >"$tree/src/lib/a.c" <<'END'
/* SPDX-License-Identifier: MIT */
#include "lib/a.h"

int twice(int n)
{
	return n + n;
}
END
    cp "$tree/src/lib/a.h" "$tree/src/mm/b_internal.h"
    sed 's/LIB_A_H/SW_A_H/' "$tree/src/lib/a.h" >"$tree/include/slabwork/a.h"
    # shellcheck disable=SC2016 # the script's own argument
    printf '#!/bin/sh\n# SPDX-License-Identifier: MIT\necho "$1"\n' >"$tree/tools/a.sh"
    printf '# Page\n\nSee [there](#page) and [the tools](tools/a.sh).\n' >"$tree/page.md"
    (cd "$tree" && git init -q . && git add . &&
        git -c user.name=t -c user.email=t@t commit -qm planted) >/dev/null 2>&1
    echo >>"$tree/src/lib/a.c"
    sed -i '$d' "$tree/src/lib/a.c"
}

run_check() {
    CHECK_ROOT=$tree "$SRC/check" "$1" >"$tree/../${tree##*/}.out" 2>&1
}

# caught CHECK NAME PATTERN: the check fails and says PATTERN
caught() {
    status=1
    if ! run_check "$1" && grep -q -e "$3" "$tree/../${tree##*/}.out" &&
        grep -q "^FAILED $1 " "$tree/../${tree##*/}.out"; then
        status=0
    fi
    result "$1: $2" $status
}

plant() { # FILE TEXT: add a line at the end
    printf '%s\n' "$2" >>"$tree/$1"
}

echo "TAP version 13"
echo "1..28"

for name in rooms banned spdx format links codespell shellcheck headers gcc clang tidy; do
    lay_tree
    status=0
    run_check $name || status=1
    result "$name: passes on a good tree" $status
done

lay_tree
plant src/lib/a.c '#include "mm/b_internal.h"'
caught rooms "a room above is refused" '^src/lib/a.c:8: lib may not include mm'
lay_tree
plant src/lib/a.c '#include "a.h"'
caught rooms "an include without its room is refused" 'name the room: "lib/a.h"'
lay_tree
mkdir -p "$tree/src/debug"
printf '/* SPDX-License-Identifier: MIT */\n#include "mm/b_internal.h"\n' >"$tree/src/debug/c.c"
caught rooms "a private header is refused" '^src/debug/c.c:2: "mm/b_internal.h" is private to mm'
lay_tree
plant src/lib/a.c '/* strcpy(a, b) in a comment */ void f(char *a) { strcpy(a, "strcat(b)"); }'
caught banned "strcpy is refused" '^src/lib/a.c:8: strcpy(): use'
lay_tree
plant src/lib/a.c 'void *f(void) { return malloc(3); }'
caught banned "malloc in the library is refused" '^src/lib/a.c:8: malloc(): use'
lay_tree
sed -i 1d "$tree/src/lib/a.c"
caught spdx "a file without its licence is found" '^src/lib/a.c:1: begin with SPDX'
lay_tree
plant src/lib/a.c 'int  badly( int x );'
caught format "bad format is found" '^src/lib/a.c:8: run ./check --fix'
lay_tree
plant page.md 'See [nothing](docs/no-such-page.md).'
caught links "a dead link is found" '^page.md:4: the link leads nowhere'
lay_tree
plant page.md 'See [nothing](#no-such-heading).'
caught links "a dead anchor is found" '^page.md:4: no heading'
lay_tree
plant page.md "It will rec""ieve it."
caught codespell "a misspelling is found" '^\./page.md:4: spell:\|^page.md:4: spell:'
lay_tree
# shellcheck disable=SC2016 # the text is the fault
plant tools/a.sh 'rm -rf $1/x'
caught shellcheck "an unquoted variable is found" '^tools/a.sh:4:'
lay_tree
plant include/slabwork/a.h 'size_t thrice(int n);'
caught headers "a header that needs another is found" '^include/slabwork/a.h:1: does not compile alone as C11'
lay_tree
plant include/slabwork/a.h 'static inline char *f(void *p) { return p; }'
caught headers "a header that C++ refuses is found" '^include/slabwork/a.h:1: does not compile alone as C++17'
lay_tree
plant src/lib/a.c 'int f(void) { int x = 1; { int x = 2; return x; } return x; }'
caught gcc "a warning of gcc is found" '^src/lib/a.c:8:.*shadow'
caught clang "a warning of clang is found" '^src/lib/a.c:8:.*shadow'
lay_tree
plant src/lib/a.c 'int f(int x) { return x > 3 && x > 3; }'
caught tidy "a redundant expression is found" '^src/lib/a.c:8:'

lay_tree
mkdir "$tree/build"
echo 'int kmalloc(void); int kmalloc(void) { return 0; }' | "${CC:-cc}" -shared -o "$tree/build/libslabwork.so.0" -xc -
echo sw_gone >"$tree/tools/exported.txt"
status=1
if ! CHECK_BUILD=build run_check symbols && grep -q 'exported without sw_: kmalloc' "$tree/../${tree##*/}.out" &&
    grep -q 'symbol sw_gone is gone' "$tree/../${tree##*/}.out"; then
    status=0
fi
result "symbols: a new, a gone and an unprefixed symbol are found" $status
rm -f "$tree/../${tree##*/}.out"
