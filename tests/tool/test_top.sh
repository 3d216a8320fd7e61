#!/bin/sh
# SPDX-License-Identifier: MIT
# test_top.sh - slabwork top: transcript 1, the screen by keys, text and JSON for scripts
# shellcheck source=/dev/null disable=SC2154,SC2016
. "$SRC/tests/tool/lib.sh"

nl='
'
XDG_RUNTIME_DIR=$work/run
export XDG_RUNTIME_DIR
mkdir -m 700 "$XDG_RUNTIME_DIR"

# Holds 10,000 objects of malloc-192, and 100 more every time somebody writes a line.
cat >hold.c <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int main(void)
{
	char c = 'x';
	for (int i = 0; i < 10000; i++)
		memset(malloc(190), 1, 190);
	memset(malloc(6 << 20), 1, 6 << 20);
	puts("ready");
	fflush(stdout);
	while (read(0, &c, 1) == 1)
		for (int i = 0; i < 100; i++)
			memset(malloc(190), 1, 190);
	return 0;
}
END
"${CC:-cc}" -O1 -fno-builtin hold.c -o swhold || {
    echo "Bail out! no compiler"
    exit 1
}
mkfifo lines
"$sw" run -- ./swhold <lines >ready 2>&1 &
pid=$!
started="$started $pid"
hold=$pid
exec 9>lines
tries=0
until [ -s ready ] || [ $tries -gt 200 ]; do
    tries=$((tries + 1))
    sleep 0.05
done

# ---- text ----
"$sw" top --once swhold >once
holds once_is_the_screen_of_transcript_1 sh -c '
    cat "$0"
    sed -n 1p "$0" | grep -qxE "swhold \([0-9]+\)  up [0-9:]+   live [0-9.]+M  held [0-9.]+M  rss [0-9.]+M   waste [0-9.]+% \(rounding [0-9.]+, partial slabs [0-9.]+, per-CPU stock [0-9.]+, free pages [0-9.]+\)  limit [a-z0-9.].*" &&
    sed -n 2p "$0" | grep -qxE " free areas 4K:[0-9]+ 8K:[0-9]+ 16K:[0-9]+ 32K:[0-9]+( (… )?[0-9]+[KM]:[0-9]+)?    reclaimable [0-9.]+[KM]?    faults [0-9]+    guarded [0-9]+ \([0-9]+ bugs\)" &&
    sed -n 3p "$0" | grep -qxE " CACHE +OBJS +ACTIVE +USE +SIZE +SLABS +BYTES +\+/10s" &&
    grep -qE "^ malloc-192 +10[0-9]{3} +100[0-9]{2} +[0-9]+% +192 +[0-9]+ +[0-9.]+M +-$" "$0" &&
    grep -qE "^ \(areas\) +1 +1 +- +- +- +6\.0M +-$" "$0" &&
    tail -n 1 "$0" | grep -qxE "try: slabwork trim [0-9]+"' once
holds columns_stand_under_their_titles \
    sh -c 'test "$(sed -n "3,\$p" "$0" | grep -v ^try | awk "{ print length(\$0) }" | sort -u | wc -l)" = 1' once
holds the_largest_come_first sh -c 'sed -n 4p "$0" | grep -q "^ (areas)" && sed -n 5p "$0" | grep -q "^ malloc-192 "' once
holds by_name_they_are_sorted \
    sh -c '"$0" top --once --sort name swhold | sed -n "4,\$p" | grep -v ^try | awk "{ print \$1 }" >names; LC_ALL=C sort -c names' "$sw"
holds no_terminal_is_once sh -c '"$0" top swhold </dev/null | tail -n 1 | grep -q "^try: "' "$sw"
if command -v python3 >/dev/null; then
    holds json_adds_up sh -c '"$0" top --json swhold | python3 -c "
