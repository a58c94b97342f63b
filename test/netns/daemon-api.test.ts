/** The API of a live daemon: every route by its example, every answer by its schema, and what callers get wrong. */
import assert from "node:assert/strict";
import { request } from "node:http";
import { after, before, describe, it } from "node:test";
import * as v from "valibot";
import { target } from "../../src/api/client.ts";
import { ROUTES, routeRows } from "../../src/api/routes.ts";
import { failure } from "../../src/api/schemas/common.ts";
import { MessageReader } from "../../src/api/sse.ts";
import { pathsBelow } from "../../src/linux/paths.ts";
import { DaemonLab } from "../helpers/daemon.ts";
import { exact } from "../helpers/exact-schema.ts";

let lab: DaemonLab;
before(async () => {
  lab = new DaemonLab();
  await lab.start();
});
after(() => lab[Symbol.asyncDispose]());

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** One request over the socket; of a stream what comes within a moment. */
function send(
  method: string,
  path: string,
  { body, headers = {}, stream = false }: { body?: string; headers?: Record<string, string>; stream?: boolean } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { socket } = pathsBelow(lab.shaped.root);
    const type = body === undefined ? {} : { "content-type": "application/json" };
    const sent = request({ socketPath: socket, method, path, headers: { ...type, ...headers } }, (response) => {
      let text = "";
      const done = (): void => resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
        if (stream && text.includes("\n\n")) response.destroy();
      });
      response.on("close", done);
      if (stream) setTimeout(() => response.destroy(), 1000).unref();
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

const problems = (
  text: string,
): readonly { readonly code: string; readonly remedy: string; readonly message: string }[] =>
  v.parse(failure, JSON.parse(text)).problems;

describe("every route", () => {
  for (const [name, row] of routeRows()) {
    it(`${name}: its example is answered as documented`, async () => {
      const { example, method, response, answers } = row;
      const { status = 200, body } = example;
      const answer = await send(method, target(row, example), {
        ...(body !== undefined && { body: JSON.stringify(body) }),
        stream: answers === "stream",
      });
      assert.equal(answer.status, status, answer.text);
      assert.equal(answer.headers["sluice-version"], "0.1.0");
      if (status !== 200) return void problems(answer.text);
      if (answers === "text") return assert.ok(answer.text.length > 100);
      const messages =
        answers === "stream" ? new MessageReader().read(answer.text).map(({ data }) => data) : [answer.text];
      for (const text of messages) {
        const result = v.safeParse(exact(response), JSON.parse(text));
        assert.ok(result.success, JSON.stringify(result.issues?.[0], undefined, 1)?.slice(0, 800));
      }
      return undefined;
    });
  }

  it("is served", () => assert.equal(routeRows().length, Object.keys(ROUTES).length));
});

describe("what is wrong with a request is told", () => {
  const cases: readonly (readonly [string, string, string, number, string, object?])[] = [
    ["no such path", "GET", "/v1/nothing", 404, "ROUTE_UNKNOWN"],
    ["another method", "DELETE", "/v1/status", 405, "METHOD_NOT_ALLOWED"],
    ["a query that there is not", "GET", "/v1/events?limits=5", 400, "REQUEST_INVALID"],
    ["a query out of bounds", "GET", "/v1/events?limit=0", 400, "REQUEST_INVALID"],
    ["an id that is none", "GET", "/v1/programs/abc", 400, "REQUEST_INVALID"],
    ["a body that is no JSON", "POST", "/v1/gc", 400, "REQUEST_JSON", { body: "{" }],
    ["a body that is no object", "POST", "/v1/gc", 400, "REQUEST_INVALID", { body: "[]" }],
    ["a field that there is not", "POST", "/v1/gc", 400, "REQUEST_INVALID", { body: '{"plann":true}' }],
    [
      "another type of body",
      "POST",
      "/v1/gc",
      415,
      "REQUEST_MEDIA",
      { body: "a=1", headers: { "content-type": "text/plain" } },
    ],
    ["too much", "POST", "/v1/gc", 413, "REQUEST_TOO_LARGE", { body: JSON.stringify({ plan: "x".repeat(70_000) }) }],
    ["a state that moved", "POST", "/v1/config/reload", 412, "STATE_MOVED", { headers: { "if-match": '"config-99"' } }],
    [
      "a plan that moved",
      "POST",
      "/v1/shaper/apply",
      412,
      "STATE_MOVED",
      { body: "{}", headers: { "if-match": '"0123"' } },
    ],
    [
      "a mode that moved",
      "PUT",
      "/v1/bakery/mode",
      412,
      "STATE_MOVED",
      { body: '{"mode":"file"}', headers: { "if-match": '"bakery-execute"' } },
    ],
    ["no such circuit", "GET", "/v1/shaper/circuits/nobody", 404, "NOT_FOUND"],
    [
      "a command of the bakery's that there is not",
      "POST",
      "/v1/bakery/commands",
      422,
      "BAKERY_COMMAND",
      { body: '{"command":"Bake"}' },
    ],
  ];
  for (const [what, method, path, status, code, options] of cases)
    it(what, async () => {
      const answer = await send(method, path, options);
      assert.equal(answer.status, status, answer.text);
      const [first] = problems(answer.text);
      assert.equal(first?.code, code);
      assert.ok(first.remedy.length > 5);
    });

  it("all of it at once", async () => {
    const answer = await send("POST", "/v1/links", { body: '{"kind":"xdp","programId":0,"device":"a/b","prio":1}' });
    const all = problems(answer.text).map(({ message }) => message);
    assert.equal(all.length, 4, all.join("\n"));
  });

  it("too much, in chunks of which nobody said how many there are", async () => {
    const { socket: path } = pathsBelow(lab.shaped.root);
    const answer = await new Promise<string>((resolve, reject) => {
      const headers = { "content-type": "application/json", "transfer-encoding": "chunked" };
      const sent = request({ socketPath: path, method: "POST", path: "/v1/gc", headers }, (response) => {
        let text = String(response.statusCode);
        response.on("data", (chunk: Buffer) => (text += chunk.toString())).on("end", () => resolve(text));
      });
      sent.on("error", reject);
      for (let i = 0; i < 10; i += 1) sent.write("x".repeat(10_000));
      sent.end();
    });
    assert.match(answer, /^413.*REQUEST_TOO_LARGE/);
  });

  it("what is not HTTP", async () => {
    const { connect } = await import("node:net");
    const text = await new Promise<string>((resolve, reject) => {
      const socket = connect(pathsBelow(lab.shaped.root).socket, () => socket.end("hello\r\n\r\n"));
      let got = "";
      socket.setEncoding("utf8").on("data", (chunk: string) => (got += chunk));
      socket.on("close", () => resolve(got));
      socket.on("error", reject);
    });
    assert.match(text, /^HTTP\/1\.1 400 [\s\S]*REQUEST_INVALID/);
  });
});

it("a tag of a plan lets just that plan be applied", async () => {
  const plan = await send("GET", "/v1/shaper/plan");
  assert.match(String(plan.headers["etag"]), /^"[0-9a-f]{16}"$/);
  const headers = { "if-match": String(plan.headers["etag"]) };
  assert.equal((await send("POST", "/v1/shaper/apply", { body: "{}", headers })).status, 200);
});
