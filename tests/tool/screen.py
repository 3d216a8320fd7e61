#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""screen.py ROWS COLUMNS SCRIPT COMMAND... - a program on a terminal of this size, by a script.

SCRIPT is words (~ is a space in them): a letter is a key; wait:TEXT waits until the screen holds TEXT;
not:TEXT demands that it does not; size:RxC changes the size; kill ends the process in
$VICTIM. Prints the last screen and then the exit status. The screen understands what
ncurses sends to TERM=xterm: moving, clearing, erasing, repeating.
"""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

SEQUENCE = re.compile(rb"\x1b\[([?>]?)([0-9;]*)([@-~])|\x1b[()][0-9A-B]|\x1b[=>78]|\x1b(M)|\x1b\][^\x07]*\x07")


class Screen:
    def __init__(self, rows, columns):
        self.resize(rows, columns)
        self.rest = b""

    def resize(self, rows, columns):
        self.rows, self.columns = rows, columns
        self.cells = [[" "] * columns for _ in range(rows)]
        self.y = self.x = 0
        self.first, self.end = 0, rows  # the lines that scroll
        self.last = " "

    def scroll(self, first, end, lines):
        """Lines [first, end) go up by so many, down if negative."""
        for _ in range(abs(lines)):
            if lines > 0:
                del self.cells[first]
                self.cells.insert(end - 1, [" "] * self.columns)
            else:
                del self.cells[end - 1]
                self.cells.insert(first, [" "] * self.columns)

    def line_feed(self):
        if self.y == self.end - 1:
            self.scroll(self.first, self.end, 1)
        else:
            self.y += 1

    def reverse_feed(self):
        if self.y == self.first:
            self.scroll(self.first, self.end, -1)
        else:
            self.y -= 1

    def put(self, letter):
        if self.y < self.rows and self.x < self.columns:
            self.cells[self.y][self.x] = letter
        self.x += 1
        self.last = letter

    def control(self, args, final):
        n = [int(a) if a else 0 for a in args.split(b";")] if args else [0]
        one = max(n[0], 1)
        if final in b"Hf":
            self.y, self.x = one - 1, max(n[1] if len(n) > 1 else 1, 1) - 1
        elif final == ord("d"):
            self.y = one - 1
        elif final == ord("G"):
            self.x = one - 1
        elif final == ord("A"):
            self.y -= one
        elif final == ord("B"):
            self.y += one
        elif final == ord("C"):
            self.x += one
        elif final == ord("D"):
            self.x -= one
        elif final == ord("J"):
            if n[0] == 2:
                self.cells = [[" "] * self.columns for _ in range(self.rows)]
            else:
                self.erase(self.y, self.x, self.columns)
                for y in range(self.y + 1, self.rows):
                    self.erase(y, 0, self.columns)
        elif final == ord("K"):
            self.erase(self.y, self.x if n[0] == 0 else 0, self.columns if n[0] != 1 else self.x + 1)
        elif final == ord("X"):
            self.erase(self.y, self.x, self.x + one)
        elif final == ord("P"):
            line = self.cells[self.y]
            line[self.x : self.x + one] = []
            line.extend([" "] * (self.columns - len(line)))
        elif final == ord("@"):
            line = self.cells[self.y]
            line[self.x : self.x] = [" "] * one
            del line[self.columns :]
        elif final == ord("Z"):
            self.x = max(self.x - 1, 0) // 8 * 8
        elif final == ord("b"):
            for _ in range(one):
                self.put(self.last)
        elif final == ord("r"):
            self.first = one - 1
            self.end = n[1] if len(n) > 1 and n[1] else self.rows
            self.y = self.x = 0
        elif final in b"ST":
            self.scroll(self.first, self.end, one if final == ord("S") else -one)
        elif final in b"LM":
            self.scroll(self.y, self.end, one if final == ord("M") else -one)

    def erase(self, y, start, end):
        if y < self.rows:
            for x in range(start, min(end, self.columns)):
                self.cells[y][x] = " "

    def feed(self, data):
        data = self.rest + data
        self.rest = b""
        i = 0
        while i < len(data):
            c = data[i]
            if c == 0x1B:
                m = SEQUENCE.match(data, i)
                if not m:
                    self.rest = data[i:]
                    return
                if m.group(3) and not m.group(1):
                    self.control(m.group(2), m.group(3)[0])
                elif m.group(4):
                    self.reverse_feed()
                i = m.end()
            elif c == 0x0D:
                self.x, i = 0, i + 1
            elif c == 0x0A:
                self.line_feed()
                i += 1
            elif c == 0x08:
                self.x, i = self.x - 1, i + 1
            elif c == 0x09:
                self.x, i = self.x // 8 * 8 + 8, i + 1
            elif c < 0x20:
                i += 1
            else:
                n = 1 if c < 0x80 else 2 if c < 0xE0 else 3 if c < 0xF0 else 4
                if i + n > len(data):
                    self.rest = data[i:]
                    return
                self.put(data[i : i + n].decode("utf-8", "replace"))
                i += n

    def text(self):
        return "\n".join("".join(line).rstrip() for line in self.cells)


class Run:
    def __init__(self, rows, columns, command):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "xterm"
            os.environ["LC_ALL"] = "C.UTF-8"
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.execvp(command[0], command)
        self.screen = Screen(rows, columns)
        self.over = False

    def read(self, seconds):
        if self.over or not select.select([self.fd], [], [], seconds)[0]:
            return
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            data = b""
        self.over = not data
        self.screen.feed(data)

    def wait_for(self, text, wanted):
        end = time.monotonic() + 20
        while (text in self.screen.text()) != wanted:
            if self.over or time.monotonic() > end:
                print(self.screen.text())
                raise SystemExit("screen.py: %s: %r" % ("never came" if wanted else "never went", text))
            self.read(0.1)

    def size(self, rows, columns):
        self.screen.resize(rows, columns)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def step(self, word):
        if word.startswith("wait:"):
            self.wait_for(word[5:], True)
        elif word.startswith("not:"):
            self.wait_for(word[4:], False)
        elif word.startswith("size:"):
            self.size(*map(int, word[5:].split("x")))
        elif word == "kill":
            os.kill(int(os.environ["VICTIM"]), signal.SIGKILL)
        else:
            os.write(self.fd, {"down": b"\x1bOB", "end": b"\x1bOF", "pgdn": b"\x1b[6~"}.get(word, word.encode()))

    def finish(self):
        end = time.monotonic() + 20
        while not self.over:
            if time.monotonic() > end:
                os.kill(self.pid, signal.SIGKILL)
                raise SystemExit("screen.py: it does not end")
            self.read(0.1)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def main():
    run = Run(int(sys.argv[1]), int(sys.argv[2]), sys.argv[4:])
    for word in sys.argv[3].split():
        run.step(word.replace("~", " "))
    before = run.screen.text()
    status = run.finish()
    print(before)
    print("---")
    print(run.screen.text())
    print("exit", status)


main()
