# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# lib.sh - sourced by the scripts here: real programs do real work on our malloc
#
# same NAME COMMAND...     the command's output and exit status on slabwork are those on glibc
# on COMMAND...            run it on slabwork
#
# and all of tests/tap.sh.

lib=$BUILD/libslabwork-malloc.so.0
# shellcheck disable=SC2034 # for tap.sh
tap=preload
# shellcheck source=tests/tap.sh
. "$SRC/tests/tap.sh"

on() { LD_PRELOAD=$lib "$@"; }

# A process that names the library in its environment but does not have it proves nothing.
if ! on cat /proc/self/maps | grep -q libslabwork-malloc; then
    echo "Bail out! $lib is not loaded by LD_PRELOAD"
    exit 1
fi

same() {
    name=$1
    shift
    "$@" >"$work/.glibc.out" 2>"$work/.glibc.err"
    glibc=$?
    LD_PRELOAD=$lib "$@" >"$work/.slabwork.out" 2>"$work/.slabwork.err"
    slabwork=$?
    bad=0
    if [ "$glibc" != "$slabwork" ]; then
        echo "# exit status $slabwork on slabwork, $glibc on glibc"
        bad=1
    fi
    for stream in out err; do
        if ! cmp -s "$work/.glibc.$stream" "$work/.slabwork.$stream"; then
            echo "# std$stream differs (glibc <, slabwork >):"
            diff -a "$work/.glibc.$stream" "$work/.slabwork.$stream" | head -n 10 | sed 's/^/#   /'
            bad=1
        fi
    done
    verdict "$name" $bad
}
