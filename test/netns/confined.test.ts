/** A process without privileges, as the kernel sees it. This file is its program, too. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Channel } from "../../src/linux/channel.ts";
import { confine, privilegeIn } from "../../src/linux/confined.ts";
import { startConfined } from "../../src/linux/confined-process.ts";
import { check, SystemError } from "../../src/linux/errno.ts";
import { Fd } from "../../src/linux/fd.ts";
import { poll, prctl, socket } from "../../src/linux/ffi.ts";
import { eventually } from "../helpers/eventually.ts";
import { checkFds } from "../helpers/leaks.ts";

const NAME = "confined-test";
const POLLIN = 1;
const SECRET = "/proc/1/environ";

/** What an attempt comes to. */
function outcome(attempt: () => unknown): string {
  try {
    attempt();
    return "done";
  } catch (error) {
    return error instanceof SystemError ? error.code : ((error as { code?: string }).code ?? String(error));
  }
}

/** The program: says what it can, and waits until its channel ends. */
function program(): void {
  const confinement = confine();
  using channel = new Channel(new Fd(3));
  const open = (domain: number, type: number) =>
    outcome(() => new Fd(check("socket", socket(domain, type, 0x0300)))[Symbol.dispose]());
  channel.send({
    confinement,
    status: readFileSync("/proc/self/status", "utf8"),
    raw: open(17, 3),
    udp: outcome(() => new Fd(check("socket", socket(2, 2, 0)))[Symbol.dispose]()),
    root: outcome(() => process.setuid?.(0)),
    secret: outcome(() => readFileSync(SECRET)),
    dumpable: prctl(3, 0, 0, 0, 0),
    environment: Object.keys(process.env),
  });
  process.stderr.write("one\ntwo");
  const fds = new Int32Array([3, POLLIN]);
  while (!channel.ended) {
    poll(fds, 1, -1);
    channel.receive();
  }
}

interface Report {
  readonly confinement: { readonly name: string; readonly options: unknown; readonly unpinned?: string };
  readonly status: string;
  readonly [attempt: string]: unknown;
}

class Confined implements AsyncDisposable {
  readonly lines: string[] = [];
  readonly channel: Channel;
  readonly process: ReturnType<typeof startConfined>;

  constructor(cpus?: readonly number[]) {
    const [ours, theirs] = Channel.pair();
    using _theirs = theirs;
    this.channel = ours;
    this.process = startConfined({
      program: new URL(import.meta.url),
      name: NAME,
      uid: 65_534,
      gid: 65_534,
      fds: [theirs.fd],
      cpus,
      options: { answer: 42 },
      said: (line) => this.lines.push(line),
    });
  }

  async report(): Promise<Report> {
    const received = await eventually(() => {
      const next = this.channel.receive();
      assert.ok(next, this.lines.join("\n"));
      return next;
    }, 60_000);
    return received.message as Report;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.channel[Symbol.dispose]();
    await this.process.ended;
  }
}

/** A process that starts one, and is killed. */
async function parent(): Promise<void> {
  const confined = new Confined();
  await confined.report();
  console.log(confined.process.pid);
  await confined.process.ended;
}

const alive = (pid: number): boolean => outcome(() => process.kill(pid, 0)) === "done";

function tests(): void {
  checkFds();

  test("31: it is another user, and has no capability and no way to any", async () => {
    await using confined = new Confined();
    const report = await confined.report();
    assert.deepEqual(report.confinement, { name: NAME, options: { answer: 42 } });
    for (const line of [/^Uid:(\t65534){4}$/m, /^Gid:(\t65534){4}$/m, /^Groups:\t *$/m, /^NoNewPrivs:\t1$/m])
      assert.match(report.status, line);
    for (const set of ["CapInh", "CapPrm", "CapEff", "CapAmb"])
      assert.match(report.status, new RegExp(`^${set}:\t0000000000000000$`, "m"));
    const { raw, udp, root, secret, dumpable } = report;
    assert.deepEqual(
      { raw, udp, root, secret, dumpable },
      { raw: "EPERM", udp: "done", root: "EPERM", secret: "EACCES", dumpable: 0 },
    );
    const others = (report["environment"] as string[]).filter((key) => !/^(SLUICE_|NODE_COMPILE_CACHE$)/.test(key));
    assert.deepEqual(others, []);
    assert.match(readFileSync(`/proc/${confined.process.pid}/cmdline`, "utf8"), /\0confined-test\0/);
  });

  test("what it says is told by lines, and its end after them", async () => {
    await using confined = new Confined();
    await confined.report();
    confined.channel[Symbol.dispose]();
    assert.equal(await confined.process.ended, "it ended with code 0");
    assert.deepEqual(confined.lines, ["one", "two"]);
  });

  test("it is bound to processors that are there, and runs unbound when none is", async () => {
    await using bound = new Confined([0]);
    assert.equal((await bound.report()).confinement.unpinned, undefined);
    assert.match(readFileSync(`/proc/${bound.process.pid}/status`, "utf8"), /^Cpus_allowed_list:\t0$/m);
    await using unbound = new Confined([1023]);
    assert.match((await unbound.report()).confinement.unpinned ?? "", /sched_setaffinity 1023: .*EINVAL/);
  });

  test("how it was killed is told", async () => {
    await using confined = new Confined();
    await confined.report();
    confined.process.kill("SIGKILL");
    assert.equal(await confined.process.ended, "it was ended by SIGKILL");
  });

  test("it dies with the process that started it", async () => {
    const started = spawn(process.execPath, [import.meta.filename, "parent"], { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = (await once(started.stdout, "data")) as [Buffer];
    const pid = Number(line.toString());
    assert.ok(alive(pid));
    started.kill("SIGKILL");
    await eventually(() => assert.equal(alive(pid), false));
  });

  test("a status with any privilege left is seen", () => {
    const status = readFileSync("/proc/self/status", "utf8");
    const none = status
      .replaceAll(/^(Cap\w+:\t).*/gm, "$10000000000000000")
      .replace(/^Uid:.*/m, "Uid:\t65534\t65534\t65534\t65534")
      .replace(/^NoNewPrivs:.*/m, "NoNewPrivs:\t1");
    assert.equal(privilegeIn(none), undefined);
    assert.match(
      privilegeIn(none.replace(/^CapPrm:.*/m, "CapPrm:\t0000000000002000")) ?? "",
      /CapPrm 0000000000002000/,
    );
    assert.match(privilegeIn(none.replace(/^Uid:.*/m, "Uid:\t65534\t65534\t0\t65534")) ?? "", /still is root/);
    assert.match(privilegeIn(none.replace(/^NoNewPrivs:.*/m, "NoNewPrivs:\t0")) ?? "", /could get new/);
    assert.match(privilegeIn("") ?? "", /CapInh/);
  });
}

if (process.argv[2] === NAME) program();
else if (process.argv[2] === "parent") await parent();
else tests();
