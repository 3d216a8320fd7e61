#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""hostile.py SERVER SEED REQUESTS - play the kernel to slabwork-mount, without manners

The server is given one end of a socket for its /dev/fuse. It gets requests that are whole (libfuse believes
their lengths) but mean: numbers of nodes that it never gave or that are forgotten, names with slashes, of no byte
or of 300, offsets below zero and past every end, sizes, modes and flags at random, forgets without end. It must
answer each with an errno and go on: at the end a file is made, written, read and removed.
"""
import os
import random
import select
import socket
import struct
import subprocess
import sys

OPS = dict(LOOKUP=1, FORGET=2, GETATTR=3, SETATTR=4, READLINK=5, SYMLINK=6, MKNOD=8, MKDIR=9, UNLINK=10, RMDIR=11,
           RENAME=12, LINK=13, OPEN=14, READ=15, WRITE=16, STATFS=17, RELEASE=18, FSYNC=20, SETXATTR=21, GETXATTR=22,
           LISTXATTR=23, REMOVEXATTR=24, FLUSH=25, INIT=26, OPENDIR=27, READDIR=28, RELEASEDIR=29, FSYNCDIR=30,
           ACCESS=34, CREATE=35, BATCH_FORGET=42, FALLOCATE=43, READDIRPLUS=44, RENAME2=45, LSEEK=46,
           COPY_FILE_RANGE=47)

server, seed, requests = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
options = sys.argv[4:]
rnd = random.Random(seed)
ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
for s in (ours, theirs):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
fd = theirs.fileno()
child = subprocess.Popen([server, "-f", "-q", *options, f"/dev/fd/{fd}"], pass_fds=[fd], stderr=subprocess.PIPE)
theirs.close()
unique = 0


def die(what):
    child.kill()
    print(f"# seed {seed}, request {unique}: {what}")
    print(child.stderr.read().decode(errors="replace")[-2000:])
    sys.exit(1)


def ask(op, node=1, body=b"", uid=0):
    """The answer: (errno, bytes)."""
    global unique
    unique += 2
    head = struct.pack("<IIQQIIIHH", 40 + len(body), OPS[op], unique, node, uid, 0, 1, 0, 0)
    try:
        ours.send(head + body)
    except OSError as e:
        die(f"cannot send {op}: {e}")
    if op in ("FORGET", "BATCH_FORGET"):
        return 0, b""
    to = 0
    while to == 0:  # 0: not an answer, a word of its own (attributes have changed)
        if not select.select([ours], [], [], 10)[0]:
            die(f"no answer to {op}")
        try:
            answer = ours.recv(1 << 21)
        except OSError:
            answer = b""
        if len(answer) < 16:
            die(f"the server is gone after {op}")
        size, err, to = struct.unpack("<IiQ", answer[:16])
    if size != len(answer) or to != unique or not -4096 < err <= 0:
        die(f"{op}: size {size} of {len(answer)}, error {err}, to {to} for {unique}")
    return -err, answer[16:]


err, _ = ask("INIT", 0, struct.pack("<IIII", 7, 38, 131072, 0xffffffff & ~(1 << 30)) + bytes(48))
if err:
    die(f"INIT: {err}")

known = [1]
names = [b"a", b"b", b"c", b"d", b"e" * 255]


def name():
    return rnd.choice(names) if rnd.random() < 0.8 else rnd.choice(
        [b"", b".", b"..", b"a/b", b"/", b"x" * 256, b"y" * 300, b"\xff\x01\n", b"z" * 4000])


def node():
    if rnd.random() < 0.85:
        return rnd.choice(known)
    return rnd.choice([0, 2, 3, rnd.getrandbits(10), rnd.getrandbits(32), rnd.getrandbits(64), 1 << 32 | 1,
                       known[-1] + (1 << 32), (1 << 64) - 1])


def number():
    return rnd.choice([0, 1, 4095, 4096, 65537, 1 << 20, (1 << 31) - 1, 1 << 32, (1 << 63) - 1, (1 << 63) - 4096,
                       1 << 63, (1 << 64) - 1, rnd.getrandbits(16), rnd.getrandbits(64)])


def small():
    return rnd.choice([0, 1, 4095, 4096, 65536, rnd.getrandbits(17)])


def u32():
    return rnd.choice([0, 1, 2, 3, 0o644, 0o100644, 0o40755, 0o120777, 0o10644, 0o60600, rnd.getrandbits(32)])


def note_entry(err, body):
    if not err and len(body) >= 8:
        new = struct.unpack("<Q", body[:8])[0]
        if new:
            known.append(new)
            if len(known) > 300:
                old = known.pop(rnd.randrange(1, len(known)))
                ask("FORGET", old, struct.pack("<Q", 1))


def one():
    op = rnd.choice([k for k in OPS if k != "INIT"])
    n, z = node(), b"\0"
    q, i, s = number, u32, small
    if op in ("LOOKUP", "UNLINK", "RMDIR", "REMOVEXATTR"):
        e = ask(op, n, name() + z)
        if op == "LOOKUP":
            note_entry(*e)
    elif op == "MKNOD":
        note_entry(*ask(op, n, struct.pack("<IIII", i(), i(), i(), 0) + name() + z))
    elif op == "MKDIR":
        note_entry(*ask(op, n, struct.pack("<II", i(), 0) + name() + z))
    elif op == "SYMLINK":
        note_entry(*ask(op, n, name() + z + rnd.choice([b"t", b"", b"q" * 4095, b"q" * 5000]) + z))
    elif op == "LINK":
        note_entry(*ask(op, n, struct.pack("<Q", node()) + name() + z))
    elif op == "RENAME":
        ask(op, n, struct.pack("<Q", node()) + name() + z + name() + z)
    elif op == "RENAME2":
        ask(op, n, struct.pack("<QII", node(), rnd.choice([0, 1, 2, 3, 4, u32()]), 0) + name() + z + name() + z)
    elif op == "FORGET":
        ask(op, rnd.choice([n, node() ^ 1 << 40]), struct.pack("<Q", rnd.choice([0, 1, q()])) if n not in known else
            struct.pack("<Q", 0))
    elif op == "BATCH_FORGET":
        ask(op, 0, struct.pack("<II", 3, 0) + b"".join(struct.pack("<QQ", rnd.getrandbits(64), q()) for _ in range(3)))
    elif op == "GETATTR":
        ask(op, n, struct.pack("<IIQ", 0, 0, q()))
    elif op == "SETATTR":
        size = q() if rnd.random() < .5 else s()
        ask(op, n, struct.pack("<IIQQQQQQIIIIIIII", i() & 0x7ff, 0, q(), size, 0, q(), q(), q(), i() % 10**9,
                               i() % 10**9, i() % 10**9, i(), 0, i(), i(), 0))
    elif op == "READ":
        ask(op, n, struct.pack("<QQIIQII", q(), q(), s(), 0, 0, i(), 0))
    elif op == "WRITE":
        data = bytes(min(s(), 65536))
        ask(op, n, struct.pack("<QQIIQII", q(), q(), len(data), i() & 1, 0, i(), 0) + data)
    elif op in ("READDIR", "READDIRPLUS"):
        note = ask(op, n, struct.pack("<QQIIQII", q(), q(), s(), 0, 0, i(), 0))
        at = 0
        while op == "READDIRPLUS" and not note[0] and at + 152 <= len(note[1]):  # counted look-ups: forget them
            new, = struct.unpack_from("<Q", note[1], at)
            length, = struct.unpack_from("<I", note[1], at + 128 + 16)
            if new:
                ask("FORGET", new, struct.pack("<Q", 1))
            at += 152 + (length + 7 & ~7)
    elif op in ("OPEN", "OPENDIR"):
        ask(op, n, struct.pack("<II", i(), 0))
    elif op in ("RELEASE", "RELEASEDIR"):
        ask(op, n, struct.pack("<QIIQ", q(), i(), i(), q()))
    elif op in ("FSYNC", "FSYNCDIR"):
        ask(op, n, struct.pack("<QII", q(), i() & 1, 0))
    elif op == "FLUSH":
        ask(op, n, struct.pack("<QIIQ", q(), 0, 0, q()))
    elif op == "ACCESS":
        ask(op, n, struct.pack("<II", i(), 0))
    elif op == "CREATE":
        ask(op, n, struct.pack("<IIII", i(), i(), 0, 0) + name() + z)
    elif op == "GETXATTR":
        ask(op, n, struct.pack("<II", s(), 0) + b"user." + name() + z)
    elif op == "LISTXATTR":
        ask(op, n, struct.pack("<II", s(), 0))
    elif op == "SETXATTR":
        value = bytes(s() % 65537)
        ask(op, n, struct.pack("<II", len(value), i() & 7) + b"user." + name() + z + value)
    elif op == "FALLOCATE":
        ask(op, n, struct.pack("<QQQII", q(), s(), s() if rnd.random() < .7 else q(), i() & 0xff, 0))
    elif op == "LSEEK":
        ask(op, n, struct.pack("<QQII", q(), q(), rnd.choice([0, 1, 2, 3, 4, 5, i()]), 0))
    elif op == "COPY_FILE_RANGE":
        ask(op, n, struct.pack("<QQQQQQQ", q(), s(), node(), q(), s(), rnd.choice([0, 4096, 65536, q()]), 0))
    else:
        ask(op, n)  # READLINK, STATFS


for _ in range(requests):
    one()

def still_works():
    ask("RMDIR", 1, b"last\0")
    ask("UNLINK", 1, b"last\0")
    err, body = ask("MKNOD", 1, struct.pack("<IIII", 0o100644, 0, 0, 0) + b"last\0")
    if err == 30:  # proc
        if ask("LOOKUP", 1, b"meminfo\0")[0]:
            die("LOOKUP at the end")
        return
    if err:
        die(f"MKNOD at the end: {err}")
    last, = struct.unpack("<Q", body[:8])
    full, body = ask("WRITE", last, struct.pack("<QQIIQII", 0, 5, 5, 0, 0, 0, 0) + b"hello")
    if full not in (0, 28):  # the file system may be full by now
        die(f"WRITE at the end: {full}")
    err, body = ask("READ", last, struct.pack("<QQIIQII", 0, 0, 100, 0, 0, 0, 0))
    if err or (not full and body != b"\0" * 5 + b"hello"):
        die(f"READ at the end: {err} {body!r}")
    if ask("UNLINK", 1, b"last\0")[0]:
        die("UNLINK at the end")


still_works()
ours.close()
try:
    child.wait(20)
except subprocess.TimeoutExpired:
    die("it does not end when its connection does")
if child.returncode < 0:
    die(f"it ended by signal {-child.returncode}")
print(f"# seed {seed}: {requests} requests, {len(known)} nodes known at the end")
