#!/bin/sh
# SPDX-License-Identifier: MIT
# test_trim.sh - slabwork trim: memory goes back, says how much and from where; and who may ask
# shellcheck source=/dev/null disable=SC2154,SC2016
. "$SRC/tests/tool/lib.sh"

nl='
'
XDG_RUNTIME_DIR=$work/run
export XDG_RUNTIME_DIR
mkdir -m 700 "$XDG_RUNTIME_DIR"
sock=$XDG_RUNTIME_DIR/slabwork

# Allocates 64 MiB of small objects, frees all of it, and waits.
cat >spike.c <<'END'
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static void *p[1 << 18];
int main(int argc, char **argv)
{
	for (int i = 0; i < 1 << 18; i++)
		memset(p[i] = malloc(200), 1, 200);
	for (int i = 0; i < 1 << 18; i++)
		free(p[i]);
	if (argc > 2 && fork() == 0) /* a worker, which allocates now and then */
		for (;;) {
			for (int i = 0; i < 1 << 14; i++)
				p[i] = malloc(200);
			for (int i = 0; i < 1 << 14; i++)
				free(p[i]);
			usleep(20000);
		}
	close(open(argv[1], O_WRONLY | O_CREAT, 0600));
	return pause();
}
END
"${CC:-cc}" -O1 -fno-builtin spike.c -o swspike || {
    echo "Bail out! no compiler"
    exit 1
}
there() { # FILE: wait for it
    tries=0
    until [ -e "$1" ] || [ $tries -gt 200 ]; do
        tries=$((tries + 1))
        sleep 0.05
    done
}
start "$sw" run -- ./swspike ready
there ready
spike=$pid

# ---- the socket ----
holds the_socket_is_the_users_alone \
    sh -c 'test "$(stat -c %a:%F "$0/$1")" = 600:socket && test "$(stat -c %a "$0")" = 700' "$sock" "$spike"
holds the_program_has_no_descriptor_of_ours \
    sh -c '! ls -l /proc/$0/fd | grep -q socket && test "$(ls /proc/$0/task | wc -l)" = 2' "$spike"
holds our_thread_blocks_every_signal \
    sh -c 'for t in /proc/$0/task/*; do grep -q "^Name:.slabwork" $t/status && grep "^SigBlk:" $t/status; done | grep -qi "SigBlk:.ffff" && grep -qx "SigBlk:.0000000000000000" /proc/$0/status' "$spike"
start env LD_PRELOAD="$BUILD/libslabwork-malloc.so.0" sleep 60
started_on_slabwork
plain=$pid
holds a_program_that_only_preloads_has_no_thread_and_no_socket \
    sh -c 'test "$(ls /proc/$1/task | wc -l)" = 1 && ! test -e "$0/$1"' "$sock" "$plain"

# ---- trim ----
holds trim_says_how_much_and_from_where \
    sh -c '"$0" trim $1 >out && cat out &&
           grep -qxE "gave back [0-9.]+[KMG]: [0-9.]+[KMG] [a-zA-Z -]+(, [0-9.]+[KMG] [a-zA-Z -]+)*\. live [0-9.]+[KM], held [0-9.]+[KM]\." out' \
    "$sw" "$spike"
holds memory_is_back_with_the_system \
    sh -c 'test "$(awk "/^VmRSS/ { print \$2 }" /proc/$0/status)" -lt 16000' "$spike"
holds a_second_trim_has_little_left \
    sh -c 'test "$("$0" trim --json $1 | sed -n "s/.*given_back.: \([0-9]*\).*/\1/p")" -lt 4000000' "$sw" "$spike"
holds trim_finds_it_from_another_environment env -u XDG_RUNTIME_DIR "$sw" trim "$spike"
holds trim_goes_by_name sh -c '"$0" trim swspike | grep -q "live .*, held "' "$sw"
if command -v python3 >/dev/null; then
    holds json_adds_up sh -c '"$0" trim --json $1 | python3 -c "
