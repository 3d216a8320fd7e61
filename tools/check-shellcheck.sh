#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check-shellcheck.sh - shellcheck on every file that starts with a sh or bash line
set -u
files=$({
    find run test check .ci tools tests bench examples -type f -exec sh -c '
        for f; do
            head -n 1 "$f" | grep -aq "^#!.*[/ ]\(ba\)\{0,1\}sh" && echo "$f"
        done' sh {} +
} 2>/dev/null | sort)
[ -n "$files" ] || exit 0
# No file of ours has a blank in its name (2013, 2044).
# shellcheck disable=SC2086
shellcheck -f gcc -e SC2013,SC2044 $files
