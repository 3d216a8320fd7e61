#!/bin/sh
# SPDX-License-Identifier: MIT
# test_cxx.sh - every form of new and delete, exceptions and the new-handler
# shellcheck source=/dev/null disable=SC2154
. "$SRC/tests/preload/lib.sh"

if ! command -v g++ >/dev/null; then
    skip cxx "no g++"
    done_testing
    exit 0
fi
cat >forms.cc <<'END'
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <memory>
#include <vector>
static void *volatile sink;
#define CHECK(c) do { if (!(c)) { std::printf("line %d: %s\n", __LINE__, #c); std::exit(1); } } while (0)
struct alignas(128) Wide { char x[300]; };
static int handled;
static void handler() { if (++handled == 3) throw std::bad_alloc(); }
int main()
{
    std::size_t huge = SIZE_MAX / 2;
    for (int i = 0; i < 2000; i++) {
        int *a = new int(i); CHECK(*a == i); delete a;
        char *b = new char[i * 7 + 1]; b[i * 7] = 1; delete[] b;
        Wide *w = new Wide; CHECK((uintptr_t)w % 128 == 0); delete w;
        Wide *v = new Wide[3]; CHECK((uintptr_t)v % 128 == 0); delete[] v;
        void *p = ::operator new(i, std::nothrow); CHECK(p); ::operator delete(p, std::nothrow);
        p = ::operator new[](i, std::align_val_t(64)); CHECK((uintptr_t)p % 64 == 0);
        ::operator delete[](p, std::align_val_t(64));
        p = ::operator new(i, std::align_val_t(4096), std::nothrow); CHECK((uintptr_t)p % 4096 == 0);
        ::operator delete(p, (std::size_t)i, std::align_val_t(4096));
        p = ::operator new(0); CHECK(p); sink = p; ::operator delete(p, (std::size_t)0);
    }
    bool caught = false;
    try { sink = ::operator new(huge); } catch (const std::bad_alloc &) { caught = true; }
    CHECK(caught);
    caught = false;
    try { std::vector<char> v; v.resize(std::size_t(1) << 60); } catch (const std::bad_alloc &) { caught = true; }
    CHECK(caught);
    CHECK(!::operator new(huge, std::nothrow));
    CHECK(!::operator new[](huge, std::align_val_t(64), std::nothrow));
    std::set_new_handler(handler);
    caught = false;
    try { sink = ::operator new(huge); } catch (const std::bad_alloc &) { caught = true; }
    CHECK(caught && handled == 3);
    std::set_new_handler(nullptr);
    std::vector<std::unique_ptr<std::vector<int>>> many;
    for (int i = 0; i < 5000; i++) many.emplace_back(new std::vector<int>(i % 100, i));
    std::puts("fine");
}
END
same cxx_compiles g++ -std=c++17 -O1 -w forms.cc -o forms
same new_and_delete_forms ./forms

# A plugin brings the C++ runtime with it: nothing of C++ was there when we were loaded.
cat >plugin.cc <<'END'
#include <new>
#include <vector>
extern "C" int plugin(unsigned long n)
{
    try { std::vector<char> v(n); return v[n / 2]; } catch (const std::bad_alloc &) { return 42; }
}
END
cat >host.c <<'END'
#include <dlfcn.h>
#include <stdio.h>
int main(void)
{
    for (int i = 0; i < 20; i++) {
        void *lib = dlopen("./plugin.so", RTLD_NOW | RTLD_LOCAL);
        int (*plugin)(unsigned long) = lib ? (int (*)(unsigned long))dlsym(lib, "plugin") : 0;
        if (!plugin) { puts(dlerror()); return 1; }
        if (plugin(1000) != 0 || plugin(1UL << 61) != 42) { puts("wrong"); return 1; }
        dlclose(lib);
    }
    puts("fine");
    return 0;
}
END
holds plugin_builds sh -c 'g++ -O1 -w -shared -fPIC plugin.cc -o plugin.so && gcc host.c -o host -ldl'
same a_plugin_with_its_own_runtime_throws ./host
done_testing
