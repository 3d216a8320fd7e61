# SPDX-License-Identifier: MIT
"""allocators.py - who runs beside us, which library that is, and which package brings it."""

import os
import shutil
import subprocess

# column: (file name the loader knows, Debian packages that bring it)
PEERS = {
    'glibc': ('libc.so.6', []),
    'mimalloc': ('libmimalloc.so.2', ['libmimalloc2.0']),
    'jemalloc': ('libjemalloc.so.2', ['libjemalloc2']),
    'tcmalloc': ('libtcmalloc_minimal.so.4', ['libtcmalloc-minimal4']),
}
OURS = 'slabwork'

# command: package. redis-check-rdb is the same file as redis-server (it looks at its own
# name); its package, unlike redis-server's, starts no service on the machine.
TOOLS = {
    'cc': 'gcc',
    'clang++': 'clang',
    'gcc': 'gcc',
    'git': 'git',
    'node': 'nodejs',
    'sqlite3': 'sqlite3',
    'redis-benchmark': 'redis-tools',
    'redis-check-rdb': 'redis-tools',
    'valgrind': 'valgrind',
}


def find_library(name):
    """The path the loader would take for a file name, or None.

    glibc is asked for as the file this very process has mapped: its column preloads it too,
    because programs such as Debian's redis-server link another allocator.
    """
    if name == 'libc.so.6':
        with open('/proc/self/maps') as maps:
            for line in maps:
                if line.rstrip().endswith('/libc.so.6'):
                    return line.split()[-1]
        return None
    ldconfig = shutil.which('ldconfig') or '/sbin/ldconfig'
    cache = subprocess.run([ldconfig, '-p'], capture_output=True, text=True).stdout
    machine = {'x86_64': 'x86-64', 'aarch64': 'AArch64'}.get(os.uname().machine, '')
    for line in cache.splitlines():
        words = line.split()
        if words and words[0] == name and machine in line:
            return words[-1]
    return None


def missing_packages(peers, tools):
    packages = [p for peer in peers for p in PEERS[peer][1] if not find_library(PEERS[peer][0])]
    packages += [TOOLS[tool] for tool in tools if tool in TOOLS and not shutil.which(tool)]
    return list(dict.fromkeys(packages))


def install(packages):
    """Install with apt as root or through sudo; else say how. True if apt went through.

    What cannot be had must not keep the others away: after a failure each is tried alone.
    """
    line = ['apt-get', 'install', '-y', '--no-install-recommends']
    if os.geteuid() != 0:
        line = ['sudo'] + line
    print('missing: ' + ' '.join(line + packages), flush=True)
    if not shutil.which(line[0]):
        return False
    quiet = {'stdout': subprocess.DEVNULL, 'env': dict(os.environ, DEBIAN_FRONTEND='noninteractive')}

    def succeeds(command):
        return subprocess.run(command, **quiet).returncode == 0

    if succeeds(line + packages):
        return True
    succeeds(line[:line.index('apt-get') + 1] + ['update'])
    return succeeds(line + packages) or all([succeeds(line + [package]) for package in packages])


def package_version(path):
    """'package version' of the Debian package that owns a file, or ''."""
    if not shutil.which('dpkg'):
        return ''
    for candidate in (path, os.path.realpath(path), '/usr' + path, path.replace('/usr', '', 1)):
        owner = subprocess.run(['dpkg', '-S', candidate], capture_output=True, text=True).stdout
        if owner:
            package = owner.rsplit(': ', 1)[0].split(',')[0]
            shown = subprocess.run(['dpkg-query', '-W', '-f', '${Package} ${Version}', package],
                                   capture_output=True, text=True).stdout
            return shown
    return ''
