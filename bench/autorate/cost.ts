/** What autorate costs: the daemon with one link and with many, on a router of which every line is idle but for the probes. */
import { execFileSync } from "node:child_process";
import { setTimeout } from "node:timers/promises";
import { ip } from "../../demo/lab.ts";
import type { Section } from "../report.ts";
import type { BenchOptions } from "../run.ts";
import { Netns } from "../../src/linux/netns.ts";
import { linkConfig, listOf } from "./controllers.ts";
import { Daemon, type Use } from "./daemon.ts";

/** Reflectors that each link asks. */
const REFLECTORS = 6;
/** Seconds after the start until it is at rest, and what a start takes. */
const REST = 12;
const START = 3;

/**
 * A router with lines side by side, each a veth to a namespace where everybody answers: the kernel there has all reflectors
 * of that line as its own addresses. Each line has HTBs like those of a bed.
 */
class Lines implements Disposable {
  readonly router = Netns.create();
  readonly #far = Netns.create();

  constructor(count: number) {
    const numbers = Array.from({ length: count }, (_, i) => i);
    ip(
      this.router,
      numbers.flatMap((i) => [
        `link add wan${i} type veth peer name far${i} netns ${this.#far.path}`,
        `addr add 198.18.${i}.1/24 dev wan${i}`,
        `link set wan${i} up`,
        `link add ifb${i} type ifb`,
        `link set ifb${i} up`,
      ]),
    );
    ip(this.#far, [
      "link set lo up",
      ...numbers.flatMap((i) => [
        `link set far${i} up`,
        ...Lines.reflectors(i).map((address) => `addr add ${address}/24 dev far${i}`),
      ]),
    ]);
    const lines = numbers.flatMap((i) =>
      [`wan${i}`, `ifb${i}`].flatMap((device) => [
        `qdisc add dev ${device} root handle 1: htb default 20`,
        `class add dev ${device} parent 1: classid 1:1 htb rate 5mbit ceil 5mbit`,
        `class add dev ${device} parent 1:1 classid 1:20 htb rate 100kbit ceil 10gbit quantum 1514`,
      ]),
    );
    this.router.run(() =>
      execFileSync("tc", ["-batch", "-"], { input: lines.join("\n"), stdio: ["pipe", "ignore", "pipe"] }),
    );
  }

  /** Those of a line. */
  static reflectors(line: number): string[] {
    return Array.from({ length: REFLECTORS }, (_, i) => `198.18.${line}.${10 + i}`);
  }

  [Symbol.dispose](): void {
    this.router[Symbol.dispose]();
    this.#far[Symbol.dispose]();
  }
}

/** What is measured. */
interface Case {
  readonly links: number;
  readonly controller: string;
  /** Without traffic for so long a link sends no probes, s; 0: it always does. */
  readonly sleep: number;
}

/** Shorter than the time until measuring begins, so that all links sleep then. */
const ASLEEP = 3;

const CASES: readonly Case[] = [
  ...["ewma", "cake", "sluice"].flatMap((controller) => [1, 20].map((links) => ({ controller, links, sleep: 0 }))),
  { controller: "sluice", links: 20, sleep: ASLEEP },
];

async function measure({ links, controller, sleep }: Case, seconds: number): Promise<Use> {
  using lines = new Lines(links);
  const files: Record<string, string> = {};
  let config = "";
  for (let i = 0; i < links; i += 1) {
    files[`reflectors${i}.csv`] = listOf(Lines.reflectors(i));
    const targets = { download: `htb ifb${i} 1:1`, upload: `htb wan${i} 1:1` };
    config += linkConfig({ controller, link: `wan${i}`, targets, reflectors: `reflectors${i}.csv`, sleep });
  }
  await using daemon = await Daemon.start(lines.router, { ...files, "sluice.toml": config });
  await setTimeout(REST * 1000);
  const measured = daemon.measure();
  await setTimeout(seconds * 1000);
  return measured();
}

/** One link and twenty, with the controllers that sluice has. */
export async function* autorateCost({ quick }: BenchOptions): AsyncGenerator<Section> {
  const seconds = quick ? 10 : 60;
  console.log(`${CASES.length} daemons: about ${Math.ceil((CASES.length * (START + REST + seconds)) / 60)} minutes.\n`);
  const table = [["", "processor time, s a minute", "resident, MiB"]];
  for (const one of CASES) {
    const { cpu, resident } = await measure(one, seconds);
    const links = `${one.links} ${one.links === 1 ? "link" : "links"}`;
    table.push([
      `${one.controller}, ${links}${one.sleep > 0 ? ", asleep" : ""}`,
      (cpu * 60).toFixed(2),
      (resident / 2 ** 20).toFixed(1),
    ]);
  }
  yield {
    title: "What a daemon with autorate takes, on idle lines",
    rows: [],
    table,
    remarks: [`Over ${seconds} s, once. The daemon itself, without autorate, is measured by the bench "daemon".`],
  };
}
