#!/bin/sh
# SPDX-License-Identifier: MIT
# test_mount.sh - slabwork mount and umount: what they say, and every way a mount ends
# shellcheck source=/dev/null disable=SC2154,SC2016
. "$SRC/tests/fuse/lib.sh"

mounted() { grep -q " $m .* - fuse.slabwork " /proc/self/mountinfo; }
not_mounted() { ! grep -q " $m " /proc/self/mountinfo; }
off_and_ended() { off && { ! kill -0 "$server" 2>/dev/null || grep -q '^State:.Z' "/proc/$server/status"; }; }

# ---- it comes ----
on tmpfs
holds mount_says_who_serves_it_and_how_to_end_it \
    sh -c 'cat .on; grep -qxF "slabwork[$0]: tmpfs is mounted on $1. Watch: slabwork top $0  Unmount: slabwork umount $1" .on' "$server" "$m"
holds it_is_in_the_mount_table mounted
holds it_is_empty sh -c 'test -z "$(ls -A "$0")"' "$m"
holds the_root_is_a_directory_of_the_callers sh -c 'test "$(stat -c "%F %u %h" "$0")" = "directory $(id -u) 2"' "$m"
holds statfs_has_room sh -c 'test "$(stat -f -c %a "$0")" -gt 1000 && test "$(stat -f -c %l "$0")" = 255' "$m"
holds a_second_mount_lies_over_it sh -c 'echo below >"$1/f" && "$0" mount -q tmpfs "$1" && ! test -e "$1/f" && "$0" umount "$1" && test -e "$1/f"' "$sw" "$m"
holds top_shows_its_server sh -c '"$0" top --once $1 | tee top | grep -q " dentry "; cat top; grep -q " dentry " top' "$sw" "$server"
holds meminfo_counts_its_files sh -c 'head -c 8388608 /dev/zero | tr "\0" x >"$1/big" && sync "$1/big" && "$0" meminfo --only Cached $2 | tee c && test "$(awk "/^Cached/ { print \$2 }" c)" -ge 8192 && rm "$1/big"' "$sw" "$m" "$server"

holds it_keeps_no_descriptor_of_the_callers sh -c '! ls -l /proc/$0/fd | grep -E "pipe|$1/"' "$server" "$work"

# ---- it goes ----
fails a_mount_in_use_is_not_unmounted "is in use (fuser -vm $m shows by whom); -l unmounts all the same" \
    sh -c 'cd "$1" && exec "$0" umount "$1"' "$sw" "$m"
holds umount_returns_when_the_server_has_ended off_and_ended
holds it_is_out_of_the_mount_table not_mounted
fails umount_of_nothing_is_said "$m is no mount of slabwork's" "$sw" umount "$m"
fails umount_leaves_other_mounts_alone "/proc is no mount of slabwork's" "$sw" umount /proc
for signal in TERM INT HUP; do
    on tmpfs && echo x >"$m/x"
    holds "SIG${signal}_unmounts" sh -c 'kill -$0 "$1"' "$signal" "$server"
    holds "SIG${signal}_ends_the_server" gone "$server"
    holds "SIG${signal}_leaves_no_mount" not_mounted
done
on tmpfs
(cd "$m" && exec sleep 30) &
user=$!
started="$started $user"
holds SIGTERM_ends_a_mount_in_use kill "$server"
holds SIGTERM_ends_the_server_of_a_mount_in_use gone "$server"
holds SIGTERM_takes_a_mount_in_use_away not_mounted
kill "$user"
"$sw" mount -f -q tmpfs "$m" &
server=$!
started="$started $server"
tries=0
until mounted || [ $tries -gt 200 ]; do
    tries=$((tries + 1))
    sleep 0.02
done
holds in_the_foreground_it_is_this_very_process sh -c 'test "$(cat /proc/$0/comm)" = slabwork-mount && kill -INT "$0"' "$server"
wait "$server"
holds and_ends_with_0 test $? = 0
on tmpfs
(cd "$m" && exec sleep 30) &
user=$!
started="$started $user"
sleep 0.05
holds umount_l_takes_a_mount_in_use_away "$sw" umount -l "$m"
holds it_is_gone_at_once not_mounted
kill "$user"
holds its_server_ends_with_the_last_user gone "$server"

# ---- it dies ----
on tmpfs && echo x >"$m/x"
kill -9 "$server"
gone "$server"
fails a_dead_mount_says_so "Transport endpoint is not connected" ls "$m"
fails mounting_over_it_says_what_to_do "$m is a mount whose server is gone. First: slabwork umount $m" "$sw" mount tmpfs "$m"
holds umount_takes_it_away "$sw" umount "$m"
holds then_the_folder_can_be_used sh -c 'touch "$0/plain" && rm "$0/plain"' "$m"
holds and_mounted_again sh -c '"$0" mount -q tmpfs "$1" && ! test -e "$1/x"' "$sw" "$m"
off
on tmpfs
kill -9 "$server"
gone "$server"
holds fusermount3_takes_it_away fusermount3 -u "$m"
"$sw" mount -f -q tmpfs "$m" 2>words &
server=$!
started="$started $server"
tries=0
until mounted || [ $tries -gt 200 ]; do
    tries=$((tries + 1))
    sleep 0.02
done
kill -SEGV "$server"
wait "$server" 2>/dev/null
holds a_crash_says_how_to_go_on grep -qxF "slabwork: the server of $m has crashed; what it held is lost. To use $m again: slabwork umount $m" words
off
if on tmpfs -o auto_unmount; then
    kill -9 "$server"
    tries=0
    until not_mounted || [ $tries -gt 200 ]; do
        tries=$((tries + 1))
        sleep 0.02
    done
    holds auto_unmount_needs_nobody not_mounted