import json, sys
t = json.load(sys.stdin)
w = t[\"waste\"]
assert t[\"held\"] == t[\"live\"] + w[\"rounding\"] + w[\"partial_slabs\"] + w[\"cpu_stock\"] + w[\"free_pages\"], t
assert t[\"live\"] >= 10000 * 192 + (6 << 20)
c = {c[\"name\"]: c for c in t[\"caches\"]}[\"malloc-192\"]
assert 10000 <= c[\"active\"] <= c[\"objs\"] and c[\"size\"] == 192 and c[\"growth\"] is None"' "$sw"
else
    skip json_adds_up "no python3"
fi

# ---- the screen ----
screen=$SRC/tests/tool/screen.py
if "$sw" top --once "$hold" >/dev/null && TERM=xterm "$sw" top "$hold" 2>&1 </dev/null | grep -q 'without ncurses'; then
    skip the_screen "built without ncurses"
elif ! command -v python3 >/dev/null; then
    skip the_screen "no python3"
elif ! python3 -c 'import os; os.openpty()' 2>/dev/null; then
    skip the_screen "no pseudo-terminals here (/dev/pts)"
else
    holds the_screen_is_the_text_and_q_quits \
        sh -c 'python3 "$2" 30 200 "wait:malloc-192 q" "$0" top "$1" >out; cat out
               sed -n 1p out | grep -qE "^swhold \($1\)  up .* limit " && sed -n 3p out | grep -q "^ CACHE  .*+/10s" &&
               grep -q "^\[s\]ort: bytes  \[t\]rim  \[q\]uit" out && tail -n 1 out | grep -qx "exit 0"' "$sw" "$hold" "$screen"
    holds s_sorts_and_t_trims \
        sh -c 'python3 "$2" 30 200 "wait:malloc-192 s wait:growth s wait:objects s wait:[s]ort:~name s wait:[s]ort:~bytes t wait:gave~back q" "$0" top -d 0.2 swhold >out; cat out
               grep -q "gave back .*live .*, held " out && tail -n 1 out | grep -qx "exit 0"' "$sw" "$hold" "$screen"
    holds growth_is_of_what_the_program_holds \
        sh -c '(sleep 1; printf xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx >&9) & python3 "$1" 30 200 "wait:malloc-192 wait:+825.0K q" "$0" top -d 0.2 --sort growth swhold >out; cat out; grep -E "^ malloc-192 .*\+825\.0K$" out' \
        "$sw" "$screen"
    holds a_narrow_terminal_breaks_the_header \
        sh -c 'python3 "$1" 24 60 "wait:malloc-192 q" "$0" top swhold >out; cat out; test "$(sed "/^---/q" out | grep -cE "live|waste|free areas|limit")" -ge 3' "$sw" "$screen"
    holds a_tiny_terminal_is_no_harm \
        sh -c 'for size in "1 1" "2 10" "3 200" "5 5"; do python3 "$1" $size "wait:s q" "$0" top swhold | tail -n 1 | grep -qx "exit 0" || exit 1; done' "$sw" "$screen"
    holds a_window_that_changes_its_size_is_filled_again \
        sh -c 'python3 "$1" 10 80 "wait:malloc-192 size:40x160 wait:slab_meta wait:+/10s q" "$0" top -d 0.2 swhold | tail -n 1 | grep -qx "exit 0"' "$sw" "$screen"
    holds rows_scroll \
        sh -c 'python3 "$1" 10 200 "wait:(areas) down down not:(areas) pgdn end q" "$0" top -d 0.2 swhold >out; cat out; tail -n 1 out | grep -qx "exit 0"' "$sw" "$screen"
    start "$sw" run -- sleep 300
    started_on_slabwork
    holds when_the_process_ends_it_says_so \
        sh -c 'VICTIM=$1 python3 "$2" 20 100 "wait:sleep kill" "$0" top -d 0.2 $1 >out; cat out; grep -q "^sleep ($1) has ended\." out && tail -n 1 out | grep -qx "exit 0"' "$sw" "$pid" "$screen"
    holds no_terminal_type_is_said \
        sh -c 'python3 "$1" 20 100 "" env TERM=nonsense "$0" top swhold >out; cat out; grep -q "needs a terminal, and TERM is .nonsense" out && tail -n 1 out | grep -qx "exit 1"' "$sw" "$screen"
fi

# ---- errors ----
usage="usage: slabwork top [-d SECONDS] [--sort COLUMN] [--once] [--json] [PROCESS]${nl}try: slabwork top --help$nl"
says an_unknown_option_is_a_usage_error 2 "slabwork: top has no option '-x'$nl$usage" "$sw" top -x
says a_delay_is_seconds 2 "slabwork: -d takes seconds, 0.1 to 3600, not '0'$nl$usage" "$sw" top -d 0
says a_column_is_one_of_four 2 \
    "slabwork: --sort takes bytes, growth, objects or name, not 'x'$nl$usage" "$sw" top --sort x
holds no_such_process_is_said \
    sh -c '"$0" top --once 4194305 2>err; test $? = 1 && grep -qx "slabwork: there is no process 4194305" err' "$sw"
start sleep 60
is_called sleep
says a_process_without_slabwork_is_told_how_to_have_it 1 \
    "slabwork: process $pid (sleep) does not run on slabwork. Start it so: slabwork run -- sleep$nl" \
    "$sw" top --once "$pid"
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null && setpriv --reuid 65534 --clear-groups test -x "$sw"; then
    says another_users_process_is_not_shown 1 \
        "slabwork: not allowed to read process $hold (swhold): run this as its user or as root${nl}          (with kernel.yama.ptrace_scope 1 or more: as root)$nl" \
        setpriv --reuid 65534 --clear-groups "$sw" top --once "$hold"
else
    skip another_users_process_is_not_shown "needs root, and a build folder that others can read"
fi
done_testing
