# SPDX-License-Identifier: Apache-2.0
# sqlite3: a database with its locks and journals.
need sqlite3
same 'sqlite3 db "create table t(a integer primary key, b text); insert into t values (1, \"x\"), (2, \"y\"); select * from t"
for i in $(seq 20); do echo "insert into t(b) values ($i);"; done | sqlite3 db
sqlite3 db "select count(*), sum(a) from t; pragma integrity_check"
sqlite3 db "pragma journal_mode=wal; begin; update t set b = 0; commit; select count(distinct b) from t"
sqlite3 db "begin; delete from t; rollback; select count(*) from t"
sqlite3 db .dump | md5sum; sqlite3 -json db "select * from t limit 2"; sqlite3 db "select * from none"; echo $?'
same 'sqlite3 db "create table t(a)"; for i in 1 2 3 4; do
	(for k in $(seq 10); do sqlite3 -cmd ".timeout 60000" db "insert into t values ($k)"; done) & done; wait
sqlite3 db "select count(*), sum(a) from t"'
