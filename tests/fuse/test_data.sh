#!/bin/sh
# SPDX-License-Identifier: MIT
# test_data.sh [CALLS] - random reads, writes, truncation, holes and mappings, against an array
#
# 3,000 calls on each kind of mount unless said. SEED=N: that run again.
# shellcheck source=/dev/null disable=SC2154
. "$SRC/tests/fuse/lib.sh"

if ! command -v python3 >/dev/null; then
    skip random_calls "no python3"
    done_testing
    exit
fi
seed=${SEED:-$(awk 'BEGIN { srand(); print int(rand() * 1e9) }')}
echo "# SEED=$seed"
for kind in "tmpfs -o size=64m" "tmpfs -o size=64m,writethrough,xattr" "dax $work/image -o size=64m"; do
    # shellcheck disable=SC2086
    on $kind
    holds "random_calls_on_$(echo "$kind" | sed "s:$work/image ::" | tr ' ,=' ___)_give_what_an_array_gives" \
        python3 "$SRC/tests/fuse/random_io.py" "$m" "$seed" "${1:-3000}"
    off
done
done_testing
