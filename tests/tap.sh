# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154
#
# tap.sh - sourced by the lib.sh of each folder of shell tests: verdicts as TAP, and a folder to work in
#
# holds NAME COMMAND...    the command succeeds
# verdict NAME 0|1         for what a command cannot say: 0 is good
# skip NAME WHY
# skip_all WHY             the whole script, before its first verdict
#
# $tap, set before, stands before each name. The script is in $work, an empty folder that goes away (a lib.sh with
# more to clean up has a cleanup() of its own), and closes with `done_testing`.

work=$(mktemp -d)
cleanup() { rm -rf "$work"; }
trap cleanup EXIT
trap 'exit 1' HUP INT TERM
cd "$work" || exit 1
count=0
echo "TAP version 13"

skip_all() {
    echo "1..0 # SKIP $1"
    exit 0
}

verdict() {
    count=$((count + 1))
    if [ "$2" = 0 ]; then
        echo "ok $count - $tap.$1"
    else
        echo "not ok $count - $tap.$1"
    fi
}

skip() {
    count=$((count + 1))
    echo "ok $count - $tap.$1 # SKIP $2"
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

done_testing() { echo "1..$count"; }
