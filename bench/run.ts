/**
 * Measures sluice beside its peers, in one run on one machine: `node bench/run.ts [NAME...] [--quick] [--strict]`. The benches
 * of autorate know `--seeds N`, `--scenario NAME` and `--controller NAME` (as often as wanted) and `--jobs N` as well, the one on
 * the real kernel `--keep FOLDER` (or SLUICE_BENCH_TRACES), the one on simulated lines controllers with options:
 * `--controller sluice:headroom=0.05,excess=0.1`.
 *
 * Exit code 0 whatever the numbers are; with --strict 1 when a target is missed. docs/benchmarks.md says what they mean.
 */
import { execFileSync } from "node:child_process";
import { cpus, loadavg, release } from "node:os";
import { parseArgs } from "node:util";
import { EXIT } from "../src/core/exit.ts";
import { formatSection, isMet, type Section } from "./report.ts";

/** How thoroughly to measure. */
export interface BenchOptions {
  /** Fewer and smaller runs, for a look within a minute. */
  readonly quick: boolean;
  /** For the benches of autorate: how many seeds; which scenarios and controllers, all when none is named. */
  readonly seeds?: number;
  readonly scenarios?: readonly string[];
  readonly controllers?: readonly string[];
  /** Runs at a time. */
  readonly jobs?: number;
  /** Folder for all that was seen. */
  readonly keep?: string;
}

/** Measures, and gives each section when it is ready. */
export type Bench = (options: BenchOptions) => AsyncIterable<Section>;

/** Every bench by its name, loaded when it is run. */
const BENCHES: Readonly<Record<string, () => Promise<Bench>>> = {
  shaper: async () => (await import("./shaper/shaper.ts")).shaper,
  dispatcher: async () => (await import("./dispatcher/dispatcher.ts")).dispatcher,
  latency: async () => (await import("./latency/latency.ts")).latency,
  daemon: async () => (await import("./daemon/daemon.ts")).daemon,
  autorate: async () => (await import("./autorate/autorate.ts")).autorate,
  "autorate-loop": async () => (await import("./autorate/loop.ts")).autorateLoop,
  "autorate-cost": async () => (await import("./autorate/cost.ts")).autorateCost,
  relay: async () => (await import("./relay/relay.ts")).relay,
  parity: async () => (await import("./parity/parity.ts")).parity,
};

/** Those that touch no kernel. */
const PURE: readonly string[] = ["autorate-loop"];

function machine(): string {
  const tc = execFileSync("tc", ["-Version"], { encoding: "utf8" }).trim();
  const cpu = `${cpus().length} x ${cpus()[0]?.model.trim()}`;
  const date = new Date().toISOString().slice(0, 10);
  return `${date}, ${cpu}, Linux ${release()}, Node ${process.version}, ${tc}`;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    strict: { type: "boolean", default: false },
    seeds: { type: "string" },
    scenario: { type: "string", multiple: true },
    controller: { type: "string", multiple: true },
    jobs: { type: "string" },
    keep: { type: "string" },
  },
});
const keep = values.keep ?? process.env["SLUICE_BENCH_TRACES"];
const options: BenchOptions = {
  quick: values.quick,
  ...(values.seeds !== undefined && { seeds: Number(values.seeds) }),
  ...(values.scenario && { scenarios: values.scenario }),
  ...(values.controller && { controllers: values.controller }),
  ...(values.jobs !== undefined && { jobs: Number(values.jobs) }),
  ...(keep !== undefined && { keep }),
};
const names = positionals.length > 0 ? positionals : Object.keys(BENCHES);
const unknown = names.filter((name) => !(name in BENCHES));
if (unknown.length > 0) {
  console.error(`There is no bench "${unknown.join('", "')}": there are ${Object.keys(BENCHES).join(", ")}`);
  process.exit(EXIT.usage);
}
if (process.getuid?.() !== 0 && names.some((name) => !PURE.includes(name))) {
  console.error("Benches make network namespaces: run them as root");
  process.exit(EXIT.permission);
}

const begin = performance.now();
const missed: string[] = [];
for (const name of names) {
  console.log(`## ${name}\n\n${machine()}; load ${loadavg()[0]!.toFixed(1)} before.\n`);
  const bench = await BENCHES[name]!();
  for await (const section of bench(options)) {
    console.log(formatSection(section));
    const unmet = section.bounds?.filter(({ met }) => met === false) ?? [];
    missed.push(...unmet.map(({ what }) => what));
    missed.push(...section.rows.filter((row) => isMet(row) === false).map(({ what }) => `${section.title}: ${what}`));
  }
}
const verdict = missed.length === 0 ? "every target met" : `missed: ${missed.join("; ")}`;
console.log(`${Math.round((performance.now() - begin) / 1000)} s, load ${loadavg()[0]!.toFixed(1)}; ${verdict}.`);
if (values.strict && missed.length > 0) process.exitCode = EXIT.failure;
