#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""rseq_check.py LIBRARY... - what can be said of restartable sequences without running them

Every descriptor in __rseq_cs: aligned to 32, version and flags 0, a short section,
its abort address outside of it and behind the signature that libc registers.
"""
import re
import struct
import subprocess
import sys

SIGNATURES = {62: 0x53053053, 183: 0xD428BC00}  # e_machine: x86-64, aarch64
DESCRIPTOR = 32
MAX_LENGTH = 128  # a dozen instructions


def readelf(option, path):
    return subprocess.run(["readelf", option, "-W", path], capture_output=True, text=True,
                          check=True).stdout.splitlines()


def sections(path):
    for line in readelf("-S", path):
        m = re.match(r"\s*\[\s*\d+\]\s+(\S+)\s+(\S+)\s+([0-9a-f]+)\s+([0-9a-f]+)\s+([0-9a-f]+)", line)
        if m and m[2] != "NOBITS":
            yield m[1], int(m[3], 16), int(m[4], 16), int(m[5], 16)


def relocations(path):
    """Words of a shared library that the loader fills in: address -> address."""
    for line in readelf("-r", path):
        words = line.split()
        if len(words) >= 4 and "RELATIVE" in words[2]:
            yield int(words[0], 16), int(words[3], 16)


def check(path):
    with open(path, "rb") as f:
        data = f.read()
    signature = SIGNATURES[struct.unpack_from("<H", data, 18)[0]]
    table = list(sections(path))
    filled = dict(relocations(path))
    descriptors = [s for s in table if s[0] == "__rseq_cs"]
    bad = [] if descriptors else ["no section __rseq_cs"]

    def read(address, size):
        for _, start, offset, length in table:
            if start and start <= address < start + length:
                return data[offset + address - start:offset + address - start + size]
        return bytes(size)

    number = 0
    for _, start, _, length in descriptors:
        if start % DESCRIPTOR or length % DESCRIPTOR:
            bad.append(f"__rseq_cs at {start:#x}, {length} bytes: not a row of descriptors")
        for at in range(start, start + length, DESCRIPTOR):
            version, flags, first, size, abort = struct.unpack("<IIQQQ", read(at, DESCRIPTOR))
            first, abort = filled.get(at + 8, first), filled.get(at + 24, abort)
            number += 1
            if version or flags:
                bad.append(f"{at:#x}: version {version}, flags {flags}")
            if not 0 < size <= MAX_LENGTH:
                bad.append(f"{at:#x}: a section of {size} bytes")
            if first <= abort < first + size:
                bad.append(f"{at:#x}: the abort address lies in the section")
            if struct.unpack("<I", read(abort - 4, 4))[0] != signature:
                bad.append(f"{at:#x}: no signature before {abort:#x}")
    for line in bad:
        print(f"{path}: {line}")
    print(f"{path}: {number} sequences, {len(bad)} bad")
    return bool(bad) or not number


if __name__ == "__main__":
    sys.exit(any([check(path) for path in sys.argv[1:]]))
