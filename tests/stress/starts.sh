#!/bin/sh
# SPDX-License-Identifier: MIT
#
# starts.sh [N]   starts.c N times (default 200) under the preload and linked with us;
#                 $BUILD is the build folder
set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
build=${BUILD:-$top/build}
n=${1:-200}
lib=$build/libslabwork-malloc.so.0

verdict() {
    if [ "$2" = 0 ]; then echo "ok $1 - starts.$3"; else echo "not ok $1 - starts.$3"; fi
}

echo "TAP version 13"
if ! LD_PRELOAD=$lib grep -q libslabwork-malloc /proc/self/maps; then
    echo "Bail out! $lib is not loaded by LD_PRELOAD"
    exit 1
fi
"$build/tests/stress/starts" "$n" "$lib"
verdict 1 $? "a_fork_beside_the_first_allocation_never_hangs_under_the_preload"
"$build/tests/stress/starts-linked" "$n"
verdict 2 $? "a_fork_beside_the_first_allocation_never_hangs_when_linked"
echo "1..2"
