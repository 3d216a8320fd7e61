#!/bin/sh
# SPDX-License-Identifier: MIT
# test_node.sh - node: buffers, JSON, worker threads, streams, a server and its client
# shellcheck source=/dev/null disable=SC2154
. "$SRC/tests/preload/lib.sh"

if ! command -v node >/dev/null; then
    skip node "no node"
    done_testing
    exit 0
fi

cat >work.js <<'END'
const { Worker, isMainThread, parentPort, workerData } = require("worker_threads");
const zlib = require("zlib"), crypto = require("crypto"), fs = require("fs"), http = require("http");
if (!isMainThread) {
    let n = 0;
    for (let i = 0; i < 3000; i++) n += Buffer.alloc((i * 37) % 20000, i & 255).length;
    parentPort.postMessage(n + workerData);
    return;
}
async function main() {
    const objects = Array.from({ length: 30000 }, (_, i) => ({ id: i, name: "n" + i, tags: [i, i * 2] }));
    const text = JSON.stringify(objects);
    console.log(text.length, JSON.parse(text).length);
    const packed = zlib.gzipSync(text);
    console.log(crypto.createHash("sha256").update(zlib.gunzipSync(packed)).digest("hex"));
    const sums = await Promise.all([1, 2, 3, 4].map(k => new Promise((ok, bad) => {
        const w = new Worker(__filename, { workerData: k });
        w.on("message", ok); w.on("error", bad);
    })));
    console.log(sums.join());
    const server = http.createServer((q, r) => q.pipe(zlib.createGzip()).pipe(r));
    await new Promise(ok => server.listen(process.cwd() + "/sock", ok));
    let got = 0;
    for (let round = 0; round < 20; round++)
        got += (await Promise.all(Array.from({ length: 10 }, (_, i) => new Promise((ok, bad) => {
            const q = http.request({ socketPath: process.cwd() + "/sock", method: "POST" }, r => {
                let n = 0; r.pipe(zlib.createGunzip()).on("data", d => n += d.length).on("end", () => ok(n));
            });
            q.on("error", bad); q.end(Buffer.alloc(10000 * (i + 1), 65));
        })))).reduce((a, b) => a + b);
    console.log(got);
    server.close();
    const m = new Map();
    for (let i = 0; i < 200000; i++) m.set("k" + i % 5003, Buffer.from("v" + i));
    console.log(m.size);
    for (const f of ["a", "b"]) await fs.promises.writeFile(f, text);
    console.log((await fs.promises.readFile("a")).equals(await fs.promises.readFile("b")));
    fs.unlinkSync("a"); fs.unlinkSync("b");
}
main();
END
same node_works node work.js
same node_runs_a_child node -e 'console.log(require("child_process").execFileSync(process.execPath, ["-p", "1+1"]).toString())'
done_testing
