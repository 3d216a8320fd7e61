#!/bin/sh
# SPDX-License-Identifier: MIT
# test_run.sh - slabwork run: the program is as if it had been started plainly, on our malloc
# shellcheck source=/dev/null disable=SC2154,SC2016
. "$SRC/tests/tool/lib.sh"

nl='
'
prints the_program_has_our_library 0 "yes$nl" \
    "$sw" run -- sh -c 'grep -q libslabwork-malloc /proc/$$/maps && echo yes'
prints arguments_arrive_as_they_are "0" "a b|-v|--|*$nl" \
    "$sw" run -- printf '%s|%s|%s|%s\n' 'a b' -v -- '*'
prints options_end_at_the_program 0 "-v$nl" "$sw" run echo -v
prints its_exit_status_is_ours 42 "" "$sw" run -- sh -c 'exit 42'
prints its_process_is_ours 0 "same$nl" \
    sh -c 'echo $$ >id; exec "$0" run -- sh -c "test \$\$ = \$(cat id) && echo same"' "$sw"
prints a_signal_ends_it_as_plainly 143 "" sh -c '"$0" run -- sh -c "kill -TERM \$\$"' "$sw"

says it_is_silent_unless_a_terminal_listens 0 "" "$sw" run -- true
holds the_banner_names_program_version_and_the_next_command \
    sh -c '"$0" run -v -- true 2>err; grep -qE "^slabwork\[[0-9]+\]: true on slabwork [0-9.]+ \(kmalloc 8…8k, [0-9]+ malloc caches, kfence off\)\. Watch: slabwork top [0-9]+\$" err && test "$(wc -l <err)" = 1' "$sw"

prints an_existing_preload_is_kept 0 "$BUILD/libslabwork-malloc.so.0:/nowhere/libx.so$nl" \
    sh -c 'LD_PRELOAD=/nowhere/libx.so "$0" run -- sh -c "echo \$LD_PRELOAD" 2>/dev/null' "$sw"
start "$sw" run -- sleep 60
started_on_slabwork
holds the_banner_counts_the_malloc_caches_right \
    sh -c 'test "$("$0" run -v -- true 2>&1 | sed "s/.* \([0-9]*\) malloc caches.*/\1/")" = "$("$0" slab $1 | grep -c ^malloc-)"' "$sw" "$pid"
prints without_control_the_variable_is_the_users 0 "loglevel=3$nl" \
    env SLABWORK=loglevel=3 "$sw" run --no-control -- sh -c 'echo $SLABWORK'
prints words_are_added_to_those_of_the_variable 0 "control loglevel=3 slab_nomerge$nl" \
    env SLABWORK=loglevel=3 "$sw" run --slabwork slab_nomerge -- sh -c 'echo $SLABWORK'
prints words_alone_make_the_variable 0 "control slab_nomerge$nl" \
    "$sw" run --slabwork=slab_nomerge -- sh -c 'echo $SLABWORK'

says a_missing_program_is_127 127 "slabwork: /nonexistent: not found$nl" "$sw" run -- /nonexistent
says a_file_that_is_no_program_is_126 126 "slabwork: $work: cannot be run: Permission denied$nl" \
    "$sw" run -- "$work"
says no_program_is_a_usage_error 2 \
    "slabwork: run what?${nl}usage: slabwork run [OPTION]... [--] PROGRAM [ARGUMENT]...${nl}try: slabwork run --help$nl" \
    "$sw" run
says an_unknown_option_is_a_usage_error 2 \
    "slabwork: run has no option '--frob'${nl}usage: slabwork run [OPTION]... [--] PROGRAM [ARGUMENT]...${nl}try: slabwork run --help$nl" \
    "$sw" run --frob true

cp "$sw" slabwork-alone
says without_its_library_it_says_how_to_get_it 125 \
    "slabwork: cannot find libslabwork-malloc.so beside this command nor in ../lib: build it with ./run --setup$nl" \
    ./slabwork-alone run -- true
mkdir -p inst/bin inst/lib/anywhere
cp "$sw" inst/bin
cp "$BUILD/libslabwork-malloc.so.0" inst/lib/anywhere/
prints an_installed_command_finds_its_library 0 "$work/inst/lib/anywhere/libslabwork-malloc.so.0$nl" \
    inst/bin/slabwork run -- sh -c 'echo $LD_PRELOAD'
mkdir 'a b'
cp "$sw" "$BUILD/libslabwork-malloc.so.0" 'a b'
mv 'a b/libslabwork-malloc.so.0' 'a b/libslabwork-malloc.so'
says a_path_that_the_loader_would_split_is_refused 125 \
    "slabwork: $work/a b/libslabwork-malloc.so: the loader takes no path with a space or a colon: move it$nl" \
    'a b/slabwork' run -- true

echo 'int main(void) { return 7; }' >static.c
if ${CC:-cc} -static -o static static.c 2>/dev/null; then
    says a_static_program_runs_and_we_say_that_it_is_out_of_reach 7 \
        "slabwork: warning: ./static is linked statically: it runs, but not on slabwork$nl" \
        "$sw" run -- ./static
else
    skip a_static_program_runs_and_we_say_that_it_is_out_of_reach "no static libc"
fi
done_testing
