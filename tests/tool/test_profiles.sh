#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test_profiles.sh - the bounds of kmalloc that a build may choose: SLAB's, SLUB's, SLOB's, a larger smallest class
#
# The library's files are compiled here for each choice (without optimising: that is seconds) and linked
# with kmalloc_profile.c.
# shellcheck source=/dev/null disable=SC2154,SC2016
. "$SRC/tests/tool/lib.sh"

# builds FOLDER MACRO...: FOLDER/classes, a program of the library with these macros
builds() (
    folder=$PWD/$1
    shift
    set -- -std=gnu11 -D_GNU_SOURCE '-DSW_VERSION="0"' "-I$SRC/include" "-I$SRC/src" \
        -ftls-model=initial-exec "$@"
    for room in lib os kernel mm proc; do
        mkdir -p "$folder/$room" && cd "$folder/$room" || exit 1
        printf "%s\0" "$SRC/src/$room"/*.c | xargs -0 -P 2 -n 8 "${CC:-cc}" -c "$@" || exit 1
    done
    cd "$folder" || exit 1
    # With -O, for here the compiler must see that a size is constant.
    "${CC:-cc}" -O1 "$@" "$SRC/tests/tool/kmalloc_profile.c" ./*/*.o -pthread -o classes
)

profile() { # name, smallest class, largest class, macros
    kind=$1 low=$2 high=$3
    shift 3
    holds "${kind}_builds" builds "$kind" "$@"
    holds "${kind}_has_classes_from_${low}_to_$high" "./$kind/classes" "$low" "$high"
}

profile slab 32 4194304 -DSW_KMALLOC_PROFILE=SW_PROFILE_SLAB
profile slob 8 4096 -DSW_KMALLOC_PROFILE=SW_PROFILE_SLOB
profile slub_with_dma_minalign_128 128 8192 -DARCH_DMA_MINALIGN=128
holds another_minalign_does_not_compile sh -c '
    ! echo "#include <slabwork/slab.h>" | "$0" -fsyntax-only -DARCH_DMA_MINALIGN=48 "-I$1/include" -xc -' "${CC:-cc}" "$SRC"
done_testing
