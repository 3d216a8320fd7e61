#!/bin/sh
# SPDX-License-Identifier: MIT
# test_control.sh - the control socket: its protocol, who may speak, and what hostile surroundings do
# shellcheck source=/dev/null disable=SC2154,SC2016
. "$SRC/tests/tool/lib.sh"

if ! command -v python3 >/dev/null; then
    skip the_protocol "no python3"
    done_testing
    exit 0
fi
XDG_RUNTIME_DIR=$work/run
export XDG_RUNTIME_DIR
mkdir -m 700 "$XDG_RUNTIME_DIR"
sock=$XDG_RUNTIME_DIR/slabwork
up() { # PID: its socket is there
    tries=0
    until [ -S "$sock/$1" ] || [ $tries -gt 100 ]; do
        tries=$((tries + 1))
        sleep 0.02
    done
}
cat >ask.py <<'END'
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(10)
s.connect(sys.argv[1])
s.sendall(sys.argv[2].encode() + b"\n")
text = b""
while True:
    d = s.recv(4096)
    if not d:
        break
    text += d
sys.stdout.write(text.decode())
END
nl='
'
start "$sw" run -- sleep 300
up "$pid"
head="slabwork-control 1 $("$sw" --version | sed 's/.* //')"
prints version_is_a_head_line 0 "$head ok$nl" python3 ask.py "$sock/$pid" version
holds trim_answers_in_bytes \
    sh -c 'python3 ask.py "$0" "trim 64K" >out; cat out; test "$(sed 1d out | sed "s/ [0-9]*$//" | tr "\n" " ")" = "given_back empty_slabs cpu_stock free_pages areas live held "' "$sock/$pid"
prints store_writes_a_control_file 0 "$head ok$nl" python3 ask.py "$sock/$pid" "store slab/malloc-64/shrink 1"
prints store_takes_effect 0 "7$nl" \
    sh -c 'python3 ask.py "$1/$2" "store slab/malloc-64/min_partial 7" >/dev/null; "$0" slab $2 malloc-64 min_partial' "$sw" "$sock" "$pid"
prints store_of_a_cache_that_is_not_there 0 "$head error no such file or cache$nl" \
    python3 ask.py "$sock/$pid" "store slab/nobody/shrink 1"
prints store_of_what_may_not_be_written 0 "$head error the file is read-only$nl" \
    python3 ask.py "$sock/$pid" "store slabinfo 1"
prints an_unknown_request_is_refused 0 "$head error unknown request$nl" python3 ask.py "$sock/$pid" frob
prints a_long_request_is_cut_and_refused 0 "$head error unknown request$nl" \
    sh -c 'python3 ask.py "$0" "$(head -c 100000 /dev/zero | tr "\0" x)"' "$sock/$pid"
holds who_says_nothing_does_not_stop_others \
    sh -c 'python3 -c "
import socket, sys, time
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); time.sleep(8)" "$1/$2" & quiet=$!; sleep 0.2; "$0" trim $2; s=$?; kill $quiet; exit $s' "$sw" "$sock" "$pid"
holds a_peer_that_leaves_is_no_harm \
    sh -c 'for i in 1 2 3 4 5; do python3 -c "
import socket, sys
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.sendall(b\"trim\n\"); s.close()" "$1/$2"; done; "$0" trim $2' "$sw" "$sock" "$pid"

# A program that closes all descriptors that it did not open, and opens its own.
start "$sw" run -- python3 -c '
import os, socket, time
os.closerange(0, 1024)
s = socket.socket(socket.AF_UNIX)
s.bind("\0slabwork-test-%d" % os.getpid())
s.listen()
time.sleep(300)'
up "$pid"
sleep 0.3
holds a_program_that_closes_everything_still_answers "$sw" trim "$pid"

# ---- folders ----
chmod 755 "$sock"
start "$sw" run -- sh -c 'while :; do sleep 1; done'
sleep 0.5
holds a_folder_that_is_open_to_others_is_not_used test ! -e "$sock/$pid"
chmod 700 "$sock"
mkdir bad
ln -s "$work" bad/slabwork
XDG_RUNTIME_DIR=$work/bad "$sw" run -- sleep 300 &
started="$started $!"
sleep 0.5
holds a_link_is_not_followed test ! -e "$work/$!"
if [ "$(id -u)" = 0 ]; then
    mkdir -m 700 other
    mkdir -m 700 other/slabwork
    chown -R 65534 other
    XDG_RUNTIME_DIR=$work/other "$sw" run -- sleep 300 &
    started="$started $!"
    sleep 0.5
    holds somebody_elses_folder_is_not_used test ! -e "other/slabwork/$!"
else
    skip somebody_elses_folder_is_not_used "needs root"
fi
long=$work/$(head -c 150 /dev/zero | tr '\0' l)
mkdir -m 700 "$long"
holds a_long_path_is_no_harm \
    sh -c 'XDG_RUNTIME_DIR=$1; export XDG_RUNTIME_DIR; "$0" run -- sleep 30 & p=$!; i=0; until "$0" trim $p 2>/dev/null || test $i -gt 20; do i=$((i + 1)); done; "$0" trim $p; s=$?; kill $p; exit $s' "$sw" "$long"

# ---- whose answer it is ----
# A process that says another protocol's number at its own place.
cat >other.py <<'END'
import os, socket, sys
path = sys.argv[1] + "/%d" % (int(sys.argv[2]) if len(sys.argv) > 2 else os.getpid())
if os.path.exists(path):
    os.unlink(path)
s = socket.socket(socket.AF_UNIX)
s.bind(path)
s.listen()
while True:
    c, _ = s.accept()
    c.recv(100)
    c.sendall(b"slabwork-control 2 9.9 ok\n")
    c.close()
END
start python3 other.py "$sock"
up "$pid"
name=$(cat "/proc/$pid/comm")
says another_version_is_said 1 \
    "slabwork: process $pid ($name) runs on another version of slabwork (this is $("$sw" --version | sed 's/.* //')):$nl          use the slabwork command that was built with its library$nl" \
    "$sw" trim "$pid"
start sleep 300
is_called sleep
victim=$pid
start python3 other.py "$sock" "$victim"
up "$victim"
says a_socket_of_another_process_is_not_believed 1 \
    "slabwork: process $victim (sleep) does not run on slabwork. Start it so: slabwork run -- sleep$nl" \
    "$sw" trim "$victim"
done_testing
