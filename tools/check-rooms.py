#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check-rooms.py - hold the quoted includes of src/ against tools/rooms.txt.

Every quoted include names its room ("mm/buddy.h"), the room must be allowed,
and a header called *_internal.h is private to its room.
"""

import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]')


def read_table():
    table = {}
    for line in pathlib.Path("tools/rooms.txt").read_text().splitlines():
        line = line.split("#")[0].strip()
        if line:
            room, _, allowed = line.partition(":")
            table[room.strip()] = set(allowed.split()) | {room.strip()}
    return table


def check_line(table, room, delimiter, target):
    """Returns what to do instead, or None."""
    first, slash, _ = target.partition("/")
    if delimiter == "<":
        if slash and first in table:
            return 'write #include "%s": <...> is for public and system headers' % target
        return None
    if not slash or first not in table:
        return 'name the room: "%s/%s"' % (room, target)
    if not (pathlib.Path("src") / target).is_file():
        return '"%s" does not exist' % target
    if first not in table[room]:
        return "%s may not include %s (tools/rooms.txt): go through a public header, or move the code" % (room, first)
    if target.endswith("_internal.h") and first != room:
        return '"%s" is private to %s: use one of its other headers' % (target, first)
    return None


def main():
    table, bad = read_table(), 0
    for path in sorted(pathlib.Path("src").rglob("*.[chS]")):
        room = path.parts[1]
        if room not in table:
            print("%s:1: %s is not a room: add it to tools/rooms.txt" % (path, room))
            bad += 1
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            m = INCLUDE.match(line)
            what = m and check_line(table, room, m.group(1), m.group(2))
            if what:
                print("%s:%d: %s" % (path, number, what))
                bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
