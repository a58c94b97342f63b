/** A whole tree from nothing, by netlink and by `tc -batch`. */
import type { Row, Section, Target } from "../report.ts";
import { alternate, growth, type Sample } from "../sample.ts";
import { Yard } from "./device.ts";
import { treeActions } from "./trees.ts";

const format = (circuits: number): string => circuits.toLocaleString("en");

interface Build {
  readonly circuits: number;
  readonly queues: number;
  readonly runs: number;
  readonly target?: Target;
}

interface Built extends Build {
  readonly ours: Sample;
  readonly tc: Sample;
}

async function measure(yard: Yard, build: Build): Promise<Built> {
  const { circuits, queues, runs } = build;
  const actions = treeActions(circuits, queues);
  const file = yard.batchFile(actions);
  const { ours, tc } = await alternate(runs, {
    ours: () => yard.build(queues, actions),
    tc: () => yard.buildByTc(queues, file),
  });
  return { ...build, ours, tc };
}

function rowOf({ circuits, queues, ours, tc, target }: Built): Row {
  const over = queues === 1 ? "one HTB" : `mq and ${queues} HTBs`;
  const what = `build ${format(circuits)} circuits, ${over}`;
  return { what, ours, peer: { name: "tc -batch", sample: tc }, ...(target && { target }) };
}

function growthBetween(small: Built, large: Built): string {
  const exponent = (who: "ours" | "tc"): string =>
    growth(small.circuits, small[who].median, large.circuits, large[who].median).toFixed(2);
  const sizes = `${format(small.circuits)} and ${format(large.circuits)} circuits over ${large.queues} HTBs`;
  return `Growth between ${sizes}: ours with the power ${exponent("ours")} of the size, tc's ${exponent("tc")}.`;
}

/** Builds trees of growing size. Returns our time for 10,000 circuits over 16 queues with the section. */
export async function benchBuilds(quick: boolean): Promise<{ section: Section; full: Sample }> {
  using yard = new Yard();
  const single = await measure(yard, { circuits: 1000, queues: 1, runs: 5, target: { ratio: 0.75 } });
  const small = await measure(yard, { circuits: 1000, queues: 16, runs: 5, target: { ratio: 0.75 } });
  const large = await measure(yard, { circuits: 10_000, queues: 16, runs: quick ? 3 : 5, target: { ratio: 0.85 } });
  const rows = [single, small, large].map((built) => rowOf(built));
  const remarks = [growthBetween(small, large)];
  if (!quick) {
    const huge = await measure(yard, { circuits: 20_000, queues: 16, runs: 5 });
    rows.push(rowOf(huge));
    remarks.push(growthBetween(large, huge));
  }
  return { section: { title: "One direction's tree, from nothing", rows, remarks }, full: large.ours };
}
