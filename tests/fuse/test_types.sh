#!/bin/sh
# SPDX-License-Identifier: MIT
# test_types.sh - dax and proc as mounts: what outlives the server, and the server's own memory as files
# shellcheck source=/dev/null disable=SC2154,SC2016
. "$SRC/tests/fuse/lib.sh"

image=$work/image
on_dax() { on dax "$image" "$@"; }

# ---- dax ----
holds dax_makes_its_host_file on_dax -o size=64m
holds statfs_is_of_the_host_file sh -c 'test "$(stat -f -c "%b" "$0")" -gt 10000 && test "$(stat -f -c "%b" "$0")" -le 16384' "$m"
holds a_tree_is_unpacked sh -c '(cd "$0" && tar cf - include src) | tar xf - -C "$1"' "$SRC" "$m"
holds a_program_runs_off_it sh -c 'cp /bin/true "$0/true" && "$0/true"' "$m"
other=$work/other
mkdir "$other"
fails a_second_server_of_it_is_refused "Device or resource busy" "$sw" mount dax "$image" "$other"
holds dax_unmounts off
holds dax_is_mounted_again on_dax
holds what_was_there_is_there sh -c 'diff -r "$0/include" "$1/include" && diff -r "$0/src" "$1/src" && "$1/true"' "$SRC" "$m"
holds it_can_all_be_removed sh -c 'rm -rf "$0"/* && test -z "$(ls -A "$0")"' "$m"
echo closed >"$m/closed"
holds fsync_is_answered sync "$m/closed"
kill -9 "$server"
gone "$server"
"$sw" umount "$m"
holds after_a_kill_it_is_mounted_again on_dax
holds what_was_closed_before_the_kill_is_there test "$(cat "$m/closed")" = closed
(cd "$m" && exec sleep 30) &
user=$!
started="$started $user"
dd if=/dev/zero bs=1M count=8 2>/dev/null | tr '\0' d >"$m/eight" 2>/dev/null
kill -TERM "$server"
gone "$server"
kill "$user"
holds after_SIGTERM_in_use_nothing_is_lost sh -c '"$0" mount -q dax "$1" "$2" && test "$(tr -d d <"$2/eight" | wc -c)" = 0 && test "$(wc -c <"$2/eight")" = 8388608' "$sw" "$image" "$m"
off
fails dax_wants_a_source "slabwork: dax wants a source, the file that it lies in: slabwork mount dax FILE $m" "$sw" mount dax "$m"
fails a_host_file_that_is_not_there "No such file or directory (-o size=1g makes it)" "$sw" mount dax "$work/none" "$m"
head -c 1048576 /dev/urandom >garbage
fails what_is_no_image_is_left_alone "slabwork: $work/garbage is no image of dax's" sh -c 'md5sum garbage >sum; "$0" mount dax "$1/garbage" "$2"; s=$?; md5sum -c --quiet sum && exit $s' "$sw" "$work" "$m"
holds ro_dax_is_read_only sh -c '"$0" mount -q -o ro dax "$1" "$2" && ! touch "$2/x" && test -s "$2/eight" && "$0" umount "$2"' "$sw" "$image" "$m"

# ---- proc ----
holds proc_is_mounted on proc
holds it_has_the_files sh -c 'cd "$0" && ls slabinfo buddyinfo zoneinfo meminfo vmstat vmallocinfo slab' "$m"
holds they_are_made_when_opened sh -c 'cd "$0" && grep -q "^slabinfo - version: 2.1" slabinfo && grep -q "^MemTotal:" meminfo && test "$(stat -c %s slabinfo)" = 0 && head -c 100000 slabinfo | tail -n 1 | grep -q .' "$m"
holds they_are_what_the_command_prints sh -c 'awk "NR > 2 { print \$1 }" "$0/slabinfo" >a; "$1" slabinfo $2 | awk "NR > 2 { print \$1 }" >b; diff a b' "$m" "$sw" "$server"
holds a_part_is_read_at_a_time sh -c 'dd if="$0/meminfo" bs=7 2>/dev/null | awk "{ print \$1 }" >a; awk "{ print \$1 }" "$0/meminfo" >b; diff a b' "$m"
holds slab_has_a_folder_for_each_cache sh -c 'test "$(cat "$0/slab/dentry/object_size")" -gt 100 && for c in "$0"/slab/*/; do test -r "$c/slabs" || exit 1; done' "$m"
fails nothing_is_made_there "Read-only file system" touch "$m/new"
holds proc_unmounts off
done_testing
