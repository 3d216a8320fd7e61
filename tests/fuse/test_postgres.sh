#!/bin/sh
# SPDX-License-Identifier: MIT
# test_postgres.sh - PostgreSQL keeps its data in the mount, is stopped without a checkpoint, and finds them again
# shellcheck source=/dev/null disable=SC2154
. "$SRC/tests/fuse/lib.sh"

bin=
for dir in /usr/lib/postgresql/*/bin; do [ -x "$dir/initdb" ] && bin=$dir; done
if [ -z "$bin" ]; then
    skip postgres "no PostgreSQL"
    done_testing
    exit
fi
# The server refuses to be root.
user=
if [ "$(id -u)" = 0 ]; then
    if ! getent passwd nobody >/dev/null || ! command -v setpriv >/dev/null; then
        skip postgres "no user to be"
        done_testing
        exit
    fi
    user='setpriv --reuid=nobody --regid=nogroup --clear-groups'
    chmod 711 "$work"
fi
HOME=$m
export HOME LC_ALL=C TZ=UTC
# shellcheck disable=SC2086 # a list of words
as() { (cd / && $user "$@"); }
start() { as "$bin/pg_ctl" -D "$m/data" -w -t 60 -l "$m/log" -o "-c listen_addresses= -k $m -c fsync=on" start; }
sql() { as "$bin/psql" -XAtq -h "$m" postgres -c "$1"; }
no_complaint() { ! grep -E 'PANIC|invalid page|could not|terminated by signal' "$m/log"; }
# Each transaction adds the same amount in four places.
sums_agree() {
    sum=$(sql "select sum(delta) from pgbench_history")
    for column in abalance:accounts bbalance:branches tbalance:tellers; do
        [ "$(sql "select sum(${column%:*}) from pgbench_${column#*:}")" = "$sum" ] || return
    done
    [ "$(sql "select count(*) from pgbench_history")" = 2000 ]
}

on tmpfs -o size=2g,mode=1777
holds initdb as "$bin/initdb" -D "$m/data" -A trust --locale=C
holds it_starts start
started="$started $(head -n 1 "$m/data/postmaster.pid")"
holds pgbench_fills as "$bin/pgbench" -h "$m" -q -i -s 2 postgres
holds pgbench_runs as "$bin/pgbench" -h "$m" -n -c 4 -j 2 -t 500 postgres
holds it_is_stopped_without_a_checkpoint as "$bin/pg_ctl" -D "$m/data" -w -m immediate stop
holds it_recovers start
started="$started $(head -n 1 "$m/data/postmaster.pid")"
holds no_transaction_is_lost_or_half_done sums_agree
holds it_finds_no_damage as "$bin/pg_amcheck" -h "$m" --install-missing --heapallindexed postgres
holds it_stops as "$bin/pg_ctl" -D "$m/data" -w -m fast stop
holds its_log_has_no_complaint no_complaint
off
done_testing
