/** The peers: programs of Debian, fetched but not installed, and C programs of this folder, built when they are wanted. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { cached, downloadHere, Unavailable, unpack } from "../../tools/vm/apt.ts";
import { BED, type RelayBed } from "./bed.ts";
import { type Contender, RELAY_CPU, type Running } from "./contender.ts";

const CACHE = join(import.meta.dirname, "../../.vm");
const SOURCES = join(import.meta.dirname, "peers");
/** Milliseconds in which a program that does not say when it is ready has come up. */
const COMES_UP = 700;
const ENDS_WITHIN = 3000;

const numbers = (outputs: number): number[] => Array.from({ length: outputs }, (_, i) => i + 1);

/** Programs in the box that are ended in the end. */
class Programs implements Running {
  readonly #children: readonly ChildProcess[];

  constructor(children: readonly ChildProcess[]) {
    this.#children = children;
  }

  pids(): readonly number[] {
    return this.#children.map(({ pid }) => pid!);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`${child.spawnfile} ended by itself`);
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      const late = AbortSignal.timeout(ENDS_WITHIN);
      late.addEventListener("abort", () => child.kill("SIGKILL"));
      await ended;
    }
  }
}

function launch(bed: RelayBed, words: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
  const stdio = ["ignore", "pipe", "inherit"] as const;
  return bed.box.run(() =>
    spawn("taskset", ["-c", String(RELAY_CPU), ...words], { stdio: [...stdio], env: { ...process.env, ...env } }),
  );
}

/** Builds a program of this folder. @throws Unavailable without a compiler */
function built(folder: string, name: string): string {
  const program = join(folder, name);
  const { status, error, stderr } = spawnSync("cc", ["-O2", "-o", program, join(SOURCES, `${name}.c`)], {
    encoding: "utf8",
  });
  if (error) throw new Unavailable("there is no C compiler: apt-get install gcc libc6-dev");
  if (status !== 0) throw new Error(`cc ${name}.c: ${stderr}`);
  return program;
}

function cRelay(name: string, program: string): Contender {
  return {
    name,
    outputs: BED.most,
    async start(bed, outputs) {
      const ways = numbers(outputs).map((n) => `o${n}=${BED.output(n)}:${BED.outputPort}`);
      const child = launch(bed, [program, "r0", BED.group, String(BED.port), ...ways]);
      // It says "ready" when its sockets are there.
      const ended = once(child, "exit").then(() => {
        throw new Error(`${program} ended before it was ready`);
      });
      await Promise.race([once(child.stdout!, "data"), ended]);
      ended.catch(() => undefined);
      return new Programs([child]);
    },
  };
}

/** A program of Debian's, unpacked with libraries it needs and this machine may not have. */
function debian(name: string, libraries: readonly string[]): string {
  return cached(CACHE, name, (work) => {
    for (const each of [name, ...libraries]) downloadHere(work, each);
    const files = readdirSync(work).filter((file) => file.endsWith(".deb"));
    unpack(work, files, join(work, "tree"));
  });
}

function socat(): Contender {
  const tree = debian("socat", ["libwrap0"]);
  const env = { LD_LIBRARY_PATH: join(tree, "usr/lib/x86_64-linux-gnu") };
  const from = `UDP4-RECV:${BED.port},bind=${BED.group},ip-add-membership=${BED.group}:r0,reuseaddr`;
  return {
    name: "socat",
    // A process for each output would get each packet, too.
    outputs: 1,
    async start(bed, outputs) {
      const children = numbers(outputs).map((n) => {
        const to = `UDP4-DATAGRAM:${BED.output(n)}:${BED.outputPort},ip-multicast-if=198.18.${n}.1,ip-multicast-ttl=8`;
        return launch(bed, [join(tree, "usr/bin/socat"), "-u", "-b", "65536", from, to], env);
      });
      await setTimeout(COMES_UP);
      return new Programs(children);
    },
  };
}

/** The kernel's multicast router, told what to do by smcroute; groups stay what they are. */
function smcroute(folder: string): Contender {
  const program = join(debian("smcroute", []), "usr/sbin/smcrouted");
  return {
    name: "kernel's multicast routing (smcroute)",
    outputs: BED.most,
    keepsGroup: true,
    async start(bed, outputs) {
      const file = join(folder, "smcroute.conf");
      const to = numbers(outputs).map((n) => `o${n}`);
      const devices = ["r0", ...to].map((device) => `phyint ${device} enable ttl-threshold 1`);
      const route = `mroute from r0 group ${BED.group} source ${BED.source} to ${to.join(" ")}`;
      writeFileSync(file, `${[...devices, `mgroup from r0 group ${BED.group}`, route].join("\n")}\n`);
      const places = ["-f", file, "-P", join(folder, "pid"), "-u", join(folder, "socket")];
      const words = [program, ..."-n -N -l warning".split(" "), ...places];
      const child = launch(bed, words);
      await setTimeout(COMES_UP);
      const running = new Programs([child]);
      // What it costs is the kernel's, in the generator's time.
      return { pids: () => [], [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() };
    },
  };
}

/** Those that can be had, and why others cannot. */
export interface Peers extends Disposable {
  readonly contenders: Readonly<Partial<Record<PeerName, Contender>>>;
  readonly missing: readonly string[];
}

/** What each is called in code. */
export type PeerName = "socat" | "mmsg" | "uring" | "smcroute";

/** Fetches and builds them. */
export function getPeers(): Peers {
  const folder = mkdtempSync(join(tmpdir(), "sluice-bench-"));
  const makers: Readonly<Record<PeerName, () => Contender>> = {
    socat,
    mmsg: () => cRelay("recvmmsg and sendmmsg, in C", built(folder, "mmsg")),
    uring: () => cRelay("in MCR's style (io_uring), in C", built(folder, "uring")),
    smcroute: () => smcroute(folder),
  };
  const contenders: Partial<Record<PeerName, Contender>> = {};
  const missing: string[] = [];
  for (const [name, make] of Object.entries(makers) as [PeerName, () => Contender][]) {
    try {
      contenders[name] = make();
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      missing.push(`${name}: ${error.message}`);
    }
  }
  return { contenders, missing, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
}
