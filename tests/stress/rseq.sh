#!/bin/sh
# SPDX-License-Identifier: MIT
#
# rseq.sh   tools/rseq_check.py over both libraries, of any architecture, and a planted fault
set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
build=${BUILD:-$top/build}
check=$top/tools/rseq_check.py
lib=$build/libslabwork-malloc.so.0
broken=$(mktemp)
trap 'rm -f "$broken"' EXIT

echo "TAP version 13"
"$check" "$build/libslabwork.so.0" "$lib" | sed "s/^/# /"
if "$check" "$build/libslabwork.so.0" "$lib" >/dev/null; then
    echo "ok 1 - rseq.every_sequence_is_well_formed"
else
    echo "not ok 1 - rseq.every_sequence_is_well_formed"
fi
# Without its signature before it an abort address is worth a SIGSEGV.
LC_ALL=C perl -0777 -pe 's/\x53\x30\x05\x53/\0\0\0\0/; s/\x00\xbc\x28\xd4/\0\0\0\0/' "$lib" >"$broken"
if "$check" "$broken" >/dev/null; then
    echo "not ok 2 - rseq.a_missing_signature_is_found"
else
    echo "ok 2 - rseq.a_missing_signature_is_found"
fi
echo "1..2"
