#!/bin/sh
# SPDX-License-Identifier: MIT
# test_programs.sh - real programs work in the mount, and find there what they left
# shellcheck source=/dev/null disable=SC2154,SC2016
. "$SRC/tests/fuse/lib.sh"

tree=$SRC # a source tree: ours, without its history and builds
on tmpfs

# The tree's names, types, modes, times, sizes, links and contents, one line each.
cat >list.sh <<'END'
cd "$1" || exit
find . ! -name '.' -printf '%p %y %m %T@ %l ' \( -type d -printf '\n' -o -printf '%s %n\n' \) | sort
find . -type f -exec md5sum {} + | sort
END
mkdir src
(cd "$tree" && tar cf - include src tests docs tools meson.build README.md) | tar xf - -C src
ln src/README.md src/hard
ln -s no/where src/broken
mkfifo src/pipe
mkdir src/empty
printf x | dd of=src/sparse bs=1 seek=5000000 2>/dev/null
echo >src/old
chmod 4711 src/old
touch "src/ name with
newline" "src/$(printf '%0255d' 7)"
find src -depth -exec touch -h -d '2001-02-03 04:05:06.789' {} + # none of this second: rsync would take it for done
touch -d '1999-12-31 23:59:59.123456789' src/old
sh list.sh src >want

# ---- tar ----
(cd src && tar cSf ../tree.tar --format=posix .)
holds tar_unpacks_there tar xf tree.tar -C "$m"
holds what_it_unpacked_is_the_same sh -c 'sh list.sh "$0" >came; diff want came' "$m"
holds tar_packs_there sh -c 'cd "$0" && tar cSf "$1/back.tar" --format=posix .' "$m" "$work"
mkdir back
holds and_back_it_is_byte_identical sh -c 'tar xf back.tar -C back && sh list.sh back >came && diff want came && diff -r --no-dereference -x pipe src back'
holds find_sees_each_name_once sh -c 'test "$(find "$0" | wc -l)" = "$(find src | wc -l)" && test "$(find "$0" -type f | wc -l)" = "$(find src -type f | wc -l)"' "$m"
holds grep_finds_the_same sh -c '(cd "$0" && grep -rIl slab include src) | sort >a; (cd src && grep -rIl slab include src) | sort >b; cmp a b' "$m"

# ---- rsync ----
if command -v rsync >/dev/null; then
    holds rsync_copies_there rsync -aHS --no-devices src/ "$m/rsync/"
    holds what_it_copied_is_the_same sh -c 'sh list.sh "$0/rsync" >came; diff want came' "$m"
    holds a_second_rsync_finds_nothing_to_do sh -c 'rsync -aHSi src/ "$0/rsync/" | tee what; ! grep -q . what' "$m"
    holds rsync_by_checksum_neither sh -c 'rsync -aHSic --delete src/ "$0/rsync/" | tee what; ! grep -q . what' "$m"
else
    skip rsync_copies_there "no rsync"
fi
holds rm_leaves_nothing sh -c 'cd "$0" && find . -mindepth 1 -delete; test -z "$(ls -A)"' "$m"
holds and_the_file_system_is_empty sh -c 'test "$(($(stat -f -c %c "$0") - $(stat -f -c %d "$0")))" -le 2 && test "$(($(stat -f -c %b "$0") - $(stat -f -c %f "$0")))" -le 4' "$m"

# ---- git ----
if command -v git >/dev/null; then
    export HOME="$work" GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
    git config --global init.defaultBranch main
    git config --global --add safe.directory '*'
    (git init -q origin && cp -r src/include src/src src/docs origin && cd origin && git add . && git commit -qm one && git rm -rq docs && git commit -qm two)
    holds git_clones_there git clone -q "file://$work/origin" "$m/clone"
    holds git_commits_there sh -c 'cd "$0/clone" && echo more >>src/README && git mv include inc && git add -A && git commit -qm three && test -z "$(git status --porcelain)"' "$m"
    holds git_finds_no_fault sh -c 'cd "$0/clone" && git fsck --strict' "$m"
    holds git_repacks_there sh -c 'cd "$0/clone" && git checkout -q HEAD~2 && git checkout -q main && git gc -q && git fsck' "$m"
    holds git_worktree_and_stash sh -c 'cd "$0/clone" && echo x >>src/README && git stash -q && git stash pop -q && git worktree add -q ../wt HEAD~1 && test -d ../wt/include' "$m"
    holds what_it_committed_comes_back git clone -q "$m/clone" came.git
