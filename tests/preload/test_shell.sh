#!/bin/sh
# SPDX-License-Identifier: MIT
# test_shell.sh - bash, perl, git and the small tools
# shellcheck source=/dev/null disable=SC2154
. "$SRC/tests/preload/lib.sh"

cat >work.bash <<'END'
declare -A seen
for ((i = 0; i < 20000; i++)); do
    key=$((i * 7919 % 1009))
    seen[$key]+="$i,"
done
total=0
for key in "${!seen[@]}"; do total=$((total + ${#seen[$key]})); done
echo "$total ${#seen[@]}"
text=$(printf 'line %d\n' {1..5000} | sort -r | sed 's/line/row/' | tail -n 3)
echo "$text"
for f in a b c; do (echo "sub $f") & wait; done
END
same bash_arrays_and_pipes bash work.bash

cat >work.pl <<'END'
my %h; my @a;
for my $i (1 .. 200000) { $h{$i % 5003} .= chr(65 + $i % 26); push @a, "x" x ($i % 50); }
my $n = 0; $n += length $h{$_} for sort keys %h;
@a = sort { length $a <=> length $b } @a;
print "$n $#a ", length(join ",", @a), "\n";
my $s = "abc" x 100000; my $c = () = $s =~ /b(?=c)/g; print "$c\n";
local $/; print length(`seq 1 20000`), "\n";
END
same perl_hashes_sort_and_regex perl work.pl

cat >work.git <<'END'
set -e
rm -rf repo clone
export GIT_AUTHOR_DATE='2001-02-03T04:05:06Z' GIT_COMMITTER_DATE='2001-02-03T04:05:06Z'
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
git init -q -b main repo
cd repo
git config user.name a
git config user.email a@b
for i in 1 2 3 4 5 6 7 8; do
    seq 1 $((i * 3000)) >numbers
    seq $i 7 $((i * 9000)) >"sevens-$i"
    git add .
    git commit -q -m "step $i"
done
git log --stat --format='%H %s' | md5sum
git gc -q --aggressive
git fsck --full
git clone -q . ../clone
git -C ../clone log -p | md5sum
git diff HEAD~3 --stat | tail -n 1
git grep -c 77 | md5sum
END
same git_init_commit_gc_clone_log sh -e work.git

seq 1 300000 >numbers
same sort_uses_threads_and_files sort -R --random-source=numbers -S 2M --parallel=2 numbers
# shellcheck disable=SC2016 # awk's words
same awk_associates awk '{a[$1 % 1000] += $1} END {for (k = 0; k < 1000; k++) s += a[k]; print s}' numbers
same tar_gzip_round_trip sh -c 'tar cf - numbers | gzip -c | gzip -dc | tar tvf - | wc -l'
same grep_and_sed sh -c "grep -E '(1|2)+3.4' numbers | sed -E 's/(.)(.)/\\2\\1/g' | md5sum"
same find_and_xargs sh -c 'find /usr/include -maxdepth 2 -name "*.h" -print0 | sort -z | xargs -0 cat | md5sum'

done_testing
