# SPDX-License-Identifier: Apache-2.0
# node: worker threads, a loopback server, children, files.
need node
cat >m.js <<'END'
const { Worker, isMainThread, parentPort, workerData } = require("worker_threads");
if (!isMainThread) {
	let s = 0;
	for (let i = 0; i < workerData * 100000; i++) s += i % 7;
	parentPort.postMessage(s);
} else (async () => {
	const sums = await Promise.all([1, 2, 3, 4].map(n => new Promise((ok, no) => {
		const w = new Worker(__filename, { workerData: n });
		w.on("message", ok); w.on("error", no);
	})));
	console.log(sums.join(" "));
	const http = require("http");
	const server = http.createServer((q, r) => r.end("path " + q.url));
	await new Promise(ok => server.listen(0, "127.0.0.1", ok));
	for (let i = 0; i < 5; i++)
		console.log(await new Promise(ok => http.get({ port: server.address().port, host: "127.0.0.1", path: "/" + i, agent: false }, r => {
			let s = ""; r.on("data", d => s += d); r.on("end", () => ok(s));
		})));
	server.close();
	const cp = require("child_process"), fs = require("fs"), os = require("os");
	console.log(cp.execSync("echo child").toString().trim(), cp.spawnSync("sh", ["-c", "exit 3"]).status);
	const d = fs.mkdtempSync(os.tmpdir() + "/n-");
	fs.writeFileSync(d + "/f", "x".repeat(1e6));
	console.log((await fs.promises.readFile(d + "/f")).length, fs.readdirSync(d));
	fs.rmSync(d, { recursive: true });
	console.log(require("crypto").createHash("sha256").update("x").digest("hex"));
	console.log(require("zlib").gunzipSync(require("zlib").gzipSync("zip")).toString());
	process.on("SIGUSR2", () => { console.log("signal"); setTimeout(() => process.exit(6), 5); });
	setInterval(() => {}, 1000);
	process.kill(process.pid, "SIGUSR2");
})();
END
here=$(node m.js 2>&1) && st=0 || st=$?
got=$(qube --ro "$PWD/m.js:/m.js" -- node /m.js 2>&1) && st2=0 || st2=$?
equal "node" "$got $st2" "$here $st"
equal "input" "$(echo 'console.log(1 + 2)' | qube -- node)" 3
