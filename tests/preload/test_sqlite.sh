#!/bin/sh
# SPDX-License-Identifier: MIT
# test_sqlite.sh - sqlite3 on a real workload
# shellcheck source=/dev/null disable=SC2154
. "$SRC/tests/preload/lib.sh"

cat >work.sql <<'END'
pragma journal_mode=memory;
create table t(id integer primary key, k int, name text, body blob);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 60000)
  insert into t select i, (i * 7919) % 10007, 'name ' || i, zeroblob(i % 300) from n;
create index tk on t(k);
create index tn on t(name);
select count(*), sum(k), sum(length(body)) from t;
select k, count(*) c from t group by k order by c desc, k limit 5;
update t set name = name || '-' || k where k % 3 = 0;
delete from t where id % 5 = 0;
select count(*), max(length(name)) from t;
select group_concat(name, ',') from (select name from t where k < 100 order by name);
select count(*) from t a join t b on a.k = b.k where a.id < 5000;
vacuum;
pragma integrity_check;
END
same memory_database sqlite3 :memory: '.read work.sql'
same file_database sh -c 'rm -f x.db; sqlite3 x.db ".read work.sql"; sqlite3 x.db .dump | md5sum'
done_testing
