/** TCP speed tests with iperf3 between namespaces. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import type { Netns } from "../src/linux/netns.ts";

/** One flow to measure. */
export interface Flow {
  /** The subscriber's address, which the client binds to. */
  readonly client: string;
  readonly server: string;
  readonly port: number;
  /** `download` lets the server send. */
  readonly direction: "download" | "upload";
  /** Seconds that count. */
  readonly seconds: number;
  /** Seconds before that, for TCP to find the rate. */
  readonly omit: number;
}

/** What a flow carried. */
export interface Measured {
  /** TCP payload received, bit/s, over the seconds that count. */
  readonly goodput: number;
  /** The same for each second, those before the count included. */
  readonly perSecond: readonly number[];
}

/** iperf3 dies with this process, also after kill -9: it would hold its namespace for ever. */
function iperf(ns: Netns, args: readonly string[]): ChildProcess {
  const all = ["--pdeathsig", "KILL", "iperf3", ...args];
  return ns.run(() => spawn("setpriv", all, { stdio: ["ignore", "pipe", "inherit"] }));
}

/** iperf3 servers on these ports; each serves one test at a time. Dispose to end them. */
export class Servers implements Disposable {
  readonly #children: ChildProcess[];

  private constructor(children: ChildProcess[]) {
    this.#children = children;
  }

  /** Starts them and waits until each listens. */
  static async start(ns: Netns, ports: readonly number[]): Promise<Servers> {
    const children = ports.map((port) => iperf(ns, ["-s", "-p", String(port), "--forceflush"]));
    await Promise.all(children.map((child) => once(child.stdout!, "data")));
    return new Servers(children);
  }

  [Symbol.dispose](): void {
    for (const child of this.#children) child.kill("SIGKILL");
  }
}

interface Interval {
  readonly sum: { readonly bits_per_second: number };
}

/** Runs one flow to its end. */
export async function measure(ns: Netns, flow: Flow): Promise<Measured> {
  const { client, server, port, direction, seconds, omit } = flow;
  const args = [
    "-J",
    "-c",
    server,
    "-B",
    client,
    "-p",
    String(port),
    "-t",
    String(seconds),
    "-O",
    String(omit),
    "-C",
    "cubic",
  ];
  const child = iperf(ns, direction === "download" ? [...args, "-R"] : args);
  const result = JSON.parse(await text(child.stdout!)) as {
    readonly error?: string;
    readonly intervals: readonly Interval[];
    readonly end: { readonly sum_received: { readonly bits_per_second: number } };
  };
  if (result.error !== undefined) throw new Error(`iperf3 from ${client} to ${server}:${port}: ${result.error}`);
  return {
    goodput: result.end.sum_received.bits_per_second,
    perSecond: result.intervals.map(({ sum }) => sum.bits_per_second),
  };
}
