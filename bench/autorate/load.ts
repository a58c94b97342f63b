/** Traffic that wants more than the line carries: iperf3 between the client and the net, bounded in time. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Direction } from "../../src/core/both.ts";
import { type Bed, BED } from "./bed.ts";

/** What is sent. */
export interface Flow {
  readonly direction: Direction;
  /** TCP with cubic, two flows: it fills every queue (BBR, the default of many a machine, would not). UDP: kbit/s. */
  readonly kind: "tcp" | { readonly udp: number };
  /** s; it lasts from the one to the other, wherever they begin to count. */
  readonly from: number;
  readonly to: number;
}

const TCP = ["-C", "cubic", "-P", "2", "-w", "4M"];
const udp = (kbit: number): string[] => ["-u", "-b", `${kbit}K`, "-l", "1200"];
const FIRST_PORT = 5201;

/** An iperf3 server for each flow, and the clients that run. Dispose to end all of them. */
export class Loads implements AsyncDisposable {
  readonly #bed: Bed;
  readonly #children: ChildProcess[] = [];
  #log = "";

  private constructor(bed: Bed) {
    this.#bed = bed;
  }

  /** Starts servers for so many flows and waits until they listen. */
  static async of(bed: Bed, flows: number): Promise<Loads> {
    const loads = new Loads(bed);
    const servers = Array.from({ length: flows }, (_, i) =>
      loads.#iperf("net", ["-s", "-p", String(FIRST_PORT + i), "--forceflush"]),
    );
    await Promise.all(servers.map((server) => once(server.stdout!, "data")));
    return loads;
  }

  /** iperf3 dies with this process, also after kill -9: it would hold its namespace for ever. */
  #iperf(where: "cli" | "net", args: readonly string[]): ChildProcess {
    const all = ["--pdeathsig", "KILL", "iperf3", ...args];
    const child = this.#bed[where].run(() => spawn("setpriv", all, { stdio: ["ignore", "pipe", "pipe"] }));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (this.#log += text));
    this.#children.push(child);
    return child;
  }

  /** Starts a flow. @param index which of the servers it has for itself */
  start(index: number, { direction, kind, from, to }: Flow): void {
    const common = ["-c", BED.server, "-p", String(FIRST_PORT + index), "-t", String(Math.ceil(to - from))];
    const client = this.#iperf("cli", [
      ...common,
      ...(kind === "tcp" ? TCP : udp(kind.udp)),
      ...(direction === "download" ? ["-R"] : []),
    ]);
    client.stdout!.setEncoding("utf8").on("data", () => undefined);
  }

  /** What iperf3 complained of. */
  get log(): string {
    return this.#log;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const running = this.#children.filter((child) => child.exitCode === null && child.signalCode === null);
    await Promise.all(
      running.map(async (child) => {
        const exited = once(child, "exit");
        child.kill("SIGKILL");
        await exited;
      }),
    );
  }
}
