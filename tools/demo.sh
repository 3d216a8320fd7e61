#!/bin/sh
# SPDX-License-Identifier: MIT
#
# demo.sh - unmodified programs on slabwork, seen while they run, beside glibc
#
# Starts a redis-server on slabwork under a bounded loopback load, shows its caches
# from outside, does the same work on glibc, then python3 and sqlite3 both ways, and
# closes with CPU seconds and peak memory. Under a minute; leaves nothing behind.
# BUILD names another build folder than build/.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
build=${BUILD:-$top/build}
slabwork=$build/slabwork
work=$(mktemp -d "${TMPDIR:-/tmp}/slabwork-demo.XXXXXX")
server=
cleanup() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' HUP TERM

say() { printf '%s\n' "$*"; }
title() { printf '\n== %s\n' "$*"; }
die() {
    say "demo.sh: $*" >&2
    exit 1
}

for program in redis-server redis-benchmark redis-cli python3 sqlite3; do
    command -v "$program" >/dev/null || die "no $program here; run ./run --setup once"
done
[ -x "$slabwork" ] || die "no $slabwork; run ./run --setup once"
# A python3 that is a shell script would be measured as a shell.
python=$(python3 -c 'import sys; print(sys.executable)')

# glibc's own column preloads libc itself: Debian's redis-server links another malloc.
on_slabwork() { exec "$slabwork" run -q -- "$@"; }
on_glibc() { LD_PRELOAD=libc.so.6 exec "$@"; }

# A process writes its own figures: CPU seconds and peak memory in MiB.
cat >"$work/figures" <<'END'
pid=$1
ticks=$(awk '{sub(/.*\) /, ""); print $12 + $13}' "/proc/$pid/stat")
peak=$(awk '/^VmHWM:/ {print $2}' "/proc/$pid/status")
awk -v t="$ticks" -v hz="$(getconf CLK_TCK)" -v k="$peak" 'BEGIN {printf "%.2f %.1f\n", t / hz, k / 1024}'
END

# ---- redis -----------------------------------------------------------------

port=
start_redis() { # on_slabwork | on_glibc
    for _ in 1 2 3 4 5; do
        port=$("$python" -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
        "$1" redis-server --port "$port" --bind 127.0.0.1 --save '' --appendonly no \
            --dir "$work" >"$work/redis.log" 2>&1 &
        server=$!
        for _ in $(seq 60); do
            [ "$(redis-cli -p "$port" ping 2>/dev/null || true)" != PONG ] || return 0
            kill -0 "$server" 2>/dev/null || break # somebody took the port
            sleep 0.05
        done
        kill "$server" 2>/dev/null || true
    done
    tail -n 20 "$work/redis.log" >&2
    die "redis-server did not start"
}

load_redis() {
    redis-benchmark -p "$port" -q -P 16 -c 20 -n 150000 -r 100000 -d 100 -t set,get,lpush,hset,sadd \
        >"$work/load.$1" 2>&1
}

stop_redis() {
    sh "$work/figures" "$server" >"$work/redis.$1"
    redis-cli -p "$port" shutdown nosave >/dev/null 2>&1 || true
    wait "$server" 2>/dev/null || true
    server=
}

title "redis-server, unmodified, on slabwork"
start_redis on_slabwork
say "\$ slabwork run -- redis-server --port $port     (process $server)"
say "\$ redis-benchmark -p $port -P 16 -n 150000 -r 100000 -d 100 -t set,get,lpush,hset,sadd"
load_redis slabwork &
loader=$!
sleep 1.2

title "its caches while it runs: the 12 largest, as the kernel prints them"
say "\$ slabwork slabinfo $server"
"$slabwork" slabinfo "$server" >"$work/slabinfo"
say "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> <num_slabs>    bytes"
awk 'NR > 2 {printf "%d %-17s %13d %10d %9d %12d %14d %11d %7.1fM\n", $15 * $6, $1, $2, $3, $4, $5, $6, $15, $15 * $6 * 4096 / 1048576}' \
    "$work/slabinfo" | sort -rn | head -n 12 | cut -d' ' -f2-

title "its memory"
say "\$ slabwork meminfo $server | grep -E '^(MemTotal|MemFree|Slab|SReclaimable|VmallocUsed|Committed_AS)'"
"$slabwork" meminfo "$server" | grep -E '^(MemTotal|MemFree|Slab|SReclaimable|VmallocUsed|Committed_AS)'
wait "$loader"
stop_redis slabwork

title "the same work on glibc"
start_redis on_glibc
load_redis glibc
stop_redis glibc
say "done"

# ---- python3 and sqlite3 ----------------------------------------------------

cat >"$work/objects.py" <<'END'
import json, os, random, sys
random.seed(1)
rows = [{"id": i, "name": "row %d" % i, "tags": [random.randrange(1000) for _ in range(i % 8)]}
        for i in range(120000)]
text = json.dumps(rows)
back = json.loads(text)
index = {}
for row in back:
    for tag in row["tags"]:
        index.setdefault(tag, []).append(row["name"])
assert back == rows
sys.stdout.flush()
os.system("sh %s %d" % (sys.argv[1], os.getpid()))
END
cat >"$work/work.sql" <<END
create table t(id integer primary key, k int, name text, body blob);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 250000)
  insert into t select i, (i * 7919) % 10007, 'name ' || i, zeroblob(i % 200) from n;
create index tk on t(k);
create index tn on t(name);
update t set name = name || '-' || k where k % 3 = 0;
delete from t where id % 5 = 0;
.output /dev/null
select k, count(*) c, group_concat(name, ',') from t group by k order by c desc, k;
.output
.shell sh $work/figures \$PPID
END

title "python3 (every object through malloc) and sqlite3, both ways"
for on in slabwork glibc; do
    PYTHONMALLOC=malloc "on_$on" "$python" "$work/objects.py" "$work/figures" >"$work/python3.$on" &
    wait $!
    on_"$on" sqlite3 :memory: ".read $work/work.sql" >"$work/sqlite3.$on" &
    wait $!
done
say "done"

# ---- the table -----------------------------------------------------------------

title "one run, on this machine"
printf '%-14s %21s %27s\n' '' 'CPU seconds' 'peak resident MiB'
printf '%-14s %10s %7s %6s %13s %7s %6s\n' '' slabwork glibc ratio slabwork glibc ratio
for program in redis python3 sqlite3; do
    read -r cpu_s mem_s <"$work/$program.slabwork"
    read -r cpu_g mem_g <"$work/$program.glibc"
    name=$program
    [ "$name" != redis ] || name=redis-server
    awk -v n="$name" -v cs="$cpu_s" -v cg="$cpu_g" -v ms="$mem_s" -v mg="$mem_g" 'BEGIN {
        printf "%-14s %10.2f %7.2f %6.2f %13.1f %7.1f %6.2f\n", n, cs, cg, cs / cg, ms, mg, ms / mg}'
done
say "(one run; for figures that mean something: bench/run)"
say
say "next: ./run python3                       any program on slabwork"
say "      build/slabwork slabinfo python3     its caches, from another terminal"