else
    skip auto_unmount_needs_nobody "no fusermount3"
fi

# ---- options ----
holds size_is_the_file_systems sh -c '"$0" mount -q tmpfs -o size=1m,nr_inodes=100,mode=0711 "$1" && test "$(stat -f -c "%b %S" "$1")" = "256 4096" && test "$(stat -c %a "$1")" = 711' "$sw" "$m"
fails a_full_file_system_says_so "No space left on device" sh -c 'head -c 2000000 /dev/zero | tr "\0" x >"$0/f"' "$m"
holds what_is_removed_is_free_again sh -c 'rm -f "$0/f" && head -c 900000 /dev/zero | tr "\0" x >"$0/g" && test "$(wc -c <"$0/g")" = 900000' "$m"
off
"$sw" mount -q -o ro tmpfs "$m"
fails ro_is_read_only "Read-only file system" touch "$m/f"
off
holds words_of_fstab_are_known "$sw" mount -q -o defaults,rw,noauto,nofail,_netdev,x-systemd.automount,relatime,size=1m tmpfs "$m"
holds and_the_others_count test "$(stat -f -c %b "$m")" = 256
off
"$sw" mount -q -o writethrough,size=64k tmpfs "$m"
fails writethrough_says_ENOSPC_at_once "No space left on device" dd if=/dev/zero of="$m/f" bs=128k count=1 conv=notrunc
off
"$sw" mount -q -o xattr tmpfs "$m"
if command -v python3 >/dev/null; then
    holds xattr_keeps_attributes python3 -c 'import os, sys
f = sys.argv[1] + "/f"
open(f, "w").close()
os.setxattr(f, "user.a", b"\0value")
assert os.getxattr(f, "user.a") == b"\0value" and os.listxattr(f) == ["user.a"], os.listxattr(f)
os.removexattr(f, "user.a")
assert os.listxattr(f) == []' "$m"
else
    skip xattr_keeps_attributes "no python3"
fi
off

# ---- a machine without memory ----
SLABWORK=mem=48M "$sw" mount -q -o size=500m tmpfs "$m"
fails no_memory_is_said "Cannot allocate memory" dd if=/dev/zero of="$m/big" bs=1M count=150 conv=fsync
fails no_name_is_made_then "Cannot allocate memory" sh -c 'cd "$0" && i=0 && while mkdir d$i; do i=$((i + 1)); test $i -lt 100000 || exit 0; done; exit 1' "$m"
holds what_is_removed_is_memory_again sh -c 'rm -r "$0"/* && head -c 20000000 /dev/zero | tr "\0" x >"$0/f" && sync "$0/f" && test "$(tr -d x <"$0/f" | wc -c)" = 0' "$m"
off

# ---- a user who is not root ----
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null && [ -u "$(command -v fusermount3)" ] &&
    setpriv --reuid 65534 --regid 65534 --clear-groups test -x "$BUILD/slabwork-mount"; then
    chmod 711 "$work"
    his=$work/his
    mkdir "$his"
    chown 65534:65534 "$his"
    as() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
    holds a_user_mounts as "$sw" mount -q tmpfs "$his"
    holds a_user_works_there as sh -c 'cd "$0" && mkdir d && echo x >d/f && test "$(stat -c %u:%g d/f)" = 65534:65534' "$his"
    fails his_mount_is_his_own "Permission denied" ls "$his"
    holds a_user_unmounts as "$sw" umount "$his"
    as "$sw" mount -q tmpfs "$his"
    server=$(pgrep -f "^$BUILD/slabwork-mount.* tmpfs $his\$")
    holds a_users_server_unmounts_at_SIGTERM sh -c 'kill $0' "$server"
    gone "$server"
    holds and_his_mount_is_gone sh -c '! grep -q " $0 " /proc/self/mountinfo' "$his"
    as "$sw" mount -q tmpfs "$his"
    server=$(pgrep -f "^$BUILD/slabwork-mount.* tmpfs $his\$")
    kill -9 "$server"
    gone "$server"
    holds a_user_takes_his_dead_mount_away as "$sw" umount "$his"
else
    skip a_user_mounts "needs root, setpriv, a setuid fusermount3, and a build folder that others can read"
fi

# ---- called wrongly ----
fails a_type_that_is_not_there "slabwork: there is no file system type 'ext9': tmpfs, dax, proc" "$sw" mount ext9 "$m"
fails an_option_that_is_not_there "slabwork: tmpfs does not take 'frob=1'" "$sw" mount -o frob=1 tmpfs "$m"
fails the_one_of_several_is_named "slabwork: tmpfs does not take 'size=1x'" "$sw" mount -o mode=700,size=1x,nr_inodes=5 tmpfs "$m"
fails a_folder_that_is_not_there "slabwork: $work/nowhere: No such file or directory" "$sw" mount tmpfs "$work/nowhere"
fails a_file_is_no_folder "slabwork: $work/.on is not a directory" "$sw" mount tmpfs "$work/.on"
fails no_folder "slabwork: mount what, and where?" "$sw" mount tmpfs
fails no_words "slabwork: mount what, and where?" "$sw" mount
fails an_unknown_letter "slabwork: mount has no option '-x'" "$sw" mount -x tmpfs "$m"
holds and_nothing_was_mounted not_mounted
done_testing
