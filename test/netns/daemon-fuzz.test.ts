/**
 * Every route with requests that are wrong in many ways: what comes back is never a fault of the server's, nothing of it
 * is worth more than a warning in the log, and the daemon lives on. SLUICE_TEST_SEED repeats a run.
 */
import assert from "node:assert/strict";
import { request } from "node:http";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { inspect } from "node:util";
import type { Example } from "../../src/api/route.ts";
import { target } from "../../src/api/client.ts";
import { routeRows } from "../../src/api/routes.ts";
import { pathsBelow } from "../../src/linux/paths.ts";
import { DaemonLab } from "../helpers/daemon.ts";
import { garble, mutate, ODD, pick, seeded } from "../helpers/mutate.ts";

const SEED = Number(process.env["SLUICE_TEST_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const PER_ROUTE = 40;

let lab: DaemonLab;
before(async () => {
  lab = new DaemonLab();
  await lab.start();
});
after(() => lab[Symbol.asyncDispose]());

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
}

/** Sends it; the status and the beginning of the answer. Streams are read for a moment. */
function send({ method, path, headers, body }: Sent): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const options = { socketPath: pathsBelow(lab.shaped.root).socket, method, path, headers, timeout: 40_000 };
    const sent = request(options, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => (text += chunk.toString("latin1").slice(0, 2000)));
      response.on("close", () => resolve({ status: response.statusCode ?? 0, text }));
      if (response.headers["content-type"] === "text/event-stream") setTimeout(() => response.destroy(), 5);
    });
    sent.on("timeout", () => sent.destroy(new Error("no answer after 40 s")));
    sent.on("error", (error: NodeJS.ErrnoException) =>
      // A body that is refused before it was read whole: the answer is there, the rest is not taken.
      error.code === "EPIPE" || error.code === "ECONNRESET" ? resolve({ status: 413, text: "" }) : reject(error),
    );
    sent.end(body);
  });
}

/** Something that HTTP lets through as a header or in a path. */
const wire = (text: string): string => encodeURIComponent(text.toWellFormed()).slice(0, 2000);

function vary(random: () => number, row: Parameters<typeof target>[0], example: Example, method: string): Sent {
  const texts = (values: Readonly<Record<string, string>> = {}): Record<string, string> => {
    const names = [...Object.keys(values), ...(random() < 0.3 ? ["limit", "after", "plan", "x"] : [])];
    return Object.fromEntries(
      names.map((name) => [
        name,
        random() < 0.5
          ? (values[name] ?? "1")
          : (JSON.stringify(pick(random, ODD)) ?? "").replaceAll(/^"|"$/g, "").toWellFormed(),
      ]),
    );
  };
  const raw = { params: texts(example.params), query: texts(example.query) };
  const good = JSON.stringify(mutate(random, example.body ?? {})) ?? "";
  const body = random() < 0.8 ? good : garble(random, good);
  const headers: Record<string, string> = {
    "content-type": random() < 0.9 ? "application/json" : wire(body.slice(0, 20)),
  };
  if (random() < 0.2) headers["if-match"] = pick(random, ['"x"', "*", "W/", '"', "config-1", ""]);
  if (random() < 0.2) headers["last-event-id"] = pick(random, ["-1", "x", "9".repeat(30), "0"]);
  const path =
    random() < 0.9 ? target(row, raw) : `${target(row, raw)}${pick(random, ["/", "?", "//", "%", "?a=%zz&&&="])}`;
  return { method, path: path.replaceAll(/[^\u0021-\u007e]/g, "%20"), headers, ...(method !== "GET" && { body }) };
}

/** What a corpus of requests has caught elsewhere, word for word on the wire. */
const CORPUS: readonly string[] = [
  "GET / HTTP/1.1\r\n\r\n",
  "GET /v1/status HTTP/9.9\r\nhost: x\r\n\r\n",
  "GET http://[::1 HTTP/1.1\r\nhost: x\r\n\r\n",
  "GET //v1//status HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
  "GET * HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
  "OPTIONS * HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
  "CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n",
  "GET /v1/status HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
  "POST /v1/gc HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n{}",
  "POST /v1/gc HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\ncontent-length: 4\r\n\r\nZZ\r\n",
  "POST /v1/gc HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n{}",
  "POST /v1/gc HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
  "POST /v1/gc HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2\r\nconnection: close\r\ncontent-type: application/json\r\n\r\n{}",
  `GET /${"a".repeat(100_000)} HTTP/1.1\r\nhost: x\r\n\r\n`,
  `GET /v1/status HTTP/1.1\r\nhost: x\r\nx: ${"a".repeat(100_000)}\r\n\r\n`,
  "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
  "GET /v1/shaper/circuits/%2e%2e%2f%2e%2e HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
];

/** Bytes as they are; what comes back until the other side closes, or a moment has passed. */
const raw = (bytes: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(pathsBelow(lab.shaped.root).socket, () => socket.write(bytes, "latin1"));
    let text = "";
    socket.setEncoding("latin1").on("data", (chunk: string) => (text += chunk));
    socket.on("error", (error: NodeJS.ErrnoException) => (error.code === "ECONNRESET" ? resolve(text) : reject(error)));
    socket.on("close", () => resolve(text));
    setTimeout(() => socket.end(), 300);
  });

/** Lines of the log that say more than a warning. */
const loud = (): string[] => lab.log.split("\n").filter((line) => /^\S+ (error|fatal) /.test(line));

test(`every route, ${PER_ROUTE} times wrong`, async (t) => {
  t.diagnostic(`seed ${SEED}`);
  const random = seeded(SEED);
  const { pid } = lab;
  const statuses = new Map<number, number>();
  for (const [name, row] of routeRows()) {
    for (let i = 0; i < PER_ROUTE; i += 1) {
      const sent = vary(random, row, row.example, row.method);
      const { status, text } = await send(sent);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      // A registry that cannot be reached is no fault of the server's.
      const unreachable = status === 502 && text.includes("IMAGE_UNREACHABLE");
      assert.ok((status >= 200 && status < 500) || unreachable, `${name}: ${status} ${text}\n${inspect(sent)}`);
      if (status !== 200 && text !== "") assert.match(text, /^\{"schema":"sluice\/error\/1","problems":\[\{/);
    }
  }
  t.diagnostic(
    [...statuses]
      .toSorted()
      .map(([status, count]) => `${status}: ${count}`)
      .join(", "),
  );
  assert.equal(lab.pid, pid, lab.log.slice(-3000));
  assert.deepEqual(loud(), []);
});

test("a corpus of what is hardly HTTP", async () => {
  const { pid } = lab;
  for (const bytes of CORPUS) {
    const text = await raw(bytes);
    const status = Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 400);
    assert.ok(status < 500, `${JSON.stringify(bytes.slice(0, 100))}: ${text.slice(0, 300)}`);
  }
  assert.equal(lab.pid, pid);
  assert.deepEqual(loud(), []);
  assert.equal((await lab.client.call("status", {})).state, "ready");
});
