#!/bin/sh
# SPDX-License-Identifier: MIT
# test_map.sh - slabwork map: a picture whose bytes are those of the process, small and large
# shellcheck source=/dev/null disable=SC2154,SC2016
. "$SRC/tests/tool/lib.sh"

nl='
'
cat >fill.c <<'END'
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static void *p[1 << 16];
int main(int argc, char **argv)
{
	for (int i = 0; i < 1 << 16; i++)
		memset(p[i] = malloc(4000), 1, 4000);
	for (int i = 0; i < 1 << 16; i++)
		if (i % 24 > 7) /* two slabs of three */
			free(p[i]);
	memset(malloc(16 << 20), 1, 16 << 20);
	close(open(argv[argc - 1], O_WRONLY | O_CREAT, 0600));
	return pause();
}
END
"${CC:-cc}" -O1 -fno-builtin fill.c -o swfill || {
    echo "Bail out! no compiler"
    exit 1
}
start "$sw" run -- ./swfill ready
tries=0
until [ -e ready ] || [ $tries -gt 200 ]; do
    tries=$((tries + 1))
    sleep 0.05
done
large=$pid
start "$sw" run -- sleep 300
started_on_slabwork
small=$pid

holds it_writes_the_file_and_says_what_to_do \
    sh -c '"$0" map -o map.svg $1 >out; cat out; grep -qxE "map\.svg: [0-9.]+M in cells of [0-9]+K\.  try: xdg-open map\.svg" out && test -s map.svg' "$sw" "$large"
holds unless_said_it_is_called_after_the_process sh -c '"$0" map $1 && test -s map-$1.svg' "$sw" "$small"
mkfifo pipe
holds a_pipe_is_written_to_and_stays_one \
    sh -c '{ cat pipe >piped & } && "$0" map -o pipe $1 && wait && test -p pipe && grep -q "</svg>" piped' "$sw" "$small"
ln -s behind.svg link.svg
holds a_link_stays_one_and_the_file_behind_it_is_written \
    sh -c '"$0" map -o link.svg $1 && test -h link.svg && test -s behind.svg' "$sw" "$small"
says output_that_is_lost_is_an_error 1 "slabwork: cannot write: No space left on device$nl" \
    sh -c '"$0" help >/dev/full' "$sw"
holds a_small_heap_is_a_cell_a_page sh -c '"$0" map -o - $1 | grep -q "A cell is 4K, a page"' "$sw" "$small"
holds a_picture_stays_small sh -c 'test "$(wc -c <map.svg)" -lt 4000000'
holds the_cache_is_in_the_legend_and_in_the_picture \
    sh -c 'grep -q "class=\"key\".*>malloc-4096<" map.svg && grep -q "<title>.* malloc-4096 at 0x" map.svg'
if command -v python3 >/dev/null; then
    holds it_is_well_formed_xml sh -c 'python3 -c "
import sys, xml.dom.minidom
for f in sys.argv[1:]: xml.dom.minidom.parse(f)" map.svg map-$0.svg' "$small"
    holds the_legend_has_the_bytes_of_the_process sh -c '"$0" top --json $1 >top.json && python3 -c "
import json, re
unit = {\"\": 1, \"K\": 1 << 10, \"M\": 1 << 20, \"G\": 1 << 30}
svg, top = open(\"map.svg\").read(), json.load(open(\"top.json\"))
rows = dict((n, float(v) * unit[u]) for n, v, u in
            re.findall(r\"class=.key. x=.\d+. y=.\d+.>([^<]+)</text><text class=.size.[^>]*>([0-9.]+)([KMG]?)<\", svg))
cache = {c[\"name\"]: c for c in top[\"caches\"]}
def near(what, got, wanted):
    assert abs(got - wanted) <= 0.02 * wanted + 300000, (what, got, wanted)
near(\"cache\", rows[\"malloc-4096\"], cache[\"malloc-4096\"][\"bytes\"])
near(\"areas\", rows[\"areas\"], 16 << 20)
held = sum(v for n, v in rows.items() if n not in (\"given back or untouched\", \"not ours\"))
near(\"held\", held, top[\"held\"])"' "$sw" "$large"
else
    skip it_is_well_formed_xml "no python3"
    skip the_legend_has_the_bytes_of_the_process "no python3"
fi
if command -v rsvg-convert >/dev/null; then
    holds a_renderer_draws_it sh -c 'rsvg-convert map.svg -o map.png && test "$(wc -c <map.png)" -gt 10000'
else
    skip a_renderer_draws_it "no rsvg-convert (librsvg2-bin)"
fi

usage="usage: slabwork map [-o FILE.svg] PROCESS${nl}try: slabwork map --help$nl"
says an_unknown_option_is_a_usage_error 2 "slabwork: map has no option '-x'$nl$usage" "$sw" map -x 1
says o_needs_a_file 2 "slabwork: -o needs a file$nl$usage" "$sw" map 1 -o
says a_folder_that_is_not_there_is_said 1 \
    "slabwork: cannot write /nonexistent/x.svg: No such file or directory$nl" "$sw" map -o /nonexistent/x.svg "$small"
says a_full_disk_is_an_error 1 "slabwork: cannot write: No space left on device$nl" \
    sh -c '"$0" map -o - $1 >/dev/full' "$sw" "$small"
holds no_such_process_is_said \
    sh -c '"$0" map 4194305 2>err; test $? = 1 && grep -qx "slabwork: there is no process 4194305" err' "$sw"
start sleep 60
is_called sleep
says a_process_without_slabwork_is_told_how_to_have_it 1 \
    "slabwork: process $pid (sleep) does not run on slabwork. Start it so: slabwork run -- sleep$nl" \
    "$sw" map "$pid"
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null && setpriv --reuid 65534 --clear-groups test -x "$sw"; then
    says another_users_process_is_not_drawn 1 \
        "slabwork: not allowed to read process $small (sleep): run this as its user or as root${nl}          (with kernel.yama.ptrace_scope 1 or more: as root)$nl" \
        setpriv --reuid 65534 --clear-groups "$sw" map -o - "$small"
else
    skip another_users_process_is_not_drawn "needs root, and a build folder that others can read"
fi
done_testing