import json, sys
t = json.load(sys.stdin)
assert t[\"given_back\"] == t[\"empty_slabs\"] + t[\"cpu_stock\"] + t[\"free_pages\"] + t[\"areas\"], t
assert t[\"pid\"] == int(sys.argv[1]) and t[\"held\"] >= t[\"live\"] > 0, t" $1' "$sw" "$spike"
else
    skip json_adds_up "no python3"
fi
holds keep_leaves_memory_in_stock \
    sh -c '"$0" run -- ./swspike kept & p=$!; i=0; until test -e kept || test $i -gt 200; do sleep 0.05; i=$((i + 1)); done
           "$0" trim --keep 1G $p >out; s=$?; kill $p; cat out; test $s = 0 && grep -q "gave back nothing" out' "$sw"

# ---- fork ----
start "$sw" run -- ./swspike forked worker
there forked
holds a_forked_worker_has_a_socket_of_its_own_after_a_while \
    sh -c 'w=$(cat /proc/$1/task/$1/children | tr -d " "); test -n "$w" || exit 1
           i=0; until test -S "$2/$w" || test $i -gt 100; do sleep 0.05; i=$((i + 1)); done
           "$0" trim $w && "$0" trim $1; s=$?; kill $w; exit $s' "$sw" "$pid" "$sock"
holds a_program_that_is_executed_has_one_too \
    sh -c '"$0" run -- sh -c "sleep 30 & echo \$! >id; wait" & i=0; until test -s id; do sleep 0.05; done
           "$0" trim $(cat id); s=$?; kill $(cat id); exit $s' "$sw"
holds a_program_that_ends_takes_its_socket_away \
    sh -c '"$0" run -- sleep 0.2 & p=$!; i=0; until test -S "$1/$p" || test $i -gt 100; do sleep 0.01; i=$((i + 1)); done
           test -S "$1/$p" && wait $p && ! test -e "$1/$p"' "$sw" "$sock"
holds what_a_killed_one_left_is_removed_by_the_next_run \
    sh -c '"$0" run -- sleep 30 & p=$!; i=0; until test -S "$1/$p" || test $i -gt 100; do sleep 0.01; i=$((i + 1)); done
           kill -9 $p; wait $p; test -S "$1/$p" && "$0" run -- true && ! test -e "$1/$p"' "$sw" "$sock"
holds no_control_is_no_socket \
    sh -c '"$0" run --no-control -- sleep 1 & p=$!; sleep 0.3; ! test -e "$1/$p" && test "$(ls /proc/$p/task | wc -l)" = 1' "$sw" "$sock"

# ---- errors ----
usage="usage: slabwork trim [--json] [--keep BYTES] PROCESS${nl}try: slabwork trim --help$nl"
says an_unknown_option_is_a_usage_error 2 "slabwork: trim has no option '-x'$nl$usage" "$sw" trim -x 1
says keep_wants_bytes 2 "slabwork: --keep takes a number of bytes, not 'much'$nl$usage" "$sw" trim --keep much 1
holds no_such_process_is_said \
    sh -c '"$0" trim 4194305 2>err; test $? = 1 && grep -qx "slabwork: there is no process 4194305" err' "$sw"
start sleep 60
is_called sleep
says a_process_without_slabwork_is_told_how_to_have_it 1 \
    "slabwork: process $pid (sleep) does not run on slabwork. Start it so: slabwork run -- sleep$nl" \
    "$sw" trim "$pid"
says a_process_without_a_socket_is_told_how_to_have_one 1 \
    "slabwork: process $plain (sleep) has no control socket: it was not started by \`slabwork run\`.$nl          Start it so: slabwork run -- sleep    (or with SLABWORK=control)$nl" \
    "$sw" trim "$plain"
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null && setpriv --reuid 65534 --clear-groups test -x "$sw"; then
    holds another_user_is_refused \
        sh -c 'chmod 711 "$2/.." "$2/../.."; setpriv --reuid 65534 --clear-groups "$0" trim $1 2>err; test $? = 1 && grep -E "^slabwork: (not allowed|process .* does not take requests)" err' \
        "$sw" "$spike" "$sock"
else
    skip another_user_is_refused "needs root, and a build folder that others can read"
fi
done_testing
