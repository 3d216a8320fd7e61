# SPDX-License-Identifier: MIT
"""jobs.py - which programs are run for which rows, and under which allocators.

Four sets of rows, each a table of its own: main, scale (bench/run --scale: how cost grows),
latency (--latency: single calls) and files (--files: ours beside the kernel's tmpfs). A job is one run of a program that gives a row or several.
"""

import fnmatch
import math
import os
import re
import shutil
import subprocess

import allocators
import real
from runner import Failed

# program: the sets that have rows of it
PROGRAMS = {
    'micro': ['main'],
    'threads': ['main', 'scale'],
    'heap': ['scale'],
    'latency': ['latency'],
    'kernel_api': ['main'],
    'mempool': ['main'],
    'caches': ['scale'],
    'reclaim': ['latency'],
    'files': ['files'],
}
THREADED = ['threads', 'reclaim-kswapd']    # programs, or single rows: not pinned
TMPFS = 'tmpfs'                     # a column: the kernel's files, and the prefix of their rows
OTHER = 'other'                     # a column: what is no malloc and no cache of ours
# Rows for which a malloc that does nothing (floor.c) is the other column.
FLOOR_ROWS = 'lifo(16|32|64|128|256|512|1024)|b?(fifo|lifo)(64|1024)x[0-9]+'
# What the program of a row gets in SLABWORK.
OPTIONS = {'reclaim': 'mem=128M', 'reclaim-kswapd': 'mem=128M kswapd=thread'}
# row: (program and row of ours, program and row of the other column)
PAIRS = {
    'freelist64': (('kernel_api', 'kmem64'), ('kernel_api', 'freelist64')),
    'mempool64': (('kernel_api', 'kmem64'), ('mempool', 'mempool64')),
    'mempool64x32': (('kernel_api', 'bulk64x32'), ('mempool', 'mempool64x32')),
}
INSTRUCTION_ROWS = ['lifo64', 'lifo1024', 'lifo4096', 'calloc64', 'fifo64x1000', 'random64x1000',
                    'churn1024x10k']
INSTRUCTION_OPS = 20000
# Families of rows "name.N" that get a row "name.slope"; beyond LAST a point is no part of it.
FAMILIES = ['heap', 'threads', 'caches']
LAST = {'caches': 10000}
SUFFIX = {'K': 2 ** 10, 'M': 2 ** 20, 'G': 2 ** 30}


class Job:
    """One program run; columns: those allocators it can run under, if they are there."""

    def __init__(self, name, run, columns, once=False):
        self.name, self.run, self.columns, self.once = name, run, columns, once

    def can_run(self, bench, allocator):
        if allocator in self.columns:
            return allocator in bench.libraries or allocator in (allocators.OURS, OTHER, TMPFS)
        return False


def parse_figures(out):
    figures = {}
    for line in out.splitlines():
        row, value, unit = line.split()
        figures[row] = (float(value), unit)
    return figures


def rows_of(bench, program):
    """[(row, what a peer runs instead)] as the program itself lists them."""
    out = subprocess.run([bench.path(program), '--list'], capture_output=True, text=True, check=True)
    return [(line.split() + [''])[:2] for line in out.stdout.splitlines()]


def row_set(row):
    """The set a row of a program belongs to, by its name."""
    if row.startswith(tuple(family + '.' for family in FAMILIES)):
        return 'scale'
    if row.startswith(('fs.', TMPFS + '.')):
        return 'files'
    return 'latency' if row.startswith(('lat.', 'reclaim')) else 'main'


def figures_of(bench, allocator, program, row):
    """What one process of a program prints about a row."""
    speed = ['-m', '8', '-r', '3'] if bench.quick else ['-m', '30', '-r', '5']
    env = {'RUNTIME_DIRECTORY': bench.directory}    # DPDK's, else it makes one in /var/run
    if row in OPTIONS:
        env['SLABWORK'] = OPTIONS[row]
    return parse_figures(bench.output(allocator, [bench.path(program)] + speed + [row],
                                      program in THREADED or row in THREADED or
                                      (program == 'files' and 'x2' in row), env)[0])


