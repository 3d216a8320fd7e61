#!/bin/sh
# SPDX-License-Identifier: MIT
# test_postgres.sh - PostgreSQL: initdb, a server with its processes, pgbench; as a user who is not root
# shellcheck source=/dev/null disable=SC2154
. "$SRC/tests/preload/lib.sh"

bin=
for dir in /usr/lib/postgresql/*/bin; do [ -x "$dir/initdb" ] && bin=$dir; done
if [ -z "$bin" ]; then
    skip postgres "no PostgreSQL"
    done_testing
    exit 0
fi

# The server refuses to be root; the library must be readable to whoever it is then.
user=
if [ "$(id -u)" = 0 ]; then
    if ! getent passwd nobody >/dev/null || ! command -v setpriv >/dev/null; then
        skip postgres "no user to be"
        done_testing
        exit 0
    fi
    user='setpriv --reuid=nobody --regid=nogroup --clear-groups'
    cp "$lib" "$work/lib.so"
    chmod 755 "$work" "$work/lib.so"
    lib=$work/lib.so
fi
mkdir run
[ -z "$user" ] || chown nobody run
cd run || exit 1
HOME=$work/run
export HOME LC_ALL=C TZ=UTC

# as COMMAND...: as that user, on slabwork
# shellcheck disable=SC2086 # a list of words
as() { $user env LD_PRELOAD="$lib" "$@"; }
cleanup() {
    [ ! -e "$work/run/data/postmaster.pid" ] || as "$bin/pg_ctl" -D "$work/run/data" -m immediate stop >/dev/null 2>&1
    rm -rf "$work"
}
sql() { as "$bin/psql" -XAtq -h "$work/run" postgres -c "$1"; }
has_our_malloc() { grep -Eq 'libslabwork-malloc|lib\.so' "/proc/$(head -n 1 data/postmaster.pid)/maps"; }
queries() {
    [ "$(sql "select count(*), sum(length(md5(i::text))) from generate_series(1, 100000) i")" = '100000|3200000' ] &&
        [ "$(sql "set work_mem='64MB'; select count(*) from (select distinct i % 5003, md5((i % 997)::text) from generate_series(1, 200000) i) t")" = 200000 ] &&
        [ "$(sql "select length(string_agg(i::text, ',' order by -i)) from generate_series(1, 100000) i")" = 588894 ]
}
nobody_died() { ! grep -E 'terminated by signal|PANIC|slabwork:' log; }

holds postgres_initdb as "$bin/initdb" -D data -A trust -N --locale=C
holds postgres_starts as "$bin/pg_ctl" -D data -w -t 60 -l log -o "-c listen_addresses= -k $work/run -c fsync=off" start
holds postgres_has_our_malloc has_our_malloc
holds pgbench_fills as "$bin/pgbench" -h "$work/run" -q -i -s 2 postgres
holds pgbench_runs as "$bin/pgbench" -h "$work/run" -n -c 6 -j 2 -t 300 postgres
holds postgres_answers queries
holds postgres_lost_no_process nobody_died
holds postgres_stops as "$bin/pg_ctl" -D data -w -m fast stop
cd "$work" || exit 1
done_testing
