#!/bin/sh
# SPDX-License-Identifier: MIT
# test_doctor.sh - slabwork doctor: transcript 0, and what it says where something is missing
# shellcheck source=/dev/null disable=SC2154,SC2016,SC2094
. "$SRC/tests/tool/lib.sh"

nl='
'
"$sw" doctor >doctor 2>err
status=$?
holds doctor_finds_this_machine_fit test $status = 0 -a ! -s err
holds transcript_0_comes_out sh -c '
    cat "$0"
    grep -qxE "ok   preload      libslabwork-malloc\.so answers malloc, mallinfo2, malloc_info, malloc_trim \(self-test ([0-9]+)/\1\)" "$0" &&
    grep -qxE "ok   page size    [0-9]+ \(.*K and 64K supported by this build\)" "$0" &&
    grep -qE "^(ok   cgroup v2    memory.max [0-9a-z.GMK]+, memory.high [0-9a-z.GMK]+|warn cgroup v2    .*)" "$0" &&
    grep -qE "(ok|warn)  *PSI  *[a-z/ ]*memory[. ]" "$0" &&
    grep -qE "^(ok   fuse         /dev/fuse accessible|warn fuse         /dev/fuse not accessible: .mount. disabled, .slabwork fs. works without it)" "$0" &&
    tail -n 1 "$0" | grep -qx "try: slabwork run -- python3"' doctor
holds every_line_has_a_verdict \
    sh -c 'test "$(grep -cE "^(ok  |warn|FAIL) [a-zA-Z_]+" "$0")" -ge 9 && test "$(grep -cvE "^(ok  |warn|FAIL) |^try: " "$0")" = 0' doctor
holds the_self_test_tries_more_than_two_hundred_things \
    sh -c 'test "$(sed -n "s,.*self-test [0-9]*/\([0-9]*\).*,\1,p" "$0")" -ge 200' doctor
# A planted fault: without the preload the very first check fails.
holds the_self_test_sees_that_malloc_is_not_ours \
    sh -c '"$0" doctor --self-test >out; test $? = 1 && grep -q "malloc is slabwork" out' "$sw"
if command -v python3 >/dev/null; then
    holds json_says_the_same sh -c '"$0" doctor --json | python3 -c "
import json, sys
d = json.load(sys.stdin)
assert d[\"fit\"] is True and len(d[\"checks\"]) >= 9
assert all(c[\"verdict\"] in (\"ok\", \"warn\", \"FAIL\") and c[\"name\"] and c[\"text\"] for c in d[\"checks\"])"' "$sw"
else
    skip json_says_the_same "no python3"
fi
cp "$sw" slabwork-alone
holds without_its_library_it_fails_and_says_what_to_do \
    sh -c './slabwork-alone doctor >out; test $? = 1 && grep -qE "^FAIL preload .*build it with ./run --setup" out && tail -n 1 out | grep -qx "try: ./run --setup"'
holds a_tight_address_space_is_a_warning \
    sh -c 'ulimit -v 60000; "$0" doctor >out; grep -qE "^warn RLIMIT_AS    .*ulimit -v unlimited" out' "$sw"
mkdir -m 700 mine
holds the_runtime_folder_is_named \
    sh -c 'XDG_RUNTIME_DIR="$PWD/mine" "$0" doctor | grep -qx "ok   control      sockets in $PWD/mine/slabwork"' "$sw"
says an_unknown_word_is_a_usage_error 2 \
    "slabwork: doctor takes no '-x'${nl}usage: slabwork doctor [--json]${nl}try: slabwork doctor --help$nl" "$sw" doctor -x
done_testing
