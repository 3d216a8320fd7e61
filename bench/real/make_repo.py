# SPDX-License-Identifier: MIT
"""make_repo.py - print the repository of the git gc row: a stream for git fast-import.

Text files in folders that are edited, commit by commit, a few lines at a time; every draw is of
one seeded generator and every date is fixed, so the repository is the same everywhere.
"""

import random
import sys

FILES, COMMITS, EDITS, LINES = 100, 220, 5, 700
WORDS = ('page slab order zone node cache sheaf barn lock free list object batch count mask flags '
         'return static struct if while for unsigned long size index map entry').split()


def line(draw):
    return '\t' * draw.randrange(3) + ' '.join(draw.choices(WORDS, k=draw.randrange(3, 12))) + '\n'


def path(number):
    return 'room%d/part%d/file%d.c' % (number % 6, number % 17, number)


def edit(draw, text):
    for _ in range(draw.randrange(1, 8)):
        at = draw.randrange(len(text))
        text[at:at + draw.randrange(3)] = [line(draw) for _ in range(draw.randrange(1, 4))]


def data(text):
    return 'data %d\n%s\n' % (len(text), text)


def main():
    draw, out = random.Random(1), sys.stdout
    files = [[line(draw) for _ in range(LINES)] for _ in range(FILES)]
    for commit in range(COMMITS):
        changed = draw.sample(range(FILES), EDITS) if commit else range(FILES)
        out.write('commit refs/heads/main\ncommitter bench <bench@example.org> %d +0000\n' %
                  (1700000000 + 3600 * commit))
        out.write(data('change %d: %s' % (commit, line(draw).strip())))
        for number in changed:
            if commit:
                edit(draw, files[number])
            out.write('M 100644 inline %s\n%s' % (path(number), data(''.join(files[number]))))


main()
