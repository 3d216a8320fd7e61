#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""random_io.py DIR SEED CALLS - one file and a byte array, the same calls on both, compared

Reads and writes of every size, through two descriptors and a mapping, truncation both ways, holes punched,
zeroed ranges; and every now and then all that the kernel has cached of the file is thrown away, so that the
next read is the server's answer.
"""
import ctypes
import errno
import mmap
import os
import random
import sys

path, seed, calls = os.path.join(sys.argv[1], "random"), int(sys.argv[2]), int(sys.argv[3])
rnd = random.Random(seed)
libc = ctypes.CDLL(None, use_errno=True)
SIZE = 600_000
model = bytearray()
fds = [os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC), os.open(path, os.O_RDWR)]
log = []


def fallocate(fd, mode, pos, length):
    if libc.fallocate(fd, mode, ctypes.c_long(pos), ctypes.c_long(length)):
        return ctypes.get_errno()
    return 0


def place():
    return rnd.choice([rnd.randrange(SIZE), rnd.randrange(SIZE) & ~4095, max(0, len(model) - rnd.randrange(5000))])


def length():
    return rnd.choice([1, rnd.randrange(1, 100), rnd.randrange(1, 5000), 4096, rnd.randrange(1, 200_000)])


def grow(n):
    if len(model) < n:
        model.extend(bytes(n - len(model)))


def check(what, got, want):
    if got != want:
        at = next((i for i, (a, b) in enumerate(zip(got, want)) if a != b), min(len(got), len(want)))
        print(f"# seed {seed}: {what}: {len(got)} bytes for {len(want)}, first difference at {at}")
        print("\n".join(f"#   {line}" for line in log[-12:]))
        sys.exit(1)


for _ in range(calls):
    fd = rnd.choice(fds)
    op = rnd.choice(["read"] * 6 + ["write"] * 6 + ["truncate", "punch", "zero", "map", "drop", "sync", "append"])
    pos, n = place(), length()
    log.append(f"{op} {pos} {n} of {len(model)}")
    if op == "read":
        check(op, os.pread(fd, n, pos), bytes(model[pos:pos + n]))
    elif op in ("write", "append"):
        pos = len(model) if op == "append" else pos
        n = min(n, SIZE + 300_000 - pos)
        data = rnd.randbytes(n)
        check(op, bytes(os.pwrite(fd, data, pos)), bytes(n))
        grow(pos + n)
        model[pos:pos + n] = data
    elif op == "truncate":
        os.ftruncate(fd, pos)
        grow(pos)
        del model[pos:]
    elif op == "punch":
        if not fallocate(fd, 3, pos, n) and pos < len(model):
            end = min(pos + n, len(model))
            model[pos:end] = bytes(end - pos)
    elif op == "zero":
        if not fallocate(fd, 0x10, pos, n):
            grow(pos + n)
            model[pos:pos + n] = bytes(n)
    elif op == "map" and len(model):
        with mmap.mmap(fd, len(model)) as mm:
            pos %= len(model)
            n = min(n, len(model) - pos)
            check(op, mm[pos:pos + n], bytes(model[pos:pos + n]))
            if rnd.random() < .5:
                data = rnd.randbytes(n)
                mm[pos:pos + n] = data
                model[pos:pos + n] = data
    elif op in ("drop", "sync"):
        os.fsync(fd)
        if op == "drop":
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    if os.fstat(fd).st_size != len(model):
        check("size", b"x" * os.fstat(fd).st_size, b"x" * len(model))
check("at the end", os.pread(fds[0], 1 << 21, 0), bytes(model))
for fd in fds:
    os.close(fd)
check("reopened", open(path, "rb").read(), bytes(model))
os.unlink(path)
print(f"# seed {seed}: {calls} calls")
