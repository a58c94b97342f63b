/**
 * Measures sluice beside its peers, in one run on one machine: `node bench/run.ts [NAME...] [--quick] [--strict]`.
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
}

/** Measures, and gives each section when it is ready. */
export type Bench = (options: BenchOptions) => AsyncIterable<Section>;

/** Every bench by its name, loaded when it is run. */
const BENCHES: Readonly<Record<string, () => Promise<Bench>>> = {
  shaper: async () => (await import("./shaper/shaper.ts")).shaper,
  dispatcher: async () => (await import("./dispatcher/dispatcher.ts")).dispatcher,
  latency: async () => (await import("./latency/latency.ts")).latency,
  daemon: async () => (await import("./daemon/daemon.ts")).daemon,
  parity: async () => (await import("./parity/parity.ts")).parity,
};

function machine(): string {
  const tc = execFileSync("tc", ["-Version"], { encoding: "utf8" }).trim();
  const cpu = `${cpus().length} x ${cpus()[0]?.model.trim()}`;
  const date = new Date().toISOString().slice(0, 10);
  return `${date}, ${cpu}, Linux ${release()}, Node ${process.version}, ${tc}`;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: "boolean", default: false }, strict: { type: "boolean", default: false } },
});
const names = positionals.length > 0 ? positionals : Object.keys(BENCHES);
const unknown = names.filter((name) => !(name in BENCHES));
if (unknown.length > 0) {
  console.error(`There is no bench "${unknown.join('", "')}": there are ${Object.keys(BENCHES).join(", ")}`);
  process.exit(EXIT.usage);
}
if (process.getuid?.() !== 0) {
  console.error("Benches make network namespaces: run them as root");
  process.exit(EXIT.permission);
}

const begin = performance.now();
const missed: string[] = [];
for (const name of names) {
  console.log(`## ${name}\n\n${machine()}; load ${loadavg()[0]!.toFixed(1)} before.\n`);
  const bench = await BENCHES[name]!();
  for await (const section of bench({ quick: values.quick })) {
    console.log(formatSection(section));
    missed.push(...section.rows.filter((row) => isMet(row) === false).map(({ what }) => `${section.title}: ${what}`));
  }
}
const verdict = missed.length === 0 ? "every target met" : `missed: ${missed.join("; ")}`;
console.log(`${Math.round((performance.now() - begin) / 1000)} s, load ${loadavg()[0]!.toFixed(1)}; ${verdict}.`);
if (values.strict && missed.length > 0) process.exitCode = EXIT.failure;
