#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tally.py TESTLOG.json [MESON-OUTPUT] - sum the TAP cases of one `meson test` run.

Prints one line a test program, every failed case with what it said, and closes
with "N passed, N failed". A program that crashed, hung, printed no plan or
fewer cases than planned counts as one more failure. Exit 1 if anything failed
or nothing ran.
"""

import json
import re
import sys

CASE = re.compile(r"^(not )?ok\b(?:\s+\d+)?(?:\s*-)?\s*(.*?)(?:\s*#\s*(SKIP|TODO)\b\s*(.*))?$", re.I)
PLAN = re.compile(r"^1\.\.(\d+)")


def read_program(entry):
    """Returns (passed, failed cases with their words, skipped with reasons, complaint)."""
    passed, failed, skipped, said = 0, [], [], []
    plan = None
    bail = None
    for line in (entry.get("stdout") or "").splitlines():
        m = PLAN.match(line)
        if m:
            plan = int(m.group(1))
            continue
        if line.startswith(("TAP version", "# seed ")):
            continue
        if line.startswith("Bail out!"):
            bail = line
            continue
        m = CASE.match(line)
        if not m:
            said.append(line)
            continue
        name = m.group(2)
        if (m.group(3) or "").upper() == "SKIP":
            skipped.append((name, m.group(4)))
        elif m.group(1) and (m.group(3) or "").upper() != "TODO":
            failed.append((name, said))
        else:
            passed += 1
        said = []
    count = passed + len(failed) + len(skipped)
    complaint = None
    if bail:
        complaint = bail
    elif entry["result"] in ("TIMEOUT", "INTERRUPT"):
        complaint = "did not end in time"
    elif plan is None:
        complaint = "printed no plan (exit status %s)" % entry.get("returncode")
    elif plan != count:
        complaint = "planned %d cases, ran %d" % (plan, count)
    elif entry.get("returncode") and not failed:
        complaint = "exit status %s, though no case failed" % entry["returncode"]
    if complaint and (entry.get("stderr") or said):
        tail = said[-15:] + (entry.get("stderr") or "").splitlines()[-15:]
        complaint += "".join("\n    " + s for s in tail)
    return passed, failed, skipped, complaint


def main():
    try:
        with open(sys.argv[1], encoding="utf-8", errors="replace") as log:
            entries = [json.loads(line) for line in log if line.strip()]
    except OSError:
        entries = []
    passed = failed = skipped = 0
    for entry in sorted(entries, key=lambda e: e["name"]):
        name = re.sub(r"^.* / ", "", entry["name"])
        ok, bad, skips, complaint = read_program(entry)
        wrong = len(bad) + (1 if complaint else 0)
        print("%-6s %-32s %4d passed %3d failed %s%7.2f s" % (
            "FAILED" if wrong else "ok", name, ok, wrong,
            "%3d skipped " % len(skips) if skips else "            ", entry["duration"]))
        for case, said in bad:
            print("    not ok: %s" % case)
            for line in said[-30:]:
                print("        " + line)
        for case, why in skips:
            print("    skipped: %s: %s" % (case, why))
        if complaint:
            print("    " + complaint)
        passed, failed, skipped = passed + ok, failed + wrong, skipped + len(skips)
    if not entries:
        print("no test ran")
        if len(sys.argv) > 2:
            with open(sys.argv[2], encoding="utf-8", errors="replace") as out:
                sys.stdout.write(out.read()[-3000:])
        failed += 1
    if skipped:
        print("# skipped %d" % skipped)
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
