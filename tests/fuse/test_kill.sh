#!/bin/sh
# SPDX-License-Identifier: MIT
# test_kill.sh - the server is killed at random instants of work: the mount point is usable after the advice
#
# test_kill.sh [ROUNDS]; 4 unless said.
# shellcheck source=/dev/null disable=SC2154,SC2016
. "$SRC/tests/fuse/lib.sh"

rounds=${1:-4}
round=0
bad=0
while [ $round -lt "$rounds" ]; do
    round=$((round + 1))
    on tmpfs || { bad=1; break; }
    (
        cd "$m" || exit
        for i in 1 2 3 4 5 6 7 8 9; do
            mkdir d$i && (cd "$SRC/include" && tar cf - slabwork) | tar xf - -C d$i && mv d$i e$i && find e$i -type f -exec cat {} + >all$i && rm -r e$i
        done
    ) >/dev/null 2>&1 &
    worker=$!
    sleep "0.$(awk -v r=$round -v p=$$ 'BEGIN { srand(p * 1000 + r); printf "%03d", int(rand() * 400) }')"
    kill -9 "$server"
    gone "$server" || bad=1
    if ! timeout 10 tail -s 0.05 --pid=$worker -f /dev/null; then
        echo "# round $round: the program that worked there hangs"
        kill -9 $worker
        bad=1
    fi
    if ! "$sw" umount "$m" 2>.umount && ! { "$sw" umount -l "$m"; } 2>>.umount; then
        echo "# round $round: $(cat .umount)"
        bad=1
        break
    fi
    if ! touch "$m/plain" || ! rm "$m/plain"; then
        echo "# round $round: the folder cannot be used"
        bad=1
        break
    fi
done
verdict "after_SIGKILL_at_any_instant_umount_makes_the_folder_usable" $bad
if command -v python3 >/dev/null; then
    seed=${SEED:-$(awk 'BEGIN { srand(); print int(rand() * 1e9) }')}
    echo "# SEED=$seed"
    image=$(mktemp -u -p "$([ -w /dev/shm ] && echo /dev/shm || echo "$work")" slabwork-image.XXXXXX)
    holds what_fsync_said_is_on_dax_is_there_after_SIGKILL \
        python3 "$SRC/tests/fuse/kill_dax.py" "$sw" "$m" "$image" "$seed" "$rounds"
    rm -f "$image"
else
    skip what_fsync_said_is_on_dax_is_there_after_SIGKILL "no python3"
fi
done_testing
