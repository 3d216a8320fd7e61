#!/bin/sh
# SPDX-License-Identifier: MIT
# test_show.sh - slabwork slabinfo and kin: live programs read from outside, and what is said if not
# shellcheck source=/dev/null disable=SC2154,SC2016
. "$SRC/tests/tool/lib.sh"

nl='
'
cat >holder.c <<'END'
#include <fcntl.h>
#include <slabwork/show.h>
#include <slabwork/slab.h>
#include <slabwork/vmalloc.h>
#include <unistd.h>
static void conn_init(void *p) { *(int *)p = -1; }
static void *volatile area;
int main(int argc, char **argv)
{
	struct kmem_cache *c = kmem_cache_create("conn", 184, 0, SLAB_HWCACHE_ALIGN, conn_init);

	for (int i = 0; i < 1000; i++) {
		void *p = kmem_cache_alloc(c, GFP_KERNEL);

		if (i % 10)
			kmem_cache_free(c, p);
	}
	area = vmalloc(10000);
	/* What we see ourselves: the tests compare. */
	return argc != 2 || sw_show_fd(open(argv[1], O_WRONLY | O_CREAT, 0600), "slabinfo", "conn") || pause();
}
END
cc=${CC:-cc}
"$cc" -O1 -I"$SRC/include" holder.c -o swholder -L"$BUILD" -lslabwork -Wl,-rpath,"$BUILD" || {
    echo "Bail out! a program with -lslabwork does not build"
    exit 1
}
written() { # the holder has written its own view
    tries=0
    until [ -s "$1" ] || [ $tries -gt 200 ]; do
        tries=$((tries + 1))
        sleep 0.05
    done
}
start ./swholder inside
holder=$pid
started_on_slabwork
written inside

holds live_objects_are_exact grep -qE '^conn +100 +[0-9]+    192   21    1 : tunables' inside
prints one_cache_of_a_process_is_what_it_sees_itself 0 "$(cat inside)$nl" \
    "$sw" slabinfo --only conn "$holder"
prints a_process_by_name 0 "$(cat inside)$nl" "$sw" slabinfo --only=conn swholder
prints the_constructor_has_its_name_even_if_static 0 "conn_init+0x0" \
    sh -c '"$0" slab $1 conn ctor | sed "s,/.*,," | tr -d "\n"' "$sw" "$holder"
prints an_attribute 0 "192$nl" "$sw" slab "$holder" conn slab_size
holds an_area_has_its_caller \
    sh -c '"$0" vmallocinfo $1 | grep -qE "^0x[0-9a-f]{16}-0x[0-9a-f]{16}   16384 main\+0x[0-9a-f]+/0x[0-9a-f]+ pages=3 vmalloc N0=3\$"' \
    "$sw" "$holder"
holds list_names_it sh -c '"$0" list | grep -q " $1  swholder\$"' "$sw" "$holder"
for file in slabinfo buddyinfo pagetypeinfo zoneinfo meminfo vmstat vmallocinfo slab; do
    holds "${file}_prints_text" sh -c '"$0" $1 $2 | grep -q .' "$sw" $file "$holder"
    if command -v python3 >/dev/null; then
        holds "${file}_is_valid_json" \
            sh -c '"$0" $1 --json $2 | python3 -m json.tool' "$sw" $file "$holder"
    else
        skip "${file}_is_valid_json" "no python3"
    fi
done
holds reading_opens_and_stops_nothing_there \
    sh -c 'ls /proc/$1/fd >before; i=0; while [ $i -lt 20 ]; do "$0" zoneinfo $1 >/dev/null; i=$((i+1)); done
           ls /proc/$1/fd | cmp before - && grep -q "^State:.S" /proc/$1/status && ls /proc/$1/task | grep -c . | grep -qx 1' "$sw" "$holder"

# A statically linked program carries the same root.
if "$cc" -O1 -static -I"$SRC/include" holder.c -o swstatic "$BUILD/libslabwork.a" -pthread 2>/dev/null; then
    start ./swstatic static.inside
    started_on_slabwork
    written static.inside
    prints a_static_program 0 "$(cat static.inside)$nl" "$sw" slabinfo --only conn "$pid"
    prints a_static_program_by_name 0 "192$nl" "$sw" slab swstatic conn slab_size
else
    skip a_static_program "no static libc"
fi

