#!/bin/sh
# SPDX-License-Identifier: MIT
# test_hostile.sh - requests that no kernel would send: an errno each, and the server goes on
#
# test_hostile.sh [REQUESTS]; 4,000 each unless said. SEED=N: that run again.
# shellcheck source=/dev/null disable=SC2154
. "$SRC/tests/fuse/lib.sh"

if ! command -v python3 >/dev/null; then
    skip hostile_requests "no python3"
    done_testing
    exit
fi
seed=${SEED:-$(awk 'BEGIN { srand(); print int(rand() * 1e9) }')}
echo "# SEED=$seed"
for options in "tmpfs -o size=16m,nr_inodes=1000" "tmpfs -o size=16m,xattr,writethrough,threads=1" \
    "dax -o source=$work/image,size=16m,xattr" proc; do
    # shellcheck disable=SC2086
    holds "hostile_requests_to_$(echo "$options" | sed "s:source=[^,]*,::" | tr ' ,=' ___)_are_answered_and_it_goes_on" \
        python3 "$SRC/tests/fuse/hostile.py" "$BUILD/slabwork-mount" "$seed" "${1:-4000}" $options
done
done_testing
