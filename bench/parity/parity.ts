/** LibreQoS's dialect: from the texts of the two files to the text of `linux_tc.txt`. Needs no kernel and no root. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { humanBytes } from "../../src/core/units.ts";
import type { Row, Section } from "../report.ts";
import type { BenchOptions } from "../run.ts";
import { growth, type Sample, sample } from "../sample.ts";

/** What `once-worker.ts` answers. */
interface Once {
  readonly milliseconds: number;
  readonly kibibytes: number;
  readonly grown: number;
  readonly lines: number;
}

/** What LibreQoS's own Python took for as many circuits, elsewhere and under other load: for the order of magnitude only. */
const RECORDED =
  "LibreQoS itself was once timed at 0.15 s for 1,000 and 8.3 s for 10,000 circuits, and 52 and 119 MiB.";
const TARGET = { milliseconds: 300 };

const once = (circuits: number): Once =>
  JSON.parse(
    execFileSync(process.execPath, [join(import.meta.dirname, "once-worker.ts"), String(circuits)], {
      encoding: "utf8",
    }),
  ) as Once;

interface Measured {
  readonly circuits: number;
  readonly time: Sample;
  readonly all: readonly Once[];
}

function measure(circuits: number, runs: number): Measured {
  const all = Array.from({ length: runs }, () => once(circuits));
  return { circuits, time: sample(all.map(({ milliseconds }) => milliseconds)), all };
}

function rowOf({ circuits, time, all }: Measured): Row {
  const what = `${circuits.toLocaleString("en")} circuits, ${all[0]!.lines.toLocaleString("en")} lines`;
  return { what, ours: time, ...(circuits === 10_000 && { target: TARGET }) };
}

function memoryOf({ circuits, all }: Measured): string {
  const peak = sample(all.map(({ kibibytes }) => kibibytes * 1024)).median;
  const grown = sample(all.map((run) => run.grown * 1024)).median;
  return `${circuits.toLocaleString("en")} circuits: ${humanBytes(peak)}, of which ${humanBytes(grown)} for this`;
}

/** Every run is a fresh process, with nothing compiled. */
export async function* parity({ quick }: BenchOptions): AsyncGenerator<Section> {
  const runs = quick ? 3 : 7;
  const measured = [1000, 10_000, 20_000].map((circuits) => measure(circuits, runs));
  const [small, middle, large] = measured as [Measured, Measured, Measured];
  const exponent = (from: Measured): string =>
    growth(from.circuits, from.time.median, large.circuits, large.time.median).toFixed(2);
  yield {
    title: "LibreQoS's lines, from the texts of its files, in a fresh process",
    rows: measured.map((each) => rowOf(each)),
    remarks: [
      `Growth to 20,000 circuits: from 1,000 with the power ${exponent(small)} of their number, from 10,000 with ${exponent(middle)}.`,
      `Peak memory, Node itself included: ${measured.map((each) => memoryOf(each)).join("; ")}.`,
      RECORDED,
    ],
  };
}
