#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""every.py - failure at every allocation, and at every system call of ours

every.py allocations [--step K]   SLABWORK=failmalloc=N and failmalloc=N,ever for N = 1, 2, 3 ... in five programs,
                                  until a run in which nothing failed
every.py calls [--step K]         the Nth mmap, munmap, madvise ... of the library fails, once and for ever,
                                  in a self-checking trace of 100,000 operations from the first instruction on
every.py calls --programs [...]   the same in the five programs

--step K     only every Kth N (the quick suite does)
--only NAME  one program, or one system call
--jobs J     so many runs at a time

A program may fail, say so and even die of its own bug (a misuse that slabwork named, or a hang, counts as its own
only if the witness on glibc's malloc, failing in the same place, finds it too: peer.c); what must not happen is a fatal signal raised in a
frame of libslabwork-malloc.so, a hang, or (the trace checks this) a wrong answer. Prints a table as TAP comments and
one TAP line a row. Finds the build in $BUILD.
"""

import argparse
import concurrent.futures
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

BUILD = os.environ.get("BUILD", os.path.join(os.path.dirname(__file__), "../../build"))
LIBRARY = os.path.join(BUILD, "libslabwork-malloc.so.0")
TRACER = os.path.join(BUILD, "tests/oom/tracer")
PEER = os.path.join(BUILD, "tests/oom/peer.so")
TRACE = os.path.join(BUILD, "tests/oom/trace")
PYTHON = "/usr/bin/python3" if os.access("/usr/bin/python3", os.X_OK) else "python3"
HANG_S = 60
PEER_HANG_S = 10

SQL = """create table t(a integer primary key, b, c); create index i on t(b);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 300)
insert into t select i, i * 7 % 101, 'text ' || i from n;
select b, count(*), group_concat(c) from t group by b order by 2 desc limit 3;
update t set c = c || b where a % 3 = 0; delete from t where a % 5 = 0; select sum(length(c)) from t;"""
BASH = """declare -A a; for i in {1..40}; do a[k$i]=$((i * i)); done
f() { local s=$1; echo "${s//a/b}"; }; x=$(f banana); y=$(printf '%s\\n' "${!a[@]}" | sort | head -n 3)
[[ $x =~ ^b(.)n ]] && echo "$x ${BASH_REMATCH[1]} ${#a[@]}" $y; cat <<< "$x" """
PERL = """my %h; $h{$_ % 97} .= $_ for 1 .. 2000; my @k = sort keys %h; my $s = join ",", map { length $h{$_} } @k;
$s =~ s/(\\d+),/<$1>/g; eval { die { a => 1 } }; printf "%d %s\\n", length $s, ref $@;"""
PY = """import json, re, collections
d = [{"k": i, "v": "x" * (i % 50)} for i in range(300)]
print(len(json.dumps(json.loads(json.dumps(d)))), len(re.findall("x+", str(d))), collections.Counter("banana"))"""

PROGRAMS = {
    "sqlite3": ["sqlite3", ":memory:", SQL],
    "git": ["git", "status"],
    "bash": ["bash", "-c", BASH],
    "perl": ["perl", "-e", PERL],
    "python3": [PYTHON, "-c", PY],
}
CALLS = ["mmap", "munmap", "madvise", "mremap", "mprotect", "futex", "getrandom", "membarrier", "openat"]


class Run:
    """One run of a program under the tracer."""

    def __init__(self, where, command, env=None, tracer_args=()):
        full = dict(os.environ, TRACER_PRELOAD=LIBRARY, GIT_OPTIONAL_LOCKS="0", GIT_CONFIG_SYSTEM="/dev/null",
                    GIT_CONFIG_GLOBAL="/dev/null", LC_ALL="C", PERL_HASH_SEED="0", PYTHONHASHSEED="0", **(env or {}))
        full.pop("LD_PRELOAD", None)
        process = subprocess.Popen([TRACER, "-t", str(HANG_S), *tracer_args, "--", *command], cwd=where, env=full, text=True,
                                   errors="replace", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, start_new_session=True)
        self.hang = False
        try:
            self.said = process.communicate(timeout=HANG_S + 20)[1]
        except subprocess.TimeoutExpired:
            self.hang = True
            os.killpg(process.pid, signal.SIGKILL)
            self.said = process.communicate()[1]
        self.status = process.returncode
        self.hang = self.hang or self.status == 4
        self.hit = "slabwork: failmalloc: request" in self.said or " fails\n" in self.said
        self.ours = self.status == 3
        self.misuse = re.search(r"^slabwork: \w+\(\): (double free|interior|foreign|freed)", self.said, re.M)
        self.died = re.search(r"^tracer: ended by (.*)", self.said, re.M)
        ended = re.search(r"^tracer: ended with (\d+)", self.said, re.M)
        self.code = int(ended.group(1)) if ended else None


offsets = {}


def peer_dies(where, command, n, ever, hang):
    """Does the witness find a misuse (or hang) too, when a request near the Nth fails? (Other reallocs stay in place there.)"""
    start = offsets.get(command[0], 0)
    for off in sorted(range(start - 300, start + 301), key=lambda o: abs(o - start)):
        if n + off < 1:
            continue
        env = dict(os.environ, LC_ALL="C", PERL_HASH_SEED="0", PYTHONHASHSEED="0", GIT_OPTIONAL_LOCKS="0", LD_PRELOAD=PEER, FAIL_NTH="%d%s" % (n + off, ever))
        try:
            run = subprocess.run(command, cwd=where, env=env, stdin=subprocess.DEVNULL, capture_output=True,
                                 timeout=PEER_HANG_S)
        except subprocess.TimeoutExpired:
            if hang:
                return True
            continue
        if b"peer: free() of a block that is dead" in run.stderr:
            offsets[command[0]] = off
            return True
    return False


class Row:
    """All N of one program (or call), once or for ever."""

    def __init__(self, name):
        self.name, self.runs, self.hit, self.died, self.bad, self.last, self.misuse = name, 0, 0, 0, [], 0, 0

    def add(self, n, run, wrong=False, theirs=lambda n, hang: False):
        self.runs += 1
        self.hit += run.hit
        self.died += bool(run.died) and not run.ours
        self.last = max(self.last, n)
        if (run.hang or run.ours and run.misuse) and theirs(n, run.hang):
            self.misuse += 1
        elif run.ours or run.hang or wrong:
            self.bad.append((n, "hang" if run.hang else "fault in our frame" if run.ours else "status %s" % run.code,
                             run.said))

    def tap(self, number):
        print("# %-28s last N %6d, runs %6d, failed in %6d, the program's own: faults %d, misuse and hangs %d; BAD %d"
              % (self.name, self.last, self.runs, self.hit, self.died, self.misuse, len(self.bad)))
        for n, what, said in self.bad[:3]:
            print("# N=%d: %s" % (n, what))
            for line in said.splitlines()[-14:]:
                print("#   " + line)
        print("%sok %d - oom.%s" % ("not " if self.bad else "", number, self.name.replace(" ", "_").replace(",", "_")),
              flush=True)


def walk(row, step, jobs, one, judge=lambda run: False, last=None, theirs=lambda n, hang: False):
    """Call one(n) for n = 1, 1 + step ... until nothing failed any more (or past last)."""
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        n, done = 1, False
        while not done:
            batch = [n + i * step for i in range(jobs)]
            for m, run in zip(batch, pool.map(one, batch)):
                if last is not None and m > last:
                    done = True
                    continue
                row.add(m, run, judge(run), theirs)
                if last is None and not run.hit:
                    done = True
            n = batch[-1] + step
            if len(row.bad) >= 20:
                return


def prepare_repo(where):
    script = "git init -q -b main . && git config user.name a && git config user.email a@b && " \
             "for d in a b c; do mkdir $d; for i in 1 2 3 4 5; do echo $i >$d/$i; done; done; " \
             "printf '*.o\\n' >.gitignore; git add . && git commit -qm x && echo y >a/1 && rm b/2 && echo n >c/new"
    subprocess.run(["sh", "-ec", script], cwd=where, check=True,
                   env=dict(os.environ, GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_SYSTEM="/dev/null"))


def planted(where):
    """The gate can fail: a fault in the library that is meant is seen, one elsewhere is not."""
    seen = [subprocess.run([TRACER, "-l", which, "--", "sh", "-c", "kill -SEGV $$"], cwd=where,
                           stderr=subprocess.PIPE).returncode for which in ("libc.so", "libslabwork-malloc.so")]
    print("%sok 1 - oom.a_planted_fault_is_seen" % ("" if seen == [3, 0] else "not "), flush=True)


def allocations(args, where):
    rows = []
    for name, command in PROGRAMS.items():
        if args.only and args.only != name:
            continue
        if not shutil.which(command[0]):
            rows.append((name, "no " + command[0]))
            continue
        for ever in ("", ",ever"):
            row = Row("%s failmalloc=N%s" % (name, ever))
            walk(row, args.step, args.jobs,
                 lambda n, e=ever, c=command: Run(where, c, {"SLABWORK": "failmalloc=%d%s" % (n, e)}),
                 theirs=lambda n, hang, e=ever, c=command: peer_dies(where, c, n, e, hang))
            rows.append(row)
            row.tap(len(rows) + 1)
    return rows


def counted(where, command):
    run = Run(where, command, tracer_args=["-c", "any"])
    if run.status == 77:
        print("1..0 # SKIP nothing can be traced here")
        sys.exit(0)
    return {m.group(1): int(m.group(2)) for m in re.finditer(r"^tracer: calls (\w+) (\d+)", run.said, re.M)}


def calls(args, where):
    rows = []
    programs = PROGRAMS if args.programs else {"trace": [TRACE]}
    for name, command in programs.items():
        if not shutil.which(command[0]):
            continue
        total = counted(where, command)
        for call in CALLS:
            if args.only and args.only != call:
                continue
            for ever in ("", ":ever"):
                row = Row("%s %s N%s" % (name, call, ever.replace(":", ",")))
                # The trace checks itself: 127 and 1 are the loader and libc that got no memory to start with.
                walk(row, args.step, args.jobs,
                     lambda n, e=ever, c=call, k=command: Run(where, k, None, ["-f", "%s:%d%s" % (c, n, e)]),
                     lambda run: not args.programs and run.code not in (0, 1, 127), last=total.get(call, 0) + 1)
                if row.runs:
                    rows.append(row)
                    row.tap(len(rows) + 1)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["allocations", "calls"])
    parser.add_argument("--step", type=int, default=1)
    parser.add_argument("--only")
    parser.add_argument("--programs", action="store_true")
    parser.add_argument("--jobs", type=int, default=1)
    args = parser.parse_args()
    print("TAP version 13", flush=True)
    with tempfile.TemporaryDirectory() as where:
        prepare_repo(where)
        counted(where, ["true"])
        planted(where)
        rows = allocations(args, where) if args.what == "allocations" else calls(args, where)
    rows_run = [r for r in rows if isinstance(r, Row)]
    for number, row in enumerate(rows, 2):
        if not isinstance(row, Row):
            print("ok %d - oom.%s # SKIP %s" % (number, *row))
    print("# in all: %d runs, something failed in %d, bad %d"
          % (sum(r.runs for r in rows_run), sum(r.hit for r in rows_run), sum(len(r.bad) for r in rows_run)))
    print("1..%d" % (len(rows) + 1))


main()
