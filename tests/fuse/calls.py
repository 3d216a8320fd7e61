#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""calls.py DIR - system calls in DIR, one line each: the group, the call, its result or errno

Two file systems that behave alike print the same. What may differ (inode numbers, times of now, blocks of
directories) is not printed.
"""
import ctypes
import errno
import mmap
import os
import stat
import sys
import time

libc = ctypes.CDLL(None, use_errno=True)
os.chdir(sys.argv[1])
os.umask(0o022)
group = ""


def show(what, value=None):
    print(group, what, value, sep=" " if value is not None else " ", flush=True)


def call(what, fn, *args, **kw):
    try:
        value = fn(*args, **kw)
    except OSError as e:
        value = errno.errorcode.get(e.errno, e.errno)
    except ValueError as e:
        value = f"ValueError {e}"
    show(what, value)
    return value


def st(name, follow=True):
    s = os.stat(name, follow_symlinks=follow)
    return f"{stat.filemode(s.st_mode)} {s.st_nlink} {s.st_uid}:{s.st_gid} {s.st_size if not stat.S_ISDIR(s.st_mode) else '-'}"


def write(name, data=b""):
    with open(name, "wb") as f:
        f.write(data)


def raw(name, *args):
    ctypes.set_errno(0)
    r = getattr(libc, name)(*args)
    if r < 0:
        raise OSError(ctypes.get_errno(), "")
    return r


def syscall(nr, *args):
    ctypes.set_errno(0)
    r = libc.syscall(nr, *args)
    if r < 0:
        raise OSError(ctypes.get_errno(), "")
    return r


def rename2(a, b, flags):
    return raw("renameat2", -100, os.fsencode(a), -100, os.fsencode(b), flags)


group = "names"
call("255 bytes", write, "n" * 255)
call("256 bytes", write, "n" * 256)
call("mkdir 256", os.mkdir, "n" * 256)
call("symlink 256", os.symlink, "x", "n" * 256)
call("rename to 256", os.rename, "n" * 255, "n" * 256)
call("stat 256", os.stat, "n" * 256)
call("any bytes", write, bytes(range(1, 47)) + bytes(range(48, 250)))
call("list", lambda: sorted(map(len, os.listdir(b"."))))
call("utf-8", write, "žluťoučký kůň ☃")
call("path too long", os.stat, "./" * 2100 + "x")
call("long path", lambda: stat.S_ISDIR(os.stat("./" * 2000).st_mode))
call("empty", os.stat, "")
call("dot", os.mkdir, ".")
call("dotdot", os.rmdir, "..")
call("trailing slash on a file", os.stat, "n" * 255 + "/")
call("missing", os.stat, "missing")
call("missing again", os.stat, "missing")
call("made now", write, "missing")
call("seen now", lambda: st("missing"))
for n in os.listdir(b"."):
    os.unlink(n)
call("all gone", lambda: os.listdir("."))

group = "directories"
call("mkdir", os.mkdir, "d")
call("mkdir again", os.mkdir, "d")
call("stat", lambda: st("d"))
call("mkdir in it", os.makedirs, "d/e/f")
call("links", lambda: [os.stat(p).st_nlink for p in ("d", "d/e", "d/e/f")])
call("rmdir not empty", os.rmdir, "d")
call("unlink of a directory", os.unlink, "d")
call("rmdir", os.rmdir, "d/e/f")
call("links after", lambda: [os.stat(p).st_nlink for p in ("d", "d/e")])
call("rmdir of a file", lambda: (write("d/x"), os.rmdir("d/x")))
call("file as directory", os.stat, "d/x/y")
call("open a directory for writing", os.open, "d", os.O_RDWR)
fd = os.open("d/e", os.O_RDONLY)
call("rmdir of an open one", os.rmdir, "d/e")
call("mkdir in a removed one", os.mkdir, "g", dir_fd=fd)
call("list a removed one", os.listdir, fd)
os.close(fd)
for i in range(3000):
    write(f"d/f{i:04}")
call("3000 names", lambda: len(os.listdir("d")))
seen = set()
with os.scandir("d") as it:
    for n, e in enumerate(it):
        seen.add(e.name)
        if n % 3 == 0:
            os.unlink(f"d/{e.name}")
call("names while they go: each once", lambda: (len(seen), len(os.listdir("d"))))
for n in os.listdir("d"):
    os.unlink(f"d/{n}")
call("and gone", os.rmdir, "d")
call("types", lambda: (os.mkdir("t"), write("t/f"), os.symlink("x", "t/l"), os.mkfifo("t/p"), os.mkdir("t/d"), sorted(
    (e.name, e.is_dir(follow_symlinks=False), e.is_symlink(), e.is_file(follow_symlinks=False)) for e in os.scandir("t")))[-1])
os.system("rm -rf t")

group = "links"
write("a", b"contents")
call("link", os.link, "a", "b")
call("same file", lambda: os.path.samefile("a", "b"))
call("nlink", lambda: (st("a"), st("b")))
call("link onto a name", os.link, "a", "b")
call("unlink the first", os.unlink, "a")
call("nlink now", lambda: st("b"))
call("contents", lambda: open("b", "rb").read())
call("link it back", os.link, "b", "a")
call("append by one, read by the other", lambda: (open("a", "ab").write(b"+"), open("b", "rb").read()))
os.mkdir("d")
call("link a directory", os.link, "d", "e")
call("link to nowhere", os.link, "nowhere", "e")
call("symlink", os.symlink, "b", "s")
call("readlink", os.readlink, "s")
call("lstat", lambda: st("s", False))
call("stat through it", lambda: st("s"))
call("long symlink", lambda: (os.symlink("x" * 4000, "long"), len(os.readlink("long")), os.lstat("long").st_size))
call("too long symlink", os.symlink, "x" * 4096, "longer")
call("empty symlink", os.symlink, "", "none")
call("loop", lambda: (os.symlink("l2", "l1"), os.symlink("l1", "l2"), os.stat("l1")))
call("O_NOFOLLOW", os.open, "s", os.O_RDONLY | os.O_NOFOLLOW)
call("dangling", lambda: (os.symlink("not/there", "dang"), os.stat("dang")))
call("create through dangling", lambda: (os.symlink("target", "dang2"), write("dang2", b"x"), st("target")))
call("readlink of a file", os.readlink, "a")
call("through 39 links", lambda: ([os.symlink("b" if i == 0 else f"c{i - 1}", f"c{i}") for i in range(39)], st("c38"))[1])
call("through 45 links", lambda: ([os.symlink(f"c{i - 1}", f"c{i}") for i in range(39, 45)], st("c44"))[1])
os.system("rm -rf ./*")

group = "rename"
for kind_a in ("file", "dir", "full", "link"):
    for kind_b in ("none", "file", "dir", "full", "link", "same"):
        os.mkdir("w")
        os.chdir("w")
        for name, kind in (("a", kind_a), ("b", kind_b)):
            if kind == "file":
                write(name, name.encode())
            elif kind == "dir":
                os.mkdir(name)
            elif kind == "full":
                os.makedirs(name + "/x")
            elif kind == "link":
                os.symlink("t" + name, name)
            elif kind == "same" and kind_a == "file":
                os.link("a", "b")
        for flags in (0, 1, 2) if kind_a != kind_b else (0,):
            call(f"{kind_a} to {kind_b} flags {flags}", rename2, "a", "b", flags)
            call("  left", lambda: sorted((n, st(n, False)) for n in os.listdir(".")))
        os.chdir("..")
        os.system("rm -rf w")
os.makedirs("p/q/r")
call("into itself", os.rename, "p", "p/q/s")
call("onto its parent", os.rename, "p/q/r", "p/q")
call("onto its grandparent", os.rename, "p/q/r", "p")
call("exchange with its parent", rename2, "p/q/r", "p/q", 2)
call("to another directory", os.rename, "p/q/r", "t")
call("links", lambda: [os.stat(x).st_nlink for x in ("p", "p/q", "t")])
call("back", os.rename, "t", "p/q/r")
call("dot", os.rename, "p/.", "t")
call("unknown flags", rename2, "p", "t", 8)
write("f", b"12345")
fd = os.open("f", os.O_RDWR)
write("g", b"g")
call("over an open file", os.rename, "g", "f")
call("the open one lives", lambda: (os.pread(fd, 10, 0), os.fstat(fd).st_nlink))
call("and can be written", os.pwrite, fd, b"xyz", 3)
call("and read", os.pread, fd, 10, 0)
os.close(fd)
call("a file renamed keeps its time", lambda: (os.utime("f", (5, 6)), os.rename("f", "h"), os.stat("h").st_mtime)[-1])
os.system("rm -rf ./*")

group = "open"
call("not there", os.open, "x", os.O_RDWR)
fd = call("create", lambda: 1 if os.close(os.open("x", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o640)) is None else 0)
call("mode", lambda: st("x"))
call("O_EXCL", os.open, "x", os.O_RDWR | os.O_CREAT | os.O_EXCL)
call("O_DIRECTORY of a file", os.open, "x", os.O_RDONLY | os.O_DIRECTORY)
call("O_CREAT of a directory", lambda: (os.mkdir("d"), os.open("d", os.O_CREAT | os.O_RDWR)))
call("O_TRUNC", lambda: (write("x", b"12345"), os.close(os.open("x", os.O_WRONLY | os.O_TRUNC)), st("x"))[-1])
fd = os.open("ro", os.O_RDWR | os.O_CREAT, 0o400)
call("write to a file created read-only", os.write, fd, b"object")
call("read it", os.pread, fd, 100, 0)
os.close(fd)
call("mode of it", lambda: st("ro"))
fd = os.open("ap", os.O_RDWR | os.O_CREAT | os.O_APPEND)
call("append", lambda: (os.write(fd, b"one"), os.lseek(fd, 0, 0), os.write(fd, b"two"), os.pread(fd, 10, 0)))
other = os.open("ap", os.O_WRONLY | os.O_APPEND)
call("append by two", lambda: (os.write(other, b"three"), os.write(fd, b"four"), os.pread(fd, 30, 0)))
os.close(fd)
os.close(other)
fd = os.open("gone", os.O_RDWR | os.O_CREAT)
os.unlink("gone")
call("an unlinked file", lambda: (os.write(fd, b"still"), os.pread(fd, 9, 0), os.fstat(fd).st_nlink, os.fstat(fd).st_size))
call("is truncated", lambda: (os.ftruncate(fd, 2), os.pread(fd, 9, 0), os.fchmod(fd, 0o600), oct(os.fstat(fd).st_mode)))
call("not there by name", os.stat, "gone")
os.close(fd)
call("fifo", lambda: (os.mkfifo("pipe"), st("pipe")))
r = os.open("pipe", os.O_RDONLY | os.O_NONBLOCK)
w = os.open("pipe", os.O_WRONLY)
call("fifo carries", lambda: (os.write(w, b"x"), os.read(r, 5)))
os.close(r)
os.close(w)
call("socket", lambda: (__import__("socket").socket(1).bind("sock"), stat.filemode(os.lstat("sock").st_mode)))
if os.getuid() == 0:
    call("device", lambda: (os.mknod("dev", 0o600 | stat.S_IFCHR, os.makedev(1, 3)), st("dev"), os.stat("dev").st_rdev))
call("O_PATH", lambda: (os.close(os.open("x", 0o10000000)), 0)[1])
call("O_DIRECT", lambda: 0 if os.close(os.open("x", os.O_RDWR | os.O_DIRECT)) is None else 1) if "--direct" in sys.argv else None
os.system("rm -rf ./*")

group = "data"
fd = os.open("f", os.O_RDWR | os.O_CREAT)
call("hole", lambda: (os.pwrite(fd, b"end", 100000), os.pread(fd, 5, 99998), os.fstat(fd).st_size))
call("zeros", lambda: os.pread(fd, 99990, 0) == bytes(99990))
call("past the end", os.pread, fd, 10, 100003)
call("at the end", os.pread, fd, 10, 100001)
call("short", os.pread, fd, 10, 99999)
call("shrink", lambda: (os.ftruncate(fd, 10), os.fstat(fd).st_size))
call("grow shows zeros", lambda: (os.ftruncate(fd, 5000), os.pread(fd, 5000, 0) == bytes(5000)))
call("shrink within a page", lambda: (os.pwrite(fd, b"x" * 5000, 0), os.ftruncate(fd, 100), os.ftruncate(fd, 200), os.pread(fd, 500, 90)))
call("write across the end", lambda: (os.pwrite(fd, b"y" * 8192, 150), os.fstat(fd).st_size, os.pread(fd, 100, 100) == b"\0" * 50 + b"y" * 50))
call("negative", os.pread, fd, 1, -1) if False else None
call("truncate to a negative length", os.ftruncate, fd, -1)
call("writev", lambda: (os.lseek(fd, 0, 0), os.writev(fd, [b"a" * 3, b"", b"b" * 5000]), os.lseek(fd, 0, 1)))
call("preadv", lambda: (lambda a, b: (os.preadv(fd, [a, b], 1), bytes(a), bytes(b)))(bytearray(2), bytearray(2)))
big = bytes(i * 7 % 251 for i in range(3 << 20))
call("3 MiB", lambda: (os.pwrite(fd, big, 12345), os.pread(fd, 3 << 20, 12345) == big))
call("a byte of it", lambda: os.pread(fd, 1, 12345 + (2 << 20)) == big[2 << 20:(2 << 20) + 1])
call("fsync", os.fsync, fd)
call("fdatasync", os.fdatasync, fd)
os.close(fd)
fd = os.open("f", os.O_RDWR)
call("after reopening", lambda: os.pread(fd, 3 << 20, 12345) == big)
call("sendfile", lambda: (lambda o: (os.sendfile(o, fd, 12345, 100000), os.pread(o, 100000, 0) == big[:100000], os.close(o)))(os.open("s", os.O_RDWR | os.O_CREAT)))
call("copy_file_range", lambda: (lambda o: (os.copy_file_range(fd, o, 100000, 12345, 50), os.pread(o, 100000, 50) == big[:100000], os.close(o)))(os.open("c", os.O_RDWR | os.O_CREAT)))
os.close(fd)
fd = os.open("m", os.O_RDWR | os.O_CREAT)
os.ftruncate(fd, 20000)
with mmap.mmap(fd, 20000) as mm:
    mm[5000:5005] = b"map!!"
    call("a store is read", os.pread, fd, 5, 5000)
    os.pwrite(fd, b"call!", 9000)
    call("a write is in the mapping", lambda: mm[9000:9005])
    mm.flush()
call("after unmapping", lambda: os.pread(fd, 4005, 5000) == b"map!!" + bytes(3995) + b"call!")
os.close(fd)
fd = os.open("h", os.O_RDWR | os.O_CREAT)
call("posix_fallocate", lambda: (os.posix_fallocate(fd, 0, 100000), os.fstat(fd).st_size, os.fstat(fd).st_blocks >= 196))
os.pwrite(fd, b"z" * 100000, 0)
call("punch", lambda: (raw("fallocate", fd, 3, ctypes.c_long(8192), ctypes.c_long(16384)), os.pread(fd, 100000, 0) == b"z" * 8192 + bytes(16384) + b"z" * (100000 - 24576)))
call("punch within a page", lambda: (raw("fallocate", fd, 3, ctypes.c_long(100), ctypes.c_long(50)), os.pread(fd, 100, 90) == b"z" * 10 + bytes(50) + b"z" * 40))
call("keep size", lambda: (raw("fallocate", fd, 1, ctypes.c_long(100000), ctypes.c_long(50000)), os.fstat(fd).st_size))
call("punch without keep", lambda: raw("fallocate", fd, 2, ctypes.c_long(0), ctypes.c_long(50)))
call("length 0", lambda: raw("fallocate", fd, 0, ctypes.c_long(0), ctypes.c_long(0)))
call("seek data", lambda: os.lseek(fd, 30000, os.SEEK_DATA))
call("seek past the end", os.lseek, fd, 200000, os.SEEK_DATA)
os.close(fd)
fd = os.open("h", os.O_RDONLY)
call("write to read-only", os.write, fd, b"x")
os.close(fd)
fd = os.open("holes", os.O_RDWR | os.O_CREAT)
for at in (0, 1 << 20, 5 << 20):
    os.pwrite(fd, b"d" * 4096, at)
os.fsync(fd)
call("seek holes", lambda: [os.lseek(fd, at, os.SEEK_HOLE) for at in (0, 5000, 1 << 20, (5 << 20) + 1)])
call("seek data", lambda: [os.lseek(fd, at, os.SEEK_DATA) for at in (0, 4096, 5000, 2 << 20)])
call("what it takes", lambda: os.fstat(fd).st_blocks)
os.close(fd)
fd = os.open("e", os.O_RDWR | os.O_CREAT)
call("truncate to the most", lambda: (os.ftruncate(fd, (1 << 63) - 1), os.fstat(fd).st_size))
call("write at the most", os.pwrite, fd, b"xy", (1 << 63) - 2)
call("back to nothing", lambda: (os.ftruncate(fd, 0), os.fstat(fd).st_size))
os.close(fd)
os.system("rm -rf ./*")

group = "attributes"
write("f", b"x")
call("chmod", lambda: (os.chmod("f", 0o7755), st("f")))
call("chmod of a directory", lambda: (os.mkdir("d"), os.chmod("d", 0o1777), st("d")))
call("utime", lambda: (os.utime("f", ns=(1234567890123456789, 987654321987654321)), os.stat("f").st_atime_ns, os.stat("f").st_mtime_ns))
call("before 1970", lambda: (os.utime("f", (-5, -7)), os.stat("f").st_mtime))
call("far ahead", lambda: (os.utime("f", (1 << 33, 1 << 33)), os.stat("f").st_mtime))
t = time.time()
call("utime now", lambda: (os.utime("f"), abs(os.stat("f").st_mtime - t) < 5))
call("write moves mtime", lambda: (os.utime("f", (1, 1)), write("f", b"yy"), abs(os.stat("f").st_mtime - t) < 30))
call("read does not", lambda: (os.utime("f", (1, 1)), open("f").read(), os.stat("f").st_mtime))
call("and it stays", lambda: (write("f", b"z"), os.utime("f", (3, 4)), open("f", "rb").read(), os.stat("f").st_mtime, os.stat("f").st_size))
call("create moves the directory", lambda: (os.utime("d", (1, 1)), write("d/x"), abs(os.stat("d").st_mtime - t) < 30))
call("unlink moves it", lambda: (os.utime("d", (1, 1)), os.unlink("d/x"), abs(os.stat("d").st_mtime - t) < 30))
call("chmod moves ctime", lambda: abs(os.stat("f").st_ctime - t) < 60)
if os.getuid() == 0:
    call("chown", lambda: (os.chmod("f", 0o6755), os.chown("f", 5, 6), st("f")))
    call("chown of a symlink", lambda: (os.symlink("f", "s"), os.lchown("s", 7, 8), st("s", False)))
    call("setgid directory", lambda: (os.chown("d", 0, 9), os.chmod("d", 0o2755), write("d/y"), os.mkdir("d/z"), st("d/y"), st("d/z")))
    os.chmod(".", 0o755)

    def as_user(fn):
        r, w = os.pipe()
        pid = os.fork()
        if not pid:
            os.setgroups([])
            os.setresgid(1000, 1000, 1000)
            os.setresuid(1000, 1000, 1000)
            try:
                v = str(fn())
            except OSError as e:
                v = errno.errorcode[e.errno]
            os.write(w, v.encode())
            os._exit(0)
        os.close(w)
        v = os.read(r, 1000).decode()
        os.waitpid(pid, 0)
        os.close(r)
        return v

    os.mkdir("u")
    os.chown("u", 1000, 1000)
    write("secret", b"x")
    os.chmod("secret", 0o600)
    call("another user: reads a secret", as_user, lambda: open("secret").read())
    call("another user: makes a name", as_user, lambda: write("mine"))
    call("another user: in his directory", as_user, lambda: (write("u/mine", b"1"), st("u/mine")))
    call("another user: chmod of root's", as_user, lambda: os.chmod("secret", 0o666))
    call("another user: chown of his own", as_user, lambda: os.chown("u/mine", 0, 0))
    call("another user: unlinks root's", as_user, lambda: os.unlink("secret"))
    os.mkdir("sticky")
    os.chmod("sticky", 0o1777)
    write("sticky/roots")
    call("another user: sticky", as_user, lambda: os.unlink("sticky/roots"))
    call("another user: his in sticky", as_user, lambda: (write("sticky/mine"), os.unlink("sticky/mine")))
    os.chmod("u/mine", 0o4777)
    call("a write by another removes suid", lambda: (os.chown("u/mine", 0, 0), os.chmod("u/mine", 0o4777), as_user(lambda: write("u/mine", b"new")), st("u/mine")))
call("access", lambda: [os.access("f", m) for m in (os.F_OK, os.R_OK, os.W_OK)])
fd = os.open("f", os.O_RDWR)
import fcntl
call("flock", lambda: fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB))
call("posix lock", lambda: fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB))
os.close(fd)
call("statvfs", lambda: (os.statvfs(".").f_namemax, os.statvfs(".").f_bsize))
os.system("rm -rf ./* ")
call("empty at the end", lambda: os.listdir("."))
