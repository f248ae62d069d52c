# SPDX-License-Identifier: Apache-2.0
# PostgreSQL: processes, shared memory, semaphores, and its own crash recovery.
bin=$(printf '%s\n' /usr/lib/postgresql/*/bin | tail -n 1)
[ -x "$bin/initdb" ] || skip "postgresql is not installed"
got=$(LIMIT=200 inside 'PATH=$PATH:'"$bin"'
ask() { psql -h "$PWD" -p 5999 -U me -At postgres "$@" 2>&1; }
start() { pg_ctl -D d -o "-k $PWD -p 5999 -h 127.0.0.1" -l log -w start >/dev/null || cat log; }
initdb -D d -A trust -U me >out 2>&1 || { cat out; exit 1; }
start
ask -c "create table t as select generate_series(1, 10000) i" -c "create index on t (i)"
ask -c "set enable_seqscan = off" -c "select i from t where i = 77"
psql -h 127.0.0.1 -p 5999 -U me -Atc "select sum(i) from t" postgres
pgbench -h "$PWD" -p 5999 -U me -i -q postgres >/dev/null 2>&1
pgbench -h "$PWD" -p 5999 -U me -c 4 -j 2 -t 20 postgres 2>/dev/null | grep processed
pg_ctl -D d -m immediate -w stop >/dev/null
start
ask -c "select count(*) from pgbench_history"
pg_ctl -D d -m fast -w stop >/dev/null
echo "down $(grep -c PANIC log)"')
equal "postgres" "$got" "SELECT 10000
CREATE INDEX
SET
77
50005000
number of transactions actually processed: 80/80
80
down 0"
