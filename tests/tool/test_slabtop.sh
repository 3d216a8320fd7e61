#!/bin/sh
# SPDX-License-Identifier: MIT
# test_slabtop.sh - procps' own slabtop reads our slabinfo, put over /proc/slabinfo in a
# mount namespace that only it sees
# shellcheck source=/dev/null disable=SC2154,SC2016
. "$SRC/tests/tool/lib.sh"

if ! command -v slabtop >/dev/null; then
    skip slabtop_reads_us "no slabtop (procps)"
    done_testing
    exit 0
fi
start "$sw" run -- sh -c 'while :; do sleep 60; done'
started_on_slabwork
"$sw" slabinfo "$pid" >ours || exit 1
if ! unshare -m sh -c 'mount --bind ours /proc/slabinfo' 2>/dev/null; then
    skip slabtop_reads_us "no mount namespace (needs root)"
    done_testing
    exit 0
fi
holds slabtop_accepts_the_file \
    unshare -m sh -c 'mount --bind ours /proc/slabinfo && slabtop -o -s a >table'
# The row of a cache in slabtop's table: OBJS ACTIVE USE OBJ-SIZE SLABS OBJ/SLAB CACHE-SIZE NAME
ours=$(awk '$1 == "kmem_cache" { print $3, $2, $5, $15 }' ours)
theirs=$(awk '$8 == "kmem_cache" { print $1, $2, $6, $5 }' table)
echo "# objects, active, a slab, slabs: $ours; slabtop shows $theirs"
holds slabtop_shows_our_numbers test -n "$ours" -a "$ours" = "$theirs"
holds slabtop_shows_every_cache_with_objects \
    sh -c 'awk "NR > 2 && \$3 { print \$1 }" ours | while read -r n; do grep -q " $n *\$" table || { echo "$n is missing"; exit 1; }; done'

cat >broken <ours
sed -i '1s/2.1/3.7/' broken
# A planted fault: were slabtop to take anything, the above would show nothing.
holds slabtop_refuses_another_version \
    unshare -m sh -c 'mount --bind broken /proc/slabinfo && ! slabtop -o >/dev/null 2>&1'
done_testing