else
    skip git_clones_there "no git"
fi

# ---- sqlite3 ----
if command -v sqlite3 >/dev/null; then
    cat >wal.sql <<'END'
pragma journal_mode=wal;
create table t(id integer primary key, k int, name text, body blob);
create index tk on t(k);
END
    cat >work.sql <<'END'
pragma busy_timeout=20000;
pragma wal_autocheckpoint=50;
begin;
with recursive n(i) as (select 1 union all select i + 1 from n where i < 4000)
  insert into t(k, name, body) select (i * 7919) % 10007, 'name ' || i, randomblob(i % 300) from n;
commit;
update t set name = name || '-' || k where k % 7 = 0;
delete from t where id % 5 = 0;
END
    holds sqlite3_makes_a_WAL sh -c 'sqlite3 "$0/x.db" <wal.sql' "$m"
    holds two_sqlite3_write_at_once sh -c 'sqlite3 "$0/x.db" <work.sql >o1 & sqlite3 "$0/x.db" <work.sql >o2; s=$?; wait $! && exit $s' "$m"
    holds sqlite3_quick_check sh -c 'test "$(sqlite3 "$0/x.db" "pragma quick_check;")" = ok' "$m"
    holds sqlite3_integrity_check_after_vacuum sh -c 'test "$(sqlite3 "$0/x.db" "vacuum; pragma wal_checkpoint(truncate); pragma integrity_check;" | tail -n 1)" = ok' "$m"
    holds its_file_holds_what_it_answers sh -c 'sqlite3 "$0/x.db" .dump | md5sum >a; cp "$0/x.db" y.db; sqlite3 y.db .dump | md5sum >b; cmp a b' "$m"
else
    skip sqlite3_makes_a_WAL "no sqlite3"
fi

# ---- a compiler ----
if command -v "${CC:-cc}" >/dev/null; then
    mkdir -p "$m/build"
    cp -r src/include src/src "$m/build"
    holds cc_builds_there sh -c 'cd "$0/build" && for f in src/lib/*.c src/kunit/*.c; do test -e $f || continue; ${CC:-cc} -D_GNU_SOURCE "-DSW_VERSION=\"0\"" -O1 -Iinclude -Isrc -c $f -o $(basename $f .c).o || exit 1; done && ar rcs lib.a *.o && test -s lib.a' "$m"
    holds what_it_built_runs sh -c 'cd "$0/build" && printf "#include <stdio.h>\nint main(void) { return puts(\"made there\") < 0; }\n" >x.c && ${CC:-cc} -g x.c -o x && test "$(./x)" = "made there"' "$m"
    cat >map.c <<'END'
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	int fd = open(argv[1], O_RDWR | O_CREAT | O_TRUNC, 0600);
	char *p, c[2] = "";

	(void)argc;
	if (fd < 0 || ftruncate(fd, 1 << 20))
		return 1;
	p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return 2;
	memset(p, 'm', 1 << 20);
	if (msync(p, 1 << 20, MS_SYNC) || pread(fd, c, 1, 777777) != 1 || c[0] != 'm')
		return 3;
	if (pwrite(fd, "w", 1, 5) != 1 || p[5] != 'w')
		return 4;
	return close(fd);
}
END
    holds a_mapping_and_the_calls_show_the_same sh -c '${CC:-cc} map.c -o map && ./map "$0/mapped" && test "$(tr -d mw <"$0/mapped" | wc -c)" = 0' "$m"
else
    skip cc_builds_there "no compiler"
fi

# ---- all at once ----
holds four_writers_in_one_directory sh -c 'mkdir "$0/d" && cd "$0/d" || exit
    for w in 1 2 3 4; do (for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do echo $w $i >f$w.$i; mv f$w.$i g$w.$i; ln g$w.$i h$w.$i; rm g$w.$i; done) & done; wait
    test "$(ls | wc -l)" = 80 && test "$(cat h* | sort -u | wc -l)" = 80' "$m"
cd "$work" || exit
holds it_unmounts off
holds and_the_server_is_gone gone "$server"
done_testing
