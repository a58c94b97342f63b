/** `sluice check`: are the files free of errors? Needs no rights and no kernel. */
import { humanRate } from "../../core/units.ts";
import { type Problem, SluiceError } from "../../core/errors.ts";
import type { Isp, ShaperConfig } from "../../shaper/model.ts";
import { allocate } from "../../shaper/allocation.ts";
import { buildTree } from "../../shaper/tree.ts";
import { answer, answerJson, type CliContext, note } from "../context.ts";
import { warningLines } from "../render/problems.ts";
import { reporting } from "../report.ts";
import { type ConfigFlags, readInputs } from "../shaper-inputs.ts";

interface Flags extends ConfigFlags {
  readonly json: boolean;
}

const countNodes = (nodes: readonly { readonly children: readonly object[] }[]): number =>
  nodes.reduce((sum, node) => sum + 1 + countNodes(node.children as typeof nodes), 0);

/** What the files hold, and everything that is to be said about them. */
interface Checked {
  readonly counts: Readonly<Record<"nodes" | "circuits" | "devices" | "addresses", number>>;
  readonly problems: readonly Problem[];
}

function checkIsp(isp: Isp, config: ShaperConfig): Checked {
  const { tree, problems } = buildTree(isp, config);
  // Numbers run out in the same way whatever a kernel holds already.
  const empty = { prior: new Map(), occupied: new Set<number>() };
  const { problems: overflows } = allocate({ tree, link: config.link.kind, queues: 1, ...empty });
  const counts = {
    nodes: countNodes(tree.nodes),
    circuits: isp.circuits.length,
    devices: isp.circuits.reduce((sum, circuit) => sum + circuit.devices.length, 0),
    addresses: isp.circuits.reduce((sum, { devices }) => sum + devices.reduce((n, d) => n + d.prefixes.length, 0), 0),
  };
  return { counts, problems: [...problems, ...overflows] };
}

async function check(this: CliContext, flags: Flags): Promise<void> {
  const { source, config, warnings } = await readInputs(flags);
  const { counts, problems } =
    source.dialect === "sluice"
      ? checkIsp(source.isp, config)
      : (await import("../../shaper/libreqos/dialect.ts")).checkLibreqos(source.files, config);
  const all = [...warnings, ...problems];
  if (all.some(({ severity }) => severity === "error")) throw new SluiceError(all);
  if (flags.json) return answerJson(this, "check", { ok: true, ...counts, warnings: all });
  for (const line of warningLines(all)) note(this, line);
  const { download, upload } = config.rate;
  answer(
    this,
    `ok: ${counts.circuits} circuits with ${counts.devices} devices and ${counts.addresses} addresses on ${counts.nodes} nodes, ` +
      `link ${humanRate(download)} down, ${humanRate(upload)} up; ${all.length} warnings`,
  );
}

/** Runs the command. */
export default reporting(check);
