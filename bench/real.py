# SPDX-License-Identifier: MIT
"""real.py - what do unmodified programs cost: CPU time, peak memory, memory kept?

Each work is a function (bench, allocator) that returns {row part: (figure, unit)}. CPU time
is user and system of all processes of the work; .peak is the largest of them. In the redis
work the server has one core and the load generator, under the system's malloc, the other;
.held is the server's memory one second after FLUSHALL SYNC.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
REDIS_TESTS = 'set,get,lpush,lpop,sadd,hset,zadd'
REDIS_REQUESTS = 150000         # of each test; a fifth of it with --quick
REDIS_SETTLE_SECONDS = 1
PYTHON = '/usr/bin/python3' if os.path.exists('/usr/bin/python3') else 'python3'


def cost(figures):
    return {'cpu': (figures['cpu'], 's'), 'peak': (figures['peak_kib'] / 1024, 'MiB')}


def sqlite3(bench, allocator):
    return cost(bench.measure(allocator, ['sqlite3', ':memory:'],
                              stdin=os.path.join(HERE, 'real', 'sqlite.sql')))


def python3(bench, allocator):
    return cost(bench.measure(allocator, [PYTHON, '-I', os.path.join(HERE, 'real', 'objects.py')]))


def python3_malloc(bench, allocator):
    """-E or -I would make python ignore PYTHONMALLOC, so neither is given."""
    return cost(bench.measure(allocator, [PYTHON, os.path.join(HERE, 'real', 'objects.py')],
                              env={'PYTHONMALLOC': 'malloc'}))


def generated(bench, name, script):
    """The file that a script of real/ prints; made again when the script is newer."""
    path, script = bench.path(name), os.path.join(HERE, 'real', script)
    if not os.path.exists(path) or os.path.getmtime(path) < os.path.getmtime(script):
        with open(path + '.new', 'w') as out:
            subprocess.run([PYTHON, script], stdout=out, check=True)
        os.rename(path + '.new', path)
    return path


def compiled(bench, allocator, command, source):
    """An object file of some size must come of it."""
    result = source + '.o'
    with contextlib.suppress(FileNotFoundError):
        os.unlink(result)
    figures = cost(bench.measure(allocator, command + ['-O2', '-c', source, '-o', result]))
    if os.path.getsize(result) < 10000:
        raise RuntimeError('the compiler wrote next to nothing')
    return figures


def gcc(bench, allocator):
    return compiled(bench, allocator, ['gcc'], generated(bench, 'generated.c', 'make_c.py'))


def clang(bench, allocator):
    return compiled(bench, allocator, ['clang++', '-std=c++17'],
                    generated(bench, 'generated.cpp', 'make_cpp.py'))


def node(bench, allocator):
    """The script throws where a result is wrong."""
    return cost(bench.measure(allocator, ['node', os.path.join(HERE, 'real', 'objects.js')]))


GIT = ['git', '-c', 'gc.auto=0', '-c', 'pack.threads=1', '-c', 'safe.directory=*']
GIT_ENV = {'GIT_CONFIG_GLOBAL': '/dev/null', 'GIT_CONFIG_NOSYSTEM': '1'}


def git(repository, *command, stdin=None):
    return subprocess.run(GIT + ['-C', repository] + list(command), stdin=stdin, check=True,
                          capture_output=True, env=dict(os.environ, **GIT_ENV)).stdout


def loose_repository(bench):
    """A bare repository all of whose objects are loose files; made once, for all runs."""
    repository, stream = bench.path('repository'), generated(bench, 'repository.stream', 'make_repo.py')
    if os.path.exists(repository) and os.path.getmtime(repository) >= os.path.getmtime(stream):
        return repository
    work = bench.path('repository.new')
    shutil.rmtree(work, ignore_errors=True)
    os.mkdir(work)
    git(work, 'init', '--quiet', '--bare')
    with open(stream, 'rb') as text:
        git(work, 'fast-import', '--quiet', stdin=text)
    packs = os.path.join(work, 'objects', 'pack')
    os.rename(packs, packs + 's')       # git would not unpack what it has already
    os.mkdir(packs)
    for name in os.listdir(packs + 's'):
        if name.endswith('.pack'):
            with open(os.path.join(packs + 's', name), 'rb') as pack:
                git(work, 'unpack-objects', '-q', stdin=pack)
    shutil.rmtree(packs + 's')
    shutil.rmtree(repository, ignore_errors=True)
    os.rename(work, repository)
    return repository


def objects_of(repository):
    lines = git(repository, 'count-objects', '-v').decode().splitlines()
    counts = dict(line.split(': ') for line in lines)
    return int(counts['count']), int(counts['in-pack'])


def git_gc(bench, allocator):
    """In a copy by links, since git replaces files and never writes into one. Every object that
    was loose must be in the pack afterwards."""
    template, work = loose_repository(bench), bench.path('repository.gc')
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(template, work, copy_function=os.link)
    figures = cost(bench.measure(allocator, GIT + ['-C', work, 'gc', '--quiet', '--prune=now'],
                                 env=GIT_ENV))
    if objects_of(work) != (0, objects_of(template)[0]):
        raise RuntimeError('git gc lost objects: %s' % (objects_of(work),))
    shutil.rmtree(work)
    return figures


def redis_say(port, *words):
    """One command; the first chunk of the answer, which is enough for what is asked here."""
    with socket.create_connection(('127.0.0.1', port), timeout=20) as link:
        link.sendall(' '.join(words).encode() + b'\r\n')
        return link.recv(65536).decode(errors='replace')


def redis_wait(port, server):
    for _ in range(500):
        try:
            info = redis_say(port, 'INFO', 'server')
            return int(info.split('process_id:')[1].split()[0])
        except (OSError, IndexError):
            if server.poll() is not None:
                break
            time.sleep(0.02)
    raise RuntimeError('redis-server does not answer')


def status_mib(pid, field):
    with open('/proc/%d/status' % pid) as status:
        for line in status:
            if line.startswith(field + ':'):
                return int(line.split()[1]) / 1024
    raise RuntimeError('no %s for %d' % (field, pid))


def redis_load(bench, allocator, port, pid):
    """The bounded load, then peak and held memory in MiB; the server has been told to end."""
    with open('/proc/%d/maps' % pid) as maps:
        if os.path.realpath(bench.library(allocator)) not in maps.read():
            raise RuntimeError('the server runs without the preload')
    requests = REDIS_REQUESTS // 5 if bench.quick else REDIS_REQUESTS
    load = ['redis-benchmark', '-p', str(port), '-q', '-t', REDIS_TESTS, '-n', str(requests),
            '-r', '100000', '-d', '200', '-P', '16']
    subprocess.run(bench.on_other_core(load), check=True, stdout=subprocess.DEVNULL,
                   timeout=bench.timeout)
    redis_say(port, 'FLUSHALL', 'SYNC')
    time.sleep(REDIS_SETTLE_SECONDS)
    figures = status_mib(pid, 'VmHWM'), status_mib(pid, 'VmRSS')
    with contextlib.suppress(OSError):  # the server may close the connection without a word
        redis_say(port, 'SHUTDOWN', 'NOSAVE')
    return figures


def redis(bench, allocator):
    link = bench.path('redis-server')
    if not os.path.islink(link):
        os.symlink(shutil.which('redis-check-rdb'), link)
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    command = [link, '--port', str(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no',
               '--dir', bench.path('')]
    server, report = bench.measure_start(allocator, command)
    try:
        peak, held = redis_load(bench, allocator, port, redis_wait(port, server))
    except BaseException:
        bench.kill(server)
        raise
    figures = bench.measure_end(server, report)
    return {'cpu': (figures['cpu'], 's'), 'peak': (peak, 'MiB'), 'held': (held, 'MiB')}


# row: (the work, the commands it needs)
WORKS = {
    'sqlite3': (sqlite3, ['sqlite3']),
    'python3-malloc': (python3_malloc, [PYTHON]),
    'python3': (python3, [PYTHON]),
    'gcc': (gcc, ['gcc']),
    'clang': (clang, ['clang++']),
    'git-gc': (git_gc, ['git']),
    'node': (node, ['node']),
    'redis': (redis, ['redis-check-rdb', 'redis-benchmark']),
}
