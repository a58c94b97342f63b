/**
 * A daemon with links and nothing else. What they set are shapers of interfaces that lead nowhere, loaded as much as told;
 * what they hear are reflectors made by hand, with whatever delay there shall be. So a line is what a test says it is.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ip, LAB } from "../../demo/lab.ts";
import type { Output } from "../../src/api/routes.ts";
import type { AutorateLinkJson } from "../../src/api/schemas/autorate.ts";
import type { Direction } from "../../src/core/both.ts";
import { ethernet } from "../../src/linux/packet/frame.ts";
import { PacketSocket } from "../../src/linux/packet/packet-socket.ts";
import { DaemonLab, type StartOptions } from "./daemon.ts";
import type { Behaviour } from "./icmp-answer.ts";
import { eventually } from "./eventually.ts";
import { type PacketStream, stream } from "./packet-stream.ts";
import { Reflectors } from "./reflector.ts";

const ROOT = join(import.meta.dirname, "../..");
/** Nobody's addresses, behind the Internet's host. */
export const REFLECTORS = [1, 2, 3, 4, 5, 6].map((n) => `203.0.113.${n}`);
/** A path of 20 ms, and a clock that is not ours. */
const USUAL: Behaviour = {
  up: 12,
  down: 8,
  offset: 5000,
  silent: false,
  copies: 1,
};
/** Bytes on the wire of a frame of the load, of a type for experiments (IEEE 802, 88b5). */
const FRAME = ethernet({ type: 0x88b5, bytes: Buffer.alloc(1200) });
/** What a test waits for comes within so long on a machine that has much else to do, ms. */
export const SOON = 20_000;

/** Traffic out of an interface, in a thread of its own. */
class Load implements AsyncDisposable {
  readonly #socket: PacketSocket;
  readonly #stream: PacketStream;

  private constructor(socket: PacketSocket, running: PacketStream) {
    this.#socket = socket;
    this.#stream = running;
  }

