# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# lib.sh - sourced by the scripts here: the command, as a user calls it
#
# prints NAME STATUS WANT COMMAND...   exit status and stdout are exactly these
# says NAME STATUS WANT COMMAND...     exit status is this; stderr is exactly this, stdout empty
# start COMMAND...                     in the background, until the end of the script; its id in $pid
# is_called NAME                       waits until $pid has executed this program
# started_on_slabwork                  waits until $pid has our library and has allocated
#
# and all of tests/tap.sh.

sw=$BUILD/slabwork
tap=$(basename "$0" .sh)
tap=${tap#test_}
# shellcheck source=tests/tap.sh
. "$SRC/tests/tap.sh"
started=
cleanup() {
    for p in $started; do kill "$p" 2>/dev/null; done
    rm -rf "$work"
}
unset SLABWORK LD_PRELOAD

differs() { # what it is, file with what was wanted, file with what came
    cmp -s "$2" "$3" && return 1
    echo "# $1 differs (wanted <, came >):"
    diff -a "$2" "$3" | head -n 20 | sed 's/^/#   /'
}

compare() { # stream that is looked at, then as for prints
    stream=$1 name=$2 status=$3
    printf '%s' "$4" >.want
    shift 4
    "$@" >.out 2>.err
    came=$?
    bad=0
    if [ "$came" != "$status" ]; then
        echo "# exit status $came, wanted $status"
        sed 's/^/#   /' .err
        bad=1
    fi
    if differs "std$stream" .want ".$stream"; then
        bad=1
    fi
    if [ "$stream" = err ] && [ -s .out ]; then
        echo "# stdout is not empty"
        bad=1
    fi
    verdict "$name" $bad
}

prints() { compare out "$@"; }
says() { compare err "$@"; }

start() {
    "$@" >/dev/null 2>&1 &
    pid=$!
    started="$started $pid"
}

# The process is called this: what it executes has replaced the shell.
is_called() {
    tries=0
    until [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$1" ] || [ $tries -gt 200 ]; do
        tries=$((tries + 1))
        sleep 0.02
    done
}

started_on_slabwork() {
    tries=0
    until "$sw" slab "$pid" >/dev/null 2>&1; do
        tries=$((tries + 1))
        if [ $tries -gt 200 ]; then
            echo "Bail out! process $pid does not come up on slabwork: $("$sw" slab "$pid" 2>&1)"
            exit 1
        fi
        sleep 0.05
    done
}
