#!/bin/sh
# SPDX-License-Identifier: MIT
# test_man.sh - the man pages: clean, and there is one for each command
# shellcheck source=/dev/null disable=SC2154,SC2016
. "$SRC/tests/tool/lib.sh"

pages=$SRC/docs/man
if man --warnings -l "$pages/slabwork.1" >/dev/null 2>&1; then
    for page in "$pages"/*.[1-9]; do
        # shellcheck disable=SC2094 # .err is read after man is done
        holds "$(basename "$page")_formats_without_a_warning" \
            sh -c 'LC_ALL=C.UTF-8 man --warnings -l "$0" >.formatted 2>.err; cat .err; grep -q NAME .formatted && ! test -s .err' "$page"
    done
else
    skip pages_format_without_a_warning "no man with --warnings"
fi
if command -v mandoc >/dev/null; then
    holds mandoc_finds_no_fault sh -c 'mandoc -Tlint "$0"/*.[1-9] >lint 2>lint.err; ! cat lint lint.err | grep -vE "outdated mandoc.db|referenced manual not found"' "$pages"
else
    skip mandoc_finds_no_fault "no mandoc"
fi
holds every_command_has_a_page sh -c '
    "$0" help | sed -n "s/^  \([a-z][a-z]*\)  .*/\1/p" >names
    test "$(wc -l <names)" -ge 10 || exit 1
    while read -r c; do
        test -e "$1/slabwork-$c.1" || grep -q "^    .slabwork-$c\.1.,$" "$1/meson.build" || { echo "no page: $c"; exit 1; }
    done <names' "$sw" "$pages"
holds every_call_of_a_page_is_in_a_header sh -c '
    sed -n "s/^\.Fo //p" "$0"/*.3 | sort -u >calls
    test "$(wc -l <calls)" -ge 60 || exit 1
    while read -r c; do
        grep -rqE "\<$c\(" "$1/include/slabwork" || { echo "no such call: $c"; exit 1; }
    done <calls' "$pages" "$SRC"
holds every_parameter_has_an_entry_with_its_range "$SRC/tests/tool/undocumented.py" params
holds every_call_is_in_a_page_or_has_a_comment "$SRC/tests/tool/undocumented.py" calls
holds every_exported_symbol_is_declared_in_a_public_header "$SRC/tests/tool/undocumented.py" symbols
done_testing
