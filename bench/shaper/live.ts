/** What a shaper does day by day on a tree that is there: a few changes, an apply with nothing to do, polling counters. */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { dumpClasses } from "../../src/linux/netlink/dump.ts";
import { pathsBelow } from "../../src/linux/paths.ts";
import { SHAPER_ACTIONS } from "../../src/shaper/actions.ts";
import { buildShaper } from "../../src/shaper/build.ts";
import { readConfig } from "../../src/shaper/config.ts";
import { readCounters } from "../../src/shaper/counters.ts";
import { readFacts } from "../../src/shaper/fetch.ts";
import { planShaper } from "../../src/shaper/plan.ts";
import type { ShaperPlan } from "../../src/shaper/shaper.ts";
import { readIsp } from "../../src/shaper/sources/isp.ts";
import { ShapedLab } from "../../test/helpers/shaper.ts";
import type { Row, Section } from "../report.ts";
import { alternate, elapsed, sample, type Sample } from "../sample.ts";
import { applyActions, DEVICE, runProgram, writeBatch } from "./device.ts";
import { CONFIG, ispOf, ispTexts } from "./isp.ts";
import { tcActions, type TcAction } from "./trees.ts";

const CIRCUITS = 10_000;
const QUEUES = 16;
const CHANGES = 100;
const SLUICE = join(import.meta.dirname, "../../bin/sluice");

/** The file that says what CONFIG says. */
const TOML = `[shaper]
network = "network.json"
devices = "ShapedDevices.csv"
lan = "lan0"
internet = "wan0"
download = "100gbit"
upload = "100gbit"
leaf = "fifo"
fast_rate = "off"
`;

/** A router with the whole tree built, both directions, from files. */
class Router implements Disposable {
  readonly lab = new ShapedLab({ queues: QUEUES, config: CONFIG });
  readonly configFile = pathsBelow(this.lab.root).config;
  readonly device = this.lab.shaper.devices.find(({ name }) => name === DEVICE)!;

  constructor() {
    const folder = dirname(this.configFile);
    const { network, devices } = ispTexts(CIRCUITS);
    mkdirSync(folder, { recursive: true });
    writeFileSync(this.configFile, TOML);
    writeFileSync(join(folder, "network.json"), network);
    writeFileSync(join(folder, "ShapedDevices.csv"), devices);
  }

  get ns() {
    return this.lab.lab.router;
  }

  /** The apply command, as a process of its own. Milliseconds. @throws Error unless it found nothing to do */
  command(): number {
    const begin = performance.now();
    const { stdout, stderr } = spawnSync(SLUICE, ["apply", "--netns", this.ns.path], {
      encoding: "utf8",
      env: { ...process.env, SLUICE_ROOT: this.lab.root },
    });
    const took = performance.now() - begin;
    if (stdout !== "Nothing to change.\n")
      throw new Error(`sluice apply did not find its own tree: ${stdout}${stderr}`);
    return took;
  }

  [Symbol.dispose](): void {
    this.lab[Symbol.dispose]();
  }
}

/** A plan for the same circuits with other rates for a hundred of them, and the way back. */
async function benchChanges(router: Router, full: Sample): Promise<Section> {
  const { shaper, config } = router.lab;
  const forth = tcActions(shaper.plan(ispOf(ispTexts(CIRCUITS, CHANGES)), config).actions);
  const back = forth.toReversed().flatMap((action) => SHAPER_ACTIONS.inverse(action)) as TcAction[];
  const file = writeBatch(join(router.lab.root, "batch"), forth);
  const there = (body: () => number | Promise<number>) => async () => {
    const took = await body();
    await applyActions(shaper.socket, router.device, back);
    return took;
  };
  const { ours, tc } = await alternate(9, {
    ours: there(() => applyActions(shaper.socket, router.device, forth)),
    tc: there(() => runProgram(router.ns, "tc", ["-batch", file])),
  });
  const what = `another rate for ${CHANGES} of 10,000 circuits (${forth.length} changes: class and leaf)`;
  return {
    title: "A few changes in a large tree, one direction, 16 HTBs",
    rows: [
      { what, ours, peer: { name: "tc -batch", sample: tc }, target: { ratio: 0.5 } },
      { what: "the same", ours, peer: { name: "our full build", sample: full }, target: { ratio: 0.01 } },
    ],
  };
}

