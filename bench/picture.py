# SPDX-License-Identifier: MIT
"""picture.py - a report as SVG: the median of each row and allocator as a bar, min and max as
whiskers.

Bars are relative to the best peer of their row, so that rows of nanoseconds and of MiB stand in
one picture; what is longer than the scale is cut and says how long it is. Rows are grouped by
what they ask, which is not the order of the table, and the groups fill two columns.
"""

import fnmatch
from xml.sax.saxutils import escape

COLOURS = {'glibc': '#8d99ae', 'mimalloc': '#e9a23b', 'jemalloc': '#3d7ea6', 'tcmalloc': '#6a994e',
           'slabwork': '#b5179e', 'other': '#333333'}
# The first group with a pattern that matches takes the row.
GROUPS = [
    ('How cost grows (times, when the number doubles)', ['*.slope']),
    ('Memory', ['*.peak', '*.held', '*.mem', 'idle']),
    ('Programs: CPU time', ['sqlite3.cpu', 'python3*.cpu', 'gcc.cpu', 'clang.cpu',
                            'git-gc.cpu', 'node.cpu', 'redis.cpu']),
    ('One object: allocate, free', ['lifo*']),
    ('Batches, and many alive', ['fifo*', 'random*', 'blifo*', 'churn*', 'large*', 'heap.*']),
    ('calloc and realloc', ['calloc*', 'realloc*']),
    ('Threads', ['mtlifo*', 'prodcons*', 'thr*', 'xmixed*']),
    ("The kernel's names, inlined", ['kmem*', 'kmalloc*', 'bulk*', 'freelist*', 'mempool*', 'caches*']),
    ('Latency under churn', ['lat.churn.*']),
    ('Latency of large objects', ['lat.large.*']),
    ('Latency in bursts', ['lat.burst.*']),
    ('Latency of eviction', ['lat.evict.*']),
    ('The rest', ['*']),
]
ORDER = [3, 4, 5, 6, 7, 2, 1, 0] + list(range(8, len(GROUPS)))      # of GROUPS, on the page
LEFT_OUT = ['*.dropped']                    # no cost
MOST = 3.0                                  # end of the scale, times the best peer
SCALE, BAR, GAP, HEAD, LABEL, FIGURES = 120, 7, 9, 40, 138, 130
COLUMN = LABEL + int(SCALE * MOST) + FIGURES
TOP, MARGIN = 74, 24


def short(value):
    """Three significant digits, never scientific."""
    if value >= 100:
        return '%.0f' % value
    return '%.1f' % value if value >= 10 else '%.2f' % value


def text(x, y, words, anchor='start', style=''):
    return '<text x="%.1f" y="%.1f" text-anchor="%s"%s>%s</text>' % (
        x, y, anchor, ' ' + style if style else '', escape(words))


def line(x1, y1, x2, y2, colour, width=1):
    return '<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s" stroke-width="%g"/>' % (
        x1, y1, x2, y2, colour, width)


def group_of(row):
    return next(i for i, (_, patterns) in enumerate(GROUPS)
                if any(fnmatch.fnmatchcase(row, pattern) for pattern in patterns))


