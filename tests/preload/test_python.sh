#!/bin/sh
# SPDX-License-Identifier: MIT
# test_python.sh - python3, once as it is and once with every object through malloc
# shellcheck source=/dev/null disable=SC2154
. "$SRC/tests/preload/lib.sh"

python=$(command -v /usr/bin/python3 || command -v python3)

cat >objects.py <<'END'
import json, random, re, collections, threading, subprocess, sys, gc
random.seed(7)
data = [{"id": i, "name": "n%d" % i, "tags": [random.randint(0, 99) for _ in range(i % 9)]}
        for i in range(30000)]
text = json.dumps(data)
back = json.loads(text)
assert back == data
print(len(text), sum(len(d["tags"]) for d in back))
count = collections.Counter(re.findall(r"n\d(\d)", text))
print(sorted(count.items()))
results = []
def work(k):
    d = {}
    for i in range(20000):
        d[(i * 31 + k) % 5000] = [str(i)] * (i % 7)
    results.append(sum(len(v) for v in d.values()))
threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
for t in threads: t.start()
for t in threads: t.join()
print(sorted(results))
print(len(subprocess.run([sys.executable, "-c", "print('x' * 100000)"], capture_output=True).stdout))
b = bytearray()
for i in range(300):
    b += bytes(10000)
    if i % 50 == 0: b = b[: len(b) // 2]
print(len(b))
gc.collect()
END
same objects_json_threads "$python" objects.py
PYTHONMALLOC=malloc
export PYTHONMALLOC
same all_objects_through_malloc "$python" objects.py

cat >compile.py <<'END'
import ast, os, sysconfig, hashlib, marshal
top = sysconfig.get_paths()["stdlib"]
h = hashlib.md5()
names = sorted(n for n in os.listdir(top) if n.endswith(".py"))[:60]
for n in names:
    src = open(os.path.join(top, n), "rb").read()
    h.update(marshal.dumps(compile(src, n, "exec")))
    h.update(ast.dump(ast.parse(src)).encode())
print(len(names), h.hexdigest())
END
same compiles_the_standard_library "$python" -W ignore compile.py
unset PYTHONMALLOC

cat >pool.py <<'END'
import multiprocessing, concurrent.futures
def f(n): return sum(len(str(i) * 3) for i in range(n))
if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    with concurrent.futures.ProcessPoolExecutor(3) as e:
        print(list(e.map(f, range(1000, 20000, 1000))))
    with concurrent.futures.ThreadPoolExecutor(8) as e:
        print(list(e.map(f, range(1000, 20000, 1000))))
END
same processes_and_threads "$python" pool.py

# Its own test suite, once with its own arenas and once with every object through malloc: what passes on glibc,
# passes here. Times and addresses differ, so the lists of results are compared.
if "$python" -c 'import test.test_list, test.libregrtest' 2>/dev/null; then
    suites='test_list test_dict test_set test_bytes test_re test_json test_collections test_heapq test_sort
        test_struct test_array test_memoryview test_thread test_weakref test_gc test_deque test_unicode
        test_zlib test_pickle test_itertools test_queue test_fork1 test_ctypes test_mmap test_coroutines test_sqlite3'
        suites=$(echo "$suites" | tr -s ' \n' ' ')
    cat >suite.sh <<END
"$python" -m test -v $suites 2>&1 |
    grep -aE '^(test[A-Za-z_0-9]* \(.*\) \.\.\. (ok|skipped|FAIL|ERROR)|test_[a-z0-9]+ (failed|crashed|skipped)|Result: |Total tests)' |
    sed -E "s/ skipped '.*/ skipped/" | sort
END
    same its_own_test_suite sh suite.sh
    echo "# $(grep -c '\.\.\. ok' .slabwork.out) cases ok on slabwork, $(grep -c '\.\.\. ok' .glibc.out) on glibc"
else
    skip its_own_test_suite "this python comes without its tests (package libpython3.11-testsuite)"
fi

done_testing
