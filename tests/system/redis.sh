# SPDX-License-Identifier: Apache-2.0
# redis: server, client and benchmark in one qube.
need redis-server redis-cli redis-benchmark
got=$(LIMIT=120 inside 'redis-server --port 7777 --save "" --daemonize no --unixsocket $PWD/s >log 2>&1 &
i=0; until redis-cli -p 7777 ping 2>/dev/null | grep -q PONG; do
	i=$((i + 1)); [ $i -lt 500 ] || { cat log; exit 1; }; sleep 0.02; done
redis-cli -p 7777 set k v; redis-cli -p 7777 get k; redis-cli -s $PWD/s incr n
redis-cli -p 7777 eval "return redis.call(\"get\", \"k\")" 0
redis-benchmark -p 7777 -n 2000 -c 20 -q -t set,get,lpush | tr "\r" "\n" | grep -c "requests per second"
redis-cli -p 7777 save; ls dump.rdb; redis-cli -p 7777 debug sleep 0 >/dev/null
redis-cli -p 7777 bgsave >/dev/null; redis-cli -p 7777 shutdown nosave; wait; echo down $?')
equal "redis" "$got" "OK
v
1
v
3
OK
dump.rdb
down 0"
