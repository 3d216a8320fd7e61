#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""kill_dax.py SLABWORK DIR IMAGE SEED ROUNDS - what fsync() said is there after the server was killed

Each round a worker writes files, syncs, renames and removes them, and reports each step that was done; the server
is killed at a random instant; the image is mounted again: every file that was reported must be whole, everything
readable, and all of it removable.
"""
import hashlib
import os
import random
import signal
import subprocess
import sys
import time

tool, place, image, seed, rounds = *sys.argv[1:4], int(sys.argv[4]), int(sys.argv[5])
rnd = random.Random(seed)


def die(what):
    print(f"# seed {seed}: {what}")
    sys.exit(1)


def mount(*options):
    """The server's id."""
    said = subprocess.run([tool, "mount", "-v", *options, "dax", image, place], capture_output=True, text=True)
    if said.returncode:
        die(f"mount: {said.stderr}")
    return int(said.stderr.split("[")[1].split("]")[0])


def work(report):
    i = 0
    while True:
        i += 1
        folder = f"d{i - (i - 1) % 10}"
        if i % 10 == 1:
            os.mkdir(f"{place}/{folder}")
        name, data = f"{folder}/f{i}", rnd.randbytes(rnd.randrange(1, 60000))
        fd = os.open(f"{place}/{name}.new", os.O_RDWR | os.O_CREAT)
        os.write(fd, data)
        os.fsync(fd)
        os.close(fd)
        os.rename(f"{place}/{name}.new", f"{place}/{name}")
        os.write(report, f"+{name} {hashlib.md5(data).hexdigest()}\n".encode())
        if i % 5 == 0:
            gone = f"{folder}/f{i - 2}"
            os.write(report, f"-{gone} x\n".encode())  # from here on it may or may not be there
            os.unlink(f"{place}/{gone}")


def one_round(server):
    """Name to sum of what was reported before the server died."""
    end, report = os.pipe()
    worker = os.fork()
    if not worker:
        try:
            work(report)
        except OSError:
            os._exit(0)
    os.close(report)
    time.sleep(rnd.uniform(0.02, 0.3))
    os.kill(server, signal.SIGKILL)
    with open(end) as lines:
        steps = [line.split() for line in lines]
    os.waitpid(worker, 0)
    there = {}
    for name, digest in steps:
        if name[0] == "+":
            there[name[1:]] = digest
        else:
            there.pop(name[1:], None)
    return there


def look(there, turn):
    for name, want in there.items():
        with open(f"{place}/{name}", "rb") as file:
            if hashlib.md5(file.read()).hexdigest() != want:
                die(f"round {turn}: {name} is not what was synced")
    for folder, _, files in os.walk(place):
        for name in files:
            with open(os.path.join(folder, name), "rb") as file:
                file.read()
    subprocess.check_call(f"rm -rf {place}/*", shell=True)
    if os.listdir(place):
        die(f"round {turn}: rm left {os.listdir(place)}")


server, total = mount("-o", "size=64m"), 0
for turn in range(rounds):
    there = one_round(server)
    total += len(there)
    for _ in range(100):  # its last threads may take a moment to let go of the image
        if subprocess.run([tool, "umount", place], capture_output=True).returncode == 0:
            break
        time.sleep(0.05)
    time.sleep(0.1)
    server = mount()
    try:
        look(there, turn)
    except OSError as e:
        die(f"round {turn}: {e}")
subprocess.check_call([tool, "umount", place])
print(f"# seed {seed}: {rounds} kills, {total} files looked at")
