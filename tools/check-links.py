#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check-links.py - every relative link of our pages leads somewhere, and so does every ./command they show."""

import pathlib
import re
import sys

LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
OURS = ("run", "test", "check", "tools", "bench", ".ci")
COMMAND = re.compile(r"^\s*(?:\$\s+|#\s+)?\./([\w./-]+)")


def anchors(path):
    """The anchors of a page's headings, as the common renderers make them."""
    found = set()
    for line in path.read_text(errors="replace").splitlines():
        if line.startswith("#"):
            text = line.lstrip("#").strip().lower()
            found.add(re.sub(r"[^\w\- ]", "", text).replace(" ", "-"))
        found.update(re.findall(r'<a (?:name|id)="([^"]+)"', line))
    return found


def check_link(page, target):
    if re.match(r"[a-z]+:", target):
        return None
    file, _, anchor = target.partition("#")
    path = (page.parent / file) if file else page
    if not path.exists():
        return "the link leads nowhere: %s" % target
    if anchor and path.suffix == ".md" and anchor not in anchors(path):
        return "no heading there makes the anchor: %s" % target
    return None


def check_page(page):
    bad, fenced = 0, False
    for number, line in enumerate(page.read_text(errors="replace").splitlines(), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
            continue
        wrong = []
        if fenced:
            m = COMMAND.match(line)
            if m and m.group(1).split("/")[0] in OURS and not pathlib.Path(m.group(1)).exists():
                wrong.append("the command does not exist: ./%s" % m.group(1))
        else:
            wrong += filter(None, (check_link(page, t) for t in LINK.findall(re.sub(r"`[^`]*`", "", line))))
        for what in wrong:
            print("%s:%d: %s" % (page, number, what))
            bad += 1
    return bad


def main():
    pages = sorted(pathlib.Path(".").glob("*.md"))
    for top in ("docs", "src", "bench", "tests", "examples"):
        pages += sorted(pathlib.Path(top).rglob("*.md"))
    return 1 if sum(check_page(p) for p in pages) else 0


if __name__ == "__main__":
    sys.exit(main())
