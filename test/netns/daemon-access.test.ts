/** Who may do what, with users that there really are. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, statSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { afterEach, beforeEach, test } from "node:test";
import { join } from "node:path";
import { pathsBelow } from "../../src/linux/paths.ts";
import { DaemonLab } from "../helpers/daemon.ts";

const ROOT = join(import.meta.dirname, "../..");
/** A user that every Debian has, and a group that root can give. */
const NOBODY = 65_534;
const STAFF = "staff";

let lab: DaemonLab;
beforeEach(() => {
  lab = new DaemonLab();
});
afterEach(() => lab[Symbol.asyncDispose]());

/** A request by another user, with Node itself: the status, the first problem's code, and the remedy. */
function as(uid: number, groups: readonly number[], method: string, path: string, body?: string) {
  const { socket } = pathsBelow(lab.shaped.root);
  const script = `
    const { request } = require("node:http");
    const options = { socketPath: ${JSON.stringify(socket)}, method: ${JSON.stringify(method)}, path: ${JSON.stringify(path)},
      headers: { "content-type": "application/json" } };
    const sent = request(options, (response) => {
      let text = "";
      response.on("data", (chunk) => (text += chunk)).on("end", () => console.log(JSON.stringify([response.statusCode, text])));
    });
    sent.on("error", (error) => console.log(JSON.stringify([error.code, ""])));
    sent.end(${body === undefined ? "" : JSON.stringify(body)});`;
  const args = [
    `--reuid=${uid}`,
    `--regid=${uid}`,
    groups.length > 0 ? `--groups=${groups.join(",")}` : "--clear-groups",
  ];
  const command = [...args, process.execPath, "-e", script];
  const { stdout, stderr } = spawnSync("setpriv", command, { encoding: "utf8", cwd: "/" });
  assert.notEqual(stdout, "", stderr);
  const [status, text] = JSON.parse(stdout) as [number | string, string];
  const problems = text.startsWith('{"schema":"sluice/error/1"')
    ? (JSON.parse(text) as { problems: { code: string; remedy: string }[] }).problems
    : [];
  return { status, code: problems[0]?.code, remedy: problems[0]?.remedy ?? "" };
}

/** A port of the loopback that nobody has. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** Lets others come to the socket: folders below /tmp are root's alone. */
function opened(): void {
  chmodSync(lab.shaped.root, 0o755);
}

const groupId = (): number => Number(execFileSync("getent", ["group", STAFF], { encoding: "utf8" }).split(":")[2]);

test("root and the group may change; nobody else even reaches the socket", async () => {
  lab.write("sluice.toml", (text) => `${text}\n[api]\ngroup = "${STAFF}"\n`);
  await lab.start();
  opened();
  const { mode, gid, uid } = statSync(pathsBelow(lab.shaped.root).socket);
  assert.deepEqual([mode & 0o777, uid, gid], [0o660, 0, groupId()]);
  assert.equal(as(NOBODY, [], "GET", "/v1/status").status, "EACCES");
  assert.equal(as(NOBODY, [groupId()], "GET", "/v1/status").status, 200);
  assert.equal(as(NOBODY, [groupId()], "PUT", "/v1/log", '{"levels":{"api":"info"}}').status, 200);
  assert.equal(as(0, [], "POST", "/v1/config/reload").status, 200);
  const [event] = (await lab.client.call("events", { query: { kind: "log.levels" } })).events;
  assert.match(event!.message, new RegExp(`by uid ${NOBODY} \\(pid \\d+\\)$`));

  // Whoever opens the door of the file system has not opened this one.
  chmodSync(pathsBelow(lab.shaped.root).socket, 0o666);
  const refused = as(NOBODY, [], "GET", "/v1/status");
  assert.deepEqual([refused.status, refused.code], [403, "FORBIDDEN"]);
  assert.match(refused.remedy, new RegExp(`Ask as root or as a member of the group "${STAFF}"`));
});

