/**
 * The whole of LibreQoS's algorithm, pure: from the texts of its files and its settings to the lines it runs, the files it
 * writes and the words it says. The steps stand in its order, which shows in the result.
 */
import type { Problem } from "../../core/errors.ts";
import { circuitWeights, packNodes, packOrphans, wrapInQueues, wrapsNodes } from "./binpacking.ts";
import { type LibreqosCircuit, loadCircuits } from "./circuits.ts";
import { flattenDepth } from "./depth.ts";
import { placeOrphans, withGeneratedNodes } from "./generated-nodes.ts";
import { type Placement, placeNodes } from "./ids.ts";
import { inheritMaxima } from "./inherit.ts";
import type { LibreqosCommand } from "./kernel.ts";
import { writeLines } from "./lines.ts";
import { attempt, DRY_RUN, type Message, MONITOR_ONLY, Report, VALIDATION_FAILED } from "./messages.ts";
import { raiseMinimums } from "./minimums.ts";
import { OBSERVED_GENERATED } from "./observe.ts";
import { isDict, loadJson, type PyDict, type PyValue } from "./python/json.ts";
import { type CheckedRow, readRecords } from "./rows.ts";
import { reportRust } from "./rust/validate.ts";
import { layoutQueues, type LibreqosSettings } from "./settings.ts";
import { reportUnshaped } from "./unshaped.ts";
import { validateDevices } from "./validate-devices.ts";
import { validateNetwork } from "./validate-network.ts";

/** The two files: what they hold and how problems call them. */
export interface LibreqosFiles {
  readonly network: { readonly text: string; readonly file: string };
  readonly devices: { readonly text: string; readonly file: string };
}

/** How strictly the files are looked at. */
export interface LibreqosChecks {
  /**
   * LibreQoS asks a second parser, of its Rust side, whether it can read the device list. `assume` takes that for
   * granted (as a dry run without its daemon does), `ask` refuses what it would refuse.
   */
  readonly rust: "assume" | "ask";
}

/**
 * What LibreQoS would do. The rest is made of it: `batchText` (lines.ts) is linux_tc.txt, `structureText` (structure.ts)
 * queuingStructure.json, `mapAddresses` (mappings.ts) the mappings, `toDesired` (desired.ts) the state to reach.
 */
export interface LibreqosBuilt {
  readonly settings: LibreqosSettings;
  readonly circuits: readonly LibreqosCircuit[];
  readonly placement: Placement;
  readonly commands: readonly LibreqosCommand[];
}

/** What came of it. */
export interface LibreqosResult {
  /** Absent when LibreQoS would refuse the files or end with an exception. */
  readonly built?: LibreqosBuilt;
  /** What LibreQoS says, in its order. */
  readonly messages: readonly Message[];
  /** The same for people, without what is no problem of the files. */
  readonly problems: readonly Problem[];
}

function validate(
  files: LibreqosFiles,
  network: PyValue | undefined,
  checks: LibreqosChecks,
  report: Report,
): readonly CheckedRow[] | undefined {
  const rust = checks.rust === "assume" || reportRust(files.devices.text, files.devices.file, report);
  if (rust) report.note("Rust validated ShapedDevices.csv", "output");
  const networkValid = validateNetwork(network, files.network.file, report);
  const records = readRecords(files.devices.text, files.devices.file);
  const { rows, valid } = validateDevices(records, files.devices.file, report);
  const devicesValid = valid && rust;
  report.note(`ShapedDevices.csv ${devicesValid ? "passed" : "failed"} validation`, "output");
  report.note(`network.json ${networkValid ? "passed" : "failed"} validation`, "output");
  if (devicesValid && networkValid) return rows;
  report.note(VALIDATION_FAILED);
  return undefined;
}

function place(network: PyDict, rows: readonly CheckedRow[], file: string, settings: LibreqosSettings, report: Report) {
  const { capacity, monitorOnly, useBinpacking, generated } = settings;
  const { queues } = layoutQueues(settings);
  const loaded = loadCircuits(rows, monitorOnly, report);
  const weights = useBinpacking ? circuitWeights(rows) : undefined;
  const whole = withGeneratedNodes(network, queues, monitorOnly ? OBSERVED_GENERATED : generated);
  const circuits = placeOrphans(loaded, queues, weights && packOrphans(loaded, weights, queues));
  const byParent = Map.groupBy(circuits, ({ parent }) => parent);
  const raised = raiseMinimums(whole, byParent, { file, monitorOnly });
  const flat = flattenDepth(inheritMaxima(raised, capacity, file));
  const top =
    weights && wrapsNodes(network)
      ? wrapInQueues(flat, packNodes(network, rows, weights, queues), queues, generated)
      : flat;
  return { circuits, placement: placeNodes(top, byParent, { queues, capacity, monitorOnly }) };
}

function run(
  files: LibreqosFiles,
  settings: LibreqosSettings,
  checks: LibreqosChecks,
  report: Report,
): LibreqosBuilt | undefined {
  const network = loadJson(files.network.text);
  const rows = validate(files, network, checks, report);
  // A valid network that is no object is an empty text or array, which passes as an empty object.
  if (!rows || network === undefined) return undefined;
  const nodes = isDict(network) ? network : new Map<string, PyValue>();
  const { circuits, placement } = place(nodes, rows, files.network.file, settings, report);
  const commands = writeLines(placement, settings);
  reportUnshaped(circuits, placement.nodes, report);
  return { settings, circuits, placement, commands };
}

/** Does what LibreQoS does with these files. Never throws for what is in them. */
export function buildLibreqos(
  files: LibreqosFiles,
  settings: LibreqosSettings,
  checks: LibreqosChecks = { rust: "assume" },
): LibreqosResult {
  const report = new Report();
  if (settings.dryRun) report.note(DRY_RUN);
  if (settings.monitorOnly) report.note(MONITOR_ONLY);
  const built = attempt(report, () => run(files, settings, checks, report));
  const { messages, problems } = report;
  return { ...(built && { built }), messages, problems };
}