class Picture:
    """Draws a Report; figures come from it, so that table and picture cannot differ."""

    def __init__(self, report):
        self.report, self.out = report, []

    def groups(self):
        rows = [row for row in self.report.samples if self.report.best_peer(row) and
                not any(fnmatch.fnmatchcase(row, pattern) for pattern in LEFT_OUT)]
        found = [(GROUPS[i][0], [row for row in rows if group_of(row) == i]) for i in ORDER]
        return [group for group in found if group[1]]

    def present(self, row):
        return [name for name in self.report.allocators if self.report.samples[row].get(name)]

    def row_height(self, row):
        return BAR * len(self.present(row)) + GAP

    def columns(self, groups):
        """The groups in two columns of about the same height, order kept."""
        heights = [HEAD + sum(map(self.row_height, rows)) for _, rows in groups]
        cut = min(range(len(groups) + 1),
                  key=lambda i: max(sum(heights[:i]), sum(heights[i:])))
        return [groups[:cut], groups[cut:]], max(sum(heights[:cut]), sum(heights[cut:]))

    def svg(self):
        columns, height = self.columns(self.groups())
        columns = [column for column in columns if column]
        width = 2 * MARGIN + len(columns) * COLUMN + (len(columns) - 1) * MARGIN
        width, height = max(width, 2 * MARGIN + COLUMN), TOP + height + MARGIN
        self.out = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" '
                    'font-family="sans-serif" font-size="11">' % (width, height, width, height),
                    '<rect width="100%" height="100%" fill="white"/>']
        self.legend()
        for i, column in enumerate(columns):
            y = TOP
            for title, rows in column:
                y = self.group(title, rows, MARGIN + i * (COLUMN + MARGIN), y)
        return '\n'.join(self.out + ['</svg>', ''])

    def legend(self):
        about = self.report.about
        self.out.append(text(MARGIN, 22, 'Cost beside the best other allocator of each row (1 = the '
                             'best; less is better)', style='font-size="14" font-weight="bold"'))
        self.out.append(text(MARGIN, 38, 'bar: %s; whisker: least and most of the rounds. %s, %s' %
                             ('best round' if self.report.typical is min else 'median',
                              about.get('machine', '').split(', Linux')[0], about.get('date', '')),
                             style='fill="#555"'))
        x = MARGIN
        for name in self.report.allocators:
            self.out.append('<rect x="%d" y="48" width="11" height="11" fill="%s"/>' %
                            (x, COLOURS[name]))
            weight = 'font-weight="bold"' if name == self.report.ours else ''
            self.out.append(text(x + 16, 58, name, style=weight))
            x += 36 + 7 * len(name)

    def group(self, title, rows, left, y):
        bottom = y + HEAD + sum(map(self.row_height, rows)) - GAP
        zero = left + LABEL
        self.out.append(text(left, y + 16, title, style='font-size="12" font-weight="bold"'))
        self.out.append(text(zero + SCALE * MOST + 12, y + 30, 'slabwork / best', style='fill="#777"'))
        for tick in range(int(MOST) + 1):
            x = zero + SCALE * tick
            self.out.append(text(x, y + 30, '%d' % tick, 'middle', 'fill="#777"'))
            self.out.append(line(x, y + 34, x, bottom, '#333' if tick == 1 else '#ddd'))
        y += HEAD
        for row in rows:
            self.row(row, left, zero, y)
            y += self.row_height(row)
        return y

    def row(self, row, left, zero, y):
        report, base = self.report, self.report.best_peer(row)
        names = self.present(row)
        middle = y + BAR * len(names) / 2 + 4
        self.out.append(text(zero - 6, middle, row, 'end'))
        mine = report.figure(row, report.ours)
        self.out.append(text(zero + SCALE * MOST + 12, middle, '%s / %s %s' % (
            '-' if mine is None else short(mine), short(base), report.units[row])))
        for i, name in enumerate(names):
            self.bar(row, name, base, zero, y + BAR * i)

    def bar(self, row, name, base, zero, y):
        figures, typical = self.report.samples[row][name], self.report.figure(row, name)

        def x(figure):
            return zero + SCALE * min(figure / base, MOST)

        middle = y + BAR / 2
        self.out.append('<rect x="%d" y="%.1f" width="%.1f" height="%.1f" fill="%s"><title>%s %s: %s %s'
                        '</title></rect>' % (zero, y, x(typical) - zero, BAR - 1, COLOURS[name],
                                             escape(row), name, short(typical), self.report.units[row]))
        if typical / base > MOST:
            self.out.append(text(zero + SCALE * MOST - 3, y + BAR - 1, short(typical / base) + '×', 'end',
                                 'font-size="7" font-weight="bold" fill="white"'))
            return
        low, high = x(min(figures)), x(max(figures))
        self.out.append(line(low, middle - 0.5, high, middle - 0.5, '#111', 0.8))
        for end in (low, high) if max(figures) / base <= MOST else (low,):
            self.out.append(line(end, y + 0.5, end, y + BAR - 1.5, '#111', 0.8))
