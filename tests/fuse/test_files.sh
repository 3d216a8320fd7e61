#!/bin/sh
# SPDX-License-Identifier: MIT
# test_files.sh - system calls on the mount: results and errnos are those of the kernel's own tmpfs
# shellcheck source=/dev/null disable=SC2154
. "$SRC/tests/fuse/lib.sh"

if ! command -v python3 >/dev/null; then
    skip calls "no python3"
    done_testing
    exit
fi
# The same calls on the kernel's own file system, where there is a tmpfs that we may write.
twin=
for dir in /dev/shm /tmp; do
    [ "$(stat -f -c %T $dir)" = tmpfs ] && twin=$(mktemp -d $dir/slabwork-twin.XXXXXX) && break
done
trap 'cleanup; [ -z "$twin" ] || rm -rf "$twin"' EXIT
on tmpfs -o size=64m
python3 "$SRC/tests/fuse/calls.py" "$m" >ours 2>&1
holds no_call_hangs_or_breaks test $? = 0
holds the_server_lives kill -0 "$server"
if [ -n "$twin" ]; then
    python3 "$SRC/tests/fuse/calls.py" "$twin" >kernels 2>&1
    sed 's/ .*//' kernels | uniq | while read -r group; do
        grep "^$group " kernels >a
        grep "^$group " ours >b
        holds "${group}_as_the_kernels_tmpfs" diff a b
        echo "$count" >n
    done
    count=$(cat n)
else
    skip calls_as_the_kernels_tmpfs "no tmpfs to compare with"
fi
holds it_unmounts off
done_testing
