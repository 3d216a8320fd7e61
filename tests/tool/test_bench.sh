#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test_bench.sh - bench/run and bench/hitpath give their tables; their figures are not judged here
set -u

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
: "${SRC:=.}" "${BUILD:=build}"
n=0

# STATUS NAME: one TAP line; what the command said if it failed
ok() {
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		sed 's/^/# /' "$work/out"
	fi
}

run() {
	"$SRC/bench/run" --build "$BUILD" --no-install -n 1 --quick "$@" >"$work/out" 2>&1
}

# ROW COLUMN: a figure stands there, in the table that was printed last
figure() {
	awk -v row="$1" -v column="$2" '
		$1 == "row" { for (i = 1; i <= NF; i++) if ($i == column) at = i }
		$1 == row && at && $at ~ /^[0-9.]+$/ { found = 1 }
		END { exit !found }' "$work/out"
}

run --allocators glibc,slabwork --rows lifo64,kmem64,freelist64 --json "$work/json" --svg "$work/svg" &&
	figure lifo64 glibc && figure lifo64 slabwork && figure kmem64 slabwork && figure freelist64 other
ok $? "bench/run has a figure for malloc, for the kernel's names and for what is neither"

python3 - "$work/json" "$work/svg" >"$work/out" 2>&1 <<'END'
import json, sys, xml.dom.minidom
rows = {row['row']: row for row in json.load(open(sys.argv[1]))['rows']}
assert all(len(rows['lifo64']['samples'][a]) == 1 for a in ('glibc', 'slabwork')), rows
titles = xml.dom.minidom.parse(sys.argv[2]).getElementsByTagName('title')
assert len(titles) == 7, len(titles)
END
ok $? "its JSON has every sample and its picture a bar for each column of each row"

run --allocators glibc,slabwork --scale --rows 'heap.1M,heap.4M,heap.16M,caches.??,caches.?00' &&
	figure heap.4M.mem glibc && figure heap.slope slabwork && figure caches.slope slabwork &&
	! figure caches.slope glibc
ok $? "--scale has rows of sizes and their slope"

run --allocators glibc,slabwork --latency --rows 'lat.evict,reclaim' &&
	figure lat.evict.alloc.p9999 glibc && figure lat.evict.alloc.worst slabwork &&
	figure reclaim.alloc.p9999 slabwork
ok $? "--latency has percentiles, under reclaim as well"

(cd "$SRC/bench" && python3 -B -c '
from jobs import with_slopes, number_of
units = {}
samples = {"lifo64": {"glibc": [5]}}
for size, figure in (("1M", 3), ("2M", 6), ("8M", 24)):
    samples["heap.%s" % size] = {"glibc": [figure, 7]}
for count, figure in ((100, 1), (400, 2), (10000, 10), (20000, 10000)):
    samples["caches.%d" % count] = {"slabwork": [figure]}
got = with_slopes(samples, units)
assert [round(x, 6) for x in got["heap.slope"]["glibc"]] == [2, 1], got
assert round(got["caches.slope"]["slabwork"][0], 6) == round(2 ** .5, 6), got
assert list(got) == ["lifo64", "heap.1M", "heap.2M", "heap.8M", "heap.slope", "caches.100",
                     "caches.400", "caches.10000", "caches.20000", "caches.slope"], list(got)
assert number_of("16G") == 16 << 30 and number_of("G") is None
') >"$work/out" 2>&1
ok $? "a slope is the growth when the number doubles, of each round, without what lies past the fast slots"

mkdir "$work/bin"
for tool in cc as ld python3 sh ldconfig objdump; do
	place=$(PATH=$PATH:/sbin:/usr/sbin command -v "$tool") && ln -s "$place" "$work/bin/$tool"
done
(PATH=$work/bin && run --allocators slabwork --rows lifo64,node.cpu,mempool64) && figure lifo64 slabwork &&
	grep -q '^node left out: no node on this machine$' "$work/out" &&
	grep -q '^rows of mempool left out: no libdpdk on this machine$' "$work/out"
ok $? "what is not on the machine leaves its rows out, with the reason, and no failure"

mkdir "$work/empty"
"$SRC/bench/run" --build "$work/empty" --no-install -n 1 --quick --allocators glibc,slabwork \
	--rows lifo64,kmem64 >"$work/out" 2>&1 && figure lifo64 glibc && ! figure lifo64 slabwork &&
	grep -q '^slabwork skipped: .*libslabwork-malloc.so is not built$' "$work/out"
ok $? "without a build of ours the others are measured, and the table says why"

if [ "$(uname -m)" = x86_64 ] && command -v objdump >/dev/null; then
	"$SRC/bench/hitpath" --build "$BUILD" >"$work/out" 2>&1 &&
		awk -F'|' '/^. .(malloc|free|kmalloc|kfree|kmem_cache_alloc|kmem_cache_free|calloc|realloc)/ {
			if ($(NF - 1) + 0 >= 10 && $(NF - 1) + 0 < 400) good++ }
			END { exit good != 8 }' "$work/out"
	ok $? "bench/hitpath counts the instructions of eight calls"
else
	n=$((n + 1))
	echo "ok $n # SKIP bench/hitpath steps x86-64 code and needs objdump"
fi
echo "1..$n"
