#!/bin/sh
# SPDX-License-Identifier: MIT
# test_gcc.sh - the compilers compile something real, to the same bytes
# shellcheck source=/dev/null disable=SC2154
. "$SRC/tests/preload/lib.sh"

cc=$(command -v gcc || command -v cc)
cat >many.py <<'END'
print("#include <stdio.h>\n#include <string.h>")
for i in range(400):
    print("static int f%d(int a, const char *s) { int n = 0; for (int i = 0; i < a; i++)"
          " n += s[i %% 7] * %d + (n >> %d); switch (n & 7) { case 0: return n; case 1: return %s;"
          " default: return (int)strlen(s) + n; } }" % (i, i, i % 5, "f%d(a - 1, s)" % (i - 1) if i else "1"))
print("int main(int c, char **v) { printf(\"%d\\n\", " + " + ".join("f%d(c, v[0])" % i for i in range(400)) + "); }")
END
"$(command -v /usr/bin/python3 || command -v python3)" many.py >many.c
same gcc_O2_compiles sh -c "'$cc' -O2 -c many.c -o many.o && md5sum <many.o"
same gcc_assembles_and_links sh -c "'$cc' -O1 -g many.c -o many && md5sum <many"
for f in "$SRC"/src/lib/*.c; do
    [ -e "$f" ] || continue
    same "gcc_$(basename "$f" .c)" sh -c "'$cc' -std=gnu11 -O2 -I'$SRC/src' -I'$SRC/include' -D_GNU_SOURCE -DSW_VERSION='\"0\"' -S -o - '$f' | md5sum"
done
if command -v g++ >/dev/null; then
    cat >big.cc <<'END'
#include <algorithm>
#include <functional>
#include <iostream>
#include <map>
#include <regex>
#include <string>
#include <unordered_map>
#include <vector>
int main() {
    std::map<std::string, std::vector<int>> m;
    std::unordered_map<int, std::function<int(int)>> f;
    for (int i = 0; i < 1000; i++) { m["k" + std::to_string(i % 37)].push_back(i); f[i] = [i](int x) { return x + i; }; }
    std::regex r("k(1|2)[0-9]");
    int n = 0;
    for (auto &e : m) if (std::regex_match(e.first, r)) n += f[e.second[0]]((int)e.second.size());
    std::cout << n << "\n";
}
END
    same gxx_compiles_templates sh -c "g++ -O2 big.cc -o big && md5sum <big"
    same gxx_program_runs ./big
fi
done_testing
