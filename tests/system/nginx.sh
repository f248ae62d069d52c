# SPDX-License-Identifier: Apache-2.0
# nginx: a master, workers with sockets in common, changed while it serves.
need nginx curl
got=$(inside 'mkdir t; echo page >t/index.html; head -c 3000000 /dev/zero >t/large
conf() { cat >conf <<-EOF
	daemon off; worker_processes $1; pid pid; error_log log notice;
	events { worker_connections 256; }
	http {
		access_log off; sendfile on;
		client_body_temp_path t; proxy_temp_path t; fastcgi_temp_path t;
		uwsgi_temp_path t; scgi_temp_path t;
		server { listen 127.0.0.1:8088 reuseport; root t; }
		server { listen unix:$PWD/s;
			location / { proxy_pass http://127.0.0.1:8088; } }
	}
	EOF
}
conf 2
nginx -p "$PWD" -c "$PWD/conf" 2>err & master=$!
i=0; until curl -s http://127.0.0.1:8088/ 2>err2; do
	i=$((i + 1)); [ $i -lt 500 ] || { cat err log; exit 1; }; sleep 0.02; done
curl -s --unix-socket s http://any/large | wc -c
curl -s -o /dev/null -w "%{http_code}\n" http://127.0.0.1:8088/none
seq 60 | xargs -P 6 -I{} curl -s --unix-socket s http://any/ | sort | uniq -c | sed "s/^ *//"
conf 3
kill -HUP $master
i=0; until [ "$(grep -c "start worker process " log)" -ge 5 ]; do
	i=$((i + 1)); [ $i -lt 500 ] || { cat log; exit 1; }; sleep 0.02; done
curl -s http://127.0.0.1:8088/
kill -QUIT $master; wait $master; echo "down $?"; ls pid 2>&1 | grep -c "No such"')
equal "nginx" "$got" "page
3000000
404
60 page
page
down 0
1"