/** The steps of an apply that has nothing to do, one by one, and the whole of it. */
async function benchNoop(router: Router, first: number, runs: number): Promise<Section> {
  const { shaper } = router.lab;
  const parts = { read: [] as number[], fetch: [] as number[], build: [] as number[], plan: [] as number[] };
  const timed = <T>(part: keyof typeof parts, body: () => T): T => {
    const begin = performance.now();
    const result = body();
    parts[part].push(performance.now() - begin);
    return result;
  };
  const stepwise = (): void => {
    const { config, isp } = timed("read", () => {
      const { config } = readConfig(router.configFile);
      return { config: config!, isp: readIsp(config!).isp! };
    });
    const { facts, observed } = timed("fetch", () => ({
      facts: readFacts(shaper.devices),
      observed: shaper.fetch(),
    }));
    const prior = plan.allocation;
    const { desired } = timed("build", () => buildShaper({ isp, config, facts, prior, observed }));
    const { actions } = timed("plan", () => planShaper(desired, observed));
    if (actions.length > 0) throw new Error(`There are ${actions.length} differences where there should be none`);
  };
  const whole = async (): Promise<ShaperPlan> => {
    const { config } = readConfig(router.configFile);
    const found = shaper.plan(readIsp(config!).isp!, config!);
    await shaper.apply(found, { kind: "netlink" });
    return found;
  };
  const plan = await whole();
  const { apply, command } = await alternate(runs, {
    parts: () => elapsed(stepwise),
    apply: () => elapsed(whole),
    command: () => router.command(),
  });
  const part = (what: string, values: readonly number[]): Row => ({ what: `- ${what}`, ours: sample(values) });
  return {
    title: "An apply that finds nothing to do: 10,000 circuits, both directions, 2 x 16 HTBs, classifier and store",
    rows: [
      { what: "the whole way, in a process that runs", ours: apply, target: { milliseconds: 1000 } },
      part("read and check the files", parts.read),
      part("fetch from the kernel", parts.fetch),
      part("build the state to reach", parts.build),
      part("plan", parts.plan),
      { what: "the command `sluice apply`, from its start to its end", ours: command, target: { milliseconds: 1000 } },
    ],
    remarks: [`The first apply of this, from nothing, took ${Math.round(first)} ms.`],
  };
}

async function benchDumps(router: Router, runs: number): Promise<Section> {
  const { socket } = router.lab.shaper;
  const { device } = router;
  const { qdiscs } = router.lab.shaper.fetch().devices.get(DEVICE)!;
  const htbs = qdiscs.filter(({ qdisc }) => qdisc.kind === "htb").map((at) => at.handle);
  const { ours, counters, tc } = await alternate(runs, {
    ours: () => elapsed(() => htbs.map((htb) => dumpClasses(socket, device.ifindex, htb))),
    counters: () => elapsed(() => readCounters(socket, [device])),
    tc: () => runProgram(router.ns, "sh", ["-c", `tc -s class show dev ${DEVICE} | cat > /dev/null`]),
  });
  return {
    title: "Counters of 10,000 circuits, one direction, 16 HTBs",
    rows: [
      {
        what: "dump and parse all classes with their statistics",
        ours,
        peer: { name: "tc -s class show", sample: tc },
        target: { ratio: 0.3 },
      },
      { what: "the same with finding the HTBs and the drops of every leaf", ours: counters },
    ],
  };
}

/** Measures all of it on one tree. @param full our time for one direction's tree from nothing */
export async function* benchLive(quick: boolean, full: Sample): AsyncGenerator<Section> {
  using router = new Router();
  const plan = router.lab.shaper.plan(ispOf(ispTexts(CIRCUITS)), CONFIG);
  const first = await elapsed(() => router.lab.shaper.apply(plan, { kind: "netlink" }));
  yield await benchChanges(router, full);
  yield await benchNoop(router, first, 5);
  yield await benchDumps(router, quick ? 5 : 9);
  // At once, where the end of the namespaces would do it some time later, beside the next measurement.
  await router.lab.shaper.removeAll();
}
