# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# lib.sh - sourced by the scripts here: real programs do real work on our malloc
#
# same NAME COMMAND...     the command's output and exit status on slabwork are those on glibc
# holds NAME COMMAND...    the command (which sees $lib) succeeds
# skip NAME WHY
# on COMMAND...            run it on slabwork
#
# Scripts work in $work, an empty folder that goes away, and close with `done_testing`.

lib=$BUILD/libslabwork-malloc.so.0
work=$(mktemp -d)
cleanup() { rm -rf "$work"; }
trap cleanup EXIT
trap 'exit 1' HUP INT TERM
cd "$work" || exit 1
count=0
echo "TAP version 13"

on() { LD_PRELOAD=$lib "$@"; }

# A process that names the library in its environment but does not have it proves nothing.
if ! on cat /proc/self/maps | grep -q libslabwork-malloc; then
    echo "Bail out! $lib is not loaded by LD_PRELOAD"
    exit 1
fi

verdict() {
    count=$((count + 1))
    if [ "$2" = 0 ]; then
        echo "ok $count - preload.$1"
    else
        echo "not ok $count - preload.$1"
    fi
}

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

holds() {
    name=$1
    shift
    if "$@" >"$work/.out" 2>&1; then
        verdict "$name" 0
    else
        echo "# exit status $?"
        tail -n 15 "$work/.out" | sed 's/^/#   /'
        verdict "$name" 1
    fi
}

skip() {
    count=$((count + 1))
    echo "ok $count - preload.$1 # SKIP $2"
}

done_testing() { echo "1..$count"; }
