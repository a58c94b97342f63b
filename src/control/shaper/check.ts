/** Are the files free of errors? Needs no rights and no kernel. */
import type { Output } from "../../api/routes.ts";
import { type Problem, SluiceError } from "../../core/errors.ts";
import { allocate } from "../../shaper/allocation.ts";
import type { Isp, ShaperConfig } from "../../shaper/model.ts";
import { buildTree } from "../../shaper/tree.ts";
import type { Checkable, Inputs } from "../files.ts";

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

const NOTHING: Checked = { counts: { nodes: 0, circuits: 0, devices: 0, addresses: 0 }, problems: [] };

async function checkInputs({ source, config }: Inputs): Promise<Checked> {
  if (source.dialect === "sluice") return checkIsp(source.isp, config);
  const { checkLibreqos } = await import("../../shaper/libreqos/dialect.ts");
  return checkLibreqos(source.files, config);
}

/** Checks them; without a `[shaper]` there are links and rules only. @throws SluiceError with everything that is wrong */
export async function checkFiles({ inputs, autorate, relay, warnings }: Checkable): Promise<Output<"shaper.check">> {
  const { counts, problems } = inputs ? await checkInputs(inputs) : NOTHING;
  const named = autorate ? await (await import("../autorate/check.ts")).checkLinks(autorate) : [];
  const all = [...warnings, ...problems, ...named];
  if (all.some(({ severity }) => severity === "error")) throw new SluiceError(all);
  const { download, upload } = inputs?.config.rate ?? { download: 0, upload: 0 };
  const rates = { downloadBitsPerSecond: download, uploadBitsPerSecond: upload };
  const links = autorate?.links.length ?? 0;
  const rules = relay?.rules.length ?? 0;
  return { schema: "sluice/check/1", ok: true, ...counts, ...rates, links, rules, warnings: all };
}
