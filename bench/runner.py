# SPDX-License-Identifier: MIT
"""runner.py - builds the programs of this folder and starts programs: pinned, with a preload."""

import contextlib
import os
import shlex
import signal
import subprocess

import allocators

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
CFLAGS = ['-std=gnu11', '-O2', '-g', '-fno-builtin', '-D_GNU_SOURCE', '-pthread']
# With libslabwork; they call the kernel's names.
LINKED = ['kernel_api', 'caches', 'reclaim', 'steps_kernel', 'files']
# What a program is made of beside its own file, if not bench.c.
SOURCES = {'measure': [], 'latency': ['bench.c', 'timer.c'], 'reclaim': ['bench.c', 'timer.c'],
           'steps_malloc': ['steps.c'], 'steps_kernel': ['steps.c'], 'floor': []}


class Failed(Exception):
    """A program did not give a figure; the text says which and why."""


def dpdk_flags():
    try:
        asked = subprocess.run(['pkg-config', '--cflags', '--libs', 'libdpdk'], capture_output=True,
                               text=True)
    except FileNotFoundError:
        return None
    return shlex.split(asked.stdout) if asked.returncode == 0 else None


class Bench:
    """Starts programs: builds them, pins them, preloads into them, reads what they cost."""

    def __init__(self, build, quick, timeout):
        self.build, self.quick, self.timeout = build, quick, timeout
        self.directory = os.path.join(build, 'bench')
        self.libraries = {}
        os.makedirs(self.directory, exist_ok=True)
        cores = sorted(os.sched_getaffinity(0))
        self.core, self.other_core = cores[-1], cores[0]

    def path(self, name):
        return os.path.join(self.directory, name)

    def library(self, allocator):
        return self.libraries.get(allocator) or self.path('floor')

    def on_other_core(self, command):
        return [self.path('measure'), '-c', str(self.other_core), '-r', '/dev/null'] + command

    def compile(self, program):
        """None, or the compiler's complaint."""
        sources = [program + '.c'] + SOURCES.get(program, ['bench.c'])
        command = ['cc'] + CFLAGS + [os.path.join(HERE, source) for source in sources]
        command += ['-o', self.path(program)]
        if program == 'floor':
            command += ['-shared', '-fPIC']
        if program == 'mempool':
            flags = dpdk_flags()
            if flags is None:
                return 'no libdpdk on this machine'
            command += flags
        if program in LINKED:
            if not os.path.exists(os.path.join(self.build, 'libslabwork.so')):
                return 'libslabwork.so is not built'
            command += ['-I' + os.path.join(ROOT, 'include'), '-L' + self.build]
            command += ['-lslabwork-fs'] if program == 'files' else []
            command += ['-lslabwork',
                        '-Wl,-rpath,' + os.path.abspath(self.build)]
        done = subprocess.run(command, capture_output=True, text=True)
        return done.stderr if done.returncode else None

    def start(self, allocator, command, threaded=False, stdin=None, stdout=None, env=None):
        """A running program in a session of its own, and the file its cost will be in."""
        report = self.path('cost')
        line = [self.path('measure'), '-r', report]
        if allocator:
            line += ['-p', self.library(allocator)]
        if not threaded:
            line += ['-c', str(self.core)]
        for option, path in (('-i', stdin), ('-o', stdout)):
            if path:
                line += [option, path]
        environment = {k: v for k, v in os.environ.items() if k != 'LD_PRELOAD'}
        environment.update(env or {}, LC_ALL='C')
        with contextlib.suppress(FileNotFoundError):
            os.unlink(report)
        return subprocess.Popen(line + command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, errors='replace',
                                env=environment, start_new_session=True), report

    def end(self, process):
        """Standard output and error, whatever the end was; no process of it is left."""
        try:
            out, err = process.communicate(timeout=self.timeout)
        except subprocess.TimeoutExpired:
            self.kill(process)
            raise Failed('no end after %d s' % self.timeout) from None
        except BaseException:
            self.kill(process)
            raise
        if process.returncode:
            last = (err.strip().splitlines() or ['no message'])[-1]
            raise Failed('status %d: %s' % (process.returncode, last))
        return out, err

    def kill(self, process):
        """The program and its children, which share the session."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()

    def output(self, allocator, command, threaded=False, env=None):
        return self.end(self.start(allocator, command, threaded, env=env)[0])

    # What real.py uses.

    def measure_start(self, allocator, command, stdin=None, env=None):
        return self.start(allocator, command, stdin=stdin, stdout='/dev/null', env=env)

    def measure_end(self, process, report):
        self.end(process)
        with open(report) as line:
            words = line.read().split()
        return {name: float(value) for name, value in zip(words[::2], words[1::2])}

    def measure(self, allocator, command, stdin=None, env=None):
        return self.measure_end(*self.measure_start(allocator, command, stdin, env))


def find_allocators(bench, asked, notes):
    """Fill bench.libraries with those whose preload really takes the calls of malloc()."""
    for name in asked:
        if name == allocators.OURS:
            path = os.path.abspath(os.path.join(bench.build, 'libslabwork-malloc.so'))
            missing = None if os.path.exists(path) else '%s is not built' % path
        else:
            path = allocators.find_library(allocators.PEERS[name][0])
            missing = None if path else 'no %s on this machine' % allocators.PEERS[name][0]
        if missing:
            notes.append('%s skipped: %s' % (name, missing))
            continue
        bench.libraries[name] = path
        try:
            owner = bench.output(name, [bench.path('micro'), '--which'])[0].strip()
        except Failed as error:
            owner = str(error)
        if os.path.realpath(owner) != os.path.realpath(path):
            notes.append('%s skipped: the preload gives malloc from: %s' % (name, owner))
            del bench.libraries[name]
