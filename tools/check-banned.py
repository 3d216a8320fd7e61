#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check-banned.py - calls that our C does without, and what to write instead."""

import pathlib
import re
import sys

EVERYWHERE = {
    "strcpy": "snprintf or memcpy with a known length",
    "strcat": "snprintf",
    "strncpy": "snprintf or memcpy: strncpy may leave no end",
    "strncat": "snprintf",
    "sprintf": "snprintf",
    "vsprintf": "vsnprintf",
    "gets": "fgets",
    "alloca": "an array of known size",
    "tmpnam": "mkstemp",
    "mktemp": "mkstemp",
    "asctime": "strftime",
    "ctime": "strftime",
}
# The library is what lies below malloc and stdio: it may use neither.
LIBRARY_ROOMS = ("lib", "os", "kernel", "mm", "ds", "debug", "proc")
IN_LIBRARY = {
    name: "nothing of libc that allocates: we are below it"
    for name in ("malloc", "calloc", "realloc", "free", "strdup", "strndup", "asprintf", "vasprintf",
                 "printf", "fprintf", "puts", "fputs", "perror", "fopen", "getline", "opendir", "qsort")
}
NOISE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.S)


def blank(m):
    """A comment or string becomes spaces; its line ends stay, so that lines keep their numbers."""
    return re.sub(r"[^\n]", " ", m.group(0))


def check_file(path, banned):
    call = re.compile(r"(?<![\w.>])(%s)\s*\(" % "|".join(banned))
    bad = 0
    for number, line in enumerate(NOISE.sub(blank, path.read_text(errors="replace")).splitlines(), 1):
        if line.lstrip().startswith("#"):
            continue
        for m in call.finditer(line):
            print("%s:%d: %s(): use %s" % (path, number, m.group(1), banned[m.group(1)]))
            bad += 1
    return bad


def main():
    bad = 0
    for top in ("src", "include", "tests", "bench", "compat"):
        for path in sorted(pathlib.Path(top).rglob("*.[ch]")):
            library = top == "src" and path.parts[1] in LIBRARY_ROOMS
            bad += check_file(path, {**EVERYWHERE, **IN_LIBRARY} if library else EVERYWHERE)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
