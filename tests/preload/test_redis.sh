#!/bin/sh
# SPDX-License-Identifier: MIT
# test_redis.sh - an unmodified redis-server under redis-benchmark, on slabwork
# shellcheck source=/dev/null disable=SC2154
. "$SRC/tests/preload/lib.sh"

if ! command -v redis-server >/dev/null || ! command -v redis-benchmark >/dev/null; then
    skip redis "no redis-server"
    done_testing
    exit 0
fi

server=
socket=$work/redis.sock
cleanup() {
    [ -z "$server" ] || kill "$server" 2>/dev/null
    rm -rf "$work"
}

cli() { redis-cli -s "$socket" "$@"; }

start() {
    LD_PRELOAD=$lib redis-server --port 0 --unixsocket "$socket" --save '' --dir "$work" \
        --io-threads 2 >"$work/log" 2>&1 &
    server=$!
    for _ in $(seq 100); do
        [ "$(cli ping 2>/dev/null)" != PONG ] || return 0
        sleep 0.1
    done
    cat "$work/log"
    return 1
}

load() {
    redis-benchmark -s "$socket" -q -n 20000 -c 20 -r 5000 -d 200 -t set,get,incr,lpush,lpop,sadd,hset,zadd,mset
}

values() {
    cli set answer 42 && [ "$(cli get answer)" = 42 ] &&
        cli eval 'for i = 1, 20000 do redis.call("hset", "h" .. i % 100, i, string.rep("x", i % 500)) end return 1' 0 &&
        [ "$(cli hlen h7)" = 200 ] &&
        [ "$(cli hget h7 507 | tr -d '\n' | wc -c)" = 7 ]
}

# A forked child writes the data while the parent serves.
save_in_a_child() {
    cli bgsave || return 1
    for _ in $(seq 100); do
        [ "$(cli info persistence | tr -d '\r' | sed -n 's/^rdb_bgsave_in_progress://p')" != 0 ] ||
            break
        sleep 0.1
    done
    [ "$(cli info persistence | tr -d '\r' | sed -n 's/^rdb_last_bgsave_status://p')" = ok ] &&
        [ -s "$work/dump.rdb" ]
}

flush_gives_memory_back() {
    cli flushall && kill -0 "$server" && [ "$(cli dbsize)" = 0 ]
}

holds redis_starts start
holds redis_has_our_malloc grep -q libslabwork-malloc "/proc/$server/maps"
holds redis_serves_the_benchmark load
holds redis_keeps_values values
holds redis_saves_in_a_child save_in_a_child
holds redis_flushes flush_gives_memory_back
holds redis_shuts_down sh -c "redis-cli -s '$socket' shutdown nosave; while kill -0 $server 2>/dev/null; do sleep 0.1; done"
server=
done_testing
