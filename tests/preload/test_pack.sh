#!/bin/sh
# SPDX-License-Identifier: MIT
# test_pack.sh - tar and the compressors, there and back, with threads where they have them
# shellcheck source=/dev/null disable=SC2154
. "$SRC/tests/preload/lib.sh"

mkdir tree
for i in 1 2 3 4 5 6; do seq $i 3 $((i * 60000)) >"tree/seq-$i"; done
cp -r /usr/include/linux tree/ 2>/dev/null
for packer in 'gzip -9' 'bzip2' 'xz -2' 'xz -1 -T2' 'zstd -T2 -q -c'; do
    name=${packer%% *}
    if ! command -v "$name" >/dev/null; then
        skip "pack_$name" "no $name"
        continue
    fi
    same "pack_$(echo "$packer" | tr -c 'a-z0-9\n' _)" \
        sh -c "tar cf - --sort=name --mtime=@0 --owner=0 --group=0 tree | $packer >x && $name -dc <x | md5sum"
done
same tar_extracts sh -c 'tar cf x.tar --mtime=@0 tree && rm -rf out && mkdir out && tar xf x.tar -C out && diff -r tree out/tree && tar tvf x.tar | wc -l'
done_testing
