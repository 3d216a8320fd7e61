# SPDX-License-Identifier: MIT
"""report.py - one run as a table and as JSON; picture.py draws it. It states figures, never a verdict."""

import fnmatch
import json
from statistics import median

from picture import short


def read_limits(path):
    with open(path) as lines:
        words = [line.split() for line in lines if line.strip() and line[0] != '#']
    return [(pattern, beside, float(value)) for pattern, beside, value in words]


def shown(value):
    return '-' if value is None else short(value)


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
        text = shown(self.figure(row, allocator))
        if spread and figures and len(figures) > 1:
            text += ' (%s–%s)' % (shown(min(figures)), shown(max(figures)))
        return text

    def lines(self, spread):
        head = ['row', 'unit'] + self.allocators
        yield head + ['/best', '/glibc', 'limit']
        for row in self.samples:
            yield ([row, self.units[row]] + [self.cell(row, a, spread) for a in self.allocators] +
                   [shown(self.ratio(row, self.best_peer(row))),
                    shown(self.ratio(row, self.figure(row, 'glibc'))), self.limit(row)])

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
