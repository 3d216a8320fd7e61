#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test_inline.sh - what the compiler makes of kmalloc(), kfree() and kmem_cache_alloc()
#
# A constant size finds its cache when the program is compiled: its object names one place of
# kmalloc_caches and no table, a constant above 8 KiB goes to kmalloc_large, a variable one to
# __kmalloc. Looked at in the relocations of -O2 objects of gcc and of clang where it is there.
# The jump to __kmalloc that a constant size keeps is for the time before boot: a program
# in which that function aborts shows that it is not taken afterwards.
set -u

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
: "${SRC:=.}" "${BUILD:=build}" "${CC:=cc}"
BUILD=$(cd "$BUILD" && pwd) || exit 1
n=0

ok() {
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		[ ! -s "$work/why" ] || sed 's/^/# /' "$work/why"
	fi
	: >"$work/why"
}

# NAME CODE...: compiles a translation unit to $work/NAME.o
compile() {
	name=$1
	{
		echo '#include <slabwork/slab.h>'
		cat
	} >"$work/$name.c"
	"$cc" -std=gnu11 -O2 -fno-pie -ffunction-sections ${defs:-} -I"$SRC/include" \
		-c "$work/$name.c" -o "$work/$name.o" 2>"$work/why"
}

# Symbols an object needs from us.
needs() {
	nm -u "$work/$1.o" | awk '{ print $2 }' | grep '^sw_' | sort | tr '\n' ' '
}

# Where in kmalloc_caches an object reads, as relocations say it.
places() {
	objdump -r "$work/$1.o" | awk '$3 ~ /^sw_kmalloc_caches/ { print $3 }' | sort -u
}

# OFFSET: the same, as it should be. x86-64 counts from the end of the instruction, 4 bytes on.
place() {
	bias=0
	[ "$(uname -m)" != x86_64 ] || bias=4
	printf 'sw_kmalloc_caches+0x%016x' $(($1 - bias))
}

same() {
	[ "$1" = "$2" ] || { printf 'got:    %s\nwanted: %s\n' "$1" "$2" >"$work/why"; return 1; }
}

compilers=$CC
for other in gcc clang clang-14; do
	[ "$other" = "$CC" ] || ! command -v "$other" >/dev/null || compilers="$compilers $other"
done

for cc in $compilers; do
	defs=
	for pair in 1:3 8:3 9:4 16:4 17:5 32:5 33:6 64:6 65:1 96:1 97:7 128:7 129:2 192:2 193:8 256:8 \
		512:9 513:10 1024:10 2048:11 4096:12 4097:13 8192:13; do
		size=${pair%:*} index=${pair#*:}
		echo "void *f(void); void *f(void) { return kmalloc($size, GFP_KERNEL); }" | compile small
		got=$(places small)
		want=$(place $((index * 8)))
		same "$got" "$want"
		ok $? "$cc: the constant $size is one place of kmalloc_caches, index $index"
	done
	got=$(needs small)
	same "$got" "sw___kmalloc sw_cache_alloc_slow sw_kmalloc_caches "
	ok $? "$cc: a constant size reads no size table"

	echo 'void *f(void); void *f(void) { return kmalloc(64, GFP_KERNEL | __GFP_RECLAIMABLE); }' | compile rcl
	got=$(places rcl)
	same "$got" "$(place $((14 * 8 + 6 * 8)))"
	ok $? "$cc: constant flags choose the row of kmalloc_caches"

	for size in 8193 100000 4194304; do
		echo "void *f(void); void *f(void) { return kmalloc($size, GFP_KERNEL); }" | compile large
		got=$(needs large)
		same "$got" "sw_kmalloc_large "
		ok $? "$cc: the constant $size calls kmalloc_large and nothing else"
	done

	for what in 'size_t n:kmalloc(n, GFP_KERNEL)' 'void:kmalloc(0, GFP_KERNEL)'; do
		echo "void *f(${what%%:*}); void *f(${what%%:*}) { return ${what#*:}; }" | compile variable
		got=$(needs variable)
		same "$got" "sw___kmalloc "
		ok $? "$cc: ${what#*:} calls __kmalloc and nothing else"
	done

	echo 'void f(void *p); void f(void *p) { kfree(p); }' | compile free
	got=$(needs free)
	same "$got" "sw_fast_general sw_kfree_slow "
	ok $? "$cc: kfree needs its constants and its slow path"

	defs=-DSW_NO_INLINE
	echo 'void f(void); void f(void) { kfree(kmalloc(64, GFP_KERNEL)); }' | compile out
	got=$(needs out)
	same "$got" "sw___kmalloc sw_kfree "
	ok $? "$cc: SW_NO_INLINE calls the functions"
	defs=

	compile taken <<-'END'
		#include <stdlib.h>
		void *__wrap_sw___kmalloc(size_t size, gfp_t gfp);
		void *__wrap_sw___kmalloc(size_t size, gfp_t gfp) { (void)size, (void)gfp; abort(); }
		int main(int argc, char **argv)
		{
			void *p[200];
			(void)argv;
			if (!kmalloc_large(9000, GFP_KERNEL)) /* boot */
				return 1;
			for (int i = 0; i < 100000; i++) {
				p[i % 200] = kmalloc(192, GFP_KERNEL);
				if (i % 200 == 199)
					for (int j = 0; j < 200; j++)
						kfree(p[j]);
			}
			return argc > 1 && !kmalloc((size_t)argc, GFP_KERNEL);
		}
	END
	"$cc" "$work/taken.o" -no-pie -o "$work/taken" -Wl,--wrap=sw___kmalloc -L"$BUILD" -lslabwork \
		-Wl,-rpath,"$BUILD" 2>>"$work/why"
	"$work/taken" 2>>"$work/why"
	ok $? "$cc: once booted a constant size never calls __kmalloc"
	(cd "$work" && exec ./taken variable) 2>/dev/null
	[ $? = 134 ]
	ok $? "$cc: (the planted fault: a variable size does, and is seen)"
done
echo "1..$n"