# Its file may be gone.
cp swholder swgone
start ./swgone gone.inside
started_on_slabwork
written gone.inside
rm swgone
if [ "$(id -u)" = 0 ]; then
    prints a_program_whose_file_was_deleted 0 "conn_init" \
        sh -c '"$0" slab $1 conn ctor | sed "s,+.*,," | tr -d "\n"' "$sw" "$pid"
else
    prints a_program_whose_file_was_deleted 0 "192$nl" "$sw" slab "$pid" conn slab_size
fi

# An unmodified program.
start "$sw" run -- sleep 60
started_on_slabwork
holds an_unmodified_program_shows_its_malloc_caches \
    sh -c '"$0" slabinfo $1 | grep -qE "^malloc-[0-9]+ +[1-9]"' "$sw" "$pid"

# ---- errors ----
usage="usage: slabwork slabinfo [--json] [--only CACHE] PROCESS${nl}try: slabwork slabinfo --help$nl"
says an_unknown_option_is_a_usage_error 2 "slabwork: slabinfo has no option '-x'$nl$usage" \
    "$sw" slabinfo -x 1
says one_word_too_many_is_a_usage_error 2 "slabwork: one word too many: '2'$nl$usage" \
    "$sw" slabinfo 1 2
says an_unknown_command_is_a_usage_error 2 \
    "slabwork: there is no command 'frob'${nl}try: slabwork help$nl" "$sw" frob
holds without_a_process_it_lists_them \
    sh -c '"$0" slabinfo 2>err; test $? = 2 && grep -qx "slabwork: which process?" err && grep -q "swholder" err' "$sw"
holds no_such_process_is_said \
    sh -c '"$0" slabinfo 4194305 2>err; test $? = 1 && grep -qx "slabwork: there is no process 4194305" err' "$sw"
holds no_such_name_is_said \
    sh -c '"$0" slabinfo nosuchprogram 2>err; test $? = 1 && grep -qx "slabwork: no process is called nosuchprogram" err' "$sw"
start sleep 60
is_called sleep
says a_process_without_slabwork_is_told_how_to_have_it 1 \
    "slabwork: process $pid (sleep) does not run on slabwork. Start it so: slabwork run -- sleep$nl" \
    "$sw" slabinfo "$pid"
says no_such_cache_is_said 1 \
    "slabwork: process $holder has no slab/nobody.  Its caches: slabwork slab $holder$nl" \
    "$sw" slab "$holder" nobody
says no_such_row_is_said 1 \
    "slabwork: vmstat of process $holder has no 'x'.  All of it: slabwork vmstat $holder$nl" \
    "$sw" vmstat --only x "$holder"
start ./swholder second.inside
started_on_slabwork
written second.inside
holds of_two_with_one_name_it_asks_which \
    sh -c '"$0" slabinfo swholder 2>err; test $? = 1 && grep -qx "slabwork: 2 processes called swholder run on slabwork: say which by its number" err' "$sw"
says a_full_disk_is_an_error 1 "slabwork: cannot write: No space left on device$nl" \
    sh -c '"$0" slabinfo $1 >/dev/full' "$sw" "$holder"
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null && setpriv --reuid 65534 --clear-groups test -x "$sw"; then
    says another_users_process_is_not_shown 1 \
        "slabwork: not allowed to read process $holder (swholder): run this as its user or as root${nl}          (with kernel.yama.ptrace_scope 1 or more: as root)$nl" \
        setpriv --reuid 65534 --clear-groups "$sw" slabinfo "$holder"
else
    skip another_users_process_is_not_shown "needs root, and a build folder that others can read"
fi

# The shell becomes a sleep, which never waits for its child.
start sh -c 'sleep 0.3 & echo $! >zombie; exec sleep 60'
is_called sleep
holds a_process_that_nobody_waited_for_has_ended \
    sh -c 'sleep 0.5; test "$("$0" slabinfo "$(cat zombie)" 2>&1)" = "slabwork: process $(cat zombie) (sleep) has ended, or is a thread of the kernel"' "$sw"

holds every_command_has_help sh -c '"$0" help | sed -n "s/^  \([a-z][a-z]*\)  .*/\1/p" >names
    test "$(wc -l <names)" -ge 10 && while read -r c; do "$0" $c --help | grep -q "^usage: slabwork $c" || exit 1; done <names' "$sw"
holds version_is_one_line sh -c '"$0" --version | grep -qxE "slabwork [0-9.]+"' "$sw"
done_testing
