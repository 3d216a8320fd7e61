#!/bin/sh
# SPDX-License-Identifier: MIT
# test_transcripts.sh - the first five minutes: a service watched and trimmed, kmem_cache in a C program
#
# The transcripts come out as written, numbers apart. The first (slabwork doctor) is test_doctor.sh.
# shellcheck source=/dev/null disable=SC2154,SC2016,SC2094
. "$SRC/tests/tool/lib.sh"

XDG_RUNTIME_DIR=$work/run
export XDG_RUNTIME_DIR
mkdir -m 700 "$XDG_RUNTIME_DIR"

# ---- 1. An unmodified program, watched live ----
if command -v redis-server >/dev/null && command -v redis-cli >/dev/null; then
    port=$((20000 + $$ % 20000))
    "$sw" run -v -- redis-server --port $port --save '' >redis.log 2>banner &
    redis=$!
    started="$started $redis"
    tries=0
    until redis-cli -p $port ping 2>/dev/null | grep -q PONG || [ $tries -gt 200 ]; do
        tries=$((tries + 1))
        sleep 0.05
    done
    holds transcript_1_run_says_what_it_is_and_how_to_watch_it \
        sh -c 'cat banner; grep -qxE "slabwork\[$0\]: redis-server on slabwork [0-9.]+ \(kmalloc 8…8k, [0-9]+ malloc caches, kfence [a-z0-9/]+\)\. Watch: slabwork top $0" banner' "$redis"
    awk 'BEGIN { for (i = 0; i < 200000; i++) printf "SET key:%d %0150d\r\n", i, i }' |
        redis-cli -p $port --pipe >/dev/null
    "$sw" top --once "$redis" >top
    holds transcript_1_top_shows_live_held_rss_and_where_the_waste_is \
        sh -c 'head -n 2 top
               sed -n 1p top | grep -qE "^redis-server \($0\)  up [0-9:]+   live [0-9.]+M  held [0-9.]+M  rss [0-9.]+M   waste [0-9.]+% \(rounding [0-9.]+, partial slabs [0-9.]+.*\)  limit [a-z0-9]" &&
               sed -n 2p top | grep -qE "^ free areas 4K:[0-9]+ 8K:[0-9]+ 16K:[0-9]+ 32K:[0-9]+.*    reclaimable [0-9.]+[KMG]?    faults 0    guarded [0-9]+ \(0 bugs\)" &&
               sed -n 3p top | grep -qxE " CACHE +OBJS +ACTIVE +USE +SIZE +SLABS +BYTES +\+/10s"' "$redis"
    holds the_values_are_objects_of_a_cache \
        sh -c 'head -n 12 top; grep -qE "^ malloc-[0-9]+ +2[0-9]{5} +2[0-9]{5} +[0-9]+% +[0-9]+ +[0-9]+ +[0-9.]+M " top'
    redis-cli -p $port flushall >/dev/null
    "$sw" trim "$redis" >trim
    holds transcript_1_trim_says_how_much_and_from_where \
        sh -c 'cat trim; grep -qxE "gave back [0-9.]+[KMG]: ([0-9.]+[KM]? (empty slabs|per-CPU slabs|free pages|unpurged areas)(, )?)+\. live [0-9.]+[KM], held [0-9.]+[KM]\." trim'
    holds after_it_little_is_held sh -c '
        held=$(sed -n "s/.*held \([0-9]*\)\.[0-9]*M\.$/\1/p" trim); test "${held:-0}" -lt 12 || { cat trim; exit 1; }'
    redis-cli -p $port shutdown nosave >/dev/null 2>&1
else
    skip transcript_1 "no redis"
fi

# ---- 5. kmem_cache in a C program ----
cat >conn.c <<'END'
#include <slabwork/slab.h>
struct conn { int fd; char buf[180]; };
static void conn_init(void *p) { ((struct conn *)p)->fd = -1; }
int main(void) {
    struct kmem_cache *c = kmem_cache_create("conn", sizeof(struct conn), 0, SLAB_HWCACHE_ALIGN, conn_init);
    for (int i = 0; i < 1000; i++) { struct conn *p = kmem_cache_alloc(c, GFP_KERNEL); if (i % 10) kmem_cache_free(c, p); }
    sw_show(stdout, "slabinfo", "conn");
    kmem_cache_destroy(c);
}
END
"${CC:-cc}" conn.c -I"$SRC/include" -L"$BUILD" -lslabwork -Wl,-rpath,"$BUILD" -o conn >cc.out 2>&1
holds transcript_5_compiles_as_written sh -c 'cat cc.out; test -x conn'
./conn >conn.out 2>conn.err
holds transcript_5_shows_the_cache \
    sh -c 'cat conn.out; grep -qxE "conn +100 +[0-9]+ +192 +21 +1 : tunables +0 +0 +0 : slabdata +[0-9]+ +[0-9]+ +0" conn.out'
holds transcript_5_names_the_objects_that_remain \
    sh -c 'cat conn.err; grep -qxE "slabwork: kmem_cache_destroy conn: 100 objects remain; first 0x[0-9a-f]+" conn.err'
done_testing
