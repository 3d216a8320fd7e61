#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check-codespell.sh - no common misspellings; words that are right stand in tools/codespell-ignore.txt
set -u
set -- src include compat tests bench docs tools examples run test check
for f in *.md; do set -- "$@" "$f"; done
# Expected output of other programs is theirs to spell.
out=$(for f; do [ -e "$f" ] && echo "$f"; done |
    xargs codespell -q 3 -I tools/codespell-ignore.txt --skip 'tests/golden/*.txt,exported.txt,tools/codespell-ignore.txt' 2>&1)
[ -z "$out" ] && exit 0
echo "$out" | sed 's/^\([^:]*:[0-9]*: \)\(.*\)$/\1spell: \2/'
exit 1
