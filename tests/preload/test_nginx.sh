#!/bin/sh
# SPDX-License-Identifier: MIT
# test_nginx.sh - an unmodified nginx under load, with workers that come and go
# shellcheck source=/dev/null disable=SC2154
. "$SRC/tests/preload/lib.sh"

PATH=$PATH:/usr/sbin
if ! command -v nginx >/dev/null || ! command -v ab >/dev/null; then
    skip nginx "no nginx, or no ab to load it with"
    done_testing
    exit 0
fi

master=
cleanup() {
    [ -z "$master" ] || kill "$master" 2>/dev/null
    rm -rf "$work"
}
chmod 755 "$work"
mkdir html
seq 1 200 >html/small
seq 1 200000 >html/large
# ab speaks TCP only: a port that nobody has.
port=$((20000 + $$ % 20000))
cat >nginx.conf <<END
daemon off;
pid $work/nginx.pid;
error_log $work/error.log warn;
worker_processes 2;
events { worker_connections 256; }
http {
    access_log $work/access.log;
    client_body_temp_path $work/t1; proxy_temp_path $work/t2; fastcgi_temp_path $work/t3;
    uwsgi_temp_path $work/t4; scgi_temp_path $work/t5;
    gzip on; gzip_types *; gzip_min_length 100;
    upstream self { server 127.0.0.1:$port; keepalive 8; }
    server {
        listen 127.0.0.1:$port;
        location / { root $work/html; types { } default_type text/plain; }
        location /via/ { proxy_pass http://self/; proxy_http_version 1.1; proxy_set_header Connection ""; }
    }
}
END

start() {
    LD_PRELOAD=$lib nginx -e "$work/error.log" -p "$work" -c "$work/nginx.conf" >log 2>&1 &
    master=$!
    for _ in $(seq 100); do
        ab -q -n 1 "http://127.0.0.1:$port/small" >/dev/null 2>&1 && return 0
        sleep 0.1
    done
    cat log error.log
    return 1
}

keep=-k
# load PATH REQUESTS [HEADER]: all are answered, none with an error
load() {
    ab -q -n "$2" -c 16 $keep ${3:+-H "$3"} "http://127.0.0.1:$port/$1" >ab.out 2>&1 || return 1
    cat ab.out
    grep -q "^Complete requests: *$2\$" ab.out && grep -q '^Failed requests: *0$' ab.out &&
        ! grep -q '^Non-2xx' ab.out
}

reload_under_load() {
    keep= # a worker that leaves closes what is kept open, and ab calls that a failure
    load small 8000 &
    for _ in 1 2 3; do
        kill -HUP "$master"
        sleep 0.3
    done
    wait $!
}

nobody_died() { ! grep -E 'signal|alert|slabwork' error.log; }

holds nginx_starts start
holds nginx_has_our_malloc grep -q libslabwork-malloc "/proc/$master/maps"
holds nginx_serves_small_files load small 10000
holds nginx_serves_large_files load large 200
holds nginx_compresses load large 100 'Accept-Encoding: gzip'
holds nginx_proxies load via/small 4000
holds nginx_reloads_under_load reload_under_load
holds nginx_lost_no_worker nobody_died
holds nginx_stops sh -c "kill -QUIT $master; while kill -0 $master 2>/dev/null; do sleep 0.1; done"
master=
done_testing