test("others may read where that is allowed, and get 403 with the remedy for more", async () => {
  lab.write("sluice.toml", (text) => `${text}\n[api]\nothers = "read"\n`);
  await lab.start();
  opened();
  assert.equal(statSync(pathsBelow(lab.shaped.root).socket).mode & 0o777, 0o666);
  assert.equal(as(NOBODY, [], "GET", "/v1/shaper/circuits").status, 200);
  for (const [method, path, body] of [
    ["POST", "/v1/config/reload", undefined],
    ["POST", "/v1/shaper/cleanup", "{}"],
    ["PUT", "/v1/bakery/mode", '{"mode":"execute"}'],
    ["POST", "/v1/bakery/commands", '{"command":"ClearPriorSettings"}'],
    ["POST", "/v1/programs/unload", '{"ids":[1]}'],
  ] as const) {
    const refused = as(NOBODY, [], method, path, body);
    assert.deepEqual([refused.status, refused.code], [403, "FORBIDDEN"], path);
    assert.match(refused.remedy, /Ask as root/);
  }
  // And no more from the next reload on.
  lab.write("sluice.toml", (text) => text.replace('others = "read"', 'others = "none"'));
  assert.equal(lab.cli(["reload"]).status, 0);
  assert.equal(as(NOBODY, [], "GET", "/v1/status").status, "EACCES");
});

test("the command line of such a user says what would work", async () => {
  await lab.start();
  opened();
  const cli = [process.execPath, join(ROOT, "src/cli/main.ts"), "reload"];
  const env = { ...process.env, SLUICE_ROOT: lab.shaped.root };
  const args = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups", ...cli];
  const { status, stderr } = spawnSync("setpriv", args, { encoding: "utf8", env, cwd: "/" });
  assert.equal(status, 77);
  assert.match(stderr, /DAEMON_DENIED[\s\S]*sudo sluice reload/);
});

test("TCP wants the token, and is on loopback only", async () => {
  const token = "0123456789abcdef-token";
  const file = lab.path("token");
  writeFileSync(file, `${token}\n`, { mode: 0o600 });
  const port = await freePort();
  lab.write("sluice.toml", (text) => `${text}\n[api]\nlisten = "127.0.0.1:${port}"\ntoken_file = "token"\n`);
  await lab.start();
  const ask = async (headers: Record<string, string>, method = "GET", path = "/v1/status") => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers });
    return {
      status: response.status,
      text: await response.text(),
      challenge: response.headers.get("www-authenticate"),
    };
  };
  for (const headers of [{}, { authorization: "Bearer 0123456789abcdef-tokem" }, { authorization: token }] as Record<
    string,
    string
  >[]) {
    const refused = await ask(headers);
    assert.equal(refused.status, 401);
    assert.match(refused.text, /TOKEN_WRONG.*api\.token_file/);
    assert.equal(refused.challenge, "Bearer");
  }
  const authorization = `Bearer ${token}`;
  assert.equal((await ask({ authorization })).status, 200);
  assert.equal((await ask({ authorization }, "POST", "/v1/config/reload")).status, 200);

  // A token that others can read is none.
  chmodSync(file, 0o644);
  lab.cli(["reload"]);
  assert.equal((await ask({ authorization })).status, 401);
  assert.match(lab.cli(["health"]).stdout, /TOKEN_UNREADABLE[\s\S]*chmod 600|chmod 600[\s\S]*TOKEN_UNREADABLE/);
});

test("a port for everybody, and one without a token, are refused by the configuration", () => {
  lab.write("sluice.toml", (text) => `${text}\n[api]\nlisten = "0.0.0.0:9125"\n`);
  const { status, stderr } = lab.cli(["check"]);
  assert.equal(status, 78);
  assert.match(stderr, /api\.listen: it is "0\.0\.0\.0:9125", wanted a loopback address/);
  assert.match(stderr, /it needs api\.token_file/);
});