def malloc_job(bench, program, row):
    """The same program under every allocator."""
    columns = list(allocators.PEERS)
    if allocators.OURS in bench.libraries:
        columns.append(allocators.OURS)
    if re.fullmatch(FLOOR_ROWS, row):
        columns.append(OTHER)
    return Job(row, lambda allocator: figures_of(bench, allocator, program, row), columns)


def kernel_job(bench, program, row, peer_row):
    """Ours calls the kernel's names, linked and inlined; a peer runs the same work by malloc."""
    def run(allocator):
        if allocator == allocators.OURS:
            return figures_of(bench, None, program, row)
        return {row: figures_of(bench, allocator, 'micro', peer_row)[peer_row]}
    return Job(row, run, [allocators.OURS] + (list(allocators.PEERS) if peer_row else []))


def pair_job(bench, name, ours, other):
    """A row of ours beside something that is no allocator for all programs."""
    def run(allocator):
        program, row = ours if allocator == allocators.OURS else other
        return {name: figures_of(bench, None, program, row)[row]}
    return Job(name, run, [allocators.OURS, OTHER])


def file_jobs(bench, rows):
    """fs.X of ours beside tmpfs.X of the kernel; a row that it has not stands alone."""
    def job(row, theirs):
        def run(allocator):
            name = row if allocator == allocators.OURS else theirs
            return {row: figures_of(bench, None, 'files', name)[name]}
        return Job(row, run, [allocators.OURS] + [TMPFS] * (theirs in names))
    names = {row for row, _ in rows}
    return [job(row, TMPFS + row[2:]) for row, _ in rows if row.startswith('fs.')]


def real_job(bench, name, work):
    def run(allocator):
        try:
            parts = work(bench, allocator)
        except (RuntimeError, OSError, subprocess.SubprocessError) as error:
            raise Failed(str(error)) from error
        return {'%s.%s' % (name, part): figure for part, figure in parts.items()}
    return Job(name, run, list(bench.libraries))


def count_instructions(bench, allocator, program, row, ops):
    command = ['valgrind', '--tool=callgrind', '--callgrind-out-file=/dev/null',
               bench.path(program), '-i', str(ops), row]
    err = bench.output(allocator, command)[1]
    collected = re.search(r'Collected : (\d+)', err)
    if not collected:
        raise Failed('callgrind gave no count')
    return int(collected.group(1))


def instruction_job(bench, row, ours_program='micro', peer_row=None):
    """The difference of two runs, so that start-up and filling cost nothing; once is exact."""
    def run(allocator):
        ours = allocator == allocators.OURS
        program = ours_program if ours else 'micro'
        preload = None if program == 'kernel_api' else allocator
        few, many = (count_instructions(bench, preload, program, row if ours else peer_row or row,
                                        n * INSTRUCTION_OPS) for n in (1, 2))
        return {row + '.instructions': ((many - few) / INSTRUCTION_OPS, 'instr')}
    columns = list(bench.libraries)
    if ours_program == 'kernel_api' and allocators.OURS not in columns:
        columns.append(allocators.OURS)
    return Job(row + '.instructions', run, columns, once=True)


def linked_jobs(bench, built, rows, instructions):
    """Rows of the programs that call the kernel's names, and of what stands beside those."""
    jobs = []
    for program in ('kernel_api', 'caches', 'reclaim'):
        for row, peer in rows.get(program, []):
            if row not in PAIRS:
                jobs.append(kernel_job(bench, program, row, peer if peer != '-' and
                                       program == 'kernel_api' else None))
    for name, (ours, other) in PAIRS.items():
        if ours[0] in built and other[0] in built:
            jobs.append(pair_job(bench, name, ours, other))
    if instructions:
        jobs += [instruction_job(bench, row, 'kernel_api', peer)
                 for row, peer in rows.get('kernel_api', []) if peer != '-']
    return jobs


def real_jobs(bench, wanted_job, notes):
    jobs = []
    for name, (work, tools) in real.WORKS.items():
        missing = [tool for tool in tools if not shutil.which(tool)]
        if not missing:
            jobs.append(real_job(bench, name, work))
        elif wanted_job(name):
            notes.append('%s left out: no %s on this machine' % (name, ' and no '.join(missing)))
    return jobs