  static async start(lab: AutorateLab, device: string, kbit: number): Promise<Load> {
    const socket = PacketSocket.open(device, lab.shaped.lab.router);
    const rate = Math.round((kbit * 125) / FRAME.length);
    return new Load(socket, await stream(socket.fd, [FRAME], { rate }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stream.stop();
    this.#socket[Symbol.dispose]();
  }
}

/** The lab. Dispose it. */
export class AutorateLab extends DaemonLab {
  #reflectors: Reflectors | undefined;
  readonly #loads = new Map<string, Load>();

  /** @param config the whole of `sluice.toml` */
  constructor(config: string) {
    super("", { queues: 1 });
    this.write("sluice.toml", () => config);
    const rows = REFLECTORS.map((address) => `${address},4,made by hand`);
    writeFileSync(this.path("reflectors.csv"), ["reflector_ip,ip_version,description", ...rows, ""].join("\n"));
    ip(this.shaped.lab.router, [`route add 203.0.113.0/24 via ${LAB.server[4]}`]);
  }

  /** Runs `tc` commands in the router. */
  tc(...lines: readonly string[]): void {
    for (const line of lines) this.shaped.router(`tc ${line}`);
  }

  /** Makes an interface that leads nowhere, with a TBF. */
  device(name: string): void {
    ip(this.shaped.lab.router, [`link add ${name} type ifb`, `link set ${name} up`]);
    this.tc(`qdisc add dev ${name} root handle 1: tbf rate 77mbit burst 20kb limit 60kb`);
  }

  /** What a TBF, or the class 1:1 of an HTB, is set to, kbit/s. */
  rateOf(device: string): number {
    const text = this.shaped.router(`tc qdisc show dev ${device}; tc class show dev ${device}`);
    const [, rate, unit] = /(?:tbf|class htb 1:1) .*?\brate (\d+)([KMG]?)bit/.exec(text) ?? assert.fail(text);
    return (Number(rate) * { "": 1, K: 1e3, M: 1e6, G: 1e9 }[unit!]!) / 1000;
  }

  /** Loads an interface from now on, kbit/s; 0 ends it. */
  async load(device: string, kbit: number): Promise<void> {
    await this.#loads.get(device)?.[Symbol.asyncDispose]();
    this.#loads.delete(device);
    if (kbit > 0) this.#loads.set(device, await Load.start(this, device, kbit));
  }

  /** How all reflectors behave, or one; what is not named is as usual. */
  reflect(behaviour: Behaviour = {}, address = "*"): void {
    this.#reflectors!.set(address, { ...USUAL, stamps: undefined, garble: undefined, ...behaviour } as Behaviour);
  }

  override async start(options: StartOptions = {}): Promise<void> {
    const behaviours = Object.fromEntries(REFLECTORS.map((address) => [address, USUAL]));
    this.#reflectors ??= await Reflectors.start(this.shaped.lab.internet, "inet0", behaviours);
    const node = `--import=${new URL("step-clock.ts", import.meta.url).href}`;
    const env = { NODE_OPTIONS: node, SLUICE_TEST_CLOCK: this.path("clock"), ...options.env };
    await super.start({ ...options, env });
  }

  /** Sets the daemon's wall clock off by so much, ms. */
  setClock(offset: number): void {
    writeFileSync(this.path("clock"), String(offset));
    this.kill("SIGUSR2");
  }

  /** A link with its last ticks. */
  link(name: string, ticks = 1): Promise<Output<"autorate.link">> {
    return this.client.call("autorate.link", { params: { name }, query: { ticks: String(ticks) } });
  }

  /** Waits until something holds of a link; what did not hold is told with all of it. */
  until(name: string, check: (link: AutorateLinkJson) => void): Promise<void> {
    return eventually(async () => {
      const { link } = await this.link(name);
      try {
        check(link);
      } catch (error) {
        throw new Error(`${(error as Error).message}\n${JSON.stringify(link, null, 1)}`, { cause: error });
      }
    }, SOON);
  }

  /** Waits until a link is in a state. */
  state(name: string, state: string): Promise<void> {
    return this.until(name, ({ last }) => assert.equal(last?.state, state));
  }

  /** Waits for so many ticks, and gives them. */
  async ticks(name: string, count: number): Promise<Output<"autorate.link">["history"]> {
    const before = (await this.link(name)).link.ticks;
    await this.until(name, ({ ticks }) => assert.ok(ticks >= before + count, `${ticks - before} of ${count} ticks`));
    return (await this.link(name, count)).history;
  }

  /** Waits until a direction is set to something within bounds, in the kernel too: kbit/s. */
  async rate(name: string, direction: Direction, device: string, low: number, high: number): Promise<void> {
    await this.until(name, ({ last }) => {
      const rate = last?.[direction].rateBitsPerSecond ?? Number.NaN;
      assert.ok(rate >= low * 1000 && rate <= high * 1000, `${direction} is ${rate / 1000}, wanted ${low} to ${high}`);
      const set = this.rateOf(device);
      assert.ok(set >= low && set <= high, `${device} is ${set}, wanted ${low} to ${high}`);
    });
  }

  /** What is wrong now, by its codes. */
  async conditions(): Promise<Readonly<Record<string, string>>> {
    const { conditions } = await this.client.call("health", {});
    return Object.fromEntries(conditions.map(({ code, message }) => [code, message]));
  }

  /** Waits for a condition; its text. */
  condition(code: string): Promise<string> {
    return eventually(async () => {
      const found = await this.conditions();
      return found[code] ?? assert.fail(`${code} is not among ${JSON.stringify(found)}`);
    }, SOON);
  }

  /** Waits until nothing is wrong. */
  healthy(): Promise<void> {
    return eventually(async () => assert.deepEqual(await this.conditions(), {}), SOON);
  }

  /** Writes the configuration, and has it taken. */
  async configure(config: string): Promise<void> {
    this.write("sluice.toml", () => config);
    await this.client.call("config.reload", {});
  }

  /** The first lines of a command that goes on until it is interrupted. */
  async follow(args: readonly string[], count: number): Promise<string[]> {
    const command = [join(ROOT, "src/cli/main.ts"), ...args];
    const env = { ...process.env, SLUICE_ROOT: this.shaped.root };
    const child: ChildProcess = spawn(process.execPath, command, { env, stdio: ["ignore", "pipe", "inherit"] });
    const lines: string[] = [];
    for await (const line of createInterface({ input: child.stdout! })) {
      lines.push(line);
      if (lines.length === count) child.kill("SIGINT");
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    return lines.slice(0, count);
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    for (const device of this.#loads.keys()) await this.load(device, 0);
    await this.#reflectors?.[Symbol.asyncDispose]();
    await super[Symbol.asyncDispose]();
  }
}
