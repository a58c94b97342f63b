/** `sluice shaper circuit get ID`: one circuit, as one needs it on the phone with the subscriber. */
import { sluiceError } from "../../../core/errors.ts";
import { nearest } from "../../../core/nearest.ts";
import { humanBytes, humanRate } from "../../../core/units.ts";
import { type Direction, DIRECTIONS } from "../../../shaper/model.ts";
import { circuitsIn, type CircuitView } from "../../../shaper/view.ts";
import { answer, answerJson, type CliContext, note } from "../../context.ts";
import { limitText } from "../../render/circuits.ts";
import { circuitJson } from "../../render/json.ts";
import { printable } from "../../render/printable.ts";
import { style, table } from "../../render/table.ts";
import { reporting } from "../../report.ts";
import type { PlaceFlags } from "../../shaper-inputs.ts";
import { loadView, OUT_OF_STEP } from "./view.ts";

interface Flags extends PlaceFlags {
  readonly json: boolean;
}

function findCircuit(circuits: readonly CircuitView[], id: string): CircuitView {
  const found = circuits.find(({ circuit }) => circuit.id === id);
  if (found) return found;
  const near = nearest(
    id,
    circuits.map(({ circuit }) => circuit.id),
  );
  const hint = near === undefined ? "sluice shaper circuit list shows all of them" : `Did you mean "${near}"?`;
  throw sluiceError("NOT_FOUND", { noun: "circuit", id, hint });
}

type Line = readonly [label: string, show: (view: CircuitView, direction: Direction) => string];

const counter =
  (key: "bytes" | "packets" | "drops" | "backlog", show: (n: number) => string): Line[1] =>
  (view, d) => {
    const counters = view.sides[d].counters;
    return counters ? show(counters[key]) : "-";
  };

const LINES: readonly Line[] = [
  ["plan", (view, d) => humanRate(view.circuit.max[d])],
  ["ceiling", (view, d) => humanRate(view.sides[d].ceil)],
  ["limited by", (view, d) => limitText(view.sides[d].limit)],
  ["guaranteed", (view, d) => humanRate(view.sides[d].rate)],
  ["class", (view, d) => `${view.sides[d].device} ${view.sides[d].classid}`],
  ["leaf", (view, d) => view.sides[d].counters?.leaf ?? "-"],
  ["sent", counter("bytes", humanBytes)],
  ["packets", counter("packets", String)],
  ["drops", counter("drops", String)],
  ["backlog", counter("backlog", humanBytes)],
];

function pathLines(view: CircuitView): string[] {
  if (view.path.length === 0) return ["path to the root: directly on the link"];
  const lines = view.path.toReversed().map((node) => {
    const limited = DIRECTIONS.filter((d) => {
      const { limit } = view.sides[d];
      return limit.kind === "node" && limit.name === node.name;
    });
    const mark = limited.length > 0 ? `  <- limits ${limited.join(" and ")}` : "";
    return `  ${printable(node.name)}: ${DIRECTIONS.map((d) => humanRate(node.ceil[d])).join(" / ")}${mark}`;
  });
  return ["path to the root:", ...lines, "  the link"];
}

async function get(this: CliContext, flags: Flags, id: string): Promise<void> {
  const { view, inStep } = await loadView(this, flags);
  const found = findCircuit(circuitsIn(view), id);
  if (flags.json) return answerJson(this, "circuit", { inStep, circuit: circuitJson(found) });
  if (!inStep) note(this, OUT_OF_STEP);
  const { circuit } = found;
  const out = this.process.stdout;
  const columns = [
    { title: "", cell: ([label]: Line) => label },
    ...DIRECTIONS.map((d) => ({ title: d.toUpperCase(), cell: ([, show]: Line) => show(found, d) })),
  ];
  const devices = circuit.devices.map(
    (device) =>
      `  ${printable(device.name || device.id)}: ${device.prefixes.map(({ key }) => key).join(", ") || "no address"}`,
  );
  return answer(
    this,
    [
      style("bold", printable(`${circuit.id} ${circuit.name}`), out),
      ...table(LINES, columns, out),
      ...pathLines(found),
      "devices:",
      ...devices,
    ].join("\n"),
  );
}

/** Runs the command. */
export default reporting(get);