HEAP_ROOM = 1.3     # times the size: what the worst allocator holds, and some for the rest


def heap_fits(row, largest, notes):
    """Whether the machine has room for a heap row, so that it does not begin to swap."""
    if not row.startswith('heap.'):
        return True
    size = number_of(row.split('.')[1])
    with open('/proc/meminfo') as lines:
        free = next(int(line.split()[1]) for line in lines if line.startswith('MemAvailable')) * 1024
    if size > largest:
        notes.append('%s left out: --heap-max asks for less' % row)
    elif size * HEAP_ROOM > free:
        notes.append('%s left out: %.1f times its size is not free' % (row, HEAP_ROOM))
    return size <= min(largest, free / HEAP_ROOM)


def all_jobs(bench, which, built, instructions, wanted_job, heap_max, notes):
    """The jobs of one set, in the order of the table."""
    rows = {program: [(row, peer) for row, peer in rows_of(bench, program) if row_set(row) == which]
            for program in built if which in PROGRAMS[program]}
    if which == 'files':
        return [job for job in file_jobs(bench, rows.get('files', [])) if wanted_job(job.name)]
    jobs = []
    for program in ('micro', 'heap', 'threads', 'latency'):
        jobs += [malloc_job(bench, program, row) for row, _ in rows.get(program, [])
                 if wanted_job(row) and heap_fits(row, heap_max, notes)]
    if 'kernel_api' in built or which != 'main':
        jobs += linked_jobs(bench, [p for p in built if which in PROGRAMS[p]], rows, instructions)
    if which == 'main':
        jobs += real_jobs(bench, wanted_job, notes)
        if instructions:
            jobs += [instruction_job(bench, row) for row in INSTRUCTION_ROWS]
    return [job for job in jobs if wanted_job(job.name)]


def wanted(name, patterns):
    """A pattern names rows (redis.peak) or the whole job that gives them (redis)."""
    return any(fnmatch.fnmatchcase(name, p) or fnmatch.fnmatchcase(name, p + '.*') for p in patterns)


def job_wanted(name, patterns):
    return wanted(name, patterns) or any(fnmatch.fnmatchcase(name, p.split('.')[0]) or
                                         fnmatch.fnmatchcase(name, p.rsplit('.', 1)[0])
                                         for p in patterns)


def number_of(text):
    """1000, 64M, 16G as a number; None if it is none."""
    match = re.fullmatch(r'(\d+)([KMG]?)', text)
    return int(match.group(1)) * SUFFIX.get(match.group(2), 1) if match else None


def slope(points):
    """How many times the figure when the number doubles: a line through the logarithms."""
    xs, ys = ([math.log2(point[i]) for point in points] for i in (0, 1))
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    return 2 ** (sum((a - x) * (b - y) for a, b in zip(xs, ys)) / sum((a - x) ** 2 for a in xs))


def family_of(row):
    """('heap.mem', 64 MiB) of heap.64M.mem; (None, None) of a row that is of no family."""
    words = row.split('.')
    number = number_of(words[1]) if len(words) > 1 and words[0] in FAMILIES else None
    return ('.'.join([words[0]] + words[2:]), number) if number else (None, None)


def slope_samples(samples, points):
    """{allocator: [slope of each round]} over [(number, row)]."""
    slopes = {}
    for allocator in samples[points[0][1]]:
        rounds = min(len(samples[row].get(allocator, [])) for _, row in points)
        slopes[allocator] = [slope([(n, samples[row][allocator][turn]) for n, row in points])
                             for turn in range(rounds)]
    return slopes


def with_slopes(samples, units):
    """The same rows, those of a family together and after them its row family.slope."""
    families = {}
    for row in samples:
        family, number = family_of(row)
        if family:
            families.setdefault(family, []).append((number, row))
    ordered = {row: figures for row, figures in samples.items() if not family_of(row)[0]}
    for family, rows in families.items():
        ordered.update((row, samples[row]) for _, row in rows)
        last = LAST.get(family.split('.')[0], rows[-1][0])
        points = [point for point in rows if point[0] <= last]
        if len(points) >= 3:
            ordered[family + '.slope'] = slope_samples(samples, points)
            units[family + '.slope'] = 'x/2x'
    return ordered
