# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# lib.sh - sourced by the scripts here: a mount, as a user makes and uses it
#
# holds NAME COMMAND...    the command succeeds
# fails NAME WHY COMMAND.. it does not, and stderr has WHY
# skip NAME WHY
# on TYPE [OPTION]...      mounts on $m; the server's id in $server
# off                      and unmounts it
# gone PID                 waits until the process has ended
#
# Scripts work in $work, an empty folder that goes away; $m is a folder in it. They close with
# `done_testing`. Where nothing can be mounted, the whole script is skipped and says why.

sw=$BUILD/slabwork
suite=$(basename "$0" .sh)
suite=${suite#test_}
work=$(mktemp -d)
m=$work/m
started=
cleanup() {
    cd /
    for p in $started; do kill "$p" 2>/dev/null; done
    while grep -q " $m " /proc/self/mountinfo; do
        "$sw" umount -l "$m" 2>/dev/null || umount -l "$m" 2>/dev/null || fusermount3 -uz "$m" || break
    done
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' HUP INT TERM
cd "$work" || exit 1
mkdir "$m"
count=0
echo "TAP version 13"

skip_all() {
    echo "1..0 # SKIP $1"
    exit 0
}
[ -x "$BUILD/slabwork-mount" ] || skip_all "built without slabwork-mount: no libfuse3-dev"
[ -c /dev/fuse ] || skip_all "there is no /dev/fuse"

verdict() {
    count=$((count + 1))
    if [ "$2" = 0 ]; then
        echo "ok $count - fuse.$suite.$1"
    else
        echo "not ok $count - fuse.$suite.$1"
    fi
}

skip() {
    count=$((count + 1))
    echo "ok $count - fuse.$suite.$1 # SKIP $2"
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

fails() {
    name=$1 why=$2
    shift 2
    bad=0
    if LC_ALL=C "$@" >"$work/.out" 2>"$work/.err"; then
        echo "# it did not fail"
        bad=1
    elif ! grep -qF "$why" "$work/.err"; then
        echo "# wanted: $why"
        sed 's/^/#   /' "$work/.err"
        bad=1
    fi
    verdict "$name" $bad
}

on() { # the server says "slabwork[PID]: ..."
    if ! "$sw" mount -v "$@" "$m" >"$work/.on" 2>&1; then
        sed 's/^/# /' "$work/.on"
        return 1
    fi
    # shellcheck disable=SC2034 # for the scripts
    server=$(sed -n 's/^slabwork\[\([0-9]*\)\].*/\1/p' "$work/.on")
}

off() { "$sw" umount "$m"; }

gone() {
    tries=0
    # A zombie with one thread: nobody waits for it, and none of its threads still holds anything.
    while kill -0 "$1" 2>/dev/null &&
        ! { grep -q '^State:.Z' "/proc/$1/status" && grep -q '^Threads:.1$' "/proc/$1/status"; } 2>/dev/null; do
        tries=$((tries + 1))
        [ $tries -lt 500 ] || return 1
        sleep 0.02
    done
}

# One mount that must succeed, or there is no permission here.
if ! on tmpfs; then
    grep -qiE "permission|not permitted|fusermount" "$work/.on" && skip_all "may not mount here: $(head -n 1 "$work/.on")"
    echo "Bail out! cannot mount a tmpfs"
    exit 1
fi
off || { echo "Bail out! cannot unmount it"; exit 1; }

done_testing() { echo "1..$count"; }
