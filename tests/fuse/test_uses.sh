#!/bin/sh
# SPDX-License-Identifier: MIT
# test_uses.sh - what programs do at the same time: mappings, listings, signals, locks, files without names
# shellcheck source=/dev/null disable=SC2154
. "$SRC/tests/fuse/lib.sh"

if ! command -v python3 >/dev/null; then
    skip uses "no python3"
    done_testing
    exit
fi
for options in size=64m size=64m,writethrough size=64m,threads=1; do
    on tmpfs -o $options
    python3 "$SRC/tests/fuse/uses.py" "$m" >said 2>&1
    holds "all_uses_come_to_an_end_with_$options" test "$(grep -c '^ok\|^not ok' said)" -ge 13
    while read -r word rest; do
        case $word in
        ok) verdict "${rest}_with_$options" 0 ;;
        *)
            echo "# $word $rest"
            rest=${rest#ok }
            verdict "${rest%%:*}_with_$options" 1
            ;;
        esac
    done <said
    holds "the_server_lives_with_$options" kill -0 "$server"
    off
done

# ---- full ----
on tmpfs -o size=8m
cat >full.py <<'END'
import errno, mmap, os, sys, time
os.chdir(sys.argv[1])
fd = os.open('big', os.O_RDWR | os.O_CREAT)
os.write(fd, b'x' * (16 << 20))
try:
    os.fsync(fd)
    sys.exit('fsync of what does not fit says nothing')
except OSError as error:
    assert error.errno == errno.ENOSPC, error
os.fsync(fd)  # told once
os.truncate('big', 4096)
assert os.pread(fd, 8192, 0) == b'x' * 4096
new = os.open('new', os.O_RDWR | os.O_CREAT)
os.write(new, b'y' * 4096)
os.fsync(new)
area = mmap.mmap(fd, 32 << 20) if not os.ftruncate(fd, 32 << 20) else None
for at in range(0, 32 << 20, 4096):
    area[at] = 1
try:
    area.flush()
    sys.exit('msync of what does not fit says nothing')
except OSError as error:
    assert error.errno == errno.ENOSPC, error
os.unlink('big')
area.close()
os.close(fd)
assert os.pread(new, 5000, 0) == b'y' * 4096
for _ in range(500):  # the kernel tells of what it has forgotten when it comes to that
    if os.statvfs('.').f_bfree >= 2040:
        break
    time.sleep(0.01)
assert os.statvfs('.').f_bfree >= 2040, os.statvfs('.').f_bfree
END
holds a_full_file_system_says_so_once_and_goes_on_when_there_is_room python3 full.py "$m"
off
done_testing
