#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""undocumented.py params|calls|symbols - what the pages and headers do not say; prints it, exit 1."""

import pathlib
import re
import sys

SRC = pathlib.Path(__file__).resolve().parents[2]
HEADERS = sorted((SRC / "include/slabwork").glob("*.h"))
PARAM = re.compile(r'^__param\(\w+,\s*"([^"]+)",\s*\w+,\s*"([^"]+)"', re.M)


def params():
    """Every word of SLABWORK stands in slabwork-malloc(7), with the range that a warning would name."""
    entries = (SRC / "docs/man/slabwork-malloc.7").read_text().split("\n.It ")[1:]
    found = [m for f in sorted((SRC / "src").rglob("*.c")) for m in PARAM.findall(f.read_text())]
    for name, range_text in found:
        # The name stands in the item's line; a range may be broken between words.
        entry = [e for e in entries if re.search(r"(?<!\w)%s(?!\w)" % name, e.splitlines()[0])]
        if not entry:
            yield "parameter without an entry in slabwork-malloc.7: %s" % name
        elif range_text not in " ".join(entry[0].split()):
            yield "slabwork-malloc.7 does not give the range of %s: %s" % (name, range_text)
    if len(found) < 15:
        yield "only %d parameters found" % len(found)


def declarations():
    """(name, paragraph of the header that it stands in)"""
    for header in HEADERS:
        for paragraph in re.split(r"\n[ \t]*\n", header.read_text()):
            for m in re.finditer(r"^SW_API\b[^;{]*?\b(\w+)\(", re.sub(r"/\*.*?\*/", "", paragraph, flags=re.S), re.M):
                yield header, m.group(1), paragraph


def calls():
    """Every exported call is in a man page, or has a comment in its paragraph of the header."""
    pages = " ".join(p.read_text() for p in (SRC / "docs/man").glob("*.3"))
    count = 0
    for header, name, paragraph in declarations():
        count += 1
        if not re.search(r"(?<!\w)%s(?!\w)" % name, pages) and "/*" not in paragraph:
            yield "%s: %s() is neither in a man page nor has a comment" % (header.name, name)
    if count < 150:
        yield "only %d calls found" % count


def symbols():
    """Every exported symbol is declared in a public header; the rest is for the command, named here."""
    text = " ".join(h.read_text() for h in HEADERS)
    for symbol in (SRC / "tools/exported.txt").read_text().split():
        bare = symbol[len("sw_"):]
        if symbol == "sw_machine_root":  # src/mm/machine.h: where a reader from outside begins
            continue
        if not re.search(r"\b%s\b" % symbol, text) and "SW_NAME(%s)" % bare not in text:
            yield "%s is exported and no public header declares it" % symbol


if __name__ == "__main__":
    lines = list({"params": params, "calls": calls, "symbols": symbols}[sys.argv[1]]())
    print("\n".join(lines))
    sys.exit(bool(lines))
