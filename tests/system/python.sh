# SPDX-License-Identifier: Apache-2.0
# python3: the modules that lean on the system.
need /usr/bin/python3
py() {
	printf '%s\n' "$1" >"$TMPDIR/prog.py"
	equal "$1" "$(qube --ro "$TMPDIR/prog.py:/prog.py" -- /usr/bin/python3 /prog.py 2>&1)" \
		"$(/usr/bin/python3 "$TMPDIR/prog.py" 2>&1)"
}
py 'import json, re, sqlite3, decimal, hashlib, zlib, ctypes, ssl, lzma, bz2
print(json.loads("[1, {\"a\": null}]"), hashlib.sha256(b"x").hexdigest())
print(zlib.crc32(b"abc"), ssl.OPENSSL_VERSION, ctypes.sizeof(ctypes.c_long))
c = sqlite3.connect(":memory:"); print(c.execute("select 6*7").fetchone())'
py 'import threading, queue
q = queue.Queue(); out = []; lock = threading.Lock()
def work():
    while (x := q.get()) is not None:
        with lock: out.append(x * x)
t = [threading.Thread(target=work) for _ in range(8)]
[x.start() for x in t]; [q.put(i) for i in range(1000)]; [q.put(None) for _ in t]
[x.join() for x in t]; print(len(out), sum(out), threading.active_count())'
py 'import subprocess
print(subprocess.run(["sh", "-c", "cat; exit 3"], input=b"in", capture_output=True))
p = subprocess.Popen(["sleep", "1000"]); p.kill(); print(p.wait())
try: subprocess.run(["sleep", "1000"], timeout=0.05)
except subprocess.TimeoutExpired: print("timeout")
try: subprocess.run(["/none"])
except FileNotFoundError as e: print(e.errno)
print(subprocess.getoutput("echo $((1+1))"))
print(subprocess.run("exit 4", shell=True, close_fds=True, start_new_session=True).returncode)'
py 'import multiprocessing as mp
def f(x): return x * x
if __name__ == "__main__":
    for how in "fork", "spawn", "forkserver":
        with mp.get_context(how).Pool(3) as p: print(how, p.map(f, range(10)))
    v = mp.Value("i", 0); q = mp.Queue()
    def g(): 
        for _ in range(100):
            with v.get_lock(): v.value += 1
        q.put("done")
    ps = [mp.Process(target=g) for _ in range(3)]
    [p.start() for p in ps]; print([q.get() for _ in ps]); [p.join() for p in ps]; print(v.value)'
py 'import asyncio
async def handle(r, w):
    w.write((await r.readline()).upper()); await w.drain(); w.close()
async def main():
    s = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = s.sockets[0].getsockname()[1]
    async def ask(i):
        r, w = await asyncio.open_connection("127.0.0.1", port)
        w.write(b"hello %d\n" % i); a = await r.readline(); w.close(); return a
    print(await asyncio.gather(*[ask(i) for i in range(20)]))
    p = await asyncio.create_subprocess_exec("echo", "sub", stdout=asyncio.subprocess.PIPE)
    print(await p.communicate(), await asyncio.wait_for(asyncio.sleep(0, 7), 1))
    try: await asyncio.wait_for(asyncio.sleep(100), 0.01)
    except asyncio.TimeoutError: print("late")
asyncio.run(main())'
py 'import tempfile, os, mmap, shutil, pathlib
with tempfile.TemporaryDirectory() as d:
    p = pathlib.Path(d, "f"); p.write_bytes(bytes(10000))
    with open(p, "r+b") as f, mmap.mmap(f.fileno(), 0) as m:
        m[5000:5005] = b"hello"; print(m.find(b"hello"), len(m))
    print(p.read_bytes()[5000:5005], shutil.disk_usage(d).total > 0)
    shutil.copytree(d, d + "/x/y"); print(sorted(os.listdir(d)))
with tempfile.NamedTemporaryFile() as f: f.write(b"x"); f.flush(); print(os.path.getsize(f.name))
print(os.path.exists(d))
print(len(os.sched_getaffinity(0)) > 0, os.get_terminal_size.__name__)'
py 'import signal, os, time, select, fcntl
signal.signal(signal.SIGALRM, lambda *a: print("alarm"))
signal.setitimer(signal.ITIMER_REAL, 0.01); signal.pause()
r, w = os.pipe(); print(select.select([r], [w], [], 0)[1] == [w])
pid = os.fork()
if pid == 0: os.kill(os.getpid(), signal.SIGTERM)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
try: os.open("/none", os.O_RDONLY)
except OSError as e: print(e)
e = select.epoll(); e.register(r); os.write(w, b"x"); print(e.poll(1)[0][1])
signal.raise_signal(signal.SIGINT) if False else None
print(time.monotonic() > 0, os.urandom(4) != os.urandom(4), os.cpu_count() > 0)'
py 'import http.server, threading, urllib.request, socket
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(self.path.encode() * 1000)
    def log_message(self, *a): pass
s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), H)
threading.Thread(target=s.serve_forever, daemon=True).start()
for i in range(5): print(len(urllib.request.urlopen(f"http://127.0.0.1:{s.server_port}/{i}").read()))
a, b = socket.socketpair(); a.sendall(b"x"); print(b.recv(1))
print(socket.getaddrinfo("127.0.0.1", 80, socket.AF_INET, socket.SOCK_STREAM)[0][4])
s.shutdown()'
equal "localhost" "$(qube -- /usr/bin/python3 -c 'import socket; print(socket.gethostbyname("localhost"))')" 127.0.0.1
equal "traceback status" "$(qube -- /usr/bin/python3 -c 'raise SystemExit(5)'; echo $?)" 5
terminal "$BENTO" run -- /usr/bin/python3 -q <<'END'
expect >>> 
send 6*7\r
expect 42
send import os; os.isatty(0)\r
expect True
expect >>> 
send \x03
expect KeyboardInterrupt
expect >>> 
send \x04
status 0
END
