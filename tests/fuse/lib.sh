# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# lib.sh - sourced by the scripts here: a mount, as a user makes and uses it
#
# fails NAME WHY COMMAND.. the command fails, and stderr has WHY
# on TYPE [OPTION]...      mounts on $m; the server's id in $server
# off                      and unmounts it
# gone PID                 waits until the process has ended
#
# and all of tests/tap.sh. $m is a folder in $work. Where nothing can be mounted, the whole script is skipped and
# says why.

sw=$BUILD/slabwork
tap=$(basename "$0" .sh)
tap=fuse.${tap#test_}
# shellcheck source=tests/tap.sh
. "$SRC/tests/tap.sh"
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
mkdir "$m"
[ -x "$BUILD/slabwork-mount" ] || skip_all "built without slabwork-mount: no libfuse3-dev"
[ -c /dev/fuse ] || skip_all "there is no /dev/fuse"

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
