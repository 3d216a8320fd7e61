#!/bin/sh
# SPDX-License-Identifier: MIT
# test_options.sh - every word of SLABWORK: a program starts at both ends of its range, and past them it is told
# shellcheck source=/dev/null disable=SC2154,SC2016
. "$SRC/tests/tool/lib.sh"

lib=$BUILD/libslabwork-malloc.so.0

# at WORD...: the program runs as if nothing had been said
at() {
    for word; do
        says "it_starts_with_$word" 0 "" env SLABWORK="$word" LD_PRELOAD="$lib" sort /dev/null
    done
}

# past RANGE WORD...: the program runs, and the word is named with its range
past() {
    range=$1
    shift
    for word; do
        holds "past_its_range_is_told_$word" sh -c 'out=$(SLABWORK=$1 LD_PRELOAD=$2 sort /dev/null 2>&1) &&
            test "$out" = "slabwork: SLABWORK: ${1%%=*}: bad value '\''${1#*=}'\'' ignored, want $3"' \
            sh "$word" "$lib" "$range"
    done
}

at mem=4M mem=1G mem=64T dma=0 dma=512M dma32=0 dma32=2G movablecore=0 movablecore=64M numa=fake=1 numa=fake=8
at min_free_kbytes=1 min_free_kbytes=100000 min_free_kbytes=1073741824 'mem=8M min_free_kbytes=1073741824'
at watermark_scale_factor=1 watermark_scale_factor=3000 watermark_boost_factor=0 watermark_boost_factor=1048576
at kswapd=inline kswapd=thread page_decay_ms=0 page_decay_ms=1073741824 page_surplus=0 page_surplus=64T
at transparent_hugepage=always transparent_hugepage=never slab_drop_ms=0 slab_merge slab_nomerge
at slab_min_order=10 slab_max_order=0 slab_max_order=10 slab_min_objects=32767 slab_nr_cpus=1 slab_nr_cpus=8192
at rseq=off control=0 control=1 loglevel=0 quiet

past 1M..64T mem=512K mem=65T mem=x mem=
past 0..512M dma=513M dma=-1
past 0..2G dma32=3G
past 0..64T movablecore=65T
past fake=1..8 numa=fake=0 numa=fake=9 numa=off
past '1..1073741824 (KiB)' min_free_kbytes=0 min_free_kbytes=1073741825
past 1..3000 watermark_scale_factor=0 watermark_scale_factor=3001
past 0..10 slab_min_order=11 slab_max_order=11
past 'on or off' rseq=maybe
past 'inline|thread' kswapd=never

done_testing
