# SPDX-License-Identifier: MIT
"""report.py - one run as a table, as JSON, as a picture. It states figures, never a verdict."""

import fnmatch
import json
from statistics import median
from xml.sax.saxutils import escape

COLOURS = {'glibc': '#7a7a7a', 'mimalloc': '#e09f3e', 'jemalloc': '#3d7ea6', 'tcmalloc': '#6a994e',
           'slabwork': '#b5179e', 'other': '#222222'}


def read_limits(path):
    with open(path) as lines:
        words = [line.split() for line in lines if line.strip() and line[0] != '#']
    return [(pattern, beside, float(value)) for pattern, beside, value in words]


def short(value):
    """Three significant digits, never scientific."""
    if value is None:
        return '-'
    if value >= 100:
        return '%.0f' % value
    if value >= 10:
        return '%.1f' % value
    return '%.2f' % value


class Report:
    """samples: {row: {allocator: [figure of each round]}}, in the order of the table."""

    def __init__(self, about, samples, units, allocators, peers, ours, limits, notes,
                 typical=median):
        self.about, self.samples, self.units = about, samples, units
        self.allocators, self.peers, self.ours = allocators, peers, ours
        self.limits, self.notes, self.typical = limits, notes, typical

    def figure(self, row, allocator):
        figures = self.samples[row].get(allocator)
        return self.typical(figures) if figures else None

    def best_peer(self, row):
        """Of a row without peers: what is in the column beside ours."""
        others = [name for name in self.allocators if name not in self.peers + [self.ours]]
        for names in (self.peers, others):
            figures = [m for m in (self.figure(row, name) for name in names) if m is not None]
            if figures:
                return min(figures)
        return None

    def ratio(self, row, base):
        mine = self.figure(row, self.ours)
        return mine / base if mine is not None and base else None

    def limit(self, row):
        for pattern, beside, value in self.limits:
            if fnmatch.fnmatchcase(row, pattern):
                return {'value': '%g %s' % (value, self.units[row]),
                        'glibc+': 'glibc+%g' % value}.get(beside, '%.2f %s' % (value, beside))
        return ''

    def cell(self, row, allocator, spread):
        figures = self.samples[row].get(allocator)
        text = short(self.figure(row, allocator))
        if spread and figures and len(figures) > 1:
            text += ' (%s–%s)' % (short(min(figures)), short(max(figures)))
        return text

    def lines(self, spread):
        head = ['row', 'unit'] + self.allocators
        yield head + ['/best', '/glibc', 'limit']
        for row in self.samples:
            yield ([row, self.units[row]] + [self.cell(row, a, spread) for a in self.allocators] +
                   [short(self.ratio(row, self.best_peer(row))),
                    short(self.ratio(row, self.figure(row, 'glibc'))), self.limit(row)])

    def text(self, spread=False):
        lines = list(self.lines(spread))
        widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
        out = ['%s: %s' % item for item in self.about.items()]
        out.append('')
        for line in lines:
            out.append('  '.join([line[0].ljust(widths[0]), line[1].ljust(widths[1])] +
                                 [c.rjust(w) for c, w in zip(line[2:], widths[2:])]).rstrip())
        return '\n'.join(out + [''] * bool(self.notes) + self.notes)

    def markdown(self, spread=False):
        lines = list(self.lines(spread))
        rule = ['---', '---'] + ['---:'] * (len(lines[0]) - 2)
        out = ['- %s: %s' % item for item in self.about.items()] + ['']
        out += ['| ' + ' | '.join(line) + ' |' for line in [lines[0], rule] + lines[1:]]
        return '\n'.join(out + [''] * bool(self.notes) + ['- ' + note for note in self.notes])

    def json(self):
        return json.dumps({'about': self.about, 'notes': self.notes, 'rows': [
            {'row': row, 'unit': self.units[row], 'samples': self.samples[row],
             'figure': {a: self.figure(row, a) for a in self.allocators},
             'ratio_to_best': self.ratio(row, self.best_peer(row)),
             'ratio_to_glibc': self.ratio(row, self.figure(row, 'glibc')),
             'limit': self.limit(row)} for row in self.samples]}, indent=1)

    def svg(self):
        """A strip a row: bars relative to the best peer's figure, whiskers from min to max."""
        bar, gap, left, scale, most = 7, 12, 190, 140, 4.0
        shown = [row for row in self.samples if self.best_peer(row)]
        right = left + int(scale * most)
        strip = bar * len(self.allocators) + gap
        height = 60 + strip * len(shown)
        out = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" '
               'font-family="sans-serif" font-size="11">' % (right + 90, height),
               '<rect width="100%" height="100%" fill="white"/>']
        for i, allocator in enumerate(self.allocators):
            out.append('<rect x="%d" y="10" width="10" height="10" fill="%s"/><text x="%d" y="19">%s'
                       '</text>' % (left + 100 * i, COLOURS[allocator], left + 14 + 100 * i, allocator))
        for tick in range(int(most) + 1):
            x = left + scale * tick
            out.append('<line x1="%d" y1="40" x2="%d" y2="%d" stroke="#ddd"/><text x="%d" y="36" '
                       'text-anchor="middle">%d</text>' % (x, x, height, x, tick))
        for i, row in enumerate(shown):
            y, base = 48 + strip * i, self.best_peer(row)
            out.append('<text x="%d" y="%d" text-anchor="end">%s</text>' %
                       (left - 6, y + strip // 2, escape(row)))
            for j, allocator in enumerate(self.allocators):
                out += self.svg_bar(row, allocator, base, y + bar * j, bar - 1, left, scale, most)
            out.append('<text x="%d" y="%d" fill="#555">1 = %s %s</text>' %
                       (right + 6, y + strip // 2, short(base), self.units[row]))
        return '\n'.join(out + ['</svg>', ''])

    def svg_bar(self, row, allocator, base, y, thick, left, scale, most):
        figures = self.samples[row].get(allocator)
        if not figures:
            return []

        def x(figure):
            return left + scale * min(figure / base, most)

        middle, typical = y + thick / 2, self.typical(figures)
        out = ['<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"><title>%s %s: %s %s</title>'
               '</rect>' % (left, y, x(typical) - left, thick, COLOURS[allocator], escape(row),
                            allocator, short(typical), self.units[row])]
        out.append('<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="black"/>' %
                   (x(min(figures)), middle, x(max(figures)), middle))
        if typical / base > most:
            out.append('<text x="%d" y="%d" text-anchor="end" fill="white" font-size="8">%s×</text>' %
                       (left + scale * most - 2, y + thick, short(typical / base)))
        return out
