#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""uses.py DIR - what programs do to a file system at the same time, or in the middle of something else

Prints "ok NAME" or "not ok NAME: WHY" for each. calls.py has what one call does; here is what several do together.
"""
import ctypes
import errno
import fcntl
import mmap
import os
import random
import signal
import struct
import sys
import threading

PAGE = mmap.PAGESIZE
MAPPED = 1 << 20
os.chdir(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)


def create(name, data=b''):
    with open(name, 'wb') as file:
        file.write(data)


def read(name):
    with open(name, 'rb') as file:
        return file.read()


def in_child(fn):
    """What fn says of itself in a process of its own: 0 is good."""
    pid = os.fork()
    if not pid:
        try:
            os._exit(fn())
        except BaseException:
            os._exit(99)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def threads_store_through_one_mapping():
    fd = os.open('map', os.O_RDWR | os.O_CREAT)
    os.ftruncate(fd, MAPPED)
    area = mmap.mmap(fd, MAPPED)

    def store(me):
        rnd = random.Random(me)
        for _ in range(2000):
            at = rnd.randrange(MAPPED // PAGE) * PAGE + me * 8
            area[at:at + 8] = struct.pack('<Q', at)

    threads = [threading.Thread(target=store, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    area.flush()
    data = os.pread(fd, MAPPED, 0)
    assert data == area[:]
    for at in range(0, MAPPED, PAGE):
        for me in range(4):
            assert struct.unpack_from('<Q', data, at + me * 8)[0] in (0, at + me * 8), at
    os.ftruncate(fd, 100)
    os.ftruncate(fd, 2 * PAGE)
    assert os.pread(fd, 2 * PAGE, 0)[100:] == area[100:2 * PAGE] == bytes(2 * PAGE - 100)
    area.close()
    os.close(fd)


def a_private_mapping_keeps_what_it_stored():
    fd = os.open('private', os.O_RDWR | os.O_CREAT)
    os.pwrite(fd, b'A' * PAGE, 0)
    area = mmap.mmap(fd, PAGE, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_WRITE)
    area[0:1] = b'B'
    os.pwrite(fd, b'C', 0)
    assert area[0:1] == b'B' and os.pread(fd, 1, 0) == b'C'
    os.close(fd)


def names_are_listed_once_while_they_are_removed():
    os.mkdir('gone')
    for i in range(3000):
        create('gone/%d' % i)
    seen = 0
    with os.scandir('gone') as entries:
        for entry in entries:
            os.unlink(entry.path)
            seen += 1
    assert seen == 3000 and not os.listdir('gone'), seen


def names_are_listed_once_while_others_are_made():
    os.mkdir('more')
    for i in range(2000):
        create('more/a%d' % i)
    seen = []
    with os.scandir('more') as entries:
        for i, entry in enumerate(entries):
            seen.append(entry.name)
            if i < 1500:
                create('more/b%d' % i)
    assert len(seen) == len(set(seen)) and set('a%d' % i for i in range(2000)) <= set(seen)


def processes_append_whole_lines():
    def append(me):
        fd = os.open('lines', os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for i in range(300):
            os.write(fd, b'%d%07d\n' % (me, i))
        return 0

    children = []
    for me in range(4):
        pid = os.fork()
        if not pid:
            os._exit(append(me))
        children.append(pid)
    for pid in children:
        assert os.waitpid(pid, 0)[1] == 0
    lines = read('lines').split(b'\n')[:-1]
    assert len(set(lines)) == 1200 and all(len(line) == 8 for line in lines)


def signals_break_no_call():
    ticks = [0]

    def tick(*_):
        ticks[0] += 1

    signal.signal(signal.SIGALRM, tick)
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    while ticks[0] < 100:
        create('signalled', b'x' * 5000)
        assert os.stat('signalled').st_size == 5000
        os.rename('signalled', 'signalled too')
        os.unlink('signalled too')
    signal.setitimer(signal.ITIMER_REAL, 0)


def files_without_a_name_stay_until_they_are_closed():
    files = []
    for i in range(500):
        files.append(os.open('unnamed', os.O_RDWR | os.O_CREAT | os.O_EXCL))
        os.write(files[i], b'%d' % i)
        os.unlink('unnamed')
    for i, fd in enumerate(files):
        assert os.pread(fd, 10, 0) == b'%d' % i and os.fstat(fd).st_nlink == 0
        os.close(fd)


def a_name_that_is_replaced_leaves_who_has_it_open_alone():
    create('new', b'new')
    create('old', b'old')
    fd = os.open('old', os.O_RDONLY)
    os.rename('new', 'old')
    assert os.read(fd, 9) == b'old' and read('old') == b'new'
    os.close(fd)


def a_removed_working_directory_takes_no_names():
    def child():
        os.mkdir('cwd')
        os.chdir('cwd')
        os.rmdir('../cwd')
        try:
            create('x')
        except OSError as error:
            return error.errno != errno.ENOENT
        return 1

    assert in_child(child) == 0


def locks_are_between_processes():
    fd = os.open('lock', os.O_RDWR | os.O_CREAT)
    fcntl.lockf(fd, fcntl.LOCK_EX)

    def child():
        try:
            fcntl.lockf(os.open('lock', os.O_RDWR), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            return error.errno not in (errno.EAGAIN, errno.EACCES)
        return 1

    assert in_child(child) == 0
    os.close(fd)


def a_watch_is_told():
    fd = libc.inotify_init1(0)
    assert fd >= 0 and libc.inotify_add_watch(fd, b'.', 0xfff) >= 0
    create('watched', b'x')
    os.unlink('watched')
    assert b'watched' in os.read(fd, 4096)
    os.close(fd)


def two_hundred_folders_deep():
    path = '.'
    for _ in range(200):
        path += '/deeper'
        os.mkdir(path)
    create(path + '/f', b'x')
    assert read(path + '/f') == b'x'


def a_few_bytes_far_apart_take_no_room_between():
    fd = os.open('sparse', os.O_RDWR | os.O_CREAT)
    for at in (0, 1 << 30, 1 << 40, 1 << 43):
        os.pwrite(fd, b'!', at)
    os.fsync(fd)
    assert os.fstat(fd).st_blocks * 512 < 64 * PAGE
    assert os.lseek(fd, PAGE, os.SEEK_DATA) <= 1 << 30 and os.pread(fd, 2, (1 << 40) - 1) == b'\0!'
    os.close(fd)


for use in list(globals().values()):
    if not callable(use) or getattr(use, '__module__', '') != '__main__' or use in (create, read, in_child):
        continue
    try:
        use()
        print('ok', use.__name__)
    except BaseException as error:
        print('not ok %s: %s %s' % (use.__name__, type(error).__name__, error))
